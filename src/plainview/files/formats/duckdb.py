"""DuckDB files, opened read-only, without extensions, without access to anything but the file itself.

DuckDB (https://duckdb.org/docs/stable/operations_manual/securing_duckdb/overview) is the extra `plainview[duckdb]`.
Frames come over the Arrow C stream interface, in ranges of row ids, so memory is bounded. A write-ahead log beside
the file is replayed in memory by DuckDB; neither it nor the file nor the directory changes.
"""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from plainview.errors import DamagedError, LimitError, MissingExtraError, PlainviewError, UnsupportedError, translate
from plainview.files.quiet import opened_by_path
from plainview.tables import Batch, Input, ReadLog, Table

if TYPE_CHECKING:
    import duckdb

ROWS: Final = 61_440  # half a row group of DuckDB
_CONFIG: Final = {
    "enable_external_access": "false",
    "autoload_known_extensions": "false",
    "autoinstall_known_extensions": "false",
    "allow_community_extensions": "false",
    "temp_directory": "",
    "threads": "1",
    "memory_limit": "512MB",
    "lock_configuration": "true",
}
# Types that Polars takes over Arrow; a column with another one is read as text.
_PLAIN: Final = frozenset(
    "BOOLEAN TINYINT SMALLINT INTEGER BIGINT UTINYINT USMALLINT UINTEGER UBIGINT FLOAT DOUBLE DECIMAL VARCHAR BLOB "
    "DATE TIMESTAMP TIMESTAMP_S TIMESTAMP_MS TIMESTAMP_NS WITH TIME ZONE STRUCT UUID".split()
)
_WORD: Final = re.compile(r"[A-Z][A-Z_0-9]*")
_ARRAY: Final = re.compile(r"\[[0-9]+\]")


def read(source: Input, log: ReadLog) -> Iterator[Batch]:
    """Yield all tables, named `file/table` or `file/schema.table`. Raises PlainviewError when it does not open."""
    try:
        import duckdb
    except ImportError:
        raise MissingExtraError(
            "DuckDB files need the duckdb library", hint="pip install 'plainview[duckdb]'"
        ) from None
    with (
        _place(source) as place,
        opened_by_path(source) as check,
        _opened(duckdb, place) as connection,
        _deadline(source, connection),
    ):
        check()
        tables = _listed(source, log, connection)
        for schema, name in tables:
            label = f"{source.name}/{name if schema == 'main' else f'{schema}.{name}'}"
            try:
                yield from _table(source, connection, schema, name, label)
            except LimitError:
                raise
            except (duckdb.Error, pl.exceptions.PolarsError, PlainviewError) as error:
                source.deadline.check()
                log.skip(label, error if isinstance(error, PlainviewError) else translate(error))
        if source.size:
            log.read(source.size)


@contextmanager
def _place(source: Input) -> Iterator[str]:
    """Give a path that DuckDB can open: the file, or memory that has a name in /proc."""
    if source.path is not None:
        yield str(source.path)
        return
    if not hasattr(os, "memfd_create"):
        raise UnsupportedError("a DuckDB file inside a packed file is read on Linux only", hint="unpack it first")
    handle = os.memfd_create("plainview")
    try:
        with source.seekable() as stream:
            while piece := stream.read(1 << 20):
                source.deadline.check()
                os.write(handle, piece)
        yield f"/proc/self/fd/{handle}"
    finally:
        os.close(handle)


@contextmanager
def _opened(duckdb: Any, place: str) -> Iterator[duckdb.DuckDBPyConnection]:  # the module is an optional import
    try:
        connection = duckdb.connect(place, read_only=True, config=_CONFIG)
    except duckdb.IOException:
        if place.startswith("/proc/self/fd/"):  # DuckDB 2.0.1 looks for the name behind the link, and there is none
            why = "this version of DuckDB opens no file inside a packed one, or the file is damaged"
            raise UnsupportedError(why, hint="unpack it first") from None
        why = "does not open: damaged, or written to by another process, or of a newer version of DuckDB"
        raise DamagedError(why, hint="close the program that has it open, or update duckdb") from None
    except duckdb.Error as error:
        raise translate(error, "the DuckDB file") from None
    try:
        yield connection
    finally:
        connection.close()


@contextmanager
def _deadline(source: Input, connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Interrupt a query that goes on when the time is over."""
    timer = threading.Timer(max(0.0, source.deadline.end - time.monotonic()), connection.interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _listed(source: Input, log: ReadLog, connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    """Return (schema, name) of the tables; views are told: their rows are those of tables."""
    rows = connection.execute(
        "SELECT schema_name, table_name, estimated_size FROM duckdb_tables() WHERE NOT internal ORDER BY ALL"
    ).fetchall()
    log.listed(len(rows), sum(max(size or 0, 0) for _, _, size in rows))
    views = connection.execute(
        "SELECT schema_name, view_name FROM duckdb_views() WHERE NOT internal AND database_name = current_database()"
    ).fetchall()
    for schema, name in views:
        label = name if schema == "main" else f"{schema}.{name}"
        log.note(f"{source.name}/{label}", "a view: its rows are those of tables")
    return [(str(schema), str(name)) for schema, name, _ in rows]


def _table(source: Input, connection: duckdb.DuckDBPyConnection, schema: str, name: str, label: str) -> Iterator[Batch]:
    columns = connection.execute(
        "SELECT column_name, data_type FROM duckdb_columns() WHERE schema_name = ? AND table_name = ? "
        "AND database_name = current_database() ORDER BY column_index",
        [schema, name],
    ).fetchall()
    fields = ", ".join(_field(str(column), str(kind)) for column, kind in columns)
    where = f"{_quoted(schema)}.{_quoted(name)}"
    table = Table(label, "duckdb")
    last = connection.execute(f"SELECT max(rowid) FROM {where}").fetchall()[0][0]  # noqa: S608
    for start in range(0, (-1 if last is None else int(last)) + 1, ROWS) or (0,):
        source.deadline.check()
        query = f"SELECT {fields} FROM {where} WHERE rowid >= {start} AND rowid < {start + ROWS}"  # noqa: S608
        yield Batch(table, pl.DataFrame(_Stream(connection.sql(query))))


class _Stream:
    """A query's rows over the Arrow C stream.

    Polars keeps the type of what it is given until the interpreter ends; DuckDB would call its own type a leak.
    """

    def __init__(self, relation: duckdb.DuckDBPyRelation) -> None:
        self._relation = relation

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._relation.__arrow_c_stream__(requested_schema)


def _field(name: str, kind: str) -> str:
    """Return what to select so that Polars can take it."""
    quoted = _quoted(name)
    if (
        kind.startswith("MAP(")
        and kind.endswith(")")
        and set(_WORD.findall(kind)) <= _PLAIN | {"MAP"}
        and kind.count("MAP(") == 1
    ):
        return f"map_entries({quoted}) AS {quoted}"
    if kind == "TIME" or not set(_WORD.findall(kind)) <= _PLAIN or "'" in kind:
        return f"CAST({quoted} AS VARCHAR) AS {quoted}"
    if _ARRAY.search(kind):
        return f"CAST({quoted} AS {_ARRAY.sub('[]', kind)}) AS {quoted}"
    return quoted


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
