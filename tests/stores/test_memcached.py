"""memcached, the real server; and hostile ones."""

from __future__ import annotations

import re
import time
import zlib

import pytest

from plainview.errors import PlainviewError, RefusedError
from plainview.stores import open_source
from plainview.stores.memcached.source import unpack
from plainview.tables import ReadLog
from plainview.targets.parsing import parse_target
from plainview.wire import WireLimits
from servers import CANARY
from servers.caches import Memcached
from servers.fake import always, answer, drip, endless, fake, reset, silent
from servers.kit import (
    declared_words,
    no_canary,
    nothing_elsewhere,
    password,
    read_all,
    server_fixture,
    source_of,
)

server = server_fixture(Memcached)
opened = server_fixture(Memcached, modes=("open",))

VERDICTS = {"open": ("admin", "by_design", "proved"), "closed": ("auth_required", "unknown", "proved")}


def test_verdict(server: Memcached) -> None:
    before = server.dump()
    source = source_of(server)
    with nothing_elsewhere(server.port):
        exposure = source.check_access()
    assert (exposure.state, exposure.rights_basis, exposure.confidence) == VERDICTS[server.mode]
    assert server.dump() == before
    no_canary(exposure)
    if server.mode == "open":
        assert exposure.product == "memcached"
        assert exposure.version.startswith(server.version)
        assert any("303 items" in line for line in exposure.evidence)
    else:
        with pytest.raises(RefusedError, match="no credential was given"):
            list(source.units(ReadLog()))
        with pytest.raises(RefusedError, match="takes a write command") as caught:
            list(source_of(server, login=password("u")).units(ReadLog()))
        no_canary(caught.value)


def test_everything_is_read(opened: Memcached) -> None:
    before = opened.dump()
    source = source_of(opened)
    with nothing_elsewhere(opened.port):
        frames, log = read_all(source)
    assert opened.dump() == before
    assert {name: (frame.height, frame.columns) for name, frame in frames.items()} == {
        "user:{}": (301, ["key", "value"]),
        "page:{}": (1, ["key", "value"]),
        "packed:{}": (1, ["key", "value"]),
    }
    assert frames["page:{}"]["value"][0] == "<html>\r\nEND\r\n</html>"
    assert frames["packed:{}"]["value"][0] == "ann@example.com " * 50
    assert sum(CANARY in value for value in frames["user:{}"]["value"]) == 1
    assert (log.tables_listed, log.rows_listed, log.skipped) == (3, 303, [])
    no_canary(log, source.wire.footprint())
    frames, log = read_all(source_of(opened), sample=4)
    assert frames["user:{}"].height == 4
    assert log.rows_listed == 303


def test_the_server_saw_declared_requests_only(opened: Memcached) -> None:
    """With -vv memcached prints each command, but none before a login: so only the open one is watched."""
    before = len(opened.log)
    read_all(source_of(opened))
    time.sleep(0.1)
    seen = re.findall(r"^<[0-9]+ (?!new |connection |server |Client )(.*)$", opened.log[before:], re.MULTILINE)
    assert len(seen) > 8
    for line in seen:
        words = tuple(line.split(" "))
        assert any(words[: len(fixed)] == fixed for fixed in declared_words("memcached")), line


FAST = WireLimits(first_byte=0.4, probe=0.8, service=2.0)
HOSTILE = {
    "version to everything": always(b"VERSION 1.6.18\r\n"),
    "end to everything": always(b"END\r\n"),
    "endless stats": endless(b"VERSION 1.6.18\r\nERROR\r\n", b"STAT a b\r\n" * 1000),
    "endless line": endless(b"", b"VERSION"),
    "drip": drip(b"VERSION ", b"1" * 1000, 0.05),
    "odd version": answer(b"VERSION canary.7f3a@example.org\r\n"),
    "error": always(b"ERROR\r\n"),
    "http": answer(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
    "silence": silent,
    "reset": reset,
    "nothing": answer(b""),
}


@pytest.mark.parametrize("behave", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile(behave) -> None:
    with fake(behave) as (port, _), nothing_elsewhere(port):
        start = time.monotonic()
        exposure = open_source(parse_target(f"memcached://127.0.0.1:{port}"), network=FAST).check_access()
        assert time.monotonic() - start < 30
        assert exposure.state in ("unknown", "reachable_metadata")
        assert exposure.confidence == "inconclusive"
        no_canary(exposure)


def scripted(answers: dict[bytes, bytes]):
    def behave(sock, first: bytes) -> None:
        while first:
            sock.sendall(next((a for k, a in answers.items() if first.startswith(k)), b"ERROR\r\n"))
            first = sock.recv(65536)

    return behave


OPEN = {
    b"version": b"VERSION 1.6.18\r\n",
    b"stats items": b"STAT items:1:number 1\r\nEND\r\n",
    b"stats": b"STAT curr_items 1\r\nEND\r\n",
    b"lru_crawler": b"key=k exp=-1\r\nEND\r\n",
    b"get plainview-": b"END\r\n",
}


@pytest.mark.parametrize(
    "values",
    [
        b"VALUE k 0 99999999999\r\n",
        b"VALUE k 0 2\r\nxx",
        b"canary.7f3a@example.org\r\n",
        b"",
        b"VALUE k 0 3\r\nab\r\n",
    ],
)
def test_lies_while_reading(values: bytes) -> None:
    limits = WireLimits(idle=0.3)
    with fake(scripted({**OPEN, b"get k": values or b"\r\n"})) as (port, _):
        source = open_source(parse_target(f"memcached://127.0.0.1:{port}"), network=limits)
        assert source.check_access().state == "admin"
        with pytest.raises(PlainviewError) as caught:
            read_all(source)
        no_canary(caught.value)


def test_values_that_unpack_to_much_are_held_one_by_one_and_cut_aloud() -> None:
    packed = zlib.compress(b"ann@example.org " * (2 << 20))  # 32 MiB, of which 16 are looked at
    keys = [b"k%d" % number for number in range(8)]
    values = b"".join(b"VALUE %b 0 %d\r\n%b\r\n" % (key, len(packed), packed) for key in keys) + b"END\r\n"
    listing = b"".join(b"key=%b exp=-1\r\n" % key for key in keys) + b"END\r\n"
    answers = OPEN | {b"stats items": b"STAT items:1:number 8\r\nEND\r\n", b"lru_crawler": listing, b"get k": values}
    with fake(scripted(answers)) as (port, _):
        source = open_source(parse_target(f"memcached://127.0.0.1:{port}"))
        log = ReadLog()
        heights = [batch.frame.height for unit in source.units(log) for batch in source.read(unit, log)]
    assert sum(heights) == 8
    assert max(heights) == 2
    assert [why for _, why in log.skipped] == ["8 compressed values are longer than 16 MiB: they were cut there"]


def test_unpack() -> None:
    import gzip

    text = b"ann@example.com " * 10
    for packed in (zlib.compress(text), gzip.compress(text), b"\xa0\0\0\0" + zlib.compress(text)):
        assert unpack(packed, 1 << 20) == text
    for plain in (b"", b"x", b"x\x9cnot packed", text, b"\x1f\x8b\x08"):
        assert unpack(plain, 1 << 20) == plain
    assert len(unpack(zlib.compress(b"\0" * 10_000_000), 1000)) == 1000
