"""Field names are read in any spelling, and words beside them turn their meaning."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plainview.detectors import Detector
from plainview.detectors.fieldnames import NameIndex, people_word, tokens

DETECTORS = [
    Detector(name="email", label="e-mail", category="email_address", names=("email", "e-mail address", "邮箱"), names_not=("email template",)),
    Detector(name="birth", label="birth", category="birth_date", names=("date of birth", "Geburtsdatum")),
    Detector(name="person_name", label="name", category="person_name", names=("customer name", "author name")),
    Detector(name="address", label="address", category="postal_address", names=("address",)),
]  # fmt: skip
INDEX = NameIndex(DETECTORS)


def strength(path: str, detector: str, table: str = "") -> float:
    return max((m.strength for m in INDEX.match(path, table) if m.detector == detector), default=0.0)


@pytest.mark.parametrize(
    ("path", "detector"),
    [
        ("email", "email"), ("EmailAddress", "email"), ("customer_email", "email"), ("email2", "email"), ("E-Mail", "email"),
        ("客户邮箱", "email"), ("dateofbirth", "birth"), ("customerDateOfBirth", "birth"), ("GEBURTSDATUM", "birth"),
        ("author.name", "person_name"), ("commits[].author.name", "person_name"), ("users.{}.email", "email"),
    ],
)  # fmt: skip
def test_found(path: str, detector: str) -> None:
    assert strength(path, detector) >= 0.5


@pytest.mark.parametrize(
    ("path", "detector"),
    [
        ("email_verified", "email"), ("email_template_id", "email"), ("number_of_email", "email"), ("name", "person_name"),
        ("repository.name", "person_name"), ("birth", "birth"),
    ],
)  # fmt: skip
def test_not_found(path: str, detector: str) -> None:
    assert strength(path, detector) < 0.5


def test_the_table_says_whose_name() -> None:
    assert strength("name", "person_name", "crm/Customers.csv") >= 0.5
    assert strength("name", "person_name", "crm/products.csv") == 0
    assert people_word("hr/employees.csv")
    assert not people_word("stock/films.csv")


def test_the_name_of_a_user_is_no_user_name() -> None:
    assert [m.detector for m in INDEX.match("name", "users.jsonl")] == ["person_name"]


def test_the_longest_entry_wins() -> None:
    assert strength("email_address", "address") == 0


@given(st.text(max_size=60))
def test_any_name_can_be_split(name: str) -> None:
    assert all(part == part.casefold() or part for part in tokens(name))
    INDEX.match(name)


SCRIPTS = NameIndex(
    [
        Detector(name="street", label="a", category="postal_address", names=("पता", "adı", "kod pocztowy łódź", "Straßenname für Gäste")),
        Detector(name="husband", label="b", category="family", names=("पति",)),
        Detector(name="phone", label="c", category="telephone_number", names=("फोन", "الهاتف الأول", "fødselsnummer")),
        Detector(name="given", label="d", category="person_name", names=("名", "ชื่อจริง")),
        Detector(name="passport", label="e", category="passport_number", names=("número de pasaporte", "permis de conduire")),
    ]
)  # fmt: skip


@pytest.mark.parametrize(
    ("name", "detectors"),
    [
        ("पता", {"street"}), ("पति", {"husband"}), ("फ़ोन", {"phone"}), ("ADI", {"street"}), ("الهاتف الاول", {"phone"}),
        ("fodselsnummer", {"phone"}), ("foedselsnummer", {"phone"}), ("kod_pocztowy_lodz", {"street"}),
        ("strassenname_fuer_gaeste", {"street"}), ("名", {"given"}), ("品名", set()), ("ชื่อจริง", {"given"}),
        ("num_pasaporte", {"passport"}), ("nro pasaporte", {"passport"}), ("permis_conduire", {"passport"}), ("conduire", set()),
    ],
)  # fmt: skip
def test_letters_that_are_written_in_two_ways(name: str, detectors: set[str]) -> None:
    assert {m.detector for m in SCRIPTS.match(name)} == detectors
