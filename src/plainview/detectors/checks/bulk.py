"""The two commonest checks over long columns, several times as quick as by their kernels.

They *accept* only: what they do not accept (letters in an IBAN's account, a rare issuer of cards, another length)
goes to the check that they stand before. Digits are read as bytes, row by row, and never spread into columns.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import polars as pl

from plainview.detectors.checks.kernel import FEW, Bools, Function, distinct
from plainview.detectors.checks.tables import CARD_FORMS, IBAN_FORMS

Characters = npt.NDArray[np.uint8]

BLOCK = 8_192  # values that stay in the cache of a core
CARD = 16  # digits of nearly all cards
HEAD = 4  # of them that nearly all issuers are known by


def before(accept: Function, check: Function) -> Function:
    """Return `check` with `accept` before it: only what that does not accept is looked at."""

    def function(values: pl.Series) -> Bools:
        if len(values) <= FEW:
            return check(values)
        good = accept(values)
        rest = np.flatnonzero(~good)
        if len(rest):
            good[rest] = check(values.gather(rest) if len(rest) < len(values) else values)
        return good

    return function


def _characters(values: pl.Series, length: int) -> Characters:
    """Return the bytes of values of one length as (values, length)."""
    joined: bytes = values.str.join("").cast(pl.Binary).item()
    return np.frombuffer(joined, dtype=np.uint8).reshape(-1, length)


def _by_length(values: pl.Series, accept: dict[int, Callable[[Characters], Bools]]) -> Bools:
    """Judge the values of each length that `accept` knows, in blocks that stay in the cache of a core."""
    result = np.zeros(len(values), dtype=bool)
    lengths = values.str.len_bytes().to_numpy()
    for length in sorted(accept.keys() & set(distinct(lengths))):
        same = lengths == length
        raw = _characters(values if same.all() else values.filter(pl.Series(same)), length)
        good = [accept[length](raw[start : start + BLOCK]) for start in range(0, len(raw), BLOCK)]
        result[same] = np.concatenate(good)
    return result


@functools.cache
def _numeric() -> dict[int, Bools]:
    """Return, by length, which two letters (as one number of 16 bits) are countries whose accounts are all digits."""
    book: dict[int, Bools] = {}
    for country, form in IBAN_FORMS.items():
        if all(kind == "n" for _, kind in form):
            length = 4 + sum(int(count) for count, _ in form)
            known = book.setdefault(length, np.zeros(1 << 16, dtype=bool))
            known[np.frombuffer(country.encode(), dtype=np.uint16)] = True
    return book


@functools.cache
def _weights(length: int) -> npt.NDArray[np.float32]:
    """Return what each character of an IBAN counts in its number modulo 97: the first four stand at its end."""
    last = [pow(10, power, 97) for power in (4, 2, 1, 0)]  # a letter is two digits
    return np.array([*last, *(pow(10, power, 97) for power in range(length + 1, 5, -1))], dtype=np.float32)


def iban(values: pl.Series) -> Bools:
    """Accept IBANs whose accounts are all digits, by country, length and ISO 7064 MOD 97-10."""
    return _by_length(values, dict.fromkeys(_numeric(), _ibans))


def _ibans(raw: Characters) -> Bools:
    length = raw.shape[1]
    known = np.take(_numeric()[length], np.ascontiguousarray(raw[:, :2]).view(np.uint16)[:, 0])
    codes = raw - np.uint8(48)
    numbers = codes.astype(np.float32)  # exact for whole numbers below 2**24
    if not known.all() or np.count_nonzero(codes > 9) > 2 * len(codes):
        known &= (codes[:, 2:] > 9).astype(np.float32) @ np.ones(length - 2, dtype=np.float32) == 0
    check = codes[:, 2] * np.uint8(10) + codes[:, 3]
    weights = _weights(length)
    total = (numbers @ weights - 7 * (weights[0] + weights[1])).astype(np.int32)  # A is 10, and 17 places behind 0
    good: Bools = known & (check >= 2) & (check <= 98) & (total - total // 97 * 97 == 1)
    return good


@functools.cache
def _issuers() -> Bools:
    """Return which heads are those of issuers whatever digits follow."""
    heads = pl.Series([f"{head:0{HEAD}}" for head in range(10**HEAD)])
    forms = "|".join(CARD_FORMS)
    known = np.ones(len(heads), dtype=bool)
    for digit in "0123456789":
        known &= (heads + digit * (CARD - HEAD)).str.contains(f"^(?:{forms})$").to_numpy()
    return known


@functools.cache
def _pairs() -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """Return, for two digits in ASCII as one number of 16 bits, what they add to the Luhn sum, and their number."""
    luhn, number = np.zeros(1 << 16, dtype=np.uint8), np.zeros(1 << 16, dtype=np.uint8)
    for value in range(100):
        place = np.frombuffer(b"%02d" % value, dtype=np.uint16)
        doubled = value // 10 * 2
        luhn[place] = doubled - 9 * (doubled > 9) + value % 10
        number[place] = value
    return luhn, number


def card(values: pl.Series) -> Bools:
    """Accept card numbers of sixteen digits, by issuer and the Luhn check digit (ISO/IEC 7812-1)."""
    return _by_length(values, {CARD: _cards})


def _cards(raw: Characters) -> Bools:
    if (raw - np.uint8(48)).max() > 9:
        return np.zeros(len(raw), dtype=bool)
    luhn, number = _pairs()
    pairs = raw.view(np.uint16)
    head = np.take(number, pairs[:, 0]).astype(np.int16) * np.int16(100) + np.take(number, pairs[:, 1])
    eight = np.take(luhn, pairs).view(np.uint64)[:, 0]  # one byte for each pair: none above 18, all together below 256
    total = (eight * np.uint64(0x0101010101010101)) >> np.uint64(56)
    good: Bools = np.take(_issuers(), head) & (total % np.uint64(10) == 0)
    return good
