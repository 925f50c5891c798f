"""The words of SQL in dumps: comments, names, strings, the heads of data statements.

Everything works on bytes in UTF-8 and in time linear in their length (possessive repeats, no backtracking).
In the dialects where a backslash escapes (`backslash=True`), `protect` has been applied to the bytes first:
then a quote inside a string is always written twice, whatever the dialect.
"""

from __future__ import annotations

import re
from typing import Final

from plainview.possessive import compile_possessive

Value = str | bytes | None

# A name: "quoted", `quoted`, [quoted] or bare, with optional qualifiers.
_PART: Final = rb'(?:"(?:[^"]|"")++"|`(?:[^`]|``)++`|\[(?:[^\]]|\]\])++\]|[\w$#@\x80-\xff]++)'
_PARTS: Final = compile_possessive(_PART)
NAME: Final = _PART + rb"(?:\s*+\.\s*+" + _PART + rb")*+"
_LIST: Final = rb"\(\s*+" + _PART + rb"(?:\s*+,\s*+" + _PART + rb")*+\s*+\)"

_COMMENT: Final = rb"(?:--[^\n]*+\n|/\*(?:[^*]++|\*(?!/))*+\*/|#[^\n]*+\n)"
_GAP: Final = rb"(?:\s++|" + _COMMENT + rb")*+"
BLANK: Final = compile_possessive(rb"(?:[\s;]++|\xef\xbb\xbf|" + _COMMENT + rb")*+")
GAP: Final = compile_possessive(_GAP)
NEXT: Final = compile_possessive(_GAP + rb"," + _GAP + rb"(?i:ROW\s*+)?+\(")  # from behind a row to the next
_VALUES: Final = rb"VALUES?+" + _GAP + rb"(?:ROW\s*+)?+\("
INSERT: Final = compile_possessive(
    rb"(?i)(?:CALL\s++(?P<called>" + NAME + rb")\s*+\((?!\s*+\))"
    rb"|(?:INSERT|REPLACE|UPSERT|MERGE(?=\s++INTO\b))\s++"
    rb"(?:(?:LOW_PRIORITY|DELAYED|HIGH_PRIORITY|IGNORE|OVERWRITE|OR\s++\w++)\s++)*+"
    rb"(?:INTO\s++)?+(?:TABLE\s++)?+(?P<inserted>" + NAME + rb")" + _GAP + rb"(?:PARTITION\s*+\([^()']*+\)\s*+)?+"
    rb"(?P<columns>" + _LIST + rb")?+" + _GAP + rb"(?:KEY\s*+\([^()']*+\)\s*+)?+"
    rb"(?:OVERRIDING\s++\w++\s++VALUE\s*+)?+" + _VALUES + rb")"
)
INSERT_ALL: Final = compile_possessive(rb"(?i)INSERT\s++(?:ALL|FIRST)\s++(?=INTO\b)")
INTO: Final = compile_possessive(
    rb"(?i)\s*+INTO\s++(?P<name>" + NAME + rb")\s*+(?P<columns>" + _LIST + rb")?+\s*+VALUES\s*+\("
)
COPY: Final = compile_possessive(
    rb"(?i)COPY\s++(?P<name>"
    + NAME
    + rb")\s*+(?P<columns>"
    + _LIST
    + rb")?+\s*+FROM\s++STDIN(?P<options>[^;\n]*+);[ \t]*+\r?+\n"
)
CREATE: Final = compile_possessive(
    # words before TABLE: TEMPORARY, UNLOGGED, CACHED, EXTERNAL, OR REPLACE, …
    rb"(?i)CREATE\s++(?:(?!TABLE\b|AS\b|RETURNS\b)\w++\s++){0,6}+"
    rb"TABLE\s++(?:IF\s++NOT\s++EXISTS\s++)?+(?P<name>" + NAME + rb")(?:\s++ON\s++CLUSTER\s++\S++)?+\s*+"
    rb"(?:\(?+\s*+(?:LIKE|PARTITION\s++OF)\s++(?P<like>" + NAME + rb")|\((?!\s*+SELECT\b))"
)
USE: Final = compile_possessive(
    rb"(?i)(?:USE\s++(?P<used>" + _PART + rb")[ \t]*+(?:;|\r?\n|\Z)"
    rb"|\\c(?:onnect)?+[ \t]++(?:-\S++[ \t]++)?+(?P<connected>" + _PART + rb"|'[^'\n]++')"
    rb"|SET\s++(?:search_path|SCHEMA|CURRENT_SCHEMA)\s*+(?:=|TO\b)?+\s*+(?P<path>" + _PART + rb"|'[^'\n]++')"
    rb"|ALTER\s++SESSION\s++SET\s++CURRENT_SCHEMA\s*+=\s*+(?P<session>" + _PART + rb"))"
)
_DBNAME: Final = re.compile(rb"dbname\s*=\s*'*(?P<name>[^' ]+)")

_STRING: Final = rb"'[^']*+(?:''[^']*+)*+'"
TOKEN: Final = compile_possessive(
    # An unclosed comment or long string takes all that is left: looking for its end again and again would be quadratic.
    rb"(?P<space>\s++|--[^\n]*+\n?+|/\*(?:[^*]++|\*(?!/))*+(?:\*/|\Z))"
    rb"|(?P<quoted_by_q>[nN]?+[qQ]'(?:\[(?s:.)*?(?:\]'|\Z)|\((?s:.)*?(?:\)'|\Z)|\{(?s:.)*?(?:\}'|\Z)|<(?s:.)*?(?:>'|\Z)|([^\s\[({<'])(?s:.)*?(?:\3'|\Z)))"
    rb"|(?P<escaped>[eE]'(?:[^'\\]++|''|\\(?s:.))*+')"
    rb"|(?P<hex>[xX]" + _STRING + rb"|0[xX][0-9A-Fa-f]*+)"
    rb"|(?P<binary>_binary\s*+" + _STRING + rb")"
    rb"|(?P<string>(?:[nNbB]|[uU]&|_[A-Za-z0-9]++\s*+)?+" + _STRING + rb")"
    rb'|(?P<double>"(?:[^"\\]++|""|\\(?s:.))*+")'
    rb"|(?P<dollar>\$(?P<tag>[A-Za-z_\x80-\xff][\w\x80-\xff]*+)?+\$(?s:.)*?(?:\$(?(tag)(?P=tag))\$|\Z))"
    rb"|(?P<word>`[^`]*+`|\[[^\]\[]*+\]|[A-Za-z_@#\x80-\xff][\w$#@.\x80-\xff]*+)"
    rb"|(?P<number>[+-]?+\s*+(?:[0-9]++\.?+[0-9]*+|\.[0-9]++)(?:[eE][+-]?+[0-9]++)?+)"
    rb"|(?P<mark>\|\||::|[(),;+:/*.=<>!&|{}~^%?-])"
)
ESCAPES: Final = {
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "b": "\b",
    "f": "\f",
    "v": "\v",
    "0": "\0",
    "Z": "\x1a",
    "\x02": "\\",
}
_ESCAPE: Final = compile_possessive(r"(?s)\\(.)")
_POSTGRES_ESCAPE: Final = compile_possessive(
    r"(?s)\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|x([0-9A-Fa-f]{1,2})|([0-7]{1,3})|(.))"
)
_UNISTR: Final = compile_possessive(r"\\(?:\\|\+([0-9A-Fa-f]{6})|u?([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8}))")
_NOT_COLUMNS: Final = frozenset(
    b"primary unique key index constraint foreign check fulltext spatial exclude like period".split()
)


class SyntaxProblem(Exception):  # noqa: N818 - it never leaves the reader; its text holds no data
    """The bytes at `position` are no row of VALUES. `ended` when they end too early."""

    def __init__(self, position: int, *, ended: bool = False) -> None:
        super().__init__("not understood")
        self.position = position
        self.ended = ended


def protect(text: bytes) -> bytes:
    r"""Rewrite backslash escapes so that quotes can be counted: `\\` becomes `\` with 0x02, `\'` becomes `''`."""
    if b"\\" not in text:
        return text
    return text.replace(b"\\\\", b"\\\x02").replace(b"\\'", b"''")


def unescape(text: str) -> str:
    """Undo MySQL's backslash escapes in a protected string."""

    def one(match: re.Match[str]) -> str:
        letter = match[1]
        return match[0] if letter in "%_" else ESCAPES.get(letter, letter)

    return _ESCAPE.sub(one, text)


def unistr(text: str) -> str:
    r"""Undo `unistr`: `\XXXX`, `\+XXXXXX`, `\uXXXX`, `\UXXXXXXXX`, `\\`. Lone surrogates are joined or replaced."""

    def one(match: re.Match[str]) -> str:
        digits = match[1] or match[2] or match[3]
        if not digits:
            return "\\"
        return chr(min(int(digits, 16), 0x10FFFF))

    return _joined(_UNISTR.sub(one, text))


def _joined(text: str) -> str:
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def postgres_escapes(text: str) -> str:
    """Undo the escapes of `E'…'` strings and of COPY, octal and hexadecimal ones too."""

    def one(match: re.Match[str]) -> str:
        for group, base in ((1, 16), (2, 16), (3, 16), (4, 8)):
            if match[group]:
                return chr(min(int(match[group], base), 0x10FFFF))
        return ESCAPES.get(match[5], match[5]) if match[5] != "Z" else "Z"

    return _joined(_POSTGRES_ESCAPE.sub(one, text))


def plain_name(raw: bytes) -> str:
    """Return a name as the database knows it: qualifiers joined by dots, without quotes."""
    parts = []
    for part in _PARTS.findall(raw):
        if part[:1] in (b'"', b"`"):
            parts.append(part[1:-1].replace(part[:1] * 2, part[:1]))
        else:
            parts.append(part[1:-1].replace(b"]]", b"]") if part[:1] == b"[" else part)
    return b".".join(parts).decode("utf-8", "replace")


def used(match: re.Match[bytes]) -> str:
    """Return the name of the database or schema that a match of USE changes to."""
    raw = next(group for group in match.groups() if group)
    inside = raw[1:-1] if raw[:1] == b"'" else raw
    found = _DBNAME.search(inside)
    return plain_name(found["name"] if found else inside)


def names(raw: bytes) -> list[str]:
    """Return the column names of a list in parentheses."""
    return [plain_name(part) for part in _PARTS.findall(raw)]


def created_columns(text: bytes, start: int, end: int, most: int) -> list[str]:
    """Return the columns of a CREATE TABLE, `most + 1` of more than `most`; `start` is behind its `(`.

    Raises SyntaxProblem where its `)` is not found before `end`.
    """
    columns: list[str] = []
    depth, first, at = 1, True, start
    while match := TOKEN.match(text, at, end):
        at = match.end()
        token, kind = match[0], match.lastgroup
        if kind == "space":
            continue
        if first and depth == 1 and kind in ("word", "double"):
            if token.lower() not in _NOT_COLUMNS and len(columns) <= most:
                columns.append(plain_name(token))
            first = False
        elif token == b"(":
            depth += 1
        elif token == b")":
            depth -= 1
            if not depth:
                return columns
        elif token == b"," and depth == 1:
            first = True
    raise SyntaxProblem(at, ended=end - at < 64)
