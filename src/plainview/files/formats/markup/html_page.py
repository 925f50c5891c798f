"""One HTML page: its tables, and all the other text that somebody may read in it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl

from plainview.documents.html_text import INLINE, page_texts, parsed_page, walked
from plainview.documents.xml import local_name
from plainview.errors import DamagedError, LimitError
from plainview.files.encodings.blocks import detect, valid_utf8
from plainview.tables import Header, Input, ReadLog, Table
from plainview.tables.naming import Distinct

WIDEST = 200  # columns that a colspan may claim
REPEATED = 64  # characters of a cell that a colspan repeats
CELLS = 500_000  # of one frame
MARKED = 0.5  # how much the mark-up of a cell speaks for the name of a column
_CHARSET = re.compile(rb"""charset=["']?\s*([A-Za-z0-9_:.-]{2,40})""", re.IGNORECASE)
Docs = Sequence[dict[str, Any]]


def read_page(data: bytes, source: Input, log: ReadLog) -> Iterator[tuple[Table, Docs | pl.DataFrame]]:
    """Yield the tables, then the text of the page as documents. DamagedError: there is none."""
    text, notes = _decoded(data, source.head)
    root, deep = parsed_page(text)
    if root is None:
        raise DamagedError("no HTML that could be read")
    number = 0
    tables = list(root.iter("table"))
    if not tables and next(root.iter("tr"), None) is not None:
        tables = [root]  # rows without a table, as sqlite3 writes them
    for table in tables:
        if next(table.iterdescendants("table"), None) is not None:
            continue  # laid out with tables: its text is in the text of the page
        name, found = f"{source.name}/table_{number + 1}", False
        for frame, header, cut in table_frames(table, source.limits.columns):
            if cut and not found:
                log.skip(name, f"cells after the first {source.limits.columns:,} of a row (raise --columns)")
            found = True
            yield Table(name, "html", notes, header=header), frame
            source.deadline.check()
        if found:
            number += 1
            _blank_cells(table)
    docs = list(page_texts(root))
    if docs or not number:
        yield Table(source.name, "html", notes), docs
    if deep:
        raise LimitError("nested too deeply: the page was read up to there")


def _decoded(data: bytes, head: bytes) -> tuple[str, tuple[str, ...]]:
    if valid_utf8(data):
        return data.decode("utf-8-sig"), ()
    declared = _CHARSET.search(head[:4096])
    names = [declared[1].decode("ascii")] if declared else []
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        names = ["utf-16"]
    for name in [*names, detect(head, whole=len(data) <= len(head)).name]:
        try:
            return data.decode(name, "replace"), (f"read as {name}",)
        except (LookupError, ValueError):
            continue
    return data.decode("latin-1"), ("read as latin-1",)


def table_frames(table: Any, most: int) -> Iterator[tuple[pl.DataFrame, Header | None, bool]]:
    """Yield the rows of a table without tables in it as frames of strings, and whether cells beyond `most` were cut.

    The first row names the columns if all its cells are `<th>` or it stands in `<thead>`, else they are
    `column_1`, ...; a colspan repeats its cell, when it is short. Nothing comes of a table without cells.
    """
    rows: list[list[str]] = []
    header: list[str] | None = None
    size, cut, any_rows = 0, False, False
    for tr in table.iter("tr"):
        cells, tags = _cells(tr)
        if not cells:
            continue
        cut |= len(cells) > most
        parent = tr.getparent()
        heads = tags == {"th"} or (parent is not None and local_name(parent) == "thead")
        if heads and header is None and not any_rows:
            header = cells[:most]
        else:
            rows.append(cells[:most])
            any_rows = True
        size = max(size, len(cells))
        if len(rows) * min(size, most) > CELLS:
            yield *_frame(rows, header or []), cut
            rows, size, cut = [], 0, False
    if rows or (header is not None and not any_rows):
        yield *_frame(rows, header or []), cut


def _cells(tr: Any) -> tuple[list[str], set[str]]:
    """Return the cells of a row, and which tags they have."""
    cells: list[str] = []
    tags: set[str] = set()
    for cell in tr:
        tag = local_name(cell)
        if tag in ("td", "th"):
            tags.add(tag)
            text, span = _text(cell), _span(cell)
            cells.extend([text, *[text if len(text) <= REPEATED else ""] * (span - 1)])
    return cells, tags


def _frame(rows: list[list[str]], header: list[str]) -> tuple[pl.DataFrame, Header | None]:
    width = max(map(len, [*rows, header]))
    names = _names(header, width)
    frame = pl.DataFrame(
        [
            pl.Series(name, [row[i] or None if i < len(row) else None for row in rows], dtype=pl.String)
            for i, name in enumerate(names)
        ]
    )
    if not header:
        return frame, None
    # the page says that it is one
    return frame, Header((*header, *[""] * (width - len(header))), tuple(names), (MARKED,) * width)


def _blank_cells(table: Any) -> None:
    """Take away the text of the cells, which is read; links, form values, comments and captions are not yet."""
    for cell in table.iter("td", "th"):
        for element in cell.iter():
            if isinstance(element.tag, str):
                element.text = None
            if element is not cell:
                element.tail = None


def _names(header: list[str], width: int) -> list[str]:
    distinct = Distinct()
    return [distinct.of((header[i] if i < len(header) else "") or f"column_{i + 1}") for i in range(width)]


def _span(cell: Any) -> int:
    try:
        return min(max(int(cell.get("colspan", "1")), 1), WIDEST)
    except ValueError:
        return 1


def _text(element: Any) -> str:
    """Return what is read in a cell: all text in it, with a blank where another line begins."""
    if not len(element):
        return " ".join((element.text or "").split())
    parts: list[str] = []
    for event, node in walked(element):
        if event in ("start", "end") and local_name(node) not in INLINE:
            parts.append(" ")
        if event == "start":
            parts.append(node.text or "")
        elif node is not element:
            parts.append(node.tail or "")
    return " ".join("".join(parts).split())


__all__ = ["read_page", "table_frames"]
