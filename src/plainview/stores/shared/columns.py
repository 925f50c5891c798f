"""Values of key-value stores as columns of text, and of lists of text."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl


def texts(name: str, values: Sequence[bytes]) -> pl.Series:
    """Return a column of text; bytes that are no UTF-8 become U+FFFD."""
    try:
        return pl.Series(name, values, dtype=pl.Binary).cast(pl.String)
    except pl.exceptions.ComputeError:
        return pl.Series(name, [value.decode("utf-8", "replace") for value in values], dtype=pl.String)


def lists(name: str, values: Sequence[Sequence[bytes]]) -> pl.Series:
    """Return a column of lists of text."""
    sizes = pl.Series("n", [len(items) for items in values], dtype=pl.Int64)
    flat = texts(name, [item for items in values for item in items])
    rows = pl.DataFrame({"row": pl.int_range(len(values), eager=True).repeat_by(sizes).explode(), name: flat})
    return rows.group_by("row", maintain_order=True).agg(name)[name]
