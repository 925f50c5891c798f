"""The words and the exit status that a user meets when something in the command is wrong."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import Ran
from plainview.cli import command as cli
from plainview.cli import detectors as explain
from plainview.cli.command import _colors, seconds, size
from plainview.cli.detectors import require_usable
from plainview.errors import UsageError

Run = Callable[..., Ran]
GOOD = """
label = "badge"
category = "employee_id"
pattern = '[A-Z]{2}-[0-9]{5}'
matches = ["BX-10442"]
non_matches = ["BX-1"]
"""
BAD = {
    "unknown check 'lun'": GOOD + 'check = "lun"\n',
    "no vocabulary 'x'": GOOD.replace("pattern = '[A-Z]{2}-[0-9]{5}'", 'vocabulary = "x"'),
    "a pattern does not compile": GOOD.replace("[A-Z]", "(?=A)"),
    "must match: 'BX-10442'": GOOD.replace("{5}", "{6}"),
    "unknown category 'badges'": GOOD.replace("employee_id", "badges"),
    "needs examples": GOOD.replace('non_matches = ["BX-1"]', ""),
}


@pytest.mark.parametrize("words", BAD)
def test_a_detector_that_cannot_work_is_refused(tmp_path: Path, words: str) -> None:
    (tmp_path / "badge.toml").write_text(BAD[words])
    with pytest.raises(UsageError, match=re.escape(words)):
        require_usable([tmp_path])


def test_it_is_refused_before_anything_is_read(tmp_path: Path, plainview: Run) -> None:
    file = tmp_path / "badge.toml"
    file.write_text(BAD["a pattern does not compile"])
    for arguments in (("scan", tmp_path, "--detectors", tmp_path), ("detectors", "test", file)):
        ran = plainview(*arguments)
        assert ran.status == 64
        assert ran.err.startswith(f"plainview: {file}: a pattern does not compile")
        assert "Traceback" not in ran.err
        assert ran.out == ""


def test_examples_that_fail_are_listed(tmp_path: Path, plainview: Run) -> None:
    file = tmp_path / "badge.toml"
    file.write_text(BAD["must match: 'BX-10442'"])
    ran = plainview("detectors", "test", file)
    assert (ran.status, ran.out) == (1, f"{file}: 1 of 2 examples hold\n")
    assert "must match: 'BX-10442'" in ran.err


def test_a_detector_that_is_not_there(tmp_path: Path, plainview: Run) -> None:
    ran = plainview("detectors", "test", tmp_path / "none.toml")
    assert ran.status == 64
    assert ran.err == f"plainview: no file {tmp_path / 'none.toml'}\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_report_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,email\n1,a@example.org\n")
    with Path("/dev/full").open("wb") as full:
        command = [sys.executable, "-m", "plainview", "scan", str(tmp_path / "a.csv")]
        ran = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert ran.returncode == 73
    assert ran.stderr == "plainview: cannot write the report: No space left on device\n"


class Panic(BaseException):
    """As pyo3 raises them."""


@pytest.mark.parametrize("error", [ValueError, MemoryError, Panic, RecursionError])
def test_what_nobody_expected_is_told_without_its_text(
    error: type[BaseException], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(*_: object) -> int:
        raise error("canary.7f3a@example.org")

    monkeypatch.setattr(explain, "run_detectors", fails)
    assert cli.run(["detectors", "list"]) == 70
    told = capsys.readouterr().err
    assert re.fullmatch(rf"plainview: could not go on: {error.__name__} at plainview\.cli\.command:[0-9]+\n", told)


def test_colors_are_for_terminals_that_want_them() -> None:
    assert _colors({"TERM": "xterm", "NO_COLOR": ""}, terminal=True)
    for environment in ({"TERM": "dumb"}, {"NO_COLOR": "1"}):
        assert not _colors(environment, terminal=True)
    assert not _colors({"TERM": "xterm"}, terminal=False)


def test_a_folder_without_detectors_is_not_taken_for_one(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a\n1\n")
    for folder in (tmp_path, tmp_path / "missing", tmp_path / "a.csv"):
        with pytest.raises(UsageError, match="no detector files"):
            require_usable([folder])


def test_a_detector_of_ones_own_is_used(tmp_path: Path, plainview: Run) -> None:
    (tmp_path / "mine").mkdir()
    named = 'names = ["badge"]\nname_matches = ["badge_no"]\nname_non_matches = ["badger"]\n'
    (tmp_path / "mine" / "badge.toml").write_text(GOOD + named)
    (tmp_path / "staff.csv").write_text("badge,x\n" + "".join(f"BX-{n},1\n" for n in range(10_000, 10_060)))
    ran = plainview("scan", tmp_path / "staff.csv", "--detectors", tmp_path / "mine")
    assert "employee number: badge" in ran.out


def test_no_command_is_wrong_use_and_never_0(plainview: Run) -> None:
    ran = plainview()
    assert (ran.status, ran.out) == (64, "")
    assert "usage: plainview" in ran.err


@pytest.mark.parametrize("text", ["0", "nan", "x", "-1", "inf", "1e400"])
def test_seconds_are_above_0(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="not a number of seconds"):
        seconds(text)


@pytest.mark.parametrize("text", ["0", "0.1", "5x", "", "m", "-5m", "nan", "inf"])
def test_sizes_are_above_0(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="not a size"):
        size(text)


def test_sizes() -> None:
    assert [size(text) for text in ("1", "1k", "1.5m", "2g", "2GB", "1T")] == [
        1,
        1024,
        3 << 19,
        2 << 30,
        2 << 30,
        1 << 40,
    ]


def test_a_report_never_overwrites_what_it_is_about(tmp_path: Path, plainview: Run) -> None:
    data = tmp_path / "a.csv"
    data.write_text("email\nanna@example.org\n")
    ran = plainview("scan", data, "-o", data)
    assert (ran.status, "overwrite" in ran.err) == (64, True)
    assert data.read_text() == "email\nanna@example.org\n"


def test_explaining_a_detector_fits_a_terminal_and_says_how_rare_it_is(plainview: Run) -> None:
    ran = plainview("detectors", "explain", "national_id_de_insurance")
    assert ran.status == 0
    assert max(map(len, ran.out.splitlines())) <= 80
    assert ran.out.splitlines()[-1].startswith("passes by chance")
    near = plainview("detectors", "explain", "iban")
    assert (near.status, "near: " in near.err) == (64, True)
