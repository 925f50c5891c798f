"""What a column is taken for when neither its name nor the form of its values says it: by how they are spread."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping

from plainview import tags
from plainview.classify.weighing import MANY_NAMES, Candidate, Seen, share_of_words
from plainview.detectors import Detector
from plainview.detectors.fieldnames import tokens
from plainview.detectors.subjects import EVENTS, KNOWN, thing
from plainview.profiles import Count

NAMES = frozenset({tags.GIVEN, tags.SURNAME})
MOST_ANSWERS = 60  # words that come again and again
FULL_SKETCH = 100  # distinct values of a sketch that has no room for all
FACE_LENGTHS = frozenset({128, 256, 512, 2622, 4096})  # dlib, FaceNet, ArcFace, VGG-Face


def by_years(path: str, column: Seen, detectors: Mapping[str, Detector], *, person: bool) -> Candidate | None:
    """Take dates without a telling name for birth dates when they are spread as birth years are.

    Dates of a business lie in the last years and close together; people are born over decades, and the
    youngest customers are seldom infants.
    """
    detector = detectors.get("birth_date")
    if not person or detector is None or not EVENTS.isdisjoint(tokens(path.rsplit(".", 1)[-1])):
        return None
    years = sorted(
        year for tag, count in column.tags.items() if (year := tags.year_of(tag)) is not None for _ in range(count)
    )
    if len(years) < 8 or len(years) < 0.9 * column.distinct:
        return None
    now = time.gmtime().tm_year
    low, middle, high = years[len(years) // 10], years[len(years) // 2], years[-len(years) // 10]
    if high - low < 15 or not 16 <= now - middle <= 85 or years[-1] > now - 3 or years[0] < now - 120:
        return None
    count = Count(column.filled, column.filled, column.filled)
    words = f"dates from {years[0]} to {years[-1]}, spread as birth years are, in a table about people"
    return Candidate(detector, 0.8, count, [words])


def by_calls(column: Seen, detectors: Mapping[str, Detector], *, person: bool) -> Candidate | None:
    """Take numbers written in several ways for telephone numbers when some of them can be nothing else.

    One column holds `+48 32 137 76 01`, `796 870 432` and `0048 …`: few forms pass, but all are digits grouped
    like a number to be called. Without a plus sign or brackets the table must be about people.
    """
    detector = detectors.get("telephone_number")
    if detector is None or column.distinct < 8 or column.passed("telephone_number_plain") < 0.95 * column.distinct:
        return None
    written = column.passed("telephone_number")
    signed = column.shapes["phoneish"] >= 0.2 * column.distinct
    dialled = written + column.passed("telephone_number_national")
    home = person and column.distinct >= MANY_NAMES and dialled >= 0.95 * column.distinct
    if not (written >= 0.25 * column.distinct and (signed or person)) and not home:
        return None
    count = Count(column.filled, column.filled, column.filled)
    words = f"{written:,} of {column.distinct:,} distinct values looked at have the form"
    words += ", and the others that of one dialled at home" if home else ", and the others digits grouped like it"
    return Candidate(detector, 1.5 if signed else 0.8, count, [words])


def by_mixture(path: str, column: Seen, detectors: Mapping[str, Detector]) -> Candidate | None:
    """Take a column for names of persons in which some stand in full and others are one word, which no list explains.

    `Anna` and `Anna Smith` are found by different lists, each in its half of the column.
    """
    detector = detectors.get("person_name")
    own = tokens(path.rsplit(".", 1)[-1])
    if detector is None or column.distinct < MANY_NAMES or column.repeats or column.share(tags.FULL) < 0.15:
        return None
    if thing(own, first=True) or not KNOWN.isdisjoint(own):
        return None
    known = sum(1 for same in column.sketch.values() if tags.FULL in same or not NAMES.isdisjoint(same))
    if known < 0.8 * column.distinct or column.share(tags.PLACE) > 0.4 or column.share(tags.COMPANY) > 0.1:
        return None
    cells = round(column.filled * known / column.distinct)
    words = f"{known:,} of {column.distinct:,} distinct values looked at are names, some of them in full"
    return Candidate(detector, 2.0, Count(column.filled, cells, cells), [words], passing=known / column.distinct)


def by_kin(column: Seen, detectors: Mapping[str, Detector], *, given: bool) -> Candidate | None:
    """Take words of which many are family names for such names beside a column of given names.

    No list of family names is complete; of ordinary words hardly one in fifty is in it.
    """
    detector = detectors.get("person_name_family")
    if detector is None or not given or column.distinct < MANY_NAMES or column.repeats:
        return None
    known, places = column.share(tags.SURNAME), column.share(tags.PLACE)
    if known < 0.35 or places > 0.5 * known or share_of_words(column) < 0.9 or column.share(tags.FULL) > 0.1:
        return None
    count = column.counted(detector.name) or Count(column.filled, 0, 0)
    words = f"{column.tags[tags.SURNAME]:,} of {column.distinct:,} distinct values looked at are known family names"
    return Candidate(detector, 0.8, count, [words + ", beside a column of given names"])


def by_card(column: Seen, detectors: Mapping[str, Detector]) -> Candidate | None:
    """Take numbers of three digits for security codes beside payment cards, where they vary as random ones do."""
    detector = detectors.get("security_code")
    if detector is None or column.distinct < 8 or column.shapes["int3"] < 0.9 * column.distinct:
        return None
    cells = min(column.filled, 2_000)
    random = 1000 * (1 - math.exp(-cells / 1000))  # distinct ones among so many
    if column.distinct < min(0.8 * random, FULL_SKETCH):
        return None
    count = Count(column.filled, column.filled, column.filled)
    return Candidate(detector, 0.8, count, ["numbers of three digits, all different, beside payment cards"])


def by_words(column: Seen, detectors: Mapping[str, Detector]) -> Candidate | None:
    """Take words for the kind whose list holds them, in a table about people: Catholic, Methodist, none.

    Lists overlap, and hold words of everyday: two thirds of all must be in one, and more than two of them.
    """
    if column.distinct > MOST_ANSWERS or column.filled < 2 * column.distinct or share_of_words(column) < 0.6:
        return None
    found = {tags.passed_of(tag): count for tag, count in column.tags.items()}
    known = [(found[d.name], d) for d in detectors.values() if d.needs_name and d.vocabulary and d.name in found]
    number, detector = max(known, key=lambda one: one[0], default=(0, None))
    sexes = detector is not None and detector.category == "gender" and number == column.distinct == 2
    if detector is None or number < (2 if sexes else 3) or number < 0.66 * column.distinct:
        return None
    if column.share(tags.SHORT) > 0.5:
        return None
    cells = round(column.filled * number / column.distinct)
    words = f"{number:,} of {column.distinct:,} distinct values are in the list of {detector.label}, beside people"
    return Candidate(detector, 0.8, Count(column.filled, cells, cells), [words])


def by_vectors(column: Seen, detectors: Mapping[str, Detector], *, pictures: bool) -> Candidate | None:
    """Take unit vectors of a length that face recognition uses for templates, beside pictures of people."""
    length = next((int(kind[6:]) for kind in column.types if kind[6:].isdigit() and kind.startswith("vector")), 0)
    detector = detectors.get("face_template")
    if detector is None or length not in FACE_LENGTHS or not pictures:
        return None
    count = Count(column.filled, column.filled, column.filled)
    words = f"vectors of {length} numbers, the length of face templates, beside pictures in a table about people"
    return Candidate(detector, 0.6 + ("unit" in column.types), count, [words])
