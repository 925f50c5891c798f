"""Each piece of evidence with its weight; what was matched, checked and looked at contradict each other nowhere."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from conftest import Ran
from plainview.classify.explained import is_wanted
from plainview.detectors import load_detectors
from plainview.detectors.detector import Detector
from plainview.pipeline.engine import Engine
from plainview.report.model import Explained
from plainview.tables import ReadLog

ENGINE = Engine()
NAMED = [detector for detector in load_detectors() if detector.names]


def tell(columns: dict[str, list[str]], pattern: str = "*") -> tuple[Explained, ...]:
    profiler = ENGINE.profiler("t.csv", ReadLog())
    profiler.add(pl.DataFrame(columns))
    profiler.finish()
    return ENGINE.explain("t.csv", profiler.total, pattern)


PEOPLE = {
    "name": [f"Anna Schmidt {at}" for at in range(150)],
    "email": [f"p{at}@firma-a.de" for at in range(150)],
    "city": ["Berlin", "Hamburg", "Wien"] * 50,
    "amount": [f"{at}.50" for at in range(150)],
    "text": [f"write to p{at}@firma-a.de or call +49 30 90182{at:03}" for at in range(150)],
}


def test_weights_add_up_to_the_confidence() -> None:
    told = {one.path: one for one in tell(PEOPLE)}
    assert told.keys() == PEOPLE.keys()
    assert [guess.category for guess in told["email"].guesses if guess.said] == ["email_address"]
    for one in told.values():
        assert sum(not guess.said for guess in one.guesses) <= 2
        for guess in one.guesses:
            logit = math.fsum(weight.value for weight in guess.weights)
            assert 1 / (1 + math.exp(-logit)) == pytest.approx(guess.confidence, abs=0.01)
            assert guess.matched <= guess.checked
            assert guess.said == (guess.confidence >= 0.5) or not guess.said
        assert one.sampled <= 128
        assert one.cells == 150


def test_the_neighbours_have_a_weight_of_their_own() -> None:
    (alone,) = tell({"city": PEOPLE["city"]})
    city = next(guess for guess in alone.guesses if guess.category == "city")
    assert not city.said
    assert any(weight.value < 0 and "other columns" in weight.words for weight in city.weights)


@pytest.mark.parametrize(
    ("pattern", "wanted"),
    [
        ("*", True),
        ("email", True),
        ("t.csv.email", True),
        ("t.*", True),
        ("*mail", True),
        ("mail", False),
        ("u.csv.email", False),
    ],
)
def test_patterns(pattern: str, wanted: bool) -> None:
    assert is_wanted(pattern, "t.csv", "email") == wanted


@pytest.mark.parametrize("damage", [False, True], ids=["valid", "damaged"])
@pytest.mark.parametrize("seed", range(4))
def test_nothing_is_said_of_no_cell(seed: int, damage: bool) -> None:
    """Under the names of all detectors, with values of theirs, of others, and with a digit changed."""
    chance = random.Random(seed)
    columns: dict[str, list[str]] = {"customer name": [f"Anna Schmidt {at}" for at in range(60)]}
    for detector in chance.sample(NAMED, 60):
        values = _values(detector, chance, damage=damage)
        columns.setdefault(chance.choice(detector.names), [chance.choice(values) for _ in range(60)])
    profiler = ENGINE.profiler("customers.csv", ReadLog())
    profiler.add(pl.DataFrame(columns))
    profiler.finish()
    for column in ENGINE.judge("customers.csv", profiler.total):
        assert 0 < column.matched <= column.checked, (column.path, column.category, column.evidence)


def _values(detector: Detector, chance: random.Random, *, damage: bool) -> list[str]:
    values = list(detector.matches or ("yes", "no", "maybe"))
    if not damage:
        return values
    return [
        "".join(str(9 - int(sign)) if sign in "0123456789" and at % 3 == 1 else sign for at, sign in enumerate(v))
        for v in values
    ]


def test_the_command_explains_and_prints_no_value(plainview: Callable[..., Ran], tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    pl.DataFrame(PEOPLE).write_csv(path)
    ran = plainview("scan", str(path), "--explain", "email", "-q")
    assert "email, explained: 128 distinct values of 150 filled cells looked at" in " ".join(ran.out.split())
    assert "said: e-mail address" in ran.out
    assert "not said" in ran.out
    assert "firma-a" not in ran.out
    report = json.loads(plainview("scan", str(path), "--explain", "people.csv.*", "-f", "json", "-q").out)
    (table,) = report["targets"][0]["tables"]
    assert [one["path"] for one in table["explained"]] == list(PEOPLE)
    assert "explained" in plainview("scan", str(path), "--explain", "amount", "-f", "html", "-q").out
    assert "firma-a" not in json.dumps(report)
