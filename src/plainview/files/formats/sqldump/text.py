"""The text of a dump as blocks of UTF-8. A dump often says itself in which encoding it is written."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from plainview.files.encodings.blocks import boundary, utf8_blocks, valid_utf8
from plainview.tables import Input, ReadLog

_DECLARED: Final = re.compile(rb"(?im)^(?:SET client_encoding = '|(?:/\*!\d{5} )?SET NAMES '?)(?P<name>[A-Za-z0-9_-]+)")
_BOMS: Final = (
    (codecs.BOM_UTF32_LE, "utf-32-le"), (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"),
)  # fmt: skip
# Names that PostgreSQL and MySQL use and Python does not know, or knows as something else.
_NAMES: Final = {
    "utf8mb3": "utf-8", "utf8mb4": "utf-8", "unicode": "utf-8", "sql_ascii": "utf-8", "binary": "utf-8",
    "latin1": "cp1252", "gb2312": "gb18030", "gbk": "gb18030", "euc_cn": "gb18030", "ujis": "euc_jp",
    "sjis": "cp932", "euckr": "cp949", "euc_kr": "cp949", "uhc": "cp949", "koi8": "koi8_r", "koi8r": "koi8_r",
    "koi8u": "koi8_u", "win": "cp1251", "hebrew": "iso8859_8", "greek": "iso8859_7", "latin2": "iso8859_2",
    "latin5": "iso8859_9", "tis620": "tis_620", "ucs2": "utf-16-be",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Opening:
    """The first bytes of the dump in UTF-8, and notes for its tables."""

    head: bytes
    notes: tuple[str, ...] = ()


def blocks(source: Input, log: ReadLog, size: int) -> tuple[Opening, Iterator[bytes]]:
    """Return how the dump begins, and its text in blocks of about `size` bytes.

    Bytes that are not valid in UTF-8 are left as they are: strings of `_binary` hold such.
    """
    head = source.head
    for bom, name in _BOMS:
        if head.startswith(bom):
            return _decoded(source, log, size, name, len(bom), f"read as {name.upper()}")
    wide = head[: 4 << 10]
    for name, zeros in (("utf-16-le", wide[1::2]), ("utf-16-be", wide[::2])):
        if len(zeros) > 8 and zeros.count(0) > 0.8 * len(zeros):
            return _decoded(source, log, size, name, 0, f"read as {name.upper()}")
    declared = _DECLARED.search(head)
    if declared:
        name = _codec(declared["name"].decode())
        if name and name != "utf-8":
            return _decoded(source, log, size, name, 0, f"read as {name}, as the dump says")
    elif not valid_utf8(head[: boundary(head)]):
        return _guessed(source, log, size)
    return Opening(head), _raw(source, log, size)


def _codec(name: str) -> str:
    known = _NAMES.get(name.lower(), name.lower())
    if known.startswith("win12"):
        known = "cp" + known[3:]
    try:
        return codecs.lookup(known).name
    except LookupError:
        return ""


def _raw(source: Input, log: ReadLog, size: int) -> Iterator[bytes]:
    with source.open() as stream:
        while block := stream.read(size):
            log.read(len(block))
            yield block


def _decoded(
    source: Input, log: ReadLog, size: int, name: str, skip: int, note: str
) -> tuple[Opening, Iterator[bytes]]:
    decoder = codecs.getincrementaldecoder(name)("replace")
    head = decoder.decode(source.head[skip:]).encode("utf-8", "replace")

    def text() -> Iterator[bytes]:
        fresh = codecs.getincrementaldecoder(name)("replace")
        left = skip
        for block in _raw(source, log, size):
            yield fresh.decode(block[left:]).encode("utf-8", "replace")
            left = 0
        yield fresh.decode(b"", final=True).encode("utf-8", "replace")

    return Opening(head, (note,)), text()


def _guessed(source: Input, log: ReadLog, size: int) -> tuple[Opening, Iterator[bytes]]:
    """Neither declared nor UTF-8. A dump with binary strings is UTF-8 all the same."""
    if b"_binary '" in source.head:
        return Opening(source.head), _raw(source, log, size)
    encoding, text = utf8_blocks(source, log, size)
    first = next(text, b"")

    def whole() -> Iterator[bytes]:
        yield first
        yield from text

    return Opening(first[: 64 << 10], tuple(filter(None, [encoding.note]))), whole()
