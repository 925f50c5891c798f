"""SCRAM-SHA-256 and SCRAM-SHA-1, the client's side, as PostgreSQL and MongoDB use them.

Sources: RFC 5802, RFC 7677, RFC 4013 (SASLprep), the documents of PostgreSQL's protocol, and the authentication
specification of mongodb/specifications.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets

from plainview.errors import ProtocolError, RefusedError

# Rounds that a server may ask for: RFC 7677 wants 4,096 at least, since with few of them a server that is not the
# right one could try out passwords; a million costs a second.
FEWEST, MOST = 4096, 2_000_000


class Scram:
    """One exchange: `first`, `final`, `verify`. `key` is the password as `prepared` or `mongodb_sha1` give it.

    `user` is empty where the protocol names it elsewhere. The server has to prove that it knows the account, too.
    """

    def __init__(self, key: bytes, *, user: str = "", digest: str = "sha256", nonce: str = "") -> None:
        self._key, self._digest = key, digest
        nonce = nonce or base64.b64encode(secrets.token_bytes(24)).decode()
        self._bare = f"n={user.replace('=', '=3D').replace(',', '=2C')},r={nonce}".encode()
        self._nonce = nonce.encode()
        self._server = b""

    def first(self) -> bytes:
        """Return the first message."""
        return b"n,," + self._bare

    def final(self, challenge: bytes) -> bytes:
        """Return the second message, which proves the password without holding it. Raises ProtocolError."""
        found = re.fullmatch(rb"r=([!-+\--~]+),s=([A-Za-z0-9+/=]+),i=([0-9]{1,7})(,.*)?", challenge)
        if not found or not found[1].startswith(self._nonce):
            raise ProtocolError("the login was answered with something else than SCRAM")
        rounds = int(found[3])
        if not FEWEST <= rounds <= MOST:
            raise ProtocolError(f"the server asks for less than {FEWEST:,} or more than {MOST:,} rounds of SCRAM")
        try:
            salt = base64.b64decode(found[2], validate=True)
        except ValueError:
            salt = b""
        salted = hashlib.pbkdf2_hmac(self._digest, self._key, salt, rounds)
        client = self._mac(salted, b"Client Key")
        bare = b"c=biws,r=" + found[1]
        message = b",".join((self._bare, challenge, bare))
        signature = self._mac(hashlib.new(self._digest, client).digest(), message)
        self._server = base64.b64encode(self._mac(self._mac(salted, b"Server Key"), message))
        proof = bytes(a ^ b for a, b in zip(client, signature, strict=True))
        return bare + b",p=" + base64.b64encode(proof)

    def verify(self, answer: bytes) -> None:
        """Check that the server knows the password too. Raises RefusedError."""
        if not self._server or not hmac.compare_digest(answer, b"v=" + self._server):
            raise RefusedError("the server could not prove that it knows the account")

    def _mac(self, key: bytes, data: bytes) -> bytes:
        return hmac.new(key, data, self._digest).digest()


def prepared(password: str, *, lax: bool = False) -> bytes:
    """Return a password by SASLprep. Raises RefusedError for characters that it forbids.

    `lax`: such a password is taken as it is, and so is one of ASCII alone, as PostgreSQL does.
    """
    from pymongo.saslprep import saslprep

    if lax and password.isascii():
        return password.encode()
    try:
        return str(saslprep(password)).encode()
    except (ValueError, IndexError):  # the latter where nothing is left of it
        if lax:
            return password.encode()
    raise RefusedError("the password holds characters that SASLprep forbids")


def mongodb_sha1(user: str, password: str) -> bytes:
    """Return what MongoDB takes for the password with SCRAM-SHA-1."""
    return hashlib.md5(f"{user}:mongo:{password}".encode(), usedforsecurity=False).hexdigest().encode()


__all__ = ["Scram", "mongodb_sha1", "prepared"]
