"""Ctrl-C and SIGTERM end the command at once, whatever its threads do.

A handler in Python runs in the main thread and only between two steps of Python. That is enough while this thread
waits for workers, which end with it. A store is read in this process: then the main thread may be in native code, or
wait for a lock (which SIGINT does not interrupt once Polars has set its own handler). So a thread waits at a pipe, to
which the interpreter's handler writes in C. Nothing is lost by such an end: nothing is written but the report, and one
that is half written is removed.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator

STOPPED = "plainview: stopped\n"
_SECONDS = 1.0  # that what is done last may take
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_to_undo: list[Callable[[], None]] = []
_stopping = threading.Lock()
_watched: set[int] = set()
_threads: list[threading.Thread] = []


@contextlib.contextmanager
def undone_on_stop(undo: Callable[[], None]) -> Iterator[None]:
    """Call `undo` when a signal ends the process inside of the block."""
    _to_undo.append(undo)
    try:
        yield
    finally:
        _to_undo.remove(undo)


def watch() -> None:
    """Let a signal end this process, from now on. For the program, from its main thread, at its start."""
    for number in _SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # what nohup has set stays in force
            signal.signal(number, lambda number, _frame: stop(number))
            _watched.add(number)


def watch_in_thread() -> None:
    """Let a signal end this process whatever the main thread does. Not before workers were forked; once is enough."""
    if _threads or sys.platform == "win32":  # where only a socket can be woken
        return
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    _threads.append(threading.Thread(target=_wait, args=(woken,), name="plainview-stop", daemon=True))
    _threads[0].start()


def _wait(woken: int) -> None:
    while number := os.read(woken, 1):
        if number[0] in _watched:  # not SIGCHLD, SIGWINCH and their like
            stop(number[0])


def stop(number: int) -> None:
    """End the process because of a signal. Once: the main thread and the one at the pipe may both have seen it."""
    if not _stopping.acquire(blocking=False):
        return
    ending = threading.Thread(target=_last_words, daemon=True)  # a terminal may be stopped, a pipe full, a disk gone
    with contextlib.suppress(RuntimeError):  # no more threads
        ending.start()
        ending.join(_SECONDS)
    os._exit(128 + number)


def _last_words() -> None:
    for undo in reversed(_to_undo):
        with contextlib.suppress(Exception):
            undo()
    with contextlib.suppress(Exception):
        os.write(sys.stderr.fileno(), STOPPED.encode())


__all__ = ["stop", "undone_on_stop", "watch", "watch_in_thread"]
