"""Numbers of devices, SIM cards, vehicles, and of machine-readable travel documents."""

from __future__ import annotations

import re
from typing import Final

import numpy as np

from plainview.detectors.checks.kernel import (
    Bools,
    Codes,
    Function,
    check,
    is_short_date,
    luhn,
    mapped,
    not_repeated,
    number,
    pair,
    per_value,
    weighted,
)
from plainview.detectors.checks.tables import MOBILE_COUNTRY_CODES

_MCC = np.array(sorted(MOBILE_COUNTRY_CODES))
# ISO 3779 gives the letters values of their own; I, O and Q are not used
_VIN_VALUE = np.zeros(36, dtype=np.int32)
_VIN_VALUE[:10] = np.arange(10)
_VIN_VALUE[mapped("ABCDEFGHJKLMNPRSTUVWXYZ")] = [*range(1, 9), 1, 2, 3, 4, 5, 7, 9, *range(2, 10)]
_VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)


def _vin(d: Codes) -> Bools:
    rest = weighted(_VIN_VALUE[d], _VIN_WEIGHTS) % 11
    return np.where(rest == 10, 33, rest) == d[8]


def _various(d: Codes) -> Bools:
    """Both letters and digits, so that a number or a word of 17 characters is no VIN."""
    return np.asarray((d > 9).any(axis=0) & (d[:14] < 10).any(axis=0), dtype=np.bool_)


def _letters_and_digits(d: Codes) -> Bools:
    return np.asarray((d > 9).any(axis=0) & (d < 10).any(axis=0), dtype=np.bool_)


def _imsi(d: Codes) -> Bools:
    return np.isin(number(d[:3]), _MCC)


def _hex_luhn(d: Codes) -> Bools:
    doubled = d[:-1][::-1][::2] * 2
    total = (doubled // 16 + doubled % 16).sum(axis=0) + d[:-1][::-1][1::2].sum(axis=0)
    return (total + d[-1]) % 16 == 0


def _british_licence(d: Codes) -> Bools:
    month = pair(d, 6)  # women: month + 50
    year = d[5] * 10 + d[10]
    return is_short_date(year, np.where(month > 50, month - 50, month), pair(d, 8))


_WEIGHTS = (7, 3, 1)


def _digit(text: str) -> str:
    """Return the check digit of ICAO Doc 9303 part 3."""
    values = (0 if c == "<" else int(c, 36) for c in text)
    return str(sum(value * _WEIGHTS[place % 3] for place, value in enumerate(values)) % 10)


def _holds(line: str, *fields: tuple[int, int]) -> bool:
    """Return whether each field `start:end` is followed by its check digit."""
    return all(line[end] in (_digit(line[start:end]), "<" * (set(line[start:end]) == {"<"})) for start, end in fields)


_LONG_LINE = re.compile(r"[A-Z0-9<]{9}[0-9][A-Z<]{3}[0-9<]{6}[0-9][MFX<][0-9]{6}[0-9][A-Z0-9<]{8,16}")


def _is_second_line(line: str) -> bool:
    """Return whether the text is the second line of a TD2 (36), a TD3 (44) or a visa of either size."""
    if len(line) not in (36, 44) or not _LONG_LINE.fullmatch(line):
        return False
    return _holds(line, (0, 9), (13, 19), (21, 27))


def _is_td1(text: str) -> bool:
    first, second = text[:30], text[30:60]
    if not re.fullmatch(r"[ACI][A-Z0-9<]{4}[A-Z0-9<]{25}[0-9<]{6}[0-9][MFX<][0-9]{6}[0-9][A-Z0-9<]{45}", text):
        return False
    # a number longer than nine places goes on behind '<'; its check digit is then elsewhere
    return (first[14] == "<" or _holds(first, (5, 14))) and _holds(second, (0, 6), (8, 14))


def is_mrz(value: str) -> bool:
    """Return whether the text is the machine-readable zone of a travel document, or its second line."""
    text = "".join(value.split()).upper() if len(value) <= 200 else ""
    if not text.isascii():
        return False
    if len(text) == 90:
        return _is_td1(text)
    if len(text) in (72, 88) and text[0] in "ACIPV" and re.fullmatch(r"[A-Z<]+", text[2:5]):
        return _is_second_line(text[len(text) // 2 :])
    return _is_second_line(text)


DEVICES: Final[dict[str, Function]] = {
    "gb_driving_licence": check(r"[A-Z9]{5}[0-9][0156][0-9][0-3][0-9]{2}[A-Z9]{2}[0-9A-Z]{3}", _british_licence),
    "iccid": check(r"89[0-9]{17,18}", luhn),
    # reporting bodies that gave out type allocation codes
    "imei": check(r"(?:0[1-9]|10|3[0-9]|4[459]|5[0-4]|86|9[189])[0-9]{13}", luhn, not_repeated),
    "imsi": check(r"[0-9]{14,15}", _imsi),
    "meid": check(r"[A-F][0-9A-F]{14}", _hex_luhn),
    "mrz": per_value(is_mrz),
    "plate_mixed": check(r"[A-Z0-9]{5,8}", _letters_and_digits),
    "vin": check(r"[A-HJ-NPR-Z0-9]{13}[0-9]{4}", _vin, _various),
    # outside North America place 9 is no check digit; place 10 is never U, Z or 0
    "vin_form": check(r"[A-HJ-NPR-Z0-9]{9}[A-HJ-NPR-TV-Y1-9][A-HJ-NPR-Z0-9]{4}[0-9]{3}", _various),
}
