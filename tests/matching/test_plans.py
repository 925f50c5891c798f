"""Which detectors a plan holds."""

from __future__ import annotations

import pytest

from plainview.detectors import load_detectors
from plainview.detectors.fieldnames import NameIndex
from plainview.matching.compiled import Matcher
from plainview.matching.plans import TablePlan
from plainview.matching.tagging import tag_values

MATCHER = Matcher(load_detectors())
NAMES = NameIndex(load_detectors())


def planned(name: str, values: list[str]) -> list[str]:
    """Return the detectors that count the cells of a column with this name and these values."""
    plan = TablePlan(MATCHER, NAMES)
    tags = tag_values(values, MATCHER, [plan.named(name)] * len(values))
    plan.learn(name, dict(enumerate(tags)))
    return plan.of(name).cells


@pytest.mark.parametrize(
    ("values", "more"),
    [
        (["156.94.172.239", "228.233.252.129", "8.1.2.3", "10.0.0.5"], False),  # of which others see each
        (["156.94.172.239", "228.233.252.129", "8.1.2.3", "2618092783"], True),
    ],
)
def test_a_form_that_needs_a_name_is_counted_where_it_alone_sees_a_value(values: list[str], more: bool) -> None:
    assert ("ip_address_number" in planned("ip", values)) is more
    assert {"ip_address", "ip_address_small"} <= set(planned("ip", values))
