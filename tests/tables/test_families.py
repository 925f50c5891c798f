"""Parts of one table are one table: by names that vary and columns that are the same, or grow; in doubt apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plainview.profiles import ColumnProfile, TableProfile
from plainview.tables import Table
from plainview.tables.families import HELD, MEMBERS, SERIES, Families, Whole, enough, template


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (
            ("events/dt=2024-01-01/part-0.parquet", "events/dt=2024-02-11/part-17.parquet"),
            "events/dt={}/part-{}.parquet",
        ),
        (("t/part-00000-bc243b12-c000.parquet", "t/part-00001-54905992-c000.parquet"), "t/part-{}-c{}.parquet"),
        (("orders-2024-01-05.csv", "orders-2023-12-31.csv"), "orders-{}.csv"),
        (("shard-00017-of-00064.csv", "shard-00001-of-00064.csv"), "shard-{}-of-{}.csv"),
        (("access.log", "access.log.1", "access.log.2.gz", "access.log-20240101"), "access.log{}"),
        (("users/anna.json", "users/ben.json"), "users/{}.json"),
        (("app-logs-2026.11.29", "app-logs-2026.11.30"), "app-logs-{}"),
        (("a/6d1e5a7c-1111-4222-8333-123456789abc.csv", "a/7d1e5a7c-1111-4222-8333-023456789abc.csv"), "a/{}.csv"),
        (("people.csv", "README"), ""),
    ],
)
def test_what_varies_is_left_out(names, expected):
    assert {template(name) for name in names} == {expected}


def profile(*columns: str, rows: int = 1) -> TableProfile:
    return TableProfile(rows, {path: ColumnProfile(rows, 0) for path in columns})


def gathered(parts: list[tuple[str, TableProfile]]) -> list[str | Whole]:
    families = Families[str](lambda name: name)
    for name, each in parts:
        families.add(name, Table(name, "csv"), each)
    return families.all()


def test_enough_parts_are_one_with_their_sums():
    [whole] = gathered([(f"k={n}/a.csv", profile("x", "y", rows=n)) for n in range(MEMBERS)])
    assert isinstance(whole, Whole)
    assert (whole.table.name, whole.parts, whole.profile.rows) == ("k={}/a.csv", MEMBERS, sum(range(MEMBERS)))
    assert whole.table.notes == ()


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("events/dt=2024-01-01/x.parquet", MEMBERS),
        ("t/part-00001.csv", MEMBERS),
        ("x-00001-of-00064.csv", MEMBERS),
        ("access.log.2.gz", MEMBERS),
        ("users/anna.json", MEMBERS),
        ("app-logs-2026.11.29", MEMBERS),
        ("forecast-2014.csv", SERIES),
        ("orders-2024-01-05.csv.gz", SERIES),
    ],
)
def test_how_many_parts_are_enough(name, parts):
    assert enough(template(name), ["id", "c2"]) == parts


def test_numbered_columns_do_not_say_that_files_are_of_one_table():
    parts = [(f"x-{n}.csv", profile("c1", "column_2")) for n in range(2 * SERIES)]
    assert gathered(parts) == [name for name, _ in parts]
    [whole] = gathered([(f"k={n}/x.csv", profile("c1", "column_2")) for n in range(MEMBERS)])
    assert isinstance(whole, Whole)


def test_few_parts_stay_apart():
    names = [f"k={n}/a.csv" for n in range(MEMBERS - 1)]
    assert gathered([(name, profile("x")) for name in names]) == names


def test_a_sum_is_one_with_what_comes_before_and_behind_it():
    families = Families[str](lambda name: name)
    for n, parts in enumerate((1, 3, 1)):
        families.add(f"a-{n}.csv", Table(f"a-{n}.csv", "csv"), profile("x", rows=parts), parts)
    [whole] = families.all()
    assert isinstance(whole, Whole)
    assert (whole.table.name, whole.parts, whole.profile.rows) == ("a-{}.csv", 5, 5)


def test_a_column_of_some_parts_is_said():
    parts = [(f"k={n}/a.csv", profile("x", "y", *["ssn"] * (n in (3, 5)))) for n in range(20)]
    [whole] = gathered(parts)
    assert isinstance(whole, Whole)
    assert whole.table.notes == ("ssn only in 2 of 20 parts, first in k=3/a.csv",)


def test_other_columns_stay_apart_in_the_order_in_which_they_came():
    parts = [(f"k={n}/a.csv", profile("x", "y") if n % 2 else profile("v", "w")) for n in range(2 * MEMBERS)]
    found = gathered([*parts, ("b.csv", profile("x"))])
    assert [one if isinstance(one, str) else sorted(one.profile.columns) for one in found] == [
        ["v", "w"],
        ["x", "y"],
        "b.csv",
    ]


def test_what_waits_is_bounded():
    families = Families[str](lambda name: name)
    for n in range(40):
        columns = [f"c{n}_{at}" for at in range(HELD // 20)]
        families.add(f"k={n}/a.csv", Table(f"k={n}/a.csv", "csv"), profile(*columns))
    assert sum(len(each.columns) for one in families.held for _, _, each in one.waiting) <= HELD
    assert families.all() == [f"k={n}/a.csv" for n in range(40)]


COLUMNS = st.sampled_from([("a", "b"), ("a", "b", "c"), ("x",), ()])


@given(
    st.lists(
        st.tuples(st.sampled_from(["p-{n}.csv", "q/k={n}/f.csv", "r.csv"]), COLUMNS, st.integers(0, 9)), max_size=40
    )
)
def test_no_row_and_no_table_is_lost(parts):
    tables = [(name.format(n=n), profile(*columns, rows=rows)) for n, (name, columns, rows) in enumerate(parts)]
    families = Families[tuple[str, int]](lambda name: name)
    for name, each in tables:
        families.add((name, each.rows), Table(name, "csv"), each)
    found = [(1, one[1]) if isinstance(one, tuple) else (one.parts, one.profile.rows) for one in families.all()]
    assert sum(parts for parts, _ in found) == len(tables)
    assert sum(rows for _, rows in found) == sum(each.rows for _, each in tables)
