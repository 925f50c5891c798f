"""XML is streamed and expands nothing; HTML gives its tables and its text, however broken."""

from __future__ import annotations

import gc
import io
import socket
import sys
import time

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plainview.documents.flatten import flatten
from plainview.errors import LimitError, PlainviewError
from plainview.files.formats.markup import read as markup
from plainview.tables import Input, Limits, ReadLog

CANARY = "canary.7f3a@example.org"


def scan(data: bytes | str, name: str = "x.xml") -> tuple[dict[str, pl.DataFrame], list[str]]:
    """Return the frame of each table, and what was told."""
    raw = data.encode() if isinstance(data, str) else data
    log = ReadLog()
    frames: dict[str, list[pl.DataFrame]] = {}
    told: list[str] = []
    try:
        for batch in markup.read(Input(name, raw[:65536], lambda: io.BytesIO(raw), len(raw)), log):
            frames.setdefault(batch.table.name, []).append(flatten(batch.frame))
    except PlainviewError as error:
        told.append(str(error))
    told += [why for _, why in log.skipped]
    assert CANARY not in str(told)
    return {k: pl.concat(v, how="diagonal_relaxed") for k, v in frames.items()}, told


def xml(data: bytes | str) -> pl.DataFrame:
    frames, told = scan(data)
    assert told == []
    return frames["x.xml"]


def everything(frames: dict[str, pl.DataFrame]) -> str:
    return " ".join(str(frame.to_dict(as_series=False)) for frame in frames.values())


def test_the_repeated_element_is_the_row():
    frame = xml(
        "<?xml version='1.0'?><db><!-- c1 --><customers n='2'>"
        "<customer id='1'><name>Anna</name><phones><p>1</p><p>2</p></phones></customer><!--c2-->"
        "<customer id='2'><name t='x'>Bob<!--in--></name><address><city>Y</city></address></customer> tail"
        "</customers><orders><order>5</order></orders></db>"
    )
    rows = [{k: v for k, v in row.items() if v is not None} for row in frame.to_dicts()]
    assert rows == [
        {"#comment": "c1"},
        {"@id": "1", "name": "Anna", "phones.p[]": ["1", "2"]},
        {"#comment": "c2"},
        {"@id": "2", "name": "Bob", "name.@t": "x", "name.#comment": "in", "address.city": "Y"},
        {"customers.@n": "2", "customers": "tail"},
        {"order": "5"},
    ]


def test_no_repetition_is_one_row():
    assert xml("<p:person xmlns:p='urn:x' id='1'><p:name>Anna</p:name></p:person>").to_dicts() == [
        {"@id": "1", "name": "Anna"}
    ]


def test_feed_with_a_head():
    items = "".join(f"<item><title>t{i}</title><author>a{i}@x.org</author></item>" for i in range(50))
    frame = xml(f"<rss version='2'><channel><title>News</title>{items}</channel></rss>")
    assert frame["author"].drop_nulls().len() == 50
    assert frame["channel.title" if "channel.title" in frame.columns else "title"].drop_nulls().len() >= 1
    assert "News" in str(frame.to_dict(as_series=False))


def test_large_xml_is_streamed_whole():
    data = "<r>" + "".join(f"<x a='{i}'><b>n{i}</b></x>\n" for i in range(60_000)) + "</r>"
    frame = xml(data)
    assert frame["@a"].to_list() == [str(i) for i in range(60_000)]
    assert frame["b"].n_unique() == 60_000


@pytest.mark.parametrize("encoding", ["utf-16", "gb18030", "iso-8859-1", "utf-8-sig"])
def test_declared_encodings(encoding):
    name = "Müller" if encoding == "iso-8859-1" else "Müller 张"
    declared = encoding.removesuffix("-sig").upper()
    frame = xml(f"<?xml version='1.0' encoding='{declared}'?><r><x>{name}</x><x>2</x></r>".encode(encoding))
    assert frame["x"].to_list() == [name, "2"]


LAUGHS = "<!DOCTYPE l [<!ENTITY a 'lol'>" + "".join(
    f"<!ENTITY {b} '{f'&{a};' * 10}'>" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)
BOMBS = [
    LAUGHS + "]><r><x>&i;</x><x>2</x></r>",
    LAUGHS + "]><r><x a='&i;'>1</x><x>2</x></r>",
    "<!DOCTYPE r [<!ENTITY q '" + "A" * 100_000 + "'>]><r><x>" + "&q;" * 100_000 + "</x><x>2</x></r>",
    "<!DOCTYPE r [<!ENTITY % p '<!ENTITY q \"&#37;p;%p;\">'> %p;]><r><x>1</x></r>",
]


@pytest.mark.parametrize("data", BOMBS)
def test_bombs_are_told_and_cost_nothing(data):
    start = time.monotonic()
    frames, told = scan(data)
    assert told
    assert time.monotonic() - start < 30
    assert len(everything(frames)) < 2_000_000


def test_nothing_is_fetched(monkeypatch, tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text(CANARY)
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        server.settimeout(0.2)
        url = f"http://127.0.0.1:{server.getsockname()[1]}/x.dtd"
        for data in (
            f"<!DOCTYPE r [<!ENTITY q SYSTEM 'file://{secret}'>]><r><x>&q;</x><x>2</x></r>",
            f"<!DOCTYPE r SYSTEM '{url}'><r><x>1</x><x>2</x></r>",
            f"<!DOCTYPE r [<!ENTITY % p SYSTEM '{url}'> %p;]><r><x>1</x><x>2</x></r>",
            f"<r xmlns:xi='http://www.w3.org/2001/XInclude'><xi:include href='{secret}' parse='text'/><x>1</x></r>",
        ):
            frames, _ = scan(data)
            assert CANARY not in everything(frames)
            frames, _ = scan(f"<html><link href='{url}'><img src='{url}'></html>", "p.html")
        with pytest.raises(TimeoutError):
            server.accept()


@pytest.mark.parametrize(
    "data",
    [
        "",
        "text " + CANARY,
        "<r>",
        "<r><x>1</x><x>2</x><y",
        "<a>" * 100_000,
        "<r a=1/>",
        "<r>&nbsp;</r>",
        "<r/><?xml version='1.0'?><r/>",
    ],
)
def test_damaged_xml_is_told(data):
    frames, told = scan(data)
    assert told
    if "<x>" in data:
        assert frames["x.xml"]["x"].to_list() == ["1", "2"]


def test_several_documents_in_a_row():
    frames, told = scan("<p><n>Ann</n></p>\n<p><n>Bob</n></p>\n" + CANARY)
    assert told == []
    assert frames["x.xml"]["n"].to_list() == ["Ann", "Bob", None]
    assert CANARY in frames["x.xml"].rows()[2]


def test_characters_that_xml_forbids_do_not_end_it():
    frames, told = scan("<r><x>1\x01</x><x>2\x00\x1b[31m</x><x>3</x></r>")
    assert told == []
    assert frames["x.xml"]["x"].to_list() == ["1", "2[31m", "3"]


@pytest.mark.parametrize("name", ["library", "feed.rss"])
def test_titles_and_tables_do_not_make_a_page_of_xml(name):
    frames, told = scan(f"<library><!-- x --><book><title>T</title><p>{CANARY}</p></book><book/></library>", name)
    assert told == []
    assert frames[name]["p"].to_list() == [None, CANARY, None]
    frames, _ = scan("<table><row><a>1</a></row><row><a>2</a></row></table>", name)
    assert frames[name]["a"].to_list() == ["1", "2"]


@pytest.mark.parametrize("start", ["", "<!-- made by hand --> ", "<table>"])
def test_rows_without_a_page_are_a_table(start):
    """As `sqlite3 -html` writes them."""
    text = "<TR><TH>id</TH>\n<TH>name</TH>\n</TR>\n<TR><TD>1</TD>\n<TD>Ann</TD>\n</TR>\n"
    frames, told = scan(start + text, "rows")
    assert told == []
    assert frames["rows/table_1"].rows(named=True) == [{"id": "1", "name": "Ann"}]


@pytest.mark.parametrize("start", ["<table>", ""])
def test_what_stands_beside_the_text_of_cells_is_read(start):
    page = f"""<html>{start}<caption>cap {CANARY}</caption><tr><th>Name</th><th>x<!-- com --></th></tr>
    <tr><td><a href="mailto:{CANARY}">Anna</a> L</td><td><input value="form"></td></tr></table><p>after</p>"""
    frames, _ = scan(page, "p.html")
    assert frames["p.html/table_1"].rows(named=True) == [{"Name": "Anna L", "x": None}]
    rest = frames["p.html"]
    assert rest["text"].drop_nulls().to_list() == [f"cap {CANARY}", "after"]
    assert rest["@href"].drop_nulls().to_list() == [f"mailto:{CANARY}"]
    assert rest["@value"].drop_nulls().to_list() == ["form"]
    assert rest["#comment"].drop_nulls().to_list() == ["com"]


@pytest.mark.parametrize("value", [f"'{CANARY}<i>x</i>'", f'"&#60;i>{CANARY}&#60;/i>"', "'&#x3c;i/>'"])
@pytest.mark.parametrize("tail", ["</a>", "</b\xbe</a>"])
def test_elements_in_entities_are_not_built(value, tail):
    """lxml gives them out as elements of the document, and frees them twice."""
    found = []
    before, sys.unraisablehook = sys.unraisablehook, found.append
    try:
        frames, told = scan(f"<!DOCTYPE a [<!ENTITY e {value}>]><a><b>1&e;</b><b>2</b>{tail}")
        gc.collect()
    finally:
        sys.unraisablehook = before
    assert found == []
    assert "1 entities that its document type defines were not read" in told
    assert frames["x.xml"].height == 2


@pytest.mark.parametrize("text", ["<!ENTITY a -->", "<!-- it's <!ENTITY e \" --><!ENTITY f 'x'>", "<!ENTITY % p;>"])
def test_entities_that_are_not_understood_are_told(text):
    frames, told = scan(f"<!DOCTYPE a [{text}]><a><b>1</b><b>2</b></a>")
    assert told
    assert not any(frame.height for frame in frames.values())


PAGE = f"""<!doctype html><html><head><title>Staff</title><style>p{{}}</style><script>var who = "script value"</script>
<meta name=author content="meta value"></head><body><!-- comment {CANARY} --><p>Hello <b>An</b>na<br>next</p>
<table><thead><tr><td>Name</td><td>Mail</td><td>Mail</td></tr></thead><tr><td>Anna<td>a@x.org<td>b<tr><td colspan=3>Bob</table>
<table><tr><th>K</th><td>1</td></tr><tr><th>L</th><td>2</td></tr></table>
<table><tr><td>outer text<table><tr><th>In</th></tr><tr><td>inner value</td></tr></table></td></tr></table>
<a href="mailto:{CANARY}">mail</a><input value="form value"></div></b>tail text"""


def test_html_tables_and_text():
    frames, told = scan(PAGE, "p.html")
    assert told == []
    assert frames["p.html/table_1"].to_dict(as_series=False) == {
        "Name": ["Anna", "Bob"], "Mail": ["a@x.org", "Bob"], "Mail_2": ["b", "Bob"],
    }  # fmt: skip
    assert frames["p.html/table_2"].to_dict(as_series=False) == {"column_1": ["K", "L"], "column_2": ["1", "2"]}
    assert frames["p.html/table_3"].to_dict(as_series=False) == {"In": ["inner value"]}
    page = frames["p.html"]
    assert page["text"].drop_nulls().to_list() == ["Staff", "Hello Anna", "next", "outer text", "mail", "tail text"]
    assert page["#comment"].drop_nulls().to_list() == [f"comment {CANARY}"]
    assert page["@href"].drop_nulls().to_list() == [f"mailto:{CANARY}"]
    assert {"meta value", "form value"} <= {v for c in ("@content", "@value") for v in page[c].drop_nulls()}
    assert "script value" in page["script"].drop_nulls().item()
    assert not any(CANARY in name for frame in frames.values() for name in frame.columns)


def test_html_in_a_declared_encoding():
    frames, _ = scan("<meta charset=gbk><p>张伟 是 这里 的 人</p>".encode("gbk"), "p.html")
    assert frames["p.html"]["text"].drop_nulls().to_list() == ["张伟 是 这里 的 人"]


def test_html_that_is_too_deep_is_told():
    _, told = scan("<div>" * 100_000 + CANARY, "p.html")
    assert told == [str(LimitError("nested too deeply: the page was read up to there"))]


@settings(max_examples=150, deadline=None)
@given(st.text("<>/ab'\"=!-[]&;? \n", max_size=60))
def test_any_markup_is_survived(text):
    scan(text)
    scan(text, "p.html")
    flatten(pl.DataFrame({"t": [text]}))


def test_columns_of_a_page_are_held_against_the_limit():
    row = "<tr>" + "<td colspan=200>x</td>" * 200 + "</tr>"
    frames, told = scan("<html><table>" + row * 5 + "</table>", "p.html")
    assert frames["p.html/table_1"].shape == (5, 10_000)
    assert told == ["cells after the first 10,000 of a row (raise --columns)"]


def test_colspans_without_end_are_held_against_the_ratio():
    row = "<tr>" + f"<td colspan=200>{'x' * 60}</td>" * 40 + "</tr>"
    data = ("<html><table>" + row * 3_000 + "</table>").encode()
    limits = Limits(ratio=20)
    source = Input("p.html", data[:65536], lambda: io.BytesIO(data), len(data), None, limits)
    shapes: list[tuple[int, int]] = []
    with pytest.raises(LimitError, match="--ratio"):
        shapes.extend(batch.frame.shape for batch in markup.read(source, ReadLog()))
    assert 0 < sum(rows for rows, _ in shapes) < 3_000
    assert all(rows * columns < 600_000 for rows, columns in shapes)


def test_a_tag_of_many_attributes_is_told():
    page = "<html><e" + "".join(f" a{i}='>'" for i in range(100_000)) + ">"
    _, told = scan(page, "p.html")
    assert "attributes" in str(told)


def _dump(root: str, rows: str) -> str:
    return f'<?xml version="1.0"?>\n<{root}>\n<database name="shop">{rows}</database></{root}>'


def test_mysqldump_as_xml_gives_its_tables_under_their_names() -> None:
    structure = '<table_structure name="people"><field Field="id" Type="int"/></table_structure>'
    people = "".join(f'<row><field name="id">{n}</field><field name="email">u{n}@x.org</field></row>' for n in range(5))
    orders = '<row><field name="oid">7</field><field name="none" xsi:nil="true"/></row>'
    data = f'{structure}<table_data name="people">{people}</table_data><table_data name="orders">{orders}</table_data>'
    frames, told = scan(_dump("mysqldump", data).replace("<mysqldump", '<mysqldump xmlns:xsi="x"'))
    assert told == []
    assert frames["x.xml/people"]["email"].to_list() == [f"u{n}@x.org" for n in range(5)]
    assert frames["x.xml/orders"]["oid"].to_list() == ["7"]
    assert "none" in frames["x.xml/orders"].columns


def test_phpmyadmin_and_the_client_of_mysql_as_xml() -> None:
    rows = "".join(f'<table name="people"><column name="email">u{n}@x.org</column></table>' for n in range(4))
    frames, told = scan(_dump("pma_xml_export", rows))
    assert told == []
    assert frames["x.xml/people"].to_dict(as_series=False) == {"email": [f"u{n}@x.org" for n in range(4)]}
    frames, told = scan('<resultset statement="select"><row><field name="email">u@x.org</field></row></resultset>')
    assert told == []
    assert frames["x.xml"]["email"].drop_nulls().to_list() == ["u@x.org"]


def test_a_row_that_is_none_of_a_dump_is_read_as_it_is() -> None:
    frames, told = scan(_dump("mysqldump", f'<table_data name="t"><row><odd>{CANARY}</odd></row></table_data>'))
    assert told == []
    assert CANARY in everything(frames)
