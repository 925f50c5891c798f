"""Directory listings: nginx and Python's http.server, the real servers; pages of others; and hostile ones."""

from __future__ import annotations

import time

import pytest

from plainview.errors import PlainviewError, RefusedError
from plainview.files.kinds.identify import IMAGE, KEPT
from plainview.stores import open_source
from plainview.stores.http.source import DEPTH, parse
from plainview.tables import ReadLog
from plainview.targets.credentials import Credential, Credentials
from plainview.targets.parsing import parse_target
from plainview.targets.secret import Secret
from plainview.wire import WireLimits, probes
from servers import CANARY, SECRET
from servers.fake import always, drip, fake
from servers.kit import no_canary, nothing_elsewhere, read_all, server_fixture, source_of
from servers.objects import FOUND, TABLES, _sources_are_closed, found_columns, scanned  # noqa: F401
from servers.web import Nginx, PythonHttp, WebServer

server = server_fixture(Nginx, PythonHttp, modes=("open", "noindex", "closed"))
LOGIN = Credential("u", Secret(SECRET), origin="credentials file")
FAST = WireLimits(first_byte=0.5, probe=1.0, service=4.0, idle=1.0)


def test_verdict(server: WebServer) -> None:
    before = server.dump()
    source = source_of(server)
    with nothing_elsewhere(server.port):
        exposure = source.check_access()
    expected = {
        "open": ("reads", "unknown", "proved"),
        "noindex": ("auth_required", "unknown", "probable"),
        "closed": ("auth_required", "unknown", "proved"),
    }
    assert (exposure.state, exposure.rights_basis, exposure.confidence) == expected[server.mode], exposure.evidence
    assert exposure.product == server.product
    assert server.dump() == before
    no_canary(exposure)


def test_everything_is_read(server: WebServer) -> None:
    if server.mode == "noindex":
        return
    before = server.dump()
    source = source_of(server, login=LOGIN)
    with nothing_elsewhere(server.port):
        report = scanned(source, server.url)
        source.close()
    assert source.read_as == ("stranger" if server.mode == "open" else "credential")
    assert found_columns(report) == FOUND
    assert {table.name: table.rows for table in report.tables}["big.csv"] == TABLES["big.csv"]
    skipped = {(line.what, line.why) for line in report.coverage.skipped}
    assert skipped == {("photo.jpg", f"JPEG, an image; {KEPT[IMAGE]}")}
    assert server.dump() == before
    no_canary(report, source, source.wire.footprint())


def test_the_server_saw_declared_requests_only(server: WebServer) -> None:
    if server.mode == "noindex":
        return
    log = server.access_log()
    source = source_of(server, login=LOGIN)
    scanned(source, server.url)
    source.close()
    time.sleep(0.2)
    seen = server.access_log()[len(log) :]
    assert set(seen) == {"GET", "HEAD"}
    assert len(seen) == sum(request.count for request in source.wire.footprint())


def test_one_file_is_read_by_its_name(server: WebServer) -> None:
    source = open_source(parse_target(server.url + "hr/people.csv"), credentials=Credentials.none())
    exposure = source.check_access()
    if server.closed:
        assert exposure.state == "auth_required"
        return
    assert (exposure.state, exposure.confidence) == ("reads", "proved")
    frames, log = read_all(source)
    assert ({name: frame.height for name, frame in frames.items()}, log.skipped) == ({"people.csv": 400}, [])


@pytest.mark.parametrize(
    ("path", "state"), [("", "unknown"), ("dumps", "unknown"), ("nowhere/", "unreachable"), ("index.html", "unknown")]
)
def test_pages_and_redirects_are_no_listings(server: WebServer, path: str, state: str) -> None:
    if server.closed:
        return
    target = parse_target(server.url.replace("dumps/", path))
    exposure = open_source(target, credentials=Credentials.none()).check_access()
    assert (exposure.state, exposure.confidence != "proved") == (state, state == "unknown"), exposure.evidence
    if path == "dumps":
        assert any("slash at its end" in line for line in exposure.evidence)


def test_a_wrong_password_is_refused_and_not_shown(server: WebServer) -> None:
    if not server.closed:
        return
    login = Credential("u", Secret(SECRET + "x"), origin="credentials file")
    with pytest.raises(RefusedError, match=r"listing was refused to the credential \(credentials file\)") as caught:
        read_all(source_of(server, login=login))
    no_canary(caught.value)


# -- pages of other servers -------------------------------------------------------------------------------

ORIGIN = ("http", "h", 80)
APACHE = b"""<title>Index of /d</title><h1>Index of /d</h1><pre><a href="?C=N;O=D">Name</a> <a href="?C=M;O=A">Last modified</a>
<a href="/">Parent Directory</a>      -
<a href="a%20b+c%2541&amp;%c3%a9.csv">a b+c%41&amp;\xe9.csv</a>         2026-11-24 11:05    8
<a href="big.sql">big.sql</a>         2026-11-24 11:05    1.2G
<a href="sub%20dir/">sub dir/</a>                2026-11-24 11:05    -   </pre>"""
LIGHTTPD = b"""<!DOCTYPE html><title>Index of /d/</title><h2>Index of /d/</h2><table summary="Directory Listing"><tbody>
<tr class="d"><td class="n"><a href="../">..</a>/</td></tr>
<tr class="d"><td class="n"><a href="sub%20dir/">sub dir</a>/</td><td class="s">- &nbsp;</td></tr>
<tr><td class="n"><a href="a%20b%2Bc%2541%26%C3%A9.csv">x</a></td><td class="s">0.1K</td></tr>
<tr><td class="n"><a href="big.sql">big.sql</a></td></tr></table>"""
CADDY = b"""<!DOCTYPE html><title>/d/</title><main><div class="listing"><table><a href="?sort=name&order=asc">Name</a>
<tr class="file"><td><a href="./sub%20dir/">x</a></td></tr><tr class="file"><td><a href="./a%20b+c%2541&amp;%C3%A9.csv">x</a></td></tr>
<tr class="file"><td><a href="./big.sql">x</a></td></tr></table></div></main><footer><a href="https://caddyserver.com">Caddy</a>"""
RCLONE = b"""<!DOCTYPE html><title>/d/</title><h1><a href="/">/</a><a href="/d/">d</a><a class="zip-root" href="?download=zip"></a></h1>
<div class="listing"><table><tr class="goup"><td class="name"><a href="..">Go up</a></td></tr>
<tr class="file dir" data-size="0"><td class="name"><a href="./sub%20dir/">sub dir/</a>
<a class="zip" href="./sub%20dir/?download=zip"></a></td></tr>
<tr class="file" data-size="8"><td class="name"><a href="./a%20b+c%2541&amp;%C3%A9.csv">x</a></td></tr>
<tr class="file" data-size="x"><td class="name"><a href="./big.sql">x</a></td></tr>
<tr class="empty" hidden><td></td></tr></table></div>"""
IIS = b"""<html><head><title>h - /d/</title></head><body><H1>h - /d/</H1><hr><pre><A HREF="/">[To Parent Directory]</A><br>
11/24/2026 11:05 AM 8 <A HREF="/d/a%20b+c%2541&amp;%C3%A9.csv">x</A><br><A HREF="/d/big.sql">big.sql</A>
<A HREF="/d/sub%20dir/">sub dir</A></pre>"""


@pytest.mark.parametrize(
    "page", [APACHE, LIGHTTPD, CADDY, IIS, RCLONE], ids=["apache", "lighttpd", "caddy", "iis", "rclone"]
)
def test_pages_of_other_servers(page: bytes) -> None:
    found = parse(page, b"d/", ORIGIN)
    assert {name for name, _ in found.files} == {"d/a b+c%41&é.csv".encode(), b"d/big.sql"}
    assert found.folders == [b"d/sub dir/"]
    if page in (APACHE, RCLONE):
        assert found.files[0][1] == 8
        assert found.files[1][1] is None


@pytest.mark.parametrize("row", [b"goup", b"file dir", b"empty"])
def test_a_folder_without_files_is_an_index_too(row: bytes) -> None:
    found = parse(b'<title>/d/</title><div class="listing"><tr class="%s"></tr></div>' % row, b"d/", ORIGIN)
    assert found is not None
    assert (found.files, found.folders) == ([], [])
    assert parse(b'<title>/d/</title><div class="listings"><tr class="%s"></tr></div>' % row, b"d/", ORIGIN) is None


@pytest.mark.parametrize(
    "href",
    [
        "../up.csv", "/other/x.csv", "http://10.9.8.7/d/x.csv", "//10.9.8.7/d/x.csv", "https://h/d/x.csv", "a/b.csv",
        "..%2f..%2fetc", "%2e%2e/", "..", "./", "", "#x", "?C=N", "javascript:alert(1)", "mailto:a@b.c", "x%00.csv",
        "http://h:81/d/x.csv", "http://h:99999/d/x", "http://[::1/d/x", "x.csv?v=1", "//", "\\\\h\\x\\..\\y/z",
    ],
)  # fmt: skip
def test_links_that_leave_the_folder_are_not_entries(href: str) -> None:
    found = parse(b"<title>Index of /d/</title><a href='%s'>x</a>" % href.encode(), b"d/", ORIGIN)
    assert (found.files, found.folders) == ([], [])


def test_own_links_in_full_are_entries() -> None:
    page = b"<title>Index of /d/</title><a href='http://h/d/x.csv'>x</a><a href='/d/y/'>y</a><a href='http://h:80/d/z'>z</a>"
    found = parse(page, b"d/", ORIGIN)
    assert ([name for name, _ in found.files], found.folders) == ([b"d/x.csv", b"d/z"], [b"d/y/"])


# -- hostile servers --------------------------------------------------------------------------------------


def http(status: str, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def page(*hrefs: str) -> bytes:
    links = "".join(f'<a href="{href}">x</a> ' for href in hrefs)
    return http("200 OK", f"<title>Index of /</title>{links}".encode(), "Content-Type: text/html")


def site(answers: dict[str, bytes], otherwise: bytes = http("404 Not Found")):
    def behave(sock, data: bytes) -> None:
        while data:
            sock.sendall(answers.get(data.split(b" ")[1].decode("latin-1"), otherwise))
            data = sock.recv(65536)

    return behave


def opened(port: int, path: str = ""):
    return open_source(parse_target(f"http://127.0.0.1:{port}/{path}"), network=FAST)


@pytest.mark.parametrize(
    ("behave", "state", "confidence"),
    [
        (site({"/": page()}), "lists", "proved"),
        (site({"/": page("a.csv"), "/a.csv": http("403 Forbidden")}), "lists", "proved"),
        (always(page("a.csv")), "lists", "looks_like_honeypot"),
        (
            always(http("200 OK", b"<html><form>log in</form>", "Content-Type: text/html")),
            "unknown",
            "looks_like_honeypot",
        ),
        (site({"/": http("200 OK", b"{}")}), "unknown", "inconclusive"),
        (site({"/": http("302 Found", b"", "Location: http://10.9.8.7/")}), "unknown", "inconclusive"),
        (site({"/": http("500 Oops")}), "unknown", "inconclusive"),
        (site({"/": http("403 Forbidden")}), "auth_required", "probable"),
        (drip(b"HTTP/1.1 200 OK\r\n\r\n", b"<title>Index of /</title>" * 100, 0.05), "unknown", "inconclusive"),
    ],
)
def test_what_the_answers_mean(behave, state: str, confidence: str) -> None:
    with fake(behave) as (port, _), nothing_elsewhere(port):
        exposure = opened(port).check_access()
    assert (exposure.state, exposure.confidence) == (state, confidence), exposure.evidence


def test_folders_that_go_round_in_a_circle_end() -> None:
    def behave(sock, data: bytes) -> None:
        while data:
            path = data.split(b" ")[1]
            sock.sendall(page("again/") if path.endswith(b"/") else http("404 Not Found"))
            data = sock.recv(65536)

    with fake(behave) as (port, _):
        source = opened(port)
        assert source.check_access().state == "lists"
        log = ReadLog()
        assert list(source.units(log)) == []
    assert len(log.skipped) == 1
    assert f"more than {DEPTH} folders deep" in log.skipped[0][1]


def test_links_to_other_places_are_told_and_not_followed() -> None:
    answers = {
        "/": page("http://10.9.8.7/x.csv", "away.csv", "web/", "shut/", "ok.csv"),
        "/away.csv": http("302 Found", b"", "Location: http://10.9.8.6/x"),
        "/web/": http("200 OK", b"<html>hello", "Content-Type: text/html"),
        "/shut/": http("401 Unauthorized"),
        "/ok.csv": http("200 OK", b"a,b\n1,2\n"),
    }
    with fake(site(answers)) as (port, _), nothing_elsewhere(port):
        source = opened(port)
        report = scanned(source, "http://x/")
        exposure = source.check_access()
    assert [table.name for table in report.tables] == ["ok.csv"]
    whys = {line.what: line.why for line in report.coverage.skipped}
    assert "not followed" in whys["away.csv"]
    assert "not a listing" in whys["web/"]
    assert "refused to a stranger (401)" in whys["shut/"]
    assert {"link to 10.9.8.7", "redirect to 10.9.8.6"} <= set(exposure.points_elsewhere)


def test_hostile_names_harm_nothing() -> None:
    names = [f"{CANARY}.csv", "%1b%5b31mred.csv", "%3Cscript%3E.csv", "%ff%fe.csv", "%e2%80%aegpj.exe"]
    answers = {"/": page(*names)} | {f"/{name.replace('%5b', '%5B')}": http("200 OK", b"a,b\n1,2\n") for name in names}
    with fake(site(answers, http("404 Not Found"))) as (port, _):
        report = scanned(opened(port), "http://x/")
    text = repr(report)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert any(table.name == "<script>.csv" for table in report.tables)
    no_canary(report)


def test_nothing_is_read_where_nothing_was_listed() -> None:
    shop = always(http("200 OK", b"<html>shop", "Content-Type: text/html"))
    with fake(shop) as (port, _), pytest.raises(PlainviewError):
        list(opened(port).units(ReadLog()))


def test_no_request_writes() -> None:
    assert {probe.method for probe in probes.load("http").values()} == {"GET", "HEAD"}
