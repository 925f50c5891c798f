"""Rows of ClickHouse as frames: TabSeparated for flat tables, JSONEachRow where columns are nested.

Both formats are known to every version. TabSeparated is what the server writes and Polars reads fastest; in it
nested values would be a text of their own grammar, which JSON spares us. Sources: the "Formats" page of the
product's documentation; 18.16 was looked at.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from plainview.documents.json_lines import JsonLines
from plainview.errors import DamagedError, LimitError
from plainview.stores.shared.sql_text import CELLS

if TYPE_CHECKING:
    from plainview.tables import Limits, ReadLog
    from plainview.wire.body import Body

BLOCK = 8 << 20
LINE = 64 << 20  # a row longer than this is refused
TAIL = 16_384
BROKE = re.compile(rb"(?:^|\n)(?:__exception__|Code: ([0-9]{1,5})[.,] (?:e\.displayText\(\) = )?DB::Exception)")
WRAPPERS = re.compile(r"^(?:Nullable|LowCardinality)\((.*)\)$", re.DOTALL)
NESTED = re.compile(
    r"(?i)^(Array|Tuple|Map|Nested|JSON|Object|Variant|Dynamic|Point|Ring|(Multi)?(Polygon|LineString))\b"
)
STATE = re.compile(r"\bAggregateFunction\(")
INTEGERS = re.compile(r"U?Int(8|16|32|64)")
ESCAPES = {"\\\\": "\\", "\\t": "\t", "\\n": "\n", "\\r": "\r", "\\0": "\0", "\\'": "'", "\\b": "\b", "\\f": "\f"}
ESCAPED = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Column:
    """A column as system.columns has it."""

    name: str
    type: str
    default: str = ""

    @property
    def state(self) -> bool:
        """True for what is no value: the state of an aggregate function."""
        return bool(STATE.search(self.type)) and "SimpleAggregateFunction" not in self.type

    @property
    def kept(self) -> bool:
        """True for a column that is stored and can be read. `SELECT *` would leave MATERIALIZED ones out."""
        return self.default not in ("ALIAS", "EPHEMERAL") and not self.state

    @property
    def plain(self) -> str:
        """Return the type without Nullable and LowCardinality."""
        found, name = WRAPPERS.match(self.type), self.type
        while found:
            name = found[1]
            found = WRAPPERS.match(name)
        return name

    @property
    def nested(self) -> bool:
        """True for arrays, tuples, maps and the like."""
        return bool(NESTED.match(self.plain))

    @property
    def dtype(self) -> pl.DataType:
        """Return the type of the frame's column: numbers where they fit, else text as the server writes it."""
        if INTEGERS.fullmatch(self.plain):
            return pl.UInt64() if self.plain.startswith("U") else pl.Int64()
        return pl.Float64() if self.plain in ("Float32", "Float64") else pl.String()


@dataclass(frozen=True, slots=True)
class Block:
    """Whole lines. `problem` is the number of the exception with which the server ended the answer."""

    data: bytes
    problem: str = ""


def format_for(columns: list[Column]) -> str:
    """Return the format in which these columns are read."""
    return "JSONEachRow" if any(column.nested for column in columns) else "TabSeparated"


def blocks(body: Body, width: int = 1) -> Generator[Block]:
    """Cut an answer, with rows of `width` cells, into blocks of whole lines. Raises LimitError, ProtocolError."""
    rest, size = b"", BLOCK >> 3
    while chunk := body.read(size):
        data = rest + chunk
        end = data.rfind(b"\n", 0, max(0, len(data) - TAIL)) + 1
        if not end and len(data) > LINE:
            raise LimitError(f"a row longer than {LINE >> 20} MiB")
        rest = data[end:]
        if not end:
            size = min(BLOCK, 2 * size)  # a long row: it is not to be copied for every little piece of it
        else:
            cells = data.count(b"\n", 0, end) * width
            size = max(TAIL, min(BLOCK, end * CELLS // max(1, cells)))  # of short cells less is held at a time
            yield Block(data[:end])
    found, ended = None, ""
    for found in BROKE.finditer(rest):
        ended = (found[1] or b"unknown").decode()
    # Only the last line can be the server's; a text that looks like it in a first column is followed by others.
    if found is not None and rest.find(b"\n", found.end()) in (-1, len(rest) - 1):
        yield Block(rest[: found.start()] + b"\n" if found.start() else b"", ended)
    elif rest:
        yield Block(rest)


class Reader:
    """Turns blocks of one table into frames."""

    def __init__(self, columns: list[Column], log: ReadLog, limits: Limits, name: str) -> None:
        self.columns = columns
        self.rows = 0
        self._lines = JsonLines(limits=limits, log=log, name=name, unit="row")
        self._json = format_for(columns) == "JSONEachRow"
        self._log, self._name = log, name

    def frame(self, data: bytes) -> pl.DataFrame:
        """Return the rows of a block."""
        if not data:
            return pl.DataFrame()
        frame = self._lines.read(data) if self._json else self._tabs(data)
        self.rows += frame.height
        return frame

    def finish(self) -> None:
        """Tell the log what could not be read."""
        if self._json:
            self._lines.finish()

    def _tabs(self, data: bytes) -> pl.DataFrame:
        if len(self.columns) == 1:
            return self._one(data)
        schema = {column.name: column.dtype for column in self.columns}
        frame = None
        for encoding in ("utf8", "utf8-lossy"):
            try:
                frame = pl.read_csv(
                    data,
                    has_header=False,
                    separator="\t",
                    quote_char=None,
                    null_values="\\N",
                    schema=schema,
                    encoding=encoding,
                )
            except pl.exceptions.PolarsError:
                schema = schema if encoding == "utf8" else dict.fromkeys(schema, pl.String())
            else:
                break
        if frame is None:
            rows = [line.split("\t") for line in data.decode("utf-8", "replace").removesuffix("\n").split("\n")]
            if any(len(row) != len(self.columns) for row in rows):
                raise DamagedError("lines with another number of columns than the table has")
            cells = [[None if v == "\\N" else v for v in column] for column in zip(*rows, strict=True)]
            frame = pl.DataFrame({c.name: v for c, v in zip(self.columns, cells, strict=False)}, schema=schema)
        return self._unescaped(frame)

    def _one(self, data: bytes) -> pl.DataFrame:
        """Read a table of one column: an empty line is an empty text, which a reader of CSV passes over."""
        lines = data.decode("utf-8", "replace").removesuffix("\n").split("\n")
        column = self.columns[0]
        series = pl.Series(column.name, [None if line == "\\N" else line for line in lines], dtype=pl.String)
        return self._unescaped(series.to_frame()).cast({column.name: column.dtype}, strict=False)

    def _unescaped(self, frame: pl.DataFrame) -> pl.DataFrame:
        texts = []
        for series in frame.iter_columns():
            if series.dtype == pl.String and series.str.contains("\\", literal=True).any():
                # one pass from the left, so that an escaped backslash does not escape what follows
                fixed = series.str.replace_many(list(ESCAPES), list(ESCAPES.values()), leftmost=True)
                texts.append(fixed)
        padded = {column.name for column in self.columns if column.plain.startswith("FixedString")}
        fixed_width = [s.str.strip_chars_end("\0") if s.name in padded else s for s in texts]
        return frame.with_columns(fixed_width) if texts else frame


def plain_rows(data: bytes) -> list[list[str]]:
    """Return the rows of a small TabSeparated answer."""
    lines = data.decode("utf-8", "replace").removesuffix("\n").split("\n") if data else []
    return [[_plain(cell) for cell in line.split("\t")] for line in lines]


def _plain(cell: str) -> str:
    return ESCAPED.sub(lambda m: ESCAPES.get(m[0], m[1]), cell) if "\\" in cell else cell


__all__ = ["Block", "Column", "Reader", "blocks", "format_for", "plain_rows"]
