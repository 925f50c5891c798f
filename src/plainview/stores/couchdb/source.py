"""CouchDB and compatible servers: every database, one table each, and its design documents as a table of their own."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator
from contextlib import closing
from typing import TYPE_CHECKING

import msgspec
import polars as pl

from plainview.documents.json_lines import JsonLines
from plainview.errors import DeniedError, ProtocolError, ReadError, RefusedError
from plainview.possessive import compile_possessive
from plainview.stores.base import NetworkSource, Verdict
from plainview.stores.couchdb import access
from plainview.stores.shared.paging import Paging
from plainview.tables import Batch, ReadLog, Table, Unit
from plainview.tables.ahead import ahead
from plainview.tables.sampling import sample_rows
from plainview.wire.authorization import dressed

if TYPE_CHECKING:
    from plainview.wire.http import Http, Reply

FIRST, MOST = 500, 10_000  # documents of a page
PAGE = 8 << 20  # bytes that a page aims at
OWN_IDS = compile_possessive(r"(?:[0-9a-f]{32}\n)*+[0-9a-f]{32}")  # ids that the server made
DESIGN = "_design/"


class Row(msgspec.Struct):
    """One line of `_all_docs`; the document's JSON is untouched."""

    id: str = ""
    doc: msgspec.Raw = msgspec.Raw(b"null")


class Page(msgspec.Struct):
    """One answer of `_all_docs`. `bytes` is set by us."""

    total_rows: int | None = None
    rows: list[Row] = []
    bytes: int = 0


class CouchSource(NetworkSource):
    """A unit is a database; the address may name one: `couchdb://host:5984/people`."""

    kind = "couchdb"
    _tls: bool | None = None

    def ask(self, verdict: Verdict) -> None:
        """Ask what a stranger may do; a port that turns out to speak TLS is asked that way."""
        with closing(self.wire.http()) as http:
            try:
                access.ask(http, verdict, self._wanted())
            finally:
                self._tls = http.tls

    def _wanted(self) -> list[str]:
        name = self.target.path.strip("/")
        return [name] if name else []

    def client(self) -> Http:
        """Return a client of its own for a thread, with the credential where it is needed."""
        self.check_access()
        credential = self.credential
        return self.wire.http(tls=self._tls, credential=credential, dress=dressed(credential))

    def pieces(self, log: ReadLog) -> Iterator[Unit]:  # noqa: ARG002
        """List the databases."""
        if wanted := self._wanted():
            yield from (Unit(name) for name in wanted)
            return
        with closing(self.client()) as http:
            reply = http.ask("couchdb.list")
        if reply.status == 401 and (credential := self.credential):
            raise RefusedError(f"the credential was not accepted ({credential.origin})")
        if reply.status in access.REFUSED:
            raise RefusedError(
                f"the list of databases was refused ({reply.status})",
                hint="only an administrator may list them: name a database in the address",
            )
        if not reply.ok:
            raise ProtocolError(f"the list of databases was answered with {reply.status}")
        yield from (Unit(name) for name in access.parse_names(reply.json()))

    def rows(self, unit: Unit, log: ReadLog, sample: int | None) -> Iterator[Batch]:
        """Yield the documents of a database. CouchDB draws nothing at random: a sample is drawn by us."""
        with closing(self.client()) as http:
            batches = _Database(self, http, unit.name, log).batches()
            how = "drawn at random by plainview: all documents were read"
            yield from sample_rows(batches, sample, unit.name, how) if sample is not None else batches


class _Database:
    """The reading of one database over one client."""

    def __init__(self, source: CouchSource, http: Http, name: str, log: ReadLog) -> None:
        self.source, self.http, self.name, self.log = source, http, name, log
        kind = (source.check_access().product or "CouchDB").lower()
        self.tables = {"": Table(name, kind), DESIGN: Table(f"{name}/_design", kind)}
        self.lines = {
            part: JsonLines(limits=source.limits, log=log, name=table.name, unit="document")
            for part, table in self.tables.items()
        }
        self.walk = Paging(source.wire, "the list of documents does", recount=self._count)
        self.attached = 0
        self.read = 0

    def batches(self) -> Iterator[Batch]:
        """Yield all frames; raises at the end when not everything came."""
        total: int | None = None
        for page in ahead(self._pages()):
            self.log.read(page.bytes)
            if total is None:
                total = page.total_rows or 0
                self.log.listed(rows=total)
                if not page.rows:
                    yield Batch(self.tables[""], pl.DataFrame())
            for part in self.tables:
                kept = [row for row in page.rows if row.id.startswith(DESIGN) == bool(part)]
                yield from self._batch(part, [row for row in kept if bytes(memoryview(row.doc)[:5]) != b"null"])
        for lines in self.lines.values():
            lines.finish()
        if self.attached:
            why = "documents have attachments: files inside documents are not read"
            self.log.skip(self.name, f"{self.attached:,} {why}")
        self.walk.end("documents", came=self.read)

    def _batch(self, part: str, rows: list[Row]) -> Iterator[Batch]:
        if not rows:
            return
        self.read += len(rows)
        frame = self.lines[part].read(b"\n".join([row.doc for row in rows]) + b"\n")
        if "_attachments" in frame.columns:
            self.attached += frame.height - frame["_attachments"].null_count()
        dropped = ["_rev"]
        if OWN_IDS.fullmatch("\n".join([row.id for row in rows])):
            dropped.append("_id")
        yield Batch(self.tables[part], frame.drop(dropped, strict=False))

    def _pages(self) -> Generator[Page]:
        """Yield the answers; each page begins with the last document of the one before, which is left out."""
        page = _page(self.http.ask("couchdb.first", database=self.name, limit=FIRST))
        self.walk.said = page.total_rows
        limit = FIRST
        while page.rows or not self.walk.pages:
            ids = tuple(row.id for row in page.rows)
            mark = ids[-1] if ids else None
            new = self.walk.page(len(ids), mark=mark, same=ids, size=limit, received=page.bytes)
            if new or self.walk.pages == 1:
                yield page
            if len(ids) < limit - 1:
                return
            limit = max(2, min(MOST, PAGE * len(ids) // max(page.bytes, 1)))
            page = _page(self.http.ask("couchdb.next", database=self.name, limit=limit, last=json.dumps(ids[-1])))
            if page.rows and page.rows[0].id == ids[-1]:
                del page.rows[0]

    def _count(self) -> int | None:
        """Return how many documents the server says there are; over a connection of its own."""
        with closing(self.source.client()) as http:
            reply = http.ask("couchdb.count", database=self.name)
            return _page(reply).total_rows


def _page(reply: Reply) -> Page:
    """Return a page of documents. Raises PlainviewError."""
    if reply.status in access.REFUSED:
        raise DeniedError(f"no permission to read it ({reply.status})")
    if not reply.ok:
        raise ReadError(f"its documents were answered with {reply.status}")
    page = reply.shaped(Page, "the documents came as something else than a page of documents")
    page.bytes = len(reply.body)
    return page


__all__ = ["CouchSource"]
