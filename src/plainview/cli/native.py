"""Keep what native libraries print off the terminal.

Rust prints a panic to descriptor 2 before Python sees an exception, and the text can quote the data: Polars
does so for a damaged Parquet page. There is no switch for it in polars 2.1 or fastexcel 0.21. So the program, at
its start and before it makes threads, gives its own messages a descriptor of their own and points descriptor 2
nowhere.
"""

from __future__ import annotations

import os
import sys


def open_standard_streams() -> None:
    """Put the null device in place of descriptors 0 to 2 that the caller has closed. For programs, at their start.

    Else the next file or socket that is opened would get such a number, and what is printed would go there. Writing
    to a standard output that was closed fails as it did, so that no report is thought to be written.
    """
    for number, mode in ((0, os.O_RDONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, mode)  # gets the lowest number that is free, which is this one
    if sys.stdout is None:
        sys.stdout = open(  # noqa: SIM115  for the life of the process
            1, "w", encoding="utf-8", errors="backslashreplace", closefd=False
        )
    if sys.stderr is None:
        sys.stderr = open(  # noqa: SIM115
            2, "w", encoding="utf-8", errors="backslashreplace", closefd=False
        )


def silence_native_stderr() -> None:
    """Move `sys.stderr` to a copy of descriptor 2, and descriptor 2 to the null device. For programs, once.

    A library must not do this to its host: there, `sys.stderr` and descriptor 2 stay as they are. With the
    environment variable PLAINVIEW_NATIVE_STDERR=1 nothing is changed, to see why a library fails.
    """
    if os.environ.get("PLAINVIEW_NATIVE_STDERR") == "1":
        return
    sys.stderr.flush()
    try:
        own = os.dup(2)
    except OSError:  # closed by the caller: nothing can be printed, nothing has to be hidden
        return
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    os.close(null)
    # line buffered, as stderr is; stays open for the life of the process
    sys.stderr = os.fdopen(own, "w", buffering=1, encoding=sys.stderr.encoding, errors="backslashreplace")
    os.environ.setdefault("RUST_BACKTRACE", "0")


__all__ = ["open_standard_streams", "silence_native_stderr"]
