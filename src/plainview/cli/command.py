"""The command line: arguments and exit status, nothing else."""

from __future__ import annotations

import argparse
import contextlib
import gc
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from plainview.errors import PlainviewError, UsageError, place_of
from plainview.version import __version__

if TYPE_CHECKING:
    from plainview.pipeline.options import Options
    from plainview.targets.credentials import Credentials
    from plainview.targets.scope import Scope
    from plainview.wire.limits import WireLimits

EXIT_USAGE = 64
EXIT_FAILED = 70
EXIT_CANNOT_WRITE = 73
SIZES = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
EPILOG = """\
exit status:
  0   looked at everything, found nothing
  1   found personal data, or a store that a stranger can read
  2   could not look at everything, whatever else was found
  64+ wrong use

plainview reads and never writes. No report, log or error holds a value of your data.
"""
EXAMPLES = """\
examples:
  plainview scan exports/ customers.csv.gz
  plainview scan exports/ --format html --output report.html
  plainview scan redis://127.0.0.1:6379
  plainview scan elasticsearch://10.0.0.5:9200 --scope plainview.toml --credentials credentials.toml

"""


class Parser(argparse.ArgumentParser):
    """Ends with 64 for wrong use, as sysexits.h says."""

    def error(self, message: str) -> None:  # type: ignore[override]
        """Print the usage and the message, end with 64."""
        self.print_usage(sys.stderr)
        self.exit(EXIT_USAGE, f"{self.prog}: {message}\n")


def size(text: str) -> int:
    """Parse a size in bytes: `500m`, `2g`."""
    number, unit = text.rstrip("bBkKmMgGtT"), text.lstrip("0123456789.").lower().rstrip("b")
    try:
        found = int(float(number) * SIZES[unit])
    except (KeyError, ValueError, OverflowError):
        found = 0
    if found < 1:
        raise argparse.ArgumentTypeError(f"not a size: {text!r} (write 500m or 2g)")
    return found


def seconds(text: str) -> float:
    """Parse a time in seconds above 0."""
    try:
        found = float(text)
    except ValueError:
        found = 0.0
    if not 0 < found < 1e9:
        raise argparse.ArgumentTypeError(f"not a number of seconds: {text!r}")
    return found


def positive(text: str) -> int:
    """Parse a whole number above 0."""
    if not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"not a number above 0: {text!r}")
    return int(text)


def build_parser() -> Parser:
    """Return the parser of the whole command."""
    parser = Parser(
        prog="plainview",
        description="Which of your data stores can a stranger read, and what personal data would they find there?",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"plainview {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=Parser)
    _add_scan(commands)
    _add_detectors(commands)
    return parser


def _add_scan(commands: argparse._SubParsersAction[Parser]) -> None:
    from plainview.report.render import REPORTS

    scan = commands.add_parser(
        "scan",
        help="look for personal data in files, folders and stores",
        epilog=EXAMPLES + EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    scan.add_argument(
        "targets",
        nargs="*",
        metavar="TARGET",
        help="a file, a folder, or the address of a store (left out: the targets that --scope lists)",
    )
    scan.add_argument("-f", "--format", default="text", choices=list(REPORTS), help="kind of report")
    scan.add_argument("-o", "--output", metavar="FILE", help="write the report to FILE instead of the terminal")
    scan.add_argument("-v", "--verbose", action="store_true", help="say why, for each column")
    scan.add_argument("-q", "--quiet", action="store_true", help="no progress on stderr")
    scan.add_argument(
        "--sample", type=positive, metavar="N", help="read at most N random rows of each table, and say so"
    )
    scan.add_argument(
        "--detectors",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="detector files of your own",
    )
    scan.add_argument("--threads", type=positive, default=None, metavar="N", help="files or tables read at once")
    net = scan.add_argument_group("stores on a network")
    net.add_argument(
        "--scope",
        type=Path,
        metavar="FILE",
        help="the scope file: which addresses are yours (plainview.toml)",
    )
    net.add_argument(
        "--credentials",
        type=Path,
        metavar="FILE",
        help="credentials by host (TOML), so that none stands in a URL",
    )
    net.add_argument(
        "--try-mysql-root",
        action="store_true",
        help="ask MySQL as root with an empty answer, as a stranger would",
    )
    net.add_argument(
        "--rate", type=size, metavar="BYTES", help="read at most that much a second from each store, e.g. 20m"
    )
    limits = scan.add_argument_group("limits for broken or hostile input")
    limits.add_argument("--file-seconds", type=seconds, metavar="S", help="give up on one file after S seconds (600)")
    limits.add_argument("--unpacked", type=size, metavar="SIZE", help="bytes out of one packed file (64g)")
    limits.add_argument("--ratio", type=positive, metavar="N", help="unpacked size / packed size (200)")
    limits.add_argument("--depth", type=positive, metavar="N", help="archives inside archives (3)")
    limits.add_argument("--members", type=positive, metavar="N", help="entries of one archive (100000)")
    limits.add_argument("--columns", type=positive, metavar="N", help="columns of one table (10000)")
    limits.add_argument(
        "--memory-total", type=size, metavar="SIZE", help="for all workers that read files (half of what is free)"
    )
    limits.add_argument("--memory", type=size, metavar="SIZE", help="for packed formats that cannot be streamed (256m)")


def _add_detectors(commands: argparse._SubParsersAction[Parser]) -> None:
    detectors = commands.add_parser("detectors", help="list the detectors, explain one, test a file of your own")
    what = detectors.add_subparsers(dest="what", metavar="list|explain|test", parser_class=Parser)
    what.add_parser("list", help="all detectors by kind of data")
    explain = what.add_parser("explain", help="what a detector looks for, and how rare that is by chance")
    explain.add_argument("name")
    test = what.add_parser("test", help="check a detector file and run its examples")
    test.add_argument("file", type=Path, nargs="+")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status. Without `argv` this is the process's command, and ends it."""
    if argv is not None:
        return run(argv)
    # Start and end are a good part of a short scan: nothing that start-up makes is garbage, threads for linear
    # algebra have nothing to do here, and the system frees memory faster than Python takes objects apart.
    gc.set_threshold(200_000, 20, 50)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    status = run(sys.argv[1:])
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(status)


def run(argv: Sequence[str]) -> int:
    """Run the command and return its exit status."""
    parser = build_parser()
    args = parser.parse_args(argv)
    try:
        if args.command == "scan":
            from plainview.cli.native import silence_native_stderr

            silence_native_stderr()  # native libraries print what they choke on, data included
            return run_scan(args)
        if args.command == "detectors":
            from plainview.cli.detectors import run_detectors

            return run_detectors(args)
        parser.print_help(sys.stderr)  # not 0, which a pipeline would take for "nothing found"
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
    return EXIT_USAGE


def run_scan(args: argparse.Namespace) -> int:
    """Scan, write the report, return the exit status that admits what was not read."""
    from plainview.cli.progress import shown
    from plainview.pipeline.scan import scan
    from plainview.report.render import fitting, render

    output = Path(args.output) if args.output else None
    if output and not output.parent.is_dir():
        raise UsageError(f"no folder {output.parent} to write the report to")
    if output and output.exists() and any(same_file(output, target) for target in args.targets):
        raise UsageError("the report would overwrite a target", hint="choose another name after -o")
    options = options_of(args)
    targets = args.targets or (options.scope.targets if options.scope else ())
    if not targets:
        raise UsageError("no target", hint="name a file, a folder or a store, or a --scope FILE that lists targets")
    with shown(quiet=args.quiet) as progress:
        report = scan(*targets, options=options, progress=progress)
    style = {"verbose": args.verbose, "color": output is None and _colors(os.environ, terminal=sys.stdout.isatty())}
    text = render(report, args.format, **fitting(args.format, style))
    return report.exit_status if _written(text, args.format, output) else EXIT_CANNOT_WRITE


def _written(text: str, form: str, output: Path | None) -> bool:
    try:
        if output:
            output.write_text(text, encoding="utf-8")
        else:
            encoding = "utf-8" if form != "text" else sys.stdout.encoding or "utf-8"
            sys.stdout.buffer.write(text.encode(encoding, "backslashreplace"))
            sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        print(f"plainview: cannot write {output or 'the report'}: {error.strerror}", file=sys.stderr)  # noqa: T201
        return False
    return True


def same_file(output: Path, target: str) -> bool:
    """Tell whether a target is the very file that the report would be written to."""
    try:
        return output.samefile(target.removeprefix("file://").removeprefix("file:"))
    except (OSError, ValueError):
        return False


def _colors(environment: Mapping[str, str], *, terminal: bool) -> bool:
    return terminal and not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"


def options_of(args: argparse.Namespace) -> Options:
    """Turn the arguments into scan.Options."""
    from dataclasses import replace

    from plainview.pipeline.options import Options
    from plainview.tables import Limits

    if args.detectors:
        from plainview.cli.detectors import require_usable

        require_usable(args.detectors)
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


def _credentials(args: argparse.Namespace) -> Credentials | None:
    from plainview.targets.target import parse_target

    for text in args.targets:
        if parse_target(text).carries_secret:
            print("plainview: a secret stands in an address; the shell's history keeps it", file=sys.stderr)  # noqa: T201
            print("plainview: put it into a file and use --credentials FILE", file=sys.stderr)  # noqa: T201
    if not args.credentials:
        return None
    from plainview.targets.credentials import load_credentials

    found = load_credentials(args.credentials)
    for warning in found.warnings:
        print(f"plainview: {warning}", file=sys.stderr)  # noqa: T201
    return found


if __name__ == "__main__":
    sys.exit(main())
