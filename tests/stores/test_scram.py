"""SCRAM, the one login of PostgreSQL and MongoDB: published examples, weak servers, and how passwords are prepared."""

from __future__ import annotations

import pytest

from plainview.errors import ProtocolError, RefusedError
from plainview.stores.shared.scram import Scram, mongodb_sha1, prepared

SALT = b"s=W22ZaJ0SNY7soEsUEjb6gQ=="


def test_scram_sha_256_as_in_rfc_7677() -> None:
    scram = Scram(b"pencil", user="user", nonce="rOprNGfwEbeRWgbNEkqO")
    assert scram.first() == b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
    challenge = b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0," + SALT + b",i=4096"
    assert scram.final(challenge) == (
        b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
    )
    scram.verify(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")
    with pytest.raises(RefusedError, match="could not prove"):
        scram.verify(b"v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")


def test_scram_sha_1_as_in_the_drivers_specification() -> None:
    key = mongodb_sha1("user", "pencil")
    scram = Scram(key, user="user", digest="sha1", nonce="fyko+d2lbbFgONRv9qkxdawL")
    challenge = b"r=fyko+d2lbbFgONRv9qkxdawLHo+Vgk7qvUOKUwuWLIWg4l/9SraGMHEE,s=rQ9ZY3MntBeuP3E1TDVC4w==,i=10000"
    assert scram.final(challenge).endswith(b",p=MC2T8BvbmWRckDw8oWl5IVghwCY=")
    scram.verify(b"v=UMWeI25JD1yNYZRMpZ4VHvhZ9e0=")


@pytest.mark.parametrize(
    ("challenge", "problem"),
    [
        (b"r=other," + SALT + b",i=4096", "something else than SCRAM"),
        (b"r=nonceX," + SALT + b",i=1", "rounds"),
        (b"r=nonceX," + SALT + b",i=4095", "rounds"),
        (b"r=nonceX," + SALT + b",i=9999999", "rounds"),
        (b"", "something else than SCRAM"),
    ],
)
def test_a_weak_or_foreign_challenge_gets_no_proof(challenge: bytes, problem: str) -> None:
    with pytest.raises(ProtocolError, match=problem):
        Scram(b"pencil", user="user", nonce="nonce").final(challenge)


def test_nothing_is_proved_by_a_server_that_was_not_asked() -> None:
    with pytest.raises(RefusedError, match="could not prove"):
        Scram(b"pencil").verify(b"v=")


@pytest.mark.parametrize(
    ("password", "wanted"),
    [
        ("pencil", "pencil"),
        ("I\u00adX", "IX"),  # the examples of RFC 4013: mapped to nothing,
        ("\u00aa", "a"),  # and the compatibility forms
        ("\u2168", "IX"),
        ("a\u00a0b\u3000c", "a b c"),  # spaces of other kinds
        ("stra\u00dfe", "stra\u00dfe"),
        ("\u0627\u0031\u0628", "\u0627\u0031\u0628"),  # from right to left, first and last
    ],
)
def test_a_password_is_prepared_as_rfc_4013_says(password: str, wanted: str) -> None:
    assert prepared(password) == prepared(password, lax=True) == wanted.encode()


@pytest.mark.parametrize("password", ["a\tb", "\u00ad", "\u0627\u0031", "tick\u2603\ue000", "\U0001fa77"])
def test_what_rfc_4013_forbids_is_refused_or_taken_as_it_is(password: str) -> None:
    assert prepared(password, lax=True) == password.encode()
    with pytest.raises(RefusedError, match="SASLprep") as caught:
        prepared(password)
    assert password not in str(caught.value)
