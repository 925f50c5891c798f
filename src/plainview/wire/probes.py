"""The declared requests: every byte that plainview sends to a store comes from one of these tables.

They stand in the `store.toml` of each kind of store, DATA only:

    [[probe]]
    id = "redis.type"                # kind, dot, name; a source sends by this id and in no other way
    stage = "read"                   # "access": the stranger's question; "read": reading what is inside
    command = ["TYPE", "<key>"]      # exactly one of: path, command, sql, document, message
    purpose = "which read a key needs"
    footprint = "counted in INFO commandstats"

* `method`, `path`, optional `headers` and `body`: an HTTP request. `<x>` in `path` is percent-encoded
  (`<x*>` leaves slashes), in `body` it becomes a JSON value.
* `command`: words of a line or RESP protocol; a word that is only `<x>` takes any bytes, `<x...>` several.
* `sql`: a statement; `<x>` takes SQL that the source has already quoted (identifiers) - never a value.
* `document`: a JSON text for document protocols (MongoDB); the text value `"<x>"` takes any object.
* `message`: names a message of a binary protocol that the code or the driver makes (a handshake).

`listing = true` allows a longer answer in the access stage; `stream = true` one of any length in the read
stage, for what is read piece by piece (an object, an export). `permit = "…"` needs that permission of the scope file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal
from urllib.parse import quote

from plainview.catalog import FILE, store_of, stores
from plainview.errors import StoreError

KINDS = ("path", "command", "sql", "document", "message")
KEYS = {"id", "stage", "purpose", "footprint", "method", "headers", "body", "listing", "stream", "permit", *KINDS}
# Word shape, so that `a < b` in SQL is left alone.
HOLE = re.compile(r"<([a-z_]+)(\*|\.\.\.)?>")


@dataclass(frozen=True, slots=True)
class Probe:
    """One declared request. Rendering raises ValueError for a parameter missing or too many."""

    id: str
    stage: Literal["access", "read"]
    purpose: str
    footprint: str
    method: str = ""
    path: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    command: tuple[str, ...] = ()
    sql: str = ""
    document: str = ""
    message: str = ""
    listing: bool = False
    stream: bool = False
    permit: str = ""

    @property
    def template(self) -> str:
        """The request as it is shown in reports and docs, with its holes."""
        if self.path:
            return f"{self.method} {self.path}" + (f" {self.body}" if self.body else "")
        return " ".join(self.command) or self.sql or self.document or self.message

    @property
    def holes(self) -> frozenset[str]:
        """Names of the parameters."""
        parts = (self.path, self.body, *self.command, self.sql, self.document, *self.headers.values())
        text = "\n".join(parts)
        return frozenset(found[1] for found in HOLE.finditer(text))

    def _check(self, given: Mapping[str, object]) -> None:
        if self.holes != given.keys():
            raise ValueError(f"probe {self.id} takes {sorted(self.holes)}, was given {sorted(given)}")

    def http(self, **params: object) -> tuple[str, str, dict[str, str], bytes | None]:
        """Return method, path with query, headers and body."""
        self._check(params)
        path = HOLE.sub(lambda m: quote(_text(params[m[1]]), safe="/" if m[2] else ""), self.path)
        headers = {k: HOLE.sub(lambda m: _header(params[m[1]]), v) for k, v in self.headers.items()}
        body = HOLE.sub(lambda m: json.dumps(params[m[1]]), self.body).encode() if self.body else None
        return self.method, path, headers, body

    def arguments(self, **params: Any) -> list[bytes]:
        """Return the words of a command."""
        self._check(params)
        words: list[bytes] = []
        for word in self.command:
            hole = HOLE.fullmatch(word)
            if hole and hole[2]:
                words.extend(_bytes(value) for value in params[hole[1]])
            else:
                words.append(_bytes(params[hole[1]]) if hole else word.encode())
        return words

    def statement(self, **params: str) -> str:
        """Return the SQL text; parameters are SQL already (quoted identifiers)."""
        self._check(params)
        return HOLE.sub(lambda m: params[m[1]], self.sql)

    def query(self, **params: object) -> dict[str, Any]:
        """Return the document of a document protocol, keys in the order of the table."""
        self._check(params)

        def fill(value: Any) -> Any:
            if isinstance(value, dict):
                return {key: fill(item) for key, item in value.items()}
            if isinstance(value, list):
                return [fill(item) for item in value]
            hole = HOLE.fullmatch(value) if isinstance(value, str) else None
            return params[hole[1]] if hole else value

        filled: dict[str, Any] = fill(json.loads(self.document))
        return filled


def _text(value: object) -> str | bytes:
    return value if isinstance(value, (str, bytes)) else str(value)


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def _header(value: object) -> str:
    text = str(value)
    if re.search(r"[\r\n\0]", text):
        raise ValueError("a line break in a header value")
    return text


def declared(store: str, items: Iterable[Mapping[str, Any]]) -> dict[str, Probe]:
    """Return the probes of one store by id, from the lists `[[probe]]` of its `store.toml`. Raises StoreError."""
    found: dict[str, Probe] = {}
    for item in items:
        probe_id = str(item.get("id"))
        problems = [unknown and f"unknown keys {sorted(unknown)}" for unknown in (item.keys() - KEYS,)] + [
            not re.fullmatch(rf"{store}\.[a-z0-9_]+|fingerprint\.{store}", probe_id) and "id is not kind.name",
            probe_id in found and "id twice",
            item.get("stage") not in ("access", "read") and "stage is access or read",
            sum(kind in item for kind in KINDS) != 1 and f"needs exactly one of {KINDS}",
            ("path" in item) != ("method" in item) and "path and method go together",
            not item.get("purpose") and "no purpose",
            not item.get("footprint") and "no footprint",
        ]
        if problem := next(filter(None, problems), None):
            raise StoreError(f"{FILE}: {probe_id}: {problem}")
        found[probe_id] = Probe(**{**item, "command": tuple(item.get("command", ()))})
    return found


@cache
def load(kind: str) -> Mapping[str, Probe]:
    """Return the probes of one kind of store by id, empty when there is none. Raises StoreError."""
    store = store_of(kind)
    return declared(kind, store.lists.get("probe", ())) if store else {}


def every() -> Iterator[Probe]:
    """Yield all probes of all stores."""
    for kind in stores():
        yield from load(kind).values()


def get(probe_id: str) -> Probe:
    """Return one probe. Raises KeyError for an id that no store declares."""
    kind, _, name = probe_id.partition(".")
    known = load(kind)
    if kind == "fingerprint" and probe_id not in known:
        known = load(name)
    return known[probe_id]
