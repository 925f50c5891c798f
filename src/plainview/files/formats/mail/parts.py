"""The parts of a message (RFC 2045, 2046): text, files, and messages in it, by a stack and not by recursion."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from plainview.errors import LimitError
from plainview.files.formats.mail.fields import Fields, content, file_name, split, value_of
from plainview.tables import Input, ReadLog

_ENDS = {
    "text/plain": ".txt", "text/html": ".html", "text/csv": ".csv", "text/calendar": ".ics", "text/vcard": ".vcf",
    "text/x-vcard": ".vcf", "application/json": ".json", "text/xml": ".xml", "application/xml": ".xml",
}  # fmt: skip
_NOT_B64 = re.compile(rb"[^A-Za-z0-9+/=]")
_UU_LINE = re.compile(rb"[ -`]{1,100}")


@dataclass(slots=True)
class Part:
    """A message (`fields` of it), running text, or a file: `data` is decoded from how it was sent."""

    what: Literal["message", "text", "file"]
    kind: str  # of MIME, as "text/plain"
    fields: Fields
    data: bytes = b""
    charset: str = ""
    name: str = ""
    flowed: bool = False


def parts(message: bytes, source: Input, log: ReadLog, name: str) -> Iterator[Part]:
    """Yield the message itself and all that it holds, in the order in which it stands. What is too deep is told."""
    stack: list[tuple[bytes, str, int]] = [(message, "message/rfc822", 0)]
    while stack:
        source.deadline.check()
        data, kind, depth = stack.pop()
        if depth > source.limits.nesting:
            log.skip(name, LimitError(f"parts nested more than {source.limits.nesting} levels deep"))
            continue
        fields, body = split(data)
        if kind == "message/rfc822":
            yield Part("message", kind, fields)
        elif kind == "text/plain":  # before the first part, or behind the last
            yield Part("text", kind, [], data)
            continue
        about = content(fields)
        own = about.get_content_type() if value_of(fields, "content-type") else "text/plain"
        if kind == "multipart/digest" and not value_of(fields, "content-type"):
            own = "message/rfc822"
        boundary = _boundary(about.get_param("boundary")) if own.startswith("multipart/") else b""
        if boundary:
            inner = _between(body, boundary)
            if len(inner) > 1:
                around = [(piece, "text/plain", depth + 1) for piece in (inner[0], inner[-1]) if _says(piece)]
                stack += around + [(piece, own, depth + 1) for piece in reversed(inner[1:-1])]
                continue
        plain = _decoded(body, value_of(fields, "content-transfer-encoding"))
        if own in {"message/rfc822", "message/global"}:
            stack.append((plain, "message/rfc822", depth + 1))
        else:
            yield _leaf(own, fields, plain)


def _leaf(kind: str, fields: Fields, data: bytes) -> Part:
    about = content(fields)
    name = file_name(about)
    charset = str(about.get_param("charset") or "")
    attached = about.get_content_disposition() == "attachment"
    if kind.startswith(("text/plain", "text/html", "multipart/", "message/", "text/enriched", "text/rfc822")) and not (
        attached and name
    ):
        flowed = str(about.get_param("format")).lower() == "flowed"
        return Part("text", kind, fields, data, charset, name, flowed)
    return Part("file", kind, fields, data, charset, name or "part" + _ENDS.get(kind, ""))


def _boundary(value: object) -> bytes:
    text = value[2] if isinstance(value, tuple) else value
    return str(text).encode("utf-8", "replace")[:500].rstrip() if text else b""


def _between(body: bytes, boundary: bytes) -> list[bytes]:
    """Return what stands before, between and behind the lines of a boundary; of a body cut short, "" behind."""
    line = re.compile(rb"(?:\A|\r?\n)--" + re.escape(boundary) + rb"(--)?[ \t]{0,80}(?=\r?\n|\Z)")
    found: list[bytes] = []
    at, closed = 0, False
    for mark in line.finditer(body):
        found.append(body[at : mark.start()].removeprefix(b"\r").removeprefix(b"\n") if found else body[: mark.start()])
        at, closed = mark.end(), bool(mark[1])
        if closed:
            break
    if not found:
        return []
    rest = body[at:].removeprefix(b"\r").removeprefix(b"\n")
    return [*found, rest] if closed else [*found, rest, b""]


def _says(piece: bytes) -> bool:
    """Tell whether a piece holds more than the line for programs that know no parts."""
    text = piece.strip()
    return bool(text) and not (len(text) < 400 and b"MIME" in text and b"@" not in text)


def _decoded(body: bytes, encoding: str) -> bytes:
    """Return a body as it was before it was made fit for sending; what is damaged, as far as it goes."""
    way = encoding.partition(";")[0].strip().lower()
    if way == "quoted-printable":
        return binascii.a2b_qp(body)
    if way == "base64":
        letters = _NOT_B64.sub(b"", body)
        end = letters.find(b"=")
        letters = letters[: end if end >= 0 else len(letters)]
        letters = letters[: len(letters) - (len(letters) % 4 == 1)]
        return binascii.a2b_base64(letters + b"=" * (-len(letters) % 4))
    if way in {"x-uuencode", "uuencode", "x-uue"}:
        return b"".join(_uu(line) for line in body.splitlines() if _UU_LINE.fullmatch(line.rstrip(b"\r")))
    return body


def _uu(line: bytes) -> bytes:
    try:
        return binascii.a2b_uu(line)
    except binascii.Error:
        return b""


__all__ = ["Part", "parts"]
