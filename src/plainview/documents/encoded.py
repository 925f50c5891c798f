"""Text in base64 (RFC 4648), as secrets of Kubernetes, messages and LDIF hold it: decoded, where that gives text.

Twelve bytes of a random word are text once in 100,000 times, so a token that decodes to text was meant to.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence

import polars as pl

LEAST = 16  # signs of a token in a line
SHORT = 8  # signs of a cell, in a column of such
ENOUGH = 64  # signs that such cells must have together
SHARE = 0.9  # of the cells that have to be text
LOOK = 1 << 16  # bytes of lines that say whether the others are looked at
_CELL = re.compile(r"[A-Za-z0-9+/]+={0,2}|[A-Za-z0-9_-]+={0,2}")
_TOKEN = re.compile(rb"(?<![A-Za-z0-9+/=_-])[A-Za-z0-9+/]{16,}={0,2}(?![A-Za-z0-9+/=_-])")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def is_encoded(cells: Sequence[str]) -> bool:
    """Tell whether nearly all cells, those of a look at a column, are text in base64."""
    filled = [cell for cell in cells if cell]
    if sum(map(len, filled)) < ENOUGH or not filled or len(filled[0]) < SHORT or len(filled[0]) % 4:
        return False
    return sum(decoded(cell) is not None for cell in filled) >= SHARE * len(filled)


def decoded_cells(column: pl.Series) -> pl.Series | None:
    """Return the column with its cells decoded, those that are no base64 as they are; None: too many are not."""
    texts = column.to_list()
    found = [text and decoded(text) for text in texts]
    filled = sum(bool(text) for text in texts)
    if sum(bool(text) for text in found) < SHARE * filled:
        return None
    whole = [text if new is None else new for text, new in zip(texts, found, strict=True)]
    return pl.Series(column.name, whole, dtype=pl.String)


def decoded(cell: str) -> str | None:
    """Return the text that a cell of eight signs or more is in base64, or None."""
    if len(cell) < SHORT or len(cell) % 4 or not _CELL.fullmatch(cell):
        return None
    text = _text(cell.encode())
    return text or None


def decoded_lines(lines: bytes) -> bytes:
    """Return lines in which words in base64 are decoded, if some among the first are."""
    if not any(_in_line(found) != found[0] for found in _TOKEN.finditer(lines, 0, LOOK)):
        return lines
    return _TOKEN.sub(_in_line, lines)


def _in_line(found: re.Match[bytes]) -> bytes:
    text = _text(found[0]) if len(found[0]) % 4 == 0 else None
    return " ".join(text.split()).encode() if text else found[0]


def _text(token: bytes) -> str | None:
    try:
        text = base64.b64decode(token.translate(_STANDARD), validate=True).decode()
    except (binascii.Error, UnicodeError, ValueError):
        return None
    return None if _CONTROL.search(text) else text


_STANDARD = bytes.maketrans(b"-_", b"+/")

__all__ = ["decoded", "decoded_cells", "decoded_lines", "is_encoded"]
