"""Checks that every store has to pass, and the fixture that gives a test its server."""

from __future__ import annotations

import contextlib
import sys
import traceback
from collections.abc import Iterator, Sequence

import polars as pl
import pytest

from plainview.stores import open_source
from plainview.tables import ReadLog
from plainview.targets.credentials import Credential, Credentials
from plainview.targets.parsing import parse_target
from plainview.targets.secret import Secret
from plainview.wire import probes

from .base import CANARY, SECRET, Server

_watchers: list[list[tuple[object, ...]]] = []
_hooked = False


def server_fixture(*classes: type[Server], modes: Sequence[str] = ("open", "closed")) -> object:
    """Return a module-wide fixture: each server in each mode, or a skip with the reason."""
    params = [
        pytest.param((cls, mode), id=f"{cls.name}-{mode}", marks=pytest.mark.servers)
        for cls in classes
        for mode in modes
        if mode in cls.modes
    ]

    @pytest.fixture(scope="module", params=params)
    def server(request: pytest.FixtureRequest) -> Iterator[Server]:
        cls, mode = request.param
        made = cls(mode)
        if reason := made.available():
            pytest.skip(reason)
        with made:
            yield made

    return server


def source_of(server: Server, *, login: Credential | None = None, suffix: str = "", **options: object):
    """Return the opened source of a server, with the administrator's credential if asked."""
    target = parse_target(server.url + suffix)
    credentials = Credentials(((target, login),), environment={}) if login else None
    return open_source(target, credentials=credentials, **options)


def password(user: str | None = None) -> Credential:
    """Return the administrator's credential of a closed server."""
    return Credential(user, Secret(SECRET), origin="credentials file")


def read_all(source, sample: int | None = None) -> tuple[dict[str, pl.DataFrame], ReadLog]:
    """Read every unit; return the frames by table name, and the log."""
    log = ReadLog()
    found: dict[str, list[pl.DataFrame]] = {}
    for unit in source.units(log):
        for batch in source.read(unit, log, sample):
            found.setdefault(batch.table.name, []).append(batch.frame)
    return {name: pl.concat(frames, how="diagonal_relaxed") for name, frames in found.items()}, log


def no_canary(*things: object) -> None:
    """Fail when a planted value or a secret stands in the text of any of these."""
    for thing in things:
        text = f"{thing!r} {thing!s}"
        if isinstance(thing, BaseException):
            text += "".join(traceback.format_exception(thing))
        assert CANARY not in text
        assert CANARY.split("@", maxsplit=1)[0] not in text
        assert SECRET not in text


@contextlib.contextmanager
def nothing_elsewhere(port: int) -> Iterator[None]:
    """Fail when this process connects, sends or looks up anything but 127.0.0.1:port."""
    with sockets_watched() as seen:
        yield
    assert seen, "the source opened no socket at all: the hook sees nothing"
    elsewhere = [entry for entry in seen if entry[1] != ("127.0.0.1", port)]
    assert not elsewhere, elsewhere


@contextlib.contextmanager
def sockets_watched() -> Iterator[list[tuple[object, ...]]]:
    """Collect (event, address) of every connect, send to an address, and look-up of this process."""
    global _hooked  # noqa: PLW0603 - an audit hook cannot be taken out again
    if not _hooked:
        sys.addaudithook(_audit)
        _hooked = True
    seen: list[tuple[object, ...]] = []
    _watchers.append(seen)
    try:
        yield seen
    finally:
        _watchers.remove(seen)


def _audit(event: str, args: tuple[object, ...]) -> None:
    if _watchers and event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        for seen in _watchers:
            address = args[1] if len(args) > 1 else None
            seen.append((event, tuple(address)[:2] if isinstance(address, tuple) else address))
    elif _watchers and event in ("socket.getaddrinfo", "socket.gethostbyname"):
        for seen in _watchers:
            seen.append((event, args[0]))


def declared_words(store: str) -> set[tuple[str, ...]]:
    """Return the fixed first words of a store's commands: ("SCAN",), ("ACL", "WHOAMI"), ..."""
    found = set()
    for probe in probes.load(store).values():
        fixed = []
        for word in probe.command:
            if word.startswith("<"):
                break
            fixed.append(word)
        found.add(tuple(fixed))
    return found
