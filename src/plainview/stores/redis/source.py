"""Redis, Valkey, KeyDB, Dragonfly: every key, in tables by the shape of the key's name."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, cast

import polars as pl

from plainview.errors import PlainviewError, ProtocolError, RefusedError
from plainview.stores.base import NetworkSource, Verdict
from plainview.stores.redis import access as redis_access
from plainview.stores.redis.resp import Refusal, Resp
from plainview.stores.redis.rows import PAGED, Page, Rows
from plainview.stores.shared.keygroups import SAMPLE, KeyGroups
from plainview.stores.shared.paging import Paging
from plainview.tables import Batch, ReadLog, Table, Unit
from plainview.tables.ahead import ahead

if TYPE_CHECKING:
    from plainview.stores.redis.resp import Answer

PAGE = 1_000  # keys of one SCAN, items of one page of a large value
PIPELINE = 4 << 20  # bytes of answers that one pipeline aims at: the server has to hold them
ROWS = 20_000  # rows of one batch
HELD = 24 << 20  # bytes of answers that wait in all groups together
SLACK = 1_000  # keys that may have come in while they were walked, beyond four times those that were counted
# Of a table that was much larger, SCAN shows many empty pages: so many in a row, each of up to ten times COUNT places.
EMPTY, FEW, WIDEST = 500, 8, 32 * PAGE


class RedisSource(NetworkSource):
    """A unit is a database. Tables are groups of keys, with the key itself in the column `key`."""

    kind = "redis"

    def ask(self, verdict: Verdict) -> None:
        """Ask what a stranger may do; a port that turns out to speak TLS is asked that way."""
        self._tls = self.target.tls
        try:
            self._ask(verdict)
        except ProtocolError:
            if verdict.evidence:
                raise
            self._tls = not self._tls
            try:
                self._ask(verdict)
            except (ProtocolError, RefusedError) as other:
                self._tls = not self._tls
                if isinstance(other, RefusedError) or verdict.evidence:
                    raise
            else:
                verdict.note("the port speaks TLS" if self._tls else "the port speaks no TLS")
                return
            raise

    def _ask(self, verdict: Verdict) -> None:
        with Resp(self.wire, tls=self._tls) as client:
            redis_access.ask(client, verdict)

    def pieces(self, log: ReadLog) -> Iterator[Unit]:
        """List the databases that hold keys, or the one that the address names."""
        only = self.target.path if self.target.path.isdigit() else ""
        with self._client() as client:
            answer = client.ask("redis.keyspace")
        if not isinstance(answer, bytes):
            log.skip("databases after the first", "the server does not say which hold keys (INFO keyspace)")
            yield Unit(f"db{only or 0}", locator=int(only or 0))
            return
        info = redis_access.parse_info(answer)
        for name, value in info.items():
            found = re.fullmatch(r"keys=([0-9]{1,18})(,.*)?", value)
            if re.fullmatch(r"db[0-9]{1,6}", name) and found and only in ("", name[2:]):
                yield Unit(name, rows=int(found[1]), locator=int(name[2:]))

    def rows(self, unit: Unit, log: ReadLog, sample: int | None) -> Iterator[Batch]:
        """Yield the keys of one database by group. `sample`: the first keys of each group in hash order.

        SCAN walks in the order of a keyed hash of the names, so the first are as good as drawn at random.
        """
        with self._client() as client:
            reader = _Database(self, client, unit, log, sample)
            yield from ahead(reader.read())  # the next values are fetched while these are matched

    def _client(self) -> Resp:
        """Return a connection that is named and, where it has to be, logged in."""
        self.check_access()
        credential = self.credential
        client = Resp(self.wire, tls=self._tls, credential=credential)
        try:
            if credential is not None:
                client.login(credential)
            client.ask("redis.rename")
            client.ask("redis.notouch")
        except PlainviewError:
            client.close()
            raise
        return client


class _Database:
    """The reading of one database over one connection."""

    def __init__(self, source: RedisSource, client: Resp, unit: Unit, log: ReadLog, sample: int | None) -> None:
        self.source, self.client, self.unit, self.log, self.sample = source, client, unit, log, sample
        self.field = source.limits.field
        self.groups = KeyGroups()
        self.taken: dict[str, int] = {}
        self.drawn: set[str] = set()  # groups of which keys were left out
        self.pending: dict[tuple[str, str], Rows] = {}
        self.width: dict[str, float] = {}  # bytes that a key of a type has cost so far
        self.lost: dict[tuple[str, str], int] = {}
        self.columns = source.limits.columns
        self.flushed_at = 0

    def read(self) -> Generator[Batch]:
        """Yield all batches; what was collected comes out before an error does."""
        if isinstance(self.client.ask("redis.select", database=self.unit.locator), Refusal):
            raise RefusedError(f"{self.unit.name} cannot be chosen")
        problem: PlainviewError | None = None
        try:
            for keys in self._keys():
                before = self.client.received
                yield from self._values(keys)
                self.log.read(self.client.received - before)
        except PlainviewError as error:
            problem = error
        yield from self._flush()
        how = f"the first {self.sample or 0:,} keys that SCAN shows: its order is that of a keyed hash of their names"
        for (group, _), rows in self.pending.items():
            if group in self.drawn:
                yield Batch(rows.table.drawn(how), pl.DataFrame())
        for (group, why), count in self.lost.items():
            self.log.skip(group, f"{count:,} keys: {why}")
        self.log.listed(tables=len(self.taken), rows=sum(self.taken.values()))
        if problem is not None:
            raise problem

    def _keys(self) -> Iterator[list[bytes]]:
        """Hand on the keys in pages; the first are held back until the groups are learnt from them."""
        held: list[bytes] | None = []
        problem: PlainviewError | None = None
        try:
            for found in self._walk():
                if held is None:
                    yield found
                    continue
                held += found
                if len(held) >= SAMPLE:
                    self.groups.learn(held)
                    yield held
                    held = None
        except PlainviewError as error:
            problem = error
        if held:
            self.groups.learn(held)
            yield held
        if problem is not None:
            raise problem

    def _walk(self) -> Iterator[list[bytes]]:
        """Walk the keys; where few places hold one, more are looked at in one step."""
        walk = Paging(
            self.source.wire,
            "SCAN does",
            said=self._size(),
            size=PAGE,
            empty=EMPTY,
            free=EMPTY,
            growth=SLACK,
            recount=self._size,
        )
        cursor: Answer = b"0"
        while True:
            answer = self.client.ask("redis.scan", cursor=cursor, count=min(WIDEST, PAGE << walk.idle // FEW))
            if isinstance(answer, Refusal):
                raise RefusedError(f"SCAN was refused ({answer.code})")
            if not (isinstance(answer, list) and len(answer) == 2 and isinstance(answer[1], list)):
                raise ProtocolError("not an answer to SCAN")
            cursor, found = answer[0], [key for key in answer[1] if isinstance(key, bytes)]
            if not isinstance(cursor, bytes):
                raise ProtocolError("not an answer to SCAN")
            if walk.page(len(found), mark=cursor, same=tuple(found) if found else None):
                yield found
            if cursor == b"0":
                break
        walk.end("keys", excused=self._expiring)

    def _size(self) -> int | None:
        """Return how many keys the server says the database holds."""
        answer = self.client.ask("redis.size")
        return answer if isinstance(answer, int) else self.unit.rows

    def _expiring(self) -> int:
        """Return how many keys have an end: those that passed it are counted, and shown no more."""
        answer = self.client.ask("redis.keyspace")
        lines = redis_access.parse_info(answer) if isinstance(answer, bytes) else {}
        found = re.search(r"\bexpires=([0-9]{1,18})", lines.get(f"db{self.unit.locator}", ""))
        return int(found[1]) if found else 0

    def _values(self, keys: list[bytes]) -> Iterator[Batch]:
        """Read the values of some keys, kind by kind, in pipelines."""
        chosen: list[bytes] = []
        names: dict[bytes, str] = {}
        for key in keys:
            name = self.groups.name(key)
            count = self.taken.get(name, 0)
            self.taken[name] = count + 1
            if self.sample is None or count < self.sample:
                chosen.append(key)
                names[key] = name
            else:
                self.drawn.add(name)
        by_type: dict[bytes, list[bytes]] = {}
        for key, kind in zip(chosen, self.client.for_keys("redis.type", chosen), strict=True):
            if isinstance(kind, bytes):
                by_type.setdefault(kind, []).append(key)
            elif isinstance(kind, Refusal):
                self._lose(names[key], kind)
        for kind, some in by_type.items():
            yield from self._kind(kind.decode("ascii", "replace"), some, names)

    def _kind(self, kind: str, keys: list[bytes], names: dict[bytes, str]) -> Iterator[Batch]:
        page = PAGED.get(kind)
        if kind == "none":  # gone between SCAN and TYPE
            return
        if page is None:
            for key in keys:
                self._lose(names[key], "a type of a module that is not read")
            return
        at = 0
        while at < len(keys):
            width = self.width.get(kind, PIPELINE / 3)  # three may all be as large as a cell
            some = keys[at : at + max(1, min(PAGE, int(PIPELINE / max(width, 1))))]
            before = self.client.received
            answers = self.client.for_keys(page.probe, some, **page.first(PAGE, self.field))
            self.width[kind] = (self.client.received - before) / len(some)
            at += len(some)
            for key, answer in zip(some, answers, strict=True):
                yield from self._one(kind, names[key], key, answer)

    def _one(self, kind: str, name: str, key: bytes, answer: Answer) -> Iterator[Batch]:
        """Take the first page of a value, and fetch the others."""
        page = PAGED[kind]
        rows = self.pending.get((name, kind))
        if rows is None:
            prefix = "" if self.unit.locator == 0 else f"{self.unit.name}/"
            rows = Rows(Table(f"{prefix}{name}", f"redis {kind}"), kind, self.columns)
            self.pending[name, kind] = rows
        asked = page.first(PAGE, self.field)
        pages: Paging | None = None
        while True:
            if isinstance(answer, Refusal):
                if answer.code != "WRONGTYPE":  # it became another type meanwhile
                    self._lose(name, answer)
                return
            items, following = page.take(answer, PAGE, asked)
            if pages is None and following is not None:
                pages = self._large(page, key)
            if pages is not None:
                count = len(items) // page.texts if page.texts else len(cast("list[Answer]", answer))
                pages.page(count, mark=tuple(map(str, following.values())) if following else None)
            rows.add(key, items, whole=pages is None)
            if kind == "string" and items and len(items[0]) >= self.field:
                self._lose(name, "the text was cut at the limit of one cell")
            if len(rows) >= ROWS:
                yield from rows.batches()
            if self.client.received - self.flushed_at > HELD:
                yield from self._flush()
            if following is None:
                if pages is not None and (why := pages.short("items of a large value")):
                    self.log.skip(rows.table.name, why)
                return
            asked = following
            answer = self.client.ask(page.probe, key=key, **asked)

    def _large(self, page: Page, key: bytes) -> Paging:
        """Begin to count the pages of a value that has several."""

        def length() -> int | None:
            answer = self.client.ask(page.length, key=key)
            return answer if isinstance(answer, int) else None

        return Paging(
            self.source.wire, "the pages of a value do", said=length(), size=PAGE, empty=EMPTY, recount=length
        )

    def _flush(self) -> Iterator[Batch]:
        """Hand on all that waits, of every group."""
        self.flushed_at = self.client.received
        for rows in self.pending.values():
            yield from rows.batches()

    def _lose(self, group: str, why: Refusal | str) -> None:
        reasons = {"NOPERM": "no permission to read", "MOVED": "on another node of the cluster"}
        text = why if isinstance(why, str) else reasons.get(why.code, f"refused ({why.code})")
        self.lost[group, text] = self.lost.get((group, text), 0) + 1
