"""One credential of the user's: what may be sent, and where it came from."""

from __future__ import annotations

from dataclasses import dataclass, field

from plainview.targets.secret import Secret


@dataclass(frozen=True, slots=True)
class Credential:
    """A user name, a secret, or both. `token` for one that is sent alone (API key, bearer, SAS).

    `origin` says in words where it came from, for the report; `tls` who says that it is for TLS alone, if anybody does.
    """

    user: str | None = field(default=None, repr=False)
    secret: Secret | None = field(default=None, repr=False)
    token: bool = False
    origin: str = ""
    session: Secret | None = field(default=None, repr=False)  # AWS session token
    tls: str = ""


__all__ = ["Credential"]
