"""Columns of text that hold JSON or XML, taken apart, and of text in base64, decoded."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import polars as pl

from plainview.documents.encoded import decoded_cells, is_encoded
from plainview.documents.walk import Walk
from plainview.tables import Limits, ReadLog
from plainview.tables.naming import Distinct

LOOK = 32  # cells that are looked at to see whether a column holds JSON or XML
LEVELS = 3  # JSON inside JSON inside JSON
FEW = 2048  # cells
_JSON = r"^\s*[\[{]"
_XML = r"^\s*<[?!A-Za-z_]"
_DECODER = msgspec.json.Decoder()


def expand_text(frame: pl.DataFrame, limits: Limits, log: ReadLog | None, name: str, level: int = 0) -> pl.DataFrame:
    """Return the frame with JSON and XML text columns taken apart, base64 decoded; see `flatten` for the rule."""
    added: list[pl.Series] = []
    kept: dict[str, pl.Series | None] = {}  # the columns of which a part was taken apart, or all
    for column in [c for c, dtype in frame.schema.items() if dtype == pl.String]:
        kind = _kind(frame[column])
        if not kind:
            continue
        if kind == "base64":
            text = decoded_cells(frame[column])
            if text is not None:
                below = pl.DataFrame([text])
                below = expand_text(below, limits, log, name, level + 1) if level + 1 < LEVELS else below
                kept[column] = None
                added.extend(below.iter_columns())
            continue
        values = _parse_json(frame[column]) if kind == "json" else _parse_xml(frame[column])
        if values is None:
            continue
        walk = Walk(frame.height, limits, set())
        walk.values(column, values, None, many=False, depth=1)
        if log is not None:
            walk.tell(log, name)
        below = walk.frame()
        if level + 1 < LEVELS:
            below = expand_text(below, limits, log, name, level + 1)
        if kind == "json":
            kept[column] = _rest(frame[column], values)
        added.extend(below.iter_columns())
    if not added:
        return frame
    columns = [c for c in (kept.get(c.name, c) for c in frame.iter_columns()) if c is not None]
    names = Distinct((c.name for c in columns), mark="~")
    return pl.DataFrame([*columns, *(series.alias(names.of(series.name)) for series in added)])


def _rest(column: pl.Series, values: list[Any]) -> pl.Series | None:
    """Return the cells that were not parsed, None when there are none."""
    unparsed = [value is None for value in values]
    if sum(unparsed) == column.null_count():  # what is null has no value
        return None
    nothing = pl.Series([None], dtype=pl.String).new_from_index(0, column.len())
    return column.zip_with(pl.Series(unparsed, dtype=pl.Boolean), nothing)


def _kind(column: pl.Series) -> str:
    """Return "json" or "xml" when at least half of some cells begin like it, "base64" when nearly all are such text."""
    step = max(1, column.len() // LOOK)
    # of few cells a list is made sooner than an expression is run
    some = column.to_list()[::step] if column.len() <= FEW else column.gather_every(step).to_list()
    if column.null_count() and not any(text is not None for text in some):
        if column.null_count() == column.len():
            return ""
        some = column.drop_nulls().head(LOOK).to_list()
    firsts = [text[:64].lstrip()[:1] for text in some if text is not None]
    filled = sum(map(bool, firsts))
    if not filled:
        return ""
    if sum(c in "{[" for c in firsts if c) * 2 >= filled:
        return "json"
    if firsts.count("<") * 2 >= filled:
        return "xml"
    return "base64" if is_encoded([text for text in some if text is not None]) else ""


def _parse_json(column: pl.Series) -> list[Any] | None:
    return _parse(column, _JSON, _json)


def _parse_xml(column: pl.Series) -> list[Any] | None:
    from plainview.documents.xml import text_to_document

    return _parse(column, _XML, text_to_document)


def _parse(column: pl.Series, begins: str, parse: Any) -> list[Any] | None:
    """Parse the cells that begin so; None when fewer than half of them parse."""
    texts = column.to_list()
    if column.len() <= FEW:
        first = re.compile(begins)
        like = [text is not None and first.match(text) is not None for text in texts]
    else:
        like = column.str.contains(begins).fill_null(value=False).to_list()
    values = [parse(text) if looks else None for text, looks in zip(texts, like, strict=True)]
    parsed = sum(v is not None for v in values)
    return values if parsed and parsed * 2 >= sum(like) else None


def _json(text: str) -> Any:
    try:
        return _DECODER.decode(text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None


__all__ = ["expand_text"]
