"""`find`: where personal data stands in a text. In memory only; what it returns is offsets and kinds."""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
import re2

from plainview.detectors import Detector, load_detectors
from plainview.detectors.checks import CHECKS
from plainview.detectors.fieldnames import tokens, words_of
from plainview.matching.compiled import LEFT, RIGHT, alternation
from plainview.matching.folding import fold
from plainview.matching.labels import Labels
from plainview.matching.names_in_text import names_in

NEAR = 48  # characters before a match in which a word of its context must stand
LONGEST = 1 << 20  # characters of one text that are searched at once
OVERLAP = 512
NAMED = 0.75  # how much speaks for a name in running text: less than for any form
_UNANCHORED = re2._re2.RE2.Anchor.UNANCHORED  # noqa: SLF001


@dataclass(frozen=True, slots=True, order=True)
class Match:
    """`text[start:end]` is of this category (an id of `detectors list`). Offsets count characters."""

    start: int
    end: int
    category: str
    confidence: float


Found = tuple[float, Match, Detector]  # how much speaks for it, where it stands, what found it
Span = tuple[int, int, int, int]  # where a form begins and ends, and in it the value: behind a label, in quotes


@dataclass(frozen=True, slots=True)
class TextRule:
    """A detector as it is searched in running text."""

    detector: Detector
    pattern: re2._Regexp
    context: re2._Regexp | None
    words: re2._Regexp | None  # of the context, wherever they stand

    def spans(self, data: bytes) -> Iterator[Span]:
        """Yield where the form stands, in bytes; the check is still to be made. A group of a pattern is the value.

        Bytes, for of a string each search would make bytes again, all of them: a text of many matches would take
        quadratic time. And the engine itself is called, for `search` takes twice as long.
        """
        match, at, end = self.pattern._regexp.Match, 0, len(data)  # noqa: SLF001
        while at <= end:
            (_, behind), (first, last), *groups = match(_UNANCHORED, data, at, end)
            if behind < 0:
                return
            if last <= first:
                at = behind + 1
                continue
            yield first, last, *next((group for group in groups if group[1] >= 0), (first, last))
            at = last

    def possible(self, data: bytes) -> bool:
        """Tell whether a word of the context stands anywhere."""
        return self.words is None or self.words.search(data) is not None

    def near(self, text: str, start: int) -> bool:
        """Tell whether a word of the context stands shortly before."""
        return self.context is None or self.context.search(text[max(0, start - NEAR) : start]) is not None


class Finder:
    """All detectors that can be searched in text, compiled once."""

    def __init__(self, detectors: Sequence[Detector]) -> None:
        able = [d for d in detectors if d.patterns and (d.in_text or d.context)]
        self.rules = [
            TextRule(
                d,
                _compile(f"{LEFT}({alternation(d.patterns)}){RIGHT}"),
                None if d.in_text else _context(d.context, before="(?:^|[^A-Za-z])"),
                None if d.in_text else _context(d.context),
            )
            for d in able
        ]
        options = _options()
        options.max_mem = 256 << 20
        self.all = re2.Set.SearchSet(options)
        for d in able:
            self.all.Add(f"{LEFT}(?:{alternation(d.patterns)}){RIGHT}")
        self.all.Compile()
        self.labels = Labels(detectors)
        self.persons = next((d for d in detectors if d.vocabulary == "person_names"), None)
        self._names: dict[str, tuple[str, ...]] = {}

    def find(self, text: str) -> list[Match]:
        """Return the matches in order; of two that overlap the better one."""
        found: list[Found] = []
        for offset in range(0, max(1, len(text)), LONGEST):
            part = fold(text[offset : offset + LONGEST + OVERLAP])
            found.extend(self._formed(part, offset))
            if ":" in part or "=" in part:
                found.extend(self._labelled(part, offset))
            if self.persons is not None:
                found.extend(self._named(part, offset, self.persons))
        return _without_overlap(self._with_words(found, text), len(text))

    def _formed(self, part: str, offset: int) -> Iterator[Found]:
        """Yield what has the form of a detector and passes its check."""
        data = part.encode("utf-8", "replace")  # a lone surrogate is one character, as what replaces it
        places = self.all.Match(data) or ()
        characters = _characters(data) if places and len(data) > len(part) else None
        for rule in (self.rules[place] for place in places):
            if not rule.possible(data):
                continue
            spans = rule.spans(data)
            if characters is not None:
                spans = ((*characters[list(span)].tolist(),) for span in spans)
            weight = 0.9 + 0.06 * bool(rule.detector.check) - 0.1 * (not rule.detector.in_text)
            yield from _checked(rule.detector, [s for s in spans if rule.near(part, s[0])], part, offset, weight)

    def _labelled(self, part: str, offset: int) -> Iterator[Found]:
        """Yield what stands behind a label that names its detector."""
        spans: dict[str, list[Span]] = {}
        for detector, start, end in self.labels.candidates(part):
            spans.setdefault(detector.name, []).append((start, end, start, end))
        for name, own in spans.items():
            detector = self.labels.detectors[name]
            yield from _checked(detector, own, part, offset, 0.85 + 0.06 * bool(detector.check))

    @staticmethod
    def _named(part: str, offset: int, detector: Detector) -> Iterator[Found]:
        """Yield what is somebody's name by its words."""
        for start, end in names_in(part):
            yield NAMED, Match(start + offset, end + offset, detector.category, NAMED), detector

    def _with_words(self, found: list[Found], text: str) -> list[tuple[float, Match]]:
        """Of numbers that are valid as two things, let a word before them say which: `card number 3464…`."""
        weighed = []
        for group in _overlapping(found):
            contested = len({match.category for _, match, _ in group}) > 1
            for weight, match, detector in group:
                said = contested and self._says(text[max(0, match.start - NEAR) : match.start], detector)
                weighed.append((weight + 0.03 * said, match))
        return weighed

    def _says(self, before: str, detector: Detector) -> bool:
        """Tell whether one of a detector's field names stands in the text before a value."""
        names = self._names.get(detector.name)
        if names is None:
            entries = dict.fromkeys((*detector.names, *detector.context))
            names = self._names[detector.name] = tuple(f" {' '.join(tokens(name))} " for name in entries)
        words = f" {' '.join(words_of(before))} "
        return any(name in words for name in names)


def _characters(data: bytes) -> npt.NDArray[np.int32]:
    """Return how many characters begin before each byte, and before the end."""
    begins = (np.frombuffer(data, np.int8) >= -0x40).astype(np.int32)  # no byte that continues one
    return np.concatenate([np.zeros(1, np.int32), np.cumsum(begins, dtype=np.int32)])


def _checked(detector: Detector, spans: list[Span], part: str, offset: int, weight: float) -> Iterator[Found]:
    """Yield those of the spans that pass the check of their detector."""
    if not spans:
        return
    good = _valid(detector.check, [part[s:e] for s, e, *_ in spans])
    for (*_, start, end), passes in zip(spans, good, strict=True):
        if passes:
            match = Match(start + offset, end + offset, detector.category, round(weight, 2))
            yield weight, match, detector


def _overlapping(found: list[Found]) -> Iterator[list[Found]]:
    """Yield the matches in groups of those that overlap."""
    group: list[Found] = []
    end = 0
    for item in sorted(found, key=lambda one: one[1]):
        if group and item[1].start >= end:
            yield group
            group = []
        group.append(item)
        end = max(end, item[1].end) if len(group) > 1 else item[1].end
    if group:
        yield group


def _valid(check: str, values: list[str]) -> list[bool]:
    if not check:
        return [True] * len(values)
    return [bool(x) for x in CHECKS[check].accepts(pl.Series(values, dtype=pl.String))]


def _without_overlap(found: list[tuple[float, Match]], length: int) -> list[Match]:
    """Choose the better ones first; `length` of the text, whose taken characters are marked."""
    chosen: list[Match] = []
    taken = bytearray(length)
    for _, match in sorted(found, key=lambda item: (-item[0], item[1].start - item[1].end, item[1])):
        if taken.find(1, match.start, match.end) < 0:
            taken[match.start : match.end] = b"\1" * (match.end - match.start)
            chosen.append(match)
    return sorted(chosen)


def _options() -> re2.Options:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 64 << 20
    return options


def _compile(pattern: str) -> re2._Regexp:
    return re2.compile(pattern, _options())


def _context(words: Sequence[str], before: str = "") -> re2._Regexp:
    forms = {unicodedata.normalize("NFKC", w) for w in words} | set(words)
    inner = "|".join(re2.escape(w) for w in sorted(forms))
    return _compile(rf"(?i){before}(?:{inner})")


@functools.cache
def default_finder() -> Finder:
    """Return the detectors of the package, compiled once for the process."""
    return Finder(load_detectors())


def find(text: str) -> list[Match]:
    """Return where personal data stands in `text`, in order and without overlaps.

    >>> [(m.start, m.end, m.category) for m in find("write to anna@example.org")]
    [(9, 25, 'email_address')]
    """
    if not isinstance(text, str):
        raise TypeError("find: text must be a str")
    return default_finder().find(text)
