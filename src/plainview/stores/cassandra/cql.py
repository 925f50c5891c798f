"""The native protocol of Cassandra over `wire`: version 4 (or 3), one request at a time, no peers.

Source: native_protocol_v4.spec and v3.spec of Apache Cassandra. Frames are not compressed. Lengths are checked
before memory is taken; all rows of a page are cut into cells first and decoded column by column (`cql_types`).
"""

from __future__ import annotations

import struct
from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from plainview.errors import NetworkError, ProtocolError, RefusedError
from plainview.stores.cassandra.types import Type, read_type
from plainview.stores.shared.paging import Paging
from plainview.version import __version__
from plainview.wire import probes

if TYPE_CHECKING:
    from plainview.targets.credentials import Credential
    from plainview.wire import Wire

ERROR, STARTUP, READY, AUTHENTICATE, OPTIONS, SUPPORTED, QUERY, RESULT = 0, 1, 2, 3, 5, 6, 7, 8
AUTH_RESPONSE, AUTH_SUCCESS = 15, 16
ONE = 1  # consistency
ROWS = 2  # kind of result
OLD_PROTOCOL, UNAUTHORIZED, INVALID = 0xA, 0x2100, 0x2200
COLUMNS = 10_000
FIRST, MOST, TARGET = 200, 20_000, 4 << 20  # rows of the first page and of any, bytes that a page aims at
SOME = 64  # cells at the beginning and the end of a page by which it is known again
EMPTY = 1_000  # pages in a row that may hold nothing: where much was deleted, a page ends after so many graves
_INT = struct.Struct(">i")


class CqlError(NetworkError):
    """An ERROR frame: its code, never its text."""

    def __init__(self, code: int) -> None:
        super().__init__(f"the server answered with error {code:#06x}")
        self.code = code


@dataclass(frozen=True, slots=True)
class Page:
    """Rows as cells, row after row; None is null."""

    names: list[str]
    types: list[Type]
    cells: list[bytes | None]
    size: int  # bytes of the frame

    @property
    def rows(self) -> int:
        """Return the number of rows."""
        return len(self.cells) // len(self.names) if self.names else 0

    def column(self, number: int) -> list[bytes | None]:
        """Return the cells of one column."""
        return self.cells[number :: len(self.names)]


@dataclass(slots=True)
class _Reader:
    """Reads the parts of a frame, each length checked. Raises ProtocolError."""

    data: bytes
    at: int = 0

    def take(self, size: int) -> bytes:
        if size < 0 or self.at + size > len(self.data):
            raise ProtocolError("a length that its frame does not hold")
        self.at += size
        return self.data[self.at - size : self.at]

    def integer(self) -> int:
        return int.from_bytes(self.take(4), "big", signed=True)

    def short(self) -> int:
        return int.from_bytes(self.take(2), "big")

    def string(self) -> str:
        return self.take(self.short()).decode("utf-8", "replace")

    def blob(self) -> bytes:
        return self.take(max(0, self.integer()))


class Cql:
    """A client on one connection; sends declared probes only."""

    def __init__(self, wire: Wire, *, tls: bool, credential: Credential | None = None, version: int = 4) -> None:
        self._connection = wire.connect(tls=tls, credential=credential)
        self.version = version
        self.received = 0

    def options(self) -> dict[str, list[str]]:
        """Ask what the server supports. Raises ProtocolError; CqlError where it wants an older protocol."""
        code, body = self._ask("cassandra.options", OPTIONS, b"")
        if code != SUPPORTED:
            raise ProtocolError("OPTIONS was not answered with SUPPORTED: not Cassandra")
        found = {}
        for _ in range(body.short()):
            name = body.string()
            found[name] = [body.string() for _ in range(body.short())]
        return found

    def startup(self, probe_id: str) -> bool:
        """Begin a session; return True when the server asks for a login. Raises ProtocolError."""
        options = {"CQL_VERSION": "3.0.0", "DRIVER_NAME": "plainview", "DRIVER_VERSION": __version__}
        body = struct.pack(">H", len(options)) + b"".join(_string(k) + _string(v) for k, v in options.items())
        code, _ = self._ask(probe_id, STARTUP, body)
        if code not in (READY, AUTHENTICATE):
            raise ProtocolError("STARTUP was answered with neither READY nor AUTHENTICATE")
        return code == AUTHENTICATE

    def login(self, credential: Credential) -> None:
        """Log in with the user and password that the connection was opened for. Raises RefusedError."""
        secret = self._connection.reveal(credential.secret) if credential.secret else ""
        token = b"\0" + (credential.user or "").encode() + b"\0" + secret.encode()
        try:
            code, _ = self._ask("cassandra.login", AUTH_RESPONSE, _INT.pack(len(token)) + token)
        except CqlError as error:
            code = error.code
        if code != AUTH_SUCCESS:
            raise RefusedError(f"the credential was not accepted ({credential.origin})")

    def rows(self, probe_id: str, **params: str) -> Page:
        """Run a query whose answer is small; return its first page. Raises CqlError."""
        return self._page(probe_id, probes.get(probe_id).statement(**params), 20_000, b"")[0]

    def pages(self, probe_id: str, **params: str) -> Generator[Page]:
        """Run a query and yield its pages. Raises CqlError, ProtocolError."""
        statement = probes.get(probe_id).statement(**params)
        size, state = FIRST, b""
        walk = Paging(self._connection.wire, "the pages do", empty=EMPTY, free=EMPTY)
        while True:
            page, following = self._page(probe_id, statement, size, state)
            same = (page.rows, tuple(page.cells[:SOME]), tuple(page.cells[-SOME:])) if page.rows else None
            if walk.page(page.rows, mark=following or None, same=same, size=size, received=page.size) or not following:
                yield page
            if not following:
                return
            state = following
            each = page.size / max(1, page.rows)
            size = max(10, min(MOST, int(TARGET / max(each, 1))))

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def __enter__(self) -> Cql:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- frames ---------------------------------------------------------------------------------------

    def _page(self, probe_id: str, statement: str, size: int, state: bytes) -> tuple[Page, bytes]:
        text = statement.encode()
        flags = 0x04 | (0x08 if state else 0)
        body = _INT.pack(len(text)) + text + struct.pack(">HBi", ONE, flags, size)
        body += _INT.pack(len(state)) + state if state else b""
        code, answer = self._ask(probe_id, QUERY, body)
        if code != RESULT or answer.integer() != ROWS:
            raise ProtocolError("a SELECT was answered with something else than rows")
        return _rows(answer)

    def _ask(self, probe_id: str, opcode: int, body: bytes) -> tuple[int, _Reader]:
        with self._connection.exchange(probe_id) as step:
            self._connection.send(struct.pack(">BBhBi", self.version, 0, 0, opcode, len(body)) + body)
            version, flags, stream, code, length = struct.unpack(">BBhBi", self._connection.exactly(9))
            if not version & 0x80 or stream not in (0, -1) or length < 0 or flags & 0xE1:
                raise ProtocolError("not an answer of the native protocol of Cassandra")
            answer = _Reader(self._connection.exactly(length))
            self.received += 9 + length
            if flags & 0x02:  # the id of a trace
                answer.take(16)
            if flags & 0x08:  # warnings
                for _ in range(answer.short()):
                    answer.string()
            if flags & 0x04:  # a payload of the server's own
                for _ in range(answer.short()):
                    answer.string()
                    answer.blob()
            if code == ERROR:
                number = answer.integer()
                step.done(f"error {number & 0xFFFF:04X}")
                raise CqlError(number & 0xFFFF)
            step.done(code)
            return code, answer


def _rows(answer: _Reader) -> tuple[Page, bytes]:
    flags, count = answer.integer(), answer.integer()
    if not 0 <= count <= COLUMNS or flags & 0x04:
        raise ProtocolError("rows without a description of their columns")
    state = answer.blob() if flags & 0x02 else b""
    if flags & 0x01:
        answer.string(), answer.string()
    names, types = [], []
    for _ in range(count):
        if not flags & 0x01:
            answer.string(), answer.string()
        names.append(answer.string())
        types.append(read_type(answer))
    rows = answer.integer()
    if rows < 0 or rows * count * 4 > len(answer.data) - answer.at:
        raise ProtocolError("more rows than the frame can hold")
    return Page(names, types, _cells(answer.data, answer.at, rows * count), len(answer.data)), state


def _cells(data: bytes, at: int, count: int) -> list[bytes | None]:
    """Cut a frame into its cells. The hot path: lengths depend on each other, so one step for each cell."""
    cells: list[bytes | None] = []
    append, length_of = cells.append, _INT.unpack_from
    try:
        for _ in range(count):
            (size,) = length_of(data, at)
            at += 4
            if size < 0:
                append(None)
            else:
                append(data[at : at + size])
                at += size
    except struct.error:
        at = len(data) + 1
    if at > len(data):
        raise ProtocolError("a cell that its frame does not hold")
    return cells


def _string(text: str) -> bytes:
    data = text.encode()
    return struct.pack(">H", len(data)) + data


__all__ = ["INVALID", "OLD_PROTOCOL", "UNAUTHORIZED", "Cql", "CqlError", "Page"]
