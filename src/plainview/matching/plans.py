"""Which detectors are worth running over every row of a column: what its sketch and its name suggest."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Set
from dataclasses import dataclass, field

from plainview.detectors import Detector, chance
from plainview.detectors.fieldnames import NameIndex
from plainview.matching.compiled import Matcher
from plainview.profiles import tally
from plainview.tags import FOLDED, Tag, Tags, inside_of, is_nobodys, passed_of
from plainview.tags import passed as passed_tag

ENOUGH = 0.05  # share of the distinct values that makes a detector worth running over all rows
CLEAR = 0.5  # strength of a field name that speaks of a detector
RARE = 0.3  # share of random values that pass, up to which three times as many say something
MOST = 6  # detectors a column, and as many more that its name speaks of


@dataclass(slots=True)
class ColumnPlan:
    """Detectors to run over every row of a column: on whole cells, and inside text."""

    cells: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    nobodys: list[Tag] = field(default_factory=list)  # tags of what is nobody's among what they find
    folds: bool = False  # some values have digits, blanks or dashes that stand for those of ASCII


class TablePlan:
    """The plans of the columns of one table. Where `learns` is off they stay as given."""

    def __init__(
        self,
        matcher: Matcher,
        names: NameIndex,
        table: str = "",
        columns: dict[str, ColumnPlan] | None = None,
        *,
        learns: bool = True,
    ) -> None:
        self.matcher, self.names, self.table, self.learns = matcher, names, table, learns
        self.columns = columns if columns is not None else {}

    def of(self, path: str) -> ColumnPlan:
        """Return the plan of a column, made when it is met first."""
        return self.columns.setdefault(path, ColumnPlan())

    def named(self, path: str) -> frozenset[str]:
        """Return the detectors with `needs_name` that the name of a column speaks of."""
        matches = self.names.match(path, self.table)
        return self.matcher.loose.intersection(m.detector for m in matches if m.strength >= CLEAR)

    def learn(self, path: str, sketch: Mapping[int, Tags] | None) -> None:
        """Extend the plan of a column by what its sketch and its name suggest; None says nothing new."""
        if sketch is not None and self.learns:
            extend_plan(self.of(path), sketch, self.names.match(path, self.table), self.matcher)


def extend_plan(plan: ColumnPlan, sketch: Mapping[int, Tags], matches: Iterable[object], matcher: Matcher) -> None:
    """Put the detectors that the sketch or the field name suggests into the plan; the plan only grows."""
    tagged, shapes = tally(sketch)
    plan.folds |= tagged[FOLDED] > 0
    named = {m.detector for m in matches if m.strength >= CLEAR}  # type: ignore[attr-defined]
    passed = {name: count for tag, count in tagged.items() if (name := passed_of(tag)) is not None}
    _extend_cells(plan, _Seen(len(sketch), passed, shapes, sketch.values()), named, matcher)
    plan.nobodys.extend(tag for tag in sorted(filter(is_nobodys, tagged)) if tag not in plan.nobodys)
    need = max(1, ENOUGH * len(sketch))
    inside = {name: count for tag, count in tagged.items() if (name := inside_of(tag)) is not None}
    for name in matcher.ranked(inside):
        if inside[name] >= need and name not in plan.texts and len(plan.texts) < MOST:
            plan.texts.append(name)


@dataclass(frozen=True, slots=True)
class _Seen:
    """How many distinct values there are, how many of them each detector accepts, and their shapes."""

    distinct: int
    passed: Mapping[str, int]
    shapes: Mapping[str, int]
    tags: Collection[Tags]


def _extend_cells(plan: ColumnPlan, seen: _Seen, named: Set[str], matcher: Matcher) -> None:
    need = max(1, ENOUGH * seen.distinct)
    # Of number forms that fit nearly all values alike, only the rarest by chance is worth counting.
    fitting = (n for n, count in seen.passed.items() if n in matcher.rules and count >= 0.9 * seen.distinct)
    rarest = min((chance(name, seen.shapes) for name in fitting), default=1.0)
    possible = [name for name, count in seen.passed.items() if count >= need or name in named]
    ranked = matcher.ranked({name: seen.passed[name] for name in possible})
    for name in sorted(ranked, key=lambda n: matcher.detectors[n].needs_name):  # those may be covered by the others
        detector = matcher.detectors[name]
        if detector.needs_name and (name not in named or _covered(detector, seen, plan, matcher)):
            continue
        if name not in named and detector.check and chance(name, seen.shapes) > rarest:
            continue
        if name not in named and _like_chance(seen.passed[name] / seen.distinct, chance(name, seen.shapes)):
            continue
        if name not in plan.cells and len(plan.cells) < (2 * MOST if detector.needs_name else MOST):
            plan.cells.append(name)


def _like_chance(share: float, by_chance: float) -> bool:
    """Tell whether no more values pass than random ones of their shapes would."""
    return share < (3 if by_chance < RARE else 1.1) * by_chance


def _covered(detector: Detector, seen: _Seen, plan: ColumnPlan, matcher: Matcher) -> bool:
    """Tell whether stricter detectors of the same kind, which are counted, pass as many of the distinct values."""
    same = [n for n in plan.cells if n != detector.name and matcher.detectors[n].category == detector.category]
    if any(seen.passed.get(name, 0) >= seen.passed[detector.name] for name in same):
        return True
    own, others = passed_tag(detector.name), set(map(passed_tag, same))
    return bool(others) and not any(own in tags and others.isdisjoint(tags) for tags in seen.tags)
