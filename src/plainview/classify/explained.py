"""Why a column was taken for what was said, and not for something else: each piece of evidence with its weight."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fnmatch import fnmatchcase

from plainview.classify.weighing import Candidate, Seen
from plainview.report.model import Explained, Guess, Weight

OTHERS = 2  # kinds that were not said, the likeliest first
NEIGHBOURS = "what the table and its other columns say"


def is_wanted(pattern: str, table: str, path: str) -> bool:
    """Tell whether a pattern (`table.column`, `column`, with `*`) speaks of a column."""
    return any(fnmatchcase(name, pattern) for name in (f"{table}.{path}", path))


def explained(path: str, column: Seen, candidates: Sequence[Candidate], chosen: Sequence[Candidate]) -> Explained:
    """Return the evidence for what was chosen, and for the next that were not."""
    rest = sorted((one for one in candidates if one not in chosen), key=lambda one: -one.logit)[:OTHERS]
    said = [_guess(one, said=True) for one in chosen]
    return Explained(
        path=path,
        cells=column.filled,
        sampled=column.distinct,
        guesses=(*said, *(_guess(one, said=False) for one in rest)),
    )


def _guess(one: Candidate, *, said: bool) -> Guess:
    weights = list(one.weights) or [("; ".join(one.evidence) or "by how its values are spread", one.logit)]
    left = one.logit - math.fsum(value for _, value in weights)
    if abs(left) > 1e-9:
        weights.append((NEIGHBOURS, left))
    return Guess(
        category=one.detector.category,
        detector=one.detector.name,
        said=said,
        confidence=round(one.confidence, 3),
        matched=one.count.valid if said or one.in_text or one.passed or not one.detector.has_values else 0,
        checked=one.count.checked,
        in_text=one.in_text,
        weights=tuple(Weight(words=words, value=round(value, 2)) for words, value in weights),
    )


__all__ = ["explained", "is_wanted"]
