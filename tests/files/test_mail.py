"""Mail: header fields, text in any encoding, attached files, mailboxes; nothing is lost, nothing is quoted."""

from __future__ import annotations

import gzip
import io
import mailbox
import zipfile
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import CANARIES
from plainview.files.formats.mail import mbox
from plainview.files.formats.mail.fields import addresses, words
from plainview.files.source import FileSource
from plainview.tables import Limits, ReadLog

MAIL, NAME, PHONE, IBAN = CANARIES
Tables = dict[str, list[dict[str, Any]]]


def scan(path: Path, data: bytes | None = None, limits: Limits | None = None) -> tuple[Tables, ReadLog]:
    """Return the rows of each table of a file, without what is empty, and the log."""
    if data is not None:
        path.write_bytes(data)
    source, log = FileSource(path, limits), ReadLog()
    found: Tables = {}
    for unit in source.units(log):
        for batch in source.read(unit, log):
            rows = [
                {key: value for key, value in row.items() if value not in (None, [])} for row in batch.frame.to_dicts()
            ]
            found.setdefault(batch.table.name, []).extend(rows)
    assert not any(canary in why for canary in CANARIES for _, why in log.skipped)
    return found, log


def message(text: str = "Hello", **fields: str) -> EmailMessage:
    made = EmailMessage()
    for name, value in ({"From": MAIL, "Message-ID": "<1@x>"} | fields).items():
        made[name] = value
    made.set_content(text)
    return made


def text_of(found: Tables, name: str) -> list[str]:
    return [row["text"] for row in found[f"{name}/text"]]


def test_header_fields_are_a_row(tmp_path: Path) -> None:
    mail = message(
        To='"Weber, Anna" <anna@kunde.at>, bob@kunde.at, Team: c@kunde.at;',
        Bcc="geheim@kunde.at",
        Subject="Überweisung für Herrn Schäfer und die ganze Abteilung in der großen Straße",
        Received="from a (a [203.0.113.9]) by b; Tue, 3 Dec 2024 10:11:11 +0100",
    )
    mail["X-Originating-IP"] = "[203.0.113.10]"
    mail["X-Customer"] = PHONE
    found, log = scan(tmp_path / "a.eml", bytes(mail))
    (row,) = found["a.eml"]
    assert row["from[].address"] == [MAIL]
    assert row["to[].address"] == ["anna@kunde.at", "bob@kunde.at", "c@kunde.at"]
    assert row["to[].display_name"] == ["Weber, Anna"]
    assert row["bcc[].address"] == ["geheim@kunde.at"]
    assert row["subject"] == "Überweisung für Herrn Schäfer und die ganze Abteilung in der großen Straße"
    assert "203.0.113.9" in row["received[]"][0]
    assert row["x_originating_ip[]"] == ["[203.0.113.10]"]
    assert row["other_fields[]"] == [f"x-customer: {PHONE}"]
    assert not log.skipped


@pytest.mark.parametrize("charset", ["utf-8", "iso-8859-1", "windows-1252", "utf-16", "utf-7"])
@pytest.mark.parametrize("cte", ["base64", "quoted-printable"])
def test_text_is_decoded(tmp_path: Path, charset: str, cte: str) -> None:
    mail = EmailMessage()
    mail["From"], mail["Message-ID"] = MAIL, "<1@x>"
    mail.set_content("x")
    raw = EmailMessage()
    raw.set_content("Müller & Söhne\nGrüße\n".encode(charset), "text", "plain", cte=cte)
    raw.replace_header("Content-Type", f"text/plain; charset={charset}")
    raw["From"], raw["Message-ID"] = MAIL, "<1@x>"
    found, _ = scan(tmp_path / "a.eml", bytes(raw))
    assert text_of(found, "a.eml") == ["Müller & Söhne", "Grüße"]


@pytest.mark.parametrize("declared", ["", "us-ascii", "x-unknown", "punycode", "zlib", "utf-8"])
def test_what_is_declared_wrong_is_told_from_the_bytes(tmp_path: Path, declared: str) -> None:
    head = f"From: a@b.cc\nMessage-ID: 1\nContent-Type: text/plain{'; charset=' + declared if declared else ''}\n\n"
    body = "Sehr geehrte Frau Müller, schöne Grüße aus Köln\n" * 9
    found, _ = scan(tmp_path / "a.eml", head.encode() + body.encode("latin-1"))
    assert text_of(found, "a.eml") == [body.split("\n", maxsplit=1)[0]]


def test_a_page_adds_what_the_plain_text_does_not_say(tmp_path: Path) -> None:
    mail = message("Guten Tag\nBis bald\n")
    mail.add_alternative(f"<p>Guten Tag</p><p>Mobil: <b>{PHONE}</b><a href='mailto:{MAIL}'>x</a>", subtype="html")
    found, _ = scan(tmp_path / "a.eml", bytes(mail))
    assert text_of(found, "a.eml") == ["Guten Tag", "Bis bald", f"mailto:{MAIL}", f"Mobil: {PHONE}x"]


def test_lines_that_go_on_are_joined(tmp_path: Path) -> None:
    data = b"From: a@b.cc\nMessage-ID: 1\nContent-Type: text/plain; format=flowed\n\nIBAN DE89 3704 0044 \n0532 0130 00\nend\n"
    found, _ = scan(tmp_path / "a.eml", data)
    assert text_of(found, "a.eml") == ["IBAN DE89 3704 0044 0532 0130 00", "end"]


def packed(name: str, data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(name, data)
    return out.getvalue()


def test_attached_files_are_read_by_their_kind(tmp_path: Path) -> None:
    mail = message()
    rows = f"name,email\n{NAME},{MAIL}\n".encode()
    mail.add_attachment(rows, maintype="application", subtype="octet-stream", filename="Kunden ä.csv")
    mail.add_attachment(packed("in/b.csv", rows), maintype="application", subtype="zip", filename="../x.zip")
    mail.add_attachment(gzip.compress(rows), maintype="application", subtype="gzip", filename="c.csv.gz")
    mail.add_attachment(b"\x89PNG\r\n\x1a\n" + bytes(40), maintype="image", subtype="png", filename="p.png")
    mail.add_attachment(b"0\x82", maintype="application", subtype="pkcs7-signature", filename="smime.p7s")
    mail.add_attachment(b"0\x82", maintype="application", subtype="pkcs7-mime", filename="smime.p7m")
    found, log = scan(tmp_path / "a.eml", bytes(mail))
    for name in ("a.eml/Kunden ä.csv", "a.eml/x.zip/in/b.csv", "a.eml/c.csv.gz"):
        assert found[name] == [{"name": NAME, "email": MAIL}]
    told = dict(log.skipped)
    assert "PNG" in told["a.eml/p.png"]
    assert "S/MIME" in told["a.eml/smime.p7m"]
    assert dict(log.noted)["a.eml/smime.p7s"]


def test_messages_in_messages_are_rows(tmp_path: Path) -> None:
    inner = message("innermost", From="c@c.cc")
    for number in range(5):
        outer = message(f"level {number}", From=f"{number}@c.cc")
        outer.add_attachment(inner)
        inner = outer
    found, log = scan(tmp_path / "a.eml", bytes(inner))
    assert [row["from[].address"] for row in found["a.eml"]] == [[f"{n}@c.cc"] for n in (4, 3, 2, 1, 0)] + [["c@c.cc"]]
    assert text_of(found, "a.eml")[-1] == "innermost"
    assert not log.skipped


def test_depth_has_an_end_and_that_is_told(tmp_path: Path) -> None:
    data = b"From: a@b.cc\nMIME-Version: 1.0\n" + b"Content-Type: message/rfc822\n\n" * 5000 + b"A: b\n\nx\n"
    found, log = scan(tmp_path / "a.eml", data)
    assert len(found["a.eml"]) <= Limits().nesting + 1
    assert any("levels deep" in why for _, why in log.skipped)


def test_files_in_files_have_an_end_and_that_is_told(tmp_path: Path) -> None:
    data = bytes(message(MAIL))
    for number in range(9):
        outer = message()
        outer.add_attachment(data, maintype="application", subtype="octet-stream", filename=f"{number}.eml")
        data = bytes(outer)
    found, log = scan(tmp_path / "a.eml", data)
    assert len([name for name in found if name.endswith(".eml")]) == Limits().depth + 1
    assert any("layers deep" in why for _, why in log.skipped)


@pytest.mark.parametrize("step", [7, 64, 1 << 20])
def test_mailboxes_are_read_message_by_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    monkeypatch.setattr(mbox, "STEP", step)
    box = mailbox.mbox(tmp_path / "a.mbox")
    for number in range(30):
        mail = message(f"number {number}\n\nFrom here on: nothing\nFrom me", Subject=str(number))
        if number == 7:
            mail.add_attachment(b"a,b\n1,2\n", maintype="text", subtype="csv", filename="x.csv")
        box.add(mail)
    box.close()
    found, log = scan(tmp_path / "a.mbox")
    assert [row["subject"] for row in found["a.mbox"]] == [str(number) for number in range(30)]
    assert [row["message"] for row in found["a.mbox/text"] if row["text"].startswith("number")] == list(range(1, 31))
    assert found["a.mbox/8/x.csv"] == [{"a": 1, "b": 2}] or found["a.mbox/8/x.csv"] == [{"a": "1", "b": "2"}]
    assert not log.skipped


def test_a_line_in_the_text_begins_no_message(tmp_path: Path) -> None:
    data = b"From a@b.cc Tue Jan  1 00:00:00 2024\nFrom: a@b.cc\nReceived: x\n\nFrom the start:\nFrom 10:00 to 11:00 free\n\nend\n"
    found, _ = scan(tmp_path / "a.mbox", data * 2)
    assert len(found["a.mbox"]) == 2
    assert text_of(found, "a.mbox") == ["From the start:", "From 10:00 to 11:00 free", "end"] * 2


def test_files_of_a_maildir_are_one_table(tmp_path: Path) -> None:
    from plainview.tables.families import template

    box = mailbox.Maildir(tmp_path / "Mail")
    for number in range(9):
        box.add(message(f"number {number}"))
    found, log = scan(tmp_path)
    assert len(found) == 18
    assert not log.skipped
    assert {template(name) for name in found} == {"Mail/new/{}", "Mail/new/{}/text"}
    assert {template(f"in/{name}.eml/text") for name in ("Re_ your order", "a")} == {"in/{}.eml/text"}


def test_a_message_of_apple_mail_and_one_without_an_id(tmp_path: Path) -> None:
    mail = bytes(message("Hello"))
    found, _ = scan(tmp_path / "a.emlx", str(len(mail)).encode() + b"\n" + mail)
    assert found["a.emlx"][0]["from[].address"] == [MAIL]
    found, _ = scan(tmp_path / "b.eml", f"From: {MAIL}\nTo: b@c.dd\nSubject: x\n\nHello\n".encode())
    assert found["b.eml"][0]["from[].address"] == [MAIL]


def test_a_large_message_is_cut_and_told_and_the_next_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mbox, "STEP", 4096)
    first = bytes(message("x " * 40_000))
    data = b"From a 10:00\n" + first + b"\n\nFrom b 10:00\n" + bytes(message("second"))
    found, log = scan(tmp_path / "a.mbox", data, Limits(memory=96 << 10))
    assert text_of(found, "a.mbox")[-1] == "second"
    assert any("larger than" in why for _, why in log.skipped)


def test_encrypted_text_is_told(tmp_path: Path) -> None:
    found, log = scan(tmp_path / "a.eml", bytes(message("-----BEGIN PGP MESSAGE-----\n\nabc\n")))
    assert any("encrypted" in why for _, why in log.skipped)
    assert found["a.eml"]


def test_words_and_addresses() -> None:
    assert words("=?utf-8?b?w4Q=?= =?utf-8?q?=C3=96?= x =?iso-8859-1?q?=FC?=") == "ÄÖ x ü"
    assert words("=?utf-8?b?4oKs4oI=?= =?utf-8?b?rA==?=") == "€€"  # a letter that is cut
    assert addresses("a@b.cc (Anna M)") == [{"display_name": "Anna M", "address": "a@b.cc"}]
    assert addresses('"O\\"Neil, X" <x@y.zz>;b@c.dd') == [
        {"display_name": 'O"Neil, X', "address": "x@y.zz"},
        {"address": "b@c.dd"},
    ]
    assert addresses("undisclosed-recipients:;") == [{"display_name": "undisclosed-recipients:"}]


@settings(deadline=None, max_examples=60)
@given(
    st.binary(max_size=300),
    st.sampled_from([b"", b"From a 10:00\n", b"Content-Type: multipart/mixed; boundary=b\n\n--b\n"]),
)
def test_any_bytes_end_well(tmp_path_factory: pytest.TempPathFactory, body: bytes, before: bytes) -> None:
    scan(tmp_path_factory.mktemp("m") / "a.eml", before + b"From: a@b.cc\nMIME-Version: 1.0\n" + body)


def test_each_cut_keeps_what_came_before(tmp_path: Path) -> None:
    mail = message("first line\n" + "more\n" * 50)
    mail.add_attachment(b"a,b\n1,2\n" * 20, maintype="text", subtype="csv", filename="x.csv")
    data = bytes(mail)
    for end in range(len(data) // 3, len(data), 23):
        found, _ = scan(tmp_path / "a.eml", data[:end])
        assert found["a.eml"][0]["from[].address"] == [MAIL]
    assert pl.DataFrame(found["a.eml/x.csv"]).height > 1
