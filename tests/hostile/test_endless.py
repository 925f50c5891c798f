"""No listing without end, in any store: pages, marks and requests are counted, and what was cut is told."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

import plainview.stores
from plainview.errors import ProtocolError
from plainview.pipeline.options import Options
from plainview.pipeline.scanner import Scanner
from plainview.report.model import Report
from plainview.stores import open_source
from plainview.stores.base import NetworkSource, Verdict
from plainview.tables import ReadLog, Unit
from plainview.targets.parsing import parse_target
from plainview.targets.scope import Scope
from plainview.wire import WireLimits
from plainview.wire.limits import EACH_UNIT, READS

from .endless import CASES, made, missing, serving
from .run import address, unsafe

REQUESTS = 2_500  # of a scan of a store that says it holds three or five things, whatever it answers
ROWS = 4_000_000  # of a stream, with what lies in buffers on the way


@pytest.fixture(scope="module")
def scanner() -> Scanner:
    return Scanner(Options(threads=1))


def test_every_kind_of_store_has_such_a_server() -> None:
    assert not missing()


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_it_ends_and_says_so(kind: str, name: str, scanner: Scanner) -> None:
    endless = made(kind, name)
    with serving(endless) as port:
        target = parse_target(address(kind, port))
        scope = Scope().granting("try_mysql_root")
        source = open_source(target, scope=scope, network=WireLimits(idle=5.0))
        report = scanner.scan_source(source, str(target))
        source.close()
    assert not endless.gave_up
    assert endless.requests < REQUESTS
    assert endless.rows < ROWS
    whole = Report(targets=(report,))
    told = [line.why for line in report.coverage.skipped]
    assert whole.exit_status == 2
    assert any("not come to an end" in why or " came" in why for why in told), (told, report.exposure)
    assert report.exposure is not None
    assert report.exposure.state in ("reads", "writes", "admin", "lists"), report.exposure
    assert not unsafe(whole)


# -- what holds where a store forgets it ----------------------------------------------------------------


class Forgetful(NetworkSource):
    """A store that pages by itself, as the next one to be written may."""

    kind = "etcd"

    def ask(self, verdict: Verdict) -> None:
        verdict.saw("reads", "everybody reads")

    def pieces(self, log: ReadLog) -> Iterator[Unit]:
        with closing(self.wire.http()) as http:
            while True:
                http.ask("etcd.range", api="v3", start="", end="", limit=1, keys_only=False)
                yield from ()


def test_the_wire_ends_what_a_store_does_not() -> None:
    endless = made("etcd", "no keys")
    with serving(endless) as port:
        source = Forgetful(parse_target(f"etcd://127.0.0.1:{port}"))
        with pytest.raises(ProtocolError, match="not come to an end"):
            list(source.units(ReadLog()))
    assert endless.requests == READS
    assert READS > 10 * EACH_UNIT


# -- every walk in the code -----------------------------------------------------------------------------

SOURCES = Path(plainview.stores.__file__).parent
# Loops that send and are bounded by something else than a store's answer.
BOUNDED = {
    ("postgresql/access.py", "_start"): "each round tries another way to come in, of three",
    ("postgresql/copy.py", "__iter__"): "cuts what one COPY gives; who reads it counts the rows",
    ("redis/source.py", "_kind"): "one pipeline for so many of the keys that were listed",
}


def test_every_loop_that_sends_is_counted() -> None:
    """A `while` whose body leads to an exchange must ask a `Paging`, or stand in the list above."""
    trees = {path: ast.parse(path.read_text()) for path in sorted(SOURCES.rglob("*.py"))}
    unbounded, bounded = [], set()
    for path, tree in trees.items():
        sends = sending(tree)
        for function in ast.walk(tree):
            if not isinstance(function, ast.FunctionDef):
                continue
            loops = [node for node in ast.walk(function) if isinstance(node, ast.While)]
            if not any(calls(loop) & sends for loop in loops):
                continue
            place = (str(path.relative_to(SOURCES)), function.name)
            if place in BOUNDED:
                bounded.add(place)
            elif not counts(function):
                unbounded.append(place)
    assert not unbounded
    assert bounded == set(BOUNDED)  # no entry that is no longer needed


def calls(node: ast.AST) -> set[str]:
    """Return the names of all that is called below a node."""
    called = [each.func for each in ast.walk(node) if isinstance(each, ast.Call)]
    names = {each.id for each in called if isinstance(each, ast.Name)}
    return names | {each.attr for each in called if isinstance(each, ast.Attribute)}


SENDS = {"exchange", "ask", "ask_page", "stream", "query", "documents", "for_keys", "pipeline", "page", "rows", "pages"}


def sending(tree: ast.Module) -> set[str]:
    """Return what sends by one of the ways to speak, and the functions of a module that lead there."""
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    found = set(SENDS)
    while more := {each.name for each in functions if calls(each) & found} - found:
        found |= more
    return found


def counts(function: ast.FunctionDef) -> bool:
    """Tell whether a function asks a `Paging` about each of its pages."""
    called = [node.func for node in ast.walk(function) if isinstance(node, ast.Call)]
    asked = [each.value for each in called if isinstance(each, ast.Attribute) and each.attr in ("page", "came")]
    return any(getattr(each, "id", getattr(each, "attr", "")) in ("walk", "pages", "counted") for each in asked)
