"""Running a column's plan, and the watch, over all of its cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from plainview import tags
from plainview.detectors import vocabulary_text
from plainview.detectors.checks import SLOW
from plainview.detectors.checks.kernel import Bools
from plainview.detectors.words import BOOKS
from plainview.matching.compiled import Matcher, Rule
from plainview.matching.folding import fold_all
from plainview.matching.nobodys import pattern_in, tags_of_nobody, without
from plainview.matching.plans import ColumnPlan
from plainview.matching.tagging import LONGEST, text_valid
from plainview.profiles import Count
from plainview.tags import Tag

WATCH_ROUNDS = 4
SHORT = 7  # characters of a number in which no detector of the package sees anything: prices, counters, versions
FEW = 4096
LOOKED_AT = 200  # values that say which detectors the watch has met
WINDOW = 1 << 16  # characters of a value that are searched at once
OVERLAP = 512  # characters of the next window, for what lies across the end of one
WINDOWS = 1024  # of all values in one round
NAME_BOOKS = {  # any word of the cell in one of these vocabularies
    "person_names": ("given_names", "surnames"),
    "given_names": ("given_names",),
    "surnames": ("surnames",),
}
PLUS = r"\+[1-9][0-9 ()./-]{6}"  # a plus sign says itself what it is


@dataclass(frozen=True, slots=True)
class Cells:
    """The filled cells of a column: each on its own, or each distinct one once and in `times` how often it stands."""

    values: pl.Series
    times: pl.Series | None = None

    def __len__(self) -> int:
        return len(self.values) if self.times is None else int(self.times.sum())

    def number(self, mask: Bools) -> int:
        """Return how many cells `mask` (of the length of `values`) holds for."""
        return int(np.count_nonzero(mask) if self.times is None else self.times.to_numpy()[mask].sum())

    def filter(self, mask: pl.Series) -> Cells:
        """Keep the cells `mask` holds for."""
        return Cells(self.values.filter(mask), None if self.times is None else self.times.filter(mask))


def count_column(cells: Cells, plan: ColumnPlan, matcher: Matcher, *, prose: bool, watch: bool) -> dict[Tag, Count]:
    """Run the plan over every cell, then the watch over the cells of text that nothing has explained."""
    counts: dict[Tag, Count] = {}
    if plan.folds:
        cells = Cells(fold_all(cells.values), cells.times)
    rest, total = cells, len(cells)
    explained: pl.Series | bool = False
    masks: dict[str, pl.Series | bool] = {}
    for name in plan.cells:
        mask, counts[tags.passed(name)] = count_cells(cells, name, matcher)
        masks[name] = mask
        if explained is not True and mask is not False:
            explained = mask if mask is True or explained is False else explained | mask
    if prose and explained is not False:
        rest = Cells(cells.values.clear()) if explained is True else cells.filter(~explained)
    for name in plan.texts:
        counts[tags.inside(name)] = count_texts(rest, matcher.rules[name], total)
    met: dict[str, pl.Series] = {}
    for tag in planned_of_nobody(plan):
        whole = whole_of_nobody(cells, masks.get(tag[2:], False), pattern_in(tag, matcher), met)
        found = whole + inside_of_nobody(rest, plan, tag, matcher)
        counts[tag] = Count(total, found, found)
    if watch and len(rest.values) and not (matcher.passes_numbers and short_numbers(rest.values)):
        _watch(rest, plan, counts, matcher, total)
    return counts


def planned_of_nobody(plan: ColumnPlan) -> list[Tag]:
    """Return the tags of what is nobody's among what the detectors of the plan find."""
    return [tag for tag in plan.nobodys if tag[2:] in plan.cells or tag[2:] in plan.texts]


def whole_of_nobody(cells: Cells, mask: pl.Series | bool, pattern: str, met: dict[str, pl.Series]) -> int:
    """Return how many of the cells that a detector accepts, told by `mask`, are nobody's as a whole.

    `met` remembers in which cells a pattern stands: detectors of one kind share it.
    """
    if mask is False:
        return 0
    if pattern not in met:
        met[pattern] = cells.values.str.contains(pattern)
    return cells.number((met[pattern] if mask is True else met[pattern] & mask).to_numpy())


def inside_of_nobody(rest: Cells, plan: ColumnPlan, tag: Tag, matcher: Matcher) -> int:
    """Return how many texts there are in which all that a detector finds is nobody's, as `tag` says."""
    rule = matcher.rules[tag[2:]]
    if rule.name not in plan.texts:
        return 0
    texts = rest.filter(rest.values.str.contains(rule.text))
    return texts.number(texts_of_nobody(texts.values, rule, pattern_in(tag, matcher)))


def texts_of_nobody(values: pl.Series, rule: Rule, pattern: str) -> Bools:
    """Tell of texts in which a rule finds something whether it finds nothing but such values."""
    bare = without(values, pattern)
    formed = bare.str.contains(rule.text)
    left = formed.to_numpy(writable=True)
    left[left] = hold_valid(bare.filter(formed), rule)
    return ~left


def count_cells(cells: Cells, name: str, matcher: Matcher) -> tuple[pl.Series | bool, Count]:
    """Count the cells that are, as a whole, what the detector looks for.

    Returns also which they are: a mask, or True for all. Words explain no cell: they are part of any text.
    """
    rule, total = matcher.rules.get(name), len(cells)
    if rule is None:
        if cells.times is None:  # words repeat: look at each distinct one once
            tally = cells.values.value_counts(name="n")
            cells = Cells(tally.to_series(0), tally["n"])
        hits = cells.number(in_vocabulary(cells.values, matcher.detectors[name].vocabulary).to_numpy())
        return False, Count(total, hits, hits)
    if rule.check is None or not rule.check.strict:
        return _count_formed(cells, rule)
    good = rule.check.function(cells.values)
    if good.all():
        return True, Count(total, total, total)
    passed, mask = cells.number(good), pl.Series(good)
    rest, other = _count_formed(cells.filter(~mask), rule)
    others = (~mask).arg_true()
    mask[others.filter(rest) if isinstance(rest, pl.Series) else others] = True
    return mask, Count(total, passed + other.matched, passed + other.valid)


def _count_formed(cells: Cells, rule: Rule) -> tuple[pl.Series | Literal[True], Count]:
    total = len(cells)
    mask = cells.values.str.contains(rule.cell)
    every = bool(mask.all())
    formed = cells if every else cells.filter(mask)
    matched = len(formed)
    valid = matched
    if matched and rule.check is not None and rule.detector.check not in SLOW:
        valid = formed.number(rule.valid(formed.values))
    return True if every else mask, Count(total, matched, valid)


def in_vocabulary(values: pl.Series, name: str) -> pl.Series:
    """Tell which distinct cells are entries; of a name, whether any of its words is."""
    books = NAME_BOOKS.get(name, (name,))
    folded = values.str.strip_chars().str.to_lowercase()
    if len(values) <= FEW:  # Polars would build a table of all entries each time
        entries = [BOOKS[book] for book in books]
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
        lines = pl.Series(list(map(vocabulary_text, names)), dtype=pl.String).str.split("\n").explode()
        _SERIES[names] = lines.filter(lines != "")
    return _SERIES[names]


def count_texts(cells: Cells, rule: Rule, checked: int) -> Count:
    """Count the cells that hold, somewhere inside, what the detector looks for."""
    hits = cells.filter(cells.values.str.contains(rule.text))
    return Count(checked, len(hits), hits.number(hold_valid(hits.values, rule)))


def hold_valid(hits: pl.Series, rule: Rule) -> Bools:
    """Tell of cells in which the form stands whether one of them passes the check as well."""
    if not len(hits) or rule.check is None:
        return np.ones(len(hits), dtype=bool)
    if rule.detector.check not in SLOW:
        return text_valid(rule, hits)
    sure = hits.str.contains(PLUS)
    good: Bools = sure.to_numpy().copy()
    good[~good] = text_valid(rule, hits.filter(~sure))
    return good


def short_numbers(values: pl.Series) -> bool:
    """Tell whether all cells are at most `SHORT` digits and dots; to see that is quicker than to search them.

    None may begin with a dot, or with a zero and a digit, as area codes do (01.234).
    """
    longest = values.str.len_bytes().max()
    if not isinstance(longest, int) or longest > SHORT:
        return False
    joined: bytes = (values.str.join("\n") + "\n\n").cast(pl.Binary).item()
    if joined.translate(None, b"0123456789.\n"):
        return False
    signs = np.frombuffer(b"\n" + joined, dtype=np.uint8)
    starts = signs[:-2] == ord("\n")
    first, second = signs[1:-1], signs[2:]
    zeros = starts & (first == ord("0")) & (second >= ord("0"))
    return not (zeros | starts & (first == ord("."))).any()


def _watch(rest: Cells, plan: ColumnPlan, counts: dict[Tag, Count], matcher: Matcher, checked: int) -> None:
    """Attribute every cell that the watch meets to at least one detector, new ones included."""
    hits = rest.values.filter(rest.values.str.contains(matcher.watch))
    for name in plan.texts:
        if len(hits):
            # of a long cell the sketch has seen the beginning alone: what else is in it has to be asked
            hits = hits.filter(~hits.str.contains(matcher.rules[name].text) | (hits.str.len_bytes() > LONGEST))
    attribute(rest, hits, plan, counts, matcher, checked)


def attribute(
    rest: Cells, hits: pl.Series, plan: ColumnPlan, counts: dict[Tag, Count], matcher: Matcher, checked: int
) -> None:
    """Find the detectors that meet the values `hits` among `rest`, put them into the plan and count them."""
    for _ in range(WATCH_ROUNDS):
        if not len(hits):
            return
        seen = _seen(hits, matcher)
        found = [matcher.in_text[i].name for i in sorted(seen) if matcher.in_text[i].name not in plan.texts]
        if not found:
            return
        for name in found:
            plan.texts.append(name)
            rule = matcher.rules[name]
            counts[tags.inside(name)] = count_texts(rest, rule, checked)
            for tag in tags_of_nobody(hits.head(LOOKED_AT), name, matcher):
                plan.nobodys.append(tag)
                number = inside_of_nobody(rest, plan, tag, matcher)
                counts[tag] = Count(checked, number, number)
            hits = hits.filter(~hits.str.contains(rule.text))


def _seen(hits: pl.Series, matcher: Matcher) -> set[int]:
    """Return the numbers of the detectors that some of the values meet, each looked through in windows."""
    seen: set[int] = set()
    left = WINDOWS
    for value in hits.head(LOOKED_AT).to_list():
        for start in range(0, max(1, len(value)), WINDOW):
            seen.update(matcher.texts.Match(value[start : start + WINDOW + OVERLAP]) or ())
            left -= 1
        if left <= 0:  # hundreds of huge values: what the others hold is met in the next round
            break
    return seen
