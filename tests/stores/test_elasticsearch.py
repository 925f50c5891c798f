"""Elasticsearch 7, 8, 9 and OpenSearch 2, 3, open, closed, and with rights for anonymous requests."""

from __future__ import annotations

import re

import msgspec
import pytest

from plainview.errors import RefusedError
from plainview.pipeline.scanner import Options, Scanner
from plainview.report.model import Report
from plainview.report.render.text import render as render_text
from plainview.stores.elasticsearch import pages
from plainview.tables import ReadLog
from plainview.targets.credentials import Credential
from plainview.targets.secret import Secret
from plainview.wire import probes
from servers.base import CANARY, SECRET
from servers.elastic import (
    PEOPLE,
    Elasticsearch7,
    Elasticsearch8,
    Elasticsearch9,
    OpenSearch2,
    OpenSearch3,
    Search,
)
from servers.kit import no_canary, nothing_elsewhere, password, read_all, server_fixture, source_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]
PRODUCTS = (Elasticsearch7, Elasticsearch8, Elasticsearch9, OpenSearch2, OpenSearch3)
server = server_fixture(*PRODUCTS, modes=("open", "closed", "reader"))

VERDICTS = {
    "open": ("admin", "by_design", "proved"),
    "closed": ("auth_required", "unknown", "proved"),
    "elasticsearch8-reader": ("reads", "rights_api", "proved"),
    "opensearch2-reader": ("reads", "unknown", "proved"),
}
SEEDED = {
    "customers": {
        "name": "person_name",
        "email": "email_address",
        "address.city": "city",
        "phones[]": "telephone_number",
    },
    "orders-2024": {"items[].gift_for": "email_address"},
    ".profiles": {"username": "username", "ip": "ip_address"},
    "events-web": {"client.ip": "ip_address"},
    "empty": {},
}


@pytest.fixture(scope="module")
def scanner() -> Scanner:
    return Scanner()


def kind_of(server: Search) -> str:
    return server.mode if server.mode in VERDICTS else f"{server.name}-{server.mode}"


def admin(server: Search) -> Credential:
    return password(server.user)


def requests_during(server: Search, what) -> list[tuple[str, str]]:
    before = len(server.log)
    what()
    return server.requests(server.log[before:])


def declared(request: tuple[str, str]) -> bool:
    method, path = request
    for probe in probes.load("elasticsearch").values():
        pattern = "[^?]*".join(map(re.escape, re.split(r"<[a-z]+>", probe.path)))
        if probe.method == method and re.fullmatch(pattern, path):
            return True
    return False


def test_the_verdict_is_exactly_right(server):
    source = source_of(server)
    with nothing_elsewhere(server.port):
        seen = source.check_access()
    assert (seen.state, seen.rights_basis, seen.confidence) == VERDICTS[kind_of(server)], seen.evidence
    assert seen.product == ("OpenSearch" if server.package == "opensearch" else "Elasticsearch")
    known = server.mode != "closed" or server.name == "opensearch3"
    assert seen.version == (server.version if known else None)
    assert any("read me to recover" in line for line in seen.prior_access) == (
        server.mode == "open" or kind_of(server) == "opensearch2-reader"  # it lists by the state of the cluster
    )
    assert all(request.footprint for request in seen.footprint)
    no_canary(seen, source)


def test_only_declared_requests_and_nothing_changes(server, scanner):
    login = admin(server) if server.mode == "closed" else None
    before = server.dump()
    sent = requests_during(server, lambda: scanner.scan_source(source_of(server, login=login), server.url))
    assert server.dump() == before
    assert len(sent) > 5
    assert not [request for request in sent if not declared(request)]
    assert {method for method, _ in sent} <= {"GET", "POST", "DELETE"}
    assert all("/_search" in path for method, path in sent if method == "POST")
    assert all(path == "/_search/scroll" for method, path in sent if method == "DELETE")


def test_the_columns_found_are_those_seeded(server, scanner):
    login = admin(server) if server.mode == "closed" else None
    report = scanner.scan_source(source_of(server, login=login), server.url)
    assert report.coverage.read_as == ("credential" if login else "stranger")
    found = {t.name: {c.path: c.category for c in t.columns} for t in report.tables}
    skipped = {line.what: line.why for line in report.coverage.skipped}
    if server.mode == "reader":
        assert found["customers"] == SEEDED["customers"]
        assert found["events-web"] == SEEDED["events-web"]
        return
    assert {name: found[name] for name in SEEDED} == SEEDED
    assert "_source is disabled" in skipped["unkept"]
    assert skipped["archive"].startswith("closed")
    rows = {t.name: t.rows_read for t in report.tables}
    assert rows["customers"] == PEOPLE
    assert rows["orders-2024"] == 400  # nested documents are not counted as documents
    assert rows["events-web"] == 1000  # one table for both parts of the data stream
    assert not [name for name in rows if name.startswith(".ds-") or name == "people"]
    guarded = [name for name in skipped if name.startswith((".security", ".opendistro_security"))]
    assert all("password hashes" in skipped[name] for name in guarded)
    # The test archives of Elasticsearch cannot make theirs.
    assert bool(guarded) == (server.mode == "closed" and server.package == "opensearch")
    total = PEOPLE + 400 + 200 + 1000 + 60 + 1
    assert report.coverage.rows_listed >= total
    text = render_text(Report(targets=(report,)), verbose=True)
    no_canary(report, msgspec.json.encode(report).decode(), text)


def test_a_closed_server_without_a_credential_is_not_read(server):
    if server.mode != "closed":
        return  # the stranger may read here
    source = source_of(server)
    with pytest.raises(RefusedError) as refused:
        list(source.units(ReadLog()))
    wrong = source_of(server, login=Credential(server.user, Secret(f"{SECRET}x"), origin="credentials file"))
    with pytest.raises(RefusedError) as not_accepted:
        list(wrong.units(ReadLog()))
    assert "not accepted (credentials file)" in str(not_accepted.value)
    no_canary(refused.value, not_accepted.value, wrong, wrong.check_access())


def test_the_least_privilege_of_the_docs_is_enough(server):
    if server.mode != "closed":
        return  # no credential is needed here
    frames, log = read_all(source_of(server, login=password("auditor")))
    assert frames["customers"].height == PEOPLE
    assert frames["events-web"].height == 1000
    assert frames["orders-2024"].height == 400
    assert frames[".profiles"].height == 200
    assert "closed" in dict(log.skipped)["archive"]
    assert not [why for _, why in log.skipped if "permission" in why or "refused" in why]


def test_a_token_that_the_server_does_not_know(server):
    if kind_of(server) != "closed" or server.name != "elasticsearch8":
        return  # one server is enough
    for token in ("an-access-token", "ApiKey YWJjZGVmZ2hpamtsbW5vcA==", "Bearer x"):
        login = Credential(None, Secret(token), token=True, origin="credentials file")
        with pytest.raises(RefusedError, match="not accepted"):
            list(source_of(server, login=login).units(ReadLog()))


def test_pages_scrolls_and_samples(server, monkeypatch):
    if server.mode == "reader":
        return  # rights are tested above
    login = admin(server) if server.mode == "closed" else None
    monkeypatch.setattr(pages, "MOST", 700)
    monkeypatch.setattr(pages, "LESS", 500)
    before = server.open_contexts()
    frames, log = read_all(source_of(server, login=login, suffix="/customers,events-*"))
    assert sorted(frames["customers"]["visits"]) == list(range(PEOPLE))
    assert frames["customers"]["email"].to_list().count(CANARY) == 1
    assert sorted(frames["events-web"]["n"]) == list(range(1000))
    assert "_id" in frames["customers"].columns  # ids that the user made
    assert "_id" not in frames["events-web"].columns  # ids that the server made
    assert not log.skipped
    assert log.rows_listed == PEOPLE + 1000
    assert server.open_contexts() == before  # every scroll was ended
    for wanted in (40, 1500):
        drawn, _ = read_all(source_of(server, login=login, suffix="/customers"), sample=wanted)
        assert drawn["customers"].height == wanted
        assert drawn["customers"]["visits"].n_unique() == wanted
        assert PEOPLE * 0.3 < drawn["customers"]["visits"].mean() < PEOPLE * 0.7
    sampled = Scanner(Options(sample=40)).scan_source(source_of(server, login=login, suffix="/customers"), "x")
    assert "random_score" in sampled.tables[0].notes[0]
    assert sampled.coverage.sampled


def test_an_alias_and_names_that_are_none(server):
    if server.mode != "open":
        return  # rights are tested above
    frames, log = read_all(source_of(server, suffix="/people,nothing-*,.security-7"))
    assert {name: frame.height for name, frame in frames.items()} == {"people": PEOPLE}
    assert dict(log.skipped)["nothing-*"] == "no index has such a name"
    assert "password hashes" in dict(log.skipped)[".security-7"]


def test_read_only_indices_are_told(server):
    if server.name != "elasticsearch8" or server.mode != "open":
        return  # one server is enough
    server.call("PUT", "/customers/_settings", {"index.blocks.write": True})
    try:
        seen = source_of(server).check_access()
        assert seen.state == "admin"
        assert any("1 index is set read-only" in line for line in seen.evidence)
    finally:
        server.call("PUT", "/customers/_settings", {"index.blocks.write": None})


def test_what_is_not_refreshed_is_told(server: Search) -> None:
    """As while an index is filled: the documents are there, and no search shows them."""
    if server.mode != "open":
        pytest.skip("the same with a credential")
    settings = {"refresh_interval": "-1", "number_of_shards": 1, "number_of_replicas": 0}
    server.call("PUT", "/filled", {"settings": settings})
    try:
        for some in (range(50), range(50, 300)):
            lines = [line for n in some for line in ({"index": {}}, {"email": f"p{n}@example.com", "text": "x" * 400})]
            server.call("POST", "/filled/_bulk", lines)
            if not some.start:
                server.call("POST", "/filled/_refresh")
        for flushed in (False, True):
            if flushed:
                server.call("POST", "/filled/_flush")
            frames, log = read_all(source_of(server, suffix="/filled"))
            assert frames["filled"].height == 50
            assert [(what, "refresh is switched off" in why) for what, why in log.skipped] == [("filled", True)]
        assert "50 of 300 documents came" in log.skipped[0][1]
    finally:
        server.call("DELETE", "/filled")
