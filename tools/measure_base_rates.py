"""Measure how often random text of each shape passes each detector, and store it beside the detectors.

    python tools/measure_base_rates.py            writes src/plainview/detectors/base_rates.json
    python tools/measure_base_rates.py --rows 500 --check    compares, writes nothing, exit status 1 when off

Deterministic: one seed. A figure is the share of `rows` random values that pass form and check; `given_form` is
the share of values of any shape that pass the check once they have the form.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import pathlib
import random
import string
import sys
import uuid
from collections import Counter
from collections.abc import Callable

from plainview.detectors import load_detectors, vocabulary
from plainview.matching.compiled import Matcher
from plainview.matching.shapes import SHAPES, shape_of
from plainview.matching.tagging import tag_values
from plainview.tags import TOKENS, formed_of, inside_of, passed_of

OUT = pathlib.Path(__file__).parent.parent / "src/plainview/detectors/base_rates.json"
LINES = 5  # times as many lines as values: what they hold by chance is rare
Rng = random.Random


def digits(rng: Rng, n: int) -> str:
    return "".join(rng.choices(string.digits, k=n))


def date(rng: Rng) -> dt.datetime:
    return dt.datetime(1990, 1, 1) + dt.timedelta(seconds=rng.randrange(36 * 365 * 86400))  # noqa: DTZ001


def words(rng: Rng, low: int, high: int, book: list[str]) -> str:
    text = " ".join(rng.choices(book, k=rng.randint(low, high)))
    return rng.choice((text, text.capitalize(), text.title()))


def grouped(rng: Rng) -> str:
    sep = rng.choice(" -/.")
    return sep.join(digits(rng, rng.randint(1, 6)) for _ in range(rng.randint(2, 4)))


def phoneish(rng: Rng) -> str:
    return rng.choice("+(") + "".join(rng.choices(string.digits * 3 + " -/.()", k=rng.randint(6, 16)))


def code(rng: Rng) -> str:
    alphabet = rng.choice((string.ascii_uppercase + string.digits, string.ascii_lowercase + string.digits))
    return rng.choice("-_/.:").join(
        "".join(rng.choices(alphabet, k=rng.randint(2, 8))) for _ in range(rng.randint(1, 4))
    )


def makers(book: list[str]) -> dict[str, Callable[[Rng], str]]:
    """A maker of random values for each shape."""
    made: dict[str, Callable[[Rng], str]] = {
        "uuid": lambda r: str(uuid.UUID(int=r.getrandbits(128))),
        "datetime": lambda r: date(r).strftime(r.choice(("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%SZ"))),
        "date": lambda r: date(r).strftime(r.choice(("%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%y"))),
        "time": lambda r: date(r).strftime(r.choice(("%H:%M:%S", "%H:%M"))),
        "dotted4": lambda r: ".".join(str(r.randrange(r.choice((10, 30, 60)))) for _ in range(4)),
        "dotted4wide": lambda r: ".".join(str(r.randrange(r.choice((10, 30, 100, 1000, 20000)))) for _ in range(4)),
        "dotted3": lambda r: ".".join(str(r.randrange(r.choice((10, 30, 100)))) for _ in range(3)),
        "decimal": lambda r: f"{r.uniform(0, 10 ** r.randint(0, 6)):.{r.randint(1, 8)}f}",
        "negative": lambda r: f"-{r.randrange(1, 10 ** r.randint(1, 9))}",
        "price": lambda r: f"{r.choice('$€£')}{r.uniform(0, 5000):.2f}",
        "grouped": grouped,
        "phoneish": phoneish,
        "hex": lambda r: f"{r.getrandbits(256):064x}"[: r.choice((8, 12, 16, 32, 40, 64))],
        "url": lambda r: "https://" + ".".join(r.choices(book, k=2)) + ".com/" + "/".join(r.choices(book, k=2)),
        "word": lambda r: words(r, 1, 1, book),
        "words": lambda r: words(r, 2, 4, book),
        "code": code,
        "sentence": lambda r: words(r, 6, 14, book) + f" {r.randrange(100)}",
        "other": lambda r: "".join(r.choices(string.printable.strip(), k=r.randint(3, 24))),
    }
    for n in range(1, 21):
        made[f"int{n}"] = lambda r, n=n: r.choice("123456789") + digits(r, n - 1)  # type: ignore[misc]
    made["int21"] = lambda r: digits(r, r.randint(21, 40))
    return made


def lines(kind: str, rng: Rng, book: list[str]) -> str:
    """A line of a log with ids of one sort, as it comes from programs that know nobody."""
    makers: dict[str, Callable[[], str]] = {
        "hex": lambda: f"{rng.getrandbits(256):064x}"[: rng.choice((8, 10, 12, 14, 16, 20, 24, 32, 40, 64))],
        "code": lambda: "".join(rng.choices(string.ascii_uppercase + string.digits, k=rng.randint(7, 16))),
        "digits": lambda: digits(rng, rng.randint(8, 20)),
    }
    parts = [rng.choice(book) + rng.choice("= -:/ #") + makers[kind]() for _ in range(rng.randint(2, 5))]
    return " ".join([f"{date(rng):%H:%M:%S}", rng.choice(book), *parts])


def measure_lines(rows: int, seed: int, matcher: Matcher, book: list[str]) -> dict[str, dict[str, float]]:
    """Return which share of such lines holds what a detector looks for, by detector and sort of ids (`in:hex`)."""
    rates: dict[str, dict[str, float]] = {}
    for kind in TOKENS:
        rng = Rng(f"{seed} lines {kind}")
        tagged = tag_values([lines(kind, rng, book) for _ in range(rows)], matcher)
        seen = Counter(name for tags in tagged for tag in tags if (name := inside_of(tag)) is not None)
        for name, count in seen.items():
            rates.setdefault(name, {})[f"in:{kind}"] = round(count / rows, 6)
    return rates


def measure(rows: int, seed: int = 20260) -> dict[str, dict[str, float]]:
    """Return rates by detector and shape, those of nothing left out."""
    loaded = load_detectors()
    matcher = Matcher(loaded)
    # Words of a table are not only those of a dictionary: places are, of all, most like names of people.
    plain = sorted(w for w in vocabulary("common_words") if w.isascii() and len(w) > 2)
    places = sorted(w for w in vocabulary("cities") if w.isascii() and w.isalpha())
    made = makers(plain + Rng(seed).sample(places, min(len(places), len(plain) // 3)))
    rates: dict[str, dict[str, float]] = {}
    form: Counter[str] = Counter()
    both: Counter[str] = Counter()
    for shape in SHAPES:
        rng = Rng(f"{seed} {shape}")
        values = []
        for _ in range(rows * 20):
            value = made[shape](rng) if shape in made else ""
            if value and shape_of(value) == shape:
                values.append(value)
                if len(values) == rows:
                    break
        if not values:
            continue
        seen: Counter[str] = Counter(tag for tags in tag_values(values, matcher) for tag in tags)
        for tag, count in seen.items():
            passed = passed_of(tag)
            name = passed if passed is not None else formed_of(tag)
            if name in matcher.rules and matcher.rules[name].check:
                form[name] += count
                both[name] += count if passed is not None else 0
            if passed is not None:
                rates.setdefault(passed, {})[shape] = round(count / len(values), 5)
    for name, count in form.items():
        if count >= 50:
            rates.setdefault(name, {})["given_form"] = round(both[name] / count, 5)
    for name, found in measure_lines(LINES * rows, seed, matcher, plain).items():
        rates.setdefault(name, {}).update(found)
    return {name: dict(sorted(rates[name].items())) for name in sorted(rates)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=4000)
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    rates = measure(args.rows)
    if args.check:
        stored = json.loads(OUT.read_text())["rates"]
        off = differences(stored, rates, args.rows)
        print("\n".join(off) or "all stored base rates hold")
        return bool(off)
    note = "measured by tools/measure_base_rates.py: share of random values of a shape that pass a detector"
    OUT.write_text(json.dumps({"note": note, "rows": args.rows, "rates": rates}, indent=1) + "\n")
    return 0


def differences(stored: dict[str, dict[str, float]], fresh: dict[str, dict[str, float]], rows: int) -> list[str]:
    """Say where a fresh measurement lies outside five standard errors of the stored figure."""
    off = []
    for name in sorted(stored.keys() | fresh.keys()):
        for shape in sorted(stored.get(name, {}).keys() | fresh.get(name, {}).keys()):
            if shape == "given_form":
                continue
            old, new = stored.get(name, {}).get(shape, 0.0), fresh.get(name, {}).get(shape, 0.0)
            error = 5 * (max(old, new, 1 / rows) * (1 - min(old, new)) / rows) ** 0.5 + 1 / rows
            if abs(old - new) > error:
                off.append(f"{name} on {shape}: stored {old}, now {new}")
    return off


if __name__ == "__main__":
    sys.exit(main())
