"""Names of members of archives, which are only names: made harmless before they become those of tables."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

ODD = "its name inside the archive is a path trick or holds control characters: shown in a harmless form"
_DEVICES = re.compile(r"(?i)^(con|prn|aux|nul|com[1-9]|lpt[1-9])(?=\.|$)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@dataclass(slots=True)
class Names:
    """Gives the members of one archive harmless, distinct names, and says once what was odd."""

    prefix: str
    seen: dict[str, int] = field(default_factory=dict)

    def of(self, name: str) -> str:
        """Return the table name for a member."""
        clean = f"{self.prefix}/{clean_name(name)}"
        count = self.seen[clean] = self.seen.get(clean, 0) + 1
        return clean if count == 1 else f"{clean}#{count}"


def clean_name(name: str) -> str:
    """Return a relative path without `..`, drive, root, control characters or device names."""
    name = _CONTROL.sub("_", name.replace("\\", "/")).encode("utf-8", "replace").decode()
    name = re.sub(r"^[A-Za-z]:(?=/|$)", "", name)
    parts = [_DEVICES.sub(r"_\1", part) for part in name.split("/") if part not in {"", ".", ".."}]
    return "/".join(parts[-64:])[-1000:] or "unnamed"


def is_odd(name: str) -> bool:
    """Tell whether a name was not harmless as it stood."""
    return clean_name(name) != name.removeprefix("./").rstrip("/")
