"""The rows of PostgreSQL's COPY as frames. Format: https://www.postgresql.org/docs/current/sql-copy.html (text)."""

from __future__ import annotations

from typing import Final

import polars as pl

from plainview.files.encodings.blocks import polars_would_unpack
from plainview.files.formats.sqldump import tokens, values

_COPY: Final = {
    "\\" + key: value for key, value in {**dict(zip("nrtbfv", "\n\r\t\b\f\v", strict=True)), "\\": "\\"}.items()
}
_OTHER_COPY: Final = r"\\[^nrtbfv\\]"


def copied(text: bytes, columns: list[str]) -> pl.DataFrame | None:
    """Return the rows of a piece of a COPY block, or None where their fields are not as many as the columns."""
    if b"\r\n" in text:
        text = text.replace(b"\r\n", b"\n")
    rows = text.count(b"\n")
    if text.count(b"\t") != rows * (len(columns) - 1):
        return None
    over = b"-\n" if polars_would_unpack(text) else b""
    try:
        frame = pl.read_csv(
            over + text if over else text,
            has_header=False,
            skip_lines=len(over) // 2,
            separator="\t",
            quote_char=None,
            schema=dict.fromkeys(columns, pl.String),
            null_values=["\\N"],
            empty_string_is_null=False,
            encoding=values.encoding(text),
        )
    except pl.exceptions.PolarsError:
        return None
    if frame.height != rows:
        return None
    return unescape_copy(frame)


def unescape_copy(frame: pl.DataFrame) -> pl.DataFrame:
    """Undo the backslash escapes of COPY in the columns that hold one."""
    holding = values.holding(frame, frame.columns, "\\")
    odd = [name for name in holding if frame[name].str.contains(_OTHER_COPY).any()]
    if odd:  # octal, hexadecimal, or an escaped letter: rare, and one by one
        rare = [
            pl.Series(name, [None if cell is None else tokens.postgres_escapes(cell) for cell in frame[name]])
            for name in odd
        ]
        frame = frame.with_columns(rare)
    frame = frame.with_columns(pl.col([name for name in holding if name not in odd]).str.replace_many(_COPY))
    return values.bytea(frame, holding)


def lines(text: bytes, columns: list[str]) -> tuple[pl.DataFrame | None, list[int]]:
    """Return the rows of whole lines, and which lines (from 0) were left out: they have more or fewer fields."""
    frame = copied(text, columns)
    if frame is not None:
        return frame, []
    tabs = len(columns) - 1
    every = text.split(b"\n")[:-1]
    bad = [number for number, line in enumerate(every) if line.count(b"\t") != tabs]
    good = [line for line in every if line.count(b"\t") == tabs]
    return (copied(b"\n".join(good) + b"\n", columns) if good else None), bad
