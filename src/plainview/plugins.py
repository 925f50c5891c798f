"""What other packages add to plainview: their entry points, by group.

Only found here. Where they are used they are loaded: a package that is broken is left out, and reported.
"""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from plainview.errors import PlainviewError, UsageError

DETECTORS = "plainview.detectors"
STORES = "plainview.stores"
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,40}")


@dataclass(frozen=True, slots=True)
class Plugin:
    """An entry point: its name, the module that it names, and the package that brought it."""

    name: str
    module: str
    package: str

    @property
    def title(self) -> str:
        """How messages name it."""
        return f"plugin {self.name} of {self.package}"


def installed(group: str) -> tuple[Plugin, ...]:
    """Return the plugins of a group, sorted by name. Where no package has any, nothing but folders is listed."""
    if not any(_mentions(folder, f"[{group}]".encode()) for folder in sys.path):
        return ()
    from importlib.metadata import entry_points

    found = {
        (point.name, point.value): Plugin(point.name, point.value, point.dist.name if point.dist else "?")
        for point in entry_points(group=group)
        if NAME.fullmatch(point.name)
    }
    return tuple(found[key] for key in sorted(found))


def folder(plugin: Plugin) -> Path:
    """Return the folder of the package that an entry point names. Imports what stands above it."""
    import importlib.util

    spec = importlib.util.find_spec(plugin.module)
    places = list(spec.submodule_search_locations or ()) if spec else []
    if not places:
        raise UsageError("its entry point names no package")
    return Path(places[0])


def why_not(error: BaseException) -> str:
    """Say why a plugin could not be used, without the text of an error that is none of ours."""
    return error.message if isinstance(error, PlainviewError) else f"{type(error).__name__} while it was loaded"


def _mentions(folder: str, section: bytes) -> bool:
    """Tell whether a package in a folder of the path has a section in its entry points."""
    try:
        entries = [
            entry.path for entry in os.scandir(folder or ".") if entry.name.endswith((".dist-info", ".egg-info"))
        ]
    except OSError:  # not there, or an archive: packages in it are not found
        return False
    for entry in entries:
        try:
            with open(os.path.join(entry, "entry_points.txt"), "rb", buffering=0) as file:  # noqa: PTH123, PTH118
                if section in file.read():
                    return True
        except OSError:
            continue
    return False
