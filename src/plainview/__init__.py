"""plainview: which of your data stores a stranger can read, and what personal data they would find there.

>>> import plainview
>>> report = plainview.scan("exports/")          # doctest: +SKIP
>>> [m.category for m in plainview.find("call +49 30 901820")]
['telephone_number']

`__all__` is the public interface; everything else may change with any version.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plainview.version import __version__

if TYPE_CHECKING:
    from plainview.errors import DetectorError, PlainviewError, ScopeError, TargetError, UsageError
    from plainview.matching.texts import Match, find
    from plainview.pipeline.options import Options, Progress
    from plainview.pipeline.scan import scan
    from plainview.report.model import Report
    from plainview.report.render import render
    from plainview.report.render.json_ import load as load_report
    from plainview.report.render.json_ import schema as report_schema
    from plainview.tables import Limits
    from plainview.targets.credentials import Credentials, load_credentials
    from plainview.targets.scope import Scope, load_scope, parse_scope
    from plainview.wire.limits import WireLimits

__all__ = [
    "Credentials",
    "DetectorError",
    "Limits",
    "Match",
    "Options",
    "PlainviewError",
    "Progress",
    "Report",
    "Scope",
    "ScopeError",
    "TargetError",
    "UsageError",
    "WireLimits",
    "__version__",
    "find",
    "load_credentials",
    "load_report",
    "load_scope",
    "parse_scope",
    "render",
    "report_schema",
    "scan",
]

# module -> its public names, and the name there where it is another one
_HOMES = {
    "errors": {name: name for name in ("DetectorError", "PlainviewError", "ScopeError", "TargetError", "UsageError")},
    "matching.texts": {"Match": "Match", "find": "find"},
    "pipeline.options": {"Options": "Options", "Progress": "Progress"},
    "pipeline.scan": {"scan": "scan"},
    "report.model": {"Report": "Report"},
    "report.render": {"render": "render"},
    "report.render.json_": {"load_report": "load", "report_schema": "schema"},
    "tables": {"Limits": "Limits"},
    "targets.credentials": {"Credentials": "Credentials", "load_credentials": "load_credentials"},
    "targets.scope": {"Scope": "Scope", "load_scope": "load_scope", "parse_scope": "parse_scope"},
    "wire.limits": {"WireLimits": "WireLimits"},
}
_FOUND = {public: (module, name) for module, names in _HOMES.items() for public, name in names.items()}


def __getattr__(name: str) -> Any:
    """Import on first use: `plainview --help` must not wait for the data libraries."""
    if name not in _FOUND:
        raise AttributeError(f"module 'plainview' has no attribute {name!r}")
    import importlib

    module, inside = _FOUND[name]
    value = getattr(importlib.import_module(f"plainview.{module}"), inside)
    globals()[name] = value
    return value
