"""A folder of parts is one table in the report, the same by workers and without them."""

from __future__ import annotations

import json

import pytest

import plainview
from plainview.pipeline.options import Options
from plainview.tables.families import MEMBERS, SERIES

CANARY = "canary.7f3a@example.org"


@pytest.fixture
def lake(tmp_path):
    for day in range(1, 13):
        folder = tmp_path / f"events/dt=2024-01-{day:02}"
        folder.mkdir(parents=True)
        extra = (",ssn", ",123-45-6789") if day in (5, 7) else ("", "")
        rows = "".join(f"{n},user{day}.{n}@example.org,Rome{extra[1]}\n" for n in range(50))
        (folder / f"part-{day:05}.csv").write_text(f"id,email,city{extra[0]}\n{rows}")
    (tmp_path / "events/_SUCCESS").write_text("")
    (tmp_path / "events/.part.csv.crc").write_bytes(b"crc\0\0\0\2\0abcd")
    (tmp_path / "people.csv").write_text(f"name,email\nAnna,{CANARY}\n")
    return tmp_path


@pytest.mark.parametrize("apart", [False, pytest.param(True, marks=pytest.mark.workers)])
def test_parts_are_one_table(lake, apart):
    [target] = plainview.scan(lake, options=Options(apart=apart)).targets
    whole, people = target.tables
    assert (whole.name, whole.parts, whole.rows_read) == ("events/dt={}/part-{}.csv", 12, 600)
    assert {c.path: c.matched for c in whole.columns if c.category == "email_address"} == {"email": 600}
    assert whole.notes == ("ssn only in 2 of 12 parts, first in events/dt=2024-01-05/part-00005.csv",)
    assert (people.name, people.parts) == ("people.csv", 1)
    assert target.coverage.skipped == ()
    assert (target.coverage.tables_read, target.coverage.tables_listed, target.coverage.rows_read) == (2, 2, 601)


@pytest.mark.parametrize("apart", [False, pytest.param(True, marks=pytest.mark.workers)])
def test_each_is_shown_without_families(lake, apart):
    [target] = plainview.scan(lake, options=Options(apart=apart, families=False)).targets
    assert len(target.tables) == 13
    assert {table.parts for table in target.tables} == {1}


@pytest.mark.parametrize("apart", [False, pytest.param(True, marks=pytest.mark.workers)])
@pytest.mark.parametrize(("name", "enough"), [("forecast-{}.csv", SERIES), ("users/{}.json", MEMBERS)])
@pytest.mark.parametrize("more", [-1, 0])
def test_every_file_is_a_table_or_counted_as_a_part(tmp_path, name, enough, more, apart):
    """Small files are counted together before it is known how many there are of a kind; no name may go with it."""
    files = [name.format(1000 + n) for n in range(enough + more)]
    for n, file in enumerate(files):
        path = tmp_path / file
        path.parent.mkdir(exist_ok=True)
        text = (
            f"id,email\n{n},u{n}@bluewin.ch\n" if file.endswith("csv") else f'{{"id": {n}, "email": "u{n}@bluewin.ch"}}'
        )
        path.write_text(text)
    [target] = plainview.scan(tmp_path, options=Options(apart=apart)).targets
    whole = [(name.format("{}"), enough, enough)]
    each = [(file, 1, 1) for file in files]
    assert [(table.name, table.parts, table.rows_read) for table in target.tables] == (each if more else whole)
    assert target.coverage.skipped == ()


def test_the_text_says_how_many_parts(lake, plainview):
    run = plainview("scan", str(lake))
    assert run.status == 1
    assert "events/dt={}/part-{}.csv: 12 parts, 600 rows read" in " ".join(run.out.split())
    assert CANARY not in run.out
    assert "part-00003" in plainview("scan", str(lake), "--no-families").out


def test_small_files_of_one_shape_are_counted_as_each_of_them(tmp_path):
    """Read together or each for itself: the same cells are counted and found, and what is broken is told by its name."""
    for n in range(100):
        document = {"id": n, "email": f"a{n}@example.org", "tags": ["x"] * (n % 3), "note": None if n % 2 else "Rome"}
        if n % 10 == 0:
            document |= {"address": {"city": "Rome"}}
        (tmp_path / f"r{n:03}.json").write_text(json.dumps(document))
    (tmp_path / "r050.json").write_text('{"id": 1, "email"')
    one, each = (
        plainview.scan(tmp_path, options=Options(apart=False, threads=1, families=families)).targets[0]
        for families in (True, False)
    )
    assert {skipped.what for skipped in one.coverage.skipped} == {"r050.json"}
    assert one.coverage.skipped == each.coverage.skipped
    assert one.coverage.rows_read == each.coverage.rows_read == 99
    assert sum(table.parts for table in one.tables) == len(each.tables) == 99
    assert len(one.tables) < 5
    found = [
        sum(c.matched for table in target.tables for c in table.columns if c.category == "email_address")
        for target in (one, each)
    ]
    assert found == [99, 99]
