"""RTF 1.9.1: the text of a document, its fields, notes and comments, and what is kept about it. One pass, no recursion.

Pictures and embedded objects are told. Hostile braces cost a state each, up to `DEEPEST`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import polars as pl

from plainview.documents.walk import documents_to_frame
from plainview.errors import DamagedError, LimitError
from plainview.files.encodings.declared import codec_of
from plainview.tables import MIB, Batch, Input, ReadLog, Table

DEEPEST = 2_000
PIECE = MIB  # of a line
SIZE = 8 * MIB  # characters of one batch
_TOKEN = re.compile(
    rb"\\([a-zA-Z]{1,32})(-?[0-9]{1,10})? ?|\\'([0-9a-fA-F]{2})|\\([^a-zA-Z])|([{}])|[\r\n]+|([^\\{}\r\n]+)", re.DOTALL
)
_CHARSETS = {0: 1252, 77: 10000, 128: 932, 129: 949, 134: 936, 136: 950, 161: 1253, 162: 1254, 163: 1258, 177: 1255,
             178: 1256, 186: 1257, 204: 1251, 222: 874, 238: 1250, 255: 437}  # fmt: skip
_CODECS = {10000: "mac_roman", 65001: "utf-8", 708: "iso8859_6"}
# Groups that say nothing of the text; one that begins with \* and is not known says nothing either.
_SILENT = frozenset(
    b"colortbl stylesheet listtable listoverridetable rsidtbl generator themedata colorschememapping latentstyles "
    b"datastore xmlnstbl pgptbl filetbl revtbl mmathPr wgrffmtfilter listpicture pntext pnseclvl pntxta pntxtb panose "
    b"fontemb falt blipuid bkmkstart bkmkend nonshppict".split()
)
_SPOKEN = frozenset(
    b"fldinst annotation atnauthor atnid atndate footnote shptxt shpinst shp userprops company manager hlinkbase "
    b"keywords comment author operator title subject category doccomm header footer docvar xmlopen ud upr formfield "
    b"ffdeftext ffl ffhelptext ffstattext datafield".split()
)
_INFO = frozenset(b"author operator title subject company manager category keywords doccomm comment hlinkbase".split())
_LOST = {b"pict": "pictures", b"objdata": "embedded objects"}
_SIGNS = {
    b"par": "\n", b"line": "\n", b"sect": "\n", b"page": "\n", b"row": "\n", b"nestrow": "\n", b"propname": "\n",
    b"cell": " \t", b"nestcell": " \t", b"tab": "\t", b"staticval": ": ", b"emdash": "—", b"endash": "–",
    b"bullet": "•",
    b"lquote": "‘", b"rquote": "’", b"ldblquote": "“", b"rdblquote": "”", b"emspace": " ", b"enspace": " ",
    b"qmspace": " ",
}  # fmt: skip
_ESCAPED = {b"~": " ", b"_": "-", b"-": "", b"\n": "\n", b"\r": "\n", b"\\": "\\", b"{": "{", b"}": "}"}


@dataclass(frozen=True, slots=True)
class _State:
    """What holds up to the end of a group."""

    where: bytes = b""  # the last destination
    silent: bool = False
    codec: str = "cp1252"
    skip: int = 1  # bytes of the replacement behind \u
    star: bool = False


@dataclass(slots=True)
class _Text:
    """The text so far; bytes of one encoding wait until they are a whole."""

    codec: str = "cp1252"
    waiting: bytearray = field(default_factory=bytearray)
    parts: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    size: int = 0

    def add(self, text: str) -> None:
        """Add signs; the end of a line ends one."""
        self.flush()
        self.size += len(text)
        if text == "\n":
            self.end()
        else:
            self.parts.append(text)

    def byte(self, data: bytes, codec: str) -> None:
        """Add bytes of an encoding."""
        if codec != self.codec:
            self.flush()
            self.codec = codec
        self.waiting += data

    def flush(self) -> None:
        """Decode the bytes that wait."""
        if self.waiting:
            self.parts.append(self.waiting.decode(self.codec, "replace"))
            self.size += len(self.waiting)
            self.waiting.clear()

    def end(self) -> None:
        """End a line."""
        self.flush()
        if text := "".join(self.parts).strip():
            text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")  # \u gives halves of a sign
            self.lines += [text[at : at + PIECE] for at in range(0, len(text), PIECE)]
        self.parts.clear()


def read(source: Input, log: ReadLog) -> Iterator[Batch]:
    """Yield the lines of the text, the comments, what is kept about it. Raise LimitError for deep groups."""
    log.listed()
    with source.seekable() as stream:
        data = stream.read(source.limits.memory + 1)
    log.read(len(data))
    if len(data) > source.limits.memory:
        raise LimitError(f"an RTF document larger than {source.limits.memory // MIB} MiB", hint="raise --memory")
    reading = _Reading(data, source)
    table = Table(source.name, "rtf")
    for _ in reading.run():
        lines, reading.text.lines, reading.text.size = reading.text.lines, [], 0
        yield Batch(table, pl.DataFrame({"text": lines}, schema={"text": pl.String}))
    for name, rows in (("comments", reading.said), ("properties", [reading.kept] if reading.kept else [])):
        if rows:
            frame = documents_to_frame(rows, limits=source.limits, log=log, name=source.name)
            yield Batch(Table(f"{source.name}/{name}", "rtf"), frame)
    for what in reading.lost:
        log.skip(source.name, f"{what} in it were not looked into")
    if reading.problem:
        raise reading.problem


class _Reading:
    """One pass over the tokens."""

    def __init__(self, data: bytes, source: Input) -> None:
        self.data, self.source = data, source
        self.text = _Text()
        self.kept: dict[str, list[str]] = {}
        self.lost: dict[str, None] = {}
        self.problem: DamagedError | LimitError | None = None
        self._stack: list[_State] = []
        self._state = _State()
        self._fonts: dict[int, str] = {}
        self._font = 0
        self._default = "cp1252"
        self._skip = 0
        self._own: list[tuple[int, _Text, bytes]] = []  # groups whose text stands apart: depth, the text around, what
        self.said: list[dict[str, str]] = []
        self._about: dict[str, str] = {}

    def run(self) -> Iterator[None]:
        """Go over the tokens; stop where lines are to be taken."""
        at, count, end = 0, 0, len(self.data)
        while at < end:
            token = _TOKEN.match(self.data, at)
            count += 1
            if not count & 0xFFFF:
                self.source.deadline.check()
            if token is None:
                at += 1
                continue
            at = token.end()
            word, number, code, sign, brace, plain = token.groups()
            if brace:
                if not self._brace(brace):
                    break
            elif word:
                at += self._word(word, number)
            elif not self._state.silent:
                self._signs(code, sign, plain)
            elif sign == b"*":
                self._state = replace(self._state, star=True)
            if self.text.size > SIZE and not self._own:
                yield
        if self._stack and self.problem is None:
            self.problem = DamagedError("ends inside of a group: it is cut short")
        while self._own:
            self._close()
        self.text.end()
        yield

    def _brace(self, brace: bytes) -> bool:
        if brace == b"{":
            self._stack.append(self._state)
            self._state = replace(self._state, star=False)
            if len(self._stack) > DEEPEST:
                self.problem = LimitError(f"groups nested more than {DEEPEST:,} levels deep")
                return False
        elif self._stack:
            if self._own and self._own[-1][0] == len(self._stack):
                self._close()
            self._state = self._stack.pop()
        return True

    def _close(self) -> None:
        """End a group whose text stands apart."""
        _, around, what = self._own.pop()
        self.text.end()
        found = " ".join(self.text.lines)
        name = what.decode()
        if what in _INFO and found:
            self.kept.setdefault("comments" if name == "doccomm" else name, []).append(found)
        elif what == b"annotation":
            self.said.append({**self._about, "text": found})
            self._about = {}
        elif what in {b"atnauthor", b"atnid"} and found:
            self._about["author" if what == b"atnauthor" else "initials"] = found
        elif found:
            around.lines += self.text.lines
        self.text = around

    def _word(self, word: bytes, number: bytes | None) -> int:
        """Follow a control word; return how many bytes behind it are no text."""
        value = int(number) if number else 0
        state = self._state
        if word == b"bin":
            return max(0, value)
        if word in _LOST:
            self.lost[_LOST[word]] = None
        if word in _SILENT or word in _LOST or (state.star and word not in _SPOKEN):
            self._state = replace(state, silent=True, star=False)
        elif word == b"fonttbl":
            self._state = replace(state, where=word, silent=True)
        elif word in _INFO or word in {
            b"annotation",
            b"atnauthor",
            b"atnid",
            b"footnote",
            b"header",
            b"footer",
            b"fldinst",
        }:
            if not state.silent and len(self._own) < 32:
                self._own.append((len(self._stack), self.text, word))
                self.text = _Text()
            self._state = replace(state, where=word, star=False)
        elif word == b"u" and not state.silent:
            self.text.add(chr(value % 65536))
            self._skip = state.skip
        elif word == b"uc":
            self._state = replace(state, skip=min(max(value, 0), 16))
        elif word in _SIGNS and not state.silent:
            self.text.add(_SIGNS[word])
        else:
            self._encoding(word, value)
        return 0

    def _encoding(self, word: bytes, value: int) -> None:
        """Follow what says in which encoding bytes are."""
        if word == b"ansicpg":
            self._default = _codec(value)
            self._state = replace(self._state, codec=self._default)
        elif word in {b"mac", b"pc", b"pca"}:
            self._default = {b"mac": "mac_roman", b"pc": "cp437", b"pca": "cp850"}[word]
            self._state = replace(self._state, codec=self._default)
        elif word == b"f":
            self._font = value
            if self._state.where != b"fonttbl":
                self._state = replace(self._state, codec=self._fonts.get(value, self._default))
        elif word == b"fcharset" and self._state.where == b"fonttbl" and value > 1 and len(self._fonts) < 10_000:
            self._fonts[self._font] = _codec(_CHARSETS.get(value, 1252))
        elif word == b"plain":
            self._state = replace(self._state, codec=self._default)

    def _signs(self, code: bytes | None, sign: bytes | None, plain: bytes | None) -> None:
        if code:
            if self._skip:
                self._skip -= 1
            else:
                self.text.byte(bytes((int(code, 16),)), self._state.codec)
        elif sign == b"*":
            self._state = replace(self._state, star=True)
        elif sign:
            self.text.add(_ESCAPED.get(sign, ""))
        elif plain:
            rest = plain[self._skip :]
            self._skip = max(0, self._skip - len(plain))
            self.text.byte(rest, self._state.codec)


def _codec(page: int) -> str:
    """Return Python's name of a code page, that of Western Europe where it has none."""
    name = _CODECS.get(page, f"cp{page}")
    return codec_of(name) or "cp1252"


__all__ = ["read"]
