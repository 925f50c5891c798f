from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import time
from pathlib import Path

import jsonschema
import msgspec
import pytest
from rich.cells import cell_len

from plainview import reports
from plainview.errors import UsageError
from plainview.report import Exposure, Report, TargetReport
from plainview.reports import json_
from sample_report import HOSTILE, closed_database, folder, many_tables, open_search, sample

ROOT = Path(__file__).parent.parent


def flat(text: str) -> str:
    """Undo the folding of lines."""
    return " ".join(text.split())


# -- all formats ------------------------------------------------------------------------------------------


def test_an_unknown_format_is_wrong_use() -> None:
    with pytest.raises(UsageError, match="text, json, html"):
        reports.render(sample(), "pdf")


def test_reports_need_no_frames_and_no_driver() -> None:
    code = (
        "import sys; from plainview import reports\n"
        "assert not {'rich', 'jinja2'} & set(sys.modules), 'start-up pays for unused formats'\n"
        "from plainview.report import Report\n"
        "for name in reports.REPORTS: reports.render(Report(), name)\n"
        "print([name for name in ('polars', 'numpy', 'pymongo', 'duckdb', 'pyarrow') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# -- JSON -------------------------------------------------------------------------------------------------


def test_json_follows_the_published_schema() -> None:
    published = json_.schema()
    jsonschema.Draft202012Validator.check_schema(published)
    validator = jsonschema.Draft202012Validator(published)
    for report in (sample(), Report(), many_tables(3)):
        validator.validate(json.loads(reports.render(report, "json")))


@pytest.mark.parametrize(
    "path",
    [
        ("targets", 0, "tables", 0, "name"),
        ("targets", 0, "coverage"),
        ("schema",),
        ("targets", 0, "exposure", "state"),
    ],
)
def test_the_schema_refuses_what_is_no_report(path: tuple[str | int, ...]) -> None:
    made = json.loads(reports.render(Report(targets=(open_search(),)), "json"))
    inside = made
    for step in path[:-1]:
        inside = inside[step]
    inside[path[-1]] = ["wrong"]
    assert not jsonschema.Draft202012Validator(json_.schema()).is_valid(made)


def test_schema_is_up_to_date() -> None:
    spec = importlib.util.spec_from_file_location("make_schema", ROOT / "tools" / "make_schema.py")
    assert spec is not None
    assert spec.loader is not None
    make_schema = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make_schema)
    assert make_schema.PATH.read_text("utf-8") == make_schema.text(), "run python tools/make_schema.py"


def test_every_field_is_described() -> None:
    for part in json_.schema()["$defs"].values():
        assert part["title"]
        assert part["description"]
        assert all(field["description"] for field in part["properties"].values())


@pytest.mark.parametrize("indent", [0, 2, 4])
def test_json_goes_round(indent: int) -> None:
    text = reports.render(sample(), "json", indent=indent)
    assert json_.load(text) == sample()
    assert (text.count("\n") == 1) == (indent == 0)


def test_another_file_is_no_report() -> None:
    with pytest.raises(msgspec.DecodeError):
        json_.load("not json")


# -- text -------------------------------------------------------------------------------------------------


def test_text_says_what_matters_worst_first() -> None:
    text = reports.render(sample(), "text")
    for earlier, later in (
        ("elasticsearch://10.20.0.5:9200", "file:exports"),
        ("file:exports", "postgresql://db.internal:5432/shop"),
        ("patients-2024", "orders:"),
        ("health, special category (GDPR Art. 9)", "- e-mail address: contact.email"),
        ("patients-2024", "NOT EXAMINED: .security-7"),
    ):
        assert text.index(earlier) < text.index(later)
    words = flat(text)
    assert "Verdict: OPEN. A stranger can read and change the data." in words
    assert "Verdict: CLOSED. It asks a stranger for a credential." in words
    assert "icd10 (very likely, in 990 of 1,000 cells)" in words
    assert "notes (likely, inside free text, in 57 of 1,000 cells)" in words
    assert "verurteilung (possible, by its name, no cell was checked)" in words
    assert "criminal convictions (GDPR Art. 10)" in words
    assert "SAMPLED: only some rows" in words
    assert "3 of 4 tables" in words
    assert words.endswith(
        "Exit status 2: not everything could be looked at; what was looked at holds personal data or is open."
    )


def test_text_evidence_and_requests_come_with_verbose() -> None:
    short, long = (flat(reports.render(sample(), "text", verbose=verbose)) for verbose in (False, True))
    for words in (
        "why icd10: 990 of 1,000 pass the check; chance would be 0.3",
        "3 x GET /{index}/_search?size=0&track_total_hits=true (es.search); answered 200, 404; leaves: ",
        "Note: read as GB18030",
        "scans/page_233.pdf",
    ):
        assert words in long
        assert words not in short
    assert "4 requests sent" in short


def test_text_groups_many_items_of_one_reason_and_no_other() -> None:
    text = flat(reports.render(sample(), "text"))
    assert text.count("documents are not read by this version") == 21
    assert "NOT EXAMINED: and 214 more — documents are not read by this version" in text
    assert "NOT EXAMINED: broken.parquet — the footer is cut off (copy the file again)" in text
    assert reports.render(sample(), "text", verbose=True).count("NOT EXAMINED") == 238


@pytest.mark.parametrize("width", [40, 60, 80, 120])
@pytest.mark.parametrize("verbose", [False, True])
def test_text_keeps_to_the_width(width: int, verbose: bool) -> None:
    text = reports.render(sample(), "text", width=width, verbose=verbose)
    assert max(cell_len(line) for line in text.splitlines()) <= width


def test_text_shows_names_as_they_are() -> None:
    text = reports.render(sample(), "text", width=400)
    assert "[red]not markup[/red] :smile:.csv" in text
    assert "line\\x0abreak\\x1b[31m.csv" in text
    assert "cod\\u202efdp.exe.csv" in text
    assert not set(text) & {"\x1b", "\u202e", "\r", "\x07"}


def test_colour_adds_nothing_but_colour() -> None:
    import re

    colored = reports.render(sample(), "text", color=True)
    assert "\x1b[" in colored
    assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == reports.render(sample(), "text")


def test_the_last_line_says_the_exit_status() -> None:
    clean = TargetReport(target="file:a", kind="csv")
    cases = {0: clean, 1: Exposure(state="reads"), 2: folder()}
    for status, target in cases.items():
        given = (
            TargetReport(target="x", kind="redis", exposure=target)
            if isinstance(target, Exposure)
            else target
        )
        last = reports.render(Report(targets=(given,)), "text", width=200).splitlines()[-1]
        assert last.startswith(f"Exit status {status}: ")


@pytest.mark.parametrize("state", ["unreachable", "unknown", "reachable_metadata"])
def test_unknown_is_never_closed(state: str) -> None:
    target = msgspec.structs.replace(closed_database(), exposure=Exposure(state=state))  # type: ignore[arg-type]
    text = flat(reports.render(Report(targets=(target,)), "text"))
    assert "CLOSED" not in text
    assert "Nothing was left out" not in text


def test_ten_thousand_tables_are_quick() -> None:
    report = many_tables(10_000)
    started = time.process_time()
    assert reports.render(report, "text").count("e-mail address") == 10_000
    assert time.process_time() - started < 10


def test_hostile_names_are_many() -> None:
    assert len(HOSTILE) > 5
