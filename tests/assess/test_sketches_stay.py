"""The keyed hashes of people, and the key, stand in no output: whatever the format, and in whichever spelling."""

from __future__ import annotations

import base64
from pathlib import Path

import polars as pl
import pytest

from conftest import CANARIES
from plainview.assess.totals import Total
from plainview.distinct import Key
from plainview.matching.normal import hashed, normal
from plainview.pipeline.options import Options
from plainview.pipeline.scanner import Scanner
from plainview.report.model import Report
from plainview.report.render import REPORTS, render
from plainview.stores import open_source
from plainview.targets.parsing import file_target
from plainview.version import __version__

SECRET = bytes(range(32))


def spellings(number: int) -> set[str]:
    found = {str(number), f"{number:x}", f"{number:X}"}
    for order in ("little", "big"):
        raw = number.to_bytes(8, order)
        found |= {raw.hex(), base64.b64encode(raw).decode().rstrip("="), raw.decode("latin-1")}
    return found


@pytest.fixture
def table(tmp_path: Path) -> Path:
    rows = [f"{CANARIES[0]},{CANARIES[2]},{CANARIES[3]}"] + [f"a.b{n}@firma.de,+49170{n:07},{n}" for n in range(40)]
    path = tmp_path / "people.csv"
    path.write_text("email,phone,iban\n" + "\n".join(rows) + "\n")
    return path


def test_no_hash_stands_in_a_report(table: Path, capfd: pytest.CaptureFixture[str]) -> None:
    key, total = Key(SECRET), Total()
    scanner = Scanner(Options(threads=1), key=key, total=total)
    target = scanner.scan_source(open_source(file_target(str(table))), str(table))
    report = Report(targets=(target,), people=total.people())
    kept = {number for alike in total.alike.values() for sketch in alike.kinds.values() for number in sketch}
    planted = {
        int(hashed(normal(pl.Series([value]), form, region), key.seed(form))[0])
        for value, form, region in ((CANARIES[0], "email", ""), (CANARIES[2], "phone", "49"))
    }
    assert planted <= kept, "the test knows what is kept"
    texts = [render(report, name) for name in REPORTS] + [render(report, "text", verbose=True)]
    texts += [repr(key), *capfd.readouterr()]
    everything = "\n".join(texts)
    for number in kept:
        assert not any(text in everything for text in spellings(number))
    assert not any(secret in everything for secret in (SECRET.hex(), base64.b64encode(SECRET).decode(), str(SECRET)))


@pytest.mark.workers
def test_workers_count_the_same_people(plainview, table: Path) -> None:  # type: ignore[no-untyped-def]
    (table.parent / "again.csv").write_text(table.read_text() + "\n")  # a file of the same bytes is counted once
    ran = plainview("scan", table.parent)
    assert ran.out.count("People: 40 people") == 2  # the canary's address is reserved
    assert "Whom it concerns: 40 people" in ran.out
    assert __version__ in ran.out
