"""The house: no circle of files anywhere. The rooms and their arrows are import contracts in pyproject.toml."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp
import pytest

import plainview
from plainview import catalog


def imports(package: str) -> dict[str, set[str]]:
    """Return what each module imports, also inside of functions and for type checkers alone."""
    graph = grimp.build_graph(package, exclude_type_checking_imports=False, cache_dir=None)
    return {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}


def circle(found: dict[str, set[str]]) -> list[str]:
    """Return the modules of one circle, or nothing."""
    try:
        TopologicalSorter(found).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_store_knows_another_and_nothing_knows_a_store() -> None:
    kinds = set(catalog.ours()) - {"fingerprint"}
    assert len(kinds) > 13
    crossing, inside = [], 0
    for module, imported in imports("plainview").items():
        for other in imported:
            store = other.split(".")[2] if other.startswith("plainview.stores.") else ""
            if store in kinds:
                inside += 1
                if not f"{module}.".startswith(f"plainview.stores.{store}."):
                    crossing.append(f"{module} -> {other}")
    assert inside > 30, "the check saw less than the stores"
    assert crossing == []


def test_no_circle_of_files() -> None:
    found = imports("plainview")
    files = list(Path(plainview.__file__).parent.rglob("*.py"))
    assert len(found) == len(files) > 190, "the check saw less than the package"
    assert sum(map(len, found.values())) > 550, "the check saw less than the imports"
    assert not circle(found)


@pytest.mark.parametrize(
    "back",
    [
        "from circling import one",
        "def later():\n    from circling.one import x",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from circling.one import x",
    ],
)
def test_the_check_sees_every_circle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, back: str) -> None:
    package = tmp_path / "circling"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "one.py").write_text("import circling.two\nx = 1\n")
    (package / "two.py").write_text(back)
    monkeypatch.syspath_prepend(tmp_path)
    assert set(circle(imports("circling"))) == {"circling.one", "circling.two"}
