"""Streams over pieces of bytes: counted against limits, unpacked ahead in a thread, opened for their head."""

from __future__ import annotations

import io
import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO, cast

from plainview.errors import LimitError, PlainviewError, translate
from plainview.files.kinds.identify import HEAD
from plainview.tables import MIB, Deadline, Input, Limits
from plainview.tables.ratio import check_ratio

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


@dataclass(slots=True)
class Meter:
    """What unpacking one top-level file has cost. `failures`: (name, error) of streams that broke."""

    size: int  # of the top-level file, packed
    limits: Limits
    deadline: Deadline
    on_packed: Callable[[int], None]
    unpacked: int = 0
    failures: list[tuple[str, PlainviewError]] = field(default_factory=list)

    def add(self, count: int) -> None:
        """Count bytes that came out of any layer; raise LimitError beyond what the whole file may give."""
        self.unpacked += count
        self.deadline.check()
        limits = self.limits
        if self.unpacked > limits.unpacked:
            raise LimitError(f"unpacks to more than {limits.unpacked >> 30} GiB", hint="raise --unpacked")
        check_ratio(self.unpacked, self.size, limits)

    @property
    def spent(self) -> bool:
        """True when a limit of the whole file is reached: what else it holds is not looked at."""
        try:
            self.add(0)
        except LimitError:
            return True
        return False


class Ahead:
    """Runs an iterator of pieces in a thread, a few pieces ahead: unpacking and parsing overlap."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._queue: queue.Queue[bytes | BaseException | None] = queue.Queue(maxsize=8)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="plainview-unpack", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        last: BaseException | None = None
        try:
            for piece in self._pieces:
                self._put(piece)
                if self._stop.is_set():
                    break
        except BaseException as error:  # noqa: BLE001  handed to the reading thread
            last = error
        self._put(last)

    def _put(self, item: bytes | BaseException | None) -> None:
        while not self._stop.is_set():
            try:
                self._queue.put(item, timeout=0.2)
            except queue.Full:
                continue
            return

    def __iter__(self) -> Iterator[bytes]:
        while True:
            item = self._queue.get()
            if isinstance(item, BaseException):
                raise item
            if item is None:
                return
            yield item

    def close(self) -> None:
        """Stop the thread and wait until it has let go of the file."""
        self._stop.set()
        self._thread.join()


class Stream(io.RawIOBase):
    """A front-to-back stream over pieces; a break in them is its end, and a line in `meter.failures`.

    `counted`: another stream below has counted these bytes already.
    """

    def __init__(
        self,
        pieces: Iterator[bytes],
        name: str,
        meter: Meter,
        close: Callable[[], None],
        *,
        counted: bool = False,
    ) -> None:
        self._pieces, self._name, self._meter, self._close = pieces, name, meter, close
        self._counted = counted
        self._left = memoryview(b"")
        self._given = 0
        self._ahead: Ahead | None = None
        self._done = False

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fill the whole buffer unless the end comes first."""
        view = memoryview(buffer).cast("B")
        filled = 0
        while filled < len(view) and (self._left or self._next()):
            part = self._left[: len(view) - filled]
            view[filled : filled + len(part)] = part
            self._left = self._left[len(part) :]
            filled += len(part)
        return filled

    def _next(self) -> bool:
        """Fetch the next piece; after the first 2 MiB a thread unpacks ahead."""
        if self._done:
            return False
        if self._ahead is None and self._given >= 2 * MIB:
            self._ahead = Ahead(self._pieces)
            self._pieces = iter(self._ahead)
        try:
            piece = next(self._pieces, b"")
            self._given += len(piece)
            self._meter.add(0 if self._counted else len(piece))
        except Exception as error:  # noqa: BLE001  translated, and told by the meter
            self._meter.failures.append((self._name, translate(error)))
            piece = b""
        self._done = not piece
        self._left = memoryview(piece)
        return bool(piece)

    def close(self) -> None:
        """Stop unpacking and close what lies below."""
        if not self.closed:
            self._done = True
            if self._ahead is not None:
                self._ahead.close()
            self._close()
        super().close()


class Opener:
    """The `open` of an Input. It closes what it opened, for a reader may leave that to the garbage collector.

    The first stream can be opened before it is asked for, to look at the head.
    """

    def __init__(self, make: Callable[[], BinaryIO]) -> None:
        self._make = make
        self._waiting: io.BufferedReader | None = None
        self._opened: list[BinaryIO] = []

    def head(self) -> bytes:
        """Return the first 64 KiB without taking them."""
        self._waiting = io.BufferedReader(cast("io.RawIOBase", self._make()), HEAD)
        self._opened.append(self._waiting)
        return self._waiting.peek(HEAD)[:HEAD]

    def __call__(self) -> BinaryIO:
        """Return a stream from the beginning."""
        stream, self._waiting = self._waiting, None
        if stream is not None:
            return stream
        made = self._make()
        opened = io.BufferedReader(made, MIB) if isinstance(made, io.RawIOBase) else made
        self._opened.append(opened)
        return opened

    def close(self) -> None:
        """Close all streams."""
        while self._opened:
            self._opened.pop().close()


def replace_input(
    source: Input, name: str, head: bytes, opener: Callable[[], BinaryIO], size: int | None = None
) -> Input:
    """Return an Input for content of `source`, with the same limits and deadline."""
    return Input(name, head, opener, size, None, source.limits, source.deadline)


__all__ = ["Meter", "Opener", "Stream", "replace_input"]
