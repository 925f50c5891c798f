"""What stands far behind the beginning of a cell is found, also behind a value of another kind."""

from __future__ import annotations

import polars as pl
import pytest

from plainview.classify.classify import classify
from plainview.detectors import load_detectors
from plainview.detectors.fieldnames import NameIndex
from plainview.matching.batches import profile
from plainview.matching.compiled import Matcher

LOADED = load_detectors()
MATCHER, NAMES = Matcher(LOADED), NameIndex(LOADED)
FILL = "lorem ipsum dolor sit amet, "


@pytest.mark.parametrize("rows", [3, 3000])
@pytest.mark.parametrize("before", ["", "from 93.184.216.34: "])
@pytest.mark.parametrize("at", [5_000, 65_530, 200_000])
def test_an_address_is_found_wherever_it_stands(at: int, before: str, rows: int) -> None:
    long = before + (FILL * 8_000)[: at - len(before)] + " canary.7f3a@example.org " + FILL
    frame = pl.DataFrame({"body": [long] + [before + f"nothing {row}" for row in range(rows)]})
    columns = classify("t", profile([frame], MATCHER, NAMES), MATCHER.detectors, NAMES)
    found = {column.category: column.matched for column in columns}
    assert found["email_address"] == 1
