"""Targets: the readers of text formats and of BSON, and what takes documents apart."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from unittest.mock import patch

import bson
import msgspec
import polars as pl

from plainview.documents.flatten import flatten
from plainview.documents.keys import looks_like_value, part
from plainview.documents.walk import documents_to_frame
from plainview.documents.xml import text_to_document
from plainview.files.encodings import blocks as encodings
from plainview.files.formats import bson as bson_
from plainview.files.formats import dbf, mongo_archive, text
from plainview.files.formats.csv import read as delimited
from plainview.files.formats.json import cut as json_cut
from plainview.files.formats.json import read as json_
from plainview.files.formats.markup import read as markup
from plainview.files.formats.redis import aof, rdb
from plainview.files.formats.sqldump import read as sqldump
from plainview.files.kinds.identify import FAMILIES, identify
from plainview.files.kinds.signatures import SUFFIXES
from plainview.tables import Batch, ReadLog

from . import seeds
from .harness import CANARY, LIMITS, Seen, Target, file_of, law, read_all, silent

KEYS = [f"k{number:04}" for number in range(90)]
_ROWS = re.compile(rb"(?i)INSERT INTO [a-z]+ VALUES \(|COPY [a-z]+ FROM stdin;\n[^\\\\]")
BLOCK = 700  # bytes of a block where blocks are made small


def lines_of(form: str) -> bytes:
    """Return rows to be put before the fuzzed bytes, each with its key, which must be found again."""
    return "".join(form.format(key=key) for key in KEYS).encode()


def reading(
    module: object, names: tuple[str, ...], prefix: bytes, *patches: tuple[object, str, int]
) -> Callable[[bytes], None]:
    """Return a target that reads the bytes under one of the names, at times in small blocks or after valid rows.

    Rows before the first bad byte must not be lost; and where nothing comes out, that must be said.
    """
    turns = itertools.cycle(itertools.product(names, (False, True), (b"", b"", prefix)))

    def run(data: bytes) -> None:
        for name, small, before in itertools.islice(turns, 2):
            seen = _read(module, before + data, name, small, patches)
            if before:
                cells = seen.text()
                lost = [key for key in KEYS if key not in cells]
                law(not lost, f"valid rows before the damage were lost: {lost[:3]} of {name} small={small}")
            elif data.strip(b" \t\r\n\0\x1a\xef\xbb\xbf\xff\xfe") and (module is not sqldump or _ROWS.match(data)):
                law(seen.frames or seen.told, f"nothing was read and nothing was said of {name} small={small}")

    return run


def _read(module: object, data: bytes, name: str, small: bool, patches: tuple[tuple[object, str, int], ...]) -> Seen:
    source = file_of(data, name, head=BLOCK if small else 64 << 10)
    changed = [patch.object(where, what, size) for where, what, size in patches] if small else []
    for one in changed:
        one.start()
    try:
        return read_all(lambda log: module.read(source, log))  # type: ignore[attr-defined]
    finally:
        for one in changed:
            one.stop()


def detect_encoding(data: bytes) -> None:
    """Encodings: a name that Python knows; blocks are UTF-8, however they are cut; ASCII stays as it is."""
    found = encodings.detect(data, whole=True)
    law(b"".decode(found.name) == "", "an unknown encoding")
    for size in (5, 64, 0):
        source, log = file_of(data, "a.txt", head=64 if size == 64 else 64 << 10), ReadLog()
        _, blocks = encodings.utf8_blocks(source, log, size)
        out = list(blocks)
        for block in out:
            law(encodings.valid_utf8(block), "a block that is not UTF-8")
        if data.isascii() and not set(data) & {0, 0x1B} and not data.startswith(b"+/v"):  # no wide or 7-bit encoding
            law(b"".join(out) == data, "ASCII was changed")
        silent(why for _, why in log.skipped)
        silent(blocks.notes if isinstance(blocks, encodings.Utf8Blocks) else ())


def cut_json(data: bytes) -> None:
    """The cutter: pieces do not depend on where blocks end, and nothing but commas, brackets and blanks is lost."""
    whole = _pieces([data])
    for size in (1, 7):
        if len(data) < 3000:
            law(_pieces([data[i : i + size] for i in range(0, len(data), size)]) == whole, "pieces depend on blocks")


def _pieces(blocks: list[bytes]) -> tuple[list[bytes], set[str]]:
    cutter = json_cut.Cutter(LIMITS.memory)
    pieces = [piece for block in blocks if block for piece in cutter.feed(block)]
    cutter.end()
    return pieces, set(cutter.problems)


def split_json(data: bytes) -> None:
    """Cutting inside a large value: both parts together hold what the whole held."""
    with patch.object(json_cut, "SPLIT", 40):
        pieces, problems = _pieces([data[i : i + 50] for i in range(0, len(data), 50)])
    try:
        whole = msgspec.json.decode(data)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return
    if not isinstance(whole, list) or problems:
        return
    got = [leaf for piece in pieces for leaf in _leaves(msgspec.json.decode(piece))]
    law(set(map(repr, _leaves(whole))) <= set(map(repr, got)), "a value was lost by a cut")


def _leaves(value: object) -> Iterator[object]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from _leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner)
    else:
        yield value


def flatten_documents(data: bytes) -> None:
    """Documents, given as JSON, and as text in a column: one row each, no list of structs left, no error at all."""
    try:
        value = msgspec.json.decode(data)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        value = None
    docs = [doc for doc in (value if isinstance(value, list) else [value]) if isinstance(doc, dict)]
    log = ReadLog()
    if docs:
        frame = documents_to_frame(docs, limits=LIMITS, log=log, name="t")
        law(frame.height == len(docs) or not frame.width, "a document more or less")
        _flat(frame)
        _flat(flatten(frame, limits=LIMITS, log=log, name="t"))
    shown = data.decode("utf-8", "replace")
    column = pl.DataFrame({"a": [shown, None, shown[: len(shown) // 2]], "b": [1, 2, 3]})
    flat = flatten(column, limits=LIMITS, log=log, name="t")
    law(flat.height == 3, "a row more or less")
    _flat(flat)
    silent(why for _, why in log.skipped)


def _flat(frame: pl.DataFrame) -> None:
    for dtype in frame.schema.values():
        law(not isinstance(dtype, pl.Struct) and dtype != pl.Object, "a struct is left")
        inner = getattr(dtype, "inner", None)
        law(not isinstance(inner, pl.Struct), "a list of structs is left")


def keys_and_xml(data: bytes) -> None:
    """Keys, parts of paths, and XML in a cell: any text will do."""
    shown = data.decode("utf-8", "surrogateescape")
    looks_like_value(shown)
    part(shown).encode()
    found = text_to_document(data.decode("utf-8", "replace"))
    law(found is None or isinstance(found, dict), "no document")


def identify_kind(data: bytes) -> None:
    """The kind of a file: never an error, whatever its name and however little can be sought."""

    def seek(offset: int, length: int) -> bytes:
        at = max(0, len(data) + offset) if offset < 0 else offset
        return data[at : at + length]

    for suffix in ("", ".csv", ".json", ".xlsx", ".db", ".log"):
        for place in (seek, None):
            kind = identify(data[: 64 << 10], f"a{suffix}", len(data), place)
            law(kind.name or kind.why, "neither a kind nor a reason")
            silent((kind.why, *kind.notes))
    law(FAMILIES, SUFFIXES)


def bson_documents(data: bytes) -> None:
    """BSON: as it is, and as the inside of a document whose length is right; documents before it are kept."""
    before = b"".join(bson.encode({"_id": key}) for key in KEYS)
    framed = (len(data) + 5).to_bytes(4, "little") + data + b"\0"
    for given, kept in ((data, False), (before + data, True), (before + framed + before, True)):
        seen = read_all(lambda log, given=given: bson_.read(file_of(given, "a.bson"), log))
        cells = seen.text() if kept else ""
        law(not kept or all(key in cells for key in KEYS), "documents before the damage were lost")
        law(seen.rows or seen.told or len(given) < 5 or seen.frames, "nothing was read and nothing was said")


def dbf_tables(data: bytes) -> None:
    """Tables of dBASE: as they are, and bytes behind a header that fits."""
    head = seeds.DBF[0]
    for given in (data, head[:65] + data):
        seen = read_all(lambda log, given=given: dbf.read(file_of(given, "a.dbf"), log))
        law(seen.frames or seen.told, "nothing was read and nothing was said")


def redis_files(data: bytes) -> None:
    """Snapshots and logs of Redis: as they are, and behind keys that must be found again."""
    plain = b"".join(b"\x00" + (bytes([len(key)]) + key.encode()) * 2 for key in KEYS)
    logged = b"".join(b"*3\r\n$3\r\nSET\r\n$5\r\n%b\r\n$5\r\n%b\r\n" % (key.encode(), key.encode()) for key in KEYS)
    for module, head, before in ((rdb, b"REDIS0009", plain), (aof, b"", logged)):
        for given, kept in ((head + data, False), (head + before + data, True)):
            seen = read_all(lambda log, given=given, module=module: module.read(file_of(given, "a.rdb"), log))
            cells = seen.text() if kept else ""
            law(not kept or all(key in cells for key in KEYS), "keys before the damage were lost")
            law(seen.frames or seen.told or seen.log.noted or not data, "nothing was read and nothing was said")


def mongo_archives(data: bytes) -> None:
    """Archives of mongodump: as they are, and bytes behind a slice whose documents must be found again."""
    good = b"".join(bson.encode({"_id": key}) for key in KEYS)
    head = seeds.MONGO_ARCHIVE[0]
    for given, kept in ((head[:4] + data, False), (head + good + b"\xff\xff\xff\xff" + data, True)):
        seen = read_all(lambda log, given=given: mongo_archive.read(file_of(given, "a.archive"), log))
        cells = seen.text() if kept else ""
        law(not kept or all(key in cells for key in KEYS), "documents before the damage were lost")
        law(seen.frames or seen.told or seen.log.noted, "nothing was read and nothing was said")


SMALL = ((encodings, "BLOCK", BLOCK),)
_CSV = lines_of("{key},name of {key},12\n")
_DUMP = b"CREATE TABLE t (a text, b text);\n" + lines_of("INSERT INTO t VALUES ('{key}','it''s');\n")
_XML = b"<db>" + lines_of("<row><id>{key}</id></row>")

TARGETS = (
    Target(
        "delimited",
        reading(delimited, ("a.csv", "a.tsv"), b"id,name,n\n" + _CSV, *SMALL, (delimited, "BLOCK", BLOCK), (delimited, "PIECE", 100)),
        seeds.CSV,
        (b"sep=;\n", b'""', b'\\"', b"id,name\n", b"#"),
        of=("csv", "tsv"),
    ),
    Target("encodings", detect_encoding, seeds.ENCODINGS, ("é".encode(), "ж".encode("koi8-r"), "漢".encode("big5"))),
    Target("text", reading(text, ("a.txt", "a.log"), lines_of("{key} said so\n"), *SMALL, (text, "PIECE", BLOCK)), seeds.TEXT),
    Target(
        "json",
        reading(
            json_,
            ("a.json", "a.ndjson", "a"),
            lines_of('{{"id":"{key}"}}\n'),
            (json_, "BLOCK", BLOCK),
            (json_cut, "STEP", 64),
            (json_cut, "SPLIT", BLOCK),
        ),
        seeds.JSON,
        (b'{"index":{}}\n', b'{"$oid":"', b'"$date"', b"null", b"true", b"\\u0000", b"\\ud800", b"[[["),
        of=("json", "ndjson"),
    ),
    Target("json_cut", cut_json, seeds.JSON, (b'\\"', b"\\\\", b"[[", b"}]")),
    Target("json_split", split_json, (*seeds.JSON, *seeds.NESTED), (b'\\"', b"\\\\", b"[[", b"}]")),
    Target("flatten", flatten_documents, (*seeds.JSON, *seeds.NESTED, *seeds.XML), (b'{"$date":', b'{"a":[', b'"{}"')),
    Target("keys", keys_and_xml, (*seeds.XML, *seeds.WORDS), (b"<!--", b"<![CDATA[", b"&lt;", b"&#0;", b"<a xmlns:b='c'>")),
    Target("bson", bson_documents, seeds.BSON, (b"\x02a\0\x05\0\0\0", b"\x03a\0", b"\x04", b"\x05", b"\x11", b"\x13")),
    Target("mongo_archive", mongo_archives, seeds.MONGO_ARCHIVE, (b"\xff\xff\xff\xff", b"\x02db\0", b"\x05\0\0\0\0")),
    Target("dbf", dbf_tables, seeds.DBF, (b"C\0\0\0\0\x0a", b"\r", b"\x1a", b"\x30", b"*")),
    Target("redis_files", redis_files, seeds.REDIS_FILES, (b"\r\n$", b"*3\r\n", b"\x0e", b"\x12\x02", b"\xc3", b"\xff"), of=("rdb", "aof")),
    Target(
        "markup",
        reading(markup, ("a.xml", "a.html", "a"), _XML, (markup, "STEP", 64)),
        (*seeds.XML, *seeds.HTML),
        (b"<table>", b"<tr>", b"<td colspan=9>", b"<!DOCTYPE a [<!ENTITY b 'c'>]>", b"&b;", b"<?xml version='1.0' encoding='", b"]]>"),
        of=("xml", "html"),
    ),
    Target(
        "sqldump",
        reading(sqldump, ("a.sql",), _DUMP, (sqldump, "BLOCK", 300)),
        seeds.SQL,
        (b"INSERT INTO t VALUES (", b"),(", b");\n", b"''", b"\\'", b"0x41", b"_binary '", b"COPY t FROM stdin;\n", b"\\.\n", b"/*!", b"$$",
         b"E'", b"N'", b"q'[", b"to_date('", b"NULL", b"-- ", b"GO\n", b"CAST(", b" UNION ALL SELECT ", b"CREATE TABLE t ("),
        of=("sql_dump",),
    ),
    Target("kinds", identify_kind, (*seeds.CSV, *seeds.JSON, *seeds.SQL, *seeds.HTML, *seeds.HEADS), tuple(seeds.MAGIC)),
)  # fmt: skip

__all__ = ["CANARY", "TARGETS", "Batch"]
