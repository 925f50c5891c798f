"""Personal numbers of western, northern and southern Europe."""

from __future__ import annotations

from typing import Final

import numpy as np

from plainview.detectors.checks.kernel import (
    Bools,
    Codes,
    Function,
    check,
    is_date,
    is_short_date,
    luhn,
    mapped,
    mod_11_10,
    not_repeated,
    number,
    pair,
    verhoeff,
    weighted,
)

_NIF_LETTERS = mapped("TRWAGMYFPDXBNJZSQVHLCKE")  # of the number modulo 23
_HETU_LETTERS = mapped("0123456789ABCDEFHJKLMNPRSTUVWXY")  # of the number modulo 31
_FORBIDDEN_NINO = np.array([int(p, 36) for p in ("BG", "GB", "KN", "NK", "NT", "TN", "ZZ")])


def icao(d: Codes) -> Bools:
    """Kernel: weights 7, 3, 1 over all characters but the last, modulo 10 (ICAO Doc 9303)."""
    return weighted(d[:-1], (7, 3, 1) * (len(d) // 3 + 1)) % 10 == d[-1]


def _digits_once_but_one(d: Codes) -> Bools:
    """One of the first ten digits occurs two or three times, every other one at most once."""
    counts = np.stack([(d[:10] == digit).sum(axis=0) for digit in range(10)])
    return ((counts > 1).sum(axis=0) == 1) & (counts.max(axis=0) <= 3)


def _german_insurance(d: Codes) -> Bools:
    letter = d[8] - 9  # A is 01 … Z is 26
    spread = np.concatenate([d[:8], [letter // 10, letter % 10], d[9:11]])
    products = spread * np.array((2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1), dtype=np.int32)[:, None]
    return (products // 10 + products % 10).sum(axis=0) % 10 == d[11]


def _german_insurance_birth(d: Codes) -> Bools:
    # the day is raised by 50 when the ordinary serials of a day are used up; 00 stands for unknown
    day, month = pair(d, 2) % 50, pair(d, 4)
    unknown = (day == 0) | (month == 0)
    return is_short_date(pair(d, 6), month, day) | (unknown & (day <= 31) & (month <= 12))


def _german_health(d: Codes) -> Bools:
    letter = d[0] - 9
    spread = np.concatenate([[letter // 10, letter % 10], d[1:9]])
    products = spread * np.array((1, 2) * 5, dtype=np.int32)[:, None]
    return (products // 10 + products % 10).sum(axis=0) % 10 == d[9]


def _french_nir(d: Codes) -> Bools:
    corsica = (d[5] == 2) & (d[6] > 9)
    department = np.where(corsica, np.where(d[6] == 10, 19, 18), pair(d, 5)).astype(np.int64)
    month = pair(d, 3)  # 20 to 42 and 50 to 99 are given when the month is not known
    known = ((month >= 1) & (month <= 12)) | ((month >= 20) & (month <= 42)) | (month >= 50)
    body = (number(d[:5]) * 100 + department) * 1_000_000 + number(d[7:13])
    return known & (97 - body % 97 == pair(d, 13))


def _spanish_letter(d: Codes) -> Bools:
    head = np.where(d[0] > 9, d[0] - 33, d[0])  # X, Y, Z stand for 0, 1, 2
    return _NIF_LETTERS[(head * 10_000_000 + number(d[1:8])) % 23] == d[8]


def _spanish_insurance(d: Codes) -> Bools:
    serial = number(d[2:10])
    province = pair(d, 0).astype(np.int64)
    body = np.where(serial < 10_000_000, serial + province * 10_000_000, province * 100_000_000 + serial)
    return (province >= 1) & (province <= 66) & (body % 97 == pair(d, 10))


_ODD = np.array([1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23])
_CODICE_ODD = np.concatenate([_ODD[:10], _ODD]).astype(np.int32)  # digits count as the letters A to J
_OMOCODIA = np.full(36, -1, dtype=np.int32)
_OMOCODIA[:10] = np.arange(10)
_OMOCODIA[mapped("LMNPQRSTUV")] = np.arange(10)
_CODICE_MONTHS = np.zeros(36, dtype=np.int32)
_CODICE_MONTHS[mapped("ABCDEHLMPRST")] = np.arange(1, 13)


def _codice_fiscale(d: Codes) -> Bools:
    even = np.where(d > 9, d - 10, d)
    total = _CODICE_ODD[d[0:15:2]].sum(axis=0) + even[1:15:2].sum(axis=0)
    day = (_OMOCODIA[d[9]] * 10 + _OMOCODIA[d[10]]) % 40  # women: day + 40
    year = _OMOCODIA[d[6]] * 10 + _OMOCODIA[d[7]]
    return (total % 26 + 10 == d[15]) & is_short_date(year, _CODICE_MONTHS[d[8]], day)


def _bsn(d: Codes) -> Bools:
    return ((weighted(d, (9, 8, 7, 6, 5, 4, 3, 2)) - d[8]) % 11 == 0) & (number(d) > 0)


def _belgian(d: Codes) -> Bools:
    body, rest = number(d[:9]), pair(d, 9)
    year, day = pair(d, 0), pair(d, 4)
    month = pair(d, 2) % 20  # bis numbers: month + 20 or + 40
    old = 97 - body % 97 == rest
    new = 97 - (body + 2_000_000_000) % 97 == rest
    unknown = ((month == 0) | (day == 0)) & (month <= 12) & (day <= 31)
    fits = (old & is_date(year + 1900, month, day)) | (new & is_date(year + 2000, month, day))
    return (pair(d, 2) <= 52) & (fits | ((old | new) & unknown))


def _pps(d: Codes) -> Bools:
    total = weighted(d, (8, 7, 6, 5, 4, 3, 2))
    if len(d) == 9:
        # a second letter W is the old mark of a spouse and counts nothing
        total = total + np.where(d[8] == 32, 0, (d[8] - 9) * 9)
    return mapped("WABCDEFGHIJKLMNOPQRSTUV")[total % 23] == d[7]


def _austrian_insurance(d: Codes) -> Bools:
    month = pair(d, 6)  # 13 to 15 are given when the serials of a day are used up
    dated = is_short_date(pair(d, 8), np.where(month > 12, 12, month), pair(d, 4)) & (month <= 15)
    return dated & (weighted(d, (3, 7, 9, 0, 5, 8, 4, 2, 1, 6)) % 11 == d[3])


def _ean(d: Codes) -> Bools:
    return weighted(d, (1, 3) * 6 + (1,)) % 10 == 0


def _swedish(d: Codes) -> Bools:
    day = pair(d[-10:], 4)
    day = np.where(day > 60, day - 60, day)  # co-ordination number
    month, year = pair(d[-10:], 2), pair(d[-10:], 0)
    dated = is_date(pair(d, 0) * 100 + year, month, day) if len(d) == 12 else is_short_date(year, month, day)
    return dated & luhn(d[-10:])


def _norwegian(d: Codes) -> Bools:
    first = (11 - weighted(d, (3, 7, 6, 1, 8, 9, 4, 5, 2)) % 11) % 11 == d[9]
    second = (11 - weighted(d, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11) % 11 == d[10]
    day, month, year, serial = pair(d, 0), pair(d, 2), pair(d, 4), number(d[6:9])
    day = np.where(day > 40, day - 40, day)  # D-number of residents
    month = np.where(month > 80, month - 80, np.where(month > 40, month - 40, month))  # synthetic, H-number
    century = np.select(
        [
            serial < 500,
            (serial < 750) & (year >= 54),
            year < 40,
            serial >= 900,
        ],
        [1900, 1800, 2000, 1900],
        default=9000,
    )
    return first & second & is_date(century + year, month, day)


def _danish(d: Codes) -> Bools:
    # no check digit: those of many days are used up, so numbers issued since 2007 need not have one
    year, seventh = pair(d, 4), d[6]
    century = np.select(
        [
            (seventh >= 5) & (seventh <= 8) & (year >= 58),
            (seventh <= 3) | ((seventh % 5 == 4) & (year >= 37)),
        ],
        [1800, 1900],
        default=2000,
    )
    return is_date(century + year, pair(d, 2), pair(d, 0))


def _finnish(d: Codes) -> Bools:
    year, serial = pair(d, 4), number(d[-4:-1])
    if len(d) == 10:  # the separators - and + are lost in the compact form
        dated = is_date(year + 1900, pair(d, 2), pair(d, 0)) | is_date(year + 1800, pair(d, 2), pair(d, 0))
    else:
        dated = is_date(year + np.where(d[6] < 20, 2000, 1900), pair(d, 2), pair(d, 0))
    letter = _HETU_LETTERS[(number(d[:6]) * 1000 + serial) % 31]
    return dated & (serial >= 2) & (letter == d[-1])


def _icelandic(d: Codes) -> Bools:
    year = pair(d, 4) + np.where(d[9] == 9, 1900, 2000)
    return is_date(year, pair(d, 2), pair(d, 0)) & (weighted(d, (3, 2, 7, 6, 5, 4, 3, 2, 1)) % 11 == 0)


def _nino(d: Codes) -> Bools:
    return ~np.isin(d[0] * 36 + d[1], _FORBIDDEN_NINO)


def _nhs(d: Codes) -> Bools:
    return (11 - weighted(d, (10, 9, 8, 7, 6, 5, 4, 3, 2)) % 11) % 11 == d[9]


def _utr(d: Codes) -> Bools:
    rest = weighted(d[1:], (6, 7, 8, 9, 10, 5, 4, 3, 2)) % 11
    return mapped("21987654321")[rest] == d[0]


def _portuguese_tax(d: Codes) -> Bools:
    return (11 - weighted(d, (9, 8, 7, 6, 5, 4, 3, 2)) % 11) % 11 % 10 == d[8]


def _portuguese_card(d: Codes) -> Bools:
    doubled = d[::-1][1::2] * 2
    return (np.where(doubled > 9, doubled - 9, doubled).sum(axis=0) + d[::-1][::2].sum(axis=0)) % 10 == 0


def _austrian_tax(d: Codes) -> Bools:
    doubled = d[1:8:2] * 2
    return (10 - (np.where(doubled > 9, doubled - 9, doubled).sum(axis=0) + d[0:8:2].sum(axis=0))) % 10 == d[8]


def _luxembourgish(d: Codes) -> Bools:
    dated = is_date(pair(d, 0) * 100 + pair(d, 2), pair(d, 4), pair(d, 6))
    return dated & luhn(d[:12]) & verhoeff(np.concatenate([d[:11], d[12:]]))


_CYPRUS_ODD = np.array([1, 0, 5, 7, 9, 13, 15, 17, 19, 21], dtype=np.int32)


def _cypriot(d: Codes) -> Bools:
    return (_CYPRUS_ODD[d[0:8:2]].sum(axis=0) + d[1:8:2].sum(axis=0)) % 26 + 10 == d[8]


_DOCUMENT = "[CFGHJ-NPRTV-Z0-9]"

WEST: Final[dict[str, Function]] = {
    "at_insurance": check(r"[1-9][0-9]{9}", _austrian_insurance),
    "at_tax": check(r"[0-9]{9}", _austrian_tax, not_repeated),
    "be_national": check(r"[0-9]{11}", _belgian),
    "ch_insurance": check(r"756[0-9]{10}", _ean),
    "cy_tax": check(r"[09][0-9]{7}[A-Z]", _cypriot),
    "de_document": check(rf"[CFGHJ-NPRTV-Z]{_DOCUMENT}{{8}}[0-9]", icao),
    "de_health": check(r"[A-Z][0-9]{9}", _german_health),
    "de_insurance": check(r"[0-9]{8}[A-Z][0-9]{3}", _german_insurance, _german_insurance_birth),
    "de_tax": check(r"[1-9][0-9]{10}", mod_11_10, _digits_once_but_one),
    "dk_cpr": check(r"[0-9]{10}", _danish),
    "es_dni": check(r"[0-9]{8}[A-Z]", _spanish_letter),
    "es_insurance": check(r"[0-9]{12}", _spanish_insurance),
    "es_nie": check(r"[XYZ][0-9]{7}[A-Z]", _spanish_letter),
    "fi_hetu": check(r"[0-9]{6}[A-FU-Y]?[0-9]{3}[0-9A-FHJ-NPR-Y]", _finnish),
    "fr_nir": check(r"[1-478][0-9]{4}(?:[0-9]{2}|2[AB])[0-9]{8}", _french_nir),
    "fr_tax": check(r"[0-3][0-9]{12}", lambda d: number(d[:10]) % 511 == number(d[10:])),
    "gb_nhs": check(r"[0-9]{10}", _nhs, not_repeated),
    "gb_nino": check(r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z][0-9]{6}[A-D]", _nino),
    "gb_utr": check(r"[0-9]{10}", _utr, not_repeated),
    "ie_pps": check(r"[0-9]{7}[A-W][A-IW]?", _pps),
    "is_kennitala": check(r"[0-3][0-9]{8}[09]", _icelandic),
    "it_codice_fiscale": check(
        r"[A-Z]{6}[0-9L-NP-V]{2}[ABCDEHLMPRST][0-9L-NP-V]{2}[A-Z][0-9L-NP-V]{3}[A-Z]", _codice_fiscale
    ),
    "lu_national": check(r"[12][0-9]{12}", _luxembourgish),
    "nl_bsn": check(r"[0-9]{9}", _bsn),
    # two letters, six letters or digits, one digit; never the letter O
    "nl_document": check(r"[A-NP-Z]{2}[0-9A-NP-Z]{6}[0-9]"),
    "no_national": check(r"[0-9]{11}", _norwegian),
    "pt_card": check(r"[0-9]{9}[0-9A-Z]{2}[0-9]", _portuguese_card),
    "pt_tax": check(r"(?:[123][0-9]|45)[0-9]{7}", _portuguese_tax),
    "se_personal": check(r"(?:18|19|20)?[0-9]{10}", _swedish),
}
