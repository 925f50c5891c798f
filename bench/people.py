"""Measure the counting of people against truth that is made here.

    python bench/people.py [--people 100000] [--seeds 20]

For each seed a truth is drawn: so many invented people in three tables that overlap by known amounts, with duplicates,
other spellings of addresses and telephone numbers, and rows that lack one. Printed: how often the truth lies between
the bounds, how wide they are, how far the estimate is off; for one table, for all three, and for a sample of rows.
With --cost FILE: the CPU seconds of a scan of FILE with and without the counting, the least of five.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

import plainview
import plainview.matching.batches as batches
from plainview.assess.people import people_of
from plainview.assess.totals import total_of
from plainview.crowds import Crowd
from plainview.distinct import Key
from plainview.pipeline.engine import Engine
from plainview.pipeline.options import Options
from plainview.report.model import People
from plainview.tables import ReadLog

BLOCK = 50_000


def table(members: np.ndarray, rng: np.random.Generator, kinds: tuple[str, ...], lacking: float = 0.0) -> pl.DataFrame:
    """Return the rows of people, a fifth of them twice in other spellings; of each kind a share is missing."""
    rows = np.concatenate([members, rng.choice(members, len(members) // 5)])
    rng.shuffle(rows)
    number = pl.Series(rows)
    second = pl.Series(rng.random(len(rows)) < 0.3)
    texts = pl.DataFrame({"n": number, "second": second}).with_columns(
        email=pl.when("second").then(pl.format("Nadia.Muster{}+shop@Firma.DE", "n")).otherwise(
            pl.format("nadia.muster{}@firma.de", "n")
        ),
        phone=pl.when("second").then(pl.format("+49 170 {}", pl.col("n") + 10_000_000)).otherwise(
            pl.format("0170/{}", pl.col("n") + 10_000_000)
        ),
        customer=pl.format("C-{}", "n"),
        total=pl.col("n") * 7 % 1000,
    )  # fmt: skip
    if lacking:
        empty = pl.Series(rng.random(len(rows)) < lacking)
        texts = texts.with_columns(email=pl.when(~empty).then("email"))
    return texts.select(*kinds, "total")


def count(engine: Engine, frame: pl.DataFrame, *, whole: bool = True) -> tuple[People, Crowd]:
    """Return what plainview counts in a table."""
    profiler = engine.profiler("customers", ReadLog())
    for block in frame.iter_slices(BLOCK):
        profiler.add(block)
    profiler.finish()
    people, crowd = people_of(profiler.total, engine.judge("customers", profiler.total), whole=whole)
    return people or People(), crowd


def trial(people: int, seed: int) -> Iterator[tuple[str, int, People]]:
    """Yield what was counted, the truth, and the count, for one seed."""
    rng = np.random.default_rng(seed)
    engine = Engine(key=Key(seed.to_bytes(4, "little")))
    everybody = rng.permutation(people * 3)[:people]
    first, second, third = (
        everybody[: people // 2],
        everybody[people // 3 : people * 3 // 4],
        everybody[people * 2 // 3 :],
    )
    one, crowd = count(engine, table(first, rng, ("email",)))
    yield "one table, e-mail addresses", len(first), one
    phones, _ = count(engine, table(first, rng, ("phone",)))
    yield "one table, telephone numbers", len(first), phones
    gaps, _ = count(engine, table(first, rng, ("email", "phone"), lacking=0.05))
    yield "5 % of the rows lack an address", len(first), gaps
    crowds = [
        crowd,
        count(engine, table(second, rng, ("email", "phone")))[1],
        count(engine, table(third, rng, ("phone",)))[1],
    ]
    yield "three tables, linked by two kinds", people, total_of(crowds) or People()
    sample = table(first, rng, ("email",)).sample(min(1000, len(first)), seed=seed)
    yield "a sample of 1,000 rows", len(first), count(engine, sample, whole=False)[0]


def report(people: int, seeds: int) -> None:
    """Print the table."""
    found: dict[str, list[tuple[int, People]]] = {}
    for seed in range(seeds):
        for name, truth, counted in trial(people, seed):
            found.setdefault(name, []).append((truth, counted))
    print(f"| {people:,} people, {seeds} seeds | truth in bounds | width | estimate off, median (largest) |")
    print("|---|---|---|---|")
    for name, counts in found.items():
        inside = sum(p.low <= truth <= (p.high if p.high is not None else truth) for truth, p in counts)
        widths = [(p.high - p.low) / truth for truth, p in counts if p.high is not None]
        off = [abs(p.estimate - truth) / truth for truth, p in counts if p.estimate is not None]
        width = f"{statistics.mean(widths):.1%}" if widths else "open"
        error = f"{statistics.median(off):.2%} ({max(off):.2%})" if off else "none given"
        print(f"| {name} | {inside} of {len(counts)} | {width} | {error} |")


def cost(path: Path) -> None:
    """Print what counting costs of a scan."""
    counting = batches.People
    without = with_it = 1e9
    for number in range(10):
        batches.People = counting if number % 2 else lambda key, plan: None  # type: ignore[assignment, misc]
        began = time.process_time()
        plainview.scan(path, options=Options(apart=False))
        spent = time.process_time() - began
        without, with_it = (without, min(with_it, spent)) if number % 2 else (min(without, spent), with_it)
    more = with_it / without - 1
    print(f"scan: {without:.2f} s of CPU without counting, {with_it:.2f} s with it: {more:.1%} more")


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--cost", type=Path)
    args = parser.parse_args()
    if args.cost:
        cost(args.cost)
    else:
        report(args.people, args.seeds)


if __name__ == "__main__":
    main()
