"""A table says itself whether its rows are a sample; nothing reads that out of the words of a note."""

from __future__ import annotations

import polars as pl
import pytest

from plainview.tables import Batch, Table
from plainview.tables.sampling import sample_rows

WHOLE = Table("t", "csv", ("no header line",))


def batches(rows: int) -> list[Batch]:
    return [Batch(WHOLE, pl.DataFrame({"n": list(range(start, start + 10))})) for start in range(0, rows, 10)]


@pytest.mark.parametrize("how", ["", "drawn from all rows as they were read"])
@pytest.mark.parametrize(("rows", "sampled"), [(20, False), (30, True)])
def test_a_table_is_sampled_where_rows_were_left_out(rows: int, sampled: bool, how: str) -> None:
    [batch] = sample_rows(iter(batches(rows)), 20, "t", how)
    assert (batch.frame.height, batch.table.sampled) == (20, sampled)
    notes = (f"a sample, {how}",) if sampled and how else ()
    assert batch.table.notes == (*WHOLE.notes, *notes)


def test_parts_of_a_table_together_have_the_notes_of_all_and_are_sampled_where_one_is() -> None:
    drawn = WHOLE.drawn("by the server")
    assert drawn.notes == ("no header line", "a sample, by the server")
    for one, other in ((WHOLE, drawn), (drawn, WHOLE), (drawn, drawn)):
        assert set(one.noted_with(other).notes) == set(drawn.notes)
        assert one.noted_with(other).sampled
    assert WHOLE.noted_with(WHOLE) == WHOLE
    assert not Table("t", "csv", ("a sample of our goods",)).sampled
