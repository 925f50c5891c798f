"""Random changes of inputs, for the ordinary tests and for systems without atheris. Not guided by coverage."""

from __future__ import annotations

import random
from collections.abc import Iterator

from .harness import CANARY, LONGEST, Target

ODD = (
    b"\0", b"\xff", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x80\0\0\0", b"\0\0\0\0", b"\r", b"\n", b"\r\n", b'"', b"'",
    b"\\", b"\xef\xbb\xbf", b"\xff\xfe", b"\xc3", b"\xe4", b"\xf0\x9f\x98\x80", b"\xed\xa0\x80", b"-1", b"1e999",
    b"99999999999999999999", b"\x1b[31m", "\u202e".encode(), CANARY.encode(), b"{", b"}", b"[", b"]", b"(", b")", b"<", b">",
    b",", b";", b"\t", b":", b"=", b" ", b"A" * 300,
)  # fmt: skip


def mutations(target: Target, seed: int, count: int) -> Iterator[bytes]:
    """Yield `count` changed seeds; the same for the same `seed`."""
    rng = random.Random(seed)
    words = (*ODD, *target.words, *target.words)
    for _ in range(count):
        data = bytearray(rng.choice(target.seeds))
        for _ in range(rng.choice((1, 1, 2, 3, 8))):
            change(data, rng, words, target.seeds)
        yield bytes(data[:LONGEST])


def change(data: bytearray, rng: random.Random, words: tuple[bytes, ...], seeds: tuple[bytes, ...]) -> None:
    """Change the data once."""
    at = rng.randrange(len(data) + 1)
    end = min(len(data), at + rng.choice((1, 1, 2, 4, 16, 200)))
    kind = rng.randrange(8)
    if kind == 0 and at < len(data):
        data[at] ^= 1 << rng.randrange(8)
    elif kind == 1 and at < len(data):
        data[at] = rng.randrange(256)
    elif kind == 2:
        del data[at:end]
    elif kind == 3:
        data[at:at] = data[at:end] * rng.choice((1, 2, 50))
    elif kind == 4:
        data[at:at] = rng.choice(words)
    elif kind == 5:
        data[at:end] = rng.choice(words)
    elif kind == 6:
        other = rng.choice(seeds)
        start = rng.randrange(len(other) + 1)
        data[at:] = other[start:]
    else:
        del data[at:]


__all__ = ["change", "mutations"]
