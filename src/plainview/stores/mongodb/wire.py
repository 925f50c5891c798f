"""The wire protocol of MongoDB over `wire`: declared commands, one connection, safe against lying lengths.

OP_MSG from wire version 6 (MongoDB 3.6), OP_QUERY before that and for the greeting, which every version
takes in that form. BSON is decoded by pymongo's `bson`. No topology, no sessions, no compression: what the
server says about other members is recorded, never used. Sources: the OP_MSG and handshake
specifications of mongodb/specifications.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Generator
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import bson
from bson.codec_options import CodecOptions
from bson.int64 import Int64
from bson.raw_bson import RawBSONDocument

from plainview.documents.bson import OPTIONS
from plainview.errors import NetworkError, PlainviewError, ProtocolError, RefusedError
from plainview.stores.shared.paging import Paging, alike
from plainview.stores.shared.scram import Scram, mongodb_sha1, prepared
from plainview.version import __version__
from plainview.wire import probes

if TYPE_CHECKING:
    from plainview.targets.credentials import Credential
    from plainview.wire import Wire

Document = dict[str, Any]

OP_REPLY, OP_QUERY, OP_MSG = 1, 2004, 2013
MOST = 48_000_000  # bytes of a message, MongoDB's own limit
MOST_ASKED = 200_000  # documents of one answer
EMPTY_ARRAY = 5  # bytes
NESTING = 32  # of an answer to the stranger's question
RAW = CodecOptions(document_class=RawBSONDocument, unicode_decode_error_handler="replace")
BROKEN = (bson.errors.BSONError, RecursionError, ValueError, OverflowError, TypeError, KeyError, AttributeError)
# 13 is Unauthorized; 18 and 8000 are sent by servers that refuse before they look (Atlas, proxies), the others
# by versions before 2.6, some of which send no code at all.
DENIED = frozenset({13, 18, 8000, 10057, 16550})
DENIED_TEXT = re.compile(r"(?i)not authorized|unauthorized|requires authentication|need to login|not authenticated")
CLIENT: Document = {
    "application": {"name": "plainview"},
    "driver": {"name": "plainview", "version": __version__},
    "os": {"type": "unknown"},
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer `ok: 0`: its code, never its text."""

    code: int
    denied: bool = False
    unknown_command: bool = False


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
            answer = _decode(self._roundtrip(probe_id, database, params))
            if step.probe.stage == "access" and _depth(answer) > NESTING:
                raise ProtocolError(f"an answer nested deeper than {NESTING}")
            refusal = _refusal(answer)
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
                    cursor = _cursor(raw)
                    step.done("OK")
                batch = _array(raw)
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
        length, _, answers, code = struct.unpack("<iiii", self._connection.exactly(16))
        prefix = {OP_MSG: 5, OP_REPLY: 20}.get(code)
        if prefix is None or answers != self._number:
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
        payload = scram.final(_payload(answer))
        answer = self.ask("mongodb.login_next", database, conversation=answer.get("conversationId"), payload=payload)
        if isinstance(answer, Refusal):
            raise not_accepted
        scram.verify(_payload(answer))
        if not answer.get("done"):
            answer = self.ask("mongodb.login_next", database, conversation=answer.get("conversationId"), payload=b"")
            if isinstance(answer, Refusal) or not answer.get("done"):
                raise not_accepted


class RefusedQueryError(NetworkError):
    """A cursor command was answered with `ok: 0`."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(f"refused (error {refusal.code})")
        self.refusal = refusal


def batch(raw: bytes | bytearray) -> tuple[list[Document], int]:
    """Return the documents of a cursor's answer, and how many could not be decoded."""
    try:
        answer = bson.decode(raw, OPTIONS)
        found = _batch_of(answer)
        if all(type(item) is dict for item in found):
            return found, 0
    except BROKEN:
        pass
    good: list[Document] = []
    bad = 0
    try:
        items = list(_batch_of(bson.decode(raw, RAW)))
    except BROKEN:
        items = None
    if items is None:
        raise ProtocolError("a batch of documents that cannot be taken apart")
    for item in items:
        try:
            good.append(bson.decode(item.raw, OPTIONS))
        except BROKEN:
            bad += 1
    return good, bad


def starts(raw: bytearray) -> list[int] | None:
    """Return where the documents of a cursor's answer begin, or None when it is not laid out as usual."""
    top = _elements(raw, 0)
    inner = _elements(raw, top["cursor"][1]) if "cursor" in top else {}
    _, start = inner.get("firstBatch") or inner.get("nextBatch") or (0, 0)
    end = start + int.from_bytes(raw[start : start + 4], "little") - 1
    if not start or end >= len(raw):
        return None
    at = start + 4
    found: list[int] = []
    while at < end:
        if raw[at] != 0x03:
            return None
        at += 2 + len(str(len(found)))  # type, key, zero
        size = int.from_bytes(raw[at : at + 4], "little")
        if size < 5 or at + size > end:
            return None
        found.append(at)
        at += size
    return found


def _array(raw: bytearray) -> memoryview:
    """Return the bytes of the array of documents in a cursor's answer; of an odd answer all."""
    top = _elements(raw, 0)
    inner = _elements(raw, top["cursor"][1]) if "cursor" in top else {}
    _, start = inner.get("firstBatch") or inner.get("nextBatch") or (0, 0)
    return memoryview(raw)[start : start + int.from_bytes(raw[start : start + 4], "little")]


def _batch_of(answer: Any) -> Any:
    cursor = answer["cursor"]
    return cursor["firstBatch"] if "firstBatch" in cursor else cursor["nextBatch"]


def _cursor(raw: bytearray) -> int:
    """Return the cursor's id without decoding the documents. Raises RefusedQueryError, ProtocolError."""
    top = _elements(raw, 0)
    if "cursor" in top and raw[top["cursor"][0]] == 0x03:
        inner = _elements(raw, top["cursor"][1])
        kind, at = inner.get("id", (-1, 0))
        if ("firstBatch" in inner or "nextBatch" in inner) and kind >= 0 and raw[kind] == 0x12:
            return int.from_bytes(raw[at : at + 8], "little", signed=True)
    refusal = _refusal(_decode(raw))
    if refusal is None:
        raise ProtocolError("a cursor's answer that cannot be taken apart")
    raise RefusedQueryError(refusal)


# Bytes of a value by its BSON type; minus: of a value that begins with its length, what comes on top of that.
SIZES = {1: 8, 2: -4, 3: 0, 4: 0, 5: -5, 7: 12, 8: 1, 9: 8, 10: 0, 16: 4, 17: 8, 18: 8}
EMPTY = frozenset({10})


def _elements(raw: bytearray, start: int) -> dict[str, tuple[int, int]]:
    """Return where the elements of a document lie: name -> (its type byte, its value). No value is decoded."""
    end = start + int.from_bytes(raw[start : start + 4], "little") - 1
    at = start + 4
    found: dict[str, tuple[int, int]] = {}
    while at < min(end, len(raw)) and len(found) < 64:
        stop = raw.find(b"\0", at + 1)
        kind, value = raw[at], stop + 1
        if stop < 0 or kind not in SIZES:
            break
        found[raw[at + 1 : stop].decode("utf-8", "replace")] = (at, value)
        size = SIZES[kind]
        at = value + size
        if size <= 0 and kind not in EMPTY:
            at = value + int.from_bytes(raw[value : value + 4], "little") - size
    return found


def _decode(raw: bytearray) -> Document:
    try:
        return bson.decode(raw, OPTIONS)
    except BROKEN:
        pass
    raise ProtocolError("an answer that is not valid BSON")


def _refusal(answer: Document) -> Refusal | None:
    if answer.get("ok") in (1, True):
        return None
    code = answer.get("code")
    number = int(code) if isinstance(code, int) and 0 <= code < 1 << 31 else 0
    text = str(answer.get("errmsg", ""))[:1000]
    unknown = number == 59 or "no such c" in text[:40]
    return Refusal(number, number in DENIED or (not number and bool(DENIED_TEXT.search(text))), unknown)


def _payload(answer: Document) -> bytes:
    payload = answer.get("payload")
    if not isinstance(payload, bytes):
        raise ProtocolError("the login was answered with something else than SCRAM")
    return payload


def _depth(value: object) -> int:
    """Return the levels of a document, without recursion; stops above the limit."""
    level, depth = [value], 0
    while level and depth <= NESTING:
        depth += 1
        level = [
            inner
            for item in level
            if isinstance(item, (dict, list))
            for inner in (item.values() if isinstance(item, dict) else item)
            if isinstance(inner, (dict, list))
        ]
    return depth


__all__ = ["Document", "Mongo", "Refusal", "RefusedQueryError", "batch", "starts"]
