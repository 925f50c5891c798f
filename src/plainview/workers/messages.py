"""What a worker and its parent say to each other. Names, shapes and counts: no message has a place for a value.

A task's outcome carries the keyed sketches of people as well (`crowds`), and of the columns of tables that may be parts
of one (`parts`), which the parent adds up and drops.
"""

from __future__ import annotations

import msgspec

from plainview.crowds import Crowd
from plainview.profiles import TableProfile
from plainview.report.model import TableReport


class Piece(msgspec.Struct, frozen=True, array_like=True):
    """One file to be read. `locator` is its path as the system's bytes; `size` in bytes."""

    number: int
    name: str
    size: int | None
    locator: bytes
    root: bytes


class Part(msgspec.Struct, frozen=True, array_like=True):
    """A table that may be a part of a larger one: its sums, and sketches of hashes, as `profiles` has them."""

    table: int  # its place among the reports
    name: str
    kind: str
    notes: tuple[str, ...]
    sampled: bool
    profile: TableProfile
    parts: int = 1


class Task(msgspec.Struct, frozen=True, array_like=True):
    """Pieces that one worker reads, one after the other; with `wholes` there is nothing to read but these to judge."""

    pieces: tuple[Piece, ...]
    wholes: tuple[Part, ...] = ()


class Confined(msgspec.Struct, frozen=True, array_like=True, tag="confined"):
    """First: what the kernel forbids this worker."""

    seccomp: bool
    landlock: int
    missing: tuple[str, ...]


class Refused(msgspec.Struct, frozen=True, array_like=True, tag="refused"):
    """First, instead: why no work can be done, a fault of the user's own detectors."""

    why: str


class Began(msgspec.Struct, frozen=True, array_like=True, tag="began"):
    """A piece is being read from now on; None: the small ones of this task are counted together."""

    number: int | None


class Moved(msgspec.Struct, frozen=True, array_like=True, tag="moved"):
    """Bytes and rows that were read since the last time."""

    bytes: int
    rows: int


class Outcome(msgspec.Struct, frozen=True, array_like=True, tag="outcome"):
    """What one piece gave, so far or, when `final`, altogether. The rest is as in `tables.ReadLog`."""

    number: int
    reports: tuple[TableReport, ...] = ()
    skipped: tuple[tuple[str, str], ...] = ()
    noted: tuple[tuple[str, str], ...] = ()
    tables_listed: int = 0
    rows_listed: int = 0
    bytes_read: int = 0
    kind: str = ""
    final: bool = False
    died: bool = False  # set by the parent
    crowds: tuple[Crowd, ...] = ()  # the people of each report
    parts: tuple[Part, ...] = ()


class Finished(msgspec.Struct, frozen=True, array_like=True, tag="finished"):
    """The task is done."""


Answer = Confined | Refused | Began | Moved | Outcome | Finished
