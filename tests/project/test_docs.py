"""The documentation is run: commands, Python, TOML, links, options, modules, names, words."""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import tomli

import plainview
from plainview import errors
from plainview.cli.command import build_parser
from plainview.detectors import KEYS, categories, load_detectors, parse_detector
from plainview.matching.verify import failures
from plainview.pipeline.options import Options
from plainview.tables import Limits
from plainview.wire.limits import WireLimits

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src" / "plainview"


def _tool():
    spec = importlib.util.spec_from_file_location("refresh_docs", ROOT / "tools" / "refresh_docs.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


docs = _tool()
PAGES = docs.pages()
assert len(PAGES) > 30, "the tests below would look at next to nothing"
BLOCKS = [block for page in PAGES for block in docs.blocks(page)]
SKETCHES = {"docs/adding-a-store.md"}  # its Python shows the shape of a store and stands on nothing
TEXT = {page: page.read_text(encoding="utf-8") for page in PAGES}
ALL = "\n".join(TEXT.values())
README, ARCHITECTURE = TEXT[ROOT / "README.md"], TEXT[ROOT / "ARCHITECTURE.md"]


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def block_ids(wanted: list) -> dict:
    return {"argvalues": wanted, "ids": str}


# --- what is shown is true ------------------------------------------


@pytest.mark.parametrize("block", **block_ids([b for b in BLOCKS if docs.is_run(b)]))
def test_commands_print_what_is_shown(block, tmp_path: Path) -> None:
    now = docs.played(block, docs.workplace(block.page, tmp_path))
    assert now == block.body, "python tools/refresh_docs.py"


@pytest.mark.parametrize("block", **block_ids([b for b in BLOCKS if b.language == "python"]))
def test_python_runs(block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = compile(block.body, str(block), "exec")
    if name(block.page) in SKETCHES:
        return
    monkeypatch.chdir(docs.workplace(block.page, tmp_path))
    with contextlib.redirect_stdout(io.StringIO()):
        exec(code, {"__name__": "__docs__"})


@pytest.mark.parametrize("block", **block_ids([b for b in BLOCKS if b.language == "toml"]))
def test_toml_is_valid_and_detectors_hold_their_examples(block, tmp_path: Path) -> None:
    loaded = tomli.loads(block.body)
    assert ("category" in loaded) == (block.marker == "file"), "a detector is shown as a file, so that it can be tried"
    if block.marker == "file":
        path = docs.workplace(block.page, tmp_path) / block.value
        assert failures(parse_detector(path)) == []


@pytest.mark.parametrize("page", [p for p in PAGES if "<!-- generated: " in TEXT[p]], ids=name)
def test_generated_parts_are_up_to_date(page: Path) -> None:
    if page.name == "ARCHITECTURE.md":
        shown, made = layout(TEXT[page]), layout(docs.generated(TEXT[page]))  # wording of docstrings may move on
    else:
        shown, made = TEXT[page], docs.generated(TEXT[page])
    assert shown == made, "python tools/refresh_docs.py"


def test_little_is_left_unrun() -> None:
    assert len([b for b in BLOCKS if b.marker == "not run"]) <= 3
    assert len([b for b in BLOCKS if docs.is_run(b)]) >= 6


# --- nothing is missing, nothing is invented ------------------------


def layout(text: str) -> set[str]:
    part = text.split("<!-- generated: layout -->")[1].split("<!-- end -->", maxsplit=1)[0]
    return {line.split()[0] for line in part.splitlines() if line and not line.startswith("```")}


def test_every_room_is_in_the_layout_and_no_other() -> None:
    packages = [path.parent for path in SRC.rglob("__init__.py") if not (path.parent / "store.toml").exists()]
    rooms = {f"{package.relative_to(SRC).as_posix()}/" for package in packages} - {"./"}
    assert len(rooms) > 25
    assert layout(ARCHITECTURE) == rooms | {path.name for path in SRC.glob("*.py")}


@cache
def scan_options() -> dict[str, str]:
    """Return the long options of all commands, with their help."""
    found: dict[str, str] = {}

    def walk(parser: argparse.ArgumentParser) -> None:
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                for sub in action.choices.values():
                    walk(sub)
            for option in action.option_strings:
                if option.startswith("--"):
                    found[option] = action.help or ""

    walk(build_parser())
    return found


@pytest.mark.parametrize("option", scan_options())
def test_every_option_is_documented(option: str) -> None:
    assert option == "--help" or re.search(rf"(?<![\w-]){option}(?![\w-])", ALL.replace("plainview --help", ""))
    assert scan_options()[option], "and has a help text"


OURS = [p for p in PAGES if p.parent == ROOT or (p.parent == ROOT / "docs" and name(p) not in SKETCHES)]


@pytest.mark.parametrize("page", OURS, ids=name)
def test_every_documented_option_exists(page: Path) -> None:
    spans = re.findall(r"`(--[a-z][a-z-]+)(?: [^`]*)?`", TEXT[page])
    lines = [line for line in TEXT[page].splitlines() if "plainview scan" in line or "plainview detectors" in line]
    for line in lines:
        spans += re.findall(r"(?<![\w-])--[a-z][a-z-]+", line.split("plainview", 1)[1])
    assert set(spans) <= set(scan_options())


def test_every_category_and_key_of_a_detector_is_explained() -> None:
    page = TEXT[ROOT / "docs" / "detectors.md"]
    assert [c for c in categories() if f"| `{c}` |" not in page] == []
    table = page.split("## The keys")[1].split("\n## ")[0]
    assert set(
        re.findall(r"`(\w+)`", "\n".join(row.split("|")[1] for row in table.splitlines() if row.startswith("| `")))
    ) == KEYS | {"pattern"}


SIZES = {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}


@pytest.mark.parametrize("limits", [Limits(), WireLimits()], ids=lambda limits: type(limits).__name__)
def test_limits_are_the_real_ones(limits: Limits | WireLimits) -> None:
    part = TEXT[ROOT / "docs" / "limits.md"].split("## ")[1 if isinstance(limits, Limits) else 2]
    shown = {}
    for row in re.findall(r"^\| `(\w+)` \| ([^|]+) \|", part, re.MULTILINE):
        number, _, unit = row[1].partition(" ")
        shown[row[0]] = None if number == "none" else float(number.replace(",", "")) * SIZES.get(unit, 1)
    assert shown == {field: getattr(limits, field) for field in type(limits).__dataclass_fields__}


def test_every_encoding_and_format_is_named() -> None:
    from plainview.files.encodings.letters import CODECS
    from plainview.files.formats import FORMATS

    page = TEXT[ROOT / "docs" / "formats.md"]
    assert [encoding for encoding in (*CODECS, "iso-2022-jp") if encoding not in page] == []
    assert f"and {len(CODECS) + 1} older ones" in README
    table = page.split("## Read")[1].split("\n###")[0].lower()
    assert [kind for kind in FORMATS if {"sql_dump": "sql dump"}.get(kind, kind) not in table] == []


def test_detectors_that_are_named_exist() -> None:
    known = {detector.name for detector in load_detectors()} | {"NAME"}
    assert set(re.findall(r"plainview detectors explain (\w+)", ALL)) <= known


def test_extras_that_are_named_exist() -> None:
    known = tomli.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    named = {extra for found in re.findall(r"(?:plainview|'\.)\[([\w,]+)\]", ALL) for extra in found.split(",")}
    assert named <= set(known)


def test_defaults_in_the_help_are_the_real_ones() -> None:
    real = {"--file-seconds": Limits().seconds, "--unpacked": Limits().unpacked, "--ratio": Limits().ratio, "--depth": Limits().depth,
            "--members": Limits().members, "--columns": Limits().columns, "--memory": Limits().memory}  # fmt: skip
    for option, value in real.items():
        number, unit = re.search(r"\((\d+)([gmk]?)\)$", scan_options()[option]).groups()
        assert int(number) * {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}[unit] == value, option


def test_every_error_is_drawn_under_its_parent() -> None:
    drawn: dict[str, str] = {}
    stack: list[tuple[int, str]] = []
    for line in errors.__doc__.splitlines():
        found = re.match(r"^([ │├└─]*)(\w+Error)\b", line)
        if found:
            depth = len(found[1])
            stack = [entry for entry in stack if entry[0] < depth]
            drawn[found[2]] = stack[-1][1] if stack else "Exception"
            stack.append((depth, found[2]))
    real = {
        k: v.__bases__[0].__name__
        for k, v in vars(errors).items()
        if isinstance(v, type) and v.__module__ == errors.__name__
    }
    assert drawn == real


def test_public_names_and_options_are_explained() -> None:
    page = TEXT[ROOT / "docs" / "library.md"]
    assert [n for n in plainview.__all__ if f"plainview.{n}" not in page] == []
    row = next(line for line in page.splitlines() if line.startswith("| `plainview.Options` |"))
    assert [field for field in Options.__dataclass_fields__ if f"`{field}`" not in row] == []


def test_every_exit_status_is_explained() -> None:
    from plainview.cli import command as cli

    statuses = {0, 1, 2, 130, cli.EXIT_USAGE, cli.EXIT_FAILED, cli.EXIT_CANNOT_WRITE}
    for page in ("docs/exit-status.md", "README.md"):
        rows = re.findall(r"^\| ([\d, ]+) \|", TEXT[ROOT / page], re.MULTILINE)
        assert {int(number) for row in rows for number in row.split(",")} == statuses


# --- links, files, tests, words -------------------------------------


def links() -> Iterator[tuple[Path, str]]:
    for page in PAGES:
        plain = re.sub(r"`[^`]*`", "", re.sub(r"(?ms)^```.*?^```", "", TEXT[page]))
        for link in re.findall(r"\]\(([^)\s]+)\)", plain):
            yield page, link


def anchors(page: Path) -> set[str]:
    heads = re.findall(r"^#+ (.+)$", re.sub(r"(?ms)^```.*?^```", "", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def test_links_lead_somewhere() -> None:
    broken = []
    for page, link in links():
        path, _, anchor = link.partition("#")
        if "://" in path:
            continue
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(f"{name(page)}: {link}")
    assert broken == []


def test_files_and_tests_that_are_named_exist() -> None:
    missing = []
    for page in PAGES:
        for path, test in re.findall(
            r"`((?:[\w.-]+/)+[\w*-]+\.(?:py|toml|json|csv|txt)|\w+\.py)(?:::(\w+))?`", TEXT[page]
        ):
            homes = [home for home in HOMES if list(home.glob(path))]
            if not homes and path not in MADE_UP and "KIND" not in path:
                missing.append(f"{name(page)}: {path}")
            elif test and f"def {test}(" not in (ROOT / path).read_text(encoding="utf-8"):
                missing.append(f"{name(page)}: {test}")
    assert missing == []


HOMES = (ROOT, ROOT / "tests", SRC.parent, SRC)  # of the files that pages name
# rooms of the design that are told to be missing, and examples of names
MADE_UP = frozenset("scan.py matching.py history.py testing.py hr/people.csv more.zip/inside/people.csv".split())


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, todo = set(), [ROOT / "README.md"]
    while todo:
        page = todo.pop()
        if page not in reached:
            reached.add(page)
            todo += [
                (page.parent / link.partition("#")[0]).resolve()
                for at, link in links()
                if at == page and ".md" in link and "://" not in link
            ]
    assert [name(page) for page in PAGES if page not in reached] == []


# Each as a pattern: places of one machine, hosts of registries, and words about how the text came to be.
FORBIDDEN = re.compile(
    r"(?i)(?<![\w.])/(?:work|home|root|users)/\w|(?:index|extra-index|find)-(?:url|links)\b|pythonhosted|artifactory|nexus\."
    r"|\bhelpers?\b|\bissue #?\d|\bas an? (?:ai|language model)\b"
)
ONLY_HERE = re.compile(r"(?i)\bsessions?\b")  # a session of a database is meant elsewhere


def test_no_word_that_does_not_belong_here() -> None:
    found = [f"{name(page)}: {hit[0]}" for page in PAGES for hit in FORBIDDEN.finditer(TEXT[page])]
    found += [
        f"{name(page)}: {hit[0]}" for page in OURS if page.name not in LAYOUTS for hit in ONLY_HERE.finditer(TEXT[page])
    ]
    for path in (ROOT / "pyproject.toml", ROOT / "NOTICE", *(ROOT / "requirements").iterdir()):
        found += [f"{name(path)}: {hit[0]}" for hit in FORBIDDEN.finditer(path.read_text(encoding="utf-8"))]
    assert found == []


WRAPPED = [
    *(ROOT / name for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]


@pytest.mark.parametrize("page", WRAPPED, ids=name)
def test_lines_of_prose_have_100_characters_at_most(page: Path) -> None:
    prose = re.sub(r"(?ms)^ *```.*?^ *```", "", TEXT[page])
    assert [
        line for line in prose.splitlines() if len(line) > 100 and not re.match(r"\||    |<!--| *`[^`]+`$", line)
    ] == []


LAYOUTS = {"ARCHITECTURE.md"}  # quotes docstrings of modules about databases


@pytest.mark.parametrize(("page", "most"), [("README.md", 300), ("ARCHITECTURE.md", 200)])
def test_what_is_read_first_is_short(page: str, most: int) -> None:
    assert len(TEXT[ROOT / page].splitlines()) <= most


def test_lines_of_the_readme_come_first() -> None:
    heads = re.findall(r"^## (.+)$", README, re.MULTILINE)
    assert heads[:2] == ["The lines it never crosses", "Two commands"]
    for command in ("python3 dev.py demo", "python3 dev.py test"):
        assert command in README.split("## Install")[0]


def test_the_tool_notices_what_is_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "```console\n$ plainview --version\nplainview 9.9.9\n$ echo $?\n3\n```\n<!-- generated: suffixes -->\nold\n<!-- end -->\n"
    )
    monkeypatch.setattr(docs, "ROOT", ROOT)
    new = docs.refreshed(page)
    assert "plainview 9.9.9\n$ echo $?\n0\n```" in new, "a version may differ, an exit status may not"
    assert "| csv | `.csv` `.psv` `.ssv` |" in new
    assert "old" not in new


@pytest.mark.parametrize(
    ("expected", "got", "equal"),
    [
        (["a", "…", "z"], ["a", "b", "c", "z"], True),
        (["a", "…", "z"], ["a", "z"], True),
        (["a", "…", "y"], ["a", "b", "z"], False),
        (
            ["plainview 0.1.0: 1 target, 2026-11-24 10:39 UTC"],
            ["plainview 1.2.3: 1 target, 2027-01-01 00:00 UTC"],
            True,
        ),
        (["a"], ["a", "b"], False),
        (["a", "b"], ["a"], False),
    ],
)
def test_comparing(expected: list[str], got: list[str], equal: bool) -> None:
    assert docs.same(expected, got) is equal


def test_dev_py_explains_itself() -> None:
    ran = subprocess.run(
        [sys.executable, ROOT / "dev.py", "help"], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    for command in re.findall(r"python3 dev\.py (\w+)", ALL):
        assert f"dev.py {command}" in ran.stdout
