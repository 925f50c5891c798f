"""What a sample of distinct values looks like: tags for each (`plainview.tags`), so that no value has to be kept."""

from __future__ import annotations

import functools
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
import polars as pl

from plainview import tags as made
from plainview.detectors.checks.kernel import Bools
from plainview.detectors.persons import name_tags
from plainview.detectors.subjects import is_shared
from plainview.detectors.words import BOOKS
from plainview.matching.compiled import NAME_TAGS, Matcher, Rule
from plainview.matching.folding import fold
from plainview.matching.labels import Cues, Labels
from plainview.matching.nobodys import add_marks
from plainview.matching.shapes import shape_of, year_of
from plainview.tags import Tag, Tags

LONGEST = 4096  # characters of a value that are looked at for its tags
SHORT_CODE = 3  # characters that codes of answers have at most: 1, GA, pos
SHORTEST = 12  # characters up to which a value is not taken for running text
_PAIRS = {'"': '"', "'": "'", "[": "]", "“": "”", "„": "“", "«": "»"}
_BOOK = re.compile(r"[0-9][0-9 -]{8,11}[0-9 -][xX]|[0-9]{4}-[0-9]{3}[xX]|[0-9]{9}[xX]")  # ISBN-10, ISSN
_HASHES = (32, 40, 56, 64, 96, 128)  # hex digits of MD5, SHA-1, SHA-2
_HASH = re.compile(r"(?=[0-9a-fA-F]*[a-fA-F])(?=[a-fA-F]*[0-9])[0-9a-fA-F]+")
LONGEST_MASK = 64  # characters
# Stars, dots and crosses for a part of a value, or for most of it: `j***@x.com`, `****1234`, `XXXX-XXXX-1234`
_MASK = re.compile(r"[*•●✱✕×]{2}[^*]*[0-9A-Za-z@]|[0-9A-Za-z@][^*]{0,40}[*•●✱✕×]{2}|(?:[Xx#]{3,4}[ -]?){2}[0-9]{2}")
_LETTERS = frozenset({"word", "words", "other", "sentence"})
_ENTRIES = _LETTERS | {"code", "phoneish", "int1", "int2"}  # shapes that entries of vocabularies have
_NO_TEXT = frozenset(map(made.shape, ("uuid", "word", "date", "datetime")))
_NUMBERS = frozenset({"date", "datetime", "int8", "int1", "int2", "int3", "decimal", "negative"})
_IDS = {  # sorts of ids in texts: long enough that one in many has the form of something by chance
    "hex": re.compile(r"(?<![0-9A-Za-z])(?=[0-9]*[a-fA-F])(?=[a-fA-F]*[0-9])[0-9a-fA-F]{8,}(?![0-9A-Za-z])"),
    "code": re.compile(r"(?<![0-9A-Za-z])(?=[0-9]*[A-Z])(?=[A-Z]*[0-9])[0-9A-Z]{7,}(?![0-9A-Za-z])"),
    "digits": re.compile(r"(?<![0-9A-Za-z])[0-9]{8,}(?![0-9A-Za-z])"),
}
# A word, and behind it a sign and something with a digit: most texts with colons have no such label
_LABEL = re.compile(r"[^\W\d_]\.?[\"']?[ \t]{0,2}[:=][ \t]{0,3}[\"']?[^\n:=]{0,40}[0-9]")
_WORD, _MARK, _DIGIT = re.compile(r"[^\W\d_]{2}"), re.compile(r"[\s:=]"), re.compile("[0-9]")
_NEXT_WORD = re.compile(r"\s[^\W\d_]{2}")
LABELLED = 1024  # characters of a text in which labels are looked for
_SAME: dict[Tags, Tags] = {}  # one object for all values that look alike


def tag_values(values: Sequence[str], matcher: Matcher, named: Iterable[frozenset[str]] | None = None) -> list[Tags]:
    """Return the tags of each value.

    `named` are, for each value, the detectors with `needs_name` that the name of its field speaks of; the others of
    that sort are not looked for, since nothing would follow from them. None: all are.
    """
    if not values:
        return []
    tags: list[set[Tag]] = []
    cells: dict[Rule, list[int]] = defaultdict(list)
    plain = [_bare(value.strip()[:LONGEST]) for value in values]
    stripped = list(map(fold, plain))
    in_cells = matcher.cells.Match
    for at, value in enumerate(stripped):
        shape = shape_of(value)
        own = {made.shape(shape)}
        if value is not plain[at] and value != plain[at]:
            own.add(made.FOLDED)
        tags.append(own)
        if shape in _NUMBERS:
            _add_numbers(value, shape, own)
        if places := in_cells(value):
            unchecked, checked = _split(tuple(places), matcher)
            own |= unchecked
            for rule in checked:
                cells[rule].append(at)
        if len(value) <= SHORT_CODE:
            own.add(made.SHORT)
        elif value[-1] in "xX" and _BOOK.fullmatch(value):
            own.add(made.BOOK)
        if len(value) <= 80:
            _add_words(value, shape, own, matcher)
        if SHORT_CODE < len(value) <= _HASHES[-1]:
            _add_disguise(value, own)
    for name, chosen in _by_detector(named if named is not None else [matcher.loose] * len(values)).items():
        rule = matcher.rules[name]
        formed = pl.Series([stripped[at] for at in chosen], dtype=pl.String).str.contains(rule.cell)
        cells[rule] = [at for at, fits in zip(chosen, formed.to_list(), strict=True) if fits]
    _add_cells(cells, stripped, tags)
    _add_labelled(stripped, tags, matcher)
    _add_texts(_places_in_text(stripped, tags, matcher), stripped, tags, matcher)
    add_marks(stripped, tags, matcher)
    return [_SAME.setdefault(found, found) for found in map(frozenset, tags)]


def _bare(value: str) -> str:
    """Return a value without quotes or brackets around it: `"419-682-0950"`, `[419-682-0950]`."""
    if len(value) > SHORTEST // 2 and value[0] in _PAIRS and value[-1] == _PAIRS[value[0]]:
        inner = value[1:-1]
        if value[0] not in inner and value[-1] not in inner and "," not in inner:
            return inner.strip()
    return value


def warm(matcher: Matcher) -> None:
    """Load now what the first values would have to wait for: expressions, word lists, plans of telephone numbers."""
    tag_values(["Anna Example", "+49 30 901820"], matcher, [frozenset()] * 2)


def _by_detector(named: Iterable[frozenset[str]]) -> dict[str, list[int]]:
    chosen: dict[str, list[int]] = {}
    for at, names in enumerate(named):
        for name in names:
            chosen.setdefault(name, []).append(at)
    return chosen


def _split(places: tuple[int, ...], matcher: Matcher) -> tuple[Tags, list[Rule]]:
    """Return the tags of the detectors that have no check, and the others."""
    known = matcher.splits.get(places)
    if known is None:
        rules = [matcher.patterned[place] for place in places]
        known = (
            frozenset(made.passed(r.name) for r in rules if r.check is None),
            [r for r in rules if r.check is not None],
        )
        if len(matcher.splits) < 10_000:  # few sets of patterns meet together
            matcher.splits[places] = known
    return known


def _add_numbers(value: str, shape: str, own: set[Tag]) -> None:
    if shape in ("date", "datetime", "int8"):
        year = year_of(value) if shape != "int8" else int(value[:4])
        if year and 1850 <= year <= 2099:
            own.add(made.year(year))
    elif shape in ("int1", "int2", "int3") and int(value) <= 120:
        own.add(made.number("age"))
    elif shape in ("decimal", "negative"):
        number = abs(float(value.replace(",", ".")))
        if number <= 90:
            own.add(made.number("lat"))
        if number <= 180:
            own.add(made.number("lon"))


def _add_disguise(value: str, own: set[Tag]) -> None:
    if len(value) in _HASHES and _HASH.fullmatch(value):
        own.add(made.HASH)
    elif len(value) <= LONGEST_MASK and _MASK.search(value):
        own.add(made.MASKED)


def _add_words(value: str, shape: str, own: set[Tag], matcher: Matcher) -> None:
    if shape == "email" and is_shared(value):
        own.add(made.SHARED)
    books, every = matcher.books
    if shape in _ENTRIES and (folded := value.casefold()) in every:
        own.update(made.passed(name) for name, vocabulary in books if folded in BOOKS[vocabulary])
    if shape in _LETTERS and (words := name_tags(value)):
        own.update(map(made.word, words))
        own.update(made.passed(d.name) for d in matcher.vocabularies if NAME_TAGS.get(d.vocabulary) in words)


def _add_cells(cells: dict[Rule, list[int]], values: list[str], tags: list[set[Tag]]) -> None:
    for rule, at in cells.items():
        passed, failed = made.passed(rule.name), made.formed(rule.name)
        for i, good in zip(at, rule.valid(pl.Series([values[i] for i in at], dtype=pl.String)).tolist(), strict=True):
            tags[i].add(passed if good else failed)


def _places_in_text(values: list[str], tags: list[set[Tag]], matcher: Matcher) -> dict[int, list[int]]:
    """Return, for each detector of running text (its place in `matcher.in_text`), the values that it may stand in.

    What one of them explains as a whole is not searched, nor what the watch does not meet: it costs far less.
    """
    texts: dict[int, list[int]] = defaultdict(list)
    whole = {made.passed(rule.name) for rule in matcher.in_text}
    free = [
        at
        for at, value in enumerate(values)
        if len(value) > SHORTEST and whole.isdisjoint(tags[at]) and _NO_TEXT.isdisjoint(tags[at])
    ]
    if not free:
        return texts
    for at in free:
        tags[at].update(made.token(kind) for kind, pattern in _IDS.items() if pattern.search(values[at]))
    met = pl.Series([values[at] for at in free], dtype=pl.String).str.contains(matcher.watch).to_list()
    for at in (at for at, hit in zip(free, met, strict=True) if hit):
        for place in matcher.texts.Match(values[at]) or ():  # compiled only where something is met
            texts[place].append(at)
    return texts


def _add_texts(texts: dict[int, list[int]], values: list[str], tags: list[set[Tag]], matcher: Matcher) -> None:
    for place, at in texts.items():
        rule = matcher.in_text[place]
        whole = {made.passed(rule.name), made.formed(rule.name)}
        open_ones = [i for i in at if whole.isdisjoint(tags[i])]
        if not open_ones:
            continue
        good = text_valid(rule, pl.Series([values[i] for i in open_ones], dtype=pl.String))
        for i, passes in zip(open_ones, good, strict=True):
            if passes:
                tags[i].add(made.inside(rule.name))


@functools.lru_cache(maxsize=4)
def _labels(matcher: Matcher) -> Labels:
    return Labels(list(matcher.detectors.values()))


@functools.lru_cache(maxsize=4)
def _cues(matcher: Matcher) -> Cues:
    return Cues(list(matcher.detectors.values()))


def _add_labelled(values: list[str], tags: list[set[Tag]], matcher: Matcher) -> None:
    """Tell what stands behind labels: `Passport: 084302044`. What is searched in all texts needs none."""
    found: dict[str, list[tuple[int, str]]] = {}
    for at, value in enumerate(values):
        text = value[:LABELLED]
        if len(value) <= SHORTEST or not _words_and_numbers(text) or not _NO_TEXT.isdisjoint(tags[at]):
            continue
        marked = (":" in text or "=" in text) and _LABEL.search(text)
        labelled = _labels(matcher).candidates(text) if marked else ()
        for detector, start, end in (*labelled, *_cues(matcher).candidates(text)):
            if not detector.in_text and detector.name in matcher.rules:
                found.setdefault(detector.name, []).append((at, value[start:end]))
    for name, hits in found.items():
        good = matcher.rules[name].valid(pl.Series([text for _, text in hits], dtype=pl.String))
        for (at, _), passes in zip(hits, good.tolist(), strict=True):
            if passes:
                tags[at].add(made.labelled(name))


def _words_and_numbers(text: str) -> bool:
    """Tell whether a number stands behind a word and a sign, or a word behind a number; in time linear in the text."""
    number = _DIGIT.search(text)
    if number is None:
        return False
    word = _WORD.search(text)
    mark = word and _MARK.search(text, word.end())
    return bool(mark and _DIGIT.search(text, mark.end())) or _NEXT_WORD.search(text, number.end()) is not None


def text_valid(rule: Rule, values: pl.Series) -> Bools:
    """Tell for each text whether any of the matches of a rule passes the check."""
    good = np.zeros(len(values), dtype=bool)
    found = values.str.extract_all(rule.text)
    owner = np.repeat(np.arange(len(values)), found.list.len().fill_null(0).to_numpy())
    if len(owner):
        matches = found.explode(empty_as_null=False, keep_nulls=False)
        if rule.check is not None and rule.check.raw:  # what stands around a match is none of its business
            matches = matches.str.extract(rule.text).fill_null("")
        good[owner[rule.valid(matches)]] = True
    return good
