"""PDF, by PDFium (the extra `plainview[documents]`): text by page, comments, forms, links, properties, attached files.

PDFium runs no script and fetches nothing. It is no library for threads, so one lock is around each use of it.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from ctypes import c_ulong, create_string_buffer
from threading import RLock
from typing import Any

import polars as pl
import pypdfium2
from pypdfium2 import raw

from plainview.documents.walk import documents_to_frame
from plainview.errors import DamagedError, LimitError, PlainviewError, UnsupportedError
from plainview.files.packed.member_names import Names
from plainview.tables import MIB, Batch, Input, ReadLog, Table
from plainview.tables.ratio import check_ratio

SIZE = 8 * MIB  # characters of one batch
PIECE = MIB  # of a line
PAGES = 100_000
BROKEN = 1_000  # pages in a row that do not open
NOTES = 10_000  # comments, fields and links of a page
OBJECTS = 5_000  # of a page, among which pictures are looked for
DRAWN = 20  # objects of a page without text, from which on it is not empty
STRING = MIB  # bytes of a comment or field
_HYPHEN = re.compile("(?<=[a-zà-ÿ])[\x02\ufffe]\r?\n?(?=[a-zà-ÿ])")
_BREAK = re.compile("[\x02\ufffe]\r?\n?")
# What may begin an IBAN at the end of a line, and what may be the rest of it in the next
_CUT = re.compile(
    r"(?<![0-9A-Za-z])([A-Z]{2}[0-9]{2}(?:[0-9A-Z ]{0,36}[0-9A-Z])?) ?\n([0-9A-Z][0-9A-Z ]{0,36})(?![0-9A-Za-z])"
)
_KEPT = ("Title", "Author", "Subject", "Keywords", "Creator")
_LOCK = RLock()


def read(source: Input, log: ReadLog) -> Iterator[Batch | Input]:
    """Yield the text with its pages, what is kept about the document, attached files. UnsupportedError: encrypted."""
    log.listed()
    with source.seekable() as stream:
        size = stream.seek(0, io.SEEK_END)
        stream.seek(0)
        document = _opened(stream)
        try:
            yield from _Reading(document, source, log, size).run()
            if source.path is not None:
                log.read(size)
        finally:
            with _LOCK:
                document.close()


def _opened(stream: Any) -> Any:
    with _LOCK:
        try:
            return pypdfium2.PdfDocument(stream)
        except pypdfium2.PdfiumError as error:
            if getattr(error, "err_code", None) == raw.FPDF_ERR_PASSWORD or "password" in str(error).lower():
                raise UnsupportedError("encrypted with a password") from None
            raise DamagedError("the PDF cannot be opened: damaged, or cut short") from None


class _Reading:
    """One document."""

    def __init__(self, document: Any, source: Input, log: ReadLog, size: int) -> None:
        self.document, self.source, self.log, self.size = document, source, log, size
        self.pages: list[int] = []
        self.lines: list[str] = []
        self.said: list[dict[str, Any]] = []
        self.given = self.held = self.pictures = self.broken = 0
        self.empty: list[int] = []  # pages that are pictures or drawings alone

    def run(self) -> Iterator[Batch | Input]:
        """Yield all of it; what could not be looked at is told."""
        name = self.source.name
        try:
            for number in range(self._count()):
                self.source.deadline.check()
                with _LOCK:
                    self._page(number)
                check_ratio(self.given, self.size, self.source.limits, "unfolds")
                if self.held > SIZE:
                    yield from self._batches()
        except PlainviewError as error:
            self.log.skip(name, error)
        yield from self._batches(last=True)
        with _LOCK:
            kept = self.document.get_metadata_dict(skip_empty=True)
        if row := {key.lower(): kept[key] for key in _KEPT if kept.get(key)}:
            frame = documents_to_frame([row], limits=self.source.limits, log=self.log, name=name)
            yield Batch(Table(f"{name}/properties", "pdf"), frame)
        self._tell()
        yield from self._files()

    def _count(self) -> int:
        with _LOCK:
            count = len(self.document)
        if count > PAGES:
            self.log.skip(self.source.name, LimitError(f"pages after the first {PAGES:,} of {count:,}"))
        return min(count, PAGES)

    def _page(self, number: int) -> None:
        try:
            page = self.document[number]
        except pypdfium2.PdfiumError:
            self.broken += 1
            if self.broken > BROKEN:
                raise DamagedError(f"more than {BROKEN:,} pages that do not open") from None
            return
        try:
            text = self._text(page)
            self._add(number + 1, text)
            notes = self._notes(page, number + 1)
            self._objects(page, number + 1, empty=not text.strip() and not notes)
        except pypdfium2.PdfiumError:
            self.broken += 1
        finally:
            page.close()

    def _text(self, page: Any) -> str:
        text = page.get_textpage()
        try:
            found = str(text.get_text_range())
        finally:
            text.close()
        return _BREAK.sub("-", _HYPHEN.sub("", found)) if "\x02" in found or "\ufffe" in found else found

    def _add(self, page: int, text: str) -> None:
        self.given += len(text)
        self.held += len(text)
        for line in joined(text.replace("\r\n", "\n").replace("\r", "\n")).split("\n"):
            kept = line.replace("\0", "").strip()
            for at in range(0, len(kept), PIECE):
                self.pages.append(page)
                self.lines.append(kept[at : at + PIECE])

    def _notes(self, page: Any, number: int) -> int:
        """Add comments, the fields of a form and links; return how many say something."""
        found = 0
        for at in range(min(raw.FPDFPage_GetAnnotCount(page), NOTES)):
            note = raw.FPDFPage_GetAnnot(page, at)
            if not note:
                continue
            try:
                kind = raw.FPDFAnnot_GetSubtype(note)
                if kind == raw.FPDF_ANNOT_LINK:
                    self._add(number, self._link(note))
                    continue
                label, text, value = (_string(note, key) for key in (b"T", b"Contents", b"V"))
            finally:
                raw.FPDFPage_CloseAnnot(note)
            found += bool(text or value)
            if kind == raw.FPDF_ANNOT_WIDGET and value:
                self._add(number, f"{label}: {value}" if label else value)
            elif kind != raw.FPDF_ANNOT_WIDGET and text:
                self.given += len(text)
                self.held += len(text)
                self.said.append({"page": number, "text": text, **({"author": label} if label else {})})
        return found

    def _link(self, note: Any) -> str:
        action = raw.FPDFLink_GetAction(raw.FPDFAnnot_GetLink(note))
        length = raw.FPDFAction_GetURIPath(self.document, action, None, 0) if action else 0
        if not 1 < length < STRING:
            return ""
        buffer = create_string_buffer(length)
        raw.FPDFAction_GetURIPath(self.document, action, buffer, length)
        return buffer.raw[: length - 1].decode("utf-8", "replace")

    def _objects(self, page: Any, number: int, *, empty: bool) -> None:
        """Count pictures; remember a page of which nothing could be read."""
        count = min(raw.FPDFPage_CountObjects(page), OBJECTS)
        kinds = [raw.FPDFPageObj_GetType(raw.FPDFPage_GetObject(page, at)) for at in range(count)]
        pictures = kinds.count(raw.FPDF_PAGEOBJ_IMAGE)
        shown = pictures or kinds.count(raw.FPDF_PAGEOBJ_FORM) or len(kinds) >= DRAWN
        if empty and shown:
            self.empty.append(number)
        elif pictures:
            self.pictures += pictures

    def _batches(self, *, last: bool = False) -> Iterator[Batch]:
        name = self.source.name
        if self.lines or last:
            schema = {"page": pl.Int64, "text": pl.String}
            yield Batch(Table(name, "pdf"), pl.DataFrame({"page": self.pages, "text": self.lines}, schema=schema))
        if self.said:
            frame = documents_to_frame(self.said, limits=self.source.limits, log=self.log, name=name)
            yield Batch(Table(f"{name}/comments", "pdf"), frame)
        self.pages, self.lines, self.said, self.held = [], [], [], 0

    def _tell(self) -> None:
        name = self.source.name
        if self.empty:
            pages = _ranges(self.empty)
            self.log.skip(name, f"only a picture, without text (OCR is off): page {pages}")
        if self.pictures:
            self.log.skip(name, f"pictures beside the text were not looked into (OCR is off): {self.pictures:,}")
        if self.broken:
            self.log.skip(name, DamagedError(f"pages that do not open: {self.broken:,}"))

    def _files(self) -> Iterator[Input]:
        names = Names(self.source.name)
        with _LOCK:
            count = self.document.count_attachments()
        for at in range(min(count, self.source.limits.members)):
            self.source.deadline.check()
            try:
                with _LOCK:
                    found = self.document.get_attachment(at)
                    name, data = names.of(found.get_name() or "file"), bytes(found.get_data())
                self.given += len(data)
                check_ratio(self.given, self.size, self.source.limits)
            except pypdfium2.PdfiumError:
                self.log.skip(f"{self.source.name}/attached {at + 1}", DamagedError("an attached file without data"))
                continue
            yield _input(name, data, self.source)


def joined(text: str) -> str:
    """Return a text in which account numbers that the end of a line cuts are whole: cells of a table are narrow."""
    return _CUT.sub(_whole, text) if "\n" in text else text


def _whole(found: re.Match[str]) -> str:
    """Join the beginning of an IBAN with what of the next line makes it pass its check (ISO 13616)."""
    start, rest = found[1], found[2]
    if not _passes(start):
        for end in (*(at for at, sign in enumerate(rest) if sign == " "), len(rest)):
            if _passes(start + rest[:end]):
                between = " " if start[-5:-4] == " " or (len(start) == 4 and " " in rest) else ""
                return f"{start}{between}{rest[:end]}\n{rest[end:].strip()}".rstrip("\n")
    return found[0]


def _passes(text: str) -> bool:
    number = text.replace(" ", "")
    return 15 <= len(number) <= 34 and int("".join(str(int(sign, 36)) for sign in number[4:] + number[:4])) % 97 == 1


def _input(name: str, data: bytes, source: Input) -> Input:
    return Input(name, data[: 64 << 10], lambda: io.BytesIO(data), len(data), None, source.limits, source.deadline)


def _string(note: Any, key: bytes) -> str:
    """Return a string of an annotation; one that is too long is cut."""
    length = raw.FPDFAnnot_GetStringValue(note, key, None, 0)
    if not 2 < length < STRING:
        return ""
    buffer = (raw.FPDF_WCHAR * (length // 2))()
    raw.FPDFAnnot_GetStringValue(note, key, buffer, c_ulong(length))
    return bytes(buffer).decode("utf-16-le", "replace").rstrip("\0").strip()


def _ranges(numbers: list[int]) -> str:
    """Return numbers as `1-3, 7`, the first of many."""
    spans: list[list[int]] = []
    for number in numbers:
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    shown = [f"{a:,}" if a == b else f"{a:,}-{b:,}" for a, b in spans[:8]]
    return ", ".join(shown) + (f" and {len(spans) - 8:,} more spans" if len(spans) > 8 else "")


__all__ = ["read"]
