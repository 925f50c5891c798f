"""The files beside an SQLite database: the write-ahead log, applied in memory, and how a rollback journal begins.

Format: https://sqlite.org/fileformat2.html#the_write_ahead_log and #the_rollback_journal.
"""

from __future__ import annotations

import struct
from typing import Final

import numpy as np

MAGIC: Final = b"SQLite format 3\x00"
JOURNAL: Final = bytes.fromhex("d9d505f920a163d7")
_WAL_HEADER: Final = 32
_FRAME_HEADER: Final = 24


def applied(database: bytes, wal: bytes) -> tuple[bytearray, int]:
    """Return the database with the committed pages of its log, and how many these are.

    Frames count up to the last commit before the first frame whose salt or checksum is wrong: what lies
    behind is left over from an earlier use of the log, as SQLite itself sees it.
    """
    result = bytearray(database)
    if len(wal) < _WAL_HEADER:
        return result, 0
    magic, _, size = struct.unpack(">III", wal[:12])
    order = {0x377F0682: "<", 0x377F0683: ">"}.get(magic)
    size = 65536 if size == 1 else size
    if order is None or not 512 <= size <= 65536 or size & (size - 1):
        return result, 0
    salt = wal[16:24]
    sums = _checksum(order, wal[:24], (0, 0))
    if struct.pack(">II", *sums) != wal[24:32]:
        return result, 0
    pending: dict[int, int] = {}  # page number -> where its content lies
    frames = 0
    for at in range(_WAL_HEADER, len(wal) - _FRAME_HEADER - size + 1, _FRAME_HEADER + size):
        page, pages = struct.unpack(">II", wal[at : at + 8])
        sums = _checksum(order, wal[at : at + 8], sums)
        sums = _checksum(order, wal[at + _FRAME_HEADER : at + _FRAME_HEADER + size], sums)
        if wal[at + 8 : at + 16] != salt or struct.pack(">II", *sums) != wal[at + 16 : at + 24] or not page:
            break
        pending[page] = at + _FRAME_HEADER
        if pages:  # a commit: the size of the database in pages
            frames += len(pending)
            _write(result, wal, pending, size, pages)
            pending = {}
    return result, frames


def _write(result: bytearray, wal: bytes, pending: dict[int, int], size: int, pages: int) -> None:
    """Put pages where they belong; grow at most to what the log itself can fill."""
    for page, start in sorted(pending.items()):
        if page > pages:
            continue
        end = page * size
        if len(result) < end <= len(result) + len(wal):
            result.extend(bytes(end - len(result)))
        if len(result) >= end:
            result[end - size : end] = wal[start : start + size]
    if len(result) > pages * size:
        del result[pages * size :]


def _checksum(order: str, data: bytes, start: tuple[int, int]) -> tuple[int, int]:
    """Return SQLite's running checksum: s0 += x + s1, s1 += y + s0 for each pair of words, modulo 2^32."""
    s0, s1 = start
    words = np.frombuffer(data, dtype=f"{order}u4").tolist()
    for x, y in zip(words[::2], words[1::2], strict=True):
        s0 = (s0 + x + s1) & 0xFFFFFFFF
        s1 = (s1 + y + s0) & 0xFFFFFFFF
    return s0, s1
