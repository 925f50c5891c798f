"""Is a column that is given 0.95 right in 95 of 100 cases? The reliability curve, on tables made by rule.

    python bench/calibration.py

Each finding of the tables of `wide.py` (40 kinds, 20 languages, telling and opaque names) and `places.py` (open data
about places, 10 languages) is one observation: its confidence, and whether the column is of that kind. The weights of
`classify` (priors, caps, logits of names and neighbours) were set on other data: on the labelled public tables and the
hard negatives of the tests. Word lists and field names were mended by these tables, so recall on them flatters.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import places
import wide

EDGES = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 1.0001)


def interval(right: int, number: int) -> tuple[float, float]:
    """Return the 95 % interval of a share (Wilson)."""
    z, share = 1.96, right / number
    middle, half = (
        share + z * z / (2 * number),
        z * math.sqrt(share * (1 - share) / number + z * z / (4 * number**2)),
    )
    return (middle - half) / (1 + z * z / number), (middle + half) / (1 + z * z / number)


def curve(observed: Sequence[tuple[float, bool]]) -> list[str]:
    """Return a line for each interval of confidence in which there is something."""
    lines = []
    for low, high in itertools.pairwise(EDGES):
        own = [(confidence, right) for confidence, right in observed if low <= confidence < high]
        if own:
            right = sum(ok for _, ok in own)
            said = sum(confidence for confidence, _ in own) / len(own)
            least, most = interval(right, len(own))
            lines.append(
                f"| {low:.2f} to {min(high, 1):.2f} | {len(own)} | {said:.3f} | {right / len(own):.3f} | "
                f"{least:.3f} to {most:.3f} |"
            )
    return lines


def main() -> None:
    for name, observed in (
        ("wide.py", wide.measure().sure),
        ("places.py", places.measure()[2]),
    ):
        print(f"\n{name}\n\n| confidence | findings | mean | right | 95 % |\n|---|---|---|---|---|")
        print(*curve(observed), sep="\n")
        sure = [right for confidence, right in observed if confidence >= 0.9]
        print(f"\nof {len(sure)} given 0.9 or more, {sum(sure) / max(1, len(sure)):.3f} are right")


if __name__ == "__main__":
    main()
