"""CSV, TSV and other delimited text, by Polars' parser, block by block in bounded memory.

One path for all: UTF-8 blocks (`encodings.utf8_blocks`) are cut at the last line end and given to Polars, which
refuses what does not fit (more fields than columns, a quote in the wrong place, a quote still open at the end).
Only a refused block is looked at more closely: cut elsewhere, read with more columns, or repaired line by line
(`repairs`). Nothing that a line holds is dropped, and no text of the parser's errors is used: it quotes cells.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import replace

import polars as pl

from plainview.files.encodings.blocks import BLOCK, Utf8Blocks, polars_would_unpack
from plainview.files.formats.csv.dialects import HEAD, Dialect, escapes, record_end, records, sniff, unescaped_end
from plainview.files.formats.csv.headers import column_names, has_header, header_of
from plainview.files.formats.csv.repairs import cut_outside_quotes, repair
from plainview.files.formats.csv.widths import parts
from plainview.tables import MIB, Batch, Header, Input, ReadLog, Table

PIECE = 64 << 10  # bytes of a refused block that are tried again together
NO_HEADER = "no header line"
_REFUSED = (pl.exceptions.PolarsError, pl.exceptions.PanicException, ValueError, OverflowError)


def read(source: Input, log: ReadLog) -> Iterator[Batch]:
    """Yield the rows in batches of one block; all columns are String. Raise LimitError, OSError."""
    blocks = Utf8Blocks(source, log, lazy=True)
    reader = _Reader(source, log, blocks)
    log.listed()
    yielded = False
    for frame in reader.frames():
        yielded = True
        yield Batch(reader.table(), frame)
    if reader.narrowed:
        yield Batch(reader.table(), reader.empty())
    if reader.broken:
        notes = (f"{reader.broken:,} lines with broken quotes were split at each delimiter",)
        table = reader.table()
        yield Batch(replace(table, notes=table.notes + notes), reader.empty())
    if reader.comments:
        # what stands above the rows has no column of its own
        lines = pl.DataFrame({"comment": reader.comments}, schema={"comment": pl.String})
        yield Batch(Table(f"{source.name}/comments", "csv", ("comment lines and titles above the rows",)), lines)
    if not yielded and reader.names:
        yield Batch(reader.table(), reader.empty())
    elif not yielded:
        log.skip(source.name, "empty")


class _Reader:
    """The state of reading one file."""

    def __init__(self, source: Input, log: ReadLog, blocks: Utf8Blocks) -> None:
        self.source, self.log, self.blocks = source, log, blocks
        self.dialect = Dialect()
        self.names: list[str] = []
        self.header: Header | None = None
        self.width = 0  # columns that Polars is told of: those of the header, more once a line had more
        self.notes: dict[str, None] = {}
        self.multiline = False  # quoted line breaks were met: look at quotes before cutting
        self.comments: tuple[str, ...] = ()
        self.broken = 0  # lines whose quotes made no sense
        self.narrowed = False  # some frames lack columns in which all of their cells would be empty
        self.told: set[str] = set()

    def table(self) -> Table:
        """Return the table with all notes so far."""
        return Table(self.source.name, "csv", (*self.blocks.notes, *self.notes), header=self.header)

    def empty(self) -> pl.DataFrame:
        """Return the columns without rows."""
        return pl.DataFrame(schema=dict.fromkeys(self.names, pl.String))

    def skip(self, why: str) -> None:
        """Tell the log once."""
        if why not in self.told:
            self.told.add(why)
            self.log.skip(self.source.name, why)

    def frames(self) -> Iterator[pl.DataFrame]:
        """Yield the rows of one block after the other."""
        carry = b""
        begun = False
        limit = self.source.limits.field
        for part in self.blocks:
            chunk, last = part, self.blocks.last
            if not begun:
                chunk, carry = carry + chunk, b""
                if not last and b"\n" not in chunk and b"\r" not in chunk and len(chunk) <= limit:
                    carry = chunk
                    continue
                chunk, begun = self._begin(chunk, whole=last), True
            chunk = self._clean(chunk, last=last)
            cut = len(chunk) if last else chunk.rfind(b"\n") + 1
            if not cut and len(carry) + len(chunk) > limit:
                self.skip(f"a line longer than {limit // MIB} MiB was read in pieces")
                cut = len(chunk)
            if not cut:
                carry += chunk
                continue
            block = b"".join((carry, memoryview(chunk)[:cut])) if carry or cut < len(chunk) else chunk
            carry = chunk[cut:]
            if self.dialect.backslash and not last and len(block) <= limit + BLOCK:
                end = unescaped_end(block)
                block, carry = block[:end], block[end:] + carry
            block = self.dialect.plain(block)
            if not block.isspace() or len(self.names) == 1:
                frames, carry = self._frames(block, carry, force=last or len(block) > limit + BLOCK)
                while frames:
                    frame = self._named(frames.pop(0))
                    if frame.height:
                        yield frame

    def _begin(self, data: bytes, *, whole: bool) -> bytes:
        """Find dialect and header in the first bytes; return the rows."""
        tabs = self.source.name.lower().endswith((".tsv", ".tab"))
        data = self._clean(data, last=False)
        dialect = self.dialect = sniff(data[:HEAD], tabs=tabs, whole=whole and len(data) <= HEAD)
        data = self._clean(data, last=False)[dialect.start :]
        if not data or data.isspace():
            return b""
        top = record_end(data, dialect.quote)
        enough = HEAD if top < HEAD // 8 else HEAD * 4
        sample = data if len(data) <= HEAD else data[: max(top, data.rfind(b"\n", 0, enough) + 1)][: HEAD * 4]
        most = self.source.limits.columns
        rows = [row[:most] for row in records(dialect.plain(sample).decode("utf-8", "replace"), dialect)]
        if _numbered(rows) and has_header(rows):
            rows[0] = ["", *rows[0]]
        first = rows[0] if rows else []
        self.comments = dialect.comments
        if dialect.names:
            self.names = column_names(list(dialect.names[:most]), min(most, len(dialect.names)))
            self.width = max(1, len(self.names))
            return data
        self.header = header_of(rows, len(first))
        if self.header:
            self.names = list(self.header.names)
            data = data[top:]
        else:
            self.names = column_names([], len(first))
            self.notes[NO_HEADER] = None
        self.width = max(1, len(self.names))
        return data

    def _clean(self, data: bytes, *, last: bool) -> bytes:
        """Remove what is no text: NUL, lone CR as a line end, blank lines and Ctrl-Z at the end of the file."""
        if b"\0" in data:
            data = data.translate(None, b"\0")
            self.notes["NUL bytes were removed"] = None
        if self.dialect.cr:
            data = data.replace(b"\r", b"\n")
        return data.rstrip(b"\r\n\x1a") + b"\n" if last and data.endswith((b"\n\n", b"\n\r\n", b"\x1a")) else data

    def _frames(self, block: bytes, carry: bytes, *, force: bool) -> tuple[list[pl.DataFrame], bytes]:
        """Return the rows of a block that ends at a line end, and what is left for the next one."""
        if self.dialect.escape:
            block = block.replace(self._escaped, self._doubled)
        if self.dialect.spaced:
            quoted = (self.dialect.delimiter + self.dialect.quote).encode()
            block = block.replace(quoted[:1] + b" " + quoted[1:], quoted)
        if self.multiline and not force:
            block, rest = cut_outside_quotes(block, self.dialect.quote)
            carry = rest + carry
        frames = self._parse(block, self.width)
        if frames is not None:
            return frames, carry
        if not self.blocks.valid(block):
            block, carry = self._transcoded(block + carry, force=force)
        if not self.dialect.escape and escapes(block, self.dialect.quote, self.dialect.delimiter):
            frames = self._parse(block.replace(self._escaped, self._doubled), self.width)
            if frames is not None:
                self.dialect = replace(self.dialect, escape=True)
                return frames, carry
        if not force:
            shorter, rest = cut_outside_quotes(block, self.dialect.quote)
            if not shorter:
                return [], block + carry
            frames = None if self.multiline else self._parse(shorter, self.width)
            if frames is not None:
                self.multiline = True
                return frames, rest + carry
        frames, rest = self._repaired(block, force=force)
        return frames, rest + carry

    @property
    def _escaped(self) -> bytes:
        return b"\\" + self.dialect.quote.encode()

    @property
    def _doubled(self) -> bytes:
        return self.dialect.quote.encode() * 2

    def _transcoded(self, data: bytes, *, force: bool) -> tuple[bytes, bytes]:
        """Return bytes that are not UTF-8 as UTF-8, cut at the last line end again."""
        data = self.blocks.repair(data)
        cut = len(data) if force else data.rfind(b"\n") + 1
        return data[:cut], data[cut:]

    def _parse(self, block: bytes, width: int) -> list[pl.DataFrame] | None:
        """Return the block as Polars reads it, or None where it refuses."""
        most = self.source.limits.columns
        first = block.find(b"\n") if b"\n" in block else len(block)
        if not block or (first >= most and block.count(self.dialect.delimiter.encode(), 0, first) >= most):
            return None  # Polars would make a column for each
        if polars_would_unpack(block):
            return None
        frames = []
        for part, columns in parts(block, self.dialect.quote, self.dialect.delimiter, width):
            self.source.deadline.check()
            frame = self._read(part, columns)
            if frame is None:
                return None
            self.narrowed |= columns < len(self.names)
            frames.append(frame)
        return frames

    def _read(self, block: bytes, width: int) -> pl.DataFrame | None:
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

    def _wider(self, block: bytes) -> list[pl.DataFrame] | None:
        """Read the block with as many columns as its longest line has, if that is what was wrong."""
        try:
            lines = csv.reader(
                io.StringIO(block.decode(), newline="\n"),
                delimiter=self.dialect.delimiter,
                quotechar=self.dialect.quote,
            )
            width = max(map(len, lines), default=0)
        except csv.Error:
            return None
        if not self.width < width <= self.source.limits.columns:
            return None
        frames = self._parse(block, width)
        if frames is not None:
            self.width = width
        return frames

    def _repaired(self, block: bytes, *, force: bool) -> tuple[list[pl.DataFrame], bytes]:
        """Read a refused block in small pieces, and line by line only those that are refused again."""
        by_width: dict[int, list[pl.DataFrame]] = {}
        rest, at, broken = b"", 0, 0
        while at < len(block):
            self.source.deadline.check()
            end = block.find(b"\n", at + PIECE) + 1 or len(block)
            piece, at = rest + block[at:end], end
            final = force and at == len(block)
            good, rest = (piece, b"") if final else cut_outside_quotes(piece, self.dialect.quote)
            frames = self._parse(good, self.width)
            if frames is None:
                frames = self._wider(good)
            if frames is None:
                most = self.source.limits.columns
                result = repair(piece.decode(), self.dialect, len(self.names), most=most, force=final)
                if result.longer:
                    self.skip(f"more than {most:,} columns: what stands behind them in a line was read as one")
                frames, rest = result.frames(max(result.width, self.width)), result.rest.encode()
                self.narrowed |= any(frame.width < len(self.names) for frame in frames)
                broken += result.broken
            for frame in frames:
                by_width.setdefault(frame.width, []).append(frame)
        self.broken += broken
        return [pl.concat(frames, rechunk=True) for frames in by_width.values()], rest

    def _named(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Give the columns their names; columns beyond the header stay where they hold something."""
        if self.dialect.written:  # inside of quotes
            frame = frame.with_columns(
                pl.all().str.replace_all(self.dialect.delimiter, self.dialect.written, literal=True)
            )
        known = len(self.names)
        if frame.width > known:
            extra = [name for name in frame.columns[known:] if frame[name].null_count() < frame.height]
            frame = frame.select(*frame.columns[:known], *extra)
            if extra:
                self.notes["some lines have more fields than the header"] = None
        names = column_names(self.names, known)[: frame.width]
        names += [f"column_{int(at) + 1}" for at in frame.columns[known:]]
        frame.columns = column_names(names, len(names))
        return frame


def _numbered(rows: list[list[str]]) -> bool:
    """Tell whether each row has one cell more than the first: numbers of rows, which R gives no name."""
    width, body = len(rows[0]) + 1 if rows else 0, rows[1:]
    return len(body) > 1 and all(len(row) == width for row in body) and any(row[-1].strip() for row in body)


__all__ = ["read"]
