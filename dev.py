#!/usr/bin/env python3
"""One door for people who build plainview. Needs only Python 3.11+ with pip; all else goes into `.venv`.

python3 dev.py demo        install, and scan examples/
python3 dev.py test        install, and run every check and test (what continuous integration runs)
python3 dev.py test -k csv          only these tests, without the other checks and without real servers
python3 dev.py test -k redis --servers      these tests, on real servers too
python3 dev.py fuzz [SECONDS] [TARGET...]   feed the parsers damaged bytes, each for a minute or so many seconds
python3 dev.py check       formatting, lint, types, import contracts, dead code
python3 dev.py refresh     what is derived: the snapshot and base rates of detectors, the schema, the documents
python3 dev.py wheel       build the wheel, install it into an empty environment, scan examples/ from there
python3 dev.py lock        renew requirements/*.txt (needs uv)
"""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import venv

ROOT = pathlib.Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = "Scripts" if os.name == "nt" else "bin"
PYTHON = VENV / BIN / "python"
# hundreds of tests start a process: each would compile what it imports
QUICK = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
FOUND = (1, 2)  # a scan of examples/ finds personal data; 2 because of a document in it that is named and not read


def run(*command: object, **options: object) -> int:
    """Run a command in the checkout and show it."""
    print("+", *command, flush=True)
    return subprocess.run([str(part) for part in command], cwd=ROOT, check=False, **options).returncode  # type: ignore[call-overload]


def must(*command: object) -> None:
    if status := run(*command):
        sys.exit(status)


def make_venv() -> None:
    """Make `.venv`; say what to do where Python came without pip, as on Debian."""
    try:
        venv.create(VENV, with_pip=True)
    except subprocess.CalledProcessError:
        shutil.rmtree(VENV, ignore_errors=True)
        sys.exit("this Python cannot make a virtual environment with pip in it; on Debian: apt install python3-venv")


def install(kind: str) -> None:
    """Make `.venv` hold exactly requirements/KIND.txt and the checkout itself; skip when it does."""
    wanted = ROOT / "requirements" / f"{kind}.txt"
    stamp = VENV / f".{kind}.stamp"
    state = wanted.read_text() + (ROOT / "pyproject.toml").read_text() + sys.version
    if PYTHON.exists() and stamp.exists() and stamp.read_text() == state:
        return
    print(f"installing what requirements/{kind}.txt pins into {VENV.name}/; this takes a minute", flush=True)
    if not PYTHON.exists():
        make_venv()
    pip = (PYTHON, "-m", "pip", "--quiet", "--disable-pip-version-check")
    must(*pip, "install", "--require-hashes", "-r", wanted)
    must(*pip, "install", "--no-deps", "--no-build-isolation", "-e", ".")
    stamp.write_text(state)


def demo(arguments: list[str]) -> int:
    """Scan the examples as a user would. Finding personal data is success here."""
    install("run")
    status = run(PYTHON, "-m", "plainview", "scan", "examples", *arguments)
    return 0 if status in FOUND else status or 70


def check() -> int:
    """Everything that needs no run of the program."""
    install("dev")
    failed = 0
    linted = ("src", "tests", "tools", "bench", "hatch_build.py")
    failed |= run(PYTHON, "-m", "ruff", "format", "--check", *linted, "dev.py")
    failed |= run(PYTHON, "-m", "ruff", "check", *linted)
    failed |= run(PYTHON, "-m", "mypy")
    failed |= run(VENV / BIN / "lint-imports")
    failed |= run(PYTHON, "-m", "vulture")
    return failed


def refresh() -> int:
    """Make anew all that is derived from other files; `git diff` then shows what changed."""
    install("dev")
    tools = ("make_snapshot", "measure_base_rates", "make_schema", "refresh_docs")
    return max(run(PYTHON, ROOT / "tools" / f"{tool}.py") for tool in tools)


def test(arguments: list[str]) -> int:
    """All checks and tests; with arguments only pytest with those, on real servers where `--servers` says so."""
    install("dev")
    if arguments:
        served = "--servers" in arguments
        chosen = [argument for argument in arguments if argument != "--servers"]
        return run(
            PYTHON, "-m", "pytest", *chosen, *([] if served or "-m" in chosen else ["-m", "not servers"]), env=QUICK
        )
    failed = check()
    workers = min(4, os.cpu_count() or 1)  # each may have servers that take a gigabyte
    failed |= run(PYTHON, "-m", "pytest", "-n", workers, "--dist", "loadgroup", "--no-loadscope-reorder", env=QUICK)
    failed |= wheel()
    print("FAILED" if failed else "all passed", flush=True)
    return failed


def fuzz(arguments: list[str]) -> int:
    """Run the fuzz targets; what fails is kept in tests/fuzz/found/, one input for each place in the code."""
    install("dev")
    install("fuzz")  # guided by coverage where there is a wheel of atheris, by chance alone elsewhere
    if arguments and arguments[0].isdigit():
        arguments = ["--seconds", *arguments]
    return run(PYTHON, "-m", "fuzz", *arguments, env={**os.environ, "PYTHONPATH": str(ROOT / "tests")})


def wheel() -> int:
    """Build the wheel and use it where nothing else is installed."""
    install("dev")
    with tempfile.TemporaryDirectory() as folder:
        must(PYTHON, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", folder, ".")
        built = next(pathlib.Path(folder).glob("*.whl"))
        empty = pathlib.Path(folder, "empty")
        venv.create(empty, with_pip=True)
        python = empty / BIN / "python"
        pip = (python, "-m", "pip", "--quiet", "--disable-pip-version-check", "install")
        must(*pip, "--require-hashes", "-r", ROOT / "requirements" / "run.txt")
        must(*pip, "--no-deps", built)
        report = pathlib.Path(folder, "report.json")
        status = run(python, "-I", "-m", "plainview", "scan", ROOT / "examples", "-f", "json", "-o", report)
        return 0 if status in FOUND and report.stat().st_size > 1000 else 1


def lock() -> int:
    """Pin every version with hashes; no host is named in the files."""
    compile_ = (
        "uv",
        "pip",
        "compile",
        "--quiet",
        "--generate-hashes",
        "--no-emit-index-url",
        "--no-header",
        "--universal",
    )
    options = ("--python-version", "3.11", "--upgrade", "pyproject.toml", "requirements/build.in")
    kinds = {"run": ("--all-extras",), "dev": ("--all-extras", "requirements/dev.in")}
    failed = max(run(*compile_, *options, *more, "-o", f"requirements/{kind}.txt") for kind, more in kinds.items())
    alone = ("--python-version", "3.11", "--upgrade", "requirements/fuzz.in", "-o", "requirements/fuzz.txt")
    return max(failed, run(*compile_, *alone))


def main() -> int:
    if sys.version_info < (3, 11):
        sys.exit(f"plainview needs Python 3.11 or newer; this is {sys.version.split()[0]}")
    command, arguments = (sys.argv[1] if len(sys.argv) > 1 else "help"), sys.argv[2:]
    jobs = {
        "demo": lambda: demo(arguments),
        "test": lambda: test(arguments),
        "fuzz": lambda: fuzz(arguments),
        "check": check,
        "refresh": refresh,
        "wheel": wheel,
        "lock": lock,
    }
    if command not in jobs:
        print(__doc__)
        return 0 if command == "help" else 64
    return jobs[command]()


if __name__ == "__main__":
    sys.exit(main())
