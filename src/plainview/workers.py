"""More processes for folders of many small files, where most of the time is Python's own.

A worker reads groups of units from beginning to end and gives back what a report holds: counts and names, never
a value. It starts like the program itself, so it is worth its start only where there is much to do.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Future

    from plainview.pipeline import Options, Scanner
    from plainview.reading import UnitResult
    from plainview.sources.base import Source, Unit

WORTH = 6  # groups of small files after which workers are started
QUEUE = 4  # groups that a worker has before it

_scanner: Scanner | None = None


class Workers:
    """Processes that read groups of units. Raise OSError where the system gives none."""

    def __init__(self, count: int, options: Options) -> None:
        import multiprocessing  # start-up is a promise
        from concurrent.futures import ProcessPoolExecutor

        # no scope and no credentials: workers read files
        chosen = replace(options, threads=1, processes=1, scope=None, credentials=None, network=None)
        self.count = count
        self.running: list[Future[list[UnitResult]]] = []
        spawn = multiprocessing.get_context("spawn")  # Polars has threads, which a fork would not bring along
        self.pool = ProcessPoolExecutor(count, mp_context=spawn, initializer=_start, initargs=(chosen,))

    def free(self) -> bool:
        """Tell whether another group would not have to wait long."""
        self.running = [future for future in self.running if not future.done()]
        return len(self.running) < QUEUE * self.count

    def submit(self, source: Source, units: Sequence[Unit]) -> Future[list[UnitResult]]:
        """Have a group read; the result is as of `Scanner.read_units`."""
        future = self.pool.submit(_read, source, units)
        self.running.append(future)
        return future

    def close(self) -> None:
        """End the processes; what they have not begun is dropped."""
        self.pool.shutdown(cancel_futures=True)


def _start(options: Options) -> None:
    global _scanner  # noqa: PLW0603  a process has one scanner
    from plainview.native import silence_native_stderr
    from plainview.pipeline import Scanner

    silence_native_stderr()
    _scanner = Scanner(options)


def _read(source: Source, units: Sequence[Unit]) -> list[UnitResult]:
    assert _scanner is not None  # noqa: S101  `_start` came first
    results = _scanner.read_units(source, units)
    for result in results:
        result.log.on_bytes = None  # cannot be sent to another process
    return results


__all__ = ["WORTH", "Workers"]
