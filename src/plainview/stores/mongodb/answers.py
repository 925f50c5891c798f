"""Answers of MongoDB as BSON: where their parts lie, decoded by pymongo's `bson`, safe against lying lengths."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import bson
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument

from plainview.documents.bson import OPTIONS
from plainview.errors import NetworkError, ProtocolError

Document = dict[str, Any]

NESTING = 32  # of an answer to the stranger's question
RAW = CodecOptions(document_class=RawBSONDocument, unicode_decode_error_handler="replace")
BROKEN = (bson.errors.BSONError, RecursionError, ValueError, OverflowError, TypeError, KeyError, AttributeError)
# 13 is Unauthorized; 18 and 8000 are sent by servers that refuse before they look (Atlas, proxies), the others
# by versions before 2.6, some of which send no code at all.
DENIED = frozenset({13, 18, 8000, 10057, 16550})
DENIED_TEXT = re.compile(r"(?i)not authorized|unauthorized|requires authentication|need to login|not authenticated")


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer `ok: 0`: its code, never its text."""

    code: int
    denied: bool = False
    unknown_command: bool = False


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


def array(raw: bytearray) -> memoryview:
    """Return the bytes of the array of documents in a cursor's answer; of an odd answer all."""
    top = _elements(raw, 0)
    inner = _elements(raw, top["cursor"][1]) if "cursor" in top else {}
    _, start = inner.get("firstBatch") or inner.get("nextBatch") or (0, 0)
    return memoryview(raw)[start : start + int.from_bytes(raw[start : start + 4], "little")]


def _batch_of(answer: Any) -> Any:
    cursor = answer["cursor"]
    return cursor["firstBatch"] if "firstBatch" in cursor else cursor["nextBatch"]


def cursor(raw: bytearray) -> int:
    """Return the cursor's id without decoding the documents. Raises RefusedQueryError, ProtocolError."""
    top = _elements(raw, 0)
    if "cursor" in top and raw[top["cursor"][0]] == 0x03:
        inner = _elements(raw, top["cursor"][1])
        kind, at = inner.get("id", (-1, 0))
        if ("firstBatch" in inner or "nextBatch" in inner) and kind >= 0 and raw[kind] == 0x12:
            return int.from_bytes(raw[at : at + 8], "little", signed=True)
    refusal = refusal_in(decode(raw))
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


def decode(raw: bytearray) -> Document:
    """Return an answer decoded. Raises ProtocolError."""
    try:
        return bson.decode(raw, OPTIONS)
    except BROKEN:
        pass
    raise ProtocolError("an answer that is not valid BSON")


def refusal_in(answer: Document) -> Refusal | None:
    """Return the refusal that an answer is, or None."""
    if answer.get("ok") in (1, True):
        return None
    code = answer.get("code")
    number = int(code) if isinstance(code, int) and 0 <= code < 1 << 31 else 0
    text = str(answer.get("errmsg", ""))[:1000]
    unknown = number == 59 or "no such c" in text[:40]
    return Refusal(number, number in DENIED or (not number and bool(DENIED_TEXT.search(text))), unknown)


def payload(answer: Document) -> bytes:
    """Return the bytes of SCRAM in an answer. Raises ProtocolError."""
    payload = answer.get("payload")
    if not isinstance(payload, bytes):
        raise ProtocolError("the login was answered with something else than SCRAM")
    return payload


def depth(value: object) -> int:
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


__all__ = [
    "NESTING",
    "Document",
    "Refusal",
    "RefusedQueryError",
    "array",
    "batch",
    "cursor",
    "decode",
    "depth",
    "payload",
    "refusal_in",
    "starts",
]
