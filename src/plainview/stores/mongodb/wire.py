"""The wire protocol of MongoDB over `wire`: declared commands, one connection, safe against lying lengths.

OP_MSG from wire version 6 (MongoDB 3.6), OP_QUERY before that and for the greeting, which every version
takes in that form. BSON is decoded by pymongo's `bson`. No topology, no sessions, no compression: what the
server says about other members is recorded, never used. Sources: the OP_MSG and handshake
specifications of mongodb/specifications.
"""

from __future__ import annotations

import struct
from collections.abc import Generator
from contextlib import suppress
from typing import TYPE_CHECKING

import bson
from bson.int64 import Int64

from plainview.errors import PlainviewError, ProtocolError, RefusedError
from plainview.stores.mongodb import answers
from plainview.stores.mongodb.answers import Document, Refusal
from plainview.stores.shared.paging import Paging, alike
from plainview.stores.shared.scram import Scram, mongodb_sha1, prepared
from plainview.version import __version__
from plainview.wire import probes

if TYPE_CHECKING:
    from plainview.targets.credentials import Credential
    from plainview.wire import Wire

OP_REPLY, OP_QUERY, OP_MSG = 1, 2004, 2013
MOST = 48_000_000  # bytes of a message, MongoDB's own limit
MOST_ASKED = 200_000  # documents of one answer
EMPTY_ARRAY = 5  # bytes
CLIENT: Document = {
    "application": {"name": "plainview"},
    "driver": {"name": "plainview", "version": __version__},
    "os": {"type": "unknown"},
}


class Mongo:
    """A client on one connection; sends declared probes only. Made by `connect`, which greets."""

    def __init__(self, wire: Wire, *, tls: bool, credential: Credential | None = None) -> None:
        self._connection = wire.connect(tls=tls, credential=credential)
        self.wire = wire
        self._number = 0
        self.version = 0  # wire version: 6 is MongoDB 3.6, 9 is 4.4, 25 is 8.0
        self.hello: Document = {}

    def greet(self, probe_id: str) -> Document:
        """Send the greeting, learn the wire version. Raises ProtocolError when it is not MongoDB."""
        answer = self.ask(probe_id, client=CLIENT)
        if isinstance(answer, Refusal):
            raise ProtocolError(f"the greeting was answered with error {answer.code}")
        kind, version = answer.get("ismaster", answer.get("isWritablePrimary")), answer.get("maxWireVersion", 0)
        if not isinstance(kind, bool) or not isinstance(version, int):
            raise ProtocolError("the greeting was not answered as MongoDB does")
        self.version, self.hello = int(version), answer
        return answer

    def ask(self, probe_id: str, database: str = "admin", **params: object) -> Document | Refusal:
        """Send one command and return its answer. Raises ProtocolError."""
        with self._connection.exchange(probe_id) as step:
            answer = answers.decode(self._roundtrip(probe_id, database, params))
            if step.probe.stage == "access" and answers.depth(answer) > answers.NESTING:
                raise ProtocolError(f"an answer nested deeper than {answers.NESTING}")
            refusal = answers.refusal_in(answer)
            step.done("OK" if refusal is None else f"error {refusal.code}")
            return answer if refusal is None else refusal

    def documents(
        self, probe_id: str, database: str, collection: str, pages: Paging, target: int, **params: object
    ) -> Generator[bytearray]:
        """Yield the raw answers of a cursor, each a document with a batch in it; see `batch`.

        `pages.size` documents are asked for at first, then as many as give about `target` bytes. Raises
        RefusedQueryError when the server refuses, EndlessError.
        """
        size = pages.size
        given = params if probe_id == "mongodb.collections" else {**params, "collection": collection, "size": size}
        cursor = 0
        try:
            while True:
                with self._connection.exchange(probe_id) as step:
                    raw = self._roundtrip(probe_id, database, given)
                    cursor = answers.cursor(raw)
                    step.done("OK")
                batch = answers.array(raw)
                if pages.page(same=alike(batch), received=len(batch) - EMPTY_ARRAY) or not cursor:
                    yield raw
                if not cursor:
                    return
                # The server ends an answer at 16 MiB; fewer documents than asked for are no reason to ask for less.
                size = max(1, min(MOST_ASKED, int(size * target / len(raw))))
                probe_id = "mongodb.more"
                given = {"collection": collection, "cursor": Int64(cursor), "size": size}
        finally:
            if cursor:
                with suppress(PlainviewError):
                    self.ask("mongodb.release", database, collection=collection, cursor=Int64(cursor))

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def __enter__(self) -> Mongo:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- messages -------------------------------------------------------------------------------------

    def _roundtrip(self, probe_id: str, database: str, params: dict[str, object]) -> bytearray:
        """Send a command; return the one document of the answer, undecoded."""
        command = probes.get(probe_id).query(**params)
        self._number += 1
        if self.version >= 6:
            command |= {"$db": database, "$readPreference": {"mode": "secondaryPreferred"}}
            if self.version >= 9:
                command["comment"] = "plainview"
            code, body = OP_MSG, b"\0\0\0\0\0" + bson.encode(command)
        else:
            # flags 4: a secondary may answer
            name = database.encode() + b".$cmd\0"
            code, body = OP_QUERY, struct.pack("<i", 4) + name + struct.pack("<ii", 0, -1) + bson.encode(command)
        self._connection.send(struct.pack("<iiii", 16 + len(body), self._number, 0, code) + body)
        return self._answer()

    def _answer(self) -> bytearray:
        length, _, answered, code = struct.unpack("<iiii", self._connection.exactly(16))
        prefix = {OP_MSG: 5, OP_REPLY: 20}.get(code)
        if prefix is None or answered != self._number:
            raise ProtocolError("not an answer of the MongoDB protocol")
        if not 16 + prefix + 5 <= length <= MOST:
            raise ProtocolError("an answer of an impossible length")
        self._connection.expect(length - 16)
        head = self._connection.exactly(prefix)
        body = bytearray(length - 16 - prefix)
        view = memoryview(body)
        done = 0
        first = self._connection.receive(min(len(body), 1 << 18))  # what came along with the header
        while first:
            view[done : done + len(first)] = first
            done += len(first)
            first = b""
            while done < len(body) and (size := self._connection.receive_into(view[done:])):
                done += size
        if done < len(body):
            raise ProtocolError("the connection ended in the middle of an answer")
        if code == OP_MSG and head[4]:
            raise ProtocolError("an answer in several sections")
        end = int.from_bytes(body[:4], "little")  # a checksum may follow
        if not 5 <= end <= len(body):
            raise ProtocolError("a document of an impossible length")
        view.release()
        del body[end:]
        return body

    # -- login ----------------------------------------------------------------------------------------

    def login(self, credential: Credential, database: str) -> None:
        """Log in by SCRAM-SHA-256, or SCRAM-SHA-1 where the account knows no other. Raises RefusedError."""
        user = credential.user or ""
        secret = self._connection.reveal(credential.secret) if credential.secret else ""
        if credential.token or not user:
            raise RefusedError("MongoDB needs a user name and a password")
        answer = self.ask("mongodb.mechanisms", account=f"{database}.{user}")
        offered = answer.get("saslSupportedMechs", ()) if isinstance(answer, dict) else ()
        sha256 = "SCRAM-SHA-256" in offered or (not offered and self.version >= 7)
        key = prepared(secret) if sha256 else mongodb_sha1(user, secret)
        scram = Scram(key, user=user, digest="sha256" if sha256 else "sha1")
        not_accepted = RefusedError(f"the credential was not accepted ({credential.origin})")
        mechanism = "SCRAM-SHA-256" if sha256 else "SCRAM-SHA-1"
        answer = self.ask("mongodb.login", database, mechanism=mechanism, payload=scram.first())
        if isinstance(answer, Refusal):
            raise not_accepted
        payload = scram.final(answers.payload(answer))
        answer = self.ask("mongodb.login_next", database, conversation=answer.get("conversationId"), payload=payload)
        if isinstance(answer, Refusal):
            raise not_accepted
        scram.verify(answers.payload(answer))
        if not answer.get("done"):
            answer = self.ask("mongodb.login_next", database, conversation=answer.get("conversationId"), payload=b"")
            if isinstance(answer, Refusal) or not answer.get("done"):
                raise not_accepted


__all__ = ["Mongo"]
