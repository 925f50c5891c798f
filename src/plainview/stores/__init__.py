"""The kinds of store, one module each, loaded when a target needs it."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from plainview.errors import MissingExtraError, UnsupportedError

if TYPE_CHECKING:
    from plainview.tables import Limits, Source
    from plainview.targets.credentials import Credentials
    from plainview.targets.scope import Scope
    from plainview.targets.target import Target
    from plainview.wire.limits import WireLimits

# kind of target -> (module, class, extra that installs its driver). A new store is one line here.
SOURCES = {
    "file": ("plainview.files.source", "FileSource", ""),
    "fingerprint": ("plainview.stores.fingerprint.source", "open_fingerprinted", ""),
    "redis": ("plainview.stores.redis.source", "RedisSource", ""),
    "memcached": ("plainview.stores.memcached.source", "MemcachedSource", ""),
    "etcd": ("plainview.stores.etcd.source", "EtcdSource", ""),
    "elasticsearch": ("plainview.stores.elasticsearch.source", "ElasticsearchSource", ""),
    "mongodb": ("plainview.stores.mongodb.source", "MongoSource", ""),
    "postgresql": ("plainview.stores.postgresql.source", "PostgresSource", ""),
    "mysql": ("plainview.stores.mysql.source", "MysqlSource", ""),
    "s3": ("plainview.stores.s3.source", "S3Source", ""),
    "azure": ("plainview.stores.azure.source", "AzureSource", ""),
    "gs": ("plainview.stores.gs.source", "GcsSource", ""),
    "clickhouse": ("plainview.stores.clickhouse.source", "ClickhouseSource", ""),
    "couchdb": ("plainview.stores.couchdb.source", "CouchSource", ""),
    "cassandra": ("plainview.stores.cassandra.source", "CassandraSource", ""),
    "http": ("plainview.stores.http.source", "HttpListingSource", ""),
}


def open_source(
    target: Target,
    *,
    scope: Scope | None = None,
    credentials: Credentials | None = None,
    limits: Limits | None = None,
    network: WireLimits | None = None,
) -> Source:
    """Return the source of a target, not yet connected.

    `scope` None means loopback only; `credentials` None means none but what the address itself holds.
    `limits` are those of documents and files, `network` those of `wire`. Raises UnsupportedError for a
    kind that this version does not read, MissingExtraError when its driver is not installed.
    """
    module, name, extra = SOURCES[target.kind]
    try:
        maker: Any = getattr(import_module(module), name)
    except ModuleNotFoundError as error:
        if error.name == module:
            raise UnsupportedError(f"{target.kind} is not read by this version") from None
        hint = f"pip install 'plainview[{extra}]'" if extra else f"pip install {error.name}"
        raise MissingExtraError(f"a library for {target.kind} is not installed", hint=hint) from None
    if target.is_local_file:
        source: Source = maker(target.path, **({"limits": limits} if limits else {}))
        return source
    opened: Source = maker(target, scope=scope, credentials=credentials, limits=limits, network=network)
    return opened
