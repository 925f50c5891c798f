"""Packed files: gz, bz2, xz, lzma, zst as streams; zip and tar member by member; nested, within limits.

Nothing is ever written to disk. A stream that breaks (truncated, damaged, over a limit) ends early for its
reader, so that the rows before the break count; the break itself is told by `Meter.failures` afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import BinaryIO, cast

from plainview.errors import LimitError
from plainview.files.kinds.identify import ARCHIVES, PACKERS, Kind, identify
from plainview.files.packed.inflate import inflate
from plainview.files.packed.streams import Meter, Opener, Stream
from plainview.tables import Input, Limits, ReadLog


def check_ratio(pieces: Iterator[bytes], packed: list[int], limits: Limits) -> Iterator[bytes]:
    """Pass pieces on; raise LimitError when this one stream gives more than `ratio` times what it took."""
    given = 0
    for piece in pieces:
        given += len(piece)
        if given > limits.ratio_floor and given > limits.ratio * max(packed[0], 1):
            raise LimitError(
                f"unpacks to more than {limits.ratio} times its size, like a decompression bomb",
                hint="raise --ratio",
            )
        yield piece


def unpacked(raw: BinaryIO, codec: str, meter: Meter, *, top: bool) -> Iterator[bytes]:
    """Return the unpacked pieces of `raw`, within the ratio; `top`: raw lies in the top-level file itself."""
    packed = [0]

    def took(count: int) -> None:
        meter.deadline.check()  # a frame may give nothing, and a file may be made of such frames
        packed[0] += count
        if top:
            meter.on_packed(count)

    return check_ratio(inflate(raw, codec, meter.limits, took), packed, meter.limits)


def bare_name(name: str) -> str:
    """Return a name without the suffix of its packer: `a.csv.gz` -> `a.csv`, `a.tgz` -> `a.tar`."""
    lower = name.lower()
    for suffix in (".gz", ".gzip", ".bz2", ".xz", ".lzma", ".zst", ".zstd"):
        if lower.endswith(suffix):
            return name[: -len(suffix)]
    for suffix in (".tgz", ".tbz2", ".tbz", ".txz", ".tzst"):
        if lower.endswith(suffix):
            return name[: -len(suffix)] + ".tar"
    return name


def leaves(source: Input, kind: Kind, log: ReadLog, meter: Meter, name: str = "") -> Iterator[tuple[Input, Kind]]:
    """Yield what lies inside `source`, however packed, with its kind.

    Each Input must be used before the next is asked for. What cannot be opened goes into `log`. `name` is the
    file name that still says something of the content.
    """
    yield from _leaves(source, kind, log, meter, (name or source.name, 0, 0))


def _leaves(
    source: Input, kind: Kind, log: ReadLog, meter: Meter, level: tuple[str, int, int]
) -> Iterator[tuple[Input, Kind]]:
    name, archives, packers = level  # the name that is left, and how many layers lie above
    if kind.name not in PACKERS | ARCHIVES:
        yield source, kind
        return
    depth = meter.limits.depth
    if (kind.name in ARCHIVES and archives >= depth) or packers >= depth:
        raise LimitError(f"packed more than {depth} layers deep", hint="raise --depth")
    if kind.name in PACKERS:
        inner = bare_name(name)

        def make() -> BinaryIO:
            raw = source.open()
            pieces = unpacked(raw, kind.name, meter, top=source.path is not None)
            return cast("BinaryIO", Stream(pieces, source.name, meter, raw.close))

        opener = Opener(make)
        try:
            head = opener.head()
            content = replace_input(source, source.name, head, opener)
            yield from _leaves(content, identify(head, inner), log, meter, (inner, archives, packers + 1))
        finally:
            opener.close()
        return
    from plainview.files.packed import archives as archive

    for member, notes in archive.members(source, kind.name, log, meter):
        if meter.spent:
            break
        try:
            what = identify(member.head, member.name, member.size)
            what = replace(what, notes=what.notes + notes)
            yield from _leaves(member, what, log, meter, (member.name, archives + 1, 0))
        except Exception as error:  # noqa: BLE001  one member; the others go on
            log.skip(member.name, error)


def replace_input(
    source: Input, name: str, head: bytes, opener: Callable[[], BinaryIO], size: int | None = None
) -> Input:
    """Return an Input for content of `source`, with the same limits and deadline."""
    return Input(name, head, opener, size, None, source.limits, source.deadline)


__all__ = ["Meter", "Opener", "Stream", "bare_name", "leaves", "replace_input", "unpacked"]
