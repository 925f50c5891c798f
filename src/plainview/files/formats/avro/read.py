"""Avro object container files, by fastavro, block by block.

Format: https://avro.apache.org/docs/1.12.0/specification/#object-container-files (codecs null, deflate,
bzip2, xz, zstandard; snappy with cramjam).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import polars as pl

from plainview.errors import DamagedError, LimitError, MissingExtraError, UnsupportedError
from plainview.files.formats.avro.blocks import Blocks
from plainview.tables import Batch, Input, ReadLog, Table

ROWS = 20_000
CELLS = 1_000_000  # of one batch
BYTES = 16 << 20  # of blocks, unpacked, that one batch may come from
EXTRA = {"snappy": "cramjam", "zstandard": "backports.zstd", "lz4": "lz4"}


def read(source: Input, log: ReadLog) -> Iterator[Batch]:
    """Yield the records in batches. Raise DamagedError where a block breaks; earlier records count."""
    import fastavro

    table = Table(source.name, "avro")
    with source.open() as opened:
        stream = _start(Blocks, opened, source.limits, source.deadline)
        records = _start(fastavro.reader, stream)
        columns = _fields(records.writer_schema)
        yield Batch(table, pl.DataFrame(schema=dict.fromkeys(columns, pl.Null)))
        log.listed()
        size = max(1, min(ROWS, CELLS // max(1, len(columns))))
        rows: list[Any] = []
        broken: Exception | None = None
        try:
            for record in records:
                rows.append(record)
                if len(rows) == size or stream.given > BYTES:
                    source.deadline.check()
                    stream.given = 0
                    yield Batch(table, _frame(rows))
                    rows = []
        except LimitError as error:
            broken = error
        except Exception as error:  # noqa: BLE001  fastavro raises whatever the bytes lead to
            broken = error
        if rows:
            yield Batch(table, _frame(rows))
        if stream.deep:
            why = f"{stream.deep:,} records nested deeper than {stream.deepest} levels were not read"
            log.skip(source.name, LimitError(why))
        if isinstance(broken, LimitError):
            raise broken
        if broken is not None:
            raise DamagedError(
                f"a block is damaged or cut short ({type(broken).__name__}); the records before it were read"
            )
        if stream.broken:
            raise DamagedError("a block is damaged or cut short; the records before it were read")


def _start(reader: Any, *arguments: Any) -> Any:
    try:
        return reader(*arguments)
    except LimitError:
        raise
    except ValueError as error:
        codec = next((name for name in EXTRA if name in str(error).lower()), "")
        if codec:
            raise MissingExtraError(f"Avro packed with {codec}", hint=f"pip install {EXTRA[codec]}") from None
        if "codec" in str(error).lower():
            raise UnsupportedError("Avro packed with a codec that is not read") from None
        raise DamagedError("the Avro header cannot be read (ValueError)") from None
    except Exception as error:  # noqa: BLE001
        raise DamagedError(f"the Avro header cannot be read ({type(error).__name__})") from None


def _fields(schema: Any) -> list[str]:
    if isinstance(schema, dict) and schema.get("type") == "record":
        return list(dict.fromkeys(str(field["name"]) for field in schema["fields"]))
    return ["value"]


def _frame(rows: list[Any]) -> pl.DataFrame:
    """Return records as a frame; a column whose values are of several types becomes JSON text."""
    if not isinstance(rows[0], dict):
        rows = [{"value": row} for row in rows]
    try:
        return pl.DataFrame(rows, infer_schema_length=None, strict=True)
    except (TypeError, ValueError, OverflowError, pl.exceptions.PolarsError):
        return pl.DataFrame([_column(name, rows) for name in dict.fromkeys(key for row in rows for key in row)])


def _column(name: str, rows: list[Any]) -> pl.Series:
    values = [row.get(name) for row in rows]
    try:
        return pl.Series(name, values, strict=True)
    except (TypeError, ValueError, OverflowError, pl.exceptions.PolarsError):
        texts = [
            v if v is None or isinstance(v, str) else json.dumps(v, default=str, ensure_ascii=False) for v in values
        ]
        return pl.Series(name, texts, dtype=pl.String)
