"""The report model as JSON, as `schema.json` beside this file describes it."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import msgspec

from plainview.report.model import Report


def render(report: Report, *, indent: int = 2) -> str:
    """Return JSON with a line end; `indent` spaces a level, or 0 for one line."""
    encoded = msgspec.json.encode(report)
    if indent:
        encoded = msgspec.json.format(encoded, indent=indent)
    return encoded.decode() + "\n"


def load(text: str | bytes) -> Report:
    """Return the report that `render` wrote. Raises msgspec.DecodeError for anything else."""
    return msgspec.json.decode(text, type=Report)


def schema() -> dict[str, Any]:
    """Return the published JSON Schema (draft 2020-12)."""
    loaded: dict[str, Any] = json.loads(files(__package__).joinpath("schema.json").read_text("utf-8"))
    return loaded


__all__ = ["load", "render", "schema"]
