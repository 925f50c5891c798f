"""Drafts of the notification: valid by the template, marked field by field, complete in three languages."""

from __future__ import annotations

import json

import msgspec
import pytest
from jsonschema import Draft202012Validator

from plainview.detectors import categories
from plainview.report import drafting
from plainview.report import render as reports
from plainview.report.model import Column, Coverage, Exposure, People, Report, Severity, TableReport, TargetReport
from plainview.report.render.notification import plain
from sample_report import HOSTILE, PEOPLE, SEVERITY, sample


def validator() -> Draft202012Validator:
    """Return the template as a check of drafts, in which a person has not filled anything yet."""
    schema = {key: value for key, value in drafting.template().items() if key != "required"}
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def target(
    *kinds: str, exposure: Exposure | None = None, people: People | None = PEOPLE, severity: Severity | None = SEVERITY
) -> Report:
    columns = tuple(
        Column(path=kind, category=kind, concept="", special=False, confidence=0.99, matched=9, checked=9)
        for kind in kinds
    )
    table = TableReport(name="t", kind="csv", rows=9, rows_read=9, columns=columns)
    made = TargetReport(
        target="redis://10.0.0.1:6379", kind="redis", exposure=exposure, tables=(table,), people=people, severity=severity,
        coverage=Coverage(tables_read=1, rows_read=9),
    )  # fmt: skip
    return Report(targets=(made,), finished="2026-11-24T09:41:12Z")


@pytest.mark.parametrize("state", ["lists", "reads", "writes", "admin", "unknown", None])
@pytest.mark.parametrize("people", [None, People(low=3), PEOPLE, People(low=5, estimate=5, high=5)])
def test_drafts_follow_the_template(state: str | None, people: People | None) -> None:
    exposure = Exposure(state=state, evidence=("it was read",)) if state else None  # type: ignore[arg-type]
    report = target(*categories(), exposure=exposure, people=people)
    (draft,) = json.loads(reports.render(report, "edpb"))["drafts"]
    assert [error.message for error in validator().iter_errors(draft["fields"])] == []
    assert draft["fields"].keys() == draft["marks"].keys()
    assert {mark["how"] for mark in draft["marks"].values()} == {"observed", "inferred"}
    assert all(mark["why"] for mark in draft["marks"].values())
    assert set(draft["for_a_person"]) == set(drafting.template()["required"]) - set(draft["fields"])


def test_the_template_refuses_what_is_no_option() -> None:
    assert list(validator().iter_errors({"field_3": "z"}))
    assert list(validator().iter_errors({"field_70": ["z"]}))
    assert list(validator().iter_errors({"field_68": -1}))


def test_what_a_person_decides_is_never_filled() -> None:
    (draft,) = json.loads(reports.render(target(*categories(), exposure=Exposure(state="admin")), "edpb"))["drafts"]
    never = {"field_12", "field_21", "field_46", "field_48", "field_75", "field_89", "field_92", "field_94", "field_97"}
    assert not never & draft["fields"].keys()
    assert draft["fields"]["field_44"] == "e"
    assert draft["fields"]["field_61"] == "e"


def test_numbers_and_kinds_are_those_of_the_report() -> None:
    report = target("email_address", "health", "payment_card", exposure=Exposure(state="reads"))
    fields = json.loads(reports.render(report, "edpb"))["drafts"][0]["fields"]
    assert (fields["field_67"], fields["field_68"], fields["field_73"]) == ("b", 25_000, 9)
    assert fields["field_70"] == ["b", "k", "q"]
    assert "d" in fields["field_65"], "children were seen"
    assert fields["field_60"] == ["m"]
    assert fields["field_87"] == "c"
    assert "confidentiality 0.5" in fields["field_90"]
    assert fields["field_116"] == "DE"


def test_a_sign_of_a_visitor_makes_disclosure_likely() -> None:
    quiet = target("email_address", exposure=Exposure(state="reads"))
    loud = target("email_address", exposure=Exposure(state="reads", prior_access=("strong: 1 note",)))
    assert [json.loads(reports.render(r, "edpb"))["drafts"][0]["fields"]["field_56"] for r in (quiet, loud)] == [
        "e",
        "b",
    ]


@pytest.mark.parametrize("state", ["auth_required", "unreachable", "reachable_metadata"])
def test_no_draft_is_written_of_what_is_closed(state: str) -> None:
    report = target("email_address", exposure=Exposure(state=state))  # type: ignore[arg-type]
    assert json.loads(reports.render(report, "edpb"))["drafts"] == []
    assert "nothing to draft" in reports.render(report, "notification")


@pytest.mark.parametrize("language", drafting.LANGUAGES)
def test_every_language_has_every_text(language: str) -> None:
    english, other = drafting._table("en"), drafting._table(language)
    assert english.keys() == other.keys()
    for part in ("kinds", "impacts", "steps"):
        assert english[part].keys() == other[part].keys()
        assert all(other[part].values())
    offered = drafting.template()["properties"]
    assert english["kinds"].keys() <= offered["field_70"]["x-options"].keys()
    assert english["impacts"].keys() <= offered["field_85"]["x-options"].keys()
    (one,) = drafting.concerned(target(*categories(), exposure=Exposure(state="reads")))
    text = "\n".join(drafting.letter(one, language))
    assert other["nature"] in text
    assert other["steps"]["s"] in text
    assert "25,000" not in text, "Art. 34 asks for no numbers"


def test_every_kind_and_impact_that_can_occur_has_a_text() -> None:
    options = {option for option in drafting.fields_of_categories().values() if len(option) == 1}
    assert options <= drafting._table("en")["kinds"].keys()
    (one,) = drafting.concerned(target(*categories(), exposure=Exposure(state="reads")))
    assert set(drafting.impacts(one)) <= drafting._table("en")["impacts"].keys()


def test_readable_and_json_say_the_same() -> None:
    text = reports.render(sample(), "notification")
    drafts = json.loads(reports.render(sample(), "edpb"))["drafts"]
    assert text.count("| field | | value | known |") == len(drafts) == 2
    for draft in drafts:
        assert (
            f"| 73 | Number of personal data records concerned by the personal data breach | {draft['fields']['field_73']:,} |"
            in text
        )
    assert "to be filled by a person" in text


def test_hostile_names_mean_nothing_in_markdown() -> None:
    for name in HOSTILE:
        report = sample()
        made = Report(targets=(msgspec.structs.replace(report.targets[0], target=name, severity=SEVERITY),))
        text = reports.render(made, "notification")
        assert "<script>" not in text
        assert plain(name) in text
        assert "\n" not in plain(name)
