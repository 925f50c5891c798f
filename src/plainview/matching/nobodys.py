"""Which cells hold what is nobody's: values that are kept for examples, and mailboxes of a role.

The tags of a sketch say that there are any (`r:`, `o:`). Only then all cells are counted: those that a detector
accepts and in which, without such values, it would find nothing. What was read before is not counted, so the number is
never too large.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable

import polars as pl
import re2

from plainview import tags
from plainview.detectors.reserved import Kind, pattern_of, reserved
from plainview.matching.compiled import Matcher, Rule
from plainview.tags import Tag


@functools.lru_cache(maxsize=4)
def _asked(matcher: Matcher) -> dict[Tag, list[tuple[Tag, Kind, str]]]:
    """Return, for tags of detectors, what is looked for in the values that have them: (tag, kind, category)."""
    asked: dict[Tag, list[tuple[Tag, Kind, str]]] = {}
    made: tuple[tuple[Kind, Callable[[str], Tag]], ...] = (("reserved", tags.reserved), ("role", tags.role))
    for rule in matcher.rules.values():
        for kind, mark in made:
            if rule.detector.category in reserved(kind):
                for tag in (tags.passed(rule.name), tags.inside(rule.name)):
                    asked.setdefault(tag, []).append((mark(rule.name), kind, rule.detector.category))
    return asked


@functools.cache
def _search(kind: Kind, category: str) -> Callable[[str], object]:
    options = re2.Options()
    options.max_mem = 64 << 20
    options.log_errors = False
    search: Callable[[str], object] = re2.compile(pattern_of(kind, category), options).search
    return search


def pattern_in(mark: Tag, matcher: Matcher) -> str:
    """Return the expression for the values that a tag speaks of."""
    kind: Kind = "reserved" if mark[:2] == "r:" else "role"
    return pattern_of(kind, matcher.detectors[mark[2:]].category)


def add_marks(values: Iterable[str], found: Iterable[set[Tag]], matcher: Matcher) -> None:
    """Add the tags of what is nobody's to those of each value."""
    asked = _asked(matcher)
    for value, own in zip(values, found, strict=True):
        for tag in own & asked.keys():
            own.update(mark for mark, kind, category in asked[tag] if _search(kind, category)(value))


def tags_of_nobody(texts: pl.Series, detector: str, matcher: Matcher) -> list[Tag]:
    """Return the tags of what is nobody's that some texts have, in which a detector finds something."""
    asked = _asked(matcher).get(tags.inside(detector), ())
    return [mark for mark, kind, category in asked if texts.str.contains(pattern_of(kind, category)).any()]


def cells_of_nobody(values: pl.Series, rule: Rule, pattern: str) -> pl.Series:
    """Tell which cells are such a value as a whole."""
    return values.str.contains(rule.cell) & values.str.contains(pattern)


def without(values: pl.Series, pattern: str) -> pl.Series:
    """Return texts without such values; of two side by side the first look leaves one."""
    return values.str.replace_all(pattern, " ").str.replace_all(pattern, " ")


__all__ = ["add_marks", "cells_of_nobody", "pattern_in", "tags_of_nobody", "without"]
