"""MongoDB: every collection of every database, one table each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import polars as pl

from plainview.documents import documents_to_frame
from plainview.errors import DeniedError, PlainviewError, ProtocolError, ReadError, RefusedError
from plainview.sources.ahead import ahead
from plainview.sources.base import Batch, ReadLog, Table, Unit
from plainview.sources.mongo_wire import Document, Mongo, Refusal, RefusedQueryError, batch
from plainview.sources.network import NetworkSource, Verdict
from plainview.sources.prior_access import Named, prior_access
from plainview.sources.sampling import sample_rows

if TYPE_CHECKING:
    from plainview.wire import Wire

VERSION = re.compile(r"[0-9]{1,3}\.[0-9]{1,3}\.[0-9A-Za-z.+-]{1,30}")
OWN = frozenset({"admin", "config", "local"})  # databases that the server makes itself
# Collections of the server's own that hold secrets; they are named, and never read.
GUARDED = frozenset({"system.users", "system.keys", "system.new_users", "system.backup_users"})
OPEN_TEXT = re.compile(r"(?i)access control is not enabled")
READS_FROM = 4  # wire version from which `find` is a command: 3.2
FIRST, TARGET = 1_000, 8 << 20  # documents, then bytes, that an answer aims at
DATABASES, COUNTED = 50, 10  # asked for names, for counts, in the stranger's question


@dataclass(frozen=True, slots=True)
class Place:
    """A collection. `views` of it are not read again."""

    database: str
    collection: str
    kind: str
    views: int = 0


class MongoSource(NetworkSource):
    """A unit is a collection. The address may name a database: `…:27017/shop`."""

    kind = "mongodb"
    _tls = False

    # -- the stranger's question ------------------------------------------------------------------------

    def ask(self, verdict: Verdict) -> None:
        """Ask what a stranger may do; a port that turns out to speak TLS is asked that way."""
        wanted = self._wants_tls()
        problem: PlainviewError | None = None
        for tls in (wanted, not wanted):
            try:
                with Mongo(self.wire, tls=tls) as client:
                    client.greet("mongodb.hello")
                    self._tls = tls
                    if tls != wanted:
                        verdict.note("the port speaks TLS" if tls else "the port speaks no TLS")
                    _Question(client, verdict, self.wire).ask()
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

    def _wants_tls(self) -> bool:
        options = (self.target.option("tls"), self.target.option("ssl"))
        return self.target.tls or "true" in [option.lower() for option in options]

    # -- reading ----------------------------------------------------------------------------------------

    def client(self) -> Mongo:
        """Return a connection of its own for a thread, logged in where it has to be."""
        self.check_access()
        credential = self.credential
        if credential is not None and self._wants_tls() and not self._tls:
            raise RefusedError("the store speaks no TLS although its address says so: no credential was sent")
        client = Mongo(self.wire, tls=self._tls, verify=credential is not None)
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
        """List the collections; what is not read is told."""
        with self.client() as client:
            if self.target.path:
                databases = [self.target.path]
            else:
                databases = _database_names(_asked(client.ask("mongodb.databases"), "the list of databases"))
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
                    yield Unit(f"{database}.{place.collection}", rows=rows, locator=place)

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
        if sample is not None and (unit.rows is None or unit.rows > sample):
            unseen = max(1, sample // 3)  # the rule of three
            words = f"{sample:,} documents drawn at random by the server ($sample)"
            notes.append(f"{words}: what is in fewer than 1 of {unseen:,} may not have been seen (95 %)")
            probe, params = "mongodb.sample", {"rows": sample}
        else:
            probe, params = "mongodb.find", {}
        table = Table(unit.name, place.kind, tuple(notes))
        with self.client() as client:
            try:
                yield from self._read(client, place, table, log, probe, params)
            except RefusedQueryError as refused:
                problem = refused.refusal
            else:
                return
        if probe == "mongodb.find" or problem.denied:
            raise _why(problem)
        # $sample needs memory or is not known there: everything is read, and drawn from here.
        table = Table(unit.name, place.kind, (*notes[:-1], f"{sample:,} documents drawn at random from all"))
        with self.client() as client:
            try:
                every = self._read(client, place, table, log, "mongodb.find", {})
                yield from sample_rows(every, sample or 0, unit.name)
            except RefusedQueryError as refused:
                problem = refused.refusal
                raise _why(problem) from None

    def _read(
        self, client: Mongo, place: Place, table: Table, log: ReadLog, probe: str, params: dict[str, Any]
    ) -> Iterator[Batch]:
        maps: set[str] = set()
        broken = read = 0
        target = min(TARGET, self.wire.limits.answer)
        answers = client.documents(probe, place.database, place.collection, FIRST, target, **params)
        try:
            for raw in ahead(answers):
                log.read(len(raw))
                docs, bad = batch(raw)
                broken += bad
                read += len(docs)
                if docs:
                    frame = documents_to_frame(docs, limits=self.limits, log=log, name=table.name, maps=maps)
                    yield Batch(table, frame)
        finally:
            if broken:
                log.skip(table.name, f"{broken:,} documents are not valid BSON")
        if not read:
            yield Batch(table, pl.DataFrame())


class _Question:
    """The stranger's question over one connection that was greeted."""

    def __init__(self, client: Mongo, verdict: Verdict, wire: Wire) -> None:
        self.client, self.verdict, self.wire = client, verdict, wire

    def ask(self) -> None:
        """Fill the verdict. Raises NetworkErrors."""
        self._hello(self.client.hello)
        if not isinstance(self.client.ask("mongodb.control"), Refusal):
            self.verdict.doubt("a command that no MongoDB has was not refused: it may answer everything", honeypot=True)
        build = self.client.ask("mongodb.build")
        version = build.get("version") if isinstance(build, dict) else None
        if isinstance(version, str) and VERSION.fullmatch(version):
            self.verdict.version = version
        databases = self._databases()
        self._read(databases)
        self._rights()

    def _hello(self, hello: Document) -> None:
        verdict = self.verdict
        verdict.product = "MongoDB"
        verdict.saw("reachable_metadata", "the greeting is answered without a login, as always")
        own = hello.get("me")
        for how in ("hosts", "passives", "arbiters"):
            members = hello.get(how)
            for member in members if isinstance(members, list) else ():
                if isinstance(member, str) and member != own:
                    self.wire.points_elsewhere("member", member)
        if hello.get("msg") == "isdbgrid":
            verdict.note("a router (mongos): it answers for the whole cluster")
        elif isinstance(hello.get("setName"), str):
            if hello.get("arbiterOnly") is True:
                role = "an arbiter, which holds no data"
            else:
                role = "its primary" if hello.get("ismaster") or hello.get("isWritablePrimary") else "a secondary"
            verdict.note(f"a member of a replica set: {role}; the other members were not asked")
        if hello.get("readOnly") is True:
            verdict.note("its storage is read-only now")

    def _databases(self) -> list[str]:
        """List the databases. An empty list proves nothing: a real server always has some of its own."""
        answer = self.client.ask("mongodb.list")
        if isinstance(answer, Refusal):
            if answer.denied:
                raise RefusedError(f"listDatabases was refused without a login (error {answer.code})")
            raise ProtocolError(f"listDatabases was answered with error {answer.code}")
        names = _database_names(answer)
        if names:
            number = f"{len(names)} databases, {len(set(names) - OWN)} of them not the server's own"
            self.verdict.saw("lists", f"listDatabases is answered without a login: {number}")
            return names
        # MongoDB 4.0.0 to 4.0.4 do not know authorizedDatabases and hide what may not be seen.
        log = self.client.ask("mongodb.warnings")
        if isinstance(log, Refusal) and log.denied:
            raise RefusedError(f"listDatabases gave an empty list, getLog was refused without a login ({log.code})")
        if isinstance(log, Refusal):
            raise ProtocolError("listDatabases gave an empty list, which no open server has, and getLog an error")
        self.verdict.saw("lists", "getLog, an administrator's command, is answered without a login; no databases")
        return []

    def _read(self, databases: list[str]) -> None:
        """Is a read allowed? The collections of users first, the server's own where there are none."""
        named = [Named(name) for name in databases if name not in OWN]
        theirs: list[tuple[str, str]] = []
        own: list[tuple[str, str]] = []
        for database in sorted(databases, key=lambda name: name in OWN)[:DATABASES]:
            answer = self.client.ask("mongodb.names", database)
            if isinstance(answer, dict):
                names = [item["name"] for item in _items(answer) if item.get("type") in (None, "collection")]
                readable = [(database, name) for name in names if name not in GUARDED]
                if database in OWN:
                    own += readable
                else:
                    theirs += [pair for pair in readable if not pair[1].startswith("system.")]
        if theirs:
            self.verdict.note(f"listCollections is answered without a login: {len(theirs):,} collections")
        counts: dict[tuple[str, str], int] = {}
        for pair in theirs if len(theirs) <= COUNTED else ():
            counted = self.client.ask("mongodb.count", pair[0], collection=pair[1])
            number = counted.get("n") if isinstance(counted, dict) else None
            if isinstance(number, (int, float)) and 0 <= number < 1 << 62:  # not NaN either
                counts[pair] = int(number)
        if counts:
            self.verdict.note(f"count is answered without a login: {sum(counts.values()):,} documents")
        named += [Named(name, counts.get((database, name))) for database, name in theirs]
        self.verdict.prior_access += prior_access("mongodb", named)
        for database, name in [*theirs, *own][:3]:
            answer = self.client.ask("mongodb.zero_read", database, collection=name)
            if isinstance(answer, dict) and isinstance(answer.get("cursor"), dict):
                self.verdict.saw("reads", "a find that asks for no field is allowed without a login")
                return
        self.verdict.note("no find was allowed" if theirs or own else "there is no collection to read")

    def _rights(self) -> None:
        """Read the rights. Without a login there are none, unless access control is off: then there are all."""
        status = self.client.ask("mongodb.rights")
        about = status.get("authInfo") if isinstance(status, dict) else None
        log = self.client.ask("mongodb.warnings")
        lines = log.get("log") if isinstance(log, dict) else None
        says = isinstance(lines, list) and any(OPEN_TEXT.search(line) for line in lines if isinstance(line, str))
        if isinstance(about, dict) and about.get("authenticatedUsers") == []:
            self.verdict.rights("rights_api")
            words = "connectionStatus: nobody is logged in, and an administrator's commands are answered"
            self.verdict.saw("admin", words + ": access control is off")
        elif isinstance(about, dict):
            self.verdict.note("connectionStatus: a connection without a login runs as some user")
            return
        if says:
            if self.verdict.state != "admin":
                self.verdict.rights("config")
            self.verdict.saw("admin", "the server's own startup warnings say that access control is not enabled")
        elif self.verdict.state != "admin":
            self.verdict.rights("by_design")
            words = "with access control on, listDatabases is refused without a login: it is off"
            self.verdict.saw("admin", words, confidence="probable")


def _asked(answer: Document | Refusal, what: str) -> Document:
    if isinstance(answer, Refusal):
        raise (
            RefusedError(f"{what} was refused (error {answer.code})")
            if answer.denied
            else ProtocolError(f"{what} was answered with error {answer.code}")
        )
    return answer


def _database_names(answer: Document) -> list[str]:
    found = answer.get("databases")
    if not isinstance(found, list):
        raise ProtocolError("not an answer to listDatabases")
    return [
        item["name"] for item in found if isinstance(item, dict) and isinstance(item.get("name"), str) and item["name"]
    ]


def _items(answer: Document) -> list[Document]:
    cursor = answer.get("cursor")
    some = cursor.get("firstBatch") if isinstance(cursor, dict) else None
    if not isinstance(some, list):
        raise ProtocolError("not an answer to listCollections")
    return [item for item in some if isinstance(item, dict) and isinstance(item.get("name"), str)]


def _listing(client: Mongo, database: str) -> list[Document]:
    """List all collections, with their options where that is allowed."""
    for authorized in (False, True):
        found: list[Document] = []
        try:
            for raw in client.documents(
                "mongodb.collections", database, "$cmd.listCollections", 1_000, TARGET, authorized=authorized
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
