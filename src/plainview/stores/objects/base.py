"""What the stores of objects share: the stranger's question, listing in pages, and objects read as files.

A store subclasses `ObjectSource`, writes `ask`, `page` and `params`, and declares the probes `KIND.head`,
`KIND.get` and `KIND.range` (whose `Range` header has the holes `first` and `last`). Each object is a unit.
"""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, cast

import msgspec

from plainview.errors import PlainviewError, ProtocolError
from plainview.files.kinds.identify import HEAD, identify
from plainview.files.packed.packed import bare_name
from plainview.files.packed.streams import Meter
from plainview.files.reading import Counter, read_input
from plainview.stores.base import NetworkSource, Verdict
from plainview.stores.objects.input import Fetcher, look_at, refusal
from plainview.stores.objects.names import size_of, trouble
from plainview.stores.shared.paging import Paging
from plainview.stores.shared.prior_access import Named, prior_access
from plainview.tables import MIB, Batch, Deadline, ReadLog, Unit
from plainview.wire.http import Http, Reply

if TYPE_CHECKING:
    from plainview.report.model import Exposure, RightsBasis
    from plainview.wire.authorization import Draft, Reveal
    from plainview.wire.body import Body

OBJECTS = 1_000_000  # of one target
PAGE = 8 * MIB  # bytes of one page of a listing
DAY = 86_400.0
TRIED = 5  # objects whose head a stranger asks for
NOT_TRIED = "writing: never tried"
UNSETTLED = frozenset({("auth_required", "proved"), ("reads", "probable")})
BY_NAME = "objects by their names: a name that is not known cannot be asked for"


@dataclass(frozen=True, slots=True)
class Object:
    """One object. `key` is what the store calls it, `name` what the report does; `why` it is not asked for, if so."""

    key: str | bytes
    name: str
    size: int | None = None
    why: str = ""


Page = tuple[list[Object], str]  # and the mark of the next page, empty at the end


class ObjectHttp(Http):
    """An HTTP client that leaves the usual port out of the Host header, which is signed as it is sent."""

    @property
    def host(self) -> str:
        """Return what the Host header says."""
        target = self.wire.target
        usual = target.port == (443 if self.tls else 80)
        return target.address.removesuffix(f":{target.port}") if usual else target.address


class ObjectSource(NetworkSource):
    """Base of the stores of objects."""

    basis: RightsBasis = "unknown"  # how the rights of a stranger who reads are known
    prefix = ""  # below which the objects lie, without a slash at its end
    _tls: bool | None = None
    _listed = False  # a stranger may list
    _single: Object | None = None  # the target is this one object

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._idle: list[Http] = []
        self._lock = threading.Lock()
        # A unit uses two connections at most, the listing one.
        self._slots = threading.BoundedSemaphore(max(1, (self.wire.limits.connections - 1) // 2))

    # -- to be written by each store ------------------------------------------------------------------

    def page(self, http: Http, mark: str) -> Page:
        """Return one page of the objects below the prefix; `mark` is empty for the first."""
        raise NotImplementedError

    def params(self, thing: Object) -> dict[str, object]:
        """Return the parameters that name an object in the probes."""
        raise NotImplementedError

    def dress(self, draft: Draft, reveal: Reveal) -> Draft:
        """Return the request with the credential in it; called only where there is one."""
        raise NotImplementedError

    @property
    def _below(self) -> str:
        return f"{self.prefix}/" if self.prefix else ""

    def thing(self, key: str, size: int | None) -> Object:
        """Return an object; its name is its path below the prefix."""
        name = key.removeprefix(self._below) if key != self.prefix else key.rpartition("/")[2]
        return Object(key, name, size, trouble(key))

    def one(self, http: Http, key: str) -> Object | None:
        """Return the object that the whole target names, if its head is given."""
        thing = self.thing(key, None)
        reply = http.ask(f"{self.kind}.head", **self.params(thing)) if not thing.why else None
        if reply is None or not reply.ok or reply.looks_like_page:
            return None
        return self.thing(key, self.head_size(reply))

    def head_size(self, reply: Reply) -> int | None:
        """Return the size of an object from the answer to its head."""
        return size_of(reply.header("content-length"))

    @property
    def asker(self) -> str:
        """Return who asks, in words: a refused credential is reported with where it came from."""
        return f"the credential ({self.credential.origin})" if self.credential else "a stranger"

    # -- connections ----------------------------------------------------------------------------------

    @property
    def tls(self) -> bool:
        """Tell whether TLS is spoken, as the first answer showed."""
        return self.target.tls if self._tls is None else self._tls

    def stranger(self) -> Http:
        """Return a client that sends no credential."""
        return ObjectHttp(self.wire, self.tls)

    def owner(self) -> Http:
        """Return a client that sends the user's credential. Raises WithheldError where TLS was promised and is not."""
        return ObjectHttp(self.wire, self.tls, self.login, self.dress)

    @contextmanager
    def client(self) -> Iterator[Http]:
        """Lend a client with the eyes that read; kept connections are used again."""
        with self._lock:
            http = self._idle.pop() if self._idle else None
        http = http or (self.owner() if self.credential else self.stranger())
        try:
            yield http
        except BaseException:
            http.close()
            raise
        with self._lock:
            self._idle.append(http)

    def close(self) -> None:
        """Close the connections that were kept."""
        with self._lock:
            while self._idle:
                self._idle.pop().close()

    def ask_page(self, http: Http, probe_id: str, **params: object) -> Reply:
        """Send a request of the listing and return its answer, of 8 MiB at most. Raises ProtocolError."""
        with http.stream(probe_id, **params) as body:
            data = body.read(PAGE + 1)
            if len(data) > PAGE:
                raise ProtocolError(f"a page of the list is longer than {PAGE // MIB} MiB")
            return Reply(body.status, body.headers, data)

    # -- the stranger's question ----------------------------------------------------------------------

    def try_objects(self, http: Http, things: list[Object], verdict: Verdict) -> None:
        """Ask for the heads of a few objects: one that is given proves that a stranger reads."""
        some = [thing for thing in things if not thing.why and thing.size != 0]
        for count, thing in enumerate(some[:: max(1, len(some) // TRIED)][:TRIED], 1):
            reply = http.ask(f"{self.kind}.head", **self.params(thing))
            if reply.ok and not reply.looks_like_page:
                others = f", after {count - 1} were refused" if count > 1 else ""
                verdict.saw("reads", f"the head of an object was given without a credential{others}")
                return
        if some:
            verdict.note("objects are listed, but the heads of those that were tried were refused")
        else:
            verdict.note("no object is there to show whether a stranger can read one")

    def signs(self, things: list[Object], verdict: Verdict) -> None:
        """Look for names that intruders leave behind."""
        names = [Named(PurePosixPath(thing.name).stem) for thing in things]
        verdict.prior_access += prior_access(self.kind, names)

    def completed(self, asked: Exposure) -> Exposure:
        """Where a stranger may not list: ask as a stranger for names that the owner's credential lists."""
        if self._listed or (asked.state, asked.confidence) not in UNSETTLED:
            return asked
        found: dict[str, Any] = {"confidence": "probable"} if BY_NAME in asked.not_tried else {}
        if self.login:
            with suppress(PlainviewError):  # the reading meets the same, and tells it
                found = self._ask_for_names(asked)
        return msgspec.structs.replace(asked, **found)

    def _ask_for_names(self, exposure: Exposure) -> dict[str, Any]:
        with closing(self.owner()) as owner, closing(self.stranger()) as http:
            things = list(islice(self.listing(owner), 1000))
            verdict = Verdict(state=exposure.state, confidence=exposure.confidence)
            verdict.evidence += exposure.evidence
            verdict.note("then a stranger asked for objects whose names the user's credential lists:")
            self.try_objects(http, things, verdict)
        left = tuple(line for line in exposure.not_tried if line != BY_NAME)
        return {
            "state": verdict.state,
            "confidence": verdict.confidence,
            "evidence": tuple(verdict.evidence),
            "not_tried": left,
            "rights_basis": self.basis if verdict.state == "reads" else exposure.rights_basis,
        }

    def choose_reader(self) -> None:
        """Decide who reads: a stranger only where a stranger may list as well, or where the target is one object."""
        if self.check_access().state == "lists" and self._listed and not self.login:
            return  # nothing there, or the objects that were tried were refused: others may not be
        super().choose_reader()
        if self.read_as == "stranger" and not (self._listed or self._single) and self.login:
            self.read_as = "credential"

    # -- reading --------------------------------------------------------------------------------------

    def listing(self, http: Http) -> Iterator[Object]:
        """Yield all objects below the target. Raises ProtocolError when the pages do not come to an end."""
        if self._single is not None:
            yield self._single
            return
        mark, walk = "", Paging(self.wire, "the pages of the list do")
        while True:
            things, mark = self.page(http, mark)
            if walk.page(len(things), mark=mark or None, same=tuple(thing.key for thing in things) or None):
                yield from things
            if not mark:
                return

    def pieces(self, log: ReadLog) -> Iterator[Unit]:
        """Yield the objects while they are listed."""
        with closing(self.owner() if self.credential else self.stranger()) as http:
            for count, thing in enumerate(self.listing(http)):
                if count >= OBJECTS:
                    log.skip("further objects", f"the listing was stopped after {OBJECTS:,}")
                    return
                if thing.why:
                    log.skip(thing.name, thing.why)
                else:
                    yield Unit(thing.name, thing.size, None, thing)

    def rows(self, unit: Unit, log: ReadLog, sample: int | None) -> Iterator[Batch]:
        """Yield the tables of one object. With `sample`: that many rows of each table, drawn from all of them."""
        with self._slots:
            if sample is None:
                yield from self._tables(unit, log)
                return
            from plainview.tables.sampling import sample_rows

            how = "drawn at random from all rows; the object was fetched whole"
            yield from sample_rows(self._tables(unit, log), sample, unit.name, how)

    def _tables(self, unit: Unit, log: ReadLog) -> Iterator[Batch]:
        thing = cast("Object", unit.locator)

        @contextmanager
        def get(span: tuple[int, int] | None) -> Generator[Body]:
            holes = {} if span is None else {"first": span[0], "last": span[1]}
            probe_id = f"{self.kind}.{'get' if span is None else 'range'}"
            with self.client() as http, http.stream(probe_id, **self.params(thing), **holes) as body:
                if body.status not in (200, 206) and not (span and body.status == 416):
                    raise refusal(body.status)
                yield body

        look = look_at(get, thing.size)
        size = thing.size if look.size is None else look.size
        count = Counter(log, 1 << 62 if size is None else size)
        meter = Meter(size or self.limits.ratio_floor, self.limits, self._deadline(size), count.add)
        fetcher = Fetcher(unit.name, get, look, meter, count)
        seek = fetcher.piece if look.ranges or look.whole else None
        kind = identify(look.head[:HEAD], bare_name(unit.name), look.size, seek)
        if look.whole or not kind.name:
            count.add(len(look.head))
        yield from read_input(fetcher.input(ranged=kind.name == "zip"), kind, log, meter, count)

    def _deadline(self, size: int | None) -> Deadline:
        """Give a large object the time that a slow line, or the user's own rate, needs."""
        pace = min(MIB, self.wire.limits.rate or MIB)
        return Deadline(min(self.limits.seconds + (size or 0) / pace, max(DAY, self.limits.seconds)))


__all__ = ["BY_NAME", "NOT_TRIED", "Object", "ObjectSource", "Page"]
