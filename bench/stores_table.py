"""The table of STORES.md; what is written below its mark by hand is kept."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

MARK = "<!-- below: written by hand -->"
MUST, AIM = 1.5, 1.1
HEAD = """\
# Scanning stores

Written by `bench/stores.py`; the command of each line stands below. {about}

A whole scan (the stranger's question, listing, reading, matching) against the store's own fastest export: they run
in turn, each in a process of its own, and the least of the runs counts. Taken off: the interpreter's start-up, imports,
and making the detectors ready (`ready`). Servers on loopback share the processors with the client and with whatever
else ran (load). So the ratio is what counts; beside it stands that of all processor seconds, client and server
together, which other work hardly moves. Promise: at most {must}; aim: {aim}. `reading` is plainview's reader with no
matching behind it. All rows are invented (`make_data.py`): ten columns, seven of them personal, about 210 bytes a row.

| store | rows | its fastest export | export, s | scan, s | ratio | | of cpu | rows/s | reading, s | cpu s of scan: client + server | of reading | of export | ready, cpu s | peak, MB | columns right | false | load |
|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|
"""  # noqa: E501


def both(run: dict[str, float]) -> float:
    """Return the processor seconds of client and server."""
    return run["cpu"] + run["served"]


def line(found: dict[str, Any]) -> str:
    jobs = dict(found["jobs"])
    scan, read = jobs.pop("scan"), jobs.pop("read")
    best = min((job for job in jobs if job not in found["extra"]), key=lambda job: jobs[job]["seconds"])
    ratio = scan["seconds"] / jobs[best]["seconds"]
    cells = [
        f"{found['server']} {found['version'].rstrip('.')}".strip(),
        f"{found['rows']:,}",
        best,
        f"{jobs[best]['seconds']:.2f}",
        f"{scan['seconds']:.2f}",
        f"{ratio:.2f}",
        "aim" if ratio <= AIM else "must" if ratio <= MUST else "**missed**",
        f"{both(scan) / both(jobs[best]):.2f}",
        f"{found['rows'] / scan['seconds']:,.0f}",
        f"{read['seconds']:.2f}",
        *(f"{run['cpu']:.2f} + {run['served']:.2f}" for run in (scan, read, jobs[best])),
        f"{found['ready'][1]:.2f}",
        f"{scan['memory'] / 1e6:.0f}",
        f"{found['right']} of 7",
        str(found["false"]),
        f"{found['load']:.0f}",
    ]
    return "| " + " | ".join(cells) + " |\n"


def others(found: dict[str, Any]) -> str:
    """Return the exports that were slower, and those that do more than an export."""
    scan = found["jobs"]["scan"]["seconds"]
    rest = {job: run for job, run in found["jobs"].items() if job not in ("scan", "read")}
    told = (f"{job} {run['seconds']:.2f} s (scan ÷ it {scan / run['seconds']:.2f})" for job, run in rest.items())
    return f"* {found['server']}: {'; '.join(told)}. `{found['command']}`, least of {found['times']}.\n"


def write(path: Path, lines: list[dict[str, Any]]) -> None:
    """Write the file."""
    from importlib.metadata import version

    names = ("polars", "pymongo", "redis", "msgspec")
    versions = ", ".join(f"{name} {version(name)}" for name in names)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    about = (
        f"plainview {version('plainview')}, {versions}, Python {platform.python_version()}; "
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GB."
    )
    kept = path.read_text(encoding="utf-8").partition(MARK)[2] if path.exists() else "\n"
    parts = [HEAD.format(about=about, must=MUST, aim=AIM), *map(line, lines), "\nAll exports:\n\n"]
    path.write_text("".join([*parts, *map(others, lines), "\n", MARK, kept]), encoding="utf-8")
