"""What `plainview.scan` takes: addresses, paths and targets. Of all else not a letter gets into a message or a report."""

from __future__ import annotations

import io
import os
import re
import traceback
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import plainview
from plainview.errors import UsageError
from plainview.pipeline.options import Options
from plainview.targets.parsing import parse_target

CANARY = "canary.7f3a@example.org"
FRAME = pl.DataFrame({"name": ["Anna Canaria"], "email": [CANARY]})


class Loud(Exception):  # noqa: N818
    pass


class BadPath:
    def __fspath__(self) -> str:
        raise Loud(CANARY)


class BytesPath:
    def __fspath__(self) -> bytes:
        return CANARY.encode()


class Speaks:
    def __str__(self) -> str:
        return CANARY

    __repr__ = __str__


VALUES = [
    FRAME,
    FRAME.lazy(),
    FRAME["email"],
    FRAME.to_dicts(),
    FRAME.rows(),
    [CANARY],
    (CANARY,),
    {CANARY},
    {CANARY: 1},
    iter([CANARY]),
    CANARY.encode(),
    bytearray(CANARY.encode()),
    io.BytesIO(CANARY.encode()),
    io.StringIO(CANARY),
    np.array([CANARY]),
    ValueError(CANARY),
    type(CANARY, (), {}),
    Speaks(),
    BadPath(),
    BytesPath(),
    None,
    True,
    5,
    5.5,
]
IDS = [f"{number}-{type(value).__name__}" for number, value in enumerate(VALUES)]


def silent(error: BaseException) -> None:
    shown = "".join(traceback.format_exception_only(error)) + repr(error)
    while error.__context__ is not None:
        error = error.__context__
        shown += repr(error)
    assert "anary" not in shown
    assert "anaria" not in shown


@pytest.mark.parametrize("value", VALUES, ids=IDS)
@pytest.mark.parametrize("place", [0, 1])
def test_what_is_no_target_is_refused(value: object, place: int, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    targets = [tmp_path / "a.csv"] * place + [value]
    with pytest.raises(TypeError, match=rf"^scan: target {place + 1} is no address, no path and no Target$") as caught:
        plainview.scan(*targets)  # type: ignore[arg-type]
    silent(caught.value)


@pytest.mark.parametrize("value", VALUES, ids=IDS)
@pytest.mark.parametrize("option", Options.__dataclass_fields__)
def test_what_is_no_option_is_refused(value: object, option: str) -> None:
    number = option in ("sample", "threads", "memory_total") and type(value) is int
    nothing = value is None and option in ("sample", "scope", "credentials", "network")
    folders = option == "detectors" and type(value) in (list, tuple) and value[0] == CANARY  # type: ignore[index]
    if number or nothing or folders or (option in ("apart", "families", "allow_reserved") and value is True):
        assert Options(**{option: value})  # type: ignore[arg-type]
        return
    with pytest.raises(TypeError, match=r"^Options: ") as caught:
        Options(**{option: value})  # type: ignore[arg-type]
    silent(caught.value)


@pytest.mark.parametrize("name", ["options", "progress"])
def test_options_and_progress_are_what_they_must_be(name: str) -> None:
    for value in ({"sample": CANARY}, CANARY, FRAME):
        with pytest.raises(TypeError, match=f"^scan: {name} must be ") as caught:
            plainview.scan("x.csv", **{name: value})  # type: ignore[arg-type]
        silent(caught.value)


def test_no_target_is_an_error() -> None:
    for options in (None, Options()):
        with pytest.raises(UsageError, match="no target"):
            plainview.scan(options=options)


def test_paths_of_all_kinds_are_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a.csv", "h:80", " b.csv "):
        Path(name).write_text("id,email\n" + "".join(f"{n},anna{n}@example.org\n" for n in range(40)))
    [entry] = [entry for entry in os.scandir(tmp_path) if entry.name == "a.csv"]
    given = (Path("a.csv"), "a.csv", entry, parse_target("a.csv"), Path("h:80"), Path(" b.csv "))
    report = plainview.scan(*given)
    assert [target.tables[0].rows for target in report.targets] == [40] * len(given)


def test_a_path_is_never_an_address() -> None:
    """`Path` makes `redis:/x` of an address, and `h:80` may be no store."""
    report = plainview.scan(Path("h80"))
    assert report.targets[0].kind == "file"
    for text in ("redis://:HUNTER2@h", "user:HUNTER2@h", "h:80"):
        with pytest.raises(UsageError) as caught:
            plainview.scan(Path(text))
        assert not re.search("HUNTER2|h:80", str(caught.value))


def test_a_folder_of_detectors_may_be_a_text(tmp_path: Path) -> None:
    assert Options(detectors=[str(tmp_path)]).detectors == (tmp_path,)  # type: ignore[arg-type]
