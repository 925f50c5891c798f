"""A table of a document as a frame of text, or as lines `label: value` where it is a form."""

from __future__ import annotations

import polars as pl

from plainview.detectors.headings import WORDS, words_of_heading
from plainview.files.formats.csv.headers import header_of
from plainview.tables import Batch, Table

LABELS = 0.5  # share of the cells of the first column that say what stands beside them


def is_form(rows: list[list[str]]) -> bool:
    """Tell whether each row is a label and its value."""
    if max(map(len, rows)) != 2:
        return len(rows) == 1
    labels = [row[0] for row in rows if row and row[0]]
    known = sum(any(word in WORDS for word in words_of_heading(label)) for label in labels if len(label) <= 60)
    beside = sum(any(word in WORDS for word in words_of_heading(row[1])) for row in rows if len(row) > 1)
    return known >= LABELS * max(1, len(labels)) and known > 2 * beside


def form_lines(rows: list[list[str]]) -> list[str]:
    """Return a form as text."""
    return [": ".join(cell.rstrip(": ") for cell in row if cell) for row in rows]


def grid_batch(rows: list[list[str]], table: Table, most: int) -> Batch:
    """Return the rows with the names that the first of them gives, where it does."""
    width = min(max(map(len, rows)), most)
    header = header_of(rows, width) if len(rows) > 1 else None
    names = list(header.names) if header else [f"column_{at + 1}" for at in range(width)]
    body = rows[1:] if header else rows
    columns = {name: [(row[at] or None) if at < len(row) else None for row in body] for at, name in enumerate(names)}
    frame = pl.DataFrame(columns, schema=dict.fromkeys(names, pl.String))
    notes = () if header else ("no header line",)
    return Batch(Table(table.name, table.kind, notes, header=header), frame)


__all__ = ["form_lines", "grid_batch", "is_form"]
