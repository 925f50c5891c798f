"""Stores of other packages: a real one, installed beside plainview, is scanned like ours; a broken one costs itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import plainview.extend
from hostile.farm import Farm, Peer
from plainview import catalog, plugins
from plainview.testing import check_source, check_store, open_source
from plugins.packages import HERE, package, site

STORE = HERE / "shelfmark" / "shelf"
GOOD = (STORE / "store.toml").read_text()
ROWS = [{"id": str(n), "mail": f"reader{n}@example.org"} for n in range(40)]
__all__ = ["site"]


@contextmanager
def shelf(*, closed: bool = False) -> Iterator[int]:
    """Serve a shelf; closed, it asks for a token."""

    async def serve(peer: Peer) -> None:
        buffer = b""
        while True:
            buffer += await peer.get()
            while b"\r\n\r\n" in buffer:
                head, _, buffer = buffer.partition(b"\r\n\r\n")
                path = head.split(b" ")[1].decode()
                let_in = not closed or b"Basic cmVhZGVyOnMzY3JldA==" in head  # reader:s3cret
                answers = {"/": {}, "/tables": ["readers"], "/tables/readers": ROWS}
                status = 404 if path not in answers else 200 if let_in or path == "/" else 401
                body = json.dumps(answers.get(path) if status == 200 else {}).encode()
                lines = f"HTTP/1.1 {status} x\r\nServer: Shelf/1\r\nContent-Length: {len(body)}\r\n\r\n".encode()
                await peer.put(lines + body)

    with Farm() as farm:
        port, close = farm.serve(serve)
        try:
            yield port
        finally:
            close()


def scanned(address: str, *sites: Path, **env: str) -> tuple[int, dict[str, Any], str]:
    """Scan an address with these folders on the path; return the exit status, the target's report, the errors."""
    paths = os.pathsep.join([*map(str, sites), os.environ.get("PYTHONPATH", "")])
    ran = subprocess.run(
        [sys.executable, "-m", "plainview", "scan", address, "-q", "-f", "json"],
        env={**os.environ, "PYTHONPATH": paths, **env},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert "Traceback" not in ran.stderr
    return ran.returncode, json.loads(ran.stdout)["targets"][0] if ran.stdout else {}, ran.stderr


def found(target: dict[str, Any]) -> dict[str, str]:
    return {column["path"]: column["detector"] for table in target["tables"] for column in table["columns"]}


def test_an_installed_package_adds_a_store(site: Path) -> None:
    with shelf() as port:
        status, target, _ = scanned(f"shelf://127.0.0.1:{port}", site)
    assert (status, target["kind"], found(target)) == (1, "shelf", {"mail": "email_address"})
    assert target["exposure"]["state"] == "reads"
    assert {request["probe"] for request in target["exposure"]["footprint"]} == {
        "shelf.root",
        "shelf.control",
        "shelf.tables",
        "shelf.rows",
    }


def test_a_bare_port_is_known_to_be_it(site: Path) -> None:
    with shelf() as port:
        status, target, _ = scanned(f"127.0.0.1:{port}", site)
    assert (status, target["kind"], found(target)) == (1, "shelf", {"mail": "email_address"})
    assert target["exposure"]["evidence"][0] == "GET / was answered with the header Server: Shelf"


def test_its_credential_is_found_where_its_tools_have_it(site: Path) -> None:
    with shelf(closed=True) as port:
        status, target, _ = scanned(f"shelf://reader@127.0.0.1:{port}", site, SHELF_TOKEN="s3cret")
        without, closed, _ = scanned(f"shelf://127.0.0.1:{port}", site)
    assert (status, found(target)) == (1, {"mail": "email_address"})
    assert target["coverage"]["credential"] == "the environment variable SHELF_TOKEN"
    assert (without, closed["exposure"]["state"]) == (2, "auth_required")


def test_it_is_unknown_without_the_package(site: Path) -> None:
    status, _, errors = scanned("shelf://127.0.0.1:7117")
    assert status == 64
    assert "unknown kind of store" in errors
    status, _, errors = scanned("bookshelf://127.0.0.1:7117", site)
    assert "did you mean shelf://?" in errors


BROKEN = {
    "no such module": ("nowhere.at.all", {}, "ModuleNotFoundError while it was loaded"),
    "a module, no package": ("single", {"single.py": ""}, "its entry point names no package"),
    "raises": ("bad.store", {"bad/__init__.py": "raise ValueError('anna@example.org')"}, "ValueError while it was loaded"),
    "no store.toml": ("bad", {"bad/__init__.py": ""}, "store.toml cannot be read (FileNotFoundError)"),
    "no TOML": ("bad", {"bad/__init__.py": "", "bad/store.toml": "=="}, "store.toml: Invalid"),
    "no scheme": ("bad", {"bad/__init__.py": "", "bad/store.toml": "kind='x'\nsource='X'"}, "store.toml: no scheme"),
    "takes a scheme of ours": ("bad", {"bad/__init__.py": "", "bad/store.toml": GOOD.replace("shelf = { port", "redis = { port").replace('"shelf"', '"cup"')}, "store.toml: its kind or a scheme is that of another store"),
    "takes a kind of ours": ("bad", {"bad/__init__.py": "", "bad/store.toml": GOOD.replace('"shelf"', '"redis"')}, "store.toml: its kind or a scheme is that of another store"),
    "takes that of another": ("bad", {"bad/__init__.py": "", "bad/store.toml": GOOD}, "store.toml: its kind or a scheme is that of another store"),
}  # fmt: skip


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_package_is_told_and_the_others_are_used(tmp_path: Path, site: Path, how: str) -> None:
    module, files, why = BROKEN[how]
    bad = package(tmp_path / "bad", "zbroken", plugins.STORES, module, files)
    status, _, errors = scanned("nothing://127.0.0.1:1", site, bad)
    assert status == 64
    assert f"plugin zbroken of zbroken: its store is not used: {why}" in " ".join(errors.split())
    assert "anna" not in errors
    with shelf() as port:
        assert scanned(f"shelf://127.0.0.1:{port}", site, bad)[0] == 1


def test_signs_that_do_not_load_are_told_where_nothing_is_known(tmp_path: Path, site: Path) -> None:
    text = GOOD.replace("shelf", "cup").replace("headers = { server = 'Shelf/' }", "bytes = '('")
    bad = package(tmp_path / "bad", "zbroken", plugins.STORES, "bad", {"bad/__init__.py": "", "bad/store.toml": text})
    with shelf() as port:
        assert scanned(f"127.0.0.1:{port}", site, bad)[0] == 1
        status, target, _ = scanned(f"127.0.0.1:{port}", bad)
    assert status == 2
    assert "; the signs of cup do not load" in target["exposure"]["evidence"][0]


def test_the_store_passes_the_checks_for_its_own_tests(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert check_store(site / "shelfmark" / "shelf") == []
    monkeypatch.syspath_prepend(site)
    catalog.added.cache_clear()
    try:
        with shelf() as port:
            assert check_source(open_source(f"shelf://127.0.0.1:{port}"), canary="reader7@example.org") == []
    finally:
        catalog.added.cache_clear()


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("kind =", "kinds =", "store.toml: Object contains unknown field `kinds`"),
        ('stage = "read"', 'stage = "write"', "store.toml: shelf.rows: stage is access or read"),
        ('probe = "fingerprint.http"', 'probe = "fingerprint.https"', "fingerprint.https is not declared"),
        ("'Shelf/'", "'('", "store.toml: missing ), unterminated subpattern at position 0"),
        ('source = "ShelfSource"', 'source = "CupSource"', "no class CupSource in source.py"),
        ("[schemes]\nshelf = { port = 7117 }", "", "no scheme"),
    ],
)
def test_what_is_wrong_with_a_folder(tmp_path: Path, old: str, new: str, problem: str) -> None:
    (tmp_path / "source.py").write_text((STORE / "source.py").read_text())
    (tmp_path / "store.toml").write_text(GOOD.replace(old, new))
    assert check_store(tmp_path)[0] == problem


@pytest.mark.parametrize("kind", sorted(catalog.ours().keys() - {"fingerprint"}))
def test_the_stores_of_the_package_are_whole(kind: str) -> None:
    assert check_store(catalog.ours()[kind].folder) == []


def test_what_a_store_outside_imports_is_pinned() -> None:
    assert (
        sorted(plainview.extend.__all__, key=str.lower)
        == """
        Batch dressed LimitError NetworkSource Paging ProtocolError ReadLog RefusedError Table translate Unit
        UnreachableError UnsupportedError Verdict
    """.split()
    )
