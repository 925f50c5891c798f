"""How many records a JSON object holds that is no record itself: `{"data": [...]}`, `{"users": {"u1": {...}, ...}}`."""

from __future__ import annotations

from typing import Any

import msgspec

from plainview.documents.keys import is_map

LEVELS = 3  # `{"response": {"docs": [...]}}`
LOOK = 100  # values of an object that say whether its keys are names
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ARRAY = msgspec.json.Decoder(list[msgspec.Raw])
_ANY = msgspec.json.Decoder(Any)
_ERRORS = (msgspec.MsgspecError, UnicodeError, RecursionError)


def records(text: bytes, *, known: bool = False) -> int:
    """Return the number of records of one JSON text: 1, or those inside of it when they are more than what is beside.

    An order with three lines and four more fields is one record. `known`: an earlier part of the text held such.
    """
    try:
        return _records(text, 0, -LOOK if known else 0)
    except _ERRORS:
        return 1


def _records(text: bytes | msgspec.Raw, level: int, beside: int) -> int:
    members = _OBJECT.decode(text)
    if level and len(members) > beside and _is_map(members, known=beside < 0):
        return len(members)
    beside += len(members) - 1
    found = 1
    for member in members.values():
        first = _first(member)
        if first == b"[":
            inside = _ARRAY.decode(member)
            if len(inside) > beside and _first(inside[0]) in (b"{", b"["):
                found = max(found, len(inside))
        elif first == b"{" and level < LEVELS:
            found = max(found, _records(member, level + 1, beside))
    return found


def _first(value: msgspec.Raw) -> bytes:
    return bytes(memoryview(value)[:1])


def _is_map(members: dict[str, msgspec.Raw], *, known: bool) -> bool:
    some = [key for key, _ in zip(members, range(LOOK), strict=False)]
    if any(_first(members[key]) != b"{" for key in some):
        return False
    return known or is_map(some, [{key: _ANY.decode(members[key]) for key in some}])


__all__ = ["records"]
