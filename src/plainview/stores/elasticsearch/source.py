"""Elasticsearch and OpenSearch: every index and data stream, one table each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from plainview.errors import ProtocolError, ReadError, RefusedError
from plainview.stores.base import NetworkSource, Verdict
from plainview.stores.elasticsearch import access, answers
from plainview.stores.elasticsearch.counts import unrefreshed
from plainview.stores.elasticsearch.pages import Reading
from plainview.stores.elasticsearch.places import Place
from plainview.tables import Batch, ReadLog, Unit
from plainview.wire.authorization import dressed

if TYPE_CHECKING:
    from plainview.wire.http import Http

# Indices in which the product keeps its own users, hashes and tokens. They are named, and never read.
GUARDED = re.compile(
    r"\.security(-.*)?|\.opendistro_security|\.opensearch-security.*|\.plugins-security.*|\.searchguard.*"
    r"|\.kibana_security_session.*|\.fleet-secrets.*"
)
URL = 2_000  # characters of a list of names in a path
STREAM = re.compile(r"\.ds-(?P<stream>.+?)(-[0-9]{4}\.[0-9]{2}\.[0-9]{2})?-[0-9]{6,}")


class ElasticsearchSource(NetworkSource):
    """A unit is an index or a whole data stream. The address may name some: `…:9200/customers*,orders`."""

    kind = "elasticsearch"
    _tls: bool | None = None

    def ask(self, verdict: Verdict) -> None:
        """Ask what a stranger may do; a port that turns out to speak TLS is asked that way."""
        with closing(self.wire.http()) as http:
            try:
                access.ask(http, verdict, [name for name in self._patterns() if "*" not in name])
            finally:
                self._tls = http.tls

    def _patterns(self) -> list[str]:
        return [name for name in self.target.path.strip("/").split(",") if name]

    def client(self) -> Http:
        """Return a client of its own for a thread, with the credential where it is needed."""
        self.check_access()
        credential = self.credential
        return self.wire.http(tls=self._tls, credential=credential, dress=dressed(credential, keys=True))

    # -- listing --------------------------------------------------------------------------------------

    def pieces(self, log: ReadLog) -> Iterator[Unit]:
        """List data streams and indices; what is closed or guarded is reported."""
        with closing(self.client()) as http:
            indices = self._indices(http)
            streams, known = _streams(http, indices)
            off = unrefreshed(http)
        wanted = self._patterns()
        met: set[str] = set()
        together: dict[str, list[answers.Index]] = {}
        for index in indices:
            name = streams.get(index.name) or index.name
            asked = [p for p in wanted if fnmatchcase(name, p) or fnmatchcase(index.name, p)]
            met.update(asked)
            if asked or not wanted:
                together.setdefault(name, []).append(index)
        for pattern in wanted:
            if pattern not in met and "*" not in pattern:  # an alias, or an index that is not listed
                together[pattern] = [answers.Index(pattern)]
            elif pattern not in met:
                log.skip(pattern, "no index has such a name")
        for name, parts in together.items():
            if GUARDED.fullmatch(name):
                log.listed(rows=parts[0].docs or 0)
                log.skip(name, "not read: the store keeps its own users, password hashes or tokens in it")
                continue
            place = self._place(name, parts, known, log)
            place = replace(place, unrefreshed=any(part.name in off for part in parts))
            yield Unit(name, size=place.size, rows=place.docs, locator=place)

    def _place(self, name: str, parts: list[answers.Index], known: set[str], log: ReadLog) -> Place:
        """Return what to read for an index, or for the parts of a data stream."""
        stream = parts[0].name != name
        closed = [part for part in parts if part.closed]
        if closed and stream:
            log.skip(name, f"{len(closed)} of {len(parts)} parts of the data stream are closed")
        product = (self.check_access().product or "Elasticsearch").lower()
        return Place(
            name=name,
            expression=name if not stream or (name in known and not closed) else _parts(name, parts),
            kind=f"{product} {'data stream' if stream else 'index'}",
            docs=_sum(part.docs for part in parts),
            size=_sum(part.size for part in parts),
            closed=len(closed) == len(parts),
            deleted=_sum(part.deleted for part in parts),
            shards=_sum(part.shards for part in parts) or 0,
            buffered=_sum(part.buffered for part in parts) or 0,
        )

    def _indices(self, http: Http) -> list[answers.Index]:
        reply = http.ask("elasticsearch.list")
        if reply.status == 400:
            reply = http.ask("elasticsearch.list_old")
        if reply.status == 401:
            raise RefusedError(self._not_accepted())
        if reply.ok:
            return answers.parse_indices(reply.json())
        if reply.status != 403:
            raise ProtocolError(f"the list of indices was answered with {reply.status}")
        reply = http.ask("elasticsearch.names")
        if reply.ok and (found := answers.parse_health(reply.json())):
            return found
        if found := _shown(http):
            return found
        if named := [name for name in self._patterns() if "*" not in name]:
            return [answers.Index(name) for name in named]
        raise RefusedError("the list of indices was refused (403)", hint="docs/stores/elasticsearch.md has a role")

    def _not_accepted(self) -> str:
        credential = self.credential
        return f"the credential was not accepted ({credential.origin})" if credential else "refused (401)"

    # -- reading --------------------------------------------------------------------------------------

    def rows(self, unit: Unit, log: ReadLog, sample: int | None) -> Iterator[Batch]:
        """Yield the documents of an index or data stream. `sample`: drawn by the server's random_score."""
        place = unit.locator
        if not isinstance(place, Place):
            raise ReadError("not a unit of this source")
        with closing(self.client()) as http:
            yield from Reading(http, place, log, self.limits, sample).batches()


def _streams(http: Http, indices: list[answers.Index]) -> tuple[dict[str, str], set[str]]:
    """Return the data stream of each backing index, and those streams that the server itself names.

    Where it does not say (an old version, a user with few rights), the name of the index does.
    """
    backing = [index.name for index in indices if index.hidden]
    found = {name: by_name["stream"] for name in backing if (by_name := STREAM.fullmatch(name))}
    known: set[str] = set()
    if not found:
        return found, known
    reply = http.ask("elasticsearch.resolve")
    answer: Any = reply.json() if reply.ok else {}
    streams = answer.get("data_streams") if isinstance(answer, dict) else ()
    for stream in streams if isinstance(streams, list) else ():
        if isinstance(stream, dict) and isinstance(stream.get("name"), str):
            parts = stream.get("backing_indices")
            found |= {str(part): stream["name"] for part in (parts if isinstance(parts, list) else [parts])}
            known.add(stream["name"])
    return found, known


def _shown(http: Http) -> list[answers.Index]:
    """Return the indices that a user who may not list them all may read."""
    reply = http.ask("elasticsearch.resolve")
    answer: Any = reply.json() if reply.ok else {}
    names = answer.get("indices") if isinstance(answer, dict) else ()
    items = [item.get("name") for item in names if isinstance(item, dict)] if isinstance(names, list) else []
    return [answers.Index(name) for name in items if isinstance(name, str) and name]


def _parts(stream: str, parts: list[answers.Index]) -> str:
    """Return what to search for a stream that the server does not know as one: its parts."""
    names = ",".join(part.name for part in parts if not part.closed)
    return names if len(names) < URL else f".ds-{stream}-*"


def _sum(counts: Iterator[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


__all__ = ["ElasticsearchSource"]
