"""Text documents and slides: DOCX, PPTX, ODT, ODP, ODG, and what stands beside the cells of XLSX, XLSB and ODS.

`x.docx` has the paragraphs, each with the part that it stands in (`document`, `header1`, `slide3`), `x.docx/table_1` a
table, `x.docx/comments` what was said about it or changed, and by whom, `x.docx/properties` what is kept about it.
Pictures and files in it are Inputs of their own, read by their kind. Nothing that it names is fetched.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import PurePosixPath

import polars as pl
from lxml import etree

from plainview.documents.walk import documents_to_frame
from plainview.documents.xml import safe_settings
from plainview.documents.xml_tags import Tags, check_encoding
from plainview.errors import DamagedError, PlainviewError, UnsupportedError
from plainview.files.formats.office.grids import form_lines, grid_batch, is_form
from plainview.files.formats.office.words import Properties, Words
from plainview.files.packed.archives import members
from plainview.files.packed.streams import Meter
from plainview.tables import MIB, Batch, Input, ReadLog, Table

STEP = 1 << 18
SIZE = 8 * MIB  # characters of one batch
PIECE = MIB  # of a line
_TOP = {"word": "docx", "ppt": "pptx", "xl": "xlsx"}
_FORM = frozenset(  # parts, without their number, and folders of parts that say how it looks and what it is made of
    "[Content_Types] .rels mimetype manifest settings layout-cache styles stylesWithEffects fontTable numbering "
    "webSettings theme presProps viewProps tableStyles themeOverride colors style calcChain sharedStrings workbook "
    "metadata printerSettings META-INF Configurations2 worksheets macrosheets dialogsheets chartsheets tables "
    "queryTables slicers slicerCaches ctrlProps itemProps script-lb script-lc fonts".split()
)
_FIELDS = re.compile(
    r"&(?:[LCRPNDTFAZGUESXYOH]|\"[^\"]{0,100}\"|[0-9]{1,3}|K[0-9A-Fa-f]{6})"
)  # of the header of a sheet
_TYPE = re.compile(rb"<!(?:DOCTYPE|ENTITY)")
_SMALL = frozenset({"Thumbnails", "ObjectReplacements", "thumbnail"})


def read(source: Input, log: ReadLog) -> Iterator[Batch | Input]:
    """Yield text, tables, comments, properties, and files in it. Raise UnsupportedError if it is encrypted."""
    log.listed()
    whole = source if source.path is not None else _held(source)
    yield from parts_of(whole, log, Meter(whole.size or 0, source.limits, source.deadline, log.read))


def _held(source: Input) -> Input:
    """Return an Input whose bytes are in memory, and whose size is no lie."""
    with source.seekable() as stream:
        data = stream.read()
    return replace(source, open=lambda: io.BytesIO(data), size=len(data))


def beside(source: Input, data: bytes, headers: list[str], log: ReadLog) -> Iterator[Batch | Input]:
    """Yield what a workbook holds beside its cells: comments, headers, drawings, properties, files.

    `data` are all its bytes, `headers` of its sheets.
    """
    limits = replace(source.limits, unpacked=4 * source.limits.memory)
    inner = Input(source.name, source.head, lambda: io.BytesIO(data), len(data), None, limits, source.deadline)
    yield from parts_of(inner, log, Meter(len(data), limits, source.deadline, lambda _: None), headers)


def parts_of(source: Input, log: ReadLog, meter: Meter, headers: list[str] | None = None) -> Iterator[Batch | Input]:
    """Yield what the parts of an Office file hold; of a workbook, which has `headers`, what is beside its cells."""
    document = _Document(source, log, "odt" if headers is None else "xlsx")
    document.lines = [_FIELDS.sub(" ", text).strip() for text in headers or ()]
    document.parts = ["header"] * len(document.lines)
    for part, _ in members(source, "zip", log, meter):
        name = part.name.removeprefix(source.name + "/")
        role = _role(name)
        if meter.spent:
            break
        if name == "META-INF/manifest.xml" and b"encryption-data" in part.head:
            raise UnsupportedError("encrypted with a password")
        if role == "small":
            log.note(part.name, "a small picture of what the document shows")
        elif role == "kept":
            document.properties(part)
        elif role == "says":
            only_said = headers is not None and name == "content.xml"
            if not only_said or _has(part, b"annotation"):
                yield from document.part(part, name, only_said=only_said)
        elif role == "file" and part.head:
            yield part
    yield from document.rest()
    for name, failure in meter.failures:
        log.skip(name, failure)


def _has(part: Input, word: bytes) -> bool:
    """Tell whether a word stands in a part."""
    tail = b""
    with part.open() as stream:
        while piece := stream.read(MIB):
            if word in tail + piece:
                return True
            tail = piece[-len(word) :]
    return False


def _role(name: str) -> str:
    """Return what is to be done with a part: "says", "kept", "file", "small" or "form", which says nothing."""
    path = PurePosixPath(name)
    stem, top = path.name.partition(".")[0].rstrip("0123456789") or path.name, path.parts[0] if path.parts else ""
    if {*path.parts[:-1], stem} & _SMALL:
        return "small"
    if top == "docProps" or name == "meta.xml":
        return "kept"
    if name == "styles.xml" or path.name == "content.xml":
        return "says"
    if path.suffix == ".rels" and top in {"word", "ppt"}:
        return "says"  # addresses of links
    if path.suffix in {".vml", ".rels"} or {*path.parts[:-1], stem} & _FORM:
        return "form"
    return "says" if top in {"word", "ppt", "xl", "visio"} and path.suffix == ".xml" else "file"


class _Document:
    """What was found in the parts so far."""

    def __init__(self, source: Input, log: ReadLog, kind: str) -> None:
        self.source, self.log = source, log
        self.kind = kind
        self.parts: list[str] = []
        self.lines: list[str] = []
        self.said: list[dict[str, str]] = []
        self.kept: dict[str, list[str]] = {}
        self.tables = self.size = 0

    def part(self, part: Input, name: str, *, only_said: bool = False) -> Iterator[Batch]:
        """Yield the tables of a part, and its text once it is much."""
        self.kind = _TOP.get(name.partition("/")[0], self.kind)
        label = PurePosixPath(name).name.partition(".")[0]
        words = Words(only_said=only_said)
        for _ in self._events(part, words):
            yield from self._take(words, label)
        yield from self._take(words, label)

    def _events(self, part: Input, target: Words | Properties) -> Iterator[None]:
        """Give a part to a target, piece by piece. What breaks it is told; what came before counts."""
        parser = etree.XMLParser(target=target, **safe_settings())
        tags, wide, tail = Tags(part.head), 0 in part.head[:4], b""
        try:
            check_encoding(part.head)
            with part.open() as stream:
                while piece := stream.read(STEP):
                    self.source.deadline.check()
                    tags.check(piece)
                    seen = (tail + piece).replace(b"\0", b"") if wide else tail + piece
                    if found := _TYPE.search(seen):
                        self.log.skip(part.name, DamagedError("has a document type, which no part of a document has"))
                        parser.feed(b"" if wide else piece[: max(0, found.start() - len(tail))])
                        break
                    tail = piece[-32:]
                    parser.feed(piece)
                    yield
            parser.close()
        except etree.XMLSyntaxError as error:
            self.log.skip(part.name, DamagedError(f"not well-formed XML, line {error.lineno or 1:,}"))
        except PlainviewError as error:
            self.log.skip(part.name, error)
        target.close()

    def _take(self, words: Words, label: str) -> Iterator[Batch]:
        for rows in words.tables:
            if is_form(rows):
                words.lines += [(0, line) for line in form_lines(rows)]
                continue
            self.tables += 1
            name = f"{self.source.name}/table_{self.tables}"
            most = self.source.limits.columns
            if max(map(len, rows)) > most:
                self.log.skip(name, f"cells after the first {most:,} of a row (raise --columns)")
            yield grid_batch(rows, Table(name, self.kind), most)
        for page, line in words.lines:
            for at in range(0, len(line), PIECE):
                self.parts.append(f"{label} page {page}" if page else label)
                self.lines.append(line[at : at + PIECE])
        self.said += [said.row() for said in words.said]
        self.size += words.size
        words.tables, words.lines, words.said, words.size = [], [], [], 0
        if self.size > SIZE:
            yield from self._batches()

    def _batches(self) -> Iterator[Batch]:
        name, self.size = self.source.name, 0
        if self.lines:
            schema = {"part": pl.String, "text": pl.String}
            yield Batch(Table(name, self.kind), pl.DataFrame({"part": self.parts, "text": self.lines}, schema=schema))
        if self.said:
            frame = documents_to_frame(self.said, limits=self.source.limits, log=self.log, name=name)
            yield Batch(Table(f"{name}/comments", self.kind), frame)
        self.parts, self.lines, self.said = [], [], []

    def properties(self, part: Input) -> None:
        """Add what a part keeps about the document."""
        found = Properties()
        for _ in self._events(part, found):
            pass
        for name, values in found.row.items():
            self.kept.setdefault(name, []).extend(values)

    def rest(self) -> Iterator[Batch]:
        """Yield all that is left."""
        yield from self._batches()
        if self.kept:
            row = {name: values[0] if len(values) == 1 else values for name, values in self.kept.items()}
            frame = documents_to_frame([row], limits=self.source.limits, log=self.log, name=self.source.name)
            yield Batch(Table(f"{self.source.name}/properties", self.kind), frame)


__all__ = ["beside", "read"]
