"""Possessive groups are compiled by `compile_possessive` alone: Python before 3.11.5 matches them wrongly."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import plainview

GROUP = re.compile(r"(?<!\\\\)\)(?:[*+?]|\{[0-9,]+\})\+")


def literal(node: ast.AST) -> str:
    """Return the text of all constants in an expression."""
    parts = [n.value for n in ast.walk(node) if isinstance(n, ast.Constant)]
    return "".join(p.decode("latin-1") if isinstance(p, bytes) else p for p in parts if isinstance(p, (str, bytes)))


def test_no_possessive_group_is_left_to_the_module_re() -> None:
    found, allowed = [], 0
    files = list(Path(plainview.__file__).parent.rglob("*.py"))
    assert len(files) > 190
    for path in files:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and node.args and GROUP.search(literal(node.args[0])):
                called = ast.unparse(node.func)
                allowed += called == "compile_possessive"
                if called.startswith("re."):
                    found.append(f"{path.name}:{node.lineno}")
    assert found == []
    assert allowed > 3  # the test sees them
