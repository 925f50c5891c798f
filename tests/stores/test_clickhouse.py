"""ClickHouse: 18.16, the real server; newer versions by documented answers; hostile servers."""

from __future__ import annotations

import io
import re
import time
from urllib.parse import unquote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plainview.errors import PlainviewError, RefusedError
from plainview.pipeline.scanner import Options, Scanner
from plainview.stores import open_source
from plainview.stores.clickhouse.rows import blocks
from plainview.tables import ReadLog
from plainview.targets.credentials import Credential
from plainview.targets.parsing import parse_target
from plainview.targets.secret import Secret
from plainview.wire import WireLimits, probes
from servers import CANARY, SECRET
from servers.clickhouse import ODD, PEOPLE, Clickhouse
from servers.fake import fake
from servers.kit import no_canary, nothing_elsewhere, password, read_all, server_fixture, source_of

server = server_fixture(Clickhouse, modes=("open", "closed", "readonly"))
VERDICTS = {
    "open": ("admin", "config", "proved"),
    "readonly": ("reads", "config", "proved"),
    "closed": ("auth_required", "unknown", "proved"),
}
LOGIN = password("admin")


def test_verdict(server: Clickhouse) -> None:
    before = server.dump()
    source = source_of(server)
    with nothing_elsewhere(server.port):
        exposure = source.check_access()
    assert (exposure.state, exposure.rights_basis, exposure.confidence) == VERDICTS[server.mode], exposure
    assert exposure.product == "ClickHouse"
    if server.mode == "closed":
        assert any("error 194" in line for line in exposure.evidence)
        with pytest.raises(RefusedError, match="no credential was given"):
            list(source.units(ReadLog()))
    else:
        assert exposure.version == server.version
        assert any("8 tables in 1 database, 3,001 rows" in line for line in exposure.evidence), exposure.evidence
    assert server.dump() == before
    no_canary(exposure)


def test_everything_is_read(server: Clickhouse) -> None:
    before = server.dump()
    source = source_of(server, login=LOGIN, suffix="/shop")
    with nothing_elsewhere(server.port):
        frames, log = read_all(source)
    assert source.read_as == ("credential" if server.mode == "closed" else "stranger")
    assert {name: frame.height for name, frame in frames.items()} == {
        "shop.people": PEOPLE,
        "shop.nested": 1,
        f"shop.{ODD}": 3,
        "shop.states": 1,
        "shop.empty": 0,
    }
    people = frames["shop.people"]
    assert people.columns == "id name email city code device born seen level paid score shouted".split()
    assert people.row(8) == (
        8, "n\t\\8", None, "Weimar", "ab", "61f0c404-5cb3-11e7-907b-a6006ad3dba0", "1970-05-05",
        "1980-01-01 00:00:00", "low", "12.5000", 1.5, "N\t\\8",
    )  # fmt: skip
    assert set(people["id"]) == set(range(PEOPLE))
    assert people["email"].to_list().count(CANARY) == 1
    nested = frames["shop.nested"]
    assert nested["tags[]"].to_list() == [["a", "b,'c"]]
    assert nested["n.mail[]"].to_list() == [[CANARY]]
    assert set(frames[f"shop.{ODD}"]["e mail"]) == {CANARY, "", "a\\nb"}
    skipped = dict(log.skipped)
    assert set(skipped) == {"shop.view", "shop.elsewhere", "shop.merged", "shop.states"}
    assert "engine URL" in skipped["shop.elsewhere"]
    assert "engine Merge " in skipped["shop.merged"]
    assert server.dump() == before
    no_canary(log, source.wire.footprint(), source)


def test_the_whole_scan_finds_what_was_seeded(server: Clickhouse) -> None:
    source = source_of(server, login=LOGIN, suffix="/shop")
    report = Scanner(Options(threads=2)).scan_source(source, "clickhouse://127.0.0.1/shop")
    found = {(table.name, column.path) for table in report.tables for column in table.columns}
    assert ("shop.people", "email") in found
    assert ("shop.nested", "n.mail[]") in found
    assert not [path for name, path in found if path in ("id", "level", "paid", "score")]
    assert report.coverage.rows_read == PEOPLE + 1 + 3 + 1
    no_canary(report, source)


def test_a_sample_is_drawn_by_the_server(server: Clickhouse) -> None:
    frames, log = read_all(source_of(server, login=LOGIN, suffix="/shop"), sample=50)
    people = frames["shop.people"]
    assert people.height == 50
    assert people["id"].to_list() != sorted(people["id"])
    assert log.rows_listed >= PEOPLE
    assert frames["shop.nested"].height == 1


def test_the_server_saw_declared_statements_only(server: Clickhouse) -> None:
    source = source_of(server, login=LOGIN, suffix="/shop")
    source.check_access()
    read_all(source)
    time.sleep(0.6)
    known = [re.escape(unquote_plus(p.path[8:])) for p in probes.load("clickhouse").values() if "query=" in p.path]
    patterns = [re.sub(r"<[a-z]+>", "(?s:.+)", text) for text in known]
    seen = server.queries()
    assert len(seen) > 5
    for statement in seen:
        assert any(re.fullmatch(pattern, statement.strip()) for pattern in patterns), statement
        assert re.match(r"SELECT|SHOW", statement)
        assert not re.search(r"(?i)\b(url|file|remote|mysql|s3|jdbc|odbc)\(", statement)


def test_a_wrong_credential_is_refused_and_not_shown(server: Clickhouse) -> None:
    if server.mode != "closed":
        return  # read as the stranger: the credential is never sent
    login = Credential("admin", Secret(SECRET + "x"), origin="credentials file")
    with pytest.raises(RefusedError, match="not accepted") as caught:
        read_all(source_of(server, login=login))
    no_canary(caught.value)


# -- versions that could not be had, by their documented answers; and hostile servers -----------------------

FAST = WireLimits(first_byte=0.4, probe=0.8, service=2.0)


def http(body: bytes, status: str = "200 OK", code: int = 0) -> bytes:
    """Return an answer as ClickHouse 20 and later give it."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "X-ClickHouse-Server-Display-Name: ch"]
    lines += [f"X-ClickHouse-Exception-Code: {code}"] if code else []
    return "\r\n".join([*lines, "", ""]).encode() + body


def failed(code: int, status: str) -> bytes:
    return http(f"Code: {code}. DB::Exception: no. (NO) (version 24.8.4.13)\n".encode(), status, code)


SYNTAX = failed(62, "400 Bad Request")
TABLES = http(b"shop\tpeople\tMergeTree\t3\nshop\tview\tView\t\\N\nsystem\tone\tSystemOne\t\\N\n")
NEW = {
    "/ping": http(b"Ok.\n"),
    "/?query=PLAINVIEW": SYNTAX,
    "/?query=SELECT+version": http(b"24.8.4.13\n"),
    "/?query=SELECT+database,name,engine,total_rows": TABLES,
    "/?query=SELECT+*+FROM+": http(b""),
    "/?query=SELECT+name,value": http(b"allow_ddl\t1\nreadonly\t0\n"),
}
ALL = http(b"GRANT ALL ON *.* TO default WITH GRANT OPTION\n")
MANY = http(b"GRANT SHOW, SELECT, INSERT, ALTER, CREATE, DROP, TRUNCATE, OPTIMIZE ON *.* TO default\n")
SOME = http(b"GRANT SELECT ON *.* TO default\nGRANT INSERT(a, b), SELECT ON shop.people TO default\n")
ONLY = http(b"GRANT SELECT ON shop.* TO default\n")
READONLY = http(b"allow_ddl\t1\nreadonly\t1\n")
NO_LOGIN = failed(516, "403 Forbidden")


def by_path(answers: dict[str, bytes]):
    def behave(sock, data: bytes) -> None:
        while data:
            path = data.split(b" ")[1].decode()
            found = max((known for known in answers if path.startswith(known)), key=len, default="")
            sock.sendall(answers[found] if found else http(b"There is no handle\n", "404 Not Found"))
            if b"Content-Length: 80\r" in answers.get(found, b""):
                return  # announced, and never sent
            data = sock.recv(65536)

    return behave


@pytest.mark.parametrize(
    ("changed", "verdict"),
    [
        ({"/?query=SHOW": ALL}, ("admin", "rights_api", "proved")),
        ({"/?query=SHOW": MANY}, ("admin", "rights_api", "proved")),
        ({"/?query=SHOW": SOME}, ("writes", "rights_api", "proved")),
        ({"/?query=SHOW": ONLY}, ("reads", "rights_api", "proved")),
        ({"/?query=SHOW": ALL, "/?query=SELECT+name,value": READONLY}, ("reads", "config", "proved")),
        ({"/?query=SHOW": ALL, "/?query=SELECT+name,value": NO_LOGIN}, ("admin", "rights_api", "probable")),
        ({"/?query=SHOW": failed(497, "403 Forbidden")}, ("reads", "unknown", "proved")),
        ({"/?query=": NO_LOGIN}, ("auth_required", "unknown", "proved")),
        ({"/?query=": failed(516, "401 Unauthorized")}, ("auth_required", "unknown", "proved")),
        ({"/?query=": failed(194, "401 Unauthorized")}, ("auth_required", "unknown", "proved")),
        ({"/?query=": failed(195, "403 Forbidden")}, ("auth_required", "unknown", "proved")),
        ({"/?query=PLAINVIEW": http(b"1\n"), "/?query=SHOW": ALL}, ("admin", "rights_api", "looks_like_honeypot")),
        ({"/?query=": failed(241, "500 Internal Server Error")}, ("reachable_metadata", "unknown", "inconclusive")),
        ({"/?query=": http(b"<html>log in", "200 OK")}, ("unknown", "unknown", "looks_like_honeypot")),
        ({"/ping": http(b"<html>log in")}, ("unknown", "unknown", "inconclusive")),
        ({"/ping": http(b"Port 9000 is for clickhouse-client program.\r\n", "400 Bad Request")},
         ("unknown", "unknown", "inconclusive")),
    ],
)  # fmt: skip
def test_documented_answers(changed: dict[str, bytes], verdict: tuple[str, str, str]) -> None:
    closed = {"/ping": NEW["/ping"]} if "/?query=" in changed else NEW
    with fake(by_path({**closed, **changed})) as (port, _), nothing_elsewhere(port):
        source = open_source(parse_target(f"clickhouse://127.0.0.1:{port}"), network=FAST)
        exposure = source.check_access()
        assert (exposure.state, exposure.rights_basis, exposure.confidence) == verdict, exposure.evidence


def reading(rows: bytes, columns: bytes = b"a\tString\t\nb\tUInt8\t\n"):
    answers = {**NEW, "/?query=SHOW": ALL, "/?query=SELECT+name,type": http(columns), "/?query=SELECT+%60": rows}
    with fake(by_path(answers)) as (port, _):
        source = open_source(parse_target(f"clickhouse://127.0.0.1:{port}"), network=FAST)
        log = ReadLog()
        frames, problem = [], ""
        for unit in source.units(log):
            try:
                for batch in source.read(unit, log):
                    frames.append(batch.frame)  # noqa: PERF401 - what came before an error counts
            except PlainviewError as error:
                no_canary(error)
                problem = error.message
        no_canary(log)
        return frames, problem


def test_an_exception_in_the_middle_of_the_rows_is_seen() -> None:
    end = f"Code: 241. DB::Exception: {CANARY}\n".encode()
    frames, problem = reading(http(b"x\t1\ny\t2\n" + end))
    assert frames[0]["a"].to_list() == ["x", "y"]
    assert problem == "the server broke off (error 241) after 2 rows"
    frames, problem = reading(http(b"x\t1\nCode: 241. DB::Exception: no\t2\ny\t3\n"))
    assert (frames[0].height, problem) == (3, "")


@given(st.lists(st.integers(0, 40), min_size=1, max_size=300), st.integers(1, 2000))
def test_blocks_of_whole_lines_hold_few_cells(sizes: list[int], width: int) -> None:
    data = b"".join(b"x" * size + b"\n" for size in sizes)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("plainview.stores.clickhouse.rows.TAIL", 64)
        patch.setattr("plainview.stores.clickhouse.rows.BLOCK", 4096)
        patch.setattr("plainview.stores.clickhouse.rows.CELLS", 500)
        found = [block.data for block in blocks(io.BytesIO(data), width)]
    assert b"".join(found) == data
    assert all(block.endswith(b"\n") for block in found)
    if width == 1:
        assert len(found) <= len(data) // 400 + 3
    if width > 100 and len(data) > 2000:  # at most the first is larger than what was left for a look at its end
        assert max(map(len, found[1:])) <= 200


def test_an_answer_that_ends_early_is_no_whole_table() -> None:
    cut = http(b"x\t1\ny\t2\n").replace(b"Content-Length: 8", b"Content-Length: 80")
    _, problem = reading(cut)
    assert "in the middle" in problem


def test_bytes_that_are_no_text_and_numbers_that_do_not_fit_lose_no_row() -> None:
    frames, problem = reading(http(b"\xff\xfe\t1\ny\t99999999999999999999999\n\\N\t\\N\n"))
    assert problem == ""
    assert frames[0].height == 3
    assert frames[0]["b"].to_list() == ["1", "99999999999999999999999", None]
