"""What is looked at in XML before a parser sees it: its encoding, and how many attributes a start tag has.

libxml2 compares each attribute with those before it: a tag of 160,000 attributes (2 MB) takes it minutes, in one step
that nothing can end. No `<` may stand in a tag, so the attributes of one are at most as many as the equal signs
up to the next `<`, and those are counted at the speed of memory.
"""

from __future__ import annotations

import codecs
import re

import numpy as np

from plainview.errors import LimitError, UnsupportedError
from plainview.possessive import compile_possessive
from plainview.tables import MIB

ATTRIBUTES = 2_000  # of one tag
LONGEST = 16 * MIB  # bytes of one tag; libxml2 takes values up to 10 MB
_DECLARED = re.compile(rb"""\s*<\?xml[^>]{0,200}?\sencoding\s{0,9}=\s{0,9}["']([A-Za-z][\w.:-]{0,60})["']""")
_WIDE = ("utf-16", "utf-32", "utf_16", "utf_32", "ucs-", "unicode")
_PLAIN = bytes(byte for byte in range(0x20, 0x7F) if byte != ord("\\"))
_TAG = compile_possessive(rb"""<[^\s!?/<>"'=]++(?:[^"'>]++|"[^"]*+"|'[^']*+')*+""")
_HTML_TAG = compile_possessive(rb"""<[A-Za-z](?:[^"'>]++|"[^"]*+"|'[^']*+')*+""")
_QUOTED = compile_possessive(rb""""[^"]*+"?|'[^']*+'?""")


def check_encoding(head: bytes) -> None:
    """Raise UnsupportedError for an encoding in which mark-up is not written as in ASCII (UTF-7, HZ, …).

    What is looked for in the bytes would not be found, and the parser would see it.
    """
    declared = _DECLARED.match(head)
    if declared is None or (name := declared[1].decode("ascii").lower()).startswith(_WIDE):
        return  # UTF-16 and UTF-32 show by their zero bytes, whatever they declare
    try:
        codec = codecs.lookup(name).name
        plain = _PLAIN.decode(codec) == _PLAIN.decode("ascii") and not codec.startswith(("utf-7", "hz", "iso2022"))
    except (LookupError, UnicodeError):
        plain = False
    if not plain:
        raise UnsupportedError("declares an encoding in which mark-up is not plain, or that is not known")


class Tags:
    """Looks at a text piece by piece."""

    def __init__(self, head: bytes = b"") -> None:
        self._open = b""  # the start tag in which the last piece ended
        self._decoder = _wide_decoder(head)

    def check(self, piece: bytes) -> None:
        """Raise LimitError when a start tag has too many attributes, or is too long."""
        if self._decoder is not None:
            piece = self._decoder.decode(piece).encode("utf-8", "replace")
        data = self._open + piece if self._open else piece
        if data.count(b"=") > ATTRIBUTES:
            self._count(data)
        last = data.rfind(b"<")
        tag = _TAG.match(data, last) if last >= 0 else None
        self._open = data[last:] if tag is not None and tag.end() == len(data) else b""
        if len(self._open) > LONGEST:
            raise LimitError(f"a tag of more than {LONGEST // MIB} MiB")

    @staticmethod
    def _count(data: bytes) -> None:
        signs = np.frombuffer(data, np.uint8)
        begins = np.flatnonzero(signs == ord("<"))
        counts = np.diff(np.searchsorted(np.flatnonzero(signs == ord("=")), np.append(begins, len(data))))
        for at in begins[counts > ATTRIBUTES].tolist():
            tag = _TAG.match(data, at)
            if tag is not None and _QUOTED.sub(b"", tag[0]).count(b"=") > ATTRIBUTES:
                raise LimitError(f"a tag with more than {ATTRIBUTES:,} attributes")


def check_page(data: bytes) -> None:
    """Raise LimitError for an HTML page in which a tag has too many attributes."""
    for tag in _HTML_TAG.finditer(data):
        if tag.end() - tag.start() > 2 * ATTRIBUTES and len(_QUOTED.sub(b" ", tag[0]).split()) > ATTRIBUTES:
            raise LimitError(f"a tag with more than {ATTRIBUTES:,} attributes")


def _wide_decoder(head: bytes) -> codecs.IncrementalDecoder | None:
    """Return a decoder for what is not written in bytes of ASCII."""
    if 0 not in head[:4]:
        return None
    if 0 in head[:2] and 0 in head[2:4] and (head[:2] == b"\0\0" or head[2:4] == b"\0\0"):
        name = "utf-32-be" if head[0] == 0 else "utf-32-le"
    else:
        name = "utf-16-be" if head[0] in (0, 0xFE) else "utf-16-le"
    return codecs.getincrementaldecoder(name)("replace")


__all__ = ["Tags", "check_encoding", "check_page"]
