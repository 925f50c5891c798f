"""What to do: every store has safe steps for each state that can occur, for the version found."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import get_args

import pytest

from plainview import catalog
from plainview.assess.steps import common_rules, fits, fixes, parts, rules, steps
from plainview.errors import StoreError
from plainview.report.model import State

ROOT = Path(__file__).parents[2]
KINDS = [kind for kind in catalog.ours() if kind != "fingerprint"]
STATES = get_args(State)
CLOSED = ("auth_required", "unreachable")
OPEN = [state for state in STATES if state not in CLOSED]
VERSIONS = (None, "", "1.2", "2.3.1", "5.0.14", "6.0", "6.8.23", "7.17.9", "8.15.0", "9.0.0", "24.8.1.1", "odd")


def test_every_store_has_steps_and_files_have_none_of_their_own() -> None:
    assert len(KINDS) > 13
    assert [kind for kind in KINDS if not rules(kind)] == []
    assert rules("file") == rules("fingerprint") == rules("none") == []


@pytest.mark.parametrize(
    "wrong",
    [{}, {"do": "x"}, {"do": "x", "states": ["open"]}, {"do": 1, "states": []}, {"do": "x", "states": [], "if": 1}],
)
def test_steps_that_are_not_as_they_have_to_be(wrong: dict[str, object]) -> None:
    with pytest.raises(StoreError):
        fixes({"fix": [wrong]})


@pytest.mark.parametrize(("kind", "state"), [*itertools.product(KINDS, OPEN)])
def test_every_open_state_of_every_store_and_version_has_steps_of_its_own(kind: str, state: str) -> None:
    for product, version in itertools.product(
        (None, "Elasticsearch", "OpenSearch", "Redis", "an unknown one"), VERSIONS
    ):
        if kind == "elasticsearch" and product in ("Redis", "an unknown one"):
            continue
        found = steps(kind, state, product=product, version=version)
        own = [step for step in found if step.page]
        assert len(own) >= 2, (product, version)
        assert any(step.setting for step in own)
        assert not found[0].page, "what is common to all comes first"


@pytest.mark.parametrize(("kind", "state"), [*itertools.product(KINDS, CLOSED)])
def test_nothing_is_to_be_closed_where_nothing_is_open(kind: str, state: str) -> None:
    assert steps(kind, state) == ()


COMMON = [*common_rules()["before"], *common_rules()["after"]]


@pytest.mark.parametrize("kind", [*KINDS, ""])
def test_tables_are_well_formed(kind: str) -> None:
    entries = rules(kind) if kind else COMMON
    assert entries
    for entry in entries:
        assert set(entry) <= {"states", "do", "setting", "product", "from", "below", "visited", "credentials"}
        assert set(entry["states"]) <= {*OPEN, "file"}
        assert entry["do"].endswith(".")
    if kind:
        page = ROOT / "docs" / "stores" / f"{kind}.md"
        assert page.is_file()
        assert "## How to close it" in page.read_text()


def test_no_step_destroys() -> None:
    entries = [*COMMON, *(entry for kind in KINDS for entry in rules(kind))]
    settings = [entry.get("setting", "") for entry in entries]
    assert len([text for text in settings if text]) > 25
    assert not [
        text for text in settings if re.search(r"(?i)\b(flushall|drop (?!user)|delete|rm |shutdown|truncate)", text)
    ]


def test_the_version_decides() -> None:
    def settings(version: str | None, product: str = "Elasticsearch") -> str:
        return "\n".join(
            step.do + step.setting for step in steps("elasticsearch", "admin", product=product, version=version)
        )

    assert "reset-password" in settings("8.15.0")
    assert "setup-passwords" in settings("7.17.9")
    assert "setup-passwords" not in settings("8.15.0")
    assert "no free security" in settings("5.6.16")
    assert "OPENSEARCH_INITIAL" in settings("2.19.3", "OpenSearch")
    assert "reset-password" in settings(None), "what is not known is taken for each"
    assert "requirepass" in "".join(step.setting for step in steps("redis", "admin", version="5.0.14"))
    assert "ACL SETUSER" in "".join(step.setting for step in steps("redis", "admin", version="7.2"))


@pytest.mark.parametrize(
    ("version", "low", "high", "inside"),
    [
        ("6.8.0", "6.8", "8", True),
        ("8.0.0", "6.8", "8", False),
        ("10.1", "6.8", "8", False),
        ("6.7", "6.8", "8", False),
    ],
)
def test_versions_are_compared_as_numbers(version: str, low: str, high: str, inside: bool) -> None:
    assert fits({"from": low, "below": high}, None, version) == inside
    assert parts("10.1") > parts("9.9")
    assert parts("v1") == parts("") == ()


def test_signs_of_a_visitor_and_credentials_add_their_steps() -> None:
    quiet = [step.do for step in steps("redis", "admin")]
    assert not any(text.startswith("Assume it was copied") for text in quiet)
    loud = [step.do for step in steps("redis", "admin", visited=True, credentials=True)]
    assert any(text.startswith("Assume it was copied") for text in loud)
    assert any(text.startswith("Change every password") for text in loud)
    assert loud.index(next(t for t in loud if t.startswith("Keep the logs"))) < loud.index(
        next(t for t in loud if t.startswith("Count and decide"))
    )


def test_files_have_steps_as_well() -> None:
    assert len(steps("file", "file")) >= 2
    assert steps("../../etc/passwd", "file") == steps("file", "file")
