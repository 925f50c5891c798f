from __future__ import annotations

import datetime as dt
import decimal
import gzip
import io
from pathlib import Path

import fastavro
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plainview.files.formats.avro import read as avro
from plainview.files.source import FileSource
from plainview.tables import Limits, ReadLog

CANARY = "canary.7f3a@example.org"


def read(path: Path, limits: Limits | None = None) -> tuple[pl.DataFrame, ReadLog]:
    source, log = FileSource(path, limits), ReadLog()
    frames = [batch.frame for unit in source.units(log) for batch in source.read(unit, log)]
    return (pl.concat(frames, how="diagonal_relaxed") if frames else pl.DataFrame()), log


def table(rows: int) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "id": range(rows),
            "email": [f"{i}.{CANARY}" for i in range(rows)],
            "born": [dt.date(1970, 1, 1) + dt.timedelta(days=i % 20000) for i in range(rows)],
            "at": [dt.datetime(2024, 1, 1, 0, 0, i % 60, tzinfo=dt.UTC) for i in range(rows)],
            "pay": pl.Series([decimal.Decimal(i) / 4 for i in range(rows)], dtype=pl.Decimal(20, 2)),
            "tags": [["a", str(i)] for i in range(rows)],
            "home": [{"city": "Ulm", "zip": str(i)} for i in range(rows)],
            "blob": [b"\x00\xff" + bytes([i % 256]) for i in range(rows)],
            "kind": pl.Series(["x", "y"] * (rows // 2) + ["x"] * (rows % 2), dtype=pl.Categorical),
        }
    )


WRITERS = {
    "people.parquet": lambda frame, path: frame.write_parquet(path, row_group_size=1000),
    "people.arrow": lambda frame, path: frame.write_ipc(path, compression="lz4"),
    "people.feather": lambda frame, path: frame.write_ipc(path, compression="zstd"),
    "people.arrows": lambda frame, path: frame.write_ipc_stream(path),
}


@pytest.mark.parametrize("name", WRITERS)
def test_all_rows_and_types_arrive(tmp_path: Path, name: str) -> None:
    frame = table(2500)
    WRITERS[name](frame, tmp_path / name)
    got, log = read(tmp_path / name)
    assert log.skipped == []
    assert got.columns == frame.columns
    assert got.schema["home"] == frame.schema["home"]
    assert got.with_columns(pl.col("kind").cast(pl.String)).equals(frame.with_columns(pl.col("kind").cast(pl.String)))
    assert (log.tables_listed, log.rows_listed) == (1, 2500)


@pytest.mark.parametrize("name", WRITERS)
def test_inside_a_packed_file_and_without_rows(tmp_path: Path, name: str) -> None:
    plain = tmp_path / name
    WRITERS[name](table(100), plain)
    packed = tmp_path / f"{name}.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert read(packed)[0].height == 100
    _, log = read(packed, Limits(memory=1000))
    assert "--memory" in log.skipped[0][1]
    WRITERS[name](table(0), plain)
    got, log = read(plain)
    assert (got.height, got.columns, log.skipped) == (0, table(1).columns, [])


def test_a_damaged_row_group_costs_its_own_rows_of_its_own_column(tmp_path: Path) -> None:
    frame = pl.DataFrame({"id": range(100_000), "email": [f"{i}.{CANARY}" for i in range(100_000)]})
    buffer = io.BytesIO()
    frame.write_parquet(buffer, row_group_size=10_000, compression="zstd")
    data = bytearray(buffer.getvalue())
    at = data.find(b"\x28\xb5\x2f\xfd", len(data) // 2)
    data[at : at + 200] = b"\xee" * 200
    path = tmp_path / "a.parquet"
    path.write_bytes(data)
    got, log = read(path)
    assert got["id"].drop_nulls().len() + got["email"].drop_nulls().len() >= 2 * 100_000 - 13_000
    assert len(log.skipped) == 1
    what, why = log.skipped[0]
    assert what.startswith("a.parquet: rows ")
    assert "damaged" in why
    assert CANARY not in str(log.skipped)


@pytest.mark.parametrize("name", WRITERS)
def test_cut_files_are_told(tmp_path: Path, name: str) -> None:
    WRITERS[name](table(3000), tmp_path / "whole")
    data = (tmp_path / "whole").read_bytes()
    for part in (10, len(data) // 3, len(data) - 6):
        path = tmp_path / name
        path.write_bytes(data[:part])
        got, log = read(path)
        assert log.skipped, part
        assert got.height < 3000 or (part > len(data) // 2 and name != "people.parquet")  # all but the end
        assert CANARY not in str(log.skipped)


def test_footer_tricks(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    body = b"PAR1" + bytes(100)
    for tail, word in (
        (b"\xff\xff\xff\x7fPAR1", "larger than the file"),
        (b"\x20\0\0\0PARE", "encrypted"),
        (b"\x20\0\0\0XXXX", "without its footer"),
        (b"\x20\0\0\0PAR1", "damaged"),
    ):
        path.write_bytes(body + tail)
        _, log = read(path)
        assert word in log.skipped[0][1]


def test_more_columns_than_allowed(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pl.DataFrame({f"c{i}": [i] for i in range(30)}).write_parquet(path)
    got, log = read(path, Limits(columns=10))
    assert got.width == 10
    assert "--columns" in log.skipped[0][1]


SCHEMA = {
    "type": "record",
    "name": "person",
    "fields": [
        {"name": "email", "type": "string"},
        {"name": "age", "type": ["null", "int"]},
        {"name": "born", "type": {"type": "int", "logicalType": "date"}},
        {"name": "phones", "type": {"type": "array", "items": "string"}},
        {"name": "home", "type": {"type": "record", "name": "home", "fields": [{"name": "city", "type": "string"}]}},
        {"name": "mixed", "type": ["string", "long", {"type": "map", "values": "string"}]},
        {"name": "blob", "type": "bytes"},
    ],
}


def people(rows: int) -> list[dict[str, object]]:
    return [
        {
            "email": f"{i}.{CANARY}",
            "age": None if i % 3 else i,
            "born": dt.date(1980, 1, 1),
            "phones": [str(i)] * (i % 3),
            "home": {"city": "Ulm"},
            "mixed": [str(i), i, {"k": str(i)}][i % 3],
            "blob": b"\x00\xff",
        }
        for i in range(rows)
    ]


def avro_file(rows: int, codec: str = "null") -> bytes:
    buffer = io.BytesIO()
    fastavro.writer(buffer, SCHEMA, people(rows), codec=codec, sync_interval=2000)
    return buffer.getvalue()


@pytest.mark.parametrize("codec", ["null", "deflate", "bzip2", "xz", "zstandard", "snappy"])
def test_avro_codecs(tmp_path: Path, codec: str) -> None:
    path = tmp_path / "a.avro"
    path.write_bytes(avro_file(100, codec))
    got, log = read(path)
    assert log.skipped == []
    assert got.height == 100
    assert got["email"].to_list()[7] == f"7.{CANARY}"
    assert got["mixed"].to_list()[:3] == ["0", "1", '{"k": "2"}']
    assert got.schema["home"] == pl.Struct({"city": pl.String})


def test_avro_in_a_packed_file_streams(tmp_path: Path) -> None:
    path = tmp_path / "a.avro.gz"
    path.write_bytes(gzip.compress(avro_file(500)))
    assert read(path, Limits(memory=100))[0].height == 500


def test_avro_with_a_codec_that_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "a.avro"
    path.write_bytes(avro_file(3).replace(b"\x08null", b"\x08lz4x", 1))
    _, log = read(path)
    assert len(log.skipped) == 1
    assert CANARY not in str(log.skipped)


def test_a_cut_avro_keeps_the_records_before_the_cut(tmp_path: Path) -> None:
    path = tmp_path / "a.avro"
    data = avro_file(1000)
    path.write_bytes(data[: len(data) // 2])
    got, log = read(path)
    assert 300 < got.height < 700
    assert "before it were read" in log.skipped[0][1]
    path.write_bytes(data[:30])
    got, log = read(path)
    assert "header" in log.skipped[0][1]


def test_avro_that_is_no_record(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    fastavro.writer(buffer, "string", [CANARY, "x"])
    (tmp_path / "a.avro").write_bytes(buffer.getvalue())
    assert read(tmp_path / "a.avro")[0]["value"].to_list() == [CANARY, "x"]


BASES = {}


def base(kind: str) -> bytes:
    if kind not in BASES:
        buffer = io.BytesIO()
        frame = table(60)
        {"parquet": frame.write_parquet, "arrow": frame.write_ipc, "stream": frame.write_ipc_stream}.get(
            kind, lambda out: out.write(avro_file(60, "deflate"))
        )(buffer)
        BASES[kind] = buffer.getvalue()
    return BASES[kind]


@settings(max_examples=120, deadline=None)
@given(st.sampled_from(["parquet", "arrow", "stream", "avro"]), st.data())
def test_no_damage_makes_it_fail(tmp_path_factory: pytest.TempPathFactory, kind: str, data: st.DataObject) -> None:
    content = bytearray(base(kind))
    for _ in range(data.draw(st.integers(1, 5))):
        at = len(content) - 1 - data.draw(st.integers(0, len(content) - 1))
        content[at] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "fuzzed.columnar"
    path.write_bytes(content)
    got, log = read(path)
    assert got.height or log.skipped
    assert CANARY not in str(log.skipped)


def test_a_frame_of_records_with_different_keys() -> None:
    rows = [{"a": 1}, {"a": "x", "b": [1]}, {"b": None}]
    frame = avro._frame(rows)
    assert frame.height == 3
    assert frame["a"].to_list() == ["1", "x", None]


def test_a_cut_arrow_stream_keeps_the_batches_before_the_cut(tmp_path: Path) -> None:
    import pyarrow as pa

    path = tmp_path / "a.arrows"
    buffer = io.BytesIO()
    batch = pa.record_batch({"email": [CANARY] * 100})
    with pa.ipc.new_stream(buffer, batch.schema) as writer:
        for _ in range(10):
            writer.write_batch(batch)
    data = buffer.getvalue()
    path.write_bytes(data[: len(data) // 2])
    got, log = read(path)
    assert 300 <= got.height <= 500
    assert "cut short" in log.skipped[0][1]


def test_a_damaged_arrow_batch_costs_itself(tmp_path: Path) -> None:
    import pyarrow as pa

    path = tmp_path / "a.arrow"
    with pa.OSFile(str(path), "wb") as out, pa.ipc.new_file(out, pa.schema([("email", pa.string())]),
        options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:  # fmt: skip
        for _ in range(10):
            writer.write_batch(pa.record_batch({"email": [CANARY] * 1000}))
    data = bytearray(path.read_bytes())
    at = data.find(b"\x28\xb5\x2f\xfd", len(data) // 2)
    data[at : at + 8] = b"\xee" * 8
    path.write_bytes(data)
    got, log = read(path)
    assert got.height == 9000
    assert "record batch" in log.skipped[0][0]


def test_an_arrow_message_that_claims_to_be_huge(tmp_path: Path) -> None:
    path = tmp_path / "a.arrows"
    path.write_bytes(b"\xff\xff\xff\xff\xff\xff\xff\x7f" + bytes(100))
    _, log = read(path)
    assert log.skipped


def test_an_arrow_file_whose_footer_forgets_its_batches(tmp_path: Path) -> None:
    full, empty = io.BytesIO(), io.BytesIO()
    table(500).write_ipc(full)
    table(0).write_ipc(empty)
    path = tmp_path / "a.arrow"
    path.write_bytes(empty.getvalue())
    assert read(path)[1].skipped == []
    footer = int.from_bytes(empty.getvalue()[-10:-6], "little") + 10
    path.write_bytes(full.getvalue()[:20_000] + empty.getvalue()[-footer:])
    got, log = read(path)
    assert got.height == 0
    assert log.skipped
