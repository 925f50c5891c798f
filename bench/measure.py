"""Whole processes against the clock: wall time, processor time and peak memory, as the kernel counts them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Run:
    """What one process, or the best of several, took: seconds, seconds of processor, bytes, and what it printed."""

    wall: float
    cpu: float
    memory: int
    output: str
    status: int


def run(command: Sequence[object], *, expect: Sequence[int] = (0,), cwd: object = None) -> Run:
    """Run a command to its end. Raises RuntimeError for an exit status that is not expected."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}  # byte code is cached
    start = time.perf_counter()
    process = subprocess.Popen(
        [str(part) for part in command], cwd=cwd, env=environment, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stdout.close()
    if process.returncode not in expect:
        raise RuntimeError(f"status {process.returncode}: {command}")
    unit = 1 if sys.platform == "darwin" else 1024
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit, output, process.returncode)


def best(runs: Sequence[Run]) -> Run:
    """Return the least of each figure."""
    return replace(
        runs[-1],
        wall=min(r.wall for r in runs),
        cpu=min(r.cpu for r in runs),
        memory=max(r.memory for r in runs),
    )


def compare(commands: Mapping[str, Sequence[object]], times: int, *, expect: Sequence[int] = (0, 1)) -> dict[str, Run]:
    """Run the commands in turn, so that what else the machine does meets all of them; return the best of each."""
    seen: dict[str, list[Run]] = {name: [] for name in commands}
    for command in commands.values():
        run(command, expect=expect)  # caches of files and of byte code are warm from here on
    for _ in range(times):
        for name, command in commands.items():
            seen[name].append(run(command, expect=expect))
    return {name: best(runs) for name, runs in seen.items()}
