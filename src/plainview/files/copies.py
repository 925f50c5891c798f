"""Files of the same bytes in a folder: told as copies, read once, and so counted once.

Only files of one size are opened for it, and only those whose two ends agree are read as a whole. What is compared are
hashes under a random key that no other run has; they are held in memory and stand in no report.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from plainview.errors import PlainviewError
from plainview.files.kinds.identify import HEAD, identify
from plainview.files.packed.packed import bare_name
from plainview.tables import MIB

MOST = 1_000_000  # files that are remembered
BESIDE = ("-wal", "-journal", ".wal")  # what a database keeps beside it: its file alone says not what is in it


@dataclass(slots=True)
class Seen:
    """A file that was handed on, with the hashes of its ends and of all of it, once they were needed."""

    name: str
    file: str
    ends: bytes = b""
    whole: bytes = b""


@dataclass(slots=True)
class Copies:
    """What is known of the files of one folder. `opened` returns a descriptor of one of them."""

    opened: Callable[[str], int]
    _key: bytes = field(default_factory=lambda: os.urandom(32))
    _first: dict[int, Seen] = field(default_factory=dict)  # by size
    _by_ends: dict[tuple[int, bytes], Seen] = field(default_factory=dict)
    _by_whole: dict[tuple[int, bytes], Seen] = field(default_factory=dict)

    def original(self, name: str, file: str, size: int) -> str:
        """Return the name of the file of which this one is a copy, "" where it is none. The next ones may be of it."""
        new = Seen(name, file)
        first = self._first.get(size)
        if not size or len(self._first) + len(self._by_ends) + len(self._by_whole) > MOST:
            return ""
        if first is None:
            self._first[size] = new
            return ""
        try:
            found = self._same(new, first, size)
            if found and self._told_alike(found, new):
                return found.name
        except (OSError, PlainviewError):
            pass  # who reads it will tell
        return ""

    def _same(self, new: Seen, first: Seen, size: int) -> Seen | None:
        """Return the file seen first with the same bytes. Each file is read once for it, whatever the others are."""
        if not first.ends:
            first.ends = self._ends(first, size)
            self._by_ends[size, first.ends] = first
        new.ends = self._ends(new, size)
        alike = self._by_ends.setdefault((size, new.ends), new)
        if alike is new:
            return None
        if size <= 2 * HEAD:
            return alike
        if not alike.whole:
            alike.whole = self._whole(alike)
            self._by_whole[size, alike.whole] = alike
        new.whole = self._whole(new)
        same = self._by_whole.setdefault((size, new.whole), new)
        return None if same is new else same

    def _told_alike(self, one: Seen, other: Seen) -> bool:
        """Tell whether two files of the same bytes are read alike: by their names, and by what stands beside them."""
        head = next(self._pieces(one, HEAD), b"")
        if identify(head, bare_name(one.name)) != identify(head, bare_name(other.name)):
            return False
        return not any(self._is_there(each.file + end) for each in (one, other) for end in BESIDE)

    def _is_there(self, file: str) -> bool:
        try:
            os.close(self.opened(file))
        except FileNotFoundError:
            return False
        except (OSError, PlainviewError):
            return True
        return True

    def _ends(self, seen: Seen, size: int) -> bytes:
        """Return the hash of the first and the last `HEAD` bytes; of a file that is no longer, of all."""
        from _blake2 import blake2b

        made = blake2b(key=self._key, digest_size=16)
        fd = self.opened(seen.file)
        try:
            made.update(os.read(fd, HEAD))
            if size > HEAD:
                os.lseek(fd, max(HEAD, size - HEAD), os.SEEK_SET)
                made.update(os.read(fd, HEAD))
        finally:
            os.close(fd)
        return made.digest()

    def _whole(self, seen: Seen) -> bytes:
        from _blake2 import blake2b

        made = blake2b(key=self._key, digest_size=16)
        for piece in self._pieces(seen, MIB):
            made.update(piece)
        return made.digest()

    def _pieces(self, seen: Seen, step: int) -> Iterator[bytes]:
        fd = self.opened(seen.file)
        try:
            while piece := os.read(fd, step):
                yield piece
        finally:
            os.close(fd)


__all__ = ["Copies"]
