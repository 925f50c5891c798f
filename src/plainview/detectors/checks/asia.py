"""Personal numbers of Asia, Africa and Oceania."""

from __future__ import annotations

from typing import Final

import numpy as np

from plainview.detectors.checks.kernel import (
    THIS_YEAR,
    Bools,
    Codes,
    Function,
    check,
    is_date,
    is_short_date,
    luhn,
    luhn_sum,
    mapped,
    not_repeated,
    number,
    pair,
    verhoeff,
    weighted,
)

# GB/T 2260 province codes, the first two digits of a resident identity number
_CN_PROVINCE = "(?:1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[123]|91)"  # 91: abroad; 83: Taiwan residents
# Kemendagri province codes, the first two digits of a NIK
_ID_PROVINCE = "(?:1[1-9]|21|3[1-6]|5[1-3]|6[1-5]|7[1-6]|8[12]|9[1-7])"
# place of birth codes that are not given: 00, 17-20, 69-70, 73, 80-81, 94-97
_MY_PLACE = "(?:0[1-9]|1[0-6]|2[1-9]|[345][0-9]|6[0-8]|7[1245-9]|8[2-9]|9[0-389])"
_TW_LETTERS = np.zeros(36, dtype=np.int32)
_TW_LETTERS[mapped("ABCDEFGHJKLMNPQRSTUVXYWZIO")] = np.arange(10, 36)


def _chinese(d: Codes) -> Bools:
    rest = weighted(d, (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)) % 11
    dated = is_date(pair(d, 6) * 100 + pair(d, 8), pair(d, 10), pair(d, 12))
    return dated & (pair(d, 6) >= 18) & (mapped("10X98765432")[rest] == d[17])


def _taiwanese(d: Codes) -> Bools:
    first = _TW_LETTERS[d[0]]
    second = np.where(d[1] > 9, _TW_LETTERS[d[1]] % 10, d[1])  # before 2021 residents had a second letter
    rest = weighted(np.concatenate([[first // 10, first % 10, second], d[2:]]), (1, 9, 8, 7, 6, 5, 4, 3, 2, 1, 1))
    return rest % 10 == 0


def _hong_kong(d: Codes) -> Bools:
    if len(d) == 8:
        d = np.concatenate([np.full((1, d.shape[1]), 36, dtype=np.int32), d])
    return weighted(d, (9, 8, 7, 6, 5, 4, 3, 2, 1)) % 11 == 0


def _singaporean(d: Codes) -> Bools:
    series = np.select([np.isin(d[0], mapped("ST")), d[0] == mapped("M")[0]], [0, 2], default=1)
    offset = np.select([np.isin(d[0], mapped("TG")), series == 2], [4, 3], default=0)
    letters = np.stack([mapped("JZIHGFEDCBA"), mapped("XWUTRQPNMLK"), mapped("XWUTRQPNJLK")])
    rest = (weighted(d[1:8], (2, 7, 6, 5, 4, 3, 2)) + offset) % 11
    return letters[series, rest] == d[8]


def _my_number(d: Codes) -> Bools:
    rest = weighted(d, (6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11
    return np.where(rest <= 1, 0, 11 - rest) == d[11]


def _korean(d: Codes) -> Bools:
    century = np.array([1800, 1900, 1900, 2000, 2000, 1900, 1900, 2000, 2000, 1800], dtype=np.int32)[d[6]]
    rest = weighted(d, (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)) % 11
    foreign = (d[6] >= 5) & (d[6] <= 8)
    digit = np.where(foreign, 13 - rest, 11 - rest) % 10
    # since October 2020 the last six digits are random: such numbers are known by their date only
    place = foreign | (pair(d, 7) <= 96)  # office of registration
    return place & is_date(century + pair(d, 0), pair(d, 2), pair(d, 4)) & (digit == d[12])


def _thai(d: Codes) -> Bools:
    return (11 - weighted(d, range(13, 1, -1)) % 11) % 10 == d[12]


def _malaysian(d: Codes) -> Bools:
    return is_short_date(pair(d, 0), pair(d, 2), pair(d, 4))


def _indonesian(d: Codes) -> Bools:
    day = pair(d, 6)
    return is_short_date(pair(d, 10), pair(d, 8), np.where(day > 40, day - 40, day)) & (number(d[12:]) > 0)


def _not_palindrome(d: Codes) -> Bools:
    return np.any(d != d[::-1], axis=0)


def _vietnamese(d: Codes) -> Bools:
    # province, then century and sex (0 and 1: 1900 to 1999, 2 and 3: 2000 to 2099), then the year
    return (number(d[:3]) >= 1) & (number(d[:3]) <= 96) & (1900 + d[3] // 2 * 100 + pair(d, 4) <= THIS_YEAR)


def _sri_lankan(d: Codes) -> Bools:
    year, day = (pair(d, 0) + 1900, number(d[2:5])) if len(d) == 10 else (number(d[:4]), number(d[4:7]))
    day = np.where(day > 500, day - 500, day)  # women: day of the year + 500
    return (year >= 1880) & (year <= THIS_YEAR) & (day >= 1) & (day <= 366)


def _iranian(d: Codes) -> Bools:
    rest = weighted(d, range(10, 1, -1)) % 11
    return np.where(rest < 2, rest, 11 - rest) == d[9]


def _turkish(d: Codes) -> Bools:
    tenth = (7 * d[0:9:2].sum(axis=0) - d[1:8:2].sum(axis=0)) % 10
    return (tenth == d[9]) & (d[:10].sum(axis=0) % 10 == d[10])


def _emirati(d: Codes) -> Bools:
    year = number(d[3:7])
    return (year >= 1880) & (year <= THIS_YEAR)


def _kuwaiti(d: Codes) -> Bools:
    rest = 11 - weighted(d, (2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)) % 11
    return is_date(pair(d, 1) + 1700 + d[0] * 100, pair(d, 3), pair(d, 5)) & (rest == d[11])


def _bahraini(d: Codes) -> Bools:
    month = pair(d, 2)
    return (month >= 1) & (month <= 12)  # the rule for the last digit is not published


def _egyptian(d: Codes) -> Bools:
    place = pair(d, 7)  # governorates; 88 is abroad
    known = ((place >= 1) & (place <= 35)) | (place == 88)
    # no rule for the last digit was ever published
    return known & is_date(1700 + d[0] * 100 + pair(d, 1), pair(d, 3), pair(d, 5))


def _qatari(d: Codes) -> Bools:
    return (1700 + d[0] * 100 + pair(d, 1) <= THIS_YEAR) & (number(d[3:6]) > 0)


def _south_african(d: Codes) -> Bools:
    return is_short_date(pair(d, 0), pair(d, 2), pair(d, 4)) & luhn(d)


def _mauritian(d: Codes) -> Bools:
    dated = is_short_date(pair(d, 5), pair(d, 3), pair(d, 1))
    return dated & ((17 - weighted(d, range(14, 1, -1)) % 17) % 17 == d[13])


def _zimbabwean(d: Codes) -> Bools:
    letter = len(d) - 3
    rest = number(d[:letter]) % 23
    return mapped("ZABCDEFGHJKLMNPQRSTVWXY")[rest] == d[letter]


def _tfn(d: Codes) -> Bools:
    return weighted(d, (1, 4, 3, 7, 5, 8, 6, 9, 10)) % 11 == 0


def _medicare(d: Codes) -> Bools:
    return weighted(d, (1, 3, 7, 9, 1, 3, 7, 9)) % 10 == d[8]


def _ird(d: Codes) -> Bools:
    padded = d if len(d) == 9 else np.concatenate([np.zeros((1, d.shape[1]), dtype=np.int32), d])
    first = -weighted(padded, (3, 2, 7, 6, 5, 4, 3, 2)) % 11
    second = -weighted(padded, (7, 4, 3, 2, 5, 2, 7, 6)) % 11
    value = number(d)
    return (np.where(first == 10, second, first) == padded[8]) & (value > 10_000_000) & (value < 150_000_000)


_NHI = np.full(36, 0, dtype=np.int32)
_NHI[:10] = np.arange(10)
_NHI[mapped("ABCDEFGHJKLMNPQRSTUVWXYZ")] = np.arange(1, 25)


def _nhi_old(d: Codes) -> Bools:
    rest = weighted(_NHI[d], (7, 6, 5, 4, 3, 2)) % 11
    return (rest != 0) & ((11 - rest) % 10 == d[6])


def _nhi_new(d: Codes) -> Bools:
    rest = weighted(_NHI[d], (7, 6, 5, 4, 3, 2)) % 23
    return _NHI[d[6]] == 23 - rest


ASIA: Final[dict[str, Function]] = {
    "ae_emirates": check(r"784[0-9]{12}", _emirati, luhn),
    "au_medicare": check(r"[2-6][0-9]{9,10}", _medicare),
    "au_tfn": check(r"[0-9]{9}", _tfn, not_repeated),
    "bh_cpr": check(r"[0-9]{9}", _bahraini),
    "cn_resident": check(_CN_PROVINCE + r"[0-9]{15}[0-9X]", _chinese),
    # given until 1999, without century and check digit
    "cn_resident_old": check(
        _CN_PROVINCE + r"[0-9]{13}", lambda d: is_date(pair(d, 6) + 1900, pair(d, 8), pair(d, 10))
    ),
    "eg_national": check(r"[23][0-9]{13}", _egyptian),
    "hk_identity": check(r"[A-Z]{1,2}[0-9]{6}[0-9A]", _hong_kong),
    "id_nik": check(_ID_PROVINCE + r"[0-9]{14}", _indonesian),
    "il_identity": check(r"[0-9]{9}", luhn, not_repeated),
    "in_aadhaar": check(r"[2-9][0-9]{11}", verhoeff, _not_palindrome),
    "in_pan": check(r"[A-Z]{3}P[A-Z][0-9]{4}[A-Z]", lambda d: number(d[5:9]) > 0),
    "in_vid": check(r"[2-9][0-9]{15}", verhoeff, _not_palindrome),
    "in_voter": check(r"[A-Z]{3}[0-9]{7}", lambda d: luhn(d[3:])),
    "ir_national": check(r"[0-9]{10}", _iranian, not_repeated),
    "jp_my_number": check(r"[0-9]{12}", _my_number, not_repeated),
    "kr_resident": check(r"[0-9]{13}", _korean),
    "kw_civil": check(r"[23][0-9]{11}", _kuwaiti),
    "lk_nic": check(r"[0-9]{9}[VX]|[12][0-9]{11}", _sri_lankan),
    "mu_national": check(r"[A-Z][0-9]{12}[0-9A-G]", _mauritian),
    "my_nric": check(r"[0-9]{6}" + _MY_PLACE + r"[0-9]{4}", _malaysian),
    "nz_ird": check(r"[0-9]{8,9}", _ird),
    "nz_nhi": check(r"[A-HJ-NP-Z]{3}[0-9]{4}", _nhi_old),
    "nz_nhi_2022": check(r"[A-HJ-NP-Z]{3}[0-9]{2}[A-HJ-NP-Z]{2}", _nhi_new),
    "pk_cnic": check(r"[1-7][0-9]{11}[1-9]", not_repeated),
    "qa_identity": check(r"[23][0-9]{10}", _qatari),
    "sa_identity": check(r"[12][0-9]{9}", luhn),
    "sg_nric": check(r"[STFGM][0-9]{7}[A-Z]", _singaporean),
    "th_identity": check(r"[1-8][0-9]{12}", _thai),
    "tr_kimlik": check(r"[1-9][0-9]{10}", _turkish),
    "tw_identity": check(r"[A-Z][1289A-D][0-9]{8}", _taiwanese),
    "vn_cccd": check(r"[0-9]{12}", _vietnamese),
    "za_identity": check(r"[0-9]{10}[01][0-9]{2}", _south_african),
    "za_tax": check(r"[01239][0-9]{9}", luhn, not_repeated),
    "zw_national": check(r"[0-9]{8,9}[A-HJ-NP-TV-Z][0-9]{2}", _zimbabwean),
}
ASIA["luhn"] = check(r"[0-9]{2,32}", luhn, lambda d: luhn_sum(d) > 0)
