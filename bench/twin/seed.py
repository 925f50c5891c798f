"""Fill a real server of the tests, on loopback, with the invented city; one command, always stopped."""

from __future__ import annotations

import contextlib
import itertools
import json
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from city import City
from indices import INDICES
from make import documents

PART = 5_000


def elasticsearch(server: Any, city: City) -> None:
    """Make the indices and fill them; JSON is sent as Python writes it."""
    one = {"number_of_shards": 1, "number_of_replicas": 0, "refresh_interval": "-1"}
    for index in INDICES:
        name = quote(index.name)
        server.call("PUT", f"/{name}", {"settings": one, "mappings": {"dynamic": "false"}})
        docs = documents(city, index)
        while part := list(itertools.islice(docs, PART)):
            body = "".join('{"index":{}}\n' + json.dumps(doc, ensure_ascii=False) + "\n" for doc in part)
            request = urllib.request.Request(f"http://127.0.0.1:{server.port}/{name}/_bulk", body.encode())
            request.add_header("Content-Type", "application/x-ndjson")
            with urllib.request.urlopen(request, timeout=120) as answer:
                if json.load(answer)["errors"]:
                    raise RuntimeError(f"documents of {index.name} were refused")
        server.call("POST", f"/{name}/_refresh")


def postgresql(server: Any, city: City) -> None:
    """Make a table for each index: a column for each field, what is nested as JSON."""
    with server.admin() as admin:
        for index in INDICES:
            docs = documents(city, index)
            first = next(docs)
            columns = ", ".join(f'"{name}" {_type(value)}' for name, value in first.items())
            admin.execute(f'CREATE TABLE "{index.name}" ({columns})')
            with admin.cursor().copy(f'COPY "{index.name}" FROM STDIN') as copy:
                for doc in itertools.chain([first], docs):
                    copy.write_row([json.dumps(v) if isinstance(v, dict | list) else v for v in doc.values()])


def _type(value: object) -> str:
    kinds = {int: "bigint", float: "double precision", dict: "jsonb", list: "jsonb"}
    return kinds.get(type(value), "text")


@contextlib.contextmanager
def filled(kind: str, city: City) -> Iterator[Any]:
    """Start a server of the tests that holds the city instead of its own seed."""
    from tests.servers import SERVERS

    cls: Any = SERVERS[{"elasticsearch": "elasticsearch8", "postgresql": "postgresql"}[kind]]
    fill = {"elasticsearch": elasticsearch, "postgresql": postgresql}[kind]
    server = type(cls.__name__, (cls,), {"seed": lambda self: fill(self, city), "write": lambda *_: None})("open")
    if reason := server.available():
        raise SystemExit(f"no server: {reason}")
    with server:
        yield server


__all__ = ["filled"]
