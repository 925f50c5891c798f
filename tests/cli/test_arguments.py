"""What the command says of a line that it does not understand, and what it suggests."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import Ran
from plainview.cli import command
from plainview.version import __version__

Run = Callable[..., Ran]


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str, str]]:
    """Run a line in this process; give the status, what went to stdout, and the last line of stderr."""
    monkeypatch.setenv("PLAINVIEW_NATIVE_STDERR", "1")  # leave the descriptors of this process alone

    def run(*words: str) -> tuple[int, str, str]:
        try:
            status = command.run(words)
        except SystemExit as ended:
            status = int(ended.code or 0)
        out, err = capsys.readouterr()
        return status, out, (err.strip().splitlines() or [""])[-1]

    return run


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["exports/"], "plainview: the first word is no command (to scan something, write: plainview scan TARGET...)"),
        (["scna"], "plainview: no command of that name (did you mean: plainview scan?)"),
        (["Scan", "x"], "plainview: no command of that name (did you mean: plainview scan?)"),
        (["detector", "list"], "plainview: no command of that name (did you mean: plainview detectors?)"),
        (["help"], "plainview: no command of that name (write: plainview --help)"),
        (
            ["-f", "json", "scan", "x"],
            "plainview: options stand behind the command (write: plainview scan [options] TARGET...)",
        ),
        (["scan", "x", "--formt", "json"], "plainview: argument 3 is no option (did you mean --format?)"),
        (["scan", "x", "--credential"], "plainview scan: argument --credentials: needs a value"),
        (["scan", "x", "--json"], "plainview: argument 3 is no option (see plainview scan --help)"),
        (
            ["scan", "x", "--password=a"],
            "plainview: argument 3 is no option (a user and a secret are put into a file: --credentials FILE)",
        ),
        (["detectors", "list", "x"], "plainview: argument 3 is one too many (see plainview detectors --help)"),
        (
            ["scan", "x", "-f", "pdf"],
            "plainview scan: argument -f/--format: not one of: edpb, html, json, notification, text",
        ),
        (["scan", "x", "--rate", "much"], "plainview scan: argument --rate: not a size (write 500m or 2g)"),
        (["scan", "x", "--threads", "0"], "plainview scan: argument --threads: not a number above 0"),
        (["scan", "x", "--file-seconds", "nan"], "plainview scan: argument --file-seconds: not a number of seconds"),
        (["scan", "x", "-o"], "plainview scan: argument -o/--output: needs a value"),
        (["scan", "x", "--quiet=yes"], "plainview scan: argument -q/--quiet: takes no value"),
        (["scan", "x", "--m", "1"], "plainview scan: an option that could be short for several"),
        (["detectors", "find"], "plainview detectors: argument list|explain|test: not one of: list, explain, test"),
        (["detectors", "explain"], "plainview detectors explain: the following arguments are required: name"),
        (["detectors", "explain", "iban_x"], "plainview: no detector of that name (see `plainview detectors list`)"),
        (["scan", "es://h"], "plainview: unknown kind of store (did you mean elasticsearch://? known: "),
        (["scan", "a.csv", "redis://h:x"], "plainview: target 2: not an address of a redis store (write redis://"),
        (["scan", "jdbc:mysql://h/d"], "plainview: an address for JDBC (write it without jdbc:, as in postgresql:"),
    ],
)
def test_messages(words: list[str], message: str, said: Callable[..., tuple[int, str, str]]) -> None:
    status, out, last = said(*words)
    assert (status, out) == (64, "")
    assert last.startswith(message)


def test_a_folder_that_is_named_like_a_command_mistyped_is_to_be_scanned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: Callable[..., tuple[int, str, str]]
) -> None:
    (tmp_path / "scans").mkdir()
    monkeypatch.chdir(tmp_path)
    assert said("scans")[2].endswith("(to scan something, write: plainview scan TARGET...)")


@pytest.mark.parametrize("option", ["-V", "--version"])
def test_version(option: str, said: Callable[..., tuple[int, str, str]]) -> None:
    assert said(option) == (0, f"plainview {__version__}\n", "")


def test_what_could_not_be_opened_is_said_on_stderr_too(tmp_path: Path, plainview: Run) -> None:
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    ran = plainview("scan", tmp_path / "a.csv", tmp_path / "nowhere.csv", fmt="json")
    assert ran.status == 2
    assert (
        ran.err
        == f"plainview: file:{tmp_path}/nowhere.csv: cannot look at the target: not found (is the path right?)\n"
    )
    assert plainview("scan", tmp_path / "a.csv").err == ""


def test_the_help_loads_nothing_that_it_does_not_need() -> None:
    code = (
        "import sys\nfrom plainview.cli import command\n"
        "try:\n    command.run(['--help'])\nexcept SystemExit:\n    pass\n"
        "print(sorted(name for name in sys.modules if name.startswith('plainview')), file=sys.stderr)\n"
        "print(*{'polars', 'numpy', 'socket', 'ssl', 'difflib', 'inspect', 'dataclasses', 'threading'} & set(sys.modules), file=sys.stderr)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    names, others = ran.stderr.splitlines()
    ours = ["plainview", "plainview.cli", "plainview.cli.arguments", "plainview.cli.command", "plainview.errors"]
    assert (names, others) == (str([*ours, "plainview.version"]), "")
