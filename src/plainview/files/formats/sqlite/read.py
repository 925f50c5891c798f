"""SQLite files, read so that neither the file, its directory nor its `-wal`, `-shm` or `-journal` changes.

The file is opened with `immutable=1`, which takes no lock and makes no file (https://sqlite.org/uri.html). The rows
of a write-ahead log beside it are applied in memory (`sqlite_wal`). Virtual tables are told, not asked: asking runs
code of an extension. Views are told: their rows are those of tables.
"""

from __future__ import annotations

import io
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from itertools import chain, islice
from pathlib import Path
from sys import getsizeof
from typing import BinaryIO, Final
from urllib.parse import quote

import polars as pl

from plainview.errors import DamagedError, LimitError, ReadError, translate
from plainview.files.formats.sqlite.wal import JOURNAL, MAGIC, applied
from plainview.files.quiet import open_beside, opened_by_path
from plainview.tables import MIB, Batch, Input, ReadLog, Table
from plainview.tables.naming import Distinct
from plainview.tables.ratio import within_ratio

ROWS: Final = 20_000
_CELLS: Final = 400_000  # of one batch
BYTES: Final = 32 * MIB  # of one batch
_FEW: Final = 8  # rows that are fetched between two looks at their size
_VIRTUAL: Final = 2  # what PRAGMA table_xinfo says of a generated column: computed when it is read
_KEPT: Final = 3  # or stored
SMALL: Final = 64 * MIB  # a database up to here is read into memory
_HOT: Final = "a transaction was interrupted (-journal beside it): its half-written rows were read"
_STEPS: Final = 100_000  # instructions of SQLite between two looks at the deadline
_NOT_UTF8: Final = "text that is not valid UTF-8 was read with replacement characters"

# SQLite's message quotes the file, and Python may fail to decode it; a damaged length may ask for any memory.
_ERRORS: Final = (sqlite3.Error, UnicodeDecodeError, MemoryError)

Row = tuple[object, ...]


def read(source: Input, log: ReadLog) -> Iterator[Batch]:
    """Yield all tables, named `file/table`. Raises PlainviewError when the file cannot be read as SQLite."""
    if not source.head.startswith(MAGIC):
        if not source.head:
            return  # an empty file is an empty database
        raise DamagedError("is no SQLite database, or an encrypted one")
    with closing(_connect(source, log)) as connection:
        _harden(connection, source)
        if source.size:
            log.read(source.size)
        size = _pages(connection)
        for name in _tables(connection, source, log):
            try:
                yield from within_ratio(_table(connection, source, log, name), size, source.limits)
            except _ERRORS as error:
                source.deadline.check()
                log.skip(f"{source.name}/{name}", _why(error))


def _connect(source: Input, log: ReadLog) -> sqlite3.Connection:
    """Open the file without touching anything, or its bytes in memory."""
    if _interrupted(source, log):
        log.skip(source.name, _HOT)
    with closing(_beside(source, "-wal", log) or io.BytesIO()) as wal:
        size = wal.seek(0, os.SEEK_END)
        wal.seek(0)
        if source.path is None or (not size and (source.size or MIB) <= SMALL):
            # SQLite cannot open a file without renewing its time of last access; our own reading can
            with source.seekable() as stream:
                return _in_memory(bytearray(stream.read()))
        if size and size + (source.size or 0) <= source.limits.memory:
            with source.seekable() as stream:
                data, frames = applied(stream.read(), wal.read())
            if frames:
                return _in_memory(data)
        elif size:
            why = f"with its -wal larger than {source.limits.memory // MIB} MiB: rows in the -wal were not read"
            log.skip(source.name, why)
    return _by_path(source, source.path)


def _by_path(source: Input, path: Path) -> sqlite3.Connection:
    with opened_by_path(source) as check:
        address = f"file:{quote(str(path))}?mode=ro&immutable=1"
        connection = sqlite3.connect(address, uri=True, check_same_thread=False)
        try:
            with suppress(*_ERRORS):  # which are told where its tables are listed
                connection.execute("PRAGMA schema_version").fetchall()  # it opens a file when it first needs it
                check()
        except BaseException:
            connection.close()
            raise
    return connection


def _beside(source: Input, suffix: str, log: ReadLog) -> BinaryIO | None:
    try:
        return open_beside(source, suffix)
    except (OSError, ReadError):
        log.skip(source.name, f"its {suffix} cannot be read, or is a link: what it holds was not read")
        return None


def _interrupted(source: Input, log: ReadLog) -> bool:
    """Tell whether a rollback journal says that a transaction did not end."""
    journal = _beside(source, "-journal", log)
    if journal is None:
        return False
    with journal:
        return journal.read(len(JOURNAL)) == JOURNAL


def _in_memory(data: bytearray) -> sqlite3.Connection:
    data[18:20] = b"\x01\x01"  # a database in memory cannot be in WAL mode
    connection = sqlite3.connect(":memory:", check_same_thread=False)
    connection.deserialize(bytes(data))
    return connection


def _harden(connection: sqlite3.Connection, source: Input) -> None:
    """Forbid what a hostile schema could do, and stop when the time is over."""
    connection.execute("PRAGMA query_only = ON")
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cell_size_check = ON")
    connection.execute("PRAGMA mmap_size = 0")
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 4 * source.limits.field)
    connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)

    def late() -> bool:
        try:
            source.deadline.check()
        except LimitError:
            return True
        return False

    connection.set_progress_handler(late, _STEPS)


def _tables(connection: sqlite3.Connection, source: Input, log: ReadLog) -> list[str]:
    """Return the names of the tables; tell views and virtual tables."""
    query = "SELECT type, name, sql FROM sqlite_master WHERE type IN ('table', 'view') ORDER BY rowid"
    connection.text_factory = _replacing
    try:
        try:
            rows = connection.execute(query).fetchall()
        except _ERRORS:
            source.deadline.check()
            connection.execute("PRAGMA writable_schema = ON")  # in memory: entries that do not parse are passed over
            rows = connection.execute(query).fetchall()
            log.skip(source.name, "parts of the schema are damaged: tables that they define are missing")
    except _ERRORS as error:
        source.deadline.check()
        raise DamagedError(_why(error)) from None
    if not rows and _in_use(connection) > 2:  # the first page, and one that an emptied database may keep
        log.skip(source.name, "no table is defined, but pages are in use: the schema is damaged")
    names = []
    for kind, name, sql in rows:
        if kind == "view":
            log.note(f"{source.name}/{name}", "a view: its rows are those of tables")
        elif isinstance(sql, str) and sql.lstrip()[:14].upper() == "CREATE VIRTUAL":
            log.listed()
            log.skip(f"{source.name}/{name}", "a virtual table: what it keeps in tables of its own was read")
        elif not str(name).startswith(("sqlite_stat", "sqlite_sequence")):
            names.append(str(name))
    log.listed(len(names))
    return names


def _pages(connection: sqlite3.Connection) -> int:
    """Return the bytes of all pages."""
    try:
        (pages,), (size,) = (connection.execute(f"PRAGMA {what}").fetchone() for what in ("page_count", "page_size"))
    except _ERRORS:
        return 0
    return int(pages) * int(size)


def _in_use(connection: sqlite3.Connection) -> int:
    """Return how many pages of the database are not free."""
    try:
        (pages,), (free,) = (
            connection.execute(f"PRAGMA {what}").fetchone() for what in ("page_count", "freelist_count")
        )
    except _ERRORS:
        return 0
    return int(pages) - int(free)


def _table(connection: sqlite3.Connection, source: Input, log: ReadLog, name: str) -> Iterator[Batch]:
    """Yield the rows of one table. A text that is not UTF-8 starts it again from there, with replacement."""
    given = 0
    columns = _stored(connection, f"{source.name}/{name}", name, log)
    try:
        for batch in _rows(connection, source, (name, columns), 0):
            given += batch.frame.height
            yield batch
    except (sqlite3.OperationalError, UnicodeDecodeError) as error:
        if not isinstance(error, UnicodeDecodeError) and "decode to UTF-8" not in str(error):
            raise
    else:
        return
    log.skip(f"{source.name}/{name}", _NOT_UTF8)
    yield from _rows(connection, source, (name, columns), given, replacing=True)


def _stored(connection: sqlite3.Connection, label: str, name: str, log: ReadLog) -> str:
    """Return what to select: all columns but those that are computed when they are read, of which any may be a bomb."""
    found = connection.execute(f"PRAGMA table_xinfo({_quoted(name)})").fetchall()
    computed = [str(row[1]) for row in found if row[6] == _VIRTUAL]
    if not computed:
        return "*"
    log.skip(label, f"{len(computed):,} generated columns, computed from others when they are read, were left out")
    return ", ".join(_quoted(str(row[1])) for row in found if row[6] in (0, _KEPT)) or "NULL"


def _rows(
    connection: sqlite3.Connection, source: Input, what: tuple[str, str], skip: int, *, replacing: bool = False
) -> Iterator[Batch]:
    connection.text_factory = _replacing if replacing else str
    name, selected = what
    cursor = connection.execute(f"SELECT {selected} FROM {_quoted(name)}")  # noqa: S608 - names of the file itself, quoted
    columns = _distinct([str(entry[0]) for entry in cursor.description])
    table = Table(f"{source.name}/{name}", "sqlite")
    size = max(1, min(ROWS, _CELLS // len(columns)))
    for _ in islice(cursor, skip):
        pass
    empty = not skip
    while rows := _some(cursor, size):
        source.deadline.check()
        empty = False
        cells = zip(*rows, strict=True)
        yield Batch(table, pl.DataFrame([_series(name, list(c)) for name, c in zip(columns, cells, strict=True)]))
        if isinstance(rows, _Broken):
            raise rows.error
    if empty:
        yield Batch(table, pl.DataFrame(schema=dict.fromkeys(columns, pl.String)))


class _Broken(list[Row]):
    """Rows before an error."""

    error: Exception


def _some(cursor: sqlite3.Cursor, size: int) -> list[Row]:
    """Fetch rows; an error behind the first of them comes with them."""
    rows = _Broken()
    taken = -1
    given = 0
    try:
        while taken < len(rows) < size and given < BYTES:
            taken = len(rows)
            # extend keeps what came before an error, which fetchmany throws away
            rows.extend(islice(cursor, min(_FEW, size - taken)))
            given += sum(map(getsizeof, chain.from_iterable(rows[taken:])))
    except _ERRORS as error:
        if not rows:
            raise
        rows.error = error
        return rows
    return list(rows)


def _series(name: str, cells: list[object]) -> pl.Series:
    """Return a column in the type of its values; a mixture becomes text, as SQLite would print it."""
    kinds = set(map(type, cells)) - {type(None)}
    if not kinds:
        return pl.Series(name, cells, dtype=pl.String)
    if len(kinds) == 1:
        kind = {str: pl.String, int: pl.Int64, float: pl.Float64, bytes: pl.Binary}[kinds.pop()]
        return pl.Series(name, cells, dtype=kind)
    if kinds == {int, float}:
        return pl.Series(name, [None if cell is None else float(cell) for cell in cells], dtype=pl.Float64)  # type: ignore[arg-type]
    return pl.Series(name, [_text(cell) for cell in cells], dtype=pl.String)


def _text(cell: object) -> str | None:
    if cell is None or isinstance(cell, str):
        return cell
    return cell.decode("utf-8", "replace") if isinstance(cell, bytes) else str(cell)


def _replacing(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _distinct(names: list[str]) -> list[str]:
    distinct = Distinct()
    return [distinct.of(name) for name in names]


def _why(error: Exception) -> str:
    """Say what SQLite's error code means; its message may quote the schema."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return {
        sqlite3.SQLITE_CORRUPT: "damaged pages: rows behind them were not read",
        sqlite3.SQLITE_NOTADB: "is no SQLite database, or an encrypted one",
        sqlite3.SQLITE_TOOBIG: "a value is longer than the limit",
        sqlite3.SQLITE_NOMEM: "not enough memory",
        sqlite3.SQLITE_IOERR: "read error",
        sqlite3.SQLITE_ERROR: "its definition needs a function or a feature that this SQLite does not have",
    }.get(code) or str(translate(error))
