"""Opening files of the file system without leaving a trace, and without a link on the way.

O_NOFOLLOW guards the last part of a path only. So what lies below a folder is opened part by part, each relative to
the descriptor of the one above (openat): a folder that is swapped for a link meanwhile is an error. Where the system
has no such calls (Windows), the last part alone is guarded.
"""

from __future__ import annotations

import errno
import os
import stat
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from plainview.errors import ReadError
from plainview.tables import Input

_CLOEXEC = getattr(os, "O_CLOEXEC", 0)
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
_QUIET = os.O_RDONLY | _CLOEXEC | _NOFOLLOW | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_NOATIME = getattr(os, "O_NOATIME", 0)
_LIST = os.O_RDONLY | _CLOEXEC | _NOFOLLOW | getattr(os, "O_DIRECTORY", 0)
_PATH = getattr(os, "O_PATH", 0)  # a folder may be one to go through and not to list
_THROUGH = _LIST | _PATH
_BY_DESCRIPTOR = {os.open, os.stat} <= os.supports_dir_fd and os.scandir in os.supports_fd
REPLACED = "replaced by a link or another kind of thing while the folder was read; not followed"


class Folder:
    """An open folder. Paths below it are relative, with `/` between their parts.

    Raises OSError when it cannot be opened. `path` must hold no link: one that is met was put there since.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.fd: int | None = None
        if not _BY_DESCRIPTOR:
            return
        if _PATH and os.path.isabs(path):  # noqa: PTH117
            self.fd = _below(os.open("/", _THROUGH), path.strip("/"), _THROUGH)
        else:
            with suppress(PermissionError):  # to go through it is permitted, to list it is not
                self.fd = os.open(path, _THROUGH)
        if self.fd is not None:
            weakref.finalize(self, os.close, self.fd)  # threads may read below it to their end

    def open(self, relative: str, flags: int) -> int:
        """Return a descriptor of what lies below. Raises OSError; ReadError where a link is on the way."""
        if self.fd is None:
            return os.open(os.path.join(self.path, relative), flags)  # noqa: PTH118
        return _below(os.dup(self.fd), relative, flags)

    def status(self, relative: str) -> os.stat_result:
        """Return what is known of what lies below, itself a link or not. Raises as `open`."""
        if self.fd is None:
            return os.lstat(os.path.join(self.path, relative))  # noqa: PTH118
        above, _, name = relative.rpartition("/")
        fd = self.open(above, _THROUGH)
        try:
            return os.stat(name, dir_fd=fd, follow_symlinks=False)
        finally:
            os.close(fd)

    def entries(self, relative: str) -> Iterator[os.DirEntry[str]]:
        """Yield the entries of a folder below, `""` for this one. Ask an entry for its status at once."""
        if self.fd is None:
            with os.scandir(os.path.join(self.path, relative)) as found:  # noqa: PTH118
                yield from found
            return
        fd = self.open(relative, _LIST)
        try:
            with os.scandir(fd) as found:
                yield from found
        finally:
            os.close(fd)


def _below(fd: int, relative: str, flags: int) -> int:
    """Return a descriptor of a path below `fd`, which is closed. Each part but the last is a folder and no link."""
    *above, name = relative.split("/")
    try:
        for part in above:
            fd, before = os.open(part, _THROUGH, dir_fd=fd), fd
            os.close(before)
        return os.open(name or ".", flags, dir_fd=fd)
    except OSError as error:
        if error.errno not in (errno.ELOOP, errno.ENOTDIR):
            raise
    finally:
        os.close(fd)
    raise ReadError(REPLACED)


def open_quietly(path: str | Path, folder: Folder | None = None) -> int:
    """Return a descriptor of a file, below `folder` if given, that leaves no access time where that is permitted.

    Raises OSError; ReadError for what is no plain file, and where a link is on the way.
    """

    def opened(flags: int) -> int:
        return folder.open(str(path), flags) if folder else os.open(path, flags)

    try:
        fd = opened(_QUIET | _NOATIME)
    except PermissionError:
        fd = opened(_QUIET)  # not the owner: O_NOATIME is refused, reading may not be
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise ReadError("no longer a plain file")
    return fd


@dataclass(slots=True)
class LocalInput(Input):
    """An Input whose bytes lie in a file: `open` and `seekable` give real files, opened quietly.

    `file` is its path below `folder`; `path` is for libraries that open nothing but paths: see `opened_by_path`.
    """

    folder: Folder | None = None
    file: str = ""

    def seekable(self) -> BinaryIO:
        """Return the file itself."""
        return self.open()


def open_beside(source: Input, suffix: str) -> BinaryIO | None:
    """Open the file beside that belongs to it, `name` + `suffix`; None when there is none, or nothing in it.

    Raises OSError and ReadError as `open_quietly`, for a link too.
    """
    if source.path is None:
        return None
    try:
        if isinstance(source, LocalInput) and source.folder:
            fd = open_quietly(source.file + suffix, source.folder)
        else:
            fd = open_quietly(source.path.with_name(source.path.name + suffix))
    except FileNotFoundError:
        return None
    if not os.fstat(fd).st_size:
        os.close(fd)
        return None
    return os.fdopen(fd, "rb")


@contextmanager
def opened_by_path(source: Input) -> Iterator[Callable[[], None]]:
    """Give a check that a library, which opens files by their path, has opened this one and none put in its place.

    Call it when the library has the file open. It raises ReadError. What lies in no file needs no check.
    """
    path = source.path
    if path is None:
        yield lambda: None
        return
    with source.open() as stream:
        status = os.fstat(stream.fileno())
        wanted = status.st_dev, status.st_ino
        before = _descriptors_of(wanted)

        def check() -> None:
            if before is None:
                now = os.lstat(path)
                same = (now.st_dev, now.st_ino) == wanted
            else:
                same = (_descriptors_of(wanted) or 0) > before
            if not same:
                raise ReadError("another file was put in its place while it was opened")

        yield check


def _descriptors_of(wanted: tuple[int, int]) -> int | None:
    """Return how many descriptors of this process are of the file with this device and inode; None: no such list."""
    try:
        numbers = os.listdir("/dev/fd")  # noqa: PTH208
    except OSError:
        return None
    count = 0
    for number in numbers:
        with suppress(OSError):  # that of the list itself
            status = os.fstat(int(number))
            count += (status.st_dev, status.st_ino) == wanted
    return count


__all__ = ["Folder", "LocalInput", "open_beside", "open_quietly", "opened_by_path"]
