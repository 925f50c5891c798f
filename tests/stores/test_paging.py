"""What bounds a walk over pages: whatever a store answers, it ends; what honest stores answer is never cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plainview.errors import ProtocolError, ReadError
from plainview.stores.shared.paging import (
    COUNTED,
    EMPTY,
    FREE,
    FULL,
    GROWTH,
    MORE,
    SAVED,
    WORTH,
    EndlessError,
    Paging,
    alike,
)
from plainview.targets.parsing import parse_target
from plainview.wire import Wire


def walk(**more: object) -> Paging:
    return Paging(Wire(parse_target("etcd://127.0.0.1:1")), "the pages do", **more)  # type: ignore[arg-type]


pages = st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 40), st.integers(0, 40)), max_size=400)


@given(pages, st.none() | st.integers(0, 10_000))
def test_law_what_came_pays_for_the_pages(answers: list[tuple[int, int, int]], said: int | None) -> None:
    """After any answers: not more pages than are free or were filled, not more items than were said."""
    counted = walk(said=said)
    try:
        for items, mark, same in answers:
            counted.page(items, mark=mark, same=same)
    except EndlessError:
        return
    assert counted.idle <= EMPTY
    assert counted.pages <= FREE + WORTH * max(1, counted.items)
    assert counted.pages <= 41  # marks came again
    assert said is None or counted.items <= MORE * said + GROWTH


@given(st.integers(0, 300), st.integers(0, 1000), st.integers(0, 5))
def test_law_full_pages_with_a_short_end_are_never_cut(full: int, last: int, empty: int) -> None:
    counted = walk(said=full * 1000 + last)
    for number in range(full):
        assert counted.page(1000, mark=number, same=number)
        for gap in range(empty):
            counted.page(0, mark=(number, gap))
    counted.page(last, same=-1)
    counted.end("rows")


def test_few_large_documents_fill_a_page_by_their_bytes() -> None:
    counted = walk(said=10**6)
    for number in range(5_000):
        counted.page(1, mark=number, same=number, received=FULL)
    with pytest.raises(EndlessError, match=r"not come to an end: 6,0.. pages brought 6,0.. items"):
        crumbs(counted)
    assert counted.pages <= 5_000 + 1.1 * SAVED * FREE


def crumbs(counted: Paging) -> None:
    for number in range(5_000, 10**5):
        counted.page(1, mark=number, same=number, received=10)


def test_a_store_that_grows_is_asked_again_and_not_for_ever() -> None:
    said = [10]

    def grown() -> int:
        said.append(said[-1] * 100)
        return said[-1]

    counted = walk(said=10, recount=grown)
    counted.came(GROWTH + 100)
    assert counted.said == 1_000
    with pytest.raises(EndlessError, match="the store said that there are"):
        flood(counted)
    assert len(said) == 1 + COUNTED


def flood(counted: Paging) -> None:
    for _ in range(100):
        counted.came(10**8)


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 100))
def test_law_a_difference_is_told_where_no_change_explains_it(said: int, after: int, came: int, gone: int) -> None:
    counted = walk(said=said, recount=lambda: after)
    told = counted.short("documents", came=came, excused=lambda: gone)
    if came >= min(said, after):
        assert not told
    if said == after:
        assert bool(told) == (said - came > gone)
    if told:
        assert f"{came:,} of {min(said, after):,} documents came" in told
        with pytest.raises(ReadError, match="by the store's own count"):
            counted.end("documents", came=came, excused=lambda: gone)


def test_a_count_that_is_refused_is_no_change() -> None:
    def refused() -> int:
        raise ProtocolError("no")

    assert walk(said=5, recount=refused).short("keys", came=3).startswith("3 of 5 keys came")


@given(st.binary(max_size=20_000), st.binary(max_size=20_000))
def test_law_pages_that_differ_at_an_end_are_not_alike(one: bytes, other: bytes) -> None:
    assert alike(one) == alike(bytearray(one))
    if len(one) != len(other) or one[:4096] != other[:4096]:
        assert alike(one) != alike(other)
