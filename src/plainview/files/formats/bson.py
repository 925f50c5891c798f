"""BSON as mongodump writes it: documents one after the other (bsonspec.org)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

import bson
import polars as pl
from bson.codec_options import CodecOptions, DatetimeConversion

from plainview.documents.walk import documents_to_frame
from plainview.errors import DamagedError
from plainview.tables import MIB, Batch, Input, ReadLog, Table

LARGEST = 48 * MIB  # MongoDB's own limit is 16 MiB for a document and 48 MiB for a message
SMALLEST = 5  # a length and the closing zero
BATCH = 8 * MIB
SHOWN = 10
_DAMAGED = (bson.errors.BSONError, ValueError, OverflowError, TypeError)
_OPTIONS: CodecOptions[dict[str, Any]] = CodecOptions(
    document_class=dict,
    unicode_decode_error_handler="replace",
    datetime_conversion=DatetimeConversion.DATETIME_AUTO,
)


def read(source: Input, log: ReadLog) -> Iterator[Batch]:
    """Yield one table, a row for each document. DamagedError: the next one cannot be found.

    A document that cannot be decoded is told with its number, the others are read.
    """
    table = Table(source.name, "bson")
    maps: set[str] = set()
    rows = 0
    bad: list[int] = []
    number = 0
    problem = ""
    with source.open() as stream:
        documents = _Documents(stream, log)
        while raw := documents.batch():
            source.deadline.check()
            docs = []
            for doc in decoded(raw):
                number += 1
                if doc is None:
                    bad.append(number)
                else:
                    docs.append(doc)
            if docs:
                rows += len(docs)
                frame = documents_to_frame(docs, limits=source.limits, log=log, name=source.name, maps=maps)
                yield Batch(table, frame)
        problem = documents.problem
    if not rows and not problem:
        yield Batch(table, pl.DataFrame())  # an empty collection is a table too
    if bad:
        log.skip(source.name, number_list(bad))
    if problem:
        raise DamagedError(f"{problem}, after {number:,} documents")


def number_list(bad: list[int]) -> str:
    """Say which documents could not be decoded."""
    shown = ", ".join(map(str, bad[:SHOWN])) + (", ..." if len(bad) > SHOWN else "")
    return f"{len(bad):,} document(s) not valid BSON: number {shown}"


class _Documents:
    """Cuts a stream into documents by their lengths, which are checked before any memory is taken."""

    def __init__(self, stream: BinaryIO, log: ReadLog) -> None:
        self.stream = stream
        self.log = log
        self.problem = ""

    def batch(self) -> list[bytes]:
        """Return documents of about BATCH bytes in all; none at the end or at a problem."""
        found: list[bytes] = []
        size = 0
        while size < BATCH and not self.problem:
            head = self.stream.read(4)
            if not head:
                break
            length = int.from_bytes(head, "little")
            if len(head) < 4:
                self.problem = "ends inside a length (truncated)"
            elif not SMALLEST <= length <= LARGEST:
                self.problem = "a document declares an impossible length"
            else:
                body = self.stream.read(length - 4)
                if len(body) < length - 4:
                    self.problem = "ends inside a document (truncated)"
                else:
                    found.append(head + body)
                    size += length
        self.log.read(size)
        return found


class _Every(dict[str, Any]):
    """A document that keeps all values of a key that stands in it twice, as a list."""

    def __setitem__(self, key: str, value: Any) -> None:
        if key in self:
            before = self[key]
            value = [*before, value] if type(before) is _Values else [before, value]
            value = _Values(value)
        super().__setitem__(key, value)


class _Values(list[Any]):
    """The values of one key."""


_EVERY: CodecOptions[dict[str, Any]] = _OPTIONS.with_options(document_class=_Every)


def decoded(raw: list[bytes]) -> list[dict[str, Any] | None]:
    """Decode all at once, or one by one where one of them is damaged (then None in its place)."""
    try:
        docs = list(bson.decode_all(b"".join(raw), _OPTIONS))
        if any(len(bson.encode(doc)) < len(data) for doc, data in zip(docs, raw, strict=True)):
            docs = [_plain(doc) for doc in bson.decode_all(b"".join(raw), _EVERY)]  # some key stands in one twice
    except (*_DAMAGED, RecursionError):
        return [_one(data) for data in raw]
    return [*docs]


def _plain(value: Any) -> Any:
    """Return what was decoded with all values of a key, as plain dictionaries and lists."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list) else value


def _one(data: bytes) -> dict[str, Any] | None:
    try:
        return bson.decode(data, _OPTIONS)
    except (*_DAMAGED, RecursionError):
        return None


__all__ = ["BATCH", "LARGEST", "SMALLEST", "decoded", "number_list", "read"]
