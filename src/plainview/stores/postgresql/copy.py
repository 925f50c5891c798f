"""CopyData messages, one for each row, as blocks of text that Polars reads: nothing is done row by row."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np

from plainview.errors import LimitError, LostError, PlainviewError, ProtocolError
from plainview.stores.shared.sql_text import BLOCK, FILLER, spans
from plainview.wire.limits import Exchange
from plainview.wire.stream import Connection

LONGEST = 256 << 20  # bytes of one row
HEADER = struct.Struct(">ci")
ROW = ord("d")  # CopyData
# A server that is told to stop while it waits for room to send hangs up at once, in the middle of a row perhaps.
WORDLESS = "in the middle of a table, without saying why"


class Blocks:
    """CopyData messages, one for each row, as blocks of text in which their headers became FILLER."""

    def __init__(self, connection: Connection, step: Exchange, left: bytes, width: int = 1) -> None:
        self.connection, self.step, self.width = connection, step, width
        self.buffer = bytearray(BLOCK)
        self.buffer[: len(left)] = left
        self.filled = len(left)
        self.left = b""
        self.fresh = True
        self.problem: PlainviewError | None = None  # raised when the rows before it were handed on

    def __iter__(self) -> Iterator[bytes]:
        """Yield blocks until a message that is no row; `left` is that message and what follows."""
        over = False
        while not over:
            self._fill()
            self.fresh = False
            starts, end = rows(self.buffer, self.filled)
            over = end + 1 < self.filled and self.buffer[end] != ROW
            if len(starts):
                view = np.frombuffer(self.buffer, np.uint8)
                view[starts[:, None] + np.arange(5)] = np.frombuffer(FILLER, np.uint8)
                del view  # or the buffer could not grow
                edges = [*starts.tolist(), end]
                for first, last in spans(len(starts), self.width):
                    yield bytes(memoryview(self.buffer)[edges[first] : edges[last]])
            elif not over and self.filled == len(self.buffer):
                self._grow()
            self.filled -= end
            self.buffer[: self.filled] = self.buffer[end : end + self.filled]
            if end:
                del self.buffer[max(BLOCK, self.filled) :]  # room for a long row is not kept for the others
            if self.problem is not None and not over:
                raise self.problem
        self.left = bytes(self.buffer[: self.filled])

    def _fill(self) -> None:
        """Read until the buffer is full, or the last message in it is not a row."""
        self.step.cap = self.step.received + LONGEST  # the limit is one of memory, not of the whole table
        view = memoryview(self.buffer)
        first = self.fresh  # what was read too far may be all; later, more has to come
        while self.filled < len(self.buffer) and not (first and _ends(self.buffer, self.filled)):
            first = True
            try:
                size = self.connection.receive_into(view[self.filled :])
            except LostError:
                self.problem = LostError(f"the connection was reset {WORDLESS}")
                return
            except PlainviewError as error:
                self.problem = error
                return
            if not size:
                self.problem = LostError(f"the server ended the connection {WORDLESS}")
                return
            self.filled += size

    def _grow(self) -> None:
        size = HEADER.unpack_from(self.buffer)[1]
        if not 0 < size < LONGEST:
            raise LimitError(f"a row longer than {LONGEST >> 20} MiB")
        self.buffer.extend(bytes(max(0, size + 7 - len(self.buffer))))  # with the beginning of what follows


def _ends(buffer: bytearray, filled: int) -> bool:
    """Tell whether the buffer ends with ReadyForQuery, or perhaps with an error: time to look at it."""
    tail = bytes(buffer[max(filled - 6, 0) : filled])
    if tail[:5] == b"Z\0\0\0\5":
        return True
    return tail[-2:] == b"\0\0" and not tail.rstrip(b"\0").endswith(b"\nd")  # a header that was cut is no error


def rows(buffer: bytearray, filled: int) -> tuple[np.ndarray, int]:
    """Return where the complete rows begin, and where the last of them ends.

    A row ends with a line feed and the next begins with "d" and its length. The guess that every such pair is
    a beginning is checked all at once by the lengths; where it fails, the messages are walked one by one.
    """
    view = np.frombuffer(buffer, np.uint8, filled)
    ends = np.flatnonzero(view[: max(filled - 5, 0)] == 10) + 1
    starts = np.concatenate(([0], ends)) if filled >= 5 else np.zeros(0, np.int64)
    starts = starts[view[starts] == ROW]
    sizes = np.zeros(len(starts), np.int64)
    for byte in range(1, 5):
        sizes = sizes << 8 | view[starts + byte]
    following = starts + 1 + sizes
    if len(starts) and (starts[0] != 0 or not np.array_equal(following[:-1], starts[1:])):
        return walk(buffer, filled)
    if len(starts) and following[-1] > filled:
        starts, following = starts[:-1], following[:-1]
    return starts, int(following[-1]) if len(starts) else 0


def walk(buffer: bytearray, filled: int) -> tuple[np.ndarray, int]:
    """Return the same, message by message. Raises ProtocolError for a length that cannot be."""
    starts, at = [], 0
    while at + 5 <= filled and buffer[at] == ROW:
        size = HEADER.unpack_from(buffer, at)[1]
        if size < 4:
            raise ProtocolError("a message of impossible length")
        if at + 1 + size > filled:
            break
        starts.append(at)
        at += 1 + size
    return np.array(starts, np.int64), at


__all__ = ["HEADER", "WORDLESS", "Blocks", "rows", "walk"]
