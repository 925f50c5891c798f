"""Personal numbers of central and eastern Europe and of central Asia."""

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
    mod_11_10,
    not_repeated,
    number,
    pair,
    weighted,
)


def _birth_number(d: Codes) -> Bools:
    """Kernel: rodné číslo; women month + 50, since 2004 a further + 20 when a day is full."""
    year, month, day = pair(d, 0), pair(d, 2), pair(d, 4)
    month = np.where(month > 50, month - 50, month)
    if len(d) == 9:  # before 1954, without check digit
        return (year <= 53) & is_date(year + 1900, month, day)
    year = year + np.where(year >= 54, 1900, 2000)
    month = np.where((month > 20) & (year >= 2004), month - 20, month)
    # where the remainder is 10 the digit is 0: about a thousand numbers, most of before 1985
    return is_date(year, month, day) & (number(d[:9]) % 11 % 10 == d[9])


def _century_in_month(d: Codes) -> Bools:
    """Kernel: PESEL and EGN style date, the century added to the month in twenties."""
    month = pair(d, 2)
    century = np.array([1900, 2000, 2100, 2200, 1800], dtype=np.int32)[month // 20]
    return is_date(century + pair(d, 0), month % 20, pair(d, 4))


def _pesel(d: Codes) -> Bools:
    return weighted(d, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)) % 10 == 0


def _bulgarian(d: Codes) -> Bools:
    month = pair(d, 2)
    century = np.where(month > 40, 2000, np.where(month > 20, 1800, 1900))
    dated = is_date(century + pair(d, 0), month % 20, pair(d, 4))
    return dated & (weighted(d, (2, 4, 8, 5, 10, 9, 7, 3, 6)) % 11 % 10 == d[9])


def _romanian(d: Codes) -> Bools:
    rest = weighted(d, (2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9)) % 11
    year, month, day = pair(d, 1), pair(d, 3), pair(d, 5)
    centuries = np.array([0, 1900, 1900, 1800, 1800, 2000, 2000, 0, 0, 0], dtype=np.int32)
    # 7, 8 and 9 are residents and foreigners, whose century is not said
    dated = is_date(centuries[d[0]] + year, month, day) & (centuries[d[0]] > 0)
    dated |= (d[0] >= 7) & is_short_date(year, month, day)
    county = pair(d, 7)
    known = ((county >= 1) & (county <= 48)) | np.isin(county, (51, 52, 70, 80, 81, 82, 83))
    return dated & known & (np.where(rest == 10, 1, rest) == d[12])


def _jmbg(d: Codes) -> Bools:
    year = number(d[4:7])
    year = year + np.where(year < 800, 2000, 1000)
    rest = (11 - weighted(d, (7, 6, 5, 4, 3, 2) * 2) % 11) % 11 % 10
    return is_date(year, pair(d, 2), pair(d, 0)) & (rest == d[12])


def two_stage(d: Codes, first: tuple[int, ...], second: tuple[int, ...]) -> Codes:
    """Return the check digit of the Baltic and Kazakh numbers: other weights when 10 is left."""
    rest = weighted(d, first) % 11
    again = weighted(d, second) % 11
    return np.where(rest == 10, again, rest)


def _baltic(d: Codes) -> Bools:
    century = 1700 + (d[0] + 1) // 2 * 100
    rest = two_stage(d, (1, 2, 3, 4, 5, 6, 7, 8, 9, 1), (3, 4, 5, 6, 7, 8, 9, 1, 2, 3)) % 10
    return is_date(century + pair(d, 1), pair(d, 3), pair(d, 5)) & (rest == d[10])


def _latvian(d: Codes) -> Bools:
    dated = is_date(pair(d, 4) + 1800 + d[6] * 100, pair(d, 2), pair(d, 0))
    undated = (d[0] == 3) & (d[1] >= 2)  # since July 2017 without a birth date
    rest = (1 + weighted(d, (10, 5, 8, 4, 2, 1, 6, 3, 7, 9))) % 11 % 10
    return (dated | undated) & (rest == d[10])


def _amka(d: Codes) -> Bools:
    return is_short_date(pair(d, 4), pair(d, 2), pair(d, 0)) & luhn(d)


def _greek_tax(d: Codes) -> Bools:
    return weighted(d, (256, 128, 64, 32, 16, 8, 4, 2)) % 11 % 10 == d[8]


def _ukrainian(d: Codes) -> Bools:
    return weighted(d, (-1, 5, 7, 9, 4, 6, 10, 5, 7)) % 11 % 10 == d[9]


def _russian_tax(d: Codes) -> Bools:
    first = weighted(d, (7, 2, 4, 10, 3, 5, 9, 4, 6, 8)) % 11 % 10 == d[10]
    second = weighted(d, (3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8)) % 11 % 10 == d[11]
    return first & second & (number(d) > 0)


def _snils(d: Codes) -> Bools:
    # numbers up to 001-001-998 were issued without a check
    rest = weighted(d, (9, 8, 7, 6, 5, 4, 3, 2, 1)) % 101 % 100
    return (number(d[:9]) > 1_001_998) & (rest == pair(d, 9))


def _kazakh(d: Codes) -> Bools:
    century = np.array([0, 1800, 1800, 1900, 1900, 2000, 2000], dtype=np.int32)[d[6]]
    rest = two_stage(d, (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11), (3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2))
    return is_date(century + pair(d, 0), pair(d, 2), pair(d, 4)) & (rest == d[11])


def _moldovan(d: Codes) -> Bools:
    return weighted(d, (7, 3, 1) * 4) % 10 == d[12]


def _belarusian(d: Codes) -> Bools:
    century = np.array([0, 1800, 1800, 1900, 1900, 2000, 2000], dtype=np.int32)[d[0]]
    dated = is_date(century + pair(d, 5), pair(d, 3), pair(d, 1))
    return dated & (weighted(d[:13], (7, 3, 1) * 5) % 10 == d[13])


def _uzbek(d: Codes) -> Bools:
    century = np.array([0, 1800, 1800, 1900, 1900, 2000, 2000], dtype=np.int32)[d[0]]
    dated = is_date(century + pair(d, 5), pair(d, 3), pair(d, 1))
    return dated & (weighted(d[:13], (7, 3, 1) * 5) % 10 == d[13])


def _hungarian_tax(d: Codes) -> Bools:
    return weighted(d, (1, 2, 3, 4, 5, 6, 7, 8, 9)) % 11 == d[9]


def _hungarian_personal(d: Codes) -> Bools:
    century = np.array([0, 1900, 1900, 2000, 2000, 0, 0, 1800, 1800, 0], dtype=np.int32)[d[0]]
    dated = is_date(century + pair(d, 1), pair(d, 3), pair(d, 5)) & (century > 0)
    up = weighted(d, (1, 2, 3, 4, 5, 6, 7, 8, 9, 10)) % 11 == d[10]  # born before 1997
    down = weighted(d, (10, 9, 8, 7, 6, 5, 4, 3, 2, 1)) % 11 == d[10]
    return dated & np.where(century + pair(d, 1) < 1997, up, down)


def _albanian(d: Codes) -> Bools:
    month = pair(d, 2)  # women + 50, residents without citizenship + 30
    month = np.where(month > 80, month - 80, np.where(month > 50, month - 50, np.where(month > 30, month - 30, month)))
    year = np.where(d[0] > 9, 1900 + (d[0] - 10) * 10, 1800 + d[0] * 10) + d[1]
    return is_date(year, month, pair(d, 4))


def _polish_card(d: Codes) -> Bools:
    return weighted(d, (7, 3, 1, 9, 7, 3, 1, 7, 3)) % 10 == 0


def _polish_passport(d: Codes) -> Bools:
    return weighted(d, (7, 3, 9, 1, 7, 3, 1, 7, 3)) % 10 == 0


def _taj(d: Codes) -> Bools:
    return weighted(d, (3, 7, 3, 7, 3, 7, 3, 7)) % 10 == d[8]


def _slovenian_tax(d: Codes) -> Bools:
    rest = 11 - weighted(d, (8, 7, 6, 5, 4, 3, 2)) % 11
    return (rest != 11) & (rest % 10 == d[7])


EAST: Final[dict[str, Function]] = {
    "al_national": check(r"[A-T][0-9]{8}[A-W]", _albanian),
    "balkan_jmbg": check(r"[0-3][0-9]{12}", _jmbg),
    "bg_egn": check(r"[0-9]{10}", _bulgarian),
    "by_personal": check(r"[1-6][0-9]{6}[ABCEHKM][0-9]{3}(?:PB|BA|BI)[0-9]", _belarusian),
    "cz_birth_number": check(r"[0-9]{9,10}", _birth_number),
    "baltic_personal": check(r"[1-8][0-9]{10}", _baltic),
    "gr_amka": check(r"[0-3][0-9]{10}", _amka),
    "gr_tax": check(r"[0-9]{9}", _greek_tax, not_repeated),
    "hr_oib": check(r"[0-9]{11}", mod_11_10),
    "hu_insurance": check(r"[0-9]{9}", _taj, not_repeated),
    "hu_personal": check(r"[1-8][0-9]{10}", _hungarian_personal),
    "hu_tax": check(r"8[0-9]{9}", _hungarian_tax),
    "kz_iin": check(r"[0-9]{6}[1-6][0-9]{5}", _kazakh),
    "lv_personal": check(r"[0-3][0-9]{10}", _latvian),
    "md_idnp": check(r"[029][0-9]{12}", _moldovan),
    "pl_identity_card": check(r"[A-Z]{3}[0-9]{6}", _polish_card),
    "pl_passport": check(r"[A-Z]{2}[0-9]{7}", _polish_passport),
    "pl_pesel": check(r"[0-9]{11}", _pesel, _century_in_month),
    "ro_cnp": check(r"[1-9][0-9]{12}", _romanian),
    "ru_inn": check(r"[0-9]{12}", _russian_tax),
    "ru_snils": check(r"[0-9]{11}", _snils),
    "ru_health": check(r"[0-9]{16}", luhn, not_repeated),
    "si_tax": check(r"[1-9][0-9]{7}", _slovenian_tax),
    "ua_tax": check(r"[0-9]{10}", _ukrainian, not_repeated),
    "uz_pinfl": check(r"[1-6][0-9]{13}", _uzbek),
}
