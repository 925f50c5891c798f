"""Where somebody was, and when: positions beside moments and what goes with a person, again and again.

A position alone says where a person lives, or a station stands. Of a plate, a telephone or a number of identity that
comes back with other positions and moments, it is a history of movements, whatever the table says of people.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from plainview.classify.weighing import SHOWN, Candidate, Seen
from plainview.detectors import Detector
from plainview.detectors.fieldnames import tokens
from plainview.detectors.identifying import identifying

GOES_WITH_A_PERSON = frozenset("vehicle_plate vehicle_vin device_identifier mac_address face_template".split())
SURE = 0.9
AGAIN = 3  # rows of each of them, on average
TIMES = frozenset("time timestamp ts datetime 时间 時刻 zeit zeitpunkt".split())


def by_movement(
    seen: Mapping[str, Seen], weighed: Mapping[str, Sequence[Candidate]], detectors: Mapping[str, Detector]
) -> dict[str, Candidate]:
    """Return the history of locations that each column of positions is a part of, by path."""
    detector = detectors.get("location_history")
    positions = {
        path: best
        for path, candidates in weighed.items()
        if (best := max((c for c in candidates if _is_position(c)), key=lambda c: c.logit, default=None))
    }
    if detector is None or not positions or not any(_is_moment(path, column) for path, column in seen.items()):
        return {}
    mover = next((path for path, column in seen.items() if _comes_again(column, weighed[path])), None)
    if mover is None:
        return {}
    words = f"positions beside moments, of the same in {mover} again and again"
    return {path: replace(c, detector=detector, evidence=[*c.evidence, words]) for path, c in positions.items()}


def _is_position(candidate: Candidate) -> bool:
    return candidate.detector.category == "location_gps" and candidate.confidence >= SHOWN and not candidate.in_text


def _is_moment(path: str, column: Seen) -> bool:
    """Tell whether a column holds moments: as texts, or as numbers under a name that says so."""
    if column.distinct and column.shapes["datetime"] >= SURE * column.distinct:
        return True
    named = not TIMES.isdisjoint(tokens(path.rsplit(".", 1)[-1]))
    return named and column.shapes["int10"] + column.shapes["int13"] >= SURE * max(1, column.distinct)


def _comes_again(column: Seen, candidates: Sequence[Candidate]) -> bool:
    """Tell whether a column holds what goes with a person, each of them in several rows."""
    if not 1 < AGAIN * column.different <= column.filled:
        return False
    kinds = identifying().keys() | GOES_WITH_A_PERSON
    return any(
        c.detector.category in kinds and c.confidence >= SURE and c.passing >= SHOWN and not c.in_text
        for c in candidates
    )
