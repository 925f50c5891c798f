"""Check digits and other rules that a number of some kind must obey: one mapping, `CHECKS`.

A check receives a String series without nulls and returns a bool array of the same length. Values
are *compact* (upper case, only 0-9 and A-Z left) unless the check is `raw`. It is total: a text of
another form gives False, whatever it holds. What share of random text of the right form passes is
not written here but measured, by the detectors that use the check.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from plainview.detectors.checks.americas import AMERICAS
from plainview.detectors.checks.asia import ASIA
from plainview.detectors.checks.devices import DEVICES
from plainview.detectors.checks.east import EAST
from plainview.detectors.checks.kernel import digits
from plainview.detectors.checks.money import MONEY, czech_account
from plainview.detectors.checks.network import NETWORK
from plainview.detectors.checks.phone import PHONES
from plainview.detectors.checks.secrets import SECRETS
from plainview.detectors.checks.wallets import WALLETS
from plainview.detectors.checks.west import WEST


@dataclass(frozen=True, slots=True)
class Check:
    """A named rule; `raw` says that it wants the values not compacted, but without the blanks around them.

    `blanks` says that it takes no offence at those either.
    `strict` says that what passes as it stands has the form that its detectors ask for as well, so that nothing
    but the check has to be run on a column of clean numbers. It is set for the most frequent ones.
    """

    name: str
    function: Callable[[pl.Series], npt.NDArray[np.bool_]]
    raw: bool = False
    blanks: bool = False
    strict: bool = False

    def accepts(self, values: pl.Series) -> npt.NDArray[np.bool_]:
        """Tell for each value, as it was written, whether it passes."""
        return self.function(prepared(values, self))


COMPACT: Final = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def compact(values: pl.Series) -> pl.Series:
    """Upper-case and drop all but letters and digits of ASCII: what most checks read."""
    joined: bytes = values.str.join("").cast(pl.Binary).item()
    if digits(joined) is not None or not joined.translate(None, COMPACT):
        return values  # as most columns are; one pass over all bytes is quicker than an expression
    return values.str.to_uppercase().str.replace_all("[^0-9A-Z]+", "")


def prepared(values: pl.Series, check: Check) -> pl.Series:
    """Return the values as a check wants them."""
    if not check.raw:
        return compact(values)
    return values if check.blanks else values.str.strip_chars()


_RAW: Final = {
    **WALLETS,
    **NETWORK,
    **SECRETS,
    "cz_account": czech_account,
    "mrz": DEVICES["mrz"],
    "phone": PHONES["phone"],
}
_BLANKS: Final = frozenset({*NETWORK, *SECRETS})
SLOW: Final = frozenset({"phone"})  # cost microseconds a value: run on the sketch, not on every row
_STRICT: Final = frozenset({"iban", "payment_card"})
_ALL: Final = {**WEST, **EAST, **ASIA, **AMERICAS, **MONEY, **DEVICES, **PHONES, **_RAW}

CHECKS: Final[Mapping[str, Check]] = MappingProxyType(
    {
        name: Check(name, function, raw=name in _RAW, blanks=name in _BLANKS, strict=name in _STRICT)
        for name, function in sorted(_ALL.items())
    }
)
