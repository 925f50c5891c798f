"""Stage 5: renderings of the report model. Each module of this folder is one, and is found by its name.

A module has `render(report, **options) -> str` and imports the model, `wording` and `ranking`, nothing else. Its name
is the name of the format; an underscore at its end, which keeps a name of the standard library free, is not part of it.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from plainview.errors import UsageError

if TYPE_CHECKING:
    from plainview.report.model import Report

Render = Callable[..., str]


def _late(module: str) -> Render:
    """Return the `render` of a module of this package, imported at its first call: start-up stays quick."""

    def render_late(report: Report, **options: Any) -> str:
        text: str = import_module(f"{__name__}.{module}").render(report, **options)
        return text

    return render_late


_MODULES = {found.name.rstrip("_"): found.name for found in pkgutil.iter_modules(__path__)}
REPORTS: Mapping[str, Render] = {name: _late(module) for name, module in sorted(_MODULES.items())}


def render(report: Report, format: str, **options: Any) -> str:  # noqa: A002 - the word users know
    """Return the report in a format of `REPORTS`. Options are those of the format's own `render`.

    Raises UsageError for a format that does not exist.
    """
    if format not in REPORTS:
        raise UsageError("there is no such report format", hint="one of " + ", ".join(REPORTS))
    return REPORTS[format](report, **options)


def fitting(format: str, options: Mapping[str, Any]) -> dict[str, Any]:  # noqa: A002
    """Return those options that a format knows."""
    import inspect

    known = inspect.signature(import_module(f"{__name__}.{_MODULES[format]}").render).parameters
    return {name: value for name, value in options.items() if name in known}


__all__ = ["REPORTS", "Render", "fitting", "render"]
