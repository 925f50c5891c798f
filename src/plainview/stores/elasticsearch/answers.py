"""Answers of Elasticsearch and OpenSearch: the list of indices, and counts that may be missing or written as text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from plainview.errors import ProtocolError


@dataclass(frozen=True, slots=True)
class Index:
    """One line of the list of indices. `docs` counts nested documents too, as the server does.

    `buffered` are bytes of what was written and is in no segment yet.
    """

    name: str
    closed: bool = False
    docs: int | None = None
    size: int | None = None
    created: float | None = None
    deleted: int | None = None
    shards: int | None = None
    buffered: int | None = None

    @property
    def hidden(self) -> bool:
        """Tell whether the name begins with a dot."""
        return self.name.startswith(".")


def parse_indices(answer: Any) -> list[Index]:
    """Return the lines of /_cat/indices. Raises ProtocolError."""
    if not isinstance(answer, list):
        raise ProtocolError("not a list of indices")
    lines = [line for line in answer if isinstance(line, dict) and isinstance(line.get("index"), str)]
    if len(lines) != len(answer):
        raise ProtocolError("a list of indices with lines that are none")
    return [
        Index(
            name=line["index"],
            closed=line.get("status") == "close",
            docs=number_of(line.get("docs.count")),
            size=number_of(line.get("pri.store.size")),
            deleted=number_of(line.get("docs.deleted")),
            shards=number_of(line.get("pri")),
            buffered=number_of(line.get("pri.segments.index_writer_memory")),
            created=milliseconds / 1000 if (milliseconds := number_of(line.get("creation.date"))) else None,
        )
        for line in lines
    ]


def parse_health(answer: Any) -> list[Index]:
    """Return the names in /_cluster/health?level=indices."""
    return [Index(name) for name in dict_of(dict_of(answer).get("indices"))]


def total(answer: Any) -> int:
    """Return how many documents a search met. Raises ProtocolError."""
    given = dict_of(dict_of(answer).get("hits")).get("total")
    count = number_of(dict_of(given).get("value") if isinstance(given, dict) else given)
    if count is None:
        raise ProtocolError("a search was answered without a count")
    return count


def shards(answer: Any) -> int | None:
    """Return on how many shards a search ran."""
    return number_of(dict_of(dict_of(answer).get("_shards")).get("total"))


def dict_of(value: Any) -> dict[str, Any]:
    """Return an object of an answer, empty where it is none."""
    return value if isinstance(value, dict) else {}


def number_of(value: Any) -> int | None:
    """Return a count that may be written as text."""
    return int(value) if re.fullmatch(r"[0-9]{1,18}", str(value)) else None


def is_true(value: Any) -> bool:
    """Tell whether a setting is on; it may be written as text."""
    return value is True or value == "true"


__all__ = ["Index", "dict_of", "is_true", "number_of", "parse_health", "parse_indices", "shards", "total"]
