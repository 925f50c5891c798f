"""How a credential is put into an HTTP request: Basic for a user and a password, Bearer or ApiKey for a token."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from plainview.errors import RefusedError

if TYPE_CHECKING:
    from plainview.targets.credential import Credential
    from plainview.targets.secret import Secret


class Reveal(Protocol):
    """`Connection.reveal`."""

    def __call__(self, secret: Secret, /, *, only_tls: bool = False) -> str:
        """Return the text of a secret, for this connection. Raises WithheldError."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A request before its credential is put into it. `path` is percent-encoded and has the query."""

    method: str
    path: str
    headers: dict[str, str] = field(repr=False)

    def adding(self, headers: Mapping[str, str]) -> Draft:
        """Return the request with more headers."""
        return replace(self, headers={**self.headers, **headers})


Dress = Callable[[Draft, Reveal], Draft]  # puts a credential into a request
WRITTEN = re.compile(r"(?i)(apikey|basic|bearer) ")


def dressed(credential: Credential | None, *, user: str = "", keys: bool = False) -> Dress | None:
    """Return what adds an `Authorization` header to requests, None without a credential."""
    if credential is None:
        return None
    holder = credential

    def dress(draft: Draft, reveal: Reveal) -> Draft:
        return draft.adding({"Authorization": authorization(holder, reveal, user=user, keys=keys)})

    return dress


def bare(secret: Secret) -> Dress:
    """Return what sends a token alone as the `Authorization` header, without the name of a scheme, as etcd has it."""

    def dress(draft: Draft, reveal: Reveal) -> Draft:
        return draft.adding({"Authorization": printable(reveal(secret))})

    return dress


def authorization(credential: Credential, reveal: Reveal, *, user: str = "", keys: bool = False) -> str:
    """Return an `Authorization` header: Basic, or for a token Bearer. Raises RefusedError.

    A token that names its scheme ("ApiKey …") is sent as it was written. `user` is the name where none was given.
    `keys`: the store hands out API keys (Elasticsearch); a token of their form is sent as one.
    """
    if credential.secret is None:
        raise RefusedError("the credential holds no secret")
    value = reveal(credential.secret)
    if not credential.token:
        return "Basic " + _base64(f"{credential.user or user}:{value}")
    if named := WRITTEN.match(value):
        return named[0] + printable(value[named.end() :])
    if keys and credential.user:  # the two halves of an API key
        return "ApiKey " + _base64(f"{credential.user}:{value}")
    return ("ApiKey " if keys and _is_api_key(value) else "Bearer ") + printable(value)


def printable(text: str) -> str:
    """Return a text that goes into a header or a path as it is. Raises RefusedError for one that cannot."""
    if not re.fullmatch(r"[\x21-\x7e]{1,8192}", text):
        raise RefusedError("the credential holds characters that no header may hold")
    return text


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode("ascii")


def _is_api_key(token: str) -> bool:
    """Tell whether a token is base64 of `id:key`, as Elasticsearch hands out API keys."""
    try:
        plain = base64.b64decode(token, validate=True)
    except ValueError:
        return False
    return re.fullmatch(rb"[A-Za-z0-9_-]{10,64}:[A-Za-z0-9_-]{10,64}", plain) is not None


__all__ = ["Draft", "Dress", "Reveal", "authorization", "bare", "dressed", "printable"]
