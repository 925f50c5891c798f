"""What the kernel forbids a worker: to write, create, run or trace anything, and, for files, to use a network.

Two mechanisms of Linux, each in use where the kernel has it, none needing a privilege:

* **seccomp** (since 3.17): a filter over system calls, for all threads of the process. It holds alone what the words
  above say. A call that is refused fails with EPERM; one that libraries have an older way for, with ENOSYS.
* **Landlock** (since 5.13): what a process may do with which paths. It forbids the same once more by path, and limits
  reading to the folders that the worker was given.

`confine` is called before the process starts its first thread, since Landlock holds for the calling thread and those
that it starts. Numbers of system calls: `syscalls.toml`. The layouts are those of linux/seccomp.h, linux/filter.h
and linux/landlock.h.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct
import sys
import tomllib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS = 1, 4, 38
SIGKILL, EPERM, ENOSYS = 9, 1, 38
SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC = 1, 1
ALLOW, KILL, ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
LOAD, EQUAL, MASKED, RETURN = 0x20, 0x15, 0x45, 0x06  # BPF: ld word, jeq, jset, ret
NUMBER, ARCH, ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data; arguments are 64 bits, low half first
AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
X32 = 0x40000000  # numbers of the x32 interface, an older door to the same calls
CLONE_THREAD = 0x00010000
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
LANDLOCK_CREATE_RULESET_VERSION, LANDLOCK_RULE_PATH_BENEATH = 1, 1
READ_FILE, READ_DIR = 1 << 2, 1 << 3
# Rights over files that each version of Landlock knows: 13 at first, then refer, truncate, ioctl on devices.
FILE_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1, 5: (1 << 16) - 1}
NET_RIGHTS = 0b11  # bind, connect (version 4)


@dataclass(frozen=True, slots=True)
class Confinement:
    """What holds in a worker. `missing` says why a mechanism does not."""

    seccomp: bool = False
    landlock: int = 0  # the version in use, 0 for none
    missing: tuple[str, ...] = ()


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


@cache
def syscalls(machine: str) -> Mapping[str, int]:
    """Return the numbers of system calls on a machine, {} for one that is not known."""
    known: Mapping[str, Mapping[str, int]] = _table()["number"]
    return known.get(machine, {})


@cache
def groups() -> Mapping[str, list[str]]:
    """Return the names of system calls by what they do."""
    named: Mapping[str, list[str]] = _table()["group"]
    return named


@cache
def _table() -> Mapping[str, Any]:
    """Return what `syscalls.toml` holds. Each worker reads it before it is confined, so it costs each of them."""
    return tomllib.loads(Path(__file__).with_name("syscalls.toml").read_text(encoding="utf-8"))


def die_with_parent() -> None:
    """Have the kernel end this process when its parent ends, and never write its memory to a core file."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        _libc().prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0)
        _libc().prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)


def confine(readable: Iterable[str], *, network: bool) -> Confinement:
    """Give up, for good, the right to write, create, run or trace; without `network`, to use sockets.

    `readable` are the paths below which files may be read; all else can be neither read nor listed, where the kernel
    has Landlock. Never raises: what could not be had stands in `missing`.
    """
    if sys.platform != "linux":
        return Confinement(missing=(f"{sys.platform} has no seccomp and no Landlock",))
    if _libc().prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        return Confinement(missing=("the kernel refuses PR_SET_NO_NEW_PRIVS",))
    machine = platform.machine()
    code = b"".join(program(machine, network=network, own=os.getpid())) if syscalls(machine) else b""
    version, no_landlock = _restrict_paths(readable, network=network)
    no_seccomp = _filter_calls(code)
    missing = tuple(why for why in (no_landlock, no_seccomp) if why)
    return Confinement(seccomp=not no_seccomp, landlock=version, missing=missing)


def _restrict_paths(readable: Iterable[str], *, network: bool) -> tuple[int, str]:
    """Return the version of Landlock that holds from here on, or 0 and why none does."""
    numbers = syscalls(platform.machine())
    if not numbers:
        return 0, f"Landlock is not known for {platform.machine()}"
    call = _libc().syscall
    version = call(numbers["landlock_create_ruleset"], None, 0, LANDLOCK_CREATE_RULESET_VERSION)
    if version < 1:
        return 0, "this kernel has no Landlock"
    rights = FILE_RIGHTS[min(version, max(FILE_RIGHTS))]
    net = NET_RIGHTS if version >= 4 and not network else 0
    attributes = struct.pack("=QQ", rights, net)[: 16 if version >= 4 else 8]
    ruleset = call(numbers["landlock_create_ruleset"], attributes, len(attributes), 0)
    if ruleset < 0:
        return 0, "Landlock refuses a set of rules"
    try:
        for path in dict.fromkeys(readable):
            _allow_reading(ruleset, path, numbers)
        if call(numbers["landlock_restrict_self"], ruleset, 0):
            return 0, "Landlock refuses to hold"
    finally:
        os.close(ruleset)
    return version, ""


def _allow_reading(ruleset: int, path: str, numbers: Mapping[str, int]) -> None:
    try:
        fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # what is not there needs no right
    try:
        rights = READ_FILE | READ_DIR if os.path.isdir(path) else READ_FILE  # noqa: PTH112
        rule = struct.pack("=Qi", rights, fd)
        _libc().syscall(numbers["landlock_add_rule"], ruleset, LANDLOCK_RULE_PATH_BENEATH, rule, 0)
    finally:
        os.close(fd)


def _filter_calls(code: bytes) -> str:
    """Set the filter for all threads. Return why it does not hold, "" where it does."""
    if not code or sys.byteorder != "little" or struct.calcsize("P") != 8:
        return f"no filter of system calls is known for {platform.machine()}"
    buffer = ctypes.create_string_buffer(code, len(code))
    filter_ = struct.pack("@HP", len(code) // 8, ctypes.addressof(buffer))
    number = syscalls(platform.machine())["seccomp"]
    if _libc().syscall(number, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, filter_):
        return "the kernel refuses a filter of system calls"
    return ""


def program(machine: str, *, network: bool, own: int) -> list[bytes]:
    """Return the instructions of the filter; `own` is the process that may get a signal."""
    numbers, named = syscalls(machine), groups()
    forbidden = [*named["change"], *named["run"], *named["trace"], *named["system"]]
    if not network:
        forbidden += named["network"]
    lines = [
        _instruction(LOAD, ARCH),
        _instruction(EQUAL, AUDIT_ARCH[machine], 1, 0),
        _instruction(RETURN, KILL),
        _instruction(LOAD, NUMBER),
    ]
    if machine == "x86_64":
        lines += [_instruction(MASKED, X32, 0, 1), _instruction(RETURN, KILL)]
    for name in named["older"]:
        lines += _refuse(numbers.get(name), ENOSYS)
    for name in forbidden:
        lines += _refuse(numbers.get(name), EPERM)
    for name, argument in (("open", 1), ("openat", 2)):
        lines += _refuse_where(numbers.get(name), argument, MASKED, WRITING, hit=True)
    lines += _refuse_where(numbers.get("clone"), 0, MASKED, CLONE_THREAD, hit=False)
    for name in ("kill", "tgkill"):
        lines += _refuse_where(numbers.get(name), 0, EQUAL, own, hit=False)
    return [*lines, _instruction(RETURN, ALLOW)]


def _instruction(code: int, value: int, yes: int = 0, no: int = 0) -> bytes:
    """Return one struct sock_filter; `yes` and `no` are how many instructions a jump passes over."""
    return struct.pack("=HBBI", code, yes, no, value)


def _refuse(number: int | None, error: int) -> list[bytes]:
    if number is None:
        return []  # this machine has no such call
    return [_instruction(EQUAL, number, 0, 1), _instruction(RETURN, ERRNO | error)]


def _refuse_where(number: int | None, argument: int, test: int, value: int, *, hit: bool) -> list[bytes]:
    """Refuse a call by the low half of one argument: where the test hits, or where it does not."""
    if number is None:
        return []
    return [
        _instruction(EQUAL, number, 0, 4),
        _instruction(LOAD, ARGUMENTS + 8 * argument),
        _instruction(test, value, 0, 1) if hit else _instruction(test, value, 1, 0),
        _instruction(RETURN, ERRNO | EPERM),
        _instruction(RETURN, ALLOW),
    ]
