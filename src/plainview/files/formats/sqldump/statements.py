"""Where statements end that carry no rows, and which dialect a dump is written in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from plainview.possessive import compile_possessive

_MYSQL: Final = compile_possessive(
    rb"(?i)(?:MySQL|MariaDB) dump|phpMyAdmin|HeidiSQL|mysqldump|/\*!|ENGINE ?=|AUTO_INCREMENT"
    rb"|LOCK TABLES `|(?:INTO|TABLE|EXISTS) `"
)
_NOT_MYSQL: Final = compile_possessive(rb"(?i)PostgreSQL database dump|PRAGMA foreign_keys|standard_conforming_strings")
_ESCAPED: Final = compile_possessive(rb"[^\\']\\'[A-Za-z]")
_TRANSACT: Final = compile_possessive(rb"(?im)^GO[ \t]*\r?$|^INSERT (?:INTO )?\[|SET IDENTITY_INSERT|SET ANSI_NULLS")
_LINE: Final = compile_possessive(
    rb"(?i)(?:\\|/[ \t]*+\r?\n|\.[ \t]*+\r?\n|@|(?:GO|REM|PROMPT|SPOOL|WHENEVER|EXIT|QUIT)\b)[^\n]*+\n"
)
_DELIMITER: Final = compile_possessive(rb"(?i)DELIMITER[ \t]++(\S++)[^\n]*+\n")
_DELIMITED: Final = compile_possessive(rb"(?i)\nDELIMITER[ \t]++;[^\n]*+\n")
_ROUTINE: Final = compile_possessive(
    rb"(?i)CREATE\s++(?:OR\s++(?:REPLACE|ALTER)\s++|TEMP\s++|TEMPORARY\s++|EDITIONABLE\s++|DEFINER\s*+=\s*+\S++\s++)*+"
    rb"(?:TRIGGER|PROC|PROCEDURE|FUNCTION|PACKAGE|TYPE\s++BODY)\b"
)
_ROUTINE_END: Final = compile_possessive(
    rb"(?i)\bEND(?!\s++(?:IF|LOOP|CASE|WHILE|REPEAT)\b)[^;\n$]*+;[ \t]*+(?:\r?\n(?:/[ \t]*+\r?\n)?+)"
)
_QUOTED_BODY: Final = compile_possessive(rb"(?i)\bAS\s++E?'")  # pg_dump --disable-dollar-quoting
_GO: Final = compile_possessive(rb"(?i)\nGO[ \t]*+\r?\n")
_BODY: Final = (
    rb"(?:[^;'\"`$/\n-]++|'[^']*+'|\"[^\"]*+\"|`[^`]*+`|--[^\n]*+|/\*(?:[^*]++|\*(?!/))*+(?:\*/|\Z)"
    rb"|\$(?P<tag>[A-Za-z_]\w*+)?+\$(?s:.)*?(?:\$(?(tag)(?P=tag))\$|\Z)|[-/$]|\n"
)
_OTHER: Final = compile_possessive(_BODY + rb")*+;")
# Without semicolons, a statement of SQL Server ends where a line begins another.
_OTHER_TRANSACT: Final = compile_possessive(_BODY + rb"(?!GO[ \t]*+\r?\n|INSERT\s))*+(?:;|\n)", re.IGNORECASE)
_BEGINS: Final = compile_possessive(
    rb"(?i)\n(?=(?:INSERT|REPLACE|COPY|CREATE|ALTER|DROP|LOCK|UNLOCK|COMMIT|USE|GO|SET)\s|--|/\*)"
)
_ROWS_FROM_ELSEWHERE: Final = compile_possessive(
    rb"(?i)(INSERT|REPLACE|MERGE|UPDATE|COPY|LOAD\s++DATA|BULK\s++INSERT)\b"
)


@dataclass(frozen=True, slots=True)
class Dialect:
    """What has to be known before the first statement. `backslash`: it escapes; `transact`: no semicolons needed."""

    backslash: bool = False
    transact: bool = False
    crlf: bool = False


def dialect_of(head: bytes) -> Dialect:
    """Guess the dialect from the beginning of a dump."""
    mysql = bool(_MYSQL.search(head)) and not _NOT_MYSQL.search(head[: 8 << 10])
    return Dialect(
        backslash=mysql or (bool(_ESCAPED.search(head)) and not _NOT_MYSQL.search(head)),
        transact=not mysql and bool(_TRANSACT.search(head)),
        crlf=_crlf(head),
    )


def _crlf(head: bytes) -> bool:
    """Return whether lines end with CR and LF: those behind statements, for a string may hold any of both."""
    statements, with_cr = head.count(b";\n"), head.count(b";\r\n")
    return with_cr > statements if statements or with_cr else 2 * head.count(b"\r\n") > head.count(b"\n")


def after_other(text: bytes, at: int, dialect: Dialect) -> int:
    """Return the position behind the statement or command at `at`; -1 when its end is not in the text."""
    if line := _LINE.match(text, at):
        return line.end()
    if delimiter := _DELIMITER.match(text, at):
        if delimiter[1] == b";":
            return delimiter.end()
        end = _DELIMITED.search(text, delimiter.end() - 1)
        return end.end() if end else -1
    if _ROUTINE.match(text, at) and (behind := _after_routine(text, at, dialect)):
        return behind
    pattern = _OTHER_TRANSACT if dialect.transact else _OTHER
    other = pattern.match(text, at)
    return other.end() if other else -1


def _after_routine(text: bytes, at: int, dialect: Dialect) -> int:
    """Return the position behind a trigger or routine, -1 to wait for more, 0 when it has no body of statements."""
    if dialect.transact:
        end = _GO.search(text, at)
        return end.end() if end else -1
    first = text.find(b";", at)
    before = text[at : first if first >= 0 else len(text)]
    if (
        b"$" in before
        or _QUOTED_BODY.search(before)
        or (first >= 0 and not re.search(rb"(?i)\b(?:BEGIN|IS|AS)\b", before))
    ):
        return 0
    end = _ROUTINE_END.search(text, at)
    return end.end() if end else -1


def resync(text: bytes, at: int) -> int:
    """Return where the next statement seems to begin at the start of a line; else the end of the text."""
    found = _BEGINS.search(text, at)
    return found.end() if found else len(text)


def told_as(text: bytes, at: int) -> str:
    """Say why a statement that brings rows is not read; empty for a statement without rows."""
    match = _ROWS_FROM_ELSEWHERE.match(text, at)
    if not match:
        return ""
    word = " ".join(match[1].decode().upper().split())
    return f"{word} whose rows are not in the statement" if word != "INSERT" else "INSERT without VALUES"
