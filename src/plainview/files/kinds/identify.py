"""What a file is: by its bytes first, by its name second.

`identify` looks at the first 64 KiB (and, where the bytes can be sought, at a few more places) and returns
a `Kind`. Its `name` is a key of `files.formats.FORMATS`, or of `files.packed`, or "" for what this version only
names; then `why` says what it is. Nothing is loaded or executed: a pickle stays a row of bytes.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath

from plainview.files.kinds.dbf import is_dbf
from plainview.files.kinds.signatures import (
    FAMILIES,
    IMAGE,
    NAMED,
    ODF,
    OFFICE,
    OFFICE_FIRST,
    OLE,
    PROGRAM,
    READ,
    SOUND,
    SPOKEN,
    SUFFIXES,
    TEXT_SIGNED,
    VIDEO,
)
from plainview.files.kinds.text import by_text, looks_binary

HEAD = 64 << 10

Seek = Callable[[int, int], bytes]  # (offset, length) -> bytes there; a negative offset counts from the end


@dataclass(frozen=True, slots=True)
class Kind:
    """`name` of the reader or unpacker, "" for none; `why` it is not, or not all, read; `notes` for the table.

    `harmless`: there is nothing in it that would have to be read.
    """

    name: str
    why: str = ""
    notes: tuple[str, ...] = ()
    harmless: bool = False


# of these what is kept about them is read
KEPT = {
    IMAGE: "what is kept about it was read, the picture itself was not (OCR is off)",
    SOUND: "its tags were read, what is heard was not",
    VIDEO: "its tags were read, what is seen and heard was not",
}
INDICES = frozenset({"_metadata", "_common_metadata"})  # of Parquet files in a folder, as Spark and Dask write them
# Formats that no text can be: a file that promises one and holds text is not what its owner takes it for.
DOCUMENTS = frozenset({"docx", "pptx", "odt", "odp", "odg", "pdf", "msg"})
BINARY = DOCUMENTS | {"parquet", "arrow", "avro", "xlsx", "xlsb", "xls", "ods", "sqlite", "duckdb", "bson"}
AOF = re.compile(rb"\*[1-9][0-9]{0,6}\r\n\$[0-9]{1,9}\r\n")  # a command, as Redis writes it
PACKERS = frozenset({"gzip", "bzip2", "xz", "lzma", "zstd", "lz4", "snappy", "compress", "pg_custom"})
ARCHIVES = frozenset({"zip", "tar"})
# of the others an empty file is a file without rows
NEVER_EMPTY = (BINARY - {"sqlite", "bson"}) | {"zip", "json", "xml"}


_BY_FIRST: dict[int, list[tuple[int, bytes, str, str]]] = {}
_ELSEWHERE: list[tuple[int, bytes, str, str]] = []


def _index() -> None:
    """Sort the signatures by their first byte, so that a text file costs one dictionary look-up."""
    rows = [(o, m, k, "") for o, m, k in READ] + [(o, m, "", w) for o, m, w in NAMED]
    for row in rows:
        if row[0] == 0:
            _BY_FIRST.setdefault(row[1][0], []).append(row)
        else:
            _ELSEWHERE.append(row)


_index()


def suffix_of(name: str) -> str:
    """Return the last suffix of a name in lower case; `a.csv.1` (rotated) and `a.csv~` give `.csv`."""
    path = PurePosixPath(name.rstrip("~"))
    while path.suffix[1:].isdigit() or path.suffix.lower() in {".bak", ".old", ".orig", ".tmp", ".part"}:
        path = path.with_suffix("")
    return path.suffix.lower()


def identify(head: bytes, name: str, size: int | None = None, seek: Seek | None = None) -> Kind:
    """Say what a file is. `head`: its first 64 KiB; `name`: without a packer's suffix; `size` in bytes."""
    suffix = suffix_of(name)
    if not head:
        promised = SUFFIXES.get(suffix, "")
        if promised in NEVER_EMPTY:
            return Kind("", f"empty, which no file of {SPOKEN.get(promised, promised)} is: cut short or never written")
        return Kind("", "empty", harmless=True)
    if head[:4] == b"crc\0" and suffix == ".crc":
        return Kind("", "checksums of the file beside it", harmless=True)
    if head[:4] == b"PAR1" and PurePosixPath(name).name in INDICES:
        return Kind("", "the index of the Parquet files beside it, which are read themselves", harmless=True)
    found = _by_magic(head, size, seek)
    if found is None and head[:1] == b"{" and b"}\0{" in head:
        found = Kind("ndjson")  # records that end with NUL (GELF over TCP)
    if found is None and looks_binary(head):
        found = _binary(head, suffix, size)
    if found is None:
        found = _text(head, suffix, size)
    return _with_note(found, suffix)


def _text(head: bytes, suffix: str, size: int | None) -> Kind:
    return Kind(by_text(head, suffix, SUFFIXES.get(suffix, ""), complete=size is not None and size <= len(head)))


def _with_note(found: Kind, suffix: str) -> Kind:
    """Add "named .csv, is Parquet" where name and content disagree."""
    promised = SUFFIXES.get(suffix, "")
    if not found.name or not promised or promised == found.name or found.notes:
        return found
    if any(promised in family and found.name in family for family in FAMILIES) or suffix in {".db", ".dump"}:
        return found
    note = f"named {suffix}, is {SPOKEN.get(found.name, found.name)}"
    odd = promised in BINARY and found.name not in BINARY | PACKERS | ARCHIVES
    return Kind(found.name, found.why or (f"{note}; read as what it is" if odd else ""), (note,))


def _by_magic(head: bytes, size: int | None, seek: Seek | None) -> Kind | None:
    rows = _BY_FIRST.get(head[0], ())
    for offset, magic, kind, why in (*rows, *_ELSEWHERE):
        if head.startswith(magic, offset) and (kind or offset != 8 or head[:4] == b"RIFF" or magic == b"DUCK"):
            return _refine(kind, why, head, size, seek)
    if head[:1] == b"*" and AOF.match(head):
        return Kind("aof")
    if head[:2] == b"MZ" and looks_binary(head[:512]):
        return Kind("", f"Windows, {PROGRAM}")
    if head[:2] == b"BM" and len(head) > 26 and head[6:10] == bytes(4):
        return Kind("", f"BMP, {IMAGE}")
    if head[:1] == b"\x80" and len(head) > 2 and 2 <= head[1] <= 5 and head[2] in b"}](\x95cX\x8c":
        return Kind("", "Python pickle (never loaded: loading one can run a program)")
    return None


def _refine(kind: str, why: str, head: bytes, size: int | None, seek: Seek | None) -> Kind | None:
    """Look closer at signatures that are shared by several kinds, or that text could begin with."""
    if not kind and why.endswith(tuple(KEPT)):
        return (
            Kind("media", f"{why}; {KEPT[why.rpartition(', ')[2].partition(' of ')[0]]}")
            if looks_binary(head)
            else None
        )
    if not kind:
        return Kind("", why) if why.startswith(TEXT_SIGNED) or looks_binary(head[:4096]) else None
    if kind == "zip":
        return _zip_kind(head, seek, size)
    if kind == "ole":
        return _ole_kind(head, seek)
    return Kind(kind) if _confirmed(kind, head, size) else None


def _confirmed(kind: str, head: bytes, size: int | None) -> bool:
    """Look at more than the few bytes of a short signature."""
    if kind == "bzip2":  # block or end mark: the digits of pi, of its square root
        return head[3:4].isdigit() and head[4:10] in (b"1AY&SY", b"\x17rE8P\x90")
    if kind == "lzma":
        return len(head) > 13 and head[12] in (0, 255) and looks_binary(head[:64])
    if kind == "parquet":
        return looks_binary(head)
    if kind == "rdb":
        return head[5:9].isdigit()
    if kind == "compress":
        return len(head) > 3 and 9 <= head[2] & 0x1F <= 16 and not head[2] & 0x60
    return kind != "arrow" or head[:4] != b"\xff\xff\xff\xff" or _plausible(head[4:8], size)


def _plausible(length: bytes, size: int | None) -> bool:
    return len(length) == 4 and 8 <= int.from_bytes(length, "little") <= (size or 1 << 30)


def _zip_kind(head: bytes, seek: Seek | None, size: int | None) -> Kind:
    """Tell office files, programs and plain archives apart by the names of their members."""
    if head[30:38] == b"mimetype":
        mime = head[38:120]
        if mime.startswith(b"application/epub"):
            return Kind("zip", notes=("an EPUB book",))
        for part, (kind, why) in ODF.items():
            if b"oasis.opendocument." + part in mime:
                return Kind(kind, why)
    members = _directory(seek, size) if seek and size else _front(head)
    is_office = "[Content_Types].xml" in members or "_rels/.rels" in members
    for prefix, kind, why in OFFICE:
        if (is_office or not prefix.endswith("/")) and any(member.startswith(prefix) for member in members):
            return Kind(kind, why)
    return Kind("zip")


def _directory(seek: Seek, size: int) -> set[str]:
    """Return member names out of the last 64 KiB of the central directory (APPNOTE 4.3.12, 4.3.16)."""
    tail = seek(-min(size, HEAD + 22), HEAD + 22)
    end = tail.rfind(b"PK\x05\x06")
    if end < 0 or len(tail) < end + 22:
        return set()
    (length,) = struct.unpack_from("<I", tail, end + 12)
    start = end - length
    return _names(tail, start if start >= 0 else max(0, tail.find(b"PK\x01\x02")), b"PK\x01\x02", 46)


def _front(head: bytes) -> set[str]:
    """Return the names of the local headers in the head, where the first is one that office files begin with.

    Without that test the members of an archive stored inside would be taken for those of this one.
    """
    first = _names(head, 0, b"PK\x03\x04", 30)
    if not any(name.startswith(OFFICE_FIRST) for name in first):
        return first
    names: set[str] = set()
    at = 0
    while at >= 0:
        names |= _names(head, at, b"PK\x03\x04", 30)
        at = head.find(b"PK\x03\x04", at + 4)
    return names


def _names(data: bytes, at: int, magic: bytes, fixed: int) -> set[str]:
    """Collect names of zip headers that follow each other; of local headers (fixed part 30 bytes) the first only."""
    names: set[str] = set()
    while data.startswith(magic, at) and at + fixed <= len(data) and len(names) < 1000:
        length, extra = struct.unpack_from("<HH", data, at + fixed - (18 if fixed == 46 else 4))
        comment = struct.unpack_from("<H", data, at + 32)[0] if fixed == 46 else 0
        names.add(data[at + fixed : at + fixed + min(length, 80)].decode("utf-8", "replace"))
        if fixed == 30:
            break
        at += fixed + length + extra + comment
    return names


def _ole_kind(head: bytes, seek: Seek | None) -> Kind:
    """Read names out of the directory of an OLE compound file ([MS-CFB] 2.2, 2.6)."""
    if len(head) < 512:
        return Kind("", "Office file, cut short")
    shift = min(struct.unpack_from("<H", head, 30)[0], 12)
    start = (struct.unpack_from("<I", head, 48)[0] + 1) << shift
    directory = head[start : start + 8192] or (seek(start, 8192) if seek else b"")
    names = {directory[at : at + 64].decode("utf-16-le", "replace").split("\0")[0]
             for at in range(0, len(directory) - 63, 128)}  # fmt: skip
    for wanted, kind, why in OLE:
        if wanted in names:
            return Kind(kind, why)
    return Kind("", "Office or installer file of an unknown sort (OLE)")


def _binary(head: bytes, suffix: str, size: int | None) -> Kind:
    """Name binary content without a signature: BSON and old tar by structure, else by suffix."""
    if is_dbf(head):
        return Kind("dbf")
    if _is_bson(head, size):
        return Kind("bson")
    if _is_old_tar(head):
        return Kind("tar")
    promised = SUFFIXES.get(suffix, "")
    if promised in {"bson", "csv", "tsv", "arrow"}:
        return Kind(promised)  # its reader tells what is broken
    if promised and promised not in {"json", "ndjson", "sql_dump", "text", "xml", "html"}:
        return Kind("", f"named {suffix}, but damaged or something else (unknown binary content)")
    if not head.strip(b"\0"):
        return Kind("", "nothing but zero bytes at its start")
    return Kind("", "binary content of an unknown kind")


def _is_bson(head: bytes, size: int | None) -> bool:
    """Tell a document whose length, first element and last byte fit (bsonspec.org)."""
    if len(head) < 5:
        return False
    length = int.from_bytes(head[:4], "little")
    if not 5 <= length <= (size if size is not None else 48 << 20) or length > 48 << 20:
        return False
    if length <= len(head) and head[length - 1]:
        return False
    if length == 5:
        return len(head) == 5 or _is_bson(head[5:], None)
    key_end = head.find(0, 5, 300)
    return (1 <= head[4] <= 0x13 or head[4] in (0x7F, 0xFF)) and key_end > 0 and not looks_binary(head[5:key_end])


def _is_old_tar(head: bytes) -> bool:
    """Tell whether the header checksum of a tar without `ustar` fits."""
    if len(head) < 512 or not head[0]:
        return False
    stored = head[148:156].strip(b" \0")
    return bool(re.fullmatch(rb"[0-7]{1,7}", stored)) and int(stored, 8) == sum(head[:148]) + 256 + sum(head[156:512])
