"""What is kept about sound and video: ID3, comments of Vorbis, INFO of RIFF, metadata of ISO files. Bounded."""

from __future__ import annotations

import re
from collections.abc import Iterator

from plainview.files.encodings.declared import decoded
from plainview.files.formats.media.exif import USER, Row

VALUE = 64 << 10  # bytes of one value
MOST = 2_000  # values of one file
_ID3 = {
    "TPE1": "artist", "TPE2": "artist", "TPE3": "artist", "TP1": "artist", "TIT2": "title", "TT2": "title",
    "TCOM": "composer", "TEXT": "writer", "TCOP": "copyright", "TENC": "encoded_by", "TOWN": "owner", "COMM": "comment",
    "COM": "comment", "USLT": "lyrics", "TXXX": "other", "WXXX": "url", "TOPE": "artist", "IPLS": "people",
    "TIPL": "people",
}  # fmt: skip
_CODECS = ("latin-1", "utf-16", "utf-16-be", "utf-8")
_VORBIS = frozenset(
    "artist author title comment description contact copyright performer composer location organization encoded_by "
    "lyrics license email".split()
)
_INFO = {
    b"IART": "artist", b"ICMT": "comment", b"ICOP": "copyright", b"INAM": "title", b"IENG": "engineer",
    b"ITCH": "technician", b"ISBJ": "subject", b"IKEY": "keywords", b"ILOC": "location",
}  # fmt: skip
_ISO = {
    b"\xa9ART": "artist", b"\xa9aut": "author", b"\xa9nam": "title", b"\xa9cmt": "comment", b"\xa9cpy": "copyright",
    b"\xa9wrt": "composer", b"aART": "artist", b"desc": "description", b"cprt": "copyright", b"\xa9des": "description",
    b"\xa9prd": "producer", b"\xa9dir": "director", b"\xa9prf": "performer", b"\xa9mod": "model", b"\xa9mak": "make",
}  # fmt: skip
_ISO_BOX = re.compile(b"|".join(re.escape(name) for name in _ISO))
_POSITION = re.compile(
    rb"([+-][0-9]{2}(?:\.[0-9]{1,8})?)([+-][0-9]{3}(?:\.[0-9]{1,8})?)(?:[+-][0-9.]{1,12})?/"
)  # ISO 6709


def add(row: Row, name: str, text: str) -> None:
    """Add a value to a row."""
    text = text.replace("\0", " ").strip()
    if text and len(row.setdefault(name, [])) < MOST:
        row[name].append(text)


def id3(data: bytes, row: Row) -> None:
    """Add the frames of an ID3v2 tag (id3.org), which begins the data."""
    version = data[3]
    wide, size = version > 2, _synchsafe(data[6:10])
    end, at = min(len(data), 10 + size), 10
    if data[5] & 0x40 and wide:
        at += _synchsafe(data[10:14]) if version == 4 else int.from_bytes(data[10:14], "big") + 4
    head = 10 if wide else 6
    while at + head <= end and data[at]:
        name = data[at : at + (4 if wide else 3)].decode("latin-1")
        length = data[at + 4 : at + 8] if wide else data[at + 3 : at + 6]
        size = _synchsafe(length) if version == 4 else int.from_bytes(length, "big")
        if column := _ID3.get(name):
            body = data[at + head : min(end, at + head + min(size, VALUE))]
            codec = _CODECS[body[0]] if body and body[0] < 4 else "latin-1"
            skip = 4 if column in {"comment", "lyrics"} else 1
            add(row, column, body[skip:].decode(codec, "replace").replace("\ufeff", ""))
        at += head + size


def _synchsafe(data: bytes) -> int:
    number = 0
    for byte in data:
        number = number << 7 | byte & 0x7F
    return number


def vorbis(data: bytes, row: Row) -> None:
    """Add the comments of Vorbis, Opus or FLAC; `data` begins with the length of the vendor."""
    at = 4 + int.from_bytes(data[:4], "little")
    count = int.from_bytes(data[at : at + 4], "little")
    at += 4
    for _ in range(min(count, MOST)):
        size = int.from_bytes(data[at : at + 4], "little")
        if at + 4 >= len(data):
            break
        name, _, text = decoded(data[at + 4 : at + 4 + min(size, VALUE)])[0].partition("=")
        if name.lower() in _VORBIS:
            add(row, name.lower(), text)
        at += 4 + size


def info(data: bytes, row: Row) -> None:
    """Add the chunks of an INFO list of RIFF."""
    for name, body in chunks(data):
        if name in _INFO:
            add(row, _INFO[name], decoded(body[:VALUE])[0])


def chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield (name, content) of the chunks of RIFF that follow each other."""
    at = 0
    while at + 8 <= len(data):
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        yield data[at : at + 4], data[at + 8 : at + 8 + size]
        at += 8 + size + (size & 1)


def movie(data: bytes, row: Row) -> None:
    """Add what the box `moov` of an ISO file (14496-12) keeps: texts by their names, positions by their form."""
    found = _ISO_BOX.search(data)
    while found:
        at = found.end()
        size = int.from_bytes(data[max(0, found.start() - 4) : found.start()], "big") - 8
        body = b""
        if data[at + 4 : at + 8] == b"data":
            body = data[at + 16 : at + min(size, VALUE)]
        elif 4 < size < VALUE and 0 < (length := int.from_bytes(data[at : at + 2], "big")) <= size - 4:
            body = data[at + 4 : at + 4 + length]  # of QuickTime: length, language
        if body and (text := decoded(body)[0]).isprintable():
            add(row, _ISO[found[0]], text)
            at += len(body)
        found = _ISO_BOX.search(data, at + min(len(body), 16))
    for found in _POSITION.finditer(data):
        add(row.setdefault(USER, {}), "gps_latitude", found[1].decode().lstrip("+"))
        add(row[USER], "gps_longitude", found[2].decode().lstrip("+"))


__all__ = ["add", "chunks", "id3", "info", "movie", "vorbis"]
