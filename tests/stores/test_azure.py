"""Azure Blob storage: Azurite, Microsoft's emulator; and hostile servers. Azure itself was not tried."""

from __future__ import annotations

import datetime as dt
import re
import time

import pytest

from plainview.errors import ProtocolError, RefusedError, TargetError
from plainview.files.kinds.identify import IMAGE, KEPT
from plainview.stores import open_source
from plainview.stores.azure.source import shared_key
from plainview.tables import ReadLog
from plainview.targets.credentials import Credential, Credentials
from plainview.targets.parsing import parse_target
from plainview.targets.secret import Secret
from plainview.wire import WireLimits, probes
from servers import SECRET
from servers.fake import fake
from servers.kit import no_canary, nothing_elsewhere, read_all, server_fixture, source_of
from servers.objects import (  # noqa: F401
    AZURE_KEY,
    FOUND,
    Azurite,
    _sources_are_closed,
    account_sas,
    found_columns,
    scanned,
)

server = server_fixture(Azurite, modes=("open", "nolist", "closed"))
LOGIN = Credential("devstoreaccount1", Secret(AZURE_KEY), origin="credentials file")
FAST = WireLimits(first_byte=0.5, probe=1.0, service=4.0, idle=1.0)


def secretless(*things: object) -> None:
    no_canary(*things)
    for thing in things:
        assert AZURE_KEY not in f"{thing!r} {thing!s}"


def test_verdict(server: Azurite) -> None:
    before = server.dump()
    source = source_of(server)
    with nothing_elsewhere(server.port):
        exposure = source.check_access()
    expected = {
        "open": ("reads", "by_design", "proved"),
        "nolist": ("reads", "by_design", "probable"),
        "closed": ("auth_required", "unknown", "probable"),
    }
    assert (exposure.state, exposure.rights_basis, exposure.confidence) == expected[server.mode], exposure.evidence
    assert exposure.product == "Azurite-Blob"
    assert any("public access level is 'container'" in line for line in exposure.evidence) == (server.mode == "open")
    assert server.dump() == before
    secretless(exposure)


def test_a_stranger_who_knows_names_is_asked_for(server: Azurite) -> None:
    exposure = source_of(server, login=LOGIN).check_access()
    expected = ("auth_required", "unknown") if server.closed else ("reads", "by_design")
    assert (exposure.state, exposure.rights_basis, exposure.confidence) == (*expected, "proved"), exposure.evidence


@pytest.mark.parametrize("login", ["key", "sas"])
def test_everything_is_read(server: Azurite, login: str) -> None:
    before = server.dump()
    sas = Credential(None, Secret(account_sas()), token=True, origin="credentials file")
    source = source_of(server, login=LOGIN if login == "key" else sas)
    with nothing_elsewhere(server.port):
        report = scanned(source, server.url)
        source.close()
    assert source.read_as == ("stranger" if server.mode == "open" else "credential")
    assert found_columns(report) == FOUND
    skipped = {(line.what, line.why) for line in report.coverage.skipped}
    assert skipped == {("photo.jpg", f"JPEG, an image; {KEPT[IMAGE]}")}
    assert server.dump() == before
    secretless(report, source, source.wire.footprint())
    assert "sig=" not in repr(report)


def test_one_blob_and_a_folder(server: Azurite) -> None:
    target = parse_target(server.url.replace("?", "/hr/people.csv?"))
    source = open_source(target, credentials=Credentials.none())
    if server.closed:
        assert source.check_access().state == "auth_required"
    else:
        assert source.check_access().confidence == "proved"
        assert {name: frame.height for name, frame in read_all(source)[0].items()} == {"people.csv": 400}
    target = parse_target(server.url.replace("?", "/hr?"))
    frames, _ = read_all(open_source(target, credentials=Credentials(((target, LOGIN),), environment={})))
    assert set(frames) == {"people.csv", "2024/pay roll+é%41.csv"}


def test_the_server_saw_declared_requests_only(server: Azurite) -> None:
    log = server.access_log()
    source = source_of(server, login=LOGIN)
    scanned(source, server.url)
    source.close()
    sent = sum(request.count for request in source.wire.footprint())
    end = time.monotonic() + 10  # the server writes its log when it has time
    while len(seen := server.access_log()[len(log) :]) < sent and time.monotonic() < end:
        time.sleep(0.1)
    time.sleep(0.2)  # for more than was sent
    seen = server.access_log()[len(log) :]
    assert set(seen) <= {"GET", "HEAD"}
    assert len(seen) == sent


def test_a_wrong_credential_is_refused_and_not_shown(server: Azurite) -> None:
    if server.mode == "open":
        return
    for text, token in ((AZURE_KEY[4:], False), ("sv=2021-12-02&sig=canary.7f3a", True), (SECRET + "!", False)):
        login = Credential("devstoreaccount1", Secret(text), token=token, origin="credentials file")
        with pytest.raises(RefusedError) as caught:
            read_all(source_of(server, login=login))
        no_canary(caught.value)


def test_the_signature_is_made_as_documented() -> None:
    """The text to sign of the documentation's example of a GET; the key and so the signature are ours."""
    path = "/mycontainer?comp=metadata&restype=container&timeout=20"
    headers = {"x-ms-version": "2015-02-21"}
    now = dt.datetime(2015, 6, 26, 23, 39, 12, tzinfo=dt.UTC)
    made = shared_key("GET", path, headers, "myaccount", "a2V5", now)
    text = (
        "GET\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:Fri, 26 Jun 2015 23:39:12 GMT\nx-ms-version:2015-02-21\n"
        "/myaccount/mycontainer\ncomp:metadata\nrestype:container\ntimeout:20"
    )
    import base64
    import hmac

    wanted = base64.b64encode(hmac.digest(b"key", text.encode(), "sha256")).decode()
    assert made["Authorization"] == f"SharedKey myaccount:{wanted}"


def test_an_address_without_a_container() -> None:
    with pytest.raises(TargetError, match="without a container"):
        open_source(parse_target("azure://account?endpoint=http://127.0.0.1:1"))


# -- what Azure itself says, by its documentation ----------------------------------------------------------


def http(status: str, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "x-ms-request-id: 1", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def refused(status: str, code: str) -> bytes:
    return http(status, f"<Error><Code>{code}</Code></Error>".encode())


def listed(*names: str, mark: str = "") -> bytes:
    blobs = "".join(
        f"<Blob><Name>{name}</Name><Properties><Content-Length>5</Content-Length></Properties></Blob>" for name in names
    )
    text = f"<EnumerationResults><Blobs>{blobs}</Blobs><NextMarker>{mark}</NextMarker></EnumerationResults>"
    return http("200 OK", text.encode())


def by_request(answers: dict[str, bytes]):
    def behave(sock, data: bytes) -> None:
        while data:
            line = data.split(b"\r\n")[0].decode("latin-1")
            found = (reply for pattern, reply in answers.items() if re.match(pattern, line))
            sock.sendall(next(found, refused("404 Not Found", "BlobNotFound")))
            data = sock.recv(65536)

    return behave


LIST, HEADS, OTHERS = r"GET /a/c\?", r"HEAD /a/c/", "GET|HEAD"


@pytest.mark.parametrize(
    ("answers", "state", "confidence"),
    [
        ({OTHERS: refused("404 Not Found", "ResourceNotFound")}, "auth_required", "probable"),
        ({OTHERS: refused("409 Conflict", "PublicAccessNotPermitted")}, "auth_required", "proved"),
        ({LIST: refused("404 Not Found", "ResourceNotFound")}, "reads", "probable"),
        ({LIST: refused("503 Busy", "ServerBusy")}, "unknown", "inconclusive"),
        ({LIST: listed("a.csv"), HEADS: http("200 OK")}, "reads", "proved"),
        ({LIST: listed("a.csv"), HEADS: refused("403 No", "X")}, "lists", "proved"),
        ({LIST: listed("a.csv"), OTHERS: http("200 OK")}, "reads", "looks_like_honeypot"),
        ({LIST: http("200 OK", b"<html>log in")}, "unknown", "inconclusive"),
        ({LIST: http("302 Found", b"", "Location: http://10.9.8.7/")}, "unknown", "inconclusive"),
    ],
)
def test_what_the_answers_mean(answers: dict[str, bytes], state: str, confidence: str) -> None:
    with fake(by_request(answers)) as (port, _), nothing_elsewhere(port):
        source = open_source(parse_target(f"azure://a/c?endpoint=http://127.0.0.1:{port}"), network=FAST)
        exposure = source.check_access()
    assert (exposure.state, exposure.confidence) == (state, confidence), exposure.evidence


def test_pages_that_never_end_are_stopped() -> None:
    with fake(by_request({LIST: listed("a.csv", mark="again"), HEADS: http("200 OK")})) as (port, _):
        source = open_source(parse_target(f"azure://a/c?endpoint=http://127.0.0.1:{port}"), network=FAST)
        with pytest.raises(ProtocolError, match="do not come to an end"):
            list(source.units(ReadLog()))


def test_no_request_writes() -> None:
    assert {probe.method for probe in probes.load("azure").values()} == {"GET", "HEAD"}
