"""How much the field name and the values of one column speak for each kind of data, neighbours left aside."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field

from plainview import tags
from plainview.detectors import Detector, categories, chance
from plainview.detectors.fieldnames import CODED, NameMatch, tokens
from plainview.detectors.subjects import PUBLIC
from plainview.profiles import SAMPLE, ColumnProfile, Count, tally

PRIOR = -5.0  # logit: about 7 of 1,000 columns of harmless tables hold a given kind
NAME = 7.0  # a whole field name that says it
MANY = 3.0  # logit: so many kinds of number have a check digit that one of them always passes by chance
CAP = 9.0  # what values alone can add: 98 % at most
LEAST = 1e-4  # no base rate is believed to be smaller
SHOWN = 0.5  # confidence from which a column is reported
CODES = frozenset({"code", "hex", "word", "grouped"})
_CODE = re.compile("[0-9A-Z ./-]{1,24}")
ANSWERS = 30  # codes that stand for the answers to one question, at most
VETO = 8.0  # a field name that says what else its numbers are
FEW_NAMES, MANY_NAMES = 8, 20
OPEN = frozenset({"cities", "regions", "person_names", "given_names", "surnames"})  # never complete
# Of a list of counties or streets half hold somebody's name; of one in Han or Hangul nearly as many begin like one.
LEAST_PASSING = {"given_names": 0.6, "surnames": 0.6, "person_names": 0.6}
LEAST_UNSPACED = 0.72


class Seen:
    """A column's profile with its sketch added up once: how many distinct values have each tag, and each shape."""

    def __init__(self, profile: ColumnProfile) -> None:
        self.filled, self.counts, self.types = profile.filled, profile.counts, profile.types
        self.sketch, self.distinct = profile.sketch, len(profile.sketch)
        self.tags, self.shapes = tally(profile.sketch)
        self.repeats = _repeats(profile)

    @property
    def different(self) -> float:
        """About how many different values the column has; right to a tenth, exact while there are few."""
        return self.distinct if self.distinct < SAMPLE else (SAMPLE - 1) * 2.0**64 / max(self.sketch)

    def passed(self, detector: str) -> int:
        """Return how many of the distinct values a detector accepts."""
        return self.tags[tags.passed(detector)]

    def counted(self, detector: str) -> Count | None:
        """Return the count of the cells that a detector accepts, or None where it was not counted."""
        return self.counts.get(tags.passed(detector))

    def alike(self, detector: str) -> int:
        """Return how many of the distinct values have a shape that those which a detector accepts have."""
        passed = tags.passed(detector)
        shapes = {
            shape for same in self.sketch.values() if passed in same for tag in same if (shape := tags.shape_of(tag))
        }
        return sum(self.shapes[shape] for shape in shapes)

    def share(self, tag: tags.Tag) -> float:
        """Share of the distinct values in the sketch that carry a tag."""
        return self.tags[tag] / self.distinct if self.distinct else 0.0


@dataclass(slots=True)
class Candidate:
    """A detector weighed for a column."""

    detector: Detector
    logit: float
    count: Count
    evidence: list[str] = field(default_factory=list)
    named: float = 0.0
    in_text: bool = False
    passing: float = 0.0  # share of the distinct values
    passed: int = 0  # distinct values
    unlisted: bool = False  # words under a telling name, of which few are in the word list
    clear: float = 0.0  # log likelihood ratio without limits, to choose between two that both fit
    repeats: bool = False  # the same few values again and again
    weights: list[tuple[str, float]] = field(default_factory=list)  # pieces of `logit`; the rest is the neighbours'
    private: bool = False  # the field name speaks of a person who is not known to the public

    @property
    def needs_person(self) -> bool:
        """Tell whether this is personal only beside something that names a person.

        So says the detector's file; and so it is where the name alone speaks, and for special categories:
        `party` in a table of elections and `offense` in one of sports are about nobody in particular.
        """
        by_name = self.named >= SHOWN and not self.in_text
        return (
            self.detector.needs_person
            or self.unlisted
            or (by_name and (not self.detector.has_values or categories()[self.detector.category].special))
        )

    @property
    def confidence(self) -> float:
        """Probability that the column is this kind of data."""
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, self.logit))))


def log_ratio(passed: int, seen: int, by_chance: float, expected: float) -> float:
    """Log likelihood ratio of `passed` of `seen` distinct values under "is" against "by chance"."""
    if not seen:
        return 0.0
    expected = max(expected, min(0.999, by_chance * 1.02))
    ratio = passed * math.log(expected / by_chance) + (seen - passed) * math.log((1 - expected) / (1 - by_chance))
    return max(-1000.0, ratio)


def weigh_cells(detector: Detector, column: Seen, match: NameMatch | None) -> Candidate | None:
    """Weigh one detector on whole cells."""
    named = match.strength if match else 0.0
    if named < 0.5 and detector.has_values and 2 * column.passed(detector.name) < column.distinct:
        return None  # as nearly all: a few values pass, by chance
    count = column.counted(detector.name) or Count(column.filled, 0, 0)
    candidate = Candidate(detector, PRIOR, count, named=named)
    candidate.weights.append(("before anything is looked at", PRIOR))
    if match and named >= 0.5:
        candidate.logit += NAME * named
        candidate.weights.append((f"the field name says {detector.label} (“{match.entry}”)", NAME * named))
        candidate.evidence.append(f"the field name says {detector.label} (“{match.entry}”)")
        candidate.private = PUBLIC.isdisjoint(tokens(match.entry))
    if not detector.has_values:
        if named < 0.5 or not column.filled:
            return None
        candidate.count = Count(column.filled, column.filled, column.filled)
        return candidate
    if not column.distinct:
        return candidate if column.counted(detector.name) else None
    seen, passed = column.distinct, column.passed(detector.name)
    candidate.passing, candidate.passed, candidate.repeats = passed / seen, passed, column.repeats
    if detector.needs_name and named < 0.5:
        return None
    by_chance = max(LEAST, chance(detector.name, column.shapes))
    candidate.clear = ratio = log_ratio(passed, seen, by_chance, 0.6 if detector.vocabulary else 0.92)
    if named >= 0.5:
        ratio = _agreement(candidate, column, ratio)
    elif candidate.passing < 0.5 or _is_rather_a_place(detector, column, candidate.passing):
        return None
    else:
        ratio = min(ratio, _most(detector, column, passed))
        if detector.check and not detector.in_text:
            ratio -= MANY
    candidate.logit += ratio
    words = _words(detector, passed, seen, by_chance)
    candidate.weights.append((words, ratio))
    if passed:
        candidate.evidence.append(words)
    return candidate


def _agreement(candidate: Candidate, column: Seen, ratio: float) -> float:
    """Return what the values say under a telling name: the name decides; they may agree, or speak against it."""
    detector = candidate.detector
    form = column.tags[tags.formed(detector.name)] / column.distinct
    if candidate.passing + form >= 0.3:
        return min(3.0, max(ratio, -2.0))
    known = column.repeats and candidate.passed > 0  # some of a few answers that come again and again
    if candidate.named > 0.9 and detector.category in CODED and (known or _are_answers(column)):
        candidate.unlisted = True
        return 0.0
    if detector.vocabulary in OPEN and share_of_words(column) >= 0.7:
        candidate.unlisted = True
        return min(3.0, max(ratio, -2.0))
    return -CAP


def _are_answers(column: Seen) -> bool:
    """Tell whether the values are few and short, as codes are that stand for the answers to one question."""
    return column.distinct <= ANSWERS and column.share(tags.SHORT) >= 0.9


def _repeats(column: ColumnProfile) -> bool:
    """Tell whether few values come again and again, as colours and months do and names of people do not."""
    return len(column.sketch) < MANY_NAMES and column.filled > 3 * len(column.sketch)


def share_of_words(column: Seen) -> float:
    """Share of the distinct values that are words."""
    shapes = column.shapes
    return (shapes["word"] + shapes["words"]) / max(1, sum(shapes.values()))


def _most(detector: Detector, column: Seen, passed: int) -> float:
    """Return what values without a telling field name can add at the most.

    A form of letters and digits without a check is that of many a code: once one value has it, all have.
    Names of people vary; a word list met by two or three words proves little, or by half of them: then the
    table must be about people.
    """
    few = passed < max(FEW_NAMES, _least(detector, column) * column.distinct)
    if detector.category == "person_name" and (few or column.repeats):
        return 3.0
    if detector.check or detector.in_text or detector.vocabulary:
        return CAP + MANY * bool(detector.check and not detector.in_text)
    shapes = column.shapes
    codes = sum(n for shape, n in shapes.items() if shape in CODES or shape.startswith("int"))
    if all(map(_CODE.fullmatch, detector.matches)):
        codes += shapes["other"]  # letters and digits with blanks, as of plates
    return 4.0 if codes * 2 > sum(shapes.values()) else CAP


def _least(detector: Detector, column: Seen) -> float:
    """Share of the distinct values that must pass where no field name speaks."""
    unspaced = detector.category == "person_name" and column.share(tags.HAN) > 0.5
    return LEAST_UNSPACED if unspaced else LEAST_PASSING.get(detector.vocabulary, 0.5)


def _is_rather_a_place(detector: Detector, column: Seen, passing: float) -> bool:
    """Tell whether words that could be names are better explained as places: Paris, Austin, Florence."""
    return detector.category == "person_name" and column.share(tags.PLACE) >= passing


def _words(detector: Detector, passed: int, seen: int, by_chance: float) -> str:
    expected = by_chance * seen
    what = (
        "have the form and pass the check"
        if detector.check
        else "are in the word list"
        if detector.vocabulary
        else "have the form"
    )
    said = f"{passed:,} of {seen:,} distinct values looked at {what}"
    if not passed:
        return said
    if expected >= 0.8 * passed:
        return f"{said}; that proves little, most random values of this shape would"
    return f"{said}; by chance: " + ("none" if expected < 0.05 else f"about {expected:.1f}")
