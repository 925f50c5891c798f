"""What a unit of Elasticsearch is about."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """What a unit is about: an index or data stream. `docs` and `size` (bytes) as the server lists them.

    `name` is that of the table, `expression` what is asked for.
    """

    name: str
    expression: str
    kind: str
    docs: int | None = None
    size: int | None = None
    closed: bool = False
    deleted: int | None = None
    shards: int = 0
    buffered: int = 0  # bytes of what was written and is in no segment yet
    unrefreshed: bool = False  # a search does not show what was written since the last refresh
