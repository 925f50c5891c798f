"""XML and HTML. Nothing is fetched and no entity is resolved; what a document type would add is told.

XML is streamed: the element that repeats is the row (`<customer>` in `<db><customers><customer>`), attributes
are `@name`, what stands outside of the rows is a row of its own under its tag. An HTML page gives one table
for each `<table>` (`page.html/table_1`) and one of its name with the text, links, form values and comments.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Any, BinaryIO

import polars as pl
from lxml import etree

from plainview.documents.walk import documents_to_frame
from plainview.documents.xml import local_name, safe_settings, to_document
from plainview.documents.xml_tags import Tags, check_encoding
from plainview.errors import DamagedError, LimitError, PlainviewError
from plainview.files.formats.markup.html_page import read_page
from plainview.files.formats.markup.table_dumps import as_row, by_table, rows_of
from plainview.files.kinds.text import looks_like_html
from plainview.tables import MIB, Batch, Input, ReadLog, Table
from plainview.tables.ratio import within_ratio

SNIFF = 1 << 20  # bytes in which the repeated element is looked for
STEP = 1 << 18
PROLOG = 1 << 20  # bytes at the beginning in which a document type may define entities
ROWS = 20_000  # rows of one batch
CELLS = 1_000_000  # nodes of one batch
Docs = list[dict[str, Any]]
NODES = 3_000_000  # nodes that may be in memory
LOOSE = MIB  # characters of text between rows that are held until their element ends
HTML = 64 * MIB
_ENTITY = re.compile(
    rb"(<!ENTITY\s+(?:%\s+)?[^\s'\"<>%]+\s+)(?:\"(?:(?!-->|\]\s*>)[^\"])*\"|'(?:(?!-->|\]\s*>)[^'])*')"
)
_HARMLESS = re.compile(rb"<!ENTITY\s+(?:%\s+)?[^\s'\"<>%]+\s+(?:''|SYSTEM\s|PUBLIC\s)")
# What XML 1.0 forbids. Dumps write binary cells as they are; the rest of such a file can be read.
_FORBIDDEN = bytes(code for code in range(32) if code not in b"\t\n\r")


def read(source: Input, log: ReadLog) -> Iterator[Batch]:
    """Yield the tables of an XML or HTML file. Raises DamagedError, LimitError; earlier batches count."""
    name = source.name.lower()
    if name.endswith((".html", ".htm")) or (
        not name.endswith((".xml", ".xhtml", ".svg")) and looks_like_html(source.head)
    ):
        yield from _html(source, log)
    else:
        yield from _xml(source, log)


def _html(source: Input, log: ReadLog) -> Iterator[Batch]:
    with source.open() as stream:
        data = stream.read(HTML + 1)
    if len(data) > HTML:
        raise LimitError(f"an HTML page of more than {HTML // MIB} MiB")
    log.read(len(data))
    yield from within_ratio(_batches(data, source, log), len(data), source.limits)


def _batches(data: bytes, source: Input, log: ReadLog) -> Iterator[Batch]:
    for table, docs in read_page(data, source, log):
        source.deadline.check()
        frame = docs if isinstance(docs, pl.DataFrame) else documents_to_frame(docs, limits=source.limits)
        yield Batch(table, frame)


def _xml(source: Input, log: ReadLog) -> Iterator[Batch]:
    check_encoding(source.head)
    pieces = _Pieces(source)
    dump = rows_of(source.head)
    rows = _Rows(*(dump or _row_element(pieces)), dump=dump is not None)
    parser = etree.XMLPullParser(events=("start", "end", "comment"), **safe_settings())
    maps: dict[str, set[str]] = {}
    any_rows = False
    with source.open() as stream:
        for batch in rows.read(pieces.of(stream, log), parser):
            any_rows = True
            for each, docs in by_table(batch).items():
                name, known = f"{source.name}/{each}" if each else source.name, maps.setdefault(each, set())
                frame = documents_to_frame(docs, limits=source.limits, log=log, name=name, maps=known)
                yield Batch(replace(pieces.table(), name=name), frame)
    if pieces.entities:
        log.skip(source.name, f"{pieces.entities:,} entities that its document type defines were not read")
    if rows.entities:
        log.skip(source.name, f"{rows.entities:,} entity references of a document type were not resolved")
    if rows.problem:
        raise rows.problem
    if not any_rows:
        yield Batch(pieces.table(), pl.DataFrame())


class _Pieces:
    """The bytes of a file, as the parser takes them.

    Without what XML forbids, with one root around several, and with empty entities: lxml gives elements in
    them out as if they were in the document, and frees them twice.
    """

    def __init__(self, source: Input) -> None:
        self.source = source
        self.wide = 0 in source.head[:4]
        self.rooted = True
        self.notes: dict[str, None] = {}
        self.entities = 0  # that the document type defines

    def table(self) -> Table:
        """Return the table with all notes so far."""
        return Table(self.source.name, "xml", tuple(self.notes))

    def of(self, stream: BinaryIO, log: ReadLog | None = None) -> Iterator[bytes]:
        """Yield the pieces. Raise DamagedError for entities that are not understood, LimitError for a huge tag."""
        if not self.rooted:
            yield b"<documents>"
        end, tags = b"", Tags(self.source.head)
        while data := stream.read(STEP if end else PROLOG):
            self.source.deadline.check()
            if log is not None:
                log.read(len(data))
            clean = data if self.wide else data.translate(None, _FORBIDDEN)
            if len(clean) < len(data):
                self.notes["characters that XML forbids were removed"] = None
            bad = b"<!ENTITY" in (end + clean if not self.wide else clean.replace(b"\0", b""))
            if bad:
                clean, bad = self._without_entities(clean) if not end and not self.wide else (b"", True)
            end = clean[-16:] or end
            for at in range(0, len(clean), STEP):
                tags.check(clean[at : at + STEP])
                yield clean[at : at + STEP]
            if bad:
                raise DamagedError("defines entities in a way that is not read")
        if not self.rooted:
            yield b"</documents>"

    def _without_entities(self, data: bytes) -> tuple[bytes, bool]:
        """Return the data up to what is not understood, and whether there is such."""
        data, self.entities = _ENTITY.subn(rb"\1''", data)
        for found in re.finditer(b"<!ENTITY", data):
            if not _HARMLESS.match(data, found.start()):
                return data[: found.start()], True
        return data, False


class _Rows:
    """Turns parser events into rows, and forgets each element when it is one."""

    def __init__(self, depth: int, tag: str, *, dump: bool = False) -> None:
        self.row_depth = depth
        self.dump = dump
        self.row_tag = tag
        self.depth = 0
        self.nodes = 0  # since the last row
        self.size = 0  # nodes in `found`
        self.found: list[dict[str, Any]] = []
        self.loose: dict[int, list[str]] = {}  # text between the rows, by the depth of the element around them
        self.loose_size = 0
        self.entities = 0
        self.problem: PlainviewError | None = None

    def read(self, pieces: Iterator[bytes], parser: Any) -> Iterator[list[dict[str, Any]]]:
        """Yield batches of rows up to the end, or up to where the XML is damaged (`problem`)."""
        try:
            for data in pieces:
                parser.feed(data)
                self.nodes += data.count(b"&")  # a reference is a node, and no event
                self._events(parser)
                if len(self.found) >= ROWS or self.size > CELLS:
                    yield self._taken()
            parser.close()
        except etree.XMLSyntaxError as error:
            line = f", line {error.lineno:,}" if error.lineno else ""
            self.problem = DamagedError(f"not well-formed XML{line}")
        except (DamagedError, LimitError) as error:
            self.problem = error
        self._events(parser)
        if self.found:
            yield self._taken()

    def _taken(self) -> list[dict[str, Any]]:
        found, self.found, self.size = self.found, [], 0
        return found

    def _events(self, parser: Any) -> None:
        try:
            for event, element in parser.read_events():
                self.nodes += 1
                if event == "start":
                    self.depth += 1
                elif event == "end":
                    self._end(element)
                    self.depth -= 1
                elif self.depth < self.row_depth:
                    self.found.append({"#comment": (element.text or "").strip()})
                    self._forget_before(element, self.depth)
        except etree.XMLSyntaxError:
            return  # the parser tells it again when it is fed or closed
        if self.nodes > NODES and self.problem is None:
            raise LimitError("one XML element is too large to hold in memory")

    def _end(self, element: Any) -> None:
        if self.depth > self.row_depth:
            return
        if self.depth < self.row_depth:
            for child in list(element):  # rows and comments, all found already
                self._remove(element, child, self.depth)
            if self.depth in self.loose:
                element.text = f"{element.text or ''} {self._joined(self.depth)}"
        self.entities += sum(1 for _ in element.iter(etree.Entity))
        tag = local_name(element)
        row = as_row(element) if self.dump and self.depth == self.row_depth else None
        value = to_document(element) if row is None else row
        if self.depth == self.row_depth and tag == self.row_tag:
            self.found.append(value if isinstance(value, dict) else {tag: value})
        elif value is not None:
            self.found.append({tag: value})
        element.clear(keep_tail=True)
        self._forget_before(element, self.depth - 1)

    def _forget_before(self, element: Any, depth: int) -> None:
        """Take away what stands before an element that is read."""
        self.size += self.nodes
        self.nodes = 0
        parent = element.getparent()
        while parent is not None and (before := element.getprevious()) is not None:
            self._remove(parent, before, depth)

    def _remove(self, parent: Any, element: Any, depth: int) -> None:
        """Take an element away and keep the text that follows it, which belongs to the parent at `depth`."""
        tail = (element.tail or "").strip()
        parent.remove(element)
        if tail:
            self.loose.setdefault(depth, []).append(tail)
            self.loose_size += len(tail)
            if self.loose_size > LOOSE:
                self.found.append({local_name(parent): self._joined(depth)})

    def _joined(self, depth: int) -> str:
        parts = self.loose.pop(depth)
        self.loose_size -= sum(map(len, parts))
        return " ".join(parts)


def _row_element(pieces: _Pieces) -> tuple[int, str]:
    """Return the depth (1 is the root) and the tag of the outermost element that repeats and holds the most."""
    parser = etree.XMLPullParser(events=("start", "end"), **safe_settings())
    seen: Counter[tuple[str, ...]] = Counter()
    held: Counter[tuple[str, ...]] = Counter()
    path: list[str] = []
    try:
        with pieces.source.open() as stream:
            for data in islice(pieces.of(stream), SNIFF // STEP):
                parser.feed(data)
    except (DamagedError, LimitError):
        pass  # the reading itself will tell; the events before it are still there
    except etree.XMLSyntaxError as error:
        if pieces.rooted and error.code == etree.ErrorTypes.ERR_DOCUMENT_END:
            pieces.rooted = False
            pieces.notes["several documents in a row"] = None
            return _row_element(pieces)
    try:
        for event, element in parser.read_events():
            if event == "end":
                path.pop()
                continue
            path.append(local_name(element))
            seen[tuple(path)] += 1
            for length in range(2, min(len(path), 8) + 1):
                held[tuple(path[:length])] += 1
    except etree.XMLSyntaxError:
        pass
    repeated = [p for p, count in seen.items() if count > 1 and 1 < len(p) <= 8]
    if not repeated:
        return 1, next(iter(seen), ("",))[0]
    large = [p for p in repeated if held[p] * 2 >= seen.total() - len(p)]
    best = min(large, key=len) if large else max(repeated, key=lambda p: held[p])
    return len(best), best[-1]


__all__ = ["read"]
