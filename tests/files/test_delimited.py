"""CSV and its kin: every cell of every dialect arrives, nothing is swallowed, nothing of a cell is told."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from plainview.files.encodings import blocks as encodings
from plainview.files.formats.csv import read as delimited
from plainview.files.formats.csv.headers import column_names, has_header
from plainview.files.kinds.text import by_text
from plainview.tables import Input, Limits, ReadLog

CANARY = "canary.7f3a@example.org"
QUICK = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def source(data: bytes, name: str = "t.csv", **limits: int) -> Input:
    head = 64 << 10 if encodings.BLOCK > 1000 else encodings.BLOCK * 2  # a file in its head is one block
    return Input(name, data[:head], lambda: io.BytesIO(data), len(data), None, Limits(**limits))  # type: ignore[arg-type]


def read(data: bytes | str, name: str = "t.csv", **limits: int):
    """Return (column names, rows with "" for null, notes, skipped)."""
    data = data.encode() if isinstance(data, str) else data
    log = ReadLog()
    batches = list(delimited.read(source(data, name, **limits), log))
    columns = list(dict.fromkeys(column for batch in batches for column in batch.frame.columns))
    rows = [
        [row.get(column) or "" for column in columns] for batch in batches for row in batch.frame.iter_rows(named=True)
    ]
    notes = tuple(dict.fromkeys(note for batch in batches for note in batch.table.notes))
    assert log.bytes_read == len(data)
    told = " ".join(notes) + " ".join(f"{what} {why}" for what, why in log.skipped)
    assert "canary" not in told
    return columns, rows, notes, log.skipped


@pytest.fixture
def small_blocks(monkeypatch):
    """Make blocks so small that each file has many."""
    monkeypatch.setattr(encodings, "BLOCK", 64)


def test_simple():
    assert read("id,name,email\n1,Ann,a@b.co\n2,Bob,\n") == (
        ["id", "name", "email"],
        [["1", "Ann", "a@b.co"], ["2", "Bob", ""]],
        (),
        [],
    )


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", "^", "~", "\x01", "\x1f", ":"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_delimiters_and_line_ends(delimiter, newline):
    rows = [["id", "name", "city"], ["1", "Ann Lee", "Rome"], ["2", "Bob", "Oslo"]]
    text = "".join(delimiter.join(row) + newline for row in rows)
    columns, got, notes, skipped = read(text)
    assert (columns, got, notes, skipped) == (rows[0], rows[1:], (), [])


def test_excel_separator_line():
    assert read("sep=;\r\nid;name\r\n1;a,b\r\n")[:2] == (["id", "name"], [["1", "a,b"]])


def test_byte_order_mark():
    assert read(b"\xef\xbb\xbfid,name\n1,\xc3\xa9\n")[:2] == (["id", "name"], [["1", "é"]])


def test_semicolons_with_decimal_commas():
    assert read("id;amount;tax\n1;1,50;0,20\n2;2,50;0,30\n")[1] == [["1", "1,50", "0,20"], ["2", "2,50", "0,30"]]


def test_single_quotes():
    assert read("'id','name'\n'1','a,b'\n")[:2] == (["id", "name"], [["1", "a,b"]])


def test_apostrophes_are_no_quotes():
    assert read("id,name,city\n1,O'Neil,Rome\n2,D'Or,Oslo\n")[1] == [["1", "O'Neil", "Rome"], ["2", "D'Or", "Oslo"]]


def test_escaped_quotes_with_backslash():
    assert read('id,note\n1,"say \\"hi\\", then go"\n2,x\n')[1] == [["1", 'say "hi", then go'], ["2", "x"]]


def test_space_before_quotes():
    assert read('id, name\n1, "a,b"\n2, "c"\n')[1] == [["1", "a,b"], ["2", "c"]]


def test_quoted_newlines(small_blocks):
    body = "".join(f'{n},"line one\nline, two of {n}",x\n' for n in range(200))
    _, rows, notes, skipped = read("id,note,flag\n" + body)
    assert rows == [[str(n), f"line one\nline, two of {n}", "x"] for n in range(200)]
    assert (notes, skipped) == ((), [])


def test_ragged(small_blocks):
    columns, rows, notes, skipped = read("id,name\n1\n2,b\n" + f"3,c,{CANARY},x\n" + "4,d\n" * 50)
    assert columns == ["id", "name", "column_3", "column_4"]
    assert rows[:3] == [["1", "", "", ""], ["2", "b", "", ""], ["3", "c", CANARY, "x"]]
    assert len(rows) == 53
    assert notes == ("some lines have more fields than the header",)
    assert skipped == []


@pytest.mark.parametrize("end", ["", "\n", "5,fine,end\n" * 2000, '5,"fine",end\n' * 2000])
def test_unclosed_quote_swallows_nothing(end):
    text = f'id,name,mail\n1,"Ann,x\n2,Bob,{CANARY}\n3,"Eve",z\n' + end
    columns, rows, notes, _skipped = read(text)
    assert columns == ["id", "name", "mail"]
    assert rows[:3] == [["1", "Ann", "x"], ["2", "Bob", CANARY], ["3", "Eve", "z"]]
    assert len(rows) == 3 + end.count("fine")
    assert notes == ("1 lines with broken quotes were split at each delimiter",)


def test_unclosed_quote_over_many_blocks(small_blocks):
    text = 'id,name,mail\n1,"Ann,x\n' + "".join(f"{n},Bob,{CANARY}\n" for n in range(300))
    _, rows, _, _ = read(text, field=1000)
    assert [row[2] for row in rows].count(CANARY) == 300


def test_lone_quotes_in_text(small_blocks):
    text = "id,size,name\n" + '1,5" pipe,a\n2,"ok, fine",b\n' * 100
    _, rows, _, _ = read(text)
    assert rows[1::2] == [["2", "ok, fine", "b"]] * 100
    assert all(row[0] == "1" and "pipe" in row[1] and row[2] == "a" for row in rows[::2])


def test_nul_bytes():
    columns, rows, notes, _ = read(b"id,name\n1,a\0\0\n2,b\0\n")
    assert (columns, rows, notes) == (["id", "name"], [["1", "a"], ["2", "b"]], ("NUL bytes were removed",))


def test_a_title_with_the_delimiters_of_empty_cells():
    body = "id,name,city\n" + "1,Ann,Rome\n2,Bob,Oslo\n" * 9
    columns, rows, *_ = read(f",,\nPeople of {CANARY},,\n,,\n{body}")
    assert columns == ["id", "name", "city", "comment"]
    assert rows[0] == ["1", "Ann", "Rome", ""]
    assert rows[-1][3] == f"People of {CANARY},,"
    assert len(rows) == 18 + 1
    thin = read("name,b,c\nAnn,,\nBob,,\nEve,x,\n")  # rows that are nearly empty are rows
    assert thin[:2] == (["name", "b", "c"], [["Ann", "", ""], ["Bob", "", ""], ["Eve", "x", ""]])


@pytest.mark.parametrize("body", ["id,name,city\n1,a,b\n2,c,d\n", "id,name,comment\n1,a,b\n2,c,d\n", "id,name\n"])
def test_comments_and_title_are_examined(body):
    given_ = source(f"# made by {CANARY}\n# again\n\n{body}".encode())
    batches = list(delimited.read(given_, ReadLog()))
    above = [b.frame for b in batches if b.table.name.endswith("/comments")]
    assert [frame["comment"].to_list() for frame in above] == [[f"# made by {CANARY}", "# again"]]


@pytest.mark.parametrize(
    "text",
    [
        '"first_name"\t"city"\n"Ann"\t"Rome"\n"Bob"\t3\n',
        '"first_name"\n1\n2\n',
        '"first_name"\t"city"\n"Ann"\t"Rome\n',
        '"first\nname";"city"\n"Ann";"Rome"\n"Bob";"Oslo"\n',
        '"first_name","city"\n"Ann","# Rome\nOslo"\n"Bob","Oslo"\n"a\nb","c"\n',
    ],
)
def test_quoted_cells_are_no_blank_lines(text):
    """A header of which every cell is quoted is a header, also where only tabs are left without the quotes."""
    columns, rows, notes, _ = read(text)
    assert columns[0] in {"first_name", "first name"}
    assert rows[0][0] in {"Ann", "1"}
    assert notes == () or "broken quotes" in notes[0]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_lines_of_delimiters_above_the_header(delimiter):
    """A sheet that was exported with empty rows at its top."""
    text = ",,\n,,\nid,name,city\n1,Ann,Rome\n2,Bob,Oslo\n".replace(",", delimiter)
    assert read(text)[:3] == (["id", "name", "city"], [["1", "Ann", "Rome"], ["2", "Bob", "Oslo"]], ())


def test_a_comment_that_is_not_utf8_moves_nothing():
    body = "id,name,city\n" + "1,Zoë,Köln\n2,Jürg,Zürich\n" * 9
    columns, rows, *_ = read(b"# made in K\xf6ln and Z\xfcrich\n" + body.encode())
    assert columns == ["id", "name", "city", "comment"]
    assert [row[:3] for row in rows[:2]] == [["1", "Zoë", "Köln"], ["2", "Jürg", "Zürich"]]


@pytest.mark.parametrize("text", ["", "\n", "\r\n\r\n", "\ufeff"])
def test_empty(text):
    columns, rows, _, skipped = read(text)
    assert (columns, rows, skipped) == ([], [], [("t.csv", "empty")])


def test_header_only():
    assert read("id,name,email\n") == (["id", "name", "email"], [], (), [])


def test_one_column():
    assert read("email\na@b.co\nc@d.co\n")[:2] == (["email"], [["a@b.co"], ["c@d.co"]])


@pytest.mark.parametrize(
    "text",
    [
        f"1,Ann,{CANARY}\n2,Bob,b@c.de\n",
        "Anna,Müller,Berlin\nPeter,Schmidt,Hamburg\nEva,Braun,Berlin\n",
        "2024-01-02,12.5,open\n2024-01-03,13.5,open\n",
        "+4917012345678,Ann\n+4917012345679,Bob\n",
        f"{CANARY}\nb@c.de\n",
        "1,AC/DC\n2,Accept\n3,Aerosmith\n",
        "A1,A2\nA3,A5\nA2,A4\n",
    ],
)
def test_no_header(text):
    columns, rows, notes, _ = read(text)
    assert columns == [f"column_{n + 1}" for n in range(len(columns))]
    assert "no header line" in notes
    assert len(rows) == text.count("\n")


@pytest.mark.parametrize(
    "text",
    [
        "Name,City\nAnn,Rome\nBob,Oslo\n",
        "姓名,电话\n王小明,13812345678\n",
        "Nachname;Vorname;Ort\nMüller;Anna;Berlin\n",
        "first_name,last_name\nann,lee\nbob,day\n",
        "country,2019,2020\nIT,5,6\nFR,7,8\n",
        "имя,фамилия\nИван,Петров\n",
        "c1,c2,c4\nAnn Lee,12 Elm Road,3 Oak Lane\nBob Day,4 Fir Road,6 Ash Lane\n",
        "n,peer,b\n0,fe80::1,2a02:8108::ef1\n1,fe80::2,2a02:8108::55f\n",
    ],
)
def test_header(text):
    columns, _rows, notes, _ = read(text)
    assert columns == text.split("\n")[0].replace(";", ",").split(",")
    assert notes == ()


def test_column_names_hold_no_values():
    assert column_names(["id", CANARY, "id", "", "+49 170 1234567"], 6) == [
        "id", "column_2", "id_2", "column_4", "column_5", "column_6",
    ]  # fmt: skip
    assert not has_header([["Ann", CANARY], ["Bob", "x@y.zz"]])
    assert has_header([["first\nname", "city"], ["Ann", "Rome"], ["Bob", "Oslo"]])
    assert not has_header([["a\U00077650", "É\x15"], ["ࠀॡ", "00\x80"], ["", ""]])


def test_long_line_is_cut_and_told(small_blocks):
    text = "id,note\n1,ok\n2," + "x" * 5000 + "\n3,fine\n"
    _, rows, _, skipped = read(text, field=1 << 10)
    assert rows[0] == ["1", "ok"]
    assert rows[-1] == ["3", "fine"]
    assert sum(cell.count("x") for row in rows for cell in row) == 5000
    assert [why.split(" was ")[1] for _, why in skipped] == ["read in pieces"]


def test_too_many_columns_are_told():
    text = "id,name\n1,a\n" + ",".join("x" * 50) + "\n"
    columns, rows, notes, skipped = read(text, columns=10)
    assert len(columns) == 10
    assert "".join(rows[1]).count("x") == 50
    assert [why for _, why in skipped] == ["more than 10 columns: what stands behind them in a line was read as one"], (
        notes
    )


def test_a_line_of_commas_costs_little():
    text = "id,name\n" + "," * 2_000_000 + f"{CANARY}\n3,fine\n"
    columns, rows, _, _ = read(text)
    assert len(columns) <= 10_000
    assert rows[0][-1].endswith(CANARY)
    assert rows[1][:2] == ["3", "fine"]


def test_late_latin1_is_noticed(small_blocks):
    body = "1,Smith,Rome\n" * 20
    tail = "2,Müller,Köln\n3,Gärtner,Düren\n" * 20
    _, rows, notes, skipped = read(("id,name,city\n" + body + tail).encode("latin-1"))
    assert rows[20:22] == [["2", "Müller", "Köln"], ["3", "Gärtner", "Düren"]]
    assert rows[-1] == ["3", "Gärtner", "Düren"]
    assert notes[-1].startswith("read as windows-1252 (assumed)")
    assert skipped == []


def test_damaged_utf8_is_told():
    good = "1,Zoë,Köln\n" * 30
    data = ("id,name,city\n" + good).encode() + b"2,A\xff,B\n" + good.encode()
    _, rows, _notes, skipped = read(data)
    assert len(rows) == 61
    assert rows[30] == ["2", "A\ufffd", "B"]
    assert rows[31] == ["1", "Zoë", "Köln"]
    assert [why.split(" hold")[0] for _, why in skipped] == ["1 rows"]


cells = st.text(
    st.characters(codec="utf-8", exclude_characters="\0\r\x1a\ufeff", exclude_categories=["Cs"]), max_size=12
)
tables = st.integers(2, 5).flatmap(
    lambda width: st.lists(st.lists(cells, min_size=width, max_size=width), min_size=1, max_size=12)
)


# The first line end stands inside quotes that the first block cuts, and all lines above hold nothing but quotes and tabs.
TABS = [
    [""] * 5,
    [""] * 5,
    ["ãh", "\x93\U000aab4c\x18×", "È?ò½É3", "N\x98Âîi\U0009c6dd\U00022ba8a", "\x82vtåê\x9cÓ\x92¹"],
    ["a\U00077650", "É\x15", "i\n\U000f80c9ø", "rfã£é>", "\U000e037ft\x9d\\\U000f2b23¤>%\x9d\x0e\U000a5d67["],
    ["ࠀॡ", "00\x80\x80", "00\x80𐀀𐀀", "0000\x80\x80\x80\x80𐀀𐀀𐀀", "00\x80\x80\x80\x80\x80\x80\x80𐀀𐀀𐀀"],
    [""] * 5,
    [""] * 5,
    ["", "", "", "", "0000\x80\x80\x80\x80\x80𐀀𐀀𐀀"],
]


@QUICK
@given(
    tables,
    st.sampled_from(",;\t|"),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-be"]),
    st.sampled_from([40, 200, 1 << 20]),
)
@example(TABS, "\t", "\n", "utf-8", 200)
@example([["", "\ufffd"], ["\ufffd" * 9, "x"]], ",", "\n", "utf-16", 40)
def test_what_csv_writes_is_read(table, delimiter, newline, encoding, block):
    """Any cells, quoted as Python's csv module does, in any Unicode encoding, cut anywhere: the same cells."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, lineterminator=newline, quoting=csv.QUOTE_ALL)
    header = [f"first_name_{n}" for n in range(len(table[0]))]
    writer.writerows([header, *table])
    data = out.getvalue().encode(encoding)
    if encoding == "utf-16-be":
        data = b"\xfe\xff" + data
    before, encodings.BLOCK = encodings.BLOCK, block
    try:
        columns, rows, _notes, skipped = read(data)
    finally:
        encodings.BLOCK = before
    assert columns == header
    assert rows == table
    assert skipped == []


marks = st.text(st.sampled_from("ab ,;\"\n'é7#@\t\\|"), max_size=8)


@QUICK
@given(st.lists(st.lists(marks, min_size=3, max_size=3), min_size=1, max_size=8), st.sampled_from([30, 1 << 20]))
@example([["7", '77\\""', '777",\n']], 30)
@example([["", "'", "'"], ["", "'", "'"]], 30)
def test_what_csv_quotes_only_where_needed_is_read(table, block):
    out = io.StringIO(newline="")
    header = ["first_name", "last_name", "home_city"]
    csv.writer(out, lineterminator="\n").writerows([header, *table])
    before, encodings.BLOCK = encodings.BLOCK, block
    try:
        columns, rows, _, skipped = read(out.getvalue())
    finally:
        encodings.BLOCK = before
    assert (columns, rows, skipped) == (header, table, [])


@QUICK
@given(st.binary(max_size=400), st.sampled_from([30, 1 << 20]))
def test_any_bytes_end_without_a_foreign_error(data, block):
    before, encodings.BLOCK = encodings.BLOCK, block
    try:
        read(data, field=200)
    finally:
        encodings.BLOCK = before


@QUICK
@given(st.lists(st.sampled_from(['"', ",", "\n", "a", "7", " ", "\\", "é", "\r\n", '""', ',"', '",']), max_size=60))
def test_no_letter_is_lost(parts):
    """However broken the quotes are: each letter of the input is in a cell, or in a column name."""
    text = "id,name\n1,x\n" + "".join(parts)
    columns, rows, _, _ = read(text)
    got = "".join(cell for row in rows for cell in row)
    assert got.count("a") == text.count("a") - "".join(columns[:2]).count("a")
    assert got.count("é") == text.count("é")


@pytest.mark.parametrize("delimiter", ["::", "||", "~|~", "¦", "§", ":"])
@pytest.mark.parametrize("blocks", [False, True])
def test_delimiters_of_several_bytes(delimiter, blocks, monkeypatch):
    if blocks:
        monkeypatch.setattr(encodings, "BLOCK", 64)
    lines = [["id", "first_name", "city"], *([str(n), "Ann Lee", "Rome"] for n in range(30))]
    text = "".join(delimiter.join(line) + "\n" for line in lines)
    assert by_text(text.encode(), ".txt", "", complete=True) == "csv"
    assert read(text)[:2] == (lines[0], lines[1:])


def test_quoted_cells_keep_a_delimiter_of_several_bytes():
    text = "id::name::when\n" + '1::"a::b"::x\n' * 5
    assert read(text)[1] == [["1", "a::b", "x"]] * 5


@pytest.mark.parametrize(
    "text",
    [
        "aa:bb:cc:dd:ee:ff\nab:bc:cd:de:ef:fa\n" * 3,  # numbers of network cards
        "2024:01:02 10:11:12\n2024:01:02 10:11:13\n2024:01:02 10:11:14\n",
        "fe80::a\nfe80::b\nfe80::c\n",
        "Note: one\nNote: two\nNote: three\n",
        'say "one" and "two"\nsay "three" and "four"\n',
    ],
)
def test_signs_that_part_no_names_leave_text_alone(text):
    assert by_text(text.encode(), ".txt", "", complete=True) == "text"


def test_blanks_between_quotes_and_numbers_of_rows_without_a_name():
    text = '"first_name" "email"\n' + "".join(f'"{n}" "Ann" "a{n}@b.co"\n' for n in range(1, 5))
    assert by_text(text.encode(), ".txt", "", complete=True) == "csv"
    columns, rows, _, _ = read(text)
    assert columns == ["column_1", "first_name", "email"]
    assert rows[0] == ["1", "Ann", "a1@b.co"]


@pytest.mark.parametrize("parts", [" ", "\t"])
def test_a_comment_names_the_fields_of_a_log(parts):
    top = "#Version: 1.0\n#Fields: date time cs-username\n"
    text = top + f"2024-01-01{parts}10:11:12{parts}ann\n" * 3
    assert by_text(text.encode(), ".log", "", complete=True) == "csv"
    assert read(text)[0][:3] == ["date", "time", "cs-username"]
    assert read(text)[1][0][:3] == ["2024-01-01", "10:11:12", "ann"]


def test_fields_that_do_not_fit_name_nothing():
    columns, rows, _, _ = read("#Fields: a b c\n1 2\n3 4\n")
    assert "a" not in columns
    assert [row[0] for row in rows[:2]] == ["1 2", "3 4"]


@pytest.mark.parametrize("blocks", [False, True])
def test_backslashes_keep_line_ends_and_tabs_in_a_cell(blocks, monkeypatch):
    if blocks:
        monkeypatch.setattr(encodings, "BLOCK", 64)
    text = "".join(f"{n}\tAnn\\\nLee\\\tx\t\\N\tc:\\\\d\n" for n in range(30))
    assert by_text(text.encode(), ".txt", "", complete=True) == "tsv"
    assert read(text, "t.tsv")[1] == [[str(n), "Ann Lee x", "", "c:\\d"] for n in range(30)]


def test_folders_with_a_backslash_at_their_end_stay_cells():
    text = "".join(f"{n}\tc:\\dir\\\tx\n" for n in range(5))
    assert read(text, "t.tsv")[1][0] == ["0", "c:\\dir\\", "x"]


@pytest.mark.parametrize("title", ["Report;Customers", "Report;Customers;2024"])
def test_a_title_with_the_delimiter_is_no_header(title):
    text = f"{title}\nid;first_name;last_name;email\n" + "".join(f"{n};Ann;Lee;a{n}@b.co\n" for n in range(9))
    assert read(text)[0][:4] == ["id", "first_name", "last_name", "email"]


def test_a_narrow_first_row_of_data_is_no_title():
    text = "1;Ann;Lee\n" + "".join(f"{n};Ann;Lee;a{n}@b.co\n" for n in range(2, 9))
    assert len(read(text)[1]) == 8
