"""A connection to a store: a socket with the limits of `wire` in every read."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from plainview.errors import LostError, ProtocolError, RefusedError, WithheldError
from plainview.wire.gate import Gate

if TYPE_CHECKING:
    from plainview.report.model import Tls
    from plainview.targets.credential import Credential
    from plainview.targets.secret import Secret
    from plainview.wire.limits import Exchange
    from plainview.wire.traffic import Traffic

CHUNK = 1 << 18


class Connection:
    """One TCP or TLS connection. Every byte is read inside `exchange`; use it from one thread only."""

    def __init__(self, wire: Traffic, sock: socket.socket, gate: Gate | None = None) -> None:
        self.wire = wire
        self._gate = gate
        self._sock: socket.socket | None = sock
        self._step: Exchange | None = None
        self._buffer = bytearray()

    def start_tls(self) -> None:
        """Turn the connection into TLS. Raises ProtocolError when the handshake fails, WithheldError with a credential.

        What came before the handshake could be anybody's: it would count as said inside of TLS.
        """
        try:
            self._sock, self.wire.tls = self._handshake()
        except ProtocolError as error:
            self.close()
            if self._gate is None:
                raise
            raise WithheldError(f"{error.message}, so no credential was sent") from None
        except BaseException:
            self.close()
            raise

    def _handshake(self) -> tuple[ssl.SSLSocket, Tls]:
        from plainview.wire.tls import start

        if self._buffer:
            raise ProtocolError("bytes came ahead of TLS: somebody on the way may have put them there")
        verify = self._gate is not None and self._gate.verify
        return start(self.socket, self.wire.host, self.wire.limits, verify=verify)

    @property
    def tls(self) -> bool:
        """Tell whether TLS is spoken. Of a connection with a credential its certificate was checked, or excused."""
        return isinstance(self._sock, ssl.SSLSocket)

    def stay_plain(self) -> None:
        """Go on without TLS where the server offers none. Raises WithheldError where a credential may not do so."""
        if self._gate is not None:
            self._gate.admit(tls=False)

    def reveal(self, secret: Secret, *, only_tls: bool = False) -> str:
        """Return the text of a secret for sending it over this connection, which was opened for its credential.

        Raises WithheldError; see `gate.Gate.reveal`.
        """
        if self._gate is None:
            raise WithheldError("a connection that was opened without a credential carries none")
        return self._gate.reveal(secret, tls=self.tls, only_tls=only_tls)

    @property
    def socket(self) -> socket.socket:
        """Return the open socket. Raises ProtocolError when the connection was closed."""
        if self._sock is None:
            raise ProtocolError("the connection was closed")
        return self._sock

    @contextmanager
    def exchange(self, probe_id: str, count: int = 1) -> Iterator[Exchange]:
        """Declare the request that is now sent; its limits hold for all reads inside the block."""
        with self.wire.exchange(probe_id, count) as step:
            self._step = step
            yield step

    def use(self, step: Exchange) -> None:
        """Let an exchange that was declared elsewhere govern this connection."""
        self._step = step

    # -- bytes ----------------------------------------------------------------------------------------

    def send(self, data: bytes | bytearray | memoryview) -> None:
        """Send all bytes. After a LostError, what the server said before it hung up can still be received."""
        sock = self.socket
        sock.settimeout(self._patience())
        try:
            sock.sendall(data)
        except OSError as error:
            raise _lost(self._last_word(sock) or error) from None

    def receive_into(self, buffer: memoryview) -> int:
        """Fill a part of the buffer; return its size, 0 at the end of the stream."""
        sock = self.socket
        sock.settimeout(self._patience())
        try:
            size = sock.recv_into(buffer)
        except OSError as error:
            raise _lost(error) from None
        if self._step is not None:
            self._step.count_in(size)
            self.wire.count_bytes(size, reading=self._step.probe.stage == "read")
        return size

    def receive(self, size: int = CHUNK) -> bytes:
        """Return some bytes, at most `size`; none at the end of the stream."""
        if self._buffer:
            data = bytes(self._buffer[:size])
            del self._buffer[:size]
            return data
        chunk = bytearray(size)
        return bytes(memoryview(chunk)[: self.receive_into(memoryview(chunk))])

    def exactly(self, size: int) -> bytes:
        """Return that many bytes. Refuses a size above the cap before it allocates. Raises ProtocolError."""
        self.expect(size - len(self._buffer))
        self._fill(size)
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        return data

    def pass_over(self, size: int) -> None:
        """Receive that many bytes and keep none. Raises ProtocolError."""
        while size > 0:
            got = len(self.receive(min(size, CHUNK)))
            if not got:
                raise LostError("the connection ended in the middle of an answer")
            size -= got

    def expect(self, size: int) -> None:
        """Refuse an announced length that the cap of this exchange does not hold. Raises ProtocolError."""
        if self._step is not None and size > self._step.cap - self._step.received:
            raise ProtocolError("the server announced an answer longer than the limit")

    def line(self, limit: int = 1 << 16) -> bytes:
        """Return a line without its CR LF. Raises ProtocolError when it is longer than `limit`."""
        start = 0
        while (end := self._buffer.find(b"\n", start)) < 0:
            start = len(self._buffer)
            if start > limit:
                raise ProtocolError("a line without an end")
            self._fill(start + 1)
        line = bytes(self._buffer[:end]).removesuffix(b"\r")
        del self._buffer[: end + 1]
        return line

    def _fill(self, size: int) -> None:
        chunk = memoryview(bytearray(CHUNK))
        while len(self._buffer) < size:
            got = self.receive_into(chunk)
            if not got:
                raise LostError("the connection ended in the middle of an answer")
            self._buffer += chunk[:got]

    def _patience(self) -> float:
        return self._step.patience() if self._step is not None else self.wire.limits.first_byte

    def _last_word(self, sock: object) -> OSError | None:
        """Return why TLS was ended, when the server said so before our bytes arrived."""
        if not isinstance(sock, ssl.SSLSocket):
            return None
        try:
            self._buffer += sock.recv(1)  # a byte of an answer is no alert, and not lost
        except OSError as error:
            return error if isinstance(error, ssl.SSLError) and error.reason else None
        return None

    def close(self) -> None:
        """Close the connection; again does nothing."""
        if self._sock is not None:
            self._sock.close()
            self._sock = None
            self.wire.closed()

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def connect(wire: Traffic, *, tls: bool, credential: Credential | None) -> Connection:
    """Open a connection to the target. Raises a NetworkError; the certificate's facts are in `wire.tls` then.

    The only way to one that carries a secret. With STARTTLS the gate is asked once both sides have agreed.
    """
    gate = Gate(wire, credential) if credential is not None else None
    if gate is not None and not wire.target.starttls:
        gate.admit(tls=tls)
    connection = Connection(wire, wire.open_socket(), gate)
    if tls:
        connection.start_tls()
    return connection


def _lost(error: OSError) -> ProtocolError | RefusedError:
    if isinstance(error, TimeoutError):
        return ProtocolError("connected, but no answer in time")
    if isinstance(error, ssl.SSLError):
        if "CERTIFICATE_REQUIRED" in str(error.reason):
            return RefusedError("the server asks for a certificate of the client")
        return ProtocolError("TLS broke in the middle of an answer")
    return LostError("the connection was reset in the middle of an answer")
