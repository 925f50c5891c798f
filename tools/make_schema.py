"""Write the JSON Schema of the report model: python tools/make_schema.py

The shape comes from `plainview.report.model` itself; the sentences about single fields stand here.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import msgspec

from plainview.report.model import SCHEMA, Report

PATH = Path(__file__).parent.parent / "src" / "plainview" / "report" / "render" / "schema.json"

FIELDS = {
    "Report.schema": "Name and version of this model.",
    "Report.tool": "The program that wrote the report.",
    "Report.started": "When the run began: UTC, ISO 8601.",
    "Report.finished": "When the run ended: UTC, ISO 8601.",
    "Report.stopped": "True when the run was ended before its end, as by Ctrl-C: only what was finished is told.",
    "Report.people": "The different people of all targets together; null where nobody is spoken of.",
    "TargetReport.people": "The different people of all its tables; null where nobody is spoken of.",
    "TableReport.people": "The different people of the table; null where it speaks of nobody.",
    "People.low": "There are at least so many.",
    "People.estimate": "The likely number; null where none can be given, as from a sample.",
    "People.high": "There are at most so many; null where that is open.",
    "People.examples": "Those with an address or number that standards reserve for examples.",
    "People.minors": "Of those whose age is known: how many are under the ages that laws name.",
    "People.by_country": "By country of a column, or of the telephone number; the unknown ones last.",
    "People.reasons": "How it was counted, and what makes the bounds wide.",
    "TargetReport.severity": "How bad a breach of this target is; null where no personal data was found.",
    "TargetReport.laws": "Laws that may set a clock; a person decides which apply.",
    "Law.id": "Short name of the law.",
    "Law.name": "The provision, and whom it makes tell.",
    "Law.where": "Where it is law.",
    "Law.applies": "When it applies, in words.",
    "Law.named": "Categories found that it protects more than other personal data.",
    "Law.seen": "Countries where it is law, of which people were seen.",
    "Law.clock": "By when who has to be told.",
    "Law.hours": "The shortest of these times in hours; null where none is fixed.",
    "Law.starts": "What starts the clock. The moment itself is never stated.",
    "Law.threshold": "When nobody has to be told.",
    "Law.as_of": "The day of which this is told.",
    "Law.source": "Where it was read, or that it is from memory.",
    "Law.open": "What is open or was not checked.",
    "TargetReport.fix": "What to do, step by step; empty where nothing is open.",
    "Fix.do": "The step in words.",
    "Fix.setting": "The exact setting or command, in lines; empty where there is none.",
    "Fix.page": "The page of the documentation that says more.",
    "Severity.score": "DPC × EI + CB, from 0.25 to 6.",
    "Severity.level": "The level of the score.",
    "Severity.meaning": "What that means for people, as the method words it.",
    "Severity.as_if": "True for files, of which no leak is known: as if it leaked.",
    "Severity.dpc": "The data processing context, 1 to 4.",
    "Severity.ei": "The ease of identification: 0.25, 0.5, 0.75 or 1.",
    "Severity.cb": "The circumstances of the breach: confidentiality, integrity, availability, intent; each adds.",
    "Severity.flags": "What stands beside the score and does not change it.",
    "Severity.assumed": "What was said by --assume.",
    "Severity.method": "The method, its date, and how its text was read.",
    "Severity.note": "What the score does not say.",
    "Factor.name": "Name of the factor.",
    "Factor.value": "Its value.",
    "Factor.reasons": "Why, in sentences without values.",
    "Factor.basis": "`standard`: it stands in the method; `judgement`: ours; `assumed`: said by --assume.",
    "PeopleGroup.name": "`under 18`, a country as ISO 3166-1 alpha-2, or `unknown`.",
    "PeopleGroup.low": "At least so many.",
    "PeopleGroup.estimate": "The likely number; null where there are fewer than five.",
    "PeopleGroup.high": "At most so many; null where that is open.",
    "PeopleGroup.few": "True for fewer than five people, of whom no number is given.",
    "Combination.name": "Name of the rule, as `location_history`.",
    "Combination.label": "What it is, in words.",
    "Combination.category": "The kind of data that it makes, by the list of categories; empty where it is none of them.",
    "Combination.concept": "That kind as a concept of the W3C Data Privacy Vocabulary.",
    "Combination.confidence": "How sure, from 0 to 1: of what the parts are on average.",
    "Combination.columns": "The columns that are its parts.",
    "Combination.evidence": "What each of them is, and how often rows come again.",
    "Combination.reference": "Where it says why this is more than its parts.",
    "TableReport.combinations": "What several columns say together and none alone.",
    "Weight.words": "A piece of evidence, without values.",
    "Weight.value": "What it adds to the logit of the confidence.",
    "Guess.category": "The kind of data.",
    "Guess.detector": "Name of the detector.",
    "Guess.said": "True for what the report says of the column.",
    "Guess.confidence": "How sure, from 0 to 1.",
    "Guess.matched": "Cells that hold it.",
    "Guess.checked": "Cells that were looked at by this detector.",
    "Guess.in_text": "True when it stands inside free text.",
    "Guess.weights": "Each piece of evidence; they add up to the logit of the confidence.",
    "Explained.path": "The column.",
    "Explained.cells": "Its filled cells.",
    "Explained.sampled": "Its distinct values that were looked at by every detector.",
    "Explained.guesses": "What was said, then the next two that were not.",
    "TableReport.explained": "Why columns were taken for what they were, where `--explain` asks for it.",
    "Report.allowed": "What the user lets pass: `reserved` are values kept for examples, tests or drama.",
    "Report.targets": "One entry for each target that was given.",
    "Tool.name": "Name of the program.",
    "Tool.version": "Version of the program.",
    "TargetReport.target": "The address that was given, without any credential.",
    "TargetReport.kind": "Kind of store or file.",
    "TargetReport.exposure": "What a stranger may do; null where the question makes no sense (local files).",
    "TargetReport.coverage": "How much was looked at, and what was not.",
    "TargetReport.tables": "The tables that were read, also those in which nothing was found.",
    "TableReport.name": "Path of the table below the target, made safe to print.",
    "TableReport.kind": "Format or store of the table.",
    "TableReport.rows": "Rows that the table holds, as far as known.",
    "TableReport.rows_read": "Rows that were read.",
    "TableReport.copy_of": "The table of a file with the same bytes, which was counted; '' for most. Then rows_read is 0.",
    "TableReport.parts": "Tables of the target that it is made of (partitions, a series, shards): 1 for most. {} in its name varies.",
    "TableReport.columns_total": "All columns of the table, with those in which nothing was found.",
    "TableReport.notes": "What had to be assumed to read it (encoding, header).",
    "TableReport.columns": "Findings: a column once for each category found in it.",
    "Column.path": "Name of the column; nested ones as a path: address.street, phones[].",
    "Column.category": "Id of the kind of personal data.",
    "Column.concept": "The W3C DPV concept of the category, such as pd:EmailAddress.",
    "Column.special": "True for a special category of GDPR Art. 9.",
    "Column.confidence": "Probability from 0 to 1 that the column holds this category.",
    "Column.matched": "Cells that hold it.",
    "Column.checked": "Non-empty cells that were checked.",
    "Column.evidence": "Why, in sentences without values.",
    "Column.in_text": "True when it stands inside free text.",
    "Column.detector": "Name of the detector that found it.",
    "Column.where": "Of which rows or objects, where names and values stand in rows: `meta_key = billing_phone`; empty for all.",
    "Column.form": "`pseudonymised`: hashes of it; `masked`: a part is hidden; empty where it stands in clear.",
    "Column.reserved": "Matching cells that hold only what is kept for examples, tests or drama: at least so many.",
    "Column.roles": "Matching cells that hold only mailboxes of a role, as info@: at least so many.",
    "Coverage.tables_listed": "Tables that the target names.",
    "Coverage.tables_read": "Tables that were read.",
    "Coverage.rows_listed": "Rows that the target says it holds.",
    "Coverage.rows_read": "Rows that were read.",
    "Coverage.bytes_read": "Bytes that were read from the target.",
    "Coverage.sampled": "True when only some rows of each table were read.",
    "Coverage.read_as": "Whose rights the reading used.",
    "Coverage.credential": "Where the credential came from that the reading used, in words; empty without one.",
    "Coverage.skipped": "All that was not examined.",
    "Coverage.noted": "What was passed over because it needs no look, such as views: it leaves nothing unknown.",
    "Coverage.isolation": "How files were kept from harming the run: worker processes, and what the kernel forbids them.",
    "Skipped.what": "A table, file, member or range of rows.",
    "Skipped.why": "The reason, and where there is one what to do.",
    "Exposure.state": "The most that a stranger may do.",
    "Exposure.rights_basis": "How the rights are known.",
    "Exposure.confidence": "How sure the state is.",
    "Exposure.evidence": "Why, in sentences without values.",
    "Exposure.footprint": "Every request that was sent.",
    "Exposure.tls": "What the connection said of encryption; null when not looked at.",
    "Exposure.product": "The product that answered.",
    "Exposure.version": "Its version.",
    "Exposure.reach": "From where it can be reached: `network`; `loopback`, where it listens on this machine's loopback "
    "alone; `here`, where it was reached over loopback and more is not known; empty where nothing was reached.",
    "Exposure.prior_access": "Signs that somebody was there before.",
    "Exposure.points_elsewhere": "Other addresses that the store named; none was followed.",
    "Exposure.not_tried": "What was not tried, and why.",
    "Tls.offered": "True when encryption is offered.",
    "Tls.used": "True when this connection was encrypted.",
    "Tls.version": "Version of the protocol.",
    "Tls.certificate": "Facts about the certificate, such as self-signed.",
    "Request.probe": "Name of the probe in the list of read-only requests.",
    "Request.template": "The request with placeholders.",
    "Request.count": "How often it was sent.",
    "Request.statuses": "The kinds of answer that came.",
    "Request.footprint": "The trace that it leaves at the store.",
}
ALWAYS = {  # fields with a default that every report has nevertheless
    "Report": ["schema", "tool", "started", "finished", "targets"],
    "Tool": ["name", "version"],
    "TargetReport": ["target", "kind", "exposure", "coverage", "tables"],
    "Coverage": [
        "tables_listed",
        "tables_read",
        "rows_listed",
        "rows_read",
        "bytes_read",
        "sampled",
        "skipped",
    ],
}


def build() -> dict[str, Any]:
    """Return the schema. Raises KeyError for a field without a sentence in FIELDS."""
    made = msgspec.json.schema(Report)
    for name, part in made["$defs"].items():
        for field, about in part["properties"].items():
            about["description"] = FIELDS[f"{name}.{field}"]
            about.pop("default", None)
            if about.get("type") == "integer":
                about["minimum"] = 0
        if name in ALWAYS:
            part["required"] = ALWAYS[name]
    definitions = made["$defs"]
    definitions["Report"]["properties"]["schema"]["const"] = SCHEMA
    definitions["Column"]["properties"]["confidence"].update(minimum=0, maximum=1)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:" + SCHEMA.replace("/", ":").replace(".", ":"),
        "title": "plainview report, version 1",
        "description": "Which personal data lies in a store and who may read it: no values.",
        **made,
    }


def text() -> str:
    """Return the schema as it is published."""
    return json.dumps(build(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    PATH.write_text(text(), encoding="utf-8")
    sys.stdout.write(f"wrote {PATH}\n")
