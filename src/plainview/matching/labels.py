"""Values behind a label in running text: `Fecha de nacimiento: 10/10/1963`, `"iban" = "DE89…"`.

The label is read like a field name. What stands behind it must have the form (and pass the check) of a
detector that the label names, so forms too weak to be searched alone are found where the text itself says
what they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import re2

from plainview.detectors import Detector
from plainview.detectors.fieldnames import NameIndex
from plainview.matching.compiled import RIGHT, alternation, compile_set

LABEL = r"(?:^|[\n\r\t.;,(\[{|>*•/\"'-]|\s)([\p{L}][\p{L}\p{N}º°'’._/ -]{0,38}?)[\"']?[ \t]{0,2}[:=][ \t]{0,3}[\"']?"
PARTICLE = r"(?:(?:de|del|de la|la|van|von|der|den|da|do|dos|di|bin|al)\s)?"
NAME = rf"\p{{Lu}}[\p{{L}}'’.-]*(?:[ ,]{{1,2}}{PARTICLE}\p{{Lu}}[\p{{L}}'’.-]*){{0,4}}"
WEAK = frozenset({"username", "password"})  # their form is that of any word
_END = re.compile(r"[\n\r\t\"]| \||\| ")
NEAR = 24  # characters between a word of the context and the form
REACH = 120  # characters behind a label that may hold its value
_MARK = re.compile("[:=]")
_BEFORE = 44  # characters before a colon: more than the longest label with what may stand on both sides of it
_BEHIND = 5  # characters from a colon on: blanks, and the quote that opens a value
_KNOWN = 4096  # colons whose surroundings are remembered


class Labels:
    """All detectors with field names, ready to be looked up by label."""

    def __init__(self, detectors: Sequence[Detector]) -> None:
        able = [d for d in detectors if d.names and (d.patterns or d.category == "person_name")]
        self.detectors = {d.name: d for d in able}
        self.index = NameIndex(detectors)  # all of them: then it is there already
        self.label = _compile(LABEL)
        self._forms: dict[str, re2._Regexp] = {}

    def candidates(self, text: str) -> Iterator[tuple[Detector, int, int]]:
        """Yield (detector, start, end) of what stands behind labels; checks are still to be made.

        What a colon speaks of depends on the characters around it alone, and texts repeat them: `iban: iban: …`.
        """
        known: dict[str, list[tuple[Detector, int, int]]] = {}
        before = 0
        for mark in _MARK.finditer(text):
            at = mark.start()
            start = max(before, at - _BEFORE)
            around = text[start : at + _BEHIND + REACH]
            if around not in known:
                if len(known) == _KNOWN:
                    known.clear()
                known[around] = list(self._around(around, at - start))
            for detector, first, last in known[around]:
                yield detector, start + first, start + last
            before = at

    def _around(self, text: str, mark: int) -> Iterator[tuple[Detector, int, int]]:
        """Do it for one colon."""
        found = self.label.search(text[: mark + _BEHIND])
        if found is None or found.end(1) > mark:  # that of a colon behind this one
            return
        for match in self.index.match(found.group(1).replace(".", " ")):
            detector = self.detectors.get(match.detector)
            if detector is None or match.strength < 0.9 or detector.name in WEAK:
                continue
            value = self._form(detector).match(_field(text, found.end()))
            if value is not None and value.end(1) > 0:
                yield detector, found.end() + value.start(1), found.end() + value.end(1)

    def _form(self, detector: Detector) -> re2._Regexp:
        if detector.name not in self._forms:
            inner = alternation(detector.patterns) if detector.patterns else NAME
            self._forms[detector.name] = _compile(f"({inner}){RIGHT}")
        return self._forms[detector.name]


class Cues:
    """Detectors whose form and check count shortly after a word of their context: `Aadhaar 8235 2219 1065`."""

    def __init__(self, detectors: Sequence[Detector]) -> None:
        self.able = [d for d in detectors if d.context and d.patterns and d.check and not d.in_text]
        self._cues = [f"(?i:(?:^|[^A-Za-z])(?:{'|'.join(map(re2.escape, d.context))}))" for d in self.able]
        self._any = compile_set(self._cues, re2.Set.SearchSet)
        self._forms: dict[int, re2._Regexp] = {}

    def candidates(self, text: str) -> Iterator[tuple[Detector, int, int]]:
        """Yield (detector, start, end) of the first form behind a word of its context; checks are still to be made."""
        for place in self._any.Match(text) or ():
            if place not in self._forms:
                form = alternation(self.able[place].patterns)
                self._forms[place] = _compile(
                    rf"{self._cues[place]}(?:[^\n]{{0,{NEAR}}}?[^0-9A-Za-z\n])?({form}){RIGHT}"
                )
            found = self._forms[place].search(text)
            if found is not None:
                yield self.able[place], found.start(1), found.end(1)


def _field(text: str, start: int) -> str:
    """Return what a label can speak of: up to the quote that closes it, or to the end of its line or cell."""
    field = text[start : start + REACH]
    quote = text[start - 1]
    return field.partition(quote)[0] if quote in "\"'" else _END.split(field, 1)[0]


def _compile(pattern: str) -> re2._Regexp:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 64 << 20
    options.longest_match = True
    return re2.compile(pattern, options)
