"""What is kept of a table: sums and sketches that add up. Nothing here holds a value.

All types merge: `empty` is the identity, order and grouping do not matter, and the profile of a table
is the sum of the profiles of its parts (tests/matching/test_profile_laws.py). That is what makes threads possible.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from plainview.distinct import Distinct
from plainview.tags import Tag, Tags, shape_of

SAMPLE = 128  # distinct values that a column's sketch speaks of

NOTHING: Mapping[str, Count] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Count:
    """Cells looked at by one detector, cells that have its form, cells that pass its check as well."""

    checked: int = 0
    matched: int = 0
    valid: int = 0

    def __add__(self, other: Count) -> Count:
        return Count(self.checked + other.checked, self.matched + other.matched, self.valid + other.valid)


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """Sums over the cells of one column.

    `sketch` is a bottom-k sketch of the distinct values: the SAMPLE smallest hashes, each with tags that say
    what the value looks like (`tags`), so shares of *distinct* values can be
    estimated without keeping one. It is exact while a column has fewer than SAMPLE distinct values.
    """

    rows: int = 0
    empty: int = 0
    counts: Mapping[Tag, Count] = field(default_factory=dict)
    sketch: Mapping[int, Tags] = field(default_factory=dict)
    types: frozenset[str] = frozenset()

    def merge(self, other: ColumnProfile) -> ColumnProfile:
        """Return the profile of both parts together."""
        counts = {
            key: self.counts.get(key, Count()) + other.counts.get(key, Count())
            for key in sorted(self.counts.keys() | other.counts.keys())
        }
        return ColumnProfile(
            self.rows + other.rows,
            self.empty + other.empty,
            counts,
            smallest({**self.sketch, **other.sketch}),
            self.types | other.types,
        )

    @property
    def filled(self) -> int:
        """Cells that are not empty."""
        return self.rows - self.empty

    @property
    def shapes(self) -> Counter[str]:
        """Distinct values in the sketch by shape."""
        return tally(self.sketch)[1]

    def share(self, tag: Tag) -> float:
        """Share of the distinct values in the sketch that carry a tag."""
        return tally(self.sketch)[0][tag] / len(self.sketch) if self.sketch else 0.0


def shape_in(tags: Tags) -> str:
    """Return the shape among a value's tags."""
    return next((shape for tag in tags if (shape := shape_of(tag)) is not None), "other")


def tally(sketch: Mapping[int, Tags]) -> tuple[Counter[Tag], Counter[str]]:
    """Return how many values carry each tag, and how many have each shape."""
    tags: Counter[Tag] = Counter()
    shapes: Counter[str] = Counter()
    for same, count in Counter(sketch.values()).items():  # values that look alike have the same set
        for tag in same:
            tags[tag] += count
        shapes[shape_in(same)] += count
    return tags, shapes


def smallest(sketch: Mapping[int, Tags]) -> dict[int, Tags]:
    """Keep the SAMPLE entries with the smallest hashes, in their order."""
    return {key: sketch[key] for key in sorted(sketch)[:SAMPLE]}


@dataclass(frozen=True, slots=True)
class Identifier:
    """How many different values a column holds that may identify people (`matching.people`).

    `cells` are filled; `late` rows were read before the column was counted; `lists`: one row may hold several.
    """

    form: str = ""
    cells: int = 0
    late: int = 0
    lists: bool = False
    distinct: Distinct = field(default_factory=Distinct)

    def merge(self, other: Identifier) -> Identifier:
        """Return what both parts hold together."""
        return Identifier(
            max(self.form, other.form),
            self.cells + other.cells,
            self.late + other.late,
            self.lists or other.lists,
            self.distinct.merge(other.distinct),
        )


@dataclass(frozen=True, slots=True)
class TableProfile:
    """Sums over the rows of one table; columns by path, and what identifies people by path or by `matching.people`."""

    rows: int = 0
    columns: Mapping[str, ColumnProfile] = field(default_factory=dict)
    people: Mapping[str, Identifier] = field(default_factory=dict)

    def merge(self, other: TableProfile) -> TableProfile:
        """Return the profile of both parts together."""
        paths = [*self.columns, *(path for path in other.columns if path not in self.columns)]
        columns = {
            path: self.columns.get(path, ColumnProfile()).merge(other.columns.get(path, ColumnProfile()))
            for path in paths
        }
        people = {
            path: self.people.get(path, Identifier()).merge(other.people.get(path, Identifier()))
            for path in sorted(self.people.keys() | other.people.keys())
        }
        return TableProfile(self.rows + other.rows, columns, people)
