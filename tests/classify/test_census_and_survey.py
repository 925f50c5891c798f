"""Made tables in the form of public ones: microdata of a census, in codes, and a survey, in long answers."""

from __future__ import annotations

import random

import polars as pl

from plainview.pipeline.engine import Engine
from plainview.tables import ReadLog

ENGINE = Engine()
ROWS = 300


def found(columns: dict[str, list[str]], table: str) -> dict[str, str]:
    profiler = ENGINE.profiler(table, ReadLog())
    profiler.add(pl.DataFrame(columns))
    profiler.finish()
    return {column.path: column.category for column in ENGINE.judge(table, profiler.total)}


def codes(chance: random.Random, most: int) -> list[str]:
    return [str(chance.randint(1, most)) for _ in range(ROWS)]


def answers(chance: random.Random, *texts: str) -> list[str]:
    return [chance.choice(texts) for _ in range(ROWS)]


def test_a_census_in_codes() -> None:
    """The headings of the teaching file of the census of England and Wales; rows are invented."""
    r = random.Random(11)
    columns = {"Person ID": [str(7394483 + at * 13) for at in range(ROWS)]}
    columns["Region"] = [f"E1200000{r.randint(1, 9)}" for _ in range(ROWS)]
    for name, most in {
        "Family Composition": 6, "Population Base": 3, "Sex": 2, "Age": 8, "Marital Status": 5, "Student": 2,
        "Country of Birth": 2, "Health": 5, "Ethnic Group": 5, "Religion": 9, "Economic Activity": 9, "Occupation": 9,
        "Industry": 12, "Hours worked per week": 4, "Approximated Social Grade": 4,
    }.items():  # fmt: skip
        columns[name] = codes(r, most)
    told = found(columns, "census.csv")
    wanted = {
        "Sex": "gender", "Age": "age", "Marital Status": "marital_status", "Country of Birth": "birth_place",
        "Ethnic Group": "ethnic_origin", "Religion": "religion", "Occupation": "job_title",
    }  # fmt: skip
    assert wanted.items() <= told.items()
    assert told.keys().isdisjoint({"Family Composition", "Population Base", "Industry", "Hours worked per week"})


def test_a_survey_in_long_answers() -> None:
    """The headings of a yearly survey of developers: a first column that names things makes nobody disappear."""
    r = random.Random(12)
    columns = {
        "Respondent": [str(at + 1) for at in range(ROWS)],
        "MainBranch": answers(r, "I am a developer by profession"),
        "Hobbyist": answers(r, "Yes", "No"),
        "Age": [str(r.randint(18, 65)) for _ in range(ROWS)],
        "Country": answers(r, "Germany", "India", "United States", "Brazil"),
        "CurrencyDesc": answers(r, "European Euro", "Indian rupee"),
        "Ethnicity": answers(r, "White or of European descent", "South Asian", "Hispanic or Latino/a/x", "Black"),
        "Gender": answers(r, "Man", "Woman", "Non-binary, genderqueer, or gender non-conforming"),
        "Sexuality": answers(r, "Straight / Heterosexual", "Bisexual", "Gay or Lesbian"),
        "MentalHealth": answers(r, "I have an anxiety disorder", "None of the above", "I have a mood disorder"),
        "UndergradMajor": answers(r, "Computer science, computer engineering, or software engineering"),
        "OpSys": answers(r, "Windows", "MacOS", "Linux-based"),
    }
    assert found(columns, "survey.csv") == {
        "Age": "age", "Country": "country", "Ethnicity": "ethnic_origin", "Gender": "gender", "Sexuality": "sexual",
        "MentalHealth": "health",
    }  # fmt: skip


def test_animals_and_products_have_no_subject() -> None:
    r = random.Random(13)
    columns = {
        "animal": answers(r, "dog", "cat"),
        "breed": answers(r, "poodle", "siamese", "beagle"),
        "sex": answers(r, "male", "female"),
        "age": codes(r, 14),
        "race": answers(r, "poodle", "siamese", "black"),
        "weight_kg": codes(r, 40),
        "nationality": answers(r, "German", "French"),
    }
    assert found(columns, "shelter.csv") == {}
