from __future__ import annotations

import bz2
import gzip
import io
import lzma
import pickle
import struct
import tarfile
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plainview.files.kinds.identify import identify, suffix_of


def zipped(*names: str, mimetype: bytes = b"") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        if mimetype:
            archive.writestr("mimetype", mimetype)
        for name in names:
            archive.writestr(name, b"x")
    return buffer.getvalue()


def ole(*names: str) -> bytes:
    """An OLE file whose directory is its second sector."""
    header = bytearray(512)
    header[:8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
    struct.pack_into("<H", header, 30, 9)
    struct.pack_into("<I", header, 48, 0)
    entries = b"".join(name.encode("utf-16-le").ljust(128, b"\0") for name in ("Root Entry", *names))
    return bytes(header) + entries.ljust(512, b"\0")


def tarred() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a"), io.BytesIO())
    return buffer.getvalue()


BSON = b"\x14\x00\x00\x00\x02key\x00\x06\x00\x00\x00value\x00\x00"
READ = [
    ("parquet", b"PAR1\x15\x04\x15\x00\x00" + bytes(50) + b"PAR1"),
    ("arrow", b"ARROW1\0\0" + bytes(30)),
    ("arrow", b"\xff\xff\xff\xff\x20\0\0\0" + bytes(60)),
    ("avro", b"Obj\x01\x04\x14avro.codec"),
    ("sqlite", b"SQLite format 3\0" + bytes(80)),
    ("duckdb", bytes(range(8)) + b"DUCK" + bytes(40)),
    ("gzip", gzip.compress(b"x", mtime=0)),
    ("bzip2", bz2.compress(b"x")),
    ("bzip2", bz2.compress(b"")),
    ("xz", lzma.compress(b"x")),
    ("lzma", lzma.compress(b"x" * 100, format=lzma.FORMAT_ALONE)),
    ("zstd", b"\x28\xb5\x2f\xfd\x04\x00"),
    ("lz4", b"\x04\x22\x4d\x18\x60\x40"),
    ("snappy", b"\xff\x06\x00\x00sNaPpY"),
    ("compress", b"\x1f\x9d\x90\x61"),
    (
        "dbf",
        b"\x03\x7c\x01\x02"
        + struct.pack("<IHH", 1, 65, 6)
        + bytes(20)
        + b"a".ljust(11, b"\0")
        + b"C"
        + bytes(4)
        + b"\x05"
        + bytes(15)
        + b"\r",
    ),
    ("mongo_archive", b"\x6d\xe2\x99\x81\x70\x00\x00\x00"),
    ("rdb", b"REDIS0011\xfa\x09redis-ver"),
    ("aof", b"*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n"),
    ("pg_custom", b"PGDMP\x01\x0e\x00\x04\x08\x01"),
    ("tar", tarred()),
    ("zip", zipped("a.csv")),
    ("zip", zipped("xl/notes.csv", "word/a.csv")),
    ("xlsx", zipped("[Content_Types].xml", "xl/workbook.xml")),
    ("xlsb", zipped("[Content_Types].xml", "xl/workbook.bin")),
    ("ods", zipped(mimetype=b"application/vnd.oasis.opendocument.spreadsheet")),
    ("xls", ole("Workbook")),
    ("bson", BSON),
    ("bson", BSON * 3),
    ("json", b'{"a": 1}'),
    ("json", b'\xef\xbb\xbf {"a": [1,\n 2]}\n'),
    ("json", b'[\n  {"a": 1},\n  {"a": 2}\n]\n'),
    ("json", '[{"a": "ä"}]'.encode("utf-16")),
    ("json", '{"a": "ä"}'.encode("utf-32-le")),
    ("ndjson", b'{"a": 1}\n{"a": 2}\n'),
    ("ndjson", b'{"a": 1}\0{"a": 2}\0'),
    ("ndjson", b'{"index": {"_id": 1}}\n{"a": 2}\n'),
    ("xml", b'<?xml version="1.0"?><people><p>x</p></people>'),
    ("html", b"<!DOCTYPE html><html><body></body></html>"),
    ("html", b"<table><tr><td>x</td></tr></table>"),
    ("sql_dump", b"--\n-- PostgreSQL database dump\n--\n\nSET statement_timeout = 0;\n"),
    ("sql_dump", b"-- MySQL dump 10.13  Distrib 8.0\n"),
    ("sql_dump", b"/*M!999999\\- enable the sandbox mode */ \n-- MariaDB dump 10.19\n"),
    ("sql_dump", b"PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\n"),
    ("sql_dump", b"REM INSERTING into EXPORT\nSET DEFINE OFF;\n"),
    ("sql_dump", b"insert into people (id) values (1);\n"),
    ("sql_dump", b"COPY public.people (id, name) FROM stdin;\n1\tx\n\\.\n"),
    ("csv", b"name,age,city\nAnna,30,Ulm\nBo,31,Bonn\n"),
    ("csv", b"name;age\nAnna;30\nBo;31\n"),
    ("tsv", b"name\tage\nAnna\t30\n"),
    ("csv", "name;city\nJürgen;Köln\nZoë;Málaga\n".encode("latin-1")),
    ("csv", "name,age,x\nAnna,1,2\nBo,3,4\n".encode("utf-16-le")),
    ("csv", "名前,年齢,市\n太郎,30,東京\n花子,31,大阪\n".encode("shift-jis")),
    ("text", b"Dear Anna, thank you for the letter, see you.\nYours, Bo\n"),
    ("text", b"[2024-01-01 10:00:00] INFO started\n[2024-01-01 10:00:01] INFO stopped\n"),
    ("text", b"[section]\nkey = value\n"),
    ("text", b"<134>Oct 11 22:14:15 host su: failed\n"),
    ("text", b"def f(a, b, c):\n    return a, b, c\n"),
    ("text", b"Insert coin to play\n"),
    ("text", b"a {\n  color: red;\n}\n"),
    ("text", b"{{ template }}\n"),
]


@pytest.mark.parametrize(("kind", "data"), READ)
def test_content_decides_without_a_name(kind: str, data: bytes) -> None:
    assert identify(data, "thing", len(data)).name == kind


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (zipped("META-INF/MANIFEST.MF"), "JAR"),
        (ole("WordDocument"), "Word"),
        (ole("EncryptedPackage"), "encrypted"),
        (bytes(128) + b"DICM\x02\0", "DICOM"),
        (b"\x7fELF\x02\x01\x01" + bytes(9), "executable"),
        (b"MZ\x90\0\x03\0\0\0", "executable"),
        (b"\xca\xfe\xba\xbe\0\0\0\x34", "executable"),
        (b"wOF2\0\1\0\0\0\0", "font"),
        (b"ElfFile\0" + bytes(40), "EVTX"),
        (b"LPKSHHRH" + bytes(40), "journalctl"),
        (bytes(12) + b"\xc2\xea\x81\x60\xb3\x14\x11\xcf\xbd\x92", "SAS"),
        (b"GGUF\3\0\0\0" + bytes(20), "not loaded"),
        (b"7z\xbc\xaf\x27\x1c\0\4", "7z"),
        (b"Rar!\x1a\x07\x01\0", "RAR"),
        (b"-----BEGIN PGP MESSAGE-----\n", "encrypted"),
        (b"Salted__" + bytes(range(16)), "encrypted"),
        (b"\0\5\x16\7\0\2\0\0Mac OS X        ", "AppleDouble"),
        (pickle.dumps({"a": 1}), "pickle"),
        (b"0" * 40 + b"ASCII SPSS PORT FILE".ljust(60) + b"\r\n", "SPSS"),
        (b"HEADER RECORD*******LIBRARY HEADER RECORD!!!!!!!" + b"0" * 30 + b"\n", "SAS"),
        (b"", "empty"),
        (bytes(4096), "zero bytes"),
        (bytes(range(256)) * 4, "unknown"),
    ],
)
def test_what_is_not_read_is_named(data: bytes, word: str) -> None:
    kind = identify(data, "thing", len(data))
    assert kind.name == ""
    assert word in kind.why


@pytest.mark.parametrize(
    ("name", "data", "kind", "note"),
    [
        ("people.csv", b"PAR1\x15\x04\x15\x00" + bytes(50) + b"PAR1", "parquet", "named .csv, is Parquet"),
        ("people.csv", b'{"a": 1}\n{"a": 2}\n', "ndjson", "named .csv, is NDJSON"),
        ("people.json", b"name,age,city\nAnna,30,Ulm\nBo,31,Bonn\n", "csv", "named .json, is CSV"),
        ("people.xls", b"<html><table><tr><td>x</td></tr></table></html>", "html", "named .xls, is HTML"),
        ("people.xls", b"name\tage\nAnna\t30\n", "tsv", "named .xls, is TSV"),
        ("people.xlsx", zipped("a.csv"), "zip", "named .xlsx, is zip"),
        ("people.parquet", b"name,age,city\nAnna,30,Ulm\nBo,31,Bonn\n", "csv", "named .parquet, is CSV"),
        ("people.csv", b"just a line\n", "csv", ""),
        ("people.tsv", b"just a line\n", "tsv", ""),
        ("people.csv", b"name\tage\nAnna\t30\n", "csv", ""),
        ("people.jsonl", b'{"a": 1}\n', "ndjson", ""),
        ("people.json", b"nonsense", "json", ""),
        ("people.json", b"[1 000.0]", "json", ""),
        ("people.csv.1", b"just a line\n", "csv", ""),
        ("data.db", b"SQLite format 3\0" + bytes(80), "sqlite", ""),
        ("000000_0", b"1\x01Ann\x01Ulm\n2\x01Bo\x01Bonn\n3\x01Cy\x01Bonn\n4\x01Di\x01Ulm\n", "csv", ""),
        ("people.csv", b"id\x01name\n1\x01Ann\n", "csv", ""),
        ("people.txt", b"id\x1fname\n1\x1fAnn\n", "csv", ""),
        ("people.geojsons", b'\x1e{"a": 1}\n\x1e{"a": 2}\n', "json", ""),
        ("._people.csv", b"\0\5\x16\7\0\2\0\0Mac OS X        ", "", ""),
        ("error.rs", b"use crate::types;\nuse std::fmt;\n", "text", ""),
        ("script", b"use strict;\nuse warnings;\nprint 'CREATE TABLE x';\n", "text", ""),
        ("make.py", b"CREATE TABLE a (b);\n", "text", ""),
        ("dump", b"USE shop;\nINSERT INTO a VALUES (1);\n", "sql_dump", ""),
        ("script.py", b"a = 1, 2, 3\nb = 1, 2, 3\nc = 1, 2, 3\n", "text", ""),
    ],
)
def test_the_name_settles_what_content_leaves_open(name: str, data: bytes, kind: str, note: str) -> None:
    found = identify(data, name, len(data))
    assert found.name == kind
    assert found.notes == ((note,) if note else ())


def test_an_ole_directory_far_in_the_file_is_looked_up() -> None:
    data = bytearray(ole("Workbook"))
    struct.pack_into("<I", data, 48, 1000)
    directory = data[512:]
    whole = bytes(data[:512]) + bytes(1000 * 512) + bytes(directory)
    found = identify(whole[: 64 << 10], "a.xls", len(whole), lambda at, n: whole[at : at + n])
    assert found.name == "xls"


def test_suffixes_of_rotated_and_kept_files() -> None:
    assert [suffix_of(n) for n in ("a.CSV", "a.log.3", "a.sql~", "a.json.bak", "a")] == [
        ".csv", ".log", ".sql", ".json", "",
    ]  # fmt: skip


@given(st.binary(max_size=300), st.sampled_from(["a", "a.csv", "a.json", "a.xls", "a.parquet", "a.bson"]))
def test_no_bytes_make_it_fail(data: bytes, name: str) -> None:
    kind = identify(data, name, len(data))
    assert kind.name or kind.why


@given(st.sampled_from([data for _, data in READ]), st.integers(0, 200), st.integers(0, 255))
def test_damaged_starts_do_not_make_it_fail(data: bytes, at: int, byte: int) -> None:
    damaged = data[:at] + bytes([byte]) + data[at + 1 :]
    kind = identify(damaged, "a", len(damaged), lambda at, n: damaged[max(0, at) :][:n])
    assert kind.name or kind.why


def test_hostile_heads_take_no_time() -> None:
    import time

    starts = (b'["' + b"\\" * 65000, b"<" * 65000, b"COPY " + b"x" * 65000, b"[" * 65000, b'"' * 65000)
    repeated = (b'{"', b"/*", b"--", b"<a ", b"CREATE ", b"\n", b"1,2\n", b'"a",', b"\\restrict ")
    heads = [*starts, *(unit * (65000 // len(unit)) for unit in repeated)]
    start = time.perf_counter()
    for head in heads:
        for name in ("a", "a.json", "a.sql", "a.csv", "a.xml"):
            identify(head, name, 1 << 30)
    assert time.perf_counter() - start < 60


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "image"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "image"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "image"),
        (b"\0\0\0\x18ftypmp42\0\0", "video"),
        (b"RIFF\x10\0\0\0WAVEfmt \x10\0", "sound"),
        (b"ID3\x04\0\0\0\0", "sound"),
    ],
)
def test_of_pictures_sound_and_video_it_is_said_what_is_not_read(data: bytes, word: str) -> None:
    kind = identify(data, "thing", len(data))
    assert kind.name == "media"
    assert word in kind.why
    assert "was not" in kind.why
