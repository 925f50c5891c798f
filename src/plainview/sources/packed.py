"""Packed files: gz, bz2, xz, lzma, zst as streams; zip and tar member by member; nested, within limits.

Nothing is ever written to disk. A stream that breaks (truncated, damaged, over a limit) ends early for its
reader, so that the rows before the break count; the break itself is told by `Meter.failures` afterwards.
"""

from __future__ import annotations

import io
import queue
import threading
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO, Protocol, cast

from plainview.errors import DamagedError, LimitError, PlainviewError, UnsupportedError, translate
from plainview.sources.base import MIB, Deadline, Input, Limits, ReadLog
from plainview.sources.kinds import ARCHIVES, HEAD, PACKERS, Kind, identify

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

TAKE = 256 << 10  # packed bytes read at once
GIVE = MIB  # the most unpacked bytes that one step may give


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
        if self.unpacked > limits.ratio_floor and self.unpacked > limits.ratio * max(self.size, 1):
            raise LimitError(
                f"unpacks to more than {limits.ratio} times its size, like a decompression bomb",
                hint="raise --ratio",
            )

    @property
    def spent(self) -> bool:
        """True when a limit of the whole file is reached: what else it holds is not looked at."""
        try:
            self.add(0)
        except LimitError:
            return True
        return False


class Decompressor(Protocol):
    """What bz2, lzma, isal and zstd have in common."""

    @property
    def eof(self) -> bool:
        """True when the end mark was read."""

    @property
    def needs_input(self) -> bool:
        """True when nothing more comes without further input."""

    @property
    def unused_data(self) -> bytes:
        """What follows the end mark."""

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """Return at most `max_length` bytes; keep the rest of the input."""


def decompressor(codec: str, limits: Limits) -> Decompressor:
    """Return a new decompressor for one frame. Memory for a window is bounded by `limits.memory`."""
    if codec in {"gzip", "deflate"}:
        from isal import igzip_lib

        flag = igzip_lib.DECOMP_GZIP if codec == "gzip" else igzip_lib.DECOMP_DEFLATE
        return cast("Decompressor", igzip_lib.IgzipDecompressor(flag=flag))
    if codec == "bzip2":
        import bz2

        return bz2.BZ2Decompressor()
    if codec in {"xz", "lzma"}:
        import lzma

        form = lzma.FORMAT_XZ if codec == "xz" else lzma.FORMAT_ALONE
        return lzma.LZMADecompressor(format=form, memlimit=limits.memory)
    if codec == "zstd":
        from backports import zstd

        window = max(20, min(30, limits.memory.bit_length() - 1))
        return zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: window})
    raise UnsupportedError(f"packed with {codec}, which is not unpacked")


FRAMES = {  # how a further frame of the same codec begins, for files that were put one after the other
    "gzip": (b"\x1f\x8b",),
    "bzip2": (b"BZh",),
    "xz": (b"\xfd7zXZ",),
    "zstd": (b"\x28\xb5\x2f\xfd", *(bytes([b]) + b"\x2a\x4d\x18" for b in range(0x50, 0x60))),
}


Pieces = Generator[bytes, None, None]


def inflate(raw: BinaryIO, codec: str, limits: Limits, took: Callable[[int], None]) -> Pieces:
    """Yield pieces of at most 1 MiB; `took` counts packed bytes. Raise DamagedError where the data breaks."""
    rest = b""
    first = True
    while True:
        if len(rest) < 8:
            rest += raw.read(TAKE)
        if not first:
            rest = rest.lstrip(b"\0") if codec != "lzma" else rest  # padding between frames
            if not rest and not (rest := raw.read(TAKE).lstrip(b"\0")):
                return
            if not rest.startswith(FRAMES.get(codec, ())):
                raise DamagedError("other bytes follow the packed data; they were not read")
        rest = yield from _frame(decompressor(codec, limits), rest, raw, took)
        first = False
        if codec == "deflate":
            return


def _frame(
    unpack: Decompressor, data: bytes, raw: BinaryIO, took: Callable[[int], None]
) -> Generator[bytes, None, bytes]:
    while True:
        took(len(data))
        try:
            out = unpack.decompress(data, GIVE)
        except Exception as error:  # noqa: BLE001  each library has its own
            raise _broken(error) from None
        if out:
            yield out
        if unpack.eof:
            return unpack.unused_data
        data = b""
        if unpack.needs_input:
            data = raw.read(TAKE)
            if not data:
                raise DamagedError("the packed data ends too early; what came before was read")


def _broken(error: Exception) -> PlainviewError:
    """Tell a memory limit from damage, by type (each library has its own)."""
    if isinstance(error, PlainviewError):
        return error
    if isinstance(error, MemoryError) or (type(error).__name__ == "LZMAError" and "limit" in str(error)):
        return LimitError("needs more memory to unpack than allowed", hint="raise --memory")
    return DamagedError(f"the packed data is damaged ({type(error).__name__}); what came before was read")


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
    """The `open` of an Input whose first stream is already open, because its head had to be looked at."""

    def __init__(self, make: Callable[[], BinaryIO]) -> None:
        self._make = make
        self._first: BinaryIO | None = io.BufferedReader(cast("io.RawIOBase", make()), HEAD)

    def head(self) -> bytes:
        """Return the first 64 KiB without taking them."""
        return cast("io.BufferedReader", self._first).peek(HEAD)[:HEAD]

    def __call__(self) -> BinaryIO:
        """Return a stream from the beginning."""
        stream, self._first = self._first, None
        return stream or io.BufferedReader(cast("io.RawIOBase", self._make()), MIB)

    def close(self) -> None:
        """Close the first stream if nobody took it."""
        if self._first is not None:
            self._first.close()
            self._first = None


def check_ratio(pieces: Iterator[bytes], packed: list[int], limits: Limits) -> Iterator[bytes]:
    """Pass pieces on; raise LimitError when this one stream gives more than `ratio` times what it took."""
    given = 0
    for piece in pieces:
        given += len(piece)
        if given > limits.ratio_floor and given > limits.ratio * max(packed[0], 1):
            raise LimitError(
                f"unpacks to more than {limits.ratio} times its size, like a decompression bomb",
                hint="raise --ratio",
            )
        yield piece


def unpacked(raw: BinaryIO, codec: str, meter: Meter, *, top: bool) -> Iterator[bytes]:
    """Return the unpacked pieces of `raw`, within the ratio; `top`: raw lies in the top-level file itself."""
    packed = [0]

    def took(count: int) -> None:
        packed[0] += count
        if top:
            meter.on_packed(count)

    return check_ratio(inflate(raw, codec, meter.limits, took), packed, meter.limits)


def bare_name(name: str) -> str:
    """Return a name without the suffix of its packer: `a.csv.gz` -> `a.csv`, `a.tgz` -> `a.tar`."""
    lower = name.lower()
    for suffix in (".gz", ".gzip", ".bz2", ".xz", ".lzma", ".zst", ".zstd"):
        if lower.endswith(suffix):
            return name[: -len(suffix)]
    for suffix in (".tgz", ".tbz2", ".tbz", ".txz", ".tzst"):
        if lower.endswith(suffix):
            return name[: -len(suffix)] + ".tar"
    return name


def leaves(
    source: Input, kind: Kind, log: ReadLog, meter: Meter, name: str = ""
) -> Iterator[tuple[Input, Kind]]:
    """Yield what lies inside `source`, however packed, with its kind.

    Each Input must be used before the next is asked for. What cannot be opened goes into `log`. `name` is the file name that still says something of the content.
    """
    yield from _leaves(source, kind, log, meter, (name or source.name, 0, 0))


def _leaves(
    source: Input, kind: Kind, log: ReadLog, meter: Meter, level: tuple[str, int, int]
) -> Iterator[tuple[Input, Kind]]:
    name, archives, packers = level  # the name that is left, and how many layers lie above
    if kind.name not in PACKERS | ARCHIVES:
        yield source, kind
        return
    depth = meter.limits.depth
    if (kind.name in ARCHIVES and archives >= depth) or packers >= depth:
        raise LimitError(f"packed more than {depth} layers deep", hint="raise --depth")
    if kind.name in PACKERS:
        inner = bare_name(name)

        def make() -> BinaryIO:
            raw = source.open()
            pieces = unpacked(raw, kind.name, meter, top=source.path is not None)
            return cast("BinaryIO", Stream(pieces, source.name, meter, raw.close))

        opener = Opener(make)
        try:
            head = opener.head()
            content = replace_input(source, source.name, head, opener)
            yield from _leaves(content, identify(head, inner), log, meter, (inner, archives, packers + 1))
        finally:
            opener.close()
        return
    from plainview.sources import archives as archive

    for member in archive.members(source, kind.name, log, meter):
        if meter.spent:
            break
        try:
            what = identify(member.head, member.name, member.size)
            yield from _leaves(member, what, log, meter, (member.name, archives + 1, 0))
        except Exception as error:  # noqa: BLE001  one member; the others go on
            log.skip(member.name, error)


def replace_input(
    source: Input, name: str, head: bytes, opener: Callable[[], BinaryIO], size: int | None = None
) -> Input:
    """Return an Input for content of `source`, with the same limits and deadline."""
    return Input(name, head, opener, size, None, source.limits, source.deadline)


__all__ = ["Meter", "Opener", "Stream", "bare_name", "check_ratio", "decompressor", "inflate", "leaves"]
