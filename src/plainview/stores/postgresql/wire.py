"""The protocol of PostgreSQL, version 3, as far as reading needs it, over our own wire.

A driver (libpq, psycopg) hands out COPY row by row, which costs more than everything else here; and it
decides by itself what it sends at the start. Documented at postgresql.org/docs/current/protocol.html.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import struct
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass

from plainview.errors import LostError, PlainviewError, ProtocolError, ReadError, RefusedError
from plainview.stores.postgresql.copy import HEADER, WORDLESS, Blocks
from plainview.stores.shared.scram import Scram, prepared
from plainview.targets.secret import Secret
from plainview.wire import probes
from plainview.wire.stream import Connection

SSL_REQUEST = struct.pack(">ii", 8, 80877103)
PROTOCOL = 196608  # 3.0
SCRAM = b"SCRAM-SHA-256"
# Of the session, so that no statement can write, wait, or be led to somebody else's functions.
SETTINGS = {
    "application_name": "plainview",
    "client_encoding": "UTF8",
    "default_transaction_read_only": "on",
    "search_path": "pg_catalog",
    "lock_timeout": "5s",
    "DateStyle": "ISO",
    "TimeZone": "UTC",
    "IntervalStyle": "iso_8601",
    "bytea_output": "hex",
    "extra_float_digits": "1",
}
POOLER_SETTINGS = ("application_name", "client_encoding", "DateStyle", "TimeZone")  # what poolers let through
CODES = {
    "42501": "no permission to read",
    "42P01": "it is gone",
    "57014": "the server ended it at the time limit",
    "57P01": "the server was shut down",
    "57P02": "the server crashed",
    "55P03": "locked by somebody else",
    "53300": "too many connections",
    "53100": "the server's disk is full",
    "57P03": "the server is starting or stopping",
    "3D000": "no such database",
    "XX001": "the server says that the data are damaged",
    "XX002": "the server says that an index is damaged",
    "22021": "text that is not valid in the encoding of the database",
    "40001": "a conflict with recovery on a standby",
}
METHODS = {2: "Kerberos", 3: "a password", 5: "a password (md5)", 7: "GSSAPI", 9: "SSPI", 10: "a password (SCRAM)"}


class ServerError(ReadError):
    """An ErrorResponse: its SQLSTATE, never its text, which may quote data."""

    def __init__(self, code: str) -> None:
        self.code = code if re.fullmatch(r"[0-9A-Z]{5}", code) else "?????"
        super().__init__(CODES.get(self.code, f"the server refused it (SQLSTATE {self.code})"))


class PasswordAskedError(RefusedError):
    """The server asked for a secret, and none was to be sent."""


@dataclass(slots=True)
class Door:
    """Where and how to come in. `pooler`: settings of the session are refused."""

    tls: bool = False
    user: str = "postgres"
    database: str = "postgres"
    pooler: bool = False


class Session:
    """A connection that was let in. Use it from one thread."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.parameters: dict[str, str] = {}
        self.trusted = False  # no secret was asked for
        self.broken = False
        self.copied: int | None = None  # rows of the last COPY, as the server counted them
        self._pushed = bytearray()  # bytes that were read too far

    # -- the beginning --------------------------------------------------------------------------------

    def start(self, probe: str, door: Door, seconds: int, secret: Secret | None = None) -> None:
        """Log in. Raises PasswordAskedError without a secret, RefusedError, ServerError, ProtocolError.

        `seconds` is the server's limit for one statement, 0 for none.
        """
        words = {"user": door.user, "database": door.database, **SETTINGS, "statement_timeout": f"{seconds}s"}
        if door.pooler:
            words = {key: words[key] for key in ("user", "database", *POOLER_SETTINGS)}
        with self.connection.exchange(probe) as step:
            try:
                self._send_startup(words)
                self._login(door.user, secret)
            except ServerError as error:
                step.done(error.code)
                raise
            except PasswordAskedError:
                step.done("password")
                raise
            step.done("ready")

    def _send_startup(self, words: Mapping[str, str]) -> None:
        body = b"".join(f"{key}\0{value}\0".encode() for key, value in words.items()) + b"\0"
        self.connection.send(struct.pack(">ii", len(body) + 8, PROTOCOL) + body)

    def _login(self, user: str, secret: Secret | None) -> None:
        asked = False
        for kind, body in self._messages():
            if kind == b"R":
                method = struct.unpack_from(">i", body)[0] if len(body) >= 4 else -1
                if method == 0:
                    self.trusted = not asked
                    continue
                asked = True
                if secret is None:
                    raise PasswordAskedError(f"{METHODS.get(method, 'a secret')} is asked for")
                self._answer(method, body[4:], user, secret)
            elif kind == b"E":
                raise ServerError(_code(body))
            elif kind == b"S":
                key, _, rest = body.partition(b"\0")
                if len(self.parameters) < 100:
                    self.parameters[key.decode("ascii", "replace")] = rest.rstrip(b"\0").decode("ascii", "replace")
            elif kind == b"Z":
                return
            elif kind not in (b"K", b"N", b"v"):
                raise ProtocolError("not an answer to a StartupMessage: not PostgreSQL")

    def _answer(self, method: int, rest: bytes, user: str, secret: Secret) -> None:
        send = self.connection.send
        if method == 3:
            send(_message(b"p", self.connection.reveal(secret, only_tls=True).encode() + b"\0"))
        elif method == 5:
            send(_message(b"p", _md5(user, self.connection.reveal(secret), rest[:4])))
        elif method == 10 and SCRAM in rest.split(b"\0"):
            talk = Scram(
                prepared(self.connection.reveal(secret), lax=True)
            )  # the user name is that of the StartupMessage
            first = talk.first()
            send(_message(b"p", SCRAM + b"\0" + len(first).to_bytes(4, "big") + first))
            send(_message(b"p", talk.final(self._sasl(11))))
            talk.verify(self._sasl(12))
        else:
            raise RefusedError(f"the server wants {METHODS.get(method, 'a way to log in')} that this version lacks")

    def _sasl(self, step: int) -> bytes:
        kind, body = self._message()
        if kind == b"E":
            raise ServerError(_code(body))
        if kind != b"R" or len(body) < 4 or struct.unpack_from(">i", body)[0] != step:
            raise ProtocolError("a broken SASL exchange")
        return body[4:]

    # -- questions --------------------------------------------------------------------------------------

    def query(self, probe: str, **params: str) -> list[list[str | None]]:
        """Return the rows of a declared statement. Raises ServerError, ProtocolError."""
        statement = probes.get(probe).statement(**params)
        rows: list[list[str | None]] = []
        problem: ServerError | None = None
        with self.connection.exchange(probe) as step:
            self._ask(statement)
            for kind, body in self._messages():
                if kind == b"D":
                    rows.append(_cells(body))
                elif kind == b"E":
                    problem = self._ended(ServerError(_code(body)))
                    break
                elif kind == b"Z":
                    break
                elif kind not in (b"T", b"C", b"I", b"N", b"S"):
                    raise ProtocolError("not an answer to a query")
            step.done(problem.code if problem else f"{len(rows)} rows")
        if problem is not None:
            raise problem
        return rows

    def copy(self, probe: str, width: int = 1, **params: str) -> Generator[bytes]:
        """Yield the rows of a declared COPY, of `width` cells each, in blocks.

        Each row begins with FILLER and ends with a line feed.

        Raises ServerError where the server ends it, ProtocolError where the connection breaks.
        """
        statement = probes.get(probe).statement(**params)
        with self.connection.exchange(probe) as step:
            self.broken, self.copied = True, None
            self._ask(statement)
            for kind, body in self._messages():
                if kind == b"H":
                    break
                if kind == b"E":
                    raise self._ended(ServerError(_code(body)))
                if kind not in (b"N", b"S"):
                    raise ProtocolError("not an answer to COPY")
            blocks = Blocks(self.connection, step, bytes(self._pushed), width)
            self._pushed.clear()
            yield from blocks
            self._pushed += blocks.left
            try:
                self._copied()
            except ServerError:
                step.done("broken off")
                raise
            except LostError:  # where the error is cut, too
                raise blocks.problem or LostError(f"the server ended the connection {WORDLESS}") from None
            step.done("copied")

    def _copied(self) -> None:
        """Take what follows the rows. Raises ServerError where it is an error, LostError, ProtocolError."""
        for kind, body in self._messages():
            if kind == b"E":
                raise self._ended(ServerError(_code(body)))
            if kind == b"C" and (told := re.fullmatch(rb"COPY ([0-9]{1,18})\0", body)):
                self.copied = int(told[1])
            if kind == b"Z":
                self.broken = False
                return

    def _ask(self, statement: str) -> None:
        """Send a statement. A server that has gone may have said why before: that is read in any case."""
        with contextlib.suppress(LostError):
            self.connection.send(_message(b"Q", statement.encode() + b"\0"))

    def _ended(self, error: ServerError) -> ServerError:
        """Take the rest of an answer that ended with an error."""
        try:
            while self._message()[0] != b"Z":
                pass
            self.broken = False
        except PlainviewError:
            pass  # FATAL: the server has said why and hung up
        return error

    # -- messages ---------------------------------------------------------------------------------------

    def _messages(self) -> Iterator[tuple[bytes, bytes]]:
        while True:
            yield self._message()

    def _message(self) -> tuple[bytes, bytes]:
        kind, size = HEADER.unpack(self._exactly(5))
        if size < 4:
            raise ProtocolError("a message of impossible length: not PostgreSQL")
        return kind, self._exactly(size - 4)

    def _exactly(self, size: int) -> bytes:
        self.connection.expect(size - len(self._pushed))
        while len(self._pushed) < size:
            chunk = self.connection.receive()
            if not chunk:
                raise LostError("the connection ended in the middle of an answer")
            self._pushed += chunk
        data = bytes(self._pushed[:size])
        del self._pushed[:size]
        return data

    def close(self) -> None:
        """Say goodbye and close; again does nothing."""
        try:
            if not self.broken:
                self.connection.send(_message(b"X", b""))
        except PlainviewError:
            pass  # it is gone already
        self.connection.close()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _md5(user: str, password: str, salt: bytes) -> bytes:
    """Return the body of the answer to AuthenticationMD5Password."""
    inner = hashlib.md5(password.encode() + user.encode(), usedforsecurity=False).hexdigest()
    return b"md5" + hashlib.md5(inner.encode() + salt, usedforsecurity=False).hexdigest().encode() + b"\0"


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack(">i", len(body) + 4) + body


def _code(body: bytes) -> str:
    """Return the SQLSTATE of an ErrorResponse, and nothing else of it."""
    for field in body.split(b"\0"):
        if field[:1] == b"C":
            return field[1:].decode("ascii", "replace")
    return ""


def _cells(body: bytes) -> list[str | None]:
    """Return the cells of a DataRow. Raises ProtocolError when its lengths do not fit."""
    cells: list[str | None] = []
    at = 2
    while at < len(body):
        size = int.from_bytes(body[at : at + 4], "big", signed=True)
        at += 4
        if size > len(body) - at:
            raise ProtocolError("a row of impossible length")
        cells.append(None if size < 0 else body[at : at + size].decode("utf-8", "replace"))
        at += max(size, 0)
    return cells


__all__ = ["CODES", "Door", "PasswordAskedError", "ServerError", "Session"]
