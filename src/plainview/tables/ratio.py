"""How much a format may give for the bytes it takes: a repeat in a sheet is what a bomb is to a packer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from plainview.errors import LimitError
from plainview.tables import Batch, Limits


def check_ratio(given: int, taken: int, limits: Limits, what: str = "unpacks") -> None:
    """Raise LimitError when more than `ratio` times what was taken came out, and more than `ratio_floor` bytes."""
    if given > limits.ratio_floor and given > limits.ratio * max(taken, 1):
        raise LimitError(
            f"{what} to more than {limits.ratio} times its size, like a decompression bomb", hint="raise --ratio"
        )


def within_ratio(batches: Iterable[Batch], taken: int, limits: Limits) -> Iterator[Batch]:
    """Pass batches on. Raise LimitError when they hold more than `taken` bytes can honestly give.

    For formats that can repeat what stands in them once. Where honest files do so as well (dictionaries of Parquet and
    Arrow), memory is bounded by the batch, and time by the deadline.
    """
    given = 0
    for batch in batches:
        given += int(batch.frame.estimated_size())
        check_ratio(given, taken, limits, "unfolds")
        yield batch


__all__ = ["check_ratio", "within_ratio"]
