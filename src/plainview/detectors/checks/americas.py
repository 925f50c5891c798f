"""Personal numbers of the Americas."""

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
    luhn_sum,
    not_repeated,
    number,
    pair,
    weighted,
)


def _cpf_digit(d: Codes, length: int) -> Codes:
    return -weighted(d, range(length + 1, 1, -1)) % 11 % 10


def _cpf(d: Codes) -> Bools:
    # 11 - s mod 11, where 10 and 11 become 0: the same as -s mod 11, where 10 becomes 0
    return (_cpf_digit(d[:9], 9) == d[9]) & (_cpf_digit(d[:10], 10) == d[10])


def _pis(d: Codes) -> Bools:
    return -weighted(d, (3, 2, 9, 8, 7, 6, 5, 4, 3, 2)) % 11 % 10 == d[10]


def _cns(d: Codes) -> Bools:
    return weighted(d, range(15, 0, -1)) % 11 == 0


def _voter_br(d: Codes) -> Bools:
    state = pair(d, 8)
    first = weighted(d, range(2, 10)) % 11 % 10
    second = (d[8] * 7 + d[9] * 8 + first * 9) % 11 % 10
    return (state >= 1) & (state <= 28) & (first == d[10]) & (second == d[11])


def _cnh(d: Codes) -> Bools:
    first = weighted(d, range(9, 0, -1)) % 11
    less = np.where(first >= 10, 2, 0)
    second = weighted(d, range(1, 10)) % 11 - less
    second = np.where(second < 0, second + 11, second)
    return (np.where(first >= 10, 0, first) == d[9]) & (np.where(second >= 10, 0, second) == d[10])


def _cuit(d: Codes) -> Bools:
    rest = (11 - weighted(d, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11) % 11
    return np.where(rest == 10, 9, rest) == d[10]


def _rut(d: Codes) -> Bools:
    # persons have numbers below 50 million; companies begin at 60 or 70 million
    body = d[:-1]
    rest = weighted(body[::-1], (2, 3, 4, 5, 6, 7, 2, 3)) % 11
    digit = (11 - rest) % 11
    return (np.where(digit == 10, 20, digit) == d[-1]) & (number(body) < 50_000_000)


def _nit_co(d: Codes) -> Bools:
    weights = (3, 7, 13, 17, 19, 23, 29, 37, 41, 43, 47, 53, 59, 67, 71)
    rest = weighted(d[:-1][::-1], weights) % 11
    return np.where(rest > 1, 11 - rest, rest) == d[-1]


def _ecuadorian(d: Codes) -> Bools:
    doubled = d[0:9:2] * 2
    return (np.where(doubled > 9, doubled - 9, doubled).sum(axis=0) + d[1::2].sum(axis=0)) % 10 == 0


def _peruvian(d: Codes) -> Bools:
    rest = weighted(d, (3, 2, 7, 6, 5, 4, 3, 2)) % 11
    digits = np.array([6, 5, 4, 3, 2, 1, 1, 0, 9, 8, 7], dtype=np.int32)[rest]
    return np.where(d[8] > 9, 30 - d[8] - 10 == rest, digits == d[8])


def _uruguayan(d: Codes) -> Bools:
    padded = d if len(d) == 8 else np.concatenate([np.zeros((1, d.shape[1]), dtype=np.int32), d])
    return -weighted(padded, (2, 9, 8, 7, 6, 3, 4)) % 10 == padded[7]


def _dui(d: Codes) -> Bools:
    return -weighted(d, range(9, 1, -1)) % 10 == d[8]


def _cui_gt(d: Codes) -> Bools:
    department, municipality = pair(d, 9), pair(d, 11)
    known = (department >= 1) & (department <= 22) & (municipality >= 1) & (municipality <= 40)
    return known & (weighted(d, range(2, 10)) % 11 == d[8])


def _cuban(d: Codes) -> Bools:
    century = np.where(d[6] == 9, 1800, np.where(d[6] <= 5, 1900, 2000))
    return is_date(century + pair(d, 0), pair(d, 2), pair(d, 4))


def _mexican_letters(d: Codes) -> Codes:
    return np.where(d > 23, d + 1, d)  # Ñ or & stands after N in the official alphabet


def _curp(d: Codes) -> Bools:
    century = np.where(d[16] > 9, 2000, 1900)
    dated = is_date(century + pair(d, 4), pair(d, 6), pair(d, 8))
    return dated & (-weighted(_mexican_letters(d[:17]), range(18, 1, -1)) % 10 == d[17])


def _rfc(d: Codes) -> Bools:
    dated = is_short_date(pair(d, 4), pair(d, 6), pair(d, 8))
    rest = -weighted(_mexican_letters(d[:12]), range(13, 1, -1)) % 11
    return dated & (rest == d[12])


def _ssn(d: Codes) -> Bools:
    area = number(d[:3])
    # 078-05-1120 was printed on wallets, 219-09-9999 and 457-55-5462 in advertisements
    shown = np.isin(number(d), (78051120, 219099999, 457555462))
    return (area > 0) & (area != 666) & (area < 900) & (pair(d, 3) > 0) & (number(d[5:]) > 0) & ~shown


def _itin(d: Codes) -> Bools:
    group = pair(d, 3)
    return (group >= 50) & (group <= 99) & ~np.isin(group, (66, 67, 68, 69, 89, 93))


def _npi(d: Codes) -> Bools:
    return (luhn_sum(d) + 24) % 10 == 0  # 24 is the Luhn sum of the prefix 80840


def _dea(d: Codes) -> Bools:
    return (d[2] + d[4] + d[6] + 2 * (d[3] + d[5] + d[7])) % 10 == d[8]


def _phn_bc(d: Codes) -> Bools:
    return (11 - weighted(d[1:], (2, 4, 8, 5, 10, 9, 7, 3)) % 11) % 11 == d[9]


def _ramq(d: Codes) -> Bools:
    month = pair(d, 6)
    return is_short_date(pair(d, 4), np.where(month > 50, month - 50, month), pair(d, 8))


def _rif(d: Codes) -> Bools:
    # V: Venezuelan, E: foreigner, P: passport; J, G and C are organisations
    head = np.select([d[0] == 31, d[0] == 14], [4, 8], default=16)
    rest = (head + weighted(d[1:], (3, 2, 7, 6, 5, 4, 3, 2))) % 11
    return np.where(rest > 1, 11 - rest, 0) == d[9]


_MBI = r"[1-9][AC-HJKMNP-RT-Y][0-9AC-HJKMNP-RT-Y][0-9][AC-HJKMNP-RT-Y][0-9AC-HJKMNP-RT-Y][0-9]"
_CURP_STATE = "(?:AS|BC|BS|CC|CH|CL|CM|CS|DF|DG|GR|GT|HG|JC|MC|MN|MS|NE|NL|NT|OC|PL|QR|QT|SL|SP|SR|TC|TL|TS|VZ|YN|ZS)"

AMERICAS: Final[dict[str, Function]] = {
    "ar_cuit_person": check(r"2[0347][0-9]{9}", _cuit),
    "br_cnh": check(r"[0-9]{11}", _cnh, not_repeated),
    "br_cns": check(r"[12789][0-9]{14}", _cns),
    "br_cpf": check(r"[0-9]{11}", _cpf, not_repeated),
    "br_pis": check(r"[0-9]{11}", _pis, not_repeated),
    "br_voter": check(r"[0-9]{12}", _voter_br),
    "ca_bc_phn": check(r"9[0-9]{9}", _phn_bc),
    "ca_ohip": check(r"[1-9][0-9]{9}(?:[A-Z]{2})?", lambda d: luhn(d[:10]), lambda d: not_repeated(d[:10])),
    "ca_ramq": check(r"[A-Z]{4}[0-9]{8}", _ramq),
    "ca_sin": check(r"[1-79][0-9]{8}", luhn, not_repeated),
    "cl_rut": check(r"[0-9]{7,8}[0-9K]", _rut),
    "co_nit": check(r"[0-9]{8,11}", _nit_co, not_repeated),
    "cu_ni": check(r"[0-9]{11}", _cuban),
    "do_cedula": check(r"[0-9]{11}", luhn, not_repeated),
    "ec_ci": check(r"(?:0[1-9]|1[0-9]|2[0-4]|30|50)[0-6][0-9]{7}", _ecuadorian),
    "gt_cui": check(r"[0-9]{13}", _cui_gt),
    "mx_curp": check(r"[A-Z]{4}[0-9]{6}[HMX]" + _CURP_STATE + r"[A-Z]{3}[0-9A-Z][0-9]", _curp),
    "mx_nss": check(r"[0-9]{11}", luhn, not_repeated),
    "mx_rfc_person": check(r"[A-Z]{4}[0-9]{6}[1-9A-V][1-9A-Z][0-9A]", _rfc),
    "pe_cui": check(r"[0-9]{8}[0-9A-K]", _peruvian),
    "sv_dui": check(r"[0-9]{9}", _dui, not_repeated),
    "us_dea": check(r"[ABCDEFGHJKLMPRSTUX][A-Z9][0-9]{7}", _dea),
    "us_itin": check(r"9[0-9]{8}", _itin),
    "us_mbi": check(_MBI + r"[AC-HJKMNP-RT-Y]{2}[0-9]{2}"),
    "us_npi": check(r"[12][0-9]{9}", _npi),
    "us_ssn": check(r"[0-9]{9}", _ssn, not_repeated),
    "uy_ci": check(r"[0-9]{7,8}", _uruguayan, not_repeated),
    "ve_rif_person": check(r"[VEP][0-9]{9}", _rif),
}
