"""Cassandra 5, the real server; older and other ones by documented bytes; hostile servers."""

from __future__ import annotations

import datetime as dt
import re
import struct
import time

import pytest

from fakes.cassandra import (
    AUTHENTICATE,
    OPEN,
    READY,
    RESULT,
    SUPPORTED,
    TEXT,
    cassandra,
    error,
    frame,
    rows,
    string,
    supported,
)
from plainview.errors import PlainviewError, RefusedError
from plainview.pipeline.scanner import Options, Scanner
from plainview.stores import open_source
from plainview.stores.cassandra.types import Type, series
from plainview.tables import ReadLog
from plainview.targets.credentials import Credential
from plainview.targets.parsing import parse_target
from plainview.targets.secret import Secret
from plainview.wire import WireLimits, probes
from servers import CANARY, SECRET
from servers.cassandra import ODD, PEOPLE, Cassandra
from servers.fake import answer, drip, endless, fake, reset, silent
from servers.kit import no_canary, nothing_elsewhere, password, read_all, server_fixture, source_of

server = server_fixture(Cassandra)
LOGIN = password("auditor")


@pytest.mark.timeout(300)
def test_verdict(server: Cassandra) -> None:
    before = server.dump()
    source = source_of(server)
    with nothing_elsewhere(server.port):
        exposure = source.check_access()
    verdict = (exposure.state, exposure.rights_basis, exposure.confidence)
    if server.mode == "open":
        assert verdict == ("admin", "config", "proved"), exposure
        assert exposure.version == server.version
        assert any("5 tables in 1 keyspace" in line for line in exposure.evidence), exposure.evidence
    else:
        assert verdict == ("auth_required", "unknown", "proved")
        with pytest.raises(RefusedError, match="no credential was given"):
            list(source.units(ReadLog()))
    assert exposure.product == "Cassandra"
    assert server.dump() == before
    no_canary(exposure)


def test_everything_is_read(server: Cassandra) -> None:
    before = server.dump()
    source = source_of(server, login=LOGIN)
    with nothing_elsewhere(server.port):
        frames, log = read_all(source)
    assert source.read_as == ("credential" if server.mode == "closed" else "stranger")
    frames = {name: frame for name, frame in frames.items() if name.startswith("shop.")}
    assert {name: frame.height for name, frame in frames.items()} == {
        "shop.people": PEOPLE, "shop.nested": 1, f"shop.{ODD}": 1, "shop.empty": 0, "shop.hits": 1,
    }  # fmt: skip
    people = frames["shop.people"]
    assert set(people["id"]) == set(range(PEOPLE))
    assert people["email"].null_count() == PEOPLE // 3
    assert people["email"].to_list().count(CANARY) == 1
    row = people.filter(people["id"] == 9).row(0, named=True)
    assert row == {
        "id": 9, "email": "p9@example.com", "born": dt.date(1970, 5, 5),
        "seen": dt.datetime(2001, 2, 3, 4, 5, 6, 789000), "device": "61f0c404-5cb3-11e7-907b-a6006ad3dba0",  # noqa: DTZ001
        "ip": "192.0.2.7", "balance": "12.50", "big": "123456789012345678901234567890", "ok": True, "score": 1.5,
        "visits": 9, "small": 7, "tiny": -7, "at": dt.time(8, 30), "lasts": "P1M2DT3S", "photo": b"\xff\xd8\xff",
        "made": "50554d6e-29bb-11e5-b345-feff819cdc9f", "ratio": 0.5, "nobody": None,
    }  # fmt: skip
    nested = frames["shop.nested"].to_dicts()[0]
    assert nested == {
        "id": 1, "phones[]": ["+49 30 90182357"], "tags[]": ["a"], "extra.mail": CANARY, "home.street": "Am Markt 1",
        "home.city": "Weimar", "pair.item1": "x", "pair.item2": 1, "face[]": [1.0, 2.0, 3.0],
    }  # fmt: skip
    assert log.skipped == []
    assert server.dump() == before
    no_canary(log, source.wire.footprint(), source)


def test_a_wrong_credential_is_refused_and_not_shown(server: Cassandra) -> None:
    if server.mode == "open":
        return  # read as the stranger: the credential is never sent
    login = Credential("auditor", Secret(SECRET + "x"), origin="credentials file")
    with pytest.raises(RefusedError, match="not accepted") as caught:
        read_all(source_of(server, login=login))
    no_canary(caught.value)


def test_the_whole_scan_finds_what_was_seeded(server: Cassandra) -> None:
    source = source_of(server, login=LOGIN, suffix="/shop")
    report = Scanner(Options(threads=2)).scan_source(source, "cassandra://127.0.0.1/shop")
    found = {(table.name, column.path) for table in report.tables for column in table.columns}
    assert {("shop.people", "email"), ("shop.nested", "extra.mail")} <= found
    assert not [path for _, path in found if path in ("id", "visits", "big", "made", "ratio", "ok")]
    assert report.coverage.rows_read == PEOPLE + 3
    no_canary(report, source)


def test_a_sample_takes_so_many_rows(server: Cassandra) -> None:
    frames, log = read_all(source_of(server, login=LOGIN, suffix="/shop"), sample=50)
    assert frames["shop.people"].height == 50
    assert "no permission" not in str(log.skipped)


# -- other versions by their documents, and hostile servers -------------------------------------------------------

FAST = WireLimits(first_byte=0.4, probe=0.8, service=2.0)


def ask(behave):
    with fake(behave) as (port, _), nothing_elsewhere(port):
        source = open_source(parse_target(f"cassandra://127.0.0.1:{port}"), network=FAST)
        exposure = source.check_access()
    no_canary(exposure)
    return exposure


@pytest.mark.parametrize(
    ("changed", "verdict"),
    [
        ({}, ("admin", "config", "proved")),
        ({"SELECT name, value": error(0x2200)}, ("admin", "by_design", "probable")),  # 3.x has no settings table
        ({"SELECT name, value": rows((b"authorizer", b"CassandraAuthorizer"))}, ("reads", "config", "proved")),
        ({"SELECT name, value": error(0x2200), "LIST ALL": rows(types=(TEXT,))}, ("reads", "unknown", "proved")),
        ({"SELECT now()": error(0x2100), "SELECT name, value": error(0x2100)}, ("lists", "unknown", "proved")),
        ({"STARTUP": (AUTHENTICATE, string("org.apache.cassandra.auth.PasswordAuthenticator"))},
         ("auth_required", "unknown", "proved")),
        ({"STARTUP": error(0x1001)}, ("reachable_metadata", "unknown", "inconclusive")),
        ({"STARTUP": (READY, b""), "SELECT": error(0x2100)}, ("reachable_metadata", "unknown", "proved")),
        ({"SELECT plainview_none": rows((b"1",))}, ("admin", "config", "looks_like_honeypot")),
        ({"OPTIONS": (SUPPORTED, b"\0\0")}, ("unknown", "unknown", "inconclusive")),
    ],
)  # fmt: skip
def test_documented_answers(changed, verdict: tuple[str, str, str]) -> None:
    kept = {} if "SELECT" in changed else OPEN
    exposure = ask(cassandra({"OPTIONS": supported(), "SELECT plainview_none": error(0x2000), **kept, **changed}))
    assert (exposure.state, exposure.rights_basis, exposure.confidence) == verdict, exposure.evidence


def test_scylla_and_members_and_old_protocols() -> None:
    exposure = ask(cassandra({**OPEN, "OPTIONS": supported("SCYLLA_SHARD")}, speaks=3))
    assert (exposure.product, exposure.version, exposure.state) == ("ScyllaDB", "4.1.7", "admin")
    assert exposure.points_elsewhere == ("member to 10.9.8.7",)


def reading(*pages):
    """Read the one table; each page is an answer."""
    left = list(pages)

    class Answers(dict):
        def __getitem__(self, name: str):
            return left.pop(0) if name == "SELECT *" else super().__getitem__(name)

    with fake(cassandra(Answers({**OPEN, "SELECT *": ()}))) as (port, _):
        source = open_source(parse_target(f"cassandra://127.0.0.1:{port}"), network=FAST)
        log = ReadLog()
        frames, problem = [], ""
        for unit in source.units(log):
            try:
                for batch in source.read(unit, log):
                    frames.append(batch.frame)  # noqa: PERF401 - what came before an error counts
            except PlainviewError as caught:
                no_canary(caught)
                problem = caught.message
        no_canary(log)
        return frames, problem


def test_pages_are_read_to_the_end_and_a_break_keeps_what_came() -> None:
    one, two = rows((b"a",), (None,), state=b"x"), rows((b"\xff",))
    frames, problem = reading(one, two)
    assert [f["c0"].to_list() for f in frames] == [["a", None], ["\ufffd"]]
    assert problem == ""
    frames, problem = reading(one, error(0x1200))
    assert (len(frames), problem) == (1, "after 2 rows, a page was answered with error 0x1200")
    _, problem = reading(one, one)
    assert "do not come to an end" in problem
    _, problem = reading(error(0x2100))
    assert problem == "no permission to read it"


@pytest.mark.parametrize(
    ("kind", "cells", "values"),
    [
        (0x9, [b"\0\0\0\7", None, b"", b"\0"], [7, None, None, None]),  # an empty or odd cell is no number
        (0x4, [b"\1", b"\0", None], [True, False, None]),
        (0xB, [struct.pack(">q", 1 << 62), None], [1 << 62, None]),  # no date that a calendar has
        (0x11, [struct.pack(">I", 1 << 31), None], [0, None]),
        (0x11, [struct.pack(">I", 1 << 31)], [dt.date(1970, 1, 1)]),
        (0x10, [b"\xc0\0\2\1", b"12345", None], ["192.0.2.1", None, None]),
        (0x6, [b"\0\0\0\2\4\xe2", b"\x7f\xff\xff\xff\1", b""], ["12.50", None, None]),
        (0xE, [b"\xff", b"x" * 5000], ["-1", None]),
        (0xC, [bytes(range(16)), b"x"], ["00010203-0405-0607-0809-0a0b0c0d0e0f", None]),
        (0x3, [b"\xff", None], [b"\xff", None]),
    ],
)
def test_cells(kind: int, cells, values) -> None:
    assert series("c", Type(kind), cells).to_list() == values


@pytest.mark.parametrize(
    "broken",
    [
        (RESULT, struct.pack(">iii", 2, 1, 1) + string("k") + string("t") + string("c") + b"\0\x0d\x7f\xff\xff\xff"),
        (RESULT, struct.pack(">iii", 2, 1, 0x7FFFFFFF)),
        (RESULT, struct.pack(">iii", 2, 1, 1) + string("k") + string("t") + string("c") + b"\0\x20" * 4000),
        (RESULT, struct.pack(">iii", 2, 1, 1) + b"\xff\xff"),
        (RESULT, rows((b"abc",))[1][:-4] + struct.pack(">i", 1 << 30)),
        (RESULT, struct.pack(">i", 1)),
        (99, b""),
    ],
)
def test_lying_frames_are_refused(broken) -> None:
    frames, problem = reading(broken)
    assert frames == []
    assert problem


@pytest.mark.parametrize(
    "behave",
    [
        answer(b"HTTP/1.0 400 Bad Request\r\n\r\n"),
        answer(b"\x84\0\0\0\6\x7f\xff\xff\xff"),
        answer(b"\x84\0\0\0\6\xff\xff\xff\xff"),
        answer(b"\x84\1\0\0\6\0\0\0\0"),
        answer(b"\x84\0\0\x09\6\0\0\0\0"),
        answer(frame(error(0x2100))),
        drip(b"", b"\x84" * 100, 0.3),
        endless(b"\x84\0\0\0\6\0\x0f\0\0", b"x" * 1000),
        silent,
        reset,
    ],
)
def test_hostile(behave) -> None:
    started = time.monotonic()
    exposure = ask(behave)
    assert (exposure.state, exposure.confidence) == ("unknown", "inconclusive"), exposure
    assert time.monotonic() - started < 30


def test_the_audit_log_holds_declared_statements_only(server: Cassandra) -> None:
    before = len(server.log)
    source = source_of(server, login=LOGIN, suffix="/shop")
    source.check_access()
    read_all(source)
    time.sleep(0.5)
    statements = re.findall(r"FileAuditLogger .*?\|type:(\w+)\|.*?operation:(.*)", server.log[before:])
    patterns = [re.sub(r"<[a-z]+>", ".+", re.escape(p.sql)) for p in probes.load("cassandra").values() if p.sql]
    queries = [text for kind, text in statements if not kind.startswith("LOGIN")]
    assert len(queries) > 10
    for text in queries:
        asked = text.partition("; ")[0]  # the error of the negative control comes after it
        assert any(re.fullmatch(pattern, asked) for pattern in patterns), asked
    assert {kind for kind, _ in statements} <= {"SELECT", "REQUEST_FAILURE", "LOGIN_SUCCESS", "LOGIN_ERROR"}
