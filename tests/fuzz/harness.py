"""What every target is held to: which errors may escape, how long it may take, and that no text of the input leaks.

A target is a function of bytes. The laws that belong to one parser are stated in the target itself, by `law`;
those that belong to all are here: only errors of ours, bounded time and memory, no canary in any text.
"""

from __future__ import annotations

import io
import resource
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import polars as pl

from plainview.documents.flatten import flatten
from plainview.errors import LimitError, PlainviewError
from plainview.names import safe_name
from plainview.tables import MIB, Batch, Deadline, Input, Limits, ReadLog

CANARY = "canary.7f3a@example.org"
MARK = "canary"  # a part of it is too much already
SECONDS = 2.0  # of processor time for one input, and
SPEED = 50_000  # bytes a second on top of that
GROWTH = 512 * MIB  # of memory, for one input
LONGEST = 20_000  # bytes of one input
LIMITS = Limits(
    seconds=8,
    ratio_floor=MIB,
    unpacked=32 * MIB,
    members=500,
    memory=16 * MIB,
    field=MIB,
    columns=200,
)


class LawBroken(Exception):  # noqa: N818 - not an error of the parser, but about it
    """The parser did what it must not do; the text names the law."""


@dataclass(frozen=True)
class Target:
    """A parser under test: what runs it, inputs to begin with, and words that mean something to it.

    `of` are the kinds of file or store whose bytes it parses, where they are not its name.
    """

    name: str
    run: Callable[[bytes], None]
    seeds: tuple[bytes, ...]
    words: tuple[bytes, ...] = ()
    of: tuple[str, ...] = ()


@dataclass
class Found:
    """The failures of one target, one for each place in the code."""

    failures: dict[str, tuple[str, bytes]] = field(default_factory=dict)

    def add(self, error: BaseException, data: bytes) -> bool:
        """Keep a failure; tell whether its place is new (then the shortest input so far is kept)."""
        place = signature(error)
        known = self.failures.get(place)
        if known is None or len(data) < len(known[1]):
            self.failures[place] = ("".join(traceback.format_exception(error)), data)
            return True
        return False


def law(holds: object, text: str) -> None:
    """Demand what the parser promises."""
    if not holds:
        raise LawBroken(text)


def silent(texts: Iterable[str]) -> None:
    """Demand that no text holds a part of the canary."""
    for text in texts:
        law(MARK not in text.casefold(), f"the input is quoted: {text[:300]!r}")


def harmless(names: Iterable[str]) -> None:
    """Demand that a name, which may come from the input, shows no value in a report."""
    for name in names:
        law(CANARY not in safe_name(name), f"a value in a name: {name[:300]!r}")


def check(target: Target, data: bytes) -> None:
    """Run a target on one input and raise what it did wrong."""
    took = _timed(target, data)
    if took > SECONDS + len(data) / SPEED:  # once more: another program may have been in the way
        again = _timed(target, data)
        law(again <= SECONDS + len(data) / SPEED, f"slow: {took:.1f} s and {again:.1f} s for {len(data)} bytes")


def _timed(target: Target, data: bytes) -> float:
    before, start = _memory(), time.process_time()
    try:
        target.run(data)
    except LimitError as error:
        law("stopped after" not in str(error), "no end before the deadline")
        silent([str(error)])
    except PlainviewError as error:
        silent([str(error)])
    law(_memory() - before < GROWTH, "memory grew by more than 512 MiB")
    return time.process_time() - start


def _memory() -> int:
    """Return the most memory that the process ever used, in bytes."""
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used if sys.platform == "darwin" else used << 10


def signature(error: BaseException) -> str:
    """Name the place of a failure: its type, and the last line of our own code that it came through."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f for f in frames if "plainview" in f.filename.replace("\\", "/").split("/")]
    last = (ours or frames)[-1] if frames else None
    law_text = str(error).split(":")[0] if isinstance(error, LawBroken) else ""
    where = f"{last.filename.rsplit('/', 1)[-1]}:{last.lineno}" if last else "?"
    return f"{type(error).__name__} {law_text} at {where}"


# -- readers --------------------------------------------------------------------------------------------


@dataclass
class Seen:
    """What a reader gave: the frames, the log, and the error it ended with."""

    frames: list[pl.DataFrame] = field(default_factory=list)
    log: ReadLog = field(default_factory=ReadLog)
    error: PlainviewError | None = None

    @property
    def rows(self) -> int:
        """Return the number of rows."""
        return sum(frame.height for frame in self.frames)

    @property
    def told(self) -> bool:
        """Tell whether anything was said not to have been read."""
        return bool(self.log.skipped or self.error)

    def text(self) -> str:
        """Return all cells, for laws about what must be among them."""
        return "\n".join(str(frame.rows()) for frame in self.frames)


def file_of(data: bytes, name: str, *, head: int = 64 << 10) -> Input:
    """Return an Input that is not in the file system."""
    return Input(name, data[:head], lambda: io.BytesIO(data), len(data), None, LIMITS, Deadline(LIMITS.seconds))


def read_all(batches: Callable[[ReadLog], Iterator[Batch | Input]], *, flat: bool = True) -> Seen:
    """Read to the end, flatten each batch as the pipeline does, and look for the input in every text."""
    seen = Seen()
    try:
        for batch in batches(seen.log):
            if isinstance(batch, Input):  # a file in a document: read by its own kind
                harmless([batch.name])
                with batch.open() as stream:
                    stream.read(MIB)
                continue
            silent(batch.table.notes)
            harmless([batch.table.name])
            frame = flatten(batch.frame, limits=LIMITS, log=seen.log, name="t") if flat else batch.frame
            law(frame.height == batch.frame.height or not batch.frame.width, "flatten changed the number of rows")
            seen.frames.append(frame)
    except PlainviewError as error:
        law("stopped after" not in str(error), "no end before the deadline")
        seen.error = error
    harmless(what for what, _ in (*seen.log.skipped, *seen.log.noted))
    silent(why for _, why in (*seen.log.skipped, *seen.log.noted))
    silent([str(seen.error or "")])
    return seen


__all__ = ["CANARY", "LIMITS", "Found", "LawBroken", "Seen", "Target", "check", "file_of", "law", "read_all", "silent"]
