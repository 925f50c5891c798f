"""What is put in the place of a folder or a file while it is read is not followed: no row of it is read.

The swap is made at a fixed point of the reading and not at some moment of it.
"""

from __future__ import annotations

import os
import resource
import shutil
import sqlite3
from pathlib import Path

import pytest

import plainview
from plainview.errors import ReadError, TargetError
from plainview.files import quiet
from plainview.files import source as files
from plainview.files.formats.sqlite import read as sqlite_
from plainview.files.quiet import REPLACED, Folder, open_quietly
from plainview.files.source import FileSource
from plainview.tables import ReadLog

ROOT = Path(__file__).parents[2]
OURS, THEIRS = "ours", "canary.7f3a"
pytestmark = pytest.mark.skipif(not quiet._BY_DESCRIPTOR, reason="the system opens nothing below a descriptor")


def csv(path: Path, word: str, rows: int = 3) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("name,word,n\n" + "".join(f"x,{word},{n}\n" for n in range(rows)))
    return path


def database(path: Path, word: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE t (word)")
        db.executemany("INSERT INTO t VALUES (?)", [(word,)] * 5)
    db.close()
    return path


def swap(folder: Path, other: Path) -> None:
    """Put a link to another folder in the place of a folder."""
    folder.rename(folder.with_name("moved"))
    folder.symlink_to(other)


def words(source: FileSource, log: ReadLog) -> str:
    """Return all cells of all tables, as a text."""
    cells = [
        str(batch.frame.to_dict(as_series=False)) for unit in source.units(log) for batch in source.read(unit, log)
    ]
    return "".join(cells)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    csv(tmp_path / "root/a.csv", OURS)
    csv(tmp_path / "root/tt/deep/z.csv", OURS, rows=4)  # no copy of the other
    csv(tmp_path / "outside/deep/z.csv", THEIRS)
    csv(tmp_path / "outside/z.csv", THEIRS)
    return tmp_path / "root"


@pytest.mark.parametrize("part", ["tt", "tt/deep"])
def test_a_folder_swapped_before_a_file_in_it_is_read(tree: Path, part: str) -> None:
    source, log = FileSource(tree), ReadLog()
    units = list(source.units(log))
    swap(tree / part, tree.parent / "outside" / part.partition("/")[2])
    frames = [batch.frame for unit in units for batch in source.read(unit, log)]
    assert len(frames) == 1
    assert log.skipped == [("tt/deep/z.csv", REPLACED)]


@pytest.mark.parametrize(("part", "listing"), [("tt", 2), ("tt/deep", 3)])
def test_a_folder_swapped_before_it_is_listed(
    tree: Path, part: str, listing: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, log = FileSource(tree), ReadLog()
    opened = Folder.open
    count = 0

    def late(self: Folder, relative: str, flags: int) -> int:
        nonlocal count
        if flags == quiet._LIST:
            count += 1
            if count == listing:
                swap(tree / part, tree.parent / "outside")
        return opened(self, relative, flags)

    monkeypatch.setattr(Folder, "open", late)
    text = words(source, log)
    assert (OURS in text, THEIRS in text) == (True, False)
    assert (part + "/", REPLACED) in log.skipped


@pytest.mark.parametrize("opening", range(1, 6))
def test_a_folder_swapped_between_two_openings_of_a_file(
    tree: Path, opening: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, log = FileSource(tree), ReadLog()
    count = 0

    def late(path: str, folder: Folder | None = None) -> int:
        nonlocal count
        if path.startswith("tt/"):
            count += 1
            if count == opening:
                swap(tree / "tt", tree.parent / "outside")
        return open_quietly(path, folder)

    monkeypatch.setattr(files, "open_quietly", late)
    text = words(source, log)
    assert THEIRS not in text
    assert count < opening or [what for what, _ in log.skipped] == ["tt/deep/z.csv"]


def test_the_target_itself_swapped_while_it_is_read(tree: Path) -> None:
    """It was opened when it was named: what is read is what it was then."""
    source, log = FileSource(tree), ReadLog()
    swap(tree, tree.parent / "outside")
    text = words(source, log)
    assert (text.count(OURS), text.count(THEIRS), log.skipped) == (7, 0, [])


def test_a_target_that_was_resolved_is_not_resolved_again(tree: Path) -> None:
    assert FileSource(tree, resolved=True).is_folder
    assert FileSource(tree / "a.csv", resolved=True).kind == "csv"
    swap(tree, tree.parent / "outside")
    for path in (tree, tree / "z.csv", tree / "deep", tree / "deep/z.csv"):
        assert FileSource(path).root.exists()  # as a user names it
        with pytest.raises(TargetError):
            FileSource(path, resolved=True)


@pytest.mark.workers
def test_a_target_swapped_before_a_worker_opens_it(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = FileSource.units

    def late(self: FileSource, log: ReadLog) -> object:
        units = list(listed(self, log))
        swap(tree, tree.parent / "outside")
        return iter(units)

    monkeypatch.setattr(FileSource, "units", late)
    [target] = plainview.scan(tree).targets
    assert [item.what for item in target.coverage.skipped] == ["a.csv", "tt/deep/z.csv"]
    assert target.tables == ()


def test_nothing_is_opened_by_its_path_again(tmp_path: Path) -> None:
    """Files of all formats are read when their folder has another name, and a decoy with other files has its own."""
    shutil.copytree(ROOT / "examples", tmp_path / "in")
    expected = words(FileSource(tmp_path / "in"), ReadLog())
    source, log = FileSource(tmp_path / "in"), ReadLog()
    (tmp_path / "in").rename(tmp_path / "moved")
    for path in (tmp_path / "moved").rglob("*"):
        if path.is_file():
            decoy = tmp_path / "in" / path.relative_to(tmp_path / "moved")
            decoy.parent.mkdir(parents=True, exist_ok=True)
            decoy.write_bytes(path.read_bytes()[:100])
    assert words(source, log) == expected
    assert len(expected) > 100_000
    assert [what for what, _ in log.skipped] == ["archive.zip/2024/manual.djvu"]


# --- libraries that open a path ---------------------------------------------


def test_a_large_database_is_opened_by_its_path(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_, "SMALL", 0)
    database(tree / "tt/b.db", OURS)
    assert words(FileSource(tree / "tt/b.db"), ReadLog()).count(OURS) == 5


@pytest.mark.parametrize("back", [False, True])
@pytest.mark.parametrize("kind", ["folder", "file"])
def test_a_database_swapped_while_it_is_opened(
    tree: Path, back: bool, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when all is put back before anybody can look."""
    database(tree / "tt/b.db", OURS)
    database(tree.parent / "outside/b.db", THEIRS)
    monkeypatch.setattr(sqlite_, "SMALL", 0)
    connect = sqlite3.connect
    place = tree / "tt" if kind == "folder" else tree / "tt/b.db"
    other = tree.parent / "outside" if kind == "folder" else tree.parent / "outside/b.db"

    def late(*arguments: object, **more: object) -> sqlite3.Connection:
        swap(place, other)
        made = connect(*arguments, **more)  # type: ignore[call-overload]
        made.execute("PRAGMA schema_version").fetchall()
        if back:
            place.unlink()
            place.with_name("moved").rename(place)
        return made

    source, log = FileSource(tree / "tt/b.db"), ReadLog()
    monkeypatch.setattr(sqlite3, "connect", late)
    assert THEIRS not in words(source, log)
    assert ("b.db", "another file was put in its place while it was opened") in log.skipped


@pytest.mark.parametrize("back", [False, True])
def test_a_duckdb_file_swapped_while_it_is_opened(tree: Path, back: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    duckdb = pytest.importorskip("duckdb")
    for folder, word in ((tree / "tt", OURS), (tree.parent / "outside", THEIRS)):
        with duckdb.connect(folder / "b.duckdb") as db:
            db.execute(f"CREATE TABLE t AS SELECT '{word}' AS word FROM range(5)")
    assert words(FileSource(tree / "tt/b.duckdb"), ReadLog()).count(OURS) == 5
    connect = duckdb.connect

    def late(*arguments: object, **more: object) -> object:
        swap(tree / "tt", tree.parent / "outside")
        made = connect(*arguments, **more)
        if back:
            (tree / "tt").unlink()
            (tree / "moved").rename(tree / "tt")
        return made

    source, log = FileSource(tree / "tt/b.duckdb"), ReadLog()
    monkeypatch.setattr(duckdb, "connect", late)
    assert THEIRS not in words(source, log)
    assert ("b.duckdb", "another file was put in its place while it was opened") in log.skipped


# --- the files beside a database --------------------------------------------


def with_log(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path)
    db.execute("PRAGMA journal_mode = wal")
    db.execute("CREATE TABLE t (word)")
    db.executemany("INSERT INTO t VALUES (?)", [(OURS,)] * 5)
    db.commit()
    return db


@pytest.mark.parametrize("end", ["-wal", "-journal"])
def test_a_link_beside_a_database_is_told_and_not_read(tmp_path: Path, end: str) -> None:
    db = with_log(tmp_path / "a.db")
    (tmp_path / "in").mkdir()
    shutil.copy(tmp_path / "a.db", tmp_path / "in/a.db")
    (tmp_path / f"in/a.db{end}").symlink_to(tmp_path / "a.db-wal")
    log = ReadLog()
    assert OURS not in words(FileSource(tmp_path / "in"), log)
    db.close()
    assert ("a.db", f"its {end} cannot be read, or is a link: what it holds was not read") in log.skipped


@pytest.mark.parametrize("small", [True, False])
def test_the_files_beside_a_database_keep_their_times(
    tmp_path: Path, small: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not small:
        monkeypatch.setattr(sqlite_, "SMALL", 0)
    db = with_log(tmp_path / "a.db")
    database(tmp_path / "b.db", OURS)
    (tmp_path / "b.db-journal").write_bytes(sqlite_.JOURNAL + bytes(600))
    beside = [tmp_path / name for name in ("a.db-wal", "a.db-shm", "b.db-journal")]
    for path in beside:
        os.utime(path, (10**9, 10**9))
    log = ReadLog()
    assert words(FileSource(tmp_path), log).count(OURS) == 10
    assert [path.stat().st_atime_ns for path in beside] == [10**18] * 3
    assert any("interrupted" in why for _, why in log.skipped)
    db.close()


def test_a_database_without_rights_to_its_log_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    db = with_log(tmp_path / "a.db")
    real = Folder.open

    def refuses(self: Folder, relative: str, flags: int) -> int:
        if relative.endswith("-wal"):
            raise PermissionError(13, THEIRS)
        return real(self, relative, flags)

    monkeypatch.setattr(Folder, "open", refuses)
    log = ReadLog()
    words(FileSource(tmp_path / "a.db"), log)
    assert ("a.db", "its -wal cannot be read, or is a link: what it holds was not read") in log.skipped
    db.close()


# --- the folder itself ------------------------------------------------------


def test_descriptors_are_not_left_open(tree: Path) -> None:
    def count() -> int:
        return len(os.listdir("/dev/fd"))

    before = count()
    for _ in range(3):
        words(FileSource(tree), ReadLog())
        with pytest.raises(ReadError):
            Folder(str(tree)).open("a.csv/x", quiet._LIST)
    assert count() == before


def test_a_folder_that_may_be_gone_through_but_not_listed(tmp_path: Path) -> None:
    path = csv(tmp_path / "shut/a.csv", OURS)
    path.parent.chmod(0o311)
    try:
        assert words(FileSource(path), ReadLog()).count(OURS) == 3
    finally:
        path.parent.chmod(0o755)


@pytest.mark.parametrize("descriptors", [True, False])
def test_systems_without_such_calls_read_the_same(
    tree: Path, descriptors: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quiet, "_BY_DESCRIPTOR", descriptors)
    (tree / "link").symlink_to(tree.parent / "outside")
    log = ReadLog()
    text = words(FileSource(tree), log)
    assert (text.count(OURS), text.count(THEIRS)) == (7, 0)
    assert [what for what, _ in log.skipped] == ["link"]


def test_a_deep_tree_needs_no_descriptor_for_each_level(tmp_path: Path) -> None:
    depth = 300
    folder = tmp_path / "/".join(["d"] * depth)
    csv(folder / "a.csv", OURS)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/dev/fd")) + 60, hard))
    try:
        assert words(FileSource(tmp_path), ReadLog()).count(OURS) == 3
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
