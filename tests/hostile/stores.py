"""Small stores that answer as real ones do, so that an attack can begin anywhere in a conversation.

They hold one table with a canary in it, and everything of theirs that has a name has an evil one.
"""

from __future__ import annotations

import base64
import json
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote, unquote

import bson

CANARY = "canary.7f3a@example.org"
EVIL = "evil\x1b[2J\x07\u202egro.elpmaxe\u2066<script>alert(1)</script>'\";--"
ROWS = [{"name": f"Anna {n}", "email": CANARY, "city": "Bonn"} for n in range(3)]

Split = Callable[[bytes], "tuple[bytes, bytes] | None"]


@dataclass(frozen=True)
class Store:
    """`split` takes one request off the front of a buffer; `answer` answers it."""

    kind: str
    split: Split
    answer: Callable[[bytes], bytes]
    greeting: bytes = b""
    path: str = ""
    family: str = ""
    state: str = "admin"  # what a stranger may do, honestly


# -- HTTP -----------------------------------------------------------------------------------------------


def http_split(buffer: bytes) -> tuple[bytes, bytes] | None:
    head, end, rest = buffer.partition(b"\r\n\r\n")
    if not end:
        return None
    found = re.search(rb"(?i)content-length: *([0-9]+)", head)
    size = int(found[1]) if found else 0
    return (head + end + rest[:size], rest[size:]) if len(rest) >= size else None


def reply(body: object, status: int = 200, **headers: str) -> bytes:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    fields = {"content-type": "application/json", "content-length": str(len(data)), **headers}
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status} X\r\n{lines}\r\n".encode() + data


def http(kind: str, routes: list[tuple[str, Callable[[re.Match[str], bytes], bytes] | bytes]], **more: str) -> Store:
    """A store of routes: the first pattern that matches `METHOD path?query` answers."""

    def answer(request: bytes) -> bytes:
        words = request.split(b" ", 2)
        line = f"{words[0].decode()} {unquote(words[1].decode())}"
        for pattern, made in routes:
            if found := re.fullmatch(pattern, line, re.DOTALL):
                out = made if isinstance(made, bytes) else made(found, request)
                break
        else:
            out = reply({"error": "not found"}, 404)
        return out.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" if words[0] == b"HEAD" else out

    return Store(kind, http_split, answer, family="http", **more)


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


ETCD = http(
    "etcd",
    [
        ("GET /version", reply({"etcdserver": "3.5.9", "etcdcluster": "3.5.0"})),
        (".*/auth/status", reply({"header": {}, "enabled": False})),
        (
            ".*/kv/range",
            lambda _, request: reply(
                {"header": {}, "count": "3"}
                if b"count_only" in request
                else {
                    "header": {},
                    "count": "3",
                    "kvs": [{"key": b64(f"/{EVIL}/{n}"), "value": b64(json.dumps(row))} for n, row in enumerate(ROWS)],
                }
            ),
        ),
    ],
)
HITS = [{"_index": EVIL, "_id": f"{EVIL}{n}", "_source": row} for n, row in enumerate(ROWS)]
ELASTIC = {"x_elastic_product": "Elasticsearch"}
ELASTICSEARCH = http(
    "elasticsearch",
    [
        ("GET /", reply({"version": {"number": "8.7.1"}, "tagline": "You Know, for Search"}, **ELASTIC)),
        (
            "GET /_cat/indices.*",
            reply([{"index": "people", "status": "open", "docs.count": "3", "pri.store.size": "999"}], **ELASTIC),
        ),
        (".*/people.*/_search.*size=0.*", reply({"hits": {"total": {"value": 3}}, "_shards": {"total": 1}}, **ELASTIC)),
        (
            ".*/people.*/_search.*",
            reply(
                {
                    "_scroll_id": "c2Nyb2xsLWlkLW9mLW91cnM=",
                    "timed_out": False,
                    "_shards": {"total": 1, "failed": 0},
                    "hits": {"total": {"value": 3}, "hits": HITS},
                },
                **ELASTIC,
            ),
        ),
        ("GET /_security/_authenticate", reply({"error": "no handler found for uri [/_security/_authenticate]"}, 400)),
        ("GET /_xpack.*", reply({"features": {"security": {"enabled": False}}}, **ELASTIC)),
        ("GET /_cat/plugins.*", reply([])),
        ("GET /_cat/nodes.*", reply([{"version": "8.7.1"}])),
        ("GET /_cluster/settings.*", reply({})),
        ("GET /_nodes.*", reply({"nodes": {"a": {"http": {"publish_address": "203.0.113.1:9200"}}}})),
        ("GET /.*/_settings.*", reply({})),
        (".*", reply({"error": {"type": "index_not_found_exception"}, "status": 404}, 404, **ELASTIC)),
    ],
)
DATABASE = "people"
COUCHDB = http(
    "couchdb",
    [
        ("GET /", reply({"couchdb": "Welcome", "version": "3.3.1"})),
        ("GET /_all_dbs", reply([DATABASE])),
        ("GET /_session", reply({"ok": True, "userCtx": {"name": None, "roles": ["_admin"]}})),
        (".*/people/_all_docs.*limit=0.*", reply({"total_rows": 3, "rows": []})),
        (
            ".*/people/_all_docs.*",
            reply({"total_rows": 3, "rows": [{"id": f"{EVIL}{n}", "doc": row} for n, row in enumerate(ROWS)]}),
        ),
        (".*/_security", reply({})),
        (".*", reply({"error": "not_found", "reason": "Database does not exist."}, 404)),
    ],
)
TSV = {"content_type": "text/tab-separated-values", "x_clickhouse_summary": "{}"}
CLICKHOUSE = http(
    "clickhouse",
    [
        ("GET /(ping)?", reply(b"Ok.\n", **TSV)),
        (".*PLAINVIEW.NONE.*", reply(b"Code: 62. DB::Exception: Syntax error", 400, **TSV)),
        (".*version.*", reply(b"23.8.1.1\n", **TSV)),
        (".*system.tables.*", reply(b"shop\tpeople\tMergeTree\t3\n", **TSV)),
        (".*SHOW.GRANTS.*", reply(b"GRANT ALL ON *.* TO default WITH GRANT OPTION\n", **TSV)),
        (".*system.settings.*", reply(b"readonly\t0\nallow_ddl\t1\n", **TSV)),
        (".*system.columns.*", reply(f"name\tString\t\n{EVIL}\tString\t\nemail\tString\t\n".encode(), **TSV)),
        (".*LIMIT.0.*", reply(b"", **TSV)),
        (".*", reply(f"Anna\tx\t{CANARY}\n".encode() * 3, **TSV)),
    ],
)
S3_ERROR = '<?xml version="1.0"?><Error><Code>{0}</Code><Message>x</Message></Error>'
CSV = f"name,email\r\nAnna,{CANARY}\r\nBerta,{CANARY}\r\n".encode()
S3 = http(
    "s3",
    [
        (
            r"GET /bucket/?\?.*list-type=2.*",
            reply(
                (
                    "<ListBucketResult><IsTruncated>false</IsTruncated><EncodingType>url</EncodingType>"
                    f"<Contents><Key>people.csv</Key><Size>{len(CSV)}</Size></Contents>"
                    f"<Contents><Key>{quote(EVIL)}.csv</Key><Size>{len(CSV)}</Size></Contents></ListBucketResult>"
                ).encode(),
                content_type="application/xml",
                x_amz_request_id="1",
            ),
        ),
        (r"(GET|HEAD) /bucket/.*\.csv", reply(CSV, content_type="text/csv", accept_ranges="bytes")),
        (r".*plainview-.*", reply(S3_ERROR.format("NoSuchKey").encode(), 404, content_type="application/xml")),
        (".*", reply(S3_ERROR.format("AccessDenied").encode(), 403, content_type="application/xml")),
    ],
    path="bucket",
    state="reads",
)


# -- Redis, memcached -----------------------------------------------------------------------------------


def resp_split(buffer: bytes) -> tuple[bytes, bytes] | None:
    found = re.match(rb"\*([0-9]+)\r\n", buffer)
    at = found.end() if found else 0
    for _ in range(int(found[1]) if found else 0):
        head = re.compile(rb"\$([0-9]+)\r\n").match(buffer, at)
        if not head or len(buffer) < head.end() + int(head[1]) + 2:
            return None
        at = head.end() + int(head[1]) + 2
    return (buffer[:at], buffer[at:]) if at else None


def pack(value: object) -> bytes:
    if isinstance(value, list):
        return b"*%d\r\n" % len(value) + b"".join(map(pack, value))
    if isinstance(value, int):
        return b":%d\r\n" % value
    data = value if isinstance(value, bytes) else str(value).encode()
    return b"$%d\r\n%b\r\n" % (len(data), data)


def redis_answer(request: bytes) -> bytes:
    words = request.split(b"\r\n")[2::2]
    name = words[0].upper()
    fixed = {
        b"PING": b"+PONG\r\n",
        b"INFO": pack(b"redis_version:7.0.15\r\nredis_mode:standalone\r\nrole:master\r\ndb0:keys=3,expires=0"),
        b"DBSIZE": pack(3),
        b"SCAN": pack([b"0", [f"user:{EVIL}:{n}" for n in range(3)]]),
        b"TYPE": b"+hash\r\n",
        b"GETRANGE": pack(b""),
        b"HSCAN": pack([b"0", [part for pair in ROWS[0].items() for part in pair]]),
        b"SELECT": b"+OK\r\n",
        b"CLIENT": b"+OK\r\n",
        b"CONFIG": pack([words[-1], b"yes"]),
    }
    if name == b"ACL":
        rights = [b"flags", [b"on", b"nopass"], b"commands", b"+@all", b"keys", b"~*"]
        return {b"WHOAMI": pack(b"default"), b"DRYRUN": b"+OK\r\n"}.get(words[1].upper(), pack(rights))
    return fixed.get(name, b"-ERR unknown command\r\n")


def line_split(buffer: bytes) -> tuple[bytes, bytes] | None:
    line, end, rest = buffer.partition(b"\r\n")
    return (line, rest) if end else None


def memcached_answer(request: bytes) -> bytes:
    if request.startswith(b"get "):
        found = [key for key in request.split()[1:] if key.startswith(b"user")]
        value = json.dumps(ROWS[0]).encode()
        return b"".join(b"VALUE %b 0 %d\r\n%b\r\n" % (key, len(value), value) for key in found) + b"END\r\n"
    if request.startswith(b"lru_crawler"):
        keys = [quote(f"user:{n}").encode() for n in range(3)]
        return b"".join(b"key=%b exp=-1 la=1 cas=1 fetch=no cls=1 size=70\r\n" % key for key in keys) + b"END\r\n"
    return {
        b"version": b"VERSION 1.6.18\r\n",
        b"stats": b"STAT curr_items 3\r\nEND\r\n",
        b"stats settings": b"STAT udpport 0\r\nEND\r\n",
        b"stats items": b"STAT items:1:number 3\r\nEND\r\n",
    }.get(request, b"ERROR\r\n")


# -- MongoDB --------------------------------------------------------------------------------------------


def mongo_split(buffer: bytes) -> tuple[bytes, bytes] | None:
    size = int.from_bytes(buffer[:4], "little")
    if not 16 <= size < 1 << 20:
        return (buffer, b"") if len(buffer) >= 4 else None
    return (buffer[:size], buffer[size:]) if len(buffer) >= size else None


def mongo_reply(request: bytes, document: dict[str, object], code: int | None = None) -> bytes:
    number, asked = struct.unpack_from("<i", request, 4)[0], struct.unpack_from("<i", request, 12)[0]
    body = bson.encode(document)
    code = code or (2013 if asked == 2013 else 1)
    head = b"\0\0\0\0\0" if code == 2013 else struct.pack("<iqii", 8, 0, 0, 1)
    return struct.pack("<iiii", 16 + len(head) + len(body), 1, number, code) + head + body


def mongo_command(request: bytes) -> dict[str, object]:
    if struct.unpack_from("<i", request, 12)[0] == 2013:
        return bson.decode(request[21:])
    return bson.decode(request[request.index(b"\0", 20) + 9 :])


NOT_MINE = b"?"  # to what this store does not understand


def mongo_answer(request: bytes) -> bytes:
    try:
        command = mongo_command(request)
    except (bson.errors.BSONError, ValueError, IndexError, struct.error):
        return NOT_MINE
    name = next(iter(command))
    answers: dict[str, dict[str, object]] = {
        "isMaster": {
            "ismaster": True,
            "maxWireVersion": 21,
            "minWireVersion": 0,
            "hosts": ["203.0.113.2:27017"],
            "setName": "rs",
            "me": "203.0.113.3:1",
            "ok": 1.0,
        },
        "buildInfo": {"version": "7.0.5", "ok": 1.0},
        "listDatabases": {"databases": [{"name": "shop"}], "ok": 1.0},
        "getLog": {"log": ["Access control is not enabled for the database"], "ok": 1.0},
        "connectionStatus": {"authInfo": {"authenticatedUsers": [], "authenticatedUserRoles": []}, "ok": 1.0},
        "listCollections": {
            "cursor": {"id": bson.Int64(0), "ns": "x", "firstBatch": [{"name": EVIL, "type": "collection"}]},
            "ok": 1.0,
        },
        "count": {"n": 3, "ok": 1.0},
        "find": {"cursor": {"id": bson.Int64(0), "ns": "x", "firstBatch": [dict(row) for row in ROWS]}, "ok": 1.0},
    }
    return mongo_reply(request, answers.get(name, {"ok": 0.0, "code": 59, "errmsg": "no such command"}))


# -- PostgreSQL -----------------------------------------------------------------------------------------


def pg_split(buffer: bytes) -> tuple[bytes, bytes] | None:
    at = 0 if buffer[:1] == b"\0" else 1  # a StartupMessage has no letter
    if len(buffer) < at + 4:
        return None
    size = at + int.from_bytes(buffer[at : at + 4], "big")
    if size > 1 << 20:
        return buffer, b""
    return (buffer[:size], buffer[size:]) if len(buffer) >= size else None


def pg(kind: bytes, body: bytes = b"") -> bytes:
    return kind + struct.pack(">i", len(body) + 4) + body


def pg_rows(*rows: list[str | None]) -> bytes:
    out = []
    for row in rows:
        cells = [b"\xff\xff\xff\xff" if c is None else struct.pack(">i", len(c.encode())) + c.encode() for c in row]
        out.append(pg(b"D", struct.pack(">h", len(row)) + b"".join(cells)))
    return pg(b"T", b"\0\0") + b"".join(out) + pg(b"C", b"SELECT\0")


def pg_error(code: str) -> bytes:
    return pg(b"E", b"SERROR\0C" + code.encode() + b"\0M" + CANARY.encode() + b"\0\0")


def pg_answer(request: bytes) -> bytes:
    ready = pg(b"Z", b"I")
    if request[:1] == b"\0":
        if request[4:8] == b"\x04\xd2\x16\x2f":
            return b"N"
        return pg(b"R", b"\0\0\0\0") + pg(b"S", b"server_version\x0015.18\0") + pg(b"K", b"\0" * 8) + ready
    text = request[5:].rstrip(b"\0").decode("utf-8", "replace")
    if request[:1] == b"X":
        return b""
    if "plainview_none" in text:
        return pg_error("42P01") + ready
    if text.startswith("COPY"):
        rows = [pg(b"d", f"Anna\t{CANARY}\n".encode()) for _ in ROWS]
        return pg(b"H", b"\0\0\2\0\0\0\0") + b"".join(rows) + pg(b"c") + pg(b"C", b"COPY 3\0") + ready
    if "a.attrelid" in text:
        columns = [["1", name, "text", "b", "S", "-1", "t"] for name in (f"name {EVIL}", "email")]
        return pg_rows(*columns) + ready
    if "reltoastrelid" in text:
        row = ["1", "public", EVIL, "r", "3", "1", "t", "f", "f", "0", "t", "f", "t"]
        return pg_rows(row) + ready
    if "c.relname" in text:
        return pg_rows(["public", EVIL, "r", "3", "t", "t"]) + ready
    if "current_database()" in text and "datname" in text:
        return pg_rows(["postgres", "t", "postgres"]) + ready
    if "datname" in text:
        return pg_rows(["postgres", "t"]) + ready
    if "rolsuper" in text:
        return pg_rows(["t"] + ["f"] * 6) + ready
    if "largeobject" in text:
        return pg_rows(["0"]) + ready
    return (pg_rows() if "LIMIT 0" in text else pg(b"C", b"BEGIN\0")) + ready


STORES = {
    store.kind: store
    for store in (
        ETCD,
        ELASTICSEARCH,
        COUCHDB,
        CLICKHOUSE,
        S3,
        Store("redis", resp_split, redis_answer, family="resp"),
        Store("memcached", line_split, memcached_answer, family="line"),
        Store("mongodb", mongo_split, mongo_answer, family="bson"),
        Store("postgresql", pg_split, pg_answer, family="pg"),
    )
}
