"""How a run is done, and whom it tells of its progress. Loads no data library."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from plainview.errors import UsageError
from plainview.tables import Limits, Unit

if TYPE_CHECKING:
    from plainview.targets.credentials import Credentials
    from plainview.targets.scope import Scope
    from plainview.wire.limits import WireLimits


@dataclass(frozen=True, slots=True)
class Options:
    """How to scan. `sample` is rows a table, None for all; `threads` is how many units are read at once.

    `apart`: files are read by worker processes, which may die without the run. `memory_total` is what all of them may
    hold, in bytes; 0 is half of what is free. `assume`: what is known of the data beside it, as docs/severity.md lists.
    `families`: tables that are parts of one are one table in the report. `stdin_as`: the format of what the target `-`
    gives, where its content does not say it. `allow_reserved`: values that are kept for examples, tests or drama alone
    do not make the run one that found something. `explain`: the columns (`table.column`, `column`, with `*`) of
    which each piece of evidence is told.
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
    assume: tuple[str, ...] = ()
    families: bool = True
    stdin_as: str = ""
    allow_reserved: bool = False
    explain: str = ""

    def __post_init__(self) -> None:
        """Raise TypeError for what is no option. No message holds the value: it may be a table, or a secret."""
        if not isinstance(self.detectors, list | tuple) or not all(isinstance(d, str | Path) for d in self.detectors):
            raise TypeError("Options: detectors must be a list of folders")
        object.__setattr__(self, "detectors", tuple(map(Path, self.detectors)))
        if not isinstance(self.assume, list | tuple) or not all(isinstance(text, str) for text in self.assume):
            raise TypeError("Options: assume must be a list of texts")
        object.__setattr__(self, "assume", tuple(self.assume))
        if self.assume:
            from plainview.assess.severity import assumptions

            try:
                assumptions(self.assume)
            except UsageError as error:
                raise TypeError(f"Options: {error}") from None
        if not isinstance(self.limits, Limits):
            raise TypeError("Options: limits must be Limits")
        numbers = (self.threads, self.memory_total, 0 if self.sample is None else self.sample)
        if not all(type(number) is int and number >= 0 for number in numbers):
            raise TypeError("Options: sample, threads and memory_total must be whole numbers")
        if not isinstance(self.stdin_as, str) or not isinstance(self.explain, str):
            raise TypeError("Options: stdin_as must be the name of a format, explain a pattern")
        if not all(isinstance(value, bool) for value in (self.apart, self.families, self.allow_reserved)):
            raise TypeError("Options: apart, families and allow_reserved must be True or False")
        self._check_network()

    def _check_network(self) -> None:
        if self.scope is not None:
            from plainview.targets.scope import Scope

            if not isinstance(self.scope, Scope):
                raise TypeError("Options: scope must be a Scope, as load_scope returns it")
        if self.credentials is not None:
            from plainview.targets.credentials import Credentials

            if not isinstance(self.credentials, Credentials):
                raise TypeError("Options: credentials must be Credentials, as load_credentials returns them")
        if self.network is not None:
            from plainview.wire.limits import WireLimits

            if not isinstance(self.network, WireLimits):
                raise TypeError("Options: network must be WireLimits")


@dataclass(slots=True)
class Progress:
    """Told of everything that can be shown while a scan runs. All calls may come from any thread."""

    on_target: Callable[[str], None] = lambda name: None
    on_unit: Callable[[Unit], None] = lambda unit: None
    on_bytes: Callable[[int], None] = lambda count: None
    on_rows: Callable[[int], None] = lambda count: None


__all__ = ["Limits", "Options", "Progress"]
