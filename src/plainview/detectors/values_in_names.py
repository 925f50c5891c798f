"""Where in a name something stands that a detector of running text accepts. Checks are loaded when a form is met.

In a name values touch what they do not in a text: `transfer-MA64…_2.csv`, `card4111….txt`, with dots or underscores
for the blanks of a number. So each form is tried wherever a word or a run of digits begins, and up to wherever
one ends, and what fails its check is tried again shorter.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import re2

from plainview.detectors.detector import Detector

# What the owner must be able to read in a name, though it may be about a person, and what names are cut by otherwise.
SPARED = {
    "ip_address": "hosts are named so",
    "user_agent": "a folder may be called Java/17",
    "email_address": "names.py: in a name a slash ends it",
}
IBAN = "iban"  # the check of the one number that is found between letters, too, and with any signs in it: `_ibans`
# Ids of 18 and 19 digits are what many things are named by, and of ten in the ranges of the issuers one is valid.
CARD, LONGEST = "payment_card", 16
_IBAN_LIKE = re.compile(r"(?=[A-Za-z]{2}[0-9]{2}(?:[ ._-]?[0-9A-Za-z]){11})")
_COUNTRY = re.compile(r"(?=([A-Z]{2})[0-9]{2})")
_IN_CLASS = {"n": "[0-9]", "a": "[A-Z]", "c": "[0-9A-Z]"}
_SIGN = re.compile(r"(?<=[0-9A-Za-z])[ ._-](?=[0-9A-Za-z])")

# Where a value may begin: a word, a letter of another script, a sign that some forms begin with.
_BEGINS = re.compile(r"(?<![0-9A-Za-z])[0-9A-Za-z]|[^\x00-\x7f]|[+($*{#<]|-----(?!-)")
_ENDS = re.compile(r"(?<=[0-9A-Za-z])(?![0-9A-Za-z])|(?<=[^0-9A-Za-z])")
_NUMBER_IN_WORD = re.compile(r"(?<![0-9A-Za-z])[A-Za-z]*([0-9]+)[A-Za-z]*(?![0-9A-Za-z])")
_BLANKS = (str.maketrans("_", " "), str.maketrans("_.", "  "))
_GROUPED = re.compile(r"[0-9][_.]|[_.][0-9]")

_YEAR, _MONTH, _DAY = "(?:18|19|20)[0-9]{2}", "(?:0[1-9]|1[0-2])", "(?:0[1-9]|[12][0-9]|3[01])"
_TIME = "(?:[01][0-9]|2[0-3])[ :._h-]?[0-5][0-9](?:[ :._m-]?[0-5][0-9])?(?:[.,]?[0-9]{3,6})?"
_STAYS = re.compile(  # a date, with a time or without, as files are named by; a UUID
    r"(?<![0-9A-Za-z])[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}(?![0-9A-Za-z])"
    rf"|(?<![0-9])\+?(?:{_YEAR}([ ._/-]){_MONTH}\1{_DAY}(?:[ T_.-]{{1,2}}{_TIME})?"
    rf"|{_YEAR}{_MONTH}{_DAY}(?:[ T_.-]{{0,2}}{_TIME})?|{_DAY}([ ._/-]){_MONTH}\2{_YEAR}"
    rf"|[0-9]{{2}}-{_MONTH}-{_DAY}-(?:[01][0-9]|2[0-3])-[0-5][0-9]-[0-5][0-9])(?![0-9])"
)
Span = tuple[int, int]


@dataclass(frozen=True)
class _Form:
    """The form of one detector, to be tried at a place."""

    detector: Detector

    @functools.cached_property
    def _pattern(self) -> re2._Regexp:
        return re2.compile(_any(self.detector.patterns), _options(longest=True))

    def longest(self, text: str) -> int:
        """Return how many characters at the beginning of a text match, at the most."""
        found = self._pattern.match(text)
        return 0 if found is None else found.end()

    def accepted(self, text: str, spans: Sequence[Span]) -> list[Span]:
        """Return those of the spans that have the form as a whole and pass the check."""
        if self.detector.check == CARD:
            spans = [(start, end) for start, end in spans if end - start <= LONGEST or not text[start:end].isdigit()]
        formed = [(start, end) for start, end in spans if self._pattern.fullmatch(text[start:end])]
        return _passing(self.detector.check, text, formed) if self.detector.check else formed


class ValuesInNames:
    """All detectors of running text, made ready for names."""

    def __init__(self, detectors: Iterable[Detector]) -> None:
        able = [d for d in detectors if d.in_text and d.patterns and d.name not in SPARED]
        self.forms = [_Form(d) for d in able if d.check != IBAN]

    @functools.cached_property
    def _begun(self) -> re2.Set:
        """All forms at once, at the beginning of a text: places in `forms`."""
        made = re2.Set.MatchSet(_options())
        for form in self.forms:
            made.Add(_any(form.detector.patterns))
        made.Compile()
        return made

    @staticmethod
    def stays(text: str) -> bool:
        """Tell whether a text is a date, with a time or without, or a UUID."""
        return _STAYS.fullmatch(text) is not None

    def spans(self, text: str) -> Iterator[Span]:
        """Yield where values stand. They may overlap."""
        if _IBAN_LIKE.search(text):
            yield from _ibans(text)
        kept = [found.span() for found in _STAYS.finditer(text)]
        starts = {found.start() for found in _BEGINS.finditer(text)}
        starts.update(found.start(1) for found in _NUMBER_IN_WORD.finditer(text))
        free = sorted(start for start in starts if not any(s < start < e for s, e in kept))
        yield from self._spans(text, free, kept)
        if _GROUPED.search(text):
            for written in {text.translate(table) for table in _BLANKS} - {text}:
                yield from self._spans(written, free, kept)

    def _spans(self, text: str, starts: Sequence[int], kept: Sequence[Span]) -> Iterator[Span]:
        match = self._begun.Match
        tried: dict[int, list[Span]] = {}
        for start in starts:
            for place in match(text[start:]) or ():
                last = start + self.forms[place].longest(text[start:])
                possible = ((start, end) for end in _ends(text) if start < end <= last)
                fitting = (t for t in possible if not any(s <= t[0] and t[1] <= e for s, e in kept))
                tried.setdefault(place, []).extend(fitting)
        for place, spans in tried.items():
            yield from self.forms[place].accepted(text, spans)


def _ends(text: str) -> list[int]:
    """Return where values may end: behind words, signs, and the one number that is in a word."""
    ends = {found.end() for found in _ENDS.finditer(text)}
    ends.update(found.end(1) for found in _NUMBER_IN_WORD.finditer(text))
    return sorted(ends)


def _ibans(text: str) -> list[Span]:
    """Return where account numbers stand, whatever parts their groups and touches them."""
    signs = {found.start() for found in _SIGN.finditer(text)}
    kept = [at for at in range(len(text)) if at not in signs]
    joined = "".join([text[at] for at in kept]) if signs else text
    joined = joined.upper() if joined.isascii() else "".join(c.upper() if c.isascii() else c for c in joined)
    formed = []
    for found in _COUNTRY.finditer(joined):
        form = _iban_forms().get(found[1])
        if form and (whole := form.match(joined, found.start())):
            formed.append(whole.span())
    return [(kept[start], kept[end - 1] + 1) for start, end in _passing(IBAN, joined, formed)]


@functools.cache
def _iban_forms() -> dict[str, re.Pattern[str]]:
    from plainview.detectors.checks.tables import IBAN_FORMS

    return {
        country: re.compile(country + "[0-9]{2}" + "".join(f"{_IN_CLASS[kind]}{{{size}}}" for size, kind in form))
        for country, form in IBAN_FORMS.items()
    }


def _passing(check: str, text: str, spans: Sequence[Span]) -> list[Span]:
    if not spans:
        return []
    import polars as pl

    from plainview.detectors.checks import CHECKS

    values = pl.Series([text[start:end] for start, end in spans], dtype=pl.String)
    return [span for span, good in zip(spans, CHECKS[check].accepts(values).tolist(), strict=True) if good]


def _any(patterns: Sequence[str]) -> str:
    return "|".join(f"(?:{pattern})" for pattern in patterns)


def _options(*, longest: bool = False) -> re2.Options:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 64 << 20
    options.longest_match = longest
    return options


__all__ = ["SPARED", "ValuesInNames"]
