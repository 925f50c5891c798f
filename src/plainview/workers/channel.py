"""Messages between a worker and its parent: bytes with their length before them, over two pipes.

Pipes and no sockets, so that a worker may be forbidden all sockets. Neither side believes the other's lengths.
"""

from __future__ import annotations

import os
import struct
import threading

LENGTH = struct.Struct("<I")
LONGEST = 256 << 20  # bytes of one message: the report of a table with 10,000 columns is a hundredth of that
PIECE = 1 << 20  # bytes that are read at once


class ChannelError(Exception):
    """The other side sent what is no message, or is gone."""


class Channel:
    """One end. Any thread may send; one thread receives."""

    def __init__(self, reading: int, writing: int) -> None:
        self.reading, self.writing = reading, writing
        self._sending = threading.Lock()
        self._buffer = bytearray()

    def send(self, body: bytes) -> None:
        """Send one message. Raises ChannelError when nobody is there to read it."""
        view = memoryview(LENGTH.pack(len(body)) + body)
        with self._sending:
            try:
                while view:
                    view = view[os.write(self.writing, view) :]
            except OSError:
                raise ChannelError("nobody reads") from None

    def receive(self) -> bytes | None:
        """Wait for one message; None when the other side is gone."""
        while (body := self._next()) is None:
            if not self._read():
                return None
        return body

    def arrived(self) -> tuple[list[bytes], bool]:
        """Return the messages that one read completes, and whether the other side is still there."""
        there = self._read()
        found = []
        while (body := self._next()) is not None:
            found.append(body)
        return found, there

    def close(self) -> None:
        """Close both pipes."""
        for fd in (self.reading, self.writing):
            try:
                os.close(fd)
            except OSError:
                continue

    def _read(self) -> bool:
        try:
            piece = os.read(self.reading, PIECE)
        except OSError:
            return False
        self._buffer += piece
        return bool(piece)

    def _next(self) -> bytes | None:
        if len(self._buffer) < LENGTH.size:
            return None
        (length,) = LENGTH.unpack_from(self._buffer)
        if length > LONGEST:
            raise ChannelError("a message that is too long")
        end = LENGTH.size + length
        if len(self._buffer) < end:
            return None
        body = bytes(self._buffer[LENGTH.size : end])
        del self._buffer[:end]
        return body
