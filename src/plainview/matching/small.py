"""Stage 3 over many small tables at once: the same counts as one by one, by steps that each cost once.

A step of Polars costs about as much for ten cells as for a thousand. So the cells of all columns of all tables
are put into one series, and beside it the number of the column that each belongs to.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from plainview import tags as made
from plainview.detectors.checks import SLOW
from plainview.matching.compiled import NULLS, Matcher
from plainview.matching.counting import Cells, attribute, hold_valid, in_vocabulary, planned_of_nobody, texts_of_nobody
from plainview.matching.folding import fold_all
from plainview.matching.nobodys import cells_of_nobody, pattern_in
from plainview.matching.plans import ColumnPlan, TablePlan
from plainview.matching.sketches import SEED, Places, TableSketches, smallest_hashes
from plainview.matching.tagging import LONGEST, tag_values
from plainview.profiles import Count
from plainview.tags import Tag, Tags

Bools = npt.NDArray[np.bool_]


@dataclass(slots=True)
class SmallColumn:
    """One column of one small batch; `text` may hold empty cells still. `sketch` and `counts` are the outcome."""

    sketches: TableSketches  # of its table
    table_plan: TablePlan
    path: str
    text: pl.Series
    prose: bool
    filled: int = 0
    start: int = 0  # of its filled cells in the series of all
    sketch: dict[int, Tags] = field(default_factory=dict)
    counts: dict[Tag, Count] = field(default_factory=dict)

    @property
    def plan(self) -> ColumnPlan:
        """What is counted of it."""
        return self.table_plan.of(self.path)

    def places(self) -> Places:
        """Where its cells stand."""
        return np.arange(self.start, self.start + self.filled)


def count_small(columns: Sequence[SmallColumn], matcher: Matcher) -> None:
    """Sketch and count all columns."""
    if not columns:
        return
    every = pl.concat([column.text.rename("") for column in columns], rechunk=True)
    empty = (every.is_null() | every.is_in(NULLS)).to_numpy()
    owner = np.repeat(np.arange(len(columns)), [len(column.text) for column in columns])[~empty]
    cells = every.filter(pl.Series(~empty))
    sizes = np.bincount(owner, minlength=len(columns))
    for column, size, end in zip(columns, sizes.tolist(), np.cumsum(sizes).tolist(), strict=True):
        column.filled, column.start = size, end - size
    if not len(cells):
        return
    _sketch(columns, cells, matcher)
    for column in columns:
        column.table_plan.learn(column.path, column.sketches.add(column.path, column.sketch))
    _Counting(columns, _folded(columns, cells), owner, matcher).run()


def _folded(columns: Sequence[SmallColumn], cells: pl.Series) -> pl.Series:
    """Fold the cells of the columns that ask for it."""
    places = [column.places() for column in columns if column.filled and column.plan.folds]
    return cells.scatter(np.concatenate(places), fold_all(cells.gather(np.concatenate(places)))) if places else cells


def _sketch(columns: Sequence[SmallColumn], cells: pl.Series, matcher: Matcher) -> None:
    hashes = cells.hash(SEED).to_numpy()
    fresh: list[list[int]] = []
    places: list[Places] = []
    for column in columns:
        known, bound = column.sketches.known(column.path), column.sketches.bound(column.path)
        least, first = smallest_hashes(hashes[column.start : column.start + column.filled])
        new = [i for i, h in enumerate(least) if h not in known and (bound is None or h <= bound)]
        fresh.append([least[i] for i in new])
        places.append(first[new] + column.start)
    values = iter(cells.gather(np.concatenate(places)).to_list())
    dues = [
        column.sketches.due(column.path, {h: next(values) for h in new})
        for column, new in zip(columns, fresh, strict=True)
    ]
    named = [column.table_plan.named(column.path) for column in columns]
    # a town stands in many tables
    different = list({(value, names): None for due, names in zip(dues, named, strict=True) for value in due.values()})
    found = tag_values([value for value, _ in different], matcher, [names for _, names in different])
    tags = dict(zip(different, found, strict=True))
    for column, due, names in zip(columns, dues, named, strict=True):
        column.sketch = {h: tags[value, names] for h, value in due.items()}


class _Counting:
    """Runs all plans: each detector once, over the cells of all columns that have it in their plan."""

    def __init__(self, columns: Sequence[SmallColumn], cells: pl.Series, owner: Places, matcher: Matcher) -> None:
        self.columns, self.cells, self.owner, self.matcher = columns, cells, owner, matcher
        self.explained: Bools = np.zeros(len(cells), dtype=bool)
        self.met: Bools = np.zeros(len(cells), dtype=bool)
        self.prose = np.array([column.prose for column in columns])[owner]

    def run(self) -> None:
        """Fill the `counts` of all columns, and what the watch finds into their plans."""
        for name, having in self._by_detector(lambda plan: plan.cells).items():
            self._count_cells(name, having)
        for name, having in self._by_detector(lambda plan: plan.texts).items():
            self._count_texts(name, having)
        for tag, having in self._by_detector(planned_of_nobody).items():
            self._count_nobodys(tag, having)
        watched = np.array([column.prose and column.table_plan.learns for column in self.columns])[self.owner]
        # of a long cell the sketch has seen the beginning alone: what else is in it has to be asked
        met = self.met & (self.cells.str.len_bytes() <= LONGEST).to_numpy() if self.met.any() else self.met
        places = np.flatnonzero(watched & ~self.explained & ~met)
        if not len(places):
            return
        hits = places[self._contains(places, self.matcher.watch)]
        for at in np.flatnonzero(np.bincount(self.owner[hits])).tolist():
            column = self.columns[at]
            places = column.places()
            rest = self.cells.gather(places[~self.explained[places]])
            met = self.cells.gather(hits[self.owner[hits] == at])
            attribute(Cells(rest), met, column.plan, column.counts, self.matcher, column.filled)

    def _by_detector(self, planned: Callable[[ColumnPlan], list[str]]) -> dict[str, list[int]]:
        having: dict[str, list[int]] = {}
        for at, column in enumerate(self.columns):
            if column.filled:
                for name in planned(column.plan):
                    having.setdefault(name, []).append(at)
        return having

    def _contains(self, places: Places, pattern: str) -> Bools:
        found: Bools = self.cells.gather(places).str.contains(pattern).to_numpy()
        return found

    def _count_cells(self, name: str, having: list[int]) -> None:
        places = np.concatenate([self.columns[at].places() for at in having])
        rule = self.matcher.rules.get(name)
        if rule is None:
            values = self.cells.gather(places)
            different = values.unique()
            known = different.filter(in_vocabulary(different, self.matcher.detectors[name].vocabulary))
            hits = places[values.is_in(known.implode()).to_numpy()]
            self._tell(made.passed(name), having, hits, hits)
            return
        hits = places[self._contains(places, rule.cell)]
        self.explained[hits] |= self.prose[hits]
        if not len(hits) or rule.check is None or rule.detector.check in SLOW:
            self._tell(made.passed(name), having, hits, hits)
        else:
            self._tell(made.passed(name), having, hits, hits[rule.valid(self.cells.gather(hits))])

    def _count_texts(self, name: str, having: list[int]) -> None:
        rule = self.matcher.rules[name]
        places = np.concatenate([self.columns[at].places() for at in having])
        places = places[~self.explained[places]]
        hits = places[self._contains(places, rule.text)]
        self.met[hits] = True
        self._tell(made.inside(name), having, hits, hits[hold_valid(self.cells.gather(hits), rule)])

    def _count_nobodys(self, tag: Tag, having: list[int]) -> None:
        rule, pattern = self.matcher.rules[tag[2:]], pattern_in(tag, self.matcher)
        hits = np.zeros(0, dtype=np.intp)
        if places := [self.columns[at].places() for at in having if rule.name in self.columns[at].plan.cells]:
            whole = np.concatenate(places)
            hits = whole[cells_of_nobody(self.cells.gather(whole), rule, pattern).to_numpy()]
        if places := [self.columns[at].places() for at in having if rule.name in self.columns[at].plan.texts]:
            texts = np.concatenate(places)
            texts = texts[~self.explained[texts]]
            texts = texts[self._contains(texts, rule.text)]
            hits = np.append(hits, texts[texts_of_nobody(self.cells.gather(texts), rule, pattern)])
        self._tell(tag, having, hits, hits)

    def _tell(self, tag: Tag, having: list[int], matched: Places, valid: Places) -> None:
        """Add a count to each column: the cells at `matched` have the form, those at `valid` pass as well."""
        forms = np.bincount(self.owner[matched], minlength=len(self.columns))
        passes = np.bincount(self.owner[valid], minlength=len(self.columns))
        for at in having:
            column = self.columns[at]
            column.counts[tag] = Count(column.filled, int(forms[at]), int(passes[at]))
