"""Avro files that ask for more stack or memory than their size: told, and what stands beside them is read."""

from __future__ import annotations

import gzip
import io
import json
import zlib
from pathlib import Path

import fastavro
import pytest

from plainview.files.source import FileSource
from plainview.tables import Limits, ReadLog

SYNC = b"0123456789abcdef"
LINKED = {"type": "record", "name": "n", "fields": [{"name": "next", "type": ["null", "n"]}]}


def number(value: int) -> bytes:
    """Return a zigzag number."""
    value, out = (value << 1) ^ (value >> 63), b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def container(schema: object, count: int, block: bytes, codec: bytes = b"null") -> bytes:
    """Return a file of one block."""
    meta = {b"avro.schema": json.dumps(schema).encode(), b"avro.codec": codec}
    pairs = b"".join(number(len(text)) + text for pair in meta.items() for text in pair)
    head = b"Obj\x01" + number(2) + pairs + b"\0" + SYNC
    return head + number(count) + number(len(block)) + block + SYNC


def read(path: Path, data: bytes, limits: Limits | None = None) -> tuple[int, str]:
    """Return the number of rows, and what was told."""
    path.write_bytes(data)
    source, log = FileSource(path, limits), ReadLog()
    rows = sum(batch.frame.height for unit in source.units(log) for batch in source.read(unit, log))
    return rows, str(log.skipped)


def nested(levels: int) -> object:
    schema: object = "int"
    for level in range(levels):
        schema = {"type": "record", "name": f"r{level}", "fields": [{"name": "a", "type": schema}]}
    return schema


def test_a_record_in_itself_is_not_followed_too_deep(tmp_path: Path) -> None:
    block = b"\x02" * 50_000 + b"\0" + b"\x02\0" + b"\0"  # one that is deep, and two that are not
    rows, told = read(tmp_path / "a.avro.gz", gzip.compress(container(LINKED, 3, block)))
    assert rows == 2
    assert "1 record" in told
    assert "nested deeper than 64 levels" in told


def test_a_recursive_schema_of_honest_data_is_read(tmp_path: Path) -> None:
    tree = {
        "type": "record",
        "name": "tree",
        "fields": [
            {"name": "name", "type": "string"},
            {"name": "below", "type": {"type": "array", "items": "tree"}},
            {"name": "more", "type": {"type": "map", "values": ["null", "double", "tree"]}},
        ],
    }
    leaf = {"name": "leaf", "below": [], "more": {"x": 1.5, "y": None}}
    records = [{"name": f"n{i}", "below": [leaf, leaf], "more": {"z": leaf}} for i in range(500)]
    for codec in ("null", "deflate", "snappy"):
        out = io.BytesIO()
        fastavro.writer(out, tree, records, codec=codec, sync_interval=3_000)
        assert read(tmp_path / "a.avro", out.getvalue()) == (500, "[]")


@pytest.mark.parametrize("levels", [1_000, 50_000])
def test_a_deep_schema_is_told(tmp_path: Path, levels: int) -> None:
    text = '{"type":"array","items":' * levels + '"int"' + "}" * levels
    meta = {b"avro.schema": text.encode(), b"avro.codec": b"null"}
    pairs = b"".join(number(len(text)) + text for pair in meta.items() for text in pair)
    rows, told = read(tmp_path / "a.avro", b"Obj\x01" + number(2) + pairs + b"\0" + SYNC)
    assert rows == 0
    assert "nested deeper" in told


@pytest.mark.parametrize(
    "items", ["null", {"type": "record", "name": "r", "fields": []}, {"type": "fixed", "name": "f", "size": 0}]
)
@pytest.mark.parametrize("kind", ["array", "record"])
def test_items_of_no_bytes_are_counted_before_they_are_made(tmp_path: Path, items: object, kind: str) -> None:
    if kind == "array":
        data = container({"type": "array", "items": items}, 1, number(1 << 33) + b"\0")
    else:
        data = container(items, 1 << 33, b"")
    rows, told = read(tmp_path / "a.avro", data, Limits(seconds=20))
    assert rows == 0
    assert "items" in told or "records of no bytes" in told
    assert "stopped after" not in told


def test_a_block_that_unpacks_to_a_bomb_is_told(tmp_path: Path) -> None:
    pack = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = pack.compress(bytes(100 << 20)) + pack.flush()
    rows, told = read(tmp_path / "a.avro", container("boolean", 1, block, b"deflate"))
    assert rows == 0
    assert "--ratio" in told
