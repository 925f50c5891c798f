"""The pipeline, top to bottom: target, source, batches, profiles, findings, report. Loads data libraries when used."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

import msgspec

from plainview.assess.targets import assessed
from plainview.assess.totals import Total
from plainview.distinct import Key
from plainview.errors import PlainviewError, UsageError
from plainview.files.formats import FORMATS
from plainview.files.source import FileSource
from plainview.files.standard_input import StandardInput
from plainview.names import SafeNames, safe_name
from plainview.pipeline.added import added_detectors
from plainview.pipeline.gathering import STOPPED, Gathered, told
from plainview.pipeline.options import Options, Progress
from plainview.report.model import Coverage, Report, TargetReport, Tool
from plainview.stores import open_source
from plainview.tables import Limits, Source
from plainview.targets.parsing import file_target, parse_target
from plainview.targets.target import Target
from plainview.version import __version__
from plainview.workers.start import available

if TYPE_CHECKING:
    from plainview.pipeline.apart import Apart
    from plainview.pipeline.scanner import Scanner


STDIN = 0  # the descriptor


def now() -> str:
    """Return the time in UTC, to the second."""
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")


def scan(
    *targets: str | os.PathLike[str] | Target, options: Options | None = None, progress: Progress | None = None
) -> Report:
    """Scan files, folders and stores; one bad target does not end the run.

    Raises UsageError for an address that is none and where no target is given, TypeError for what is neither an
    address, a path nor a Target. Everything that could not be looked at stands in `coverage.skipped` of its target.
    """
    run = prepared(*targets, options=options, progress=progress)
    try:
        return run.whole()
    finally:
        run.close()


def prepared(
    *targets: str | os.PathLike[str] | Target, options: Options | None = None, progress: Progress | None = None
) -> Run:
    """Return a run over these targets that has not begun. Raises what `scan` raises; close it at the end."""
    if not targets:
        raise UsageError("no target", hint="name a file, a folder or a store")
    for name, value, kind in (("options", options, Options), ("progress", progress, Progress)):
        if not isinstance(value, kind | None):
            raise TypeError(f"scan: {name} must be {kind.__name__}")
    parsed = [_parsed(target, number) for number, target in enumerate(targets, 1)]
    options = options or Options()
    _check_stdin(parsed, options)
    folders, problems = added_detectors()
    options = replace(options, detectors=(*folders, *options.detectors))
    return Run(options, progress or Progress(), parsed, problems)


def _check_stdin(targets: Sequence[Target], options: Options) -> None:
    """Raise UsageError for what cannot be read from the standard input."""
    piped = sum(target.kind == "stdin" for target in targets)
    if piped > 1:
        raise UsageError("the standard input (-) is named twice")
    if options.stdin_as and options.stdin_as not in FORMATS:
        raise UsageError("--as: no format of that name", hint=f"known: {' '.join(FORMATS)}")
    if options.stdin_as and not piped:
        raise UsageError("--as says what the standard input holds", hint="name it as a target: -")


def _parsed(given: object, number: int) -> Target:
    """Return the target. The text of an object of another type is not looked at: it may be a table, or a secret."""
    if isinstance(given, Target):
        return given
    if isinstance(given, str):
        return parse_target(given)
    try:
        path = os.fspath(given) if isinstance(given, os.PathLike) else None
    except Exception:  # noqa: BLE001  a foreign class may raise anything, and quote anything
        path = None
    if not isinstance(path, str):
        raise TypeError(f"scan: target {number} is no address, no path and no Target")
    return file_target(path)


class Run:
    """One run over its targets. Files are read by workers, stores in this process."""

    def __init__(
        self,
        options: Options,
        progress: Progress,
        targets: Sequence[Target],
        problems: Sequence[tuple[str, str]] = (),
    ) -> None:
        self.options, self.progress, self.targets, self.problems = options, progress, targets, problems
        self.started = now()
        self.finished: list[TargetReport] = []
        files = [target for target in targets if target.is_local]
        self.key, self.total = Key(), Total()  # of the sketches of people; both die with the run
        self._apart: Apart | None = None
        if files and options.apart and available():
            from plainview.pipeline.apart import Apart

            self._apart = Apart(options, progress, files, self.key, self.total)

    @cached_property
    def scanner(self) -> Scanner:
        """What reads in this process, made ready when it is needed first."""
        from plainview.pipeline.scanner import Scanner

        return Scanner(self.options, self.progress, self.key, self.total)

    def whole(self) -> Report:
        """Read all targets, one after the other."""
        for target in self.targets:
            self.finished.append(self.report(target))
        return self._made(self.finished)

    def so_far(self) -> Report:
        """Return what is finished, for a run that is being stopped. What is missing stands in it."""
        reports = list(self.finished)
        left = list(self.targets[len(reports) :])
        safe = SafeNames(*self.options.detectors)
        reading = self._apart if left and left[0].is_local and self._apart else self.__dict__.get("scanner")
        gathered: Gathered | None = reading.gathered if reading else None
        if left and gathered and gathered.target == str(left[0]):
            report, crowds = gathered.so_far(safe, sampled=self.options.sample is not None)
            reports.append(assessed(report, crowds, self.total, self.options.assume))
            left = left[1:]
        reports += [_unopened(target, STOPPED, safe) for target in left]
        return msgspec.structs.replace(self._made(reports), stopped=True)

    def _made(self, reports: Sequence[TargetReport]) -> Report:
        first, *others = reports
        if self.problems:  # what they look for was looked for nowhere
            first = _with_problems(first, self.problems)
        return Report(
            tool=Tool(version=__version__),
            started=self.started,
            finished=now(),
            targets=(first, *others),
            people=first.people if not others else self.total.people(),
            allowed=("reserved",) if self.options.allow_reserved else (),
        )

    def report(self, target: Target) -> TargetReport:
        """Read one target."""
        chosen = self.options
        if not (target.is_local and self._apart):
            _ = self.scanner  # a bad detector of the user's own is said before anything is opened
        try:
            source = (
                self._piped()
                if target.kind == "stdin"
                else open_source(
                    target,
                    scope=chosen.scope,
                    credentials=chosen.credentials,
                    limits=chosen.limits,
                    network=chosen.network,
                )
            )
        except PlainviewError as error:
            return _unopened(target, str(error), SafeNames(*chosen.detectors))
        try:
            if self._apart and isinstance(source, FileSource | StandardInput):
                return self._apart.scan(source, str(target))
            return self.scanner.scan_source(source, str(target))
        finally:
            source.close()

    def _piped(self) -> Source:
        return StandardInput(STDIN, self.options.limits, told=self.options.stdin_as)

    def close(self) -> None:
        """End the workers."""
        if self._apart:
            self._apart.close()


def _with_problems(report: TargetReport, problems: Iterable[tuple[str, str]]) -> TargetReport:
    skipped = (*report.coverage.skipped, *told(problems, safe_name))
    return msgspec.structs.replace(report, coverage=msgspec.structs.replace(report.coverage, skipped=skipped))


def _unopened(target: Target, why: str, safe: SafeNames) -> TargetReport:
    coverage = Coverage(skipped=told([(str(target), why)], safe))
    return TargetReport(target=safe(str(target)), kind=target.kind, coverage=coverage)


__all__ = ["Limits", "Options", "Progress", "Run", "prepared", "scan"]
