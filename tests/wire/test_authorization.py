"""One way to put a credential into an HTTP header, for all kinds of store."""

from __future__ import annotations

import pytest

from plainview.errors import RefusedError
from plainview.targets.credential import Credential
from plainview.targets.secret import Secret
from plainview.wire.authorization import Draft, authorization, bare, dressed

SECRET = "canary-S3cret.7f3a"


def reveal(secret: Secret, /, *, only_tls: bool = False) -> str:
    return secret.reveal()


@pytest.mark.parametrize(
    ("user", "value", "token", "header"),
    [
        ("elastic", "a:b", False, "Basic ZWxhc3RpYzphOmI="),
        ("Zo\u00eb", "\u20ac", False, "Basic Wm/Dqzrigqw="),
        (None, "b", False, "Basic bmFtZTpi"),
        (
            None,
            "VnVhQ2ZHY0JDZGJrUW0tZTVhT3g6dWkybHAyYXhUTm1zeWFrdzl0dk5udw==",
            True,
            "ApiKey VnVhQ2ZHY0JDZGJrUW0tZTVhT3g6dWkybHAyYXhUTm1zeWFrdzl0dk5udw==",
        ),
        ("VuaCfGcBCdbkQm", "ui2lp2axTNms", True, "ApiKey VnVhQ2ZHY0JDZGJrUW06dWkybHAyYXhUTm1z"),
        (None, "eyJhbGciOiJIUzI1NiJ9.e30.x", True, "Bearer eyJhbGciOiJIUzI1NiJ9.e30.x"),
        (None, "ApiKey abc", True, "ApiKey abc"),
        (None, "bearer abc", True, "bearer abc"),
    ],
)
def test_the_header_of_a_credential(user: str | None, value: str, token: bool, header: str) -> None:
    credential = Credential(user, Secret(value), token=token)
    assert authorization(credential, reveal, user="name", keys=True) == header
    if header.startswith("ApiKey") and not value.startswith("ApiKey"):
        assert authorization(credential, reveal) == f"Bearer {value}"  # a store without API keys


def test_a_request_is_dressed() -> None:
    draft = Draft("GET", "/x", {"Host": "h"})
    dress = dressed(Credential("a", Secret("b")))
    assert dress is not None
    assert dress(draft, reveal) == Draft("GET", "/x", {"Host": "h", "Authorization": "Basic YTpi"})
    assert bare(Secret("t.1"))(draft, reveal).headers["Authorization"] == "t.1"
    assert dressed(None) is None
    assert "b" not in repr(draft)


@pytest.mark.parametrize("value", [f"{SECRET}\r\nEvil: 1", f"{SECRET} x", f"Bearer {SECRET}\u20ac", "", f"\0{SECRET}"])
def test_a_token_that_would_break_the_header_is_refused(value: str) -> None:
    credential = Credential(None, Secret(value), token=True)
    for make in (
        lambda: authorization(credential, reveal, keys=True),
        lambda: bare(Secret(value))(Draft("", "", {}), reveal),
    ):
        if value.startswith("Bearer") or value:
            with pytest.raises(RefusedError) as caught:
                make()
            assert SECRET not in f"{caught.value!r} {caught.value}"


def test_a_credential_without_a_secret_is_refused() -> None:
    with pytest.raises(RefusedError, match="no secret"):
        authorization(Credential("a"), reveal)
