"""What the SQL stores share: rows that come as tab-separated text become frames."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from plainview.errors import DamagedError

LONG = 1 << 16
# Bytes of rows that are looked at together. Large blocks are cheaper to count; as many may be in memory as there
# are threads, some times over.
BLOCK = max(3, 16 // min(8, os.cpu_count() or 1)) << 20
# A cell costs Polars 16 bytes, however short its text is: of many short cells fewer rows are looked at together.
CELLS = max(3, 24 // min(8, os.cpu_count() or 1)) << 17
FILLER = b"....\t"  # a first column that every row has and nobody reads: the place of a packet's header


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a result: its name, the SQL that gives it, its type, and how its text is to be read.

    `form` is "" (as it is), "bool" (t or f), "datetime", "hex" (two digits a byte, after `skip` characters).
    """

    name: str
    sql: str
    dtype: pl.DataType | type[pl.DataType] = pl.String
    form: str = ""
    skip: int = 0


@dataclass(frozen=True, slots=True)
class Dialect:
    """How the text of a result is written."""

    separator: str = "\t"
    eol: str = "\n"
    null: str | None = None
    escapes: bool = False  # backslash sequences, as in COPY
    lossy: bool = False  # bytes may be no UTF-8
    padded: frozenset[int] = frozenset()  # columns with NULs before some of their cells


_ESCAPED = {"\\\\": "\\", "\\n": "\n", "\\t": "\t", "\\r": "\r", "\\b": "\b", "\\f": "\f", "\\v": "\v"}


def frame_of(block: bytes, columns: list[Column], dialect: Dialect) -> pl.DataFrame:
    """Return the rows of a block, each of which begins with FILLER. Raises DamagedError.

    A date or number that Polars cannot hold (infinity, 0000-00-00, a year before Christ) becomes null.
    """
    names = [f"c{number}" for number in range(len(columns))]
    typed = [pl.String if column.form or n in dialect.padded else column.dtype for n, column in enumerate(columns)]
    if not columns:
        return pl.DataFrame()
    try:
        frame = pl.read_csv(
            block,
            has_header=False,
            separator=dialect.separator,
            eol_char=dialect.eol,
            quote_char=None,
            null_values=dialect.null,
            empty_string_is_null=dialect.null is None,
            infer_schema=False,
            schema={"filler": pl.String, **dict(zip(names, typed, strict=True))},
            columns=list(range(1, len(columns) + 1)),
            encoding="utf8-lossy" if dialect.lossy else "utf8",
            ignore_errors=True,
        )
    except pl.exceptions.PolarsError as error:
        raise DamagedError(f"rows that cannot be understood ({type(error).__name__})") from None
    frame = frame.select(_finish(columns, names, dialect.padded, escaped=dialect.escapes and _has_escapes(block)))
    moments = [_moments(frame[column.name]) for column in columns if column.form == "datetime"]
    return frame.with_columns(moments) if moments else frame


def _moments(text: pl.Series) -> pl.Series:
    """Return text as points in time; with fractions of a second the parser needs eight times as long."""
    for form in ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S%.f"):
        moments = text.str.to_datetime(form, time_unit="us", strict=False, cache=False)
        if moments.null_count() == text.null_count():
            break
    return moments


def spans(rows: int, width: int) -> Iterator[tuple[int, int]]:
    """Cut the rows of a block, each of `width` cells, so that no part has more than CELLS; yield first and last + 1."""
    step = max(1, CELLS // max(1, width))
    for first in range(0, rows, step):
        yield first, min(first + step, rows)


def empty_frame(columns: list[Column]) -> pl.DataFrame:
    """Return a frame without rows, which makes the columns of a table known."""
    return pl.DataFrame(schema={column.name: column.dtype for column in columns})


def longest_cell(frame: pl.DataFrame) -> int:
    """Return the number of characters of the longest text, or bytes of the longest binary cell; short is 0."""
    longest = 0
    for column in frame.iter_columns():
        sizes = pl.Series([0])
        if column.dtype == pl.Binary:
            sizes = column.bin.size()
        elif column.dtype == pl.String and (column.str.len_bytes() > LONG).any():
            sizes = column.str.len_chars()  # slower, and no text has more of them than bytes
        longest = max([longest, *sizes.top_k(1).drop_nulls().to_list()])
    return longest


def _has_escapes(block: bytes) -> bool:
    return block.count(b"\\") != block.count(b"\\N")


def _finish(columns: list[Column], names: list[str], padded: frozenset[int], *, escaped: bool) -> list[pl.Expr]:
    taken: set[str] = set()
    expressions = []
    for number, (name, column) in enumerate(zip(names, columns, strict=True)):
        cell = pl.col(name)
        if number in padded:
            cell = cell.str.strip_chars_start("\0")
        if column.form == "bool":
            cell = cell == "t"
        elif column.form == "hex":
            cell = cell.str.slice(column.skip).str.decode("hex", strict=False)
        elif escaped and column.dtype == pl.String:
            cell = cell.str.replace_many(list(_ESCAPED), list(_ESCAPED.values()))
        final = column.name
        while final in taken:
            final += "~"
        taken.add(final)
        expressions.append(cell.alias(final))
    return expressions


__all__ = [
    "BLOCK",
    "FILLER",
    "Column",
    "Dialect",
    "empty_frame",
    "frame_of",
    "longest_cell",
    "spans",
]
