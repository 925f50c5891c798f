"""Answering a password request of PostgreSQL: md5 and SCRAM-SHA-256 (RFC 5802, RFC 7677)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import unicodedata

from plainview.errors import ProtocolError, RefusedError
from plainview.targets.secret import Secret

MOST_ROUNDS = 1_000_000  # a server may ask for any number; 4,096 is usual


def md5(user: str, secret: Secret, salt: bytes) -> bytes:
    """Return the body of the answer to AuthenticationMD5Password."""
    inner = hashlib.md5(secret.reveal().encode() + user.encode(), usedforsecurity=False).hexdigest()
    return b"md5" + hashlib.md5(inner.encode() + salt, usedforsecurity=False).hexdigest().encode() + b"\0"


class Scram:
    """One SCRAM-SHA-256 exchange. The password is used and not kept."""

    def __init__(self, secret: Secret) -> None:
        self._secret = secret
        self._nonce = secrets.token_urlsafe(18)
        self._bare = f"n=,r={self._nonce}"  # the user name is that of the StartupMessage
        self._signature = b""

    def first(self, mechanisms: bytes) -> bytes:
        """Return SASLInitialResponse. Raises RefusedError when the server does not know the mechanism."""
        if b"SCRAM-SHA-256" not in mechanisms.split(b"\0"):
            raise RefusedError("the server wants a way to log in that this version lacks")
        text = f"n,,{self._bare}".encode()
        return b"SCRAM-SHA-256\0" + len(text).to_bytes(4, "big") + text

    def second(self, challenge: bytes) -> bytes:
        """Return SASLResponse to the server's first message."""
        text = challenge.decode("ascii", "replace")
        found = re.fullmatch(r"r=([!-+\--~]+),s=([A-Za-z0-9+/=]+),i=([0-9]{1,7})", text)
        if not found or not found[1].startswith(self._nonce) or not 0 < int(found[3]) <= MOST_ROUNDS:
            raise ProtocolError("a broken SCRAM challenge")
        salt = base64.b64decode(found[2])
        salted = hashlib.pbkdf2_hmac("sha256", self._prepared(), salt, int(found[3]))
        final = f"c=biws,r={found[1]}"
        signed = f"{self._bare},{text},{final}".encode()
        key = _hmac(salted, b"Client Key")
        mask = _hmac(hashlib.sha256(key).digest(), signed)
        proof = base64.b64encode(bytes(a ^ b for a, b in zip(key, mask, strict=True)))
        self._signature = base64.b64encode(_hmac(_hmac(salted, b"Server Key"), signed))
        return final.encode() + b",p=" + proof

    def check(self, final: bytes) -> None:
        """Raise ProtocolError unless the server proved that it knows the password too."""
        if not hmac.compare_digest(final, b"v=" + self._signature):
            raise ProtocolError("the server could not prove that it knows the password")

    def _prepared(self) -> bytes:
        # SASLprep, all of it that changes a password people type: compatibility forms
        return unicodedata.normalize("NFKC", self._secret.reveal()).encode()


def _hmac(key: bytes, data: bytes) -> bytes:
    return hmac.digest(key, data, "sha256")


__all__ = ["Scram", "md5"]
