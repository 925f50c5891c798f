"""Tables of databases written as XML: `mysqldump --xml`, `mysql --xml`, phpMyAdmin. Names of columns are attributes."""

from __future__ import annotations

import re
from typing import Any

from plainview.documents.xml import local_name

TABLE = "\0"  # the key of a row under which its table stands; no attribute is called so
_ROOT = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]{0,200}>\s*)?(?:<!--[^>]{0,4000}-->\s*)*<(mysqldump|pma_xml_export|resultset)[\s>]"
)
_ROWS = {b"mysqldump": (4, "row"), b"resultset": (2, "row"), b"pma_xml_export": (3, "table")}
_CELLS = ("field", "column")


def rows_of(head: bytes) -> tuple[int, str] | None:
    """Return the depth and the tag of the elements that are rows, None for other XML."""
    found = _ROOT.match(head)
    return _ROWS[found[1]] if found else None


def as_row(element: Any) -> dict[str, Any] | None:
    """Return a row with the name of its table, None for an element that is none."""
    row: dict[str, Any] = {}
    for cell in element:
        name = cell.get("name")
        if local_name(cell) not in _CELLS or name is None:
            return None
        row[name] = "".join(cell.itertext()) or None
    parent = element.getparent()
    name = element.get("name") or (parent.get("name") if parent is not None else "")
    return row | {TABLE: name or ""} if row else None


def by_table(rows: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Return rows by the name of their table; under "" those that stand in none."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(row.pop(TABLE, ""), []).append(row)
    return found


__all__ = ["as_row", "by_table", "rows_of"]
