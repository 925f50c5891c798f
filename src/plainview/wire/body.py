"""The answer to an HTTP request: its head, and its body as a stream, both bounded.

The standard library parses the head and the framing of chunks, through what it documents. It takes any number of lines
behind the last chunk, and the end of the stream for the end of the head; `_Lines` counts and watches the lines that it
reads. Each read is one of the wire's connection, so that deadlines and byte caps hold for all of it.
"""

from __future__ import annotations

import http.client
import io
import zlib
from typing import TYPE_CHECKING, Any, cast

from plainview.errors import ProtocolError
from plainview.wire.stream import CHUNK

if TYPE_CHECKING:
    import socket

    from plainview.wire.limits import Exchange
    from plainview.wire.stream import Connection

# A coding that nobody asked for may unpack to so many bytes, and to so many times its size.
UNPACKED, RATIO = 32 << 20, 100
# A chunk costs the parser the same whatever it holds: so much at a time, and no more than so many bytes of framing.
CHUNKED, FRAMING = 1 << 17, 1 << 20
LINES = 250  # in a row: the parser takes a hundred headers, and as many may follow the last chunk


def answered(connection: Connection, step: Exchange, longest: int) -> Body:
    """Read the head of the answer to a request that was sent; `longest` is how many bytes its headers may have.

    Raises ProtocolError.
    """
    lines = _Lines(_Raw(connection), CHUNK)
    response = http.client.HTTPResponse(cast("socket.socket", _Parsed(lines)), method=step.probe.method)
    whole, step.cap = step.cap, min(step.cap, step.received + longest + CHUNK)
    try:
        response.begin()
    except (http.client.HTTPException, ValueError, OSError) as error:
        raise ProtocolError(f"not an HTTP answer ({type(error).__name__})") from None
    finally:
        step.cap = whole
    if lines.last not in (b"\r\n", b"\n"):
        raise ProtocolError("the connection ended in the middle of an answer")
    if sum(len(name) + len(value) + 4 for name, value in response.getheaders()) > longest:
        raise ProtocolError(f"headers longer than {longest >> 10} KiB")
    return Body(response, step)


class _Raw(io.RawIOBase):
    """The connection as a raw stream."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._connection.receive_into(memoryview(buffer).cast("B"))


class _Lines(io.BufferedReader):
    """What the parser reads from. `last` is the line that was read last, empty at the end of the stream."""

    last = b""
    _count = 0  # of the lines since other bytes were read

    def readline(self, size: int | None = -1, /) -> bytes:
        self._count += 1
        if self._count > LINES:
            raise http.client.HTTPException("lines without an end")
        self.last = super().readline(size)
        return self.last

    def read(self, size: int | None = -1, /) -> bytes:
        self._count = 0
        return super().read(size)

    def readinto(self, buffer: Any, /) -> int:
        self._count = 0
        return super().readinto(buffer)


class _Parsed:
    """What `http.client` takes for a socket; it opens its file and asks for no more."""

    def __init__(self, lines: _Lines) -> None:
        self._lines = lines

    def makefile(self, _mode: str) -> _Lines:
        return self._lines


class Body(io.RawIOBase):
    """The body of an answer as a binary stream, with `status` and `headers`.

    Gzip, though never asked for, is unpacked within the same cap; any other coding is refused.
    A body that ends before its announced length raises ProtocolError.
    """

    def __init__(self, response: http.client.HTTPResponse, step: Exchange) -> None:
        super().__init__()
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self._response = response
        self._step = step
        self._cap = step.cap
        self._taken = 0  # bytes without the framing of chunks, packed as they came
        self._given = 0
        self._rest = b""
        coding = self.headers.get("content-encoding", "identity").lower()
        if coding not in ("identity", "gzip", "x-gzip", ""):
            raise ProtocolError("a compressed answer that was not asked for")
        self._unpacker = zlib.decompressobj(31) if "gzip" in coding else None
        if self._unpacker and not step.probe.stream:
            self._cap = min(self._cap, UNPACKED)
        self.finished = response.isclosed()

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a part of the buffer, as `io.RawIOBase`; raises ProtocolError."""
        view = memoryview(buffer).cast("B")
        size = self._unpacked(view) if self._unpacker else self._plain(view)
        self._given += size
        if self._unpacker and not self._step.probe.stream and self._given > FRAMING + RATIO * self._taken:
            raise ProtocolError(f"a compressed answer that unpacks to more than {RATIO} times its size")
        if self._given > self._cap:
            raise ProtocolError(f"the answer is longer than {self._cap >> 10} KiB")
        return size

    def _plain(self, view: memoryview) -> int:
        if self._response.chunked:
            view = view[:CHUNKED]
            if self._step.received > FRAMING + 4 * self._taken:
                raise ProtocolError("an answer in chunks of next to nothing")
        try:
            size = self._response.readinto(view)
        except (http.client.HTTPException, ValueError, OSError) as error:
            raise ProtocolError(f"a broken HTTP body ({type(error).__name__})") from None
        self._taken += size
        if not size and len(view):
            if self._response.length:
                raise ProtocolError("the connection ended in the middle of an answer")
            self.finished = True
        return size

    def _unpacked(self, view: memoryview) -> int:
        unpacker = self._unpacker
        while unpacker is not None and not unpacker.eof:
            packed = self._rest
            if not packed:
                chunk = memoryview(bytearray(1 << 16))
                packed = bytes(chunk[: self._plain(chunk)])
                if not packed:
                    raise ProtocolError("a gzip answer that ends early")
            try:
                out = unpacker.decompress(packed, len(view))
            except zlib.error:
                raise ProtocolError("a broken gzip answer") from None
            self._rest = unpacker.unconsumed_tail
            if out:
                view[: len(out)] = out
                return len(out)
        return 0

    def read(self, size: int | None = -1) -> bytes:
        """Return up to `size` bytes (fewer only at the end), or all."""
        whole = io.BytesIO()  # gives its bytes without a copy
        left = size if size is not None and size >= 0 else self._cap + 1
        try:
            while left and (part := super().read(min(left, 1 << 20))):
                left -= whole.write(part)
        except BaseException:
            whole.close()  # the error's traceback would keep it alive
            raise
        return whole.getvalue()


__all__ = ["Body", "answered"]
