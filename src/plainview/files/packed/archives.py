"""The members of zip and tar archives, one after the other, never written to disk.

A member's name is only a name: it is made harmless (`clean_name`) before it becomes the name of a table.
What is no plain file (links, devices, sparse files) is named and not followed; what is encrypted is
named.
"""

from __future__ import annotations

import io
import re
import struct
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, cast

from plainview.errors import DamagedError, LimitError, UnsupportedError, translate
from plainview.files.packed.inflate import unpacked
from plainview.files.packed.streams import Meter, Opener, Stream, replace_input
from plainview.tables import MIB, Input, ReadLog

SMALL = 16 * MIB  # a member of a tar up to this is held in memory, so that it can be read twice
DIRECTORY = 256 * MIB  # bytes of a zip's central directory

_DEVICES = re.compile(r"(?i)^(con|prn|aux|nul|com[1-9]|lpt[1-9])(?=\.|$)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@dataclass(slots=True)
class Names:
    """Gives the members of one archive harmless, distinct names, and says once what was odd."""

    prefix: str
    seen: dict[str, int] = field(default_factory=dict)

    def of(self, name: str) -> str:
        """Return the table name for a member."""
        clean = f"{self.prefix}/{clean_name(name)}"
        count = self.seen[clean] = self.seen.get(clean, 0) + 1
        return clean if count == 1 else f"{clean}#{count}"


def clean_name(name: str) -> str:
    """Return a relative path without `..`, drive, root, control characters or device names."""
    name = _CONTROL.sub("_", name.replace("\\", "/")).encode("utf-8", "replace").decode()
    name = re.sub(r"^[A-Za-z]:(?=/|$)", "", name)
    parts = [_DEVICES.sub(r"_\1", part) for part in name.split("/") if part not in {"", ".", ".."}]
    return "/".join(parts[-64:])[-1000:] or "unnamed"


def is_odd(name: str) -> bool:
    """Tell whether a name was not harmless as it stood."""
    return clean_name(name) != name.removeprefix("./").rstrip("/")


ODD = "its name inside the archive is a path trick or holds control characters: shown in a harmless form"
Member = tuple[Input, tuple[str, ...]]  # with notes for its tables


def members(source: Input, kind: str, log: ReadLog, meter: Meter) -> Iterator[Member]:
    """Yield each plain file of an archive; each is used before the next is asked for.

    Raise DamagedError where the archive breaks; what is left out goes into `log`.
    """
    try:
        yield from (_zip_members if kind == "zip" else _tar_members)(source, log, meter)
    except (tarfile.TarError, zipfile.BadZipFile, struct.error, ValueError, EOFError, NotImplementedError) as error:
        raise DamagedError(f"the {kind} archive is damaged ({type(error).__name__})") from None


# --- zip ------------------------------------------------------------


def _zip_members(source: Input, log: ReadLog, meter: Meter) -> Iterator[Member]:
    with source.seekable() as stream:
        said = _check_directory(stream, meter)
        lock = threading.Lock()
        names = Names(source.name)
        with zipfile.ZipFile(stream) as archive:
            if len(archive.infolist()) < said or (not said and source.head.startswith(b"PK\x03\x04")):
                log.skip(source.name, "its directory does not list all members; those that it lists were read")
            for count, info in enumerate(archive.infolist()):
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


def _check_directory(stream: BinaryIO, meter: Meter) -> int:
    """Return how many members there are. Raise LimitError for a huge directory: zipfile would load it whole."""
    end = stream.seek(0, io.SEEK_END)
    stream.seek(max(0, end - (66 << 10)))
    tail = stream.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) < at + 22:
        raise DamagedError("the zip archive has no directory: it is cut short or damaged")
    entries, size = struct.unpack_from("<HI", tail, at + 10)
    at64 = tail.rfind(b"PK\x06\x06", 0, at)
    if at64 >= 0 and len(tail) >= at64 + 48:
        entries, size = struct.unpack_from("<QQ", tail, at64 + 32)
    if size > DIRECTORY or entries > 50 * meter.limits.members:
        raise LimitError(f"says it has {entries} members", hint="raise --members")
    stream.seek(0)
    return int(entries)


def _zip_member(
    source: Input, name: str, stream: BinaryIO, lock: threading.Lock, info: zipfile.ZipInfo, meter: Meter
) -> tuple[Input, Opener]:
    if info.flag_bits & 0x1:
        raise UnsupportedError("encrypted with a password")
    codec = {8: "deflate", 12: "bzip2", 93: "zstd", 95: "xz"}.get(info.compress_type, "")
    if not codec and info.compress_type not in {0, 14}:
        raise UnsupportedError(f"packed with zip method {info.compress_type}, which is not unpacked")
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
    if len(header) < 30 or header[:4] != b"PK\x03\x04":
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


# --- tar ------------------------------------------------------------


def _header_class(problems: list[str]) -> type[tarfile.TarInfo]:
    """Return a TarInfo that notes why the archive ended: tarfile takes a damaged header for the end."""

    class Header(tarfile.TarInfo):
        @classmethod
        def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Header:
            try:
                info = super().frombuf(buf, encoding, errors)
            except tarfile.EOFHeaderError:  # type: ignore[attr-defined]
                raise
            except tarfile.HeaderError:
                problems.append("a header is damaged or the archive is cut short")
                raise
            if info.size < 0 or (info.type in b"xgXLK" and info.size > MIB):
                problems.append("a header says that it is larger than any real one")
                raise tarfile.HeaderError("size")
            return info

        def _proc_gnusparse_10(self, member: tarfile.TarInfo, *_: object) -> None:
            """Leave the map of a sparse file alone: a few packed bytes unfold to millions of entries."""
            member.sparse = b""  # not None: it is a sparse file

    return Header


def _tar_members(source: Input, log: ReadLog, meter: Meter) -> Iterator[Member]:
    problems: list[str] = []
    names, links, count = Names(source.name), [], 0
    with source.open() as stream:
        try:
            archive = tarfile.open(fileobj=stream, mode="r|", tarinfo=_header_class(problems), errorlevel=1)  # noqa: SIM115
            for info in archive:
                archive.members = []  # type: ignore[attr-defined]  # tarfile would keep every header
                count += 1
                if count > meter.limits.members:
                    log.skip(source.name, LimitError(f"more than {count - 1} members", hint="raise --members"))
                    return
                meter.deadline.check()
                if info.isdir():
                    continue
                if info.islnk() or info.issym():
                    links.append((info.name, info.linkname, info.issym()))
                    continue
                name = names.of(info.name)
                if not info.isreg() or info.issparse():
                    log.skip(name, "a sparse file in a tar" if info.issparse() else "a device or FIFO in a tar")
                    continue
                notes = (ODD,) if is_odd(info.name) else ()
                with cast("BinaryIO", archive.extractfile(info)) as data:
                    yield _tar_member(source, name, data, info.size, count, meter), notes
            _rest(stream, source, log)
        except (tarfile.TarError, OSError, EOFError) as error:
            problems.append(str(translate(error)))
    _tell_links(links, names, log)
    if problems:
        raise DamagedError(f"the tar archive breaks off after {count} members: {problems[0]}")


def _tar_member(source: Input, name: str, data: BinaryIO, size: int, index: int, meter: Meter) -> Input:
    """Return an Input for the member that the stream stands at; a large one is found again from the start."""
    if size <= min(SMALL, meter.limits.memory):
        content = data.read()
        if len(content) < size:
            meter.failures.append((name, DamagedError("the archive ends inside it; what came before was read")))
        return replace_input(source, name, content[: 64 << 10], lambda: io.BytesIO(content), len(content))

    def pieces(stream: BinaryIO) -> Iterator[bytes]:
        given = 0
        while piece := stream.read(MIB):
            given += len(piece)
            yield piece
        if given < size:
            raise DamagedError("the archive ends inside it; what came before was read")

    first = [data]

    def make() -> BinaryIO:
        stream = first.pop() if first else _again(source, index)
        return cast("BinaryIO", Stream(pieces(stream), name, meter, stream.close, counted=True))

    opener = Opener(make)
    return replace_input(source, name, opener.head(), opener, size)


def _again(source: Input, index: int) -> BinaryIO:
    # closed with the last reference
    archive = tarfile.open(fileobj=source.open(), mode="r|", tarinfo=_header_class([]))  # noqa: SIM115
    for count, info in enumerate(archive, 1):
        if count == index:
            return cast("BinaryIO", archive.extractfile(info))
    raise DamagedError("the member was not found again")


def _rest(stream: BinaryIO, source: Input, log: ReadLog) -> None:
    """Say when more than padding follows the end mark: archives that were put one after the other."""
    while piece := stream.read(MIB):
        if piece.strip(b"\0"):
            log.skip(source.name, "more data follows the end of the tar archive; it was not read")
            return


def _tell_links(links: list[tuple[str, str, bool]], names: Names, log: ReadLog) -> None:
    """Say which links point out of the archive; what the others point to was read under its own name."""
    for name, target, symbolic in links:
        base = name.rpartition("/")[0] if symbolic and not target.startswith("/") else ""
        full = f"{base}/{target}".split("/")
        path: list[str] = []
        for part in full:
            path = path[:-1] if part == ".." else [*path, part] if part not in {"", "."} else path
        inside = f"{names.prefix}/{'/'.join(path)}"
        folder = inside + "/"
        if target.startswith("/") or (inside not in names.seen and not any(n.startswith(folder) for n in names.seen)):
            log.skip(names.of(name), "a link to something outside the archive; not followed")


__all__ = ["clean_name", "is_odd", "members"]
