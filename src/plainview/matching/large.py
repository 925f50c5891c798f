"""One batch of many rows: its columns are hashed, get the tags of their new values, and are counted, side by side."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import polars as pl

from plainview.matching.columns import (
    LONGEST_NULL,
    binary_or_vector,
    is_prose,
    kind_of,
    rows_of,
    text_of,
    without_empty,
)
from plainview.matching.counting import Cells, count_column
from plainview.matching.people import Part, count_people
from plainview.matching.plans import TablePlan
from plainview.matching.sketches import SEED, TableSketches, fresh_values
from plainview.matching.tagging import tag_values
from plainview.profiles import SAMPLE, ColumnProfile
from plainview.tags import Tags

FEW = 4096  # cells that show whether values repeat
REPEATED = 8  # times that values stand on average, from which on each distinct one is looked at once


class LargeColumn:
    """One column of a large batch, in two steps, between which the tags of its new values are found."""

    def __init__(self, sketches: TableSketches, plan: TablePlan, series: pl.Series, hashes: pl.Series | None) -> None:
        self.plan, self.path, self.series, self.hashes = plan, series.name, series, hashes
        self.known, self.bound = sketches.known(self.path), sketches.bound(self.path)
        self.done: ColumnProfile | None = None
        self.rows = self.empty = 0
        self.cells = Cells(pl.Series(dtype=pl.String))
        self.fresh: Mapping[int, str] = {}
        self.sketch: dict[int, Tags] = {}
        self.learnt: Mapping[int, Tags] | None = None

    def hash(self) -> None:
        """Find the values that belong into the sketch, and those among them that are new."""
        if self.hashes is not None:
            self.rows, values, hashes = len(self.series), self.series, self.hashes
        else:
            text = binary_or_vector(self.series) or text_of(self.series)
            if isinstance(text, ColumnProfile):
                self.done = text
                return
            self.rows = rows_of(self.series, text)
            values = without_empty(text)
            self.empty = self.rows - len(values)
            hashes = values.hash(SEED)
        self.cells = Cells(values)
        if REPEATED * (_distinct(self.known) or _counted(hashes)) < len(values):
            first = hashes.arg_unique().sort()
            self.cells = Cells(values.gather(first), hashes.unique_counts())
            hashes = hashes.gather(first)
        self.fresh = fresh_values(self.cells.values, hashes.to_numpy(), self.known, self.bound)

    def count(self) -> ColumnProfile:
        """Return the profile of the batch."""
        if self.done is not None:
            return self.done
        self.plan.learn(self.path, self.learnt)
        plan, prose = self.plan.of(self.path), is_prose(self.series)
        counts = count_column(self.cells, plan, self.plan.matcher, prose=prose, watch=prose and self.plan.learns)
        return ColumnProfile(self.rows, self.empty, counts, self.sketch, frozenset({kind_of(self.series)}))


@dataclass(slots=True)
class Underway:
    """A batch whose columns are hashed, and then counted, by the pool."""

    rows: int
    columns: Sequence[LargeColumn]
    frame: pl.DataFrame
    _hashed: Sequence[Future[None]] = ()
    _counted: Sequence[Future[ColumnProfile]] = ()
    _peopled: Future[None] | None = None

    def hash(self) -> None:
        """Begin to hash."""
        self._hashed = [_pool().submit(column.hash) for column in self.columns]

    def hashed(self) -> Sequence[LargeColumn]:
        """Return the columns when all are hashed."""
        for done in self._hashed:
            done.result()
        return self.columns

    def count(self, identifying: Sequence[Part]) -> None:
        """Begin to count; the longest columns first, for then all end together. `identifying` are cells of people."""
        order = sorted(range(len(self.columns)), key=lambda at: -self.columns[at].series.estimated_size())
        begun = {at: _pool().submit(self.columns[at].count) for at in order}
        self._counted = [begun[at] for at in range(len(self.columns))]
        self._peopled = _pool().submit(count_people, identifying)

    def counted(self) -> dict[str, ColumnProfile]:
        """Return the profiles of the columns when all are counted."""
        if self._peopled:
            self._peopled.result()
        return {column.path: done.result() for column, done in zip(self.columns, self._counted, strict=True)}


class LargeBatches:
    """The large batches of one table, of which two are underway, so that none waits for the end of another.

    While one batch is hashed, the new values of the one before it get their tags, and the one before that is counted.
    `counted` is handed the rows and the profiles of each batch, in their order.
    """

    def __init__(
        self,
        sketches: TableSketches,
        plan: TablePlan,
        counted: Callable[[int, Mapping[str, ColumnProfile]], None],
        identifying: Callable[[pl.DataFrame], Sequence[Part]],
    ) -> None:
        self.sketches, self.plan, self._hand_on, self._identifying = sketches, plan, counted, identifying
        self._hashing: Underway | None = None  # the batch that came last
        self._counting: Underway | None = None  # the one before it

    def add(self, frame: pl.DataFrame) -> None:
        """Begin with a flat batch; its columns go side by side, since Polars releases the interpreter's lock."""
        hashes = hashes_of_full(frame)
        columns = [LargeColumn(self.sketches, self.plan, s, hashes.get(s.name)) for s in frame.iter_columns()]
        batch = Underway(frame.height, columns, frame)
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
                self._hand_on(counted.rows, counted.counted())
        finally:
            if batch:
                batch.count(self._identifying(batch.frame))
            self._counting = batch

    def _tag(self, batch: Underway) -> None:
        """Find the tags of all columns at once: each step of Polars costs."""
        dues = [self.sketches.due(column.path, column.fresh) for column in batch.hashed()]
        named = [self.plan.named(column.path) for column, due in zip(batch.columns, dues, strict=True) for _ in due]
        tags = iter(tag_values([value for due in dues for value in due.values()], self.plan.matcher, named))
        for column, due in zip(batch.columns, dues, strict=True):
            column.sketch = {key: next(tags) for key in due}
            column.learnt = self.sketches.add(column.path, column.sketch)


def hashes_of_full(frame: pl.DataFrame) -> dict[str, pl.Series]:
    """Return the hashes of the text columns in which no cell is empty, found in one step for all of them."""
    text = [s.name for s in frame.iter_columns() if s.dtype == pl.String and not s.null_count()]
    shortest = frame.select(pl.col(text).str.len_bytes().min()).row(0) if text else ()
    full = [name for name, least in zip(text, shortest, strict=True) if least > LONGEST_NULL]
    return {s.name: s for s in frame.select(pl.col(full).hash(SEED)).iter_columns()} if full else {}


def _distinct(known: Mapping[int, Tags]) -> float:
    """Estimate how many distinct values a column has from its sketch; 0 where that is empty."""
    return len(known) if len(known) < SAMPLE else (SAMPLE - 1) * 2.0**64 / max(known)


def _counted(hashes: pl.Series) -> int:
    """Return how many hashes are distinct, or a number above it where the first few are nearly all distinct."""
    return len(hashes) if hashes.head(FEW).n_unique() > FEW // 2 else hashes.n_unique()


@functools.cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(min(8, os.cpu_count() or 2), thread_name_prefix="plainview-columns")
