"""Statements that are no plain INSERT … VALUES: definitions, changes of the database, rows in another form."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from plainview.files.formats.sqldump import literals, tokens
from plainview.files.formats.sqldump import statements as sql
from plainview.files.formats.sqldump.tables import Head, Tables
from plainview.tables import ReadLog

UNEQUAL: Final = "more or fewer values than columns"
WIDE: Final = "values or columns after those that a table may have were left out (raise --columns)"
ReadRow = Callable[[bytes, int], tuple[list[tokens.Value], int]]  # raises SyntaxProblem


class Told:
    """What was not read, told once for each reason: its first line, and how often."""

    def __init__(self, name: str, log: ReadLog) -> None:
        self.name = name
        self.log = log
        self.problems: dict[str, list[int]] = {}

    def add(self, what: str, line: int) -> None:
        """Note what is wrong in a line."""
        found = self.problems.setdefault(what, [line, 0])
        found[0] = min(found[0], line)
        found[1] += 1

    def tell(self) -> None:
        """Write what was noted into the log."""
        for what, (line, count) in self.problems.items():
            many = f" and {count - 1} more" if count > 1 else ""
            self.log.skip(self.name, f"{what}: line {line}{many}")
        self.problems.clear()


class Others:
    """Takes statements: their rows and columns go into the tables, what is in no row is told."""

    def __init__(self, tables: Tables, told: Told, dialect: sql.Dialect, most: int, read_row: ReadRow) -> None:
        self.tables = tables
        self.told = told
        self.dialect = dialect
        self.most = most  # columns of a table
        self.read_row = read_row

    def take(self, text: bytes, line: int) -> None:
        """Take what a statement says that is no INSERT … VALUES."""
        if match := tokens.CREATE.match(text):
            self._created(match, line)
        elif match := tokens.USE.match(text):
            self.tables.database = tokens.used(match)
        elif match := tokens.INSERT_ALL.match(text):
            self._insert_all(text, match.end(), line + text.count(b"\n", 0, match.end()))
        elif sql.carries_rows(text):
            self._literals(text, line)
        elif why := sql.told_as(text):
            self.told.add(why, line)

    def add(self, head: Head, row: list[tokens.Value], line: int) -> None:
        """Let a row wait that was read word by word."""
        if len(row) > self.most:
            self.told.add(WIDE, line)
            row = row[: self.most]
        if not self.tables.add(head, row):
            self.told.add(UNEQUAL, line)

    def _created(self, match: re.Match[bytes], line: int) -> None:
        if match["like"]:
            self.tables.like(match["name"], match["like"])
            return
        try:
            columns = tokens.created_columns(match.string, match.end(), len(match.string), self.most)
        except tokens.SyntaxProblem:
            self.told.add("the columns of a table are not understood", line)
            return
        if len(columns) > self.most:
            self.told.add(WIDE, line)
        self.tables.create(match["name"], columns[: self.most])

    def _insert_all(self, text: bytes, at: int, line: int) -> None:
        """Let the rows of Oracle's INSERT ALL wait; `text[at:]` begins with its first INTO."""
        while match := tokens.INTO.match(text, at):
            head = self.tables.head(match[0].strip(), match["name"], match["columns"])
            line += text.count(b"\n", at, match.end())
            start = match.end()
            try:
                row, at = self.read_row(text, start)
            except tokens.SyntaxProblem:
                self.told.add("not understood", line)
                return
            self.add(head, row, line)
            line += text.count(b"\n", start, at)

    def _literals(self, text: bytes, line: int) -> None:
        """Let the rows of a statement wait that holds some in another form than VALUES; tell what is in no row."""
        found = literals.read(text, backslash=self.dialect.backslash)
        why = sql.told_as(text) if found.elsewhere else ""
        for row in found.rows if not why else ():
            columns = row.columns or [f"column_{at + 1}" for at in range(len(row.values))]
            self.add(self.tables.head_of(row.table, columns[: self.most]), row.values, line)
        if why:
            self.told.add(why, line)
        elif found.lost:
            self.told.add(f"{sql.kind_of(text)} with values that were not read", line)
