"""How work grows with the size of an input: seconds of processor time at n and at 4n, in one run."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Text = TypeVar("Text", str, bytes)

LINEAR = 6.0  # times as much work for four times as much input; quadratic is 16
FLOOR = 0.03  # seconds below which nothing can be said of a ratio


def growth(work: Callable[[Text], object], made: Callable[[int], Text], size: int) -> float:
    """Return how much more processor time `work` takes for what is `made` of four times the size.

    What else the machine does changes clocks and caches, so a ratio that is too high is taken again. And a bound
    may be reached between the two sizes (of columns, of what is looked at in the first block): what is quadratic
    is so from there on as well, so then the next two sizes decide. Seven tries: on a machine with other work
    two or three were seen to be too high; what is quadratic is 16 in each.
    """
    if (once := seconds(work, made(4 * size))) < LINEAR * FLOOR:
        return once / FLOOR  # whatever the smaller size takes, the ratio is not above this
    took = {4 * size: once}  # the least seconds of each size: what else runs can only add to them
    for attempt, one in enumerate((size, size, 4 * size, size, 4 * size, size, 4 * size)):
        for length in (one, 4 * one):
            if attempt or length not in took:
                took[length] = min(took.get(length, float("inf")), seconds(work, made(length)))
        least = min(took[4 * length] / max(took[length], FLOOR) for length in took if 4 * length in took)
        if least < LINEAR:
            break
    return least


def seconds(work: Callable[[Text], object], text: Text) -> float:
    """Return the processor time of one call, of all threads of the process."""
    start = time.process_time()
    work(text)
    return time.process_time() - start


__all__ = ["LINEAR", "growth", "seconds"]
