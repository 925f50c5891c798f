"""Words of names that say whose data something is: roles that people have, words for "name", things and places.

They stand folded in `vocabularies/` (`role_words`, `name_words`, `thing_words`). Roles are those of private people:
of authors, players and candidates most are known to the public, and a list of them is about their work.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence

from plainview.detectors import vocabulary

PEOPLE = frozenset(
    "person people user users customer client employee staff member patient student teacher contact subscriber "
    "passenger guest visitor citizen resident voter donor author owner applicant candidate player driver tenant "
    "borrower lender buyer seller recipient sender beneficiary cardholder attendee participant pupil child parent "
    "guardian spouse doctor nurse lead prospect personnel worker individual human committer pusher assignee "
    "reviewer supervisor manager kunde kunden mitarbeiter benutzer patient client personne usuario cliente empleado "
    "utente dipendente persona pessoa funcionario klient pracownik medewerker klant".split()
)

# Of these the rows of a table are mostly known to the public: its name alone says nothing of private people.
PUBLIC = frozenset("candidate player author voter driver owner".split())
UNSPACED = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]")
# Where people work, learn and are treated: beside a person these are attributes, and as the first of a table its rows.
AROUND = frozenset(
    "company companies organization organizations organisation organisations firm business office branch bank "
    "employer department school schools college university universities faculty hospital hospitals clinic provider "
    "carrier insurer agency firma firmen unternehmen schule schulen hochschule universitat krankenhaus klinik filiale "
    "behorde entreprise entreprises societe ecole universite hopital agence empresa empresas escuela colegio "
    "universidad hospital sucursal escola faculdade azienda ditta scuola universita ospedale bedrijf school "
    "przedsiebiorstwo szkola uczelnia szpital skola nemocnice spolecnost школа больница организация компания "
    "公司 企业 单位 学校 医院 会社 病院 회사 학교 병원".split()
)
# Parts of an address, and in the first columns what rows about places are called by.
WHERE = frozenset(
    "city cities town towns village district districts county country state province region place location property "
    "ort stadt bezirk lieu ville lugar ciudad comune gemeente plaats miasto obec город место".split()
)
# Known to the public by what they do: a table of them is about that.
KNOWN = frozenset(
    "artist artists actor actors actress director directors singer singers band bands composer writer writers "
    "president presidents coach politician senator congress congressional senate parliament mayor laureate champion "
    "winner winners athlete athletes celebrity king queen emperor inventor scientist painter poet philosopher god gods "
    "character characters goals season episode show chart billboard imdb".split()
)
OWN = frozenset("billing shipping delivery bill ship home profile identity payer".split())
# Of nested data the objects that are nobody's
NOBODY = frozenset("tax taxes rate rates plan plans currency repo repository config configuration settings".split())
_KEYS = frozenset("id ids no nr num number key code ref identifier uid".split())
_FILLERS = frozenset("of the de des du del della di da do dos van der den von s".split())


@functools.cache
def roles() -> frozenset[str]:
    """Return the words for roles that people have: customer, Kunde, 顧客."""
    return (vocabulary("role_words") | PEOPLE) - KNOWN - PUBLIC


@functools.cache
def things() -> frozenset[str]:
    """Return the words for things, places, organisations and animals."""
    return vocabulary("thing_words") - roles()


def names_somebody(own: Sequence[str]) -> bool:
    """Tell whether a name says that somebody's name stands there, by the role: `customer`, `kunde_name`, `顧客名`."""
    words = [word for word in own if not word.isdigit() and word not in _FILLERS]
    if len(words) == 1 and UNSPACED.search(words[0]):
        stem = next((words[0].removesuffix(end) for end in _name_words() if words[0].endswith(end)), words[0])
        return stem in roles() or words[0] in roles()
    return 0 < len(words) <= 3 and any(w in roles() for w in words) and all(w in roles() or is_name(w) for w in words)


def speaks_of_somebody(words: Sequence[str]) -> bool:
    """Tell whether the name of a table or an object is one for people, or for what is theirs: `billing_details`."""
    return bool(words) and (words[-1] in roles() or words[-1] in PEOPLE or not OWN.isdisjoint(words))


def is_name(word: str) -> bool:
    """Tell whether a word is one for "name"."""
    return word in _name_words()


def is_key_of_person(own: Sequence[str]) -> bool:
    """Tell whether a name is that of a number that stands for somebody: `patient_id`, `subject no`."""
    return len(own) > 1 and own[-1] in _KEYS and any(word in roles() for word in own[:-1])


def thing(own: Sequence[str], *, first: bool) -> int:
    """Return how much a name says that a table is about things or places: 2 where it is what they are called.

    `first` tells that it is one of the first columns, which say what the rows are.
    """
    words = [word for part in own if not part.isdigit() and part not in _FILLERS for word in _parted(part)]
    said = any(word in things() for word in words)
    if first and (said or any(word in AROUND for word in words)):
        rest = [w for w in words if w not in things() and w not in AROUND and w not in _KEYS and not is_name(w)]
        return 2 if not rest else int(said)
    return int(said or (first and len(words) > 1 and words[0] in WHERE and words[-1] in _KEYS))


def names_organisation(own: Sequence[str]) -> bool:
    """Tell whether a name is that of an organisation's name: `company`, `branch_name`, `企业名称`."""
    words = [word for part in own if part not in _FILLERS for word in _parted(part)]
    return any(word in AROUND for word in words) and all(word in AROUND or is_name(word) for word in words)


def _parted(word: str) -> tuple[str, ...]:
    """Part what a thing is called in a script without blanks: 企业名称 into 企业, 名称."""
    if not UNSPACED.search(word) or word in things():
        return (word,)
    ends = (end for end in _name_words() if word.endswith(end) and word != end)
    stems = ((word.removesuffix(end), end) for end in sorted(ends, key=len, reverse=True))
    return next((both for both in stems if both[0] in things() or both[0] in AROUND), (word,))


def says_code(own: Sequence[str]) -> bool:
    """Tell whether a name says a number or code of something that is nobody's: `isbn`, `app_version`, `UIC-Nr.`."""
    words = [word for word in own if not word.isdigit() and word not in _KEYS and word not in _FILLERS]
    joined = {"".join(own[i:j]) for i in range(len(own)) for j in range(i + 1, len(own) + 1)} if len(own) < 6 else set()
    return any(word in vocabulary("code_words") for word in (*words, *joined))


@functools.cache
def _name_words() -> frozenset[str]:
    return vocabulary("name_words")
