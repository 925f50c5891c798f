"""Export the indices of the invented city by scroll, and throw away what comes: what a scan is timed against.

python bench/twin/export.py ADDRESS
"""

from __future__ import annotations

import sys
from pathlib import Path
from urllib.parse import quote

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from indices import names

from exports import scroll

print(sum(scroll(f"{sys.argv[1]}/{quote(name)}", decode="json")() for name in names()))
