"""What judges, made ready once for a run: detectors, their expressions, all field names, the word lists.

Making it ready takes a third of a second of one core. Its libraries are loaded here and not by the pipeline, so that
reading can begin meanwhile.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from plainview.classify.classify import classify, explain
from plainview.classify.combined import combined, in_order
from plainview.detectors import load_detectors
from plainview.detectors.fieldnames import NameIndex
from plainview.distinct import Key
from plainview.errors import PlainviewError
from plainview.matching.batches import SMALL, TableProfiler, add_small
from plainview.matching.compiled import Matcher
from plainview.matching.first_rows import FirstRows
from plainview.matching.tagging import warm
from plainview.profiles import TableProfile
from plainview.report.model import Column, Combination, Explained
from plainview.tables import ReadLog


class Engine:
    """Used by all threads of a run. `detectors` are folders of the user's own; raises DetectorError for a bad one."""

    small = SMALL

    def __init__(self, detectors: Sequence[Path] = (), key: Key | None = None) -> None:
        self.key = key or Key()
        loaded = load_detectors(*detectors)
        self.detectors = {d.name: d for d in loaded}
        self.matcher = Matcher(loaded)
        self.names = NameIndex(loaded)
        self.first_rows = FirstRows(self.matcher, self.names)
        with contextlib.suppress(PlainviewError):  # which is raised again where they are used
            warm(self.matcher)

    def profiler(self, table: str, log: ReadLog) -> TableProfiler:
        """Return what adds up the batches of one table."""
        return TableProfiler(self.matcher, self.names, table, log=log, key=self.key)

    def add_small(self, parts: Sequence[tuple[TableProfiler, pl.DataFrame]]) -> None:
        """Count one small, flat batch of each of several tables at once; all or none are added."""
        add_small(parts)

    def judge(self, table: str, profile: TableProfile) -> tuple[Column, ...]:
        """Return the findings of one table, in the order of its columns."""
        return classify(table, profile, self.detectors, self.names)

    def explain(self, table: str, profile: TableProfile, pattern: str) -> tuple[Explained, ...]:
        """Return why the columns that a pattern speaks of were taken for what they were."""
        return explain(table, profile, self.detectors, self.names, pattern)

    def combine(
        self, profile: TableProfile, columns: Sequence[Column]
    ) -> tuple[tuple[Combination, ...], tuple[Column, ...]]:
        """Return what the columns of a table say together, and all findings with those that follow from it."""
        combinations, more = combined(profile, columns)
        return combinations, in_order((*columns, *more), profile) if more else tuple(columns)
