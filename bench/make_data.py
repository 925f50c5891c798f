"""Make the invented table that the bench runs on: 10 columns, mixed, with letters beyond ASCII.

    python bench/make_data.py FOLDER [--rows 1000000] [--forms csv,ndjson,parquet,csv.gz,sql,small] [--copies 1]

The same seed gives the same bytes. 1 M rows are about 220 MB of CSV. With `--copies` the rows are written that
often (csv, csv.gz, sql), one after the other: what is never held in memory here need not be held by a reader.
`small` is a folder of 5,000 files of six kinds that Polars reads as well.
"""

from __future__ import annotations

import argparse
import gzip
import pathlib
from collections.abc import Iterable, Iterator
from typing import BinaryIO, cast

import numpy as np
import polars as pl

GIVEN = "Anna Jürgen Zoë François Łukasz Søren María José Ümit Grace Wei Olga Ahmed Priya Kenji Chloé".split()
FAMILY = "Müller García Nowak Šimek Öztürk Dubois Rossi Jansen Smith Kowalczyk Ivanova Tanaka Nguyễn Silva".split()
WORDS = (
    "order shipped late customer asked refund größe parcel damaged please call again thanks naïve résumé invoice "
    "paid twice waiting reply délai store pickup window broken blue large returned exchange señor voucher"
).split()
STREETS = "Hauptstraße|Rue de la Paix|Main Street|Calle Mayor|Via Roma|Ulica Długa|Kungsgatan|High Street".split("|")
CITIES = "Köln Paris Málaga Łódź Malmö Leeds Zürich Roma".split()


def pick(rng: np.random.Generator, words: list[str], rows: int) -> pl.Series:
    return pl.Series(words).gather(rng.integers(0, len(words), rows))


def luhn_cards(rng: np.random.Generator, rows: int) -> pl.Series:
    digits = rng.integers(0, 10, (rows, 16), dtype=np.int64)
    digits[:, 0] = 4
    weights = digits[:, :15].copy()
    doubled = weights[:, 0::2] * 2
    weights[:, 0::2] = doubled - 9 * (doubled > 9)
    digits[:, 15] = (-weights.sum(1)) % 10
    number = (digits * 10 ** np.arange(15, -1, -1, dtype=np.int64)).sum(1)
    return pl.Series(number).cast(pl.String)


def ibans(rng: np.random.Generator, rows: int) -> pl.Series:
    bank, account = rng.integers(10**7, 10**8, rows), rng.integers(10**9, 10**10, rows)
    rest = [98 - ((int(b) * 10**10 + int(a)) * 10**6 + 131400) % 97 for b, a in zip(bank, account, strict=True)]
    frame = pl.DataFrame({"c": rest, "b": bank, "a": account})
    return frame.select(pl.format("DE{}{}{}", pl.col("c").cast(pl.String).str.zfill(2), "b", "a")).to_series()


def frame(rows: int, seed: int = 7) -> pl.DataFrame:
    """Return `rows` invented people and their orders."""
    rng = np.random.default_rng(seed)
    given, family = pick(rng, GIVEN, rows), pick(rng, FAMILY, rows)
    number = pl.Series(rng.integers(0, 10**6, rows)).cast(pl.String)
    phone = pl.Series(rng.integers(1510000000, 1799999999, rows)).cast(pl.String)
    octets = [pl.Series(rng.integers(1, 255, rows)).cast(pl.String) for _ in range(4)]
    notes = [pick(rng, WORDS, rows) for _ in range(11)]
    base = pl.DataFrame({"given": given, "family": family, "n": number, "phone": phone})
    address = pl.DataFrame(
        {
            "s": pick(rng, STREETS, rows),
            "h": rng.integers(1, 200, rows),
            "p": rng.integers(10000, 99999, rows),
            "c": pick(rng, CITIES, rows),
        }
    )
    return pl.DataFrame(
        {
            "id": np.arange(1, rows + 1),
            "name": base.select(pl.format("{} {}", "given", "family")).to_series(),
            "email": base.select(pl.format("user{}@example.org", "n")).to_series(),
            "phone": base.select(pl.format("+49 {}", "phone")).to_series(),
            "iban": ibans(rng, rows),
            "card": luhn_cards(rng, rows),
            "address": address.select(pl.format("{} {}, {} {}", "s", "h", "p", "c")).to_series(),
            "ip": pl.DataFrame(octets).select(pl.format("{}.{}.{}.{}", *[f"column_{i}" for i in range(4)])).to_series(),
            "total": pl.Series(rng.random(rows) * 500).round(2).cast(pl.String),
            "note": pl.DataFrame(notes).select(pl.concat_str(pl.all(), separator=" ")).to_series(),
        }
    )


def sql_statements(data: pl.DataFrame) -> Iterator[bytes]:
    """Yield the rows as mysqldump writes them: INSERT lines of about a megabyte."""
    head = "CREATE TABLE `people` (\n" + ",\n".join(f"  `{c}` varchar(255)" for c in data.columns) + "\n);\n"
    yield ("-- MySQL dump 10.13\n" + head).encode()
    quoted = [
        pl.format("'{}'", pl.col(c).cast(pl.String).str.replace_all("'", r"\'", literal=True)) for c in data.columns
    ]
    for part in data.iter_slices(5_000):
        rows = part.select(pl.format("({})", pl.concat_str(quoted, separator=","))).to_series()
        yield ("INSERT INTO `people` VALUES " + ",".join(rows.to_list()) + ";\n").encode()


def write_copies(out: BinaryIO, head: bytes, body: bytes, copies: int) -> None:
    out.write(head)
    for _ in range(copies):
        out.write(body)


def gzipped(path: pathlib.Path, copies: int) -> BinaryIO:
    """Open a gzip file as the tool of that name writes it; the very large ones by ISA-L, which is quicker."""
    if copies == 1:
        return cast("BinaryIO", gzip.open(path, "wb", compresslevel=6))
    from isal import igzip

    return cast("BinaryIO", igzip.open(path, "wb", compresslevel=1))


SMALL = ("csv", "csv", "csv", "csv", "tsv", "ndjson", "ndjson", "json", "parquet", "csv.gz")
SMALL_COLUMNS = (
    ("id", "name", "email", "phone", "address"),
    ("id", "total", "note"),
    ("email", "ip", "note"),
    ("id", "name", "iban", "card", "total"),
)


def small_files(data: pl.DataFrame, folder: pathlib.Path, files: int, seed: int = 11) -> None:
    """Write files of 1 to 2,000 rows, most of them of some dozens, in folders of a hundred."""
    rng = np.random.default_rng(seed)
    rows = np.clip(rng.lognormal(3.5, 1.2, files).astype(int), 1, 2000)
    starts = rng.integers(0, data.height - 2000, files)
    for at in range(files):
        place = folder / f"part{at // 100:02}"
        place.mkdir(parents=True, exist_ok=True)
        kind = SMALL[at % len(SMALL)]
        part = data.slice(int(starts[at]), int(rows[at])).select(SMALL_COLUMNS[at // 7 % len(SMALL_COLUMNS)])
        path = place / f"export_{at}.{kind}"
        if kind == "parquet":
            part.write_parquet(path)
        elif kind == "ndjson":
            part.write_ndjson(path)
        elif kind == "json":
            part.write_json(path)
        elif kind == "csv.gz":
            path.write_bytes(gzip.compress(part.write_csv().encode(), mtime=0))
        else:
            part.write_csv(path, separator="\t" if kind == "tsv" else ",")


def make(folder: pathlib.Path, forms: Iterable[str], rows: int, copies: int = 1, files: int = 5_000) -> None:
    """Write the forms that are asked for into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    data, forms = frame(rows), set(forms)
    if forms & {"csv", "csv.gz"}:
        text = data.write_csv().encode()
        cut = text.index(b"\n") + 1
        head, body = text[:cut], text[cut:]
        if "csv" in forms:
            with (folder / "people.csv").open("wb") as out:
                write_copies(out, head, body, copies)
        if "csv.gz" in forms:
            with gzipped(folder / "people.csv.gz", copies) as out:
                write_copies(out, head, body, copies)
        del text, body
    if "sql" in forms:
        head, *lines = sql_statements(data)
        with (folder / "people.sql").open("wb") as out:
            write_copies(out, head, b"".join(lines), copies)
    if "ndjson" in forms:
        data.write_ndjson(folder / "people.ndjson")
    if "parquet" in forms:
        data.write_parquet(folder / "people.parquet")
    if "small" in forms:
        small_files(data, folder / "small", files)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--forms", default="csv")
    parser.add_argument("--copies", type=int, default=1, help="write the rows that often (csv, csv.gz, sql)")
    args = parser.parse_args()
    make(args.folder, args.forms.split(","), args.rows, args.copies)


if __name__ == "__main__":
    main()
