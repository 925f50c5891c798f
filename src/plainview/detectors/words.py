"""Word books: whether a word is an entry of a vocabulary, without a set of all its entries at first.

To make the sets of the large vocabularies takes 85 ms, and one table asks for a few thousand words of them. So their
files, which are sorted by code point, are searched as they lie: in one block of lines, which bisection finds. For one
word that takes ten to thirty times as long as a set does; a book that is asked often turns into the set.
"""

from __future__ import annotations

import functools
import threading
from bisect import bisect
from collections.abc import Collection, Container

from plainview.detectors import VOCABULARIES, vocabulary

BLOCK = 512  # bytes that are searched at once
LARGE = 100_000  # bytes of a file from which on making its set takes longer than the searches for one table
PER_WORD = 128  # bytes of a file for each search that it may serve: then half the time for its set has gone to searches


@functools.cache
def blocks(name: str) -> tuple[bytes, ...]:
    """Return a large vocabulary in pieces of some lines, each between two line ends; () for a small one."""
    try:
        text = (VOCABULARIES / f"{name}.txt").read_bytes()
    except OSError:
        return ()  # `vocabulary` says so
    if len(text) < LARGE or b"\r" in text:
        return ()
    text = b"\n" + text.rstrip(b"\n") + b"\n"
    made, start, last = [], 0, len(text) - 1
    while start < last:
        end = text.find(b"\n", start + BLOCK, last)
        end = last if end < 0 else end
        made.append(text[start : end + 1])
        start = end
    return tuple(made)


class WordBook:
    """The entries of some vocabularies together: `in` answers as for a set of them. Safe to share between threads.

    Raises DetectorError where there is no such vocabulary.
    """

    def __init__(self, names: Collection[str]) -> None:
        self.names = names
        self.words: frozenset[str] = frozenset().union(*(vocabulary(name) for name in names if not blocks(name)))
        self.searched = [made for name in names if (made := blocks(name))]
        size = sum(len(block) for made in self.searched for block in made)
        self._turning = threading.Lock()
        self.left = size // (PER_WORD * max(1, len(self.searched)))  # how often it may be asked until it is a set

    def __contains__(self, word: object) -> bool:
        searched = self.searched  # first: where another thread empties it now, `words` were complete before
        if word in self.words:
            return True
        if not searched or not isinstance(word, str) or "\n" in word:
            return False
        self.left -= 1
        if self.left < 0 and self._turning.acquire(blocking=False):  # one thread does it, others search on
            return word in self.complete()
        line = f"\n{word}\n".encode("utf-8", "surrogatepass")
        behind = line + b"\xff"  # sorts behind all that begins with this line
        for made in searched:  # noqa: SIM110  a generator takes as long as the search
            if line in made[bisect(made, behind) - 1]:
                return True
        return False

    def complete(self) -> frozenset[str]:
        """Turn into a set."""
        sets = [vocabulary(name) for name in self.names]
        self.words = sets[0] if len(sets) == 1 else frozenset().union(*sets)
        self.searched = []
        if len(sets) == 1:
            BOOKS.update(dict.fromkeys(self.names, self.words))
        return self.words


class _Books(dict[str, Container[str]]):
    def __missing__(self, name: str) -> Container[str]:
        return self.setdefault(name, WordBook((name,)) if blocks(name) else vocabulary(name))


BOOKS = _Books()  # by the name of the vocabulary: a book that became a set stands here as the set that it is
