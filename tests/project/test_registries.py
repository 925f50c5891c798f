"""One test for all that plugs in: what belongs to each format, report, store and detector is there.

A registry says what there is; `REQUIRED` says what each of its entries must have. What an entry does without stands
in `LEFT_OUT` with the reason, and an entry there that is no longer needed fails, too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from functools import cache
from pathlib import Path

import pytest

from fakes.closed import STORES as CLOSED
from fuzz.targets import TARGETS
from hostile.endless import ENDLESS
from hostile.stores import STORES as TWINS
from plainview import catalog
from plainview.assess.steps import rules
from plainview.detectors import categories, load_detectors
from plainview.files.formats import FORMATS
from plainview.files.kinds.identify import identify
from plainview.report.render import REPORTS
from plainview.stores.fingerprint.signs import table
from plainview.wire import probes
from planted import DATABASES, FILES
from servers import SERVERS

ROOT = Path(__file__).parents[2]
STORES = {kind: store for kind, store in catalog.ours().items() if kind != "fingerprint"}
DETECTORS = {detector.name: detector for detector in load_detectors()}


@cache
def text(path: str) -> str:
    """Return a file of the checkout, or nothing where there is none."""
    file = ROOT / path
    return file.read_text(encoding="utf-8") if file.exists() else ""


@cache
def text_of_tests(room: str) -> str:
    """Return the tests of a room, one behind the other."""
    files = sorted((ROOT / "tests" / room).glob("test_*.py"))
    assert files, f"no tests in tests/{room}"
    return "\n".join(file.read_text(encoding="utf-8") for file in files)


def fuzzed(kind: str) -> bool:
    return any(kind in (target.of or (target.name,)) for target in TARGETS.values())


def planted(kind: str) -> bool:
    if kind not in FILES:
        return kind in DATABASES
    ending, content = FILES[kind]
    data = content()
    return identify(data[: 64 << 10], f"a.{ending}", len(data), lambda at, size: data[at : at + size]).name == kind


def table_of(page: str, heading: str) -> str:
    """Return a section of a page, in small letters."""
    return text(page).split(f"## {heading}")[1].split("\n## ")[0].lower()


def module_of(kind: str) -> str:
    return FORMATS[kind].removesuffix(".read")


# registry -> what its entries must have: what to do where it is missing, and whether it is there
Has = Callable[[str], bool]
REQUIRED: dict[str, tuple[Collection[str], dict[str, tuple[str, Has]]]] = {
    "format": (
        FORMATS,
        {
            "page": (
                "name it under Read in docs/formats.md",
                lambda k: any(name in table_of("docs/formats.md", "Read") for name in (k, k.replace("_", " "))),
            ),
            "tests": (
                "test its reader in tests/files/",
                lambda k: (
                    f"files.formats.{module_of(k).split('.')[0]}" in text_of_tests("files")
                    or f'"{k}"' in text_of_tests("files")
                ),
            ),
            "canary": ("write a file of it with canaries in tests/planted.py", planted),
            "fuzz target": ("add a target in tests/fuzz/ (`of` says of which kinds)", fuzzed),
        },
    ),
    "report": (
        REPORTS,
        {
            "page": ("show it among the reports in README.md", lambda k: f"`--format {k}" in text("README.md")),
            "tests": ("test what is its own in tests/report/", lambda k: f'"{k}")' in text_of_tests("report")),
        },
    ),
    "store": (
        STORES,
        {
            "page": (
                "write docs/stores/KIND.md with <!-- generated: requests KIND --> in it",
                lambda k: f"<!-- generated: requests {k} -->" in text(f"docs/stores/{k}.md"),
            ),
            "address": ("give it [schemes] in its store.toml", lambda k: bool(STORES[k].schemes)),
            "how to close it": ("write steps, [[fix]], in its store.toml", lambda k: bool(rules(k))),
            "requests": ("declare its requests, [[probe]], in its store.toml", lambda k: bool(probes.load(k))),
            "tests": ("write tests/stores/test_KIND.py", lambda k: bool(text(f"tests/stores/test_{k}.py"))),
            "real server": (
                "add a server to tests/servers/",
                lambda k: k in {catalog.schemes()[server.scheme].kind for server in SERVERS.values()},
            ),
            "hostile twin": ("add a good store for the attacks in tests/hostile/stores.py", lambda k: k in TWINS),
            "endless twin": ("add a server without an end in tests/hostile/endless.py", lambda k: k in ENDLESS),
            "closed twin": ("add one that asks for a credential in tests/fakes/closed.py", lambda k: k in CLOSED),
            "fuzz target": ("add a target in tests/fuzz/ (`of` says of which kinds)", fuzzed),
            "fingerprint": (
                "say in its store.toml, [[sign]], by which answer a bare host:port is known",
                lambda k: any(sign.kind == k for sign in table().signs),
            ),
        },
    ),
    "detector": (
        DETECTORS,
        {
            "page": (
                "run python3 dev.py refresh",
                lambda k: (
                    re.search(rf"^\| `{DETECTORS[k].category}` .*`{k}`", text("docs/detectors.md"), re.M) is not None
                ),
            ),
            "category": ("use one of detectors/categories.csv", lambda k: DETECTORS[k].category in categories()),
            "examples": (
                "write examples that match and that do not",
                lambda k: bool(DETECTORS[k].matches and DETECTORS[k].non_matches) or not DETECTORS[k].has_values,
            ),
        },
    ),
}


# (registry, entry, what it does without) -> why
LEFT_OUT: dict[tuple[str, str, str], str] = {
    ("format", "xls", "canary"): "nothing that can be installed here writes it; its reader is that of xlsx",
    ("format", "xlsb", "canary"): "nothing that can be installed here writes it; its reader is that of xlsx",
    ("format", "xls", "fuzz target"): "its bytes are parsed by the library alone, in a process that may die",
    ("format", "pdf", "fuzz target"): "its bytes are parsed by the library alone, in a process that may die",
    ("format", "msg", "fuzz target"): "its bytes are parsed by a library; its own tests cut and change them",
    ("format", "duckdb", "fuzz target"): "its bytes are parsed by the library alone, in a process that may die",
    **{
        ("store", kind, "hostile twin"): "it shares the reading of S3, whose twin stands for it"
        for kind in ("azure", "gs")
    },
    ("store", "http", "hostile twin"): "its own tests serve hostile listings, and every blunt attack runs on it",
    ("store", "cassandra", "hostile twin"): "its own tests serve hostile frames, and every blunt attack runs on it",
    ("store", "mysql", "hostile twin"): "its own tests serve hostile packets, and every blunt attack runs on it",
    ("store", "mysql", "fuzz target"): "its packets are framed by lengths that its own tests lie about",
}


@pytest.mark.parametrize("registry", REQUIRED)
def test_what_belongs_to_each_is_there(registry: str) -> None:
    entries, required = REQUIRED[registry]
    assert len(entries) >= 3, "the registry is all but empty"
    missing = {
        (registry, name, what): todo for name in entries for what, (todo, has) in required.items() if not has(name)
    }
    unexplained = [
        f"{name}: {what} is missing: {todo}"
        for (_, name, what), todo in missing.items()
        if (registry, name, what) not in LEFT_OUT
    ]
    assert not unexplained, "\n".join(unexplained)
    assert [entry for entry in LEFT_OUT if entry[0] == registry and entry not in missing] == [], "no longer needed"


def test_reasons_are_given() -> None:
    assert all(registry in REQUIRED and len(why) > 20 for (registry, _, _), why in LEFT_OUT.items())


def test_something_that_is_missing_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(REQUIRED, "report", ((*REPORTS, "odd"), REQUIRED["report"][1]))
    with pytest.raises(AssertionError, match="odd: page is missing: show it among the reports"):
        test_what_belongs_to_each_is_there("report")
    monkeypatch.setitem(LEFT_OUT, ("format", "csv", "canary"), "a reason that does not hold any longer")
    with pytest.raises(AssertionError, match="no longer needed"):
        test_what_belongs_to_each_is_there("format")
