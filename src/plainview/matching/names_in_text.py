"""Names of persons in running text, by cue words, capitals, word lists: `Dear Anna Nowak`, `Herr Öztürk`, `佐藤さん`.

A run of capitalised words is a name where it begins with a known given name and goes on with a family name, or with
a word that is none of everyday; behind a title the words need not be known. What an organisation, a street or a place
is called is left out. Nothing is concluded from a name. Each run, of `LONGEST` words at most, is looked at once.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence

from plainview.detectors.fieldnames import tokens
from plainview.detectors.persons import ORGANISED, PARTICLES, TITLES, is_given, is_surname
from plainview.detectors.subjects import is_name, roles
from plainview.detectors.words import BOOKS

LONGEST = 6  # words of a run that are looked at
LETTERS = r"[^\W\d_]"
_UPPER = "".join(chr(c) for c in range(0x41, 0x590) if chr(c).isupper())
_WORD = rf"[{_UPPER}]{LETTERS}*(?:['’\-]{LETTERS}+)*\.?"
_PARTICLE = (
    "(?:de la|de los|de|del|della|di|da|do|dos|van der|van den|van de|van|von der|von|zu|der|den|ter|ten|bin|ibn|al|el|"
    "le|la|y|e|af|av)"
)
_NEXT = rf",? (?:{_PARTICLE} )?{_WORD}"
_BOUND = rf"(?<![^\W_])(?<![@/\\.\-_'’&]){_WORD}"
_RUN = re.compile(rf"{_BOUND}(?:{_NEXT}){{1,{LONGEST - 1}}}")
_BEHIND = re.compile(rf"[:=|：][ \t]{{0,12}}[\"']?({_WORD}(?:{_NEXT}){{0,{LONGEST - 1}}})")  # behind a label
_PART = re.compile(rf"{_WORD}|{LETTERS}+")
# What stands before a name and nothing else, folded
CUES = TITLES | frozenset(
    "hr fr dhr mw mevr mej hra fru frk rva neiti tov ing inz mgr prof dr dra dott dottssa avv avvocato geom "
    "rag doc judr mudr phdr don doña dona padre fray sor soeur frère pater pastor pfarrer rabbi imam sheikh "
    "sayed panu pana panem panią panie paní panna pán pánovi domnul doamna dl dna dnul bay bayan sayın sn "
    "kirie kyria κύριος κυρία κ господин госпожа господину госпоже гражданин гражданка пан пані пане панові "
    "товарищ тов bapak ibu pak bu sdr sdri ông bà anh chị sgt lt col capt gen maj cpl det officer detective "
    "judge justice".split()
)
_WEAK = frozenset("m h f s e y o a fr sr sn col gen bay bu bà anh e av st".split())  # words or initials as well
_GIVEN = frozenset("Ggw")  # kinds of words that a name begins with
_LABEL = re.compile(
    rf"(?:^|[\n\r\t|>•*;,.(\"'-])[ \t]*[\"']?({LETTERS}[^\W_ ]*(?:[ ./_&-]{{1,3}}{LETTERS}+){{0,4}})"
    r"[\"']?[ \t]*[:：=|]$"
)
# What follows a name in Japanese, Chinese and Korean, and the signs of which the name consists
_FOLLOWS = re.compile(
    "先生|女士|小姐|(?:さん|氏|様|さま|君|くん|ちゃん|同学|老师|教授|经理| ?씨| ?님)"
    "(?:(?![\u4e00-\u9fff\uac00-\ud7af])|(?=에게|께|은 |는 |이 |가 |을 |를 |와 |과 |의 |도 ))"
)
_SIGNS = re.compile("(?:[\u4e00-\u9fff々]{2,4}|[\uac00-\ud7af]{2,4})$")
HAN_BOOKS = ("surnames_han", "surnames_hangul")
LONG = 30  # letters that no word of a name has
BEFORE = 40  # characters before a run in which its label must stand
MONTHS = frozenset("january february march april may june july august september october november december".split())


@functools.lru_cache(maxsize=32_768)
def _kind(word: str) -> str:
    """Return what a word is in a name, in a letter.

    `T` title, `P` one that may be an initial or a word, `p` part of what is no person, `G` given name alone, `g` given
    or family name, `w` given name and word of everyday, `s` family name, `v` the same and word of everyday, `c` word of
    everyday, `o` place, `i` initial, `u` unknown.
    """
    folded = word.rstrip(".").casefold()
    if len(folded) > LONG:
        return "p"
    if len(folded) > 1 and folded in CUES:
        return "P" if folded in _WEAK else "T"
    if len(folded) == 1:
        return "i"
    if folded in ORGANISED or folded in BOOKS["company_words"] or folded in BOOKS["place_words"]:
        return "p"
    common = folded in BOOKS["common_words"] or folded in MONTHS or len(folded) < 3
    if is_given(folded):
        if common:
            return "c" if len(folded) < 4 else "w"
        return "g" if is_surname(folded) else "G"
    if is_surname(folded):
        return "v" if common else "s"
    if common:
        return "c"
    return "o" if any(folded in BOOKS[book] for book in ("cities", "regions", "countries")) else "u"


def names_in(text: str) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of what are names in a text, in any order; they may overlap."""
    for found in _RUN.finditer(text):
        yield from _in_run(found.start(), found.group())
    for found in _BEHIND.finditer(text):
        if _labelled(text[max(0, found.start() - BEFORE) : found.start() + 1]) and _plain(words_of_run(found[1])):
            yield found.start(1), found.end(1)
    if not text.isascii():
        for found in _FOLLOWS.finditer(text):
            signs = _SIGNS.search(text[max(0, found.start() - 4) : found.start()])
            size = _of_signs(signs[0]) if signs else 0
            if size:
                yield found.start() - size, found.start()


def _of_signs(signs: str) -> int:
    """Return how many of the last signs are a name: a family name of one or two signs, and at most two others."""
    for size in range(min(4, len(signs)), 1, -1):
        name = signs[-size:]
        if any(name[:n] in BOOKS[book] for book in HAN_BOOKS for n in (1, 2) if size - 2 <= n <= size):
            return size
    return 0


def words_of_run(run: str) -> list[str]:
    """Return the words of a run."""
    return _PART.findall(run)


def _in_run(start: int, run: str) -> Iterator[tuple[int, int]]:
    words = _PART.findall(run)
    kinds = list(map(_kind, words))
    at = next((i for i, kind in enumerate(kinds) if kind == "T" or (kind == "P" and words[i].endswith("."))), -1) + 1
    titled = 0 < at < len(words)
    while titled and at < len(words) - 1 and kinds[at] in "TP":
        at += 1
    at = at if titled else 0
    if (not titled and _GIVEN.isdisjoint(kinds)) or "p" in kinds[
        at:
    ]:  # of an organisation, a street: what stands before it is part of its name
        return
    while at < len(words) - (not titled):
        end = _titled_end(words, kinds, at) if titled else _end(words, kinds, at)
        if end > at + (not titled):
            spans = [m.span() for m in _PART.finditer(run)]
            yield start + spans[at][0], start + _stop(run, spans, end)
        if titled:
            return
        at = max(end, at + 1)


def _stop(run: str, spans: Sequence[tuple[int, int]], end: int) -> int:
    """Return where the last word ends, without the full stop of its sentence."""
    stop = spans[end - 1][1]
    return stop - (run[stop - 1] == "." and spans[end - 1][1] - spans[end - 1][0] > 2)


def _labelled(before: str) -> bool:
    """Tell whether a text ends in a label for names: `Nombre:`, `| Name |`, `Patient=`."""
    found = _LABEL.search(before)
    if found is None:
        return False
    own = tokens(found[1])
    return 0 < len(own) <= 3 and all(word in roles() or is_name(word) or word in _LABELS for word in own)


_LABELS = frozenset(
    "to from dear attn attention signed signature apellidos apellido nombre nombres cognome prenom nachname "
    "vorname surname lastname firstname forename first last full family given medico médico doctor physician "
    "arzt nazwisko imie prijmeni soyad soyadi фамилия имя отчество прізвище ім ja y e und et and i of".split()
)


def _plain(words: Sequence[str]) -> bool:
    """Tell whether words behind a label for names may be one: none is of an organisation, not all are of everyday."""
    kinds = [_kind(word) for word in words]
    return len(words) <= LONGEST - 1 and "p" not in kinds and any(kind in "Ggwsvu" for kind in kinds)


def _titled_end(words: Sequence[str], kinds: Sequence[str], at: int) -> int:
    """Return behind which word a name ends that begins at `at`, behind a title; `at` where none begins there."""
    end = at
    while end < min(at + 4, len(words)) and kinds[end] in "Ggsvwui":
        end += 1
    return at if end == at + 1 and kinds[at] == "i" else end


def _end(words: Sequence[str], kinds: Sequence[str], at: int) -> int:
    """Return behind which word a name of several words ends that begins at `at`; `at` where none begins there."""
    if kinds[at] not in _GIVEN:
        return at
    end, last, known = at + 1, at, kinds[at] != "w"
    while end < min(at + LONGEST - 1, len(words)):
        word, kind = words[end], kinds[end]
        if (word[0].islower() and word in PARTICLES) or kind == "i":
            end += 1
            continue
        unknown = kind == "u" and len(word) > 3
        if kind not in "Ggs" and not (known and (unknown or kind in "vw")):
            break
        last, known, end = end, known or kind in "sg", end + 1
        if unknown:
            break
    return last + 1 if known and last > at else at
