"""Parquet, by Polars. Format: https://parquet.apache.org/docs/file-format/ (checked with polars 2.1)."""

from __future__ import annotations

import io
from collections.abc import Iterator

import polars as pl

from plainview.errors import DamagedError, UnsupportedError
from plainview.files.formats.columnar.batches import read_lazy
from plainview.files.formats.columnar.depth import check_parquet
from plainview.tables import Batch, Input, ReadLog, Table


def read(source: Input, log: ReadLog) -> Iterator[Batch]:
    """Yield the rows in batches. Raise DamagedError for a file whose footer or schema cannot be read."""
    with source.seekable() as stream:
        size = stream.seek(0, io.SEEK_END)
        stream.seek(max(0, size - 8))
        tail = stream.read()
        if tail[4:] == b"PARE":
            raise UnsupportedError("encrypted Parquet")
        if tail[4:] != b"PAR1" or size < 12:
            raise DamagedError("Parquet without its footer: cut short, or still being written")
        if int.from_bytes(tail[:4], "little") > size - 12:
            raise DamagedError("Parquet whose footer says that it is larger than the file")
        stream.seek(size - 8 - int.from_bytes(tail[:4], "little"))
        footer = stream.read(size - 8 - stream.tell())
        check_parquet(footer, source.limits.nesting, source.deadline.check)
        stream.seek(0)
        table = Table(source.name, "parquet")
        # A real file is mapped, not copied, and the descriptor it was opened with is the one that is used.
        yield from read_lazy(source, log, table, lambda: pl.scan_parquet(stream, low_memory=True))
