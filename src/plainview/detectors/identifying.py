"""Which kinds of data identify a person, how well, and how their values are written."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files

from plainview.detectors.fieldnames import tokens
from plainview.detectors.subjects import UNSPACED

PERSONAL = 10  # rank up to which an identifier mostly belongs to one person


@dataclass(frozen=True, slots=True)
class Identifying:
    """A kind that identifies. `rank` 1 is the best; `everywhere`: it means the same person in another store."""

    category: str
    form: str
    rank: int
    everywhere: bool
    words: str


@cache
def identifying() -> Mapping[str, Identifying]:
    """Return the kinds of data that identify a person, by category."""
    rows = csv.DictReader(files(__package__).joinpath("identifiers.csv").read_text("utf-8").splitlines())
    return {
        row["category"]: Identifying(
            row["category"], row["form"], int(row["rank"]), row["reach"] == "everywhere", row["words"]
        )
        for row in rows
    }


@lru_cache(4096)
def role_of(path: str, *, lists: bool = False) -> str:
    """Return whom of the several people of a row a column speaks of, as its name says; "" is the row's own."""
    said = next((role for word in tokens(path) if (role := _role(word))), "")
    return said or (path.split("[]", maxsplit=1)[0] if lists else "")


def _role(word: str) -> str:
    """Return the role that a word says; in scripts without blanks the one that it begins with: 监护人身份证号."""
    known = _roles()
    if word in known or not UNSPACED.search(word):
        return known.get(word, "")
    return next((known[word[:end]] for end in range(len(word) - 1, 1, -1) if word[:end] in known), "")


@cache
def _roles() -> Mapping[str, str]:
    rows = csv.DictReader(files(__package__).joinpath("roles.csv").read_text("utf-8").splitlines())
    return {row["word"]: row["role"] for row in rows}
