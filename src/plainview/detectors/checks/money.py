"""Payment cards and bank accounts."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from plainview.detectors.checks import bulk as checks_bulk
from plainview.detectors.checks.kernel import (
    Bools,
    Codes,
    Function,
    check,
    codes,
    distinct,
    luhn,
    not_repeated,
    number,
    pair,
    remainder,
    weighted,
)
from plainview.detectors.checks.tables import CARD_FORMS, IBAN_FORMS


def _iban_forms() -> dict[int, list[tuple[int, list[tuple[int, int, str]]]]]:
    """Return, by length of the whole IBAN, its countries (as a code of two letters) and which places hold what."""
    forms: dict[int, list[tuple[int, list[tuple[int, int, str]]]]] = {}
    for country, form in IBAN_FORMS.items():
        parts, at = [], 4
        for count, kind in form:
            parts.append((at, at + int(count), kind))
            at += int(count)
        forms.setdefault(at, []).append((_letters(*country), parts))
    return forms


def _letters(first: str, second: str) -> int:
    return (ord(first) - 55) * 36 + ord(second) - 55


_IBAN_FORMS = _iban_forms()
BLOCK = 8192  # values whose codes stay in the cache of a core
_WITHIN = {"n": (0, 9), "a": (10, 35), "c": (0, 35)}  # codes of the kinds of character in the registry's notation


def iban(values: pl.Series) -> Bools:
    """Accept an IBAN: length and structure of its country, and ISO 7064 MOD 97-10.

    Without a regular expression, since one of eighty countries costs more than all the rest.
    """
    result = np.zeros(len(values), dtype=bool)
    lengths = values.str.len_bytes().to_numpy()
    for length in distinct(lengths):
        if length not in _IBAN_FORMS:
            continue
        where = np.flatnonzero(lengths == length)
        same = values if len(where) == len(values) else values.gather(where)
        for start in range(0, len(where), BLOCK):
            d = codes(same.slice(start, BLOCK), length)
            good = _iban_structure(d, length) & (remainder([*d[4:], *d[:4]], 97) == 1)
            result[where[start : start + BLOCK]] = good
    return result


def _iban_structure(d: Codes, length: int) -> Bools:
    good = (d[:2] >= 10).all(axis=0) & (d[2:4] >= 0).all(axis=0) & (d[2:4] < 10).all(axis=0)
    good &= (pair(d, 2) >= 2) & (pair(d, 2) <= 98)
    country = np.where(good, d[0] * 36 + d[1], 0)
    known = np.zeros(d.shape[1], dtype=bool)
    for code, parts in _IBAN_FORMS[length]:
        rows = country == code
        if not rows.any():
            continue
        same = d if rows.all() else d[:, rows]
        inside = np.ones(same.shape[1], dtype=bool)
        for start, end, kind in parts:
            low, high = _WITHIN[kind]
            inside &= ((same[start:end] >= low) & (same[start:end] <= high)).all(axis=0)
        known[rows] = inside
    return known


def _ccc(d: Codes) -> Bools:
    first = weighted(d[:8], (4, 8, 5, 10, 9, 7, 3, 6)) % 11
    second = weighted(d[10:], (1, 2, 4, 8, 5, 10, 9, 7, 3, 6)) % 11
    return (np.where(first < 2, first, 11 - first) == d[8]) & (np.where(second < 2, second, 11 - second) == d[9])


def _kontonr(d: Codes) -> Bools:
    return weighted(d, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1)) % 11 == 0


def _routing(d: Codes) -> Bools:
    return weighted(d, (3, 7, 1, 3, 7, 1, 3, 7, 1)) % 10 == 0


def _clabe(d: Codes) -> Bools:
    products = d[:17] * np.array((3, 7, 1) * 5 + (3, 7), dtype=np.int32)[:, None] % 10
    return -products.sum(axis=0) % 10 == d[17]


def _cbu(d: Codes) -> Bools:
    return (weighted(d, (7, 1, 3, 9, 7, 1, 3, 1)) % 10 == 0) & (-weighted(d[8:], (3, 9, 7, 1) * 3 + (3,)) % 10 == d[21])


def _belgian(d: Codes) -> Bools:
    rest = number(d[:10]) % 97
    return np.where(rest == 0, 97, rest) == pair(d, 10)


def _nrb(d: Codes) -> Bools:
    # the Polish IBAN without its letters: P is 25, L is 21
    letters = np.broadcast_to(np.array([[25], [21]], dtype=np.int32), (2, d.shape[1]))
    return remainder(np.concatenate([d[2:], letters, d[:2]]), 97) == 1


def _giro(d: Codes) -> Bools:
    rest = d[8:]
    return (weighted(d[:8], (9, 7, 3, 1) * 2) % 10 == 0) & (weighted(rest, (9, 7, 3, 1) * 4) % 10 == 0)


_RIB = np.array([*range(10), *range(1, 10), *range(1, 10), *range(2, 10)], dtype=np.int32)


def _rib(d: Codes) -> Bools:
    rest = np.zeros(d.shape[1], dtype=np.int64)
    for row in _RIB[d]:  # letters stand for digits: A and J are 1, S is 2
        rest = (rest * 10 + row) % 97
    return rest == 0


def _nib(d: Codes) -> Bools:
    return remainder(d, 97) == 1


# weights by bank number, from the account validation rules of New Zealand's payment system
_NZ_WEIGHTS = {
    "A": ((0, 0, 6, 3, 7, 9, 0, 10, 5, 8, 4, 2, 1), 11),
    "B": ((0, 0, 0, 0, 0, 0, 0, 10, 5, 8, 4, 2, 1), 11),
    "D": ((0, 0, 0, 0, 0, 0, 7, 6, 5, 4, 3, 2, 1), 11),
    "F": ((0, 0, 0, 0, 0, 0, 1, 7, 3, 1, 7, 3, 1), 10),
}
_NZ_BANKS_A = np.array([1, 2, 3, 4, 6, *range(10, 25), 27, 30, 35, 38])


def _new_zealand(d: Codes) -> Bools:
    bank, account = pair(d, 0), number(d[6:13])
    good = {name: weighted(d, weights) % modulus == 0 for name, (weights, modulus) in _NZ_WEIGHTS.items()}
    in_a = np.isin(bank, _NZ_BANKS_A)
    choices = [in_a & (account < 990_000), in_a, bank == 8, np.isin(bank, (25, 33))]
    return np.select(choices, [good["A"], good["B"], good["D"], good["F"]], default=False)


def _czech_part(d: Codes) -> Bools:
    return weighted(d[::-1], (1, 2, 4, 8, 5, 10, 9, 7, 3, 6)) % 11 == 0


_CZECH_ROOT = check(r"[0-9]{2,10}", _czech_part, lambda d: number(d) > 0)


def czech_account(values: pl.Series) -> Bools:
    """Accept `prefix-number/bank`: prefix and number each divide by 11 with their weights."""
    formed = values.str.contains(r"^(?:[0-9]{1,6}-)?[0-9]{2,10}/[0-9]{4}$").to_numpy().astype(bool)
    root = values.str.extract(r"([0-9]{2,10})/[0-9]{4}$").fill_null("")
    prefix = values.str.extract(r"^([0-9]{1,6})-").fill_null("0").str.zfill(2)
    return formed & _CZECH_ROOT(root) & check(r"[0-9]{2,6}", _czech_part)(prefix)


MONEY: Final[dict[str, Function]] = {
    "ar_cbu": check(r"[0-9]{22}", _cbu, not_repeated),
    "be_account": check(r"[0-9]{12}", _belgian),
    "es_ccc": check(r"[0-9]{20}", _ccc, not_repeated),
    "fr_rib": check(r"[0-9]{10}[0-9A-Z]{11}[0-9]{2}", _rib),
    "hu_giro": check(r"[0-9]{16}|[0-9]{24}", _giro, not_repeated),
    "iban": checks_bulk.before(checks_bulk.iban, iban),
    "mx_clabe": check(r"[0-9]{18}", _clabe, not_repeated),
    "no_account": check(r"[0-9]{11}", _kontonr, not_repeated),
    "nz_account": check(r"[0-3][0-9]{14,15}", _new_zealand, lambda d: number(d[6:13]) > 0),
    "payment_card": checks_bulk.before(checks_bulk.card, check("|".join(CARD_FORMS), luhn)),
    "pl_account": check(r"[0-9]{26}", _nrb, not_repeated),
    "pt_nib": check(r"[0-9]{21}", _nib),
    # the first two digits name a Federal Reserve district, a thrift or an electronic route
    "us_routing": check(r"(?:0[1-9]|1[0-2]|2[1-9]|3[0-2]|6[1-9]|7[0-2]|80)[0-9]{7}", _routing),
}
