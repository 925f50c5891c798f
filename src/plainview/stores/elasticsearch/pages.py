"""The documents of one index or data stream, page by page, as frames.

A small index comes in one search. A large one is scrolled in the order in which the documents lie, which every
version knows, and which costs the server less than points in time, slices or `filter_path` (measured: docs). While
a page is parsed, the next is fetched: server and client work side by side. A scroll is ended when it was read or
the reading breaks off: a server keeps only so many, and applications need them.
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
import polars as pl

from plainview.documents.json_lines import JsonLines
from plainview.errors import DeniedError, LimitError, PlainviewError, ProtocolError, ReadError
from plainview.possessive import compile_possessive
from plainview.stores.elasticsearch.counts import unseen
from plainview.stores.elasticsearch.places import Place
from plainview.stores.shared.paging import EndlessError, Paging
from plainview.tables import Batch, Limits, ReadLog, Table
from plainview.tables.ahead import ahead

if TYPE_CHECKING:
    from plainview.wire.http import Http, Reply

MOST = 10_000  # documents of one page: more than any server gives by default
FEWEST = 20
LESS = 1_000  # asked for where an index allows smaller pages than usual
PAGE = 8 << 20  # bytes that a page aims at
SWELL = 4  # JSON as it is sent, against its size on the disk of the server
RETRIES = (1.0, 4.0, 10.0)  # seconds to wait when the server says that it is busy
OWN_IDS = compile_possessive(r"(?:[A-Za-z0-9_-]{20}\n)*+[A-Za-z0-9_-]{20}")  # ids that the server made
SCROLL = re.compile(r"(?!_all)[A-Za-z0-9+/=_-]{8,65536}")  # "_all" would end the searches of others


class Hit(msgspec.Struct):
    """One document, its JSON untouched."""

    source: msgspec.Raw = msgspec.field(name="_source", default=msgspec.Raw(b""))
    id: str = msgspec.field(name="_id", default="")


class _Total(msgspec.Struct):
    value: int = 0


class _Hits(msgspec.Struct):
    hits: list[Hit] = []
    total: int | _Total | None = None


class _Shards(msgspec.Struct):
    failed: int = 0
    total: int = 0


class Page(msgspec.Struct):
    """One answer to a search."""

    scroll_id: str | None = msgspec.field(name="_scroll_id", default=None)
    timed_out: bool = False
    shards: _Shards = msgspec.field(name="_shards", default_factory=_Shards)
    hits: _Hits = msgspec.field(default_factory=_Hits)
    size: int = 0  # bytes, set by us

    @property
    def total(self) -> int | None:
        """Return how many documents the server says match."""
        total = self.hits.total
        return total.value if isinstance(total, _Total) else total


@dataclass(slots=True)
class Reading:
    """The reading of one place over one client."""

    http: Http
    place: Place
    log: ReadLog
    limits: Limits
    sample: int | None = None
    read: int = 0
    without_source: int = 0
    failed_shards: int = 0
    drawn: str = ""  # how the server draws a sample

    def batches(self) -> Iterator[Batch]:
        """Yield all frames. Raises at the end when not everything came."""
        name = self.place.name
        if self.place.closed:
            self.log.listed(rows=self.place.docs or 0)
            self.log.skip(name, "closed: its documents cannot be read until somebody opens it, only field names")
            yield self._field_names()
            return
        lines = JsonLines(limits=self.limits, log=self.log, name=name, unit="document")
        total: int | None = None
        for page in ahead(self._pages()):
            self.log.read(page.size)
            if total is None:
                total = page.total or 0
                self.log.listed(rows=total)
            self._check(page)
            if (frame := self._frame(page, lines)) is not None:
                yield Batch(self._table(), frame)
        lines.finish()
        yield from self._end(total or 0)

    def _table(self) -> Table:
        table = Table(self.place.name, self.place.kind)
        return table.drawn(self.drawn) if self.drawn else table

    def _end(self, total: int) -> Iterator[Batch]:
        """Tell what is missing."""
        name = self.place.name
        if self.without_source:
            why = "its documents are not kept (_source is disabled): only field names could be looked at"
            self.log.skip(name, f"{self.without_source:,} documents: {why}")
        if not self.read:
            yield self._field_names()
        wanted = total if self.sample is None else min(total, self.sample)
        came = self.read + self.without_source
        if self.failed_shards:
            self.log.skip(name, f"{self.failed_shards} shards gave no answer: {came:,} of {wanted:,} documents came")
        elif came < wanted:
            raise ReadError(f"{came:,} of {wanted:,} documents came")
        elif missing := unseen(self.http, self.place, total):
            self.log.skip(name, missing)

    def _check(self, page: Page) -> None:
        self.failed_shards = max(self.failed_shards, page.shards.failed)
        if page.timed_out:
            self.log.skip(self.place.name, "the server ended a search half-way: part of a page is missing")

    def _frame(self, page: Page, lines: JsonLines) -> pl.DataFrame | None:
        """Return the documents of a page; their bytes go to the JSON reader as they are."""
        hits = page.hits.hits
        kept = [hit for hit in hits if len(memoryview(hit.source)) > 0]
        self.without_source += len(hits) - len(kept)
        if not kept:
            return None
        frame = lines.read(b"\n".join([hit.source for hit in kept]) + b"\n")
        self.read += len(kept)
        ids = [hit.id for hit in kept]
        # Ids that the server made hold nothing; others may be e-mail addresses.
        if frame.height == len(ids) and not OWN_IDS.fullmatch("\n".join(ids)):
            frame = frame.with_columns(pl.Series("_id", ids))
        return frame

    # -- pages ----------------------------------------------------------------------------------------

    def _pages(self) -> Generator[Page]:
        """Yield the answers; the first holds the total. Runs in a thread of its own."""
        size = self._page_size()
        few = self.place.docs is not None and self.place.docs <= size
        if self.sample is not None and not (few and (self.place.docs or 0) <= self.sample):
            self.drawn = "drawn by the server (random_score)"
            yield from self._drawn(self.sample, size)
            return
        if few:
            page = self._first("elasticsearch.search", size)
            if (page.total or 0) <= len(page.hits.hits) or page.shards.failed:
                yield page
                return
        yield from self._scrolled("elasticsearch.scroll", size)

    def _page_size(self) -> int:
        if not self.place.docs or self.place.size is None:
            return LESS
        each = max(1.0, self.place.size / self.place.docs * SWELL)
        return max(FEWEST, min(MOST, int(PAGE / each)))

    def _drawn(self, wanted: int, size: int) -> Generator[Page]:
        if wanted <= size:
            yield self._first("elasticsearch.sample", wanted)
            return
        left = wanted
        with contextlib.closing(self._scrolled("elasticsearch.sample_scroll", size)) as drawn:
            for page in drawn:
                page.hits.hits = page.hits.hits[:left]
                left -= len(page.hits.hits)
                yield page
                if not left:
                    return

    def _scrolled(self, probe: str, size: int) -> Generator[Page]:
        page = self._first(probe, size)
        scroll = page.scroll_id or ""
        if not SCROLL.fullmatch(scroll):
            raise ProtocolError("a scroll without an id")
        total = page.total or 0
        came = 0
        walk = Paging(self.http.wire, "the pages of the search do", said=total, size=size)
        try:
            while True:
                ids = tuple(hit.id for hit in page.hits.hits)
                if walk.page(len(ids), same=ids, received=page.size) or not ids:
                    came += len(ids)
                    yield page
                if came > total:  # of a scroll they are all that there were when it began
                    raise EndlessError(f"the pages of the search do not come to an end: {came:,} of {total:,} came")
                if came == total or not ids:
                    return
                page = self._ask("elasticsearch.next", scroll=scroll)
                if page.scroll_id and SCROLL.fullmatch(page.scroll_id):
                    scroll = page.scroll_id
        finally:
            with contextlib.suppress(PlainviewError):  # then the server lets go of it by itself, a minute later
                self.http.ask("elasticsearch.free", scroll=scroll)

    def _first(self, probe: str, size: int) -> Page:
        reply, page = self._try(probe, index=self.place.expression, size=size)
        if page is None and reply.status == 400 and size > LESS:  # an index may allow less than others
            reply, page = self._try(probe, index=self.place.expression, size=LESS)
        if page is None:
            raise _refusal(reply)
        return page

    def _ask(self, probe: str, **params: object) -> Page:
        reply, page = self._try(probe, **params)
        if page is None:
            raise _refusal(reply)
        return page

    def _try(self, probe: str, **params: object) -> tuple[Reply, Page | None]:
        """Send a search; wait and ask again while the server is too busy (429)."""
        for wait in (*RETRIES, 0.0):
            reply = self.http.ask(probe, **params)
            if reply.status != 429 or not wait:
                break
            time.sleep(wait)
        return reply, _page(reply) if reply.ok else None

    # -- names only -----------------------------------------------------------------------------------

    def _field_names(self) -> Batch:
        """Return a frame without rows whose columns are the fields of the mapping."""
        reply = self.http.ask("elasticsearch.mapping", index=self.place.expression)
        paths: dict[str, None] = {}
        if reply.ok:
            answer = reply.json()
            for about in answer.values() if isinstance(answer, dict) else ():
                _fields(about.get("mappings") if isinstance(about, dict) else None, paths, self.limits.columns)
        else:
            self.log.skip(self.place.name, f"its field names were refused ({reply.status})")
        return Batch(self._table(), pl.DataFrame(schema=dict.fromkeys(paths, pl.String)))


def _page(reply: Reply) -> Page:
    """Return an answer to a search. Raises ProtocolError."""
    page = reply.shaped(Page, "a search was answered with something else than a page of documents")
    page.size = len(reply.body)
    return page


def _refusal(reply: Reply) -> PlainviewError:
    if reply.status in (401, 403):
        return DeniedError(f"no permission to read it ({reply.status})")
    if reply.status == 404:
        return ReadError("it vanished, or the server ended the search, while it was read (404)")
    if reply.status == 429:
        return LimitError("the server is too busy (429)", hint="try again when it has less to do")
    return ReadError(f"a search was answered with {reply.status}")


def _fields(mappings: Any, paths: dict[str, None], most: int) -> None:
    """Collect the paths of a mapping, of old versions (with document types) too; without recursion."""
    if not isinstance(mappings, dict):
        return
    if "properties" not in mappings:
        kinds = [kind for kind in mappings.values() if isinstance(kind, dict) and "properties" in kind]
        todo = [("", kind["properties"]) for kind in kinds]
    else:
        todo = [("", mappings["properties"])]
    while todo and len(paths) < most:
        prefix, properties = todo.pop()
        for name, about in properties.items() if isinstance(properties, dict) else ():
            path = f"{prefix}{name}"
            if isinstance(about, dict) and isinstance(about.get("properties"), dict):
                todo.append((f"{path}.", about["properties"]))
            else:
                paths[path] = None


__all__ = ["Page", "Place", "Reading"]
