"""A bare host:port: asked politely, handed to the right source, never called closed when it is only not known."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from hostile.attacks import GREETING, says
from hostile.farm import Farm, Handler, Peer
from hostile.run import Talk
from hostile.stores import CANARY, STORES, reply
from plainview.errors import UnsupportedError
from plainview.pipeline.scanner import Options, Scanner
from plainview.report.model import Report
from plainview.stores import open_source
from plainview.stores.fingerprint.source import FingerprintSource, rewritten, table
from plainview.tables import ReadLog
from plainview.targets.credentials import Credential, Credentials
from plainview.targets.parsing import parse_target
from plainview.targets.secret import Secret
from plainview.wire import WireLimits
from servers import Etcd35, Memcached, Redis, RedisTls, Server
from servers.kit import no_canary, nothing_elsewhere

QUICK = WireLimits(connect=1, first_byte=0.25, probe=0.6, service=8, idle=0.5)


@pytest.fixture(scope="module")
def farm() -> Iterator[Farm]:
    with Farm() as made:
        yield made


def opened(port: int, limits: WireLimits | None = QUICK, **options: object) -> FingerprintSource:
    source = open_source(parse_target(f"127.0.0.1:{port}"), network=limits, **options)
    assert isinstance(source, FingerprintSource)
    return source


# -- fakes ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [kind for kind in STORES if kind != "s3"])
def test_every_kind_is_found_and_read(farm: Farm, kind: str) -> None:
    port, _ = farm.serve(Talk(STORES[kind]))
    with nothing_elsewhere(port):
        source = opened(port)
        report = Scanner(Options(threads=1)).scan_source(source, source.target.address)
    assert source.found is not None
    assert (source.found.kind, source.found.port) == (kind, port)
    assert (report.kind, report.target) == (kind, f"127.0.0.1:{port}")
    assert report.exposure is not None
    assert (report.exposure.state, report.exposure.confidence) == ("admin", "proved")
    asked = [request.probe for request in report.exposure.footprint]
    assert asked[0] == "fingerprint.greeting"
    assert any(probe.startswith(f"{kind}.") for probe in asked), "the transcript goes on"
    assert any(column.category == "email_address" for found in report.tables for column in found.columns)
    no_canary(report)


MYSQL = len(GREETING[4:]).to_bytes(3, "little") + GREETING[3:]
LISTING = b"<html><head><title>Index of /</title></head><body><a href='dump.sql'>dump.sql</a></body></html>"
ANSWERS = {
    "mysql": says(MYSQL, listen=False),
    "cassandra": says(b"\x84\0\0\0\6\0\0\0\2\0\0"),
    "http": says(reply(LISTING, content_type="text/html")),
    "s3": says(reply(b"<Error><Code>AccessDenied</Code></Error>", 403, content_type="application/xml")),
    "azure": says(reply(b"", 400, x_ms_version="2023-11-03")),
    "gs": says(reply(b"", 400, x_guploader_uploadid="x")),
}


@pytest.mark.parametrize("kind", ANSWERS)
def test_first_words_are_known(farm: Farm, kind: str) -> None:
    port, _ = farm.serve(ANSWERS[kind])
    source = opened(port)
    exposure = source.check_access()
    sign = next(sign for sign in table().signs if sign.kind == kind and sign.known == exposure.evidence[0])
    if sign.needs:
        assert (exposure.state, exposure.confidence) == ("reachable_metadata", "probable")
        with pytest.raises(UnsupportedError, match=f"{kind}://.*endpoint=http://127.0.0.1:{port}"):
            list(source.units(ReadLog()))
    elif source.found is not None:
        assert source.found.kind == kind
    else:
        assert exposure.state == "reachable_metadata"


async def silent(peer: Peer) -> None:
    await peer.wait()


@pytest.mark.parametrize(
    ("handler", "words"),
    [
        (silent, "in no protocol that this version knows"),
        (says(b"SSH-2.0-x\r\n", listen=False), "SSH"),
        (says(b"220 ftp\r\n", listen=False), "FTP"),
        (says(b"hello?\r\n"), "in no protocol"),
        (says(reply({"hello": CANARY})), "a web server (GET / answered 200)"),
        (says(reply({}, 302, location="http://203.0.113.5/")), "a web server (GET / answered 302)"),
    ],
)
def test_not_known_is_unknown_and_never_closed(farm: Farm, handler: Handler, words: str) -> None:
    port, _ = farm.serve(handler)
    with nothing_elsewhere(port):
        source = opened(port)
        report = Scanner(Options(threads=1)).scan_source(source, "x")
    assert report.exposure is not None
    assert (report.exposure.state, report.exposure.confidence) == ("unknown", "inconclusive")
    assert words in " ".join(report.exposure.evidence)
    assert Report(targets=(report,)).exit_status == 2
    no_canary(report)


def test_a_closed_port() -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        source = opened(sock.getsockname()[1])
        assert source.check_access().state == "unreachable"
        assert source.wire.opened == 1


def test_the_usual_port_is_asked_in_its_own_words_first() -> None:
    from plainview.stores.fingerprint.source import Asking

    for port, probe in ((6379, "redis"), (5432, "postgresql"), (27017, "mongodb"), (3306, "greeting"), (2379, "etcd")):
        assert Asking(opened(port))._order()[0].probe == f"fingerprint.{probe}"


def test_http_is_asked_without_a_host_line(farm: Farm) -> None:
    """Redis takes `Host:` for an attack, logs it, and hangs up."""
    seen: list[bytes] = []

    async def listen(peer: Peer) -> None:
        seen.append(await peer.get())

    port, _ = farm.serve(listen)
    opened(port).check_access()
    assert b"GET / HTTP/1.0\r\n\r\n" in seen
    assert not [data for data in seen if b"Host:" in data]


def test_only_a_credential_that_names_the_kind_is_used(farm: Farm, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server says which kind it is: it may not choose which of the user's secrets it is sent."""
    monkeypatch.setenv("REDISCLI_AUTH", CANARY)
    seen: list[bytes] = []

    async def locked(peer: Peer) -> None:
        while True:
            data = await peer.get()
            seen.append(data)
            await peer.put(b"-NOAUTH Authentication required.\r\n" if b"PING" in data else b"-ERR unknown command\r\n")

    port, _ = farm.serve(locked)
    source = opened(port, credentials=Credentials())
    assert source.check_access().state == "auth_required"
    with pytest.raises(Exception, match="no credential was given"):
        list(source.units(ReadLog()))
    assert CANARY.encode() not in b"".join(seen)
    mine = Credential(None, Secret(CANARY), origin="credentials file")
    listed = Credentials(((parse_target(f"redis://127.0.0.1:{port}"), mine),), environment={})
    with pytest.raises(Exception, match="not accepted") as caught:
        list(opened(port, credentials=listed).units(ReadLog()))
    no_canary(caught.value)
    assert CANARY.encode() in b"".join(seen)


@pytest.mark.parametrize(
    ("kind", "tls", "scheme"),
    [
        ("redis", False, "redis"),
        ("redis", True, "rediss"),
        ("elasticsearch", True, "elasticsearchs"),
        ("http", True, "https"),
        ("mongodb", True, "mongodb"),
    ],
)
def test_the_address_is_rewritten(kind: str, tls: bool, scheme: str) -> None:
    target = rewritten(parse_target("[::1]:1234"), kind, tls=tls)
    assert (target.kind, target.scheme, target.tls, target.address) == (kind, scheme, tls, "[::1]:1234")


# -- real servers ---------------------------------------------------------------------------------------


@pytest.mark.servers
@pytest.mark.parametrize("mode", ["open", "closed"])
@pytest.mark.parametrize(
    ("server", "kind"), [(Redis, "redis"), (RedisTls, "redis"), (Memcached, "memcached"), (Etcd35, "etcd")]
)
def test_real_servers(server: type[Server], kind: str, mode: str) -> None:
    made = server(mode)
    if reason := made.available():
        pytest.skip(reason)
    with made:
        before = made.dump()
        port = parse_target(made.url).port
        with nothing_elsewhere(port):
            source = opened(port, None)
            exposure = source.check_access()
        assert (source.kind, exposure.confidence) == (kind, "proved")
        assert exposure.state == ("admin" if mode == "open" else "auth_required")
        assert made.dump() == before
