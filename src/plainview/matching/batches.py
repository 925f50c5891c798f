"""Stage 3 over batches: from rows to sums. The only place, with `find`, where values are looked at.

Every column has a sketch of distinct values (`profiles.ColumnProfile`). What the sketch shows decides which
detectors are worth running over every row: the *plan*. A watch, one expression of all patterns that may
stand in running text, runs over all other text cells; what it meets later joins the plan from that batch
on, and nothing is lost, since the batches before had no cell that it could have counted.
"""

from __future__ import annotations

import functools
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import polars as pl

from plainview.detectors import chance, vocabulary
from plainview.fieldnames import NameIndex
from plainview.flatten import flatten
from plainview.matching.columns import as_text, is_vector, unit_norm, vector_length, without_empty
from plainview.matching.compiled import SLOW, Matcher, Rule
from plainview.matching.tagging import tag_values, text_valid
from plainview.profiles import SAMPLE, ColumnProfile, Count, TableProfile, Tags, shape_tag, smallest
from plainview.sources.base import ReadLog

SEED = 0x706C6169  # hashes live in memory only; a fixed seed makes two runs agree
ENOUGH = 0.05  # share of the distinct values that makes a detector worth running over all rows
MOST = 6  # detectors a column
WATCH_ROUNDS = 4
SMALL = 2048  # rows below which a batch is looked at with fewer, simpler steps
FEW = 4096
NAME_BOOKS = {  # any word of the cell in one of these vocabularies
    "person_names": ("given_names", "surnames"),
    "given_names": ("given_names",),
    "surnames": ("surnames",),
}
MAGICS = {
    "photograph": (b"\xff\xd8\xff", b"\x89PNG\r\n", b"GIF8", b"RIFF", b"BM"),
    "fingerprint": (b"FMR\0", b"FSP\0", b"FIR\0", b"\xff\xa0"),
    "face_template": (b"FAC\0",),
    "iris_retina": (b"IIR\0",),
}


@dataclass(slots=True)
class ColumnPlan:
    """Detectors to run over every row of a column: on whole cells, and inside text."""

    cells: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)


@dataclass(slots=True)
class TableProfiler:
    """Adds up the batches of one table. Belongs to one thread. With `learn` off the plan stays as given."""

    matcher: Matcher
    names: NameIndex
    table: str = ""
    plan: dict[str, ColumnPlan] = field(default_factory=dict)
    learn: bool = True
    log: ReadLog | None = None
    _sum: TableProfile = field(default_factory=TableProfile)
    _pending: dict[str, dict[int, str]] = field(default_factory=dict, repr=False)  # values that wait for their tags

    @property
    def total(self) -> TableProfile:
        """The profile of all batches so far."""
        for path in list(self._pending):
            late = ColumnProfile(sketch=self._tag(self._pending.pop(path)))
            self._sum = self._sum.merge(TableProfile(0, {path: late}))
        return self._sum

    def add(self, frame: pl.DataFrame) -> None:
        """Count one batch."""
        frame = flatten(frame, log=self.log, name=self.table)
        known = self._sum.columns
        jobs = [(path, frame[path], known.get(path, ColumnProfile())) for path in frame.columns]
        # Polars lets go of the interpreter's lock: columns of a large batch are counted side by side
        run = _pool().map if frame.height > SMALL and len(jobs) > 1 else map
        parts = run(lambda job: self._column(*job), jobs)
        columns = dict(zip(frame.columns, parts, strict=True))
        self._sum = self._sum.merge(TableProfile(frame.height, columns))

    def _column(self, path: str, series: pl.Series, before: ColumnProfile) -> ColumnProfile:
        special = _binary_or_vector(series)
        if special is not None:
            return special
        text = as_text(series)
        if text is None:
            return ColumnProfile(rows=len(series), empty=series.null_count(), types=frozenset({_kind(series)}))
        rows = len(series) if not isinstance(series.dtype, (pl.List, pl.Array)) else len(text)
        values = without_empty(text)
        part = self._sketch(path, values, before.sketch)
        merged = smallest({**before.sketch, **part})
        plan = self.plan.setdefault(path, ColumnPlan())
        if self.learn and (part or not before.rows):
            extend_plan(plan, merged, self.names.match(path, self.table), self.matcher)
        prose = series.dtype == pl.String or isinstance(series.dtype, pl.List)
        counts = count_column(values, plan, self.matcher, prose=prose, watch=prose and self.learn)
        return ColumnProfile(rows, rows - len(values), counts, part, frozenset({_kind(series)}))


    def _sketch(self, path: str, values: pl.Series, known: Mapping[int, Tags]) -> dict[int, Tags]:
        """Return what this batch adds to the sketch; of a full one the few new values wait, to be tagged together."""
        if len(known) < SAMPLE:
            return self._tag(fresh_values(values, known))
        waiting = self._pending.setdefault(path, {})
        bound = sorted((*known, *waiting))[SAMPLE - 1]
        waiting.update(fresh_values(values, known, bound))
        bound = sorted({*known, *waiting})[SAMPLE - 1]
        for late in [key for key in waiting if key > bound]:
            del waiting[late]
        return self._tag(self._pending.pop(path)) if len(waiting) >= SAMPLE // 2 else {}

    def _tag(self, values: Mapping[int, str]) -> dict[int, Tags]:
        return dict(zip(values, tag_values(list(values.values()), self.matcher), strict=True))


@functools.cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(min(8, os.cpu_count() or 2), thread_name_prefix="plainview-columns")


def _kind(series: pl.Series) -> str:
    return series.dtype.base_type().__name__.lower() if not series.dtype.is_nested() else "list"


def profile(frames: Iterable[pl.DataFrame], matcher: Matcher, names: NameIndex, table: str = "") -> TableProfile:
    """Return the profile of a table given as frames."""
    profiler = TableProfiler(matcher, names, table)
    for frame in frames:
        profiler.add(frame)
    return profiler.total


def fresh_values(values: pl.Series, known: Mapping[int, Tags], bound: int | None = None) -> dict[int, str]:
    """Return the distinct values with the smallest hashes, at most SAMPLE and up to `bound`, the known ones not."""
    hashes = values.hash(SEED)
    if bound is not None:
        mask = hashes <= bound
        values, hashes = values.filter(mask), hashes.filter(mask)
    elif len(values) > SMALL:
        # the smallest hashes of many rows: first cut by value, which is cheap, then make distinct
        cut = (1 << 64) // len(values) * SAMPLE * 8
        mask = hashes <= min(cut, (1 << 64) - 1)
        if hashes.filter(mask).n_unique() >= SAMPLE:
            values, hashes = values.filter(mask), hashes.filter(mask)
    if values.is_empty():
        return {}
    frame = pl.DataFrame({"h": hashes, "v": values}).unique("h").bottom_k(SAMPLE, by="h")
    pairs = zip(frame["h"].to_list(), frame["v"].to_list(), strict=True)
    return {key: value for key, value in pairs if key not in known}


def extend_plan(plan: ColumnPlan, sketch: Mapping[int, Tags], matches: Iterable[object], matcher: Matcher) -> None:
    """Put the detectors that the sketch or the field name suggests into the plan; the plan only grows."""
    tally = Counter(tag for tags in sketch.values() for tag in tags)
    shapes = Counter(map(shape_tag, sketch.values()))
    need = max(1, ENOUGH * len(sketch))
    named = {m.detector for m in matches if m.strength >= 0.5}  # type: ignore[attr-defined]
    # Of number forms that fit nearly all values alike, only the rarest by chance is worth counting.
    rarest = min((chance(t, shapes) for t, n in tally.items() if t in matcher.rules and n >= 0.9 * len(sketch)), default=1)
    ranked = sorted((-count, tag) for tag, count in tally.items() if count >= need or tag in named)
    for _, tag in ranked:
        if tag in matcher.detectors and matcher.detectors[tag].needs_name and tag not in named:
            continue
        if tag not in named and matcher.detectors.get(tag) and matcher.detectors[tag].check and chance(tag, shapes) > rarest:
            continue
        if tag not in named and tally[tag] < 3 * chance(tag, shapes) * len(sketch) and chance(tag, shapes) < 0.3:
            continue  # no more than random values of these shapes would
        if tag in matcher.detectors and tag not in plan.cells and len(plan.cells) < MOST:
            plan.cells.append(tag)
        elif tag.endswith("@") and tag[:-1] in matcher.rules and tag[:-1] not in plan.texts and len(plan.texts) < MOST:
            plan.texts.append(tag[:-1])


def count_column(
    values: pl.Series, plan: ColumnPlan, matcher: Matcher, *, prose: bool, watch: bool
) -> dict[str, Count]:
    """Run the plan over every cell, then the watch over the cells of text that nothing has explained."""
    counts: dict[str, Count] = {}
    rest = values
    explained: pl.Series | None = None
    for name in plan.cells:
        mask, counts[name] = count_cells(values, name, matcher)
        if mask is not None and counts[name].matched:
            explained = mask if explained is None else explained | mask
    if explained is not None and prose:
        rest = values.filter(~explained)
    for name in plan.texts:
        counts[name + "@"] = count_texts(rest, matcher.rules[name], len(values))
    if watch and len(rest):
        _watch(rest, plan, counts, matcher, len(values))
    return counts


def count_cells(values: pl.Series, name: str, matcher: Matcher) -> tuple[pl.Series | None, Count]:
    """Count the cells that are, as a whole, what the detector looks for."""
    rule = matcher.rules.get(name)
    if rule is None:
        # words repeat: look at each distinct one once
        tally = values.value_counts(name="n")
        hits = int(tally["n"].filter(_in_vocabulary(tally.to_series(0), matcher.detectors[name].vocabulary)).sum())
        return None, Count(len(values), hits, hits)
    mask = values.str.contains(rule.cell)
    matched = int(mask.sum())
    if not matched or rule.check is None or rule.detector.check in SLOW:
        return mask, Count(len(values), matched, matched)
    return mask, Count(len(values), matched, int(rule.valid(values.filter(mask)).sum()))


def _in_vocabulary(values: pl.Series, name: str) -> pl.Series:
    """Tell which distinct cells are entries; of a name, whether any of its words is."""
    books = NAME_BOOKS.get(name, (name,))
    folded = values.str.strip_chars().str.to_lowercase()
    if len(values) <= FEW:  # a set is there already, Polars would build a table of all entries each time
        entries = [vocabulary(book) for book in books]
        words = [text.split() if name in NAME_BOOKS else (text,) for text in folded.to_list()]
        hits = [any(w.strip(",.") in book for w in cell for book in entries) for cell in words]
        found = pl.Series(hits, dtype=pl.Boolean)
    else:
        known = _word_series(*books).implode()
        if name in NAME_BOOKS:
            found = folded.str.split(" ").list.eval(pl.element().str.strip_chars(",.").is_in(known)).list.any()
        else:
            found = folded.is_in(known)
    return found | values.str.contains(r"^[\x{3400}-\x{9fff}]{2,4}$") if name == "person_names" else found


_SERIES: dict[tuple[str, ...], pl.Series] = {}


def _word_series(*names: str) -> pl.Series:
    if names not in _SERIES:
        _SERIES[names] = pl.Series(sorted(frozenset().union(*(vocabulary(n) for n in names))))
    return _SERIES[names]


def count_texts(values: pl.Series, rule: Rule, checked: int) -> Count:
    """Count the cells that hold, somewhere inside, what the detector looks for."""
    hits = values.filter(values.str.contains(rule.text))
    if not len(hits):
        return Count(checked, 0, 0)
    if rule.check is None:
        return Count(checked, len(hits), len(hits))
    if rule.detector.check in SLOW:  # a plus sign says itself what it is
        plain = hits.filter(~hits.str.contains(r"\+[1-9][0-9 ()./-]{6}"))
        sure = len(hits) - len(plain)
        return Count(checked, len(hits), sure + int(text_valid(rule.text, rule.valid, plain).sum()))
    return Count(checked, len(hits), int(text_valid(rule.text, rule.valid, hits).sum()))


def _watch(rest: pl.Series, plan: ColumnPlan, counts: dict[str, Count], matcher: Matcher, checked: int) -> None:
    """Attribute every cell that the watch meets to at least one detector, new ones included."""
    hits = rest.filter(rest.str.contains(matcher.watch))
    for name in plan.texts:
        if len(hits):
            hits = hits.filter(~hits.str.contains(matcher.rules[name].text))
    for _ in range(WATCH_ROUNDS):
        if not len(hits):
            return
        seen: set[int] = set()
        for value in hits.head(200).to_list():
            seen.update(matcher.texts.Match(value[:65536]) or ())
        found = [matcher.in_text[i].name for i in sorted(seen) if matcher.in_text[i].name not in plan.texts]
        if not found:
            return
        for name in found:
            plan.texts.append(name)
            rule = matcher.rules[name]
            counts[name + "@"] = count_texts(rest, rule, checked)
            hits = hits.filter(~hits.str.contains(rule.text))


def _binary_or_vector(series: pl.Series) -> ColumnProfile | None:
    rows, empty = len(series), series.null_count()
    if series.dtype == pl.Binary:
        filled = series.drop_nulls()
        counts = {}
        for name, magics in MAGICS.items():
            hit = sum(int(filled.bin.starts_with(magic).sum()) for magic in magics)
            if hit:
                counts[name] = Count(len(filled), hit, hit)
        return ColumnProfile(rows, empty, counts, {}, frozenset({"binary"}))
    if isinstance(series.dtype, (pl.List, pl.Array)) and is_vector(series):
        length = vector_length(series)
        types = {"vector", f"vector{length}"} | ({"unit"} if unit_norm(series) else set())
        return ColumnProfile(rows, empty, {}, {}, frozenset(types))
    return None
