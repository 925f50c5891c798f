"""Is the first line of a table a header? Compared with the lines below it; in doubt it is data.

A cell of data that is taken for a column name would travel into every report, so a wrong "header" costs more
than a wrong "no header".
"""

from __future__ import annotations

import re

_KINDS = (  # the first that matches the whole cell names its kind
    ("number", re.compile(r"[+-]?[0-9][0-9 .,'_]*%?|[+-]?[0-9.]+e[+-]?[0-9]+|[$€£¥]\s?[0-9.,]+")),
    ("email", re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")),
    (
        "date",
        re.compile(r"[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4}(?:[T ][0-9:.+Z-]+)?|[0-9]{1,2}:[0-9]{2}(?::[0-9.]+)?"),
    ),
    ("url", re.compile(r"[a-z]+://\S+", re.IGNORECASE)),
    ("phone", re.compile(r"[+(]?[0-9][0-9 ()./-]{5,}[0-9]")),
    (
        "code",
        re.compile(r"(?=\S*[0-9])(?=\S*[A-Z])[0-9A-Z-]{8,}|(?=\S*[0-9])[0-9a-f-]{12,}|(?:[0-9]{1,3}\.){3}[0-9]{1,3}"),
    ),
)
_VALUE = re.compile(r"@[^@\s]+\.|[0-9](?:[ ().-]{0,2}[0-9]){6}")  # never a name: an address, seven digits


def kind_of(cell: str) -> str:
    """Return "" for an empty cell, "word" for text, else what it looks like."""
    cell = cell.strip()
    if not cell:
        return ""
    for name, pattern in _KINDS:
        if pattern.fullmatch(cell):
            return name
    return "word"


def has_header(rows: list[list[str]]) -> bool:
    """Judge the first of the rows by the others."""
    if not rows:
        return False
    first, body = rows[0], rows[1:]
    kinds = [kind_of(cell) for cell in first]
    words = kinds.count("word")
    if not words:
        return False
    if not body:
        return words == len(kinds)
    votes = 0.0
    for at, kind in enumerate(kinds):
        cells = [row[at].strip() for row in body if at < len(row) and row[at].strip()]
        votes += _vote(first[at].strip(), kind, cells)
    filled = [cell.strip() for cell in first if cell.strip()]
    if len({cell.lower() for cell in filled}) < len(filled):
        votes -= 0.5
    return votes >= 0


def _vote(cell: str, kind: str, below: list[str]) -> float:
    """Return how much one column speaks for a header (positive) or for data (negative)."""
    if not below or not kind:
        return 0.0
    kinds = [kind_of(other) for other in below]
    usual = max(set(kinds), key=kinds.count)
    if kind in {"email", "url", "phone", "code"}:
        return -3.0
    if kind != "word":
        return -1.5 if usual == kind else -0.2
    if cell in below and len(below) > 1:
        return -2.0
    if usual != "word":
        return 1.5
    return 0.0


def column_names(cells: list[str], width: int) -> list[str]:
    """Return `width` distinct names; what is empty, or looks like a value, becomes `column_N`."""
    names: list[str] = []
    seen: set[str] = set()
    for at in range(width):
        name = " ".join(cells[at].split()) if at < len(cells) else ""
        if not name or _VALUE.search(name):
            name = f"column_{at + 1}"
        unique, count = name, 1
        while unique in seen:
            count += 1
            unique = f"{name}_{count}"
        seen.add(unique)
        names.append(unique)
    return names


__all__ = ["column_names", "has_header", "kind_of"]
