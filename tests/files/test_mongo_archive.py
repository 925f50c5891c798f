"""`mongodump --archive`: every collection under its name, however its documents are mixed with those of others."""

from __future__ import annotations

import gzip
import io
from pathlib import Path
from typing import Any

import bson
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bounds.work import LINEAR, growth
from plainview.documents.flatten import flatten
from plainview.errors import PlainviewError
from plainview.files.formats import mongo_archive
from plainview.files.source import FileSource
from plainview.tables import MIB, Input, ReadLog

CANARY = "canary.7f3a@example.org"
END = b"\xff\xff\xff\xff"
Slice = tuple[str, list[dict[str, Any]]]


def archive(slices: list[Slice], empty: tuple[str, ...] = ()) -> bytes:
    """Write an archive as mongo-tools do (common/archive/archive.go)."""
    names = dict.fromkeys((*(name for name, _ in slices), *empty))
    out = b"\x6d\xe2\x99\x81" + bson.encode(
        {"concurrent_collections": 4, "version": "0.1", "server_version": "7.0.2", "tool_version": "100.9.0"}
    )
    for name in names:
        out += bson.encode({"db": "shop", "collection": name, "metadata": "{}", "size": 9, "type": "collection"})
    out += END
    for name, docs in slices:
        out += bson.encode({"db": "shop", "collection": name, "EOF": False, "CRC": bson.Int64(0)})
        out += b"".join(map(bson.encode, docs)) + END
    for name in names:
        out += bson.encode({"db": "shop", "collection": name, "EOF": True, "CRC": bson.Int64(7)}) + END
    return out


def read(data: bytes) -> tuple[dict[str, pl.DataFrame], list[str]]:
    log, found, told = ReadLog(), dict[str, list[pl.DataFrame]](), []
    try:
        for batch in mongo_archive.read(Input("a", data[:65536], lambda: io.BytesIO(data), len(data)), log):
            found.setdefault(batch.table.name, []).append(flatten(batch.frame))
    except PlainviewError as error:
        told.append(str(error))
    told += [why for _, why in log.skipped]
    assert CANARY not in str(told)
    return {name: pl.concat(frames, how="diagonal_relaxed") for name, frames in found.items()}, told


PEOPLE = [{"_id": n, "email": f"u{n}@example.org"} for n in range(40)]
ORDERS = [{"_id": n, "iban": "DE89370400440532013000"} for n in range(7)]


def test_collections_whose_slices_are_mixed() -> None:
    tables, told = read(
        archive([("people", PEOPLE[:10]), ("orders", ORDERS), ("people", PEOPLE[10:])], empty=("none",))
    )
    assert told == []
    assert tables["a/shop.people"]["email"].to_list() == [each["email"] for each in PEOPLE]
    assert tables["a/shop.orders"].height == 7
    assert tables["a/shop.none"].height == 0


def test_a_packed_one_is_read_as_a_file(tmp_path: Path) -> None:
    (tmp_path / "shop.archive.gz").write_bytes(gzip.compress(archive([("people", PEOPLE)])))
    source, log = FileSource(tmp_path / "shop.archive.gz"), ReadLog()
    names = {batch.table.name for unit in source.units(log) for batch in source.read(unit, log)}
    assert names == {"shop.archive.gz/shop.people"}
    assert log.skipped == []


@given(st.lists(st.tuples(st.sampled_from(["a", "b", "c"]), st.integers(0, 5)), max_size=8))
@settings(max_examples=40, deadline=None)
def test_no_document_is_lost_however_they_are_cut(cuts: list[tuple[str, int]]) -> None:
    tables, told = read(archive([(name, PEOPLE[:count]) for name, count in cuts]))
    assert told == []
    for name in {name for name, _ in cuts}:
        assert tables[f"a/shop.{name}"].height == sum(count for each, count in cuts if each == name)


def test_every_cut_is_told_and_what_came_before_counts() -> None:
    data = archive([("people", PEOPLE)])
    before = 0
    for at in range(5, len(data)):
        tables, told = read(data[:at])
        rows = sum(table.height for table in tables.values())
        assert before <= rows <= 40
        assert told
        before = rows


def test_a_document_that_is_damaged_is_told_by_number() -> None:
    data = archive([("people", PEOPLE)])
    place = data.index(b"u3@example.org")
    tables, told = read(data[: place - 4] + b"\xf0\xff\xff\x7f" + data[place:])
    assert tables["a/shop.people"].height == 39
    assert told == ["1 document(s) not valid BSON: number 4"]


@pytest.mark.parametrize(
    "data", [b"", END, b"\x01\x00\x00\x00", b"\xff\xff\xff\x7f", bson.encode({"a": CANARY}) + END + END]
)
def test_what_is_no_archive_is_told(data: bytes) -> None:
    tables, told = read(b"\x6d\xe2\x99\x81" + data)
    assert not tables
    assert len(told) == 1


def test_time_is_linear() -> None:
    one = archive([("people", PEOPLE)])
    head = one[: one.index(END) + 4]
    part = one[len(head) :]
    assert growth(lambda data: read(head + data), lambda size: part * (size // len(part)), MIB // 4) < LINEAR
