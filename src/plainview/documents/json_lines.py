"""JSON lines to frames: Polars' reader where it is safe, documents in Python where it is not.

Polars reads JSON lines ten times faster than Python, with a schema given. It has traps, though: it drops
keys that the schema lacks, it crashes when it infers the schema of deep documents, and one value of another
type fails the block. So the schema is learnt from documents that Python has looked at, each block is read
with it, and the number of keys in the bytes is compared with the number of cells that came out. Whatever
does not fit is read again in Python, so that no row and no key is lost.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any

import msgspec
import polars as pl

from plainview.detectors.conditions import without_conditions
from plainview.documents.flatten import nested_to_paths
from plainview.documents.json_marks import Marks, holds_keys, marks_beside
from plainview.documents.json_schemas import merge_schemas, schema_of
from plainview.documents.walk import CELLS, LEAST, Walk
from plainview.tables import Limits, ReadLog

SAMPLE = 1 << 19  # bytes that the first schema is learnt from
TINY = 1 << 13  # bytes of a lone text whose schema would cost more than it saves
SHOWN = 10  # line numbers in a message
_LIMITS = Limits()
_DECODER = msgspec.json.Decoder()
_RAW = msgspec.json.Decoder(msgspec.Raw)
_DIGITS = 4000  # Python refuses to convert longer integers


class JsonLines:
    """Reads blocks of lines of one table; what it learns in one block serves the next.

    `mend` makes UTF-8 of a block that may be something else; None: every block is UTF-8.
    """

    def __init__(
        self,
        *,
        limits: Limits = _LIMITS,
        log: ReadLog | None = None,
        name: str = "",
        unit: str = "line",
        mend: Callable[[bytes], bytes] | None = None,
    ) -> None:
        self.mend = mend
        self.limits = limits
        self.log = log
        self.name = name
        self.unit = unit
        self.schema: dict[str, pl.DataType] | None = None
        self.maps: set[str] = set()
        self.next = 1  # the number of the first line of the next block
        self.rows = 0
        self.bad: list[int] = []
        self.bad_count = 0
        self.replaced = 0
        self.constants = 0
        self._told: set[str] = set()

    def read(self, block: bytes) -> pl.DataFrame:
        """Return the documents of whole lines, one row each; columns may be nested. Raises nothing."""
        first = self.next
        marks = marks_beside(block)
        frame = None if self.schema is None and _is_tiny(block) else self._fast(block, marks)
        if frame is None and self.mend and (mended := self.mend(block)) is not block:
            block, marks = mended, marks_beside(mended)
            frame = self._fast(block, marks)
        self.next += marks.result().breaks + (not block.endswith(b"\n"))
        if frame is None:
            frame = self._slow(block, first)
        self.rows += frame.height
        return frame

    def finish(self) -> None:
        """Tell the log what could not be read."""
        if self.log is None:
            return
        if self.bad_count:
            shown = ", ".join(map(str, self.bad)) or "?"
            more = self.bad_count - len(self.bad)
            what = f"{self.unit}s {shown} and {more:,} more" if more else f"{self.unit} {shown}"
            self.log.skip(self.name, f"{self.bad_count:,} {self.unit}(s) not valid JSON: {what}")
        if self.replaced:
            why = f"{self.replaced:,} {self.unit}(s) not valid UTF-8"
            self.log.skip(self.name, f"{why}: the unreadable characters were left out")

        if self.constants:
            why = f"{self.constants:,} {self.unit}(s) hold NaN or Infinity, which is not valid JSON"
            self.log.skip(self.name, f"{why}: read without these numbers")

    def _fast(self, block: bytes, marks: Future[Marks]) -> pl.DataFrame | None:
        if self.schema is None and not self._learn(block[: block.rfind(b"\n", 0, SAMPLE) + 1] or block):
            return None
        frame = self._polars(block)
        if frame is None:
            return None
        fields = [field for column in frame.iter_columns() for field in _fields(column)]
        cells = sum(field.len() - field.null_count() for field in fields)
        if not holds_keys(block, cells, nulls=False, marks=marks.result()):
            return None
        return None if marks.result().brackets > frame.height and any(map(holds_json_text, fields)) else frame

    def _polars(self, block: bytes) -> pl.DataFrame | None:
        if self.schema and len(self.schema) > LEAST and len(self.schema) * block.count(b"\n") > CELLS:
            return None  # as many cells as all keys in all rows
        try:
            return pl.read_ndjson(block, schema=self.schema)
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
            return None

    def _slow(self, block: bytes, first: int) -> pl.DataFrame:
        docs = _decoded(block)
        strictly = docs is None
        if docs is None:
            block, odd = self._without_bad_lines(block, first)
            if not odd and block and (frame := self._fast(block, marks_beside(block))) is not None:
                return frame
            docs = self._strictly(block)
        walk = self._walk(docs)
        if not _is_tiny(block):
            self._learn(block, docs, walk)
        if not strictly and not walk.deep and not holds_keys(block, walk.keys):
            walk = self._walk(self._strictly(block))  # some object holds a key twice
        if self.log is not None:
            self._tell(walk)
        return walk.frame()

    def _walk(self, docs: list[Any]) -> Walk:
        walk = Walk(len(docs), self.limits, self.maps)
        walk.values("", docs, None, many=False, depth=0)
        return walk

    def _tell(self, walk: Walk) -> None:
        told = ReadLog()
        walk.tell(told, self.name)
        for what, why in told.skipped:
            if why not in self._told and self.log is not None:
                self._told.add(why)
                self.log.skip(what, why)

    def _without_bad_lines(self, block: bytes, first: int) -> tuple[bytes, bool]:
        """Return the lines that are JSON, and whether msgspec refuses some of them; count the others."""
        good: list[bytes] = []
        odd = False
        for number, line in enumerate(block.split(b"\n"), first):
            if not line.strip(b" \t\r"):
                continue
            try:
                _RAW.decode(line)
            except (msgspec.MsgspecError, RecursionError):
                try:
                    read_strictly(line, _ignore)
                except (ValueError, RecursionError):
                    self.bad_count += 1
                    if len(self.bad) < SHOWN:
                        self.bad.append(number)
                    continue
                odd = True
            good.append(line)
        return b"\n".join(good), odd

    def _strictly(self, block: bytes) -> list[Any]:
        docs = []
        for line in block.split(b"\n"):
            if not line.strip(b" \t\r"):
                continue
            constants: list[str] = []
            try:
                value, whole = read_strictly(line, constants.append)
            except (ValueError, RecursionError):  # nested so deeply that only the faster reader took it
                value, whole = None, True
                self.bad_count += 1
            docs.append(value)
            self.replaced += not whole
            self.constants += bool(constants)
        return docs

    def _learn(self, sample: bytes, docs: list[Any] | None = None, walk: Walk | None = None) -> bool:
        """Learn the schema of a sample, when Polars names its columns as Python does; else return False."""
        if docs is None:
            docs = _decoded(sample)
            if docs is None:
                return False
            walk = self._walk(docs)
        if walk is None or walk.deep or self.maps or any(type(doc) is not dict for doc in docs):
            return False
        if any("{}" in path for path in walk.columns):
            return False
        paths = dict.fromkeys(map(without_conditions, walk.columns))
        try:
            frame = pl.read_ndjson(sample, infer_schema_length=None)
            # other rows may hold fewer keys, and lists that were empty so far anything at all
            schema = schema_of(frame, paths)
            if set(nested_to_paths(frame.head(0)).columns) != paths.keys():
                return False
            self.schema = merge_schemas(self.schema or {}, schema)
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, TypeError):
            return False
        return True


def _is_tiny(block: bytes) -> bool:
    return len(block) < TINY and b"\n" not in block[:-1]


def _decoded(block: bytes) -> list[Any] | None:
    """Return one value for each line that is not blank, or None when some line is not one JSON text."""
    try:
        docs = _DECODER.decode_lines(block)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    lines = block.count(b"\n") + (not block.endswith(b"\n"))
    if lines != len(docs):  # blank lines, or a line with two texts, which msgspec lets pass
        lines = sum(1 for line in block.split(b"\n") if line.strip())
    return docs if lines == len(docs) else None


def read_strictly(line: bytes, constant: Callable[[str], None]) -> tuple[Any, bool]:
    """Return one JSON text as Python's own strict reader sees it, and whether its bytes were valid UTF-8.

    It takes what msgspec refuses and RFC 8259 allows: lone surrogates, huge exponents, keys that occur twice
    (their values become one list). NaN and Infinity, which Python writes, are no JSON: they are handed to
    `constant` and become null. Raises ValueError or RecursionError.
    """
    try:
        text, whole = line.decode("utf-8"), True
    except UnicodeError:
        text, whole = line.decode("utf-8", "replace"), False
    value = json.loads(text.strip(" \t\r\n"), parse_constant=constant, parse_int=_int, object_pairs_hook=_pairs)
    return value, whole


def _fields(series: pl.Series) -> Iterator[pl.Series]:
    """Yield a column and the fields of all objects in it, each with the cells that it has."""
    yield series
    series = _inside(series)
    if isinstance(series.dtype, pl.Struct):
        for field in series.dtype.fields:
            yield from _fields(series.struct.field(field.name))


def _inside(series: pl.Series) -> pl.Series:
    while isinstance(series.dtype, pl.List):
        series = series.explode()
    return series


def holds_json_text(series: pl.Series) -> bool:
    """Return True when a string may be an object or array, which Polars puts as text among strings."""
    series = _inside(series)
    if series.dtype != pl.String:
        return False
    begins = series.str.starts_with("[") | series.str.starts_with("{")
    return begins.any() and any(_decoded(text.encode()) is not None for text in series.filter(begins))


def _ignore(_: str) -> None:
    """Take a constant for null."""


def _int(digits: str) -> int | str:
    return int(digits) if len(digits) < _DIGITS else digits


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    every: dict[str, list[Any]] = {}
    for key, value in pairs:
        every.setdefault(key, []).append(value)
    return {key: values[0] if len(values) == 1 else values for key, values in every.items()}


__all__ = ["JsonLines", "read_strictly"]
