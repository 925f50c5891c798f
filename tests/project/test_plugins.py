"""Packages of others: a real one, installed beside plainview, is used; a broken one is told and ends nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from plainview import plugins
from plugins.packages import HERE, package, site

__all__ = ["site"]
ROWS = "id,leserausweis\n" + "".join(f"{n},RC-{n}-AB\n" for n in range(1000, 1040))


def scanned(folder: Path, *sites: Path) -> tuple[int, dict[str, Any]]:
    """Scan a table of reader's cards with these folders on the path; return the exit status and the target's report."""
    (folder / "readers.csv").write_text(ROWS)
    command = [sys.executable, "-m", "plainview", "scan", "readers.csv", "-q", "-f", "json"]
    paths = os.pathsep.join([*map(str, sites), os.environ.get("PYTHONPATH", "")])
    ran = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert "Traceback" not in ran.stderr
    return ran.returncode, json.loads(ran.stdout)["targets"][0]


def found(target: dict[str, Any]) -> dict[str, str]:
    return {column["path"]: column["detector"] for table in target["tables"] for column in table["columns"]}


def test_an_installed_package_adds_its_detectors(tmp_path: Path, site: Path) -> None:
    assert scanned(tmp_path)[0] == 0
    status, target = scanned(tmp_path, site)
    assert (status, found(target)) == (1, {"leserausweis": "reader_card"})
    assert target["coverage"]["skipped"] == []


GOOD = (HERE / "shelfmark" / "detectors" / "reader_card.toml").read_text()
BROKEN = {
    "no such module": ("nowhere.at.all", {}, "ModuleNotFoundError while it was loaded"),
    "a module, no package": ("single", {"single.py": ""}, "its entry point names no package"),
    "raises": ("bad.detectors", {"bad/__init__.py": "raise ValueError('anna@example.org')"}, "ValueError while it was loaded"),
    "ends the process": ("bad.detectors", {"bad/__init__.py": "import sys; sys.exit(0)"}, "SystemExit while it was loaded"),
    "empty": ("bad", {"bad/__init__.py": ""}, "its package holds no *.toml"),
    "no TOML": ("bad", {"bad/__init__.py": "", "bad/x.toml": "=="}, "x.toml"),
    "takes a name": ("bad", {"bad/__init__.py": "", "bad/email_address.toml": GOOD}, "has the name of a detector of plainview"),
    "fails its examples": ("bad", {"bad/__init__.py": "", "bad/x.toml": GOOD.replace("RC-", "RD-", 1)}, "fails its own examples"),
    "a pattern that is none": ("bad", {"bad/__init__.py": "", "bad/x.toml": GOOD.replace("RC-", "(", 1)}, "x.toml"),
}  # fmt: skip


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_package_is_told_and_the_others_are_used(tmp_path: Path, site: Path, how: str) -> None:
    module, files, why = BROKEN[how]
    bad = package(tmp_path / "bad", "abroken", plugins.DETECTORS, module, files)
    status, target = scanned(tmp_path, site, bad)
    assert (status, found(target)) == (2, {"leserausweis": "reader_card"})
    [skipped] = target["coverage"]["skipped"]
    assert skipped["what"] == "plugin abroken of abroken"
    assert skipped["why"].startswith("its detectors are not used: ")
    assert why in skipped["why"]
    assert "anna" not in json.dumps(target)


def test_two_packages_cannot_have_a_detector_of_one_name(tmp_path: Path, site: Path) -> None:
    other = package(
        tmp_path / "other",
        "zother",
        plugins.DETECTORS,
        "zother",
        {"zother/__init__.py": "", "zother/reader_card.toml": GOOD},
    )
    status, target = scanned(tmp_path, site, other)
    assert (status, found(target)) == (2, {"leserausweis": "reader_card"})
    assert "has the name of a detector of shelfmark" in target["coverage"]["skipped"][0]["why"]


def test_nothing_is_loaded_where_no_package_has_an_entry_point() -> None:
    code = (
        "import sys; from plainview import plugins\n"
        "assert plugins.installed('plainview.nothing') == ()\n"
        "print('importlib.metadata' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"
