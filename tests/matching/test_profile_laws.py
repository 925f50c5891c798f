"""Profiles add up: identity, any order, any grouping, parts = whole for every split."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plainview.classify.classify import classify
from plainview.classify.columns import weigh_column
from plainview.classify.weighing import Seen
from plainview.detectors import load_detectors
from plainview.detectors.fieldnames import NameIndex
from plainview.matching import counting, large
from plainview.matching.batches import TableProfiler, profile
from plainview.matching.compiled import Matcher
from plainview.matching.plans import TablePlan
from plainview.profiles import SAMPLE, ColumnProfile, Count, TableProfile, smallest

LOADED = load_detectors()
MATCHER, NAMES = Matcher(LOADED), NameIndex(LOADED)


def merge_all(parts: Iterable[TableProfile]) -> TableProfile:
    return functools.reduce(TableProfile.merge, parts, TableProfile())


small = st.integers(0, 1000)
counts = st.builds(Count, small, small, small)
tags = st.frozensets(st.sampled_from(["s:int9", "s:word", "d:email_address", "w:given", "f:payment_card"]), max_size=3)
sketches = st.dictionaries(st.integers(0, 500), tags, max_size=2 * SAMPLE)


@st.composite
def columns(draw: st.DrawFn) -> ColumnProfile:
    # a hash stands for one value, so it carries the same tags wherever it is met
    sketch = {key: frozenset({f"s:int{key % 20}"}) for key in draw(sketches)}
    return ColumnProfile(
        draw(small),
        draw(small),
        draw(st.dictionaries(st.sampled_from("abc"), counts)),
        smallest(sketch),
        draw(st.frozensets(st.sampled_from(["string", "int64"]))),
    )


tables = st.builds(TableProfile, small, st.dictionaries(st.sampled_from(["x", "y", "z"]), columns(), max_size=3))


@given(tables)
def test_empty_is_the_identity(a: TableProfile) -> None:
    assert a.merge(TableProfile()) == a == TableProfile().merge(a)


@given(tables, tables)
def test_order_does_not_matter(a: TableProfile, b: TableProfile) -> None:
    assert a.merge(b) == b.merge(a)


@given(tables, tables, tables)
def test_grouping_does_not_matter(a: TableProfile, b: TableProfile, c: TableProfile) -> None:
    assert a.merge(b).merge(c) == a.merge(b.merge(c)) == merge_all([c, a, b])


CELLS = st.sampled_from(
    ["anna@example.org", "", "call +49 30 901820 or mail b@example.org", "4111111111111111", "Anna", "1984-05-17", "x",
     "192.0.2.7", "DE89370400440532013000", "lorem ipsum dolor sit amet", "NULL", "550e8400-e29b-41d4-a716-446655440000"]
) | st.text(max_size=12)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=60), st.data())
def test_parts_equal_the_whole_under_one_plan(rows: list[tuple[str, str]], data: st.DataObject) -> None:
    frame = pl.DataFrame(rows, schema=["email", "note"], orient="row")
    plan = TableProfiler(MATCHER, NAMES)
    plan.add(frame)  # learns the plan
    settled = plan.plan.columns
    cuts = sorted(data.draw(st.lists(st.integers(0, len(rows)), max_size=3)))
    edges = [0, *cuts, len(rows)]
    parts = []
    for start, end in itertools.pairwise(edges):
        part = TableProfiler(MATCHER, NAMES, plan=TablePlan(MATCHER, NAMES, columns=settled, learns=False))
        part.add(frame.slice(start, end - start))
        part.finish()
        parts.append(part.total)
    again = TableProfiler(MATCHER, NAMES, plan=TablePlan(MATCHER, NAMES, columns=settled, learns=False))
    again.add(frame)
    again.finish()
    assert merge_all(parts) == again.total


@pytest.mark.parametrize("rows", [10, 5_000, 60_000])
def test_the_sketch_is_the_same_however_the_rows_come(rows: int) -> None:
    values = pl.Series("n", [f"user{i % 40_000}@example.org" for i in range(rows)])
    whole = profile([values.to_frame()], MATCHER, NAMES)
    halves = profile([values[: rows // 3].to_frame(), values[rows // 3 :].to_frame()], MATCHER, NAMES)
    assert whole.columns["n"].sketch == halves.columns["n"].sketch
    assert len(whole.columns["n"].sketch) == min(SAMPLE, rows)


def test_low_cardinality_is_counted_exactly() -> None:
    frame = pl.DataFrame({"g": ["m", "f", "x"] * 5_000})
    assert len(profile([frame], MATCHER, NAMES).columns["g"].sketch) == 3


@settings(max_examples=15, deadline=None)
@given(st.lists(CELLS, min_size=1, max_size=12), st.integers(0, 1000))
def test_values_that_repeat_are_counted_as_often_as_they_stand(values: list[str], seed: int) -> None:
    """Looking at each distinct value once changes nothing, whatever the rows and their order."""
    column = pl.Series("email", (values * 3000)[: 2500 + seed]).shuffle(seed=seed)
    frames = [pl.DataFrame([column, column.alias("note")])] * 2
    once = profile(frames, MATCHER, NAMES)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(large, "REPEATED", len(column) + 1)
        each = profile(frames, MATCHER, NAMES)
    assert once == each


def test_a_loose_detector_is_counted_only_where_no_stricter_one_explains_as_much() -> None:
    german = pl.Series("iban", ["DE89370400440532013000", "DE02120300000000202051", "DE02500105170137075030"] * 900)
    strict = profile([german.to_frame()], MATCHER, NAMES).columns["iban"].counts
    assert {tag for tag in strict if tag[:2] == "d:"} == {"d:bank_account_iban"}
    # French test numbers whose check digits do not hold have the form alone
    wrong = pl.Series("iban", ["FR79460360908661329794", "FR79460360908661329795"] * 1500)
    loose = profile([wrong.to_frame()], MATCHER, NAMES)
    assert loose.columns["iban"].counts["d:bank_account_iban_named"].valid == len(wrong)
    (found,) = classify("t", loose, MATCHER.detectors, NAMES)
    assert (found.category, found.matched) == ("bank_account", len(wrong))


def test_a_kind_that_a_stricter_detector_stands_for_has_its_count() -> None:
    german = pl.Series("iban", ["DE89370400440532013000", "DE02120300000000202051"] * 1500)
    column = Seen(profile([german.to_frame()], MATCHER, NAMES).columns["iban"])
    weighed = {c.detector.name: c for c in weigh_column("iban", column, "t", MATCHER.detectors, NAMES)}
    assert weighed["bank_account_iban_named"].count == weighed["bank_account_iban"].count
    assert weighed["bank_account_iban"].count.valid == len(german)


def test_no_detector_of_running_text_meets_a_short_number() -> None:
    """What `counting.short_numbers` lets pass is all of it looked for here, eleven signs at up to seven places."""
    watch = Matcher(load_detectors()).watch
    signs = np.frombuffer(b"0123456789.", dtype=np.uint8)
    for length in range(1, counting.SHORT + 1):
        for first in signs[:-1].tolist():
            number = np.arange(len(signs) ** (length - 1), dtype=np.int32)[:, None]
            rest = signs[number // len(signs) ** np.arange(length - 1, dtype=np.int32) % len(signs)]
            raw = np.hstack(
                [np.full((len(rest), 1), first, dtype=np.uint8), rest, np.full((len(rest), 1), 10, np.uint8)]
            )
            numbers = pl.Series([raw.tobytes().decode().rstrip("\n")]).str.split("\n").explode()
            numbers = numbers.filter(~numbers.str.contains("^0[0-9]"))
            assert not numbers.str.contains(watch).any()
    assert counting.short_numbers(pl.Series(["0", "0.5", "12.50", "1.2.3.4", "1234567"]))
    for other in ("01.234", ".01.00", "12345678", "1,5", "-1", "1 2", "٣"):
        assert not counting.short_numbers(pl.Series(["1", other]))


def test_a_detector_of_the_users_own_sees_short_numbers(tmp_path: Path) -> None:
    (tmp_path / "ward.toml").write_text(
        'label = "ward"\ncategory = "employee_id"\npattern = "84[0-9]{3}"\nin_text = true\n'
        'matches = ["84123"]\nnon_matches = ["1"]\n'
    )
    matcher = Matcher(load_detectors(tmp_path))
    frame = pl.DataFrame({"x": [*map(str, range(5000)), "84123"]})
    assert profile([frame], matcher, NameIndex(matcher.detectors.values())).columns["x"].counts["t:ward"].valid == 1
