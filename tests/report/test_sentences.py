"""Counts of one are said in the singular, and nothing else is touched."""

from __future__ import annotations

import pytest

from plainview.report.sentences import agreeing


@pytest.mark.parametrize(
    ("said", "right"),
    [
        ("8 tables in 1 databases, 3,001 rows", "8 tables in 1 database, 3,001 rows"),
        ("names 1 indices without a credential", "names 1 index without a credential"),
        ("1 rows hold bytes that are not UTF-8", "1 row holds bytes that are not UTF-8"),
        ("1 more lines", "1 more line"),
        ("1 indices are set read-only", "1 index is set read-only"),
        ("1 of 2 keys", "1 of 2 keys"),
        ("1,001 rows, 21 tables, 0.1 rows, v1 tables, -1 rows", "1,001 rows, 21 tables, 0.1 rows, v1 tables, -1 rows"),
        ("1 databases with 1 tables and about 1 rows", "1 database with 1 table and about 1 row"),
        ("1 tablespaces", "1 tablespaces"),
        ("1 lines with broken quotes were split", "1 line with broken quotes was split"),
        ("1 materialized views of it were not read", "1 materialized view of it was not read"),
        (
            "1 entities that its document type defines were not read",
            "1 entity that its document type defines was not read",
        ),
        (
            "1 entity references of a document type were not resolved",
            "1 entity reference of a document type was not resolved",
        ),
        ("1 rows in 3 tables were left out", "1 row in 3 tables were left out"),
    ],
)
def test_one(said: str, right: str) -> None:
    assert agreeing(said) == right
