"""What is said of a target as a whole, when all of its tables are judged."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from plainview.assess.totals import Total, total_of
from plainview.crowds import Crowd
from plainview.report.model import TargetReport


def assessed(report: TargetReport, crowds: Sequence[Crowd], total: Total | None = None) -> TargetReport:
    """Return the report with its people counted; `crowds` are those of its tables. They are added to `total`, too."""
    if total is not None:
        for crowd in crowds:
            total.add(crowd, report.target)
    return msgspec.structs.replace(report, people=total_of(crowds, report.target))
