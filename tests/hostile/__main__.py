"""Runs the attacks in this one process and prints what came of each, one line of JSON; see `run.py`."""

from __future__ import annotations

import sys

from .run import main

sys.exit(main(sys.argv[1:]))
