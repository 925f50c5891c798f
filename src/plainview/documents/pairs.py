"""Names and values in rows, taken apart: the values of each key that says a kind of data become a column of their own.

`detectors.pairs` says what a pair is. In lists of objects each object is one (`telecom[].system`, `telecom[].value`);
in flat tables two columns are. Other values stay where they are. Where no key says anything nothing changes, and a
table without such a pair of columns costs a look at their names.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import polars as pl

from plainview.detectors.conditions import conditioned
from plainview.detectors.pairs import DEPTH, INSIDE, MOST, fields_of, key_in, said
from plainview.tables.naming import Distinct

KEYS = 1024  # different keys of one batch, above which it is no column of names
FEW = 64  # the same of two columns that are not called so
KNOWN = 0.05  # share of the keys that must say a kind of data
LEAST = 3  # keys of such columns that must
BARE = 0.5  # the same where the columns are not called names and values, and there are but two
_NO_DIGITS = str.maketrans("", "", "0123456789")
Place = tuple[str, str]  # the field of the key, and the key; ("", "") for all others


def places_of(docs: Sequence[Mapping[str, Any]], names: Collection[str]) -> dict[str, dict[Place, list[int]]]:
    """Return, for each field of values of some objects, which of them have which key; nothing where no key says any."""
    keys, values = fields_of(tuple(names))
    if not keys:
        return {}
    places: dict[Place, list[int]] = {}
    for at, document in enumerate(docs):
        place = key_in(document, keys)
        if place not in places and len(places) > MOST:
            place = ("", "")
        places.setdefault(place, []).append(at)
    if places.keys() <= {("", "")}:
        return {}
    return {value: {key: at for key, at in places.items() if key[0] != value} for value in values}


def has_pairs(names: Sequence[str], objects: pl.Series) -> bool:
    """Tell whether some key of a column of objects says a kind of data."""
    keys, _ = fields_of(tuple(names))
    inner = (_texts(objects.struct.field(key)) for key in keys)
    return any(said(text) for texts in inner for text in texts.unique().head(KEYS).to_list() if text)


def _texts(series: pl.Series, depth: int = 0) -> pl.Series:
    """Return all texts in which a key may stand."""
    while isinstance(series.dtype, pl.List):
        series = series.explode(empty_as_null=False, keep_nulls=False)
    if isinstance(series.dtype, pl.Struct) and depth < DEPTH:
        own = [field.name for field in series.dtype.fields if field.name in INSIDE]
        parts = [_texts(series.struct.field(name), depth + 1) for name in own]
        return pl.concat([part.rename("") for part in parts]) if parts else pl.Series(dtype=pl.String)
    return series.rename("") if series.dtype == pl.String else pl.Series(dtype=pl.String)


def path_of(value: str, place: Place) -> str:
    """Return the path of the values of a key."""
    return conditioned(value, *place) if place[0] else value


def pairs_to_columns(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a flat frame in which the values of keys that say a kind of data are columns, null in all other rows."""
    found = _pairs(tuple(frame.columns))
    if not found or not frame.height:
        return frame
    added: list[pl.Series] = []
    names = Distinct(frame.columns, mark="~")
    for keys, values, least in found:
        chosen, known = max(((key, _known(frame[key], least)) for key in keys), key=lambda pair: _sorts(pair[1]))
        for value in values if known else ():
            if not frame.schema[value].is_nested():
                made = _columns(frame, chosen, value, known)
                frame = frame.with_columns(made[0])
                added.extend(series.alias(names.of(series.name)) for series in made[1:])
    return frame.hstack(added) if added else frame


@functools.lru_cache(256)
def _pairs(names: tuple[str, ...]) -> tuple[tuple[tuple[str, ...], tuple[str, ...], float], ...]:
    """Return the columns of keys and of values of each object on the way, with the share of keys that must be known."""
    objects: dict[str, dict[str, str]] = {}
    for name in names:
        if "[]" not in name and "{}" not in name:
            above, _, own = name.rpartition(".")
            objects.setdefault(above, {})[own] = name
    found = []
    for fields in objects.values():
        keys, values = fields_of(tuple(fields))
        if keys:
            found.append((tuple(fields[key] for key in keys), tuple(fields[value] for value in values), KNOWN))
    if len(names) == 2 and not found:
        found.append((names[:1], names[1:], BARE))
    return tuple(found)


def _sorts(known: Mapping[str, str]) -> int:
    """Return how many keys there are, those that differ by a number alone counted once: `user:1`, `user:2`."""
    return len({shown.translate(_NO_DIGITS) for shown in known.values()})


def _known(series: pl.Series, least: float) -> dict[str, str]:
    """Return the keys that say a kind of data, each as it may be printed; none where too few do.

    `least`: the share that must; from `BARE` on the columns do not say themselves what they are.
    """
    if series.dtype not in (pl.String, pl.Categorical, pl.Enum):
        return {}
    different = series.drop_nulls().unique().cast(pl.String)
    if len(different) > (KEYS if least < BARE else FEW):
        return {}
    known = {key: shown for key in different.sort().to_list() if (shown := said(key))}
    few = LEAST if least >= BARE else 1
    return dict([*known.items()][:MOST]) if len(known) >= max(few, least * len(different)) else {}


def _columns(frame: pl.DataFrame, key: str, value: str, known: Mapping[str, str]) -> list[pl.Series]:
    """Return the values of all other keys, and those of each known one."""
    by_path: dict[str, list[str]] = {}
    for text, shown in known.items():
        by_path.setdefault(conditioned(value, key.rpartition(".")[2], shown), []).append(text)
    keys = pl.col(key).cast(pl.String)
    rest = pl.when(~keys.is_in([*known]).fill_null(value=False)).then(pl.col(value)).alias(value)
    made = [pl.when(keys.is_in(texts)).then(pl.col(value)).alias(path) for path, texts in by_path.items()]
    return frame.select(rest, *made).get_columns()


__all__ = ["pairs_to_columns", "path_of", "places_of"]
