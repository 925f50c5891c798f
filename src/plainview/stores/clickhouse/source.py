"""ClickHouse over HTTP: every table that keeps its rows itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import polars as pl

from plainview.errors import DeniedError, NetworkError, PlainviewError, ProtocolError, ReadError, RefusedError
from plainview.stores.base import NetworkSource, Verdict
from plainview.stores.clickhouse import rows as rows_of
from plainview.stores.shared.paging import Paging
from plainview.stores.shared.prior_access import Named, prior_access
from plainview.tables import Batch, ReadLog, Table, Unit
from plainview.tables.ahead import ahead
from plainview.wire.authorization import dressed

if TYPE_CHECKING:
    from plainview.wire.body import Body
    from plainview.wire.http import Http, Reply

VERSION = re.compile(r"[0-9]{1,4}\.[0-9]{1,4}(\.[0-9A-Za-z.+-]{1,40})?")
CODE = re.compile(rb"Code: ([0-9]{1,5})[.,]")
ENGINE = re.compile(r"[A-Za-z0-9]{1,40}")
# 516 is AUTHENTICATION_FAILED, 192 to 194 its forms before 20.x, 195 IP_ADDRESS_NOT_ALLOWED.
NO_LOGIN = frozenset({192, 193, 194, 195, 516})
GROWTH = 100_000  # rows that may have come in since the table was listed
NO_RIGHT = frozenset({291, 497})  # DATABASE_ACCESS_DENIED, ACCESS_DENIED
UNKNOWN_NAME, NO_SQL = 47, 62
# Engines that keep rows in this server. The others show what lies elsewhere, and reading them would make the
# server go there.
KEPT = re.compile(r".*MergeTree|(Tiny|Stripe)?Log|Memory|EmbeddedRocksDB|Join")
VIEWED = re.compile(r"System.*|MaterializedView|Null|Set")  # nothing of their own, or read by its own name
OWN = frozenset({"system", "information_schema", "INFORMATION_SCHEMA", "_temporary_and_external_tables"})
WRITE_RIGHTS = re.compile(r"\b(INSERT|ALTER|CREATE|DROP|TRUNCATE)\b")


@dataclass(frozen=True, slots=True)
class Stored:
    """A table as the server lists it. `count` where the metadata have it."""

    database: str
    name: str
    engine: str
    count: int | None = None

    @property
    def quoted(self) -> str:
        """Return its name as SQL."""
        return f"{quoted(self.database)}.{quoted(self.name)}"


class ClickhouseSource(NetworkSource):
    """A unit is a table. The address may name a database: `…:8123/shop`."""

    kind = "clickhouse"
    _tls: bool | None = None

    # -- the stranger's question ------------------------------------------------------------------------

    def ask(self, verdict: Verdict) -> None:
        """Ask what a stranger may do; a port that turns out to speak TLS is asked that way."""
        with closing(self.wire.http()) as http:
            ping = http.detect("clickhouse.ping")
            self._tls = http.tls
            if b"clickhouse-client" in ping.body:
                raise ProtocolError("this is the port of clickhouse-client; the HTTP port (8123 or 8443) is asked")
            if ping.status != 200 or ping.body.strip() != b"Ok.":
                raise ProtocolError(f"GET /ping answered {ping.status}: not ClickHouse")
            control = http.ask("clickhouse.control")
            if control.ok:
                verdict.doubt("what is no SQL was not refused: it may answer everything", honeypot=True)
            elif code_of(control):
                verdict.product = "ClickHouse"
                verdict.saw("reachable_metadata", "GET /ping is answered without a password, as always")
            self._version(http, verdict)
            self._contents(http, verdict)
            self._rights(http, verdict)

    def _version(self, http: Http, verdict: Verdict) -> None:
        reply = http.ask("clickhouse.version")
        _must(reply, "a query")
        version = reply.body.strip().decode("ascii", "replace")
        if not VERSION.fullmatch(version):
            raise ProtocolError("SELECT version() gave no version: not ClickHouse")
        verdict.product, verdict.version = "ClickHouse", version
        verdict.saw("reachable_metadata", "SELECT version() is answered without a password (user default)")

    def _contents(self, http: Http, verdict: Verdict) -> None:
        tables = _listed(http, "clickhouse.list", "clickhouse.list_old", "clickhouse.counts_old")
        theirs = [table for table in tables if table.database not in OWN]
        rows = sum(table.count or 0 for table in theirs)
        words = f"{len(theirs):,} tables in {len({t.database for t in theirs}):,} databases, {rows:,} rows"
        verdict.saw("lists", f"system.tables lists without a password: {words}")
        named = [Named(name) for name in {table.database for table in theirs} - {"default"}]
        named += [Named(table.name, table.count) for table in theirs]
        verdict.prior_access += prior_access("clickhouse", named)
        kept = [table for table in theirs if KEPT.fullmatch(table.engine)]
        for table in (kept or [Stored("system", "one", "SystemOne")])[:3]:
            if http.ask("clickhouse.zero_read", table=table.quoted).ok:
                verdict.saw("reads", "a SELECT of no row is allowed without a password")
                return
        verdict.note("SELECT was refused")

    def _rights(self, http: Http, verdict: Verdict) -> None:
        """Read the rights: from the grants (20.4 on), and from the profile, which may forbid writing."""
        granted = http.ask("clickhouse.grants")
        settings = http.ask("clickhouse.settings")
        lines = rows_of.plain_rows(settings.body) if settings.ok else []
        values = {row[0]: row[1] for row in lines if len(row) == 2}
        readonly = values.get("readonly")
        if readonly not in ("0", "1", "2"):
            readonly = None
        if readonly in ("1", "2"):
            verdict.rights("config")
            verdict.note(f"the profile of the user forbids writing (readonly = {readonly})")
            return
        if granted.ok:
            self._granted(granted.body.decode("utf-8", "replace"), readonly, verdict)
        elif code_of(granted) == NO_SQL and readonly == "0":
            verdict.rights("config")
            if values.get("allow_ddl") == "1":
                words = "this version has no grants, and the profile forbids nothing (readonly = 0, allow_ddl = 1)"
                verdict.saw("admin", words)
            else:
                verdict.saw("writes", "this version has no grants, and the profile allows INSERT (readonly = 0)")
        else:
            verdict.note("SHOW GRANTS was refused: rights beyond reading are not known")

    def _granted(self, text: str, readonly: str | None, verdict: Verdict) -> None:
        everywhere: set[str] = set()
        somewhere: set[str] = set()
        for line in text.splitlines():
            found = re.fullmatch(r"GRANT (.*?) ON (\S+) TO .*", line.strip())
            if not found:
                continue
            words = set(WRITE_RIGHTS.findall(found[1]))
            if found[1] in ("ALL", "ALL PRIVILEGES"):
                words = {"ALL", "INSERT", "ALTER", "CREATE", "DROP", "TRUNCATE"}
            somewhere |= words
            everywhere |= words if found[2] == "*.*" else set()
        verdict.rights("rights_api")
        sure = "proved" if readonly == "0" else "probable"
        if {"INSERT", "ALTER", "CREATE", "DROP"} <= everywhere:
            what = "all rights" if "ALL" in everywhere else "INSERT, ALTER, CREATE and DROP"
            verdict.saw("admin", f"SHOW GRANTS: {what} on all databases", confidence=cast("Confidence", sure))
        elif somewhere:
            what = ", ".join(sorted(somewhere))
            verdict.saw("writes", f"SHOW GRANTS: {what} somewhere", confidence=cast("Confidence", sure))
        else:
            verdict.note("SHOW GRANTS: nothing that writes")

    # -- reading ----------------------------------------------------------------------------------------

    def client(self) -> Http:
        """Return a client of its own for a thread, with the credential where it is needed."""
        self.check_access()
        credential = self.credential
        return self.wire.http(tls=self._tls, credential=credential, dress=dressed(credential, user="default"))

    def pieces(self, log: ReadLog) -> Iterator[Unit]:
        """List the tables; what is not read is reported."""
        with closing(self.client()) as http:
            try:
                tables = _listed(http, "clickhouse.tables", "clickhouse.tables_old", "clickhouse.parts_old")
            except RefusedError:
                if self.credential is None:
                    raise
                raise RefusedError(f"the credential was not accepted ({self.credential.origin})") from None
        for table in dict.fromkeys(tables):
            name = f"{table.database}.{table.name}"
            if self.target.path and table.database != self.target.path:
                continue
            if KEPT.fullmatch(table.engine):
                yield Unit(name, rows=table.count, locator=table)
            elif not VIEWED.fullmatch(table.engine) and table.database not in OWN:
                log.listed()
                engine = table.engine if ENGINE.fullmatch(table.engine) else "unknown"
                log.skip(name, f"not read: engine {engine} shows what lies elsewhere, and the server would go there")

    def rows(self, unit: Unit, log: ReadLog, sample: int | None) -> Iterator[Batch]:
        """Yield the rows of a table in blocks. `sample`: drawn by the server (ORDER BY rand())."""
        stored = cast("Stored", unit.locator)
        log.listed(rows=unit.rows or 0)
        notes: list[str] = []
        with closing(self.client()) as http:
            columns = self._columns(http, stored)
            kept = [column for column in columns if column.kept]
            if len(kept) < len(columns):
                states = [column for column in columns if column.state]
                if states:
                    log.skip(unit.name, f"{len(states):,} columns hold states of aggregate functions, not values")
            if not kept:
                raise ReadError("it has no column that can be read")
            params = {
                "table": stored.quoted,
                "columns": ",".join(quoted(column.name) for column in kept),
                "format": rows_of.format_for(kept),
            }
            probe = "clickhouse.rows"
            table = Table(unit.name, f"clickhouse {stored.engine}", tuple(notes))
            if sample is not None and (unit.rows is None or unit.rows > sample):
                table = table.drawn("drawn by the server (ORDER BY rand())")
                probe, params = "clickhouse.sample", params | {"rows": str(sample)}
            with http.stream(probe, **params) as body:
                if body.status != 200:
                    raise _why(body)
                reader = rows_of.Reader(kept, log, self.limits, unit.name)
                counted = self._counted(stored, None if probe == "clickhouse.rows" else sample)
                for block in ahead(rows_of.blocks(body, len(kept))):
                    log.read(len(block.data))
                    frame = reader.frame(block.data)
                    counted.came(frame.height)
                    if frame.height:
                        yield Batch(table, frame)
                    if block.problem:
                        raise ReadError(f"the server broke off (error {block.problem}) after {reader.rows:,} rows")
                reader.finish()
            if not reader.rows:
                yield Batch(table, pl.DataFrame(schema={column.name: column.dtype for column in kept}))
        if probe == "clickhouse.rows":
            counted.end("rows", excused=lambda: self._masked(stored))

    def _counted(self, table: Stored, wanted: int | None) -> Paging:
        """Return what ends the rows of a table that has no end; `wanted` are those of a sample."""
        said = table.count or 0 if wanted is None else wanted
        return Paging(self.wire, "the rows do", said=said, growth=GROWTH, recount=lambda: self._size(table))

    def _size(self, table: Stored) -> int | None:
        """Return how many rows the metadata have, or else the table shows; over a connection of its own."""
        with closing(self.client()) as http:
            named = {"database": text(table.database), "table": text(table.name)}
            for reply in (http.ask("clickhouse.size", **named), http.ask("clickhouse.count", table=table.quoted)):
                if reply.ok and (count := _count(reply.body.decode("ascii", "replace").strip())) is not None:
                    return count
        return None

    def _masked(self, table: Stored) -> int:
        """Return how many rows are deleted and still counted, where some are."""
        with closing(self.client()) as http:
            parts = http.ask("clickhouse.masked", database=text(table.database), table=text(table.name))
            if not parts.ok or parts.body.strip() in (b"", b"0"):
                return 0
            shown = http.ask("clickhouse.count", table=table.quoted)
        count = _count(shown.body.decode("ascii", "replace").strip()) if shown.ok else None
        return max(0, (table.count or 0) - count) if count is not None else 0

    def _columns(self, http: Http, table: Stored) -> list[rows_of.Column]:
        reply = http.ask("clickhouse.columns", database=text(table.database), table=text(table.name))
        if not reply.ok:
            raise ReadError(f"its columns were refused (error {code_of(reply)})")
        return [rows_of.Column(*row) for row in rows_of.plain_rows(reply.body) if len(row) == 3]


def quoted(name: str) -> str:
    """Return an identifier as SQL."""
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def text(value: str) -> str:
    """Return a text as SQL."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def code_of(reply: Reply) -> int:
    """Return the number of an exception of ClickHouse, or 0."""
    said = reply.header("x-clickhouse-exception-code")
    if re.fullmatch(r"[0-9]{1,5}", said):
        return int(said)
    found = CODE.match(reply.body)
    return int(found[1]) if found and b"DB::Exception" in reply.body else 0


def _must(reply: Reply, what: str) -> None:
    """Raise unless the answer is good."""
    if reply.ok and not reply.looks_like_page:
        return
    code = code_of(reply)
    if code == 195:
        raise RefusedError(f"{what} was refused: the user default may not connect from this machine (195)")
    if code in NO_LOGIN:
        raise RefusedError(f"{what} was refused without a password (HTTP {reply.status}, error {code})")
    if code in NO_RIGHT:
        raise RefusedError(f"{what} was refused: no rights without a password (HTTP {reply.status}, error {code})")
    if reply.status in (401, 403) and not reply.looks_like_page:
        raise RefusedError(f"{what} was refused without a password (HTTP {reply.status})")
    raise ProtocolError(f"{what} was answered with {reply.status}" + (f", error {code}" if code else ""))


def _listed(http: Http, new: str, old: str, counts: str) -> list[Stored]:
    """List all tables, with row counts where the version has them."""
    reply = http.ask(new)
    if reply.ok or code_of(reply) != UNKNOWN_NAME:
        _must(reply, "system.tables")
        rows = rows_of.plain_rows(reply.body)
        return [Stored(row[0], row[1], row[2], _count(row[3])) for row in rows if len(row) == 4]
    reply = http.ask(old)
    _must(reply, "system.tables")
    rows = rows_of.plain_rows(reply.body)
    known: dict[tuple[str, str], int | None] = {}
    try:
        parts = http.ask(counts)
    except NetworkError:
        parts = None
    if parts is not None and parts.ok:
        known = {(row[0], row[1]): _count(row[2]) for row in rows_of.plain_rows(parts.body) if len(row) == 3}
    return [Stored(row[0], row[1], row[2], known.get((row[0], row[1]))) for row in rows if len(row) == 3]


def _count(value: str) -> int | None:
    return int(value) if re.fullmatch(r"[0-9]{1,18}", value) else None


def _why(body: Body) -> PlainviewError:
    start = body.read(4096)
    found = CODE.match(start)
    code = int(found[1]) if found else 0
    if code in NO_RIGHT:
        return DeniedError(f"no permission to read it (error {code})")
    if code == 60:
        return ReadError("it vanished while it was read")
    return ReadError(f"the server answered with {body.status}" + (f", error {code}" if code else ""))


if TYPE_CHECKING:
    from plainview.report.model import Confidence

__all__ = ["ClickhouseSource"]
