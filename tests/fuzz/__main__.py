"""Run fuzz targets: `python -m fuzz [--seconds N] [--jobs N] [TARGET...]` with `tests` on the path.

Each target runs in a process of its own, guided by coverage (atheris) where that is installed, else by
random changes. What fails is kept in `tests/fuzz/found/TARGET/`, one input for each place in the code, and
`python -m fuzz --input FILE TARGET` runs one of them again. Exit status 1 when anything failed.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

FOUND = Path(__file__).parent / "found"
SILENCE = 60  # seconds that one input may take before the process is ended
MEMORY = 3072  # MiB


def main() -> int:
    """Run what the arguments say."""
    parser = argparse.ArgumentParser(prog="fuzz")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--jobs", type=int, default=max(1, (os.cpu_count() or 2) // 2))
    parser.add_argument("--input", type=Path)
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("targets", nargs="*")
    given = parser.parse_args()
    if given.one:
        return one(given.targets[0], given.seconds)
    from .targets import TARGETS

    names = given.targets or list(TARGETS)
    if unknown := [name for name in names if name not in TARGETS]:
        parser.error(f"no such target: {', '.join(unknown)}; there are: {', '.join(TARGETS)}")
    if given.input:
        from .harness import check

        check(TARGETS[names[0]], given.input.read_bytes())
        return 0
    guided = find_spec("atheris") is not None
    print(f"{len(names)} targets, {given.seconds:g} s each,", "guided by coverage" if guided else "random", flush=True)
    with ThreadPoolExecutor(given.jobs) as pool:
        return max(pool.map(lambda name: apart(name, given.seconds), names))


def apart(name: str, seconds: float) -> int:
    """Run one target in a process, and say how it ended."""
    place = FOUND / name
    place.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "fuzz", "--one", "--seconds", str(seconds), name]
    with (place / "log").open("wb") as errors:
        try:
            ran = subprocess.run(command, stdout=subprocess.PIPE, stderr=errors, timeout=seconds + 300, check=False)
            status, out = ran.returncode, ran.stdout.decode("utf-8", "replace")
        except subprocess.TimeoutExpired:
            status, out = 1, "no end\n"
    print(out or f"{name}: ended with status {status}, see {place / 'log'}\n", end="", flush=True)
    return int(status != 0)


def one(name: str, seconds: float) -> int:
    """Run one target in this process."""
    if find_spec("atheris") is None:
        return unguided(name, seconds)
    import atheris

    with atheris.instrument_imports(include=["plainview"]):
        from .targets import TARGETS
    from .harness import LONGEST, Found, check

    target, found, count, start = TARGETS[name], Found(), 0, time.monotonic()

    def run(data: bytes) -> None:
        nonlocal count
        count += 1
        try:
            check(target, data)
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt | SystemExit):
                raise
            found.add(error, data)
        if time.monotonic() - start > seconds:
            status = report(name, count, time.monotonic() - start, found)
            sys.stdout.flush()
            os._exit(status)  # libFuzzer knows no other end

    corpus = FOUND / name / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for seed in target.seeds:
        (corpus / hashlib.sha1(seed, usedforsecurity=False).hexdigest()).write_bytes(seed)
    words = FOUND / name / "words"
    words.write_text("".join('"' + "".join(map("\\x{:02x}".format, word)) + '"\n' for word in dictionary(target.words)))
    options = (f"-timeout={SILENCE}", f"-rss_limit_mb={MEMORY}", f"-max_len={LONGEST}", "-print_final_stats=0")
    saved = (f"-artifact_prefix={FOUND / name}/", f"-dict={words}")
    atheris.Setup([sys.argv[0], *options, *saved, str(corpus)], run)
    atheris.Fuzz()
    return 0


def dictionary(words: tuple[bytes, ...]) -> list[bytes]:
    """Return the words of a target and those of all; libFuzzer takes up to 64 bytes each."""
    from .mutate import ODD

    return [word for word in (*ODD, *words) if len(word) <= 64]


def unguided(name: str, seconds: float) -> int:
    """Run one target on random changes of its seeds."""
    from .harness import Found, check
    from .mutate import mutations
    from .targets import TARGETS

    target, found, count, start = TARGETS[name], Found(), 0, time.monotonic()
    for data in mutations(target, time.time_ns(), 1 << 40):
        count += 1
        try:
            check(target, data)
        except Exception as error:  # noqa: BLE001  each is a finding
            found.add(error, data)
        if time.monotonic() - start > seconds:
            break
    return report(name, count, time.monotonic() - start, found)


def report(name: str, count: int, seconds: float, found: object) -> int:
    """Print the figures of a target, and keep what failed."""
    failures = found.failures  # type: ignore[attr-defined]
    print(f"{name}: {count:,} inputs in {seconds:.0f} s, {len(failures)} failures")
    for place, (text, data) in failures.items():
        path = FOUND / name / f"failed-{hashlib.sha1(place.encode(), usedforsecurity=False).hexdigest()[:12]}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        path.with_suffix(".txt").write_text(text)
        print(f"  {place}\n    {path}")
    return int(bool(failures))


if __name__ == "__main__":
    sys.exit(main())
