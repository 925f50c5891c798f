"""How one input is read: its kind is reported, what is packed is unpacked, its format's reader is asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import cast

from plainview.errors import LimitError
from plainview.files.accounts import accounted, wanted
from plainview.files.formats import reader
from plainview.files.kinds.identify import Kind, identify
from plainview.files.packed.packed import bare_name, kind_of_part, leaves
from plainview.files.packed.streams import Meter, Opener
from plainview.tables import Batch, Input, ReadLog


def read_input(
    source: Input, kind: Kind, log: ReadLog, meter: Meter, count: Counter, told: str = ""
) -> Iterator[Batch]:
    """Yield the tables of one file, however packed. Whatever fails becomes a line in `log`; earlier batches count.

    `source.open` is an `Opener`; it is closed at the end. `told` is the kind that the user gave.
    """
    try:
        yield from _read(source, kind, log, (meter, count), told)
    except Exception as error:  # noqa: BLE001  a broken archive; told by type, never by its text
        log.skip(source.name, error)
    finally:
        cast("Opener", source.open).close()
    for name, failure in meter.failures:
        log.skip(name, failure)


def _read(
    source: Input, kind: Kind, log: ReadLog, costs: tuple[Meter, Counter], told: str = "", depth: int = 0
) -> Iterator[Batch]:
    """Yield the tables of a file, of the members of an archive, and of the files that these hold in turn."""
    meter, count = costs
    for leaf, inner, level in leaves(source, kind, log, meter, told, depth):
        for found in _read_leaf(leaf, inner, log, meter, count):
            if isinstance(found, Input):
                yield from _read_part(found, log, costs, level + 1)
            else:
                yield found


def _read_part(part: Input, log: ReadLog, costs: tuple[Meter, Counter], depth: int) -> Iterator[Batch]:
    """Read a file that a document or a message holds; what it fails with is its own."""
    most = costs[0].limits.depth
    if depth > most:
        log.skip(part.name, LimitError(f"packed more than {most} layers deep", hint="raise --depth"))
        return
    try:
        yield from _read(part, kind_of_part(part), log, costs, depth=depth)
    except Exception as error:  # noqa: BLE001  one file; the others go on
        log.skip(part.name, error)


def _read_leaf(leaf: Input, kind: Kind, log: ReadLog, meter: Meter, count: Counter) -> Iterator[Batch | Input]:
    """Read one file or member with the reader of its kind, and yield the files that it holds."""
    if kind.harmless:
        log.note(leaf.name, kind.why)
        return
    if not kind.name:
        if not any(name == leaf.name for name, _ in meter.failures):
            log.skip(leaf.name, kind.why)
        return
    if kind.why:
        log.skip(leaf.name, kind.why)
    inner = ReadLog(skipped=log.skipped, noted=log.noted, on_bytes=count.add if leaf.path else None)
    try:
        batches = reader(kind.name).read(leaf, inner)
        for batch in accounted(batches, leaf, kind.name, log) if wanted() else batches:
            if kind.notes and isinstance(batch, Batch):
                table = replace(batch.table, notes=kind.notes + batch.table.notes)
                yield replace(batch, table=table)
            else:
                yield batch
    except BaseException as error:
        # A panic of a Rust library is no Exception: pyo3's PanicException derives from BaseException.
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        log.skip(leaf.name, error)
    finally:
        log.listed(inner.tables_listed, inner.rows_listed)


class Counter:
    """Counts packed bytes of one file into the log, never more than it has, however often it is read."""

    def __init__(self, log: ReadLog, size: int) -> None:
        self._log, self._left = log, size

    def add(self, count: int) -> None:
        """Count bytes that were read."""
        count = min(count, self._left)
        if count > 0:
            self._left -= count
            self._log.read(count)

    def finish(self) -> None:
        """Count what is left: all of the file was read."""
        self.add(self._left)


def kind_of(source: Input, size: int) -> Kind:
    """Return the kind of a file, by its bytes and its name."""

    def seek(offset: int, length: int) -> bytes:
        with source.open() as stream:
            stream.seek(max(0, size + offset) if offset < 0 else offset)
            return stream.read(length)

    return identify(source.head, bare_name(source.name), size, seek)
