"""Words that are in a list of beliefs, offences, medicines: somebody's beside people, nobody's beside things."""

from __future__ import annotations

import functools
import random

import polars as pl
import pytest

from plainview.matching.batches import TableProfiler
from plainview.pipeline.scanner import Scanner
from plainview.tables import Table

ROWS = 90
RNG = random.Random(5)
MAILS = [f"u{RNG.randrange(10**6)}@mail.example.com" for _ in range(ROWS)]
WORDS = {
    "prescription": ["Ramipril", "sertralina", "метформин", "ロサルタン"],
    "criminal": ["Hausfriedensbruch", "shoplifting", "vol à l'étalage", "횡령"],
    "disability": ["gehörlos", "tetraplegia", "слабослышащий", "肢体残疾"],
    "immigration_status": ["asylum seeker", "Duldung", "永住者", "беженец"],
    "trade_union": ["UNISON", "IG Metall", "CCOO", "OPZZ"],
    "religion": ["Buddhist", "Hindu", "Methodist", "Jewish"],
    "sexual": ["heterosexual", "gay", "lesbian", "bisexual"],
    "marital_status": ["married", "single", "divorced", "widowed"],
    "health": ["asthma", "psoriasis", "migraine", "diabetes"],
}


@functools.cache
def scanner() -> Scanner:
    return Scanner()


def found(columns: dict[str, list[str]], table: str = "t.csv") -> dict[str, str]:
    profiler = TableProfiler(scanner().engine.matcher, scanner().engine.names, table)
    profiler.add(pl.DataFrame(columns))
    profiler.finish()
    return {c.path: c.category for c in scanner().table_report(Table(table, "csv"), profiler.total)[0].columns}


@pytest.mark.parametrize("category", WORDS)
def test_beside_people_under_any_name(category: str) -> None:
    column = [RNG.choice(WORDS[category]) for _ in range(ROWS)]
    assert found({"c1": MAILS, "c2": column}) == {"c1": "email_address", "c2": category}


@pytest.mark.parametrize("category", WORDS)
def test_beside_things_they_are_nobodys(category: str) -> None:
    column = [RNG.choice(WORDS[category]) for _ in range(ROWS)]
    assert found({"sku": [f"K-{i:05d}" for i in range(ROWS)], "c2": column}) == {}


def test_a_few_known_words_among_others_are_none() -> None:
    words = ["gay", "single", "open", "closed", "blue", "red", "large", "small"]
    assert found({"c1": MAILS, "c2": [RNG.choice(words) for _ in range(ROWS)]}) == {"c1": "email_address"}


@pytest.mark.parametrize("name", ["status zamówienia", "stav objednávky", "статус замовлення"])
def test_the_state_of_an_order_is_no_purchase(name: str) -> None:
    column = [RNG.choice(["x", "y", "z"]) for _ in range(ROWS)]
    assert found({"email": MAILS, name: column}) == {"email": "email_address"}
