"""Tables that are parts of one: partitions of a folder, series by date or number, shards, rotated logs, record files.

Their names differ in places that vary and their columns are the same, or grow. In doubt they stay apart.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Generic, TypeVar

from plainview.profiles import TableProfile
from plainview.tables import Table

T = TypeVar("T")
# Parts from which on a family is one table in the report; fewer are read as a list. Where the names say that they are
# parts of one (partitions, shards, rotated logs, a file for each record) some are enough; files whose names differ by
# a date or number are as often tables of their own (`forecast-2014.csv`), so that there must be many.
MEMBERS, SERIES, NEVER = 8, 100, sys.maxsize
HELD = 10_000  # columns of profiles that wait for more of their family
KINDS = 16  # families of one template that are held against a new part
ALIKE = 0.8  # share of the columns of the narrower of two that the other must have
SAID = 8  # columns that are in some parts only
ANY = "{}"

_HIVE = re.compile(r"(?<=/)([^/={}]{1,64})=[^/]+(?=/)")
_VARIES = re.compile(
    r"(?<![0-9A-Za-z])[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}(?![0-9A-Za-z])"  # UUID
    r"|(?<![0-9A-Za-z])(?=[0-9A-Fa-f]*[0-9])[0-9A-Fa-f]{8,}(?![0-9A-Za-z])"  # a hash, an id
    r"|[0-9]+(?:[-_.:T][0-9]+(?![0-9A-SU-Za-z]))*"  # a date, a number
)
_RUN = re.compile(r"\{\}(?:[-_.:T]\{\})+")
_ROTATED = re.compile(r"(\.(?:log|out|err))(?:[.-][0-9][0-9-]*)?(?:\.(?:gz|bz2|xz|zst))?$")
_MEDIA = "(?i:jpe?g|png|tiff?|heic|webp|mp[34]|mov|m4a|flac|ogg|wav)"
_PARTS = re.compile(
    r"(?:^|/)[^/=]+=\{\}/|-of-\{\}|(?:^|/)part-\{\}|\.(?:log|out|err)\{\}$|\{\}[^/]*\.json$|(?:^|/)[^/.]*\{\}[^/.]*$"
    rf"|\{{\}}[^/]*\.(?:emlx?|msg|vcf|ics|{_MEDIA})(?:/text)?$"
    r"|(?:^|/)(?:cur|new)/\{\}(?:/text)?$|\.mbo?x/\{\}/"
)
_NUMBERED = re.compile(r"[^\W\d]{1,12}_?[0-9]{1,4}")
_RECORD = re.compile(
    rf"(?:(?<=/)|^)[^/]+(?=\.(?:json|emlx?|msg|vcf|ics|{_MEDIA})(?:/text)?$)"
)  # a file for each record
_MAILDIR = re.compile(r"(?<=/)(cur|new)/[0-9]+\.[^/]+(?=/text$|$)")


@lru_cache(4096)
def template(name: str) -> str:
    """Return the name with `{}` for what varies from part to part, "" where nothing does."""
    found = _HIVE.sub(rf"\1={ANY}", "/" + name)[1:]
    found = _MAILDIR.sub(rf"\1/{ANY}", found)
    found = _ROTATED.sub(rf"\1{ANY}", found)
    found = _RUN.sub(ANY, _VARIES.sub(ANY, found))
    if ANY not in found.removesuffix("/text").rpartition("/")[2]:
        found = _RECORD.sub(ANY, found)
    return found if ANY in found else ""


def enough(name: str, columns: Iterable[str]) -> int:
    """Return how many parts make one table, by the template of their names and by their columns.

    Columns that are only numbered (`c1`, `column_2`) do not say that two files are of one table.
    """
    if _PARTS.search(name):
        return MEMBERS
    return NEVER if all(map(_NUMBERED.fullmatch, columns)) else SERIES


@dataclass(frozen=True, slots=True)
class Whole:
    """A table with the sum of its parts, which has to be judged."""

    table: Table
    profile: TableProfile
    parts: int


@dataclass(slots=True, eq=False)
class _Family(Generic[T]):
    """Parts that fit each other: each for itself while they are few, then their sum."""

    key: tuple[str, str]  # template, kind
    waiting: list[tuple[T, Table, TableProfile]] = field(default_factory=list)
    whole: Whole | None = None  # once there are enough
    first: list[T] = field(default_factory=list)  # how the first part was judged alone
    parts: int = 0
    columns: dict[str, tuple[int, str]] = field(default_factory=dict)  # in how many parts, in which one first

    def fits(self, profile: TableProfile) -> bool:
        """Tell whether a part has the columns of this family, or most of them and more."""
        ours, theirs = self.columns.keys(), profile.columns.keys()
        return len(ours & theirs) >= ALIKE * min(len(ours), len(theirs)) > 0

    def add(self, judged: T, table: Table, profile: TableProfile, parts: int) -> None:
        """Take a part, or a sum of parts, which cannot be told apart again."""
        self.parts += parts
        self.first = self.first or [judged]
        for path in profile.columns:
            count, first = self.columns.get(path, (0, table.name))
            self.columns[path] = (count + parts, first)
        self.waiting.append((judged, table, profile))
        if self.whole is None and parts == 1 and self.parts < enough(self.key[0], self.columns):
            return
        whole = self.whole or Whole(Table(self.key[0], self.key[1]), TableProfile(), 0)
        for _, part, each in self.waiting:
            whole = Whole(whole.table.noted_with(part), whole.profile.merge(each), self.parts)
        self.whole, self.waiting = whole, []

    def result(self, safe: Callable[[str], str]) -> list[T | Whole]:
        """Return the one table that these are, or each of them."""
        if self.whole is None:
            return [judged for judged, _, _ in self.waiting]
        table = self.whole.table
        return [replace(self.whole, table=replace(table, notes=(*table.notes, *self._partly(safe))))]

    def _partly(self, safe: Callable[[str], str]) -> Iterator[str]:
        """Say which columns are in some parts only."""
        odd = [(path, count, first) for path, (count, first) in self.columns.items() if count < self.parts]
        for path, count, first in odd[:SAID]:
            yield f"{safe(path)} only in {count:,} of {self.parts:,} parts, first in {safe(first)}"
        if odd[SAID:]:
            yield f"{len(odd) - SAID:,} more columns only in some parts"


class Families(Generic[T]):
    """The judged tables of a target in the order in which they came, parts of one in the place of the first.

    `safe` makes names safe to print.
    """

    def __init__(self, safe: Callable[[str], str]) -> None:
        self.safe = safe
        self.entries: list[T | _Family[T]] = []
        self.families: dict[tuple[str, str], list[_Family[T]]] = {}
        self.held: dict[_Family[T], int] = {}  # columns of the profiles that wait, the oldest family first

    def keep(self, judged: T) -> None:
        """Take a table that is no part."""
        self.entries.append(judged)

    def add(self, judged: T, table: Table, profile: TableProfile, parts: int = 1) -> None:
        """Take a table, or the sum of `parts` that fit each other, and how it was judged alone."""
        name = template(table.name)
        if not name or not profile.columns:
            self.keep(judged)
            return
        key = (name, table.kind)
        known = self.families.setdefault(key, [])
        family = next((one for one in known if one.fits(profile)), None)
        if family is None:
            family = _Family[T](key)
            self.entries.append(family)
            if len(known) < KINDS:
                known.append(family)
        family.add(judged, table, profile, parts)
        self.held.pop(family, None)
        if family.whole is None:
            self.held[family] = sum(len(each.columns) for _, _, each in family.waiting)
            while sum(self.held.values()) > HELD and len(self.held) > 1:
                self._let_go(next(iter(self.held)))

    def _let_go(self, family: _Family[T]) -> None:
        """Forget the profiles of the family that waited longest: its parts stay apart."""
        del self.held[family]
        family.waiting = [(judged, table, TableProfile()) for judged, table, _ in family.waiting]
        if family in self.families[family.key]:
            self.families[family.key].remove(family)

    def so_far(self) -> tuple[list[T], list[Whole]]:
        """Return what is judged: all tables that are no sums, the first parts of the others; and these."""
        found: list[T] = []
        wholes: list[Whole] = []
        for entry in list(self.entries):
            if not isinstance(entry, _Family):
                found.append(entry)
            elif entry.whole is None:
                found.extend(judged for judged, _, _ in list(entry.waiting))
            else:
                found.extend(entry.first)
                wholes.append(entry.whole)
        return found, wholes

    def all(self) -> list[T | Whole]:
        """Return all tables, those that are sums of parts still to be judged."""
        found: list[T | Whole] = []
        for entry in self.entries:
            if isinstance(entry, _Family):
                found.extend(entry.result(self.safe))
            else:
                found.append(entry)
        return found


__all__ = ["MEMBERS", "SERIES", "Families", "Whole", "enough", "template"]
