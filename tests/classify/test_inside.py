"""A few values among others: how much was searched is part of the weight, and what chance never makes is never lost."""

from __future__ import annotations

import math
import random
import string

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plainview.classify.inside import log_tail
from plainview.matching.batches import profile
from plainview.pipeline.engine import Engine
from plainview.report.model import Column

ENGINE = Engine()


def findings(cells: list[str], name: str = "text") -> dict[str, Column]:
    table = profile([pl.DataFrame({name: cells})], ENGINE.matcher, ENGINE.names, "t.log")
    return {column.category: column for column in ENGINE.judge("t.log", table)}


def line(rng: random.Random, kind: str) -> str:
    alphabet = {"hex": "0123456789abcdef", "code": string.ascii_uppercase + string.digits, "digits": string.digits}[
        kind
    ]
    ids = ["".join(rng.choices(alphabet, k=rng.choice((7, 9, 10, 12, 14, 16)))) for _ in range(4)]
    return "10:22:07 gw " + " ".join(
        f"{word}={id_}" for word, id_ in zip(("req", "span", "to", "box"), ids, strict=True)
    )


@pytest.mark.parametrize("kind", ["hex", "code", "digits"])
@pytest.mark.parametrize("seed", range(4))
def test_ids_made_by_chance_are_nobodys_numbers(kind: str, seed: int) -> None:
    rng = random.Random(f"{kind} {seed}")
    assert findings([line(rng, kind) for _ in range(3000)]) == {}


def test_one_address_among_thousands_of_lines_is_found() -> None:
    rng = random.Random(1)
    lines = [line(rng, "hex") for _ in range(3000)] + ["sent to anna.weber@example.org at last"]
    assert findings(lines)["email_address"].matched == 1


def test_a_key_among_thousands_of_lines_is_found() -> None:
    rng = random.Random(2)
    lines = [line(rng, "hex") for _ in range(3000)] + [
        "-----BEGIN OPENSSH PRIVATE KEY-----",
        "DB_PASSWORD=hunter2secret",
    ]
    assert {"secret", "password"} <= findings(lines).keys()


@pytest.mark.parametrize("share", [2, 3, 10])
def test_a_part_of_a_column_is_found_and_counted(share: int) -> None:
    cells = [f"user{i}@example.org" if i % share == 0 else f"Word {'abcdefghij'[i % 10]} {i}" for i in range(300)]
    found = findings(cells, "value")["email_address"]
    assert (found.matched, found.checked) == (300 // share, 300)
    assert found.confidence > 0.9


def test_of_codes_of_one_shape_a_few_telephone_numbers_are_chance() -> None:
    rng = random.Random(3)
    assert (
        findings(
            [f"{rng.randrange(1000, 9999)}.{rng.randrange(10, 99)}.{rng.randrange(1000, 9999)}" for _ in range(200)]
        )
        == {}
    )


@given(st.integers(1, 200), st.floats(1e-9, 500))
def test_the_tail_is_a_probability_that_falls(hits: int, expected: float) -> None:
    here, next_one = log_tail(hits, expected), log_tail(hits + 1, expected)
    assert here <= 1e-9
    assert next_one <= here + 1e-9


def test_the_tail_is_that_of_poisson() -> None:
    assert log_tail(1, 0.03) == pytest.approx(math.log(1 - math.exp(-0.03)))
    assert log_tail(3, 1.0) == pytest.approx(math.log(1 - math.exp(-1) * 2.5))
