"""Cassandra and ScyllaDB: every table of every keyspace, from the one node that is asked."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from plainview.errors import DeniedError, PlainviewError, ProtocolError, ReadError, RefusedError
from plainview.stores.base import NetworkSource, Verdict
from plainview.stores.cassandra.cql import INVALID, OLD_PROTOCOL, UNAUTHORIZED, Cql, CqlError, Page
from plainview.stores.cassandra.rows import to_frame
from plainview.stores.shared.prior_access import Named, prior_access
from plainview.tables import Batch, ReadLog, Table, Unit
from plainview.tables.ahead import ahead

VERSION = re.compile(r"[0-9]{1,3}\.[0-9]{1,3}[0-9A-Za-z.+~-]{0,40}")
# Keyspaces of the server's own. Traces hold statements with their values, so they are read like any other.
OWN = re.compile(r"system(_(?!traces$)[a-z_]+)?|dse_.*|solr_admin")
ALLOW_ALL = re.compile(r"(org\.apache\.cassandra\.auth\.)?AllowAllAuthorizer")


@dataclass(frozen=True, slots=True)
class Place:
    """A table. `views` of it are not read again."""

    keyspace: str
    table: str
    views: int = 0

    @property
    def quoted(self) -> str:
        """Return its name as CQL."""
        return f"{quoted(self.keyspace)}.{quoted(self.table)}"


class CassandraSource(NetworkSource):
    """A unit is a table. The address may name a keyspace: `…:9042/shop`."""

    kind = "cassandra"
    _tls = False
    _version = 4

    # -- the stranger's question ------------------------------------------------------------------------

    def ask(self, verdict: Verdict) -> None:
        """Ask what a stranger may do; a port that turns out to speak TLS is asked that way."""
        wanted = self.target.tls
        problem: PlainviewError | None = None
        for tls in (wanted, not wanted):
            for version in (4, 3):
                try:
                    with Cql(self.wire, tls=tls, version=version) as client:
                        options = client.options()
                        self._tls, self._version = tls, version
                        if tls != wanted:
                            verdict.note("the port speaks TLS" if tls else "the port speaks no TLS")
                        _Question(client, verdict, self).ask(options)
                        return
                except CqlError as error:
                    if verdict.evidence:
                        raise
                    problem = problem or error
                    if error.code != OLD_PROTOCOL:
                        break
                except ProtocolError as error:
                    if verdict.evidence:
                        raise
                    problem = problem or error
                    break
        if problem is not None:
            raise problem

    # -- reading ----------------------------------------------------------------------------------------

    def client(self) -> Cql:
        """Return a connection of its own for a thread, logged in where it has to be."""
        self.check_access()
        credential = self.credential
        client = Cql(self.wire, tls=self._tls, credential=credential, version=self._version)
        try:
            if client.startup("cassandra.hello"):
                if credential is None:
                    raise RefusedError("a login is asked for")
                client.login(credential)
        except PlainviewError:
            client.close()
            raise
        return client

    def pieces(self, log: ReadLog) -> Iterator[Unit]:  # noqa: ARG002
        """List the tables."""
        with self.client() as client:
            views: dict[tuple[str, str], int] = {}
            try:
                for pair in _pairs(client.pages("cassandra.views")):
                    views[pair] = views.get(pair, 0) + 1
                pairs = list(_pairs(client.pages("cassandra.tables")))
            except CqlError as error:
                raise _why(error, "the list of tables") from None
            for keyspace, table in pairs:
                if OWN.fullmatch(keyspace) or (self.target.path and keyspace != self.target.path):
                    continue
                place = Place(keyspace, table, views.get((keyspace, table), 0))
                yield Unit(f"{keyspace}.{table}", rows=_partitions(client, place), locator=place)

    def rows(self, unit: Unit, log: ReadLog, sample: int | None) -> Iterator[Batch]:
        """Yield the rows of a table. `sample`: the first in the order of the hash of the keys."""
        place = cast("Place", unit.locator)
        notes = []
        if place.views:
            notes.append(f"{place.views} materialized views of it were not read again")
        if sample is not None:
            notes.append(f"up to {sample:,} rows in the order of the hash of their partition keys")
        table = Table(unit.name, "cassandra table", tuple(notes))
        maps: set[str] = set()
        rows = 0
        with self.client() as client:
            if sample is None:
                pages = client.pages("cassandra.rows", table=place.quoted)
            else:
                pages = client.pages("cassandra.sample", table=place.quoted, rows=str(sample))
            try:
                for page in ahead(pages):
                    log.read(page.size)
                    if page.rows or not rows:
                        yield Batch(table, to_frame(page, self.limits, log, unit.name, maps))
                    rows += page.rows
            except CqlError as error:
                raise _why(error, f"after {rows:,} rows, a page") from None
            finally:
                log.listed(rows=max(rows, unit.rows or 0) if sample is not None else rows)


class _Question:
    """The stranger's question over one connection."""

    def __init__(self, client: Cql, verdict: Verdict, source: CassandraSource) -> None:
        self.client, self.verdict, self.source = client, verdict, source

    def ask(self, options: dict[str, list[str]]) -> None:
        """Fill the verdict. Raises NetworkErrors."""
        verdict = self.verdict
        if "CQL_VERSION" not in options:
            raise ProtocolError("SUPPORTED without CQL_VERSION: not Cassandra")
        verdict.product = "ScyllaDB" if any(name.startswith("SCYLLA") for name in options) else "Cassandra"
        verdict.saw("reachable_metadata", "OPTIONS is answered without a login, as always")
        if self.client.startup("cassandra.startup"):
            raise RefusedError("STARTUP is answered with AUTHENTICATE: a login is asked for")
        verdict.saw("reachable_metadata", "STARTUP is answered with READY: nobody has to log in")
        try:
            self.client.rows("cassandra.control")
            answered = True
        except (CqlError, ProtocolError) as error:
            answered = not isinstance(error, CqlError)
        if answered:
            verdict.doubt("what is no CQL was not refused: it may answer everything", honeypot=True)
        self._version()
        tables = self._list()
        self._read(tables)
        self._rights()

    def _version(self) -> None:
        page = self._rows("cassandra.version", "the version")
        cell = page.cells[0] if page is not None and page.cells else None
        text = cell.decode("ascii", "replace") if cell else ""
        if VERSION.fullmatch(text):
            self.verdict.version = text
        peers = self._rows("cassandra.peers", "the list of members")
        for cell in peers.column(0) if peers is not None and peers.names else ():
            if cell is not None and len(cell) in (4, 16):
                self.source.wire.points_elsewhere("member", str(ipaddress.ip_address(cell)))

    def _list(self) -> list[tuple[str, str]]:
        page = self._rows("cassandra.list", "the list of tables")
        if page is None:
            return []
        pairs = list(_pairs([page]))
        theirs = [pair for pair in pairs if not OWN.fullmatch(pair[0]) and pair[0] != "system_traces"]
        spaces = {keyspace for keyspace, _ in theirs}
        words = f"{len(theirs):,} tables in {len(spaces):,} keyspaces"
        self.verdict.saw("lists", f"system_schema lists without a login: {words}, the server's own left out")
        names = [*spaces, *(table for _, table in theirs)]
        self.verdict.prior_access += prior_access("cassandra", map(Named, names))
        return theirs

    def _read(self, tables: list[tuple[str, str]]) -> None:
        for keyspace, table in (tables or [("system", "local")])[:3]:
            if self._rows("cassandra.zero_read", "a read", table=Place(keyspace, table).quoted) is not None:
                self.verdict.saw("reads", "a SELECT of no column is allowed without a login")
                return

    def _rights(self) -> None:
        """Read which authorizer there is. Without a login it can only be the one that allows all."""
        verdict = self.verdict
        for name in ("authorizer", "authorizer.class_name", "authorizer_class_name"):
            page = self._rows("cassandra.settings", "", name=name)
            if page is not None and page.cells and len(page.names) == 2:
                value = (page.cells[1] or b"").decode("ascii", "replace")
                verdict.rights("config")
                if ALLOW_ALL.search(value):
                    verdict.saw("admin", "system_views.settings: AllowAllAuthorizer, everybody may do everything")
                    return
                verdict.note("system_views.settings: another authorizer than AllowAllAuthorizer")
                return
        try:
            self.client.rows("cassandra.permissions")
        except CqlError as error:
            if error.code in (UNAUTHORIZED, INVALID, 0) and verdict.state == "reads":
                verdict.rights("by_design")
                words = "without a login no authorizer but AllowAllAuthorizer can run: everybody may do everything"
                verdict.saw("admin", words, confidence="probable")
        else:
            verdict.note("LIST ALL PERMISSIONS is answered: there is an authorizer, more rights are not known")

    def _rows(self, probe: str, what: str, **params: str) -> Page | None:
        """Run a query; a refusal is noted as `what`, and None."""
        try:
            return self.client.rows(probe, **params)
        except CqlError as error:
            if what:
                self.verdict.note(f"{what} was refused (error {error.code:#06x})")
            return None


def _pairs(pages: Iterator[Page] | list[Page]) -> Iterator[tuple[str, str]]:
    for page in pages:
        if len(page.names) != 2:
            raise ProtocolError("not the columns that were asked for")
        for one, two in zip(page.column(0), page.column(1), strict=True):
            yield (one or b"").decode("utf-8", "replace"), (two or b"").decode("utf-8", "replace")


def _partitions(client: Cql, place: Place) -> int | None:
    """Return about how many partitions a table has, for progress; None where the server does not say."""
    try:
        page = client.rows("cassandra.sizes", keyspace=text(place.keyspace), table=text(place.table))
    except CqlError:
        return None
    counts = [int.from_bytes(cell, "big", signed=True) for cell in page.cells if cell is not None and len(cell) == 8]
    return sum(counts) if counts and min(counts) >= 0 else None


def quoted(name: str) -> str:
    """Return an identifier as CQL."""
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    """Return a text as CQL."""
    return "'" + value.replace("'", "''") + "'"


def _why(error: CqlError, what: str) -> PlainviewError:
    if error.code == UNAUTHORIZED:
        return DeniedError("no permission to read it")
    return ReadError(f"{what} was answered with error {error.code:#06x}")


__all__ = ["CassandraSource"]
