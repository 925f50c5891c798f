"""AWS Signature Version 4 for S3, in headers; requests without a body only.

Steps and test vectors: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, unquote

EMPTY = hashlib.sha256(b"").hexdigest()
ALGORITHM = "AWS4-HMAC-SHA256"


@dataclass(frozen=True, slots=True)
class Key:
    """A key of AWS as text, and the region that its signature is for. It lives as long as one request is made."""

    id: str
    secret: str = field(repr=False)
    region: str
    session: str = field(default="", repr=False)


def sign(
    method: str,
    path: str,
    headers: Mapping[str, str],
    key: Key,
    *,
    now: dt.datetime | None = None,
    payload: str = EMPTY,
) -> dict[str, str]:
    """Return the headers that sign a request.

    `path` is the percent-encoded path with its query, as it is sent; `headers` are signed too, and must
    hold `Host` as it is sent. `payload` is the SHA-256 of the body in hexadecimal.
    """
    stamp = (now or dt.datetime.now(dt.UTC)).strftime("%Y%m%dT%H%M%SZ")
    added = {"x-amz-content-sha256": payload, "x-amz-date": stamp}
    if key.session:
        added["x-amz-security-token"] = key.session
    signed = {name.lower(): " ".join(value.split()) for name, value in (dict(headers) | added).items()}
    names = ";".join(sorted(signed))
    place, _, query = path.partition("?")
    lines = [
        method,
        place,
        _canonical(query),
        *(f"{name}:{signed[name]}" for name in sorted(signed)),
        "",
        names,
        payload,
    ]
    scope = f"{stamp[:8]}/{key.region}/s3/aws4_request"
    text = "\n".join([ALGORITHM, stamp, scope, hashlib.sha256("\n".join(lines).encode()).hexdigest()])
    derived = ("AWS4" + key.secret).encode()
    for part in scope.split("/"):
        derived = hmac.digest(derived, part.encode(), "sha256")
    signature = hmac.digest(derived, text.encode(), "sha256").hex()
    credential = f"Credential={key.id}/{scope},SignedHeaders={names},Signature={signature}"
    return added | {"Authorization": f"{ALGORITHM} {credential}"}


def _canonical(query: str) -> str:
    """Return a query with its parameters encoded and sorted as the signature wants them."""
    pairs = [part.partition("=") for part in query.split("&") if part]
    return "&".join(sorted(f"{_encoded(name)}={_encoded(value)}" for name, _, value in pairs))


def _encoded(text: str) -> str:
    return quote(unquote(text, errors="surrogateescape").encode("utf-8", "surrogateescape"), safe="")


__all__ = ["Key", "sign"]
