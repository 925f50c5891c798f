"""Which keys of a document are names, and which are values that must not become part of a name."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

from plainview.detectors.values_as_names import is_called, is_code, is_person, kind_of

MAX_KEYS = 100  # an object with more distinct keys over a table is a map (or a very wide record)
FEW = 20  # so many distinct keys are needed to judge by statistics
SHORT = 4  # letters from which on a word is no abbreviation
GIVEN = ("given", "person")
LEAST = 3  # keys that are judged by their number

_VALUE = re.compile(
    r"""
      .@                                            # an address; @id and @type are names
    | [0-9]{5}                                      # an id, a phone, a card, a time stamp
    | ^\+?[0-9][0-9 ()./-]{5,}[0-9]$                # a phone or a date, grouped
    | [0-9]{1,4}-[0-9]{2}-[0-9]{2}                  # a date
    | (?<![0-9.])[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?![0-9.])   # IPv4
    | ^[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}$  # IPv6
    | [0-9A-Fa-f]{2}(?:[:-][0-9A-Fa-f]{2}){5}       # MAC
    | [0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-                # UUID
    | (?<![0-9A-Za-z])(?=[0-9A-Fa-f]*[0-9])[0-9A-Fa-f]{16,}  # a hash
    | ^[a-z]+://                                    # a URL
    | [ ].*[,;:\\+=].*|[,;:=+].*[ ]               # running text, "Muster, Anna"
    | ^[0-9]+$                                      # a number
    | [^\x00-\x7f].*[ ].*[ ].*[ ]                   # a sentence
    | [\x00-\x08\x0b\x0c\x0e-\x1f]
    """,
    re.VERBOSE,
)
_NAMES = re.compile(r"^[^\W\d_a-z][^\W\d_]+(?:[ '-][^\W\d_]+)*[ ][^\W\d_a-z][^\W\d_]+$")  # "Xu Yz", whatever they are
_TITLED = re.compile(r"[^\W\d_a-z]")  # begins with a capital, or in a script that has none
_PLAIN = re.compile(r"[^\x00-\x1f\x7f'\[\]{}\ud800-\udfff]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_LONG = 128  # characters; no field name is longer


@lru_cache(65_536)
def looks_like_value(key: str) -> bool:
    """Return True for a key that looks like a value (address, id, date, UUID, a person, ...) and not like a name."""
    if len(key) > _LONG or _VALUE.search(key) is not None:
        return True
    return any(sign in key for sign in " _.") and is_person(key) and not is_called(key)


def values_among(keys: Collection[str], *, before: bool = False) -> set[str]:
    """Return the keys of one object, or of several alike, that are values: by themselves, or by the keys beside them.

    `Anna` and `Bern` may be what a field is called, so they count where nothing else stands beside them, or
    where they are many. `before`: such keys were found in the same place earlier.
    """
    values = {key for key in keys if looks_like_value(key)}
    rest = [key for key in keys if key not in values] if values else keys
    titled = [key for key in rest if _TITLED.match(key)]
    small = len(rest) - len(titled)
    if before or len(titled) >= max(LEAST, small) or (titled and not small):
        words = {key: kind for key in rest if (kind := _word(key))}
        others = len(rest) - len(words)
        named = {key for key in titled if key in words}
        told = len(named) > 1 or values or any(words[key] != "surname" and not _is_short(key) for key in named)
        if before or (named and told and not others) or len(named) >= max(LEAST, others):
            values.update(key for key in words if not is_code(key))
    elif not titled and len(rest) >= LEAST and all(map(_word, rest)):
        given = sum(_word(key) in GIVEN and not is_code(key) for key in rest)
        values.update(rest if given >= LEAST else ())
    return values


def some_of(path: str) -> str:
    """Return what stands beside the paths of maps for a path of which some keys are values by those beside them."""
    return f"{path}.\0"


def _is_short(key: str) -> bool:
    """Tell whether a key may be an abbreviation, of which some are names: `Arn`, `Bot`, `Lex`."""
    return key.isascii() and len(key) < SHORT


@lru_cache(65_536)
def _word(key: str) -> str:
    """Return what sort of name a key of one word or a few may be, "" for all else."""
    kind = kind_of(key) if len(key) > 1 and key[0].isalpha() else ""
    return "" if kind and is_called(key) else kind


@lru_cache(65_536)
def part(key: str) -> str:
    """Return a key as one part of a path: quoted when it holds what has a meaning in paths."""
    if _PLAIN.fullmatch(key):
        return key
    shown = _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", key).replace("'", "''")
    return "'" + shown.encode("utf-8", "replace").decode("utf-8") + "'"


def is_map(keys: Collection[str], docs: Sequence[dict[str, Any]]) -> bool:
    """Return True when objects use their keys as values: all look so, or are many, rare and of one shape.

    `keys` are the distinct keys of `docs`. A record that has most of its keys in most documents is none,
    however wide; neither is one whose values differ in type (a wide, sparse record).
    """
    count = len(keys)
    if count < LEAST or sum(map(looks_like_value, keys)) * 2 > count:
        return count >= LEAST
    if count < FEW:
        return all(map(_NAMES.match, keys)) and _one_shape(docs, objects_only=True)
    used = sum(map(len, docs))
    if len(docs) > 1 and used >= len(docs) * count * 0.5:
        return False
    if count > MAX_KEYS:
        return _one_shape(docs) or count > MAX_KEYS * 10
    rare = len(docs) == 1 or count >= used * 0.5
    return rare and _one_shape(docs, objects_only=len(docs) == 1)


def _one_shape(docs: Sequence[dict[str, Any]], *, objects_only: bool = False) -> bool:
    """Return True when nearly all values have one type and, being objects, mostly the same keys."""
    values = [v for v in chain.from_iterable(d.values() for d in docs[:2000]) if v is not None]
    if not values:
        return False
    kind, most = Counter(map(type, values)).most_common(1)[0]
    if most < len(values) * 0.9:
        return False
    if kind is not dict:
        return not objects_only
    objects = [v for v in values if type(v) is dict and v]
    names = Counter(chain.from_iterable(objects))
    return bool(objects) and sum(names.values()) >= len(names) * len(objects) * 0.5


__all__ = ["is_map", "looks_like_value", "part", "some_of", "values_among"]
