"""Reading units and counting what they hold: small tables together, large ones while more is read."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from plainview.matching.batches import SMALL, TableProfiler, add_small
from plainview.report import TableReport
from plainview.sources.ahead import ahead
from plainview.sources.base import Batch, ReadLog, Source, Table, Unit

if TYPE_CHECKING:
    from plainview.pipeline import Scanner

LARGE_FILE = 32 << 20  # bytes from which on a file is read by a thread of its own
SMALL_FILE = 1 << 18  # bytes up to which files are read and counted together with others
GROUP = 64  # of such files
TOGETHER = 200_000  # cells that wait at most


@dataclass(slots=True)
class UnitResult:
    """What reading one unit gave: profiles by table, reports of those that no other unit adds to, and the log."""

    log: ReadLog
    reports: list[TableReport] = field(default_factory=list)
    tables: dict[str, tuple[Table, TableProfiler]] = field(default_factory=dict)


class Reading:
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
                    result.tables[name] = (with_notes(result.tables[name][0], batch.table), result.tables[name][1])
                self._add(result.tables[name][1], batch.frame)
                progress.on_rows(batch.frame.height)
        except Exception as error:  # noqa: BLE001 - whatever a reader dies of, the rest of the run goes on and it is told
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
        except Exception:  # noqa: BLE001 - one of them; the others must not go with it
            for profiler, flat in waiting:
                try:
                    add_small([(profiler, flat)])
                except Exception as error:  # noqa: BLE001
                    if profiler.log:
                        profiler.log.skip(profiler.table, error)


def _batches(source: Source, unit: Unit, log: ReadLog, sample: int | None) -> Iterator[Batch]:
    """Read a unit; of a large file the next batch while this one is counted."""
    batches = source.read(unit, log, sample)
    if unit.size is None or unit.size < LARGE_FILE or not isinstance(batches, Generator):
        return batches
    return ahead(batches)


def grouped(units: Iterator[Unit]) -> Iterator[list[Unit]]:
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


def with_notes(table: Table, other: Table) -> Table:
    """Return the table with the notes of both."""
    return Table(table.name, table.kind, tuple(dict.fromkeys((*table.notes, *other.notes))))


__all__ = ["GROUP", "Reading", "UnitResult", "grouped", "with_notes"]
