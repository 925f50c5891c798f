"""Delimited text that breaks the rules: a quote that never closes must not swallow the rest of a file.

Line by line: a line without quotes is split; a record over several lines is believed when Python's csv module
accepts it strictly and it has the width of the table; else its first line stands alone, and the next is tried.
"""

from __future__ import annotations

import csv
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import zip_longest

import polars as pl

from plainview.files.formats.csv.dialects import Dialect
from plainview.files.formats.csv.widths import CLASSES

SPAN = 200  # lines that one record may have inside a block that is broken somewhere


def cut_outside_quotes(block: bytes, quote: str) -> tuple[bytes, bytes]:
    """Cut after the last line end that has an even number of quotes before it; the first part may be empty."""
    import numpy as np  # here: reading begins before it is loaded

    data = np.frombuffer(block, np.uint8)
    quotes = np.flatnonzero(data == ord(quote))
    if len(quotes) % 2 == 0 and block.endswith(b"\n"):
        return block, b""
    ends = np.flatnonzero(data == ord("\n"))
    even = ends[np.searchsorted(quotes, ends) % 2 == 0]
    cut = int(even[-1]) + 1 if len(even) else 0
    return block[:cut], block[cut:]


@dataclass(slots=True)
class Repaired:
    """Rows of a block, how many of its lines broke the rules, and the text of a record that it cuts."""

    rows: list[list[str]] = field(default_factory=list)
    broken: int = 0
    longer: bool = False  # some line had more fields than a table may have columns
    rest: str = ""

    @property
    def width(self) -> int:
        """Return how many cells the longest row has."""
        return max(map(len, self.rows), default=0)

    def frames(self, width: int) -> list[pl.DataFrame]:
        """Return the rows as String columns "0", "1", …, at most `width`; empty cells are null.

        Where most cells would be empty, rows of about the same length have frames of their own.
        """
        if len(self.rows) * width <= 4 * sum(map(len, self.rows)) + CLASSES[0] * len(self.rows):
            return [_frame(self.rows, width)]
        classes: dict[int, list[list[str]]] = {}
        for row in self.rows:
            classes.setdefault(bisect_left(CLASSES, len(row)), []).append(row)
        return [_frame(rows, min(width, (*CLASSES, width)[name])) for name, rows in classes.items()]


def _frame(rows: list[list[str]], width: int) -> pl.DataFrame:
    columns = list(zip_longest(*rows, fillvalue=None))[:width]
    columns += [(None,) * len(rows)] * (width - len(columns))
    return pl.DataFrame(
        [pl.Series(str(at), [cell or None for cell in cells], dtype=pl.String) for at, cells in enumerate(columns)]
    )


def repair(text: str, dialect: Dialect, width: int, *, most: int, force: bool) -> Repaired:
    """Read a block that Polars refuses. `width`: cells of a good row; `force`: leave nothing for the next block.

    A line with more than `most` fields keeps its end unsplit in the last of them.
    """
    result = Repaired()
    lines = text.split("\n")
    if lines and not lines[-1]:
        lines.pop()
    at, closing = 0, _closing_lines(lines, dialect)
    while at < len(lines):
        line = lines[at]
        short = line.count(dialect.delimiter) < most
        result.longer |= not short
        if dialect.quote not in line:
            result.rows.append(line.removesuffix("\r").split(dialect.delimiter, most - 1))
            at += 1
            continue
        end = closing[at] if closing[at] - at < SPAN else len(lines)
        if end == len(lines) and not force and end - at < SPAN:
            result.rest = "\n".join(lines[at:]) + "\n"
            break
        row = _record("\n".join(lines[at : end + 1]), dialect) if end < len(lines) and short else None
        if row is not None and len(row) <= most and (end == at or len(row) == width):
            result.rows.append(row)
            at = end + 1
            continue
        row, clean = _lenient(line.removesuffix("\r"), dialect, most)
        result.rows.append(row)
        result.broken += not clean
        at += 1
    return result


def _closing_lines(lines: list[str], dialect: Dialect) -> list[int]:
    """Return for each line the one where the quotes opened in it are even again, or the number of lines."""
    odd = [_quotes(line, dialect) % 2 == 1 for line in lines]
    closing, following = [len(lines)] * len(lines), len(lines)
    for at in range(len(lines) - 1, -1, -1):
        closing[at] = following if odd[at] else at
        following = at if odd[at] else following
    return closing


def _quotes(line: str, dialect: Dialect) -> int:
    return line.count(dialect.quote) - (line.count("\\" + dialect.quote) if dialect.escape else 0)


def _record(text: str, dialect: Dialect) -> list[str] | None:
    """Return one record as the csv module reads it strictly, or None."""
    rows = _rows(text, dialect, strict=True)
    return rows[0] if rows is not None and len(rows) == 1 else None


def _rows(text: str, dialect: Dialect, *, strict: bool) -> list[list[str]] | None:
    lines: Iterator[str] = iter([part + "\n" for part in text.removesuffix("\r").split("\n")])
    try:
        return list(
            csv.reader(
                lines,
                delimiter=dialect.delimiter,
                quotechar=dialect.quote,
                escapechar="\\" if dialect.escape else None,
                skipinitialspace=True,
                strict=strict,
            )
        )
    except csv.Error:
        return None


def _lenient(line: str, dialect: Dialect, most: int) -> tuple[list[str], bool]:
    """Split one line that breaks the rules: (cells, whether all of its quotes made sense)."""
    if _quotes(line, dialect) % 2 == 0 and line.count(dialect.delimiter) < most:
        rows = _rows(line, dialect, strict=False)
        if rows and len(rows) == 1:
            return rows[0], True
    return [cell.strip(dialect.quote) for cell in line.split(dialect.delimiter, most - 1)], False


__all__ = ["Repaired", "cut_outside_quotes", "repair"]
