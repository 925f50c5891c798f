"""What is looked at in an Avro file before its library gets it: the depth of its records, and items of no bytes.

fastavro recurses in C without a limit (a record in itself, 50,000 levels deep in 210 bytes of gz, ends the process),
and an array may declare 2^33 items that take no bytes. Where the schema permits either, the records of each
block are walked first, without recursion. Blocks are unpacked here too, so that their size is bounded.

Format: https://avro.apache.org/docs/1.12.0/specification/#object-container-files
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from plainview.errors import LimitError
from plainview.tables import MIB, Deadline, Limits
from plainview.tables.ratio import check_ratio

ITEMS = 2_000_000  # of arrays and maps in one block
NATIVE = 200  # levels that native code is given at most, whatever the limit of the user
UNWALKED = MIB  # bytes of a block whose arrays and maps need no look: what they hold fits in memory
BLOCK = 16 * MIB  # bytes of a block that are read whatever the limit
_CODECS = frozenset({"null", "deflate", "bzip2", "xz", "zstandard", "snappy"})
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
            _, at = _long(data, at)
        elif kind == "fixed":
            at += node.size
        elif kind in ("record", "error"):
            todo.extend((below, depth + 1, 0) for below in reversed(node.below))
        elif kind == "union":
            branch, at = _long(data, at)
            todo.append((node.below[branch if branch >= 0 else len(node.below)], depth, 0))
        elif kind in ("array", "map"):
            at = _next_item(todo, (node, depth, left), data, at, items)
        else:  # bytes, string
            size, at = _long(data, at)
            at += _length(size)
        if at > len(data):
            raise IndexError
    return at, deepest


def _next_item(
    todo: list[tuple[Node, int, int]], item: tuple[Node, int, int], data: bytes, at: int, items: list[int]
) -> int:
    """Put the next item of an array or map on the list, and what follows it; return where it begins."""
    node, depth, left = item
    if not left:  # the next block of items, or the end
        left, at = _long(data, at)
        if left < 0:
            left = -left
            _, at = _long(data, at)
        items[0] += left
        if items[0] > ITEMS:
            raise LimitError(f"more than {ITEMS:,} items in the arrays and maps of one block")
        if not left:
            return at
    todo.append((node, depth, left - 1))
    if node.kind == "map":
        size, at = _long(data, at)
        at += _length(size)
    todo.append((node.below[0], depth + 1, 0))
    return at


def _length(size: int) -> int:
    if size < 0:
        raise ValueError
    return size


def _long(data: bytes, at: int) -> tuple[int, int]:
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


class Blocks:
    """An Avro file as its library gets it: blocks unpacked, walked where the schema demands it, and whole.

    A codec that is not known here is left to the library. `broken`: what follows the last whole block is none.
    """

    def __init__(self, stream: BinaryIO, limits: Limits, deadline: Deadline) -> None:
        self._stream, self._limits, self._deadline = stream, limits, deadline
        self._most = max(limits.memory, BLOCK)
        self._buffer, self._at = b"", 0
        self._taken = self._unpacked = 0  # bytes of all blocks
        self.given = 0  # bytes of the blocks that were handed on; may be set to 0
        self.broken = False
        self.deep = 0  # records that were left out
        self.deepest = 0
        head, meta = self._header()
        self._sync = self._exactly(16)
        self._codec = meta.get(b"avro.codec", b"null").decode("ascii", "replace")
        self._plain = self._codec in _CODECS
        self._shape: Shape | None = None
        try:
            self._shape = Shape(meta.get(b"avro.schema", b"").decode(), limits)
            self.deepest = self._shape.deepest
        except (ValueError, KeyError, TypeError, AttributeError, IndexError):
            self._plain = False  # the library says what is wrong with it
        if self._plain and head:
            self._buffer = _plain_header(meta) + self._sync
        else:
            self._buffer = head + self._sync

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes, fewer only at the end."""
        out = self._buffer[self._at : self._at + size]
        self._at += len(out)
        while len(out) < size and self._next():
            more = self._buffer[: size - len(out)]
            self._at = len(more)
            out += more
        return out

    def _exactly(self, size: int) -> bytes:
        data = self._stream.read(size)
        if len(data) < size:
            raise EOFError
        return data

    def _header(self) -> tuple[bytes, dict[bytes, bytes]]:
        """Return the bytes of the header up to the mark, and what it says; nothing of a file that has none."""
        taken: list[bytes] = [self._stream.read(4)]
        meta: dict[bytes, bytes] = {}
        if taken[0] != b"Obj\x01":
            raise ValueError("no header")

        def number() -> int:
            value, raw = self._number()
            taken.append(raw)
            return value

        def text() -> bytes:
            size = number()
            if not 0 <= size <= self._limits.field:
                raise ValueError("size")
            taken.append(self._exactly(size))
            return taken[-1]

        while count := number():
            if count < 0:
                number()
            for _ in range(min(abs(count), 10_000)):
                key = text()
                meta[key] = text()
        return b"".join(taken), meta

    def _number(self) -> tuple[int, bytes]:
        raw = b""
        while not raw or raw[-1] & 0x80:
            raw += self._exactly(1)
            if len(raw) > 10:
                raise ValueError("number")
        return _long(raw, 0)[0], raw

    def _next(self) -> bool:
        """Load the next block. False at the end."""
        self._deadline.check()
        self._buffer, self._at = b"", 0
        if self.broken or not (first := self._stream.read(1)):
            return False
        if not self._plain or self._shape is None:
            self._buffer = first + self._stream.read(MIB)
            return True
        try:
            count, packed = self._block(first)
            data = _unpacked(self._codec, packed, self._most)
        except LimitError:
            raise
        except Exception:  # noqa: BLE001  each codec has its own
            self.broken = True
            return False
        self._measure(len(packed), len(data))
        walked = Walked(data, count)
        if self._shape.guarded or (self._shape.many and len(data) > UNWALKED) or not data:
            walked = walk(self._shape, data, count, self._deadline)
        self.deep += walked.deep
        self._buffer = _zigzag(walked.count) + _zigzag(len(walked.data)) + walked.data + self._sync
        return True

    def _block(self, first: bytes) -> tuple[int, bytes]:
        """Return how many records a block says it holds, and its bytes. Raise EOFError, ValueError, LimitError."""
        while first[-1] & 0x80:
            first += self._exactly(1)
        count, (size, _) = _long(first, 0)[0], self._number()
        if size > self._most:
            raise _large(self._most)
        packed = self._exactly(_length(size))
        if self._exactly(16) != self._sync:
            raise ValueError("mark")
        return _length(count), packed

    def _measure(self, packed: int, unpacked: int) -> None:
        self._taken += packed
        self._unpacked += unpacked
        self.given += unpacked
        check_ratio(self._unpacked, self._taken, self._limits)


def _unpacked(codec: str, data: bytes, most: int) -> bytes:
    """Return a block unpacked; its size is bounded before memory is taken for it."""
    if codec == "null":
        return data
    if codec == "snappy":
        from cramjam import snappy

        size = 0  # as the block says itself
        for at, byte in enumerate(data[:6]):
            size |= (byte & 0x7F) << (7 * at)
            if byte < 0x80:
                break
        if size > most:
            raise _large(most)
        return bytes(snappy.decompress_raw(data[:-4]))
    if codec == "deflate":
        import zlib

        out = zlib.decompressobj(-15).decompress(data, most + 1)
    else:
        from plainview.files.packed.inflate import decompressor

        name = {"zstandard": "zstd"}.get(codec, codec)
        out = decompressor(name, Limits(memory=most)).decompress(data, most + 1)
    if len(out) > most:
        raise _large(most)
    return out


def _large(most: int) -> LimitError:
    return LimitError(f"a block of more than {most // MIB} MiB", hint="raise --memory")


def _zigzag(number: int) -> bytes:
    number, out = number << 1, b""
    while number > 0x7F:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def _plain_header(meta: dict[bytes, bytes]) -> bytes:
    """Return a header that says the same, of blocks that are not packed."""
    said = {**meta, b"avro.codec": b"null"}
    pairs = b"".join(_zigzag(len(text)) + text for pair in said.items() for text in pair)
    return b"Obj\x01" + _zigzag(len(said)) + pairs + b"\0"


__all__ = ["Blocks"]
