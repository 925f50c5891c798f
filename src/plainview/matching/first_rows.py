"""The first row of a table, held against the columns below it: it names them, or it is a row like the others.

A reader judges by how cells are written, before any detector is there. Here a cell is held against what its own column
is found to be: `Hans Peter Canaria` above names of persons is one of them, whatever it looks like, and
`Paris` above numbers is none of those. A cell that is a value makes the whole row data, unless its other cells clearly
are names of columns. Then that cell alone names nothing, and is looked at in a table of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import polars as pl

from plainview import tags as made
from plainview.detectors.fieldnames import NameIndex
from plainview.detectors.headings import words_of_heading
from plainview.detectors.persons import name_tags
from plainview.detectors.values_as_names import NAMED, holds_person, is_field_word, is_person
from plainview.detectors.words import BOOKS
from plainview.matching.compiled import NAME_TAGS, Matcher
from plainview.matching.tagging import tag_values
from plainview.tables import Batch, Header, Table
from plainview.tables.naming import Distinct
from plainview.tags import Tags

NO_HEADER = "no header line"
LOOK, BODY = 100, 24  # cells of a column in which different ones are looked for, and how many of these
MOST = 0.5  # share of the cells below that makes a column what they are
CLEAR = 1.5  # votes of a cell that clearly is a name: known as one, or a word above numbers
LONG = 7  # digits of a number that names nothing
SURE, LIKELY, POSSIBLE, DOUBTFUL = 3.0, 2.0, 1.0, 0.3  # how much a cell that is a value speaks against a header
PERSON = frozenset(("given", "surname", "full"))
KEPT = 4096  # cells whose tags are kept, for tables of one sort have the same header


@dataclass(frozen=True, slots=True)
class FirstRow:
    """What the first row of a table is: a row of data, or names, of which some are `values` that name nothing."""

    names: dict[str, str]  # new names by those that the reader gave
    row: dict[str, str | None] | None
    values: tuple[str, ...]


class FirstRows:
    """Shared by all threads of a run; what was found of the tables of one unit stands in `known`, by their names."""

    def __init__(self, matcher: Matcher, names: NameIndex) -> None:
        self.matcher, self.names = matcher, names
        self._tags: dict[str, Tags] = {}

    def settled(self, batch: Batch, known: dict[str, FirstRow]) -> Iterator[Batch]:
        """Yield the batch under names that are no values, and a table of the cells that are. None has a header then."""
        header = batch.table.header
        if header is None:
            yield batch
            return
        table = replace(batch.table, header=None)
        judged, frame = known.get(table.name), batch.frame
        first = judged is None
        if judged is None:
            judged = known[table.name] = self._judge(header, table.name, frame)
        if judged.names:
            frame = frame.rename({old: new for old, new in judged.names.items() if old in frame.columns})
        if first and judged.row is not None:
            table = replace(table, notes=(*table.notes, NO_HEADER))
            row = pl.DataFrame(judged.row, schema=dict.fromkeys(judged.row, pl.String))
            frame = pl.concat([row, frame], how="diagonal_relaxed")
        yield Batch(table, frame)
        if first and judged.values:
            cells = Table(f"{table.name}/header", table.kind, ("cells of the header line that are values",))
            yield Batch(cells, pl.DataFrame({"text": judged.values}, schema={"text": pl.String}))

    def _judge(self, header: Header, table: str, frame: pl.DataFrame) -> FirstRow:
        cells = {at: cell.strip() for at, cell in enumerate(header.cells)}
        open_ones = {at: cell for at, cell in cells.items() if cell and not self._is_named(cell, table)}
        weights: dict[int, float] = {}
        lone = set()
        for at, tags in zip(open_ones, self._tagged(list(open_ones.values())), strict=True):
            cell, name = cells[at], header.names[at]
            if header.votes[at] >= CLEAR and not holds_person(cell) and not any(map(made.passed_of, tags)):
                continue
            if weight := self._weight(cell, tags, _below(frame, name)):
                weights[at] = weight
            elif is_person(cell) or name == f"column_{at + 1}" != cell:
                lone.add(at)
        clear = sum(vote for at, vote in enumerate(header.votes) if vote >= CLEAR and at not in weights)
        # several say little more than one: people stand above pivot tables
        if weights and clear <= max(weights.values()) + (len(weights) > 1):
            names = {name: f"column_{at + 1}" for at, name in enumerate(header.names)}
            pairs = zip(header.names, header.cells, strict=True)
            row = {names[name]: cell or None for name, cell in pairs if cell or name in frame.columns}
            return FirstRow(names, row, ())
        values = sorted(lone | {at for at, weight in weights.items() if weight > DOUBTFUL})
        distinct = Distinct(name for at, name in enumerate(header.names) if at not in values)
        names = {header.names[at]: distinct.of(f"column_{at + 1}") for at in values}
        return FirstRow(names, None, tuple(header.cells[at] for at in values))

    def _is_named(self, cell: str, table: str) -> bool:
        """Tell whether columns are called so, by the detectors or by words that all columns have."""
        if any(match.strength >= NAMED for match in self.names.match(cell, table)):
            return True
        words = words_of_heading(cell)
        return bool(words) and all(map(is_field_word, words))

    def _tagged(self, cells: Sequence[str]) -> list[Tags]:
        new = [cell for cell in dict.fromkeys(cells) if cell not in self._tags]
        found = dict(zip(new, tag_values(new, self.matcher, [frozenset()] * len(new)), strict=True))
        tags = [found[cell] if cell in found else self._tags[cell] for cell in cells]
        if len(self._tags) + len(found) <= KEPT:
            self._tags.update(found)
        return tags

    def _weight(self, cell: str, tags: Tags, below: Sequence[str] | None) -> float:
        """Return how clearly a cell is a value of its column; 0 where it is none. `below`: None without any rows."""
        if sum(map(str.isdigit, cell)) < LONG and not any(map(str.isalpha, cell)):
            return 0.0  # a year, a class of ages: pivot tables have them, and the reader has compared numbers
        accepted = [name for tag in tags if (name := made.passed_of(tag)) is not None]
        patterned = [name for name in accepted if name in self.matcher.rules]
        if not below:
            lone = below is None and not tags.isdisjoint((made.word("given"), made.PLACE))
            return SURE if patterned or is_person(cell) else POSSIBLE if lone else 0.0
        weight = _as_person(cell, tags, below)
        books = {self.matcher.detectors[name].vocabulary for name in accepted} - NAME_TAGS.keys()
        # `x` and `1` are both codes of a gender, but a column has codes of one sort
        alike = [value.casefold() for value in below if value.isdigit() == cell.isdigit()]
        if any(book and sum(value in BOOKS[book] for value in alike) >= MOST * len(below) for book in books):
            weight = max(weight, LIKELY)
        if patterned:
            found = tag_values(below, self.matcher, [frozenset()] * len(below))
            same = (sum(made.passed(name) in own for own in found) for name in patterned)
            weight = SURE if max(same) >= MOST * len(found) else weight
        return weight


def _as_person(cell: str, tags: Tags, below: Sequence[str]) -> float:
    """Return how clearly a cell is a person's name above such names."""
    several, own = holds_person(cell), {word for word in PERSON if made.word(word) in tags}
    repeated = not own and not several and _repeats(cell, below)
    if not (several or own or repeated) and not _is_odd(cell):
        return 0.0
    found = [name_tags(value) & PERSON for value in below]
    if sum(map(bool, found)) < MOST * len(found):
        return 0.0
    if not (several or own or repeated):
        return DOUBTFUL
    if is_person(cell) or (several and sum("full" in words for words in found) >= MOST * len(found)):
        return SURE
    return LIKELY if several or "given" in own else POSSIBLE


def _is_odd(cell: str) -> bool:
    """Tell whether no word of a cell is one that things are called by."""
    words = words_of_heading(cell)
    return bool(words) and not any(is_field_word(word) or word in BOOKS["common_words"] for word in words)


def _repeats(cell: str, below: Sequence[str]) -> bool:
    """Tell whether all words of a cell stand among those below it, however they are written."""
    words = [word for word in words_of_heading(cell) if len(word) > 1]
    text = " ".join(below).casefold() if words else ""
    return bool(words) and all(word in text for word in words) and set(words) <= set(words_of_heading(text))


def _below(frame: pl.DataFrame, name: str) -> list[str] | None:
    """Return different cells of a column; None where there is no row at all."""
    if not frame.height:
        return None
    if name not in frame.columns:
        return []
    return list(dict.fromkeys(cell for cell in frame[name].head(LOOK).to_list() if cell))[:BODY]


__all__ = ["FirstRow", "FirstRows"]
