"""Nested data become paths; keys that are values become `{}`; nothing is lost and nothing fails."""

from __future__ import annotations

import datetime as dt
import decimal
import itertools
import json
import uuid
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plainview.documents.flatten import flatten, nested_to_paths
from plainview.documents.json_lines import JsonLines
from plainview.documents.keys import looks_like_value, part
from plainview.documents.scalars import to_text
from plainview.documents.walk import documents_to_frame
from plainview.tables import Limits, ReadLog

CANARY = "canary.7f3a@example.org"


def json_bytes_to_frame(data: bytes, *, log: ReadLog | None = None, name: str = "") -> pl.DataFrame:
    lines = JsonLines(log=log, name=name)
    frame = lines.read(data) if data.strip() else pl.DataFrame()
    lines.finish()
    return frame


def cells(frame: pl.DataFrame) -> dict[str, list[str]]:
    """All cells that are not null, as sorted text, by path."""
    found: dict[str, list[str]] = {}
    for column in frame.iter_columns():
        values = column.explode() if isinstance(column.dtype, pl.List) else column
        texts = sorted(to_text(v) for v in values.drop_nulls().to_list())
        if texts:
            found[column.name] = texts
    return found


def test_flat_frame_is_returned_as_it_is():
    frame = pl.DataFrame({"a": [1], "b": ["x"], "c": [1.5]})
    assert flatten(frame) is frame


def test_structs_and_lists_become_paths():
    frame = pl.DataFrame(
        {
            "address": [{"street": "x", "geo": {"lat": 1.5}}, None],
            "phones": [["1", "2"], []],
            "orders": [[{"card": "9", "lines": [{"n": [1, 2]}, {"n": [3]}]}], None],
            "matrix": [[[1, 2], [3]], [[4]]],
        }
    )
    flat = flatten(frame)
    assert flat.to_dict(as_series=False) == {
        "address.street": ["x", None],
        "address.geo.lat": [1.5, None],
        "phones[]": [["1", "2"], []],
        "orders[].card": [["9"], None],
        "orders[].lines[].n[]": [[1, 2, 3], None],
        "matrix[][]": [[1, 2, 3], [4]],
    }
    assert flatten(flat).schema == flat.schema


def test_documents_give_the_same_as_a_nested_frame():
    docs = [
        {"a": {"b": 1}, "l": ["x"], "o": [{"c": "1", "d": [1, 2]}, {"c": "2", "d": [3]}]},
        {"a": {"b": 2}, "l": ["y", "z"], "o": [{"c": "3", "d": [4]}]},
    ]
    assert documents_to_frame(docs).to_dict(as_series=False) == flatten(pl.DataFrame(docs)).to_dict(as_series=False)


def test_vectors_keep_their_length_also_inside_lists():
    frame = pl.DataFrame({"v": [[0.1] * 128], "faces": [[{"e": [0.5] * 128}, {"e": [0.1] * 128}]]})
    flat = flatten(frame)
    assert flat["v[]"].list.len().to_list() == [128]
    assert flat["faces[].e[]"].to_list() == [[[0.5] * 128, [0.1] * 128]]
    docs = documents_to_frame([{"faces": [{"e": [0.5] * 128}, {"e": [0.1] * 128}]}])
    assert docs["faces[].e[]"].to_list() == [[[0.5] * 128, [0.1] * 128]]
    array = flatten(pl.DataFrame({"v": pl.Series([[0.5] * 128], dtype=pl.Array(pl.Float32, 128))}))
    assert array.schema == {"v[]": pl.Array(pl.Float32, 128)}


def test_map_entries_of_columnar_formats():
    frame = pl.DataFrame({"m": [[{"key": CANARY, "value": {"age": 3}}], []], "s": [[{"key": "k", "value": "v"}], None]})
    flat = flatten(frame)
    assert flat.columns == ["m.{}", "m.{}.age", "s.{}", "s.{}.*"]
    assert flat["m.{}"].to_list() == [[CANARY], []]
    assert flat["m.{}.age"].to_list() == [[3], []]


@pytest.mark.parametrize(
    "key",
    [CANARY, "0049170123456", "+49 170 1234567", "2024-01-31", "550e8400-e29b-41d4-a716-446655440000",
     "5f4dcc3b5aa765d61d8327deb882cf99", "192.168.0.1", "00:1a:2b:3c:4d:5e", "fe80::1", "12", "Muster, Anna",
     "https://example.org/a", "x" * 200],
)  # fmt: skip
def test_keys_that_are_values(key):
    assert looks_like_value(key)
    for frame in (documents_to_frame([{"users": {key: {"age": 1}, "plain": {"age": 2}}}]),
                  flatten(pl.DataFrame({"users": [{key: {"age": 1}, "plain": {"age": 2}}]}))):  # fmt: skip
        assert not any(key in path for path in frame.columns)
        assert frame["users.{}"].to_list() == [[key]]
        assert frame["users.{}.age"].to_list() == [[1]]
        assert frame["users.plain.age"].to_list() == [2]


@pytest.mark.parametrize(
    "key", ["name", "firstName", "address line 2", "@id", "@timestamp", "$ref", "x-request-id", "+1", "姓名",
            "addr:street", "sha1", "ipv4", "phone_2", "a.b", "Fecha de nacimiento"],
)  # fmt: skip
def test_keys_that_are_names(key):
    assert not looks_like_value(key)
    assert documents_to_frame([{key: 1}]).columns == [part(key)] == [key]


@pytest.mark.parametrize(
    "doc",
    [
        {"phones": {"home": {"n": "1"}, "work": {"n": "2"}, "mobile": {"n": "3"}}},
        {"title": {"en": "a", "de": "b", "fr": "c"}},
        {"address": {"billing": {"street": "x", "city": "y"}, "shipping": {"street": "x", "city": "y"}}},
    ],
)
def test_small_objects_stay_names(doc):
    assert not any("{}" in path for path in documents_to_frame([doc] * 50).columns)


def test_many_rare_keys_of_one_shape_are_a_map():
    names = ["anna", "bob", "chloé", "darya"]
    docs = [{"by": {f"{names[i % 4]}{chr(97 + i // 26)}{chr(97 + i % 26)}": {"age": i}}} for i in range(200)]
    frame = documents_to_frame(docs)
    assert frame.columns == ["by.{}", "by.{}.age"]
    assert sum(map(len, frame["by.{}"].to_list())) == 200


def test_people_as_keys_of_few_objects_are_a_map():
    doc = {
        "Anna Muster": {"age": 1, "city": "x"},
        "Bob Smith": {"age": 2, "city": "y"},
        "Cleo Roy": {"age": 3, "city": "z"},
    }
    frame = documents_to_frame([doc])
    assert frame.columns == ["{}", "{}.age", "{}.city"]


def test_wide_records_are_no_map():
    docs = [{f"question_{chr(97 + i // 26)}{chr(97 + i % 26)}": i for i in range(300)} for _ in range(5)]
    assert documents_to_frame(docs).width == 300


def test_maps_are_remembered_between_batches():
    maps: set[str] = set()
    documents_to_frame([{"u": {"1": 1, "2": 1, "3": 2}}], maps=maps)
    assert documents_to_frame([{"u": {"other": 5}}], maps=maps).columns == ["u.{}", "u.{}.*"]


def test_mixed_types_lose_nothing():
    docs = [{"a": 1, "l": [1, "x", {"y": 2}, [3]]}, {"a": "x", "l": 5}, {"a": {"b": True}, "l": None}, {"a": 1.5}]
    assert cells(documents_to_frame(docs)) == {
        "a": ["1", "1.5", "x"], "a.b": ["true"], "l": ["5"], "l[]": ["1", "x"], "l[].y": ["2"], "l[][]": ["3"],
    }  # fmt: skip


def test_types_are_kept_where_uniform():
    key = uuid.uuid4()
    docs = [{"i": 1, "f": 1.5, "b": b"\x00\xff", "d": dt.date(2020, 1, 2), "t": dt.datetime.fromisoformat("2020-01-02T03:00"),
             "n": decimal.Decimal("1.50"), "u": key, "y": True}]  # fmt: skip
    frame = documents_to_frame(docs)
    assert dict(frame.schema) == {
        "i": pl.Int64, "f": pl.Float64, "b": pl.Binary, "d": pl.Date, "t": pl.Datetime("us"),
        "n": pl.Decimal(38, 2), "u": pl.String, "y": pl.Boolean,
    }  # fmt: skip
    assert frame["u"].item() == str(key)


def test_extended_json_is_the_same_in_both_readers():
    docs = [{"_id": {"$oid": "5f"}, "at": {"$date": {"$numberLong": "1600000000000"}}, "n": {"$numberInt": "5"},
             "f": {"$numberDouble": "1.5"}, "bad": {"$numberLong": "x"}, "m": {"$date": 5}, "s": {"$date": "2020"}}]  # fmt: skip
    fast, slow = nested_to_paths(pl.DataFrame(docs)), documents_to_frame(docs)
    assert fast.to_dict(as_series=False) == slow.to_dict(as_series=False)
    assert fast.schema == slow.schema


def test_odd_values_and_keys_do_not_fail():
    docs: list[dict[str, Any]] = [
        {"": 1, "a[]": 2, "b{}": 3, "c\x1b[31m": 4, "d'": 5, "\ud800": 6, "big": 10**40, "nan": float("nan"),
         "lone": "\ud800", "dec": decimal.Decimal("NaN"), "exp": decimal.Decimal("1E+6144"), "tz":
         dt.datetime(2020, 1, 1, tzinfo=dt.UTC), "set": {1}, "obj": object},
        {"tz": dt.datetime.fromisoformat("2020-01-01"), "huge": 10**9000},
    ]  # fmt: skip
    frame = documents_to_frame(docs)
    assert frame.height == 2
    assert {"''", "'a[]'", "'b{}'", "'d'''"} <= set(frame.columns)
    assert not any("\x1b" in path for path in frame.columns)
    assert frame["big"].to_list()[0] == str(10**40)


def test_keys_that_are_no_strings_and_numpy_values():
    frame = documents_to_frame([{1: "a", None: {2.5: "b"}, "v": np.array([1, 2]), "s": np.int64(5)}])
    assert cells(frame) == {"{}": ["1"], "{}.*": ["a"], "None.2.5": ["b"], "v[]": ["1", "2"], "s": ["5"]}


def test_depth_and_width_are_told_without_values():
    deep: Any = CANARY
    for _ in range(500):
        deep = {"a": deep}
    log = ReadLog()
    frame = documents_to_frame([deep], log=log, name="t")
    assert frame.height == 1
    assert len(log.skipped) == 1
    assert "64 levels" in log.skipped[0][1]
    log = ReadLog()
    wide = documents_to_frame(
        [{f"k{i % 7}_{i}": CANARY for i in range(50)}], limits=Limits(columns=10), log=log, name="t"
    )
    assert wide.width == 10
    assert "40 left out" in log.skipped[0][1]
    assert CANARY not in str(log.skipped)


def test_json_text_in_a_column_is_taken_apart():
    good = json.dumps({"user": {"email": CANARY}, "tags": ["a", "b"]}, indent=1)
    frame = pl.DataFrame({"id": [1, 2, 3], "payload": [good, None, '{"user":{"email":"b@x.org"}}']})
    flat = flatten(frame)
    assert flat.columns == ["id", "payload.user.email", "payload.tags[]"]
    assert flat["payload.user.email"].to_list() == [CANARY, None, "b@x.org"]
    broken = flatten(frame.with_columns(payload=pl.Series([good, '{"user": ' + CANARY, good])))
    assert broken["payload"].to_list() == [None, '{"user": ' + CANARY, None]
    assert broken["payload.user.email"].to_list() == [CANARY, None, CANARY]


def test_json_in_json_text():
    inner = json.dumps({"a": json.dumps({"b": CANARY})})
    assert flatten(pl.DataFrame({"x": [inner]})).to_dict(as_series=False) == {"x.a.b": [CANARY]}


def test_xml_text_in_a_column_is_taken_apart_and_kept():
    frame = pl.DataFrame(
        {"cv": ['<?xml version="1.0" encoding="utf-8"?><r:cv xmlns:r="u"><r:Name n="1">Anna</r:Name></r:cv>']}
    )
    flat = flatten(frame)
    assert flat.columns == ["cv", "cv.Name.@n", "cv.Name"]
    assert flat["cv.Name"].to_list() == ["Anna"]


@pytest.mark.parametrize(
    "text", ["[note] call back", "{", "<p>Hello <b>you</b></p>", "<3", "[", "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"]
)
def test_text_that_only_begins_so_stays_text(text):
    frame = pl.DataFrame({"t": [text] * 3})
    assert flatten(frame).equals(frame)


def test_json_bytes_lose_no_row():
    data = (
        b'{"a":1}\n{"a":"x","n":{"m":1}}\n\n{"a":123456789012345678901234567890}\n{"a":1,"a":"twice"}\n'
        b'{"a":"\\ud800"}\n{"a":1e400}\n{"b":[]}\r\n{"b":[1]}'
    )
    log = ReadLog()
    frame = flatten(json_bytes_to_frame(data, log=log, name="t"))
    assert frame.height == 8
    assert not log.skipped
    assert "twice" in cells(frame)["a[]"]


def test_bad_lines_are_told_by_number_only():
    data = b'{"a":1}\n{"a":%s\n{"a":3}\n[1\n' % CANARY.encode()
    log = ReadLog()
    frame = json_bytes_to_frame(data, log=log, name="t")
    assert frame.height == 2
    assert log.skipped == [("t", "2 line(s) not valid JSON: line 2, 4")]


def test_new_keys_in_later_blocks_are_seen():
    reader = JsonLines()
    many = b"".join(b'{"a":%d,"s":{"x":"y: \\"z\\": 1"}}\n' % i for i in range(100))
    assert flatten(reader.read(many)).columns == ["a", "s.x"]
    assert reader.schema is not None
    assert cells(flatten(reader.read(b'{"a":1,"s":{"x":"q","late":"%s"},"n":null}\n' % CANARY.encode()))) == {
        "a": ["1"], "s.x": ["q"], "s.late": [CANARY],
    }  # fmt: skip
    assert flatten(reader.read(b'{"a":1,"l":[{"k":[]},{"k":[5]}]}\n'))["l[].k[]"].to_list() == [[5]]
    assert flatten(reader.read(b'{"a":3,"s":{"x":["z"]}}\n'))["s.x[]"].to_list() == [["z"]]
    assert flatten(reader.read(b'{"a" : 7, "a" :8}\n'))["a[]"].to_list() == [[7, 8]]


KEYS = st.sampled_from(["a", "b", "c", "name", "x y"])
SCALARS = st.one_of(st.none(), st.integers(-(2**70), 2**70), st.text(st.characters(codec="utf-8"), max_size=8))
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=12
)
DOCS = st.lists(st.dictionaries(KEYS, VALUES, max_size=4), min_size=1, max_size=12)


def leaves(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [leaf for v in value.values() for leaf in leaves(v)]
    if isinstance(value, list):
        return [leaf for v in value for leaf in leaves(v)]
    return [] if value is None else [to_text(value)]


def lines(docs: list[Any]) -> bytes:
    return b"".join(json.dumps(doc).encode() + b"\n" for doc in docs)


@settings(max_examples=150, deadline=None)
@given(DOCS)
def test_every_leaf_comes_out(docs):
    expected = sorted(leaf for doc in docs for leaf in leaves(doc))
    for frame in (documents_to_frame(docs), flatten(json_bytes_to_frame(lines(docs)), limits=Limits())):
        assert frame.height == len(docs)
        if not any("{" in leaf or "[" in leaf or "<" in leaf for leaf in expected):
            assert sorted(text for column in cells(frame).values() for text in column) == expected


@settings(max_examples=150, deadline=None)
@given(DOCS, st.lists(st.integers(0, 12), max_size=3))
def test_any_split_gives_the_same_paths_and_cells(docs, cuts):
    whole = cells(documents_to_frame(docs))
    bounds = sorted({0, len(docs), *(c for c in cuts if c < len(docs))})
    reader = JsonLines()
    parts: dict[str, list[str]] = {}
    for low, high in itertools.pairwise(bounds):
        for path, texts in cells(nested_to_paths(reader.read(lines(docs[low:high])))).items():
            parts.setdefault(path, []).extend(texts)
    assert {path: sorted(texts) for path, texts in parts.items()} == whole


@settings(max_examples=100, deadline=None)
@given(st.lists(st.dictionaries(st.text(max_size=12), VALUES, max_size=5), min_size=1, max_size=6))
def test_any_key_is_survived(docs):
    frame = flatten(documents_to_frame(docs))
    assert frame.height == len(docs)
    assert not any(ord(c) < 32 for path in frame.columns for c in path)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_are_survived(data):
    log = ReadLog()
    json_bytes_to_frame(data, log=log, name="t")
    flatten(pl.DataFrame({"t": ["{" + data.decode("latin-1"), "<a" + data.decode("latin-1")]}))
