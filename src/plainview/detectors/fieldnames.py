"""What a field name says: which detectors' names it holds, in any language, and how clearly.

A name is folded (NFKC, camelCase split, case and Latin diacritics removed) and split into tokens.
An entry of a detector matches when its tokens stand side by side in the field's tokens, or joined
equal them: "date of birth" is found in `dateofbirth`, `DateOfBirth` and `customer_date_of_birth`.
Han, Kana, Hangul and Thai are written without blanks: there an entry matches as a substring.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from plainview.detectors import Detector
from plainview.detectors.conditions import meant
from plainview.detectors.snapshot import Books, Folded, books_of, folded_names
from plainview.detectors.subjects import (
    INVOLVED,
    PEOPLE,
    PUBLIC,
    UNSPACED,
    is_name,
    names_somebody,
    roles,
    speaks_of_somebody,
)

# Tokens behind a match that turn a field into something about it: `email_verified`, `phone_count`.
WEAKENING = frozenset(
    "id ids count counts num total verified valid validated validation status state type types kind flag sent at on "
    "hash template templates domain domains opt optin optout enabled disabled enable allowed required is has was "
    "subject body format length len size url uri link href path file key keys code codes index idx version rate "
    "score label class category group created updated modified deleted expires timestamp ts source method mode "
    "provider service server host config settings setting option options preference preferences policy limit "
    "quota visibility private public notification notifications frequency bounce bounced attempts provided "
    "confirmed active available exists missing known change changes changed list lists queue log logs".split()
)
# Tokens before a match that do the same: `is_male`, `num_children`.
WEAKENING_BEFORE = frozenset(
    "is has was num number count total avg average mean max min sum median no can per pct percent status stav stan "
    "statut situation stadiu durum tila статус состояние стан حالة".split()
)
NEUTRAL = frozenset(
    "1 2 3 4 5 home work mobile private personal business primary secondary main alt alternate alternative other "
    "new old current previous original billing shipping delivery contact customer client user member patient "
    "employee owner person account holder raw text value str string full line line1 line2 field col column".split()
)
# Words that names of columns leave out: `permis_conduire`, `codigo_seguridad`
_PARTICLES = frozenset("de du des del della di da do dos das d l of the для".split())
# Ways to write "number", which stand for each other: `num_pasaporte`, `nr paszportu`
_NUMBER = ("number", "num", "nr", "no", "nro", "numero", "nbr")
# What is shortened in columns of old databases: `CUST_LAST_NM`, `dt_nasc`, `fec_nac`
_SHORT = {
    "name": "nm", "nome": "nm", "date": "dt", "data": "dt", "fecha": "fec", "datum": "dat", "naissance": "naiss",
    "nascimento": "nasc", "nascita": "nasc", "nacimiento": "nac", "customer": "cust", "employee": "emp",
    "patient": "pat", "address": "addr", "account": "acct",
}  # fmt: skip
# Kinds whose words end compounds of Germanic and Uralic languages: `Kundennachname`, `matkapuhelinnumero`
# What is kept as a code as often as in words: `ethnicity_code`, `religion_cd`
CODED = frozenset(
    "gender race ethnic_origin religion philosophical_belief marital_status nationality sexual disability "
    "political_opinion immigration_status".split()
)
_CODE = frozenset("code codes cd kode kod codigo codice kennung schluessel schlussel concept id".split())
_COMPOUNDED = frozenset("person_name telephone_number birth_date national_id bank_account".split())
_TAIL, _HEAD = 7, 3  # letters, at least, of the word at the end and of what stands before it
_NUMBERS = frozenset((*_NUMBER, "nummer", "numer", "n"))
_VARIED = _PARTICLES | _NUMBERS | _SHORT.keys()

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
# Vowel signs of scripts from Devanagari to Khmer: Python's `\w` leaves them out, but they are letters of a word.
_SPLIT = re.compile(r"(?:(?![\u0900-\u0963\u0966-\u0df3\u0e01-\u0e3e\u0e40-\u0e4e\u0e81-\u109f\u1780-\u17d3])[\W_])+")
# Accents; vowel signs, hamza and tatweel of Arabic; the dot below of Devanagari: written by some, left out by others
_MARKS = re.compile(r"[\u0300-\u036f\u0640\u064b-\u065f\u0670\u093c]")
# Letters that do not decompose, by what a keyboard without them gives; two forms of Arabic letters for one
_LETTERS = str.maketrans(
    {"ø": "o", "đ": "d", "ł": "l", "ı": "i", "æ": "ae", "œ": "oe", "ى": "ي", "ی": "ي", "ک": "ك", "ة": "ه"}
)
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"})
_ASCII_SPLIT = re.compile(r"[\W_]+", re.ASCII)
_UMLAUT = re.compile("[äöüøåÄÖÜØÅ]")
_ENDINGS = re.compile(r"\.(csv|tsv|json|jsonl|ndjson|parquet|txt|gz|xlsx|xml|avro|bson|zst|bz2|xz)\b")
_DIGIT_TAIL = re.compile(r"^([^\W\d_]+)(\d{1,2})$")


@functools.lru_cache(maxsize=65_536)
def tokens(name: str) -> tuple[str, ...]:
    """Fold and split a name: `customerE-Mail2` -> ("customer", "e", "mail", "2")."""
    return words_of(name)


def words_of(name: str) -> tuple[str, ...]:
    """Do the same and keep nothing: for text, which is no name."""
    if len(name) < 400 and name.isascii() and name.islower() and name.replace(" ", "").isalpha():
        return tuple(name.split())  # as most names of the detectors are
    text = unicodedata.normalize("NFKC", name[:400])
    folded = text.casefold()
    if folded != text:
        folded = " ".join(_CAMEL.split(text)).casefold()
    split = _ASCII_SPLIT
    if not folded.isascii():
        plain = _MARKS.sub("", unicodedata.normalize("NFD", folded)).translate(_LETTERS)
        folded, split = unicodedata.normalize("NFC", plain), _SPLIT
    parts: list[str] = []
    for part in split.split(folded):
        tail = _DIGIT_TAIL.match(part)
        parts.extend(tail.groups() if tail else (part,) if part else ())
    return tuple(parts)


def _spellings(entry: str) -> Iterator[str]:
    """Yield what an entry may be written as, without what parts its words."""
    words = tokens(entry)
    if _VARIED.isdisjoint(words):
        yield "".join(words)
    else:
        yield from map("".join, _variants(words))
    if _UMLAUT.search(entry):
        yield "".join(tokens(entry.casefold().translate(_UMLAUTS)))


def _joined(entry: str) -> str:
    """Return an entry's tokens without what parts them."""
    plain = entry.replace(" ", "")
    return plain if plain.isascii() and plain.islower() and plain.isalpha() else "".join(tokens(entry))


def fold(detector: Detector) -> Folded:
    """Fold the names of a detector."""
    own: dict[str, int] = {}
    tails: list[tuple[str, str]] = []
    for at, entry in enumerate(detector.names):
        for spelling in _spellings(entry):
            own.setdefault(spelling, at)
        if detector.category in _COMPOUNDED:
            words = tokens(entry)
            if len(words) == 1 and len(words[0]) >= _TAIL:
                tails.append((words[0], entry))
    own.pop("", None)
    vetoes = tuple(map(_joined, detector.names_not))
    return Folded(tuple(own), tuple(own.values()), tuple(tails), vetoes)


def books_from(detectors: Sequence[Detector]) -> Books:
    """Fold the names of all detectors."""
    entries: dict[str, list[int]] = {}
    unspaced: dict[str, list[int]] = {}
    tails: dict[str, list[int]] = {}
    vetoes: dict[str, list[int]] = {}
    for place, detector in enumerate(detectors):
        folded = folded_names(detector) or fold(detector)
        for spelling, at in zip(folded.spellings, folded.entries, strict=True):
            book = entries if spelling.isascii() or not UNSPACED.search(spelling) else unspaced
            book.setdefault(spelling, []).extend((place, at))
        for word, entry in folded.tails:
            tails.setdefault(word, []).extend((place, detector.names.index(entry)))
        for entry in dict.fromkeys(folded.vetoes):
            vetoes.setdefault(entry, []).append(place)
    return Books(*({key: tuple(row) for key, row in book.items()} for book in (entries, unspaced, tails, vetoes)))


@dataclass(frozen=True, slots=True)
class NameMatch:
    """`strength` is 1 for the whole name, down to 0.1 where other words turn its meaning."""

    detector: str
    entry: str
    strength: float


class NameIndex:
    """All names of all detectors, ready to be looked up."""

    def __init__(self, detectors: Iterable[Detector]) -> None:
        self._detectors = tuple(detectors)
        books = books_of(self._detectors) or books_from(self._detectors)
        self.entries, self.unspaced, self.tails, self.vetoes = books.entries, books.unspaced, books.tails, books.vetoes
        self._coded = {detector.name: detector.category in CODED for detector in self._detectors}
        self.knows_persons = "customername" in self.entries
        self.longest = max(map(len, self.entries), default=0)
        self.longest_unspaced = max(map(len, self.unspaced), default=0)
        self._cache: dict[tuple[str, str], tuple[NameMatch, ...]] = {}

    def said(self, row: Sequence[int]) -> list[tuple[str, str]]:
        """Return the names of the detectors and entries that a row of a book stands for."""
        found = ((self._detectors[place], at) for place, at in zip(row[::2], row[1::2], strict=True))
        return [(detector.name, detector.names[at]) for detector, at in found]

    def match(self, path: str, table: str = "") -> tuple[NameMatch, ...]:
        """Return what the last part of `path` says, read with the part before it and the table's name."""
        key = (path, table)
        if key not in self._cache:
            if len(self._cache) > 100_000:
                self._cache.clear()
            self._cache[key] = self._match(path, table)
        return self._cache[key]

    def _match(self, path: str, table: str) -> tuple[NameMatch, ...]:
        parts = _parts(path)
        if not parts:
            return ()
        own = tokens(parts[-1])
        # `user.id` is the key of an object, as every object has one; `user_id` points from a record to a person
        parent = tokens(parts[-2]) if len(parts) > 1 and own != ("id",) else ()
        around = parent or _table_tokens(table)
        if self.knows_persons and len(own) == 1 and is_name(own[0]) and speaks_of_somebody(around):
            # the name of a user is a person's name, not a user name
            return (NameMatch("person_name", f"{around[-1]} name", 0.95),)
        best: dict[str, NameMatch] = {}
        for context in dict.fromkeys(((), parent, _table_tokens(table) if own != ("id",) else ())):
            if context or not best:
                for found in self._in_tokens(context, own):
                    if found.detector not in best or best[found.detector].strength < found.strength:
                        best[found.detector] = found
        if self.knows_persons and len(own) > 1 and names_somebody(own) and all(m.strength < 0.9 for m in best.values()):
            best["person_name"] = NameMatch("person_name", " ".join(own), 0.95)
        vetoed = self.vetoed(path)
        return tuple(m for m in best.values() if m.detector not in vetoed)

    def vetoed(self, path: str) -> set[str]:
        """Return the detectors whose `names_not` stand in the last part of `path`, read with the part before it."""
        parts = _parts(path)
        parent = tokens(parts[-2])[-2:] if len(parts) > 1 else ()
        whole, first_own = (*parent, *(tokens(parts[-1]) if parts else ())), len(parent)
        out: set[str] = set()
        for i in range(len(whole)):
            for j in range(max(i, first_own) + 1, len(whole) + 1):
                out |= {self._detectors[place].name for place in self.vetoes.get("".join(whole[i:j]), ())}
        return out

    def _in_tokens(self, context: Sequence[str], own: Sequence[str]) -> list[NameMatch]:
        """Find the longest entries in context + own that end in, and do not miss, the own tokens."""
        context = tuple(context[-2:])
        whole = (*context, *own)
        first_own = len(context)
        spans: list[tuple[int, int, list[tuple[str, str]]]] = []
        for i in range(len(whole)):
            joined = ""
            for j in range(i, len(whole)):
                joined += whole[j]
                if len(joined) > self.longest:
                    break
                if j >= first_own and joined in self.entries:
                    said = self.said(self.entries[joined])
                    spans.append((i, j + 1, [row for row in said if not _abbreviated(whole[i : j + 1], row[1])]))
        spans = [s for s in spans if not any(o[0] <= s[0] and s[1] <= o[1] and o[:2] != s[:2] for o in spans)]
        found = [
            NameMatch(name, entry, self._strength(name, whole, i, j, first_own))
            for i, j, rows in spans
            for name, entry in rows
        ]
        return found + self._unspaced("".join(own), own) + ([] if spans else self._compound(whole, first_own))

    def _strength(self, name: str, whole: Sequence[str], start: int, end: int, first_own: int) -> float:
        """Return how clearly a span says a detector; what is often kept as a code, its code says as well."""
        if end < len(whole) and _CODE.issuperset(whole[end:]) and self._coded.get(name, False):
            return 0.97 * _strength(whole[:end], start, end, first_own)
        return _strength(whole, start, end, first_own)

    def _compound(self, whole: Sequence[str], first_own: int) -> list[NameMatch]:
        """Find entries that are the end of an own word."""
        for at in range(first_own, len(whole)):
            word = whole[at]
            for cut in range(_HEAD, len(word) - _TAIL + 1):
                if word[cut:] in self.tails:
                    strength = 0.9 * _strength(whole, at, at + 1, first_own)
                    return [NameMatch(name, entry, strength) for name, entry in self.said(self.tails[word[cut:]])]
        return []

    def _unspaced(self, text: str, own: Sequence[str]) -> list[NameMatch]:
        if not self.unspaced or not UNSPACED.search(text):
            return []
        spans = [
            (i, j)
            for i in range(len(text))
            for j in range(i + 1, min(len(text), i + self.longest_unspaced) + 1)
            if text[i:j] in self.unspaced and (j - i > 1 or text[i:j] in own)  # one sign is part of many a word
        ]
        longest = [s for s in spans if not any(o[0] <= s[0] and s[1] <= o[1] and o != s for o in spans)]
        return [
            NameMatch(name, entry, 1.0 if j - i == len(text) else 0.9 if j == len(text) else 0.6)
            for i, j in longest
            for name, entry in self.said(self.unspaced[text[i:j]])
        ]


def _variants(words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Yield the words of an entry as they are, without particles, and with each short form of "number"."""
    yield words
    short = tuple(w for w in words if w not in _PARTICLES)
    if len(short) < 2:
        return
    for at, word in enumerate(short):
        if word in _SHORT:
            yield (*short[:at], _SHORT[word], *short[at + 1 :])
    yield tuple(_SHORT.get(word, word) for word in short)
    if len(short) < len(words):
        yield short
    for at in (0, -1):
        if short[at] in _NUMBERS:
            rest = short[1:] if at == 0 else short[:-1]
            for word in _NUMBER:
                yield (word, *rest) if at == 0 else (*rest, word)


def _parts(path: str) -> list[str]:
    return [part for part in meant(path).replace("[]", "").split(".") if part not in ("", "{}")]


def _abbreviated(words: Sequence[str], entry: str) -> bool:
    """Tell whether a letter that stands apart is read as part of an abbreviation: N_NAME is no `nname`."""
    return len(words) > 1 and len(words[0]) == 1 and words[0] not in "fl" and entry.isalpha() and words[-1] == "name"


def _table_tokens(table: str) -> tuple[str, ...]:
    """Return the last word of a table's name in the singular, where it is a word for people."""
    for word in reversed(tokens(stem_of(table))):
        if word.isdigit():
            continue
        single = word[:-1] if word.endswith("s") and word[:-1] in PEOPLE else word
        return (single,) if single in PEOPLE else ()
    return ()


def stem_of(table: str) -> str:
    """Return the last part of a table's name without the endings of files."""
    return _ENDINGS.sub("", table.rsplit("/", 1)[-1])


def people_word(table: str) -> bool:
    """Tell whether the table's name says that its rows are people."""
    last = next((word for word in reversed(tokens(stem_of(table))) if not word.isdigit()), "")
    return last in roles() or bool(set(_table_tokens(table)) - PUBLIC)


def _strength(whole: Sequence[str], start: int, end: int, first_own: int) -> float:
    rest = whole[end:]
    if rest[:2] == ("source", "value"):  # of research data: as the source had it
        rest = rest[2:]
    after = [t for t in rest if not t.isdigit() and t not in NEUTRAL and t not in roles() and t not in INVOLVED]
    before = [t for t in whole[first_own:start] if not t.isdigit() and t not in NEUTRAL and t not in PEOPLE]
    if any(t in WEAKENING for t in after) or any(t in WEAKENING_BEFORE for t in before):
        return 0.1
    strength = 1.0 if not after and not before else 0.9 if not after else 0.55
    return strength if start >= first_own or not before else strength * 0.9
