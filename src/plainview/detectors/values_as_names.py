"""Texts that stand where a name is looked for (above a column, as a key) and are values: names of persons and places.

A column may be called `Grace period`, `Max Speed` or `Charlotte`; nobody calls one `Anna Canaria`. What cannot be told
from its words alone is told by its company, of the cells below it or the keys beside it: there `kind_of` says
what a text may be.
"""

from __future__ import annotations

import functools
import re
from typing import Literal

from plainview.detectors import load_detectors
from plainview.detectors.fieldnames import NEUTRAL, WEAKENING, WEAKENING_BEFORE, NameIndex
from plainview.detectors.headings import SIGNS, WORDS, words_of_heading
from plainview.detectors.persons import PARTICLES, TITLES, is_given, name_tags
from plainview.detectors.subjects import PEOPLE
from plainview.detectors.words import BOOKS

Kind = Literal["", "person", "given", "surname", "place"]

# Words that columns and keys are called by, though they are names of persons, too
_FIELDS_TOO = frozenset(
    "bar bars batch block blocks borders branch brand camp carrier cas case cases dash doc field fields foot gene geo "
    "graph hand hands head heads home hook iso key keys lang lat light lights line lines link links lon manual mayor "
    "meta mile node nodes pan pool port ports post posts repo ring root roots seal sha split test tests train".split()
)
# Given names that are parts of such names: Mark Price, Grace period, Jan Sales
_PARTS = frozenset(
    "amber apr april art august bill chance chase christian cliff cal dale day dean drew faith feb forest frank glen "
    "grace grant guard hall hope iris jan joy jul jun june lane major male mar mark may mon north page park pat "
    "price prior ray rich rod rose ruby sage sat sep sky sol south east star stone summer sun val ward west will "
    "winter".split()
)
_FIELD_WORDS = WORDS | WEAKENING | WEAKENING_BEFORE | NEUTRAL | PEOPLE | _FIELDS_TOO
_SEVERAL = re.compile(r"[^\W\d_][^\d_@/\\<>{}\[\]|=+*%$#!?;:\"&~^()]*[ ][^\d_@/\\<>{}\[\]|=+*%$#!?;:\"&~^()]+")
_JOINED = re.compile(r"[^\W\d_]{3,}[._][^\W\d_]{3,}")  # as user names are written
_WORD = re.compile(r"[^\W\d_]+(?:['’\-·‐][^\W\d_]+)*")
LONGEST = 60  # characters of a name
CODE = 3  # letters
NAMED = 0.9  # strength of a field name that is one, whatever else the word may be


def is_field_word(word: str) -> bool:
    """Tell whether a casefolded word is one that columns and keys are called by, whatever else it is."""
    return word in _FIELD_WORDS


def _clear(word: str) -> bool:
    """Tell whether a casefolded word is a given name and little else."""
    known = len(word) > 1 and word not in _FIELD_WORDS and word not in _PARTS and is_given(word)
    return known and word not in BOOKS["common_words"]


@functools.lru_cache(16_384)
def is_person(text: str) -> bool:
    """Tell whether a text is the name of a person that nobody calls a column by: a given name and more.

    >>> is_person("Anna Canaria"), is_person("hans meier"), is_person("anna.meier"), is_person("Max Speed")
    (True, True, True, False)
    """
    text = text.strip()
    if _JOINED.fullmatch(text):
        text = text.replace("_", " ").replace(".", " ")
    if len(text) > LONGEST or not _SEVERAL.fullmatch(text) or not _alike(text):
        return False
    words = [word for word in _words(text) if word not in PARTICLES and word not in TITLES and len(word) > 1]
    if any(word in _FIELD_WORDS for word in words) or not any(map(_clear, words)) or "full" not in name_tags(text):
        return False
    plain = [word for word in words if word in BOOKS["common_words"]]
    # of Jackson Library the one is a town, the other a thing
    return not plain or not all(word in plain or word in BOOKS["cities"] or word in BOOKS["regions"] for word in words)


@functools.lru_cache(16_384)
def holds_person(text: str) -> bool:
    """Tell whether one of several words is a given name and little else."""
    return len(text) <= LONGEST and _alike(text) and any(map(_clear, _words(text)))


@functools.lru_cache(16_384)
def kind_of(text: str) -> Kind:
    """Return what a text is by its words, were it a value; "" for what columns are called by, and for all else."""
    text = text.strip()
    if len(text) > LONGEST:
        return ""
    words = words_of_heading(text)
    if (
        not words
        or any(word in _FIELD_WORDS or word in _PARTS for word in words)
        or any(sign in text for sign in SIGNS)
    ):
        return ""
    if is_person(text):
        return "person"
    tags = name_tags(text)
    if "full" in tags and "han" in tags:
        return "person"
    if any(word in BOOKS["common_words"] for word in words):
        return "place" if "place" in tags and len(words) > 1 else ""
    kinds: tuple[Kind, ...] = ("given", "place", "surname")
    for kind in kinds:
        if kind in tags:
            return kind
    return ""


@functools.lru_cache(16_384)
def is_called(text: str) -> bool:
    """Tell whether the detectors know a text as the name of a field: `Nick`, `Foto`, though people are called so."""
    return any(match.strength >= NAMED for match in package_names().match(text))


def is_code(text: str) -> bool:
    """Tell whether a text is the code of a language or a country in small letters, as translations have for keys."""
    return len(text) <= CODE and text.islower() and (text in BOOKS["languages"] or text in BOOKS["countries"])


@functools.cache
def package_names() -> NameIndex:
    """Return the names of the package's detectors."""
    return NameIndex(load_detectors())


def _alike(text: str) -> bool:
    """Tell whether the words begin alike, as those of a name do: `römischer Kaiser` is none."""
    long = (word for word in _WORD.findall(text) if len(word) > 2)
    firsts = [word[0] for word in long if not {word, word.casefold()} & (PARTICLES | TITLES)]
    return all(map(str.islower, firsts)) or not any(map(str.islower, firsts))


def _words(text: str) -> list[str]:
    return [word.strip(".") for word in _WORD.findall(text.casefold())]


__all__ = ["NAMED", "holds_person", "is_called", "is_code", "is_field_word", "is_person", "kind_of", "package_names"]
