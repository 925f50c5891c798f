"""The few vectorised building blocks of which every check is made.

A check is a regular expression for the compact value, which Polars runs in Rust, and a *kernel*
for the arithmetic: it receives the values of one length as an int32 array of shape
(characters, values), so `d[3]` is the fourth character of all of them. Digits are 0..9 and
letters 10..35, as in ISO 7064 and ICAO 9303; '<' is 0; anything else is -1.
"""

from __future__ import annotations

import datetime as dt
import functools
import re
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

Codes = npt.NDArray[np.int32]
Bools = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.integer]
Kernel = Callable[[Codes], Bools]
Function = Callable[[pl.Series], Bools]

_TODAY = dt.datetime.now(tz=dt.UTC).date()
THIS_YEAR = _TODAY.year

_VALUE = np.full(256, -1, dtype=np.int32)
_VALUE[ord("0") : ord("9") + 1] = np.arange(10)
_VALUE[ord("A") : ord("Z") + 1] = np.arange(10, 36)
_VALUE[ord("<")] = 0
FEW = 100  # values for which Python's own expressions are quicker
_BYTES = _VALUE.astype(np.int8).tobytes()  # the same for bytes.translate, which is quicker than an index


def codes(values: pl.Series, length: int) -> Codes:
    """Return the character values of strings that all have `length` bytes, as (length, n)."""
    joined: bytes = values.str.join("").cast(pl.Binary).item()
    raw = digits(joined)
    if raw is None:
        raw = np.frombuffer(joined.translate(_BYTES), dtype=np.int8)
    return raw.reshape(-1, length).T.astype(np.int32, order="C")


def digits(joined: bytes) -> npt.NDArray[np.int8] | None:
    """Return the values of characters that are all digits, else None: quicker to see than to translate them."""
    raw = np.frombuffer(joined, dtype=np.uint8) - np.uint8(ord("0"))
    return raw.view(np.int8) if not len(raw) or raw.max() < 10 else None


def distinct(lengths: Integers) -> list[int]:
    """Return the different numbers, none negative, in their order; `np.unique` loads masked arrays for it."""
    if len(lengths) and lengths.min() == lengths.max():
        return [int(lengths[0])]
    return np.flatnonzero(np.bincount(lengths)).tolist()


def check(pattern: str, *kernels: Kernel) -> Function:
    """Return a check: the whole value has the form `pattern`, and every kernel agrees."""
    anchored = f"^(?:{pattern})$"

    @functools.cache
    def few() -> re.Pattern[str]:
        return re.compile(pattern, re.ASCII)

    def function(values: pl.Series) -> Bools:
        if len(values) <= FEW:  # Polars keeps 32 compiled patterns; so many checks would be compiled again and again
            match = few().fullmatch
            formed = np.array([match(value) is not None for value in values.to_list()], dtype=bool)
        else:
            formed = values.str.contains(anchored).to_numpy().astype(bool)
        if not kernels or not formed.any():
            return formed
        result = np.zeros(len(values), dtype=bool)
        where = np.flatnonzero(formed)
        candidates = values if len(where) == len(values) else values.filter(pl.Series(formed))
        lengths = candidates.str.len_bytes().to_numpy()
        every = bool(lengths.min() == lengths.max())
        for length in distinct(lengths):
            same = lengths == length
            d = codes(candidates if every else candidates.filter(pl.Series(same)), length)
            good = np.ones(d.shape[1], dtype=bool)
            for kernel in kernels:
                good &= kernel(d)
            result[where[same]] = good
        return result

    return function


def per_value(accept: Callable[[str], bool]) -> Function:
    """Return a check from a Python predicate: for hashing and parsing, on few candidates only."""

    def function(values: pl.Series) -> Bools:
        seen: dict[str, bool] = {}
        for value in values:
            if value not in seen:
                seen[value] = accept(value)
        return np.fromiter((seen[value] for value in values), dtype=bool, count=len(values))

    return function


def weighted(d: Codes, weights: Sequence[int]) -> Codes:
    """Return the sum of the leading characters times `weights`, for each value."""
    total = np.zeros(d.shape[1], dtype=np.int32)
    for row, weight in zip(d, weights, strict=False):
        if weight:
            total += row * np.int32(weight)
    return total


def number(d: Codes) -> npt.NDArray[np.int64]:
    """Return the rows of `d` (at most 18 digits) read as a decimal number."""
    total = np.zeros(d.shape[1], dtype=np.int64)
    for row in d:
        total = total * 10 + row
    return total


def remainder(d: Codes | Sequence[Codes], modulus: int) -> Codes:
    """Return the number whose characters are the rows `d` modulo `modulus`; letters count as two digits (ISO 7064)."""
    by = np.int32(modulus)
    rest = np.zeros(len(d[0]), dtype=np.int32)
    most = 1  # no rest is larger: division is slow, and needed only before the numbers grow out of 32 bits
    for row in d:
        letters = row > 9
        factor = 100 if letters.any() else 10
        if most * factor + 36 >= 1 << 31:
            rest -= rest // by * by  # NumPy divides by one number faster than it finds the remainder
            most = modulus
        rest *= np.where(letters, np.int32(100), np.int32(10)) if factor == 100 else np.int32(10)
        rest += row
        most = most * factor + 36
    return rest - rest // by * by


def luhn_sum(d: Codes) -> Codes:
    """Return the Luhn sum (ISO/IEC 7812-1) with the last character taken once."""
    single, doubled = d[::-2], d[-2::-2]
    total: Codes = single.sum(axis=0, dtype=np.int32) + 2 * doubled.sum(axis=0, dtype=np.int32)
    return total - 9 * np.count_nonzero(doubled > 4, axis=0).astype(np.int32)


def luhn(d: Codes) -> Bools:
    """Kernel: the last digit is the Luhn check digit."""
    return luhn_sum(d) % 10 == 0


def not_repeated(d: Codes) -> Bools:
    """Kernel: the characters are not all the same."""
    return ~np.all(d == d[0], axis=0)


def mod_11_10(d: Codes) -> Bools:
    """Kernel: ISO 7064 MOD 11,10."""
    state = np.full(d.shape[1], 10, dtype=np.int32)
    for row in d[:-1]:
        state = (state + row) % 10
        state[state == 0] = 10
        state = state * 2 % 11
    return (state + d[-1]) % 10 == 1


_MULTIPLY = np.array(
    [
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
        [1, 2, 3, 4, 0, 6, 7, 8, 9, 5],
        [2, 3, 4, 0, 1, 7, 8, 9, 5, 6],
        [3, 4, 0, 1, 2, 8, 9, 5, 6, 7],
        [4, 0, 1, 2, 3, 9, 5, 6, 7, 8],
        [5, 9, 8, 7, 6, 0, 4, 3, 2, 1],
        [6, 5, 9, 8, 7, 1, 0, 4, 3, 2],
        [7, 6, 5, 9, 8, 2, 1, 0, 4, 3],
        [8, 7, 6, 5, 9, 3, 2, 1, 0, 4],
        [9, 8, 7, 6, 5, 4, 3, 2, 1, 0],
    ],
    dtype=np.int32,
)
_PERMUTE = np.array(
    [
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
        [1, 5, 7, 6, 2, 8, 3, 0, 9, 4],
        [5, 8, 0, 3, 7, 9, 6, 1, 4, 2],
        [8, 9, 1, 6, 0, 4, 3, 5, 2, 7],
        [9, 4, 5, 3, 1, 2, 6, 8, 7, 0],
        [4, 2, 8, 6, 5, 7, 3, 9, 0, 1],
        [2, 7, 9, 3, 8, 0, 6, 4, 1, 5],
        [7, 0, 4, 6, 9, 1, 3, 2, 5, 8],
    ],
    dtype=np.int32,
)


def verhoeff(d: Codes) -> Bools:
    """Kernel: the last digit is the check digit of Verhoeff (1969)."""
    state = np.zeros(d.shape[1], dtype=np.int32)
    for place, row in enumerate(d[::-1]):
        state = _MULTIPLY[state, _PERMUTE[place % 8, row]]
    return state == 0


_MONTH_DAYS = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], dtype=np.int32)


def is_date(year: Integers, month: Integers, day: Integers, *, past: bool = True) -> Bools:
    """Return where the Gregorian date exists, and with `past` is not after today."""
    known = (month >= 1) & (month <= 12)
    days = _MONTH_DAYS[np.where(known, month, 0)]
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    days = days + (leap & (month == 2))
    good: Bools = known & (day >= 1) & (day <= days) & (year >= 1)
    today = _TODAY.year * 10_000 + _TODAY.month * 100 + _TODAY.day
    return good & (year * 10_000 + month * 100 + day <= today) if past else good


def is_short_date(year: Integers, month: Integers, day: Integers) -> Bools:
    """Return where the date with a two-digit year exists in the 20th or the 21st century."""
    return is_date(year + 1900, month, day) | is_date(year + 2000, month, day)


def pair(d: Codes, at: int) -> Codes:
    """Return the two digits at `at` as a number: a year, a month, a day."""
    return d[at] * 10 + d[at + 1]


def mapped(text: str) -> npt.NDArray[np.int32]:
    """Return the code of each letter of a check alphabet, to compare `d[-1]` with."""
    return _VALUE[np.frombuffer(text.encode(), dtype=np.uint8)]
