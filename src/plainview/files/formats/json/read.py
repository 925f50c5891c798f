"""JSON in all its forms: lines, one array, one object, several texts, Elasticsearch bulk, extended JSON.

The content decides. Lines of whole JSON texts go through Polars in blocks (`documents.json_lines`); everything else
is cut by `json_cut` into lines first, an array into its elements, and then goes the same way. A damaged
line or element is told with its number; the others are read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

import msgspec
import polars as pl

from plainview.documents.json_lines import JsonLines
from plainview.errors import DamagedError, LimitError
from plainview.files.encodings.blocks import Utf8Blocks
from plainview.files.formats.json.bulk import BulkLines, is_bulk
from plainview.files.formats.json.cut import SPLIT, Cutter
from plainview.files.formats.json.records import records
from plainview.tables import Batch, Input, ReadLog, Table

BLOCK = 1 << 24  # bytes of text read at a time
LOOK = 20  # lines that say whether it is one text for each line
LINES = (".ndjson", ".jsonl", ".ldjson", ".jsonlines", ".log")
_BLANK = b" \t\r\n"
_NUL = b"}\0"  # behind each text of GELF over TCP; elsewhere a NUL is damage
_RECORD = b"\x1e"  # before each text of a JSON sequence (RFC 7464); no string may hold it


def read(source: Input, log: ReadLog) -> Iterator[Batch]:
    """Yield one table of flat or nested columns; its name is the file's. DamagedError: nothing is JSON."""
    blocks = Utf8Blocks(source, log, BLOCK, lazy="lines")
    first = next((b for b in blocks if b.strip(_BLANK)), b"")
    if first.lstrip(_BLANK).startswith(_RECORD):
        yield from _cut(source, log, first, blocks)
        return
    if not first:
        if source.name.endswith(LINES):
            return
        raise DamagedError("holds no JSON text: it is empty")
    if is_bulk(first):
        yield from _bulk(source, log, first, blocks)
    elif _is_lines(first, whole=len(first) < BLOCK):
        yield from _lines(source, log, first, blocks)
    else:
        yield from _cut(source, log, first, blocks)


def _lines(source: Input, log: ReadLog, first: bytes, blocks: Utf8Blocks) -> Iterator[Batch]:
    """Read JSON lines. Polars refuses what is not UTF-8: what it takes needs no look."""
    reader = JsonLines(limits=source.limits, log=log, name=source.name, mend=blocks.mended)
    alone = not source.name.lower().endswith(LINES)
    for block in _whole_lines(first, blocks, source):
        frame = reader.read(block)
        if frame.height:
            more = records(block) - 1 if alone and reader.rows == 1 else 0  # one object is no line of many
            yield Batch(Table(source.name, "ndjson", blocks.notes), frame, more)
    reader.finish()
    if reader.bad_count and not reader.rows:
        raise DamagedError("no line is valid JSON")


def _bulk(source: Input, log: ReadLog, first: bytes, blocks: Utf8Blocks) -> Iterator[Batch]:
    """Read Elasticsearch bulk lines: the documents, with what the action lines say of each."""
    reader = BulkLines(JsonLines(limits=source.limits, log=log, name=source.name))
    for block in _whole_lines(blocks.mended(first), map(blocks.mended, blocks), source):
        frame = reader.read(block)
        if frame.height:
            yield Batch(Table(source.name, "ndjson", (*blocks.notes, "Elasticsearch bulk lines")), frame)
    reader.finish()


def _cut(source: Input, log: ReadLog, first: bytes, blocks: Utf8Blocks) -> Iterator[Batch]:
    """Read anything else, cut into elements."""
    cutter = Cutter(source.limits.memory, source.limits.nesting)
    reader = JsonLines(limits=source.limits, log=log, name=source.name, unit="element")
    if first.lstrip(_BLANK + _RECORD)[:1] not in (b"{", b"["):
        raise DamagedError("begins with no JSON value")
    for lines, more in _gathered(cutter, map(blocks.mended, chain([first], blocks)), source):
        frame = reader.read(lines)
        if frame.height:
            yield Batch(Table(source.name, "json", blocks.notes), frame, more)
    reader.finish()
    for why, count in cutter.problems.items():
        log.skip(source.name, f"bad JSON: {why}" + (f" ({count:,} times)" if count > 1 else ""))
    if not reader.rows:
        if cutter.problems or reader.bad_count:
            raise DamagedError("nothing in it could be read as JSON")
        yield Batch(Table(source.name, "json", blocks.notes), pl.DataFrame())


def _gathered(cutter: Cutter, blocks: Iterator[bytes], source: Input) -> Iterator[tuple[bytes, int]]:
    """Join pieces into blocks of lines; with each, how many records more than lines the first object has in them."""
    lines: list[bytes] = []
    size = more = 0
    many = False
    for block in _steps(blocks):
        for piece in cutter.feed(block.replace(_RECORD, b"\n").replace(_NUL, b"}\n")):
            if cutter.texts == 1 and not cutter.arrays:
                inside = records(piece, known=many) - 1
                more, many = more + inside, many or inside > 0
            lines.append(piece.replace(b"\n", b" ") if b"\n" in piece else piece)
            size += len(piece)
            if size >= BLOCK or len(piece) >= SPLIT // 2:
                source.deadline.check()
                yield b"\n".join(lines), more
                lines, size, more = [], 0, 0
    cutter.end()
    if lines:
        yield b"\n".join(lines), more


def _steps(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the blocks in steps after which the cutter may cut inside of a value."""
    for block in blocks:
        for at in range(0, len(block), SPLIT):
            yield block[at : at + SPLIT]


def _whole_lines(first: bytes, blocks: Iterator[bytes], source: Input) -> Iterator[bytes]:
    """Cut blocks after their last line break; the rest goes before the next block."""
    parts: list[bytes] = []  # of a line that is not complete yet
    size = 0
    for block in chain([first], blocks):
        source.deadline.check()
        cut = block.rfind(b"\n") + 1
        if cut:
            yield block if cut == len(block) and not parts else b"".join([*parts, memoryview(block)[:cut]])
            parts, size = [], 0
        if cut < len(block):
            parts.append(block[cut:])
            size += len(block) - cut
        if size > source.limits.memory:
            raise LimitError("one line is larger than the memory limit", hint="raise --memory")
    if size:
        yield b"".join(parts)


def _is_lines(first: bytes, *, whole: bool) -> bool:
    """Return True when at least half of the first lines are JSON texts of their own."""
    lines = first.split(b"\n", LOOK)
    if not whole or len(lines) > LOOK:
        lines = lines[:-1]
    lines = [line.strip(_BLANK) for line in lines]
    lines = [line for line in lines if line]
    if len(lines) == 1 and lines[0][:1] == b"[":
        return False  # one array: its elements are the rows
    return sum(map(_is_json, lines)) * 2 >= max(1, len(lines))


def _is_json(line: bytes) -> bool:
    try:
        msgspec.json.decode(line, type=msgspec.Raw)
    except (msgspec.MsgspecError, RecursionError):
        return False
    return True
