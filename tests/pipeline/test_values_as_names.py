"""A cell or a key names a column only where it is none of its values: laws over made tables, in every form of file."""

from __future__ import annotations

import csv
import functools
import gzip
import json
import sqlite3
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import bson
import polars as pl
import pytest
import xlsxwriter
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from conftest import Ran
from plainview.detectors import load_detectors, vocabulary
from plainview.detectors.fieldnames import NameIndex
from plainview.detectors.values_as_names import is_called, is_field_word, is_person, kind_of
from plainview.documents.flatten import flatten
from plainview.documents.walk import documents_to_frame
from plainview.files.source import FileSource
from plainview.pipeline.scanner import Options, Scanner
from plainview.report.model import Report, TableReport
from plainview.report.render import REPORTS, render
from plainview.tables import Batch, Header, Limits, ReadLog, Table

Rows = Sequence[Sequence[str]]
ROWS = 12
DETECTORS = [d for d in load_detectors() if d.patterns and not d.needs_name and not d.needs_person]
CALLED = NameIndex(load_detectors()).entries  # what columns are called


@functools.cache
def scanner() -> Scanner:
    return Scanner()


def scanned(path: Path) -> tuple[tuple[TableReport, ...], str]:
    """Return the tables of a file, and all renderings of the report."""
    source = FileSource(str(path), Limits())
    try:
        target = scanner().scan_source(source, path.name)
    finally:
        source.close()
    report = Report(targets=(target,))
    shown = [render(report, kind) for kind in REPORTS] + [render(report, "text", verbose=True, width=1000)]
    return target.tables, "\n".join(shown)


@functools.cache
def words(book: str) -> list[str]:
    """Return entries of a word list that columns are not called by, written as in a text."""
    free = (w for w in sorted(vocabulary(book)) if len(w) > 3 and w.isalpha() and w not in CALLED)
    return [w.title() for w in free if not is_field_word(w)]


def persons() -> st.SearchStrategy[str]:
    return st.tuples(st.sampled_from(words("given_names")), st.sampled_from(words("surnames"))).map(" ".join)


def odd(name: str) -> st.SearchStrategy[str]:
    """Return a value in forms that differ from those of its neighbours."""
    parts = name.split()
    forms = [name, name.upper(), name.lower(), f"{parts[0]} Peter {parts[-1]}", f"Dr. {name}", f"{parts[0]} {name}"]
    return st.sampled_from(forms if len(parts) > 1 else forms[:3])


@st.composite
def columns(draw: st.DrawFn) -> list[str]:
    """Draw a column of one sort of values, of which the first may be written otherwise."""
    kind = draw(st.sampled_from(["person", "person", "given", "place", "detector"]))
    if kind == "detector":
        detector = draw(st.sampled_from(DETECTORS))
        values = [value for value in detector.matches if value.isprintable() and value.strip() == value]
        assume(values)
        return draw(st.lists(st.sampled_from(values), min_size=ROWS, max_size=ROWS))
    one = persons() if kind == "person" else st.sampled_from(words("given_names" if kind == "given" else "cities"))
    values = draw(st.lists(one, min_size=ROWS, max_size=ROWS))
    return [draw(odd(values[0])), *values[1:]]


TABLES = st.lists(columns(), min_size=1, max_size=3).map(lambda made: [list(row) for row in zip(*made, strict=True)])


def as_csv(path: Path, rows: Rows, delimiter: str) -> Path:
    with (path / "a.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=delimiter).writerows(rows)
    return path / "a.csv"


def as_xlsx(path: Path, rows: Rows, _: str) -> Path:
    with xlsxwriter.Workbook(path / "a.xlsx", {"strings_to_urls": False}) as book:
        sheet = book.add_worksheet("Sheet1")
        for number, row in enumerate(rows):
            for at, cell in enumerate(row):
                sheet.write_string(number, at, cell)
    return path / "a.xlsx"


def as_html(path: Path, rows: Rows, _: str) -> Path:
    from html import escape

    first, *rest = [
        "".join(f"<{tag}>{escape(c)}</{tag}>" for c in row)
        for tag, row in zip(["th", *["td"] * len(rows)], rows, strict=False)
    ]
    text = f"<table><tr>{first}</tr>{''.join(f'<tr>{row}</tr>' for row in rest)}</table>"
    (path / "a.html").write_text(text, encoding="utf-8")
    return path / "a.html"


@pytest.mark.parametrize("write", [as_csv, as_xlsx, as_html])
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(rows=TABLES, delimiter=st.sampled_from(",;\t|"))
def test_no_first_row_names_the_columns_that_it_is_of(
    tmp_path: Path, write: Callable[[Path, Rows, str], Path], rows: list[list[str]], delimiter: str
) -> None:
    tables, shown = scanned(write(tmp_path, rows, delimiter))
    found = [column.path for table in tables for column in table.columns]
    assert all(path.startswith(("column_", "text", "comment")) for path in found), (rows[0], found)
    for cell in rows[0]:
        assert len(cell) < 8 or cell not in shown, cell
    assert sum(table.rows for table in tables) >= len(rows), (rows[:2], tables)


FORMS = (
    "Hans Peter Canaria", "Anna Maria", "ANNA", "anna", "Anna Muster", "Peter Company Canaria", "hans peter canaria",
    "CANARIA", "XQZTWV", "Dr. Hans Canaria", "H. Canaria", "von Canaria Hans", "Canaria, Hans Peter",
)  # fmt: skip
PEOPLE = [f"{g} {s}" for g in ("Anna", "Peter", "Maria", "Otto") for s in ("Muster", "Huber", "Keller", "Canaria")]


@pytest.mark.parametrize("first", FORMS)
@pytest.mark.parametrize("more", [[], ["Zürich Nord", "Bern"], ["n/a", "12"], ["x", "-"]])
def test_a_person_in_the_first_row_is_one_of_the_rows(tmp_path: Path, first: str, more: list[str]) -> None:
    second = more[1:] * len(PEOPLE)
    rows = [[first, *more[:1]], *([name, *second[:1]] for name in PEOPLE)]
    (table,), shown = scanned(as_csv(tmp_path, rows, ";"))
    assert table.rows == len(rows)
    assert "no header line" in table.notes
    assert [(c.path, c.category) for c in table.columns if c.path == "column_1"] == [("column_1", "person_name")]
    assert first not in shown


@pytest.mark.parametrize(
    ("header", "row"),
    [
        (["Name", "Ort", "Email"], ["Anna Muster", "Zürich", "a@example.org"]),
        (["Driver", "Team", "Points"], ["Hamilton", "Mercedes", "25"]),
        (["Mayor", "City"], ["Anna Muster", "Zürich"]),
        (["Paris", "London", "Geneva"], ["12", "13", "15"]),
        (["Year", "Anna", "Peter"], ["2019", "3", "4"]),
        (["Grace period", "Max Speed", "Charlotte"], ["3 days", "fast", "x"]),
        (["Kanton", "Einwohner"], ["Zürich", "1500000"]),
        (["namn", "kön"], ["Astrid", "kvinna"]),
        (["director", "film"], ["Anna Huber", "A song of joy"]),
        (["zqxw", "Year"], ["Anna Huber", "2019"]),
        (["song", "artist"], ["A song of joy", "Nina"]),
        (["ID", "Sex", "Blood type"], ["7", "m", "A+"]),
        (["column_1", "column_2"], ["Anna", "Bern"]),
        (["badge", "x"], ["BX-10042", "1"]),
        (["m", "f"], ["0", "1"]),
    ],
)
def test_a_true_header_stays(tmp_path: Path, header: list[str], row: list[str]) -> None:
    rows = [header, *([*row] for _ in range(20))]
    as_csv(tmp_path, rows, ";")
    source = FileSource(str(tmp_path), Limits())
    log = ReadLog()
    (batch,) = (b for unit in source.units(log) for b in source.read(unit, log))
    (settled,) = scanner().engine.first_rows.settled(batch, {})
    assert settled.frame.columns == header
    assert settled.table.header is None


def test_a_person_above_numbers_names_no_column_and_is_looked_at(tmp_path: Path) -> None:
    rows = [["Datum", "Anna Canaria", "Peter Canaria"], *([f"2024-01-{day:02}", "8", "7.5"] for day in range(1, 29))]
    as_csv(tmp_path, rows, ",")
    source = FileSource(str(tmp_path), Limits())
    log = ReadLog()
    (batch,) = (b for unit in source.units(log) for b in source.read(unit, log))
    table, cells = scanner().engine.first_rows.settled(batch, {})
    assert table.frame.columns == ["Datum", "column_2", "column_3"]
    assert table.frame.height == 28
    assert (cells.table.name, cells.frame.rows()) == ("a.csv/header", [("Anna Canaria",), ("Peter Canaria",)])


def test_names_stay_the_same_from_batch_to_batch(tmp_path: Path) -> None:
    """What the first batch shows holds for the later ones, which may have fewer columns or more."""
    header = Header(("Anna Muster", "column_1", "Bern"), ("Anna Muster", "column_1", "Bern"), (0.7, 0.0, 0.0))
    table = Table("t", "csv", header=header)
    frames = [
        pl.DataFrame({"Anna Muster": PEOPLE, "column_1": PEOPLE, "Bern": ["Genf"] * len(PEOPLE)}),
        pl.DataFrame({"Anna Muster": ["Otto Huber"]}),
        pl.DataFrame({"Anna Muster": ["x"], "column_1": ["y"], "Bern": ["z"], "column_4": ["more"]}),
    ]
    rows, known = scanner().engine.first_rows, {}
    made = [settled.frame for frame in frames for settled in rows.settled(Batch(table, frame), known)]
    assert [frame.columns for frame in made] == [
        ["column_1", "column_2", "column_3"], ["column_1"], ["column_1", "column_2", "column_3", "column_4"],
    ]  # fmt: skip
    assert made[0].row(0) == ("Anna Muster", "column_1", "Bern")
    assert [frame.height for frame in made] == [len(PEOPLE) + 1, 1, 1]


def test_a_sample_keeps_the_doubt(tmp_path: Path) -> None:
    path = as_csv(tmp_path, [["Hans Peter Canaria"], *([name] for name in PEOPLE)], ",")
    source = FileSource(str(path), Limits())
    target = Scanner(Options(sample=12)).scan_source(source, "a.csv")
    assert "Canaria" not in str(target)
    assert [column.path for column in target.tables[0].columns] == ["column_1"]


@functools.cache
def clear(book: str) -> list[str]:
    """Return entries that are nothing but names of persons or places, written as such."""
    return [word for word in words(book) if kind_of(word) in ("given", "place") and not is_called(word)]


@functools.cache
def surnames() -> list[str]:
    return [word for word in words("surnames") if kind_of(word)]


FULL = st.tuples(st.sampled_from(clear("given_names")), st.sampled_from(surnames())).map(" ".join).filter(is_person)
FULL = FULL.flatmap(lambda name: st.sampled_from([name, name.upper(), f"Dr. {name}", f"Peter {name}"]))
KEYS = st.one_of(
    st.lists(FULL, min_size=1, max_size=12, unique=True),
    st.lists(FULL | st.sampled_from(clear("given_names")), min_size=1, max_size=12, unique=True),
    st.lists(st.sampled_from(clear("cities")), min_size=1, max_size=12, unique=True),
)
INSIDE = st.sampled_from(
    ["a@example.org", 3, None, {"religion": "catholic"}, {"iban": "DE89370400440532013000"}, [1, 2]]
)
AROUND: dict[str, Callable[[dict[str, object]], object]] = {
    "root": lambda made: made,
    "below": lambda made: {"id": 1, "scores": made},
    "deep": lambda made: [{"a": [{"b": {**made}}]}],
    "rows": lambda made: [{"id": at, "scores": {key: value}} for at, (key, value) in enumerate(made.items())],
    "text": lambda made: [{"id": 1, "text": json.dumps(made)}],
}


@pytest.mark.parametrize("around", AROUND)
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(keys=KEYS, data=st.data())
def test_no_key_that_is_a_value_names_anything(
    tmp_path: Path, around: str, keys: list[str], data: st.DataObject
) -> None:
    made: dict[str, object] = {key: data.draw(INSIDE) for key in keys}
    whole = AROUND[around](made)
    for name, text in (
        ("a.json", json.dumps(whole)),
        ("a.ndjson", "".join(json.dumps(doc) + "\n" for doc in (whole if isinstance(whole, list) else [whole]))),
    ):
        (tmp_path / name).write_text(text)
    frame = flatten(pl.DataFrame([whole] if isinstance(whole, dict) else whole, strict=False, infer_schema_length=None))
    assert all(key not in path for path in frame.columns if around != "root" for key in keys), frame.columns
    tables, shown = scanned(tmp_path)
    assert len(tables) == 2
    for key in keys:
        assert len(key) < 6 or key not in shown, key


@pytest.mark.parametrize(
    "keys",
    [
        ["name", "ort", "email"],
        ["Grace period", "Max Speed", "Charlotte"],
        ["Charlotte", "name", "id"],
        ["Ref"],
        ["Arn"],
        ["meta"],
        ["meta", "data"],
        ["anna"],
        ["ara", "ben", "ces", "dan", "deu", "fra", "ron"],
        ["First Name", "Last Name"],
        ["April", "May", "June"],
        ["Order", "Iris Color"],
        ["Nick", "Foto"],
        ["顧客名", "電話番号"],
        ["f", "m"],
        ["lat", "lon"],
        ["max", "min"],
        ["Country", "Region"],
        ["user.name", "first_name", "max_line", "anna_id", "jade_template"],
    ],
)
def test_names_of_fields_stay(keys: list[str]) -> None:
    assert documents_to_frame([{"a": dict.fromkeys(keys, 1)}]).columns == [f"a.{key}" for key in keys]


@pytest.mark.parametrize(
    "keys",
    [
        ["Anna Canaria"],
        ["Anna Canaria", "total", "id"],
        ["Charlotte"],
        ["Zürich", "Bern"],
        ["Müller", "Huber"],
        ["Anna", "Peter", "Zoe", "total"],
        ["anna", "peter", "zoe"],
        ["王小明", "张伟"],
        ["hans peter", "id"],
        ["anna.huber", "peter_meier"],
    ],
)
@pytest.mark.parametrize("value", [1, {"religion": "catholic"}])
def test_names_of_persons_and_places_are_the_keys_of_a_map(keys: list[str], value: object) -> None:
    fields = [key for key in keys if key in ("total", "id")]
    under = "a.{}.religion" if isinstance(value, dict) else "a.{}.*"
    expected = ["a.{}", under, *(f"a.{key}.religion" if isinstance(value, dict) else f"a.{key}" for key in fields)]
    for frame in (
        documents_to_frame([{"a": dict.fromkeys(keys, value)}]),
        flatten(pl.DataFrame({"a": [dict.fromkeys(keys, value)]})),
    ):
        assert sorted(frame.columns) == sorted(expected)
        assert frame["a.{}"].to_list() == [[key for key in keys if key not in fields]]


def test_a_place_of_names_stays_one_in_later_batches() -> None:
    maps: set[str] = set()
    documents_to_frame([{"Anna": 1, "Peter": 2, "Maria": 3, "total": 6}], maps=maps)
    later = documents_to_frame([{"Otto": 4, "total": 4, "id": 7}], maps=maps)
    assert sorted(later.columns) == ["id", "total", "{}", "{}.*"]


PERSON, MAIL = "Wilhelmina Vogelsang", "wilhelmina.vogelsang@example.org"
RECORD = {"religion": "catholic", "mail": MAIL}


def plant(folder: Path) -> None:
    """Write a person's name wherever a name is looked for, sound and damaged."""
    deep: dict[str, object] = {PERSON: 1}
    for _ in range(80):
        deep = {PERSON: deep}
    documents = [{PERSON: RECORD}, {"id": 1, PERSON.upper(): MAIL}, {"id": 2, f"Dr. {PERSON}": {PERSON: {PERSON: 1}}}]
    (folder / "keys.json").write_text(json.dumps(documents))
    (folder / "keys.ndjson").write_text("".join(json.dumps(doc) + "\n" for doc in documents) + '{"' + PERSON + '": x\n')
    (folder / "deep.json").write_text(json.dumps(deep))
    (folder / "one.json").write_text(json.dumps({PERSON: MAIL}))
    (folder / "wide.json").write_text(
        json.dumps([{**dict.fromkeys(map(str, range(40)), 1), PERSON: at} for at in range(3)])
    )
    (folder / "a.bson").write_bytes(b"".join(bson.encode(doc) for doc in documents))
    (folder / "a.xml").write_text(f"<r><p><n a='{PERSON}'>{MAIL}</n></p><p><n>{PERSON}</n></p><broken></r>")
    (folder / "first.csv").write_text("\n".join([PERSON.upper(), *PEOPLE]))
    (folder / "ragged.csv").write_text("\n".join([f"{PERSON};x", *(f"{name};y;z" for name in PEOPLE), f'"{PERSON}']))
    (folder / "pivot.csv").write_text("day," + PERSON + "\n" + "".join(f"2024-01-{day:02},8\n" for day in range(1, 29)))
    (folder / "alone.csv").write_text(PERSON)
    (folder / "cell.csv").write_text(
        "id;doc\n" + "".join(f"{at};{{'{PERSON}': 1}}\n".replace("'", "") for at in range(9))
    )
    (folder / "a.html").write_text(f"<table><tr><th>{PERSON}</th></tr><tr><td>{MAIL}</td></tr></table><table><tr><th>x")
    with xlsxwriter.Workbook(folder / "a.xlsx", {"strings_to_urls": False}) as book:
        sheet = book.add_worksheet(PERSON)
        for number, name in enumerate([PERSON, *PEOPLE]):
            sheet.write_string(number, 0, name)
    frame = pl.DataFrame({PERSON: [MAIL], "a": [{PERSON: RECORD}]})
    frame.write_parquet(folder / "a.parquet")
    frame.write_ipc(folder / "a.arrow")
    with sqlite3.connect(folder / "a.sqlite") as database:
        database.execute(f'CREATE TABLE staff ("{PERSON}" TEXT, email TEXT)')
        database.execute("INSERT INTO staff VALUES (?, ?)", (json.dumps({PERSON: RECORD}), MAIL))
    with zipfile.ZipFile(folder / "a.zip", "w") as packed:
        packed.writestr(f"{MAIL}/keys.json", json.dumps(documents))
        packed.writestr(f"{MAIL}.csv", f"{PERSON}\n{MAIL}\n")
    (folder / "cut.json.gz").write_bytes(gzip.compress(json.dumps(documents * 500).encode())[:-40])


@pytest.mark.parametrize("fmt", REPORTS)
@pytest.mark.parametrize("options", [[], ["--columns", "3", "--sample", "4", "--memory", "1k", "--threads", "1"]])
def test_no_name_of_a_person_is_let_out(
    tmp_path: Path, plainview: Callable[..., Ran], fmt: str, options: list[str]
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    plant(folder)
    ran = plainview("scan", folder, "-v", *options, fmt=fmt)
    assert "Traceback" not in ran.err
    assert "religio" in ran.everything
    for part in PERSON.split():
        assert part.casefold() not in ran.everything.casefold(), part


@pytest.mark.parametrize("first", ["BAHNHOFSTRASSE 7", "bahnhofstrasse 7a", "Bahnhofstrasse Nord West 7"])
def test_a_number_among_numbers_is_no_name(tmp_path: Path, first: str) -> None:
    rows = [[first], *([f"Seestrasse {at}"] for at in range(30))]
    (table,), shown = scanned(as_csv(tmp_path, rows, ";"))
    assert table.rows == len(rows)
    assert first not in shown
