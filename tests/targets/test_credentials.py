"""Where credentials come from, in which order, for which store; and that none is shown."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from plainview.errors import UsageError
from plainview.targets.credentials import Credentials, load_credentials
from plainview.targets.parsing import parse_target

SECRET = "hunter2-7f3a"


def found(text: str, **environment: str):
    return Credentials(environment=environment).find(parse_target(text))


def write(path: Path, text: str, mode: int = 0o600) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


@pytest.mark.parametrize(
    ("target", "environment", "user", "origin"),
    [
        ("redis://h", {"REDISCLI_AUTH": SECRET}, None, "REDISCLI_AUTH"),
        ("redis://bob@h", {"REDISCLI_AUTH": SECRET}, "bob", "REDISCLI_AUTH"),
        ("postgresql://h", {"PGUSER": "u", "PGPASSWORD": SECRET}, "u", "PGPASSWORD"),
        ("postgresql://h", {"PGHOST": "h", "PGPASSWORD": SECRET}, None, "PGPASSWORD"),
        ("mysql://h", {"MYSQL_PWD": SECRET}, None, "MYSQL_PWD"),
        ("etcd://h", {"ETCDCTL_USER": "root", "ETCDCTL_PASSWORD": SECRET}, "root", "ETCDCTL_PASSWORD"),
        ("s3://b", {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": SECRET}, "k", "AWS_SECRET_ACCESS_KEY"),
        (f"redis://u:{SECRET}@h", {"REDISCLI_AUTH": "other"}, "u", "address"),
        (f"elasticsearch://h?api_key={SECRET}", {}, None, "address"),
    ],
)
def test_environment_and_address(target: str, environment: dict[str, str], user: str | None, origin: str) -> None:
    credential = found(target, **environment)
    assert credential is not None
    assert (credential.user, credential.secret.reveal()) == (user, SECRET)
    assert origin in credential.origin
    assert SECRET not in f"{credential!r} {credential} {credential.secret}"


@pytest.mark.parametrize(
    ("target", "environment"),
    [
        ("redis://h", {}),
        ("redis://h", {"PGPASSWORD": SECRET}),
        ("memcached://h", {"REDISCLI_AUTH": SECRET}),
        ("postgresql://h", {"PGHOST": "other", "PGPASSWORD": SECRET}),
        ("redis://user@h", {}),
    ],
)
def test_none(target: str, environment: dict[str, str]) -> None:
    assert found(target, **environment) is None


def test_nothing_of_the_environment_when_none_was_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDISCLI_AUTH", SECRET)
    assert Credentials.none().find(parse_target("redis://h")) is None
    assert Credentials().find(parse_target("redis://h")) is not None


def test_pgpass(tmp_path: Path) -> None:
    lines = f"# h:5432:*:u:no\nother:*:*:*:no\nh:5432:shop:bob:{SECRET}\nh:*:*:eve:a\\:b\\\\c\n"
    path = write(tmp_path / ".pgpass", lines)
    home = {"HOME": str(tmp_path)}
    assert found("postgresql://bob@h/shop", **home).secret.reveal() == SECRET
    assert found("postgresql://eve@h:5433/x", **home).secret.reveal() == "a:b\\c"
    assert found("postgresql://bob@h/other", **home) is None
    assert found("postgresql://h/shop", **home).user == "bob"
    path.chmod(0o644)
    assert found("postgresql://bob@h/shop", **home) is None  # as libpq does
    assert found("postgresql://bob@h/shop", HOME=str(tmp_path / "none")) is None


def test_my_cnf(tmp_path: Path) -> None:
    write(tmp_path / ".my.cnf", f'[mysqld]\nskip-x\n[client]\nuser=bob\npassword="{SECRET}"\nhost=db\n')
    home = {"HOME": str(tmp_path)}
    credential = found("mysql://db", **home)
    assert (credential.user, credential.secret.reveal()) == ("bob", SECRET)
    assert found("mysql://elsewhere", **home) is None
    assert found("mysql://db:3307", **home) is None
    write(tmp_path / ".my.cnf", "no section\n")
    assert found("mysql://db", **home) is None


def test_aws_profile(tmp_path: Path) -> None:
    text = "[default]\naws_access_key_id=a\naws_secret_access_key=b\n"
    text += f"[p]\naws_access_key_id=k\naws_secret_access_key={SECRET}\naws_session_token=t\n"
    write(tmp_path / ".aws" / "credentials", text)
    home = {"HOME": str(tmp_path)}
    assert found("s3://b", **home).user == "a"
    credential = found("s3://b", AWS_PROFILE="p", **home)
    assert (credential.secret.reveal(), credential.session.reveal()) == (SECRET, "t")
    assert found("s3://b", AWS_PROFILE="none", **home) is None


def test_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_TOKEN", SECRET)
    path = write(
        tmp_path / "credentials.toml",
        f'[[credential]]\ntarget = "redis://h"\nuser = "u"\npassword = "{SECRET}"\n'
        '[[credential]]\ntarget = "elasticsearchs://h"\ntoken_env = "MY_TOKEN"\n'
        f'[[credential]]\ntarget = "s3://b/in?endpoint=http://m:1"\nuser = "k"\npassword = "{SECRET}"\n',
    )
    credentials = load_credentials(path)
    assert not credentials.warnings
    assert SECRET not in repr(credentials)
    assert credentials.find(parse_target("valkey://h:6379/2")).user == "u"
    assert credentials.find(parse_target("redis://h:6380")) is None
    assert credentials.find(parse_target("elasticsearchs://h:9200")).token
    assert credentials.find(parse_target("elasticsearch://h:9200")) is None
    why = "entry 2 of the credentials file is for TLS, and without TLS it is not sent: write elasticsearchs://h:9200"
    assert credentials.withheld(parse_target("elasticsearch://h:9200")).startswith(why)
    assert not credentials.withheld(parse_target("elasticsearchs://h:9200"))
    assert credentials.find(parse_target("s3://b/in/x?endpoint=http://m:1")).user == "k"
    assert credentials.find(parse_target("s3://b/inside?endpoint=http://m:1")) is None
    path.chmod(0o644)
    assert "chmod 600" in load_credentials(path).warnings[0]


@pytest.mark.parametrize(
    "text",
    [
        f"password = '{SECRET}'",
        f'[[credential]]\npassword = "{SECRET}"',
        f'[[credential]]\ntarget = "nope://h"\npassword = "{SECRET}"',
        f'[[credential]]\ntarget = "redis://h"\npassword = "{SECRET}"\ntoken = "{SECRET}"',
        f'[[credential]]\ntarget = "redis://h"\npasword = "{SECRET}"',
        f'[[credential]]\ntarget = "redis://h"\npassword_env = "NO_SUCH_{SECRET}"',
        f'[[credential]]\ntarget = "redis://h"\npassword = ["{SECRET}"]',
        f'[[credential]]\ntarget = "redis://h"\npassword = "{SECRET}',
    ],
)
def test_a_wrong_file_is_refused_and_not_quoted(tmp_path: Path, text: str) -> None:
    path = write(tmp_path / "credentials.toml", text)
    with pytest.raises(UsageError) as caught:
        load_credentials(path)
    assert "credentials.toml" in str(caught.value)
    assert SECRET not in str(caught.value)


def test_the_example_of_the_docs_loads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_DB_PASSWORD", "x")
    monkeypatch.setenv("ES_API_KEY", "x")
    text = (Path(__file__).parents[2] / "docs" / "credentials.md").read_text()
    (block,) = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    assert len(load_credentials(write(tmp_path / "c.toml", block)).listed) == 2
