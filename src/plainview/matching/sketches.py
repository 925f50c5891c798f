"""Sketches of the columns of one table: their distinct values with the smallest hashes, and the tags of those.

A value is held until its tags are found, and no longer. Where a sketch is full, the few new values of a batch wait
for those of later batches, since each step of Polars costs.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import polars as pl

from plainview.profiles import SAMPLE, smallest
from plainview.tags import Tags

SEED = 0x706C6169  # hashes live in memory only; a fixed seed makes two runs agree

Hashes = npt.NDArray[np.uint64]
Places = npt.NDArray[np.intp]


class TableSketches:
    """The sketches of all batches of one table so far, by the path of the column."""

    def __init__(self) -> None:
        self._tags: dict[str, Mapping[int, Tags]] = {}
        self._waiting: dict[str, dict[int, str]] = {}  # values that wait for their tags

    def known(self, path: str) -> Mapping[int, Tags]:
        """Return the sketch of a column so far."""
        return self._tags.get(path, {})

    def bound(self, path: str) -> int | None:
        """Return the largest hash that a new value of a column may have, or None while its sketch is not full."""
        known = self.known(path)
        return sorted((*known, *self._waiting.get(path, ())))[SAMPLE - 1] if len(known) >= SAMPLE else None

    def due(self, path: str, fresh: Mapping[int, str]) -> Mapping[int, str]:
        """Return the new values that are to be tagged now; of a full sketch the few new ones wait for others."""
        known = self.known(path)
        waiting = self._waiting.pop(path, {})
        new = {key: value for key, value in {**waiting, **fresh}.items() if key not in known}
        if len(known) + len(new) > SAMPLE:
            bound = sorted((*known, *new))[SAMPLE - 1]
            new = {key: value for key, value in new.items() if key <= bound}
        if len(known) == SAMPLE and len(new) < SAMPLE // 2:
            self._waiting[path] = new
            return {}
        return new

    def take_waiting(self) -> dict[str, dict[int, str]]:
        """Return the values that wait, by column; none waits any longer."""
        waiting, self._waiting = self._waiting, {}
        return waiting

    def add(self, path: str, new: Mapping[int, Tags]) -> Mapping[int, Tags] | None:
        """Add new values to the sketch of a column. Return it, or None where it is as before."""
        known = self._tags.get(path)
        if known and not new:
            return None
        sketch = self._tags[path] = smallest({**(known or {}), **new})
        return sketch


def smallest_hashes(hashes: Hashes) -> tuple[list[int], Places]:
    """Return the SAMPLE smallest distinct hashes, and where each stands first."""
    order = np.argsort(hashes, kind="stable")
    if len(hashes):
        order = order[np.append(True, hashes[order[1:]] != hashes[order[:-1]])][:SAMPLE]
    return hashes[order].tolist(), order


def fresh_values(
    values: pl.Series, hashes: Hashes, known: Mapping[int, Tags], bound: int | None = None
) -> dict[int, str]:
    """Return the distinct values with the smallest hashes, at most SAMPLE and up to `bound`, the known ones not."""
    if bound is not None:
        places = np.flatnonzero(hashes <= np.uint64(bound))
    else:
        # the smallest of many: first cut by value, which is cheap, then make distinct
        cut = min((1 << 64) // max(1, len(hashes)) * SAMPLE * 8, (1 << 64) - 1)
        places = np.flatnonzero(hashes <= np.uint64(cut))
        if len(set(hashes[places].tolist())) < SAMPLE:
            places = np.arange(len(hashes))
    least, first = smallest_hashes(hashes[places])
    new = [at for at, key in enumerate(least) if key not in known]
    found = values.gather(places[first[new]].tolist()).to_list() if new else []
    return {least[at]: value for at, value in zip(new, found, strict=True)}
