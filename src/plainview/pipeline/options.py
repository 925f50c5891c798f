"""How a run is done, and whom it tells of its progress. Loads no data library."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from plainview.tables import Limits, Unit

if TYPE_CHECKING:
    from plainview.targets.credentials import Credentials
    from plainview.targets.scope import Scope
    from plainview.wire.limits import WireLimits


@dataclass(frozen=True, slots=True)
class Options:
    """How to scan. `sample` is rows a table, None for all; `threads` is how many units are read at once.

    `apart`: files are read by worker processes, which may die without the run. `memory_total` is what all of them may
    hold, in bytes; 0 is half of what is free.
    """

    sample: int | None = None
    threads: int = 0
    detectors: tuple[Path, ...] = ()
    limits: Limits = field(default_factory=Limits)
    scope: Scope | None = None  # None: loopback only
    credentials: Credentials | None = None  # None: only what stands in an address
    network: WireLimits | None = None
    apart: bool = True
    memory_total: int = 0


@dataclass(slots=True)
class Progress:
    """Told of everything that can be shown while a scan runs. All calls may come from any thread."""

    on_target: Callable[[str], None] = lambda name: None
    on_unit: Callable[[Unit], None] = lambda unit: None
    on_bytes: Callable[[int], None] = lambda count: None
    on_rows: Callable[[int], None] = lambda count: None


__all__ = ["Limits", "Options", "Progress"]
