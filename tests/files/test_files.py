from __future__ import annotations

import hashlib
import os
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import polars as pl
import pytest

from conftest import counted_calls
from plainview.errors import DamagedError, TargetError
from plainview.files import reading
from plainview.files import source as files
from plainview.files.formats import FORMATS, reader
from plainview.files.kinds.signatures import READ
from plainview.files.source import FileSource
from plainview.tables import Batch, Input, Limits, ReadLog, Table

CANARY = "canary.7f3a@example.org"


def scan(path: Path, limits: Limits | None = None, sample: int | None = None) -> tuple[dict[str, int], dict[str, str]]:
    """Return rows by table name, and why by what was skipped."""
    source, log = FileSource(path, limits), ReadLog()
    rows: dict[str, int] = {}
    for unit in source.units(log):
        for batch in source.read(unit, log, sample):
            rows[batch.table.name] = rows.get(batch.table.name, 0) + batch.frame.height
    source.close()
    return rows, dict(log.skipped)


def parquet(path: Path, rows: int = 3) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pl.DataFrame({"email": [f"{path.stem}.{i}.{CANARY}" for i in range(rows)]}).write_parquet(path)
    return path


def csv(path: Path, rows: int = 3) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"name,email,{path.stem}\n" + f"Anna,{CANARY},30\n" * rows)  # no two the same, or one is a copy
    return path


def test_a_folder_gives_its_tables_in_the_order_of_their_paths(tmp_path: Path) -> None:
    for name in ("b.csv", "a/z.csv", "a/b/c.csv", "hr/people.csv", ".hidden/x.csv"):
        csv(tmp_path / name)
    parquet(tmp_path / "p.parquet")
    rows, skipped = scan(tmp_path)
    assert list(rows) == [".hidden/x.csv", "a/b/c.csv", "a/z.csv", "b.csv", "hr/people.csv", "p.parquet"]
    assert set(rows.values()) == {3}
    assert skipped == {}
    assert FileSource(tmp_path).kind == "files"


def test_a_single_file_is_named_by_itself(tmp_path: Path) -> None:
    path = csv(tmp_path / "people.csv")
    assert FileSource(path).kind == "csv"
    assert FileSource(path).check_access() is None
    assert scan(path) == ({"people.csv": 3}, {})


def test_mislabelled_files_are_read_as_what_they_are_with_a_note(tmp_path: Path) -> None:
    path = parquet(tmp_path / "people.csv")
    source, log = FileSource(path), ReadLog()
    tables = {batch.table for unit in source.units(log) for batch in source.read(unit, log)}
    assert tables == {Table("people.csv", "parquet", ("named .csv, is Parquet",))}
    assert not log.skipped


def test_nothing_at_the_path() -> None:
    with pytest.raises(TargetError):
        FileSource("/nowhere/at/all")


def test_reading_leaves_no_trace(tmp_path: Path) -> None:
    csv(tmp_path / "a/people.csv")
    parquet(tmp_path / "p.parquet")
    (tmp_path / "x.bin").write_bytes(bytes(range(256)))
    for path in tmp_path.rglob("*"):
        os.utime(path, (10**9, 10**9))

    def listing() -> list[object]:
        paths = [tmp_path, *sorted(tmp_path.rglob("*"))]
        stats = [(str(p), s.st_mtime_ns, s.st_ctime_ns, s.st_size) for p in paths for s in [p.lstat()]]
        # the access time of a folder changes when anybody lists it, this test too
        times = [p.lstat().st_atime_ns for p in paths if p.is_file()]
        hashes = [hashlib.sha256(os.read(fd, 1 << 20)).hexdigest() for p in paths if p.is_file()
                  for fd in [os.open(p, os.O_RDONLY | getattr(os, "O_NOATIME", 0))]]  # fmt: skip
        return [stats, times, hashes]

    before = listing()
    rows, _ = scan(tmp_path)
    assert rows["p.parquet"] == 3
    assert listing() == before


def test_links_special_files_and_folders_that_cannot_be_listed(tmp_path: Path) -> None:
    outside = csv(tmp_path / "outside/secret.csv")
    root = tmp_path / "root"
    csv(root / "a.csv")
    (root / "inside").symlink_to(root / "a.csv")
    (root / "out").symlink_to(outside)
    (root / "outdir").symlink_to(outside.parent)
    (root / "up").symlink_to(root)
    (root / "broken").symlink_to("nothing")
    (root / "loop").symlink_to("loop")
    os.mkfifo(root / "fifo")
    server = socket.socket(socket.AF_UNIX)
    here = Path.cwd()
    os.chdir(root)
    server.bind("sock")
    os.chdir(here)
    start = time.monotonic()
    rows, skipped = scan(root)
    server.close()
    assert time.monotonic() - start < 30
    assert rows == {"a.csv": 3}
    assert set(skipped) == {"out", "outdir", "broken", "loop", "fifo", "sock"}
    assert "FIFO" in skipped["fifo"]
    assert "socket" in skipped["sock"]
    assert "circular" in skipped["loop"]
    assert "broken" in skipped["broken"]
    assert "not followed" in skipped["outdir"]


def test_a_fifo_in_place_of_a_file_is_not_waited_for(tmp_path: Path) -> None:
    path = csv(tmp_path / "a.csv")
    source, log = FileSource(tmp_path), ReadLog()
    units = list(source.units(log))
    path.unlink()
    os.mkfifo(path)
    assert list(source.read(units[0], log)) == []
    assert "no longer a plain file" in dict(log.skipped)["a.csv"]


def test_a_link_in_place_of_a_file_is_not_followed(tmp_path: Path) -> None:
    secret = csv(tmp_path / "secret.csv")
    path = csv(tmp_path / "root/a.csv")
    source, log = FileSource(tmp_path / "root"), ReadLog()
    units = list(source.units(log))
    path.unlink()
    path.symlink_to(secret)
    assert list(source.read(units[0], log)) == []
    assert log.skipped


def test_vanished_and_unreadable_files_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone, kept = csv(tmp_path / "gone.csv"), csv(tmp_path / "kept.csv")
    source, log = FileSource(tmp_path), ReadLog()
    units = list(source.units(log))
    gone.unlink()
    for unit in units:
        list(source.read(unit, log))
    assert "not found" in dict(log.skipped)["gone.csv"]

    def refuse(*_: object) -> int:
        raise PermissionError(13, f"{CANARY}")

    monkeypatch.setattr(files, "open_quietly", refuse)
    rows, skipped = scan(tmp_path)
    assert rows == {}
    assert "no permission" in skipped["kept.csv"]
    assert CANARY not in str(skipped)
    assert kept.exists()


def test_a_file_that_changes_while_it_is_read_is_told(tmp_path: Path) -> None:
    path = csv(tmp_path / "a.csv")
    source, log = FileSource(tmp_path), ReadLog()
    (unit,) = source.units(log)
    batches = source.read(unit, log)
    next(batches)
    with path.open("a") as file:
        file.write("x,y,z\n")
    list(batches)
    assert "changed while" in dict(log.skipped)["a.csv"]


def test_git_store_and_odd_names(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git/HEAD").write_text("ref: refs/heads/main\n")
    csv(tmp_path / "line\nbreak\x1b[31m.csv")
    bad = os.fsdecode(bytes(tmp_path) + b"/bad\xff.csv")
    Path(bad).write_text("name,email,age\nA,b,3\nB,c,4\n")
    rows, skipped = scan(tmp_path)
    assert set(rows) == {"line\nbreak\x1b[31m.csv", "bad?.csv"}
    assert skipped == {}  # the store of the repository is noted
    for name in rows:
        name.encode()


def test_the_log_of_a_database_is_read_with_it(tmp_path: Path) -> None:
    """Its pages are read as part of the database, so nothing is left out; without the database it is told."""
    db = sqlite3.connect(tmp_path / "a.db")
    db.execute("PRAGMA journal_mode = wal")
    db.execute("CREATE TABLE people (email)")
    db.executemany("INSERT INTO people VALUES (?)", [(CANARY,)] * 5)
    db.commit()
    source, log = FileSource(tmp_path), ReadLog()
    assert sum(b.frame.height for unit in source.units(log) for b in source.read(unit, log)) == 5
    assert log.skipped == []
    assert log.noted == [(f"a.db-{end}", "read with the database that it belongs to") for end in ("shm", "wal")]
    (tmp_path / "b.db-wal").write_bytes((tmp_path / "a.db-wal").read_bytes())
    db.close()
    assert scan(tmp_path)[1] == {"b.db-wal": "SQLite's write-ahead log without its database"}
    csv(tmp_path / "odd.csv-wal")
    csv(tmp_path / "odd.csv")
    assert scan(tmp_path)[0]["odd.csv-wal"] == 3


@pytest.mark.parametrize("name", ["a.json", "b.parquet", "c.xlsx", "d.xml", "f.zip"])
def test_an_empty_file_of_what_is_never_empty_is_damaged(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    log = ReadLog()
    source = FileSource(tmp_path)
    assert [batch for unit in source.units(log) for batch in source.read(unit, log)] == []
    assert [(what, why.startswith("empty, which no file of")) for what, why in log.skipped] == [(name, True)]
    assert log.noted == []


@pytest.mark.parametrize(
    "name", ["__init__.py", "_SUCCESS", "a.csv", "b.ndjson", "c.log", "d.sqlite", "e.bson", "f.sql"]
)
def test_an_empty_file_of_another_kind_has_nothing_to_read(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    log = ReadLog()
    source = FileSource(tmp_path)
    assert [batch for unit in source.units(log) for batch in source.read(unit, log)] == []
    assert (log.skipped, log.noted) == ([], [(name, "empty")])


def test_empty_and_unknown_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "empty.csv").touch()
    (tmp_path / "photo.jpg").write_bytes(b"\xff\xd8\xff\xe0" + bytes(100))
    (tmp_path / "key.pkl").write_bytes(b"\x80\x04\x95" + bytes(20))
    rows, skipped = scan(tmp_path)
    assert rows == {}
    assert set(skipped) == {"photo.jpg", "key.pkl"}


def test_what_holds_nothing_to_read_is_noted(tmp_path: Path) -> None:
    for name in ("_SUCCESS", "__init__.py", ".gitkeep", "py.typed"):
        (tmp_path / name).touch()
    (tmp_path / ".part-0.csv.crc").write_bytes(b"crc\0" + bytes(12))
    csv(tmp_path / "part-0.csv")
    frame = pl.DataFrame({"a": [1]})
    for name in ("part-1.parquet", "_metadata"):
        frame.write_parquet(tmp_path / name)
    source, log = FileSource(tmp_path), ReadLog()
    names = {batch.table.name for unit in source.units(log) for batch in source.read(unit, log)}
    assert names == {"part-0.csv", "part-1.parquet"}
    assert log.skipped == []
    assert len(log.noted) == 6


@pytest.mark.parametrize("name", ["a.parquet", "a.xlsx", "a.sqlite", "a.avro", "a.feather"])
def test_text_under_the_name_of_a_binary_format_is_told_and_read(tmp_path: Path, name: str) -> None:
    csv(tmp_path / name)
    rows, skipped = scan(tmp_path)
    assert rows[name] == 3
    assert "is CSV" in skipped[name]


class Panic(BaseException):
    pass


Panic.__name__ = "PanicException"


@pytest.mark.parametrize("error", [ValueError(CANARY), Panic(CANARY), DamagedError("broken"), RecursionError(CANARY)])
def test_what_a_reader_raises_is_told_without_its_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    class Reader:
        @staticmethod
        def read(source: Input, log: ReadLog) -> object:
            yield Batch(Table(source.name, "csv"), pl.DataFrame({"a": [1, 2]}))
            raise error

    monkeypatch.setattr(reading, "reader", lambda kind: Reader)
    csv(tmp_path / "a.csv")
    csv(tmp_path / "b.csv")
    rows, skipped = scan(tmp_path)
    assert rows == {"a.csv": 2, "b.csv": 2}
    assert set(skipped) == {"a.csv", "b.csv"}
    assert CANARY not in str(skipped)


def test_a_keyboard_interrupt_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Reader:
        @staticmethod
        def read(source: Input, log: ReadLog) -> object:
            raise KeyboardInterrupt
            yield

    monkeypatch.setattr(reading, "reader", lambda kind: Reader)
    with pytest.raises(KeyboardInterrupt):
        scan(csv(tmp_path / "a.csv"))


def test_bytes_are_counted_once(tmp_path: Path) -> None:
    path = parquet(tmp_path / "a.parquet", 1000)
    source, log, seen = FileSource(path), ReadLog(), []
    log.on_bytes = seen.append
    for unit in source.units(log):
        list(source.read(unit, log))
    assert log.bytes_read == sum(seen) == path.stat().st_size
    assert (log.tables_listed, log.rows_listed) == (1, 1000)


def test_a_sample_is_of_that_size_and_the_same_each_time(tmp_path: Path) -> None:
    path = parquet(tmp_path / "a.parquet", 5000)
    assert scan(path, sample=100)[0] == {"a.parquet": 100}
    assert scan(path, sample=10**6)[0] == {"a.parquet": 5000}
    source, log = FileSource(path), ReadLog()
    (unit,) = source.units(log)
    first, second = (next(source.read(unit, log, 50)).frame for _ in range(2))
    assert first.equals(second)
    assert first["email"].n_unique() == 50


def test_small_files_cost_little_besides_their_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for index in range(1000):
        (tmp_path / f"{index}.csv").write_text("name,email,age\nAnna,x,30\n")

    class Reader:
        @staticmethod
        def read(source: Input, log: ReadLog) -> object:
            yield Batch(Table(source.name, "csv"), pl.DataFrame())

    monkeypatch.setattr(reading, "reader", lambda kind: Reader)
    with counted_calls() as calls:
        scan(tmp_path)
    assert calls[0] / 1000 < 500  # of functions, for one file


def test_units_start_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for index in range(20):
        csv(tmp_path / f"{index:02}/a.csv")
    listed: list[str] = []
    real = os.scandir
    monkeypatch.setattr(files.os, "scandir", lambda path: listed.append(path) or real(path))
    next(FileSource(tmp_path).units(ReadLog()))
    assert len(listed) == 2


def test_every_kind_that_is_recognised_has_a_reader_or_an_unpacker() -> None:
    unpacked = {"gzip", "bzip2", "xz", "lzma", "zstd", "lz4", "snappy", "compress", "pg_custom", "tar", "zip", "ole"}
    assert {kind for _, _, kind in READ} - unpacked <= set(FORMATS)
    for kind in ("parquet", "arrow", "avro", "xlsx"):
        assert callable(reader(kind).read)


def test_native_messages_stay_off_stderr(tmp_path: Path) -> None:
    code = (
        "import os, sys\nfrom plainview.cli.native import silence_native_stderr\nsilence_native_stderr()\n"
        f"os.write(2, b'{CANARY}')\nprint('ours', file=sys.stderr)\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stderr == "ours\n"


def test_units_can_be_read_in_threads(tmp_path: Path) -> None:
    for index in range(20):
        parquet(tmp_path / f"{index:02}.parquet", 100)
    source, log = FileSource(tmp_path), ReadLog()
    units, done = list(source.units(log)), []

    def work(part: int) -> None:
        done.extend(b.frame.height for unit in units[part::2] for b in source.read(unit, ReadLog()))

    threads = [threading.Thread(target=work, args=(part,)) for part in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(done) == 2000
