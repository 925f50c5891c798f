"""No step without a bound: every reader of text takes time linear in a hostile text, and tells what it left out."""

from __future__ import annotations

import io

import pytest

from bounds.texts import TEXTS
from bounds.work import LINEAR, growth
from plainview.documents.flatten import flatten
from plainview.errors import PlainviewError
from plainview.files.formats import FORMATS, reader
from plainview.tables import Batch, Deadline, Input, Limits, ReadLog

SIZE = 60_000  # bytes; four times as many for the ratio
LIMITS = Limits(seconds=60)
SUFFIXES = {"sql_dump": "sql", "ndjson": "ndjson"}  # of the others the kind is the suffix


def read_all(kind: str, data: bytes) -> ReadLog:
    """Read a text to its end and take the columns apart, as a scan does; what is refused is refused."""
    log = ReadLog()
    source = Input(
        f"a.{SUFFIXES.get(kind, kind)}",
        data[: 64 << 10],
        lambda: io.BytesIO(data),
        len(data),
        None,
        LIMITS,
        Deadline(LIMITS.seconds),
    )
    try:
        for batch in reader(kind).read(source, log):
            if isinstance(batch, Batch):
                flatten(batch.frame, limits=LIMITS, log=log, name="t")
    except PlainviewError as error:
        log.skip(source.name, error)
    assert not any("stopped after" in why for _, why in log.skipped)
    return log


@pytest.mark.split("kind")
@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("name", TEXTS)
def test_every_reader_takes_time_linear_in_a_hostile_text(kind: str, name: str) -> None:
    assert growth(lambda text: read_all(kind, text), TEXTS[name], SIZE) < LINEAR
