"""A compound file ([MS-CFB]) as Outlook writes one: storages and streams, each in whole sectors."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

SMALL, MINI = 4096, 64
SECTOR, END, FREE, FAT = 512, 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD
Tree = dict[str, "bytes | Tree"]


@dataclass
class _Entry:
    name: str
    kind: int
    data: bytes = b""
    child: int = FREE
    right: int = FREE
    start: int = END


@dataclass
class _File:
    entries: list[_Entry] = field(default_factory=lambda: [_Entry("Root Entry", 5)])

    def add(self, parent: int, tree: Tree) -> None:
        before = None
        for name, value in tree.items():
            inner = isinstance(value, dict)
            self.entries.append(_Entry(name, 1 if inner else 2, b"" if inner else value))
            at = len(self.entries) - 1
            if before is None:
                self.entries[parent].child = at
            else:
                self.entries[before].right = at
            before = at
            if inner:
                self.add(at, value)


def compound(tree: Tree) -> bytes:
    """Return the bytes of a file with these storages and streams."""
    file = _File()
    file.add(0, tree)
    chain: list[int] = []
    body = b""

    def put(data: bytes) -> int:
        nonlocal body
        if not data:
            return END
        count, start = -(-len(data) // SECTOR), len(chain)
        chain.extend([*range(start + 1, start + count), END])
        body += data.ljust(count * SECTOR, b"\0")
        return start

    small, mini = b"", list[int]()
    for entry in file.entries[1:]:
        if 0 < len(entry.data) < SMALL:  # in the stream of small ones, which is that of the root
            count, entry.start = -(-len(entry.data) // MINI), len(mini)
            mini += [*range(entry.start + 1, entry.start + count), END]
            small += entry.data.ljust(count * MINI, b"\0")
        else:
            entry.start = put(entry.data)
    file.entries[0].data = small
    file.entries[0].start = put(small)
    minis = put(struct.pack(f"<{len(mini)}I", *mini).ljust(-(-len(mini) * 4 // SECTOR) * SECTOR, b"\xff"))
    minis_count = -(-len(mini) * 4 // SECTOR)
    directory = b"".join(
        entry.name.encode("utf-16-le").ljust(64, b"\0")
        + struct.pack("<HBBIII", 2 * len(entry.name) + 2, entry.kind, 1, FREE, entry.right, entry.child)
        + bytes(36)
        + struct.pack("<IQ", entry.start, len(entry.data))
        for entry in file.entries
    )
    first = put(directory.ljust(-(-len(directory) // SECTOR) * SECTOR, b"\0"))
    sectors = 1
    while (len(chain) + sectors) * 4 > sectors * SECTOR:
        sectors += 1
    tables = range(len(chain), len(chain) + sectors)
    table = [*chain, *[FAT] * sectors]
    table += [FREE] * (sectors * SECTOR // 4 - len(table))
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    head += struct.pack("<IIIIIIIII", 0, sectors, first, 0, SMALL, minis, minis_count, END, 0)
    head += struct.pack("<109I", *tables, *[FREE] * (109 - sectors))
    return head + body + struct.pack(f"<{len(table)}I", *table)


def message(text: str, more: Tree | None = None, **properties: str | bytes) -> bytes:
    """Return a message of Outlook with text and properties `P0037="subject"`."""
    tree: Tree = {"__nameid_version1.0": {"__substg1.0_00020102": b"\0"}, "__properties_version1.0": bytes(32)}
    return compound({**tree, **streams(P1000=text, **properties), **(more or {})})


def streams(**properties: str | bytes) -> Tree:
    """Return the streams of properties: text in UTF-16, bytes as they are."""
    return {
        f"__substg1.0_{name[1:]}{'001F' if isinstance(value, str) else '0102'}": value.encode("utf-16-le") if isinstance(value, str) else value
        for name, value in properties.items()
    }  # fmt: skip
