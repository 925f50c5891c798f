"""dBASE, FoxPro and shapefiles' tables (.dbf): rows of fields of fixed width.

Layout: dBASE III to 7 and Visual FoxPro, as their makers describe the header. Rows that are marked as deleted still
stand in the file, and are read. Long texts lie in another file (.dbt, .fpt), which is told.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from plainview.errors import DamagedError
from plainview.files.kinds.dbf import VERSIONS
from plainview.tables import MIB, Batch, Input, ReadLog, Table

MEMO = "MGPBW"  # types whose cells are only numbers of blocks in another file
BLOCK = 4 * MIB
END = b"\x1a"
UNIX_DAY = 2_440_588  # the Julian day of 1970-01-01
DELETED = "rows that are marked as deleted were read as well"
# The language driver -> its encoding (the driver IDs of dBASE and FoxPro)
PAGES = {
    **dict.fromkeys(b"\x01\x09\x0b\x0d\x0f\x11\x15\x18\x19\x1b", "cp437"),
    **dict.fromkeys(b"\x02\x0a\x0e\x10\x12\x14\x16\x1a\x1d\x25\x37", "cp850"),
    **dict.fromkeys(b"\x1f\x22\x23\x40\x64\x87", "cp852"),
    **dict.fromkeys(b"\xc8\x96", "cp1250"),
    **dict.fromkeys(b"\x26\x65", "cp866"),
    **dict.fromkeys(b"\xc9\x97", "cp1251"),
    **dict.fromkeys(b"\x13\x7b", "cp932"),
    **dict.fromkeys(b"\x4d\x7a", "gb18030"),
    **dict.fromkeys(b"\x4e\x79", "cp949"),
    **dict.fromkeys(b"\x4f\x78", "cp950"),
    **dict.fromkeys(b"\x50\x7c", "cp874"),
    **dict.fromkeys(b"\x58\x59", "cp1252"),
    0x03: "cp1252",
    0x57: "cp1252",
    0x66: "cp865",
    0x6B: "cp857",
    0xCA: "cp1254",
    0xCB: "cp1253",
    0xCC: "cp1257",
    0x7D: "cp1255",
    0x7E: "cp1256",
}


@dataclass(frozen=True, slots=True)
class Field:
    """A column: its name, the letter of its type, and where it lies in a row."""

    name: str
    kind: str
    start: int
    size: int


def read(source: Input, log: ReadLog) -> Iterator[Batch]:
    """Yield the one table. Raise DamagedError where it is cut short; the rows before count."""
    with source.open() as stream:
        head = stream.read(32)
        start, width = struct.unpack_from("<HH", head, 8) if len(head) == 32 else (0, 0)
        rows = int.from_bytes(head[4:8], "little")
        fields = fields_of(head + stream.read(max(0, start - 32)))
        if not fields:
            raise DamagedError("its columns are not what the format says")
        page = PAGES.get(head[29], "")
        log.listed(1, rows)
        if memos := [
            field.name for field in fields if field.kind in MEMO and not (field.kind == "B" and field.size == 8)
        ]:
            log.skip(source.name, f"{len(memos)} column(s) whose texts lie in another file")
        done, notes, rest = 0, dict[str, None](), b""
        while data := rest + stream.read(max(width, BLOCK // width * width) - len(rest)):
            source.deadline.check()
            count = min(len(data) // width, rows - done)
            if not count:
                rest = data
                break
            frame = _frame(data[: count * width], width, fields, page, notes)
            done += count
            log.read(len(data))
            yield Batch(Table(source.name, "dbf", tuple(notes)), frame)
            rest = data[count * width :]
            if done == rows:
                break
        more = rest + stream.read(MIB)
    if not done:
        yield Batch(Table(source.name, "dbf"), pl.DataFrame(schema=dict.fromkeys((f.name for f in fields), pl.String)))
    if done < rows:
        raise DamagedError(f"it ends after {done:,} of {rows:,} rows")
    if more.strip(END + b"\0"):
        log.skip(source.name, "more bytes than its rows take; they were not read")


def fields_of(head: bytes) -> list[Field]:
    """Return the columns that a header describes, none where it is no header of this format."""
    if len(head) < 65 or head[0] not in VERSIONS:
        return []
    start, width = struct.unpack_from("<HH", head, 8)
    first, step, name, letter = (68, 48, 32, 32) if head[0] & 7 == 4 else (32, 32, 11, 11)
    found: list[Field] = []
    at, place = first, 1
    names: set[str] = set()
    while at + step <= min(len(head), start) and head[at] != 0x0D and len(found) < 2100:
        called = head[at : at + name].split(b"\0")[0].decode("latin-1").strip()
        kind, size = chr(head[at + letter]), head[at + letter + (1 if step == 48 else 5)]
        if kind == "C" and step == 32:
            size |= head[at + 17] << 8  # FoxPro and Clipper: longer than 255
        if not called or not (kind.isalpha() or kind in "@+0") or not size:
            return []
        while called in names:
            called += "_"
        names.add(called)
        found.append(Field(called, kind, place, size))
        at, place = at + step, place + size
    ends = at < len(head) and head[at] == 0x0D
    return found if ends and place == width and start > at else []


def _frame(data: bytes, width: int, fields: list[Field], page: str, notes: dict[str, None]) -> pl.DataFrame:
    """Return rows as columns of text, and of numbers where they are binary."""
    grid = np.frombuffer(data, np.uint8).reshape(-1, width)
    if (grid[:, 0] == 0x2A).any():
        notes[DELETED] = None
    columns = []
    for field in fields:
        cells = np.ascontiguousarray(grid[:, field.start : field.start + field.size])
        columns.append(_column(field, cells, page, notes))
    return pl.DataFrame(columns)


def _column(field: Field, cells: np.ndarray, page: str, notes: dict[str, None]) -> pl.Series:
    kind, size = field.kind, field.size
    if kind in "I+" and size == 4:
        return pl.Series(field.name, cells.view("<i4" if kind == "I" else ">i4").ravel())
    if kind in "BO" and size == 8:  # of FoxPro and dBASE 7; elsewhere B is a number of a block
        return pl.Series(field.name, cells.view("<f8").ravel())
    if kind == "Y" and size == 8:
        return pl.Series(field.name, cells.view("<i8").ravel() / 10_000)
    if kind in "T@" and size == 8:  # Julian days and milliseconds
        parts = cells.view("<i4" if kind == "T" else ">i4").astype(np.int64).reshape(-1, 2)
        return pl.Series(field.name, (parts[:, 0] - UNIX_DAY) * 86_400_000 + parts[:, 1]).cast(pl.Datetime("ms"))
    if kind in MEMO or kind == "0":
        return pl.Series(field.name, [None] * len(cells), pl.String)
    texts = cells.view(f"S{size}").ravel().tolist()  # without the zeros at their ends
    joined = b"\n".join(texts)
    encoding = page if not joined.isascii() else "ascii"
    if not encoding:
        encoding = _guessed(joined)
        notes[f"read as {encoding} (assumed)"] = None
    shown = pl.Series(field.name, [text.decode(encoding, "replace").strip() for text in texts], pl.String)
    return shown.set(shown == "", None)


def _guessed(data: bytes) -> str:
    from plainview.files.encodings.blocks import detect

    try:
        data.decode()
    except UnicodeDecodeError:
        return detect(data[:65536], whole=False).name
    return "utf-8"


__all__ = ["fields_of", "read"]
