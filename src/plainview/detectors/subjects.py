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
    "carrier insurer agency firma firmen unternehmen schule "
    "schulen hochschule universitat krankenhaus klinik filiale "
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
    "winner winners athlete athletes celebrity king queen emperor "
    "inventor scientist painter poet philosopher god gods "
    "character characters goals season episode show chart billboard imdb".split()
)
# When something came to be, which is no birthday
EVENTS = frozenset(
    "open opened opening closed closing founded foundation established created built build construction "
    "installed installation planted commissioned issued issue inspection inspected permit updated "
    "modified eroffnung eroffnet errichtet gegrundet gepflanzt installiert baujahr inbetriebnahme "
    "ouverture ouvert fondation plantation apertura fundacion construccion instalacion abertura fundacao "
    "construcao inaugurazione costruzione installazione geopend bouw geplaatst otwarcie otwarcia budowy "
    "zalozenia instalacji otevreni vystavby deschidere constructie nyitas epites acilis kurulus yapim "
    "oppning oppningsdatum byggar avaamis perustamis rakennus открытие открытия постройки установки "
    "основания відкриття побудови افتتاح إنشاء تركيب 成立 开业 建成 安装 開設 "
    "開館 設置 竣工 設立 개설 개업 설립 준공 설치 crash "
    "accident unfall accidente acidente incidente ongeval wypadek wypadku olycka дтп 事故".split()
)
_RECORDED = frozenset(
    "created updated modified closed issued issue permit inspection inspected".split()
)  # as any record
# When it is open: so is a house, and nobody. Then what houses have more often than people.
_HOURS = frozenset(
    "hours openinghours businesshours horaires horario horarios orario orari oppettider offnungszeiten "
    "oeffnungszeiten openingstijden otwarcia godziny oteviracihodiny program nyitvatartas calisma "
    "acikolmasaatleri aukioloajat aukioloaika режим часыработы графікроботи "
    "ساعات 营业时间 開館時間 営業時間 診療時間 "
    "영업시간 운영시간 진료시간".split()
)
_OF_HOUSES = frozenset(
    "website webseite homepage siteweb site_web sito www operator operatör betreiber exploitant "
    "gestionnaire gestore titular beheerder operador capacity kapazitat capacite capacidad capacidade "
    "capienza capaciteit pojemnosc kapacitet kapacita kapasite kapasiteetti вместимость місткість 定員 容量 "
    "규모 수용인원 管理者 設置者 運営者 floors beds seats".split()
)
# People whom a table of things names by what they did there: `driver age`
INVOLVED = frozenset(
    "driver drivers fahrer conducteur conductor conducente bestuurder kierowca kierowcy ridic sofor "
    "forare kuljettaja водитель водителя водій 运转者 運転者 驾驶人 운전자 victim victime victima vittima opfer "
    "slachtoffer ofiara pedestrian cyclist rider".split()
)
# Mailboxes that a house has and nobody in it
_SHARED = frozenset(
    "info office contact contacts kontakt contacto contato contatto mail email post postmaster webmaster "
    "hostmaster admin administrator administration verwaltung sekretariat secretariat secretaria "
    "segreteria secretary reception empfang accueil recepcion rezeption support help helpdesk service "
    "services kundenservice kundendienst sales vertrieb ventas vendas vendite verkoop sprzedaz noreply no "
    "donotreply billing accounts accounting buchhaltung rechnung invoices presse press media marketing "
    "jobs hr careers bewerbung team hello hallo hola ciao bonjour booking bookings reservations "
    "reservierung reservas prenotazioni enquiries inquiries zentrale poststelle buergerservice biuro "
    "kancelaria urzad ayuntamiento mairie comune protocollo pec gemeente direccion direction direzione "
    "dyrekcja privacy datenschutz abuse security legal orders bestellung shop customerservice kansli "
    "registrator kirjaamo toimisto iletisim bilgi titkarsag".split()
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


def of_a_house(own: Sequence[str]) -> int:
    """Return how much a name says that what has it is a house or a thing: its hours 2, its size, its beginning 1."""
    words = {"".join(own), *own}
    if not _HOURS.isdisjoint(words):
        return 2
    return int(not _OF_HOUSES.isdisjoint(words) or not (EVENTS - _RECORDED).isdisjoint(words))


def is_shared(address: str) -> bool:
    """Tell whether a mailbox is one of an office or a house: `info@`, `school.north@`."""
    local = address.partition("@")[0].casefold()
    words = [word for word in re.split(r"[._+0-9-]+", local) if word]
    return bool(words) and (words[0] in _SHARED or any(word in things() for word in words))


def says_code(own: Sequence[str]) -> bool:
    """Tell whether a name says a number or code of something that is nobody's: `isbn`, `app_version`, `UIC-Nr.`."""
    words = [word for word in own if not word.isdigit() and word not in _KEYS and word not in _FILLERS]
    joined = {"".join(own[i:j]) for i in range(len(own)) for j in range(i + 1, len(own) + 1)} if len(own) < 6 else set()
    return any(word in vocabulary("code_words") for word in (*words, *joined))


@functools.cache
def _name_words() -> frozenset[str]:
    return vocabulary("name_words")
