"""What all stores behind a socket share: one wire, the stranger's question first, then the reading.

A store subclasses `NetworkSource` and writes three methods: `ask`, `pieces`, `rows`.
docs/adding-a-store.md is the recipe.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import msgspec

from plainview.errors import (
    NetworkError,
    OutOfScopeError,
    PlainviewError,
    ProtocolError,
    RefusedError,
    UnreachableError,
    WithheldError,
)
from plainview.names import safe_name
from plainview.report.model import Confidence, Exposure, Request, RightsBasis, State
from plainview.report.sentences import agreeing
from plainview.tables import Batch, Limits, ReadAs, ReadLog, Unit
from plainview.targets.credentials import Credential, Credentials
from plainview.wire import Wire, WireLimits
from plainview.wire.listening import reach

if TYPE_CHECKING:
    from plainview.targets.scope import Scope
    from plainview.targets.target import Target

ORDER: tuple[State, ...] = (
    "unknown",
    "unreachable",
    "auth_required",
    "reachable_metadata",
    "lists",
    "reads",
    "writes",
    "admin",
)
OPEN: frozenset[State] = frozenset({"reads", "writes", "admin"})


@dataclass(slots=True)
class Verdict:
    """An `Exposure` in the making: raised step by step, so that a break half-way keeps what was proved."""

    state: State = "unknown"
    rights_basis: RightsBasis = "unknown"
    confidence: Confidence = "inconclusive"
    evidence: list[str] = field(default_factory=list)
    product: str | None = None
    version: str | None = None
    prior_access: list[str] = field(default_factory=list)
    not_tried: list[str] = field(default_factory=list)
    suspect: bool = False
    partial: bool = False

    def saw(self, state: State, evidence: str, *, confidence: Confidence = "proved") -> None:
        """Raise the state (never lower it); the evidence is our words and counts, never the store's text."""
        self.evidence.append(evidence)
        if ORDER.index(state) >= ORDER.index(self.state):
            self.state, self.confidence = state, confidence

    def refused(self, evidence: str) -> None:
        """Take a refusal for lack of a credential: the data are closed, though a version may be shown."""
        self.evidence.append(evidence)
        if self.state in ("unknown", "unreachable", "reachable_metadata"):
            self.state, self.confidence = "auth_required", "probable" if self.partial else "proved"

    def left_out(self, what: str) -> None:
        """Say what was not asked and might have let a stranger in: a refusal of the rest proves nothing for it."""
        self.not_tried.append(what)
        self.partial = True

    def note(self, evidence: str) -> None:
        """Add evidence that changes no state."""
        self.evidence.append(evidence)

    def rights(self, basis: RightsBasis) -> None:
        """Say how the rights are known."""
        self.rights_basis = basis

    def doubt(self, evidence: str, *, honeypot: bool = False) -> None:
        """Keep the state and say why it may not be true; a honeypot stays one whatever is seen later."""
        self.evidence.append(evidence)
        self.confidence = "inconclusive"
        self.suspect |= honeypot

    def exposure(self, wire: Wire) -> Exposure:
        """Return the finished answer. What the server said of itself is made safe like any other name."""
        return Exposure(
            state=self.state,
            rights_basis=self.rights_basis,
            confidence="looks_like_honeypot" if self.suspect else self.confidence,
            evidence=tuple(map(agreeing, self.evidence)),
            footprint=_footprint(wire),
            tls=wire.tls,
            product=self.product and safe_name(self.product),
            version=self.version and safe_name(self.version),
            prior_access=tuple(self.prior_access),
            points_elsewhere=tuple(map(safe_name, wire.elsewhere)),
            not_tried=tuple(self.not_tried),
            reach=reach(wire.ip, wire.port) if wire.reached else "",
        )


class NetworkSource:
    """Base of the stores behind a socket. Opening one connects nowhere yet.

    `read_as` says as whom the store is read once `units` began: "stranger" where a stranger can
    read, "credential" where none can and the user gave one.
    """

    kind = ""
    whole_tables = False

    def __init__(
        self,
        target: Target,
        *,
        scope: Scope | None = None,
        credentials: Credentials | None = None,
        limits: Limits | None = None,
        network: WireLimits | None = None,
    ) -> None:
        self.target = target
        self.limits = limits or Limits()
        self.wire = Wire(target, scope, network)
        self.read_as: ReadAs = "stranger"
        self._credentials = credentials or Credentials.none()
        self._exposure: Exposure | None = None

    # -- to be written by each store ------------------------------------------------------------------

    def ask(self, verdict: Verdict) -> None:
        """Ask the stranger's question, without any secret; NetworkErrors may travel out."""
        raise NotImplementedError

    def pieces(self, log: ReadLog) -> Iterator[Unit]:
        """List the units, with `self.credential` when it is set."""
        raise NotImplementedError

    def rows(self, unit: Unit, log: ReadLog, sample: int | None) -> Iterator[Batch]:
        """Yield the batches of a unit, over a connection of its own."""
        raise NotImplementedError

    # -- the protocol of a source ---------------------------------------------------------------------

    def check_access(self) -> Exposure:
        """Ask what a stranger may do, once. Raises OutOfScopeError only."""
        if self._exposure is None:
            verdict = Verdict()
            try:
                self.ask(verdict)
            except OutOfScopeError:
                raise
            except UnreachableError as error:
                verdict.saw("unreachable", error.message)
            except RefusedError as error:
                verdict.refused(error.message)
            except PlainviewError as error:
                # Half an answer is never "closed": what was proved before stays, else it is unknown.
                verdict.note(error.message)
                if verdict.state in ("unknown", "auth_required", "unreachable"):
                    verdict.state = "unknown"
                if verdict.state not in OPEN:
                    verdict.confidence = "inconclusive"
            self._exposure = verdict.exposure(self.wire)
            self._exposure = self.completed(self._exposure)
        return self.exposure()

    def completed(self, asked: Exposure) -> Exposure:
        """Return the answer with what the owner's credential shows of it; a store that asks so overrides this."""
        return asked

    def exposure(self) -> Exposure:
        """Return what check_access found, with the footprint of all that was sent since. Asks nothing."""
        asked = self._exposure or Verdict().exposure(self.wire)
        elsewhere = tuple(map(safe_name, self.wire.elsewhere))
        return msgspec.structs.replace(asked, footprint=_footprint(self.wire), points_elsewhere=elsewhere)

    @cached_property
    def login(self) -> Credential | None:
        """The user's credential for this store, looked up once, or None."""
        return self._credentials.find(self.target)

    @property
    def credential(self) -> Credential | None:
        """The user's credential while the reading is done with it, else None."""
        return self.login if self.read_as == "credential" else None

    @property
    def origin(self) -> str:
        """Where the credential came from that the reading is done with; empty without one."""
        return self.credential.origin if self.credential else ""

    def units(self, log: ReadLog) -> Iterator[Unit]:
        """List the pieces, as the stranger where a stranger can read. Raises a NetworkError where nobody can."""
        self.choose_reader()
        for unit in self.pieces(log):
            self.wire.earn(units=1)
            yield unit

    def choose_reader(self) -> None:
        """Decide who reads. Raises when neither the stranger can nor a credential was given."""
        exposure = self.check_access()
        if exposure.state in OPEN:
            self.read_as = "stranger"
        elif exposure.state == "unreachable":
            raise UnreachableError(exposure.evidence[-1])
        elif self.login:
            self.read_as = "credential"
        elif reason := self._credentials.withheld(self.target):
            raise WithheldError(f"a stranger cannot read it, and {reason}")
        elif exposure.state == "unknown" or exposure.confidence == "inconclusive":
            raise ProtocolError("the store could not be understood: " + "; ".join(exposure.evidence))
        else:
            raise RefusedError("a stranger cannot read it, and no credential was given", hint="--credentials FILE")

    def read(self, unit: Unit, log: ReadLog, sample: int | None = None) -> Iterator[Batch]:
        """Yield the rows of a unit; a break half-way keeps what was read and raises at the end."""
        yield from self.rows(unit, log, sample)

    def close(self) -> None:
        """Close the connections; a store that keeps some overrides this."""


def _footprint(wire: Wire) -> tuple[Request, ...]:
    """Return what was sent; a status may be a word of the server's."""
    return tuple(
        msgspec.structs.replace(request, statuses=tuple(map(safe_name, request.statuses)))
        for request in wire.footprint()
    )


__all__ = ["OPEN", "NetworkError", "NetworkSource", "Verdict"]
