"""Stage 5: renderings of the report model. One file and one line of `REPORTS` for each format.

Nothing here can see a value: the model holds names, shapes and counts, and nothing below this
package may import polars or a driver.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from plainview.errors import UsageError
from plainview.report.model import Report

Render = Callable[..., str]


def _late(module: str) -> Render:
    """Return the `render` of a module of this package, imported at its first call: start-up stays quick."""

    def render_late(report: Report, **options: Any) -> str:
        text: str = import_module(f"{__name__}.{module}").render(report, **options)
        return text

    return render_late


REPORTS: Mapping[str, Render] = {
    "text": _late("text"),
    "json": _late("json_"),
    "html": _late("html"),
}


def render(report: Report, format: str, **options: Any) -> str:  # noqa: A002 - the word users know
    """Return the report in a format of `REPORTS`. Options are those of the format's own `render`.

    Raises UsageError for a format that does not exist.
    """
    if format not in REPORTS:
        raise UsageError("there is no such report format", hint="one of " + ", ".join(REPORTS))
    return REPORTS[format](report, **options)


__all__ = ["REPORTS", "Render", "render"]
