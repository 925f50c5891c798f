"""Real servers for the tests: installed on demand, started on loopback, seeded, always stopped.

    python -m tests.servers                    what there is, and what cannot be had here
    python -m tests.servers up redis closed    start one and keep it until Ctrl-C

Nothing is installed at import. A server that cannot be installed is a skip with its reason.
"""

from __future__ import annotations

from .base import CANARY, SECRET, Server, UnavailableError
from .caches import Etcd34, Etcd35, Memcached
from .cassandra import Cassandra
from .clickhouse import Clickhouse
from .couch import PouchDB
from .elastic import Elasticsearch7, Elasticsearch8, Elasticsearch9, OpenSearch2, OpenSearch3
from .mariadb import MariaDB
from .mongo import MongoJava, Secantus
from .objects import Azurite, FakeGcs, JuiceFS, SeaweedFS
from .postgres import Postgres15, Postgres18
from .redis_like import FalkorDB, Redis, RedisTls, Valkey
from .web import Nginx, PythonHttp

_ALL: tuple[type[Server], ...] = (
    Redis,
    RedisTls,
    Valkey,
    FalkorDB,
    Memcached,
    Etcd34,
    Etcd35,
    Postgres15,
    Postgres18,
    MariaDB,
    Secantus,
    MongoJava,
    Clickhouse,
    PouchDB,
    SeaweedFS,
    JuiceFS,
    Azurite,
    FakeGcs,
    Nginx,
    PythonHttp,
    Elasticsearch7,
    Elasticsearch8,
    Elasticsearch9,
    OpenSearch2,
    OpenSearch3,
    Cassandra,
)
SERVERS: dict[str, type[Server]] = {cls.name: cls for cls in _ALL}

__all__ = ["CANARY", "SECRET", "SERVERS", "Server", "UnavailableError"]
