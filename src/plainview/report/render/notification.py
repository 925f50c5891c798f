"""A draft of the breach notification to read and complete, as Markdown: the same fields as `edpb`, and the letters."""

from __future__ import annotations

from collections.abc import Iterator

from plainview.report import drafting
from plainview.report.model import Report, TargetReport

ESCAPED = str.maketrans({sign: f"\\{sign}" for sign in "\\`*_{}[]<>#|&"})
TO_FILL = "**to be filled by a person**"


def plain(text: str) -> str:
    """Return a text in which no character of Markdown or HTML means anything, on one line."""
    return " ".join(text.translate(ESCAPED).split())


def render(report: Report) -> str:
    """Return one draft for each target that holds personal data and is not closed, the worst first."""
    template = drafting.template()
    lines = ["# Notification of a personal data breach (draft)", ""]
    lines += [f"{template['title']}; {template['x-status']}.", ""]
    lines += [f"Source: {template['x-source']} ({template['x-licence']}).", ""]
    lines += ["Every field says how it is known. Nothing is decided: check what is inferred, fill what is open.", ""]
    targets = drafting.concerned(report)
    if not targets:
        lines += ["No target holds personal data that stands open, so there is nothing to draft.", ""]
    for target in targets:
        lines += [f"## {plain(target.target)}", "", *_fields(target, report.finished), ""]
        for language in drafting.LANGUAGES:
            lines += [*(line.replace("# ", "### ", 1) for line in drafting.letter(target, language)), ""]
    return "\n".join(lines)


def _fields(target: TargetReport, finished: str) -> Iterator[str]:
    found = drafting.draft(target, finished)
    yield "| field | | value | known |"
    yield "|---|---|---|---|"
    open_ones = drafting.left(found)
    for name, about in drafting.template()["properties"].items():
        if name not in found and name not in open_ones:
            continue
        title = plain(about["title"]).rstrip("*\\")
        number = name.removeprefix("field_")
        if name in found:
            field = found[name]
            yield f"| {number} | {title} | {_words(about, field.value)} | {field.how}: {plain(field.why)} |"
        else:
            yield f"| {number} | {title} | {TO_FILL} | |"


def _words(about: dict[str, object], value: object) -> str:
    """Return a value in words: options by their text."""
    options = about.get("x-options")
    if isinstance(options, dict) and isinstance(value, list | str):
        keys = value if isinstance(value, list) else [value]
        return "; ".join(f"{key}) {plain(str(options[key]))}" for key in keys if key in options)
    return f"{value:,}" if isinstance(value, int) else plain(str(value))


__all__ = ["plain", "render"]
