"""Which laws may set a clock: regimes as data, with what of the findings each names. A person decides what applies."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Collection, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from plainview.report.model import Law, People

NONE = "none"


@cache
def regimes() -> Mapping[str, Any]:
    """Return the table of laws."""
    return tomllib.loads(files(__package__).joinpath("data/regimes.toml").read_text("utf-8"))


@cache
def named() -> Mapping[str, Mapping[str, str]]:
    """Return what each law calls each category: by category and column, `none` where it does not name it."""
    source = files(__package__).joinpath("data/laws_by_category.csv").read_text("utf-8")
    return {row["category"]: row for row in csv.DictReader(source.splitlines())}


def laws(categories: Collection[str], people: People | None) -> tuple[Law, ...]:
    """Return the laws that may set a clock for these kinds of data; those of countries that were seen come first."""
    seen = {group.name for group in people.by_country} if people else set()
    found = [law for regime in regimes()["regime"] if (law := _law(regime, categories, seen)) is not None]
    return tuple(sorted(found, key=lambda law: not law.seen))


def _law(regime: Mapping[str, Any], categories: Collection[str], seen: Collection[str]) -> Law | None:
    column = regime["column"]
    special = {category: _special(category, column) for category in sorted(categories)}
    mentioned = tuple(category for category, words in special.items() if words)
    if not categories or not (regime["all"] or mentioned):
        return None
    if "needs" in regime and not set(regime["needs"]).intersection(categories):
        return None
    return Law(
        id=regime["id"],
        name=regime["name"],
        where=regime["where"],
        applies=regime["applies"],
        named=mentioned,
        seen=tuple(country for country in regime["countries"] if country in seen),
        clock=regime["clock"],
        hours=regime.get("hours"),
        starts=regime["starts"],
        threshold=regime["threshold"],
        as_of=regimes()["as_of"],
        source=f"{regime['source']} ({regime['basis']})",
        open=regime["open"],
    )


def _special(category: str, column: str) -> str:
    """Return what a law calls a category where it names it more than other personal data, or an empty text."""
    words = named().get(category, {}).get(column, NONE)
    ordinary = words == NONE or (column == "gdpr" and not words.startswith(("9", "10")))
    return "" if ordinary else words
