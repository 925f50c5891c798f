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

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, repeat
from typing import Any

import msgspec
import polars as pl

from plainview.documents.keys import is_map, looks_like_value, part, some_of, values_among
from plainview.documents.pairs import Place, path_of, places_of
from plainview.documents.scalars import (
    EXTENDED,
    NONE,
    NUMBERS,
    SCALARS,
    by_row,
    extended,
    merged,
    plain,
    to_series,
)
from plainview.tables import Limits, ReadLog
from plainview.tables.naming import Distinct

VECTOR = 16  # numbers; a constant-length list of at least so many is a vector (a face template has 128 or 512)
LEAST = 200  # columns that any number of rows may have
CELLS = 50_000_000  # of one batch: each column has a cell for each row, and keys of one row are columns of all
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
        if not types <= SCALARS and not types <= {dict, list, *SCALARS}:
            values = [v if type(v) in SCALARS else plain(v) for v in values]
            types = set(map(type, values))
        if dict in types and EXTENDED & {next(iter(v)) for v in values if type(v) is dict and v}:
            before = sum(_keys(v) for v in values if type(v) is dict)
            values = [extended(v) if type(v) is dict else v for v in values]
            self.keys += before - sum(_keys(v) for v in values if type(v) is dict)
            types = set(map(type, values))
        if types <= SCALARS:
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
        if types - {dict, list, NONE}:
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
        pairs = places_of(docs, keys) if many and path else {}
        for key in keys:
            values = [d.get(key) for d in docs]
            # the text of an XML element that has attributes or children is its value
            below = path if key == "#text" and path else prefix + part(key)
            if key in pairs:
                self.paired(below, values, rows, pairs[key], depth=depth)
            else:
                self.values(below, values, rows, many=many, depth=depth + 1)

    def paired(
        self, path: str, values: list[Any], rows: list[int] | None, places: Mapping[Place, list[int]], *, depth: int
    ) -> None:
        """Take the values of each key of a pair apart as those of a field of their own."""
        owners = range(len(values)) if rows is None else rows
        for place, at in places.items():
            if not place[0] or any(values[i] is not None for i in at):
                self.values(
                    path_of(path, place), [values[i] for i in at], [owners[i] for i in at], many=True, depth=depth + 1
                )

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
            series = by_row(series, range(self.height) if rows is None else rows, self.height)
        if path in self.columns:
            both = merged(self.columns[path], series)
            if both is None:
                path = self.names.of(path)
            series = series.alias(path) if both is None else both
        self.columns[path] = series
        self.names.taken.add(path)


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
    return all(set(map(type, v)) <= NUMBERS for v in lists)


def _keys(value: Any) -> int:
    """Count the keys of an object and of the objects in it, as far as extended JSON nests them."""
    return len(value) + sum(len(v) for v in value.values() if type(v) is dict)


def _as_text(value: Any) -> str:
    try:
        return msgspec.json.encode(value, enc_hook=str).decode()
    except (RecursionError, UnicodeError, TypeError, ValueError):
        return ""


__all__ = ["Walk", "documents_to_frame"]
