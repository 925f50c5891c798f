"""Columns cut out of BSON at once are those of the documents, for any documents; lying bytes give None."""

from __future__ import annotations

import datetime as dt
import random

import bson
import pytest
from bson.decimal128 import Decimal128
from bson.int64 import Int64
from hypothesis import given, settings
from hypothesis import strategies as st

from plainview.documents.bson import columns
from plainview.documents.walk import documents_to_frame
from plainview.stores.mongodb.answers import batch, starts
from plainview.tables import Limits, ReadLog

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(1 << 31), (1 << 31) - 1),
    st.integers(-(1 << 63), (1 << 63) - 1).map(Int64),
    st.floats(allow_nan=False),
    st.text(max_size=12),
    st.binary(min_size=12, max_size=12).map(bson.ObjectId),
    st.datetimes(min_value=dt.datetime(1, 1, 2), max_value=dt.datetime(9999, 12, 30)).map(  # noqa: DTZ001
        lambda d: d.replace(microsecond=0)
    ),
    st.binary(max_size=5),
    st.uuids().map(bson.Binary.from_uuid),
    st.just(Decimal128("1.50")),
)
VALUES = st.one_of(
    SCALARS, st.lists(SCALARS, max_size=3), st.dictionaries(st.sampled_from(["a", "b", "cc"]), SCALARS, max_size=3)
)
NAMES = st.sampled_from(["_id", "email", "e", "em", "phone", "größe", "a", "x.y"])
SAME_TYPE = st.one_of(*(st.lists(one, min_size=1, max_size=6) for one in (st.text(max_size=9), st.integers(0, 9))))


def answer(docs: list[dict[str, object]]) -> bytearray:
    return bytearray(bson.encode({"cursor": {"firstBatch": docs, "id": Int64(0), "ns": "a.b"}, "ok": 1.0}))


def both(docs: list[dict[str, object]]):
    raw = answer(docs)
    places = starts(raw)
    assert places is not None
    assert len(places) == len(docs)
    fast = columns(raw, places, limits=Limits(), log=ReadLog(), name="t", maps=set()) if places else None
    return fast, documents_to_frame(batch(raw)[0], maps=set())


@settings(max_examples=300, deadline=None)
@given(st.lists(st.dictionaries(NAMES, VALUES, max_size=6), min_size=1, max_size=8))
def test_the_same_as_by_documents(docs: list[dict[str, object]]) -> None:
    fast, slow = both(docs)
    if fast is not None:
        assert fast.height == slow.height
        assert set(fast.columns) == set(slow.columns)
        assert {c.name: (c.dtype, c.to_list()) for c in fast} == {c.name: (c.dtype, c.to_list()) for c in slow}


def test_documents_as_they_usually_are_take_the_quick_way() -> None:
    docs: list[dict[str, object]] = [
        {"_id": bson.ObjectId(), "email": f"p{n}@example.com", "n": n, "seen": dt.datetime(2020, 1, 1), "tags": ["a"],  # noqa: DTZ001
         "home": {"city": "Weimar"}, "ok": True, "score": n / 7}
        for n in range(500)
    ]  # fmt: skip
    for number in range(0, 500, 7):
        docs[number].pop("email")
        docs[number]["note"] = None
        docs[number]["more"] = "x"
    fast, slow = both(docs)
    assert fast is not None
    assert fast.select(slow.columns).equals(slow)
    assert fast.schema["seen"] == slow.schema["seen"]


@pytest.mark.parametrize(
    "doc",
    [
        {"anna@example.org": 1},
        {"Anna Muster": {"a": 1}},
        {"$date": 5},
        {"a[]": 1},
        {f"k{n}": n for n in range(100)},
        {"at": bson.datetime_ms.DatetimeMS(1 << 60)},
    ],
)
def test_odd_shapes_take_the_usual_way_or_give_the_same(doc: dict[str, object]) -> None:
    fast, slow = both([doc, doc])
    assert fast is None or fast.equals(slow)


def test_a_key_twice_takes_the_usual_way() -> None:
    one = bson.encode({"a": 1, "b": 2}).replace(b"\x10b\0", b"\x10a\0")
    raw = answer([bson.decode(one)]) + one
    assert columns(raw, [len(raw) - len(one)], limits=Limits(), log=ReadLog(), name="", maps=set()) is None


@settings(max_examples=400, deadline=None)
@given(st.integers(0, 1 << 32))
def test_damaged_bytes_raise_nothing(seed: int) -> None:
    chance = random.Random(seed)
    docs = [{"email": f"p{n}", "n": n, "list": [n], "inner": {"a": n}, "f": 0.5, "b": b"xy"} for n in range(4)]
    raw = answer(docs)
    places = starts(raw) or []
    for _ in range(chance.randint(1, 4)):
        raw[chance.randrange(len(raw))] = chance.choice([0, 1, 2, 3, 5, 10, 16, 127, 128, 255, chance.randrange(256)])
    for where in (places, starts(raw) or []):
        frame = columns(raw, where, limits=Limits(), log=ReadLog(), name="", maps=set())
        assert frame is None or frame.height == len(where)
