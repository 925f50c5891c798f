"""Targets: mail, contacts, calendars, directories, documents."""

from __future__ import annotations

from plainview.files.formats import cards, rtf
from plainview.files.formats.mail import mbox
from plainview.files.formats.mail import read as mail
from plainview.files.formats.media import read as media
from plainview.files.formats.office import read as office

from . import seeds
from .harness import Target, file_of, law, read_all
from .readers import lines_of, reading

HEAD = b"From: a@b.cc\nMessage-ID: 1\n\n"


def parts(data: bytes) -> None:
    """The bytes as the text of a DOCX, as the content of an ODT, as what is kept about it; and behind a paragraph."""
    before = b"<d xmlns:w='w' xmlns:o='urn:oasis:x'><w:p><w:t>kept</w:t></w:p>"
    for name in ("word/document.xml", "content.xml", "docProps/custom.xml", "word/comments.xml"):
        for start in (b"", before):
            made = seeds.zipped((name, start + data))
            seen = read_all(lambda log, made=made: office.read(file_of(made, "a.docx"), log))
            if start and name != "docProps/custom.xml":
                law("kept" in seen.text(), "a paragraph before the damage was lost")


def tags_of_files(data: bytes) -> None:
    """Pictures, sound and video: the bytes as they are, and behind the beginning of each kind."""
    for start in (
        b"",
        b"\xff\xd8\xff\xe1\0\x40Exif\0\0II*\0\x08\0\0\0",
        b"\x89PNG\r\n\x1a\n",
        b"MM\0*\0\0\0\x08",
        b"ID3\3\0\0\0\0\2\0",
    ):
        made = start + data
        read_all(lambda log, made=made: media.read(file_of(made, "a.jpg"), log))


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
    Target(
        "rtf",
        reading(rtf, ("a.rtf",), b"{\\rtf1 " + lines_of("{key} said so\\par ")),
        seeds.RTF,
        (b"\\par ", b"\\u8364?", b"{\\*\\", b"\\bin9 ", b"\\'e4", b"{\\fonttbl", b"{\\info{\\author ", b"}}", b"\\f1", b"{\\*\\annotation "),
    ),
    Target(
        "office",
        parts,
        seeds.OFFICE,
        (b"<w:p>", b"</w:p>", b"<w:t>", b"<w:tbl><w:tr><w:tc>", b"</w:tc>", b"<o:annotation>", b"<w:del w:author='a'>", b"<w:Fallback>", b"<!DOCTYPE"),
        of=("docx", "pptx", "odt", "odp", "odg"),
    ),
    Target(
        "media",
        tags_of_files,
        seeds.MEDIA,
        (b"Exif\0\0", b"\xff\xe1", b"tEXt", b"moov", b"\xa9ART", b"data", b"TPE1", b"8BIM\x04\x04", b"\x1c\x02", b"<x:xmpmeta>", b"OpusTags", b"LIST", b"INFO"),
    ),
)  # fmt: skip

__all__ = ["TARGETS"]
