"""No text of the program repeats a secret, however an address is mistyped and wherever it is put."""

from __future__ import annotations

import os
import pickle
import traceback
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import plainview
from plainview.cli import command
from plainview.errors import PlainviewError, TargetError
from plainview.pipeline.options import Options
from plainview.report.render import REPORTS, render
from plainview.targets.credentials import load_credentials
from plainview.targets.parsing import file_target, parse_target
from plainview.targets.quoting import may_hold_secret
from plainview.targets.scope import load_scope, parse_scope
from plainview.targets.target import Target

HALVES = ("hun", "ter2")  # of the secret; each alone would be too much

# Addresses that are none: what is written in them must not be taken for a file, a bucket, a path or an option.
NONE = """
s3://KEY:HUN/TER2@bucket
s3://KEY:HUN/TER2@bucket?endpoint=http://127.0.0.1:1
s3://KEY:HUN/TER2
s3://KEY:HUN+TER2/x
s3://KEY%3AHUN%2FTER2%40bucket
azure://acc:HUN/TER2==@acc/container
gs://KEY:HUN/TER2@bucket/x
http://user:HUN/TER2@127.0.0.1:1/
http://127.0.0.1:1/HUN/TER2@host/
https://user:HUN?TER2@127.0.0.1/
user:HUNTER2@host:6379/0
user:HUNTER2@host:6379
user:HUNTER2@host
user:HUN/TER2@host
:HUNTER2@host
:HUNTER2@
user:HUNTER2
redis:user:HUNTER2@host:6379
redis:HUNTER2@host
redis:/user:HUNTER2@host
redis//user:HUNTER2@host
redis/user:HUNTER2@host
redis :// user:HUNTER2@host
//user:HUNTER2@host/db
user/HUNTER2@host
user/HUNTER2@host:1521/service
user/HUNTER2@//host:1521/service
scott/HUNTER2@(DESCRIPTION=(ADDRESS=(HOST=x)))
HUNTER2@host
HUN/TER2@host
postgres://host:1/HUNTER2@host/db
postgres://host:1/HUN/TER2@host/db
postgres://user:1?HUNTER2@host/db
postgres://user:1#HUNTER2@host/db
postgres://user:HUN#TER2@host/db
postgres://user:HUN?TER2@host/db
postgres://u:HUN@TER2/x@host
postgres://u:p@ss?HUNTER2@host/db
postgres://HUN/TER2@host
redis://:HUNTER2
redis://:HUN/TER2@host
redis://user:HUNTER2
redis://u%3AHUNTER2%40host:6379
redis://u:HUNTER2%40host
redis://u:HUNTER2@
redis://u:HUNTER2@h:port
redis://u:HUNTER2@h:99999
redis://u:HUNTER2@[::1
redis://u:HUN[TER2@h
redis://u:HUNTER2@[fe80::1]x:1
mongodb://u:HUNTER2@a,b,c/db
mongodb://u:HUNTER2@a:1,b:2/?replicaSet=x
mongodb+srv://u:HUNTER2@cluster.example.org/db
mssql://sa:HUNTER2@host/db
postgresql+psycopg2://u:HUNTER2@host/db
sqlite:///HUNTER2
es://elastic:HUNTER2@host:9200
HUNTER2://host
unknown://u:HUNTER2@h
jdbc:postgresql://host/db?user=u&password=HUNTER2
jdbc:mysql://u:HUNTER2@host/db
jdbc:oracle:thin:u/HUNTER2@host:1521:sid
jdbc:sqlserver://host:1433;user=sa;password=HUNTER2
mysql://host/db;password=HUNTER2
mysql://host/db;user=u;Pwd=HUNTER2
host=db.example.org user=u password=HUNTER2
host=db port=5432 dbname=x user=u password='HUNTER2'
password=HUNTER2
PASSWORD = HUNTER2
Server=x;Database=y;Uid=u;Pwd=HUNTER2;
Data Source=x;User ID=u;Password=HUNTER2
DefaultEndpointsProtocol=https;AccountName=a;AccountKey=HUNTER2==;EndpointSuffix=core.windows.net
AccountName=a;AccountKey=HUNTER2==
BlobEndpoint=x;SharedAccessSignature=sv=1&sig=HUNTER2
host/container?sv=2020-01-01&sig=HUNTER2
sig=HUNTER2
x?token=HUNTER2
Authorization: Bearer HUNTER2
redis%3A%2F%2Fu%3AHUNTER2%40host
user%3AHUNTER2%40host
user%253AHUNTER2%2540host
redis\uff1a//u:HUNTER2@host
user\uff1aHUNTER2\uff20host
user\ufe55HUNTER2\ufe6bhost
postgres://u:1/HUNTER2\uff20host
user:HUNTER2@@host
user:HUNTER2@a@b@host
user:p@HUNTER2@host:1
[user:HUNTER2@host]
"user:HUNTER2@host"
'redis://u:HUNTER2@host'
<redis://u:HUNTER2@host>
redis://u:HUNTER2@host name
redis://u:HUN TER2@h:x
user:HUNTER2@[::1]:6379
user:HUNTER2@[fe80::1%eth0]
file://user:HUNTER2@host/x
file:user:HUNTER2@host
file:///user:HUNTER2@host
C:/x:HUNTER2@host
u:/HUNTER2@host
s3://b?endpoint=http://u:HUNTER2@m:9000
s3://b?endpoint=http://m/?password=HUNTER2
s3://b?endpoint=HUNTER2@m
-u user:HUNTER2 http://host
redis-cli -a HUNTER2 -h host -u x:y
h:0/HUNTER2@x
redis://127.0.0.1:1?tls=true;password=HUNTER2
mysql://u:HUNTER2@127.0.0.1:1/db?sslmode=require;pwd=HUNTER2
""".strip().splitlines()

# Addresses of a store, or of nobody: they name their secret in a place that is known, so nothing of it is printed.
ADDRESSES = """
redis://:HUNTER2@127.0.0.1:1
redis://user:HUNTER2@127.0.0.1:1
REDIS://user:HUNTER2@127.0.0.1:1
  redis://user:HUNTER2@127.0.0.1:1
rediss://HUNTER2@127.0.0.1:1
redis://u:HUN%2FTER2@127.0.0.1:1
redis://u:HUN@TER2@127.0.0.1:1
redis://u:HUN:TER2@127.0.0.1:1
redis://u:HUNTER2@[::1]:1
redis://127.0.0.1:1?password=HUNTER2
redis://127.0.0.1:1?HUNTER2
redis://127.0.0.1:1?HUNTER2=1
redis://127.0.0.1:1?HUNTER2password=1
redis://127.0.0.1:1?x=HUNTER2
redis://127.0.0.1:1#HUNTER2
postgresql://u:HUNTER2@127.0.0.1:1/db?password=HUNTER2&sslpassword=HUNTER2
mongodb://u:HUNTER2@127.0.0.1:1/?authSource=HUNTER2
mongodb://u:HUNTER2@127.0.0.1:1/db?w=1
couchdb://u:HUNTER2@127.0.0.1:1/db
clickhouse://u:HUNTER2@127.0.0.1:1
etcd://u:HUNTER2@127.0.0.1:1
cassandra://u:HUNTER2@127.0.0.1:1
memcached://u:HUNTER2@127.0.0.1:1
elasticsearch://127.0.0.1:1?api_key=HUNTER2
elasticsearch://elastic:HUNTER2@127.0.0.1:1
s3://KEY:HUN%2FTER2@bucket?endpoint=http://127.0.0.1:1
s3://bucket?endpoint=http://127.0.0.1:1&secret_key=HUNTER2&region=x;token=HUNTER2
azure://acc/c?endpoint=http://127.0.0.1:1&sv=1&sig=HUNTER2
azure://acc/c?endpoint=http://127.0.0.1:1&sas_token=HUNTER2
gs://bucket?endpoint=http://127.0.0.1:1&token=HUNTER2
http://u:HUNTER2@127.0.0.1:1/x/
http://127.0.0.1:1/x/?token=HUNTER2
""".strip("\n").splitlines()

FORMS = NONE + ADDRESSES


def silent_about(text: str) -> None:
    lower = text.lower()
    assert not [half for half in HALVES if half in lower], text


def told(error: BaseException) -> str:
    """Return all that an error could show, and the errors that it came of."""
    shown = "".join(traceback.format_exception(error))
    while error is not None:
        shown += repr(error) + str(error) + repr(error.args)
        error = error.__context__  # type: ignore[assignment]
    return shown


@pytest.mark.parametrize("form", NONE)
def test_what_is_no_address_is_refused(form: str) -> None:
    with pytest.raises(TargetError) as caught:
        parse_target(form)
    silent_about(told(caught.value))


@pytest.mark.parametrize("form", ADDRESSES)
def test_an_address_shows_nothing_of_its_secret(form: str) -> None:
    target = parse_target(form)
    silent_about(f"{target} {target!r} {target!s:>300} {[target]} {target.address}")
    silent_about(str(pickle.loads(pickle.dumps(target))))


def scope_of(text: str) -> Callable[[str], object]:
    return lambda form: parse_scope(text.replace("FORM", form.replace("\\", "\\\\").replace('"', '\\"')))


LIBRARY: dict[str, Callable[[str], object]] = {
    "target of the scope": scope_of('targets = ["FORM"]'),
    "name of the scope": scope_of('[[allow]]\nnames = ["FORM"]'),
    "network of the scope": scope_of('[[allow]]\nnetworks = ["FORM"]'),
    "port of the scope": scope_of('[[allow]]\nnames = ["x"]\nports = ["FORM"]'),
    "permission of the scope": scope_of('[[allow]]\nnames = ["x"]\npermit = ["FORM"]'),
    "key of the scope": scope_of('"FORM" = 1'),
    "key of an entry of the scope": scope_of('[[allow]]\n"FORM" = 1'),
    "path of the scope": load_scope,
    "path of the credentials": load_credentials,
    "option scope": lambda form: Options(scope=form),  # type: ignore[arg-type]
    "option credentials": lambda form: Options(credentials=form),  # type: ignore[arg-type]
    "option detectors": lambda form: Options(detectors=form),  # type: ignore[arg-type]
    "option sample": lambda form: Options(sample=form),  # type: ignore[arg-type]
    "option threads": lambda form: Options(threads=form),  # type: ignore[arg-type]
    "option limits": lambda form: Options(limits=form),  # type: ignore[arg-type]
    "option network": lambda form: Options(network=form),  # type: ignore[arg-type]
    "option apart": lambda form: plainview.scan("x", options=form),  # type: ignore[arg-type]
    "progress": lambda form: plainview.scan("x", progress=form),  # type: ignore[arg-type]
    "path": lambda form: file_target(form),
}


@pytest.mark.parametrize("place", LIBRARY)
def test_the_library_repeats_nothing(place: str) -> None:
    for form in FORMS:
        if place == "target of the scope" and form in ADDRESSES and not parse_target(form).carries_secret:
            continue  # what it names is no secret: a user, options that no store has
        with pytest.raises((PlainviewError, TypeError)) as caught:
            LIBRARY[place](form)
        silent_about(told(caught.value))


@pytest.mark.parametrize("form", FORMS)
def test_credentials_files_repeat_nothing(form: str, tmp_path: Path) -> None:
    path = tmp_path / "credentials.toml"
    quoted = form.replace("\\", "\\\\").replace('"', '\\"')
    path.write_text(f'[[credential]]\ntarget = "redis://h"\npassword = "x"\n"{quoted}" = "x"\n', encoding="utf-8")
    with pytest.raises(PlainviewError) as caught:
        load_credentials(path)
    silent_about(told(caught.value))
    path.write_text(f'[[credential]]\ntarget = "{quoted}"\npassword = "x"\n', encoding="utf-8")
    path.chmod(0o600)
    try:
        shown = repr(load_credentials(path))
    except PlainviewError as error:
        shown = told(error)
    silent_about(shown)


POSITIONS = {
    "scan TARGET": ["scan", "FORM"],
    "scan of several": ["scan", "there.csv", "FORM"],
    "scan forgotten": ["FORM"],
    "scan mistyped": ["scna", "FORM"],
    "options first": ["-q", "FORM"],
    "--password=": ["scan", "there.csv", "--password=FORM"],
    "--password": ["scan", "there.csv", "--password", "FORM"],
    "--password first": ["--password", "FORM", "scan", "there.csv"],
    "-p": ["scan", "there.csv", "-pFORM"],
    "abbreviated": ["scan", "there.csv", "--s=FORM"],
    "flag with a value": ["scan", "there.csv", "--quiet=FORM"],
    "--scope": ["scan", "there.csv", "--scope", "FORM"],
    "--scope=": ["scan", "--scope=FORM"],
    "--credentials": ["scan", "there.csv", "--credentials", "FORM"],
    "--detectors": ["scan", "there.csv", "--detectors", "FORM"],
    "-f": ["scan", "there.csv", "-f", "FORM"],
    "--format=": ["scan", "there.csv", "--form=FORM"],
    "--sample": ["scan", "there.csv", "--sample", "FORM"],
    "--threads": ["scan", "there.csv", "--threads", "FORM"],
    "--rate": ["scan", "there.csv", "--rate", "FORM"],
    "--file-seconds": ["scan", "there.csv", "--file-seconds", "FORM"],
    "--unpacked": ["scan", "there.csv", "--unpacked", "FORM"],
    "--memory-total": ["scan", "there.csv", "--memory-total", "FORM"],
    "detectors explain": ["detectors", "explain", "FORM"],
    "detectors test": ["detectors", "test", "FORM"],
    "detectors": ["detectors", "FORM"],
    "detectors list": ["detectors", "list", "FORM"],
}


@pytest.fixture
def run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    """Run the command in this process, in a folder with one file; give its status and all that it printed."""
    (tmp_path / "there.csv").write_text("a,b\n1,2\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PLAINVIEW_NATIVE_STDERR", "1")
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)

    def go(*words: str) -> tuple[int, str]:
        try:
            status = command.run(words)
        except SystemExit as ended:
            status = int(ended.code or 0)
        out, err = capfd.readouterr()
        return status, out + err

    return go


@pytest.mark.parametrize("position", POSITIONS)
def test_the_command_repeats_nothing(position: str, run: Callable[..., tuple[int, str]]) -> None:
    for form in NONE:
        status, shown = run(*(word.replace("FORM", form) for word in POSITIONS[position]))
        silent_about(shown)
        assert status == 64, (form, shown)
        assert "Traceback" not in shown


@pytest.mark.parametrize("form", ADDRESSES)
@pytest.mark.parametrize("fmt", ["text", "json"])
def test_reports_repeat_nothing(form: str, fmt: str, run: Callable[..., tuple[int, str]]) -> None:
    status, shown = run("scan", form, "-v", "-f", fmt)
    silent_about(shown)
    assert status == 2
    assert "127.0.0.1" in shown or "::1" in shown or "bucket" in shown or "acc" in shown


def test_no_report_is_written_to_an_address(run: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    for form in FORMS:
        if "@" in form.partition(":")[2]:
            status, shown = run("scan", "there.csv", "-o", form)
            silent_about(shown)
            assert status == 64
            assert os.listdir(tmp_path) == ["there.csv"]


# --- what is a file stays one --------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["user:HUNTER2@host", "a:b@c.csv", "host=x password=y", "user%3Ax@h", "12:30.csv", " a@b.csv", "redis:x@h:1"],
)
def test_a_file_that_exists_is_scanned_whatever_its_name(
    name: str, tmp_path: Path, run: Callable[..., tuple[int, str]]
) -> None:
    (tmp_path / name).write_text("id,email\n" + "".join(f"{n},anna{n}@example.org\n" for n in range(40)))
    for text in (name, f"./{name}", str(tmp_path / name), f"file:{name}"):
        assert parse_target(text).kind == "file", text
    assert parse_target(f"file://{quote(str(tmp_path / name))}").path == str(tmp_path / name)
    status, shown = run("scan", name)
    assert status == 1, shown
    [target] = plainview.scan(tmp_path / name).targets
    assert target.tables[0].rows == 40


@pytest.mark.parametrize(
    "path", ["a.csv", "exports/", "../x y/b.csv", "me@home.csv", "dt=2024-01-01/x.csv", "C:\\x.csv"]
)
def test_a_plain_path_that_is_not_there_is_a_file(path: str) -> None:
    assert parse_target(path) == Target("file", scheme="file", path=path)


# --- laws -----------------------------------------------------------------

MARK = "zqHXqz"
ODD = st.text("abcXYZ0189-_.~!*/?#@:%&=;+ ,()[]{}<>\\\"'$^|`äＡ＠：字", max_size=6)
TEMPLATES = [
    "redis://{}@h",
    "redis://:{}@h",
    "redis://u:{}@h:1",
    "postgres://u:{}@h:1/db",
    "postgres://h:1/{}@h/db",
    "postgresql://h/db?password={}",
    "mongodb://u:{}@a,b/db",
    "s3://KEY:{}@bucket",
    "s3://KEY:{}@bucket/x?endpoint=http://m:1",
    "azure://a/c?sig={}",
    "azure://acc:{}@acc/c",
    "gs://k:{}@b",
    "http://u:{}@h/x",
    "etcd://u:{}@[::1]:1",
    "unknown://u:{}@h",
    "jdbc:mysql://h/db?password={}",
    "user:{}@h",
    "user:{}@h:1",
    ":{}@h",
    "redis:user:{}@h",
    "user/{}@h",
    "host=x password={}",
    "Server=x;Pwd={};",
    "AccountName=a;AccountKey={}==",
    "x?sig={}",
    "file:u:{}@h",
]


@given(st.sampled_from(TEMPLATES), ODD, ODD, st.booleans())
@settings(max_examples=1500, deadline=None)
def test_law_nothing_of_a_secret_is_shown(template: str, before: str, after: str, escaped: bool) -> None:
    secret = f"{before}{MARK}{after}"
    text = template.format(quote(secret, safe="") if escaped else secret)
    try:
        target = parse_target(text)
    except TargetError as error:
        shown = told(error)
    else:
        shown = f"{target} {target!r} {target.address}"
    assert MARK.lower() not in shown.lower()


@given(st.lists(st.tuples(st.sampled_from(TEMPLATES), ODD, ODD), min_size=40, max_size=40))
@settings(max_examples=4, deadline=None)
def test_law_no_report_shows_a_secret(parts: list[tuple[str, str, str]]) -> None:
    given_ = [
        template.format(f"{before}{MARK}{after}").replace("@h", "@127.0.0.1") for template, before, after in parts
    ]
    able = []
    for text in given_:
        try:
            parse_target(text)
        except TargetError:
            continue
        able.append(text)
    if able:
        report = plainview.scan(*able)
        assert len(report.targets) == len(able)
        for name in REPORTS:
            assert MARK.lower() not in render(report, name, **({"verbose": True} if name == "text" else {})).lower()


@pytest.mark.parametrize("text", ["s3://b/passengers=1/x", "s3://b/token_id=5", "s3://b/a%40b:c", "http://h/@scope/x"])
def test_paths_of_object_stores_may_hold_much(text: str) -> None:
    assert parse_target(text).kind in ("s3", "http")


@given(st.text("abc/.-_ @:=;&?%0189ä＠", max_size=30))
@settings(max_examples=500, deadline=None)
def test_law_what_is_quoted_holds_no_sign_of_a_secret(text: str) -> None:
    if not may_hold_secret(text):
        assert ":" not in text
        assert "@" not in text or (text.count("@") == 1 and "/" not in text and "." in text.partition("@")[2])
