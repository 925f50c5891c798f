#!/usr/bin/env python3
"""Measure a scan of real stores against each store's own fastest export, and write STORES.md.

    .venv/bin/python bench/stores.py                          every store, 1,000,000 rows each
    .venv/bin/python bench/stores.py redis clickhouse --rows 200000 --times 5

The servers are those of the tests (`tests/servers`), on loopback, one at a time, filled with invented people
(make_data.py). Scan and exports run in turn, each in a process of its own; the least of the runs counts.
Figures are kept in .bench/stores.json, so that stores may be measured one by one.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path.insert(0, str(ROOT))

import polars as pl  # noqa: E402

from make_data import frame  # noqa: E402
from measure import run  # noqa: E402
from stores_table import write  # noqa: E402

RIGHT = {
    "name": "person_name",
    "email": "email_address",
    "phone": "telephone_number",
    "iban": "bank_account",
    "card": "payment_card",
    "address": "postal_address",
    "ip": "ip_address",
}
PART = 20_000


@dataclass(slots=True)
class Store:
    """How to fill one server, and what to run on it. Jobs are the words after `exports.py`."""

    module: str
    server: str
    fill: Callable[[Any, pl.DataFrame], None]
    jobs: Callable[[Any], dict[str, list[str]]]  # the first is what the ratio is to, if it is the quickest
    suffix: str = ""
    login: str = ""
    most: int = 1_000_000  # rows: some servers take too long to fill
    extra: frozenset[str] = field(default=frozenset())  # jobs that are no plain export: shown, not compared with


# -- filling ------------------------------------------------------------------------------------------------


def fill_redis(server: Any, data: pl.DataFrame) -> None:
    """Write a hash for each row, in the protocol's own words."""
    words: list[pl.Expr] = [pl.lit("HSET"), pl.format("customer:{}", "id")]
    for name in data.columns:
        words += [pl.lit(name), pl.col(name).cast(pl.String)]
    texts = [f"w{n}" for n in range(len(words))]
    form = f"*{len(words)}\r\n" + "${}\r\n{}\r\n" * len(words)
    with subprocess.Popen(
        ["redis-cli", "-p", str(server.port), "--pipe"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
    ) as pipe:
        assert pipe.stdin
        for part in data.iter_slices(PART):
            row = part.select(word.alias(text) for word, text in zip(words, texts, strict=True))
            pairs = [x for text in texts for x in (pl.col(text).str.len_bytes(), pl.col(text))]
            pipe.stdin.write("".join(row.select(pl.format(form, *pairs)).to_series()).encode())
        pipe.stdin.close()
        if pipe.wait():
            raise RuntimeError("redis-cli failed")


def fill_postgresql(server: Any, data: pl.DataFrame) -> None:
    with server.admin() as admin:
        admin.execute(
            "CREATE TABLE people (id bigint PRIMARY KEY, name text, email text, phone text, iban text, card text,"
            " address text, ip inet, total numeric(10,2), note text)"
        )
        with admin.cursor().copy("COPY people FROM STDIN (FORMAT csv, HEADER)") as copy:
            for part in data.iter_slices(PART):
                copy.write(
                    part.write_csv(include_header=True).partition("\n")[2] if part["id"][0] > 1 else part.write_csv()
                )
        admin.execute("VACUUM (ANALYZE, FREEZE) people")


def fill_elasticsearch(server: Any, data: pl.DataFrame) -> None:
    one = {"number_of_shards": 1, "number_of_replicas": 0, "refresh_interval": "-1"}
    server.call("PUT", "/people", {"settings": one, "mappings": {"dynamic": "false"}})
    for part in data.iter_slices(PART):
        body = '{"index":{}}\n' + part.write_ndjson().rstrip("\n").replace("\n", '\n{"index":{}}\n') + "\n"
        _send("POST", f"http://127.0.0.1:{server.port}/people/_bulk", body.encode(), "application/x-ndjson")
    server.call("POST", "/people/_forcemerge?max_num_segments=5")
    server.call("POST", "/people/_refresh")


def fill_mongodb(server: Any, data: pl.DataFrame) -> None:
    with server.client() as client:
        for part in data.iter_slices(PART):
            client["shop"]["people"].insert_many(part.to_dicts(), ordered=False)


def fill_clickhouse(server: Any, data: pl.DataFrame) -> None:
    server.query("CREATE DATABASE shop")
    columns = ", ".join(f"{name} {'UInt64' if name == 'id' else 'String'}" for name in data.columns)
    server.query(f"CREATE TABLE shop.people ({columns}) ENGINE = MergeTree ORDER BY id")
    where = f"http://127.0.0.1:{server.port}/?user=admin&password={_secret()}"
    for part in data.iter_slices(20 * PART):
        _send("POST", f"{where}&query=INSERT+INTO+shop.people+FORMAT+CSVWithNames", part.write_csv().encode())
    with contextlib.suppress(TimeoutError):  # one part, as an idle server has it
        server.query("OPTIMIZE TABLE shop.people FINAL")


def fill_s3(server: Any, data: pl.DataFrame) -> None:
    server.put("people.csv", data.write_csv().encode())


def fill_couchdb(server: Any, data: pl.DataFrame) -> None:
    server.call("PUT", "/people")
    for part in data.iter_slices(2_000):
        rows = [{"_id": f"{row['id']:08}", **row} for row in part.to_dicts()]
        server.call("POST", "/people/_bulk_docs", {"docs": rows})


def fill_mysql(server: Any, data: pl.DataFrame) -> None:
    columns = ", ".join(f"{name} {'bigint PRIMARY KEY' if name == 'id' else 'varchar(255)'}" for name in data.columns)
    path = server.data / "people.csv"
    data.write_csv(path)
    with server.admin(local_infile=True) as admin, admin.cursor() as cursor:
        cursor.execute("CREATE DATABASE shop CHARACTER SET utf8mb4")
        cursor.execute(f"CREATE TABLE shop.people ({columns})")
        how = "CHARACTER SET utf8mb4 FIELDS TERMINATED BY ',' OPTIONALLY ENCLOSED BY '\"' IGNORE 1 LINES"
        cursor.execute(f"LOAD DATA LOCAL INFILE '{path}' INTO TABLE shop.people {how}")
        cursor.execute("CREATE USER auditor@'127.0.0.1' IDENTIFIED BY 'auditor'")
        cursor.execute("GRANT SELECT ON shop.* TO auditor@'127.0.0.1'")
        cursor.execute("ANALYZE TABLE shop.people")
    path.unlink()


def _send(method: str, address: str, body: bytes, kind: str = "application/octet-stream") -> None:
    request = urllib.request.Request(address, body, {"Content-Type": kind}, method=method)
    with urllib.request.urlopen(request, timeout=300) as answer:
        answer.read()


def _secret() -> str:
    from tests.servers.base import SECRET

    return SECRET


# -- stores -------------------------------------------------------------------------------------------------


def _psql(server: Any) -> dict[str, list[str]]:
    words = ["command", "psql", "-h", "127.0.0.1", "-p", str(server.port), "-U", "postgres", "-c"]
    return {"psql, COPY TO STDOUT": [*words, "COPY people TO STDOUT"]}


def _mysqldump(server: Any) -> dict[str, list[str]]:
    words = ["command", "mysqldump", "-h", "127.0.0.1", "-P", str(server.port), "-u", "root", "--quick"]
    return {"mysqldump": [*words, "--skip-lock-tables", "--single-transaction", "shop", "people"]}


def _object(server: Any) -> dict[str, list[str]]:
    where = f"http://127.0.0.1:{server.port}/exports/people.csv"
    return {"object GET": ["GET", where], "object GET, then Polars `read_csv`": ["GET and Polars", where]}


def _all_docs(server: Any) -> dict[str, list[str]]:
    return {"_all_docs, json": ["_all_docs", f"http://127.0.0.1:{server.port}/people/_all_docs?include_docs=true"]}


def _scrolls(server: Any) -> dict[str, list[str]]:
    where = f"http://127.0.0.1:{server.port}/people"
    return {"scroll by _doc, msgspec": ["scroll, msgspec", where], "scroll by _doc, json": ["scroll, json", where]}


def _formats(server: Any) -> dict[str, list[str]]:
    where = f"http://127.0.0.1:{server.port}"
    return {f"FORMAT {name} by HTTP": ["FORMAT", where, name] for name in ("Native", "TabSeparated")}


def _cursors(server: Any) -> dict[str, list[str]]:
    return {
        "raw batches, not decoded": ["raw batches", server.url],
        "raw batches, BSON decoded": ["raw batches, decoded", server.url],
    }


def _hashes(server: Any) -> dict[str, list[str]]:
    from tests.servers.base import wheel

    words = ["SCAN and HGETALL", server.url]
    return {"redis-py with hiredis": [*words, str(wheel("hiredis==3.5.0"))], "redis-py, SCAN + HGETALL": words}


STORES = {
    "redis": Store("redis_like", "Redis", fill_redis, _hashes),
    "postgresql": Store("postgres", "Postgres15", fill_postgresql, _psql),
    "clickhouse": Store("clickhouse", "Clickhouse", fill_clickhouse, _formats, suffix="/shop"),
    "s3": Store("objects", "SeaweedFS", fill_s3, _object, extra=frozenset({"object GET, then Polars `read_csv`"})),
    "mongodb": Store("mongo", "Secantus", fill_mongodb, _cursors, most=200_000),
    "mysql": Store("mariadb", "MariaDB", fill_mysql, _mysqldump, login="auditor:auditor@"),
    "elasticsearch": Store("elastic", "Elasticsearch8", fill_elasticsearch, _scrolls, suffix="/people"),
    "couchdb": Store("couch", "PouchDB", fill_couchdb, _all_docs, suffix="/people", most=50_000),
}


@contextlib.contextmanager
def filled(store: Store, data: pl.DataFrame) -> Iterator[Any]:
    """Start a server of the tests with our rows instead of its own."""
    from importlib import import_module

    cls: Any = getattr(import_module(f"tests.servers.{store.module}"), store.server)

    def command(self: Any) -> list[str]:
        large = {"-master.volumeSizeLimitMB=64": "-master.volumeSizeLimitMB=1024"}
        return [large.get(word, word) for word in cls.command(self)]

    made = {"command": command, "seed": lambda self: store.fill(self, data), "write": lambda *_: None}
    server = type(cls.__name__, (cls,), made)("open")
    if reason := server.available():
        raise RuntimeError(reason)
    with server:
        yield server


def served(process: int) -> float:
    """Return the processor seconds of a server: of its process, and of all below it, dead or alive."""
    parents: dict[int, tuple[int, int]] = {}
    for about in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            words = about.read_text(encoding="utf-8", errors="replace").rpartition(") ")[2].split()
            parents[int(about.parent.name)] = int(words[1]), sum(map(int, words[11:15]))
    family, ticks = {process}, parents[process][1]
    while more := {child for child, (parent, _) in parents.items() if parent in family} - family:
        family |= more
        ticks += sum(parents[child][1] for child in more)
    return float(ticks) / os.sysconf("SC_CLK_TCK")


def measure(name: str, rows: int, times: int) -> dict[str, Any]:
    """Measure one store; return its line."""
    store = STORES[name]
    data = frame(min(rows, store.most))
    start = time.monotonic()
    with filled(store, data) as server:
        print(f"{name}: {data.height:,} rows in {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)
        address = server.url.replace("://", f"://{store.login}") + store.suffix
        jobs = {"scan": ["scan", address], **store.jobs(server), "read": ["read", address]}
        seen: dict[str, list[dict[str, Any]]] = {job: [] for job in jobs}
        loads = [os.getloadavg()[0]]
        for _ in range(times):
            for job, words in jobs.items():
                before = served(server.process.pid)
                done = run([sys.executable, HERE / "exports.py", *words])
                seen[job].append({**json.loads(done.output), "served": served(server.process.pid) - before})
            loads.append(os.getloadavg()[0])
        version = getattr(server, "version", "")
    line: dict[str, Any] = {"store": name, "server": store.server, "version": version, "rows": data.height}
    line["load"], line["times"], line["extra"] = max(loads), times, sorted(store.extra)
    line["ready"] = min(r["ready"] for r in seen["scan"])
    line["jobs"] = {
        job: {**{what: min(r[what] for r in runs) for what in ("seconds", "cpu", "served")},
              "memory": max(r["memory"] for r in runs), "rows": runs[0]["rows"]}
        for job, runs in seen.items()
    }  # fmt: skip
    columns = seen["scan"][0]["columns"]
    line["right"] = sum(columns.get(column) == category for column, category in RIGHT.items())
    line["false"] = len(columns.keys() - RIGHT.keys())
    if line["jobs"]["scan"]["rows"] != data.height:
        raise RuntimeError(f"{line['jobs']['scan']['rows']} of {data.height} rows were scanned")
    return line


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stores", nargs="*", metavar="STORE", help=", ".join(STORES))
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--times", type=int, default=3)
    args = parser.parse_args()
    if unknown := set(args.stores) - STORES.keys():
        parser.error(f"no such store: {', '.join(sorted(unknown))}")
    kept_at = ROOT / ".bench" / "stores.json"
    kept_at.parent.mkdir(exist_ok=True)
    kept = json.loads(kept_at.read_text()) if kept_at.exists() else {}
    for name in args.stores or STORES:
        try:
            kept[name] = measure(name, args.rows, args.times)
        except (RuntimeError, ImportError, OSError) as error:
            print(f"{name}: not measured: {error}", file=sys.stderr)
            continue
        kept[name]["command"] = f"python bench/stores.py {name} --rows {args.rows} --times {args.times}"
        kept_at.write_text(json.dumps(kept, indent=1))
        print(json.dumps(kept[name]), file=sys.stderr, flush=True)
    write(HERE / "STORES.md", [kept[name] for name in STORES if name in kept])


if __name__ == "__main__":
    main()
