"""What loading all detectors gives, made when the package is built: it spares each run a tenth of a second.

Without it, hundreds of TOML files are read and 17,000 names are folded then. The file begins with a digest of
itself and of all that it was made of. Where that does not hold any longer, as in a checkout in which a detector was
changed, it is as if the file was not there. Nothing is written here: `tools/make_snapshot.py` does that.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from operator import is_
from pathlib import Path

import msgspec

from plainview.detectors.detector import Detector

PACKAGE = Path(__file__).parent
FILE = "snapshot.msgpack"
# Whose code decides what is loaded. Unicode's tables are not among it: what is assigned there is folded as it ever was.
SOURCES = ("__init__.py", "detector.py", "snapshot.py", "categories.csv", "fieldnames.py", "subjects.py")
SIZE = 16  # bytes of the digest


@dataclass(frozen=True, slots=True)
class Folded:
    """The field names of one detector, as an index of names keeps them."""

    spellings: tuple[str, ...]
    entries: tuple[int, ...]  # for each spelling, which of the detector's `names` it is one of
    tails: tuple[tuple[str, str], ...]  # words that may end a longer one, each with its entry
    vetoes: tuple[str, ...]  # of `names_not`


@dataclass(frozen=True, slots=True)
class Books:
    """The folded field names of several detectors, by spelling.

    Each has pairs of numbers in one row: the place of a detector, and that of the entry among its names. Such rows
    are decoded in a third of the time that pairs need.
    """

    entries: dict[str, tuple[int, ...]]
    unspaced: dict[str, tuple[int, ...]]  # of scripts without blanks between words
    tails: dict[str, tuple[int, ...]]  # words that may end a longer one
    vetoes: dict[str, tuple[int, ...]]  # places of detectors alone


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All detectors of the package, sorted by name, the names of all and, decoded when needed, those of each."""

    detectors: tuple[Detector, ...]
    books: Books
    folded: msgspec.Raw


_IN_USE: list[Snapshot] = []


def digest(package: Path, body: bytes | memoryview) -> bytes:
    """Return what tells whether `body` is whole and was made of the files that are there now. Raises OSError."""
    made = hashlib.blake2b(digest_size=SIZE)
    data = os.path.join(package, "data")  # noqa: PTH118  pathlib would need six times as long for so many files
    detectors = sorted(name for name in os.listdir(data) if name.endswith(".toml"))  # noqa: PTH208
    for folder, names in ((package, SOURCES), (data, detectors)):
        for name in names:
            with open(f"{folder}{os.sep}{name}", "rb", buffering=0) as file:  # noqa: PTH123
                content = file.read()
            made.update(f"{name}\0{len(content)}\0".encode())
            made.update(content)
    made.update(body)
    return made.digest()


def pack(package: Path, detectors: Sequence[Detector], books: Books, folded: Sequence[Folded]) -> bytes:
    """Return the content of the file for what was loaded from `package`."""
    each = msgspec.Raw(msgspec.msgpack.encode(tuple(folded)))
    body = msgspec.msgpack.encode(Snapshot(tuple(detectors), books, each))
    return digest(package, body) + body


def fresh(package: Path) -> Snapshot | None:
    """Return the snapshot, or None where it is missing, damaged or older than what it was made of."""
    try:
        content = (package / FILE).read_bytes()
        body = memoryview(content)[SIZE:]
        if content[:SIZE] != digest(package, body):
            return None
        return msgspec.msgpack.decode(body, type=Snapshot)
    except (OSError, ValueError):  # errors of msgspec are ValueErrors
        return None


def package_detectors() -> tuple[Detector, ...] | None:
    """Return the detectors of a fresh snapshot, whose names `books_of` and `folded_names` then know."""
    made = fresh(PACKAGE)
    if made is None:
        return None
    _IN_USE[:] = [made]
    _folded.cache_clear()
    return made.detectors


def books_of(detectors: Sequence[Detector]) -> Books | None:
    """Return the names of all detectors of the snapshot, in its order; None where others are asked for."""
    for made in _IN_USE:
        if len(detectors) == len(made.detectors) and all(map(is_, detectors, made.detectors)):
            return made.books
    return None


def folded_names(detector: Detector) -> Folded | None:
    """Return the names of a detector that came from the snapshot. One of the user's own may have the same name."""
    known = _folded().get(detector.name)
    return known[1] if known is not None and known[0] is detector else None


@cache
def _folded() -> dict[str, tuple[Detector, Folded]]:
    found: dict[str, tuple[Detector, Folded]] = {}
    for made in _IN_USE:
        each = msgspec.msgpack.decode(made.folded, type=tuple[Folded, ...])
        found.update((d.name, (d, folded)) for d, folded in zip(made.detectors, each, strict=True))
    return found
