"""Marks in the bytes of JSON lines: how many lines, brackets and keys a parser has to find."""

from __future__ import annotations

import functools
import os
import re
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

PIECE = 1 << 16  # bytes that are looked at together
BESIDE = 1 << 20  # bytes of a block from which on another thread counts its marks
_KEY = re.compile(rb'(?<!\\)"[ \t\r]*:')
_NULL = re.compile(rb":[ \t]*null")


@dataclass(frozen=True, slots=True)
class Marks:
    """How many line breaks, opening brackets, and quotes with a colon behind them stand in a block."""

    breaks: int
    brackets: int
    keys: int


def marks_of(block: bytes) -> Marks:
    """Count them piece by piece, in the cache of a core."""
    same, pair = np.empty(PIECE, dtype=bool), np.frombuffer(b'":', dtype=np.uint16)[0]
    breaks = brackets = keys = 0
    data = np.frombuffer(block, dtype=np.uint8)
    for start in range(0, len(data), PIECE):
        piece = data[start : start + PIECE]
        out = same[: len(piece)]
        breaks += int(np.count_nonzero(np.equal(piece, np.uint8(10), out=out)))
        # [ is { without one bit
        brackets += int(np.count_nonzero(np.equal(piece | np.uint8(32), np.uint8(ord("{")), out=out)))
        for shift in (0, 1):  # a pair that the end of the piece cuts is one of those that begin at odd places
            two = data[start + shift : start + shift + PIECE]
            two = two[: len(two) // 2 * 2].view(np.uint16)
            keys += int(np.count_nonzero(np.equal(two, pair, out=same[: len(two)])))
    return Marks(breaks, brackets, keys)


def marks_beside(block: bytes) -> Future[Marks]:
    """Count them while Polars parses the block."""
    if len(block) > BESIDE:
        return _threads().submit(marks_of, block)
    done: Future[Marks] = Future()
    done.set_result(marks_of(block))
    return done


@functools.cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(min(8, os.cpu_count() or 2), thread_name_prefix="plainview-marks")


def holds_keys(block: bytes, found: int, *, nulls: bool = True, marks: Marks | None = None) -> bool:
    """Return True when the JSON lines hold as many keys as were found (those of null values or not).

    A key is a quote and a colon, which no string can hold but escaped. `marks` are those of the block.
    """
    keys = (marks or marks_of(block)).keys
    if keys == found:
        return True
    if not nulls:
        keys -= block.count(b":null") + block.count(b": null")
    if found in (keys, keys - block.count(b'\\":')):
        return True
    if not any(odd in block for odd in (b'" :', b'"\t:', b":  null")):
        return False
    return found == len(_KEY.findall(block)) - (0 if nulls else len(_NULL.findall(block)))
