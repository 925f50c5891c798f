"""A draft of the breach notification as JSON, by the EDPB's common template: `plainview.edpb-draft/1`."""

from __future__ import annotations

import json

from plainview.report import drafting
from plainview.report.model import Report

SCHEMA = "plainview.edpb-draft/1"


def render(report: Report, *, indent: int = 2) -> str:
    """Return the drafts of all targets that hold personal data and are not closed, the worst first."""
    template = drafting.template()
    drafts = []
    for target in drafting.concerned(report):
        found = drafting.draft(target, report.finished)
        drafts.append(
            {
                "target": target.target,
                "fields": {name: field.value for name, field in found.items()},
                "marks": {name: {"how": field.how, "why": field.why} for name, field in found.items()},
                "for_a_person": drafting.left(found),
                "people_concerned": {
                    language: "\n".join(drafting.letter(target, language)) for language in drafting.LANGUAGES
                },
            }
        )
    whole = {
        "schema": SCHEMA,
        "template": {
            "name": template["title"],
            "version": template["x-template-version"],
            "status": template["x-status"],
            "source": template["x-source"],
            "licence": template["x-licence"],
        },
        "drafts": drafts,
    }
    return json.dumps(whole, indent=indent or None, ensure_ascii=False) + "\n"


__all__ = ["SCHEMA", "render"]
