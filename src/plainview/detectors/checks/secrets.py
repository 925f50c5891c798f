"""Whether what stands behind a label for a password or a key is one: no placeholder, no word, no piece of a program."""

from __future__ import annotations

from typing import Final

import polars as pl

from plainview.detectors.checks.kernel import Bools, Function
from plainview.detectors.words import BOOKS

_QUOTED = r"""[:=>]\s*["']([^"']*)["']\s*$"""
_BARE = r"""(?s)^.*?(?::=|=>|[:=])\s*["']?(.*?)["']?\s*$"""
# ${NAME}, <your-key>, {{ secret }}, %PASS%, ****, xxxxxxxx, ENC[…]
_SIGNS = r"^[$<{%\[(@&#]|^[*•●.xX_\-?0\s]+$|\.\.\.|…"
_BEGINS = (
    r"your my some enter insert replace change example sample dummy test todo tbd n/a redacted hidden masked filtered "
    r"removed vault: enc[:(\[] secret: env[.:\[] ref\+ op:// arn: file: /run/"
)
_PLACEHOLDER = rf"{_SIGNS}|^(?i:{_BEGINS.replace(' ', '|')})"
_WORDS = (
    "null none nil undefined true false yes no on off required optional string str text bool boolean integer "
    "number varchar.* char.* password passwort secret token default empty unset invalid incorrect expired failed "
    "missing ok set"
)
_NOTHING = rf"(?i)^(?:{_WORDS.replace(' ', '|')})$"
# A call, an index, a name of a program: getenv("X"), config.password, os.environ['X']
_OBJECTS = "self|this|config|settings|options|args|params|request|req|process|env|os|data|user|props|values?"
_NAMES = r"^[A-Za-z_]+(?:\.[A-Za-z_]+)+$|^[a-z]+(?:_[a-z]+)+$|^[A-Z]+(?:_[A-Z]+)+$|^[a-z]+(?:[A-Z][a-z]+)+$"
_PROGRAM = rf"[()\[\]{{}};]|^(?:{_OBJECTS})[.\[]|{_NAMES}"
_LETTER, _SIGN = r"[A-Za-z\P{ASCII}]", "[0-9!#$%^&*+=~?@|]"
_MIXED = rf"{_SIGN}.*{_LETTER}|{_LETTER}.*{_SIGN}|[a-z].*[A-Z].*[a-z].*[A-Z]|^[0-9]{{4,}}$"
# Names of parts, dates, addresses
_PARTS = r"^[A-Za-z]+(?:[_.:-][A-Za-z0-9]{1,12})+$|^[0-9]{1,4}(?:[-/:.][0-9]+)+|://"


def _value(values: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Return what stands behind the label, and whether quotes stand around it."""
    quoted = values.str.extract(_QUOTED)
    return quoted.fill_null(values.str.extract(_BARE)).fill_null(""), quoted.is_not_null()


def _plain(value: pl.Series) -> pl.Series:
    """Tell which values say nothing: placeholders, words of programs, the label once more."""
    return value.str.contains(_PLACEHOLDER) | value.str.contains(_NOTHING) | (value.str.len_chars() < 4)


def password(values: pl.Series) -> Bools:
    """Tell for each label with what stands behind it whether that is a password."""
    value, quoted = _value(values)
    mixed = value.str.contains(_MIXED) & ~value.str.contains(_PROGRAM)
    words = pl.Series([word.casefold() in BOOKS["common_words"] for word in value.to_list()], dtype=pl.Boolean)
    good = ~_plain(value) & (mixed | (quoted & ~words & ~value.str.contains(r"[\s(){}\[\]<>]")))
    return good.to_numpy().astype(bool)


def token(values: pl.Series) -> Bools:
    """Tell for each label with what stands behind it whether that is a key or token: long, and of many signs."""
    value, _ = _value(values)
    value = value.str.replace(r"(?i)^(?:bearer|basic|token|digest|negotiate|apikey) +", "")
    long = value.str.contains(r"^[0-9A-Za-z+/=_.~%!$:|-]{12,}$")
    mixed = value.str.contains(r"[0-9].*[A-Za-z]|[A-Za-z].*[0-9]|[a-z].*[A-Z].*[a-z].*[A-Z]")
    parts = value.str.contains(_PARTS)
    return (long & mixed & ~parts & ~_plain(value)).to_numpy().astype(bool)


def combo(values: pl.Series) -> Bools:
    """Tell for each address with what stands behind it, as in `anna@example.org:secret`, whether that is a password."""
    value = values.str.extract(r"@[^\s:;|,]*[:;|,](.*?)\s*$").fill_null("")
    path = value.str.contains(r"^[~/.]|^[0-9]{1,5}(?:/|$)|\.(?:git|txt|tar|gz|zip)$|/")
    plain = value.str.contains(r"@|^[0-9]{1,3}$|^[0-9]{4}-[0-9]{2}-[0-9]{2}") | _plain(value)
    return (~path & ~plain & ~values.str.contains(r"^\s*(?:git|hg|svn|root)@")).to_numpy().astype(bool)


SECRETS: Final[dict[str, Function]] = {
    "password_behind_label": password,
    "token_behind_label": token,
    "password_behind_address": combo,
}
