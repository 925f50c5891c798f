"""Packers that no library unpacks in bounded steps: LZ4 and Snappy frames, and the LZW of `compress`.

Each is a generator of unpacked pieces of at most a few MiB. It takes `read`, which gives exactly so many packed bytes,
or fewer at the end. Layouts: lz4_Frame_format.md 1.6.3; Snappy's framing_format.txt; compress(1) of 4.3BSD.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

from plainview.errors import DamagedError, LimitError, UnsupportedError
from plainview.tables import MIB, Limits

Read = Callable[[int], bytes]
CUT = "the packed data ends too early; what came before was read"
BROKEN = "the packed data is damaged; what came before was read"
MORE = "other bytes follow the packed data; they were not read"

LZ4_MAGIC, LZ4_SKIPPED = b"\x04\x22\x4d\x18", b"\x2a\x4d\x18"
LZ4_HISTORY = 64 << 10  # how far back a linked block may point
_P1, _P2, _P3, _P5 = 2654435761, 2246822519, 3266489917, 374761393  # of xxHash, 32 bits
SNAPPY_MOST = 64 << 10  # bytes that one chunk may give
CLEAR = 256  # the code that empties the table of LZW


def exactly(read: Read, count: int) -> bytes:
    """Return so many bytes. Raises DamagedError where there are fewer."""
    data = read(count)
    if len(data) < count:
        raise DamagedError(CUT)
    return data


def lz4(read: Read, _limits: Limits) -> Iterator[bytes]:
    """Yield what frames of LZ4 hold, one after the other."""
    magic = read(4)
    while magic:
        if magic[1:] == LZ4_SKIPPED and 0x50 <= magic[0] < 0x60:
            left = int.from_bytes(exactly(read, 4), "little")
            while left:
                left -= len(exactly(read, min(left, MIB)))
        elif magic == LZ4_MAGIC:
            yield from lz4_frame(read)
        else:
            raise DamagedError(MORE)
        magic = read(4)


def lz4_frame(read: Read) -> Iterator[bytes]:
    """Yield the blocks of one frame, behind its magic number."""
    flags, size = exactly(read, 2)
    if flags >> 6 != 1 or not 4 <= size >> 4 <= 7:
        raise DamagedError(BROKEN)
    exactly(read, (8 if flags & 8 else 0) + (4 if flags & 1 else 0) + 1)
    if flags & 1:
        raise UnsupportedError("packed with LZ4 and a dictionary that is not in it")
    most = 1 << (8 + 2 * (size >> 4))
    linked, history = not flags & 0x20, b""
    while length := int.from_bytes(exactly(read, 4), "little"):
        stored, length = length >> 31, length & 0x7FFFFFFF
        if length > most:
            raise DamagedError(BROKEN)
        data = exactly(read, length)
        if flags & 0x10:
            exactly(read, 4)
        out = data if stored else _lz4_block(data, history, size)
        history = (history + out)[-LZ4_HISTORY:] if linked else b""
        yield out
    if flags & 4:
        exactly(read, 4)


def _lz4_block(data: bytes, history: bytes, size: int) -> bytes:
    """Unpack one block as a frame of its own, in which what it may point back to stands before it."""
    import cramjam

    descriptor = bytes([0x40, size & 0x70])
    parts = [LZ4_MAGIC, descriptor, bytes([_xxh32_of_few(descriptor) >> 8 & 255])]
    if history:
        parts += [struct.pack("<I", len(history) | 1 << 31), history]
    parts += [struct.pack("<I", len(data)), data, bytes(4)]
    try:
        return bytes(cramjam.lz4.decompress(b"".join(parts)))[len(history) :]
    except cramjam.DecompressionError:
        raise DamagedError(BROKEN) from None


def _xxh32_of_few(data: bytes) -> int:
    """Return the xxHash of fewer than 4 bytes."""
    found = _P5 + len(data)
    for byte in data:
        found = (found + byte * _P5) & 0xFFFFFFFF
        found = ((found << 11 | found >> 21) * _P1) & 0xFFFFFFFF
    found = ((found ^ found >> 15) * _P2) & 0xFFFFFFFF
    found = ((found ^ found >> 13) * _P3) & 0xFFFFFFFF
    return found ^ found >> 16


def snappy(read: Read, _limits: Limits) -> Iterator[bytes]:
    """Yield what the chunks of a framed stream of Snappy hold; it has no end mark."""
    import cramjam

    while head := read(4):
        if len(head) < 4:
            raise DamagedError(CUT)
        kind, data = head[0], exactly(read, int.from_bytes(head[1:], "little"))
        if kind == 1:
            yield data[4:]
        elif kind == 0:
            try:
                if cramjam.snappy.decompress_raw_len(data[4:]) > SNAPPY_MOST:
                    raise DamagedError(BROKEN)
                yield bytes(cramjam.snappy.decompress_raw(data[4:]))
            except cramjam.DecompressionError:
                raise DamagedError(BROKEN) from None
        elif kind < 0x80:
            raise DamagedError(BROKEN)


def lzw(read: Read, limits: Limits) -> Iterator[bytes]:
    """Yield what `compress` packed. Codes come in groups of eight; where their width changes, the rest is padding."""
    head = exactly(read, 3)
    most, block = head[2] & 0x1F, bool(head[2] & 0x80)
    if not 9 <= most <= 16:
        raise DamagedError(BROKEN)
    fresh = [bytes([n]) for n in range(256)] + ([b""] if block else [])
    table, width, before, held = list(fresh), 9, b"", 0
    out = bytearray()
    while group := read(width):
        bits = int.from_bytes(group, "little")
        for at in range(len(group) * 8 // width):
            code = bits >> at * width & (1 << width) - 1
            if code == CLEAR and block:
                table, width, before, held = list(fresh), 9, b"", 0
                break
            if code < len(table):
                entry = table[code]
            elif code == len(table) and before:
                entry = before + before[:1]
            else:
                raise DamagedError(BROKEN)
            out += entry
            if before and len(table) < 1 << most:
                table.append(before + entry[:1])
                held += len(before) + 1
            before = entry
            if len(table) >= 1 << width and width < most:
                width += 1
                break
        if held > limits.memory:
            raise LimitError("needs more memory to unpack than allowed", hint="raise --memory")
        if len(out) >= MIB:
            yield bytes(out)
            out.clear()
    if out:
        yield bytes(out)


STEPS: dict[str, Callable[[Read, Limits], Iterator[bytes]]] = {"lz4": lz4, "snappy": snappy, "compress": lzw}


__all__ = ["STEPS", "Read", "exactly", "lz4_frame"]
