"""Sentences of ours that count: one table, two tables."""

from __future__ import annotations

import re

_NOUNS = {
    "indices": "index", "entries": "entry", "boxes": "box", "branches": "branch", "entities": "entity",
    **{f"{noun}s": noun for noun in (
        "bucket byte cell character collection column container database document element field file folder item key "
        "keyspace line member name namespace object page part partition record reference relation row sheet statement "
        "stream table text value view word"
    ).split()},
}  # fmt: skip
_VERBS = {"are": "is", "were": "was", "have": "has", "hold": "holds", "lie": "lies", "stand": "stands", "need": "needs"}
_MORE = r"(?: (?:with|of|that)(?: [a-z]+){1,4}?)?"  # words between a noun and its verb
_ONE = re.compile(rf"(?<![\w,.-])1 ((?:[a-z]+ )?)({'|'.join(_NOUNS)})\b(?:({_MORE}) ({'|'.join(_VERBS)})\b)?")


def agreeing(text: str) -> str:
    """Return a sentence of ours with its counts of one in the singular.

    >>> agreeing("8 tables in 1 databases; 1 rows hold bytes that are not UTF-8")
    '8 tables in 1 database; 1 row holds bytes that are not UTF-8'
    """
    return _ONE.sub(lambda m: f"1 {m[1]}{_NOUNS[m[2]]}" + (f"{m[3]} {_VERBS[m[4]]}" if m[4] else ""), text)


__all__ = ["agreeing"]
