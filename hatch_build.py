"""What hatchling does besides packing: it makes the snapshot of the detectors.

Where that fails, the package is built without, and reads its TOML files at the start of each run instead.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class SnapshotHook(BuildHookInterface):
    """Run before a wheel is built, one for an editable installation included."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        root = Path(self.root)
        (root / "src/plainview/detectors/snapshot.msgpack").unlink(missing_ok=True)
        tool = [sys.executable, "-B", str(root / "tools/make_snapshot.py")]  # its modules must not stay in this process
        ended = subprocess.run(tool, capture_output=True, text=True, check=False)
        if ended.returncode:
            reason = (ended.stderr.strip().splitlines() or ["no reason given"])[-1]
            self.app.display_warning(f"built without a snapshot of the detectors, plainview starts slower: {reason}")
