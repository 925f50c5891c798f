"""Shared by all tests: the command run as a user would, and the canary that no output may hold."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

CANARIES = ("canary.7f3a@example.org", "Canaria Vogelsang", "+49 30 90182357", "DE89370400440532013000")


def group_of(item: pytest.Item) -> str:
    """Return what one worker of xdist runs as a whole: a file, or its tests of one server or of one `split`."""
    params = getattr(getattr(item, "callspec", None), "params", {})
    server, split = params.get("server"), item.get_closest_marker("split")
    if isinstance(server, tuple):
        return f"{item.path.name} {server[0].name} {server[1]}"
    return f"{item.path.name} {params[split.args[0]]}" if split else item.path.name


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In a worker of xdist: group the tests so that each server is started once, and mix those that wait with others.

    Tests with real servers wait for them most of the time: beside each of their groups stands one that computes,
    what takes longest first.
    """
    if not hasattr(config, "workerinput"):
        return
    groups: dict[str, list[pytest.Item]] = {}
    for item in items:
        item.add_marker(pytest.mark.xdist_group(name := group_of(item)))
        groups.setdefault(name, []).append(item)

    def has(mark: str) -> list[str]:
        return [name for name, tests in groups.items() if any(test.get_closest_marker(mark) for test in tests)]

    waiting = has("servers")
    first = [*has("slow"), *has("split")]
    computing = sorted(set(groups) - set(waiting), key=[*first, *groups].index)
    mixed = [name for pair in itertools.zip_longest(waiting, computing) for name in pair if name]
    items[:] = [item for name in mixed for item in groups[name]]


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

    def __init__(self, status: int, out: str, err: str, report: str) -> None:
        self.status, self.out, self.err, self.report = status, out, err, report

    @property
    def everything(self) -> str:
        """Return all that the program let out."""
        return self.out + self.err + self.report


@pytest.fixture
def plainview(tmp_path: Path) -> Callable[..., Ran]:
    """Run `plainview ARGUMENTS` in a process of its own; with a format other than text the report is a file."""

    def run(*arguments: object, fmt: str = "text", cwd: Path | None = None) -> Ran:
        output, extra = report_of(tmp_path, fmt)
        env = {**os.environ, "PYTHONWARNINGS": "default", "COLUMNS": "100"}
        command = [sys.executable, "-m", "plainview", *map(str, arguments), *extra]
        ran = subprocess.run(command, capture_output=True, text=True, env=env, cwd=cwd, timeout=100, check=False)
        return Ran(ran.returncode, ran.stdout, ran.stderr, output.read_text() if output.exists() else "")

    return run


@pytest.fixture
def plainview_here(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Ran]:
    """Run the command as the fixture `plainview` does, but in this process, which costs a tenth.

    It is for what the command finds in arguments, environment and files; how it starts and ends needs a process.
    """
    from plainview.cli.command import main

    monkeypatch.setenv("PLAINVIEW_NATIVE_STDERR", "1")  # pytest has put its own there

    def run(*arguments: object, fmt: str = "text") -> Ran:
        output, extra = report_of(tmp_path, fmt)
        monkeypatch.setenv("COLUMNS", "100")
        capsys.readouterr()
        status = main([*map(str, arguments), *extra])
        return Ran(status, *capsys.readouterr(), output.read_text() if output.exists() else "")

    return run


def report_of(folder: Path, fmt: str) -> tuple[Path, list[str]]:
    """Return the file in which a report will be, and the arguments that put it there; none for text."""
    output = folder / f"report.{fmt}"
    output.unlink(missing_ok=True)
    return output, [] if fmt == "text" else ["--format", fmt, "--output", str(output)]
