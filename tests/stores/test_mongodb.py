"""MongoDB: SecantusDB and mongo-java-server, the stand-ins; documented bytes; hostile servers."""

from __future__ import annotations

import json
import struct
import time

import bson
import pytest
from bson.int64 import Int64

from fakes.mongod import closed_answers, cursor, error, mongod, open_answers
from plainview.errors import PlainviewError, RefusedError
from plainview.pipeline.scanner import Options, Scanner
from plainview.stores import open_source
from plainview.stores.mongodb.answers import batch
from plainview.tables import ReadLog
from plainview.targets.credentials import Credential
from plainview.targets.parsing import parse_target
from plainview.targets.secret import Secret
from plainview.wire import WireLimits, probes
from servers import CANARY, SECRET
from servers.fake import answer, drip, endless, fake, reset, silent
from servers.kit import no_canary, nothing_elsewhere, password, read_all, server_fixture, source_of
from servers.mongo import ODD, PEOPLE, Mongo, MongoJava, Secantus

server = server_fixture(Secantus, MongoJava)


def test_verdict(server: Mongo) -> None:
    before = server.dump()
    source = source_of(server)
    with nothing_elsewhere(server.port):
        exposure = source.check_access()
    verdict = (exposure.state, exposure.rights_basis, exposure.confidence)
    if server.mode == "open":
        assert verdict == ("admin", "rights_api", "proved")
        assert any("2,503 documents" in line for line in exposure.evidence), exposure.evidence
    else:
        assert verdict == ("auth_required", "unknown", "proved")
        with pytest.raises(RefusedError, match="no credential was given"):
            list(source.units(ReadLog()))
    assert (exposure.product, exposure.version) == ("MongoDB", server.version)
    assert server.dump() == before
    no_canary(exposure)


def test_everything_is_read(server: Mongo) -> None:
    before = server.dump()
    source = source_of(server, login=password("root"))
    with nothing_elsewhere(server.port):
        frames, log = read_all(source)
    assert source.read_as == ("stranger" if server.mode == "open" else "credential")
    assert {name: frame.height for name, frame in frames.items() if name.startswith(("shop.", "empty."))} == {
        "shop.customers": PEOPLE,
        f"shop.{ODD}": 1,
        "shop.fs.files": 1,
        "empty.nothing": 0,
    }
    people = frames["shop.customers"]
    assert people.columns == [
        "_id", "email", "born", "address.street", "address.city", "cards[]", "device", "balance", "visits"
    ]  # fmt: skip
    assert people["email"].to_list().count(CANARY) == 1
    assert set(people["visits"]) == set(range(PEOPLE))
    assert people["device"][3] == "00000000-0000-0000-0000-000000000003"
    assert [why for what, why in log.skipped if what == "shop.fs.chunks"]
    assert server.dump() == before
    no_canary(log, source.wire.footprint(), source)


def test_the_whole_scan_finds_what_was_seeded(server: Mongo) -> None:
    source = source_of(server, login=password("root"))
    report = Scanner(Options(threads=2)).scan_source(source, "mongodb://127.0.0.1")
    found = {(table.name, column.path) for table in report.tables for column in table.columns}
    mine = {path for name, path in found if name == "shop.customers"}
    assert mine == {"email", "born", "address.street", "address.city"}
    assert report.coverage.rows_read >= PEOPLE + 2
    no_canary(report, source)


def test_a_sample_is_drawn_by_the_server(server: Mongo) -> None:
    if server.name == "mongojava":
        return  # see below: it knows no $sample
    frames, log = read_all(source_of(server, login=password("root")), sample=50)
    people = frames["shop.customers"]
    assert people.height == 50
    assert people["visits"].to_list() != sorted(people["visits"])
    assert log.rows_listed >= PEOPLE


def test_a_wrong_credential_is_refused_and_not_shown(server: Mongo) -> None:
    if server.mode != "closed":
        return  # read as the stranger: the credential is never sent
    login = Credential("root", Secret(SECRET + "x"), origin="credentials file")
    with pytest.raises(RefusedError, match="not accepted") as caught:
        read_all(source_of(server, login=login))
    no_canary(caught.value)


@pytest.mark.servers
def test_the_least_privilege_of_the_docs_is_enough() -> None:
    made = Secantus("closed")
    if reason := made.available():
        pytest.skip(reason)
    with made:
        source = source_of(made, login=password("auditor"), suffix="/shop?authSource=shop")
        frames, _ = read_all(source)
        assert frames["shop.customers"].height == PEOPLE


# -- the product by its documents ------------------------------------------------------------------------------

FAST = WireLimits(first_byte=0.4, probe=0.8, service=2.0)
OPEN = ("admin", "rights_api", "proved")
CLOSED = ("auth_required", "unknown", "proved")
VERSIONS = [("2.6.12", 2), ("3.2.22", 4), ("3.6.23", 6), ("4.0.28", 7), ("4.4.29", 9), ("5.0.31", 13), ("7.0.14", 21),
            ("8.2.1", 27)]  # fmt: skip
DENIED = error(13, "Unauthorized")


def ask(answers, wire: int = 21):
    seen: list[dict[str, object]] = []
    with fake(mongod(answers, wire, seen)) as (port, _), nothing_elsewhere(port):
        exposure = open_source(parse_target(f"mongodb://127.0.0.1:{port}"), network=FAST).check_access()
    no_canary(exposure)
    return exposure, seen


@pytest.mark.parametrize(("version", "wire"), VERSIONS)
def test_versions(version: str, wire: int) -> None:
    exposure, seen = ask(open_answers(version, wire), wire)
    assert (exposure.state, exposure.rights_basis, exposure.confidence) == OPEN, exposure.evidence
    assert exposure.version == version
    assert any("startup warnings" in line for line in exposure.evidence)
    assert {command.get("comment", "plainview" if wire < 9 else None) for command in seen[1:]} == {"plainview"}
    exposure, _ = ask(closed_answers(version, wire), wire)
    assert (exposure.state, exposure.rights_basis, exposure.confidence) == CLOSED, exposure.evidence


@pytest.mark.parametrize(
    ("changed", "verdict"),
    [
        # the trap: a closed server whose version does not know authorizedDatabases answers with an empty list
        ({"listDatabases": {"databases": [], "ok": 1.0}, "getLog": DENIED}, CLOSED),
        ({"listDatabases": {"databases": [], "ok": 1.0}}, OPEN),
        ({"listDatabases": {"databases": [], "ok": 1.0}, "getLog": error(59, "CommandNotFound")},
         ("reachable_metadata", "unknown", "inconclusive")),
        ({"listDatabases": error(8000, "AtlasError")}, CLOSED),
        ({"listDatabases": {"ok": 0.0, "errmsg": "unauthorized"}}, CLOSED),
        ({"listDatabases": error(11600, "InterruptedAtShutdown", "interrupted")},
         ("reachable_metadata", "unknown", "inconclusive")),
        ({"listDatabases": {"databases": f"{CANARY}", "ok": 1.0}}, ("reachable_metadata", "unknown", "inconclusive")),
        ({"connectionStatus": error(59, "CommandNotFound")}, ("admin", "config", "proved")),
        ({"connectionStatus": error(59, "CommandNotFound"), "getLog": error(59, "CommandNotFound")},
         ("admin", "by_design", "probable")),
        ({"plainviewNone": {"ok": 1.0}}, ("admin", "rights_api", "looks_like_honeypot")),
        ({"isMaster": {"ok": 1.0}}, ("unknown", "unknown", "inconclusive")),
        ({"buildInfo": {"version": CANARY, "ok": 1.0}}, OPEN),
    ],
)  # fmt: skip
def test_documented_answers(changed, verdict: tuple[str, str, str]) -> None:
    exposure, _ = ask({**open_answers("7.0.14", 21), **changed})
    assert (exposure.state, exposure.rights_basis, exposure.confidence) == verdict, exposure.evidence


def test_members_are_recorded_and_never_asked() -> None:
    hello = {"ismaster": False, "secondary": True, "setName": CANARY, "me": "10.9.8.7:27017", "maxWireVersion": 21}
    hello |= {"hosts": ["10.9.8.7:27017", "10.9.8.8:27017"], "arbiters": [f"{CANARY}\x1b[2J"], "ok": 1.0}
    exposure, _ = ask({**open_answers("7.0.14", 21), "isMaster": hello})
    assert exposure.points_elsewhere == ("member to 10.9.8.8:27017", "member to an odd address")
    assert any("a secondary" in line for line in exposure.evidence)


def test_a_count_that_takes_too_long_changes_no_verdict() -> None:
    def slow(_):
        time.sleep(0.6)
        return {"n": 1, "ok": 1.0}

    exposure, _ = ask({**open_answers("7.0.14", 21), "count": slow})
    assert (exposure.state, exposure.confidence) == ("admin", "proved")
    assert "count gave no answer in time" in exposure.evidence


def test_a_ransom_note_is_told() -> None:
    answers = open_answers("7.0.14", 21)
    answers["listDatabases"] = {"databases": [{"name": "READ__ME_TO_RECOVER_YOUR_DATA"}], "ok": 1.0}
    exposure, _ = ask(answers)
    assert exposure.prior_access


def reading(answers, *, sample: int | None = None):
    with fake(mongod({**open_answers("7.0.14", 21), **answers}, 21)) as (port, _):
        source = open_source(parse_target(f"mongodb://127.0.0.1:{port}/shop"), network=FAST)
        log = ReadLog()
        frames, problem = [], ""
        for unit in source.units(log):
            try:
                for batch in source.read(unit, log, sample):
                    frames.append(batch)  # noqa: PERF402 - what came before an error counts
            except PlainviewError as caught:
                no_canary(caught)
                problem = caught.message
        no_canary(log)
        return frames, log, problem


def test_a_cursor_is_read_to_its_end_and_a_break_keeps_what_came() -> None:
    def find(command):
        return cursor("shop.people", {"email": CANARY}, {"email": "b"}, number=1 << 40)

    last = cursor("shop.people", {"email": "c"}, batch="nextBatch")
    frames, _, problem = reading({"find": find, "getMore": last})
    assert (sum(b.frame.height for b in frames), problem) == (3, "")
    frames, _, problem = reading({"find": find, "getMore": error(43, "CursorNotFound")})
    assert sum(b.frame.height for b in frames) == 2
    assert problem == "the server answered with error 43"


def test_without_sample_in_the_server_all_is_read_and_drawn_from() -> None:
    people = cursor("shop.people", *({"n": n} for n in range(40)))
    answers = {"find": people, "aggregate": error(40324, "Location40324"), "count": {"n": 40, "ok": 1.0}}
    frames, _, problem = reading(answers, sample=5)
    assert (sum(b.frame.height for b in frames), problem) == (5, "")
    assert "drawn from all documents" in frames[0].table.notes[0]


def test_a_broken_document_is_told_and_the_others_are_read() -> None:
    good = bson.encode({"email": "a@example.com"})
    raw = bson.encode({"cursor": {"firstBatch": [{"x": 1}, {"x": 2}], "id": Int64(0), "ns": "s.p"}, "ok": 1.0})
    broken = raw.replace(b"\x10x\0\x02", b"\x7ex\0\x02")
    docs, bad = batch(bytearray(broken))
    assert (docs, bad) == ([{"x": 1}], 1)
    assert batch(bytearray(raw)) == ([{"x": 1}, {"x": 2}], 0)
    assert good


def test_collections_that_are_not_read_are_named() -> None:
    listed = [
        {"name": "people", "type": "collection"},
        {"name": "grown", "type": "view", "options": {"viewOn": "people"}},
        {"name": "heat", "type": "timeseries"},
        {"name": "system.buckets.heat", "type": "collection"},
        {"name": "system.views", "type": "collection"},
        {"name": "system.users", "type": "collection"},
        {"name": "photos.chunks", "type": "collection"},
        {"name": "photos.files", "type": "collection"},
    ]
    frames, log, _ = reading({"listCollections": cursor("shop.$cmd.listCollections", *listed)})
    kinds = {b.table.name: b.table.kind for b in frames}
    assert kinds["shop.heat"] == "mongodb time series"
    assert set(kinds) == {"shop.people", "shop.heat", "shop.photos.files"}
    assert {b.table.notes for b in frames if b.table.name == "shop.people"} == {("1 views of it were not read again",)}
    assert {what for what, _ in log.skipped} == {"shop.system.users", "shop.photos.chunks"}


def test_an_old_server_is_asked_and_not_read() -> None:
    with fake(mongod(open_answers("2.6.12", 2), 2)) as (port, _):
        source = open_source(parse_target(f"mongodb://127.0.0.1:{port}"), network=FAST)
        with pytest.raises(PlainviewError, match=r"older than 3\.2"):
            list(source.units(ReadLog()))


# -- hostile servers ---------------------------------------------------------------------------------------------


def message(body: bytes, *, length: int | None = None, number: int = 1, kind: int = 1) -> bytes:
    prefix = b"\0\0\0\0\0" if kind == 2013 else b"\x08\0\0\0" + b"\0" * 12 + b"\1\0\0\0"
    size = 16 + len(prefix) + len(body) if length is None else length
    return struct.pack("<iiii", size, 9, number, kind) + prefix + body


def deep(levels: int) -> bytes:
    body = bson.encode({})
    for _ in range(levels):
        body = struct.pack("<i", len(body) + 8) + b"\x03a\0" + body + b"\0"
    return body


@pytest.mark.parametrize(
    "behave",
    [
        answer(b"HTTP/1.0 200 OK\r\n\r\nIt looks like you are trying to access MongoDB over HTTP"),
        answer(message(b"", length=0x7FFFFFFF)),
        answer(message(b"", length=-5)),
        answer(message(b"", length=3)),
        answer(message(bson.encode({"ismaster": True, "maxWireVersion": 21, "ok": 1}), number=77)),
        answer(message(b"\xff\xff\xff\x7f\0")),
        answer(message(deep(40))),
        answer(message(deep(3000))),
        answer(message(bson.encode({"ismaster": CANARY, "errmsg": CANARY, "ok": 0, "code": 13}))),
        answer(message(bson.encode({"x": "y" * 2_000_000}))),
        answer(b"\0" * 64),
        drip(b"", b"\x40" * 100, 0.3),
        endless(message(b"", length=1 << 19), b"x" * 1000),
        silent,
        reset,
    ],
)
def test_hostile(behave) -> None:
    with fake(behave) as (port, _), nothing_elsewhere(port):
        started = time.monotonic()
        exposure = open_source(parse_target(f"mongodb://127.0.0.1:{port}"), network=FAST).check_access()
        assert (exposure.state, exposure.confidence) == ("unknown", "inconclusive"), exposure
        assert time.monotonic() - started < 30
        no_canary(exposure)


# -- what the servers saw ------------------------------------------------------------------------------------------


@pytest.mark.servers
def test_the_profiler_saw_declared_commands_only() -> None:
    made = Secantus("open")
    if reason := made.available():
        pytest.skip(reason)
    with made:
        with made.client() as client:
            client["shop"].command("profile", 2)  # every operation becomes a document of system.profile
        read_all(source_of(made, suffix="/shop"))
        read_all(source_of(made, suffix="/shop"), sample=10)
        with made.client() as client:
            client["shop"].command("profile", 0)
            ops = list(client["shop"]["system.profile"].find())
    commands = {next(iter(op["command"])) for op in ops if op.get("command")} - {"profile"}
    declared = {next(iter(json.loads(p.document))) for p in probes.load("mongodb").values() if p.document}
    assert {"find", "listCollections"} <= commands <= declared


def test_only_declared_commands_are_sent_whatever_the_version() -> None:
    declared = {next(iter(json.loads(p.document))) for p in probes.load("mongodb").values() if p.document}
    for version, wire in VERSIONS:
        for answers in (open_answers(version, wire), closed_answers(version, wire)):
            _, seen = ask(answers, wire)
            assert {next(iter(command)) for command in seen} <= declared
            assert {command.get("client", {}).get("application", {}).get("name") for command in seen[:1]} == {
                "plainview"
            }
