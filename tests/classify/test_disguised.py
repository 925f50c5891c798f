"""Hashes and masked values are said as what they are: under a name that says whose they are, and nothing else."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import polars as pl
import pytest

from plainview.pipeline.engine import Engine
from plainview.report.model import Column
from plainview.tables import ReadLog

ENGINE = Engine()


def found(name: str, values: list[str]) -> list[Column]:
    profiler = ENGINE.profiler("t.csv", ReadLog())
    profiler.add(pl.DataFrame({"id": list(range(len(values))), name: values}))
    profiler.finish()
    return [column for column in ENGINE.judge("t.csv", profiler.total) if column.path == name]


def hashes(make: Callable[..., object]) -> list[str]:
    return [make(f"user{at}@firma-a.de".encode()).hexdigest() for at in range(60)]  # type: ignore[attr-defined]


@pytest.mark.parametrize("make", [hashlib.md5, hashlib.sha1, hashlib.sha224, hashlib.sha256, hashlib.sha512])
@pytest.mark.parametrize(
    ("name", "category"),
    [
        ("email_md5", "email_address"), ("hashed_email", "email_address"), ("EmailSha256", "email_address"),
        ("phone_hash", "telephone_number"), ("telefon_gehasht", "telephone_number"), ("email", "email_address"),
    ],
)  # fmt: skip
def test_hashes(name: str, category: str, make: Callable[..., object]) -> None:
    (column,) = found(name, hashes(make))
    assert (column.category, column.form, column.matched) == (category, "pseudonymised", 60)
    assert any("not anonymous" in text for text in column.evidence)


@pytest.mark.parametrize(
    "name", ["checksum", "file_hash", "sha256", "commit", "etag", "image_digest", "email_template_hash"]
)
def test_hashes_of_nobody(name: str) -> None:
    assert found(name, hashes(hashlib.sha256)) == []


@pytest.mark.parametrize(
    ("name", "category", "values"),
    [
        ("email", "email_address", [f"j***{at}@g***.com" for at in range(60)]),
        ("customer_email", "email_address", [f"a*****{at}@gmail.com" for at in range(60)]),
        ("phone", "telephone_number", [f"+49 *** ***{at:02}" for at in range(60)]),
        ("card_number", "payment_card", [f"**** **** **** {at:04}" for at in range(60)]),
        ("iban", "bank_account", [f"DE**************{at:04}" for at in range(60)]),
        ("ssn", "national_id", [f"***-**-{at:04}" for at in range(60)]),
    ],
)
def test_masked(name: str, category: str, values: list[str]) -> None:
    columns = found(name, values)
    assert [(column.category, column.form) for column in columns] == [(category, "masked")]


def test_what_is_in_clear_has_no_form() -> None:
    (column,) = found("email", [f"user{at}@firma-a.de" for at in range(60)])
    assert column.form == ""
    assert found("note", [f"**bold** text {at}" for at in range(60)]) == []
