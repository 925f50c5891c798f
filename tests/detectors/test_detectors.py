"""Every detector does what its file says, on both engines, and its measured base rates still hold."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from conftest import Ran
from plainview.classify.weighing import log_ratio
from plainview.cli.detectors import wrong_examples
from plainview.detectors import BY_FORM, Detector, categories, load_detectors, parse_detector
from plainview.errors import DetectorError
from plainview.matching.compiled import Matcher, for_rust
from plainview.matching.verify import failures

ROOT = Path(__file__).parents[2]
GOOD = """
label = "ticket of the example society"
category = "account_id"
names = ["society ticket"]
pattern = 'ES-[0-9]{4}-[A-Z]'
matches = ["ES-1234-A"]
non_matches = ["ES-1234", "XX-1234-A"]
name_matches = ["society_ticket"]
name_non_matches = ["ticket"]
"""


@pytest.mark.parametrize("detector", load_detectors(), ids=lambda d: d.name)
def test_examples_hold(detector: Detector) -> None:
    assert failures(detector) == []


def test_every_kind_has_a_detector() -> None:
    assert {d.category for d in load_detectors()} == set(categories())


def test_base_rates_still_hold() -> None:
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        import measure_base_rates as tool
    finally:
        sys.path.pop(0)
    stored = tool.json.loads(tool.OUT.read_text())["rates"]
    assert tool.differences(stored, tool.measure(600, seed=99), 600) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("matches =", "no_such_key ="), "unknown key"),
        (('non_matches = ["ES-1234", "XX-1234-A"]', ""), "needs examples in matches and in non_matches"),
        (('name_non_matches = ["ticket"]', ""), "needs examples in name_matches"),
        (('category = "account_id"', 'category = "shoe_size"'), "unknown category"),
        (("label =", "labels ="), "unknown key"),
        (("ES-[0-9]", "ES-([0-9]"), "does not compile"),
        (("ES-[0-9]", "ES-(?=[0-9])"), "does not compile"),
    ],
)
def test_a_wrong_file_does_not_load(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(GOOD.replace(*change))
    with pytest.raises(DetectorError, match=message):
        wrong_examples(parse_detector(path), path)


def test_one_file_is_a_detector(tmp_path: Path, plainview: object) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "society_ticket.toml").write_text(GOOD)
    (tmp_path / "t.csv").write_text("society_ticket\n" + "\n".join(f"ES-{i}-A" for i in range(1000, 1050)) + "\n")
    ran: Ran = plainview("scan", tmp_path / "t.csv", "--detectors", tmp_path / "mine")  # type: ignore[operator]
    assert "society_ticket" in ran.out
    assert ran.status == 1
    tested: Ran = plainview("detectors", "test", tmp_path / "mine" / "society_ticket.toml")  # type: ignore[operator]
    assert (tested.status, "5 of 5 examples hold" in tested.out) == (0, True)


@pytest.mark.parametrize(
    ("pattern", "rust"),
    [
        (r"\b\d\w\s", r"(?-u:\b)[0-9][0-9A-Za-z_][\t\n\f\r ]"),
        (r"[\d\-\w]", r"[0-9\-0-9A-Za-z_]"),
        (r"[^\]a&&b]", r"[^\]a\&\&b]"),
        (r"[]a]", r"[\]a]"),
        (r"a\.b[+-]", r"a\.b[+-]"),
    ],
)
def test_patterns_mean_the_same_in_rust(pattern: str, rust: str) -> None:
    assert for_rust(pattern) == rust


def test_the_watch_meets_whatever_may_stand_in_text() -> None:
    import polars as pl

    matcher = Matcher(load_detectors())
    for rule in matcher.in_text:
        texts = pl.Series([f"see {value.strip()} there" for value in rule.detector.matches])
        single = texts.str.contains(rule.text)
        assert (texts.str.contains(matcher.watch) | ~single).all(), rule.name


def test_evidence_against_chance() -> None:
    assert log_ratio(10, 100, 0.1, 0.92) < -9  # a tenth passes a check that a tenth passes by chance
    assert log_ratio(100, 100, 0.1, 0.92) > 9
    assert log_ratio(100, 100, 0.89, 0.92) < log_ratio(100, 100, 0.1, 0.92)
    assert log_ratio(0, 0, 0.1, 0.92) == 0


def test_what_is_looked_for_without_its_name_exists() -> None:
    """These speak for another detector; under no name they are not counted themselves."""
    loaded = {detector.name: detector for detector in load_detectors()}
    assert all(loaded[name].needs_name for name in BY_FORM)
    assert BY_FORM.isdisjoint(Matcher(load_detectors()).loose)
