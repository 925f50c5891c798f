"""`pg_dump -Fc`: the archive as the text that `pg_restore -f -` makes of it, as far as data goes.

Layout: PostgreSQL's pg_backup_archiver.c (ReadHead, ReadToc) and pg_backup_custom.c, versions 1.11 to 1.16 of the
archive (PostgreSQL 8.4 to 18). The table of contents is held in memory, within `limits.memory`; data streams through.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from plainview.errors import DamagedError, LimitError, UnsupportedError
from plainview.files.packed.codecs import BROKEN, CUT, Read, exactly, lz4_frame
from plainview.tables import MIB, Limits

TEXT_FIRST = "turn it into text first: pg_restore -f -"
TITLE = b"--\n-- PostgreSQL database dump\n--\n\n"
CUSTOM, FILES = 1, 3  # the latter: each table in a file beside it (-Fd, -Ft)
DATA, BLOBS = 1, 3
NONE, GZIP, LZ4, ZSTD = range(4)
ENTRIES = 1_000_000


@dataclass(slots=True)
class _Reader:
    """Numbers and texts as this archive writes them. `left`: bytes that may still be held."""

    read: Read
    left: int
    size: int = 4

    def byte(self) -> int:
        return exactly(self.read, 1)[0]

    def number(self) -> int:
        sign, *digits = exactly(self.read, 1 + self.size)
        found = int.from_bytes(bytes(digits), "little")
        return -found if sign else found

    def text(self) -> bytes | None:
        length = self.number()
        if length < 0:
            return None
        self.left -= length + 64
        if self.left < 0:
            raise LimitError("its table of contents is larger than allowed", hint="raise --memory")
        return exactly(self.read, length)


def pg_custom(read: Read, limits: Limits) -> Iterator[bytes]:
    """Yield the definitions, then the data of each table, as SQL. Large objects are not read, which is raised."""
    head = exactly(read, 11)
    version, form = (head[5], head[6]), head[10]
    if not (1, 11) <= version < (2, 0) or form not in (CUSTOM, FILES) or not 1 <= head[8] <= 8 or head[9] > 8:
        raise UnsupportedError(f"pg_dump in a form that is not read ({TEXT_FIRST})")
    reader = _Reader(read, limits.memory, head[8])
    packed = reader.byte() if version >= (1, 15) else (GZIP if reader.number() else NONE)
    for _ in range(7):  # when it was made
        reader.number()
    for _ in range(3):  # of which database and servers
        reader.text()
    yield TITLE
    copies: dict[int, bytes] = {}
    for _ in range(_bounded(reader.number())):
        number, definition, copy = _entry(reader, version, form, head[9])
        if definition:
            yield definition + b"\n"
        if copy:
            copies[number] = copy
    if form == CUSTOM:
        yield from _data(reader, packed, copies, limits)


def _bounded(count: int) -> int:
    if not 0 <= count <= ENTRIES:
        raise DamagedError(BROKEN)
    return count


def _entry(reader: _Reader, version: tuple[int, int], form: int, offset: int) -> tuple[int, bytes, bytes]:
    """Return the number of an entry, its definition, and the statement that its data follows."""
    number, _ = reader.number(), reader.number()
    for _ in range(4):  # two object ids, name, kind
        reader.text()
    reader.number()
    definition, _drop, copy = reader.text(), reader.text(), reader.text()
    for _ in range(2 + (version >= (1, 14))):
        reader.text()
    if version >= (1, 16):
        reader.number()
    reader.text()  # owner
    reader.text()
    while reader.text() is not None:
        pass  # what it depends on
    if form == CUSTOM:
        exactly(reader.read, 1 + offset)
    else:
        reader.text()
    return number, definition or b"", copy or b""


def _data(reader: _Reader, packed: int, copies: dict[int, bytes], limits: Limits) -> Iterator[bytes]:
    unpack = _unpacker(packed, limits)
    blobs = False
    while kind := reader.read(1):
        number = reader.number()
        if kind[0] == DATA:
            yield copies.get(number, b"")
            yield from unpack(_chunks(reader))
            yield b"\n"
        elif kind[0] == BLOBS:
            blobs = True
            while reader.number():
                for _ in _chunks(reader):
                    pass
        else:
            raise DamagedError(BROKEN)
    if blobs:
        raise UnsupportedError("large objects in it were not read")


def _chunks(reader: _Reader) -> Iterator[bytes]:
    while length := reader.number():
        if length < 0:
            raise DamagedError(BROKEN)
        while length:
            piece = exactly(reader.read, min(length, MIB))
            length -= len(piece)
            yield piece


def _unpacker(packed: int, limits: Limits) -> Callable[[Iterator[bytes]], Iterator[bytes]]:
    """Return what unpacks the pieces of one table's data."""
    if packed == NONE:
        return lambda pieces: pieces
    if packed == GZIP:
        return _inflated
    if packed == LZ4:
        return _lz4
    if packed == ZSTD:
        return lambda pieces: _zstd(pieces, limits)
    raise UnsupportedError(f"pg_dump in a form that is not read ({TEXT_FIRST})")


def _inflated(pieces: Iterator[bytes]) -> Iterator[bytes]:
    import zlib

    unpack = zlib.decompressobj()
    for piece in pieces:
        data = piece
        while data and not unpack.eof:
            try:
                out = unpack.decompress(data, MIB)
            except zlib.error:
                raise DamagedError(BROKEN) from None
            data = unpack.unconsumed_tail
            if out:
                yield out
    if not unpack.eof:
        raise DamagedError(CUT)


def _zstd(pieces: Iterator[bytes], limits: Limits) -> Iterator[bytes]:
    from backports import zstd

    window = max(20, min(30, limits.memory.bit_length() - 1))
    unpack = zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: window})
    for piece in pieces:
        data = piece
        while not unpack.eof and (data or not unpack.needs_input):
            try:
                out = unpack.decompress(data, MIB)
            except zstd.ZstdError:
                raise DamagedError(BROKEN) from None
            data = b""
            if out:
                yield out
            if unpack.needs_input:
                break


def _lz4(pieces: Iterator[bytes]) -> Iterator[bytes]:
    held = bytearray()

    def read(count: int) -> bytes:
        while len(held) < count and (piece := next(pieces, b"")):
            held.extend(piece)
        data = bytes(held[:count])
        del held[:count]
        return data

    exactly(read, 4)
    yield from lz4_frame(read)
    for _ in pieces:
        pass


__all__ = ["pg_custom"]
