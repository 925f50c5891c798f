"""What stands behind labels and cue words in texts is found by a scan as by `find`, and labels of nothing are not."""

from __future__ import annotations

import functools
import random

import polars as pl
import pytest

from plainview.matching.batches import TableProfiler
from plainview.matching.labels import Cues
from plainview.pipeline.scanner import Scanner
from plainview.tables import Table

RNG = random.Random(6)
ROWS = 40


@functools.cache
def scanner() -> Scanner:
    return Scanner()


def found(texts: list[str]) -> dict[str, int]:
    profiler = TableProfiler(scanner().engine.matcher, scanner().engine.names, "notes.txt")
    profiler.add(pl.DataFrame({"text": texts}))
    profiler.finish()
    report = scanner().table_report(Table("notes.txt", "text"), profiler.total)[0]
    return {c.category: c.matched for c in report.columns if c.in_text}


@pytest.mark.parametrize(
    ("line", "category"),
    [
        ("Passport: {n:09}", "passport_number"),
        ("Reisepass-Nr.: C01X{m:05}", "passport_number"),
        ("Date of birth: {d}/{d}/19{y}", "birth_date"),
        ("Fecha de nacimiento = {d}.{d}.19{y}", "birth_date"),
        ("Address: {y} Fischer Junctions", "postal_address"),
        ("called back, Geburtsdatum: 0{d}.0{d}.19{y}, no answer", "birth_date"),
    ],
)
def test_what_stands_behind_a_label_is_found(line: str, category: str) -> None:
    numbers = [
        {"n": RNG.randrange(10**8, 10**9), "m": RNG.randrange(10**4, 10**5), "d": RNG.randint(1, 9), "y": y}
        for y in range(30, 70)
    ]
    texts = [line.format(**n) for n in numbers] + [f"thank you for writing, case {n} is closed" for n in range(ROWS)]
    assert found(texts)[category] == pytest.approx(ROWS, abs=6)


@pytest.mark.parametrize(
    "line",
    [
        "Password: at least {n} letters.",
        "Passport: see page {n}",
        "Address: 0x7ffee4b2{n}",
        "2024-05-0{n} 10:12:0{n} INFO worker: started job {n}",
        "Name: hinge {n}",
        "Aadhaar 8235 2219 106{n}",
    ],
)
def test_labels_of_something_else_are_not(line: str) -> None:
    assert found([line.format(n=n % 5) + f" [{n}]" for n in range(ROWS)]) == {}


def test_a_word_of_the_context_says_what_a_number_with_a_check_digit_is() -> None:
    aadhaar = ("8235 2219 1065", "2505-8618-2504", "9718-5319-9075", "9839-7738-0013")
    texts = [f"KYC pending for ticket {n}: Aadhaar {number} received" for n, number in enumerate(aadhaar)]
    assert found(texts) == {"national_id": len(aadhaar)}
    assert found([text.replace("Aadhaar", "Parcel") for text in texts]) == {}


def test_cues_cost_a_step_for_each_text_alone() -> None:
    cues = Cues(list(scanner().engine.matcher.detectors.values()))
    text = "nhs " * 250
    assert list(cues.candidates(text)) == []


@pytest.mark.parametrize("around", ['"{}"', "[{}]", "'{}'", "„{}“"])
def test_quotes_and_brackets_around_a_value_are_left_out(around: str) -> None:
    numbers = [
        around.format(f"{RNG.randrange(201, 989)}-{RNG.randrange(201, 989)}-{RNG.randrange(1000, 9999)}")
        for _ in range(60)
    ]
    profiler = TableProfiler(scanner().engine.matcher, scanner().engine.names, "t.csv")
    profiler.add(pl.DataFrame({"phone": numbers}))
    profiler.finish()
    (column,) = scanner().table_report(Table("t.csv", "csv"), profiler.total)[0].columns
    assert column.category == "telephone_number"
    assert column.matched > 20  # of random numbers half belong to no area
