"""SQLite files: all rows, also those of a write-ahead log; nothing beside the file changes; damage is told."""

from __future__ import annotations

import hashlib
import io
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plainview.errors import DamagedError, LimitError
from plainview.files.formats.sqlite import read as sqlite_
from plainview.files.source import FileSource
from plainview.tables import MIB, Deadline, Input, Limits, ReadLog

CANARY = "canary.7f3a@example.org"


def source_of(path: Path, **more: object) -> Input:
    with path.open("rb") as stream:
        head = stream.read(65536)
    return Input(path.name, head, lambda: path.open("rb"), path.stat().st_size, path, **more)  # type: ignore[arg-type]


def tables_of(source: Input) -> tuple[dict[str, pl.DataFrame], ReadLog]:
    log = ReadLog()
    found: dict[str, list[pl.DataFrame]] = {}
    for batch in sqlite_.read(source, log):
        assert batch.table.kind == "sqlite"
        found.setdefault(batch.table.name, []).append(batch.frame)
    assert CANARY not in repr(log.skipped)
    return {name: pl.concat(frames, how="vertical_relaxed") for name, frames in found.items()}, log


def state(folder: Path) -> dict[str, tuple[int, str]]:
    return {
        path.name: (path.stat().st_mtime_ns, hashlib.sha256(path.read_bytes()).hexdigest())
        for path in sorted(folder.iterdir())
    }


def test_tables_columns_and_types(tmp_path: Path) -> None:
    path = tmp_path / "shop.sqlite"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE customers (id INTEGER PRIMARY KEY, email TEXT, photo BLOB, mixed, price REAL)")
        db.execute("INSERT INTO customers VALUES (1, ?, x'ffd8', 1, 2), (2, NULL, NULL, 'two', 2.5)", [CANARY])
        db.execute("CREATE TABLE empty (a, b)")
        db.execute("CREATE TABLE keyed (k TEXT PRIMARY KEY, up TEXT GENERATED ALWAYS AS (upper(k))) WITHOUT ROWID")
        db.execute("INSERT INTO keyed (k) VALUES ('x')")
        db.execute("CREATE VIEW seen AS SELECT * FROM customers")
    db.close()
    before = state(tmp_path)
    tables, log = tables_of(source_of(path))
    assert tables["shop.sqlite/customers"].rows() == [(1, CANARY, b"\xff\xd8", "1", 2.0), (2, None, None, "two", 2.5)]
    assert tables["shop.sqlite/empty"].columns == ["a", "b"]
    assert tables["shop.sqlite/keyed"].rows() == [("x",)]  # what is computed when it is read may be a bomb
    assert [what for what, _ in log.noted] == ["shop.sqlite/seen"]
    assert [what for what, _ in log.skipped] == ["shop.sqlite/keyed"]
    assert log.tables_listed == 3
    assert state(tmp_path) == before


@pytest.mark.parametrize(
    "name", ['a"b', "'; DROP TABLE x; --", "客户", "with blank", "x" * 300, "a.b", "select", "?", "#%"]
)
def test_odd_names(tmp_path: Path, name: str) -> None:
    path = tmp_path / "odd #%41?.db"
    quoted = '"' + name.replace('"', '""') + '"'
    with sqlite3.connect(path) as db:
        db.execute(f"CREATE TABLE {quoted} ({quoted} TEXT, b)")
        db.execute(f"INSERT INTO {quoted} VALUES ('x', 1)")
    db.close()
    tables, log = tables_of(source_of(path))
    frame = tables[f"odd #%41?.db/{name}"]
    assert frame.columns == [name, "b"]
    assert frame.rows() == [("x", 1)]
    assert not log.skipped


def _with_wal(folder: Path, rows: int) -> tuple[Path, sqlite3.Connection]:
    """A database whose newest rows lie only in the write-ahead log; the open connection keeps the log there."""
    path = folder / "live.db"
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA wal_autocheckpoint = 0")
    db.execute("CREATE TABLE t (a INTEGER, b TEXT)")
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.executemany("INSERT INTO t VALUES (?, ?)", [(number, f"{number}-{CANARY}") for number in range(rows)])
    return path, db


def _copied(path: Path, into: Path) -> Path:
    """The files as a crash would leave them."""
    into.mkdir()
    for beside in path.parent.glob("live.db*"):
        (into / beside.name).write_bytes(beside.read_bytes())
    return into / path.name


def test_rows_of_a_write_ahead_log(tmp_path: Path) -> None:
    path, db = _with_wal(tmp_path, 300)
    copy = _copied(path, tmp_path / "copy")
    (copy.parent / "live.db-shm").unlink()
    before = state(copy.parent)
    assert "live.db-wal" in before
    tables, log = tables_of(source_of(copy))
    assert tables["live.db/t"]["a"].to_list() == list(range(300))
    assert not log.skipped
    assert state(copy.parent) == before
    db.close()


def test_a_log_behind_a_torn_frame_ends_there(tmp_path: Path) -> None:
    path, db = _with_wal(tmp_path, 300)
    copy = _copied(path, tmp_path / "copy")
    wal = copy.with_name("live.db-wal")
    data = bytearray(wal.read_bytes())
    data[len(data) // 2] ^= 1
    wal.write_bytes(data)
    ours = tables_of(source_of(copy))[0]["live.db/t"].rows()
    with sqlite3.connect(copy) as reader:
        theirs = reader.execute("SELECT * FROM t").fetchall()
    reader.close()
    assert ours == theirs
    assert 0 < len(ours) < 300
    db.close()


def test_a_log_larger_than_the_limit_is_told(tmp_path: Path) -> None:
    path, db = _with_wal(tmp_path, 300)
    tables, log = tables_of(source_of(_copied(path, tmp_path / "copy"), limits=Limits(memory=10_000)))
    assert tables["live.db/t"].height == 0
    assert "-wal" in log.skipped[0][1]
    db.close()


@given(st.binary(max_size=4000))
@settings(max_examples=50, deadline=None)
def test_any_bytes_as_a_log_do_no_harm(noise: bytes) -> None:
    from plainview.files.formats.sqlite.wal import applied

    database = b"SQLite format 3\x00" + bytes(4080)
    for wal in (noise, bytes.fromhex("377f0682002de21800001000") + noise):
        assert applied(database, wal)[1] == 0


def test_a_hot_journal_is_told(tmp_path: Path) -> None:
    path = tmp_path / "hot.db"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE t (a)")
    db.close()
    (tmp_path / "hot.db-journal").write_bytes(bytes.fromhex("d9d505f920a163d7") + bytes(600))
    before = state(tmp_path)
    _, log = tables_of(source_of(path))
    assert "interrupted" in log.skipped[0][1]
    assert state(tmp_path) == before


def test_from_a_packed_file() -> None:
    db = sqlite3.connect(":memory:")
    db.execute("CREATE TABLE t (a)")
    db.execute("INSERT INTO t VALUES ('x')")
    data = db.serialize()
    db.close()
    source = Input("x.zip/a.db", data[:65536], lambda: io.BytesIO(data), len(data))
    assert tables_of(source)[0]["x.zip/a.db/t"].rows() == [("x",)]
    source.limits = Limits(memory=1000)
    with pytest.raises(LimitError):
        tables_of(source)


def test_text_that_is_not_utf8_is_replaced_and_told(tmp_path: Path) -> None:
    path = tmp_path / "bad.db"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE t (a, b)")
        db.executemany("INSERT INTO t VALUES (?, 'ok')", [(str(number),) for number in range(30_000)])
        db.execute("UPDATE t SET a = CAST(x'61ff62' AS TEXT), b = ? WHERE a = '25000'", [CANARY])
    db.close()
    tables, log = tables_of(source_of(path))
    frame = tables["bad.db/t"]
    assert frame.height == 30_000
    assert frame["a"].to_list()[24_999:25_002] == ["24999", "a\ufffdb", "25001"]
    assert [why for _, why in log.skipped] == ["text that is not valid UTF-8 was read with replacement characters"]


@pytest.mark.parametrize("encoding", ["UTF-16le", "UTF-16be"])
def test_utf16_databases(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "wide.db"
    with sqlite3.connect(path) as db:
        db.execute(f"PRAGMA encoding = '{encoding}'")
        db.execute("CREATE TABLE 客户 (имя TEXT)")
        db.execute("INSERT INTO 客户 VALUES ('王芳 😀')")
    db.close()
    assert tables_of(source_of(path))[0]["wide.db/客户"].to_dicts() == [{"имя": "王芳 😀"}]


def test_damaged_pages_are_told_and_other_tables_read(tmp_path: Path) -> None:
    path = tmp_path / "hurt.db"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE big (a)")
        db.execute("CREATE TABLE small (a)")
        db.executemany("INSERT INTO big VALUES (?)", [(f"{number:0500d}",) for number in range(500)])
        db.execute("INSERT INTO small VALUES ('kept')")
    db.close()
    data = bytearray(path.read_bytes())
    middle = len(data) // 2 // 4096 * 4096
    data[middle : middle + 4096] = (CANARY.encode() * 200)[:4096]
    path.write_bytes(data)
    tables, log = tables_of(source_of(path))
    assert tables["hurt.db/small"].rows() == [("kept",)]
    assert 0 < tables["hurt.db/big"].height < 500
    assert log.skipped == [("hurt.db/big", "damaged pages: rows behind them were not read")]


def test_encrypted_or_foreign_bytes() -> None:
    data = bytes(range(256)) * 32
    with pytest.raises(DamagedError, match="encrypted"):
        tables_of(Input("x.db", data, lambda: io.BytesIO(data), len(data)))
    only_magic = b"SQLite format 3\x00" + CANARY.encode() * 300
    with pytest.raises(DamagedError) as caught:
        tables_of(Input("x.db", only_magic, lambda: io.BytesIO(only_magic), len(only_magic)))
    assert CANARY not in str(caught.value)


def test_virtual_tables_are_told_and_their_contents_read(tmp_path: Path) -> None:
    path = tmp_path / "fts.db"
    with sqlite3.connect(path) as db:
        db.execute("CREATE VIRTUAL TABLE notes USING fts5(body)")
        db.execute("INSERT INTO notes VALUES (?)", [CANARY])
    db.close()
    tables, log = tables_of(source_of(path))
    assert [what for what, _ in log.skipped] == ["fts.db/notes"]
    assert CANARY in tables["fts.db/notes_content"]["c0"].to_list()


def test_a_schema_that_does_not_parse_leaves_the_other_tables(tmp_path: Path) -> None:
    path = tmp_path / "schema.db"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE good (a)")
        db.execute("INSERT INTO good VALUES (1)")
        db.execute("CREATE TABLE bad (a)")
        db.execute("PRAGMA writable_schema = ON")
        db.execute("UPDATE sqlite_master SET sql = ? WHERE name = 'bad'", [f"CREATE TABLE bad ({CANARY}"])
    db.close()
    tables, log = tables_of(source_of(path))
    assert tables["schema.db/good"].rows() == [(1,)]
    assert any("schema" in why for _, why in log.skipped)


def test_a_schema_that_lost_its_entries_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE a (x)")
        db.execute("CREATE TABLE b (x)")
    db.close()
    data = bytearray(path.read_bytes())
    data[103:105] = b"\0\0"  # cells of the first page
    path.write_bytes(data)
    log = ReadLog()
    assert list(sqlite_.read(source_of(path), log)) == []
    assert [why for _, why in log.skipped] == ["no table is defined, but pages are in use: the schema is damaged"]
    with sqlite3.connect(tmp_path / "b.db") as db:
        db.execute("CREATE TABLE a (x)")
        db.execute("INSERT INTO a VALUES (zeroblob(100000))")
        db.execute("DROP TABLE a")
    db.close()
    log = ReadLog()
    assert list(sqlite_.read(source_of(tmp_path / "b.db"), log)) == []
    assert log.skipped == []


def test_the_deadline_stops_a_hostile_definition(tmp_path: Path) -> None:
    path = tmp_path / "slow.db"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE t (a)")
        db.executemany("INSERT INTO t VALUES (?)", [(number,) for number in range(300_000)])
    db.close()
    source = source_of(path, deadline=Deadline(0.02))
    started = time.monotonic()
    with pytest.raises(LimitError):
        tables_of(source)
    assert time.monotonic() - started < 30


cells = st.none() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text() | st.binary()


@given(st.lists(st.tuples(cells, cells, st.text()), max_size=30))
@settings(max_examples=100, deadline=None)
def test_all_cells_come_back(rows: list[tuple[object, ...]]) -> None:
    db = sqlite3.connect(":memory:")
    db.execute("CREATE TABLE t (a, b, c)")
    try:
        db.executemany("INSERT INTO t VALUES (?, ?, ?)", rows)
    except UnicodeEncodeError:  # lone surrogates are no text
        return
    finally:
        data = db.serialize()
        db.close()
    frame = tables_of(Input("x.db", data[:65536], lambda: io.BytesIO(data), len(data)))[0]["x.db/t"]
    for index, name in enumerate("abc"):
        wanted = [row[index] for row in rows]
        kinds = {type(cell) for cell in wanted} - {type(None)}
        if kinds == {int, float}:
            wanted = [None if cell is None else float(cell) for cell in wanted]  # type: ignore[arg-type]
        elif len(kinds) > 1:
            wanted = [
                cell.decode("utf-8", "replace") if isinstance(cell, bytes) else None if cell is None else str(cell)
                for cell in wanted
            ]
        assert frame[name].to_list() == wanted


def test_generated_columns_are_left_out_and_told(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    with closing(sqlite3.connect(path)) as db:
        db.execute(
            "CREATE TABLE t (a INTEGER, b TEXT AS (printf('%3000000d', a)) VIRTUAL, c TEXT AS (a || 'x') STORED)"
        )
        db.executemany("INSERT INTO t (a) VALUES (?)", [(i,) for i in range(3)])
        db.commit()
    frames, skipped = bounded(path)
    assert [(frame.columns, frame.height) for frame in frames] == [(["a", "c"], 3)]
    assert "1 generated columns" in skipped


def test_a_default_of_many_rows_is_held_against_the_ratio(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE t (a INTEGER)")
        db.executemany("INSERT INTO t VALUES (?)", [(i,) for i in range(20_000)])
        db.execute(f"ALTER TABLE t ADD COLUMN b TEXT DEFAULT '{'x' * 200_000}'")
        db.commit()
    frames, skipped = bounded(path)
    assert 0 < sum(frame.height for frame in frames) < 20_000
    assert max(frame.estimated_size() for frame in frames) < 40 * MIB
    assert "--ratio" in skipped


def bounded(path: Path) -> tuple[list[pl.DataFrame], str]:
    source, log = FileSource(path), ReadLog()
    frames = [batch.frame for unit in source.units(log) for batch in source.read(unit, log)]
    return frames, str(log.skipped)
