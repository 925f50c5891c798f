"""plainview: which of your data stores a stranger can read, and what personal data they would find there.

>>> import plainview
>>> report = plainview.scan("exports/")          # doctest: +SKIP
>>> [m.category for m in plainview.find("call +49 30 901820")]
['telephone_number']
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plainview.version import __version__

if TYPE_CHECKING:
    from plainview.matching.texts import Match, find
    from plainview.pipeline.options import Options
    from plainview.pipeline.scan import scan
    from plainview.report.model import Report

__all__ = ["Match", "Options", "Report", "__version__", "find", "scan"]

_HOMES = {
    "find": "plainview.matching.texts",
    "Match": "plainview.matching.texts",
    "scan": "plainview.pipeline.scan",
    "Options": "plainview.pipeline.options",
    "Report": "plainview.report.model",
}


def __getattr__(name: str) -> Any:
    """Import on first use: `plainview --help` must not wait for the data libraries."""
    if name not in _HOMES:
        raise AttributeError(f"module 'plainview' has no attribute {name!r}")
    import importlib

    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value
