"""Names and values in rows: what a key says is said of its values alone, in every form of file; no key is a value."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plainview.detectors.conditions import conditioned, conditions_of, has_condition, meant, without_conditions
from plainview.detectors.pairs import MOST, is_key, is_value, said
from plainview.documents.flatten import flatten
from plainview.documents.pairs import KEYS, pairs_to_columns
from plainview.documents.walk import documents_to_frame
from plainview.files.source import FileSource
from plainview.pipeline.scanner import Scanner
from plainview.report.model import TableReport
from plainview.tables import Limits

GIVEN = "Anna Peter Maria Hans Laura Jonas Clara Felix Sofia Lukas Emma Paul".split()
FAMILY = "Schmidt Meier Huber Wagner Becker Fischer Weber Koch Bauer Wolf Klein Neumann".split()


def scanned(path: Path) -> dict[str, TableReport]:
    source = FileSource(str(path), Limits())
    try:
        return {table.name: table for table in Scanner().scan_source(source, path.name).tables}
    finally:
        source.close()


def kinds(table: TableReport) -> dict[str, str]:
    return {
        column.path + (f" where {column.where}" if column.where else ""): column.category for column in table.columns
    }


def meta(user: int, chance: random.Random) -> dict[str, str]:
    """Return what WordPress with WooCommerce keeps of a customer."""
    first, last = chance.choice(GIVEN), chance.choice(FAMILY)
    return {
        "nickname": (first + last).lower(), "first_name": first, "last_name": last, "description": "",
        "rich_editing": "true", "syntax_highlighting": "true", "comment_shortcuts": "false", "admin_color": "fresh",
        "use_ssl": "0", "show_admin_bar_front": "true", "locale": "", "wp_capabilities": 'a:1:{s:8:"customer";b:1;}',
        "wp_user_level": "0", "dismissed_wp_pointers": "", "billing_first_name": first, "billing_last_name": last,
        "billing_address_1": f"{chance.choice(['Gartenweg', 'Lindenallee', 'Hauptstr.'])} {chance.randint(1, 90)}",
        "billing_city": chance.choice(["Berlin", "Hamburg", "Wien", "Graz", "Bonn"]),
        "billing_postcode": str(chance.randint(10000, 99999)), "billing_country": "DE",
        "billing_email": f"{first.lower()}.{last.lower()}{user}@mail.example",
        "billing_phone": f"+49 30 {chance.randint(1000000, 9999999)}", "paying_customer": "1",
        "last_update": str(1_700_000_000 + user * 997), "wc_last_active": str(1_700_000_000 + user * 86400),
    }  # fmt: skip


USERMETA = """-- MySQL dump 10.13  Distrib 8.0.35, for Linux (x86_64)
--
-- Host: localhost    Database: wordpress
-- ------------------------------------------------------
DROP TABLE IF EXISTS `wp_usermeta`;
CREATE TABLE `wp_usermeta` (
  `umeta_id` bigint unsigned NOT NULL AUTO_INCREMENT,
  `user_id` bigint unsigned NOT NULL DEFAULT '0',
  `meta_key` varchar(255) COLLATE utf8mb4_unicode_520_ci DEFAULT NULL,
  `meta_value` longtext COLLATE utf8mb4_unicode_520_ci,
  PRIMARY KEY (`umeta_id`), KEY `user_id` (`user_id`), KEY `meta_key` (`meta_key`(191))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;
INSERT INTO `wp_usermeta` VALUES """


def test_a_dump_of_wordpress(tmp_path: Path) -> None:
    chance = random.Random(1)
    rows = [(user, *pair) for user in range(1, 41) for pair in meta(user, chance).items()]
    texts = (
        f"({at},{user},'{key}','{value.replace(chr(34), chr(92) + chr(34))}')"
        for at, (user, key, value) in enumerate(rows)
    )
    (tmp_path / "dump.sql").write_text(USERMETA + ",".join(texts) + ";\n", encoding="utf-8")
    (table,) = scanned(tmp_path / "dump.sql").values()
    found = kinds(table)
    wanted = {
        "billing_phone": "telephone_number", "billing_email": "email_address", "billing_address_1": "postal_address",
        "billing_city": "city", "billing_postcode": "postal_code", "billing_country": "country",
        "first_name": "person_name", "last_name": "person_name", "billing_last_name": "person_name",
        "billing_first_name": "person_name", "nickname": "username",
    }  # fmt: skip
    assert {path: kind for path, kind in found.items() if " where " in path} == {
        f"meta_value where meta_key = {key}": kind for key, kind in wanted.items()
    }
    assert all(column.matched == column.checked == 40 for column in table.columns if column.where)
    assert table.columns_total == 4
    assert table.people is not None
    assert (table.people.low, table.people.high) == (40, 40)  # by addresses, not by names in two rows


def patient(at: int, chance: random.Random) -> dict[str, object]:
    """Return a Patient as in the examples of HL7 and of Synthea: one identifier without a type, extensions in depth."""
    hl7 = "http://terminology.hl7.org/CodeSystem"
    return {
        "resourceType": "Patient", "id": f"p{at}",
        "extension": [
            {"url": "http://hl7.org/fhir/us/core/StructureDefinition/us-core-race", "extension": [
                {"url": "ombCategory", "valueCoding": {"system": "urn:oid:2.16.840.1.113883.6.238", "code": "2106-3", "display": "White"}},
                {"url": "text", "valueString": chance.choice(["White", "Asian", "Black or African American"])}]},
            {"url": "http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName", "valueString": chance.choice(FAMILY)},
            {"url": "http://hl7.org/fhir/StructureDefinition/patient-religion", "valueCodeableConcept": {
                "coding": [{"code": "1041"}], "text": chance.choice(["catholic", "jewish", "muslim"])}},
        ],
        "identifier": [
            {"system": "https://github.com/synthetichealth/synthea", "value": f"aa{at}bb"},
            {"type": {"coding": [{"system": f"{hl7}/v2-0203", "code": "MR"}], "text": "Medical Record Number"}, "value": f"MRN{at:06d}"},
            {"system": "http://hl7.org/fhir/sid/us-ssn", "value": f"{chance.randint(100, 600)}-{chance.randint(10, 99)}-{chance.randint(1000, 9999)}"},
            {"type": {"coding": [{"system": f"{hl7}/v2-0203", "code": "DL"}]}, "value": f"S{chance.randint(10**7, 10**8 - 1)}"},
        ],
        "telecom": [
            {"system": "phone", "value": f"+1 617-{chance.randint(200, 999)}-{chance.randint(1000, 9999)}", "use": "home"},
            {"system": "email", "value": f"{chance.choice(GIVEN).lower()}{at}@mail.example"},
        ],
    }  # fmt: skip


FHIR = {
    "extension[].extension[].valueString where url = us-core-race": "race",
    "extension[].valueString where url = patient-mothersMaidenName": "person_name",
    "extension[].valueCodeableConcept.text where url = patient-religion": "religion",
    "identifier[].value where type = Medical Record Number": "medical_record_number",
    "identifier[].value where system = us-ssn": "national_id",
    "identifier[].value where type = DL": "driving_licence",
    "telecom[].value where system = phone": "telephone_number",
    "telecom[].value where system = email": "email_address",
}


def as_bundle(documents: list[dict[str, object]], path: Path) -> str:
    path.write_text(json.dumps({"resourceType": "Bundle", "entry": [{"resource": one} for one in documents]}))
    return "entry[].resource."


def as_lines(documents: list[dict[str, object]], path: Path) -> str:
    path.write_text("".join(json.dumps(one) + "\n" for one in documents * 12))  # read by Polars in part
    return ""


def as_parquet(documents: list[dict[str, object]], path: Path) -> str:
    pl.DataFrame([{"telecom": one["telecom"]} for one in documents]).write_parquet(path)
    return ""


@pytest.mark.parametrize("write", [as_bundle, as_lines, as_parquet])
def test_a_resource_of_fhir(write: Callable[[list[dict[str, object]], Path], str], tmp_path: Path) -> None:
    chance = random.Random(2)
    above = write([patient(at, chance) for at in range(40)], tmp_path / "patients")
    (table,) = scanned(tmp_path / "patients").values()
    wanted = {path: kind for path, kind in FHIR.items() if write is not as_parquet or path.startswith("telecom")}
    assert {above + path: kind for path, kind in wanted.items()}.items() <= kinds(table).items()


@pytest.mark.parametrize(
    ("header", "keys"),
    [
        (("entity_id", "attribute_code", "value"), ("fullname", "dob", "telephone", "colour")),
        (("Befragte", "Frage", "Antwort"), ("Kunde", "Geburtsdatum", "Telefon", "Lieblingsfarbe")),
        (("id", "campo", "valor"), ("nombre", "fecha de nacimiento", "teléfono", "color favorito")),
        (("id", "question", "réponse"), ("nom complet", "date de naissance", "téléphone", "couleur")),
        (("ид", "поле", "значение"), ("имя", "дата рождения", "телефон", "цвет")),
        (("番号", "項目", "値"), ("氏名", "生年月日", "電話番号", "色")),
    ],
)
def test_rows_in_many_languages(header: tuple[str, ...], keys: tuple[str, ...], tmp_path: Path) -> None:
    chance = random.Random(3)
    with (tmp_path / "rows.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        for at in range(40):
            born = f"{chance.randint(1940, 2000)}-0{chance.randint(1, 9)}-1{chance.randint(0, 9)}"
            values = (
                f"{chance.choice(GIVEN)} {chance.choice(FAMILY)}",
                born,
                f"+49 30 {chance.randint(1000000, 9999999)}",
                "red",
            )
            writer.writerows((at, key, value) for key, value in zip(keys, values, strict=True))
    (table,) = scanned(tmp_path / "rows.csv").values()
    found = {path: kind for path, kind in kinds(table).items() if " where " in path}
    assert sorted(found.values()) == ["birth_date", "person_name", "telephone_number"]
    assert not any(keys[3] in path for path in found)


def test_a_form_of_one_person(tmp_path: Path) -> None:
    (tmp_path / "card.csv").write_text(
        "Name;Anna Canaria\nGeburtsdatum;12.03.1985\nTelefon;+49 30 1234567\nE-Mail;anna@mail.example\nOrt;Berlin\n"
    )
    found = {path: kind for table in scanned(tmp_path / "card.csv").values() for path, kind in kinds(table).items()}
    assert {"birth_date", "telephone_number", "email_address"} <= set(found.values())


def test_names_of_persons_and_of_things_are_no_keys(tmp_path: Path) -> None:
    chance = random.Random(4)
    lines = [f"{chance.choice(GIVEN)} {chance.choice(FAMILY)},{chance.randint(1, 99)}" for _ in range(60)]
    (tmp_path / "points.csv").write_text("name,value\n" + "\n".join(lines))
    (tmp_path / "readings.csv").write_text(
        "sensor,name,value\n"
        + "".join(f"{at},{chance.choice(['voltage', 'current', 'humidity'])},{at}\n" for at in range(60))
    )
    assert set(kinds(scanned(tmp_path / "points.csv")["points.csv"])) == {"name"}
    assert not scanned(tmp_path / "readings.csv")["readings.csv"].columns


@given(st.sampled_from(GIVEN), st.sampled_from(FAMILY), st.sampled_from(["phone", "Telefon", "email", "passport no"]))
def test_no_key_prints_a_persons_name(first: str, last: str, word: str) -> None:
    for key in (
        f"{first} {last} {word}",
        f"{word} {first}_{last}",
        f"{first}.{last}.{word}",
        f"{word} of {first} {last}",
    ):
        assert not {first, last} & {*said(key).replace("_", " ").split()}, key


def test_no_key_prints_an_address_or_a_number() -> None:
    assert said("anna@mail.example phone") == said("phone 4111111111111111") == said("email:\x1b[2J") == ""
    assert said("x" * 101 + " phone") == ""


@given(st.text(max_size=30), st.text(max_size=20), st.text(max_size=40))
def test_conditions_are_read_as_they_are_written(value: str, field: str, key: str) -> None:
    shown = said(key)
    path = conditioned("v", "k", shown) if shown else "v"
    assert without_conditions(path) == "v"
    assert conditions_of(path) == (f"k = {shown}" if shown else "")
    assert has_condition(path) == bool(shown)
    assert "where" not in meant(path)
    assert isinstance(meant(conditioned(value, field, "phone")), str)


def test_other_rows_stay_where_they_are() -> None:
    frame = pl.DataFrame({"meta_key": ["phone", "colour", None, "phone"], "meta_value": ["1", "2", "3", None]})
    made = pairs_to_columns(frame)
    assert made["meta_value"].to_list() == [None, "2", "3", None]
    assert made["meta_value where meta_key = phone"].to_list() == ["1", None, None, None]


def test_numbers_may_be_values() -> None:
    frame = pl.DataFrame({"name": ["age", "weight of parcel"], "value": [41, 7]})
    assert pairs_to_columns(frame)["value where name = age"].to_list() == [41, None]


def test_the_number_of_keys_is_bounded() -> None:
    keys = [f"phone {at}" for at in range(MOST + 20)]
    frame = pl.DataFrame({"meta_key": keys, "meta_value": keys})
    assert pairs_to_columns(frame).width == 2 + MOST
    nested = documents_to_frame([{"items": [{"key": key, "value": "1"} for key in keys]}])
    assert len([path for path in nested.columns if has_condition(path)]) <= MOST + 1
    many = [f"phone {at}" for at in range(KEYS + 1)]
    assert pairs_to_columns(pl.DataFrame({"meta_key": many, "meta_value": many})).width == 2


def test_a_table_without_pairs_is_the_same_frame() -> None:
    frame = pl.DataFrame({"id": [1, 2], "name": ["a", "b"], "price": [1.5, 2.5]})
    assert pairs_to_columns(frame) is frame


def test_objects_without_a_telling_key_are_as_before() -> None:
    frame = flatten(pl.DataFrame({"items": [[{"type": "wheel", "value": 4}], [{"type": "door", "value": 5}]]}))
    assert frame.columns == ["items[].type", "items[].value"]


def test_the_words_are_known_however_they_are_written() -> None:
    assert all(map(is_key, ["meta_key", "Attribute Name", "SCHLÜSSEL", "clé", "@name", "fieldName"]))
    assert all(map(is_value, ["meta_value", "Wert", "valueString", "valeur", "#text", "AttributeValue"]))
    assert not any(map(is_value, ["price", "evaluation", "valued_at"]))


def test_signs_are_no_keys() -> None:
    assert said("~") == said(" . ") == said("") == ""
