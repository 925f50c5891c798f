"""Stores whose listings have no end: one of each kind at least, each counting what it is asked.

They answer as the good ones of `stores.py` do, but where they list, page or stream. A mark that is always another one,
pages of the same, of next to nothing, of nothing, and more than was said: what a store that lies can do.
"""

from __future__ import annotations

import base64
import itertools
import json
import re
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import unquote

import bson

from fakes import cassandra as cql
from plainview import catalog
from servers.fake import fake

from .stores import CSV, ROWS, STORES, Store, http, mongo_command, mongo_reply, pack, pg, pg_answer, reply

MOST_REQUESTS = 30_000  # then the server gives up, and the test has failed
MOST_ROWS = 10_000_000
# What a request gets: an answer, one piece by piece, or None for what the good store would say.
More = Callable[[bytes, int], "bytes | Iterator[bytes] | None"]


@dataclass
class Endless:
    """A store of which `more` has no end. `requests` and `rows` count what it was asked and gave."""

    store: Store
    more: More
    greeting: bytes = b""
    requests: int = 0
    rows: int = 0
    gave_up: bool = False
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def __call__(self, sock: socket.socket, _: bytes) -> None:
        """Serve one connection."""
        buffer = b""
        if self.greeting:
            sock.sendall(self.greeting)
        while data := sock.recv(1 << 16):
            buffer += data
            while part := self.store.split(buffer):
                request, buffer = part
                self.requests += 1
                if self.requests > MOST_REQUESTS:
                    self.gave_up = True
                    return
                self._answer(sock, request)

    def _answer(self, sock: socket.socket, request: bytes) -> None:
        answer = self.more(request, next(self.numbers))
        if answer is None:
            answer = self.store.answer(request)
        if isinstance(answer, bytes):
            sock.sendall(answer)
            return
        for piece in answer:
            sock.sendall(piece)
            self.rows += PIECE
            if self.rows > MOST_ROWS:
                self.gave_up = True
                raise OSError


@contextmanager
def serving(endless: Endless) -> Iterator[int]:
    """Serve on loopback; yield the port."""
    with fake(endless, first=False) as (port, _):
        yield port


PIECE = 1_000  # rows of a piece of a stream


def forever(row: Callable[[int], bytes], start: bytes = b"") -> Iterator[bytes]:
    """Yield rows without end."""
    yield start
    for number in itertools.count(step=PIECE):
        yield b"".join(row(number + at) for at in range(PIECE))


# -- by kind --------------------------------------------------------------------------------------------


def resp(command: bytes, make: Callable[[int], object]) -> More:
    def more(request: bytes, number: int) -> bytes | None:
        words = request.split(b"\r\n")[2::2]
        if words[0] != command or b"10" in words[-1:]:  # the stranger's own look takes ten
            return None
        return pack(make(number))

    return more


def typed(kind: str, command: bytes, length: bytes, make: Callable[[int], object]) -> More:
    """Redis with three keys of a type whose values have no end; the server says that they hold five items each."""
    pages = resp(command, make)

    def more(request: bytes, number: int) -> bytes | None:
        words = request.split(b"\r\n")[2::2]
        if words[0] == b"TYPE":
            return f"+{kind}\r\n".encode()
        return pack(5) if words[0] == length else pages(request, number)

    return more


REDIS: dict[str, More] = {
    "no keys": resp(b"SCAN", lambda n: [b"%d" % (n + 1), []]),
    "the same keys": resp(b"SCAN", lambda n: [b"%d" % (n + 1), [b"user:1", b"user:2"]]),
    "ever new keys": resp(b"SCAN", lambda n: [b"%d" % (n + 1), [b"user:%d" % n]]),
    "pages of new keys": resp(b"SCAN", lambda n: [b"%d" % (n + 1), [b"user:%d:%d" % (n, k) for k in range(1000)]]),
    "the same cursor": resp(b"SCAN", lambda n: [b"7", [b"user:%d" % n]]),
    "fields of a hash": typed("hash", b"HSCAN", b"HLEN", lambda n: [b"%d" % (n + 1), [b"f%d" % n, b"v"]]),
    "no fields of a hash": typed("hash", b"HSCAN", b"HLEN", lambda n: [b"%d" % (n + 1), []]),
    "members of a set": typed("set", b"SSCAN", b"SCARD", lambda n: [b"%d" % (n + 1), [b"m%d" % n]]),
    "members by score": typed("zset", b"ZSCAN", b"ZCARD", lambda n: [b"%d" % (n + 1), [b"m%d" % n, b"1"]]),
    "items of a list": typed("list", b"LRANGE", b"LLEN", lambda n: [b"item %d" % n] * 1000),
    "entries of a stream": typed(
        "stream", b"XRANGE", b"XLEN", lambda n: [[b"%d-%d" % (n, k), [b"f", b"v"]] for k in range(1000)]
    ),
}


def memcached(key: Callable[[int], str]) -> More:
    def more(request: bytes, _: int) -> Iterator[bytes] | None:
        if not request.startswith(b"lru_crawler"):
            return None
        return forever(lambda n: f"key={key(n)} exp=-1 la=1 cas=1 fetch=no cls=1 size=70\r\n".encode())

    return more


MEMCACHED: dict[str, More] = {
    "the same keys": memcached(lambda n: f"user:{n % 3}"),
    "ever new keys": memcached(lambda n: f"user:{n}"),
}


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def etcd(keys: Callable[[int], list[str]], said: str = "5") -> More:
    def more(request: bytes, number: int) -> bytes | None:
        if b"/kv/range" not in request or b"count_only" in request:
            return None
        kvs = [{"key": b64(key), "value": b64("v")} for key in keys(number)]
        return reply({"header": {}, "count": said, "more": True, "kvs": kvs})

    return more


ETCD: dict[str, More] = {
    "ever new keys": etcd(lambda n: [f"/k/{n:09}"]),
    "ever new keys of very many": etcd(lambda n: [f"/k/{n:09}"], said=str(10**15)),
    "pages of new keys": etcd(lambda n: [f"/k/{n:09}/{k:04}" for k in range(1000)]),
    "the same keys": etcd(lambda _: ["/k/1", "/k/2"]),
    "no keys": etcd(lambda _: []),
}


def elastic(hits: Callable[[int], list[str]], total: int = 5) -> More:
    def more(request: bytes, number: int) -> bytes | None:
        if request.startswith(b"DELETE") or (b"/_search" not in request.split(b"\r\n")[0]):
            return None
        if b"size=0" in request or b"plainview-" in request:
            return None
        found = [{"_index": "people", "_id": name, "_source": ROWS[0]} for name in hits(number)]
        scroll = base64.b64encode(b"scroll-id-%012d" % number).decode()
        whole = {"_scroll_id": scroll, "_shards": {"total": 1, "failed": 0}}
        return reply(whole | {"hits": {"total": {"value": total}, "hits": found}}, x_elastic_product="Elasticsearch")

    return more


ELASTICSEARCH: dict[str, More] = {
    "the same documents": elastic(lambda _: ["a", "b"], total=10**9),
    "one new document at a time": elastic(lambda n: [str(n)], total=10**9),
    "more than it said": elastic(lambda n: [f"{n}-{k}" for k in range(3)], total=8),
}


def couch(ids: Callable[[int, str], list[str]], total: int = 3) -> More:
    def more(request: bytes, number: int) -> bytes | None:
        line = unquote(request.split(b" ")[1].decode())
        if "/people/_all_docs" not in line or "limit=0" in line:
            return None
        last = json.loads(line.partition("startkey=")[2] or '""')
        limit = int(re.search(r"limit=([0-9]+)", line)[1])
        names = (ids(number, last) * limit)[:limit]
        return reply({"total_rows": total, "rows": [{"id": name, "doc": ROWS[0]} for name in names]})

    return more


COUCHDB: dict[str, More] = {
    "the same documents": couch(lambda _, last: ["a", "b"]),
    "ever new documents": couch(lambda n, last: [f"{n:09}-{k:05}" for k in range(10_000)]),
    "the last one again": couch(lambda _, last: [last or "a"]),
}


def mongo(documents: Callable[[int], list[dict[str, object]]], count: int = 3) -> More:
    def more(request: bytes, number: int) -> bytes | None:
        try:
            command = mongo_command(request)
        except (bson.errors.BSONError, ValueError, IndexError, struct.error):
            return None
        name = next(iter(command))
        if name == "find" and command.get("limit"):
            return None
        if name == "count":
            return mongo_reply(request, {"n": count, "ok": 1.0})
        key = {"find": "firstBatch", "getMore": "nextBatch"}.get(name)
        cursor = {"id": bson.Int64(number + 1), "ns": "x", key or "": documents(number)}
        return mongo_reply(request, {"cursor": cursor, "ok": 1.0}) if key else None

    return more


def collections(request: bytes, number: int) -> bytes | None:
    try:
        command = mongo_command(request)
    except (bson.errors.BSONError, ValueError, IndexError, struct.error):
        return None
    key = {"listCollections": "firstBatch", "getMore": "nextBatch"}.get(next(iter(command)))
    some = [{"name": "people", "type": "collection"}]
    cursor = {"id": bson.Int64(number + 1), "ns": "x", key or "": some}
    return mongo_reply(request, {"cursor": cursor, "ok": 1.0}) if key else None


MONGODB: dict[str, More] = {
    "the same documents": mongo(lambda _: [dict(row) for row in ROWS]),
    "ever new documents": mongo(lambda n: [{"_id": n, "email": "a@example.org"}]),
    "ever new documents of very many": mongo(lambda n: [{"_id": n, "email": "a@example.org"}], count=1 << 40),
    "pages of new documents": mongo(lambda n: [{"_id": n * 1000 + k, "a": "b" * 50} for k in range(1000)]),
    "no documents": mongo(lambda _: []),
    "the same collections": collections,
}


def s3(keys: Callable[[int], list[str]]) -> More:
    def more(request: bytes, number: int) -> bytes | None:
        if b"list-type=2" not in request:
            return None
        found = "".join(f"<Contents><Key>{key}</Key><Size>{len(CSV)}</Size></Contents>" for key in keys(number))
        rest = f"<IsTruncated>true</IsTruncated><NextContinuationToken>t{number}</NextContinuationToken>"
        text = f"<ListBucketResult>{rest}{found}</ListBucketResult>"
        return reply(text.encode(), content_type="application/xml", x_amz_request_id="1")

    return more


def azure(keys: Callable[[int], list[str]]) -> More:
    def more(request: bytes, number: int) -> bytes | None:
        if b"comp=list" not in request:
            return None
        blobs = "".join(
            f"<Blob><Name>{key}</Name><Properties><Content-Length>{len(CSV)}</Content-Length></Properties></Blob>"
            for key in keys(number)
        )
        text = f"<EnumerationResults><Blobs>{blobs}</Blobs><NextMarker>m{number}</NextMarker></EnumerationResults>"
        return reply(text.encode(), content_type="application/xml", x_ms_request_id="1")

    return more


def gs(keys: Callable[[int], list[str]]) -> More:
    def more(request: bytes, number: int) -> bytes | None:
        if b"maxResults" not in request:
            return None
        items = [{"name": key, "size": str(len(CSV))} for key in keys(number)]
        return reply({"items": items, "nextPageToken": f"t{number}"})

    return more


def bucket(make: Callable[[Callable[[int], list[str]]], More]) -> dict[str, More]:
    return {
        "the same keys": make(lambda _: ["people.csv"]),
        "no keys": make(lambda _: []),
        "one new key at a time": make(lambda n: [f"{n:09}.bin"]),
    }


OBJECT = [(r".*plainview-.*", reply(b"", 404)), (r"(GET|HEAD) .*(csv|bin).*", reply(CSV, content_type="text/csv"))]
OTHERS = [(".*testPermissions.*", reply({}, 403)), (".*", reply(b"", 403))]
AZURE_STORE = http("azure", [*OBJECT, *OTHERS], path="account/bucket", state="reads")
GS_STORE = http(
    "gs",
    [
        (r".*plainview-.*", reply({}, 404)),
        (r".*fields=size", reply({"size": str(len(CSV))})),
        *OBJECT,
        *OTHERS,
    ],
    path="bucket",
    state="reads",
)
HTTP_STORE = http("http", [*OBJECT, *OTHERS], state="reads")


def folders(request: bytes, number: int) -> bytes | None:
    """Each folder holds two others and no file."""
    path = request.split(b" ")[1]
    if not path.endswith(b"/") or b"plainview-" in path:
        return None
    page = f"<html><title>Index of /</title><a href='a{number}/'>a</a><a href='b{number}/'>b</a></html>"
    return reply(page.encode(), content_type="text/html")


def clickhouse(row: Callable[[int], bytes]) -> More:
    def more(request: bytes, _: int) -> Iterator[bytes] | None:
        line = unquote(request.split(b" ")[1].decode())
        if not re.search(r"SELECT.`.*FROM.`shop`", line):
            return reply(b"3\n") if "count()" in line or "total_rows+FROM+system.tables+WHERE" in line else None
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n"
        return forever(row, head)

    return more


class _Cassandra:
    @staticmethod
    def split(buffer: bytes) -> tuple[bytes, bytes] | None:
        size = 9 + int.from_bytes(buffer[5:9], "big") if len(buffer) >= 9 else 1 << 30
        return (buffer[:size], buffer[size:]) if len(buffer) >= size else None

    @staticmethod
    def answer(request: bytes) -> bytes:
        what = {1: "STARTUP", 5: "OPTIONS"}.get(request[4]) or request[13:].decode("utf-8", "replace")
        found = max((name for name in cql.OPEN if what.startswith(name)), key=len, default="")
        return cql.frame(cql.OPEN[found] if found else cql.error(0x2200))


CASSANDRA_STORE = Store("cassandra", _Cassandra.split, _Cassandra.answer)


def cassandra(rows: Callable[[int], list[tuple[bytes]]], of: bytes = b'"people"') -> More:
    def more(request: bytes, number: int) -> bytes | None:
        if of not in request or b"now()" in request:
            return None
        return cql.frame(cql.rows(*rows(number), types=(cql.TEXT,), state=b"s%d" % number))

    return more


CASSANDRA: dict[str, More] = {
    "the same rows": cassandra(lambda _: [(b"a",), (b"b",)]),
    "no rows": cassandra(lambda _: []),
    "one new row at a time": cassandra(lambda n: [(b"%d" % n,)]),
    "ever the same tables": lambda request, number: (
        cql.frame(cql.rows((b"shop", b"people"), state=b"s%d" % number)) if b"table_name FROM" in request else None
    ),
}


def postgresql(request: bytes, _: int) -> Iterator[bytes] | None:
    text = request[5:].rstrip(b"\0").decode("utf-8", "replace")
    if not text.startswith("COPY"):
        counted = pg_answer(request)
        return counted if "count(*)" not in text or "largeobject" in text else None
    return forever(lambda n: pg(b"d", b"Anna\tx%d\n" % n), pg(b"H", b"\0\0\2\0\0\0\0"))


# -- MySQL ----------------------------------------------------------------------------------------------


def packets(*bodies: bytes, first: int = 1) -> bytes:
    return b"".join(
        len(body).to_bytes(3, "little") + bytes([(first + at) % 256]) + body for at, body in enumerate(bodies)
    )


def table(*rows: tuple[str, ...], columns: int = 0) -> bytes:
    """Return the answer to a SELECT: descriptions that nobody reads, then rows."""
    width = columns or len(rows[0])
    cells = [b"".join(bytes([len(cell)]) + cell.encode() for cell in row) for row in rows]
    return packets(bytes([width]), *[b"\3def"] * width, END, *cells, END)


END = b"\xfe\0\0\2\0"
SALTED = b"\x0a8.0.36\0" + b"\1\0\0\0" + b"a" * 8 + b"\0\xff\xf7\xff\2\0\xff\xdf\x15" + b"\0" * 10 + b"b" * 12
GREETING = packets(SALTED + b"\0mysql_native_password\0", first=0)
OK = b"\0\0\0\2\0\0\0"


class _Mysql:
    @staticmethod
    def split(buffer: bytes) -> tuple[bytes, bytes] | None:
        size = 4 + int.from_bytes(buffer[:3], "little") if len(buffer) >= 4 else 1 << 30
        return (buffer[:size], buffer[size:]) if len(buffer) >= size else None

    @staticmethod
    def answer(request: bytes) -> bytes:
        if request[3] == 1 or request[4:5] != b"\3":  # a login, or a goodbye
            return packets(OK, first=request[3] + 1) if request[3] == 1 else b""
        text = request[5:].decode("utf-8", "replace")
        answers = {
            "plainview_none": packets(b"\xff\x7a\x04#42S02no"),
            "SHOW GRANTS": table(("GRANT ALL PRIVILEGES ON *.* TO root",)),
            "schemata": table(("shop",)),
            "table_type, table_rows": table(("shop", "people", "BASE TABLE", "3")),
            "COALESCE(engine": table(("shop", "people", "BASE TABLE", "InnoDB", "3", "100")),
            "column_name": table(("shop", "people", "email", "varchar", "varchar(99)", "0", "0", "select")),
            "LIMIT 0": table(columns=1),
            "COUNT(*)": table(("3",)),
        }
        return next((answer for words, answer in answers.items() if words in text), packets(OK))


MYSQL_STORE = Store("mysql", _Mysql.split, _Mysql.answer)


def mysql(request: bytes, _: int) -> Iterator[bytes] | None:
    if b"FROM `shop`.`people`" not in request or b"COUNT" in request or b"LIMIT 0" in request:
        return None
    return forever(lambda n: packets(b"\x07x%06d" % (n % 10**6), first=n), packets(b"\1", b"\3def", END))


# -- all ------------------------------------------------------------------------------------------------

ENDLESS: dict[str, tuple[Store, dict[str, More]]] = {
    "redis": (STORES["redis"], REDIS),
    "fingerprint": (STORES["redis"], {"ever new keys": REDIS["ever new keys"]}),
    "memcached": (STORES["memcached"], MEMCACHED),
    "etcd": (STORES["etcd"], ETCD),
    "elasticsearch": (STORES["elasticsearch"], ELASTICSEARCH),
    "couchdb": (STORES["couchdb"], COUCHDB),
    "mongodb": (STORES["mongodb"], MONGODB),
    "s3": (STORES["s3"], bucket(s3)),
    "azure": (AZURE_STORE, bucket(azure)),
    "gs": (GS_STORE, bucket(gs)),
    "http": (HTTP_STORE, {"folders in folders": folders}),
    "clickhouse": (
        STORES["clickhouse"],
        {"the same rows": clickhouse(lambda _: b"a\tb\tc\n"), "ever new rows": clickhouse(lambda n: b"a\tb\t%d\n" % n)},
    ),
    "cassandra": (CASSANDRA_STORE, CASSANDRA),
    "postgresql": (STORES["postgresql"], {"ever new rows": postgresql}),
    "mysql": (MYSQL_STORE, {"rows": mysql}),
}
CASES = [(kind, name) for kind, (_, some) in ENDLESS.items() for name in some]


def made(kind: str, name: str) -> Endless:
    """Return a fresh server."""
    store, some = ENDLESS[kind]
    return Endless(store, some[name], greeting=GREETING if kind == "mysql" else b"")


def missing() -> set[str]:
    """Return the kinds of store on a network that have no endless server."""
    return set(catalog.ours()) - set(ENDLESS)
