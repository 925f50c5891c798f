"""What a worker for files does: it reads pieces, counts and judges their tables, and says so in counts.

It gives up its rights (`workers.sandbox`) before the libraries that parse are loaded and before it starts a thread.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import sysconfig
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from plainview.distinct import Key
from plainview.errors import PlainviewError
from plainview.pipeline.options import Options, Progress
from plainview.tables import Limits, ReadLog, Table, Unit
from plainview.tables.families import Whole
from plainview.workers.channel import Channel
from plainview.workers.messages import Answer, Began, Confined, Finished, Moved, Outcome, Part, Piece, Refused, Task

if TYPE_CHECKING:
    from plainview.files.source import FileSource
    from plainview.files.standard_input import StandardInput
    from plainview.pipeline.gathering import Judged
    from plainview.pipeline.reading import UnitResult
    from plainview.pipeline.scanner import Scanner

# Where the libraries and their data lie
SYSTEM = ("/usr", "/lib", "/lib64", "/etc", "/proc", "/sys", "/dev/null", "/dev/urandom")
OFTEN = 0.05  # seconds between two messages about progress
FIRST_PART, DEARER = 0.25, 20  # seconds until the first part is sent; then it may cost a twentieth of the time


class Setup(msgspec.Struct, frozen=True):
    """How to read, and what may be read. Paths are the system's bytes."""

    limits: Limits
    sample: int | None
    detectors: tuple[bytes, ...]
    roots: tuple[bytes, ...]
    threads: int  # of the libraries
    families: bool
    explain: str
    key: bytes  # of the run, for the sketches of people
    stdin: int = -1  # a descriptor of what is piped into the command
    stdin_as: str = ""  # the format of that


def serve(channel: Channel) -> None:
    """Do tasks until the parent is gone."""
    from plainview.workers.sandbox import confine  # the parent, which knows `Setup`, does not load it

    first = channel.receive()
    if first is None:
        return
    setup = msgspec.msgpack.decode(first, type=Setup)
    os.environ["POLARS_MAX_THREADS"] = str(setup.threads)
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    os.environ["POLARS_IMPORT_INTERVAL_AS_STRUCT"] = "1"  # else one column of intervals costs a whole Parquet file
    if not _compiled():
        import plainview.pipeline.engine  # noqa: F401  the interpreter may write its caches while it still can
    held = confine(_readable(setup), network=False)
    say(channel, Confined(held.seccomp, held.landlock, held.missing))
    from plainview.pipeline.scanner import Scanner

    try:
        detectors = tuple(Path(os.fsdecode(path)) for path in setup.detectors)
        talk = Talk(channel)
        options = Options(
            sample=setup.sample,
            threads=1,
            detectors=detectors,
            limits=setup.limits,
            families=setup.families,
            explain=setup.explain,
        )
        scanner = Scanner(options, talk.progress(), Key(setup.key))
    except PlainviewError as error:
        say(channel, Refused(str(error)))
        return
    files = Files(scanner, talk, setup)
    scanner.shared.on_part, scanner.shared.on_counting = files.part, talk.counting
    while (body := channel.receive()) is not None:
        files.do(msgspec.msgpack.decode(body, type=Task))


def _compiled() -> bool:
    """Tell whether the libraries were loaded once before: their caches lie beside them."""
    for name in ("polars", "plainview"):
        found = importlib.util.find_spec(name)
        if not found or not found.origin or not Path(importlib.util.cache_from_source(found.origin)).exists():
            return False
    return True


def _readable(setup: Setup) -> list[str]:
    """Return where this process must be able to read: what it was given, and what its libraries lie in."""
    own = [sys.prefix, sys.base_prefix, sysconfig.get_path("stdlib"), *sys.path]
    given = [os.fsdecode(path) for path in (*setup.roots, *setup.detectors)]
    return [os.path.realpath(path) for path in (*SYSTEM, *own, *given) if path]


def say(channel: Channel, answer: Answer) -> None:
    """Send an answer."""
    channel.send(msgspec.msgpack.encode(answer))


@dataclass(slots=True)
class Talk:
    """What a worker says while it reads. Called from any thread."""

    channel: Channel
    bytes: int = 0
    rows: int = 0
    said: float = 0.0
    numbers: dict[str, int] = field(default_factory=dict)  # of the pieces of this task, by name

    def progress(self) -> Progress:
        """Return the callables that reading tells its progress to."""
        return Progress(on_unit=self.began, on_bytes=self.read, on_rows=self.counted)

    def began(self, unit: Unit) -> None:
        """Say which piece is being read."""
        say(self.channel, Began(self.numbers[unit.name]))

    def counting(self) -> None:
        """Say that no piece is being read: those of this task are counted together."""
        say(self.channel, Began(None))

    def read(self, count: int) -> None:
        """Count bytes."""
        self.bytes += count
        self.moved()

    def counted(self, count: int) -> None:
        """Count rows."""
        self.rows += count
        self.moved()

    def moved(self, *, now: bool = False) -> None:
        """Say how much was read since the last time, when that was some time ago."""
        if now or time.monotonic() - self.said > OFTEN:
            self.said = time.monotonic()
            moved, self.bytes, self.rows = Moved(self.bytes, self.rows), 0, 0
            say(self.channel, moved)


@dataclass(slots=True)
class Files:
    """Reads pieces with one scanner. Sends what was counted of a long one now and then, in case this process dies."""

    scanner: Scanner
    talk: Talk
    setup: Setup
    sources: dict[bytes, FileSource | StandardInput] = field(default_factory=dict)
    due: float = 0.0  # when the next part may be sent

    def do(self, task: Task) -> None:
        """Read the pieces of a task, all of one root, and say what came of each."""
        if task.wholes:
            self._judge(task)
            return
        self.talk.numbers = {piece.name: piece.number for piece in task.pieces}
        self.due = time.monotonic() + FIRST_PART
        try:
            source = self._source(task.pieces[0])
        except PlainviewError as error:  # gone, or replaced by a link
            self._none(task, error)
            return
        units = [Unit(piece.name, piece.size, None, os.fsdecode(piece.locator)) for piece in task.pieces]
        for piece, result in zip(task.pieces, self.scanner.read_units(source, units), strict=True):
            parts = tuple(
                Part(place, table.name, table.kind, table.notes, table.sampled, profile, count)
                for place, (table, profile, count) in result.parts.items()
            )
            self._say(piece.number, result.judged, result.log, kind=source.kind, final=True, parts=parts)
        self.talk.moved(now=True)
        say(self.talk.channel, Finished())

    def _judge(self, task: Task) -> None:
        """Judge tables that are sums of parts, each in the place of a piece."""
        for piece, part in zip(task.pieces, task.wholes, strict=True):
            log = ReadLog()
            table = Table(part.name, part.kind, part.notes, sampled=part.sampled)
            judged = self.scanner.whole_report(Whole(table, part.profile, part.parts), log)
            self._say(piece.number, (judged,), log, kind="", final=True)
        say(self.talk.channel, Finished())

    def _none(self, task: Task, error: PlainviewError) -> None:
        """Say of all pieces that they could not be looked at."""
        for piece in task.pieces:
            log = ReadLog()
            log.skip(piece.name, error)
            self._say(piece.number, (), log, kind="file", final=True)
        say(self.talk.channel, Finished())

    def part(self, result: UnitResult) -> None:
        """Send what was counted of a piece so far, where that costs little."""
        began = time.monotonic()
        if began < self.due:
            return
        judged = [
            self.scanner.table_report(table, profiler.so_far(), ReadLog()) for table, profiler in result.tables.values()
        ]
        self._say(self.talk.numbers[result.name], judged, result.log, kind="", final=False)
        self.due = time.monotonic() + max(FIRST_PART, DEARER * (time.monotonic() - began))

    def _source(self, piece: Piece) -> FileSource | StandardInput:
        from plainview.files.source import FileSource
        from plainview.files.standard_input import ROOT, StandardInput

        limits = self.scanner.options.limits
        if piece.root == ROOT.encode():
            return StandardInput(self.setup.stdin, limits, told=self.setup.stdin_as)
        if piece.root not in self.sources:
            root = os.fsdecode(piece.root)  # without links, as the parent has resolved it
            self.sources[piece.root] = FileSource(root, limits, resolved=True)
        return self.sources[piece.root]

    def _say(
        self,
        number: int,
        judged: Sequence[Judged],
        log: ReadLog,
        *,
        kind: str,
        final: bool,
        parts: tuple[Part, ...] = (),
    ) -> None:
        outcome = Outcome(
            number,
            tuple(report for report, _ in judged),
            tuple(log.skipped),
            tuple(log.noted),
            log.tables_listed,
            log.rows_listed,
            log.bytes_read,
            kind,
            final,
            crowds=tuple(crowd for _, crowd in judged),
            parts=parts,
        )
        say(self.talk.channel, outcome)
