"""Bytes that hold text become text; bytes that do not stay bytes."""

from __future__ import annotations

import random

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plainview.documents.flatten import flatten

WORDS = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FFF, exclude_characters="\x7f\ufffd"), min_size=1)


@given(st.lists(st.none() | WORDS, min_size=1).filter(any))
def test_text_in_bytes_comes_back(texts: list[str | None]) -> None:
    wanted = [None if text is None else "(" + text + ")" for text in texts]
    cells = pl.Series("c", [None if text is None else text.encode() for text in wanted], dtype=pl.Binary)
    lists = cells.to_frame().select(pl.concat_list("c").alias("l"))["l"]
    flat = flatten(pl.DataFrame([cells, lists, cells.to_frame("e").to_struct("s")]))
    assert flat["c"].to_list() == wanted
    assert flat["s.e" if "s.e" in flat.columns else "s.c"].to_list() == wanted


def test_json_in_bytes_is_taken_apart() -> None:
    frame = pl.DataFrame({"body": [b'{"mail": "a"}', b'{"mail": "b"}']})
    assert flatten(frame)["body.mail"].to_list() == ["a", "b"]


def test_padding_and_a_few_broken_cells_do_no_harm() -> None:
    cells = [b"anna\0\0\0\0"] * 30 + [b"caf\xe9"]
    text = flatten(pl.DataFrame({"c": cells}))["c"]
    assert text.dtype == pl.String
    assert text[0] == "anna"
    assert text[30] == "caf\ufffd"


@pytest.mark.parametrize("cell", [random.Random(5).randbytes(64), b"\xff\xd8\xff\xe0JFIF", b"\0\0\0\x07", b"a\x01b"])
def test_bytes_that_are_no_text_stay_bytes(cell: bytes) -> None:
    assert flatten(pl.DataFrame({"c": [cell] * 10}))["c"].dtype == pl.Binary


def test_maps_of_polars_are_maps() -> None:
    kind = pl.List(pl.Struct({"key": pl.String, "value": pl.String}))
    entries = pl.Series("m", [[{"key": "mail", "value": "a"}, {"key": "k", "value": "b"}]], dtype=kind)
    mapped = entries.cast(pl.Map(pl.String, pl.String))
    assert flatten(mapped.to_frame()).equals(flatten(entries.to_frame()))
    inside = pl.Series("m", [mapped.to_list()], dtype=pl.List(pl.Map(pl.String, pl.String)))
    assert "mail" in str(flatten(inside.to_frame()).to_dict(as_series=False))
