"""mongod by its documented answers: one table of answers for each version, open and closed.

Sources: the manual's pages of hello, listDatabases, connectionStatus and getLog; the OP_MSG and OP_QUERY pages of
the wire protocol; the drivers' handshake specification; error codes of the server's error_codes.yml.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable

import bson
from bson.int64 import Int64

OP_REPLY, OP_QUERY, OP_MSG = 1, 2004, 2013
Answer = dict[str, object]
WARNING = "** WARNING: Access control is not enabled for the database."
SHOP = [{"name": "admin"}, {"name": "config"}, {"name": "local"}, {"name": "shop"}]


def error(code: int, name: str, text: str = "not authorized on admin to execute command") -> Answer:
    return {"ok": 0.0, "errmsg": text, "code": code, "codeName": name}


def cursor(namespace: str, *documents: Answer, number: int = 0, batch: str = "firstBatch") -> Answer:
    return {"cursor": {batch: list(documents), "id": Int64(number), "ns": namespace}, "ok": 1.0}


def open_answers(version: str, wire: int) -> dict[str, Answer]:
    """Return what a mongod without access control answers."""
    return {
        "isMaster": {"ismaster": True, "maxWireVersion": wire, "minWireVersion": 0, "readOnly": False, "ok": 1.0},
        "buildInfo": {"version": version, "ok": 1.0},
        "listDatabases": {"databases": SHOP, "ok": 1.0},
        "getLog": {"totalLinesWritten": 1, "log": [f"2026-01-01 I CONTROL {WARNING}"], "ok": 1.0},
        "connectionStatus": {
            "authInfo": {"authenticatedUsers": [], "authenticatedUserRoles": [], "authenticatedUserPrivileges": []},
            "ok": 1.0,
        },
        "listCollections": cursor("shop.$cmd.listCollections", {"name": "people", "type": "collection"}),
        "count": {"n": 2, "ok": 1.0},
        "find": cursor("shop.people", {}),
    }


def closed_answers(version: str, wire: int) -> dict[str, Answer]:
    """Return what a mongod with access control answers to a connection without a login."""
    answers = dict.fromkeys(open_answers(version, wire), error(13, "Unauthorized"))
    kept = open_answers(version, wire)
    return {**answers, "isMaster": kept["isMaster"], "buildInfo": kept["buildInfo"]}


def mongod(answers: dict[str, Answer | Callable[[Answer], Answer]], wire: int, seen: list[Answer] | None = None):
    """Return a behaviour for `servers.fake.fake`: OP_QUERY up to 5.0, and for the greeting always."""

    def behave(sock: socket.socket, data: bytes) -> None:
        while data:
            while len(data) < 16 or len(data) < struct.unpack_from("<i", data)[0]:
                data += sock.recv(65536)
            size, number, _, code = struct.unpack_from("<iiii", data)
            message, data = data[:size], data[size:]
            if code == OP_MSG and wire < 6:
                return  # an opcode that it does not know: the connection is closed
            start = 21 if code == OP_MSG else message.index(b"\0", 20) + 9
            command = bson.decode(message[start:])
            if seen is not None:
                seen.append(command)
            name = next(iter(command))
            found = answers.get(name, error(59, "CommandNotFound", f"no such command: '{name}'"))
            if code == OP_QUERY and wire >= 13 and name != "isMaster":
                found = error(352, "UnsupportedOpQueryCommand", "Unsupported OP_QUERY command")
            body = bson.encode(found(command) if callable(found) else found)
            prefix = b"\0\0\0\0\0" if code == OP_MSG else struct.pack("<iqii", 8, 0, 0, 1)
            kind = OP_MSG if code == OP_MSG else OP_REPLY
            sock.sendall(struct.pack("<iiii", 16 + len(prefix) + len(body), 7, number, kind) + prefix + body)
            data = data or sock.recv(65536)

    return behave
