"""Tags: what a value looks like, in words that are kept when the value is gone. Made and read here alone.

A tag is one letter, a colon and a text, so that no name of a detector, whatever it is, can be taken for a word
of another kind:

    s:int9      the shape of the value
    d:NAME      it has the form of detector NAME and passes its check
    f:NAME      it has the form and fails the check
    t:NAME      what NAME looks for stands somewhere inside the text
    l:NAME      what has the form of NAME stands inside it behind a label that names it
    r:NAME      what NAME finds in it is kept for examples, tests or drama
    o:NAME      what NAME finds in it is the mailbox of a role
    w:full      what its words say: `full`, `given`, `surname`, `place`, `company`, `han`
    y:1975      the year of a date
    n:lat       what a number may be: `lat`, `lon`, `age`; `code`: so short that it may
                be that of an answer; `book`: that of a book or journal, since it ends in X;
                `shared`: that a mailbox is one of a house or an office: info@, school.north@
    m:hash      how it is disguised: `hash`, `masked`
    x:hex       what sort of ids stands in a text: `hex`, `code`, `digits`; `folded`: digits or dashes of another script

The keys of a column's counts are tags of detectors as well (`d:`, `t:`).
"""

from __future__ import annotations

from functools import cache

Tag = str
Tags = frozenset[Tag]


@cache
def shape(name: str) -> Tag:
    """Return the tag of values of a shape."""
    return f"s:{name}"


@cache
def passed(detector: str) -> Tag:
    """Return the tag of values that a detector accepts."""
    return f"d:{detector}"


@cache
def formed(detector: str) -> Tag:
    """Return the tag of values that have the form of a detector and fail its check."""
    return f"f:{detector}"


@cache
def inside(detector: str) -> Tag:
    """Return the tag of texts in which a detector finds something."""
    return f"t:{detector}"


@cache
def labelled(detector: str) -> Tag:
    """Return the tag of texts in which the form of a detector stands behind a label that names it."""
    return f"l:{detector}"


@cache
def reserved(detector: str) -> Tag:
    """Return the tag of values in which what a detector finds is kept for examples."""
    return f"r:{detector}"


@cache
def role(detector: str) -> Tag:
    """Return the tag of values in which what a detector finds is the mailbox of a role."""
    return f"o:{detector}"


def is_nobodys(tag: Tag) -> bool:
    """Tell whether a tag says that a value is nobody's."""
    return tag[:2] in ("r:", "o:")


def word(what: str) -> Tag:
    """Return the tag of what the words of a value say (`persons.name_tags`)."""
    return f"w:{what}"


def year(number: int) -> Tag:
    """Return the tag of dates of a year."""
    return f"y:{number}"


def number(what: str) -> Tag:
    """Return the tag of numbers that may be an age (`age`), a latitude (`lat`) or a longitude (`lon`)."""
    return f"n:{what}"


def token(kind: str) -> Tag:
    """Return the tag of texts in which ids of a sort stand (`TOKENS`)."""
    return f"x:{kind}"


def shape_of(tag: Tag) -> str | None:
    """Return the name of the shape that a tag says, or None."""
    return tag[2:] if tag[:2] == "s:" else None


def year_of(tag: Tag) -> int | None:
    """Return the year that a tag says, or None."""
    return int(tag[2:]) if tag[:2] == "y:" else None


def passed_of(tag: Tag) -> str | None:
    """Return the detector that accepted the value, or None."""
    return tag[2:] if tag[:2] == "d:" else None


def formed_of(tag: Tag) -> str | None:
    """Return the detector whose form the value has and whose check it fails, or None."""
    return tag[2:] if tag[:2] == "f:" else None


def inside_of(tag: Tag) -> str | None:
    """Return the detector that found something inside the text, or None."""
    return tag[2:] if tag[:2] == "t:" else None


def detector_of(tag: Tag) -> str | None:
    """Return the detector that a tag speaks of, in whichever way, or None."""
    return tag[2:] if tag[:2] in ("d:", "f:", "t:", "l:") else None


HASH, MASKED = "m:hash", "m:masked"
SHORT = number("code")
BOOK = number("book")
SHARED = number("shared")
FOLDED = token("folded")
FULL, SURNAME, PLACE, HAN = word("full"), word("surname"), word("place"), word("han")
GIVEN, COMPANY = word("given"), word("company")
COMPANY = word("company")
TOKENS = ("hex", "code", "digits")
