"""Where the report goes: never over anything that is read, never through a link, whole or not at all.

The report is written to a new file beside its place, for its owner only, and then renamed. That file is made when all
targets were read, so a report inside a scanned folder is not part of the scan.
"""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from plainview.cli.stopping import undone_on_stop
from plainview.errors import UsageError
from plainview.targets.quoting import has_userinfo, quotable
from plainview.targets.target import Target

HINT = "choose another name after -o"
# What belongs to a database and is read with it: SQLite's and DuckDB's logs, which stand beside it.
BESIDE = ("", "-wal", "-shm", "-journal", ".wal")
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_FOLDER = (
    getattr(os, "O_PATH", os.O_RDONLY)  # a folder may be one to write into and not to list
    | getattr(os, "O_DIRECTORY", 0)
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_CLOEXEC", 0)
)
_FOLDERS = os.open in os.supports_dir_fd and os.unlink in os.supports_dir_fd  # so that a folder stays the same one


@dataclass(frozen=True, slots=True)
class Protected:
    """What a run reads: `files` are single ones, `folders` are read with all that is below them."""

    files: tuple[Path, ...] = ()
    folders: tuple[Path, ...] = ()

    @classmethod
    def of(cls, targets: Iterable[Target], files: Iterable[Path], folders: Iterable[Path]) -> Protected:
        """Return all that is read: local targets, files of options, folders of detectors."""
        local = [Path(target.path) for target in targets if target.is_local_file]
        single = [path for path in local if not path.is_dir()]
        beside = (path.with_name(path.name + end) for path in single if path.name for end in BESIDE)
        return cls((*beside, *files), (*(path for path in local if path.is_dir()), *folders))

    def holds(self, place: Path, status: os.stat_result) -> bool:
        """Tell whether the existing file at `place` is one of these, by any name, or lies below a folder of these.

        Of a file with several names one may lie below a folder: without a look at all files there, none may be used.
        """
        folders = {_identity(path) for path in self.folders} - {None}
        if any(_identity(path) == (status.st_dev, status.st_ino) for path in self.files):
            return True
        return bool(folders) and (status.st_nlink > 1 or any(_identity(path) in folders for path in place.parents))


def _identity(path: Path | int) -> tuple[int, int] | None:
    """Return device and inode of what a path leads to, or a descriptor."""
    try:
        status = os.stat(path)  # noqa: PTH116  Path.stat takes no descriptor
    except (OSError, ValueError):
        return None
    return status.st_dev, status.st_ino


class Output:
    """A file to write the report to. Raises UsageError when that file may not be written."""

    def __init__(self, text: str, protected: Protected) -> None:
        self._protected = protected
        self.shown = quotable(text, "the report")
        quoted = self.shown == text
        if has_userinfo(text) and not os.path.lexists(text):
            raise UsageError("-o takes a file, not an address", hint=HINT)
        folder, name = os.path.split(text)
        if not name or name in (".", ".."):
            raise UsageError("-o names a folder, not a file", hint=HINT)
        self.place = Path(os.path.realpath(folder or "."), name)
        if not self.place.parent.is_dir():
            raise UsageError(f"no folder {folder if quoted else 'of that name'} to write the report to")
        self._folder = _identity(self.place.parent)
        self._check()
        if self._regular() and not os.access(self.place.parent, os.W_OK | os.X_OK):
            raise UsageError(f"no permission to write a report into {folder or '.' if quoted else 'its folder'}")

    def _status(self) -> os.stat_result | None:
        try:
            return self.place.lstat()
        except (OSError, ValueError):
            return None

    def _regular(self) -> bool:
        status = self._status()
        return status is None or stat.S_ISREG(status.st_mode)

    def _check(self) -> None:
        """Raise UsageError when what stands at the place must stay as it is."""
        status = self._status()
        if status is None:
            return
        if stat.S_ISLNK(status.st_mode):
            raise UsageError("-o names a link, which is not followed", hint=HINT)
        if stat.S_ISDIR(status.st_mode):
            raise UsageError("-o names a folder, not a file", hint=HINT)
        if stat.S_ISREG(status.st_mode) and self._protected.holds(self.place, status):
            raise UsageError("the report would overwrite a target or another file that is read", hint=HINT)

    def write(self, text: str) -> None:
        """Write the report. Raises OSError, and UsageError when meanwhile something stands there that must stay."""
        data = text.encode("utf-8", "backslashreplace")
        if not self._regular():  # a device or a pipe has nothing to lose, and cannot be renamed to
            with os.fdopen(os.open(self.place, os.O_WRONLY | getattr(os, "O_NOFOLLOW", 0)), "wb") as stream:
                stream.write(data)
            return
        with _opened(self.place.parent) as folder:
            if _identity(self.place.parent if folder is None else folder) != self._folder:
                raise UsageError("its folder was replaced meanwhile")
            name = f".plainview-{os.urandom(8).hex()}.tmp"
            beside = _Beside(self.place.parent, folder)
            with undone_on_stop(lambda: beside.remove(name)):
                try:
                    with os.fdopen(beside.make(name), "wb") as stream:
                        stream.write(data)
                        stream.flush()
                        os.fsync(stream.fileno())
                    self._check()
                    beside.rename(name, self.place.name)
                except BaseException:
                    beside.remove(name)
                    raise


@contextlib.contextmanager
def _opened(folder: Path) -> Iterator[int | None]:
    """Give a descriptor of a folder, where the system has such."""
    if not _FOLDERS:
        yield None
        return
    descriptor = os.open(folder, _FOLDER)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@dataclass(frozen=True, slots=True)
class _Beside:
    """Names in one folder: by its descriptor, or by its path where there is none."""

    path: Path
    folder: int | None

    def _named(self, name: str) -> str:
        return name if self.folder is not None else str(self.path / name)

    def make(self, name: str) -> int:
        descriptor = os.open(self._named(name), _NEW, 0o600, dir_fd=self.folder)
        if hasattr(os, "fchmod"):
            os.fchmod(descriptor, 0o600)  # whatever the umask takes away
        return descriptor

    def rename(self, name: str, to: str) -> None:
        os.replace(self._named(name), self._named(to), src_dir_fd=self.folder, dst_dir_fd=self.folder)

    def remove(self, name: str) -> None:
        with contextlib.suppress(OSError):
            os.unlink(self._named(name), dir_fd=self.folder)


def written(text: str, form: str, output: Output | None) -> bool:
    """Write the report to its file or to the standard output; say on stderr when that fails."""
    try:
        if output:
            output.write(text)
        else:
            encoding = "utf-8" if form != "text" else sys.stdout.encoding or "utf-8"
            sys.stdout.buffer.write(text.encode(encoding, "backslashreplace"))
            sys.stdout.buffer.flush()
    except BrokenPipeError:
        if output is None:
            raise
        _cannot(output.shown, "nobody reads it")
    except UsageError as error:
        _cannot(output.shown if output else "the report", error.message)
    except OSError as error:
        _cannot(output.shown if output else "the report", error.strerror or type(error).__name__)
    else:
        return True
    return False


def _cannot(what: str, why: str) -> None:
    print(f"plainview: cannot write {what}: {why}", file=sys.stderr)  # noqa: T201


def chosen(
    text: str | None, targets: Sequence[Target], files: Iterable[Path], folders: Iterable[Path]
) -> Output | None:
    """Return the file that `-o` names, None for the standard output (`-`). Raises UsageError."""
    if not text or text == "-":
        return None
    return Output(text, Protected.of(targets, files, folders))


__all__ = ["Output", "Protected", "chosen", "written"]
