#!/usr/bin/env python3
"""Seed the invented city, let plainview look at it, and hold the report against the truth.

    python bench/twin/run.py [--scale 1.0] [--from elasticsearch|postgresql|folder] [--time]

Prints a table; ends with 1 where a line misses. With --time, the scan is timed against an export of the same documents.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parents[1])]

import msgspec  # noqa: E402
from city import City  # noqa: E402
from compare import Line, compared  # noqa: E402
from indices import INDICES  # noqa: E402
from make import write  # noqa: E402
from seed import filled  # noqa: E402

from measure import compare, run  # noqa: E402
from plainview.report.model import Report  # noqa: E402
from plainview.report.render import render  # noqa: E402

FORMATS = ("text", "html", "edpb", "notification")
PLAINVIEW = (sys.executable, "-m", "plainview")
RATIO = 1.25  # the time of a scan to that of an export, at most


def scan(target: str, folder: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """Scan a target; return its report, and every rendering of it by format."""
    report = folder / "report.json"
    run([*PLAINVIEW, "scan", target, "-f", "json", "-o", report], expect=(0, 1, 2))
    made = {"json": report.read_text("utf-8")}
    model = msgspec.json.decode(made["json"], type=Report)
    for name in FORMATS:
        made[name] = render(model, name, **({"verbose": True} if name == "text" else {}))
    return json.loads(made["json"]), made


def exports(port: int) -> list[str]:
    """Return the words that export every index of Elasticsearch by scroll."""
    return [sys.executable, str(HERE / "export.py"), f"http://127.0.0.1:{port}"]


def table(lines: list[Line]) -> Iterator[str]:
    yield f"{'':2} {'what':44} {'truth':>24}  found"
    for line in lines:
        yield f"{'ok' if line.right else '--'} {line.what:44} {line.truth:>24}  {line.found}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument(
        "--from", dest="kind", choices=("elasticsearch", "postgresql", "folder"), default="elasticsearch"
    )
    parser.add_argument("--time", action="store_true")
    parser.add_argument("--keep", type=Path, help="a folder for the reports")
    options = parser.parse_args()
    city = City(options.scale)
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        if options.kind == "folder":
            files = write(Path(temporary) / "dumps", city)
            report, texts = scan(str(Path(temporary) / "dumps"), folder)
            lines = compared(city, report, texts, files)
        else:
            with filled(options.kind, city) as server:
                report, texts = scan(server.url, folder)
                known = {
                    index.name: ("public." if options.kind == "postgresql" else "") + index.name for index in INDICES
                }
                lines = compared(city, report, texts, known, state="admin")
                if options.time and options.kind == "elasticsearch":
                    lines.append(timed(server))
    print("\n".join(table(lines)))
    sys.exit(not all(line.right for line in lines))


def timed(server: Any) -> Line:
    """Return how long a scan takes beside an export by scroll, the least of three each, in turn."""
    jobs = {"scan": [*PLAINVIEW, "scan", server.url, "-f", "json", "-o", "/dev/null"], "scroll": exports(server.port)}
    done = compare(jobs, 3, expect=(0, 1, 2))
    ratio = done["scan"].wall / done["scroll"].wall
    found = (
        f"{ratio:.2f} (scan {done['scan'].wall:.1f} s, CPU {done['scan'].cpu:.1f} s, "
        f"{done['scan'].memory / 1e6:.0f} MB; scroll {done['scroll'].wall:.1f} s, CPU {done['scroll'].cpu:.1f} s)"
    )
    return Line("time of the scan ÷ time of an export by scroll", f"at most {RATIO}", found, ratio <= RATIO)


if __name__ == "__main__":
    main()
