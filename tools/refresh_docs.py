"""Bring what the documentation quotes into step with the program: python tools/refresh_docs.py [--check]

* The output below each `$ plainview …` in a ```console block is what the program prints now, at 80 columns and
  without colour. Dates and versions are not compared. A line that is only `…` stands for any number of lines.
* A block after `<!-- file: NAME -->` is a file that the commands of its page may use.
* What stands between `<!-- generated: NAME -->` and `<!-- end -->` is made by the function of that name.

A block after `<!-- not run: REASON -->` is left alone. With --check nothing is written; exit status 1 when off.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from plainview.wire.probes import Probe

ROOT = Path(__file__).parent.parent
SRC = ROOT / "src" / "plainview"
FENCE = re.compile(r"^(`{3,})(\w*)\s*$")
MARKER = re.compile(r"^<!-- (file|not run|run): (.+) -->$")
GENERATED = re.compile(r"(<!-- generated: (\w+)(?: (\w+))? -->\n).*?(<!-- end -->)", re.DOTALL)
ANYTHING = "…"
WIDTH = 100  # characters of a line
CHANGING = (
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC"), "2026-01-01 00:00 UTC"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\+00:00|Z)"), "2026-01-01T00:00:00+00:00"),
    (re.compile(r"\(seccomp(?:, Landlock \d+)?\)"), "(seccomp)"),
    (re.compile(r"(plainview |\"version\": \")\d+\.\d+\.\d+[\w.]*"), r"\g<1>0.0.0"),
)


def pages() -> list[Path]:
    """Return all pages of the documentation."""
    return [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]


@dataclass(frozen=True)
class Block:
    """A fenced block: lines `start` to `end` (without the fences) of a page."""

    page: Path
    start: int
    end: int
    language: str
    body: str
    marker: str = ""
    value: str = ""

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.start}"


def blocks(page: Path) -> Iterator[Block]:
    """Yield the fenced blocks of a page in order."""
    lines = page.read_text(encoding="utf-8").split("\n")
    at = 0
    while at < len(lines):
        opened = FENCE.match(lines[at])
        if not opened:
            at += 1
            continue
        end = next(i for i in range(at + 1, len(lines)) if lines[i].rstrip() == opened[1])
        found = MARKER.match(lines[at - 1]) if at else None
        marker, value = (found[1], found[2]) if found else ("", "")
        yield Block(page, at + 1, end, opened[2], "\n".join(lines[at + 1 : end]), marker, value)
        at = end + 1


def workplace(page: Path, folder: Path) -> Path:
    """Give `folder` the examples and the files that a page shows, as its reader would have them."""
    if not (folder / "examples").exists():
        shutil.copytree(ROOT / "examples", folder / "examples")
    for block in blocks(page):
        if block.marker == "file":
            path = folder / block.value
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.body + "\n", encoding="utf-8")
    return folder


def is_run(block: Block) -> bool:
    """Tell whether a block holds commands of ours, to be run."""
    commands = [line for line in block.body.split("\n") if line.startswith("$ ")]
    ours = any(command.startswith("$ plainview") for command in commands)
    return block.language == "console" and block.marker != "not run" and ours


def played(block: Block, folder: Path) -> str:
    """Run the commands of a block and return it as it should read now."""
    out: list[str] = []
    status = 0
    for command, expected in exchanges(block.body):
        out.append("$ " + command)
        if command == "echo $?":
            got = [str(status)]
        else:
            status, got = ran(command, folder)
        out.extend(elided(expected, got))
    return "\n".join(out)


def exchanges(body: str) -> list[tuple[str, list[str]]]:
    """Split a console block into commands and what stands below each."""
    parts: list[tuple[str, list[str]]] = []
    for line in body.split("\n"):
        if line.startswith("$ "):
            parts.append((line[2:], []))
        elif parts:
            parts[-1][1].append(line)
    return parts


def ran(command: str, folder: Path) -> tuple[int, list[str]]:
    """Run one command as in a terminal of 80 columns; return its exit status and its lines, stderr last."""
    words = shlex.split(command, comments=True)
    if words[0] != "plainview":
        raise SystemExit(f"only plainview and `echo $?` are run, not {words[0]}")
    env = {**os.environ, "COLUMNS": "80", "NO_COLOR": "1", "PYTHONIOENCODING": "utf-8"}
    made = subprocess.run(
        [sys.executable, "-m", "plainview", *words[1:]],
        cwd=folder, env=env, capture_output=True, encoding="utf-8", timeout=100, check=False,
    )  # fmt: skip
    text = (made.stdout + made.stderr).rstrip("\n")
    return made.returncode, text.split("\n") if text else []


def elided(expected: list[str], got: list[str]) -> list[str]:
    """Return the output, cut where the page cuts it: what stands before and after the first `…` keeps its length."""
    if ANYTHING not in expected or same(expected, got):
        return expected if same(expected, got) else got
    at = expected.index(ANYTHING)
    after = len(expected) - at - 1
    return [*got[:at], ANYTHING, *(got[-after:] if after else [])]


def same(expected: list[str], got: list[str]) -> bool:
    """Compare outputs, dates and versions aside; a line `…` stands for any number of lines."""
    if not expected:
        return not got
    if expected[0] == ANYTHING:
        return any(same(expected[1:], got[i:]) for i in range(len(got) + 1))
    return bool(got) and steady(expected[0]) == steady(got[0]) and same(expected[1:], got[1:])


def steady(line: str) -> str:
    """Return a line with what changes from run to run replaced."""
    for pattern, instead in CHANGING:
        line = pattern.sub(instead, line)
    return line


# --- what is generated ----------------------------------------------


def layout() -> str:
    """Return the rooms of the package and its root modules, each with the first sentence of its docstring."""
    lines = []
    for path in sorted([*SRC.glob("*.py"), *SRC.glob("*/**/__init__.py")], key=lambda p: (p.parent != SRC, p.parts)):
        if (path.parent / "store.toml").exists():
            continue  # the folder of one store, with the same names in each
        text = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").split("\n\n")[0]
        text = re.sub(r"\s+", " ", text)
        text = re.split(r"(?<=[a-z`)\d])[.;] ", text)[0].rstrip(".")
        name = path.name if path.parent == SRC else f"{path.parent.relative_to(SRC).as_posix()}/"
        line = f"{name:<24} {text}"
        lines.append(line if len(line) <= WIDTH else line[: WIDTH - 2].rsplit(" ", 1)[0] + " …")
    return "```text\n" + "\n".join(lines) + "\n```"


def categories() -> str:
    """Return the kinds of personal data, each with its detectors."""
    from plainview.detectors import categories as known
    from plainview.detectors import load_detectors

    rows = ["| category | in plain words | DPV concept | Art. 9 | detectors |", "|---|---|---|---|---|"]
    for kind in known().values():
        names = [f"`{d.name}`" for d in load_detectors() if d.category == kind.id]
        rows.append(
            f"| `{kind.id}` | {kind.label} | {kind.concept} | {'yes' if kind.special else ''} | {', '.join(names)} |"
        )
    return "\n".join(rows)


def identifiers() -> str:
    """Return the kinds of data that count people, the best first."""
    from plainview.detectors.identifying import identifying

    rows = ["| rank | kind | means the same person |", "|---|---|---|"]
    for kind in identifying().values():
        where = "everywhere" if kind.everywhere else "within one target"
        rows.append(f"| {kind.rank} | {kind.words} | {where} |")
    return "\n".join([*rows, "| last | names with dates of birth | everywhere |", "| | names alone | nowhere |"])


def severity() -> str:
    """Return the levels, the classes and the steps of the method."""
    from plainview.assess.severity import rules

    rows = ["| score | level | what it means |", "|---|---|---|"]
    before = 0.0
    for level in rules()["level"]:
        score = f"{before:g} to {level['below']:g}" if level["below"] < 9 else f"{before:g} and more"
        rows.append(f"| {score} | {level['name']} | {level['words']} |")
        before = level["below"]
    rows += ["", "| class | step | when | basis |", "|---|---|---|---|"]
    for kind in rules()["class"]:
        rows.append(f"| {kind['name']} | {kind['basic']} | {kind['words']} | standard |")
        for step in rules()["step"]:
            if step["class"] == kind["name"]:
                rows.append(f"| | {step['by']:+d} | {step['words']} | {step['basis']} |")
    rows += ["", "| EI | when | basis |", "|---|---|---|"]
    rows += [f"| {rule['value']:g} | {rule['words']} | {rule['basis']} |" for rule in rules()["identify"]]
    return "\n".join(rows)


def regimes() -> str:
    """Return the laws that may set a clock."""
    from plainview.assess.laws import regimes as known

    rows = ["| law | where | clock | not where | source |", "|---|---|---|---|---|"]
    for law in known()["regime"]:
        about = f"{law['source']} ({law['basis']})" + (f"; open: {law['open']}" if law["open"] else "")
        rows.append(f"| {law['name']} | {law['where']} | {law['clock']} | {law['threshold']} | {about} |")
    return f"As of {known()['as_of']}.\n\n" + "\n".join(rows)


def assumptions() -> str:
    """Return what can be assumed."""
    from plainview.assess.severity import rules

    rows = ["| `--assume` | what it says |", "|---|---|"]
    return "\n".join([*rows, *(f"| `{rule['say']}` | {rule['words']} |" for rule in rules()["assume"])])


def suffixes() -> str:
    """Return which endings of names stand for which kind, where the content leaves it open."""
    from plainview.files.kinds.signatures import SUFFIXES

    kinds: dict[str, list[str]] = {}
    for suffix, kind in SUFFIXES.items():
        kinds.setdefault(kind, []).append(f"`{suffix}`")
    return "\n".join(["| kind | endings |", "|---|---|", *(f"| {k} | {' '.join(v)} |" for k, v in kinds.items())])


def named() -> str:
    """Return the kinds of file that are named and not read."""
    from plainview.files.kinds.signatures import NAMED, ODF, OFFICE, OLE

    whys = {why for *_, why in (*NAMED, *OFFICE, *OLE, *ODF.values()) if why}
    return "\n".join(f"* {why}" for why in sorted(whys, key=str.casefold))


def model() -> str:
    """Return the report model, part by part, field by field."""
    from plainview.report.render.json_ import schema

    out: list[str] = []
    for name, part in schema()["$defs"].items():
        out += [f"### {name}", "", "| field | type | |", "|---|---|---|"]
        for field, about in part["properties"].items():
            out.append(f"| `{field}` | {_type(about)} | {about['description']} |")
        out.append("")
    return "\n".join(out).rstrip()


def _type(about: dict[str, object]) -> str:
    if "$ref" in about:
        return str(about["$ref"]).rsplit("/", 1)[-1]
    if "anyOf" in about:
        return " or ".join(_type(part) for part in about["anyOf"])  # type: ignore[attr-defined]
    if "enum" in about:
        return "one of " + ", ".join(f"`{word}`" for word in about["enum"])  # type: ignore[attr-defined]
    if about["type"] == "array":
        return f"list of {_type(about['items'])}"  # type: ignore[arg-type]
    return f"`{about['const']}`" if "const" in about else str(about["type"])


def stores() -> str:
    """Return the stores that this version reads: address, page, extra."""
    from plainview import catalog

    rows = ["| address | requests, traces, verdicts, how to close it | needs |", "|---|---|---|"]
    for kind, store in sorted(catalog.ours().items(), key=lambda item: item[0] == "fingerprint"):
        schemes = [f"`{name}://`" for name in store.schemes]
        page = ROOT / "docs" / "stores" / f"{kind}.md"
        title = page.read_text(encoding="utf-8").split("\n", 1)[0].lstrip("# ") if page.exists() else ""
        link = f"[{title}](docs/stores/{kind}.md)" if title else ""
        address = ", ".join(schemes) or "`host:port`: which store it is, is found out"
        rows.append(f"| {address} | {link} | {f'`plainview[{store.extra}]`' if store.extra else ''} |")
    return "\n".join(rows)


STAGES = {
    "access": "asked always, without any secret",
    "read": "asked to read what is inside",
    "fingerprint": "asked of a bare `host:port`, to learn that it is this store",
}


def requests(kind: str) -> str:
    """Return the declared requests of a store, by the stage in which they are sent."""
    from plainview.wire import probes

    rows = ["| request | why | trace |", "|---|---|---|"]
    for stage, words in STAGES.items():
        sent = [
            f"| {shown_request(probe)} | {probe.purpose} | {probe.footprint} |"
            for probe in probes.load(kind).values()
            if stage == ("fingerprint" if probe.id.startswith("fingerprint.") else probe.stage)
        ]
        rows += [f"| **{words}** | | |", *sent] if sent else []
    return "\n".join(rows)


def shown_request(probe: Probe) -> str:
    """Return a request as a table shows it, with the header that holds one of its parameters."""
    headers = [f"; `{name}: {value}`" for name, value in probe.headers.items() if "<" in value]
    return f"`{probe.template}`" + "".join(headers)


def bench() -> str:
    """Return the lines of bench/RESULTS.md in short: what, what it must reach, what was measured."""
    rows = ["| what | must reach | measured |", "|---|---|---|"]
    head: list[str] = []
    for line in (ROOT / "bench" / "RESULTS.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []
        if "what" in cells and "must" in cells:
            head = cells
        elif not cells:
            head = []
        elif head and not set(cells[0]) <= set("-: "):
            row = dict(zip(head, cells, strict=False))
            rows.append(f"| {row['what']} | {row['must']} | {row['measured']} |")
    return "\n".join(rows)


MADE: dict[str, Callable[..., str]] = {
    "layout": layout,
    "categories": categories,
    "suffixes": suffixes,
    "identifiers": identifiers,
    "severity": severity,
    "regimes": regimes,
    "assumptions": assumptions,
    "named": named,
    "model": model,
    "stores": stores,
    "requests": requests,
    "bench": bench,
}


def generated(text: str) -> str:
    """Return a page with its generated parts made anew."""
    return GENERATED.sub(lambda found: found[1] + MADE[found[2]](*filter(None, [found[3]])) + "\n" + found[4], text)


def refreshed(page: Path) -> str:
    """Return a page as it should be."""
    lines = page.read_text(encoding="utf-8").split("\n")
    with tempfile.TemporaryDirectory() as folder:
        place = workplace(page, Path(folder))
        for block in reversed([b for b in blocks(page) if is_run(b)]):
            lines[block.start : block.end] = played(block, place).split("\n")
    return generated("\n".join(lines))


def main() -> int:
    """Refresh all pages, or with --check tell which are off."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit status 1 when a page is off")
    check = parser.parse_args().check
    off = 0
    for page in pages():
        before, after = page.read_text(encoding="utf-8"), refreshed(page)
        if before != after:
            off += 1
            print(f"{page.relative_to(ROOT)}: {'off' if check else 'refreshed'}")
            print(*difflib.unified_diff(before.split("\n"), after.split("\n"), n=0, lineterm=""), sep="\n")
            if not check:
                page.write_text(after, encoding="utf-8")
    return int(bool(off and check))


if __name__ == "__main__":
    sys.exit(main())
