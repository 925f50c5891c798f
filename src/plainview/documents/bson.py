"""A batch of BSON documents to columns at once: one step for each field, not for each value.

Documents of one collection mostly have the same fields in the same order. So the first unread field of one document
is looked for in all documents together, its values are cut out, and so on until all are read; fields that some
documents lack cost one step more. What is not a plain scalar (objects, lists, mixed types) is decoded by `bson` and
takes the usual way through `documents`. The result is the same as of `documents_to_frame` over decoded documents; a
batch that breaks a rule here gives None, and takes that way as a whole. Every position is checked before it is read.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import bson
import numpy as np
import numpy.typing as npt
import polars as pl
from bson.codec_options import CodecOptions, DatetimeConversion

from plainview.documents.keys import looks_like_value, part, some_of, values_among
from plainview.documents.walk import documents_to_frame
from plainview.tables import Limits, ReadLog

# How BSON becomes Python here: broken text with replacement characters, dates beyond Python's as numbers.
OPTIONS: CodecOptions[dict[str, Any]] = CodecOptions(
    document_class=dict,
    unicode_decode_error_handler="replace",
    datetime_conversion=DatetimeConversion.DATETIME_AUTO,
)

Positions = npt.NDArray[np.int64]

DOUBLE, STRING, OBJECT, ARRAY, BINARY, OID, BOOLEAN, DATE, NULL, INT32, INT64 = 1, 2, 3, 4, 5, 7, 8, 9, 10, 16, 18
# Bytes of a value by type; for those that begin with their length, what comes on top of it.
FIXED = {DOUBLE: 8, OID: 12, BOOLEAN: 1, DATE: 8, NULL: 0, INT32: 4, 17: 8, INT64: 8, 19: 16}
COUNTED = {STRING: 4, OBJECT: 0, ARRAY: 0, BINARY: 5}
LAYOUT = {DOUBLE: "<f8", BOOLEAN: "u1", DATE: "<i8", INT32: "<i4", INT64: "<i8"}
STEPS = 256
KEYS, FEW = 64, 19  # more keys, or more than a few that are rare, may be a map: `keys.is_map` has to judge
LARGEST_DATE = 253_402_300_799_999  # 9999-12-31 in milliseconds; years below 1 are as far away the other way
SMALLEST_DATE = -62_135_596_800_000


@dataclass(slots=True)
class _Field:
    """Where the values of one field lie: parallel runs of types, rows and positions."""

    kinds: list[npt.NDArray[np.uint8]] = field(default_factory=list)
    rows: list[Positions] = field(default_factory=list)
    at: list[Positions] = field(default_factory=list)


class _OddError(Exception):
    """The batch breaks a rule; it takes the usual way."""


def columns(
    raw: bytes | bytearray, starts: list[int], *, limits: Limits, log: ReadLog, name: str, maps: set[str]
) -> pl.DataFrame | None:
    """Return one row for each document; `starts` are their positions in `raw`. None: take the usual way."""
    try:
        batch = _Batch(raw, starts)
        batch.walk(values_before=some_of("") in maps)
        return batch.frame(limits, log, name, maps)
    except (_OddError, UnicodeError, bson.errors.BSONError, OverflowError, ValueError, RecursionError):
        return None


class _Batch:
    def __init__(self, raw: bytes | bytearray, starts: list[int]) -> None:
        self.raw = bytes(raw)
        self.buffer = np.frombuffer(self.raw, np.uint8)
        self.height = len(starts)
        self.at = np.array(starts, dtype=np.int64)
        if self.height == 0 or self.at.min() < 0 or self.at.max() + 5 > len(self.raw):
            raise _OddError
        sizes = self.read(self.at, "<i4").astype(np.int64)
        self.ends = self.at + sizes - 1  # of the zero at the end of each document
        if sizes.min() < 5 or self.ends.max() >= len(self.raw):
            raise _OddError
        self.at += 4
        self.fields: dict[str, _Field] = {}

    def read(self, at: Positions, layout: str) -> npt.NDArray[Any]:
        """Return one number at each position; the caller has checked the positions."""
        width = np.dtype(layout).itemsize
        return np.ascontiguousarray(self.buffer[at[:, None] + np.arange(width)]).view(layout)[:, 0]

    def walk(self, *, values_before: bool) -> None:
        """Find all values of all fields; `values_before`: some names of fields were values, in batches before."""
        active = np.flatnonzero(self.at < self.ends)
        for _ in range(STEPS):
            if not len(active):
                break
            self.step(active)
            active = active[self.at[active] < self.ends[active]]
        if len(active) or (self.at != self.ends).any():
            raise _OddError
        used = sum(len(rows) for one in self.fields.values() for rows in one.rows)
        count = len(self.fields)
        if count > KEYS or (count > FEW and used * 2 < self.height * count):
            raise _OddError
        if values_among(self.fields, before=values_before):
            raise _OddError

    def step(self, active: Positions) -> None:
        """Take the next field of the first document, in all documents that have it next, too."""
        first = int(active[0])
        start = int(self.at[first])
        end = self.raw.find(b"\0", start + 1, int(self.ends[first]))
        if end < 0:
            raise _OddError
        key = self.raw[start + 1 : end].decode()
        if part(key) != key or looks_like_value(key) or " " in key or key[:1] == "$":
            raise _OddError
        name = np.frombuffer(self.raw, np.uint8, end - start, start + 1)
        after = self.at[active] + 1 + len(name)
        fits = after <= self.ends[active]
        where = np.minimum(self.at[active][:, None] + 1 + np.arange(len(name)), len(self.raw) - 1)
        rows = active[fits & (self.buffer[where] == name).all(axis=1)]
        at = self.at[rows] + 1 + len(name)
        kinds = self.buffer[self.at[rows]]
        one = self.fields.setdefault(key, _Field())
        one.kinds.append(kinds)
        one.rows.append(rows)
        one.at.append(at)
        self.at[rows] = at + self.sizes(kinds, at, self.ends[rows])

    def sizes(self, kinds: npt.NDArray[np.uint8], at: Positions, ends: Positions) -> Positions:
        """Return the bytes of each value, none of which goes beyond its document."""
        sizes = np.full(len(at), -1, dtype=np.int64)
        for kind in np.unique(kinds).tolist():
            mine = kinds == kind
            if kind in FIXED:
                sizes[mine] = FIXED[kind]
            elif kind in COUNTED:
                if (at[mine] + 4 > ends[mine]).any():
                    raise _OddError
                lengths = self.read(at[mine], "<i4").astype(np.int64)
                least = {STRING: 1, BINARY: 0}.get(kind, 5)
                if lengths.min() < least:
                    raise _OddError
                sizes[mine] = lengths + COUNTED[kind]
        if (sizes < 0).any() or (at + sizes > ends).any():
            raise _OddError
        return sizes

    # -- columns --------------------------------------------------------------------------------------

    def frame(self, limits: Limits, log: ReadLog, name: str, maps: set[str]) -> pl.DataFrame:
        """Return the columns of all fields, in the order in which they were met."""
        found: dict[str, pl.Series] = {}
        for key, one in self.fields.items():
            kinds, rows, at = np.concatenate(one.kinds), np.concatenate(one.rows), np.concatenate(one.at)
            if len(one.rows) > 1 and len(np.unique(rows)) < len(rows):  # the same key twice in one document
                raise _OddError
            real = kinds != NULL
            types = set(np.unique(kinds[real]).tolist())
            series = self.series(key, types, rows[real], at[real])
            if series is None:
                values = self.values(kinds, rows, at)
                docs = [{key: value} for value in values]
                some = documents_to_frame(docs, limits=limits, log=log, name=name, maps=maps).get_columns()
            else:
                some = [series]
            for column in some:
                if column.name in found:
                    raise _OddError
                found[column.name] = column
        return pl.DataFrame(list(found.values())) if found else pl.DataFrame(height=self.height)

    def series(self, key: str, types: set[int], rows: Positions, at: Positions) -> pl.Series | None:
        """Return a column of one scalar type, or None."""
        if not types:
            return pl.Series(key, [None] * self.height, dtype=pl.Null)
        if types == {STRING}:
            ends = (at + 3 + self.read(at, "<i4")).tolist()
            cut = [self.raw[start:end] for start, end in zip((at + 4).tolist(), ends, strict=True)]
            binary = pl.Series(key, self.spread(rows, cut), dtype=pl.Binary)
            try:
                return binary.cast(pl.String)
            except pl.exceptions.PolarsError:
                cut_text = [data.decode("utf-8", "replace") for data in cut]
                return pl.Series(key, self.spread(rows, cut_text), dtype=pl.String)
        if types == {OID}:
            cut = [self.raw[start : start + 12] for start in at.tolist()]
            return pl.Series(key, self.spread(rows, cut), dtype=pl.Binary).bin.encode("hex")
        if len(types) != 1 or not types <= LAYOUT.keys():
            return None
        kind = next(iter(types))
        numbers = self.read(at, LAYOUT[kind])
        if kind == DATE and (numbers.min() < SMALLEST_DATE or numbers.max() > LARGEST_DATE):
            return None
        if kind in (INT32, INT64):
            numbers = numbers.astype(np.int64)
        column = pl.Series(key, numbers)
        if kind == BOOLEAN:
            column = column != 0
        elif kind == DATE:
            column = column.cast(pl.Datetime("ms")).dt.cast_time_unit("us")
        if len(rows) < self.height:
            index = np.full(self.height, -1, dtype=np.int64)
            index[rows] = np.arange(len(rows))
            places = pl.Series(index).to_frame("i").select(pl.when(pl.col("i") >= 0).then(pl.col("i"))).to_series()
            column = column.gather(places.cast(pl.UInt32))
        elif (rows[1:] < rows[:-1]).any():
            column = column.gather(pl.Series(np.argsort(rows)).cast(pl.UInt32))
        return column.alias(key)

    def spread(self, rows: Positions, values: list[Any]) -> list[Any]:
        """Return one value for each document, None where it has none."""
        if len(rows) == self.height and not (rows[1:] < rows[:-1]).any():
            return values
        every: list[Any] = [None] * self.height
        for row, value in zip(rows.tolist(), values, strict=True):
            every[row] = value
        return every

    def values(self, kinds: npt.NDArray[np.uint8], rows: Positions, at: Positions) -> list[Any]:
        """Decode the values of one field by `bson`, all in one call."""
        ends = at + self.sizes(kinds, at, self.ends[rows])
        parts = []
        for kind, start, end in zip(kinds.tolist(), at.tolist(), ends.tolist(), strict=True):
            size = end - start + 8  # length, type, name "v", value, closing zero
            parts.append(b"%b%cv\0%b\0" % (size.to_bytes(4, "little"), kind, self.raw[start:end]))
        decoded = bson.decode_all(b"".join(parts), OPTIONS)
        return self.spread(rows, [doc["v"] for doc in decoded])


__all__ = ["columns"]
