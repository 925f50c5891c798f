"""Keys of Redis as tables: those of one form of name and one type are one, a row for each key or element."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from plainview.documents.walk import documents_to_frame
from plainview.tables import MIB, Batch, Input, ReadLog, Table

GROUPS = 500  # tables of one file; what is beyond goes into one for each type
ROWS, BYTES = 20_000, 8 * MIB  # of a batch
FIELDS = 64  # of a hash that is one row; a larger one is a row for each field
KEY = 512  # bytes of a key that each of its elements repeats
_WORD = re.compile(rb"[A-Za-z_][A-Za-z_.-]{0,39}")


def group_of(key: bytes, kind: str) -> str:
    """Return the name of the table: `user:{}:mail`; what differs from key to key is `{}`, a lone name its type."""
    parts = key.split(b":")
    if len(parts) == 1 or not _WORD.fullmatch(parts[0]):
        return kind
    last = parts[-1] if len(parts) > 2 and _WORD.fullmatch(parts[-1]) else b"{}"
    middle = [b"{}"] * (len(parts) > 2)
    return b":".join([parts[0], *middle, last]).decode()


def _shown(value: bytes) -> str | bytes:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value


class Tables:
    """Takes values and gives batches; holds one batch at most."""

    def __init__(self, source: Input, log: ReadLog, kind: str) -> None:
        self.source, self.log, self.kind = source, log, kind
        self.database = 0
        self._waiting: dict[str, list[dict[str, Any]]] = {}
        self._known: dict[str, set[str]] = {}  # keys that are values, by table
        self._rows = self._bytes = 0

    def _add(self, name: str, kind: str, row: dict[str, Any], size: int) -> None:
        if self.database:
            name = f"db{self.database}/{name}"
        if name not in self._known and len(self._known) >= GROUPS:
            name = kind
        self._known.setdefault(name, set())
        self._waiting.setdefault(name, []).append(row)
        self._rows += 1
        self._bytes += size + KEY

    def elements(self, key: bytes, kind: str, values: Iterable[bytes]) -> Iterator[Batch]:
        """Add a row for each value of a key."""
        name, shown = group_of(key, kind), _shown(key[:KEY])
        for value in values:
            self._add(name, kind, {"key": shown, "value": _shown(value)}, len(value))
            yield from self.full()

    def fields(self, key: bytes, kind: str, pairs: Iterable[tuple[bytes, bytes]]) -> Iterator[Batch]:
        """Add the fields of a key: one row, or a row for each where they are many or large."""
        name, shown = group_of(key, kind), _shown(key[:KEY])
        rest, row, size = iter(pairs), {"key": shown}, 0
        for field, value in rest:
            row[field[:KEY].decode("utf-8", "replace")] = _shown(value)
            size += len(field) + len(value)
            if len(row) > FIELDS or size > MIB:
                break
        else:
            self._add(name, kind, row, size)
            yield from self.full()
            return
        del row["key"]
        first = ((field.encode(), value.encode() if isinstance(value, str) else value) for field, value in row.items())
        for field, value in chain(first, rest):
            one = {"key": shown, "field": _shown(field[:KEY]), "value": _shown(value)}
            self._add(f"{name}/fields", kind, one, len(value))
            yield from self.full()

    def full(self) -> Iterator[Batch]:
        """Give what waits once it is a batch."""
        if self._rows >= ROWS or self._bytes >= BYTES:
            yield from self.rest()

    def ended(self) -> Iterator[Batch]:
        """Give what waits, for the last time; note where there was nothing at all."""
        yield from self.rest()
        if not self._known:
            self.log.note(self.source.name, "no key in it")

    def rest(self) -> Iterator[Batch]:
        """Give what waits."""
        waiting, self._waiting, self._rows, self._bytes = self._waiting, {}, 0, 0
        for name, rows in waiting.items():
            self.source.deadline.check()
            whole = f"{self.source.name}/{name}"
            frame = documents_to_frame(
                rows, limits=self.source.limits, log=self.log, name=whole, maps=self._known.get(name)
            )
            yield Batch(Table(whole, self.kind), frame)


__all__ = ["Tables", "group_of"]
