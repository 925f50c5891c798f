"""Workers that die, hang, grow or lie, beside innocent pieces: each is answered for, nothing is lost, nothing leaks."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plainview.workers.channel import LENGTH, Channel, ChannelError
from plainview.workers.messages import Outcome, Piece, Task
from plainview.workers.pool import Bounds, Pool, death
from plainview.workers.start import Starter

WHY = {
    "segv": "its reader crashed: SIGSEGV",
    "abort": "its reader crashed: SIGABRT",
    "exit": "its reader crashed: exit status 3",
    "raise": "its reader crashed: exit status 70",
    "hang": "stopped after 0.5 s (raise --file-seconds)",
    "hog": "it needed more than 300 MiB (raise --memory-total)",
    "garbage": "it sent what is no answer",
    "longer": "it sent what is no answer",
    "foreign": "it sent what is no answer",
    "early": "it sent what is no answer",
}


def outcomes(groups: list[list[str]], *, size: int = 2, setup: bytes = b"go") -> list[Outcome]:
    """Run groups of pieces by their names."""

    def tasks() -> Iterator[Task]:
        number = 0
        for names in groups:
            pieces = [Piece(number + i, name, 1 << 20, b"", b"") for i, name in enumerate(names)]
            number += len(pieces)
            yield Task(tuple(pieces))

    pool = Pool(Starter("toys:serve"), size, Bounds(0.5, 300 << 20), lambda number: setup)
    try:
        return list(pool.run(tasks()))
    finally:
        pool.close()
        with pytest.raises(ChildProcessError):  # none is left
            os.waitpid(-1, os.WNOHANG)


@pytest.mark.parametrize("fate", WHY)
def test_a_death_is_a_line_and_costs_nobody_else(fate: str) -> None:
    groups = [["good", "good", fate, "good"], ["good"], ["good", "good"]]
    found = outcomes(groups)
    assert [o.number for o in found] == list(range(7))
    told = {o.number: why for o in found for _, why in o.skipped}
    assert told == {2: WHY[fate]}
    assert [o.died for o in found] == [o.number == 2 for o in found]
    assert [o.rows_listed for o in found if o.number != 2] == [0, 1, 3, 4, 5, 6]


def test_what_was_counted_before_a_death_counts() -> None:
    (found,) = outcomes([["part"]])
    assert [table.rows for table in found.reports] == [7]
    assert found.skipped == (("part", "its reader crashed: SIGABRT; what was counted before counts"),)


def test_a_deadline_is_kept_and_blames_one_piece() -> None:
    began = time.monotonic()
    found = outcomes([["good", "hang", "good"]], size=1)
    assert [bool(o.skipped) for o in found] == [False, True, False]
    assert time.monotonic() - began < 30  # and not the thousand seconds that it sleeps


def test_workers_that_cannot_start_are_told_for_each_piece() -> None:
    found = outcomes([["a", "b"], ["c"]], setup=b"stillborn")
    assert [o.skipped for o in found] == [((n, "its reader crashed: SIGABRT"),) for n in "abc"]


def test_nothing_that_a_worker_prints_is_seen(capfd: pytest.CaptureFixture[str]) -> None:
    outcomes([["print", "raise"]])
    assert capfd.readouterr() == ("", "")


@settings(max_examples=6, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from(["good", "good", "segv", "part", "garbage"]), min_size=1, max_size=4), max_size=5)
)
def test_every_piece_has_one_outcome_in_order(groups: list[list[str]]) -> None:
    names = [name for group in groups for name in group]
    found = outcomes(groups)
    assert [o.number for o in found] == list(range(len(names)))
    assert [o.died for o in found] == [name != "good" for name in names]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.binary(max_size=2000), max_size=20))
def test_messages_arrive_whole_however_they_are_cut(bodies: list[bytes]) -> None:
    reading, writing = os.pipe()
    sender, receiver = Channel(0, writing), Channel(reading, 0)
    try:
        for body in bodies:
            sender.send(body)
        os.close(writing)
        assert [receiver.receive() for _ in bodies] == bodies
        assert receiver.receive() is None
    finally:
        os.close(reading)


def test_a_length_beyond_belief_is_an_error() -> None:
    reading, writing = os.pipe()
    os.write(writing, LENGTH.pack(1 << 31))
    os.close(writing)
    with pytest.raises(ChannelError):
        Channel(reading, 0).receive()
    os.close(reading)


def test_deaths_have_words() -> None:
    assert death(-11) == "SIGSEGV"
    assert re.match("it was ended by the system", death(-9))
    assert death(-63).startswith(("signal", "SIG"))
    assert death(5) == "exit status 5"
