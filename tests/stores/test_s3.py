"""S3: SeaweedFS and JuiceFS' gateway (MinIO's code), the real servers; and hostile ones."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import random
import re
import time
import zipfile

import pytest

from plainview.errors import PlainviewError, ProtocolError, RefusedError
from plainview.files.kinds.identify import IMAGE, KEPT
from plainview.stores import open_source
from plainview.stores.s3.sign import Key, sign
from plainview.tables import Limits, ReadLog
from plainview.targets.credentials import Credential, Credentials
from plainview.targets.parsing import parse_target
from plainview.targets.secret import Secret
from plainview.wire import WireLimits, probes
from servers import CANARY, SECRET
from servers.fake import fake
from servers.kit import no_canary, nothing_elsewhere, read_all, server_fixture, source_of
from servers.objects import (  # noqa: F401
    FOUND,
    KEY_ID,
    TABLES,
    JuiceFS,
    S3Server,
    SeaweedFS,
    _sources_are_closed,
    found_columns,
    scanned,
)

server = server_fixture(SeaweedFS, JuiceFS, modes=("open", "nolist", "closed"))
LOGIN = Credential(KEY_ID, Secret(SECRET), origin="credentials file")
SKIPPED = {("photo.jpg", f"JPEG, an image; {KEPT[IMAGE]}")}


def test_verdict(server: S3Server) -> None:
    before = server.dump()
    source = source_of(server)
    with nothing_elsewhere(server.port):
        exposure = source.check_access()
    expected = {
        "open": ("reads", "unknown", "proved"),
        "nolist": ("reads", "unknown", "probable"),
        "closed": ("auth_required", "unknown", "probable"),
    }
    assert (exposure.state, exposure.rights_basis, exposure.confidence) == expected[server.mode], exposure.evidence
    assert exposure.product == server.server_header
    assert any("10 objects" in line for line in exposure.evidence) == (server.mode == "open")
    assert any("lists 1 bucket " in line for line in exposure.evidence) == (server.lists_buckets and not server.closed
                                                                           and server.mode == "open")  # fmt: skip
    assert "writing: never tried" in exposure.not_tried
    assert server.dump() == before
    no_canary(exposure)


def test_a_stranger_who_knows_names_is_asked_for(server: S3Server) -> None:
    """The owner's credential gives names; whether a stranger can read them is then proved, either way."""
    exposure = source_of(server, login=LOGIN).check_access()
    state = "auth_required" if server.closed else "reads"
    assert (exposure.state, exposure.confidence) == (state, "proved"), exposure.evidence
    no_canary(exposure)


def test_an_object_that_is_named_is_read_by_a_stranger_without_a_list(server: S3Server) -> None:
    target = parse_target(server.url.replace("?", "/hr/people.csv?"))
    source = open_source(target, credentials=Credentials.none())
    exposure = source.check_access()
    if server.closed:
        assert exposure.state == "auth_required"
        return
    assert (exposure.state, exposure.confidence) == ("reads", "proved")
    frames, log = read_all(source)
    assert {name: frame.height for name, frame in frames.items()} == {"people.csv": 400}
    assert not log.skipped


def test_everything_is_read(server: S3Server) -> None:
    before = server.dump()
    source = source_of(server, login=LOGIN)
    with nothing_elsewhere(server.port):
        report = scanned(source, server.url)
        source.close()
    assert source.read_as == ("stranger" if server.mode == "open" else "credential")
    assert found_columns(report) == FOUND
    assert {table.name: table.rows for table in report.tables}["big.csv"] == TABLES["big.csv"]
    assert {(line.what, line.why) for line in report.coverage.skipped} == SKIPPED
    assert server.dump() == before
    no_canary(report, source, source.wire.footprint())
    assert source.wire.opened <= 8


def test_a_folder_of_a_bucket_and_a_sample(server: S3Server) -> None:
    target = parse_target(server.url.replace("?", "/hr?"))
    source = open_source(target, credentials=Credentials(((target, LOGIN),), environment={}))
    frames, log = read_all(source, sample=5)
    assert {name: frame.height for name, frame in frames.items()} == {"people.csv": 5, "2024/pay roll+é%41.csv": 5}
    assert not log.skipped


def test_the_server_saw_declared_requests_only(server: S3Server) -> None:
    log = server.access_log()
    source = source_of(server, login=LOGIN)
    scanned(source, server.url)
    source.close()
    time.sleep(0.3)
    seen = server.access_log()[len(log) :]
    if isinstance(server, JuiceFS):  # its log has the operations on files
        assert {word for word in seen if word in ("Open", "Read")} == {"Open", "Read"}
        assert not {"Create", "Write", "Rename", "Delete", "Mkdir", "Truncate", "Setxattr"} & set(seen)
        return
    assert set(seen) <= {"GET", "HEAD"}
    sent = sum(request.count for request in source.wire.footprint())
    assert len(seen) == sent if server.mode == "open" else 0 < len(seen) <= sent  # it logs no refused ones


def test_a_wrong_credential_is_refused_and_not_shown(server: S3Server) -> None:
    if server.mode == "open":
        return  # read as the stranger: the credential is never sent
    login = Credential(KEY_ID, Secret(SECRET + "x"), origin="credentials file")
    with pytest.raises(RefusedError, match=r"refused to the credential \(credentials file\)") as caught:
        read_all(source_of(server, login=login))
    no_canary(caught.value)


def test_a_bucket_that_is_not_there(server: S3Server) -> None:
    target = parse_target(server.url.replace("exports", "plainview-nowhere"))
    exposure = open_source(target, credentials=Credentials.none()).check_access()
    # MinIO's code says 403 of buckets that are not there, as of closed ones; SeaweedFS does to who may list nothing.
    told = isinstance(server, SeaweedFS) and server.mode == "open"
    assert exposure.state == ("unreachable" if told else "auth_required")


# -- the signature ----------------------------------------------------------------------------------------

AWS = Key("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "us-east-1")


@pytest.mark.parametrize(
    ("path", "headers", "signature"),
    [
        ("/test.txt", {"Range": "bytes=0-9"}, "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"),
        ("/?lifecycle", {}, "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
        ("/?max-keys=2&prefix=J", {}, "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
    ],
)
def test_signatures_are_those_that_aws_published(path: str, headers: dict[str, str], signature: str) -> None:
    headers = {"Host": "examplebucket.s3.amazonaws.com"} | headers
    made = sign("GET", path, headers, AWS, now=dt.datetime(2013, 5, 24, tzinfo=dt.UTC))
    assert made["Authorization"].endswith(f"Signature={signature}")


# -- hostile servers --------------------------------------------------------------------------------------

FAST = WireLimits(first_byte=0.5, probe=1.0, service=4.0, idle=1.0)
SMALL = Limits(seconds=2.0)


def http(status: str, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "x-amz-request-id: 1", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def listed(*keys: str, size: object = 5, mark: str = "") -> bytes:
    items = "".join(f"<Contents><Key>{key}</Key><Size>{size}</Size></Contents>" for key in keys)
    more = f"<NextContinuationToken>{mark}</NextContinuationToken>" if mark else ""
    cut = "true" if mark else "false"
    return http(
        "200 OK", f"<ListBucketResult>{items}{more}<IsTruncated>{cut}</IsTruncated></ListBucketResult>".encode()
    )


def by_request(answers: dict[str, bytes]):
    """Answer by the first pattern that fits `METHOD path`; else 404."""

    def behave(sock, data: bytes) -> None:
        while data:
            line = data.split(b"\r\n")[0].decode("latin-1")
            for pattern, reply in answers.items():
                if re.match(pattern, line):
                    sock.sendall(reply)
                    break
            else:
                sock.sendall(http("404 Not Found", b"<Error><Code>NoSuchKey</Code></Error>"))
            data = sock.recv(65536)

    return behave


def opened(port: int, path: str = "b", **options):
    return open_source(parse_target(f"s3://{path}?endpoint=http://127.0.0.1:{port}"), network=FAST, **options)


LIST, HEADS = r"GET /b\?list", r"HEAD /b/"
DENIED = http("403 Forbidden", b"<Error><Code>AccessDenied</Code></Error>")


@pytest.mark.parametrize(
    ("answers", "state", "confidence"),
    [
        ({}, "unknown", "inconclusive"),
        ({"GET": DENIED, "HEAD": DENIED}, "auth_required", "probable"),
        ({LIST: DENIED}, "reads", "probable"),
        ({LIST: http("404 Not Found", b"<Error><Code>NoSuchBucket</Code></Error>")}, "unreachable", "proved"),
        ({LIST: listed("a.csv"), HEADS: http("200 OK")}, "reads", "proved"),
        ({LIST: listed("a.csv"), HEADS: DENIED}, "lists", "proved"),
        ({LIST: listed(), HEADS: DENIED}, "lists", "proved"),
        ({LIST: listed("a.csv"), "HEAD|GET": http("200 OK", b"x")}, "reads", "looks_like_honeypot"),
        ({LIST: http("200 OK", b"<html><form>log in")}, "unknown", "inconclusive"),
        ({LIST: http("200 OK", b"{}")}, "unknown", "inconclusive"),
        ({LIST: http("200 OK", b"<!DOCTYPE x [<!ENTITY a 'b'>]><ListBucketResult/>")}, "unknown", "inconclusive"),
        ({LIST: http("503 Slow Down", b"<Error><Code>SlowDown</Code></Error>")}, "unknown", "inconclusive"),
        ({LIST: http("301 Moved", b"<Error/>", "x-amz-bucket-region: eu-west-1")}, "unknown", "inconclusive"),
        ({LIST: http("307 Moved", b"", "Location: http://10.9.8.7/b")}, "unknown", "inconclusive"),
    ],
)
def test_what_the_answers_mean(answers: dict[str, bytes], state: str, confidence: str) -> None:
    with fake(by_request(answers)) as (port, _), nothing_elsewhere(port):
        exposure = opened(port).check_access()
        assert (exposure.state, exposure.confidence) == (state, confidence), exposure.evidence


def test_a_bucket_elsewhere_is_told_and_not_followed() -> None:
    moved = http("301 Moved", b"<Error/>", "x-amz-bucket-region: eu-west-1", "Location: http://10.9.8.7/b")
    with fake(by_request({LIST: moved})) as (port, _), nothing_elsewhere(port):
        exposure = opened(port).check_access()
    assert any("?region=eu-west-1" in line for line in exposure.evidence)
    assert "redirect to 10.9.8.7" in exposure.points_elsewhere


GRANT = (
    "<Grant><Grantee><URI>http://acs.amazonaws.com/groups/global/{}</URI></Grantee><Permission>{}</Permission></Grant>"
)


@pytest.mark.parametrize(
    ("who", "right", "state", "basis"),
    [
        ("AllUsers", "WRITE", "writes", "rights_api"),
        ("AllUsers", "FULL_CONTROL", "admin", "rights_api"),
        ("AllUsers", "WRITE_ACP", "admin", "rights_api"),
        ("AllUsers", "READ", "reads", "unknown"),
        ("AuthenticatedUsers", "FULL_CONTROL", "reads", "unknown"),
    ],
)
def test_rights_come_from_the_acl(who: str, right: str, state: str, basis: str) -> None:
    acl = (
        f"<AccessControlPolicy><AccessControlList>{GRANT.format(who, right)}</AccessControlList></AccessControlPolicy>"
    )
    answers = {LIST: listed("a.csv"), HEADS: http("200 OK"), r"GET /b\?acl": http("200 OK", acl.encode())}
    with fake(by_request(answers)) as (port, _):
        exposure = opened(port).check_access()
    assert (exposure.state, exposure.rights_basis) == (state, basis), exposure.evidence
    assert any("every AWS account" in line for line in exposure.evidence) == (who == "AuthenticatedUsers")


def test_hostile_keys_harm_nothing() -> None:
    keys = ["../../etc/passwd", "a/./b", "\u202egpj.exe", "&#27;[31mred.csv", f"{CANARY}/x.csv", "ok.csv"]
    answers = {LIST: listed(*keys), HEADS: http("200 OK"), r"GET /b/ok\.csv": http("200 OK", b"a,b\n1,2\n")}
    with fake(by_request(answers)) as (port, seen), nothing_elsewhere(port):
        report = scanned(opened(port), "s3://b")
        requests = b"".join(seen)
    assert [table.name for table in report.tables] == ["ok.csv"]
    assert b"etc/passwd" not in requests
    whys = [line.why for line in report.coverage.skipped]
    assert sum("servers disagree" in why for why in whys) == 2
    assert sum("control characters" in why for why in whys) == 1
    assert "\x1b" not in repr(report)
    assert "\u202e" not in str([line.what for line in report.coverage.skipped])
    no_canary(report)


@pytest.mark.parametrize("empty", [True, False])
def test_pages_that_never_end_are_stopped(empty: bool) -> None:
    count = 0

    def behave(sock, data: bytes) -> None:
        nonlocal count
        while data:
            count += 1
            mark = f"m{count}" if empty else "again"
            sock.sendall(listed(*([] if empty else ["a.csv"]), mark=mark) if b"list-type" in data else http("200 OK"))
            data = sock.recv(65536)

    with fake(behave) as (port, _):
        source = opened(port)
        assert source.check_access().state in ("lists", "reads")
        with pytest.raises(ProtocolError, match="do not come to an end"):
            list(source.units(ReadLog()))


def endless_body(sock, data: bytes) -> None:
    while data:
        if b"list-type" in data:
            sock.sendall(listed("a.csv", size=500_000))
        elif data.startswith(b"HEAD"):
            sock.sendall(http("200 OK"))
        elif b"a.csv" in data:
            sock.sendall(b"HTTP/1.1 200 OK\r\n\r\na,b\n")
            while True:
                sock.sendall(b"1,2\n" * 10_000)
        else:
            sock.sendall(http("404 Not Found"))
        data = sock.recv(65536)


def test_an_object_without_an_end_is_stopped_by_the_clock() -> None:
    with fake(endless_body) as (port, _):
        started = time.monotonic()
        report = scanned(opened(port, limits=Limits(seconds=0.5)), "s3://b")
        assert time.monotonic() - started < 30
    assert [table.name for table in report.tables] == ["a.csv"]
    assert any("stopped after" in line.why for line in report.coverage.skipped), report.coverage.skipped


def test_an_object_that_breaks_off_leaves_what_was_read() -> None:
    rows = b"a,b\n" + b"1,2\n" * 400_000
    half = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (2 * len(rows)) + rows
    head = b"HTTP/1.1 206 Partial Content\r\nContent-Length: 65536\r\nContent-Range: bytes 0-65535/%d\r\n\r\n" % (
        2 * len(rows)
    )

    def behave(sock, data: bytes) -> None:
        while data:
            if b"list-type" in data:
                sock.sendall(listed("a.csv", size=2 * len(rows)))
            elif b"Range:" in data:
                sock.sendall(head + rows[:65536])
            elif data.startswith(b"GET /b/a.csv"):
                sock.sendall(half)
                return
            else:
                sock.sendall(http("200 OK") if data.startswith(b"HEAD") else http("404 Not Found"))
            data = sock.recv(65536)

    with fake(behave) as (port, _):
        report = scanned(opened(port), "s3://b")
    assert report.tables[0].rows > 100_000
    assert any("ended in the middle" in line.why for line in report.coverage.skipped), report.coverage.skipped


def test_what_is_refused_or_gone_is_told() -> None:
    answers = {
        LIST: listed("a.csv", "b.csv", "c.csv"),
        HEADS: http("200 OK"),
        r"GET /b/a": DENIED,
        r"GET /b/b": http("302 Found", b"", "Location: http://10.9.8.7/x"),
    }
    with fake(by_request(answers)) as (port, _), nothing_elsewhere(port):
        report = scanned(opened(port), "s3://b")
    assert {line.what: line.why for line in report.coverage.skipped} == {
        "a.csv": "the store refused it (HTTP 403)",
        "b.csv": "the store points elsewhere for it (HTTP 302); not followed",
        "c.csv": "listed, but not there (HTTP 404)",
    }


def test_the_host_names_the_bucket_where_it_is_virtual_hosted() -> None:
    seen: list[bytes] = []

    def behave(sock, data: bytes) -> None:
        while data:
            seen.append(data)
            sock.sendall(listed("a.csv") if b"list-type" in data else http("200 OK", b"a,b\n1,2\n"))
            data = sock.recv(65536)

    with fake(behave) as (port, _):
        source = open_source(parse_target(f"s3://localhost?endpoint=http://localhost:{port}"), network=FAST)
        assert not source.virtual
        target = parse_target(f"s3://127?endpoint=http://127.0.0.1:{port}")
        source = open_source(target, network=FAST)
        assert source.virtual
        read_all(source)
    lines = [data.split(b"\r\n")[0] for data in seen]
    assert any(line.startswith(b"GET /?list-type=2") for line in lines)
    assert b"GET /a.csv HTTP/1.1" in lines


def test_a_secret_is_not_sent_where_tls_was_promised() -> None:
    with fake(by_request({"GET": DENIED})) as (port, seen):
        target = parse_target(f"s3://b?endpoint=https://127.0.0.1:{port}")
        source = open_source(target, credentials=Credentials(((target, LOGIN),), environment={}), network=FAST)
        assert source.check_access().state == "auth_required"
        with pytest.raises(PlainviewError, match="no credential was sent"):
            list(source.units(ReadLog()))
        assert not [data for data in seen if b"Authorization" in data]


def test_no_request_writes() -> None:
    assert {probe.method for probe in probes.load("s3").values()} == {"GET", "HEAD"}


# -- how the bytes of an object come ------------------------------------------------------------------------


def store_of(
    key: str, body: bytes, *, ranges: bool = True, coded: bool = False, changing: bool = False, size: str = ""
):
    """Serve one object of a bucket `b`, with or without ranges, packed on the way, or another one at each request."""
    packed = gzip.compress(body) if coded else body
    served: list[int] = []

    def behave(sock, data: bytes) -> None:
        while data:
            found = re.search(rb"Range: bytes=(\d+)-(\d+)", data)
            if b"list-type" in data:
                sock.sendall(listed(key, size=size or len(packed)))
            elif f"/b/{key} ".encode() not in data.split(b"\r\n")[0]:
                sock.sendall(http("404 Not Found"))
            elif data.startswith(b"HEAD"):
                sock.sendall(http("200 OK"))
            else:
                part = packed[int(found[1]) : int(found[2]) + 1] if found and ranges else packed
                lines = [f'ETag: "{len(served) if changing else 0}"'] + (["Content-Encoding: gzip"] if coded else [])
                status = "206 Partial Content" if found and ranges else "200 OK"
                if found and ranges:
                    lines.append(f"Content-Range: bytes {int(found[1])}-{int(found[1]) + len(part) - 1}/{len(packed)}")
                served.append(len(part))
                sock.sendall(http(status, part, *lines))
            data = sock.recv(65536)

    return behave, served


PEOPLE = b"email,n\n" + b"".join(b"p%d@example.com,%d\n" % (n, n) for n in range(120_000))


def archive(filler: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as made:
        made.writestr("a.bin", random.Random(1).randbytes(filler))
        made.writestr("people.csv", PEOPLE[:1000])
    return buffer.getvalue()


@pytest.mark.parametrize("ranges", [True, False])
@pytest.mark.parametrize("coded", [True, False])
def test_objects_come_with_ranges_and_without_packed_and_plain(ranges: bool, coded: bool) -> None:
    behave, served = store_of("p.csv", PEOPLE, ranges=ranges, coded=coded)
    with fake(behave) as (port, _):
        report = scanned(opened(port), "s3://b")
    assert [(table.name, table.rows) for table in report.tables] == [("p.csv", 120_000)], report.coverage.skipped
    assert not report.coverage.skipped
    assert len(served) <= 2


def test_an_archive_is_read_by_ranges() -> None:
    body = archive(12 << 20)
    behave, served = store_of("p.zip", body)
    with fake(behave) as (port, _):
        report = scanned(opened(port), "s3://b")
    assert [table.name for table in report.tables] == ["p.zip/people.csv"]
    assert sum(served) < len(body) * 0.7  # of what is no text only the head was fetched
    assert report.coverage.bytes_read <= sum(served)


def test_an_archive_without_ranges_is_held_in_memory_within_the_limit() -> None:
    behave, _ = store_of("p.zip", archive(3 << 20), ranges=False)
    with fake(behave) as (port, _):
        assert scanned(opened(port), "s3://b").tables[0].name == "p.zip/people.csv"
        report = scanned(opened(port, limits=Limits(memory=1 << 20)), "s3://b")
    assert not report.tables
    assert any("cannot be streamed" in line.why for line in report.coverage.skipped), report.coverage.skipped


def test_what_is_not_read_is_not_fetched_whole() -> None:
    behave, served = store_of("p.djvu", b"AT&TFORM\0\x80\0\0DJVMDIRM" + bytes(8 << 20))
    with fake(behave) as (port, _):
        report = scanned(opened(port), "s3://b")
    assert served == [64 << 10]
    assert report.coverage.bytes_read == 64 << 10


def test_an_object_that_changes_meanwhile_is_told() -> None:
    behave, _ = store_of("p.csv", PEOPLE, changing=True)
    with fake(behave) as (port, _):
        report = scanned(opened(port), "s3://b")
    assert [line.why for line in report.coverage.skipped if "changed" in line.why]


@pytest.mark.parametrize("size", ["0", "1", "99999999999999999999", "-5", "x", "4294967296"])
def test_a_size_that_lies_harms_nothing(size: str) -> None:
    behave, _ = store_of("p.csv", PEOPLE, size=size)
    with fake(behave) as (port, _):
        report = scanned(opened(port), "s3://b")
    assert [table.rows for table in report.tables] == ([] if size == "0" else [120_000]), report.coverage.skipped


def test_a_bomb_that_is_unpacked_on_the_way_is_stopped() -> None:
    bomb = gzip.compress(bytes(200 << 20), 9)
    reply = http("200 OK", bomb, "Content-Encoding: gzip")
    with fake(by_request({LIST: listed("z.csv", size=len(bomb)), HEADS: http("200 OK"), "GET /b/z": reply})) as (
        port,
        _,
    ):
        report = scanned(opened(port, limits=Limits(ratio_floor=8 << 20)), "s3://b")
    assert report.coverage.skipped
    assert not report.tables or report.tables[0].rows < 1000
