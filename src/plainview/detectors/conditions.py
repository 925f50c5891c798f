"""Paths with a condition, `meta_value where meta_key = billing_phone`: made and read here alone.

Such a path stands for the values of one key of a pair (`detectors.pairs`). What it means is what a field of the
key's name would: `billing_phone`, below an object `contacts[].phone`.
"""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

# Below a value of a pair: its own text, whatever it is called (FHIR, DynamoDB)
INNER = frozenset("code coding display text value concept answer item content S N".split())

_PLACE = re.compile(r"([^.]+?) where [^.=]+ = ([^.\[]+)")
_WHERE = re.compile(r"[^.]+? where ([^.=]+) = ([^.\[]+)")
_SIGNS = re.compile(r"[.\[\]={}'\"\s]+")


@functools.cache
def data() -> Mapping[str, Any]:
    """Return what `pairs.toml` says."""
    return tomllib.loads(files(__package__).joinpath("pairs.toml").read_text("utf-8"))


@functools.cache
def codes() -> Mapping[str, str]:
    """Return what keys of standards stand for, by the key as a path has it."""
    return {as_part(code): words for code, words in data()["codes"].items()}


def as_part(key: str) -> str:
    """Return a key without the signs that mean something in a path."""
    return _SIGNS.sub(" ", key).strip()


def conditioned(value: str, field: str, key: str) -> str:
    """Return the path of the values of a key."""
    return f"{value} where {_SIGNS.sub(' ', field)} = {as_part(key)}"


def has_condition(path: str) -> bool:
    """Tell whether a path stands for the values of one key."""
    return " where " in path and _PLACE.search(path) is not None


def without_conditions(path: str) -> str:
    """Return the path of the field that holds the values, of this key and of others."""
    return _PLACE.sub(r"\1", path) if " where " in path else path


def conditions_of(path: str) -> str:
    """Return the conditions of a path in words, `meta_key = billing_phone`; "" where it has none."""
    return " and ".join(f"{field} = {key}" for field, key in _WHERE.findall(path)) if " where " in path else ""


def meant(path: str) -> str:
    """Return the path that says the same without a condition: the key stands for the field of its values."""
    if " where " not in path or _PLACE.search(path) is None:
        return path
    parts = _PLACE.sub(lambda found: f"\0{codes().get(found[2].casefold(), found[2])}", path).split(".")
    while len(parts) > 1 and _is_inner(parts[-1]) and any(part[:1] == "\0" for part in parts[:-1]):
        parts.pop()
    return ".".join(parts).replace("\0", "")


def _is_inner(part: str) -> bool:
    name = part.lstrip("\0").removesuffix("[]")
    return name in INNER or name.startswith("value")
