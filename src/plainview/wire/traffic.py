"""The traffic with one target: which addresses, how many connections and requests, and what they left behind.

What is sent and received runs through `stream` and `http`, which count here; the limits hold over all of them.
"""

from __future__ import annotations

import re
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING

from plainview.errors import LimitError, OutOfScopeError, PlainviewError, ProtocolError, UnreachableError
from plainview.targets.scope import Scope
from plainview.targets.target import Target
from plainview.wire import probes
from plainview.wire.limits import EACH, EACH_PIECE, EACH_UNIT, READS, Exchange, WireLimits

__all__ = ["Traffic"]

if TYPE_CHECKING:
    from plainview.report.model import Request, Tls
    from plainview.wire.probes import Probe


HERE = re.compile(r"(?:.*\.)?localhost\.?", re.IGNORECASE)  # this machine, whatever a server says (RFC 6761)
LIST_IT = "if it is yours, list it in plainview.toml and give --scope: docs/scope.md"


@dataclass(slots=True)
class _Line:
    """The transcript of one probe."""

    count: int = 0
    statuses: dict[str, None] = field(default_factory=dict)
    received: int = 0


class Traffic:
    """All traffic with one target. Thread-safe; each `Connection` and `Http` belongs to one thread."""

    def __init__(self, target: Target, scope: Scope | None = None, limits: WireLimits | None = None) -> None:
        self.target = target
        self.host, self.port = target.host, target.port
        self.scope = scope or Scope()
        self.limits = limits or WireLimits()
        self.tls: Tls | None = None  # facts of the last handshake
        self.elsewhere: dict[str, None] = {}
        self.opened = 0  # connections that were tried
        self.reached = 0  # those that came about
        self.received = 0
        self._lock = threading.Lock()
        self._lines: dict[str, _Line] = {}
        self._waited = 0.0
        self._requests = 0
        self._reading = 0  # requests of the reading
        self._earned = READS  # so many it may send
        self._open = 0
        self._addresses: list[str] = []
        self._pace_end = 0.0

    # -- addresses ------------------------------------------------------------------------------------

    @property
    def ip(self) -> str:
        """Return the address in use: the pinned one, or the first that the scope allows."""
        return self.addresses()[0]

    def addresses(self) -> list[str]:
        """Return the addresses of the target that the scope allows; resolved once, for the whole run."""
        with self._lock:
            if not self._addresses:
                known = _is_address(self.host) or HERE.fullmatch(self.host)
                if not known and not self.scope.looks_up(self.host, self.port):
                    raise OutOfScopeError(
                        f"{self.target.address} is not in the scope file, so the name was not looked up", hint=LIST_IT
                    )
                found = _resolve(self.host, self.limits.first_byte)
                allowed = [ip for ip in found if self.scope.allows(self.host, ip, self.port)]
                if not allowed:
                    raise OutOfScopeError(f"{self.target.address} is not in the scope file", hint=LIST_IT)
                self._addresses = allowed
            return list(self._addresses)

    def permits(self, permission: str) -> bool:
        """Tell whether the scope file carries a permission for this address."""
        return self.scope.permits(permission, self.host, self.ip, self.port)

    def open_socket(self) -> socket.socket:
        """Return a connected TCP socket to the target, counted. For the modules of this room only."""
        addresses = self.addresses()
        with self._lock:
            if self._open >= self.limits.connections:
                raise LimitError(f"more than {self.limits.connections} connections at a time")
            self._open += 1
            self.opened += 1
        problem = "nothing answered"
        for ip in addresses:
            if not self.scope.allows(self.host, ip, self.port):  # asked again at each connect
                continue
            family = socket.AF_INET6 if ":" in ip else socket.AF_INET
            sock = socket.socket(family, socket.SOCK_STREAM)
            sock.settimeout(self.limits.connect)
            try:
                sock.connect((ip, self.port))
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            except ConnectionResetError:  # it was made, and broken at once: somebody is there
                sock.close()
                self.closed()
                raise ProtocolError("the connection was reset as soon as it was made") from None
            except OSError as error:
                sock.close()
                problem = _why_not(error)
                continue
            with self._lock:
                self._addresses = [ip]
                self.reached += 1
            return sock
        self.closed()
        if self.reached:
            raise ProtocolError(f"it answered before, and then took no more connections: {problem}")
        raise UnreachableError(f"{self.target.address}: {problem}")

    def closed(self) -> None:
        """Count a connection as closed."""
        with self._lock:
            self._open -= 1

    def adopt(self, other: Traffic) -> None:
        """Go on where another wire to the same host and port left off: same pinned address, one transcript."""
        if (other.host, other.port) != (self.host, self.port):
            raise ValueError("a wire to another place")
        with other._lock:
            self._addresses = list(other._addresses)
            self._lines = dict(other._lines)
            self.elsewhere = dict(other.elsewhere)
            self.opened += other.opened
            self.reached += other.reached

    # -- exchanges ------------------------------------------------------------------------------------

    @contextmanager
    def exchange(self, probe_id: str, count: int = 1) -> Iterator[Exchange]:
        """Declare one request (or `count` alike) that is now sent. Raises KeyError for an unknown probe.

        Used by `Connection.exchange` and `Http`.
        """
        probe = probes.get(probe_id)
        if probe.permit and not self.permits(probe.permit):
            raise OutOfScopeError(f"{probe_id} needs the permission {probe.permit} of the scope file")
        step = Exchange(probe, self.limits, count, cap=self._cap(probe))
        if probe.stage == "access":
            self._begin_access(step, count)
        else:
            self._begin_reading(count)
        try:
            yield step
        except PlainviewError as error:
            step.done(type(error).__name__)
            raise
        finally:
            self._end(step)

    def _cap(self, probe: Probe) -> int:
        if probe.stage == "read":
            return sys.maxsize if probe.stream else self.limits.answer
        return self.limits.listing if probe.listing else self.limits.body

    def _begin_access(self, step: Exchange, count: int) -> None:
        with self._lock:
            self._requests += count
            left = self.limits.service - self._waited
            if self._requests > self.limits.requests:
                raise ProtocolError(f"more than {self.limits.requests} questions to one store")
        if left <= 0:
            raise ProtocolError(f"the store kept us waiting for {self.limits.service:g} s in all")
        step.end = step.started + min(self.limits.probe, left)

    def _begin_reading(self, count: int) -> None:
        with self._lock:
            self._reading += count
            if self._reading > self._earned:
                raise ProtocolError(f"{self._reading:,} requests for what came: the reading does not come to an end")

    def earn(self, items: int = 0, *, units: int = 0) -> None:
        """Let the reading send more requests, for items and units that were listed.

        It is what holds where a store forgets to hold its own pages: see `stores.shared.paging`.
        """
        with self._lock:
            self._earned += items * EACH + units * EACH_UNIT

    def _end(self, step: Exchange) -> None:
        with self._lock:
            if step.probe.stream:
                self._earned += step.received >> EACH_PIECE
            line = self._lines.setdefault(step.probe.id, _Line())
            line.count += step.count
            line.received += step.received
            for status in step.statuses:
                if len(line.statuses) < 8:
                    line.statuses[status] = None
            if step.probe.stage == "access":
                self._waited += time.monotonic() - step.started

    def count_bytes(self, size: int, *, reading: bool) -> None:
        """Add received bytes; when reading data, keep to the rate and the total. Raises LimitError."""
        with self._lock:
            self.received += size
            if not reading:
                return
            if self.limits.total is not None and self.received > self.limits.total:
                raise LimitError(f"stopped after {self.limits.total} bytes", hint="raise --max-bytes")
            if not self.limits.rate:
                return
            now = time.monotonic()
            self._pace_end = max(self._pace_end, now) + size / self.limits.rate
            wait = self._pace_end - now
        if wait > 0.01:
            time.sleep(wait)

    # -- what was seen --------------------------------------------------------------------------------

    def points_elsewhere(self, how: str, address: str) -> None:
        """Record that the server named another place ("redirect", "MOVED", "member"); it is not followed."""
        shown = address if re.fullmatch(r"[A-Za-z0-9_.:\[\]-]{1,100}", address) else "an odd address"
        if len(self.elsewhere) < 20:
            self.elsewhere[f"{how} to {shown}"] = None

    def footprint(self) -> tuple[Request, ...]:
        """Return what was sent so far, one entry for each probe in the order of its first use."""
        from plainview.report.model import Request

        with self._lock:
            lines = dict(self._lines)
        return tuple(
            Request(
                probe=probe_id,
                template=probes.get(probe_id).template,
                count=line.count,
                statuses=tuple(line.statuses),
                footprint=probes.get(probe_id).footprint,
            )
            for probe_id, line in lines.items()
        )


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _resolve(host: str, seconds: float) -> list[str]:
    """Return the addresses of a name, in the system's order; of localhost without asking. Raises UnreachableError."""
    if _is_address(host):
        return [str(ip_address(host))]
    if HERE.fullmatch(host):  # the system may ask a server for it, where its file of hosts has no such line
        return ["127.0.0.1", "::1"]
    found: list[str] = []

    def ask() -> None:  # getaddrinfo has no time limit of its own
        try:
            answers = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            return
        found.extend(str(answer[4][0]) for answer in answers)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(seconds)
    if not found:
        raise UnreachableError(f"the name {host} has no address here")
    return list(dict.fromkeys(found))


def _why_not(error: OSError) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "the port is closed (connection refused)"
    if isinstance(error, TimeoutError):
        return "nothing answered in time"
    return f"no connection ({type(error).__name__} {error.errno or ''})".replace(" )", ")")
