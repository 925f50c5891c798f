"""The invented city, a fiftieth of it, from a folder of dumps: what is found is what is true."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from pathlib import Path

import pytest

TWIN = Path(__file__).parents[2] / "bench" / "twin"


@pytest.fixture(scope="module")
def table() -> list[str]:
    command = [sys.executable, str(TWIN / "run.py"), "--from", "folder", "--scale", "0.02"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.stdout, done.stderr[-2000:]
    return done.stdout.splitlines()[1:]


def test_a_scan_finds_what_is_true_of_the_invented_city(table: list[str]) -> None:
    assert [line for line in table if not line.startswith("ok")] == []
    assert len(table) > 20


@pytest.fixture
def city(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(TWIN))
    from city import City

    return City


def test_the_city_is_the_same_each_time_and_belongs_to_nobody(city) -> None:
    day = dt.date(2026, 12, 1)
    first, second = city(0.02, today=day), city(0.02, today=day)
    assert first.residents == second.residents
    assert first.visitors == second.visitors
    assert first.truth == {"people": 700, "children": 100, "foreigners": 100, "of the one country": 12}
    everybody = [*first.residents, *first.commuters]
    assert {one.id[2:6] for one in everybody} == {"9900"}, "no county has this number"
    assert {one.phone[:4] for one in everybody} <= {"1349", ""}, "a prefix that is given out no more"
    assert len({one.id for one in everybody}) == len(everybody)


def test_the_comparison_can_fail(monkeypatch: pytest.MonkeyPatch, city) -> None:
    from compare import compared
    from indices import names

    empty = {"coverage": {"skipped": [{"what": "x"}]}, "people": None, "tables": [], "severity": None}
    small = city(0.001)
    value = small.residents[0].id
    texts = {"edpb": '{"drafts": []}', "text": f"found {value}"}
    lines = compared(small, {"targets": [empty]}, texts, {name: name for name in names()})
    wrong = {line.what for line in lines if not line.right}
    assert {"people in all", "children under 18", "severity", "draft of the notification", "not examined"} <= wrong
    assert "values of the data in any output" in wrong
    assert "kinds of 居民信息" in wrong
