"""Columns that say together what none of them says alone: who was where and when, who called whom.

The rules are data (`combinations/*.toml`): ways, each of several parts; every part must stand in a column of its own.
A part is met by a kind that was `found`, by `words` in a column's name (`both`: by the two of them), by a key that
stands for somebody (`keys`), by moments (`times`), days (`dates`) or values of some `shapes`. `rows_each` says how
often whoever it is has to come again, so that a list of customers with an address and a day is no history.
"""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from math import prod
from typing import Any

from plainview.classify.weighing import Seen
from plainview.detectors import categories
from plainview.detectors.conditions import has_condition
from plainview.detectors.fieldnames import tokens
from plainview.detectors.subjects import is_key_of_person
from plainview.profiles import SAMPLE, ColumnProfile, TableProfile
from plainview.report.model import Column, Combination

LEAST = 0.5  # confidence of a finding that may be a part
MOSTLY = 0.8  # share of the distinct values that have a shape
ALIKE = 8  # columns that may be the same part
SURE_BY_NAME = 0.8  # how sure a name, a key or a shape makes a part
EPOCH = frozenset(
    "timestamp ts time epoch zeitstempel unixtime datetime moment horodatage fecha hora uhrzeit время 时间 時刻".split()
)
RECORD = frozenset("created updated modified deleted changed inserted birth born geboren expiry expires valid".split())


@dataclass(frozen=True, slots=True)
class Met:
    """A column that may be a part: how sure, and by what, in words."""

    path: str
    sure: float
    words: str


class Table:
    """What is known of a table: its columns by path, and the kinds found in each that are surely there."""

    def __init__(self, profile: TableProfile, found: Mapping[str, Sequence[Column]]) -> None:
        self.found = found
        self.columns = {path: column for path, column in profile.columns.items() if not has_condition(path)}
        self._seen: dict[str, Seen] = {}

    def seen(self, path: str) -> Seen:
        """Return the sketch of a column added up, which most columns are never asked for."""
        if path not in self._seen:
            self._seen[path] = Seen(self.columns[path])
        return self._seen[path]


@functools.cache
def rules() -> Mapping[str, Mapping[str, Any]]:
    """Return the rules, by the names of their files."""
    folder = files(__package__).joinpath("combinations")
    every = sorted((path for path in folder.iterdir() if path.name.endswith(".toml")), key=lambda path: path.name)
    return {path.name.removesuffix(".toml"): tomllib.loads(path.read_text("utf-8")) for path in every}


def combined(profile: TableProfile, columns: Sequence[Column]) -> tuple[tuple[Combination, ...], tuple[Column, ...]]:
    """Return what the columns of a table say together, and findings that follow for columns without any.

    Where nothing was found in any part nothing follows, unless a rule says that its parts are enough (`alone`).
    """
    found: dict[str, list[Column]] = {}
    for column in columns:
        if column.confidence >= LEAST and not column.in_text and not column.nobodys:
            found.setdefault(column.path, []).append(column)
    table = Table(profile, found)
    made = [one for name, rule in rules().items() if (found or _alone(rule)) and (one := _by_rule(name, rule, table))]
    followed = (_following(one, rules()[one.name].get("yields", ""), table) for one in made)
    return tuple(made), tuple(column for column in followed if column)


def in_order(columns: Sequence[Column], profile: TableProfile) -> tuple[Column, ...]:
    """Return findings in the order of their columns."""
    places = {path: at for at, path in enumerate(profile.columns)}
    return tuple(sorted(columns, key=lambda column: places.get(column.path, len(places))))


def _alone(rule: Mapping[str, Any]) -> bool:
    return any(way.get("alone") for way in rule["way"])


def _following(made: Combination, part: str, table: Table) -> Column | None:
    """Return the finding that a combination is for one of its parts, a column in which nothing was found."""
    path = next(
        (path for path, text in zip(made.columns, made.evidence, strict=False) if text.startswith(f"{part}: ")), ""
    )
    if not path or path in table.found:
        return None
    category, filled = categories()[made.category], table.columns[path].filled
    return Column(
        path=path,
        category=category.id,
        concept=category.concept,
        special=category.special,
        confidence=made.confidence,
        matched=filled,
        checked=filled,
        evidence=made.evidence,
    )


def _by_rule(name: str, rule: Mapping[str, Any], table: Table) -> Combination | None:
    for way in rule["way"]:
        parts: list[list[Met]] = []
        for part in way["parts"]:
            if met := _meeting(rule["part"][part], table):
                parts.append(met)
            else:
                break
        chosen = _apart(parts, ()) if len(parts) == len(way["parts"]) else ()
        if not chosen or not (way.get("alone") or any(met.path in table.found for met in chosen)):
            continue
        each = _rows_each(table.columns[chosen[0].path])
        if each < way.get("rows_each", 0.0):
            continue
        said = [f"{part}: {met.path}, {met.words}" for part, met in zip(way["parts"], chosen, strict=True)]
        if way.get("rows_each", 0.0) > 1:
            said.append(f"about {each:.1f} rows for each")
        category = categories().get(rule.get("category", ""))
        return Combination(
            name=name,
            label=rule["label"],
            category=rule.get("category", ""),
            concept=category.concept if category else "",
            confidence=round(prod(met.sure for met in chosen) ** (1 / len(chosen)), 3),
            columns=tuple(met.path for met in chosen),
            evidence=tuple(said),
            reference=rule["reference"],
        )
    return None


def _apart(parts: Sequence[Sequence[Met]], taken: tuple[Met, ...]) -> tuple[Met, ...]:
    """Return a column for each part, no column twice; the surest that go together."""
    if len(taken) == len(parts):
        return taken
    for met in parts[len(taken)]:
        if all(met.path != other.path for other in taken) and (whole := _apart(parts, (*taken, met))):
            return whole
    return ()


def _meeting(part: Mapping[str, Any], table: Table) -> list[Met]:
    """Return the columns that may be a part, the surest first."""
    met = [one for path in table.columns if (one := _meets(part, path, table))]
    return sorted(met, key=lambda one: -one.sure)[:ALIKE]


def _meets(part: Mapping[str, Any], path: str, table: Table) -> Met | None:
    own, found = tokens(path.rsplit(".", 1)[-1]), table.found.get(path, ())
    kinds = [column for column in found if column.category in part.get("found", ())]
    named = _named(own, part.get("words", ()))
    key = part.get("keys", False) and not found and is_key_of_person(own)
    if part.get("both") and not (named and (kinds or key)):
        return None
    if kinds:
        best = max(kinds, key=lambda column: column.confidence)
        return Met(path, best.confidence, categories()[best.category].label)
    if key:
        return Met(path, SURE_BY_NAME, "a key that stands for somebody")
    if named and (not part.get("numbers") or _numbers(table.seen(path))):
        return Met(path, SURE_BY_NAME, "as its name says")
    return None if found else _by_form(part, path, own, table)


def _by_form(part: Mapping[str, Any], path: str, own: tuple[str, ...], table: Table) -> Met | None:
    """Tell whether the values of a column without a finding are moments, days or of a form that is asked for."""
    if part.get("times") and _times(own, table.seen(path)):
        return Met(path, 0.95 if RECORD.isdisjoint(own) else 0.7, "moments")
    if part.get("dates") and _shaped(table.seen(path), ("date",)):
        return Met(path, 0.9 if RECORD.isdisjoint(own) else 0.7, "days")
    if (shapes := part.get("shapes")) and _shaped(table.seen(path), shapes):
        return Met(path, 0.9, f"values of the form {' or '.join(shapes)}")
    return None


def _named(own: tuple[str, ...], words: Sequence[str]) -> bool:
    """Tell whether the words of a name hold one of the entries, side by side."""
    entries = _entries(tuple(words))
    return any(own[at : at + len(entry)] == entry for at, word in enumerate(own) for entry in entries.get(word, ()))


@functools.cache
def _entries(words: tuple[str, ...]) -> Mapping[str, list[tuple[str, ...]]]:
    """Return entries, folded, by their first words."""
    found: dict[str, list[tuple[str, ...]]] = {}
    for entry in map(tokens, words):
        found.setdefault(entry[0], []).append(entry)
    return found


def _times(own: tuple[str, ...], seen: Seen) -> bool:
    """Tell whether a column holds moments: with a time of day, or counted in seconds under a telling name."""
    if "datetime" in seen.types or _shaped(seen, ("datetime",)):
        return True
    seconds = seen.shapes["int10"] + seen.shapes["int13"] + seen.shapes["int16"]
    return bool(seen.distinct) and seconds >= MOSTLY * seen.distinct and not EPOCH.isdisjoint(own)


def _shaped(seen: Seen, shapes: Sequence[str]) -> bool:
    return seen.distinct > 0 and sum(seen.shapes[shape] for shape in shapes) >= MOSTLY * seen.distinct


def _numbers(seen: Seen) -> bool:
    numeric = sum(n for shape, n in seen.shapes.items() if shape.startswith("int") or shape in ("decimal", "negative"))
    return seen.distinct > 0 and numeric >= MOSTLY * seen.distinct


def _rows_each(column: ColumnProfile) -> float:
    """Return how many filled cells there are for each distinct value of a column, as its sketch says."""
    distinct = float(len(column.sketch))
    if len(column.sketch) >= SAMPLE:
        distinct = (SAMPLE - 1) * 2.0**64 / max(column.sketch)
    return column.filled / distinct if distinct else 0.0
