"""Stage 3 over batches: from rows to sums. The only place, with `find`, where values are looked at.

Every column has a sketch of distinct values (`profiles.ColumnProfile`). What the sketch shows decides which
detectors are worth running over every row: the *plan*. A watch, one expression of all patterns that may
stand in running text, runs over all other text cells; what it meets later joins the plan from that batch
on, and nothing is lost, since the batches before had no cell that it could have counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import polars as pl

from plainview.detectors.fieldnames import NameIndex
from plainview.distinct import Key
from plainview.documents.flatten import flatten
from plainview.documents.pairs import pairs_to_columns
from plainview.matching.columns import binary_or_vector, is_prose, kind_of, rows_of, text_of
from plainview.matching.compiled import Matcher
from plainview.matching.large import LargeBatches
from plainview.matching.people import Part, People, count_people
from plainview.matching.plans import TablePlan
from plainview.matching.sketches import TableSketches
from plainview.matching.small import SmallColumn, count_small
from plainview.matching.tagging import tag_values
from plainview.profiles import ColumnProfile, TableProfile
from plainview.tables import ReadLog

SMALL = 2048  # rows up to which a batch is counted together with others


class TableProfiler:
    """Adds up the batches of one table. Belongs to one thread. `total` is complete after `finish`.

    People are counted where the key of the run is given.
    """

    def __init__(
        self,
        matcher: Matcher,
        names: NameIndex,
        table: str = "",
        *,
        plan: TablePlan | None = None,
        log: ReadLog | None = None,
        key: Key | None = None,
    ) -> None:
        self.matcher, self.table, self.log = matcher, table, log
        self.sketches = TableSketches()
        self.plan = plan or TablePlan(matcher, names, table)
        self.total = TableProfile()
        self.people = People(key, self.plan) if key else None
        self._large = LargeBatches(self.sketches, self.plan, self.count, self.identifying)

    def add(self, frame: pl.DataFrame) -> None:
        """Count one batch."""
        flat = self.flat(frame)
        if flat.height <= SMALL:
            add_small([(self, flat)])
        else:
            self.add_large(flat)

    def flat(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Take nested columns and documents in text apart, and names and values in rows."""
        return pairs_to_columns(flatten(frame, log=self.log, name=self.table))

    def add_large(self, frame: pl.DataFrame) -> None:
        """Begin to count a flat batch; `settle` waits for its end."""
        self._large.add(frame)

    def settle(self) -> None:
        """Wait until all batches are counted. Raises what one of them raised, which is not added; the others wait."""
        self._large.settle()

    def count(self, rows: int, columns: Mapping[str, ColumnProfile]) -> None:
        """Add what a batch gave."""
        self.total = self.total.merge(TableProfile(rows, columns))

    def identifying(self, frame: pl.DataFrame) -> Sequence[Part]:
        """Return the cells of a flat batch, whose tags are known, that may identify people."""
        return self.people.parts(frame, self.people.roles(frame, self.sketches)) if self.people else ()

    def so_far(self) -> TableProfile:
        """Return the profile of all batches that are counted, with the people in them."""
        return replace(self.total, people=self.people.found()) if self.people else self.total

    def finish(self) -> None:
        """Wait until all batches are counted, and find the last tags. More batches may follow."""
        self.settle()
        late = self.sketches.take_waiting()
        values = [value for waiting in late.values() for value in waiting.values()]
        named = [self.plan.named(path) for path, waiting in late.items() for _ in waiting]
        tags = iter(tag_values(values, self.matcher, named))
        sketches = {path: {key: next(tags) for key in waiting} for path, waiting in late.items()}
        self.count(0, {path: ColumnProfile(sketch=sketch) for path, sketch in sketches.items()})
        self.total = self.so_far()


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
            column = SmallColumn(profiler.sketches, profiler.plan, path, text, prose=is_prose(series))
            columns.append(column)
            own[path] = (series, rows_of(series, text), column)
        made.append((profiler, frame.height, own))
    count_small(columns, parts[0][0].matcher)
    count_people([part for profiler, frame in parts for part in profiler.identifying(frame)])
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
    profiler.finish()
    return profiler.total
