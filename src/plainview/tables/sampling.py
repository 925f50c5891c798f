"""At most so many random rows of each table, out of a stream of batches, in bounded memory."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import polars as pl

from plainview.tables import Batch, Table

KEY = "plainview random key"


def sample_rows(batches: Iterator[Batch], rows: int, name: str, how: str = "") -> Iterator[Batch]:
    """Yield one batch for each table with `rows` of its rows, each row equally likely.

    Where rows were left out the table is `sampled`, with a note where `how` says how they were drawn.
    Every row draws a random number; the rows with the smallest ones stay. The numbers start from `name`, so
    that two runs over the same bytes give the same rows. The batches come when all of the unit was read.
    """
    random = np.random.default_rng(zlib.crc32(name.encode("utf-8", "replace")))
    kept: dict[str, tuple[Table, pl.DataFrame]] = {}
    cut: set[str] = set()
    for batch in batches:
        drawn = batch.frame.with_columns(pl.Series(KEY, random.random(batch.frame.height)))
        if batch.table.name in kept:
            drawn = pl.concat([kept[batch.table.name][1], drawn], how="diagonal_relaxed")
        if drawn.height > rows:
            drawn = drawn.bottom_k(rows, by=KEY)
            cut.add(batch.table.name)
        kept[batch.table.name] = (batch.table, drawn)
    for table, frame in kept.values():
        if table.name in cut:
            table = table.drawn(how) if how else replace(table, sampled=True)
        yield Batch(table, frame.drop(KEY))


__all__ = ["sample_rows"]
