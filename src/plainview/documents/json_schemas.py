"""Schemas of JSON documents: with what Polars reads the next block, and in which order its columns stand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

from plainview.documents.keys import part


def schema_of(frame: pl.DataFrame, paths: Iterable[str]) -> dict[str, Any]:
    """Return the schema of a sample, for rows that may hold other keys, in the order of its `paths`."""
    places = _places(paths)
    return {name: _ordered(_settled(dtype), part(name), places) for name, dtype in frame.schema.items()}


def _settled(dtype: Any) -> Any:
    """Replace the types that would lose or refuse values: List(Null) makes values null, Int128 is rare."""
    if isinstance(dtype, pl.Struct):
        return pl.Struct({f.name: _settled(f.dtype) for f in dtype.fields})
    if isinstance(dtype, pl.List):
        inner = _settled(dtype.inner)
        return pl.List(pl.String if inner == pl.Null else inner)
    return pl.String() if dtype in (pl.Int128, pl.UInt64) else dtype


def _places(paths: Iterable[str]) -> dict[str, int]:
    """Return where each path, and each path above it, stands first."""
    places: dict[str, int] = {}
    for at, path in enumerate(paths):
        for end in (*(i for i, sign in enumerate(path) if sign == "."), len(path)):
            above = path[:end]
            places.setdefault(above, at)
            places.setdefault(above.removesuffix("[]"), at)
    return places


def _ordered(dtype: Any, path: str, places: Mapping[str, int]) -> Any:
    """Put the fields of objects in the order of the documents: that of Polars is another one in each run."""
    if isinstance(dtype, pl.List):
        return pl.List(_ordered(dtype.inner, f"{path}[]", places))
    if not isinstance(dtype, pl.Struct):
        return dtype
    below = [(f"{path}.{part(field.name)}", field) for field in dtype.fields]
    below.sort(key=lambda pair: places.get(pair[0], len(places)))
    return pl.Struct({field.name: _ordered(field.dtype, name, places) for name, field in below})


def merge_schemas(one: dict[str, Any], two: dict[str, Any]) -> dict[str, Any]:
    """Return a schema that holds what both hold. Raises TypeError when a path is nested in one only."""
    merged = dict(one)
    for name, dtype in two.items():
        merged[name] = _merge(merged[name], dtype) if name in merged else dtype
    return merged


def _merge(one: Any, two: Any) -> Any:
    result: Any
    if two in (one, pl.Null):
        result = one
    elif one == pl.Null:
        result = two
    elif isinstance(one, pl.Struct) and isinstance(two, pl.Struct):
        fields = merge_schemas({f.name: f.dtype for f in one.fields}, {f.name: f.dtype for f in two.fields})
        result = pl.Struct(fields)
    elif isinstance(one, pl.List) and isinstance(two, pl.List):
        result = pl.List(_merge(one.inner, two.inner))
    elif one.is_nested() or two.is_nested():
        raise TypeError("a path is nested in one document and a scalar in another")
    else:
        result = pl.Float64() if one.is_numeric() and two.is_numeric() else pl.String()
    return result
