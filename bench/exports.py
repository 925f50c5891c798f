"""One measured piece of work in a process of its own, for stores.py: a scan, or a store's own export.

    python bench/exports.py JOB ADDRESS [MORE…]

Prints JSON: seconds and processor seconds without the interpreter's start-up and imports, and the rows. An export
throws away what it gets; it does no more than its name says.
"""

from __future__ import annotations

import functools
import http.client
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

PAGE = 10_000
Work = Callable[[], int]  # does the work, returns how many rows came, 0 where it cannot tell


def get(address: str, method: str = "GET", body: bytes | None = None) -> Iterator[memoryview]:
    """Send one request; yield the answer's bytes as they come."""
    where = urlsplit(address)
    client = http.client.HTTPConnection(where.netloc, timeout=300)
    client.request(method, f"{where.path}?{where.query}", body)
    answer = client.getresponse()
    if answer.status != 200:
        raise RuntimeError(f"status {answer.status}")
    buffer = memoryview(bytearray(1 << 20))
    while size := answer.readinto(buffer):
        yield buffer[:size]


def drain(address: str) -> Work:
    def work() -> int:
        for _ in get(address):
            pass
        return 0

    return work


def lines(address: str) -> Work:
    return lambda: sum(bytes(part).count(b"\n") for part in get(address))


# one function a store: the exports that are known to be quick


def command(*words: str) -> Work:
    """Run a program of the store's own whose output goes nowhere."""

    def work() -> int:
        subprocess.run(words, stdout=subprocess.DEVNULL, check=True)
        return 0

    return work


def scroll(address: str, *, decode: str) -> Work:
    """Scroll in the order in which documents lie; of the answers only `_source` is sent, and all JSON parsed."""
    import msgspec

    loads: Callable[[bytes], Any] = json.loads if decode == "json" else msgspec.json.decode
    where = urlsplit(address)
    client = http.client.HTTPConnection(where.netloc, timeout=300)

    def ask(path: str, body: dict[str, object]) -> Any:
        client.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
        return loads(client.getresponse().read())

    def work() -> int:
        wanted = "filter_path=_scroll_id,hits.hits._source"
        page = ask(f"{where.path}/_search?scroll=1m&{wanted}", {"size": PAGE, "sort": ["_doc"]})
        rows = 0
        while hits := page.get("hits", {}).get("hits"):
            rows += len(hits)
            page = ask(f"/_search/scroll?{wanted}", {"scroll": "1m", "scroll_id": page["_scroll_id"]})
        return rows

    return work


def cursor(address: str, *, decode: bool) -> Work:
    """Read by a cursor of raw batches, which is as quick as pymongo gets."""
    import bson
    import pymongo

    client: Any = pymongo.MongoClient(address, directConnection=True)

    def work() -> int:
        batches = client["shop"]["people"].find_raw_batches(batch_size=PAGE)
        return sum(len(bson.decode_all(batch)) for batch in batches) if decode else sum(1 for _ in batches) * 0

    return work


def hashes(address: str, parser: str = "") -> Work:
    """SCAN, and HGETALL of each page in one pipeline; `parser` is a folder that holds hiredis."""
    sys.path[:0] = [parser] if parser else []
    import redis

    client = redis.Redis.from_url(address)

    def work() -> int:
        at, rows = 0, 0
        while True:
            at, keys = client.scan(at, count=1_000)  # type: ignore[misc]
            pipeline = client.pipeline(transaction=False)
            for key in keys:
                pipeline.hgetall(key)
            rows += len(pipeline.execute())
            if at == 0:
                return rows

    return work


def documents(address: str) -> Work:
    return lambda: len(json.loads(b"".join(map(bytes, get(address))))["rows"])


def polars(address: str) -> Work:
    """Fetch one object and let Polars parse it: what a GET says nothing of."""
    import io

    import polars as pl

    return lambda: pl.read_csv(io.BytesIO(b"".join(map(bytes, get(address))))).height


def clickhouse(address: str, form: str) -> Work:
    return drain(f"{address}/?query={quote(f'SELECT * FROM shop.people FORMAT {form}')}")


# plainview


def source(address: str) -> Any:
    from plainview.stores import open_source
    from plainview.targets.parsing import parse_target

    return open_source(parse_target(address))


def read(address: str, *more: str) -> Work:
    """Read all with plainview's source, and look at nothing: shows what of a scan is reading."""
    from plainview.tables import ReadLog

    def work() -> int:
        opened, log = source(address), ReadLog()
        units = list(opened.units(log))
        rows = sum(b.frame.height for u in units for b in opened.read(u, log) if b.table.kind not in more)
        opened.close()
        if log.skipped:
            raise RuntimeError("not all was read")
        return rows

    return work


class Scan:
    """A whole scan by a scanner that was made ready before; keeps what the report says."""

    def __init__(self, address: str) -> None:
        from plainview.pipeline.scanner import Scanner

        start = time.perf_counter(), spent()
        self.address, self.scanner = address, Scanner()
        _ = self.scanner.engine  # waits until it is ready
        self.ready = time.perf_counter() - start[0], spent() - start[1]
        self.columns: dict[str, str] = {}

    def __call__(self) -> int:
        opened = source(self.address)
        found = self.scanner.scan_source(opened, self.address)
        opened.close()
        if found.coverage.skipped:
            raise RuntimeError(f"not all was read: {found.coverage.skipped[0].why}")
        self.columns = {c.path: c.category for t in found.tables for c in t.columns if c.confidence >= 0.5}
        return found.coverage.rows_read


JOBS: dict[str, Callable[..., Work]] = {
    "scan": Scan,
    "read": read,
    "command": command,
    "GET": drain,
    "GET and count lines": lines,
    "GET and Polars": polars,
    "scroll, msgspec": functools.partial(scroll, decode="msgspec"),
    "scroll, json": functools.partial(scroll, decode="json"),
    "raw batches": functools.partial(cursor, decode=False),
    "raw batches, decoded": functools.partial(cursor, decode=True),
    "SCAN and HGETALL": hashes,
    "FORMAT": clickhouse,
    "_all_docs": documents,
}


def spent() -> float:
    """Return the processor seconds of this process and the children that ended."""
    usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in usage)


def peak() -> int:
    """Return the most memory that this program held, in bytes; `ru_maxrss` would count the one that started it."""
    try:
        words = Path("/proc/self/status").read_text(encoding="ascii").partition("VmHWM:")[2].split()
    except OSError:  # no Linux
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(words[0]) * 1024


def main() -> None:
    job, *words = sys.argv[1:]
    work = JOBS[job](*words)
    cpu, start = spent(), time.perf_counter()
    rows = work()
    told: dict[str, object] = {"seconds": time.perf_counter() - start, "cpu": spent() - cpu, "rows": rows}
    told["memory"] = peak()
    told["ready"] = getattr(work, "ready", (0.0, 0.0))
    told["columns"] = getattr(work, "columns", {})
    print(json.dumps(told))
    sys.stdout.flush()
    os._exit(0)  # no time for what is only tidying up


if __name__ == "__main__":
    main()
