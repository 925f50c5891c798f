"""Every attack on every kind of store, each scanned as a user would; what came of it as JSON lines.

Run in a process of its own: its memory, its sockets and its threads are what is measured.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import json
import re
import resource
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from plainview import catalog
from plainview.errors import PlainviewError
from plainview.pipeline.scanner import Options, Scanner
from plainview.report.model import Report
from plainview.report.render import REPORTS, fitting, render
from plainview.stores import open_source
from plainview.targets.parsing import parse_target
from plainview.wire import WireLimits

from .attacks import ANY, BLUNT, SWAPS, TWISTS, Swap, Twist
from .farm import Farm, Gone, Handler, Peer
from .stores import CANARY, STORES, Store

QUICK = WireLimits(
    connect=1.0,
    first_byte=0.25,
    probe=0.5,
    service=1.2,
    idle=0.4,
    grace=0.3,
    pace=1 << 16,
    answer=16 << 20,
    total=48 << 20,
)
WORKERS = 12
STRIDE = 47  # between the places at which a conversation is cut, unless --all
SHARE = 5  # one of so many swaps, unless --all


@dataclass
class Result:
    """What came of one attack. `foreign`: errors that are none of ours, wherever they were."""

    kind: str
    attack: str
    state: str = ""
    confidence: str = ""
    exit: int = -1
    seconds: float = 0.0
    evidence: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    found: bool = False
    unsafe: list[str] = field(default_factory=list)
    requests: int = 0
    asked: int = 0
    sent: int = 0
    peak: int = 0


def kinds() -> list[str]:
    """Return every kind of store on a network that there is a module for."""
    return list(catalog.ours())


def address(kind: str, port: int) -> str:
    """Return the address of a hostile port, as a user would write it for that kind."""
    if kind == "fingerprint":
        return f"127.0.0.1:{port}"
    scheme = next(name for name, scheme in catalog.schemes().items() if scheme.kind == kind)
    if catalog.ours()[kind].bucket:
        place = "account/bucket" if kind == "azure" else "bucket"
        return f"{scheme}://{place}?endpoint=http://127.0.0.1:{port}"
    return f"{scheme}://127.0.0.1:{port}"


# -- conversations --------------------------------------------------------------------------------------


@dataclass
class Talk:
    """One good store; after so many answers the twist takes over, or one answer is swapped, or all ends."""

    store: Store
    after: int = sys.maxsize
    twist: Twist | None = None
    swap: Swap | None = None
    left: int = sys.maxsize
    dies: Callable[[], None] | None = None
    count: int = 0
    sent: int = 0

    async def __call__(self, peer: Peer) -> None:
        buffer = b""
        while True:
            buffer += await peer.get()
            while part := self.store.split(buffer):
                request, buffer = part
                await self._one(peer, request)

    async def _one(self, peer: Peer, request: bytes) -> None:
        answer = self.store.answer(request)
        self.count += 1
        if self.count > self.after and self.twist:
            await self.twist(peer, request, answer)
            raise Gone
        if self.count == self.after + 1 and self.swap:
            answer = self.swap(request)
        part = answer[: self.left]
        self.left -= len(part)
        self.sent += len(part)
        await peer.put(part)
        if len(part) < len(answer):
            if self.dies:
                self.dies()
            raise Gone


# -- one scan -------------------------------------------------------------------------------------------


def watch(source: Any, foreign: list[str]) -> None:
    """Note every error of a source that is not one of plainview's own."""

    def note(error: BaseException) -> None:
        if not isinstance(error, (PlainviewError, GeneratorExit)):
            foreign.append("".join(traceback.format_exception(error))[-1500:])

    def whole(method: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(method)
        def called(*args: Any) -> Any:
            try:
                return method(*args)
            except BaseException as error:
                note(error)
                raise

        return called

    def piecewise(method: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
        @functools.wraps(method)
        def called(*args: Any) -> Iterator[Any]:
            try:
                yield from method(*args)
            except BaseException as error:
                note(error)
                raise

        return called

    source.check_access = whole(source.check_access)
    source.units, source.read = piecewise(source.units), piecewise(source.read)


def scan(scanner: Scanner, kind: str, attack: str, port: int, limits: WireLimits) -> Result:
    """Scan one hostile port."""
    result = Result(kind, attack)
    target = parse_target(address(kind, port))
    started = time.monotonic()
    source = open_source(target, network=limits)
    watch(source, result.foreign)
    try:
        report = scanner.scan_source(source, str(target))
    except BaseException as error:  # noqa: BLE001 - that nothing escapes is what is tested
        result.foreign.append("ESCAPED " + "".join(traceback.format_exception(error))[-1500:])
        return result
    finally:
        with contextlib.suppress(Exception):
            source.close()
    result.seconds = time.monotonic() - started
    whole = Report(targets=(report,))
    result.exit = whole.exit_status
    if report.exposure:
        result.state, result.confidence = report.exposure.state, report.exposure.confidence
        result.evidence = list(report.exposure.evidence)
    result.skipped = [f"{line.what}: {line.why}" for line in report.coverage.skipped]
    result.found = any(column.category == "email_address" for table in report.tables for column in table.columns)
    result.unsafe = unsafe(whole)
    return result


ODD = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def unsafe(report: Report) -> list[str]:
    """Return what stands in the renderings and must not: values, escapes, markup."""
    found = []
    for fmt in REPORTS:
        text = render(report, fmt, **fitting(fmt, {"color": False, "verbose": True}))
        found += [f"{fmt}: {word}" for word in (CANARY, CANARY.partition("@")[0]) if word in text]
        whole = plain(text)
        found += [f"{fmt}: {odd[0]!r}" for odd in ODD.finditer(whole)][:3]
        if text.lstrip().startswith("<") and "<script>alert" in text:
            found.append(f"{fmt}: a script")
    return found


def plain(text: str) -> str:
    """Return the texts of a rendering in JSON, which escapes them; any other rendering as it is."""
    try:
        return "".join(texts(json.loads(text)))
    except ValueError:
        return text


def texts(value: Any) -> Iterator[str]:
    """Yield all texts of a JSON document."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for item in value.items() if isinstance(value, dict) else value:
            yield from texts(list(item) if isinstance(item, tuple) else item)


@dataclass
class Range:
    """All attacks, on a farm of servers."""

    farm: Farm
    scanner: Scanner
    limits: WireLimits
    jobs: list[tuple[str, str, Callable[[], Result]]] = field(default_factory=list)
    ports: set[int] = field(default_factory=set)
    swaps: int = 0
    alone: bool = False

    def _run(self, kind: str, attack: str, handler: Handler) -> Result:
        port, close = self.farm.serve(handler)
        self.ports.add(port)
        if isinstance(handler, Talk) and handler.left < sys.maxsize and attack.startswith("dies"):
            handler.dies = close
        if self.alone:
            Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
        try:
            result = scan(self.scanner, kind, attack, port, self.limits)
        finally:
            close()
        if self.alone:
            found = re.search(r"VmHWM:\s*([0-9]+)", Path("/proc/self/status").read_text())
            result.peak = int(found[1]) >> 10 if found else 0
        if isinstance(handler, Talk):
            result.sent, result.requests = handler.sent, handler.count
        return result

    def add(self, kind: str, attack: str, handler: Handler) -> None:
        """Plan an attack."""
        self.jobs.append((kind, attack, functools.partial(self._run, kind, attack, handler)))

    def honest(self, store: Store) -> Result:
        """Scan the store as it is: without this the twists would prove nothing."""
        result = self._run(store.kind, "honest", Talk(store))
        port, close = self.farm.serve(talk := Talk(store))
        self.ports.add(port)
        source = open_source(parse_target(address(store.kind, port)), network=self.limits)
        source.check_access()
        source.close()
        close()
        result.asked = talk.count
        return result

    def plan(self, kind: str, honest: Result | None, *, thorough: bool) -> None:
        """Plan all attacks on a kind."""
        for name, blunt in BLUNT.items():
            self.add(kind, f"blunt {name}", blunt)
        store = STORES.get(kind)
        if store is None or honest is None:
            return
        points = {"first": 0, "asking": max(1, honest.asked // 2), "reading": honest.asked}
        for name, twist in {**ANY, **TWISTS[store.family]}.items():
            for point, after in points.items():
                self.add(kind, f"{point} {name}", Talk(store, after, twist))
        for name, swap in SWAPS[store.family].items():
            for after in range(honest.requests):
                self.swaps += 1
                if thorough or self.swaps % SHARE == 0:
                    self.add(kind, f"swap{after} {name}", Talk(store, after, swap=swap))
        stride = 1 if thorough else STRIDE
        for left in range(0, honest.sent, stride):
            self.add(kind, f"half {left}", Talk(store, left=left))
        for left in range(1, honest.sent, stride * 5):
            self.add(kind, f"dies {left}", Talk(store, left=left))


def main(argv: list[str]) -> int:
    """Print a line of JSON for each attack, and one with what the process did as a whole."""
    parser = argparse.ArgumentParser(prog="python -m tests.hostile")
    parser.add_argument("kinds", nargs="*", help=" ".join(kinds()))
    parser.add_argument("--only", default="", help="words that the name of an attack must hold, with commas")
    parser.add_argument("--all", action="store_true", help="cut at every single byte, swap every answer")
    parser.add_argument("--workers", type=int, default=WORKERS, help="with 1, memory is told for each attack")
    parser.add_argument("--full", action="store_true", help="with the usual limits of bytes")
    args = parser.parse_args(argv)
    wanted = [word for word in args.only.split(",") if word]
    limits = QUICK
    if args.full:
        usual = WireLimits()
        limits = WireLimits(**{**asdict(QUICK), "answer": usual.answer, "total": None, "idle": 5.0, "grace": 20.0})
    elsewhere, strays = watch_process()
    scanner = Scanner(Options(threads=1))
    with Farm() as farm, ThreadPoolExecutor(args.workers) as pool:
        field_ = Range(farm, scanner, limits, alone=args.workers == 1)
        for kind in args.kinds or kinds():
            honest = field_.honest(STORES[kind]) if kind in STORES else None
            if honest:
                emit(asdict(honest))
            field_.plan(kind, honest, thorough=args.all)
        jobs = [job for job in field_.jobs if not wanted or any(word in job[1] for word in wanted)]
        for result in pool.map(lambda job: job[2](), jobs):
            emit(asdict(result))
        allowed = {("127.0.0.1", port) for port in field_.ports}
    emit(
        {
            "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10,
            "elsewhere": sorted({str(address) for _, address in elsewhere if address not in allowed})[:20],
            "connections": len(elsewhere),
            "strays": strays[:5],
        }
    )
    return 0


def emit(record: dict[str, object]) -> None:
    """Write a line."""
    sys.stdout.write(json.dumps(record) + "\n")
    sys.stdout.flush()


def watch_process() -> tuple[list[tuple[str, object]], list[str]]:
    """Return lists that will hold every connect and look-up of this process, and what threads died of."""
    seen: list[tuple[str, object]] = []
    strays: list[str] = []

    def audit(event: str, args: tuple[Any, ...]) -> None:
        if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
            address = args[1] if len(args) > 1 else None
            where = tuple(address)[:2] if isinstance(address, tuple) else address
            if where is not None:
                seen.append((event, where))
        elif event in ("socket.getaddrinfo", "socket.gethostbyname", "subprocess.Popen"):
            seen.append((event, args[0]))

    sys.addaudithook(audit)
    threading.excepthook = lambda args: strays.append("".join(traceback.format_exception(args.exc_value))[-1500:])
    return seen, strays
