"""Google Cloud Storage: fake-gcs-server, which is always open; and answers as Google documents them."""

from __future__ import annotations

import json
import re
import time

import pytest

from plainview.errors import PlainviewError, ProtocolError, RefusedError
from plainview.files.kinds.identify import IMAGE, KEPT
from plainview.stores import open_source
from plainview.tables import ReadLog
from plainview.targets.credentials import Credential, Credentials
from plainview.targets.parsing import parse_target
from plainview.targets.secret import Secret
from plainview.wire import WireLimits, probes
from servers import SECRET
from servers.fake import fake
from servers.kit import no_canary, nothing_elsewhere, read_all, server_fixture, source_of
from servers.objects import FOUND, FakeGcs, _sources_are_closed, found_columns, scanned  # noqa: F401

server = server_fixture(FakeGcs, modes=("open",))
FAST = WireLimits(first_byte=0.5, probe=1.0, service=4.0, idle=1.0)


def test_verdict_and_reading(server: FakeGcs) -> None:
    before = server.dump()
    source = source_of(server)
    with nothing_elsewhere(server.port):
        report = scanned(source, server.url)
        source.close()
    exposure = report.exposure
    assert (exposure.state, exposure.rights_basis, exposure.confidence) == ("reads", "unknown", "proved")
    assert found_columns(report) == FOUND
    skipped = {(line.what, line.why) for line in report.coverage.skipped}
    assert skipped == {("photo.jpg", f"JPEG, an image; {KEPT[IMAGE]}")}
    assert server.dump() == before
    no_canary(report, source)


def test_the_server_saw_declared_requests_only(server: FakeGcs) -> None:
    log = server.access_log()
    source = source_of(server)
    scanned(source, server.url)
    source.close()
    time.sleep(0.2)
    seen = server.access_log()[len(log) :]
    assert set(seen) == {"GET"}
    assert len(seen) == sum(request.count for request in source.wire.footprint())


def test_one_object_and_a_folder(server: FakeGcs) -> None:
    for path, names in (("hr/people.csv", {"people.csv"}), ("hr", {"people.csv", "2024/pay roll+é%41.csv"})):
        source = open_source(parse_target(server.url.replace("?", f"/{path}?")), credentials=Credentials.none())
        assert set(read_all(source)[0]) == names


def test_a_bucket_that_is_not_there(server: FakeGcs) -> None:
    target = parse_target(server.url.replace("exports", "plainview-nowhere"))
    assert open_source(target, credentials=Credentials.none()).check_access().state == "unreachable"


# -- what Google says, by its documentation ----------------------------------------------------------------


def http(status: str, body: object = None, *headers: str) -> bytes:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(data)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + data


def rights(*names: str) -> bytes:
    return http("200 OK", {"kind": "storage#testIamPermissionsResponse", "permissions": list(names)})


def by_request(answers: dict[str, bytes]):
    def behave(sock, data: bytes) -> None:
        while data:
            line = data.split(b"\r\n")[0].decode("latin-1")
            found = (reply for pattern, reply in answers.items() if re.match(pattern, line))
            sock.sendall(next(found, http("404 Not Found", {"error": {"code": 404}})))
            data = sock.recv(65536)

    return behave


def opened(port: int, path: str = "b", **options):
    return open_source(parse_target(f"gs://{path}?endpoint=http://127.0.0.1:{port}"), network=FAST, **options)


LIST, RIGHTS, HEAD, ANY = r"GET /storage/v1/b/b/o\?", r"GET \S*testPerm", r"GET \S*/o/a\.csv\?fields", "GET"
DENIED = http("401 Unauthorized", {"error": {"code": 401, "message": "Anonymous caller does not have …"}})
LISTED = http("200 OK", {"items": [{"name": "a.csv", "size": "8"}]})


@pytest.mark.parametrize(
    ("answers", "state", "basis", "confidence"),
    [
        ({RIGHTS: rights(), ANY: DENIED}, "auth_required", "rights_api", "proved"),
        ({ANY: DENIED}, "auth_required", "unknown", "probable"),
        ({}, "unreachable", "unknown", "proved"),
        ({LIST: DENIED, RIGHTS: rights("storage.objects.get")}, "reads", "rights_api", "proved"),
        ({LIST: LISTED, HEAD: http("200 OK", {"size": "8"}), RIGHTS: rights("storage.objects.list")}, "reads", "rights_api", "proved"),
        ({LIST: LISTED, RIGHTS: rights("storage.objects.list", "storage.objects.create")}, "writes", "rights_api", "proved"),
        ({LIST: DENIED, RIGHTS: rights("storage.objects.delete")}, "writes", "rights_api", "proved"),
        ({LIST: LISTED, RIGHTS: rights("storage.buckets.setIamPolicy")}, "admin", "rights_api", "proved"),
        ({LIST: LISTED, RIGHTS: http("200 OK", {"permissions": ["storage.objects.get"]})}, "lists", "unknown", "proved"),
        ({LIST: LISTED, ANY: http("200 OK", {})}, "reads", "unknown", "looks_like_honeypot"),
        ({LIST: http("200 OK", b"<html>log in")}, "unknown", "unknown", "inconclusive"),
        ({LIST: http("400 Bad", {"error": {"message": "UserProjectMissing"}})}, "unknown", "unknown", "inconclusive"),
        ({LIST: http("302 Found", {}, "Location: http://10.9.8.7/")}, "unknown", "unknown", "inconclusive"),
    ],
)  # fmt: skip
def test_what_the_answers_mean(answers: dict[str, bytes], state: str, basis: str, confidence: str) -> None:
    with fake(by_request(answers)) as (port, _), nothing_elsewhere(port):
        exposure = opened(port).check_access()
    assert (exposure.state, exposure.rights_basis, exposure.confidence) == (state, basis, confidence), exposure.evidence


def test_a_token_reads_what_is_closed() -> None:
    def behave(sock, data: bytes) -> None:
        while data:
            line = data.split(b"\r\n")[0]
            if b"testPerm" in line:
                sock.sendall(rights())
            elif f"Authorization: Bearer {SECRET}".encode() not in data:
                sock.sendall(DENIED)
            else:
                sock.sendall(http("200 OK", b"a,b\n1,2\n\n") if b"alt=media" in line else LISTED)
            data = sock.recv(65536)

    with fake(behave) as (port, _):
        target = parse_target(f"gs://b?endpoint=http://127.0.0.1:{port}")
        login = Credential(None, Secret(SECRET), token=True, origin="credentials file")
        source = opened(port, credentials=Credentials(((target, login),), environment={}))
        report = scanned(source, "gs://b")
        assert (source.read_as, report.exposure.state, report.exposure.confidence) == (
            "credential",
            "auth_required",
            "proved",
        )
        assert [table.name for table in report.tables] == ["a.csv"]
        no_canary(report, source.wire.footprint())
        wrong = Credential("u", Secret(SECRET), origin="credentials file")
        source = opened(port, credentials=Credentials(((target, wrong),), environment={}))
        with pytest.raises(RefusedError, match="access token") as caught:
            list(source.units(ReadLog()))
        no_canary(caught.value)


@pytest.mark.parametrize(
    "body", [{"items": 5}, {"items": ["x"]}, {"items": [{"name": 7}]}, {"nextPageToken": 7}, [], b"{", b"[" * 100_000]
)
def test_odd_lists(body: object) -> None:
    with fake(by_request({LIST: http("200 OK", body)})) as (port, _):
        source = opened(port)
        assert source.check_access().state == "unknown"
        with pytest.raises(PlainviewError):
            list(source.units(ReadLog()))


def test_pages_that_never_end_are_stopped() -> None:
    page = http("200 OK", {"items": [{"name": "a.csv", "size": "8"}], "nextPageToken": "again"})
    with fake(by_request({LIST: page, HEAD: http("200 OK", {"size": "8"})})) as (port, _):
        source = opened(port)
        with pytest.raises(ProtocolError, match="do not come to an end"):
            list(source.units(ReadLog()))


def test_no_request_writes() -> None:
    assert {probe.method for probe in probes.load("gs").values()} == {"GET"}
