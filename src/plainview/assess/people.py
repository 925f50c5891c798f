"""How many different people a table speaks of: the least, the likely and the largest number, each with its reason.

The best identifier that the findings confirm counts them. Columns of several people in one row (sender and recipient,
members of a list) are told apart by their names and added. A table of organisations counts as nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil, floor, log10

import msgspec

from plainview import codes
from plainview.assess.groups import by_country, counted, examples, mailboxes, minors
from plainview.crowds import Crowd
from plainview.detectors.fieldnames import tokens
from plainview.detectors.identifying import Identifying, identifying, role_of
from plainview.detectors.subjects import names_organisation
from plainview.distinct import Distinct, shared
from plainview.profiles import Identifier, TableProfile
from plainview.report.model import Column, People
from plainview.tags import COMPANY

NAMES, BORN = "names", "names and dates of birth"
NAMED = {
    NAMES: Identifying("person_name", "name", 98, everywhere=False, words="names alone"),
    BORN: Identifying("names_and_births", "name", 8, everywhere=True, words=BORN),
}
COVERING = 0.8  # of the cells of the fullest identifier, which another has to fill to count the people instead of it
TEST_DATA = 0.9  # share of reserved addresses from which on a table is one of examples altogether
MADE_UP = "nearly all of them have reserved example addresses, as made-up data has"
APART = "{:,} with a reserved example address are counted apart"
MAILBOXES = "{:,} mailboxes of a role (info@, noreply@) are no people and not counted"
SURE = 0.5
ORGANISATIONS = 0.5  # share of the names of a column that are of companies
FIRST = 3  # columns that say what the rows of a table are
SHARED = 0.05  # of the identifiers of one column that stand in another one, from which on both hold the same people
ABOUT_PEOPLE = frozenset("person_name birth_date gender national_id passport_number health_insurance_id student_id "
                         "employee_id driving_licence".split())  # fmt: skip


@dataclass(frozen=True, slots=True)
class Counting:
    """An identifier that counts: what it is, where it stands, its sketch."""

    kind: Identifying
    path: str
    found: Identifier

    @property
    def role(self) -> str:
        """Whom of the several people of a row it stands for."""
        return role_of(self.path, lists=self.found.lists)


def people_of(profile: TableProfile, columns: Sequence[Column], *, whole: bool = True) -> tuple[People | None, Crowd]:
    """Return the people of a table, None where it speaks of none, and what others add up.

    `whole` is False where only some of its rows were read.
    """
    counting = _confirmed(profile, columns)
    if not columns:
        return None, Crowd()
    if not counting or _organisations(profile, columns, counting):
        return _uncounted(profile, columns, organisations=bool(counting))
    if any(c.category in ABOUT_PEOPLE and not c.in_text for c in columns):
        counting = list(map(_named_there, counting))
    roles: dict[str, list[Counting]] = {}
    for one in counting:
        roles.setdefault(one.role, []).append(one)
    parts = [_role(each) for each in roles.values()]
    return _together(parts, counting, whole=whole)


def _named_there(one: Counting) -> Counting:
    """Return a counting whose mailboxes of a role count: beside them stands whom they belong to."""
    return replace(one, found=replace(one.found, distinct=one.found.distinct.unsaid(codes.ROLE)))


def _confirmed(profile: TableProfile, columns: Sequence[Column]) -> list[Counting]:
    """Return the identifiers that findings confirm, the best first."""
    kinds: dict[str, set[str]] = {}
    for column in columns:
        if not column.in_text:
            kinds.setdefault(column.path, set()).add(column.category)
    named = any("person_name" in found for found in kinds.values())
    counting = []
    for path, found in profile.people.items():
        if path in NAMED:
            if named:
                counting.append(Counting(NAMED[path], path, found))
            continue
        known = [identifying()[kind] for kind in kinds.get(path, ()) if kind in identifying()]
        known = [kind for kind in known if kind.form == found.form]  # hashed in another spelling, it links nothing
        if known and found.distinct:
            filled = profile.columns[path].filled if path in profile.columns else found.cells + found.late
            found = replace(found, late=min(found.late, max(0, filled - found.cells)))  # rows before may lack it
            counting.append(Counting(min(known, key=lambda kind: kind.rank), path, found))
    return sorted(counting, key=lambda one: (one.kind.rank, one.path))


def _organisations(profile: TableProfile, columns: Sequence[Column], counting: Sequence[Counting]) -> bool:
    """Tell whether the rows are companies: a column names companies, and none speaks of a person.

    That a column names them is told by its values; by its name where nobody's address of e-mail stands in the row.
    """
    if any(c.category in ABOUT_PEOPLE and c.confidence >= SURE and not c.in_text for c in columns):
        return False
    if any(one.kind.category in ABOUT_PEOPLE for one in counting):
        return False
    if any(column.share(COMPANY) >= ORGANISATIONS for column in profile.columns.values()):
        return True
    mail = any(one.kind.category == "email_address" for one in counting)
    return not mail and any(names_organisation(tokens(path)) for path in [*profile.columns][:FIRST])


def _uncounted(profile: TableProfile, columns: Sequence[Column], *, organisations: bool) -> tuple[People | None, Crowd]:
    if organisations:
        why = "the rows name companies, and no column speaks of a person: they are not counted as people"
        return People(low=0, estimate=0, high=0, reasons=(why,)), Crowd()
    if all(column.in_text for column in columns):
        why = "personal data stands inside free text, where people are not counted: at least one, at most unknown"
        return People(low=1, estimate=None, high=None, reasons=(why,)), Crowd(1, 0, None)
    why = (
        "no column identifies a person, so different people cannot be told apart; "
        f"at most one for each of {profile.rows:,} rows"
    )
    return People(low=1, estimate=None, high=profile.rows, reasons=(why,)), Crowd(1, 0, profile.rows)


@dataclass(frozen=True, slots=True)
class Part:
    """The people of one role: bounds, and the identifier that counted them."""

    low: float
    likely: float
    high: float
    best: Counting
    missing: int
    reasons: tuple[str, ...]


def _role(counting: Sequence[Counting]) -> Part:
    fullest = max(one.found.cells + one.found.late for one in counting)
    able = (one for one in counting if one.found.cells >= COVERING * fullest)
    best = next(able, None) or max(counting, key=lambda one: one.found.cells)
    best, beside = _with_same_people(best, counting)
    low, likely, high = best.found.distinct.bounds()
    reasons = [f"{_rounded(likely, best.found.distinct)} different {best.kind.words} ({best.path})"]
    if best.path in NAMED:
        reasons[0] = f"{_rounded(likely, best.found.distinct)} different {best.kind.words}"
    if beside:
        reasons[0] = f"{_rounded(likely, best.found.distinct)} different {best.kind.words} ({', '.join(beside)})"
        reasons.append(f"{len(beside)} columns of a row share their numbers, so each of them stands for somebody")
    missing = max(0, fullest - best.found.cells)
    if missing:
        likely += missing * likely / max(1, best.found.cells)
        high += missing
        reasons.append(f"{missing:,} rows lack one: as many more people at most")
    if best.path == NAMES:
        high = max(high, best.found.cells)
        reasons.append("different people may have the same name, so at most as many as rows")
    high = max(high, low)
    return Part(low, min(max(low, likely), high), high, best, missing, tuple(reasons))


def _with_same_people(best: Counting, counting: Sequence[Counting]) -> tuple[Counting, tuple[str, ...]]:
    """Return it with the columns of its kind that hold the same people, as caller and called; and their paths.

    Of two telephones of one person, private and at work, hardly any stands in both columns.
    """
    found, paths = best.found.distinct, [best.path]
    for one in counting:
        if one.path == best.path or one.path in NAMED or one.kind.category != best.kind.category:
            continue
        if shared(best.found.distinct, one.found.distinct) >= SHARED:
            found = found.merge(one.found.distinct)
            paths.append(one.path)
    if len(paths) == 1:
        return best, ()
    both = replace(best.found, distinct=found)
    return Counting(best.kind, best.path, both), tuple(paths)


def _together(parts: Sequence[Part], counting: Sequence[Counting], *, whole: bool) -> tuple[People, Crowd]:
    """Add up the roles of a table: those that are counted by the same kind of identifier by their union."""
    linking = {(one.role, one.kind.category): one for one in (*reversed(counting), *(part.best for part in parts))}
    sketches: dict[str, Distinct] = {}
    for one in linking.values():
        if one.path != NAMES:
            sketches[one.kind.category] = sketches.get(one.kind.category, Distinct()).merge(one.found.distinct)
    by_kind: dict[str, list[Part]] = {}
    for part in parts:
        by_kind.setdefault(part.best.kind.category, []).append(part)
    low = likely = high = 0.0
    main = min(parts, key=lambda part: part.best.kind.rank)
    for same in by_kind.values():
        merged = same[0].best.found.distinct
        for part in same[1:]:
            merged = merged.merge(part.best.found.distinct)
        least, middle, most = merged.bounds() if len(same) > 1 else (same[0].low, same[0].likely, same[0].high)
        low, likely, high = max(low, least), likely + middle, high + most
    reasons = [reason for part in parts for reason in part.reasons]
    if len(parts) > 1:
        reasons.append(f"{len(parts)} people stand in one row, told apart by the names of the columns")
    crowd = Crowd(
        low=low,
        estimate=likely,
        high=high if whole else None,
        best=main.best.kind.category if main.best.path != NAMES else "",
        kinds=sketches,
        part=not whole,
        here=frozenset(kind for kind in sketches if kind in identifying() and not identifying()[kind].everywhere),
    )
    return _report(main, (low, likely, high), reasons, whole=whole), crowd


def _report(main: Part, numbers: tuple[float, float, float], reasons: list[str], *, whole: bool) -> People:
    low, likely, high = numbers
    sketch = main.best.found.distinct
    apart = examples(sketch)
    if shared := mailboxes(sketch):
        low, likely, high = (max(0.0, number - shared) for number in numbers)
        reasons.append(MAILBOXES.format(shared))
    made_up = apart >= TEST_DATA * likely
    if apart and made_up:
        reasons.append(MADE_UP)
    elif apart:
        low, likely, high = max(0.0, low - apart), max(0.0, likely - apart), max(0.0, high - apart)
        reasons.append(APART.format(apart))
    if not sketch.exact:
        reasons.append(f"estimated from {len(sketch):,} of them, right to {sketch.error:.1%} in 99 of 100 cases")
    if not whole:
        reasons.append("only some rows were read: so many were seen, and how many there are cannot be told")
    return People(
        low=floor(low) if sketch.exact else rounded(low, down=True),
        estimate=(round(likely) if sketch.exact else rounded(likely)) if whole else None,
        high=(ceil(high) if sketch.exact else rounded(high, down=False)) if whole else None,
        examples=apart,
        minors=minors(counted(sketch, apart=not made_up)),
        by_country=by_country(counted(sketch, apart=not made_up)),
        reasons=tuple(reasons),
    )


def rounded(number: float, *, down: bool | None = None) -> int:
    """Return a number with three digits that count, down or up where that is asked for."""
    if number < 1000:
        return floor(number) if down else ceil(number) if down is False else round(number)
    step = 10 ** (floor(log10(number)) - 2)
    return int((floor if down else ceil if down is False else round)(number / step) * step)


def _rounded(number: float, sketch: Distinct) -> str:
    return f"{round(number):,}" if sketch.exact else f"about {rounded(number):,}"


def unread(people: People | None, crowd: Crowd, why: str) -> tuple[People | None, Crowd]:
    """Return the people of a table of which only a part was read."""
    if people is None:
        return None, crowd
    return (
        msgspec.structs.replace(people, estimate=None, high=None, reasons=(*people.reasons, why)),
        msgspec.structs.replace(crowd, high=None, part=True),
    )
