"""The types of CQL: cells of one column to a Polars column, at once where the type has a fixed width.

Source: section 6 of native_protocol_v4.spec; VectorType of Cassandra 5, which version 4 of the protocol gives as a
custom type.
"""

from __future__ import annotations

import decimal
import ipaddress
import re
import struct
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from plainview.errors import ProtocolError

NESTING = 16
VECTOR = re.compile(r"org\.apache\.cassandra\.db\.marshal\.VectorType\(.*FloatType ?, ?([0-9]{1,5})\)")
CUSTOM, LIST, MAP, SET, UDT, TUPLE = 0x00, 0x20, 0x21, 0x22, 0x30, 0x31
ASCII, DECIMAL, UUID_, TEXT, VARINT, TIMEUUID, INET, DURATION = 1, 6, 0xC, 0xD, 0xE, 0xF, 0x10, 0x15
BOOLEAN, TIMESTAMP, DATE, TIME = 4, 0xB, 0x11, 0x12
# type id -> how its bytes are read by NumPy
FIXED = {2: ">i8", 4: ">u1", 5: ">i8", 7: ">f8", 8: ">f4", 9: ">i4", 0xB: ">i8", 0x11: ">u4", 0x12: ">i8"}
FIXED |= {0x13: ">i2", 0x14: ">i1"}
DAYS = 1 << 31  # dates are counted from here
LARGEST_DAY = 2_932_896  # 9999-12-31
LARGEST_MS = 253_402_300_799_999


@dataclass(frozen=True, slots=True)
class Type:
    """A type: its number, what it is made of, and for a UDT the names of its fields."""

    id: int
    inner: tuple[Type, ...] = ()
    names: tuple[str, ...] = ()
    size: int = 0  # of a vector


def read_type(answer: Any, depth: int = 0) -> Type:
    """Read a type from the description of a column. Raises ProtocolError."""
    if depth > NESTING:
        raise ProtocolError(f"a type nested deeper than {NESTING}")
    kind = answer.short()
    if kind == CUSTOM:
        name = answer.string()
        if name == "org.apache.cassandra.db.marshal.DurationType":  # version 4 has no number for it
            return Type(DURATION)
        found = VECTOR.fullmatch(name)
        return Type(CUSTOM, size=int(found[1]) if found else 0)
    if kind in (LIST, SET):
        return Type(kind, (read_type(answer, depth + 1),))
    if kind == MAP:
        return Type(kind, (read_type(answer, depth + 1), read_type(answer, depth + 1)))
    if kind == TUPLE:
        return Type(kind, tuple(read_type(answer, depth + 1) for _ in range(min(answer.short(), 1000))))
    if kind == UDT:
        answer.string(), answer.string()
        fields = [(answer.string(), read_type(answer, depth + 1)) for _ in range(min(answer.short(), 1000))]
        return Type(kind, tuple(t for _, t in fields), tuple(n for n, _ in fields))
    return Type(kind)


def series(name: str, kind: Type, cells: list[bytes | None]) -> pl.Series:
    """Return a column of a type that is not made of others. What does not fit its type stays as bytes."""
    if kind.id in FIXED:
        return _fixed(name, kind.id, cells)
    if kind.id in (ASCII, TEXT):
        binary = pl.Series(name, cells, dtype=pl.Binary)
        try:
            return binary.cast(pl.String)
        except pl.exceptions.PolarsError:
            return pl.Series(name, [None if c is None else c.decode("utf-8", "replace") for c in cells])
    if kind.id in (UUID_, TIMEUUID):
        whole = [cell if cell is not None and len(cell) == 16 else None for cell in cells]
        text = pl.Series(name, whole, dtype=pl.Binary).bin.encode("hex")
        parts = [text.str.slice(at, size) for at, size in ((0, 8), (8, 4), (12, 4), (16, 4), (20, 12))]
        return pl.select(pl.concat_str(parts, separator="-").alias(name)).to_series()
    decode = VALUES.get(kind.id)
    if decode is None:
        return pl.Series(name, cells, dtype=pl.Binary)
    values = [value_of(kind, cell) for cell in cells]
    return pl.Series(name, [None if v is None else str(v) for v in values], dtype=pl.String)


def _fixed(name: str, kind: int, cells: list[bytes | None]) -> pl.Series:
    layout = np.dtype(FIXED[kind])
    width = layout.itemsize
    missing = [cell is None or len(cell) != width for cell in cells]
    some = any(missing)
    filler = b"\0" * width
    joined = b"".join([cell if cell is not None and len(cell) == width else filler for cell in cells])
    numbers = np.frombuffer(joined, layout).astype(layout.newbyteorder("="))
    column = pl.Series(name, numbers)
    if kind == BOOLEAN:
        column = column != 0
    elif kind == TIMESTAMP and (not len(column) or np.abs(numbers).max() <= LARGEST_MS):
        column = column.cast(pl.Datetime("ms")).dt.cast_time_unit("us")
    elif kind == DATE:
        days = numbers.astype(np.int64) - DAYS
        column = pl.Series(name, days)
        if not some and (not len(column) or np.abs(days).max() <= LARGEST_DAY):
            column = column.cast(pl.Int32).cast(pl.Date)
    elif kind == TIME and (not len(column) or (numbers.min() >= 0 and numbers.max() < 86_400_000_000_000)):
        column = column.cast(pl.Time)
    if some:
        column = column.zip_with(
            ~pl.Series(missing), pl.Series([None], dtype=column.dtype).new_from_index(0, len(column))
        )
    return column.alias(name)


# -- single values, for collections and for types of any width -------------------------------------------


def value_of(kind: Type, cell: bytes | None) -> Any:
    """Return one value as Python has it; None where the bytes do not fit the type."""
    if cell is None:
        return None
    try:
        if kind.id in (LIST, SET):
            return _items(kind.inner, cell)
        if kind.id == MAP:
            flat = _items(kind.inner, cell)
            return {str(k): v for k, v in zip(flat[0::2], flat[1::2], strict=True)}
        if kind.id in (TUPLE, UDT):
            values = _fields(kind.inner, cell)
            names = kind.names or [f"item{number}" for number in range(1, len(values) + 1)]
            return dict(zip(names, values, strict=False))
        if kind.size:
            return list(struct.unpack(f">{kind.size}f", cell))
        if kind.id in FIXED:
            return series("", kind, [cell])[0]
        return VALUES.get(kind.id, bytes)(cell)
    except (ValueError, IndexError, struct.error, ArithmeticError, RecursionError):
        return None


def _items(inner: tuple[Type, ...], cell: bytes) -> list[Any]:
    """Return the elements of a list or set, or keys and values of a map in turn."""
    (count,) = struct.unpack_from(">i", cell)
    if not 0 <= count * 4 * len(inner) <= len(cell):
        raise ValueError("more elements than the cell can hold")
    at, found = 4, []
    for number in range(count * len(inner)):
        (size,) = struct.unpack_from(">i", cell, at)
        at += 4
        part = None if size < 0 else cell[at : at + size]
        at += max(0, size)
        found.append(value_of(inner[number % len(inner)], part))
    return found


def _fields(inner: tuple[Type, ...], cell: bytes) -> list[Any]:
    at, found = 0, []
    for kind in inner:
        if at + 4 > len(cell):  # fields that were added to the type later
            break
        (size,) = struct.unpack_from(">i", cell, at)
        at += 4
        found.append(value_of(kind, None if size < 0 else cell[at : at + size]))
        at += max(0, size)
    return found


def _decimal(cell: bytes) -> decimal.Decimal | None:
    if not 4 < len(cell) <= 1024:
        return None
    scale = int.from_bytes(cell[:4], "big", signed=True)
    if abs(scale) > 6000:
        return None
    digits = int.from_bytes(cell[4:], "big", signed=True)
    with decimal.localcontext(prec=3000, Emin=-9999, Emax=9999):
        return decimal.Decimal(digits).scaleb(-scale)


def _varint(cell: bytes) -> int | None:
    return int.from_bytes(cell, "big", signed=True) if 0 < len(cell) <= 1024 else None


def _inet(cell: bytes) -> str:
    return str(ipaddress.ip_address(cell))


def _duration(cell: bytes) -> str:
    """Return months, days and nanoseconds, three zigzag numbers, in ISO 8601 form."""
    numbers, at = [], 0
    for _ in range(3):
        extra = 8 - (~cell[at] & 0xFF).bit_length()  # leading ones: so many more bytes
        value = cell[at] & (0xFF >> extra)
        for byte in cell[at + 1 : at + 1 + extra]:
            value = value << 8 | byte
        at += 1 + extra
        numbers.append((value >> 1) ^ -(value & 1))
    months, days, nanos = numbers
    return f"P{months}M{days}DT{nanos / 1e9:g}S"


def _text(cell: bytes) -> str:
    return cell.decode("utf-8", "replace")


VALUES: dict[int, Callable[[bytes], Any]] = {
    ASCII: _text,
    TEXT: _text,
    UUID_: lambda cell: str(uuid.UUID(bytes=cell)),
    TIMEUUID: lambda cell: str(uuid.UUID(bytes=cell)),
    DECIMAL: _decimal,
    VARINT: _varint,
    INET: _inet,
    DURATION: _duration,
}

__all__ = ["Type", "read_type", "series", "value_of"]
