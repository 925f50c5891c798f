"""The blocks of an Avro file as its library gets them: unpacked, bounded, walked where the schema demands it.

Format: https://avro.apache.org/docs/1.12.0/specification/#object-container-files
"""

from __future__ import annotations

from typing import BinaryIO

from plainview.errors import LimitError
from plainview.files.formats.avro.schema import Shape, Walked, length, long, walk
from plainview.tables import MIB, Deadline, Limits
from plainview.tables.ratio import check_ratio

UNWALKED = MIB  # bytes of a block whose arrays and maps need no look: what they hold fits in memory
BLOCK = 16 * MIB  # bytes of a block that are read whatever the limit
_CODECS = frozenset({"null", "deflate", "bzip2", "xz", "zstandard", "snappy"})


class Blocks:
    """An Avro file as its library gets it: blocks unpacked, walked where the schema demands it, and whole.

    A codec that is not known here is left to the library. `broken`: what follows the last whole block is none.
    """

    def __init__(self, stream: BinaryIO, limits: Limits, deadline: Deadline) -> None:
        self._stream, self._limits, self._deadline = stream, limits, deadline
        self._most = max(limits.memory, BLOCK)
        self._buffer, self._at = b"", 0
        self._taken = self._unpacked = 0  # bytes of all blocks
        self.given = 0  # bytes of the blocks that were handed on; may be set to 0
        self.broken = False
        self.deep = 0  # records that were left out
        self.deepest = 0
        head, meta = self._header()
        self._sync = self._exactly(16)
        self._codec = meta.get(b"avro.codec", b"null").decode("ascii", "replace")
        self._plain = self._codec in _CODECS
        self._shape: Shape | None = None
        try:
            self._shape = Shape(meta.get(b"avro.schema", b"").decode(), limits)
            self.deepest = self._shape.deepest
        except (ValueError, KeyError, TypeError, AttributeError, IndexError):
            self._plain = False  # the library says what is wrong with it
        if self._plain and head:
            self._buffer = _plain_header(meta) + self._sync
        else:
            self._buffer = head + self._sync

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes, fewer only at the end."""
        out = self._buffer[self._at : self._at + size]
        self._at += len(out)
        while len(out) < size and self._next():
            more = self._buffer[: size - len(out)]
            self._at = len(more)
            out += more
        return out

    def _exactly(self, size: int) -> bytes:
        data = self._stream.read(size)
        if len(data) < size:
            raise EOFError
        return data

    def _header(self) -> tuple[bytes, dict[bytes, bytes]]:
        """Return the bytes of the header up to the mark, and what it says; nothing of a file that has none."""
        taken: list[bytes] = [self._stream.read(4)]
        meta: dict[bytes, bytes] = {}
        if taken[0] != b"Obj\x01":
            raise ValueError("no header")

        def number() -> int:
            value, raw = self._number()
            taken.append(raw)
            return value

        def text() -> bytes:
            size = number()
            if not 0 <= size <= self._limits.field:
                raise ValueError("size")
            taken.append(self._exactly(size))
            return taken[-1]

        while count := number():
            if count < 0:
                number()
            for _ in range(min(abs(count), 10_000)):
                key = text()
                meta[key] = text()
        return b"".join(taken), meta

    def _number(self) -> tuple[int, bytes]:
        raw = b""
        while not raw or raw[-1] & 0x80:
            raw += self._exactly(1)
            if len(raw) > 10:
                raise ValueError("number")
        return long(raw, 0)[0], raw

    def _next(self) -> bool:
        """Load the next block. False at the end."""
        self._deadline.check()
        self._buffer, self._at = b"", 0
        if self.broken or not (first := self._stream.read(1)):
            return False
        if not self._plain or self._shape is None:
            self._buffer = first + self._stream.read(MIB)
            return True
        try:
            count, packed = self._block(first)
            data = _unpacked(self._codec, packed, self._most)
        except LimitError:
            raise
        except Exception:  # noqa: BLE001  each codec has its own
            self.broken = True
            return False
        self._measure(len(packed), len(data))
        walked = Walked(data, count)
        if self._shape.guarded or (self._shape.many and len(data) > UNWALKED) or not data:
            walked = walk(self._shape, data, count, self._deadline)
        self.deep += walked.deep
        self._buffer = _zigzag(walked.count) + _zigzag(len(walked.data)) + walked.data + self._sync
        return True

    def _block(self, first: bytes) -> tuple[int, bytes]:
        """Return how many records a block says it holds, and its bytes. Raise EOFError, ValueError, LimitError."""
        while first[-1] & 0x80:
            first += self._exactly(1)
        count, (size, _) = long(first, 0)[0], self._number()
        if size > self._most:
            raise _large(self._most)
        packed = self._exactly(length(size))
        if self._exactly(16) != self._sync:
            raise ValueError("mark")
        return length(count), packed

    def _measure(self, packed: int, unpacked: int) -> None:
        self._taken += packed
        self._unpacked += unpacked
        self.given += unpacked
        check_ratio(self._unpacked, self._taken, self._limits)


def _unpacked(codec: str, data: bytes, most: int) -> bytes:
    """Return a block unpacked; its size is bounded before memory is taken for it."""
    if codec == "null":
        return data
    if codec == "snappy":
        from cramjam import snappy

        size = 0  # as the block says itself
        for at, byte in enumerate(data[:6]):
            size |= (byte & 0x7F) << (7 * at)
            if byte < 0x80:
                break
        if size > most:
            raise _large(most)
        return bytes(snappy.decompress_raw(data[:-4]))
    if codec == "deflate":
        import zlib

        out = zlib.decompressobj(-15).decompress(data, most + 1)
    else:
        from plainview.files.packed.inflate import decompressor

        name = {"zstandard": "zstd"}.get(codec, codec)
        out = decompressor(name, Limits(memory=most)).decompress(data, most + 1)
    if len(out) > most:
        raise _large(most)
    return out


def _large(most: int) -> LimitError:
    return LimitError(f"a block of more than {most // MIB} MiB", hint="raise --memory")


def _zigzag(number: int) -> bytes:
    number, out = number << 1, b""
    while number > 0x7F:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def _plain_header(meta: dict[bytes, bytes]) -> bytes:
    """Return a header that says the same, of blocks that are not packed."""
    said = {**meta, b"avro.codec": b"null"}
    pairs = b"".join(_zigzag(len(text)) + text for pair in said.items() for text in pair)
    return b"Obj\x01" + _zigzag(len(said)) + pairs + b"\0"


__all__ = ["Blocks"]
