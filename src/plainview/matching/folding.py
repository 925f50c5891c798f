"""Signs that stand for others: digits of any script, blanks and dashes as spreadsheets and pages set them.

Each is replaced by one sign, so that places in a text stay what they were. What is ASCII has none of them.
"""

from __future__ import annotations

import unicodedata

import polars as pl

_BLANKS = "\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u2212\ufe58\ufe63\uff0d"
_FULL_WIDTH = range(0xFF01, 0xFF5F)
# First digits of scripts in which numbers of people are written: Arabic, Persian, Devanagari to Malayalam, Thai, …
_ZEROS = "٠۰०০੦૦௦౦೦൦๐໐༠၀០᠐"


def _table() -> dict[int, str]:
    table = dict.fromkeys(map(ord, _BLANKS), " ") | dict.fromkeys(map(ord, _DASHES), "-")
    table |= {ord(zero) + digit: str(digit) for zero in _ZEROS for digit in range(10)}
    return {at: unicodedata.normalize("NFKC", chr(at)) for at in _FULL_WIDTH} | table


TABLE = _table()
_FROM, _TO = list(map(chr, TABLE)), list(TABLE.values())


def fold(text: str) -> str:
    """Return a text of the same length in which digits, blanks and dashes are those of ASCII."""
    return text if text.isascii() else text.translate(TABLE)


def fold_all(values: pl.Series) -> pl.Series:
    """Do the same to all values."""
    return values.str.replace_many(_FROM, _TO)
