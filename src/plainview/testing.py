"""For people who write a detector or a store outside of plainview: a source in memory, and checks for their tests.

from plainview.testing import check_detector, check_source, check_store

def test_my_detector():
    assert check_detector("my_package/data/shelf_mark.toml") == []

def test_my_store(port):
    assert check_store("my_package/mystore") == []
    source = open_source(f"mystore://127.0.0.1:{port}")
    assert check_source(source, canary="anna@example.org") == []
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from plainview.errors import PlainviewError
from plainview.stores import open_source as _open
from plainview.stores.base import NetworkSource
from plainview.tables import Batch, ReadAs, ReadLog, Source, Table, Unit
from plainview.targets.parsing import parse_target

if TYPE_CHECKING:
    from plainview.report.model import Exposure
    from plainview.targets.credentials import Credentials
    from plainview.targets.scope import Scope
    from plainview.wire.limits import WireLimits

SHARED = ("fingerprint.http", "fingerprint.greeting")  # questions that every port is asked, whatever the stores
Frames = Mapping[str, pl.DataFrame | Iterable[pl.DataFrame]]


@dataclass
class FakeSource:
    """A source in memory: the frames of each table by its name, and an answer to the stranger's question.

    Each table is a unit of its own. A table may be given as several frames, which come one after the other.
    """

    tables: Frames = field(repr=False)
    kind: str = "fake"
    answer: Exposure | None = None
    read_as: ReadAs = "file"
    whole_tables: bool = False
    skipped: list[tuple[str, str]] = field(default_factory=list)  # what listing says could not be looked at

    def check_access(self) -> Exposure | None:
        """Return the answer."""
        return self.answer

    def exposure(self) -> Exposure | None:
        """Return the answer."""
        return self.answer

    @property
    def origin(self) -> str:
        """No credential is used."""
        return ""

    def units(self, log: ReadLog) -> Iterator[Unit]:
        """List the tables."""
        for what, why in self.skipped:
            log.skip(what, why)
        for name, frames in self.tables.items():
            yield Unit(name, rows=frames.height if isinstance(frames, pl.DataFrame) else None)

    def read(self, unit: Unit, log: ReadLog, sample: int | None = None) -> Iterator[Batch]:
        """Yield the frames of a table; with `sample` that many of its rows."""
        from plainview.tables.sampling import sample_rows

        frames = self.tables[unit.name]
        batches = (
            Batch(Table(unit.name, self.kind), frame)
            for frame in ([frames] if isinstance(frames, pl.DataFrame) else frames)
        )
        log.listed()
        yield from batches if sample is None else sample_rows(batches, sample, unit.name, "drawn from all rows")

    def close(self) -> None:
        """Nothing is open."""


def open_source(
    address: str,
    *,
    scope: Scope | None = None,
    credentials: Credentials | None = None,
    network: WireLimits | None = None,
) -> Source:
    """Return the source of an address, as a scan opens it; not connected yet. Raises TargetError."""
    return _open(parse_target(address), scope=scope, credentials=credentials, network=network)


def check_detector(path: str | Path) -> list[str]:
    """Return what is wrong with a detector file: that it does not load, or which of its examples do not hold."""
    from plainview.detectors import parse_detector
    from plainview.matching.verify import failures

    try:
        return failures(parse_detector(Path(path)))
    except PlainviewError as error:
        return [str(error)]


def check_store(folder: str | Path) -> list[str]:
    """Return what is wrong with the folder of a store: its `store.toml`, its requests and signs, its class."""
    from plainview.assess.steps import fixes
    from plainview.catalog import read_store
    from plainview.stores.fingerprint.signs import asked_and_known
    from plainview.wire.probes import declared

    try:
        store = read_store(Path(folder), "")
        lists = store.lists
        requests = declared(store.kind, lists.get("probe", ()))
        steps, signs = asked_and_known(lists)
        fixes(lists)
    except PlainviewError as error:
        return [str(error)]
    probes = {*requests, *SHARED}
    asked = [*(step.probe for step in steps), *(sign.probe for sign in signs)]
    problems = [
        (not store.ports, "no scheme"),
        (not requests, "no request"),
        (not signs, "no sign by which a bare host:port is known"),
        *((name not in probes, f"{name} is not declared") for name in asked),
        (f"class {store.source}" not in _text(Path(folder, "source.py")), f"no class {store.source} in source.py"),
    ]
    return [problem for wrong, problem in problems if wrong]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""


def check_source(source: Source, *, canary: str = "", sample: int = 1) -> list[str]:
    """Ask, read and sample a source to the end, close it, and return which promises of the protocol it broke.

    `canary` is a value that stands in the store: it must be read, and may stand in no name, note, message or
    verdict. Sockets may be opened to the place of the target alone.
    """
    check = _Check(source, canary, sample)
    with _sockets() as opened:
        try:
            check.access()
            check.reading()
        finally:
            source.close()
    if isinstance(source, NetworkSource):
        allowed = {(ip, source.wire.port) for ip in source.wire.addresses()}
        check.holds(not set(opened) - allowed, "a socket was opened to another place than the target")
        check.holds(opened, "no socket was opened")
    return check.broken


@dataclass
class _Check:
    """What `check_source` found so far."""

    source: Source
    canary: str
    sample: int
    broken: list[str] = field(default_factory=list)
    met: bool = False  # the canary, in a cell

    def holds(self, fact: object, promise: str) -> None:
        if not fact and promise not in self.broken:
            self.broken.append(promise)

    def silent(self, *texts: object) -> None:
        self.holds(not self.canary or not any(self.canary in str(text) for text in texts), "a text quotes a value")

    def access(self) -> None:
        """Ask the stranger's question: it is asked once, answered as a whole, and quotes nothing."""
        first = self.source.check_access()
        again, stands = self.source.check_access(), self.source.exposure()
        self.holds(first == again == stands, "check_access asks again, or exposure says something else")
        self.holds(self.source.kind, "a source has a kind")
        self.silent(first, repr(self.source))
        if first is not None:
            self.holds(first.evidence, "a verdict has evidence")
            self.holds(first.footprint or first.state == "unreachable", "a verdict lists what was sent")

    def reading(self) -> None:
        """Read all rows, then a sample of each table."""
        rows, log = self._read(None)
        self.holds(rows, "units and read gave no table")
        self.holds(log.tables_listed, "read says how many tables and rows there are: log.listed")
        self.holds(not self.canary or self.met, "the canary was not read")
        self.holds(self.source.read_as in ("stranger", "credential", "file"), "read_as is one of three words")
        drawn, _ = self._read(self.sample)
        for name, (count, sampled) in drawn.items():
            self.holds(count <= self.sample, "a sample has at most as many rows of each table as were asked for")
            left_out = count < rows.get(name, (count, False))[0]
            self.holds(sampled or not left_out, "a table of which rows were left out is marked: Table.drawn")

    def _read(self, sample: int | None) -> tuple[dict[str, tuple[int, bool]], ReadLog]:
        log, rows = ReadLog(), dict[str, tuple[int, bool]]()
        try:
            for unit in self.source.units(log):
                for batch in self.source.read(unit, log, sample):
                    count, sampled = rows.get(batch.table.name, (0, False))
                    rows[batch.table.name] = (count + batch.frame.height, sampled or batch.table.sampled)
                    self.silent(batch.table)
                    self.met |= bool(self.canary) and self.canary in str(batch.frame.rows())
        except PlainviewError as error:
            self.broken.append(f"reading ended with {type(error).__name__}: {error.message}")
        except Exception as error:  # noqa: BLE001  that it is none of ours is the finding
            self.broken.append(f"reading ended with {type(error).__name__}: errors are raised as those of plainview")
        self.silent(log.skipped, log.noted)
        return rows, log


@contextmanager
def _sockets() -> Iterator[list[tuple[object, object]]]:
    """Collect the address of each connect of this process while the block runs."""
    seen: list[tuple[object, object]] = []
    watching = True

    def audit(event: str, args: tuple[object, ...]) -> None:
        if watching and event == "socket.connect" and isinstance(args[1], tuple):
            seen.append((args[1][0], args[1][1]))

    sys.addaudithook(audit)  # which cannot be taken out again
    try:
        yield seen
    finally:
        watching = False


__all__ = ["FakeSource", "check_detector", "check_source", "check_store", "open_source"]
