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
from plainview.files.formats.sqldump.statements import Dialect, after_other, dialect_of, resync, told_as
from plainview.files.formats.sqldump.tables import BATCH, ROWS, Head, Tables
from plainview.files.formats.sqldump.text import blocks
from plainview.tables import MIB, Batch, Input, ReadLog

BLOCK: Final = 4 * MIB
_NEXT: Final = re.compile(rb"\s*+,\s*+\(")
_STRING: Final = re.compile(rb"'[^']*+'")
_FORMAT: Final = re.compile(rb"(?i)\b(?:CSV|BINARY|DELIMITERS?|NULL)\b")
_UNEQUAL: Final = "more or fewer values than columns"
_TAIL: Final = re.compile(rb"[ \t]*+(?:ON\s++CONFLICT\s++DO\s++NOTHING\s*+)?;?[ \t]*+\r?\n")
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
        self.copying: Head | None = None
        self.problems: dict[str, list[int]] = {}
        self.longest = 2 * source.limits.field + BLOCK
        notes, self.text = blocks(source, log, BLOCK)
        self.dialect: Dialect = dialect_of(notes.head)
        self.tables = Tables(source.name, log, backslash=self.dialect.backslash)
        self.tables.notes = notes.notes

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
            self._tell()
        while waiting := [head for head in self.tables.heads.values() if head.pieces or head.rows]:
            for head in waiting:  # read word by word, one may show rows of another table
                yield from self._flush(head)
        yield from self.tables.without_rows()
        self.log.listed(len(self.tables.named))
        self._tell()

    def _feed(self, piece: bytes) -> None:
        self._line_at(self.at)
        self.buffer = self.buffer[self.at :] + piece
        self.at = self.seen = 0

    def _line_at(self, position: int) -> int:
        self.line += self.buffer.count(b"\n", self.seen, position)
        self.seen = max(position, self.seen)
        return self.line

    def _problem(self, what: str, line: int) -> None:
        found = self.problems.setdefault(what, [line, 0])
        found[0] = min(found[0], line)
        found[1] += 1

    def _tell(self) -> None:
        for what, (line, count) in self.problems.items():
            many = f" and {count - 1} more" if count > 1 else ""
            self.log.skip(self.source.name, f"{what}: line {line}{many}")
        self.problems.clear()

    # --- statements -------------------------------------------------------------------------------------------

    def _advance(self, *, final: bool) -> Iterator[Batch]:
        """Read as many statements as the buffer holds."""
        while True:
            self.source.deadline.check()
            if self.copying:
                yield from self._copy_rows(self.copying, final=final)
                if self.copying:
                    return
            blank = tokens.BLANK.match(self.buffer, self.at)
            self.at = blank.end() if blank else self.at
            if self.at >= len(self.buffer) or not (yield from self._statement(final=final)):
                return
            for head in self.tables.full():
                yield from self._flush(head)

    def _statement(self, *, final: bool) -> Generator[Batch, None, bool]:
        """Read the statement at `at`; return False when more of the dump is needed first."""
        if match := tokens.INSERT.match(self.buffer, self.at):
            head = self.tables.head(match[0], match["name"], match["columns"])
            if head.shape is None and not self._learn(head, match.end(), final=final):
                return False
            if head.shape is None:
                return True
            return (yield from self._inserts(head, head.shape, match.end(), final=final))
        if match := tokens.COPY.match(self.buffer, self.at):
            head = self.tables.head(match[0], match["name"], match["columns"])
            if _FORMAT.search(match["options"]):
                self._problem("COPY in another format than text", self._line_at(self.at))
                head = Head(b"", "", [])
            self.at = match.end()
            self.copying = head
            return True
        return self._other(final=final)

    def _wait(self, *, final: bool, what: str) -> bool:
        """Return False to wait for more; or, when nothing more will come, tell it, go on behind it, return True."""
        if not final and len(self.buffer) - self.at <= self.longest:
            return False
        self._problem("ends in the middle of a statement" if final else what, self._line_at(self.at))
        self.at = resync(self.buffer, self.at + 1)
        return True

    def _learn(self, head: Head, start: int, *, final: bool) -> bool:
        """Read the first row word by word and keep how it is written. False: more of the dump is needed."""
        buffer = self.buffer
        try:
            first, end = words.row(buffer, start, backslash=self.dialect.backslash)
        except tokens.SyntaxProblem as problem:
            at = problem.position
            if not final and (len(buffer) - start < BLOCK or _UNSURE.match(buffer, at) or at >= len(buffer)):
                return self._wait(final=False, what="a value is longer than the limit")
            return self._wait(final=True, what="") if at >= len(buffer) - 1 else self._broken(at)
        if not final and len(buffer) - end < 256:  # what follows the row is not here yet
            return False
        self.tables.fix(head, len(first))
        inside = _STRING.sub(b"", buffer[start : end - 1])
        separator = b", " if 0 < inside.count(b",") == inside.count(b", ") else b","
        head.words = b'"' in inside  # strings in double quotes, which MySQL and SQLite take as well
        following, tail = _NEXT.match(buffer, end), _TAIL.match(buffer, end)
        boundary = b")" + following[0] if following else b")" + separator + b"("
        closing = b")" + tail[0] if tail else b");\r\n" if self.dialect.crlf else b");\n"
        if not tail and not following and self.dialect.transact:
            closing = b")\r\n" if self.dialect.crlf else b")\n"
        head.shape = values.Shape(len(first), separator, boundary, closing)
        return True

    def _broken(self, at: int) -> bool:
        self._problem("not understood", self._line_at(at))
        self.at = resync(self.buffer, max(at, self.at + 1))
        return True

    def _inserts(self, head: Head, shape: values.Shape, start: int, *, final: bool) -> Generator[Batch, None, bool]:
        """Gather the rows of this statement and of those behind it that begin alike."""
        buffer, text, closing = self.buffer, head.text, shape.end
        first, more = start, True
        head.runs.append((len(head.pieces), self._line_at(start)))
        while more:  # once for each statement: find, count and compare, at the speed of C
            end = buffer.find(closing, start)
            if end >= 0 and buffer.count(b"'", start, end) & 1:
                end = values.outside(buffer, closing, start)
            if end < 0:
                break
            head.pieces.append(buffer[start:end])
            self.at = end + len(closing)
            start = self.at + len(text)
            more = buffer.startswith(text, self.at)
        if more and (cut := values.last_outside(buffer, shape.boundary, start)) >= 0:
            word = b"\n" + text.split(None, 1)[0] + b" "
            if 0 <= (other := values.outside(buffer, word, start)) < cut:  # its end was not seen: it is written unlike
                rest, line = buffer[self.at : other + 1], self._line_at(self.at)
                self.at = other + 1
                yield from self._carefully(rest, line, final=False)
                return True
            head.pieces.append(buffer[start:cut])
            self._line_at(cut)
            self.buffer = text + buffer[cut + len(shape.boundary) :]
            self.line -= text.count(b"\n") - shape.boundary.count(b"\n")
            self.at = self.seen = 0
            start = cut
        size = start - first
        head.size += size
        self.tables.waiting += size
        if head.size > BATCH:
            yield from self._flush(head)
        if not more:
            return True
        if final:  # without its end, or with another end than the statements before it
            rest, line = self.buffer[self.at :], self._line_at(self.at)
            self.at = len(self.buffer)
            yield from self._carefully(rest, line, final=True)
            return True
        return self._wait(final=False, what="a value is longer than the limit")

    def _insert_all(self, text: bytes, at: int, line: int) -> None:
        """Let the rows of Oracle's INSERT ALL wait; `text[at:]` begins with its first INTO."""
        while match := tokens.INTO.match(text, at):
            head = self.tables.head(match[0].strip(), match["name"], match["columns"])
            here = line + text.count(b"\n", 0, match.end())
            try:
                row, at = words.row(text, match.end(), backslash=self.dialect.backslash)
            except tokens.SyntaxProblem:
                self._problem("not understood", here)
                return
            if not self.tables.add(head, row):
                self._problem(_UNEQUAL, here)

    def _other(self, *, final: bool) -> bool:
        """Pass over a statement; keep the columns of CREATE TABLE and the name of the database."""
        end = after_other(self.buffer, self.at, self.dialect)
        if end < 0 and not (final and self.dialect.transact and resync(self.buffer, self.at) == len(self.buffer)):
            return self._wait(final=final, what="not understood")
        end = end if end >= 0 else len(self.buffer)
        if match := tokens.CREATE.match(self.buffer, self.at):
            try:
                columns, _ = tokens.created_columns(self.buffer[:end], match.end())
                self.tables.create(match["name"], columns)
            except tokens.SyntaxProblem:
                self._problem("the columns of a table are not understood", self._line_at(self.at))
        elif match := tokens.USE.match(self.buffer, self.at):
            self.tables.database = tokens.plain_name(match["name"])
        elif match := tokens.INSERT_ALL.match(self.buffer, self.at):
            self._insert_all(
                self.buffer[:end], match.end(), self._line_at(self.at) - self.buffer.count(b"\n", 0, self.at)
            )
        elif why := told_as(self.buffer, self.at):
            self._problem(why, self._line_at(self.at))
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
        at = 0
        while True:
            self.source.deadline.check()
            blank = tokens.BLANK.match(text, at)
            at = blank.end() if blank else at
            if at >= len(text):
                return
            match = tokens.INSERT.match(text, at)
            if match is None:
                end = after_other(text, at, self.dialect)
                if every := tokens.INSERT_ALL.match(text, at):
                    self._insert_all(text[: max(end, at)], every.end(), line)
                elif why := told_as(text, at):
                    self._problem(why, line + text.count(b"\n", 0, at))
                at = end if end > at else resync(text, at + 1)
                continue
            head = (
                only if only and only.text == match[0] else self.tables.head(match[0], match["name"], match["columns"])
            )
            at = yield from self._careful_rows(head, text, match.end(), line, final=final)

    def _careful_rows(self, head: Head, text: bytes, at: int, line: int, *, final: bool) -> Generator[Batch, None, int]:
        start = at
        while True:
            try:
                row, at = words.row(text, at, backslash=self.dialect.backslash)
            except tokens.SyntaxProblem as problem:
                ended = final and (problem.position >= len(text) - 1 or b";" not in text[problem.position :])
                why = "ends in the middle of a statement" if ended else "not understood"
                self._problem(why, line + text.count(b"\n", 0, at))
                return resync(text, max(problem.position, start))
            if not self.tables.add(head, row):
                self._problem(_UNEQUAL, line + text.count(b"\n", 0, at))
            if len(head.rows) >= ROWS or head.size > BATCH:
                yield from self.tables.from_rows(head, self.tables.take(head)[2] if not head.pieces else [])
            if not (following := _NEXT.match(text, at)):
                break
            at = following.end()
        tail = _TAIL.match(text, at)
        end = tail.end() if tail else after_other(text, at, self.dialect)
        return end if end >= 0 else len(text)

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
            self._problem("ends in the middle of COPY", self._line_at(self.at))
        elif len(buffer) - self.at > self.longest:
            raise LimitError("a line of COPY is longer than the limit")

    def _copy_piece(self, head: Head, text: bytes, line: int) -> Iterator[Batch]:
        if not head.columns:
            first = text[: text.index(b"\n")]
            self.tables.fix(head, len(head.given) or first.count(b"\t") + 1)
        frame, bad = copy.lines(text, head.columns)
        for number in bad:
            self._problem(_UNEQUAL, line + number)
        if frame is not None and head.table is not None:
            yield Batch(head.table, frame)
