"""Options of an address that speak of TLS. What is not understood is an error: as a default it would be weaker."""

from __future__ import annotations

import re
from collections.abc import Iterable

from plainview.catalog import store_of
from plainview.errors import TargetError

# Names are read without regard to case, - and _.
OPTIONS = frozenset({"tls", "ssl", "usetls", "usessl", "requiretls", "requiressl", "sslmode", "tlsmode"})
SWITCH = {**dict.fromkeys(("true", "1", "yes", "on", ""), True), **dict.fromkeys(("false", "0", "no", "off"), False)}
# libpq's words, which differ by case; None where both ways are allowed.
MODES = {"disable": False, "allow": None, "prefer": None, "require": True, "verify-ca": True, "verify-full": True}
MEANT = {"yes": True, "no": False, "maybe": None}


def tls_asked(kind: str, options: Iterable[tuple[str, str]]) -> bool | None:
    """Return whether options ask for TLS (True), for none (False), or leave it open (None). Raises TargetError.

    An option of another name that speaks of TLS, such as that of a certificate, asks for it where no other says more.
    """
    asked: set[bool | None] = set()
    hinted = False
    for name, value in options:
        short = re.sub(r"[-_]", "", name).lower()
        if short in OPTIONS:
            asked.add(_meaning(kind, short, value))
        else:
            hinted |= "ssl" in short or "tls" in short
    if asked >= {True, False}:
        raise TargetError("options that ask for TLS and for none at once")
    if True in asked or False in asked:
        return True in asked
    return True if hinted and not asked else None


def modes_of(kind: str) -> dict[str, bool | None]:
    """Return a store's own words for TLS, in small letters, as `MODES`."""
    store = store_of(kind)
    return {word: MEANT[meant] for word, meant in store.sslmodes.items()} if store else {}


def _meaning(kind: str, name: str, value: str) -> bool | None:
    words = {} if name.endswith("mode") else SWITCH
    theirs = modes_of(kind)
    if value in MODES:
        return MODES[value]
    for known in (words, theirs):
        if value.lower() in known:
            return known[value.lower()]
    all_words = [*MODES, *map(str.upper, theirs), *filter(None, words)]
    raise TargetError(f"an option for TLS, {name}, with an unknown value", hint="known: " + " ".join(all_words))


__all__ = ["MODES", "modes_of", "tls_asked"]
