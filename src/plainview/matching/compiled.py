r"""Detectors made ready for the engines: RE2 for samples and texts, Polars' regex for whole columns.

A pattern is written once, in RE2's syntax with ASCII classes. Polars' engine (Rust's regex) reads `\b`, `\d`
and `\w` as Unicode, which takes it off its fast path at the first letter beyond ASCII, so these are spelt out.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
import re2

from plainview.detectors import BY_FORM, Detector, load_detectors
from plainview.detectors.checks import CHECKS, Check
from plainview.detectors.words import WordBook
from plainview.errors import DetectorError
from plainview.tags import Tags

# A match inside running text stands alone: no letter or digit touches it, nor one glued on by a dot or hyphen.
LEFT = r"(?:^|[^0-9A-Za-z_.\-]|(?:^|[^0-9A-Za-z_])[.\-])"
RIGHT = r"(?:$|[^0-9A-Za-z_.\-]|[.\-](?:$|[^0-9A-Za-z]))"
NULLS = ("", " ", "null", "NULL", "None", "N/A", "n/a", "NaN", "nan", "\\N", "-")
NAME_TAGS = {  # vocabularies with rules of their own: what the words of a cell say
    "person_names": "full",
    "given_names": "given",
    "surnames": "surname",
}

_INSIDE = {"d": "0-9", "w": "0-9A-Za-z_", "s": r"\t\n\f\r "}
_OUTSIDE = {k: f"[{v}]" for k, v in _INSIDE.items()} | {k.upper(): f"[^{v}]" for k, v in _INSIDE.items()}
_OUTSIDE |= {"b": r"(?-u:\b)", "B": r"(?-u:\B)"}


def for_rust(pattern: str) -> str:
    r"""Translate RE2 syntax with ASCII classes to the same meaning in Rust's regex.

    >>> for_rust(r"\\b[\\d.]+\\w")
    '(?-u:\\\\b)[0-9.]+[0-9A-Za-z_]'
    """
    out, inside, i = [], False, 0
    while i < len(pattern):
        char = pattern[i]
        if char == "\\" and i + 1 < len(pattern):
            book = _INSIDE if inside else _OUTSIDE
            out.append(book.get(pattern[i + 1], pattern[i : i + 2]))
            i += 2
            continue
        if inside and char in "[&~":  # Rust knows set operations inside classes
            char = "\\" + char
        elif char == "[" and not inside:
            inside = True
            out.append(char)
            i += 1
            if pattern[i : i + 1] == "^":
                out.append("^")
                i += 1
            if pattern[i : i + 1] == "]":
                out.append(r"\]")
                i += 1
            continue
        elif char == "]":
            inside = False
        out.append(char)
        i += 1
    return "".join(out)


def alternation(patterns: Sequence[str]) -> str:
    """Join patterns so that each keeps its own alternatives."""
    return "|".join(f"(?:{p})" for p in patterns)


@dataclass(frozen=True, eq=False)
class Rule:
    """A detector with its expressions."""

    detector: Detector
    check: Check | None

    @functools.cached_property
    def cell(self) -> str:
        """For whole cells, in Rust's syntax."""
        return rf"^[\s]*(?:{for_rust(alternation(self.detector.patterns))})[\s]*$"

    @functools.cached_property
    def text(self) -> str:
        """For matches inside running text, with what must stand around them; the match itself is the first group."""
        return rf"{LEFT}({for_rust(alternation(self.detector.patterns))}){RIGHT}"

    @property
    def name(self) -> str:
        """Name of the detector."""
        return self.detector.name

    def valid(self, values: pl.Series) -> npt.NDArray[np.bool_]:
        """Tell for each value (that has the form) whether it passes the check as well."""
        if self.check is None:
            return np.ones(len(values), dtype=bool)
        return self.check.accepts(values)


class Matcher:
    """All detectors, compiled once for a run. Safe to share between threads."""

    def __init__(self, detectors: Sequence[Detector]) -> None:
        self.detectors = {d.name: d for d in detectors}
        self.place = {d.name: at for at, d in enumerate(detectors)}
        self.rules: dict[str, Rule] = {}
        for d in detectors:
            if d.patterns:
                if d.check and d.check not in CHECKS:
                    raise DetectorError(f"{d.name}: unknown check {d.check!r}")
                check = CHECKS[d.check] if d.check else None
                self.rules[d.name] = Rule(d, check)
        # looked for only under a field name that speaks of them
        self.loose = frozenset(name for name, rule in self.rules.items() if rule.detector.needs_name) - BY_FORM
        self.patterned = [rule for name, rule in self.rules.items() if name not in self.loose]
        self.in_text = [rule for rule in self.rules.values() if rule.detector.in_text]
        # see `counting.short_numbers`: true of the package's detectors (tests/matching/test_profile_laws.py)
        package = set(map(id, load_detectors()))
        self.passes_numbers = all(id(rule.detector) in package for rule in self.in_text)
        self.vocabularies = [d for d in detectors if d.vocabulary]
        self.splits: dict[tuple[int, ...], tuple[Tags, list[Rule]]] = {}  # of tagging

    def ranked(self, counts: Mapping[str, int]) -> list[str]:
        """Return the names of detectors, those of the most values first, of equal ones those that need no field name.

        Where that does not decide either, it is the order in which the detectors were given: no name decides.
        """
        return sorted(counts, key=lambda n: (-counts[n], self.detectors[n].needs_name, self.place[n]))

    @functools.cached_property
    def cells(self) -> re2.Set:
        """All patterns that need no field name at once, for whole cells: places in `patterned`."""
        return compile_set([alternation(r.detector.patterns) for r in self.patterned], re2.Set.FullMatchSet)

    @functools.cached_property
    def texts(self) -> re2.Set:
        """All patterns that may stand in running text: places in `in_text`."""
        bounded = [rf"{LEFT}(?:{alternation(r.detector.patterns)}){RIGHT}" for r in self.in_text]
        return compile_set(bounded, re2.Set.SearchSet)

    @functools.cached_property
    def books(self) -> tuple[list[tuple[str, str]], WordBook]:
        """Detectors with their vocabularies, where a value must be an entry; and all entries together."""
        books = [(d.name, d.vocabulary) for d in self.vocabularies if d.vocabulary not in NAME_TAGS]
        return books, WordBook({name for _, name in books})

    @functools.cached_property
    def watch(self) -> str:
        """One expression (Rust syntax) that finds a cell in which any `in_text` detector may match."""
        inner = "|".join(f"(?:{for_rust(alternation(r.detector.patterns))})" for r in self.in_text)
        return f"{LEFT}(?:{inner}){RIGHT}" if inner else r"[^\s\S]"


def compile_set(patterns: Sequence[str], kind: object) -> re2.Set:
    """Compile patterns into one set. Raises DetectorError where one is none."""
    options = re2.Options()
    options.max_mem = 256 << 20
    options.log_errors = False
    made = kind(options)  # type: ignore[operator]
    for pattern in patterns:
        try:
            made.Add(pattern)
        except re2.error:
            hint = "plainview detectors test FILE says which"
            raise DetectorError("a pattern does not compile", hint=hint) from None
    made.Compile()
    return made
