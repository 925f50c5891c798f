"""Files, read by workers: this process lists them and gathers what came of each. It parses nothing and loads no frames.

Where no process can be started (a frozen program, a system that forbids it), files are read in this one.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import msgspec

from plainview.assess.people import unread
from plainview.assess.targets import assessed
from plainview.assess.totals import Total
from plainview.crowds import Crowd
from plainview.distinct import Key
from plainview.errors import DetectorError
from plainview.files.source import FileSource
from plainview.files.standard_input import StandardInput
from plainview.names import SafeNames
from plainview.pipeline.gathering import Gathered, Judged, coverage, grouped, until_it_fails, with_copies
from plainview.pipeline.options import Options, Progress
from plainview.pipeline.worker import Setup
from plainview.report.model import TableReport, TargetReport
from plainview.tables import ReadLog, Table, Unit
from plainview.tables.families import Families, Whole
from plainview.workers.memory import free
from plainview.workers.messages import Confined, Moved, Outcome, Part, Piece, Task
from plainview.workers.pool import Bounds, Pool, WorkerRefusedError
from plainview.workers.start import Starter

if TYPE_CHECKING:
    from plainview.targets.target import Target

LEAST = 512 << 20  # bytes of memory that one worker must have
SPARE = 1  # processes more than run at once, for those that die; none for a run with one file, which needs no second
PART = "only a part was read: its reader died"


class Apart:
    """Reads the file targets of one run. Make it before anything starts a thread; `close` it at the end."""

    def __init__(self, options: Options, progress: Progress, targets: Sequence[Target], key: Key, total: Total) -> None:
        self.options, self.progress = options, progress
        self.safe, self.key, self.total = SafeNames(*options.detectors), key, total
        self.memory = options.memory_total or free() // 2
        cores = processors()
        self.size = max(1, min(options.threads or cores, self.memory // LEAST))
        self.gathered: Gathered | None = None  # of the target that is being read
        self.roots = tuple(os.fsencode(os.path.realpath(t.path)) for t in targets if t.is_local_file)
        self.stdin = _own(0) if len(self.roots) < len(targets) else -1  # which workers inherit
        reserve = self.size + SPARE
        if all(map(os.path.isfile, self.roots)):
            reserve = min(reserve, len(targets))
        self.pool = Pool(
            Starter("plainview.pipeline.worker:serve", reserve, keep=() if self.stdin < 0 else (self.stdin,)),
            self.size,
            Bounds(options.limits.seconds, self.memory // self.size),
            self._setup,
            on_moved=self._moved,
            on_began=self._began,
        )

    def close(self) -> None:
        """End all workers."""
        self.pool.close()
        if self.stdin >= 0:
            os.close(self.stdin)

    def _setup(self, number: int) -> bytes:
        """Return the first message of a worker. The first has the libraries' threads of a run with one file."""
        cores = processors()
        setup = Setup(
            limits=self.options.limits,
            sample=self.options.sample,
            detectors=tuple(os.fsencode(os.path.abspath(path)) for path in self.options.detectors),  # noqa: PTH100
            roots=self.roots,
            threads=cores if number == 0 else max(1, cores // self.size),
            families=self.options.families,
            explain=self.options.explain,
            key=self.key.share(),
            stdin=self.stdin,
            stdin_as=self.options.stdin_as,
        )
        return msgspec.msgpack.encode(setup)

    def _moved(self, moved: Moved) -> None:
        self.progress.on_bytes(moved.bytes)
        self.progress.on_rows(moved.rows)

    def _began(self, piece: Piece) -> None:
        self.progress.on_unit(Unit(piece.name, piece.size))

    def scan(self, source: FileSource | StandardInput, target: str) -> TargetReport:
        """Read every file of a source and return what was found. Raises DetectorError for a bad one of the user's."""
        self.progress.on_target(target)
        log = ReadLog()
        units = until_it_fails(source.units(log), target, log)
        logs, families = [log], Families[Judged](self.safe)
        kind = "files" if source.is_folder else ""
        self.gathered = Gathered(target, kind or "file", "file", logs, families)
        try:
            for outcome in self.pool.run(_tasks(units, os.fsencode(source.root))):
                logs.append(_log(outcome))
                _gather(outcome, families)
                kind = kind or outcome.kind
            judged = self._judged(families.all(), logs)
        except WorkerRefusedError as error:
            raise DetectorError(str(error)) from None
        tables = [table for table, _ in judged]
        made = TargetReport(
            target=self.safe(target),
            kind=kind or "file",
            coverage=coverage(
                logs,
                tables,
                self.safe,
                read_as="file",
                sampled=self.options.sample is not None,
                isolation=isolation(self.pool.confined),
            ),
            tables=tuple(tables),
        )
        made = assessed(made, [crowd for _, crowd in judged], self.total, self.options.assume)
        return with_copies(made, source.copies, self.safe)

    def _judged(self, tables: Sequence[Judged | Whole], logs: list[ReadLog]) -> list[Judged]:
        """Let workers judge the tables that are sums of parts; one whose judge dies is told."""
        wholes = [one for one in tables if isinstance(one, Whole)]
        outcomes = iter([*self.pool.run(map(_judging, range(len(wholes)), wholes))])
        found: list[Judged] = []
        for one in tables:
            if isinstance(one, Whole):
                outcome = next(outcomes)
                logs.append(_log(outcome))
                found.extend(zip(outcome.reports, outcome.crowds, strict=True))
            else:
                found.append(one)
        return found


def isolation(held: Confined | None) -> str:
    """Say what keeps files from harming the run, and what of it this system does not have."""
    if held is None:
        return ""  # no worker had anything to do
    landlock = f", Landlock {held.landlock}" if held.landlock else ""
    words = f"Read by workers that cannot write or connect (seccomp{landlock})" if held.seccomp else "Read by workers"
    missing = "".join(f"; {why}" for why in held.missing)
    return f"{words}{missing}."


def _own(fd: int) -> int:
    """Return a descriptor of the same file; that of the null device where it is closed."""
    try:
        return os.dup(fd)
    except OSError:
        return os.open(os.devnull, os.O_RDONLY)


def processors() -> int:
    """Return how many processors this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 2


def _tasks(units: Iterator[Unit], root: bytes) -> Iterator[Task]:
    number = 0
    for group in grouped(units):
        pieces = []
        for unit in group:
            pieces.append(Piece(number, unit.name, unit.size, os.fsencode(str(unit.locator)), root))
            number += 1
        yield Task(tuple(pieces))


def _judging(number: int, whole: Whole) -> Task:
    """Return the task to judge a table that is the sum of its parts."""
    table = whole.table
    part = Part(0, table.name, table.kind, table.notes, table.sampled, whole.profile, whole.parts)
    return Task((Piece(number, table.name, 0, b"", b""),), (part,))


def _gather(outcome: Outcome, families: Families[Judged]) -> None:
    """Take the tables of a piece; those of one whose reader died are no parts."""
    parts = {part.table: part for part in outcome.parts}
    for place, (report, crowd) in enumerate(zip(outcome.reports, outcome.crowds, strict=True)):
        if outcome.died:
            families.keep(_marked(report, crowd))
        elif part := parts.get(place):
            table = Table(part.name, part.kind, part.notes, sampled=part.sampled)
            families.add((report, crowd), table, part.profile, part.parts)
        else:
            families.keep((report, crowd))


def _log(outcome: Outcome) -> ReadLog:
    return ReadLog(
        list(outcome.skipped),
        list(outcome.noted),
        outcome.tables_listed,
        outcome.rows_listed,
        outcome.bytes_read,
    )


def _marked(table: TableReport, crowd: Crowd) -> tuple[TableReport, Crowd]:
    """Return a table whose reader died: it says that it is a part."""
    people, crowd = unread(table.people, crowd, PART)
    return msgspec.structs.replace(table, notes=(*table.notes, PART), people=people), crowd
