"""CouchDB's interface: pouchdb-server, open and closed; fakes that answer as CouchDB 2 and 3 do; hostile ones."""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Callable, Mapping

import msgspec
import pytest

from plainview.errors import PlainviewError, RefusedError
from plainview.pipeline.scanner import Scanner
from plainview.report.model import Report
from plainview.report.render.text import render as render_text
from plainview.stores import open_source
from plainview.stores.couchdb import source as couchdb
from plainview.tables import ReadLog
from plainview.targets.credentials import Credential, Credentials
from plainview.targets.parsing import parse_target
from plainview.targets.secret import Secret
from plainview.wire import WireLimits, probes
from servers.base import CANARY, SECRET
from servers.couch import PEOPLE, PouchDB
from servers.fake import always, drip, endless, fake, reset, silent
from servers.kit import no_canary, nothing_elsewhere, password, read_all, server_fixture, source_of

server = server_fixture(PouchDB)
SEEDED = {
    "people": {"name": "person_name", "email": "email_address", "address.city": "city"},
    "empty": {},
    "odd+name(1)$": {"ip": "ip_address", "_id": "email_address"},
    "wegeturdb": {},
}


def login_of(server: PouchDB) -> Credential | None:
    return password("admin") if server.closed else None


def test_the_verdict_is_exactly_right(server: PouchDB) -> None:
    source = source_of(server)
    with nothing_elsewhere(server.port):
        seen = source.check_access()
    expected = ("lists", "unknown", "proved") if server.closed else ("admin", "rights_api", "proved")
    assert (seen.state, seen.rights_basis, seen.confidence) == expected, seen.evidence
    assert (seen.product, seen.version) == ("PouchDB Server", "4.2.0")
    assert len(seen.prior_access) == 1
    assert "intruders sign with" in seen.prior_access[0]
    no_canary(seen, source)


def test_the_columns_found_are_those_seeded(server: PouchDB) -> None:
    report = Scanner().scan_source(source_of(server, login=login_of(server)), server.url)
    found = {t.name: {c.path: c.category for c in t.columns} for t in report.tables}
    assert {name: columns for name, columns in found.items() if name in SEEDED} == SEEDED
    rows = {t.name: t.rows_read for t in report.tables}
    assert rows["people"] == PEOPLE
    assert rows["people/_design"] == 1
    assert report.coverage.read_as == ("credential" if server.closed else "stranger")
    assert report.coverage.rows_listed == report.coverage.rows_read
    no_canary(report, msgspec.json.encode(report).decode(), render_text(Report(targets=(report,)), verbose=True))


def test_pages_and_samples(server: PouchDB, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(couchdb, "FIRST", 7)
    monkeypatch.setattr(couchdb, "MOST", 600)
    frames, log = read_all(source_of(server, login=login_of(server)))
    people = frames["people"]
    assert sorted(people["_id"]) == [f"person-{n:05}" for n in range(PEOPLE)]
    assert people["email"].to_list().count(CANARY) == 1
    assert sorted(frames["odd+name(1)$"]["_id"]) == sorted([CANARY, "b'\"\\ü"])
    assert not log.skipped
    drawn, _ = read_all(source_of(server, login=login_of(server), suffix="/people"), sample=20)
    assert drawn["people"].height == 20


def test_only_declared_requests_and_nothing_changes(server: PouchDB) -> None:
    before = server.dump()
    time.sleep(0.3)
    lines = len(server.requests())
    read_all(source_of(server, login=login_of(server)))
    time.sleep(0.5)
    sent = [
        (found[1], found[2])
        for line in server.requests()[lines:]
        if (found := re.search(r" - - ([A-Z]+) (/\S*) [0-9]+$", line))
    ]
    assert len(sent) > 8
    for method, path in sent:
        patterns = ["[^?]*".join(map(re.escape, re.split(r"<(?:database|none)>", p.path))) for p in PROBES]
        patterns = [re.sub(r"<[a-z]+>", "[^&]*", pattern) for pattern in patterns]
        assert method == "GET"
        assert any(re.fullmatch(pattern, path) for pattern in patterns), path
    assert server.dump() == before


PROBES = list(probes.load("couchdb").values())


def test_wrong_credentials(server: PouchDB) -> None:
    if not server.closed:
        return  # read as the stranger: the credential is never sent
    with pytest.raises(RefusedError) as refused:
        list(source_of(server).units(ReadLog()))
    wrong = source_of(server, login=Credential("admin", Secret(SECRET + "x"), origin="credentials file"))
    with pytest.raises(PlainviewError) as caught:
        read_all(wrong)
    no_canary(refused.value, caught.value, wrong)


# -- CouchDB itself, by its documented answers ------------------------------------------------------------

FAST = WireLimits(first_byte=0.4, probe=0.8, service=2.0)
DENIED = (401, {"error": "unauthorized", "reason": "You are not a server admin."})


def http(status: int, body: object, *headers: str) -> bytes:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} x", f"Content-Length: {len(data)}", "Server: CouchDB/3.3.3 (Erlang OTP/24)"]
    return "\r\n".join([*lines, *headers, "", ""]).encode() + data


def product(answers: Mapping[str, tuple[int, object]]) -> Callable[[socket.socket, bytes], None]:
    """Answer by path; what is not listed is missing."""

    def behave(sock: socket.socket, data: bytes) -> None:
        while data:
            path = data.split(b" ", 2)[1].decode().partition("?")[0]
            sock.sendall(http(*answers.get(path, (404, {"error": "not_found", "reason": "no_db_file"}))))
            data = sock.recv(65536)

    return behave


WELCOME = {"couchdb": "Welcome", "version": "3.3.3", "vendor": {"name": "The Apache Software Foundation"}}
NOBODY = {"ok": True, "userCtx": {"name": None, "roles": []}}
PARTY = {"ok": True, "userCtx": {"name": None, "roles": ["_admin"]}}
DOCS = {"total_rows": 2, "offset": 0, "rows": [{"id": "a", "doc": {"_id": "a", "email": CANARY}}]}
EMPTY_ROWS = {"total_rows": 2, "offset": 0, "rows": []}
PUBLIC = {"admins": {"names": [], "roles": []}, "members": {"names": [], "roles": []}}
CASES = {
    "3.3 as installed": (
        {"/": (200, WELCOME), "/_all_dbs": DENIED, "/_session": (200, NOBODY)},
        ("reachable_metadata", "unknown", "proved"),
    ),
    "3.3 that asks everybody": (
        dict.fromkeys(["/", "/_all_dbs", "/_session"], DENIED),
        ("auth_required", "unknown", "proved"),
    ),
    "2.3 admin party": (
        {
            "/": (200, WELCOME | {"version": "2.3.1"}),
            "/_all_dbs": (200, ["people"]),
            "/_session": (200, PARTY),
            "/people/_all_docs": (200, EMPTY_ROWS),
        },
        ("admin", "rights_api", "proved"),
    ),
    "2.3 with an administrator, a public database and one with members": (
        {
            "/": (200, WELCOME | {"version": "2.3.1"}),
            "/_all_dbs": (200, ["closed", "people"]),
            "/_session": (200, NOBODY),
            "/people/_all_docs": (200, EMPTY_ROWS),
            "/people/_security": (200, PUBLIC),
            "/closed/_all_docs": DENIED,
        },
        ("writes", "rights_api", "probable"),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_answers_of_couchdb(name: str) -> None:
    answers, expected = CASES[name]
    with fake(product(answers)) as (port, _), nothing_elsewhere(port):
        seen = open_source(parse_target(f"couchdb://127.0.0.1:{port}"), network=FAST).check_access()
        assert (seen.state, seen.rights_basis, seen.confidence) == expected, seen.evidence
        assert seen.product == "CouchDB"
        assert seen.version in ("3.3.3", "2.3.1")


def test_half_a_database_is_told() -> None:
    answers = CASES["2.3 admin party"][0] | {"/people/_all_docs": (200, DOCS)}
    with fake(product(answers)) as (port, _):
        source = open_source(parse_target(f"couchdb://127.0.0.1:{port}"), network=FAST)
        log = ReadLog()
        [unit] = source.units(log)
        batches = source.read(unit, log)
        assert next(batches).frame.height == 1
        with pytest.raises(PlainviewError, match=r"1 of 2 documents came"):
            list(batches)


def test_attachments_are_told_and_own_ids_left_out() -> None:
    docs = [{"_id": f"{n:032x}", "_rev": "1-a", "n": n} for n in range(3)]
    docs[1]["_attachments"] = {"cv.pdf": {"stub": True, "length": 9}}
    rows = {"total_rows": 3, "rows": [{"id": doc["_id"], "doc": doc} for doc in docs]}
    answers = CASES["2.3 admin party"][0] | {"/people/_all_docs": (200, json.dumps(rows, indent=1).encode())}
    with fake(product(answers)) as (port, _):
        frames, log = read_all(open_source(parse_target(f"couchdb://127.0.0.1:{port}"), network=FAST))
    assert "_id" not in frames["people"].columns
    assert "_rev" not in frames["people"].columns
    assert log.skipped == [("people", "1 documents have attachments: files inside documents are not read")]


@pytest.mark.parametrize(
    ("behave", "confidence"),
    [
        (always(http(200, WELCOME)), "looks_like_honeypot"),
        (always(http(200, b"<html><form>log in")), "inconclusive"),
        (always(http(200, {"couchdb": CANARY})), "inconclusive"),
        (always(http(200, b"[" * 5000)), "inconclusive"),
        (always(http(302, b"", "Location: http://10.9.8.7/")), "inconclusive"),
        (always(http(503, b"")), "inconclusive"),
        (always(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{"), "inconclusive"),
        (endless(b"HTTP/1.1 200 OK\r\n\r\n{", b" " * 65536), "inconclusive"),
        (drip(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n", b"{" * 99, 0.05), "inconclusive"),
        (silent, "inconclusive"),
        (reset, "inconclusive"),
    ],
)
def test_hostile(behave, confidence: str) -> None:
    with fake(behave) as (port, _), nothing_elsewhere(port):
        seen = open_source(parse_target(f"couchdb://127.0.0.1:{port}"), network=FAST).check_access()
        assert seen.confidence == confidence
        assert seen.state in ("unknown", "reachable_metadata")
        no_canary(seen)


def test_a_list_without_end_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(couchdb, "MOST", 500)
    rows = {"total_rows": 600, "rows": [{"id": f"{n}", "doc": {"n": n}} for n in range(500)]}
    answers = CASES["2.3 admin party"][0] | {"/people/_all_docs": (200, rows)}
    with fake(product(answers)) as (port, _), pytest.raises(PlainviewError, match="does not come to an end"):
        read_all(open_source(parse_target(f"couchdb://127.0.0.1:{port}")))


def test_a_credential_goes_only_where_it_is_needed() -> None:
    answers = CASES["3.3 as installed"][0] | {"/people/_all_docs": (200, DOCS)}
    with fake(product(answers)) as (port, seen):
        target = parse_target(f"couchdb://127.0.0.1:{port}/people")
        credentials = Credentials(((target, password("admin")),), environment={})
        source = open_source(target, credentials=credentials, network=FAST)
        source.check_access()
        assert not [data for data in seen if b"Authorization" in data]
