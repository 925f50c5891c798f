"""From evidence to findings: whether a column is this kind of data, or looks so by chance.

For each detector two explanations of the sketch are weighed. *Chance*: the share of random values of the
column's own shapes that pass (measured, `detectors/base_rates.json`). *Is*: most values pass. The logarithm of
their ratio, the field name and the neighbours add up to the logit of the confidence. Values alone can carry a
column only where passing by chance is rare; a name alone only where its values do not speak against it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from plainview import tags
from plainview.classify.columns import weigh_column
from plainview.classify.disguised import by_disguise, form_of
from plainview.classify.explained import explained, is_wanted
from plainview.classify.guesses import by_calls, by_card, by_kin, by_mixture, by_vectors, by_words, by_years
from plainview.classify.movements import by_movement
from plainview.classify.subjects import DEEDS, OF_FIRMS, Subjects, is_condition, names_are_counted
from plainview.classify.weighing import SHOWN, VETO, Candidate, Seen
from plainview.detectors import Detector, categories
from plainview.detectors.conditions import has_condition, meant
from plainview.detectors.fieldnames import NameIndex, tokens
from plainview.detectors.reserved import reserved as reserved_sets
from plainview.detectors.subjects import thing
from plainview.profiles import Count, TableProfile
from plainview.report.model import Column, Explained
from plainview.tables.naming import Distinct


@dataclass(frozen=True, slots=True)
class Judged:
    """A column with all that it may be, and what of it was chosen."""

    path: str
    seen: Seen
    candidates: Sequence[Candidate]
    chosen: Sequence[Candidate]


def classify(
    table: str, profile: TableProfile, detectors: Mapping[str, Detector], names: NameIndex
) -> tuple[Column, ...]:
    """Return the findings of one table, in the order of its columns."""
    every = judged(table, profile, detectors, names)
    return tuple(_finding(one.path, candidate, one.seen) for one in every for candidate in one.chosen)


def explain(
    table: str, profile: TableProfile, detectors: Mapping[str, Detector], names: NameIndex, pattern: str
) -> tuple[Explained, ...]:
    """Return why the columns that a pattern speaks of were taken for what they were."""
    every = judged(table, profile, detectors, names)
    wanted = (one for one in every if is_wanted(pattern, table, one.path))
    return tuple(explained(one.path, one.seen, one.candidates, one.chosen) for one in wanted)


def judged(table: str, profile: TableProfile, detectors: Mapping[str, Detector], names: NameIndex) -> list[Judged]:
    """Return what each column may be and what was chosen, in the order of the columns."""
    paths = _meanings(profile.columns)
    seen = {path: Seen(profile.columns[real]) for path, real in paths.items()}
    weighed = {path: weigh_column(path, column, table, detectors, names) for path, column in seen.items()}
    for path, candidates in weighed.items():
        if not any(c.confidence >= SHOWN for c in candidates):
            called, mixed = by_calls(seen[path], detectors, person=False), by_mixture(path, seen[path], detectors)
            candidates.extend(guess for guess in (called, mixed) if guess)
    subjects = Subjects(table, seen, weighed)
    counted = names_are_counted(seen, weighed)
    found: list[Judged] = []
    given = not counted and any(
        c.detector.name == "person_name_given" and c.confidence > 0.9 for cs in weighed.values() for c in cs
    )
    cards = any(
        c.detector.category == "payment_card" and c.confidence > 0.9 and not c.in_text
        for cs in weighed.values()
        for c in cs
    )
    pictures = any(c.detector.category == "photograph" for cs in weighed.values() for c in cs)
    moved = by_movement(seen, weighed, detectors)
    for path, candidates in weighed.items():
        person, within, of_things = subjects.person(path), subjects.within_person(path), subjects.thing(path)
        shared = of_things and seen[path].share(tags.SHARED) >= 0.5
        named_thing = thing(tokens(path.rsplit(".", 1)[-1]), first=True) == 2
        for candidate in candidates:
            if counted and candidate.detector.category in ("person_name", "gender"):
                candidate.logit -= VETO
            if is_condition(path, candidate, weighed) or (shared and candidate.detector.category == "email_address"):
                candidate.logit -= 2 * VETO
            somebody = within if candidate.detector.category in DEEDS else person
            if named_thing and candidate.detector.category == "person_name" and candidate.named < SHOWN:
                candidate.logit -= 5.0  # called after people, as storms and brands are
            _with_neighbours(candidate, candidates, person=somebody, of_things=of_things)
        if not of_things and not any(c.confidence >= SHOWN for c in candidates):
            guesses = (
                by_years(path, seen[path], detectors, person=person),
                by_vectors(seen[path], detectors, pictures=person and pictures),
                by_calls(seen[path], detectors, person=person),
                by_kin(seen[path], detectors, given=given),
                by_words(seen[path], detectors) if person else None,
                by_card(seen[path], detectors) if cards else None,
            )
            candidates.extend(guess for guess in guesses if guess)
        if path in moved and (not of_things or person):
            candidates[:] = [moved[path], *(c for c in candidates if c.detector.category != "location_gps")]
        clear = any(c.confidence >= SHOWN and not c.in_text for c in candidates)
        if disguised := None if clear else by_disguise(path, seen[path], detectors, names, table):
            # the stars of a mask make a card of any number
            candidates[:] = [*(c for c in candidates if not c.in_text), disguised]
        found.append(Judged(paths[path], seen[path], candidates, _choose(candidates)))
    return found


def _meanings(columns: Iterable[str]) -> dict[str, str]:
    """Return the paths of columns by what they mean: that of one key of a pair means a field called so."""
    plain = [path for path in columns if not has_condition(path)]
    names = Distinct(plain, mark="~")
    return {path if not has_condition(path) else names.of(meant(path)): path for path in columns}


def _with_neighbours(candidate: Candidate, others: Sequence[Candidate], *, person: bool, of_things: bool) -> None:
    """Let the rest of the table speak: a city is personal beside a person, harmless beside a museum."""
    if candidate.detector.category == "person_name" and candidate.named < SHOWN:
        if any(o.named > 0.95 and o.detector.category != "person_name" for o in others):
            candidate.logit -= 4.0  # the field name says what else it is
        elif person and candidate.passed > 1 and not candidate.repeats:
            candidate.logit += 2.5  # words that could be names, where other columns are about people
    if not candidate.needs_person and not (of_things and candidate.detector.category in OF_FIRMS):
        return
    if person:
        candidate.evidence.append("the table is about people")
    else:
        candidate.logit = min(candidate.logit, -3.0)


def _choose(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Keep the best explanation of the cells, one for each category of what stands inside text."""
    ranked = sorted(
        (c for c in candidates if c.confidence >= SHOWN),
        key=lambda c: (-round(c.logit + 2 * c.named, 2), -c.clear),  # else as the detectors stand, whatever their names
    )
    chosen: list[Candidate] = []
    for candidate in ranked:
        if candidate.in_text:
            if all(candidate.detector.category != other.detector.category for other in chosen):
                chosen.append(candidate)
        elif all(other.in_text for other in chosen):
            chosen.append(candidate)
    return chosen


def _finding(path: str, candidate: Candidate, column: Seen) -> Column:
    reserved, roles = (_nobodys(candidate, column, tag) for tag in (tags.reserved, tags.role))
    category = categories()[candidate.detector.category]
    return Column(
        path=path,
        category=category.id,
        concept=category.concept,
        special=category.special,
        confidence=round(candidate.confidence, 3),
        matched=candidate.count.valid,
        checked=candidate.count.checked,
        evidence=(*candidate.evidence, *_about_nobody(candidate, reserved, roles)),
        in_text=candidate.in_text,
        detector=candidate.detector.name,
        form="" if candidate.in_text else form_of(column),
        reserved=reserved,
        roles=roles,
    )


def _nobodys(candidate: Candidate, column: Seen, tag: Callable[[str], tags.Tag]) -> int:
    """Return how many of the cells of a finding are nobody's; 0 where the detector itself counted none."""
    name = candidate.detector.name
    counted = column.counts.keys() & {tags.passed(name), tags.inside(name)}
    return min(candidate.count.valid, column.counts.get(tag(name), Count()).valid) if counted else 0


def _about_nobody(candidate: Candidate, reserved: int, roles: int) -> Iterator[str]:
    said = ((reserved, "reserved", "kept for examples: "), (roles, "role", ""))
    for number, kind, words in said:
        if number:
            sets = reserved_sets(kind)[candidate.detector.category]
            yield f"{number:,} of {candidate.count.valid:,} are {words}{'; '.join(one.why for one in sets)}"
