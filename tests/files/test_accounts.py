"""Nothing is lost in silence: each word that a reader of our own was given stands in a row, or something is told."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plainview.files.accounts import accounted
from plainview.files.formats import reader
from plainview.files.source import FileSource
from plainview.tables import Batch, Input, ReadLog, Table

numbers = st.integers(0, 999_999)


def word(number: int) -> str:
    return f"tok{number:06}x"


def missing(data: str | bytes, kind: str, name: str) -> list[str]:
    """Return what the account says of a file."""
    raw = data.encode() if isinstance(data, str) else data
    log = ReadLog()
    source = Input(name, raw[:65536], lambda: io.BytesIO(raw), len(raw))
    for _ in accounted(reader(kind).read(source, log), source, kind, log):
        pass
    return [why for _, why in log.skipped if "stand in no row" in why]


# -- SQL: how rows may be written, and what may stand between them ------------------------------------------

VALUE = st.one_of(
    numbers.map(lambda n: f"'{word(n)}'"),
    numbers.map(lambda n: f"'it''s {word(n)}'"),
    numbers.map(lambda n: f"N'{word(n)}'"),
    numbers.map(lambda n: f"'a, ({word(n)}); b'"),
    st.just("NULL"),
    st.just("-1.5e3"),
)
ROW = st.lists(VALUE, min_size=3, max_size=3).map(lambda cells: f"({', '.join(cells)})")
BETWEEN = st.sampled_from([",", ",\n", "\n,", " ,\n  ", ", /* c */ ", "\n, -- c\n"])


@st.composite
def inserts(draw: st.DrawFn) -> str:
    """Write a statement with rows in one of the ways of the tools."""
    rows = draw(st.lists(ROW, min_size=1, max_size=5))
    form = draw(st.integers(0, 8))
    head = draw(
        st.sampled_from(["INSERT INTO t", "INSERT IGNORE INTO `t`", "insert into t (a, b, c)", 'REPLACE INTO "t"'])
    )
    if form <= 3:
        between = draw(BETWEEN)
        return f"{head} VALUES{draw(st.sampled_from([' ', chr(10)]))}{between.join(rows)};\n"
    cells = rows[0].strip("()")
    if form == 4:
        return f"{head} SELECT {cells};\n"
    if form == 5:
        parts = cells.split(", ", 2)
        return "INSERT INTO t SET " + ", ".join(f"{n} = {v}" for n, v in zip("abc", parts, strict=False)) + ";\n"
    if form == 6:
        return (
            f"MERGE INTO t USING (VALUES {rows[0]}) s (a, b, c) ON t.a = s.a WHEN NOT MATCHED THEN INSERT VALUES (1);\n"
        )
    if form == 7:
        return f"UPSERT INTO t VALUES {rows[0]};\n"
    return f"CALL add_one({cells});\n"


@st.composite
def copies(draw: st.DrawFn) -> str:
    rows = draw(st.lists(st.lists(numbers, min_size=3, max_size=3), min_size=1, max_size=5))
    lines = "".join("\t".join(map(word, row)) + "\n" for row in rows)
    return f"COPY t (a, b, c) FROM stdin;\n{lines}\\.\n"


@given(st.lists(st.one_of(inserts(), copies(), st.just("COMMIT;\n"), st.just("-- a comment\n\n")), max_size=6))
@settings(max_examples=250, deadline=None)
def test_no_row_of_a_dump_is_lost_in_silence(statements: list[str]) -> None:
    dump = "CREATE TABLE t (a text, b text, c text);\n" + "".join(statements)
    assert missing(dump, "sql_dump", "a.sql") == []


# -- JSON ---------------------------------------------------------------------------------------------------

LEAF = st.one_of(numbers.map(word), st.integers(-5, 5), st.none(), st.booleans())
TREE = st.recursive(
    LEAF,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.sampled_from("abcdef"), inner, max_size=4)),
    max_leaves=12,
)


@given(st.lists(TREE, max_size=5), st.sampled_from(["lines", "array", "object", "row", "indented"]))
@settings(max_examples=250, deadline=None)
def test_no_value_of_json_is_lost_in_silence(values: list[object], form: str) -> None:
    made = {
        "lines": "".join(json.dumps(value) + "\n" for value in values),
        "array": json.dumps(values),
        "object": json.dumps({"data": values}),
        "row": " ".join(map(json.dumps, values)),
        "indented": json.dumps(values, indent=2),
    }[form]
    if made.lstrip()[:1] in ("{", "["):
        assert missing(made, "json", "a.json") == []


# -- delimited text and lines -------------------------------------------------------------------------------

CELL = st.one_of(
    numbers.map(word), st.just(""), numbers.map(lambda n: f'"{word(n)}"'), numbers.map(lambda n: f'"a ""{word(n)}"" b"')
)


@given(
    st.lists(st.lists(CELL, min_size=1, max_size=6), min_size=1, max_size=30),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["", "# a comment\n", "\ufeff"]),
)
@settings(max_examples=250, deadline=None)
def test_no_cell_of_ragged_rows_is_lost_in_silence(rows: list[list[str]], delimiter: str, end: str, top: str) -> None:
    data = top + end.join(delimiter.join(row) for row in [["id", "name", "note"], *rows]) + end
    assert missing(data, "csv", "a.csv") == []


@given(st.lists(st.text("ab \t{}'\",", max_size=20), max_size=20), numbers)
@settings(max_examples=100, deadline=None)
def test_no_line_of_text_is_lost_in_silence(lines: list[str], number: int) -> None:
    data = "\n".join([*lines, word(number), *(f"{line} {word(number + n)} " for n, line in enumerate(lines))])
    assert missing(data, "text", "a.txt") == []


# -- the account itself -------------------------------------------------------------------------------------


def test_what_is_lost_is_told_and_what_is_told_is_not_lost() -> None:
    data = b"tok000001x\ntok000002x\ntok000003x\n"
    source = Input("a.txt", data, lambda: io.BytesIO(data), len(data))

    def first(log: ReadLog, *, tells: bool) -> Iterator[Batch]:
        yield Batch(Table("a.txt", "text"), pl.DataFrame({"text": ["tok000001x"]}))
        if tells:
            log.skip("a.txt", "two lines were left out")

    for tells, expected in (
        (False, "2 of its words stand in no row, and nothing says why"),
        (True, "two lines were left out"),
    ):
        log = ReadLog()
        assert len(list(accounted(first(log, tells=tells), source, "text", log))) == 1
        assert [why for _, why in log.skipped] == [expected]


def test_it_is_done_only_where_it_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.txt").write_text("tok000001x and more\n")

    class Loses:
        @staticmethod
        def read(source: Input, _log: ReadLog) -> Iterator[Batch]:
            yield Batch(Table(source.name, "text"), pl.DataFrame({"text": [""]}))

    monkeypatch.setattr("plainview.files.reading.reader", lambda kind: Loses)
    for value, lost in (("", 0), ("1", 1)):
        monkeypatch.setenv("PLAINVIEW_ACCOUNTS", value)
        source, log = FileSource(tmp_path), ReadLog()
        for unit in source.units(log):
            list(source.read(unit, log))
        assert len(log.skipped) == lost
