"""The snapshot of the detectors gives what the TOML files give, or is as if it was not there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from plainview import detectors
from plainview.detectors import DATA, load_detectors, read_folder, snapshot
from plainview.detectors.fieldnames import NameIndex, books_from, fold

ROOT = Path(__file__).parents[2]
BUILT_FROM = ("pyproject.toml", "hatch_build.py", "README.md", "LICENSE", "NOTICE", "tools/make_snapshot.py")
# Runs in a package of its own: which way the detectors came, and a digest of what they and their names are
SAY = """
import hashlib, sys
from plainview.detectors import load_detectors, snapshot
from plainview.detectors.fieldnames import NameIndex
loaded = load_detectors()
names = NameIndex(loaded)
said = repr((loaded, [(d.matches, d.non_matches, d.name_matches, d.name_non_matches) for d in loaded],
    *map(list, (names.entries.items(), names.unspaced.items(), names.tails.items())),
    [(k, sorted(v)) for k, v in names.vetoes.items()]))
print("snapshot" if snapshot.fresh(snapshot.PACKAGE) else "files", hashlib.sha256(said.encode()).hexdigest())
"""


def contents(index: NameIndex) -> tuple[object, ...]:
    return index.entries, index.unspaced, index.vetoes, index.tails, index.longest, index.longest_unspaced


@pytest.fixture(scope="module")
def made() -> bytes:
    """Return the content of a snapshot of the detectors as they are."""
    own = sorted(read_folder(DATA), key=lambda d: d.name)
    return snapshot.pack(snapshot.PACKAGE, own, books_from(own), [fold(d) for d in own])


@pytest.fixture
def package(tmp_path: Path, made: bytes) -> Path:
    """Return a copy of what detectors are loaded from, with a fresh snapshot."""
    copy = tmp_path / "src" / "plainview" / "detectors"
    ignored = shutil.ignore_patterns("vocabularies", "__pycache__", "snapshot.msgpack")
    shutil.copytree(snapshot.PACKAGE, copy, ignore=ignored)
    for name in ("__init__.py", "errors.py", "version.py"):
        shutil.copy(snapshot.PACKAGE.parent / name, copy.parent)
    (copy / snapshot.FILE).write_bytes(made)
    return copy


@pytest.fixture
def use_package(package: Path, monkeypatch: pytest.MonkeyPatch):
    """Return a function that loads the detectors of the copy anew, through its snapshot or not."""
    monkeypatch.setattr(snapshot, "_IN_USE", [])
    monkeypatch.setattr(detectors, "DATA", package / "data")
    monkeypatch.setattr(snapshot, "PACKAGE", package)
    yield lambda: (load_detectors.cache_clear(), load_detectors())[1]
    load_detectors.cache_clear()


def said_by(package: Path) -> list[str]:
    """Return what a process with this package says, and see that it wrote nothing into it."""
    before = sorted(package.parent.rglob("*"))
    env = {**os.environ, "PYTHONPATH": str(package.parents[1])}
    command = [sys.executable, "-B", "-W", "error", "-c", SAY]
    ran = subprocess.run(command, env=env, capture_output=True, text=True, check=True, timeout=60)
    assert ran.stderr == ""
    assert sorted(package.parent.rglob("*")) == before
    return ran.stdout.split()


def test_a_fresh_snapshot_gives_what_the_files_give(package: Path) -> None:
    how, loaded = said_by(package)
    assert how == "snapshot"
    (package / snapshot.FILE).unlink()
    assert said_by(package) == ["files", loaded]


def test_indexes_from_a_snapshot_and_from_files_are_equal(use_package) -> None:
    loaded = use_package()
    assert snapshot.folded_names(loaded[0]) is not None
    parsed = sorted(read_folder(DATA), key=lambda d: d.name)
    assert list(loaded) == parsed
    assert snapshot.folded_names(parsed[0]) is None
    assert contents(NameIndex(loaded)) == contents(NameIndex(parsed))
    assert list(NameIndex(loaded).entries) == list(NameIndex(parsed).entries)
    assert contents(NameIndex(loaded[7:40])) == contents(NameIndex(parsed[7:40]))


@pytest.mark.parametrize(
    "changed",
    ["data/bank_account_iban.toml", "__init__.py", "detector.py", "snapshot.py", "categories.csv", "fieldnames.py"],
)
def test_a_change_of_what_it_was_made_of_makes_it_stale(package: Path, changed: str) -> None:
    assert snapshot.fresh(package) is not None
    with (package / changed).open("a") as file:
        file.write("\n")
    assert snapshot.fresh(package) is None


@pytest.mark.parametrize("how", ["added", "removed", "renamed", "swapped", "moved"])
def test_another_set_of_files_makes_it_stale(package: Path, how: str) -> None:
    one, other = package / "data" / "bank_account_iban.toml", package / "data" / "email_address.toml"
    if how == "added":
        shutil.copy(one, one.with_stem("zz"))
    elif how == "removed":
        one.unlink()
    elif how == "renamed":
        one.rename(one.with_stem("zz"))
    elif how == "swapped":
        one_text, other_text = one.read_bytes(), other.read_bytes()
        one.write_bytes(other_text)
        other.write_bytes(one_text)
    else:  # the first line of a file to the end of the one before it
        files = sorted((package / "data").glob("*.toml"))
        before, after = files[3], files[4]
        first, rest = after.read_bytes().split(b"\n", 1)
        before.write_bytes(before.read_bytes() + first + b"\n")
        after.write_bytes(rest)
    assert snapshot.fresh(package) is None


def test_an_edited_detector_counts_at_once(package: Path, use_package) -> None:
    file = package / "data" / "bank_account_iban.toml"
    file.write_text(file.read_text().replace('label = "', 'label = "Edited ', 1))
    edited = next(d for d in use_package() if d.name == "bank_account_iban")
    assert edited.label.startswith("Edited ")
    assert snapshot.folded_names(edited) is None


@pytest.mark.parametrize("damage", ["empty", "cut", "longer", "bit", "digest", "other"])
def test_a_damaged_snapshot_is_none(package: Path, made: bytes, damage: str) -> None:
    middle = len(made) // 2
    content = {
        "empty": b"",
        "cut": made[:-1],
        "longer": made + b"\0",
        "bit": made[:middle] + bytes([made[middle] ^ 1]) + made[middle + 1 :],
        "digest": bytes([made[0] ^ 1]) + made[1:],
        "other": snapshot.digest(package, b"\x93\x01\x02\x03") + b"\x93\x01\x02\x03",  # whole, of another make
    }[damage]
    (package / snapshot.FILE).write_bytes(content)
    assert snapshot.fresh(package) is None


def test_a_snapshot_that_cannot_be_read_is_none(package: Path) -> None:
    (package / snapshot.FILE).unlink()
    (package / snapshot.FILE).mkdir()
    assert snapshot.fresh(package) is None


def test_own_detectors_replace_those_of_the_snapshot(use_package, tmp_path: Path) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    text = (DATA / "bank_account_iban.toml").read_text()
    (folder / "bank_account_iban.toml").write_text(text.replace("names = [", 'names = ["kontokennung", ', 1))
    (folder / "aaa.toml").write_text(text)
    package_only = use_package()
    loaded = load_detectors(folder)
    assert [d.name for d in loaded] == [*(d.name for d in package_only), "aaa"]  # no name decides who comes first
    replaced = next(d for d in loaded if d.name == "bank_account_iban")
    assert replaced.names[0] == "kontokennung"
    assert contents(NameIndex(loaded)) == contents(NameIndex([d if d is replaced else copied(d) for d in loaded]))
    assert "bank_account_iban" in {match.detector for match in NameIndex(loaded).match("kontokennung")}


def copied(detector: detectors.Detector) -> detectors.Detector:
    """Return an equal detector that no snapshot knows."""
    return detectors.Detector(**{name: getattr(detector, name) for name in (*detectors.KEYS, "name")})


# -- the build ----------------------------------------------------------------------------------------------


def build(folder: Path, env: dict[str, str]) -> tuple[set[str], str]:
    """Build a wheel of a copy of the checkout; return its files and what was said."""
    for name in BUILT_FROM:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    ignored = shutil.ignore_patterns("__pycache__", "snapshot.msgpack")
    shutil.copytree(ROOT / "src", folder / "src", ignore=ignored)
    shutil.copy(ROOT / ".gitignore", folder)
    command, env = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", "dist"], {**os.environ, **env}
    ran = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=100, check=False)
    assert ran.returncode == 0, ran.stderr
    with zipfile.ZipFile(next((folder / "dist").glob("*.whl"))) as wheel:
        names = set(wheel.namelist())
        if "plainview/detectors/snapshot.msgpack" in names:
            wheel.extractall(folder / "installed")
    return names, ran.stdout + ran.stderr


def test_the_wheel_brings_a_fresh_snapshot(tmp_path: Path, made: bytes) -> None:
    names, _ = build(tmp_path, {})
    assert "plainview/detectors/snapshot.msgpack" in names
    installed = tmp_path / "installed" / "plainview" / "detectors"
    assert (installed / snapshot.FILE).read_bytes() == made
    assert snapshot.fresh(installed) is not None


def test_a_build_without_libraries_is_one_without_a_snapshot(tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    missing.mkdir()
    (missing / "msgspec.py").write_text("raise ImportError('no msgspec here')\n")
    copy = tmp_path / "copy"
    copy.mkdir()
    names, said = build(copy, {"PYTHONPATH": str(missing)})
    assert "plainview/detectors/__init__.py" in names
    assert "plainview/detectors/snapshot.msgpack" not in names
    assert "built without a snapshot" in said
    assert "no msgspec here" in said
