"""Files of the same bytes: told as copies, counted once."""

from __future__ import annotations

import os
import shutil
import sqlite3
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import plainview
from bounds.work import LINEAR, growth
from plainview.files.copies import Copies
from plainview.files.kinds.identify import HEAD
from plainview.files.source import COPY, FileSource
from plainview.report.model import TargetReport
from plainview.tables import ReadLog

LARGE = 3 * HEAD


def listed(folder: Path) -> tuple[list[str], dict[str, str]]:
    """Return the names of the files that are read, and of each copy that of which it is one."""
    log = ReadLog()
    source = FileSource(folder)
    names = [unit.name for unit in source.units(log)]
    return names, {what: why.removeprefix(COPY) for what, why in log.noted if why.startswith(COPY)}


def csv(start: int, rows: int = 20) -> bytes:
    lines = (b"%d,user%d@example.org,note %d\n" % (n, n, n) for n in range(start, start + rows))
    return b"id,email,note\n" + b"".join(lines)


FILES = {
    "a/people.csv": csv(0),
    "b.csv": csv(500, 30),
    "c.ndjson": b'{"email": "x@example.org", "n": 1}\n' * 9,
    "picture.png": b"\x89PNG\r\n\x1a\n" + bytes(500),
    "broken.json": b'{"a": [1, 2',
    "empty.txt": b"",
    "large.csv": csv(9000, 9000),
}


def total(report: TargetReport) -> object:
    """Return all that is counted: what was looked at, what was not, the people, how bad it is."""
    seen = msgspec.structs.replace(report.coverage, noted=(), skipped=())
    tables = sorted((t.rows, t.kind, len(t.columns), sum(c.matched for c in t.columns)) for t in report.counted)
    why = sorted(item.why for item in report.coverage.skipped)
    return seen, why, tables, report.people, report.severity and report.severity.score


@given(st.lists(st.sampled_from(sorted(FILES)), min_size=1, max_size=4), st.sampled_from(["", "0", "z"]))
@settings(max_examples=12, deadline=None)
def test_adding_copies_changes_no_total(tmp_path_factory: pytest.TempPathFactory, names: list[str], where: str) -> None:
    folder = tmp_path_factory.mktemp("copies")
    for name, data in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(data)
    before = plainview.scan(folder)
    for number, name in enumerate(names):
        place = folder / where / f"{number}-{Path(name).name}"
        place.parent.mkdir(exist_ok=True)
        shutil.copyfile(folder / name, place)
    after = plainview.scan(folder)
    assert total(after.targets[0]) == total(before.targets[0])
    assert (after.people, after.exit_status) == (before.people, before.exit_status)
    assert sum(t.rows_read for t in after.targets[0].tables) == before.targets[0].coverage.rows_read
    copied = [name for name in names if FILES[name]]
    assert sum(COPY in item.why for item in after.targets[0].coverage.noted) == len(copied)


def test_a_copy_is_told_with_the_name_of_the_first(tmp_path: Path) -> None:
    for name in ("b.csv", "c.csv", "d/e.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(csv(0))
    assert listed(tmp_path) == (["b.csv"], {"c.csv": "b.csv", "d/e.csv": "b.csv"})


def test_the_tables_of_a_copy_stand_in_the_report_as_copies(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "a.db") as db:
        db.execute("CREATE TABLE people (email TEXT)")
        db.executemany("INSERT INTO people VALUES (?)", [(f"u{n}@example.org",) for n in range(9)])
    db.close()
    shutil.copyfile(tmp_path / "a.db", tmp_path / "b.db")
    (target,) = plainview.scan(tmp_path).targets
    first, second = target.tables
    assert (first.name, first.copy_of, first.rows_read) == ("a.db/people", "", 9)
    assert (second.name, second.copy_of, second.rows_read) == ("b.db/people", "a.db/people", 0)
    assert second.columns == first.columns
    assert (target.coverage.tables_read, target.coverage.tables_listed) == (1, 1)


@pytest.mark.parametrize("at", [0, HEAD + 7, LARGE // 2, LARGE - 1])
def test_one_byte_makes_another_file_wherever_it_stands(tmp_path: Path, at: int) -> None:
    data = bytearray(b"x" * LARGE)
    (tmp_path / "a.txt").write_bytes(data)
    (tmp_path / "b.txt").write_bytes(data)
    data[at] = 0x79
    (tmp_path / "c.txt").write_bytes(data)
    (tmp_path / "d.txt").write_bytes(data)
    assert listed(tmp_path) == (["a.txt", "c.txt"], {"b.txt": "a.txt", "d.txt": "c.txt"})


def test_a_name_that_makes_it_another_kind_makes_no_copy(tmp_path: Path) -> None:
    data = b"one; two\nthree; four\nsome words, here\n"
    (tmp_path / "a.csv").write_bytes(data)
    (tmp_path / "a.md").write_bytes(data)
    (tmp_path / "a.csv.bak").write_bytes(data)
    assert listed(tmp_path) == (["a.csv", "a.md"], {"a.csv.bak": "a.csv"})


def test_a_database_with_a_log_beside_it_is_no_copy(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "a.db") as db:
        db.execute("CREATE TABLE t (email TEXT)")
    db.close()
    shutil.copyfile(tmp_path / "a.db", tmp_path / "b.db")
    assert listed(tmp_path)[1] == {"b.db": "a.db"}
    (tmp_path / "b.db-wal").write_bytes(b"\x37\x7f\x06\x82" + bytes(100))
    assert listed(tmp_path)[1] == {}


def test_empty_files_and_such_that_cannot_be_opened_are_left_to_the_reader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "c.txt").write_bytes(b"text")
    (tmp_path / "d.txt").write_bytes(b"text")

    def denied(*_: object) -> int:
        raise PermissionError

    monkeypatch.setattr("plainview.files.source.open_quietly", denied)
    assert listed(tmp_path) == (["a.txt", "b.txt", "c.txt", "d.txt"], {})


def test_a_size_of_its_own_costs_no_opening(tmp_path: Path) -> None:
    def opened(_file: str) -> int:
        raise AssertionError("opened")

    copies = Copies(opened)
    assert [copies.original(str(n), str(n), n) for n in range(50)] == [""] * 50


def test_each_file_is_read_at_most_once_for_it(tmp_path: Path) -> None:
    """Also where all are of one size and all begin and end alike."""

    def work(text: bytes) -> None:
        count = len(text) // 1000
        folder = tmp_path / str(count)
        folder.mkdir(exist_ok=True)
        for n in range(count):
            (folder / str(n)).write_bytes(b"x" * HEAD + b"%06d" % n + b"x" * HEAD)
        copies = Copies(lambda file: os.open(folder / file, os.O_RDONLY))
        assert not any(copies.original(str(n), str(n), 2 * HEAD + 6) for n in range(count))

    assert growth(work, lambda size: b"." * size, 20_000) < LINEAR


def test_no_hash_depends_on_the_bytes_alone(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"text")
    found = []
    for _ in range(2):
        copies = Copies(lambda file: os.open(tmp_path / file, os.O_RDONLY))
        copies.original("a", "a", 4)
        copies.original("b", "a", 4)
        found.append(copies._first[4].ends)
    assert found[0] != found[1]
