"""Rows of the text protocol in bulk: packets become text that Polars reads, without a look at each cell.

Every cell is preceded by its length, every row by a header. NumPy finds all lengths of a column at once and
writes a separator in their place; so the bytes of a block are the text of a table, where they lie. The
separators are control characters that no cell of the block holds, which is counted, not assumed.
"""

from __future__ import annotations

import struct
from collections.abc import Generator, Iterator

import numpy as np
import polars as pl

from plainview.errors import LimitError, PlainviewError, ProtocolError
from plainview.stores.mysql.wire import Client, ServerError
from plainview.stores.shared.sql_text import BLOCK, Column, Dialect, frame_of, spans
from plainview.wire import probes
from plainview.wire.limits import Exchange

LONGEST = 256 << 20
READ_AHEAD = 1 << 20
FULL = 0xFFFFFF  # a packet that goes on in the next
SEPARATORS = [(0x1F, 0x1E), (0x1D, 0x1C), (0x02, 0x01), (0x04, 0x03), (0x06, 0x05), (0x0F, 0x0E), (0x11, 0x10)]
SIZE = struct.Struct("<I")
WIDTHS = np.zeros(256, np.int64)
WIDTHS[[0xFC, 0xFD, 0xFE]] = 2, 3, 8


class Blocks:
    """The rows of one statement, as blocks of packets; `problem` and `error` end it after the rows before them."""

    def __init__(self, client: Client, step: Exchange) -> None:
        self.client, self.step = client, step
        # what the greedy reading of the column definitions took too much comes first, at once
        self.buffer = bytearray(client.connection.receive(READ_AHEAD))
        self.filled = len(self.buffer)
        self.buffer.extend(bytes(BLOCK - self.filled))
        self.problem: PlainviewError | None = None
        if not self.filled:
            self.problem = ProtocolError("the connection ended in the middle of a table")

    def __iter__(self) -> Iterator[tuple[bytearray, list[int]]]:
        """Yield the bytes of a block and where each of its rows begins; the last one fills it up."""
        while True:
            starts, end, over = _walk(self.buffer, self.filled)
            if starts:
                yield self.buffer[:end], starts
            if over:
                self._end(end)
                return
            if self.problem is not None:
                raise self.problem
            if not starts and self.filled == len(self.buffer):
                self._grow()
            self.filled -= end
            self.buffer[: self.filled] = self.buffer[end : end + self.filled]
            if end:
                del self.buffer[max(BLOCK, self.filled) :]  # room for a long row is not kept for the others
            self._fill()

    def _fill(self) -> None:
        """Read until the buffer is full or ends like an answer; at least once."""
        self.step.cap = self.step.received + LONGEST  # the limit is one of memory, not of the whole table
        view = memoryview(self.buffer)
        while self.filled < len(self.buffer):
            try:
                size = self.client.connection.receive_into(view[self.filled :])
                if not size:
                    raise ProtocolError("the connection ended in the middle of a table")
            except PlainviewError as error:
                self.problem = error
                return
            self.filled += size
            tail = self.buffer[max(self.filled - 9, 0) : self.filled]
            if len(tail) == 9 and tail[:3] == b"\5\0\0" and tail[4] == 0xFE:
                return
            if self.buffer[self.filled - size + 4 : self.filled - size + 5] == b"\xff":
                return  # perhaps an error, alone in its packet

    def _grow(self) -> None:
        if len(self.buffer) >= LONGEST:
            raise LimitError(f"a row longer than {LONGEST >> 20} MiB")
        self.buffer.extend(bytes(len(self.buffer)))

    def _end(self, at: int) -> None:
        """Take the packet after the rows: an end, or an error."""
        self.client.broken = False
        if self.buffer[at + 4] == 0xFF:
            number = int.from_bytes(self.buffer[at + 5 : at + 7], "little")
            self.step.done(number)
            raise ServerError(number)
        self.step.done("rows")


def _walk(buffer: bytearray, filled: int) -> tuple[list[int], int, bool]:
    """Return where the complete rows begin, where the last ends, and whether the packet after it is the end."""
    starts: list[int] = []
    at, size_at, add = 0, SIZE.unpack_from, starts.append
    stop = filled - 4
    while at < stop:
        size = size_at(buffer, at)[0] & FULL
        after = at + 4 + size
        if after > filled:
            break
        if size == FULL:
            raise LimitError("a row longer than 16 MiB")
        if size < 10 or buffer[at + 4] == 0xFF:
            if size and buffer[at + 4] >= 0xFE:
                return starts, at, True
            if not size:
                raise ProtocolError("an empty packet among rows")
        add(at)
        at = after
    return starts, at, False


def frame(block: bytearray, starts: list[int], columns: list[Column]) -> pl.DataFrame:
    """Return the rows of a block. Raises ProtocolError when the lengths in it do not fit."""
    data = np.frombuffer(block, np.uint8)
    heads = np.array(starts, np.int64)
    ends = np.append(heads[1:], len(block))
    positions, padded = [], set()
    at = heads + 4
    for number in range(len(columns)):
        if (at >= ends).any():
            raise ProtocolError("a row with too few cells")
        first = data[at]
        size = first.astype(np.int64)
        wide = first > 0xFB
        positions.append(at)
        width: np.ndarray | int = 1
        if wide.any():
            padded.add(number)
            size, width = _wide(data, at, first, size, wide)
        size[first == 0xFB] = 0
        at = at + size + width
    if not np.array_equal(at, ends):
        raise ProtocolError("a row of impossible length")
    text, dialect = _separated(block, data, heads, positions, frozenset(padded))
    return frame_of(text, columns, dialect)


def _wide(
    data: np.ndarray, at: np.ndarray, first: np.ndarray, size: np.ndarray, wide: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return size and width of cells, some of whose lengths take more bytes; those bytes become NULs."""
    width = 1 + WIDTHS[first]
    rows = np.flatnonzero(wide)
    size[rows] = 0
    last = len(data) - 1
    for byte in range(8):
        have = rows[width[rows] > byte + 1]
        place = np.minimum(at[have] + 1 + byte, last)
        size[have] |= data[place].astype(np.int64) << (8 * byte)
        data[place] = 0
    if (size[rows] < 0).any() or (size[rows] > len(data)).any():
        raise ProtocolError("a cell of impossible length")
    return size, width


def _separated(
    block: bytearray, data: np.ndarray, heads: np.ndarray, positions: list[np.ndarray], padded: frozenset[int]
) -> tuple[bytes, Dialect]:
    """Write separators in the places of lengths and headers, such as stand in no cell."""
    data[heads[:, None] + np.arange(1, 4)] = ord(".")
    right = (len(heads) * len(positions), len(heads))
    for separator, eol in SEPARATORS:
        _mark(data, heads, positions, separator, eol)
        if (block.count(separator), block.count(eol)) == right:
            break
    else:  # all of them stand in cells: take two out of the cells, which hold no words then anyway
        separator, eol = SEPARATORS[0]
        _mark(data, heads, positions, 0, 0)
        data[(data == separator) | (data == eol)] = ord(" ")
        _mark(data, heads, positions, separator, eol)
    return bytes(memoryview(block)[1:]), Dialect(chr(separator), chr(eol), padded=padded)


def _mark(data: np.ndarray, heads: np.ndarray, positions: list[np.ndarray], separator: int, eol: int) -> None:
    data[heads] = eol
    for at in positions:
        data[at] = separator


def read(client: Client, probe: str, wanted: list[Column], **params: str) -> Generator[tuple[int, pl.DataFrame]]:
    """Yield bytes and rows of a declared statement, in blocks."""
    with client.connection.exchange(probe) as step:
        try:
            count = client.start(probes.get(probe).statement(**params))
        except ServerError as error:
            step.done(error.number)
            raise
        if count != len(wanted):
            raise ProtocolError("other columns than were asked for")
        for block, starts in Blocks(client, step):
            edges = [*starts, len(block)]
            for first, last in spans(len(starts), count):
                begin, end = edges[first], edges[last]
                yield end - begin, frame(block[begin:end], [at - begin for at in starts[first:last]], wanted)


__all__ = ["Blocks", "frame", "read"]
