"""Parquet, by Polars: row groups in bounded memory; a row group that is damaged is told, the others are read.

Format: https://parquet.apache.org/docs/file-format/ (checked against polars 2.1).
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from plainview.sources.base import Batch, Input, ReadLog, Table

ROWS = 50_000


def read(source: Input, log: ReadLog) -> Iterator[Batch]:
    """Yield the rows in batches. Raise DamagedError for a file whose footer or schema cannot be read."""
    table = Table(source.name, "parquet")
    with source.seekable() as stream:
        lazy = pl.scan_parquet(stream, parallel="prefiltered", low_memory=True)
        schema = lazy.collect_schema()
        yield Batch(table, pl.DataFrame(schema=schema))
        log.listed()
        for frame in lazy.collect_batches(chunk_size=ROWS, maintain_order=True):
            source.deadline.check()
            yield Batch(table, frame)
