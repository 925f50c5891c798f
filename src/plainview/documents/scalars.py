"""Scalars of documents: values of a library's own type as plain Python, and those of one path as a column."""

from __future__ import annotations

import datetime as dt
import decimal
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import polars as pl

FEW = 64  # values
NONE = type(None)
NUMBERS = {int, float}
SCALARS = {str, int, float, bool, bytes, NONE, dt.datetime, dt.date, dt.time, dt.timedelta, decimal.Decimal}
_INT64 = 1 << 63
_UUIDS = (3, 4)
_DIRECT: dict[type, pl.DataType] = {
    str: pl.String(),
    int: pl.Int64(),
    float: pl.Float64(),
    bool: pl.Boolean(),
    bytes: pl.Binary(),
}
_NUMERIC: dict[str, Callable[[Any], Any]] = {
    "$numberInt": int,
    "$numberLong": int,
    "$numberDouble": float,
    "$numberDecimal": float,
}
_OTHER = {"$oid", "$uuid", "$symbol", "$code", "$regex", "$minKey", "$maxKey"}
_INNER = {"$binary", "$timestamp", "$regularExpression"}
EXTENDED = {*_NUMERIC, *_OTHER, *_INNER, "$date", "$undefined"}
_EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - UTC without a zone, as BSON gives it


def merged(one: pl.Series, two: pl.Series) -> pl.Series | None:
    """Put two columns of one path together, or return None when a row has a value in both."""
    is_list = isinstance(one.dtype, pl.List)
    if one.dtype != two.dtype:
        text = pl.List(pl.String) if is_list else pl.String()
        if is_list != isinstance(two.dtype, pl.List) or pl.Binary in (one.dtype, two.dtype):
            return None
        one, two = one.cast(text), two.cast(text)
    both = one.is_not_null() & two.is_not_null()
    if not both.any():
        return one.zip_with(one.is_not_null(), two)
    if not is_list:
        return None
    lists = [[*(a or ()), *(b or ())] or None for a, b in zip(one.to_list(), two.to_list(), strict=True)]
    return pl.Series(one.name, lists, dtype=one.dtype)


def by_row(series: pl.Series, rows: Sequence[int], height: int) -> pl.Series:
    """Gather elements into one list for each row; rows without any are null."""
    name = series.name
    if max(height, series.len()) <= FEW:  # of few values lists are made sooner than expressions are run
        every: list[list[Any]] = [[] for _ in range(height)]
        for row, value in zip(rows, series.to_list(), strict=True):
            if value is not None:
                every[row].append(value)
        return pl.Series(name, [found or None for found in every], dtype=pl.List(series.dtype))
    index = pl.Series("row", rows, dtype=pl.UInt32)
    pairs = pl.DataFrame([index, series.alias("value")]).drop_nulls("value")
    lists = pairs.group_by("row", maintain_order=True).agg(pl.col("value"))
    places = pl.DataFrame({"row": pl.int_range(height, dtype=pl.UInt32, eager=True)})
    return places.join(lists, on="row", how="left", maintain_order="left")["value"].alias(name)


def to_series(name: str, values: Sequence[Any], types: set[type]) -> pl.Series:
    """Return a column of the one type of the values, of floats for int with float, else of strings."""
    kinds = types - {NONE}
    if not kinds:
        return pl.Series(name, values, dtype=pl.Null)
    try:
        if kinds == {list}:
            return pl.Series(name, values, dtype=pl.List(pl.Float64), strict=False)
        if len(kinds) == 1 and _fit(values, next(iter(kinds))):
            return pl.Series(name, values, dtype=_DIRECT.get(next(iter(kinds))))
        if kinds == NUMBERS:
            return pl.Series(name, [None if v is None else float(v) for v in values], dtype=pl.Float64)
    except (TypeError, ValueError, OverflowError, pl.exceptions.PolarsError):
        pass  # too large for 64 bits, lone surrogates, time zones that differ: as text below
    return pl.Series(name, [None if v is None else to_text(v) for v in values], dtype=pl.String)


def _fit(values: Sequence[Any], kind: type) -> bool:
    """Return False for integers and decimals that Polars cannot hold: it may panic, or print them."""
    if kind is int:
        present = [v for v in values if v is not None] if None in values else values
        low, high = min(present), max(present)
        return bool(low >= -_INT64 and high < _INT64)
    if kind is not decimal.Decimal:
        return True
    for _, digits, exponent in (v.as_tuple() for v in values if v is not None):
        if not isinstance(exponent, int) or not -18 <= exponent <= 0 or len(digits) > 20:
            return False
    return True


def to_text(value: Any) -> str:
    """Return a scalar as text that any column can hold."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, (dt.datetime, dt.date, dt.time)):
        return value.isoformat()
    if isinstance(value, int) and value.bit_length() > 10_000:
        return "(an integer of more than 3,000 digits)"  # printing it would take quadratic time
    return str(value).encode("utf-8", "replace").decode("utf-8")


def plain(value: Any) -> Any:
    """Return a value of a library's own type (bson.Int64, UUID, SON, ...) as a dict, list or scalar."""
    result: Any = value
    if isinstance(value, Mapping):
        result = {str(k): v for k, v in value.items()}
    elif isinstance(value, (list, tuple, set, frozenset)):
        result = list(value)
    elif isinstance(value, (bytes, bytearray, memoryview)):
        result = bytes(value)
        if getattr(value, "subtype", 0) in _UUIDS and len(result) == 16:  # bson.Binary
            result = str(uuid.UUID(bytes=result))
    elif isinstance(value, int):
        result = int(value)
    elif isinstance(value, float):
        result = float(value)
    elif hasattr(value, "tolist"):  # NumPy arrays and scalars
        result = value.tolist()
    elif hasattr(value, "to_decimal"):  # bson.Decimal128
        result = value.to_decimal()
    elif hasattr(value, "as_doc"):  # bson.DBRef
        result = {str(k).lstrip("$"): v for k, v in value.as_doc().items()}
    elif hasattr(value, "as_datetime") and not hasattr(value, "__int__"):  # bson.Timestamp
        result = value.as_datetime().replace(tzinfo=None)
    elif not isinstance(value, tuple(SCALARS)):
        result = str(value)
    return result


def extended(value: dict[str, Any]) -> Any:
    """Return MongoDB extended JSON (`{"$oid": ...}`, version 1 or 2) as a scalar, else the value."""
    key = next(iter(value), "")
    if key not in EXTENDED or len(value) > 2 or any(str(k)[:1] != "$" for k in value):
        return value
    inner = value[key]
    result: Any = inner
    try:
        if key in _NUMERIC:
            result = _NUMERIC[key](inner)
        elif key == "$date":
            result = extended(inner) if type(inner) is dict else inner
            if type(result) is int:
                result = _EPOCH + dt.timedelta(milliseconds=result)
        elif key == "$undefined":
            result = None
        elif type(inner) is dict:  # {"$binary": {"base64": ...}}, {"$timestamp": {"t": ...}}
            result = next(iter(inner.values()), None)
    except (TypeError, ValueError, OverflowError):
        result = inner
    return result


__all__ = ["EXTENDED", "NONE", "NUMBERS", "SCALARS", "by_row", "extended", "merged", "plain", "to_series", "to_text"]
