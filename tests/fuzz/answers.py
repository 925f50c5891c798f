"""Targets: answers of stores whose protocols are our own work, each read as a whole from the fuzzed bytes."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable
from unittest.mock import patch

import msgspec

from plainview.errors import PlainviewError
from plainview.stores.cassandra import cql
from plainview.stores.cassandra.rows import to_frame
from plainview.stores.clickhouse.rows import Column, Reader
from plainview.stores.http import source as http_listing
from plainview.stores.objects import names as objects_names
from plainview.stores.postgresql.wire import Session
from plainview.stores.redis.resp import Resp
from plainview.tables import ReadLog
from plainview.targets.parsing import parse_target
from plainview.wire import Wire

from .harness import CANARY, LIMITS, Target, law, silent
from .stores import HTTP, NETWORK, PROTOCOL, Answer, World

MAIL = CANARY.encode()


def cassandra(data: bytes) -> None:
    """A page of CQL rows, and as a frame."""
    page, _ = cql._rows(cql._Reader(data))
    log = ReadLog()
    frame = to_frame(page, LIMITS, log, "t", set())
    law(frame.height == page.rows or not page.names, "a row more or less")
    silent(why for _, why in log.skipped)


def clickhouse(data: bytes) -> None:
    """Rows in tabs, and in JSON, under columns of several types."""
    types, _, rows = data.partition(b"\0")
    kinds = types.decode("utf-8", "replace").split("|")[:20]
    log = ReadLog()
    reader = Reader([Column(f"c{number}", kind) for number, kind in enumerate(kinds)], log, LIMITS, "t")
    reader.frame(rows + b"\n")
    reader.finish()
    silent(why for _, why in log.skipped)


def listing(data: bytes) -> None:
    """A directory as a web server lists it: what it names lies below."""
    found = http_listing.parse(data, b"/files/", ("http", "127.0.0.1", 1))
    for path in () if found is None else (*found.folders, *(name for name, _ in found.files)):
        law(path.startswith(b"/files/") and b"/../" not in path, "a file elsewhere")


def objects(data: bytes) -> None:
    """A list of objects in XML."""
    root = objects_names.xml_of(data, "ListBucketResult", "EnumerationResults", "Error")
    for entry in root.iter():
        if isinstance(entry.tag, str):
            objects_names.text_of(entry, "Key")
            objects_names.size_of(objects_names.text_of(entry, "Size"))
            objects_names.trouble(objects_names.text_of(entry, "Name"))


def postgresql(data: bytes) -> None:
    """The answer to a query, and to a COPY, in pieces of any size."""
    tasks: tuple[Callable[[Session], object], ...] = (
        lambda session: session.query("postgresql.databases"),
        lambda session: session.start("postgresql.startup", door(), 5),
        lambda session: list(session.copy("postgresql.rows", **COPY)),
    )
    for task in tasks:
        world = World(data[:1], lambda _: ([Answer(data[1:])], b""))
        with patch.object(Wire, "open_socket", lambda _, world=world: world.connect()):
            wire = Wire(parse_target("postgresql://127.0.0.1:1"), limits=NETWORK)
            session = Session(wire.connect(tls=False))
            try:
                task(session)
            except PlainviewError as error:
                silent([str(error)])
            finally:
                session.close()


def over_a_wire(url: str, data: bytes, task: Callable[[Wire], object]) -> list[object]:
    """Run a task against a server that says the same to everything; return its answers to pieces of any size."""
    answers: list[object] = []
    for chunk in b"\0\1\2":
        world = World(bytes([chunk]), lambda _: ([Answer(data)], b""))
        with patch.object(Wire, "open_socket", lambda _, world=world: world.connect()):
            try:
                answers.append(task(Wire(parse_target(url), limits=NETWORK)))
            except PlainviewError as error:
                silent([str(error)])
                answers.append(type(error))
    return answers


def http(data: bytes) -> None:
    """Our HTTP client: an answer does not depend on the pieces in which it comes."""

    def task(wire: Wire) -> object:
        client = wire.http(tls=False)
        try:
            reply = client.ask("etcd.version")
            return reply.status, reply.body, msgspec.json.encode(reply.json())
        finally:
            client.close()

    answers = over_a_wire("etcd://127.0.0.1:1", data, task)
    law(answers[0] == answers[1] == answers[2], "an answer depends on the pieces in which it comes")


def resp(data: bytes) -> None:
    """Our RESP client: three answers in a row do not depend on the pieces in which they come."""

    def task(wire: Wire) -> object:
        with Resp(wire) as client:
            return repr(client.for_keys("redis.type", [b"a"] * 3))

    answers = over_a_wire("redis://127.0.0.1:1", data, task)
    law(answers[0] == answers[1] == answers[2], "an answer depends on the pieces in which it comes")


def door() -> object:
    """Return where to come in."""
    from plainview.stores.postgresql.wire import Door

    return Door()


def message(kind: bytes, body: bytes) -> bytes:
    """Return a message of PostgreSQL."""
    return kind + struct.pack(">i", len(body) + 4) + body


def short(text: bytes) -> bytes:
    """Return a CQL string."""
    return struct.pack(">H", len(text)) + text


def cql_page(types: tuple[bytes, ...], cells: tuple[bytes | None, ...]) -> bytes:
    """Return the body of a RESULT with rows."""
    columns = b"".join(short(b"c%d" % number) + kind for number, kind in enumerate(types))
    body = b"".join(struct.pack(">i", -1) if c is None else struct.pack(">i", len(c)) + c for c in cells)
    return (
        struct.pack(">ii", 1, len(types))
        + short(b"k")
        + short(b"t")
        + columns
        + struct.pack(">i", len(cells) // len(types))
        + body
    )


ROW = message(b"D", struct.pack(">hi", 2, len(MAIL)) + MAIL + struct.pack(">i", -1))
DONE = message(b"C", b"SELECT 1\0") + message(b"Z", b"I")
FAILED = message(b"E", b"SERROR\0C42501\0Mdenied to " + MAIL + b"\0\0")
COPIED = message(b"H", b"\0\0\2\0\0\0\0") + message(b"d", b"\t1\t" + MAIL + b"\n") * 3 + message(b"c", b"") + DONE
LISTED = (
    b"<?xml version='1.0'?><ListBucketResult xmlns='x'><Name>b</Name><IsTruncated>true</IsTruncated>"
    b"<Contents><Key>a/canary.7f3a@example.org.csv</Key><Size>12</Size></Contents></ListBucketResult>"
)
INDEX = (
    b"<html><head><title>Index of /files/</title></head><body><h1>Index of /files/</h1><pre><a href='../'>../</a>\n"
    b"<a href='a.csv'>a.csv</a>  01-Jan-2024 10:00  12\n<a href='b/'>b/</a>  -\n<a href='http://x.example/c'>c</a></pre>"
)
FLAT, INT, BIG, TEXT = b"\0\x0d", b"\0\x09", b"\0\x02", b"\0\x0e"
KINDS = tuple(struct.pack(">H", kind) for kind in range(1, 0x16))
NESTED = (b"\0\x20" + FLAT, b"\0\x21" + FLAT + INT, b"\0\x22" + BIG, b"\0\x31\0\2" + FLAT + INT)
COPY = {"columns": "a", "table": "t"}

WEB = (
    b'HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n{"a":1}',
    b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{"a\r\n4;x=y\r\n":1}\r\n0\r\n\r\n',
    b"HTTP/1.1 302 x\r\nLocation: http://canary.7f3a@example.org/\r\n\r\n",
    b"HTTP/1.0 401 x\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(b"[1]"),
)
SAID = (
    b"+string\r\n+hash\r\n+none\r\n",
    b"$3\r\na\r\n\r\n*2\r\n:1\r\n$-1\r\n-ERR " + MAIL + b"\r\n",
    b"*1\r\n*1\r\n*0\r\n*-1\r\n:-9\r\n",
)
TARGETS = (
    Target("http", http, WEB, HTTP),
    Target("resp", resp, SAID, PROTOCOL),
    Target("cql", cassandra, (cql_page((FLAT, INT), (MAIL, b"\0\0\0\1", None, None)), *(cql_page((k,), (b"\0" * 8, b"", None)) for k in (*KINDS, *NESTED))), (*KINDS, *NESTED), of=("cassandra",)),
    Target(
        "clickhouse",
        clickhouse,
        (b"String|Int64\0a\t1\n" + MAIL + b"\t\\N", b"Array(String)|Nullable(Float64)\0['a','b']\t1.5", b"Map(String,UInt8)\0{'a':1}", b"String\0x^2"),
        (b"Array(", b"Nullable(", b"Tuple(", b"DateTime64(3)", b"\\N", b"\\t", b"\\x41", b"LowCardinality(", b"FixedString(3)", b"nan"),
    ),
    Target("listing", listing, (INDEX, INDEX.replace(b"'", b'"'), b"<ul><li><a href=a>a</a></ul>"), (b"<a href='", b"../", b"//x/", b"%2e%2e/", b"?C=M"), of=("http",)),
    Target("objects", objects, (LISTED, b"<Error><Code>AccessDenied</Code></Error>"), (b"&#0;", b"<Key>", b"&#x1b;", b"<!DOCTYPE", b"&a;"), of=("s3", "azure", "gs")),
    Target("postgresql", postgresql, (b"\0" + ROW * 3 + DONE, b"\1" + FAILED + DONE, b"\2" + COPIED, b"\3" + message(b"R", bytes(4)) + message(b"S", b"server_version\x0016\0") + DONE), (ROW, DONE, FAILED, b"\x7f\xff\xff\xff")),
)  # fmt: skip

__all__ = ["TARGETS"]
