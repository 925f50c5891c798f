"""The schema of an Avro file, and a walk over its records that needs no recursion.

fastavro recurses in C without a limit (a record in itself, 50,000 levels deep in 210 bytes of gz, ends the process),
and an array may declare 2^33 items that take no bytes. Where the schema permits either, the records of each
block are walked here first.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from plainview.errors import LimitError
from plainview.tables import Deadline, Limits

ITEMS = 2_000_000  # of arrays and maps in one block
NATIVE = 200  # levels that native code is given at most, whatever the limit of the user
_SIZES = {"null": 0, "boolean": 1, "float": 4, "double": 8}
_VARINTS = frozenset({"int", "long", "enum"})
_NAMED = frozenset({"record", "error", "enum", "fixed"})


@dataclass(slots=True)
class Node:
    """A type of the schema, names resolved. `size` is that of "fixed"."""

    kind: str
    below: list[Node] = field(default_factory=list)
    size: int = 0


class Shape:
    """The types of a schema. Raises LimitError for one that is nested too deeply, ValueError for one that is none."""

    def __init__(self, schema: str, limits: Limits) -> None:
        self.deepest = min(max(limits.nesting, 1), NATIVE)
        self.named: dict[str, Node] = {}
        self.open: set[int] = set()  # the records that are being built
        self.recursive = False
        try:
            self.root = self._node(json.loads(schema), "", 0)
        except RecursionError:
            raise self.too_deep("its schema is") from None
        self.many = any(node.kind in ("array", "map") for node in self._all())
        self.guarded = self.recursive or any(
            node.kind in ("array", "map") and _least(node.below[0]) == 0 for node in self._all()
        )

    def too_deep(self, what: str) -> LimitError:
        """Return what to say of something that is nested too deeply."""
        return LimitError(f"{what} nested deeper than {self.deepest} levels")

    def _node(self, schema: Any, space: str, depth: int) -> Node:
        if depth > self.deepest:
            raise self.too_deep("its schema is")
        if isinstance(schema, list):
            return Node("union", [self._node(branch, space, depth + 1) for branch in schema])
        if isinstance(schema, str):
            known = self.named.get(schema) or self.named.get(f"{space}.{schema}")
            self.recursive |= known is not None and id(known) in self.open
            return known or Node(schema)
        kind = schema["type"]
        if not isinstance(kind, str) or (kind not in _NAMED and kind not in ("array", "map")):
            return self._node(kind, space, depth + 1)
        node = Node(kind, size=int(schema.get("size", 0)) if kind == "fixed" else 0)
        if kind in _NAMED:
            name = str(schema["name"])
            space = name.rpartition(".")[0] or str(schema.get("namespace", space))
            self.named[name if "." in name or not space else f"{space}.{name}"] = node
            self.named.setdefault(name, node)
        if kind in ("array", "map"):
            node.below = [self._node(schema["items" if kind == "array" else "values"], space, depth + 1)]
        elif kind in ("record", "error"):
            self.open.add(id(node))
            node.below = [self._node(entry["type"], space, depth + 1) for entry in schema["fields"]]
            self.open.discard(id(node))
        return node

    def _all(self) -> Iterator[Node]:
        seen: dict[int, Node] = {}
        todo = [self.root]
        while todo:
            node = todo.pop()
            if id(node) not in seen:
                seen[id(node)] = node
                todo.extend(node.below)
        yield from seen.values()


def _least(node: Node) -> int:
    """Return 0 for a type whose values may take no bytes, else 1."""
    todo, seen = [node], set()
    while todo:
        node = todo.pop()
        if id(node) in seen or node.kind == "null" or (node.kind == "fixed" and not node.size):
            continue
        seen.add(id(node))
        if node.kind not in ("record", "error"):
            return 1
        todo.extend(node.below)
    return 0


@dataclass(slots=True)
class Walked:
    """The records of a block that can be handed on."""

    data: bytes
    count: int
    deep: int = 0  # records that were left out


def walk(shape: Shape, data: bytes, count: int, deadline: Deadline) -> Walked:
    """Return the records of a block without those that are nested too deeply.

    Raise LimitError for more items than the block is worth. A block that breaks off is handed on from there as it
    is, if what is left cannot be deep: the library tells of it.
    """
    if _least(shape.root) == 0 and count > ITEMS:
        raise LimitError(f"a block says that it holds {count:,} records of no bytes")
    kept: list[bytes] = []
    at = done = deep = 0
    items = [0]
    try:
        for done in range(count):
            if not done & 0xFF:
                deadline.check()
            end, depth = _skip(shape, data, at, items, deadline)
            if depth > shape.deepest:
                deep += 1
            else:
                kept.append(data[at:end])
            at = end
    except (IndexError, ValueError):
        return Walked(b"".join(kept), done - deep + 1, deep)  # one record more than there are: cut short
    return Walked(b"".join(kept), count - deep, deep)


def _skip(shape: Shape, data: bytes, at: int, items: list[int], deadline: Deadline) -> tuple[int, int]:
    """Return where a value ends, and how deep it is. Raise IndexError or ValueError where the data do not fit."""
    deepest = steps = 0
    todo: list[tuple[Node, int, int]] = [(shape.root, 0, 0)]  # what comes next, its depth, items still to come
    while todo:
        node, depth, left = todo.pop()
        deepest = max(deepest, depth)
        steps += 1
        if not steps & 0xFFFF:
            deadline.check()
        kind = node.kind
        if kind in _SIZES:
            at += _SIZES[kind]
        elif kind in _VARINTS:
            _, at = long(data, at)
        elif kind == "fixed":
            at += node.size
        elif kind in ("record", "error"):
            todo.extend((below, depth + 1, 0) for below in reversed(node.below))
        elif kind == "union":
            branch, at = long(data, at)
            todo.append((node.below[branch if branch >= 0 else len(node.below)], depth, 0))
        elif kind in ("array", "map"):
            at = _next_item(todo, (node, depth, left), data, at, items)
        else:  # bytes, string
            size, at = long(data, at)
            at += length(size)
        if at > len(data):
            raise IndexError
    return at, deepest


def _next_item(
    todo: list[tuple[Node, int, int]], item: tuple[Node, int, int], data: bytes, at: int, items: list[int]
) -> int:
    """Put the next item of an array or map on the list, and what follows it; return where it begins."""
    node, depth, left = item
    if not left:  # the next block of items, or the end
        left, at = long(data, at)
        if left < 0:
            left = -left
            _, at = long(data, at)
        items[0] += left
        if items[0] > ITEMS:
            raise LimitError(f"more than {ITEMS:,} items in the arrays and maps of one block")
        if not left:
            return at
    todo.append((node, depth, left - 1))
    if node.kind == "map":
        size, at = long(data, at)
        at += length(size)
    todo.append((node.below[0], depth + 1, 0))
    return at


def length(size: int) -> int:
    """Return a length; raise ValueError for one below 0."""
    if size < 0:
        raise ValueError
    return size


def long(data: bytes, at: int) -> tuple[int, int]:
    """Return a zigzag number and the position behind it."""
    number = shift = 0
    while True:
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return (number >> 1) ^ -(number & 1), at
        shift += 7
        if shift > 63:
            raise ValueError


__all__ = ["Shape", "Walked", "length", "long", "walk"]
