"""Whose data a table and each object in it are: somebody's, a place's or a thing's, or nobody knows.

An address, a position or a telephone number is no proof of a person: stations and clinics have them, too. So what
names and identifies people is held against what names things, for the table as a whole and, in nested data, for
each object on the way: `billing_details` is somebody, `merchant_data` a shop.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from plainview import tags
from plainview.classify.weighing import Candidate, Seen
from plainview.detectors import categories
from plainview.detectors.fieldnames import people_word, stem_of, tokens
from plainview.detectors.subjects import (
    INVOLVED,
    KNOWN,
    NOBODY,
    OWN,
    is_key_of_person,
    is_name,
    names_somebody,
    of_a_house,
    roles,
    thing,
)

CONTACT = frozenset("postal_address telephone_number location_gps".split())  # which things and places have as well
OF_FIRMS = CONTACT | {"credit_score"}
# What somebody did, told of things in that person's record: what was bought, watched, driven
DEEDS = frozenset(
    "purchases browsing call_log service_consumption message_content location_history vehicle_usage device_apps "
    "social_graph prescription".split()
)
IDENTITY = frozenset(
    "birth_date national_id passport_number tax_id payment_card bank_account health_insurance_id driving_licence "
    "face_template fingerprint employee_id student_id medical_record_number password".split()
)
# What is asked about people in a census or survey; two of them together are about nobody else.
ATTRIBUTES = frozenset(
    "age gender marital_status race ethnic_origin religion nationality education disability sexual political_opinion "
    "birth_date family immigration_status".split()
)
# How often something occurs: beside one column of first names it makes the table one of names
COUNTS = frozenset(
    "count counts frequency freq occurrences births rank prop proportion anzahl haufigkeit haeufigkeit rang "
    "effectif effectifs naissances occurrence frecuencia cantidad nacimientos frequenza conteggio nascite "
    "frequencia quantidade nascimentos aantal frequentie antal antall liczba czestosc pocet cetnost adet sayi "
    "sayisi frecventa numar lukumaara kpl darab gyakorisag "
    "количество частота численность кількість частота 人数 件数 "
    "数量 次数 빈도 건수".split()
)
# Who is in charge of a place or thing, or to be asked about it: a name among what is known of that
IN_CHARGE = frozenset(
    "contact contacts contacto contato contatto kontakt kontaktperson ansprechpartner ansprechpartnerin "
    "contactpersoon manager director directeur directrice direktor direktör direktora leiter leiterin "
    "principal head rector dean responsable responsavel responsabile verantwortlicher gestor titular "
    "proprietaire propietario proprietario inhaber eigenaar eigentumer owner wlasciciel majitel dyrektor "
    "dyrektora kierownik vedouci reditel ředitel rektor johtaja yhteyshenkilo forestandare chef "
    "verksamhetschef kapcsolattarto vezeto mudur yetkili директор руководитель контакт контактное "
    "керівник مدير مسؤول المدير 负责人 联系人 法人 校长 院长 代表者 "
    "代表者氏名 担当者 責任者 管理者 施設長 대표자 담당자 원장 교장 representative "
    "supervisor operator inspector surveyor officer author editor curator administrator superintendent "
    "chair chairman president".split()
)
STATES = frozenset("state states estado stato".split())
PLACES = frozenset("city postal_code postal_address country".split())
# Of these what nobody asks of animals and things, which have a sex, an age, a race and health as well
OF_PEOPLE = frozenset("sexual religion philosophical_belief political_opinion ethnic_origin trade_union".split())
SURE = 0.8  # confidence of what speaks for a person
MOST_COUNTED, MANY_ALIKE = 120, 10
FIRST = 3  # columns that say what the rows of a table are
FULL = 0.5  # share of values that are names of several words, from which on "name" is that of people


@dataclass(slots=True)
class _Sum:
    """What speaks for a person, for a thing, and how much may be either's."""

    person: float = 0.0
    thing: float = 0.0
    either: int = 0

    @property
    def somebody(self) -> bool | None:
        """True: about people; False: about things; None: nothing says it."""
        if self.person >= 3 or (self.person >= 2 > self.thing):
            return True
        if self.thing >= 2:
            return False
        return True if self.either else None


def names_are_counted(seen: Mapping[str, Seen], weighed: Mapping[str, Sequence[Candidate]]) -> bool:
    """Tell whether a table is about names and not about those who bear them: each with how often it occurs.

    It has one column of first or of family names. What else it holds are counts, or numbers that no name explains
    beside names of which none stands twice.
    """
    names = {
        path
        for path, own in weighed.items()
        if any(c.detector.category == "person_name" and c.confidence >= SURE for c in own)
    }
    if len(names) != 1 or len(seen) > MOST_COUNTED:
        return False
    (path,) = names
    column = seen[path]
    single = max(column.share(tags.GIVEN), column.share(tags.SURNAME))
    others = {other: made for other, made in seen.items() if other != path and made.filled}
    if single < 0.5 or column.share(tags.FULL) > 0.1 or not others or column.distinct < MANY_ALIKE:
        return False
    if any(
        c.confidence >= SURE and c.detector.category in IDENTITY | {"email_address"}
        for own in weighed.values()
        for c in own
    ):
        return False
    if any(not COUNTS.isdisjoint(tokens(other.rsplit(".", 1)[-1])) for other in others):
        return True
    told = any(c.named >= 0.5 for other in others for c in weighed[other])
    once = column.distinct >= min(column.filled, 100)
    return once and not told and all(_is_measured(made) for made in others.values())


def is_condition(path: str, candidate: Candidate, weighed: Mapping[str, Sequence[Candidate]]) -> bool:
    """Tell whether "state" is that of a thing, open or closed: no list of regions knows it, and no place is beside."""
    if candidate.detector.category != "region" or not candidate.unlisted or candidate.passed:
        return False
    if STATES.isdisjoint(tokens(path.rsplit(".", 1)[-1])):
        return False
    around = path.rpartition(".")[0]
    beside = (own for other, own in weighed.items() if other != path and other.rpartition(".")[0] == around)
    return not any(c.named >= 0.5 and c.detector.category in PLACES for own in beside for c in own)


def _is_measured(column: Seen) -> bool:
    shapes = column.shapes
    return shapes["decimal"] + shapes["negative"] >= 0.5 * sum(shapes.values())


class Subjects:
    """Whom the columns of one table are about. `weighed` is what was found without regard to it."""

    def __init__(self, table: str, seen: Mapping[str, Seen], weighed: Mapping[str, Sequence[Candidate]]) -> None:
        self.table, self.seen, self.weighed = table, seen, weighed
        self._objects: dict[str, list[str]] = {}
        for path in seen:
            parts = path.split(".")
            for end in range(len(parts)):
                self._objects.setdefault(".".join(parts[:end]), []).append(path)
        self._known: dict[str, bool | None] = {}

    def person(self, path: str) -> bool:
        """Tell whether the column is about people: by the nearest object on its path that says so or otherwise."""
        own = tokens(path.rsplit(".", 1)[-1])
        if len(own) > 1 and any(word in INVOLVED for word in own):
            return True
        return next((said for said in self._on(path) if said is not None), False)

    def within_person(self, path: str) -> bool:
        """Tell whether any object on the path of a column is about people: what was bought is in somebody's order."""
        return any(self._on(path))

    def thing(self, path: str) -> bool:
        """Tell whether the column is about places or things, and not about who is in charge there."""
        if any(word in roles() for word in tokens(path.rsplit(".", 1)[-1])):
            return False
        return next((said for said in self._on(path) if said is not None), None) is False

    def _on(self, path: str) -> Iterator[bool | None]:
        parts = path.split(".")
        return (self._of(parts[:end]) for end in range(len(parts) - 1, -1, -1))

    def _of(self, parts: Sequence[str]) -> bool | None:
        key = ".".join(parts)
        if key not in self._known:
            self._known[key] = self._judge(key).somebody
        return self._known[key]

    def _judge(self, key: str) -> _Sum:
        """Add up what the names and the values of an object's fields say; of the whole table with key ""."""
        made = _Sum()
        depth = key.count(".") + 1 if key else 0
        own = self._objects[key]
        if key:
            words = tokens(key.rsplit(".", 1)[-1])
            if any(word in roles() or word in OWN for word in words):
                made.person += 2.0
            else:
                made.thing += 2.0 * bool(thing(words, first=True) or not NOBODY.isdisjoint(words))
        else:
            made.person += 3.0 * people_word(self.table)
            words = tokens(stem_of(self.table))
            made.thing += 2.0 * bool(thing(words, first=True) or not KNOWN.isdisjoint(words))
        direct, houses = [path for path in own if path.count(".") == depth], 0
        for at, path in enumerate(direct):
            words = tokens(path.rsplit(".", 1)[-1])
            made.thing += 2 * any(word in KNOWN for word in words) or thing(words, first=not key and at < FIRST)
            houses += 0 if key else of_a_house(words)
        made.thing += min(2, houses)
        self._add_people(own, made)
        return made

    def _add_people(self, paths: Sequence[str], made: _Sum) -> None:
        sure = [(path, c) for path in paths for c in self.weighed[path] if c.confidence > SURE and not c.in_text]
        proofs = [self._weight(path, c, made.thing) for path, c in sure if not c.detector.needs_person]
        made.person += max(proofs, default=0.0)
        made.either += sum(c.detector.category in CONTACT and not c.detector.needs_person for _, c in sure)
        exact = {c.detector.category for _, c in sure if c.named > 0.95}
        special = {name for name in exact if categories()[name].special}
        asked = len(exact & ATTRIBUTES)
        if len(special) >= 3 or (special & OF_PEOPLE and asked >= 3) or (not made.thing and asked >= 2):
            made.person += 3.0  # nobody tabulates belief, health and origin of things
        elif special and any(is_key_of_person(tokens(path.rsplit(".", 1)[-1])) for path in paths):
            made.person += 3.0

    def _weight(self, path: str, candidate: Candidate, things: float) -> float:
        """Return how much a finding says that there is a person."""
        category = candidate.detector.category
        if category == "person_name":
            own = tokens(path.rsplit(".", 1)[-1].replace("[]", ""))
            if things >= 2 and not IN_CHARGE.isdisjoint(own):
                return 1.5
            if candidate.private:
                return 3.0
            if names_somebody(own):
                return 2.5
            full = candidate.detector.name == "person_name" and candidate.passing >= FULL and not candidate.repeats
            return 2.0 if full and own and all(map(is_name, own)) else 0.0
        if category == "email_address":
            return 2.0
        if category in IDENTITY:
            return 3.0 if candidate.named >= 0.5 else 2.0
        return 0.0
