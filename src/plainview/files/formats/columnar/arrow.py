"""Arrow IPC, file and stream form, and Feather 2: cut into messages here, decoded by Polars some at a time.

Both forms are a row of messages; the file form has a mark before and a footer behind, which is not needed to
read front to back. So memory stays bounded, packed files stream, and a damaged message costs only itself. Files
without a mark before each message (Polars 2 writes them, and Arrow before 0.15 did) are mapped by Polars instead.

Format: https://arrow.apache.org/docs/format/Columnar.html#encapsulated-message-format
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

import polars as pl

from plainview.errors import DamagedError, LimitError
from plainview.files.formats.columnar import arrow_guard
from plainview.files.formats.columnar.batches import attempt, read_lazy
from plainview.tables import MIB, Batch, Input, ReadLog, Table

MARK = b"\xff\xff\xff\xff"
END = MARK + bytes(4)
SCHEMA, DICTIONARY, RECORDS = 1, 2, 3
CHUNK = 16 * MIB
ROWS = 50_000

Message = tuple[bytes, bytes, bytes]  # mark and length, metadata, body


def read(source: Input, log: ReadLog) -> Iterator[Batch]:
    """Yield the rows. Raise DamagedError where the messages end too early, LimitError for a huge message."""
    table = Table(source.name, "arrow")
    is_file = source.head.startswith(b"ARROW1")
    start = source.head.find(MARK, 0, 72) if is_file else 0  # writers pad the first mark to 8 or 64 bytes
    if start < 0 or source.head[6:start].strip(b"\0"):
        yield from _read_by_footer(source, log, table)
        return
    log.listed()
    with source.open() as stream:
        stream.read(start)
        yield from _Reader(source, log, table).read(stream)


def _read_by_footer(source: Input, log: ReadLog, table: Table) -> Iterator[Batch]:
    """Read a file whose messages do not follow each other: written by Polars 2, or before Arrow 0.15."""
    with source.seekable() as stream:
        whole = arrow_guard.check_file(stream, 4 * source.limits.memory, source.limits.nesting)
        if not whole:
            log.skip(source.name, "damaged: its footer does not name all that the file holds")
        yield from read_lazy(source, log, table, lambda: pl.scan_ipc(stream))


@dataclass(slots=True)
class _Reader:
    source: Input
    log: ReadLog
    table: Table
    prefix: bytes = b""  # schema and dictionaries, before each chunk
    chunk: list[Message] = field(default_factory=list)
    number: int = 0  # of record batches so far
    unknown: int = 0  # messages of other kinds

    def read(self, stream: BinaryIO) -> Iterator[Batch]:
        """Yield the rows of all messages."""
        size = 0
        broken: DamagedError | None = None
        try:
            for kind, message in messages(stream, 4 * self.source.limits.memory):
                self.source.deadline.check()
                if kind == DICTIONARY:
                    arrow_guard.check(message[1], message[2], 4 * self.source.limits.memory)
                if kind == RECORDS and not self._fits(message):
                    yield from self._flush()
                    size = 0
                    self.number += 1
                    self.log.skip(f"{self.source.name}: record batch {self.number}", "damaged; the rest was read")
                elif kind == RECORDS:
                    self.chunk.append(message)
                    size += len(message[-1])
                elif kind in {SCHEMA, DICTIONARY}:
                    yield from self._flush()
                    size = 0
                    self.prefix += b"".join(message)
                    if kind == SCHEMA:
                        arrow_guard.check_schema(message[1], self.source.limits.nesting)
                        yield Batch(self.table, self._decode([]))
                else:
                    self.unknown += 1
                if size >= CHUNK:
                    yield from self._flush()
                    size = 0
        except DamagedError as error:
            broken = error
        yield from self._flush()
        if self.unknown:
            self.log.skip(self.source.name, f"{self.unknown:,} messages that are no rows (tensors, or damaged)")
        if broken is None and not self.prefix:
            broken = DamagedError("an Arrow stream without a schema")
        if broken is not None:
            raise broken

    def _fits(self, message: Message) -> bool:
        try:
            arrow_guard.check(message[1], message[2], 4 * self.source.limits.memory)
        except DamagedError:
            return False
        return True

    def _decode(self, batches: list[Message]) -> pl.DataFrame:
        parts = [part for batch in batches for part in batch]
        data = io.BytesIO(b"".join((self.prefix, *parts, END)))
        frame = attempt(lambda: pl.read_ipc_stream(data))
        limit = self.source.limits.columns
        if frame.width > limit:
            if not batches:
                why = f"columns after the first {limit} of {frame.width} (raise --columns)"
                self.log.skip(self.source.name, why)
            frame = frame.select(frame.columns[:limit])
        return frame

    def _flush(self) -> Iterator[Batch]:
        """Decode what was collected; when that fails, one record batch after the other."""
        batches, self.chunk = self.chunk, []
        if not batches:
            return
        try:
            frames = [self._decode(batches)]
        except DamagedError:
            frames = []
            for at, batch in enumerate(batches, self.number + 1):
                try:
                    frames.append(self._decode([batch]))
                except DamagedError:
                    self.log.skip(f"{self.source.name}: record batch {at}", "damaged; the rest was read")
        self.number += len(batches)
        for frame in frames:
            self.log.listed(0, frame.height)
            yield from (Batch(self.table, part) for part in frame.iter_slices(ROWS))


def messages(stream: BinaryIO, limit: int) -> Iterator[tuple[int, Message]]:
    """Yield the kind and the parts of each message. Raise DamagedError when there is no end mark behind the last."""
    while True:
        front = stream.read(8)
        if front == END:
            return
        length = int.from_bytes(front[4:], "little", signed=True)
        if len(front) < 8 or front[:4] != MARK or length <= 0:
            raise DamagedError("the Arrow messages are cut short or damaged; what came before was read")
        if length > limit:
            raise LimitError(f"an Arrow message larger than {limit // MIB} MiB", hint="raise --memory")
        metadata = stream.read(length)
        kind, body = arrow_guard.header(metadata)
        if not 0 <= body <= limit:
            raise LimitError(f"an Arrow message larger than {limit // MIB} MiB", hint="raise --memory")
        data = stream.read(body)
        if len(metadata) < length or len(data) < body:
            raise DamagedError("the Arrow messages are cut short; what came before was read")
        yield kind, (front, metadata, data)


__all__ = ["messages", "read"]
