"""What is said of a target as a whole, when all of its tables are judged."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from math import inf

import msgspec

from plainview.assess.laws import laws
from plainview.assess.severity import Facts, assumptions, classes, severity
from plainview.assess.steps import CREDENTIALS, steps
from plainview.assess.totals import Total, total_of
from plainview.crowds import Crowd
from plainview.report.model import Fix, People, TableReport, TargetReport

LIKELY = 0.7  # confidence from which on a finding is taken into account
OPEN = ("lists", "reads", "writes", "admin")
CLOSED = ("auth_required", "reachable_metadata", "unreachable")
LOOPBACK = re.compile(r"[a-z0-9+]+://(?:[^/@]*@)?(?:localhost|127\.[0-9.]+|\[::1\])(?:[:/?]|$)")


def assessed(
    report: TargetReport, crowds: Sequence[Crowd], total: Total | None = None, assume: Iterable[str] = ()
) -> TargetReport:
    """Return the report with its people counted, and how bad it is.

    `crowds` are those of its tables; they are added to `total`, too. Raises UsageError for an unknown assumption.
    """
    if total is not None:
        for crowd in crowds:
            total.add(crowd, report.target)
    people = total_of(crowds, report.target)
    report = msgspec.structs.replace(report, people=people)
    facts = facts_of(report)
    return msgspec.structs.replace(
        report,
        severity=severity(facts, assumptions(assume)),
        laws=() if facts.state in CLOSED else laws(facts.categories, people),
        fix=_fix(report, facts),
    )


def _fix(report: TargetReport, facts: Facts) -> tuple[Fix, ...]:
    """Return what to do: to close what is open, and for files that hold personal data."""
    if report.exposure is None:
        credentials = not CREDENTIALS.isdisjoint(facts.categories)
        return steps("file", "file", credentials=credentials) if facts.categories and report.tables else ()
    return steps(
        report.kind,
        report.exposure.state,
        product=report.exposure.product,
        version=report.exposure.version,
        visited=facts.visited,
        credentials=not CREDENTIALS.isdisjoint(facts.categories),
    )


def facts_of(report: TargetReport) -> Facts:
    """Return what the severity of a target rests on."""
    surest: dict[str, float] = {}
    for table in report.tables:
        for column in table.columns:
            surest[column.category] = max(column.confidence, surest.get(column.category, 0.0))
    together = [one for table in report.tables for one in table.combinations if one.confidence >= LIKELY]
    for one in together:
        if one.category:
            surest[one.category] = max(one.confidence, surest.get(one.category, 0.0))
    sure = frozenset(category for category, confidence in surest.items() if confidence >= LIKELY)
    people = report.people or People()
    return Facts(
        categories=sure,
        state=state_of(report),
        people=max(people.low, people.estimate or 0),
        minors=any(has_minors(each) for each in (report.people, *(table.people for table in report.tables))),
        rows_each=max((_rows_each(table) for table in report.tables), default=0.0),
        visited=report.exposure is not None and bool(report.exposure.prior_access),
        doubtful=frozenset(surest) - sure,
        together=frozenset(one.name for one in together),
    )


def state_of(report: TargetReport) -> str:
    """Return the state of exposure, `file` where there is none, `loopback` for one that was reached there alone."""
    if report.exposure is None:
        return "file"
    here = report.exposure.reach in ("here", "loopback") or (
        not report.exposure.reach and LOOPBACK.match(report.target)
    )
    return "loopback" if here and report.exposure.state in OPEN else report.exposure.state


def has_minors(people: People | None) -> bool:
    """Tell whether children are known to be among them."""
    return people is not None and any(g.name.startswith("under") and (g.few or g.low) for g in people.minors)


def _rows_each(table: TableReport) -> float:
    """Return how many rows of behaviour there are for each person of a table."""
    kinds = {*(column.category for column in table.columns), *(one.category for one in table.combinations)}
    if not any(classes().get(kind) == "behavioural" for kind in kinds):
        return 0.0
    people = table.people or People()
    return table.rows_read / max(1, people.estimate or people.low or inf)
