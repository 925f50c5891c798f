"""Possessive quantifiers on every Python 3.11: before 3.11.5 those on groups matched wrongly.

CPython issue 106052: a possessive group that holds something to backtrack into could lose its place. There the
plus is left off groups, which keeps the meaning of our patterns (their alternatives begin differently) and
costs only speed on text that does not match. Debian 12 has such a Python.
"""

from __future__ import annotations

import re
import sys
from typing import AnyStr

BROKEN = sys.version_info < (3, 11, 5)
_GROUP = r"((?<!\\)(?:\\\\)*\)(?:[*+?]|\{[0-9,]+\}))\+"


def relaxed(pattern: AnyStr) -> AnyStr:
    """Return the pattern with groups repeated greedily instead of possessively.

    >>> relaxed(r"(?:a++|b)*+c")
    '(?:a++|b)*c'
    """
    if isinstance(pattern, bytes):
        return re.sub(_GROUP.encode(), rb"\1", pattern)
    return re.sub(_GROUP, r"\1", pattern)


def compile_possessive(pattern: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """Compile like `re.compile`, with possessive groups only where Python gets them right."""
    return re.compile(relaxed(pattern) if BROKEN else pattern, flags)
