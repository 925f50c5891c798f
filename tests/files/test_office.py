"""Office documents: text, tables, comments, changes, properties and files in them; made by the tools that are named."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bounds.work import LINEAR, growth
from conftest import CANARIES
from files.test_mail import scan
from plainview.files.formats.office import read as office
from plainview.files.kinds.identify import identify
from plainview.tables import Deadline, Input, Limits, ReadLog

MAIL, NAME, PHONE, IBAN = CANARIES
ROWS = [
    ["Name", "E-Mail", "IBAN"],
    ["Anna Huber", "anna@kunde.at", IBAN],
    ["Max Maier", "max@kunde.at", "AT611904300234573201"],
]
W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
TYPES = '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'


def packed(**parts: str | bytes) -> bytes:
    """Return a zip of parts; the type of ODF and EPUB stands in it as it is."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data, zipfile.ZIP_STORED if name == "mimetype" else None)
    return out.getvalue()


def docx(body: str, **more: str | bytes) -> bytes:
    """Return a document written by hand."""
    return packed(
        **{"[Content_Types].xml": TYPES, "word/document.xml": f"<w:document {W}><w:body>{body}</w:body></w:document>"},
        **more,
    )


def paragraph(text: str) -> str:
    return f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>"


def texts(found: dict, name: str) -> list[str]:
    return [row["text"] for row in found.get(name, [])]


def test_a_document_of_python_docx(tmp_path: Path) -> None:
    library = pytest.importorskip("docx", reason="python-docx is not installed")
    document = library.Document()
    document.add_paragraph(f"Call {NAME} at ").add_run(PHONE).bold = True
    document.sections[0].header.paragraphs[0].text = f"from {MAIL}"
    table = document.add_table(0, 3)
    for row in ROWS:
        for cell, text in zip(table.add_row().cells, row, strict=True):
            cell.text = text
    document.core_properties.author, document.core_properties.last_modified_by = NAME, "Eva Muster"
    if hasattr(document, "add_comment"):
        document.add_comment(document.paragraphs[0].runs, text=f"ask {MAIL}", author="Otto Normal")
    document.save(tmp_path / "a.docx")
    found, log = scan(tmp_path / "a.docx")
    assert {"part": "document", "text": f"Call {NAME} at {PHONE}"} in found["a.docx"]
    assert {"part": "header1", "text": f"from {MAIL}"} in found["a.docx"]
    assert [list(row.values()) for row in found["a.docx/table_1"]] == ROWS[1:]
    (kept,) = found["a.docx/properties"]
    assert (kept["creator"], kept["last_modified_by"]) == (NAME, "Eva Muster")
    assert found["a.docx/comments"][0]["text"] == f"ask {MAIL}"
    assert found["a.docx/comments"][0]["author"] == "Otto Normal"
    assert not log.skipped


def test_slides_of_python_pptx(tmp_path: Path) -> None:
    library = pytest.importorskip("pptx", reason="python-pptx is not installed")
    deck = library.Presentation()
    for number in range(2):
        slide = deck.slides.add_slide(deck.slide_layouts[5])
        slide.shapes.title.text = f"Slide of {NAME} {number}"
        slide.notes_slide.notes_text_frame.text = f"note: {PHONE}"
    table = slide.shapes.add_table(3, 3, 0, 0, 9_000_000, 900_000).table
    for at, row in enumerate(ROWS):
        for column, text in enumerate(row):
            table.cell(at, column).text = text
    deck.core_properties.author = NAME
    deck.save(tmp_path / "a.pptx")
    found, log = scan(tmp_path / "a.pptx")
    assert {"part": "slide2", "text": f"Slide of {NAME} 1"} in found["a.pptx"]
    assert {"part": "notesSlide1", "text": f"note: {PHONE}"} in found["a.pptx"]
    assert [list(row.values()) for row in found["a.pptx/table_1"]] == ROWS[1:]
    assert found["a.pptx/properties"][0]["creator"] == NAME
    assert not log.skipped


def test_a_text_of_odfpy(tmp_path: Path) -> None:
    from odf import dc, meta, office, text
    from odf.opendocument import OpenDocumentText
    from odf.table import Table, TableCell, TableRow

    document = OpenDocumentText()
    document.meta.addElement(meta.InitialCreator(text=NAME))
    line = text.P(text="Call ")
    line.addElement(text.A(href=f"mailto:{MAIL}", text=PHONE))
    note = office.Annotation()
    note.addElement(dc.Creator(text="Otto Normal"))
    note.addElement(text.P(text="ask her"))
    line.addElement(note)
    line.addText(" now")
    document.text.addElement(line)
    table = Table(name="t")
    for row in ROWS:
        made = TableRow()
        for value in row:
            cell = TableCell()
            cell.addElement(text.P(text=value))
            made.addElement(cell)
        table.addElement(made)
    document.text.addElement(table)
    document.save(str(tmp_path / "a.odt"))
    found, log = scan(tmp_path / "a.odt")
    assert f"Call {PHONE} now" in texts(found, "a.odt")
    assert f"mailto:{MAIL}" in texts(found, "a.odt")
    assert found["a.odt/comments"] == [{"what": "comment", "author": "Otto Normal", "text": "ask her"}]
    assert [list(row.values()) for row in found["a.odt/table_1"]] == ROWS[1:]
    assert found["a.odt/properties"][0]["initial-creator"] == NAME
    assert not log.skipped


def test_changes_that_were_tracked(tmp_path: Path) -> None:
    body = (
        f'<w:p><w:r><w:t>Pay to </w:t></w:r><w:del w:author="{NAME}" w:date="2024-01-01"><w:r><w:delText>{IBAN[:9]}</w:delText></w:r>'
        f"<w:r><w:delText>{IBAN[9:]}</w:delText></w:r></w:del>"
        f'<w:ins w:author="Eva Muster"><w:r><w:t>{MAIL}</w:t></w:r></w:ins></w:p>'
    )
    found, _ = scan(tmp_path / "a.docx", docx(body))
    assert texts(found, "a.docx") == [f"Pay to {MAIL}"]
    assert found["a.docx/comments"] == [
        {"what": "del", "author": NAME, "date": "2024-01-01", "text": IBAN},
        {"what": "ins", "author": "Eva Muster"},
    ]


def test_a_text_that_stands_twice_for_old_programs_is_read_once(tmp_path: Path) -> None:
    box = f"<w:txbxContent>{paragraph(MAIL)}</w:txbxContent>"
    body = f"<w:p><w:r><w:t>before</w:t><w:AlternateContent><w:Choice>{box}</w:Choice><w:Fallback>{box}</w:Fallback></w:AlternateContent></w:r></w:p>"
    found, _ = scan(tmp_path / "a.docx", docx(body))
    assert texts(found, "a.docx") == [MAIL, "before"]


def test_a_form_is_text_with_its_labels(tmp_path: Path) -> None:
    rows = [("Name", NAME), ("E-Mail:", MAIL), ("Telefon", PHONE)]
    cells = "".join(f"<w:tr><w:tc>{paragraph(a)}</w:tc><w:tc>{paragraph(b)}</w:tc></w:tr>" for a, b in rows)
    found, _ = scan(tmp_path / "a.docx", docx(f"<w:tbl>{cells}</w:tbl>"))
    assert texts(found, "a.docx") == [f"Name: {NAME}", f"E-Mail: {MAIL}", f"Telefon: {PHONE}"]


def test_files_in_a_document_are_read_by_their_kind(tmp_path: Path) -> None:
    inner = docx(paragraph(MAIL))
    link = f'<Relationships><Relationship TargetMode="External" Target="mailto:{MAIL}"/><Relationship Target="styles.xml"/></Relationships>'
    more = {
        "word/embeddings/table.csv": f"name,email\n{NAME},{MAIL}\n",
        "word/embeddings/inner.docx": inner,
        "word/media/image1.png": b"\x89PNG\r\n\x1a\n" + bytes(50),
        "word/_rels/document.xml.rels": link,
        "customXml/item1.xml": f"<r><mail>{MAIL}</mail></r>",
        "docProps/thumbnail.jpeg": b"\xff\xd8\xff" + bytes(50),
    }
    found, log = scan(tmp_path / "a.docx", docx(paragraph("x"), **more))
    assert found["a.docx/word/embeddings/table.csv"] == [{"name": NAME, "email": MAIL}]
    assert texts(found, "a.docx/word/embeddings/inner.docx") == [MAIL]
    assert found["a.docx/customXml/item1.xml"] == [{"mail": MAIL}]
    assert texts(found, "a.docx") == ["x", f"mailto:{MAIL}"]
    assert [name for name, _ in log.skipped] == ["a.docx/word/media/image1.png"]
    assert [name for name, _ in log.noted] == ["a.docx/docProps/thumbnail.jpeg"]


def test_what_stands_beside_the_cells_of_a_workbook(tmp_path: Path) -> None:
    import xlsxwriter

    with xlsxwriter.Workbook(tmp_path / "a.xlsx") as book:
        sheet = book.add_worksheet()
        sheet.write_column(0, 0, ["name", "Anna", "Eva"])
        sheet.write_comment("A2", f"ask {MAIL}", {"author": "Otto Normal"})
        sheet.insert_textbox("D4", f"call {PHONE}")
        sheet.set_header(f"&L{NAME}&RPage &P")
        book.set_properties({"author": NAME, "company": "Kunde GmbH"})
    found, log = scan(tmp_path / "a.xlsx")
    assert found["a.xlsx/comments"][-1]["text"].endswith(f"ask {MAIL}")
    assert any(row.get("author") == "Otto Normal" for row in found["a.xlsx/comments"])
    assert f"call {PHONE}" in texts(found, "a.xlsx")
    assert any(NAME in text for text in texts(found, "a.xlsx"))
    assert found["a.xlsx/properties"][0]["company"] == "Kunde GmbH"
    assert not log.skipped


@pytest.mark.parametrize("program", ["openpyxl", "Apache POI", "XlsxWriter"])
def test_a_program_that_made_a_workbook_is_nobody(tmp_path: Path, program: str) -> None:
    import xlsxwriter

    with xlsxwriter.Workbook(tmp_path / "a.xlsx") as book:
        book.set_properties({"author": program})
        book.add_worksheet("s").write_row(0, 0, ["part", "number"])
    assert list(scan(tmp_path / "a.xlsx")[0]) == ["a.xlsx/s"]


def test_a_comment_of_ods(tmp_path: Path) -> None:
    from odf import dc, office, text
    from odf.opendocument import OpenDocumentSpreadsheet
    from odf.table import Table, TableCell, TableRow

    document, table = OpenDocumentSpreadsheet(), Table(name="t")
    for value in ("name", "Anna", "Eva"):
        row, cell = TableRow(), TableCell(valuetype="string")
        note = office.Annotation()
        note.addElement(dc.Creator(text="Otto Normal"))
        note.addElement(text.P(text=f"of {value}: {MAIL}"))
        cell.addElement(note)
        cell.addElement(text.P(text=value))
        row.addElement(cell)
        table.addElement(row)
    document.spreadsheet.addElement(table)
    document.save(str(tmp_path / "a.ods"))
    found, _ = scan(tmp_path / "a.ods")
    assert found["a.ods/comments"][1] == {"what": "comment", "author": "Otto Normal", "text": f"of Anna: {MAIL}"}
    assert "a.ods" not in found


@pytest.mark.parametrize(
    ("name", "first", "kind"),
    [("word/document.xml", "", "docx"), ("ppt/presentation.xml", "", "pptx"), ("content.xml", "text", "odt"), ("content.xml", "presentation", "odp"),
     ("content.xml", "graphics", "odg"), ("OEBPS/a.xhtml", "epub", "zip")],
)  # fmt: skip
def test_they_are_known_by_their_content(name: str, first: str, kind: str) -> None:
    mime = "application/epub+zip" if first == "epub" else f"application/vnd.oasis.opendocument.{first}"
    parts = {"mimetype": mime} if first else {"[Content_Types].xml": TYPES}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for each, data in (parts | {name: "<a/>"}).items():
            archive.writestr(each, data)
    data = out.getvalue()
    assert identify(data, "a.bin", len(data), lambda at, size: data[at:][:size]).name == kind


def test_a_book_is_read_page_by_page(tmp_path: Path) -> None:
    page = f"<?xml version='1.0'?><!DOCTYPE html><html xmlns='http://www.w3.org/1999/xhtml'><body><p>Write to {MAIL}</p></body></html>"
    opf = f"<package><metadata><dc:creator xmlns:dc='d'>{NAME}</dc:creator></metadata></package>"
    found, _ = scan(
        tmp_path / "a.epub",
        packed(**{"mimetype": "application/epub+zip", "OEBPS/c1.xhtml": page, "OEBPS/content.opf": opf}),
    )
    assert MAIL in str(found["a.epub/OEBPS/c1.xhtml"])
    assert NAME in str(found["a.epub/OEBPS/content.opf"])


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "document type"),
        (f"<w:document {W}><w:body>{paragraph('kept')}<w:p>", "not well-formed"),
        (f"<w:document {W}>" + paragraph("kept") + "<w:p>" * 400, "not well-formed"),
        (f"<w:document {W}>{paragraph('kept')}<w:p " + " ".join(f"a{n}='1'" for n in range(3000)) + "/>", "attributes"),
    ],
)
def test_hostile_parts_are_told(tmp_path: Path, body: str, why: str) -> None:
    data = packed(
        **{
            "[Content_Types].xml": TYPES,
            "word/document.xml": body,
            "word/header1.xml": f"<w:hdr {W}>{paragraph(MAIL)}</w:hdr>",
        }
    )
    found, log = scan(tmp_path / "a.docx", data)
    assert any(why in told for _, told in log.skipped)
    assert MAIL in texts(found, "a.docx")
    assert "kept" in texts(found, "a.docx") or "kept" not in body or why == "attributes"


def test_bombs_are_told_and_end_early(tmp_path: Path) -> None:
    data = docx(paragraph("x" * 30_000_000))
    _, log = scan(tmp_path / "a.docx", data, Limits(ratio_floor=1 << 20))
    assert any("bomb" in why for _, why in log.skipped)


def test_a_repeat_of_a_cell_is_bounded(tmp_path: Path) -> None:
    content = (
        '<o:d xmlns:o="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:t="urn:oasis:t" xmlns:x="urn:oasis:x"><t:table><t:table-row>'
        + f'<t:table-cell t:number-columns-repeated="999999999"><x:p>{MAIL}</x:p></t:table-cell>' * 3
        + "</t:table-row><t:table-row><t:table-cell><x:p>a</x:p></t:table-cell></t:table-row></t:table></o:d>"
    )
    found, _ = scan(
        tmp_path / "a.odt", packed(**{"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": content})
    )
    assert len(found["a.odt/table_1"][0]) <= 200


def test_encrypted_documents_are_told(tmp_path: Path) -> None:
    parts = {
        "mimetype": "application/vnd.oasis.opendocument.text",
        "META-INF/manifest.xml": "<m:encryption-data/>",
        "content.xml": b"\x01\x02\x03\xff" * 9,
    }
    _, log = scan(tmp_path / "a.odt", packed(**parts))
    assert any("encrypted" in why for _, why in log.skipped)


def test_a_document_in_an_archive_and_in_a_message(tmp_path: Path) -> None:
    from email.message import EmailMessage

    inner = docx(paragraph(MAIL))
    found, _ = scan(tmp_path / "a.zip", packed(**{"in/b.docx": inner}))
    assert texts(found, "a.zip/in/b.docx") == [MAIL]
    mail = EmailMessage()
    mail["From"], mail["Message-ID"] = MAIL, "1"
    mail.set_content("x")
    mail.add_attachment(inner, maintype="application", subtype="octet-stream", filename="b.docx")
    found, _ = scan(tmp_path / "a.eml", bytes(mail))
    assert texts(found, "a.eml/b.docx") == [MAIL]


def test_each_cut_ends_well(tmp_path: Path) -> None:
    data = docx("".join(map(paragraph, "abc" * 50)))
    for end in range(50, len(data), 37):
        found, log = scan(tmp_path / "a.docx", data[:end])
        assert found or log.skipped


RTF = (
    r"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0\fcharset0 Arial;}{\f1\fcharset204 Arial;}}{\info{\author "
    + NAME
    + r"}{\operator Eva}}"
    r"{\*\generator X 1;}{\stylesheet{\s0 Normal;}}{\header from the head\par}"
    r"\f0 Gr\'fc\'dfe an Frau M\u252?ller, Tel. {\b " + PHONE + r"}\par "
    r"{\f1\'cf\'f0\'e8\'e2\'e5\'f2}\par{\field{\*\fldinst{HYPERLINK " + f'"mailto:{MAIL}"' + r"}}{\fldrslt mail}}\par"
    r"\trowd Name\cell IBAN\cell\row \pard {\*\atnauthor Otto}{\*\annotation ask him}{\pict\pngblip 89504e47}"
    r"{\footnote a note}last \{line\}\par}"
)


def test_rich_text(tmp_path: Path) -> None:
    assert identify(RTF.encode(), "a.doc", len(RTF)).name == "rtf"
    found, log = scan(tmp_path / "a.rtf", RTF.encode())
    lines = texts(found, "a.rtf")
    for line in (
        f"Grüße an Frau Müller, Tel. {PHONE}",
        "Привет",
        f'HYPERLINK "mailto:{MAIL}"',
        "a note",
        "last {line}",
        "from the head",
    ):
        assert line in lines
    assert found["a.rtf/properties"] == [{"author[]": [NAME], "operator[]": ["Eva"]}]
    assert found["a.rtf/comments"] == [{"author": "Otto", "text": "ask him"}]
    assert log.skipped == [("a.rtf", "pictures in it were not looked into")]


def test_rich_text_that_is_cut_or_deep(tmp_path: Path) -> None:
    found, log = scan(tmp_path / "a.rtf", RTF.encode()[:-40])
    assert f"Grüße an Frau Müller, Tel. {PHONE}" in texts(found, "a.rtf")
    assert any("cut short" in why for _, why in log.skipped)
    found, log = scan(tmp_path / "a.rtf", b"{\\rtf1 before\\par " + b"{" * 100_000)
    assert texts(found, "a.rtf") == ["before"]
    assert any("levels deep" in why for _, why in log.skipped)


def test_emoji_in_rich_text_are_two_halves(tmp_path: Path) -> None:
    found, _ = scan(tmp_path / "a.rtf", rb"{\rtf1\uc1 \u-10179?\u-8704? and \u-10179? alone\par}")
    assert texts(found, "a.rtf")[0].startswith("\U0001f600")


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=300))
def test_any_rich_text_ends_well(tmp_path_factory: pytest.TempPathFactory, body: bytes) -> None:
    found, log = scan(tmp_path_factory.mktemp("r") / "a.rtf", b"{\\rtf1" + body)
    assert found or log.skipped


@settings(deadline=None, max_examples=60)
@given(st.lists(st.sampled_from(["<w:p>", "</w:p>", "<w:t>a", "</w:t>", "<w:tbl>", "</w:tbl>", "<w:tr>", "</w:tr>", "<w:tc>", "</w:tc>", "<w:del w:author='a'>",
                                 "</w:del>", "<w:comment>", "</w:comment>", "<w:Fallback>", "</w:Fallback>"]), max_size=30))  # fmt: skip
def test_any_order_of_elements_ends_well(tmp_path_factory: pytest.TempPathFactory, tags: list[str]) -> None:
    found, log = scan(tmp_path_factory.mktemp("d") / "a.docx", docx("".join(tags)))
    assert found or log.skipped or "a" not in "".join(tags)


@pytest.mark.parametrize(
    "unit",
    ["<w:p><w:t>a</w:t></w:p>", "<w:tbl><w:tr><w:tc><w:p><w:t>a</w:t></w:p></w:tc></w:tr></w:tbl>", "<w:comment w:author='a'/>",
     "<w:t>a</w:t>", "<w:del w:author='a'><w:delText>b</w:delText></w:del>", "<w:tr><w:tc>a", "<w:docVar w:name='a' w:val='b'/>", "<!--a-->", "&#65;"],
)  # fmt: skip
@pytest.mark.parametrize("around", ["", "<w:p>", "<w:tbl><w:tr><w:tc>", "<w:del w:author='a'>"])
def test_work_grows_with_the_text(unit: str, around: str) -> None:
    def read(data: bytes) -> None:
        source = Input("a.docx", data[: 64 << 10], lambda: io.BytesIO(data), len(data), None, Limits(), Deadline(60))
        for _ in office.read(source, ReadLog()):
            pass

    assert growth(read, lambda size: docx(around + unit * (size // len(unit))), 150_000) < LINEAR
