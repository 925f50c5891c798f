"""Files read by workers, as the command does it: the same report, whatever dies, and a small parent."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

import plainview
from plainview.errors import DetectorError
from plainview.pipeline.apart import isolation
from plainview.pipeline.options import Options
from plainview.report.model import Report
from plainview.workers.messages import Confined

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.workers


def same(report: Report) -> object:
    """Return a report without what differs between two runs."""
    targets = [
        msgspec.structs.replace(target, coverage=msgspec.structs.replace(target.coverage, isolation=""))
        for target in report.targets
    ]
    return msgspec.structs.replace(report, started="", finished="", targets=tuple(targets))


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_workers_and_this_process_give_the_same_report(threads: int) -> None:
    targets = ROOT / "examples", ROOT / "examples" / "customers.csv"
    apart, inside = (plainview.scan(*targets, options=Options(threads=threads, apart=apart)) for apart in (True, False))
    assert apart.found
    assert "Read by workers" in apart.targets[0].coverage.isolation
    assert same(apart) == same(inside)


def test_the_sample_of_workers_is_the_sample_of_this_process(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("id,email\n" + "".join(f"{n},a{n}@example.org\n" for n in range(5000)))
    one, other = (plainview.scan(path, options=Options(sample=100, apart=apart)) for apart in (True, False))
    assert same(one) == same(other)
    assert one.targets[0].tables[0].rows_read == 100


def test_a_bad_detector_is_an_error_and_not_a_death(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text("category = 'nothing'\n")
    with pytest.raises(DetectorError, match="bad"):
        plainview.scan(ROOT / "examples" / "customers.csv", options=Options(detectors=(tmp_path,)))


def test_the_parent_loads_no_data_library(tmp_path: Path) -> None:
    code = (
        "import sys, plainview\n"
        f"report = plainview.scan({str(ROOT / 'examples')!r})\n"
        "assert report.found\n"
        "print([m for m in ('polars', 'numpy', 're2', 'lxml', 'fastexcel', 'fastavro', 'sqlite3') if m in sys.modules])\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=100)
    assert ran.stdout == "[]\n"


def test_a_reader_that_grows_is_ended_and_its_neighbour_read(tmp_path: Path) -> None:
    """A JSON object of one long list in one line is held in memory as a whole."""
    (tmp_path / "innocent.csv").write_text(
        "name,email\n" + "".join(f"Anna Weber,a{n}@example.org\n" for n in range(50))
    )
    with (tmp_path / "large.json").open("w") as file:
        file.write('{"a": {"b": [')
        for _ in range(40):
            file.write(",".join(f'{{"k{n % 5000}": "{n:0120}"}}' for n in range(10_000)) + ",")
        file.write("0]}}")
    report = plainview.scan(tmp_path, options=Options(memory_total=200 << 20))
    (target,) = report.targets
    assert [table.rows for table in target.tables if table.name == "innocent.csv"] == [50]
    (told,) = target.coverage.skipped
    assert told.what == "large.json"
    why, _, before = told.why.partition("; ")
    assert why == "it needed more than 200 MiB (raise --memory-total)"
    assert before in ("", "what was counted before counts")  # as far as it came
    assert report.exit_status == 2


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read from /proc")
def test_the_parent_stays_small(tmp_path: Path) -> None:
    """Peak memory of the command itself, its workers aside: far below what the data libraries take."""
    code = (
        "import re\nfrom plainview.cli.command import run\n"
        f"status = run(['scan', {str(ROOT / 'examples')!r}, '-q', '-f', 'json', '-o', {str(tmp_path / 'r.json')!r}])\n"
        "print(status, re.search(r'VmHWM:\\s+([0-9]+) kB', open('/proc/self/status').read())[1])\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=100)
    status, peak = map(int, ran.stdout.split())
    assert status == 2
    assert peak < 100_000  # KiB; with Polars alone it would be 120,000
    assert json.loads((tmp_path / "r.json").read_text())["targets"]


def test_no_process_is_left(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    plainview.scan(tmp_path)
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_what_does_not_hold_is_said() -> None:
    assert isolation(None) == ""
    assert isolation(Confined(seccomp=False, landlock=0, missing=("this kernel has no Landlock",))) == (
        "Read by workers; this kernel has no Landlock."
    )


def test_a_wide_table_without_rows_is_counted_with_its_own_file(tmp_path: Path) -> None:
    """So that a deadline, which counts for one file, blames the right one."""
    from plainview.files.source import FileSource
    from plainview.pipeline.reading import Reading
    from plainview.pipeline.scanner import Scanner
    from plainview.tables import ReadLog

    (tmp_path / "narrow.csv").write_text("a,b\n1,2\n")
    (tmp_path / "wide.csv").write_text(",".join(f"c{n}" for n in range(9_000)) + "\n")
    source = FileSource(tmp_path)
    waits = {}
    for unit in source.units(ReadLog()):
        reading = Reading(Scanner().shared)
        reading.unit(source, unit)
        waits[unit.name] = len(reading.waiting)
    assert waits == {"narrow.csv": 1, "wide.csv": 0}
