"""The terminal report: every meaning is in words, colour only repeats it; lines fit the width."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from plainview.report import ranking, wording
from plainview.report.model import Column, Exposure, People, Report, Severity, TableReport, TargetReport

SHOWN_PER_REASON = 20
SHOWN_NOTES = 12  # reasons why things needed no look
SHOWN_PER_KIND = 20  # columns of one table
OVERVIEW = 12  # tables, from which on the kinds are summed up first
PLAIN = re.compile(r"[\w./:\[\]{}@$#+=%~-]*[\w/\]}]")
Line = tuple[int, str, str]  # indent, words, style


def quoted(name: str) -> str:
    """Return a name, in quotation marks when its end could be mistaken."""
    return name if PLAIN.fullmatch(name) else '"' + name.replace('"', '\\"') + '"'


def render(report: Report, *, verbose: bool = False, width: int = 80, color: bool = False) -> str:
    """Return the report as text lines of at most `width` cells, with ANSI colours when `color` is set."""
    out = io.StringIO()
    console = Console(
        file=out,
        width=width,
        force_terminal=color,
        color_system="standard" if color else None,
        legacy_windows=False,
        markup=False,
        emoji=False,
        highlight=False,
    )
    for indent, words, style in lines(report, verbose=verbose):
        room = max(20, width - indent)
        # Wrapping is the slow part; most lines do not need it.
        if words.isascii() and len(words) <= room:
            folded = [Text(words, style)]
        else:
            folded = _wrap(console, words, style, room)
        for number, text in enumerate(folded):
            pad = " " * (indent + (2 if number and indent else 0))
            if color and style:
                console.print(pad, text, sep="", soft_wrap=True)
            else:
                out.write(f"{pad}{text.plain}\n")
    return out.getvalue()


def _wrap(console: Console, words: str, style: str, room: int) -> list[Text]:
    """Fold words into lines; the later ones are two cells shorter, for a hanging indent."""
    text = Text(words, style, overflow="fold")
    folded = list(text.wrap(console, room - 2 if cell_len(words) > room else room))
    for line in folded:
        line.rstrip()
    return folded


def lines(report: Report, *, verbose: bool) -> Iterator[Line]:
    """Yield the lines of the whole report before they are folded."""
    head = f"{report.tool.name} {report.tool.version}".strip()
    when = f", {wording.moment(report.finished)}" if report.finished else ""
    yield 0, f"{head}: {wording.count(len(report.targets), 'target')}{when}", "bold"
    for number, target in enumerate(ranking.targets(report), 1):
        yield 0, "", ""
        yield from _target(number, target, verbose=verbose)
    yield 0, "", ""
    if report.stopped:
        yield 0, f"{wording.WAS_STOPPED}.", "bold yellow"
        return
    status = report.exit_status
    words = f"Exit status {status}: {wording.EXITS[status]}"
    if status == 2 and report.found:
        words += "; what was looked at holds personal data or is open"
    yield 0, words + ".", "bold"


def _target(number: int, target: TargetReport, *, verbose: bool) -> Iterator[Line]:
    bad = wording.is_open(target.exposure) or any(table.columns for table in target.tables)
    yield 0, f"{number}. {quoted(target.target)} ({target.kind})", "bold"
    style = "bold red" if bad else "yellow" if target.coverage.skipped else "green"
    yield 2, f"Verdict: {' '.join(wording.verdict(target))}", style
    if target.exposure is not None:
        yield 0, "", ""
        yield from _exposure(target.exposure, verbose=verbose)
    if target.people is not None:
        yield 0, "", ""
        yield from _people(target.people)
    found = ranking.worst_first(target.tables)
    if len(found) > OVERVIEW:
        yield 0, "", ""
        yield 2, f"Kinds of personal data in these {len(found):,} tables:", "bold"
        for kind in ranking.kinds(found):
            mark = f", {kind.mark}" if kind.mark else ""
            where = f"{wording.count(kind.columns, 'column')} of {wording.count(kind.tables, 'table')}"
            yield 4, f"- {kind.label}{mark}: {where}", "red" if mark else ""
    if found:
        yield 0, "", ""
        yield 2, "Personal data, the worst table first:", "bold"
        for table in found:
            yield from _table(table, verbose=verbose)
    for table in target.tables:
        yield from _explained(table)
    if target.severity is not None:
        yield from _severity(target.severity, verbose=verbose)
    if target.laws:
        yield 0, "", ""
        yield from _laws(target, verbose=verbose)
    if target.fix:
        yield 0, "", ""
        yield from _fix(target)
    yield 0, "", ""
    yield from _coverage(target, verbose=verbose)


def _people(people: People) -> Iterator[Line]:
    yield 2, f"Whom it concerns: {wording.persons(people)}", "bold"
    if people.minors:
        yield 4, f"Children: {wording.minors(people)}", ""
    if people.by_country:
        yield 4, f"Countries: {'; '.join(map(wording.group, people.by_country))}", ""
    for reason in people.reasons:
        yield 4, f"Why: {reason}", ""


def _severity(severity: Severity, *, verbose: bool) -> Iterator[Line]:
    style = "bold red" if severity.score >= 3 else "bold"
    yield 0, "", ""
    yield 2, f"How bad: {wording.severity(severity)}", style
    yield 4, severity.meaning, ""
    circumstances = severity.cb if verbose else tuple(part for part in severity.cb if part.value)
    for factor in (severity.dpc, severity.ei, *circumstances):
        for reason in factor.reasons if verbose else factor.reasons[:1]:
            yield 4, f"{factor.name.capitalize()} {factor.value:g}: {reason}", ""
    for text in severity.flags:
        yield 4, f"Beside the score: {text}", ""
    for text in severity.assumed:
        yield 4, f"Assumed: {text}", ""
    if verbose:
        yield 4, f"By {severity.method}", "dim"
        yield 4, severity.note, "dim"


def _exposure(exposure: Exposure, *, verbose: bool) -> Iterator[Line]:
    yield 2, "What a stranger may do:", "bold"
    yield 4, f"How sure: {wording.CONFIDENCE[exposure.confidence]}.", ""
    if wording.is_open(exposure):
        yield 4, f"How the rights are known: {wording.RIGHTS[exposure.rights_basis]}.", ""
    product = " ".join(part for part in (exposure.product, exposure.version) if part)
    if product:
        yield 4, f"Product: {product}", ""
    if exposure.tls is not None:
        yield 4, f"Encryption on the way: {wording.tls(exposure.tls)}.", ""
    for text in exposure.evidence:
        yield 4, f"Evidence: {text}", ""
    for text in exposure.prior_access:
        yield 4, f"SIGN OF AN EARLIER VISITOR: {text}", "bold red"
    for text in exposure.points_elsewhere:
        yield 4, f"Points elsewhere (not followed): {text}", ""
    for text in exposure.not_tried:
        yield 4, f"Not tried: {text}", ""
    if not exposure.footprint:
        return
    sent = sum(request.count for request in exposure.footprint)
    if not verbose:
        yield 4, f"{wording.count(sent, 'request')} sent; -v lists them with the trace they leave.", ""
        return
    yield 4, f"{wording.count(sent, 'request')} sent:", ""
    for request in exposure.footprint:
        answers = f"; answered {', '.join(request.statuses)}" if request.statuses else ""
        trace = f"; leaves: {request.footprint}" if request.footprint else ""
        yield 6, f"{request.count:,} x {request.template} ({request.probe}){answers}{trace}", ""


def _table(table: TableReport, *, verbose: bool) -> Iterator[Line]:
    yield 4, f"{quoted(table.name)}: {wording.rows(table)}; {wording.columns(table)}", "bold"
    if table.people is not None:
        yield 6, f"People: {wording.persons(table.people)}", ""
        for reason in table.people.reasons if verbose else ():
            yield 8, f"why: {reason}", "dim"
    for note in table.notes if verbose else table.notes[:3]:
        yield 6, f"Note: {note}", ""
    for one in table.combinations:
        yield 6, f"- together, {wording.together(one)}", ""
        for text in one.evidence if verbose else ():
            yield 8, f"why: {text}", "dim"
    for group in ranking.groups(table):
        shown = group.columns if verbose else group.columns[:SHOWN_PER_KIND]
        found = "; ".join(map(_column, shown))
        if len(shown) < len(group.columns):
            found += f"; and {wording.count(len(group.columns) - len(shown), 'more column')} (-v names them)"
        mark = f", {group.mark}" if group.mark else ""
        yield 6, f"- {group.label}{mark}: {found}", "red" if mark else ""
        for column in group.columns if verbose else ():
            for text in column.evidence:
                yield 8, f"why {_place(column)}: {text}", "dim"


def _explained(table: TableReport) -> Iterator[Line]:
    for one in table.explained:
        yield 4, f"{quoted(table.name)}, {quoted(one.path)}, explained: {wording.looked_at(one)}", "bold"
        if not one.guesses:
            yield 6, "- nothing that the detectors know fits", ""
        for guess in one.guesses:
            yield 6, f"- {wording.guessed(guess)}", ""
            for weight in guess.weights:
                yield 8, f"{weight.value:+.1f} {weight.words}", "dim"


def _laws(target: TargetReport, *, verbose: bool) -> Iterator[Line]:
    yield 2, f"{wording.laws_title(target)} (as of {target.laws[0].as_of}; a person decides which apply):", "bold"
    shown = [law for law in target.laws if verbose or law.seen or law is target.laws[0]]
    for law in shown:
        yield 4, f"- {law.name} ({law.where}): {law.clock}", ""
        for about, text in wording.about_law(law) if verbose else ():
            yield 8, f"{about}: {text}", "dim"
    left = [law.name for law in target.laws if law not in shown]
    if left:
        yield 4, f"Others that may set one (-v): {'; '.join(left)}", ""


def _fix(target: TargetReport) -> Iterator[Line]:
    yield 2, f"{wording.fix_title(target)}:", "bold"
    for number, step in enumerate(target.fix, 1):
        yield 4, f"{number}. {step.do}", ""
        for line in step.setting.splitlines():
            yield 8, line, "dim"
    pages = dict.fromkeys(step.page for step in target.fix if step.page)
    if pages:
        yield 4, f"More: {', '.join(pages)}", ""


def _place(column: Column) -> str:
    return quoted(column.path) + (f" where {column.where}" if column.where else "")


def _column(column: Column) -> str:
    where = "inside free text, " if column.in_text else f"{column.form}, " if column.form else ""
    return f"{_place(column)} ({wording.sure(column.confidence)}, {where}{wording.cells(column)})"


def _coverage(target: TargetReport, *, verbose: bool) -> Iterator[Line]:
    yield 2, wording.coverage(target.coverage), ""
    for why, names in ranking.skip_groups(target.coverage.skipped):
        shown = names if verbose else names[:SHOWN_PER_REASON]
        for what in shown:
            yield 2, f"NOT EXAMINED: {quoted(what)} — {why}", "yellow"
        if len(names) > len(shown):
            yield 2, f"NOT EXAMINED: and {len(names) - len(shown):,} more — {why} (-v names them)", "yellow"
    noted = list(ranking.skip_groups(target.coverage.noted))
    for why, names in noted if verbose else noted[:SHOWN_NOTES]:
        shown = names if verbose else names[:SHOWN_PER_REASON]
        yield 2, f"Needed no look: {', '.join(map(quoted, shown))}{' …' * (len(names) > len(shown))} — {why}", ""
    if len(noted) > SHOWN_NOTES and not verbose:
        more = sum(len(names) for _, names in noted[SHOWN_NOTES:])
        yield 2, f"Needed no look: {more:,} more, for reasons of their own (-v names them)", ""
    if target.coverage.tables_read and not target.coverage.skipped:
        yield 2, "Nothing was left out.", ""
    if verbose and target.coverage.isolation:
        yield 2, target.coverage.isolation, "dim"
