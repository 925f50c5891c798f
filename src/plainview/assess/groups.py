"""People by age and by country, from the codes beside the hashes of a sketch.

Of a group of fewer than five no number is told.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil, floor, sqrt

from plainview import codes
from plainview.distinct import Distinct, Rest, Z
from plainview.report.model import PeopleGroup

FEW = 5
UNKNOWN, AGE_UNKNOWN = "unknown", "age unknown"
SHOWN = 0.02  # share of people with a known country or age from which on the groups say something


def examples(sketch: Distinct | Rest) -> int:
    """Return how many have an address that is reserved for examples."""
    return _scaled(sketch, sum(n for code, n in sketch.tally().items() if code & codes.RESERVED))


def mailboxes(sketch: Distinct | Rest) -> int:
    """Return how many are mailboxes of a role, and no reserved examples."""
    found = (n for code, n in sketch.tally().items() if code & codes.ROLE and not code & codes.RESERVED)
    return _scaled(sketch, sum(found))


def counted(sketch: Distinct | Rest, *, apart: bool) -> Distinct | Rest:
    """Return what of a sketch is counted: no mailboxes of a role, and where they are counted apart no examples."""
    tally = sketch.tally()
    without = codes.RESERVED if apart else 0
    gone = {code for code in tally if code & without or (code & codes.ROLE and not code & codes.RESERVED)}
    if not gone:
        return sketch
    left = tuple(code for code, n in tally.items() if code not in gone for _ in range(n))
    share = len(left) / max(1, len(sketch))
    return Rest(left, sketch.estimate * share, sketch.exact, sketch.error)


def minors(sketch: Distinct | Rest) -> tuple[PeopleGroup, ...]:
    """Return how many are surely, and at most, under each age that laws name; nothing where no age is known."""
    tally = sketch.tally()
    aged = sum(n for code, n in tally.items() if code & codes.AGED)
    if aged < max(1, SHOWN * len(sketch)):
        return ()
    groups = []
    for age, flag in codes.UNDER.items():
        surely = sum(n for code, n in tally.items() if code & flag)
        perhaps = sum(n for code, n in tally.items() if code & codes.MAYBE_MINOR) if age == 18 else surely
        groups.append(_group(f"under {age}", sketch, surely, perhaps))
    missing = len(sketch) - aged
    return (*groups, *([_group(AGE_UNKNOWN, sketch, missing, missing)] if missing else []))


def by_country(sketch: Distinct | Rest) -> tuple[PeopleGroup, ...]:
    """Return how many are of each country, the largest first, those of none at the end; nothing where none is known."""
    found: dict[str, int] = {}
    for code, n in sketch.tally().items():
        country = codes.country_of(code) or UNKNOWN
        found[country] = found.get(country, 0) + n
    unknown = found.pop(UNKNOWN, 0)
    if sum(found.values()) < max(1, SHOWN * len(sketch)):
        return ()
    order = sorted(found, key=lambda country: (-found[country], country))
    groups = [_group(country, sketch, found[country], found[country]) for country in order]
    return (*groups, *([_group(UNKNOWN, sketch, unknown, unknown)] if unknown else []))


def of_parts(
    parts: Sequence[Distinct | Rest], groups: Callable[[Distinct | Rest], tuple[PeopleGroup, ...]], unknown: str
) -> tuple[PeopleGroup, ...]:
    """Return the groups of people in several parts that have nobody in common, who may all the same be the same.

    So at least as many are of a kind as in one part, likely and at most as many as in all. `unknown` names the group
    of a part in which nothing is known.
    """
    found = [groups(part) for part in parts]
    if not any(found):
        return ()
    every: dict[str, list[PeopleGroup]] = {}
    for part, known in zip(parts, found, strict=True):
        for one in known or ((_group(unknown, part, len(part), len(part)),) if len(part) else ()):
            every.setdefault(one.name, []).append(one)
    made = [same[0] if len(same) == 1 else _added(same) for same in every.values()]
    last = (UNKNOWN, AGE_UNKNOWN)
    return tuple(sorted(made, key=lambda one: one.name in last))


def _added(same: Sequence[PeopleGroup]) -> PeopleGroup:
    told = [one.estimate for one in same if one.estimate is not None]
    high = sum(one.high or 0 for one in same)
    if 0 < high < FEW:
        return PeopleGroup(name=same[0].name, low=0, estimate=None, high=FEW - 1, few=True)
    low = max(one.low for one in same)
    return PeopleGroup(name=same[0].name, low=low, estimate=sum(told) if told else None, high=high)


def _scaled(sketch: Distinct | Rest, seen: int) -> int:
    return seen if sketch.exact else round(seen / len(sketch) * sketch.estimate)


def _group(name: str, sketch: Distinct | Rest, surely: int, perhaps: int) -> PeopleGroup:
    """Return a group of which `surely` and at most `perhaps` of the kept hashes are members."""
    low, estimate, high = _bounds(sketch, surely, perhaps)
    if 0 < high < FEW:
        return PeopleGroup(name=name, low=0, estimate=None, high=FEW - 1, few=True)
    return PeopleGroup(name=name, low=low, estimate=estimate, high=high)


def _bounds(sketch: Distinct | Rest, surely: int, perhaps: int) -> tuple[int, int, int]:
    if sketch.exact:
        return surely, surely, perhaps
    size, every = len(sketch), sketch.estimate

    def wilson(seen: int, sign: int) -> float:
        share, z = seen / size, Z * Z / size
        return (share + z / 2 + sign * Z * sqrt(share * (1 - share) / size + z / size / 4)) / (1 + z)

    low, high = wilson(surely, -1) * every / (1 + sketch.error), wilson(perhaps, 1) * every / (1 - sketch.error)
    return max(0, floor(low)) if surely else 0, round(surely / size * every), ceil(high)
