"""One column of a batch as text: which cells can be looked at, and how."""

from __future__ import annotations

import polars as pl

from plainview import tags
from plainview.matching.compiled import NULLS
from plainview.profiles import ColumnProfile, Count

LONGEST_NULL = max(map(len, NULLS))
VECTOR_FROM = 64  # numbers in a list that make it a vector
MAGICS = {
    "photograph": (b"\xff\xd8\xff", b"\x89PNG\r\n", b"GIF8", b"RIFF", b"BM"),
    "fingerprint": (b"FMR\0", b"FSP\0", b"FIR\0", b"\xff\xa0"),
    "face_template": (b"FAC\0",),
    "iris_retina": (b"IIR\0",),
}


def as_text(series: pl.Series) -> pl.Series | None:
    """Return the filled cells as strings (elements of lists one by one), or None where text makes no sense."""
    kind = series.dtype
    if isinstance(kind, (pl.List, pl.Array)):
        if is_vector(series):
            return None
        return as_text(
            series.explode(empty_as_null=False, keep_nulls=False) if isinstance(kind, pl.List) else series.explode()
        )
    if kind in (pl.Boolean, pl.Null, pl.Object, pl.Time, pl.Duration, pl.Binary) or isinstance(kind, pl.Struct):
        return None
    if kind == pl.String:
        return series
    filled = series.drop_nulls() if series.null_count() else series
    if kind == pl.Date:
        return filled.dt.to_string("%Y-%m-%d")
    if isinstance(kind, pl.Datetime):
        return filled.dt.to_string("%Y-%m-%d %H:%M:%S")
    return filled.cast(pl.String)


def without_empty(series: pl.Series) -> pl.Series:
    """Drop nulls and the usual words for nothing."""
    shortest = series.str.len_bytes().min()
    if isinstance(shortest, int) and shortest > LONGEST_NULL:
        return series.drop_nulls() if series.null_count() else series
    mask = series.is_in(NULLS)
    if mask.any() or series.null_count():
        return series.filter(~mask.fill_null(value=True))
    return series


def is_vector(series: pl.Series) -> bool:
    """Tell whether every cell is a list of the same, large number of floats: an embedding."""
    kind = series.dtype
    inner = kind.inner if isinstance(kind, (pl.List, pl.Array)) else None
    if inner not in (pl.Float32, pl.Float64):
        return False
    return vector_length(series) is not None


def vector_length(series: pl.Series) -> int | None:
    """Return the common length of all lists in the column, or None."""
    filled = series.drop_nulls()
    if filled.is_empty():
        return None
    if isinstance(filled.dtype, pl.Array):
        return filled.dtype.size
    lengths = filled.list.len().unique()
    return int(lengths[0]) if len(lengths) == 1 and lengths[0] >= VECTOR_FROM else None


def unit_norm(series: pl.Series) -> bool:
    """Tell whether the vectors of a sample have length 1, as face templates mostly have."""
    head = series.drop_nulls().head(64)
    squares = (
        head.list.eval(pl.element().pow(2).sum()).list.first()
        if isinstance(head.dtype, pl.List)
        else head.arr.to_list().list.eval(pl.element().pow(2).sum()).list.first()
    )
    mean = squares.mean()
    return isinstance(mean, float) and abs(mean - 1) < 0.02


def text_of(series: pl.Series) -> pl.Series | ColumnProfile:
    """Return the cells as text, or where they make none the whole profile."""
    text = as_text(series)
    if text is None:
        return ColumnProfile(rows=len(series), empty=series.null_count(), types=frozenset({kind_of(series)}))
    return text


def rows_of(series: pl.Series, text: pl.Series) -> int:
    """Return how many cells a column has: of lists, their elements."""
    return len(text) if isinstance(series.dtype, (pl.List, pl.Array)) else len(series)


def is_prose(series: pl.Series) -> bool:
    """Tell whether running text may stand in the cells."""
    return series.dtype == pl.String or isinstance(series.dtype, pl.List)


def kind_of(series: pl.Series) -> str:
    """Return the type of the cells in Polars' words."""
    return series.dtype.base_type().__name__.lower() if not series.dtype.is_nested() else "list"


def binary_or_vector(series: pl.Series) -> ColumnProfile | None:
    """Return the whole profile of a column of bytes, known by how they begin, or of embeddings; None of others."""
    rows, empty = len(series), series.null_count()
    if series.dtype == pl.Binary:
        filled = series.drop_nulls()
        counts = {}
        for name, magics in MAGICS.items():
            hit = sum(int(filled.bin.starts_with(magic).sum()) for magic in magics)
            if hit:
                counts[tags.passed(name)] = Count(len(filled), hit, hit)
        return ColumnProfile(rows, empty, counts, {}, frozenset({"binary"}))
    if isinstance(series.dtype, (pl.List, pl.Array)) and is_vector(series):
        length = vector_length(series)
        types = {"vector", f"vector{length}"} | ({"unit"} if unit_norm(series) else set())
        return ColumnProfile(rows, empty, {}, {}, frozenset(types))
    return None
