"""Stage 3 over batches: from rows to sums. The only place, with `find`, where values are looked at.

Every column has a sketch of distinct values (`profiles.ColumnProfile`). What the sketch shows decides which
detectors are worth running over every row: the *plan*. A watch, one expression of all patterns that may
stand in running text, runs over all other text cells; what it meets later joins the plan from that batch
on, and nothing is lost, since the batches before had no cell that it could have counted.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from plainview.fieldnames import NameIndex
from plainview.flatten import flatten
from plainview.matching.columns import LONGEST_NULL, as_text, is_vector, unit_norm, vector_length, without_empty
from plainview.matching.compiled import Matcher
from plainview.matching.counting import Cells, count_column
from plainview.matching.plans import CLEAR, ColumnPlan, extend_plan
from plainview.matching.small import Hashes, SmallColumn, count_small, smallest_hashes
from plainview.matching.tagging import tag_values
from plainview.profiles import SAMPLE, ColumnProfile, Count, TableProfile, Tags, smallest
from plainview.sources.base import ReadLog

SEED = 0x706C6169  # hashes live in memory only; a fixed seed makes two runs agree
REPEATED = 8  # times that values stand on average, from which on each distinct one is looked at once
SMALL = 2048  # rows up to which a batch is counted together with others
MAGICS = {
    "photograph": (b"\xff\xd8\xff", b"\x89PNG\r\n", b"GIF8", b"RIFF", b"BM"),
    "fingerprint": (b"FMR\0", b"FSP\0", b"FIR\0", b"\xff\xa0"),
    "face_template": (b"FAC\0",),
    "iris_retina": (b"IIR\0",),
}


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
    _met: _Waiting | None = field(default=None, repr=False)  # a batch that is to be counted
    _counted: _Waiting | None = field(default=None, repr=False)  # one that is being counted
    _pending: dict[str, dict[int, str]] = field(default_factory=dict, repr=False)  # values that wait for their tags

    @property
    def total(self) -> TableProfile:
        """The profile of all batches so far."""
        self.settle()
        for path in list(self._pending):
            values = self._pending.pop(path)
            tags = tag_values(list(values.values()), self.matcher, [self.named(path)] * len(values))
            late = ColumnProfile(sketch=dict(zip(values, tags, strict=True)))
            self._sum = self._sum.merge(TableProfile(0, {path: late}))
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
        if len(known) < SAMPLE:
            return fresh
        waiting = self._pending.setdefault(path, {})
        waiting.update(fresh)
        bound = sorted({*known, *waiting})[SAMPLE - 1]
        for late in [key for key in waiting if key > bound]:
            del waiting[late]
        return self._pending.pop(path) if len(waiting) >= SAMPLE // 2 else {}

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

        Nothing waits here for the end: while the new values of one batch get their tags, the one before is counted.
        """
        hashes = _hashes_of_full(frame)
        columns = [_Large(self, series, hashes.get(series.name)) for series in frame.iter_columns()]
        list(_pool().map(_Large.hash, columns))
        self._count_next()
        due = [value for column in columns for value in column.due.values()]
        named = [self.named(column.path) for column in columns for _ in column.due]
        tags = iter(tag_values(due, self.matcher, named))  # of all columns at once: each step of Polars costs
        for column in columns:
            column.sketch = {key: next(tags) for key in column.due}
            column.learnt = self.sketched(column.path, column.sketch)
        self._met = _Waiting(frame.height, columns)

    def settle(self) -> None:
        """Wait until all batches are counted. Raises what counting one of them raised; that one is not added."""
        while self._met or self._counted:
            self._count_next()

    def _count_next(self) -> None:
        """Let the batch that was met last be counted, when the one before it is."""
        counted, self._counted = self._counted, None
        try:
            if counted:
                self.count(
                    counted.rows, {c.path: f.result() for c, f in zip(counted.columns, counted.done, strict=True)}
                )
        finally:
            if self._met:
                self._met.start()
            self._counted, self._met = self._met, None


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
            text = _binary_or_vector(series) or _text_of(series)
            if isinstance(text, ColumnProfile):
                own[path] = text
                continue
            column = SmallColumn(profiler, path, text, prose=_is_prose(series))
            columns.append(column)
            own[path] = (series, _rows(series, text), column)
        made.append((profiler, frame.height, own))
    count_small(columns, parts[0][0].matcher, SEED)
    for profiler, height, own in made:
        done = {path: part if isinstance(part, ColumnProfile) else _profile(*part) for path, part in own.items()}
        profiler.count(height, done)


def _profile(series: pl.Series, rows: int, column: SmallColumn) -> ColumnProfile:
    return ColumnProfile(rows, rows - column.filled, column.counts, column.sketch, frozenset({_kind(series)}))


class _Large:
    """One column of a large batch, in two steps, between which the tags of its new values are found."""

    def __init__(self, profiler: TableProfiler, series: pl.Series, hashes: pl.Series | None) -> None:
        self.profiler, self.path, self.series, self.hashes = profiler, series.name, series, hashes
        self.done: ColumnProfile | None = None
        self.rows = self.empty = 0
        self.cells = Cells(pl.Series(dtype=pl.String))
        self.due: Mapping[int, str] = {}
        self.sketch: dict[int, Tags] = {}
        self.learnt: Mapping[int, Tags] | None = None

    def hash(self) -> None:
        """Find the values that belong into the sketch, and those among them that are new."""
        if self.hashes is not None:
            self.rows, values, hashes = len(self.series), self.series, self.hashes
        else:
            text = _binary_or_vector(self.series) or _text_of(self.series)
            if isinstance(text, ColumnProfile):
                self.done = text
                return
            self.rows = _rows(self.series, text)
            values = without_empty(text)
            self.empty = self.rows - len(values)
            hashes = values.hash(SEED)
        known, bound = self.profiler.known(self.path), self.profiler.bound(self.path)
        self.cells = Cells(values)
        if REPEATED * (_distinct(known) or hashes.n_unique()) < len(values):
            first = hashes.arg_unique().sort()
            self.cells = Cells(values.gather(first), hashes.unique_counts())
            hashes = hashes.gather(first)
        fresh = fresh_values(self.cells.values, hashes.to_numpy(), known, bound)
        self.due = self.profiler.due(self.path, fresh)

    def count(self) -> ColumnProfile:
        """Return the profile of the batch."""
        if self.done is not None:
            return self.done
        profiler, plan = self.profiler, self.profiler.plan_of(self.path)
        profiler.learn_from(self.path, self.learnt)
        prose = _is_prose(self.series)
        counts = count_column(self.cells, plan, profiler.matcher, prose=prose, watch=prose and profiler.learn)
        return ColumnProfile(self.rows, self.empty, counts, self.sketch, frozenset({_kind(self.series)}))


@dataclass(slots=True)
class _Waiting:
    """A batch whose columns are counted, or are to be."""

    rows: int
    columns: Sequence[_Large]
    done: list[Future[ColumnProfile]] = field(default_factory=list)

    def start(self) -> None:
        """Count; the longest columns first, for then all end together."""
        order = sorted(range(len(self.columns)), key=lambda at: -self.columns[at].series.estimated_size())
        begun = {at: _pool().submit(self.columns[at].count) for at in order}
        self.done = [begun[at] for at in range(len(self.columns))]


def _hashes_of_full(frame: pl.DataFrame) -> dict[str, pl.Series]:
    """Return the hashes of the text columns in which no cell is empty, found in one step for all of them."""
    text = [s.name for s in frame.iter_columns() if s.dtype == pl.String and not s.null_count()]
    shortest = frame.select(pl.col(text).str.len_bytes().min()).row(0) if text else ()
    full = [name for name, least in zip(text, shortest, strict=True) if least > LONGEST_NULL]
    return {s.name: s for s in frame.select(pl.col(full).hash(SEED)).iter_columns()} if full else {}


def _distinct(known: Mapping[int, Tags]) -> float:
    """Estimate how many distinct values a column has from its sketch; 0 where that is empty."""
    return len(known) if len(known) < SAMPLE else (SAMPLE - 1) * 2.0**64 / max(known)


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
    found = values.gather(places[first[new]]).to_list() if new else []
    return {least[at]: value for at, value in zip(new, found, strict=True)}


def _text_of(series: pl.Series) -> pl.Series | ColumnProfile:
    """Return the cells as text, or where they make none the whole profile."""
    text = as_text(series)
    if text is None:
        return ColumnProfile(rows=len(series), empty=series.null_count(), types=frozenset({_kind(series)}))
    return text


def _rows(series: pl.Series, text: pl.Series) -> int:
    return len(text) if isinstance(series.dtype, (pl.List, pl.Array)) else len(series)


def _is_prose(series: pl.Series) -> bool:
    return series.dtype == pl.String or isinstance(series.dtype, pl.List)


@functools.cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(min(8, os.cpu_count() or 2), thread_name_prefix="plainview-columns")


def _kind(series: pl.Series) -> str:
    return series.dtype.base_type().__name__.lower() if not series.dtype.is_nested() else "list"


def profile(frames: Iterable[pl.DataFrame], matcher: Matcher, names: NameIndex, table: str = "") -> TableProfile:
    """Return the profile of a table given as frames."""
    profiler = TableProfiler(matcher, names, table)
    for frame in frames:
        profiler.add(frame)
    return profiler.total


def _binary_or_vector(series: pl.Series) -> ColumnProfile | None:
    rows, empty = len(series), series.null_count()
    if series.dtype == pl.Binary:
        filled = series.drop_nulls()
        counts = {}
        for name, magics in MAGICS.items():
            hit = sum(int(filled.bin.starts_with(magic).sum()) for magic in magics)
            if hit:
                counts[name] = Count(len(filled), hit, hit)
        return ColumnProfile(rows, empty, counts, {}, frozenset({"binary"}))
    if isinstance(series.dtype, (pl.List, pl.Array)) and is_vector(series):
        length = vector_length(series)
        types = {"vector", f"vector{length}"} | ({"unit"} if unit_norm(series) else set())
        return ColumnProfile(rows, empty, {}, {}, frozenset(types))
    return None
