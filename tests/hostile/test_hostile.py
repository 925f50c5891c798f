"""Every attack on every kind of store: no crash, no hang, no packet elsewhere, no value out, and no false verdict."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from plainview import catalog

from .attacks import REFUSALS
from .run import kinds
from .stores import STORES

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
OPEN = {"lists", "reads", "writes", "admin"}
SURE = {"proved", "probable"}
SECONDS = 12.0  # twelve scans share the machine; the limits of one are about 3 s
MEGABYTES = 300


def run(*arguments: str) -> list[dict[str, Any]]:
    """Run attacks in a process of their own; return its lines."""
    command = [sys.executable, "-X", "faulthandler", "-m", "tests.hostile", *arguments]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "Traceback" not in done.stderr, done.stderr[-3000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


@cache
def everything() -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Run all attacks once for all tests."""
    *results, process = run(*(["--all"] if os.environ.get("PLAINVIEW_HOSTILE") == "all" else []))
    return results, process


@pytest.fixture(scope="module", autouse=True)
def attacked() -> None:
    """Make all attacks before the first test, whose time limit is that of a test; a fixture has none."""
    everything()


def of(kind: str) -> list[dict[str, Any]]:
    found = [result for result in everything()[0] if result["kind"] == kind and result["attack"] != "honest"]
    assert len(found) > 50
    return found


def told(results: list[dict[str, Any]], *keys: str) -> list[str]:
    return [f"{r['kind']} | {r['attack']} | " + " | ".join(str(r[key]) for key in keys) for r in results]


KINDS = pytest.mark.parametrize("kind", kinds())


def test_every_store_that_exists_is_attacked() -> None:
    assert {"redis", "memcached", "etcd", "elasticsearch", "fingerprint"} <= set(kinds()) <= set(catalog.ours())


@pytest.mark.parametrize("kind", sorted(set(STORES) & set(kinds())))
def test_the_fake_stores_are_good_enough(kind: str) -> None:
    """Else the twists would attack nothing: each is read to its end, and its canary is found."""
    honest = next(r for r in everything()[0] if r["kind"] == kind and r["attack"] == "honest")
    assert (honest["state"], honest["found"]) == (STORES[kind].state, True), honest
    assert honest["requests"] > honest["asked"] > 2
    assert not honest["foreign"]
    assert not honest["unsafe"]


@KINDS
def test_no_error_but_our_own(kind: str) -> None:
    assert not told([r for r in of(kind) if r["foreign"]], "foreign")


@KINDS
def test_no_hang(kind: str) -> None:
    assert not told([r for r in of(kind) if r["seconds"] > SECONDS], "seconds")


@KINDS
def test_never_unreachable(kind: str) -> None:
    """All of them take connections."""
    assert not told([r for r in of(kind) if r["state"] == "unreachable"], "state", "evidence")


@KINDS
def test_never_closed_by_guess(kind: str) -> None:
    """ "auth_required, proved" only where the server said so in its own words."""
    closed = [r for r in of(kind) if (r["state"], r["confidence"]) == ("auth_required", "proved")]
    assert not told([r for r in closed if r["attack"].split()[-1] not in REFUSALS], "state", "evidence")


@KINDS
def test_what_is_no_store_is_not_called_open(kind: str) -> None:
    blunt = [r for r in of(kind) if r["attack"].startswith("blunt")]
    assert not told([r for r in blunt if r["state"] in OPEN and r["confidence"] in SURE], "state", "evidence")


@KINDS
def test_never_clean(kind: str) -> None:
    """Nothing of this ends with the exit status for "looked at everything and found nothing"."""
    assert not told([r for r in of(kind) if r["exit"] not in (1, 2)], "state", "exit")


@KINDS
def test_half_an_answer_is_not_the_whole(kind: str) -> None:
    """A conversation that broke off is never called complete, and never worse or better than what it proved."""
    honest = {r["kind"]: r for r in everything()[0] if r["attack"] == "honest"}
    cut = [r for r in of(kind) if r["attack"].startswith(("half", "dies"))]
    assert bool(cut) == (kind in STORES)
    assert not told([r for r in cut if r["exit"] != 2], "state", "exit")
    order = ["unknown", "auth_required", "reachable_metadata", "lists", "reads", "writes", "admin"]
    most = order.index(honest[kind]["state"]) if cut else 0
    assert not told([r for r in cut if order.index(r["state"]) > most], "state")


@KINDS
def test_nothing_of_theirs_comes_out(kind: str) -> None:
    """No value, no escape, no markup in any rendering."""
    assert not told([r for r in of(kind) if r["unsafe"]], "unsafe")


def test_no_packet_elsewhere() -> None:
    _, process = everything()
    assert process["connections"] > 1000
    assert process["elsewhere"] == []


def test_no_thread_died() -> None:
    assert everything()[1]["strays"] == []


def test_memory_with_the_usual_limits() -> None:
    """Bombs and floods while reading, where the limits are widest; one after the other, each measured."""
    words = "bulk-endless,length,bomb,endless,row,items,chunk-huge,json-deep,json-many,copy,nested,xml-deep"
    only = ",".join(f"reading {word}" for word in words.split(","))
    *results, _ = run("--workers", "1", "--full", "--only", only)
    assert len(results) > 50
    assert not told([r for r in results if r["peak"] > MEGABYTES], "peak", "seconds")


def test_the_docs_name_every_attack() -> None:
    text = (ROOT / "docs" / "hostile-servers.md").read_text()
    count = re.search(r"about\s([0-9,]+)\sattacks", text)
    assert count
    assert len(everything()[0]) >= 0.7 * int(count[1].replace(",", ""))
