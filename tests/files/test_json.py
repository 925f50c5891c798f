"""JSON files: every form, strictly, in bounded memory; damage is told by place and never by content."""

from __future__ import annotations

import io
import json
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plainview.documents.flatten import flatten
from plainview.documents.json_lines import JsonLines
from plainview.documents.json_marks import marks_of
from plainview.errors import LimitError, PlainviewError
from plainview.files.encodings.blocks import Utf8Blocks
from plainview.files.formats.json import cut as json_cut
from plainview.files.formats.json import read as json_
from plainview.files.formats.json.cut import Cutter
from plainview.tables import Batch, Input, Limits, ReadLog

CANARY = "canary.7f3a@example.org"


def source(data: bytes, name: str = "x.json", limits: Limits | None = None, head: int = 65536) -> Input:
    return Input(name, data[:head], lambda: io.BytesIO(data), len(data), None, limits or Limits())


def scan(
    data: bytes, name: str = "x.json", limits: Limits | None = None, head: int = 65536
) -> tuple[pl.DataFrame, list[str]]:
    """Return all rows, and what was told."""
    log = ReadLog()
    frames: list[pl.DataFrame] = []
    told: list[str] = []
    try:
        for batch in json_.read(source(data, name, limits, head), log):
            assert isinstance(batch, Batch)
            assert batch.table.name == name
            frames.append(flatten(batch.frame))
    except PlainviewError as error:
        told.append(str(error))
    told += [why for _, why in log.skipped]
    assert CANARY not in str(told)
    return (pl.concat(frames, how="diagonal_relaxed") if frames else pl.DataFrame()), told


def rows(data: bytes, name: str = "x.json") -> dict[str, list[Any]]:
    frame, told = scan(data, name)
    assert told == []
    return frame.to_dict(as_series=False)


def test_lines():
    assert rows(b'{"a":1}\n\n {"a":2,"b":{"c":"x"}} \r\n{"a":3}', "x.ndjson") == {
        "a": [1, 2, 3],
        "b.c": [None, "x", None],
    }


def test_one_array():
    expected = {"a": [1, 2], "b[]": [None, [1, 2]]}
    assert rows(b'[{"a":1},{"a":2,"b":[1,2]}]') == expected
    assert rows(b'\xef\xbb\xbf [\n  {"a": 1},\n  {"a": 2,\n "b": [1,\n2]}\n]\n') == expected


def test_one_object_is_one_row():
    assert rows(b'{"users":[{"email":"a@b.c"},{"email":"d@e.f"}],\n "n": {"x": 1}}') == {
        "users[].email": [["a@b.c", "d@e.f"]], "n.x": [1],
    }  # fmt: skip
    hits = b'{"took":3,"hits":{"total":1,"hits":[{"_id":"7","_source":{"name":"Anna"}}]}}'
    assert rows(hits)["hits.hits[]._source.name"] == [["Anna"]]


def test_scalars_and_arrays_as_rows():
    assert rows(b'["a", "b"]') == {"value": ["a", "b"]}
    assert rows(b"[[1,2],[3]]") == {"value[]": [[1, 2], [3]]}
    assert rows(b'"just text"') == {"value": ["just text"]}
    assert rows(b"42\n") == {"value": [42]}
    assert rows(b"[]") == {}
    assert rows(b"{}") == {}


def test_concatenated_objects():
    assert rows(b'{"a":1}{"a":2} {"a":3}') == {"a": [1, 2, 3]}
    assert rows(b'{\n "a": 1\n}\n{\n "a": 2\n}\n') == {"a": [1, 2]}


def test_map_of_values_at_the_top():
    data = json.dumps({f"user{i}@example.org": {"age": i} for i in range(5)}).encode()
    frame, told = scan(data)
    assert (frame.columns, told) == (["{}", "{}.age"], [])


def test_elasticsearch_bulk():
    data = b"".join(b'{"index":{"_index":"people","_id":"%d"}}\n{"name":"n%d","n":%d}\n' % (i, i, i) for i in range(3))
    data += b'{"delete":{"_index":"people","_id":"9"}}\n{"create":{"_index":"q"}}\n{"name":"z","n":4}\n'
    assert rows(data, "dump.json") == {
        "name": ["n0", "n1", "n2", "z"], "n": [0, 1, 2, 4], "_id": ["0", "1", "2", None],
        "_index": ["people", "people", "people", "q"],
    }  # fmt: skip


def test_bulk_pairs_across_blocks_and_damage(monkeypatch):
    monkeypatch.setattr(json_, "BLOCK", 64)
    data = b"".join(b'{"index":{"_id":"%d"}}\n{"name":"n%d"}\n' % (i, i) for i in range(50))
    frame, told = scan(data.replace(b'{"name":"n7"}', b'{"name":"%s"' % CANARY.encode()))
    assert frame["_id"].to_list() == [str(i) for i in range(50) if i != 7]
    assert frame["name"].to_list() == [f"n{i}" for i in range(50) if i != 7]
    assert told == ["1 line(s) not valid JSON: line 16"]


def test_mongoexport():
    line = {"_id": {"$oid": "5f"}, "at": {"$date": "2020-01-01T00:00:00Z"}, "n": {"$numberLong": "5"},
            "d": {"$numberDecimal": "1.5"}, "q": {"$exists": True}, "b": {"$binary": {"base64": "AA==", "subType": "00"}},
            "l": [{"$oid": "6f"}]}  # fmt: skip
    for data in (json.dumps(line).encode() + b"\n", json.dumps([line], indent=2).encode()):
        frame, told = scan(data)
        assert told == []
        assert frame.to_dict(as_series=False) == {
            "_id": ["5f"], "at": ["2020-01-01T00:00:00Z"], "n": [5], "d": [1.5], "q.$exists": [True], "b": ["AA=="],
            "l[]": [["6f"]],
        }  # fmt: skip


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-32", "utf-8-sig"])
def test_other_encodings(encoding):
    data = '[{"name": "Müller 张"}]'.encode(encoding)
    assert rows(data) == {"name": ["Müller 张"]}


@pytest.mark.parametrize(
    "data",
    [b"", b"  \n", b"[", b"]", b"[1,]", b"[,1]", b"[1,,2]", b"[1 true]", b"[3[4]]", b"[1]]", b"[][]", b"[1]x", b"{}}",
     b"[-01]", b"[1.e3]", b"[NaN]", b"[+1]", b"[.5]", b"[0x1]", b"['a']", b'["\x01"]', b'["a\nb"]', b'["\\x"]', b'["\\u12"]',
     b'{"a":1,}', b'{"a" 1}', b"{a:1}", b'{"a":1}/**/', b'{"a":"a" 123}', b'["a"', b'["a', b"[1}", b'{"a":1]', b"nul", b"abc",
     b"[" * 100_000, b"[" * 5000 + b"]" * 5000, b'[{"":' * 50_000, b'["\xff]', b'{"a":1},{"a":2}', b"\x00", b"\x0c[1]"],
)  # fmt: skip
def test_bad_json_is_told(data):
    _, told = scan(data)
    assert told


@pytest.mark.parametrize(
    "data",
    [b'{"a":1,"a":2}', b'["\\ud800"]', b"[1e400]", b"[123123e100000]", b"[" + b"9" * 5000 + b"]", b'["\\u0000"]', b"[-0]",
     b'["\x7f"]', b'[ ]', b'{"":0}', b" [] ", b"[[[]]]", b"[1E+2]", b'["\\"\\\\\\/"]', "[\"\u2028\"]".encode()],
)  # fmt: skip
def test_good_json_is_read_without_a_word(data):
    frame, told = scan(data)
    assert told == []
    assert frame.height <= 1


def test_damage_in_the_midst():
    frame, told = scan(b'{"a":1}\n{"a": %s\n{"a":3}\n' % CANARY.encode())
    assert frame["a"].to_list() == [1, 3]
    assert told == ["1 line(s) not valid JSON: line 2"]
    frame, told = scan(b'[{"a":1},{"a": %s},{"a":3}]' % CANARY.encode())
    assert frame["a"].to_list() == [1, 3]
    assert told == ["1 element(s) not valid JSON: element 2"]
    frame, told = scan(b'[{"a":1},{"a":2},{"a": "%s' % CANARY.encode())
    assert frame["a"].to_list() == [1, 2]
    assert told == ["bad JSON: it ends inside a value (truncated)"]


@pytest.mark.parametrize("form", ["lines", "array", "object"])
def test_what_python_writes_for_numbers_that_are_none_loses_no_row(form):
    docs = [{"a": n, "mail": CANARY, "x": [1.5, float("nan"), float("-inf")]} for n in range(30)]
    text = "\n".join(map(json.dumps, docs)) if form == "lines" else json.dumps(docs if form == "array" else docs[0])
    frame, told = scan(text.encode())
    count = 1 if form == "object" else 30
    assert frame["mail"].to_list() == [CANARY] * count
    assert [cell[0] for cell in frame["x[]"].to_list()] == [1.5] * count
    assert len(told) == 1
    assert told[0].endswith("hold NaN or Infinity, which is not valid JSON: read without these numbers")


def test_a_sequence_of_texts():
    """RFC 7464, as GeoJSON sequences and `jq --seq` have it."""
    frame, told = scan("".join(f'\x1e{{"a": {n},\n"b": "x"}}\n' for n in range(5)).encode())
    assert (frame["a"].to_list(), told) == ([0, 1, 2, 3, 4], [])


def test_first_line_damaged():
    frame, told = scan(b'{"a": %s\n{"a":2}\n{"a":3}\n' % CANARY.encode(), "x.ndjson")
    assert frame["a"].to_list() == [2, 3]
    assert told == ["1 line(s) not valid JSON: line 1"]


def test_blocks_and_steps_of_any_size_cut_alike(monkeypatch):
    docs = [{"a": i, "t": 'q"\\' * (i % 4) + "]},{[", "n": {"l": [i, [i]]}} for i in range(200)]
    data = json.dumps(docs, indent=1).encode()
    expected, _ = scan(data)
    for block, step in ((1, 7), (64, 3), (100, 1000)):
        monkeypatch.setattr(json_, "BLOCK", block)
        monkeypatch.setattr(json_cut, "STEP", step)
        frame, told = scan(data if block > 1 else data[:2000] + b"")
        if block > 1:
            assert told == []
            assert frame.equals(expected)


def test_a_huge_object_is_read_in_parts(monkeypatch):
    monkeypatch.setattr(json_, "BLOCK", 1000)
    monkeypatch.setattr(json_cut, "SPLIT", 3000)
    users = [{"email": f"u{i}@x.org", "tags": ["a", "b"], "o": {"x": i}} for i in range(3000)]
    data = json.dumps({"meta": {"v": [1, 2]}, "hits": {"hits": users}, "end": "z"}).encode()
    frame, told = scan(data, limits=Limits(memory=20_000))
    assert told == []
    assert frame.height > 5
    assert frame["hits.hits[].email"].explode().drop_nulls().to_list() == [u["email"] for u in users]
    assert frame["hits.hits[].o.x"].explode().drop_nulls().to_list() == list(range(3000))
    assert frame["meta.v[]"].explode().drop_nulls().to_list() == [1, 2]
    assert frame["end"].drop_nulls().to_list() == ["z"]


def test_a_value_that_cannot_be_cut_stops_at_the_memory_limit():
    data = b'{"a":"' + b"x" * 200_000
    _, told = scan(data, limits=Limits(memory=100_000))
    assert "memory limit" in told[0] or "truncated" in told[0]


def test_keys_that_are_values_never_become_names():
    docs = [{"by": {f"u{i}@example.org": {"n": i}, CANARY: {"n": 1}}} for i in range(50)]
    for data in (b"".join(json.dumps(d).encode() + b"\n" for d in docs), json.dumps(docs).encode()):
        frame, told = scan(data)
        assert (frame.columns, told) == (["by.{}", "by.{}.n"], [])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=4),
    max_leaves=15,
)


@settings(max_examples=150, deadline=None)
@given(st.lists(JSON, max_size=6), st.integers(1, 50), st.sampled_from([None, 1]))
def test_the_cutter_finds_the_elements(values, size, indent):
    data = json.dumps(values, indent=indent).encode()
    cutter = Cutter(1 << 20)
    pieces = [p for at in range(0, len(data), size) for p in cutter.feed(data[at : at + size])]
    cutter.end()
    assert cutter.problems == {}
    assert [json.loads(p) for p in pieces] == values


@settings(max_examples=200, deadline=None)
@given(st.text('[]{}",:\\ \n1ae', max_size=30))
def test_what_python_refuses_is_told(text):
    _, told = scan(text.encode())
    try:
        json.loads(text)
    except ValueError:
        lines = [line for line in text.split("\n") if line.strip()]
        try:
            for line in lines:
                json.loads(line)
        except ValueError:
            # objects one after the other are read as well; everything else has to be told
            assert told or text.strip()[:1] == "{"
    else:
        assert not told


def test_columns_stand_in_the_order_of_the_first_documents(tmp_path):
    """Polars gives the fields of objects in an order of its own, another one in each run."""
    fields = [f"key_{n * 7 % 40}" for n in range(40)]
    docs = [
        {"a": {"b": dict.fromkeys(fields[:30], "x"), "l": [dict.fromkeys(fields, 1)]}},
        {"a": {"b": dict.fromkeys(fields, "y")}},
    ]
    path = tmp_path / "docs.ndjson"
    path.write_text("".join(json.dumps(doc) + "\n" for doc in docs * 20))
    frame = JsonLines().read(path.read_bytes())
    wanted = [f"a.b.{k}" for k in fields[:30]] + [f"a.l[].{k}" for k in fields] + [f"a.b.{k}" for k in fields[30:]]
    assert sorted(flatten(frame).columns) == sorted(wanted)
    assert [c for c in flatten(frame).columns if c.startswith("a.b")] == [c for c in wanted if c.startswith("a.b")]
    assert [c for c in flatten(frame).columns if c.startswith("a.l")] == [c for c in wanted if c.startswith("a.l")]


@pytest.mark.parametrize("size", [0, 1, 2, 65535, 65536, 65537, 131073])
def test_marks_are_counted_across_pieces(size):
    for text in (b'":' * size, b'x":' * size, b"[{\n" * size):
        block = text[:size]
        marks = marks_of(block)
        assert (marks.breaks, marks.keys) == (block.count(b"\n"), block.count(b'":'))
        assert marks.brackets == block.count(b"{") + block.count(b"[")


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from(["Anna", "Zoë Ångström", "Długa 5", "дом", "x" * 90]), min_size=1, max_size=60),
    st.sampled_from(["utf-8", "latin-1", "windows-1251", "damaged"]),
    st.integers(40, 3000),
    st.booleans(),
)
def test_blocks_that_the_parser_validates_give_the_same(names, encoding, block, ascii_first):
    names = ["plain"] * 200 * ascii_first + names
    codec = "utf-8" if encoding == "damaged" else encoding
    lines = [json.dumps({"name": name}, ensure_ascii=False).encode(codec, "ignore") for name in names]
    if encoding == "damaged":
        lines[len(lines) // 2] = b'{"name": "\xff\xfe"}'
    data = b"\n".join(lines) + b"\n"
    results = []
    for eager in (True, False):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(json_, "BLOCK", block)
            if eager:
                patch.setattr(Utf8Blocks, "_trusted", lambda self, data: False)
            results.append(scan(data, "x.ndjson", head=64))
    assert results[0][0].equals(results[1][0])
    assert results[0][1] == results[1][1]


def test_deep_brackets_do_not_take_a_look_for_each_level() -> None:
    data = b"[" * (17 << 20)
    source = Input("a.json", data[:65536], lambda: io.BytesIO(data), len(data))
    with pytest.raises(LimitError, match="nested deeper than 64 levels"):
        list(json_.read(source, ReadLog()))


def test_a_huge_object_is_cut_between_its_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_cut, "SPLIT", 20_000)
    monkeypatch.setattr(json_, "BLOCK", 5_000)
    users = {f"u{i}": {"mail": f"m{i}@example.org", "tags": ["a", "b"]} for i in range(3_000)}
    data = json.dumps({"meta": {"v": 1}, "users": users, "end": 2}).encode()
    cutter = json_cut.Cutter(1 << 20)
    pieces = [json.loads(piece) for at in range(0, len(data), 5_000) for piece in cutter.feed(data[at : at + 5_000])]
    cutter.end()
    assert not cutter.problems
    assert len(pieces) > 5
    merged: dict[str, object] = {}
    for piece in pieces:
        merged.update(piece.get("users", {}))
    assert merged == users
    assert [piece["end"] for piece in pieces if "end" in piece] == [2]


def test_keys_of_one_row_are_not_columns_of_millions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plainview.documents.walk.CELLS", 400_000)
    wide = json.dumps({f"k{i}": ["x", 1, None, {"a": 1}][i % 4] for i in range(900)})
    data = (b"{}\n" * 1_999) + wide.encode() + b"\n"
    log = ReadLog()
    source = Input("a.ndjson", data[:65536], lambda: io.BytesIO(data), len(data))
    frames = [batch.frame for batch in json_.read(source, log)]
    assert sum(frame.height for frame in frames) == 2_000
    assert max(frame.height * frame.width for frame in frames) <= 400_000
    assert "more than 200 columns in 2,000 rows read together" in str(log.skipped)


@pytest.mark.parametrize(
    ("document", "rows"),
    [
        ({"data": [{"id": n} for n in range(1000)]}, 1000),
        ({"meta": {"n": 1}, "response": {"start": 0, "docs": [{"id": n} for n in range(50)]}}, 50),
        ({"users": {f"u{n:05}": {"id": n, "tags": ["a", "b"]} for n in range(1000)}}, 1000),
        ({"values": [[n, "x"] for n in range(40)]}, 40),
        ({"id": 1, "who": "x", "when": "y", "total": 3, "lines": [{"n": 1}, {"n": 2}]}, 1),
        ({"name": "x", "version": "y", "scripts": {"a": "b"}, "tags": ["x", "y", "z", "v", "w"]}, 1),
        ({}, 1),
    ],
)
@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("split", [2048, 1 << 20])
def test_rows_are_records(document, rows, indent, split, monkeypatch):
    monkeypatch.setattr(json_cut, "SPLIT", split)
    monkeypatch.setattr(json_, "SPLIT", split)
    data = json.dumps(document, indent=indent).encode()
    batches = list(json_.read(Input("t.json", data[:65536], lambda: io.BytesIO(data), len(data)), ReadLog()))
    assert sum(batch.frame.height + batch.more for batch in batches) == rows


def test_texts_that_end_with_nul() -> None:
    data = b"".join(b'{"short_message": "login", "_email": "u%d@x.org"}\0' % n for n in range(50))
    frame, told = scan(data, "a.gelf")
    assert told == []
    assert frame["_email"].n_unique() == 50


def test_a_nul_elsewhere_is_damage() -> None:
    assert scan(b"[\0]")[1]
    assert scan(b'{"a": \0 1}')[1]
