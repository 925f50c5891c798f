"""Which single-byte or East Asian encoding explains bytes best: a small model of letters, per language.

Each candidate is an encoding with a language. Its score is log2 of the likelihood of the bytes that are not ASCII,
by the pairs of letters (alphabets) or the characters (Chinese, Japanese, Korean) of that language, and a prior for
how often the encoding is met. All likelihoods are of the same bytes, so they compare; a few names are enough.
`letters.json` is made by tools/letter_statistics.py.
"""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

WEST = "de fr es pt it nl sv da nb fi is ca"
CENTRAL = "pl cs sk hu ro hr sl"
ALPHABETS = {  # encoding: (Python's codec, languages, log2 of the prior)
    "windows-1252": ("cp1252", WEST, 0),
    "windows-1250": ("cp1250", CENTRAL, -1),
    "windows-1251": ("cp1251", "ru uk bg sr mk", -1),
    "windows-1253": ("cp1253", "el", -1),
    "windows-1254": ("cp1254", "tr", -1),
    "windows-1255": ("cp1255", "he", -1),
    "windows-1256": ("cp1256", "ar fa", -1),
    "windows-1257": ("cp1257", "lt lv et", -1),
    "windows-874": ("cp874", "th", -1),
    "koi8-r": ("koi8_r", "ru", -2),
    "koi8-u": ("koi8_u", "uk", -3),
    "iso-8859-2": ("iso8859_2", CENTRAL, -3),
    "iso-8859-5": ("iso8859_5", "ru bg sr mk", -4),
    "iso-8859-6": ("iso8859_6", "ar", -4),
    "iso-8859-7": ("iso8859_7", "el", -3),
    "ibm866": ("cp866", "ru", -4),
    "ibm850": ("cp850", WEST, -6),
    "ibm852": ("cp852", CENTRAL, -7),
    "macintosh": ("mac_roman", WEST, -7),
}
WITH_GERMAN = {"windows-1250", "iso-8859-2", "ibm852", "windows-1257", "windows-1254"}
EAST = {
    "gb18030": ("gb18030", "zh", -1),
    "big5": ("big5hkscs", "zh-Hant", -2),
    "shift_jis": ("cp932", "ja", -1),
    "euc-jp": ("euc_jp", "ja", -2),
    "euc-kr": ("cp949", "ko", -1),
}
CODECS = {name: codec for name, (codec, _, _) in (*ALPHABETS.items(), *EAST.items())}

# Costs in bits of what the tables do not hold.
UNSEEN, FOREIGN, COMMON, SYMBOL, UNDEFINED, CAMEL = 13, 17, 8, 15, 24, 5
NEAR = 8
MIXED = 2.5  # for each pair that may be of any language of the encoding
RARE_SIGN, WIDE_MARK, HALF_KANA, LONE_KANA = 18, 10, 6, 15
MARKS = frozenset("’‘“”„–—…€°§«»·£©®ªº¿¡№\xa0")  # seen beside words of every language
SCORED = 2_000  # characters of an East Asian text that are scored

_NOT_ASCII = re.compile(r"[^\x00-\x7f]")

EDGE, OTHER_LETTER, MARK, SIGN, NOTHING = range(5)  # classes of bytes; the letters of the language follow


def best(data: bytes, *, whole: bool = False) -> str:
    """Return the name of the encoding that explains the bytes of `data` (not UTF-8, not ASCII) best.

    `whole`: nothing follows them, so that half a character at their end is an error.
    """
    raw = np.frombuffer(b"\n" + data + b"\n", np.uint8).astype(np.int64)
    pairs = raw[:-1] * 256 + raw[1:]
    pairs = pairs[(raw[:-1] > 127) | (raw[1:] > 127)]
    kinds, counts = np.unique(pairs, return_counts=True)
    names, tables = _tables()
    scores = tables[:, kinds].astype(np.float64) @ counts
    ranked = {name: float(score) for name, score in zip(names, scores, strict=True)}
    winner = max(names, key=lambda name: ranked[name] + ALPHABETS[name.split()[0]][2])
    top, found = ranked[winner] + ALPHABETS[winner.split()[0]][2], winner.split()[0]
    share = _scored_share(data)
    for name, (codec, language, prior) in EAST.items():
        part = data[: int(len(data) * share) + 1]
        score = _east(part, codec, language, cut=not whole or len(part) < len(data)) / share + prior
        if score > top:
            top, found = score, name
    west = max(score for name, score in ranked.items() if name.startswith("windows-1252"))
    if top - west < NEAR and data.decode("cp1252", "replace") == data.decode(CODECS[found], "replace"):
        return "windows-1252"  # the same so far, and met more often
    return found


def _scored_share(data: bytes) -> float:
    high = len(data) - len(data.translate(None, bytes(range(128, 256))))
    return min(1.0, SCORED / max(high, 1))


def _east(data: bytes, codec: str, language: str, *, cut: bool) -> float:
    signs = _signs(language)
    text = data.decode(codec, "replace")
    if cut:
        text = text.rstrip("\ufffd")
    cost = 0
    for found in _NOT_ASCII.finditer(text):
        sign, before = found[0], text[found.start() - 1 : found.start()]
        cost += signs.get(sign) or _other_sign(sign, before)
        if before.isascii() and before.islower():
            cost += CAMEL  # between Latin letters, as an accented letter would stand
    return -cost


def _other_sign(sign: str, before: str) -> int:
    if sign == "\ufffd":
        return UNDEFINED
    if "\uff61" <= sign <= "\uff9f":  # half-width kana come in words, one alone is an accented letter
        return HALF_KANA if "\uff61" <= before <= "\uff9f" else LONE_KANA
    if "\u3000" <= sign <= "\u303f" or "\uff00" <= sign <= "\uffef":
        return WIDE_MARK
    if "\u3400" <= sign <= "\u9fff" or "\uac00" <= sign <= "\ud7af" or "\u3040" <= sign <= "\u30ff":
        return RARE_SIGN
    return UNDEFINED - 2


@functools.cache
def _data() -> dict[str, dict[str, dict[str, str]]]:
    loaded: dict[str, dict[str, dict[str, str]]] = json.loads(
        Path(__file__).with_name("letters.json").read_text(encoding="utf-8")
    )
    return loaded


@functools.cache
def _signs(language: str) -> dict[str, int]:
    return {sign: int(level) for level, signs in _data()["signs"][language].items() for sign in signs}


@functools.cache
def _tables() -> tuple[list[str], NDArray[np.float16]]:
    """Return names ("encoding language") and for each the scores of all pairs of bytes, (n, 65536)."""
    names: list[str] = []
    tables: list[NDArray[np.float32]] = []
    for name, (codec, languages, _) in ALPHABETS.items():
        signs = [bytes([byte]).decode(codec, "replace") for byte in range(256)]
        for language in languages.split():
            names.append(f"{name} {language}")
            tables.append(_table(signs, language).reshape(-1))
        several = [*tables[-len(languages.split()) :]]
        if name in WITH_GERMAN:
            several.append(_table(signs, "de").reshape(-1))
        if len(several) > 1:  # a table of customers speaks several languages
            names.append(f"{name} mixed")
            tables.append(np.max(several, axis=0) - MIXED)
    return names, np.stack(tables).astype(np.float16)


def _table(signs: list[str], language: str) -> NDArray[np.float32]:
    """Return the score of each pair of bytes, given what the bytes stand for: (256, 256)."""
    bits, place = _bits(language)
    lower = [sign.lower() for sign in signs]
    classes = np.array([_class(sign, place) for sign in lower])
    table = bits[classes[:, None], classes[None, :]]
    upper = np.array([sign.isupper() for sign in signs])
    small = np.array([sign.islower() for sign in signs])
    camel = (small[:, None] & upper[None, :]).astype(np.float32)
    result: NDArray[np.float32] = -(table + CAMEL * camel)
    return result


def _class(sign: str, place: dict[str, int]) -> int:
    if sign in place:
        return place[sign]
    if sign == "\ufffd" or "\x7f" < sign < "\xa0":
        return NOTHING
    if sign.isalpha():
        return OTHER_LETTER
    return EDGE if sign.isascii() else MARK if sign in MARKS else SIGN


@functools.cache
def _bits(language: str) -> tuple[NDArray[np.float32], dict[str, int]]:
    """Return -log2 P(class | class before) of a language, and the class of each of its letters."""
    levels = _data()["pairs"][language]
    letters = sorted(set("".join(levels.values())) - {"^"})
    place = {letter: NOTHING + 1 + at for at, letter in enumerate(letters)}
    size = NOTHING + 1 + len(letters)
    bits = np.full((size, size), UNSEEN, np.float32)
    bits[:, OTHER_LETTER] = bits[OTHER_LETTER, :] = FOREIGN
    place["^"] = EDGE
    for level, text in levels.items():
        for pair in _twos(text):
            bits[place[pair[0]], place[pair[1]]] = int(level)
    bits[[OTHER_LETTER, MARK, SIGN, NOTHING], EDGE] = 1
    bits[[MARK, SIGN, NOTHING], NOTHING + 1 :] = bits[EDGE, NOTHING + 1 :]
    bits[:, MARK] = COMMON
    bits[:, SIGN] = SYMBOL
    bits[:, NOTHING] = UNDEFINED
    del place["^"]
    return bits, place


def _twos(text: str) -> list[str]:
    """Cut a text into pieces of two characters."""
    return [text[at : at + 2] for at in range(0, len(text), 2)]


__all__ = ["CODECS", "best"]
