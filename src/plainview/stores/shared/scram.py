"""SCRAM-SHA-256 and SCRAM-SHA-1, the client's side, as MongoDB uses them.

Sources: RFC 5802, RFC 7677, and the authentication specification of mongodb/specifications.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets

from plainview.errors import ProtocolError, RefusedError


class Scram:
    """The client's side of SCRAM (RFC 5802) as MongoDB uses it; the server has to prove itself too."""

    def __init__(self, user: str, secret: str, *, sha256: bool, nonce: str = "") -> None:
        from pymongo.saslprep import saslprep

        self._hash = "sha256" if sha256 else "sha1"
        if sha256:
            self._secret = str(saslprep(secret)).encode()
        else:
            digest = hashlib.md5(f"{user}:mongo:{secret}".encode(), usedforsecurity=False)
            self._secret = digest.hexdigest().encode()
        nonce = nonce or base64.b64encode(secrets.token_bytes(24)).decode()
        self._bare = f"n={user.replace('=', '=3D').replace(',', '=2C')},r={nonce}".encode()
        self._nonce = nonce.encode()
        self._server = b""

    def first(self) -> bytes:
        """Return the first message."""
        return b"n,," + self._bare

    def final(self, challenge: bytes) -> bytes:
        """Return the second message, which proves the password without holding it. Raises ProtocolError."""
        found = re.fullmatch(rb"r=([!-+\--~]+),s=([A-Za-z0-9+/=]+),i=([0-9]{4,7})(,.*)?", challenge)
        if not found or not found[1].startswith(self._nonce) or not 4096 <= int(found[3]) <= 2_000_000:
            raise ProtocolError("the login was answered with something else than SCRAM")
        try:
            salt = base64.b64decode(found[2], validate=True)
        except ValueError:
            salt = b""
        salted = hashlib.pbkdf2_hmac(self._hash, self._secret, salt, int(found[3]))
        client = self._mac(salted, b"Client Key")
        bare = b"c=biws,r=" + found[1]
        message = b",".join((self._bare, challenge, bare))
        signature = self._mac(hashlib.new(self._hash, client).digest(), message)
        self._server = base64.b64encode(self._mac(self._mac(salted, b"Server Key"), message))
        proof = bytes(a ^ b for a, b in zip(client, signature, strict=True))
        return bare + b",p=" + base64.b64encode(proof)

    def verify(self, answer: bytes) -> None:
        """Check that the server knows the password too. Raises RefusedError."""
        if not hmac.compare_digest(answer, b"v=" + self._server):
            raise RefusedError("the server could not prove that it knows the account")

    def _mac(self, key: bytes, data: bytes) -> bytes:
        return hmac.new(key, data, self._hash).digest()


__all__ = ["Scram"]
