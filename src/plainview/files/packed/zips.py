"""The members of zip archives, one after the other, never written to disk. What is encrypted is named."""

from __future__ import annotations

import io
import struct
import threading
import zipfile
from collections.abc import Iterator
from typing import BinaryIO, cast

from plainview.errors import DamagedError, LimitError, UnsupportedError
from plainview.files.packed.inflate import unpacked
from plainview.files.packed.member_names import ODD, Names, is_odd
from plainview.files.packed.streams import Meter, Opener, Stream, replace_input
from plainview.files.packed.zip_directory import directory
from plainview.tables import MIB, Input, ReadLog

METHODS = {1: "Shrink", 6: "Implode", 9: "Deflate64", 97: "WavPack", 98: "PPMd"}  # APPNOTE 4.4.5; not unpacked
LOCAL = b"PK\x03\x04"  # begins the header of a member (APPNOTE 4.3.7)


def zip_members(source: Input, log: ReadLog, meter: Meter) -> Iterator[tuple[Input, tuple[str, ...]]]:
    """Yield each plain file of a zip archive, with notes for its tables."""
    with source.seekable() as stream:
        found = directory(stream, meter.limits.members)
        if found.whole and (len(found.members) < found.said or (not found.said and source.head.startswith(LOCAL))):
            log.skip(source.name, "its directory does not list all members; those that it lists were read")
        lock = threading.Lock()
        names = Names(source.name)
        for count, info in enumerate(found.members):
            if count >= meter.limits.members:
                log.skip(source.name, LimitError(f"more than {count} members", hint="raise --members"))
                return
            meter.deadline.check()
            if info.filename.endswith("/"):
                continue
            name = names.of(info.filename)
            notes = (ODD,) if is_odd(info.orig_filename) else ()
            try:
                member = _zip_member(source, name, stream, lock, info, meter)
            except Exception as error:  # noqa: BLE001  one member; told by type
                log.skip(name, error)
                continue
            try:
                yield member[0], notes
            finally:
                member[1].close()
        if not found.whole and len(found.members) <= meter.limits.members:
            log.skip(source.name, "its directory is damaged or too large; the members that it lists first were read")


def _zip_member(
    source: Input, name: str, stream: BinaryIO, lock: threading.Lock, info: zipfile.ZipInfo, meter: Meter
) -> tuple[Input, Opener]:
    if info.flag_bits & 0x1:
        raise UnsupportedError("encrypted with a password")
    codec = {8: "deflate", 12: "bzip2", 93: "zstd", 95: "xz"}.get(info.compress_type, "")
    if not codec and info.compress_type not in {0, 14}:
        method = METHODS.get(info.compress_type, f"zip method {info.compress_type}")
        raise UnsupportedError(f"packed with {method}, which is not unpacked", hint="unpack it first")
    start = _data_offset(stream, lock, info)

    def make() -> BinaryIO:
        raw = io.BufferedReader(_Slice(stream, lock, start, info.compress_size), 256 << 10)
        top = source.path is not None
        pieces = unpacked(raw, codec, meter, top=top) if codec else _stored(raw, info, source, meter)
        return cast("BinaryIO", Stream(_verify(pieces, info), name, meter, raw.close))

    opener = Opener(make)
    return replace_input(source, name, opener.head(), opener, info.file_size), opener


def _data_offset(stream: BinaryIO, lock: threading.Lock, info: zipfile.ZipInfo) -> int:
    """Return where the bytes of a member begin: after its local header (APPNOTE 4.3.7)."""
    with lock:
        stream.seek(info.header_offset)
        header = stream.read(30)
    if len(header) < 30 or header[:4] != LOCAL:
        raise DamagedError("the directory of the zip archive points to no member")
    name, extra = struct.unpack_from("<HH", header, 26)
    return info.header_offset + 30 + int(name) + int(extra)


def _stored(raw: BinaryIO, info: zipfile.ZipInfo, source: Input, meter: Meter) -> Iterator[bytes]:
    """Yield the pieces of a member that is stored plainly, or as LZMA (APPNOTE 5.8)."""
    if info.compress_type == 14:
        yield from _lzma(raw, info.file_size, meter)
        return
    while piece := raw.read(MIB):
        if source.path is not None:
            meter.on_packed(len(piece))
        yield piece


def _lzma(raw: BinaryIO, size: int, meter: Meter) -> Iterator[bytes]:
    """Yield the pieces of a member packed as LZMA (APPNOTE 5.8): properties, then a raw stream."""
    import lzma

    head = raw.read(9)
    if len(head) < 9 or int.from_bytes(head[5:9], "little") > meter.limits.memory:
        raise LimitError("needs more memory to unpack than allowed", hint="raise --memory")
    code, dictionary = head[4], int.from_bytes(head[5:9], "little")
    made = {"id": lzma.FILTER_LZMA1, "dict_size": dictionary, "lc": code % 9, "lp": code // 9 % 5, "pb": code // 45}
    unpack = lzma.LZMADecompressor(format=lzma.FORMAT_RAW, filters=[made])
    while size > 0 and not unpack.eof:
        data = raw.read(MIB) if unpack.needs_input else b""
        if unpack.needs_input and not data:
            raise DamagedError("the packed data ends too early; what came before was read")
        piece = unpack.decompress(data, MIB)
        size -= len(piece)
        if piece:
            yield piece


def _verify(pieces: Iterator[bytes], info: zipfile.ZipInfo) -> Iterator[bytes]:
    """Pass pieces on and check length and CRC at the end: a zip may lie about both."""
    from isal import isal_zlib

    size = crc = 0
    for piece in pieces:
        size += len(piece)
        crc = isal_zlib.crc32(piece, crc)
        yield piece
    if size != info.file_size:
        raise DamagedError(f"gives {size} bytes where the archive says {info.file_size}; they were read")
    if crc != info.CRC:
        raise DamagedError("its checksum does not fit; it was read as it is")


class _Slice(io.RawIOBase):
    """A part of a file that several streams share."""

    def __init__(self, stream: BinaryIO, lock: threading.Lock, start: int, size: int) -> None:
        self._stream, self._lock, self._at, self._end = stream, lock, start, start + size

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: object, /) -> int:
        """Read the next bytes of the part."""
        view = memoryview(cast("bytearray", buffer))
        wanted = min(len(view), self._end - self._at)
        if wanted <= 0:
            return 0
        with self._lock:
            self._stream.seek(self._at)
            data = self._stream.read(wanted)
        view[: len(data)] = data
        self._at += len(data)
        return len(data)


__all__ = ["zip_members"]
