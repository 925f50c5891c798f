"""Blocks of delimited text in parts that make one frame each: no record is lost, none is cut, no frame is too large."""

from __future__ import annotations

import csv

from hypothesis import given
from hypothesis import strategies as st

from plainview.files.formats.csv import widths

CELL = st.sampled_from(["", "a", "lorem ipsum", '"x\ny"', '"a,b"'])
RECORDS = st.lists(st.lists(CELL, max_size=40).map(",".join), max_size=60)


@given(RECORDS, st.integers(1, 50), st.integers(1, 60))
def test_parts_hold_each_record_once(records, width, cells):
    block = "".join(f"{record}\n" for record in records).encode()
    before, widths.CELLS = widths.CELLS, cells
    try:
        found = list(widths.parts(block, '"', ",", width))
    finally:
        widths.CELLS = before
    assert sorted(b"".join(part for part, _ in found)) == sorted(block)
    for part, columns in found:
        assert columns <= width
        if len(found) > 1:
            count = sum(1 for _ in csv.reader(part.decode().splitlines(keepends=True)))
            assert count * columns <= max(cells, columns)


def test_few_long_lines_behind_many_short_ones():
    block = b"a,b\n" * 2_000_000 + b"x" * 9_000_000 + b"\n"
    found = [part for part, _ in widths.parts(block, '"', ",", 4)]
    assert len(found) > 1
    assert b"".join(found) == block


@given(st.binary(max_size=300))
def test_lines_are_counted(data):
    assert widths.lines(data) == data.count(b"\n")
