"""plainview: which of your data stores can a stranger read, and what personal data would they find there?"""

from __future__ import annotations

__version__ = "0.1.0"
