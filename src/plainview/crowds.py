"""The people of one table as the parent of a run adds them up: numbers, and sketches of their identifiers."""

from __future__ import annotations

import msgspec

from plainview.distinct import Distinct


class Crowd(msgspec.Struct, frozen=True, array_like=True):
    """The people of one table. `kinds`: identifiers by what they are, comparable with those of other tables.

    `high` is None where there may be any number more; `part`: how many more can not even be guessed, since rows were
    not read. `best` is the kind that counted them, "" where none did.
    """

    low: float = 0.0
    estimate: float = 0.0
    high: float | None = 0.0
    best: str = ""
    kinds: dict[str, Distinct] = {}
    part: bool = False
    here: frozenset[str] = frozenset()  # kinds that mean the same person in this target alone


__all__ = ["Crowd"]
