"""Every walk over what a store lists or counts goes through a `Paging`: it ends what the store does not end.

A store decides which page is its last, so a hostile one has none. What is bounded are pages, marks and requests, not
only what came: a page that brings nothing new, a mark that was given before, next to nothing in page after page, or
more than the store itself said there is, each ends the walk. And where less came than the store said, that is reported.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from plainview.errors import PlainviewError, ProtocolError, ReadError

if TYPE_CHECKING:
    from plainview.wire.traffic import Traffic

EMPTY = 20  # pages in a row that may bring nothing new
FREE = 100  # pages that a walk may have, whatever is in them
WORTH = 50  # and for each full page so many more: a page may be a fiftieth full on the average
SAVED = 10  # times FREE that full pages can be worth later
FULL = 1 << 20  # bytes that make a page full, however few items it has
MORE = 4  # times what the store said there is: tables of hashes that grow or shrink show some of their keys again
GROWTH = 1_000  # items that may have come in meanwhile, besides
COUNTED = 3  # times that a store which grows is asked for its count again
KNOWN = 100_000  # pages and marks that are remembered at least


class EndlessError(ProtocolError):
    """The store's pages have no end."""


@dataclass(slots=True)
class Paging:
    """One walk. `subject` names it, with its verb: "SCAN does", "the pages of the list do".

    `said` is how many items the store says there are, `size` how many a full page has, `recount` asks the store for
    `said` again; `empty`, `free` and `growth` are what the constants of those names say. Every further request is
    earned by what came: see `Traffic.earn`.
    """

    wire: Traffic
    subject: str
    said: int | None = None
    size: int = 1_000
    empty: int = EMPTY
    free: int = FREE
    growth: int = GROWTH
    recount: Callable[[], int | None] | None = None
    items: int = field(default=0, init=False)
    pages: int = field(default=0, init=False)
    idle: int = field(default=0, init=False)  # pages in a row that brought nothing new
    _left: float = field(default=0.0, init=False)  # pages that may still hold next to nothing
    _counted: int = field(default=0, init=False)
    _known: set[int] = field(default_factory=set, init=False)
    _older: set[int] = field(default_factory=set, init=False)

    def __post_init__(self) -> None:
        self._left = self.free

    def page(
        self, items: int = 0, *, mark: Hashable = None, same: Hashable = None, size: int = 0, received: int = 0
    ) -> bool:
        """Take an answer; return False where all of it came before. Raises EndlessError.

        `mark` is what the next page is asked for by, None where that does not tell pages apart; `same` is equal for
        pages with the same items, None where honest pages may be. `size` is that of this page; `received` its bytes.
        """
        self.pages += 1
        if mark is not None and not self._fresh(("mark", mark)):
            self._stop("a mark was given twice")
        new = (items > 0 or received > 0) and (same is None or self._fresh(("page", same)))
        self.idle = 0 if new else self.idle + 1
        if self.idle > self.empty:
            self._stop(f"{self.idle:,} pages in a row brought nothing new")
        self._left -= 1
        if new:
            full = min(1.0, max(items / (size or self.size), received / FULL))
            self._left = min(self._left + WORTH * full, SAVED * self.free)
            self.came(items)
        if self._left < 0:
            self._stop(f"{self.pages:,} pages brought {self.items:,} items")
        return new

    def came(self, items: int) -> None:
        """Count items, of a page or of an answer that is read piece by piece. Raises EndlessError."""
        self.items += items
        self.wire.earn(items)
        while self.said is not None and self.items > MORE * self.said + self.growth:
            again = self._again() if self._counted < COUNTED else None
            self._counted += 1
            if again is None or again <= self.said:
                self._stop(f"the store said that there are {self.said:,}, and {self.items:,} came")
            self.said = again

    def end(self, items: str, *, came: int | None = None, excused: Callable[[], int] = int) -> None:
        """Raise ReadError where less came than the store says there is; see `short`."""
        if why := self.short(items, came=came, excused=excused):
            raise ReadError(why)

    def short(self, items: str, *, came: int | None = None, excused: Callable[[], int] = int) -> str:
        """Return how much less came than the store says there is, or nothing: `items` names them ("documents").

        The store may change while it is read, so it is asked again: the difference is reported where it is larger than
        what the store itself changed by meanwhile, and than what `excused` says is counted and cannot be shown.
        """
        read = self.items if came is None else came
        if self.said is None or read >= self.said:
            return ""
        again = self._again()
        after = self.said if again is None else again
        least = min(self.said, after)
        if least - read <= abs(self.said - after) or least - read <= abs(self.said - after) + excused():
            return ""
        return f"{read:,} of {least:,} {items} came, by the store's own count"

    def _again(self) -> int | None:
        """Ask the store for its count again; None where it gives none."""
        if self.recount is None:
            return None
        try:
            return self.recount()
        except PlainviewError:
            return None

    def _fresh(self, seen: Hashable) -> bool:
        number = hash(seen)
        if number in self._known or number in self._older:
            return False
        if len(self._known) >= KNOWN:
            self._known, self._older = set(), self._known
        self._known.add(number)
        return True

    def _stop(self, why: str) -> None:
        raise EndlessError(f"{self.subject} not come to an end: {why}")


def alike(data: bytes | bytearray | memoryview) -> Hashable:
    """Return what tells the bytes of two pages apart, without a look at each: their length, beginning and end."""
    return len(data), bytes(data[:4096]), bytes(data[-4096:])


__all__ = ["EndlessError", "Paging", "alike"]
