"""A draft of the notification of a breach, by the EDPB's common template: what a scan can say, and what a person must.

Each field that is filled says how it is known: `observed` by the scan, or `inferred` from what it saw, to be checked.
No field that only a person can know is filled, and no decision is made. The template, the kinds of impact and the
texts for the people concerned (GDPR Art. 34) are data in `drafts/`.
"""

from __future__ import annotations

import csv
import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from plainview.report import ranking, wording
from plainview.report.model import Report, TargetReport

OBSERVED, INFERRED = "observed", "inferred"
LIKELY = 0.7  # confidence from which on a kind of data is put into a draft
LANGUAGES = ("en", "de", "fr")
NATURE = {"s3": "n", "azure": "n", "gs": "n", "http": "v"}  # of the incident; of other stores a misconfiguration
SEVERITY = {"low": "a", "medium": "b", "high": "c", "very high": "c"}  # our mapping: the template has three levels
EEA = frozenset("AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK".split())


@dataclass(frozen=True, slots=True)
class Field:
    """What is put into a field: a text, a number, the key of an option or several; how it is known, and why."""

    value: str | int | bool | list[str]
    how: str
    why: str


@cache
def template() -> dict[str, Any]:
    """Return the JSON Schema of the template, with its source, licence and changes."""
    loaded: dict[str, Any] = json.loads(_read("template.json"))
    return loaded


@cache
def _read(name: str) -> str:
    return files("plainview").joinpath("report", "drafts", name).read_text("utf-8")


@cache
def _table(name: str) -> Mapping[str, Any]:
    return tomllib.loads(_read(f"{name}.toml"))


@cache
def fields_of_categories() -> Mapping[str, str]:
    """Return the option of field 70 for each category."""
    source = files("plainview").joinpath("detectors", "categories.csv").read_text("utf-8")
    return {row["category"]: row["edpb_field70"] for row in csv.DictReader(source.splitlines())}


def concerned(report: Report) -> list[TargetReport]:
    """Return the targets of which a draft is written: with personal data, and not closed; the worst first."""
    closed = ("auth_required", "reachable_metadata", "unreachable")
    return [
        target
        for target in ranking.targets(report)
        if _categories(target) and (target.exposure is None or target.exposure.state not in closed)
    ]


def _categories(target: TargetReport) -> set[str]:
    return {c.category for table in target.tables for c in table.columns if c.confidence >= LIKELY}


def kinds(target: TargetReport) -> list[str]:
    """Return the options of field 70 that were found."""
    known = fields_of_categories()
    return sorted({option for name in _categories(target) if len(option := known.get(name, "u")) == 1})


def draft(target: TargetReport, finished: str) -> dict[str, Field]:
    """Return the fields that can be filled, by their name in the template, in its order."""
    found = dict(
        [*_type(), *_when(finished), *_nature(target), *_subjects(target), *_data(target), *_consequences(target)]
    )
    return {name: found[name] for name in template()["properties"] if name in found}


def left(found: Mapping[str, Field]) -> list[str]:
    """Return the fields that the template asks for and that a person has to fill."""
    return [name for name in template()["required"] if name not in found]


def _type() -> Iterator[tuple[str, Field]]:
    yield "field_3", Field("a", INFERRED, "nothing is known of an earlier notification")
    yield "field_4", Field("b", INFERRED, "what only a person knows is missing still")


def _when(finished: str) -> Iterator[tuple[str, Field]]:
    yield "field_44", Field("e", INFERRED, "since when it was so, the scan cannot see")
    when = f" finished {wording.moment(finished)}" if finished else ""
    yield "field_50", Field("a", INFERRED, "if the controller ran the scan")
    yield "field_51", Field(f"A scan with plainview{when}.", OBSERVED, "this report")


def _nature(target: TargetReport) -> Iterator[tuple[str, Field]]:
    exposure = target.exposure
    visited = exposure is not None and bool(exposure.prior_access)
    yield "field_55", Field(["a"], INFERRED, "personal data could be read" if exposure else "as if the file leaked")
    copied = Field("b", INFERRED, "a sign of an earlier visitor was found; assume that it was copied")
    open_question = Field("e", INFERRED, "only logs can show whether somebody read it")
    yield "field_56", copied if visited else open_question
    yield "field_57", Field("c", INFERRED, "the values were recognised, so they are not encrypted as a whole")
    if exposure is None:
        yield "field_60", Field(["x"], INFERRED, "a file does not say how it came into other hands")
    else:
        yield "field_60", Field([NATURE.get(target.kind, "m")], INFERRED, f"a stranger could use it: {target.kind}")
        state = " ".join(wording.openness(exposure))
        yield (
            "field_62",
            Field(" ".join([state, *exposure.evidence]), OBSERVED, wording.CONFIDENCE[exposure.confidence]),
        )
    yield "field_61", Field("e", INFERRED, "the cause is for a person to find")
    product = " ".join(part for part in (exposure and exposure.product, exposure and exposure.version) if part)
    system = f"{target.target} ({product or target.kind})"
    yield "field_63", Field(f"{system}; {wording.coverage(target.coverage)}", OBSERVED, "this report")


def _subjects(target: TargetReport) -> Iterator[tuple[str, Field]]:
    people = target.people
    about = _table("impacts")["subjects"]
    who = sorted({about[name] for name in _categories(target) if name in about})
    minors = wording.minors(people) if people else ""
    if people and any(group.few or group.low for group in people.minors):
        who = sorted({*who, "d"})
    yield "field_65", Field(who or ["k"], INFERRED, "from the kinds of data" if who else "the data does not say it")
    countries = "; ".join(map(wording.group, people.by_country)) if people else ""
    more = [f"{what}: {text}" for what, text in (("Children", minors), ("By country", countries)) if text]
    if people is None:
        yield "field_67", Field("d", INFERRED, "nobody was counted")
        return
    why = "; ".join(people.reasons) or "counted by the scan"
    yield "field_66", Field(". ".join([wording.persons(people), *more]), OBSERVED, why)
    if people.estimate is None:
        yield "field_67", Field("d", INFERRED, "not all rows were read, or nothing tells people apart")
    else:
        exact = people.low == people.estimate == people.high
        yield "field_67", Field("a" if exact else "b", OBSERVED, wording.persons(people))
        yield "field_68", Field(people.estimate, OBSERVED, why)
    seen = [group.name for group in people.by_country if group.name in EEA]
    if seen:
        yield "field_116", Field(", ".join(seen), INFERRED, "from columns of countries or telephone numbers")


def _data(target: TargetReport) -> Iterator[tuple[str, Field]]:
    found = [table for table in target.counted if table.columns]
    options = kinds(target)
    if options:
        yield "field_70", Field(options, OBSERVED, "findings with a confidence of 0.7 or more")
    listed = [
        f"{kind.label} ({wording.count(kind.columns, 'column')} of {wording.count(kind.tables, 'table')})"
        for kind in ranking.kinds(found)
    ]
    yield "field_71", Field("; ".join(listed), OBSERVED, "all findings, possible ones as well")
    rows = sum(table.rows_read for table in found)
    whole = not target.coverage.sampled and not target.coverage.skipped
    yield (
        "field_72",
        Field("a" if whole else "b", OBSERVED, f"{wording.count(len(listed), 'type')} of data in {rows:,} rows"),
    )
    yield "field_73", Field(rows, OBSERVED, "rows of the tables that hold personal data, as far as they were read")


def _consequences(target: TargetReport) -> Iterator[tuple[str, Field]]:
    severity = target.severity
    if severity and severity.ei.value >= 0.75:
        yield "field_79", Field(["b"], INFERRED, severity.ei.reasons[0])
    else:
        yield "field_79", Field(["e"], INFERRED, "for a person to judge")
    yield "field_85", Field(impacts(target), INFERRED, "what such data makes possible (GDPR recital 75); to be judged")
    if severity is None:
        yield "field_87", Field("d", INFERRED, "no severity was worked out")
        return
    level = f"ENISA says {severity.level}; the template has three levels"
    yield "field_87", Field(SEVERITY[severity.level], INFERRED, level)
    every = (severity.dpc, severity.ei, *severity.cb)
    factors = [f"{factor.name} {factor.value:g}: {'; '.join(factor.reasons)}" for factor in every]
    words = [f"{wording.severity(severity)}. {severity.meaning}", *factors, *severity.flags, *severity.assumed]
    text = ". ".join(part.rstrip(".") for part in (*words, severity.method, severity.note)) + "."
    yield "field_90", Field(text, INFERRED, "the working of the severity")


def impacts(target: TargetReport) -> list[str]:
    """Return the options of field 85 that the kinds of data suggest."""
    table = _table("impacts")
    return sorted({*table["always"], *(impact for kind in kinds(target) for impact in table["by"].get(kind, ()))})


# -- for the people concerned -----------------------------------------------------------------------------


def letter(target: TargetReport, language: str) -> list[str]:
    """Return a plain text for the people concerned (Art. 34), as lines of Markdown. `language` is one of LANGUAGES."""
    words = _table(language)
    found = kinds(target)
    lines = [f"# {words['title']}", "", f"*{words['draft']}*", ""]
    lines += [words["nature"] if target.exposure is not None else words["nature_file"], ""]
    lines += [words["data"], "", *(f"* {words['kinds'][kind]}" for kind in found if kind in words["kinds"]), ""]
    lines += [words["consequences"], ""]
    lines += [*(f"* {words['impacts'][impact]}" for impact in impacts(target) if impact in words["impacts"]), ""]
    lines += [words["measures"], ""]
    advice = [words["steps"][kind] for kind in found if kind in words["steps"]]
    if advice:
        lines += [words["advice"], "", *(f"* {step}" for step in advice), ""]
    return [*lines, words["contact"]]


__all__ = ["LANGUAGES", "Field", "concerned", "draft", "impacts", "kinds", "left", "letter", "template"]
