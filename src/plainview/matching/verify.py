"""Run the examples that every detector brings along."""

from __future__ import annotations

import re2

from plainview.detectors import Detector
from plainview.detectors.checks import CHECKS
from plainview.detectors.fieldnames import NameIndex
from plainview.errors import DetectorError
from plainview.matching.compiled import Matcher, alternation, compile_set
from plainview.matching.tagging import tag_values
from plainview.tags import passed


def failures(detector: Detector) -> list[str]:
    """Return a line for each example that does not do what its file says, engine by engine."""
    if detector.check and detector.check not in CHECKS:
        raise DetectorError(f"{detector.name}: unknown check {detector.check!r}", hint=", ".join(sorted(CHECKS)))
    wrong = [*_values(detector), *_names(detector)]
    if detector.patterns:
        wrong += _engines(detector)
    return wrong


def _passes(detector: Detector, values: tuple[str, ...]) -> list[bool]:
    matcher = Matcher([detector])
    return [passed(detector.name) in tags for tags in tag_values(values, matcher)] if values else []


def _values(detector: Detector) -> list[str]:
    if not detector.has_values:
        return []
    good, bad = _passes(detector, detector.matches), _passes(detector, detector.non_matches)
    return [f"must match: {v!r}" for v, ok in zip(detector.matches, good, strict=True) if not ok] + [
        f"must not match: {v!r}" for v, ok in zip(detector.non_matches, bad, strict=True) if ok
    ]


def _names(detector: Detector) -> list[str]:
    index = NameIndex([detector])

    def says(field: str) -> bool:
        return any(m.strength >= 0.5 for m in index.match(field))

    return [f"the field name must match: {n!r}" for n in detector.name_matches if not says(n)] + [
        f"the field name must not match: {n!r}" for n in detector.name_non_matches if says(n)
    ]


def _engines(detector: Detector) -> list[str]:
    """RE2 and Polars must read the pattern alike."""
    import polars as pl

    rule = Matcher([detector]).rules[detector.name]
    values = pl.Series([*detector.matches, *detector.non_matches], dtype=pl.String)
    rust = values.str.strip_chars().str.contains(rule.cell).to_list()
    whole = compile_set([alternation(detector.patterns)], re2.Set.FullMatchSet)
    google = [bool(whole.Match(v.strip())) for v in values.to_list()]
    return [
        f"the engines differ on {v!r}" for v, a, b in zip(values.to_list(), rust, google, strict=True) if a is not b
    ]
