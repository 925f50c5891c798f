"""Names and values in rows: which two columns, or fields of an object, are a pair, and what a key of theirs says.

`meta_key = billing_phone, meta_value = …` says what a column `billing_phone` would. The values of such a key are looked
at as a column of their own (`detectors.conditions`). A key is printed only where it says a kind of data and none
of its words may be somebody's name; else what is known in it stands for it. The words are in `pairs.toml`.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from typing import Any

from plainview.detectors.conditions import as_part, codes, data
from plainview.detectors.fieldnames import NameMatch, tokens
from plainview.detectors.subjects import is_name, roles
from plainview.detectors.values_as_names import is_field_word, kind_of, package_names

LONGEST = 100  # characters of a key
MOST = 64  # keys of one pair that become columns
SAID = 0.5  # strength of a field name that says a kind of data
HIDDEN = "…"  # for the words of a key that may be somebody's name
INSIDE = ("text", "coding", "code", "display")  # where a key stands in coded types
DEPTH = 3
ADDRESS = "url"  # a key of extensions, beside which any field is the value

_VALUE = re.compile(r".@|[0-9]{5}|[\x00-\x1f\x7f]")
_FIRST = re.compile(r"^(?:urn:oid:|.*[/#|])")


@functools.cache
def _folded(which: str) -> frozenset[str]:
    return frozenset("".join(tokens(word)) for word in data()[which])


@functools.lru_cache(4096)
def is_value(name: str) -> bool:
    """Tell whether a field is one of values: `meta_value`, `Wert`, `valueString`."""
    own = tokens(name)
    return bool(own) and (own[-1] in _folded("values") or own[0] == "value" or "".join(own) in _folded("values"))


@functools.lru_cache(4096)
def is_key(name: str) -> bool:
    """Tell whether a field is one of names: `meta_key`, `Attribute Name`, `system`."""
    own = tokens(name) if name[:1] != "#" else ()
    return bool(own) and (own[-1] in _folded("keys") or "".join(own) in _folded("keys"))


@functools.lru_cache(16_384)
def said(key: str) -> str:
    """Return a key that says a kind of data as it may be printed; "" for one that says none, or is a value itself."""
    own = as_part(_FIRST.sub("", key.strip())) if len(key) <= LONGEST else ""
    if not own or own.casefold() in codes():
        return own
    if _VALUE.search(own):
        return ""
    if not tokens(own):
        return ""
    if all(word in roles() or is_name(word) for word in tokens(own)):
        return own  # `Kunde`, `nombre`: below it stand names
    best = max(package_names().match(own), key=lambda match: match.strength, default=None)
    if best is None or best.strength < SAID:
        return ""
    return own if _is_plain(own, best) else f"{HIDDEN} {as_part(best.entry)}"


def _is_plain(key: str, match: NameMatch) -> bool:
    """Tell whether no word of a key may be somebody's name."""
    known = {*tokens(match.entry)}
    return match.strength == 1.0 or all(
        word in known or word.isdigit() or is_field_word(word) or not kind_of(word) for word in tokens(key)
    )


def fields_of(names: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the fields of keys and those of values among the fields of one object, or empty ones."""
    keys = tuple(name for name in names if is_key(name.lstrip("@")))
    if not keys:
        return (), ()
    values = tuple(name for name in names if is_value(name) and name not in keys)
    if not values and ADDRESS in keys:
        values = tuple(name for name in names if name == "extension")
    elif ADDRESS in keys and "extension" in names:
        values = (*values, "extension")
    return (keys, values) if values else ((), ())


def key_in(document: Mapping[str, Any], fields: Sequence[str]) -> tuple[str, str]:
    """Return the field whose key says a kind of data, and that key as it may be printed; ("", "") where none does."""
    for field in fields:
        text = _text(document.get(field))
        if text and (shown := said(text)):
            return field, shown
    return "", ""


def _text(value: Any, depth: int = 0) -> str:
    """Return a key that may stand inside an object, as those of coded types do."""
    if isinstance(value, str):
        return value
    if depth >= DEPTH:
        return ""
    if isinstance(value, list) and value:
        return _text(value[0], depth + 1)
    if isinstance(value, dict):
        return next((text for name in INSIDE if (text := _text(value.get(name), depth + 1))), "")
    return ""


__all__ = ["DEPTH", "HIDDEN", "INSIDE", "MOST", "fields_of", "is_key", "is_value", "key_in", "said"]
