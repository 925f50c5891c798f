"""What is kept about pictures, sound and video: EXIF, IPTC, XMP, tags. One row for a file, whatever it shows.

Positions are counted like those of any table: degrees in a column. No place is looked up.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from plainview.documents.walk import documents_to_frame
from plainview.documents.xml import text_to_document
from plainview.files.encodings.declared import decoded
from plainview.files.formats.media import tags
from plainview.files.formats.media.exif import Row, exif, iptc
from plainview.tables import MIB, Batch, Input, ReadLog, Table

LOOK = 4 * MIB  # bytes at the beginning in which something is looked for
BOX = 16 * MIB  # of the box of a movie
TEXT = 256 << 10  # bytes of a packed text of PNG
CHUNKS = 20_000
_SOUGHT = (b"\x89PNG", b"II*\0", b"MM\0*")
_BOXES = (b"ftyp", b"moov")
TIFF = 64 * MIB
_EXIF = re.compile(rb"Exif\0\0(?=II\*\0|MM\0\*)")
_COMMENTS = re.compile(rb"\x03vorbis|OpusTags")


def read(source: Input, log: ReadLog) -> Iterator[Batch]:
    """Yield a row of what is kept about the file; nothing where nothing is."""
    log.listed()
    row: Row = {}
    head = source.head
    try:
        with source.seekable() if head[:4] in _SOUGHT or head[4:8] in _BOXES else source.open() as stream:
            _look(head, stream, row, source)
            if head[:4] in _SOUGHT[1:] and not row and source.size and source.size > TIFF:
                log.skip(source.name, f"what stands behind its first {TIFF // MIB} MiB was not looked at")
    except (struct.error, IndexError, ValueError, OverflowError):
        log.skip(source.name, "what is kept about it is damaged; what came before was read")
    if row:
        table = Table(source.name, "media", ("what is kept about it",))
        yield Batch(table, documents_to_frame([row], limits=source.limits, log=log, name=source.name))


def _look(head: bytes, stream: BinaryIO, row: Row, source: Input) -> None:
    if head.startswith(b"\xff\xd8\xff"):
        _jpeg(stream.read(LOOK), row)
    elif head.startswith(b"\x89PNG"):
        _png(stream, row, source)
    elif head[:4] in _SOUGHT:
        xmp, packet = exif(stream.read(TIFF), row)
        iptc(packet, row)
        _xmp(xmp, row)
    elif head.startswith(b"RIFF"):
        _riff(stream.read(LOOK), row)
    elif head[4:8] in _BOXES and head[4:12] not in (b"ftypheic", b"ftypmif1", b"ftypavif"):
        _movie(stream, row)
    elif head.startswith(b"ID3"):
        tags.id3(stream.read(LOOK), row)
    elif head.startswith(b"fLaC"):
        _flac(stream.read(LOOK), row)
    elif head.startswith(b"OggS"):
        data = stream.read(LOOK)
        if found := _COMMENTS.search(data):
            tags.vorbis(data[found.end() :], row)
    else:
        _anything(stream.read(LOOK), row)


def _anything(data: bytes, row: Row) -> None:
    """Look for EXIF and XMP wherever they stand: in HEIC, Photoshop, GIF."""
    if found := _EXIF.search(data):
        exif(data[found.end() :], row)
    _xmp(data, row)


def _xmp(data: bytes, row: Row) -> None:
    """Add the properties of an XMP packet (ISO 16684-1) that say something of somebody."""
    start = data.find(b"<x:xmpmeta")
    end = data.find(b"</x:xmpmeta>", start)
    if 0 <= start < end and (document := text_to_document(data[start : end + 12].decode("utf-8", "replace"))):
        row.setdefault("xmp", document)


def _jpeg(data: bytes, row: Row) -> None:
    """Walk the segments before the picture itself (ITU T.81, JEITA CP-3451)."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        mark, size = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if mark in (0xDA, 0xD9):
            return
        if mark == 0xFF or size < 2:
            at += 1
            continue
        body = data[at + 4 : at + 2 + size]
        if mark == 0xE1 and body.startswith(b"Exif\0\0"):
            exif(body[6:], row)
        elif mark == 0xE1 and body.startswith(b"http://ns.adobe.com/xap/1.0/\0"):
            _xmp(body[29:], row)
        elif mark == 0xED:
            _photoshop(body, row)
        elif mark == 0xFE:
            tags.add(row, "comment", decoded(body)[0])
        at += 2 + size


def _photoshop(body: bytes, row: Row) -> None:
    at = body.find(b"8BIM\x04\x04")
    if at >= 0:
        iptc(body[at + 6 :], row)


def _png(stream: BinaryIO, row: Row, source: Input) -> None:
    """Walk the chunks (W3C PNG, 11.3.3)."""
    stream.read(8)
    for _ in range(CHUNKS):
        source.deadline.check()
        head = stream.read(8)
        if len(head) < 8:
            return
        size, name = int.from_bytes(head[:4], "big"), head[4:]
        if name not in (b"tEXt", b"zTXt", b"iTXt", b"eXIf"):
            stream.seek(size + 4, 1)
            continue
        body = stream.read(min(size, LOOK))
        stream.seek(size - len(body) + 4, 1)
        key, _, value = body.partition(b"\0")
        if name == b"eXIf":
            exif(body, row)
        elif name == b"tEXt":
            tags.add(row, _word(key), decoded(value)[0])
        elif name == b"zTXt":
            tags.add(row, _word(key), decoded(_unpacked(value[1:]))[0])
        else:
            packed, text = value[:1] == b"\1", value[2:].split(b"\0", 2)[-1]
            text = _unpacked(text) if packed else text
            if key.startswith(b"XML:"):
                _xmp(text, row)
            else:
                tags.add(row, _word(key), text.decode("utf-8", "replace"))


def _word(key: bytes) -> str:
    """Return the name of a text; what is no word is called "text"."""
    word = key.decode("latin-1").strip().lower().replace(" ", "_")
    return word if re.fullmatch(r"[a-z_]{2,30}", word) else "text"


def _unpacked(data: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(data, TEXT)
    except zlib.error:
        return b""


def _riff(data: bytes, row: Row) -> None:
    """Walk the chunks of WebP, WAV and AVI."""
    for name, body in tags.chunks(data[12:]):
        if name == b"EXIF":
            exif(body.removeprefix(b"Exif\0\0"), row)
        elif name == b"XMP ":
            _xmp(body, row)
        elif name == b"LIST" and body.startswith(b"INFO"):
            tags.info(body[4:], row)
        elif name == b"bext":
            tags.add(row, "description", decoded(body[:256])[0])
            tags.add(row, "originator", decoded(body[256:288])[0])


def _movie(stream: BinaryIO, row: Row) -> None:
    """Walk the boxes up to the one that describes the movie."""
    for _ in range(1_000):
        head = stream.read(8)
        if len(head) < 8:
            return
        size, name = int.from_bytes(head[:4], "big"), head[4:]
        rest = size - 8
        if size == 1:
            rest = int.from_bytes(stream.read(8), "big") - 16
        if name in (b"moov", b"udta", b"meta", b"uuid"):
            data = stream.read(min(BOX, rest) if size else BOX)
            tags.movie(data, row)
            _xmp(data, row)
            rest -= len(data)
        if rest < 0 or not size:
            return
        stream.seek(rest, 1)


def _flac(data: bytes, row: Row) -> None:
    at = 4
    while at + 4 <= len(data):
        kind, size = data[at], int.from_bytes(data[at + 1 : at + 4], "big")
        if kind & 0x7F == 4:
            tags.vorbis(data[at + 4 : at + 4 + size], row)
        at += 4 + size
        if kind & 0x80:
            return


__all__ = ["read"]
