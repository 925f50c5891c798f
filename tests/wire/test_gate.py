"""The gate: a secret goes over TLS with a certificate that is valid, where TLS was promised, for every kind of store.

The promise is made by the scheme, by an option, or by the entry of the credentials file. Each kind is scanned as a
user would, against a port that breaks the handshake and answers in plain text, one with a certificate of another, and
one that speaks no TLS at all.
"""

from __future__ import annotations

import ast
import re
import socket
import ssl
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import plainview
from fakes.closed import SECRET, STORES, USER, Seen, closed
from hostile.run import kinds
from plainview import catalog
from plainview.errors import ProtocolError, WithheldError
from plainview.pipeline.scanner import Options, Scanner
from plainview.report.model import Report
from plainview.report.render import render
from plainview.stores import open_source
from plainview.targets.credential import Credential
from plainview.targets.credentials import Credentials, load_credentials
from plainview.targets.parsing import parse_target
from plainview.targets.scope import Scope, parse_scope
from plainview.targets.secret import Secret
from plainview.targets.target import Target
from plainview.wire import Wire, WireLimits
from servers.base import self_signed
from servers.fake import answer, fake

SRC = Path(plainview.__file__).parent
QUICK = WireLimits(connect=2.0, first_byte=2.0, probe=4.0, service=20.0, idle=2.0)
KINDS = list(STORES)
HOWS = ["breaks", "foreign", "plain"]
OPTIONS = ["tls=true", "ssl=1", "sslmode=require", "sslmode=verify-full", "sslrootcert=ca.pem"]
EXCUSED = parse_scope('[[allow]]\nnetworks = ["127.0.0.1"]\npermit = ["unverified_tls"]')
NO_LOGIN = "memcached"  # its login is a command that writes


def test_every_kind_has_a_closed_store() -> None:
    assert set(STORES) == set(kinds()) - {"fingerprint"}
    assert len(KINDS) >= 14


# -- addresses ------------------------------------------------------------------------------------------


def addresses(kind: str, port: int) -> tuple[list[str], list[str]]:
    """Return the addresses of a kind that promise TLS, by scheme and by option, and those that do not."""
    if catalog.ours()[kind].bucket:
        place = f"{kind}://account/container" if kind == "azure" else f"{kind}://bucket"
        return [f"{place}?endpoint=https://127.0.0.1:{port}"], [f"{place}?endpoint=http://127.0.0.1:{port}"]
    schemes = {name: scheme for name, scheme in catalog.schemes().items() if scheme.kind == kind}
    plain = [f"{name}://127.0.0.1:{port}" for name, scheme in schemes.items() if not scheme.tls]
    tls = [f"{name}://127.0.0.1:{port}" for name, scheme in schemes.items() if scheme.tls]
    options = [*OPTIONS, *["ssl-mode=VERIFY_IDENTITY", "sslMode=required"] * (kind == "mysql")]
    return [*tls, *(f"{plain[0]}?{option}" for option in options)], plain


def promised(kind: str, port: int) -> list[str]:
    return addresses(kind, port)[0]


def with_credential(text: str, secret: str) -> str:
    """Return an address with a user and a password in it."""
    place = "bucket" if "://bucket" in text else "account" if "://account" in text else "127"
    return text.replace(f"://{place}", f"://{USER}:{secret.replace('=', '%3D')}@{place}", 1)


# -- scans ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def scanner() -> Scanner:
    return Scanner(Options(threads=1))


@pytest.fixture(scope="module")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trust store with one certificate, which is no server's: to load the system's takes longer than the scan."""
    self_signed(path := tmp_path_factory.mktemp("trusted") / "store.pem")
    return path


@pytest.fixture
def pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trusted: Path) -> Iterator[Path]:
    """A certificate for 127.0.0.1 that nobody trusts, and an environment that would write down the keys of TLS."""
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys.log"))
    self_signed(path := tmp_path / "pair.pem")
    yield path
    assert not (tmp_path / "keys.log").exists()


def context_of(pair: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair)
    return context


def listed(kind: str, entry: str) -> Credentials:
    """Return what a credentials file with one entry gives."""
    store = STORES[kind]
    user = None if store.token else USER
    origin = "entry 1 of the credentials file"
    login = Credential(user, Secret(store.secret), token=store.token, origin=origin)
    return Credentials(((parse_target(entry), login),), environment={})


def scanned(scanner: Scanner, text: str, credentials: Credentials, scope: Scope | None = None) -> Report:
    target = parse_target(text)
    source = open_source(target, credentials=credentials, scope=scope, network=QUICK)
    try:
        return Report(targets=(scanner.scan_source(source, str(target)),))
    finally:
        source.close()


def was_sent(kind: str, seen: Seen) -> bool:
    """Tell whether a credential or a proof of one arrived."""
    store = STORES[kind]
    found = [data for data in seen.requests if re.search(store.sign, data, re.DOTALL)]
    return bool(found) or any(word.encode() in b"".join(seen.requests) for word in (SECRET, store.secret))


def refused(kind: str, report: Report, seen: Seen) -> None:
    """Fail unless nothing was sent and the report says so."""
    assert not was_sent(kind, seen)
    assert report.exit_status == 2
    why = " ".join(line.why for line in report.targets[0].coverage.skipped)
    assert re.search(r"(no credential was|is not|was not|which is not) sent", why), why
    for fmt in ("json", "text", "html"):
        assert SECRET not in render(report, fmt)


def check(kind: str, how: str, pair: Path, scan) -> None:
    """Scan a closed store of that kind, and expect it to see no secret."""
    with closed(kind, "tls" if how == "foreign" else how, context_of(pair)) as seen:
        report = scan(seen.port)
        refused(kind, report, seen)


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("kind", KINDS)
def test_by_scheme_and_by_option(kind: str, how: str, scanner: Scanner, pair: Path) -> None:
    for number in range(len(promised(kind, 1))):
        check(
            kind,
            how,
            pair,
            lambda port, at=number: scanned(scanner, promised(kind, port)[at], listed(kind, promised(kind, port)[at])),
        )


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("kind", KINDS)
def test_in_the_address(kind: str, how: str, scanner: Scanner, pair: Path) -> None:
    if STORES[kind].token:
        return  # an address holds users and passwords

    def scan(port: int) -> Report:
        return scanned(scanner, with_credential(promised(kind, port)[0], STORES[kind].secret), Credentials.none())

    check(kind, how, pair, scan)


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("kind", KINDS)
def test_an_entry_for_tls_is_not_for_a_plain_address(kind: str, how: str, scanner: Scanner, pair: Path) -> None:
    for number in (0, -1):
        check(
            kind,
            how,
            pair,
            lambda port, at=number: scanned(
                scanner, addresses(kind, port)[1][0], listed(kind, promised(kind, port)[at])
            ),
        )


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_bare_port_with_an_entry_for_tls(kind: str, how: str, scanner: Scanner, pair: Path) -> None:
    with closed(kind, "tls" if how == "foreign" else how, context_of(pair)) as seen:
        report = scanned(scanner, f"127.0.0.1:{seen.port}", listed(kind, promised(kind, seen.port)[0]))
        assert not was_sent(kind, seen)
        assert report.exit_status == 2
        if STORES[kind].port_tells and kind != NO_LOGIN:
            refused(kind, report, seen)


@pytest.mark.parametrize("kind", KINDS)
def test_a_certificate_for_another_name(
    kind: str, scanner: Scanner, pair: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trusted, and valid for 127.0.0.1: but "localhost" was asked for."""
    monkeypatch.setenv("SSL_CERT_FILE", str(pair))
    with closed(kind, "tls", context_of(pair)) as seen:
        text = promised(kind, seen.port)[0].replace("127.0.0.1", "localhost")
        refused(kind, scanned(scanner, text, listed(kind, text)), seen)


# -- the other side: without these the above would prove nothing -----------------------------------------


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != NO_LOGIN])
def test_it_is_sent_where_the_promise_is_kept(
    kind: str, scanner: Scanner, pair: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(pair))
    for number in range(len(promised(kind, 1))):
        with closed(kind, "tls", context_of(pair)) as seen:
            text = promised(kind, seen.port)[number]
            report = scanned(scanner, text, listed(kind, text))
            assert was_sent(kind, seen), report
            assert report.targets[0].coverage.credential == "entry 1 of the credentials file"


@pytest.mark.parametrize("kind", [kind for kind in KINDS if STORES[kind].port_tells and kind != NO_LOGIN])
def test_it_is_sent_to_a_bare_port_over_tls(
    kind: str, scanner: Scanner, pair: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(pair))
    with closed(kind, "tls", context_of(pair)) as seen:
        scanned(scanner, f"127.0.0.1:{seen.port}", listed(kind, promised(kind, seen.port)[0]))
        assert was_sent(kind, seen)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != NO_LOGIN])
def test_the_scope_file_excuses_a_certificate_and_no_more(kind: str, scanner: Scanner, pair: Path) -> None:
    for how in ("tls", "breaks", "plain"):
        with closed(kind, how, context_of(pair)) as seen:
            text = promised(kind, seen.port)[0]
            report = scanned(scanner, text, listed(kind, text), EXCUSED)
            if how == "tls":
                assert was_sent(kind, seen), report
            else:
                refused(kind, report, seen)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != NO_LOGIN])
def test_it_is_sent_in_the_clear_where_the_address_is_plain(kind: str, scanner: Scanner, pair: Path) -> None:
    with closed(kind, "plain", context_of(pair)) as seen:
        text = addresses(kind, seen.port)[1][0]
        scanned(scanner, text, listed(kind, text))
        assert was_sent(kind, seen)


# -- promises that come from elsewhere -------------------------------------------------------------------


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize(
    ("kind", "environment"),
    [
        ("postgresql", {"PGPASSWORD": SECRET, "PGUSER": USER, "PGSSLMODE": "verify-full"}),
        ("postgresql", {"PGPASSWORD": SECRET, "PGUSER": USER, "PGSSLMODE": "VERIFY-FULL"}),
        ("etcd", {"ETCDCTL_USER": f"{USER}:{SECRET}", "ETCDCTL_ENDPOINTS": "https://127.0.0.1:PORT"}),
        (
            "s3",
            {"AWS_ACCESS_KEY_ID": USER, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_ENDPOINT_URL": "https://127.0.0.1:PORT"},
        ),
    ],
)
def test_the_environment_promises(
    kind: str, environment: dict[str, str], how: str, scanner: Scanner, pair: Path
) -> None:
    def scan(port: int) -> Report:
        env = {name: value.replace("PORT", str(port)) for name, value in environment.items()}
        return scanned(scanner, addresses(kind, port)[1][0], Credentials(environment=env))

    check(kind, how, pair, scan)


@pytest.mark.parametrize("how", HOWS)
def test_the_environment_promises_for_every_credential(how: str, scanner: Scanner, pair: Path) -> None:
    """The settings of the tools hold wherever the credential came from; what the address says counts first."""

    def scan(port: int) -> Report:
        address = f"postgresql://127.0.0.1:{port}"
        both = Credentials(listed("postgresql", address).listed, environment={"PGSSLMODE": "require"})
        return scanned(scanner, address, both)

    check("postgresql", how, pair, scan)
    target = parse_target("postgresql://h?sslmode=prefer")
    given = Credentials(listed("postgresql", "postgresql://h").listed, environment={"PGSSLMODE": "require"}).find(
        target
    )
    assert given is not None
    assert not given.tls


@pytest.mark.parametrize("mode", ["REQUIRED", "verify_identity", "of another kind"])
@pytest.mark.parametrize("how", HOWS)
def test_my_cnf_promises(how: str, mode: str, scanner: Scanner, pair: Path) -> None:
    def scan(port: int) -> Report:
        text = f"[client]\nuser={USER}\npassword={SECRET}\nhost=127.0.0.1\nport={port}\nssl-mode={mode}\n"
        (pair.parent / ".my.cnf").write_text(text)
        return scanned(scanner, f"mysql://127.0.0.1:{port}", Credentials(environment={"HOME": str(pair.parent)}))

    check("mysql", how, pair, scan)


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://h?sslmode=VERIFY-FULL",
        "postgresql://h?sslmode=Require",
        "postgresql://h?sslmode=verify_full",
        "postgresql://h?sslmode=",
        "postgresql://h?sslmode=verify-full&sslmode=disable",
        "postgresql://h?ssl=true&sslmode=disable",
        "postgresql://h?SSLMODE=no%20such",
        "mysql://h?sslmode=VERIFY-FULL",
        "mysql://h?ssl-mode=VERIFY",
        "mongodb://h?tls=maybe",
        "mongodb://h?tls=true&ssl=false",
        "rediss://h?tls=false",
        "https://h?ssl=0",
        "s3://b?endpoint=http://h&tls=true",
        "s3://b?endpoint=https://h&sslmode=disable",
    ],
)
def test_an_option_that_is_not_understood_is_an_error(text: str) -> None:
    with pytest.raises(plainview.errors.TargetError) as caught:
        parse_target(text)
    assert "no such" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "tls", "plain"),
    [
        ("postgresql://h", False, False),
        ("postgresql://h?sslmode=prefer", False, False),
        ("postgresql://h?sslmode=allow&sslrootcert=x", False, False),
        ("postgresql://h?sslmode=disable", False, True),
        ("mysql://h?useSSL=false", False, True),
        ("mysql://h?ssl_mode=preferred", False, False),
        ("redis://h?tlsCAFile=x", True, False),
    ],
)
def test_what_options_say(text: str, tls: bool, plain: bool) -> None:
    target = parse_target(text)
    assert (target.tls, target.plain) == (tls, plain)


# -- what no address allows ------------------------------------------------------------------------------


def gated(target: Target, ip: str, credential: Credential) -> Wire:
    """Return a wire whose name was looked up already."""
    wire = Wire(target, parse_scope('[[allow]]\nnetworks = ["203.0.113.0/24"]'))
    wire._addresses = [ip]
    return wire


@pytest.mark.parametrize(
    ("text", "ip", "admitted"),
    [
        ("postgresql://h", "127.0.0.1", True),
        ("postgresql://h", "::1", True),
        ("postgresql://h", "203.0.113.9", False),
        ("postgresql://h?sslmode=prefer", "203.0.113.9", False),
        ("postgresql://h?sslmode=disable", "203.0.113.9", True),
        ("mysql://h", "203.0.113.9", False),
        ("redis://h", "203.0.113.9", True),
        ("rediss://h", "127.0.0.1", False),
    ],
)
def test_a_server_that_denies_tls_gets_no_proof_over_a_network(text: str, ip: str, admitted: bool) -> None:
    """Where the client asks for TLS inside of the connection, whoever stands between can say that there is none."""
    from plainview.wire.gate import Gate

    credential = Credential(USER, Secret(SECRET))
    gate = Gate(gated(parse_target(text), ip, credential), credential)
    if admitted:
        assert gate.reveal(Secret(SECRET), tls=False, only_tls=False) == SECRET
    else:
        with pytest.raises(WithheldError, match="no credential was sent"):
            gate.admit(tls=False)
    with pytest.raises(WithheldError, match="sent"):
        gate.reveal(Secret(SECRET), tls=False, only_tls=True)
    assert gate.reveal(Secret(SECRET), tls=True, only_tls=True) == SECRET


def test_a_connection_of_a_stranger_reveals_nothing() -> None:
    with fake(answer(b"+PONG\r\n")) as (port, seen):
        connection = Wire(parse_target(f"redis://127.0.0.1:{port}")).connect()
        with pytest.raises(WithheldError):
            connection.reveal(Secret(SECRET))
        http = Wire(parse_target(f"etcd://127.0.0.1:{port}")).http()
        with pytest.raises(WithheldError):
            http.ask("etcd.login", api="v3", user=USER, password=Secret(SECRET))
        connection.close()
        assert SECRET.encode() not in b"".join(seen)


def test_a_session_token_of_aws_is_not_sent_in_the_clear(scanner: Scanner, pair: Path) -> None:
    env = {"AWS_ACCESS_KEY_ID": USER, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_SESSION_TOKEN": SECRET + "-token"}
    with closed("s3", "plain", context_of(pair)) as seen:
        report = scanned(scanner, addresses("s3", seen.port)[1][0], Credentials(environment=env))
        refused("s3", report, seen)


# -- nothing crosses the handshake -------------------------------------------------------------------------

READY = b"R\0\0\0\x08\0\0\0\0" + b"S\0\0\0\x18server_version\x0099.9\0" + b"Z\0\0\0\5I"
OK = b"\7\0\0\2\0\0\0\2\0\0\0"
FORGED = {
    "postgresql": (b"S", READY + b"C\0\0\0\rSELECT 0\0Z\0\0\0\5I" * 6),
    "mysql": (b"mysql_native_password\0", OK),
}


def test_each_store_with_starttls_has_a_forger() -> None:
    assert {scheme.kind for scheme in catalog.schemes().values() if scheme.starttls} == set(FORGED)


@pytest.mark.parametrize("login", [True, False])
@pytest.mark.parametrize("kind", FORGED)
def test_nothing_crosses_the_handshake(
    kind: str, login: bool, scanner: Scanner, pair: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server is the right one, its certificate is trusted; somebody on the way adds his answers in plain text."""
    from fakes import closed as module

    monkeypatch.setenv("SSL_CERT_FILE", str(pair))
    last, forged = FORGED[kind]

    class Sock:
        def __init__(self, sock: socket.socket) -> None:
            self.sock = sock

        def sendall(self, data: bytes) -> None:
            self.sock.sendall(data + forged if data.endswith(last) else data)

        def __getattr__(self, name: str):
            return getattr(self.sock, name)

        def __enter__(self):
            return self

        def __exit__(self, *_: object) -> None:
            self.sock.close()

    class Context:
        def wrap_socket(self, sock: Sock, *, server_side: bool) -> ssl.SSLSocket:
            return context_of(pair).wrap_socket(sock.sock, server_side=server_side)

    @module.contextlib.contextmanager
    def tampered(behave, *, first: bool):
        with fake(lambda sock, data: behave(Sock(sock), data), first=first) as found:
            yield found

    monkeypatch.setattr(module, "fake", tampered)
    with closed(kind, "tls", Context()) as seen:
        text = f"{kind}://127.0.0.1:{seen.port}?sslmode=verify-full"
        scope = parse_scope('[[allow]]\nnetworks = ["127.0.0.1"]\npermit = ["try_mysql_root"]')
        report = scanned(scanner, text, listed(kind, text) if login else Credentials.none(), scope)
    exposure = report.targets[0].exposure
    assert exposure is not None
    assert report.exit_status == 2
    assert not was_sent(kind, seen)
    assert exposure.confidence == "inconclusive"
    assert not [line for line in exposure.evidence if "accepted without" in line or "let in" in line]
    assert exposure.version != "99.9"
    assert any("ahead of TLS" in line for line in exposure.evidence)
    if login:
        assert any("ahead of TLS" in line.why for line in report.targets[0].coverage.skipped)


def test_bytes_ahead_of_tls_are_an_error_for_whoever_comes() -> None:
    """The law, at the connection itself: whatever was received and not yet taken."""
    with fake(answer(b"Sx")) as (port, _):
        connection = Wire(parse_target(f"redis://127.0.0.1:{port}")).connect()
        with connection.exchange("redis.ping"):
            connection.send(b"?")
            assert connection.exactly(1) == b"S"
            with pytest.raises(ProtocolError, match="ahead of TLS"):
                connection.start_tls()
        with pytest.raises(ProtocolError, match="closed"):
            connection.send(b"more")


# -- the code -------------------------------------------------------------------------------------------

MODULES = sorted(SRC.rglob("*.py"))
assert len(MODULES) > 190, "the tests below would look at next to nothing"


@cache
def trees() -> list[tuple[str, ast.AST]]:
    return [(path.relative_to(SRC).as_posix(), ast.parse(path.read_text())) for path in MODULES]


def calls(name: str) -> list[tuple[str, ast.Call]]:
    """Return every call of a function or method of that name, with its module."""
    return [
        (module, node)
        for module, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) == name
    ]


def test_only_the_gate_reads_a_secret() -> None:
    """`Secret.reveal` takes nothing; what stores call is `Connection.reveal(secret)`, which asks the gate."""
    assert len(MODULES) > 150
    bare = [module for module, node in calls("reveal") if not node.args and not node.keywords]
    assert bare == ["wire/gate.py"]
    assert len(calls("reveal")) > 8
    # Uncalled, it is handed on by the HTTP client alone, to what dresses a request.
    called = {id(node.func) for _, node in calls("reveal")}
    loose = [
        module
        for module, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr == "reveal" and id(node) not in called
    ]
    assert set(loose) == {"wire/http.py"}
    near = [(module, tree) for module, tree in trees() if not module.startswith(("files/", "documents/"))]
    inside = {module for module, tree in near for node in ast.walk(tree) if getattr(node, "attr", "") == "_value"}
    assert inside == {"targets/secret.py", "stores/redis/resp.py"}  # the latter has a method of that name


def test_only_the_wire_makes_connections_and_gates() -> None:
    assert {module for module, _ in calls("Connection")} == {"wire/stream.py"}
    assert {module for module, _ in calls("Gate")} == {"wire/stream.py", "wire/http.py"}
    assert {module for module, _ in calls("open_socket")} == {"wire/stream.py"}
    assert {module for module, _ in calls("wrap_socket")} == {"wire/tls.py"}
    assert not calls("create_default_context")  # it writes the keys of TLS where SSLKEYLOGFILE says


def test_the_credentials_file_says_which_entry(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text(
        '[[credential]]\ntarget = "rediss://h"\npassword = "x"\n[[credential]]\ntarget = "postgresql://h?sslmode=verify-full"\npassword = "y"\n'
    )
    path.chmod(0o600)
    found = load_credentials(path).find(parse_target("postgresql://h"))
    assert found is not None
    assert found.origin == found.tls == "entry 2 of the credentials file"
