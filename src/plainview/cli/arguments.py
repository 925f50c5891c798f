"""What the command takes, and what it says of what it does not take.

A mistyped line can hold a secret in any place (`scan` was forgotten, `--password=…` was tried, an option got an
address), so no message repeats a word of the line: `argparse`'s own messages do, and are put into other words here.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from plainview.errors import UsageError
from plainview.version import __version__

if TYPE_CHECKING:
    from _typeshed import SupportsWrite

EXIT_USAGE = 64
COMMANDS = ("scan", "detectors")
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
NO_SIZE = "not a size (write 500m or 2g)"
NO_SECONDS = "not a number of seconds"
NO_NUMBER = "not a number above 0"
# How a message of argparse begins behind the name of the argument -> what is said instead.
_MISTAKES = {
    "expected one argument": "needs a value",
    "expected at least one argument": "needs a value",
    "ignored explicit argument": "takes no value",
    NO_SIZE: NO_SIZE,
    NO_SECONDS: NO_SECONDS,
    NO_NUMBER: NO_NUMBER,
}
_SECRETIVE = re.compile(r"(?i)pass|pwd|secret|token|user|key|auth|login|cred")


class Parser(argparse.ArgumentParser):
    """Ends with 64 for wrong use, as sysexits.h says, and repeats nothing of what was written."""

    def error(self, message: str) -> NoReturn:
        """Print the usage and what is wrong, end with 64."""
        self.print_usage(sys.stderr)
        self.exit(EXIT_USAGE, f"{self.prog}: {self._mistake(message)}\n")

    def _print_message(self, message: str, file: SupportsWrite[str] | None = None) -> None:
        """Print; where that fails, fail: argparse would end with 0."""
        (file or sys.stderr).write(message)

    def _mistake(self, message: str) -> str:
        if message.startswith("the following arguments are required: "):
            return message  # names of ours
        if message.startswith("ambiguous option"):
            return "an option that could be short for several"
        found = re.match(r"argument ([^:]+): ", message)
        if not found:
            return "an argument that is not known"
        rest = message[found.end() :]
        if rest.startswith("invalid choice"):
            known = (action.choices for action in self._actions if _name(action) == found[1] and action.choices)
            return f"argument {found[1]}: not one of: {', '.join(map(str, next(known, ())))}"
        said = next(
            (said for start, said in _MISTAKES.items() if rest.startswith(start)), "a value that it cannot take"
        )
        return f"argument {found[1]}: {said}"


def _name(action: argparse.Action) -> str:
    """Return the name by which argparse calls an argument in its messages."""
    return "/".join(action.option_strings) or str(action.metavar or action.dest)


def size(text: str) -> int:
    """Parse a size in bytes: `500m`, `2g`."""
    number, unit = text.rstrip("bBkKmMgGtT"), text.lstrip("0123456789.").lower().rstrip("b")
    try:
        found = int(float(number) * SIZES[unit])
    except (KeyError, ValueError, OverflowError):
        found = 0
    if found < 1:
        raise argparse.ArgumentTypeError(NO_SIZE)
    return found


def seconds(text: str) -> float:
    """Parse a time in seconds above 0."""
    try:
        found = float(text)
    except ValueError:
        found = 0.0
    if not 0 < found < 1e9:
        raise argparse.ArgumentTypeError(NO_SECONDS)
    return found


def positive(text: str) -> int:
    """Parse a whole number above 0, of at most 18 digits."""
    if not (text.isascii() and text.isdigit()) or len(text) > 18 or int(text) == 0:
        raise argparse.ArgumentTypeError(NO_NUMBER)
    return int(text)


def build_parser() -> Parser:
    """Return the parser of the whole command."""
    return _build(COMMANDS)[0]


def _build(wanted: Collection[str | None]) -> tuple[Parser, dict[str, Parser]]:
    """Return the parser, and those of the commands by name; only the wanted ones know their arguments."""
    parser = Parser(
        prog="plainview",
        description="Which of your data stores can a stranger read, and what personal data would they find there?",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("-V", "--version", action="version", version=f"plainview {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=Parser)
    scan = commands.add_parser(
        "scan",
        help="look for personal data in files, folders and stores",
        epilog=EXAMPLES + EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    detectors = commands.add_parser("detectors", help="list the detectors, explain one, test a file of your own")
    if "scan" in wanted:
        _add_scan(scan)
    if "detectors" in wanted:
        _add_detectors(detectors)
    return parser, {"scan": scan, "detectors": detectors}


def parsed(argv: Sequence[str]) -> argparse.Namespace:
    """Return the arguments. Raises UsageError, SystemExit (64) for wrong use, SystemExit (0) after the help."""
    first = next((word for word in argv if not word.startswith("-")), None)
    if first is not None and first not in COMMANDS:
        raise _no_command(argv, first)
    parser, commands = _build((first,))  # the help of the whole needs the arguments of none
    args, unknown = parser.parse_known_args(argv)
    if unknown:
        chosen = commands.get(args.command, parser)
        chosen.print_usage(sys.stderr)
        raise _unknown(argv, unknown[0], chosen)
    return args


def _no_command(argv: Sequence[str], word: str) -> UsageError:
    """Return what to say when the first word is no command, and what to write instead."""
    from plainview.targets.quoting import exists, nearest

    if argv[0] != word:
        return UsageError("options stand behind the command", hint="write: plainview scan [options] TARGET...")
    near = "" if exists(word) else nearest(word, COMMANDS)
    if near:
        return UsageError("no command of that name", hint=f"did you mean: plainview {near}?")
    if word == "help":
        return UsageError("no command of that name", hint="write: plainview --help")
    return UsageError("the first word is no command", hint="to scan something, write: plainview scan TARGET...")


def _unknown(argv: Sequence[str], word: str, parser: Parser) -> UsageError:
    """Return what to say of a word that no option takes, and what could have been meant."""
    from plainview.targets.quoting import nearest

    place = f"argument {argv.index(word) + 1}" if word in argv else "an argument"
    if not word.startswith("-"):
        return UsageError(f"{place} is one too many", hint=f"see {parser.prog} --help")
    options = [option for action in parser._actions for option in action.option_strings]  # noqa: SLF001  our own class
    near = nearest(word.partition("=")[0], [option for option in options if option.startswith("--")])
    if near:
        return UsageError(f"{place} is no option", hint=f"did you mean {near}?")
    if _SECRETIVE.search(word.partition("=")[0]):
        return UsageError(f"{place} is no option", hint="a user and a secret are put into a file: --credentials FILE")
    return UsageError(f"{place} is no option", hint=f"see {parser.prog} --help")


def _add_scan(scan: Parser) -> None:
    from plainview.report.render import REPORTS

    scan.add_argument(
        "targets",
        nargs="*",
        metavar="TARGET",
        help="a file, a folder, the address of a store, or - for what is piped in (left out: what --scope lists)",
    )
    scan.add_argument("-f", "--format", default="text", choices=list(REPORTS), help="kind of report")
    scan.add_argument("-o", "--output", metavar="FILE", help="write the report to FILE instead of the terminal")
    scan.add_argument("--as", dest="stdin_as", default="", metavar="FORMAT", help="what - holds, e.g. csv, sql_dump")
    scan.add_argument("-v", "--verbose", action="store_true", help="say why, for each column")
    scan.add_argument("-q", "--quiet", action="store_true", help="no progress on stderr")
    scan.add_argument(
        "--sample", type=positive, metavar="N", help="read at most N random rows of each table, and say so"
    )
    scan.add_argument(
        "--allow-reserved",
        action="store_true",
        help="values kept for examples and tests (example.org, 192.0.2.1) alone do not make the exit status 1",
    )
    scan.add_argument(
        "--explain",
        default="",
        metavar="[TABLE.]COLUMN",
        help="tell each piece of evidence with its weight, also for the next two kinds that were not said; * for all",
    )
    scan.add_argument(
        "--no-families", action="store_true", help="show each file of a partitioned or numbered series as a table"
    )
    scan.add_argument(
        "--detectors",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="detector files of your own",
    )
    scan.add_argument(
        "--assume",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="what you know of the data for its severity, e.g. individuals=minors (docs/severity.md)",
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


def _add_detectors(detectors: Parser) -> None:
    what = detectors.add_subparsers(dest="what", metavar="list|explain|test", parser_class=Parser)
    what.add_parser("list", help="all detectors by kind of data")
    explain = what.add_parser("explain", help="what a detector looks for, and how rare that is by chance")
    explain.add_argument("name")
    test = what.add_parser("test", help="check a detector file and run its examples")
    test.add_argument("file", type=Path, nargs="+")
