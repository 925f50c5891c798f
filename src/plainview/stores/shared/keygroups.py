"""Names of key-value stores as tables: `user:17`, `user:18` become the table `user:{}`.

Which parts of a key are words of the program and which are values is learnt from a first sample: a word
comes back under many keys, a value (a number, a person's name) does not.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from plainview.documents.keys import values_among

SAMPLE = 5_000
SEGMENTS = 6
SEPARATOR = re.compile(r"([:/|])")
WORD = re.compile(r"[^\W0-9][^\W0-9]*(?:[-.][^\W0-9]+)*")  # letters of any script, no digit, no blank, no @
HOLE = "{}"


@dataclass(slots=True)
class _Node:
    words: dict[str, _Node] = field(default_factory=dict)
    other: _Node | None = None


class KeyGroups:
    """Gives each key the name of its group. `learn` once, then `name`."""

    def __init__(self) -> None:
        self._root = _Node()

    def learn(self, keys: Iterable[bytes]) -> None:
        """Take a sample of keys to tell words from values."""
        self._root = _grow([_parts(key)[0::2] for key in keys], top=True)

    def name(self, key: bytes) -> str:
        """Return the group of a key, such as `user:{}` or `cart:{}:items`."""
        parts = _parts(key)
        node: _Node | None = self._root
        for at in range(0, len(parts), 2):
            word = parts[at]
            if node is not None and word in node.words:
                node = node.words[word]
            else:
                parts[at] = HOLE
                node = node.other if node is not None else None
        return "".join(parts)


def _parts(key: bytes) -> list[str]:
    """Return segments and separators in turn, at most SEGMENTS segments."""
    return SEPARATOR.split(key[:200].decode("utf-8", "replace"), SEGMENTS - 1)


def _grow(rows: list[list[str]], *, top: bool) -> _Node:
    groups: dict[str, list[list[str]]] = defaultdict(list)
    for row in rows:
        groups[row[0]].append(row[1:])
    words = {word for word in groups if not word or (len(word) <= 32 and WORD.fullmatch(word))}
    repeated = {word for word in words if len(groups[word]) > 1}
    # Many different words with few keys each are values; at the top a few names of single keys may stay.
    if len(repeated) > 8 and sum(len(groups[word]) for word in repeated) < 5 * len(repeated):
        repeated = set()
    alone = words - repeated
    if top and len(alone) <= 20:
        repeated |= alone
    kept = set(sorted(repeated, key=lambda word: -len(groups[word]))[:200])
    kept -= values_among(kept)  # `Anna:orders`, `Anna:cart`
    node = _Node()
    others: list[list[str]] = []
    for word, rest in groups.items():
        longer = [row for row in rest if row]
        if word in kept:
            node.words[word] = _grow(longer, top=top and not word) if longer else _Node()
        else:
            others += longer
    if others:
        node.other = _grow(others, top=False)
    return node
