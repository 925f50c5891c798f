"""Make examples/: the exports of an invented company, in nine forms. Nobody in them exists.

python tools/make_examples.py        (needs the development requirements; the same bytes at each run)
"""

from __future__ import annotations

import datetime as dt
import gzip
import io
import json
import pathlib
import random
import sqlite3
import zipfile

import polars as pl
import xlsxwriter

OUT = pathlib.Path(__file__).parent.parent / "examples"
RNG = random.Random(1812)
PEOPLE = [
    ("Anneliese", "Brückner", "DE", "Köln", "50667"), ("Matthieu", "Lefèvre", "FR", "Lyon", "69002"),
    ("Carmen", "Ibáñez", "ES", "Málaga", "29015"), ("Zbigniew", "Wójcik", "PL", "Gdańsk", "80-831"),
    ("Giulia", "Ferrari", "IT", "Torino", "10123"), ("Astrid", "Lindqvist", "SE", "Uppsala", "753 10"),
    ("Kees", "van Dijk", "NL", "Utrecht", "3511 LX"), ("Margaret", "Whitfield", "GB", "Leeds", "LS1 4AP"),
    ("Johannes", "Hofstätter", "AT", "Graz", "8010"), ("Beatriz", "Carvalho", "PT", "Porto", "4050-253"),
    ("Dimitra", "Papadaki", "GR", "Patras", "262 21"), ("Emre", "Yıldırım", "TR", "İzmir", "35210"),
    ("Svetlana", "Morozova", "BG", "Varna", "9000"), ("Patrick", "O'Connell", "IE", "Cork", "T12 X70A"),
    ("Lucie", "Dvořáková", "CZ", "Brno", "602 00"), ("Henrik", "Sørensen", "DK", "Aarhus", "8000"),
]  # fmt: skip
STREETS = [
    "Gartenstraße",
    "Rue Mercière",
    "Calle Larios",
    "ulica Długa",
    "Via Garibaldi",
    "Kungsgatan",
    "Station Road",
]
PRODUCTS = [
    "Oak table",
    "Desk lamp",
    "Wool blanket",
    "Garden chair",
    "Bread knife",
    "Tea kettle",
    "Book shelf",
]
DIAGNOSES = [
    ("E11.9", "type 2 diabetes"),
    ("J45.0", "asthma"),
    ("F32.1", "depressive episode"),
    ("I10", "hypertension"),
]


def iban(bank: str, account: str) -> str:
    rest = 98 - int(f"{bank}{account}131400") % 97
    return f"DE{rest:02}{bank}{account}"


def card() -> str:
    body = [4, *(RNG.randrange(10) for _ in range(14))]
    total = sum((d * 2 - 9 if d > 4 else d * 2) if i % 2 == 0 else d for i, d in enumerate(body))
    return "".join(map(str, body)) + str(-total % 10)


def day(low: int, high: int) -> dt.date:
    return dt.date(low, 1, 1) + dt.timedelta(days=RNG.randrange((high - low) * 365))


def customers(count: int) -> list[dict[str, object]]:
    rows = []
    for n in range(1, count + 1):
        given, family, country, city, code = RNG.choice(PEOPLE)[0], *RNG.choice(PEOPLE)[1:]
        rows.append({
            "customer_no": 10_000 + n, "first_name": given, "last_name": family,
            "e_mail": f"{given[0]}.{family}{n}@example.org".lower().replace(" ", "").replace("'", ""),
            "phone": f"+49 30 9018{RNG.randrange(1000, 9999)}", "birth_date": day(1941, 2012).isoformat(),
            "street": f"{RNG.choice(STREETS)} {RNG.randrange(1, 140)}", "postal_code": code, "city": city,
            "country": country, "iban": iban(f"{RNG.randrange(10**7, 10**8)}", f"{RNG.randrange(10**9, 10**10)}"),
            "newsletter": RNG.choice(["yes", "no"]), "created": day(2019, 2025).isoformat(),
        })  # fmt: skip
    return rows


def write_orders(path: pathlib.Path, people: list[dict[str, object]]) -> None:
    with path.open("w", encoding="utf-8") as out:
        for n in range(300):
            who = RNG.choice(people)
            items = [
                {
                    "sku": f"SKU-{RNG.randrange(100, 999)}",
                    "title": RNG.choice(PRODUCTS),
                    "qty": RNG.randrange(1, 4),
                }
            ]
            order = {
                "order_id": f"{RNG.randrange(10**15, 10**16)}", "placed_at": 1_700_000_000_000 + n * 86_400_000,
                "customer": {"name": f"{who['first_name']} {who['last_name']}", "email": who["e_mail"]},
                "payment": {"method": "card", "card_number": card()}, "items": items,
                "client": {"ip": f"198.51.100.{RNG.randrange(1, 255)}", "app_version": f"3.{n % 9}.{n % 4}.{n % 7}"},
            }  # fmt: skip
            out.write(json.dumps(order, ensure_ascii=False) + "\n")


def write_staff(path: pathlib.Path) -> None:
    book = xlsxwriter.Workbook(str(path))
    book.set_properties({"created": dt.datetime(2025, 1, 2)})  # noqa: DTZ001
    staff = book.add_worksheet("Mitarbeiter")
    rows = [["Personalnummer", "Name", "Geburtsdatum", "Steuer-ID", "Gehalt", "Konfession"]]
    for n, (given, family, *_) in enumerate(PEOPLE):
        rows.append([f"P-{1000 + n}", f"{given} {family}", day(1961, 2003).strftime("%d.%m.%Y"), tax_id(),
                     RNG.randrange(2400, 7200), RNG.choice(["evangelisch", "katholisch", "keine", "jüdisch", "muslimisch"])])  # fmt: skip
    for y, row in enumerate(rows):
        staff.write_row(y, 0, row)
    rooms = book.add_worksheet("Räume")
    for y, row in enumerate([["Raum", "Etage", "Plätze"], ["Aula", 0, 80], ["Labor 2", 1, 12], ["Archiv", -1, 2]]):
        rooms.write_row(y, 0, row)
    book.close()


def tax_id() -> str:
    """A German tax number by its rule: one digit twice, the last by ISO 7064 mod 11, 10."""
    digits = RNG.sample("123456789", 1) + RNG.sample("0123456789", 9)
    while len(set(digits)) != 9:
        digits = [RNG.choice("123456789"), *(RNG.choice("0123456789") for _ in range(9))]
    product = 10
    for d in digits:
        total = (int(d) + product) % 10 or 10
        product = total * 2 % 11
    return "".join(digits) + str((11 - product) % 10)


def write_shop(path: pathlib.Path, people: list[dict[str, object]]) -> None:
    path.unlink(missing_ok=True)
    with sqlite3.connect(path) as db:
        db.execute(
            "CREATE TABLE logins (id INTEGER PRIMARY KEY, user_name TEXT, password_hash TEXT, last_ip TEXT, last_login TEXT)"
        )
        db.execute(
            "CREATE TABLE products (sku TEXT, title TEXT, price REAL, stock INTEGER, warehouse_lat REAL, warehouse_lon REAL)"
        )
        for n, who in enumerate(people[:150]):
            salt = "".join(RNG.choices("./ABCDEFGHabcdefgh0123456789", k=53))
            db.execute("INSERT INTO logins VALUES (?,?,?,?,?)", (n, f"{str(who['first_name']).lower()}{n}", "$2b$12$" + salt,
                       f"203.0.113.{RNG.randrange(1, 255)}", f"2025-03-{n % 28 + 1:02} 08:{n % 60:02}:11"))  # fmt: skip
        for n in range(60):
            db.execute(
                "INSERT INTO products VALUES (?,?,?,?,?,?)",
                (
                    f"SKU-{100 + n}",
                    RNG.choice(PRODUCTS),
                    RNG.randrange(500, 20_000) / 100,
                    RNG.randrange(90),
                    50.9375,
                    6.9603,
                ),
            )
    db.close()


def write_tickets(path: pathlib.Path, people: list[dict[str, object]]) -> None:
    texts = ["Parcel is late, please call {phone}.", "My new address is the same, write to {e_mail}", "The lamp does not work.",
             "Refund to {iban} please", "Thank you, all is well now!", "Where is my order? It says 3.1.4.2 in the app."]  # fmt: skip
    rows = []
    for n in range(240):
        body = RNG.choice(texts).format(**RNG.choice(people)).replace("'", "\\'")
        rows.append(f"({n},'2025-02-{n % 28 + 1:02}','{body}','{RNG.choice(['open', 'closed'])}')")
    text = (
        "-- MySQL dump 10.13  Distrib 8.0.36, for Linux (x86_64)\n\nDROP TABLE IF EXISTS `tickets`;\n"
        "CREATE TABLE `tickets` (\n  `id` int NOT NULL,\n  `opened` date DEFAULT NULL,\n  `message` text,\n"
        "  `status` varchar(10) DEFAULT NULL,\n  PRIMARY KEY (`id`)\n) ENGINE=InnoDB;\n\n"
        "INSERT INTO `tickets` VALUES " + ",".join(rows) + ";\n"
    )
    with path.open("wb") as raw, gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as out:
        out.write(text.encode())


def write_patients(path: pathlib.Path) -> None:
    rows = []
    for n in range(120):
        given, family = RNG.choice(PEOPLE)[0], RNG.choice(PEOPLE)[1]
        code, words = RNG.choice(DIAGNOSES)
        rows.append(
            {
                "patient": f"{given} {family}",
                "dob": day(1935, 2015),
                "icd10": code,
                "diagnosis": words,
                "visit": n,
            }
        )
    pl.DataFrame(rows).write_parquet(path)


def write_archive(path: pathlib.Path) -> None:
    text = io.StringIO()
    text.write("sensor;measured_at;celsius\n")
    for n in range(200):
        text.write(f"hall-{n % 4};2025-01-{n % 28 + 1:02} 06:00;{RNG.randrange(120, 260) / 10}\n")
    with zipfile.ZipFile(path, "w") as out:
        for name, body in (("2024/sensors.csv", text.getvalue()), ("2024/manual.djvu", "AT&TFORM\0\0\0\0DJVM")):
            out.writestr(zipfile.ZipInfo(name, (2025, 1, 2, 3, 4, 6)), body)


def main() -> None:
    OUT.mkdir(exist_ok=True)
    people = customers(400)
    pl.DataFrame(people).write_csv(OUT / "customers.csv")
    write_orders(OUT / "orders.ndjson", people)
    write_staff(OUT / "staff.xlsx")
    write_shop(OUT / "shop.sqlite", people)
    write_tickets(OUT / "tickets.sql.gz", people)
    write_patients(OUT / "patients.parquet")
    write_archive(OUT / "archive.zip")
    lines = [f"2025-03-01T09:{n // 60:02}:{n % 60:02}Z GET /item/{RNG.randrange(999)} 200 {RNG.randrange(90, 900)}ms from 203.0.113.{RNG.randrange(1, 255)}" for n in range(300)]  # fmt: skip
    (OUT / "web.log").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
