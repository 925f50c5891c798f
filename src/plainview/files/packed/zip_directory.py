"""The directory of a zip archive: how many members it says there are, and the first of them.

`zipfile` loads a whole directory before it gives a member, in one step: two million entries take a minute and half a
gigabyte. Of a directory that may hold more members than are read, only the beginning is given to it.
"""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

from plainview.errors import DamagedError
from plainview.tables import MIB

END, END64 = b"PK\x05\x06", b"PK\x06\x06"  # end of central directory record, and that of zip64 (APPNOTE 4.3.16, 4.3.14)
ENTRY = b"PK\x01\x02"
FIXED = 46  # bytes of an entry before its name
MOST = 64 * MIB  # bytes of a directory that are looked at


@dataclass(frozen=True, slots=True)
class Directory:
    """The members in their order, one more than asked for where there are more; `said`: as many as the archive says."""

    members: Sequence[zipfile.ZipInfo]
    said: int
    whole: bool  # all that the directory holds are in `members`


def directory(stream: BinaryIO, most: int) -> Directory:
    """Read the directory of an archive, `most` members and one of it at least. Raises DamagedError, BadZipFile."""
    end, said, size, offset = _end(stream)
    if size <= FIXED * most:
        stream.seek(0)
        with zipfile.ZipFile(stream) as archive:
            return Directory(archive.infolist(), said, whole=True)
    start = end - size
    if start < 0:
        raise DamagedError("the zip archive has no directory: it is cut short or damaged")
    stream.seek(start)
    entries, whole = _first(stream, size, most + 1)
    with zipfile.ZipFile(io.BytesIO(entries + struct.pack("<4s4H2LH", END, 0, 0, 0, 0, len(entries), 0, 0))) as archive:
        members = archive.infolist()
    for info in members:
        info.header_offset += start - offset  # bytes before the archive itself, as of a program that unpacks it
    return Directory(members, said, whole=whole)


def _end(stream: BinaryIO) -> tuple[int, int, int, int]:
    """Return where the directory ends, and what the archive says: how many members, bytes of it, where it begins."""
    end = stream.seek(0, io.SEEK_END)
    before = max(0, end - (66 << 10))
    stream.seek(before)
    tail = stream.read()
    at = tail.rfind(END)
    if at < 0 or len(tail) < at + 22:
        raise DamagedError("the zip archive has no directory: it is cut short or damaged")
    said, size, offset = struct.unpack_from("<HII", tail, at + 10)
    at64 = tail.rfind(END64, 0, at)
    if at64 >= 0 and len(tail) >= at64 + 56:
        at = at64
        said, size, offset = struct.unpack_from("<QQQ", tail, at64 + 32)
    return before + at, int(said), int(size), int(offset)


def _first(stream: BinaryIO, size: int, most: int) -> tuple[bytes, bool]:
    """Return the first entries of a directory, as they stand, and whether these are all."""
    held, at, count = bytearray(), 0, 0
    while count < most:
        if len(held) - at < FIXED + 3 * 0xFFFF and len(held) < min(size, MOST):
            held += (piece := stream.read(min(MIB, size - len(held))))
            size = size if piece else len(held)
        if held[at : at + 4] != ENTRY or len(held) - at < FIXED:
            break
        behind = at + FIXED + sum(struct.unpack_from("<HHH", held, at + 28))
        if behind > len(held):
            break
        at, count = behind, count + 1
    return bytes(held[:at]), at == size


__all__ = ["Directory", "directory"]
