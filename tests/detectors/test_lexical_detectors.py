"""The detectors that speak by words and forms: their examples, their names in many languages, the word lists."""

from __future__ import annotations

import functools
import unicodedata

import pytest
import re2

from conftest import counted_calls
from plainview import detectors
from plainview.detectors import Detector
from plainview.detectors.fieldnames import NameIndex

SINGLE = (
    "name",
    "title",
    "id",
    "number",
    "code",
    "key",
    "date",
    "description",
    "type",
    "status",
    "user",
    "value",
    "text",
    "time",
    "count",
    "total",
)
MULTILINGUAL = (
    "person_name",
    "email_address",
    "birth_date",
    "gender",
    "postal_address",
    "religion",
    "ethnic_origin",
    "health",
    "fingerprint",
)


@functools.cache
def all_detectors() -> tuple[Detector, ...]:
    return detectors.load_detectors()


@functools.cache
def names_index() -> NameIndex:
    return NameIndex(all_detectors())


def folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold().strip()


def holds(detector: Detector, value: str) -> bool:
    if any(re2.fullmatch(pattern, value) for pattern in detector.patterns):
        return True
    return bool(detector.vocabulary) and folded(value) in detectors.vocabulary(detector.vocabulary)


def looks_like_a_name(value: str) -> bool:
    """The least that the word lists must allow: names and no common word."""
    given, family = detectors.vocabulary("given_names"), detectors.vocabulary("surnames")
    words = [w.strip(".,") for w in folded(value).replace("-", " ").split()]
    words = [
        w
        for w in words
        if len(w) > 1
        and w not in detectors.vocabulary("name_titles")
        and w not in detectors.vocabulary("name_particles")
    ]
    if words and any(
        w in detectors.vocabulary("company_words") or w in detectors.vocabulary("common_words") for w in words
    ):
        return False
    if len(words) == 1 and words[0][0] > "\u2e80":
        han = detectors.vocabulary("surnames_han") | detectors.vocabulary("surnames_hangul")
        return (
            2 <= len(words[0]) <= 4
            and (words[0][:1] in han or words[0][:2] in han)
            and words[0][-2:] not in ("公司", "京市")
        )
    known = sum(w in given or w in family or w.endswith(tuple(detectors.vocabulary("name_endings"))) for w in words)
    return len(words) >= 2 and known >= len(words) - (len(words) > 2)


@pytest.mark.parametrize(
    "detector", [d for d in all_detectors() if not d.check and d.vocabulary != "person_names"], ids=lambda d: d.name
)
def test_examples_of_values(detector: Detector) -> None:
    for pattern in detector.patterns:
        re2.compile(pattern)
    if detector.has_values:
        assert [v for v in detector.matches if not holds(detector, v)] == []
        assert [v for v in detector.non_matches if holds(detector, v)] == []


@pytest.mark.parametrize("detector", [d for d in all_detectors() if d.names], ids=lambda d: d.name)
def test_examples_of_names(detector: Detector) -> None:
    def said(name: str) -> bool:
        return any(m.detector == detector.name and m.strength > 0.5 for m in names_index().match(name))

    assert [n for n in detector.name_matches if not said(n)] == []
    assert [n for n in detector.name_non_matches if said(n)] == []


def test_every_category_has_a_detector() -> None:
    assert {d.category for d in all_detectors()} == set(detectors.categories())


def test_categories_have_plain_labels() -> None:
    assert len(detectors.categories()) == 80
    assert all(c.label and "_" not in c.label for c in detectors.categories().values())


@pytest.mark.parametrize("name", SINGLE)
def test_a_bare_word_says_nothing_by_itself(name: str) -> None:
    alone = {d.name for d in all_detectors() if not d.has_values}
    assert [m for m in names_index().match(name) if m.strength > 0.5 and m.detector in alone] == []


@pytest.mark.parametrize("name", MULTILINGUAL)
def test_names_are_known_in_many_scripts(name: str) -> None:
    detector = next(d for d in all_detectors() if d.name == name)
    text = "".join(detector.names)
    scripts = {unicodedata.name(c).split()[0] for c in text if c.isalpha()}
    assert {"LATIN", "CYRILLIC", "ARABIC", "CJK", "HANGUL", "DEVANAGARI", "GREEK", "HEBREW", "THAI"} <= scripts


def test_person_names_examples() -> None:
    detector = next(d for d in all_detectors() if d.name == "person_name")
    assert [v for v in detector.matches if not looks_like_a_name(v)] == []
    assert [v for v in detector.non_matches if looks_like_a_name(v)] == []


@pytest.mark.parametrize(
    "title",
    [
        "The Dark Knight",
        "Lorem ipsum dolor",
        "Mountain Bike Pedal",
        "Coffee Table",
        "Pirates of the Caribbean",
        "Order Number",
        "Data Science Team",
    ],
)
def test_common_words_are_no_names(title: str) -> None:
    assert not looks_like_a_name(title)


def test_greek_names_are_known_folded_and_in_lower_case() -> None:
    names = detectors.vocabulary("given_names")
    assert "ΓΙΏΡΓΟΣ".casefold() in names
    assert "ΓΙΏΡΓΟΣ".lower() in names


def test_names_and_common_words_do_not_overlap() -> None:
    common = detectors.vocabulary("common_words")
    assert not common & detectors.vocabulary("given_names")
    assert not common & detectors.vocabulary("surnames")


def test_vocabularies_are_folded_sorted_and_small() -> None:
    files = sorted(detectors.VOCABULARIES.glob("*.txt"))
    assert len(files) > 20
    for path in files:
        lines = path.read_text(encoding="utf-8").split("\n")[:-1]
        assert lines == sorted(set(lines)), path.name
        # names that end in sigma stand there a second time as whole columns in lower case write them
        assert all(line == folded(line) or line.endswith("ς") for line in lines), path.name
    assert sum(path.stat().st_size for path in files) < 4_000_000


def test_vocabularies_are_not_loaded_word_by_word() -> None:
    paths = list(detectors.VOCABULARIES.glob("*.txt"))
    with counted_calls() as calls:
        words = sum(len(detectors.vocabulary.__wrapped__(path.stem)) for path in paths)
    assert words > 100_000
    assert calls[0] < 200 * len(paths)


@pytest.mark.parametrize("value", ["1.2.3", "v10.0.0.1", "1.2.3.4-rc1", "256.0.0.1", "1.2.3.4.5", "2024.01.01"])
def test_versions_are_no_addresses(value: str) -> None:
    detector = next(d for d in all_detectors() if d.name == "ip_address")
    assert not holds(detector, value)
