"""Targets: the stores, asked and read over a wire whose other end answers wrongly.

A small model of each server gives the right answers. The fuzzed bytes are a list of edits: which answer is
changed, how (bytes, a value inside the JSON or BSON, the status, the end of the connection), where, and to what.
"""

from __future__ import annotations

import itertools
import json
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from unittest.mock import patch
from urllib.parse import unquote

import bson
import msgspec

from plainview.errors import ProtocolError
from plainview.stores import open_source
from plainview.tables import ReadLog
from plainview.targets.parsing import parse_target
from plainview.wire import Wire, WireLimits
from plainview.wire.stream import Connection

from .harness import CANARY, LIMITS, Target, harmless, law, read_all, silent

NETWORK = WireLimits(first_byte=2, probe=4, service=8, answer=4 << 20)
ANSWERS = 200  # then the server hangs up
STATUS = (200, 401, 403, 404, 500, 503, 302, 204)
OTHER = (
    None,
    True,
    -1,
    2**63,
    1e308,
    "",
    CANARY,
    [],
    {},
    [[]],
    {"a": 1},
    "9" * 400,
    [None, 1, "x"],
    "<html>",
    0.5,
    {"$gt": ""},
)


@dataclass
class Answer:
    """What a server says: `body` is bytes, or a value that `pack` makes into bytes once it was edited."""

    body: object
    pack: Callable[[object, int], bytes] = lambda body, _: bytes(body)  # type: ignore[call-overload]
    status: int = 200


Respond = Callable[[bytes], "tuple[list[Answer], bytes]"]  # what to answer, and the bytes that are no whole request yet


class World:
    """The other end of all connections."""

    def __init__(self, data: bytes, respond: Respond) -> None:
        self.edits: dict[int, list[tuple[int, int, int, bytes]]] = {}
        self.chunk = (1 << 20, 1, 7, 64)[data[0] % 4] if data else 1 << 20
        at = 1
        while at + 5 <= len(data):
            number, kind, where, size = struct.unpack_from(">BBHB", data, at)
            self.edits.setdefault(number % 40, []).append((kind % 8, where, size, data[at + 5 : at + 5 + size]))
            at += 5 + size
        self.respond = respond
        self.number = 0

    def connect(self) -> Tape:
        """Open a connection."""
        return Tape(self)

    def answer(self, given: Answer) -> bytes:
        """Return the bytes of an answer, edited."""
        edits = self.edits.get(self.number, ())
        self.number += 1
        if self.number > ANSWERS:
            return b""
        body, status = given.body, given.status
        for kind, where, size, text in edits:
            if kind == 5 and not isinstance(body, bytes):
                body = graft(body, where, text.decode("utf-8", "replace") if size > 20 else OTHER[size % len(OTHER)])
            elif kind == 6 and not isinstance(body, bytes):
                body = graft(body, where, None, times=size)
            elif kind == 7:
                status = STATUS[size % len(STATUS)]
            elif kind == 4:
                body = text
        out = bytearray(given.pack(body, status))
        for kind, where, size, text in edits:
            at = where % (len(out) + 1)
            if kind == 0:
                out[at:at] = text
            elif kind == 1:
                out[at : at + size] = text
            elif kind == 2:
                del out[at : at + size]
            elif kind == 3:
                del out[at:]
                self.number = ANSWERS
        return bytes(out)


class Tape:
    """A socket to a world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.asked = b""
        self.waiting = bytearray()

    def sendall(self, data: bytes) -> None:
        """Take requests and make their answers ready."""
        answers, self.asked = self.world.respond(self.asked + bytes(data))
        for answer in answers:
            self.waiting += self.world.answer(answer)

    def recv_into(self, view: memoryview) -> int:
        """Give the next bytes; none when there is nothing left, as if the server had hung up."""
        part = self.waiting[: min(len(view), self.world.chunk)]
        view[: len(part)] = part
        del self.waiting[: len(part)]
        return len(part)

    def recv(self, size: int) -> bytes:
        """Give the next bytes."""
        buffer = bytearray(size)
        return bytes(buffer[: self.recv_into(memoryview(buffer))])

    def settimeout(self, _: float | None) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


def graft(body: object, where: int, value: object, times: int = 0) -> object:
    """Return the body with one of its values replaced, or, with `times`, repeated in its list."""
    holder: list[object] = [body]
    places: list[tuple[object, object]] = [(holder, 0)]
    todo: list[object] = [body]
    while todo:
        inside = todo.pop()
        keys = list(inside) if isinstance(inside, dict) else range(len(inside)) if isinstance(inside, list) else ()
        for key in keys:
            places.append((inside, key))
            todo.append(inside[key])  # type: ignore[index]
    inside, key = places[where % len(places)]
    if not times:
        inside[key] = value  # type: ignore[index]
    elif isinstance(inside, list):
        inside[key:key] = [inside[key]] * times  # type: ignore[index,misc,operator]
    return holder[0]


def asking(url: str, respond: Respond) -> Callable[[bytes], None]:
    """Return a target that asks what a stranger may do, and reads all units."""

    def run(data: bytes) -> None:
        world = World(data, respond)
        with (
            patch.object(Wire, "open_socket", lambda _: world.connect()),
            patch.object(Connection, "start_tls", no_tls),
        ):
            source = open_source(parse_target(url), limits=LIMITS, network=NETWORK)
            try:
                seen = source.check_access()
                silent([msgspec.json.encode(msgspec.structs.replace(seen, points_elsewhere=())).decode()])
                harmless(seen.points_elsewhere)
                law(seen.evidence or seen.state == "unreachable", "a state without evidence")
                log = ReadLog()
                units = list(itertools.islice(source.units(log), 30))
                harmless(what for what, _ in log.skipped)
                silent(why for _, why in log.skipped)
                harmless(unit.name for unit in units)
                for unit in units[:6]:
                    got = read_all(lambda log, unit=unit: source.read(unit, log))
                    law(got.rows or got.told or data or not world.edits, "the right answers gave no row")
            finally:
                source.close()

    return run


def no_tls(connection: Connection) -> None:
    """Fail as a server that speaks no TLS."""
    connection.close()
    raise ProtocolError("no TLS here")


# -- servers ----------------------------------------------------------------------------------------------


def http(routes: dict[str, tuple[int, object] | object], other: tuple[int, object], *headers: str) -> Respond:
    """Answer by the beginning of the path; the longest route counts."""

    def pack(body: object, status: int) -> bytes:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        head = [
            f"HTTP/1.1 {status} x",
            f"Content-Length: {len(data)}",
            "Content-Type: application/json",
            *headers,
            "",
            "",
        ]
        return "\r\n".join(head).encode() + data

    def respond(asked: bytes) -> tuple[list[Answer], bytes]:
        answers = []
        while b"\r\n\r\n" in asked:
            head, _, rest = asked.partition(b"\r\n\r\n")
            length = int(found[1]) if (found := re.search(rb"(?i)content-length: ([0-9]+)", head)) else 0
            if len(rest) < length:
                break
            asked = rest[length:]
            path = unquote(head.split(b" ")[1].decode())
            route = max((r for r in routes if path.startswith(r) or re.fullmatch(r, path)), key=len, default="")
            status, body = routes[route] if route else other  # type: ignore[misc]
            answers.append(Answer(json.loads(json.dumps(body)) if not isinstance(body, bytes) else body, pack, status))
        return answers, asked

    return respond


def redis(asked: bytes) -> tuple[list[Answer], bytes]:
    """Answer RESP commands; every key exists."""
    answers = []
    while asked.startswith(b"*"):
        lines = asked.split(b"\r\n")
        count = int(lines[0][1:])
        words, asked = lines[2 : 2 * count + 1 : 2], b"\r\n".join(lines[2 * count + 1 :])
        answers.append(Answer(resp(redis_says([word.decode("utf-8", "replace") for word in words]))))
    return answers, asked


def redis_says(words: list[str]) -> object:
    """Return what Redis answers."""
    types = {"k:s": b"+string", "k:h": b"+hash", "k:l": b"+list", "k:z": b"+zset", "k:x": b"+stream", "k:t": b"+set"}
    pairs = ["f", CANARY, "g", "2"]
    info = f"# Server\r\nredis_version:7.2.4\r\nrun_id:{CANARY}\r\n# Keyspace\r\ndb0:keys=6,expires=0,avg_ttl=0\r\n"
    said: dict[str, object] = {
        "PING": b"+PONG", "DBSIZE": 6, "SCAN": ["0", [*types]], "INFO": info, "GETRANGE": CANARY, "TYPE": types.get(words[-1], b"+none"),
        "HSCAN": ["0", pairs], "SSCAN": ["0", pairs], "ZSCAN": ["0", pairs], "LRANGE": pairs, "XRANGE": [["1-1", pairs]],
        "CONFIG": ["bind", "*"], "PLAINVIEW.NONE": b"-ERR unknown command 'PLAINVIEW.NONE'",
    }  # fmt: skip
    if words[0] == "GETRANGE" and words[2:] == ["1", "0"]:
        return ""
    if words[0] == "ACL":
        return {"WHOAMI": "default", "GETUSER": ["flags", ["on"], "commands", "+@all", "keys", "~*"]}.get(
            words[1], b"+OK"
        )
    return said.get(words[0], b"+OK")


def resp(value: object) -> bytes:
    """Pack an answer."""
    if isinstance(value, bytes):
        return value + b"\r\n"
    if isinstance(value, int):
        return b":%d\r\n" % value
    if isinstance(value, list):
        return b"*%d\r\n" % len(value) + b"".join(map(resp, value))
    text = str(value).encode()
    return b"$%d\r\n%b\r\n" % (len(text), text)


def memcached(asked: bytes) -> tuple[list[Answer], bytes]:
    """Answer the lines of memcached."""
    answers = []
    *lines, rest = asked.split(b"\r\n")
    for line in lines:
        words = line.split()
        if words[:1] == [b"version"]:
            said = b"VERSION 1.6.21\r\n"
        elif line == b"stats items":
            said = b"STAT items:1:number 2\r\nSTAT items:1:age 3\r\nEND\r\n"
        elif words[:1] == [b"stats"]:
            said = b"STAT curr_items 2\r\nSTAT udpport 0\r\nEND\r\n"
        elif words[:1] == [b"lru_crawler"]:
            said = b"key=a%3A1 exp=-1 la=1 cls=1 size=70\r\nkey=a%3A2 exp=-1 la=1 cls=1 size=70\r\nEND\r\n"
        elif words[:1] in ([b"get"], [b"gets"]):
            keys = [key for key in words[1:] if key.startswith(b"a:")]
            said = (
                b"".join(b"VALUE %b 0 %d\r\n%b\r\n" % (key, len(CANARY), CANARY.encode()) for key in keys) + b"END\r\n"
            )
        else:
            said = b"ERROR\r\n"
        answers.append(Answer(said))
    return answers, rest


def mongo(asked: bytes) -> tuple[list[Answer], bytes]:
    """Answer OP_MSG and OP_QUERY."""
    answers = []
    while len(asked) >= 16:
        size, number, _, code = struct.unpack_from("<iiii", asked)
        if len(asked) < size:
            break
        body, asked = asked[16:size], asked[size:]
        query = bson.decode(body[5:] if code == 2013 else body[body.index(b"\0", 4) + 9 :])

        def pack(said: object, _: int, number: int = number, code: int = code) -> bytes:
            try:
                data = (
                    said if isinstance(said, bytes) else bson.encode(said if isinstance(said, dict) else {"ok": said})
                )
            except (bson.errors.BSONError, OverflowError, ValueError):  # the edit is none that BSON can say
                data = b"\x05\0\0\0\0"
            front, code = (b"\0\0\0\0\0", 2013) if code == 2013 else (struct.pack("<iqii", 8, 0, 0, 1), 1)
            return struct.pack("<iiii", 16 + len(front) + len(data), 1, number, code) + front + data

        answers.append(Answer(mongo_says(next(iter(query)), query), pack))
    return answers, asked


def mongo_says(name: str, query: dict[str, object]) -> dict[str, object]:
    """Return what MongoDB answers."""
    docs = [{"_id": 1, "mail": CANARY, "a": {"b": [1, "x"]}}, {"_id": 2, "mail": None}]
    listed = [{"name": "people", "type": "collection", "options": {}, "info": {"readOnly": False}}]
    says: dict[str, dict[str, object]] = {
        "ismaster": {"ismaster": True, "maxWireVersion": 21, "maxBsonObjectSize": 16 << 20},
        "buildInfo": {"version": "7.0.5", "modules": [], "gitVersion": CANARY},
        "listDatabases": {"databases": [{"name": "shop", "sizeOnDisk": 9, "empty": False}], "totalSize": 9},
        "listCollections": {"cursor": {"id": bson.Int64(0), "ns": "shop.$cmd", "firstBatch": listed}},
        "connectionStatus": {
            "authInfo": {"authenticatedUsers": [], "authenticatedUserRoles": [], "authenticatedUserPrivileges": []}
        },
        "find": {"cursor": {"id": bson.Int64(7), "ns": "shop.people", "firstBatch": docs}},
        "getMore": {"cursor": {"id": bson.Int64(0), "ns": "shop.people", "nextBatch": docs}},
        "aggregate": {"cursor": {"id": bson.Int64(0), "ns": "shop.people", "firstBatch": docs}},
        "count": {"n": 2},
        "collStats": {"count": 2, "size": 99},
        "killCursors": {"cursorsKilled": [bson.Int64(7)]},
        "getCmdLineOpts": {"argv": ["mongod"], "parsed": {"net": {"bindIp": "*"}}},
    }
    said = says.get(name) or says.get(
        {"isMaster": "ismaster", "hello": "ismaster", "buildinfo": "buildInfo"}.get(name, "")
    )
    if said is None or (name == "find" and query.get("find") != "people"):
        return {"ok": 0.0, "code": 59, "codeName": "CommandNotFound", "errmsg": f"no such command {CANARY}"}
    return {**said, "ok": 1.0}


BASE64 = {"key": "YToxOjE=", "value": "Y2FuYXJ5LjdmM2FAZXhhbXBsZS5vcmc="}
ETCD = http(
    {
        "/version": (200, {"etcdserver": "3.5.9", "etcdcluster": "3.5.0"}),
        "/v3/kv/range": (200, {"header": {}, "kvs": [BASE64, BASE64], "more": False, "count": "2"}),
        "/v3/auth/status": (200, {"enabled": False}),
    },
    (404, {"error": "Not Found", "message": CANARY}),
)
COUCH = http(
    {
        "/": (404, {"error": "not_found", "reason": CANARY}),
        "/$": (200, {"couchdb": "Welcome", "version": "3.3.3", "vendor": {"name": "x"}}),
        "/_all_dbs": (200, ["people", "_users"]),
        "/_session": (200, {"ok": True, "userCtx": {"name": None, "roles": []}, "info": {}}),
        "/people/_all_docs": (200, {"total_rows": 1, "offset": 0, "rows": [{"id": "a", "key": "a", "value": {"rev": "1"}, "doc": {"_id": "a", "mail": CANARY}}]}),
        "/people/_security": (200, {"admins": {"names": [], "roles": []}, "members": {"names": [], "roles": []}}),
    },
    (404, {}),
    "Server: CouchDB/3.3.3 (Erlang OTP/24)",
)  # fmt: skip
HIT = {"_index": "people", "_id": "1", "_source": {"mail": CANARY, "a": [{"b": 1}]}}
ELASTIC = http(
    {
        "/": (404, {"error": {"root_cause": [{"type": "index_not_found_exception", "reason": CANARY}]}}),
        "/$": (200, {"version": {"number": "8.15.0"}, "tagline": "You Know, for Search", "name": CANARY}),
        "/_cat/indices": (200, [{"index": "people", "status": "open", "docs.count": "1", "pri.store.size": "900"}]),
        "/_cat/plugins": (200, []),
        "/_cat/nodes": (200, [{"version": "8.15.0"}]),
        "/_security/_authenticate": (400, {"error": "no handler found for uri"}),
        "/_cluster/health": (200, {"indices": {"people": {"status": "green"}}}),
        "/_resolve/index": (200, {"indices": [{"name": "people"}], "aliases": [], "data_streams": []}),
        "/people/_mapping": (200, {"people": {"mappings": {"properties": {"mail": {"type": "text"}}}}}),
        "/people/_search": (200, {"hits": {"total": {"value": 1}, "hits": [HIT]}, "_shards": {"total": 1, "failed": 0}, "_scroll_id": "abc"}),
        "/_search/scroll": (200, {"hits": {"total": {"value": 1}, "hits": []}, "_shards": {"total": 1, "failed": 0}, "_scroll_id": "abc"}),
    },
    (404, {}),
    "X-elastic-product: Elasticsearch",
)  # fmt: skip

EDITS = tuple(
    bytes((chunk, number, kind)) + struct.pack(">HB", where, len(text)) + text
    for chunk, number, kind, where, text in (
        (0, 40, 0, 0, b""), (1, 39, 0, 0, b""), (2, 0, 5, 1, b"x"), (0, 1, 7, 0, b"xx"), (0, 2, 4, 0, b"[]"), (0, 3, 5, 2, b"12345"), (0, 4, 6, 3, b"abc"),
        (0, 5, 1, 9, b"\xff\xff"), (3, 6, 2, 4, b"abcd"), (0, 7, 3, 30, b""), (0, 8, 5, 4, b"1234567"), (0, 9, 0, 2, b"-1\r\n"), (0, 10, 4, 0, CANARY.encode()),
    )
)  # fmt: skip
PROTOCOL = (
    b"\r\n",
    b"$-1\r\n",
    b"*-1\r\n",
    b"*99999999\r\n",
    b"$99999999\r\n",
    b":1\r\n",
    b"-MOVED 1 h:1\r\n",
    b"-NOAUTH x\r\n",
    b"VALUE a 0 99\r\n",
    b"END\r\n",
)
HTTP = (
    b"Transfer-Encoding: chunked\r\n",
    b"Content-Encoding: gzip\r\n",
    b"Location: http://",
    b"HTTP/1.1 100 x\r\n\r\n",
    b"null",
    b'{"a":',
    b"1e400",
    b"\xff",
)

TARGETS = tuple(
    Target(kind, asking(f"{kind}://127.0.0.1:1", respond), EDITS, words)
    for kind, respond, words in (
        ("redis", redis, PROTOCOL),
        ("memcached", memcached, PROTOCOL),
        ("etcd", ETCD, HTTP),
        ("couchdb", COUCH, HTTP),
        ("elasticsearch", ELASTIC, HTTP),
        ("mongodb", mongo, (b"\x02ok\0", b"\x10", b"\x12", b"\x03cursor\0", b"\x04firstBatch\0")),
    )
)

__all__ = ["TARGETS", "World"]
