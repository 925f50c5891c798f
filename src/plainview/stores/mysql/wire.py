"""The protocol of MySQL and MariaDB as far as reading needs it, over our own wire.

A driver would decode a million rows one by one in Python. Documented at dev.mysql.com/doc/dev/mysql-server
and mariadb.com/kb/en/clientserver-protocol. CLIENT_LOCAL_FILES is never announced, and a server that asks
for a local file (0xFB) is left at once.
"""

from __future__ import annotations

import hashlib
import re
import struct
from dataclasses import dataclass

from plainview.errors import PlainviewError, ProtocolError, ReadError, RefusedError
from plainview.report.model import Tls
from plainview.targets.credential import Credential
from plainview.targets.secret import Secret
from plainview.wire import Wire, probes
from plainview.wire.stream import Connection

LONG_PASSWORD, LONG_FLAG, PROTOCOL_41, SSL = 0x1, 0x4, 0x200, 0x800
TRANSACTIONS, SECURE, PLUGIN_AUTH, ATTRIBUTES = 0x2000, 0x8000, 0x80000, 0x100000
CAPABILITIES = LONG_PASSWORD | LONG_FLAG | PROTOCOL_41 | TRANSACTIONS | SECURE | PLUGIN_AUTH | ATTRIBUTES
UTF8MB4 = 45
LONGEST_GREETING = 4096
QUERY, QUIT = 3, 1
LOCAL_FILE, ERROR = 0xFB, 0xFF
CODES = {
    1044: "no permission to use this database",
    1142: "no permission to read",
    1143: "no permission to read",
    1146: "it is gone",
    1290: "an option of the server forbids it",
    1317: "the statement was ended on the server",
    1053: "the server is shutting down",
    1927: "the connection was ended on the server",
    1969: "the server ended it at the time limit",
    3024: "the server ended it at the time limit",
    1205: "locked by somebody else",
    1194: "the server says that the table is damaged",
    145: "the server says that the table is damaged",
    1356: "a view over what is gone",
}
REFUSALS = frozenset({1045, 1698, 1044, 1130, 1129, 1251, 1862, 3118, 3159, 3955, 4151})


class ServerError(ReadError):
    """An ERR packet: its number, never its text, which may quote data."""

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(CODES.get(number, f"the server refused it (error {number})"))


@dataclass(frozen=True, slots=True)
class Greeting:
    """The first packet of a server."""

    version: str
    capabilities: int
    salt: bytes
    plugin: str

    @property
    def is_mariadb(self) -> bool:
        """True for MariaDB, whose versions say so."""
        return "mariadb" in self.version.lower()


class Client:
    """A connection, greeted. Use it from one thread."""

    def __init__(self, wire: Wire, credential: Credential | None = None) -> None:
        self.wire = wire
        self.connection: Connection = wire.connect(tls=False, credential=credential)
        self.sequence = 0
        self.broken = True
        try:
            with self.connection.exchange("mysql.greeting") as step:
                self.greeting = _greeting(self.packet(LONGEST_GREETING))
                step.done("greeting")
        except PlainviewError:
            self.connection.close()
            raise
        if wire.tls is None or not self.greeting.capabilities & SSL:
            wire.tls = Tls(offered=bool(self.greeting.capabilities & SSL))

    # -- packets ----------------------------------------------------------------------------------------

    def packet(self, longest: int | None = None) -> bytes:
        """Return the payload of the next packet. Raises ProtocolError, ServerError for an ERR packet."""
        head = self.connection.exactly(4)
        size = head[0] | head[1] << 8 | head[2] << 16
        if longest and size > longest:
            raise ProtocolError("a packet of impossible length: not MySQL")
        self.sequence = (head[3] + 1) & 0xFF
        body = self.connection.exactly(size)
        if body[:1] == b"\xff":
            self.broken = False
            raise ServerError(int.from_bytes(body[1:3], "little"))
        return body

    def send(self, body: bytes) -> None:
        """Send one packet."""
        self.connection.send(struct.pack("<I", len(body))[:3] + bytes([self.sequence]) + body)
        self.sequence = (self.sequence + 1) & 0xFF

    # -- log in -----------------------------------------------------------------------------------------

    def log_in(self, probe: str, user: str, secret: Secret | None, *, plain: bool = False) -> None:
        """Log in, over TLS where it is offered, unless the user wants it `plain`.

        The secret is that of the credential which the connection was opened for. Raises RefusedError, ProtocolError,
        OutOfScopeError.
        """
        with self.connection.exchange(probe) as step:
            flags = CAPABILITIES & (self.greeting.capabilities | LONG_PASSWORD | LONG_FLAG)
            if self.greeting.capabilities & SSL and not plain:
                flags |= SSL
                self.send(struct.pack("<IIB23x", flags, 1 << 24, UTF8MB4))
                self.connection.start_tls()
            else:
                self.connection.stay_plain()
            plugin = self.greeting.plugin
            answer = self._scramble(plugin, self.greeting.salt, secret) or b""
            body = struct.pack("<IIB23x", flags, 1 << 24, UTF8MB4) + user.encode() + b"\0"
            body += bytes([len(answer)]) + answer
            if flags & PLUGIN_AUTH:
                body += plugin.encode() + b"\0"
            if flags & ATTRIBUTES:
                body += _text(_text(b"program_name") + _text(b"plainview"))
            try:
                self.send(body)
                self._finish(plugin, secret)
            except ServerError as error:
                step.done(error.number)
                if error.number in REFUSALS:
                    raise RefusedError(f"it was refused (error {error.number})") from None
                raise
            self.broken = False
            step.done("OK")

    def _finish(self, plugin: str, secret: Secret | None) -> None:
        """Answer what the server asks until it is content."""
        for _ in range(5):
            body = self.packet()
            if body[:1] == b"\0":
                return
            if body[:1] == b"\xfe" and len(body) > 1:
                name, _, salt = body[1:].partition(b"\0")
                plugin = name.decode("ascii", "replace")
                self.send(self._answer(plugin, salt.removesuffix(b"\0"), secret))
            elif body[:2] == b"\x01\x03":
                continue  # caching_sha2_password: known already
            elif body[:2] == b"\x01\x04" and secret is not None:
                self.send(self._clear(secret))
            else:
                raise ProtocolError("not an answer to a login: not MySQL")
        raise ProtocolError("a login without an end")

    def _answer(self, plugin: str, salt: bytes, secret: Secret | None) -> bytes:
        if secret is None:
            return b""
        if plugin in ("mysql_clear_password", "sha256_password"):
            return self._clear(secret)
        answer = self._scramble(plugin, salt, secret)
        if answer is None:
            raise RefusedError("the server wants a way to log in that this version lacks")
        return answer

    def _clear(self, secret: Secret) -> bytes:
        return self.connection.reveal(secret, only_tls=True).encode() + b"\0"

    def _scramble(self, plugin: str, salt: bytes, secret: Secret | None) -> bytes | None:
        """Return the proof of a password, or None for a plugin that is answered later."""
        if secret is None or not secret:
            return b""
        if plugin == "mysql_native_password":
            once = _sha1(self.connection.reveal(secret).encode())
            return _xor(once, _sha1(salt[:20] + _sha1(once)))
        if plugin == "caching_sha2_password":
            once = hashlib.sha256(self.connection.reveal(secret).encode()).digest()
            twice = hashlib.sha256(hashlib.sha256(once).digest() + salt[:20]).digest()
            return _xor(once, twice)
        return None

    # -- questions --------------------------------------------------------------------------------------

    def query(self, probe: str, **params: str) -> list[list[str | None]]:
        """Return the rows of a declared statement. Raises ServerError, ProtocolError."""
        rows: list[list[str | None]] = []
        with self.connection.exchange(probe) as step:
            try:
                columns = self.start(probes.get(probe).statement(**params))
                while columns:
                    body = self.packet()
                    if body[:1] == b"\xfe" and len(body) < 9:
                        break
                    rows.append(_cells(body, columns))
            except ServerError as error:
                step.done(error.number)
                raise
            self.broken = False
            step.done(f"{len(rows)} rows")
        return rows

    def start(self, statement: str) -> int:
        """Send a statement, take the column definitions, return the number of columns. Inside an exchange."""
        self.sequence = 0
        self.broken = True
        self.send(bytes([QUERY]) + statement.encode())
        body = self.packet()
        if body[:1] == b"\xfb":
            raise ProtocolError("the server asked for a file of this machine: an attack; nothing was sent")
        if body[:1] == b"\0":
            return 0
        columns = body[0] if len(body) == 1 else int.from_bytes(body[1:3], "little")
        for _ in range(columns):
            self.packet()
        if self.packet()[:1] != b"\xfe":
            raise ProtocolError("column definitions without an end")
        return columns

    def close(self) -> None:
        """Say goodbye and close; again does nothing."""
        try:
            if not self.broken:
                self.sequence = 0
                self.send(bytes([QUIT]))
        except PlainviewError:
            pass  # it is gone already
        self.connection.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _greeting(body: bytes) -> Greeting:
    version, zero, rest = body[1:].partition(b"\0")
    if body[:1] != b"\x0a" or not zero or len(rest) < 15 or not re.fullmatch(rb"[!-~ ]{1,100}", version):
        raise ProtocolError("not the greeting of MySQL")
    low = int.from_bytes(rest[13:15], "little")
    high = int.from_bytes(rest[18:20], "little") if len(rest) >= 20 else 0
    salt = rest[4:12]
    plugin = b"mysql_native_password"
    if len(rest) >= 31:
        second, _, name = rest[31:].partition(b"\0")
        salt += second[:12]
        plugin = name.rstrip(b"\0") or plugin
    return Greeting(version.decode("ascii"), low | high << 16, salt, plugin.decode("ascii", "replace")[:64])


def _cells(body: bytes, columns: int) -> list[str | None]:
    """Return the cells of a text row. Raises ProtocolError when its lengths do not fit."""
    cells: list[str | None] = []
    at = 0
    for _ in range(columns):
        first = body[at] if at < len(body) else -1
        width = {0xFC: 2, 0xFD: 3, 0xFE: 8}.get(first, 0)
        size = int.from_bytes(body[at + 1 : at + 1 + width], "little") if width else first
        at += 1 + width
        if first == LOCAL_FILE:
            cells.append(None)
            continue
        if first < 0 or first == ERROR or size > len(body) - at:
            raise ProtocolError("a row of impossible length")
        cells.append(body[at : at + size].decode("utf-8", "replace"))
        at += size
    return cells


def _text(data: bytes) -> bytes:
    return bytes([len(data)]) + data


def _sha1(data: bytes) -> bytes:
    return hashlib.sha1(data, usedforsecurity=False).digest()


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))


__all__ = ["Client", "Greeting", "ServerError"]
