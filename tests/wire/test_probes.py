"""The declared requests only read, and nothing in the code can send another."""

from __future__ import annotations

import ast
import functools
import re
from pathlib import Path

import pytest
import tomli

from plainview import catalog
from plainview.errors import StoreError
from plainview.wire import probes
from plainview.wire.probes import Probe, declared

SRC = Path(probes.__file__).parents[1]
EVERY = list(probes.every())

SAFE_METHODS = {"GET", "HEAD", "OPTIONS", "PROPFIND"}
# POST requests that only read, by path; each with the reason why there is no GET for it.
READING_POSTS = {
    "/<api*>/kv/range": "etcd's gateway has no GET",
    "/<api*>/auth/status": "etcd's gateway has no GET",
    "/<api*>/auth/authenticate": "etcd: a token for the user's own credential",
    "/?query=SELECT+name,value+FROM+system.settings+WHERE+name+IN+('readonly','allow_ddl')+FORMAT+TabSeparated": (
        "ClickHouse: for a GET the server always sets readonly, which is what is asked about"
    ),
    "/_pit": "Elasticsearch: a point in time to page over, read-only and short-lived",
}
READING_COMMANDS = {
    # Redis
    "PING", "INFO", "DBSIZE", "HLEN", "LLEN", "SCARD", "ZCARD", "XLEN", "SCAN", "TYPE", "GETRANGE", "HSCAN", "LRANGE", "SSCAN", "ZSCAN", "XRANGE",
    "ACL WHOAMI", "ACL GETUSER", "ACL DRYRUN", "CONFIG GET", "SELECT", "AUTH", "CLIENT SETNAME",
    "CLIENT NO-TOUCH", "JSON.GET", "PLAINVIEW.NONE",
    # memcached
    "version", "stats", "get", "lru_crawler metadump", "plainview_none",
}  # fmt: skip
READING_SQL = re.compile(
    r"(?is)\s*(SELECT|SHOW|SET SESSION|SET TRANSACTION|START TRANSACTION READ ONLY|BEGIN|DESCRIBE|EXPLAIN|COPY \(|COPY <[a-z_]+> TO STDOUT|DECLARE|FETCH|CLOSE|ROLLBACK|USE|LIST ALL PERMISSIONS)\b.*"
)
WRITING_SQL = re.compile(
    r"(?i)\b(INSERT|UPDATE|DELETE|DROP|ALTER|CREATE|TRUNCATE|GRANT|REVOKE|REPLACE|MERGE|CALL|LOAD DATA|INTO OUTFILE|INTO DUMPFILE)\b"
)
READING_DOCUMENTS = {
    "hello", "ping", "buildInfo", "listDatabases", "listCollections", "connectionStatus", "getLog", "count",
    "collStats", "dbStats", "find", "getMore", "killCursors", "aggregate", "listIndexes", "getParameter", "endSessions",
    "isMaster", "saslStart", "saslContinue", "plainviewNone",
}  # fmt: skip


@pytest.mark.parametrize("probe", EVERY, ids=lambda probe: probe.id)
def test_every_probe_only_reads(probe: Probe) -> None:
    if probe.path:
        posts = re.compile(
            r"_search|_count|_msearch|_pit|_field_caps|_security/user/_has_privileges|_all_docs|_mget|_find"
        )
        reading = probe.path in READING_POSTS or posts.search(probe.path)
        deletes = {"/_pit", "/_search/scroll", "/_search/point_in_time"}  # gives back what we opened ourselves
        given_back = probe.method == "DELETE" and probe.path in deletes
        assert probe.method in SAFE_METHODS or (probe.method == "POST" and reading) or given_back
    elif probe.command:
        words = [word for word in probe.command[:2] if not word.startswith("<")]
        assert " ".join(words) in READING_COMMANDS or words[0] in READING_COMMANDS
    elif probe.sql:
        assert READING_SQL.fullmatch(probe.sql)
        without_texts = re.sub(r"'[^']*'", "''", probe.sql)  # has_table_privilege(…, 'INSERT') only asks
        assert not WRITING_SQL.search(without_texts)
    elif probe.document:
        first = re.match(r'\{\s*"([A-Za-z]+)"', probe.document)
        assert first
        assert first[1] in READING_DOCUMENTS
        assert "$out" not in probe.document
        assert "$merge" not in probe.document
        assert "$function" not in probe.document
        assert "$where" not in probe.document
    assert len(probe.purpose) > 5
    assert len(probe.footprint) > 3


def test_there_are_probes() -> None:
    assert len(EVERY) > 20
    assert {"redis", "memcached", "etcd"} <= set(catalog.ours())


@functools.cache
def modules() -> list[tuple[Path, ast.Module]]:
    files = sorted(SRC.rglob("*.py"))
    assert len(files) > 190
    return [(path, ast.parse(path.read_text())) for path in files]


# Verbs of stores, whole words in capitals, that no string of the code may hold.
OPCODES = re.compile(
    rb"\b(HSET|MSET|SETEX|RPUSH|LPUSH|SADD|ZADD|XADD|FLUSHALL|FLUSHDB|RENAME|EXPIRE|EVAL|EVALSHA|SLAVEOF|REPLICAOF|"
    rb"INSERT INTO|DELETE FROM|DROP TABLE|DROP DATABASE|TRUNCATE TABLE|ALTER TABLE|CREATE TABLE|LOAD DATA|"
    rb"insertMany|insertOne|deleteMany|deleteOne|updateMany|updateOne|findAndModify|dropDatabase|"
    rb"put_object|delete_object|PutObject|DeleteObject|kv/put|deleterange|/_bulk|_delete_by_query|_update_by_query)\b"
)
READERS_OF_DUMPS = ("sql", "dump")  # format readers must know the words of the dumps that they parse


def test_no_write_opcode_stands_in_the_code() -> None:
    files = [path for path in [*(SRC / "wire").rglob("*"), *(SRC / "stores").rglob("*")] if path.is_file()]
    assert len(files) > 70
    for path in files:
        found = OPCODES.search(path.read_bytes())
        assert not found, f"{path.name}: {found[0]!r}"


def test_only_wire_opens_sockets() -> None:
    """No other module imports what can open one; stores speak through its connections."""
    openers = {
        "socket",
        "ssl",
        "http.client",
        "urllib.request",
        "asyncio",
        "ftplib",
        "socketserver",
        "requests",
        "httpx",
    }
    for path, tree in modules():
        name = path.relative_to(SRC).as_posix()
        if name.startswith(("wire/", "web/")):
            continue
        for node in ast.walk(tree):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module]
            assert not openers & set(names), f"{name} imports {openers & set(names)}"


def test_only_one_place_connects() -> None:
    connects = [
        (path.relative_to(SRC).as_posix(), node.lineno)
        for path, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("connect", "connect_ex", "create_connection")
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id in ("sock", "socket", "s")
    ]
    assert [name for name, _ in connects] == ["wire/traffic.py"]


# -- rendering ------------------------------------------------------------------------------------------


def made(**parts: object) -> Probe:
    return Probe(id="x.y", stage="read", purpose="p", footprint="f", **parts)  # type: ignore[arg-type]


def test_http() -> None:
    probe = made(method="POST", path="/<a>/<b*>?q=<a>", body='{"k": <a>, "n": <c>}', headers={"X": "<c>"})
    method, path, headers, body = probe.http(a='é/"', b="x/y z", c=3)
    assert (method, path, headers) == ("POST", "/%C3%A9%2F%22/x/y%20z?q=%C3%A9%2F%22", {"X": "3"})
    assert body == b'{"k": "\\u00e9/\\"", "n": 3}'
    with pytest.raises(ValueError, match="line break"):
        made(method="GET", path="/", headers={"X": "<c>"}).http(c="a\r\nEvil: 1")


def test_arguments() -> None:
    probe = made(command=("GET", "<key>", "<more...>"))
    assert probe.arguments(key=b"\r\n\xff", more=[1, "b"]) == [b"GET", b"\r\n\xff", b"1", b"b"]


def test_statement_and_query() -> None:
    assert made(sql="SELECT * FROM <table> WHERE a < 5").statement(table='"a""b"') == 'SELECT * FROM "a""b" WHERE a < 5'
    probe = made(document='{"find": "<c>", "filter": {}, "batchSize": "<n>", "x": ["<c>"]}')
    filled = probe.query(c="t", n=5)
    assert filled == {"find": "t", "filter": {}, "batchSize": 5, "x": ["t"]}
    assert list(filled) == ["find", "filter", "batchSize", "x"]


@pytest.mark.parametrize("given", [{}, {"key": 1, "other": 2}, {"other": 2}])
def test_parameters_must_be_the_declared_ones(given: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"x\.y takes \['key'\]"):
        made(command=("GET", "<key>")).arguments(**given)


GOOD = '[[probe]]\nid="x.a"\nstage="read"\ncommand=["A"]\npurpose="p"\nfootprint="f"\n'


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (GOOD.replace('footprint="f"', ""), "no footprint"),
        (GOOD.replace('stage="read"', 'stage="write"'), "stage"),
        (GOOD.replace("x.a", "y.a"), r"id is not kind\.name"),
        (GOOD + 'method="GET"\npath="/"\n', "exactly one of"),
        (GOOD + 'method="GET"\n', "go together"),
        (GOOD + "verb=1\n", "unknown keys"),
        (GOOD + GOOD, "id twice"),
        (GOOD.replace("x.a", "fingerprint.y"), r"id is not kind\.name"),
    ],
)
def test_a_table_that_breaks_the_rules_does_not_load(text: str, problem: str) -> None:
    declared("x", tomli.loads(GOOD)["probe"])
    with pytest.raises(StoreError, match=problem):
        declared("x", tomli.loads(text)["probe"])


def test_the_docs_show_every_request_as_it_is() -> None:
    folder = SRC.parents[1] / "docs" / "stores"
    for store in catalog.ours().keys() - {"fingerprint"}:
        page = folder / f"{store}.md"
        text = page.read_text() if page.exists() else ""
        for probe in probes.load(store).values():
            row = rf"\| `{re.escape(probe.template)}`(; `.*`)? \| {re.escape(probe.purpose)} \| {re.escape(probe.footprint)} \|"
            assert re.search(row, text), probe.id
