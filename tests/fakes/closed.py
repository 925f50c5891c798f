"""Stores that ask for a credential, one of each kind, over whatever the port speaks; they note all that they are sent.

What matters is that each comes as far as being sent one. None lets anybody in.
"""

from __future__ import annotations

import contextlib
import json
import re
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from hostile.stores import http_split, line_split, mongo_command, mongo_reply, mongo_split, pg, pg_split, resp_split
from servers.fake import fake

from . import cassandra

USER, SECRET = "auditor", "canary-S3cr3t-77"
KEY = "Y2FuYXJ5LVMzY3IzdC03Nw=="  # the same as Azure wants it: Base64
Split = Callable[[bytes], "tuple[bytes, bytes] | None"]


@dataclass(frozen=True)
class Closed:
    """`answer` refuses a request; `sign` is what a request holds that carries a credential or a proof of it."""

    split: Split
    answer: Callable[[bytes], bytes]
    sign: bytes
    secret: str = SECRET
    token: bool = False
    port_tells: bool = True  # a bare host:port is enough to find out what it is


def http(status: int, body: bytes = b"{}", **headers: str) -> bytes:
    fields = {"Content-Type": "application/json", **headers, "Content-Length": str(len(body))}
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status} X\r\n{lines}\r\n".encode() + body


def web(routes: dict[str, bytes], sign: bytes = rb"(?i)\r\nauthorization:", **more: object) -> Closed:
    """Answer by the first pattern that fits `METHOD path`."""

    def answer(request: bytes) -> bytes:
        line = b" ".join(request.split(b" ", 2)[:2]).decode("latin-1")
        found = next((out for pattern, out in routes.items() if re.fullmatch(pattern, line)), b"")
        return found.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" if request.startswith(b"HEAD") else found

    return Closed(http_split, answer, sign, **more)  # type: ignore[arg-type]


def xml(code: str) -> bytes:
    return f'<?xml version="1.0"?><Error><Code>{code}</Code></Error>'.encode()


def frame_split(buffer: bytes) -> tuple[bytes, bytes] | None:
    """Cut frames of Cassandra; what is none is one request."""
    if len(buffer) < 9:
        return None
    if buffer[0] not in (3, 4):
        return buffer, b""
    size = 9 + int.from_bytes(buffer[5:9], "big")
    return (buffer[:size], buffer[size:]) if len(buffer) >= size else None


def redis_split(buffer: bytes) -> tuple[bytes, bytes] | None:
    """Cut commands; what is none is one request."""
    return resp_split(buffer) if buffer[:1] == b"*" else (buffer, b"")


def cql(request: bytes) -> bytes:
    if request[0] not in (3, 4):
        return b""
    answers = {5: cassandra.supported(), 1: (cassandra.AUTHENTICATE, cassandra.string("PasswordAuthenticator"))}
    return cassandra.frame(answers.get(request[4], cassandra.error(0x100)), request[0])


def mongodb(request: bytes) -> bytes:
    try:
        name = next(iter(mongo_command(request)))
    except Exception:  # noqa: BLE001 - another protocol
        return b""
    hello = {"ismaster": True, "maxWireVersion": 21, "minWireVersion": 0, "ok": 1.0}
    answers = {"isMaster": hello, "buildInfo": {"version": "7.0.5", "ok": 1.0}}
    return mongo_reply(request, answers.get(name, {"ok": 0.0, "code": 13, "errmsg": "not authorized"}))


def mysql_split(buffer: bytes) -> tuple[bytes, bytes] | None:
    size = 4 + int.from_bytes(buffer[:3], "little")
    return (buffer[:size], buffer[size:]) if len(buffer) >= max(size, 4) else None


def packet(body: bytes, number: int) -> bytes:
    return struct.pack("<I", len(body))[:3] + bytes([number]) + body


def greeting(*, tls: bool) -> bytes:
    """Return the first packet of a server that knows mysql_native_password."""
    flags = 0x0008F7FF | (0x800 if tls else 0)
    body = b"\x0a8.0.36\0" + b"\1\0\0\0" + b"a" * 8 + b"\0" + struct.pack("<H", flags & 0xFFFF) + b"\x2d\2\0"
    body += struct.pack("<H", flags >> 16) + b"\x15" + b"\0" * 10 + b"b" * 12 + b"\0mysql_native_password\0"
    return packet(body, 0)


def mysql(request: bytes) -> bytes:
    return packet(b"\xff" + struct.pack("<H", 1045) + b"#28000no", request[3] + 1 & 0xFF)


def postgresql(request: bytes) -> bytes:
    if request[:1] == b"\0":
        return pg(b"R", b"\0\0\0\5salt")
    return pg(b"E", b"SFATAL\0C28P01\0Mno\0\0") if request[:1] == b"p" else b""


DENIED = json.dumps({"error": {"type": "security_exception"}, "status": 401}).encode()
EMPTY = json.dumps({"error": "etcdserver: user name is empty", "code": 3}).encode()
STORES = {
    "redis": Closed(
        redis_split,
        lambda data: (data[:1] == b"*" and b"-NOAUTH Authentication required.\r\n") or b"",
        rb"(?i)\r\nAUTH\r\n",
    ),
    "memcached": Closed(line_split, lambda _: b"CLIENT_ERROR unauthenticated\r\n", SECRET.encode()),
    "etcd": web(
        {
            "GET /version": http(200, b'{"etcdserver":"3.5.9","etcdcluster":"3.5.0"}'),
            "GET /(plainview.*)?": http(404, b"404 page not found"),
            ".*": http(400, EMPTY),
        },
        sign=rb"/auth/authenticate",
    ),
    "elasticsearch": web({".*": http(401, DENIED, WWW_Authenticate='Basic realm="security"')}),
    "mongodb": Closed(mongo_split, mongodb, rb"saslStart"),
    "postgresql": Closed(pg_split, postgresql, rb"\Ap\0\0"),
    "mysql": Closed(mysql_split, mysql, USER.encode() + rb"\0\x14"),
    "s3": web(
        {".*": http(403, xml("AccessDenied"), Content_Type="application/xml", x_amz_request_id="1")}, port_tells=False
    ),
    "azure": web(
        {".*": http(403, xml("AuthorizationFailure"), Content_Type="application/xml", Server="Azurite-Blob/3.35.0")},
        secret=KEY,
        port_tells=False,
    ),
    "gs": web({".*": http(401, b'{"error": {"code": 401}}')}, token=True, port_tells=False),
    "clickhouse": web(
        {
            "GET /(ping)?": http(200, b"Ok.\n", Content_Type="text/plain"),
            ".*": http(
                401, b"Code: 516. DB::Exception: default: Authentication failed", X_ClickHouse_Exception_Code="516"
            ),
        }
    ),
    "couchdb": web(
        {
            "GET /": http(200, b'{"couchdb":"Welcome","version":"3.3.1"}'),
            ".*": http(401, b'{"error":"unauthorized","reason":"no"}'),
        }
    ),
    "cassandra": Closed(frame_split, cql, rb"\A.{4}\x0f"),
    "http": web({".*": http(401, b"no", Content_Type="text/plain")}, port_tells=False),
}


@dataclass
class Seen:
    """What a store was sent, request by request, inside of TLS where that was spoken."""

    port: int = 0
    requests: list[bytes] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


@contextlib.contextmanager
def closed(kind: str, how: str, context: ssl.SSLContext) -> Iterator[Seen]:
    """Serve a closed store: `tls` with the certificate of the context, `plain`, or `breaks`: TLS that never comes about.

    One that `breaks` goes on in plain text with whoever does, as a man in the middle would.
    """
    store, seen = STORES[kind], Seen()

    def secured(sock: socket.socket) -> socket.socket:
        if how == "breaks":
            sock.recv(65536)
            sock.sendall(b"\x15\x03\x03\x00\x02\x02\x28")  # an alert: handshake_failure
            raise OSError
        return context.wrap_socket(sock, server_side=True)

    def behave(sock: socket.socket, _: bytes) -> None:
        if kind == "mysql":
            sock.sendall(greeting(tls=how != "plain"))
            first = sock.recv(36)
            if len(first) == 36 and first[:4] == b"\x20\0\0\1":  # a request for TLS
                sock = secured(sock)
                first = b""
            talk(sock, first)
        elif kind == "postgresql":
            first = sock.recv(65536)
            if first == b"\0\0\0\x08\x04\xd2\x16\x2f":
                sock.sendall(b"N" if how == "plain" else b"S")
                sock = sock if how == "plain" else secured(sock)
                first = b""
            talk(sock, first)
        else:
            hello = sock.recv(1, socket.MSG_PEEK) == b"\x16"
            if hello and how != "plain":
                sock = secured(sock)
            elif hello or how == "tls":
                return  # what is not spoken here
            talk(sock, b"")

    def talk(sock: socket.socket, buffer: bytes) -> None:
        with sock:
            while buffer or (buffer := sock.recv(65536)):
                while part := store.split(buffer):
                    request, buffer = part
                    with seen.lock:
                        seen.requests.append(request)
                    answer = store.answer(request)
                    if not answer:
                        return
                    sock.sendall(answer)
                more = sock.recv(65536)
                if not more:
                    return
                buffer += more

    with fake(behave, first=False) as (port, _):
        seen.port = port
        yield seen
