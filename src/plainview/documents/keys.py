"""Which keys of a document are names, and which are values that must not become part of a name."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

MAX_KEYS = 100  # an object with more distinct keys over a table is a map (or a very wide record)
FEW = 20  # so many distinct keys are needed to judge by statistics
PERSON = 3  # so many keys like "Anna Muster", all over objects of one shape, are names of people

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
_PERSON = re.compile(r"^[^\W\d_a-z][^\W\d_]+(?:[ '-][^\W\d_]+)*[ ][^\W\d_a-z][^\W\d_]+$")
_PLAIN = re.compile(r"[^\x00-\x1f\x7f'\[\]{}\ud800-\udfff]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_LONG = 128  # characters; no field name is longer


@lru_cache(65_536)
def looks_like_value(key: str) -> bool:
    """Return True for a key that looks like a value (address, id, date, UUID, ...) and not like a name."""
    return len(key) > _LONG or _VALUE.search(key) is not None


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
    if count < PERSON or sum(map(looks_like_value, keys)) * 2 > count:
        return count >= PERSON
    if count < FEW:
        return all(map(_PERSON.match, keys)) and _one_shape(docs, objects_only=True)
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


__all__ = ["is_map", "looks_like_value", "part"]
