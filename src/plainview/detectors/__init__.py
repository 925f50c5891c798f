"""Stage 2: what to look for. A detector is DATA: one TOML file for one kind of personal data.

Keys of the file are the fields of `detector.Detector`; `docs/detectors.md` explains each. A file without both
kinds of example (one that must match, one that must not) does not load, and `verify` runs them.
"""

from __future__ import annotations

import csv
import functools
import json
from collections.abc import Mapping
from dataclasses import astuple, dataclass, fields, replace
from pathlib import Path
from typing import Any

from plainview.detectors.detector import Detector as Detector
from plainview.detectors.snapshot import package_detectors
from plainview.errors import DetectorError

DATA = Path(__file__).parent / "data"
VOCABULARIES = Path(__file__).parent / "vocabularies"


KEYS = {f.name for f in fields(Detector)} - {"name"}
# Detectors that need a field name, whose share of a column's values speaks for another one all the same (`classify`)
BY_FORM = frozenset({"telephone_number_plain", "telephone_number_national"})
FLAGS = ("in_text", "needs_name", "needs_person")
TUPLES = {f.name for f in fields(Detector) if str(f.type).startswith("tuple")}


def parse_detector(path: Path) -> Detector:
    """Read one TOML file. Raises DetectorError that names the file and the key."""
    import tomli

    try:
        raw: dict[str, Any] = tomli.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeError, tomli.TOMLDecodeError) as error:
        raise DetectorError(f"{path.name}: {type(error).__name__}: {error}") from None
    if "pattern" in raw:
        raw["patterns"] = [raw.pop("pattern"), *raw.get("patterns", [])]
    for key, value in raw.items():
        if key not in KEYS:
            raise DetectorError(f"{path.name}: unknown key {key!r}", hint="keys: " + ", ".join(sorted(KEYS)))
        wanted = list if key in TUPLES else bool if key in FLAGS else str
        if not isinstance(value, wanted):
            raise DetectorError(f"{path.name}: {key} must be a {wanted.__name__}")
        if isinstance(value, list) and not all(isinstance(item, str) for item in value):
            raise DetectorError(f"{path.name}: {key} must be a list of strings")
    for key in ("label", "category"):
        if not raw.get(key):
            raise DetectorError(f"{path.name}: {key} is missing")
    values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in raw.items()}
    made = Detector(name=path.stem, **values)
    _require_examples(made, path.name)
    return made


def _require_examples(detector: Detector, file: str) -> None:
    if not detector.names and not detector.has_values:
        raise DetectorError(f"{file}: needs names, a pattern or a vocabulary")
    if detector.has_values and not (detector.matches and detector.non_matches):
        raise DetectorError(f"{file}: needs examples in matches and in non_matches")
    if detector.names and not (detector.name_matches and detector.name_non_matches):
        raise DetectorError(f"{file}: needs examples in name_matches and in name_non_matches")
    if detector.category not in categories():
        raise DetectorError(f"{file}: unknown category {detector.category!r}", hint="see `plainview detectors list`")


def read_folder(folder: Path) -> tuple[Detector, ...]:
    """Read all TOML files of a folder. Raises DetectorError."""
    return tuple(parse_detector(path) for path in sorted(folder.glob("*.toml")))


@functools.cache
def load_detectors(*folders: Path) -> tuple[Detector, ...]:
    """Load the detectors of the package, sorted by name, and behind them those of `folders`.

    A file replaces one of the same name and category that was loaded before it. One of the package that only has the
    same name stays: then the name of the user's own is `NAME (own)`. The order of the own ones follows what they say
    and not their names, so that no name decides where two detectors fit alike.
    """
    if not folders:
        package = package_detectors() or read_folder(DATA)
        return tuple(sorted(package, key=lambda detector: detector.name))
    found = {detector.name: detector for detector in load_detectors()}
    own: dict[str, Detector] = {}
    for detector in (detector for folder in folders for detector in read_folder(folder)):
        known = found.get(detector.name)
        if known is not None and known.category != detector.category:
            detector = replace(detector, name=f"{detector.name} (own)")
        own[detector.name] = detector
    for detector in sorted(own.values(), key=lambda detector: astuple(replace(detector, name=""))):
        found[detector.name] = detector  # one that replaces another stands in its place
    return tuple(found.values())


@dataclass(frozen=True, slots=True)
class Category:
    """A kind of personal data in the words of the W3C Data Privacy Vocabulary."""

    id: str
    concept: str
    special: bool
    label: str


@functools.cache
def categories() -> dict[str, Category]:
    """All kinds of personal data that the program knows, by id."""
    with (Path(__file__).parent / "categories.csv").open(encoding="utf-8", newline="") as file:
        return {
            row["category"]: Category(
                row["category"],
                row["dpv_concept"],
                row["special_category"] == "true",
                row.get("label") or row["category"].replace("_", " "),
            )
            for row in csv.DictReader(file)
        }


@functools.cache
def base_rates() -> dict[str, dict[str, float]]:
    """Share of random values of a shape that pass a detector, by detector and shape (measured by script)."""
    path = Path(__file__).parent / "base_rates.json"
    rates: dict[str, dict[str, float]] = json.loads(path.read_text(encoding="utf-8"))["rates"]
    return rates


def chance(detector: str, shapes: Mapping[str, int]) -> float:
    """Return the share of random values that would pass, for values of these shapes (shape -> how many)."""
    rates, total = base_rates().get(detector), sum(shapes.values())
    if not rates or not total:
        return 0.0
    return min(0.999, sum(rates.get(shape, 0.0) * n for shape, n in shapes.items()) / total)


def vocabulary_text(name: str) -> str:
    """Return the entries of a vocabulary, one a line, sorted by code point: casefolded, NFKC. Raises DetectorError."""
    try:
        return (VOCABULARIES / f"{name}.txt").read_text(encoding="utf-8")
    except OSError:
        raise DetectorError(f"no vocabulary {name!r}") from None


@functools.cache
def vocabulary(name: str) -> frozenset[str]:
    """Return the entries of a vocabulary as a set. `words.BOOKS` answers sooner where few are asked for."""
    return frozenset(filter(None, vocabulary_text(name).split("\n")))
