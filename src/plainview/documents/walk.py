"""Python documents (from JSON, BSON, Redis, CouchDB, ...) to a Polars frame of flat paths, in one step.

A *document* is a dict of dicts, lists and scalars. A *path* is made of its keys: `address.street`,
`phones[]`, `orders[].card`. Below a list all columns are List(scalar), one list for each document and
without nulls; lists in lists become one list (`matrix[][]`). An object that is used as a map
(`{"anna@example.org": {...}}`) is one path part: its keys are the column `users.{}`, what lies under
them is merged as `users.{}.age`, and scalars under them as `users.{}.*`. A key that looks like a value
is therefore never part of a name; see `keys.py` for the rule. Parts that hold `[]`, `{}`, quotes,
nothing, or control characters are quoted: `'a[]'`; a dot in a key stays (`user.name` is often written so).
"""

from __future__ import annotations

import datetime as dt
import decimal
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain, repeat
from typing import Any

import msgspec
import polars as pl

from plainview.documents.keys import is_map, looks_like_value, part, some_of, values_among
from plainview.tables import Limits, ReadLog
from plainview.tables.naming import Distinct

VECTOR = 16  # numbers; a constant-length list of at least so many is a vector (a face template has 128 or 512)
FEW = 64  # values
LEAST = 200  # columns that any number of rows may have
CELLS = 50_000_000  # of one batch: each column has a cell for each row, and keys of one row are columns of all
_NONE = type(None)
_NUMBERS = {int, float}
_INT64 = 1 << 63
_UUIDS = (3, 4)
_DIRECT: dict[type, pl.DataType] = {
    str: pl.String(),
    int: pl.Int64(),
    float: pl.Float64(),
    bool: pl.Boolean(),
    bytes: pl.Binary(),
}
_SCALARS = {str, int, float, bool, bytes, _NONE, dt.datetime, dt.date, dt.time, dt.timedelta, decimal.Decimal}
_LIMITS = Limits()


def documents_to_frame(
    docs: Sequence[Mapping[str, Any]],
    *,
    limits: Limits = _LIMITS,
    log: ReadLog | None = None,
    name: str = "",
    maps: set[str] | None = None,
) -> pl.DataFrame:
    """Return one row for each document, with flat columns only (scalars and List(scalar)).

    Paths whose values have several types become strings; int with float becomes float. Documents below
    `limits.nesting` levels are kept as JSON text, columns above `limits.columns` are left out; both are told
    to `log` under `name`. `maps` remembers the paths of objects found to be maps, so that the next batch of
    the same table names them alike. Never raises for any content.
    """
    walk = Walk(len(docs), limits, set() if maps is None else maps)
    walk.values("", list(docs), None, many=False, depth=0)
    if log is not None:
        walk.tell(log, name)
    return walk.frame()


class Walk:
    """One pass over a batch of documents, column by column: each step sees all values of one path."""

    def __init__(self, height: int, limits: Limits, maps: set[str]) -> None:
        self.height = height
        self.limits = limits
        self.most = min(limits.columns, max(LEAST, CELLS // max(1, height)))  # columns
        self.maps = maps
        self.columns: dict[str, pl.Series] = {}
        self.keys = 0  # of all objects, for a check against the bytes
        self.deep = 0
        self.left_out: set[str] = set()
        self.names = Distinct(mark="~")

    def frame(self) -> pl.DataFrame:
        """Return the columns found so far; all have one row for each document."""
        if not self.columns:
            return pl.DataFrame(height=self.height)
        return pl.DataFrame(list(self.columns.values()))

    def tell(self, log: ReadLog, name: str) -> None:
        """Say what the limits left out."""
        if self.deep:
            why = f"nested deeper than {self.limits.nesting} levels"
            log.skip(name, f"{why}: {self.deep:,} parts not taken apart")
        if self.left_out:
            where = "" if self.most == self.limits.columns else f" in {self.height:,} rows read together"
            log.skip(name, f"more than {self.most:,} columns{where}: {len(self.left_out):,} left out")

    def values(self, path: str, values: list[Any], rows: list[int] | None, *, many: bool, depth: int) -> None:
        """Take the values of one path apart. `rows` are their row numbers; None when value i is of row i."""
        types = set(map(type, values))
        if not types <= _SCALARS and not types <= {dict, list, *_SCALARS}:
            values = [v if type(v) in _SCALARS else plain(v) for v in values]
            types = set(map(type, values))
        if dict in types and EXTENDED & {next(iter(v)) for v in values if type(v) is dict and v}:
            before = sum(_keys(v) for v in values if type(v) is dict)
            values = [extended(v) if type(v) is dict else v for v in values]
            self.keys += before - sum(_keys(v) for v in values if type(v) is dict)
            types = set(map(type, values))
        if types <= _SCALARS:
            self.leaf(path or "value", values, rows, types, many=many)
            return
        if depth >= self.limits.nesting:
            self.deep += sum(type(v) in (dict, list) for v in values)
            values = [_as_text(v) if type(v) in (dict, list) else v for v in values]
            self.leaf(path or "value", values, rows, set(map(type, values)), many=many)
            return
        if dict in types:
            docs, where = _only(dict, values, rows)
            self.object(path, docs, where, many=many, depth=depth)
        if list in types:
            lists, where = _only(list, values, rows)
            self.array(path, lists, where, many=many, depth=depth)
        if types - {dict, list, _NONE}:
            rest = [None if type(v) in (dict, list) else v for v in values]
            self.leaf(path or "value", rest, rows, set(map(type, rest)), many=many)

    def array(self, path: str, lists: list[list[Any]], rows: list[int] | None, *, many: bool, depth: int) -> None:
        """Put the elements of lists under `path[]`; vectors inside other lists stay whole."""
        path = f"{path or 'value'}[]"
        if many and _is_vectors(lists):
            self.leaf(path, lists, rows, {list}, many=True)
            return
        owners = range(len(lists)) if rows is None else rows
        where = list(chain.from_iterable(map(repeat, owners, map(len, lists))))
        self.values(path, list(chain.from_iterable(lists)), where, many=True, depth=depth + 1)

    def object(self, path: str, docs: list[dict[str, Any]], rows: list[int] | None, *, many: bool, depth: int) -> None:
        """Follow the keys of objects, or merge what lies under them when they are used as a map."""
        keys = dict.fromkeys(chain.from_iterable(docs))
        self.keys += sum(map(len, docs))
        if not all(type(key) is str for key in keys):
            docs = [{k if type(k) is str else str(k): v for k, v in doc.items()} for doc in docs]
            keys = dict.fromkeys(chain.from_iterable(docs))
        if path in self.maps or is_map(keys, docs):
            self.maps.add(path)
            self.mapping(path, docs, rows, depth=depth)
            return
        if picked := values_among(keys, before=some_of(path) in self.maps):
            if not all(map(looks_like_value, picked)):
                self.maps.add(some_of(path))
            self.mapping(path, [{k: v for k, v in d.items() if k in picked} for d in docs], rows, depth=depth)
            keys = dict.fromkeys(k for k in keys if k not in picked)
        prefix = path + "." if path else ""
        for key in keys:
            values = [d.get(key) for d in docs]
            # the text of an XML element that has attributes or children is its value
            below = path if key == "#text" and path else prefix + part(key)
            self.values(below, values, rows, many=many, depth=depth + 1)

    def mapping(self, path: str, docs: list[dict[str, Any]], rows: list[int] | None, *, depth: int) -> None:
        """Make the keys a column `path.{}` and merge what lies under them."""
        path = f"{path}.{{}}" if path else "{}"
        owners = range(len(docs)) if rows is None else rows
        where = list(chain.from_iterable(map(repeat, owners, map(len, docs))))
        names: list[Any] = list(chain.from_iterable(docs))
        self.leaf(path, names, where, {str}, many=True)
        values = list(chain.from_iterable(d.values() for d in docs))
        below, below_rows = _only(dict, values, where)
        if below:
            self.values(path, below, below_rows, many=True, depth=depth + 1)
        if len(below) < len(values):
            rest = [(v, r) for v, r in zip(values, where, strict=True) if type(v) is not dict]
            self.values(f"{path}.*", [v for v, _ in rest], [r for _, r in rest], many=True, depth=depth + 1)

    def leaf(self, path: str, values: list[Any], rows: list[int] | None, types: set[type], *, many: bool) -> None:
        """Make a column of scalars (or of lists, below a list)."""
        if len(self.columns) >= self.most and path not in self.columns:
            self.left_out.add(path)
            return
        if not many and rows is not None:
            full: list[Any] = [None] * self.height
            for row, value in zip(rows, values, strict=True):
                full[row] = value
            values = full
        series = to_series(path, values, types)
        if many:
            series = _by_row(series, range(self.height) if rows is None else rows, self.height)
        if path in self.columns:
            merged = _merged(self.columns[path], series)
            if merged is None:
                path = self.names.of(path)
            series = series.alias(path) if merged is None else merged
        self.columns[path] = series
        self.names.taken.add(path)


def _merged(one: pl.Series, two: pl.Series) -> pl.Series | None:
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


def _by_row(series: pl.Series, rows: Sequence[int], height: int) -> pl.Series:
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
    kinds = types - {_NONE}
    if not kinds:
        return pl.Series(name, values, dtype=pl.Null)
    try:
        if kinds == {list}:
            return pl.Series(name, values, dtype=pl.List(pl.Float64), strict=False)
        if len(kinds) == 1 and _fit(values, next(iter(kinds))):
            return pl.Series(name, values, dtype=_DIRECT.get(next(iter(kinds))))
        if kinds == _NUMBERS:
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
    elif not isinstance(value, tuple(_SCALARS)):
        result = str(value)
    return result


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


def _only(kind: type, values: list[Any], rows: list[int] | None) -> tuple[list[Any], list[int] | None]:
    """Pick the values of one type, with their row numbers."""
    picked = [v for v in values if type(v) is kind]
    if len(picked) == len(values):
        return picked, rows
    owners: Iterable[int] = range(len(values)) if rows is None else rows
    return picked, [r for v, r in zip(values, owners, strict=True) if type(v) is kind]


def _is_vectors(lists: list[list[Any]]) -> bool:
    size = len(lists[0])
    if size < VECTOR or any(len(v) != size for v in lists):
        return False
    return all(set(map(type, v)) <= _NUMBERS for v in lists)


def _keys(value: Any) -> int:
    """Count the keys of an object and of the objects in it, as far as extended JSON nests them."""
    return len(value) + sum(len(v) for v in value.values() if type(v) is dict)


def _as_text(value: Any) -> str:
    try:
        return msgspec.json.encode(value, enc_hook=str).decode()
    except (RecursionError, UnicodeError, TypeError, ValueError):
        return ""


__all__ = ["EXTENDED", "Walk", "documents_to_frame", "extended", "plain", "to_series", "to_text"]
