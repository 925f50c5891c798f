"""memcached over its text protocol: every item, in tables by the shape of its key."""

from __future__ import annotations

import math
import random
import re
import zlib
from collections.abc import Iterator
from dataclasses import replace
from secrets import token_hex
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

import polars as pl

from plainview.errors import PlainviewError, ProtocolError, RefusedError
from plainview.stores.base import NetworkSource, Verdict
from plainview.stores.shared.columns import texts
from plainview.stores.shared.keygroups import SAMPLE, KeyGroups
from plainview.stores.shared.paging import Paging
from plainview.tables import Batch, ReadLog, Table, Unit
from plainview.wire import probes

if TYPE_CHECKING:
    from plainview.wire.stream import Connection

KEYS = 100  # keys of one get
LINES = 1_000  # of a listing that are looked at together
ROWS = 20_000
HELD = 24 << 20  # bytes of values that wait for a batch
ERRORS = (b"ERROR", b"CLIENT_ERROR", b"SERVER_ERROR")
VERSION = re.compile(rb"VERSION ([0-9][0-9A-Za-z.+-]{0,30})")
ITEM = re.compile(rb"VALUE ([^ ]{1,250}) ([0-9]{1,10}) ([0-9]{1,10})(?: [0-9]+)?")


class MemcachedSource(NetworkSource):
    """One unit: the whole server. memcached has no users of its own beyond one file of logins."""

    kind = "memcached"

    def ask(self, verdict: Verdict) -> None:
        """Ask what a stranger may do."""
        with self.wire.connect() as connection:
            version = VERSION.fullmatch(_line(connection, "memcached.version"))
            if not version:
                raise ProtocolError("version was not answered as memcached does")
            verdict.product, verdict.version = "memcached", version[1].decode()
            verdict.saw("reachable_metadata", "version was answered without a login")
            control = _line(connection, "memcached.control", refused=False)
            count = _stats(connection, "memcached.stats").get("curr_items", "")
            number = f"{int(count):,}" if count.isdigit() and len(count) < 18 else "an unknown number of"
            verdict.saw("lists", f"stats is answered without a login: {number} items")
            settings = _stats(connection, "memcached.settings")
            if settings.get("udpport", "0") != "0":
                verdict.note("UDP is on: others can be flooded through it")
            if _line(connection, "memcached.zero_read", key=f"plainview-{token_hex(8)}") != b"END":
                raise ProtocolError("a key that does not exist was found, or get was refused")
            verdict.saw("reads", "get of a key that does not exist is allowed without a login")
            verdict.rights("by_design")
            verdict.saw("admin", "memcached knows no rights: who may connect may read, change and flush")
            if control != b"ERROR":
                verdict.doubt("a command that does not exist was not refused: it may answer everything", honeypot=True)

    def pieces(self, log: ReadLog) -> Iterator[Unit]:  # noqa: ARG002
        """Give one unit."""
        if self.credential is not None:
            # The login of the text protocol is a `set`: a verb that this program does not have.
            raise RefusedError("logging in to memcached takes a write command, which is not sent")
        yield Unit("items")

    def rows(self, unit: Unit, log: ReadLog, sample: int | None) -> Iterator[Batch]:  # noqa: ARG002
        """Yield all items, one size class after the other. `sample`: drawn at random, each class by its share."""
        with self.wire.connect() as connection:
            reader = _Reader(connection, log, self.limits.field)
            groups, learnt = KeyGroups(), list[bytes]()
            taken: dict[str, int] = {}
            classes = reader.classes()
            for size_class, count in classes.items():
                keys = reader.keys(size_class, count)
                learnt += keys[:SAMPLE]
                groups.learn(learnt)
                tables: dict[str, list[bytes]] = {}
                for key in keys:
                    tables.setdefault(groups.name(key), []).append(key)
                log.listed(tables=len(tables.keys() - taken.keys()), rows=len(keys))
                for name, some in tables.items():
                    share = math.ceil((sample or 0) * count / max(1, sum(classes.values())))
                    most = len(some) if sample is None else min(share, sample - taken.get(name, 0), len(some))
                    taken[name] = taken.get(name, 0) + most
                    table = Table(name, "memcached")
                    if most < len(some):
                        table = table.drawn("keys drawn at random from the list of keys")
                    yield from reader.values(table, random.sample(some, most))


class _Reader:
    """Reads keys and values over one connection."""

    def __init__(self, connection: Connection, log: ReadLog, cell: int) -> None:
        self.connection, self.log, self.cell = connection, log, cell

    def classes(self) -> dict[str, int]:
        """Return the number of items by size class."""
        found = {}
        for name, value in _stats(self.connection, "memcached.classes").items():
            match = re.fullmatch(r"items:([0-9]{1,3}):number", name)
            if match and re.fullmatch(r"[0-9]{1,15}", value):
                found[match[1]] = int(value)
        return found

    def keys(self, size_class: str, count: int) -> list[bytes]:
        """Return the keys of a size class.

        The crawler walks lists between which items move, so one walk may miss some: up to three are joined.
        """
        found: dict[bytes, None] = {}
        for _ in range(3):
            walk = self._walk(size_class, count, found)
            if len(found) >= count:
                break
        if len(found) < count * 0.99 and (why := walk.short("items", came=len(found))):
            self.log.skip(f"size class {size_class}", why)
        keys = [key for key in found if len(key) <= 250 and not re.search(rb"[\s\0-\x1f]", key)]
        if len(keys) < len(found):
            odd = f"{len(found) - len(keys):,} items"
            self.log.skip(odd, "their keys are of the binary protocol; the text protocol cannot ask for them")
        return keys

    def _walk(self, size_class: str, count: int, found: dict[bytes, None]) -> Paging:
        """Add the keys of one walk over a size class."""
        walk = Paging(
            self.connection.wire,
            "the listing of keys does",
            said=count,
            size=LINES,
        )
        seen: set[bytes] = set()
        lines = 0
        with self.connection.exchange("memcached.keys") as step:
            self.connection.send(_command("memcached.keys", size_class=size_class))
            while (line := self.connection.line()) != b"END":
                if not line.startswith(b"key="):
                    step.done("refused")
                    raise RefusedError("the keys cannot be listed (lru_crawler is off, old, or busy)")
                key = unquote_to_bytes(line[4:].partition(b" ")[0].decode("ascii", "replace"))
                seen.add(key)
                found[key] = None
                lines += 1
                if lines % LINES == 0:
                    walk.page(len(seen) - walk.items)
            step.done("END")
        walk.page(len(seen) - walk.items)
        walk.recount = lambda: self.classes().get(size_class, 0)  # not before: the answers would get mixed up
        return walk

    def values(self, table: Table, keys: list[bytes]) -> Iterator[Batch]:
        """Yield the items of some keys; what was collected comes out before an error does."""
        rows: list[tuple[bytes, bytes]] = []
        problem: PlainviewError | None = None
        packed = held = cut = 0
        try:
            for key, value in self._items(keys):
                plain = unpack(value, self.cell)
                packed += plain is not value
                cut += plain is not value and len(plain) == self.cell
                rows.append((key, plain))
                held += len(plain)
                if len(rows) >= ROWS or held > HELD:
                    yield self._batch(table, rows, packed)
                    rows, held = [], 0
        except PlainviewError as error:
            problem = error
        if rows:
            yield self._batch(table, rows, packed)
        if cut:
            many = f"{cut:,} compressed values are longer than {self.cell >> 20} MiB: they were cut there"
            self.log.skip(table.name, many)
        if problem is not None:
            raise problem

    def _items(self, keys: list[bytes]) -> Iterator[tuple[bytes, bytes]]:
        for at in range(0, len(keys), KEYS):
            yield from self._get(keys[at : at + KEYS])

    def _batch(self, table: Table, rows: list[tuple[bytes, bytes]], packed: int) -> Batch:
        keys, values = zip(*rows, strict=True)
        if packed:
            table = replace(table, notes=(*table.notes, "compressed values were unpacked"))
        return Batch(table, pl.DataFrame([texts("key", keys), texts("value", values)]))

    def _get(self, keys: list[bytes]) -> Iterator[tuple[bytes, bytes]]:
        with self.connection.exchange("memcached.get") as step:
            self.connection.send(_command("memcached.get", keys=keys))
            while (line := self.connection.line()) != b"END":
                item = ITEM.fullmatch(line)
                if not item:
                    raise ProtocolError("not an answer to get")
                size = int(item[3])
                if size > self.cell:
                    self.connection.pass_over(size + 2)
                    self.log.skip("an item", f"longer than {self.cell >> 20} MiB")
                    continue
                yield item[1], self.connection.exactly(size + 2)[:-2]
            step.done("END")
            self.log.read(step.received)


def unpack(value: bytes, limit: int) -> bytes:
    """Return a value that a client compressed (zlib or gzip, with or without PHP's length before it)."""
    for start in (0, 4):
        if re.match(rb"\x78[\x01\x5e\x9c\xda]|\x1f\x8b\x08", value[start : start + 3]):
            try:
                plain = zlib.decompressobj(47).decompress(value[start:], limit)
            except zlib.error:
                continue
            return plain or value
    return value


def _command(probe_id: str, **params: object) -> bytes:
    words = probes.get(probe_id).arguments(**params)
    if any(re.search(rb"[\s\0]", word) for word in words):
        raise ValueError("a blank inside a word of a command")
    return b" ".join(words) + b"\r\n"


def _line(connection: Connection, probe_id: str, *, refused: bool = True, **params: object) -> bytes:
    """Send a command and return its one line. A refusal raises, unless it is what was asked for."""
    with connection.exchange(probe_id) as step:
        connection.send(_command(probe_id, **params))
        line = connection.line()
        first = line.split(b" ")[0]
        step.done(first.decode("ascii", "replace") if first in (*ERRORS, b"VERSION", b"END") else "other")
        _check(line, probe_id, always=refused)
        return line


def _check(line: bytes, probe_id: str, *, always: bool) -> None:
    if line.startswith(b"CLIENT_ERROR unauthenticated"):
        raise RefusedError(f"{probes.get(probe_id).template} was refused without a login (unauthenticated)")
    if always and line.split(b" ")[0] in ERRORS:
        raise ProtocolError(f"{probes.get(probe_id).template} was answered with an error")


def _stats(connection: Connection, probe_id: str) -> dict[str, str]:
    """Return the answer of a `stats` command."""
    found: dict[str, str] = {}
    lines = 0
    with connection.exchange(probe_id) as step:
        connection.send(_command(probe_id))
        while (line := connection.line()) != b"END":
            _check(line, probe_id, always=True)
            words = line.decode("ascii", "replace").split(" ", 2)
            lines += 1
            if words[0] != "STAT" or len(words) < 2 or lines > 10_000:
                raise ProtocolError("not an answer to stats")
            found[words[1]] = words[2] if len(words) > 2 else ""
        step.done("END")
    return found
