"""Columns of invented people in many languages: found under telling names, and by their values alone."""

from __future__ import annotations

import base64
import functools
import random
from typing import Any

import polars as pl
import pytest
from faker import Faker

from plainview.detectors.persons import name_tags
from plainview.matching.batches import TableProfiler
from plainview.pipeline.scanner import Scanner
from plainview.tables import Table

ROWS = 200
RNG = random.Random(5)


@pytest.fixture(autouse=True)
def seeded(request: pytest.FixtureRequest) -> None:
    """Each test has its own random values, whichever tests ran before it."""
    RNG.seed(request.node.name)
    for fake in MADE.values():
        fake.seed_instance(11)


@functools.cache
def scanner() -> Scanner:
    return Scanner()


MADE: dict[str, Faker] = {}


def made(locale: str) -> Faker:
    if locale not in MADE:
        MADE[locale] = Faker(locale)
        MADE[locale].seed_instance(11)
    return MADE[locale]


class Late:
    """A Faker that is made when it is first asked: to collect the tests takes none."""

    def __init__(self, locale: str) -> None:
        self.locale = locale

    def __getattr__(self, name: str) -> Any:
        return getattr(made(self.locale), name)


LOCALES = ("en_US", "de_DE", "fr_FR", "es_ES", "zh_CN", "ru_RU", "it_IT", "pl_PL", "pt_BR", "ja_JP", "nl_NL", "tr_TR")
FAKES = {locale: Late(locale) for locale in LOCALES}
EN, DE, FR, ES, ZH, RU = (FAKES[k] for k in ("en_US", "de_DE", "fr_FR", "es_ES", "zh_CN", "ru_RU"))


def luhn(body: str) -> str:
    total = sum((d * 2 - 9 if d > 4 else d * 2) if i % 2 == 0 else d for i, d in enumerate(map(int, reversed(body))))
    return body + str(-total % 10)


def resident_id() -> str:
    body = (
        f"110101{RNG.randrange(1950, 2010)}{RNG.randrange(1, 13):02}{RNG.randrange(1, 29):02}{RNG.randrange(1000):03}"
    )
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return body + "10X98765432"[sum(int(c) * w for c, w in zip(body, weights, strict=True)) % 11]


def imei() -> str:
    return luhn("35" + "".join(RNG.choices("0123456789", k=12)))


PHOTO = base64.b64encode(b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(range(200))).decode()
# maker, category, telling names, found by values alone
KINDS = {
    "zh_name": (lambda: ZH.name(), "person_name", ("姓名", "客户姓名", "xingming"), True),
    "de_name": (lambda: DE.name(), "person_name", ("Kundenname", "vollständiger Name"), True),
    "ru_name": (lambda: RU.name(), "person_name", ("ФИО", "fio"), True),
    "given": (lambda: ES.first_name(), "person_name", ("nombre de pila", "first_name", "prénom"), True),
    "surname": (lambda: FR.last_name(), "person_name", ("nom de famille", "apellidos", "cognome"), True),
    "email": (lambda: EN.email(), "email_address", ("E-Mail-Adresse", "correo", "邮箱"), True),
    "phone": (lambda: f"+49 {RNG.randrange(150, 179)} {RNG.randrange(10**6, 10**7)}", "telephone_number", ("Telefon", "телефон", "电话"), True),
    "us_phone": (lambda: f"({RNG.randrange(201, 989)}) 555-{RNG.randrange(1000, 9999)}", "telephone_number", ("phone",), True),
    "cn_mobile": (lambda: "1" + RNG.choice(["38", "39", "50", "86"]) + f"{RNG.randrange(10**8):08}", "telephone_number", ("手机号",), True),
    "de_address": (lambda: DE.street_address(), "postal_address", ("Anschrift", "Straße"), True),
    "us_address": (lambda: EN.street_address(), "postal_address", ("address", "street_address"), True),
    "zh_address": (lambda: ZH.address(), "postal_address", ("家庭住址", "地址"), True),
    "fr_address": (lambda: FR.street_address(), "postal_address", ("adresse",), True),
    "dob": (lambda: EN.date_of_birth(minimum_age=18, maximum_age=85).isoformat(), "birth_date", ("fecha_nacimiento", "出生日期", "تاريخ_الميلاد"), False),
    "cn_id": (resident_id, "national_id", ("身份证号",), True),
    "br_cpf": (lambda: FAKES["pt_BR"].cpf(), "national_id", ("CPF",), True),
    "pesel": (lambda: FAKES["pl_PL"].pesel(), "national_id", ("PESEL",), True),
    "codice": (lambda: FAKES["it_IT"].ssn(), "national_id", ("codice fiscale",), True),
    "us_ssn": (lambda: EN.ssn(), "national_id", ("SSN", "social_security_number"), True),
    "es_nif": (lambda: ES.nif(), "national_id", ("DNI", "nif"), True),
    "fr_nir": (lambda: FR.ssn().replace(" ", ""), "national_id", ("numero_securite_sociale",), True),
    "tr_id": (lambda: FAKES["tr_TR"].ssn(), "national_id", ("tc_kimlik_no",), True),
    "card": (lambda: EN.credit_card_number("visa16"), "payment_card", ("cc_number", "Kartennummer"), True),
    "iban": (lambda: DE.iban(), "bank_account", ("IBAN",), True),
    "imei": (imei, "device_identifier", ("IMEI",), True),
    "mac": (lambda: EN.mac_address(), "mac_address", ("mac",), True),
    "ip": (lambda: EN.ipv4_public(), "ip_address", ("last_ip", "IP-Adresse"), True),
    "ua": (lambda: EN.user_agent(), "user_agent", ("user_agent",), True),
    "username": (lambda: EN.user_name(), "username", ("username", "Benutzername", "логин"), False),
    "bcrypt": (lambda: "$2b$12$" + "".join(RNG.choices("./ABCDabcd0123456789", k=53)), "password", ("password_hash",), True),
    "diagnosis": (lambda: RNG.choice(["E11.9", "J45.0", "F32.1", "I10", "C50.9", "K21.0", "M54.5", "F20.0"]), "health", ("diagnosis_code", "ICD10", "Diagnose"), False),
    "ethnicity": (lambda: RNG.choice(["汉族", "维吾尔族", "回族", "藏族", "满族"]), "ethnic_origin", ("民族", "mz"), False),
    "religion": (lambda: RNG.choice(["katholisch", "evangelisch", "muslimisch", "jüdisch", "keine"]), "religion", ("Konfession", "religion"), False),
    "party": (lambda: RNG.choice(["PSOE", "PP", "VOX", "Podemos", "Ciudadanos"]), "political_opinion", ("partido_politico",), False),
    "orientation": (lambda: RNG.choice(["heterosexual", "homosexual", "bisexual"]), "sexual", ("sexual_orientation",), False),
    "gender": (lambda: RNG.choice("mf"), "gender", ("gender", "Geschlecht", "xb"), False),
    "salary": (lambda: str(RNG.randrange(24_000, 90_000)), "salary", ("salary", "Gehalt", "зарплата"), False),
    "photo": (lambda: PHOTO, "photograph", ("Passfoto", "photo"), False),
    "plate": (lambda: DE.license_plate(), "vehicle_plate", ("Kennzeichen", "license_plate"), False),
    "passport": (lambda: f"C{RNG.randrange(10**7, 10**8)}", "passport_number", ("passport_number", "护照号"), False),
    "age": (lambda: str(RNG.randrange(18, 90)), "age", ("age", "Alter"), False),
    "nationality": (lambda: RNG.choice(["German", "French", "Polish", "Italian"]), "nationality", ("nationality", "Staatsangehörigkeit"), False),
}  # fmt: skip


def found(columns: dict[str, pl.Series]) -> dict[str, set[str]]:
    profiler = TableProfiler(scanner().engine.matcher, scanner().engine.names, "t.csv")
    profiler.add(pl.DataFrame(columns))
    profiler.finish()
    out: dict[str, set[str]] = {}
    for column in scanner().table_report(Table("t.csv", "csv"), profiler.total)[0].columns:
        out.setdefault(column.path, set()).add(column.category)
    return out


def values(kind: str) -> pl.Series:
    return pl.Series([KINDS[kind][0]() for _ in range(ROWS)], dtype=pl.String)


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, entry in KINDS.items() for name in entry[2]])
def test_under_a_telling_name(kind: str, name: str) -> None:
    got = (
        found({"kontakt_email": values("email"), name: values(kind)})
        if kind != "email"
        else found({name: values(kind)})
    )
    assert KINDS[kind][1] in got.get(name, set()), got


@pytest.mark.parametrize("kind", [kind for kind, entry in KINDS.items() if entry[3]])
def test_by_values_alone(kind: str) -> None:
    got = found({"c1": values(kind), "c2": pl.Series([str(i) for i in range(ROWS)])})
    assert KINDS[kind][1] in got.get("c1", set()), got


def test_face_templates_beside_pictures() -> None:
    rng = random.Random(1)
    vectors = []
    for _ in range(50):
        v = [rng.gauss(0, 1) for _ in range(512)]
        norm = sum(x * x for x in v) ** 0.5
        vectors.append([x / norm for x in v])
    columns = {"kontakt_email": values("email")[:50], "photo": values("photo")[:50], "v": pl.Series(vectors)}
    assert found(columns)["v[]"] == {"face_template"}
    named = {"kontakt_email": values("email")[:50], "face_embedding": pl.Series(vectors)}
    assert found(named)["face_embedding[]"] == {"face_template"}


CALLS = ("+48 32 137 76 01", "796 870 432", "0048 730 996 989", "667-933-802", "+48 884 004 761", "(32) 440 11 20")


def calls(i: int) -> str:
    return CALLS[i % len(CALLS)][:-2] + f"{i % 90 + 10}"


def test_telephone_numbers_written_in_several_ways() -> None:
    numbers = pl.Series([calls(i) for i in range(ROWS)])
    assert found({"c1": numbers})["c1"] == {"telephone_number"}


def test_numbers_dialled_at_home_need_people_beside_them() -> None:
    home = pl.Series([f"0{RNG.randrange(10**8, 10**9)}" for _ in range(ROWS)])
    assert found({"c1": home, "c2": values("email")})["c1"] == {"telephone_number"}
    assert found({"c1": home}) == {}
    grouped = pl.Series(
        [f"{RNG.randrange(100, 999)} {RNG.randrange(100, 999)} {RNG.randrange(100, 999)}" for _ in range(ROWS)]
    )
    assert "c1" not in found({"c1": grouped, "c2": values("email")})


@pytest.mark.parametrize(
    ("name", "value"),
    [("adresse", "Nielsengrenda {}"), ("पता", "{} लीला महरा, चित्रकूट"), ("Διεύθυνση", "Μυροφύλλου {}")],
)
def test_addresses_of_any_country_under_a_telling_name(name: str, value: str) -> None:
    cells = pl.Series([value.format(i) for i in range(1, ROWS)])
    assert found({name: cells, "email": values("email")[1:]})[name] == {"postal_address"}
    assert found({name: cells, "n": pl.Series(range(1, ROWS))}) == {}  # of what, nobody says


def test_a_street_does_not_make_people_of_a_table() -> None:
    assert found({"street": pl.Series([f"Quiet {w}" for w in "Row Lane Yard Mews Gate Hill Green Walk".split()])}) == {}


@pytest.mark.parametrize(
    "names",
    [
        ["अनिरुद्ध मिश्रा", "भरत मिश्रा", "अनिरुद्ध शर्मा"], ["清水 修平", "高橋 稔", "佐々木 裕太"], ["บุญพา แนวพนิช", "นายบุญพา แนวพนิช"],
    ],
)  # fmt: skip
def test_names_in_scripts_with_marks_and_with_blanks(names: list[str]) -> None:
    assert all("full" in name_tags(name) for name in names)


def test_family_names_in_han_alone() -> None:
    assert "surname" in name_tags("清水")
    assert "surname" in name_tags("毛")
    assert "surname" not in name_tags("品")


@pytest.mark.parametrize(
    "text",
    [
        "Novák s.r.o.",
        "Dvořák, a.s.",
        "Pogačnik d.o.o.",
        "Durand S.A.R.L.",
        "Paseo Juan López",
        "Kỹ sư phần mềm",
        "Calle de Ana Pérez",
    ],
)
def test_firms_streets_and_vietnamese_words_are_no_names(text: str) -> None:
    assert "full" not in name_tags(text)


def test_half_a_list_of_words_that_may_be_names() -> None:
    names = "Smith Miller Johnson Clark Baker Jackson Nelson Taylor Collins Murphy Simpson Thompson".split()
    rocks = "Quartzite Feldspar Gneiss Schist Andesite Dolomite Rhyolite Obsidian Pumice Travertine".split()
    assert found({"c1": pl.Series(names + rocks)}) == {}
    assert found({"c1": pl.Series(names + rocks[:2])})["c1"] == {"person_name"}


def test_rare_family_names_beside_given_names() -> None:
    family = pl.Series(
        "Rossi Acciai Bianchi Aglietti Colombo Burgalassi Ricci Cecconi Moretti Chimenti Conti Doccini "
        "Galli Faglioli Costa Gerbi Fontana Innocenti Ferrari Lelli Esposito Maccioni".split()
    )
    given = pl.Series(
        "Anna Marco Giulia Paolo Elena Luca Maria Andrea Sara Pietro Laura Carlo "
        "Chiara Antonio Silvia Roberto Marta Stefano Paola Franco Rita Bruno".split()
    )
    assert found({"c1": given, "c2": family})["c2"] == {"person_name"}
    rocks = pl.Series(
        [f"{w}{e}" for w in ("Quartz", "Feldspar", "Gneiss") for e in ("", "ic", "ite", "ous", "al", "oid", "ar")]
        + ["Sand"]
    )
    assert "c2" not in found({"c1": given, "c2": rocks})
