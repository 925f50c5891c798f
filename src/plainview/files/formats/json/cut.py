"""Cut JSON that is not in lines into lines: elements of an array, texts in a row, huge objects.

The scan is vectorised and looks at quotes, brackets and commas alone; whether a piece is valid JSON is seen
when it is parsed. Memory is bounded by the block and the largest element; an element larger than `SPLIT` is
cut at a comma of an array in it, and both parts keep the path: `{"users":[1,2` becomes `{"users":[1]}` and
`{"users":[2`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from plainview.errors import LimitError
from plainview.tables import MIB

Positions = npt.NDArray[Any]
STEP = 1 << 20  # bytes of one vectorised scan
SPLIT = 2 * MIB  # a piece that grows beyond this is cut inside: decoded it takes twenty times as much
_BLANK = b" \t\r\n"
_OPEN, _CLOSE, _COMMA = 1, 2, 3


class Marks:
    """Where quotes, brackets and commas lie outside of strings, and how deep, over one text fed in blocks."""

    def __init__(self) -> None:
        self.inside = False  # a string is open
        self.odd = False  # an odd number of backslashes stands at the end
        self.depth = 0
        self.broken_string = False  # a line break inside a string was seen

    def scan(self, block: bytes) -> tuple[Positions, Positions, Positions]:
        """Return positions, bytes and depths (after the byte) of brackets and commas outside of strings."""
        data = np.frombuffer(block, dtype=np.uint8)
        quotes = self._real_quotes(data)
        inside = np.logical_xor.accumulate(quotes)
        if self.inside:
            np.logical_not(inside, out=inside)
        self.inside = bool(inside[-1])
        self.broken_string |= bool(((data == 10) & inside).any())
        folded = data | 32  # { and [ become {, } and ] become }
        marks = np.flatnonzero(((folded == 0x7B) | (folded == 0x7D) | (data == 0x2C)) & ~inside)
        which = data[marks]
        folded = which | 32
        change = (folded == 0x7B).astype(np.int64) - (folded == 0x7D)
        depths = self.depth + np.cumsum(change)
        if len(depths):
            depths -= np.minimum(np.minimum.accumulate(depths), 0)  # closing too often leaves the depth at 0
            self.depth = int(depths[-1])
        return marks, which, depths

    def _real_quotes(self, data: Positions) -> Positions:
        """Return where quotes are that no backslash escapes."""
        quotes: Positions = data == 0x22
        slashes = data == 0x5C
        if not slashes.any():
            if self.odd:
                quotes[0] = False
            self.odd = False
            return quotes
        index = np.arange(len(data), dtype=np.int32)
        last_other = np.maximum.accumulate(np.where(slashes, np.int32(-1), index))
        run = index - last_other  # backslashes that end here; from the start of the block, one too many
        run[last_other < 0] = index[last_other < 0] + 1 + self.odd
        run[~slashes] = 0
        before = np.empty_like(run)
        before[0], before[1:] = self.odd, run[:-1]
        self.odd = bool(run[-1] & 1)
        real: Positions = quotes & (before & 1 == 0)
        return real


class Cutter:
    """Cuts a stream of JSON texts into pieces. `problems` says what is wrong between them."""

    def __init__(self, memory: int, nesting: int = 64) -> None:
        self.memory = memory
        self.nesting = nesting
        self.marks = Marks()
        self.rest = b""  # bytes after the last cut
        self.scanned = 0  # of `rest`
        self.split_at = SPLIT
        self.array = False  # inside a top-level array
        self.opener = 0  # the byte that opened the top-level value
        self.comma = False  # a comma was the last thing seen in the top-level array
        self.problems: dict[str, int] = {}
        self.texts = 0
        self.pieces = 0
        self.arrays = 0

    def feed(self, block: bytes) -> Iterator[bytes]:
        """Yield the pieces that are complete now; arrays at the top are taken apart."""
        self.rest += block
        while self.scanned < len(self.rest):
            step = self.rest[self.scanned : self.scanned + STEP]
            yield from self._step(step)
        if len(self.rest) > self.split_at:
            if self.marks.depth > self.nesting:  # each level would be looked for in all of it
                raise LimitError(
                    f"a JSON value that is too large to decode is nested deeper than {self.nesting} levels"
                )
            if parts := split_inside(self.rest):
                whole, self.rest = parts  # the same brackets are open, so the marks stay right
                self.scanned = len(self.rest)
                self.pieces += 1
                yield whole
            self.split_at = max(SPLIT, 2 * len(self.rest))
        if len(self.rest) > self.memory:
            raise LimitError("one JSON value is larger than the memory limit", hint="raise --memory")

    def end(self) -> None:
        """Look at what is left at the end of the stream."""
        if self.marks.inside or self.marks.depth > 0:
            self._problem("it ends inside a value (truncated)")
        elif self.rest.strip(_BLANK):
            self._problem("text that is no JSON value")

    def _step(self, step: bytes) -> Iterator[bytes]:
        where, which, depths = self.marks.scan(step)
        if self.marks.broken_string:
            self._problem("line break inside a string")
            self.marks.broken_string = False
        folded = which | 32
        kinds = np.where(which == 0x2C, _COMMA, np.where(folded == 0x7B, _OPEN, _CLOSE))
        top = ((kinds == _OPEN) & (depths == 1)) | ((kinds == _CLOSE) & (depths == 0))
        top |= (kinds == _COMMA) & (depths <= 1)  # in a top-level object they are passed over below
        base = self.scanned
        start = 0
        for i in np.flatnonzero(top).tolist():
            at = base + int(where[i])
            kind = int(kinds[i])
            if kind == _COMMA and depths[i] == 1 and not self.array:
                continue
            piece, start = self._event(kind, int(which[i]), start, at)
            if piece is not None:
                self.pieces += 1
                yield piece
        self.scanned = base + len(step) - start
        self.rest = self.rest[start:]

    def _event(self, kind: int, byte: int, start: int, at: int) -> tuple[bytes | None, int]:
        """Handle one mark at the top: return a finished piece, and where the next one starts."""
        if kind == _OPEN:
            if self.rest[start:at].strip(_BLANK):
                self._problem("text that is no JSON value")
            if self.arrays + (byte == 0x5B) and self.texts and not self.rest[start:at]:
                self._problem("a second value follows an array at once")
            self.opener, self.array, self.comma = byte, byte == 0x5B, False
            self.texts += 1
            self.arrays += self.array
            return None, at + self.array
        if kind == _COMMA and not self.array:
            self._problem("a comma between values")
            return None, at + 1
        if kind == _COMMA:
            piece = self.rest[start:at].strip(_BLANK)
            self.comma = True
            if not piece:
                self._problem("an array with an empty place")
            return piece or None, at + 1
        return self._closed(byte, start, at)

    def _closed(self, byte: int, start: int, at: int) -> tuple[bytes | None, int]:
        if not self.opener:
            self._problem("a bracket closes that was not opened")
            return None, at + 1
        if byte != self.opener + 2:  # ] is [ + 2, } is { + 2
            self._problem("brackets that do not fit")
        was_array, self.opener, self.array = self.array, 0, False
        if not was_array:
            return self.rest[start : at + 1].strip(_BLANK), at + 1
        piece = self.rest[start:at].strip(_BLANK)
        if not piece and self.comma:
            self._problem("an array with an empty place")
        return piece or None, at + 1

    def _problem(self, why: str) -> None:
        self.problems[why] = self.problems.get(why, 0) + 1


def split_inside(piece: bytes) -> tuple[bytes, bytes] | None:
    """Cut an unfinished value at a comma of the outermost long array inside, so that both parts hold the path.

    Without one it is the object with the most commas: a map of records, keyed by something.

    Return a complete value and the unfinished rest, or None where there is no such comma.
    """
    marks = Marks()
    parts = []
    for at in range(0, len(piece), STEP):
        where, which, depths = marks.scan(piece[at : at + STEP])
        parts.append((where + at, which, depths))
    where, which, depths = (np.concatenate(column) for column in zip(*parts, strict=True))
    if not len(depths):
        return None
    floor = np.minimum.accumulate(depths[::-1])[::-1]  # how low the depth still falls
    opens = (which | 32) == 0x7B
    opened: list[int] = []  # marks of the brackets that are open at the end, outermost first
    best: tuple[int, int, int] = (0, 0, 0)  # commas of an object, the last of them, how many brackets are open there
    for depth in range(1, int(depths[-1]) + 1):
        opened.append(int(np.flatnonzero(opens & (depths == depth) & (floor >= depth))[0]))
        commas = np.flatnonzero((which == 0x2C) & (depths == depth) & (floor >= depth))
        commas = commas[commas > opened[-1]]
        if which[opened[-1]] == 0x5B and len(commas) > best[0]:  # else a short list in one of the records of a map
            return _cut(piece, where, which, opened, int(commas[-1]))
        if len(commas) > best[0]:
            best = (len(commas), int(commas[-1]), len(opened))
    return _cut(piece, where, which, opened[: best[2]], best[1]) if best[0] else None


def _cut(piece: bytes, where: Positions, which: Positions, opened: list[int], comma: int) -> tuple[bytes, bytes]:
    """Cut at a comma of the innermost of the open brackets."""
    cut = int(where[comma])
    closing = b"".join(b"]" if which[i] == 0x5B else b"}" for i in reversed(opened))
    return piece[:cut] + closing, _path(piece, where, which, opened) + piece[cut + 1 :]


def _path(piece: bytes, where: Positions, which: Positions, opened: list[int]) -> bytes:
    """Return the brackets that are open with the key that leads to the next one: `{"users":[`."""
    path = b""
    for mark, inner in zip(opened, [*opened[1:], -1], strict=True):
        path += bytes([int(which[mark])])
        if which[mark] == 0x7B and inner > 0:
            path += piece[int(where[inner - 1]) + 1 : int(where[inner])]  # from the comma or bracket before
    return path


__all__ = ["SPLIT", "Cutter"]
