"""Tables of dBASE: every row and type, encodings, deleted rows, headers that lie."""

from __future__ import annotations

import datetime as dt
import io
import struct
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bounds.work import LINEAR, growth
from plainview.errors import PlainviewError
from plainview.files.formats import dbf
from plainview.files.kinds.identify import identify
from plainview.tables import MIB, Input, ReadLog

MADE = Path(__file__).with_name("made")
CANARY = "canary.7f3a@example.org"


def table(rows: list[bytes], *, page: int = 0, size: int = 40, said: int | None = None, kind: bytes = b"C") -> bytes:
    """Write a table with the one column `email`."""
    column = b"email".ljust(11, b"\0") + kind + bytes(4) + bytes([size]) + bytes(15)
    head = b"\x03\x7c\x01\x02" + struct.pack("<IHH", len(rows) if said is None else said, 65, size + 1)
    return (
        head
        + bytes(17)
        + bytes([page])
        + bytes(2)
        + column
        + b"\r"
        + b"".join(b" " + r.ljust(size)[:size] for r in rows)
        + b"\x1a"
    )


def read(data: bytes) -> tuple[pl.DataFrame, list[str], set[str]]:
    log, frames, told, notes = ReadLog(), [], [], set()
    try:
        for batch in dbf.read(Input("a.dbf", data[:65536], lambda: io.BytesIO(data), len(data)), log):
            frames.append(batch.frame)
            notes |= set(batch.table.notes)
    except PlainviewError as error:
        told.append(str(error))
    told += [why for _, why in log.skipped]
    assert CANARY not in str(told)
    return (pl.concat(frames) if frames else pl.DataFrame()), told, notes


def test_dbase_3_and_a_deleted_row() -> None:
    frame, told, notes = read((MADE / "dbase3.dbf").read_bytes())
    assert frame["EMAIL"].to_list() == [f"user{n}@example.org" for n in range(30)]
    assert frame["NAME"][7] == "Anna Müller 7"
    assert (frame["ID"][29], frame["BORN"][0], frame["OK"][0]) == ("29", "19800101", "T")
    assert told == []
    assert notes == {dbf.DELETED}


def test_visual_foxpro() -> None:
    frame, told, _ = read((MADE / "foxpro.dbf").read_bytes())
    row = frame.row(3, named=True)
    assert (row["NAME"], row["N"], row["W"], row["AT"]) == (
        "Anna Müller 3",
        21,
        1.5,
        dt.datetime.fromisoformat("2020-01-01"),
    )
    assert told == ["1 column(s) whose texts lie in another file"]


def test_the_table_of_a_shapefile() -> None:
    frame, told, notes = read((MADE / "shapefile.dbf").read_bytes())
    assert frame["name"].to_list() == [f"Zürich {n}" for n in range(10)]
    assert told == []
    assert notes == {"read as utf-8 (assumed)"}


@pytest.mark.parametrize(("page", "encoding"), [(0x02, "cp850"), (0xC9, "cp1251"), (0x7B, "cp932"), (0x4D, "gb18030")])
def test_the_encoding_that_the_header_names(page: int, encoding: str) -> None:
    name = {"cp850": "Müller", "cp1251": "Иванов", "cp932": "山田太郎", "gb18030": "张伟"}[encoding]
    frame, told, notes = read(table([name.encode(encoding)] * 3, page=page))
    assert frame["email"].to_list() == [name] * 3
    assert (told, notes) == ([], set())


def test_rows_over_several_blocks_and_a_table_without_rows() -> None:
    frame, told, _ = read(table([b"%d@example.org" % n for n in range(250_000)]))
    assert frame["email"].n_unique() == 250_000
    assert told == []
    frame, told, _ = read(table([]))
    assert (frame.columns, frame.height, told) == (["email"], 0, [])


@pytest.mark.parametrize("at", [20, 64, 70, 500, 65 + 41 * 50])
def test_a_cut_is_told_and_the_rows_before_count(at: int) -> None:
    frame, told, _ = read(table([b"x@example.org"] * 100)[:at])
    assert frame.height == max(0, at - 65) // 41
    assert told


def test_more_rows_than_the_header_says_are_told() -> None:
    frame, told, _ = read(table([b"x@example.org"] * 9, said=4))
    assert frame.height == 4
    assert told == ["more bytes than its rows take; they were not read"]


def test_a_header_that_fits_is_one_and_no_other() -> None:
    for name in ("dbase3", "foxpro", "shapefile"):
        assert identify((MADE / f"{name}.dbf").read_bytes()[:65536], "x").name == "dbf"
    good = table([b"x"] * 3)
    assert identify(good, "x").name == "dbf"
    for at, value in ((2, 13), (3, 32), (10, 9), (43, 0x21), (48, 9), (64, 7)):
        bad = bytearray(good)
        bad[at] = value
        assert identify(bytes(bad), "x").name != "dbf", at


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_no_damage_makes_it_fail(draw: st.DataObject) -> None:
    data = bytearray((MADE / draw.draw(st.sampled_from(["dbase3.dbf", "foxpro.dbf"]))).read_bytes())
    for _ in range(draw.draw(st.integers(1, 5))):
        data[draw.draw(st.integers(0, 400))] = draw.draw(st.integers(0, 255))
    read(bytes(data))


def test_time_is_linear() -> None:
    assert growth(read, lambda size: table([b"x@example.org"] * (size // 41)), 2 * MIB) < LINEAR
