"""The HTML report: one file without script that asks nothing of any network, to read, print and file."""

from __future__ import annotations

from functools import cache
from itertools import chain

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from plainview.report import ranking, wording
from plainview.report.model import Report, TargetReport

LISTED = 20  # longer lists are folded; they stay in the file in full


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("plainview.report.render"),
        autoescape=True,  # every name comes from a target and is hostile
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(w=wording, ranking=ranking, LISTED=LISTED)
    environment.filters.update(number=wording.number, count=wording.count, sure=wording.sure, percent=percent)
    return environment.get_template("report.html.j2")


def percent(confidence: float) -> str:
    """Return a confidence as a percentage that never claims to be sure: "92 %", "over 99 %"."""
    return "over 99 %" if confidence > 0.99 else f"{int(confidence * 100)} %"


def render(report: Report) -> str:
    """Return the page, complete with its style."""
    targets = ranking.targets(report)
    return _template().render(report=report, targets=targets, sum=_summary(targets))


def _summary(targets: list[TargetReport]) -> dict[str, object]:
    """Return the numbers and sentences at the top of the page."""
    tables = [table for target in targets for table in target.counted]
    found = [table for table in tables if table.columns]
    kinds = ranking.kinds(found)
    return {
        "open": sum(wording.is_open(target.exposure) for target in targets),
        "asked": sum(target.exposure is not None for target in targets),
        "read": sum(max(target.coverage.tables_read, len(target.counted)) for target in targets),
        "rows": sum(target.coverage.rows_read for target in targets),
        "bytes": sum(target.coverage.bytes_read for target in targets),
        "found": len(found),
        "columns": len(set(chain.from_iterable(_columns(target) for target in targets))),
        "kinds": kinds,
        "marked": [kind for kind in kinds if kind.mark],
        "worst": max((t.severity for t in targets if t.severity), key=lambda found: found.score, default=None),
        "skipped": sum(len(target.coverage.skipped) for target in targets),
        "sampled": any(target.coverage.sampled for target in targets),
    }


def _columns(target: TargetReport) -> list[tuple[int, int, str]]:
    """Return an identity for each column with a finding: one column may hold several categories."""
    return [(id(target), place, column.path) for place, table in enumerate(target.counted) for column in table.columns]


__all__ = ["LISTED", "percent", "render"]
