"""CSV, TSV and their kin, by Polars' parser, block by block in bounded memory.

One path for all: UTF-8 blocks (`encodings.utf8_blocks`) are cut at the last line end and given to Polars, which
refuses what does not fit (more fields than columns, a quote in the wrong place, a quote still open at the end).
Only a refused block is looked at more closely: cut elsewhere, read with more columns, or repaired line by line
(`repairs`). Nothing that a line holds is dropped, and no text of the parser's errors is used: it quotes cells.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import replace

import polars as pl

from plainview.sources.base import Batch, Input, ReadLog, Table
from plainview.sources.encodings import Utf8Blocks, utf8_blocks
from plainview.sources.formats.dialects import HEAD, Dialect, record_end, records, sniff
from plainview.sources.formats.headers import column_names, has_header
from plainview.sources.formats.repairs import cut_outside_quotes, repair

NO_HEADER = "no header line"
_REFUSED = (pl.exceptions.PolarsError, pl.exceptions.PanicException, ValueError, OverflowError)


def read(source: Input, log: ReadLog) -> Iterator[Batch]:
    """Yield the rows in batches of one block; all columns are String. Raise LimitError, OSError."""
    _, blocks = utf8_blocks(source, log)
    reader = _Reader(source, log, blocks)
    log.listed()
    yielded = False
    for frame in reader.frames():
        yielded = True
        yield Batch(reader.table(), frame)
    if not yielded and reader.names:
        yield Batch(reader.table(), pl.DataFrame(schema=dict.fromkeys(reader.names, pl.String)))
    elif not yielded:
        log.skip(source.name, "empty")


class _Reader:
    """The state of reading one file."""

    def __init__(self, source: Input, log: ReadLog, blocks: Utf8Blocks) -> None:
        self.source, self.log, self.blocks = source, log, blocks
        self.dialect = Dialect()
        self.names: list[str] = []
        self.width = 0  # columns that Polars is told of: those of the header, more once a line had more
        self.notes: dict[str, None] = {}
        self.multiline = False  # quoted line breaks were met: look at quotes before cutting
        self.comments: tuple[str, ...] = ()

    def table(self) -> Table:
        """Return the table with all notes so far."""
        return Table(self.source.name, "csv", (*self.blocks.notes, *self.notes))

    def frames(self) -> Iterator[pl.DataFrame]:
        """Yield the rows of one block after the other."""
        carry = b""
        begun = False
        for chunk, last in _with_last(self.blocks):
            data = carry + chunk if carry else chunk
            if not begun and (last or b"\n" in data or b"\r" in data):
                data = self._begin(data, whole=last)
                begun = True
            data = self._clean(data, last=last)
            cut = len(data) if last else data.rfind(b"\n") + 1
            if not cut and len(data) > self.source.limits.field:
                self.log.skip(self.source.name, "a line longer than --field was read in pieces")
                data, cut = data + b"\n", len(data) + 1
            carry = data[cut:]
            if not cut or not begun:
                continue
            block = data[:cut] if carry else data
            if block.isspace() or not block:
                continue
            force = last or len(block) > 2 * self.source.limits.field
            frame, rest = self._frame(block, force=force)
            carry = rest + carry if rest else carry
            if frame.height:
                yield frame

    def _begin(self, data: bytes, *, whole: bool) -> bytes:
        """Find dialect and header in the first bytes; return the rows."""
        tabs = self.source.name.lower().endswith((".tsv", ".tab"))
        dialect = self.dialect = sniff(data[:HEAD], tabs=tabs, whole=whole and len(data) <= HEAD)
        data = self._clean(data, last=False)[dialect.start :]
        if not data.strip():
            return b""
        top = record_end(data, dialect.quote)
        sample = (
            data[:HEAD] if len(data) <= HEAD else data[: max(top, data.rfind(b"\n", 0, HEAD) + 1)][: HEAD * 4]
        )
        rows = records(sample.decode("utf-8", "replace"), dialect)
        first = rows[0] if rows else []
        self.comments = dialect.comments
        if has_header(rows):
            self.names = column_names(first, len(first))
            data = data[top:]
        else:
            self.names = column_names([], len(first))
            self.notes[NO_HEADER] = None
        self.width = max(1, len(self.names))
        return data

    def _clean(self, data: bytes, *, last: bool) -> bytes:
        if b"\0" in data:
            data = data.translate(None, b"\0")
            self.notes["NUL bytes were removed"] = None
        if self.dialect.cr:
            data = data.replace(b"\r", b"\n")
        return (
            data.rstrip(b"\r\n\x1a") + b"\n" if last and data.endswith((b"\n\n", b"\r\n", b"\x1a")) else data
        )

    def _frame(self, block: bytes, *, force: bool) -> tuple[pl.DataFrame, bytes]:
        """Return the rows of a block that ends at a line end, and what belongs to the next one."""
        rest = b""
        if self.multiline and not force:
            block, rest = cut_outside_quotes(block, self.dialect.quote)
        frame = self._parse(block, self.width)
        if frame is None and not self.multiline and not force:
            shorter, rest = cut_outside_quotes(block, self.dialect.quote)
            if rest and shorter:
                self.multiline = True
                block, frame = shorter, self._parse(shorter, self.width)
            elif rest:
                rest = b""
        if frame is None:
            frame = self._wider(block)
        if frame is None:
            frame, more = self._repaired(block + rest, force=force)
            rest = more
        return self._named(frame), rest

    def _parse(self, block: bytes, width: int) -> pl.DataFrame | None:
        """Return the block as Polars reads it, or None where it refuses."""
        if not block:
            return None
        schema = {str(at): pl.String for at in range(width)}
        try:
            return pl.read_csv(
                block,
                has_header=False,
                infer_schema=False,
                separator=self.dialect.delimiter,
                quote_char=self.dialect.quote,
                schema=schema,
                missing_columns="insert",
            )
        except _REFUSED:
            return None

    def _wider(self, block: bytes) -> pl.DataFrame | None:
        """Read the block with as many columns as its longest line has, if that is what was wrong."""
        try:
            lines = csv.reader(
                block.decode().splitlines(keepends=True),
                delimiter=self.dialect.delimiter,
                quotechar=self.dialect.quote,
            )
            width = max(map(len, lines), default=0)
        except csv.Error:
            return None
        if not self.width < width <= self.source.limits.columns:
            return None
        frame = self._parse(block, width)
        if frame is not None:
            self.width = width
        return frame

    def _repaired(self, block: bytes, *, force: bool) -> tuple[pl.DataFrame, bytes]:
        result = repair(block.decode(), self.dialect, self.width, force=force)
        if result.broken:
            self.log.skip(
                self.source.name,
                f"{result.broken:,} lines with a quote that does not close or stands in the wrong place;"
                " they were split at each delimiter",
            )
        width = min(max(map(len, result.rows), default=0), self.source.limits.columns)
        return result.frame(max(width, self.width)), result.rest.encode()

    def _named(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Give the columns their names; columns beyond the header stay where they hold something."""
        known = len(self.names)
        if frame.width > known:
            extra = [name for name in frame.columns[known:] if frame[name].null_count() < frame.height]
            frame = frame.select(*frame.columns[:known], *extra)
            if extra:
                self.notes["some lines have more fields than the header"] = None
        names = column_names(self.names, known)
        names += [f"column_{int(at) + 1}" for at in frame.columns[known:]]
        frame.columns = column_names(names, len(names))
        if self.comments and frame.height:
            comments = pl.Series("comment", self.comments[: frame.height], dtype=pl.String)
            self.comments = self.comments[frame.height :]
            if "comment" not in frame.columns:
                frame = frame.with_columns(comments.extend_constant(None, frame.height - len(comments)))
        return frame


def _with_last(blocks: Iterator[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Pair each block with whether it is the last."""
    held = next(blocks, None)
    while held is not None:
        following = next(blocks, None)
        yield held, following is None
        held = following


__all__ = ["read", "replace"]
