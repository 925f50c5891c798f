"""Signs that somebody was there before: names that intruders leave in open stores.

The rules are data: those for every store stand in `prior_access.toml`, those for one kind in its `store.toml`.
Only names, counts and dates are looked at, never a note itself, and what is returned holds our own words and
numbers, never the name.
"""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources

from plainview.catalog import store_of

LONGEST = 200  # characters of a name that are looked at
FEW = 3  # documents of a note; names beside it in a store that was emptied
COPIED = "assume that the data was copied"


@dataclass(frozen=True, slots=True)
class Named:
    """An index, database, table, key or object. `items` and `created` (seconds since 1970) where known."""

    name: str
    items: int | None = None
    created: float | None = None


@dataclass(frozen=True, slots=True)
class Sign:
    """One rule of the table."""

    id: str
    strength: str
    pattern: re.Pattern[str]
    words: str
    source: str
    match: tuple[str, ...]
    not_match: tuple[str, ...]


@cache
def signs(kind: str) -> tuple[Sign, ...]:
    """Return the rules for a kind of store, strong ones first. Raises StoreError."""
    text = (resources.files(__package__) / "prior_access.toml").read_text(encoding="utf-8")
    store = store_of(kind)
    own = store.lists.get("prior_access", []) if store else []
    found = [
        Sign(
            id=item["id"],
            strength=item["strength"],
            pattern=re.compile(item["pattern"]),
            words=item["words"],
            source=item["source"],
            match=tuple(item["match"]),
            not_match=tuple(item["not_match"]),
        )
        for item in (*tomllib.loads(text)["sign"], *own)
    ]
    return tuple(sorted(found, key=lambda sign: sign.strength != "strong"))


def normal(name: str) -> str:
    """Return a name as the rules see it."""
    return re.sub(r"[-_. ]+", "_", name[:LONGEST].casefold()).strip("_")


def prior_access(store: str, names: Iterable[Named]) -> list[str]:
    """Return one line for each kind of sign among the names of a store, strong ones first.

    `names` are all that the store lists, its own system names left out: what stands beside a note matters.
    """
    listed = list(names)
    rules = signs(store)
    every = re.compile("|".join(f"(?:{sign.pattern.pattern})" for sign in rules))
    hits: dict[str, tuple[Sign, list[Named]]] = {}
    for named in listed:
        name = normal(named.name)
        if not every.fullmatch(name):
            continue
        sign = next(sign for sign in rules if sign.pattern.fullmatch(name))
        if sign.strength == "strong" or _second_sign(named, listed):
            hits.setdefault(sign.id, (sign, []))[1].append(named)
    return [_line(sign, hits[sign.id][1]) for sign in rules if sign.id in hits]


def _second_sign(named: Named, listed: list[Named]) -> bool:
    """Tell whether a weak name holds hardly anything, and stands nearly alone or is the newest."""
    if named.items is None or named.items > FEW:
        return False
    dates = [other.created for other in listed if other is not named and other.created is not None]
    newest = named.created is not None and bool(dates) and named.created > max(dates)
    return newest or len(listed) <= FEW


def _line(sign: Sign, hits: list[Named]) -> str:
    known = [named.items for named in hits if named.items is not None]
    holding = f", holding {sum(known):,}" if known else ""
    dates = [named.created for named in hits if named.created is not None]
    since = f", made {_day(min(dates))}" if dates else ""
    return f"{sign.strength}: {len(hits):,} {sign.words}{holding}{since}; {COPIED}"


def _day(seconds: float) -> str:
    try:
        return dt.datetime.fromtimestamp(seconds, dt.UTC).date().isoformat()
    except (OverflowError, OSError, ValueError):
        return "at an odd date"


__all__ = ["Named", "Sign", "normal", "prior_access", "signs"]
