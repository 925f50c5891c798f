"""Packed files: gz, bz2, xz, lzma, zst as streams; zip and tar member by member; nested, within limits.

Nothing is ever written to disk. A stream that breaks (truncated, damaged, over a limit) ends early for its
reader, so that the rows before the break count; the break itself is told by `Meter.failures` afterwards.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from typing import BinaryIO, cast

from plainview.errors import LimitError
from plainview.files.kinds.identify import ARCHIVES, PACKERS, Kind, identify
from plainview.files.kinds.signatures import SPOKEN
from plainview.files.packed.inflate import unpacked
from plainview.files.packed.streams import Meter, Opener, Stream, replace_input
from plainview.tables import Input, ReadLog

OLE_HEAD = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ZIPPED = frozenset({"xlsx", "xlsb", "ods"})  # formats that are zip archives


def bare_name(name: str) -> str:
    """Return a name without the suffix of its packer: `a.csv.gz` -> `a.csv`, `a.tgz` -> `a.tar`."""
    lower = name.lower()
    for suffix in (".gz", ".gzip", ".bz2", ".xz", ".lzma", ".zst", ".zstd", ".lz4", ".sz", ".snappy", ".z"):
        if lower.endswith(suffix):
            return name[: -len(suffix)]
    for suffix in (".tgz", ".tbz2", ".tbz", ".txz", ".tzst"):
        if lower.endswith(suffix):
            return name[: -len(suffix)] + ".tar"
    return name


def as_told(kind: Kind, told: str) -> Kind:
    """Return the kind that the user told (`--as`), but for packers and archives: it is that of what they hold."""
    if not told or kind.name in PACKERS or (kind.name in ARCHIVES and told not in ZIPPED):
        return kind
    return kind if kind.name == told else Kind(told, notes=(f"read as {SPOKEN.get(told, told)}, as --as says",))


def leaves(
    source: Input, kind: Kind, log: ReadLog, meter: Meter, told: str = "", depth: int = 0
) -> Iterator[tuple[Input, Kind, int]]:
    """Yield what lies inside `source`, however packed, with its kind and the number of files that it lies in.

    Each Input must be used before the next is asked for. What cannot be opened goes into `log`. `told` is the kind
    that the user gave; `depth`: in how many files `source` lies itself.
    """
    yield from _leaves(source, kind, log, meter, (source.name, depth, 0), told)


def kind_of_part(part: Input) -> Kind:
    """Return the kind of a file that lies in another one; of Office files by their directory, wherever that is."""

    def seek(offset: int, length: int) -> bytes:
        with part.seekable() as stream:
            stream.seek(offset, io.SEEK_END if offset < 0 else io.SEEK_SET)
            return stream.read(length)

    return identify(part.head, part.name, part.size, seek if part.head.startswith(OLE_HEAD) else None)


def _leaves(
    source: Input, kind: Kind, log: ReadLog, meter: Meter, level: tuple[str, int, int], told: str = ""
) -> Iterator[tuple[Input, Kind, int]]:
    name, archives, packers = level  # the name that is left, and how many layers lie above
    if kind.name not in PACKERS | ARCHIVES:
        yield source, kind, archives
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
            what = as_told(identify(head, inner), told)
            yield from _leaves(content, what, log, meter, (inner, archives, packers + 1), told)
        finally:
            opener.close()
        return
    from plainview.files.packed import archives as archive

    for member, notes in archive.members(source, kind.name, log, meter):
        if meter.spent:
            break
        try:
            what = kind_of_part(member)
            what = replace(what, notes=what.notes + notes)
            yield from _leaves(member, what, log, meter, (member.name, archives + 1, 0))
        except Exception as error:  # noqa: BLE001  one member; the others go on
            log.skip(member.name, error)


__all__ = ["as_told", "bare_name", "kind_of_part", "leaves"]
