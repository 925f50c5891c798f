"""Cassandra by its documented frames (native_protocol_v4.spec), one answer for each statement."""

from __future__ import annotations

import socket
import struct

READY, AUTHENTICATE, SUPPORTED, RESULT, ERROR = 2, 3, 6, 8, 0
TEXT = 0xD


def string(text: str) -> bytes:
    data = text.encode()
    return struct.pack(">H", len(data)) + data


def supported(*extra: str) -> tuple[int, bytes]:
    options = {"CQL_VERSION": ["3.4.7"], "COMPRESSION": ["snappy"], **{name: ["1"] for name in extra}}
    body = struct.pack(">H", len(options))
    for name, values in options.items():
        body += string(name) + struct.pack(">H", len(values)) + b"".join(map(string, values))
    return SUPPORTED, body


def rows(*cells: tuple[bytes | None, ...], types: tuple[int, ...] = (), state: bytes = b"") -> tuple[int, bytes]:
    count = len(types) or (len(cells[0]) if cells else 1)
    kinds = types or (TEXT,) * count
    body = struct.pack(">iii", 2, 1 | (2 if state else 0), count)
    body += struct.pack(">i", len(state)) + state if state else b""
    body += string("k") + string("t")
    for number, kind in enumerate(kinds):
        body += string(f"c{number}") + struct.pack(">H", kind)
    body += struct.pack(">i", len(cells))
    for row in cells:
        for cell in row:
            body += struct.pack(">i", -1) if cell is None else struct.pack(">i", len(cell)) + cell
    return RESULT, body


def error(code: int, text: str = "canary.7f3a@example.org") -> tuple[int, bytes]:
    return ERROR, struct.pack(">i", code) + string(text)


def frame(answer: tuple[int, bytes], version: int = 4) -> bytes:
    return struct.pack(">BBhBi", 0x80 | version, 0, 0, answer[0], len(answer[1])) + answer[1]


OPEN: dict[str, tuple[int, bytes]] = {
    "OPTIONS": supported(),
    "STARTUP": (READY, b""),
    "SELECT plainview_none": error(0x2000),
    "SELECT release_version": rows((b"4.1.7",)),
    "SELECT peer": rows((bytes([10, 9, 8, 7]),), types=(0x10,)),
    "SELECT keyspace_name, table_name": rows((b"system", b"local"), (b"shop", b"people")),
    "SELECT keyspace_name, base_table_name": rows(types=(TEXT, TEXT)),
    "SELECT partitions_count": rows(types=(2,)),
    "SELECT now()": rows((b"0123456789abcdef",), types=(0xF,)),
    "SELECT name, value": rows((b"authorizer", b"AllowAllAuthorizer")),
    "LIST ALL": error(0x2100),
}


def cassandra(answers: dict[str, tuple[int, bytes]], *, speaks: int = 4):
    """Return a behaviour for `servers.fake.fake`. Another version than `speaks` is refused in that version."""

    def behave(sock: socket.socket, data: bytes) -> None:
        while data:
            while len(data) < 9 or len(data) < 9 + struct.unpack_from(">i", data, 5)[0]:
                data += sock.recv(65536)
            version, _, _, opcode, size = struct.unpack_from(">BBhBi", data)
            body, data = data[9 : 9 + size], data[9 + size :]
            names = {1: "STARTUP", 5: "OPTIONS", 15: "AUTH"}
            what = names.get(opcode) or body[4:].decode("utf-8", "replace")
            found = max((name for name in answers if what.startswith(name)), key=len, default="")
            answer = answers[found] if found else error(0x2200)
            if version > speaks:
                answer = error(0xA, "Invalid or unsupported protocol version")
            sock.sendall(frame(answer, speaks))
            data = data or sock.recv(65536)

    return behave
