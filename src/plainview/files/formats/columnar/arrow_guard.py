"""What is looked at before Polars gets an Arrow message: whether its lengths fit into it.

Polars takes memory for a buffer of any length that a message declares, and when there is not so much the process is
aborted (seen with polars 2.1: four changed bytes were enough). The metadata are FlatBuffers tables:
https://arrow.apache.org/docs/format/Columnar.html#ipc-message-format and https://flatbuffers.dev/internals/.
"""

from __future__ import annotations

import io
import struct
from typing import BinaryIO

from plainview.errors import DamagedError, LimitError
from plainview.files.formats.columnar.depth import deepest, too_deep
from plainview.tables import MIB

DICTIONARY, RECORDS = 2, 3
ROWS = 1 << 24  # of one message whose columns have no bytes at all
PADDING = 256  # bytes around marks and schema
SMALLEST = 8  # bytes of a field that shares all that can be shared
_BROKEN = "an Arrow message has a damaged header; what came before was read"


class _Table:
    """A FlatBuffers table: fields by number. Places beyond the end raise struct.error or IndexError."""

    def __init__(self, data: bytes, at: int) -> None:
        if at < 0:
            raise IndexError
        self.data, self.at = data, at
        self.fields = at - struct.unpack_from("<i", data, at)[0]
        (self.size,) = struct.unpack_from("<H", data, self.fields) if self.fields >= 0 else (0,)

    def place(self, number: int) -> int:
        """Return where a field lies, 0 when it is left out."""
        entry = 4 + 2 * number
        offset = struct.unpack_from("<H", self.data, self.fields + entry)[0] if entry < self.size else 0
        return self.at + offset if offset else 0

    def number(self, field: int) -> int:
        """Return a field of 64 bits."""
        place = self.place(field)
        return int(struct.unpack_from("<q", self.data, place)[0]) if place else 0

    def table(self, field: int) -> _Table | None:
        """Return a table in a field."""
        place = self.place(field)
        return _Table(self.data, place + struct.unpack_from("<I", self.data, place)[0]) if place else None

    def tables(self, field: int) -> list[_Table]:
        """Return the tables of a vector."""
        place = self.place(field)
        if not place:
            return []
        start = place + struct.unpack_from("<I", self.data, place)[0]
        (count,) = struct.unpack_from("<I", self.data, start)
        if count * 4 > len(self.data) - start - 4:
            raise IndexError
        offsets = struct.unpack_from(f"<{count}I", self.data, start + 4)
        return [_Table(self.data, start + 4 + 4 * at + offset) for at, offset in enumerate(offsets)]

    def structs(self, field: int, form: str) -> list[tuple[int, ...]]:
        """Return the structs of a vector."""
        place = self.place(field)
        if not place:
            return []
        start = place + struct.unpack_from("<I", self.data, place)[0]
        (count,) = struct.unpack_from("<I", self.data, start)
        size = struct.calcsize(form)
        if count * size > len(self.data) - start - 4:
            raise IndexError
        return list(struct.iter_unpack(form, self.data[start + 4 : start + 4 + count * size]))


def header(metadata: bytes) -> tuple[int, int]:
    """Return the kind of a message and the length of its body. Raise DamagedError."""
    try:
        message = _root(metadata)
        kind = message.place(1)
        return metadata[kind] if kind else 0, message.number(3)
    except (struct.error, IndexError):
        raise DamagedError(_BROKEN) from None


def check_schema(metadata: bytes, nesting: int) -> None:
    """Raise LimitError for a schema that is nested too deeply, DamagedError for one that cannot be read."""
    try:
        schema = _root(metadata).table(2)
        if schema is not None:
            _check_fields(schema, nesting)
    except (struct.error, IndexError):
        raise DamagedError(_BROKEN) from None


def _check_fields(schema: _Table, nesting: int) -> None:
    """Walk the fields of a schema. Several may share their children, so they are counted, too."""
    most, count = deepest(nesting), 0
    todo = [(field, 1) for field in schema.tables(1)]
    while todo:
        field, depth = todo.pop()
        count += 1
        if depth > most:
            raise too_deep(most)
        if count > len(schema.data) // SMALLEST:
            raise IndexError
        todo += [(child, depth + 1) for child in field.tables(5)]


def check(metadata: bytes, body: bytes | memoryview, limit: int) -> None:
    """Raise DamagedError for lengths that do not fit into the body, LimitError for more than `limit` unpacked."""
    try:
        message = _root(metadata)
        kind = message.place(1)
        batch = message.table(2)
        if batch is not None and kind and metadata[kind] == DICTIONARY:
            batch = batch.table(1)
        if batch is None or not kind or metadata[kind] not in {DICTIONARY, RECORDS}:
            return
        size = _buffers(batch, body)
        nodes = batch.structs(1, "<qq")
        most = max(ROWS, 8 * size)
        counts = batch.structs(4, "<q")
        fits = all(0 <= nulls <= rows <= most for rows, nulls in [*nodes, (batch.number(0), 0)])
        fits = fits and (not nodes or nodes[0][0] == batch.number(0))  # the first column has all rows
        fits = fits and all(0 <= count <= len(body) for (count,) in counts)
    except (struct.error, IndexError):
        fits, size = False, 0
    if not fits:
        raise DamagedError("an Arrow message declares lengths that do not fit into it")
    if size > limit:
        raise LimitError(f"an Arrow message that unpacks to more than {limit // MIB} MiB", hint="raise --memory")


def _buffers(batch: _Table, body: bytes | memoryview) -> int:
    """Return the bytes of all buffers, unpacked. Raise IndexError for one that is not inside the body."""
    packed = batch.place(3) != 0
    total = 0
    for offset, length in batch.structs(2, "<qq"):
        if offset < 0 or length < 0 or offset + length > len(body):
            raise IndexError
        given = int.from_bytes(body[offset : offset + 8], "little", signed=True) if packed and length >= 8 else -1
        if given < -1:
            raise IndexError
        total += length if given == -1 else given
    return total


def check_file(stream: BinaryIO, limit: int, nesting: int) -> bool:
    """Check the messages that the footer of an Arrow file names, and tell whether they are all that it holds.

    Raise DamagedError, LimitError. The file also holds its schema, once more beside the footer, and padding.
    """
    size = stream.seek(0, io.SEEK_END)
    stream.seek(max(0, size - 10))
    tail = stream.read(10)
    length = int.from_bytes(tail[:4], "little", signed=True)
    if tail[4:] != b"ARROW1" or not 0 < length <= size - 10:
        raise DamagedError("an Arrow file without its footer: cut short, or still being written")
    stream.seek(size - 10 - length)
    try:
        footer = _root(stream.read(length))
        if (schema := footer.table(1)) is not None:
            _check_fields(schema, nesting)
        blocks = footer.structs(2, "<qi4xq") + footer.structs(3, "<qi4xq")
    except (struct.error, IndexError):
        raise DamagedError("the footer of the Arrow file is damaged") from None
    for offset, meta, body in blocks:
        if min(offset, meta, body) < 0 or offset + meta + body > size:
            raise DamagedError("the footer of the Arrow file names places outside of it")
        if body > limit:
            raise LimitError(f"an Arrow message larger than {limit // MIB} MiB", hint="raise --memory")
        stream.seek(offset)
        front = stream.read(meta)
        check(front[8 if front[:4] == b"\xff\xff\xff\xff" else 4 :], stream.read(body), limit)
    stream.seek(0)
    return size <= 2 * length + PADDING + sum(meta + body + 64 for _, meta, body in blocks)


def _root(data: bytes) -> _Table:
    return _Table(data, struct.unpack_from("<I", data, 0)[0])


__all__ = ["check", "check_file", "check_schema", "header"]
