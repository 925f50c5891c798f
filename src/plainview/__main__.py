"""`python -m plainview` is the command."""

from __future__ import annotations

import sys

from plainview.cli.command import main

sys.exit(main())
