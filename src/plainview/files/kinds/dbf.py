"""Whether a file is a table of dBASE, which has no signature but a header that fits."""

from __future__ import annotations

import struct

VERSIONS = frozenset(b"\x02\x03\x04\x05\x30\x31\x32\x43\x63\x83\x8b\x8c\x8e\xcb\xe5\xf5\xfb")
_TYPES = frozenset(b"CNFDLMBGPTIYOVWQ@+0")


def is_dbf(head: bytes) -> bool:
    """Tell a header whose date, lengths and columns fit each other. `head`: as much of the file as is known."""
    if len(head) < 65 or head[0] not in VERSIONS or head[2] > 12 or head[3] > 31:
        return False
    start, width = struct.unpack_from("<HH", head, 8)
    seven = head[0] & 7 == 4
    first, step, letter, size = (68, 48, 32, 33) if seven else (32, 32, 11, 16)
    total, at = 1, first
    while at + step <= min(start, len(head)) and head[at] != 0x0D:
        if head[at + letter] not in _TYPES or not head[at]:
            return False
        length = head[at + size]
        if head[at + letter] == 0x43 and not seven:
            length |= head[at + 17] << 8
        total, at = total + length, at + step
    if at + step > len(head) and start > len(head):
        return at > first  # more columns than are seen
    return at > first and at < len(head) and head[at] == 0x0D and total == width


__all__ = ["VERSIONS", "is_dbf"]
