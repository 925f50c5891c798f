"""Text in base64 is decoded, in columns and in lines; what only looks like it stays as it is."""

from __future__ import annotations

import base64
import random

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from plainview.documents.encoded import decoded_lines
from plainview.documents.flatten import flatten

WORDS = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FFF, exclude_characters="\x7f\ufffd{[<"), min_size=12)
WORDS = WORDS.filter(lambda text: text.isprintable() and text.split() == [text.strip()] and text.strip() == text)


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@given(st.lists(WORDS, min_size=6, max_size=40))
def test_cells_come_back(texts: list[str]) -> None:
    frame = pl.DataFrame({"n": range(len(texts)), "secret": [*map(encoded, texts)]})
    assert flatten(frame)["secret"].to_list() == texts


def test_json_in_base64_is_taken_apart() -> None:
    cells = [encoded(f'{{"mail": "a{n}@b.co"}}') for n in range(5)]
    assert flatten(pl.DataFrame({"body": cells}))["body.mail"].to_list() == [f"a{n}@b.co" for n in range(5)]


@given(st.randoms(use_true_random=False))
def test_keys_and_hashes_stay(rnd: random.Random) -> None:
    hashes = [f"{rnd.getrandbits(128):032x}" for _ in range(40)]
    keys = [base64.b64encode(rnd.randbytes(24)).decode() for _ in range(40)]
    words = ["password", "username", "telefone", "Hannover"] * 10
    frame = pl.DataFrame({"hash": hashes, "key": keys, "word": words})
    assert flatten(frame).equals(frame)


@given(st.lists(WORDS, min_size=1, max_size=20))
def test_words_of_lines_come_back(texts: list[str]) -> None:
    lines = "".join(f"  key: {encoded(text)}\n" for text in texts)
    assert decoded_lines(lines.encode()).decode() == "".join(f"  key: {text}\n" for text in texts)


def test_lines_without_stay_the_same_object() -> None:
    lines = b"GET /usr/share/locale/de/LC_MESSAGES/coreutils 0123456789abcdef0123456789abcdef\n" * 9
    assert decoded_lines(lines) is lines
