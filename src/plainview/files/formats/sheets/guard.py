"""What is looked at before a library gets a workbook: its size unpacked, the grid of each sheet, other parts.

The library holds every sheet as a full grid from the first to the last used cell. A file of 5 KB with two
cells in opposite corners asks for 550 GB, and the process is aborted (seen with fastexcel 0.21). So the
corners are looked for first: in the XML of xlsx by regular expressions, in the records of xlsb ([MS-XLSB]
2.1.4) one by one.
"""

from __future__ import annotations

import io
import re
from dataclasses import replace
from html import unescape

from plainview.errors import LimitError, UnsupportedError
from plainview.files.formats.sheets.unfold import CELL, Shared, check_repeats, pieces
from plainview.files.packed.archives import members
from plainview.files.packed.streams import Meter
from plainview.tables import MIB, Input, ReadLog

_LARGE = re.compile(rb"\sr=[\"'](?:[A-Za-z]{2,}[0-9]|[A-Za-z]+[0-9]{6})")  # wider than Z, or longer than 99,999
_CELL = re.compile(rb"\sr=[\"']([A-Za-z]{1,8})([0-9]{1,12})[\"']")
_NO_RESULT = re.compile(  # Excel writes an empty <v> for the result "", and then says that it is a text: t="str"
    rb"<(?:\w+:)?c\s(?![^<>]*\bt=[\"']str[\"'])[^<>]*>\s*<(?:\w+:)?f\b[^<>]*(?:/>|>[^<]*</(?:\w+:)?f>)\s*"
    rb"(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v>\s*</(?:\w+:)?v>)?\s*</(?:\w+:)?c>"
)
_INLINE = re.compile(rb"<(?:\w+:)?c\s[^<>]*\bt=[\"']inlineStr[\"'][^<>]*>\s*<(?:\w+:)?v>")
# What the library returns as empty though it is not: what must stand near it, where it is, and what it is called.
_EMPTIED = (
    (b"f", _NO_RESULT, "a formula and no stored result"),
    (b"inlineStr", _INLINE, "a text in a form that is not read"),
)
HEADERS = 10_000  # of one workbook
ACROSS = 16 << 10  # bytes of a cell that the end of a piece may cut
_SHEET = re.compile(r"xl/(?:work|macro|dialog)sheets/|xl/[^/]*sheet[^/]*\.(?:xml|bin)$")
_NOT_READ = (("xl/pivotCache/", "numbers in the cache of a pivot table, which may hold rows that are in no sheet"),)
_HEADER = re.compile(rb"<(?:\w+:)?(?:odd|even|first)(?:Header|Footer)>([^<]{1,2000})<")


def check_workbook(source: Input, data: bytes, kind: str, log: ReadLog) -> list[str]:
    """Raise LimitError for what does not fit in memory, UnsupportedError if encrypted; tell the rest.

    Return the headers and footers of the sheets.
    """
    headers: list[str] = []
    limits = replace(source.limits, unpacked=4 * source.limits.memory)
    meter = Meter(len(data), limits, source.deadline, lambda _: None)
    inner = Input("", source.head, lambda: io.BytesIO(data), len(data), None, limits, source.deadline)
    told: set[str] = set()
    shared = Shared()
    for part, _ in members(inner, "zip", ReadLog(), meter):
        name = part.name.removeprefix("/")
        for prefix, what in _NOT_READ:
            if name.startswith(prefix) and what not in told:
                told.add(what)
                log.skip(source.name, f"{what}: not read")
        if name.endswith((".xml", ".bin", ".rels")):
            emptied = _check_part(part, name, kind, limits.memory, headers)
            for what, count in emptied.items():
                log.skip(f"{source.name}: part {name}", f"{count:,} {'cell' if count == 1 else 'cells'} with {what}")
            _add_up(part, name, kind, shared)
        limit = next((error for _, error in meter.failures if isinstance(error, LimitError)), None)
        if limit is not None:
            raise limit
        if name == "META-INF/manifest.xml" and b"encryption-data" in part.head:
            raise UnsupportedError("encrypted with a password")
    shared.check(limits.memory)
    for part_name, error in meter.failures:
        log.skip(f"{source.name}: part {part_name.removeprefix('/')}", error)
    return headers


def _add_up(part: Input, name: str, kind: str, shared: Shared) -> None:
    """Take note of what the cells of a part unfold to. Raise LimitError for repeats that do not fit in memory."""
    if kind == "ods" and name == "content.xml":
        check_repeats(part, part.limits.memory)
    elif kind == "xlsx" and name.lower() == "xl/sharedstrings.xml":
        shared.strings(part)
    elif kind == "xlsx" and _SHEET.match(name):
        shared.sheet(part)


def _check_part(part: Input, name: str, kind: str, memory: int, headers: list[str]) -> dict[str, int]:
    """Unpack one part to its end (its size may be a lie) and look at the grid if it is a sheet.

    Return how many cells hold something that the library returns as empty.
    """
    emptied: dict[str, int] = {}
    is_sheet = bool(_SHEET.match(name))
    large = False
    with part.open() as stream:
        tail = b""
        while piece := stream.read(MIB):
            large = large or (is_sheet and kind == "xlsx" and _LARGE.search(tail + piece) is not None)
            if is_sheet and kind == "xlsx":
                _count_emptied(tail, piece, emptied)
            tail = (tail + piece)[-ACROSS:]
    if is_sheet and kind == "xlsx" and len(headers) < HEADERS:
        headers.extend(unescape(text.decode("utf-8", "replace")) for text in _HEADER.findall(tail))
    if not is_sheet or not (large or kind == "xlsb"):
        return emptied
    rows, columns = (_xlsb_corner if kind == "xlsb" else _xlsx_corner)(part)
    if rows * columns * CELL > 4 * memory:
        raise LimitError(f"a sheet spans {rows:,} rows by {columns:,} columns", hint="raise --memory")
    return emptied


def _count_emptied(before: bytes, piece: bytes, emptied: dict[str, int]) -> None:
    """Add the cells that end in `piece`; `before` is what stands before it."""
    for mark, pattern, what in _EMPTIED:
        if mark not in piece:
            continue
        count = sum(found.end() > len(before) for found in pattern.finditer(before + piece))
        if count:
            emptied[what] = emptied.get(what, 0) + count


def _xlsx_corner(part: Input) -> tuple[int, int]:
    """Return the largest row and column that any cell names."""
    row = 0
    letters: set[bytes] = set()
    tail = b""
    for piece in pieces(part):
        cells = _CELL.findall(tail + piece)
        letters.update(column for column, _ in cells)
        row = max([row, *(int(number) for _, number in cells)])
        tail = piece[-64:]
    return row, max((_column(name) for name in letters), default=0)


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


def _xlsb_corner(part: Input) -> tuple[int, int]:
    """Walk the records: type, length (7-bit groups), body. BrtRowHdr is 0; cells are 1 to 11."""
    row = column = 0
    data = b"".join(pieces(part))
    at = steps = 0
    while at < len(data) - 2:
        steps += 1
        if not steps & 0xFFFF:
            part.deadline.check()
        kind = data[at]
        at += 1
        if kind & 0x80:
            kind |= data[at] << 7
            at += 1
        length = shift = 0
        while at < len(data) and shift < 28:
            byte = data[at]
            at += 1
            length |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                break
        if kind == 0:
            row = max(row, int.from_bytes(data[at : at + 4], "little") + 1)
        elif kind <= 11:
            column = max(column, int.from_bytes(data[at : at + 4], "little") + 1)
        at += length
    return row, column


__all__ = ["check_workbook"]
