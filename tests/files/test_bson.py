"""BSON: types are kept, lengths are not believed, damage is told by number."""

from __future__ import annotations

import datetime as dt
import io
import uuid
from typing import Any

import bson
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plainview.documents.flatten import flatten
from plainview.errors import DamagedError
from plainview.files.formats import bson as bson_
from plainview.tables import Input, ReadLog

CANARY = "canary.7f3a@example.org"
GOOD = bson.encode({"_id": bson.ObjectId(b"x" * 12), "email": CANARY})


def scan(data: bytes) -> tuple[pl.DataFrame, list[str]]:
    log = ReadLog()
    frames: list[pl.DataFrame] = []
    told: list[str] = []
    source = Input("c.bson", data[:65536], lambda: io.BytesIO(data), len(data))
    try:
        frames.extend(flatten(batch.frame) for batch in bson_.read(source, log))
    except DamagedError as error:
        told.append(str(error))
    told += [why for _, why in log.skipped]
    assert CANARY not in str(told)
    return (pl.concat(frames, how="diagonal_relaxed") if frames else pl.DataFrame()), told


def test_types():
    when = dt.datetime.fromisoformat("2020-01-02T03:04:05")
    key = uuid.uuid4()
    doc = {
        "id": bson.ObjectId(b"x" * 12), "n": bson.Int64(2**40), "d": bson.Decimal128("1.50"), "at": when,
        "u4": bson.Binary(key.bytes, 4), "u3": bson.Binary(key.bytes, 3), "b": b"\x00\xff", "a": {"l": ["x", "y"]},
        "ts": bson.Timestamp(1_600_000_000, 1), "o": [{"card": "1"}, {"card": "2"}], "far": bson.datetime_ms.DatetimeMS(2**60),
        "ref": bson.DBRef("people", 5), "none": None, "nan": bson.Decimal128("NaN"),
    }  # fmt: skip
    frame, told = scan(bson.encode(doc))
    row = frame.row(0, named=True)
    assert told == []
    assert row["id"] == "78" * 12
    assert (row["n"], str(row["d"]), row["at"], row["b"]) == (2**40, "1.50", when, b"\x00\xff")
    assert row["u4"] == row["u3"] == str(key)
    assert row["a.l[]"] == ["x", "y"]
    assert row["o[].card"] == ["1", "2"]
    assert (row["ref.ref"], row["ref.id"]) == ("people", 5)
    assert frame.schema["ts"] == pl.Datetime("us")


@pytest.mark.parametrize(
    "tail",
    [b"\xff\xff\xff\x7f", b"\xff\xff\xff\xff", b"\x00\x00\x00\x00", b"\x04\x00\x00\x00", b"\x01\x00", GOOD[:-3],
     (48 << 20).to_bytes(4, "little") + b"x"],
)  # fmt: skip
def test_a_lying_or_cut_tail_is_told_and_the_rest_counts(tail):
    frame, told = scan(GOOD * 3 + tail)
    assert frame.height == 3
    assert len(told) == 1
    assert "after 3 documents" in told[0]


def test_a_damaged_document_is_told_by_number():
    bad = bytearray(GOOD)
    bad[4] = 0x7E  # no such type
    frame, told = scan(GOOD + bytes(bad) + GOOD)
    assert frame["email"].to_list() == [CANARY, CANARY]
    assert told == ["1 document(s) not valid BSON: number 2"]


def test_deep_documents_are_told():
    deep = bson.encode({})
    for _ in range(20_000):
        deep = (len(deep) + 8).to_bytes(4, "little") + b"\x03a\0" + deep + b"\0"
    frame, told = scan(GOOD + deep)
    assert frame.height == 1
    assert told


def test_lone_surrogate_bytes_and_keys_that_are_values():
    broken = bson.encode({"s": "abc"}).replace(b"abc", b"a\xffc")
    frame, told = scan(broken)
    assert (frame["s"].to_list(), told) == (["a\ufffdc"], [])
    frame, told = scan(bson.encode({"u": {CANARY: {"age": 1}}}))
    assert (frame.columns, told) == (["u.{}", "u.{}.age"], [])


def test_empty_file_is_an_empty_table():
    source = Input("c.bson", b"", io.BytesIO, 0)
    batches = list(bson_.read(source, ReadLog()))
    assert [(b.table.name, b.frame.height) for b in batches] == [("c.bson", 0)]


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(GOOD) * 2), st.binary(min_size=1, max_size=8))
def test_any_damage_is_survived(at: int, junk: bytes):
    data = GOOD * 2
    frame, _ = scan(data[:at] + junk + data[at + len(junk) :])
    assert frame.height <= 10


@settings(max_examples=50, deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from("abc"), st.integers(-(2**60), 2**60) | st.booleans()), max_size=8))
def test_all_documents_come_out(docs: list[dict[str, Any]]):
    frame, told = scan(b"".join(map(bson.encode, docs)))
    assert (frame.height, told) == (len(docs), [])


def test_a_key_twice_gives_both_values():
    inner = b"\x02a\0\x02\0\0\0x\0" + b"\x02a\0\x02\0\0\0y\0"
    doc = (len(inner) + 5).to_bytes(4, "little") + inner + b"\0"
    frame, told = scan(doc * 3 + bson.encode({"b": {"c": [1]}}))
    assert frame["a[]"].to_list()[:3] == [["x", "y"]] * 3
    assert frame["b.c[]"].to_list()[3] == [1]
    assert told == []
