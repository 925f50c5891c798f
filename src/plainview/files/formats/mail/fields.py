"""Header fields of a message (RFC 5322, 2047): taken apart, decoded, and made a record. Each step is linear."""

from __future__ import annotations

import binascii
import re
from email.message import Message
from typing import Any

from plainview.files.encodings.declared import decoded
from plainview.possessive import compile_possessive

Fields = list[tuple[str, str]]
LONGEST = 2_000  # characters of a field that the standard library takes apart
_FOLD = re.compile(rb"\r?\n[ \t]{1,80}")
_LINE = re.compile(rb"([!-9;-~]{1,200})[ \t]{0,9}:[ \t]*([^\n]*)\n?")
_BLANK = re.compile(rb"\r?\n")
_WORD = re.compile(r"=\?([\w.:*+-]{1,60})\?([bBqQ])\?([^?]{0,8000})\?=")
_TOKEN = compile_possessive(
    r'"((?:[^"\\]|\\.){0,1000}+)"|<([^<>]*+)>|\(((?:[^()\\]|\\.){0,1000}+)\)|([,;])|([^",;<>()]++|.)', re.DOTALL
)
PEOPLE = (
    "from",
    "to",
    "cc",
    "bcc",
    "reply-to",
    "sender",
    "resent-from",
    "resent-to",
    "resent-cc",
    "disposition-notification-to",
)
SINGLE = ("date", "subject", "message-id", "organization", "list-id")
SEVERAL = ("received", "delivered-to", "return-path", "x-originating-ip", "x-original-to", "envelope-to")


def split(message: bytes) -> tuple[Fields, bytes]:
    """Return the fields of a message or part, and its body. A line that is no field begins the body."""
    at, fields = 0, []
    while at < len(message):
        if blank := _BLANK.match(message, at):
            at = blank.end()
            break
        field = _LINE.match(message, at)
        if field is None:
            break
        at, value = field.end(), [field[2]]
        while at < len(message) and message[at] in b" \t":
            end = message.find(b"\n", at) + 1 or len(message)
            value.append(message[at:end])
            at = end
        text, _ = decoded(b" ".join(part.strip() for part in value))
        fields.append((field[1].decode("ascii").lower(), text))
    return fields, message[at:]


def words(text: str) -> str:
    """Return a field with its encoded words decoded (RFC 2047); neighbours of one encoding are decoded as one."""
    if "=?" not in text:
        return text
    parts: list[tuple[str, bytes | str]] = []
    at = 0
    for found in _WORD.finditer(text):
        between = text[at : found.start()]
        data = _unencoded(found[3], found[2])
        at = found.end()
        if parts and isinstance(before := parts[-1][1], bytes) and not between.strip():
            if parts[-1][0] == found[1].lower():
                parts[-1] = (parts[-1][0], before + data)  # a letter may be cut between them
                continue
        elif between:
            parts.append(("", between))
        parts.append((found[1].lower(), data))
    parts.append(("", text[at:]))
    joined: list[str] = [
        each if isinstance(each, str) else decoded(each, name.split("*")[0])[0] for name, each in parts
    ]
    return "".join(joined)


def _unencoded(text: str, way: str) -> bytes:
    raw = text.encode("utf-8", "replace")
    if way in "bB":
        try:
            return binascii.a2b_base64(raw + b"==")
        except binascii.Error:
            return raw
    return binascii.a2b_qp(raw, header=True)


def addresses(text: str) -> list[dict[str, str]]:
    """Return the name and the address of each that a field lists, in any order; what is missing is not there."""
    found: list[dict[str, str]] = []
    name: list[str] = []
    address = ""
    for quoted, angle, comment, end, plain in _TOKEN.findall(text + ","):
        if end:
            _add(found, name, address)
            name, address = [], ""
        elif angle:
            address = angle.strip()
        elif quoted or comment:
            name.append(re.sub(r"\\(.)", r"\1", quoted or comment))
        elif plain.strip():
            name.append(plain.strip())
    return found


def _add(found: list[dict[str, str]], name: list[str], address: str) -> None:
    if not address:
        at = next((index for index, part in enumerate(name) if "@" in part), None)
        if at is not None:
            address = name.pop(at).rpartition(":")[2].strip()  # `group: a@example.org`
    shown = words(" ".join(name)).strip().strip("'")
    entry = {key: value for key, value in (("display_name", shown), ("address", address)) if value and shown != address}
    if address and shown == address:
        entry = {"address": address}
    if entry:
        found.append(entry)


def record(number: int, envelope: bytes, fields: Fields) -> dict[str, Any]:
    """Return a message as a row: people as lists of names and addresses, other fields as text."""
    row: dict[str, Any] = {"message": number}
    if envelope:
        row["envelope"] = decoded(envelope[5:].strip())[0]
    for name, value in fields:
        text = words(value)
        if name in PEOPLE:
            row.setdefault(name.replace("-", "_"), []).extend(addresses(value))
        elif name in SINGLE and name not in row:
            row[name.replace("-", "_")] = text
        elif name in SEVERAL:
            row.setdefault(name.replace("-", "_"), []).append(text)
        elif name not in _FORM:
            row.setdefault("other_fields", []).append(f"{name}: {text}")
    return row


_FORM = frozenset(("content-type", "content-transfer-encoding", "mime-version", "content-length", "lines"))


def value_of(fields: Fields, name: str) -> str:
    """Return the first field of a name, or ""."""
    return next((value for key, value in fields if key == name), "")


def content(fields: Fields) -> Message:
    """Return what the fields say of the content, for the standard library to take apart; its work is bounded."""
    message = Message()
    for name in ("content-type", "content-disposition"):
        if value := value_of(fields, name):
            message[name] = value[:LONGEST].replace("\r", " ").replace("\n", " ")
    return message


def file_name(message: Message) -> str:
    """Return the name that a part gives its file, decoded, or ""."""
    try:
        return words(message.get_filename("") or "")
    except (LookupError, ValueError, UnicodeError):
        return ""


__all__ = ["Fields", "addresses", "content", "file_name", "record", "split", "value_of", "words"]
