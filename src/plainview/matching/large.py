"""One batch of many rows: its columns are hashed, get the tags of their new values, and are counted, side by side."""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
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
from plainview.matching.small import Hashes, smallest_hashes
from plainview.profiles import SAMPLE, ColumnProfile, Tags

if TYPE_CHECKING:
    from plainview.matching.batches import TableProfiler

SEED = 0x706C6169  # hashes live in memory only; a fixed seed makes two runs agree
FEW = 4096  # cells that show whether values repeat
REPEATED = 8  # times that values stand on average, from which on each distinct one is looked at once


class LargeColumn:
    """One column of a large batch, in two steps, between which the tags of its new values are found."""

    def __init__(self, profiler: TableProfiler, series: pl.Series, hashes: pl.Series | None) -> None:
        self.profiler, self.path, self.series, self.hashes = profiler, series.name, series, hashes
        self.known, self.bound = profiler.known(self.path), profiler.bound(self.path)
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
        profiler, plan = self.profiler, self.profiler.plan_of(self.path)
        profiler.learn_from(self.path, self.learnt)
        prose = is_prose(self.series)
        counts = count_column(self.cells, plan, profiler.matcher, prose=prose, watch=prose and profiler.learn)
        return ColumnProfile(self.rows, self.empty, counts, self.sketch, frozenset({kind_of(self.series)}))


@dataclass(slots=True)
class Underway:
    """A batch whose columns are hashed, and then counted, by the pool."""

    rows: int
    columns: Sequence[LargeColumn]
    _hashed: Sequence[Future[None]] = ()
    _counted: Sequence[Future[ColumnProfile]] = ()

    def hash(self) -> None:
        """Begin to hash."""
        self._hashed = [_pool().submit(column.hash) for column in self.columns]

    def hashed(self) -> Sequence[LargeColumn]:
        """Return the columns when all are hashed."""
        for done in self._hashed:
            done.result()
        return self.columns

    def count(self) -> None:
        """Begin to count; the longest columns first, for then all end together."""
        order = sorted(range(len(self.columns)), key=lambda at: -self.columns[at].series.estimated_size())
        begun = {at: _pool().submit(self.columns[at].count) for at in order}
        self._counted = [begun[at] for at in range(len(self.columns))]

    def counted(self) -> dict[str, ColumnProfile]:
        """Return the profiles of the columns when all are counted."""
        return {column.path: done.result() for column, done in zip(self.columns, self._counted, strict=True)}


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


def fresh_values(
    values: pl.Series, hashes: Hashes, known: Mapping[int, Tags], bound: int | None = None
) -> dict[int, str]:
    """Return the distinct values with the smallest hashes, at most SAMPLE and up to `bound`, the known ones not."""
    if bound is not None:
        places = np.flatnonzero(hashes <= np.uint64(bound))
    else:
        # the smallest of many: first cut by value, which is cheap, then make distinct
        cut = min((1 << 64) // max(1, len(hashes)) * SAMPLE * 8, (1 << 64) - 1)
        places = np.flatnonzero(hashes <= np.uint64(cut))
        if len(set(hashes[places].tolist())) < SAMPLE:
            places = np.arange(len(hashes))
    least, first = smallest_hashes(hashes[places])
    new = [at for at, key in enumerate(least) if key not in known]
    found = values.gather(places[first[new]].tolist()).to_list() if new else []
    return {least[at]: value for at, value in zip(new, found, strict=True)}


@functools.cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(min(8, os.cpu_count() or 2), thread_name_prefix="plainview-columns")
