"""The fuzz targets on their seeds and on random changes of them, and inputs that once broke a parser."""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib

import polars as pl
import pyarrow as pa
import pytest

from fuzz import harness, seeds
from fuzz.files import scan
from fuzz.harness import LawBroken, Target, check, file_of, read_all
from fuzz.mutate import mutations
from fuzz.targets import TARGETS
from plainview.documents.scalars import merged
from plainview.documents.walk import documents_to_frame
from plainview.errors import DamagedError
from plainview.files.encodings import blocks as encodings
from plainview.files.formats import text
from plainview.files.formats.avro import read as avro
from plainview.files.formats.columnar import arrow, arrow_guard
from plainview.files.formats.csv import read as delimited
from plainview.files.formats.json import read as json_
from plainview.files.formats.sqldump import read as sqldump
from plainview.files.formats.sqlite import read as sqlite_
from plainview.names import safe_name
from plainview.targets.parsing import parse_target

CHANGES = 300


@pytest.mark.parametrize("name", TARGETS)
def test_seeds_and_changes(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    target = TARGETS[name]
    for data in (*target.seeds, *mutations(target, seed=20_26, count=CHANGES)):
        try:
            check(target, data)
        except Exception as error:
            raise AssertionError(f"{name} failed on {data!r}") from error
    capfd.readouterr()  # Rust prints its panics there


def test_the_laws_can_be_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    def quotes(data: bytes) -> None:
        raise DamagedError(f"cannot read {data.decode()}")

    def fails(data: bytes) -> None:
        raise ValueError(data)

    def turns(_: bytes) -> None:
        sum(range(3_000_000))

    with pytest.raises(LawBroken, match="quoted"):
        check(Target("quotes", quotes, ()), seeds.MAIL)
    with pytest.raises(ValueError, match="x"):
        check(Target("fails", fails, ()), b"x")
    monkeypatch.setattr(harness, "GROWTH", -1)
    with pytest.raises(LawBroken, match="memory"):
        check(Target("grows", lambda _: None, ()), b"x")
    monkeypatch.undo()
    monkeypatch.setattr(harness, "SECONDS", 0.005)
    with pytest.raises(LawBroken, match="slow"):
        check(Target("slow", turns, ()), b"x")


# -- inputs that once broke a parser ------------------------------------------------------------------------


def test_utf16_behind_ascii_does_not_change_what_is_before_it() -> None:
    before = "".join(f"{number},name {number}\n" for number in range(90)).encode()
    tail = "name,mail\nA,b@c.dd\n".encode("utf-16")
    assert encodings.detect(before + tail, whole=True).name != "utf-16-le"
    for reader, name in ((delimited, "a.csv"), (text, "a.txt")):
        seen = read_all(lambda log, reader=reader, name=name: reader.read(file_of(before + tail, name), log))
        assert "name 0" in seen.text()
        assert "name 89" in seen.text()


@pytest.mark.parametrize("order", ["utf-16-le", "utf-16-be"])
def test_utf16_without_a_mark_is_still_seen(order: str) -> None:
    chinese = "姓名,电话\n王小明,13800138000\n李四,13900139000\n" * 5
    assert encodings.detect(chinese.encode(order), whole=True).name == order
    assert encodings.detect(("name,mail\nAnna,a@b.cc\n" * 5).encode(order), whole=True).name == order


@pytest.mark.parametrize("start", ["x^2", "x\x01", "x\N{STRING TERMINATOR}"])
def test_text_that_polars_would_take_for_packed(start: str) -> None:
    rows = f"{start}\ty\nb\tz\n".encode()
    dump = b"CREATE TABLE t (a text, b text);\nCOPY t FROM stdin;\n" + rows + b"\\.\n"
    plain = b"CREATE TABLE t (a text, b text);\nINSERT INTO t VALUES (" + start.encode() + b",1);\n"
    for reader, name, data in (
        (text, "a.txt", rows),
        (delimited, "a.tsv", rows * 2),
        (delimited, "a.csv", rows.replace(b"\t", b",") * 2),
        (sqldump, "a.sql", dump),
    ):
        seen = read_all(lambda log, reader=reader, name=name, data=data: reader.read(file_of(data, name), log))
        assert not seen.told, name
        assert start in "".join(str(cell) for frame in seen.frames for row in frame.rows() for cell in row), name
    read_all(lambda log: sqldump.read(file_of(plain, "a.sql"), log))


def test_ascii_that_unpacks_is_text() -> None:
    # a zlib stream of stored blocks in printable characters would be enough; Polars must not see it as one
    packed = zlib.compress(b"a,b\n1,2\n" * 100_000, 1)
    assert encodings.polars_would_unpack(packed)
    seen = read_all(lambda log: text.read(file_of(packed, "a.txt"), log))
    assert seen.rows < 10_000


def test_two_lists_of_one_path() -> None:
    frame = documents_to_frame([{"a": [1, 2], "a[]": [3]}, {"a": [4]}, {"a[]": [5, 6]}])
    assert sorted(v for row in frame.rows() for cell in row for v in cell or ()) == [1, 2, 3, 4, 5, 6]
    one = pl.Series("x", [["a"], ["b"], None])
    assert merged(one, pl.Series("x", [["c", "d"], None, None])).to_list() == [["a", "c", "d"], ["b"], None]


def test_a_bulk_file_that_ends_behind_an_action() -> None:
    seen = read_all(lambda log: json_.read(file_of(b'{"index":{}}\n', "a.json"), log))
    assert seen.told


def test_an_escape_sequence_without_an_end() -> None:
    # Python's decoder of ISO-2022-JP gives up at this, even when told to replace
    data = b"@ \x1b$B;d\x1b(B\r\n" + b"\0" * 30 + b"\x1b$\x17\0u(?\0t\0\0|\1"
    seen = read_all(lambda log: text.read(file_of(data * 3, "a.txt"), log))
    assert seen.text().count("私") == 3


def test_hexadecimal_that_is_none_in_a_dump() -> None:
    dump = b"-- MySQL dump 10.13\nINSERT INTO u VALUES (1,_binary 'a'),(2,0xCAFE),(3,0xCAxE),(4,0xABC);\n"
    seen = read_all(lambda log: sqldump.read(file_of(dump, "a.sql"), log))
    assert [row[1] for row in seen.frames[0].rows()] == [b"a", b"\xca\xfe", b"CAxE", b"\x0a\xbc"]


def test_a_schema_that_sqlite_quotes_in_bytes_that_are_not_utf8() -> None:
    at = seeds.sqlite().index(b"CREATE TABLE")
    data = bytearray(seeds.sqlite())
    data[at + 5 : at + 12] = b"\xff\xff\xa4cana\xff"[:7]
    seen = read_all(lambda log: sqlite_.read(file_of(bytes(data), "a.db"), log))
    assert any("damaged" in why for _, why in seen.log.skipped) or seen.error


def test_a_length_in_a_database_that_no_memory_holds() -> None:
    data = bytearray(seeds.sqlite())
    data[0x72D : 0x72D + 40] = b"\xff" * 40
    db = bytes(data)
    seen = read_all(lambda log: sqlite_.read(file_of(db, "a.db"), log))
    assert seen.told


def test_a_zip_directory_that_hides_members() -> None:
    whole = seeds.zipped(("a.csv", seeds.CSV[0]), ("b.csv", seeds.CSV[0]))
    end = whole.index(b"PK\x05\x06")
    directory = whole.index(b"PK\x01\x02")
    second = whole.index(b"PK\x01\x02", directory + 4)
    none = whole[:directory] + b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 0, 0, 0, directory, 0)
    fewer = whole[:second] + whole[end : end + 12] + struct.pack("<II", second - directory, directory) + b"\0\0"
    assert len(zipfile.ZipFile(io.BytesIO(fewer)).infolist()) == 1
    for data in (none, fewer):
        seen = scan(data, "a.zip")
        assert any("does not list all members" in why for _, why in seen.log.skipped)
    assert not scan(whole, "a.zip").told


def test_avro_cut_in_the_head_of_a_block() -> None:
    mark = b"\x01\x02\x03\x04" * 4
    head = seeds.AVRO.index(mark) + len(mark)
    whole = read_all(lambda log: avro.read(file_of(seeds.AVRO, "a.avro"), log))
    assert whole.rows == 50
    assert not whole.told
    for cut in (seeds.AVRO[: head + 1], seeds.AVRO[: head + 2], seeds.AVRO[:-1], seeds.AVRO + b"\x80"):
        assert read_all(lambda log, cut=cut: avro.read(file_of(cut, "a.avro"), log)).error


def _arrow(data: bytes, name: str = "a.arrow") -> harness.Seen:
    return read_all(lambda log: arrow.read(file_of(data, name), log), flat=False)


def test_an_arrow_length_that_no_memory_holds() -> None:
    # Polars would ask for 4 PB, and the process would be aborted
    for whole in (seeds.STREAM, seeds.IPC):
        for place in range(16, 900, 8):
            broken = bytearray(whole)
            broken[place : place + 8] = struct.pack("<q", 0x10050000000000)
            _arrow(bytes(broken))


def test_arrow_that_hides_its_rows() -> None:
    assert _arrow(b"\xff\xff\xff\xff\0\0\0\0").told
    for compression in ("uncompressed", "lz4", "zstd"):
        for frame in (
            pl.DataFrame({"a": ["x" * 50] * 9}),
            pl.DataFrame({"a": [1], "b": [None]}),
            pl.DataFrame({"a": []}),
        ):
            buffer = io.BytesIO()
            frame.write_ipc(buffer, compression=compression)
            seen = _arrow(buffer.getvalue())
            assert not seen.told, seen.log.skipped
            assert seen.rows == frame.height
    length = int.from_bytes(seeds.IPC[-10:-6], "little")
    footer = seeds.IPC[-10 - length : -10]
    fields = arrow_guard._root(footer)
    start = fields.place(3) + struct.unpack_from("<I", footer, fields.place(3))[0]
    none = footer[:start] + bytes(4) + footer[start + 4 :]
    seen = _arrow(seeds.IPC[: -10 - length] + none + seeds.IPC[-10:])
    assert any("does not name all" in why for _, why in seen.log.skipped)


def test_arrow_messages_of_an_unknown_kind() -> None:
    second = seeds.STREAM.index(b"\xff\xff\xff\xff", 4)
    message = arrow_guard._root(seeds.STREAM[second + 8 :])
    at = second + 8 + message.place(1)
    assert seeds.STREAM[at] == 3
    assert _arrow(seeds.STREAM[:at] + b"\x7f" + seeds.STREAM[at + 1 :]).log.skipped


def test_one_damaged_batch_of_arrow_costs_only_itself() -> None:
    buffer = io.BytesIO()
    sink = pa.ipc.new_stream(buffer, pa.schema([("a", pa.string())]))
    for number in range(3):
        sink.write_batch(pa.record_batch([[f"row {number}"] * 5], names=["a"]))
    sink.close()
    whole = buffer.getvalue()
    second = [found.start() for found in re.finditer(rb"\xff\xff\xff\xff", whole)][2]
    at = whole.index(struct.pack("<q", 5), second)
    seen = _arrow(whole[:at] + struct.pack("<q", 1 << 50) + whole[at + 8 :], "a.arrows")
    assert seen.rows == 10
    assert [what for what, _ in seen.log.skipped] == ["a.arrows: record batch 2"]
    fewer = _arrow(whole[:at] + struct.pack("<q", 4) + whole[at + 8 :], "a.arrows")  # 4 rows, and columns of 5
    assert fewer.told


def test_a_zip_member_without_a_name_does_not_cost_the_others() -> None:
    whole = seeds.zipped(("a", seeds.CSV[0]), ("b.csv", seeds.CSV[0]))
    at = whole.index(b"PK\x01\x02")
    unnamed = whole[: at + 28] + b"\0\0\1\0" + whole[at + 32 :]  # the name of one letter becomes an extra field
    seen = scan(unnamed, "a.zip")
    assert any(frame.height == 3 for frame in seen.frames)


@pytest.mark.parametrize("before", ["%40", "a %40", "x%40%40", "?q=%40"])
def test_an_address_behind_an_encoded_sign(before: str) -> None:
    assert "anna" not in safe_name(f"{before}anna.muster@example.org")


def test_an_address_that_no_encoding_can_write() -> None:
    for odd in ("\udccb", "\ud800"):
        str(parse_target(f"redis://127.0.0.1/{odd}")).encode()
