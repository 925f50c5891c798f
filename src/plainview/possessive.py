"""Possessive quantifiers on every Python 3.11: before 3.11.5 those on groups matched wrongly.

CPython issue 106052: a possessive group that holds something to backtrack into could lose its place. Debian 12
has such a Python. There the `regex` package compiles these patterns; it is a dependency of those versions alone.
"""

from __future__ import annotations

import re
import sys
from typing import AnyStr

BROKEN = sys.version_info < (3, 11, 5)


def compile_possessive(pattern: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """Compile like `re.compile`, with an engine that gets possessive groups right."""
    if not BROKEN:
        return re.compile(pattern, flags)
    import regex

    # our flags are those of both: IGNORECASE and DOTALL
    wanted = (regex.IGNORECASE if flags & re.IGNORECASE else 0) | (regex.DOTALL if flags & re.DOTALL else 0)
    made: re.Pattern[AnyStr] = regex.compile(pattern, wanted)
    return made
