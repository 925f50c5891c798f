"""Logs of commands of Redis (appendonly.aof): what was written, in the order in which it was.

Each command is an array of strings of RESP. What a later command removes is read as well: it stands in the file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import BinaryIO

from plainview.errors import DamagedError
from plainview.files.formats.redis.tables import Tables
from plainview.tables import MIB, Batch, Input, ReadLog

LINE = 32  # bytes of a line with a number
NOTE = 1 << 10  # of one with a time
PARTS = 1_000_000  # of a command
CUT, BROKEN = "it ends in the midst of a command", "what follows is no command; the rest was not read"
# word -> type, and where the values begin
VALUES = {
    b"SET": ("string", 2),
    b"SETNX": ("string", 2),
    b"GETSET": ("string", 2),
    b"APPEND": ("string", 2),
    b"SETEX": ("string", 3),
    b"PSETEX": ("string", 3),
    b"RPUSH": ("list", 2),
    b"LPUSH": ("list", 2),
    b"SADD": ("set", 2),
}
PAIRS = {b"HSET": "hash", b"HMSET": "hash", b"HSETNX": "hash"}
WITHOUT = frozenset({b"MULTI", b"EXEC", b"PING", b"FLUSHALL", b"FLUSHDB"})


def read(source: Input, log: ReadLog) -> Iterator[Batch]:
    """Yield what the commands wrote, by form of key and type. Raise DamagedError where the log breaks off."""
    with source.open() as stream:
        tables = Tables(source, log, "aof")
        yield from commands(stream, tables, source, log, stream.read(1))


def commands(stream: BinaryIO, tables: Tables, source: Input, log: ReadLog, first: bytes) -> Iterator[Batch]:
    """Yield what the commands of a stream wrote, of which the first byte was taken."""
    count, problem = 0, None
    while first and not problem:
        try:
            parts = _next(stream, first, source.limits.field)
        except DamagedError as error:
            problem = error  # told behind what came before
            break
        yield from _written(parts, tables)
        count += sum(map(len, parts))
        if count > MIB:
            source.deadline.check()
            log.read(count)
            count = 0
        first = stream.read(1)
    log.read(count)
    yield from tables.rest() if problem else tables.ended()
    if problem:
        raise problem


def _next(stream: BinaryIO, first: bytes, most: int) -> list[bytes]:
    """Return the parts of the command that begins with `first`; none of a note of the time."""
    if first == b"*":
        return _command(stream, most)
    if first != b"#" or not stream.readline(NOTE).endswith(b"\n"):
        raise DamagedError(BROKEN)
    return []


def _command(stream: BinaryIO, most: int) -> list[bytes]:
    """Return the parts of one command, behind its star."""
    parts: list[bytes] = []
    held = 0
    for _ in range(_number(stream, PARTS)):
        if stream.read(1) != b"$":
            raise DamagedError(BROKEN)
        length = _number(stream, most)
        held += length
        if held > 4 * most:
            raise DamagedError("a command is larger than any value may be; the rest was not read")
        part = stream.read(length + 2)
        if len(part) < length + 2:
            raise DamagedError(CUT)
        parts.append(part[:-2])
    return parts


def _number(stream: BinaryIO, most: int) -> int:
    line = stream.readline(LINE)
    if not line.endswith(b"\n"):
        raise DamagedError(CUT if len(line) < LINE else BROKEN)
    digits = line.strip()
    if not digits.isdigit() or int(digits) > most:
        raise DamagedError(BROKEN)
    return int(digits)


def _written(parts: Sequence[bytes], tables: Tables) -> Iterator[Batch]:
    """Add what one command wrote."""
    if len(parts) < 2:
        return
    word, key = parts[0].upper(), parts[1]
    if word == b"SELECT":
        tables.database = int(key) if key.isdigit() and len(key) < 10 else 0
    elif word in VALUES:
        kind, start = VALUES[word]
        yield from tables.elements(key, kind, parts[start : start + 1] if kind == "string" else parts[start:])
    elif word in PAIRS:
        yield from tables.fields(key, PAIRS[word], zip(parts[2::2], parts[3::2], strict=False))
    elif word == b"MSET":
        for each, value in zip(parts[1::2], parts[2::2], strict=False):
            yield from tables.elements(each, "string", [value])
    elif word == b"XADD":
        start = next((at for at in range(2, len(parts)) if b"-" in parts[at] or parts[at] == b"*"), 2) + 1
        yield from tables.fields(key, "stream", zip(parts[start::2], parts[start + 1 :: 2], strict=False))
    elif word not in WITHOUT:
        yield from tables.elements(key, "other command", parts[2:])


__all__ = ["commands", "read"]
