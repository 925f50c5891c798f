"""The command finds a credential where the stores' own tools do, and says where: one test for each that is documented.

The stores are fakes that see what is sent, or real ones that let the credential in.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import re
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fakes.closed import KEY, SECRET, USER, Seen, closed
from plainview import catalog
from plainview.stores.azure.source import shared_key
from plainview.stores.s3.sign import Key, sign
from servers import SECRET as PASSWORD
from servers.caches import Etcd34
from servers.kit import server_fixture
from servers.mariadb import MariaDB
from servers.postgres import Postgres15
from servers.redis_like import Redis

ROOT = Path(__file__).parents[2]
DOCUMENTED = re.compile(r"`((?:PG|MYSQL_|REDISCLI_|CLICKHOUSE_|ETCDCTL_|AWS_|AZURE_)[A-Z0-9_]+|~/[a-z./]+)`")
pytestmark = pytest.mark.usefixtures("clean")


@pytest.fixture
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An environment without any of the variables, and a home of its own."""
    import os

    for name in list(os.environ):
        if re.match(r"(PG|MYSQL_|REDISCLI_|CLICKHOUSE_|ETCDCTL_|AWS_|AZURE_)", name):
            monkeypatch.delenv(name)
    (home := tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(home))
    return home


# -- proofs that the credential arrived ------------------------------------------------------------------


def sha1(data: bytes) -> bytes:
    return hashlib.sha1(data).digest()


def native(password: str) -> bytes:
    """The answer of mysql_native_password to the salt of the fake."""
    once = sha1(password.encode())
    mask = sha1(b"a" * 8 + b"b" * 12 + sha1(once))
    return b"\0\x14" + bytes(a ^ b for a, b in zip(once, mask, strict=True))


def md5(user: str) -> bytes:
    inner = hashlib.md5(f"{SECRET}{user}".encode()).hexdigest()
    return b"md5" + hashlib.md5(inner.encode() + b"salt").hexdigest().encode()


def basic(user: str) -> bytes:
    return b"Basic " + base64.b64encode(f"{user}:{SECRET}".encode())


def headers_of(request: bytes) -> tuple[str, dict[str, str]]:
    head = request.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    return head[0].split(" ")[1], {
        name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:])
    }


def aws(user: str, secret: str) -> Callable[[bytes], bool]:
    def signed(request: bytes) -> bool:
        path, headers = headers_of(request)
        if "x-amz-date" not in headers:
            return False
        now = dt.datetime.strptime(headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC)
        names = re.search(r"SignedHeaders=([a-z0-9;-]+)", headers["authorization"])
        assert names
        given = {n: headers[n] for n in names[1].split(";") if not n.startswith("x-amz-")}
        wanted = sign("GET", path, given, Key(user, secret, "us-east-1"), now=now)
        return wanted["Authorization"] == headers["authorization"]

    return signed


def azure(request: bytes) -> bool:
    path, headers = headers_of(request)
    if "x-ms-date" not in headers:
        return False
    now = dt.datetime.strptime(headers["x-ms-date"], "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=dt.UTC)
    given = {name: value for name, value in headers.items() if name in ("x-ms-version", "host")}
    return shared_key("GET", path, given, "account", KEY, now)["Authorization"] == headers["authorization"]


def holds(part: bytes) -> Callable[[bytes], bool]:
    return lambda request: part in request


# -- each variable and each file ---------------------------------------------------------------------------

PLACE = {
    "s3": "s3://bucket?endpoint=http://127.0.0.1:PORT",
    "azure": "azure://account/c?endpoint=http://127.0.0.1:PORT",
}
PGPASS = f"other:*:*:*:no\n127.0.0.1:PORT:shop:{USER}:{SECRET}\n"
MYCNF = f'[client]\nuser = {USER}\npassword = "{SECRET}"\nhost = localhost\nport = PORT\n'
AWS = f"[default]\naws_access_key_id = no\naws_secret_access_key = no\n[p]\naws_access_key_id = {USER}\naws_secret_access_key = {SECRET}\n"
# name -> (kind, what follows the address, variables, files, what arrives, the origin that the report names)
CASES: dict[str, tuple[str, str, dict[str, str], dict[str, str], Callable[[bytes], bool], str]] = {
    "PGPASSWORD": ("postgresql", "", {"PGUSER": USER, "PGPASSWORD": SECRET}, {}, holds(md5(USER)), "variable PGPASSWORD"),
    "PGPASSWORD of a host": (
        "postgresql",
        "",
        {"PGUSER": USER, "PGPASSWORD": SECRET, "PGHOST": "localhost", "PGPORT": "PORT"},
        {},
        holds(md5(USER)),
        "variable PGPASSWORD",
    ),
    "PGPASSFILE": ("postgresql", "/shop", {"PGPASSFILE": "HOME/mine"}, {"mine": PGPASS}, holds(md5(USER)), ".pgpass"),
    "~/.pgpass": ("postgresql", "/shop", {}, {".pgpass": PGPASS}, holds(md5(USER)), ".pgpass"),
    "MYSQL_PWD": ("mysql", "", {"MYSQL_PWD": SECRET}, {}, holds(b"root" + native(SECRET)), "variable MYSQL_PWD"),
    "~/.my.cnf": ("mysql", "", {}, {".my.cnf": MYCNF}, holds(USER.encode() + native(SECRET)), ".my.cnf"),
    "REDISCLI_AUTH": ("redis", "", {"REDISCLI_AUTH": SECRET}, {}, holds(SECRET.encode()), "variable REDISCLI_AUTH"),
    "CLICKHOUSE_PASSWORD": (
        "clickhouse",
        "",
        {"CLICKHOUSE_USER": USER, "CLICKHOUSE_PASSWORD": SECRET, "CLICKHOUSE_HOST": "127.0.0.1"},
        {},
        holds(basic(USER)),
        "variable CLICKHOUSE_PASSWORD",
    ),
    "ETCDCTL_PASSWORD": (
        "etcd",
        "",
        {"ETCDCTL_USER": USER, "ETCDCTL_PASSWORD": SECRET, "ETCDCTL_ENDPOINTS": "127.0.0.1:PORT,http://x:1"},
        {},
        holds(f'"{USER}", "password": "{SECRET}"'.encode()),
        "variable ETCDCTL_PASSWORD",
    ),
    "ETCDCTL_USER": ("etcd", "", {"ETCDCTL_USER": f"{USER}:{SECRET}"}, {}, holds(SECRET.encode()), "variable ETCDCTL_USER"),
    "AWS_SECRET_ACCESS_KEY": (
        "s3",
        "",
        {"AWS_ACCESS_KEY_ID": USER, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_ENDPOINT_URL": "http://127.0.0.1:PORT"},
        {},
        aws(USER, SECRET),
        "variable AWS_SECRET_ACCESS_KEY",
    ),
    "AWS_PROFILE": ("s3", "", {"AWS_PROFILE": "p"}, {".aws/credentials": AWS}, aws(USER, SECRET), "AWS profile"),
    "~/.aws/credentials": (
        "s3",
        "",
        {},
        {".aws/credentials": AWS.replace("= no", "= x").replace("[p]", "[default ]").replace("[default]", "[other]").replace("[default ]", "[default]")},
        aws(USER, SECRET),
        "AWS profile",
    ),
    "AZURE_STORAGE_KEY": (
        "azure",
        "",
        {"AZURE_STORAGE_ACCOUNT": "account", "AZURE_STORAGE_KEY": KEY},
        {},
        azure,
        "variable AZURE_STORAGE_KEY",
    ),
}  # fmt: skip


def prepare(
    monkeypatch: pytest.MonkeyPatch, home: Path, variables: dict[str, str], files: dict[str, str], port: int
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value.replace("PORT", str(port)).replace("HOME", str(home)))
    for name, text in files.items():
        (home / name).parent.mkdir(exist_ok=True)
        (home / name).write_text(text.replace("PORT", str(port)))
        (home / name).chmod(0o600)


def command(run: Callable[..., Any], kind: str, suffix: str, seen: Seen, *more: object) -> dict[str, Any]:
    """Scan a closed fake by the command; return the report of its target."""
    address = PLACE.get(kind, f"{kind}://127.0.0.1:PORT").replace("PORT", str(seen.port)) + suffix
    ran = run("scan", "-q", address, *more, fmt="json")
    assert ran.status == 2, ran.err
    assert SECRET not in ran.everything
    assert KEY not in ran.everything
    return json.loads(ran.report)["targets"][0]


@pytest.mark.parametrize("case", CASES)
def test_the_command_finds_it(
    case: str, plainview_here: Callable[..., Any], clean: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind, suffix, variables, files, arrives, origin = CASES[case]
    with closed(kind, "plain", ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)) as seen:
        prepare(monkeypatch, clean, variables, files, seen.port)
        report = command(plainview_here, kind, suffix, seen)
    assert [request for request in seen.requests if arrives(request)], seen.requests
    assert report["coverage"]["read_as"] == "credential"
    assert report["coverage"]["credential"].endswith(origin)


OTHERS: dict[str, tuple[str, str, dict[str, str], dict[str, str]]] = {
    "PGHOST is another": ("postgresql", "", {"PGPASSWORD": SECRET, "PGHOST": "db.internal"}, {}),
    "PGPORT is another": ("postgresql", "", {"PGPASSWORD": SECRET, "PGPORT": "1"}, {}),
    "a line of .pgpass for one database, and all are read": ("postgresql", "", {}, {".pgpass": PGPASS}),
    "a line of .pgpass for another database": ("postgresql", "/other", {}, {".pgpass": PGPASS}),
    "MYSQL_HOST is another": ("mysql", "", {"MYSQL_PWD": SECRET, "MYSQL_HOST": "db.internal"}, {}),
    "MYSQL_TCP_PORT is another": ("mysql", "", {"MYSQL_PWD": SECRET, "MYSQL_TCP_PORT": "1"}, {}),
    ".my.cnf for another port": ("mysql", "", {}, {".my.cnf": MYCNF.replace("PORT", "1")}),
    "CLICKHOUSE_HOST is another": ("clickhouse", "", {"CLICKHOUSE_PASSWORD": SECRET, "CLICKHOUSE_HOST": "x"}, {}),
    "ETCDCTL_ENDPOINTS are others": ("etcd", "", {"ETCDCTL_USER": f"{USER}:{SECRET}", "ETCDCTL_ENDPOINTS": "x:1,y:2"}, {}),
    "AWS_ENDPOINT_URL_S3 is another": ("s3", "", {"AWS_ACCESS_KEY_ID": USER, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_ENDPOINT_URL_S3": "https://x", "AWS_ENDPOINT_URL": "http://127.0.0.1:PORT"}, {}),
    "AWS_ENDPOINT_URL is another": ("s3", "", {"AWS_ACCESS_KEY_ID": USER, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_ENDPOINT_URL": "https://x"}, {}),
    "AWS_SESSION_TOKEN in the clear": ("s3", "", {"AWS_ACCESS_KEY_ID": USER, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_SESSION_TOKEN": SECRET}, {}),
    "AZURE_STORAGE_ACCOUNT is another": ("azure", "", {"AZURE_STORAGE_ACCOUNT": "other", "AZURE_STORAGE_KEY": KEY}, {}),
}  # fmt: skip


@pytest.mark.parametrize("case", OTHERS)
def test_what_is_for_another_place_stays(
    case: str, plainview_here: Callable[..., Any], clean: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind, suffix, variables, files = OTHERS[case]
    with closed(kind, "plain", ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)) as seen:
        prepare(monkeypatch, clean, variables, files, seen.port)
        report = command(plainview_here, kind, suffix, seen)
    sent = b"".join(seen.requests)
    assert not [
        part for part in (SECRET.encode(), md5("postgres"), md5(USER), native(SECRET), b"Authorization") if part in sent
    ]
    assert report["coverage"]["skipped"]


def test_the_file_and_the_address_come_first(
    plainview: Callable[..., Any], clean: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDISCLI_AUTH", "from-the-environment")
    file = clean / "credentials.toml"
    with closed("redis", "plain", ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)) as seen:
        address = f"redis://127.0.0.1:{seen.port}"
        file.write_text(f'[[credential]]\ntarget = "{address}"\npassword = "{SECRET}"\n')
        file.chmod(0o600)
        ran = plainview("scan", "-q", address, "--credentials", file, fmt="json")
        assert "entry 1 of the credentials file" in ran.report
        ran = plainview("scan", "-q", f"redis://:in-the-address@127.0.0.1:{seen.port}", fmt="json")
        assert "the address itself" in ran.report
    sent = b"".join(seen.requests)
    assert SECRET.encode() in sent
    assert b"in-the-address" in sent
    assert b"from-the-environment" not in sent


def test_a_bare_port_is_sent_nothing_of_the_environment(
    plainview: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server says itself which kind it is."""
    monkeypatch.setenv("REDISCLI_AUTH", SECRET)
    with closed("redis", "plain", ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)) as seen:
        assert plainview("scan", "-q", f"127.0.0.1:{seen.port}").status == 2
    assert SECRET.encode() not in b"".join(seen.requests)


def test_every_documented_one_has_a_test() -> None:
    text = (ROOT / "docs" / "credentials.md").read_text()
    named = set(DOCUMENTED.findall(text))
    tested = set(re.findall(r"[A-Z]+_?[A-Z_]+|~/[a-z./]+", " ".join([*CASES, *OTHERS])))
    for _, _, variables, *_ in [*CASES.values(), *OTHERS.values()]:
        tested |= set(variables)
    tested |= {f"~/{name}" for *_, files, _, _ in CASES.values() for name in files}
    tools = [store.environment for store in catalog.ours().values() if store.environment]
    named_there = {
        name for e in tools for name in (e.user, e.secret, e.host, e.port, e.session, e.sslmode, *e.endpoints)
    }
    known = named_there - {""}
    assert len(known) > 15
    assert len(named) > 15
    assert known <= named
    assert named - tested <= {"PGSSLMODE"}, named - tested  # tests/wire/test_gate.py


# -- real servers -----------------------------------------------------------------------------------------

redis = server_fixture(Redis, modes=("closed",))
postgres = server_fixture(Postgres15, modes=("closed",))
mariadb = server_fixture(MariaDB, modes=("closed",))
etcd = server_fixture(Etcd34, modes=("closed",))


def succeeds(plainview: Callable[..., Any], address: str, origin: str) -> None:
    """The command reads all of a real store, and says with which credential."""
    ran = plainview("scan", "-q", address)
    assert ran.status in (1, 2), ran.err
    assert re.search(r"PERSONAL DATA FOUND|ONLY EXAMPLES FOUND", " ".join(ran.out.split()))
    assert f"Read with the credential from {origin}:" in " ".join(ran.out.split())
    assert PASSWORD not in ran.everything
    for fmt in ("json", "html"):
        assert origin in plainview("scan", "-q", address, fmt=fmt).report


def test_redis_itself(redis: Redis, plainview: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDISCLI_AUTH", PASSWORD)
    succeeds(plainview, redis.url, "the environment variable REDISCLI_AUTH")


def test_postgresql_itself(
    postgres: Postgres15, plainview: Callable[..., Any], clean: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (clean / ".pgpass").write_text(f"127.0.0.1:{postgres.port}:*:reader:{PASSWORD}\n")
    (clean / ".pgpass").chmod(0o600)
    succeeds(plainview, postgres.url, "the file .pgpass")
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    monkeypatch.setenv("PGUSER", "reader")
    succeeds(plainview, postgres.url, "the environment variable PGPASSWORD")


def test_mariadb_itself(
    mariadb: MariaDB, plainview: Callable[..., Any], clean: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (clean / ".my.cnf").write_text(f"[client]\nuser=root\npassword='{PASSWORD}'\nport={mariadb.port}\n")
    succeeds(plainview, mariadb.url, "the file .my.cnf")
    monkeypatch.setenv("MYSQL_PWD", PASSWORD)
    succeeds(plainview, mariadb.url, "the environment variable MYSQL_PWD")


def test_etcd_itself(etcd: Etcd34, plainview: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ETCDCTL_USER", "root")
    monkeypatch.setenv("ETCDCTL_PASSWORD", PASSWORD)
    succeeds(plainview, etcd.url, "the environment variable ETCDCTL_PASSWORD")
