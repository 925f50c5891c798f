"""Identifiers in one spelling each, and their hashes under the key of the run. Cells in, numbers out."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt
import polars as pl

from plainview import codes
from plainview.detectors.reserved import pattern_of

Hashes = npt.NDArray[np.uint64]
Codes = npt.NDArray[np.uint16]
SEPARATORS, NO_BREAK = b" -./()", b"\xc2\xa0"  # in numbers that people write down


def normal(values: pl.Series, form: str, region: str = "") -> pl.Series:
    """Return cells that are filled in the spelling of their form: `email`, `phone`, `id`, `name` or `date`.

    `region` is the calling code of numbers that are written without one, "" where it is not known.
    """
    if form == "email":
        joined = _joined(values)
        if not joined.isascii() or any(sign in joined for sign in b" \t\n\r\v\f"):
            values = values.str.strip_chars()
        folded = values if joined.isascii() and joined.lower() == joined else values.str.to_lowercase()
        return folded.str.replace(r"\+[^@]*@", "@") if b"+" in joined else folded
    if form == "phone":
        return _phones(_bare(values, _joined(values, "\n")), region)
    if form == "id":
        lines = _joined(values, "\n")
        bare = _bare(values, lines)
        return bare if lines.isascii() and lines.upper() == lines else bare.str.to_uppercase()
    return values.str.strip_chars().str.to_lowercase()


def hashed(values: pl.Series, seed: int) -> Hashes:
    """Return the keyed hashes of normal values."""
    return values.hash(seed).to_numpy()


def _joined(values: pl.Series, between: str = "") -> bytes:
    """Return all cells one behind the other: what stands in none is seen there soonest."""
    joined: bytes | None = values.str.join(between).cast(pl.Binary).item()
    return joined or b""


def _bare(values: pl.Series, lines: bytes) -> pl.Series:
    """Drop what people write between the digits and letters of a number; `lines` are the cells, one a line."""
    signs = [chr(sign) for sign in SEPARATORS if sign in lines]
    if not lines.isascii() and NO_BREAK in lines:
        signs.append(NO_BREAK.decode())
    if len(signs) == 1:
        return values.str.replace_all(signs[0], "", literal=True)
    if not signs:
        return values
    if lines.count(b"\n") != len(values) - 1:  # line ends in cells
        return values.str.replace_all(r"[ \-./()\x{a0}]+", "")
    bare = lines.translate(None, SEPARATORS)
    bare = bare if bare.isascii() else bare.replace(NO_BREAK, b"")
    return pl.Series([bare.decode()], dtype=pl.String).str.split("\n").explode()


def _phones(bare: pl.Series, region: str) -> pl.Series:
    """Return `+` and the digits of numbers, with their calling code as far as it is known."""
    plus = bare.str.starts_with("+")
    if plus.all():
        return bare
    whole = plus | bare.str.starts_with("00")
    trunk = bare.str.strip_chars_start("+0")
    if whole.all() or not region:
        return "+" + trunk
    # what has the calling code without a plus sign keeps it where it is long enough for both
    long = trunk.str.starts_with(region) & (trunk.str.len_bytes() > 8 + len(region)) & ~bare.str.starts_with("0")
    return pl.select(pl.lit("+") + pl.when(whole | long).then(trunk).otherwise(pl.lit(region) + trunk)).to_series()


def region_of(values: pl.Series) -> str:
    """Return the calling code that most numbers which have one begin with, or "" where no number has one."""
    sample = values.head(2048)
    sample = sample.filter(sample.str.contains(r"^\s*(?:\+|00)[1-9]")).head(256)
    found: dict[str, int] = {}
    for number in _bare(sample, _joined(sample, "\n")).to_list():
        code = calling_code(number.lstrip("+0"))
        found[code] = found.get(code, 0) + 1
    return max(sorted(found), key=lambda code: found[code]) if found else ""


def calling_code(digits: str) -> str:
    """Return the calling code that an international number begins with, or ""."""
    known = _regions()
    return next((digits[:length] for length in (1, 2, 3) if digits[:length] in known), "")


@cache
def _regions() -> dict[str, tuple[str, ...]]:
    from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

    return {str(code): tuple(regions) for code, regions in COUNTRY_CODE_TO_REGION_CODE.items()}


def codes_of(values: pl.Series, form: str) -> Codes:
    """Return what normal values say by themselves: a reserved example, a country of its numbering plan."""
    found = np.zeros(len(values), dtype=np.uint16)
    if form == "email":
        found[values.str.contains(pattern_of("reserved", "email_address")).to_numpy()] = codes.RESERVED
        found[values.str.contains(pattern_of("role", "email_address")).to_numpy()] |= np.uint16(codes.ROLE)
    if form == "phone":
        digits = values.str.slice(1, 3).str.pad_end(3, "0").cast(pl.Int64, strict=False).fill_null(0).to_numpy()
        found = _by_digits()[digits % 1000]
        found[values.str.contains(pattern_of("reserved", "telephone_number")).to_numpy()] |= np.uint16(codes.RESERVED)
    return found


@cache
def _by_digits() -> Codes:
    """Return the code of the country by the first three digits of a number; +1 and +7 are shared by several."""
    found = np.zeros(1000, dtype=np.uint16)
    for code, regions in _regions().items():
        if len(regions) == 1 or code == "44":  # the islands that share +44 are as one with the whole
            first = int(code.ljust(3, "0"))
            found[first : first + 10 ** (3 - len(code))] = codes.of_country(regions[0])
    return found
