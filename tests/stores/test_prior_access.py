"""Names that intruders leave behind."""

from __future__ import annotations

import pytest

from plainview import catalog
from plainview.stores.shared.prior_access import Named, normal, prior_access, signs

DAY = 86_400.0


EVERY = {sign.id: sign for kind in ("", *catalog.ours()) for sign in signs(kind)}
assert len(EVERY) >= 10, "the test below would look at less than there is"


@pytest.mark.parametrize("sign", EVERY.values(), ids=EVERY)
def test_every_sign_has_examples_of_both_kinds(sign) -> None:
    assert sign.match
    assert sign.not_match
    assert sign.source
    assert [name for name in sign.match if not sign.pattern.fullmatch(normal(name))] == []
    assert [name for name in sign.not_match if sign.pattern.fullmatch(normal(name))] == []


@pytest.mark.parametrize(
    "name",
    ["read_me_to_recover_database", "READ__ME_TO_RECOVER_YOUR_DATA", "PLEASE_READ_ME_VVV", "RECOVER_YOUR_DATA",
     "NODATA4U_SECUREYOURSHIT", "your_db_is_not_secure", "please_read", "gk01juo8o3-meow"],
)  # fmt: skip
def test_known_notes_are_strong(name: str) -> None:
    [line] = prior_access("elasticsearch", [Named("customers", 10), Named(name, 1, DAY)])
    assert line.startswith("strong: 1 ")
    assert "holding 1, made 1970-01-02; assume that the data was copied" in line
    assert name not in line


@pytest.mark.parametrize("name", ["hello-world-logs", "homeowners_readings", "warnings-2024", "readme-index", ""])
def test_harmless_names_are_none(name: str) -> None:
    assert prior_access("elasticsearch", [Named(name, 1, DAY)]) == []


def test_a_weak_name_needs_a_second_sign() -> None:
    others = [Named(f"logs-{n}", 100, 1.0 * n) for n in range(9)]
    assert prior_access("mongodb", [*others, Named("warning", 5_000, DAY)]) == []
    assert prior_access("mongodb", [*others, Named("warning", None, DAY)]) == []
    assert prior_access("mongodb", [*others, Named("warning", 1, 3.0)]) == []
    assert prior_access("mongodb", [*others, Named("warning", 1)]) == []
    assert prior_access("mongodb", [*others, Named("warning", 1, DAY)])[0].startswith("weak: 1 ")
    assert prior_access("mongodb", [Named("README", 1)])[0].startswith("weak: 1 ")


def test_names_of_one_kind_of_store() -> None:
    assert prior_access("elasticsearch", [Named("backup1", 1)]) == []
    assert prior_access("redis", [Named("backup1", 1), Named("backup2", 1)])[0].startswith("strong: 2 ")


def test_hostile_names_and_dates() -> None:
    names = [Named("a" * 10_000_000), Named("_" * 1_000_000), Named("read me to recover", 1, 1e300)]
    assert "at an odd date" in prior_access("redis", names)[0]
