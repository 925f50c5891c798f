"""Text and logs: one column, every line."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plainview.files.encodings import blocks as encodings
from plainview.files.formats import text
from plainview.tables import Input, ReadLog


def read(data: bytes, head: int = 64 << 10):
    log = ReadLog()
    batches = list(text.read(Input("t.log", data[:head], lambda: io.BytesIO(data), len(data)), log))
    assert all(batch.frame.columns == ["text"] and batch.table.kind == "text" for batch in batches)
    assert log.bytes_read == len(data)
    notes = tuple(dict.fromkeys(note for batch in batches for note in batch.table.notes))
    return [line for batch in batches for line in batch.frame["text"]], notes, log.skipped


def test_lines():
    assert read(b'a,b "c\n\n  d\te\r\nlast') == (['a,b "c', "  d\te", "last"], (), [])


@pytest.mark.parametrize("data", [b"", b"\n\n"])
def test_nothing(data):
    assert read(data) == ([], (), [])


def test_cr_only():
    assert read(b"a\rb\rc")[0] == ["a", "b", "c"]


def test_colours_are_removed():
    assert read(b"\x1b[31mann@example.org\x1b[0m logged in\n")[0] == ["ann@example.org logged in"]


def test_every_control_character():
    line = bytes(byte for byte in range(1, 32) if byte not in b"\r\n\x1b") + b"x"
    assert read(line + b"\ny\n")[0] == [line.decode(), "y"]


def test_other_encoding():
    lines, notes, _ = read("Jürgen grüßt Zoë\nMüller aus Köln\n".encode("cp1252"))
    assert lines == ["Jürgen grüßt Zoë", "Müller aus Köln"]
    assert notes == ("read as windows-1252 (assumed)",)


def test_long_line_is_read_in_pieces(monkeypatch):
    monkeypatch.setattr(encodings, "BLOCK", 100)
    monkeypatch.setattr(text, "PIECE", 300)
    lines, notes, skipped = read(b"word " * 500 + b"\nend\n", head=10)
    assert " ".join(lines).split() == ["word"] * 500 + ["end"]
    assert len(lines) > 5
    assert (notes, skipped) == (("long lines were read in pieces",), [])


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r\n\x1b\ufeff"), min_size=1)),
    st.sampled_from(["\n", "\r\n"]),
    st.integers(5, 60),
)
def test_all_lines_arrive(lines, newline, block):
    before, encodings.BLOCK = encodings.BLOCK, block
    try:
        got = read(("x" + newline + newline.join(lines)).encode(), head=4)[0]
    finally:
        encodings.BLOCK = before
    assert got == ["x", *lines]


def test_signs_of_addresses_and_base64_are_decoded():
    line = b"GET /u?mail=ann%40example.org HTTP/1.1\nowner: YW5uYS5zY2huZWlkZXIwQGV4YW1wbGUub3Jn\n"
    lines, notes, skipped = read(line)
    assert lines == ["GET /u?mail=ann@example.org HTTP/1.1", "owner: anna.schneider0@example.org"]
    assert notes == ("words in base64 were decoded",)
    assert skipped == []
