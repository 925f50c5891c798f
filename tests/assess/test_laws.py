"""Laws are data with their date and source; every category has its row; nothing is decided."""

from __future__ import annotations

import csv
from importlib.resources import files

import pytest

from plainview.assess.laws import laws, named, regimes
from plainview.codes import COUNTRIES
from plainview.detectors import categories
from plainview.report import drafting
from plainview.report.model import People, PeopleGroup

REGIMES = regimes()["regime"]


def test_every_category_has_a_law_a_class_an_edpb_field_and_a_concept() -> None:
    assert set(named()) == set(categories())
    options = drafting.template()["properties"]["field_70"]["x-options"]
    source = files("plainview").joinpath("detectors", "categories.csv").read_text("utf-8")
    for row in csv.DictReader(source.splitlines()):
        assert row["dpv_concept"].startswith("pd:")
        assert row["enisa_class"]
        assert row["edpb_field70"] in {*options, "(f65 i)"}, "an option of the template, or where else it is told"
        assert row["special_category"] in ("true", "false")
    for row in named().values():
        assert all(row.values()), row
        assert row["gdpr"].startswith(("4(1)", "9(1)", "10", "rec75"))


@pytest.mark.parametrize("regime", REGIMES, ids=lambda regime: regime["id"])
def test_every_regime_says_its_date_source_and_what_is_open(regime: dict[str, object]) -> None:
    for key in ("name", "where", "applies", "clock", "starts", "source", "basis"):
        assert regime[key]
    assert regime["column"] in {"none", *next(iter(named().values()))}
    assert set(regime["countries"]) <= set(COUNTRIES)  # type: ignore[call-overload]
    assert set(regime.get("needs", ())) <= set(categories())  # type: ignore[call-overload]
    assert regimes()["as_of"]
    assert isinstance(regime.get("hours", 1), int)


def test_special_kinds_are_named_and_ordinary_ones_are_not() -> None:
    found = {law.id: law for law in laws({"health", "email_address", "criminal", "location_history"}, None)}
    assert found["gdpr-33"].named == ("criminal", "health")
    assert found["cn-pipl-57"].named == ("health", "location_history")
    assert "us-hipaa" in found
    assert "us-hipaa" not in {law.id for law in laws({"email_address"}, None)}
    assert laws((), None) == ()


def test_laws_of_countries_that_were_seen_come_first() -> None:
    people = People(low=9, by_country=(PeopleGroup(name="BR", low=5), PeopleGroup(name="unknown", low=4)))
    found = laws({"email_address"}, people)
    assert found[0].id == "br-lgpd-48"
    assert found[0].seen == ("BR",)
    assert not any(law.seen for law in found[1:])


def test_the_moment_of_awareness_is_never_stated() -> None:
    for law in laws(set(categories()), People()):
        assert (
            "aware" in law.starts
            or "discover" in law.starts
            or "leak" in law.starts
            or "suspect" in law.starts
            or ("assesses" in law.starts or "determines" in law.starts or "knew" in law.starts)
        )
