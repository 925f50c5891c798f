"""Arrow and Parquet files whose types are deep: told before native code recurses over them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from plainview.files.source import FileSource
from plainview.tables import ReadLog

MAKE = """
import sys, threading, polars as pl
kind, shape, levels, path = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
def make():
    t = pl.Int64
    for _ in range(levels):
        t = pl.List(t) if shape == "list" else pl.Struct({"a": t})
    frame = pl.DataFrame({"y": [1, 2]}).with_columns(pl.lit(None, dtype=t).alias("x"))
    {"parquet": frame.write_parquet, "ipc": frame.write_ipc, "stream": frame.write_ipc_stream}[kind](path)
threading.stack_size(1 << 30)
thread = threading.Thread(target=make)
thread.start()
thread.join()
"""
SCAN = """
import sys
from plainview.files.source import FileSource
from plainview.tables import ReadLog
source, log = FileSource(sys.argv[1]), ReadLog()
rows = sum(b.frame.height for u in source.units(log) for b in source.read(u, log))
print(rows, log.skipped)
"""


def made(path: Path, kind: str, shape: str, levels: int) -> bytes:
    subprocess.run([sys.executable, "-c", MAKE, kind, shape, str(levels), str(path)], check=True, timeout=60)
    return path.read_bytes()


@pytest.mark.parametrize("kind", ["parquet", "ipc", "stream"])
@pytest.mark.parametrize("shape", ["list", "struct"])
@pytest.mark.parametrize("levels", [20, 150])
def test_types_are_held_against_the_limit(tmp_path: Path, kind: str, shape: str, levels: int) -> None:
    path = tmp_path / f"a.{'parquet' if kind == 'parquet' else 'arrow'}"
    made(path, kind, shape, levels)
    command = [sys.executable, "-c", SCAN, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0
    assert ("nested deeper than 64 levels" in done.stdout) == (levels == 150)
    assert done.stdout.startswith("0 " if levels == 150 else "2 ")


def test_other_writers_are_read(tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    path = tmp_path / "a.parquet"
    duckdb.sql(f"COPY (SELECT range AS i, [range] AS l, {{'a': [{{'b': 1}}]}} AS s FROM range(5000)) TO '{path}'")
    source, log = FileSource(path), ReadLog()
    assert sum(b.frame.height for u in source.units(log) for b in source.read(u, log)) == 5000
    assert log.skipped == []
    assert pl.read_parquet(path).height == 5000
