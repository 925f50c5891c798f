"""Which encoding a text is in, and any text as a stream of valid UTF-8 blocks.

`detect` judges a head; `utf8_blocks` transcodes a whole input and keeps watching: a file that is ASCII in its head
and Latin-1 in its tail is noticed where it changes, said in `notes`, and never read as mojibake in silence.
"""

from __future__ import annotations

import codecs
import io
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Literal

from plainview.tables import MIB, Input, ReadLog

if TYPE_CHECKING:
    from plainview.tables import Deadline

BLOCK = 16 * MIB
BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16: it begins with its BOM
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
HEAD = 64 << 10
NEAR = 64 << 10  # bytes before the end of a block in which the end of a line is looked for
# Polars takes text that begins so for zlib, gzip or zstd, and unpacks it without limits: `x^2` is enough.
_PACKED = (b"x\x01", b"x^", b"x\x9c", b"x\xda", b"\x1f\x8b", b"\x28\xb5\x2f\xfd")
_HIGH = bytes(range(128, 256))
_SEQUENCE = re.compile(rb"(?:[\xc2-\xdf]|[\xe0-\xef][\x80-\xbf]|[\xf0-\xf4][\x80-\xbf]{2})[\x80-\xbf]")
_ISO_2022_JP = re.compile(rb"\x1b\$[@B][!-~]+\x1b\([BJ]")
_PAIR = re.compile(rb"[\t\n\r -~]{2}")  # in UTF-16 a rare sign each
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


@dataclass(frozen=True, slots=True)
class Encoding:
    """An encoding by its IANA name, whether it had to be assumed, and the bytes of the byte order mark."""

    name: str
    assumed: bool = False
    bom: int = 0

    @property
    def note(self) -> str:
        """What a report says of it; nothing for UTF-8."""
        if self.name == "utf-8":
            return ""
        return f"read as {self.name}" + (" (assumed)" if self.assumed else "")


def detect(head: bytes, *, whole: bool = False) -> Encoding:
    """Return the encoding of a text by its first bytes; `whole`: nothing follows them. Never fails.

    What is ASCII so far counts as UTF-8. Without a byte order mark, UTF-16 and UTF-32 show by their zero bytes,
    damaged UTF-8 by most sequences being right; all else is judged by its letters (`letters.best`).
    """
    for bom, name in BOMS:
        if head.startswith(bom):
            return Encoding(name, bom=len(bom))
    if 0 in head[:4096] and (wide := _wide(head[:4096])):
        return Encoding(wide, assumed=True)
    if head.isascii():
        return Encoding("iso-2022-jp", assumed=True) if _ISO_2022_JP.search(head) else Encoding("utf-8")
    if valid_utf8(head if whole else head[: boundary(head)]):
        return Encoding("utf-8")
    high = len(head) - len(head.translate(None, _HIGH))
    if sum(map(len, _SEQUENCE.findall(head))) > 0.8 * high:
        return Encoding("utf-8")
    from plainview.files.encodings.letters import best

    return Encoding(best(head, whole=whole), assumed=True)


def _wide(head: bytes) -> str:
    """Return the UTF-16 or UTF-32 that puts the zero bytes where they are: above ASCII letters or line ends."""
    places = [head[at::4].count(0) for at in range(4)]
    quarter = len(head) // 4
    if quarter and min(places[:3]) == 0 and places[3] >= quarter and places[2] > 0.9 * quarter:
        return "utf-32-le"
    if quarter and min(places[1:]) == 0 and places[0] >= quarter and places[1] > 0.9 * quarter:
        return "utf-32-be"
    even, odd = head[0::2], head[1::2]
    if len(_PAIR.findall(head)) > len(odd) // 2:
        return ""  # bytes of ASCII, and a few zeros: a piece of UTF-16 put behind other text
    # Chinese in UTF-16 has few zero bytes, but each comma, digit and line end has one
    little = sum(pair in head for pair in (b"\n\0", b",\0", b";\0", b"\t\0", b" \0"))
    big = sum(pair in head for pair in (b"\0\n", b"\0,", b"\0;", b"\0\t", b"\0 "))
    if odd.count(0) > 8 * even.count(0) and little and odd.count(0) > len(odd) // 50:
        return "utf-16-le"
    if even.count(0) > 8 * odd.count(0) and big and even.count(0) > len(even) // 50:
        return "utf-16-be"
    return ""


def valid_utf8(data: bytes) -> bool:
    """Return whether all of it is UTF-8; about 10 GB/s for large data (Polars validates with SIMD)."""
    if len(data) < 1 << 16:
        try:
            data.decode()
        except UnicodeDecodeError:
            return False
        return True
    import polars as pl

    try:
        pl.Series([data], dtype=pl.Binary).cast(pl.String)
    except pl.exceptions.PolarsError:
        return False
    return True


def polars_would_unpack(data: bytes) -> bool:
    """Return whether Polars' CSV and JSON readers would take this text for packed: they must not be given it."""
    return data.startswith(_PACKED)


def boundary(data: bytes) -> int:
    """Return the length of `data` without a UTF-8 sequence that its end cuts."""
    for back in range(1, min(4, len(data)) + 1):
        byte = data[-back]
        if byte >= 0xC0:  # a lead byte: cut if the sequence needs more than `back` bytes
            need = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return len(data) - back if need > back else len(data)
        if byte < 0x80:
            break
    return len(data)


class Utf8Blocks(Iterator[bytes]):
    """The iterator of `utf8_blocks`. `encoding` and `notes` may change while it is read; `last`: no block follows.

    With `lazy`, blocks of UTF-8 are not validated: the caller's parser does it, and calls `repair` on what it
    refuses before it asks for the next block; with "lines", not those that end where a line does. Of files, blocks
    do, if one ends near.
    """

    def __init__(self, source: Input, log: ReadLog, block: int = 0, *, lazy: bool | Literal["lines"] = False) -> None:
        whole = source.size is not None and source.size <= len(source.head)
        self.encoding = detect(source.head, whole=whole)
        self.notes: tuple[str, ...] = (self.encoding.note,) if self.encoding.note else ()
        self.last = False
        self._broken_rows = 0
        self._multibyte = False  # valid sequences of UTF-8 were seen
        self._source, self._log, self._lazy = source, log, lazy
        self._decoder = _decoder(self.encoding.name)
        self._blocks = self._run(max(block or BLOCK, 4))

    def __next__(self) -> bytes:
        data = next(self._blocks)
        if b"%" in data:  # one byte is found ten times as fast as three
            data = data.replace(b"%40", b"@")  # as queries of addresses write it
        return data

    def _run(self, block: int) -> Iterator[bytes]:
        skip, rest, first = self.encoding.bom, b"", True
        for raw, last in _raw(self._source, self._log, block):
            data = rest + raw[skip:] if rest or skip else raw
            skip, rest = 0, b""
            if self.encoding.assumed and first:
                self._judge_again(raw[:MIB])
            first = False
            if self.encoding.name == "utf-8":
                end = len(data) if last else boundary(data)
                if end < len(data):
                    rest, data = data[end:], data[:end]
                if not self._trusted(data) and not self.valid(data):
                    data = self.repair(data)
            else:
                data = self._transcode(data, last=last)
            self.last = last
            if data or last:
                yield data
        if self._broken_rows:
            self._log.skip(self._source.name, _broken(self._broken_rows, self.encoding.name))

    def _judge_again(self, data: bytes) -> None:
        """Look at more: the head may hold one name with an accent, the first block a thousand."""
        if len(data) > len(self._source.head):
            self.encoding = detect(data)
            self.notes = (self.encoding.note,) if self.encoding.note else ()
            self._decoder = _decoder(self.encoding.name)

    def _trusted(self, data: bytes) -> bool:
        """Return whether the caller sees to it that `data` is UTF-8."""
        return data.endswith(b"\n") if self._lazy == "lines" else self._lazy

    def mended(self, data: bytes) -> bytes:
        """Return `data` as UTF-8, whatever it is."""
        return data if self.valid(data) else self.repair(data)

    def valid(self, data: bytes) -> bool:
        """Return whether `data` is UTF-8, and remember that this file has such sequences."""
        if data.isascii():
            return True
        if not valid_utf8(data):
            return False
        self._multibyte = True
        return True

    def repair(self, data: bytes) -> bytes:
        """Return bytes that are not UTF-8 as UTF-8: read on in another encoding if that explains them better."""
        if self.encoding.name != "utf-8":
            return data
        better = self.encoding if self._multibyte else detect(_around(data), whole=False)
        if better.name.startswith("utf-"):  # ASCII came before: it is not UTF-16
            return self._transcode(data, last=True)
        self.encoding = Encoding(better.name, assumed=True)
        self.notes = (f"{self.encoding.note} from the first byte that is not ASCII on",)
        self._decoder = _decoder(better.name)
        return self._transcode(data, last=False)

    def _transcode(self, data: bytes, *, last: bool) -> bytes:
        if self.encoding.name == "windows-1252" and not _has_c1(data):
            return data.decode("latin-1").encode()  # the same without 0x80-0x9F, and six times as fast
        state = self._decoder.getstate()
        try:
            text = self._decoder.decode(data, last)
        except UnicodeError:  # "pending buffer overflow": an escape sequence without an end
            self._decoder.reset()
            text = data.decode(_codec(self.encoding.name), "replace")
        if REPLACEMENT in text and not self._written(data, state, last=last):
            self._broken_rows += sum(REPLACEMENT in line for line in text.split("\n"))
        return text.encode("utf-8", "replace")

    def _written(self, data: bytes, state: tuple[bytes, int], *, last: bool) -> bool:
        """Return whether the text itself holds U+FFFD: nothing in it is damaged."""
        strict = codecs.getincrementaldecoder(_codec(self.encoding.name))("strict")
        strict.setstate(state)
        try:
            strict.decode(data, last)
        except UnicodeError:
            return False
        return True


def _codec(name: str) -> str:
    """Return Python's codec for the superset of an encoding that is met in files."""
    if name == "utf-8":
        return name  # and reading begins before NumPy is loaded
    from plainview.files.encodings.letters import CODECS

    return CODECS.get(name, name)


def _decoder(name: str) -> codecs.IncrementalDecoder:
    """Return a decoder that replaces what is damaged."""
    return codecs.getincrementaldecoder(_codec(name))("replace")


def _around(data: bytes) -> bytes:
    """Return the part of `data` from the line of the first byte that is not ASCII on, as long as a head."""
    text = data.decode("ascii", "replace")
    first = text.find(REPLACEMENT)
    start = data.rfind(b"\n", 0, first) + 1
    return data[max(start, first - HEAD) : first + HEAD]


def _has_c1(data: bytes) -> bool:
    import numpy as np

    return bool(((np.frombuffer(data, np.uint8) & 0xE0) == 0x80).any())


def _broken(rows: int, name: str) -> str:
    return f"{rows:,} rows hold bytes that are not {name}, which were read as U+FFFD"


def utf8_blocks(source: Input, log: ReadLog, block: int = 0) -> tuple[Encoding, Utf8Blocks]:
    """Return the encoding that the head shows, and an iterator of UTF-8 blocks cut between code points.

    The byte order mark is gone. Each raw block of `block` bytes (16 MiB) is told to `log.read`; what cannot
    be decoded becomes U+FFFD, and the rows are told by `log.skip` at the end. Raise LimitError after the deadline.
    """
    blocks = Utf8Blocks(source, log, block)
    return blocks.encoding, blocks


def _is_file(stream: BinaryIO) -> bool:
    raw = stream.raw if isinstance(stream, io.BufferedReader) else None
    return isinstance(raw, io.FileIO) and hasattr(os, "pread")


class _WholeLines:
    """Reads a file in blocks that end where a line ends: to cut and to join them later costs as much as reading."""

    def __init__(self, stream: BinaryIO) -> None:
        self._file, self._at = stream.fileno(), stream.tell()

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes: all of them where no line ends near, or at the end of the file."""
        if size > NEAR:
            end = os.pread(self._file, NEAR, self._at + size - NEAR)
            if len(end) == NEAR:
                size += (end.rfind(b"\n") + 1 or NEAR) - NEAR
        data = os.pread(self._file, size, self._at)
        self._at += len(data)
        return data


def _raw(source: Input, log: ReadLog, block: int) -> Iterator[tuple[bytes, bool]]:
    """Yield (bytes, is it the last). A file that fits into its head is not opened again."""
    if source.size is not None and source.size <= len(source.head):
        log.read(len(source.head))
        yield source.head, True
        return
    deadline: Deadline = source.deadline
    with source.open() as stream:
        read = _WholeLines(stream).read if _is_file(stream) else stream.read
        data = read(block)
        while True:
            deadline.check()
            log.read(len(data))
            following = read(block) if data else b""
            yield data, not following
            if not following:
                return
            data = following


__all__ = ["BLOCK", "Encoding", "Utf8Blocks", "boundary", "detect", "polars_would_unpack", "utf8_blocks", "valid_utf8"]
