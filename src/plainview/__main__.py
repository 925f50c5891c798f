"""`python -m plainview` is the command, and so is `plainview`."""

from __future__ import annotations

import os
import signal


def _stopped(number: int, _frame: object) -> None:
    """End the process while its modules are still being loaded; `cli.stopping` has the rest of the run."""
    os.write(2, b"plainview: stopped\n")
    os._exit(128 + number)


def main() -> None:
    """Run the command and end the process."""
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _stopped)
    from plainview.cli import command

    command.main()


if __name__ == "__main__":
    main()
