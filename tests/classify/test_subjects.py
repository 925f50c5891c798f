"""Whose data it is: people's, or that of places and things, told for a table and for each object in it."""

from __future__ import annotations

import functools
import random

import polars as pl
import pytest
from faker import Faker
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plainview.detectors import vocabulary
from plainview.detectors.fieldnames import tokens
from plainview.matching.batches import TableProfiler
from plainview.pipeline.scanner import Scanner
from plainview.tables import Table

ROWS = 60
FAKE = Faker("en_US")
FAKE.seed_instance(3)
RNG = random.Random(3)

MAKERS = {
    "street address": FAKE.street_address,
    "phone": lambda: f"({RNG.randrange(201, 989)}) {RNG.randrange(201, 989)}-{RNG.randrange(1000, 9999)}",
    "zip": lambda: f"{RNG.randrange(10000, 99999)}",
    "city": lambda: RNG.choice(["Berlin", "Paris", "London", "Madrid", "Boston", "Lyon", "Turin", "Ghent"]),
    "salary": lambda: str(RNG.randrange(20_000, 90_000)),
    "latitude": lambda: f"{RNG.uniform(30, 60):.5f}",
    "longitude": lambda: f"{RNG.uniform(-20, 40):.5f}",
    "diagnosis": lambda: RNG.choice(["asthma", "diabetes", "hypertension", "migraine", "epilepsy"]),
    "email": lambda: FAKE.email(),
    "museum": lambda: f"Museum of {FAKE.city()}",
    "station name": lambda: f"{FAKE.city()} Garage",
    "sex": lambda: RNG.choice("MF"),
    "total": lambda: str(RNG.randrange(1, 99)),
}


@functools.cache
def scanner() -> Scanner:
    return Scanner()


@functools.cache
def values(kind: str) -> list[str]:
    return [MAKERS[kind]() for _ in range(ROWS)]


def full_names() -> list[str]:
    return [f"{FAKE.first_name()} {FAKE.last_name()}" for _ in range(ROWS)]


def found(columns: dict[str, object], table: str = "t.csv") -> dict[str, str]:
    profiler = TableProfiler(scanner().engine.matcher, scanner().engine.names, table)
    profiler.add(pl.DataFrame(columns, strict=False))
    profiler.finish()
    return {c.path: c.category for c in scanner().table_report(Table(table, "csv"), profiler.total)[0].columns}


@pytest.mark.parametrize(
    "header", ["Najemca", "locataire", "müşteri", "患者", "Fahrgast", "client_nom", "jméno pacienta", "환자명"]
)
def test_a_role_over_names_makes_a_table_one_about_people(header: str) -> None:
    got = found({header: full_names(), "salary": values("salary"), "zip": values("zip")})
    assert got == {header: "person_name", "salary": "salary", "zip": "postal_code"}


@pytest.mark.parametrize("header", ["name", "Nome", "naam", "имя"])
def test_so_do_full_names_under_the_word_for_a_name(header: str) -> None:
    got = found({header: full_names(), "diagnosis": values("diagnosis")})
    assert got == {header: "person_name", "diagnosis": "health"}


def test_places_and_things_have_addresses_and_telephones_too() -> None:
    kinds = ("street address", "city", "zip", "phone", "latitude", "longitude")
    place = {kind: values(kind) for kind in kinds}
    assert found({"station name": values("station name"), **place}) == {}
    assert found(place, "exports/speed-cameras.csv") == {}
    assert set(found(place)) == set(kinds)  # nothing says whose they are
    assert set(found({"station name": values("station name"), **place, "customer_name": full_names()})) >= set(kinds)


def test_who_is_in_charge_of_a_place_is_a_person() -> None:
    got = found({"museum": values("museum"), "contact": values("phone"), "phone": values("phone")})
    assert got == {"contact": "telephone_number"}


@pytest.mark.parametrize("of", ["breed", "strain", "perfume"])
def test_the_sex_of_a_thing_is_not_personal(of: str) -> None:
    assert found({f"{of}_id": list(range(ROWS)), of: values("total"), "sex": values("sex")}) == {}


def test_each_object_on_a_path_is_judged_on_its_own() -> None:
    address = [{"city": c, "postal_code": z} for c, z in zip(values("city"), values("zip"), strict=True)]
    row = {
        "billing_details": [{"name": n, "address": a} for n, a in zip(full_names(), address, strict=True)],
        "merchant_data": address,
        "tax_rates": address,
        "shipTo": address,
    }
    got = found(row)
    assert {path.split(".")[0] for path in got} == {"billing_details", "shipTo"}
    assert got["billing_details.name"] == "person_name"
    assert set(found({key: cells[:1] for key, cells in row.items()})) >= {
        "billing_details.name",
        "billing_details.address.city",
    }


def test_what_somebody_bought_is_told_within_their_order() -> None:
    got = found(
        {
            "customer": full_names(),
            "items": [[{"last purchase": f"HX-{n}", "country": "France"}] for n in values("total")],
        },
        "orders.json",
    )
    assert got == {"customer": "person_name", "items[].last purchase": "purchases"}


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(kinds=st.lists(st.sampled_from(sorted(MAKERS)), min_size=1, max_size=6, unique=True), at=st.integers(0, 6))
def test_a_column_that_names_persons_takes_no_finding_away(kinds: list[str], at: int) -> None:
    before = found({kind: values(kind) for kind in kinds})
    order = [*kinds[:at], "customer_name", *kinds[at:]]
    after = found({kind: values(kind) if kind in MAKERS else NAMES for kind in order})
    assert set(before) <= set(after)


NAMES = full_names()


@pytest.mark.parametrize("name", ["role_words", "name_words", "thing_words"])
def test_the_words_stand_there_as_names_are_folded(name: str) -> None:
    assert [word for word in vocabulary(name) if tokens(word) != (word,)] == []
    others = {"role_words", "name_words", "thing_words"} - {name}
    assert not any(vocabulary(name) & vocabulary(other) for other in others)


GIVEN_NAMES = list(dict.fromkeys(FAKE.first_name() for _ in range(200)))[:ROWS]


@pytest.mark.parametrize("heading", ["count", "Anzahl", "frecuencia", "births", "人数"])
def test_a_table_of_names_with_counts_is_about_names(heading: str) -> None:
    counts = [str(RNG.randrange(1, 5000)) for _ in GIVEN_NAMES]
    assert found({"name": GIVEN_NAMES, "sex": ["M", "F"] * (ROWS // 2), heading: counts}, "babies.csv") == {}


def test_names_that_stand_once_beside_numbers_are_a_table_of_names() -> None:
    shares = [f"{RNG.random():.4f}" for _ in GIVEN_NAMES]
    assert found({"c1": GIVEN_NAMES, "c2": shares, "c3": shares}) == {}


def test_first_names_beside_what_people_have_are_theirs() -> None:
    mails, salaries = values("email"), values("salary")
    assert found({"name": GIVEN_NAMES, "count": salaries, "email": mails}).keys() >= {"name", "email"}
    assert "first_name" in found({"first_name": GIVEN_NAMES, "salary": salaries})


@pytest.mark.parametrize("heading", ["state", "State", "estado"])
def test_states_of_things_are_no_regions(heading: str) -> None:
    people: dict[str, object] = {"customer_name": full_names(), "email": values("email")}
    assert heading not in found(people | {heading: ["open", "closed", "pending"] * (ROWS // 3)})
    assert (
        found(people | {heading: ["Bavaria", "Hesse", "Saxony"] * (ROWS // 3), "city": values("city")})[heading]
        == "region"
    )
    assert found(people | {heading: ["Texas", "Ohio", "Utah"] * (ROWS // 3)})[heading] == "region"


def test_credit_ratings_of_vendors_are_nobodys() -> None:
    columns: dict[str, object] = {"Name": values("station name"), "CreditRating": ["1", "2"] * (ROWS // 2)}
    assert found(columns, "Vendor.csv") == {}


def test_security_codes_beside_cards() -> None:
    from plainview.detectors.checks import CHECKS

    cards = [f"4{RNG.randrange(10**14):014d}" for _ in range(ROWS)]
    cards = [c + d for c in cards for d in "0123456789" if CHECKS["luhn"].accepts(pl.Series([c + d]))[0]]
    codes = [f"{RNG.randrange(1000):03d}" for _ in range(ROWS)]
    assert found({"c1": cards, "c2": codes}) == {"c1": "payment_card", "c2": "security_code"}
    assert found({"c1": [str(i) for i in range(ROWS)], "c2": codes}) == {}
    assert found({"c1": cards, "c2": [f"{150 + i % 9}" for i in range(ROWS)]}) == {"c1": "payment_card"}


def test_telephone_numbers_of_area_codes_that_nobody_has() -> None:
    numbers = [f"{RNG.randrange(100, 1000)}-555-01{RNG.randrange(100):02d}" for _ in range(120)]
    assert found({"c1": numbers}) == {"c1": "telephone_number"}
    parts = [
        f"{RNG.randrange(0, 1000):03d}-{RNG.randrange(0, 1000):03d}-{RNG.randrange(10_000):04d}" for _ in range(120)
    ]
    assert found({"c1": parts}) == {}


def test_users_of_a_domain() -> None:
    users = [rf"FABRIKAM\{FAKE.user_name()}" for _ in range(ROWS)]
    assert found({"c1": users}) == {"c1": "username"}
    files = [rf"photos\{FAKE.user_name()}.jpg" for _ in range(ROWS)]
    assert found({"c1": files, "c2": [rf"C:\Users\{u[9:]}" for u in users]}) == {}
