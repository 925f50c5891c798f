"""Contacts, calendars and directories: an entry is a row, a property a column; nothing is lost, nothing is fetched."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from files.test_mail import scan
from plainview.files.kinds.identify import identify

CONTACTS = """BEGIN:VCARD
VERSION:3.0
N:Müller;Anna;;Dr.;
FN:Dr. Anna Müller
EMAIL;TYPE=INTERNET:anna.mueller@kunde.at
item1.TEL;TYPE=CELL:+43 664 1234567
ADR;TYPE=HOME:;;Hauptstraße 5;Wien;;1010;Österreich
NOTE:a long note that is fold
 ed here\\, with a comma\\nand a line
PHOTO;ENCODING=b;TYPE=JPEG:/9j/4AAQ
 SkZJRgABAQ
END:VCARD
BEGIN:VCARD
VERSION:2.1
N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:H=C3=BCber;J=C3=B6rg
FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:J=C3=B6rg=
 H=C3=BCber
TEL;CELL:+49 171 2345678
TEL;WORK:+49 171 2345679
loose text with eva@kunde.at
END:VCARD
"""
CALENDAR = """BEGIN:VCALENDAR
VERSION:2.0
BEGIN:VEVENT
SUMMARY:Termin bei Dr. Huber
ORGANIZER;CN="Müller, Anna":mailto:anna.mueller@kunde.at
ATTENDEE;CN=Max Maier;ROLE=REQ-PARTICIPANT:mailto:max.maier@kunde.at
ATTENDEE:MAILTO:eva@kunde.at
BEGIN:VALARM
DESCRIPTION:ring
END:VALARM
END:VEVENT
END:VCALENDAR
"""
DIRECTORY = """version: 1
# ask root@kunde.at
dn: uid=amueller,ou=people,dc=kunde,dc=at
cn:: QW5uYSBNw7xsbGVy
mail: anna.mueller@kunde.at
description: long
  folded
seeAlso:< file:///etc/passwd
jpegPhoto:: /9j/4AAQSkZJRgABAQ==

dn: uid=b,dc=kunde
mail;lang-de: b.b@kunde.at
mail: b.c@kunde.at
"""


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_contacts(tmp_path: Path, ends: str) -> None:
    found, log = scan(tmp_path / "a.vcf", CONTACTS.replace("\n", ends).encode())
    first, second = found["a.vcf"]
    assert first["full_name"] == "Dr. Anna Müller"
    assert first["email"] == "anna.mueller@kunde.at"
    assert (first["name.last_name"], first["name.first_name"]) == ("Müller", "Anna")
    assert first["address.street"] == "Hauptstraße 5"
    assert first["note"] == "a long note that is folded here, with a comma\nand a line"
    assert second["full_name"] == "Jörg Hüber"
    assert second["telephone[]"] == ["+49 171 2345678", "+49 171 2345679"]
    assert second["text"] == "loose text with eva@kunde.at"
    assert log.skipped == [("a.vcf", "pictures, sounds and files in entries were not looked into: 1")]


def test_calendars(tmp_path: Path) -> None:
    found, log = scan(tmp_path / "a.ics", CALENDAR.encode())
    event = next(row for row in found["a.ics"] if "summary" in row)
    assert event["organizer.display_name"] == "Müller, Anna"
    assert event["attendee[].address"] == ["max.maier@kunde.at", "eva@kunde.at"]
    assert {"description": "ring"} in found["a.ics"]
    assert not log.skipped


def test_directories(tmp_path: Path) -> None:
    found, log = scan(tmp_path / "a.ldif", DIRECTORY.encode())
    first, second = found["a.ldif"]
    assert first["cn"] == "Anna Müller"
    assert first["description"] == "long folded"
    assert first["comment"] == "# ask root@kunde.at"
    assert second["mail[]"] == ["b.b@kunde.at", "b.c@kunde.at"]
    assert sorted(why.rpartition(":")[2] for _, why in log.skipped) == [" 1", " 1"]


@pytest.mark.parametrize(("text", "kind"), [(CONTACTS, "vcard"), (CALENDAR, "icalendar"), (DIRECTORY, "ldif")])
@pytest.mark.parametrize("name", ["a", "a.txt", "a.dat"])
def test_they_are_known_by_their_content(text: str, kind: str, name: str) -> None:
    assert identify(text.encode(), name, len(text)).name == kind


def test_text_that_only_speaks_of_them_is_text() -> None:
    assert identify(b"dn: this is a note\nthat goes on\n", "a.txt", 30).name == "text"
    assert identify(b"BEGIN: VCARD stands first\nx\n", "a.txt", 30).name == "text"


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=200), st.sampled_from([b"BEGIN:VCARD\n", b"BEGIN:VCALENDAR\n", b"dn: a\nb: c\n"]))
def test_any_bytes_end_well(tmp_path_factory: pytest.TempPathFactory, body: bytes, before: bytes) -> None:
    found, log = scan(tmp_path_factory.mktemp("c") / "a", before + body)
    assert found or log.skipped
