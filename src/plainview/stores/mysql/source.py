"""MySQL, MariaDB and what speaks their protocol: every table, in read-only sessions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field

import polars as pl

from plainview.errors import PlainviewError, ReadError, RefusedError, WithheldError
from plainview.stores.base import NetworkSource, Verdict
from plainview.stores.mysql import access as mysql_access
from plainview.stores.mysql import rows as mysql_rows
from plainview.stores.mysql.wire import Client
from plainview.stores.shared.paging import Paging
from plainview.stores.shared.sql_text import Column, empty_frame, longest_cell
from plainview.tables import Batch, ReadLog, Table, Unit
from plainview.tables.sampling import sample_rows

SECONDS = 3600  # the server's limit for one statement of the reading
SHORTEST = 20  # bytes of a row on the disk of the server
GROWTH = 100_000  # rows that may have come in since the table was listed
ELSEWHERE = frozenset({"FEDERATED", "CONNECT", "SPIDER", "OQGRAPH", "S3", "MROONGA"})
INTEGERS = frozenset({"tinyint", "smallint", "mediumint", "int", "bigint", "year"})
BINARY = frozenset(
    "binary varbinary tinyblob blob mediumblob longblob vector geometry point linestring polygon multipoint "
    "multilinestring multipolygon geometrycollection geomcollection".split()
)
LONG = frozenset({"longtext", "longblob", "json", "mediumtext", "mediumblob"})


@dataclass(slots=True)
class Relation:
    """A table of `mysql.list_tables` with its columns."""

    schema: str
    name: str
    kind: str
    engine: str
    rows: int
    size: int
    columns: list[Column] = field(default_factory=list)
    refused: int = 0
    long: bool = False

    @property
    def label(self) -> str:
        """The name as the report shows it."""
        return f"{self.schema}.{self.name}"

    @property
    def sql(self) -> str:
        """The quoted name; of a table that keeps old rows, with those."""
        history = " FOR SYSTEM_TIME ALL" if self.kind == "SYSTEM VERSIONED" else ""
        return f"{mysql_access.quoted(self.schema)}.{mysql_access.quoted(self.name)}{history}"


class MysqlSource(NetworkSource):
    """A unit is a table. The address may name a database; else all but the server's own are read."""

    kind = "mysql"
    _stranger = ""  # the user that is let in without a password

    def ask(self, verdict: Verdict) -> None:
        """Ask what a stranger may do."""
        self._stranger = mysql_access.ask(self.wire, verdict, self.target.user)

    def units(self, log: ReadLog) -> Iterator[Unit]:
        """List the tables. Raises RefusedError where nobody was to try, and says so."""
        exposure = self.check_access()
        if exposure.not_tried and exposure.state == "reachable_metadata" and not self.login:
            reason = self._credentials.withheld(self.target)
            if reason:
                raise WithheldError(f"whether a stranger can read it was not tried, and {reason}")
            raise RefusedError(
                "whether a stranger can read it was not tried, and no credential was given",
                hint='--try-mysql-root, or permit = ["try_mysql_root"] in the scope file; or --credentials FILE',
            )
        yield from super().units(log)

    def pieces(self, log: ReadLog) -> Iterator[Unit]:
        """List the tables that may be read; those that may not go into the log."""
        with self._client() as client:
            tables = client.query("mysql.list_tables")
            columns = client.query("mysql.list_columns")
        found = relations(tables, columns, self.limits.field)
        views: dict[str, int] = {}
        readable = {relation.schema for relation in found if relation.kind != "VIEW" and relation.columns}
        for relation in found:
            if self.target.path and relation.schema != self.target.path:
                continue
            if relation.kind == "VIEW":
                views[relation.schema] = views.get(relation.schema, 0) + 1
            elif relation.kind in ("BASE TABLE", "SYSTEM VERSIONED"):
                yield from self._table(relation, log)
        for schema, count in views.items():
            if schema in readable:
                log.note(schema, f"{count:,} views: their rows are those of tables")
            else:
                log.skip(schema, f"{count:,} views over tables that this user may not read; views are not read")

    @staticmethod
    def _table(relation: Relation, log: ReadLog) -> Iterator[Unit]:
        log.listed(rows=0 if relation.columns else relation.rows)
        if relation.engine.upper() in ELSEWHERE:
            log.skip(
                relation.label, "a table of another server: to read it, the server would have to connect elsewhere"
            )
        elif not relation.columns:
            log.skip(relation.label, "no permission to read")
        else:
            if relation.refused:
                log.skip(relation.label, f"{relation.refused} columns: no permission to read")
            yield Unit(relation.label, size=relation.size, rows=relation.rows, locator=relation)

    def rows(self, unit: Unit, log: ReadLog, sample: int | None) -> Iterator[Batch]:
        """Yield the rows of a table. `sample`: drawn by the server at random, cut to the number here."""
        relation: Relation = unit.locator  # type: ignore[assignment]
        notes = ("with the old rows that it keeps",) if relation.kind == "SYSTEM VERSIONED" else ()
        table = Table(relation.label, self.kind, notes)
        yield Batch(table, empty_frame(relation.columns))
        with self._client() as client:
            client.query("mysql.begin")
            if sample is None:
                yield from self._rows(client, relation, table, log, "mysql.rows", {})
                return
            share = min(1.0, (sample * 1.3 + 30) / max(relation.rows, 1))
            probe, params = ("mysql.sample", {"share": f"{share:.9f}"}) if share < 0.5 else ("mysql.rows", {})
            how = "" if params else "drawn from all rows as they were read"
            table = table.drawn("drawn by RAND()") if params else table
            yield from sample_rows(self._rows(client, relation, table, log, probe, params), sample, table.name, how)

    def _rows(
        self, client: Client, relation: Relation, table: Table, log: ReadLog, probe: str, params: dict[str, str]
    ) -> Iterator[Batch]:
        count, cut = 0, False
        counted = self._counted(relation)
        params = {"table": relation.sql, "columns": ", ".join(column.sql for column in relation.columns)} | params
        try:
            with closing(mysql_rows.read(client, probe, relation.columns, **params)) as frames:
                for size, frame in frames:
                    log.read(size)
                    cut = cut or (relation.long and longest_cell(frame) >= self.limits.field // 4)
                    count += frame.height
                    counted.came(frame.height)
                    yield Batch(table, frame)
        except PlainviewError as error:
            raise ReadError(f"stopped after {count:,} rows: {error.message}") from None
        finally:
            log.listed(tables=0, rows=max(count, relation.rows if probe == "mysql.sample" else 0))
        if cut:
            log.skip(relation.label, "cells were cut at the limit of one cell")

    def _counted(self, relation: Relation) -> Paging:
        """Return what ends the rows of a table that has no end. An estimate is no promise: the server counts again."""

        def recount() -> int | None:
            with self._client() as client:
                rows = client.query("mysql.count", table=relation.sql)
            return _number(rows[0][0]) if rows and rows[0] else None

        said = max(relation.rows, relation.size // SHORTEST)
        return Paging(self.wire, "the rows do", said=said, growth=GROWTH, recount=recount)

    def _client(self) -> Client:
        """Return a session that only reads."""
        self.check_access()
        credential = self.credential
        user = (credential.user if credential else None) or self.target.user or "root"
        if credential is None:
            user = self._stranger or "root"
        try:
            client = mysql_access.log_in(self.wire, user, credential)
        except RefusedError as error:
            origin = f" ({credential.origin})" if credential else ""
            raise RefusedError(f"the credential was not accepted: {error.message}{origin}") from None
        try:
            client.query("mysql.settings")
            mariadb = client.greeting.is_mariadb
            mysql_access.tolerant(client, "mysql.timeout_mariadb" if mariadb else "mysql.timeout", seconds=str(SECONDS))
            client.query("mysql.read_only")
        except PlainviewError:
            client.close()
            raise
        return client


def relations(tables: list[list[str | None]], columns: list[list[str | None]], longest: int) -> list[Relation]:
    """Return the tables from the two catalogue queries. `longest` is the limit of one cell."""
    found: dict[tuple[str, str], Relation] = {}
    for row in tables:
        if len(row) == 6 and row[0] is not None and row[1] is not None:
            found[row[0], row[1]] = Relation(
                row[0], row[1], row[2] or "", row[3] or "", _number(row[4]), _number(row[5])
            )
    for row in columns:
        relation = found.get((row[0] or "", row[1] or "")) if len(row) == 8 else None
        if relation is None or row[2] is None:
            continue
        if "select" not in (row[7] or "").lower():
            relation.refused += 1
            continue
        relation.long |= row[3] in LONG
        relation.columns.append(
            _column(row[2], row[3] or "", row[4] or "", (_number(row[5]), _number(row[6])), longest)
        )
    return list(found.values())


def _column(name: str, kind: str, full: str, digits: tuple[int, int], longest: int) -> Column:
    cell = mysql_access.quoted(name)
    if kind in LONG:
        cell = f"LEFT({cell}, {longest // 4})"  # characters of four bytes at most
    if kind in INTEGERS:
        return Column(name, cell, pl.UInt64 if kind == "bigint" and "unsigned" in full else pl.Int64)
    if kind == "bit":
        return Column(name, f"{cell} + 0", pl.UInt64)
    if kind in BINARY:
        return Column(name, f"HEX({cell})", pl.Binary, "hex")
    if kind == "date":
        return Column(name, cell, pl.Date)
    if kind in ("datetime", "timestamp"):
        return Column(name, cell, pl.Datetime("us"), "datetime")
    if kind in ("float", "double"):
        return Column(name, cell, pl.Float64)
    if kind == "decimal" and 0 < digits[0] <= 38:
        return Column(name, cell, pl.Decimal(*digits) if digits[1] or digits[0] > 18 else pl.Int64)
    return Column(name, cell)


def _number(text: str | None) -> int:
    return int(text) if text and re.fullmatch(r"[0-9]{1,18}", text) else 0


__all__ = ["MysqlSource"]
