"""Digits, blanks and dashes of other scripts are read as those of ASCII, in cells and in texts, and cost nobody else."""

from __future__ import annotations

import functools
import random

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import plainview
from plainview.matching.batches import SMALL, TableProfiler
from plainview.matching.folding import TABLE, fold, fold_all
from plainview.pipeline.scanner import Scanner
from plainview.tables import Table

MARKS = {
    "no-break": {" ": "\u00a0"},
    "thin": {" ": "\u202f"},
    "dashes": {"-": "\u2013"},
    "non-breaking hyphen": {"-": "\u2011"},
    "full width": {str(d): chr(0xFF10 + d) for d in range(10)} | {"-": "\uff0d"},
    "arabic": {str(d): chr(0x660 + d) for d in range(10)},
    "persian": {str(d): chr(0x6F0 + d) for d in range(10)},
    "devanagari": {str(d): chr(0x966 + d) for d in range(10)},
}


@functools.cache
def scanner() -> Scanner:
    return Scanner()


def luhn(body: str) -> str:
    total = sum((d * 2 - 9 if d > 4 else d * 2) if i % 2 == 0 else d for i, d in enumerate(map(int, reversed(body))))
    return body + str(-total % 10)


def cards(sep: str, rows: int) -> list[str]:
    rng = random.Random(4)
    made = (luhn("4" + "".join(rng.choices("0123456789", k=14))) for _ in range(rows))
    return [sep.join(card[at : at + 4] for at in range(0, 16, 4)) for card in made]


def found(column: list[str], header: str) -> dict[str, int]:
    profiler = TableProfiler(scanner().engine.matcher, scanner().engine.names, "t.csv")
    profiler.add(pl.DataFrame({header: column}))
    profiler.finish()
    report = scanner().table_report(Table("t.csv", "csv"), profiler.total)[0]
    return {c.category: c.matched for c in report.columns}


@pytest.mark.parametrize("rows", [60, SMALL + 60])
@pytest.mark.parametrize("how", sorted(MARKS))
@pytest.mark.parametrize("header", ["card_number", "k7"])
def test_numbers_are_found_in_whatever_signs(how: str, header: str, rows: int) -> None:
    values = cards("-" if "-" in MARKS[how] else " ", rows)
    written = [value.translate(str.maketrans(MARKS[how])) for value in values]
    assert written != values
    assert found(written, header) == {"payment_card": rows}


@pytest.mark.parametrize("how", sorted(MARKS))
def test_find_tells_where_they_stand(how: str) -> None:
    card = cards("-" if "-" in MARKS[how] else " ", 1)[0].translate(str.maketrans(MARKS[how]))
    text = f"cartão nº {card}, obrigado"
    assert [text[m.start : m.end] for m in plainview.find(text) if m.category == "payment_card"] == [card]


@given(st.text(st.one_of(st.characters(), st.sampled_from("".join(map(chr, TABLE))))))
def test_folding_keeps_places_and_the_rest(text: str) -> None:
    folded = fold(text)
    assert len(folded) == len(text)
    assert fold(folded) == folded
    assert all(a == b or ord(a) in TABLE for a, b in zip(text, folded, strict=True))
    text = text.encode("utf-8", "replace").decode()
    assert fold_all(pl.Series([text])).to_list() == [fold(text)]


def test_addresses_in_urls_are_found_with_their_sign_written_as_a_code() -> None:
    lines = [f"GET /unsubscribe?email=u{n}%40example.com&x=1" for n in range(50)]
    assert found(lines, "text") == {"email_address": 50}
    assert [m.category for m in plainview.find(lines[0])] == ["email_address"]
