"""Columns of bytes that hold text, which many stores and formats keep as bytes: read as text."""

from __future__ import annotations

import re

import polars as pl

LOOK = 64  # cells that are looked at first
TEXT = 0.9  # share of the cells that have to be text
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def readable(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the frame with columns of bytes as strings where nearly all their cells are UTF-8 text.

    Bytes that are no UTF-8 in such a column become U+FFFD; zeros that pad a cell are left out. Lists of bytes likewise.
    """
    read = [text for column in frame.iter_columns() if (text := _text(column)) is not None]
    return frame.with_columns(read) if read else frame


def _text(column: pl.Series) -> pl.Series | None:
    kind = column.dtype
    if kind == pl.List(pl.Binary):
        cells = column.explode(empty_as_null=False, keep_nulls=False)
        if _is_text(cells) and all(cell is None or _decoded(cell) is not None for cell in cells):
            rows = [None if row is None else [_replaced(cell) for cell in row] for row in column.to_list()]
            return pl.Series(column.name, rows, dtype=pl.List(pl.String))
        return None
    if kind != pl.Binary or not _is_text(column):
        return None
    try:
        text = column.cast(pl.String)
    except pl.exceptions.PolarsError:
        text = pl.Series(column.name, [_replaced(cell) for cell in column], dtype=pl.String)
    if text.str.contains("\0", literal=True).any():
        text = text.str.strip_chars_end("\0")
    odd = text.str.contains(_CONTROL.pattern.replace("\\x00", "\\x{0}")) | text.str.contains("\ufffd", literal=True)
    return text if int(odd.sum()) <= (1 - TEXT) * (len(text) - text.null_count()) else None


def _is_text(column: pl.Series) -> bool:
    """Judge some cells, spread over the column."""
    filled = column.drop_nulls()
    if filled.is_empty():
        return False
    some = filled.gather_every(max(1, len(filled) // LOOK)).to_list()
    texts = [_decoded(cell) for cell in some]
    return any(texts) and sum(text is not None for text in texts) >= TEXT * len(texts)


def _decoded(cell: bytes) -> str | None:
    try:
        text = cell.decode().rstrip("\0")
    except UnicodeError:
        return None
    return None if _CONTROL.search(text) else text


def _replaced(cell: bytes | None) -> str | None:
    return None if cell is None else cell.decode("utf-8", "replace").rstrip("\0")


__all__ = ["readable"]
