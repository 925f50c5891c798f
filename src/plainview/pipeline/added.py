"""Detectors of other packages: folders of TOML files that are found by entry points and may replace none of ours.

What of them cannot be used is left out, which is reported; the run goes on. Nothing of this costs anything where no
package has such an entry point.
"""

from __future__ import annotations

from pathlib import Path

from plainview import plugins
from plainview.errors import DetectorError, PlainviewError


def added_detectors() -> tuple[tuple[Path, ...], tuple[tuple[str, str], ...]]:
    """Return the folders of the plugins that can be used, and (plugin, why) of the others."""
    folders: list[Path] = []
    problems: list[tuple[str, str]] = []
    found = plugins.installed(plugins.DETECTORS)
    names = _names_of_ours() if found else {}
    for plugin in found:
        try:
            folder = plugins.folder(plugin)
            names |= dict.fromkeys(_new_names(folder, names), plugin.package)
            folders.append(folder)
        except (Exception, SystemExit) as error:  # noqa: BLE001  code of others: whatever it raises, the run goes on
            problems.append((plugin.title, f"its detectors are not used: {plugins.why_not(error)}"))
    return tuple(folders), tuple(problems)


def _names_of_ours() -> dict[str, str]:
    """Return the names of the package's detectors, each with whose it is."""
    from plainview.detectors import load_detectors

    return dict.fromkeys((detector.name for detector in load_detectors()), "plainview")


def _new_names(folder: Path, known: dict[str, str]) -> list[str]:
    """Return the names of the detectors of a folder. Raises DetectorError where one is known or fails an example."""
    from plainview.detectors import read_folder
    from plainview.matching.verify import failures

    loaded = read_folder(folder)
    if not loaded:
        raise DetectorError("its package holds no *.toml")
    for detector in loaded:
        if whose := known.get(detector.name):
            raise DetectorError(f"{detector.name}.toml has the name of a detector of {whose}")
        try:
            wrong = failures(detector)
        except PlainviewError as error:
            raise DetectorError(f"{detector.name}.toml: {error.message}") from None
        if wrong:
            raise DetectorError(f"{detector.name}.toml fails its own examples")
    return [detector.name for detector in loaded]


__all__ = ["added_detectors"]
