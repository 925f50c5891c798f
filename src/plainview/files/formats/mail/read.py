"""Mail: a message (EML, a file of a Maildir, MHTML), a mailbox (mbox): header fields, text, and files in it.

`x.eml` has a row for each message with its header fields, `x.eml/text` the lines of all bodies, each with the number
of its message. What is attached is an Input of its own, read by its kind.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any

import polars as pl

from plainview.documents.html_text import page_texts, parsed_page
from plainview.documents.walk import documents_to_frame
from plainview.errors import PlainviewError
from plainview.files.encodings.declared import decoded
from plainview.files.formats.mail.fields import record, value_of
from plainview.files.formats.mail.mbox import messages
from plainview.files.formats.mail.parts import Part, parts
from plainview.files.packed.member_names import Names
from plainview.tables import MIB, Batch, Input, ReadLog, Table

ROWS = 5_000  # messages of one batch
TEXT = 8 * MIB  # characters of one batch
PIECE = MIB  # of a line
_SOFT = re.compile(r"(?<=[^ \n] )\r?\n(?!-- |>)")  # the end of a line that goes on (RFC 3676)
_SIGNATURES = frozenset(("application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature"))


def read(source: Input, log: ReadLog) -> Iterator[Batch | Input]:
    """Yield header fields and text in batches, and each attached file. What could not be taken apart is told."""
    log.listed()
    mail = _Mail(source, log)
    single = not source.head.startswith(b"From ")
    for number, (envelope, message) in enumerate(messages(source, log), 1):
        name = source.name if single else f"{source.name}/{number}"
        names = Names(name)
        for part in parts(message, source, log, name):
            if part.what == "message":
                mail.rows.append(record(number, envelope, part.fields))
            elif part.what == "text":
                mail.text(number, part, name)
            else:
                yield from _file(part, names, source, log)
        if len(mail.rows) >= ROWS or mail.size >= TEXT:
            yield from mail.batches()
    yield from mail.batches()


class _Mail:
    """The rows that wait for their batch."""

    def __init__(self, source: Input, log: ReadLog) -> None:
        self.source, self.log = source, log
        self.rows: list[dict[str, Any]] = []
        self.numbers: list[int] = []
        self.lines: list[str] = []
        self.size = 0
        self.maps: set[str] = set()
        self._plain: tuple[int, set[str]] = (0, set())  # the lines of the message that is read

    def batches(self) -> Iterator[Batch]:
        """Yield what was gathered."""
        source = self.source
        rows, self.rows = self.rows, []
        if rows:
            frame = documents_to_frame(rows, limits=source.limits, log=self.log, name=source.name, maps=self.maps)
            yield Batch(Table(source.name, "mail"), frame)
        if self.lines:
            schema = {"message": pl.Int64, "text": pl.String}
            frame = pl.DataFrame({"message": self.numbers, "text": self.lines}, schema=schema)
            yield Batch(Table(f"{source.name}/text", "mail"), frame)
        self.numbers, self.lines, self.size = [], [], 0

    def text(self, number: int, part: Part, name: str) -> None:
        """Add the lines of a body. Those of a page that stand in the plain text before it are not said again."""
        if self._plain[0] != number:
            self._plain = (number, set())
        said = self._plain[1]
        text, _ = decoded(part.data, part.charset)
        if part.kind == "text/html":
            lines = self._page(text, name)
        else:
            lines = (_SOFT.sub("", text) if part.flowed else text).split("\n")
            if "-----BEGIN PGP MESSAGE-----" in text:
                self.log.skip(name, "a text that is encrypted (PGP)")
        for line in lines:
            line = line.strip().replace("\0", "")
            if line and line not in said:
                said.add(line)
                for at in range(0, len(line), PIECE):
                    self.numbers.append(number)
                    self.lines.append(line[at : at + PIECE])
                self.size += len(line)

    def _page(self, text: str, name: str) -> list[str]:
        try:
            root, deep = parsed_page(text)
        except PlainviewError as error:
            self.log.skip(name, error)
            return []
        if deep:
            self.log.skip(name, "nested too deeply: the page was read up to there")
        return [] if root is None else [value for found in page_texts(root) for value in found.values()]


def _file(part: Part, names: Names, source: Input, log: ReadLog) -> Iterator[Input]:
    """Yield an attached file, or say what it is."""
    name = names.of(part.name)
    if part.kind in _SIGNATURES:
        log.note(name, "a signature of the message")
    elif part.kind in {"application/pkcs7-mime", "application/x-pkcs7-mime"}:
        signed = "signed-data" in value_of(part.fields, "content-type")
        log.skip(name, f"{'signed' if signed else 'encrypted'} as a whole (S/MIME); not read")
    elif part.data:
        data = part.data
        yield Input(name, data[: 64 << 10], lambda: io.BytesIO(data), len(data), None, source.limits, source.deadline)
    else:
        log.note(name, "empty")


__all__ = ["read"]
