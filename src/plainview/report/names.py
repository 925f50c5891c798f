"""Names from a target, made safe to print: `safe_name` stands between every target and the report.

A file, table, column or index is named by whoever filled the store. A name may hold terminal escapes,
and it may be a value: `user:anna@example.org` is a key in Redis and a folder in many buckets. What looks
like a personal value is printed as its shape (digits 9, letters a); dates, long ids, UUIDs, hashes and IP
addresses stay, for the owner must find the thing again. A person's plain name inside a file name cannot be
told from a word and stays.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache

from plainview.possessive import compile_possessive

LIMIT = 200

# Names of this kind that match no RISKY are right as they are; nearly all names end here.
_PLAIN = re.compile(r"[A-Za-z0-9_./-]*")
_RISKY = re.compile(
    r"[0-9]{9}"
    r"|[0-9]{4}[ ._-][0-9]{4}"
    r"|[0-9]{3}-[0-9]{2}-"
    r"|[0-9A-Fa-f]{2}-[0-9A-Fa-f]{2}-[0-9A-Fa-f]{2}-"
    r"|[A-Za-z]{2}[0-9]{2}[A-Za-z0-9_. -]{11}"
    r"|(?:AKIA|ASIA|AIza|eyJ|gh[pousr]_|github_pat_|glpat-|xox[a-z]-|[sr]k[_-]|npm_|pypi-|SG\.|dop_v1_|hf_)"
)

# What ends the local part or the domain of an address inside a name; all else, any script, may belong to it.
_STOP = r"\s@/\\:;,<>()\[\]{}\"|=?&#*`"
_AT = r"(?:@|%40|＠)"
_EMAIL = compile_possessive(
    rf"(?:(?<![^{_STOP}])|(?<=%40))((?:(?!%40)[^{_STOP}])++){_AT}(?![0-9]x\.)((?:[^{_STOP}.]++\.)+[^\W\d_][^{_STOP}.]+)"
)
_USERINFO = re.compile(r"(?<=://)[^\s/@]++(?=@)")
_PHONE = re.compile(r"(?:\+|%2[Bb]) ?\(?[1-9](?:[ ()./_-]{0,2}[0-9]){6,14}(?![0-9])")
_DATE = re.compile(r"\+(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])(?:[0-9]{6})?")
_CARD = re.compile(
    r"(?<![0-9A-Za-z])(?:[0-9]{4}([ ._-]?)[0-9]{4}\1[0-9]{4}\1[0-9]{4}"
    r"|3[47][0-9]{2}([ ._-]?)[0-9]{6}\2[0-9]{5})"
    r"(?![0-9A-Za-z])"
)
_CARD_PREFIX = re.compile(
    r"4|5[0-8]|2(?:22[1-9]|2[3-9]|[3-6]|7[01]|720|20[0-4])|3(?:[47]|5(?:2[89]|[3-8]))|6(?:011|[0245])|8[12]"
)
_CHINESE = re.compile(
    r"(?<![0-9])[1-8][0-9]{5}(?:18|19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{3}[0-9Xx](?![0-9])"
)
_CERTAIN = (  # enough by their form alone
    re.compile(r"(?<![0-9A-Za-z])(?!000|666|9)[0-9]{3}-(?!00)[0-9]{2}-(?!0000)[0-9]{4}(?![0-9A-Za-z])"),  # US SSN
    re.compile(r"(?<![0-9])[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}(?![0-9])"),  # Brazilian CPF
    re.compile(r"(?<![0-9A-Fa-f:])(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}(?![0-9A-Fa-f:])"),  # MAC
    re.compile(  # MAC with dashes, not a date and time with dashes
        r"(?<![0-9A-Za-z])(?=[0-9-]{0,16}[A-Fa-f])(?:[0-9A-Fa-f]{2}-){5}[0-9A-Fa-f]{2}(?![0-9A-Za-z])"
    ),
    re.compile(
        r"(?<![0-9A-Za-z])(?:(?:AKIA|ASIA)[0-9A-Z]{16}|AIza[0-9A-Za-z_-]{35}|gh[pousr]_[0-9A-Za-z]{30,}"
        r"|github_pat_[0-9A-Za-z_]{22,}|glpat-[0-9A-Za-z_-]{20,}|xox[a-z]-[0-9A-Za-z-]{10,}"
        r"|[sr]k_(?:live|test)_[0-9A-Za-z]{16,}|sk-(?:proj|ant|svcacct|or)-[0-9A-Za-z_-]{20,}|sk-[0-9A-Za-z]{32,}"
        r"|npm_[0-9A-Za-z]{36}|pypi-[0-9A-Za-z_-]{32,}|SG\.[0-9A-Za-z_-]{16,}\.[0-9A-Za-z_-]{16,}"
        r"|dop_v1_[0-9a-f]{64}|hf_[0-9A-Za-z]{34}|eyJ[0-9A-Za-z_-]{10,}\.[0-9A-Za-z_-]{4,}(?:\.[0-9A-Za-z_-]*)?)"
    ),
)

# Length and form of the part after the check digits, from the IBAN registry: n digit, a letter, c either.
_IBANS: dict[str, str] = dict(
    re.findall(
        r"([A-Z]{2})=(\w+)",
        """
    AD=8n12c AE=19n AL=8n16c AT=16n AZ=4a20c BA=16n BE=12n BG=4a6n8c BH=4a14c BI=23n BR=23n1a1c
    BY=4c4n16c CH=5n12c CR=18n CY=8n16c CZ=20n DE=18n DJ=23n DK=14n DO=4c20n EE=16n EG=25n ES=20n FI=14n
    FK=2a12n FO=14n FR=10n11c2n GB=4a14n GE=2a16n GI=4a15c GL=14n GR=7n16c GT=24c HN=4a20n HR=17n HU=24n
    IE=4a14n IL=19n IQ=4a15n IS=22n IT=1a10n12c JO=4a4n18c KW=4a22c KZ=3n13c LB=4n20c LC=4a24c LI=5n12c
    LT=16n LU=3n13c LV=4a13c LY=21n MC=10n11c2n MD=20c ME=18n MK=3n10c2n MN=16n MR=23n MT=4a5n18c
    MU=4a19n3a NI=4a20n NL=4a10n NO=11n OM=3n16c PK=4a16c PL=24n PS=4a21c PT=21n QA=4a21c RO=4a16c
    RS=18n RU=14n15c SA=2n18c SC=4a20n3a SD=14n SE=20n SI=15n SK=20n SM=1a10n12c SO=19n ST=21n SV=4a20n
    TL=19n TN=20n TR=6n16c UA=6n19c VA=18n VG=4a16n XK=16n YE=4a4n18c
    """,
    )
)
_CLASS = {"n": "[0-9]", "a": "[A-Z]", "c": "[0-9A-Z]"}
_IBAN_START = re.compile(r"(?=[A-Za-z]{2}[0-9]{2}(?:[ ._-]?[0-9A-Za-z]){11})")

# Letters without any picture that are not in the Unicode class of formatting characters.
_BLANKS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def safe_name(text: str, limit: int = LIMIT) -> str:
    """Return a name that is safe to print: no control character, no value, at most `limit` characters."""
    if len(text) <= limit and _PLAIN.fullmatch(text) and not _RISKY.search(text):
        return text
    shown, folded = _visible(text, 4 * limit)
    for start, end in _values(folded):
        shown[start:end] = [shape(part) for part in shown[start:end]]
    name = "".join(shown)
    return name if len(name) <= limit else name[: limit - 1] + "…"


def shape(text: str) -> str:
    """Return the shape of a text: each digit 9, each letter a, of any script; the rest as it is."""
    if not text.isascii():
        text = "".join(char for char in text if unicodedata.category(char)[0] != "M")
    return re.sub(r"[^\W\d_]", "a", re.sub(r"\d", "9", text))


def _visible(text: str, most: int) -> tuple[list[str], str]:
    """Return the parts to show and, character for part, the text to search, its digits folded to ASCII."""
    if text.isascii() and text.isprintable():
        return list(text[:most]), text[:most]
    shown: list[str] = []
    folded: list[str] = []
    marks = 0
    for char in text:
        if len(shown) >= most:
            break
        kind = unicodedata.category(char)
        marks = marks + 1 if kind[0] == "M" else 0
        picture, meaning = _picture(char, kind)
        if not picture or marks > 4:  # a tower of accents covers the lines around it
            continue
        shown.append(picture)
        folded.append(meaning)
    return shown, "".join(folded)


def _picture(char: str, kind: str) -> tuple[str, str]:
    """Return how a character is shown (empty: not at all), and the one character it means."""
    if " " <= char <= "~":
        return char, char
    if char in _BLANKS or "\ufe00" <= char <= "\ufe0f" or (kind == "Cf" and char not in _BIDI):
        return "", ""
    if kind == "Zs":
        return " ", " "
    if kind[0] in "CZ":  # controls, bidi controls, line ends, lone surrogates, private and unassigned ones
        code = ord(char)
        return (f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"), " "
    if kind == "Nd":
        return char, str(unicodedata.digit(char))
    plain = unicodedata.normalize("NFKC", char)
    return char, plain if len(plain) == 1 else char


def _values(text: str) -> Iterator[tuple[int, int]]:
    """Yield where something that looks like a personal value stands."""
    users = [found.span() for found in _USERINFO.finditer(text)]
    yield from users
    for found in _EMAIL.finditer(text):
        # In scheme://user@host the part after the sign is the store's own address, which the owner needs.
        if not any(start <= found.start() < end for start, end in users):
            yield found.span(1)
            yield found.span(2)
    for found in _PHONE.finditer(text):
        if not _DATE.fullmatch(found[0]):
            yield found.span()
    for pattern in _CERTAIN:
        yield from (found.span() for found in pattern.finditer(text))
    for found in _CARD.finditer(text):
        digits = re.sub(r"[^0-9]", "", found[0])
        if _CARD_PREFIX.match(digits) and _luhn(digits):
            yield found.span()
    yield from (found.span() for found in _CHINESE.finditer(text) if _resident(found[0]))
    for found in _IBAN_START.finditer(text):
        end = _iban_end(text, found.start())
        if end:
            yield found.start(), end


def _luhn(digits: str) -> bool:
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(map(int, digits[-1::-2])) + sum(doubled)) % 10 == 0


def _resident(number: str) -> bool:
    """Check digit of the Chinese resident identity number (ISO 7064 MOD 11-2)."""
    total = sum(int(digit) * pow(2, 17 - place, 11) for place, digit in enumerate(number[:17]))
    return "10X98765432"[total % 11] == number[17].upper()


@cache
def _iban_form(country: str) -> tuple[int, re.Pattern[str]] | None:
    """Return the length of a country's IBAN and the form of all after its check digits."""
    parts = re.findall(r"([0-9]+)([nac])", _IBANS.get(country, ""))
    form = "".join(f"{_CLASS[kind]}{{{size}}}" for size, kind in parts)
    return (4 + sum(int(size) for size, _ in parts), re.compile(form)) if parts else None


def _iban_end(text: str, start: int) -> int:
    """Return where the IBAN that starts here ends, or 0 when there is none."""
    known = _iban_form(text[start : start + 2].upper())
    if known is None:
        return 0
    length, form = known
    kept = ""
    for place in range(start, len(text)):
        char = text[place]
        if "0" <= char <= "9" or "A" <= char.upper() <= "Z":
            kept += char.upper()
            if len(kept) == length:
                number = "".join(str(int(sign, 36)) for sign in kept[4:] + kept[:4])
                return place + 1 if form.fullmatch(kept, 4) and int(number) % 97 == 1 else 0
        elif char not in " ._-" or not kept[-1:] or text[place - 1] in " ._-":
            return 0
    return 0


__all__ = ["LIMIT", "safe_name", "shape"]
