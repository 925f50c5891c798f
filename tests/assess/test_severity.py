"""The severity of ENISA: worked cases of its method, its laws, and what a person assumes."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plainview.assess.severity import CIRCUMSTANCES, Facts, assumptions, classes, rules, severity
from plainview.assess.targets import facts_of, state_of
from plainview.detectors import categories
from plainview.errors import UsageError
from plainview.report.model import Column, Exposure, Severity, TableReport, TargetReport

NAMES = {"person_name", "postal_address", "telephone_number"}
CASES = [  # the examples of the method, by what the data tells and what a person knows: DPC
    ("customers of a supermarket", NAMES, (), 1),
    ("customers of a seller of luxury goods", NAMES, ("controller=wealth",), 2),
    ("delivery list of a pharmacy", NAMES, ("controller=sensitive",), 3),
    ("list of undercover officers", NAMES, ("individuals=protected",), 4),
    ("calls to a help desk", {"call_log"}, ("insight=none",), 1),
    ("calls of a week", {"call_log"}, (), 2),
    ("calls of a year", {"call_log"}, ("volume=high",), 3),
    ("calls to psychological support", {"call_log"}, ("controller=sensitive",), 4),
    ("purchases of a month", {"purchases"}, (), 2),
    ("positions of a year", {"location_history"}, ("volume=high",), 3),
    ("purchases in a pharmacy", {"purchases"}, ("controller=sensitive",), 4),
    ("what a network showed to all", {"social_graph"}, ("data=public",), 1),
    ("what was shared with friends in a month", {"social_graph"}, (), 2),
    ("and in a year", {"social_graph"}, ("volume=high",), 3),
    ("messages that show sexual life", {"message_content", "sexual"}, (), 4),
    ("a letter to a customer of a bank", {"income"}, ("insight=none",), 1),
    ("transactions of a day", {"income"}, ("volume=low",), 2),
    ("balances of a month", {"income"}, (), 3),
    ("statements of a year", {"income"}, ("volume=high",), 4),
    ("cards that are no longer valid", {"payment_card", "card_expiry"}, ("data=invalid", "insight=general"), 1),
    ("card numbers of an online shop", {"payment_card"}, (), 2),
    ("card numbers with the purchases of a year", {"payment_card", "purchases"}, ("volume=high",), 3),
    ("full card details", {"payment_card", "security_code", "card_expiry"}, (), 4),
    ("that a blood test was done", {"health"}, ("insight=none",), 1),
    ("that an emergency room did one", {"health"}, ("insight=general",), 2),
    ("a test for one disease", {"health"}, ("insight=partial",), 3),
    ("its results", {"health"}, (), 4),
    ("credentials of a music store", {"password"}, ("opens=simple",), 1),
    ("of a supermarket with shopping lists", {"password"}, ("opens=behavioural",), 2),
    ("of a tax portal", {"password"}, ("opens=financial",), 3),
    ("of a bank that lets money be moved", {"password"}, ("opens=transfers",), 4),
    ("of a community of a sexual preference", {"password"}, ("opens=sensitive",), 4),
]  # fmt: skip


def judged(found: set[str], *assumed: str, **more: object) -> Severity:
    result = severity(Facts(frozenset(found), **more), assumptions(assumed))  # type: ignore[arg-type]
    assert result is not None
    return result


@pytest.mark.parametrize(("case", "found", "assumed", "dpc"), CASES, ids=[case[0] for case in CASES])
def test_worked_cases_of_the_method(case: str, found: set[str], assumed: tuple[str, ...], dpc: int) -> None:
    assert judged(found, *assumed).dpc.value == dpc


def test_an_open_index_of_a_city() -> None:
    found = {"person_name", "national_id", "telephone_number", "face_template", "location_history", "ethnic_origin"}
    result = judged(found, state="reads", people=2_500_000)
    assert (result.dpc.value, result.ei.value, result.score, result.level) == (4, 1, 4.5, "very high")
    assert [part.value for part in result.cb] == [0.5, 0, 0, 0]
    assert result.flags == ("more than 100 individuals",)


@pytest.mark.parametrize(
    ("found", "ei"),
    [
        ({"gender"}, 0.25),
        ({"national_id"}, 0.25),
        ({"national_id", "birth_date"}, 0.5),
        ({"national_id", "email_address"}, 0.75),
        ({"national_id", "person_name"}, 1),
        ({"person_name"}, 0.5),
        ({"person_name", "birth_date", "email_address"}, 1),
        ({"telephone_number"}, 0.5),
        ({"email_address"}, 0.75),
        ({"photograph"}, 0.75),
        ({"photograph", "person_name"}, 1),
    ],
)
def test_ease_of_identification(found: set[str], ei: float) -> None:
    assert judged(found).ei.value == ei


@pytest.mark.parametrize(
    ("state", "confidentiality"),
    [("reads", 0.5), ("admin", 0.5), ("lists", 0.5), ("unknown", 0.5), ("file", 0.5), ("auth_required", 0),
     ("unreachable", 0), ("reachable_metadata", 0), ("loopback", 0.5), ("writes", 0.5)],
)  # fmt: skip
def test_confidentiality_by_the_state_of_the_store(state: str, confidentiality: float) -> None:
    result = judged({"email_address"}, state=state)
    assert result.cb[0].value == confidentiality
    assert result.as_if == (state == "file")


def test_a_sign_of_a_visitor_counts_and_can_be_answered() -> None:
    assert [part.value for part in judged({"email_address"}, state="reads", visited=True).cb] == [0.5, 0, 0.5, 0.5]
    answered = judged({"email_address"}, "availability=recoverable", state="reads", visited=True)
    assert [part.value for part in answered.cb] == [0.5, 0, 0, 0.5]
    assert answered.assumed == ("availability=recoverable: the data can be recovered without difficulty",)


def test_children_with_what_finds_them_are_critical() -> None:
    assert judged({"person_name", "postal_address"}).dpc.value == 1
    assert judged({"person_name", "postal_address"}, minors=True).dpc.value == 4
    assert judged({"person_name", "email_address"}, "individuals=minors").dpc.value == 4


def test_many_records_of_each_person_are_a_profile() -> None:
    assert judged({"purchases"}, rows_each=2).dpc.value == 2
    assert judged({"purchases"}, rows_each=50).dpc.value == 3


@given(
    st.frozensets(st.sampled_from(sorted(categories())), min_size=1),
    st.sampled_from(["reads", "lists", "unknown", "file", "auth_required", "loopback", "admin"]),
    st.lists(st.sampled_from([rule["say"] for rule in rules()["assume"]]), max_size=4),
    st.booleans(),
    st.booleans(),
)
def test_every_result_lies_in_the_bounds_of_the_method(found, state, assumed, minors, visited) -> None:  # type: ignore[no-untyped-def]
    result = judged(found, *assumed, state=state, minors=minors, visited=visited)
    assert result.dpc.value in {1, 2, 3, 4}
    assert result.ei.value in {0.25, 0.5, 0.75, 1}
    assert [part.name for part in result.cb] == list(CIRCUMSTANCES)
    assert all(part.value in {0, 0.25, 0.5} for part in result.cb)
    assert result.cb[3].value in {0, 0.5}
    assert 0.25 <= result.score <= 6
    assert result.score == pytest.approx(
        result.dpc.value * result.ei.value + sum(p.value for p in result.cb), abs=0.006
    )
    assert all(factor.reasons for factor in (result.dpc, result.ei, *result.cb))


@given(st.frozensets(st.sampled_from(sorted(categories())), min_size=1), st.sampled_from(sorted(categories())))
def test_credentials_aside_more_kinds_never_identify_less(found: frozenset[str], more: str) -> None:
    assert judged({*found, more}).ei.value >= judged(set(found)).ei.value


@pytest.mark.parametrize(
    ("score", "level"),
    [(1.99, "low"), (2.0, "medium"), (2.99, "medium"), (3.0, "high"), (4.0, "very high"), (6, "very high")],
)
def test_levels(score: float, level: str) -> None:
    assert next(one["name"] for one in rules()["level"] if score < one["below"]) == level


def test_every_category_has_a_class_and_every_rule_names_categories() -> None:
    known = {rule["name"] for rule in rules()["class"]} | {"(by system opened)", "(raises DPC)"}
    assert set(classes()) == set(categories())
    assert set(classes().values()) <= known
    named = [name for kind in ("step", "identify") for rule in rules()[kind]
             for key in ("any", "all", "only", "of") for name in rule.get(key, ())]  # fmt: skip
    assert len(named) > 60
    assert set(named) <= set(categories())
    assert all(rule["words"] and rule["basis"] for kind in ("step", "identify") for rule in rules()[kind])


def test_an_unknown_assumption_is_wrong_use_and_not_repeated() -> None:
    with pytest.raises(UsageError) as caught:
        assumptions(["individuals=hunter2"])
    assert "hunter2" not in str(caught.value)
    assert "individuals=minors" in str(caught.value)


def column(category: str, confidence: float) -> Column:
    return Column(
        path=category, category=category, concept="", special=False, confidence=confidence, matched=9, checked=9
    )


def test_what_is_only_possible_is_named_and_left_aside() -> None:
    columns = (column("email_address", 0.99), column("health", 0.55))
    table = TableReport(name="t", kind="csv", rows=9, rows_read=9, columns=columns)
    result = severity(facts_of(TargetReport(target="file:t", kind="csv", tables=(table,))))
    assert result is not None
    assert result.dpc.value == 1
    assert any("possible only" in reason and "health" in reason for reason in result.dpc.reasons)


@pytest.mark.parametrize(
    ("target", "state"),
    [("redis://127.0.0.1:6379", "loopback"), ("redis://[::1]:6379", "loopback"), ("mongodb://localhost", "loopback"),
     ("redis://127.example.org", "reads"), ("redis://10.0.0.1", "reads")],
)  # fmt: skip
def test_loopback_is_not_the_internet(target: str, state: str) -> None:
    assert state_of(TargetReport(target=target, kind="redis", exposure=Exposure(state="reads"))) == state


def test_no_personal_data_has_no_severity() -> None:
    assert severity(Facts(())) is None


def test_assumptions_that_exclude_each_other_are_taken_in_their_order() -> None:
    pairs = itertools.permutations(["recipients=none", "recipients=unknown"])
    assert [judged({"email_address"}, *pair).cb[0].value for pair in pairs] == [0, 0.5]


def test_the_command_takes_assumptions(plainview, tmp_path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "mail.csv").write_text("email\n" + "".join(f"nadia{n}@firma.de\n" for n in range(30)))
    ran = plainview("scan", tmp_path / "mail.csv", "--assume", "individuals=minors")
    assert "Assumed: individuals=minors" in ran.out
    assert "Data processing context 4" in ran.out
    wrong = plainview("scan", tmp_path / "mail.csv", "--assume", "individuals=hunter2")
    assert wrong.status == 64
    assert "hunter2" not in wrong.everything


def test_what_identity_theft_needs_raises_simple_data() -> None:
    kinds = {"person_name", "birth_date", "passport_number"}
    alone, together = severity(Facts(kinds)), severity(Facts(kinds, together={"identity_package"}))
    assert alone is not None
    assert together is not None
    assert together.dpc.value == alone.dpc.value + 1
