"""The checks for people outside: they pass what is right, name what is wrong, and hold for the stores of the package."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from hostile.farm import Farm
from hostile.run import QUICK, Talk, address
from hostile.stores import CANARY, STORES
from plainview.detectors import DATA
from plainview.errors import DamagedError
from plainview.report.model import Exposure
from plainview.tables import Batch, ReadLog, Table, Unit
from plainview.testing import FakeSource, check_detector, check_source, open_source

ROWS = pl.DataFrame({"email": [f"{n}.{CANARY}" for n in range(20)]})


def test_a_detector_file() -> None:
    assert check_detector(DATA / "email_address.toml") == []
    assert check_detector(str(DATA / "payment_card.toml")) == []


def test_a_wrong_detector_file(tmp_path: Path) -> None:
    text = (DATA / "email_address.toml").read_text()
    (tmp_path / "x.toml").write_text(text.replace("non_matches = [", 'non_matches = ["anna@example.org", ', 1))
    assert check_detector(tmp_path / "x.toml") == ["must not match: 'anna@example.org'"]
    assert "x.toml" in check_detector(tmp_path / "none" / "x.toml")[0]


def test_a_source_in_memory() -> None:
    source = FakeSource({"people": [ROWS, ROWS], "empty": pl.DataFrame({"a": []})})
    assert check_source(source, canary=CANARY, sample=3) == []
    assert "the canary was not read" in check_source(FakeSource({"t": pl.DataFrame({"a": [1]})}), canary=CANARY)


@pytest.mark.parametrize("kind", sorted(STORES))
def test_the_stores_of_the_package_keep_the_promises(kind: str) -> None:
    with Farm() as farm:
        port, close = farm.serve(Talk(STORES[kind]))
        try:
            source = open_source(address(kind, port), network=replace(QUICK, service=30.0, probe=10.0, first_byte=5.0))
            assert (
                check_source(source, canary=CANARY, sample=1000) == []
            )  # these give all rows, however few are asked for
        finally:
            close()


class Asks(FakeSource):
    """Asks each time."""

    count = 0

    def check_access(self) -> Exposure:
        self.count += 1
        return Exposure(state="reads", evidence=(f"question {self.count}",), footprint=())


class Draws(FakeSource):
    """Gives too few rows and does not say so, or too many."""

    def read(self, unit: Unit, log: ReadLog, sample: int | None = None) -> Iterator[Batch]:
        log.listed()
        yield Batch(Table(unit.name, "x"), ROWS if sample is None else ROWS.head(sample + self.more))

    more = 0


class DrawsMore(Draws):
    more = 1


class Quotes(FakeSource):
    """Quotes a value in a note."""

    def read(self, unit: Unit, log: ReadLog, sample: int | None = None) -> Iterator[Batch]:
        log.listed()
        yield Batch(Table(unit.name, "x", (f"begins with 0.{CANARY}",)), ROWS.head(1))


class Fails(FakeSource):
    """Ends with an error of ours, or of a library."""

    error: Exception = DamagedError("cut short")

    def read(self, unit: Unit, log: ReadLog, sample: int | None = None) -> Iterator[Batch]:
        yield Batch(Table(unit.name, "x"), ROWS.head(1))
        raise self.error


class FailsOddly(Fails):
    error = ValueError(CANARY)


@pytest.mark.parametrize(
    ("make", "promise"),
    [
        (Asks, "check_access asks again"),
        (Draws, "a table of which rows were left out is marked"),
        (DrawsMore, "a sample has at most as many rows"),
        (Quotes, "a text quotes a value"),
        (Fails, "reading ended with DamagedError: cut short"),
        (Fails, "log.listed"),
        (FailsOddly, "reading ended with ValueError: errors are raised as those of plainview"),
        (lambda tables: FakeSource({}), "units and read gave no table"),
        (lambda tables: FakeSource(tables, kind=""), "a source has a kind"),
        (lambda tables: FakeSource(tables, read_as="nobody"), "read_as is one of three words"),
        (lambda tables: FakeSource(tables, answer=Exposure(state="reads")), "a verdict has evidence"),
    ],
)
def test_broken_promises_are_named(make: Any, promise: str) -> None:
    found = check_source(make({"people": ROWS}), canary=CANARY)
    assert [text for text in found if promise in text], found
    assert CANARY not in str(found)
