"""Spreadsheets (xlsx, xlsb, xls, ods), by fastexcel: every sheet, also hidden; formulas as their result.

A sheet becomes a table of text. The line of column names is looked for: titles may stand above it, and
where the first line is data there is none, for a name in a report must never be a value.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from typing import Any

import polars as pl

from plainview.errors import DamagedError, LimitError, PlainviewError, UnsupportedError
from plainview.sources.base import MIB, Batch, Input, ReadLog, Table
from plainview.sources.formats.columnar import attempt
from plainview.sources.formats.sheets_guard import check_workbook
from plainview.sources.kinds import identify

ROWS = 50_000
LOOK = 30  # rows in which the line of names is looked for

# A cell that is data by its looks: a number, a date, an address, a long text
_DATA = re.compile(
    r"[-+]?[0-9][0-9.,:/ %-]*$|.*@|.{61}|.*[0-9]{5}|https?:|[0-9]{4}-[0-9]{2}-[0-9]{2}|(?i:true|false)$"
)


def read(source: Input, log: ReadLog) -> Iterator[Batch]:
    """Yield every sheet. Raise LimitError for what does not fit in memory, UnsupportedError if encrypted."""
    import fastexcel

    logging.getLogger("calamine").setLevel(logging.CRITICAL)  # it would quote the file on stderr
    logging.getLogger("fastexcel").setLevel(logging.CRITICAL)
    data = _bytes(source)
    kind = identify(source.head, source.name, len(data), lambda at, size: _part(data, at, size)).name or "xls"
    if kind != "xls":
        check_workbook(source, data, kind, log)
    try:
        book = attempt(lambda: _open(fastexcel, data))
        names = book.sheet_names
    except UnsupportedError:
        raise
    except PlainviewError:
        raise DamagedError("the workbook cannot be opened: damaged, or of a form that is not read") from None
    for name in names:
        source.deadline.check()
        log.listed()
        try:
            yield from _sheet(book, name, Table(f"{source.name}/{_clean(name)}", kind), log, source)
        except PlainviewError as error:
            log.skip(f"{source.name}/{_clean(name)}", error)


def _bytes(source: Input) -> bytes:
    limit = source.limits.memory
    with source.open() as stream:
        data = stream.read(limit + 1)
    if len(data) > limit:
        raise LimitError(f"a workbook larger than {limit // MIB} MiB", hint="raise --memory")
    return data


def _part(data: bytes, at: int, size: int) -> bytes:
    at = max(0, len(data) + at) if at < 0 else at
    return data[at : at + size]


def _open(fastexcel: Any, data: bytes) -> Any:
    try:
        return fastexcel.read_excel(data)
    except Exception as error:
        if "password" in str(error).lower():
            raise UnsupportedError("encrypted with a password") from None
        raise


def _clean(name: str) -> str:
    return name.replace("/", "_") or "unnamed"


def _sheet(book: Any, name: str, table: Table, log: ReadLog, source: Input) -> Iterator[Batch]:
    sheet = attempt(lambda: book.load_sheet(name, header_row=None, dtypes="string", skip_rows=0))
    if sheet.visible != "visible":
        table = Table(table.name, table.kind, (*table.notes, "hidden sheet"))
    if sheet.width > source.limits.columns:
        raise LimitError(f"{sheet.width} columns", hint="raise --columns")
    grid = attempt(lambda: pl.DataFrame(sheet)) if sheet.width else pl.DataFrame()
    if grid.width == 0:
        return
    grid.columns = [f"column_{index}" for index in range(1, grid.width + 1)]
    at = find_header(grid)
    body = grid if at is None else grid.slice(at + 1)
    if at is None:
        table = Table(table.name, table.kind, (*table.notes, "no header line"))
    else:
        body.columns = header_names(grid.row(at))
    titles = _titles(grid, at)
    empty = [column for column in body.columns if body[column].null_count() == body.height]
    body = body.drop([column for column in empty if re.fullmatch(r"column_[0-9]+", column)])
    body = body.filter(~pl.all_horizontal(pl.all().is_null())) if body.width else body
    log.listed(0, body.height)
    yield from (
        (Batch(table, part) for part in body.iter_slices(ROWS)) if body.height else [Batch(table, body)]
    )
    if titles:
        frame = pl.DataFrame({"text": titles})
        yield Batch(Table(f"{table.name}/titles", table.kind, ("lines above the column names",)), frame)


def _titles(grid: pl.DataFrame, at: int | None) -> list[str]:
    """Return the text above the line of names: it is no row, but may hold data as well."""
    return ["  ".join(cell for cell in row if cell) for row in grid.head(at or 0).iter_rows() if any(row)]


def find_header(grid: pl.DataFrame) -> int | None:
    """Return the index of the line of column names, or None when the first full line is data already.

    A line with nothing below it is data: names of no column matter to nobody, a lone value may.
    """
    lines = grid.head(LOOK).rows()
    widths = [sum(cell is not None and cell.strip() != "" for cell in line) for line in lines]
    usual = sorted(widths)[len(widths) // 2 :]
    wide = usual[0] if usual else 0
    for index, line in enumerate(lines):
        if widths[index] < max(1, 0.6 * wide):
            continue
        cells = {at: cell.strip() for at, cell in enumerate(line) if cell and cell.strip()}
        if any(_DATA.match(cell) for cell in cells.values()) or len(set(cells.values())) < len(cells):
            return None
        below = grid.slice(index + 1)
        return None if below.is_empty() or _comes_again(below, cells) else index
    return None


def _comes_again(body: pl.DataFrame, cells: dict[int, str]) -> bool:
    """Say whether some names are values further down (not all: then the header is printed again)."""
    again = sum(bool((body.to_series(at) == cell).any()) for at, cell in cells.items())
    return 0 < again < len(cells) or (again > 0 and len(cells) == 1)


def header_names(line: tuple[str | None, ...]) -> list[str]:
    """Return distinct column names; a cell without text becomes `column_N`."""
    names: list[str] = []
    for index, cell in enumerate(line, 1):
        name = " ".join((cell or "").split())[:200] or f"column_{index}"
        base, count = name, 1
        while name in names:
            count += 1
            name = f"{base}_{count}"
        names.append(name)
    return names


__all__ = ["find_header", "header_names", "read"]
