"""MongoDB: every collection of every database, one table each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, cast

import polars as pl

from plainview.documents.bson import columns
from plainview.documents.walk import documents_to_frame
from plainview.errors import DeniedError, PlainviewError, ProtocolError, ReadError, RefusedError
from plainview.stores.base import NetworkSource, Verdict
from plainview.stores.mongodb.access import GUARDED, Question, database_names, items_of
from plainview.stores.mongodb.answers import Document, Refusal, RefusedQueryError, batch, starts
from plainview.stores.mongodb.wire import Mongo
from plainview.stores.shared.paging import Paging
from plainview.tables import Batch, ReadLog, Table, Unit
from plainview.tables.ahead import ahead
from plainview.tables.sampling import sample_rows

READS_FROM = 4  # wire version from which `find` is a command: 3.2
FIRST, TARGET = 1_000, 8 << 20  # documents, then bytes, that an answer aims at


@dataclass(frozen=True, slots=True)
class Place:
    """A collection. `views` of it are not read again."""

    database: str
    collection: str
    kind: str
    views: int = 0
    count: int | None = None


class MongoSource(NetworkSource):
    """A unit is a collection. The address may name a database: `…:27017/shop`."""

    kind = "mongodb"
    _tls = False

    # -- the stranger's question ------------------------------------------------------------------------

    def ask(self, verdict: Verdict) -> None:
        """Ask what a stranger may do; a port that turns out to speak TLS is asked that way."""
        wanted = self.target.tls
        problem: PlainviewError | None = None
        for tls in (wanted, not wanted):
            try:
                with Mongo(self.wire, tls=tls) as client:
                    client.greet("mongodb.hello")
                    self._tls = tls
                    if tls != wanted:
                        verdict.note("the port speaks TLS" if tls else "the port speaks no TLS")
                    Question(client, verdict, self.wire).ask()
                    return
            except ProtocolError as error:
                if verdict.evidence:
                    raise
                problem = problem or error
            except RefusedError:
                self._tls = tls
                raise
        if problem is not None:
            raise problem

    # -- reading ----------------------------------------------------------------------------------------

    def client(self) -> Mongo:
        """Return a connection of its own for a thread, logged in where it has to be."""
        self.check_access()
        credential = self.credential
        client = Mongo(self.wire, tls=self._tls, credential=credential)
        try:
            client.greet("mongodb.greet")
            if client.version < READS_FROM:
                raise ReadError("MongoDB older than 3.2 is not read by this version")
            if credential is not None:
                client.login(credential, self.target.option("authSource") or self.target.path or "admin")
        except PlainviewError:
            client.close()
            raise
        return client

    def pieces(self, log: ReadLog) -> Iterator[Unit]:
        """List the collections; what is not read is reported."""
        with self.client() as client:
            if self.target.path:
                databases = [self.target.path]
            else:
                databases = database_names(_asked(client.ask("mongodb.databases"), "the list of databases"))
            for database in databases:
                try:
                    places = self._collections(client, database, log)
                except PlainviewError as error:
                    log.skip(database, error)
                    continue
                for place in places:
                    size = client.ask("mongodb.size", database, collection=place.collection)
                    rows = size.get("n") if isinstance(size, dict) else None
                    rows = int(rows) if isinstance(rows, (int, float)) and 0 <= rows < 1 << 62 else None
                    yield Unit(f"{database}.{place.collection}", rows=rows, locator=replace(place, count=rows))

    def _collections(self, client: Mongo, database: str, log: ReadLog) -> list[Place]:
        """List the collections of a database that are to be read."""
        found = _listing(client, database)
        names = {item["name"] for item in found}
        series = {item["name"] for item in found if item.get("type") == "timeseries"}
        views: dict[str, int] = {}
        for item in found:
            if item.get("type") == "view":
                options = item.get("options")
                source = str(options.get("viewOn", "")) if isinstance(options, dict) else ""
                views[source] = views.get(source, 0) + 1
        places = []
        for item in found:
            name = item["name"]
            what = f"{database}.{name}"
            if item.get("type") == "view" or name == "system.views":
                continue
            if name.startswith("system.buckets.") and name.removeprefix("system.buckets.") in series:
                continue  # how a time series is stored: it is read by its own name
            if name in GUARDED:
                log.listed()
                log.skip(what, "not read: the server keeps its own users, password hashes or keys in it")
            elif database == "local" and name.startswith("oplog."):
                log.listed()
                log.skip(what, "not read: the server's log of changes, copies of what stands in the collections")
            elif name.endswith(".chunks") and name.removesuffix("chunks") + "files" in names:
                log.listed()
                log.skip(what, "not read: contents of files in GridFS; their names and metadata were read")
            else:
                kind = "mongodb time series" if name in series else "mongodb collection"
                places.append(Place(database, name, kind, views.get(name, 0)))
        return places

    def rows(self, unit: Unit, log: ReadLog, sample: int | None) -> Iterator[Batch]:
        """Yield the documents of a collection. `sample`: drawn by the server ($sample)."""
        place = cast("Place", unit.locator)
        log.listed(rows=unit.rows or 0)
        notes = []
        if place.views:
            notes.append(f"{place.views} views of it were not read again")
        whole = drawn = Table(unit.name, place.kind, tuple(notes))
        probe, params = "mongodb.find", {}
        if sample is not None and (unit.rows is None or unit.rows > sample):
            drawn = whole.drawn("drawn by the server ($sample)")
            probe, params = "mongodb.sample", {"rows": sample}
        with self.client() as client:
            try:
                yield from self._read(client, place, drawn, log, probe, params)
            except RefusedQueryError as refused:
                problem = refused.refusal
            else:
                return
        if probe == "mongodb.find" or problem.denied:
            raise _why(problem)
        # $sample needs memory or is not known there: everything is read, and drawn from here.
        with self.client() as client:
            try:
                every = self._read(client, place, whole, log, "mongodb.find", {})
                yield from sample_rows(every, sample or 0, unit.name, "drawn from all documents as they were read")
            except RefusedQueryError as refused:
                problem = refused.refusal
                raise _why(problem) from None

    def _read(
        self, client: Mongo, place: Place, table: Table, log: ReadLog, probe: str, params: dict[str, Any]
    ) -> Iterator[Batch]:
        maps: set[str] = set()
        broken = read = 0
        target = min(TARGET, self.wire.limits.answer)
        said = cast("int | None", params.get("rows", place.count))
        pages = Paging(self.wire, "the documents do", said=said, size=FIRST, recount=lambda: self._exact(place))
        answers = client.documents(probe, place.database, place.collection, pages, target, **params)
        try:
            for raw in ahead(answers):
                log.read(len(raw))
                frame = self._columns(raw, log, table, maps)
                if frame is None:
                    docs, bad = batch(raw)
                    broken += bad
                    frame = documents_to_frame(docs, limits=self.limits, log=log, name=table.name, maps=maps)
                read += frame.height
                pages.came(frame.height)
                if frame.height:
                    yield Batch(table, frame)
        finally:
            if broken:
                log.skip(table.name, f"{broken:,} documents are not valid BSON")
        if not read:
            yield Batch(table, pl.DataFrame())
        if probe == "mongodb.find":
            pages.end("documents", came=read + broken)

    def _exact(self, place: Place) -> int | None:
        """Return how many documents there are: after a crash, and in a cluster, the metadata may be wrong."""
        with self.client() as client:
            answer = client.ask("mongodb.exact", place.database, collection=place.collection)
        found = items_of(answer) if isinstance(answer, dict) else None
        return None if found is None else sum(item["n"] for item in found if isinstance(item.get("n"), int))

    def _columns(self, raw: bytearray, log: ReadLog, table: Table, maps: set[str]) -> pl.DataFrame | None:
        """Return a batch without decoding each document, where its shape allows that."""
        places = starts(raw)
        return columns(raw, places, limits=self.limits, log=log, name=table.name, maps=maps) if places else None


def _asked(answer: Document | Refusal, what: str) -> Document:
    if isinstance(answer, Refusal):
        raise (
            RefusedError(f"{what} was refused (error {answer.code})")
            if answer.denied
            else ProtocolError(f"{what} was answered with error {answer.code}")
        )
    return answer


def _listing(client: Mongo, database: str) -> list[Document]:
    """List all collections, with their options where that is allowed."""
    for authorized in (False, True):
        found: list[Document] = []
        try:
            pages = Paging(client.wire, "the list of collections does")
            for raw in client.documents(
                "mongodb.collections", database, "$cmd.listCollections", pages, TARGET, authorized=authorized
            ):
                found += [item for item in batch(raw)[0] if isinstance(item.get("name"), str)]
        except RefusedQueryError as refused:
            if authorized or not refused.refusal.denied:
                raise _why(refused.refusal) from None
        else:
            break
    return found


def _why(refusal: Refusal) -> PlainviewError:
    if refusal.denied:
        return DeniedError(f"no permission to read it (error {refusal.code})")
    if refusal.code == 26:
        return ReadError("it vanished while it was read")
    return ReadError(f"the server answered with error {refusal.code}")


__all__ = ["MongoSource"]
