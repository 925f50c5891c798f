"""Which kinds of data identify a person, how well, and how their values are written."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

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
