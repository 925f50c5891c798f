"""A word book answers as the set of its vocabulary does: searched, turned into a set, and while it turns."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plainview import detectors
from plainview.detectors import VOCABULARIES, load_detectors, vocabulary, words
from plainview.detectors.words import BOOKS, WordBook, blocks
from plainview.errors import DetectorError
from plainview.matching.compiled import Matcher
from plainview.matching.counting import FEW, in_vocabulary
from plainview.matching.shapes import shape_of
from plainview.matching.tagging import _ENTRIES

NAMES = sorted(path.stem for path in VOCABULARIES.glob("*.txt"))
assert len(NAMES) > 20, "the tests below would look at next to nothing"
LARGE = [name for name in NAMES if blocks(name)]
SOME = sorted(vocabulary("cities"))[::500]
# Begins and ends of lines and of files, what sorts first and last, and what is no text
ODD = ["", "\n", "\n\n", " ", "\0", "!", "\x7f", "\U0010ffff", "\udc80", "ÿ", "ab\ud800", "a\nb", "\r"]


@pytest.fixture(autouse=True)
def untouched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "BOOKS", words._Books())


def searched(*names: str) -> WordBook:
    """Return a book that is not to become a set."""
    book = WordBook(names)
    book.left = sys.maxsize
    return book


def test_the_large_vocabularies_are_searched() -> None:
    for name in NAMES:
        text = "\n" + detectors.vocabulary_text(name)
        assert "\n\n" not in text, name  # which would be the entry ""
    assert set(LARGE) == {"cities", "common_words", "countries", "given_names", "job_titles", "surnames"}


@pytest.mark.parametrize("name", LARGE)
def test_a_book_knows_all_entries_and_nothing_beside_them(name: str) -> None:
    entries, book = vocabulary(name), searched(name)
    assert all(entry in book for entry in entries)
    ordered = sorted(entries)
    some = [ordered[0], *ordered[1:-1:37], ordered[-1]]
    changed = [c for e in some for c in (e[:-1], e[1:], e + "a", e + " ", " " + e, e.upper(), e + "\U0010ffff")]
    lines = [f"{a}\n{b}" for a, b in zip(ordered[::31], ordered[1::31], strict=False)]
    lines += [e + "\n" for e in some] + ["\n" + e for e in some]
    for word in (*changed, *lines, *ODD):
        assert (word in book) == (word in entries), word
    assert None not in book
    assert book.searched


@given(st.text() | st.sampled_from(SOME) | st.builds(lambda a, b: a[:3] + b[-3:], st.sampled_from(SOME), st.text()))
def test_a_book_answers_as_the_set_does(word: str) -> None:
    assert (word in CITIES) == (word in vocabulary("cities"))
    assert (word in TOGETHER) == (word in vocabulary("cities") | vocabulary("genders") | vocabulary("job_titles"))


CITIES, TOGETHER = searched("cities"), searched("cities", "genders", "job_titles")


def test_a_book_that_was_asked_often_is_a_set() -> None:
    book, asked = words.BOOKS["cities"], 0
    assert words.BOOKS["cities"] is book
    while words.BOOKS["cities"] is book:
        word = SOME[asked % len(SOME)] + "x" * (asked % 3)
        assert (word in book) == (word in vocabulary("cities"))
        asked += 1
    assert words.BOOKS["cities"] is vocabulary("cities")
    assert 1_000 < asked < 20_000
    assert "berlin" in book
    assert "no such place" not in book


def test_small_vocabularies_are_sets_from_the_first() -> None:
    assert words.BOOKS["genders"] is vocabulary("genders")
    assert not searched("genders", "blood_types").searched
    assert "a+" in searched("genders", "blood_types")


def test_threads_get_right_answers_while_books_turn() -> None:
    def ask(start: int) -> list[str]:
        return [w for w in asked[start:] + asked[:start] if (w in book) != (w in entries)]

    names, before = ("cities", "genders", "job_titles"), sys.getswitchinterval()
    entries = frozenset().union(*map(vocabulary, names))
    asked = [w for e in sorted(vocabulary("job_titles"))[::9] for w in (e, e + "x")]
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            for left in (0, 50, 500, 3_000):
                book = WordBook(names)
                book.left = left
                assert [wrong for found in pool.map(ask, range(0, 800, 100)) for wrong in found] == []
                assert book.words == entries
                assert not book.searched
    finally:
        sys.setswitchinterval(before)


@pytest.mark.parametrize("ends", ["\n", "\r\n", ""])
def test_line_ends_do_not_matter(ends: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (detectors, words):
        monkeypatch.setattr(module, "VOCABULARIES", tmp_path)
    entries = [f"entry {n:06}" for n in range(9_000)]
    name = f"made_{len(ends)}"  # which no other test has in a cache
    (tmp_path / f"{name}.txt").write_bytes(((ends or "\n").join(entries) + ends).encode())
    book = searched(name)
    assert all(entry in book for entry in entries)
    assert not any(word in book for word in ("", "\n", "\r", "entry", "entry 009000", "entry 000001\r"))


def test_a_vocabulary_that_is_none() -> None:
    with pytest.raises(DetectorError, match="no vocabulary 'none'"):
        WordBook(("cities", "none"))
    with pytest.raises(DetectorError, match="no vocabulary 'none'"):
        BOOKS["none"]


def test_shapes_of_entries_are_those_that_are_looked_up() -> None:
    matcher = Matcher(load_detectors())
    for name in {name for _, name in matcher.books[0]}:
        for entry in vocabulary(name):
            for value in (entry, entry.upper(), entry.title()):
                assert value.casefold() != entry or shape_of(value) in _ENTRIES, (name, value)


@pytest.mark.parametrize("name", ["person_names", "given_names", "cities"])
def test_few_and_many_cells_are_looked_up_alike(name: str) -> None:
    some = [f"{e} {f}" if name == "person_names" else e for e, f in zip(SOME, reversed(SOME), strict=True)]
    known = ["Anna Example", "anna", "Berlin", " berlin ", "Müller", "xyzzy"]
    cells = pl.Series([*known, "", " ", "  \t", *some])
    few = in_vocabulary(cells, name)
    many = in_vocabulary(cells.extend(pl.Series([f"zz{n}" for n in range(FEW)])), name)
    assert few.to_list() == many.head(len(few)).to_list()
    assert not many.tail(FEW).any()
    assert any(few.head(len(known)))
    assert not any(few[len(known) : len(known) + 3])
