"""Identifiers in one spelling: the quick ways give what the plain ones give."""

from __future__ import annotations

import re

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plainview.matching.normal import normal
from plainview.matching.tagging import _words_and_numbers

CELLS = st.lists(st.text(st.sampled_from("aAéÉ19 -./()\u00a0+@\n\t"), min_size=1, max_size=12), min_size=1, max_size=8)


def _bare(text: str) -> str:
    return re.sub(r"[ \-./()\u00a0]", "", text)


@given(CELLS)
def test_numbers_lose_what_people_write_between_the_digits(cells: list[str]) -> None:
    assert normal(pl.Series(cells), "id").to_list() == [_bare(cell).upper() for cell in cells]
    phones = normal(pl.Series([f"+{_bare(cell)}" for cell in cells]), "phone").to_list()
    assert phones == [f"+{_bare(cell)}" for cell in cells]


@given(CELLS)
def test_addresses_are_folded_whatever_their_neighbours_are(cells: list[str]) -> None:
    found = normal(pl.Series(cells), "email").to_list()
    assert found == [normal(pl.Series([cell, "x@b.org"]), "email")[0] for cell in cells]
    assert found == [re.sub(r"\+[^@]*@", "@", cell.strip().lower(), count=1) for cell in cells]


@given(st.text(st.sampled_from("ab1 :=\n.é"), max_size=14))
def test_words_beside_numbers_are_seen_as_by_one_expression(text: str) -> None:
    plain = re.compile(r"[^\W\d_]{2}.*?[\s:=].*?[0-9]|[0-9].*?\s[^\W\d_]{2}", re.DOTALL)
    assert _words_and_numbers(text) == (plain.search(text) is not None)


@pytest.mark.parametrize("text", ["word " * 200_000, "a:" * 500_000, "1" * 1_000_000])
def test_a_long_text_without_what_is_looked_for_is_read_once(text: str) -> None:
    assert not _words_and_numbers(text)  # hours, where each word is a beginning


def test_numbers_of_one_person_are_one_however_their_table_writes_them() -> None:
    forms = ["+49 170 1234567", "0049-170-1234567", "(+49) 170/1234567"]
    assert {normal(pl.Series([form]), "phone")[0] for form in forms} == {"+491701234567"}
    assert normal(pl.Series(["0170 1234567", *forms]), "phone", "49").n_unique() == 1
    assert normal(pl.Series(["491701234567"]), "phone")[0] == "+491701234567"
