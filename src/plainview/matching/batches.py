"""Stage 3 over batches: from rows to sums. The only place, with `find`, where values are looked at.

Every column has a sketch of distinct values (`profiles.ColumnProfile`). What the sketch shows decides which
detectors are worth running over every row: the *plan*. A watch, one expression of all patterns that may
stand in running text, runs over all other text cells; what it meets later joins the plan from that batch
on, and nothing is lost, since the batches before had no cell that it could have counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from plainview.detectors.fieldnames import NameIndex
from plainview.documents.flatten import flatten
from plainview.matching.columns import binary_or_vector, is_prose, kind_of, rows_of, text_of
from plainview.matching.compiled import Matcher
from plainview.matching.large import SEED, LargeColumn, Underway, hashes_of_full
from plainview.matching.plans import CLEAR, ColumnPlan, extend_plan
from plainview.matching.small import SmallColumn, count_small
from plainview.matching.tagging import tag_values
from plainview.profiles import SAMPLE, ColumnProfile, TableProfile, Tags, smallest
from plainview.tables import ReadLog

SMALL = 2048  # rows up to which a batch is counted together with others


@dataclass(slots=True)
class TableProfiler:
    """Adds up the batches of one table. Belongs to one thread. With `learn` off the plan stays as given."""

    matcher: Matcher
    names: NameIndex
    table: str = ""
    plan: dict[str, ColumnPlan] = field(default_factory=dict)
    learn: bool = True
    log: ReadLog | None = None
    _sum: TableProfile = field(default_factory=TableProfile)
    _sketches: dict[str, Mapping[int, Tags]] = field(default_factory=dict, repr=False)  # of all batches met so far
    _hashing: Underway | None = field(default=None, repr=False)  # the batch that came last
    _counting: Underway | None = field(default=None, repr=False)  # the one before it
    _pending: dict[str, dict[int, str]] = field(default_factory=dict, repr=False)  # values that wait for their tags

    @property
    def total(self) -> TableProfile:
        """The profile of all batches so far."""
        self.settle()
        waiting = [(path, key, value) for path, late in self._pending.items() for key, value in late.items()]
        self._pending = {}
        tags = tag_values([value for *_, value in waiting], self.matcher, [self.named(path) for path, *_ in waiting])
        late: dict[str, dict[int, Tags]] = {path: {} for path, *_ in waiting}
        for (path, key, _), found in zip(waiting, tags, strict=True):
            late[path][key] = found
        columns = {path: ColumnProfile(sketch=sketch) for path, sketch in late.items()}
        self._sum = self._sum.merge(TableProfile(0, columns))
        return self._sum

    @property
    def so_far(self) -> TableProfile:
        """The profile of the batches that are counted; those underway and the last tags are not in it."""
        return self._sum

    def add(self, frame: pl.DataFrame) -> None:
        """Count one batch."""
        flat = self.flat(frame)
        if flat.height <= SMALL:
            add_small([(self, flat)])
        else:
            self.add_large(flat)

    def flat(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Take nested columns and documents in text apart."""
        return flatten(frame, log=self.log, name=self.table)

    def known(self, path: str) -> Mapping[int, Tags]:
        """Return the sketch of a column so far."""
        return self._sketches.get(path, {})

    def bound(self, path: str) -> int | None:
        """Return the largest hash that a new value of a column may have, or None while its sketch is not full."""
        known = self.known(path)
        return sorted((*known, *self._pending.get(path, ())))[SAMPLE - 1] if len(known) >= SAMPLE else None

    def due(self, path: str, fresh: Mapping[int, str]) -> Mapping[int, str]:
        """Return the new values that are to be tagged now; of a full sketch the few new ones wait for others."""
        known = self.known(path)
        waiting = self._pending.pop(path, {})
        new = {key: value for key, value in {**waiting, **fresh}.items() if key not in known}
        if len(known) + len(new) > SAMPLE:
            bound = sorted((*known, *new))[SAMPLE - 1]
            new = {key: value for key, value in new.items() if key <= bound}
        if len(known) == SAMPLE and len(new) < SAMPLE // 2:
            self._pending[path] = new
            return {}
        return new

    def count(self, rows: int, columns: Mapping[str, ColumnProfile]) -> None:
        """Add what a batch gave."""
        self._sum = self._sum.merge(TableProfile(rows, columns))

    def named(self, path: str) -> frozenset[str]:
        """Return the detectors with `needs_name` that the name of a column speaks of."""
        matches = self.names.match(path, self.table)
        return self.matcher.loose.intersection(m.detector for m in matches if m.strength >= CLEAR)

    def plan_of(self, path: str) -> ColumnPlan:
        """Return the plan of a column, made when it is met first."""
        return self.plan.setdefault(path, ColumnPlan())

    def sketched(self, path: str, new: Mapping[int, Tags]) -> Mapping[int, Tags] | None:
        """Add new values to the sketch of a column; return it where the plan has something to learn from it."""
        known = self._sketches.get(path)
        if known and not new:
            return None
        sketch = self._sketches[path] = smallest({**(known or {}), **new})
        return sketch if self.learn else None

    def learn_from(self, path: str, sketch: Mapping[int, Tags] | None) -> None:
        """Extend the plan of a column by what its sketch and its name suggest."""
        if sketch is not None:
            extend_plan(self.plan_of(path), sketch, self.names.match(path, self.table), self.matcher)

    def add_large(self, frame: pl.DataFrame) -> None:
        """Count a flat batch, its columns side by side: Polars lets go of the interpreter's lock.

        Nothing waits here for the end: while one batch is hashed, the new values of the one before it get their tags,
        and the one before that is counted.
        """
        hashes = hashes_of_full(frame)
        batch = Underway(frame.height, [LargeColumn(self, s, hashes.get(s.name)) for s in frame.iter_columns()])
        batch.hash()
        before, self._hashing = self._hashing, batch
        if before:
            self._advance(before)

    def settle(self) -> None:
        """Wait until all batches are counted. Raises what one of them raised, which is not added; the others wait."""
        while self._hashing or self._counting:
            batch, self._hashing = self._hashing, None
            self._advance(batch)

    def _advance(self, batch: Underway | None) -> None:
        """Let a batch that was hashed be counted, when the one before it is."""
        if batch:
            self._tag(batch)
        counted, self._counting = self._counting, None
        try:
            if counted:
                self.count(counted.rows, counted.counted())
        finally:
            if batch:
                batch.count()
            self._counting = batch

    def _tag(self, batch: Underway) -> None:
        """Find the tags of all columns at once: each step of Polars costs."""
        dues = [self.due(column.path, column.fresh) for column in batch.hashed()]
        named = [self.named(column.path) for column, due in zip(batch.columns, dues, strict=True) for _ in due]
        tags = iter(tag_values([value for due in dues for value in due.values()], self.matcher, named))
        for column, due in zip(batch.columns, dues, strict=True):
            column.sketch = {key: next(tags) for key in due}
            column.learnt = self.sketched(column.path, column.sketch)


def add_small(parts: Sequence[tuple[TableProfiler, pl.DataFrame]]) -> None:
    """Count one small, flat batch of each of several tables; all or none are added."""
    if not parts:
        return
    for profiler, _ in parts:
        profiler.settle()
    columns: list[SmallColumn] = []
    made: list[tuple[TableProfiler, int, dict[str, ColumnProfile | tuple[pl.Series, int, SmallColumn]]]] = []
    for profiler, frame in parts:
        own: dict[str, ColumnProfile | tuple[pl.Series, int, SmallColumn]] = {}
        for series in frame.iter_columns():
            path = series.name
            text = binary_or_vector(series) or text_of(series)
            if isinstance(text, ColumnProfile):
                own[path] = text
                continue
            column = SmallColumn(profiler, path, text, prose=is_prose(series))
            columns.append(column)
            own[path] = (series, rows_of(series, text), column)
        made.append((profiler, frame.height, own))
    count_small(columns, parts[0][0].matcher, SEED)
    for profiler, height, own in made:
        done = {path: part if isinstance(part, ColumnProfile) else _profile(*part) for path, part in own.items()}
        profiler.count(height, done)


def _profile(series: pl.Series, rows: int, column: SmallColumn) -> ColumnProfile:
    return ColumnProfile(rows, rows - column.filled, column.counts, column.sketch, frozenset({kind_of(series)}))


def profile(frames: Iterable[pl.DataFrame], matcher: Matcher, names: NameIndex, table: str = "") -> TableProfile:
    """Return the profile of a table given as frames."""
    profiler = TableProfiler(matcher, names, table)
    for frame in frames:
        profiler.add(frame)
    return profiler.total
