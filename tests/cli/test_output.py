"""`-o`: what is read is never written over, no link is followed, a report is whole or is not there."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from plainview.cli import command, output
from plainview.cli.output import Output, Protected
from plainview.errors import UsageError
from plainview.targets.parsing import parse_target

CSV = "id,sku\n" + "".join(f"{n},SKU-{n}\n" for n in range(40))
DETECTOR = (
    'label = "badge"\ncategory = "employee_id"\nnames = ["badge"]\nname_matches = ["badge"]\nname_non_matches = ["x"]\n'
)
Run = Callable[..., tuple[int, str]]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder, which is the working folder, with all that a run can read."""
    folder = tmp_path / "ex ports"
    (folder / "deep" / "er").mkdir(parents=True)
    for number, name in enumerate(("c.csv", "deep/d.csv", "deep/er/e.csv")):
        (folder / name).write_text(CSV + "\n" * number)  # no two the same, or one is a copy
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/badge.toml").write_text(DETECTOR)
    (tmp_path / "plainview.toml").write_text(f'targets = ["{folder}/c.csv"]\n')
    (tmp_path / "credentials.toml").write_text('[[credential]]\ntarget = "redis://h"\npassword = "x"\n')
    (tmp_path / "credentials.toml").chmod(0o600)
    for name in (".pgpass", ".my.cnf", ".aws/credentials"):
        (tmp_path / "home/.aws").mkdir(parents=True, exist_ok=True)
        (tmp_path / "home" / name).write_text("x")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for variable in ("PGPASSFILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.delenv(variable, raising=False)
    (tmp_path / "link.csv").symlink_to(folder / "c.csv")
    (tmp_path / "linked").symlink_to(folder)
    os.link(folder / "c.csv", tmp_path / "hard.csv")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PLAINVIEW_NATIVE_STDERR", "1")
    return tmp_path


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    def go(*words: str) -> tuple[int, str]:
        try:
            status = command.run(words)
        except SystemExit as ended:
            status = int(ended.code or 0)
        return status, "".join(capfd.readouterr())

    return go


def state(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


OVER = {
    "plain path": (["ex ports/c.csv"], "ex ports/c.csv"),
    "path with a dot": (["ex ports/c.csv"], "./ex ports/../ex ports/./c.csv"),
    "file: address": (["file:ex ports/c.csv"], "ex ports/c.csv"),
    "file:// address": (["file://{here}/ex%20ports/c.csv"], "ex ports/c.csv"),
    "file:///, percent": (["file://{here}/ex%20ports/%63.csv"], "ex ports/c.csv"),
    "file://localhost": (["file://localhost{here}/ex%20ports/c.csv"], "{here}/ex ports/c.csv"),
    "blank before": ([" ex ports/c.csv"], "ex ports/c.csv"),
    "blanks around": (["  ex ports/c.csv\n"], "ex ports/c.csv"),
    "second target": (["ex ports/deep/d.csv", "ex ports/c.csv"], "ex ports/c.csv"),
    "hard link as target": (["hard.csv"], "ex ports/c.csv"),
    "hard link as output": (["ex ports/c.csv"], "hard.csv"),
    "link as target": (["link.csv"], "ex ports/c.csv"),
    "link as output": (["ex ports/c.csv"], "link.csv"),
    "linked folder in the output": (["ex ports/c.csv"], "linked/c.csv"),
    "linked folder in the target": (["linked/c.csv"], "ex ports/c.csv"),
    "inside of a folder": (["ex ports"], "ex ports/c.csv"),
    "deep inside of a folder": (["ex ports/"], "ex ports/deep/er/e.csv"),
    "inside of a linked folder": (["linked"], "ex ports/deep/d.csv"),
    "inside by a linked folder": (["ex ports"], "linked/deep/d.csv"),
    "hard link to what is inside": (["ex ports"], "hard.csv"),
    "inside of the working folder": (["."], "ex ports/c.csv"),
    "target of the scope": (["--scope", "plainview.toml"], "ex ports/c.csv"),
    "the scope": (["ex ports/c.csv", "--scope", "plainview.toml"], "plainview.toml"),
    "the credentials": (["ex ports/c.csv", "--credentials", "credentials.toml"], "./credentials.toml"),
    "what psql reads": (["ex ports/c.csv"], "home/.pgpass"),
    "what mysql reads": (["ex ports/c.csv"], "home/.my.cnf"),
    "what aws reads": (["ex ports/c.csv"], "home/.aws/credentials"),
    "a detector": (["ex ports/c.csv", "--detectors", "mine"], "mine/badge.toml"),
    "any link": (["ex ports/c.csv"], "link.csv"),
}


@pytest.mark.parametrize("form", OVER)
def test_what_is_read_is_never_written_over(form: str, place: Path, run: Run) -> None:
    words, out = OVER[form]
    before = state(place)
    status, shown = run("scan", *(word.format(here=place) for word in words), "-o", out.format(here=place))
    assert status == 64, shown
    assert state(place) == before
    assert (place / "link.csv").is_symlink()


@pytest.mark.parametrize("end", output.BESIDE)
def test_the_logs_of_a_database_belong_to_it(tmp_path: Path, end: str) -> None:
    (tmp_path / "a.db").write_text("x")
    (tmp_path / f"a.db{end}").write_text("x")
    protected = Protected.of([parse_target(str(tmp_path / "a.db"))], (), ())
    with pytest.raises(UsageError, match="overwrite"):
        Output(str(tmp_path / f"a.db{end}"), protected)


@pytest.mark.parametrize("out", ["", "ex ports/", "ex ports", ".", "..", "nowhere/r.txt"])
def test_a_report_needs_the_name_of_a_file_in_a_folder(out: str, place: Path, run: Run) -> None:
    before = state(place)
    status, shown = run("scan", "ex ports/c.csv", "-o", out)
    assert status == (64 if out else 0), shown
    assert state(place) == before


@pytest.mark.parametrize("mask", [0o022, 0o000, 0o277])
def test_a_report_is_for_its_owner_only_and_leaves_nothing_beside(place: Path, run: Run, mask: int) -> None:
    before = os.umask(mask)
    try:
        status, _ = run("scan", "ex ports/c.csv", "-f", "json", "-o", "r.json")
    finally:
        os.umask(before)
    assert status == 0
    assert stat.S_IMODE(Path("r.json").stat().st_mode) == 0o600
    assert Path("r.json").read_text().startswith("{")
    assert sorted(os.listdir()) == sorted(
        ["credentials.toml", "ex ports", "hard.csv", "home", "link.csv", "linked", "mine", "plainview.toml", "r.json"]
    )


def test_an_older_report_is_replaced_as_a_whole(place: Path, run: Run) -> None:
    old = place / "r.txt"
    old.write_text("old " * 10_000)
    old.chmod(0o644)
    with old.open() as reading:
        assert run("scan", "ex ports/c.csv", "-o", "r.txt")[0] == 0
        assert reading.read() == "old " * 10_000  # who reads the old one keeps it
    assert "old" not in old.read_text()
    assert stat.S_IMODE(old.stat().st_mode) == 0o600


def test_a_new_report_inside_of_a_scanned_folder_is_not_part_of_the_scan(place: Path, run: Run) -> None:
    status, _ = run("scan", "ex ports", "-o", "ex ports/report.txt")
    assert status == 0
    report = (place / "ex ports/report.txt").read_text()
    assert "3 of 3 tables" in report
    assert "report.txt" not in report
    assert ".plainview" not in report


def test_nothing_half_written_is_kept(place: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("r.txt").write_text("old")

    def full(descriptor: int) -> None:
        assert [name for name in os.listdir() if name.endswith(".tmp")]
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(output.os, "fsync", full)
    before = state(place)
    status, shown = run("scan", "ex ports/c.csv", "-o", "r.txt")
    assert (status, shown.strip()) == (73, "plainview: cannot write r.txt: No space left on device")
    assert state(place) == before


def _appears_link(place: Path) -> None:
    (place / "r.txt").symlink_to(place / "ex ports/c.csv")


def _appears_file(place: Path) -> None:
    (place / "ex ports/new.csv").write_text(CSV)


@pytest.mark.parametrize(("appears", "out"), [(_appears_link, "r.txt"), (_appears_file, "ex ports/new.csv")])
def test_what_appears_while_it_scans_stays(
    place: Path, run: Run, monkeypatch: pytest.MonkeyPatch, appears: Callable[[Path], None], out: str
) -> None:
    written = output.written

    def late(*arguments: object) -> bool:
        appears(place)
        return written(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(output, "written", late)
    status, shown = run("scan", "ex ports", "-o", out)
    assert status == 73
    assert "cannot write" in shown
    assert (place / "ex ports/c.csv").read_text() == CSV
    assert not Path(out).exists() or Path(out).read_text() == CSV
    assert not [name for name in os.listdir() if name.endswith(".tmp")]


def test_a_folder_that_is_swapped_for_a_link_meanwhile_gets_no_report(
    place: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder is the one that was looked at: what is put in its place later is not written into."""
    (place / "out").mkdir()
    (place / "victim").mkdir()
    chosen = output.chosen

    def swapped(*arguments: object) -> object:
        found = chosen(*arguments)  # type: ignore[arg-type]
        (place / "out").rename(place / "moved")
        (place / "out").symlink_to(place / "victim")
        return found

    monkeypatch.setattr(output, "chosen", swapped)
    run("scan", "ex ports/c.csv", "-o", "out/r.txt")
    assert os.listdir(place / "victim") == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_to_is_told_before_the_scan(place: Path, run: Run) -> None:
    (place / "locked").mkdir(mode=0o555)
    status, shown = run("scan", "ex ports/c.csv", "-o", "locked/r.txt")
    assert (status, "no permission" in shown) == (64, True)


def test_a_pipe_and_a_device_can_be_written_to(place: Path, run: Run) -> None:
    os.mkfifo("pipe")
    reading = os.open("pipe", os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert run("scan", "ex ports/c.csv", "-o", "pipe")[0] == 0
        assert os.read(reading, 10_000).startswith(b"plainview")
    finally:
        os.close(reading)
    assert stat.S_ISFIFO(Path("pipe").lstat().st_mode)
    assert run("scan", "ex ports/c.csv", "-o", os.devnull)[0] == 0
    assert stat.S_ISCHR(Path(os.devnull).stat().st_mode)


def test_a_dash_is_the_standard_output(place: Path, run: Run) -> None:
    status, shown = run("scan", "ex ports/c.csv", "-o", "-")
    assert (status, "No personal data found" in shown) == (0, True)
    assert not Path("-").exists()


def test_protected_knows_all_that_was_named() -> None:
    targets: Sequence[str] = ("a.csv", "redis://h")
    made = Protected.of(map(parse_target, targets), [Path("scope")], [Path("mine")])
    assert {str(path) for path in made.files} == {"a.csv", *(f"a.csv{end}" for end in output.BESIDE), "scope"}
    assert made.folders == (Path("mine"),)
