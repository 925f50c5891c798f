"""Running a column's plan, and the watch, over all of its cells."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from plainview.detectors import vocabulary
from plainview.matching.compiled import SLOW, Matcher, Rule
from plainview.matching.plans import ColumnPlan
from plainview.matching.tagging import text_valid
from plainview.profiles import Count

WATCH_ROUNDS = 4
FEW = 4096
NAME_BOOKS = {  # any word of the cell in one of these vocabularies
    "person_names": ("given_names", "surnames"),
    "given_names": ("given_names",),
    "surnames": ("surnames",),
}
PLUS = r"\+[1-9][0-9 ()./-]{6}"  # a plus sign says itself what it is


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
        hits = int(tally["n"].filter(in_vocabulary(tally.to_series(0), matcher.detectors[name].vocabulary)).sum())
        return None, Count(len(values), hits, hits)
    mask = values.str.contains(rule.cell)
    matched = int(mask.sum())
    if not matched or rule.check is None or rule.detector.check in SLOW:
        return mask, Count(len(values), matched, matched)
    formed = values if matched == len(values) else values.filter(mask)
    return mask, Count(len(values), matched, int(rule.valid(formed).sum()))


def in_vocabulary(values: pl.Series, name: str) -> pl.Series:
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
    return Count(checked, len(hits), int(hold_valid(hits, rule).sum()))


def hold_valid(hits: pl.Series, rule: Rule) -> npt.NDArray[np.bool_]:
    """Tell of cells in which the form stands whether one of them passes the check as well."""
    if not len(hits) or rule.check is None:
        return np.ones(len(hits), dtype=bool)
    if rule.detector.check not in SLOW:
        return text_valid(rule.text, rule.valid, hits).to_numpy()
    sure = hits.str.contains(PLUS)
    good = sure.to_numpy().copy()
    good[~good] = text_valid(rule.text, rule.valid, hits.filter(~sure)).to_numpy()
    return good


def _watch(rest: pl.Series, plan: ColumnPlan, counts: dict[str, Count], matcher: Matcher, checked: int) -> None:
    """Attribute every cell that the watch meets to at least one detector, new ones included."""
    hits = rest.filter(rest.str.contains(matcher.watch))
    for name in plan.texts:
        if len(hits):
            hits = hits.filter(~hits.str.contains(matcher.rules[name].text))
    attribute(rest, hits, plan, counts, matcher, checked)


def attribute(
    rest: pl.Series, hits: pl.Series, plan: ColumnPlan, counts: dict[str, Count], matcher: Matcher, checked: int
) -> None:
    """Find the detectors that meet the `hits` among `rest`, put them into the plan and count them."""
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
