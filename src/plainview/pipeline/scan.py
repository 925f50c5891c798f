"""The pipeline, top to bottom: target, source, batches, profiles, findings, report. Loads data libraries when used."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from plainview.errors import PlainviewError
from plainview.pipeline.gathering import told
from plainview.pipeline.options import Options, Progress
from plainview.report.model import Coverage, Report, TargetReport, Tool
from plainview.report.names import safe_name
from plainview.stores import open_source
from plainview.tables import Limits
from plainview.targets.target import Target, parse_target
from plainview.version import __version__


def now() -> str:
    """Return the time in UTC, to the second."""
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")


def scan(*targets: str | Path | Target, options: Options | None = None, progress: Progress | None = None) -> Report:
    """Scan files, folders and stores; one bad target does not end the run.

    Raises UsageError for an address that is none. Everything that could not be looked at stands in
    `coverage.skipped` of its target.
    """
    from plainview.pipeline.scanner import Scanner

    started = now()
    scanner = Scanner(options, progress)
    chosen = scanner.options
    parsed = [t if isinstance(t, Target) else parse_target(str(t)) for t in targets]
    reports = []
    for target in parsed:
        try:
            source = open_source(
                target,
                scope=chosen.scope,
                credentials=chosen.credentials,
                limits=chosen.limits,
                network=chosen.network,
            )
        except PlainviewError as error:
            reports.append(_unopened(target, error))
            continue
        try:
            reports.append(scanner.scan_source(source, str(target)))
        finally:
            source.close()
    return Report(tool=Tool(version=__version__), started=started, finished=now(), targets=tuple(reports))


def _unopened(target: Target, error: PlainviewError) -> TargetReport:
    coverage = Coverage(skipped=told([(str(target), str(error))]))
    return TargetReport(target=safe_name(str(target)), kind=target.kind, coverage=coverage)


__all__ = ["Limits", "Options", "Progress", "scan"]
