"""What code of our own unpacks: LZ4 and Snappy frames, `compress`, the custom form of pg_dump."""

from __future__ import annotations

import io
import random
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import cramjam
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bounds.work import LINEAR, growth
from plainview.errors import PlainviewError
from plainview.files.packed.inflate import inflate
from plainview.files.packed.packed import bare_name
from plainview.files.source import FileSource
from plainview.tables import MIB, Limits, ReadLog

MADE = Path(__file__).with_name("made")
PEOPLE = b"id,name,email\n" + b"".join(
    b"%d,Anna %d,user%d@example.org\n" % (n, n * 7919 % 1000, n) for n in range(2000)
)
DUMPS = ["pg_dump-15.dump", "pg_dump-15-plain.dump", "pg_dump-15-inserts.dump", "pg_dump-15-large-object.dump"]


def lzw(data: bytes) -> bytes:
    """Pack as `compress -b 9` does, as long as the table is not full."""
    codes = [data[at] for at in range(min(len(data), 200))]
    bits = sum(code << 9 * at for at, code in enumerate(codes))
    return b"\x1f\x9d\x89" + bits.to_bytes(-(-len(codes) * 9 // 8), "little")


PACK: dict[str, Callable[[bytes], bytes]] = {
    "lz4": lambda data: bytes(cramjam.lz4.compress(data)),
    "snappy": lambda data: bytes(cramjam.snappy.compress(data)),
}
ALL = {
    "lz4": (MADE / "linked.csv.lz4").read_bytes(),
    "snappy": PACK["snappy"](PEOPLE),
    "compress": (MADE / "people.csv.Z").read_bytes(),
    "pg_custom": (MADE / "pg_dump-15.dump").read_bytes(),
}


def unpack(data: bytes, codec: str, limits: Limits | None = None) -> bytes:
    pieces = list(inflate(io.BytesIO(data), codec, limits or Limits(), lambda count: None))
    assert all(pieces), "no bytes are the end of a stream"
    return b"".join(pieces)


def scan(path: Path, limits: Limits | None = None) -> tuple[dict[str, int], list[tuple[str, str]]]:
    source, log = FileSource(path, limits), ReadLog()
    rows: dict[str, int] = {}
    for unit in source.units(log):
        for batch in source.read(unit, log):
            rows[batch.table.name] = rows.get(batch.table.name, 0) + batch.frame.height
    return rows, log.skipped


@pytest.mark.parametrize("name", ["plain.csv.lz4", "linked.csv.lz4", "people.csv.Z", "narrow.csv.Z"])
def test_what_the_tools_packed_is_unpacked(name: str) -> None:
    codec = "lz4" if name.endswith("4") else "compress"
    assert unpack((MADE / name).read_bytes(), codec) == PEOPLE
    assert scan(MADE / name) == ({name: 2000}, [])
    assert bare_name(name) == name.rpartition(".")[0]


@given(st.binary(max_size=300_000), st.integers(1, 4))
@settings(max_examples=30, deadline=None)
def test_what_libraries_packed_is_unpacked(data: bytes, times: int) -> None:
    for codec, pack in PACK.items():
        assert unpack(pack(data * times), codec) == data * times
    several = PACK["lz4"](data) + b"\x5a\x2a\x4d\x18" + struct.pack("<I", 3) + b"abc" + PACK["lz4"](data)
    assert unpack(several, "lz4") == data * 2


@given(st.binary(max_size=180))
@settings(max_examples=50, deadline=None)
def test_single_codes_of_lzw_are_their_bytes(data: bytes) -> None:
    assert unpack(lzw(data), "compress") == data


def test_a_snappy_file_of_several_streams_and_plain_chunks() -> None:
    plain = b"\x01" + (4 + 5).to_bytes(3, "little") + bytes(4) + b"hello"
    padding = b"\xfe" + (3).to_bytes(3, "little") + b"xyz"
    assert unpack(PACK["snappy"](b"a,b\n") + padding + plain + PACK["snappy"](b"!"), "snappy") == b"a,b\nhello!"


@pytest.mark.parametrize("codec", ALL)
def test_every_cut_is_told_and_what_came_before_counts(codec: str) -> None:
    whole = unpack(ALL[codec], codec)
    for at in [*range(3, 60), *range(60, len(ALL[codec]) - 1, 97), len(ALL[codec]) - 1]:
        out, told = b"", False
        try:
            for piece in inflate(io.BytesIO(ALL[codec][:at]), codec, Limits(), lambda count: None):
                out += piece
        except PlainviewError:
            told = True
        assert whole.startswith(out) or codec == "pg_custom"
        # Snappy may end behind any chunk, LZW behind any code: only their own bytes say how much there was
        assert told or codec == "compress" or (codec == "snappy" and len(out) < len(whole))


@pytest.mark.parametrize("codec", ALL)
@given(st.data())
@settings(max_examples=60, deadline=None)
def test_no_damage_makes_it_fail(codec: str, data: st.DataObject) -> None:
    damaged = bytearray(ALL[codec])
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        for piece in inflate(io.BytesIO(damaged), codec, Limits(memory=8 * MIB), lambda count: None):
            assert len(piece) <= 5 * MIB
    except PlainviewError:
        pass  # told; its words are ours


def test_a_bomb_in_lz4_is_stopped(tmp_path: Path) -> None:
    (tmp_path / "a.csv.lz4").write_bytes(PACK["lz4"](b"a" * (80 * MIB)))
    _, skipped = scan(tmp_path / "a.csv.lz4", Limits(ratio_floor=MIB))
    assert any("bomb" in why for _, why in skipped)


def test_the_table_of_lzw_is_bounded() -> None:
    """Each code can make an entry one byte longer than the last: 65,536 of them would hold two gigabytes."""
    rest, width = 60_000, 9
    codes = [97, *range(257, 257 + rest)]
    out = bytearray(b"\x1f\x9d\x90")
    group: list[int] = []
    size = 257
    for code in codes:
        group.append(code)
        size += len(codes) > 1 and code != 97
        grown = size >= 1 << width and width < 16
        if len(group) == 8 or grown:
            bits = sum(each << width * place for place, each in enumerate(group))
            out += bits.to_bytes(width, "little")
            group = []
        width += grown
    with pytest.raises(PlainviewError, match="memory"):
        unpack(bytes(out), "compress", Limits(memory=4 * MIB))


@pytest.mark.parametrize("codec", ["lz4", "snappy"])
def test_time_is_linear(codec: str) -> None:
    noise = random.Random(1).randbytes(1 << 16)
    assert growth(lambda data: unpack(data, codec), lambda size: PACK[codec](noise * (size >> 16)), 4 * MIB) < LINEAR


def test_a_dictionary_outside_of_the_file_is_told() -> None:
    with pytest.raises(PlainviewError, match="dictionary"):
        unpack(b"\x04\x22\x4d\x18\x61\x40" + bytes(30), "lz4")


# -- pg_dump -Fc ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", DUMPS)
def test_pg_dump_in_its_custom_form_gives_its_tables(name: str) -> None:
    rows, skipped = scan(MADE / name)
    assert rows == {f"{name}/public.people": 40, f"{name}/hr.notes": 2}
    assert [why for _, why in skipped] == (["large objects in it were not read"] if "object" in name else [])


def test_its_text_is_what_pg_restore_says_of_the_data() -> None:
    text = unpack(ALL["pg_custom"], "pg_custom").decode()
    assert "CREATE TABLE hr.notes" in text
    assert 'COPY hr.notes ("odd col", n) FROM stdin;\n\\N\t1\na\\nb\\tc\t2\n\\.\n' in text


def number(value: int) -> bytes:
    return bytes([value < 0]) + abs(value).to_bytes(4, "little")


def text(value: bytes | None) -> bytes:
    return number(-1) if value is None else number(len(value)) + value


def archive(version: tuple[int, int], packed: int, data: bytes, form: int = 1) -> bytes:
    """Write an archive of one table as the versions 1.11 to 1.16 do (pg_backup_archiver.c)."""
    copy = b"COPY t (email) FROM stdin;\n"
    out = b"PGDMP" + bytes([*version, 0, 4, 8, form])
    out += bytes([packed]) if version >= (1, 15) else number(6 if packed else 0)
    out += b"".join(map(number, (0, 0, 12, 1, 0, 126, 0))) + text(b"db") + text(b"9.6") + text(b"9.6") + number(1)
    out += number(7) + number(1) + text(b"1259") + text(b"5") + text(b"t") + text(b"TABLE DATA") + number(3)
    out += text(b"CREATE TABLE t (email text);\n") + text(b"") + text(copy) + text(b"public") + text(b"")
    out += text(b"heap") if version >= (1, 14) else b""
    out += number(114) if version >= (1, 16) else b""
    out += text(b"owner") + text(b"false") + text(b"6") + text(None) + b"\x02" + bytes(8)
    return out + b"\x01" + number(7) + number(len(data)) + data + number(0)


ROWS = b"anna@example.org\nbob@example.org\n\\.\n\n\n"


@pytest.mark.parametrize("version", [(1, minor) for minor in range(11, 17)], ids=str)
def test_every_version_of_the_archive_is_read(tmp_path: Path, version: tuple[int, int]) -> None:
    (tmp_path / "a.dump").write_bytes(archive(version, 1, zlib.compress(ROWS)))
    assert scan(tmp_path / "a.dump") == ({"a.dump/t": 2}, [])


@pytest.mark.parametrize("packed", [0, 1, 2, 3])
def test_every_packer_of_the_data_is_read(tmp_path: Path, packed: int) -> None:
    from backports import zstd

    pack = (bytes, zlib.compress, PACK["lz4"], zstd.compress)[packed]
    (tmp_path / "a.dump").write_bytes(archive((1, 16), packed, pack(ROWS)))
    assert scan(tmp_path / "a.dump") == ({"a.dump/t": 2}, [])


def test_a_version_that_is_not_known_is_told_with_what_to_do(tmp_path: Path) -> None:
    for version, packed in (((1, 10), 0), ((2, 0), 0), ((1, 16), 9)):
        (tmp_path / "a.dump").write_bytes(archive(version, packed, ROWS))
        rows, skipped = scan(tmp_path / "a.dump")
        assert not any(rows.values())
        assert any("pg_restore -f -" in why for _, why in skipped)


def test_a_table_of_contents_without_end_is_not_held(tmp_path: Path) -> None:
    data = archive((1, 16), 0, ROWS)
    lying = data.replace(text(b"db"), number(2_000_000_000) + b"db")
    with pytest.raises(PlainviewError, match="--memory"):
        unpack(lying, "pg_custom")
    many = data.replace(text(b"9.6") + number(1), text(b"9.6") + number(2_000_000_000))
    with pytest.raises(PlainviewError):
        unpack(many, "pg_custom")
