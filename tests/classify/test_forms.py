"""The same thing written in another form, under a telling name: dates of birth, addresses of devices, accounts, cards."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable

import polars as pl
import pytest

from plainview.matching.batches import profile
from plainview.pipeline.engine import Engine

ENGINE = Engine()
ROWS = 120
EPOCH = dt.date(1970, 1, 1)
ROMAN = "I II III IV V VI VII VIII IX X XI XII".split()


def found(columns: dict[str, list[str]]) -> dict[str, set[str]]:
    table = profile([pl.DataFrame(columns)], ENGINE.matcher, ENGINE.names, "t.csv")
    out: dict[str, set[str]] = {}
    for column in ENGINE.judge("t.csv", table):
        out.setdefault(column.path, set()).add(column.category)
    return out


def days() -> list[dt.date]:
    rng = random.Random(7)
    return [dt.date(1940, 1, 1) + dt.timedelta(days=rng.randrange(25_000)) for _ in range(ROWS)]


BIRTHS: dict[str, Callable[[dt.date], str]] = {
    "spreadsheet serial": lambda d: str((d - dt.date(1899, 12, 30)).days),
    "serial with a fraction": lambda d: f"{(d - dt.date(1899, 12, 30)).days}.0",
    "days since 1960": lambda d: str((d - dt.date(1960, 1, 1)).days),
    "seconds": lambda d: str((d - EPOCH).days * 86_400),
    "milliseconds": lambda d: str((d - EPOCH).days * 86_400_000),
    "milliseconds as a float": lambda d: f"{(d - EPOCH).days * 86_400_000}.0",
    "number read as a float": lambda d: f"{d:%Y%m%d}.0",
    "HL7": lambda d: f"{d:%Y%m%d}000000",
    "SAS": lambda d: f"{d:%d%b%Y}".upper(),
    "SAS with time": lambda d: f"{d:%d%b%Y}:00:00:00".upper(),
    "Roman month": lambda d: f"{d.day}.{ROMAN[d.month - 1]}.{d.year}",
    "Roman month with blanks": lambda d: f"{d.day} {ROMAN[d.month - 1]} {d.year}",
    "day of the year": lambda d: f"{d:%Y-%j}",
    "RFC 2822": lambda d: f"{d:%a, %d %b %Y} 00:00:00 +0000",
    "ctime": lambda d: f"{d:%a %b %d} 00:00:00 CET {d:%Y}",
    "Oracle": lambda d: f"{d:%d-%b-%y} 12.00.00.000000 AM".upper(),
    "Russian": lambda d: f"{d:%d.%m.%Y} г.",
    "JSON of .NET": lambda d: f"/Date({(d - EPOCH).days * 86_400_000}+0200)/",
    "no year": lambda d: f"{d.day} {d:%B}",
    "month first, no year": lambda d: f"{d:%b} {d.day}",
    "about": lambda d: f"ca. {d.year}",
    "Taiwan": lambda d: f"民國{d.year - 1911}年{d.month}月{d.day}日",
    "Thai": lambda d: f"{d.day} มกราคม {d.year + 543}",
}


@pytest.mark.parametrize("name", ["date_of_birth", "Geburtsdatum", "fecha_nacimiento", "date de naissance", "生年月日"])
@pytest.mark.parametrize("form", BIRTHS)
def test_dates_of_birth(name: str, form: str) -> None:
    assert found({"id": [str(i) for i in range(ROWS)], name: list(map(BIRTHS[form], days()))})[name] == {"birth_date"}


@pytest.mark.parametrize("form", BIRTHS)
def test_the_same_dates_under_other_names_are_nobodys(form: str) -> None:
    columns = {name: list(map(BIRTHS[form], days())) for name in ("shipped_on", "created", "valid_until", "c3")}
    assert found(columns) == {}


RNG = random.Random(11)


def mac(separator: str, size: int) -> str:
    text = f"{RNG.getrandbits(48):012x}"
    return separator.join(text[i : i + size] for i in range(0, 12, size))


def iban() -> str:
    account = "".join(RNG.choices("0123456789", k=18))
    return f"DE{98 - int(account + '131400') % 97:02}{account}"


def grouped(text: str, separator: str) -> str:
    return separator.join(text[i : i + 4] for i in range(0, len(text), 4))


def card() -> str:
    body = "4" + "".join(RNG.choices("0123456789", k=14))
    total = sum((d * 2 - 9 if d > 4 else d * 2) if i % 2 == 0 else d for i, d in enumerate(map(int, reversed(body))))
    return body + str(-total % 10)


def number() -> int:
    return RNG.randrange(1 << 26, 1 << 32)


FORMS: list[tuple[tuple[str, ...], Callable[[], str], str]] = [
    (("mac", "bssid", "adresse_mac", "wlan_mac"), lambda: mac("", 12), "mac_address"),
    (("mac_address",), lambda: mac("", 12).upper(), "mac_address"),
    (("mac_addr",), lambda: mac(" ", 2), "mac_address"),
    (("hwaddr",), lambda: mac("-", 6), "mac_address"),
    (("MAC",), lambda: "0x" + mac("", 12), "mac_address"),
    (("ip", "src_ip", "client_ip", "IP-Adresse"), lambda: str(number()), "ip_address"),
    (("remote_addr",), lambda: f"0x{number():08X}", "ip_address"),
    (("last_ip",), lambda: str(number() - (1 << 32)), "ip_address"),
    (("iban", "c1"), lambda: grouped(iban(), " ").lower(), "bank_account"),
    (("iban", "c1"), lambda: grouped(iban(), "."), "bank_account"),
    (("iban", "c1"), lambda: grouped(iban(), "  "), "bank_account"),
    (("iban",), lambda: grouped(iban(), "/"), "bank_account"),
    (("card_number", "c1"), lambda: grouped(card(), "."), "payment_card"),
    (("kreditkarte", "c1"), lambda: grouped(card(), "  "), "payment_card"),
    (("plate", "regnr", "immat", "rejestracja"), lambda: f"{RNG.choice('ABCD')}{RNG.choice('XYZ')} {RNG.randrange(10000, 99999)}", "vehicle_plate"),
    (("FIN", "bastidor", "Fahrgestellnummer"), lambda: f"WVWZZZ1K{RNG.choice('ABC')}{RNG.choice('ABCDE')}W{RNG.randrange(100000, 999999)}", "vehicle_vin"),
    (("sími",), lambda: f"{RNG.randrange(400, 899)}-{RNG.randrange(1000, 9999)}", "telephone_number"),
    (("smtp_pass", "DB_PASS"), lambda: f"Tr0ub{RNG.randrange(1000, 9999)}", "password"),
]  # fmt: skip


@pytest.mark.parametrize(("names", "make", "category"), FORMS)
def test_other_forms(names: tuple[str, ...], make: Callable[[], str], category: str) -> None:
    for name in names:
        assert found({"n": [str(i) for i in range(ROWS)], name: [make() for _ in range(ROWS)]}).get(name) == {category}


@pytest.mark.parametrize("name", ["beneficiary", "policyholder", "Versicherungsnehmer"])
def test_a_role_is_held_by_somebody(name: str) -> None:
    names = [f"{g} {f}" for g in "Anna Melissa Frank Joe Maria Elaine Peter Hans Olga Rita".split() for f in "Smith Carlson Weber Barron Sanchez".split()]  # fmt: skip
    assert found({"ref": [str(i) for i in range(len(names))], name: names})[name] == {"person_name"}
