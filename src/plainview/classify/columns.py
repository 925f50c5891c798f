"""All that speaks for each kind of data in one column, neighbours left aside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from plainview import tags
from plainview.classify.inside import chancy, weigh_inside, weigh_labelled
from plainview.classify.weighing import SHOWN, VETO, Candidate, Seen, weigh_cells
from plainview.detectors import Detector
from plainview.detectors.fieldnames import CODED, NameIndex, tokens
from plainview.detectors.subjects import says_code
from plainview.profiles import Count


def weigh_column(
    path: str, column: Seen, table: str, detectors: Mapping[str, Detector], names: NameIndex
) -> list[Candidate]:
    """Weigh every detector that the name, the sketch or the counts suggest."""
    matches = {m.detector: m for m in names.match(path, table)}
    others, coded = names.vetoed(path), says_code(tokens(path.replace("[]", "").rsplit(".", 1)[-1]))
    coded = coded or _are_books(column)
    out = []
    spoken = {name for tag in (*column.tags, *column.counts) if (name := tags.detector_of(tag)) is not None}
    for name in (name for name in detectors if name in matches or name in spoken):
        candidate = weigh_cells(detectors[name], column, matches.get(name))
        if candidate:
            out.append(candidate)
        inside = weigh_inside(detectors[name], column)
        labelled = weigh_labelled(detectors[name], column)
        out.extend(one for one in (inside, labelled) if one)
    for candidate in out:
        detector = candidate.detector
        if detector.has_values and not candidate.in_text and column.counted(detector.name) is None:
            _borrow(candidate, out)
        if candidate.named < SHOWN and (detector.name in others or coded) and chancy(detector):
            candidate.logit -= VETO
            candidate.evidence.append("what else it is the field name says, or the X at the end of some")
            candidate.weights.append((candidate.evidence[-1], -VETO))
        if not candidate.in_text:
            candidate.count = _estimated(candidate, column)
    return out


def _are_books(column: Seen) -> bool:
    """Tell whether one in eleven ends in X, as numbers of books and journals do and no others of their form."""
    digits = column.shapes["int10"] + column.shapes["grouped"]
    return column.tags[tags.BOOK] > 1 and digits > 0.7 * column.distinct and column.share(tags.BOOK) > 0.03


def _estimated(candidate: Candidate, column: Seen) -> Count:
    """Return the count of a finding, or what the sketch says of it where no cell was counted."""
    count = candidate.count
    if candidate.unlisted and candidate.detector.category in CODED:
        return Count(count.checked, count.checked, count.checked)
    if count.valid or not column.distinct:
        return count
    formed = column.tags[tags.formed(candidate.detector.name)]
    if formed and not candidate.passed and not candidate.unlisted:
        candidate.evidence.append(
            f"{formed:,} of {column.distinct:,} distinct values looked at have the form, and none passes the check"
        )
    share = 1.0 if candidate.unlisted else (candidate.passed or formed) / column.distinct
    cells = max(1, round(count.checked * share)) if share and count.checked else 0
    return Count(count.checked, max(count.matched, cells), cells)


def _borrow(candidate: Candidate, others: Sequence[Candidate]) -> None:
    """Of a kind that a stricter detector stands for, only the cells of that one were counted: at least so many."""
    same = [c.count for c in others if c.detector.category == candidate.detector.category and not c.in_text]
    candidate.count = max(same, key=lambda count: count.valid)
