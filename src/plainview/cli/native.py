"""Keep what native libraries print off the terminal.

Rust prints a panic to descriptor 2 before Python sees an exception, and the text can quote the data: Polars
does so for a damaged Parquet page. There is no switch for it in polars 2.1 or fastexcel 0.21. So the program, at
its start and before it makes threads, gives its own messages a descriptor of their own and points descriptor 2
nowhere.
"""

from __future__ import annotations

import os
import sys


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


__all__ = ["silence_native_stderr"]
