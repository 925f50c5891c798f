"""The table of RESULTS.md: what was promised, and what was measured."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

AIMS: dict[str, tuple[float, float]] = {  # line: what must be reached, and what is aimed at
    "csv": (2.5, 1.7),
    "ndjson": (2.5, 1.7),
    "parquet": (3.5, 2.5),
    "fastscrub": (2, 4),
    "presidio": (5_000, 30_000),
    "memory_csv": (1_000, 500),
    "memory_csv.gz": (1_000, 500),
    "memory_sql": (1_000, 500),
    "rate_sql": (0.15, 0.3),
    "rate_csv.gz": (0.4, 0.6),
    "small": (6, 3),
    "help": (20, 10),
    "public": (0, 0),
}
HEAD = """\
# Results

Written by `{command}`. {about}

Times are whole processes from start to end, the least of several runs in turn with what they are compared with.
A ratio in one run is what counts; the machine is shared, so the load average stands beside each line, and the
ratio of processor seconds, which other work on the machine hardly moves. All data is made by `make_data.py`.

| what | must | aim | measured | | of processor time | ours, s | theirs, s | load | when | seen |
|---|---|---|---|---|---|---|---|---|---|---|
"""


@dataclass
class Line:
    """One line of the table: the figure, the same in processor time, and seconds of both."""

    key: str
    what: str
    ratio: float
    cpu: float = 0.0
    ours: float = 0.0
    theirs: float = 0.0
    note: str = ""
    unit: str = ""
    date: str = ""
    load: float = 0.0
    commit: str = ""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}".rstrip("0").rstrip(".")


def verdict(key: str, value: float) -> str:
    """Say whether the line reaches what it must and what it aims at."""
    must, aim = AIMS[key]
    if not must:
        return ""
    lower = aim < must
    if value <= aim if lower else value >= aim:
        return "aim"
    return "must" if (value <= must if lower else value >= must) else "**missed**"


def write(path: Path, kept: dict[str, Any]) -> None:
    """Write RESULTS.md."""
    about = kept["about"]
    text = f"plainview {about['plainview']}, Polars {about['polars']}, Python {about['python']}; {about['machine']}."
    parts = [HEAD.format(command=kept["command"], about=text)]
    for key, (must, aim) in AIMS.items():
        if key not in kept["lines"]:
            continue
        line = Line(**kept["lines"][key])
        cells = [
            line.what,
            number(must) if must else "",
            number(aim) if aim else "",
            number(line.ratio) + (f" {line.unit}" if line.unit else ""),
            verdict(key, line.ratio),
            number(line.cpu) if line.cpu else "",
            number(line.ours) if line.ours else "",
            number(line.theirs) if line.theirs else "",
            number(line.load),
            line.date,
            line.note,
        ]
        parts.append("| " + " | ".join(cells) + " |\n")
    commits = sorted({line["commit"] for line in kept["lines"].values() if line.get("commit")})
    if len(commits) > 1:
        parts.append(f"\nThe lines were measured at different commits: {', '.join(commits)}.\n")
    if kept["score"]:
        parts.append("\n## Score on labelled data that nobody on the project made\n\n")
        parts.append("| figure | share | right | of | 95 % |\n|---|---|---|---|---|\n")
        parts += [
            f"| {name} | {f['share']:.4f} | {f['hits']} | {f['n']} | {f['low']:.3f} to {f['high']:.3f} |\n"
            for name, f in kept["score"].items()
        ]
    path.write_text("".join(parts), encoding="utf-8")
