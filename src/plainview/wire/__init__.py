"""The one door to the network: the only room that opens a socket to a store.

A `Wire` belongs to one target and connects to that host and port only: the name is resolved once, each
of its addresses is checked against the scope, and the one that answered is used from then on. What a
server says about going elsewhere is recorded with `points_elsewhere` and never followed. Every request
is an *exchange*: it names a probe of a `store.toml`, obeys the limits of that probe's stage, and leaves
a line in the transcript (template, status, counts: no bodies), which becomes `Exposure.footprint`.

Two ways to speak, both with the checks, counts and limits of `traffic` in them:

* `wire.connect()`: a `Connection`, for protocols of our own;
* `wire.http()`: a small HTTP/1.1 client.

Both take the credential that they are opened for. No other connection can carry one: see `gate`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from plainview.wire.limits import Exchange, WireLimits
from plainview.wire.traffic import Traffic

__all__ = ["Exchange", "Wire", "WireLimits"]

if TYPE_CHECKING:
    from plainview.targets.credential import Credential
    from plainview.wire.authorization import Dress
    from plainview.wire.http import Http
    from plainview.wire.stream import Connection


class Wire(Traffic):
    """All traffic with one target, and the ways to speak with it. A `Connection` or `Http` belongs to one thread."""

    def connect(self, *, tls: bool | None = None, credential: Credential | None = None) -> Connection:
        """Open a connection, with TLS as the target's address says unless told otherwise.

        Without a credential any certificate is accepted (the stranger sends no secret), and its facts are recorded.
        With one, the gate decides: raises WithheldError where the connection is not what was promised.
        """
        from plainview.wire.stream import connect

        return connect(self, tls=self.target.tls if tls is None else tls, credential=credential)

    def http(
        self, *, tls: bool | None = None, credential: Credential | None = None, dress: Dress | None = None
    ) -> Http:
        """Return an HTTP client for the target. It connects at its first request and keeps alive.

        `dress` puts the credential into each request (`wire.authorization`). Raises WithheldError, as `connect`.
        """
        from plainview.wire.http import Http

        return Http(self, self.target.tls if tls is None else tls, credential, dress)
