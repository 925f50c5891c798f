r"""Calls that dump tools write around a string, turned into the string itself, for the fast reader.

TO_DATE('1.2.2020','DD.MM.YYYY'), TIMESTAMP '…', CAST(N'…' AS DateTime), replace('a\nb','\n',char(10)),
unistr('a\u000ab'), E'a\nb'. What this misses or gets wrong does not fit the shape of its row, or is read word
by word: see `sqldump_values`.
"""

from __future__ import annotations

import re
from typing import Final

from plainview.files.formats.sqldump import tokens
from plainview.possessive import compile_possessive

REPLACED: Final = 16  # calls of replace in one another; sqlite3 writes two

_CALL: Final = compile_possessive(
    (
        rb"(?i)(?:(?<=[,(])|(?<=, )|^)(?:"
        rb"TO_(?:DATE|TIMESTAMP|TIMESTAMP_TZ|CLOB|NCLOB|CHAR|NUMBER)\s?\(\s?N?'(?P<date>IN)'(?:\s?,\s?'[^']*+')*+\s?\)"
        rb"|CAST\s?\(\s?N?'(?P<cast>IN)'\s?AS\s[\w .]++(?:\([0-9, ]++\))?\s?\)"
        rb"|CAST\s?\((?P<number>-?[0-9][0-9.]*+)\sAS\s[\w .]++(?:\([0-9, ]++\))?\s?\)"
        rb"|(?:DATE|TIMESTAMP|TIME)\s'(?P<typed>IN)'"
        rb"|(?:replace\()++'(?P<old>IN)'(?P<by>(?:,'[^']*+',char\([0-9]++\)\))++)"
        rb"|unistr\('(?P<unistr>IN)'\)"
        rb"|E'(?P<escaped>(?:[^'\\]++|''|\\(?s:.))*+)'"
        rb")"
    ).replace(b"IN", rb"[^']*+(?:''[^']*+)*+")
)
_BY: Final = compile_possessive(rb"'([^']*+)',char\(([0-9]++)\)")


def simplify(text: bytes, *, backslash: bool) -> bytes:
    """Return the text of rows with known calls replaced by what they give."""

    def one(match: re.Match[bytes]) -> bytes:
        kind = match.lastgroup or ""
        inside = match[kind]
        if kind == "number":
            return inside
        if kind == "by":
            inside = match["old"]
            replaced = _BY.findall(match["by"])
            if len(replaced) > REPLACED:
                return match[0]
            for old, code in replaced:
                if old and int(code) < 128:
                    inside = inside.replace(old, bytes([int(code)]))
        elif kind == "unistr":
            inside = tokens.unistr(inside.decode("utf-8", "replace")).encode()
        elif kind == "escaped" and not backslash:
            plain = tokens.postgres_escapes(inside.decode("utf-8", "replace").replace("''", "'"))
            inside = plain.replace("'", "''").encode()
        return b"'" + inside + b"'"

    return _CALL.sub(one, text)
