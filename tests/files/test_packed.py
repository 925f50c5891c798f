from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
import subprocess
import sys
import tarfile
import time
import zipfile
from pathlib import Path

import pytest
from backports import zstd
from hypothesis import given, settings
from hypothesis import strategies as st
from isal import igzip

from conftest import counted_calls
from plainview.errors import LimitError
from plainview.files.packed.inflate import inflate, unpacked
from plainview.files.packed.member_names import clean_name
from plainview.files.packed.packed import bare_name
from plainview.files.packed.streams import Meter
from plainview.files.packed.zip_directory import directory
from plainview.files.source import FileSource
from plainview.tables import MIB, Deadline, Limits, ReadLog

CANARY = "canary.7f3a@example.org"
CSV = b"name,email,age\n" + f"Anna,{CANARY},30\n".encode() * 3
PACK = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lambda data: lzma.compress(data, preset=0),
    "lzma": lambda data: lzma.compress(data, format=lzma.FORMAT_ALONE, preset=0),
    "zst": zstd.compress,
}


def scan(path: Path, limits: Limits | None = None):
    source, log = FileSource(path, limits), ReadLog()
    rows: dict[str, int] = {}
    for unit in source.units(log):
        for batch in source.read(unit, log):
            rows[batch.table.name] = rows.get(batch.table.name, 0) + batch.frame.height
    return rows, log.skipped


def put(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return buffer.getvalue()


def tarred(members: dict[str, bytes], mode: str = "w") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


@pytest.mark.parametrize("suffix", PACK)
def test_a_packed_file_keeps_its_name(tmp_path: Path, suffix: str) -> None:
    path = put(tmp_path / f"people.csv.{suffix}", PACK[suffix](CSV))
    assert scan(path) == ({f"people.csv.{suffix}": 3}, [])


@pytest.mark.parametrize("suffix", ["gz", "bz2", "xz", "zst"])
def test_parts_put_one_after_the_other_and_padding(tmp_path: Path, suffix: str) -> None:
    pack = PACK[suffix]
    path = put(tmp_path / f"a.csv.{suffix}", pack(CSV) + pack(CSV[15:]) + bytes(512))
    assert scan(path) == ({path.name: 6}, [])


@pytest.mark.parametrize(("suffix", "codec"), [("gz", "gzip"), ("bz2", "bzip2"), ("xz", "xz"), ("zst", "zstd")])
def test_packed_bytes_are_counted_once(suffix: str, codec: str) -> None:
    """Each part begins in what was read with the one before: counted again, a bomb of parts would have no ratio."""
    data, taken = PACK[suffix](CSV) * 50 + bytes(20), []
    assert b"".join(inflate(io.BytesIO(data), codec, Limits(), taken.append)) == CSV * 50
    assert sum(taken) == len(data)


def test_parts_that_hold_nothing_end_at_the_deadline() -> None:
    data, taken = zstd.compress(b"") * 100_000 + zstd.compress(CSV), []
    meter = Meter(len(data), Limits(), Deadline(-1), taken.append)
    with pytest.raises(LimitError, match="stopped after"):
        list(unpacked(io.BytesIO(data), "zstd", meter, top=True))
    assert sum(taken) < len(data)  # noticed on the way, not at its end


@pytest.mark.parametrize("suffix", PACK)
def test_cut_short_the_rows_so_far_count_and_the_rest_is_told(tmp_path: Path, suffix: str) -> None:
    rows = b"".join(b"A%d,%d@x.org,%d\n" % (i, i * 7919, i % 97) for i in range(150_000))
    data = PACK[suffix](b"name,email,age\n" + rows)
    path = put(tmp_path / f"a.csv.{suffix}", data[: len(data) * 2 // 3])
    found, skipped = scan(path)
    assert 20_000 < found[path.name] < 150_000
    assert any("ends too early" in why for _, why in skipped)


@pytest.mark.parametrize("suffix", PACK)
def test_damage_and_trailing_bytes_are_told(tmp_path: Path, suffix: str) -> None:
    data = bytearray(PACK[suffix](CSV * 5000))
    middle = len(data) // 2
    data[middle : middle + 20] = b"\xa5" * 20
    _, skipped = scan(put(tmp_path / f"a.csv.{suffix}", bytes(data)))
    assert skipped
    _, skipped = scan(put(tmp_path / f"b.csv.{suffix}", PACK[suffix](CSV) + CANARY.encode()))
    assert any("other bytes follow" in why for _, why in skipped) or suffix == "lzma"
    assert CANARY not in str(skipped)


@pytest.mark.parametrize(
    "method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA], ids=str
)
def test_zip_methods(tmp_path: Path, method: int) -> None:
    path = put(tmp_path / "more.zip", zipped({"inside/people.csv": CSV, "b.csv": CSV * 9000}, method))
    rows, skipped = scan(path)
    assert list(rows) == ["more.zip/inside/people.csv", "more.zip/b.csv"]
    assert rows["more.zip/inside/people.csv"] == 3
    assert skipped == []


def test_nested_three_deep(tmp_path: Path) -> None:
    inner = tarred({"c.csv": CSV}, "w:gz")
    path = put(tmp_path / "a.zip", zipped({"b.tar.gz": inner, "d/e.zip": zipped({"f.csv.xz": lzma.compress(CSV)})}))
    assert scan(path) == ({"a.zip/b.tar.gz/c.csv": 3, "a.zip/d/e.zip/f.csv.xz": 3}, [])
    three = zipped({"2.zip": zipped({"3.tgz": tarred({"c.csv.gz": gzip.compress(CSV)}, "w:gz")})})
    assert scan(put(tmp_path / "1.zip", three)) == ({"1.zip/2.zip/3.tgz/c.csv.gz": 3}, [])
    four = zipped({"ok.csv": CSV, "more.zip": three})
    rows, skipped = scan(put(tmp_path / "0.zip", four))
    assert rows == {"0.zip/ok.csv": 3}
    assert [(what, "--depth" in why) for what, why in skipped] == [("0.zip/more.zip/2.zip/3.tgz", True)]


def test_a_gzip_of_gzips_ends(tmp_path: Path) -> None:
    data = CSV
    for _ in range(6):
        data = gzip.compress(data)
    rows, skipped = scan(put(tmp_path / "a.gz", data))
    assert rows == {}
    assert "--depth" in skipped[0][1]


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_tar_forms(tmp_path: Path, mode: str) -> None:
    times = 20_000 if mode in {"w:bz2", "w:xz"} else 250_000  # the latter is more than is held in memory
    path = put(tmp_path / "a.bin", tarred({"x/people.csv": CSV, "empty.csv": b"", "big.csv": CSV * times}, mode))
    rows, skipped = scan(path)
    assert rows["a.bin/x/people.csv"] == 3
    assert rows["a.bin/big.csv"] > 3 * times
    assert skipped == []  # an empty member was examined entirely


def test_tar_links_and_devices_are_named_not_followed(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        info = tarfile.TarInfo("d/a.csv")
        info.size = len(CSV)
        archive.addfile(info, io.BytesIO(CSV))
        for name, kind, target in (
            ("d/inside", tarfile.SYMTYPE, "a.csv"),
            ("hard", tarfile.LNKTYPE, "d/a.csv"),
            ("up", tarfile.SYMTYPE, "../../etc/passwd"),
            ("root", tarfile.SYMTYPE, "/etc/passwd"),
            ("fifo", tarfile.FIFOTYPE, ""),
            ("disk", tarfile.BLKTYPE, ""),
        ):
            link = tarfile.TarInfo(name)
            link.type, link.linkname = kind, target
            archive.addfile(link)
    rows, skipped = scan(put(tmp_path / "a.tar", buffer.getvalue()))
    assert rows == {"a.tar/d/a.csv": 3}
    assert {what for what, _ in skipped} == {"a.tar/up", "a.tar/root", "a.tar/fifo", "a.tar/disk"}


def test_a_damaged_or_cut_tar_is_not_taken_for_its_end(tmp_path: Path) -> None:
    data = bytearray(tarred({f"{i}.csv": CSV for i in range(5)}))
    broken = bytearray(data)
    broken[1024 * 2 : 1024 * 2 + 512] = b"\xee" * 512
    for name, content in (("broken", broken), ("cut", data[: 1024 * 3 + 100]), ("header", data[: 1024 * 3 + 512])):
        rows, skipped = scan(put(tmp_path / f"{name}.tar", bytes(content)))
        assert 1 <= len(rows) <= 4, name
        assert skipped, name
    rows, skipped = scan(put(tmp_path / "two.tar", bytes(data) + bytes(data)))
    assert len(rows) == 5
    assert "more data follows" in skipped[0][1]


def test_a_tar_header_that_claims_to_be_huge(tmp_path: Path) -> None:
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XHDTYPE, 7 << 30
    _, skipped = scan(put(tmp_path / "a.tar", tarred({"a.csv": CSV})[:1024] + info.tobuf() + bytes(2048)))
    assert "larger than any real one" in skipped[0][1]


def test_the_map_of_a_sparse_file_is_not_unfolded(tmp_path: Path) -> None:
    """A file of 1.7 kB may hold a map of ten million pieces of nothing."""
    entries = 200_000
    content = f"{entries}\n".encode() + b"0\n0\n" * entries
    info = tarfile.TarInfo("GNUSparseFile.0/sparse")
    info.size = len(content)
    info.pax_headers = {
        f"GNU.sparse.{k}": v for k, v in {"major": "1", "minor": "0", "name": "s", "realsize": "9"}.items()
    }
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(info, io.BytesIO(content))
        info = tarfile.TarInfo("a.csv")
        info.size = len(CSV)
        archive.addfile(info, io.BytesIO(CSV))
    path = put(tmp_path / "a.tgz", buffer.getvalue())
    with counted_calls() as calls:
        assert scan(path) == ({"a.tgz/a.csv": 3}, [("a.tgz/s", "a sparse file in a tar")])
    assert calls[0] < entries // 5


def test_path_tricks_in_names_become_harmless(tmp_path: Path) -> None:
    names = ["../../etc/x.csv", "/abs.csv", "C:\\win\\x.csv", "a\x1b[31m.csv", "con.csv", "dir/../up.csv", "ok.csv"]
    path = put(tmp_path / "a.zip", zipped(dict.fromkeys(names, CSV)))
    rows, skipped = scan(path)
    assert len(rows) == len(names)
    for name in rows:
        assert name.startswith("a.zip/")
        assert ".." not in name.split("/")
        assert "\x1b" not in name
        assert "\\" not in name
    assert skipped == []
    source = FileSource(path)
    notes = [b.table.notes for unit in source.units(ReadLog()) for b in source.read(unit, ReadLog())]
    assert sum("harmless form" in str(note) for note in set(zip(rows, notes, strict=False))) == 6
    assert not (tmp_path / "etc").exists()


def test_twice_the_same_name(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.csv", CSV)
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a.csv", CSV)
    rows, _ = scan(put(tmp_path / "a.zip", buffer.getvalue()))
    assert rows == {"a.zip/a.csv": 3, "a.zip/a.csv#2": 3}


@given(st.text(max_size=80))
def test_clean_names_are_relative_and_stay_so(name: str) -> None:
    clean = clean_name(name)
    assert clean
    assert not clean.startswith("/")
    assert ".." not in clean.split("/")
    assert clean.isprintable() or all(ord(c) > 31 for c in clean)
    assert clean_name(clean) == clean
    clean.encode()


def test_encrypted_members_are_named(tmp_path: Path) -> None:
    data = bytearray(zipped({"a.csv": CSV, "b.csv": CSV}))
    for at in (data.find(b"PK\x03\x04") + 6, data.find(b"PK\x01\x02") + 8):
        data[at] |= 1
    rows, skipped = scan(put(tmp_path / "a.zip", bytes(data)))
    assert rows == {"a.zip/b.csv": 3}
    assert skipped == [("a.zip/a.csv", "encrypted with a password")]


def test_lies_about_sizes_and_checksums_are_told(tmp_path: Path) -> None:
    data = bytearray(zipped({"a.csv": CSV}))
    at = data.find(b"PK\x01\x02")
    struct.pack_into("<I", data, at + 24, 10)
    rows, skipped = scan(put(tmp_path / "a.zip", bytes(data)))
    assert rows == {"a.zip/a.csv": 3}
    assert "where the archive says 10" in skipped[0][1]
    data = bytearray(zipped({"a.csv": CSV}))
    struct.pack_into("<I", data, data.find(b"PK\x01\x02") + 16, 1)
    rows, skipped = scan(put(tmp_path / "b.zip", bytes(data)))
    assert "checksum" in skipped[0][1]


def test_zip64(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("a.csv", "w", force_zip64=True) as f,
    ):
        f.write(CSV)
    assert scan(put(tmp_path / "a.zip", buffer.getvalue())) == ({"a.zip/a.csv": 3}, [])


def test_damaged_zips_are_told(tmp_path: Path) -> None:
    data = zipped({"a.csv": CSV, "b.csv": CSV})
    for name, content in {"cut": data[:-30], "half": data[: len(data) // 2], "only": b"PK\x03\x04" + bytes(30)}.items():
        _, skipped = scan(put(tmp_path / f"{name}.zip", content))
        assert skipped, name
    broken = bytearray(data)
    broken[40:50] = b"\xa5" * 10
    rows, skipped = scan(put(tmp_path / "c.zip", bytes(broken)))
    assert rows["c.zip/b.csv"] == 3
    assert skipped


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_damage_makes_it_fail(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    base = data.draw(st.sampled_from(ALL_FORMS))
    content = bytearray(base)
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = put(tmp_path_factory.getbasetemp() / "fuzzed.bin", bytes(content[: data.draw(st.integers(1, len(content)))]))
    rows, skipped = scan(path)
    assert rows or skipped
    assert CANARY not in str(skipped)


ALL_FORMS = [
    *(pack(CSV) for pack in PACK.values()),
    zipped({"a.csv": CSV, "b/c.csv.gz": gzip.compress(CSV)}),
    tarred({"a.csv": CSV, "b.zip": zipped({"x.csv": CSV})}),
    tarred({"a.csv": CSV}, "w:gz"),
]

BOMB_LIMITS = Limits(ratio_floor=4 * MIB)


def test_limits_name_their_settings(tmp_path: Path) -> None:
    zeros = put(tmp_path / "zeros.csv.gz", igzip.compress(bytes(40 * MIB)))
    _, skipped = scan(zeros, BOMB_LIMITS)
    assert any("--ratio" in why for _, why in skipped)
    _, skipped = scan(put(tmp_path / "a.csv.gz", gzip.compress(CSV * 100_000)), Limits(unpacked=MIB, ratio=10**9))
    assert any("--unpacked" in why for _, why in skipped)
    many = zipped({f"{i}.csv": CSV for i in range(20)})
    rows, skipped = scan(put(tmp_path / "many.zip", many), Limits(members=5))
    assert len(rows) == 5
    assert any("--members" in why for _, why in skipped)
    rows, skipped = scan(put(tmp_path / "many.tar", tarred({f"{i}.csv": CSV for i in range(20)})), Limits(members=5))
    assert len(rows) == 5
    assert any("--members" in why for _, why in skipped)
    inner = zipped({"in.zip": zipped({"a.csv": CSV * 1000}, zipfile.ZIP_STORED)}, zipfile.ZIP_STORED)
    _, skipped = scan(put(tmp_path / "deep.zip", inner), Limits(memory=1000))
    assert any("--memory" in why for _, why in skipped)


def test_one_bomb_does_not_hide_its_neighbours(tmp_path: Path) -> None:
    noise = b"".join(b"A%d,%d@x.org,%d\n" % (i, i * 7919, i % 97) for i in range(200_000))
    data = zipped({"a.csv": CSV, "bomb.csv": bytes(60 * MIB), "b.csv": b"name,email,age\n" + noise})
    rows, skipped = scan(put(tmp_path / "a.zip", data), Limits(ratio_floor=4 * MIB))
    assert rows["a.zip/a.csv"] == 3
    assert rows["a.zip/b.csv"] == 200_000
    assert any(what == "a.zip/bomb.csv" and "--ratio" in why for what, why in skipped)


SCAN = """
import resource, sys
from plainview.files.source import FileSource
from plainview.tables import ReadLog
from plainview.files.packed.streams import Meter
from plainview.files.packed.zip_directory import directory
import polars, plainview.files.formats.text, plainview.files.formats.csv.read
counted, add = [0], Meter.add
def counting(meter, count):
    counted[0] += count
    add(meter, count)
Meter.add = counting
base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
source, log = FileSource(sys.argv[1]), ReadLog()
for unit in source.units(log):
    for batch in source.read(unit, log):
        pass
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(counted[0] >> 20, (peak - base) // 1024, [why for _, why in log.skipped])
"""


def cost(path: Path) -> tuple[int, int, str]:
    """Return the MiB that were unpacked, the MB of memory that it took, and what was told."""
    run = subprocess.run(
        [sys.executable, "-c", SCAN, str(path)], capture_output=True, text=True, check=True, timeout=600
    )
    unpacked, megabytes, why = run.stdout.split(" ", 2)
    return int(unpacked), int(megabytes), why


def test_bombs_are_stopped_after_little_was_unpacked(tmp_path: Path) -> None:
    block = zipped({"zeros.csv": bytes(80 * MIB)})
    flat = gzip.compress(bytes(16 * MIB)) * 640  # 10 GiB of zeros
    put(tmp_path / "flat.csv.gz", flat)
    nest = zipped({f"lib {i}.zip": zipped({f"{j}.zip": block for j in range(16)}) for i in range(16)})  # 20 GiB
    put(tmp_path / "42.zip", nest)
    for name in ("flat.csv.gz", "42.zip"):
        unpacked, megabytes, why = cost(tmp_path / name)
        assert "--ratio" in why, name
        assert 60 <= unpacked < 80, name  # time follows from that, and the machine may be busy
        assert megabytes < 300, name


def test_a_csv_gz_streams(tmp_path: Path) -> None:
    """The first rows are there when little more was unpacked than they take, and the rest comes in pieces."""
    rows = b"".join(
        b"Anna %d,%d@example.org,%d,some more words here\n" % (i, i * 7919, i % 97) for i in range(2_000_000)
    )
    packed = put(tmp_path / "a.csv.gz", igzip.compress(b"name,email,age,note\n" + rows, 1))
    log, source = ReadLog(), FileSource(packed)
    (unit,) = source.units(log)
    batches = source.read(unit, log)
    first = next(batches).frame.height
    assert 0 < log.bytes_read < 0.8 * packed.stat().st_size
    assert 0 < first < 1_000_000
    assert first + sum(batch.frame.height for batch in batches) == 2_000_000
    assert log.bytes_read == packed.stat().st_size


def test_threads_end_when_reading_stops_early(tmp_path: Path) -> None:
    import threading

    path = put(tmp_path / "a.csv.gz", gzip.compress(CSV * 400_000, 1))
    before = threading.active_count()
    source, log = FileSource(path), ReadLog()
    (unit,) = source.units(log)
    batches = source.read(unit, log)
    next(batches)
    next(batches)
    batches.close()
    deadline = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not [t for t in threading.enumerate() if t.name == "plainview-unpack"]


def test_names_without_their_packer() -> None:
    assert [bare_name(n) for n in ("a.csv.gz", "a.tgz", "a.csv", "A.CSV.BZ2")] == ["a.csv", "a.tar", "a.csv", "A.CSV"]


def test_only_device_names_are_changed() -> None:
    assert clean_name("a/falcon.csv") == "a/falcon.csv"
    assert clean_name("con.csv") == "_con.csv"


# -- zips with more entries than are read --------------------------------------------------------------------------


def many_entries(count: int, before: bytes = b"") -> bytes:
    """Return a zip of three files whose directory lists `count` folders behind them."""
    made = zipped({f"{n}.csv": CSV for n in range(3)}, zipfile.ZIP_STORED)
    end = made.rfind(b"PK\x05\x06")
    size, offset = struct.unpack_from("<II", made, end + 12)
    folder = struct.pack("<4s6H3I5H2I", b"PK\x01\x02", 20, 20, 0, 0, 0, 33, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0) + b"d/"
    entries = made[offset:end] + folder * count
    record = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 3, 3, len(entries), offset, 0)
    assert size == end - offset
    return before + made[:offset] + entries + record


def test_of_a_huge_directory_only_what_may_be_read_is_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(tmp_path / "a.zip", many_entries(300_000))
    made: list[str] = []

    class Counted(zipfile.ZipInfo):
        def __init__(self, *args: object) -> None:
            super().__init__(*args)
            made.append(self.filename)

    monkeypatch.setattr(zipfile, "ZipInfo", Counted)
    found, skipped = scan(path, Limits(members=1000))
    assert found == {f"a.zip/{n}.csv": 3 for n in range(3)}
    assert len(made) == 1001
    assert any("more than 1000 members" in why for _, why in skipped)


@pytest.mark.parametrize("most", [100, 1000])
def test_members_behind_a_program_are_where_the_directory_says(most: int) -> None:
    program = b"#!/bin/sh\n" * 9
    data = many_entries(500, program)
    found = directory(io.BytesIO(data), most)
    assert len(found.members) == min(most + 1, 503)
    assert all(data[info.header_offset :].startswith(b"PK\x03\x04") for info in found.members[:3])


def test_a_long_directory_that_is_whole_is_not_called_damaged(tmp_path: Path) -> None:
    path = put(tmp_path / "a.zip", zipped({f"{'x' * 200}/{n}.csv": CSV for n in range(40)}))
    found, skipped = scan(path, Limits(members=45))
    assert (len(found), skipped) == (40, [])


def test_a_long_directory_that_breaks_off_is_told(tmp_path: Path) -> None:
    data = many_entries(300)
    at = data.rfind(b"PK\x01\x02")
    path = put(tmp_path / "a.zip", data[:at] + b"PX" + data[at + 2 :])
    found, skipped = scan(path, Limits(members=304))
    assert found == {f"a.zip/{n}.csv": 3 for n in range(3)}
    assert any("damaged" in why for _, why in skipped)
