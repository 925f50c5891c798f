"""The grammar of tags; and that the name of a detector changes nothing in a report but that name."""

from __future__ import annotations

import functools
from dataclasses import replace
from pathlib import Path

import msgspec
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from plainview import tags
from plainview.classify.classify import classify
from plainview.detectors import load_detectors, parse_detector
from plainview.detectors.detector import Detector
from plainview.detectors.fieldnames import NameIndex
from plainview.matching.batches import profile
from plainview.matching.compiled import Matcher
from plainview.matching.shapes import SHAPES
from plainview.report.model import Column

NAMES = st.one_of(
    st.text(min_size=1, max_size=300),
    st.sampled_from([d.name for d in load_detectors()]).flatmap(
        lambda name: st.sampled_from([f"{name}!", f"{name}@", f"d:{name}", f"t:{name}", name.upper(), f"{name} (own)"])
    ),
    st.sampled_from([*SHAPES, "full", "given", "surname", "place", "company", "han", "age", "lat", "lon"]),
    st.sampled_from(["s:int9", "y:1975", "n:lat", "w:full", "", "!", "@", ":", "\n", "é" * 200, "aux", "x" * 5000]),
)
PEOPLE = [
    f"{given} {family}"
    for given in ("Anna", "Jürgen", "María", "Piotr", "Giulia", "Ahmet")
    for family in ("Schmidt", "García", "Kowalski", "Rossi", "Yılmaz")
]


def table() -> pl.DataFrame:
    rows = range(len(PEOPLE))
    return pl.DataFrame(
        {
            "who": PEOPLE,
            "club": [f"MB{4_000_000 + 7919 * at}" for at in rows],
            "town": [("Berlin", "Paris", "Oslo", "Wien", "Rom")[at % 5] for at in rows],
            "note": [f"wrote to p{at}@example.org about MB{4_000_000 + at} of 2020" for at in rows],
            "born": [f"19{50 + at}-0{1 + at % 9}-11" for at in rows],
            "phone": [f"+49 30 9018{2000 + at}" for at in rows],
            "age": [20 + at for at in rows],
        }
    )


def club(name: str) -> Detector:
    return Detector(
        name=name,
        label="membership number",
        category="account_id",
        names=("club",),
        patterns=("MB[0-9]{7}",),
        in_text=True,
        matches=("MB4000000",),
        non_matches=("MB1",),
        name_matches=("club",),
        name_non_matches=("clubs",),
    )


def judged(name: str) -> list[Column]:
    """Return the findings with a detector of that name, which stands as NAME in them."""
    loaded = (*load_detectors(), club(name))
    matcher, names = Matcher(loaded), NameIndex(loaded)
    found = classify("members", profile([table()], matcher, names, "members"), matcher.detectors, names)
    return [msgspec.structs.replace(c, detector="NAME") if c.detector == name else c for c in found]


@functools.cache
def usual() -> list[Column]:
    return judged("membership_number")


@settings(max_examples=25, deadline=None)
@given(NAMES.filter(lambda name: name not in {d.name for d in load_detectors()}))
@example("place")
@example("company")
@example("han")
@example("email_address@")
def test_the_name_of_a_detector_changes_nothing(name: str) -> None:
    found = usual()
    assert {c.path for c in found} >= {"who", "club", "note", "phone"}
    assert {c.detector for c in found if c.path == "note"} == {"NAME", "email_address"}
    assert judged(name) == found


MADE = (
    (tags.shape, tags.shape_of),
    (tags.passed, tags.passed_of),
    (tags.formed, tags.formed_of),
    (tags.inside, tags.inside_of),
)


@given(st.text(), st.text(), st.integers(0, 9999))
def test_each_tag_is_read_as_what_it_was_made_of(one: str, two: str, number: int) -> None:
    assert tags.year_of(tags.year(number)) == number
    others = {tags.word(two), tags.number(two), tags.year(number)}
    for make, read in MADE:
        assert read(make(one)) == one
        different = {other(two) for other, _ in MADE if other is not make} | others
        assert all(read(tag) is None for tag in different)
        assert make(one) not in different
    assert {tags.detector_of(make(one)) for make, _ in MADE[1:]} == {one}
    assert tags.detector_of(tags.shape(one)) is None


FILE = """\
label = "membership number"
category = "{category}"
pattern = 'MB[0-9]{{7}}'
matches = ["MB4000000"]
non_matches = ["MB1"]
"""


def own(folder: Path, name: str, category: str = "account_id") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.toml").write_text(FILE.format(category=category))
    return folder


def test_own_detectors_stand_behind_those_of_the_package_whatever_their_names(tmp_path: Path) -> None:
    package = load_detectors()
    for number, name in enumerate(("0", "zz", "naïve\nname")):
        loaded = load_detectors(own(tmp_path / str(number), name))
        assert loaded[:-1] == package
        assert loaded[-1].name == name


@pytest.mark.parametrize("first", ["a", "z"])
def test_their_order_follows_what_they_say(tmp_path: Path, first: str) -> None:
    folder = own(tmp_path / "own", first)
    (folder / "m.toml").write_text(FILE.format(category="account_id").replace("membership", "club"))
    assert [d.label for d in load_detectors(folder)[-2:]] == ["club number", "membership number"]


def test_one_with_the_name_of_the_package_replaces_its_own_kind_only(tmp_path: Path) -> None:
    package = load_detectors()
    other = load_detectors(own(tmp_path / "other", "person_name"))
    assert other[:-1] == package
    assert other[-1] == replace(parse_detector(tmp_path / "other/person_name.toml"), name="person_name (own)")
    same = load_detectors(own(tmp_path / "same", "person_name", "person_name"))
    assert len(same) == len(package)
    assert [d.label for d in same if d.name == "person_name"] == ["membership number"]
