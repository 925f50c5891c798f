"""Targets: packed files, SQLite and its log, workbooks, columnar files. Their frames are right, their content is not.

A random change of a packed file nearly always breaks its checksum first. So the same bytes also go *into* a
well-formed archive, log or workbook.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from plainview.files.formats.avro import read as avro
from plainview.files.formats.columnar import arrow, parquet
from plainview.files.formats.sheets import read as sheets
from plainview.files.formats.sheets.guard import check_workbook
from plainview.files.formats.sqlite import read as sqlite_
from plainview.files.formats.sqlite import wal as sqlite_wal
from plainview.files.packed.inflate import inflate
from plainview.files.source import FileSource
from plainview.tables import Input, ReadLog

from . import seeds
from .harness import CANARY, LIMITS, Seen, Target, file_of, law, read_all, silent

GIVES = 40 << 20  # bytes that one packed input may give: the limit, and a piece


def scan(data: bytes, name: str) -> Seen:
    """Read bytes as a file of a folder, as a scan does."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        path = Path(folder, name)
        path.write_bytes(data)
        source = FileSource(path, LIMITS)

        def batches(log: ReadLog):  # type: ignore[no-untyped-def]
            for unit in source.units(log):
                yield from source.read(unit, log)

        seen = read_all(batches, flat=False)
        source.close()
        law(path.read_bytes() == data, "the file was changed")
        law([entry.name for entry in Path(folder).iterdir()] == [name], "a file was made")
    said = seen.told or seen.log.noted  # an empty member is noted
    law(seen.frames or said or not data, "nothing was read and nothing was said")
    return seen


def packed(data: bytes) -> None:
    """Packed files: as they are, and the bytes as the content, the name, the comment of well-formed archives."""
    scan(data, "a.bin")
    at = data[0] if data else 0
    name = data[1:40].decode("utf-8", "replace").replace("\0", "") or "x"
    wrap = (
        lambda: gzip.compress(data, 1),
        lambda: bz2.compress(data, 1),
        lambda: lzma.compress(data, preset=0),
        lambda: seeds.zipped((name, data), ("b.csv", seeds.CSV[0])),
        lambda: seeds.tarred((name, data), ("b.csv", seeds.CSV[0])),
        lambda: seeds.zipped(("a.csv", seeds.CSV[0])) + data,
        lambda: gzip.compress(seeds.CSV[0]) + data,
    )
    kind = at % len(wrap)
    seen = scan(wrap[kind](), "a.bin")
    if kind in (3, 4):
        law(any(frame.height == 3 for frame in seen.frames) or seen.told, "the member behind was lost")


def codecs(data: bytes) -> None:
    """The decompressors, by name: pieces of bounded size, and an end."""
    for codec in ("gzip", "deflate", "bzip2", "xz", "lzma", "zstd"):
        given = taken = 0

        def took(count: int) -> None:
            nonlocal taken
            taken += count

        try:
            for piece in inflate(io.BytesIO(data), codec, LIMITS, took):
                law(len(piece) <= 1 << 20, "a piece of more than 1 MiB")
                given += len(piece)
                if given > GIVES:
                    break
        except Exception as error:
            if type(error).__module__ != "plainview.errors":
                raise
            silent([str(error)])


# -- SQLite -----------------------------------------------------------------------------------------------

DATABASE = seeds.sqlite()


def log_of(data: bytes, size: int = 512) -> bytes:
    """Return a write-ahead log whose checksums are right and whose frames the bytes describe."""
    order, magic = ("<", 0x377F0682) if len(data) % 2 else (">", 0x377F0683)
    salt = b"saltsalt"
    head = struct.pack(">IIII", magic, 3007000, size, 0) + salt
    sums = sqlite_wal._checksum(order, head, (0, 0))
    out = [head, struct.pack(">II", *sums)]
    for at in range(0, min(len(data), 4000), 200):
        piece = data[at : at + 200]
        numbers = (piece + bytes(8))[:8]
        page, pages = numbers[0] % 40 or int.from_bytes(numbers[:4], "big"), numbers[1] % 30
        body = bytearray(DATABASE[(page - 1) * size : page * size].ljust(size, b"\0")[:size])
        where = numbers[2] * 2
        body[where : where + len(piece) - 3] = piece[3:]
        first = struct.pack(">II", page, pages)
        body_bytes = bytes(body[:size].ljust(size, b"\0"))
        sums = sqlite_wal._checksum(order, body_bytes, sqlite_wal._checksum(order, first, sums))
        out += [first, salt, struct.pack(">II", *sums), body_bytes]
    return b"".join(out)


def wal(data: bytes) -> None:
    """The log of SQLite: applied in memory, at most as large as the log can fill; then read as a database."""
    for log in (data, log_of(data)):
        result, frames = sqlite_wal.applied(DATABASE, log)
        law(len(result) <= len(DATABASE) + 2 * len(log) + 65536, "the database grew beyond its log")
        law(frames >= 0, "a negative count")
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        path = Path(folder, "a.db")
        path.write_bytes(DATABASE)
        Path(folder, "a.db-wal").write_bytes(log_of(data))
        source = Input("a.db", DATABASE[:65536], lambda: path.open("rb"), len(DATABASE), path, LIMITS)
        seen = read_all(lambda log: sqlite_.read(source, log))
        law(seen.frames or seen.told, "nothing was read and nothing was said")
        law(sorted(entry.name for entry in Path(folder).iterdir()) == ["a.db", "a.db-wal"], "a file was made")


def database(data: bytes) -> None:
    """A damaged database: the bytes laid over a good one."""
    at = int.from_bytes(data[:2], "big") % len(DATABASE)
    broken = bytearray(DATABASE)
    broken[at : at + len(data) - 2] = data[2:]
    for given in (bytes(broken), sqlite_wal.MAGIC + data):
        seen = read_all(lambda log, given=given: sqlite_.read(file_of(given, "a.db"), log))
        law(
            seen.frames or seen.told or not given or seen.log.noted or len(given) < 600,
            "nothing was said of a database",
        )


# -- workbooks and columnar files ---------------------------------------------------------------------------


def workbook(data: bytes) -> None:
    """The guard of workbooks: on any zip, on a sheet with the bytes among its cells, and on xlsb records."""
    half = len(data) // 2
    sheet = seeds.SHEET.replace(b"</sheetData>", data[:half] + b"</sheetData>")
    book = seeds.zipped(*seeds.WORKBOOK, ("xl/worksheets/sheet1.xml", sheet))
    binary = seeds.zipped(("[Content_Types].xml", b""), ("xl/workbook.bin", b""), ("xl/worksheets/sheet1.bin", data))
    for given, kind in ((data, "xlsx"), (book, "xlsx"), (binary, "xlsb"), (binary, "ods")):
        log = ReadLog()
        try:
            check_workbook(file_of(given, f"a.{kind}"), given, kind, log)
        except Exception as error:
            if type(error).__module__ != "plainview.errors":
                raise
            silent([str(error)])
        silent(why for _, why in log.skipped)
    seen = read_all(lambda log: sheets.read(file_of(book, "a.xlsx"), log))
    law(seen.frames or seen.told, "nothing was read and nothing was said of a workbook")


def overlaid(module: object, whole: bytes, name: str, head: int = 0) -> Callable[[bytes], None]:
    """Return a target that lays the bytes over a good file, cuts it, and gives the bytes alone.

    Rows must not vanish in silence, unless the file is shorter than `head` bytes, as an empty one is.
    """

    def run(data: bytes) -> None:
        at = int.from_bytes(data[:2], "big") % len(whole)
        broken = bytearray(whole)
        broken[at : at + len(data) - 2] = data[2:]
        cut = whole[: len(whole) - at] + data[2:]
        for given in (data, bytes(broken), cut):
            seen = read_all(lambda log, given=given: module.read(file_of(given, name), log))  # type: ignore[attr-defined]
            law(seen.frames or seen.told or not given, f"nothing was read and nothing was said of {name}")
            rows = seen.rows
            told = rows >= 50 or seen.told or given is data or len(given) < head
            law(told, f"rows of {name} were lost and nothing was said")

    return run


def patches(length: int) -> tuple[bytes, ...]:
    """Return seeds for targets that lay bytes over a file: two of place, then what is put there."""
    rng = np.random.default_rng(7)
    places = [int(place) for place in rng.integers(0, length, 12)]
    return tuple(struct.pack(">H", place) + value for place in places for value in (b"\0", b"\xff\xff\xff\xff"))


LOGS = tuple(bytes((page, commit, 0)) + CANARY.encode() for page in (1, 2, 3, 30) for commit in (0, 1, 6))
RECORDS = b"\x00\x04\x01\0\0\0\x07\x08\x02\0\0\0\0\0\0\0\x92\x01\x00"

TARGETS = (
    Target("packed", packed, seeds.PACKED, (b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06", b"PK\x06\x06", b"\x1f\x8b\x08", b"ustar", b"../")),
    Target("codecs", codecs, seeds.PACKED[:5], (b"\x28\xb5\x2f\xfd", b"\x50\x2a\x4d\x18", b"BZh9", b"\xfd7zXZ\0")),
    Target("sqlite_wal", wal, (*LOGS, log_of(LOGS[0]), log_of(b"".join(LOGS))), (b"saltsalt", b"\x37\x7f\x06\x82")),
    Target("sqlite", database, (*patches(len(DATABASE)), b"\0\0" + DATABASE[:1500]), (b"CREATE TABLE", b"CREATE VIRTUAL TABLE x USING y")),
    Target(
        "sheets",
        workbook,
        (seeds.zipped(*seeds.WORKBOOK), seeds.CELLS.encode(), b'<c r="XFD1048576"><v>1</v></c>', b'<row r="9"><c r="ZZZZ9999"/></row>', RECORDS),
        (b' r="', b"<c ", b"<v>", b"</c>", b"\x80\x80", b"<mergeCell ref='A1:XFD9'/>"),
        of=("xlsx", "xlsb", "ods"),
    ),
    Target("parquet", overlaid(parquet, seeds.PARQUET, "a.parquet"), patches(len(seeds.PARQUET)), (b"PAR1", b"PARE")),
    Target("arrow", overlaid(arrow, seeds.IPC, "a.arrow"), patches(len(seeds.IPC)), (b"ARROW1",)),
    Target("arrow_stream", overlaid(arrow, seeds.STREAM, "a.arrows"), patches(len(seeds.STREAM)), (b"\xff\xff\xff\xff",)),
    Target("avro", overlaid(avro, seeds.AVRO, "a.avro", 200), patches(len(seeds.AVRO)), (b"Obj\x01", b"avro.codec", b"avro.schema")),
)  # fmt: skip

__all__ = ["TARGETS", "zipfile"]
