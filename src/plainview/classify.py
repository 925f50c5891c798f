"""From evidence to findings: whether a column is this kind of data, or looks so by chance.

For each detector two explanations of the sketch are weighed. *Chance*: the share of random values of the
column's own shapes that pass (measured, `detectors/base_rates.json`). *Is*: most values pass. The logarithm of
their ratio, the field name and the neighbours add up to the logit of the confidence. Values alone can carry a
column only where passing by chance is rare; a name alone only where its values do not speak against it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from plainview.detectors import Detector, base_rates, categories, chance
from plainview.fieldnames import PUBLIC, NameIndex, NameMatch, people_word, tokens
from plainview.profiles import ColumnProfile, Count, TableProfile, tally
from plainview.report import Column

PRIOR = -5.0  # logit: about 7 of 1,000 columns of harmless tables hold a given kind
NAME = 7.0  # a whole field name that says it
MANY = 3.0  # logit: so many kinds of number have a check digit that one of them always passes by chance
CAP = 9.0  # what values alone can add: 98 % at most
LEAST = 1e-4  # no base rate is believed to be smaller
SHOWN = 0.5  # confidence from which a column is reported
CODES = frozenset({"code", "hex", "word", "grouped"})
FEW_NAMES, MANY_NAMES = 8, 20
OPEN = frozenset({"cities", "regions", "person_names", "given_names", "surnames"})  # never complete
# Of a list of counties or streets half hold somebody's name; of one in Han or Hangul nearly as many begin like one.
LEAST_PASSING = {"given_names": 0.6, "surnames": 0.6, "person_names": 0.6}
LEAST_UNSPACED = 0.72
FACE_LENGTHS = frozenset({128, 256, 512, 2622, 4096})  # dlib, FaceNet, ArcFace, VGG-Face
DIRECT = frozenset(
    "email_address postal_address birth_date telephone_number national_id passport_number tax_id payment_card "
    "bank_account health_insurance_id driving_licence face_template fingerprint employee_id student_id "
    "medical_record_number password".split()
)


class Seen:
    """A column's profile with its sketch added up once: how many distinct values have each tag, and each shape."""

    def __init__(self, profile: ColumnProfile) -> None:
        self.filled, self.counts, self.types = profile.filled, profile.counts, profile.types
        self.distinct = len(profile.sketch)
        self.tags, self.shapes = tally(profile.sketch)
        self.repeats = _repeats(profile)

    def share(self, tag: str) -> float:
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


def classify(
    table: str, profile: TableProfile, detectors: Mapping[str, Detector], names: NameIndex
) -> tuple[Column, ...]:
    """Return the findings of one table, in the order of its columns."""
    seen = {path: Seen(column) for path, column in profile.columns.items()}
    weighed = {path: weigh_column(path, column, table, detectors, names) for path, column in seen.items()}
    for path, candidates in weighed.items():
        called = by_calls(seen[path], detectors, person=False)
        if called and not any(c.confidence >= SHOWN for c in candidates):
            candidates.append(called)
    person = person_table(table, weighed)
    found: list[Column] = []
    given = any(c.detector.name == "person_name_given" and c.confidence > 0.9 for cs in weighed.values() for c in cs)
    pictures = person and any(c.detector.category == "photograph" for cs in weighed.values() for c in cs)
    for path, candidates in weighed.items():
        for candidate in candidates:
            _with_neighbours(candidate, candidates, person=person)
        if not any(c.confidence >= SHOWN for c in candidates):
            guesses = (
                by_years(seen[path], detectors, person=person),
                by_vectors(seen[path], detectors, pictures=pictures),
                by_calls(seen[path], detectors, person=person),
                by_kin(seen[path], detectors, given=given),
            )
            candidates.extend(guess for guess in guesses if guess)
        found.extend(_finding(path, c) for c in _choose(candidates))
    return tuple(found)


def log_ratio(passed: int, seen: int, by_chance: float, expected: float) -> float:
    """Log likelihood ratio of `passed` of `seen` distinct values under "is" against "by chance"."""
    if not seen:
        return 0.0
    expected = max(expected, min(0.999, by_chance * 1.02))
    ratio = passed * math.log(expected / by_chance) + (seen - passed) * math.log((1 - expected) / (1 - by_chance))
    return max(-1000.0, ratio)


def weigh_column(
    path: str, column: Seen, table: str, detectors: Mapping[str, Detector], names: NameIndex
) -> list[Candidate]:
    """Weigh every detector that the name, the sketch or the counts suggest."""
    matches = {m.detector: m for m in names.match(path, table)}
    out = []
    for name in sorted(matches.keys() | {t.rstrip("!@") for t in column.tags} | {k.rstrip("@") for k in column.counts}):
        if name not in detectors:
            continue
        candidate = weigh_cells(detectors[name], column, matches.get(name))
        if candidate:
            out.append(candidate)
        inside = weigh_text(detectors[name], column)
        if inside:
            out.append(inside)
    for candidate in out:
        if candidate.detector.has_values and not candidate.in_text and candidate.detector.name not in column.counts:
            _borrow(candidate, out)
    return out


def _borrow(candidate: Candidate, others: Sequence[Candidate]) -> None:
    """Of a kind that a stricter detector stands for, only the cells of that one were counted: at least so many."""
    same = [c.count for c in others if c.detector.category == candidate.detector.category and not c.in_text]
    candidate.count = max(same, key=lambda count: count.valid)


def weigh_cells(detector: Detector, column: Seen, match: NameMatch | None) -> Candidate | None:
    """Weigh one detector on whole cells."""
    named = match.strength if match else 0.0
    if named < 0.5 and detector.has_values and 2 * column.tags[detector.name] < column.distinct:
        return None  # as nearly all: a few values pass, by chance
    count = column.counts.get(detector.name, Count(column.filled, 0, 0))
    candidate = Candidate(detector, PRIOR, count, named=named)
    if match and named >= 0.5:
        candidate.logit += NAME * named
        candidate.evidence.append(f"the field name says {detector.label} (“{match.entry}”)")
        candidate.private = PUBLIC.isdisjoint(tokens(match.entry))
    if not detector.has_values:
        if named < 0.5 or not column.filled:
            return None
        candidate.count = Count(column.filled, column.filled, column.filled)
        return candidate
    if not column.distinct:
        return candidate if column.counts.get(detector.name) else None
    seen, passed = column.distinct, column.tags[detector.name]
    candidate.passing, candidate.passed, candidate.repeats = passed / seen, passed, column.repeats
    if detector.needs_name and named < 0.5:
        return None
    by_chance = max(LEAST, chance(detector.name, column.shapes))
    candidate.clear = ratio = log_ratio(passed, seen, by_chance, 0.6 if detector.vocabulary else 0.92)
    if named >= 0.5:
        # the name decides; the values may agree, or speak against it
        form = column.tags[detector.name + "!"] / seen
        agrees = candidate.passing + form >= 0.3
        if not agrees and detector.vocabulary in OPEN and _share_of_words(column) >= 0.7:
            agrees = candidate.unlisted = True
        ratio = min(3.0, max(ratio, -2.0)) if agrees else -CAP
    elif candidate.passing < 0.5 or _is_rather_a_place(detector, column, candidate.passing):
        return None
    else:
        ratio = min(ratio, _most(detector, column, passed))
        if detector.check and not detector.in_text:
            ratio -= MANY
    candidate.logit += ratio
    if passed:
        candidate.evidence.append(_words(detector, passed, seen, by_chance))
    return candidate


def _repeats(column: ColumnProfile) -> bool:
    """Tell whether few values come again and again, as colours and months do and names of people do not."""
    return len(column.sketch) < MANY_NAMES and column.filled > 3 * len(column.sketch)


def _share_of_words(column: Seen) -> float:
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
    return 4.0 if codes * 2 > sum(shapes.values()) else CAP


def _least(detector: Detector, column: Seen) -> float:
    """Share of the distinct values that must pass where no field name speaks."""
    unspaced = detector.category == "person_name" and column.share("han") > 0.5
    return LEAST_UNSPACED if unspaced else LEAST_PASSING.get(detector.vocabulary, 0.5)


def _is_rather_a_place(detector: Detector, column: Seen, passing: float) -> bool:
    """Tell whether words that could be names are better explained as places: Paris, Austin, Florence."""
    return detector.category == "person_name" and column.share("place") >= passing


def weigh_text(detector: Detector, column: Seen) -> Candidate | None:
    """Weigh one detector on matches inside running text."""
    count = column.counts.get(detector.name + "@")
    if not count or not count.valid:
        return None
    by_chance = max(LEAST, base_rates().get(detector.name, {}).get("given_form", LEAST))
    ratio = max(-CAP, min(CAP, log_ratio(count.valid, count.matched, by_chance, 0.92)))
    candidate = Candidate(detector, PRIOR + 2.0 + ratio, count, in_text=True)
    candidate.evidence.append(f"{count.valid:,} of {count.checked:,} texts hold {detector.label}")
    return candidate


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
    if expected >= 0.8 * passed:
        return f"{said}; that proves little, most random values of this shape would"
    return f"{said}; by chance: " + ("none" if expected < 0.05 else f"about {expected:.1f}")


def person_table(table: str, weighed: Mapping[str, Sequence[Candidate]]) -> bool:
    """Tell whether the rows of a table are about people: it holds something that names one."""
    if people_word(table):
        return True
    sure = [
        c
        for cs in weighed.values()
        for c in cs
        # what needs a person is no proof of one
        if c.confidence > 0.8 and not c.in_text and not c.detector.needs_person
    ]
    if any(c.detector.category in DIRECT or (c.detector.category == "person_name" and c.private) for c in sure):
        return True
    exact = {c.detector.category for c in sure if c.named > 0.95 and categories()[c.detector.category].special}
    return len(exact) >= 3  # nobody tabulates belief, health and origin of things


def _with_neighbours(candidate: Candidate, others: Sequence[Candidate], *, person: bool) -> None:
    """Let the rest of the table speak: a city is personal beside a person, harmless beside a museum."""
    if candidate.detector.category == "person_name" and candidate.named < SHOWN:
        if any(o.named > 0.95 and o.detector.category != "person_name" for o in others):
            candidate.logit -= 4.0  # the field name says what else it is
        elif person and candidate.passed > 1 and not candidate.repeats:
            candidate.logit += 2.5  # words that could be names, where other columns are about people
    if not candidate.needs_person:
        return
    if person:
        candidate.evidence.append("the table is about people")
    else:
        candidate.logit = min(candidate.logit, -3.0)


def by_years(column: Seen, detectors: Mapping[str, Detector], *, person: bool) -> Candidate | None:
    """Take dates without a telling name for birth dates when they are spread as birth years are.

    Dates of a business lie in the last years and close together; people are born over decades, and the
    youngest customers are seldom infants.
    """
    detector = detectors.get("birth_date")
    if not person or detector is None:
        return None
    years = sorted(int(tag[2:]) for tag, count in column.tags.items() if tag.startswith("y:") for _ in range(count))
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
    if detector is None or column.distinct < 8 or column.share("telephone_number_plain") < 0.95:
        return None
    written = column.share("telephone_number")
    signed = column.shapes["phoneish"] >= 0.2 * column.distinct
    home = person and column.distinct >= MANY_NAMES and written + column.share("telephone_number_national") >= 0.95
    if not (written >= 0.25 and (signed or person)) and not home:
        return None
    count = Count(column.filled, column.filled, column.filled)
    words = f"{column.tags['telephone_number']:,} of {column.distinct:,} distinct values looked at have the form"
    words += ", and the others that of one dialled at home" if home else ", and the others digits grouped like it"
    return Candidate(detector, 1.5 if signed else 0.8, count, [words])


def by_kin(column: Seen, detectors: Mapping[str, Detector], *, given: bool) -> Candidate | None:
    """Take words of which many are family names for such names beside a column of given names.

    No list of family names is complete; of ordinary words hardly one in fifty is in it.
    """
    detector = detectors.get("person_name_family")
    if detector is None or not given or column.distinct < MANY_NAMES or column.repeats:
        return None
    known, places = column.share("surname"), column.share("place")
    if known < 0.35 or places > 0.5 * known or _share_of_words(column) < 0.9 or column.share("full") > 0.1:
        return None
    count = column.counts.get(detector.name, Count(column.filled, 0, 0))
    words = f"{column.tags['surname']:,} of {column.distinct:,} distinct values looked at are known family names"
    return Candidate(detector, 0.8, count, [words + ", beside a column of given names"])


def by_vectors(column: Seen, detectors: Mapping[str, Detector], *, pictures: bool) -> Candidate | None:
    """Take unit vectors of a length that face recognition uses for templates, beside pictures of people."""
    length = next((int(kind[6:]) for kind in column.types if kind[6:].isdigit() and kind.startswith("vector")), 0)
    detector = detectors.get("face_template")
    if detector is None or length not in FACE_LENGTHS or not pictures:
        return None
    count = Count(column.filled, column.filled, column.filled)
    words = f"vectors of {length} numbers, the length of face templates, beside pictures in a table about people"
    return Candidate(detector, 0.6 + ("unit" in column.types), count, [words])


def _choose(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Keep the best explanation of the cells, one for each category of what stands inside text."""
    ranked = sorted(
        (c for c in candidates if c.confidence >= SHOWN),
        key=lambda c: (-round(c.logit + 2 * c.named, 2), -c.clear, c.detector.name),
    )
    chosen: list[Candidate] = []
    for candidate in ranked:
        if candidate.in_text:
            if all(candidate.detector.category != other.detector.category for other in chosen):
                chosen.append(candidate)
        elif all(other.in_text for other in chosen):
            chosen.append(candidate)
    return chosen


def _finding(path: str, candidate: Candidate) -> Column:
    category = categories()[candidate.detector.category]
    return Column(
        path=path,
        category=category.id,
        concept=category.concept,
        special=category.special,
        confidence=round(candidate.confidence, 3),
        matched=candidate.count.valid,
        checked=candidate.count.checked,
        evidence=tuple(candidate.evidence),
        in_text=candidate.in_text,
        detector=candidate.detector.name,
    )
