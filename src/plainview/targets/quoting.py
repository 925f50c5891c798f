"""What of a user's own words a message may repeat: nothing that could hold a secret.

People mistype: a scheme is forgotten, an option gets an address, a secret holds the `/` at which an address is cut.
So a message quotes a text only when it reads like a plain path or is the name of something that exists.
"""

from __future__ import annotations

import difflib
import os
import re
import unicodedata
from collections.abc import Iterable
from urllib.parse import unquote

# A word for a secret with a value, as in connection strings (`password=…`, `AccountKey=…`); pairs at all.
_SECRET_VALUE = re.compile(
    r"(?i)(?:pass(?:word|wd|phrase|code)?|pwd|secret|token|credentials?|(?:access|account|api|private|shared)[_ -]?key"
    r"|signature|\bsig|\bsas|\bauth)\s*="
)
_PAIRS = re.compile(r"[?&;\s][^?&;=\s]+\s*=|=[^=]*[?&;\s]")
_MAIL_LIKE = re.compile(r"[^\s@:/\\=;&?#]+@[^\s@:/\\=;&?#]+\.[^\s@:/\\=;&?#.]+")  # `me@home.csv`
_DRIVE = re.compile(r"^[A-Za-z]:(?=[\\/])")  # of a path on Windows


def exists(path: str) -> bool:
    """Tell whether something has this name in the file system, a broken link included."""
    try:
        return os.path.lexists(path)
    except (OSError, ValueError):  # longer than a name can be, or of no encoding
        return False


def folded(text: str) -> str:
    """Return the text with percent-escapes and compatibility characters resolved, as often as they are nested."""
    for _ in range(4):
        plain = unicodedata.normalize("NFKC", unquote(text, errors="replace"))
        if plain == text:
            break
        text = plain
    return text


def has_userinfo(text: str) -> bool:
    """Tell whether an `@` stands behind a `:`, as in `user:secret@host`, in any disguise."""
    plain = folded(text)
    return 0 <= plain.find(":") < plain.rfind("@")


def has_secret_value(text: str) -> bool:
    """Tell whether a word such as `password` is given a value, as in connection strings."""
    return bool(_SECRET_VALUE.search(folded(text)))


def may_hold_secret(text: str) -> bool:
    """Tell whether a text that names nothing in the file system could be an address or a connection string."""
    plain = folded(_DRIVE.sub("", text))
    if ":" in plain or _SECRET_VALUE.search(plain) or _PAIRS.search(plain):
        return True
    return "@" in plain and not _MAIL_LIKE.fullmatch(plain)


def quotable(path: object, instead: str) -> str:
    """Return the path as a message may show it: as it is written, or `instead` when it could hold a secret."""
    text = str(path)
    return text if exists(text) or not may_hold_secret(text) else instead


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the one of the known words that is most like the given one, or an empty text."""
    return next(iter(difflib.get_close_matches(word[:60].lower(), tuple(known), 1, 0.7)), "")


__all__ = ["exists", "folded", "has_secret_value", "has_userinfo", "may_hold_secret", "nearest", "quotable"]
