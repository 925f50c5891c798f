"""`python -m tests.servers [up NAME [MODE]]`."""

from __future__ import annotations

import signal
import sys

from . import SECRET, SERVERS


def main() -> int:
    words = sys.argv[1:]
    if not words:
        for name, cls in SERVERS.items():
            print(f"{name:12} {' '.join(cls.modes):40} {(cls.__doc__ or '').splitlines()[0]}")
        return 0
    if words[0] != "up" or len(words) < 2 or words[1] not in SERVERS:
        print(f"usage: python -m tests.servers up {{{','.join(SERVERS)}}} [MODE]")
        return 64
    server = SERVERS[words[1]](words[2] if len(words) > 2 else "open")
    if reason := server.available():
        print(reason)
        return 69
    with server:
        print(
            f"{server.url}   {server.mode}; the administrator's password is {SECRET}; Ctrl-C ends it",
            flush=True,
        )
        # Only now, so that the server does not inherit the mask.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
        signal.sigwait({signal.SIGINT, signal.SIGTERM})
    return 0


if __name__ == "__main__":
    sys.exit(main())
