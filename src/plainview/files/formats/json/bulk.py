"""Elasticsearch and OpenSearch bulk lines: an action line, then the document it is about."""

from __future__ import annotations

from typing import Any

import msgspec
import polars as pl

from plainview.documents.json_lines import SHOWN, JsonLines
from plainview.documents.scalars import to_series

ACTIONS = {"index", "create", "update", "delete"}
_META = {
    *("_index", "_id", "_type", "routing", "_routing", "version", "_version", "version_type", "pipeline"),
    *("if_seq_no", "if_primary_term", "retry_on_conflict", "require_alias", "dynamic_templates"),
}
_KEPT = ("_id", "_index")


def is_bulk(first: bytes) -> bool:
    """Return True when the first line that is not blank is an action line."""
    return _action(first.lstrip().partition(b"\n")[0]) is not None


def _action(line: bytes) -> dict[str, Any] | None:
    """Return what an action line says, with the action as "" key, or None."""
    try:
        value = msgspec.json.decode(line)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    if type(value) is not dict or len(value) != 1:
        return None
    [(action, about)] = value.items()
    if action not in ACTIONS or type(about) is not dict or not set(about) <= _META:
        return None
    return {"": action, **about}


class BulkLines:
    """Reads blocks of whole bulk lines; a pair may lie in two blocks."""

    def __init__(self, reader: JsonLines) -> None:
        self.reader = reader
        self.about: dict[str, Any] | None = None  # an action line whose document comes next
        self.number = 0

    def read(self, block: bytes) -> pl.DataFrame:
        """Return the documents, one row each, with `_id` and `_index` of their action lines."""
        docs: list[bytes] = []
        abouts: list[dict[str, Any]] = []
        for line in block.split(b"\n"):
            self.number += 1
            if not line.strip():
                continue
            if self.about is None and (about := _action(line)) is not None:
                self.about = about if about[""] != "delete" else None
                continue
            about, self.about = self.about or {}, None
            try:
                msgspec.json.decode(line, type=msgspec.Raw)
            except (msgspec.MsgspecError, RecursionError):
                self._bad()
                continue
            docs.append(line)
            abouts.append(about)
        if block.endswith(b"\n"):
            self.number -= 1  # split gave one empty line more
        frame = self.reader.read(b"\n".join(docs)) if docs else pl.DataFrame()
        if frame.height != len(abouts):
            return frame
        for name in _KEPT:
            values = [about.get(name) for about in abouts]
            if name not in frame.columns and any(v is not None for v in values):
                frame = frame.with_columns(to_series(name, values, set(map(type, values))))
        return frame

    def finish(self) -> None:
        """Tell the log what could not be read."""
        if self.about is not None:
            self._bad()  # an action without its document: cut short
        self.reader.finish()

    def _bad(self) -> None:
        self.reader.bad_count += 1
        if len(self.reader.bad) < SHOWN:
            self.reader.bad.append(self.number)


__all__ = ["BulkLines", "is_bulk"]
