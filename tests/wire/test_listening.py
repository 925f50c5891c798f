"""From where a store can be reached that was reached over loopback: by the addresses at which its port listens."""

from __future__ import annotations

import socket
import sys
from ipaddress import ip_address
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plainview.wire import listening
from plainview.wire.listening import is_loopback, reach

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux keeps this list")


@linux
@pytest.mark.parametrize(
    ("address", "expected"), [("127.0.0.1", "loopback"), ("127.0.0.9", "loopback"), ("0.0.0.0", "network")]
)
def test_a_port_is_as_reachable_as_the_addresses_it_listens_at(address: str, expected: str) -> None:
    with socket.create_server((address, 0)) as server:
        port = server.getsockname()[1]
        assert reach("127.0.0.1", port) == expected
        assert reach("192.0.2.7", port) == "network"
    assert reach("127.0.0.1", port) == "here", "nothing listens there any more, and nothing is known"


@linux
def test_a_port_of_the_newer_protocol_is_read_as_well() -> None:
    if not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6) as server:
            assert reach("::1", server.getsockname()[1]) == "loopback"
    except OSError:
        pytest.skip("no IPv6 here")


def test_what_the_system_does_not_say_is_not_guessed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(listening, "TABLES", (tmp_path / "none",))
    assert reach("127.0.0.1", 9200) == "here"
    (tmp_path / "odd").write_text("head\n0: 0100007F:23F0 x\n\n1: zz\n")
    monkeypatch.setattr(listening, "TABLES", (tmp_path / "odd",))
    assert reach("127.0.0.1", 9200) == "here"


@given(st.ip_addresses(v=4))
def test_an_address_inside_of_another_is_as_far_away_as_alone(address: object) -> None:
    assert is_loopback(ip_address(f"::ffff:{address}")) == ip_address(str(address)).is_loopback
