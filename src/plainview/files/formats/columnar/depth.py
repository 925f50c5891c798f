"""How deep the types of Arrow and Parquet files are, before a library that recurses over them sees one.

Polars recurses in Rust over the types of a file: lists in lists, 5,000 levels deep (200 kB), end the process. So the
schema is walked first, without recursion: FlatBuffers tables in Arrow (`arrow_guard`), in Parquet the compact protocol
of Thrift (https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md).
"""

from __future__ import annotations

from collections.abc import Callable

from plainview.errors import DamagedError, LimitError

NATIVE = 200  # levels that native code is given at most, whatever the limit of the user
LEVELS = 2  # of a schema of Parquet for one level of lists
_BROKEN = "Parquet whose footer cannot be read"
_BINARY, _LIST, _SET, _MAP, _STRUCT = 8, 9, 10, 11, 12
_FIXED = {1: 0, 2: 0, 3: 1, 7: 8}  # bytes of a value by type; of others in a row a boolean takes one
_VARINTS = frozenset({4, 5, 6})


def deepest(nesting: int) -> int:
    """Return how many levels a type may have."""
    return min(max(nesting, 1), NATIVE)


def too_deep(most: int) -> LimitError:
    """Return what to say of a schema that is deeper."""
    return LimitError(f"a column is nested deeper than {most} levels")


def check_parquet(footer: bytes, nesting: int, check: Callable[[], None]) -> None:
    """Raise LimitError for a schema that is nested too deeply, DamagedError for a footer that cannot be read."""
    thrift = _Thrift(footer, check)
    most = deepest(nesting)
    try:
        for number, kind in thrift.fields():
            if number == 2 and kind == _LIST:  # FileMetaData.schema, in depth-first order
                _check_schema(thrift, most)
            else:
                thrift.skip(kind)
    except (IndexError, ValueError):
        raise DamagedError(_BROKEN) from None


def _check_schema(thrift: _Thrift, most: int) -> None:
    size, _ = thrift.list_head()
    left: list[int] = []  # children that are still to come, of each group that is open
    for _ in range(size):
        children = 0
        for number, kind in thrift.fields():
            if number == 5 and kind in _VARINTS:  # SchemaElement.num_children
                children = thrift.number()
            else:
                thrift.skip(kind)
        while left and left[-1] <= 0:
            left.pop()
        if left:
            left[-1] -= 1
        if children > 0:
            left.append(children)
        if len(left) > LEVELS * most + 1:
            raise too_deep(most)


class _Thrift:
    """A place in a text of the compact protocol. Places beyond its end raise IndexError."""

    def __init__(self, data: bytes, check: Callable[[], None]) -> None:
        self.data, self.at, self._check = data, 0, check

    def varint(self) -> int:
        """Read an unsigned number."""
        value = shift = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7
            if shift > 63:
                raise ValueError

    def number(self) -> int:
        """Read a signed number."""
        value = self.varint()
        return (value >> 1) ^ -(value & 1)

    def fields(self) -> _Fields:
        """Return the fields of a struct; each has to be read before the next."""
        return _Fields(self)

    def list_head(self) -> tuple[int, int]:
        """Read how many elements a list has, and of which type."""
        byte = self.data[self.at]
        self.at += 1
        size = byte >> 4
        if size == 15:
            size = self.varint()
        if size > len(self.data):
            raise ValueError
        return size, byte & 15

    def skip(self, kind: int) -> None:
        """Pass over a value of a type."""
        # values of a type that are still to come; -1: the fields of a struct, up to its end
        todo = [(1, kind)]
        steps = 0
        while todo:
            steps += 1
            if not steps & 0xFFFF:
                self._check()
            count, kind = todo.pop()
            if count > 1:
                todo.append((count - 1, kind))
            if count == -1:
                if (head := self.data[self.at]) == 0:
                    self.at += 1
                    continue
                self.at += 1
                if not head >> 4:
                    self.varint()
                todo += [(-1, _STRUCT), (1, head & 15)]
            elif count:
                self._value(kind, todo)
            if len(todo) > NATIVE:
                raise ValueError

    def _value(self, kind: int, todo: list[tuple[int, int]]) -> None:
        if kind in _VARINTS:
            self.varint()
        elif kind == _BINARY:
            size = self.varint()
            self.at += size
        elif kind in (_LIST, _SET):
            size, inner = self.list_head()
            if inner in (1, 2):
                self.at += size
            else:
                todo.append((size, inner))
        elif kind == _STRUCT:
            todo.append((-1, _STRUCT))
        elif kind in _FIXED:
            self.at += _FIXED[kind]
        else:  # maps: Parquet has none
            raise ValueError
        if self.at > len(self.data):
            raise IndexError


class _Fields:
    """The numbers and types of a struct's fields."""

    def __init__(self, thrift: _Thrift) -> None:
        self._thrift, self._number = thrift, 0

    def __iter__(self) -> _Fields:
        return self

    def __next__(self) -> tuple[int, int]:
        head = self._thrift.data[self._thrift.at]
        self._thrift.at += 1
        if head == 0:
            raise StopIteration
        self._number = self._number + (head >> 4) if head >> 4 else self._thrift.number()
        return self._number, head & 15


__all__ = ["check_parquet", "deepest", "too_deep"]
