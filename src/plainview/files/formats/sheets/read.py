"""Spreadsheets (xlsx, xlsb, xls, ods), by fastexcel: every sheet, also hidden; formulas as their result.

A sheet becomes a table of text. The line of column names is looked for: titles may stand above it, and
where the first line is data there is none, for a name in a report must never be a value.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import polars as pl

from plainview.detectors.values_as_names import is_person
from plainview.errors import DamagedError, LimitError, PlainviewError, UnsupportedError
from plainview.files.formats.columnar.batches import attempt
from plainview.files.formats.csv.headers import header_of
from plainview.files.formats.office.read import beside
from plainview.files.formats.sheets.guard import check_workbook
from plainview.files.kinds.identify import identify
from plainview.tables import MIB, Batch, Header, Input, ReadLog, Table

ROWS = 50_000
LOOK = 30  # rows in which the line of names is looked for


def read(source: Input, log: ReadLog) -> Iterator[Batch | Input]:
    """Yield every sheet. Raise LimitError for what does not fit in memory, UnsupportedError if encrypted."""
    import fastexcel

    logging.getLogger("calamine").setLevel(logging.CRITICAL)  # it would quote the file on stderr
    logging.getLogger("fastexcel").setLevel(logging.CRITICAL)
    data = _bytes(source)
    kind = identify(source.head, source.name, len(data), lambda at, size: _part(data, at, size)).name or "xls"
    headers = check_workbook(source, data, kind, log) if kind != "xls" else []
    try:
        book = attempt(lambda: _open(fastexcel, data))
        names = book.sheet_names
    except UnsupportedError:
        raise
    except PlainviewError:
        raise DamagedError("the workbook cannot be opened: damaged, or of a form that is not read") from None
    if not names:
        raise DamagedError("the workbook lists no sheet")
    for number, name in enumerate(names, 1):
        source.deadline.check()
        log.listed()
        table = Table(f"{source.name}/{_clean(name)}", kind)
        if is_person(name):  # one sheet for each employee
            table = Table(f"{source.name}/sheet_{number}", kind, ("its name is that of a person",))
        try:
            yield from _sheet(book, name, table, log, source)
        except PlainviewError as error:
            log.skip(table.name, error)
    if kind != "xls":
        yield from beside(source, data, headers, log)


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
        table = replace(table, notes=(*table.notes, "hidden sheet"))
    if sheet.width > source.limits.columns:
        raise LimitError(f"{sheet.width} columns", hint="raise --columns")
    grid = attempt(lambda: pl.DataFrame(sheet)) if sheet.width else pl.DataFrame()
    if grid.width == 0:
        return
    grid.columns = [f"column_{index}" for index in range(1, grid.width + 1)]
    at, header = _header(grid)
    body = grid if header is None else grid.slice(at + 1)
    if header is None:
        table = replace(table, notes=(*table.notes, "no header line"))
    else:
        table = replace(table, header=header)
        body.columns = list(header.names)
    titles = _titles(grid, at if header else None)
    empty = [column for column in body.columns if body[column].null_count() == body.height]
    body = body.drop([column for column in empty if re.fullmatch(r"column_[0-9]+", column)])
    body = body.filter(~pl.all_horizontal(pl.all().is_null())) if body.width else body
    log.listed(0, body.height)
    yield from ((Batch(table, part) for part in body.iter_slices(ROWS)) if body.height else [Batch(table, body)])
    if titles:
        frame = pl.DataFrame({"text": titles})
        yield Batch(Table(f"{table.name}/titles", table.kind, ("lines above the column names",)), frame)


def _titles(grid: pl.DataFrame, at: int | None) -> list[str]:
    """Return the text above the line of names: it is no row, but may hold data as well."""
    return ["  ".join(cell for cell in row if cell) for row in grid.head(at or 0).iter_rows() if any(row)]


def find_header(grid: pl.DataFrame) -> int | None:
    """Return the index of the line of column names, or None when the first full line is data already."""
    at, header = _header(grid)
    return at if header else None


def _header(grid: pl.DataFrame) -> tuple[int, Header | None]:
    """Return where the line of column names stands, and what it says; None when the first full line is data already.

    A line with nothing below it is data: names of no column matter to nobody, a lone value may.
    """
    lines = [[(cell or "").strip() for cell in line] for line in grid.head(LOOK).iter_rows()]
    widths = [sum(cell != "" for cell in line) for line in lines]
    filled = sorted(width for width in widths if width)
    usual = filled[len(filled) * 3 // 4] if filled else 0
    at = next((index for index, width in enumerate(widths) if width >= max(1, 0.6 * usual)), len(lines))
    return at, header_of(lines[at:], grid.width) if at + 1 < grid.height else None


__all__ = ["find_header", "read"]
