"""A small HTTP/1.1 client over `wire`: declared requests only, no redirects, everything bounded.

Python's own response parser reads headers and chunks; the socket under it is the wire's connection, so
that deadlines and byte caps hold for every read.
"""

from __future__ import annotations

import http.client
import io
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from plainview.errors import ProtocolError
from plainview.targets.secret import Secret
from plainview.wire.answers import Shape, limited_json, shaped_json
from plainview.wire.authorization import Draft
from plainview.wire.gate import Gate
from plainview.wire.stream import CHUNK, connect

if TYPE_CHECKING:
    import socket

    from plainview.targets.credential import Credential
    from plainview.wire.authorization import Dress, Reveal
    from plainview.wire.limits import Exchange
    from plainview.wire.probes import Probe
    from plainview.wire.stream import Connection, Reader
    from plainview.wire.traffic import Traffic

# A coding that nobody asked for may unpack to so many bytes, and to so many times its size.
UNPACKED, RATIO = 32 << 20, 100
# A chunk costs the parser the same whatever it holds: so much at a time, and no more than so many bytes of framing.
CHUNKED, FRAMING, TRAILERS = 1 << 17, 1 << 20, 100
TLS_HINT = re.compile(rb"(?i)https|ssl|tls")


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that was read whole. Header names are lower case; of doubled ones the last counts."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def ok(self) -> bool:
        """Tell whether the status is 2xx."""
        return 200 <= self.status < 300

    def header(self, name: str) -> str:
        """Return a header, or an empty text."""
        return self.headers.get(name.lower(), "")

    def json(self) -> Any:
        """Return the body as JSON within depth and number limits. Raises ProtocolError."""
        return limited_json(self.body)

    def shaped(self, shape: type[Shape], problem: str) -> Shape:
        """Return the body as JSON of a known shape. Raises ProtocolError with `problem`."""
        return shaped_json(self.body, shape, problem)

    @property
    def looks_like_page(self) -> bool:
        """Tell whether the body is HTML: a login page, not an answer of a store."""
        start = self.body[:200].lstrip().lower()
        return "html" in self.header("content-type") or start.startswith((b"<!doctype", b"<html"))


class Http:
    """One connection's worth of HTTP; use it from one thread. Made by `wire.http()`."""

    def __init__(
        self, wire: Traffic, tls: bool, credential: Credential | None = None, dress: Dress | None = None
    ) -> None:
        if credential is not None:
            Gate(wire, credential).admit(tls=tls)  # before a request is declared that would not be sent
        self.wire = wire
        self.tls = tls
        self.dress = dress  # puts the credential into the requests from now on
        self._credential = credential
        self._connection: Connection | None = None
        # HTTP/1.0 and no more than the request line: for a port that may be something else than HTTP.
        # (Redis takes `Host:` for an attack across protocols and logs it as one.)
        self.bare = False

    # -- requests -------------------------------------------------------------------------------------

    def ask(self, probe_id: str, **params: object) -> Reply:
        """Send a declared request and return its whole answer. Raises a NetworkError.

        A parameter may be a `Secret` of the client's credential.
        """
        with self.stream(probe_id, **params) as body:
            return Reply(body.status, body.headers, body.read())

    def detect(self, probe_id: str, **params: object) -> Reply:
        """Ask the first question; when the port turns out to speak TLS, or not to, ask once more that way.

        `self.tls` then says which it was. Later requests use the same.
        """
        try:
            reply = self.ask(probe_id, **params)
            if self.tls or reply.status != 400 or not TLS_HINT.search(reply.body[:2000]):
                return reply
        except ProtocolError as error:
            if self._credential or "limit" in error.message:
                raise
            first = error
        else:
            first = ProtocolError("a TLS port")
        self.close()
        self.tls = not self.tls
        try:
            return self.ask(probe_id, **params)
        except ProtocolError:
            self.tls = not self.tls
        raise first

    @contextmanager
    def stream(self, probe_id: str, **params: object) -> Iterator[Body]:
        """Send a declared request and give its answer as a binary stream, for large bodies."""
        with self.wire.exchange(probe_id) as step:
            try:
                body = self._send(step, params)
                yield body
            except BaseException:
                self.close()
                raise
            if not body.finished:
                self.close()  # the rest of the answer is not worth waiting for

    def close(self) -> None:
        """Close the connection; the next request opens a new one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _send(self, step: Exchange, params: dict[str, object]) -> Body:
        reused = self._connection is not None
        try:
            response = self._roundtrip(step, params)
        except ProtocolError:
            # A kept connection may have been closed by the server meanwhile: once more on a new one.
            if not reused or step.received:
                raise
            self.close()
            response = self._roundtrip(step, params)
        step.done(response.status)
        body = Body(response, step)
        location = response.getheader("Location") or ""
        if 300 <= response.status < 400 and location:
            self.wire.points_elsewhere("redirect", _place(location))
        return body

    def _request(self, probe: Probe, params: dict[str, object], reveal: Reveal) -> bytes:
        """Return the bytes of a request, with the credential in it."""
        told = {name: reveal(value) if isinstance(value, Secret) else value for name, value in params.items()}
        method, path, headers, payload = probe.http(**told)
        if self.bare:
            return f"{method} {path} HTTP/1.0\r\n\r\n".encode("ascii")
        draft = Draft(method, path, {"Host": self.host} | headers)
        if self.dress is not None:
            draft = self.dress(draft, reveal)
        fields = {"User-Agent": "plainview", "Accept": "*/*", "Accept-Encoding": "identity"}
        if payload is not None:
            fields |= {"Content-Type": "application/json", "Content-Length": str(len(payload))}
        fields = {"Host": self.host} | fields | draft.headers
        lines = [f"{method} {draft.path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items()), "", ""]
        return "\r\n".join(lines).encode("ascii") + (payload or b"")

    @property
    def host(self) -> str:
        """Return what the Host header says."""
        return self.wire.target.address

    def _roundtrip(self, step: Exchange, params: dict[str, object]) -> http.client.HTTPResponse:
        if self._connection is None:
            self._connection = connect(self.wire, tls=self.tls, credential=self._credential)
        self._connection.use(step)
        self._connection.send(self._request(step.probe, params, self._connection.reveal))
        response = _Response(cast("socket.socket", self._connection), method=step.probe.method)
        reader = cast("Reader", response.fp)
        whole, step.cap = step.cap, min(step.cap, step.received + self.wire.limits.header + CHUNK)
        try:
            response.begin()
        except (http.client.HTTPException, ValueError, OSError) as error:
            raise ProtocolError(f"not an HTTP answer ({type(error).__name__})") from None
        finally:
            step.cap = whole
        if reader.last not in (b"\r\n", b"\n"):  # the parser takes the end of the stream for the end of the headers
            raise ProtocolError("the connection ended in the middle of an answer")
        if sum(len(name) + len(value) + 4 for name, value in response.getheaders()) > self.wire.limits.header:
            raise ProtocolError(f"headers longer than {self.wire.limits.header >> 10} KiB")
        return response


class _Response(http.client.HTTPResponse):
    """Python's parser, with an end to the lines after the last chunk."""

    def _read_and_discard_trailer(self) -> None:
        for _ in range(TRAILERS):
            if self.fp.readline(1 << 16) in (b"\r\n", b"\n", b""):
                return
        raise http.client.HTTPException("trailers without an end")


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
        whole = io.BytesIO()  # gives its bytes away without a copy
        left = size if size is not None and size >= 0 else self._cap + 1
        try:
            while left and (part := super().read(min(left, 1 << 20))):
                left -= whole.write(part)
        except BaseException:
            whole.close()  # the error's traceback would keep it alive
            raise
        return whole.getvalue()


def _place(location: str) -> str:
    found = re.match(r"(?:[a-z]+:)?//([^/?#]*)", location, re.IGNORECASE)
    return found[1] if found else "another path of the same server"
