"""The words and the exit status that a user meets when something in the command is wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import Ran

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
def test_a_detector_that_cannot_work_is_refused_before_anything_is_read(
    tmp_path: Path, plainview: Run, words: str
) -> None:
    (tmp_path / "mine").mkdir()
    file = tmp_path / "mine" / "badge.toml"
    file.write_text(BAD[words])
    for arguments in (("scan", tmp_path, "--detectors", tmp_path / "mine"), ("detectors", "test", file)):
        ran = plainview(*arguments)
        assert ran.status == (1 if arguments[0] == "detectors" and "must match" in words else 64)
        assert words in ran.err
        assert "Traceback" not in ran.err
        assert "Verdict" not in ran.out


def test_a_folder_without_detectors_is_not_taken_for_one(tmp_path: Path, plainview: Run) -> None:
    (tmp_path / "a.csv").write_text("a\n1\n")
    for folder in (tmp_path, tmp_path / "missing", tmp_path / "a.csv"):
        ran = plainview("scan", tmp_path / "a.csv", "--detectors", folder)
        assert (ran.status, "no detector files" in ran.err) == (64, True)


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


@pytest.mark.parametrize(
    "option",
    [
        ("--file-seconds", "0"),
        ("--file-seconds", "nan"),
        ("--file-seconds", "x"),
        ("--unpacked", "0"),
        ("--memory", "0.1"),
        ("--memory", "5x"),
    ],
)
def test_limits_are_numbers_above_0(tmp_path: Path, plainview: Run, option: tuple[str, str]) -> None:
    ran = plainview("scan", tmp_path, *option)
    assert ran.status == 64
    assert f"{option[0]}: not a" in ran.err


def test_a_report_never_overwrites_what_it_is_about(tmp_path: Path, plainview: Run) -> None:
    data = tmp_path / "a.csv"
    data.write_text("email\nanna@example.org\n")
    for name in (data, f"file:{data}", f"file://{data}"):
        assert plainview("scan", name, "-o", data).status == 64
    assert data.read_text() == "email\nanna@example.org\n"
