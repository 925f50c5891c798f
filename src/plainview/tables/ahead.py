"""Work that goes on while the result before it is still being used: fetching beside parsing."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Generator
from typing import TypeVar

from plainview.errors import translate

Item = TypeVar("Item")


def ahead(items: Generator[Item], most: int = 1) -> Generator[Item]:
    """Yield the items of a generator that runs in a thread, at `most` so many items ahead.

    What it raises is raised here, as a PlainviewError. When the caller stops early, the generator is closed, in
    its own thread, before the caller goes on.
    """
    box: queue.Queue[tuple[Item | None, BaseException | None, bool]] = queue.Queue(maxsize=most)
    stop = threading.Event()

    def put(item: Item | None, error: BaseException | None = None, *, last: bool = False) -> bool:
        while not stop.is_set():
            try:
                box.put((item, error, last), timeout=0.1)
            except queue.Full:
                continue
            return True
        return False

    def run() -> None:
        try:
            with contextlib.closing(items):
                for item in items:
                    if not put(item):
                        return
        except BaseException as error:  # noqa: BLE001  handed to the thread that uses the items
            put(None, error, last=True)
        else:
            put(None, last=True)

    thread = threading.Thread(target=run, name="plainview-ahead", daemon=True)
    thread.start()
    try:
        while True:
            item, error, last = box.get()
            if error is not None:
                raise translate(error) from None
            if last:
                return
            yield item  # type: ignore[misc]
    finally:
        stop.set()
        thread.join()


__all__ = ["ahead"]
