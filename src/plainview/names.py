"""Names from a target, made safe to print: `safe_name` stands between every target and the report.

A file, table, column or index is named by whoever filled the store. A name may hold terminal escapes,
and it may be a value: `user:anna@example.org` is a key in Redis and a folder in many buckets. What looks
like a personal value is printed as its shape (digits 9, letters a). What does so is what the detectors of running
text accept (`values_in_names`), and a few forms that names alone have. Dates, UUIDs, hashes, IP addresses and
ids that are valid as nothing stay, for the owner must find the thing again. A person's plain name inside a file
name cannot be told from a word and stays.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from plainview.possessive import compile_possessive

if TYPE_CHECKING:
    from plainview.detectors.values_in_names import ValuesInNames

LIMIT = 200

# A name without any of these is right as it is. Each form of the package's detectors has one (tests/detectors), and
# most names have none: then no detector has to be loaded.
_RISKY = re.compile(
    r"[^0-9A-Za-z_./:,;'\"!? ()\[\]-]|://|-----"  # signs; what follows is of letters and digits
    r"|[0-9](?:[ ._/()-]{0,4}[0-9]){5}"  # numbers, however grouped
    r"|[0-9A-Za-z]{16}|(?=[0-9A-Za-z_-]*(?:[0-9]|[a-z][A-Z]))[0-9A-Za-z_-]{20}|[sr]k_|xox|xapp-|ey[0-9A-Za-z_-]{10}|(?:bc|tb|BC|TB)1"
    r"|[A-Za-z]{2}[0-9]{2}[0-9A-Za-z_./ -]{11}"  # keys, wallets, accounts
    r"|[A-Za-z]{5}[0-9]{4}[A-Za-z]|[A-Za-z]{2}[ -]?[0-9]{1,2}[ -]?[A-Za-z]{1,3}[ -]?[0-9]{4}|[0-9]{2} ?BH ?[0-9]{4}"
    r"|[0-9][A-Za-z][0-9A-Za-z][0-9]-?[A-Za-z][0-9A-Za-z][0-9]|[0-9]{4}[ -]?[Xx]{2}|[Xx]{4}[ -]?[Xx]{4}"
    r"|(?:[0-9A-Fa-f]{2}[:-]){5}|(?:[0-9A-Fa-f]{4}\.){2}"
    r"|(?i:pass|pw|ps[sw]|code|wort|mdp|contrase|clave|senha|passe|parol|wachtwoord|haslo|heslo|jelszo|lozinka|zaporka"
    r"|geslo|sifre|losenord|kodeord|salasana|khau|sandi|laluan|nenosiri|key|token|secret|jwt|session|sid|sig|authorization|credential)"
    r"[\w ./-]{0,12}[\"']?\s{0,2}:"  # passwords and keys behind their labels
)
# Dates that touch no other number, and UUIDs: they stay, and would make most names risky
_KEPT = re.compile(
    r"(?<![0-9A-Za-z_-])[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}(?![0-9A-Za-z_-])"
    r"|(?<![0-9])(?<![0-9][._ /+-])(?:19|20)[0-9]{2}([._/-]?)(?:0[1-9]|1[0-2])\1(?:0[1-9]|[12][0-9]|3[01])"
    r"(?![._ /+-]?[0-9])"
)

# What ends the local part or the domain of an address inside a name; all else, any script, may belong to it.
_STOP = r"\s@/\\:;,<>()\[\]{}\"|=?&#*`"
_EMAIL = compile_possessive(
    rf"(?<![^{_STOP}])([^{_STOP}]++)[@＠](?![0-9]x\.)((?:[^{_STOP}.]++\.)+[^\W\d_][^{_STOP}.]+)"
)
_USERINFO = re.compile(r"(?<=://)[^\s/@]++(?=@)")
_PHONE = re.compile(r"\+ ?\(?[1-9](?:[ ()./_-]{0,2}[0-9]){6,14}(?![0-9])")
_SECRET = re.compile(  # looser than in running text: a name may be cut
    r"(?<![0-9A-Za-z])(?:(?:AKIA|ASIA)[0-9A-Z]{16}|AIza[0-9A-Za-z_-]{35}|gh[pousr]_[0-9A-Za-z]{30,}"
    r"|github_pat_[0-9A-Za-z_]{22,}|glpat-[0-9A-Za-z_-]{20,}|xox[a-z]-[0-9A-Za-z-]{10,}"
    r"|[sr]k_(?:live|test)_[0-9A-Za-z]{16,}|sk-(?:proj|ant|svcacct|or)-[0-9A-Za-z_-]{20,}|sk-[0-9A-Za-z]{32,}"
    r"|npm_[0-9A-Za-z]{36}|pypi-[0-9A-Za-z_-]{32,}|SG\.[0-9A-Za-z_-]{16,}\.[0-9A-Za-z_-]{16,}"
    r"|dop_v1_[0-9a-f]{64}|hf_[0-9A-Za-z]{34}|eyJ[0-9A-Za-z_-]{10,}\.[0-9A-Za-z_-]{4,}(?:\.[0-9A-Za-z_-]*)?)"
)
_ENCODED = re.compile(r"%[2-7][0-9A-Fa-f]")

# Letters without any picture that are not in the Unicode class of formatting characters.
_BLANKS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class SafeNames:
    """Makes names safe by the detectors of the package and of `folders`, which are loaded for the first odd name."""

    def __init__(self, *folders: Path) -> None:
        self.folders = folders

    @functools.cached_property
    def values(self) -> ValuesInNames:
        """What the detectors know."""
        from plainview.detectors import load_detectors
        from plainview.detectors.values_in_names import ValuesInNames

        return ValuesInNames(load_detectors(*self.folders))

    def __call__(self, text: str, limit: int = LIMIT) -> str:
        """Return a name that is safe to print: no control character, no value, at most `limit` characters."""
        if not self.folders and len(text) <= limit and not _is_risky(text):
            return text
        shown, folded = _visible(text, 4 * limit)
        for start, end in self._spans(folded):
            shown[start:end] = [shape(part) for part in shown[start:end]]
        name = "".join(shown)
        return name if len(name) <= limit else name[: limit - 1] + "…"

    def _spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield where something that looks like a personal value stands."""
        users = [found.span() for found in _USERINFO.finditer(text)]
        yield from users
        for start, end in users:  # the part behind it is the store's own address, which the owner needs
            text = f"{text[:start]}{'/' * (end - start + 1)}{text[end + 1 :]}"
        for found in _EMAIL.finditer(text):
            yield found.span(1)
            yield found.span(2)
        yield from (found.span() for found in _SECRET.finditer(text))
        yield from (found.span() for found in _PHONE.finditer(text) if not self.values.stays(found[0]))
        yield from self.values.spans(text)


def _is_risky(text: str) -> bool:
    return _RISKY.search(text) is not None and _RISKY.search(_KEPT.sub("/", text)) is not None


def shape(text: str) -> str:
    """Return the shape of a text: each digit 9, each letter a, of any script; the rest as it is."""
    if not text.isascii():
        text = "".join(char for char in text if unicodedata.category(char)[0] != "M")
    return re.sub(r"[^\W\d_]", "a", re.sub(r"\d", "9", text))


def _visible(text: str, most: int) -> tuple[list[str], str]:
    """Return the parts to show and, character for part, the text to search: ASCII digits, no percent encoding."""
    encoded = _ENCODED.search(text) is not None
    if text.isascii() and text.isprintable() and not encoded:
        return list(text[:most]), text[:most]
    shown: list[str] = []
    folded: list[str] = []
    marks = at = 0
    while at < len(text) and len(shown) < most:
        if encoded and (found := _ENCODED.match(text, at)):
            at = found.end()
            shown.append(found[0])
            folded.append(_meaning(chr(int(found[0][1:], 16))))
            continue
        char = text[at]
        at += 1
        kind = unicodedata.category(char)
        marks = marks + 1 if kind[0] == "M" else 0
        picture, meaning = _picture(char, kind)
        if not picture or marks > 4:  # a tower of accents covers the lines around it
            continue
        shown.append(picture)
        folded.append(meaning)
    return shown, "".join(folded)


def _meaning(char: str) -> str:
    return char if char.isprintable() else " "


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
    if kind == "Pd":
        return char, "-"
    plain = unicodedata.normalize("NFKC", char)
    return char, plain if len(plain) == 1 else char


safe_name = SafeNames()  # by the detectors of the package

__all__ = ["LIMIT", "SafeNames", "safe_name", "shape"]
