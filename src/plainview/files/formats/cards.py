"""Contacts (vCard), calendars (iCalendar) and directories (LDIF): a record for each entry, its properties as columns.

RFC 6350 and versions before, RFC 5545, RFC 2849. Nothing that an entry names is fetched.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from typing import Any

import polars as pl

from plainview.documents.walk import documents_to_frame
from plainview.files.encodings.blocks import Utf8Blocks
from plainview.files.encodings.declared import decoded
from plainview.possessive import compile_possessive
from plainview.tables import MIB, Batch, Input, ReadLog, Table

Record = dict[str, list[Any]]
ROWS = 20_000  # records of one batch
SIZE = 16 * MIB  # characters of one batch; of one record
DEEPEST = 32  # entries in entries
LINES = MIB  # characters of a line with what continues it, as text; a picture may be longer
_PROPERTY = compile_possessive(r'([\w.-]{1,200})((?:;(?:[^":;]++|"[^"]{0,2000}")*+)*+):(.*)', re.DOTALL)
_PARAMETER = compile_possessive(r';([\w-]++)(?:=((?:[^";]++|"[^"]*+")*+))?')
_ATTRIBUTE = re.compile(r"([\w.-]{1,200})(?:;[\w;.-]{0,200})?:([:<]?) ?(.*)", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_PART = compile_possessive(r"(?:[^;\\]|\\.)*+")
# what short names of properties stand for, as columns are called by
_NAMES = {
    "fn": "full_name", "tel": "telephone", "adr": "address", "bday": "birthday", "org": "organization",
    "geo": "gps_coordinates", "tz": "timezone", "url": "url", "impp": "messenger", "n": "name",
    "dtstart": "start", "dtend": "end", "dtstamp": "stamp", "uid": "uid",
}  # fmt: skip
_STRUCTURED = {
    "n": ("last_name", "first_name", "middle_name", "prefix", "suffix"),
    "adr": ("po_box", "extended", "street", "city", "region", "postal_code", "country"),
}
_PEOPLE = frozenset({"attendee", "organizer", "contact"})
_BINARY = frozenset({"photo", "logo", "sound", "key", "attach"})


def read(source: Input, log: ReadLog) -> Iterator[Batch]:
    """Yield the entries in batches. What no entry can be made of is a row with its text."""
    log.listed()
    blocks = Utf8Blocks(source, log, MIB)
    lines = _unfolded(_lines(blocks))
    kind, entries = _entries(source, lines, log)
    maps: set[str] = set()
    rows: list[dict[str, Any]] = []
    size, any_rows = 0, False
    for entry, length in entries:
        rows.append({name: values[0] if len(values) == 1 else values for name, values in entry.items()})
        size += length
        if len(rows) >= ROWS or size >= SIZE:
            yield Batch(
                Table(source.name, kind, blocks.notes),
                documents_to_frame(rows, limits=source.limits, log=log, name=source.name, maps=maps),
            )
            rows, size, any_rows = [], 0, True
    if rows or not any_rows:
        frame = documents_to_frame(rows, limits=source.limits, log=log, name=source.name, maps=maps)
        yield Batch(Table(source.name, kind, blocks.notes), frame if rows else pl.DataFrame())


def _entries(source: Input, lines: Iterator[str], log: ReadLog) -> tuple[str, Iterator[tuple[Record, int]]]:
    head = source.head.lstrip(b"\xef\xbb\xbf \t\r\n")[:16].replace(b"\0", b"").upper()
    if head.startswith(b"BEGIN:VCARD"):
        return "vcard", _components(source, lines, log)
    if head.startswith(b"BEGIN:"):
        return "icalendar", _components(source, lines, log)
    return "ldif", _directory(source, lines, log)


def _lines(blocks: Iterator[bytes]) -> Iterator[str]:
    """Yield lines; one that does not end is given in pieces."""
    carry = b""
    for block in blocks:
        parts = (carry + block.replace(b"\r\n", b"\n").replace(b"\r", b"\n")).split(b"\n")
        carry = parts.pop()
        for part in parts:
            yield part.decode("utf-8", "replace")
        if len(carry) > SIZE:
            yield carry.decode("utf-8", "replace")
            carry = b""
    if carry:
        yield carry.decode("utf-8", "replace")


def _unfolded(lines: Iterator[str]) -> Iterator[str]:
    """Join what is folded: a line that begins with a blank, or that follows a soft end of quoted-printable."""
    parts: list[str] = []
    soft, size = False, 0
    for line in lines:
        continues = line[:1] in (" ", "\t") and parts
        if parts and (continues or soft) and size < SIZE:
            parts.append(line[1:] if continues and not soft else line)
        else:
            if parts:
                yield "".join(parts)
            parts, size = [line], 0
            soft = False
        size += len(line)
        if soft := line.endswith("=") and (soft or "QUOTED-PRINTABLE" in parts[0][:500].upper()):
            parts[-1] = parts[-1][:-1]
    if parts:
        yield "".join(parts)


def _components(source: Input, lines: Iterator[str], log: ReadLog) -> Iterator[tuple[Record, int]]:
    """Yield each entry of a vCard or iCalendar file at its end; what an entry lies in is an entry as well."""
    stack: list[Record] = []
    size = binary = 0
    for line in lines:
        source.deadline.check()
        start = line[:6].upper()
        if start == "BEGIN:" and len(stack) < DEEPEST:
            stack.append({})
        elif line[:4].upper() == "END:" or size > SIZE:
            if stack and (entry := stack.pop()):
                yield entry, size
            size = 0
        elif line.strip():
            size += len(line)
            stack = stack or [{}]
            binary += _property(stack[-1], line)
    while stack:
        if entry := stack.pop():
            yield entry, size
    if binary:
        log.skip(source.name, f"pictures, sounds and files in entries were not looked into: {binary:,}")


def _property(entry: Record, line: str) -> bool:
    """Add a property to its entry; return whether it is a file, which is left out."""
    found = _PROPERTY.match(line)
    if found is None:
        _add(entry, "text", line)
        return False
    name = found[1].rpartition(".")[2].lower()
    parameters = {key.lower(): value.strip('"') for key, value in _PARAMETER.findall(found[2])}
    way = parameters.get("encoding", "").lower()
    if "quoted-printable" in found[2].lower():
        way = "quoted-printable"
    value = found[3]
    if way in {"b", "base64"} or "base64" in found[2].lower() or (name in _BINARY and value.startswith("data:")):
        if name in _BINARY:
            return True
        value = _base64(value, parameters.get("charset", "")) or value
    elif way == "quoted-printable":
        value, _ = decoded(binascii.a2b_qp(value.encode()), parameters.get("charset", ""))
    column = _NAMES.get(name, name)
    if name in _STRUCTURED:
        filled = _split(value)
        named = {key: _plain(part) for key, part in zip(_STRUCTURED[name], filled, strict=False) if part}
        more = [_plain(part) for part in filled[len(_STRUCTURED[name]) :] if part]
        entry.setdefault(column, []).append({**named, **({"more": more} if more else {})})
    elif name in _PEOPLE:
        person = {"display_name": parameters.get("cn", ""), "address": re.sub(r"(?i)^mailto:", "", _plain(value))}
        entry.setdefault(column, []).append({key: text for key, text in person.items() if text})
    else:
        _add(entry, column, _plain(value))
    for key in ("label", "email", "x-address"):
        if parameters.get(key):
            _add(entry, f"{column}_{key}", parameters[key])
    return False


def _split(value: str) -> list[str]:
    """Return the parts of a structured value, between semicolons that are not escaped."""
    parts: list[str] = []
    at = 0
    while at <= len(value) and len(parts) < 100:
        found = _PART.match(value, at)
        end = found.end() if found else len(value)
        parts.append(value[at:end])
        at = end + 1
    return parts


def _plain(value: str) -> str:
    return _ESCAPED.sub(lambda found: "\n" if found[1] in "nN" else found[1], value).strip() if "\\" in value else value


def _add(entry: Record, name: str, value: str) -> None:
    for at in range(0, len(value), LINES):
        entry.setdefault(name, []).append(value[at : at + LINES])


def _directory(source: Input, lines: Iterator[str], log: ReadLog) -> Iterator[tuple[Record, int]]:
    """Yield each entry of an LDIF file."""
    entry: Record = {}
    size = binary = outside = 0
    for line in lines:
        source.deadline.check()
        if (not line.strip() or size > SIZE) and entry:
            yield entry, size
            entry, size = {}, 0
        if not line.strip() or line == "-":
            continue
        size += len(line)
        found = _ATTRIBUTE.match(line)
        if line.startswith("#") or found is None:
            _add(entry, "comment" if line.startswith("#") else "text", line)
        elif found[2] == "<":
            outside += 1
        elif found[2] == ":":
            text = _base64(found[3])
            if text is None:
                binary += 1
            else:
                _add(entry, found[1], text)
        elif (found[1].lower(), found[3].strip()) != ("version", "1"):
            _add(entry, found[1], found[3])
    if entry:
        yield entry, size
    if outside:
        log.skip(source.name, f"values that stand in other files were not fetched: {outside:,}")
    if binary:
        log.skip(source.name, f"values that are no text (pictures, certificates) were not looked into: {binary:,}")


def _base64(value: str, charset: str = "") -> str | None:
    """Return text in base64, or None where it is none."""
    raw = re.sub(rb"[^A-Za-z0-9+/]", b"", value.encode("utf-8", "replace"))
    try:
        data = binascii.a2b_base64(raw[: len(raw) - (len(raw) % 4 == 1)] + b"=" * (-len(raw) % 4))
    except binascii.Error:
        return None
    if any(byte < 32 and byte not in b"\t\r\n" for byte in data[:256]):
        return None
    return decoded(data, charset)[0]


__all__ = ["read"]
