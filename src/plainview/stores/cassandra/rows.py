"""Pages of Cassandra to frames: a column of a type of fixed width at once, collections as documents."""

from __future__ import annotations

from typing import Any

import polars as pl

from plainview.documents.walk import documents_to_frame
from plainview.stores.cassandra.cql import Page
from plainview.stores.cassandra.types import LIST, MAP, SET, TUPLE, UDT, series, value_of
from plainview.tables import Limits, ReadLog


def to_frame(page: Page, limits: Limits, log: ReadLog, name: str, maps: set[str]) -> pl.DataFrame:
    """Return the rows of a page. Collections become paths, as in documents."""
    columns: list[pl.Series] = []
    nested: dict[str, list[Any]] = {}
    for number, (column, kind) in enumerate(zip(page.names, page.types, strict=True)):
        cells = page.column(number)
        if kind.id in (LIST, MAP, SET, UDT, TUPLE) or kind.size:
            nested[column] = [value_of(kind, cell) for cell in cells]
        else:
            columns.append(series(column, kind, cells))
    if nested:
        docs = [dict(zip(nested, values, strict=True)) for values in zip(*nested.values(), strict=True)]
        columns += documents_to_frame(docs, limits=limits, log=log, name=name, maps=maps).iter_columns()
    taken: dict[str, pl.Series] = {}
    for one in columns:
        free = one.name
        while free in taken:
            free += "~"
        taken[free] = one.alias(free)
    return pl.DataFrame(list(taken.values())) if taken else pl.DataFrame(height=page.rows)
