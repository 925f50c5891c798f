"""Arrow and Parquet files whose types are deep: told before native code recurses over them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from plainview.files.source import FileSource
from plainview.tables import ReadLog

KINDS, SHAPES, LEVELS = ("parquet", "ipc", "stream"), ("list", "struct"), (20, 150)
MAKE = """
import itertools, sys, threading, polars as pl
def make(kind, shape, levels):
    if shape == "list":
        t = pl.Int64
        for _ in range(levels):
            t = pl.List(t)
        column = pl.Series("x", [None, None], dtype=t)
    else:  # wrapped again and again: Polars takes seconds to make nulls of such a type
        column = pl.Series("x", [None, None], dtype=pl.Int64)
        for _ in range(levels):
            column = pl.DataFrame([column.alias("a")]).to_struct("x")
    frame = pl.DataFrame([pl.Series("y", [1, 2]), column])
    write = {"parquet": frame.write_parquet, "ipc": frame.write_ipc, "stream": frame.write_ipc_stream}[kind]
    write(f"{sys.argv[1]}/{kind}-{shape}-{levels}." + ("parquet" if kind == "parquet" else "arrow"))
threading.stack_size(1 << 30)
for case in itertools.product(KINDS, SHAPES, LEVELS):
    thread = threading.Thread(target=make, args=case)
    thread.start()
    thread.join()
"""
SCAN = """
import pathlib, sys
from plainview.files.source import FileSource
from plainview.tables import ReadLog
for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    print(path.stem, "begun", flush=True)
    source, log = FileSource(path), ReadLog()
    rows = sum(b.frame.height for u in source.units(log) for b in source.read(u, log))
    print(path.stem, rows, log.skipped, flush=True)
"""


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Make all files in one process and read them in another, which may crash; return what that one printed."""
    folder = str(tmp_path_factory.mktemp("deep"))
    make = MAKE.replace("KINDS, SHAPES, LEVELS", f"{KINDS}, {SHAPES}, {LEVELS}")
    subprocess.run([sys.executable, "-c", make, folder], check=True, timeout=100)
    done = subprocess.run(
        [sys.executable, "-c", SCAN, folder], capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("levels", LEVELS)
def test_types_are_held_against_the_limit(read: str, kind: str, shape: str, levels: int) -> None:
    [_, told] = [line for line in read.splitlines() if line.startswith(f"{kind}-{shape}-{levels} ")]
    assert ("nested deeper than 64 levels" in told) == (levels == 150)
    assert told.split()[1] == ("0" if levels == 150 else "2")


def test_other_writers_are_read(tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    path = tmp_path / "a.parquet"
    duckdb.sql(f"COPY (SELECT range AS i, [range] AS l, {{'a': [{{'b': 1}}]}} AS s FROM range(5000)) TO '{path}'")
    source, log = FileSource(path), ReadLog()
    assert sum(b.frame.height for u in source.units(log) for b in source.read(u, log)) == 5000
    assert log.skipped == []
    assert pl.read_parquet(path).height == 5000
