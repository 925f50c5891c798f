"""Ctrl-C and SIGTERM end the real command, whatever it is in the middle of.

Times are generous bounds: the promise is two seconds, and a busy machine may take some.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import pty
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from servers.fake import fake, silent

SOON = 8.0  # seconds
SIGNALS = {signal.SIGINT: 130, signal.SIGTERM: 143}

# The command, with a reader of files that never comes back: `sleep` is called in C, with or without the lock of the
# interpreter, after Polars was used. It says on a descriptor of its own that it is there.
STUCK = """
import ctypes, os, sys
from plainview.cli import command
from plainview.files import reading

class Reader:
    @staticmethod
    def read(source, log):
        import polars as pl
        pl.DataFrame({"a": [1, 2, 3] * 1000}).lazy().group_by("a").len().collect()
        os.write(int(sys.argv[-1]), b"x")
        ctypes.LIBRARY(None).sleep(100)
        yield

reading.reader = lambda kind: Reader
words = sys.argv[1:-1]
if "inside" in words:
    words.remove("inside")
    import plainview.pipeline.scan
    plainview.pipeline.scan.available = lambda: False
run = command.run
command.run = lambda argv: run(words)
command.main()
"""


@contextmanager
def started(*command: str, **more: object) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)  # type: ignore[call-overload]
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def scan_of(port: int) -> list[str]:
    return ["scan", f"redis://127.0.0.1:{port}"]


def until(what: Callable[[], object], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it never came so far"
        time.sleep(0.02)


def ends(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Send a signal; the process must end soon, with its status, its one line and a report of what is finished."""
    process.send_signal(number)
    out, err = process.communicate(timeout=SOON)
    assert process.returncode == SIGNALS[number]
    assert err == b"plainview: stopped\n"
    told = " ".join(out.decode().split())
    if not told:
        return  # a busy machine had no time for it; what it holds is tested below
    assert "the run was stopped before it was read to its end" in told
    assert told.endswith("NOT EXAMINED names the rest.")


def children(pid: int) -> list[int]:
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("threads", ["1", "2"])
def test_a_silent_store(number: signal.Signals, threads: str) -> None:
    with fake(silent) as (port, seen), started("-m", "plainview", *scan_of(port), "--threads", threads) as process:
        until(lambda: seen)
        ends(process, number)


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("threads", ["1", "2"])
@pytest.mark.parametrize("library", ["CDLL", "PyDLL"])
def test_a_worker_in_native_code(tmp_path: Path, number: signal.Signals, threads: str, library: str) -> None:
    _stuck(tmp_path, number, STUCK.replace("LIBRARY", library), "--threads", threads)


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("threads", ["1", "2"])
def test_a_thread_of_this_process_in_native_code(tmp_path: Path, number: signal.Signals, threads: str) -> None:
    """With one thread it is the main thread, in which no handler can run."""
    _stuck(tmp_path, number, STUCK.replace("LIBRARY", "CDLL"), "--threads", threads, "inside")


def _stuck(folder: Path, number: signal.Signals, code: str, *words: str) -> None:
    for name in ("a.csv", "b.csv"):
        (folder / name).write_text("a,b\n1,2\n" * 100_000)
    there, mark = os.pipe()
    try:
        with started("-c", code, "scan", str(folder), *words, str(mark), pass_fds=[mark]) as process:
            assert os.read(there, 1) == b"x"
            below = children(process.pid)
            ends(process, number)
            until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in below))
    finally:
        os.close(there)
        os.close(mark)


@pytest.mark.parametrize("number", SIGNALS)
def test_deep_json(tmp_path: Path, number: signal.Signals) -> None:
    (tmp_path / "deep.json.gz").write_bytes(gzip.compress(b"[" * (17 << 20)))
    (tmp_path / "big.csv").write_text("id,mail\n" + "1,a@example.org\n" * 3_000_000)
    with started("-m", "plainview", "scan", str(tmp_path)) as process:
        until(lambda: children(process.pid))
        time.sleep(1)  # any moment will do
        ends(process, number)


@pytest.mark.parametrize("number", SIGNALS)
def test_while_its_modules_are_loaded(number: signal.Signals) -> None:
    code = (
        "import os, runpy, signal, sys\n"
        "class Stop:\n    def find_spec(self, name, path=None, target=None):\n"
        f"        if name == 'plainview.cli.command': os.kill(os.getpid(), {int(number)})\n"
        "sys.meta_path.insert(0, Stop())\nsys.argv = ['plainview', 'scan', 'x']\n"
        "runpy.run_module('plainview', run_name='__main__')\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60, check=False)
    assert (ran.returncode, ran.stderr) == (SIGNALS[number], b"plainview: stopped\n")


def test_a_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    """Whatever the report of what is finished waits for: here for somebody who reads it."""
    (tmp_path / "a.csv").write_text("a,b\n" + "1,2\n" * 20_000_000)
    os.mkfifo(tmp_path / "out")
    code = "from plainview.cli import command, stopping\nstopping._SECONDS = 100\ncommand.main()\n"
    command = ("-c", code, "scan", str(tmp_path / "a.csv"), "-o", str(tmp_path / "out"))
    with started(*command) as process:
        until(lambda: children(process.pid))
        time.sleep(0.5)  # it reads
        process.send_signal(signal.SIGINT)
        time.sleep(1)
        assert process.poll() is None
        ended = time.monotonic()
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=SOON)
        assert time.monotonic() - ended < SOON
        assert (process.returncode, err) == (143, b"plainview: stopped\n")


@pytest.mark.parametrize("form", ["text", "json", "html"])
def test_what_was_finished_is_told(tmp_path: Path, form: str) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "a.csv").write_text("id,mail\n" + "1,anna@bluewin.ch\n" * 100_000)
    (data / "b.csv").write_text("id,mail\n" + "1,anna@bluewin.ch\n" * 9_000_000)
    (tmp_path / "c.csv").write_text("x\n")
    words = ["scan", str(data), str(tmp_path / "c.csv"), "-f", form, "-o", str(tmp_path / "r"), "--threads", "1"]
    code = (  # says where it is, since the progress of a run without a terminal is not drawn
        "import os, sys\nfrom plainview.cli import command\nfrom plainview.pipeline import apart\n"
        "real = apart.Apart._began\n"
        "def began(self, piece):\n    os.write(1, piece.name[-5:].encode())\n    real(self, piece)\n"
        "apart.Apart._began = began\nfrom plainview.cli import stopping\nstopping._SECONDS = 60\ncommand.main()\n"
    )
    with started("-c", code, *words) as process:
        assert process.stdout is not None
        assert process.stdout.read(10) == b"a.csvb.csv"
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=60)[1] == b"plainview: stopped\n"
        assert process.returncode == 130
    report = (tmp_path / "r").read_text()
    assert (tmp_path / "r").stat().st_mode & 0o777 == 0o600
    assert "a.csv" in report
    assert "stopped" in report
    if form == "json":
        made = json.loads(report)
        assert made["stopped"] is True
        first, second = made["targets"]
        assert [(table["name"], table["rows_read"]) for table in first["tables"]] == [("a.csv", 100_000)]
        assert [column["category"] for column in first["tables"][0]["columns"]] == ["email_address"]
        assert "stopped" in first["coverage"]["skipped"][0]["why"]
        assert "stopped" in second["coverage"]["skipped"][0]["why"]


def test_a_second_signal_changes_nothing_of_the_end() -> None:
    with fake(silent) as (port, seen), started("-m", "plainview", *scan_of(port)) as process:
        until(lambda: seen)
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=SOON)
        assert process.returncode in SIGNALS.values()
        assert err == b"plainview: stopped\n"


def test_nobody_reads_what_it_says() -> None:
    """A pipe that is full, and a terminal that is stopped, do not hold it."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with contextlib.suppress(BlockingIOError):
        while os.write(writing, b"x" * 4096):
            pass
    os.set_blocking(writing, True)
    try:
        with fake(silent) as (port, seen):
            command = [sys.executable, "-m", "plainview", *scan_of(port)]
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=writing)
            until(lambda: seen)
            process.send_signal(signal.SIGINT)
            assert process.wait(SOON) == 130
    finally:
        process.kill()
        os.close(reading)
        os.close(writing)


def test_a_signal_that_was_ignored_stays_ignored(tmp_path: Path) -> None:
    """As under nohup, or in the background of a script."""
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    code = (
        "import os, signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "from plainview.cli import command, stopping\nreal = command.run_scan\n"
        "def run(args):\n    os.kill(os.getpid(), signal.SIGINT)\n    return real(args)\n"
        "command.run_scan = run\ncommand.main()\n"
    )
    ran = subprocess.run([sys.executable, "-c", code, "scan", str(tmp_path)], capture_output=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, b"")


@pytest.mark.parametrize("number", SIGNALS)
def test_a_report_that_is_half_written_is_removed(tmp_path: Path, number: signal.Signals) -> None:
    data = tmp_path / "a.csv"
    data.write_text("a,b\n1,2\n")
    code = (
        "import os, sys, time\nfrom plainview.cli import command, output\n"
        "def slow(descriptor):\n    os.write(1, b'x')\n    time.sleep(100)\n"
        "output.os.fsync = slow\ncommand.main()\n"
    )
    with started("-c", code, "scan", str(data), "-o", str(tmp_path / "r.txt")) as process:
        assert process.stdout is not None
        assert process.stdout.read(1) == b"x"
        assert [name for name in os.listdir(tmp_path) if name.endswith(".tmp")]
        process.send_signal(number)
        assert process.communicate(timeout=SOON) == (b"", b"plainview: stopped\n")
        assert process.returncode == SIGNALS[number]
    assert os.listdir(tmp_path) == ["a.csv"]


def test_the_terminal_is_left_as_it_was() -> None:
    """The line of progress is wiped, and the cursor shown again."""
    own, terminal = pty.openpty()
    try:
        with fake(silent) as (port, seen):
            command = [sys.executable, "-m", "plainview", *scan_of(port)]
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=terminal)
            until(lambda: seen)
            process.send_signal(signal.SIGINT)
            assert process.wait(SOON) == 130
        shown = b""
        while select.select([own], [], [], 0)[0]:  # a terminal gives 4 kB at a time
            shown += os.read(own, 1 << 16)
    finally:
        process.kill()
        os.close(own)
        os.close(terminal)
    assert b"Traceback" not in shown
    assert b"\x1b[?25l" in shown
    assert shown.rfind(b"\x1b[?25h") > shown.rfind(b"\x1b[?25l")
    assert shown.endswith(b"plainview: stopped\r\n")


def test_the_library_leaves_ctrl_c_to_its_host(tmp_path: Path) -> None:
    """There it is Python's KeyboardInterrupt, and it does not wait for threads."""
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    code = STUCK.replace("LIBRARY", "CDLL").partition("if ")[0] + (
        "import plainview, plainview.pipeline.scan\nplainview.pipeline.scan.available = lambda: False\n"
        "try:\n    plainview.scan(sys.argv[1])\n"
        "except KeyboardInterrupt:\n    os.write(1, b'interrupted')\n    os._exit(3)\n"
    )
    there, mark = os.pipe()
    try:
        with started("-c", code, str(tmp_path), str(mark), pass_fds=[mark]) as process:
            assert os.read(there, 1) == b"x"
            process.send_signal(signal.SIGINT)
            assert process.communicate(timeout=SOON)[0] == b"interrupted"
    finally:
        os.close(there)
        os.close(mark)


def test_no_thread_is_there_before_the_workers() -> None:
    """They are forked, which is safe only while there is no other thread."""
    before = threading.active_count()
    from plainview.cli import stopping

    kept = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        stopping.watch()
        assert threading.active_count() == before
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
