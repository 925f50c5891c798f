"""Shared by all tests: the command run as a user would, and the canary that no output may hold."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

CANARIES = ("canary.7f3a@example.org", "Canaria Vogelsang", "+49 30 90182357", "DE89370400440532013000")


def group_of(item: pytest.Item) -> str:
    """Return what one worker of xdist runs as a whole: a file, or of a file with servers the tests of one server."""
    server = getattr(getattr(item, "callspec", None), "params", {}).get("server")
    return f"{item.path.name} {server[0].name} {server[1]}" if isinstance(server, tuple) else item.path.name


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In a worker of xdist: group the tests so that each server is started once, and begin with what takes longest."""
    if not hasattr(config, "workerinput"):
        return
    for item in items:
        item.add_marker(pytest.mark.xdist_group(group_of(item)))

    def early(item: pytest.Item) -> int:
        return sum(item.get_closest_marker(mark) is not None for mark in ("slow", "servers"))

    items.sort(key=early, reverse=True)


@pytest.fixture(autouse=True)
def read_in_this_process(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `plainview.scan` start no workers, so that tests can look inside; the command starts them as always."""
    if not request.node.get_closest_marker("workers"):
        monkeypatch.setattr("plainview.pipeline.scan.available", lambda: False)


@contextmanager
def counted_calls() -> Iterator[list[int]]:
    """Count the calls of functions, Python's and C's: what costs too much shows in them on a busy machine, too."""
    calls = [0]

    def count(_frame: object, event: str, _argument: object) -> None:
        calls[0] += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        yield calls
    finally:
        sys.setprofile(before)


class Ran:
    """A finished run of the command."""

    def __init__(self, process: subprocess.CompletedProcess[str], report: str) -> None:
        self.status, self.out, self.err, self.report = process.returncode, process.stdout, process.stderr, report

    @property
    def everything(self) -> str:
        """Return all that the program let out."""
        return self.out + self.err + self.report


@pytest.fixture
def plainview(tmp_path: Path) -> Callable[..., Ran]:
    """Run `plainview ARGUMENTS` in a process of its own; with a format other than text the report is a file."""

    def run(*arguments: object, fmt: str = "text", cwd: Path | None = None) -> Ran:
        output = tmp_path / f"report.{fmt}"
        output.unlink(missing_ok=True)
        extra = [] if fmt == "text" else ["--format", fmt, "--output", str(output)]
        env = {**os.environ, "PYTHONWARNINGS": "default", "COLUMNS": "100"}
        command = [sys.executable, "-m", "plainview", *map(str, arguments), *extra]
        process = subprocess.run(command, capture_output=True, text=True, env=env, cwd=cwd, timeout=100, check=False)
        return Ran(process, output.read_text() if output.exists() else "")

    return run
