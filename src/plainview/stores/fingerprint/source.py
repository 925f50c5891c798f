"""A bare `host:port`: which kind of store is it? Asked in a fixed order, then handed to the source of that kind.

What is asked in which order, and which answer means what, is data: `signs`. An answer only chooses the
source; what a stranger may do there is that source's own question, with its own negative control. A port that
answers nothing known is `unknown`, never closed.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

from plainview import catalog
from plainview.errors import PlainviewError, ProtocolError, ReadError, UnsupportedError
from plainview.stores.base import NetworkSource, Verdict
from plainview.stores.fingerprint.signs import Sign, Step, table
from plainview.tables import Batch, Limits, ReadLog, Unit
from plainview.targets.credentials import Credentials
from plainview.targets.target import Target
from plainview.wire.http import TLS_HINT

if TYPE_CHECKING:
    from plainview.report.model import Exposure
    from plainview.tables import Source
    from plainview.targets.scope import Scope
    from plainview.wire import WireLimits

FIRST_BYTE, WHOLE = 1.5, 3.0  # seconds, where a question is only a guess
MORE = 0.5  # seconds for the rest of an answer that has begun
ENOUGH = 64  # bytes by which every kind can be told


class Asking:
    """One identification: takes the steps until a sign fits. Every step is a connection of its own."""

    def __init__(self, source: FingerprintSource) -> None:
        self.wire = source.wire
        self.patient = given = source.wire.limits  # on the usual port
        self.hasty = replace(given, first_byte=min(FIRST_BYTE, given.first_byte), probe=min(WHOLE, given.probe))
        self.outcomes: Counter[str] = Counter()
        self.no_tls = False
        self.http: dict[bool, int] = {}  # over TLS or not -> status of the answer to GET /

    def run(self) -> tuple[Sign, bool] | None:
        """Return the sign that fits and whether over TLS, or None. Raises UnreachableError, RefusedError."""
        for step in self._order():
            if (step.tls and self.no_tls) or not self._worth(step):
                continue
            self.wire.limits = self.patient if self.wire.port in step.ports else self.hasty
            try:
                sign = self._http(step) if step.is_http else self._bytes(step)
            except (ProtocolError, ReadError) as error:
                self.outcomes[error.message] += 1
                self.no_tls |= error.message.startswith("tls_error")
                sign = None
            if sign is not None:
                return sign, step.tls
        return None

    def _order(self) -> list[Step]:
        steps = list(table().steps)
        return sorted(steps, key=lambda step: self.wire.port not in step.ports)

    def _worth(self, step: Step) -> bool:
        """Leave out what cannot be: other protocols once HTTP was spoken, etcd's question where it was not."""
        if step.after_http and self.wire.port not in step.ports:
            return step.tls in self.http
        if not step.is_http or step.tls in self.http:
            return not self.http
        return True

    def _http(self, step: Step) -> Sign | None:
        with closing(self.wire.http(tls=step.tls)) as http:
            http.bare = True
            reply = http.ask(step.probe)
        sign = next((sign for sign in table().signs if sign.probe == step.probe and sign.fits_reply(reply)), None)
        if sign is None and step.probe == "fingerprint.http":
            if not step.tls and reply.status == 400 and TLS_HINT.search(reply.body[:2000]):
                return None  # a TLS port, which says so
            self.http[step.tls] = reply.status
        return sign

    def _bytes(self, step: Step) -> Sign | None:
        data = b""
        signs = [sign for sign in table().signs if sign.probe == step.probe]
        with self.wire.connect(tls=step.tls) as connection, connection.exchange(step.probe) as exchange:
            if step.listen and self.wire.port not in step.ports:
                exchange.end = min(exchange.end, time.monotonic() + step.listen)
            elif step.send:
                connection.send(bytes.fromhex(step.send))
            while len(data) < ENOUGH:
                more = connection.receive(4096)
                data += more
                exchange.end = min(exchange.end, time.monotonic() + MORE)
                for sign in signs:
                    if sign.fits(data):
                        exchange.done("known")
                        return sign
                if not more:
                    break
            exchange.done("other" if data else "closed")
            self.outcomes["something else came" if data else "the connection was closed without an answer"] += 1
        return None


class FingerprintSource(NetworkSource):
    """Finds out at the first question which kind of store it is; from then on it is that store's source."""

    kind = "fingerprint"

    def __init__(
        self,
        target: Target,
        *,
        scope: Scope | None = None,
        credentials: Credentials | None = None,
        limits: Limits | None = None,
        network: WireLimits | None = None,
    ) -> None:
        super().__init__(target, scope=scope, credentials=credentials, limits=limits, network=network)
        self._network = network
        self._store: Source | None = None
        self._sign: Sign | None = None
        self._why = ""

    @property
    def found(self) -> Target | None:
        """Return the address as it would have been written with its scheme, once it is known."""
        return self._store.target if isinstance(self._store, NetworkSource) else None

    @property
    def origin(self) -> str:
        """Where the credential came from that the store was read with; empty without one."""
        return self._store.origin if self._store is not None else ""

    def ask(self, verdict: Verdict) -> None:
        """Find the kind. Raises ProtocolError where there is none that this version knows."""
        asking = Asking(self)
        found = asking.run()
        if found is None:
            raise ProtocolError(_unknown(asking))
        sign, tls = found
        self._sign = sign
        verdict.product = sign.name
        if not sign.kind:
            raise ProtocolError(f"{sign.known}: no store that this version reads")
        if sign.needs:
            self._why = f"write {sign.needs}{'https' if tls else 'http'}://{self.target.address}"
            verdict.saw("reachable_metadata", sign.known, confidence="probable")
            verdict.note(f"what a stranger may read there was not asked: {self._why}")
            return
        try:
            self._store = self._open(sign.kind, tls)
        except PlainviewError as error:
            self._why = str(error)
            verdict.saw("reachable_metadata", sign.known, confidence="probable")
            verdict.note(f"what a stranger may read there was not asked: {error}")
            return
        self.kind = sign.kind
        verdict.saw("reachable_metadata", sign.known)

    def _open(self, kind: str, tls: bool) -> Source:
        from plainview.stores import open_source

        target = rewritten(self.target, kind, tls=tls)
        # A server chooses the kind by what it says, so only a credential that names this kind and place is for it.
        listed = Credentials(self._credentials.listed, environment={})
        store = open_source(
            target, scope=self.wire.scope, credentials=listed, limits=self.limits, network=self._network
        )
        if isinstance(store, NetworkSource):
            store.wire.adopt(self.wire)
        return store

    def check_access(self) -> Exposure:
        """Ask what a stranger may do: first which store it is, then that store's own question."""
        super().check_access()
        if self._store is not None:
            self._store.check_access()
        return self.exposure()

    def exposure(self) -> Exposure:
        """Return the answer of the store that was found."""
        own = super().exposure()
        if self._store is None or self._sign is None:
            return own
        exposure = self._store.exposure() or own
        if exposure.state == "unreachable":  # it has just answered
            exposure = msgspec.structs.replace(exposure, state="unknown", confidence="inconclusive")
        return msgspec.structs.replace(exposure, evidence=(self._sign.known, *exposure.evidence))

    def units(self, log: ReadLog) -> Iterator[Unit]:
        """List the pieces of the store that was found. Raises a PlainviewError where there is none."""
        self.check_access()
        if self._why:
            raise UnsupportedError(f"which store it is was not settled by its address alone: {self._why}")
        if self._store is None:
            yield from super().units(log)
            return
        try:
            yield from self._store.units(log)
        finally:
            self.read_as = self._store.read_as

    def read(self, unit: Unit, log: ReadLog, sample: int | None = None) -> Iterator[Batch]:
        """Yield the rows of a unit, as the store that was found."""
        if self._store is not None:
            yield from self._store.read(unit, log, sample)

    def close(self) -> None:
        """Close the connections."""
        if self._store is not None:
            self._store.close()


def rewritten(target: Target, kind: str, *, tls: bool) -> Target:
    """Return the address with the scheme of a kind."""
    schemes = {(scheme.kind, scheme.tls): name for name, scheme in reversed(list(catalog.schemes().items()))}
    scheme = schemes.get((kind, tls)) or schemes[kind, False]
    return replace(target, kind=kind, scheme=scheme, tls=tls)


def _unknown(asking: Asking) -> str:
    broken = [f"the signs of {kind} do not load" for kind in table().broken]
    broken += [f"{plugin}: {why}" for plugin, why in catalog.added()[1]]
    left = "".join(f"; {what}" for what in broken)
    if asking.http:
        statuses = " and ".join(f"{status}{' over TLS' * tls}" for tls, status in asking.http.items())
        return f"a web server (GET / answered {statuses}), of no kind of store that this version knows{left}"
    told = "; ".join(f"{count} times: {what}" for what, count in asking.outcomes.items())
    return f"something listens, but it answered in no protocol that this version knows ({told}){left}"


__all__ = ["FingerprintSource", "rewritten"]
