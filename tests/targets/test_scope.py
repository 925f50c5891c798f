"""The scope file: what it lets through, and errors that name line and key."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plainview.errors import ScopeError
from plainview.targets.scope import Scope, load_scope, parse_scope

FILE = """\
targets = ["redis://10.1.1.1:6379", "s3://b?endpoint=https://minio.internal"]

[[allow]]
names = ["db.internal", "*.stores.example.org"]
ports = [9200, "5432-5440"]
permit = ["try_mysql_root"]

[[allow]]
networks = ["10.0.0.0/24", "2001:db8::/64"]
note = "the lab"
"""


@pytest.mark.parametrize(
    ("host", "ip", "port", "allowed"),
    [
        ("anything", "127.0.0.1", 1, True),
        ("anything", "127.9.9.9", 1, True),
        ("anything", "::1", 1, True),
        ("anything", "::ffff:127.0.0.1", 1, True),
        ("db.internal", "203.0.113.9", 9200, True),
        ("DB.internal.", "203.0.113.9", 5440, True),
        ("db.internal", "203.0.113.9", 9201, False),
        ("x.db.internal", "203.0.113.9", 9200, False),
        ("a.stores.example.org", "203.0.113.9", 9200, True),
        ("stores.example.org", "203.0.113.9", 9200, False),
        ("evilstores.example.org", "203.0.113.9", 9200, False),
        ("h", "10.0.0.255", 1, True),
        ("h", "::ffff:10.0.0.1", 1, True),
        # The packet goes to the IPv6 address, wherever that leads; the inner one allows nothing.
        ("h", "64:ff9b::a00:1", 1, False),
        ("h", "2002:a00:1::", 1, False),
        ("db.internal", "2002:cb00:7109::1", 9200, False),
        ("anything", "2002:7f00:1::1", 1, False),
        ("anything", "64:ff9b::7f00:1", 1, False),
        ("anything", "::127.0.0.1", 1, False),
        ("h", "10.0.1.0", 1, False),
        ("h", "2001:db8::5", 65535, True),
        ("h", "2001:db8:0:1::5", 1, False),
        ("10.1.1.1", "10.1.1.1", 6379, True),
        ("10.1.1.1", "10.1.1.1", 6380, False),
        ("minio.internal", "203.0.113.9", 443, True),
        ("minio.internal", "203.0.113.9", 80, False),
        # A listed name that resolves to what is nobody's store is still refused.
        ("db.internal", "169.254.169.254", 9200, False),
        ("db.internal", "::ffff:169.254.169.254", 9200, False),
        ("db.internal", "fd00:ec2::254", 9200, False),
        ("db.internal", "0.0.0.0", 9200, False),
        ("db.internal", "::", 9200, False),
        ("db.internal", "224.0.0.1", 9200, False),
        ("db.internal", "255.255.255.255", 9200, False),
        ("db.internal", "fe80::1%eth0", 9200, False),
        ("db.internal", "2002:a9fe:a9fe::", 9200, False),
    ],
)
def test_allows(host: str, ip: str, port: int, allowed: bool) -> None:
    assert parse_scope(FILE).allows(host, ip, port) is allowed


def test_without_a_file_loopback_only() -> None:
    assert Scope().allows("x", "127.0.0.1", 9200)
    for ip in ("10.0.0.1", "192.168.1.1", "8.8.8.8", "169.254.169.254", "fe80::1", "::ffff:8.8.8.8"):
        assert not Scope().allows("x", ip, 9200)


def test_special_addresses_only_when_written_literally() -> None:
    assert not parse_scope('[[allow]]\nnetworks = ["0.0.0.0/0", "::/0"]').allows("x", "169.254.169.254", 80)
    assert parse_scope('[[allow]]\nnetworks = ["169.254.169.254"]').allows("x", "169.254.169.254", 80)


def test_permissions() -> None:
    scope = parse_scope(FILE)
    assert scope.permits("try_mysql_root", "db.internal", "203.0.113.9", 5432)
    assert not scope.permits("try_mysql_root", "h", "10.0.0.1", 5432)
    assert not scope.permits("try_mysql_root", "localhost", "127.0.0.1", 5432)
    flagged = scope.granting("try_mysql_root")
    assert flagged.permits("try_mysql_root", "localhost", "127.0.0.1", 5432)
    assert not flagged.permits("try_mysql_root", "elsewhere", "8.8.8.8", 5432)
    with pytest.raises(ValueError, match="no such"):
        scope.granting("drop_tables")
    with pytest.raises(ValueError, match="no such"):
        scope.permits("drop_tables", "h", "10.0.0.1", 1)


@pytest.mark.parametrize(
    ("text", "line", "key"),
    [
        ('[[allow]]\nnames = ["a"]\nport = [1]', 3, "port"),
        ('\n\nallowed = 1\n[[allow]]\nnames=["a"]', 3, "allowed"),
        ('[[allow]]\nnames=["a"]\n\n[[allow]]\nnames=["b"]\nports = [0]', 6, "ports"),
        ('[[allow]]\nnames=["a"]\nports = ["9-1"]', 3, "ports"),
        ('[[allow]]\nnames=["a"]\nports = [true]', 3, "ports"),
        ('[[allow]]\nnames=["a"]\nports = 9200', 3, "ports"),
        ('[[allow]]\nnetworks = ["10.0.0.1/24"]', 2, "networks"),
        ('[[allow]]\n"networks" = ["x"]', 2, "networks"),
        ('[[allow]]\nnames = ["10.0.0.1"]', 2, "names"),
        ('[[allow]]\nnames = ["a b"]', 2, "names"),
        ('[[allow]]\nnames = "a"', 2, "names"),
        ('[[allow]]\nnames = ["a"]\npermit = ["write"]', 3, "permit"),
        ('[[allow]]\nnote = "x"', 1, "allow"),
        ('[allow]\nnames = ["x"]', 1, "allow"),
        ('targets = ["gopher://x"]', 1, "targets"),
        ("# one\ntargets = [1]", 2, "targets"),
    ],
)
def test_errors_name_line_and_key(text: str, line: int, key: str) -> None:
    with pytest.raises(ScopeError, match=rf"my\.toml, line {line}: {key}: "):
        parse_scope(text, "my.toml")


def test_broken_toml_names_the_line() -> None:
    with pytest.raises(ScopeError, match="line 2"):
        parse_scope("targets = []\n[[allow\n")


def test_a_secret_in_the_file_is_refused_and_not_shown() -> None:
    with pytest.raises(ScopeError, match="targets: holds a secret") as caught:
        parse_scope('targets = ["redis://u:hunter2@h"]')
    assert "hunter2" not in str(caught.value)


def test_load(tmp_path) -> None:
    path = tmp_path / "plainview.toml"
    with pytest.raises(ScopeError, match="cannot be read"):
        load_scope(path)
    path.write_text(FILE)
    scope = load_scope(path)
    assert [target.kind for target in scope.targets] == ["redis", "s3"]


# How an IPv4 address is written into an IPv6 one, all but the mapped form
FORMS = {
    "6to4": lambda v4: 0x2002 << 112 | v4 << 80 | 1,
    "NAT64": lambda v4: 0x0064FF9B << 96 | v4,
    "NAT64 of a local network": lambda v4: 0x0064FF9B0001 << 80 | v4,
    "NAT64 of a /48": lambda v4: 0x0064FF9B0001 << 80 | v4 >> 16 << 64 | (v4 & 0xFFFF) << 40,
    "NAT64 of a /56": lambda v4: 0x0064FF9B0001 << 80 | v4 >> 24 << 64 | (v4 & 0xFFFFFF) << 32,
    "NAT64 of a /64": lambda v4: 0x0064FF9B0001 << 80 | v4 << 24,
    "IPv4-compatible": lambda v4: v4,
    "IPv4-translated": lambda v4: 0xFFFF << 48 | v4,
    "Teredo client": lambda v4: 0x20010000 << 96 | 0x01020304 << 64 | (v4 ^ 0xFFFFFFFF),
    "Teredo server": lambda v4: 0x20010000 << 96 | v4 << 64 | 0xF0F0F0F0,
    "ISATAP": lambda v4: 0x20010DB8 << 96 | 0x5EFE << 32 | v4,
    "ISATAP, global": lambda v4: 0x20010DB8 << 96 | 0x02005EFE << 32 | v4,
}


@given(st.sampled_from(sorted(FORMS)), st.ip_addresses(v=4), st.integers(0, 32))
def test_law_an_inner_address_allows_nothing(form: str, inner: IPv4Address, bits: int) -> None:
    """Neither loopback, nor a listed network or name of the inner address, lets its IPv6 form through."""
    outer = IPv6Address(FORMS[form](int(inner)))
    if outer.ipv4_mapped or int(outer) < 2:
        return
    network = ip_network((inner, bits), strict=False)
    scope = parse_scope(f'[[allow]]\nnetworks = ["{network}"]\n[[allow]]\nnames = ["db.internal"]')
    assert not Scope().allows("localhost", outer, 80)
    assert not scope.allows("db.internal", outer, 80)
    assert not scope.permits("try_mysql_root", "db.internal", outer, 80)
    assert parse_scope(f'[[allow]]\nnetworks = ["{outer}"]').allows("h", outer, 80)


@given(
    st.sampled_from(sorted(FORMS)),
    st.sampled_from(
        ["127.0.0.1", "169.254.169.254", "10.1.2.3", "100.64.7.7", "0.0.0.0", "224.0.0.1", "168.63.129.16"]
    ),
)
def test_law_a_special_inner_address_needs_the_very_outer_one(form: str, inner: str) -> None:
    outer = IPv6Address(FORMS[form](int(IPv4Address(inner))))
    wide = parse_scope('[[allow]]\nnetworks = ["::/0", "0.0.0.0/0"]')
    assert not wide.allows("h", outer, 80)


@pytest.mark.parametrize(
    ("outer", "network"),
    [
        ("2002:808:808::1", "2002:808::/32"),
        ("64:ff9b::808:808", "64:ff9b::/96"),
        ("64:ff9b:1::808:808", "64:ff9b:1::/96"),
        ("64:ff9b:1:808:8:800::", "64:ff9b:1::/48"),  # 8.8.8.8 around the zero byte, RFC 6052
        ("64:ff9b:1:8:8:808::", "64:ff9b:1::/56"),
        ("64:ff9b:1:0:8:808:800:0", "64:ff9b:1::/64"),
        ("2001:db8::5efe:808:808", "2001:db8::/64"),
    ],
)
def test_an_entry_that_holds_the_outer_address_allows_it(outer: str, network: str) -> None:
    """Where nothing speaks against the inner one."""
    assert parse_scope(f'[[allow]]\nnetworks = ["{network}"]').allows("h", outer, 80)
    assert not parse_scope('[[allow]]\nnetworks = ["8.8.8.8"]\nnames = ["h"]').allows("h", outer, 80)


def test_only_names_of_the_file_are_looked_up() -> None:
    scope = parse_scope(FILE)
    for name in ("db.internal", "localhost", "a.localhost", "localhost.example.org", "127.1", "2130706433"):
        assert not Scope().looks_up(name, 9200)
    assert scope.looks_up("db.internal", 9200)
    assert scope.looks_up("minio.internal", 443)
    assert not scope.looks_up("db.internal", 9201)
    assert not scope.looks_up("other.internal", 9200)


@given(st.ip_addresses(v=4), st.integers(0, 32), st.ip_addresses(v=4), st.integers(1, 65535))
def test_law_a_network_allows_its_own_and_no_other(base, bits, ip, port) -> None:
    from ipaddress import ip_network

    network = ip_network((base, bits), strict=False)
    scope = parse_scope(f'[[allow]]\nnetworks = ["{network}"]')
    allowed = scope.allows("h", ip, port)
    assert not allowed or ip in network or ip.is_loopback
    if ip in network and ip.is_global and not ip.is_multicast and str(ip) != "168.63.129.16":
        assert allowed


def test_the_example_of_the_docs_loads() -> None:
    import re
    from pathlib import Path

    text = (Path(__file__).parents[2] / "docs" / "scope.md").read_text()
    blocks = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    assert blocks
    for block in blocks:
        assert parse_scope(block).entries
