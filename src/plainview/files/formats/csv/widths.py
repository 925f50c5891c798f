"""Blocks whose rows are not equally wide, in frames whose size follows that of the block.

A frame has a cell for each row in each column. Below a line of 10,000 fields, 16 MiB of lines of one field would make
cells for a terabyte. So the records of such a block are parted by how many fields they have, each class up to
four times as wide as the one before: the cells are then at most four times as many as there are fields.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

CELLS = 6_000_000  # of one frame; a block of 16 MiB with cells of two bytes has as many
CLASSES = (16, 64, 256, 1024, 4096)
STEP = 1 << 20  # bytes that are looked at together

Positions = npt.NDArray[Any]


def parts(block: bytes, quote: str, delimiter: str, width: int) -> Iterator[tuple[bytes, int]]:
    """Yield the records of a block in parts that make one frame each, and with how many columns each is to be read."""
    rows = lines(block) if width > 1 else 0
    cells, most = rows * width, 4 * len(block) + CLASSES[0]
    if rows < 2 or cells <= min(CELLS, most):
        yield block, width
    elif cells <= most and quote.encode() not in block:  # as many fields as columns, and each line end ends a record
        half = len(block) // 2
        middle = block.find(b"\n", half, -1) + 1 or block.rfind(b"\n", 0, half) + 1
        yield from parts(block[:middle], quote, delimiter, width)
        yield from parts(block[middle:], quote, delimiter, width)
    else:
        yield from portions(block, quote, delimiter, width)


def lines(block: bytes) -> int:
    """Count line ends; `bytes.count` takes eight times as long where they are many."""
    signs, step = np.frombuffer(block, np.uint8), STEP >> 3
    return sum(int(np.count_nonzero(signs[at : at + step] == ord("\n"))) for at in range(0, len(block), step))


def portions(block: bytes, quote: str, delimiter: str, width: int) -> Iterator[tuple[bytes, int]]:
    """Yield the records of a block in portions, and with how many columns each is to be read, `width` at most."""
    held: dict[int, list[bytes]] = {}
    rows: dict[int, int] = {}
    for data, ends, fields in _records(block, quote, delimiter):
        classes = np.searchsorted(CLASSES, fields)
        changes = np.flatnonzero(np.diff(classes)) + 1
        first = 0
        for last in [*changes.tolist(), len(classes)]:
            name = int(classes[first])
            columns = min(width, (*CLASSES, width)[name])
            for at in range(first, last, most := max(1, CELLS // columns)):
                end = min(at + most, last)
                if rows.get(name, 0) + end - at > most:
                    yield b"".join(held.pop(name)), columns
                    rows[name] = 0
                held.setdefault(name, []).append(data[int(ends[at]) : int(ends[end])])
                rows[name] = rows.get(name, 0) + end - at
            first = last
    for name, pieces in held.items():
        yield b"".join(pieces), min(width, (*CLASSES, width)[name])


def _records(block: bytes, quote: str, delimiter: str) -> Iterator[tuple[bytes, Positions, Positions]]:
    """Yield parts of whole records, where in them the records begin and end, and how many fields each has at most."""
    at, step = 0, STEP
    while at < len(block):
        data = block[at : at + step]
        signs = np.frombuffer(data, np.uint8)
        ends = np.flatnonzero(signs == ord("\n")) + 1
        quotes = np.flatnonzero(signs == ord(quote))
        if len(quotes):
            ends = ends[np.searchsorted(quotes, ends) % 2 == 0]
        if at + step < len(block):
            if not len(ends):  # a record that is longer
                step *= 4
                continue
        elif not len(ends) or ends[-1] < len(data):
            ends = np.append(ends, len(data))
        bounds = np.append(0, ends)
        delimiters = np.flatnonzero(signs == ord(delimiter))
        yield data, bounds, np.diff(np.searchsorted(delimiters, bounds)) + 1
        at, step = at + int(ends[-1]), STEP


__all__ = ["CELLS", "CLASSES", "lines", "parts", "portions"]
