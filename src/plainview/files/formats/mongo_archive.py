"""`mongodump --archive`: the collections of a dump in slices of one stream.

Layout: common/archive of mongo-tools: a magic number, a header, a document for each collection, then slices, each with
a header that names its collection, its documents, and an end mark.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

import polars as pl

from plainview.documents.walk import documents_to_frame
from plainview.errors import DamagedError
from plainview.files.formats.bson import BATCH, LARGEST, SMALLEST, decoded, number_list
from plainview.tables import Batch, Input, ReadLog, Table

END = b"\xff\xff\xff\xff"
COLLECTIONS = 100_000
CUT, BROKEN = "it ends inside of a collection (truncated)", "a document declares an impossible length"


def read(source: Input, log: ReadLog) -> Iterator[Batch]:
    """Yield a table for each collection. Raise DamagedError where the next document cannot be found."""
    with source.open() as stream:
        stream.read(4)
        archive = _Archive(source, log)
        try:
            archive.begin(stream)
            yield from archive.slices(stream)
        except DamagedError:
            yield from archive.rest()
            raise
        yield from archive.rest()
        yield from archive.empty()
        archive.tell()


def _next(stream: BinaryIO) -> bytes:
    """Return the bytes of the next document, none at an end mark. Raises DamagedError, EOFError at the very end."""
    head = stream.read(4)
    if head == END:
        return b""
    if not head:
        raise EOFError
    length = int.from_bytes(head, "little")
    if len(head) == 4 and not SMALLEST <= length <= LARGEST:
        raise DamagedError(BROKEN)
    body = stream.read(max(0, length - 4))
    if len(head) < 4 or len(body) < length - 4:
        raise DamagedError(CUT)
    return head + body


def _header(raw: bytes) -> dict[str, Any]:
    (header,) = decoded([raw])
    if header is None:
        raise DamagedError("a header is not valid BSON")
    return header


class _Archive:
    """What was read of each collection and waits to become a batch."""

    def __init__(self, source: Input, log: ReadLog) -> None:
        self.source, self.log = source, log
        self._waiting: dict[str, list[bytes]] = {}
        self._size = 0
        self._listed: dict[str, None] = {}
        self._read: dict[str, set[str]] = {}  # keys that are values, by collection
        self._bad: dict[str, list[int]] = {}
        self._count: dict[str, int] = {}
        self._ended: set[str] = set()

    def begin(self, stream: BinaryIO) -> None:
        """Read the header and the list of collections."""
        try:
            _header(_next(stream))
            while raw := _next(stream):
                header = _header(raw)
                if len(self._listed) < COLLECTIONS and header.get("type", "collection") == "collection":
                    self._listed[_name(header)] = None
        except EOFError:
            raise DamagedError(CUT) from None

    def slices(self, stream: BinaryIO) -> Iterator[Batch]:
        """Yield batches until the end."""
        while True:
            try:
                head = _next(stream)
            except EOFError:
                return
            if not head:
                raise DamagedError(BROKEN)
            header = _header(head)
            name = _name(header)
            if header.get("EOF") is True:
                self._ended.add(name)
            try:
                while raw := _next(stream):
                    self._waiting.setdefault(name, []).append(raw)
                    self._size += len(raw)
                    if self._size >= BATCH:
                        yield from self.rest()
            except EOFError:
                raise DamagedError(CUT) from None

    def rest(self) -> Iterator[Batch]:
        """Give what waits."""
        waiting, self._waiting = self._waiting, {}
        self.log.read(self._size)
        self._size = 0
        for name, raw in waiting.items():
            self.source.deadline.check()
            docs = []
            for doc in decoded(raw):
                self._count[name] = self._count.get(name, 0) + 1
                if doc is None:
                    self._bad.setdefault(name, []).append(self._count[name])
                else:
                    docs.append(doc)
            if docs:
                whole, maps = f"{self.source.name}/{name}", self._read.setdefault(name, set())
                frame = documents_to_frame(docs, limits=self.source.limits, log=self.log, name=whole, maps=maps)
                yield Batch(Table(whole, "mongo_archive"), frame)

    def empty(self) -> Iterator[Batch]:
        """Give the collections in which nothing is."""
        for name in self._listed:
            if name not in self._count:
                yield Batch(Table(f"{self.source.name}/{name}", "mongo_archive"), pl.DataFrame())

    def tell(self) -> None:
        """Tell the documents that could not be decoded, and the collections whose end is not there."""
        if missing := [name for name in self._listed if name not in self._ended]:
            self.log.skip(self.source.name, f"it ends before {len(missing):,} of its collections do (truncated)")
        if not self._listed and not self._count:
            self.log.note(self.source.name, "no collection in it")
        for name, numbers in self._bad.items():
            self.log.skip(f"{self.source.name}/{name}", number_list(numbers))


def _name(header: dict[str, Any]) -> str:
    parts = (header.get("db"), header.get("collection"))
    return ".".join(part for part in parts if isinstance(part, str) and part) or "collection"


__all__ = ["read"]
