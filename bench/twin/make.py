#!/usr/bin/env python3
"""Write the invented city's documents as a folder of dumps: CSV, NDJSON, and either of them packed with gzip.

python bench/twin/make.py FOLDER [--scale 0.02]
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

from city import City
from indices import INDICES, Doc, Index


def documents(city: City, index: Index) -> Iterator[Doc]:
    """Yield the documents of an index at the scale of the city; there are always as many companies."""
    size = index.size if index.size == 976 else city.of(index.size)
    yield from index.docs(city, size)


def write(folder: Path, city: City) -> dict[str, str]:
    """Write a file for each index; return its table's name by the name of the index."""
    folder.mkdir(parents=True, exist_ok=True)
    made = {}
    for number, index in enumerate(INDICES):
        name = f"{index.name}{'.csv' if index.flat else '.ndjson'}{'.gz' if number % 3 != 2 else ''}"
        opener = gzip.open if name.endswith(".gz") else open
        with opener(folder / name, "wt", encoding="utf-8", newline="") as out:
            _lines(cast("IO[str]", out), documents(city, index), flat=index.flat)
        made[index.name] = name
    return made


def _lines(out: IO[str], docs: Iterator[Doc], *, flat: bool) -> None:
    if not flat:
        out.writelines(json.dumps(doc, ensure_ascii=False) + "\n" for doc in docs)
        return
    writer = csv.writer(out)
    for number, doc in enumerate(docs):
        if not number:
            writer.writerow(doc)
        writer.writerow(doc.values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--scale", type=float, default=1.0)
    options = parser.parse_args()
    for name in write(options.folder, City(options.scale)).values():
        print(name)


if __name__ == "__main__":
    main()
