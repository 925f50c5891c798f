"""Redis, Valkey and Redis 8, the real servers; and hostile ones."""

from __future__ import annotations

import re
import socket
import time
from pathlib import Path

import pytest

from plainview.errors import PlainviewError, ProtocolError, ReadError, RefusedError, WithheldError
from plainview.pipeline.scanner import Options, Scanner
from plainview.stores import open_source
from plainview.stores.redis.resp import Resp, pack
from plainview.stores.redis.rows import Rows
from plainview.stores.shared.keygroups import KeyGroups
from plainview.tables import ReadLog, Table
from plainview.targets.credentials import Credentials
from plainview.targets.parsing import parse_target
from plainview.wire import Wire, WireLimits
from servers import CANARY, SECRET
from servers.fake import always, answer, drip, endless, fake, reset, silent
from servers.kit import (
    declared_words,
    no_canary,
    nothing_elsewhere,
    password,
    read_all,
    server_fixture,
    source_of,
)
from servers.redis_like import FalkorDB, Redis, RedisTls, Valkey

server = server_fixture(Redis, Valkey, FalkorDB, modes=("open", "closed", "reader", "lister", "pinger"))
opened = server_fixture(Redis, Valkey, FalkorDB, modes=("open",))
shut = server_fixture(Redis, Valkey, FalkorDB, modes=("closed",))

VERDICTS = {
    "open": ("admin", "rights_api", "proved"),
    "closed": ("auth_required", "unknown", "proved"),
    "reader": ("reads", "unknown", "proved"),
    "lister": ("lists", "unknown", "proved"),
    "pinger": ("reachable_metadata", "unknown", "proved"),
}
TABLES = {
    "customer:{}": ["key", "name", "email"],
    "session:{}": ["key", "value"],
    "cart:{}:items": ["key", "value"],
    "newsletter": ["key", "value"],
    "scores": ["key", "member", "score"],
    "events:{}": ["key", "entry", "user", "page"],
    "user:{}": ["key", "value"],
    "blob": ["key", "value"],
    "{}": ["key", "value"],
    "db3/employee:{}": ["key", "iban"],
}


def test_verdict(server: Redis) -> None:
    with nothing_elsewhere(server.port):
        exposure = source_of(server).check_access()
    assert (exposure.state, exposure.rights_basis, exposure.confidence) == VERDICTS[server.mode]
    no_canary(exposure)
    if server.mode in ("open", "reader", "lister"):
        assert exposure.version.startswith(server.version)
        assert exposure.product == ("Valkey" if server.name == "valkey" else "Redis")
    assert all(line.footprint for line in exposure.footprint)
    assert not exposure.points_elsewhere
    assert not exposure.prior_access


def test_everything_is_read(server: Redis) -> None:
    login = None if server.mode in ("open", "reader") else password("root" if server.mode in server.rules else None)
    if login is not None:
        source = source_of(server)
        with pytest.raises(RefusedError) as caught:
            list(source.units(ReadLog()))
        no_canary(caught.value)
    before = server.dump()
    source = source_of(server, login=login)
    with nothing_elsewhere(server.port):
        frames, log = read_all(source)
    assert server.dump() == before
    assert {name: frame.columns for name, frame in frames.items()} == TABLES
    assert source.read_as == ("stranger" if login is None else "credential")
    assert frames["customer:{}"].height == 50
    assert frames["customer:{}"]["email"].to_list().count(CANARY) == 1
    assert frames["newsletter"]["value"].list.len().sum() == 1500
    assert set(frames["newsletter"]["value"].explode()) == {f"n{n}@example.net" for n in range(1500)}
    assert frames["events:{}"].height == 30
    assert sorted(frames["scores"]["score"][0]) == [1.5, 2.0]
    assert frames["blob"]["value"][0] == "\ufffd\ufffd\0binary"
    assert (log.tables_listed, log.rows_listed, log.skipped) == (10, 157, [])
    assert log.bytes_read > 20_000
    no_canary(log, source.wire.footprint(), source.target, source.credential)


def test_the_server_saw_declared_requests_only(server: Redis) -> None:
    declared = declared_words("redis")
    with server.monitored() as seen:
        source = source_of(server)
        source.check_access()
        if server.mode == "open":
            read_all(source)
    if server.mode == "open":
        assert len(seen) > 100
    for command in seen:
        words = tuple(command.split(" "))
        assert any(words[: len(fixed)] == fixed for fixed in declared), command
    # What the server itself counted: no command that writes was called, whatever it was called.
    client = server.client()
    writing = {name for name, info in client.command().items() if "write" in info["flags"]}
    assert not {name.partition("|")[0] for name in server.commands()} & writing


def test_a_sample_says_how_it_was_drawn(opened: Redis) -> None:
    report = Scanner(Options(sample=5)).scan_source(source_of(opened), "x")
    customers = next(table for table in report.tables if table.name == "customer:{}")
    drawn = "a sample, the first 5 keys that SCAN shows: its order is that of a keyed hash of their names"
    assert customers.notes == (
        drawn,
        "5 random rows: what stands in fewer than 60.00% of all rows may be missed (95 %)",
    )


def test_a_sample_is_small_and_all_tables_are_there(opened: Redis) -> None:
    frames, log = read_all(source_of(opened), sample=5)
    assert set(frames) == set(TABLES)
    assert frames["customer:{}"].height == frames["session:{}"].height == 5
    assert log.rows_listed == 157
    only, _ = read_all(source_of(opened, suffix="/3"))
    assert set(only) == {"db3/employee:{}"}


def test_a_wrong_credential_is_refused_and_not_shown(shut: Redis) -> None:
    from plainview.targets.credentials import Credential
    from plainview.targets.secret import Secret

    login = Credential(None, Secret(SECRET + "x"), origin="credentials file")
    with pytest.raises(RefusedError, match="not accepted") as caught:
        list(source_of(shut, login=login).units(ReadLog()))
    no_canary(caught.value)


@pytest.mark.servers
def test_a_large_value_is_read_in_pages_and_a_death_half_way_keeps_what_was_read() -> None:
    made = Redis()
    if reason := made.available():
        pytest.skip(reason)
    with made:
        client = made.client()
        client.flushall()
        client.hset("users", mapping={f"u{n}": f"p{n}@example.com" for n in range(5000)})
        client.rpush("queue", *range(2500))
        client.xadd("log", {"a": "1"})
        for n in range(2500):
            client.xadd("log", {"a": n})
        frames, log = read_all(source_of(made))
        assert frames["users"].columns == ["key", "field", "value"]
        assert set(frames["users"]["field"]) == {f"u{n}" for n in range(5000)}
        assert frames["queue"]["value"].explode().to_list() == [str(n) for n in range(2500)]
        assert frames["log"].height == 2501
        assert not log.skipped
        client.flushall()
        pipe = client.pipeline()
        for n in range(30_000):
            pipe.set(f"k:{n}", "v" * 100)
        pipe.execute()
        source = source_of(made)
        log = ReadLog()
        (unit,) = source.units(log)
        rows = 0
        batches = source.read(unit, log)
        with pytest.raises(PlainviewError):  # noqa: PT012
            for batch in batches:
                rows += batch.frame.height
                made.process.kill()
        assert 0 < rows < 30_000
        assert log.rows_listed >= rows


# -- TLS --------------------------------------------------------------------------------------------------

secured = server_fixture(RedisTls, modes=("open", "closed", "mutual"))


@pytest.mark.parametrize("scheme", ["redis", "rediss"])
def test_tls(secured: RedisTls, scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    target = parse_target(f"{scheme}://127.0.0.1:{secured.port}")
    with nothing_elsewhere(secured.port):
        source = open_source(target)
        exposure = source.check_access()
    expected = {"open": "admin", "closed": "auth_required", "mutual": "auth_required"}
    assert (exposure.state, exposure.confidence) == (expected[secured.mode], "proved")
    assert exposure.tls.used
    assert exposure.tls.certificate == ("self-signed",)
    if secured.mode == "mutual":
        assert "certificate of the client" in exposure.evidence[-1]
    if secured.mode == "open":
        frames, _ = read_all(source)
        assert set(frames) == set(TABLES)
    if secured.mode == "closed":
        with pytest.raises(WithheldError, match="no credential was sent") as caught:
            read_all(open_source(target, credentials=Credentials(((target, password()),))))
        no_canary(caught.value)
        monkeypatch.setenv("SSL_CERT_FILE", str(secured.pair))
        frames, _ = read_all(open_source(target, credentials=Credentials(((target, password()),))))
        assert set(frames) == set(TABLES)


def test_the_least_privilege_of_the_docs_is_enough(shut: Redis) -> None:
    text = (Path(__file__).parents[2] / "docs" / "credentials.md").read_text()
    (line,) = re.findall(r"`ACL SETUSER auditor (.*?)`", text)
    rules = line.replace("\\|", "|").replace(">…", f">{SECRET}").split()
    client = shut.client()
    client.execute_command("ACL", "SETUSER", "auditor", "reset", *rules)
    try:
        before = shut.dump()
        frames, log = read_all(source_of(shut, login=password("auditor")))
        assert set(frames) == set(TABLES)
        assert not log.skipped
        assert shut.dump() == before
        assert b"no permissions" in client.execute_command("ACL", "DRYRUN", "auditor", "SET", "k", "v")
    finally:
        client.execute_command("ACL", "DELUSER", "auditor")


# -- hostile servers --------------------------------------------------------------------------------------

FAST = WireLimits(first_byte=0.4, probe=0.8, service=2.0)
PONG = b"+PONG\r\n"
HOSTILE = {
    "pong to everything": (always(PONG), "unknown"),
    "ok to everything": (always(b"+OK\r\n"), "unknown"),
    "endless text": (endless(b"$999999999\r\n", b"x" * 65536), "unknown"),
    "lying length": (answer(b"$9223372036854775807\r\n"), "unknown"),
    "digits": (answer(b"$" + b"9" * 5000 + b"\r\n"), "unknown"),
    "negative": (answer(b"$-7\r\n"), "unknown"),
    "lying count": (answer(b"*999999999\r\n"), "unknown"),
    "deep": (answer(b"*1\r\n" * 100_000), "unknown"),
    "wide": (endless(b"*200000\r\n", b"*200000\r\n"), "unknown"),
    "endless line": (endless(b"+", b"P" * 65536), "unknown"),
    "drip": (drip(b"+", b"P" * 1000, 0.05), "unknown"),
    "http": (answer(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "unknown"),
    "silence": (silent, "unknown"),
    "reset": (reset, "unknown"),
    "half": (answer(b"+PON"), "unknown"),
    "loading": (always(b"-LOADING Redis is loading\r\n"), "unknown"),
    "error": (always(b"-ERR canary.7f3a@example.org\r\n"), "unknown"),
    "noauth": (always(b"-NOAUTH Authentication required.\r\n"), "auth_required"),
    "protected": (always(b"-DENIED Redis is running in protected mode\r\n"), "auth_required"),
}


@pytest.mark.parametrize(("behave", "state"), HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile(behave, state: str) -> None:
    with fake(behave) as (port, _), nothing_elsewhere(port):
        start = time.monotonic()
        source = open_source(parse_target(f"redis://127.0.0.1:{port}"), network=FAST)
        exposure = source.check_access()
        assert time.monotonic() - start < 30
        if "everything" in next(name for name, (b, _) in HOSTILE.items() if b is behave):
            assert exposure.confidence in ("inconclusive", "looks_like_honeypot")
        else:
            assert exposure.state == state
        if state == "unknown":
            assert exposure.confidence in ("inconclusive", "looks_like_honeypot")
        no_canary(exposure)
        with pytest.raises(PlainviewError) as caught:
            list(source.units(ReadLog()))
        no_canary(caught.value)


def scripted(answers: dict[bytes, bytes]):
    """A server that answers by the first word, and to all else with an error."""

    def behave(sock, first: bytes) -> None:
        data = first
        while data:
            for part in data.split(b"*")[1:]:
                words = part.split(b"\r\n")[2::2]
                sock.sendall(next((a for k, a in answers.items() if words[0] == k), b"-ERR unknown command\r\n"))
            data = sock.recv(65536)

    return behave


OPEN = {
    b"PING": PONG,
    b"SCAN": b"*2\r\n$1\r\n0\r\n*1\r\n$1\r\nk\r\n",
    b"GETRANGE": b"$0\r\n\r\n",
    b"INFO": b"$31\r\nredis_version:5.0.7\r\ndb0:keys=1\r\n",
    b"SELECT": b"+OK\r\n",
    b"TYPE": b"+string\r\n",
}


def test_before_version_6_open_means_administrator() -> None:
    with fake(scripted(OPEN)) as (port, _):
        exposure = open_source(parse_target(f"redis://127.0.0.1:{port}")).check_access()
        assert (exposure.state, exposure.rights_basis, exposure.confidence) == ("admin", "by_design", "proved")
        assert exposure.version == "5.0.7"


@pytest.mark.parametrize(("version", "protected"), [("5.0.7", False), ("7.0.7", True)])
def test_an_explicit_bind_switched_protected_mode_off_before_version_7(version: str, protected: bool) -> None:
    info = b"$19\r\nredis_version:%s\r\n" % version.encode()
    config = b"*2\r\n$1\r\nx\r\n$3\r\nyes\r\n"  # bind is set (to "yes"), protected-mode is yes
    with fake(scripted({**OPEN, b"INFO": info, b"CONFIG": config})) as (port, _):
        exposure = open_source(parse_target(f"redis://127.0.0.1:{port}")).check_access()
        assert exposure.state == "admin"
        assert any("protected mode is on" in line for line in exposure.evidence) is protected


def test_what_answers_a_command_that_no_redis_has_is_marked() -> None:
    with fake(scripted({**OPEN, b"PLAINVIEW.NONE": b"+OK\r\n"})) as (port, _):
        exposure = open_source(parse_target(f"redis://127.0.0.1:{port}")).check_access()
        assert exposure.confidence == "looks_like_honeypot"


def test_moved_is_recorded_and_not_followed() -> None:
    moved = {**OPEN, b"GETRANGE": b"-MOVED 3999 10.9.8.7:6381\r\n"}
    with fake(scripted(moved)) as (port, _), nothing_elsewhere(port):
        source = open_source(parse_target(f"redis://127.0.0.1:{port}"))
        exposure = source.check_access()
        assert exposure.points_elsewhere == ("MOVED to 10.9.8.7:6381",)
        _, log = read_all(source)
        assert log.skipped == [("k", "1 keys: on another node of the cluster")]


def test_signs_of_an_earlier_visitor() -> None:
    left = {**OPEN, b"SCAN": b"*2\r\n$1\r\n0\r\n*1\r\n$7\r\nbackup1\r\n"}
    with fake(scripted(left)) as (port, _):
        exposure = open_source(parse_target(f"redis://127.0.0.1:{port}")).check_access()
        assert [sign.partition(":")[0] for sign in exposure.prior_access] == ["strong"]


def test_a_scan_that_never_ends_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    from plainview.stores.redis import source as redis_

    monkeypatch.setattr(redis_, "SLACK", 100)
    endless_scan = {**OPEN, b"SCAN": b"*2\r\n$1\r\n7\r\n*2\r\n$1\r\nk\r\n$1\r\nl\r\n"}
    with fake(scripted(endless_scan)) as (port, _):
        source = open_source(parse_target(f"redis://127.0.0.1:{port}"))
        with pytest.raises(ProtocolError, match="does not come to an end"):
            read_all(source)


# -- parsing and grouping ---------------------------------------------------------------------------------


def parsed(data: bytes, pieces: int = 1 << 20):
    def behave(sock, _: bytes) -> None:
        for at in range(0, len(data), pieces):
            sock.sendall(data[at : at + pieces])

    with fake(behave) as (port, _):
        client = Resp(Wire(parse_target(f"redis://127.0.0.1:{port}")))
        with client:
            return client.ask("redis.ping")


@pytest.mark.parametrize("pieces", [1, 3, 1 << 20])
def test_resp(pieces: int) -> None:
    data = b"*7\r\n$3\r\na\r\n\r\n$0\r\n\r\n$-1\r\n:-42\r\n*2\r\n$1\r\nx\r\n*0\r\n+fine\r\n-WRONGTYPE canary.7f3a@example.org\r\n"
    answer_ = parsed(data, pieces)
    assert answer_[:6] == [b"a\r\n", b"", None, -42, [b"x", []], b"fine"]
    assert answer_[6].code == "WRONGTYPE"
    no_canary(answer_)
    assert parsed(b"$500000\r\n" + b"y" * 500_000 + b"\r\n", 65536) == b"y" * 500_000


def test_pack() -> None:
    assert pack([b"GET", b"\xff\r\n"]) == b"*2\r\n$3\r\nGET\r\n$3\r\n\xff\r\n\r\n"


def grouped(*keys: str) -> dict[str, str]:
    groups = KeyGroups()
    groups.learn(key.encode() for key in keys)
    return {key: groups.name(key.encode()) for key in keys}


def test_numbers_people_and_identifiers_are_no_words() -> None:
    people = [f"user:{name}" for name in ("anna", "bo", "chen", "dmitri", "eve", "fritz", "gül", "hà", "ines", "jo")]
    ids = [f"order:{n:08x}-aa:items" for n in range(100)]
    found = grouped(*people, *ids, "config:smtp", "a@b.org", "counter", "用户:1", "用户:2")
    assert {found[key] for key in people} == {"user:{}"}
    assert {found[key] for key in ids} == {"order:{}:items"}
    assert found["a@b.org"] == "{}"
    assert (found["counter"], found["config:smtp"], found["用户:1"]) == ("counter", "config:{}", "用户:{}")


def test_many_names_at_the_top_are_values() -> None:
    names = ["".join(chr(97 + (n // 26**k) % 26) for k in range(3)) for n in range(1000)]
    assert set(grouped(*names).values()) == {"{}"}


def test_words_below_values_stay() -> None:
    keys = [f"user:{n}:{field}" for n in range(200) for field in ("name", "email", "cart")]
    assert set(grouped(*keys).values()) == {"user:{}:name", "user:{}:email", "user:{}:cart"}


def test_names_that_keys_begin_with_are_no_words() -> None:
    found = grouped("Anna:cart", "Anna:orders", "Peter:cart", "Peter:orders", "anna.huber:cart", "anna.huber:orders")
    assert set(found.values()) == {"{}:cart", "{}:orders"}


def test_names_in_the_fields_of_a_hash_are_values() -> None:
    rows = Rows(Table("t", "redis hash"), "hash", 100)
    rows.add(b"scores", [b"Anna Canaria", b"3", b"Peter Huber", b"4"], whole=True)
    rows.add(b"user:1", [b"name", b"Anna Canaria", b"city", b"Bern"], whole=True)
    (batch,) = rows.batches()
    assert set(batch.frame.columns) == {"key", "field", "value", "name", "city"}
    assert batch.frame["field"].drop_nulls().to_list() == ["Anna Canaria", "Peter Huber"]


def test_a_key_met_after_learning_has_a_group_too() -> None:
    groups = KeyGroups()
    groups.learn([b"user:1", b"user:2"])
    assert groups.name(b"user:anna@example.org") == "user:{}"
    assert groups.name(b"other:anna") == "{}:{}"
    assert groups.name(b"\xff:" * 50).count("{}") == 6


# -- walks and counts -------------------------------------------------------------------------------------


def sparse(empty: int, said: int = 3, info: bytes = b"db0:keys=3,expires=0", shown: int = 3):
    """A server whose table was large once: so many pages without a key, then the keys."""
    left = [empty]
    counts: list[int] = []

    def behave(sock: socket.socket, data: bytes) -> None:
        while data:
            words = data.split(b"\r\n")[2::2]
            reply = OPEN.get(words[0], b"-ERR unknown command\r\n")
            if words[0] == b"SCAN" and words[-1] != b"10":
                counts.append(int(words[-1]))
                left[0] -= 1
                keys = b"".join(b"$1\r\n%d\r\n" % n for n in range(shown)) if left[0] < 0 else b""
                number = shown if left[0] < 0 else 0
                cursor = b"0" if left[0] < 0 else b"%d" % (1 << 40 | left[0])
                reply = b"*2\r\n$%d\r\n%b\r\n*%d\r\n%b" % (len(cursor), cursor, number, keys)
            elif words[0] == b"TYPE":
                reply = b"+string\r\n" * data.count(b"TYPE")
            elif words[0] == b"GETRANGE" and words[-1] != b"0":
                reply = b"$1\r\nx\r\n" * data.count(b"GETRANGE")
            elif words[0] == b"DBSIZE":
                reply = b":%d\r\n" % said
            elif words[:2] == [b"INFO", b"keyspace"]:
                reply = b"$%d\r\n%b\r\n" % (len(info), info)
            elif words[0] == b"SELECT":
                reply = b"+OK\r\n"
            sock.sendall(reply)
            data = sock.recv(65536)

    return behave, counts


def test_a_sparse_table_is_walked_to_its_end() -> None:
    """Most was deleted, and the table not yet made smaller: empty pages are no reason to stop, but to look further."""
    behave, counts = sparse(400)
    with fake(behave) as (port, _):
        frames, log = read_all(open_source(parse_target(f"redis://127.0.0.1:{port}")))
    assert sum(frame.height for frame in frames.values()) == 3
    assert not log.skipped
    assert len(counts) == 401
    assert counts[0] == 1_000
    assert counts[-1] == 32_000


@pytest.mark.parametrize(("expires", "told"), [(0, True), (1, True), (4, False)])
def test_keys_that_are_counted_and_not_shown_are_told(expires: int, told: bool) -> None:
    """But for those with an end: a replica counts them until its primary drops them, and shows them no more."""
    behave, _ = sparse(0, said=7, info=b"db0:keys=7,expires=%d,avg_ttl=0" % expires)
    with fake(behave) as (port, _):
        source = open_source(parse_target(f"redis://127.0.0.1:{port}"))
        if not told:
            assert not read_all(source)[1].skipped
            return
        with pytest.raises(ReadError, match="3 of 7 keys came"):
            read_all(source)
