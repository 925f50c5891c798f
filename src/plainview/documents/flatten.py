"""Nested columns to flat paths: `address.street`, `phones[]`, `orders[].card`, and `users.{}` for maps.

`flatten` runs on every batch of every source, so a frame of scalars costs a look at its types and at a few
cells of its string columns. How paths are written is said in `documents.py`, which does the same for Python
documents.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import polars as pl

from plainview.detectors.values_as_names import is_called, is_person
from plainview.documents.binary_text import readable
from plainview.documents.keys import MAX_KEYS, part, values_among
from plainview.documents.pairs import has_pairs
from plainview.documents.scalars import EXTENDED
from plainview.documents.text_columns import expand_text
from plainview.documents.walk import VECTOR, Walk
from plainview.tables import Limits, ReadLog
from plainview.tables.naming import Distinct

_LIMITS = Limits()
_MAP = ["key", "value"]  # what Parquet, Avro and Arrow call the two fields of a map entry


def flatten(
    frame: pl.DataFrame, *, limits: Limits = _LIMITS, log: ReadLog | None = None, name: str = ""
) -> pl.DataFrame:
    """Return the frame with scalar and List(scalar) columns only, as many rows, and paths as names.

    Structs become `a.b`, lists `a[]`, lists of structs `a[].b`, lists in lists one list `a[][]`; vectors
    (lists of numbers of one length, 16 or more) stay lists, also inside another list (List(List(Float))).
    Arrays of numbers stay. Maps, and structs whose field names are values, become `a.{}` (the keys) and what
    is under them. MongoDB extended JSON becomes scalars.

    A column that is called as a person is becomes `column_N`, by its place.

    String columns that hold JSON objects or arrays, or XML, are taken apart *in addition*: JSON cells that
    parse move to `column.path`, and the text column stays only for the cells that do not parse; an XML text
    column stays whole beside its paths, for it is often prose with mark-up. Damaged text stays text. Bytes
    that are text become it first.
    What `limits` leave out is told to `log` under `name`. Never raises for any content.
    """
    frame = _plain(_without_persons(frame))
    flat = nested_to_paths(expand_text(_text(frame), limits, log, name), limits, log, name)
    inner = _text(flat)  # of bytes inside structs and lists
    return flat if inner is flat else nested_to_paths(expand_text(inner, limits, log, name), limits, log, name)


def _without_persons(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the frame without columns that are called as a person is, as those of pivot tables are."""
    persons = [
        at
        for at, name in enumerate(frame.columns)
        if (" " in name or "_" in name) and is_person(name) and not is_called(name)
    ]
    if not persons:
        return frame
    distinct = Distinct(name for at, name in enumerate(frame.columns) if at not in persons)
    return frame.rename({frame.columns[at]: distinct.of(f"column_{at + 1}") for at in persons})


def _text(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the frame with bytes that hold text as strings."""
    bytes_in = any(dtype in (pl.Binary, pl.List(pl.Binary)) for dtype in frame.schema.values())
    return readable(frame) if bytes_in else frame


def _plain(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the frame with what Polars stores maps and extension types as."""
    odd = [name for name, dtype in frame.schema.items() if _wrapped(dtype)]
    return frame.with_columns([_unwrapped(frame[name]) for name in odd]) if odd else frame


def _wrapped(dtype: pl.DataType) -> bool:
    return isinstance(dtype, pl.Map) or dtype.is_extension()


def _unwrapped(series: pl.Series) -> pl.Series:
    dtype = series.dtype
    if isinstance(dtype, pl.Map):
        return series.cast(pl.List(pl.Struct(dict(zip(_MAP, (dtype.key, dtype.value), strict=True)))))
    return series.to_physical()


def nested_to_paths(
    frame: pl.DataFrame, limits: Limits = _LIMITS, log: ReadLog | None = None, name: str = ""
) -> pl.DataFrame:
    """Do what `flatten` does, without looking into text."""
    if not any(dtype.is_nested() or dtype == pl.Object for dtype in frame.schema.values()):
        return frame
    walk = _Columns(frame.height, limits)
    for column in frame.iter_columns():
        walk.take(column)
    if log is not None:
        walk.out.tell(log, name)
    return walk.out.frame()


class _Columns:
    """Takes columns apart, one level at a time, without recursion."""

    def __init__(self, height: int, limits: Limits) -> None:
        self.out = Walk(height, limits, set())
        self.limits = limits

    def take(self, column: pl.Series) -> None:
        # name, values, is the outer list of the values in the name already, levels so far
        todo: deque[tuple[str, pl.Series, bool, int]] = deque([(column.name, column, _is_path(column.name), 0)])
        while todo:
            name, series, listed, depth = todo.popleft()
            if depth > self.limits.nesting:
                self.out.deep += 1
                continue
            if _wrapped(series.dtype):
                series = _unwrapped(series)
            dtype = series.dtype
            if isinstance(dtype, pl.List):
                below = self.lists(name if listed else _listed(name), series, dtype.inner)
                listed = True
            else:
                below = self.step(name, series)
            todo.extendleft((n, s, listed, depth + 1) for n, s in reversed(below))

    def step(self, name: str, series: pl.Series) -> list[tuple[str, pl.Series]]:
        """Take one level off a column that is no list, or keep it when it is flat."""
        dtype = series.dtype
        if isinstance(dtype, pl.Struct):
            fields = [field.name for field in dtype.fields]
            if not _extended(fields) and not _is_map(fields, series):
                return [(f"{name}.{part(f)}", series.struct.field(f)) for f in fields]
            scalar = _extended_scalar(series, fields[0]) if len(fields) == 1 else None
            if scalar is not None:
                self.keep(name, scalar)
            else:
                self.python(name, series)
        elif isinstance(dtype, pl.Array) and dtype.inner.is_numeric():
            self.keep(_listed(name), series)
        elif isinstance(dtype, pl.Array):
            return [(name, series.arr.to_list())]
        elif dtype == pl.Object:
            self.python(name, series)
        else:
            self.keep(name, series)
        return []

    def lists(self, name: str, series: pl.Series, inner: Any) -> list[tuple[str, pl.Series]]:
        """Take one level off a column of lists, or keep it; the name has the `[]` of this list."""
        element = pl.element()
        if isinstance(inner, pl.Map):
            entries = pl.List(pl.Struct(dict(zip(_MAP, (inner.key, inner.value), strict=True))))
            return [(name + "[]", _each(series.cast(pl.List(entries)), element.drop_nulls().explode()))]
        if isinstance(inner, pl.Array):
            return [(name, _each(series, element.arr.to_list()))]
        if isinstance(inner, pl.List):
            if not inner.inner.is_numeric() or not _vectors(series):
                return [(name + "[]", _each(series, element.drop_nulls().explode()))]
            self.keep(name + "[]", series)
        elif isinstance(inner, pl.Struct):
            fields = [field.name for field in inner.fields]
            if fields == _MAP:
                return self.entries(name.removesuffix("[]"), series)
            inside = series.explode()
            if not _extended(fields) and not _is_map(fields, inside) and not has_pairs(fields, inside):
                return [(f"{name}.{part(f)}", _each(series, element.struct.field(f))) for f in fields]
            self.python(name, series, listed=True)
        elif inner == pl.Object:
            self.python(name, series, listed=True)
        else:
            self.keep(name, _each(series, element.drop_nulls()) if self.nulls(series) else series)
        return []

    @staticmethod
    def nulls(series: pl.Series) -> bool:
        """Return True when some list holds a null; lists in a flat frame hold none."""
        return series.explode(empty_as_null=False, keep_nulls=False).null_count() > 0

    def entries(self, name: str, series: pl.Series) -> list[tuple[str, pl.Series]]:
        """Map entries: the keys are a column, what lies under them is merged."""
        keys, values = (_each(series, pl.element().struct.field(f).drop_nulls()) for f in _MAP)
        under = f"{name}.{{}}"
        inner = values.dtype.inner if isinstance(values.dtype, pl.List) else None
        self.keep(under, keys)
        if isinstance(inner, pl.Struct):
            return [(under, values)]
        return [(under + ".*", values)]

    def python(self, name: str, series: pl.Series, *, listed: bool = False) -> None:
        """Rare shapes (field names that are values, Python objects) take the slow way over documents."""
        values = _dropped(series.to_list())
        rows = None
        if listed:
            rows = [row for row, inside in enumerate(values) for _ in inside or ()]
            values = [value for inside in values for value in inside or ()]
        self.out.values(name, values, rows, many=listed, depth=1)

    def keep(self, name: str, series: pl.Series) -> None:
        out = self.out
        if len(out.columns) >= self.limits.columns:
            out.left_out.add(name)
            return
        name = out.names.of(name)
        out.columns[name] = series.alias(name)


def _each(series: pl.Series, what: pl.Expr) -> pl.Series:
    return series.list.eval(what)


def _listed(name: str) -> str:
    """Add `[]` to a name that came from outside; one that has it already keeps its name."""
    return name if name.endswith("[]") else name + "[]"


def _is_path(name: str) -> bool:
    """Return True for a path of a list: `documents_to_frame` made it, and its `[]` or `{}` says the list."""
    return "[]" in name or "{}" in name


def _vectors(series: pl.Series) -> bool:
    """Return True when the lists in the lists have all one length of at least VECTOR."""
    sizes = series.explode().drop_nulls().list.len()
    low, high = sizes.min(), sizes.max()
    return low == high and isinstance(low, int) and low >= VECTOR


def _extended(fields: list[str]) -> bool:
    return all(f[:1] == "$" for f in fields) and any(f in EXTENDED for f in fields)


def _extended_scalar(series: pl.Series, field: str) -> pl.Series | None:
    """Return the usual forms of extended JSON without looking at each value, or None for other forms."""
    inner = series.struct.field(field)
    if field == "$date" and inner.dtype == pl.Struct({"$numberLong": pl.String}):
        inner = inner.struct.field("$numberLong").cast(pl.Int64, strict=False)
    if field == "$date" and inner.dtype == pl.Int64:
        return inner.cast(pl.Datetime("ms")).cast(pl.Datetime("us"))
    if inner.dtype != pl.String or field in ("$binary", "$undefined"):
        return None
    if not field.startswith("$number"):
        return inner
    kind = pl.Int64 if field in ("$numberInt", "$numberLong") else pl.Float64
    number = inner.cast(kind, strict=False)
    return number if number.null_count() == inner.null_count() else None


def _is_map(fields: list[str], series: pl.Series) -> bool:
    """Return True when field names look like values, or are very many with few of them in each row."""
    if values_among(fields):
        return True
    if len(fields) <= MAX_KEYS or not series.len():
        return False
    rows = series.len() - series.null_count()
    filled = sum(rows - series.struct.field(f).null_count() for f in fields)
    return filled < rows * len(fields) * 0.5


def _dropped(value: Any) -> Any:
    """Take out the nulls that a struct holds for keys that a document did not have."""
    if isinstance(value, dict):
        return {k: _dropped(v) for k, v in value.items() if v is not None}
    if isinstance(value, list):
        return [_dropped(v) for v in value]
    return value


__all__ = ["flatten", "nested_to_paths"]
