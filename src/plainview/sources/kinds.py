"""What a file is: by its bytes first, by its name second.

`identify` looks at the first 64 KiB (and, where the bytes can be sought, at a few more places) and returns
a `Kind`. Its `name` is a key of `formats.FORMATS`, or of `sources.packed`, or "" for what this version only
names; then `why` says what it is. Nothing is loaded or executed: a pickle stays a row of bytes.

Signatures: Gary Kessler's table, the `file` project's magic, and the specifications of each format.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath

from plainview.sources.kinds_text import by_text, looks_binary

HEAD = 64 << 10

Seek = Callable[[int, int], bytes]  # (offset, length) -> bytes there; a negative offset counts from the end


@dataclass(frozen=True, slots=True)
class Kind:
    """`name` of the reader or unpacker, "" when there is none; `why` it is not read; `notes` for the table."""

    name: str
    why: str = ""
    notes: tuple[str, ...] = ()


PACKERS = frozenset({"gzip", "bzip2", "xz", "lzma", "zstd"})
ARCHIVES = frozenset({"zip", "tar"})

# (offset, bytes, reader)
READ: tuple[tuple[int, bytes, str], ...] = (
    (0, b"PAR1", "parquet"),
    (0, b"ARROW1", "arrow"),
    (0, b"\xff\xff\xff\xff", "arrow"),
    (0, b"Obj\x01", "avro"),
    (0, b"SQLite format 3\x00", "sqlite"),
    (8, b"DUCK", "duckdb"),
    (0, b"\x1f\x8b\x08", "gzip"),
    (0, b"BZh", "bzip2"),
    (0, b"\xfd7zXZ\x00", "xz"),
    (0, b"\x5d\x00\x00", "lzma"),
    (0, b"\x28\xb5\x2f\xfd", "zstd"),
    (257, b"ustar", "tar"),
    (0, b"PK\x03\x04", "zip"),
    (0, b"PK\x05\x06", "zip"),
    (0, b"PK\x07\x08", "zip"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "ole"),
)

IMAGE, SOUND, VIDEO, FONT = "an image", "sound", "video", "a font"
PROGRAM, DISK, PACKED = "an executable program", "a disk image", "an archive of a form that is not unpacked"
LATER = "a document (documents are not read by this version)"
CRYPT = "encrypted"

# (offset, bytes, what it is): named in the coverage, not read
NAMED: tuple[tuple[int, bytes, str], ...] = (
    (0, b"%PDF-", f"PDF, {LATER}"),
    (0, b"{\\rtf", f"RTF, {LATER}"),
    (0, b"%!PS", f"PostScript, {LATER}"),
    (0, b"AT&TFORM", f"DjVu, {LATER}"),
    (0, b"!BDN", f"Outlook mail store, {LATER}"),
    (0, b"PGDMP", "pg_dump in its custom form (turn it into text first: pg_restore -f -)"),
    (0, b"REDIS0", "Redis snapshot (RDB), not read by this version"),
    (0, b"ORC", "ORC, not read by this version"),
    (0, b"FEA1", "Feather version 1, not read by this version"),
    (0, b"PARE", "Parquet with an encrypted footer"),
    (0, b"\x89HDF\r\n\x1a\n", "HDF5, not read by this version"),
    (0, b"CDF\x01", "NetCDF, not read by this version"),
    (0, b"\x93NUMPY", "NumPy array, not read by this version"),
    (0, b"$FL2", "SPSS data, not read by this version"),
    (0, b"<stata_dta>", "Stata data, not read by this version"),
    (0, b"RDX3\n", "R data, not read by this version"),
    (0, b"\x00\x01\x00\x00Standard ", "Microsoft Access database, not read by this version"),
    (0, b"7z\xbc\xaf\x27\x1c", f"7z, {PACKED}"),
    (0, b"Rar!\x1a\x07", f"RAR, {PACKED}"),
    (0, b"MSCF", f"CAB, {PACKED}"),
    (0, b"\x04\x22\x4d\x18", f"LZ4, {PACKED}"),
    (0, b"LZIP", f"lzip, {PACKED}"),
    (0, b"\x89LZO", f"lzop, {PACKED}"),
    (0, b"\xff\x06\x00\x00sNaPpY", f"Snappy, {PACKED}"),
    (0, b"\x1f\x9d", f"compress (.Z), {PACKED}"),
    (0, b"!<arch>\n", f"ar, {PACKED}"),
    (0, b"070701", f"cpio, {PACKED}"),
    (0, b"xar!", f"xar, {PACKED}"),
    (0, b"\xed\xab\xee\xdb", f"RPM package, {PACKED}"),
    (0, b"-----BEGIN PGP MESSAGE", f"PGP message, {CRYPT}"),
    (0, b"age-encryption.org/", f"age, {CRYPT}"),
    (0, b"Salted__", f"OpenSSL, {CRYPT}"),
    (0, b"LUKS\xba\xbe", f"LUKS volume, {CRYPT}"),
    (0, b"\x03\xd9\xa2\x9a", f"KeePass database, {CRYPT}"),
    (0, b"\x89PNG\r\n\x1a\n", f"PNG, {IMAGE}"),
    (0, b"\xff\xd8\xff", f"JPEG, {IMAGE}"),
    (0, b"GIF87a", f"GIF, {IMAGE}"),
    (0, b"GIF89a", f"GIF, {IMAGE}"),
    (0, b"II*\x00", f"TIFF, {IMAGE}"),
    (0, b"MM\x00*", f"TIFF, {IMAGE}"),
    (0, b"8BPS\x00\x01", f"Photoshop, {IMAGE}"),
    (0, b"\x00\x00\x01\x00", f"ICO, {IMAGE}"),
    (0, b"\x00\x00\x00\x0cjP  ", f"JPEG 2000, {IMAGE}"),
    (8, b"WEBP", f"WebP, {IMAGE}"),
    (128, b"DICM", f"DICOM, {IMAGE} of a patient"),
    (4, b"ftypheic", f"HEIC, {IMAGE}"),
    (4, b"ftypmif1", f"HEIC, {IMAGE}"),
    (4, b"ftypavif", f"AVIF, {IMAGE}"),
    (4, b"ftypM4A", f"M4A, {SOUND}"),
    (4, b"ftyp", f"MP4, {VIDEO}"),
    (4, b"moov", f"QuickTime, {VIDEO}"),
    (8, b"AVI ", f"AVI, {VIDEO}"),
    (8, b"WAVE", f"WAV, {SOUND}"),
    (0, b"\x1a\x45\xdf\xa3", f"Matroska, {VIDEO}"),
    (0, b"FLV\x01", f"FLV, {VIDEO}"),
    (0, b"\x00\x00\x01\xba", f"MPEG, {VIDEO}"),
    (0, b"\x00\x00\x01\xb3", f"MPEG, {VIDEO}"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", f"ASF, {VIDEO}"),
    (0, b"ID3", f"MP3, {SOUND}"),
    (0, b"\xff\xfb", f"MP3, {SOUND}"),
    (0, b"OggS", f"Ogg, {SOUND}"),
    (0, b"fLaC", f"FLAC, {SOUND}"),
    (0, b"#!AMR", f"AMR, {SOUND}"),
    (0, b"MThd", f"MIDI, {SOUND}"),
    (0, b"OTTO\x00", f"OpenType, {FONT}"),
    (0, b"\x00\x01\x00\x00\x00", f"TrueType, {FONT}"),
    (0, b"ttcf", f"TrueType, {FONT}"),
    (0, b"wOFF", f"WOFF, {FONT}"),
    (0, b"wOF2", f"WOFF2, {FONT}"),
    (0, b"\x7fELF", f"ELF, {PROGRAM}"),
    (0, b"\xca\xfe\xba\xbe", f"Java class or Mach-O, {PROGRAM}"),
    (0, b"\xcf\xfa\xed\xfe", f"Mach-O, {PROGRAM}"),
    (0, b"\xce\xfa\xed\xfe", f"Mach-O, {PROGRAM}"),
    (0, b"\x00asm", f"WebAssembly, {PROGRAM}"),
    (0, b"dex\n03", f"Dalvik, {PROGRAM}"),
    (0, b"\xed\xfe\xed\xfe\x00\x00\x00", f"Java key store, {CRYPT}"),
    (0, b"\xac\xed\x00\x05", "Java serialised objects (never loaded)"),
    (0, b"QFI\xfb", f"QCOW, {DISK}"),
    (0, b"KDMV", f"VMDK, {DISK}"),
    (0, b"conectix", f"VHD, {DISK}"),
    (32769, b"CD001", f"ISO 9660, {DISK}"),
    (0, b"\xd4\xc3\xb2\xa1", "network capture (pcap), not read by this version"),
    (0, b"\xa1\xb2\xc3\xd4", "network capture (pcap), not read by this version"),
    (0, b"\x0a\x0d\x0d\x0a", "network capture (pcapng), not read by this version"),
    (0, b"PACK\x00\x00\x00", "git pack, not read by this version"),
    (0, b"DIRC\x00\x00\x00", "git index, not read by this version"),
    (0, b"bplist00", "binary property list, not read by this version"),
)

TEXT_SIGNED = (
    "PDF",
    "RTF",
    "PostScript",
    "PGP",
    "age",
)  # their signature is enough: the rest may look like text

# suffix -> kind that the name promises; the content decides, the name only settles what content leaves open
SUFFIXES: dict[str, str] = {
    **dict.fromkeys((".csv", ".psv", ".ssv"), "csv"),
    **dict.fromkeys((".tsv", ".tab"), "tsv"),
    **dict.fromkeys((".json", ".geojson", ".har", ".topojson", ".webmanifest", ".ipynb"), "json"),
    **dict.fromkeys((".ndjson", ".jsonl", ".ldjson", ".geojsonl"), "ndjson"),
    **dict.fromkeys((".xml", ".xsd", ".rss", ".atom", ".kml", ".gpx", ".svg", ".xliff", ".plist"), "xml"),
    **dict.fromkeys((".html", ".htm", ".xhtml"), "html"),
    **dict.fromkeys((".sql", ".dump", ".ddl"), "sql_dump"),
    **dict.fromkeys((".parquet", ".pq", ".parq"), "parquet"),
    **dict.fromkeys((".arrow", ".feather", ".ipc", ".arrows"), "arrow"),
    **dict.fromkeys((".sqlite", ".sqlite3", ".db", ".db3"), "sqlite"),
    **dict.fromkeys((".duckdb", ".ddb"), "duckdb"),
    **dict.fromkeys((".xlsx", ".xlsm", ".xltx", ".xltm"), "xlsx"),
    **dict.fromkeys((".xls", ".xlt"), "xls"),
    **dict.fromkeys((".tgz", ".gz", ".gzip"), "gzip"),
    **dict.fromkeys((".tbz2", ".tbz", ".bz2"), "bzip2"),
    **dict.fromkeys((".txz", ".xz"), "xz"),
    **dict.fromkeys((".tzst", ".zst", ".zstd"), "zstd"),
    ".avro": "avro", ".bson": "bson", ".xlsb": "xlsb", ".ods": "ods", ".zip": "zip", ".tar": "tar", ".lzma": "lzma",
}  # fmt: skip
FAMILIES = ({"csv", "tsv", "text"}, {"json", "ndjson"}, {"xml", "html"})
SPOKEN = {"sql_dump": "an SQL dump", "csv": "CSV", "tsv": "TSV", "json": "JSON", "ndjson": "NDJSON", "xml": "XML",
          "html": "HTML", "bson": "BSON", "sqlite": "SQLite", "duckdb": "DuckDB", "parquet": "Parquet", "avro": "Avro",
          "arrow": "Arrow"}  # fmt: skip

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
    """Say what a file is. `head`: its first 64 KiB; `name`: without the suffix of a packer; `size` in bytes."""
    if not head:
        return Kind("", "empty")
    suffix = suffix_of(name)
    found = _by_magic(head, size, seek)
    if found is None and looks_binary(head):
        found = _binary(head, suffix, size)
    if found is None:
        found = Kind(
            by_text(head, suffix, SUFFIXES.get(suffix, ""), complete=size is not None and size <= len(head))
        )
    return _with_note(found, suffix)


def _with_note(found: Kind, suffix: str) -> Kind:
    """Add "named .csv, is Parquet" where name and content disagree."""
    promised = SUFFIXES.get(suffix, "")
    if not found.name or not promised or promised == found.name or found.notes:
        return found
    if any(promised in family and found.name in family for family in FAMILIES) or suffix in {".db", ".dump"}:
        return found
    return Kind(found.name, found.why, (f"named {suffix}, is {SPOKEN.get(found.name, found.name)}",))


def _by_magic(head: bytes, size: int | None, seek: Seek | None) -> Kind | None:
    rows = _BY_FIRST.get(head[0], ())
    for offset, magic, kind, why in (*rows, *_ELSEWHERE):
        if head.startswith(magic, offset) and (
            kind or offset != 8 or head[:4] == b"RIFF" or magic == b"DUCK"
        ):
            return _refine(kind, why, head, size, seek)
    if head[:2] == b"MZ" and looks_binary(head[:512]):
        return Kind("", f"Windows, {PROGRAM}")
    if head[:2] == b"BM" and len(head) > 26 and head[6:10] == bytes(4):
        return Kind("", f"BMP, {IMAGE}")
    if head[:1] == b"\x80" and len(head) > 2 and 2 <= head[1] <= 5 and head[2] in b"}](\x95cX\x8c":
        return Kind("", "Python pickle (never loaded: loading one can run a program)")
    return None


def _refine(kind: str, why: str, head: bytes, size: int | None, seek: Seek | None) -> Kind | None:
    """Look closer at signatures that are shared by several kinds, or that text could begin with."""
    if not kind:
        return Kind("", why) if why.startswith(TEXT_SIGNED) or looks_binary(head[:4096]) else None
    if kind == "zip":
        return _zip_kind(head, seek, size)
    if kind == "ole":
        return _ole_kind(head, seek)
    if kind == "bzip2" and not (head[3:4].isdigit() and head[4:10] in (b"1AY&SY", b"\x17rE8P\x90")):
        return None
    if kind == "lzma" and not (len(head) > 13 and head[12] in (0, 255) and looks_binary(head[:64])):
        return None
    if kind == "parquet" and not looks_binary(head):
        return None
    if kind == "arrow" and head[:4] == b"\xff\xff\xff\xff" and not _plausible(head[4:8], size):
        return None
    return Kind(kind)


def _plausible(length: bytes, size: int | None) -> bool:
    return len(length) == 4 and 8 <= int.from_bytes(length, "little") <= (size or 1 << 30)


OFFICE = (("xl/workbook.bin", "xlsb", ""), ("xl/", "xlsx", ""), ("word/", "", f"Word, {LATER}"),
          ("ppt/", "", f"PowerPoint, {LATER}"), ("visio/", "", f"Visio, {LATER}"),
          ("META-INF/MANIFEST.MF", "", f"JAR, {PROGRAM}"), ("AndroidManifest.xml", "", f"APK, {PROGRAM}"),
          ("Index/Document.iwa", "", f"iWork, {LATER}"), ("doc.kml", "zip", ""))  # fmt: skip
ODF = {b"spreadsheet": ("ods", ""), b"text": ("", f"OpenDocument text, {LATER}"), b"pres": ("", f"Slides, {LATER}"),
       b"graphics": ("", f"OpenDocument drawing, {LATER}")}  # fmt: skip


def _zip_kind(head: bytes, seek: Seek | None, size: int | None) -> Kind:
    """Tell office files, programs and plain archives apart by the names of their members."""
    if head[30:38] == b"mimetype":
        mime = head[38:120]
        if mime.startswith(b"application/epub"):
            return Kind("", f"EPUB, {LATER}")
        for part, (kind, why) in ODF.items():
            if b"oasis.opendocument." + part in mime:
                return Kind(kind, why)
    tail = seek(-min(size or HEAD, HEAD), HEAD) if seek else b""
    members = _member_names(head, b"PK\x03\x04", 26, 30) | _member_names(tail, b"PK\x01\x02", 28, 46)
    is_office = "[Content_Types].xml" in members or "_rels/.rels" in members
    for prefix, kind, why in OFFICE:
        if (is_office or not prefix.endswith("/")) and any(member.startswith(prefix) for member in members):
            return Kind(kind, why)
    return Kind("zip")


def _member_names(data: bytes, magic: bytes, length_at: int, name_at: int) -> set[str]:
    """Collect the member names of all zip headers that begin inside `data`."""
    names: set[str] = set()
    at = data.find(magic)
    while at >= 0 and len(names) < 1000:
        if at + name_at <= len(data):
            (length,) = struct.unpack_from("<H", data, at + length_at)
            names.add(data[at + name_at : at + name_at + min(length, 80)].decode("utf-8", "replace"))
        at = data.find(magic, at + 4)
    return names


OLE = (("EncryptedPackage", "", f"Office file, {CRYPT} with a password"), ("Workbook", "xls", ""), ("Book", "xls", ""),
       ("WordDocument", "", f"Word, {LATER}"), ("PowerPoint Document", "", f"PowerPoint, {LATER}"),
       ("__nameid_version1.0", "", f"Outlook mail, {LATER}"), ("__properties_version1.0", "", f"Outlook mail, {LATER}"),
       ("VisioDocument", "", f"Visio, {LATER}"))  # fmt: skip


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
    """True for a document whose length, first element and last byte fit (bsonspec.org)."""
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
    return (
        (1 <= head[4] <= 0x13 or head[4] in (0x7F, 0xFF))
        and key_end > 0
        and not looks_binary(head[5:key_end])
    )


def _is_old_tar(head: bytes) -> bool:
    """True when the header checksum of a tar without `ustar` fits."""
    if len(head) < 512 or not head[0]:
        return False
    stored = head[148:156].strip(b" \0")
    return bool(re.fullmatch(rb"[0-7]{1,7}", stored)) and int(stored, 8) == sum(head[:148]) + 256 + sum(
        head[156:512]
    )
