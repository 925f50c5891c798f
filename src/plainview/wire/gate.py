"""The gate: whether a connection may carry a secret, and the only place where one becomes text.

A store holds its credential as a `Secret` and cannot read it. It opens a connection for the credential
(`wire.connect(credential=…)`, `wire.http(credential=…)`) and has the secret revealed by that connection, which asks
the gate each time. docs/credentials.md says the rules; here they are enforced, for every kind of store alike.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

from plainview.errors import WithheldError
from plainview.wire.listening import is_loopback

if TYPE_CHECKING:
    from plainview.targets.credential import Credential
    from plainview.targets.secret import Secret
    from plainview.wire.traffic import Traffic

UNVERIFIED = "unverified_tls"  # the permission of the scope file that excuses a certificate


class Gate:
    """Guards one credential on the connections to one target."""

    def __init__(self, wire: Traffic, credential: Credential) -> None:
        self._wire, self._credential = wire, credential

    @property
    def verify(self) -> bool:
        """Tell whether the server's certificate has to be valid for its name: unless the scope file excuses it."""
        return not self._wire.permits(UNVERIFIED)

    def admit(self, *, tls: bool) -> None:
        """Raise WithheldError where the credential may not go over a connection in the clear.

        Over TLS it may: the handshake of a connection with a gate has checked the certificate.
        """
        if tls:
            return
        target = self._wire.target
        if target.tls or self._credential.tls:
            who = "its address" if target.tls else self._credential.tls
            raise WithheldError(f"the store speaks no TLS although {who} says so: no credential was sent")
        if target.starttls and not target.plain and not is_loopback(ip_address(self._wire.ip.partition("%")[0])):
            hint = "with ?sslmode=disable in the address it is sent in the clear"
            raise WithheldError("without TLS no credential was sent", hint=hint)

    def reveal(self, secret: Secret, *, tls: bool, only_tls: bool) -> str:
        """Return the text of a secret that is about to be sent. Raises WithheldError.

        `only_tls`: never in the clear, whatever the address allows: what is sent is the secret itself and no proof
        of it, to a server that chose this way.
        """
        self.admit(tls=tls)
        if only_tls and not tls:
            raise WithheldError("the secret itself is asked for in the clear: it was not sent")
        return secret.reveal()


__all__ = ["Gate"]
