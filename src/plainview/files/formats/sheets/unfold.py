"""What a workbook unfolds to: repeats in ODS, references to shared strings in XLSX.

The library makes a copy of a text for each cell: 1,000 x 1,000 cells repeated from one of 100 kB (1.1 kB of file), or
20,000 cells that name one shared string of 1 MB, take all memory there is. So they are added up before it runs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from plainview.documents.xml import safe_settings
from plainview.documents.xml_tags import Tags
from plainview.errors import DamagedError, LimitError
from plainview.tables import MIB, Input

CELL = 32  # bytes of one cell in the grid (calamine's Data on 64 bits, rounded up)
_ITEM = re.compile(rb"<(?:[\w.-]+:)?si[\s/>]")
_SHARED = re.compile(rb"""\st=["']s["']""")
_REFERENCE = re.compile(rb"""\st=["']s["'][^<>]*>\s*<(?:[\w.-]+:)?v>\s*([0-9]{1,9})\s*</""")


def pieces(part: Input) -> Iterator[bytes]:
    """Yield the bytes of a part, unpacked."""
    with part.open() as stream:
        while piece := stream.read(MIB):
            part.deadline.check()
            yield piece


def too_much(size: int, memory: int) -> None:
    """Raise LimitError for a text that is larger than the limit."""
    if size > memory:
        raise LimitError(f"its cells unfold to more than {memory // MIB} MiB of text", hint="raise --memory")


@dataclass(slots=True)
class Shared:
    """How long the shared strings of an XLSX are, and how often its sheets refer to each."""

    lengths: list[int] = field(default_factory=list)
    references: dict[int, int] = field(default_factory=dict)
    others: int = 0  # references of a form that is not known here

    def strings(self, part: Input) -> None:
        """Take the lengths of `sharedStrings.xml`; mark-up in a string counts as well."""
        data = b"".join(pieces(part))
        starts = [found.start() for found in _ITEM.finditer(data)]
        self.lengths = [end - start for start, end in zip(starts, [*starts[1:], len(data)], strict=True)]

    def sheet(self, part: Input) -> None:
        """Count the references of a sheet."""
        tail = b""
        for piece in pieces(part):
            data = tail + piece
            cut = data.rfind(b"<", 0, data.rfind(b"</")) if len(piece) == MIB else len(data)
            data, tail = (data[:cut], data[cut:]) if cut > 0 else (data, b"")
            found = _REFERENCE.findall(data)
            self.others += max(0, len(_SHARED.findall(data)) - len(found))
            for number in found:
                self.references[int(number)] = self.references.get(int(number), 0) + 1

    def check(self, memory: int) -> None:
        """Raise LimitError for more text than fits in memory."""
        size = sum(
            count * self.lengths[number] for number, count in self.references.items() if number < len(self.lengths)
        )
        too_much(size + self.others * max(self.lengths, default=0), memory)


class Repeats:
    """Adds up the cells of an ODS: a target for lxml's parser."""

    def __init__(self, memory: int) -> None:
        self.memory = memory
        self.text = 0  # characters of all cells
        self._row = self._cell = 0
        self._rows = self._columns = 1
        self._filled = False
        self._last = self._at = 0  # columns of the row up to the last that is filled, and so far
        self._height = self._width = self._lines = 0

    def start(self, tag: Any, attributes: Any) -> None:
        """Begin an element."""
        name = str(tag).rpartition("}")[2]
        if name == "table":
            self._height = self._width = self._lines = 0
        elif name == "table-row":
            self._rows, self._row, self._at, self._last = _repeat(attributes, "number-rows-repeated"), 0, 0, 0
        elif name in ("table-cell", "covered-table-cell"):
            self._columns, self._cell = _repeat(attributes, "number-columns-repeated"), 0
            self._filled = any(str(key).endswith("value-type") for key in attributes)
            self._cell = sum(len(value) for key, value in attributes.items() if str(key).endswith("-value"))

    def data(self, text: str) -> None:
        """Take text."""
        self._cell += len(text)

    def end(self, tag: Any) -> None:
        """End an element; raise LimitError when the cells so far do not fit in memory."""
        name = str(tag).rpartition("}")[2]
        if name in ("table-cell", "covered-table-cell"):
            self._at += self._columns
            if self._filled or self._cell:
                self._last = self._at
                self._row += self._cell * self._columns
            self._cell = 0
        elif name == "table-row":
            self._lines += self._rows
            if self._last:
                self._height, self._width = self._lines, max(self._width, self._last)
                self.text += self._row * self._rows
                too_much(self.text, self.memory)
            if self._height * self._width * CELL > 4 * self.memory:
                why = f"a sheet spans {self._height:,} rows by {self._width:,} columns"
                raise LimitError(why, hint="raise --memory")

    def close(self) -> None:
        """End the document."""


def _repeat(attributes: Any, name: str) -> int:
    found = next((value for key, value in attributes.items() if str(key).rpartition("}")[2] == name), "1")
    return int(found) if found.isascii() and found.isdigit() and len(found) < 12 else 1


def check_repeats(part: Input, memory: int) -> None:
    """Raise LimitError when the cells of an ODS do not fit in memory, DamagedError for XML that is none."""
    parser = etree.XMLParser(target=Repeats(memory), **safe_settings())
    tags = Tags(part.head)
    try:
        for piece in pieces(part):
            tags.check(piece)
            parser.feed(piece)
    except etree.XMLSyntaxError:
        raise DamagedError("its content is not well-formed XML") from None


__all__ = ["CELL", "Shared", "check_repeats", "pieces"]
