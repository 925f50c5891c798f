"""From inside a worker: what the kernel forbids, and what it must not."""

from __future__ import annotations

import json
import platform
import sys
from pathlib import Path

import pytest

from plainview.workers.sandbox import groups, program, syscalls
from plainview.workers.start import Starter

MUST_WORK = {"read inside", "start a thread", "signal itself"}
SOCKETS = {"open a socket", "open a UDP socket", "open a Unix socket"}
NEEDS_LANDLOCK = {"read outside", "list outside"}


def tried(folder: Path, network: str) -> tuple[list[object], dict[str, str]]:
    (folder / "given" / "sub").mkdir(parents=True)
    (folder / "given" / "inside.txt").write_text("inside")
    (folder / "outside.txt").write_text("outside")
    process = Starter("toys:attempts").process()
    try:
        process.channel.send(f"{folder / 'given'}|{network}".encode())
        said = json.loads(process.channel.receive() or b"{}")
    finally:
        process.kill()
        process.ended()
    assert sorted(path.name for path in folder.rglob("*")) == ["given", "inside.txt", "outside.txt", "sub"]
    assert (folder / "given" / "inside.txt").read_text() == "inside"
    return said["held"], said["came"]


@pytest.mark.skipif(sys.platform != "linux" or not syscalls(platform.machine()), reason="no seccomp is known here")
@pytest.mark.parametrize("network", ["", "network"])
def test_a_worker_can_do_nothing_but_read(tmp_path: Path, network: str) -> None:
    (seccomp, landlock, missing), came = tried(tmp_path, network)
    assert seccomp, missing
    assert len(came) == 28
    allowed = MUST_WORK | (SOCKETS if network else set()) | (set() if landlock else NEEDS_LANDLOCK)
    assert {name: how for name, how in came.items() if how == "done"} == dict.fromkeys(allowed, "done")
    assert set(came.values()) <= {"done", "PermissionError"}


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_a_filter_is_well_formed(machine: str) -> None:
    """Each jump leads to an instruction of the filter, and it ends by allowing."""
    for network in (True, False):
        lines = program(machine, network=network, own=4711)
        assert 100 < len(lines) < 4096  # BPF_MAXINSNS
        for at, line in enumerate(lines):
            code, yes, no = line[0] | line[1] << 8, line[2], line[3]
            assert len(line) == 8
            if code & 0x07 == 0x05:
                assert at + 1 + max(yes, no) < len(lines)
        assert lines[-1] == bytes.fromhex("060000000000ff7f")


def test_every_call_of_a_group_has_a_number() -> None:
    """A name that is misspelt would forbid nothing. arm64 never had the older calls."""
    names = [name for group in groups().values() for name in group]
    assert len(names) == len(set(names)) > 120
    assert [name for name in names if name not in syscalls("x86_64")] == []
    older = {
        "creat",
        "mkdir",
        "rmdir",
        "mknod",
        "unlink",
        "rename",
        "link",
        "symlink",
        "chmod",
        "chown",
        "lchown",
        "utime",
    }
    older |= {"utimes", "futimesat", "fork", "vfork", "ioperm", "iopl"}
    assert {name for name in names if name not in syscalls("aarch64")} <= older
