"""Opening files of the file system without leaving a trace."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from plainview.errors import ReadError

_QUIET = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_NOATIME = getattr(os, "O_NOATIME", 0)
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)


def open_quietly(path: str | Path) -> int:
    """Return a descriptor that leaves no access time where permitted. Raise OSError, ReadError."""
    try:
        fd = os.open(path, _QUIET | _NOFOLLOW | _NOATIME)
    except PermissionError:
        fd = os.open(path, _QUIET | _NOFOLLOW)  # not the owner: O_NOATIME is refused, reading may not be
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise ReadError("no longer a plain file")
    return fd
