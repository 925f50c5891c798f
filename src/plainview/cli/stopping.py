"""Ctrl-C and SIGTERM end the command at once, whatever its threads do.

A handler in Python runs in the main thread and only between two steps of Python. That is enough while this thread
waits for workers, which end with it. A store is read in this process: then the main thread may be in native code, or
wait for a lock (which SIGINT does not interrupt once Polars has set its own handler). So a thread waits at a pipe, to
which the interpreter's handler writes in C. What is done last, within a bound: a report that is half written is
removed, one of what is finished is written.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator

STOPPED = "plainview: stopped\n"
_SOON = 0.2  # seconds that the last line may take
_SECONDS = 1.5  # that what is done last may take
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_to_undo: list[Callable[[], None]] = []
_stopping, _said = threading.Lock(), threading.Lock()  # taken by who is first, and never given back
_seen: set[str] = set()
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
            stop(number[0], "pipe")


def stop(number: int, seen_by: str = "handler") -> None:
    """End the process because of a signal, at once where it is the second. Two may see each: `seen_by` is which."""
    if seen_by in _seen:
        _within(_SOON, _say)
        os._exit(128 + number)
    _seen.add(seen_by)
    if not _stopping.acquire(blocking=False):
        return
    _within(_SECONDS, _last_words)
    _within(_SOON, _say)  # whatever the others are still at
    os._exit(128 + number)


def _within(seconds: float, what: Callable[[], None]) -> None:
    ending = threading.Thread(target=what, daemon=True)  # a terminal may be stopped, a pipe full, a disk gone
    with contextlib.suppress(RuntimeError):  # no more threads
        ending.start()
        ending.join(seconds)


def _last_words() -> None:
    for undo in reversed(_to_undo):
        with contextlib.suppress(Exception):
            undo()
    _say()


def _say() -> None:
    if _said.acquire(blocking=False):
        with contextlib.suppress(Exception):
            os.write(sys.stderr.fileno(), STOPPED.encode())


__all__ = ["stop", "undone_on_stop", "watch", "watch_in_thread"]
