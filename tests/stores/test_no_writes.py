"""Nothing that writes can be sent: the tables of requests, the ids that the code sends, and the words in the code."""

from __future__ import annotations

import ast
import re
import tomllib
from functools import cache
from pathlib import Path

import pytest

from plainview import catalog
from plainview.stores.fingerprint.signs import table
from plainview.wire import probes

SRC = Path(probes.__file__).parents[1]
EVERY = list(probes.every())
SENDERS = {
    "ask",
    "exchange",
    "stream",
    "detect",
    "pipeline",
    "for_keys",
    "query",
    "copy",
    "documents",
    "greet",
    "start",
    "ask_page",
}
# Where requests are made and sent. The readers of files and dumps know the words of SQL, which they parse.
SENDING = sorted([*(SRC / "wire").rglob("*.py"), *(SRC / "stores").rglob("*.py"), SRC / "documents" / "bson.py"])
assert len(SENDING) > 60, "the tests below would look at next to nothing"
ID = re.compile(r"([a-z0-9]+)\.([a-z][a-z0-9_]*)")

# Verbs and opcodes that change something, as whole texts or first words of texts, by store.
VERBS = {
    "http": "PUT PATCH MKCOL MOVE COPY LOCK",
    "redis": """SET SETEX PSETEX SETNX MSET MSETNX GETSET GETDEL GETEX APPEND INCR INCRBY DECR DEL UNLINK EXPIRE PERSIST
        RENAME HSET HDEL HINCRBY LPUSH RPUSH LPOP RPOP LSET LTRIM SADD SREM SPOP SMOVE ZADD ZREM XADD XDEL XTRIM FLUSHALL
        FLUSHDB SWAPDB RESTORE MIGRATE EVAL EVALSHA FCALL SCRIPT SLAVEOF REPLICAOF SHUTDOWN SAVE BGSAVE BGREWRITEAOF DEBUG
        MODULE PUBLISH GEOADD PFADD BITOP SETBIT SETRANGE COPY SORT JSON.SET JSON.DEL FAILOVER RESET""",
    "memcached": "set add replace append prepend cas incr decr delete touch flush_all gat gats ms md ma",
    "mongodb": """insert update delete findAndModify drop dropDatabase create createIndexes dropIndexes renameCollection
        createUser dropUser updateUser grantRolesToUser shutdown mapReduce eval fsync compact setParameter replSetReconfig
        $out $merge $function $where $accumulator bulkWrite cloneCollection copydb convertToCapped collMod""",
    "sql": """INSERT UPDATE DELETE DROP ALTER CREATE TRUNCATE GRANT REVOKE REPLACE MERGE CALL LOAD RENAME HANDLER OPTIMIZE
        REPAIR VACUUM REINDEX CLUSTER REFRESH NOTIFY PREPARE EXECUTE DO KILL ATTACH DETACH INSTALL FLUSH PURGE SHUTDOWN""",
    "mysql": "COM_INIT_DB COM_CREATE_DB COM_DROP_DB COM_REFRESH COM_SHUTDOWN COM_PROCESS_KILL COM_BINLOG_DUMP COM_RESET_CONNECTION",
    "elasticsearch": """_bulk _update _delete_by_query _update_by_query _reindex _forcemerge _flush _refresh _close _open
        _rollover _shrink _split _clone _restore _snapshot _ingest _scripts _create""",
    "etcd": "kv/put kv/deleterange kv/txn kv/compaction lease/grant maintenance/defragment auth/enable auth/disable",
    "s3": "PutObject DeleteObject CreateBucket DeleteBucket PutBucketAcl PutBucketPolicy CopyObject CreateMultipartUpload put_object delete_object",
}  # fmt: skip
# (module, text): why it may stand there. A text here is never sent as a request.
EXCEPTIONS: dict[tuple[str, str], str] = {
    ("*", "replace"): "how undecodable bytes are decoded (errors='replace')",
    ("documents/bson.py", "ms"): "a unit of time",
    ("stores/cassandra/types.py", "ms"): "a unit of time",
    ("stores/redis/rows.py", "set"): "the name of a type, as TYPE answers it",
    ("stores/postgresql/wire.py", "COPY"): "the end of an answer, which says how many rows came",
    ("stores/elasticsearch/access.py", "delete"): "the name of a privilege that _has_privileges answers",
    **{
        ("stores/clickhouse/source.py", word): "names of rights, looked for in the answer to SHOW GRANTS"
        for word in ("GRANT", "INSERT", "ALTER", "CREATE", "DROP", "TRUNCATE")
    },
}


@cache
def texts() -> list[tuple[str, int, str]]:
    """Return all texts of the sending code that are no docstrings."""
    found = []
    for path in SENDING:
        tree = ast.parse(path.read_text())
        docs = {
            id(node.body[0].value)
            for node in ast.walk(tree)
            if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef))
            and node.body
            and isinstance(node.body[0], ast.Expr)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes)) and id(node) not in docs:
                value = node.value if isinstance(node.value, str) else node.value.decode("latin-1")
                found.append((path.relative_to(SRC).as_posix(), node.lineno, value))
    return found


def test_there_is_something_to_walk() -> None:
    assert len(EVERY) > 100
    assert len(texts()) > 1000
    assert len(SENDING) > 30


# -- the code -------------------------------------------------------------------------------------------


def test_only_declared_requests_are_sent() -> None:
    """Every text that looks like the id of a probe and is handed to what sends is declared."""
    ids = {probe.id for probe in EVERY}
    stores = {probe.id.partition(".")[0] for probe in EVERY}
    sent = 0
    for path in SENDING:
        for node in ast.walk(ast.parse(path.read_text())):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in SENDERS):
                continue
            for given in [*node.args, *(keyword.value for keyword in node.keywords)]:
                for part in ast.walk(given):
                    text = part.value if isinstance(part, ast.Constant) and isinstance(part.value, str) else ""
                    if ID.fullmatch(text) and text.partition(".")[0] in stores:
                        sent += 1
                        assert text in ids, f"{path.name}:{part.lineno}"
    assert sent > 80


def test_every_probe_is_used() -> None:
    """A request that nothing sends is a declaration that nobody watches."""
    code = "\n".join(path.read_text() for path in SENDING) + "\n".join(f'"{step.probe}"' for step in table().steps)
    unused = [
        probe.id
        for probe in EVERY
        if f'"{probe.id}"' not in code
        and f".{probe.id.partition('.')[2]}" not in code
        and probe.id.partition(".")[2] not in code
    ]
    assert not unused


@pytest.mark.parametrize("store", VERBS)
def test_no_writing_verb_stands_in_the_code(store: str) -> None:
    verbs = set(VERBS[store].split())
    bad = []
    for module, line, text in texts():
        words = text.strip().split(None, 1)
        first = words[0] if words else ""
        # A sentence for people begins with such a word too: what is sent is one word, or SQL in capitals.
        alike = first in verbs and (len(words) == 1 or first.isupper())
        if alike and not {(module, first), ("*", first)} & EXCEPTIONS.keys():
            bad.append(f"{module}:{line}: {text[:60]!r}")
        if store in ("elasticsearch", "etcd", "mongodb"):
            inside = [
                verb
                for verb in verbs
                if ("/" in verb or verb[0] in "_$") and re.search(rf"(^|[/\"']){re.escape(verb)}\b", text)
            ]
            bad += [f"{module}:{line}: {verb}" for verb in inside]
    assert not bad, bad


def test_every_exception_is_needed() -> None:
    firsts = {(module, text.strip().split(None, 1)[0]) for module, _, text in texts() if text.strip()}
    known = firsts | {("*", first) for _, first in firsts}
    assert not EXCEPTIONS.keys() - known


def test_no_sql_is_put_together_in_the_code() -> None:
    """Statements stand in the tables; the code only quotes names for them."""
    whole = re.compile(r"^\s*(SELECT|INSERT|UPDATE|DELETE|WITH|EXECUTE)\b.*\b(FROM|INTO|SET)\b", re.DOTALL)
    assert not [f"{module}:{line}: {text[:50]!r}" for module, line, text in texts() if whole.match(text)]


# -- the tables -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("probe", EVERY, ids=lambda probe: probe.id)
def test_no_writing_verb_stands_in_a_table(probe: probes.Probe) -> None:
    assert probe.method not in VERBS["http"].split()
    if probe.command:
        assert probe.command[0] not in set(VERBS["redis"].split()) | set(VERBS["memcached"].split())
    if probe.sql:
        bare = re.sub(r"'[^']*'", "''", probe.sql)  # the words inside are names of rights, and the like
        verbs = set(VERBS["sql"].split()) - {"CLUSTER"}
        assert not verbs & set(re.findall(r"[A-Z]+", bare))
        assert ";" not in bare
    for verb in VERBS["elasticsearch"].split():
        assert not re.search(rf"/{verb}\b", probe.path)
    for verb in VERBS["etcd"].split():
        assert verb not in probe.path
    if probe.document:
        names = set(re.findall(r'"(\$?[A-Za-z]+)"', probe.document))
        assert not names & set(VERBS["mongodb"].split())


@pytest.mark.parametrize("probe", EVERY, ids=lambda probe: probe.id)
def test_every_request_says_why_and_what_it_leaves(probe: probes.Probe) -> None:
    assert len(probe.purpose) > 5
    assert probe.footprint.strip()
    assert probe.stage in ("access", "read")


def test_access_requests_carry_no_place_for_a_secret() -> None:
    words = re.compile(r"(?i)passw|secret|token|credential")
    assert not [p.id for p in EVERY if p.stage == "access" and any(words.search(hole) for hole in p.holes)]


def test_fingerprints_send_what_their_probes_say() -> None:
    """The bytes of the fingerprint are data too: each is the very request that its probe declares."""
    meaning = {
        "fingerprint.postgresql": b"\0\0\0\x08\x04\xd2\x16\x2f",
        "fingerprint.cassandra": b"\x04\0\0\0\x05\0\0\0\0",
        "fingerprint.memcached": b"version\r\n",
        "fingerprint.redis": b"*1\r\n$4\r\nPING\r\n",
    }
    import bson

    sent = {step.probe: bytes.fromhex(step.send) for step in table().steps if step.send}
    for probe, data in sent.items():
        if probe == "fingerprint.mongodb":
            assert int.from_bytes(data[:4], "little") == len(data)
            assert bson.decode(data[39:]) == {"isMaster": 1}
        else:
            assert data == meaning[probe]
    assert {step.probe for step in table().steps} == {p.id for p in EVERY if p.id.startswith("fingerprint.")}


def test_every_table_is_toml_of_its_own_store() -> None:
    tables = list((SRC / "stores").glob("*/store.toml"))
    assert len(tables) == len(catalog.ours()) > 14
    for path in tables:
        assert tomllib.loads(path.read_text())["kind"] == path.parent.name
