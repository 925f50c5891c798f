"""Names of persons, by vocabularies of given names and surnames; in Han script by surname characters.

A cell is a name when its words are: one word needs a known given name or surname; several words need
at least one known given name, or a known surname beside an initial or a title; words of companies and
places never make a name. Nothing is concluded from a name about origin, gender or belief.
"""

from __future__ import annotations

import re
import unicodedata

from plainview.detectors import vocabulary

TITLES = frozenset(
    "mr mrs ms miss mx dr prof professor sir dame lord lady rev hon herr frau fräulein monsieur madame mme mlle m sr sra "
    "srta don doña señor señora señorita sig signor signora dott dr.ssa dhr mevr mevrouw pan pani г-н г-жа господин "
    "госпожа السيد السيدة jr sr ii iii iv phd md dds dvm esq mba bsc msc dipl ing mag bc dkfm univ hc".split()
)
PARTICLES = frozenset("de da do dos das del della di du la le van von der den ter ten zu zum zur bin ibn al el ben y e af av st mac mc o".split())
_WORD = re.compile(r"[^\W\d_]+(?:['’\-·‐][^\W\d_]+)*\.?")
_SHAPE = re.compile(r"[^\W\d_][^\d_@/\\<>{}\[\]|=+*%$#!?;:\"&~^]*")
_HAN = re.compile(r"[\u3400-\u9fff]{2,4}(?:[··][\u3400-\u9fff]+)?")
_HANGUL = re.compile(r"[\uac00-\ud7af]{2,4}")
_COMPOUND = ("欧阳", "司马", "上官", "诸葛", "司徒", "東方", "歐陽", "司馬", "諸葛", "令狐", "皇甫", "尉迟", "公孙", "慕容", "端木")


def _plain(word: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFD", word) if not "\u0300" <= c <= "\u036f")


def _known(word: str, book: frozenset[str]) -> bool:
    if word in book:
        return True
    plain = _plain(word)
    if plain != word and plain in book:
        return True
    return any(part in book for part in re.split(r"['’\-·‐]", word) if len(part) > 2) if not word.isalpha() else False


def is_given(word: str) -> bool:
    """Tell whether a casefolded word is a known given name."""
    return _known(word, vocabulary("given_names"))


def is_surname(word: str) -> bool:
    """Tell whether a casefolded word is a known surname."""
    return _known(word, vocabulary("surnames"))


def name_tags(value: str) -> set[str]:
    """Return tags for one cell: `person_name` (several words), `given`, `surname` (one word), `company`, `common`."""
    text = unicodedata.normalize("NFKC", value.strip())
    if len(text) > 60 or not _SHAPE.fullmatch(text):
        return set()
    if _HAN.fullmatch(text):
        return {"person_name", "han"} if _is_han_name(text) else {"han"}
    if _HANGUL.fullmatch(text):
        return {"person_name"} if text[:1] in vocabulary("surnames_hangul") else set()
    words = [w.rstrip(".").casefold() for w in _WORD.findall(text)]
    if not words or len(words) > 6:
        return set()
    tags = set()
    if any(w in vocabulary("company_words") for w in words[1:]):
        tags.add("company")
    titled = any(w in TITLES for w in words)
    core = [w for w in words if w not in TITLES and w not in PARTICLES] or words
    common = sum(w in vocabulary("common_words") for w in core)
    if common == len(core):
        tags.add("common")
    if len(core) == 1 and not titled:
        return tags | _single(core[0])
    return tags | _several(core, titled, text)


def _single(word: str) -> set[str]:
    tags = set()
    if is_given(word):
        tags.add("given")
    if is_surname(word):
        tags.add("surname")
    return tags


def _several(core: list[str], titled: bool, text: str) -> set[str]:
    full = [w for w in core if len(w) > 1]
    initials = len(core) - len(full)
    given = [is_given(w) for w in full]
    surname = [is_surname(w) for w in full]
    known = sum(g or s for g, s in zip(given, surname, strict=True))
    if not full or text.islower() and known < len(full):
        return set()
    enough = known * 2 >= len(full)
    if (any(given) and enough and len(core) > 1) or (known and (initials or titled) and enough):
        return {"person_name"}
    return {"surname"} if known == len(full) else set()


def _is_han_name(text: str) -> bool:
    plain = text.replace("·", "").replace("·", "")
    if plain[:2] in _COMPOUND:
        return len(plain) in (3, 4)
    return plain[0] in vocabulary("surnames_han") and len(plain) in (2, 3)
