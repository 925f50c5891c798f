"""What a store may cost us and we the store, and the exchange that keeps to it."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field

from plainview.errors import ProtocolError
from plainview.wire.probes import Probe

KIB, MIB = 1 << 10, 1 << 20
# Requests of the reading: so many in any case, and more for each item and unit that was listed, and for each 4 KiB of
# what is read piece by piece.
READS, EACH, EACH_UNIT, EACH_PIECE = 10_000, 10, 200, 12


@dataclass(frozen=True, slots=True)
class WireLimits:
    """What a store may cost us, and we the store. All can be set by the user. Seconds and bytes."""

    connect: float = 3.0
    # The stranger's question (stage "access").
    first_byte: float = 5.0
    probe: float = 15.0  # one exchange, whole
    service: float = 45.0  # all of them, waiting times added up
    body: int = MIB
    listing: int = 8 * MIB  # for probes that say `listing`
    header: int = 32 * KIB
    requests: int = 300
    # Reading what is inside (stage "read").
    idle: float = 60.0  # without a byte
    pace: int = KIB  # bytes a second that an answer must reach once `grace` is over
    grace: float = 60.0
    answer: int = 64 * MIB  # one answer, or one pipeline of them: it may have to be held twice
    connections: int = 8  # at a time
    rate: int | None = None  # bytes a second over all connections; None: as fast as the store answers
    total: int | None = None  # bytes in all


@dataclass(slots=True)
class Exchange:
    """One request and its answer, or a pipeline of `count` alike; `done` says how it ended, as a shape."""

    probe: Probe
    limits: WireLimits
    count: int = 1
    statuses: list[str] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)
    received: int = 0
    cap: int = 0
    end: float = 0.0

    def done(self, status: object) -> None:
        """Note the status: a code ("200", "+PONG", "NOAUTH"), never text of the server's choosing."""
        text = str(status)
        if len(self.statuses) < 8:
            self.statuses.append(text if re.fullmatch(r"[+-]?[A-Za-z0-9_. ]{1,32}", text) else "other")

    def patience(self) -> float:
        """Return how long the next byte may take. Raises ProtocolError when the time is over."""
        now = time.monotonic()
        if self.probe.stage == "read":
            spent = now - self.started
            grace = self.limits.grace
            if spent > grace and self.received < self.limits.pace * (spent - grace):
                raise ProtocolError(f"the answer is slower than {self.limits.pace} bytes a second")
            return self.limits.idle
        if now >= self.end:
            raise ProtocolError(f"the answer took longer than {self.limits.probe:g} s")
        wait = self.end - now
        return wait if self.received else min(wait, max(0.001, self.started + self.limits.first_byte - now))

    def count_in(self, size: int) -> None:
        """Add received bytes. Raises ProtocolError above the cap."""
        self.received += size
        if self.received > self.cap:
            raise ProtocolError(f"the answer is longer than {self.cap >> 10} KiB")
