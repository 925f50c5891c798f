"""What is piped in is read as a file of the same bytes would be, and is written nowhere."""

from __future__ import annotations

import gzip
import io
import json
import os
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import plainview
from conftest import CANARIES
from plainview.errors import UsageError
from plainview.files.source import FileSource
from plainview.files.standard_input import StandardInput
from plainview.tables import Limits, ReadLog
from planted import FILES

MIB = 1 << 20
PEOPLE = b"name,email\nAnna Muster,anna@example.org\nBob Beispiel,bob@example.org\n"


@contextmanager
def piped(data: bytes, step: int = MIB) -> Iterator[int]:
    """Give the reading end of a pipe into which the data is written in pieces."""
    reading, writing = os.pipe()

    def write() -> None:
        with os.fdopen(writing, "wb", buffering=0) as out:
            try:
                for at in range(0, len(data), step):
                    out.write(data[at : at + step])
            except BrokenPipeError:
                pass

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield reading
    finally:
        os.close(reading)
        thread.join()


def read(
    data: bytes, limits: Limits | None = None, *, told: str = "", step: int = MIB
) -> tuple[list[tuple[str, str, pl.DataFrame]], ReadLog, str]:
    """Return the tables as (name, kind, rows), what was told, and the kind."""
    log = ReadLog()
    with piped(data, step) as fd:
        source = StandardInput(fd, limits, told=told)
        found: dict[str, tuple[str, str, pl.DataFrame]] = {}
        for unit in source.units(log):
            for batch in source.read(unit, log):
                name, kind = batch.table.name, batch.table.kind
                before = [found[name][2]] if name in found else []
                found[name] = (name, kind, pl.concat([*before, batch.frame], how="diagonal_relaxed"))
        kind = source.kind
        source.close()
    return list(found.values()), log, kind


def of_file(path: Path) -> list[tuple[str, str, pl.DataFrame]]:
    source, log = FileSource(path), ReadLog()
    return [(b.table.name, b.table.kind, b.frame) for unit in source.units(log) for b in source.read(unit, log)]


@pytest.mark.parametrize("kind", FILES)
def test_every_format_gives_what_a_file_gives(kind: str, tmp_path: Path) -> None:
    data = FILES[kind][1]()
    (tmp_path / "stdin").write_bytes(data)
    told, log, of = read(data)
    expected = of_file(tmp_path / "stdin")
    assert [name for name, _, _ in told] == list(dict.fromkeys(name for name, _, _ in expected))
    assert sum(rows.height for *_, rows in told) == sum(rows.height for *_, rows in expected) > 0
    assert of == expected[0][1] or of == kind
    assert log.bytes_read == len(data)


@given(st.integers(1, 5000), st.integers(0, 400))
@settings(max_examples=20, deadline=None)
def test_no_row_is_lost_however_it_arrives(step: int, rows: int) -> None:
    data = b"id,email\n" + b"".join(b"%d,user%d@example.org\n" % (n, n) for n in range(rows + 2))
    ((_, _, frame),), log, _ = read(data, step=step)
    assert frame.height == rows + 2
    assert not log.skipped
    assert log.bytes_read == len(data)


def test_more_than_is_kept_streams_through() -> None:
    line = b"%07d,some text that fills the row,user@example.org\n"
    data = b"id,note,email\n" + b"".join(line % n for n in range(100_000))
    ((_, _, frame),), log, _ = read(data, Limits(memory=MIB))
    assert frame.height == 100_000
    assert not log.skipped


def test_a_packed_stream_and_an_archive_are_unpacked() -> None:
    ((name, kind, frame),), log, of = read(gzip.compress(PEOPLE))
    assert (name, kind, frame.height, of, log.skipped) == ("stdin", "csv", 2, "gzip", [])
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        info = tarfile.TarInfo("a/people.csv")
        info.size = len(PEOPLE)
        archive.addfile(info, io.BytesIO(PEOPLE))
    ((name, kind, frame),), log, _ = read(out.getvalue())
    assert (name, kind, frame.height, log.skipped) == ("stdin/a/people.csv", "csv", 2, [])


def test_a_format_that_must_be_sought_in_is_held_in_memory_or_told() -> None:
    out = io.BytesIO()
    pl.DataFrame({"email": [f"{os.urandom(30).hex()}@example.org" for _ in range(40_000)]}).write_parquet(out)
    assert len(out.getvalue()) > MIB
    ((_, _, frame),), log, _ = read(out.getvalue())
    assert frame.height == 40_000
    tables, log, _ = read(out.getvalue(), Limits(memory=MIB))
    assert tables == []
    assert any("--memory" in why for _, why in log.skipped)


def test_nothing_is_told_as_nothing() -> None:
    tables, log, _ = read(b"")
    assert tables == []
    assert log.skipped == [("stdin", "nothing came in")]


def test_a_bomb_is_stopped() -> None:
    _, log, _ = read(gzip.compress(b"a" * (40 * MIB)), Limits(ratio_floor=MIB))
    assert any("bomb" in why for _, why in log.skipped)


def test_the_kind_can_be_told_but_not_that_of_a_packer() -> None:
    odd = b"one word in a line\nand another\n"
    assert read(odd)[2] == "text"
    ((_, kind, _),), log, of = read(odd, told="csv")
    assert (kind, of, log.skipped) == ("csv", "csv", [])
    ((_, kind, _),), log, of = read(gzip.compress(odd), told="csv")
    assert (kind, of, log.skipped) == ("csv", "gzip", [])
    out = FILES["xlsx"][1]()
    assert read(out, told="xlsx")[0][0][1] == "xlsx"


def test_a_kind_that_is_wrong_is_told() -> None:
    tables, log, _ = read(PEOPLE, told="parquet")
    assert not tables
    assert log.skipped


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(UsageError, match="named twice"):
        plainview.scan("-", "-")
    with pytest.raises(UsageError, match=r"known: csv .* ods"):
        plainview.scan("-", options=plainview.Options(stdin_as="odd"))
    with pytest.raises(UsageError, match="name it as a target"):
        plainview.scan(".", options=plainview.Options(stdin_as="csv"))


def run(data: bytes, *arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "plainview", "scan", *arguments]
    return subprocess.run(command, input=data, capture_output=True, timeout=100, check=False, env=env)


def test_the_command_reads_it_in_a_worker_and_writes_nothing(tmp_path: Path) -> None:
    data = FILES["sql_dump"][1]()
    ran = run(data, "-", "--format", "json", env={**os.environ, "TMPDIR": str(tmp_path)})
    report = json.loads(ran.stdout)
    assert ran.returncode == 2  # a statement of it is broken
    (target,) = report["targets"]
    assert (target["target"], target["kind"]) == ("stdin", "sql_dump")
    assert target["tables"][0]["name"] == "stdin/people"
    assert "workers" in target["coverage"]["isolation"]
    assert not any(tmp_path.iterdir())
    assert not any(canary.encode() in ran.stdout + ran.stderr for canary in CANARIES)


def test_the_command_reads_a_folder_beside_it(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(PEOPLE)
    ran = run(PEOPLE, str(tmp_path), "-", "--format", "json")
    assert [t["coverage"]["rows_read"] for t in json.loads(ran.stdout)["targets"]] == [2, 2]
    assert ran.returncode == 1


def test_a_word_that_is_no_format_is_not_repeated() -> None:
    ran = run(b"", "-", "--as", "hunter2")
    assert ran.returncode == 64
    assert b"known: csv" in ran.stderr
    assert b"hunter2" not in ran.stderr


@pytest.mark.workers
def test_a_report_does_not_depend_on_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    reports = []
    for apart in (True, False):
        with piped(PEOPLE) as fd:
            monkeypatch.setattr("plainview.pipeline.apart._own", lambda _fd, here=fd: os.dup(here))
            monkeypatch.setattr("plainview.pipeline.scan.STDIN", fd)
            report = plainview.scan("-", options=plainview.Options(apart=apart))
        reports.append([(t.target, t.kind, t.tables) for t in report.targets])
    assert reports[0] == reports[1]
