"""The one door: scope, pinning, limits, transcript, TLS facts, HTTP - against fake and hostile servers."""

from __future__ import annotations

import datetime as dt
import gzip
import ipaddress
import socket
import ssl
import time

import msgspec
import pytest

from plainview.errors import (
    LimitError,
    MissingExtraError,
    OutOfScopeError,
    PlainviewError,
    ProtocolError,
    UnreachableError,
    WithheldError,
)
from plainview.stores import open_source
from plainview.targets.credential import Credential
from plainview.targets.parsing import parse_target
from plainview.targets.scope import parse_scope
from plainview.targets.secret import Secret
from plainview.wire import Exchange, Wire, WireLimits, probes, traffic
from plainview.wire.answers import limited_json
from plainview.wire.authorization import dressed
from servers.fake import always, answer, drip, endless, fake, reset, silent
from servers.kit import nothing_elsewhere, sockets_watched

CANARY = "canary.7f3a@example.org"
FAST = WireLimits(first_byte=0.4, probe=0.8, service=2.0, idle=0.4)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b"


def ok(body: bytes, *headers: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\n" + b"".join(h + b"\r\n" for h in headers) + OK[17:] % (len(body), body)


def wire_to(port: int, limits: WireLimits = FAST, scheme: str = "etcd") -> Wire:
    return Wire(parse_target(f"{scheme}://127.0.0.1:{port}"), limits=limits)


def ask(port: int, limits: WireLimits = FAST, scheme: str = "etcd"):
    http = wire_to(port, limits, scheme).http()
    try:
        return http.ask("etcd.version")
    finally:
        http.close()


# -- addresses ------------------------------------------------------------------------------------------


def resolver(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    asked: list[str] = []

    def getaddrinfo(host: str, *_: object, **__: object):
        asked.append(host)
        if not addresses:
            raise socket.gaierror(-2, "nope")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 0)) for ip in addresses]

    monkeypatch.setattr(traffic.socket, "getaddrinfo", getaddrinfo)
    return asked


@pytest.mark.parametrize("host", ["10.0.0.5", "169.254.169.254", "[fe80::1]", "0.0.0.0", "[::ffff:8.8.8.8]"])
def test_no_packet_out_of_scope(host: str) -> None:
    wire = Wire(parse_target(f"redis://{host}:6379"))
    with sockets_watched() as seen:
        for opens in (wire.connect, wire.open_socket, lambda: wire.http().ask("etcd.version")):
            with pytest.raises(OutOfScopeError):
                opens()
    assert not seen
    assert wire.opened == 0


NAMED = parse_scope('[[allow]]\nnames = ["*.example"]')


def test_a_name_is_resolved_once_and_pinned(monkeypatch: pytest.MonkeyPatch) -> None:
    with fake(always(ok(b"{}"))) as (port, _):
        asked = resolver(monkeypatch, "127.0.0.1")
        wire = Wire(parse_target(f"etcd://rebind.example:{port}"), NAMED, limits=FAST)
        wire.connect().close()
        resolver(monkeypatch, "169.254.169.254")  # the name now points elsewhere
        wire.connect().close()
        assert asked == ["rebind.example"]
        assert wire.ip == "127.0.0.1"


def test_only_addresses_in_scope_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    with fake(silent) as (port, _), nothing_elsewhere(port):
        resolver(monkeypatch, "224.0.0.1", "169.254.169.254", "127.0.0.1")
        wire = Wire(parse_target(f"redis://both.example:{port}"), NAMED, limits=FAST)
        wire.connect().close()
    resolver(monkeypatch, "169.254.169.254")
    with pytest.raises(OutOfScopeError):
        Wire(parse_target("redis://meta.example"), NAMED).connect()


@pytest.mark.parametrize("name", ["localhost", "LocalHost.", "a.localhost"])
def test_localhost_is_this_machine_and_asked_of_nobody(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A system without such a line in its file of hosts would ask a name server."""
    asked = resolver(monkeypatch, "203.0.113.9")
    with fake(silent) as (port, _), nothing_elsewhere(port):
        Wire(parse_target(f"redis://{name}:{port}"), limits=FAST).connect().close()
    assert asked == []


def test_unreachable() -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
        with pytest.raises(UnreachableError, match="connection refused"):
            wire_to(port).connect()


def test_no_such_name(monkeypatch: pytest.MonkeyPatch) -> None:
    resolver(monkeypatch)
    with pytest.raises(UnreachableError, match="has no address"):
        Wire(parse_target("redis://nowhere.example"), NAMED).connect()


def test_connections_are_counted_and_limited() -> None:
    with fake(silent) as (port, _):
        wire = wire_to(port, WireLimits(connections=2))
        first, second = wire.connect(), wire.connect()
        with pytest.raises(LimitError, match="more than 2 connections"):
            wire.connect()
        first.close()
        first.close()
        third = wire.connect()
        assert wire.opened == 3
        second.close()
        third.close()


# -- exchanges ------------------------------------------------------------------------------------------


def test_an_undeclared_request_cannot_be_sent() -> None:
    wire = wire_to(1)
    with pytest.raises(KeyError), wire.exchange("redis.flushall"):
        pytest.fail("the block must not run")


def test_transcript_holds_templates_and_shapes_only() -> None:
    with fake(always(ok(CANARY.encode()))) as (port, _):
        wire = wire_to(port)
        http = wire.http()
        for _ in range(3):
            http.ask("etcd.control", nowhere=CANARY)
        http.close()
        (line,) = wire.footprint()
        assert (line.probe, line.template, line.count, line.statuses) == ("etcd.control", "GET /<nowhere>", 3, ("200",))
        assert line.footprint
    with wire.exchange("redis.ping") as step:
        step.done(f"odd {CANARY}")
        step.done("+PONG")
    assert wire.footprint()[1].statuses == ("other", "+PONG")
    wire.points_elsewhere("MOVED", f"{CANARY}\x1b[31m")
    wire.points_elsewhere("MOVED", "10.0.0.7:6379")
    assert list(wire.elsewhere) == ["MOVED to an odd address", "MOVED to 10.0.0.7:6379"]


def test_a_permission_is_needed_where_the_table_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    from plainview.wire import probes

    probe = replace(probes.get("redis.ping"), permit="try_mysql_root")
    monkeypatch.setattr(probes, "get", lambda _: probe)
    with pytest.raises(OutOfScopeError, match="needs the permission"), wire_to(1).exchange("redis.ping"):
        pytest.fail("the block must not run")


def test_all_questions_together_have_a_limit() -> None:
    with fake(silent) as (port, _):
        wire = wire_to(port, WireLimits(first_byte=0.2, service=0.5, requests=100))
        start = time.monotonic()
        for _ in range(10):
            with pytest.raises(ProtocolError):
                wire.http().ask("etcd.version")
        assert time.monotonic() - start < 30
        with pytest.raises(ProtocolError, match="kept us waiting"):
            wire.http().ask("etcd.version")
    wire = wire_to(1, WireLimits(requests=2))
    for _ in range(2):
        with wire.exchange("redis.ping"):
            pass
    with pytest.raises(ProtocolError, match="more than 2 questions"), wire.exchange("redis.ping"):
        pass


# -- hostile HTTP ---------------------------------------------------------------------------------------

HEAD = b"HTTP/1.1 200 OK\r\n"
BOMB = gzip.compress(b"\0" * (64 << 20), 1)
HOSTILE = {
    "endless body": endless(HEAD + b"\r\n", b"x" * 65536),
    "endless chunks": endless(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + b"x" * 65536 + b"\r\n"),
    "endless headers": endless(HEAD, b"X: " + b"y" * 1000 + b"\r\n"),
    "endless 100": endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100),
    "many 100": answer(b"HTTP/1.1 100 Continue\r\n\r\n" * 200 + HEAD + b"Content-Length: 2\r\n\r\n{}"),
    "endless trailers": endless(HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n", b"X: y\r\n" * 1000),
    "many trailers": answer(HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n" + b"X: y\r\n" * 300 + b"\r\n"),
    "long header": answer(HEAD + b"X: " + b"y" * 40_000 + b"\r\nContent-Length: 2\r\n\r\n{}"),
    "endless line": endless(b"", b"x" * 65536),
    "gzip bomb": answer(HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(BOMB) + BOMB),
    "brotli": answer(ok(b"x", b"Content-Encoding: br")),
    "broken gzip": answer(ok(b"\x1f\x8b\x08garbage", b"Content-Encoding: gzip")),
    "cut gzip": answer(ok(gzip.compress(b"x" * 1000)[:20], b"Content-Encoding: gzip")),
    "drip body": drip(HEAD + b"Content-Length: 1000\r\n\r\n", b"x" * 1000, 0.05),
    "drip headers": drip(HEAD, b"X: y\r\n" * 1000, 0.05),
    "early end": answer(HEAD + b"Content-Length: 1000\r\n\r\nxx"),
    "lying length": answer(HEAD + b"Content-Length: 999999999999999999999\r\n\r\nxx"),
    "odd chunk": answer(HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"),
    "huge chunk": answer(HEAD + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffff\r\nxx"),
    "cut chunk": answer(HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nxx"),
    "HTTP/0.9": answer(CANARY.encode()),
    "garbage": answer(bytes(range(256)) * 4),
    "nothing": answer(b""),
    "silence": silent,
    "reset": reset,
}


@pytest.mark.parametrize("behave", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_http(behave) -> None:
    with fake(behave) as (port, _), nothing_elsewhere(port):
        start = time.monotonic()
        with pytest.raises(ProtocolError) as caught:
            ask(port)
        assert time.monotonic() - start < 30
        assert CANARY not in str(caught.value)
        assert "canary" not in repr(caught.value.__cause__)


def test_a_longer_listing_is_allowed_where_declared() -> None:
    body = b"x" * (3 << 20)
    with fake(always(ok(body))) as (port, _):
        http = wire_to(port, WireLimits()).http()
        with pytest.raises(ProtocolError, match="longer than 1024 KiB"):
            http.ask("etcd.version")
        assert http.ask("etcd.v2").body == body
        http.close()


@pytest.mark.parametrize(
    "wire_bytes",
    [
        ok(b'{"a":1}'),
        ok(gzip.compress(b'{"a":1}', mtime=0), b"Content-Encoding: gzip"),
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\n" + b'{"a\r\n4\r\n":1}\r\n0\r\n\r\n',
        HEAD
        + b"Transfer-Encoding: chunked\r\n\r\n"
        + b"".join(b"1\r\n%c\r\n" % c for c in b'{"a":1}')
        + b"0\r\n"
        + b"X: y\r\n" * 90
        + b"\r\n",
        HEAD + b"".join(b"X-%d: y\r\n" % n for n in range(90)) + b"Content-Length: 7\r\n\r\n" + b'{"a":1}',
        b"HTTP/1.0 200 OK\r\n\r\n" + b'{"a":1}',
        b"HTTP/1.1 100 Continue\r\n\r\n" + ok(b'{"a":1}'),
        ok(b'\xef\xbb\xbf{"a":1}'),
        ok(b'{"a":2,"a":1}'),
    ],
)
def test_good_http(wire_bytes: bytes) -> None:
    with fake(answer(wire_bytes)) as (port, seen):
        reply = ask(port)
        assert reply.status == 200
        assert reply.json() == {"a": 1}
        request = seen[0]
        assert request.startswith(b"GET /version HTTP/1.1\r\nHost: 127.0.0.1:")
        assert b"Accept-Encoding: identity\r\n" in request
        assert b"User-Agent: plainview\r\n" in request


def test_keep_alive_and_one_retry_when_the_server_closed_meanwhile() -> None:
    with fake(answer(ok(b"{}"))) as (port, seen):  # closes after each answer without saying so
        wire = wire_to(port)
        http = wire.http()
        for _ in range(3):
            assert http.ask("etcd.version").ok
            time.sleep(0.05)
        assert len(seen) == 3
        http.close()
    with fake(always(ok(b"{}"))) as (port, seen):
        wire = wire_to(port)
        http = wire.http()
        for _ in range(5):
            assert http.ask("etcd.version").ok
        assert (len(seen), wire.opened) == (1, 1)
        http.close()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("place", ["http://10.9.8.7:9200/x", "//10.9.8.7:9200", "HTTPS://10.9.8.7:9200?a=b"])
def test_redirects_are_recorded_and_not_followed(status: int, place: str) -> None:
    text = f"HTTP/1.1 {status} Go\r\nLocation: {place}\r\nContent-Length: 0\r\n\r\n".encode()
    with fake(always(text)) as (port, _), nothing_elsewhere(port):
        wire = wire_to(port)
        http = wire.http()
        assert http.ask("etcd.version").status == status
        http.close()
        assert list(wire.elsewhere) == ["redirect to 10.9.8.7:9200"]


def test_stream_reads_large_bodies_in_pieces_and_counts_them() -> None:
    body = bytes(range(256)) * 40_000
    with fake(always(ok(body))) as (port, _):
        wire = wire_to(port, WireLimits())
        http = wire.http()
        with http.stream("etcd.range", api="v3", start="", end="", limit=1, keys_only=False) as stream:
            assert stream.read(1000) == body[:1000]
            assert stream.read() == body[1000:]
        assert wire.received > len(body)
        with http.stream("etcd.range", api="v3", start="", end="", limit=1, keys_only=False) as stream:
            stream.read(10)  # the rest is left: the connection is given up, the next request has a new one
        assert http.ask("etcd.range", api="v3", start="", end="", limit=1, keys_only=False).body == body
        assert wire.opened == 2
        http.close()


def test_rate_and_total_of_reading() -> None:
    body = b"x" * 400_000
    with fake(always(ok(body))) as (port, _):
        http = wire_to(port, WireLimits(rate=1_000_000)).http()
        start = time.monotonic()
        http.ask("etcd.range", api="v3", start="", end="", limit=1, keys_only=False)
        assert 0.3 < time.monotonic() - start < 30
        http.close()
        http = wire_to(port, WireLimits(total=100_000)).http()
        with pytest.raises(LimitError, match="stopped after 100000 bytes"):
            http.ask("etcd.range", api="v3", start="", end="", limit=1, keys_only=False)


def test_reading_is_not_dripped_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    step = Exchange(probes.get("etcd.range"), WireLimits(), cap=1)
    assert step.patience() == 60
    step.started -= 200
    step.received = 140 * 1024 - 1
    with pytest.raises(ProtocolError, match="slower than 1024 bytes a second"):
        step.patience()
    step.received += 1024
    assert step.patience() == 60


# -- JSON -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        b"[" * 65 + b"]" * 65,
        b"[" * 900_000,
        b'{"a":' * 100_000,
        b"[" + b"0," * 200_001 + b"0]",
        b"[NaN]",
        b"<html>canary.7f3a@example.org",
        b'{"a": "canary.7f3a@example.org}',
        b'{"canary.7f3a@example.org": }',
        b"\xff\xfe",
        b"",
        b'"\xff"',
    ],
)
def test_bad_json(data: bytes) -> None:
    with pytest.raises(ProtocolError) as caught:
        limited_json(data)
    assert "canary" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_brackets_inside_strings_do_not_count() -> None:
    text = '["' + "[{," * 100_000 + '\\"[", 1]'
    assert limited_json(text.encode())[1] == 1
    assert limited_json(b"[" * 64 + b"]" * 64)


# -- TLS ------------------------------------------------------------------------------------------------


def certificate(tmp_path, *, days: int = 10, names: tuple[str, ...] = (), ips: tuple[str, ...] = (), issuer: str = ""):
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, CANARY)])
    by = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]) if issuer else name
    now = dt.datetime.now(dt.UTC)
    alternative = [x509.DNSName(n) for n in names] + [x509.IPAddress(ipaddress.ip_address(ip)) for ip in ips]
    builder = x509.CertificateBuilder(by, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - dt.timedelta(days=20)).not_valid_after(now + dt.timedelta(days=days))
    if alternative:
        builder = builder.add_extension(x509.SubjectAlternativeName(alternative), critical=False)
    made = builder.sign(key, hashes.SHA256())
    path = tmp_path / "pair.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context, path


@pytest.mark.parametrize(
    ("options", "facts"),
    [
        ({}, ("self-signed", "name mismatch")),
        ({"ips": ("127.0.0.1",)}, ("self-signed",)),
        ({"ips": ("127.0.0.1",), "days": -1}, ("self-signed", "expired")),
        ({"ips": ("127.0.0.1",), "issuer": "other"}, ("valid dates and name",)),
        ({"names": ("node-0.example.com",), "issuer": "o"}, ("name mismatch", "published demo certificate")),
    ],
)
def test_any_certificate_is_accepted_and_its_facts_recorded(tmp_path, options, facts) -> None:
    context, _ = certificate(tmp_path, **options)
    with fake(always(ok(b"{}")), tls=context) as (port, _):
        wire = wire_to(port, scheme="etcds")
        http = wire.http()
        assert http.ask("etcd.version").ok
        http.close()
        assert wire.tls is not None
        assert wire.tls.used
        assert wire.tls.version == "TLSv1.3"
        assert wire.tls.certificate == facts
        assert CANARY not in repr(wire.tls)


def test_no_secret_is_sent_to_an_unknown_certificate(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    context, path = certificate(tmp_path, ips=("127.0.0.1",))
    with fake(always(ok(b"{}")), tls=context) as (port, seen):
        credential = Credential(None, Secret("hunter2"), token=True)
        http = wire_to(port, scheme="etcds").http(credential=credential, dress=dressed(credential))
        with pytest.raises(WithheldError, match=r"not accepted.*no credential was sent") as caught:
            http.ask("etcd.version")
        assert seen == []
        assert "hunter2" not in repr(caught.value)
        monkeypatch.setenv("SSL_CERT_FILE", str(path))
        assert http.ask("etcd.version").ok
        assert b"Authorization: Bearer hunter2" in seen[0]
        http.close()


def test_detect_switches_to_tls_and_back(tmp_path) -> None:
    context, _ = certificate(tmp_path)
    with fake(always(ok(b"{}")), tls=context) as (port, _):
        http = wire_to(port).http()
        assert http.detect("etcd.version").ok
        assert http.tls
        http.close()
    with fake(always(ok(b"{}"))) as (port, _):
        http = wire_to(port, scheme="etcds").http()
        assert http.detect("etcd.version").ok
        assert not http.tls
        with pytest.raises(WithheldError, match="no TLS although its address says so"):
            http.wire.http(tls=False, credential=Credential("u", Secret("x")))
        http.close()
    with fake(answer(b"\x15\x03\x03garbage")) as (port, _):
        http = wire_to(port).http()
        with pytest.raises(ProtocolError):
            http.detect("etcd.version")
        assert not http.tls


def test_tls_garbage_is_an_error_of_ours() -> None:
    for behave in (answer(b"\x16\x03\x01\x00\x05junk!"), silent, reset, endless(b"", b"x" * 65536)):
        with fake(behave) as (port, _):
            start = time.monotonic()
            with pytest.raises(ProtocolError, match="tls_error"):
                wire_to(port).connect(tls=True)
            assert time.monotonic() - start < 30


# -- the registry -----------------------------------------------------------------------------------------


def test_open_source_is_lazy_and_names_what_is_missing(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    from plainview import catalog

    source = open_source(parse_target("redis://10.0.0.5"))  # opening connects nowhere
    with pytest.raises(OutOfScopeError):
        source.check_access()
    redis = catalog.ours()["redis"]
    changed = msgspec.structs.replace(redis, package="plainview.stores.no_such")
    monkeypatch.setattr(catalog, "ours", lambda: {"redis": changed})
    with pytest.raises(PlainviewError, match="not read by this version"):
        open_source(parse_target("redis://h"))
    (tmp_path / "plainview_test_driver").mkdir()
    (tmp_path / "plainview_test_driver" / "source.py").write_text("import no_such_driver_7f3a")
    monkeypatch.syspath_prepend(tmp_path)
    changed = msgspec.structs.replace(redis, package="plainview_test_driver", extra="redis")
    with pytest.raises(MissingExtraError, match=r"pip install 'plainview\[redis\]'"):
        open_source(parse_target("redis://h"))


def test_a_stream_has_no_cap_and_other_answers_have(monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    from plainview.wire import probes

    plain = probes.get("etcd.range")
    body = b"x" * 3_000_000
    params = {"api": "v3", "start": "", "end": "", "limit": 1, "keys_only": False}
    with fake(always(ok(body))) as (port, _):
        http = wire_to(port, WireLimits(answer=1 << 20)).http()
        with pytest.raises(ProtocolError, match="longer than 1024 KiB"):
            http.ask("etcd.range", **params)
        monkeypatch.setattr(probes, "get", lambda _: replace(plain, stream=True))
        with http.stream("etcd.range", **params) as stream:
            assert sum(len(part) for part in iter(lambda: stream.read(100_000), b"")) == len(body)
        http.close()


# -- found by tests/hostile ------------------------------------------------------------------------------


@pytest.mark.parametrize("cut", [20, 30, 45])
def test_headers_that_end_early_are_no_answer(cut: int) -> None:
    """The parser takes the end of the stream for the end of the headers, and the body for empty."""
    whole = ok(b"{}", b"Content-Type: application/json")
    with fake(answer(whole[:cut])) as (port, _), pytest.raises(ProtocolError):
        ask(port)


def test_a_port_that_closes_after_it_answered_is_not_unreachable() -> None:
    with fake(answer(b"HT")) as (port, _):
        wire = wire_to(port)
        with pytest.raises(ProtocolError):
            wire.http().ask("etcd.version")
    with pytest.raises(ProtocolError, match="answered before"):
        wire.connect()


def test_a_compressed_answer_may_unpack_to_so_much_and_no_more() -> None:
    bomb = gzip.compress(b" " * (8 << 20), 9)
    limits = WireLimits(body=64 << 20, first_byte=2, probe=5, service=9)
    with (
        fake(always(ok(bomb, b"Content-Encoding: gzip"))) as (port, _),
        pytest.raises(ProtocolError, match="times its size"),
    ):
        ask(port, limits)


def test_chunks_of_next_to_nothing_end() -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    limits = WireLimits(body=64 << 20, first_byte=5, probe=20, service=30)
    with fake(endless(head, b"1\r\n \r\n" * 5000)) as (port, _), pytest.raises(ProtocolError, match="next to nothing"):
        ask(port, limits)
