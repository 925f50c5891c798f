"""Targets: what is parsed, and that no form of text shows a credential."""

from __future__ import annotations

import contextlib
import copy
import json
import pickle
import traceback
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plainview import catalog
from plainview.errors import TargetError
from plainview.targets.parsing import parse_target
from plainview.targets.secret import Secret
from plainview.targets.target import Target

PASSWORD = "hunter2-7f3a"


@pytest.mark.parametrize(
    ("text", "kind", "host", "port", "tls", "path"),
    [
        ("redis://h", "redis", "h", 6379, False, ""),
        ("rediss://H:1/2", "redis", "h", 1, True, "2"),
        ("valkey://[::1]/", "redis", "::1", 6379, False, ""),
        ("elasticsearchs://h", "elasticsearch", "h", 9200, True, ""),
        ("opensearch://h:9201/logs", "elasticsearch", "h", 9201, False, "logs"),
        ("postgres://h/shop", "postgresql", "h", 5432, False, "shop"),
        ("mariadb://h", "mysql", "h", 3306, False, ""),
        ("mongodb://h/a%20b", "mongodb", "h", 27017, False, "a b"),
        ("clickhouses://h", "clickhouse", "h", 8443, True, ""),
        ("couchdb://h/db", "couchdb", "h", 5984, False, "db"),
        ("cassandra://h", "cassandra", "h", 9042, False, ""),
        ("memcached://h", "memcached", "h", 11211, False, ""),
        ("etcd://h", "etcd", "h", 2379, False, ""),
        ("https://h/dumps/", "http", "h", 443, True, "dumps/"),
        ("s3://B_1/x/y", "s3", "s3.amazonaws.com", 443, True, "B_1/x/y"),
        ("s3://my-bucket/x?region=eu-west-1", "s3", "my-bucket.s3.eu-west-1.amazonaws.com", 443, True, "my-bucket/x"),
        ("s3://b?region=eu-west-1", "s3", "s3.eu-west-1.amazonaws.com", 443, True, "b"),
        ("s3://b/p?endpoint=http://m:9000", "s3", "m", 9000, False, "b/p"),
        ("azure://acc/c", "azure", "acc.blob.core.windows.net", 443, True, "acc/c"),
        ("gs://b", "gs", "storage.googleapis.com", 443, True, "b"),
        ("10.0.0.5:9200", "fingerprint", "10.0.0.5", 9200, False, ""),
        ("[2001:db8::1]:80", "fingerprint", "2001:db8::1", 80, False, ""),
        ("redis://bücher.example", "redis", "xn--bcher-kva.example", 6379, False, ""),
    ],
)
def test_addresses(text: str, kind: str, host: str, port: int, tls: bool, path: str) -> None:
    target = parse_target(text)
    assert (target.kind, target.host, target.port, target.tls, target.path) == (kind, host, port, tls, path)


def test_files(tmp_path) -> None:
    odd = tmp_path / "localhost:80"
    odd.write_text("x")
    for text in (
        "people.csv",
        "dir/",
        str(tmp_path),
        "a b.csv",
        "C:\\x.csv",
        "me@home.csv",
        "10.csv",
        "x" * 5000,
        "\ud800",
    ):
        assert parse_target(text) == Target("file", scheme="file", path=text)
    assert parse_target(f"file:{odd}").path == str(odd)
    assert parse_target("file:///tmp/a%20b.csv").path == "/tmp/a b.csv"
    assert parse_target(str(odd)).kind == "file"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a\0b",
        "gopher://h",
        f"unknown://u:{PASSWORD}@h",
        f"redis://u:{PASSWORD}@h:port",
        f"redis://u:{PASSWORD}@h:99999",
        f"redis://u:pa[{PASSWORD}@h",
        f"redis://u:{PASSWORD}@",
        f"mongodb://u:{PASSWORD}@a,b,c",
        f"user:{PASSWORD}@h:6379",
        f"s3://u:{PASSWORD}@",
        f"s3://b?endpoint=http://u:{PASSWORD}@m:9000",
        f"s3://b?endpoint=http://m/?password={PASSWORD}",
        "file://elsewhere/x",
        "file:",
        "h:0",
        "h:65536",
    ],
)
def test_no_address(text: str) -> None:
    with pytest.raises(TargetError) as caught:
        parse_target(text)
    shown = str(caught.value) + "".join(traceback.format_exception(caught.value))
    # The line of this file that pytest shows is not part of it: format_exception prints our source only.
    assert PASSWORD not in shown
    assert PASSWORD not in repr(caught.value.__context__)


ALL = [
    f"redis://u:{PASSWORD}@h",
    f"redis://{PASSWORD}@h",
    f"postgresql://u:{PASSWORD}@h/db?password={PASSWORD}&sslpassword={PASSWORD}&x={PASSWORD}",
    f"azure://a/c?sv=1&sig={PASSWORD}&sas_token={PASSWORD}",
    f"s3://key:{PASSWORD}@b?secret_key={PASSWORD}",
    f"elasticsearch://h?api_key={PASSWORD}",
]


@pytest.mark.parametrize("text", ALL)
def test_no_text_shows_a_secret(text: str) -> None:
    target = parse_target(text)
    for shown in (
        repr(target),
        str(target),
        f"{target}",
        f"{target!r:>200}",
        "%s" % target,  # noqa: UP031
        json.dumps(target, default=str),
        repr([target]),
        repr(pickle.dumps(target)) if "&x=" not in text else "",
        target.address,
    ):
        assert PASSWORD not in shown
    assert copy.copy(target) == replace(target, user=None, secret=None, secrets=())


@given(st.sampled_from(sorted(catalog.schemes())), st.text("abcXYZ0189-_.~!*", min_size=6))
def test_law_userinfo_is_never_shown(scheme: str, secret: str) -> None:
    mark = f"zq{secret}qz"
    target = parse_target(f"{scheme}://user-{mark}:{mark}@host")
    assert mark not in f"{target} {target!r} {pickle.dumps(target)!r}"
    assert target.secret == Secret(mark)
    assert target.carries_secret


@given(st.text())
def test_law_any_text_gives_a_target_or_a_target_error(text: str) -> None:
    with contextlib.suppress(TargetError):
        assert parse_target(text).kind


def test_secret() -> None:
    secret = Secret(PASSWORD)
    assert f"{secret} {secret!r} {secret:>10} {[secret]}".count("***") == 4
    assert secret.reveal() == PASSWORD
    assert secret == Secret(PASSWORD) != Secret("x")
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    assert not hasattr(secret, "__dict__")
