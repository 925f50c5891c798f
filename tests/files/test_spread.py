"""A sample of a large text is drawn from parts of it: whole records from everywhere, a tenth of the bytes, and said."""

from __future__ import annotations

import gzip
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plainview.files import spread
from plainview.files.source import FileSource
from plainview.tables import ReadLog, Table

ROWS = 40_000


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spread, "LEAST", 1 << 19)


def read(path: Path, sample: int | None = 5000) -> tuple[pl.DataFrame, Table, ReadLog]:
    source, log = FileSource(path), ReadLog()
    batches = [batch for unit in source.units(log) for batch in source.read(unit, log, sample)]
    assert len({batch.table.name for batch in batches}) == 1
    return pl.concat([batch.frame for batch in batches]), batches[-1].table, log


def csv(quote: str = "") -> bytes:
    lines = (f"{n},{quote}user{n}@example.org{quote},{n * 7}\n" for n in range(ROWS))
    return ("id,email,check\n" + "".join(lines)).encode()


def ndjson() -> bytes:
    return "".join(f'{{"id": {n}, "email": "user{n}@example.org", "check": {n * 7}}}\n' for n in range(ROWS)).encode()


@pytest.mark.parametrize("name", ["a.csv", "a.ndjson"])
def test_whole_rows_from_everywhere_for_a_tenth(tmp_path: Path, name: str) -> None:
    data = csv() if name == "a.csv" else ndjson()
    (tmp_path / name).write_bytes(data)
    frame, table, log = read(tmp_path / name, sample=1_000_000)
    ids = frame["id"].cast(pl.Int64)
    assert ids.n_unique() == frame.height
    assert (frame["check"].cast(pl.Int64) == ids * 7).all()
    assert (frame["email"] == "user" + ids.cast(pl.String) + "@example.org").all()
    assert 0.08 < frame.height / ROWS < 0.12
    assert log.bytes_read < len(data) // 9
    for part in range(spread.PARTS):  # some of each fortieth
        assert ids.is_between(ROWS * part // spread.PARTS, ROWS * (part + 1) // spread.PARTS).any()
    assert log.skipped == []
    assert table.sampled
    assert any(spread.NOTE in note for note in table.notes)


def test_the_same_rows_each_time_and_no_more_than_asked_for(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(csv())
    first, table, _ = read(tmp_path / "a.csv", sample=500)
    assert first.height == 500
    assert first.equals(read(tmp_path / "a.csv", sample=500)[0])
    assert table.sampled


@pytest.mark.parametrize("name", ["quoted.csv", "a.csv.gz", "small.csv", "wide.csv"])
def test_others_are_read_to_their_end(tmp_path: Path, name: str) -> None:
    data = {
        "quoted.csv": csv('"'),
        "a.csv.gz": gzip.compress(csv()),
        "small.csv": csv()[: 1 << 18].rpartition(b"\n")[0] + b"\n",
        "wide.csv": csv().decode().encode("utf-16"),
    }[name]
    (tmp_path / name).write_bytes(data)
    frame, table, log = read(tmp_path / name, sample=1_000_000)
    assert frame.height == (ROWS if name != "small.csv" else data.count(b"\n") - 1)
    assert log.bytes_read == len(data)
    assert not table.sampled


def test_without_a_sample_all_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(csv())
    frame, table, _ = read(tmp_path / "a.csv", sample=None)
    assert frame.height == ROWS
    assert not table.sampled


@given(st.lists(st.integers(1, 3000), min_size=300, max_size=600))
@settings(max_examples=20, deadline=None)
def test_lines_are_never_cut_or_doubled(tmp_path_factory: pytest.TempPathFactory, lengths: list[int]) -> None:
    path = tmp_path_factory.mktemp("lines") / "a.log"
    lines = [f"{n:05} {'x' * length}" for n, length in enumerate(lengths)]
    path.write_text("\n".join(lines) + "\n" + "padding line\n" * (1 << 16))
    frame, _, log = read(path, sample=1_000_000)
    seen = [line for line in frame["text"].to_list() if line != "padding line"]
    assert set(seen) <= set(lines)
    assert len(seen) == len(set(seen))
    assert log.skipped == []
