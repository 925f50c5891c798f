"""How many different things there are: the smallest keyed hashes, which add up. Exact while there are few.

A hash is made under a random key of the run (`Key`) and lives in memory: in this process, and in messages between
the processes of one run. Nothing here prints one.
"""

from __future__ import annotations

import secrets
import sys
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from math import sqrt

import msgspec

from plainview.codes import joined

MOST = 16_384  # hashes that are kept; below that the count is exact
SPACE = 2.0**64
Z = 2.8  # standard errors on both sides that hold 99.5 of 100 counts


class Key:
    """The random key of one run. It has no text form and cannot be written."""

    __slots__ = ("_secret",)

    def __init__(self, secret: bytes = b"") -> None:
        self._secret = secret or secrets.token_bytes(32)

    def __repr__(self) -> str:
        return "Key(…)"

    def __reduce__(self) -> str:
        raise TypeError("the key of a run stays in memory")

    def share(self) -> bytes:
        """Return it for a worker of the same run."""
        return self._secret

    def seed(self, form: str) -> int:
        """Return the seed of the hashes of values of one form, from 0 to 2**64 - 1."""
        return int.from_bytes(blake2b(form.encode(), key=self._secret, digest_size=8).digest(), "little")


class Distinct(msgspec.Struct, frozen=True, array_like=True):
    """The MOST smallest hashes of the distinct things seen, each with a code that says what kind of thing it is.

    `hashes` are unsigned numbers of 64 bits, ascending; `codes` unsigned numbers of 16 bits, one for each. What a code
    means stands in `codes`.
    """

    hashes: bytes = b""
    codes: bytes = b""

    def __repr__(self) -> str:
        return f"Distinct({len(self)} of about {self.estimate:,.0f})"

    def __len__(self) -> int:
        return len(self.hashes) >> 3

    def __bool__(self) -> bool:
        return bool(self.hashes)

    def merge(self, other: Distinct) -> Distinct:
        """Return what both have seen together."""
        if not (self and other):
            return self or other
        return made(union(dict(self.items()), other.items()))

    def items(self) -> Iterable[tuple[int, int]]:
        """Return the hashes with their codes. Raises ValueError where the two are not of one length."""
        return zip(_numbers("Q", self.hashes), _numbers("H", self.codes), strict=True)

    @property
    def exact(self) -> bool:
        """True when all distinct things are kept."""
        return len(self) < MOST

    @property
    def estimate(self) -> float:
        """How many different things were seen."""
        return float(len(self)) if self.exact else (MOST - 1) * SPACE / _numbers("Q", self.hashes)[-1]

    @property
    def error(self) -> float:
        """The largest relative error of `estimate` in 99.5 of 100 cases."""
        return 0.0 if self.exact else Z / sqrt(MOST - 2)

    def bounds(self) -> tuple[float, float, float]:
        """Return the least, the likely and the largest number."""
        likely = self.estimate
        return likely / (1 + self.error), likely, likely / (1 - self.error)

    def unsaid(self, flags: int) -> Distinct:
        """Return the same things, of none of which these flags are said."""
        return Distinct(self.hashes, _packed("H", (code & ~flags for code in _numbers("H", self.codes))))

    def tally(self) -> Mapping[int, int]:
        """Return how many of the things that are kept have each code."""
        return Counter(_numbers("H", self.codes))


@dataclass(frozen=True, slots=True)
class Rest:
    """What of a sketch is left beside another: it tells as much as a sketch and cannot be added to one."""

    codes: tuple[int, ...]
    estimate: float
    exact: bool
    error: float

    def __len__(self) -> int:
        return len(self.codes)

    def tally(self) -> Mapping[int, int]:
        """Return how many of the things that are kept have each code."""
        return Counter(self.codes)


def without(sketch: Distinct, known: Mapping[int, int]) -> Rest:
    """Return what is in a sketch and not among hashes that are known, which are all, or the MOST smallest."""
    exact = sketch.exact and len(known) < MOST
    bound = min(_ends(sketch, known), default=SPACE)
    below = [(key, code) for key, code in sketch.items() if key <= bound]
    left = tuple(code for key, code in below if key not in known)
    share = len(left) / max(1, len(below))
    return Rest(left, sketch.estimate * share, exact, 0.0 if exact else Z / sqrt(max(1, len(below) - 2)))


def _ends(sketch: Distinct, known: Mapping[int, int]) -> Iterable[float]:
    if not sketch.exact:
        yield _numbers("Q", sketch.hashes)[-1]
    if len(known) >= MOST:
        yield max(known)


def shared(one: Distinct, other: Distinct) -> float:
    """Return the share of the things in the smaller of two sketches that are in the other as well, from 0 to 1."""
    if not (one and other):
        return 0.0
    bound = min((_numbers("Q", each.hashes)[-1] for each in (one, other) if not each.exact), default=SPACE)
    first, second = ({key for key, _ in each.items() if key <= bound} for each in (one, other))
    return len(first & second) / max(1, min(len(first), len(second)))


def _numbers(kind: str, packed: bytes) -> array[int]:
    numbers = array(kind)
    numbers.frombytes(packed)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


def _packed(kind: str, numbers: Iterable[int]) -> bytes:
    found = array(kind, numbers)
    if sys.byteorder == "big":
        found.byteswap()
    return found.tobytes()


def union(known: dict[int, int], more: Iterable[tuple[int, int]]) -> dict[int, int]:
    """Add hashes, each of them once, with their codes to `known`, which is returned."""
    new = dict(more)
    for key in known.keys() & new.keys():
        if known[key] != new[key]:
            new[key] = joined(known[key], new[key])
    known.update(new)
    return known


def smallest(known: Mapping[int, int]) -> dict[int, int]:
    """Keep the MOST smallest hashes, in their order."""
    return {key: known[key] for key in sorted(known)[:MOST]}


def made(known: Mapping[int, int]) -> Distinct:
    """Return the sketch of hashes with their codes."""
    kept = smallest(known)
    return Distinct(_packed("Q", kept), _packed("H", kept.values()))
