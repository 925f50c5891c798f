"""The members of zip and tar archives, one after the other, never written to disk.

A member's name is only a name: it is made harmless (`clean_name`) before it becomes the name of a table.
What is no plain file (links, devices, sparse files) is named and not followed.
"""

from __future__ import annotations

import io
import struct
import tarfile
import zipfile
from collections.abc import Iterator
from typing import BinaryIO, cast

from plainview.errors import DamagedError, LimitError, translate
from plainview.files.packed.member_names import ODD, Names, is_odd
from plainview.files.packed.streams import Meter, Opener, Stream, replace_input
from plainview.files.packed.zips import zip_members
from plainview.tables import MIB, Input, ReadLog

SMALL = 16 * MIB  # a member of a tar up to this is held in memory, so that it can be read twice

Member = tuple[Input, tuple[str, ...]]  # with notes for its tables


def members(source: Input, kind: str, log: ReadLog, meter: Meter) -> Iterator[Member]:
    """Yield each plain file of an archive; each is used before the next is asked for.

    Raise DamagedError where the archive breaks; what is left out goes into `log`.
    """
    try:
        yield from (zip_members if kind == "zip" else _tar_members)(source, log, meter)
    except (tarfile.TarError, zipfile.BadZipFile, struct.error, ValueError, EOFError, NotImplementedError) as error:
        raise DamagedError(f"the {kind} archive is damaged ({type(error).__name__})") from None


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


__all__ = ["members"]
