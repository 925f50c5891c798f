"""How much memory there is, and how much a process holds. Linux; elsewhere unknown, which limits nothing."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
UNKNOWN = 1 << 62


def held(pid: int) -> int:
    """Return the resident bytes of a process, 0 where it cannot be told."""
    try:
        with open(f"/proc/{pid}/statm", "rb") as file:  # noqa: PTH123  asked ten times a second
            return int(file.read().split()[1]) * PAGE
    except (OSError, ValueError, IndexError):
        return 0


def free() -> int:
    """Return the bytes that this machine, or the container, can still give."""
    return min(_of_machine(), _of_container())


def _of_machine() -> int:
    with suppress(OSError, ValueError, IndexError):
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) << 10
    return UNKNOWN


def _of_container() -> int:
    """Return what is left of the limits of control groups (version 2, else 1)."""
    left = UNKNOWN
    for folder, limit, used in (
        (Path("/sys/fs/cgroup"), "memory.max", "memory.current"),
        (Path("/sys/fs/cgroup/memory"), "memory.limit_in_bytes", "memory.usage_in_bytes"),
    ):
        with suppress(OSError, ValueError):
            most = (folder / limit).read_text(encoding="ascii").strip()
            if most != "max":
                left = min(left, max(0, int(most) - int((folder / used).read_text(encoding="ascii"))))
    return left
