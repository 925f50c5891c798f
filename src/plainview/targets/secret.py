"""A secret that cannot be printed by accident: every way of turning it into text gives `***`."""

from __future__ import annotations

import hmac
from typing import Never


class Secret:
    """Holds one password, token or key. Only `reveal` gives it, at the place where it is sent."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the secret itself. Never store, log or format what this returns."""
        return self._value

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __format__(self, _spec: str) -> str:
        return "***"

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        # The same for all secrets: a hash of the value would be a fingerprint of it.
        return hash(Secret)

    def __reduce__(self) -> Never:
        raise TypeError("a secret is never pickled")
