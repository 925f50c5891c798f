"""Snapshots of Redis and Valkey (dump.rdb), versions 1 to 12, and a log of commands behind one.

Layout: rdb.c of Redis 7.4. The file is read front to back. A value that is larger than a cell may be is passed over
and told; a type that is not known ends the reading, since nothing says where it ends, and is told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import BinaryIO

from plainview.errors import DamagedError, UnsupportedError
from plainview.files.formats.redis import aof
from plainview.files.formats.redis.packs import BROKEN, intset, listpack, lzf, stream_entries, ziplist
from plainview.files.formats.redis.tables import Tables
from plainview.tables import MIB, Batch, Input, ReadLog

AUX, RESIZE, EXPIRE_MS, EXPIRE, SELECT, END = 0xFA, 0xFB, 0xFC, 0xFD, 0xFE, 0xFF
IDLE, FREQUENCY, MODULE_AUX, FUNCTION, FUNCTION_OLD, SLOT = 0xF8, 0xF9, 0xF7, 0xF5, 0xF6, 0xF4
CUT = "it ends in the midst of a value"
Parts = Callable[[bytes], Iterator[bytes]]


class _Reader:
    """Numbers and strings as RDB writes them (rdbLoadLen, rdbGenericLoadStringObject)."""

    def __init__(self, stream: BinaryIO, log: ReadLog, most: int) -> None:
        self.stream, self.log, self.most = stream, log, most
        self.large = 0  # values that were passed over
        self.count = 0

    def take(self, count: int) -> bytes:
        data = self.stream.read(count)
        if len(data) < count:
            raise DamagedError(CUT)
        self.count += count
        if self.count >= MIB:
            self.told()
        return data

    def told(self) -> None:
        self.log.read(self.count)
        self.count = 0

    def skip(self, count: int) -> None:
        while count:
            count -= len(self.take(min(count, MIB)))

    def length(self) -> tuple[int, bool]:
        """Return a number, and whether it says how a string is written instead of how long it is."""
        first = self.take(1)[0]
        if first >> 6 == 0:
            return first & 63, False
        if first >> 6 == 1:
            return (first & 63) << 8 | self.take(1)[0], False
        if first >> 6 == 3:
            return first & 63, True
        if first not in (0x80, 0x81):
            raise DamagedError(BROKEN)
        return int.from_bytes(self.take(4 if first == 0x80 else 8), "big"), False

    def number(self) -> int:
        found, special = self.length()
        if special:
            raise DamagedError(BROKEN)
        return found

    def string(self) -> bytes:
        """Return a string; one that is too large is passed over, and nothing stands in its place."""
        length, special = self.length()
        if not special:
            if length > self.most:
                self.large += 1
                self.skip(length)
                return b""
            return self.take(length)
        if length < 3:
            return str(int.from_bytes(self.take(1 << length), "little", signed=True)).encode()
        if length != 3:
            raise DamagedError(BROKEN)
        packed, size = self.number(), self.number()
        if packed > self.most or size > self.most:
            self.large += 1
            self.skip(packed)
            return b""
        return lzf(self.take(packed), size)

    def strings(self, times: int) -> Iterator[bytes]:
        """Yield so many strings."""
        for _ in range(times):
            yield self.string()


def read(source: Input, log: ReadLog) -> Iterator[Batch]:
    """Yield the keys by form and type, a row for each key or element. Raise DamagedError, UnsupportedError."""
    with source.open() as stream:
        reader = _Reader(stream, log, source.limits.field)
        tables = Tables(source, log, "rdb")
        reader.take(9)
        try:
            yield from _keys(reader, tables)
            yield from tables.rest()
            if stream.read(8) and (first := stream.read(1)):  # a checksum, then what an AOF goes on with
                yield from aof.commands(stream, tables, source, log, first)
            else:
                yield from tables.ended()
        except (DamagedError, UnsupportedError):
            yield from tables.rest()
            raise
        finally:
            reader.told()
            if reader.large:
                log.skip(source.name, f"{reader.large:,} value(s) larger than {source.limits.field // MIB} MiB")


def _keys(reader: _Reader, tables: Tables) -> Iterator[Batch]:
    while True:
        code = reader.take(1)[0]
        if code == END:
            return
        if code == SELECT:
            tables.database = reader.number()
        elif code in (EXPIRE_MS, EXPIRE):
            reader.take(8 if code == EXPIRE_MS else 4)
        elif code == FREQUENCY:
            reader.take(1)
        elif code in (RESIZE, IDLE, SLOT):
            for _ in range({RESIZE: 2, IDLE: 1, SLOT: 3}[code]):
                reader.number()
        elif code in (AUX, FUNCTION):
            for _ in range(2 if code == AUX else 1):
                reader.string()
        elif code == MODULE_AUX:
            reader.number()
            _module(reader)
        elif code == FUNCTION_OLD:
            raise UnsupportedError("functions of a version before the release; the rest was not read")
        else:
            yield from _value(code, reader, tables)


PACKED: dict[int, tuple[str, Parts]] = {
    10: ("list", ziplist),
    11: ("set", intset),
    12: ("sorted set", ziplist),
    13: ("hash", ziplist),
    16: ("hash", listpack),
    17: ("sorted set", listpack),
    20: ("set", listpack),
}


def _value(code: int, reader: _Reader, tables: Tables) -> Iterator[Batch]:
    """Read one key and what it holds."""
    key = reader.string()
    if code == 0:
        yield from tables.elements(key, "string", [reader.string()])
    elif code in (1, 2):
        yield from tables.elements(key, "list" if code == 1 else "set", reader.strings(reader.number()))
    elif code in (3, 5):
        yield from tables.elements(key, "sorted set", _scored(reader, old=code == 3))
    elif code == 4:
        yield from tables.fields(key, "hash", _pairs(reader.strings(2 * reader.number())))
    elif code in PACKED:
        kind, parts = PACKED[code]
        data = reader.string()
        found = parts(data) if data else iter(())
        if kind == "hash":
            yield from tables.fields(key, kind, _pairs(found))
        elif kind == "sorted set":
            yield from tables.elements(key, kind, (value for value, _ in _pairs(found)))
        else:
            yield from tables.elements(key, kind, found)
    elif code in (14, 18):
        yield from tables.elements(key, "list", _nodes(reader, plain=code == 18))
    elif code in (15, 19, 21):
        yield from _stream(code, key, reader, tables)
    elif code == 7:
        reader.log.skip(f"{tables.source.name}: a key of a module", "its form is known to the module alone")
        reader.number()
        _module(reader)
    elif code in (24, 25):
        yield from tables.fields(key, "hash", _expiring(code, reader))
    else:
        raise UnsupportedError(f"a value of type {code}, which is not known; the rest was not read")


def _pairs(parts: Iterator[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Yield two at a time."""
    for first in parts:
        second = next(parts, None)
        if second is None:
            raise DamagedError(BROKEN)
        yield first, second


def _scored(reader: _Reader, *, old: bool) -> Iterator[bytes]:
    for _ in range(reader.number()):
        yield reader.string()
        length = reader.take(1)[0] if old else 8
        reader.take(length if length < 253 else 0)


def _nodes(reader: _Reader, *, plain: bool) -> Iterator[bytes]:
    for _ in range(reader.number()):
        single = plain and reader.number() == 1
        data = reader.string()
        if single:
            yield data
        elif data:
            yield from (listpack if plain else ziplist)(data)


def _expiring(code: int, reader: _Reader) -> Iterator[tuple[bytes, bytes]]:
    """Yield the fields of a hash some of which expire (Redis 7.4)."""
    reader.take(8)
    if code == 24:
        for _ in range(reader.number()):
            reader.number()
            yield reader.string(), reader.string()
        return
    data = reader.string()
    parts = listpack(data) if data else iter(())
    for name, value in _pairs(parts):
        next(parts, None)  # when it expires
        yield name, value


def _stream(code: int, key: bytes, reader: _Reader, tables: Tables) -> Iterator[Batch]:
    for _ in range(reader.number()):
        reader.string()
        data = reader.string()
        for entry in stream_entries(data) if data else ():
            yield from tables.fields(key, "stream", entry)
    for _ in range(3 if code == 15 else 8):  # length, last id; first id, deleted id, entries ever added
        reader.number()
    for _ in range(reader.number()):  # groups
        reader.string()
        for _ in range(2 if code == 15 else 3):
            reader.number()
        for _ in range(reader.number()):  # entries that wait for an answer
            reader.take(24)
            reader.number()
        for _ in range(reader.number()):  # consumers
            reader.string()
            reader.take(16 if code == 21 else 8)
            reader.skip(16 * reader.number())


def _module(reader: _Reader) -> None:
    """Pass over what a module wrote (rdbLoadCheckModuleValue)."""
    while (code := reader.number()) != 0:
        if code in (1, 2):
            reader.number()
        elif code in (3, 4):
            reader.take(4 if code == 3 else 8)
        elif code == 5:
            reader.string()
        else:
            raise DamagedError(BROKEN)


__all__ = ["read"]
