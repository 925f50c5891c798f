"""Progress on a terminal."""

from __future__ import annotations

import sys
import threading

import pytest

from plainview.cli.progress import shown


def test_nothing_is_drawn_before_the_first_target(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing takes a thread, and workers can be forked only while there is none."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    before = threading.active_count()
    with shown(quiet=False) as progress:
        assert threading.active_count() <= before
        progress.on_target("exports/")
        assert threading.active_count() == before + 1
        progress.on_bytes(1)
    with shown(quiet=False):  # a run that ends before its first target
        pass
