"""Real servers for the tests: installed on demand, started on loopback, seeded, always stopped.

    python -m tests.servers                    what there is, and what cannot be had here
    python -m tests.servers up redis closed    start one and keep it until Ctrl-C

Nothing is installed at import. A server that cannot be installed is a skip with its reason.
"""

from __future__ import annotations

from .base import CANARY, SECRET, Server, UnavailableError
from .caches import Etcd34, Etcd35, Memcached
from .redis_like import FalkorDB, Redis, RedisTls, Valkey

SERVERS: dict[str, type[Server]] = {
    cls.name: cls for cls in (Redis, RedisTls, Valkey, FalkorDB, Memcached, Etcd34, Etcd35)
}

__all__ = ["CANARY", "SECRET", "SERVERS", "Server", "UnavailableError"]
