"""The shape of a value: what random text of the same look would be. Base rates are measured by shape."""

from __future__ import annotations

import re

# Order matters: the first that fits the whole value is its shape.
_SHAPES = (
    ("uuid", r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"),
    ("datetime", r"[0-9]{4}[-/.][0-9]{1,2}[-/.][0-9]{1,2}[T ][0-9]{1,2}:[0-9]{2}.*"),
    (
        "date",
        r"[0-9]{4}[-/.年][0-9]{1,2}[-/.月][0-9]{1,2}日?|[0-9]{1,2}[-/.][0-9]{1,2}[-/.](?:[0-9]{4}|[0-9]{2})",
    ),
    ("time", r"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?"),
    ("dotted4", r"[1-5]?[0-9](?:\.[1-5]?[0-9]){3}"),  # as versions are
    ("dotted4wide", r"[0-9]{1,5}(?:\.[0-9]{1,5}){3}"),
    ("dotted3", r"[0-9]{1,5}(?:\.[0-9]{1,5}){2}"),
    ("int", r"[0-9]+"),
    ("decimal", r"[-+]?[0-9]+[.,][0-9]+"),
    ("negative", r"[-+][0-9]+"),
    ("price", r"[$€£¥]\s?[0-9][0-9.,]*|[0-9][0-9.,]*\s?(?:[$€£¥]|EUR|USD)"),
    ("grouped", r"[0-9]+(?:[ \-/.][0-9]+)+"),
    ("phoneish", r"[+(]?[0-9][0-9 ()\-/.]+"),
    ("hex", r"(?=.*[0-9])(?=.*[a-fA-F])[0-9a-fA-F]{8,}"),
    ("url", r"(?i:https?|ftp|s3|file)://\S+|www\.\S+"),
    ("email", r"[^\s@]+@[^\s@]+"),
    ("word", r"[^\W\d_]+"),
    ("words", r"[^\W\d_][^\d_]{0,60}"),
    ("code", r"[A-Za-z0-9]+(?:[-_/.:#][A-Za-z0-9]+)*"),
    ("sentence", r"(?s:.*\s.*\s.*\s.*)"),
)
_SHAPE = re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in _SHAPES))
_YEAR = re.compile(r"(?<![0-9])(1[89][0-9]{2}|20[0-9]{2})(?![0-9])")
SHAPES = (
    *(name for name, _ in _SHAPES if name != "int"),
    *(f"int{n}" for n in range(1, 21)),
    "int21",
    "other",
)


def shape_of(value: str) -> str:
    """Return the name of the shape: "int9" for nine digits, "date", "words", … or "other"."""
    found = _SHAPE.fullmatch(value[:400])
    if not found or not found.lastgroup:
        return "other"
    return f"int{min(len(value), 21)}" if found.lastgroup == "int" else found.lastgroup


def year_of(value: str) -> int | None:
    """Return the year that a date-like value holds, 1800 to 2099."""
    found = _YEAR.search(value[:40])
    return int(found.group()) if found else None
