"""A message of Outlook (MSG, [MS-OXMSG]), by olefile (the extra `plainview[documents]`): as other mail is read."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import olefile
import polars as pl

from plainview.documents.html_text import page_texts, parsed_page
from plainview.documents.walk import documents_to_frame
from plainview.errors import DamagedError, LimitError, PlainviewError
from plainview.files.encodings.declared import decoded
from plainview.files.formats.mail.fields import record, split
from plainview.files.packed.member_names import Names
from plainview.tables import MIB, Batch, Input, ReadLog, Table

PIECE = MIB
_STREAM = "__substg1.0_"
# property ([MS-OXPROPS]) -> column
_PEOPLE = {"0C1A": ("from", "display_name"), "5D01": ("from", "address"), "0C1F": ("from", "address")}
_TEXTS = {"0037": "subject", "0E04": "display_to", "0E03": "display_cc", "0E02": "display_bcc", "1035": "message_id",
          "3FF8": "creator", "3FFA": "last_modifier"}  # fmt: skip
_RECIPIENT = {"3001": "display_name", "39FE": "address", "3003": "address"}
Path = tuple[str, ...]


def read(source: Input, log: ReadLog) -> Iterator[Batch | Input]:
    """Yield header fields, text and attached files. Raise DamagedError where the file is no compound file."""
    log.listed()
    with source.seekable() as stream:
        data = stream.read(source.limits.memory + 1)
    log.read(len(data))
    if len(data) > source.limits.memory:
        raise LimitError(f"a message larger than {source.limits.memory // MIB} MiB", hint="raise --memory")
    try:
        with olefile.OleFileIO(io.BytesIO(data)) as file:
            yield from _Message(file, source, log).run()
    except (OSError, ValueError, IndexError, RecursionError) as error:
        raise DamagedError(f"the message is damaged ({type(error).__name__})") from None


class _Message:
    """A file, and the messages that are attached in it."""

    def __init__(self, file: Any, source: Input, log: ReadLog) -> None:
        self.file, self.source, self.log = file, source, log
        self.places: dict[Path, dict[str, Path]] = {}  # storage -> property and type -> stream
        self.storages: dict[Path, None] = {}
        for path in file.listdir(streams=True, storages=True):
            place, name = tuple(path[:-1]), path[-1]
            if name.startswith(_STREAM):
                self.places.setdefault(place, {})[name[len(_STREAM) :].upper()] = tuple(path)
            self.storages[tuple(path)] = None
        self.rows: list[dict[str, Any]] = []
        self.lines: list[str] = []

    def run(self) -> Iterator[Batch | Input]:
        """Yield the files, then the rows."""
        name, names = self.source.name, Names(self.source.name)
        waiting: list[Path] = [()]
        while waiting:
            self.source.deadline.check()
            at = waiting.pop()
            if len(at) > 2 * self.source.limits.nesting:
                self.log.skip(name, LimitError(f"messages nested more than {self.source.limits.nesting} levels deep"))
                continue
            self._fields(at)
            self._text(at)
            for path in self._below(at, "__attach_version1.0_"):
                inner = (*path, _STREAM + "3701000D")
                if inner in self.storages:
                    waiting.append(inner)
                else:
                    yield from self._file(path, names)
        limits = self.source.limits
        yield Batch(Table(name, "mail"), documents_to_frame(self.rows, limits=limits, log=self.log, name=name))
        if self.lines:
            yield Batch(
                Table(f"{name}/text", "mail"), pl.DataFrame({"message": [1] * len(self.lines), "text": self.lines})
            )

    def _below(self, at: Path, prefix: str) -> list[Path]:
        return [path for path in self.storages if path[:-1] == at and path[-1].startswith(prefix)]

    def _string(self, place: Path, number: str) -> str:
        """Return a property that is text, or ""."""
        streams = self.places.get(place, {})
        for kind, charset in (("001F", "utf-16-le"), ("001E", "")):
            if path := streams.get(number + kind):
                data = self.file.openstream(list(path)).read()
                text = data.decode(charset, "replace") if charset else decoded(data)[0]
                return str(text).rstrip("\0")
        return ""

    def _bytes(self, place: Path, number: str) -> bytes:
        path = self.places.get(place, {}).get(number + "0102")
        return bytes(self.file.openstream(list(path)).read()) if path else b""

    def _fields(self, at: Path) -> None:
        """Add the row of a message: of its header, where it was sent, and of what Outlook keeps."""
        header = self._string(at, "007D")
        row = record(1, b"", split(header.encode("utf-8", "replace"))[0] if header else [])
        for number, column in _TEXTS.items():
            if (text := self._string(at, number)) and column not in row:
                row[column] = text
        if "from" not in row:
            person = {key: text for number, (_, key) in _PEOPLE.items() if (text := self._string(at, number))}
            row.update({"from": [person]} if person else {})
        people = [
            {key: text for number, key in _RECIPIENT.items() if (text := self._string(path, number))}
            for path in self._below(at, "__recip_version1.0_")
        ]
        if people := [person for person in people if person]:
            row["recipients"] = people
        self.rows.append(row)

    def _text(self, at: Path) -> None:
        said: set[str] = set()
        text = self._string(at, "1000")
        page = self._string(at, "1013") or decoded(self._bytes(at, "1013"))[0]
        lines = text.splitlines()
        if page:
            try:
                root, _ = parsed_page(page)
            except PlainviewError as error:
                self.log.skip(self.source.name, error)
                root = None
            lines += [] if root is None else [value for found in page_texts(root) for value in found.values()]
        if not lines and self.places.get(at, {}).get("10090102"):
            self.log.skip(self.source.name, "a text that is kept as packed RTF alone; not read")
        for line in lines:
            line = line.replace("\0", "").strip()
            if line and line not in said:
                said.add(line)
                self.lines += [line[start : start + PIECE] for start in range(0, len(line), PIECE)]

    def _file(self, path: Path, names: Names) -> Iterator[Input]:
        name = names.of(
            self._string(path, "3707") or self._string(path, "3704") or self._string(path, "3001") or "file"
        )
        data = self._bytes(path, "3701")
        if not data:
            self.log.skip(name, "an attached object that is no file")
            return
        source = self.source
        yield Input(name, data[: 64 << 10], lambda: io.BytesIO(data), len(data), None, source.limits, source.deadline)


__all__ = ["read"]
