"""Make src/plainview/detectors/snapshot.msgpack: all detectors and their folded names, ready to be loaded.

    python tools/make_snapshot.py

`hatch_build.py` runs it whenever the package is built or installed. It needs tomli and msgspec, nothing else.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

from plainview.detectors import DATA, read_folder, snapshot
from plainview.detectors.fieldnames import books_from, fold


def main() -> None:
    """Write the file beside its place and put it there in one step: a scan may read it meanwhile."""
    detectors = sorted(read_folder(DATA), key=lambda detector: detector.name)
    made = snapshot.PACKAGE / snapshot.FILE
    new = made.with_suffix(".new")
    folded = [fold(detector) for detector in detectors]
    new.write_bytes(snapshot.pack(snapshot.PACKAGE, detectors, books_from(detectors), folded))
    new.replace(made)


if __name__ == "__main__":
    main()
