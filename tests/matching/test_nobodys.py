"""What standards keep for examples, and mailboxes of a role, are found and told apart; their number is never too large."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conftest import Ran
from plainview.detectors import load_detectors
from plainview.detectors.fieldnames import NameIndex
from plainview.detectors.reserved import pattern_of, reserved
from plainview.matching.batches import profile
from plainview.matching.compiled import Matcher
from plainview.report.model import Column, Report, TableReport, TargetReport
from plainview.report.render import REPORTS, render

MATCHER = Matcher(load_detectors())
NAMES = NameIndex(load_detectors())


def found(category: str, kind: str, value: str) -> bool:
    return bool(pl.Series([value]).str.contains(pattern_of(kind, category))[0])


@pytest.mark.parametrize(
    ("category", "values"),
    [
        ("email_address", ["a@example.org", "A.B@Mail.Example.COM", "x@shop.test", "root@localhost", "x@a.invalid"]),
        ("ip_address", ["192.0.2.7", "198.51.100.255", "203.0.113.0", "2001:db8::1", "127.0.0.1", "10.1.2.3", "192.168.0.1",
                        "172.16.0.1", "172.31.255.1", "169.254.1.1", "::1", "fe80::1", "fd00:1::2"]),
        ("payment_card", ["4242424242424242", "4111 1111 1111 1111", "5555-5555-5555-4444", "378282246310005"]),
        ("bank_account", ["DE89370400440532013000", "gb82 west 1234 5698 7654 32"]),
        ("telephone_number", ["+1 202-555-0143", "(202) 555-0143", "2025550143", "020 7946 0958", "+44 7700 900123",
                              "+49 30 23125 123", "0491 570 006", "01 99 00 12 34", "+442079460123"]),
        ("national_id", ["078-05-1120", "987-65-4321", "219099999"]),
    ],
)  # fmt: skip
def test_what_is_kept_for_examples(category: str, values: list[str]) -> None:
    assert [value for value in values if not found(category, "reserved", value)] == []


@pytest.mark.parametrize(
    ("category", "values"),
    [
        ("email_address", ["a@example.de", "a@myexample.com", "a@example.com.evil.de", "test@firma.de", "a@contest.org"]),
        ("ip_address", ["192.0.3.7", "11.0.0.1", "172.32.0.1", "8.8.8.8", "2001:db9::1", "1127.0.0.1", "110.1.2.3"]),
        ("payment_card", ["4242424242424241", "14242424242424242", "4012888888881882"]),
        ("bank_account", ["DE89370400440532013001", "DE02120300000000202051"]),
        ("telephone_number", ["+1 202-555-0243", "+1 202-556-0143", "020 7946 1958", "+49 30 23126 123", "+12025550143999"]),
        ("national_id", ["078-05-1121", "987-65-4330"]),
    ],
)  # fmt: skip
def test_what_is_somebodys(category: str, values: list[str]) -> None:
    assert [value for value in values if found(category, "reserved", value)] == []


def test_mailboxes_of_a_role() -> None:
    roles = ["info@firma.de", "NoReply@x.org", "no-reply@x.org", "support+42@x.org", "mailer-daemon@x.org"]
    people = ["anna@firma.de", "infos@firma.de", "anna.info@firma.de", "hrabal@firma.de", "info"]
    assert [found("email_address", "role", value) for value in (*roles, *people)] == [True] * 5 + [False] * 5


def test_every_set_names_its_source() -> None:
    assert all(one.why and one.pattern for sets in reserved("reserved").values() for one in sets)
    assert reserved("reserved").keys() == {
        "email_address", "ip_address", "payment_card", "bank_account", "telephone_number", "national_id",
    }  # fmt: skip


PEOPLE = [f"p{at}.q@firma-{at % 7}.de" for at in range(400)]
EXAMPLES = [f"u{at}@example.org" for at in range(400)]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 300), st.integers(0, 300), st.booleans(), st.randoms(use_true_random=False))
def test_the_number_is_never_too_large(people: int, examples: int, text: bool, chance: random.Random) -> None:
    """However the rows are cut and mixed, in whole cells and inside texts."""
    values = PEOPLE[:people] + EXAMPLES[:examples]
    chance.shuffle(values)
    if text:
        values = [f"mail of {value} to x@example.com and y@shop.test, twice" for value in values]
    cut = chance.randint(0, len(values))
    frames = [pl.DataFrame({"email": part}, schema={"email": pl.String}) for part in (values[:cut], values[cut:])]
    counts = profile(frames, MATCHER, NAMES).columns["email"].counts
    told = counts["r:email_address"].valid if "r:email_address" in counts else 0
    assert told <= examples
    if cut in (0, len(values)) and examples and len(values) <= 128:
        assert told == examples


@pytest.mark.parametrize("rows", [100, 5000])
def test_whole_columns_are_exact(rows: int) -> None:
    frame = pl.DataFrame({"ip": [f"192.0.2.{at % 250}" for at in range(rows)]})
    counts = profile([frame], MATCHER, NAMES).columns["ip"].counts
    assert counts["r:ip_address"].valid == counts["d:ip_address"].valid == rows


def write(path: Path, addresses: list[str]) -> Path:
    path.write_text("id,email\n" + "".join(f"{at},{address}\n" for at, address in enumerate(addresses)))
    return path


def test_a_pipeline_can_let_examples_pass(plainview: Callable[..., Ran], tmp_path: Path) -> None:
    only, mixed = write(tmp_path / "only.csv", EXAMPLES), write(tmp_path / "mixed.csv", [*EXAMPLES, PEOPLE[0]])
    assert plainview("scan", str(only)).status == 1
    ran = plainview("scan", str(only), "--allow-reserved", "-f", "json")
    assert ran.status == 0
    report = json.loads(ran.out)
    assert report["allowed"] == ["reserved"]
    (column,) = report["targets"][0]["tables"][0]["columns"]
    assert column["reserved"] == column["matched"] == 400
    assert plainview("scan", str(mixed), "--allow-reserved").status == 1
    assert plainview("scan", str(tmp_path / "none"), str(only), "--allow-reserved").status == 2
    assert "ONLY EXAMPLES FOUND" in plainview("scan", str(only)).out


def test_roles_are_no_people(plainview: Callable[..., Ran], tmp_path: Path) -> None:
    path = write(tmp_path / "mail.csv", [*PEOPLE[:40], *(f"info@firma{at}.de" for at in range(20))])
    report = json.loads(plainview("scan", str(path), "-f", "json").out)
    table = report["targets"][0]["tables"][0]
    assert table["columns"][0]["roles"] == 20
    assert (table["people"]["low"], table["people"]["high"]) == (40, 40)
    assert any("mailboxes of a role" in reason for reason in table["people"]["reasons"])


def test_every_report_says_it() -> None:
    column = Column(
        path="email", category="email_address", concept="", special=False, confidence=0.99, matched=30, checked=30,
        reserved=20, roles=10,
    )  # fmt: skip
    table = TableReport(name="t", kind="csv", rows=30, rows_read=30, columns=(column,), columns_total=1)
    report = Report(targets=(TargetReport(target="file:t", kind="csv", tables=(table,)),))
    for kind in ("text", "html"):
        shown = " ".join(render(report, kind).split())
        assert "20 kept for examples" in shown
        assert "10 of a role" in shown
    assert '"reserved": 20' in render(report, "json")
    assert set(REPORTS) >= {"text", "html", "json"}


def test_texts_that_only_the_watch_meets() -> None:
    """Lines that begin with a moment are not searched in the sketch."""
    lines = [f"2025-03-01T09:00:{at % 60:02}Z GET /item/{at} from 203.0.113.{at % 250}" for at in range(300)]
    counts = profile([pl.DataFrame({"text": lines})], MATCHER, NAMES).columns["text"].counts
    assert counts["r:ip_address"].valid == counts["t:ip_address"].valid == 300
