"""Arrow IPC, file and stream form, and Feather 2, by Polars.

Format: https://arrow.apache.org/docs/format/Columnar.html#serialization-and-interprocess-communication-ipc
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

import polars as pl

from plainview.errors import LimitError
from plainview.sources.base import MIB, Batch, Input, ReadLog, Table
from plainview.sources.formats.columnar import attempt, read_lazy


def read(source: Input, log: ReadLog) -> Iterator[Batch]:
    """Yield the rows. Raise DamagedError when the schema cannot be read, LimitError for a huge stream."""
    table = Table(source.name, "arrow")
    with source.seekable() as stream:
        if source.head.startswith(b"ARROW1"):
            yield from read_lazy(source, log, table, lambda: pl.scan_ipc(stream))
        else:
            yield from _read_stream(source, log, table, stream)


def _read_stream(source: Input, log: ReadLog, table: Table, stream: BinaryIO) -> Iterator[Batch]:
    """Read the stream form, which Polars holds in memory whole."""
    if source.size is not None and source.size > 4 * source.limits.memory:
        raise LimitError(f"an Arrow stream larger than {4 * source.limits.memory // MIB} MiB", hint="raise --memory")
    frame = attempt(lambda: pl.read_ipc_stream(stream))
    log.listed(rows=frame.height)
    yield from ((Batch(table, part) for part in frame.iter_slices(50_000)) if frame.height else [Batch(table, frame)])
