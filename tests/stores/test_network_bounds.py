"""Every source on a network connects to its one address and nowhere else, whatever the scope and the resolver say."""

from __future__ import annotations

import contextlib
import json
import re
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hostile.run import address, kinds
from plainview.errors import OutOfScopeError, PlainviewError
from plainview.pipeline.scanner import Options, Scanner
from plainview.report.model import Report
from plainview.stores import open_source
from plainview.tables import ReadLog, Unit
from plainview.targets.parsing import parse_target
from plainview.targets.scope import parse_scope
from plainview.wire import WireLimits, traffic
from servers.fake import always, fake, silent
from servers.kit import nothing_elsewhere, sockets_watched

QUICK = WireLimits(connect=0.5, first_byte=0.1, probe=0.2, service=0.6, idle=0.2)
KINDS = pytest.mark.parametrize("kind", kinds())
FOREIGN = "203.0.113.9"  # RFC 5737: nobody's


def foreign(kind: str, host: str = FOREIGN) -> str:
    return address(kind, 4711).replace("127.0.0.1", host)


@pytest.fixture(scope="module")
def scanner() -> Scanner:
    return Scanner(Options(threads=1))


@KINDS
def test_out_of_scope_is_a_line_and_never_a_packet(kind: str, scanner: Scanner) -> None:
    target = parse_target(foreign(kind))
    source = open_source(target, network=QUICK)
    with sockets_watched() as seen:
        with pytest.raises(OutOfScopeError):
            source.check_access()
        report = scanner.scan_source(open_source(target, network=QUICK), str(target))
    assert not seen
    assert report.exposure is None
    assert [f"{FOREIGN}:4711 is not in the scope file" in line.why for line in report.coverage.skipped] == [True]
    assert Report(targets=(report,)).exit_status == 2


@KINDS
def test_no_way_around_the_question(kind: str) -> None:
    """Listing and reading without having asked first connect no more than the question does."""
    source = open_source(parse_target(foreign(kind)), network=QUICK)
    with sockets_watched() as seen:
        for act in (lambda: list(source.units(ReadLog())), lambda: list(source.read(Unit("x"), ReadLog()))):
            with contextlib.suppress(PlainviewError, AttributeError):  # no such unit: it was made up
                act()
    assert not seen


def test_the_command_says_so(plainview: Callable[..., Any]) -> None:
    """Two targets out of scope and one file: a line for each of the two, and the file is read all the same."""
    file = Path(__file__).parents[1] / "conftest.py"
    ran = plainview("scan", "-q", f"redis://{FOREIGN}:6379", f"{FOREIGN}:9200", file, fmt="json")
    report = json.loads(ran.report)
    assert ran.status == 2
    why = ["".join(line["why"] for line in target["coverage"]["skipped"]) for target in report["targets"][:2]]
    assert all("is not in the scope file" in text for text in why)
    assert not any(target.get("exposure") for target in report["targets"][:2])
    assert report["targets"][2]["coverage"]["bytes_read"] > 0


@KINDS
def test_one_address(kind: str, scanner: Scanner) -> None:
    """A port that takes connections and says nothing: all that is tried goes there."""
    with fake(silent, first=False) as (port, _), nothing_elsewhere(port):
        source = open_source(parse_target(address(kind, port)), network=QUICK)
        report = scanner.scan_source(source, "x")
    assert report.exposure is not None
    assert report.exposure.state == "unknown"
    assert report.exposure.confidence == "inconclusive"


@KINDS
def test_a_closed_port_is_unreachable(kind: str) -> None:
    with socket.socket() as sock:  # bound and not listening: refused
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
        with nothing_elsewhere(port):
            source = open_source(parse_target(address(kind, port)), network=QUICK)
            exposure = source.check_access()
    assert (exposure.state, exposure.confidence) == ("unreachable", "proved")
    assert "closed" in exposure.evidence[-1]


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., list[str]]]:
    """A resolver that gives its lists of addresses one after the other, the last one for ever."""

    def install(*answers: str) -> list[str]:
        asked: list[str] = []

        def getaddrinfo(host: str, *_: Any, **__: Any) -> list[Any]:
            asked.append(host)
            given = answers[min(len(asked), len(answers)) - 1]
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 0)) for ip in given.split()]

        monkeypatch.setattr(traffic.socket, "getaddrinfo", getaddrinfo)
        return asked

    return install


@KINDS
def test_a_name_that_moves_is_pinned(kind: str, scanner: Scanner, resolver: Callable[..., list[str]]) -> None:
    """DNS rebinding: the second look-up would give the metadata service, and is never made."""
    asked = resolver("127.0.0.1", "169.254.169.254")
    with fake(silent, first=False) as (port, _), nothing_elsewhere(port):
        target = parse_target(address(kind, port).replace("127.0.0.1", "rebind.example"))
        scope = parse_scope('[[allow]]\nnames = ["rebind.example"]')
        scanner.scan_source(open_source(target, scope=scope, network=QUICK), "x")
    assert asked == ["rebind.example"]


@KINDS
def test_a_name_in_scope_does_not_reach_what_is_nobodys(kind: str, resolver: Callable[..., list[str]]) -> None:
    """The name is allowed; what it points to (metadata, multicast) is not, unless the address itself is listed."""
    scope = parse_scope('[[allow]]\nnames = ["meta.example"]')
    for ip in ("169.254.169.254", "224.0.0.1", "0.0.0.0"):
        resolver(ip)
        with sockets_watched() as seen, pytest.raises(OutOfScopeError):
            open_source(parse_target(foreign(kind, "meta.example")), scope=scope, network=QUICK).check_access()
        assert not seen


CARD = "4111111111111111"


@pytest.mark.parametrize("form", [CARD, "4111-1111-1111-1111", f"{CARD}.example.org", "DE89370400440532013000"])
@KINDS
def test_what_the_server_names_is_no_value_in_the_report(kind: str, form: str, scanner: Scanner) -> None:
    """Places elsewhere, versions and statuses are words of the server's choosing: whatever looks like a value is masked."""
    redirect = f"HTTP/1.1 302 Found\r\nLocation: http://{form}/\r\nContent-Length: 0\r\n\r\n"
    with fake(always(redirect.encode()), first=kind != "mysql") as (port, _):
        source = open_source(parse_target(address(kind, port)), network=QUICK)
        source.wire.points_elsewhere("member", form)
        with source.wire.exchange("redis.ping") as step:
            step.done(form)
        report = scanner.scan_source(source, "x")
    assert report.exposure is not None
    assert report.exposure.points_elsewhere
    assert form not in json.dumps(msgspec.to_builtins(report))
    assert form.replace("-", "") not in re.sub("[-. ]", "", json.dumps(msgspec.to_builtins(report)))


@pytest.mark.parametrize("version", [CARD, "4111-1111-1111-1111"])
def test_a_version_is_no_value(version: str, scanner: Scanner) -> None:
    info = f"redis_version:{version}\r\n"
    answers = {b"PING": b"+PONG\r\n", b"INFO": f"${len(info)}\r\n{info}\r\n".encode()}

    def behave(sock: socket.socket, data: bytes) -> None:
        while data:
            word = data.split(b"\r\n")[2]
            sock.sendall(answers.get(word, b"-ERR unknown command\r\n"))
            data = sock.recv(65536)

    with fake(behave) as (port, _):
        exposure = open_source(parse_target(f"redis://127.0.0.1:{port}"), network=QUICK).check_access()
    assert exposure.version == re.sub("[0-9]", "9", version)
