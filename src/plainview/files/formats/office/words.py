"""What a part of an Office file says: paragraphs, tables, comments, changes; from events, never from a tree.

The names of elements of OOXML (ECMA-376) and of ODF (OASIS) do not clash, so one table of them serves both. In OOXML
text stands in elements of its own, in ODF everywhere in a paragraph.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

CELLS = 200_000  # of a table that are held
REPEATED = 64  # characters of a cell, and times, that a repeat may claim
PARTS = 1_000  # of one comment, and of one cell
_PARAGRAPH = frozenset({"p", "h", "Text"})
_TEXT = frozenset({"t", "text", "delText", "instrText", "v", "author", "creator", "date", "Text"})  # fmt: skip
_BLANK = frozenset({"tab", "br", "cr", "ptab", "s", "line-break"})
_TABLE, _ROW = frozenset({"tbl", "table"}), frozenset({"tr", "table-row"})
_CELL = frozenset({"tc", "table-cell", "covered-table-cell"})
_COMMENT = frozenset({"comment", "threadedComment", "cm", "annotation"})
_CHANGE = frozenset({"ins", "del", "moveFrom", "moveTo", "insertion", "deletion", "format-change"})
_WHO = frozenset({"author", "creator", "date"})
_PERSON = frozenset({"person", "cmAuthor", "author"})


@dataclass(slots=True)
class Said:
    """A comment, or a change that was tracked: who, when, and its text."""

    what: str
    author: str = ""
    date: str = ""
    texts: list[str] = field(default_factory=list)

    def row(self) -> dict[str, str]:
        """Return it without what is empty."""
        found = {"what": self.what, "author": self.author, "date": self.date, "text": "\n".join(self.texts)}
        return {key: value for key, value in found.items() if value}


@dataclass(slots=True)
class _Grid:
    """A table that is open, and how often its open cell stands."""

    rows: list[list[str]] = field(default_factory=list)
    cell: list[str] | None = None
    times: int = 1
    cells: int = 0


class Words:
    """A target of lxml's parser. What is complete stands in `lines`, `tables`, `said` until somebody takes it."""

    def __init__(self, *, only_said: bool = False) -> None:
        self.lines: list[tuple[int, str]] = []  # with the number of the page of an ODF drawing, 0 elsewhere
        self.tables: list[list[list[str]]] = []
        self.said: list[Said] = []
        self.size = 0
        self._only_said = only_said
        self._mixed: bool | None = None
        self._page = 0
        self._paragraphs: list[list[str]] = []
        self._taken = 0  # elements around whose text is taken
        self._silent = 0  # elements around that are left out
        self._who = 0  # elements around that say who and when
        self._open: list[Said] = []  # comments and changes around
        self._deleted = 0
        self._grids: list[_Grid] = []
        self._alone: list[str] = []
        self._authors: list[str] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Begin an element."""
        name = tag.rpartition("}")[2]
        if self._mixed is None:
            self._mixed = "urn:oasis" in tag
        if self._silent or name == "Fallback":  # says again what stands before it
            self._silent += 1
            return
        if name in _TEXT:
            self._taken += 1
            self._alone.clear()
            if name == "instrText":
                self.data(" ")
            elif name in _WHO and self._open:
                self._who += 1
        if name in _PARAGRAPH or (name == "text" and not self._mixed):
            self._paragraphs.append([])
        elif name in _BLANK:
            self.data(" ", always=True)
        elif name in _TABLE:
            self._grids.append(_Grid())
        elif self._grids and name in _ROW:
            self._grids[-1].rows.append([])
        elif self._grids and name in _CELL:
            times = _attribute(attributes, "number-columns-repeated")
            self._grids[-1].cell, self._grids[-1].times = [], int(times) if times.isdecimal() else 1
        elif name == "page":
            self._page += 1
        else:
            self._about(name, attributes)

    def _about(self, name: str, attributes: dict[str, str]) -> None:
        """Look at elements that say something by their attributes."""
        if name in _COMMENT or (name in _CHANGE and (self._mixed or _attribute(attributes, "author"))):
            author = _attribute(attributes, "author")
            number = _attribute(attributes, "authorId")
            if number.isdecimal() and int(number) < len(self._authors):
                author = self._authors[int(number)]
            date = _attribute(attributes, "date") or _attribute(attributes, "dT") or _attribute(attributes, "dt")
            self._open.append(Said(name if name in _CHANGE else "comment", author, date))
            self._deleted += name in {"del", "moveFrom"}
        elif name in _PERSON:
            shown = (_attribute(attributes, key) for key in ("name", "displayName", "author", "userId"))
            if people := [text for text in shown if text]:
                self._say(Said("author", people[0], "", people[1:]))
        elif name == "docVar":
            self._line(f"{_attribute(attributes, 'name')}: {_attribute(attributes, 'val')}")
        elif name == "a" and self._mixed and (link := _attribute(attributes, "href")):
            self._line(link)
        elif name == "s" or (name == "Relationship" and _attribute(attributes, "TargetMode") == "External"):
            self._line(_attribute(attributes, "v") or _attribute(attributes, "Target"))

    def data(self, text: str, *, always: bool = False) -> None:
        """Take text."""
        if self._silent or not (self._taken or always or (self._mixed and self._paragraphs)):
            return
        if self._deleted and self._open:
            self._open[-1].texts.append(text) if len(self._open[-1].texts) < PARTS else None
        elif self._paragraphs and not self._who:
            self._paragraphs[-1].append(text)
        elif self._taken:
            self._alone.append(text)

    def comment(self, text: str) -> None:
        """Take a comment of the XML: it may hold data."""
        self._line(text)

    def end(self, tag: str) -> None:
        """End an element."""
        name = tag.rpartition("}")[2]
        if self._silent:
            self._silent -= 1
            return
        if name in _TEXT:
            self._taken -= 1
            self._end_text(name)
        if self._paragraphs and (name in _PARAGRAPH or (name == "text" and not self._mixed)):
            self._line("".join(self._paragraphs.pop()))
        elif self._grids and name in _CELL:
            self._end_cell(self._grids[-1])
        elif self._grids and name in _TABLE:
            self._tell(self._grids.pop().rows)
        elif self._open and (name in _COMMENT or (name in _CHANGE and self._open[-1].what == name)):
            said = self._open.pop()
            if name in {"del", "moveFrom"}:
                self._deleted -= 1
                said.texts = ["".join(said.texts)]
            self._say(said)

    def _end_text(self, name: str) -> None:
        """Use text that stands in no paragraph."""
        who = self._who
        if who and name in _WHO:
            self._who -= 1
        elif self._paragraphs:
            return
        if not self._alone:
            return
        text = "".join(self._alone).strip()
        self._alone.clear()
        if name == "author" and not self._open:
            self._authors.append(text)
            self._say(Said("author", text))
        elif who and name == "date":
            self._open[-1].date = text
        elif who:
            self._open[-1].author = text
        else:
            self._line(text)

    def _end_cell(self, grid: _Grid) -> None:
        text = "\n".join(grid.cell or ())
        grid.cell = None
        times = grid.times if len(text) <= REPEATED else 1
        if not grid.rows:
            grid.rows.append([])
        grid.rows[-1].extend([text] * min(times, REPEATED))
        grid.cells += min(times, REPEATED)
        if grid.cells > CELLS:
            self._tell(grid.rows)
            grid.rows, grid.cells = [[]], 0

    def _line(self, text: str) -> None:
        text = " ".join(text.split())
        if not text:
            return
        self.size += len(text)
        if self._open and self._open[-1].what in {"comment", "deletion"}:
            if len(self._open[-1].texts) < PARTS:
                self._open[-1].texts.append(text)
            return
        if self._only_said:
            return
        cell = self._grids[-1].cell if self._grids else None
        if cell is not None and len(cell) < PARTS:
            cell.append(text)
        else:
            self.lines.append((self._page, text))

    def _say(self, said: Said) -> None:
        if said.author or said.texts:
            self.size += 100
            self.said.append(said)

    def _tell(self, rows: list[list[str]]) -> None:
        filled = [row for row in rows if any(row)]
        if filled and not self._only_said:
            self.tables.append(filled)

    def close(self) -> None:
        """Give what is still open, where a part is cut short."""
        while self._paragraphs:
            self._line("".join(self._paragraphs.pop()))
        while self._grids:
            grid = self._grids.pop()
            if grid.cell:
                self._end_cell(grid)
            self._tell(grid.rows)
        while self._open:
            self._say(self._open.pop())


_OF_PROGRAMS = frozenset(  # what says nothing of anybody
    "application app_version doc_security scale_crop links_up_to_date shared_doc hyperlinks_changed created modified "
    "generator template total_time revision titles_of_parts heading_pairs creation-date editing-cycles "
    "editing-duration "
    "date language presentation_format document-statistic print-date last_printed content_status".split()
)
# what stands as the author of a document that a program made
_PROGRAMS = frozenset(
    "openpyxl;xlsxwriter;python-docx;pptxgenjs;apache poi;sheetjs;exceljs;phpspreadsheet;phpword;unknown creator;"
    "un-named;docx4j;closedxml;epplus;microsoft excel;microsoft word;microsoft office;microsoft office user;"
    "libreoffice;openoffice.org;google docs;google sheets".split(";")
)
_TYPES = frozenset("lpstr lpwstr bstr filetime i2 i4 i8 ui4 bool r4 r8 variant vector".split())


class Properties:
    """A target of lxml's parser for what is kept about a document: names of elements, or of `name`, and their text."""

    def __init__(self) -> None:
        self.row: dict[str, list[str]] = {}
        self._names: list[str] = []
        self._text: list[str] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Begin an element."""
        self._names.append(_attribute(attributes, "name") or tag.rpartition("}")[2])
        self._text.clear()

    def data(self, text: str) -> None:
        """Take text."""
        self._text.append(text)

    def end(self, tag: str) -> None:
        """End an element: it is a property if it holds text."""
        text = "".join(self._text).strip()
        self._text.clear()
        name = self._names.pop()
        own = tag.rpartition("}")[2]
        if own in _TYPES:  # a typed value: its property is around it
            name = next((each for each in reversed(self._names) if each not in _TYPES), name)
        column = _snake(name)
        said = text and column not in _OF_PROGRAMS and text.lower() not in _PROGRAMS
        if said and not (text.isdecimal() and len(text) < 7) and len(self.row) < 1_000:
            values = self.row.setdefault(column, [])
            if len(values) < 1_000:
                values.append(text)

    def close(self) -> None:
        """Nothing is held back."""


def _attribute(attributes: dict[str, str], name: str) -> str:
    if name in attributes:
        return attributes[name]
    return next((value for key, value in attributes.items() if key.endswith("}" + name)), "")


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


__all__ = ["Properties", "Said", "Words"]
