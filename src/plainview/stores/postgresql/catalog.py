"""What a PostgreSQL database holds: which tables are read, how each column is asked for."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import polars as pl

from plainview.stores.postgresql.access import quoted
from plainview.stores.shared.sql_text import Column
from plainview.tables import ReadLog

PLAIN: dict[str, pl.DataType | type[pl.DataType]] = {
    "int2": pl.Int64,
    "int4": pl.Int64,
    "int8": pl.Int64,
    "oid": pl.Int64,
    "float4": pl.Float64,
    "float8": pl.Float64,
    "date": pl.Date,
    "timestamp": pl.Datetime("us"),
}
RANGES = {
    "int4range": "int4",
    "int8range": "int8",
    "numrange": "numeric",
    "daterange": "date",
    "tsrange": "timestamp",
    "tstzrange": "timestamptz",
}
ROW = 16 << 20  # bytes of the cells of a row, which have to be held together; each may have CELL of them in any case
CELL = 1 << 20
TEXTS = frozenset({"text", "varchar", "bpchar", "json", "xml"})  # whose length is known without unpacking them


@dataclass(slots=True)
class Relation:
    """A row of `postgresql.list_tables` with its columns."""

    oid: str
    schema: str
    name: str
    kind: str
    rows: int | None
    pages: int
    readable: bool
    toasted: bool
    policies: bool
    parent: str
    heap: bool
    hidden: bool
    tid_ranges: bool  # the server reads some pages without looking at all (version 14 on)
    columns: list[Column] = field(default_factory=list)
    refused: int = 0
    longest: int = 0  # bytes or characters at which its cells are cut; 0: they are all short

    @property
    def sql(self) -> str:
        """The quoted name."""
        return f"{quoted(self.schema)}.{quoted(self.name)}"

    @property
    def label(self) -> str:
        """The name as the report shows it."""
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True, slots=True)
class Reading:
    """A relation to read, and the table that its rows count for."""

    relation: Relation
    label: str
    notes: tuple[str, ...] = ()
    whole: bool = False  # through the parent: with the rows of all partitions
    share: tuple[float, float] = (0.0, 1.0)  # which part of a sample of the table is drawn here

    def of_sample(self, rows: int) -> int:
        """Return how many of a sample's rows come from this partition; over all of them it adds up."""
        return round(rows * self.share[1]) - round(rows * self.share[0])


def relations(tables: Iterable[list[str | None]], columns: Iterable[list[str | None]], longest: int) -> list[Relation]:
    """Return the relations of a database, from the two catalogue queries. `longest` is the limit of one cell."""
    found: dict[str, Relation] = {}
    for row in tables:
        if len(row) != 13 or not row[0] or row[1] is None or row[2] is None:
            continue
        flags = [cell == "t" for cell in (row[6], row[7], row[8], row[10], row[11], row[12])]
        rows = _number(row[4])
        found[row[0]] = Relation(
            oid=row[0],
            schema=row[1],
            name=row[2],
            kind=row[3] or "",
            rows=rows if rows >= 0 else None,
            pages=max(_number(row[5]), 0),
            readable=flags[0],
            toasted=flags[1],
            policies=flags[2],
            parent=row[9] or "0",
            heap=flags[3],
            hidden=flags[4],
            tid_ranges=flags[5],
        )
    shown = [row for row in columns if len(row) == 7]
    long: Counter[str | None] = Counter()  # columns whose cells may be long; those of bytea come as twice the text
    for row in shown:
        long[row[0]] += 2 if row[2] == "bytea" else int(row[2] not in PLAIN)
    for row in shown:
        relation = found.get(row[0] or "")
        if relation is None or row[1] is None:
            continue
        if row[6] != "t":
            relation.refused += 1
            continue
        if (
            relation.toasted or relation.kind == "p"
        ):  # a parent has no cells of its own, but may be read in place of its parts
            relation.longest = min(longest, max(CELL, ROW // max(1, long[row[0]])))
        kinds = (row[2] or "", row[3] or "", row[4] or "")
        relation.columns += _columns(row[1], *kinds, _number(row[5]), relation.longest)
    return list(found.values())


def _columns(name: str, kind: str, typtype: str, category: str, modifier: int, longest: int) -> Iterator[Column]:
    """Yield what to ask for one column: two for a range, JSON for what has parts, else itself."""
    cell = quoted(name)
    if kind in RANGES:
        for end in ("lower", "upper"):
            yield from _columns_of_range(f"{name}.{end}", f"{end}({cell})", RANGES[kind])
    elif kind == "hstore" or category == "A" or typtype == "c":
        yield Column(name, _cut(f"to_json({cell})::text", longest))
    elif kind == "bytea":
        sql = f"CASE WHEN octet_length({cell}) > {longest} THEN substring({cell}, 1, {longest}) ELSE {cell} END"
        yield Column(name, sql if longest else cell, pl.Binary, "hex", 3)
    elif kind == "bool":
        yield Column(name, cell, pl.Boolean, "bool")
    elif kind == "timestamptz":
        yield Column(name, f"timezone('UTC', {cell})", pl.Datetime("us"), "datetime")
    elif kind == "numeric":
        yield Column(name, cell, _decimal(modifier))
    elif kind in TEXTS:
        sql = f"CASE WHEN octet_length({cell}::text) > {longest} THEN left({cell}::text, {longest}) ELSE {cell} END"
        sql = sql.replace("ELSE " + cell, f"ELSE {cell}::text")
        yield Column(name, sql if longest else cell)
    elif kind in PLAIN:
        yield Column(name, cell, PLAIN[kind], "datetime" if kind == "timestamp" else "")
    else:
        yield Column(name, _cut(f"{cell}::text", longest) if longest else cell)


def _columns_of_range(name: str, sql: str, kind: str) -> Iterator[Column]:
    if kind == "timestamptz":
        yield Column(name, f"timezone('UTC', {sql})", pl.Datetime("us"), "datetime")
    else:
        yield Column(name, sql, PLAIN.get(kind, pl.String), "datetime" if kind == "timestamp" else "")


def _cut(sql: str, longest: int) -> str:
    return f"left({sql}, {longest})" if longest else sql


def _decimal(modifier: int) -> pl.DataType | type[pl.DataType]:
    """Return the type of numeric(precision, scale); text where Polars has none."""
    if modifier < 4:
        return pl.String
    precision, scale = (modifier - 4) >> 16, (modifier - 4) & 0x7FF
    if not 0 < precision <= 38 or scale > precision:
        return pl.String
    return pl.Decimal(precision, scale) if scale or precision > 18 else pl.Int64


def _number(text: str | None) -> int:
    return int(text) if text and re.fullmatch(r"-?[0-9]{1,18}", text) else -1


def readings(found: list[Relation], log: ReadLog, prefix: str, where: str) -> Iterator[Reading]:
    """Yield what to read of a database, each row once; what is not read goes into the log."""
    by_oid = {relation.oid: relation for relation in found}
    parts: dict[str, list[Relation]] = {}
    for relation in found:
        if relation.kind in ("r", "f") and (root := _root(relation, by_oid)) is not relation:
            parts.setdefault(root.oid, []).append(relation)
    views = 0
    for relation in found:
        label = prefix + relation.label
        if relation.kind == "v":
            views += 1
            if relation.hidden and relation.readable:
                log.listed()
                log.skip(label, "a view over tables that this user may not read; views are not read")
        elif relation.kind == "p":
            if relation.parent == "0":
                yield from _partitions(relation, parts.get(relation.oid, []), log, label)
        elif _root(relation, by_oid) is relation:
            yield from _table(relation, log, label)
    if views:
        log.note(where, f"{views:,} views: their rows are those of tables")


def _root(relation: Relation, by_oid: dict[str, Relation]) -> Relation:
    for _ in range(64):
        if relation.parent not in by_oid:
            break
        relation = by_oid[relation.parent]
    return relation


def _table(relation: Relation, log: ReadLog, label: str, notes: tuple[str, ...] = ()) -> Iterator[Reading]:
    if relation.kind == "f":
        log.listed(rows=relation.rows or 0)
        log.skip(label, "a foreign table: to read it, the server would have to connect elsewhere")
    elif not relation.readable:
        log.listed(rows=relation.rows or 0)
        log.skip(label, "no permission to read")
    else:
        if relation.refused:
            log.skip(label, f"{relation.refused} columns: no permission to read")
        if relation.policies:
            notes += ("row-level security may hide rows from this user",)
        if relation.kind == "m":
            notes += ("a materialised view: a copy of what it was made from",)
        yield Reading(relation, label, notes)


def _partitions(parent: Relation, leaves: list[Relation], log: ReadLog, label: str) -> Iterator[Reading]:
    """Read the partitions as one table; through the parent only where nothing but that is permitted."""
    local = [leaf for leaf in leaves if leaf.kind == "r"]
    notes = (f"read through its {len(local)} partitions, once each",)
    if parent.readable and len(local) == len(leaves) and not all(leaf.readable for leaf in local):
        yield Reading(parent, label, ("its partitions were read through it",), whole=True)
        return
    if not leaves:
        log.listed()
    total, before = sum(max(leaf.pages, 1) for leaf in local if leaf.readable), 0
    for leaf in leaves:
        name = label if leaf.kind == "r" and leaf.readable else f"{label}/{leaf.name}"
        for reading in _table(leaf, log, name, notes):
            after = before + max(leaf.pages, 1)
            yield replace(reading, share=(before / total, after / total))
            before = after


__all__ = ["Reading", "Relation", "readings", "relations"]
