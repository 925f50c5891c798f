"""An account of what a reader was given: each word of a text stands in a row, or something was told.

For the readers of our own. It reads the file a second time, so it is done only where PLAINVIEW_ACCOUNTS=1 asks for it,
and in tests: a dialect whose rows are lost without a word shows.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from plainview.files.encodings.blocks import Utf8Blocks
from plainview.tables import MIB, Batch, Input, ReadLog

KINDS = frozenset({"csv", "tsv", "text", "json", "ndjson", "sql_dump"})
MOST = 64 * MIB  # bytes of a file that is looked at
# A word that is a value and no name of a type or an encoding: letters and digits, eight or more, no escape before it
_WORD = re.compile(r"(?<![\\\w%])(?=[a-zA-Z]*[0-9])(?=[0-9]*[a-zA-Z])[0-9a-zA-Z]{8,200}(?!\w)")
_COMMENT = re.compile(r"(?m)^\s*(?:--|#)[^\n]*$|/\*(?!M?!)(?:(?!\*/)[\s\S]){0,4000}\*/")


def wanted() -> bool:
    """Tell whether accounts are asked for."""
    return os.environ.get("PLAINVIEW_ACCOUNTS") == "1"


def accounted(batches: Iterator[Batch | Input], source: Input, kind: str, log: ReadLog) -> Iterator[Batch | Input]:
    """Pass batches on; at their end tell of words that stand in none of them, where nothing else was told."""
    told = len(log.skipped)
    seen: set[str] = set()
    for batch in batches:
        if not isinstance(batch, Batch):  # a file inside of this one, with an account of its own
            yield batch
            continue
        seen.update(_words(str(batch.table.name)))
        for name in batch.frame.columns:
            seen.update(_words(name))
            for value in batch.frame.get_column(name).to_list():
                seen.update(_words(value if isinstance(value, str) else repr(value)))
        yield batch
    if kind not in KINDS or len(log.skipped) > told:
        return
    missing = [word for word in _given(source, kind) if word not in seen]
    if missing:
        log.skip(source.name, f"{len(missing):,} of its words stand in no row, and nothing says why")


def _words(text: str) -> Iterator[str]:
    return (found[0] for found in _WORD.finditer(text))


def _given(source: Input, kind: str) -> set[str]:
    """Return the words of the file, as its encoding has them."""
    blocks = Utf8Blocks(source, ReadLog())
    text = ""
    for block in blocks:
        text += block.decode("utf-8", "replace")
        if len(text) > MOST:
            return set()
    if kind == "sql_dump":
        text = _COMMENT.sub(" ", text)
    return set(_words(text))


__all__ = ["accounted", "wanted"]
