"""A quick look at a large text: whole lines of parts that are spread evenly over it, a tenth of it in all.

Only where every line is a record, and so a part can begin at any: NDJSON, plain text, delimited text without quotes.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import BinaryIO, cast

from plainview.files.packed.streams import Opener
from plainview.tables import MIB, Input

LEAST = 64 * MIB  # bytes of a file that is not read as a whole
PARTS, SHARE = 40, 10
LINE = MIB  # a longer line is no place to begin at
KINDS = frozenset({"ndjson", "text", "csv", "tsv"})
NOTE = "only a tenth of the file was read, in 40 parts spread over it: what stands together elsewhere is missed"


def spreads(kind: str, source: Input) -> bool:
    """Tell whether a sample of this file can be had from parts of it."""
    head = source.head
    if source.size is None or source.size < LEAST or kind not in KINDS or 0 in head:
        return False
    return b"\n" in head and (kind in ("ndjson", "text") or (b'"' not in head and b"\\" not in head))


def spread(source: Input) -> tuple[Input, int]:
    """Return an Input whose lines are those of the parts, and about how many bytes that are."""
    size = source.size or 0
    length = size // PARTS // SHARE
    opener = Opener(lambda: cast("BinaryIO", _Lines(_pieces(source.open, size, length))))
    return Input(source.name, source.head, opener, None, None, source.limits, source.deadline), length * PARTS


def _pieces(opened: Callable[[], BinaryIO], size: int, length: int) -> Iterator[bytes]:
    with opened() as stream:
        for number in range(PARTS):
            start = size // PARTS * number
            stream.seek(start)
            if start and not stream.readline(LINE).endswith(b"\n"):
                continue
            left = length
            while left > 0 and (piece := stream.read(min(left, MIB))):
                left -= len(piece)
                yield piece
            last = stream.readline(LINE)
            yield last if last.endswith(b"\n") else last + b"\n"


class _Lines(io.RawIOBase):
    """The pieces as a stream."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._left = pieces, b""

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: object, /) -> int:
        """Give what is left of a piece, or the next one."""
        view = memoryview(cast("bytearray", buffer)).cast("B")
        while not self._left:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._left = piece
        part, self._left = self._left[: len(view)], self._left[len(view) :]
        view[: len(part)] = part
        return len(part)


__all__ = ["NOTE", "spread", "spreads"]
