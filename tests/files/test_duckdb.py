"""DuckDB files: tables of every type come out, nothing on disk changes, nothing outside is reachable."""

from __future__ import annotations

import builtins
import hashlib
import io
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from plainview.errors import DamagedError, MissingExtraError, UnsupportedError
from plainview.files.formats import duckdb as duckdb_
from plainview.tables import Input, ReadLog

duckdb = pytest.importorskip("duckdb")
CANARY = "canary.7f3a@example.org"


def source_of(path: Path) -> Input:
    return Input(path.name, path.read_bytes()[:65536], lambda: path.open("rb"), path.stat().st_size, path)


def tables_of(source: Input) -> tuple[dict[str, pl.DataFrame], ReadLog]:
    log = ReadLog()
    found: dict[str, list[pl.DataFrame]] = {}
    for batch in duckdb_.read(source, log):
        assert batch.table.kind == "duckdb"
        found.setdefault(batch.table.name, []).append(batch.frame)
    assert CANARY not in repr(log.skipped)
    return {name: pl.concat(frames) for name, frames in found.items()}, log


def state(folder: Path) -> dict[str, tuple[int, str]]:
    return {
        path.name: (path.stat().st_mtime_ns, hashlib.sha256(path.read_bytes()).hexdigest())
        for path in sorted(folder.iterdir())
    }


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    path = tmp_path / "shop.duckdb"
    with duckdb.connect(path) as db:
        db.execute("CREATE TABLE customers (id INTEGER, email VARCHAR, photo BLOB)")
        db.execute("INSERT INTO customers VALUES (1, ?, '\\xFF\\xD8'), (2, NULL, NULL)", [CANARY])
        db.execute('CREATE SCHEMA hr; CREATE TABLE hr."odd ""name;--" ("a b" INTEGER)')
        db.execute("CREATE VIEW seen AS SELECT * FROM customers")
        db.execute("CREATE TABLE many AS SELECT i AS n FROM range(200000) r(i)")
        db.execute("DELETE FROM many WHERE n % 3 = 0")
    return path


def test_tables_and_schemas(shop: Path) -> None:
    before = state(shop.parent)
    tables, log = tables_of(source_of(shop))
    assert tables["shop.duckdb/customers"].rows() == [(1, CANARY, b"\xff\xd8"), (2, None, None)]
    assert tables['shop.duckdb/hr.odd "name;--'].columns == ["a b"]
    assert sorted(tables["shop.duckdb/many"]["n"].to_list()) == [n for n in range(200_000) if n % 3]
    assert [what for what, _ in log.noted] == ["shop.duckdb/seen"]
    assert log.tables_listed == 3
    assert state(shop.parent) == before


def test_every_type_comes_out(tmp_path: Path) -> None:
    path = tmp_path / "types.duckdb"
    with duckdb.connect(path) as db:
        db.execute("CREATE TYPE mood AS ENUM ('canary.7f3a@example.org', 'b')")
        db.execute("""CREATE TABLE t AS SELECT 'b'::mood AS mood, INTERVAL 1 DAY AS span, '101'::BIT AS bits,
            170141183460469231731687303715884105727::HUGEINT AS huge, TIME '10:00' AS clock, DATE '2020-01-02' AS day,
            [1, 2] AS list, [0.5, 1.5]::FLOAT[2] AS vector, {'street': 'x', 'no': 5} AS address, MAP {'k': 7} AS map,
            uuid() AS id, 1.50::DECIMAL(10, 2) AS price, TIMESTAMPTZ '2020-01-02 00:00:00+00' AS moment,
            true AS flag, 18446744073709551615::UBIGINT AS big, [{'a': MAP {'x': INTERVAL 1 DAY}}] AS deep""")
    frame = tables_of(source_of(path))[0]["types.duckdb/t"]
    row = frame.to_dicts()[0]
    assert row["mood"] == "b"
    assert row["span"] == "1 day"
    assert row["bits"] == "101"
    assert row["huge"] == "170141183460469231731687303715884105727"
    assert row["clock"] == "10:00:00"
    assert row["list"] == [1, 2]
    assert row["vector"] == [0.5, 1.5]
    assert row["address"] == {"street": "x", "no": 5}
    assert row["map"] == [{"key": "k", "value": 7}]
    assert row["big"] == 18446744073709551615
    assert isinstance(row["deep"], str)
    assert isinstance(row["id"], str)


def test_a_write_ahead_log_is_read_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "live.duckdb"
    script = (
        "import duckdb, os, sys; db = duckdb.connect(sys.argv[1]); db.execute('CREATE TABLE t (a INTEGER)');"
        "db.execute('CHECKPOINT'); db.execute(\"SET checkpoint_threshold='1GB'\");"
        "db.execute('INSERT INTO t VALUES (1), (2)'); os._exit(0)"  # no shutdown: the log stays
    )
    subprocess.run([sys.executable, "-c", script, str(path)], check=True)
    before = state(tmp_path)
    assert "live.duckdb.wal" in before
    assert tables_of(source_of(path))[0]["live.duckdb/t"]["a"].to_list() == [1, 2]
    assert state(tmp_path) == before


def test_from_a_packed_file(shop: Path) -> None:
    data = shop.read_bytes()
    source = Input("x.zip/shop.duckdb", data[:65536], lambda: io.BytesIO(data), len(data))
    if sys.platform.startswith("linux") and duckdb.__version__ == "2.0.0":
        assert tables_of(source)[0]["x.zip/shop.duckdb/customers"].height == 2
    else:  # later versions want a name in the file system: told, with what to do
        with pytest.raises(UnsupportedError, match="unpack it first"):
            tables_of(source)


def test_a_view_of_files_reaches_nothing(tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("a\nx\n")
    folder = tmp_path / "store"
    folder.mkdir()
    path = folder / "view.duckdb"
    with duckdb.connect(path) as db:
        db.execute(f"CREATE VIEW v AS SELECT * FROM read_csv('{secret}')")
        db.execute("CREATE TABLE t (a INTEGER DEFAULT 1)")
    tables, log = tables_of(source_of(path))
    assert list(tables) == ["view.duckdb/t"]
    assert log.noted == [("view.duckdb/v", "a view: its rows are those of tables")]


def test_damaged(shop: Path) -> None:
    data = bytearray(shop.read_bytes())
    data[4096:8192] = (CANARY.encode() * 200)[:4096]
    data[8192:12288] = data[4096:8192]
    shop.write_bytes(data)
    with pytest.raises(DamagedError) as caught:
        tables_of(source_of(shop))
    assert CANARY not in str(caught.value)
    assert caught.value.__cause__ is None


def test_damage_in_the_middle_never_ends_in_silence(shop: Path) -> None:
    data = bytearray(shop.read_bytes())
    for at in range(12288, len(data), 5000):
        data[at] ^= 0xFF
    shop.write_bytes(data)
    try:
        tables, log = tables_of(source_of(shop))
    except DamagedError:
        return
    assert len(log.skipped) > 1 or len(tables) == 3


def test_the_missing_library_is_named(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *more: object, **also: object) -> object:
        if name == "duckdb":
            raise ImportError(name)
        return real(name, *more, **also)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtraError, match=r"pip install 'plainview\[duckdb\]'"):
        tables_of(source_of(shop))
