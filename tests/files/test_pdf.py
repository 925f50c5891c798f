"""PDF: text by page, comments, forms, properties, attached files; what is only a picture is told. Made by fpdf2."""

from __future__ import annotations

import io
import sys
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import CANARIES
from files.test_mail import scan
from plainview.files.formats import reader
from plainview.files.kinds.identify import identify
from plainview.tables import Limits

MAIL, NAME, PHONE, IBAN = CANARIES


def by_hand(*objects: str | bytes, pages: int = 1) -> bytes:
    """Return a PDF of objects 4, 5, …; its pages all are object 3, whose text is object 4."""
    kids = "3 0 R " * pages
    fixed = [
        "<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[6 0 R]>>>>",
        f"<</Type/Pages/Kids[{kids}]/Count {pages}>>",
        (
            "<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R/Annots[5 0 R 6 0 R]/Resources<</Font<</F1<</Type/Font/Subtype/Type1"
            "/BaseFont/Helvetica>>>>>>>>"
        ),
    ]
    out, places = b"%PDF-1.7\n", []
    for number, each in enumerate([*fixed, *objects], 1):
        places.append(len(out))
        out += (
            f"{number} 0 obj\n".encode() + (each.encode("latin-1") if isinstance(each, str) else each) + b"\nendobj\n"
        )
    start = len(out)
    out += f"xref\n0 {len(places) + 1}\n0000000000 65535 f \n".encode()
    out += b"".join(f"{place:010} 00000 n \n".encode() for place in places)
    return out + f"trailer<</Root 1 0 R/Size {len(places) + 1}>>\nstartxref\n{start}\n%%EOF\n".encode()


def stream(text: str, *, packed: bool = False) -> bytes:
    data = text.encode("latin-1")
    data = zlib.compress(data) if packed else data
    return f"<</Length {len(data)}{'/Filter/FlateDecode' if packed else ''}>>stream\n".encode() + data + b"\nendstream"


def shown(*lines: str) -> str:
    return "BT /F1 12 Tf 50 700 Td " + " ".join(f"({line}) Tj 0 -20 Td" for line in lines) + " ET"


NOTE = f"<</Type/Annot/Subtype/Text/Rect[0 0 9 9]/Contents(ask {PHONE})/T({NAME})>>"
FIELD = f"<</Type/Annot/Subtype/Widget/FT/Tx/Rect[0 0 99 9]/T(iban)/V({IBAN})>>"


@pytest.fixture(autouse=True)
def library() -> None:
    pytest.importorskip("pypdfium2", reason="pypdfium2 is not installed")


def test_text_comments_and_fields(tmp_path: Path) -> None:
    data = by_hand(stream(shown(f"Write to {MAIL}", "and wait")), NOTE, FIELD)
    assert identify(data, "a", len(data)).name == "pdf"
    found, log = scan(tmp_path / "a.pdf", data)
    assert found["a.pdf"] == [
        {"page": 1, "text": f"Write to {MAIL}"},
        {"page": 1, "text": "and wait"},
        {"page": 1, "text": f"iban: {IBAN}"},
    ]
    assert found["a.pdf/comments"] == [{"page": 1, "text": f"ask {PHONE}", "author": NAME}]
    assert not log.skipped


def test_a_document_of_fpdf2(tmp_path: Path) -> None:
    library = pytest.importorskip("fpdf", reason="fpdf2 is not installed")
    from PIL import Image

    picture = io.BytesIO()
    Image.new("RGB", (20, 20), "red").save(picture, "PNG")
    made = library.FPDF()
    made.set_author(NAME)
    made.set_title("Letter")
    for number in range(1, 4):
        made.add_page()
        made.set_font("Helvetica", size=12)
        if number == 2:
            made.image(picture, w=100)
        else:
            made.cell(text=f"Page {number}: Grüße an {NAME}", link=f"mailto:{MAIL}")
            made.ln()
            made.image(picture, w=5)
    (tmp_path / "people.csv").write_text(f"name,email\n{NAME},{MAIL}\n")
    made.embed_file(tmp_path / "people.csv")
    data = bytes(made.output())
    (tmp_path / "people.csv").unlink()
    found, log = scan(tmp_path / "a.pdf", data)
    assert {"page": 3, "text": f"Page 3: Grüße an {NAME}"} in found["a.pdf"]
    assert {"page": 1, "text": f"mailto:{MAIL}"} in found["a.pdf"]
    assert found["a.pdf/properties"][0]["author"] == NAME
    assert found["a.pdf/people.csv"] == [{"name": NAME, "email": MAIL}]
    assert ("a.pdf", "only a picture, without text (OCR is off): page 2") in log.skipped
    assert ("a.pdf", "pictures beside the text were not looked into (OCR is off): 2") in log.skipped


def test_encrypted_documents_are_told(tmp_path: Path) -> None:
    library = pytest.importorskip("fpdf", reason="fpdf2 is not installed")
    made = library.FPDF()
    made.add_page()
    made.set_font("Helvetica", size=12)
    made.cell(text=MAIL)
    made.set_encryption(owner_password="a", user_password="b")
    found, log = scan(tmp_path / "a.pdf", bytes(made.output()))
    assert not found
    assert log.skipped == [("a.pdf", "encrypted with a password")]
    made = library.FPDF()
    made.add_page()
    made.set_font("Helvetica", size=12)
    made.cell(text=MAIL)
    made.set_encryption(owner_password="a")  # anybody may read it
    found, _ = scan(tmp_path / "b.pdf", bytes(made.output()))
    assert found["b.pdf"] == [{"page": 1, "text": MAIL}]


def test_in_an_archive_and_in_a_message(tmp_path: Path) -> None:
    from email.message import EmailMessage

    mail = EmailMessage()
    mail["From"], mail["Message-ID"] = MAIL, "1"
    mail.set_content("x")
    mail.add_attachment(
        by_hand(stream(shown(MAIL)), NOTE, FIELD), maintype="application", subtype="pdf", filename="a.pdf"
    )
    found, _ = scan(tmp_path / "a.eml", bytes(mail))
    assert found["a.eml/a.pdf"][0] == {"page": 1, "text": MAIL}


def test_one_page_many_times_is_a_bomb(tmp_path: Path) -> None:
    data = by_hand(stream(shown(*["x" * 60] * 400), packed=True), NOTE, FIELD, pages=3000)
    _, log = scan(tmp_path / "a.pdf", data, Limits(ratio_floor=1 << 20, ratio=20))
    assert any("bomb" in why for _, why in log.skipped)


def test_each_cut_and_change_ends_well(tmp_path: Path) -> None:
    data = by_hand(stream(shown(f"Write to {MAIL}")), NOTE, FIELD)
    for at in range(0, len(data), 29):
        for changed in (data[:at], data[:at] + b"9R<" + data[at + 3 :]):
            found, log = scan(tmp_path / "a.pdf", changed)
            assert found or log.skipped or log.noted


@settings(deadline=None, max_examples=50)
@given(st.binary(max_size=200))
def test_any_bytes_end_well(tmp_path_factory: pytest.TempPathFactory, body: bytes) -> None:
    found, log = scan(tmp_path_factory.mktemp("p") / "a.pdf", b"%PDF-1.7\n" + body)
    assert found or log.skipped


@given(st.integers(5, 30), st.booleans(), st.sampled_from(["DE89370400440532013000", "FR7630006000011234567890189"]))
def test_an_account_number_that_a_line_cuts_is_whole(at: int, spaced: bool, number: str) -> None:
    from plainview.files.formats.pdf import joined

    shown = " ".join(number[i : i + 4] for i in range(0, len(number), 4)) if spaced else number
    cut = min(at, len(shown) - 2)
    start, rest = shown[:cut].rstrip(), shown[cut:].lstrip()
    assert shown.replace(" ", "") in joined(f"to {start}\n{rest} Berlin").replace(" ", "")
    assert joined(f"to {shown}\n12345 Berlin") == f"to {shown}\n12345 Berlin"
    assert joined(f"to {start}\n\n{rest}") == f"to {start}\n\n{rest}"


@given(st.text(alphabet="AZ019 \n", max_size=80))
def test_joining_loses_nothing(text: str) -> None:
    from plainview.files.formats.pdf import joined

    assert "".join(joined(text).split()) == "".join(text.split())


def test_without_the_library_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pypdfium2", None)
    monkeypatch.delitem(sys.modules, "plainview.files.formats.pdf", raising=False)
    reader.cache_clear()
    _, log = scan(tmp_path / "a.pdf", by_hand(stream(shown(MAIL)), NOTE, FIELD))
    reader.cache_clear()
    assert any("plainview[documents]" in why for _, why in log.skipped)
