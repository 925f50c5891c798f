"""The people of several tables together: those who stand in more than one are counted once, where that can be shown.

Tables are linked by kinds of identifier that they share, never by names alone. What is kept is one sketch for each
kind and each set of kinds that tables have; order and grouping of the tables do not matter, and no record of anybody
comes about.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil, floor, sqrt

from plainview.assess.groups import AGE_UNKNOWN, UNKNOWN, by_country, counted, examples, mailboxes, minors, of_parts
from plainview.assess.people import APART, MADE_UP, MAILBOXES, NAMED, TEST_DATA, rounded
from plainview.crowds import Crowd
from plainview.detectors.identifying import identifying
from plainview.distinct import MOST, Distinct, Rest, Z, made, smallest, union, without
from plainview.report.model import People
from plainview.report.sentences import agreeing

Sketch = dict[int, int]  # hashes with their codes, not cut yet


@dataclass(slots=True)
class Alike:
    """The tables that have the same kinds of identifier, of which `best` counts: sums, and unions of sketches."""

    best: str
    tables: int = 0
    unsaid: int = 0  # tables of these in which nothing identifies
    low: float = 0.0  # of the largest
    estimate: float = 0.0  # sums
    high: float | None = 0.0
    counted: float = 0.0  # what `best` counts in each table, added up
    most: float = 0.0  # the largest estimate
    part: bool = False  # rows of some were not read
    kinds: dict[str, Sketch] = field(default_factory=dict)

    def add(self, crowd: Crowd, kinds: Mapping[str, Distinct]) -> None:
        """Add a table."""
        self.tables += 1
        self.unsaid += not crowd.estimate and crowd.high is not None and not crowd.kinds
        self.part = self.part or crowd.part
        self.low, self.most = max(self.low, crowd.low), max(self.most, crowd.estimate)
        self.estimate += crowd.estimate
        self.high = None if self.high is None or crowd.high is None else self.high + crowd.high
        if self.best:
            self.counted += kinds[self.best].estimate
        for kind, sketch in kinds.items():
            known = self.kinds[kind] = union(self.kinds.get(kind, {}), sketch.items())
            if len(known) > 2 * MOST:
                self.kinds[kind] = smallest(known)

    def people(self) -> tuple[float, float, float | None]:
        """Return the least, the likely and the largest number of different people in these tables."""
        if not self.best:  # nothing links them: all may be the same, or all different
            return self.low, self.estimate, self.high
        low, likely, most = made(self.kinds[self.best]).bounds()
        beside = max(0.0, self.estimate - self.counted)  # of rows without the identifier
        high = None if self.high is None else min(self.high, most + max(0.0, self.high - self.counted))
        return max(low, self.low), max(likely + beside, self.most), None if high is None else max(high, low)


class Total:
    """Adds up the tables of a target, or of a run."""

    def __init__(self) -> None:
        self.alike: dict[tuple[str, tuple[str, ...]], Alike] = {}

    def add(self, crowd: Crowd, place: str) -> None:
        """Add the people of a table. `place` names its target: some kinds mean the same person there alone."""
        if crowd.high == 0 and not crowd.low:
            return

        def named(kind: str) -> str:
            return f"{kind} of {place}" if kind in crowd.here else kind

        kinds = {named(kind): sketch for kind, sketch in crowd.kinds.items()}
        best = named(crowd.best) if crowd.best in crowd.kinds else ""
        self.alike.setdefault((best, tuple(sorted(kinds))), Alike(best)).add(crowd, kinds)

    def people(self) -> People | None:
        """Return how many different people all tables speak of, None where they speak of nobody."""
        if not self.alike:
            return None
        sums = Sums()
        # those with the most kinds first: they bring the others together
        for _, alike in sorted(self.alike.items(), key=lambda item: (-len(item[0][1]), item[0])):
            sums.add(alike)
        return _told(sums, self._different())

    def _different(self) -> list[Rest]:
        """Return the people that each kind of identifier counts, without those that a better one has counted before.

        The tables that a kind counts may hold others beside it; who stands there is known under these as well.
        """
        before: dict[str, Sketch] = {}
        parts = []
        for kind in sorted({each.best for each in self.alike.values() if each.best}, key=_rank):
            mine: Sketch = {}
            seen: dict[str, Sketch] = {}
            for each in (each for each in self.alike.values() if each.best == kind):
                mine = union(mine, each.kinds[kind].items())
                for other, sketch in each.kinds.items():
                    seen[other] = union(seen.get(other, {}), sketch.items())
            parts.append(without(made(mine), before.get(kind, {})))
            for other, sketch in seen.items():
                before[other] = smallest(union(before.get(other, {}), sketch.items()))
        return parts


def _rank(kind: str) -> tuple[int, str]:
    plain = kind.split(" of ", maxsplit=1)[0]
    ranks = {each.category: each.rank for each in (*identifying().values(), *NAMED.values())}
    return ranks.get(plain, len(ranks)), kind


@dataclass(slots=True)
class Sums:
    """People of the tables so far, and the union of the sketches of each kind of identifier."""

    low: float = 0.0
    likely: float = 0.0
    high: float | None = 0.0
    tables: int = 0
    linked: dict[str, int] = field(default_factory=dict)  # tables that were linked by a kind
    part: bool = False
    alone: int = 0  # tables that nothing links to others
    nobody: int = 0  # tables in which nothing identifies
    counted: bool = False  # in some table people were counted
    known: dict[str, Sketch] = field(default_factory=dict)

    def add(self, alike: Alike) -> None:
        """Add tables that have the same kinds."""
        low, likely, high = alike.people()
        self.part = self.part or alike.part
        self.counted = self.counted or bool(alike.estimate)
        self.nobody += alike.unsaid
        if alike.best and alike.tables > 1:
            self.linked[alike.best] = self.linked.get(alike.best, 0) + alike.tables
        shared = [(overlap(self.known[kind], alike.kinds[kind]), kind) for kind in alike.kinds if kind in self.known]
        if shared:
            (_, share, _), _ = best = max(shared, key=lambda one: (one[0][1], one[1]))
            least, _, most = best[0]
            self.linked[best[1]] = max(self.linked.get(best[1], 1), 1) + (alike.tables if alike.best != best[1] else 1)
            without = max(0.0, self.likely - made(self.known[best[1]]).estimate)  # who may be the same for all we know
            self.low = max(self.low, low, self.low + low * (1 - most) - without)
            self.likely = max(self.likely + likely * (1 - share), likely)
            self.high = None if self.high is None or high is None else max(self.high + high - likely * least, high)
        else:
            self.alone += alike.tables - alike.unsaid if self.tables or not alike.best else 0
            self.low = max(self.low, low)
            self.likely += likely
            self.high = None if self.high is None or high is None else self.high + high
        self.likely = max(self.low, self.likely)
        self.high = None if self.high is None else max(self.high, self.likely)
        self.tables += alike.tables - alike.unsaid
        for kind, sketch in alike.kinds.items():
            self.known[kind] = smallest(union(dict(self.known.get(kind, {})), sketch.items()))


def overlap(known: Sketch, more: Sketch) -> tuple[float, float, float]:
    """Return the least, the likely and the largest share of the things in `more` that are in `known` as well."""
    bound = min((max(each) for each in (known, more) if len(each) >= MOST), default=1 << 64)
    seen = [key for key in more if key <= bound]
    if not seen:
        return 0.0, 0.0, 1.0
    share = sum(key in known for key in seen) / len(seen)
    if len(known) < MOST and len(more) < MOST:
        return share, share, share
    slack = Z * sqrt((share * (1 - share) + 1 / len(seen)) / len(seen))
    return max(0.0, share - slack), share, min(1.0, share + slack)


def words_of(kind: str) -> str:
    """Return a kind of identifier in words; what is comparable in one target alone has its place behind it."""
    plain = kind.split(" of ", maxsplit=1)[0]
    named = next((each.words for each in NAMED.values() if each.category == plain), "")
    return identifying()[plain].words if plain in identifying() else named


def _told(sums: Sums, parts: Sequence[Rest]) -> People:
    exact = all(len(sketch) < MOST for sketch in sums.known.values())
    reasons = [f"{tables} tables are linked by {words_of(kind)}" for kind, tables in sorted(sums.linked.items())]
    if sums.alone and sums.tables > 1:
        text = f"{sums.alone} tables have no identifier that others share: their people may be the same or others"
        reasons.append(agreeing(text))
    if sums.nobody:
        text = f"{sums.nobody} tables do not say whose their rows are: at most one person more for each row"
        reasons.append(agreeing(text))
    if sums.part:
        reasons.append("of some tables only a part was read, so how many there are cannot be told")
    elif sums.high is None:
        reasons.append("people in free text are not counted, so how many more there are is open")
    low, likely, high = sums.low, sums.likely, sums.high
    if shared := sum(map(mailboxes, parts)):
        reasons.append(MAILBOXES.format(shared))
        low, likely = max(0.0, low - shared), max(0.0, likely - shared)
        high = None if high is None else max(0.0, high - shared)
    apart = sum(map(examples, parts))
    made_up = apart >= TEST_DATA * sum(part.estimate for part in parts)
    if apart and made_up:
        reasons.append(MADE_UP)
    elif apart:
        reasons.append(APART.format(apart))
        low, likely = max(0.0, low - apart), max(0.0, likely - apart)
        high = None if high is None else max(0.0, high - apart)
    left = [counted(part, apart=not made_up) for part in parts]
    if not exact:
        reasons.append(f"estimated from {MOST:,} of them, right to {Z / sqrt(MOST - 2):.1%} in 99 of 100 cases")
    return People(
        low=floor(low) if exact else rounded(low, down=True),
        estimate=None if sums.part or not sums.counted else round(likely) if exact else rounded(likely),
        high=None if high is None else ceil(high) if exact else rounded(high, down=False),
        examples=apart,
        minors=of_parts(left, minors, AGE_UNKNOWN),
        by_country=of_parts(left, by_country, UNKNOWN),
        reasons=tuple(reasons),
    )


def total_of(crowds: Sequence[Crowd], place: str = "") -> People | None:
    """Return the people of several tables of one target."""
    total = Total()
    for crowd in crowds:
        total.add(crowd, place)
    return total.people()
