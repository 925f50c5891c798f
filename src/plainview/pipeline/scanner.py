"""Targets read in this process: stores, and files where no workers are used."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from plainview.assess.people import people_of
from plainview.assess.targets import assessed
from plainview.assess.totals import Total
from plainview.crowds import Crowd
from plainview.detectors.conditions import conditions_of, without_conditions
from plainview.distinct import Key
from plainview.names import SafeNames
from plainview.pipeline.gathering import (
    SENTENCE,
    Gathered,
    Judged,
    coverage,
    grouped,
    printable,
    until_it_fails,
    with_copies,
)
from plainview.pipeline.options import Options, Progress
from plainview.pipeline.reading import FAILURES, Shared, UnitResult, read_units
from plainview.report.model import Column, Combination, People, TableReport, TargetReport
from plainview.report.sentences import agreeing
from plainview.tables import ReadLog, Source, Table, Unit
from plainview.tables.families import Families, Whole, template

if TYPE_CHECKING:
    from plainview.pipeline.engine import Engine
    from plainview.profiles import TableProfile


class Scanner:
    """Detectors made ready once, used for any number of targets; beside the first reading where they are ours alone."""

    def __init__(
        self,
        options: Options | None = None,
        progress: Progress | None = None,
        key: Key | None = None,
        total: Total | None = None,
    ) -> None:
        self.options = options or Options()
        self.progress = progress or Progress()
        self.safe, self.total = SafeNames(*self.options.detectors), total or Total()
        self.gathered: Gathered | None = None  # of the target that is being read
        self.shared = Shared(_made_ready(self.options.detectors, key), self.progress, self.options.sample)
        if self.options.detectors:
            _ = self.engine  # raises DetectorError before anything is read

    @property
    def engine(self) -> Engine:
        """What judges; waits until it is ready."""
        return self.shared.engine.result()

    def scan_source(self, source: Source, target: str) -> TargetReport:
        """Read every unit of an opened source and return what was found."""
        self.progress.on_target(target)
        log = ReadLog()
        try:
            source.check_access()
        except FAILURES as error:  # outside the scope, or a fault of ours: no verdict
            log.skip(target, error)
            looked = coverage([log], (), self.safe, read_as=source.read_as, sampled=False)
            return TargetReport(target=self.safe(target), kind=source.kind, coverage=looked)
        units = until_it_fails(source.units(log), target, log)
        tables: dict[str, tuple[Table, TableProfile]] = {}
        logs, families = [log], Families[Judged](self.safe)
        self.gathered = Gathered(target, source.kind, source.read_as, logs, families, source.exposure)
        for result in self._run(source, units):
            logs.append(result.log)
            for place, each in enumerate(result.judged):
                if place in result.parts:
                    families.add(each, *result.parts[place])
                else:
                    families.keep(each)
            for name, (table, profiler) in result.tables.items():
                profile = profiler.total
                if name in tables:
                    table = tables[name][0].noted_with(table)
                    profile = tables[name][1].merge(profile)
                tables[name] = (table, profile)
        for table, profile in tables.values():
            each = self.table_report(table, profile, log)
            if self.options.families:
                families.add(each, table, profile)
            else:
                families.keep(each)
        judged = [self.whole_report(one, log) if isinstance(one, Whole) else one for one in families.all()]
        reports = tuple(report for report, _ in judged)
        made = TargetReport(
            target=self.safe(target),
            kind=source.kind,
            exposure=printable(source.exposure(), self.safe),  # with the footprint of the reading in it
            coverage=msgspec.structs.replace(
                coverage(logs, reports, self.safe, read_as=source.read_as, sampled=self.options.sample is not None),
                credential=source.origin,
            ),
            tables=reports,
        )
        made = assessed(made, [crowd for _, crowd in judged], self.total, self.options.assume)
        return with_copies(made, getattr(source, "copies", {}), self.safe)

    def table_report(self, table: Table, profile: TableProfile, log: ReadLog | None = None) -> Judged:
        """Judge one table and count its people. A fault of ours is told to `log`: the other tables are judged."""
        try:
            columns = self.engine.judge(table.name, profile)
            combinations, columns = self.engine.combine(profile, columns)
            pattern = self.options.explain
            why = self.engine.explain(table.name, profile, pattern) if pattern else ()
        except FAILURES as error:
            if log is None:
                raise
            log.skip(table.name, error)
            columns, combinations, why = (), (), ()
        bound = self._bound(profile.rows, table)
        people, crowd = self._people(table, profile, columns, log, whole=not bound)
        report = TableReport(
            name=self.safe(table.name),
            kind=table.kind,
            rows=profile.rows,
            rows_read=profile.rows,
            columns_total=len(set(map(without_conditions, profile.columns))),
            notes=(*(self.safe(agreeing(note)) for note in table.notes), *bound),
            columns=tuple(self._safe_column(c) for c in columns),
            combinations=tuple(map(self._safe_combination, combinations)),
            explained=tuple(msgspec.structs.replace(one, path=self.safe(one.path)) for one in why),
            people=people and self._safe_people(people),
        )
        return report, crowd

    def whole_report(self, whole: Whole, log: ReadLog | None = None) -> Judged:
        """Judge a table that is the sum of its parts."""
        report, crowd = self.table_report(whole.table, whole.profile, log)
        return msgspec.structs.replace(report, parts=whole.parts), crowd

    def _safe_column(self, column: Column) -> Column:
        path, where = without_conditions(column.path), conditions_of(column.path)
        return msgspec.structs.replace(
            column, path=self.safe(path), where=self.safe(where), detector=self.safe(column.detector)
        )

    def _safe_combination(self, one: Combination) -> Combination:
        columns, evidence = (
            tuple(map(self.safe, one.columns)),
            tuple(self.safe(text, limit=SENTENCE) for text in one.evidence),
        )
        return msgspec.structs.replace(one, columns=columns, evidence=evidence)

    def _people(
        self, table: Table, profile: TableProfile, columns: Sequence[Column], log: ReadLog | None, *, whole: bool
    ) -> tuple[People | None, Crowd]:
        """Count the people of a table. A fault of ours is told to `log`: what was found in it stays."""
        try:
            return people_of(profile, columns, whole=whole)
        except FAILURES as error:
            if log is None:
                raise
            log.skip(table.name, error)
            return None, Crowd(high=None, part=True)

    def _safe_people(self, people: People) -> People:
        return msgspec.structs.replace(
            people, reasons=tuple(self.safe(reason, limit=SENTENCE) for reason in people.reasons)
        )

    def _bound(self, rows: int, table: Table) -> tuple[str, ...]:
        """Say what a sample cannot exclude: the rule of three (Hanley and Lippman-Hand, JAMA 1983)."""
        whole = rows < (self.options.sample or 0) and not table.sampled  # the luck of the draw may give fewer rows
        if self.options.sample is None or not rows or whole:
            return ()
        return (f"{rows:,} random rows: what stands in fewer than {3 / rows:.2%} of all rows may be missed (95 %)",)

    def read_units(self, source: Source, units: Sequence[Unit]) -> list[UnitResult]:
        """Read units, and judge their tables where nothing else adds to them."""
        together = self.options.families and source.whole_tables
        results = read_units(self.shared, source, units, together=together)
        if source.whole_tables:
            for result in results:  # nothing of these tables is still to come: their profiles can go
                judged = (self.table_report(table, made.total, result.log) for table, made in result.tables.values())
                result.judged = list(judged)
                if self.options.families:
                    result.parts = {
                        place: (table, made.total, result.sums.get(table.name, 1))
                        for place, (table, made) in enumerate(result.tables.values())
                        if template(table.name)
                    }
                result.tables = {}
        return results

    def _run(self, source: Source, units: Iterator[Unit]) -> Iterator[UnitResult]:
        """Read units in threads, hand results on in the order of the units, keep few in flight."""
        threads = self.options.threads or min(8, os.cpu_count() or 2)
        if threads == 1:
            for group in grouped(units):
                yield from self.read_units(source, group)
            return
        pool = ThreadPoolExecutor(threads, thread_name_prefix="plainview")
        waiting: dict[int, Future[list[UnitResult]]] = {}
        sent = done = 0
        stopped = False
        try:
            for group in grouped(units):
                waiting[sent] = pool.submit(self.read_units, source, group)
                sent += 1
                while len(waiting) >= threads * 4:
                    yield from _awaited(waiting.pop(done))
                    done += 1
            while done < sent:
                yield from _awaited(waiting.pop(done))
                done += 1
        except KeyboardInterrupt:  # whose user does not wait for what a thread is in
            stopped = True
            raise
        finally:
            pool.shutdown(wait=not stopped, cancel_futures=True)


def _awaited(future: Future[list[UnitResult]]) -> list[UnitResult]:
    """Wait for a result, in slices: once Polars was used, Ctrl-C does not end a wait that has no end of its own."""
    while not wait((future,), timeout=0.5).done:
        pass
    return future.result()


def _made_ready(detectors: Sequence[Path], key: Key | None) -> Future[Engine]:
    """Make the engine ready in a thread: reading begins meanwhile, and lets go of the interpreter's lock."""
    made: Future[Engine] = Future()

    def run() -> None:
        try:
            from plainview.pipeline.engine import Engine

            made.set_result(Engine(detectors, key))
        except BaseException as error:  # noqa: BLE001  handed to whom it is for
            made.set_exception(error)

    threading.Thread(target=run, name="plainview-engine", daemon=True).start()
    return made
