"""Where somebody was, and when, told from where somebody lives and where a thing stands."""

from __future__ import annotations

import random

import polars as pl
import pytest

from plainview.pipeline.scanner import Scanner
from plainview.tables import ReadLog, Table

ROWS = 120
RNG = random.Random(5)
PLATES = [f"粤B{n:05}" for n in range(20_000, 20_000 + ROWS)]
TIMES = [f"2026-03-{n % 28 + 1:02} {n % 24:02}:15:{n % 60:02}" for n in range(ROWS)]
LAT = [f"{RNG.uniform(40, 50):.5f}" for _ in range(ROWS)]
LON = [f"{RNG.uniform(3, 9):.5f}" for _ in range(ROWS)]
MAIL = [f"nadia.muster{n}@firma.de" for n in range(ROWS)]
SCANNER = Scanner()


def found(columns: dict[str, list[object]], table: str = "t.csv") -> dict[str, str]:
    profiler = SCANNER.engine.profiler(table, ReadLog())
    profiler.add(pl.DataFrame({name: list(map(str, cells)) for name, cells in columns.items()}))
    profiler.finish()
    return {c.path: c.category for c in SCANNER.table_report(Table(table, "csv"), profiler.total)[0].columns}


def again(things: list[str]) -> list[str]:
    """Return some of them, each ten times."""
    return (things[: ROWS // 10] * 10)[:ROWS]


@pytest.mark.parametrize(("name", "things"), [("车牌号", PLATES), ("plate", PLATES), ("email", MAIL)])
def test_what_comes_again_with_other_positions_and_moments_moves(name: str, things: list[str]) -> None:
    got = found({name: again(things), "time": TIMES, "lat": LAT, "lon": LON})
    assert (got["lat"], got["lon"]) == ("location_history", "location_history")


def test_moments_may_be_numbers_under_a_name_for_them() -> None:
    seconds = [1_760_000_000 + 3600 * n for n in range(ROWS)]
    got = found({"plate": again(PLATES), "timestamp": seconds, "lat": LAT, "lon": LON})
    assert got["lat"] == "location_history"
    assert found({"plate": again(PLATES), "total": seconds, "lat": LAT, "lon": LON}).get("lat") != "location_history"


def test_where_somebody_lives_is_no_movement() -> None:
    got = found({"email": MAIL, "registered": TIMES, "lat": LAT, "lon": LON})
    assert (got["lat"], got["lon"]) == ("location_gps", "location_gps")
    assert found({"email": again(MAIL), "lat": LAT, "lon": LON})["lat"] == "location_gps", "no moment"


def test_what_belongs_to_nobody_has_no_history() -> None:
    stations = again([f"st-{n}" for n in range(ROWS)])
    got = found({"station": stations, "time": TIMES, "lat": LAT, "lon": LON, "temperature": LAT})
    assert "location_history" not in got.values()
