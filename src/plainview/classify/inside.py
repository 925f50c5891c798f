"""How much speaks for a kind where only some cells hold it: inside running text, or as a few values among others.

The more was searched, the likelier is a hit by chance: one number in five thousand lines of a log full of ids is
none. How often such lines hold one by chance was measured (`in:…` in `detectors/base_rates.json`), by the sort of ids
that stand in them; what no line of ids ever held counts from the first hit on.
"""

from __future__ import annotations

import math
import re
from functools import cache

from plainview import tags
from plainview.classify.weighing import CAP, LEAST, PRIOR, Candidate, Seen, log_ratio
from plainview.detectors import Detector, base_rates, chance
from plainview.detectors.checks import SLOW
from plainview.profiles import Count

RARELY = 2.5e-5  # hits a text, of a form that chance may make and that was not met when it was measured
NEVER = 1e-7  # the same of a form that chance never makes
OFTEN = 0.2  # share of the texts with ids, from which on so many forms are tried on so many ids that one always fits
LABELLED = 3.2  # logit that a label of its name and a value of its form add
TRIED = 4.0  # logit: the logarithm of about as many forms as there are in running text
KEYS = frozenset({"secret", "password"})  # long, and by their makers told apart from all else
CHECKED = 0.5  # share of random values of the form that pass a check, up to which passing says something

_CODES = re.compile("in:.*|int[0-9]+|code|hex|grouped|phoneish|dotted.*|decimal|negative")  # shapes that ids have
_PLAIN = re.compile(r"[0-9A-Za-z ./-]{1,24}")


def weigh_inside(detector: Detector, column: Seen) -> Candidate | None:
    """Weigh a detector on matches inside the texts of a column, and on those of its cells that are one as a whole."""
    if not detector.in_text:
        return None
    inside, whole = column.counts.get(tags.inside(detector.name), Count()), _whole(detector, column)
    count = Count(column.filled, inside.matched + whole.matched, inside.valid + whole.valid)
    if not count.valid:
        return None
    expected = by_chance(detector, column)
    tried = TRIED if chancy(detector) and _ids(column) >= OFTEN else 0.0
    ratio = min(CAP, -log_tail(count.valid, expected) - tried, _by_check(detector, count))
    candidate = Candidate(detector, PRIOR + 2.0 + max(-CAP, ratio), count, in_text=True)
    where = "texts hold" if inside.valid else "cells are"
    candidate.evidence.append(f"{count.valid:,} of {count.checked:,} {where} {detector.label}{_chance(expected)}")
    return candidate


def weigh_labelled(detector: Detector, column: Seen) -> Candidate | None:
    """Weigh a detector on what stands behind labels that name it. The sketch says in how many of the texts."""
    hits = column.tags[tags.labelled(detector.name)]
    if not hits:
        return None
    cells = max(hits, round(column.filled * hits / column.distinct))
    logit = PRIOR + 2.0 + min(CAP, LABELLED * hits)
    candidate = Candidate(detector, logit, Count(column.filled, cells, cells), in_text=True)
    candidate.evidence.append(f"{hits:,} of {column.distinct:,} texts have {detector.label} behind a label")
    return candidate


def _whole(detector: Detector, column: Seen) -> Count:
    """Count the cells that are one as a whole, where they are the smaller part: else the column is."""
    passed, formed = column.passed(detector.name), column.tags[tags.formed(detector.name)]
    count = column.counted(detector.name)
    if count is None or 2 * passed >= column.distinct:
        return Count()
    if chancy(detector) and 2 * passed < column.alike(detector.name):  # one code in ten of a sort, and the rest not
        return Count()
    if detector.check in SLOW:  # which is not asked of every cell: the sketch says how many pass
        return Count(count.checked, count.matched, count.valid * passed // max(1, passed + formed))
    return count


def by_chance(detector: Detector, column: Seen) -> float:
    """Return how many of the cells of a column would hold a detector's form by chance."""
    rates = base_rates().get(detector.name, {})
    lines = sum(column.share(tags.token(kind)) * rates.get(f"in:{kind}", 0.0) for kind in tags.TOKENS)
    return column.filled * max(RARELY if chancy(detector) else NEVER, lines, chance(detector.name, column.shapes))


@cache
def chancy(detector: Detector) -> bool:
    """Tell whether chance makes the form: letters and digits, and no sign that stands for something."""
    if detector.category in KEYS:
        return False
    measured = base_rates().get(detector.name, {})
    return any(map(_CODES.fullmatch, measured)) or all(map(_PLAIN.fullmatch, detector.matches))


def log_tail(hits: int, expected: float) -> float:
    """Return the logarithm of the probability of so many hits or more, where `expected` come by chance (Poisson)."""
    if hits <= expected:
        return 0.0
    if hits > 30:  # Chernoff's bound: near enough, and it does not underflow
        return -(hits * math.log(hits / expected) - hits + expected)
    below = math.fsum(math.exp(k * math.log(expected) - expected - math.lgamma(k + 1)) for k in range(hits))
    if below < 0.999:
        return math.log1p(-below)
    return (
        hits * math.log(expected) - expected - math.lgamma(hits + 1)
    )  # the first term of the tail is nearly all of it


def _by_check(detector: Detector, count: Count) -> float:
    """Return what it says that so many of the matches of the form pass the check."""
    given_form = base_rates().get(detector.name, {}).get("given_form", LEAST)
    return log_ratio(count.valid, count.matched, max(LEAST, given_form if given_form < CHECKED else LEAST), 0.92)


def _ids(column: Seen) -> float:
    return max(column.share(tags.token(kind)) for kind in tags.TOKENS)


def _chance(expected: float) -> str:
    return f"; by chance: about {expected:.1f}" if expected >= 0.05 else ""
