"""Dates of birth that stand in national numbers: which numbers, where in them, and of which century (`births.toml`)."""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import polars as pl

from plainview import codes
from plainview.matching.ages import Codes, Numbers, aged


@cache
def numbers() -> Mapping[str, Mapping[str, Any]]:
    """Return how the numbers of each country are written."""
    source = files(__package__).joinpath("births.toml").read_text("utf-8")
    return {rule["country"]: rule for rule in tomllib.loads(source)["number"]}


def born(values: pl.Series, country: str, today: dt.date) -> Codes:
    """Return the codes of national numbers in normal spelling: their country, and the age where it stands in them."""
    found = np.full(len(values), codes.of_country(country), dtype=np.uint16)
    rule = numbers().get(country)
    if rule is None:
        return found
    parts = values.str.extract_groups(rule["pattern"]).struct.unnest()
    there = parts["d"].is_not_null().to_numpy()
    year, month, day = (parts[name].cast(pl.Int64).fill_null(0).to_numpy() for name in ("y", "m", "d"))
    if "months" in rule:
        year, month = _by_month(year, month, rule["months"])
    elif "centuries" in rule:
        other = rule.get("otherwise", 0)
        signs = parts["c"].fill_null("").to_list()
        year = year + np.array([rule["centuries"].get(sign, other) for sign in signs], dtype=np.int64)
    return found | aged(year, month, day, there, today)


def _by_month(year: Numbers, month: Numbers, added: Mapping[str, int]) -> tuple[Numbers, Numbers]:
    """Return year and month of numbers that add to the month to tell the century."""
    whole, plain = np.zeros_like(year), np.zeros_like(month)
    for more, century in added.items():
        fits = (month > int(more)) & (month <= int(more) + 12)
        whole[fits], plain[fits] = year[fits] + century, month[fits] - int(more)
    return whole, plain
