"""`plainview detectors`: list them, explain one, test a file of one's own."""

from __future__ import annotations

import argparse
import difflib
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

from plainview.detectors import Detector, base_rates, categories, load_detectors, parse_detector, vocabulary
from plainview.errors import DetectorError, UsageError
from plainview.targets.quoting import quotable


def run_detectors(args: argparse.Namespace) -> int:
    """Dispatch the subcommand; exit status 0, 1 where an example fails, 64 for a wrong name or file."""
    if args.what == "explain":
        print(explain(args.name))  # noqa: T201
        return 0
    if args.what == "test":
        return test_files(args.file)
    print(listing())  # noqa: T201
    return 0


def listing() -> str:
    """Return all detectors by kind of data."""
    by_category: dict[str, list[Detector]] = {}
    for detector in load_detectors():
        by_category.setdefault(detector.category, []).append(detector)
    lines = [f"{len(load_detectors())} detectors of {len(categories())} kinds of personal data", ""]
    for kind in categories().values():
        mark = "  special category (GDPR Art. 9)" if kind.special else ""
        lines.append(f"{kind.id}: {kind.label}{mark}")
        lines.extend(
            f"    {d.name}: {d.label}{f' ({d.country})' if d.country else ''}" for d in by_category.get(kind.id, [])
        )
    return "\n".join(lines)


def explain(name: str) -> str:
    """Say in words what a detector looks for. Raises DetectorError for a name that is none."""
    known = {d.name: d for d in load_detectors()}
    if name not in known:
        near = [n for n in known if name.lower() in n or known[n].category == name]
        hint = "near: " + ", ".join(near) if near else "see `plainview detectors list`"
        raise DetectorError("no detector of that name", hint=hint)
    d = known[name]
    kind = categories()[d.category]
    lines = [
        f"{d.name}: {d.label}",
        f"kind of data     {kind.id} ({kind.concept})" + (", special category (GDPR Art. 9)" if kind.special else ""),
    ]
    facts = {
        "country": d.country,
        "field names": ", ".join(d.names),
        "never in fields": ", ".join(d.names_not),
        "form": "\n                 ".join(d.patterns),
        "check": d.check,
        "word list": d.vocabulary,
        "in running text": "searched" if d.in_text else "near " + ", ".join(d.context) if d.context else "not searched",
        "decides": _decides(d),
        "reference": d.reference,
        "must match": ", ".join(d.matches),
        "must not match": ", ".join(d.non_matches),
    }
    lines += [_fact(key, value, fold=key != "form") for key, value in facts.items() if value]
    rates = sorted(base_rates().get(name, {}).items(), key=lambda item: -item[1])
    shown = [f"{rate:.1%} of random {shape}" for shape, rate in rates if shape != "given_form" and rate >= 0.0005]
    lines.append(_fact("passes by chance", ", ".join(shown[:8]) or "less than 1 in 2,000 random values of any shape"))
    return "\n".join(lines)


def _fact(key: str, value: str, *, fold: bool = True) -> str:
    """Return a line of two columns; a long text goes on below itself, a pattern stays in one piece."""
    if not fold:
        return f"{key:<16} {value}"
    indent = " " * 17
    return textwrap.fill(value, 80, initial_indent=f"{key:<16} ", subsequent_indent=indent, break_on_hyphens=False)


def _decides(detector: Detector) -> str:
    if not detector.has_values:
        return "the field name"
    first = "the field name and the values together" if detector.needs_name else "values, helped by the field name"
    return first + (", only in tables about people" if detector.needs_person else "")


def test_files(files: list[Path]) -> int:
    """Load each file, run its examples, print what fails. Returns 1 when any does."""
    failed = False
    for file in files:
        if not file.is_file():
            raise UsageError(f"no file {quotable(file, 'of that name')}")
        detector = parse_detector(file)
        wrong = wrong_examples(detector, file)
        failed |= bool(wrong)
        for line in wrong:
            print(f"{file}: {line}", file=sys.stderr)  # noqa: T201
        total = (
            len(detector.matches)
            + len(detector.non_matches)
            + len(detector.name_matches)
            + len(detector.name_non_matches)
        )
        print(f"{file}: {total - len(wrong)} of {total} examples hold")  # noqa: T201
    return int(failed)


def require_usable(folders: Sequence[Path]) -> None:
    """Raise UsageError or DetectorError unless each folder holds detectors and all their examples hold."""
    for folder in folders:
        files = sorted(folder.glob("*.toml")) if folder.is_dir() else []
        if not files:
            shown = quotable(folder, "what --detectors names")
            raise UsageError(f"no detector files (*.toml) in {shown}", hint="--detectors takes a folder")
        for file in files:
            wrong = wrong_examples(parse_detector(file), file)
            if wrong:
                raise DetectorError(f"{file}: {wrong[0]}", hint=f"see `plainview detectors test {file}`")


def wrong_examples(detector: Detector, file: Path) -> list[str]:
    """Return a line for each example that does not hold. Raises DetectorError for what cannot be run at all."""
    from plainview.detectors.checks import CHECKS
    from plainview.matching.compiled import NAME_TAGS
    from plainview.matching.verify import failures

    if detector.check and detector.check not in CHECKS:
        near = difflib.get_close_matches(detector.check, CHECKS, 5)
        raise DetectorError(
            f"{file}: unknown check {detector.check!r}", hint="near: " + ", ".join(near) if near else ""
        )
    if detector.vocabulary and detector.vocabulary not in NAME_TAGS:
        vocabulary(detector.vocabulary)
    try:
        return failures(detector)
    except DetectorError as error:
        raise DetectorError(f"{file}: {error.message}", hint="RE2 syntax, see docs/detectors.md") from None
    except Exception as error:  # noqa: BLE001  two engines compile the pattern, each with errors of its own
        raise DetectorError(
            f"{file}: a pattern does not compile ({type(error).__name__})",
            hint="RE2 syntax: no look-around, no back-references, see docs/detectors.md",
        ) from None
