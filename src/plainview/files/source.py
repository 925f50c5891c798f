"""Files and folders: walks, opens each file once without leaving a trace, finds its kind, and reads it.

A unit is one top-level file. Opening uses O_NOATIME where the system permits it (owner or root, Linux),
so the time of last access stays; O_NOFOLLOW for each part of the path below the target and O_NONBLOCK, so that
neither a link nor a FIFO put there meanwhile is followed or waited for. Links are never followed: what they point to
inside the folder is read under its own name, what lies outside was not listed by the owner and is said.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, cast

from plainview.errors import PlainviewError, ReadError, TargetError, translate
from plainview.files.copies import Copies
from plainview.files.kinds.identify import HEAD
from plainview.files.packed.streams import Meter, Opener
from plainview.files.quiet import Folder, LocalInput, open_quietly
from plainview.files.reading import Counter, kind_of, read_input
from plainview.files.spread import NOTE, spread, spreads
from plainview.tables import Batch, Deadline, Input, Limits, ReadAs, ReadLog, Unit

if TYPE_CHECKING:
    from plainview.report.model import Exposure


SPECIAL = {
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFBLK: "a block device",
    stat.S_IFCHR: "a character device",
}
GIT = "the store of a git repository is not read; the files that are checked out are"
COPY = "the same bytes as another file, counted once, there: "
BESIDE = ("-wal", "-shm")  # SQLite's log, whose pages the reader of the database puts in place, and its index


class FileSource:
    """A file, or a folder and all below it. Making one opens no file.

    Raise TargetError when there is nothing at `path`. `resolved`: links in the path were resolved before, so that one
    that is there now was put there meanwhile. The locator of a unit is its path below the folder, as it is written.
    """

    whole_tables = True
    read_as: ReadAs = "file"
    origin = ""

    def __init__(self, path: str | Path, limits: Limits | None = None, *, resolved: bool = False) -> None:
        self.limits = limits or Limits()
        self.root = Path(path if resolved else os.path.realpath(path))
        self.target = f"file:{path}"
        try:
            self._folder, self._file, self._status = _opened(self.root)
        except (OSError, ReadError) as error:
            why = translate(error).message
            if isinstance(error, ReadError):
                why = "a part of its path is no folder"
            elif error.errno == errno.ELOOP:
                why = "circular link"
            raise TargetError(f"cannot look at the target: {why}", hint="is the path right?") from None
        self._name = Path(path).name or self.root.name
        self.is_folder = not self._file
        self.copies: dict[str, str] = {}  # name -> that of the file with the same bytes, known once all were listed

    @cached_property
    def kind(self) -> str:
        """What is read: "files", or the kind of the one file, told from its first bytes when this is asked first."""
        if self.is_folder:
            return "files"
        try:
            source, size = self._input(self._name, self._file)
            return kind_of(source, size).name or "file"
        except (OSError, PlainviewError):
            return "file"

    def check_access(self) -> Exposure | None:
        """Files have no door that a stranger could try."""
        return None

    def exposure(self) -> Exposure | None:
        """Return None, as `check_access`."""
        return None

    def close(self) -> None:
        """Nothing stays open between units."""

    def units(self, log: ReadLog) -> Iterator[Unit]:
        """Yield the files in the order of their paths, while the walk goes on; the others go into `log`."""
        if self.is_folder:
            yield from self._walk(log)
        elif stat.S_ISREG(self._status.st_mode):
            yield Unit(self._name, self._status.st_size, None, self._file)
        else:
            log.skip(self._name, _special(self._status.st_mode))

    def _walk(self, log: ReadLog) -> Iterator[Unit]:
        stack = [_listing(self._folder, "", "", log)]
        copies = Copies(lambda file: open_quietly(file, self._folder))
        while stack:
            found = next(stack[-1], None)
            if found is None:
                stack.pop()
                continue
            if stat.S_ISREG(found.mode) and found.file.endswith(BESIDE) and self._beside_database(found.file):
                log.note(found.name, "read with the database that it belongs to")
            elif stat.S_ISREG(found.mode):
                if same := copies.original(found.name, found.file, found.size):
                    log.note(found.name, COPY + same)
                    self.copies[found.name] = same
                    continue
                yield Unit(found.name, found.size, None, found.file)
            elif stat.S_ISDIR(found.mode):
                if found.file.rpartition("/")[2] == ".git" and self._is_there(found.file + "/HEAD"):
                    log.note(found.name, GIT)
                else:
                    stack.append(_listing(self._folder, found.file, found.name + "/", log))
            elif stat.S_ISLNK(found.mode):
                self._link(str(self.root / found.file), found.name, log)
            else:
                log.skip(found.name, _special(found.mode))

    def _is_there(self, file: str) -> bool:
        try:
            self._folder.status(file)
        except (OSError, ReadError):
            return False
        return True

    def _beside_database(self, file: str) -> bool:
        try:
            fd = open_quietly(file[:-4], self._folder)
        except (OSError, PlainviewError):
            return False
        try:
            return os.read(fd, 16) == b"SQLite format 3\0"
        except OSError:
            return False
        finally:
            os.close(fd)

    def _link(self, path: str, name: str, log: ReadLog) -> None:
        """Say why a link is not followed; nothing is lost by one that stays inside the folder."""
        try:
            end = Path(path).resolve(strict=True)
        except (OSError, RuntimeError) as error:  # RuntimeError: a loop, before Python 3.13
            loop = isinstance(error, RuntimeError) or error.errno == errno.ELOOP
            denied = isinstance(error, PermissionError)
            log.skip(
                name,
                "a circular link" if loop else "a link that may not be followed" if denied else "a broken link",
            )
            return
        if not end.is_relative_to(self.root):
            log.skip(name, "a link out of the folder; not followed, name its target to have it read")

    def read(self, unit: Unit, log: ReadLog, sample: int | None = None) -> Iterator[Batch]:
        """Yield the tables of one file. Whatever fails becomes a line in `log`; earlier batches count."""
        if sample is not None:
            from plainview.tables.sampling import sample_rows

            yield from sample_rows(self._read(unit, log, quick=True), sample, unit.name)
        else:
            yield from self._read(unit, log, quick=False)

    def _read(self, unit: Unit, log: ReadLog, *, quick: bool) -> Iterator[Batch]:
        """Read a file; `quick`: of a large one parts are enough, where its format allows that."""
        file = str(unit.locator)
        try:
            before = self._folder.status(file)
            source, size = self._input(unit.name, file)
        except (OSError, PlainviewError) as error:
            log.skip(unit.name, error)
            return
        kind = kind_of(source, size)
        given: Input = source
        if quick and spreads(kind.name, source):
            given, size = spread(source)
        count = Counter(log, size)
        meter = Meter(size, self.limits, source.deadline, count.add)
        for batch in read_input(given, kind, log, meter, count):
            yield batch if given is source else replace(batch, table=batch.table.drawn(NOTE))
        count.finish()
        cast("Opener", source.open).close()
        self._still_same(file, before, unit.name, log)

    def _input(self, name: str, file: str) -> tuple[LocalInput, int]:
        folder = self._folder
        fd = open_quietly(file, folder)
        try:
            size = os.fstat(fd).st_size
            head = os.read(fd, HEAD)
        finally:
            os.close(fd)

        opener = Opener(lambda: os.fdopen(open_quietly(file, folder), "rb"))
        deadline = Deadline(self.limits.seconds)
        path = Path(folder.path, file)
        return LocalInput(name, head, opener, size, path, self.limits, deadline, folder, file), size

    def _still_same(self, file: str, before: os.stat_result, name: str, log: ReadLog) -> None:
        try:
            after = self._folder.status(file)
        except (OSError, ReadError):
            log.skip(name, "vanished while it was read; what was read counts")
            return
        if (before.st_size, before.st_mtime_ns, before.st_ino) != (
            after.st_size,
            after.st_mtime_ns,
            after.st_ino,
        ):
            log.skip(name, "changed while it was read; what was read counts")


@dataclass(frozen=True, slots=True)
class Found:
    """An entry of a folder. `name` can be printed, `file` is the path below the root as the system has it."""

    name: str
    file: str
    mode: int
    size: int


def _opened(root: Path) -> tuple[Folder, str, os.stat_result]:
    """Return the folder to read from, the name of the one file in it ("": all of it), and the status of the root."""
    if not root.name:
        folder = Folder(str(root))
        return folder, "", folder.status("")
    above = Folder(str(root.parent))
    status = above.status(root.name)
    if stat.S_ISLNK(status.st_mode):  # in a path without links
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    return (Folder(str(root)), "", status) if stat.S_ISDIR(status.st_mode) else (above, root.name, status)


def _listing(folder: Folder, below: str, prefix: str, log: ReadLog) -> Iterator[Found]:
    """Yield the entries of one folder by name; one that cannot be listed goes into `log`."""
    found: list[Found] = []
    try:
        for entry in folder.entries(below):
            # a name that is not UTF-8 arrives with surrogates, which nothing later could write
            name = entry.name if entry.name.isascii() else entry.name.encode("utf-8", "replace").decode()
            try:
                status = entry.stat(follow_symlinks=False)
            except OSError as error:
                log.skip(prefix + name, error)
                continue
            file = f"{below}/{entry.name}" if below else entry.name
            found.append(Found(prefix + name, file, status.st_mode, status.st_size))
    except (OSError, ReadError) as error:
        log.skip(prefix or ".", error)
    found.sort(key=lambda each: each.file)
    yield from found


def _special(mode: int) -> str:
    return f"{SPECIAL.get(stat.S_IFMT(mode), 'a special file')}; never opened"


__all__ = ["Counter", "FileSource", "LocalInput", "open_quietly", "read_input"]
