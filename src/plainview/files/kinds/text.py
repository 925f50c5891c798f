"""What a text is: JSON, NDJSON, XML, HTML, an SQL dump, a table with delimiters, or just text.

Works on the bytes of the head: every mark that matters is ASCII, and UTF-16/32 are folded to it first.
"""

from __future__ import annotations

import codecs
import re

import msgspec

from plainview.files.kinds.separators import backslashes, blank_parts, field_names, separator
from plainview.files.kinds.signatures import LOOSE, MAIL, PROSE
from plainview.possessive import compile_possessive

# Letters of all byte encodings, without what no text holds. ESC and form feed occur in logs, 01 and 1C to 1F
# stand between cells (Hive, exports of mainframes).
_CONTROL = bytes(c for c in range(32) if c not in b"\t\n\r\f\v\x1b\b\x1a\x01\x1c\x1d\x1e\x1f")
WIDE = {codecs.BOM_UTF32_LE: "utf-32-le", codecs.BOM_UTF32_BE: "utf-32-be",
        codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}  # fmt: skip

# without a BOM: step, the places in it that are zero in Latin text, the one that is not
_NO_BOM = (
    ("utf-32-le", 4, (1, 2, 3), 0),
    ("utf-32-be", 4, (0, 1, 2), 3),
    ("utf-16-le", 2, (1,), 0),
    ("utf-16-be", 2, (0,), 1),
)

_SQL = re.compile(
    rb"^(?:INSERT\s+(?:IGNORE\s+)?INTO\s|REPLACE\s+INTO\s|CREATE\s+(?:OR\s+REPLACE\s+)?(?:\w+\s+){0,3}(?:TABLE|DATABASE|"
    rb"SCHEMA|TYPE|EXTENSION|SEQUENCE|ROLE|FUNCTION|INDEX|VIEW|USER)\s|DROP\s+(?:TABLE|DATABASE|SCHEMA)\s|COPY\s+\S+\s+"
    rb"(?:\([^\n)]{0,7000}\)\s*)?FROM\s+stdin|PRAGMA\s+\w+\s*=|BEGIN\s+TRANSACTION;|START\s+TRANSACTION;|"
    rb"SET\s+\w+\s*=\s*[^\n]{0,200};|SET\s+DEFINE\s+OFF|REM\s+INSERTING|LOCK\s+TABLES\s|ALTER\s+TABLE\s|SELECT\s+pg_catalog\.|/\*M?!\d{5,6})",
    re.IGNORECASE,
)
# how a dump may begin, and a program too: `use strict;`
_SQL_MAYBE = re.compile(rb"USE\s+\S+;", re.IGNORECASE)
_SQL_LATER = re.compile(
    rb"^[ \t]*(?:INSERT\s+INTO|REPLACE\s+INTO|COPY|CREATE|DROP|ALTER)\s", re.IGNORECASE | re.MULTILINE
)
_SQL_COMMENT = re.compile(
    rb"(?:\s+|--[^\n]*(?:\n|\Z)|#[^\n]*(?:\n|\Z)|\\(?:un)?restrict [^\n]*\n|/\*(?!M?!).*?\*/|\xef\xbb\xbf)*",
    re.DOTALL,
)
_SQL_TITLE = re.compile(
    rb"-- (?:PostgreSQL database|MySQL|MariaDB|phpMyAdmin SQL|Adminer|Dumping|Host:|ClickHouse|Dump of)"
)
_JSON_START = re.compile(
    rb'\{\s*(?:\}|"(?:[^"\\]|\\.)*(?:\Z|"\s*(?::|\Z)))'
    rb'|\[\s*(?:\Z|\]|[\[{]|(?:"(?:[^"\\]|\\.)*"|-?[0-9][0-9.eE+-]*|true|false|null)\s*(?:,|\]\s*(?:\Z|[\n,]))|"(?:[^"\\]|\\.)*\Z)',
    re.DOTALL,
)
_MARKUP = re.compile(rb"<(?:\?xml|!--|!DOCTYPE|!\[CDATA|[A-Za-z_][\w.:-]*(?:\s[^<>]*)?/?>)", re.IGNORECASE)
_MAIL = re.compile(
    rb"\s*(?:[0-9]{1,10} *\r?\n|From [^\n]{1,1000}\n)?"
    rb"(?:[A-Za-z][A-Za-z0-9-]{1,60}:(?:[ \t][^\n]*)?\r?\n(?:[ \t][^\n]*\n)*){2}"
)
_MAIL_FIELD = re.compile(rb"(?im)^(?:message-id|mime-version|received|return-path|x-mailer|delivered-to):[ \t]")
_MAIL_NAMED = re.compile(rb"(?im)^(?:from|to|subject|date):[ \t]")
_CARDS = (
    (re.compile(rb"\s*BEGIN:VCARD\s*\n", re.IGNORECASE), "vcard"),
    (re.compile(rb"\s*BEGIN:VCALENDAR\s*\n", re.IGNORECASE), "icalendar"),
    (
        re.compile(
            rb"(?:\s+|#[^\n]*\n(?: [^\n]*\n)*|version: *1\r?\n)*dn::? ?[^\n]*\n(?: [^\n]*\n)*[A-Za-z][\w;.-]*::? "
        ),
        "ldif",
    ),
)
_HTML = re.compile(rb"<(?:!DOCTYPE\s+html|html|body)[\s>]", re.IGNORECASE)
_HTML_FIRST = compile_possessive(  # the first element; one of many XML documents is called title or table
    rb"\s*+(?:<!--(?:[^-]++|-(?!->))*+-->\s*+)*+<(?:head|meta|title|style|script|link|div|p|br|hr|h[1-6]|center|font|ul|ol|form|img|"
    rb"table(?=[^<]{0,500}<(?:caption|colgroup|thead|tbody|tr)[\s>])|tr(?=[^<]{0,500}<t[dh][\s>]))[\s/>]",
    re.IGNORECASE,
)


def fold_wide(head: bytes) -> bytes:
    """Return UTF-16/32 text as UTF-8, other bytes as they are; without a BOM the zero bytes tell."""
    for bom, name in WIDE.items():
        if head.startswith(bom):
            return head[len(bom) :].decode(name, "replace").encode("utf-8", "replace")
    sample = head[:4096]
    if sample.count(0) * 4 > len(sample) and len(sample) >= 4:
        for name, step, zeros, full in _NO_BOM:
            if not any(any(sample[at::step]) for at in zeros) and 0 not in sample[full::step]:
                return head[: len(head) // step * step].decode(name, "replace").encode("utf-8", "replace")
    return head


def looks_binary(head: bytes) -> bool:
    """Tell whether control characters say that no encoding makes a text of this."""
    controls = len(head) - len(head.translate(None, _CONTROL))
    if controls == 0:
        return False
    if head.startswith(tuple(WIDE)):
        return False
    if head.count(0) and (folded := fold_wide(head)) is not head:
        return len(folded) - len(folded.translate(None, _CONTROL)) > len(folded) // 100
    return controls > max(1, len(head) // 200)  # a log or a broken CSV may hold a few


def by_text(head: bytes, suffix: str, promised: str, *, complete: bool) -> str:
    """Return the kind of a text; `promised`: what its suffix stands for; `complete`: no more follows."""
    text = fold_wide(head).removeprefix(codecs.BOM_UTF8)
    body = text.lstrip()
    if kind := _as_lines(body, suffix):
        return kind
    prose = suffix in PROSE and suffix not in LOOSE
    for test in (_as_json, _as_markup) if prose else (_as_json, _as_markup, _as_sql):
        kind = test(body, promised, complete)
        if kind:
            return kind
    if promised in {"csv", "tsv"}:
        return promised
    if prose:
        return "text"
    table = _as_table(text, complete=complete, strict=suffix == ".log")
    if promised in {"json", "ndjson", "xml", "html", "sql_dump"} and not table:
        return "text" if promised in {"html", "sql_dump"} else promised
    return table or "text"


def _as_lines(body: bytes, suffix: str) -> str:
    """Return the kind of a text of properties, or of a mail message or mailbox (RFC 5322, RFC 4155)."""
    top = body[: 32 << 10]
    if top[:1] in b"Bb\r\n #vVdD":
        for pattern, kind in _CARDS:
            if pattern.match(top):
                return kind
    if not top[:1].isalnum() or not _MAIL.match(top):
        return ""
    named = suffix in MAIL and (_MAIL_NAMED.search(top) or top.startswith(b"From "))
    return "mail" if named or _MAIL_FIELD.search(top.partition(b"\n\n")[0].partition(b"\n\r\n")[0]) else ""


def _as_json(body: bytes, promised: str, complete: bool) -> str:
    if body[:1] == b"\x1e" and body[1:].lstrip()[:1] in (b"{", b"["):
        return "json"
    if promised in {"json", "ndjson"} and body[:1] in (b"{", b"["):
        return _lines_or_one(body, promised, complete)
    if body[:1] not in (b"{", b"[") or not _JSON_START.match(body[:8192]):
        return ""
    if promised in {"csv", "tsv"} and _lines_or_one(body, "", complete) != "ndjson":
        return "" if not _decodes(body.strip()) else "json"
    return _lines_or_one(body, promised, complete)


def _lines_or_one(body: bytes, promised: str, complete: bool) -> str:
    """NDJSON when its first line is a whole document and another follows."""
    first, newline, rest = body.partition(b"\n")
    if not newline and not complete:
        return promised or "json"  # one line longer than the head
    rest = rest.lstrip()
    if rest[:1] in (b"{", b"[") and _decodes(first.strip()):
        return "ndjson"
    return promised if promised == "ndjson" and _decodes(first.strip()) else "json"


def _decodes(line: bytes) -> bool:
    try:
        msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


def _as_markup(body: bytes, promised: str, _complete: bool) -> str:
    if body[:1] != b"<" or not _MARKUP.match(body[:4096]):
        return ""
    if promised in {"xml", "html"}:
        return promised
    return "html" if looks_like_html(body) else "xml"


def looks_like_html(head: bytes) -> bool:
    """Tell a page, or a piece of one, from another text in markup: by its root, or by its first element."""
    body = fold_wide(head)[:4096].lstrip()
    return not body.startswith(b"<?xml") and bool(_HTML.search(body) or _HTML_FIRST.match(body))


def _as_sql(body: bytes, promised: str, _complete: bool) -> str:
    if promised in {"csv", "tsv"} and body[:2] not in (b"--", b"/*"):
        return ""
    if _SQL_TITLE.match(body):
        return "sql_dump"
    comment = _SQL_COMMENT.match(body[: 32 << 10])
    rest = body[comment.end() if comment else 0 :][: 8 << 10]
    if _SQL.match(rest) or (_SQL_MAYBE.match(rest) and _SQL_LATER.search(body)):
        return "sql_dump"
    return "sql_dump" if promised == "sql_dump" and re.search(rb"(?im)^(?:INSERT|COPY|CREATE)\s", body) else ""


def _as_table(text: bytes, *, complete: bool, strict: bool) -> str:
    """CSV or TSV when (nearly) all lines have the same number of one delimiter, outside quotes."""
    top = text[: 16 << 10]
    lines = re.sub(rb'"[^"]{0,4000}"', b"q", top).splitlines()
    whole = complete and len(text) <= 16 << 10
    if not whole:
        lines = lines[:-1]
    lines = [line for line in lines if line.strip()][:50]
    if len(lines) < 2:
        return ""
    if top[:1] == b"#" and field_names(top.decode("utf-8", "replace").split("\n"))[0]:
        return "csv"
    for delimiter, least in (
        (b"\t", 1),
        (b";", 1),
        (b"|", 1),
        (b",", 1),
        (b"\x01", 1),
        (b"\x1f", 1),
        (b"^", 2),
        (b"~", 2),
    ):
        counts = [line.count(delimiter) for line in lines]
        usual = max(set(counts), key=counts.count)
        steady = counts.count(usual) >= max(2, 0.9 * len(counts))
        named = _short_header(lines[0], delimiter)
        if usual >= least + strict and steady and (named or (usual > 1 and len(lines) > 3)):
            return "tsv" if delimiter == b"\t" else "csv"
    bare = [line.decode("utf-8", "replace") for line in lines]
    first = top.decode("utf-8", "replace").split("\n")[: len(lines)]
    if b"\\\n" in top and backslashes(bare, "\t"):
        return "tsv"
    return "csv" if separator(bare) or (first[0][:1] == '"' and blank_parts(first)) else ""


def _short_header(line: bytes, delimiter: bytes) -> bool:
    """Tell whether the parts of a line look like column names rather than halves of a sentence."""
    return all(
        part and len(part) <= 40 and part[:1] != b" " and part.count(b" ") <= 2 for part in line.split(delimiter)
    )
