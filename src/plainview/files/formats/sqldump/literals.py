"""Rows in statements that are no plain INSERT … VALUES: SELECT of literals, SET lists, MERGE, EXEC, WITH.

The statement is read word by word. Each of its strings has to end in a row; whether all did is returned, so that
the caller can tell the others.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from plainview.files.formats.sqldump import rows, tokens
from plainview.files.formats.sqldump.tokens import Value
from plainview.tables import MIB

LARGEST: Final = 4 * MIB  # text of a statement that is read here; each of its words becomes an object
_STRINGS: Final = frozenset({"string", "binary", "hex", "escaped", "quoted_by_q", "dollar", "tag"})
_NAMED_BY: Final = frozenset({b"INTO", b"UPDATE", b"CALL", b"EXEC", b"EXECUTE", b"TABLE"})
_FIELDS_END: Final = frozenset(b"FROM UNION WHERE INTO EXCEPT INTERSECT ORDER GROUP LIMIT ON".split())
_PAIR_ENDS: Final = frozenset(
    b"WHERE AND OR ON WHEN THEN FROM SET EXEC EXECUTE UPDATE INSERT GO ELSE LIMIT END".split()
)
_NO_NAME: Final = frozenset(b"SELECT VALUES SET AS IF NOT EXISTS INTO USING".split())

Token = tuple[str, bytes]


@dataclass(slots=True)
class Row:
    """Values for columns of a table; `columns` is empty where the statement does not name them."""

    table: bytes
    columns: list[str]
    values: list[Value]


@dataclass(slots=True)
class Statement:
    """The rows of one statement. `lost` strings are in no row; `elsewhere`: its rows come from another table."""

    rows: list[Row] = field(default_factory=list)
    lost: int = 0
    elsewhere: bool = False


def read(text: bytes, *, backslash: bool) -> Statement:
    """Return what stands in a statement. One that is too long has a lost string."""
    if len(text) > LARGEST:
        return Statement(lost=1)
    reader = _Reader(_split(text), backslash=backslash)
    reader.run()
    return reader.found


def _split(text: bytes) -> list[Token]:
    found: list[Token] = []
    at = 0
    while match := tokens.TOKEN.match(text, at):
        at = match.end()
        kind = str(match.lastgroup)
        if kind != "space":
            found.append((kind, match[0]))
    if at < len(text):
        found.append(("string", b"''"))  # what is no token is in no row
    return found


class _Reader:
    def __init__(self, words: list[Token], *, backslash: bool) -> None:
        self.words = words
        self.backslash = backslash
        self.found = Statement()
        self.at = 0
        self.table = b""
        self.given: list[str] = []
        self.aliases: list[str] = []
        self.pairs: dict[str, Value] = {}
        self.pair_strings = 0
        self.queries: set[bytes] = set()  # names that WITH gives to queries of the statement itself

    def run(self) -> None:
        """Read all rows."""
        while self.at < len(self.words):
            kind, token = self.words[self.at]
            word = token.upper() if kind == "word" else b""
            if word in (b"FROM", b"USING"):
                self._source()
            elif word in _NAMED_BY or (word == b"MERGE" and self._peek(1).upper() != b"INTO"):
                self._named(word)
            elif word in (b"VALUES", b"VALUE") and self._peek(1).upper() in (b"(", b"ROW"):
                self.at += 1
                self._groups()
            elif word == b"SELECT":
                self._select()
            elif kind in ("word", "double") and self._peek(1).upper() in (b"=", b"LIKE"):
                self._pair()
            elif not (kind in ("word", "double") and self._with()):
                self.found.lost += self._is_string(kind)
                self.at += 1
        self._end_pairs()
        for row in self.found.rows:  # of WITH … INSERT INTO, the table stands behind the rows
            row.table = row.table or self.table

    def _is_string(self, kind: str) -> bool:
        return kind in _STRINGS or (kind == "double" and self.backslash)

    def _peek(self, ahead: int = 0) -> bytes:
        return self.words[self.at + ahead][1] if self.at + ahead < len(self.words) else b""

    # --- names ------------------------------------------------------------------------------------------------

    def _named(self, word: bytes) -> None:
        """Take the name behind INTO, UPDATE, EXEC, …, and the list of columns behind it."""
        start = self.at
        self.at += 1
        while word == b"TABLE" and self._peek().upper() in (b"IF", b"NOT", b"EXISTS"):
            self.at += 1
        name = self._name()
        if not name or self._peek() == b"=":  # ON DUPLICATE KEY UPDATE a = 'x'; EXEC @result = …
            self.at = start + 1
            return
        self._end_pairs()
        self.table = name
        if word in (b"EXEC", b"EXECUTE", b"CALL"):
            self._arguments(bracketed=self._peek() == b"(")
        elif columns := self._columns():
            self.given = columns

    def _source(self) -> None:
        """Take the name behind FROM or USING: rows of another table do not stand in the statement."""
        self.at += 1
        name = self._name()
        self.table = self.table or name
        known = (b"DUAL", self.table.upper(), *self.queries)
        self.found.elsewhere |= bool(name) and name.strip(b'"`[]').upper() not in known

    def _with(self) -> bool:
        """Take `name AS (` or `name (id, email) AS (` of a WITH; False where none stands."""
        start = self.at
        name = self._name()
        columns = self._columns()
        if name and self._peek().upper() == b"AS" and self._peek(1) == b"(":
            self.queries.add(name.strip(b'"`[]').upper())
            self.given = columns or self.given
            return True
        self.at = start
        return False

    def _name(self) -> bytes:
        parts: list[bytes] = []
        while self.at < len(self.words):
            kind, token = self.words[self.at]
            if kind not in ("word", "double") or (kind == "word" and token.upper() in _NO_NAME):
                break
            parts.append(token)
            self.at += 1
            if self._peek() != b".":
                break
            self.at += 1
        return b".".join(parts)

    def _columns(self) -> list[str]:
        """Take a list of names in parentheses, if one stands here."""
        ahead, names = 1, []
        if self._peek() != b"(":
            return []
        while self.at + ahead < len(self.words):
            kind, token = self.words[self.at + ahead]
            if kind not in ("word", "double") or token.upper() == b"SELECT":
                return []
            names.append(tokens.plain_name(token))
            end = self._peek(ahead + 1)
            ahead += 2
            if end == b")":
                self.at += ahead
                return names
            if end != b",":
                return []
        return []

    # --- rows -------------------------------------------------------------------------------------------------

    def _field(self, ends: frozenset[bytes]) -> list[Token]:
        """Take the words up to a comma, a closing parenthesis or a word of `ends` outside of parentheses."""
        parts: list[Token] = []
        depth = 0
        while self.at < len(self.words):
            kind, token = self.words[self.at]
            if not depth and (token in (b",", b")", b";") or (kind == "word" and token.upper() in ends)):
                break
            depth += (token == b"(") - (token == b")")
            parts.append((kind if kind != "tag" else "dollar", token))
            self.at += 1
        return parts

    def _value(self, parts: list[Token]) -> Value:
        """Return the value of a field; its strings are lost where it holds none of them."""
        value = rows.value_of(parts, backslash=self.backslash)
        strings = [rows.literal(*part, backslash=self.backslash) for part in parts if self._is_string(part[0])]
        if len(parts) > 1 and strings and not any(_text(one) in _text(value) for one in strings):
            self.found.lost += len(strings)
        return value

    def _row(self, columns: list[str], fields: list[list[Token]]) -> None:
        if any(self._is_string(kind) for parts in fields for kind, _ in parts):
            self.found.rows.append(Row(self.table, columns, [self._value(parts) for parts in fields]))

    def _groups(self) -> None:
        """Read `(1, 'a'), (2, 'b')`, and the names that MERGE and WITH give the columns behind or before them."""
        groups: list[list[list[Token]]] = []
        while True:
            if self._peek().upper() == b"ROW":
                self.at += 1
            if self._peek() != b"(":
                break
            self.at += 1
            groups.append(list(self._fields(frozenset())))
            self.at += self._peek() == b")"
            if self._peek() != b"," or self._peek(1).upper() not in (b"(", b"ROW"):
                break
            self.at += 1
        columns = self._names_behind() or self.given
        for fields in groups:
            self._row(columns if len(columns) == len(fields) else [], fields)

    def _fields(self, ends: frozenset[bytes]) -> Iterator[list[Token]]:
        while True:
            yield self._field(ends)
            if self._peek() != b",":
                return
            self.at += 1

    def _names_behind(self) -> list[str]:
        """Return the names of `) AS source (id, email)`."""
        start = self.at
        if self._peek() == b")":
            self.at += 1
            self.at += self._peek().upper() == b"AS"
            if self._name() and (columns := self._columns()):
                return columns
        self.at = start
        return []

    def _select(self) -> None:
        self.at += 1
        while self._peek().upper() in (b"DISTINCT", b"ALL"):
            self.at += 1
        fields, names = [], []
        for parts in self._fields(_FIELDS_END):
            name = ""
            if len(parts) > 1 and parts[-1][0] in ("word", "double") and parts[-2][1] not in (b".", b"||", b"::"):
                name = tokens.plain_name(parts[-1][1])
                parts = parts[: -2 if parts[-2][1].upper() == b"AS" else -1]
            names.append(name)
            fields.append(parts)
        if any(names) or len(self.aliases) != len(names):
            self.aliases = names if all(names) else []
        if len(fields) == 1 and len(fields[0]) > 3 and fields[0][0][0] == "word" and fields[0][1][1] == b"(":
            self._called(fields[0])
            return
        columns = self.given if len(self.given) == len(fields) else self.aliases
        self._row(columns if len(columns) == len(fields) else [], fields)

    def _arguments(self, *, bracketed: bool) -> None:
        """Read the arguments of a call that are not named."""
        if bracketed:
            self.at += 1
        elif self._peek(1) == b"=" or self.words[self.at : self.at + 1] == []:
            return
        start = self.at
        fields = list(self._fields(_PAIR_ENDS))
        if any(len(parts) > 1 and parts[1][1] == b"=" for parts in fields):
            self.at = start
            return
        self._row([], fields)

    def _called(self, parts: list[Token]) -> None:
        """Read the arguments of `SELECT add_user(1, 'x')`."""
        inner = _Reader(parts[1:], backslash=self.backslash)
        inner.table = parts[0][1]
        inner._arguments(bracketed=True)
        self.found.rows += inner.found.rows
        self.found.lost += inner.found.lost

    # --- name = value -----------------------------------------------------------------------------------------

    def _pair(self) -> None:
        name = tokens.plain_name(self._peek()).rpartition(".")[2].lstrip("@") or "value"
        self.at += 2 + (self._peek(2) == b">")  # Oracle names arguments with =>
        parts = self._field(_PAIR_ENDS)
        strings = sum(self._is_string(kind) for kind, _ in parts)
        if name in self.pairs:
            self._end_pairs()
        self.pairs[name] = self._value(parts)
        self.pair_strings += strings

    def _end_pairs(self) -> None:
        if self.pair_strings:
            self.found.rows.append(Row(self.table, list(self.pairs), list(self.pairs.values())))
        self.pairs = {}
        self.pair_strings = 0


def _text(value: Value) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value or ""


__all__ = ["LARGEST", "Row", "Statement", "read"]
