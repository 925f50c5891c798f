"""etcd 3.4 and 3.5, the real servers; and hostile ones."""

from __future__ import annotations

import json
import re
import time

import pytest

from plainview.errors import PlainviewError, ProtocolError, RefusedError
from plainview.stores import open_source
from plainview.tables import ReadLog
from plainview.targets.parsing import parse_target
from plainview.wire import WireLimits, probes
from servers import CANARY, SECRET
from servers.caches import Etcd34, Etcd35
from servers.fake import always, fake, silent
from servers.kit import no_canary, nothing_elsewhere, password, read_all, server_fixture, source_of

server = server_fixture(Etcd34, Etcd35)

BASIS = {"etcd34": "by_design", "etcd35": "rights_api"}


def test_verdict(server: Etcd34) -> None:
    before = server.dump()
    source = source_of(server)
    with nothing_elsewhere(server.port):
        exposure = source.check_access()
    if server.mode == "open":
        assert (exposure.state, exposure.rights_basis, exposure.confidence) == ("admin", BASIS[server.name], "proved")
        assert any("1,502 keys" in line for line in exposure.evidence)
        assert any("1 secrets of a Kubernetes cluster" in line for line in exposure.evidence)
    else:
        assert (exposure.state, exposure.rights_basis, exposure.confidence) == ("auth_required", "unknown", "proved")
        with pytest.raises(RefusedError, match="no credential was given"):
            list(source.units(ReadLog()))
    assert exposure.product == "etcd"
    assert exposure.version.startswith(server.version)
    assert server.dump() == before
    no_canary(exposure)


def test_everything_is_read(server: Etcd34) -> None:
    before = server.dump()
    source = source_of(server, login=password("root"))
    with nothing_elsewhere(server.port):
        frames, log = read_all(source)
    assert source.read_as == ("stranger" if server.mode == "open" else "credential")
    assert {name: frame.height for name, frame in frames.items()} == {
        "/users/{}": 1500,
        "/app/{}": 1,
        "/registry/{}/{}/{}": 1,
    }
    users = frames["/users/{}"]
    assert users.columns == ["key", "value"]
    assert set(users["key"]) == {f"/users/{n}" for n in range(1500)}
    assert sum(CANARY in value for value in users["value"]) == 1
    assert (log.tables_listed, log.rows_listed, log.skipped) == (3, 1502, [])
    frames, log = read_all(source_of(server, login=password("root")), sample=5)
    assert frames["/users/{}"].height == 5
    assert log.rows_listed == 1502
    assert server.dump() == before
    no_canary(log, source.wire.footprint(), source)


def test_the_server_saw_declared_requests_only(server: Etcd34) -> None:
    """With the debug log on, etcd writes a line for each request of its API."""
    before = len(server.log)
    source = source_of(server, login=password("root"))
    source.check_access()
    read_all(source)
    time.sleep(0.2)
    lines = [json.loads(line) for line in server.log[before:].splitlines() if line.startswith("{")]
    methods = {line["method"] for line in lines if "method" in line}
    called = {line.get("grpc.method") or line.get("method", "").rpartition("/")[2] for line in lines} - {""}
    assert called <= {"Range", "Authenticate", "AuthStatus", ""}, (called, methods)


def test_a_wrong_credential_is_refused_and_not_shown(server: Etcd34) -> None:
    if server.mode == "open":
        return  # read as the stranger: the credential is never sent
    from plainview.targets.credentials import Credential
    from plainview.targets.secret import Secret

    login = Credential("root", Secret(SECRET + "x"), origin="credentials file")
    with pytest.raises(RefusedError, match="not accepted") as caught:
        read_all(source_of(server, login=login))
    no_canary(caught.value)


@pytest.mark.servers
def test_the_least_privilege_of_the_docs_is_enough() -> None:
    made = Etcd35("closed")
    if reason := made.available():
        pytest.skip(reason)
    with made:
        token = str(made.call("/v3/auth/authenticate", {"name": "root", "password": SECRET})["token"])
        everything = {"permType": "READ", "key": "AA==", "range_end": "AA=="}  # --prefix=true read ""
        made.call("/v3/auth/user/add", {"name": "auditor", "password": SECRET}, token)
        made.call("/v3/auth/role/add", {"name": "auditor"}, token)
        made.call("/v3/auth/role/grant", {"name": "auditor", "perm": everything}, token)
        made.call("/v3/auth/user/grant", {"user": "auditor", "role": "auditor"}, token)
        _, log = read_all(source_of(made, login=password("auditor")))
        assert log.rows_listed == 1502


# -- hostile servers --------------------------------------------------------------------------------------

FAST = WireLimits(first_byte=0.4, probe=0.8, service=2.0)


def http(status: str, body: bytes, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


VERSION = http("200 OK", b'{"etcdserver":"3.5.1","etcdcluster":"3.5.0"}')


@pytest.mark.parametrize(
    ("behave", "state"),
    [
        (always(VERSION), "reachable_metadata"),
        (always(http("200 OK", b"<html><form>log in")), "unknown"),
        (always(http("200 OK", b'{"etcdserver":"canary.7f3a@example.org"}')), "unknown"),
        (always(http("200 OK", b"[1]")), "unknown"),
        (always(http("302 Found", b"", "Location: http://10.9.8.7/")), "unknown"),
        (always(http("503 Service Unavailable", b"")), "unknown"),
        (silent, "unknown"),
    ],
)
def test_hostile(behave, state: str) -> None:
    with fake(behave) as (port, _), nothing_elsewhere(port):
        source = open_source(parse_target(f"etcd://127.0.0.1:{port}"), network=FAST)
        exposure = source.check_access()
        assert exposure.state == state
        assert exposure.confidence in ("inconclusive", "looks_like_honeypot")
        no_canary(exposure)
        with pytest.raises(PlainviewError) as caught:
            list(source.units(ReadLog()))
        no_canary(caught.value)


def by_path(answers: dict[str, bytes]):
    def behave(sock, data: bytes) -> None:
        while data:
            path = data.split(b" ")[1].decode()
            sock.sendall(next((a for k, a in answers.items() if path.startswith(k)), http("404 Not Found", b"{}")))
            data = sock.recv(65536)

    return behave


COUNT = http("200 OK", b'{"header":{"revision":"1"},"count":"3"}')


def test_what_answers_a_path_that_no_etcd_has_is_marked() -> None:
    answers = {"/version": VERSION, "/v3/": COUNT, "/plainview": http("200 OK", b"{}")}
    with fake(by_path(answers)) as (port, _):
        exposure = open_source(parse_target(f"etcd://127.0.0.1:{port}"), network=FAST).check_access()
        assert exposure.confidence == "looks_like_honeypot"


def test_pages_that_never_end_are_stopped() -> None:
    page = http("200 OK", b'{"header":{},"kvs":[{"key":"AQ==","value":"eA=="}],"more":true,"count":"3"}')
    with fake(by_path({"/version": VERSION, "/v3/kv": page})) as (port, _):
        source = open_source(parse_target(f"etcd://127.0.0.1:{port}"), network=FAST)
        with pytest.raises(ProtocolError, match="do not come to an end"):
            read_all(source)


@pytest.mark.parametrize(
    ("version", "api"), [("3.2.1", "v3alpha"), ("3.3.9", "v3beta"), ("3.4.0", "v3"), ("3.7.0", "v3")]
)
def test_the_gateway_lies_where_its_version_has_it(version: str, api: str) -> None:
    answers = {"/version": http("200 OK", b'{"etcdserver":"%s"}' % version.encode()), f"/{api}/kv": COUNT}
    with fake(by_path(answers)) as (port, _):
        exposure = open_source(parse_target(f"etcd://127.0.0.1:{port}"), network=FAST).check_access()
        assert (exposure.state, exposure.version) == ("admin", version)


def test_no_put_is_declared() -> None:
    assert not [probe.id for probe in probes.load("etcd").values() if re.search("put|delete|txn|compact", probe.path)]


def test_the_old_interface_may_be_open_where_the_new_one_is_closed() -> None:
    """Each has users of its own: a refused range says nothing of v2."""
    refused = http("400 Bad Request", b'{"error":"etcdserver: user name is empty"}')
    old = http("200 OK", b'{"action":"get","node":{"dir":true,"nodes":[{"key":"/a","value":"b"}]}}')
    answers = {"/version": VERSION, "/v3/": refused, "/v2/keys": old}
    with fake(by_path(answers)) as (port, _):
        source = open_source(parse_target(f"etcd://127.0.0.1:{port}"), network=FAST)
        assert source.check_access().state == "lists"
        with pytest.raises(RefusedError, match="no credential was given"):
            list(source.units(ReadLog()))
    with fake(by_path({**answers, "/v2/keys": http("404 Not Found", b"")})) as (port, _):
        closed = open_source(parse_target(f"etcd://127.0.0.1:{port}"), network=FAST).check_access()
        assert (closed.state, closed.confidence) == ("auth_required", "proved")
