r"""Rows of VALUES, and of COPY, into frames at the speed of Polars' CSV reader.

The text between the parentheses of many rows is turned into CSV with a few replacements of bytes:

    1,'O''Hara',0x41),(2,'a),(b',NULL     ->     1,'O''Hara',<hex>41,<row>⏎2,'a,<row>⏎b',NULL,<row>⏎

Every row then ends in a column that holds only the mark <row>, which proves that no row was cut wrongly; a mark
inside a string stands for the text that it replaced and is put back. Where the proof fails the answer is None,
and the caller cuts the text in two (`halves`) or reads it word by word (`sqldump_tokens.row`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

import polars as pl

from plainview.files.encodings.blocks import polars_would_unpack, valid_utf8
from plainview.files.formats.sqldump import tokens

ROW: Final = b"\x03"  # the end of a row
HEX: Final = b"\x04"  # what follows is hexadecimal
RAW: Final = b"\x05"  # what follows is a _binary string
SEP: Final = b"\x1f"  # ", " where a dump writes a blank behind each comma
_END: Final = "\x03"
_PREFIXES: Final = (
    (b"_binary '", b"'" + RAW),
    (b"N'", b"'"),
    (b"X'", b"'" + HEX),
    (b"x'", b"'" + HEX),
    (b"0x", HEX),
)
# Polars drops what stands behind a quoted field, and CAST of a number looks like a value: not for the fast way.
_BEHIND: Final = (b"'||", b"' ||", b"'::", b"' + ", b"' COLLATE", b"CAST(", b"CONVERT(")
# One look by the regex engine of Polars (GB/s) for all of _PREFIXES and _BEHIND, which bytes.find takes ten for.
_SPECIAL: Final = r"(?:[,\x1f\n]|\A)(?:_binary '|[NXx]'|0x)|' ?(?:\|\||::|\+ |COLLATE)|CAST\(|CONVERT\("
# A call or a prefix in front of a string: not a plain value.
_EXPRESSION: Final = r"(?s)^[A-Za-z_&][A-Za-z0-9_]* ?\(? ?N?'.*['\)]$"
_HEX_DIGITS: Final = re.compile("(?:[0-9A-Fa-f]{2})*")
_MYSQL: Final = {"\\" + key: value for key, value in tokens.ESCAPES.items() if key not in "fv"} | {'\\"': '"'}
_OTHER_MYSQL: Final = r"""\\([^nrtb0Z"%_\x02])"""


@dataclass(frozen=True, slots=True)
class Shape:
    """How the rows under one head are written: between fields, between rows, behind the last row."""

    fields: int
    separator: bytes = b","
    boundary: bytes = b"),("
    end: bytes = b");\n"


def frame_of(pieces: list[bytes], columns: list[str], shape: Shape, *, backslash: bool) -> pl.DataFrame | None:
    """Return the rows in `pieces` (texts between the parentheses), or None where they do not fit the shape."""
    wide = shape.separator != b","
    ending = shape.separator + ROW + b"\n"
    text = ending.join(pieces) + ending
    if SEP in text or HEX in text or RAW in text or text.count(ROW) != len(pieces):
        return None  # the dump uses our marks itself
    text = text.replace(shape.boundary, ending)
    if wide:
        text = text.replace(shape.separator, SEP)
    separator = SEP if wide else b","
    converted: bytes | None = text
    if _special(text):
        converted = None if any(what in text for what in _BEHIND) else _prefixes(text, separator)
    if converted is None:
        return None
    rows = converted.count(ROW)
    frame = _csv(converted, columns, separator.decode())
    if frame is None or not frame[_END].eq_missing(pl.Series([_END])).all():
        return None
    restore = {}
    if rows != frame.height:
        restore[(separator + ROW + b"\n").decode()] = shape.boundary.decode("utf-8", "replace")
    if wide and converted.count(SEP) != frame.height * shape.fields:
        restore[SEP.decode()] = shape.separator.decode()
    frame = frame.drop(_END)
    if RAW in converted:
        frame = _with_blobs(frame, converted, separator.decode(), {**restore, HEX.decode(): "0x"})
    return _finish(frame, restore, converted, backslash=backslash and b"\\" in converted)


def _special(text: bytes) -> bool:
    """Return whether anything of _PREFIXES or _BEHIND may be in the text."""
    if not valid_utf8(text):
        return True
    return bool(pl.Series([text], dtype=pl.Binary).cast(pl.String).str.contains(_SPECIAL).item())


def _prefixes(text: bytes, separator: bytes) -> bytes | None:
    """Replace what stands before a string or number (N, X, _binary, 0x) by a mark behind its quote."""
    for prefix, mark in _PREFIXES:
        inner, first = separator + prefix, b"\n" + prefix
        if inner not in text and first not in text and not text.startswith(prefix):
            continue
        if prefix.endswith(b"'"):
            # The same bytes inside a string are followed by a second quote, or are its end: then it is not sure.
            ends = separator + b"\n"
            if re.search(b"[" + ends + b"]" + re.escape(prefix) + b"(?:'[^" + ends + b"]|[" + ends + b"])", text):
                return None
        text = text.replace(inner, separator + mark).replace(first, b"\n" + mark)
        if text.startswith(prefix):
            text = mark + text[len(prefix) :]
    return text


def _csv(text: bytes, columns: list[str], separator: str) -> pl.DataFrame | None:
    if polars_would_unpack(text):
        return None
    try:
        return pl.read_csv(
            text,
            has_header=False,
            separator=separator,
            quote_char="'",
            schema=dict.fromkeys([*columns, _END], pl.String),
            null_values=["NULL", "null"],
            encoding=encoding(text),
        )
    except pl.exceptions.PolarsError:
        return None


def encoding(text: bytes) -> Literal["utf8", "utf8-lossy"]:
    """Return how Polars has to read it: checking first is faster than reading all text as lossy."""
    return "utf8" if valid_utf8(text) else "utf8-lossy"


def _with_blobs(frame: pl.DataFrame, text: bytes, separator: str, restore: dict[str, str]) -> pl.DataFrame:
    """Read the columns of `_binary` strings again, byte for byte, by way of Latin-1."""
    exact = _csv(text.decode("latin-1").encode(), frame.columns, separator)
    if exact is None:
        return frame
    blobs = [name for name in frame.columns if exact[name].str.starts_with(RAW.decode()).any()]
    raw = [[None if cell is None else _blob(cell, restore) for cell in exact[name]] for name in blobs]
    return frame.with_columns([pl.Series(name, cells, dtype=pl.Binary) for name, cells in zip(blobs, raw, strict=True)])


def _blob(cell: str, restore: dict[str, str]) -> bytes:
    if cell.startswith(HEX.decode()):
        digits = cell[1:].rjust(len(cell) - len(cell) % 2, "0")
        return bytes.fromhex(digits) if _HEX_DIGITS.fullmatch(digits) else digits.encode("latin-1", "replace")
    cell = cell.removeprefix(RAW.decode())
    for old, new in restore.items():
        cell = cell.replace(old, new)
    return (tokens.unescape(cell) if "\\" in cell else cell).encode("latin-1", "replace")


def _finish(frame: pl.DataFrame, restore: dict[str, str], text: bytes, *, backslash: bool) -> pl.DataFrame | None:
    texts = [name for name, kind in frame.schema.items() if kind == pl.String]
    quoted = holding(frame, texts, "'")
    if quoted and frame.select(pl.any_horizontal(pl.col(quoted).str.contains(_EXPRESSION).any())).item():
        return None
    for old, new in restore.items():
        names = holding(frame, texts, old)
        frame = frame.with_columns(pl.col(names).str.replace_all(old, new, literal=True))
    if HEX in text:
        frame = frame.with_columns([_hex(frame[name]) for name in holding(frame, texts, HEX.decode())])
    if backslash:
        texts = [name for name in texts if frame.schema[name] == pl.String]
        names = holding(frame, texts, "\\")
        odd = [name for name in names if frame[name].str.contains(_OTHER_MYSQL).any()]
        frame = frame.with_columns(pl.col(odd).str.replace_all(_OTHER_MYSQL, "$1"))
        frame = frame.with_columns(pl.col(names).str.replace_many(_MYSQL))
    return bytea(frame, texts if b"\\x" in text else [])


def holding(frame: pl.DataFrame, names: list[str], what: str) -> list[str]:
    """Return those of the text columns in which `what` occurs."""
    if not names:
        return []
    flags = frame.select(pl.col(names).str.contains(what, literal=True).any()).row(0)
    return [name for name, flag in zip(names, flags, strict=True) if flag]


def _hex(column: pl.Series) -> pl.Series:
    """Decode a column of hexadecimal literals; a mark that is not the first byte stood for `0x`."""
    mark = HEX.decode()
    is_hex = column.str.starts_with(mark).fill_null(value=False)
    if (is_hex | column.is_null() | (column == "")).all():  # mysqldump writes an empty blob as ''
        return even(column.str.strip_chars_start(mark)).str.decode("hex", strict=False)
    plain = column.str.replace_all(mark, "0x", literal=True)
    if not is_hex.any():
        return plain
    decoded = even(column.str.strip_chars_start(mark)).str.decode("hex", strict=False)
    as_text = pl.Series(
        [None if cell is None else cell.decode("utf-8", "replace") for cell in decoded], dtype=pl.String
    )
    return as_text.zip_with(is_hex, plain).alias(column.name)


def even(column: pl.Series) -> pl.Series:
    """Give hexadecimal texts of odd length their leading zero."""
    if not (column.str.len_bytes() % 2 == 1).any():
        return column
    return (
        column.to_frame()
        .select(
            pl.when(pl.col(column.name).str.len_bytes() % 2 == 1)
            .then("0" + pl.col(column.name))
            .otherwise(pl.col(column.name))
        )
        .to_series()
    )


def bytea(frame: pl.DataFrame, among: list[str]) -> pl.DataFrame:
    r"""Turn columns that hold nothing but PostgreSQL's `\x4142` into bytes."""
    found = []
    for name in holding(frame, [name for name in among if frame.schema[name] == pl.String], "\\x"):
        column = frame[name]
        if (column.str.contains(r"^\\x(?:[0-9a-fA-F]{2})*$") | column.is_null()).all():
            found.append(column.str.slice(2).str.decode("hex", strict=False))
    return frame.with_columns(found)


def halves(text: bytes, boundary: bytes) -> tuple[bytes, bytes] | None:
    """Cut rows in two at the boundary nearest behind the middle that lies outside a string."""
    at = len(text) // 2
    odd = text.count(b"'", 0, at) & 1
    while (hit := text.find(boundary, at)) >= 0:
        odd ^= text.count(b"'", at, hit) & 1
        if not odd:
            return text[:hit], text[hit + len(boundary) :]
        at = hit + 1
    return None


def outside(text: bytes, what: bytes, start: int) -> int:
    """Return where `what` stands outside a string, -1 if nowhere. `start` lies outside a string."""
    odd, scanned, at = 0, start, start
    while (hit := text.find(what, at)) >= 0:
        odd ^= text.count(b"'", scanned, hit) & 1
        if not odd:
            return hit
        scanned, at = hit, hit + 1
    return -1


def last_outside(text: bytes, what: bytes, start: int) -> int:
    """Return where `what` last stands outside a string, -1 if nowhere."""
    hit = text.rfind(what, start)
    odd = text.count(b"'", start, hit) & 1 if hit >= 0 else 0
    while hit >= 0 and odd:
        before = text.rfind(what, start, hit)
        if before >= 0:
            odd ^= text.count(b"'", before, hit) & 1
        hit = before
    return hit
