"""What Parquet and Arrow readers share: batches in bounded memory, and what to do when a part is damaged.

Polars gives rows in order. Where it fails, the rows that are left are tried again in halves, and at last
column by column, so that a damaged page costs its own rows of its own column. A panic inside
`collect_batches` ends the rows without any error (seen with polars 2.1), so the rows are counted against
what the file says it holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

import polars as pl

from plainview.errors import DamagedError, PlainviewError
from plainview.tables import Batch, Input, ReadLog, Table

ROWS = 100_000  # of a batch, fewer of wide tables
CELLS = 1_500_000
ATTEMPTS = 200  # reads of parts of one damaged file
SMALLEST = 1_000  # rows; a range this small is not halved further

T = TypeVar("T")
Scan = Callable[[], pl.LazyFrame]


def attempt(work: Callable[[], T]) -> T:
    """Return what `work` returns; any failure in a Rust library becomes a DamagedError without its text."""
    try:
        return work()
    except PlainviewError:
        raise
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        raise DamagedError(f"damaged, or of a form that is not read ({type(error).__name__})") from None


def read_lazy(source: Input, log: ReadLog, table: Table, scan: Scan) -> Iterator[Batch]:
    """Yield all rows of a lazy frame; tell what cannot be read. Raise DamagedError when nothing can."""
    lazy = attempt(scan)
    schema = attempt(lazy.collect_schema)
    names = schema.names()
    if len(names) > source.limits.columns:
        log.skip(source.name, f"columns after the first {source.limits.columns} of {len(names)} (raise --columns)")
        names = names[: source.limits.columns]
        lazy = lazy.select(names)
    if odd := [name for name in names if not _known(schema[name])]:
        for name in odd:
            log.skip(f"{source.name}: column {name}", "of a type that is not read; the other columns were")
        names = [name for name in names if name not in odd]
        lazy = lazy.select(names)
    yield Batch(table, attempt(lambda: pl.DataFrame(schema={name: schema[name] for name in names})))
    rows = attempt(lambda: int(lazy.select(pl.len()).collect().item()))
    log.listed(rows=rows)
    done = 0
    try:
        size = max(1_000, min(ROWS, CELLS // max(1, len(names))))
        for frame in lazy.collect_batches(chunk_size=size, maintain_order=True):
            source.deadline.check()
            done += frame.height
            yield Batch(table, frame)
    except PlainviewError:
        raise
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
    if done < rows:
        yield from _Rescue(source, log, table, lazy, names).rows(done, rows)


def _known(dtype: pl.DataType) -> bool:
    """Tell whether Polars can hold a column of a type that it reads from a file: not of a decimal of 60 digits."""
    try:
        attempt(lambda: pl.Series("", [], dtype=dtype))
    except DamagedError:
        return False
    return True


class _Rescue:
    """Reads what can be read of a range in which something is damaged."""

    def __init__(self, source: Input, log: ReadLog, table: Table, lazy: pl.LazyFrame, names: list[str]) -> None:
        self._source, self._log, self._table, self._lazy, self._names = source, log, table, lazy, names
        self._left = ATTEMPTS
        self._lost: dict[str, list[tuple[int, int]]] = {}

    def rows(self, start: int, end: int) -> Iterator[Batch]:
        """Yield the readable rows of [start, end) and tell the others."""
        ranges = [(start, end)]
        while ranges:
            first, last = ranges.pop()
            frame = self._try(first, last, self._names)
            if frame is not None:
                yield Batch(self._table, frame)
            elif last - first > max(SMALLEST, (end - start) // 64):
                middle = (first + last) // 2
                ranges += [(middle, last), (first, middle)]
            else:
                columns = [part for name in self._names if (part := self._column(first, last, name)) is not None]
                if columns:
                    yield Batch(self._table, pl.concat(columns, how="horizontal"))
        self._tell()

    def _column(self, first: int, last: int, name: str) -> pl.DataFrame | None:
        frame = self._try(first, last, [name]) if len(self._names) > 1 else None
        if frame is None:
            spans = self._lost.setdefault(name, [])
            if spans and spans[-1][1] == first:
                first = spans.pop()[0]
            spans.append((first, last))
        return frame

    def _try(self, first: int, last: int, names: list[str]) -> pl.DataFrame | None:
        self._source.deadline.check()
        self._left -= 1
        if self._left < 0:
            return None
        part = self._lazy.select(names).slice(first, last - first)
        try:
            frame = attempt(part.collect)
        except DamagedError:
            return None
        return frame if frame.height == last - first else None

    def _tell(self) -> None:
        """Write one line for each range of lost rows; whole rows that are lost are not told by column."""
        if len(self._lost) == len(self._names) and len({tuple(spans) for spans in self._lost.values()}) == 1:
            spans = next(iter(self._lost.values()))
            self._lost = {"": spans}
        for name, spans in self._lost.items():
            for first, last in spans:
                what = f"{self._source.name}: rows {first + 1} to {last}" + (f" of column {name}" if name else "")
                why = "damaged; the rest was read" if self._left >= 0 else "not read: too much around it is damaged"
                self._log.skip(what, why)


__all__ = ["attempt", "read_lazy"]
