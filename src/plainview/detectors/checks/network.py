"""Rules for addresses of networks that a pattern cannot say."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

# The login of version control over SSH, the same for everybody: git@github.com is no mailbox.
REPOSITORY = r"^\s*(?:git|hg|svn|gitlab|vcs)@"


def not_a_repository(values: pl.Series) -> npt.NDArray[np.bool_]:
    """Tell for each e-mail address whether it is more than the address of a repository."""
    return (~values.str.contains(REPOSITORY)).to_numpy().astype(bool)
