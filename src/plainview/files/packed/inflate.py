"""The decompressors behind one face, as generators of pieces of at most 1 MiB."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from typing import BinaryIO, Protocol, cast

from plainview.errors import DamagedError, LimitError, PlainviewError, UnsupportedError
from plainview.files.packed.codecs import STEPS
from plainview.files.packed.streams import Meter
from plainview.tables import MIB, Limits, ratio

TAKE = 256 << 10  # packed bytes read at once
GIVE = MIB  # the most unpacked bytes that one step may give


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
    """Yield pieces of a few MiB at most; `took` counts packed bytes. Raise DamagedError where the data breaks."""
    if codec in STEPS or codec == "pg_custom":
        yield from _by_steps(raw, codec, limits, took)
        return
    rest = b""
    first = True

    def take() -> bytes:
        data = raw.read(TAKE)
        took(len(data))
        return data

    while True:
        if len(rest) < 8:
            rest += take()
        if not first:
            rest = rest.lstrip(b"\0") if codec != "lzma" else rest  # padding between frames
            if not rest and not (rest := take().lstrip(b"\0")):
                return
            if not rest.startswith(FRAMES.get(codec, ())):
                raise DamagedError("other bytes follow the packed data; they were not read")
        rest = yield from _frame(decompressor(codec, limits), rest, take)
        first = False
        if codec == "deflate":
            return


def _by_steps(raw: BinaryIO, codec: str, limits: Limits, took: Callable[[int], None]) -> Pieces:
    """Unpack by code of our own."""

    def read(count: int) -> bytes:
        data = raw.read(count)
        took(len(data))
        return data

    steps = STEPS.get(codec)
    if steps is None:
        from plainview.files.packed.pg_custom import pg_custom

        steps = pg_custom
    yield from filter(None, steps(read, limits))  # to a stream, no bytes are its end


def _frame(unpack: Decompressor, data: bytes, take: Callable[[], bytes]) -> Generator[bytes, None, bytes]:
    while True:
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
            data = take()
            if not data:
                raise DamagedError("the packed data ends too early; what came before was read")


def _broken(error: Exception) -> PlainviewError:
    """Tell a memory limit from damage, by type (each library has its own)."""
    if isinstance(error, PlainviewError):
        return error
    if isinstance(error, MemoryError) or (type(error).__name__ == "LZMAError" and "limit" in str(error)):
        return LimitError("needs more memory to unpack than allowed", hint="raise --memory")
    return DamagedError(f"the packed data is damaged ({type(error).__name__}); what came before was read")


def check_ratio(pieces: Iterator[bytes], packed: list[int], limits: Limits) -> Iterator[bytes]:
    """Pass pieces on; raise LimitError when this one stream gives more than `ratio` times what it took."""
    given = 0
    for piece in pieces:
        given += len(piece)
        ratio.check_ratio(given, packed[0], limits)
        yield piece


def unpacked(raw: BinaryIO, codec: str, meter: Meter, *, top: bool) -> Iterator[bytes]:
    """Return the unpacked pieces of `raw`, within the ratio; `top`: raw lies in the top-level file itself."""
    packed = [0]

    def took(count: int) -> None:
        meter.deadline.check()  # a frame may give nothing, and a file may be made of such frames
        packed[0] += count
        if top:
            meter.on_packed(count)

    return check_ratio(inflate(raw, codec, meter.limits, took), packed, meter.limits)


__all__ = ["decompressor", "inflate", "unpacked"]
