"""Make the invented table that the bench runs on: 10 columns, mixed, with letters beyond ASCII.

    python bench/make_data.py FOLDER [--rows 1000000] [--forms csv,ndjson,parquet,csv.gz,sql] [--copies 1]

The same seed gives the same bytes. 1 M rows are about 220 MB of CSV.
"""

from __future__ import annotations

import argparse
import gzip
import pathlib

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


def sql_dump(data: pl.DataFrame, path: pathlib.Path, copies: int) -> None:
    head = "CREATE TABLE `people` (\n" + ",\n".join(f"  `{c}` varchar(255)" for c in data.columns) + "\n);\n"
    with path.open("w", encoding="utf-8") as out:
        out.write("-- MySQL dump 10.13\n" + head)
        for _ in range(copies):
            for part in data.iter_slices(10_000):
                quoted = [
                    pl.format("'{}'", pl.col(c).cast(pl.String).str.replace_all("'", r"\'", literal=True))
                    for c in data.columns
                ]
                rows = part.select(pl.format("({})", pl.concat_str(quoted, separator=","))).to_series()
                out.write("INSERT INTO `people` VALUES " + ",".join(rows.to_list()) + ";\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--forms", default="csv")
    parser.add_argument("--copies", type=int, default=1, help="write the rows that often (csv, csv.gz, sql)")
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    data, forms = frame(args.rows), args.forms.split(",")
    text = data.write_csv().encode()
    body = text[text.index(b"\n") + 1 :]
    if "csv" in forms:
        with (args.folder / "people.csv").open("wb") as out:
            out.write(text)
            for _ in range(args.copies - 1):
                out.write(body)
    if "csv.gz" in forms:
        with gzip.open(args.folder / "people.csv.gz", "wb", compresslevel=1) as packed:
            packed.write(text)
            for _ in range(args.copies - 1):
                packed.write(body)
    if "ndjson" in forms:
        data.write_ndjson(args.folder / "people.ndjson")
    if "parquet" in forms:
        data.write_parquet(args.folder / "people.parquet")
    if "sql" in forms:
        sql_dump(data, args.folder / "people.sql", args.copies)


if __name__ == "__main__":
    main()
