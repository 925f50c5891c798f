"""The whole command over files: what it says, what it leaves alone, how it ends."""

from __future__ import annotations

import gc
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import jsonschema
import polars as pl
import pytest

from conftest import CANARIES, Ran
from plainview.errors import DetectorError
from plainview.files.encodings import blocks as encodings
from plainview.matching import large
from plainview.matching.batches import TableProfiler
from plainview.pipeline.engine import Engine
from plainview.pipeline.scan import scan
from plainview.pipeline.scanner import Options, Scanner
from plainview.report.render import REPORTS
from plainview.report.render.json_ import schema
from plainview.tables import Batch, ReadLog, Table, Unit
from plainview.testing import FakeSource
from planted import plant

Run = Callable[..., Ran]


def harmless(path: Path) -> None:
    rows = "\n".join(f"SKU-{i},{i * 1.5},{i % 7}" for i in range(100, 140))
    path.write_text("sku,price,stock\n" + rows + "\n")


def people(path: Path) -> None:
    rows = "\n".join(f"{i},user{i}@example.org" for i in range(40))
    path.write_text("id,email\n" + rows + "\n")


@pytest.mark.parametrize("fmt", REPORTS)
def test_no_value_is_ever_let_out(tmp_path: Path, plainview: Run, fmt: str) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    plant(folder)
    ran = plainview("scan", folder, "-v", fmt=fmt)
    assert ran.status == 2, ran.err
    assert "Traceback" not in ran.err
    for canary in (*CANARIES, "canary", "Canaria", "Vogelsang", "7f3a"):
        assert canary not in ran.everything, canary
    assert "e-mail address" in ran.everything or "email_address" in ran.everything


def test_no_value_is_left_in_a_temporary_file(tmp_path: Path, plainview: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, temporary = tmp_path / "in", tmp_path / "tmp"
    folder.mkdir()
    temporary.mkdir()
    plant(folder)
    monkeypatch.setenv("TMPDIR", str(temporary))
    plainview("scan", folder)
    assert list(temporary.rglob("*")) == []


def snapshot(folder: Path) -> dict[str, tuple[object, ...]]:
    seen: dict[str, tuple[object, ...]] = {}
    for path in sorted([folder, *folder.rglob("*")]):
        status = path.stat()  # before our own reading, which must not count
        digest = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
        quiet = path.is_file() and path.suffix != ".duckdb"  # which its library opens: docs/formats.md says so
        seen[str(path)] = (digest, status.st_mtime_ns, status.st_atime_ns if quiet else 0, status.st_size)
    return seen


def test_it_only_reads(tmp_path: Path, plainview: Run) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    plant(folder)
    before = snapshot(folder)
    plainview("scan", folder)
    after = snapshot(folder)
    assert before == after


@pytest.mark.parametrize(
    ("make", "status"),
    [((harmless,), 0), ((people,), 1), ((harmless, people), 1)],
)
def test_exit_status(tmp_path: Path, plainview: Run, make: tuple[Callable[[Path], None], ...], status: int) -> None:
    for number, maker in enumerate(make):
        maker(tmp_path / f"{number}.csv")
    assert plainview("scan", tmp_path).status == status


@pytest.mark.parametrize("with_people", [False, True])
def test_exit_status_admits_what_was_not_read(tmp_path: Path, plainview: Run, with_people: bool) -> None:
    (people if with_people else harmless)(tmp_path / "a.csv")
    (tmp_path / "broken.json").write_text("{")
    ran = plainview("scan", tmp_path)
    assert ran.status == 2
    assert "NOT EXAMINED: broken.json" in ran.out


@pytest.mark.parametrize(
    "arguments", [["scan"], ["nonsense"], ["scan", "--format", "pdf", "x"], ["scan", "gopher://x"]]
)
def test_wrong_use_ends_with_64(plainview: Run, arguments: list[str]) -> None:
    ran = plainview(*arguments)
    assert ran.status == 64
    assert ran.err.startswith(("usage:", "plainview:"))
    assert "Traceback" not in ran.err


def test_a_path_that_is_not_there_is_told(plainview: Run) -> None:
    ran = plainview("scan", "/no/such/file")
    assert ran.status == 2
    assert "NOT EXAMINED" in ran.out


def test_a_password_in_an_address_is_never_repeated(plainview: Run) -> None:
    ran = plainview("scan", "gopher://anna:s3cr3t-canary@example.org/x")
    assert "s3cr3t" not in ran.everything


def test_json_follows_the_published_schema(tmp_path: Path, plainview: Run) -> None:
    people(tmp_path / "a.csv")
    ran = plainview("scan", tmp_path, fmt="json")
    report = json.loads(ran.report)
    jsonschema.validate(report, schema())
    (table,) = report["targets"][0]["tables"]
    assert (table["name"], table["rows"], table["rows_read"]) == ("a.csv", 40, 40)
    (column,) = table["columns"]
    assert (column["path"], column["category"], column["matched"], column["checked"]) == (
        "email",
        "email_address",
        40,
        40,
    )


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_two_runs_agree_with_any_number_of_threads(threads: int) -> None:
    examples = Path(__file__).parents[2] / "examples"
    first, second = scan(examples), scan(examples, options=Options(threads=threads))
    assert first.targets == second.targets


def test_a_bad_target_does_not_end_the_run(tmp_path: Path, plainview: Run) -> None:
    people(tmp_path / "a.csv")
    ran = plainview("scan", tmp_path / "a.csv", "redis://127.0.0.1:1")
    assert ran.status == 2
    assert "e-mail address" in ran.out
    assert "NOT EXAMINED" in ran.out or "NOT REACHED" in ran.out


def test_a_panic_of_a_library_ends_one_file_and_not_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A panic of Rust code is no Exception of Python; what it hit is told, the others are read."""
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text(f"email,{name[0]}\nanna@example.org,1\n")
    flat = TableProfiler.flat

    def panics(self: TableProfiler, frame: pl.DataFrame) -> pl.DataFrame:
        if self.table == "a.csv":
            raise pl.exceptions.PanicException("anna@example.org")
        return flat(self, frame)

    monkeypatch.setattr(TableProfiler, "flat", panics)
    report = scan(tmp_path)
    coverage = report.targets[0].coverage
    assert [(s.what, "anna" in s.why) for s in coverage.skipped] == [("a.csv", False)]
    assert [t.name for t in report.targets[0].tables if t.columns] == ["b.csv"]
    assert report.exit_status == 2


@pytest.mark.parametrize("stage", ["hash", "count"])
@pytest.mark.parametrize("which", [0, 2, 4])
def test_a_batch_that_fails_is_told_and_the_others_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: str, which: int
) -> None:
    """Batches are hashed and counted while later ones are read: what fails then is told as well, and once."""
    path = tmp_path / "people.csv"
    path.write_text("n,email\n" + "".join(f"{n},anna{n}@example.org\n" for n in range(15_000)))
    monkeypatch.setattr(encodings, "BLOCK", 1 << 16)
    met: list[int] = []
    original = getattr(large.LargeColumn, stage)

    def fails(self: large.LargeColumn) -> object:
        if self.path == "n":
            met.append(len(self.series))
            if len(met) == which + 1:
                raise pl.exceptions.PanicException("anna@example.org")
        return original(self)

    monkeypatch.setattr(large.LargeColumn, stage, fails)
    [target] = scan(path, options=Options(threads=1)).targets
    assert len(target.coverage.skipped) == 1
    assert "anna" not in str(target.coverage.skipped)
    [table] = target.tables
    # up to two batches behind it were underway, and count
    assert sum(met[:which]) <= table.rows_read <= 15_000 - met[which]
    assert table.rows_read > 0 or which == 0


def test_detectors_that_cannot_be_loaded_stop_the_run_before_anything_is_read(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text('label = "x"')
    with pytest.raises(DetectorError):
        scan(tmp_path, options=Options(detectors=(tmp_path,)))


@pytest.mark.parametrize("fault", ["judge", "tags"])
def test_a_fault_while_a_table_is_judged_is_told_and_the_others_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    for name in ("a.csv", "b.csv"):
        rows = (f"{n},anna{n}@example.org\n" for n in range(3000))
        (tmp_path / name).write_text(f"{name[0]},email\n" + "".join(rows))
    if fault == "judge":
        judge = Engine.judge

        def fails(self: Engine, table: str, profile: object) -> object:
            return judge(self, table, None if table == "a.csv" else profile)  # type: ignore[arg-type]

        monkeypatch.setattr(Engine, "judge", fails)
    else:
        finish = TableProfiler.finish

        def broken(self: TableProfiler) -> None:
            finish(self)
            if self.table == "a.csv" and not told:
                told.append(self.table)
                raise ValueError("anna@example.org")

        told: list[str] = []
        monkeypatch.setattr(TableProfiler, "finish", broken)
    report = scan(tmp_path)
    [target] = report.targets
    assert [(s.what, "anna" in s.why) for s in target.coverage.skipped] == [("a.csv", False)]
    assert [(t.name, t.rows_read) for t in target.tables] == [("a.csv", 3000), ("b.csv", 3000)]
    assert target.tables[1].columns
    assert report.exit_status == 2


def test_many_tables_of_one_unit_do_not_all_wait_in_memory() -> None:
    """What is underway of one table is counted before the next table begins."""
    gc.collect()  # what faults of the tests before left in circles of tracebacks
    alive: list[int] = []

    class Many(FakeSource):
        def units(self, log: ReadLog) -> Iterator[Unit]:
            yield Unit("all")

        def read(self, unit: Unit, log: ReadLog, sample: int | None = None) -> Iterator[Batch]:
            for table in range(12):
                for _ in range(3):
                    alive.append(sum(isinstance(made, large.Underway) for made in gc.get_objects()))
                    yield Batch(Table(f"t{table}", "many"), pl.DataFrame({"n": [f"{n} x" for n in range(2100)]}))

    report = Scanner(Options(threads=1, families=False)).scan_source(Many({}), "many")
    assert [t.rows_read for t in report.tables] == [6300] * 12
    assert max(alive) <= 3
