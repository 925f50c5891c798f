"""Arrow IPC, file and stream form, and Feather 2, by Polars.

Format: https://arrow.apache.org/docs/format/Columnar.html#serialization-and-interprocess-communication-ipc
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from typing import BinaryIO

import polars as pl

from plainview.errors import LimitError
from plainview.sources.base import MIB, Batch, Input, ReadLog, Table
from plainview.sources.formats.columnar import attempt, read_lazy

END = b"\xff\xff\xff\xff\0\0\0\0"


def read(source: Input, log: ReadLog) -> Iterator[Batch]:
    """Yield the rows. Raise DamagedError when the schema cannot be read, LimitError for a huge stream."""
    table = Table(source.name, "arrow")
    with source.seekable() as stream:
        if source.head.startswith(b"ARROW1"):
            listed = log.rows_listed
            yield from read_lazy(source, log, table, lambda: pl.scan_ipc(stream))
            if log.rows_listed == listed and messages(source.head[8:]) > 1:
                log.skip(source.name, "damaged: its footer names none of the record batches that are in it")
        else:
            yield from _read_stream(source, log, table, stream)


def _read_stream(source: Input, log: ReadLog, table: Table, stream: BinaryIO) -> Iterator[Batch]:
    """Read the stream form, which is held in memory whole; messages after a cut or damaged one are told."""
    limit = 4 * source.limits.memory
    data = stream.read(limit + 1)
    if len(data) > limit:
        raise LimitError(f"an Arrow stream larger than {limit // MIB} MiB", hint="raise --memory")
    end = whole_messages(data)
    frame = attempt(lambda: pl.read_ipc_stream(io.BytesIO(data[:end] + END)))
    log.listed(rows=frame.height)
    yield from (Batch(table, part) for part in frame.iter_slices(50_000)) if frame.height else [Batch(table, frame)]
    if not data.startswith(END, end):
        log.skip(source.name, "the Arrow stream is cut short or damaged: it has no end mark; what came before was read")


def whole_messages(data: bytes, most: int | None = None) -> int:
    """Return where the last whole message (of `most`) ends: a mark, the length of the metadata, metadata, body."""
    at = count = 0
    while data.startswith(END[:4], at) and at + 8 <= len(data) and count != most:
        count += 1
        (length,) = struct.unpack_from("<i", data, at + 4)
        body = _body_length(data[at + 8 : at + 8 + length]) if length > 0 else -1
        if length <= 0 or body < 0 or at + 8 + length + body > len(data):
            break
        at += 8 + length + body
    return at


def messages(data: bytes) -> int:
    """Count the whole messages, and one that is begun behind them."""
    count = at = 0
    while data.startswith(END[:4], at) and not data.startswith(END, at):
        count += 1
        step = whole_messages(data[at:], most=1)
        if not step:
            break
        at += step
    return count


def _body_length(metadata: bytes) -> int:
    """Return `bodyLength`, the fourth field of the FlatBuffers table Message, or -1 when it cannot be found."""
    try:
        (table,) = struct.unpack_from("<I", metadata, 0)
        fields = table - struct.unpack_from("<i", metadata, table)[0]
        (size,) = struct.unpack_from("<H", metadata, fields)
        offset = struct.unpack_from("<H", metadata, fields + 4 + 2 * 3)[0] if size >= 12 else 0
        return int(struct.unpack_from("<q", metadata, table + offset)[0]) if offset else 0
    except struct.error:
        return -1
