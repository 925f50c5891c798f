"""Ages from dates of birth: whether somebody is surely, or perhaps, under the ages that laws name.

Dates are read in the Gregorian calendar, of years from 1900 to this one; of any other nothing is said. Where day and
month cannot be told apart, or only the year is there, both ends count. Born on 29 February: older from 1 March on.
"""

from __future__ import annotations

import datetime as dt

import numpy as np
import numpy.typing as npt
import polars as pl

from plainview import codes
from plainview.matching.columns import as_text

Codes = npt.NDArray[np.uint16]
Numbers = npt.NDArray[np.int64]
YEAR_FIRST = r"^\s*([0-9]{4})[-/. 年]{1,2}([0-9]{1,2})[-/. 月]{1,2}([0-9]{1,2})(?:[^0-9]|$)"
YEAR_LAST = r"^\s*([0-9]{1,2})[-/. ]{1,2}([0-9]{1,2})[-/. ]{1,2}([0-9]{4})(?:[^0-9]|$)"
COMPACT = r"^\s*([0-9]{4})([0-9]{2})([0-9]{2})\s*$"
ALONE = r"^\s*([0-9]{4})(?:\.0+)?\s*$"
OLDEST = 120  # years


def ages(series: pl.Series, today: dt.date, *, number: bool = False) -> Codes:
    """Return the code of each cell of a column of dates of birth, or of ages in years where `number` is set."""
    text = as_text(series.cast(pl.String) if series.dtype.is_numeric() else series)
    if text is None or len(text) != len(series):  # nulls of dates fall out
        text = series.cast(pl.String)
    if number:
        years = text.str.extract(r"^\s*([0-9]{1,3})(?:\.[0-9]*)?\s*$").cast(pl.Int64).fill_null(-1).to_numpy()
        return _coded(years, years)
    now = _day(today.year, today.month, today.day)
    early, late = np.full(len(text), -1, dtype=np.int64), np.full(len(text), -1, dtype=np.int64)
    for pattern in (YEAR_FIRST, COMPACT):
        year, month, day, there = _parts(text, pattern)
        good = there & (early < 0) & (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)
        early[good] = late[good] = _day(year, month, day)[good]
    one, other, year, there = _parts(text, YEAR_LAST)
    good = there & (early < 0) & (np.minimum(one, other) >= 1) & (np.minimum(one, other) <= 12)
    good &= np.maximum(one, other) <= 31
    first, second = _day(year, other, one), _day(year, one, other)  # day first, as nearly everywhere; month first
    first, second = np.where(other > 12, second, first), np.where(one > 12, first, second)
    early[good], late[good] = np.minimum(first, second)[good], np.maximum(first, second)[good]
    year, _, _, there = _parts(text, ALONE)
    good = there & (early < 0)
    early[good], late[good] = _day(year, 1, 1)[good], _day(year, 12, 31)[good]
    born = (early >= _day(1900, 1, 1)) & (early <= now)
    oldest, youngest = (now - early) // 372, np.maximum(now - late, 0) // 372
    return _coded(np.where(born, oldest, -1), np.where(born, youngest, -1))


def aged(year: Numbers, month: Numbers, day: Numbers, there: npt.NDArray[np.bool_], today: dt.date) -> Codes:
    """Return the codes of dates of birth in numbers, of those that are `there` and can be dates."""
    now, date = _day(today.year, today.month, today.day), _day(year, month, day)
    good = there & (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31) & (date >= _day(1900, 1, 1)) & (date <= now)
    age = np.where(good, (now - date) // 372, -1)
    return _coded(age, age)


def _day(year: Numbers | int, month: Numbers | int, day: Numbers | int) -> Numbers:
    """Return days in order, as if each month had 31."""
    number: Numbers = np.asarray(year) * 372 + (np.asarray(month) - 1) * 31 + np.asarray(day) - 1
    return number


def _parts(text: pl.Series, pattern: str) -> tuple[Numbers, Numbers, Numbers, npt.NDArray[np.bool_]]:
    """Return three numbers of each cell (0 where a pattern has fewer), and whether the pattern fits."""
    found = text.str.extract_groups(pattern).struct.unnest()
    columns = [s.cast(pl.Int64).fill_null(0).to_numpy() for s in found.iter_columns()]
    there = found.to_series(0).is_not_null().to_numpy()
    columns += [np.zeros(len(text), dtype=np.int64)] * (3 - len(columns))
    return columns[0], columns[1], columns[2], there


def _coded(oldest: Numbers, youngest: Numbers) -> Codes:
    known = (youngest >= 0) & (oldest <= OLDEST)
    found = np.where(known, codes.AGED, 0) | np.where(known & (youngest < 18), codes.MAYBE_MINOR, 0)
    for age, flag in codes.UNDER.items():
        found |= np.where(known & (oldest < age), flag, 0)
    return found.astype(np.uint16)
