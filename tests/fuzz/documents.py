"""Targets: mail, contacts, calendars, directories, documents."""

from __future__ import annotations

from plainview.files.formats import cards
from plainview.files.formats.mail import mbox
from plainview.files.formats.mail import read as mail

from . import seeds
from .harness import Target
from .readers import lines_of, reading

HEAD = b"From: a@b.cc\nMessage-ID: 1\n\n"

TARGETS = (
    Target(
        "mail",
        reading(mail, ("a.eml", "a.mbox"), HEAD + lines_of("{key} said so\n"), (mbox, "STEP", 64), (mail, "PIECE", 100)),
        seeds.MAILS,
        (b"--b\n", b"--b--\n", b"\n\n", b"=?utf-8?b?", b"?=", b"Content-Type: ", b"base64", b"\nFrom a 10:00\n", b";boundary=b"),
    ),
    Target(
        "cards",
        reading(cards, ("a.vcf", "a.ics", "a.ldif"), b"BEGIN:VCARD\n" + lines_of("FN:{key}\n") + b"END:VCARD\n", (cards, "LINES", 50)),
        seeds.CARDS,
        (b"BEGIN:VCARD\n", b"END:VCARD\n", b"\n ", b";ENCODING=b:", b";ENCODING=QUOTED-PRINTABLE:=\n", b"\\", b"dn: ", b":: "),
        of=("vcard", "icalendar", "ldif"),
    ),
)  # fmt: skip

__all__ = ["TARGETS"]
