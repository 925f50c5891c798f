"""One row of VALUES, read word by word: literals, calls, casts and `||`.

Slower than `sqldump_values` by a factor of twenty, and able to read what that cannot.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from plainview.files.formats.sqldump import tokens
from plainview.files.formats.sqldump.tokens import Value

MOST_TOKENS: Final = 10_000  # of one field: a hostile field is not worth more
DEEPEST: Final = 50  # calls in calls; an expression that is deeper stays as it is written
LONGER: Final = 4  # times the length of an expression that its value may have; no dump tool writes such replacements


def row(text: bytes, start: int, *, backslash: bool, most: int, check: Callable[[], None]) -> tuple[list[Value], int]:
    """Read one row from behind its `(`; return its values and the position behind its `)`.

    Numbers and words stay text, NULL and DEFAULT are None, hex and binary strings are bytes. Of more than `most`
    values `most + 1` are returned. `check` is called at times, and may raise. Raises SyntaxProblem.
    """
    values: list[Value] = []
    parts: list[tuple[str, bytes]] = []
    depth, at, commas = 1, start, 0
    while match := tokens.TOKEN.match(text, at):
        at = match.end()
        kind, token = str(match.lastgroup if match.lastgroup != "tag" else "dollar"), match[0]
        if kind == "space":
            continue
        if token == b"(":
            depth += 1
        elif token == b")":
            depth -= 1
            if not depth:
                values.append(value_of(parts, backslash=backslash))
                return values[: most + 1], at
        elif token == b"," and depth == 1:
            commas += 1
            if not commas & 0xFFF:
                check()
            if len(values) <= most:
                values.append(value_of(parts, backslash=backslash))
            parts = []
            continue
        elif token == b";":
            raise tokens.SyntaxProblem(at)
        parts.append((kind, token))
        if len(parts) > MOST_TOKENS:
            raise tokens.SyntaxProblem(at)
    raise tokens.SyntaxProblem(at, ended=at >= len(text) or text[at] in b"'\"`$/[qQ" or b"'" in text[at : at + 24])


def value_of(parts: list[tuple[str, bytes]], *, backslash: bool) -> Value:
    """Return what the words of one field stand for; of an expression that is not known, its first value."""
    if len(parts) == 1:
        return literal(*parts[0], backslash=backslash)
    return _Expression(parts, backslash=backslash).value()


def literal(kind: str, token: bytes, *, backslash: bool) -> Value:
    """Return what one token stands for."""
    if kind == "hex":
        digits = token[2:-1] if token.endswith(b"'") else token[2:]
        try:
            return bytes.fromhex(("0" if len(digits) % 2 else "") + digits.decode("ascii"))
        except ValueError:
            return token.decode("utf-8", "replace")
    if kind in ("string", "binary", "escaped"):
        return _string(kind, token, backslash=backslash)
    text = token.decode("utf-8", "replace")
    if kind == "double":
        inner = text[1:-1].replace('""', '"')
        return tokens.unescape(inner.replace("''", "'")) if backslash else inner
    if kind == "quoted_by_q":
        return text[text.index("'") + 2 : -2]
    if kind == "dollar":
        skip = text.index("$", 1) + 1
        return text[skip:-skip]
    return None if text.upper() in ("NULL", "DEFAULT") else text


def _string(kind: str, token: bytes, *, backslash: bool) -> Value:
    prefix, _, body = token[:-1].partition(b"'")
    body = body.replace(b"''", b"'")
    if kind == "binary":
        return tokens.unescape(body.decode("latin-1")).encode("latin-1") if backslash else body
    text = body.decode("utf-8", "replace")
    if kind == "escaped" and not backslash:
        return tokens.postgres_escapes(text)
    if prefix.lower() == b"u&":
        return tokens.unistr(text)
    return tokens.unescape(text) if backslash and "\\" in text else text


class _Expression:
    """A field that is more than one token: calls, casts, `||`. What is not known keeps its first value."""

    def __init__(self, parts: list[tuple[str, bytes]], *, backslash: bool) -> None:
        self.parts = parts
        self.backslash = backslash
        self.at = 0
        self.size = sum(len(token) for _, token in parts)
        self.deep = False

    def value(self) -> Value:
        if not self.parts:
            return None
        result = self._sum(0)
        if self.deep or (isinstance(result, str) and self.at < len(self.parts) and not result.strip()):
            return b" ".join(token for _, token in self.parts).decode("utf-8", "replace")
        return result

    def _peek(self) -> bytes:
        return self.parts[self.at][1] if self.at < len(self.parts) else b""

    def _sum(self, depth: int) -> Value:
        terms = [self._term(depth)]
        while self._peek() in (b"||", b"+"):
            self.at += 1
            terms.append(self._term(depth))
        if len(terms) == 1:
            return terms[0]
        if any(isinstance(term, bytes) for term in terms):
            return b"".join(map(_bytes, terms))
        return "".join(term for term in terms if isinstance(term, str))

    def _term(self, depth: int) -> Value:
        if self.at >= len(self.parts) or depth > DEEPEST:
            self.deep |= depth > DEEPEST
            self.at = len(self.parts)
            return None
        kind, token = self.parts[self.at]
        self.at += 1
        if token == b"(":
            value = self._arguments(depth)
            result = value[0] if value else None
        elif kind == "word" and self._peek() == b"(":
            self.at += 1
            result = _call(token.lower(), self._arguments(depth), LONGER * self.size)
        elif kind == "word" and self.at < len(self.parts) and self.parts[self.at][0] in ("string", "escaped", "double"):
            result = self._term(depth + 1)  # DATE '2020-01-01', TIMESTAMP '…', INTERVAL '…'
        else:
            result = literal(kind, token, backslash=self.backslash)
        while self._peek() == b"::":  # a cast: the type and its size do not matter
            self.at += 2
            if self._peek() == b"(":
                self.at += 1
                self._arguments(depth)
        return result

    def _arguments(self, depth: int) -> list[Value]:
        values: list[Value] = []
        while self.at < len(self.parts) and self._peek() != b")":
            values.append(self._sum(depth + 1))
            level = 0
            while self.at < len(self.parts) and (level or self._peek() not in (b",", b")")):  # AS type(size), USING …
                level += {b"(": 1, b")": -1}.get(self._peek(), 0)
                self.at += 1
            if self._peek() == b",":
                self.at += 1
        self.at += 1
        return values


def _bytes(value: Value) -> bytes:
    return value if isinstance(value, bytes) else (value or "").encode("utf-8", "replace")


def _call(name: bytes, values: list[Value], most: int) -> Value:
    """Return what a call gives; a replacement that would give more than `most` characters is not made."""
    texts = [value for value in values if isinstance(value, str)]
    if name in (b"char", b"chr", b"nchar") and texts:
        return "".join(chr(int(text)) for text in texts if text.isascii() and text.isdigit() and int(text) < 0xD800)
    if name == b"replace" and len(values) == 3 and len(texts) == 3:
        text, old, new = texts
        longer = bool(old) and len(text) + text.count(old) * (len(new) - len(old)) > most
        return text if longer or not old else text.replace(old, new)
    if name == b"unistr" and texts:
        return tokens.unistr(texts[0])
    if name in (b"concat",):
        return "".join(texts)
    if name in (b"hextoraw", b"unhex", b"from_hex") and texts:
        try:
            return bytes.fromhex(texts[0])
        except ValueError:
            return texts[0]
    if name == b"convert" and len(texts) > 1:  # SQL Server: CONVERT(type, value)
        return texts[1]
    return next((value for value in values if value is not None), None)
