"""A folder of parts is one table in the report, the same by workers and without them."""

from __future__ import annotations

import pytest

import plainview
from plainview.pipeline.options import Options

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


def test_the_text_says_how_many_parts(lake, plainview):
    run = plainview("scan", str(lake))
    assert run.status == 1
    assert "events/dt={}/part-{}.csv: 12 parts, 600 rows read" in " ".join(run.out.split())
    assert CANARY not in run.out
    assert "part-00003" in plainview("scan", str(lake), "--no-families").out
