"""Snapshots and logs of Redis: every key and element, whatever form it is kept in; damage told, nothing endless."""

from __future__ import annotations

import contextlib
import io
import struct
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bounds.work import LINEAR, growth
from plainview.documents.flatten import flatten
from plainview.errors import PlainviewError
from plainview.files.formats.redis import aof, packs, rdb
from plainview.files.formats.redis.tables import group_of
from plainview.tables import MIB, Batch, Input, Limits, ReadLog

MADE = Path(__file__).with_name("made")
RDB, AOF = (MADE / "redis-7.0.rdb").read_bytes(), (MADE / "redis-7.0.aof").read_bytes()
BIG = "aaaa bbbb " * 50 + "long@example.org"


def read(data: bytes, limits: Limits | None = None) -> tuple[dict[str, pl.DataFrame], list[str]]:
    """Return the rows by table, and what was told."""
    log, found = ReadLog(), dict[str, list[pl.DataFrame]]()
    source = Input("a", data[:65536], lambda: io.BytesIO(data), len(data), None, limits or Limits())
    told = []
    module = rdb if data.startswith(b"REDIS") else aof
    try:
        batch: Batch
        for batch in module.read(source, log):
            frame = flatten(batch.frame, limits=source.limits, log=log, name=batch.table.name)
            found.setdefault(batch.table.name.removeprefix("a/"), []).append(frame)
    except PlainviewError as error:
        told.append(str(error))
    told += [why for _, why in log.skipped]
    assert "example.org" not in str(told)
    return {name: pl.concat(frames, how="diagonal_relaxed") for name, frames in found.items()}, told


def values(tables: dict[str, pl.DataFrame], name: str, column: str = "value") -> set[str]:
    return set(tables[name][column].to_list()) if name in tables else set()


@pytest.mark.parametrize("data", [RDB, AOF], ids=["rdb", "aof"])
def test_all_that_redis_wrote_is_there(data: bytes) -> None:
    tables, told = read(data)
    assert told == []
    assert values(tables, "user:{}:mail") == {f"user{n}@example.org" for n in range(6)}
    assert values(tables, "person:{}", "email") == {f"p{n}@example.org" for n in range(6)}
    assert values(tables, "person:{}", "n") == {str(n) for n in range(-3, 3)}
    assert {"12345", "-2000000000", BIG, "x"} <= values(tables, "string")
    expected = {f"l{n}@example.org" for n in range(20)} | {"7", "300", "70000", "-5", "5000000000"}
    assert values(tables, "list:{}") == expected | {"plain@example.org" + "x" * 9000}
    numbers = {str(n) for n in (*range(10), *range(10**10, 10**10 + 5))}
    assert values(tables, "set:{}") == numbers | {"a@example.org", "b@example.org"} | {
        f"s{n}@example.org" for n in range(140)
    }
    assert {f"zz{n}@example.org" for n in range(140)} | {"za@example.org", "zb@example.org"} <= values(tables, "z:{}")
    assert values(tables, "hash:{}/fields") == {f"h{n}@example.org" for n in range(140)}
    assert {f"st{n}@example.org" for n in range(5)} <= values(tables, "stream:{}", "email")
    assert values(tables, "db5/user:{}") == {"db5"}


def test_a_log_behind_a_snapshot_is_read_with_it() -> None:
    tables, told = read(RDB + b"*3\r\n$3\r\nSET\r\n$6\r\nlate:1\r\n$17\r\nlate1@example.org\r\n")
    assert told == []
    assert values(tables, "db5/late:{}") == {"late1@example.org"}


@pytest.mark.parametrize("data", [RDB, AOF], ids=["rdb", "aof"])
def test_every_cut_is_told_and_what_came_before_counts(data: bytes) -> None:
    whole = sum(rows.height for rows in read(data)[0].values())
    ends = {len(data) - n for n in range(9)} if data is RDB else set()  # without its checksum a snapshot is whole
    before = 0
    for at in [*range(10, 200), *range(200, len(data), 211)]:
        tables, told = read(data[:at])
        rows = sum(table.height for table in tables.values())
        assert before <= rows <= whole
        assert told or at in ends or (data is AOF and data[at : at + 1] == b"*")
        before = rows


@pytest.mark.parametrize("data", [RDB, AOF], ids=["rdb", "aof"])
@given(st.data())
@settings(max_examples=150, deadline=None)
def test_no_damage_makes_it_fail(data: bytes, draw: st.DataObject) -> None:
    damaged = bytearray(data[:3000])
    for _ in range(draw.draw(st.integers(1, 4))):
        damaged[draw.draw(st.integers(9, len(damaged) - 1))] = draw.draw(st.integers(0, 255))
    read(bytes(damaged), Limits(field=MIB))


@given(st.binary(max_size=300))
@settings(max_examples=200, deadline=None)
def test_any_bytes_in_a_compact_form(data: bytes) -> None:
    for form in (packs.ziplist, packs.listpack, packs.intset, packs.stream_entries):
        with contextlib.suppress(PlainviewError):
            assert sum(1 for _ in form(data)) <= 8 * len(data) + 1
    with contextlib.suppress(PlainviewError):
        assert len(packs.lzf(data, 1000)) == 1000


def string(value: bytes) -> bytes:
    return bytes([0x80]) + struct.pack(">I", len(value)) + value


def ziplist(entries: list[bytes]) -> bytes:
    """Write entries as Redis did before 7.0 (ziplist.c)."""
    body, before = b"", 0
    for entry in entries:
        made = bytes([before]) if before < 254 else b"\xfe" + struct.pack("<I", before)
        number = int(entry) if entry.lstrip(b"-").isdigit() else None
        if number is None:
            made += bytes([len(entry)]) if len(entry) < 64 else bytes([0x40 | len(entry) >> 8, len(entry) & 255])
            made += entry
        elif 0 <= number <= 12:
            made += bytes([0xF1 + number])
        elif -128 <= number < 128:
            made += b"\xfe" + struct.pack("<b", number)
        elif -(1 << 15) <= number < 1 << 15:
            made += b"\xc0" + struct.pack("<h", number)
        elif -(1 << 23) <= number < 1 << 23:
            made += b"\xf0" + number.to_bytes(3, "little", signed=True)
        else:
            made += (
                b"\xd0" + struct.pack("<i", number) if abs(number) < 1 << 31 else b"\xe0" + struct.pack("<q", number)
            )
        body += made
        before = len(made)
    return struct.pack("<IIH", len(body) + 11, 10, len(entries)) + body + b"\xff"


OLD = [b"anna@example.org", b"5", b"-7", b"3000", b"-100000", b"2000000000", b"50000000000", b"x" * 300]


def snapshot(*keys: bytes) -> bytes:
    return b"REDIS0009" + b"".join(keys) + b"\xff" + bytes(8)


def test_the_forms_of_older_versions() -> None:
    pairs = [b"email", b"bo@example.org", b"n", b"1"]
    double = struct.pack("<d", 1.5)
    tables, told = read(
        snapshot(
            b"\x0a" + string(b"list:1") + string(ziplist(OLD)),
            b"\x0d" + string(b"hash:1") + string(ziplist(pairs)),
            b"\x0c" + string(b"z:1") + string(ziplist(pairs)),
            b"\x0e" + string(b"quick:1") + b"\x02" + string(ziplist(OLD[:2])) + string(ziplist(OLD[2:])),
            b"\xfc" + bytes(8) + b"\x01" + string(b"plain:1") + b"\x01" + string(b"c@example.org"),
            b"\x03" + string(b"old:1") + b"\x02" + string(b"d@example.org") + b"\x031.5" + string(b"e") + b"\xfe",
            b"\x05" + string(b"old:2") + b"\x01" + string(b"f@example.org") + double,
            b"\x04" + string(b"person:1") + b"\x01" + string(b"email") + string(b"g@example.org"),
            b"\x18" + string(b"due:1") + bytes(8) + b"\x01\x05" + string(b"email") + string(b"h@example.org"),
        )
    )
    assert told == []
    assert values(tables, "list:{}") == values(tables, "quick:{}") == {value.decode() for value in OLD}
    assert values(tables, "hash:{}", "email") == {"bo@example.org"}
    assert values(tables, "z:{}") == {"email", "n"}
    assert values(tables, "plain:{}") == {"c@example.org"}
    assert values(tables, "old:{}") == {"d@example.org", "e", "f@example.org"}
    assert values(tables, "person:{}", "email") == {"g@example.org"}
    assert values(tables, "due:{}", "email") == {"h@example.org"}


def test_what_is_not_known_or_too_large_is_told() -> None:
    key = b"\x00" + string(b"a:1") + string(b"i@example.org")
    tables, told = read(snapshot(key, b"\x63" + string(b"b") + b"\x00"))
    assert values(tables, "a:{}") == {"i@example.org"}
    assert told == ["a value of type 99, which is not known; the rest was not read"]
    tables, told = read(snapshot(b"\x00" + string(b"b:1") + string(b"x" * (2 * MIB)), key), Limits(field=MIB))
    assert values(tables, "a:{}") == {"i@example.org"}
    assert told == ["1 value(s) larger than 1 MiB"]
    module = b"\x07" + string(b"m") + b"\x81" + bytes(8) + b"\x05" + string(b"inside") + b"\x02\x07\x00"
    tables, told = read(snapshot(module, key))
    assert values(tables, "a:{}") == {"i@example.org"}
    assert told == ["its form is known to the module alone"]


def test_a_length_that_lies_takes_no_memory() -> None:
    huge = b"\x81" + struct.pack(">Q", 1 << 60)
    assert read(snapshot(b"\x00" + string(b"a") + huge))[1]
    assert read(snapshot(b"\x01" + string(b"a") + huge))[1]
    assert read(b"*2\r\n$999999999\r\nx")[1]
    assert read(b"*99999999\r\n$1\r\nx\r\n")[1]


def test_so_many_tables_and_no_more() -> None:
    keys = (b"\x00" + string(b"w%s:1" % bytes([97 + n % 26, 97 + n // 26])) + string(b"v") for n in range(676))
    tables, told = read(snapshot(*keys))
    assert len(tables) <= 501
    assert sum(rows.height for rows in tables.values()) == 676
    assert told == []


def test_a_long_key_is_not_repeated_for_each_element() -> None:
    tables, _ = read(snapshot(b"\x01" + string(b"k" * 100_000) + b"\x40\xff" + string(b"v") * 255))
    assert tables["list"]["key"].str.len_chars().max() == 512


def test_keys_of_one_form_are_one_table() -> None:
    assert group_of(b"user:17:mail", "string") == "user:{}:mail"
    assert group_of(b"user:anna@example.org:mail", "string") == "user:{}:mail"
    assert group_of(b"anna@example.org:1", "hash") == "hash"
    assert group_of(b"\xff\xfe:1", "list") == "list"
    assert group_of(b"session:abcdef", "string") == "session:{}"


def test_times_in_a_log_and_commands_that_are_not_known() -> None:
    tables, told = read(b"#TS:1600000000\r\n*3\r\n$4\r\nNEWC\r\n$3\r\na:1\r\n$13\r\nj@example.org\r\n")
    assert values(tables, "a:{}") == {"j@example.org"}
    assert told == []


@pytest.mark.parametrize("kind", ["rdb", "aof", "lzf"])
def test_time_is_linear(kind: str) -> None:
    if kind == "lzf":
        assert (
            growth(
                lambda data: packs.lzf(b"\x00a" + data, 1 + len(data) // 3 * 264),
                lambda n: b"\xe0\xff\x00" * (n // 300),
                MIB,
            )
            < LINEAR
        )
        return
    one = {
        "rdb": b"\x01" + string(b"k:1") + b"\x3f" + string(b"v") * 63,
        "aof": b"*3\r\n$4\r\nSADD\r\n$3\r\nk:1\r\n$1\r\nv\r\n",
    }[kind]
    head = b"REDIS0009" if kind == "rdb" else b""
    assert growth(lambda data: read(head + data), lambda size: one * (size // len(one)), MIB // 2) < LINEAR


@pytest.mark.parametrize("data", [snapshot(), b"*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n"], ids=["rdb", "aof"])
def test_that_there_is_no_key_is_noted(data: bytes) -> None:
    log = ReadLog()
    assert list((rdb if data[:1] == b"R" else aof).read(Input("a", data, lambda: io.BytesIO(data)), log)) == []
    assert log.noted == [("a", "no key in it")]
