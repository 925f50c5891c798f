"""More processes change the time that a scan takes, and nothing else."""

from __future__ import annotations

from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import msgspec
import pytest

from plainview import workers
from plainview.pipeline import Options, Progress, scan
from plainview.reading import GROUP
from plainview.report import TargetReport

CANARY = "canary.7f3a@example.org"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """More small files than are read by one process, some of them damaged or of no kind."""
    for at in range(GROUP * (workers.WORTH + 2)):
        if at % 50 == 7:
            (tmp_path / f"f{at:04}.pdf").write_bytes(b"%PDF-1.7\n" + CANARY.encode())
        else:
            (tmp_path / f"f{at:04}.csv").write_text(f"mail,n\n{CANARY},{at}\nuser{at}@example.org,{at}\n")
    return tmp_path


def scanned(folder: Path, processes: int, progress: Progress | None = None) -> TargetReport:
    (report,) = scan(folder, options=Options(processes=processes), progress=progress).targets
    return report


def test_two_processes_give_the_report_of_one(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = []
    submit = workers.Workers.submit
    monkeypatch.setattr(workers.Workers, "submit", lambda self, *args: sent.append(1) or submit(self, *args))
    rows: list[int] = []
    count: list[int] = []
    two = scanned(folder, 2, Progress(on_rows=rows.append, on_bytes=count.append))
    assert sent
    one = scanned(folder, 1)
    assert two == one
    assert sum(rows) == one.coverage.rows_read
    assert sum(count) == one.coverage.bytes_read == sum(p.stat().st_size for p in folder.iterdir())
    assert len(one.coverage.skipped) > 5
    assert CANARY.encode() not in msgspec.json.encode(two)


def test_what_a_process_that_died_had_to_do_is_done_here(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def submit(*_: object) -> Future[object]:
        dead: Future[object] = Future()
        dead.set_exception(BrokenProcessPool())
        return dead

    monkeypatch.setattr(workers.Workers, "submit", submit)
    assert scanned(folder, 2) == scanned(folder, 1)


def test_systems_without_semaphores_read_with_one_process(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: object) -> None:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(workers.Workers, "__init__", none)
    assert scanned(folder, 2) == scanned(folder, 1)
