"""One object as an `Input` for the file readers: its bytes come over the wire and are never written to disk.

The first look takes an object of up to 1 MiB whole, of a larger one its first 64 KiB: what is of a kind that is
not read costs no more. Then it streams front to back in one request; zip archives are read by ranges. What other
formats must seek in is held in memory.
"""

from __future__ import annotations

import io
import re
import time
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from plainview.errors import DeniedError, LimitError, ProtocolError, ReadError
from plainview.files.kinds.identify import HEAD
from plainview.files.packed.streams import Meter, Opener, Stream
from plainview.files.reading import Counter
from plainview.tables import MIB, Input

if TYPE_CHECKING:
    from plainview.wire.body import Body

SMALL = MIB  # an object up to this is fetched whole at the first look
BLOCK = 2 * MIB  # of a ranged read
LONGER = 256 * MIB  # than the store said, an object that was replaced meanwhile may be
SPAN = re.compile(r"bytes +[0-9]+-[0-9]+/([0-9]{1,19})")
CHANGED = "changed while it was read"

# Sends GET for an object, of a range of bytes where one is given; the answer is 200, 206, or 416 to a range.
Get = Callable[["tuple[int, int] | None"], AbstractContextManager["Body"]]


@dataclass(slots=True)
class Look:
    """What the first request for an object told. `whole`: `head` is all of it. `tag`: its version."""

    head: bytes
    size: int | None = None
    whole: bool = False
    ranges: bool = False
    coded: bool = False
    tag: str = ""


def refusal(status: int) -> ReadError:
    """Return why an answer holds no bytes of an object."""
    if status in (401, 403):
        return DeniedError(f"the store refused it (HTTP {status})")
    if status == 404:
        return ReadError("listed, but not there (HTTP 404)")
    if 300 <= status < 400:
        return ReadError(f"the store points elsewhere for it (HTTP {status}); not followed")
    return ReadError(f"the store answered HTTP {status}")


def look_at(get: Get, size: int | None) -> Look:
    """Fetch the beginning of an object, or all of it; `size` is what the listing says. Raises PlainviewError."""
    if size == 0:
        return Look(b"", 0, whole=True)
    small = size is not None and size <= SMALL
    limit = SMALL if small else HEAD
    with get(None if small else (0, limit - 1)) as body:
        if body.status == 416:  # a range of nothing
            return Look(b"", 0, whole=True)
        data, coded = _start(body, limit)
        found = Look(data, coded=coded, tag=body.headers.get("etag", ""))
        total = SPAN.fullmatch(body.headers.get("content-range", ""))
        length = body.headers.get("content-length", "")
        if body.status == 206 and not coded:
            found.size = int(total[1]) if total else size
            found.ranges = found.size is not None
            found.whole = found.size == len(data)
        elif body.status == 200:
            found.whole = len(data) <= limit
            found.size = len(data) if found.whole else int(length) if length.isdigit() and not coded else None
        return found


def _start(body: Body, limit: int) -> tuple[bytes, bool]:
    """Return the first bytes, and whether the object is stored packed (Content-Encoding)."""
    coded = "gzip" in body.headers.get("content-encoding", "").lower()
    parts: list[bytes] = []
    try:
        while (left := limit + 1 - sum(map(len, parts))) and (part := body.read(min(left, 4096))):
            parts.append(part)
    except ProtocolError:
        if not (coded and body.status == 206 and parts):  # a part of a gzip stream ends early, of course
            raise
    return b"".join(parts), coded


class Fetcher:
    """Gives the bytes of one object, counted and within its limits."""

    def __init__(self, name: str, get: Get, look: Look, meter: Meter, count: Counter) -> None:
        self.name, self.get, self.look, self.meter, self.count = name, get, look, meter, count

    def open(self) -> BinaryIO:
        """Return a stream from the beginning. A break is its end, and a failure in the meter."""
        if self.look.whole:
            return io.BytesIO(self.look.head)
        pieces = self._pieces()
        counted = self.look.size is not None and not self.look.coded
        return cast("BinaryIO", Stream(pieces, self.name, self.meter, pieces.close, counted=counted))

    def _pieces(self) -> Generator[bytes]:
        """Yield the bytes, in pieces that take about a second at most: a slow answer ends at the deadline."""
        size, given = 64 << 10, 0
        with self.get(None) as body:
            if body.headers.get("etag", "") != self.look.tag:
                raise ReadError(CHANGED)
            while True:
                started = time.monotonic()
                piece = body.read(size)
                if not piece:
                    return
                given += len(piece)
                self.count.add(len(piece))
                if self.look.size is not None and given > self.look.size + LONGER:
                    raise LimitError("longer than the store said it is")
                yield piece
                self.meter.deadline.check()
                size = max(4 << 10, size // 8) if time.monotonic() - started > 1 else min(MIB, size * 2)

    def piece(self, offset: int, length: int) -> bytes:
        """Return bytes at an offset, as `kinds.identify` asks for them; a negative one counts from the end."""
        size = self.look.size or 0
        first = max(0, size + offset) if offset < 0 else offset
        last = min(first + length, size) - 1
        if self.look.whole or last < first:
            return self.look.head[first : last + 1]
        with self.get((first, last)) as body:
            if body.status != 206 or body.headers.get("etag", "") != self.look.tag:
                raise ReadError(CHANGED)
            data = body.read(last - first + 1)
        self.count.add(len(data))
        return data

    def input(self, *, ranged: bool) -> ObjectInput:
        """Return the object as an Input."""
        head, size = self.look.head[:HEAD], self.look.size
        limits, deadline = self.meter.limits, self.meter.deadline
        return ObjectInput(
            self.name, head, Opener(self.open), size, None, limits, deadline, fetcher=self, ranged=ranged
        )


@dataclass(slots=True)
class ObjectInput(Input):
    """An Input whose bytes come over the wire. `ranged`: the format seeks, and takes only parts."""

    fetcher: Fetcher = field(kw_only=True)
    ranged: bool = field(kw_only=True)

    def seekable(self) -> BinaryIO:
        """Return a stream that fetches ranges, or all bytes in memory up to `limits.memory`."""
        if self.ranged and self.fetcher.look.ranges and not self.fetcher.look.whole:
            return io.BufferedReader(_Ranged(self.fetcher), BLOCK)
        if self.size is not None and self.size > self.limits.memory:
            raise LimitError(
                f"larger than {self.limits.memory // MIB} MiB, and its format cannot be streamed",
                hint="raise --memory, or fetch it and name the file",
            )
        return Input.seekable(self)


class _Ranged(io.RawIOBase):
    """A seekable stream over ranges of an object."""

    def __init__(self, fetcher: Fetcher) -> None:
        self._fetcher = fetcher
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._fetcher.look.size or 0}[whence]
        self._at = max(0, start + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        self._fetcher.meter.deadline.check()
        view = memoryview(buffer).cast("B")
        data = self._fetcher.piece(self._at, len(view))
        view[: len(data)] = data
        self._at += len(data)
        return len(data)


__all__ = ["Fetcher", "Get", "Look", "ObjectInput", "look_at", "refusal"]
