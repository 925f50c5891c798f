r"""By which answer a bare host:port is known: the steps and signs that stand in the `store.toml` of each store.

The steps are taken by their rank, except that the questions of a store whose usual port it is come first: so the
common case is one question, in its own language. By rank those come first that disturb least: listening, then a short
HTTP request, which every HTTP server understands and the others refuse at once.

    [[step]]
    probe = "fingerprint.redis"   # a request of the store, declared beside it; or one that several stores share
    rank = 60
    send = "2a310d0a…"            # hexadecimal; or `listen`, seconds; or neither: the request is one over HTTP
    ports = [6379]                # its usual ports
    tls = true                    # asked over TLS; left out once a TLS handshake has failed
    after_http = true             # only where GET / was answered and named nothing

    [[sign]]
    probe = "fingerprint.redis"   # the step, or steps, whose answer it is
    bytes = '\+PONG\r\n'          # a regular expression for the first bytes; over HTTP:
    status = [200]                # `status`, `body` (its first 64 KiB) and `headers`
    name = "Redis"
    known = "PING was answered as Redis does"
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from plainview.catalog import FILE, stores
from plainview.errors import StoreError

if TYPE_CHECKING:
    from plainview.wire.http import Reply

HEAD = 1 << 16


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One question. Steps with the same probe, over TLS or not, are made one, with the ports of all."""

    probe: str
    rank: int = 0  # in which order the questions are asked where the port says nothing: what disturbs least comes first
    send: str = ""
    listen: float = 0.0
    ports: tuple[int, ...] = ()
    tls: bool = False
    after_http: bool = False

    @property
    def is_http(self) -> bool:
        """True for a request over HTTP."""
        return not self.send and not self.listen


class Sign(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an answer means: all of the conditions must hold, and the first sign that fits counts.

    `kind`, the store whose sign it is, is empty where no store reads what is known by it. `name` is what the report
    calls it, `known` says what the answer proves, `needs` how the address has to be written. `last`: only where no
    other sign fits.
    """

    probe: str
    name: str
    known: str
    kind: str = ""
    reads: bool = True
    last: bool = False
    needs: str = ""
    first: str = msgspec.field(name="bytes", default="")
    status: tuple[int, ...] = ()
    body: str = ""
    headers: dict[str, str] = {}

    def fits(self, data: bytes) -> bool:
        """Tell whether the first bytes of an answer are these."""
        return bool(self.first) and re.match(self.first.encode("latin-1"), data) is not None

    def fits_reply(self, reply: Reply) -> bool:
        """Tell whether an answer over HTTP is this."""
        if self.status and reply.status not in self.status:
            return False
        if self.body and not re.search(self.body, reply.body[:HEAD].decode("utf-8", "replace")):
            return False
        return all(name in reply.headers and re.match(rx, reply.header(name)) for name, rx in self.headers.items())


class Table(NamedTuple):
    """All steps by rank, and all signs in the order in which they are tried."""

    steps: tuple[Step, ...]
    signs: tuple[Sign, ...]
    broken: tuple[str, ...]  # kinds of store, of other packages, whose lists do not load


@cache
def table() -> Table:
    """Return the steps and signs of all stores."""
    steps, signs = dict[tuple[str, bool], Step](), list[Sign]()
    broken = list[str]()
    for kind, store in stores().items():
        try:
            asked, known = asked_and_known(store.lists)
        except StoreError:
            broken.append(kind)
            continue
        for step in asked:
            other = steps.get((step.probe, step.tls))
            steps[step.probe, step.tls] = _together(other, step) if other else step
        signs += (msgspec.structs.replace(sign, kind=kind if sign.reads else "") for sign in known)
    by_rank = sorted(steps.values(), key=lambda step: step.rank)
    return Table(tuple(by_rank), tuple(sorted(signs, key=lambda sign: sign.last)), tuple(broken))


def asked_and_known(lists: Mapping[str, list[dict[str, Any]]]) -> tuple[list[Step], list[Sign]]:
    """Return the steps and signs of one store. Raises StoreError."""
    try:
        signs = msgspec.convert(lists.get("sign", []), list[Sign])
        for sign in signs:
            for pattern in (sign.first, sign.body, *sign.headers.values()):
                re.compile(pattern)
        steps = msgspec.convert(lists.get("step", []), list[Step])
        for step in steps:
            bytes.fromhex(step.send)
    except (ValueError, re.error) as error:
        raise StoreError(f"{FILE}: {error}") from None
    return steps, signs


def _together(one: Step, other: Step) -> Step:
    """Return one step with the ports of both; the one that has a rank says how it is asked."""
    asked = one if one.rank else other
    return msgspec.structs.replace(asked, ports=(*one.ports, *other.ports))


__all__ = ["Sign", "Step", "asked_and_known", "table"]
