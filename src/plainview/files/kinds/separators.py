"""What parts the cells of a table that no common delimiter parts: several signs, a sign of other scripts, a blank.

Such a text is a table only where its first line says so: with names, parted as often as all lines are.
"""

from __future__ import annotations

import re

STEADY = 0.95  # share of the lines that are parted as often as the first
BLANK = " "
_RUN = re.compile(r"[^\w\s\"'.@/\\()\[\]{}=+*#-]{2,4}")  # `::`, `||`, `~|~`
_SIGN = re.compile(r"[^\w\s\x00-\x7f]|:")  # `¦`, `§`, and the one of /etc
_NAME = re.compile(r"[^\W\d][\w .-]{0,39}")
_HEX = re.compile(r"[0-9a-fA-F]{1,4}")
_QUOTED_NAMES = re.compile(r'"[^"]*"(?: "[^"]*")*\r?')
_QUOTED = re.compile(r'"(?:[^"]|"")*"')
_FIELDS = re.compile(r"#\s?fields:?[ \t]+(\S.*)", re.IGNORECASE)
FIELDS_LINES = 20  # lines at the top in which the names may stand


def separator(lines: list[str]) -> str:
    """Return what parts each of the lines, the first of which holds names, or "". Lines without quoted cells."""
    lines = [line for line in lines if line.strip()]
    if len(lines) < 3:
        return ""
    found: dict[str, None] = dict.fromkeys((*_RUN.findall(lines[0]), *_SIGN.findall(lines[0])))
    for each in sorted(found, key=len, reverse=True):
        names = [name.strip() for name in lines[0].split(each)]
        if len(names) < (3 if each == ":" else 2) or len(set(names)) < len(names):
            continue
        if not all(map(_NAME.fullmatch, names)) or all(map(_HEX.fullmatch, names)):
            continue
        usual = len(names) - 1
        if sum(line.count(each) == usual for line in lines) >= STEADY * len(lines):
            return each
    return ""


def blank_parts(lines: list[str]) -> bool:
    """Tell whether blanks part the cells, behind a line of quoted names (R writes one name less than cells)."""
    lines = [line for line in lines if line.strip()]
    if len(lines) < 2 or not _QUOTED_NAMES.fullmatch(lines[0]):
        return False
    counts = [_QUOTED.sub("q", line).rstrip("\r").count(BLANK) for line in lines]
    body = counts[1:]
    usual = max(set(body), key=body.count)
    return usual >= 1 and counts[0] in (usual, usual - 1) and body.count(usual) >= STEADY * len(body)


def field_names(lines: list[str]) -> tuple[list[str], int]:
    """Return the names that a log gives in a line `#Fields: …` at its top, and the line that this is."""
    for at, line in enumerate(lines[:FIELDS_LINES]):
        if not line.startswith("#"):
            break
        if named := _FIELDS.match(line):
            names = named[1].rstrip()
            return names.split("\t") if "\t" in names else names.split(), at
    return [], 0


def backslashes(rows: list[str], delimiter: str) -> bool:
    """Tell whether a backslash keeps delimiters and line ends in a cell: rows are as wide as each other only then."""
    joined = re.sub(r"\\[\s\S]", "", "\n".join(rows)).split("\n")
    plain, unescaped = ([row.count(delimiter) for row in some] for some in (rows, joined[: max(1, len(joined) - 1)]))
    return len(set(plain)) > 1 and len(set(unescaped)) == 1 and unescaped[0] > 0


__all__ = ["BLANK", "backslashes", "blank_parts", "field_names", "separator"]
