"""Standard streams that are closed, full or given up: no traceback, nothing in the wrong place, the right status."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = f"{shlex.quote(sys.executable)} -m plainview"
HARMLESS = "id,sku\n" + "".join(f"{n},SKU-{n}\n" for n in range(40))
PEOPLE = "id,email\n" + "".join(f"{n},anna{n}@example.org\n" for n in range(40))
BAD = "plainview: cannot write the report: Bad file descriptor\n"


def shell(line: str, folder: Path) -> tuple[int, str, str]:
    ran = subprocess.run(["sh", "-c", line], cwd=folder, capture_output=True, text=True, timeout=100, check=False)
    return ran.returncode, ran.stdout, ran.stderr


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "harmless.csv").write_text(HARMLESS)
    (tmp_path / "people.csv").write_text(PEOPLE)
    return tmp_path


@pytest.mark.parametrize(("file", "status"), [("harmless.csv", 0), ("people.csv", 1), ("nowhere.csv", 2)])
@pytest.mark.parametrize("closed", ["", ">&-", "2>&-", "<&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_closed_streams_do_not_change_the_status_of_a_report_that_is_written(
    folder: Path, file: str, status: int, closed: str
) -> None:
    ran = shell(f"{COMMAND} scan {file} -f json -o report.json {closed}", folder)
    assert ran[0] == status
    assert ran[1] == ""
    assert "Traceback" not in ran[2]
    assert (folder / "report.json").read_text().startswith("{")


@pytest.mark.parametrize("file", ["harmless.csv", "people.csv"])
@pytest.mark.parametrize("closed", [">&-", "<&- >&-"])
def test_a_report_to_a_closed_stream_is_not_written(folder: Path, file: str, closed: str) -> None:
    assert shell(f"{COMMAND} scan {file} {closed}", folder) == (73, "", BAD)


def test_what_is_for_stderr_goes_nowhere_else_when_that_is_closed(folder: Path) -> None:
    status, out, _ = shell(f"{COMMAND} scan nowhere.csv 2>&-", folder)
    assert (status, "plainview: " in out) == (2, False)
    assert out.startswith("plainview 0")
    assert shell(f"{COMMAND} scan 2>&-", folder)[:2] == (64, "")
    assert shell(f"{COMMAND} nonsense 2>&-", folder)[:2] == (64, "")


@pytest.mark.parametrize(
    "words", ["--help", "--version", "scan --help", "detectors list", "detectors explain email_address"]
)
@pytest.mark.parametrize("where", [">&-", "> /dev/full"])
@pytest.mark.parametrize("buffered", ["", "1"])
def test_what_cannot_be_printed_is_told(
    folder: Path, words: str, where: str, buffered: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONUNBUFFERED", buffered)
    if "full" in where and not Path("/dev/full").exists():
        pytest.skip("no device that is always full")
    status, _, err = shell(f"{COMMAND} {words} {where}", folder)
    assert status == 73
    assert err.startswith("plainview: cannot write to the standard output: ")
    assert err.count("\n") == 1


def test_a_reader_that_goes_away_is_no_fault(folder: Path) -> None:
    line = f"{{ {COMMAND} detectors list; echo $? >&2; }} | head -1"
    status, out, err = shell(line, folder)
    assert (status, out.count("\n")) == (0, 1)
    assert err in ("73\n", "0\n")  # the pipe may have taken all before it was closed


def test_the_next_file_does_not_become_a_standard_stream(folder: Path) -> None:
    code = (
        "from plainview.cli.native import open_standard_streams\nimport os\nopen_standard_streams()\n"
        "opened = os.open('harmless.csv', os.O_RDONLY)\nopen('seen', 'w').write(str(opened))\n"
    )
    shell(f"{shlex.quote(sys.executable)} -c {shlex.quote(code)} <&- >&- 2>&-", folder)
    assert int((folder / "seen").read_text()) > 2
