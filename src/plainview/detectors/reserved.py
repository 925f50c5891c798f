"""Values that are nobody's: kept by standards for examples, tests and drama; and addresses of a role. Data: TOML.

Each set has one expression in the syntax of RE2 and of Rust's regex, which finds such values inside a text as well.
"""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Literal

Kind = Literal["reserved", "role"]
_LEFT, _RIGHT = r"(?:^|[^0-9A-Za-z_.\-])", r"(?:$|[^0-9A-Za-z_.\-]|[.\-](?:$|[^0-9A-Za-z]))"
_BETWEEN = r"[ .\-/()]{0,2}"  # what people write between the parts of a number


@dataclass(frozen=True, slots=True)
class Reserved:
    """Values of one category that are told apart: an expression, and in words what they are."""

    category: str
    pattern: str
    why: str


@functools.cache
def reserved(kind: Kind) -> Mapping[str, tuple[Reserved, ...]]:
    """Return the sets of a kind, by category."""
    found: dict[str, list[Reserved]] = {}
    for row in _data()[kind]:
        pattern = f"(?i){'|'.join(f'(?:{one})' for one in _patterns(row))}"
        found.setdefault(row["category"], []).append(Reserved(row["category"], pattern, row["why"]))
    return {category: tuple(sets) for category, sets in found.items()}


@functools.cache
def pattern_of(kind: Kind, category: str) -> str:
    """Return the expression of all sets of a category, "" where there is none."""
    return "|".join(f"(?:{one.pattern})" for one in reserved(kind).get(category, ()))


@functools.cache
def _data() -> Mapping[str, Any]:
    return tomllib.loads(files(__package__).joinpath("reserved.toml").read_text("utf-8"))


def _patterns(row: Mapping[str, Any]) -> Iterator[str]:
    calling = row.get("calling", "")
    before = rf"(?:(?:\+|00)?{calling}{_BETWEEN}(?:\(0\) ?)?|\(?0)?\(?" if calling else ""
    for pattern in row.get("patterns", ()):
        yield f"{'' if pattern[0] == '@' else _LEFT}{pattern}{_RIGHT}"
    if numbers := row.get("numbers"):
        between = _BETWEEN if calling else "[ -]?"
        written = (between.join("[0-9]" if sign == "x" else sign for sign in number) for number in numbers)
        yield f"{_LEFT}{before}(?:{'|'.join(written)}){_RIGHT}"
    if names := row.get("names"):
        yield rf"{_LEFT}(?:{'|'.join(name.replace('.', '[.]') for name in names)})(?:\+[^@]{{0,64}})?@"
