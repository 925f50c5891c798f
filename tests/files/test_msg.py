"""Messages of Outlook, written by hand after [MS-OXMSG]: no tool that can be installed here makes one."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("olefile", reason="olefile is not installed")

from conftest import CANARIES
from fakes.compound import message, streams
from files.test_mail import scan
from plainview.files.formats import EXTRAS, FORMATS
from plainview.files.kinds.identify import identify

MAIL, NAME, PHONE, IBAN = CANARIES
HEADER = f"From: {NAME} <{MAIL}>\r\nTo: bob@kunde.at\r\nReceived: from a ([203.0.113.9])\r\nSubject: =?utf-8?q?J=C3=B6rg?=\r\n\r\n"


def recipient(number: int, name: str, address: str) -> dict:
    return {f"__recip_version1.0_#{number:08X}": streams(P3001=name, P39FE=address)}


def attached(number: int, **properties: str | bytes) -> dict:
    return {f"__attach_version1.0_#{number:08X}": streams(**properties)}


def test_a_message_that_was_sent(tmp_path: Path) -> None:
    more = {
        **recipient(0, "Bob", "bob@kunde.at"),
        **attached(0, P3707="Kunden.csv", P3701=f"name,email\n{NAME},{MAIL}\n".encode()),
    }
    data = message(f"Hello\r\nIBAN {IBAN}\r\n", more, P007D=HEADER, P1013=f"<p>Hello</p><p>{PHONE}".encode())
    assert identify(data[:65536], "a", len(data), lambda at, size: data[at:][:size]).name == "msg"
    found, log = scan(tmp_path / "a.msg", data)
    (row,) = found["a.msg"]
    assert row["from[].address"] == [MAIL]
    assert row["subject"] == "Jörg"
    assert row["recipients[].display_name"] == ["Bob"]
    assert "203.0.113.9" in row["received[]"][0]
    assert [line["text"] for line in found["a.msg/text"]] == ["Hello", f"IBAN {IBAN}", PHONE]
    assert found["a.msg/Kunden.csv"] == [{"name": NAME, "email": MAIL}]
    assert not log.skipped


def test_a_draft_and_a_message_in_it(tmp_path: Path) -> None:
    inner = {"__properties_version1.0": bytes(24), **streams(P1000=f"innermost {PHONE}", P0037="inner")}
    more = {"__attach_version1.0_#00000000": {"__substg1.0_3701000D": inner}}
    found, _ = scan(tmp_path / "a.msg", message("outer", more, P0C1A=NAME, P5D01=MAIL, P0037="a draft"))
    assert [row["subject"] for row in found["a.msg"]] == ["a draft", "inner"]
    assert (found["a.msg"][0]["from[].display_name"], found["a.msg"][0]["from[].address"]) == ([NAME], [MAIL])
    assert [line["text"] for line in found["a.msg/text"]] == ["outer", f"innermost {PHONE}"]


def test_text_that_is_packed_alone_is_told(tmp_path: Path) -> None:
    _, log = scan(tmp_path / "a.msg", message("", P1009=b"LZFu"))
    assert any("packed RTF" in why for _, why in log.skipped)


def test_each_cut_and_change_ends_well(tmp_path: Path) -> None:
    data = message("text " * 300, attached(0, P3707="a.txt", P3701=b"x" * 2000), P0037=MAIL)
    for at in range(512, len(data), 97):
        found, log = scan(tmp_path / "a.msg", data[:at])
        assert found or log.skipped
        found, log = scan(tmp_path / "a.msg", data[:at] + b"\xff\x00\x07" + data[at + 3 :])
        assert found or log.skipped


def test_the_extra_is_named_where_it_is_missing() -> None:
    assert FORMATS["msg"] == "mail.msg"
    assert EXTRAS["olefile"] == EXTRAS["pypdfium2"] == "documents"
