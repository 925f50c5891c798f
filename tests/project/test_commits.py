"""Messages of commits: `area: verb what` in 72 characters, and a body that says why where the program changed."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FIRST = "house: move modules and tests into rooms"  # messages from here on follow the form
SUBJECT = re.compile(r"[a-z][a-z-]*(?:(?:, | )[a-z-]+)*: [a-z`][^\n]*[^.\n]")
LONGEST = 72
OLDER = frozenset({  # landed before this test
    "x",
    "wire: decode JSON answers in one place; tests: forgers before real servers",
    "scope: count the address that the packet goes to, look up listed names only",
    "wire, scope: ask nobody for localhost, allow what holds the outer address",
})  # fmt: skip


def git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout


def problems(subject: str, body: str, files: list[str]) -> list[str]:
    """Return what is wrong with a message."""
    found: list[str] = []
    if subject in OLDER:
        return found
    if not SUBJECT.fullmatch(subject):
        found.append("not of the form `area: verb what`")
    if len(subject) > LONGEST:
        found.append(f"longer than {LONGEST} characters")
    if any(file.startswith("src/") for file in files) and not body.strip():
        found.append("no body that says why")
    return found


def commits() -> list[tuple[str, str, str, list[str]]]:
    """Return hash, subject, body and files of each commit since FIRST."""
    if not shutil.which("git") or not (ROOT / ".git").exists():
        pytest.skip("there is no history here")
    first = git("log", "--format=%H", "--fixed-strings", f"--grep={FIRST}", "-1").strip()
    if not first:
        pytest.skip("the history does not reach back")
    found = []
    for entry in git("log", "--no-merges", "--name-only", "--format=%x01%h%x00%s%x00%b%x00", f"{first}..").split(
        "\x01"
    )[1:]:
        short, subject, body, files = entry.split("\0")
        found.append((short, subject, body, files.split()))
    return found


def test_messages_have_the_form() -> None:
    found = commits()
    assert [
        f"{short} {subject}: {wrong}" for short, subject, *rest in found for wrong in problems(subject, *rest)
    ] == []


@pytest.mark.parametrize(
    ("subject", "body", "file", "problem"),
    [
        ("wire: send secrets through one gate", "Because.", "src/a.py", ""),
        ("wire, scope: ask nobody", "", "tests/a.py", ""),
        ("dead code: drop what only tests used", "", "", ""),
        ("wip", "Because.", "", "form"),
        ("Wire: send", "", "", "form"),
        ("wire: Send", "", "", "form"),
        ("wire: send.", "", "", "form"),
        ("wire: " + "x" * 67, "", "", "longer"),
        ("wire: send", " \n", "src/a.py", "body"),
    ],
)
def test_the_check_sees_what_is_wrong(subject: str, body: str, file: str, problem: str) -> None:
    found = problems(subject, body, [file])
    assert [problem in text for text in found] == [True] * bool(problem)
