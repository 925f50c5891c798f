"""The usual wrong answers of tools of this kind, made at random: none of these columns is personal."""

from __future__ import annotations

import functools
import hashlib
import random
import uuid
from collections.abc import Callable

import polars as pl
import pytest

from plainview.matching.batches import TableProfiler
from plainview.pipeline.scanner import Scanner
from plainview.tables import Table

RNG = random.Random(42)
FILMS = "The Godfather|Blue Velvet|Rain Man|Annie Hall|Forrest Gump|The Third Man|Amélie|La Strada|Jules and Jim|Ed Wood|Erin Brockovich|The Big Sleep|Paris, Texas|Charade|Rebecca|Vertigo|Barry Lyndon|Citizen Kane".split(
    "|"
)
COMPANIES = "Siemens AG|Johnson & Johnson|Ford Motor Company|Marks & Spencer|Deutsche Bank AG|Harris Corporation|Wells Fargo|Baker Hughes|Thomas Cook Group|Morgan Stanley|Acme GmbH|Boston Scientific|Kraft Foods|Hewlett-Packard|Procter & Gamble|Volkswagen AG".split(
    "|"
)
LOREM = "lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor incididunt ut labore et dolore magna aliqua".split()
CITIES = "Austin|Florence|Paris|Lincoln|Sydney|Charlotte|Madison|Jackson|Victoria|Orlando|Berlin|Córdoba|Alexandria|Santiago|Lyon|Denver|Kingston".split(
    "|"
)
PRODUCTS = "Oak table|Desk lamp|Wool blanket|Garden chair|Bread knife|Tea kettle|Book shelf|Coffee mug|Rain coat|Hand mixer".split(
    "|"
)


@pytest.fixture(autouse=True)
def seeded(request: pytest.FixtureRequest) -> None:
    """Each test has its own random values, whichever tests ran before it."""
    RNG.seed(request.node.name)


@functools.cache
def scanner() -> Scanner:
    return Scanner()


def digits(n: int) -> str:
    return RNG.choice("123456789") + "".join(RNG.choices("0123456789", k=n - 1))


def not_luhn() -> str:
    return "4" + digits(15)


MAKERS: dict[str, Callable[[int], str]] = {
    "version": lambda i: f"{RNG.randrange(1, 12)}.{RNG.randrange(20)}.{RNG.randrange(30)}.{RNG.randrange(40)}",
    "order_number": lambda i: not_luhn(),
    "order_no_10": lambda i: digits(10),
    "invoice_id": lambda i: digits(11),
    "counter": lambda i: str(100_000_000 + i),
    "tracking": lambda i: digits(12),
    "serial": lambda i: digits(15),
    "epoch_ms": lambda i: str(1_700_000_000_000 + i * 86_413_777),
    "epoch_s": lambda i: str(1_700_000_000 + i * 86_413),
    "uuid": lambda i: str(uuid.UUID(int=RNG.getrandbits(128))),
    "sha256": lambda i: hashlib.sha256(str(i).encode()).hexdigest(),
    "md5": lambda i: hashlib.md5(str(i).encode()).hexdigest(),
    "film": lambda i: RNG.choice(FILMS),
    "company": lambda i: RNG.choice(COMPANIES),
    "lorem": lambda i: " ".join(RNG.choices(LOREM, k=RNG.randint(2, 12))).capitalize(),
    "two_words": lambda i: " ".join(RNG.choices(LOREM, k=2)).title(),
    "year": lambda i: str(RNG.randrange(1950, 2024)),
    "price": lambda i: f"{RNG.uniform(1, 500):.2f}",
    "sku": lambda i: f"SKU-{digits(6)}",
    "part": lambda i: f"{RNG.choice('ABCDEFGH')}{RNG.choice('ABCDEFGH')}{digits(7)}",
    "part_dashes": lambda i: f"{digits(3)}-{digits(3)}-{digits(4)}x",
    "warehouse_lat": lambda i: f"{RNG.uniform(47, 54):.5f}",
    "warehouse_lon": lambda i: f"{RNG.uniform(6, 14):.5f}",
    "store_city": lambda i: RNG.choice(CITIES),
    "product": lambda i: RNG.choice(PRODUCTS),
    "shipped_at": lambda i: f"2024-{i % 12 + 1:02}-{i % 28 + 1:02} {i % 24:02}:{i % 60:02}:00",
    "released": lambda i: f"{RNG.randrange(1960, 2020)}-{i % 12 + 1:02}-{i % 28 + 1:02}",
    "ean": lambda i: digits(13),
    "isbn": lambda i: f"978-{digits(1)}-{digits(4)}-{digits(4)}-{digits(1)}",
    "url": lambda i: f"https://shop.example.com/item/{i}",
    "percent": lambda i: f"{RNG.randrange(100)}%",
    "git_remote": lambda i: f"git@github.com:acme/repo{i}.git",
    "npm": lambda i: f"lodash@{RNG.randrange(9)}.{RNG.randrange(9)}.{RNG.randrange(9)}",
    "ticket": lambda i: f"PROJ-{RNG.randrange(9999)}",
    "color": lambda i: RNG.choice(["brown", "gray", "white", "green", "black", "rose", "amber"]),
    "month": lambda i: RNG.choice(["May", "June", "April", "August", "January"]),
    "status": lambda i: RNG.choice(["open", "closed", "pending"]),
    "score": lambda i: str(RNG.randrange(100)),
    "hex_color": lambda i: f"#{RNG.getrandbits(24):06x}",
    "iso_week": lambda i: f"2024-W{i % 52 + 1:02}",
    "cents": lambda i: digits(9),
    "size": lambda i: f"{RNG.randrange(20, 50)}/{RNG.randrange(28, 36)}",
    "temp": lambda i: f"{RNG.uniform(-10, 40):.1f}",
}  # fmt: skip


def findings(columns: dict[str, list[str]], table: str = "warehouse/stock.csv") -> dict[str, list[tuple[str, float]]]:
    profiler = TableProfiler(scanner().engine.matcher, scanner().engine.names, table)
    profiler.add(pl.DataFrame(columns))
    profiler.finish()
    found: dict[str, list[tuple[str, float]]] = {}
    for column in scanner().table_report(Table(table, "csv"), profiler.total)[0].columns:
        found.setdefault(column.path, []).append((column.detector, column.confidence))
    return found


@pytest.mark.parametrize("rows", [12, 1000])
@pytest.mark.parametrize("opaque", [False, True])
def test_harmless_columns_stay_harmless(rows: int, opaque: bool) -> None:
    names = {name: f"c{i}" if opaque else name for i, name in enumerate(MAKERS)}
    found = findings({names[name]: [make(i) for i in range(rows)] for name, make in MAKERS.items()})
    back = {short: name for name, short in names.items()}
    assert {back[path]: what for path, what in found.items()} == {}


def test_harmless_columns_beside_people_stay_harmless() -> None:
    columns = {
        name: [make(i) for i in range(300)]
        for name, make in MAKERS.items()
        if name not in ("released", "store_city", "warehouse_lat", "warehouse_lon")
    }
    columns["customer_email"] = [f"user{i}@example.org" for i in range(300)]
    found = findings(columns, "crm/orders.csv")
    found.pop("customer_email")
    assert found == {}
