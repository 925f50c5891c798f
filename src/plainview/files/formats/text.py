"""Plain text and logs: a table with the one column `text`, a row for each line that is not blank.

Polars' CSV parser splits the lines (no quotes, a separator that does not occur), at several GB/s.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import polars as pl

from plainview.documents.encoded import decoded_lines
from plainview.files.encodings.blocks import Utf8Blocks, polars_would_unpack
from plainview.tables import MIB, Batch, Input, ReadLog, Table

COLUMN = "text"
PIECE = MIB  # a longer line is read in pieces, cut at a blank
_ABSENT = [bytes([byte]) for byte in (*range(1, 9), *range(14, 32)) if byte not in (0x1A, 0x1B)]
_ESCAPES = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]")  # colours of terminals, which stick to the words beside them


def read(source: Input, log: ReadLog) -> Iterator[Batch]:
    """Yield the lines in batches of one block. Raise LimitError, OSError."""
    log.listed()
    blocks = Utf8Blocks(source, log)
    notes: dict[str, None] = {}
    yielded = False
    for block in _line_blocks(blocks, notes):
        lines = decoded_lines(block)
        if lines is not block:
            notes["words in base64 were decoded"] = None
        frame = _split(lines)
        if frame is None:  # every separator occurs, or Polars refuses the bytes for another reason
            text = lines.decode("utf-8", "replace")
            frame = pl.DataFrame({COLUMN: text.split("\n")}, schema={COLUMN: pl.String})
        frame = frame.filter(pl.col(COLUMN) != "")
        if frame.height:
            yielded = True
            yield Batch(Table(source.name, "text", (*blocks.notes, *notes)), frame)
    if not yielded:
        yield Batch(Table(source.name, "text", blocks.notes), pl.DataFrame(schema={COLUMN: pl.String}))


def _line_blocks(blocks: Utf8Blocks, notes: dict[str, None]) -> Iterator[bytes]:
    """Yield blocks of whole lines; a line end that is only CR becomes LF."""
    carry = b""
    cr: bool | None = None
    for part in blocks:
        chunk = part
        if cr is None:
            cr = b"\r" in chunk and b"\n" not in chunk
        if cr:
            chunk = chunk.replace(b"\r", b"\n")
        if b"\0" in chunk:
            chunk = chunk.translate(None, b"\0")
            notes["NUL bytes were removed"] = None
        if b"\x1b[" in chunk:
            chunk = _ESCAPES.sub(b"", chunk)
        cut = chunk.rfind(b"\n") + 1
        if not cut and len(carry) + len(chunk) > PIECE:
            notes["long lines were read in pieces"] = None
            chunk, carry = carry + chunk, b""
            cut = max(chunk.rfind(b" "), chunk.rfind(b"\t"), chunk.rfind(b",")) + 1 or len(chunk)
        if cut:
            yield b"".join((carry, memoryview(chunk)[:cut]))
            carry = chunk[cut:]
        else:
            carry += chunk
    if carry:
        yield carry


def _split(lines: bytes) -> pl.DataFrame | None:
    """Return the lines as a frame, or None where Polars refuses them."""
    separator = next((byte for byte in _ABSENT if byte not in lines), None)
    if separator is None or polars_would_unpack(lines):
        return None
    try:
        return pl.read_csv(
            lines,
            has_header=False,
            infer_schema=False,
            separator=separator.decode(),
            quote_char=None,
            schema={COLUMN: pl.String},
        )
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, ValueError):
        return None


__all__ = ["COLUMN", "read"]
