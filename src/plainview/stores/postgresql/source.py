"""PostgreSQL and what speaks its protocol: every table of every database, by COPY, in read-only sessions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace

from plainview.errors import PlainviewError, ReadError, RefusedError
from plainview.stores.base import NetworkSource, Verdict
from plainview.stores.postgresql import access as postgresql_access
from plainview.stores.postgresql.catalog import Reading, readings, relations
from plainview.stores.postgresql.wire import Door, Session
from plainview.stores.shared.paging import Paging
from plainview.stores.shared.sql_text import Dialect, empty_frame, frame_of, longest_cell
from plainview.tables import Batch, ReadLog, Table, Unit
from plainview.tables.sampling import sample_rows

SECONDS = 3600  # the server's limit for one statement of the reading
PART = 8192  # pages of one part of a large table: 64 MiB
PARTS = 1000
TUPLES = 291  # rows that a page of 8 KiB can hold
GROWTH = 100_000  # rows that may have come in since the table was listed
LAST_PAGE = 0xFFFFFFFE
BLOCKS = 50_000  # pages above which a sample is drawn by pages, not by rows


@dataclass(frozen=True, slots=True)
class Part:
    """A table, or some pages of one."""

    door: Door
    reading: Reading
    first: int = 0
    last: int | None = None

    @property
    def is_whole(self) -> bool:
        """True when this is all of the table."""
        return self.first == 0 and self.last is None


class PostgresSource(NetworkSource):
    """A unit is a table, or 64 MiB of a large one. The address may name a database; else all are read."""

    kind = "postgresql"

    def ask(self, verdict: Verdict) -> None:
        """Ask what a stranger may do."""
        self._door = postgresql_access.ask(self.wire, verdict, self.target.path, self.target.user)

    def pieces(self, log: ReadLog) -> Iterator[Unit]:
        """List the tables of the databases."""
        found = []
        for door in self._doors(log):
            try:
                with self._session(door) as session:
                    known = relations(
                        session.query("postgresql.list_tables"),
                        session.query("postgresql.list_columns"),
                        self.limits.field,
                    )
                    self._large_objects(session, door.database, log)
            except PlainviewError as error:
                if self.target.path:
                    raise
                log.skip(door.database, error)
                continue
            if known:
                found.append((door, known))
        for door, known in found:
            prefix = f"{door.database}/" if len(found) > 1 else ""
            labels = set()
            for reading in readings(known, log, prefix, door.database):
                log.listed(tables=reading.label not in labels)
                labels.add(reading.label)
                yield from _parts(door, reading)

    def rows(self, unit: Unit, log: ReadLog, sample: int | None) -> Iterator[Batch]:
        """Yield the rows of a table or of a part of it. `sample`: drawn by the server, cut to the number here."""
        part: Part = unit.locator  # type: ignore[assignment]
        table = Table(part.reading.label, self.kind, part.reading.notes)
        yield Batch(table, empty_frame(part.reading.relation.columns))
        if sample is None:
            with self._session(part.door) as session:
                yield from self._rows(session, part, table, log, *_request(part))
        elif part.first == 0:
            yield from self._sample(part, table, log, part.reading.of_sample(sample))

    # -- sessions ---------------------------------------------------------------------------------------

    def _doors(self, log: ReadLog) -> Iterator[Door]:
        """Yield one door for each database that is to be read."""
        self.check_access()
        door = self._door if self.read_as == "stranger" else self._login_door()
        if self.target.path:
            yield replace(door, database=self.target.path)
            return
        with self._session(door) as session:
            databases = session.query("postgresql.list_databases")
        for row in databases:
            if len(row) == 2 and row[0] and row[1] == "t":
                yield replace(door, database=row[0])
            elif row and row[0]:
                log.skip(row[0], "no permission to connect to this database")

    def _login_door(self) -> Door:
        credential = self.credential
        return Door(user=(credential.user if credential else None) or self.target.user or postgresql_access.USER)

    def _session(self, door: Door) -> Session:
        """Return a session in a read-only transaction."""
        credential = self.credential
        if credential is None:
            session = postgresql_access.open_session(self.wire, tls=door.tls)
            try:
                session.start("postgresql.session", door, SECONDS)
            except PlainviewError:
                session.close()
                raise
        else:
            try:
                session = postgresql_access.log_in(self.wire, door, credential, SECONDS)
            except RefusedError as error:
                raise RefusedError(f"{error.message} ({credential.origin})") from None
        session.query("postgresql.begin")
        return session

    @staticmethod
    def _large_objects(session: Session, database: str, log: ReadLog) -> None:
        rows = session.query("postgresql.large_objects")
        if rows and rows[0] and rows[0][0] not in ("0", None):
            log.skip(database, "holds large objects (pg_largeobject), which are not read")

    # -- rows -------------------------------------------------------------------------------------------

    def _rows(
        self, session: Session, part: Part, table: Table, log: ReadLog, probe: str, params: dict[str, str]
    ) -> Iterator[Batch]:
        """Yield the rows that a COPY gives; where it breaks, say after how many."""
        columns, longest = part.reading.relation.columns, part.reading.relation.longest
        lossy = session.parameters.get("server_encoding") == "SQL_ASCII"
        dialect = Dialect(null="\\N", escapes=True, lossy=lossy)
        count, cut = 0, False
        if not columns:
            return
        counted = self._counted(part)
        params |= {"table": part.reading.relation.sql, "columns": ", ".join(column.sql for column in columns)}
        try:
            with closing(session.copy(probe, len(columns), **params)) as blocks:
                for block in blocks:
                    log.read(len(block))
                    frame = frame_of(block, columns, dialect)
                    del block  # while this frame waits, its text is not to wait with it
                    cut = cut or bool(longest and longest_cell(frame) >= longest)
                    count += frame.height
                    counted.came(frame.height)
                    yield Batch(table, frame)
        except PlainviewError as error:
            raise ReadError(f"stopped after {count:,} rows: {error.message}") from None
        finally:
            log.listed(tables=0, rows=max(count, part.reading.relation.rows or 0) if part.is_whole else count)
        if cut:
            log.skip(part.reading.label, "cells were cut at the limit of one cell")
        counted.said, counted.recount = session.copied, None
        counted.end("rows")

    def _counted(self, part: Part) -> Paging:
        """Return what ends the rows of a table that has no end. An estimate is no promise: the server counts again."""
        relation, whole = part.reading.relation, part.reading.whole
        probe = "postgresql.count_whole" if whole else "postgresql.count"

        def recount() -> int | None:
            with self._session(part.door) as session:
                rows = session.query(probe, table=relation.sql)
            return int(rows[0][0]) if rows and rows[0] and rows[0][0] and rows[0][0].isdecimal() else None

        said = max(relation.rows or 0, relation.pages * TUPLES)
        return Paging(self.wire, "the rows do", said=said, growth=GROWTH, recount=recount)

    def _sample(self, part: Part, table: Table, log: ReadLog, wanted: int) -> Iterator[Batch]:
        """Yield random rows, drawn by TABLESAMPLE; of a small table all are read and drawn from here."""
        relation = part.reading.relation
        with self._session(part.door) as session:
            rows = relation.rows
            if rows is None and not part.reading.whole:
                rows = int(session.query("postgresql.count", table=relation.sql)[0][0] or 0)
            request = _request(replace(part, last=None))
            drawn = "drawn from all rows as they were read"
            if rows and rows > 2 * wanted and not part.reading.whole:
                method = "BERNOULLI" if relation.pages < BLOCKS else "SYSTEM"
                percent = min(100.0, 100 * (wanted * 1.1 + 30) / rows)
                request = ("postgresql.sample", {"method": method, "percent": f"{percent:.6f}"})
                how = "" if method == "BERNOULLI" else ", by pages: rows that lie side by side are alike"
                table, drawn = table.drawn(f"drawn by TABLESAMPLE {method}{how}"), ""
            batches = self._rows(session, replace(part, last=None), table, log, *request)
            yield from sample_rows(batches, wanted, table.name, drawn)


def _parts(door: Door, reading: Reading) -> Iterator[Unit]:
    """Cut a large table into parts of equal size; the last is open at its end."""
    relation = reading.relation
    pages = relation.pages
    count = min(PARTS, -(-pages // PART)) if relation.heap and relation.tid_ranges and not reading.whole else 1
    if count <= 1:
        yield Unit(reading.label, size=pages << 13, rows=relation.rows, locator=Part(door, reading))
        return
    edges = [pages * number // count for number in range(count)]
    for first, last in zip(edges, [*edges[1:], None], strict=True):
        yield Unit(
            f"{reading.label} from page {first:,}",
            size=((last or pages) - first) << 13,
            rows=relation.rows // count if relation.rows else None,
            locator=Part(door, reading, first, last),
        )


def _request(part: Part) -> tuple[str, dict[str, str]]:
    if part.reading.whole:
        return "postgresql.whole", {}
    if part.is_whole:
        return "postgresql.rows", {}
    last = LAST_PAGE if part.last is None else part.last
    return "postgresql.part", {"first": str(part.first), "last": str(last)}


__all__ = ["PostgresSource"]
