"""PostgreSQL 15 and 18, the real servers; and hostile ones."""

from __future__ import annotations

import datetime as dt
import re
import struct
import time
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plainview.errors import PlainviewError, ReadError, RefusedError, WithheldError
from plainview.pipeline.scanner import Options, Scanner
from plainview.report.model import Report
from plainview.stores import open_source
from plainview.stores.postgresql.access import open_session
from plainview.stores.postgresql.catalog import relations
from plainview.stores.postgresql.copy import rows as rows_of
from plainview.stores.postgresql.copy import walk
from plainview.stores.postgresql.wire import Door, Session
from plainview.tables import ReadLog
from plainview.targets.credentials import Credential, Credentials
from plainview.targets.parsing import parse_target
from plainview.targets.scope import parse_scope
from plainview.targets.secret import Secret
from plainview.wire import Wire, WireLimits, probes
from servers import CANARY, SECRET
from servers.fake import always, answer, between, drip, endless, fake, reset, silent
from servers.kit import no_canary, nothing_elsewhere, password, read_all, server_fixture, source_of
from servers.postgres import LONG, ODD, PEOPLE, Postgres15, Postgres18

server = server_fixture(Postgres15, Postgres18)
ruled = server_fixture(Postgres15, modes=("rules",))

ROWS = {
    "public.customers": PEOPLE,
    "public.copies": PEOPLE,
    "public.types": 2,
    f"public.{LONG}": 1,
    f"Sales & Co.{ODD}": 1,
    "public.empty": 0,
    "public.nocolumns": 0,
    "public.events": 700,
    "public.family": 1,
    "public.child": 1,
    "public.guarded": 1,
}


def test_verdict(server: Postgres15) -> None:
    before = server.dump()
    source = source_of(server)
    with nothing_elsewhere(server.port):
        exposure = source.check_access()
    if server.mode == "open":
        assert (exposure.state, exposure.rights_basis, exposure.confidence) == ("admin", "rights_api", "proved")
        assert exposure.version.startswith(server.version)
        assert any("4 databases" in line for line in exposure.evidence)
        assert any("superuser" in line for line in exposure.evidence)
        assert any("read of no rows was allowed" in line for line in exposure.evidence)
    else:
        assert (exposure.state, exposure.rights_basis, exposure.confidence) == ("auth_required", "unknown", "probable")
        assert "a password (SCRAM) is asked for" in exposure.evidence[-1]
        with pytest.raises(RefusedError, match="no credential was given"):
            list(source.units(ReadLog()))
    assert exposure.tls is not None
    assert not exposure.tls.offered
    assert server.dump() == before
    no_canary(exposure)


def test_everything_is_read_once(server: Postgres15) -> None:
    before = server.dump()
    source = source_of(server, login=password("postgres"), suffix="/shop")
    with nothing_elsewhere(server.port):
        frames, log = read_all(source)
    assert source.read_as == ("stranger" if server.mode == "open" else "credential")
    assert {name: frame.height for name, frame in frames.items()} == ROWS
    assert log.skipped == [("public.remote", "a foreign table: to read it, the server would have to connect elsewhere")]
    assert log.noted == [("shop", "1 views: their rows are those of tables")]
    assert log.tables_listed == len(ROWS) + 1
    assert log.rows_listed == sum(ROWS.values())
    assert set(frames["public.events"]["id"]) == set(range(1, 701))
    assert frames[f"Sales & Co.{ODD}"].columns == ["Column; DROP TABLE x; --", "mixed Case", 'q"uote']
    assert server.dump() == before
    no_canary(log, source.wire.footprint(), source)


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


def test_types(server: Postgres15) -> None:
    frames, _ = read_all(source_of(server, login=password("postgres"), suffix="/shop"))
    row, other = frames["public.types"].to_dicts()
    assert row == {
        "id": 9007199254740993,
        "flag": True,
        "day": dt.date(2024, 2, 29),
        "moment": at("2024-02-29 12:30:00.5"),
        "instant": at("2024-02-29 10:30:00"),
        "price": Decimal("12.50"),
        "long": Decimal("123456789012345678901"),
        "free": "1.5",
        "real8": 1.25,
        "uid": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
        "ip": "192.0.2.7",
        "net": "192.0.2.0/24",
        "mac": "08:00:2b:01:02:03",
        "raw": b"\x00\xff\n\\",
        "doc": f'{{"email": "{CANARY}"}}',
        "docb": '{"a": {"b": [1, 2]}}',
        "tags": '["x","y\\"z",null]',
        "matrix": "[[1,2],[3,4]]",
        "hs": f'{{"k": "v", "mail": "{CANARY}"}}',
        "home": '{"street":"Main St 1","city":"Bonn"}',
        "feeling": "ok",
        "mail": CANARY,
        "span.lower": at("2024-01-01"),
        "span.upper": at("2024-02-01"),
        "years.lower": 1,
        "years.upper": 5,
        "period.lower": dt.date(2024, 1, 1),
        "period.upper": None,
        "pause": "P1D",
        "at": "12:00:00",
        "fixed": "ab   ",
        "null": "tab\there\nline\\N",
    }
    assert other["raw"] == b""
    assert other["null"] == ""
    assert other["tags"] == "[]"
    filled = {name for name, value in other.items() if value is not None}
    assert filled == {"id", "raw", "tags", "null", "real8"}


def test_all_databases_are_read_with_their_names(server: Postgres15) -> None:
    frames, log = read_all(source_of(server, login=password("postgres")))
    assert set(frames) == {"postgres/public.notes", *(f"shop/{name}" for name in ROWS)}
    assert [what for what, _ in log.skipped] == ["shop/public.remote"]


def test_a_scan_finds_what_was_seeded(server: Postgres15) -> None:
    source = source_of(server, login=password("postgres"), suffix="/shop")
    report = Scanner().scan_source(source, "postgresql://x/shop")
    found = {(table.name, column.path, column.category) for table in report.tables for column in table.columns}
    assert ("public.customers", "email", "email_address") in found
    assert ("public.customers", "phone", "telephone_number") in found
    assert ("public.events", "email", "email_address") in found
    emails = {table for table, _, category in found if category == "email_address"}
    assert emails >= {"public.types", "public.copies", "public.family", "public.child", "public.guarded"}
    assert all(CANARY not in repr(table) for table in report.tables)
    events = next(table for table in report.tables if table.name == "public.events")
    assert (events.rows_read, events.notes) == (700, ("read through its 3 partitions, once each",))
    no_canary(report)


def test_the_server_saw_declared_statements_only(server: Postgres15) -> None:
    declared = [
        re.compile(re.sub(r"<[a-z_]+>", ".*", re.escape(probe.sql)))
        for probe in probes.load("postgresql").values()
        if probe.sql
    ]
    read_all(source_of(server, login=password("postgres")))
    read_all(source_of(server, login=password("postgres")), sample=5)
    time.sleep(0.2)
    statements = server.statements()
    assert len(statements) > 20
    assert not [text for text in statements if not any(pattern.fullmatch(text) for pattern in declared)]


def test_a_sample_is_drawn_by_the_server(server: Postgres15) -> None:
    source = source_of(server, login=password("postgres"), suffix="/shop")
    report = Scanner(Options(sample=50)).scan_source(source, "x")
    heights = {table.name: table.rows_read for table in report.tables}
    assert heights["public.customers"] == 50
    assert heights["public.events"] == 50
    customers = next(table for table in report.tables if table.name == "public.customers")
    bound = "50 random rows: what stands in fewer than 6.00% of all rows may be missed (95 %)"
    assert customers.notes == ("a sample, drawn by TABLESAMPLE BERNOULLI", bound)
    events = next(table for table in report.tables if table.name == "public.events")
    partitions = "read through its 3 partitions, once each"
    assert events.notes == (partitions, "a sample, drawn by TABLESAMPLE BERNOULLI", bound)
    whole = next(table for table in report.tables if table.name == "public.types")
    assert whole.notes == ()  # all of it was read, and nothing can have been missed
    assert report.coverage.sampled


def test_a_user_with_few_rights(server: Postgres15) -> None:
    if server.mode == "open":
        return  # read as the stranger, who may do all
    frames, log = read_all(source_of(server, login=password("reader"), suffix="/shop"))
    assert {name: frame.shape for name, frame in frames.items()} == {
        "public.customers": (PEOPLE, 4),
        "public.events": (700, 3),  # the right is on the parent alone
        "public.guarded": (0, 1),
        "public.types": (2, 1),
    }
    skipped = dict(log.skipped)
    assert skipped["public.family"] == "no permission to read"
    assert skipped["public.types"] == "28 columns: no permission to read"
    assert len(skipped) == len(ROWS) - 4 + 2


@pytest.mark.parametrize("user", ["postgres", "nobody"])
def test_a_wrong_credential_is_refused_and_not_shown(server: Postgres15, user: str) -> None:
    if server.mode == "open":
        return  # the credential is never sent
    login = Credential(user, Secret(SECRET + "x"), origin="credentials file")
    with pytest.raises(RefusedError, match=r"not accepted \(credentials file\)") as caught:
        read_all(source_of(server, login=login))
    no_canary(caught.value)


def test_what_was_read_counts_when_the_server_ends_the_session(server: Postgres15) -> None:
    if server.mode != "open":
        return
    with server.admin("nothing") as admin:
        admin.execute("CREATE TABLE big AS SELECT n, repeat('x', 200) AS t FROM generate_series(1, 300000) n")
    try:
        source = source_of(server, suffix="/nothing")
        log = ReadLog()
        unit = next(iter(source.units(log)))
        seen = 0
        batches = source.read(unit, log)
        for batch in batches:
            if batch.frame.height:
                seen = batch.frame.height
                break
        with server.admin() as admin:
            admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'plainview'")
        rest: list[int] = []
        # A server that waits for room to send ends without a word: it may be in the middle of a row.
        why = rf"(the server was shut down|{WORDLESS})"
        with pytest.raises(ReadError, match=rf"stopped after [0-9,]+ rows: {why}$") as caught:
            rest.extend(batch.frame.height for batch in batches)
        seen += sum(rest)
        if seen in (0, 300000):
            pytest.skip("the session ended before the first or after the last row: nothing to see here")
        assert 0 < seen < 300000
        assert f"{seen:,}" in str(caught.value)
    finally:
        with server.admin("nothing") as admin:
            admin.execute("DROP TABLE big")


def test_a_large_table_is_read_in_parts(server: Postgres15) -> None:
    if server.mode != "open":
        return
    with server.admin("nothing") as admin:
        admin.execute(
            "CREATE TABLE big AS SELECT n, repeat('d', 500) || E'\\nd' AS t FROM generate_series(1, 200000) n"
        )
    try:
        source = source_of(server, suffix="/nothing")
        log = ReadLog()
        units = list(source.units(log))
        assert len(units) == 2
        frames = pl.concat(batch.frame for unit in units for batch in source.read(unit, log))
        assert frames["n"].sort().equals(pl.Series("n", range(1, 200001)))
        assert (log.tables_listed, log.rows_listed) == (1, 200000)
    finally:
        with server.admin("nothing") as admin:
            admin.execute("DROP TABLE big")


# -- other rules ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rules", "state", "problem"),
    [
        (("md5",), "auth_required", ""),
        (("password",), "auth_required", ""),
        (("reject",), "auth_required", "not accepted"),
        (("reject", "md5"), "auth_required", ""),
        (("reject", "password"), "auth_required", "in the clear"),
        (("trust", "scram-sha-256"), "admin", ""),
        (("scram-sha-256", "trust"), "admin", ""),
        (("reject", "trust"), "admin", ""),
        (("scram-sha-256", "reject"), "auth_required", ""),
    ],
)
def test_rules_of_other_kinds(
    ruled: Postgres15, rules: tuple[str, ...], state: str, problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a certificate that is trusted; without TLS the secret may go over loopback, as a proof only."""
    monkeypatch.setenv("SSL_CERT_FILE", str(ruled.data / "pair.pem"))
    ruled.rules(*rules)
    source = source_of(ruled, login=password("postgres"), suffix="/shop")
    exposure = source.check_access()
    sure = "probable" if state == "auth_required" else "proved"
    assert (exposure.state, exposure.confidence) == (state, sure)
    assert exposure.tls is not None
    assert exposure.tls.used
    assert "self-signed" in exposure.tls.certificate
    no_canary(exposure)
    if problem:
        with pytest.raises((RefusedError, WithheldError), match=problem) as caught:
            read_all(source)
        no_canary(caught.value)
    else:
        frames, _ = read_all(source)
        assert {name: frame.height for name, frame in frames.items()} == ROWS


@pytest.mark.parametrize("method", ["md5", "scram-sha-256", "password"])
@pytest.mark.parametrize("suffix", ["/shop", "/shop?sslmode=require", "/shop?sslmode=verify-full"])
def test_no_proof_over_a_certificate_that_is_not_trusted(ruled: Postgres15, method: str, suffix: str) -> None:
    ruled.rules(method)
    before = len(ruled.log)
    with pytest.raises(WithheldError, match=r"not accepted.*no credential was sent") as caught:
        read_all(source_of(ruled, login=password("postgres"), suffix=suffix))
    no_canary(caught.value)
    assert "password authentication failed" not in ruled.log[before:]
    if method == "md5":  # unless the scope file says otherwise for that host
        scope = parse_scope('[[allow]]\nnetworks = ["127.0.0.1"]\npermit = ["unverified_tls"]')
        frames, _ = read_all(source_of(ruled, login=password("postgres"), suffix=suffix, scope=scope))
        assert {name: frame.height for name, frame in frames.items()} == ROWS


def test_what_is_put_ahead_of_tls_is_nobodys_answer(ruled: Postgres15, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody between sends a whole login and empty results in the packet of the S; the server itself is right."""
    monkeypatch.setenv("SSL_CERT_FILE", str(ruled.data / "pair.pem"))
    ruled.rules("scram-sha-256")
    entered = message(b"R", b"\0\0\0\0") + message(b"S", b"server_version\x0099.9\0") + message(b"Z", b"I")
    forged = entered + (message(b"C", b"SELECT 0\0") + message(b"Z", b"I")) * 6
    for change, exit_status in ((lambda first: first, 1), (lambda first: first + forged, 2)):
        before = len(ruled.log)
        with between(ruled.port, change) as port:
            target = parse_target(f"postgresql://127.0.0.1:{port}/shop?sslmode=verify-full")
            login = Credentials(((target, password("reader")),), environment={})
            source = open_source(target, credentials=login)
            report = Report(targets=(Scanner(Options(threads=1)).scan_source(source, str(target)),))
        exposure = report.targets[0].exposure
        assert exposure is not None
        assert ("plainview" in ruled.log[before:]) == (exit_status == 1)
        if exit_status == 1:
            assert exposure.state == "auth_required"
            assert report.found
        else:
            assert report.exit_status == 2
            assert exposure.confidence == "inconclusive"
            assert exposure.version is None
            assert "ahead of TLS" in report.targets[0].coverage.skipped[0].why


PASSWORDS = [
    "pencil",
    "a\u00a0b",
    "I\u00adX \u2168",
    "stra\u00dfe \ufb01",
    "\U0001fa77 emoji",
    "tab\there",
    "\u0627\u0031\u0628",
]


@pytest.mark.parametrize("secret", PASSWORDS)
def test_passwords_of_all_letters(ruled: Postgres15, secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server prepares them as its own client does."""
    monkeypatch.setenv("SSL_CERT_FILE", str(ruled.data / "pair.pem"))
    ruled.rules("scram-sha-256")
    with ruled.admin() as admin:
        admin.execute("ALTER ROLE reader PASSWORD '" + secret + "'")
    try:
        source = source_of(ruled, login=Credential("reader", Secret(secret)), suffix="/postgres")
        read_all(source)
        assert source.read_as == "credential"
        with pytest.raises(RefusedError, match="not accepted"):
            read_all(source_of(ruled, login=Credential("reader", Secret(secret + "x")), suffix="/postgres"))
    finally:
        with ruled.admin() as admin:
            admin.execute(f"ALTER ROLE reader PASSWORD '{SECRET}'")


# -- hostile servers --------------------------------------------------------------------------------------

FAST = WireLimits(first_byte=0.4, probe=0.8, service=2.0, idle=1.0)


def message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack(">i", len(body) + 4) + body


TRUST = message(b"R", struct.pack(">i", 0)) + message(b"S", b"server_version\x0015.3\0") + message(b"Z", b"I")
ERROR = message(b"E", f"SFATAL\0C28000\0M{CANARY}\0\0".encode())


def after_no_tls(*answers: bytes):
    """Refuse TLS; then give the answers in turn, the last again and again."""

    def behave(sock, data: bytes) -> None:
        if len(data) == 8:
            sock.sendall(b"N")
            return
        waiting = list(answers)
        while data:
            sock.sendall(waiting.pop(0) if len(waiting) > 1 else waiting[0])
            data = sock.recv(65536)

    return behave


ROW = message(b"D", struct.pack(">hi", 1, len(CANARY)) + CANARY.encode())
END = message(b"C", b"SELECT 1\0") + message(b"Z", b"I")


@pytest.mark.parametrize(
    ("behave", "state", "confidence"),
    [
        (silent, "unknown", "inconclusive"),
        (reset, "unknown", "inconclusive"),
        (always(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "unknown", "inconclusive"),
        (always(b"N"), "unknown", "inconclusive"),
        (answer(b"S" + b"\x15\x03\x01garbage" * 9), "unknown", "inconclusive"),
        (after_no_tls(b"R\x7f\xff\xff\xff"), "unknown", "inconclusive"),
        (after_no_tls(b"R\0\0\0\1"), "unknown", "inconclusive"),
        (after_no_tls(ERROR), "auth_required", "probable"),
        (after_no_tls(message(b"E", b"C53300\0\0")), "unknown", "inconclusive"),
        (after_no_tls(TRUST[:-3]), "unknown", "inconclusive"),
        (after_no_tls(TRUST, b"?" * 50), "reachable_metadata", "inconclusive"),
        (after_no_tls(TRUST, END), "lists", "looks_like_honeypot"),
        (after_no_tls(TRUST, ROW + END), "lists", "looks_like_honeypot"),
        (after_no_tls(TRUST, message(b"D", b"\0\1\x7f\xff\xff\xff")), "reachable_metadata", "inconclusive"),
        (endless(b"N", b"R"), "unknown", "inconclusive"),
        (drip(b"N", b"R" * 100, 0.2), "unknown", "inconclusive"),
    ],
)
def test_hostile(behave, state: str, confidence: str) -> None:
    with fake(behave) as (port, _), nothing_elsewhere(port):
        source = open_source(parse_target(f"postgresql://127.0.0.1:{port}"), network=FAST)
        exposure = source.check_access()
        assert (exposure.state, exposure.confidence) == (state, confidence), exposure.evidence
        no_canary(exposure)
        with pytest.raises(PlainviewError) as caught:
            list(source.units(ReadLog()))
        no_canary(caught.value)


# -- servers that end it ------------------------------------------------------------------------------------

SHUT_DOWN = message(b"E", b"SFATAL\0C57P01\0Mterminating\0\0")
BEGINNING = message(b"H", b"\0\0\1\0\0")
WORDLESS = "the (server ended the connection|connection was reset) in the middle of a table, without saying why"
THREE = b"".join(message(b"d", b"x%d\n" % number) for number in range(3))


def session_of(port: int) -> Session:
    session = open_session(Wire(parse_target(f"postgresql://127.0.0.1:{port}"), limits=FAST), tls=False)
    session.start("postgresql.startup", Door(), 15)
    return session


def in_the_middle_of_a_table(last: bytes, end=reset):
    def behave(sock, _: bytes) -> None:
        sock.sendall(TRUST)
        sock.recv(65536)
        sock.sendall(BEGINNING + THREE + last)
        end(sock, b"")

    return behave


@pytest.mark.parametrize("end", [reset, lambda sock, data: None])
@pytest.mark.parametrize(
    ("last", "problem"),
    [
        (SHUT_DOWN, "the server was shut down"),
        (b"", WORDLESS),
        (message(b"d", b"x" * 99)[:50], WORDLESS),
        (SHUT_DOWN[:9], WORDLESS),
    ],
)
def test_why_a_table_ended(last: bytes, problem: str, end) -> None:
    with fake(in_the_middle_of_a_table(last, end)) as (port, _), session_of(port) as session:
        seen = []
        with pytest.raises(PlainviewError, match=f"^{problem}$"):
            seen.extend(session.copy("postgresql.rows", table="t", columns="c"))
        assert b"".join(seen) == b"....\tx0\n....\tx1\n....\tx2\n"


@pytest.mark.parametrize("end", [reset, lambda sock, data: None])
def test_what_the_server_said_before_our_question_is_read_after_it(end) -> None:
    def behave(sock, _: bytes) -> None:
        sock.sendall(TRUST + SHUT_DOWN)
        end(sock, b"")

    with fake(behave) as (port, _), session_of(port) as session:
        time.sleep(0.3)  # it is gone before we ask
        with pytest.raises(PlainviewError, match=r"^the server was shut down$"):
            session.query("postgresql.begin")


# -- rows -------------------------------------------------------------------------------------------------


@given(st.lists(st.binary(max_size=30).map(lambda b: b.replace(b"\n", b"d") + b"\n"), max_size=40), st.integers(0, 40))
def test_rows_are_found_wherever_the_block_is_cut(rows: list[bytes], cut: int) -> None:
    data = b"".join(message(b"d", row) for row in rows)
    buffer = bytearray(data)
    filled = max(len(data) - cut, 0)
    starts, end = rows_of(buffer, filled)
    walked, walked_end = walk(buffer, filled)
    assert (starts.tolist(), end) == (walked.tolist(), walked_end)


@pytest.mark.parametrize(("width", "blocks"), [(1, 1), (3, 1), (4, 2), (13, 5), (2000, 10)])
def test_a_block_has_a_bounded_number_of_cells(width: int, blocks: int, monkeypatch) -> None:
    monkeypatch.setattr("plainview.stores.shared.sql_text.CELLS", 30)
    rows = b"".join(message(b"d", b"\t".join([b"c"] * width) + b"\n") for _ in range(10))
    done = message(b"c", b"") + message(b"C", b"COPY 10\0") + message(b"Z", b"I")
    with fake(after_no_tls(TRUST, BEGINNING + rows + done)) as (port, _), session_of(port) as session:
        found = list(session.copy("postgresql.rows", width, table="t", columns="c"))
        assert len(found) == blocks
        assert b"".join(found).count(b"....\tc") == 10
        assert not session.broken


def test_room_for_a_long_row_is_not_kept(monkeypatch) -> None:
    monkeypatch.setattr("plainview.stores.postgresql.copy.BLOCK", 1024)
    rows = [b"%d\n" % number for number in range(300)]
    rows[100] = rows[150] = b"y" * 50_000 + b"\n"
    done = message(b"c", b"") + message(b"C", b"COPY 300\0") + message(b"Z", b"I")
    sent = b"".join(message(b"d", row) for row in rows)
    with fake(after_no_tls(TRUST, BEGINNING + sent + done)) as (port, _), session_of(port) as session:
        found = list(session.copy("postgresql.rows", table="t", columns="c"))
    assert b"".join(found) == b"".join(b"....\t" + row for row in rows)
    assert sorted(map(len, found))[-2] >= 50_000  # each of the long rows; and all other blocks are short
    assert sorted(map(len, found))[-3] <= 1024


@pytest.mark.parametrize(
    ("kinds", "limit"),
    [(["int4", "text"], 16), (["text", "text", "jsonb", "date"], 16 / 3), (["text", "bytea"], 16 / 3)],
)
def test_long_cells_share_the_room_of_a_row(kinds: list[str], limit: float) -> None:
    table = ["1", "s", "t", "r", "5", "9", "t", "t", "f", "0", "t", "f", "t"]
    columns = [["1", f"c{number}", kind, "b", "S", "-1", "t"] for number, kind in enumerate(kinds)]
    relation = relations([table], columns, 16 << 20)[0]
    assert relation.longest == int(limit * (1 << 20))
    assert all(
        (f"{relation.longest}" in column.sql) == (column.dtype in (pl.String, pl.Binary)) for column in relation.columns
    )
    short = [*table[:7], "f", *table[8:]]
    assert relations([short], columns, 16 << 20)[0].longest == 0
    assert relations([[*short[:3], "p", *short[4:]]], columns, 16 << 20)[0].longest == relation.longest


def test_a_length_that_looks_like_a_row() -> None:
    rows = [b"d12345\n"[:6], b"dddd\n", b"x" * 2655 + b"\n"] * 3
    buffer = bytearray(b"".join(message(b"d", row) for row in rows))
    starts, end = rows_of(buffer, len(buffer))
    assert (len(starts), end) == (9, len(buffer))


def test_trust_for_other_roles_is_no_all_clear(ruled: Postgres15) -> None:
    """The role that is always there needs a password, and the others are trusted: whoever knows a name is let in."""
    rules = "local all all trust\nhost all postgres 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 trust\n"
    (ruled.data / "pg" / "pg_hba.conf").write_text(rules)
    with ruled.admin() as admin:
        admin.execute("DROP ROLE IF EXISTS app")
        admin.execute("CREATE ROLE app LOGIN")
        admin.execute("SELECT pg_reload_conf()")
    time.sleep(0.3)
    seen = open_source(parse_target(f"postgresql://127.0.0.1:{ruled.port}")).check_access()
    assert (seen.state, seen.confidence) == ("unknown", "inconclusive"), seen.evidence
    assert "no user of that name" in seen.evidence[-1]
    seen = open_source(parse_target(f"postgresql://app@127.0.0.1:{ruled.port}")).check_access()
    assert (seen.state in {"lists", "reads"}, seen.confidence) == (True, "proved"), seen.evidence
    assert "the user named in the address" in seen.evidence[0]


def test_what_was_not_asked_is_said(ruled: Postgres15) -> None:
    ruled.rules("scram-sha-256")
    seen = open_source(parse_target(f"postgresql://127.0.0.1:{ruled.port}")).check_access()
    assert (seen.state, seen.confidence) == ("auth_required", "probable")
    assert "only postgres was asked" in seen.not_tried[-1]
