"""Which columns of a table may identify a person, and the sketches of how many different ones stand in them.

Only normal spellings are hashed, under the key of the run. What else a row says (an age, a country) is looked at for
those rows alone whose hash is kept, and kept as a code (`codes`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from plainview import codes
from plainview.detectors.conditions import has_condition
from plainview.detectors.identifying import PERSONAL, identifying, role_of
from plainview.distinct import MOST, Distinct, Key
from plainview.matching.ages import Codes, ages
from plainview.matching.births import born
from plainview.matching.columns import LONGEST_NULL, as_text
from plainview.matching.compiled import NULLS
from plainview.matching.countries import countries
from plainview.matching.normal import Hashes, codes_of, hashed, normal, region_of
from plainview.matching.plans import CLEAR, ColumnPlan, TablePlan, extend_plan
from plainview.matching.sketches import TableSketches
from plainview.profiles import Identifier
from plainview.tags import Tags
from plainview.tags import passed as passed_tag

SLICE = 1 << 15  # cells whose hashes are sorted together
MANY = 2  # kinds that are counted of one table beside the names: one counts, both link; of the best two columns
UNSURE = 100  # is added to the rank of what the name alone says
TAKING_PART = frozenset("call_log message_content social_graph".split())  # their columns hold who took part
SURE = 0.5  # share of a column's distinct values that makes it what its form says
FILLED = 0.5  # share of the rows that a number of a person must fill, so that names need no look
NAMES = "names"  # the path of the names of a row, all columns together
BORN = "names and dates of birth"  # and with the date of birth
Places = npt.NDArray[np.intp]


@dataclass(slots=True)
class Counted:
    """The hashes of one column so far. `bound` is the largest that is still of use."""

    form: str
    lists: bool
    late: int = 0  # rows before it was counted
    cells: int = 0
    country: str = ""  # of its national numbers
    region: str = ""  # the calling code of numbers without one
    hashes: Hashes = field(default_factory=lambda: np.zeros(0, dtype=np.uint64))  # the smallest, ascending
    codes: Codes = field(default_factory=lambda: np.zeros(0, dtype=np.uint16))

    @property
    def bound(self) -> int:
        """The largest hash that is of use."""
        return int(self.hashes[-1]) if len(self.hashes) == MOST else (1 << 64) - 1

    def new(self, hashes: Hashes) -> npt.NDArray[np.bool_]:
        """Tell which hashes are not kept yet."""
        if not len(self.hashes):
            return np.ones(len(hashes), dtype=bool)
        at = np.minimum(np.searchsorted(self.hashes, hashes), len(self.hashes) - 1)
        fresh: npt.NDArray[np.bool_] = self.hashes[at] != hashes
        return fresh

    def bound_with(self, hashes: Hashes) -> np.uint64:
        """Return the largest hash that is of use when new ones are added: what is above it needs no code."""
        if len(self.hashes) + len(hashes) < MOST:
            return np.uint64((1 << 64) - 1)
        bound: np.uint64 = np.partition(np.concatenate((self.hashes, hashes)), MOST - 1)[MOST - 1]
        return bound

    def add(self, hashes: Hashes, found: Codes) -> None:
        """Add new hashes with their codes."""
        every = np.concatenate((self.hashes, hashes))
        order = np.argsort(every, kind="stable")[:MOST]
        self.hashes, self.codes = every[order], np.concatenate((self.codes, found))[order]

    def sketch(self) -> Distinct:
        """Return what is kept."""
        return Distinct(self.hashes.astype("<u8").tobytes(), self.codes.astype("<u2").tobytes())


@dataclass(slots=True)
class Roles:
    """What the columns of a table are, as far as counting people goes: paths by their use."""

    identifiers: dict[str, str] = field(default_factory=dict)  # path -> form
    names: list[str] = field(default_factory=list)
    births: list[str] = field(default_factory=list)
    ages: list[str] = field(default_factory=list)
    countries: list[str] = field(default_factory=list)

    def by_kind(self) -> dict[str, list[str]]:
        """Return the lists by the kind of data whose columns they hold."""
        return {
            "person_name": self.names, "birth_date": self.births, "age": self.ages,
            "country": self.countries, "nationality": self.countries,
        }  # fmt: skip

    @property
    def tells(self) -> bool:
        """True when a row says an age or a country."""
        return bool(self.births or self.ages or self.countries)


@dataclass(slots=True)
class Part:
    """Filled cells that identify, of one column or of the names of one batch. `rows`: their places; None: all."""

    people: People
    frame: pl.DataFrame
    roles: Roles
    counted: Counted
    cells: pl.Series
    rows: Places | None
    aligned: bool = True
    born: pl.Series | None = None  # dates of birth beside the names


class People:
    """Counts the people of one table. Belongs to one thread at a time."""

    def __init__(self, key: Key, plan: TablePlan, today: dt.date | None = None) -> None:
        self.key, self.plan = key, plan
        self.today = today or dt.datetime.now(dt.UTC).date()
        self.rows = 0
        self.counted: dict[str, Counted] = {}
        self._countries: dict[str, str] = {}  # of columns of national numbers
        self._known: dict[str, tuple[Mapping[int, Tags], dict[str, float]]] = {}

    def found(self) -> dict[str, Identifier]:
        """Return what was counted so far, by path."""
        return {path: Identifier(c.form, c.cells, c.late, c.lists, c.sketch()) for path, c in self.counted.items()}

    def roles(self, frame: pl.DataFrame, sketches: TableSketches) -> Roles:
        """Return what the columns of a batch are, as its sketches say by now."""
        roles = Roles()
        ranked: list[tuple[int, str, str]] = []
        strong = False
        for path, dtype in frame.schema.items():
            kinds = self._kinds(path, sketches.known(path))
            if not kinds or dtype in (pl.Boolean, pl.Binary):
                continue
            able = [identifying()[kind] for kind in kinds if kind in identifying()]
            if able:  # what the values have the form of goes before what the name alone says
                best = min(able, key=lambda kind: (kinds[kind.category] < SURE, kind.rank))
                ranked.append((best.rank + UNSURE * (kinds[best.category] < SURE), path, best.form))
                filled = frame.height - frame[path].null_count()
                sure = best.rank <= PERSONAL and kinds[best.category] >= SURE
                strong = strong or (sure and filled >= FILLED * frame.height)
            elif has_condition(path):
                continue  # the names and the ages of one person stand in several rows
            elif dtype in (pl.String, pl.Date, pl.Datetime) or dtype.is_numeric():
                for kind in kinds:
                    paths = roles.by_kind().get(kind)
                    if paths is not None and path not in paths:
                        paths.append(path)
        roles.identifiers = dict(_chosen(sorted(ranked)))
        roles.identifiers |= {path: c.form for path, c in self.counted.items() if path in frame.columns}
        if strong and not self.counted.keys() & {NAMES, BORN}:
            roles.names.clear()
        return roles

    def parts(self, frame: pl.DataFrame, roles: Roles) -> list[Part]:
        """Return the cells of a batch that are to be counted."""
        found = [part for path, form in roles.identifiers.items() if (part := self._column(frame, path, form, roles))]
        if roles.names and (part := self._named(frame, roles)):
            found.append(part)
        self.rows += frame.height
        return found

    def _kinds(self, path: str, sketch: Mapping[int, Tags]) -> dict[str, float]:
        """Return the kinds of data that a column may be, with the share of its distinct values that have the form."""
        before = self._known.get(path)
        if before is None or before[0] is not sketch:
            before = self._known[path] = (sketch, self._kinds_anew(path, sketch))
        return before[1]

    def _kinds_anew(self, path: str, sketch: Mapping[int, Tags]) -> dict[str, float]:
        detectors = self.plan.matcher.detectors
        matches = self.plan.names.match(path, self.plan.table)
        named = {detectors[m.detector].category for m in matches if m.strength >= CLEAR and m.detector in detectors}
        own = ColumnPlan()  # what is worth counting, as for all columns
        extend_plan(own, sketch, matches, self.plan.matcher)
        passed = {name: sum(passed_tag(name) in same for same in sketch.values()) for name in own.cells}
        shares = {detectors[name].category: count / max(1, len(sketch)) for name, count in passed.items()}
        national = [name for name in own.cells if detectors[name].category == "national_id" and passed[name]]
        best = max(national, key=lambda name: passed[name], default="")
        if best and passed[best] >= SURE * len(sketch):
            self._countries[path] = detectors[best].country or ""
        likely = {kind for kind, share in shares.items() if share >= SURE}
        kinds = named | likely if named & identifying().keys() or named <= TAKING_PART else named
        return {kind: shares.get(kind, 0.0) for kind in sorted(kinds)}

    def _column(self, frame: pl.DataFrame, path: str, form: str, roles: Roles) -> Part | None:
        series = frame[path]
        text = as_text(series)
        if text is None:
            return None
        lists = series.dtype.is_nested()
        aligned = not lists and len(text) == frame.height and not role_of(path)  # else the row is about another person
        cells, rows = _filled(text)
        counted = self.counted.setdefault(path, Counted(form, lists, self.rows))
        counted.country = counted.country or self._countries.get(path, "")
        if not len(cells):
            return None
        if form == "phone" and not counted.region:
            counted.region = region_of(cells)
        return Part(self, frame, roles, counted, cells, rows, aligned)

    def _named(self, frame: pl.DataFrame, roles: Roles) -> Part | None:
        """Return the names of each row, and with them the date of birth where there is one."""
        columns = [frame[path] for path in roles.names if frame.schema[path] == pl.String]
        if not columns:
            return None
        whole = pl.select(pl.concat_str(columns, separator=" ", ignore_nulls=True)).to_series()
        filled = whole.str.strip_chars() != ""
        born = frame[roles.births[0]].cast(pl.String).fill_null("").filter(filled) if roles.births else None
        path = NAMES if born is None else BORN
        counted = self.counted.setdefault(path, Counted("name", lists=False, late=self.rows))
        return Part(self, frame, roles, counted, whole.filter(filled), filled.arg_true().to_numpy(), born=born)


def _chosen(ranked: Sequence[tuple[int, str, str]]) -> Iterator[tuple[str, str]]:
    """Yield the paths to count, with their forms, of (rank, path, form) in order."""
    kinds = sorted({rank for rank, _, _ in ranked})[:MANY]
    for rank in kinds:
        same = [(path, form) for each, path, form in ranked if each == rank]
        yield from same[: 2 if rank == kinds[0] else 1]  # two of the best: who called, and who was called


def _filled(text: pl.Series) -> tuple[pl.Series, Places | None]:
    """Return the cells that are not empty, and their places; None: all."""
    shortest = text.str.len_bytes().min()
    if not text.null_count() and isinstance(shortest, int) and shortest > LONGEST_NULL:
        return text, None
    filled = ~(text.is_null() | text.is_in(NULLS)).fill_null(value=True)
    return (text, None) if filled.all() else (text.filter(filled), filled.arg_true().to_numpy())


def count_people(parts: Sequence[Part]) -> None:
    """Count the cells of any number of batches; those of one form are put into one spelling together."""
    groups: dict[tuple[str, str, bool], list[Part]] = {}
    for part in parts:
        groups.setdefault((part.counted.form, part.counted.region, part.born is None), []).append(part)
    for (form, region, alone), group in groups.items():
        cells = group[0].cells if len(group) == 1 else pl.concat([part.cells.rename("") for part in group])
        key = group[0].people.key
        values = normal(cells, form, region)
        hashes = hashed(values, key.seed(form))
        if not alone:
            born = pl.concat([part.born.rename("") for part in group if part.born is not None])
            hashes = hashes * np.uint64(0x9E3779B97F4A7C15) ^ hashed(normal(born, "date"), key.seed("date"))
        start = 0
        for part in group:
            end = start + len(part.cells)
            part.counted.cells += end - start
            for at in range(start, end, SLICE):  # after the first, most are above the bound
                _keep(part, at - start, values[at : min(at + SLICE, end)], hashes[at : min(at + SLICE, end)])
            start = end


def _keep(part: Part, first: int, values: pl.Series, hashes: Hashes) -> None:
    """Keep the smallest hashes of cells of a part, from the one at `first` on, with their codes."""
    counted = part.counted
    places = np.flatnonzero(hashes <= np.uint64(counted.bound))
    kept = hashes[places]
    order = np.argsort(kept)  # equal ones are of equal values
    kept, places = kept[order], places[order]
    starts = np.flatnonzero(np.append(True, kept[1:] != kept[:-1])) if len(kept) else np.zeros(0, dtype=np.intp)
    different = kept[starts][:MOST]
    fresh = np.flatnonzero(counted.new(different))
    fresh = fresh[: np.searchsorted(different[fresh], counted.bound_with(different[fresh]), side="right")]
    if not len(fresh):
        return
    values = values.gather(pl.Series(places[starts[fresh]]))
    found = codes_of(values, counted.form)
    if counted.country:
        found |= born(values, counted.country, part.people.today)
    if part.aligned and part.roles.tells:
        ends = np.append(starts[1:], len(kept))
        lengths = (ends - starts)[fresh]
        chosen = np.repeat(starts[fresh] - np.append(0, np.cumsum(lengths)[:-1]), lengths) + np.arange(lengths.sum())
        at = places[chosen] + first if part.rows is None else part.rows[places[chosen] + first]
        found = _both(found, _reduced(_row_codes(part.frame[at.tolist()], part.roles, part.people.today), lengths))
    counted.add(different[fresh], found)


def _row_codes(frame: pl.DataFrame, roles: Roles, today: dt.date) -> Codes:
    """Return what the rows say of an age and of a country."""
    found = np.zeros(frame.height, dtype=np.uint16)
    for path in (*roles.births[:1], *roles.ages[:1]):
        found |= ages(frame[path], today, number=path in roles.ages)
    for path in roles.countries[:1]:
        found |= countries(frame[path])
    return found


def _both(some: Codes, others: Codes) -> Codes:
    """Return the codes of what both speak of, one by one (`codes.joined`); a country of the row's own goes first."""
    country = np.where(others >> codes.COUNTRY, others, some) & ~np.uint16(codes.FLAGS)
    return (some | others) & np.uint16(codes.FLAGS) | country


def _reduced(found: Codes, lengths: Places) -> Codes:
    """Return one code for each run of rows, of these lengths."""
    starts = np.append(0, np.cumsum(lengths)[:-1])
    flags: Codes = np.bitwise_or.reduceat(found & np.uint16(codes.FLAGS), starts)
    country: Codes = np.maximum.reduceat(found & ~np.uint16(codes.FLAGS), starts)
    return flags | country
