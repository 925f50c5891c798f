"""etcd 3 over its JSON gateway: every key, in tables by the shape of the key."""

from __future__ import annotations

import base64
import random
import re
from collections.abc import Iterator
from contextlib import closing
from secrets import token_hex
from typing import TYPE_CHECKING, Any

import msgspec
import polars as pl

from plainview.errors import PlainviewError, ProtocolError, RefusedError
from plainview.stores.base import NetworkSource, Verdict
from plainview.stores.shared.columns import texts
from plainview.stores.shared.keygroups import SAMPLE, KeyGroups
from plainview.stores.shared.paging import EndlessError, Paging
from plainview.tables import Batch, ReadLog, Table, Unit
from plainview.targets.secret import Secret
from plainview.wire.authorization import bare

if TYPE_CHECKING:
    from plainview.wire.http import Http, Reply

VERSION = re.compile(r"([0-9]{1,3})\.([0-9]{1,3})\.[0-9A-Za-z.+-]{1,30}")
KUBERNETES = b"/registry/secrets/"
PAGE, PAGE_BYTES = 1_000, 4 << 20
ROWS, HELD = 20_000, 24 << 20  # of one batch; bytes that wait in all tables together
ALL = b"\0"  # as a start and an end: from the first key to the last


class _Pair(msgspec.Struct):
    key: bytes = b""  # msgspec takes the base64 off
    value: bytes = b""


class _Page(msgspec.Struct):
    kvs: list[_Pair] = []
    more: bool = False
    count: int | str = 0  # of the keys from the start on, as text

    @property
    def said(self) -> int | None:
        """Return how many keys there are from the start on."""
        return int(self.count) if re.fullmatch(r"[0-9]{1,18}", str(self.count)) else None


class EtcdSource(NetworkSource):
    """One unit: the whole key space."""

    kind = "etcd"
    _api = "v3"
    _tls = False
    _v2 = False

    def ask(self, verdict: Verdict) -> None:
        """Ask what a stranger may do."""
        with closing(self.wire.http()) as http:
            self._version(http, verdict)
            if http.ask("etcd.control", nowhere=f"plainview-{token_hex(6)}").status != 404:
                verdict.doubt("a path that does not exist was not 404: it may answer everything", honeypot=True)
            try:
                count = self._count(http, ALL, ALL)
            except RefusedError as error:
                if not self._old(http):
                    raise
                verdict.note(error.message)
                verdict.saw("lists", "the old interface (v2), which has users of its own, answers without one")
                return
            verdict.saw("lists", f"a range over all keys is answered without a user: {count:,} keys")
            verdict.saw("reads", "a range that counts is allowed without a user")
            secrets = self._count(http, KUBERNETES, KUBERNETES[:-1] + b"0")
            if secrets:
                verdict.note(f"{secrets:,} secrets of a Kubernetes cluster are among them")
            status = http.ask("etcd.auth_status", api=self._api)
            if status.ok and _dict(status.json()).get("enabled", False) is False:
                verdict.rights("rights_api")
                verdict.saw("admin", "auth/status says that authentication is off: everybody is root")
            else:
                verdict.rights("by_design")
                verdict.saw("admin", "a range without a user is refused once authentication is on: it is off")
            if self._old(http):
                verdict.note("the old interface (v2) answers too; its keys are others")

    def _old(self, http: Http) -> bool:
        """Ask whether the old interface answers."""
        v2 = http.ask("etcd.v2")
        self._v2 = v2.ok and not v2.looks_like_page and b'"node"' in v2.body
        return self._v2

    def _version(self, http: Http, verdict: Verdict) -> None:
        reply = http.detect("etcd.version")
        self._tls = http.tls
        answer = reply.json() if reply.ok and not reply.looks_like_page else {}
        text = answer.get("etcdserver", "") if isinstance(answer, dict) else ""
        found = VERSION.fullmatch(text) if isinstance(text, str) else None
        if not found:
            raise ProtocolError(f"GET /version answered {reply.status}: not etcd")
        verdict.product, verdict.version = "etcd", text
        verdict.saw("reachable_metadata", "GET /version is answered without a user, as always")
        minor = (int(found[1]), int(found[2]))
        # Where the gateway lies, by version.
        self._api = "v3" if minor >= (3, 4) else "v3beta" if minor == (3, 3) else "v3alpha"

    def _count(self, http: Http, start: bytes, end: bytes) -> int:
        reply = http.ask("etcd.count", api=self._api, start=_b64(start), end=_b64(end))
        _refusal(reply, "a range that counts")
        answer = reply.json()
        count = answer.get("count", "0") if isinstance(answer, dict) and "header" in answer else None
        if not isinstance(count, str) or not re.fullmatch(r"[0-9]{1,18}", count):
            raise ProtocolError("not an answer to a range")
        return int(count)

    def pieces(self, log: ReadLog) -> Iterator[Unit]:
        """Give one unit."""
        if self._v2:
            log.skip("keys of the old interface (v2)", "not read by this version")
        yield Unit("keys")

    def rows(self, unit: Unit, log: ReadLog, sample: int | None) -> Iterator[Batch]:  # noqa: ARG002
        """Yield all pairs. `sample`: keys of each group drawn at random from the whole listing."""
        with closing(self._client()) as http:
            reader = _Reader(http, self._api, log)
            yield from reader.all() if sample is None else reader.drawn(sample)

    def _client(self) -> Http:
        self.check_access()
        credential = self.credential
        http = self.wire.http(tls=self._tls, credential=credential)
        if credential is not None and credential.secret is not None:
            if credential.token:
                http.dress = bare(credential.secret)
                return http
            reply = http.ask("etcd.login", api=self._api, user=credential.user, password=credential.secret)
            token = _dict(reply.json()).get("token") if reply.ok else None
            if not isinstance(token, str) or not re.fullmatch(r"[\x21-\x7e]{1,4096}", token):
                http.close()
                raise RefusedError(f"the credential was not accepted ({credential.origin})")
            http.dress = bare(Secret(token))
        return http


class _Reader:
    """Reads the key space over one connection."""

    def __init__(self, http: Http, api: str, log: ReadLog) -> None:
        self.http, self.api, self.log = http, api, log
        self.groups = KeyGroups()
        self.pending: dict[str, list[_Pair]] = {}
        self.seen: set[str] = set()
        self.held = 0

    def all(self) -> Iterator[Batch]:
        """Yield every pair; what was collected comes out before an error does."""
        problem: PlainviewError | None = None
        held: list[_Pair] | None = []
        try:
            for page in self._pages():
                if held is not None:
                    held += page
                    if len(held) < SAMPLE:
                        continue
                    page, held = held, None
                    self.groups.learn(pair.key for pair in page)
                yield from self._sort(page)
        except PlainviewError as error:
            problem = error
        if held:
            self.groups.learn(pair.key for pair in held)
            yield from self._sort(held)
        yield from self._rest()
        if problem is not None:
            raise problem

    def drawn(self, sample: int) -> Iterator[Batch]:
        """Yield random pairs of each group: all keys are listed, then the chosen ones are asked for."""
        keys = [pair.key for page in self._pages(keys_only=True) for pair in page]
        self.groups.learn(random.sample(keys, min(len(keys), SAMPLE)))
        tables: dict[str, list[bytes]] = {}
        for key in keys:
            tables.setdefault(self.groups.name(key), []).append(key)
        self.log.listed(tables=len(tables), rows=len(keys))
        for name, some in tables.items():
            chosen = random.sample(some, min(sample, len(some)))
            pairs = [pair for key in chosen for pair in self._range(key, key + b"\0", 1)[0].kvs]
            table = Table(name, "etcd")
            if len(chosen) < len(some):
                table = table.drawn(f"{len(chosen):,} of {len(some):,} keys, drawn at random")
            if pairs:
                yield _batch(table, pairs)

    def _pages(self, *, keys_only: bool = False) -> Iterator[list[_Pair]]:
        start, limit = ALL, 100
        walk = Paging(self.http.wire, "the pages do", recount=self._count)
        while True:
            page, size = self._range(start, ALL, limit, keys_only=keys_only)
            walk.said = page.said if walk.said is None else walk.said
            keys = [pair.key for pair in page.kvs]
            if page.more and (any(key < start for key in keys) or keys != sorted(set(keys))):
                raise EndlessError("the pages do not come to an end: keys came that stand before those asked for")
            walk.page(len(keys), mark=keys[-1] if keys else start, size=limit, received=size)
            yield page.kvs
            if not page.more:
                break
            start = keys[-1] + b"\0" if keys else start
            # So many keys that an answer stays near the size that is easy on the server.
            limit = max(1, min(PAGE, int(limit * PAGE_BYTES / max(size, 1))))
        walk.end("keys")

    def _count(self) -> int | None:
        return self._range(ALL, ALL, 1, keys_only=True)[0].said

    def _range(self, start: bytes, end: bytes, limit: int, *, keys_only: bool = False) -> tuple[_Page, int]:
        params: dict[str, Any] = {"start": _b64(start), "end": _b64(end), "limit": limit, "keys_only": keys_only}
        reply = self.http.ask("etcd.range", api=self.api, **params)
        _refusal(reply, "a range")
        self.log.read(len(reply.body))
        return reply.shaped(_Page, "not an answer to a range"), len(reply.body)

    def _sort(self, page: list[_Pair]) -> Iterator[Batch]:
        for pair in page:
            name = self.groups.name(pair.key)
            rows = self.pending.setdefault(name, [])
            rows.append(pair)
            self.held += len(pair.key) + len(pair.value)
            if len(rows) >= ROWS:
                yield from self._flush(name)
        if self.held > HELD:
            self.held = 0
            yield from self._rest()

    def _flush(self, name: str) -> Iterator[Batch]:
        rows = self.pending.pop(name)
        self.log.listed(tables=0 if name in self.seen else 1, rows=len(rows))
        self.seen.add(name)
        yield _batch(Table(name, "etcd"), rows)

    def _rest(self) -> Iterator[Batch]:
        for name in list(self.pending):
            yield from self._flush(name)


def _batch(table: Table, pairs: list[_Pair]) -> Batch:
    columns = [texts("key", [pair.key for pair in pairs]), texts("value", [pair.value for pair in pairs])]
    return Batch(table, pl.DataFrame(columns))


def _refusal(reply: Reply, what: str) -> None:
    """Raise unless the answer is good. etcd refuses with 400, 401 or 403 by version and case."""
    if reply.ok and not reply.looks_like_page:
        return
    if reply.status in (400, 401, 403) and re.search(rb"user name is empty|permission denied|invalid auth", reply.body):
        raise RefusedError(f"{what} is refused without a user (HTTP {reply.status})")
    raise ProtocolError(f"{what} was answered with {reply.status}")


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()
