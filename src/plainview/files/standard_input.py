"""What is piped into the command, read as one file that has no name and no size: `… | plainview scan -`.

Nothing is written, not even to a temporary file. The bytes go through the readers as they arrive; so that a reader may
begin again, and a format that has to be sought in can be read, the first `limits.memory` bytes are kept in memory.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, BinaryIO, ClassVar, cast

from plainview.errors import LimitError, PlainviewError
from plainview.files.kinds.identify import HEAD, Kind, identify
from plainview.files.packed.packed import as_told
from plainview.files.packed.streams import Meter, Opener
from plainview.files.reading import Counter, read_input
from plainview.tables import MIB, Batch, Deadline, Input, Limits, ReadAs, ReadLog, Unit

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

    from plainview.report.model import Exposure

NAME = "stdin"
ROOT = "-"  # in the place of a folder, which is always an absolute path
EVER = 1 << 62  # bytes: no size is known


class Kept:
    """Bytes of a pipe by their place: each can be had once, the first `most` any number of times."""

    def __init__(self, fd: int, most: int, on_bytes: Callable[[int], None]) -> None:
        self._fd, self._most, self._on_bytes = fd, most, on_bytes
        self._kept: bytearray | None = bytearray()
        self.count = 0  # that came so far

    def read(self, at: int, count: int) -> bytes:
        """Return up to `count` bytes from `at` on, none at the end. Raises LimitError for what is no longer kept."""
        if at < self.count:
            if self._kept is None:
                raise LimitError(
                    f"more than {self._most // MIB} MiB came, and the format cannot be read in one go",
                    hint="save it as a file, or raise --memory",
                )
            return bytes(self._kept[at : at + count])
        came = os.read(self._fd, count)
        self.count += len(came)
        if self._kept is not None:
            if self.count > self._most:
                self._kept = None
            else:
                self._kept += came
        self._on_bytes(len(came))
        return came


class _Stream(io.RawIOBase):
    """The bytes from the beginning on."""

    def __init__(self, kept: Kept) -> None:
        self._kept, self._at = kept, 0

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fill the whole buffer unless the end comes first."""
        view = memoryview(buffer).cast("B")
        filled = 0
        while filled < len(view) and (data := self._kept.read(self._at, min(len(view) - filled, MIB))):
            view[filled : filled + len(data)] = data
            filled += len(data)
            self._at += len(data)
        return filled


class StandardInput:
    """A source of one unit: what a descriptor gives. `told`: the kind of its content, where the user said it."""

    whole_tables = True
    read_as: ReadAs = "file"
    origin = ""
    is_folder = False
    root = ROOT
    copies: ClassVar[dict[str, str]] = {}

    def __init__(self, fd: int, limits: Limits | None = None, *, told: str = "") -> None:
        self.limits = limits or Limits()
        self._told, self._log = told, ReadLog()
        self._kept = Kept(fd, self.limits.memory, self._arrived)
        self._meter: Meter | None = None

    def _arrived(self, count: int) -> None:
        self._log.read(count)
        if self._meter:
            self._meter.size += count  # nobody knows it before

    @cached_property
    def _input(self) -> Input:
        opener = Opener(lambda: cast("BinaryIO", io.BufferedReader(_Stream(self._kept), MIB)))
        head = opener.head()
        size = self._kept.count if len(head) < HEAD else None
        return Input(NAME, head, opener, size, None, self.limits, Deadline(self.limits.seconds))

    @property
    def _kind(self) -> Kind:
        return as_told(identify(self._input.head, NAME, self._input.size), self._told)

    @property
    def kind(self) -> str:
        """The kind of what comes; waits for its first bytes."""
        try:
            return self._kind.name or "file"
        except (OSError, PlainviewError):
            return "file"

    def check_access(self) -> Exposure | None:
        """Nobody but who runs the command can reach it."""
        return None

    def exposure(self) -> Exposure | None:
        """Return None, as `check_access`."""
        return None

    def close(self) -> None:
        """Leave the descriptor to the process."""

    def units(self, log: ReadLog) -> Iterator[Unit]:  # noqa: ARG002  of the protocol
        """Yield the one unit."""
        yield Unit(NAME)

    def read(self, unit: Unit, log: ReadLog, sample: int | None = None) -> Iterator[Batch]:
        """Yield the tables of what comes. That nothing came is told: whoever was to send it may have failed."""
        if sample is not None:
            from plainview.tables.sampling import sample_rows

            yield from sample_rows(self.read(unit, log), sample, unit.name)
            return
        log.read(self._log.bytes_read)
        self._log = log
        try:
            source, kind = self._input, self._kind
        except (OSError, PlainviewError) as error:
            log.skip(NAME, error)
            return
        if not source.head:
            log.skip(NAME, "nothing came in")
            return
        self._meter = Meter(self._kept.count, self.limits, source.deadline, lambda count: None)
        yield from read_input(source, kind, log, self._meter, Counter(ReadLog(), EVER), self._told)


__all__ = ["NAME", "ROOT", "StandardInput"]
