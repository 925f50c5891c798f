"""Units grouped for reading, and what came of them gathered for the report. Loads no data library."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from plainview.crowds import Crowd
from plainview.names import SafeNames
from plainview.report.model import Coverage, Exposure, Skipped, TableReport, TargetReport
from plainview.report.sentences import agreeing
from plainview.tables import ReadAs, ReadLog, Unit
from plainview.tables.families import Families

Judged = tuple[TableReport, Crowd]  # a table, and its people as others add them up
SMALL_FILE = 1 << 18  # bytes up to which files are read and counted together with others
GROUP = 64  # of such files
SENTENCE = 2000  # characters of what is said about a store


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
    """Hand on the units; where listing them fails, those before count and the rest is reported."""
    try:
        yield from units
    except Exception as error:  # noqa: BLE001  whatever it is, it stands in the report
        log.skip(target, error)


STOPPED = "the run was stopped before it was read to its end"


@dataclass(frozen=True, slots=True)
class Gathered:
    """What came of the target that is being read, so far. Others may still add to it."""

    target: str
    kind: str
    read_as: ReadAs
    logs: list[ReadLog]
    families: Families[Judged]
    exposure: Callable[[], Exposure | None] = lambda: None

    def so_far(self, safe: SafeNames, *, sampled: bool) -> tuple[TargetReport, list[Crowd]]:
        """Return the report of what is finished, and its people. That the rest was not read stands in it."""
        ended = ReadLog()
        ended.skip(self.target, STOPPED)
        finished, wholes = self.families.so_far()
        for whole in wholes:
            ended.skip(whole.table.name, f"of {whole.parts:,} parts that were read, the first alone is told")
        tables = tuple(table for table, _ in finished)
        report = TargetReport(
            target=safe(self.target),
            kind=self.kind,
            exposure=printable(self.exposure(), safe),
            coverage=coverage([*self.logs, ended], tables, safe, read_as=self.read_as, sampled=sampled),
            tables=tables,
        )
        return report, [crowd for _, crowd in finished]


def coverage(
    logs: Sequence[ReadLog],
    tables: Sequence[TableReport],
    safe: SafeNames,
    *,
    read_as: ReadAs,
    sampled: bool,
    isolation: str = "",
) -> Coverage:
    """Return how much of a target was looked at, from the logs of its units and the reports of its tables."""
    return Coverage(
        tables_listed=max(sum(log.tables_listed for log in logs) - sum(t.parts - 1 for t in tables), len(tables)),
        tables_read=len(tables),
        rows_listed=max(sum(log.rows_listed for log in logs), sum(t.rows_read for t in tables)),
        rows_read=sum(t.rows_read for t in tables),
        bytes_read=sum(log.bytes_read for log in logs),
        sampled=sampled,
        read_as=read_as,
        skipped=told((pair for log in logs for pair in log.skipped), safe),
        noted=told((pair for log in logs for pair in log.noted), safe),
        isolation=isolation,
    )


def with_copies(report: TargetReport, copies: Mapping[str, str], safe: SafeNames) -> TargetReport:
    """Return a report that shows the tables of copies of files as well, as copies. `copies`: name -> the original's."""
    if not copies:
        return report
    names: dict[str, list[str]] = {}
    for name, original in copies.items():
        names.setdefault(safe(original), []).append(safe(name))
    added = []
    for table in report.tables:
        ends = [at for at, char in enumerate(table.name) if char == "/"]
        for end in (*ends, len(table.name)):
            added += [
                msgspec.structs.replace(
                    table, name=name + table.name[end:], copy_of=table.name, rows_read=0, people=None
                )
                for name in names.get(table.name[:end], ())
            ]
    return msgspec.structs.replace(report, tables=(*report.tables, *added))


def told(pairs: Iterable[tuple[str, str]], safe: SafeNames) -> tuple[Skipped, ...]:
    """Return what was said of each thing, safe to print."""
    return tuple(Skipped(what=safe(what), why=safe(agreeing(why), limit=600)) for what, why in pairs)


def printable(exposure: Exposure | None, safe: SafeNames) -> Exposure | None:
    """Return what is known of a store's access, with what came from the store itself safe to print."""
    if exposure is None:
        return None

    def each(texts: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(safe(text, limit=SENTENCE) for text in texts)

    sent = (msgspec.structs.replace(request, statuses=each(request.statuses)) for request in exposure.footprint)
    return msgspec.structs.replace(
        exposure,
        evidence=each(exposure.evidence),
        footprint=tuple(sent),
        product=exposure.product and safe(exposure.product),
        version=exposure.version and safe(exposure.version),
        prior_access=each(exposure.prior_access),
        points_elsewhere=each(exposure.points_elsewhere),
        not_tried=each(exposure.not_tried),
    )
