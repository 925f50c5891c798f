"""How work grows with the size of an input: seconds of processor time at n and at 4n, in one run."""

from __future__ import annotations

import time
from collections.abc import Callable

LINEAR = 6.0  # times as much work for four times as much input; quadratic is 16
FLOOR = 0.03  # seconds below which nothing can be said of a ratio


def growth(work: Callable[[int], object], size: int) -> float:
    """Return how much more processor time `work` takes for 4 * `size` than for `size`, the least of three tries.

    What other programs do at the same time changes caches and clocks: a second look is taken before it counts.
    """
    least = float("inf")
    for _ in range(3):
        one, four = seconds(work, size), seconds(work, 4 * size)
        least = min(least, four / max(one, FLOOR))
        if least < LINEAR:
            break
    return least


def seconds(work: Callable[[int], object], size: int) -> float:
    """Return the processor time of one call, of all threads of the process."""
    start = time.process_time()
    work(size)
    return time.process_time() - start
