"""For people who write a store outside of plainview: what its module imports. docs/plugins.md shows one.

`plainview.testing` has the checks for its tests.
"""

from __future__ import annotations

from plainview.errors import LimitError, ProtocolError, RefusedError, UnreachableError, UnsupportedError, translate
from plainview.stores.base import NetworkSource, Verdict
from plainview.stores.shared.paging import Paging
from plainview.tables import Batch, ReadLog, Table, Unit
from plainview.wire.authorization import dressed

__all__ = [
    "Batch",
    "LimitError",
    "NetworkSource",
    "Paging",
    "ProtocolError",
    "ReadLog",
    "RefusedError",
    "Table",
    "Unit",
    "UnreachableError",
    "UnsupportedError",
    "Verdict",
    "dressed",
    "translate",
]
