"""What a field name says besides: that its numbers are something else, and that its short values are answers."""

from __future__ import annotations

import functools
import random

import polars as pl
import pytest
from faker import Faker

from plainview.detectors import load_detectors
from plainview.detectors.fieldnames import NameIndex
from plainview.matching.batches import TableProfiler
from plainview.pipeline.scanner import Scanner
from plainview.report.model import Column
from plainview.tables import Table

ROWS = 120
FAKE = Faker("en_US")
FAKE.seed_instance(5)
NAMES = [f"{FAKE.first_name()} {FAKE.last_name()}" for _ in range(ROWS)]


@functools.cache
def scanner() -> Scanner:
    return Scanner()


def found(columns: dict[str, list[str]]) -> dict[str, Column]:
    profiler = TableProfiler(scanner().engine.matcher, scanner().engine.names, "t.csv")
    profiler.add(pl.DataFrame(columns))
    profiler.finish()
    return {c.path: c for c in scanner().table_report(Table("t.csv", "csv"), profiler.total)[0].columns}


def isbn10(rng: random.Random) -> str:
    while True:
        body = f"{rng.randrange(10**9):09}"
        check = -sum(int(d) * w for d, w in zip(body, range(10, 1, -1), strict=True)) % 11
        if check < 10:
            return body + str(check)


@pytest.mark.parametrize("header", ["isbn", "ISBN-10", "isbn_nr", "EAN", "Tracking Number"])
def test_a_name_that_says_what_else_its_numbers_are_speaks_against_them(header: str) -> None:
    rng = random.Random(1)
    numbers = [isbn10(rng) for _ in range(ROWS)]
    assert found({"k7": numbers})["k7"].category == "health_insurance_id"  # of the same form and check
    assert found({header: numbers}) == {}


def test_numbers_of_books_are_known_by_the_x_at_the_end_of_some() -> None:
    rng = random.Random(1)
    numbers = [isbn10(rng) for _ in range(ROWS - 11)]
    assert found({"k7": [*numbers, *(f"{n:09}X" for n in range(100_000_001, 100_000_012))]}) == {}


@pytest.mark.parametrize("header", ["version", "app_version", "netmask", "build.version", "版本"])
def test_versions_are_no_addresses_whatever_their_numbers(header: str) -> None:
    rng = random.Random(2)
    addresses = [".".join(str(rng.randrange(60, 250)) for _ in range(4)) for _ in range(ROWS)]
    assert found({"k7": addresses})["k7"].category == "ip_address"
    assert found({header: addresses}) == {}


@pytest.mark.parametrize(
    ("header", "category", "codes"),
    [
        ("religion", "religion", "1 2 3 9"),
        ("Konfession", "religion", "RK EV VD"),
        ("ethnicity_code", "ethnic_origin", "A1 W2 B9"),
        ("race", "race", "01 02 05"),
        ("sexual_orientation", "sexual", "GA LE ST BI"),
        ("race_source_value", "race", "7 8 9"),
    ],
)
def test_codes_under_an_exact_name_are_answers_of_people(header: str, category: str, codes: str) -> None:
    values = (codes.split() * ROWS)[:ROWS]
    got = found({"customer_name": NAMES, header: values})
    assert (got[header].category, got[header].matched) == (category, ROWS)
    assert found({"depot": [f"Depot {n}" for n in range(ROWS)], header: values}) == {}


def test_long_words_under_the_name_are_no_codes() -> None:
    races = ["Boston Marathon", "Grand Prix", "Derby", "Regatta"] * (ROWS // 4)
    assert "race" not in found({"customer_name": NAMES, "race": races})


@pytest.mark.parametrize("codes", ["M S D W", "single married"])
def test_what_is_found_by_words_is_counted(codes: str) -> None:
    got = found({"customer_name": NAMES, "marital_status": (codes.split() * ROWS)[:ROWS]})
    assert got["marital_status"].matched == ROWS


def test_no_finding_says_none_of_its_cells() -> None:
    rng = random.Random(3)
    columns = {f"c{n}": [f"{rng.randrange(10 ** (n + 5)):0{n + 5}}" for _ in range(ROWS)] for n in range(8)}
    columns |= {"customer_name": NAMES, "city": ["Zzyzx", "Qwertz"] * (ROWS // 2), "religion": ["1", "2"] * (ROWS // 2)}
    assert all(column.matched for column in found(columns).values())


@pytest.mark.parametrize("header", ["name", "b"])
def test_names_of_which_half_are_one_word_are_names(header: str) -> None:
    mixed = [name if at % 2 else name.split()[0] for at, name in enumerate(NAMES)]
    got = found({header: mixed})
    assert got[header].category == "person_name"
    assert got[header].matched > 0.7 * ROWS
    assert "product_name" not in found({"product_name": mixed})


@pytest.mark.parametrize("header", ["N_NAME", "v_name", "M_Name", "U_NAME"])
def test_a_letter_that_stands_apart_is_no_part_of_an_abbreviation(header: str) -> None:
    assert not any(match.strength >= 0.5 for match in NameIndex(load_detectors()).match(header))


@pytest.mark.parametrize("header", ["nname", "F_NAME", "l_name", "e_mail"])
def test_other_letters_are(header: str) -> None:
    assert any(match.strength >= 0.9 for match in NameIndex(load_detectors()).match(header))
