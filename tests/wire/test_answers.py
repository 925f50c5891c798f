"""One decoder for the JSON that stores answer: into any shape within bounds, or into a known one."""

from __future__ import annotations

import ast
from pathlib import Path

import msgspec
import pytest

import plainview
from plainview.errors import ProtocolError
from plainview.wire.answers import shaped_json

SRC = Path(plainview.__file__).parent
CANARY = "canary.7f3a@example.org"


class Page(msgspec.Struct):
    rows: list[msgspec.Raw] = []
    more: bool = False


def test_raw_parts_are_single_lines() -> None:
    page = shaped_json(b'{"rows": [\n{"a":\r\n "x\\n"}], "other": 1}', Page, "no page")
    assert [bytes(row) for row in page.rows] == [b'{"a":   "x\\n"}']


@pytest.mark.parametrize(
    "data",
    [
        f'{{"rows": [{{"email": "{CANARY}"',
        f'{{"rows": "{CANARY}"}}',
        f'["{CANARY}"]',
        f"<html>{CANARY}",
        "",
        '{"rows": [' + "[" * 100_000,
        '{"more": 7}',
    ],
)
def test_another_shape_is_told_and_not_quoted(data: str) -> None:
    for text in (data.encode(), data.encode() + b"\xff"):
        with pytest.raises(ProtocolError, match="no page") as caught:
            shaped_json(text, Page, "no page")
        assert CANARY not in f"{caught.value!r} {caught.value}"
        assert caught.value.__cause__ is None
        assert caught.value.__context__ is None


def test_no_store_decodes_json_by_itself() -> None:
    files = sorted((SRC / "stores").rglob("*.py"))
    assert len(files) > 40
    for path in files:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                name = ast.unparse(node.func)
                assert name not in ("json.loads", "msgspec.json.decode", "msgspec.json.Decoder"), (
                    f"{path}:{node.lineno}"
                )
