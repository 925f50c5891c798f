"""SQL dumps: INSERT and COPY of pg_dump, mysqldump, sqlite3 .dump, Oracle, SQL Server and their like.

Only statements that carry rows are read; definitions give the names of columns; everything else is passed over.
Rows of one table are gathered over many statements and go through Polars' CSV reader (`sqldump_values`); what
does not fit there is read word by word (`sqldump_rows`). What cannot be read is told by its line alone.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from typing import Final

from plainview.errors import LimitError
from plainview.files.formats.sqldump import copy, tokens, values
from plainview.files.formats.sqldump import rows as words
from plainview.files.formats.sqldump import statements as sql
from plainview.files.formats.sqldump.others import UNEQUAL, Others, Told
from plainview.files.formats.sqldump.statements import Dialect, after_other, resync
from plainview.files.formats.sqldump.tables import BATCH, ROWS, Head, Tables
from plainview.files.formats.sqldump.text import blocks
from plainview.tables import MIB, Batch, Input, ReadLog

BLOCK: Final = 4 * MIB
_STRING: Final = re.compile(rb"'[^']*+'")
_FORMAT: Final = re.compile(rb"(?i)\b(?:CSV|BINARY|DELIMITERS?|NULL)\b")
_TAIL: Final = re.compile(rb"[ \t]*+(?:ON\s++CONFLICT\s++DO\s++NOTHING\s*+)?;?[ \t]*+\r?\n")
_LOST: Final = "so much before it was not understood that the rest was left out"
VAIN: Final = 8  # times the size of the dump that may be looked through for the ends of statements, and in vain
_END: Final = re.compile(rb"\)\s*+;(?:[ \t]*+\r?\n)?")
NEAR: Final = 256 << 10  # bytes in which the end of the first statement of a kind is looked for
_UNSURE: Final = re.compile(rb"""['"`/$\[]|[qQ]'""")


def read(source: Input, log: ReadLog) -> Iterator[Batch]:
    """Yield the rows of the dump's tables, named `file/table`. Raises PlainviewError when no more can be read."""
    return _Dump(source, log).batches()


class _Dump:
    """The place in the dump, and what is known so far. `buffer[at:]` is not read yet; `line` is that of `seen`."""

    def __init__(self, source: Input, log: ReadLog) -> None:
        self.source = source
        self.log = log
        self.buffer = b""
        self.at = 0
        self.line = 1
        self.seen = 0
        self.fed = 0  # bytes
        self.vain = 0  # bytes
        self.absent: dict[bytes, int] = {}  # what `buffer` does not hold from a position on
        self.ahead = sql.Ahead(b"")  # where `buffer` holds a comment next
        self.last: dict[bytes, int] = {}  # where `buffer` holds it last, outside strings
        self.most = source.limits.columns
        self.copying: Head | None = None
        self.inside: Head | None = None  # its last row was read, and `at` is behind it: more may follow
        self.longest = 2 * source.limits.field + BLOCK
        notes, self.text = blocks(source, log, BLOCK)
        self.dialect: Dialect = sql.dialect_of(notes.head)
        self.tables = Tables(source.name, log, backslash=self.dialect.backslash)
        self.tables.notes = notes.notes
        self.told = Told(source.name, log)
        self.others = Others(self.tables, self.told, self.dialect, self.most, self._row)

    def batches(self) -> Iterator[Batch]:
        """Yield all batches."""
        held = b""
        try:
            for block in self.text:
                piece = held + block
                held = b""
                if self.dialect.backslash:  # an escape that is cut in two by the end of a block waits
                    stripped = piece.rstrip(b"\\")
                    if (len(piece) - len(stripped)) % 2:
                        piece, held = piece[:-1], b"\\"
                    piece = tokens.protect(piece)
                self._feed(piece)
                yield from self._advance(final=False)
            self._feed(held + b"\n")
            yield from self._advance(final=True)
        finally:
            self.told.tell()
        while waiting := [head for head in self.tables.heads.values() if head.pieces or head.rows]:
            for head in waiting:  # read word by word, one may show rows of another table
                yield from self._flush(head)
        yield from self.tables.without_rows()
        self.log.listed(len(self.tables.named))
        self.told.tell()

    def _feed(self, piece: bytes) -> None:
        self._line_at(self.at)
        self._replace(self.buffer[self.at :] + piece)
        self.fed += len(piece)

    def _replace(self, buffer: bytes) -> None:
        self.buffer = buffer
        self.at = self.seen = 0
        self.absent.clear()
        self.ahead = sql.Ahead(buffer)
        self.last.clear()

    def _line_at(self, position: int) -> int:
        self.line += self.buffer.count(b"\n", self.seen, position)
        self.seen = max(position, self.seen)
        return self.line

    # --- statements -------------------------------------------------------------------------------------------

    def _advance(self, *, final: bool) -> Iterator[Batch]:
        """Read as many statements as the buffer holds."""
        while True:
            self.source.deadline.check()
            if self.copying:
                yield from self._copy_rows(self.copying, final=final)
                if self.copying:
                    return
            if self.inside:
                if not (yield from self._more_rows(self.inside, final=final)):
                    return
                continue
            blank = tokens.BLANK.match(self.buffer, self.at)
            self.at = blank.end() if blank else self.at
            if self.at >= len(self.buffer) or not (yield from self._statement(final=final)):
                return
            for head in self.tables.full():
                yield from self._flush(head)

    def _statement(self, *, final: bool) -> Generator[Batch, None, bool]:
        """Read the statement at `at`; return False when more of the dump is needed first."""
        if match := tokens.INSERT.match(self.buffer, self.at):
            head = self._head(match)
            if head.shape is None and not self._learn(head, match.end(), final=final):
                return False
            if head.shape is None:
                return True
            if head.words:
                return (yield from self._one_row(head, match.end(), final=final))
            return (yield from self._inserts(head, head.shape, match.end(), final=final))
        if match := tokens.COPY.match(self.buffer, self.at):
            head = self.tables.head(match[0], match["name"], match["columns"])
            if _FORMAT.search(match["options"]):
                self.told.add("COPY in another format than text", self._line_at(self.at))
                head = Head(b"", "", [])
            self.at = match.end()
            self.copying = head
            return True
        return self._other(final=final)

    def _head(self, match: re.Match[bytes]) -> Head:
        return self.tables.head(match[0], match["inserted"] or match["called"], match["columns"])

    def _wait(self, *, final: bool, what: str) -> bool:
        """Return False to wait for more; or, when nothing more will come, tell it, go on behind it, return True."""
        if not final and len(self.buffer) - self.at <= self.longest:
            return False
        self.told.add("ends in the middle of a statement" if final else what, self._line_at(self.at))
        self.at = self._next(self.buffer, self.at + 1, len(self.buffer) - self.at, self._line_at(self.at))
        return True

    def _next(self, text: bytes, at: int, vain: int, line: int) -> int:
        """Return where the next statement seems to begin, after `vain` bytes were looked through.

        Where this happens again and again, the rest is left out: each line would be compared with all behind it.
        """
        self.vain += vain
        if self.vain > VAIN * (self.fed + BLOCK):
            self.told.add(_LOST, line)
            return len(text)
        return resync(text, at)

    def _learn(self, head: Head, start: int, *, final: bool) -> bool:
        """Read the first row word by word and keep how it is written. False: more of the dump is needed."""
        buffer = self.buffer
        try:
            first, end = self._row(buffer, start)
        except tokens.SyntaxProblem as problem:
            at = problem.position
            if not final and (len(buffer) - start < BLOCK or _UNSURE.match(buffer, at) or at >= len(buffer)):
                return self._wait(final=False, what="a value is longer than the limit")
            return self._wait(final=True, what="") if at >= len(buffer) - 1 else self._broken(at)
        if not final and len(buffer) - end < 256:  # what follows the row is not here yet
            return False
        self.tables.fix(head, min(len(first), self.most))
        inside = _STRING.sub(b"", buffer[start : end - 1])
        separator = b", " if 0 < inside.count(b",") == inside.count(b", ") else b","
        following, tail = tokens.NEXT.match(buffer, end), _TAIL.match(buffer, end)
        between = following[0] if following else b""
        # strings in double quotes, which MySQL and SQLite take as well; quotes in comments; rows that have to be cut
        head.words = b'"' in inside or b"'" in between or b'"' in between or len(first) > self.most
        boundary = b")" + between if following else b")" + separator + b"("
        newline = b"\r\n" if self.dialect.crlf else b"\n"
        closing = b")" + (b"" if self.dialect.transact and not following else b";") + newline
        if tail and not following:
            closing = b")" + tail[0]
        elif following or _END.match(buffer, end - 1):
            closing = _closing(buffer, end - 1) or closing
        head.shape = values.Shape(len(first), separator, boundary, closing)
        return True

    def _broken(self, at: int) -> bool:
        line = self._line_at(at)
        self.told.add("not understood", line)
        self.at = self._next(self.buffer, max(at, self.at + 1), _looked(self.buffer, self.at, at), line)
        return True

    def _inserts(self, head: Head, shape: values.Shape, start: int, *, final: bool) -> Generator[Batch, None, bool]:
        """Gather the rows of this statement and of those behind it that begin alike."""
        buffer, text, closing = self.buffer, head.text, shape.end
        first, more = start, True
        head.runs.append((len(head.pieces), self._line_at(start)))
        while more:  # once for each statement: find, count and compare, at the speed of C
            end = buffer.find(closing, start) if start < self.absent.get(closing, len(buffer)) else -1
            if end >= 0 and buffer.count(b"'", start, end) & 1:  # in a string, or behind a comment with a quote
                end = sql.end_of(buffer, start, closing)
            if end < 0:
                self.absent[closing] = min(start, self.absent.get(closing, start))
                break
            head.pieces.append(buffer[start:end])
            self.at = end + len(closing)
            start = self.at + len(text)
            more = buffer.startswith(text, self.at)
        other = sql.unlike(buffer, start, text, 2 * BLOCK, self.ahead) if more else None
        if other and other > 0:  # it ends in another way than the first
            rest, line = buffer[self.at : other], self._line_at(self.at)
            self.at = other
            yield from self._carefully(rest, line, final=False)
            return True
        if other and (cut := self._last_outside(shape.boundary, start)) >= 0:
            head.pieces.append(buffer[start:cut])
            self._line_at(cut)
            self._replace(text + buffer[cut + len(shape.boundary) :])
            self.line -= text.count(b"\n") - shape.boundary.count(b"\n")
            start = cut
        size = start - first
        head.size += size
        self.tables.waiting += size
        if head.size > BATCH:
            yield from self._flush(head)
        if not more:
            self.inside = None if b";" in closing else head
            return True
        if final:  # without its end, or with another end than the statements before it
            rest, line = self.buffer[self.at :], self._line_at(self.at)
            self.at = len(self.buffer)
            yield from self._carefully(rest, line, final=True)
            return True
        return self._wait(final=False, what="a value is longer than the limit")

    def _last_outside(self, what: bytes, start: int) -> int:
        """Return where `what` last stands outside a string, -1 if not behind `start`; looked for once in a buffer."""
        if what not in self.last:
            self.last[what] = values.last_outside(self.buffer, what, start)
        return self.last[what] if self.last[what] >= start else -1

    def _other(self, *, final: bool) -> bool:
        """Pass over a statement; keep the columns of CREATE TABLE, the name of the database, and what has values."""
        at = sql.opening(self.buffer, self.at)
        if at > self.at:
            self.at = at
            return True
        if not final and len(self.buffer) - at < 64:
            return False
        if sql.is_strange(self.buffer, at):
            return self._strange(final=final)
        end = after_other(self.buffer, at, self.dialect)
        if end < 0 and not (final and self.dialect.transact and resync(self.buffer, at) == len(self.buffer)):
            return self._wait(final=final, what="not understood")
        end = end if end >= 0 else len(self.buffer)
        self.others.take(self.buffer[at:end], self._line_at(at))
        self.at = end
        return True

    def _strange(self, *, final: bool) -> bool:
        """Pass over what begins like no statement, and tell it."""
        self.told.add("not SQL", self._line_at(self.at))
        end = resync(self.buffer, self.at)
        if end == len(self.buffer) and not final:  # its last line may be the beginning of a statement
            last = self.buffer.rfind(b"\n", self.at + 1)
            end = last if last > 0 else end
        self.at = end
        return True

    # --- rows -------------------------------------------------------------------------------------------------

    def _flush(self, head: Head) -> Iterator[Batch]:
        """Turn the waiting rows of a head into batches."""
        pieces, runs, rows = self.tables.take(head)
        odd: list[tuple[bytes, int]] = []
        yield from self.tables.batches(head, pieces, runs, odd)
        yield from self.tables.from_rows(head, rows)
        for text, line in odd:
            closing = head.shape.end if head.shape else b");\n"
            yield from self._carefully(
                head.text + text + closing, line - head.text.count(b"\n"), final=False, only=head
            )
        if odd:
            yield from self.tables.from_rows(head, self.tables.take(head)[2])

    def _carefully(self, text: bytes, line: int, *, final: bool, only: Head | None = None) -> Iterator[Batch]:
        """Read statements word by word. `final`: the dump ends behind them."""
        at, lines = 0, _Lines(text, line)
        while True:
            self.source.deadline.check()
            blank = tokens.BLANK.match(text, at)
            at = blank.end() if blank else at
            if at >= len(text):
                return
            match = tokens.INSERT.match(text, at)
            if match is None:
                end = after_other(text, at, self.dialect)
                here = lines.of(at)
                if sql.is_strange(text, at):
                    self.told.add("not SQL", here)
                elif end > at:
                    self.others.take(text[at:end], here)
                at = end if end > at else self._next(text, at + 1, len(text) - at, here)
                continue
            head = only if only and only.text == match[0] else self._head(match)
            at = yield from self._careful_rows(head, match.end(), lines, final=final)

    def _careful_rows(self, head: Head, at: int, lines: _Lines, *, final: bool) -> Generator[Batch, None, int]:
        start, text = at, lines.text
        while True:
            try:
                row, at = self._row(text, at)
            except tokens.SyntaxProblem as problem:
                ended = final and text.find(b";", problem.position) < 0
                why = "ends in the middle of a statement" if ended else "not understood"
                self.told.add(why, lines.of(at))
                vain = _looked(text, at, problem.position)
                return self._next(text, max(problem.position, start), vain, lines.of(at))
            self.others.add(head, row, lines.of(at))
            if len(head.rows) >= ROWS or head.size > BATCH:
                yield from self.tables.from_rows(head, self.tables.take(head)[2] if not head.pieces else [])
            if not (following := tokens.NEXT.match(text, at)):
                break
            at = following.end()
        tail = _TAIL.match(text, at)
        end = tail.end() if tail else after_other(text, at, self.dialect)
        return end if end >= 0 else len(text)

    def _row(self, text: bytes, start: int) -> tuple[list[tokens.Value], int]:
        """Read one row word by word."""
        check = self.source.deadline.check
        check()
        return words.row(text, start, backslash=self.dialect.backslash, most=self.most, check=check)

    def _one_row(self, head: Head, start: int, *, final: bool) -> Generator[Batch, None, bool]:
        """Read one row from behind its `(`, word by word; return False when more of the dump is needed first."""
        try:
            row, end = self._row(self.buffer, start)
        except tokens.SyntaxProblem as problem:
            at = problem.position
            if not final and (len(self.buffer) - at < BLOCK or _UNSURE.match(self.buffer, at)):
                return self._wait(final=False, what="a value is longer than the limit")
            self.inside = None
            return self._wait(final=True, what="") if final and at >= len(self.buffer) - 1 else self._broken(at)
        self.others.add(head, row, self._line_at(start))
        self.at, self.inside = end, head
        if len(head.rows) >= ROWS or head.size > BATCH:
            yield from self._flush(head)
        return True

    def _more_rows(self, head: Head, *, final: bool) -> Generator[Batch, None, bool]:
        """Read the row that follows behind a row, if one does; return False when more of the dump is needed first."""
        following = tokens.NEXT.match(self.buffer, self.at)
        if following:
            return (yield from self._one_row(head, following.end(), final=final))
        gap = tokens.GAP.match(self.buffer, self.at)
        at = gap.end() if gap else self.at
        if not final and len(self.buffer) - at < 64 and not self.buffer.startswith(b";", at):
            return False
        self.inside = None
        return True

    def _copy_rows(self, head: Head, *, final: bool) -> Iterator[Batch]:
        """Read lines of COPY up to the line with a backslash and a dot."""
        buffer, start = self.buffer, self.at
        end = start if buffer.startswith((b"\\.\n", b"\\.\r\n"), start) else -1
        if end < 0:
            hits = [hit + 1 for mark in (b"\n\\.\n", b"\n\\.\r\n") if (hit := buffer.find(mark, start)) >= 0]
            end = min(hits, default=-1)
        stop = end if end >= 0 else buffer.rfind(b"\n", start) + 1
        if stop > start:
            if head.name:
                yield from self._copy_piece(head, buffer[start:stop], self._line_at(start))
            self.at = stop
        if end >= 0:
            self.at = buffer.index(b"\n", end) + 1
            self.copying = None
        elif final:
            self.copying = None
            self.told.add("ends in the middle of COPY", self._line_at(self.at))
        elif len(buffer) - self.at > self.longest:
            raise LimitError("a line of COPY is longer than the limit")

    def _copy_piece(self, head: Head, text: bytes, line: int) -> Iterator[Batch]:
        if not head.columns:
            first = text[: text.index(b"\n")]
            self.tables.fix(head, len(head.given) or first.count(b"\t") + 1)
        frame, bad = copy.lines(text, head.columns)
        for number in bad:
            self.told.add(UNEQUAL, line + number)
        if frame is not None and head.table is not None:
            yield Batch(head.table, frame)


class _Lines:
    """The numbers of lines in a text, asked for from its beginning to its end."""

    def __init__(self, text: bytes, first: int) -> None:
        self.text, self._line, self._seen = text, first, 0

    def of(self, position: int) -> int:
        """Return the number of the line in which a position lies."""
        self._line += self.text.count(b"\n", self._seen, position)
        self._seen = max(self._seen, position)
        return self._line


def _looked(text: bytes, start: int, at: int) -> int:
    """Return how many bytes were looked through for a row that breaks off at `at`: a quote without its end took all."""
    return len(text) - start if _UNSURE.match(text, at) else at - start


def _closing(buffer: bytes, start: int) -> bytes:
    """Return how the statement ends whose first row ends at `start`, or nothing where that is not near."""
    odd, seen = 0, start
    for match in _END.finditer(buffer, start, start + NEAR):
        odd ^= buffer.count(b"'", seen, match.start()) & 1
        seen = match.start()
        if not odd:
            return match[0]
    return b""
