"""Public tables about places: what is the place's is left alone, whoever is in charge of it is found."""

from __future__ import annotations

import functools
import random

import polars as pl
import pytest

from plainview.detectors.subjects import is_shared, of_a_house
from plainview.matching.batches import TableProfiler
from plainview.pipeline.scanner import Scanner
from plainview.tables import Table

ROWS = 60
RNG = random.Random(8)
STREETS = [f"{RNG.randrange(1, 200)} Mill Lane" for _ in range(ROWS)]
PHONES = [f"+44 20 {RNG.randrange(7000, 7999)} {RNG.randrange(1000, 9999)}" for _ in range(ROWS)]
DATES = [f"{RNG.randrange(1950, 2020)}-0{RNG.randrange(1, 10)}-1{RNG.randrange(10)}" for _ in range(ROWS)]
GIVEN = "Anna Peter Laura Thomas Maria Paul Julia David".split()
FAMILY = "Smith Weber Novak Garcia Rossi Martin Fischer Keller".split()
PEOPLE = [f"{RNG.choice(GIVEN)} {RNG.choice(FAMILY)}" for _ in range(ROWS)]


@functools.cache
def scanner() -> Scanner:
    return Scanner()


def found(columns: dict[str, list[str]], table: str) -> dict[str, str]:
    profiler = TableProfiler(scanner().engine.matcher, scanner().engine.names, table)
    profiler.add(pl.DataFrame(columns))
    profiler.finish()
    return {c.path: c.category for c in scanner().table_report(Table(table, "csv"), profiler.total)[0].columns}


def mails(local: str) -> list[str]:
    return [f"{local}@site{i}.example.net" for i in range(ROWS)]


@pytest.mark.parametrize("stem", ["bibliotheken", "gares", "farmacias", "przedszkola", "sjukhus", "школы", "病院"])
def test_what_is_the_places(stem: str) -> None:
    columns = {
        "address": STREETS,
        "phone": PHONES,
        "opened": DATES,
        "email": mails("info"),
        "contact person": PEOPLE,
    }
    assert found(columns, f"{stem}.csv") == {"contact person": "person_name"}


@pytest.mark.parametrize("hours", ["opening_hours", "Öffnungszeiten", "営業時間"])
def test_hours_say_that_it_is_a_house(hours: str) -> None:
    columns = {"address": STREETS, "phone": PHONES, hours: ["09:00-17:00"] * ROWS}
    assert found(columns, "rows.csv") == {}


def test_customers_of_a_shop_are_people() -> None:
    columns = {
        "shop": ["North", "South"] * (ROWS // 2),
        "customer_name": PEOPLE,
        "phone": PHONES,
        "email": mails("info"),
    }
    assert found(columns, "sales.csv").keys() == {"customer_name", "phone", "email"}


def test_mailboxes_of_somebody_at_a_place_stay() -> None:
    own = [f"anna.smith{i}@school.example.net" for i in range(ROWS)]
    assert found({"address": STREETS, "email": own}, "schools.csv") == {"email": "email_address"}


@pytest.mark.parametrize("name", ["driver age", "age conducteur", "edad conductor", "leeftijd bestuurder"])
def test_who_was_in_a_crash_is_somebody(name: str) -> None:
    ages = [str(RNG.randrange(17, 90)) for _ in range(ROWS)]
    assert found({"address": STREETS, name: ages}, "crashes.csv") == {name: "age"}


def test_words_of_mailboxes_and_houses() -> None:
    assert all(
        map(
            is_shared,
            (
                "info@a.example",
                "INFO.north@a.example",
                "no-reply@a.example",
                "schule3@a.example",
            ),
        )
    )
    assert not any(map(is_shared, ("anna.smith@a.example", "jdoe@a.example", "@", "")))
    assert [of_a_house(own) for own in (("opening", "hours"), ("website",), ("opened",), ("updated",))] == [2, 1, 1, 0]
