"""A small HTTP/1.1 client over `wire`: declared requests only, no redirects, everything bounded."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from plainview.errors import ProtocolError
from plainview.targets.secret import Secret
from plainview.wire.answers import Shape, limited_json, shaped_json
from plainview.wire.authorization import Draft
from plainview.wire.body import Body, answered
from plainview.wire.gate import Gate
from plainview.wire.stream import connect

if TYPE_CHECKING:
    from plainview.targets.credential import Credential
    from plainview.wire.authorization import Dress, Reveal
    from plainview.wire.limits import Exchange
    from plainview.wire.probes import Probe
    from plainview.wire.stream import Connection
    from plainview.wire.traffic import Traffic

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
            body = self._roundtrip(step, params)
        except ProtocolError:
            # A kept connection may have been closed by the server meanwhile: once more on a new one.
            if not reused or step.received:
                raise
            self.close()
            body = self._roundtrip(step, params)
        step.done(body.status)
        location = body.headers.get("location", "")
        if 300 <= body.status < 400 and location:
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

    def _roundtrip(self, step: Exchange, params: dict[str, object]) -> Body:
        if self._connection is None:
            self._connection = connect(self.wire, tls=self.tls, credential=self._credential)
        self._connection.use(step)
        self._connection.send(self._request(step.probe, params, self._connection.reveal))
        return answered(self._connection, step, self.wire.limits.header)


def _place(location: str) -> str:
    found = re.match(r"(?:[a-z]+:)?//([^/?#]*)", location, re.IGNORECASE)
    return found[1] if found else "another path of the same server"
