"""Telephone numbers, by the numbering plans in `phonenumbers`. About 50 µs a value: for candidates only."""

from __future__ import annotations

import functools
import re
from typing import Final

from plainview.detectors.checks.kernel import Function, check, per_value

# regions whose national forms are tried, the most populous first; +1 regions share one plan
_REGION_LIST = "US IN CN BR GB DE FR IT ES JP RU MX ID TR KR AU NL PL BE CH AT SE NO DK FI IE PT CZ UA ZA"
_REGIONS: Final = tuple(_REGION_LIST.split())
_SHAPE = re.compile(
    r"(?:\+|00|\()?[0-9](?:[0-9() ./\u00a0\u2011\u2013-]{5,22})[0-9](?: ?(?:x|ext\.?|#) ?[0-9]{1,6})?",
    re.ASCII,
)
_NOT_PHONE = re.compile(
    r"(?:[0-9]{4}[-./ ][0-9]{1,2}[-./ ][0-9]{1,2}|[0-9]{1,2}[-./ ][0-9]{1,2}[-./ ][0-9]{4})"
    r"(?:[ T].*)?"  # dates
    r"|[0-9]{1,3}(?:\.[0-9]{1,3}){3}"  # IPv4
    r"|[0-9]+[.,][0-9]+"  # decimals
    r"|[0-9]{4} ?[-/–] ?[0-9]{4}"  # spans of years
    r"|[0-9]{3}-[0-9]{2}-[0-9]{4}"  # United States social security
    r"|[0-9]{1,3}(?:[ .,][0-9]{3})+"  # thousands
)
_PLAIN = re.compile(r"\+[0-9() ./-]+")
HEAD = 6  # digits of a number with a plus sign that its country and its prefixes are known by
_AMERICAN = re.compile(
    r"(?:1[-. ])?\(?[1-9][0-9]{2}\)?[-. ]{1,2}[0-9]{3}[-. ][0-9]{4}(?: ?(?:x|ext\.?|#) ?[0-9]{1,6})?"
)

_INVENTED = re.compile(
    r"(?:1[-. ])?(?:\([1-9][0-9]{2}\) ?|[1-9][0-9]{2}[-.])555[-. ]01[0-9]{2}"
)  # kept free for stories


def _is_valid(text: str, region: str) -> bool:
    import phonenumbers

    try:
        return bool(phonenumbers.is_valid_number(phonenumbers.parse(text, region)))
    except phonenumbers.NumberParseException:
        return False


def _is_possible(text: str) -> bool:
    """Return whether a number with a plus sign has a known country code and a length of that country.

    The sign says what it is, so ranges not yet given out are let through: made-up data is full of them.
    """
    digits = re.sub("[^0-9]", "", text)
    if _PLAIN.fullmatch(text):  # the plans ask no more than how it begins and how long it is
        return _has_plan(digits[:HEAD] + "1" * (len(digits) - HEAD))
    return _has_plan(text[1:])


@functools.lru_cache(maxsize=65_536)
def _has_plan(number: str) -> bool:
    import phonenumbers

    try:
        return bool(phonenumbers.is_possible_number(phonenumbers.parse("+" + number, None)))
    except phonenumbers.NumberParseException:
        return False


def _is_written_out(text: str) -> bool:
    """Return whether a number that begins with 0 is grouped like one, and not like a tax or identity number."""
    groups = [group for group in re.split(r"[^0-9]+", text) if group]
    digits = sum(map(len, groups))
    if "/" in text or "(" in text:
        return digits >= 8
    if len(groups) == 2:
        return digits >= 9 and 3 <= len(groups[0]) <= 5
    return digits >= 10


def _repeats(text: str) -> bool:
    return len(set(re.sub(r"[^0-9]", "", text)[-7:])) == 1


def is_phone(value: str) -> bool:
    """Return whether the text is an international number, or a national one with separators."""
    text = value.strip()
    if len(text) > 40 or not _SHAPE.fullmatch(text):
        return False
    if text.startswith("+"):
        return _is_possible(text)
    if _NOT_PHONE.fullmatch(text) or _repeats(text):
        return False
    if text.startswith("00"):
        return _is_possible("+" + text[2:])
    if text.isdigit():
        return False  # a bare number needs a field name, or a plan of its own
    if text.startswith(("0", "(0")) and not _is_written_out(text):
        return False
    if _INVENTED.fullmatch(text):  # area codes that nobody has are used with them
        return True
    regions = ("US",) if _AMERICAN.fullmatch(text) else _REGIONS  # 3-3-4 is grouped so in North America
    return any(_is_valid(text, region) for region in regions)


PHONES: Final[dict[str, Function]] = {
    "phone": per_value(is_phone),
    # prefixes that China's ministry of industry has given to mobile operators
    "cn_mobile": check(
        r"(?:86)?1(?:3[0-9]|4[0-14-9]|5[0-35-9]|6[2567]|7[0-8]|8[0-9]|9[0-35-9])[0-9]{8}",
    ),
}
