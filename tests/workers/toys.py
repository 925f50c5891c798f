"""What workers of these tests do: each piece is named after what shall happen to its reader."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable

import msgspec

from plainview.report.model import TableReport
from plainview.workers.channel import LENGTH, Channel
from plainview.workers.messages import Began, Finished, Outcome, Task
from plainview.workers.sandbox import confine


def say(channel: Channel, answer: msgspec.Struct) -> None:
    channel.send(msgspec.msgpack.encode(answer))


def hog(channel: Channel, number: int) -> None:
    held = []
    while True:
        held.append(bytearray(os.urandom(1 << 20) * 16))
        time.sleep(0.01)


def part(channel: Channel, number: int) -> None:
    say(channel, Outcome(number, (TableReport(name="t", kind="csv", rows=7, rows_read=7),)))
    os.abort()


FATES: dict[str, Callable[[Channel, int], object]] = {
    "segv": lambda channel, number: os.kill(os.getpid(), signal.SIGSEGV),
    "abort": lambda channel, number: os.abort(),
    "exit": lambda channel, number: os._exit(3),
    "raise": lambda channel, number: 1 / 0,
    "hang": lambda channel, number: time.sleep(1000),
    "hog": hog,
    "part": part,
    "garbage": lambda channel, number: channel.send(b"\xc1 canary.7f3a@example.org"),
    "longer": lambda channel, number: os.write(channel.writing, LENGTH.pack(0xFFFFFFFF)),
    "foreign": lambda channel, number: say(channel, Outcome(number + 1000, final=True)),
    "early": lambda channel, number: say(channel, Finished()),
    "print": lambda channel, number: os.write(2, b"canary.7f3a@example.org"),
}


def serve(channel: Channel) -> None:
    """Do what the names of pieces say; good ones get an outcome at the end of their task, as small files do."""
    if channel.receive() == b"stillborn":
        os.abort()
    while (body := channel.receive()) is not None:
        task = msgspec.msgpack.decode(body, type=Task)
        for piece in task.pieces:
            say(channel, Began(piece.number))
            FATES.get(piece.name.partition("-")[0], lambda channel, number: None)(channel, piece.number)
        say(channel, Began(None))
        for piece in task.pieces:
            say(channel, Outcome(piece.number, rows_listed=piece.number, final=True))
        say(channel, Finished())


def attempts(channel: Channel) -> None:
    """Try from inside a confined worker what it may not do, and say what came of each."""
    import socket

    readable, _, network = (channel.receive() or b"").decode().partition("|")
    held = confine(["/usr", "/lib", "/lib64", "/etc", "/proc", readable], network=network == "network")
    inside, outside = os.path.join(readable, "inside.txt"), os.path.join(os.path.dirname(readable), "outside.txt")
    tries: dict[str, Callable[[], object]] = {
        "write a file": lambda: open(inside, "r+b"),
        "create a file": lambda: open(os.path.join(readable, "made.txt"), "xb"),
        "append to a file": lambda: open(inside, "ab"),
        "truncate a file": lambda: os.truncate(inside, 0),
        "remove a file": lambda: os.unlink(inside),
        "rename a file": lambda: os.rename(inside, inside + "2"),
        "link a file": lambda: os.link(inside, inside + "2"),
        "make a link": lambda: os.symlink(inside, inside + "2"),
        "make a folder": lambda: os.mkdir(os.path.join(readable, "folder")),
        "remove a folder": lambda: os.rmdir(os.path.join(readable, "sub")),
        "make a pipe in a folder": lambda: os.mkfifo(os.path.join(readable, "fifo")),
        "change rights": lambda: os.chmod(inside, 0o777),
        "change times": lambda: os.utime(inside, (1, 1)),
        "set an attribute": lambda: os.setxattr(inside, "user.x", b"x"),
        "open a socket": lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM),
        "open a UDP socket": lambda: socket.socket(socket.AF_INET6, socket.SOCK_DGRAM),
        "open a Unix socket": lambda: socket.socket(socket.AF_UNIX, socket.SOCK_STREAM),
        "fork": os.fork,
        "run a program": lambda: os.execv("/bin/true", ["true"]),
        "start a program": lambda: os.posix_spawn("/bin/true", ["true"], {}),
        "signal its parent": lambda: os.kill(os.getppid(), 0),
        "trace its parent": lambda: open(f"/proc/{os.getppid()}/mem", "r+b"),
        "read outside": lambda: open(outside, "rb").read(),
        "list outside": lambda: os.listdir(os.path.dirname(readable)),
        "read inside": lambda: open(inside, "rb").read(),
        "start a thread": lambda: threading.Thread(target=time.sleep, args=(0,)).start(),
        "signal itself": lambda: os.kill(os.getpid(), 0),
        "write in a thread": lambda: _in_thread(lambda: open(inside, "r+b")),
    }
    came = {name: _came(attempt) for name, attempt in tries.items()}
    channel.send(msgspec.json.encode({"held": [held.seccomp, held.landlock, held.missing], "came": came}))
    channel.receive()


def _came(attempt: Callable[[], object]) -> str:
    try:
        attempt()
    except OSError as error:
        return type(error).__name__
    return "done"


def _in_thread(attempt: Callable[[], object]) -> None:
    failed: list[OSError] = []

    def run() -> None:
        try:
            attempt()
        except OSError as error:
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
