"""The tables of one dump: their names and columns, and the rows that wait to become a batch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from plainview.files.formats.sqldump import tokens, values
from plainview.files.formats.sqldump.calls import simplify
from plainview.tables import MIB, Batch, ReadLog, Table
from plainview.tables.naming import Distinct

BATCH: Final = 4 * MIB  # text of one table that becomes one batch
WAITING: Final = 16 * MIB  # text of all tables
ROWS: Final = 50_000
SMALL: Final = 32 << 10  # text that is read word by word rather than cut in two again
HEADS: Final = 2_000  # different beginnings of INSERT that wait at the same time


@dataclass(slots=True)
class Head:
    """One beginning of data statements (`INSERT INTO t (a, b) VALUES (`) and its rows that wait."""

    text: bytes
    name: str
    given: list[str]
    table: Table | None = None
    columns: list[str] = field(default_factory=list)
    shape: values.Shape | None = None
    calls: bool = False  # its rows hold calls that `simplify` understands
    words: bool = False  # its rows are for the word-by-word reader alone
    pieces: list[bytes] = field(default_factory=list)  # texts between parentheses
    runs: list[tuple[int, int]] = field(default_factory=list)  # pieces that lie one behind the other: first, its line
    size: int = 0
    rows: list[list[tokens.Value]] = field(default_factory=list)


class Tables:
    """Rows go in as text or as values; batches come out."""

    def __init__(self, prefix: str, log: ReadLog, *, backslash: bool) -> None:
        self.prefix = prefix
        self.log = log
        self.backslash = backslash
        self.heads: dict[bytes, Head] = {}
        self.created: dict[str, tuple[str, list[str]]] = {}  # folded name -> (name, columns)
        self.named: dict[str, str] = {}  # name of a table -> the database it was first seen in
        self.database = ""
        self.waiting = 0
        self.with_rows: set[str] = set()
        self.notes: tuple[str, ...] = ()

    def qualified(self, raw: bytes) -> str:
        """Return the name of a table; one that another database of the dump has as well gets its database before it."""
        name = tokens.plain_name(raw)
        first = self.named.setdefault(name, self.database)
        return name if first == self.database else f"{self.database}.{name}"

    def create(self, raw: bytes, columns: list[str]) -> None:
        """Note what a CREATE TABLE says."""
        name = self.qualified(raw)
        self.created[name.casefold()] = (name, columns)

    def columns_of(self, name: str, given: list[str], fields: int) -> tuple[list[str], tuple[str, ...]]:
        """Return as many column names as there are fields, each different, and a note where they are made up."""
        known = self.created.get(name.casefold()) or self.created.get(name.rpartition(".")[2].casefold())
        for candidate in (given, known[1] if known else []):
            if len(candidate) == fields:
                return distinct(candidate), ()
        return [f"column_{number + 1}" for number in range(fields)], ("the dump does not name the columns",)

    def head(self, text: bytes, raw_name: bytes, raw_columns: bytes | None) -> Head:
        """Return the head with this text, a new one the first time."""
        key = self.database.encode() + b"\0" + text
        found = self.heads.get(key)
        if found is None:
            given = tokens.names(raw_columns[1:-1]) if raw_columns else []
            found = self.heads[key] = Head(text, self.qualified(raw_name), given)
        return found

    def head_of(self, raw_name: bytes, columns: list[str]) -> Head:
        """Return the head for rows of a statement that is no INSERT … VALUES."""
        key = b"\0".join((b"\0" + self.database.encode(), raw_name, *map(str.encode, columns)))
        found = self.heads.get(key)
        if found is None:
            name = self.qualified(raw_name) if raw_name else "(statements)"
            found = self.heads[key] = Head(b"", name, columns)
        return found

    def like(self, raw: bytes, other: bytes) -> None:
        """Note a table that has the columns of another one."""
        known = self.created.get(self.qualified(other).casefold())
        if known:
            self.create(raw, known[1])

    def fix(self, head: Head, fields: int) -> None:
        """Settle the columns of a head when the first row is known."""
        head.columns, notes = self.columns_of(head.name, head.given, fields)
        head.table = self.table(head.name, notes)

    def table(self, name: str, notes: tuple[str, ...] = ()) -> Table:
        """Return the table under the name that it has in the report."""
        self.with_rows.add(name.casefold())
        return Table(f"{self.prefix}/{name}", "sql_dump", (*self.notes, *notes))

    def add(self, head: Head, row: list[tokens.Value]) -> bool:
        """Let a row wait; False when it has not as many values as the rows before it."""
        if not head.columns:
            self.fix(head, len(row))
        if len(row) != len(head.columns):
            return False
        head.rows.append(row)
        size = 50 * len(row) + sum(len(value) for value in row if value)
        head.size += size
        self.waiting += size
        return True

    def full(self) -> list[Head]:
        """Return the heads that have to become batches now."""
        if self.waiting > WAITING or len(self.heads) > HEADS:
            heads = [head for head in self.heads.values() if head.size]
            if len(self.heads) > HEADS:
                self.heads.clear()
            return heads
        return []

    def take(self, head: Head) -> tuple[list[bytes], list[tuple[int, int]], list[list[tokens.Value]]]:
        """Take the waiting rows out of a head: texts, their runs, rows."""
        taken = head.pieces, head.runs, head.rows
        self.waiting -= head.size
        head.pieces, head.runs, head.rows, head.size = [], [], [], 0
        return taken

    def batches(
        self, head: Head, pieces: list[bytes], runs: list[tuple[int, int]], odd: list[tuple[bytes, int]]
    ) -> Iterator[Batch]:
        """Yield the rows of texts; texts that have to be read word by word are put into `odd` with their line."""
        if head.words:
            odd += with_lines(head, pieces, runs)
            return
        frame = self._frame(head, pieces) if pieces and head.table is not None else None
        if frame is not None and head.table is not None:
            yield Batch(head.table, frame)
        elif pieces:
            yield from self._bisect(head, with_lines(head, pieces, runs), odd)

    def _bisect(self, head: Head, pieces: list[tuple[bytes, int]], odd: list[tuple[bytes, int]]) -> Iterator[Batch]:
        """Cut texts that did not fit in two, until what does not fit is small."""
        size = sum(len(text) for text, _ in pieces)
        cut = None
        if head.shape and len(pieces) == 1 and size > SMALL:
            cut = values.halves(pieces[0][0], head.shape.boundary)
        if head.shape is None or head.table is None or size <= SMALL or (len(pieces) == 1 and not cut):
            odd += pieces
            return
        if cut:
            line = pieces[0][1] + cut[0].count(b"\n") + head.shape.boundary.count(b"\n")
            parts = [(cut[0], pieces[0][1])], [(cut[1], line)]
        else:
            parts = pieces[: len(pieces) // 2], pieces[len(pieces) // 2 :]
        for part in parts:
            frame = self._frame(head, [text for text, _ in part])
            if frame is not None:
                yield Batch(head.table, frame)
            else:
                yield from self._bisect(head, part, odd)

    def _frame(self, head: Head, texts: list[bytes]) -> pl.DataFrame | None:
        if head.shape is None:
            return None
        for calls in (head.calls, not head.calls):
            wanted = [simplify(text, backslash=self.backslash) for text in texts] if calls else texts
            frame = values.frame_of(wanted, head.columns, head.shape, backslash=self.backslash)
            if frame is not None:
                head.calls = calls
                return frame
        return None

    def from_rows(self, head: Head, rows: list[list[tokens.Value]]) -> Iterator[Batch]:
        """Yield a batch of rows that were read word by word."""
        if rows and head.table is not None:
            columns = [
                series(name, list(cells)) for name, cells in zip(head.columns, zip(*rows, strict=True), strict=True)
            ]
            yield Batch(head.table, values.bytea(pl.DataFrame(columns), head.columns))

    def without_rows(self) -> Iterator[Batch]:
        """Yield an empty batch for each table that the dump creates and does not fill."""
        filled = self.with_rows | {name.rpartition(".")[2] for name in self.with_rows}
        for folded, (name, columns) in self.created.items():
            if folded not in filled:
                frame = pl.DataFrame(schema=dict.fromkeys(distinct(columns), pl.String))
                yield Batch(self.table(name), frame)


def with_lines(head: Head, pieces: list[bytes], runs: list[tuple[int, int]]) -> list[tuple[bytes, int]]:
    """Return each text with the line of the dump in which it begins."""
    between = head.text.count(b"\n") + (head.shape.end.count(b"\n") if head.shape else 0)
    starts = dict(runs)
    line, result = 0, []
    for number, piece in enumerate(pieces):
        line = starts.get(number, line)
        result.append((piece, line))
        line += piece.count(b"\n") + between
    return result


def series(name: str, cells: list[tokens.Value]) -> pl.Series:
    """Return bytes as Binary, everything else (a mixture too) as String."""
    if any(isinstance(cell, bytes) for cell in cells):
        if all(cell is None or isinstance(cell, bytes) for cell in cells):
            return pl.Series(name, cells, dtype=pl.Binary)
        cells = [cell.decode("utf-8", "replace") if isinstance(cell, bytes) else cell for cell in cells]
    return pl.Series(name, cells, dtype=pl.String)


def distinct(columns: list[str]) -> list[str]:
    """Make names different from each other and from the mark of the fast reader."""
    names = Distinct([values.ROW.decode()])
    return [names.of(column or f"column_{number}") for number, column in enumerate(columns, 1)]
