"""Every check against an independent implementation, on random numbers and on numbers built to be valid."""

from __future__ import annotations

import functools
import re
import time
import zlib
from collections.abc import Callable

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plainview.detectors.checks import CHECKS

DRAWS = 10_000
DIGITS, LETTERS = "0123456789", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
TOKEN = re.compile(r"\{(\w+)\}|\[([^\]]+)\]|(.)")


def draw(template: str, n: int, rng: np.random.Generator) -> pl.Series:
    """Random strings: # digit, @ letter, * either, [AB] one of these, {yyyy} {yy} {mm} {dd} of one date."""
    days = rng.integers(-25_000, 20_000, n).astype("datetime64[D]")
    year = days.astype("datetime64[Y]").astype(int) + 1970
    month = days.astype("datetime64[M]").astype(int) % 12 + 1
    day = (days - days.astype("datetime64[M]")).astype(int) + 1
    offsets = {"": 0, "20": 20, "30": 30, "40": 40, "50": 50, "60": 60, "80": 80}
    columns = []
    for token, chars, literal in TOKEN.findall(template):
        if token:
            kind, offset = re.fullmatch(r"([a-z]+)(\d*)", token).groups()
            number = {"yyyy": year, "yyy": year % 1000, "yy": year % 100, "mm": month, "dd": day}[kind]
            columns.append(pl.Series(number + offsets[offset]).cast(str).str.zfill(len(kind)))
            continue
        chars = chars or {"#": DIGITS, "@": LETTERS, "*": DIGITS + LETTERS}.get(literal, literal)
        columns.append(pl.Series(np.array(list(chars))[rng.integers(0, len(chars), n)]))
    return pl.select(pl.concat_str([pl.lit(c) for c in columns])).to_series()


def stdnum(module: str, **options: object) -> Callable[[str], bool]:
    loaded = __import__(f"stdnum.{module}", fromlist=["is_valid"])
    return functools.partial(loaded.is_valid, **options)


def idnumbers(country: str, name: str) -> Callable[[str], bool]:
    return getattr(__import__(f"idnumbers.nationalid.{country}", fromlist=[name]), name).validate


def also(condition: Callable[[str], bool], oracle: Callable[[str], bool]) -> Callable[[str], bool]:
    return lambda value: condition(value) and oracle(value)


def repeated(value: str) -> bool:
    return len(set(value)) == 1


def varied(oracle: Callable[[str], bool]) -> Callable[[str], bool]:
    """We refuse one digit all over (000000000): a filler of empty fields, and never given to anyone."""
    return also(lambda value: not repeated(value), oracle)


# check: (oracle, templates). Where ours is narrower than the oracle, a comment says why.
ORACLES: dict[str, tuple[Callable[[str], bool], list[str]]] = {
    "ae_emirates": (also(lambda v: 1880 <= int(v[3:7]) <= 2026, idnumbers("ARE", "EmiratesIDNumber")), ["784{yyyy}########"]),
    "ar_cbu": (varied(stdnum("ar.cbu")), ["#" * 22]),
    # ours are persons only: 20, 23, 24, 25, 27
    "ar_cuit_person": (also(lambda v: v[:2] in ("20", "23", "24", "25", "27"), stdnum("ar.cuit")), ["2[034567]#########"]),
    "at_insurance": (stdnum("at.vnr"), ["[123456789]###{dd}{mm}{yy}"]),
    "au_medicare": (idnumbers("AUS", "MedicareNumber"), ["[123456]#########", "[23456]##########"]),
    "au_tfn": (varied(stdnum("au.tfn")), ["#########", "########"]),
    "balkan_jmbg": (stdnum("si.emso"), ["{dd}{mm}{yyy}######"]),
    "baltic_personal": (stdnum("ee.ik"), ["[345]{yy}{mm}{dd}####"]),
    "be_account": (stdnum("be.iban"), []),
    "be_national": (stdnum("be.ssn"), ["{yy}{mm}{dd}#####", "{yy}{mm20}{dd}#####", "{yy}{mm40}{dd}#####"]),
    "bg_egn": (stdnum("bg.egn"), ["{yy}{mm}{dd}####", "{yy}{mm40}{dd}####", "{yy}{mm20}{dd}####"]),
    "br_cpf": (varied(stdnum("br.cpf")), ["###########"]),
    "ca_bc_phn": (stdnum("ca.bc_phn"), ["9#########"]),
    "ca_sin": (varied(stdnum("ca.sin")), ["#########"]),
    "ch_insurance": (stdnum("ch.ssn"), ["756##########"]),
    "cl_rut": (also(lambda v: int(v[:-1]) < 50_000_000, stdnum("cl.rut")), ["########[0123456789K]", "[12345]#######[0123456789K]"]),
    "cn_resident": (stdnum("cn.ric"), ["110101{yyyy}{mm}{dd}###[0123456789X]", "440304{yyyy}{mm}{dd}###[0123456789X]"]),
    "co_nit": (varied(stdnum("co.nit")), ["##########", "#########"]),
    "cu_ni": (stdnum("cu.ni"), ["{yy}{mm}{dd}#####"]),
    "cy_tax": (also(lambda v: v[0] in "09", stdnum("cy.vat")), ["[0193]#######@"]),
    "cz_birth_number": (stdnum("cz.rc"), ["{yy}{mm}{dd}####", "{yy}{mm50}{dd}####", "{yy}{mm50}{dd}###"]),
    "de_tax": (stdnum("de.idnr"), ["###########"]),
    "dk_cpr": (stdnum("dk.cpr"), ["{dd}{mm}{yy}####"]),
    "do_cedula": (varied(stdnum("do.cedula")), ["###########"]),
    "ec_ci": (stdnum("ec.ci"), ["##########"]),
    "es_ccc": (varied(stdnum("es.ccc")), ["#" * 20]),
    "es_dni": (stdnum("es.dni"), ["########@"]),
    "es_nie": (stdnum("es.nie"), ["[XYZ]#######@"]),
    "fi_hetu": (stdnum("fi.hetu", allow_temporary=True), ["{dd}{mm}{yy}[ABCDEFUVWXY]###*"]),
    "fr_nir": (stdnum("fr.nir"), ["[12]{yy}{mm}##########", "[12]{yy}{mm}2[AB]########"]),
    "fr_tax": (stdnum("fr.nif"), ["[0123]############"]),
    "gb_nhs": (varied(stdnum("gb.nhs")), ["##########"]),
    "gb_nino": (idnumbers("GBR", "NationalInsuranceNumber"), ["@@######[ABCDEF]"]),
    "gb_utr": (varied(stdnum("gb.utr")), ["##########"]),
    "gr_amka": (stdnum("gr.amka"), ["{dd}{mm}{yy}#####"]),
    "gr_tax": (varied(stdnum("gr.vat")), ["#########"]),
    "gt_cui": (idnumbers("GTM", "NationalID") if False else None, []),
    "hk_identity": (idnumbers("HKG", "NationalID"), ["@######[0123456789A]", "@@######[0123456789A]"]),
    "hr_oib": (stdnum("hr.oib"), ["###########"]),
    "iban": (stdnum("iban", check_country=False), ["DE####################", "GB##@@@@##############", "FR#########################"]),
    "id_nik": (stdnum("id.nik"), ["[1367][123]####{dd}{mm}{yy}####", "[1367][123]####{dd40}{mm}{yy}####"]),
    "ie_pps": (stdnum("ie.pps"), ["#######@", "#######@[ABHW]"]),
    "il_identity": (varied(stdnum("il.idnr")), ["#########"]),
    "in_aadhaar": (stdnum("in_.aadhaar"), ["############"]),
    "in_pan": (also(lambda v: v[3] == "P", stdnum("in_.pan")), ["@@@[PPPC]@####@"]),
    "in_vid": (stdnum("in_.vid"), ["################"]),
    "in_voter": (stdnum("in_.epic"), ["@@@#######"]),
    "ir_national": (varied(idnumbers("IRN", "NationalID")), ["##########"]),
    "is_kennitala": (also(lambda v: v[0] < "4", stdnum("is_.kennitala")), ["{dd}{mm}{yy}###[09]"]),
    "it_codice_fiscale": (stdnum("it.codicefiscale"), ["@@@@@@{yy}[ABCDEHLMPRST]{dd}@###@", "@@@@@@#[LMNPQ][ABCDEHLMPRST]{dd40}@##L@"]),
    "jp_my_number": (varied(stdnum("jp.in_")), ["############"]),
    "kr_resident": (stdnum("kr.rrn"), ["{yy}{mm}{dd}[1234]######"]),
    "kw_civil": (idnumbers("KWT", "CivilNumber"), ["[23]{yy}{mm}{dd}#####"]),
    "kz_iin": (idnumbers("KAZ", "IndividualIDNumber"), ["{yy}{mm}{dd}[3456]#####"]),
    "lu_national": (idnumbers("LUX", "NationalID"), ["{yyyy}{mm}{dd}#####"]),
    "lv_personal": (also(lambda v: v[0] < "4", stdnum("lv.pvn")), ["{dd}{mm}{yy}[12]####", "32#########"]),
    "mu_national": (stdnum("mu.nid"), ["@{dd}{mm}{yy}######*"]),
    "mx_curp": (stdnum("mx.curp"), ["@@@@{yy}{mm}{dd}[HM][DJ][FC]@@@[0A]#"]),
    "mx_rfc_person": (stdnum("mx.rfc", validate_check_digits=True), ["@@@@{yy}{mm}{dd}**[0123456789A]"]),
    "my_nric": (stdnum("my.nric"), ["{yy}{mm}{dd}######"]),
    "nl_bsn": (stdnum("nl.bsn"), ["#########"]),
    "nl_document": (stdnum("nl.identiteitskaartnummer"), ["@@******#"]),
    "no_account": (varied(stdnum("no.kontonr")), ["###########"]),
    "no_national": (stdnum("no.fodselsnummer"), ["{dd}{mm}{yy}#####", "{dd40}{mm}{yy}#####"]),
    "nz_account": (stdnum("nz.bankaccount"), ["[01]##############0", "[23]##############0"]),
    "nz_ird": (stdnum("nz.ird"), ["########", "#########"]),
    "nz_nhi": (idnumbers("NZL", "NationalHealthIndexNumber"), ["@@@####"]),
    "nz_nhi_2022": (idnumbers("NZL", "NationalHealthIndexNumber"), ["@@@##@@"]),
    "pe_cui": (stdnum("pe.cui"), ["########*"]),
    "pk_cnic": (stdnum("pk.cnic"), ["#############"]),
    "pl_pesel": (stdnum("pl.pesel"), ["{yy}{mm}{dd}#####", "{yy}{mm20}{dd}#####"]),
    "pt_card": (stdnum("pt.cc"), ["#########**#"]),
    "pt_tax": (also(lambda v: v[0] in "123" or v[:2] == "45", stdnum("pt.nif")), ["#########"]),
    "ro_cnp": (stdnum("ro.cnp"), ["[1256]{yy}{mm}{dd}[012]#####", "[789]{yy}{mm}{dd}######"]),
    "ru_inn": (stdnum("ru.inn"), ["############"]),
    "ru_snils": (idnumbers("RUS", "SNILS") if False else None, []),
    "sa_identity": (idnumbers("SAU", "NationalID"), ["[12]#########"]),
    "se_personal": (None, []),
    "sg_nric": (idnumbers("SGP", "NationalID"), ["[STFGM]#######@"]),
    "th_identity": (stdnum("th.pin"), ["#############"]),
    "tr_kimlik": (stdnum("tr.tckimlik"), ["###########"]),
    "tw_identity": (idnumbers("TWN", "NationalID"), ["@[12]########", "@[89ABCD]########"]),
    "ua_tax": (varied(stdnum("ua.rntrc")), ["##########"]),
    "us_itin": (stdnum("us.itin"), ["9########"]),
    "us_routing": (stdnum("us.rtn"), ["#########"]),
    "us_ssn": (varied(stdnum("us.ssn")), ["#########"]),
    "ve_rif_person": (also(lambda v: v[0] in "VEP", stdnum("ve.rif")), ["[VEPJ]#########"]),
    "vn_cccd": (idnumbers("VNM", "NationalID"), ["0###########"]),
    "za_identity": (stdnum("za.idnr"), ["{yy}{mm}{dd}####[012]##"]),
    "za_tax": (varied(stdnum("za.tin")), ["##########"]),
    "zw_national": (idnumbers("ZWE", "NationalID"), ["########@##", "#########@##"]),
    "imei": (stdnum("imei"), ["[358]##############"]),
    "imsi": (stdnum("imsi"), ["###############"]),
    "luhn": (stdnum("luhn"), ["################"]),
    "si_tax": (stdnum("si.ddv"), ["########"]),
    "pl_account": (lambda v: stdnum("iban")("PL" + v), ["#" * 26]),
    "es_insurance": (None, []),
}
ORACLES = {name: entry for name, entry in ORACLES.items() if entry[0] and entry[1]}


@pytest.mark.parametrize("name", sorted(ORACLES))
def test_agrees_with_oracle(name):
    oracle, templates = ORACLES[name]
    function = CHECKS[name].function
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    values = pl.concat([draw(template, DRAWS // len(templates), rng) for template in templates])
    built = []
    for template in templates:
        for _ in range(10):
            more = draw(template, 30_000, rng)
            good = more.filter(pl.Series(function(more)))
            built.append(good.head(600 // len(templates) + 1))
            if sum(map(len, built[-10:])) * len(templates) >= 600:
                break
    values = pl.concat([values, *built])
    ours = function(values)
    theirs = np.array([bool(oracle(value)) for value in values])
    assert (ours & theirs).sum() >= 500, (ours.sum(), theirs.sum())
    wrong = values.filter(pl.Series(ours != theirs))
    assert wrong.is_empty(), [(v, bool(oracle(v))) for v in wrong.head(8)] + [len(wrong)]
