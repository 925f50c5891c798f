"""Names that differ from each other, in time that follows their number, however many are alike."""

from __future__ import annotations

from collections.abc import Iterable


class Distinct:
    """Gives `name`, then `name_2`, `name_3` …; `mark` is what stands before the number."""

    def __init__(self, taken: Iterable[str] = (), mark: str = "_") -> None:
        self.taken = set(taken)
        self._mark = mark
        self._next: dict[str, int] = {}

    def of(self, name: str) -> str:
        """Return the name, or the first of its variants that was not given yet."""
        if name not in self.taken:
            self.taken.add(name)
            return name
        number = self._next.get(name, 2)
        while (unique := f"{name}{self._mark}{number}") in self.taken:
            number += 1
        self._next[name] = number + 1
        self.taken.add(unique)
        return unique


__all__ = ["Distinct"]
