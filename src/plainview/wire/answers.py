"""JSON as stores answer it: decoded in one place, bounded, and never quoted in an error."""

from __future__ import annotations

import re
from functools import cache
from typing import Any, TypeVar

from plainview.errors import ProtocolError
from plainview.possessive import compile_possessive

Shape = TypeVar("Shape")
DEPTH, ITEMS = 64, 200_000  # of an answer whose shape is not known
_STRINGS = compile_possessive(rb'"(?:[^"\\]|\\.)*+"', re.DOTALL)


def limited_json(data: bytes) -> Any:
    """Decode JSON of any shape, of at most 64 levels and 200,000 items. Raises ProtocolError without quoting it."""
    data = data.removeprefix(b"\xef\xbb\xbf")
    if data.count(b",") + data.count(b"[") + data.count(b"{") > DEPTH:
        _check_shape(data)
    problem = "a login or error page" if data[:200].lstrip()[:1] == b"<" else "not JSON"
    return _decoded(data, Any, f"the answer is {problem}")


def shaped_json(data: bytes, shape: type[Shape], problem: str) -> Shape:
    """Decode JSON into a msgspec type; its `Raw` parts are single lines. Raises ProtocolError with `problem`."""
    if b"\n" in data or b"\r" in data:  # a line break in JSON stands outside of all texts
        data = data.replace(b"\n", b" ").replace(b"\r", b" ")
    found: Shape = _decoded(data, shape, problem)
    return found


@cache
def _decoder(shape: Any) -> Any:
    import msgspec

    return msgspec.json.Decoder(shape)


def _decoded(data: bytes, shape: Any, problem: str) -> Any:
    import msgspec

    try:
        found = _decoder(shape).decode(data)
    except (msgspec.MsgspecError, RecursionError, UnicodeError, ValueError):
        pass  # its text quotes the data
    else:
        return found
    raise ProtocolError(problem)


def _check_shape(data: bytes) -> None:
    """Count levels and items outside strings."""
    bare = _STRINGS.sub(b"", data)
    if bare.count(b",") + bare.count(b"[") + bare.count(b"{") > ITEMS:
        raise ProtocolError(f"JSON with more than {ITEMS} items")
    depth = 0
    for bracket in re.finditer(rb"[\[\]{}]", bare):
        depth += 1 if bracket[0] in b"[{" else -1
        if depth > DEPTH:
            raise ProtocolError(f"JSON nested deeper than {DEPTH}")


__all__ = ["limited_json", "shaped_json"]
