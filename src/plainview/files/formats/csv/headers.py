"""Is the first line of a table a header? Compared with the lines below it; in doubt it is data.

A cell of data that is taken for a column name would travel into every report, so a wrong "header" costs more
than a wrong "no header". What is judged here is how the cells are written; what they say is judged once the detectors
are there (`matching.first_rows`).
"""

from __future__ import annotations

import re
from unicodedata import category

from plainview.detectors.headings import SIGNS, WORDS, words_of_heading
from plainview.tables import Header
from plainview.tables.naming import Distinct

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
_DIGIT = re.compile(r"[0-9]")
_TOKEN = re.compile(r"[^\W\d_]+")
_CAMEL = re.compile(r"[a-z][A-Z]|\w_\w")
_RAW = frozenset({"Cc", "Co", "Cn"})  # signs that nobody writes into a name: control, private, not assigned
_YEAR = re.compile(r"(?:19|20)[0-9]{2}")
_NUMBERED = re.compile(r"([^\W\d]{1,12})_?([0-9]{1,4})")
_NOTHING = frozenset(("-", "--", "?", ".", "n/a", "na", "nan", "nil", "none", "null", "unknown", "\\n"))
BODY = 30  # rows that the first is compared with


def kind_of(cell: str) -> str:
    """Return "" for an empty cell, "word" for text, else what it looks like."""
    cell = cell.strip()
    if not cell:
        return ""
    if cell.isalpha():
        return "word"
    if cell.isdigit() and cell.isascii():
        return "number"
    for name, pattern in _KINDS:
        if pattern.fullmatch(cell):
            return name
    return "word"


def has_header(rows: list[list[str]]) -> bool:
    """Judge the first of the rows by the others."""
    return _are_names(rows, _votes(rows))


def header_of(rows: list[list[str]], width: int) -> Header | None:
    """Return the first of the rows, when it looks like the names of `width` columns; None when it is data."""
    votes = _votes(rows)
    if not _are_names(rows, votes):
        return None
    cells = [*rows[0][:width], *[""] * (width - len(rows[0]))]
    return Header(tuple(cells), tuple(column_names(cells, width)), (*votes, *[0.0] * (width - len(votes)))[:width])


def _votes(rows: list[list[str]]) -> list[float]:
    """Return what each cell of the first row speaks for: above 0 for a header, below for data."""
    first, body = (rows[0], rows[1 : BODY + 1]) if rows else ([], [])
    if _numbered(first) and not any(map(_numbered, body)):
        return [1.5 if cell.strip() else 0.0 for cell in first]
    votes = []
    for at, cell in enumerate(first):
        below = [row[at].strip() for row in body if at < len(row) and row[at].strip()]
        votes.append(_vote(cell.strip(), kind_of(cell), below))
    return votes


def _numbered(row: list[str]) -> bool:
    """Return whether the cells are one word with numbers that grow, as of columns that nobody named: `c1`, `c2`."""
    found = [_NUMBERED.fullmatch(cell.strip()) for cell in row if cell.strip()]
    if len(found) < 2 or not all(found):
        return False
    words, numbers = {match[1] for match in found if match}, [int(match[2]) for match in found if match]
    return len(words) == 1 and numbers == sorted(set(numbers))


def _are_names(rows: list[list[str]], votes: list[float]) -> bool:
    first = rows[0] if rows else []
    if all(kind_of(cell) != "word" for cell in first):
        return False
    filled = [cell.strip().casefold() for cell in first if cell.strip()]
    total = sum(votes) - (0.5 if len(set(filled)) < len(filled) else 0.0)
    return total > (0 if len(rows) > 1 else -1)


def _vote(cell: str, kind: str, below: list[str]) -> float:
    """Return how much one column speaks for a header (positive) or for data (negative)."""
    if kind in {"email", "url", "phone", "code"} or (not cell.isprintable() and _raw(cell)):
        return -3.0
    if not kind or cell.casefold() in _NOTHING:
        return 0.0
    if kind == "word" and cell in below:
        return -2.0
    if kind == "word" and _is_name(cell, below):
        return 2.0
    kinds = [kind_of(other) for other in below]
    usual = max(set(kinds), key=kinds.count, default="")
    if kind != "word":  # years and dates stand over pivot tables, but over numbers
        return -0.2 if usual != kind or _YEAR.fullmatch(cell) else -1.0 if kind == "number" else -1.5
    if usual not in {"word", ""}:
        return 1.5 if kinds.count(usual) > 0.6 * len(kinds) else 0.5
    return _by_shape(cell, below)


def _raw(cell: str) -> bool:
    return any(category(sign) in _RAW and not sign.isspace() for sign in cell)


def _is_name(cell: str, below: list[str]) -> bool:
    """Return whether a cell holds a word that columns are named with, and the cells below do not."""
    if any(sign in cell for sign in SIGNS) and len(cell) <= 12:
        return not any(sign in other for sign in SIGNS if sign in cell for other in below)
    words = words_of_heading(cell)
    known = [word for word in words if word in WORDS]
    if not known or len(words) > 4 or len(cell) > 40:
        return False
    return not any(word in _TOKEN.findall(other.casefold()) for word in known for other in below)


def _by_shape(cell: str, below: list[str]) -> float:
    """Compare a text with texts: how it is written, and how long."""
    if _CAMEL.search(cell) and not any(_CAMEL.search(other) for other in below):
        return 1.0
    if not below:
        return -0.2
    if _DIGIT.search(cell) and sum(_DIGIT.search(other) is not None for other in below) > 0.5 * len(below):
        return -0.7  # the number of a house, however the street is written
    if cell.isalpha() and all(any(map(str.isdigit, other)) and not other.isalnum() for other in below):
        return 0.7  # a word above what is made of numbers and signs: addresses of machines, amounts
    shapes = [_shape(other) for other in below]
    same = shapes.count(_shape(cell)) / len(shapes)
    if same < 0.1:
        return 0.7
    return -0.4 if same > 0.5 else 0.0


def _shape(cell: str) -> str:
    case = "A" if cell.isupper() else "a" if cell.islower() else "Aa" if cell[:1].isupper() else "?"
    return f"{case}{min(cell.count(' '), 3)}{len(cell) > 40}"


def column_names(cells: list[str], width: int) -> list[str]:
    """Return `width` distinct names; what is empty, or looks like a value, becomes `column_N`."""
    names: list[str] = []
    distinct = Distinct()
    for at in range(width):
        name = " ".join(cells[at].split()) if at < len(cells) else ""
        if not name or _VALUE.search(name):
            name = f"column_{at + 1}"
        names.append(distinct.of(name))
    return names


__all__ = ["column_names", "has_header", "header_of", "kind_of"]
