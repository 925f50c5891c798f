"""All targets, by name."""

from __future__ import annotations

from . import answers, documents, files, readers, stores, words
from .harness import Target

TARGETS: dict[str, Target] = {
    t.name: t
    for t in (*readers.TARGETS, *files.TARGETS, *documents.TARGETS, *stores.TARGETS, *answers.TARGETS, *words.TARGETS)
}

__all__ = ["TARGETS"]
