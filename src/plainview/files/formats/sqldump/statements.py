"""Where statements end that carry no rows, and which dialect a dump is written in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from plainview.files.formats.sqldump import values
from plainview.possessive import compile_possessive

_MYSQL: Final = compile_possessive(
    rb"(?i)(?:MySQL|MariaDB) dump|phpMyAdmin|HeidiSQL|mysqldump|/\*!|ENGINE ?=|AUTO_INCREMENT"
    rb"|LOCK TABLES `|(?:INTO|TABLE|EXISTS) `"
)
_NOT_MYSQL: Final = compile_possessive(rb"(?i)PostgreSQL database dump|PRAGMA foreign_keys|standard_conforming_strings")
_ESCAPED: Final = compile_possessive(rb"[^\\']\\'[A-Za-z]")
_TRANSACT: Final = compile_possessive(rb"(?im)^GO[ \t]*\r?$|^INSERT (?:INTO )?\[|SET IDENTITY_INSERT|SET ANSI_NULLS")
_LINE: Final = compile_possessive(
    rb"(?i)[/.][ \t]*+\r?\n|(?:\\|\.[a-z]|@|(?:GO|REM|PROMPT|SPOOL|WHENEVER|EXIT|QUIT)\b)[^\n]*+\n"
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
_QUOTE_IN_COMMENT: Final = re.compile(rb"[),;]\s*+(?:--|/\*|#)[^\n]*'")
_GO: Final = compile_possessive(rb"(?i)\nGO[ \t]*+\r?\n")
_BODY: Final = (
    rb"(?:[^;'\"`$/\n-]++|'[^']*+'|\"[^\"]*+\"|`[^`]*+`|--[^\n]*+|/\*(?:[^*]++|\*(?!/))*+(?:\*/|\Z)"
    rb"|\$(?P<tag>[A-Za-z_]\w*+)?+\$(?s:.)*?(?:\$(?(tag)(?P=tag))\$|\Z)|[-/$]|\n"
)
_OTHER: Final = compile_possessive(_BODY + rb")*+;")
# Without semicolons, a statement of SQL Server ends where a line begins another.
_OTHER_TRANSACT: Final = compile_possessive(_BODY + rb"(?!GO[ \t]*+\r?\n|INSERT\s))*+(?:;|\n)", re.IGNORECASE)
_BEGINS: Final = compile_possessive(
    rb"(?i)\n(?=(?:INSERT|REPLACE|UPSERT|MERGE|UPDATE|CALL|EXEC|COPY|CREATE|ALTER|DROP|LOCK|UNLOCK|COMMIT|USE|GO|SET)\s"
    rb"|--|/\*|\\c)"
)
_ROWS_FROM_ELSEWHERE: Final = compile_possessive(
    rb"(?i)(INSERT|REPLACE|UPSERT|MERGE|UPDATE|COPY|LOAD\s++DATA|BULK\s++INSERT)\b"
)
_FILES: Final = compile_possessive(rb"(?i)\\copy\b|\\ir?[ \t]|source[ \t]|@@?[\w./]|\.import\b|\.read\b")
_WORD: Final = re.compile(rb"[A-Za-z_]+")
# Statements that define, set or permit something: their strings are no rows.
_PLAIN: Final = frozenset(
    b"SET ALTER DROP CREATE GRANT REVOKE COMMENT LOCK UNLOCK USE PRAGMA BEGIN START COMMIT ROLLBACK SAVEPOINT "
    b"RELEASE END ANALYZE VACUUM OPTIMIZE TRUNCATE FLUSH PRINT RAISERROR THROW ON AS RETURNING CHECKPOINT REINDEX "
    b"CLUSTER RENAME SHOW DESC DESCRIBE EXPLAIN REFRESH ATTACH DETACH SECURITY DISCARD RESET NOTIFY LISTEN CONNECT "
    b"DISCONNECT IF ELSE ELSIF ELSEIF WHEN THEN LOOP WHILE FOR RETURN OPEN CLOSE FETCH DEALLOCATE EXCEPTION NULL "
    b"WAITFOR CHECK REPAIR CACHE UNCACHE KILL PURGE INSTALL OUTPUT RECONFIGURE DBCC FOREIGN REASSIGN ENABLE "
    b"DISABLE DEFINE UNDEFINE COLUMN CLEAR HELP DELIMITER REPLICATE DISTRIBUTE SHUTDOWN ABORT AUDIT NOAUDIT "
    b"ASSOCIATE FLASHBACK BACKUP RESTORE HANDLER CHANGE STOP PARTITION SIGNAL GET UNSET TIMING ACCEPT VARIABLE "
    b"MSCK BREAK CONTINUE SOURCE ADD DBMS_OUTPUT CONFIG UNLOAD".split()
)
_DATA: Final = frozenset(
    b"INSERT REPLACE UPSERT MERGE UPDATE DELETE CALL EXEC EXECUTE SELECT WITH VALUES DECLARE DO COPY LOAD BULK PREPARE "
    b"IMPORT TABLE PERFORM".split()
)
_ELSEWHERE: Final = frozenset((b"COPY", b"LOAD", b"BULK"))
_TABLE_AS: Final = re.compile(
    rb"(?i)CREATE\s+(?:(?!TABLE\b|VIEW\b)\w+\s+){0,6}TABLE\b[^';]*?\bAS\s*\(?\s*(?:SELECT|VALUES|WITH)\b"
)
_HOLDS_ROWS: Final = compile_possessive(rb"(?i)\b(?:INSERT|UPSERT|MERGE|UPDATE|EXEC|CALL)\s")
# Calls with which dumps set counters and options, and by which SQL Server's tools describe tables.
_SETTING: Final = re.compile(
    rb"(?i)SELECT\s+(?:pg_catalog\s*\.\s*)?\"?(?:setval|set_config|nextval|lo_create|lo_open|lo_close|lo_unlink"
    rb"|pg_[a-z_]+|version|now)\"?\s*\("
    rb"|EXEC(?:UTE)?\s+(?:@\w+\s*=\s*)?(?:\[?\w*\]?\s*\.\s*){0,3}\[?sp_(?:(?:add|drop|update)extendedproperty|executesql"
    rb"|configure|rename|tableoption|dboption|addrolemember|addtype|settriggerorder|changedbowner|refresh\w+"
    rb"|(?:fulltext|db|bind|unbind)_?\w+)\b"
)
_BEGIN: Final = compile_possessive(
    rb"(?i)(?:BEGIN|THEN|ELSE|EXPLAIN)\s++(?=(?:INSERT|REPLACE|UPSERT|MERGE|UPDATE|CALL|EXEC)\b)"
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


def end_of(text: bytes, at: int, closing: bytes) -> int:
    """Return where the statement ends with `closing` whose values begin at `at`; -1 where it ends in another way."""
    if b";" not in closing:
        return values.outside(text, closing, at)
    end = _OTHER.match(text, at)
    if not end:
        return values.outside(text, closing, at)
    start = end.end() - closing.index(b";") - 1
    return start if text.startswith(closing, start) else -1


class Ahead:
    """Where a buffer holds something next. It is asked with positions that only grow, so that it looks once."""

    def __init__(self, text: bytes) -> None:
        self._text = text
        self._next: dict[bytes | re.Pattern[bytes], int] = {}

    def find(self, what: bytes | re.Pattern[bytes], at: int) -> int:
        """Return the next position of a text or pattern from `at` on, -1 where there is none."""
        known = self._next.get(what)
        if known is None or 0 <= known < at:
            if isinstance(what, bytes):
                known = self._text.find(what, at)
            else:
                match = what.search(self._text, at)
                known = match.start() if match else -1
            self._next[what] = known
        return known


def unlike(text: bytes, at: int, head: bytes, far: int, ahead: Ahead) -> int | None:
    """Return the position behind a statement whose values begin at `at` and whose end was not found; -1 if unknown.

    It ends before the next one that begins like `head`; and where there is a quote in a comment, or more than `far`
    bytes follow, at its semicolon. None: a comment holds a quote, and more has to be seen. `ahead` belongs to `text`.
    """
    comments = any(ahead.find(mark, at) >= 0 for mark in (b"--", b"/*", b"#"))
    quoted = comments and ahead.find(_QUOTE_IN_COMMENT, at) >= 0
    if quoted or len(text) - at > far:
        end = _OTHER.match(text, at)
        if end or quoted:
            return end.end() if end else None
    return values.outside(text, b"\n" + head.split(None, 1)[0] + b" ", at) + 1 or -1


def resync(text: bytes, at: int) -> int:
    """Return where the next statement seems to begin at the start of a line; else the end of the text."""
    found = _BEGINS.search(text, at)
    return found.end() if found else len(text)


def opening(text: bytes, at: int) -> int:
    """Return the position behind a word like BEGIN that stands before a statement, or `at`."""
    found = _BEGIN.match(text, at)
    return found.end() if found else at


def is_strange(text: bytes, at: int) -> bool:
    """Tell whether no statement that is known begins here: a message of the dump tool, or another language."""
    if _LINE.match(text, at):
        return False
    word = _WORD.match(text, at)
    return word is None or word[0].upper() not in _PLAIN | _DATA


def carries_rows(text: bytes) -> bool:
    """Tell whether strings in the statement are data: it neither defines nor sets anything."""
    if b"'" not in text and b'"' not in text and b"$" not in text:
        return False
    if _LINE.match(text) or _DELIMITER.match(text) or _SETTING.match(text):
        return False
    word = _WORD.match(text)
    first = word[0].upper() if word else b""
    if first == b"CREATE":
        return not _ROUTINE.match(text) and _TABLE_AS.match(text) is not None
    if first in (b"IF", b"ELSE", b"WHILE", b"FOR", b"BEGIN", b"WHEN"):
        return _HOLDS_ROWS.search(text) is not None
    return first not in _PLAIN | _ELSEWHERE


def kind_of(text: bytes) -> str:
    """Return the word that a statement begins with."""
    word = _WORD.match(text)
    return word[0].decode().upper() if word else "a statement"


def told_as(text: bytes) -> str:
    """Say why a statement that brings rows is not read; empty for a statement without rows."""
    if _FILES.match(text):
        return "another file is read in here"
    match = _ROWS_FROM_ELSEWHERE.match(text)
    if not match:
        return ""
    word = " ".join(match[1].decode().upper().split())
    return f"{word} whose rows are not in the statement" if word != "INSERT" else "INSERT without VALUES"
