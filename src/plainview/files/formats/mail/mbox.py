"""The messages of a mailbox (RFC 4155 and its kin), one after the other; a single message is a mailbox of one."""

from __future__ import annotations

import re
from collections.abc import Iterator

from plainview.tables import MIB, Input, ReadLog

STEP = MIB
# A line `From …` begins a message where header fields follow it, and where a time stands in it or nothing before it.
_FROM = re.compile(
    rb"(?:\A|\n)From (?=[^\n]{0,500}[0-9]:[0-9][0-9]|(?<=\n\nFrom )|(?<=\n\r\nFrom ))"
    rb"[^\n]{0,1000}\n(?=>?[!-9;-~]{1,100}:)"
)
_COUNT = re.compile(rb"\s{0,9}([0-9]{1,10})[ \t]*\r?\n")  # the first line of a message as Apple Mail keeps it


def messages(source: Input, log: ReadLog) -> Iterator[tuple[bytes, bytes]]:
    """Yield the line `From …` and the message, of each. What is longer than memory allows is cut, and told."""
    most = source.limits.memory // 3
    pieces = _pieces(source, log)
    if not source.head.startswith(b"From "):
        whole = b"".join(_up_to(pieces, most))
        if len(whole) > most:
            log.skip(source.name, f"a message larger than {most // MIB} MiB; its beginning was read (raise --memory)")
        yield b"", _without_count(whole[:most])
        return
    held, looked, cut, number = bytearray(), 0, False, 0
    for piece in pieces:
        held += piece
        found = _FROM.search(held, max(looked, 1))
        while found:
            number += 1
            yield from _one(bytes(held[: found.start() + 1]), cut=cut)
            del held[: found.start() + 1]
            cut, found = False, _FROM.search(held, 1)
        looked = max(1, len(held) - 2_000)
        if len(held) > most:
            if not cut:
                log.skip(
                    f"{source.name}/{number + 1}", f"a message larger than {most // MIB} MiB; its beginning was read"
                )
                yield from _one(bytes(held), cut=False)
            cut, looked = True, 1
            del held[:-2_000]
    yield from _one(bytes(held), cut=cut)


def _one(data: bytes, *, cut: bool) -> Iterator[tuple[bytes, bytes]]:
    """Yield a message without the line before it; nothing of the rest of one that was cut."""
    if not cut and data.strip():
        line, _, rest = data.partition(b"\n")
        yield (line, rest) if line.startswith(b"From ") else (b"", data)


def _pieces(source: Input, log: ReadLog) -> Iterator[bytes]:
    with source.open() as stream:
        while piece := stream.read(STEP):
            source.deadline.check()
            log.read(len(piece))
            yield piece


def _up_to(pieces: Iterator[bytes], most: int) -> Iterator[bytes]:
    held = 0
    for piece in pieces:
        yield piece
        held += len(piece)
        if held > most:
            return


def _without_count(message: bytes) -> bytes:
    """Return a message of Apple Mail without the number of its bytes before it; the list behind it is text of it."""
    count = _COUNT.match(message)
    return message[count.end() :] if count else message


__all__ = ["messages"]
