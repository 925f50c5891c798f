"""Stages 1 to 3 for a thread: units are read, their batches handed to the profilers of their tables.

Reading begins before the engine is ready: what comes meanwhile waits here, up to `EARLY` batches in a whole run.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import reduce
from threading import Semaphore
from typing import TYPE_CHECKING

import polars as pl

from plainview.pipeline.gathering import Judged
from plainview.pipeline.options import Progress
from plainview.tables import Batch, ReadLog, Source, Table, Unit
from plainview.tables.ahead import ahead
from plainview.tables.families import MEMBERS, enough, template

if TYPE_CHECKING:
    from plainview.matching.batches import TableProfiler
    from plainview.matching.first_rows import FirstRow
    from plainview.pipeline.engine import Engine
    from plainview.profiles import TableProfile

FAILURES = (Exception, pl.exceptions.PanicException)  # a panic of Rust code derives from BaseException
LARGE_FILE = 32 << 20  # bytes from which on a file is read by a thread of its own
WAITING = 2  # batches of such a file that may wait to be counted
EARLY = 8  # batches that may wait for the engine besides
TOGETHER = 200_000  # cells that wait at most
COLUMN = 32  # cells that the work for one column, however short, is worth
UNDERWAY = 2  # batches of one table that are hashed or counted when the last one was read


@dataclass(slots=True)
class UnitResult:
    """What reading one unit gave: profiles by table, judgements of those that no other unit adds to, and the log."""

    name: str
    log: ReadLog
    judged: list[Judged] = field(default_factory=list)
    parts: dict[int, tuple[Table, TableProfile, int]] = field(default_factory=dict)  # of those judged, by place
    sums: dict[str, int] = field(default_factory=dict)  # of how many tables a table is the sum, where it is one
    tables: dict[str, tuple[Table, TableProfiler]] = field(default_factory=dict)


@dataclass(slots=True)
class Shared:
    """What all readings of a run share. `early` are the places of batches that may wait for the engine.

    `on_part` is called after each batch with what its unit gave so far, `on_counting` when all of a group are read.
    """

    engine: Future[Engine]
    progress: Progress
    sample: int | None
    early: Semaphore = field(default_factory=lambda: Semaphore(EARLY))
    on_part: Callable[[UnitResult], None] = lambda result: None
    on_counting: Callable[[], None] = lambda: None


@dataclass(slots=True)
class Small:
    """A small table that may be a part of one with others."""

    result: UnitResult
    table: Table
    frame: pl.DataFrame
    more: int


class Reading:
    """Reads units one after the other; small batches wait, so that those of many tables are counted at once.

    `together`: those whose names and columns make them parts of one are one table from the beginning.
    """

    def __init__(self, shared: Shared, *, together: bool = False) -> None:
        self.shared = shared
        self.small: dict[tuple[int, str], Small] | None = {} if together else None
        self.waiting: dict[int, tuple[TableProfiler, pl.DataFrame]] = {}  # by the id of the profiler
        self.cells = 0
        self.large: TableProfiler | None = None  # which had a large batch last: rows of it may be underway

    def unit(self, source: Source, unit: Unit) -> UnitResult:
        """Read one unit. Its profiles are complete only after `finish`."""
        shared = self.shared
        result = UnitResult(unit.name, ReadLog(on_bytes=shared.progress.on_bytes))
        shared.progress.on_unit(unit)
        try:
            for batch in self._settled(self._batches(source, unit, result.log)):
                shared.progress.on_rows(batch.frame.height + batch.more)
                if not self._waits(result, batch):
                    self._take(result, batch.table, batch.frame, batch.more)
                    shared.on_part(result)
        except FAILURES as error:  # whatever a reader dies of, the rest of the run goes on and it is told
            result.log.skip(unit.name, error)
        return result

    def _take(self, result: UnitResult, table: Table, frame: pl.DataFrame, more: int) -> None:
        """Add a batch to its table."""
        name = table.name
        if name not in result.tables:
            result.tables[name] = (table, self.shared.engine.result().profiler(name, result.log))
        elif table != result.tables[name][0]:
            result.tables[name] = (result.tables[name][0].noted_with(table), result.tables[name][1])
        self._add(result.tables[name][1], frame)
        if more:
            result.tables[name][1].count(more, {})

    def _waits(self, result: UnitResult, batch: Batch) -> bool:
        """Let the only batch of a small table wait for others of its shape; what no other can be like does not wait."""
        key = (id(result), batch.table.name)
        if self.small is None or key[1] in result.tables:
            return False
        if before := self.small.pop(key, None):
            self._take(result, before.table, before.frame, before.more)
            return False
        if not template(key[1]) or batch.frame.height > self.shared.engine.result().small:
            return False
        self.small[key] = Small(result, batch.table, batch.frame, batch.more)
        return True

    def join(self) -> None:
        """Take the small tables that wait: those of one shape as one, where they are enough to be a family."""
        alike: dict[tuple[str, str, tuple[str, ...]], list[Small]] = {}
        for one in (self.small or {}).values():
            key = (template(one.table.name), one.table.kind, tuple(one.frame.columns))
            alike.setdefault(key, []).append(one)
        for some in alike.values():
            for group in _of_one_shape(some):
                first, frame, more = group[0], group[0].frame, sum(one.more for one in group)
                if len(group) > 1:
                    frame = pl.concat([one.frame for one in group], how="vertical_relaxed")
                    first.result.sums[first.table.name] = len(group)
                    first.table = reduce(Table.noted_with, (one.table for one in group))
                self._take(first.result, first.table, frame, more)
        self.small = None if self.small is None else {}

    def _settled(self, batches: Iterator[Batch]) -> Iterator[Batch]:
        """Hand on batches whose columns have names that are none of their values."""
        known: dict[str, FirstRow] = {}
        for batch in batches:
            if batch.table.header is None:
                yield batch
            else:
                yield from self.shared.engine.result().first_rows.settled(batch, known)

    def _batches(self, source: Source, unit: Unit, log: ReadLog) -> Iterator[Batch]:
        """Read a unit; of a large file the next batch while this one is counted."""
        batches = source.read(unit, log, self.shared.sample)
        if unit.size is None or unit.size < LARGE_FILE or not isinstance(batches, Generator):
            return batches
        return self._early(ahead(batches, WAITING))

    def _early(self, batches: Generator[Batch]) -> Iterator[Batch]:
        """Take what comes while the engine is not ready; drop each batch when it is handed on."""
        came: deque[Batch] = deque()
        places, failed = self.shared.early, None
        try:
            while not self.shared.engine.done() and places.acquire(blocking=False):
                try:
                    came.append(next(batches))
                except StopIteration:
                    places.release()
                    break
                except FAILURES as error:  # after what came before it
                    places.release()
                    failed = error
                    break
            while came:
                yield came.popleft()
                places.release()
            if failed:
                raise failed
            yield from batches
        finally:
            batches.close()

    def _add(self, profiler: TableProfiler, frame: pl.DataFrame) -> None:
        flat = profiler.flat(frame)
        if flat.height > self.shared.engine.result().small:
            self.count()
            if self.large is not None and self.large is not profiler:  # a unit may hold any number of tables
                _each_fault(self.large.settle, self.large.log, self.large.table)
            self.large = profiler
            profiler.add_large(flat)
            return
        before = self.waiting.get(id(profiler))
        if before is not None:
            if not flat.height and flat.schema == before[1].schema:
                return  # says again what columns there are
            self.count()
        self.waiting[id(profiler)] = (profiler, flat)
        self.cells += (flat.height + COLUMN) * flat.width
        if self.cells > TOGETHER:
            self.count()

    def count(self) -> None:
        """Count what waits."""
        waiting, self.waiting, self.cells = list(self.waiting.values()), {}, 0
        if not waiting:
            return
        engine = self.shared.engine.result()
        for profiler, _ in waiting:
            _each_fault(profiler.settle, profiler.log, profiler.table)
        try:
            engine.add_small(waiting)
        except FAILURES:  # one of them; the others must not go with it
            for profiler, flat in waiting:
                try:
                    engine.add_small([(profiler, flat)])
                except FAILURES as error:
                    if profiler.log:
                        profiler.log.skip(profiler.table, error)


def _of_one_shape(tables: Sequence[Small]) -> Iterator[list[Small]]:
    """Yield tables of one template and the same columns in groups of the same types; those of too few stay alone."""
    groups: list[tuple[dict[str, pl.DataType], list[Small]]] = []
    for one in tables:
        for types, group in groups:
            if all(types[name] in (kind, pl.Null) or kind == pl.Null for name, kind in one.frame.schema.items()):
                group.append(one)
                types.update((name, kind) for name, kind in one.frame.schema.items() if kind != pl.Null)
                break
        else:
            groups.append((dict(one.frame.schema), [one]))
    for _, group in groups:
        if len(group) >= enough(
            template(group[0].table.name), group[0].frame.columns
        ):  # else it may turn out that they stay apart
            yield group
        else:
            yield from ([one] for one in group)


def finish(result: UnitResult) -> None:
    """Wait for the batches that are underway, and for the last tags."""
    for name, (_, profiler) in result.tables.items():
        _each_fault(profiler.finish, result.log, name)


def _each_fault(step: Callable[[], object], log: ReadLog | None, table: str) -> None:
    """Take a step again until it has no fault: each batch that is underway may have one of its own, and is reported."""
    for _ in range(UNDERWAY + 1):
        try:
            step()
        except FAILURES as error:
            if log:
                log.skip(table, error)
        else:
            return


def read_units(shared: Shared, source: Source, units: Sequence[Unit], *, together: bool = False) -> list[UnitResult]:
    """Read units to their ends, or to where they fail: what was read counts. Small tables are counted together."""
    reading = Reading(shared, together=together and len(units) >= MEMBERS)
    results = [reading.unit(source, unit) for unit in units]
    shared.on_counting()
    reading.join()
    reading.count()
    for result in results:
        finish(result)
    return results
