"""Names of persons, by vocabularies of given names and surnames; in Han script by surname characters.

A cell is a name when its words are: one word needs a known given name or surname; several words need
at least one known given name, or a known surname beside an initial or a title; words of companies and
places never make a name. Nothing is concluded from a name about origin, gender or belief.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container
from functools import cache

from plainview.detectors import vocabulary
from plainview.detectors.words import BOOKS

TITLES = frozenset(
    "mr mrs ms miss mx dr prof professor sir dame lord lady rev hon herr frau fräulein monsieur madame mme mlle m sr "
    "sra srta don doña señor señora señorita sig signor signora dott dr.ssa dhr mevr mevrouw pan pani г-н г-жа "
    "господин госпожа пан пані السيد السيدة श्री श्रीमती सुश्री डॉ कुमारी นาย นาง นางสาว ดร jr sr ii iii iv phd "
    "md dds dvm esq mba bsc msc dipl ing mag bc dkfm univ hc".split()
)
PARTICLES = frozenset(
    "de da do dos das del della di du la le van von der den ter ten zu zum zur bin ibn al el ben y e af av st mac "
    "mc o".split()
)
# A letter, or a vowel sign of a script from Devanagari to Khmer, which Python counts among neither letters nor words
_LETTER = r"(?:[^\W\d_]|[\u0900-\u0963\u0971-\u0df3\u0e31-\u0e3a\u0e47-\u0e4e\u0eb1-\u109f\u17b6-\u17d3])"
_WORD = re.compile(rf"{_LETTER}+(?:['’\-·‐]{_LETTER}+)*\.?")
_SHAPE = re.compile(r"[^\W\d_][^\d_@/\\<>{}\[\]|=+*%$#!?;:\"&~^]*")
_HAN = re.compile(r"[\u3400-\u9fff々]{1,4}(?:[··][\u3400-\u9fff]+)?")
_HAN_PARTED = re.compile(r"([\u3400-\u9fff々]{1,3})[ ]([\u3400-\u9fff々]{1,3}|[\u3040-\u30ff]{1,6})")
_THAI_TITLE = re.compile(r"^(?:นางสาว|นาง|นาย|น\.ส\.|ด\.ช\.|ด\.ญ\.) ?(?=[ก-ฮ])")
_HANGUL = re.compile(r"[\uac00-\ud7af]{2,4}")
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+")
_VERSUS = re.compile(r"\b(?:v|vs|and|und|et|feat)\b\.? ")
_NOT_PERSON = (
    "the ",
    "los ",
    "las ",
    "les ",
    "saint ",
    "st. ",
    "san ",
    "santa ",
    "mount ",
    "lake ",
    "fort ",
    "port ",
    "university of ",
)
# One word of these and the cell names a place, a house, an event or a firm.
ORGANISED = frozenset(
    "county city town village region district province state island islands river lake mountain valley park beach bay "
    "north south east west northern southern eastern western central asia europe africa america oceania antarctica "
    "street avenue road lane boulevard drive square hurricane storm university college school hospital church museum "
    "airport station hotel restaurant club team fc united association society institute foundation department ministry "
    "bank insurance airlines airways records music studios pictures films press news times post tribune magazine "
    "universität schule straße platz kirche universidad universidade université école rue calle via ulica "
    "avenida plaza paseo callejón pasaje ronda rambla glorieta camino carretera cuesta cañada urbanización alameda rua "
    "travessa largo praça estrada rodovia viela trevo piazza viale corso vicolo contrada borgo strada strasse "
    "gasse weg bulevardul aleea calea intrarea ulice náměstí ulitsa улица проспект переулок вулиця "
    "провулок utca sokak caddesi mahallesi jalan gang đường phố".split()
)
# A legal form in letters with dots, which look like initials: Novák s.r.o., Durand S.A.R.L.
_LEGAL = re.compile(
    r"[ ,](?:s\. ?r\. ?o|a\. ?s|(?:j\. ?)?d\. ?o\. ?o|d\. ?d|o\. ?p\. ?s|v\. ?o\. ?s|k\. ?s|d\. ?n\. ?o|s\. ?p"
    r"|[Aa]/[Ss]|sp\. ?z ?o\. ?o|e\. ?[KV]|S\. ?[Aa]\. ?[Rr]\. ?[Ll]|S\. ?p\. ?A|S\. ?r\. ?l"
    r"|S\. ?A\. ?S|S\. ?L|[BN]\. ?V)\.?$"
)
# Vietnamese tells words apart by marks: without them every other syllable is somebody's name
_VIETNAMESE = re.compile("[\u031b\u0309\u0323]|[\u0302\u0306][\u0300\u0301\u0303]")
_NOT_HAN = frozenset("省市县縣区區镇鎮乡鄉村路街店厂廠院校部局司会會所国國州")  # ends of names of places and offices
_COMPOUND = (
    "欧阳",
    "司马",
    "上官",
    "诸葛",
    "司徒",
    "東方",
    "歐陽",
    "司馬",
    "諸葛",
    "令狐",
    "皇甫",
    "尉迟",
    "公孙",
    "慕容",
    "端木",
)


def _plain(word: str) -> str:
    parts = unicodedata.normalize("NFD", word)
    if _VIETNAMESE.search(parts):
        return word
    return "".join(c for c in parts if not "\u0300" <= c <= "\u036f")


def _known(word: str, book: Container[str]) -> bool:
    if word in book:
        return True
    plain = _plain(word)
    if plain != word and plain in book:
        return True
    return any(part in book for part in re.split(r"['’\-·‐]", word) if len(part) > 2) if not word.isalpha() else False


def is_given(word: str) -> bool:
    """Tell whether a casefolded word is a known given name."""
    return _known(word, BOOKS["given_names"])


def is_surname(word: str) -> bool:
    """Tell whether a casefolded word is a known surname."""
    return _known(word, BOOKS["surnames"])


def name_tags(value: str) -> set[str]:
    """Return what the words of a cell say.

    `full` (a name of several words), `given`, `surname` (one word, or all of them), `place`, `company`, `han` (a
    script in which names are not set off by blanks).
    """
    text = unicodedata.normalize("NFKC", value.strip())
    if len(text) > 60 or not _SHAPE.fullmatch(text):
        return set()
    if _HAN.fullmatch(text):
        if text in BOOKS["surnames_han"]:  # of places so named there are more: the column decides
            return {"han", "surname", "place"} if _is_place(text) else {"han", "surname"}
        return {"full", "han"} if len(text) > 1 and _is_han_name(text) else {"han"}
    if parted := _HAN_PARTED.fullmatch(text):
        known = parted[1] in BOOKS["surnames_han"]
        return {"full", "han"} if known and text[-1] not in _NOT_HAN else {"han"}
    if _HANGUL.fullmatch(text):
        return {"full", "han"} if text[:1] in BOOKS["surnames_hangul"] else {"han"}
    folded = _THAI_TITLE.sub("", text).casefold()
    tags = {"place"} if _is_place(folded) else set()
    words = [w.rstrip(".") for w in _WORD.findall(folded)]
    if not words or len(words) > 6 or _VERSUS.search(folded):
        return tags
    if (
        any(w in BOOKS["company_words"] for w in words[1:])
        or text.endswith(_unspaced_firms())
        or text.startswith(_unspaced_firms())
        or _LEGAL.search(text)
        or folded.startswith(_NOT_PERSON)
        or not ORGANISED.isdisjoint(words)
    ):
        return tags | {"company"}
    titled = any(w in TITLES for w in words)
    core = [w for w in words if w not in TITLES and w not in PARTICLES] or words
    if len(core) == 1 and not titled:
        return tags | _single(core[0])
    return tags if "place" in tags else tags | _several(core, text, titled=titled)


@cache
def _unspaced_firms() -> tuple[str, ...]:
    """Return the words for firms in scripts that set no blanks between words: 有限公司, 株式会社, 주식회사."""
    return tuple(word for word in vocabulary("company_words") if len(word) > 1 and _UNSPACED.fullmatch(word))


def _is_place(folded: str) -> bool:
    if any(folded in BOOKS[book] for book in ("cities", "regions", "countries")):
        return True
    *_, last = folded.split(", ")
    return last != folded and any(last in BOOKS[book] for book in ("regions", "countries"))


def _single(word: str) -> set[str]:
    tags = set()
    if is_given(word):
        tags.add("given")
    if is_surname(word):
        tags.add("surname")
    return tags


def _several(core: list[str], text: str, *, titled: bool) -> set[str]:
    full = [w for w in core if len(w) > 1]
    if not full or (titled and len(full) == 1 and full[0] in BOOKS["common_words"]):
        return set()
    given = [is_given(w) for w in full]
    known = sum(g or is_surname(w) for g, w in zip(given, full, strict=True))
    plain = sum(w in BOOKS["common_words"] for w in full)
    if plain == len(full) or (text.islower() and known < len(full)) or known * 2 < len(full):
        return set()
    initials = len(core) - len(full)
    if (any(given) and len(core) > 1 and known + plain >= len(full) - 1) or (known and (initials or titled)):
        return {"full"}
    return {"surname"} if known == len(full) else set()


def _is_han_name(text: str) -> bool:
    plain = text.replace("·", "").replace("·", "")
    if plain[-1] in _NOT_HAN:
        return False
    if plain[:2] in _COMPOUND or plain[:2] in BOOKS["surnames_han"]:
        return len(plain) in (3, 4)
    return plain[0] in BOOKS["surnames_han"] and len(plain) in (2, 3)
