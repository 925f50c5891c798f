"""How a delimited text is written: delimiter, quotes, line ends, what stands before the first row.

Judged by the first lines, with regard to quotes. The rules are simple on purpose: a delimiter is what occurs
equally often in (nearly) every line; ties go to the character that serves for little else.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from plainview.files.formats.csv.headers import has_header
from plainview.files.kinds.separators import BLANK, backslashes, blank_parts, field_names, separator

if TYPE_CHECKING:
    from _csv import Reader

LINES = 60  # lines that are judged
HEAD = 64 << 10
DELIMITERS = "\t;|,\x01\x1f\x1e^~:"  # the earlier wins a tie
TITLE_LINES = 20  # lines before the header that may be a title or a comment
STEADY = 0.9  # share of the rows below a title that have the usual width
MARKS = "\x1f\x1e\x1d\x1c\x02\x03"  # one of them stands for a delimiter of several bytes, which Polars does not take

_SEP = re.compile(rb'\A"?sep=(.)"?\r?\n', re.IGNORECASE)
_SLASH = ord("\\")
_BACKSLASH = re.compile(rb"\\([\s\S])")
_QUOTED = {quote: re.compile(rf"{quote}(?:[^{quote}]|{quote}{quote})*{quote}", re.DOTALL) for quote in "\"'"}


@dataclass(frozen=True, slots=True)
class Dialect:
    r"""A way to write a table. `cr`: lines end with a lone CR; `escape`: a quote inside quotes has a backslash.

    `written`: the delimiter as it stands in the text where it has several bytes; `delimiter` takes its place.
    `backslash`: a backslash stands before delimiters and line ends that belong to a cell, and `\N` is an empty one.
    `names`: the columns, where a comment names them.
    """

    delimiter: str = ","
    quote: str = '"'
    cr: bool = False
    escape: bool = False
    spaced: bool = False  # a blank stands before opening quotes
    start: int = 0  # bytes before the first line that belongs to the table (title, comments, `sep=`)
    comments: tuple[str, ...] = ()  # the text of those bytes, by line
    written: str = ""
    backslash: bool = False
    names: tuple[str, ...] = ()

    def plain(self, data: bytes) -> bytes:
        """Return whole lines as Polars can read them: with delimiters of one byte, and without backslashes."""
        if self.backslash:
            data = _BACKSLASH.sub(_unescaped, data)
        return data.replace(self.written.encode(), self.delimiter.encode()) if self.written else data


def sniff(head: bytes, *, tabs: bool = False, whole: bool = True) -> Dialect:
    """Return the dialect of a UTF-8 head; `tabs`: the name promises TSV; `whole`: no more follows the head."""
    head = head[:HEAD]
    cr = b"\r" in head and b"\n" not in head
    if cr:
        head = head.replace(b"\r", b"\n")
    told = _SEP.match(head)
    start = told.end() if told else 0
    lines = _complete_lines(head[start:].decode("utf-8", "replace"), whole=whole)
    if not told and (dialect := _named_fields(head, lines, cr=cr)):
        return dialect
    text = "\n".join(lines)
    quote = _quote(text)
    bare = _QUOTED[quote].sub("x", text) if quote in text else text  # a cell stays a cell: "" would be a blank
    rows = bare.split("\n")[:LINES]
    written = "" if told or tabs else separator(rows)
    if len(written.encode()) > 1:
        delimiter = next((mark for mark in MARKS if mark not in text), MARKS[0])
        lines = [line.replace(written, delimiter) for line in lines]
        text = text.replace(written, delimiter)
    else:
        written = ""
        delimiter = told.group(1).decode("latin-1") if told else _delimiter(rows, lines, tabs=tabs)
    escape = "\\" + quote in text and escapes(text.encode(), quote, delimiter)
    blank = text.find(f"{delimiter} {quote}") if delimiter != BLANK else -1
    spaced = blank >= 0 and text.count(quote, 0, blank) % 2 == 0
    backslash = "\\" in text and quote not in text and backslashes(rows, delimiter)
    dialect = Dialect(delimiter, quote, cr, escape, spaced, written=written, backslash=backslash)
    above = lines[: _title_lines(lines, dialect)]
    for _ in above:
        start = head.find(b"\n", start) + 1 or len(head)
    comments = tuple(line for line in above if line.strip(f"{delimiter}{quote} \t\r"))
    return replace(dialect, start=start, comments=comments)


def _named_fields(head: bytes, lines: list[str], *, cr: bool) -> Dialect | None:
    """Return the dialect of a log that names its fields in a comment (W3C, IIS, Zeek), if they fit the first row."""
    names, at = field_names(lines)
    top = next((number for number, line in enumerate(lines) if not line.startswith("#")), len(lines))
    if not names:
        return None
    first = lines[top] if top < len(lines) else ""
    dialect = Dialect("\t" if "\t" in first or "\t" in lines[at] else BLANK, cr=cr, names=tuple(names))
    if first and len(next(_reader([first.rstrip("\r")], dialect), [])) != len(names):
        return None
    start = 0
    for _ in range(top):
        start = head.find(b"\n", start) + 1 or len(head)
    comments = tuple(line for number, line in enumerate(lines[:top]) if number != at)
    return replace(dialect, start=start, comments=comments)


def _unescaped(found: re.Match[bytes]) -> bytes:
    sign = found[1]
    return b"" if sign == b"N" else b" " if sign in b"\n\t" else sign


def unescaped_end(data: bytes) -> int:
    """Return where the last line ends that no backslash lets go on, 0 for none."""
    end = data.rfind(b"\n") + 1
    while end:
        first = end - 1
        while first and data[first - 1] == _SLASH:
            first -= 1
        if (end - 1 - first) % 2 == 0:
            break
        end = data.rfind(b"\n", 0, end - 1) + 1
    return end


def escapes(data: bytes, quote: str, delimiter: str) -> bool:
    """Return whether a backslash and a quote stand before something that no doubled or closing quote stands before."""
    return bool(re.search(rf"\\{quote}[^{quote}{re.escape(delimiter)}\r\n]".encode(), data))


def _complete_lines(text: str, *, whole: bool) -> list[str]:
    """Return the lines (CR kept at their ends) without the last one if the head cuts it."""
    lines = text.split("\n")
    if len(lines) > 1 and (not whole or not lines[-1]):
        lines.pop()
    return lines


def _quote(text: str) -> str:
    """Return the single quote when fields begin and end with it, the very first too, and there is no double one."""
    if '"' in text or not text.startswith("'"):
        return '"'
    found = re.findall(r"(?:^|[\t;|,])'[^'\n]*'(?=[\t;|,\r\n]|\Z)", text, re.MULTILINE)
    return "'" if len(found) >= 2 and 2 * len(found) + 1 >= text.count("'") else '"'


def _delimiter(rows: list[str], lines: list[str], *, tabs: bool) -> str:
    """Return the character that occurs equally often in nearly every line, and in the first one too."""
    if lines[0][:1] == '"' and blank_parts(lines[:LINES]):
        return BLANK
    rows = [row for row in rows if row.strip() and not row.startswith("#")] or rows
    if tabs and any("\t" in row for row in rows):
        return "\t"
    best, best_score = "", 0.0
    for delimiter in DELIMITERS:
        counts = [row.count(delimiter) for row in rows]
        usual, times = Counter(count for count in counts if count).most_common(1)[0] if any(counts) else (0, 0)
        if not usual:
            continue
        score = times / len(rows) + (0.5 if counts[0] == usual else 0.1 if counts[0] else -0.5)
        if delimiter == ":":
            score -= 0.6  # in times, URLs and `key: value` logs
        if score > best_score + 0.01:
            best, best_score = delimiter, score
    return best if best_score >= 0.4 else ","


def _title_lines(lines: list[str], dialect: Dialect) -> int:
    """Return how many lines at the top are comments, blank, or a title of one cell over a table of several."""
    found = _counted(lines[:LINES], dialect)
    widths = [len(row) for row, at, _ in found if any(row) and not lines[at].startswith("#")]
    usual = Counter(widths).most_common(1)[0][0] if widths else 0
    filled = [_filled(row) for row, _, _ in found if len(row) == usual and any(row)]
    top = 0
    for number, (row, at, size) in enumerate(found[:TITLE_LINES]):
        blank = not any(map(str.strip, row)) and dialect.quote not in lines[at]
        comment = lines[at].startswith("#") and len(row) != usual
        title = usual > 1 and len(row) == 1 and any(len(other) == usual for other, _, _ in found[number + 1 :])
        title |= usual > 2 and len(row) < usual and _over_table([other for other, _, _ in found[number:]], usual)
        # a spreadsheet writes its title with the delimiters of the empty cells beside it
        title |= usual > 2 and any(row[:1]) and _filled(row) == 1 and 2 * sorted(filled)[len(filled) // 2] > usual
        if size > 1 or not (blank or comment or title):
            break
        top = at + 1
    return top if top < len(lines) else 0


def _over_table(rows: list[list[str]], usual: int) -> bool:
    """Tell whether the first row, which is narrower, stands above rows of the usual width, the names first."""
    below = [row for row in rows[1:] if any(map(str.strip, row))]
    if len(below) < 3 or sum(len(row) == usual for row in below) < STEADY * len(below):
        return False
    while below and len(below[0]) < usual:
        below = below[1:]
    return has_header(below) if len(rows[0]) == usual - 1 else 2 * len(rows[0]) <= usual or has_header(below)


def _filled(row: list[str]) -> int:
    return sum(not cell.isspace() for cell in row if cell)


def _counted(lines: list[str], dialect: Dialect) -> list[tuple[list[str], int, int]]:
    """Return the records of lines: (cells, its first line, how many lines it has)."""
    reader = _reader((line.replace("\r", " ") + "\n" for line in lines), dialect)
    found: list[tuple[list[str], int, int]] = []
    at = 0
    try:
        for row in reader:
            found.append((row, at, reader.line_num - at))
            at = reader.line_num
    except csv.Error:
        pass
    return found


def record_end(data: bytes, quote: str) -> int:
    """Return the length of the first record of `data`: to the first line end outside quotes, or all of it."""
    mark, end, odd = quote.encode(), 0, False
    while True:
        line_end = data.find(b"\n", end) + 1
        if not line_end:
            return len(data)
        odd ^= data.count(mark, end, line_end) % 2 == 1
        end = line_end
        if not odd:
            return end


def records(text: str, dialect: Dialect, limit: int = LINES) -> list[list[str]]:
    """Return the first records of a text as Python's csv module reads them; what it refuses ends the list."""
    reader = _reader(io.StringIO(text, newline="\n"), dialect)
    rows: list[list[str]] = []
    try:
        for row in reader:
            if row:
                rows.append(row)
            if len(rows) >= limit:
                break
    except csv.Error:
        pass
    return rows


def _reader(lines: Iterable[str], dialect: Dialect) -> Reader:
    return csv.reader(
        lines,
        delimiter=dialect.delimiter,
        quotechar=dialect.quote,
        escapechar="\\" if dialect.escape else None,
        skipinitialspace=dialect.spaced,
    )


__all__ = ["Dialect", "escapes", "record_end", "records", "sniff", "unescaped_end"]
