"""The catalogue of stores: a store.toml says all, or does not load; nothing of it is read before it is asked for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from plainview import catalog
from plainview.catalog import read_store
from plainview.errors import StoreError
from plainview.stores.fingerprint.signs import table

GOOD = """
kind = "shelf"
source = "ShelfSource"

[schemes]
shelf = { port = 7117 }
shelfs = { port = 7118, tls = true }

[[probe]]
id = "shelf.list"
"""


def read(folder: Path, text: str) -> catalog.Store:
    (folder / catalog.FILE).write_text(text)
    return read_store(folder, "shelf")


def test_a_store(tmp_path: Path) -> None:
    store = read(tmp_path, GOOD)
    assert store.schemes == {"shelf": ("shelf", 7117, False, False), "shelfs": ("shelf", 7118, True, False)}
    assert store.lists == {"probe": [{"id": "shelf.list"}]}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "missing required field `kind`"),
        (GOOD.replace('"shelf"', '"../x"'), "kind or source is no name"),
        (GOOD.replace("ShelfSource", "a b"), "kind or source is no name"),
        ("schemas = 1\n" + GOOD, "unknown field `schemas`"),
        (GOOD.replace("7117", '"7117"'), r"Expected `int`, got `str` - at `\$.schemes"),
        (GOOD.replace("[schemes]", "[schemes"), "store.toml"),
        ("[file]\nform = 'ini'\nhome = '.x'\n" + GOOD, "Invalid enum value 'ini'"),
    ],
)
def test_a_store_that_does_not_load(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(StoreError, match=problem):
        read(tmp_path, text)


def test_a_list_that_nobody_knows(tmp_path: Path) -> None:
    store = read(tmp_path, GOOD + "[[signs]]\nname = 'x'\n")
    with pytest.raises(StoreError, match=r"unknown keys \['signs'\]"):
        _ = store.lists


def test_every_store_of_the_package_is_whole() -> None:
    for kind, store in catalog.ours().items():
        assert store.folder.endswith(f"/{kind}")
        assert store.lists["probe"]
        assert kind == "fingerprint" or kind in store.ports, "the guess for another word is a scheme"
    words = [word for store in catalog.ours().values() for word in (*store.ports, *store.also)]
    assert len(words) == len(set(words)) > 35


def test_steps_are_asked_by_rank_and_each_rank_once() -> None:
    ranks = [step.rank for step in table().steps]
    assert ranks == sorted(set(ranks))
    assert len(ranks) == 13
    assert min(ranks) > 0
    assert {sign.probe for sign in table().signs} == {step.probe for step in table().steps}


WORK = {
    "help": "import plainview.cli.command as c; c.build_parser().format_help()",
    "a file": "import plainview; plainview.render(plainview.scan('one.csv'), 'text')",
    "the command over a file": "import plainview.cli.command as c; c.main(['scan', '-q', 'one.csv'])",
}


@pytest.mark.parametrize("what", WORK)
def test_it_is_not_read_without_need(tmp_path: Path, what: str) -> None:
    (tmp_path / "one.csv").write_text("id,mail\n1,anna@example.org\n")
    watch = "import sys\nopened = []\nsys.addaudithook(lambda e, a: e == 'open' and opened.append(str(a[0])))\n"
    check = "\nassert opened\nassert not [f for f in opened if f.endswith('store.toml')]"
    subprocess.run([sys.executable, "-c", watch + WORK[what] + check], check=True, cwd=tmp_path)
