"""Progress on stderr: bytes, rows, rate and the time left. Quiet when stderr is not a terminal."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

from plainview.cli.stopping import undone_on_stop
from plainview.pipeline.options import Progress
from plainview.tables import Unit

if TYPE_CHECKING:
    from rich.console import Console


@contextlib.contextmanager
def shown(*, quiet: bool) -> Iterator[Progress]:
    """Give a Progress that is drawn while the block runs."""
    if quiet or not sys.stderr.isatty():
        yield Progress()
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn, TransferSpeedColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=20),
        DownloadColumn(),
        TransferSpeedColumn(),
        TextColumn("{task.fields[rows]:,} rows", markup=False),
        TimeRemainingColumn(),
    )
    bar = Bar(*columns, console=Console(stderr=True), transient=True)
    task = bar.add_task("reading", total=None, rows=0)
    lock, rows, total = threading.Lock(), 0, 0

    def more_rows(count: int) -> None:
        nonlocal rows
        with lock:
            rows += count
        bar.update(task, rows=rows)

    def more_units(unit: Unit) -> None:
        nonlocal total
        with lock:
            total += unit.size or 0
        bar.update(task, total=total or None)

    with undone_on_stop(lambda: _wiped(bar.console)):
        try:
            yield Progress(
                on_target=lambda _name: bar.start(),  # it draws in a thread, and workers are forked before any runs
                on_unit=more_units,
                on_bytes=lambda count: bar.update(task, advance=count),
                on_rows=more_rows,
            )
        finally:
            bar.stop()


def _wiped(console: Console) -> None:
    """Leave the terminal as it was: without the line, with its cursor. What still draws it draws nowhere."""
    console.file = io.StringIO()
    os.write(sys.stderr.fileno(), b"\r\x1b[2K\x1b[?25h")
