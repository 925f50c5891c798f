"""How worker processes come to be: forked while the parent is small and has one thread, else started anew.

A fork costs a millisecond and shares what the parent has loaded, but is safe only while no other thread runs; a new
interpreter costs thirty and is always safe. A reserve of forked processes is made at the start of a run, each of which
sleeps until it is sent something.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass

from plainview.workers.channel import Channel

BEGIN = "import sys; sys.path[:] = sys.argv[2:]; from plainview.workers.start import begin; begin(sys.argv[1])"


@dataclass(slots=True)
class Process:
    """A worker process, seen from its parent."""

    pid: int
    channel: Channel
    popen: subprocess.Popen[bytes] | None = None

    def kill(self) -> None:
        """End it at once."""
        with suppress(OSError):
            os.kill(self.pid, 9)

    def ended(self) -> int:
        """Wait for its end; return its exit status, negative for the signal that ended it."""
        self.channel.close()
        if self.popen:
            return self.popen.wait()
        try:
            _, status = os.waitpid(self.pid, 0)
        except ChildProcessError:
            return 0
        return os.waitstatus_to_exitcode(status)


class Starter:
    """Gives processes that run `serve`, a function named `module:name`; `reserve` of them are forked now.

    They inherit the descriptors `keep`, which stay open here.
    """

    def __init__(self, serve: str, reserve: int = 0, *, keep: tuple[int, ...] = ()) -> None:
        self.serve, self.keep = serve, keep
        self._reserve: list[Process] = []
        if can_fork():
            for _ in range(reserve):
                self._reserve.append(self._fork())

    def process(self) -> Process:
        """Return one process more."""
        if self._reserve:
            return self._reserve.pop(0)
        return self._fork() if can_fork() else self._spawn()

    def close(self) -> None:
        """End the reserve."""
        while self._reserve:
            process = self._reserve.pop()
            process.kill()
            process.ended()

    def _fork(self) -> Process:
        to_child, to_parent = os.pipe(), os.pipe()
        pid = os.fork()
        if pid:
            os.close(to_child[0])
            os.close(to_parent[1])
            return Process(pid, Channel(to_parent[0], to_child[1]))
        status = 70
        try:
            os.close(to_child[1])
            os.close(to_parent[0])
            for other in self._reserve:  # its end shows only when nobody else holds these
                other.channel.close()
            status = _run(self.serve, Channel(to_child[0], to_parent[1]))
        finally:
            os._exit(status)

    def _spawn(self) -> Process:
        command = [sys.executable, "-c", BEGIN, self.serve, *sys.path]
        popen = subprocess.Popen(  # noqa: S603  our own interpreter and module
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            pass_fds=self.keep,  # and no other
        )
        assert popen.stdin is not None  # noqa: S101  both are pipes
        assert popen.stdout is not None  # noqa: S101
        channel = Channel(os.dup(popen.stdout.fileno()), os.dup(popen.stdin.fileno()))
        popen.stdin.close()
        popen.stdout.close()
        return Process(popen.pid, channel, popen)


def available() -> bool:
    """Tell whether worker processes can be had here: pipes that can be waited for, and an interpreter to start."""
    return os.name == "posix" and bool(can_fork() or sys.executable)


def can_fork() -> bool:
    """Tell whether a fork is safe here: Linux, and no thread but this one, Python's or a library's."""
    if sys.platform != "linux" or threading.active_count() > 1:
        return False
    try:
        return len(os.listdir("/proc/self/task")) == 1  # noqa: PTH208
    except OSError:
        return False


def begin(serve: str) -> None:
    """Run as a process that was started anew: its standard input and output are the pipes."""
    channel = Channel(os.dup(0), os.dup(1))
    os._exit(_run(serve, channel))


def _run(serve: str, channel: Channel) -> int:
    """Serve until the parent is gone. Nothing that this process prints may be seen, since it may hold data."""
    import signal
    from importlib import import_module

    from plainview.workers.sandbox import die_with_parent  # only a worker needs it, and what it loads

    die_with_parent()
    with suppress(OSError, ValueError):
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal's Ctrl-C is for the parent, which ends us
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    module, _, name = serve.partition(":")
    try:
        getattr(import_module(module), name)(channel)
    except BaseException:  # noqa: BLE001  its text may quote data; the parent sees that this process ended
        return 70
    return 0
