"""The command line: arguments and exit status, nothing else."""

from __future__ import annotations

import argparse
import contextlib
import gc
import os
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from plainview.cli.arguments import EXIT_USAGE, build_parser, parsed, seconds, size
from plainview.errors import PlainviewError, TargetError, UsageError, place_of

if TYPE_CHECKING:
    from plainview.pipeline.options import Options
    from plainview.pipeline.scan import Run
    from plainview.report.model import Report
    from plainview.targets.credentials import Credentials
    from plainview.targets.scope import Scope
    from plainview.targets.target import Target
    from plainview.wire.limits import WireLimits

EXIT_FAILED = 70
EXIT_CANNOT_WRITE = 73


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status. Without `argv` this is the process's command, and ends it."""
    if argv is not None:
        return run(argv)
    from plainview.cli.native import open_standard_streams
    from plainview.cli.stopping import watch

    # Start and end are a good part of a short scan: nothing that start-up makes is garbage, threads for linear
    # algebra have nothing to do here, and the system frees memory faster than Python takes objects apart.
    gc.set_threshold(200_000, 20, 50)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    open_standard_streams()
    watch()
    try:
        status = run(sys.argv[1:])
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else 0 if ended.code is None else EXIT_FAILED
    os._exit(_flushed(status))


def _flushed(status: int) -> int:
    """Return the status, or another one when what was printed could not be written."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError) as error:
        status = status if status == EXIT_CANNOT_WRITE else _cannot_print(error)
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.flush()
    return status


def _cannot_print(error: Exception) -> int:
    if not isinstance(error, BrokenPipeError):  # who closed a pipe knows
        why = getattr(error, "strerror", None) or type(error).__name__
        with contextlib.suppress(OSError, ValueError):
            print(f"plainview: cannot write to the standard output: {why}", file=sys.stderr)  # noqa: T201
    return EXIT_CANNOT_WRITE


def run(argv: Sequence[str]) -> int:
    """Run the command and return its exit status."""
    try:
        return _run(argv)
    except UsageError as error:
        print(f"plainview: {error}", file=sys.stderr)  # noqa: T201
        return EXIT_USAGE
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_CANNOT_WRITE
    except KeyboardInterrupt:
        print("plainview: stopped", file=sys.stderr)  # noqa: T201
        return 130
    except PlainviewError as error:
        print(f"plainview: {error}", file=sys.stderr)  # noqa: T201
        return EXIT_FAILED
    except BaseException as error:
        # Python would print the text of the error, which may quote a value, and exit as if something was found.
        # A panic of a Rust library derives from BaseException.
        if isinstance(error, SystemExit):
            raise
        print(f"plainview: could not go on: {type(error).__name__} at {place_of(error)}", file=sys.stderr)  # noqa: T201
        return EXIT_FAILED


def _run(argv: Sequence[str]) -> int:
    try:
        args = parsed(argv)
        if args.command == "detectors":
            from plainview.cli.detectors import run_detectors

            return run_detectors(args)
    except BrokenPipeError:
        raise
    except OSError as error:  # of printing: those of reading are translated
        return _cannot_print(error)
    if args.command == "scan":
        from plainview.cli.native import silence_native_stderr

        silence_native_stderr()  # native libraries print what they choke on, data included
        return run_scan(args)
    build_parser().print_help(sys.stderr)  # not 0, which a pipeline would take for "nothing found"
    return EXIT_USAGE


def run_scan(args: argparse.Namespace) -> int:
    """Scan, write the report, return the exit status that admits what was not read."""
    from plainview.cli.output import chosen, written
    from plainview.cli.progress import shown
    from plainview.cli.stopping import undone_on_stop, watch_in_thread
    from plainview.pipeline.scan import prepared
    from plainview.report.render import fitting, render
    from plainview.targets.own_tools import paths

    given = _targets(args)
    options = options_of(args)
    targets = given or (options.scope.targets if options.scope else ())
    if not targets:
        raise UsageError("no target", hint="name a file, a folder or a store, or a --scope FILE that lists targets")
    read = (args.scope, args.credentials, *paths(os.environ)) if args.output else ()
    output = chosen(args.output, targets, [path for path in read if path], args.detectors)
    begun: list[Run] = []

    def told(report: Report) -> bool:
        style = {"verbose": args.verbose, "color": output is None and _colors(os.environ, terminal=sys.stdout.isatty())}
        return written(render(report, args.format, **fitting(args.format, style)), args.format, output)

    def stopped() -> None:
        for run in begun:
            told(run.so_far())

    # undone in reverse: the terminal is as it was when the report is printed
    with undone_on_stop(stopped), shown(quiet=args.quiet) as progress:
        shows = progress.on_target

        def begins(name: str) -> None:
            shows(name)
            watch_in_thread()  # the workers are there

        progress.on_target = begins
        run = prepared(*targets, options=options, progress=progress)
        begun.append(run)
        try:
            report = run.whole()
        finally:
            run.close()
    _say_what_failed(report)
    return report.exit_status if told(report) else EXIT_CANNOT_WRITE


def _targets(args: argparse.Namespace) -> list[Target]:
    """Return the targets that the line names. Raises TargetError, which says which one of several is none."""
    from plainview.targets.parsing import parse_target

    found = []
    for number, text in enumerate(args.targets, 1):
        try:
            found.append(parse_target(text))
        except TargetError as error:
            which = f"target {number}: " if len(args.targets) > 1 else ""
            raise TargetError(which + error.message, hint=error.hint) from None
    return found


def _say_what_failed(report: Report) -> None:
    """Name on stderr the targets that could not be looked at at all: the report may go to a file."""
    for target in report.targets:
        why = next((item.why for item in target.coverage.skipped if item.what == target.target), "")
        if why and not target.tables:
            print(f"plainview: {target.target}: {why}", file=sys.stderr)  # noqa: T201


def _colors(environment: Mapping[str, str], *, terminal: bool) -> bool:
    return terminal and not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"


def options_of(args: argparse.Namespace) -> Options:
    """Turn the arguments into scan.Options."""
    from dataclasses import replace

    from plainview.assess.severity import assumptions
    from plainview.pipeline.options import Options
    from plainview.tables import Limits

    if args.detectors:
        from plainview.cli.detectors import require_usable

        require_usable(args.detectors)
    assumptions(args.assume)  # one that is not known is wrong use
    chosen = {
        "seconds": args.file_seconds,
        "unpacked": args.unpacked,
        "ratio": args.ratio,
        "depth": args.depth,
        "members": args.members,
        "columns": args.columns,
        "memory": args.memory,
    }
    limits = replace(Limits(), **{k: v for k, v in chosen.items() if v is not None})
    return Options(
        sample=args.sample,
        threads=args.threads or 0,
        memory_total=args.memory_total or 0,
        detectors=tuple(args.detectors),
        limits=limits,
        scope=_scope(args),
        credentials=_credentials(args),
        network=_network(args),
        assume=tuple(args.assume),
        families=not args.no_families,
        stdin_as=args.stdin_as,
        allow_reserved=args.allow_reserved,
        explain=args.explain,
    )


def _network(args: argparse.Namespace) -> WireLimits | None:
    if not args.rate:
        return None
    from plainview.wire.limits import WireLimits

    return WireLimits(rate=args.rate)


def _scope(args: argparse.Namespace) -> Scope | None:
    if not args.scope and not args.try_mysql_root:
        return None
    from plainview.targets.scope import Scope, load_scope

    scope = load_scope(args.scope) if args.scope else Scope()
    return scope.granting("try_mysql_root") if args.try_mysql_root else scope


def _credentials(args: argparse.Namespace) -> Credentials:
    from plainview.targets.parsing import parse_target

    for text in args.targets:
        if parse_target(text).carries_secret:
            print("plainview: a secret stands in an address; the shell's history keeps it", file=sys.stderr)  # noqa: T201
            print("plainview: put it into a file and use --credentials FILE", file=sys.stderr)  # noqa: T201
    from plainview.targets.credentials import Credentials, load_credentials

    if not args.credentials:
        return Credentials()  # what the stores' own tools read
    found = load_credentials(args.credentials)
    for warning in found.warnings:
        print(f"plainview: {warning}", file=sys.stderr)  # noqa: T201
    return found


__all__ = ["build_parser", "main", "run", "seconds", "size"]
