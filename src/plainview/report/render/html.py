"""The HTML report: one file without script that asks nothing of any network, to read, print and file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from itertools import chain
from math import fsum

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from plainview.report import ranking, wording
from plainview.report.model import Report, Severity, TableReport, TargetReport

LISTED = 20  # longer lists are folded; they stay in the file in full
FULL, EVERY = 100, 400  # tables of a target, and of all together, that are shown in full; the others by name
BARS, PLACES = 8, 3  # kinds in the chart, tables that a kind leads to
PRINTED = 18  # lines of a table of the printed summary, which is two pages
NAMED = 30_000  # names of tables that are listed at most; the rest is a number


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("plainview.report.render"),
        autoescape=True,  # every name comes from a target and is hostile
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(w=wording, ranking=ranking, shown=shown, severity_bars=severity_bars)
    environment.globals.update(LISTED=LISTED, NAMED=NAMED, PRINTED=PRINTED)
    environment.filters.update(number=wording.number, count=wording.count, sure=wording.sure, percent=percent)
    return environment.get_template("report.html.j2")


def percent(confidence: float) -> str:
    """Return a confidence as a percentage that never claims to be sure: "92 %", "over 99 %"."""
    return "over 99 %" if confidence > 0.99 else f"{int(confidence * 100)} %"


def render(report: Report) -> str:
    """Return the page, complete with its style."""
    targets = ranking.targets(report)
    full = min(FULL, max(5, EVERY // max(1, len(targets))))
    return _template().render(report=report, targets=targets, full=full, sum=_summary(targets, report, full))


@dataclass(frozen=True, slots=True)
class Bar:
    """One line of a chart: what, a number in words, how long its bar is, from 0 to 100."""

    label: str
    words: str
    part: float


def _summary(targets: list[TargetReport], report: Report, full: int) -> dict[str, object]:
    """Return the numbers and sentences at the top of the page."""
    tables = [table for target in targets for table in target.tables]
    found = [table for table in tables if table.columns]
    kinds = ranking.kinds(found)
    bad = [target for target in targets if target.severity and target.severity.score]
    first = next((target for target in targets if target.fix), None)
    return {
        "open": sum(wording.is_open(target.exposure) and not wording.is_here(target.exposure) for target in targets),
        "here": sum(wording.is_here(target.exposure) for target in targets),
        "asked": sum(target.exposure is not None for target in targets),
        "read": sum(max(target.coverage.tables_read, len(target.tables)) for target in targets),
        "rows": sum(target.coverage.rows_read for target in targets),
        "found": len(found),
        "columns": len(set(chain.from_iterable(_columns(target) for target in targets))),
        "kinds": kinds,
        "places": _places(targets, full),
        "marked": [kind for kind in kinds if kind.mark],
        "worst": max((t.severity for t in bad if t.severity), key=lambda one: one.score, default=None),
        "people": report.people,
        "chart": people_bars(found),
        "first": first.fix[0].do if first else "",
        "skipped": sum(len(target.coverage.skipped) for target in targets),
        "sampled": any(target.coverage.sampled for target in targets),
    }


def people_bars(tables: Iterable[TableReport]) -> list[Bar]:
    """Return for each kind of data how many people the table with most of them has: so many at least."""
    most: dict[str, tuple[int, str, bool]] = {}
    for table in tables:
        people = max(table.people.low, table.people.estimate or 0) if table.people else 0
        for column in table.columns:
            if table.people and people > max(1, most.get(column.category, (0,))[0]):
                most[column.category] = people, wording.about(table.people), bool(wording.mark(column))
    order = sorted(most, key=lambda kind: (-most[kind][0], not most[kind][2], -ranking.points(kind), kind))[:BARS]
    largest = max((people for people, _, _ in most.values()), default=1)
    return [Bar(wording.label(kind), most[kind][1], round(100 * most[kind][0] / largest, 1)) for kind in order]


def severity_bars(found: Severity) -> list[Bar]:
    """Return the factors of a severity, each as a part of the most that it can be."""
    circumstances = fsum(part.value for part in found.cb)
    parts = (
        ("what the data tells", found.dpc.value, 4), ("how easily people are found by it", found.ei.value, 1),
        ("circumstances, which are added", circumstances, 2), ("severity", found.score, 6),
    )  # fmt: skip
    return [Bar(label, f"{value:g} of {most}", round(100 * value / most, 1)) for label, value, most in parts]


def _places(targets: list[TargetReport], full: int) -> dict[str, list[dict[str, str]]]:
    """Return for each kind the worst tables that hold it, of those that are shown in full: `anchor` and `name`."""
    found: dict[str, list[dict[str, str]]] = {}
    for number, target in enumerate(targets, 1):
        for at, table in enumerate(shown(ranking.worst_first(target.tables), full), 1):
            for kind in {column.category for column in table.columns}:
                places = found.setdefault(kind, [])
                if len(places) < PLACES:
                    places.append({"anchor": f"t{number}-d{at}", "name": table.name})
    return found


def shown(tables: list[TableReport], full: int) -> list[TableReport]:
    """Return the tables that are shown in full: all but a long rest."""
    return tables if len(tables) <= full + LISTED else tables[:full]


def _columns(target: TargetReport) -> list[tuple[int, int, str]]:
    """Return an identity for each column with a finding: one column may hold several categories."""
    return [(id(target), place, column.path) for place, table in enumerate(target.tables) for column in table.columns]


__all__ = ["LISTED", "percent", "render"]
