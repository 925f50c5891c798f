"""The pipeline, top to bottom: target, source, batches, profiles, findings, report."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import polars as pl

from plainview import __version__
from plainview.classify import classify
from plainview.credentials import Credentials
from plainview.detectors import load_detectors
from plainview.errors import PlainviewError
from plainview.fieldnames import NameIndex
from plainview.matching.batches import SMALL, TableProfiler, add_small
from plainview.matching.compiled import Matcher
from plainview.matching.tagging import warm
from plainview.names import safe_name
from plainview.profiles import TableProfile
from plainview.report import Column, Coverage, Report, Skipped, TableReport, TargetReport, Tool
from plainview.scope import Scope
from plainview.sentences import agreeing
from plainview.sources.ahead import ahead
from plainview.sources.base import Batch, Limits, ReadLog, Source, Table, Unit
from plainview.target import Target
from plainview.wire_limits import WireLimits

FAILURES = (Exception, pl.exceptions.PanicException)  # a panic of Rust code derives from BaseException
LARGE_FILE = 32 << 20  # bytes from which on a file is read by a thread of its own
WAITING = 2  # batches of such a file that may wait to be counted
SMALL_FILE = 1 << 18  # bytes up to which files are read and counted together with others
GROUP = 64  # of such files
TOGETHER = 200_000  # cells that wait at most


@dataclass(slots=True)
class Progress:
    """Told of everything that can be shown while a scan runs. All calls may come from any thread."""

    on_target: Callable[[str], None] = lambda name: None
    on_unit: Callable[[Unit], None] = lambda unit: None
    on_bytes: Callable[[int], None] = lambda count: None
    on_rows: Callable[[int], None] = lambda count: None


@dataclass(frozen=True, slots=True)
class Options:
    """How to scan. `sample` is rows a table, None for all; `threads` is how many units are read at once."""

    sample: int | None = None
    threads: int = 0
    detectors: tuple[Path, ...] = ()
    limits: Limits = field(default_factory=Limits)
    scope: Scope | None = None  # None: loopback only
    credentials: Credentials | None = None  # None: only what stands in an address
    network: WireLimits | None = None


@dataclass(slots=True)
class UnitResult:
    """What reading one unit gave: profiles by table, reports of those that no other unit adds to, and the log."""

    log: ReadLog
    reports: list[TableReport] = field(default_factory=list)
    tables: dict[str, tuple[Table, TableProfiler]] = field(default_factory=dict)


class Scanner:
    """Detectors made ready once, used for any number of targets."""

    def __init__(self, options: Options | None = None, progress: Progress | None = None) -> None:
        self.options = options or Options()
        self.progress = progress or Progress()
        loaded = load_detectors(*self.options.detectors)
        self.detectors = {d.name: d for d in loaded}
        self.matcher = Matcher(loaded)
        # reading begins meanwhile: parsers and sockets let go of the interpreter's lock
        self._ready = threading.Thread(target=self._prepare, name="plainview-prepare", daemon=True)
        self._ready.start()

    def _prepare(self) -> None:
        self._names = NameIndex(self.detectors.values())
        self.matcher.compile()
        with contextlib.suppress(PlainviewError):  # which is raised again where they are used
            warm(self.matcher)

    @property
    def names(self) -> NameIndex:
        """All field names; waits until everything is ready."""
        self._ready.join()
        return self._names

    def scan_source(self, source: Source, target: str) -> TargetReport:
        """Read every unit of an opened source and return what was found."""
        self.progress.on_target(target)
        log = ReadLog()
        try:
            exposure = source.check_access()
        except FAILURES as error:  # outside the scope, or a fault of ours: no verdict
            log.skip(target, error)
            coverage = _coverage([log], (), source, sampled=False)
            return TargetReport(target=safe_name(target), kind=source.kind, coverage=coverage)
        units = _until_it_fails(source.units(log), safe_name(target), log)
        tables: dict[str, tuple[Table, TableProfile]] = {}
        logs, judged = [log], []
        for result in self._run(source, units):
            logs.append(result.log)
            judged.extend(result.reports)
            for name, (table, profiler) in result.tables.items():
                profile = profiler.total
                if name in tables:
                    table = _with_notes(tables[name][0], table)
                    profile = tables[name][1].merge(profile)
                tables[name] = (table, profile)
        reports = (*judged, *(self.table_report(table, profile) for table, profile in tables.values()))
        return TargetReport(
            target=safe_name(target),
            kind=source.kind,
            exposure=source.check_access() if exposure else None,  # again: the footprint of the reading is in it now
            coverage=_coverage(logs, reports, source, sampled=self.options.sample is not None),
            tables=reports,
        )

    def table_report(self, table: Table, profile: TableProfile) -> TableReport:
        """Judge one table."""
        columns = classify(table.name, profile, self.detectors, self.names)
        return TableReport(
            name=safe_name(table.name),
            kind=table.kind,
            rows=profile.rows,
            rows_read=profile.rows,
            columns_total=len(profile.columns),
            notes=(*(safe_name(agreeing(note)) for note in table.notes), *self._bound(profile.rows, table)),
            columns=tuple(_safe_column(c) for c in columns),
        )

    def _bound(self, rows: int, table: Table) -> tuple[str, ...]:
        """Say what a sample cannot exclude: the rule of three (Hanley and Lippman-Hand, JAMA 1983)."""
        whole = rows < (self.options.sample or 0) and not table.sampled  # the luck of the draw may give fewer rows
        if self.options.sample is None or not rows or whole:
            return ()
        return (f"{rows:,} random rows: what stands in fewer than {3 / rows:.2%} of all rows may be missed (95 %)",)

    def read_units(self, source: Source, units: Sequence[Unit]) -> list[UnitResult]:
        """Read units to their ends, or to where they fail: what was read counts. Small tables are counted together."""
        reading = _Reading(self)
        results = [reading.unit(source, unit) for unit in units]
        reading.count()
        if getattr(source, "whole_tables", False):
            for result in results:  # nothing of these tables is still to come: their profiles can go
                result.reports = [self.table_report(table, made.total) for table, made in result.tables.values()]
                result.tables = {}
        return results

    def _run(self, source: Source, units: Iterator[Unit]) -> Iterator[UnitResult]:
        """Read units in threads, hand results on in the order of the units, keep few in flight."""
        threads = self.options.threads or min(8, os.cpu_count() or 2)
        if threads == 1:
            for group in _grouped(units):
                yield from self.read_units(source, group)
            return
        with ThreadPoolExecutor(threads, thread_name_prefix="plainview") as pool:
            waiting: dict[int, Future[list[UnitResult]]] = {}
            sent = done = 0
            try:
                for group in _grouped(units):
                    waiting[sent] = pool.submit(self.read_units, source, group)
                    sent += 1
                    while len(waiting) >= threads * 4:
                        wait([waiting[done]], return_when=FIRST_COMPLETED)
                        yield from waiting.pop(done).result()
                        done += 1
                while done < sent:
                    yield from waiting.pop(done).result()
                    done += 1
            finally:
                for future in waiting.values():
                    future.cancel()


class _Reading:
    """Reads units one after the other; small batches wait, so that those of many tables are counted at once."""

    def __init__(self, scanner: Scanner) -> None:
        self.scanner = scanner
        self.waiting: dict[int, tuple[TableProfiler, pl.DataFrame]] = {}  # by the id of the profiler
        self.cells = 0

    def unit(self, source: Source, unit: Unit) -> UnitResult:
        """Read one unit. Its profiles are complete only after `count`."""
        scanner, progress = self.scanner, self.scanner.progress
        result = UnitResult(ReadLog(on_bytes=progress.on_bytes))
        progress.on_unit(unit)
        try:
            for batch in _batches(source, unit, result.log, scanner.options.sample):
                name = batch.table.name
                if name not in result.tables:
                    profiler = TableProfiler(scanner.matcher, scanner.names, name, log=result.log)
                    result.tables[name] = (batch.table, profiler)
                elif batch.table.notes != result.tables[name][0].notes:
                    result.tables[name] = (_with_notes(result.tables[name][0], batch.table), result.tables[name][1])
                self._add(result.tables[name][1], batch.frame)
                progress.on_rows(batch.frame.height)
        except FAILURES as error:  # whatever a reader dies of, the rest of the run goes on and it is told
            result.log.skip(unit.name, error)
        return result

    def _add(self, profiler: TableProfiler, frame: pl.DataFrame) -> None:
        flat = profiler.flat(frame)
        if flat.height > SMALL:
            self.count()
            profiler.add_large(flat)
            return
        before = self.waiting.get(id(profiler))
        if before is not None:
            if not flat.height and flat.schema == before[1].schema:
                return  # says again what columns there are
            self.count()
        self.waiting[id(profiler)] = (profiler, flat)
        self.cells += flat.height * flat.width
        if self.cells > TOGETHER:
            self.count()

    def count(self) -> None:
        """Count what waits."""
        waiting, self.waiting, self.cells = list(self.waiting.values()), {}, 0
        try:
            add_small(waiting)
        except FAILURES:  # one of them; the others must not go with it
            for profiler, flat in waiting:
                try:
                    add_small([(profiler, flat)])
                except FAILURES as error:
                    if profiler.log:
                        profiler.log.skip(profiler.table, error)


def _batches(source: Source, unit: Unit, log: ReadLog, sample: int | None) -> Iterator[Batch]:
    """Read a unit; of a large file the next batch while this one is counted."""
    batches = source.read(unit, log, sample)
    if unit.size is None or unit.size < LARGE_FILE or not isinstance(batches, Generator):
        return batches
    return ahead(batches, WAITING)


def _grouped(units: Iterator[Unit]) -> Iterator[list[Unit]]:
    """Yield units one by one, small files by the dozen."""
    group: list[Unit] = []
    for unit in units:
        if unit.size is None or unit.size > SMALL_FILE:
            if group:
                yield group
            yield [unit]
            group = []
            continue
        group.append(unit)
        if len(group) == GROUP:
            yield group
            group = []
    if group:
        yield group


def _until_it_fails(units: Iterator[Unit], target: str, log: ReadLog) -> Iterator[Unit]:
    """Hand on the units; where listing them fails, those before count and the rest is told."""
    try:
        yield from units
    except FAILURES as error:  # see `_Reading.unit`
        log.skip(target, error)


def _with_notes(table: Table, other: Table) -> Table:
    return Table(table.name, table.kind, tuple(dict.fromkeys((*table.notes, *other.notes))))


def _safe_column(column: Column) -> Column:
    return msgspec.structs.replace(column, path=safe_name(column.path))


def _coverage(logs: Sequence[ReadLog], tables: Sequence[TableReport], source: Source, *, sampled: bool) -> Coverage:
    return Coverage(
        tables_listed=max(sum(log.tables_listed for log in logs), len(tables)),
        tables_read=len(tables),
        rows_listed=max(sum(log.rows_listed for log in logs), sum(t.rows_read for t in tables)),
        rows_read=sum(t.rows_read for t in tables),
        bytes_read=sum(log.bytes_read for log in logs),
        sampled=sampled,
        read_as=getattr(source, "read_as", "file"),
        skipped=_told(pair for log in logs for pair in log.skipped),
        noted=_told(pair for log in logs for pair in log.noted),
    )


def _told(pairs: Iterable[tuple[str, str]]) -> tuple[Skipped, ...]:
    return tuple(Skipped(what=safe_name(what), why=safe_name(agreeing(why), limit=600)) for what, why in pairs)


def now() -> str:
    """Return the time in UTC, to the second."""
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")


def scan(*targets: str | Path | Target, options: Options | None = None, progress: Progress | None = None) -> Report:
    """Scan files, folders and stores; one bad target does not end the run.

    Raises UsageError for an address that is none. Everything that could not be looked at stands in
    `coverage.skipped` of its target.
    """
    from plainview.sources import open_source
    from plainview.target import parse_target

    started = now()
    scanner = Scanner(options, progress)
    chosen = scanner.options
    parsed = [t if isinstance(t, Target) else parse_target(str(t)) for t in targets]
    reports = []
    for target in parsed:
        try:
            source = open_source(
                target,
                scope=chosen.scope,
                credentials=chosen.credentials,
                limits=chosen.limits,
                network=chosen.network,
            )
        except PlainviewError as error:
            skipped = (Skipped(what=safe_name(str(target)), why=safe_name(str(error), limit=600)),)
            reports.append(
                TargetReport(target=safe_name(str(target)), kind=target.kind, coverage=Coverage(skipped=skipped))
            )
            continue
        try:
            reports.append(scanner.scan_source(source, str(target)))
        finally:
            source.close()
    return Report(tool=Tool(version=__version__), started=started, finished=now(), targets=tuple(reports))


__all__ = ["Limits", "Options", "Progress", "Scanner", "scan"]
