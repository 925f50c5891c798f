from __future__ import annotations

import html
import importlib.util
import itertools
import json
import re
import subprocess
import sys
import time
import typing
from pathlib import Path

import jsonschema
import lxml.html
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from plainview.errors import UsageError
from plainview.report import ranking, wording
from plainview.report import render as reports
from plainview.report.model import (
    Confidence,
    Exposure,
    People,
    Report,
    RightsBasis,
    State,
    TableReport,
    TargetReport,
)
from plainview.report.render import html as html_report
from plainview.report.render import json_
from plainview.report.render.html import FULL, percent
from sample_report import SEVERITY, closed_database, column, folder, many_tables, open_search, sample

ROOT = Path(__file__).parents[2]


def flat(text: str) -> str:
    """Undo the folding of lines."""
    return " ".join(text.split())


# -- all formats ------------------------------------------------------------------------------------------


def test_an_unknown_format_is_wrong_use() -> None:
    with pytest.raises(UsageError, match="edpb, html, json, notification, text"):
        reports.render(sample(), "pdf")


def test_reports_need_no_frames_and_no_driver() -> None:
    code = (
        "import sys; from plainview.report import render as reports\n"
        "assert not {'rich', 'jinja2'} & set(sys.modules), 'start-up pays for unused formats'\n"
        "from plainview.report.model import Report\n"
        "for name in reports.REPORTS: reports.render(Report(), name)\n"
        "print([name for name in ('polars', 'numpy', 'pymongo', 'duckdb', 'pyarrow') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("format_", reports.REPORTS)
def test_hostile_names_do_nothing_in_any_format(format_: str) -> None:
    made = reports.render(sample(), format_, **reports.fitting(format_, {"verbose": True}))
    try:
        shown = "".join(strings(json.loads(made)))  # JSON escapes what it holds
    except ValueError:
        shown = made
    assert not set(shown) & {"\x1b", "\u202e", "\r", "\x07", "\x00"}
    assert not re.search(r"line\s*\n\s*break", shown)
    if made.lstrip().startswith("<"):
        assert not re.search(r"<(?:script|b)>", made)


def test_a_format_gets_the_options_that_it_knows() -> None:
    assert reports.fitting("text", {"verbose": True, "indent": 0}) == {"verbose": True}
    assert reports.fitting("json", {"verbose": True, "indent": 0}) == {"indent": 0}


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
        "scans/page_233.pdf",
    ):
        assert words in long
        assert words not in short
    assert "Note: read as GB18030" in short  # what was assumed is never silent
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
    colored = reports.render(sample(), "text", color=True)
    assert "\x1b[" in colored
    assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == reports.render(sample(), "text")


def test_the_last_line_says_the_exit_status() -> None:
    clean = TargetReport(target="file:a", kind="csv")
    cases = {0: clean, 1: Exposure(state="reads"), 2: folder()}
    for status, target in cases.items():
        given = TargetReport(target="x", kind="redis", exposure=target) if isinstance(target, Exposure) else target
        last = reports.render(Report(targets=(given,)), "text", width=200).splitlines()[-1]
        assert last.startswith(f"Exit status {status}: ")


@pytest.mark.parametrize("state", ["unreachable", "unknown", "reachable_metadata"])
def test_unknown_is_never_closed(state: str) -> None:
    target = msgspec.structs.replace(closed_database(), exposure=Exposure(state=state))  # type: ignore[arg-type]
    text = flat(reports.render(Report(targets=(target,)), "text"))
    assert "CLOSED" not in text
    assert "Nothing was left out" not in text


def test_many_tables_are_summed_up_first_and_many_columns_are_counted() -> None:
    text = flat(reports.render(many_tables(50), "text"))
    assert "Kinds of personal data in these 50 tables:" in text
    assert re.search(r"- e-mail address: [0-9]+ columns of 50 tables", text)
    assert "Kinds of personal data" not in reports.render(many_tables(5), "text")
    table = many_tables(1).targets[0].tables[0]
    columns = tuple(msgspec.structs.replace(table.columns[0], path=f"mail_{n:03}") for n in range(300))
    wide = TargetReport(target="file:a", kind="csv", tables=(msgspec.structs.replace(table, columns=columns),))
    short, long = (flat(reports.render(Report(targets=(wide,)), "text", verbose=v)) for v in (False, True))
    assert "mail_019 (" in short
    assert "mail_020" not in short
    assert "and 280 more columns (-v names them)" in short
    assert "mail_299 (" in long


def test_ten_thousand_tables_are_quick() -> None:
    report = many_tables(10_000)
    started = time.process_time()
    assert reports.render(report, "text").count("- e-mail address: ") == 10_000 + 1
    assert time.process_time() - started < 60


# -- HTML -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def page() -> str:
    return reports.render(sample(), "html")


@pytest.fixture(scope="module")
def tree(page: str) -> lxml.html.HtmlElement:
    return lxml.html.document_fromstring(page)


def strings(part: object) -> list[str]:
    """Return every text of a report, at any depth."""
    if isinstance(part, str):
        return [part]
    if isinstance(part, dict):
        return [text for value in part.values() for text in strings(value)]
    if isinstance(part, list):
        return [text for value in part for text in strings(value)]
    return []


def test_html_runs_nothing_and_asks_for_nothing(page: str, tree: lxml.html.HtmlElement) -> None:
    policy = tree.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    assert policy == ["default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"]
    made = {element.tag for element in tree.iter() if isinstance(element.tag, str)}
    assert not made & {
        "script",
        "img",
        "iframe",
        "object",
        "embed",
        "link",
        "form",
        "base",
        "video",
        "b",
    }
    drawn = tree.xpath("//svg/descendant-or-self::*")
    assert {element.tag for element in drawn} == {"svg", "rect"}, (
        "bars of charts, which hold nothing that runs or links"
    )
    known = {"class", "viewbox", "preserveaspectratio", "aria-hidden", "focusable", "width", "height"}
    assert {name.lower() for element in drawn for name in element.attrib} <= known
    attributes = {name for element in tree.iter() for name in element.attrib}
    assert not {name for name in attributes if name.startswith("on")} | (attributes & {"src", "srcset", "style"})
    style = tree.xpath("string(//style)")
    assert "url(" not in style
    assert "@import" not in style
    assert all(link.startswith("#") for link in tree.xpath("//@href"))


def test_html_shows_every_name_and_sentence_once_escaped(tree: lxml.html.HtmlElement) -> None:
    shown = tree.text_content()
    for target in sample().targets:
        assert target.target in shown
        for table in target.tables:
            assert table.name in shown
            for found in table.columns:
                assert found.path in shown
                assert all(text in shown for text in found.evidence)
        for item in target.coverage.skipped:
            assert item.what in shown
            assert item.why in shown
        if target.exposure is not None:
            assert all(text in shown for text in strings(msgspec.to_builtins(target.exposure.evidence)))
            assert all(request.template in shown for request in target.exposure.footprint)
    assert "{{ 7*7 }}{% raw %}.csv" in shown


def test_html_is_a_document_that_can_be_walked(tree: lxml.html.HtmlElement) -> None:
    assert tree.get("lang") == "en"
    for landmark in ("header", "nav", "main", "footer", "h1"):
        assert len(tree.xpath(f"//{landmark}")) == 1, landmark
    levels = [int(heading.tag[1]) for heading in tree.xpath("//main//*[self::h2 or self::h3 or self::h4 or self::h5]")]
    assert levels[0] == 2
    assert all(later - earlier <= 1 for earlier, later in itertools.pairwise(levels))
    ids = tree.xpath("//@id")
    assert len(ids) == len(set(ids))
    assert {link[1:] for link in tree.xpath("//@href")} | set(tree.xpath("//@aria-labelledby")) <= set(ids)
    regions = [
        tree.get_element_by_id(one.get("aria-labelledby")).text_content()
        for one in tree.xpath("//section[@aria-labelledby]")
    ]
    assert len(regions) == len(set(regions)), "a landmark is found by its name"
    assert not tree.xpath("//th[not(@scope)]")
    assert all(summary.text_content().strip() for summary in tree.xpath("//details/summary"))
    assert len(tree.xpath("//details")) == len(tree.xpath("//details/summary"))


def test_html_marks_special_data_in_words(tree: lxml.html.HtmlElement) -> None:
    marked = tree.xpath("//article//tr[contains(@class, 'marked') and not(contains(@class, 'why'))]")
    assert len(marked) == 4
    assert all("GDPR Art." in row.text_content() for row in marked)


def luminance(color: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("dark", [False, True])
def test_html_colours_can_be_read(page: str, dark: bool) -> None:
    blocks = re.findall(r":root \{([^}]*)\}", page)
    colors = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", blocks[0] + (blocks[1] if dark else "")))
    grounds = [color for name, color in colors.items() if name in ("paper", "card") or name.endswith("-paper")]
    assert len(grounds) == 5
    for ink in ("ink", "soft", "link", "bad", "part", "good"):
        for ground in grounds:
            high, low = sorted((luminance(colors[ink]), luminance(ground)), reverse=True)
            assert (high + 0.05) / (low + 0.05) >= 4.5, (ink, ground)


def test_html_of_ten_thousand_tables_is_quick() -> None:
    report = many_tables(10_000)
    started = time.process_time()
    page = reports.render(report, "html")
    assert "table_9999" in page
    assert time.process_time() - started < 60
    assert len(page) < 2_000_000, "only the worst are shown in full"
    tree = lxml.html.fromstring(page)
    assert len(tree.xpath("//article")) == FULL
    folded = [summary.text_content() for summary in tree.xpath("//details/summary")]
    assert any(text.startswith(f"{10_000 - FULL:,} tables") and "health" in text for text in folded)


def test_html_tells_how_many_names_it_leaves_out(monkeypatch: pytest.MonkeyPatch) -> None:
    html_report._template.cache_clear()
    monkeypatch.setattr(html_report, "NAMED", 7)
    shown = lxml.html.fromstring(reports.render(many_tables(500), "html")).text_content()
    html_report._template.cache_clear()
    assert f"and {500 - FULL - 7} more" in flat(shown)


def test_html_begins_with_what_somebody_in_charge_has_to_know(tree: lxml.html.HtmlElement) -> None:
    summary = flat(tree.get_element_by_id("summary").text_content())
    for words in (
        "Open to strangers, with personal data", "It concerns about 25,000 people; at least 24,600, at most 25,400",
        "Peopleabout 25,000", "Under 18about 320", "Severityvery high", "What to do first",
    ):  # fmt: skip
        assert words in summary, words
    assert summary.index("Open to strangers") < summary.index("What to do first") < summary.index("Kind of data")


def test_html_has_a_page_for_the_officer_and_one_for_the_engineer(tree: lxml.html.HtmlElement) -> None:
    officer, engineer = (
        flat(tree.get_element_by_id(f"t1-{who}").getparent().text_content()) for who in ("officer", "engineer")
    )
    assert all(words in officer for words in ("Whom it concerns", "How bad it is", "Which clocks may run"))
    assert all(
        words in engineer for words in ("Who can reach it", "How to close it", "Personal data", "What was looked at")
    )
    assert "Who can reach it" not in officer


def test_html_charts_say_in_words_what_they_draw(tree: lxml.html.HtmlElement) -> None:
    rows = tree.xpath("//table[contains(@class, 'chart')]//tr")
    assert len(rows) >= 8
    for row in rows:
        assert row.xpath("string(th)").strip()
        assert re.search(r"[0-9]", row.xpath("string(td[contains(@class, 'number')])"))
        assert 0 <= float(row.xpath("string(.//rect[@class='part']/@width)")) <= 100
    assert "4.5 of 6" in tree.get_element_by_id("summary").text_content()


def test_html_kinds_lead_to_their_tables(tree: lxml.html.HtmlElement) -> None:
    links = tree.xpath("//table[contains(@class, 'kinds')]//tbody//a")
    assert links
    for link in links:
        table = tree.get_element_by_id(link.get("href")[1:])
        assert link.text_content() in table.xpath("string(.//h5)")
        assert link.xpath("string(ancestor::tr/th)").strip() in table.text_content()


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.one_of(st.none(), st.integers(0, 10**9)))
def test_a_rounded_estimate_stays_between_its_bounds(low: int, more: int, beyond: int | None) -> None:
    estimate = low + more
    high = None if beyond is None else estimate + beyond
    shown = wording.likely_number(estimate, low, high)
    assert low <= shown
    assert high is None or shown <= high
    assert abs(shown - estimate) <= max(more, 1)
    people = People(low=low, estimate=estimate, high=high)
    assert wording.about(people).removeprefix("about ") in wording.persons(people)


# -- nothing but the model --------------------------------------------------------------------------------


@pytest.mark.parametrize("format_", reports.REPORTS)
def test_nothing_but_the_model_appears(format_: str) -> None:
    """Words of a report come from the model or from the format itself, never from where it was written."""
    report = sample()
    given = msgspec.to_builtins(report)

    def masked(part: object, key: str = "") -> object:
        if isinstance(part, dict):
            return {name: masked(value, name) for name, value in part.items()}
        if isinstance(part, list):
            return [masked(value, key) for value in part]
        fixed = (
            "category",
            "state",
            "rights_basis",
            "confidence",
            "read_as",
            "schema",
            "started",
            "finished",
        )
        return f"q{len(part)}" if isinstance(part, str) and key not in fixed else part

    def words(text: str) -> set[str]:
        return set(re.findall(r"[^\W\d_]{3,}", html.unescape(text)))

    options = reports.fitting(format_, {"verbose": True, "width": 2000})
    own = words(reports.render(msgspec.convert(masked(given), Report), format_, **options))
    model = set().union(*(words(text) for text in strings(given)))
    assert words(reports.render(report, format_, **options)) <= own | model
    made = reports.render(report, format_, **options)
    assert not [place for place in (str(Path.cwd()), str(Path.home()), sys.prefix) if place in made]
    assert made == reports.render(sample(), format_, **options)


# -- words ------------------------------------------------------------------------------------------------


def test_words_for_sureness() -> None:
    assert [wording.sure(value) for value in (1.0, 0.98, 0.97, 0.9, 0.89, 0.7, 0.69, 0.0)] == [
        "certain", "certain", "very likely", "very likely", "likely", "likely", "possible", "possible",
    ]  # fmt: skip


def test_percentages_never_claim_all() -> None:
    assert [percent(value) for value in (1.0, 0.995, 0.99, 0.5)] == ["over 99 %", "over 99 %", "99 %", "50 %"]


def test_every_category_has_a_label_and_weights_name_real_ones() -> None:
    labels = wording._labels()
    assert labels
    assert set(ranking._weights()) <= set(labels)
    assert wording.label("no_such_ip") == "no such IP"


def test_faint_findings_do_not_stand_before_certain_ones() -> None:
    faint = TableReport(
        name="faint", kind="csv", rows=9, rows_read=9,
        columns=(column("a", "health", 0.3, special=True), column("b", "city", 0.3)),
    )  # fmt: skip
    sure = msgspec.structs.replace(faint, name="sure", columns=(column("a", "health", 0.99, special=True),))
    clean = msgspec.structs.replace(faint, name="clean", columns=())
    assert [table.name for table in ranking.worst_first((faint, clean, sure))] == ["sure", "faint"]


@pytest.mark.parametrize("state", typing.get_args(State))
@pytest.mark.parametrize("confidence", typing.get_args(Confidence))
def test_every_state_has_words_in_every_format(state: State, confidence: Confidence) -> None:
    for basis in typing.get_args(RightsBasis):
        exposure = Exposure(state=state, confidence=confidence, rights_basis=basis)
        report = Report(targets=(TargetReport(target="redis://localhost", kind="redis", exposure=exposure),))
        for format_ in reports.REPORTS:
            assert reports.render(report, format_)


# -- loopback is not the internet --------------------------------------------------------------------------


@pytest.mark.parametrize("format_", ["text", "html"])
@pytest.mark.parametrize("state", ["lists", "reads", "writes", "admin"])
def test_what_is_open_to_this_machine_alone_is_said_to_be(format_: str, state: State) -> None:
    def shown(**more: object) -> str:
        exposure = Exposure(state=state, **more)  # type: ignore[arg-type]
        target = TargetReport(target="redis://127.0.0.1:6379", kind="redis", exposure=exposure)
        return flat(html.unescape(reports.render(Report(targets=(target,)), format_)))

    loopback, here, far = shown(reach="loopback"), shown(reach="here"), shown(reach="network")
    assert "any user of this machine can" in loopback.lower()
    assert "listens on this machine's loopback only" in loopback
    assert "whether it can be reached from elsewhere was not seen" in here
    assert "any user of this machine" not in far.lower()
    assert "a stranger can" in far.lower()
    assert format_ == "html" or "a stranger can" not in loopback.lower(), "its glossary explains all states"


def test_the_headline_says_who_can_reach_the_stores() -> None:
    def store(**more: object) -> TargetReport:
        exposure = Exposure(state="admin", **more)  # type: ignore[arg-type]
        return TargetReport(target="redis://10.0.0.1", kind="redis", exposure=exposure)

    assert wording.headline(Report(targets=(store(reach="loopback"),))).startswith("Open to any user of this machine")
    both = Report(targets=(store(reach="loopback"), store(reach="network")))
    assert wording.headline(both).startswith("Open to strangers")
    assert wording.headline(Report(targets=(store(),))).startswith("Open to strangers")


# -- the order of what has to be done ----------------------------------------------------------------------


def _store(name: str, score: float, people: int, rows: int, *kinds: str, state: State = "reads") -> TargetReport:
    columns = tuple(column(kind, kind, special=kind == "political_opinion") for kind in kinds)
    return TargetReport(
        target=name,
        kind="redis",
        exposure=Exposure(state=state),
        tables=(TableReport(name=name, kind="redis", rows=rows, rows_read=rows, columns=columns),),
        people=People(low=people, estimate=people, high=people) if people else None,
        severity=msgspec.structs.replace(SEVERITY, score=score),
    )


def test_a_riot_table_of_63_rows_does_not_stand_before_a_payroll() -> None:
    riot = _store("riots", 4.5, 63, 63, "person_name", "political_opinion", "criminal")
    payroll = _store("payroll", 3.5, 5_000, 5_000, "person_name", "bank_account", "salary")
    assert [t.target for t in ranking.targets(Report(targets=(riot, payroll)))] == ["payroll", "riots"]
    tables = (*riot.tables, *payroll.tables)
    assert [t.name for t in ranking.worst_first(tables)] == ["payroll", "riots"]


@pytest.mark.parametrize(
    ("worse", "better"),
    [
        (_store("a", 4.5, 100, 100, "health"), _store("b", 2.0, 100, 100, "health")),
        (_store("a", 4.5, 9_000, 100, "health"), _store("b", 4.5, 100, 100, "health")),
        (_store("a", 4.5, 0, 90_000, "health"), _store("b", 4.5, 0, 100, "health")),
        (_store("a", 4.5, 50, 9, "health", state="admin"), _store("b", 4.5, 50, 9, "health", state="reads")),
        (_store("a", 4.5, 50, 9, "health", "iban"), _store("b", 4.5, 50, 9, "health")),
    ],
)
def test_targets_stand_by_severity_and_people_then_openness_then_what_is_in_them(worse, better) -> None:  # type: ignore[no-untyped-def]
    for order in ((worse, better), (better, worse)):
        assert [t.target for t in ranking.targets(Report(targets=order))] == ["a", "b"]
