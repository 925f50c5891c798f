"""How the values of Redis become rows: one shape for each type of value."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple, cast

import polars as pl

from plainview.documents.keys import values_among
from plainview.errors import ProtocolError
from plainview.stores.shared.columns import lists, texts
from plainview.tables import Batch, Table

if TYPE_CHECKING:
    from plainview.stores.redis.resp import Answer

Params = dict[str, object]
Taken = tuple[list[bytes], Params | None]
FIELDS = 64  # a hash with more fields than this is used as a map: one row for each field


class Page(NamedTuple):
    """How a type is read: the probe, its first parameters, and what to take from an answer.

    `length` is the probe that counts the items of a value with several pages; each is `texts` texts, 0 for any number.
    """

    probe: str
    first: Callable[[int, int], Params]
    take: Callable[[Answer, int, Params], Taken]
    length: str = ""
    texts: int = 1


def _texts(answer: Answer) -> list[bytes]:
    if not isinstance(answer, list) or set(map(type, answer)) - {bytes}:
        raise ProtocolError("not an answer to what was asked")
    return cast("list[bytes]", answer)


def _whole(answer: Answer, _page: int, _asked: Params) -> Taken:
    if answer is None:
        return [], None
    if not isinstance(answer, bytes):
        raise ProtocolError("not an answer to what was asked")
    return [answer], None


def _range(answer: Answer, page: int, asked: Params) -> Taken:
    items = _texts(answer)
    following = int(str(asked["last"])) + 1
    return items, {"first": following, "last": following + page - 1} if len(items) >= page else None


def _cursor(answer: Answer, page: int, _asked: Params) -> Taken:
    if not isinstance(answer, list) or len(answer) != 2:
        raise ProtocolError("not an answer to what was asked")
    cursor, items = answer
    return _texts(items), None if cursor == b"0" else {"cursor": cursor, "count": page}


def _entries(answer: Answer, page: int, _asked: Params) -> Taken:
    """Take stream entries as runs `number of texts, id, field, value, ...`."""
    if not isinstance(answer, list):
        raise ProtocolError("not an answer to what was asked")
    flat: list[bytes] = []
    last = b""
    for entry in answer:
        if not isinstance(entry, list) or len(entry) != 2 or not isinstance(entry[0], bytes):
            raise ProtocolError("not an answer to what was asked")
        last = entry[0]
        fields = _texts(entry[1]) if entry[1] is not None else []
        flat += [b"%d" % (len(fields) + 1), last, *fields]
    return flat, {"first": b"(" + last, "count": page} if len(answer) >= page else None


PAGED = {
    "string": Page("redis.string", lambda _page, field: {"last": field - 1}, _whole),
    "hash": Page("redis.hash", lambda page, _field: {"cursor": 0, "count": page}, _cursor, "redis.hash_length", 2),
    "list": Page("redis.list_items", lambda page, _field: {"first": 0, "last": page - 1}, _range, "redis.list_length"),
    "set": Page("redis.set", lambda page, _field: {"cursor": 0, "count": page}, _cursor, "redis.set_length"),
    "zset": Page(
        "redis.sorted_set", lambda page, _field: {"cursor": 0, "count": page}, _cursor, "redis.sorted_set_length", 2
    ),
    "stream": Page(
        "redis.stream", lambda page, _field: {"first": "-", "count": page}, _entries, "redis.stream_length", 0
    ),
    "ReJSON-RL": Page("redis.json", lambda _page, _field: {}, _whole),
}


class Rows:
    """Rows of one table that wait for a batch."""

    def __init__(self, table: Table, kind: str, most_columns: int) -> None:
        self.table = table
        self._kind = kind
        self._most = most_columns
        self._count = 0
        self._keys: list[bytes] = []
        self._items: list[list[bytes]] = []
        # Hashes and stream entries by their field names: all of one kind become columns at once.
        self._records: dict[tuple[bytes, ...], list[tuple[bytes, ...]]] = {}
        self._names: set[bytes] = set()
        self._as_map = False
        self._pairs: list[tuple[bytes, bytes, bytes]] = []

    def __len__(self) -> int:
        return self._count

    def add(self, key: bytes, items: list[bytes], *, whole: bool) -> None:
        """Take one value, or a page of it (`whole` false)."""
        if self._kind == "hash":
            self._hash(key, items, whole=whole)
        elif self._kind == "stream":
            self._stream(key, items)
        elif items:
            self._keys.append(key)
            self._items.append(items)
            self._count += 1 + len(items) // 16

    def _hash(self, key: bytes, items: list[bytes], *, whole: bool) -> None:
        if not whole or self._as_map or len(items) > 2 * FIELDS:
            self._pairs += zip([key] * (len(items) // 2), items[0::2], items[1::2], strict=False)
            self._count += len(items) // 2
        elif items:
            self._record(tuple(items[0::2]), (key, *items[1::2]))

    def _record(self, names: tuple[bytes, ...], values: tuple[bytes, ...]) -> None:
        group = self._records.get(names)
        if group is None:
            self._names.update(names)
            # Field names without end are values: from here on they are read as such.
            self._as_map = len(self._names) > 4 * FIELDS
            group = self._records[names] = []
        group.append(values)
        self._count += 1

    def _stream(self, key: bytes, flat: list[bytes]) -> None:
        at = 0
        while at < len(flat):
            size = int(flat[at])
            fields = flat[at + 2 : at + 1 + size]
            self._record((b"entry", *fields[0::2]), (key, flat[at + 1], *fields[1::2]))
            at += 1 + size

    def batches(self) -> Iterator[Batch]:
        """Yield what waits, as frames, and forget it."""
        frames = list(self._frames())
        self._keys, self._items, self._records, self._pairs, self._count = [], [], {}, [], 0
        if frames:
            yield Batch(self.table, pl.concat(frames, how="diagonal_relaxed") if len(frames) > 1 else frames[0])

    def _frames(self) -> Iterator[pl.DataFrame]:
        if self._items:
            yield pl.DataFrame([texts("key", self._keys), *self._columns()])
        values = values_among({name.decode("utf-8", "replace") for name in self._names})
        for names, records in self._records.items():
            fields = [name.decode("utf-8", "replace") for name in names]
            if not values.isdisjoint(fields):
                self._pairs += [
                    (record[0], *pair) for record in records for pair in zip(names, record[1:], strict=True)
                ]
                continue
            columns = zip(*records, strict=True)
            labels = ["key", *unique(fields)]
            yield pl.DataFrame([texts(label, column) for label, column in zip(labels, columns, strict=True)])
        if self._pairs:
            columns = zip(*self._pairs, strict=True)
            labels = ["key", "field", "value"]
            yield pl.DataFrame([texts(label, column) for label, column in zip(labels, columns, strict=True)])

    def _columns(self) -> Iterator[pl.Series]:
        if self._kind in ("string", "ReJSON-RL"):
            yield texts("value", [items[0] for items in self._items])
        elif self._kind == "zset":
            yield lists("member", [items[0::2] for items in self._items])
            yield lists("score", [items[1::2] for items in self._items]).cast(pl.List(pl.Float64), strict=False)
        else:
            yield lists("value", self._items)


def unique(names: list[str]) -> list[str]:
    """Return column names with none twice and none called `key`."""
    taken = {"key"}
    found = []
    for name in names:
        free = name
        while free in taken:
            free += "_"
        taken.add(free)
        found.append(free)
    return found
