"""Units grouped for reading, and what came of them gathered for the report. Loads no data library."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from plainview.report.model import Coverage, Skipped, TableReport
from plainview.report.names import safe_name
from plainview.report.sentences import agreeing
from plainview.tables import ReadAs, ReadLog, Unit

SMALL_FILE = 1 << 18  # bytes up to which files are read and counted together with others
GROUP = 64  # of such files


def grouped(units: Iterator[Unit]) -> Iterator[list[Unit]]:
    """Yield units one by one, small files by the dozen."""
    group: list[Unit] = []
    for unit in units:
        if unit.size is None or unit.size > SMALL_FILE:
            if group:
                yield group
            yield [unit]
            group = []
            continue
        group.append(unit)
        if len(group) == GROUP:
            yield group
            group = []
    if group:
        yield group


def until_it_fails(units: Iterator[Unit], target: str, log: ReadLog) -> Iterator[Unit]:
    """Hand on the units; where listing them fails, those before count and the rest is told."""
    try:
        yield from units
    except Exception as error:  # noqa: BLE001  whatever it is, it stands in the report
        log.skip(target, error)


def coverage(
    logs: Sequence[ReadLog], tables: Sequence[TableReport], *, read_as: ReadAs, sampled: bool, isolation: str = ""
) -> Coverage:
    """Return how much of a target was looked at, from the logs of its units and the reports of its tables."""
    return Coverage(
        tables_listed=max(sum(log.tables_listed for log in logs), len(tables)),
        tables_read=len(tables),
        rows_listed=max(sum(log.rows_listed for log in logs), sum(t.rows_read for t in tables)),
        rows_read=sum(t.rows_read for t in tables),
        bytes_read=sum(log.bytes_read for log in logs),
        sampled=sampled,
        read_as=read_as,
        skipped=told(pair for log in logs for pair in log.skipped),
        noted=told(pair for log in logs for pair in log.noted),
        isolation=isolation,
    )


def told(pairs: Iterable[tuple[str, str]]) -> tuple[Skipped, ...]:
    """Return what was said of each thing, safe to print."""
    return tuple(Skipped(what=safe_name(what), why=safe_name(agreeing(why), limit=600)) for what, why in pairs)
