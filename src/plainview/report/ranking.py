"""The order of things in the reports that people read: the worst first, findings and gaps in groups."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from math import fsum, log10
from pathlib import Path

from plainview.report.model import Column, Report, Skipped, TableReport, TargetReport
from plainview.report.wording import STATES, is_open, label, mark, sure

SPECIAL = 4  # what a special category weighs beside its own weight
UNCOUNTED = 10  # rows for each person, where people could not be counted


@cache
def _weights() -> dict[str, int]:
    """Return what direct identifiers weigh: 3 opens things or cannot change, 2 names a person."""
    rows = csv.DictReader(Path(__file__).with_name("weights.csv").read_text("utf-8").splitlines())
    return {row["category"]: int(row["weight"]) for row in rows}


def points(category: str) -> int:
    """Return the weight of a category: 3 and 2 for direct identifiers, 1 for all else that is personal."""
    return _weights().get(category, 1)


def weight(table: TableReport) -> float:
    """Return how bad a table is: its kinds of data, special categories most of all, times its size. Larger is worse.

    A category counts as far as it is sure, so that many faint ones do not stand before one that is certain. Size
    counts by the square of its order of magnitude: 63 rows of a special category do not stand before a payroll.
    """
    surest: dict[str, float] = {}
    for column in table.columns:
        surest[column.category] = max(column.confidence, surest.get(column.category, 0.0))
    special = {column.category: surest[column.category] for column in table.columns if mark(column)}
    identifying = fsum(points(category) * confidence for category, confidence in surest.items())
    return (SPECIAL * fsum(special.values()) + identifying) * magnitude(max(table.rows, table.rows_read)) ** 2


def magnitude(number: int) -> float:
    """Return the order of magnitude of a number: 1 for none or a few, 2 for 100, 6 for a million."""
    return max(1.0, log10(max(1, number)))


def triage(target: TargetReport) -> float:
    """Return the figure by which targets are put in order: their severity times the magnitude of their people.

    Where people could not be counted, the rows of the largest table with personal data stand for them, as one in ten.
    """
    score = target.severity.score if target.severity else 0.0
    people = max(target.people.low, target.people.estimate or 0) if target.people else 0
    if people <= 1:
        people = max((max(t.rows, t.rows_read) for t in target.tables if t.columns), default=0) // UNCOUNTED
    return round(score * magnitude(people), 1)


def worst_first(tables: Iterable[TableReport]) -> list[TableReport]:
    """Return the tables that hold personal data, the worst first, names deciding between equals; no copies."""
    found = [table for table in tables if table.columns and not table.copy_of]
    return sorted(found, key=lambda table: (-weight(table), table.name))


@dataclass(frozen=True, slots=True)
class Group:
    """The columns of a table that hold the same category."""

    category: str
    label: str
    mark: str
    columns: tuple[Column, ...]


def groups(table: TableReport) -> list[Group]:
    """Return a table's findings by category: special ones first, possible ones after likely ones."""
    by_category: dict[str, list[Column]] = {}
    for column in table.columns:
        by_category.setdefault(column.category, []).append(column)

    def rank(columns: list[Column]) -> tuple[bool, bool, int, float, str]:
        kind = columns[0].category
        best = max(column.confidence for column in columns)
        return not mark(columns[0]), sure(best) == "possible", -points(kind), -best, kind

    ordered = sorted(by_category.values(), key=rank)
    return [
        Group(
            columns[0].category,
            label(columns[0].category),
            mark(columns[0]),
            tuple(sorted(columns, key=lambda column: (-column.confidence, column.path, column.where))),
        )
        for columns in ordered
    ]


@dataclass(slots=True)
class Kind:
    """A category over many tables: in how many tables and columns it was found."""

    category: str
    label: str
    mark: str
    tables: int = 0
    columns: int = 0


def kinds(tables: Iterable[TableReport]) -> list[Kind]:
    """Return the categories found: marked ones first, then by weight and number of columns."""
    seen: dict[str, Kind] = {}
    for table in tables:
        for group in groups(table):
            kind = seen.setdefault(group.category, Kind(group.category, group.label, group.mark))
            kind.tables += 1
            kind.columns += len(group.columns)
    return sorted(seen.values(), key=lambda kind: (not kind.mark, -points(kind.category), -kind.columns, kind.category))


@dataclass(frozen=True, slots=True)
class Alike:
    """Tables that hold the same kinds of data: the kinds in words, the rows of all, the names."""

    kinds: str
    rows: int
    names: tuple[str, ...]


def alike(tables: Iterable[TableReport]) -> list[Alike]:
    """Return tables by the kinds of data in them, in the order in which each combination first comes."""
    found: dict[tuple[str, ...], list[TableReport]] = {}
    for table in tables:
        found.setdefault(tuple(dict.fromkeys(group.label for group in groups(table))), []).append(table)
    return [
        Alike(", ".join(kinds), sum(table.rows_read for table in same), tuple(table.name for table in same))
        for kinds, same in found.items()
    ]


def skip_groups(skipped: Iterable[Skipped]) -> Iterator[tuple[str, list[str]]]:
    """Yield each reason with the names of what was not examined for it, as they first came."""
    by_reason: dict[str, list[str]] = {}
    for item in skipped:
        by_reason.setdefault(item.why, []).append(item.what)
    yield from by_reason.items()


def targets(report: Report) -> list[TargetReport]:
    """Return the targets, the worst first: by `triage`, openness, tables; equals stay as they were given."""
    order = list(STATES)

    def rank(target: TargetReport) -> tuple[float, ...]:
        state = order.index(target.exposure.state) if target.exposure else len(order)
        worst = max((weight(table) for table in target.tables if table.columns), default=0.0)
        return -triage(target), state if is_open(target.exposure) else len(order), -worst

    return sorted(report.targets, key=rank)
