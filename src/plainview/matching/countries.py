"""Countries from columns of countries and nationalities: codes of ISO 3166-1, and their names in many languages."""

from __future__ import annotations

import csv
import unicodedata
from functools import cache
from importlib.resources import files

import numpy as np
import numpy.typing as npt
import polars as pl

from plainview import codes


def countries(series: pl.Series) -> npt.NDArray[np.uint16]:
    """Return the code of each cell, 0 where it names no country that is known."""
    if series.dtype != pl.String:
        return np.zeros(len(series), dtype=np.uint16)
    tally = series.unique()
    known = {value: codes.of_country(country(value)) for value in tally.to_list() if value}
    return np.array([known.get(value, 0) for value in series.to_list()], dtype=np.uint16)


def country(text: str) -> str:
    """Return the ISO code of a country by its name or code, or an empty text."""
    folded = unicodedata.normalize("NFKC", text).strip().casefold()
    upper = folded.upper()
    return upper if upper in codes.NUMBERS else _names().get(folded, "")


@cache
def _names() -> dict[str, str]:
    source = files(__package__).joinpath("country_names.csv").read_text("utf-8")
    return {row["name"]: row["country"] for row in csv.DictReader(source.splitlines())}
