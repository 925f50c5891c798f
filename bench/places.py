"""Open data about places: how much of what is reported is personal, and how many harmless columns are left alone.

    python bench/places.py [--show] [--json FILE]

A hundred tables as portals publish them, in ten languages, made from `places.txt`: stations, clinics, schools, shops,
cameras, trees, sensors, agencies, equipment, accidents, each with its own choice of columns. Addresses, positions,
telephones and mailboxes are those of the place. Some tables hold a person: who is in charge, or the driver's age.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import random

from plainview.pipeline.scanner import Scanner
from wide import PLANS, Words, judge, person

LANGUAGES = "en de fr es pt it nl pl sv ja".split()
KINDS = "station clinic school shop camera tree sensor agency equipment accident".split()
ROWS = 90
MAILBOXES = ("info", "office", "kontakt", "contact")
PERSONAL = {"person": {"person_name"}, "driver_age": {"age", "birth_date"}}
OF = {  # the columns of each kind of table
    "station": "id name address city postcode lat lon operator kind opened",
    "clinic": "id name address city postcode region phone email web hours person lat lon",
    "school": "name address postcode city region phone email web size person opened",
    "shop": "id name kind address city postcode phone web hours lat lon opened",
    "camera": "id address city lat lon kind opened",
    "tree": "id name address city lat lon size opened",
    "sensor": "id name operator lat lon region opened phone email",
    "agency": "name address postcode city phone email web hours person",
    "equipment": "id name address city postcode phone hours operator lat lon",
    "accident": "id address city lat lon opened driver_age kind",
}  # fmt: skip


def read(
    path: pathlib.Path,
) -> tuple[
    dict[str, list[str]],
    dict[str, tuple[list[str], list[str]]],
    dict[str, list[list[str]]],
]:
    """Return field names by field, table names and words by kind of row, places and streets by language."""
    fields: dict[str, list[str]] = {}
    kinds: dict[str, tuple[list[str], list[str]]] = {}
    places: dict[str, list[list[str]]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            what, *rest = line.split("|")
            if what == "places":
                places[rest[0]] = [part.split(";") for part in rest[1:]]
            elif what in KINDS:
                kinds[what] = (rest[0].split(";"), rest[1].split(";"))
            else:
                fields[what] = rest[0].split(";")
    return fields, kinds, places


def cell(
    field: str,
    language: str,
    word: str,
    places: list[list[str]],
    words: Words,
    rng: random.Random,
) -> str:
    """Return one value."""
    place, country = rng.choice(places[0]), PLANS[language].partition(" ")[0]
    rules = {
        "id": lambda: f"{rng.randrange(10_000, 99_999)}",
        "name": lambda: {"ja": f"{place}{word}", "en": f"{place} {word}"}.get(language, f"{word} {place}"),
        "address": lambda: rng.choice(places[1]) % rng.randrange(1, 200),
        "city": lambda: place,
        "region": lambda: place,
        "postcode": lambda: f"{rng.randrange(10_000, 99_999)}",
        "lat": lambda: f"{rng.uniform(36, 60):.6f}",
        "lon": lambda: f"{rng.uniform(-9, 25):.6f}",
        "phone": lambda: f"{country} {rng.randrange(20, 99)} {rng.randrange(100, 999)} {rng.randrange(1000, 9999)}",
        "email": lambda: f"{rng.choice(MAILBOXES)}@site{rng.randrange(999)}.example.org",
        "web": lambda: f"https://www.site{rng.randrange(999)}.example.org/",
        "hours": lambda: f"0{rng.randrange(7, 10)}:00-{rng.randrange(15, 22)}:00",
        "operator": lambda: f"{place} {rng.choice(('GmbH', 'Ltd', 'S.A.', 'AB'))}",
        "kind": lambda: rng.choice("ABCD"),
        "opened": lambda: f"{rng.randrange(1955, 2024)}-{rng.randrange(1, 13):02d}-{rng.randrange(1, 29):02d}",
        "size": lambda: str(rng.randrange(10, 900)),
        "person": lambda: person(words, language, rng),
        "driver_age": lambda: str(rng.randrange(17, 90)),
    }  # fmt: skip
    return rules[field]()


def measure() -> tuple[dict[str, int], list[str], list[tuple[float, bool]]]:
    """Judge all tables: counts, what was wrong, and (confidence, right) of each finding."""
    here = pathlib.Path(__file__)
    fields, kinds, places = read(here.with_suffix(".txt"))
    words, scanner = Words(here.with_name("wide.txt")), Scanner()
    counts, wrong, sure = (
        dict.fromkeys(("reported", "personal", "harmless", "alone", "people", "found"), 0),
        [],
        [],
    )
    for at, language in enumerate(LANGUAGES):
        for kind in KINDS:
            rng = random.Random(f"{kind} {language}")
            own = OF[kind].split()
            columns = {
                fields[f][at]: [
                    cell(f, language, kinds[kind][1][at], places[language], words, rng) for _ in range(ROWS)
                ]
                for f in own
            }
            got = judge(scanner, columns, f"{kinds[kind][0][at]}.csv")
            for field in own:
                said = got.get(fields[field][at], [])
                wanted = PERSONAL.get(field, set())
                right = [category in wanted for category, _ in said]
                sure += [(confidence, ok) for (_, confidence), ok in zip(said, right, strict=True)]
                counts["reported"] += len(said)
                counts["personal"] += sum(right)
                counts["people" if wanted else "harmless"] += 1
                counts["found" if wanted else "alone"] += any(right) if wanted else not said
                if (wanted and not any(right)) or (said and not all(right)):
                    wrong.append(f"{language} {kind} {field} {fields[field][at]}: {said}")
    return counts, wrong, sure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--show", action="store_true", help="each miss and false alarm")
    parser.add_argument(
        "--json",
        type=pathlib.Path,
        help="(confidence, right) of each finding, for calibration.py",
    )
    args = parser.parse_args()
    counts, wrong, sure = measure()
    print(
        f"precision over what is reported: {counts['personal']} of {counts['reported']}, ",
        end="",
    )
    print(f"{counts['personal'] / max(1, counts['reported']):.2f}")
    print(f"harmless left alone: {counts['alone']} of {counts['harmless']}, {counts['alone'] / counts['harmless']:.4f}")
    print(f"personal found: {counts['found']} of {counts['people']}")
    if args.show:
        print(*wrong, sep="\n")
    if args.json:
        args.json.write_text(json.dumps(sure))


if __name__ == "__main__":
    main()
