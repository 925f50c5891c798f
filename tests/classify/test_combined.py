"""What columns say together: rules as data, each held by tables that have all parts and by those that lack one."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import polars as pl
import pytest

from plainview.classify.combined import rules
from plainview.detectors import categories
from plainview.pipeline.engine import Engine
from plainview.profiles import TableProfile
from plainview.report.model import Column, Combination, Report, TableReport, TargetReport
from plainview.report.render import render
from plainview.tables import ReadLog

ENGINE = Engine()
GIVEN = "Anna Peter Maria Hans Laura Jonas Clara Felix Sofia Lukas Emma Paul".split()
FAMILY = "Schmidt Meier Huber Wagner Becker Fischer Weber Koch Bauer Wolf Klein Neumann".split()
Cell = Callable[[random.Random, int], object]

NAME: Cell = lambda r, _: f"{r.choice(GIVEN)} {r.choice(FAMILY)}"  # noqa: E731
PHONE: Cell = lambda r, _: f"+49 30 {r.randint(1000000, 9999999)}"  # noqa: E731
MAIL: Cell = lambda r, _: f"{r.choice(GIVEN)}.{r.choice(FAMILY)}@firma-a.de".lower()  # noqa: E731
TIME: Cell = lambda r, at: f"2024-03-{1 + at % 28:02} {at % 24:02}:{r.randint(0, 59):02}:11"  # noqa: E731
DAY: Cell = lambda _, at: f"2024-01-{1 + at % 28:02}"  # noqa: E731
BORN: Cell = lambda r, _: f"19{r.randint(40, 99)}-0{r.randint(1, 9)}-1{r.randint(0, 9)}"  # noqa: E731
LAT: Cell = lambda r, _: f"52.{r.randint(40000, 59999)}"  # noqa: E731
LON: Cell = lambda r, _: f"13.{r.randint(20000, 59999)}"  # noqa: E731
PLATE: Cell = lambda r, _: f"B-{r.choice('ACE')}{r.choice('XYZ')} {r.randint(100, 999)}"  # noqa: E731
PASS: Cell = lambda r, _: f"C0{r.randint(1000000, 9999999)}"  # noqa: E731
URL: Cell = lambda r, _: f"https://shop.firma-a.de/p/{r.randint(1, 9999)}"  # noqa: E731
NUMBER: Cell = lambda r, _: round(r.random() * 9, 2)  # noqa: E731
EPOCH: Cell = lambda _, at: 1_700_000_000 + at * 333  # noqa: E731
WORD: Cell = lambda r, _: r.choice(["trousers", "shirt", "shoes"])  # noqa: E731


def key(number: int, prefix: str = "K") -> Cell:
    return lambda _, at: f"{prefix}{at % number:05}"


def profile(columns: dict[str, Cell], table: str = "t.csv", rows: int = 200) -> TableProfile:
    chance = random.Random(1)
    frame = pl.DataFrame({name: [cell(chance, at) for at in range(rows)] for name, cell in columns.items()})
    profiler = ENGINE.profiler(table, ReadLog())
    profiler.add(frame)
    profiler.finish()
    return profiler.total


def combined(columns: dict[str, Cell], table: str = "t.csv") -> tuple[tuple[Combination, ...], Sequence[Column]]:
    total = profile(columns, table)
    return ENGINE.combine(total, ENGINE.judge(table, total))


WHOLE: dict[str, list[dict[str, Cell]]] = {
    "location_history": [
        {"plate": PLATE, "camera_id": key(9, "C"), "seen_at": TIME},
        {"user_id": key(20), "lat": LAT, "lng": LON, "ts": EPOCH},
        {"email": lambda _, at: f"p{at % 15}@firma-a.de", "geohash": key(50, "u33d"), "zeit": TIME},
    ],
    "call_log": [
        {"caller_number": PHONE, "called_number": PHONE, "start_time": TIME, "duration_s": NUMBER},
        {"from_phone": PHONE, "to_phone": PHONE, "timestamp": EPOCH},
        {"anrufer_telefon": PHONE, "ziel_telefon": PHONE, "beginn": TIME},
    ],
    "correspondence": [
        {"from": MAIL, "to": MAIL, "subject": WORD, "sent": TIME},
        {"absender": MAIL, "empfänger": MAIL, "betreff": WORD},
        {"sender_name": NAME, "recipient_id": key(7), "sent_at": TIME},
    ],
    "browsing_history": [{"account_id": key(15), "url": URL, "visited_at": TIME}],
    "purchase_history": [
        {"customer_email": lambda _, at: f"p{at % 15}@firma-a.de", "product": WORD, "order_date": DAY},
        {"kunde_nr": key(15), "email": MAIL, "artikel": WORD, "bestellt": DAY},
    ],
    "service_consumption": [
        {"household_id": key(30, "H"), "kwh": NUMBER, "read_at": TIME},
        {"LCLid": key(30, "MAC"), "DateTime": TIME, "kWh": NUMBER},
    ],
    "identity_package": [{"full_name": NAME, "date_of_birth": BORN, "passport_no": PASS}],
}  # fmt: skip


@pytest.mark.parametrize(("name", "columns"), [(name, one) for name, every in WHOLE.items() for one in every])
def test_all_parts_together(name: str, columns: dict[str, Cell]) -> None:
    made, _ = combined(columns)
    one = next((one for one in made if one.name == name), None)
    assert one is not None, made
    assert set(one.columns) <= columns.keys()
    assert len(set(one.columns)) == len(one.columns) >= 3
    assert 0.5 <= one.confidence <= 1
    assert all(path in text for path, text in zip(one.columns, one.evidence, strict=False))


@pytest.mark.parametrize(("name", "columns"), [(name, one) for name, every in WHOLE.items() for one in every[:1]])
def test_no_part_may_be_missing(name: str, columns: dict[str, Cell]) -> None:
    made, _ = combined(columns)
    (one,) = (one for one in made if one.name == name)
    for missing in one.columns:
        rest = {path: cell for path, cell in columns.items() if path != missing and path not in ("lat", "sent")}
        assert all(other.name != name or missing not in other.columns for other in combined(rest)[0]), missing


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        ("stations.csv", {"station_name": key(80, "S"), "lat": LAT, "lon": LON, "updated_at": TIME}),
        ("logistics.csv", {"from": WORD, "to": WORD, "shipped_at": TIME, "weight": NUMBER}),
        ("sensors.csv", {"sensor_id": key(9, "S"), "kwh": NUMBER, "read_at": TIME}),
        ("builds.csv", {"job": WORD, "url": URL, "started": TIME}),
        # each stands once, where they live: a list of customers
        ("customers.csv", {"email": lambda _, at: f"p{at}@firma-a.de", "lat": LAT, "lon": LON, "created_at": TIME}),
        ("orders.csv", {"email": lambda _, at: f"p{at}@firma-a.de", "product": WORD, "order_date": DAY}),
    ],
)
def test_what_is_no_combination(table: str, columns: dict[str, Cell]) -> None:
    assert combined(columns, table)[0] == ()


def test_readings_of_a_household_are_a_finding() -> None:
    _, columns = combined({"household_id": key(30, "H"), "kwh": NUMBER, "read_at": TIME})
    assert [(column.path, column.category) for column in columns] == [("kwh", "service_consumption")]


def test_every_rule_is_whole() -> None:
    assert rules().keys() == WHOLE.keys()
    for name, rule in rules().items():
        assert {"label", "reference", "way", "part"} <= rule.keys()
        assert rule.get("category", "") in {"", *categories()}, name
        assert {part for way in rule["way"] for part in way["parts"]} == rule["part"].keys()
        for part in rule["part"].values():
            assert part.keys() <= {"found", "words", "both", "keys", "times", "dates", "shapes", "numbers"}
            assert set(part.get("found", ())) <= categories().keys()


def test_reports_show_it() -> None:
    one = Combination(
        name="call_log", label="who called whom, and when", category="call_log", confidence=0.99,
        columns=("caller", "callee", "at"), evidence=("caller: caller, telephone number",),
    )  # fmt: skip
    column = Column(
        path="caller", category="telephone_number", concept="", special=False, confidence=0.99, matched=1, checked=1
    )
    table = TableReport(
        name="t", kind="csv", rows=1, rows_read=1, columns=(column,), combinations=(one,), columns_total=3
    )
    report = Report(targets=(TargetReport(target="file:t", kind="csv", tables=(table,)),))
    for kind in ("text", "html"):
        assert "who called whom, and when (certain): caller, callee, at" in " ".join(render(report, kind).split())
    assert '"call_log"' in render(report, "json")
