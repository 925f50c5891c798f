"""The public interface: these names and no others, each there, none loaded before it is used."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import plainview

ROOT = Path(__file__).parents[2]
PUBLIC = """
    Credentials DetectorError Limits Match Options PlainviewError Progress Report Scope ScopeError TargetError
    UsageError WireLimits __version__ find load_credentials load_report load_scope parse_scope render report_schema scan
""".split()


def test_the_public_names_are_these() -> None:
    assert plainview.__all__ == PUBLIC
    assert all(getattr(plainview, name) is not None for name in PUBLIC)
    with pytest.raises(AttributeError, match="no attribute 'polars'"):
        _ = plainview.polars


def test_nothing_is_loaded_before_it_is_used() -> None:
    heavy = "{'polars', 'numpy', 'msgspec', 'plainview.pipeline', 'plainview.report', 'plainview.errors'}"
    code = f"import sys, plainview; print({heavy} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"


def test_what_the_documents_import_is_public() -> None:
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    assert len(pages) > 25
    deeper = [
        f"{page.name}: {line}"
        for page in pages
        for line in page.read_text(encoding="utf-8").splitlines()
        if re.match(r"\s*(?:from|import) plainview\.(?!testing\b|extend\b)", line)
    ]
    assert deeper == []
