"""MariaDB, the real server; and hostile ones, a rogue that asks for files among them."""

from __future__ import annotations

import datetime as dt
import re
import struct
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plainview.errors import PlainviewError, ProtocolError, ReadError, RefusedError, WithheldError
from plainview.pipeline.scanner import Options, Scanner
from plainview.stores import open_source
from plainview.stores.mysql.rows import _walk, frame
from plainview.stores.shared.sql_text import Column
from plainview.tables import ReadLog
from plainview.targets.credentials import Credential
from plainview.targets.parsing import parse_target
from plainview.targets.scope import parse_scope
from plainview.targets.secret import Secret
from plainview.wire import WireLimits, probes
from servers import CANARY, SECRET
from servers.fake import answer, between, fake, reset, silent
from servers.kit import no_canary, nothing_elsewhere, password, read_all, server_fixture, source_of
from servers.mariadb import LONG, ODD, PEOPLE, MariaDB

server = server_fixture(MariaDB)
special = server_fixture(MariaDB, modes=("tls", "reader"))

MAY_TRY = parse_scope('[[allow]]\nnetworks = ["127.0.0.1"]\npermit = ["try_mysql_root"]\n')
ROWS = {
    "shop.customers": PEOPLE,
    "shop.types": 2,
    f"Sales & Co.{ODD}": 1,
    f"shop.{LONG}": 1,
    "shop.empty": 0,
    "shop.inbox": 0,
    "shop.parts": 700,
    "shop.versions": 1,
}


def test_without_permission_root_is_not_tried(server: MariaDB) -> None:
    before = server.general_log()
    source = source_of(server)
    with nothing_elsewhere(server.port):
        exposure = source.check_access()
    assert (exposure.state, exposure.rights_basis) == ("reachable_metadata", "unknown")
    assert "not tried" in exposure.not_tried[0]
    assert (exposure.product, exposure.version[:6]) == ("MariaDB", server.version)
    assert [request.probe for request in exposure.footprint] == ["mysql.greeting"]
    with pytest.raises(RefusedError, match="was not tried"):
        list(source.units(ReadLog()))
    assert "root" not in server.general_log()[len(before) :]


def test_verdict(server: MariaDB) -> None:
    before = server.dump()
    source = source_of(server, scope=MAY_TRY)
    with nothing_elsewhere(server.port):
        exposure = source.check_access()
    if server.mode == "open":
        assert (exposure.state, exposure.rights_basis, exposure.confidence) == ("admin", "rights_api", "proved")
        assert any("2 databases with 9 tables" in line for line in exposure.evidence)
    else:
        assert (exposure.state, exposure.rights_basis, exposure.confidence) == ("auth_required", "unknown", "probable")
        with pytest.raises(RefusedError, match="no credential was given"):
            list(source.units(ReadLog()))
    assert bool(exposure.not_tried) == (server.mode != "open")
    assert not exposure.tls.offered
    assert server.dump() == before
    no_canary(exposure)


def test_everything_is_read_once(server: MariaDB) -> None:
    before = server.dump()
    source = source_of(server, login=password("root"), scope=MAY_TRY)
    with nothing_elsewhere(server.port):
        frames, log = read_all(source)
    assert source.read_as == ("stranger" if server.mode == "open" else "credential")
    assert {name: found.height for name, found in frames.items()} == ROWS
    assert (log.skipped, log.noted) == ([], [("shop", "1 views: their rows are those of tables")])
    assert (log.tables_listed, log.rows_listed) == (len(ROWS), sum(ROWS.values()))
    assert set(frames["shop.parts"]["id"]) == set(range(1, 701))
    assert server.dump() == before
    no_canary(log, source.wire.footprint(), source)


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


def test_types(server: MariaDB) -> None:
    frames, _ = read_all(source_of(server, login=password("root"), scope=MAY_TRY, suffix="/shop"))
    assert not any(name.startswith("Sales") for name in frames)
    row, other = frames["shop.types"].to_dicts()
    assert row == {
        "id": 18446744073709551615,
        "bits": 0b101010101010,
        "day": dt.date(2024, 2, 29),
        "zero": None,
        "moment": at("2024-02-29 12:30:00.5"),
        "stamp": at("2024-02-29 12:30:00"),
        "price": Decimal("12.50"),
        "big": Decimal("123456789012345678901"),
        "real8": 1.25,
        "raw": b"\x00\xff\n\x1f\x1e",
        "doc": f'{{"email": "{CANARY}"}}',
        "feeling": "ok",
        "tags": "a,b",
        "place": bytes(4) + struct.pack("<BIdd", 1, 1, 1, 2),
        "old": "Müller",
        "wide": "😀氏",
        "fixed": "ab",
        "pause": "12:00:00",
        "born": 1999,
        "uid": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
        "ip": "2001:db8::1",
        "longer": "x" * 70000,
        "odd": "tab\there\nline\r\n\\N",
        "nothing": None,
        "Column; DROP TABLE x; --": CANARY,
    }
    filled = {name: value for name, value in other.items() if value is not None}
    assert filled == {"id": 2, "wide": "é" * 80, "longer": "y" * 300, "odd": "\x1f\x1e\x1d\x1cx"}


def test_a_scan_finds_what_was_seeded(server: MariaDB) -> None:
    source = source_of(server, login=password("root"), scope=MAY_TRY)
    report = Scanner().scan_source(source, "mysql://x")
    found = {(table.name, column.path, column.category) for table in report.tables for column in table.columns}
    assert ("shop.customers", "email", "email_address") in found
    assert ("shop.customers", "phone", "telephone_number") in found
    assert ("shop.parts", "email", "email_address") in found
    versions = next(table for table in report.tables if table.name == "shop.versions")
    assert versions.notes == ("with the old rows that it keeps",)
    no_canary(report)


def test_the_server_saw_declared_statements_only(server: MariaDB) -> None:
    declared = [
        re.compile(re.sub(r"<[a-z_]+>", ".*", re.escape(probe.sql)))
        for probe in probes.load("mysql").values()
        if probe.sql
    ]
    before = len(server.general_log())
    read_all(source_of(server, login=password("root"), scope=MAY_TRY))
    read_all(source_of(server, login=password("root"), scope=MAY_TRY), sample=5)
    lines = re.findall(r"(?m)^[0-9: ]*\t+ *([0-9]+) (\w+)\t(.*)$", server.general_log()[before:])
    ours = {number for number, what, text in lines if what == "Connect" and "TCP/IP" in text}
    statements = [text for number, what, text in lines if what == "Query" and number in ours]
    assert len(statements) > 40
    assert not [text for text in statements if not any(pattern.fullmatch(text) for pattern in declared)]
    assert {what for number, what, _ in lines if number in ours} <= {"Connect", "Query", "Quit"}


def test_a_sample_is_drawn_by_the_server(server: MariaDB) -> None:
    source = source_of(server, login=password("root"), scope=MAY_TRY, suffix="/shop")
    report = Scanner(Options(sample=50)).scan_source(source, "x")
    customers = next(table for table in report.tables if table.name == "shop.customers")
    assert customers.rows_read == 50
    bound = "50 random rows: what stands in fewer than 6.00% of all rows may be missed (95 %)"
    assert customers.notes == ("a sample, drawn by RAND()", bound)
    assert next(table for table in report.tables if table.name == "shop.types").notes == ()  # all of it was read


def test_a_user_with_few_rights(server: MariaDB) -> None:
    if server.mode == "open":
        return  # read as the stranger, who may do all
    frames, log = read_all(source_of(server, login=password("reader")))
    assert {name: found.shape for name, found in frames.items()} == {
        "shop.customers": (PEOPLE, 4),
        "shop.types": (2, 1),
    }
    assert log.skipped == [("shop.inbox", "no permission to read")]


def test_a_wrong_credential_is_refused_and_not_shown(server: MariaDB) -> None:
    login = Credential("root", Secret(SECRET + "x"), origin="credentials file")
    with pytest.raises(RefusedError, match=r"not accepted.*1045") as caught:
        read_all(source_of(server, login=login))
    no_canary(caught.value)


def test_what_was_read_counts_when_the_server_ends_the_session(server: MariaDB) -> None:
    if server.mode != "open":
        return
    server.run("CREATE DATABASE big", "CREATE TABLE big.t SELECT seq n, REPEAT('x', 200) t FROM shop.seq_1_to_300000")
    try:
        source = source_of(server, scope=MAY_TRY, suffix="/big")
        log = ReadLog()
        batches = source.read(next(iter(source.units(log))), log)
        seen = 0
        while not seen:
            seen += next(batches).frame.height
        with server.admin() as admin, admin.cursor() as cursor:
            cursor.execute("SELECT id FROM information_schema.processlist WHERE user = 'root' AND host LIKE '127.%'")
            for (number,) in cursor.fetchall():
                cursor.execute(f"KILL {number}")
        rest: list[int] = []
        with pytest.raises(ReadError, match=r"stopped after [0-9,]+ rows") as caught:
            rest.extend(batch.frame.height for batch in batches)
        seen += sum(rest)
        assert 0 < seen < 300000
        assert f"{seen:,}" in str(caught.value)
    finally:
        server.run("DROP DATABASE big")


@pytest.mark.parametrize("cells", [1 << 20, 700])
def test_many_rows_arrive_unchanged(server: MariaDB, cells: int, monkeypatch) -> None:
    monkeypatch.setattr("plainview.stores.shared.sql_text.CELLS", cells)
    if server.mode != "open":
        return
    server.run(
        "CREATE DATABASE big",
        "CREATE TABLE big.t SELECT seq n, REPEAT(CHAR(64 + seq % 60 USING utf8mb4), seq % 700) t FROM shop.seq_1_to_50000",
    )
    try:
        frames, _ = read_all(source_of(server, scope=MAY_TRY, suffix="/big"))
        rows = frames["big.t"].sort("n")
        assert rows["n"].equals(pl.Series("n", range(1, 50001)))
        expected = [chr(64 + n % 60) * (n % 700) or None for n in range(1, 50001)]
        assert rows["t"].to_list() == expected
    finally:
        server.run("DROP DATABASE big")


def test_tls_and_few_rights(special: MariaDB, monkeypatch: pytest.MonkeyPatch) -> None:
    source = source_of(special, login=password("root"), scope=MAY_TRY)
    exposure = source.check_access()
    if special.mode == "tls":
        assert exposure.state == "auth_required"
        assert exposure.tls.used
        assert exposure.tls.certificate == ("self-signed",)
        ways = ("", "/?sslmode=require", "/?sslmode=verify-full", "/?ssl-mode=VERIFY_IDENTITY", "/?ssl=true")
        for suffix in ways:
            with pytest.raises(WithheldError, match="certificate was not accepted"):
                read_all(source_of(special, login=password("root"), suffix=suffix))
        excused = parse_scope('[[allow]]\nnetworks = ["127.0.0.1"]\npermit = ["try_mysql_root", "unverified_tls"]')
        plain = source_of(special, login=password("root"), suffix="/?sslmode=disable")
        monkeypatch.setenv("SSL_CERT_FILE", str(special.data / "pair.pem"))
        trusted = source_of(special, login=password("root"), suffix="/?sslmode=verify-full")
        with between(special.port, lambda first: first + packet(b"\0\0\0\2\0\0\0", 2)) as port:
            forged = open_source(parse_target(f"mysql://127.0.0.1:{port}"), scope=MAY_TRY).check_access()
        assert (forged.state, forged.confidence) == ("reachable_metadata", "inconclusive")
        assert "ahead of TLS" in forged.evidence[-1]
        for readable in (source_of(special, login=password("root"), scope=excused), plain, trusted):
            frames, _ = read_all(readable)
            assert set(frames) == set(ROWS)
    else:
        assert (exposure.state, exposure.rights_basis, exposure.confidence) == ("reads", "rights_api", "proved")
    no_canary(exposure)


@pytest.mark.parametrize("grant", ["GRANT SELECT ON shop.* TO ''@'127.0.0.1'", ""])
def test_a_nameless_account_is_found(server: MariaDB, grant: str) -> None:
    """It lets in any name, and root needs a password all the same."""
    if server.mode != "closed":
        pytest.skip("root is let in")
    server.run("CREATE USER ''@'127.0.0.1'", *[grant] * bool(grant))
    try:
        source = source_of(server, scope=MAY_TRY)
        exposure = source.check_access()
        assert "a user that cannot exist was let in without a password" in exposure.evidence
        assert (exposure.state, exposure.confidence) == ("reads" if grant else "lists", "proved"), exposure.evidence
        if grant:
            frames, _ = read_all(source)
            assert "shop.customers" in frames
            assert source.read_as == "stranger"
    finally:
        server.run("DROP USER ''@'127.0.0.1'")
    closed = source_of(server, scope=MAY_TRY).check_access()
    assert (closed.state, closed.confidence) == ("auth_required", "probable")
    assert "only root and a name that cannot exist were asked" in closed.not_tried[-1]


# -- hostile servers --------------------------------------------------------------------------------------

FAST = WireLimits(first_byte=0.4, probe=0.8, service=2.0, idle=1.0)


def packet(body: bytes, number: int = 0) -> bytes:
    return struct.pack("<I", len(body))[:3] + bytes([number]) + body


def greeting(version: bytes = b"8.0.36", capabilities: int = 0xFFFFF7FF) -> bytes:
    low, high = struct.pack("<H", capabilities & 0xFFFF), struct.pack("<H", capabilities >> 16)
    tail = b"\x2d\x02\0" + high + b"\x15" + bytes(10) + b"b" * 12 + b"\0mysql_native_password\0"
    return packet(b"\x0a" + version + b"\0" + b"\1\0\0\0" + b"a" * 8 + b"\0" + low + tail)


def says(*answers: bytes):
    """Greet, then give the answers in turn, the last again and again."""

    def behave(sock, _: bytes) -> None:
        waiting = list(answers)
        while True:
            sock.sendall(waiting.pop(0) if len(waiting) > 1 else waiting[0])
            if not sock.recv(65536):
                return

    return behave


OK = packet(b"\0\0\0\2\0\0\0", 2)
DENIED = packet(b"\xff" + struct.pack("<H", 1045) + b"#28000" + CANARY.encode(), 2)
FILE = packet(b"\xfb/etc/passwd", 1)


@pytest.mark.parametrize(
    ("behave", "state", "evidence"),
    [
        (silent, "unknown", "no answer in time"),
        (reset, "unknown", ""),
        (answer(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "unknown", "impossible length"),
        (answer(packet(b"\xff" + struct.pack("<H", 1130) + CANARY.encode())), "auth_required", "refuses this address"),
        (answer(packet(b"\xff" + struct.pack("<H", 1040) + CANARY.encode())), "unknown", "greeted with an error"),
        (answer(greeting(b"\x1b[31m")), "unknown", "not the greeting"),
        (says(greeting(), DENIED), "auth_required", "1045"),
        (says(greeting(), b"\xff\xff\xff\0"), "reachable_metadata", "longer than the limit"),
        (says(greeting(), packet(b"\xfe", 2)), "reachable_metadata", "not MySQL"),
        (says(greeting(), packet(b"\xfemysql_clear_password\0", 2)), "reachable_metadata", "without an end"),
        (says(greeting(), OK, FILE), "reachable_metadata", "asked for a file"),
        (says(greeting(), OK, OK), "lists", "no real server"),
        (
            says(greeting(), OK, packet(b"\x01", 1) + packet(b"x", 2) + packet(b"\xfe\0\0\0\0", 3)),
            "reachable_metadata",
            "",
        ),
    ],
)
def test_hostile(behave, state: str, evidence: str) -> None:
    with fake(behave, first=False) as (port, _), nothing_elsewhere(port):
        source = open_source(parse_target(f"mysql://127.0.0.1:{port}"), network=FAST, scope=MAY_TRY)
        exposure = source.check_access()
        assert exposure.state == state, exposure.evidence
        assert evidence in " ".join(exposure.evidence)
        no_canary(exposure)
        with pytest.raises(PlainviewError) as caught:
            list(source.units(ReadLog()))
        no_canary(caught.value)


def test_no_file_is_ever_promised() -> None:
    sent: list[bytes] = []

    def behave(sock, _: bytes) -> None:
        sock.sendall(greeting(capabilities=0xFFFFFFFF & ~0x800))
        sent.append(sock.recv(65536))
        sock.sendall(DENIED)

    with fake(behave, first=False) as (port, _):
        open_source(parse_target(f"mysql://127.0.0.1:{port}"), network=FAST, scope=MAY_TRY).check_access()
    flags = int.from_bytes(sent[0][4:8], "little")
    assert not flags & 0x80  # CLIENT_LOCAL_FILES
    assert b"program_name" in sent[0]


# -- rows -------------------------------------------------------------------------------------------------


def cell(value: str | None) -> bytes:
    if value is None:
        return b"\xfb"
    data = value.encode()
    size = len(data)
    if size < 251:
        return bytes([size]) + data
    return (b"\xfc" + struct.pack("<H", size) if size < 65536 else b"\xfd" + struct.pack("<I", size)[:3]) + data


# A leading NUL is what fills the place of a long length, Polars takes a carriage return off the end of a cell,
# and a null means as much as an empty text here.
values = st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=80).map(lambda text: text or None)


@settings(deadline=None)
@given(st.integers(1, 4).flatmap(lambda n: st.lists(st.lists(values, min_size=n, max_size=n), min_size=1, max_size=20)))
def test_rows_become_frames_whatever_they_hold(rows: list[list[str | None]]) -> None:
    block = bytearray(b"".join(packet(b"".join(map(cell, row)), n % 256) for n, row in enumerate(rows)))
    starts, end, over = _walk(block, len(block))
    assert (len(starts), end, over) == (len(rows), len(block), False)
    found = frame(block, starts, [Column(f"k{n}", "") for n in range(len(rows[0]))])
    assert [list(row) for row in found.rows()] == rows


def test_all_separators_in_one_block() -> None:
    marks = "".join(map(chr, range(32)))
    rows = [["a" + marks, "b"], ["c", None]]
    block = bytearray(b"".join(packet(b"".join(map(cell, row))) for row in rows))
    found = frame(block, _walk(block, len(block))[0], [Column("k", ""), Column("l", "")])
    assert found["l"].to_list() == ["b", None]
    assert found["k"].to_list() == ["a" + marks.replace("\x1f", " ").replace("\x1e", " "), "c"]


@pytest.mark.parametrize(
    "body", [b"\x05ab", b"\x01a", b"\x01a\x01b\x01c", b"\xfe" + b"\xff" * 8 + b"ab", b"\xfd\xff\xff\xff" + b"x" * 20]
)
def test_lengths_that_lie(body: bytes) -> None:
    block = bytearray(packet(body))
    with pytest.raises(ProtocolError):
        frame(block, [0], [Column("k", ""), Column("l", "")])
