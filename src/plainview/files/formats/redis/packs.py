"""The compact forms in which Redis keeps small collections, and the LZF that packs long strings.

Layouts: ziplist.c, listpack.c, intset.c of Redis 7.2; LibLZF 3.6. Whatever lies about a length raises DamagedError.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from plainview.errors import DamagedError

BROKEN = "a value is damaged"
_STEP = {2: "h", 4: "i", 8: "q"}  # bytes of a number in an intset


def lzf(data: bytes, size: int) -> bytes:
    """Unpack LZF to `size` bytes."""
    out = bytearray()
    at, end = 0, len(data)
    while at < end:
        control = data[at]
        at += 1
        if control < 32:
            out += data[at : at + control + 1]
            at += control + 1
            continue
        length, back = control >> 5, (control & 31) << 8
        if length == 7 and at < end:
            length += data[at]
            at += 1
        if at >= end:
            raise DamagedError(BROKEN)
        start = len(out) - back - data[at] - 1
        at += 1
        length += 2
        if start < 0 or len(out) + length > size:
            raise DamagedError(BROKEN)
        step = len(out) - start
        out += (out[start:] * (length // step + 1))[:length] if step < length else out[start : start + length]
    if len(out) != size:
        raise DamagedError(BROKEN)
    return bytes(out)


def _text(data: bytes, at: int, length: int) -> tuple[bytes, int]:
    if at + length > len(data):
        raise DamagedError(BROKEN)
    return data[at : at + length], at + length


def _number(data: bytes, at: int, length: int) -> tuple[bytes, int]:
    part, at = _text(data, at, length)
    return str(int.from_bytes(part, "little", signed=True)).encode(), at


def ziplist(data: bytes) -> Iterator[bytes]:
    """Yield the entries of a ziplist, numbers as their digits."""
    at = 10
    while at < len(data) and data[at] != 0xFF:
        at += 5 if data[at] == 0xFE else 1
        first = data[at] if at < len(data) else 0xFF
        kind = first >> 6
        if kind == 0:
            entry, at = _text(data, at + 1, first & 63)
        elif kind == 1:
            entry, at = _text(data, at + 2, (first & 63) << 8 | _byte(data, at + 1))
        elif kind == 2:
            entry, at = _text(data, at + 5, int.from_bytes(data[at + 1 : at + 5], "big"))
        elif 0xF1 <= first <= 0xFD:
            entry, at = str((first & 15) - 1).encode(), at + 1
        elif (size := {0xC0: 2, 0xD0: 4, 0xE0: 8, 0xF0: 3, 0xFE: 1}.get(first)) is not None:
            entry, at = _number(data, at + 1, size)
        else:
            raise DamagedError(BROKEN)
        yield entry
    if at >= len(data):
        raise DamagedError(BROKEN)


def _byte(data: bytes, at: int) -> int:
    if at >= len(data):
        raise DamagedError(BROKEN)
    return data[at]


def listpack(data: bytes) -> Iterator[bytes]:
    """Yield the entries of a listpack, numbers as their digits."""
    at = 6
    while _byte(data, at) != 0xFF:
        start, first = at, data[at]
        if first < 0x80:
            entry, at = str(first).encode(), at + 1
        elif first < 0xC0:
            entry, at = _text(data, at + 1, first & 63)
        elif first < 0xE0:
            value = (first & 31) << 8 | _byte(data, at + 1)
            entry, at = str(value - (1 << 13) if value >= 1 << 12 else value).encode(), at + 2
        elif first < 0xF0:
            entry, at = _text(data, at + 2, (first & 15) << 8 | _byte(data, at + 1))
        elif first == 0xF0:
            entry, at = _text(data, at + 5, int.from_bytes(data[at + 1 : at + 5], "little"))
        elif (size := {0xF1: 2, 0xF2: 3, 0xF3: 4, 0xF4: 8}.get(first)) is not None:
            entry, at = _number(data, at + 1, size)
        else:
            raise DamagedError(BROKEN)
        length = at - start
        at += 1 + sum(length > most for most in (127, 16382, 2097150, 268435454))
        yield entry


def intset(data: bytes) -> Iterator[bytes]:
    """Yield the numbers of an intset as their digits."""
    if len(data) < 8:
        raise DamagedError(BROKEN)
    size, count = struct.unpack_from("<II", data)
    if size not in _STEP or len(data) < 8 + size * count:
        raise DamagedError(BROKEN)
    for (value,) in struct.iter_unpack(f"<{_STEP[size]}", data[8 : 8 + size * count]):
        yield str(value).encode()


def stream_entries(data: bytes) -> Iterator[list[tuple[bytes, bytes]]]:
    """Yield the entries of one listpack of a stream as pairs of field and value (t_stream.c); deleted ones, too."""
    parts = listpack(data)
    try:
        for _ in range(2):  # how many entries, how many deleted
            next(parts)
        fields = [next(parts) for _ in range(_count(next(parts), data))]
        next(parts)
        while (flags := next(parts, None)) is not None:
            for _ in range(2):  # the id, as differences
                next(parts)
            if _count(flags, b"") & 2:
                yield [(name, next(parts)) for name in fields]
            else:
                yield [(next(parts), next(parts)) for _ in range(_count(next(parts), data))]
            next(parts)
    except (StopIteration, RuntimeError):
        raise DamagedError(BROKEN) from None


def _count(digits: bytes, data: bytes) -> int:
    """Return a number of entries, no more than there can be in `data`; a number of flags where that is empty."""
    found = int(digits) if digits.isdigit() and len(digits) < 10 else -1
    if found < 0 or (data and found > len(data)):
        raise DamagedError(BROKEN)
    return found


__all__ = ["BROKEN", "intset", "listpack", "lzf", "stream_entries", "ziplist"]
