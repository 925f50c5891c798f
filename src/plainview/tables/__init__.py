"""Stage 1: what every source gives. A source turns a target into batches; nothing here judges.

A *unit* is a piece that can be read on its own and in any order (a file, an index, a table of
a database): the engine hands units to threads. Reading a unit yields *batches*, each the rows of
one table as a Polars frame. Columns may be nested (Struct, List): `flatten` turns them into paths.
What a reader cannot examine it tells to its `ReadLog`, and goes on.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal, Protocol

from plainview.errors import LimitError, PlainviewError, translate

if TYPE_CHECKING:
    import polars as pl

    from plainview.report.model import Exposure

MIB = 1 << 20
ReadAs = Literal["stranger", "credential", "file"]


@dataclass(frozen=True, slots=True)
class Header:
    """The first row of a table, where a reader took it for the names of the columns and may be wrong.

    `cells` as they stand, `names` of the columns made of them, in the same places; `votes`: what speaks for a header
    (above 0) or for data in each place, seen by the reader (`files.formats.csv.headers`).
    """

    cells: tuple[str, ...]
    names: tuple[str, ...]
    votes: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table as it will be named in the report: a path below the target, not yet made safe to print.

    `kind` is the format or store ("csv", "parquet", "postgresql"); `notes` say what had to be
    assumed ("read as GB18030", "no header line"). `sampled`: rows were drawn at random and others left out, so
    that few rows do not say that the table has no more. `header`: to be held against the columns before anything
    gets a name (`matching.first_rows`), and gone then.
    """

    name: str
    kind: str
    notes: tuple[str, ...] = ()
    sampled: bool = False
    header: Header | None = field(default=None, compare=False, repr=False)

    def drawn(self, how: str) -> Table:
        """Return the table as one whose rows are a sample; `how` they were drawn becomes a note."""
        return replace(self, notes=(*self.notes, f"a sample, {how}"), sampled=True)

    def noted_with(self, other: Table) -> Table:
        """Return the table with what another part of it was noted for, too."""
        return replace(
            self,
            notes=tuple(dict.fromkeys((*self.notes, *other.notes))),
            sampled=self.sampled or other.sampled,
        )


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of one table. A frame without rows makes the table and its columns known.

    `more`: records that stand in its rows beyond one for each: all but the first of `{"data": [...]}`.
    """

    table: Table
    frame: pl.DataFrame
    more: int = 0


@dataclass(frozen=True, slots=True)
class Unit:
    """A piece of a source. `size` in bytes and `rows` are what is known before reading, for progress."""

    name: str
    size: int | None = None
    rows: int | None = None
    locator: object = None


@dataclass(frozen=True, slots=True)
class Limits:
    """What a hostile or broken input may cost. All can be set by the user."""

    seconds: float = 600.0  # for one file
    ratio: int = 200  # unpacked / packed bytes, looked at once `ratio_floor` bytes came out
    ratio_floor: int = 64 * MIB
    unpacked: int = 64 << 30  # bytes out of one packed file
    depth: int = 3  # archives inside archives
    members: int = 100_000  # entries of one archive
    memory: int = 256 * MIB  # for a format that cannot be streamed from a packed file
    field: int = 16 * MIB  # one cell
    nesting: int = 64  # levels of a document
    columns: int = 10_000  # of one table


@dataclass(slots=True)
class ReadLog:
    """What reading one unit saw besides rows. Belongs to one thread."""

    skipped: list[tuple[str, str]] = field(default_factory=list)
    noted: list[tuple[str, str]] = field(default_factory=list)
    tables_listed: int = 0
    rows_listed: int = 0
    bytes_read: int = 0
    on_bytes: Callable[[int], None] | None = None

    def skip(self, what: str, why: str | BaseException) -> None:
        """Note that `what` (a table, a row range, a member) was not examined, and why."""
        self.skipped.append((what, why if isinstance(why, str) else str(translate(why))))

    def note(self, what: str, why: str) -> None:
        """Note that `what` was passed over because it needs no look: a view, whose rows are those of tables."""
        self.noted.append((what, why))

    def listed(self, tables: int = 1, rows: int = 0) -> None:
        """Count tables that exist and rows that they say they hold."""
        self.tables_listed += tables
        self.rows_listed += rows

    def read(self, count: int) -> None:
        """Count bytes that were read from the target, packed as they lie there."""
        self.bytes_read += count
        if self.on_bytes:
            self.on_bytes(count)


class Deadline:
    """A point in time by the monotonic clock; `check` raises LimitError after it."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.end = time.monotonic() + seconds

    def check(self) -> None:
        """Raise LimitError when the time is over."""
        if time.monotonic() > self.end:
            raise LimitError(f"stopped after {self.seconds:g} s", hint="raise --file-seconds")


@dataclass(slots=True)
class Input:
    """The bytes of one file, or of one member of an archive, for a format reader.

    `name` is the table name (or the prefix of the names of its tables). `path` is set when the bytes lie
    as they are in a file of the file system; else only `open` gives them, once or more, front to back.
    """

    name: str
    head: bytes  # the first 64 KiB
    open: Callable[[], BinaryIO]
    size: int | None = None
    path: Path | None = None
    limits: Limits = field(default_factory=Limits)
    deadline: Deadline = field(default_factory=lambda: Deadline(Limits().seconds))

    def seekable(self) -> BinaryIO:
        """Return a seekable stream: the file itself, or all bytes in memory up to `limits.memory`."""
        if self.path is not None:
            return self.open()
        with self.open() as stream:
            data = stream.read(self.limits.memory + 1)
        if len(data) > self.limits.memory:
            raise LimitError(
                f"larger than {self.limits.memory // MIB} MiB inside a packed file, and its format cannot be streamed",
                hint="unpack it first, or raise --memory",
            )
        return io.BytesIO(data)


class Format(Protocol):
    """A module of `files.formats`: one or more kinds of file."""

    def read(self, source: Input, log: ReadLog) -> Iterator[Batch | Input]:
        """Yield the tables of the file, and each file that it holds, which is read before the next is asked for.

        Raise PlainviewError when no more can be read; earlier batches count.
        """


class Source(Protocol):
    """An opened store. Used as: check_access, units, read each unit (in threads), exposure, close."""

    @property
    def kind(self) -> str:
        """What it is, as the report says: "redis", "files"; known after check_access where it has to be found out."""

    @property
    def read_as(self) -> ReadAs:
        """Who reads: a stranger, or the user with a credential, known once `units` began; "file" for files."""

    @property
    def origin(self) -> str:
        """Where the credential came from that the reading is done with, in words; empty without one."""

    @property
    def whole_tables(self) -> bool:
        """True where no two units add rows to one table: a table can be judged when its unit was read."""

    def check_access(self) -> Exposure | None:
        """Ask what a stranger may do, or return None where the question makes no sense (local files).

        Asks once: called again, it returns what `exposure` does.
        """

    def exposure(self) -> Exposure | None:
        """Return what check_access found, with the footprint of all that was sent since. Asks nothing."""

    def units(self, log: ReadLog) -> Iterator[Unit]:
        """List the pieces; pieces that cannot be read at all go into `log`."""

    def read(self, unit: Unit, log: ReadLog, sample: int | None = None) -> Iterator[Batch]:
        """Yield the rows of a unit; with `sample`, at most that many random rows of each table."""

    def close(self) -> None:
        """Close files and connections."""


__all__ = [
    "MIB",
    "Batch",
    "Deadline",
    "Format",
    "Header",
    "Input",
    "Limits",
    "PlainviewError",
    "ReadAs",
    "ReadLog",
    "Source",
    "Table",
    "Unit",
]
