"""A target: the address of a store or a file, as the user wrote it. Its text never shows a credential.

`host` and `port` are always where a socket would connect to, for object stores too: there they come
from `endpoint`, and `path` is `bucket/prefix`. Whether the address may be asked is `scope`'s business.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NamedTuple
from unicodedata import normalize
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlsplit

from plainview.errors import TargetError
from plainview.targets.quoting import exists, has_secret_value, may_hold_secret, nearest
from plainview.targets.secret import Secret
from plainview.targets.tls_options import tls_asked


class Scheme(NamedTuple):
    """What a scheme means: the kind of store, its usual port, and whether TLS is spoken.

    `starttls`: every connection begins in the clear, and both sides agree on TLS there.
    """

    kind: str
    port: int
    tls: bool = False
    starttls: bool = False


SCHEMES = {
    "elasticsearch": Scheme("elasticsearch", 9200),
    "elasticsearchs": Scheme("elasticsearch", 9200, tls=True),
    "opensearch": Scheme("elasticsearch", 9200),
    "opensearchs": Scheme("elasticsearch", 9200, tls=True),
    "mongodb": Scheme("mongodb", 27017),
    "postgresql": Scheme("postgresql", 5432, starttls=True),
    "postgres": Scheme("postgresql", 5432, starttls=True),
    "mysql": Scheme("mysql", 3306, starttls=True),
    "mariadb": Scheme("mysql", 3306, starttls=True),
    "redis": Scheme("redis", 6379),
    "rediss": Scheme("redis", 6379, tls=True),
    "valkey": Scheme("redis", 6379),
    "valkeys": Scheme("redis", 6379, tls=True),
    "s3": Scheme("s3", 443, tls=True),
    "azure": Scheme("azure", 443, tls=True),
    "gs": Scheme("gs", 443, tls=True),
    "clickhouse": Scheme("clickhouse", 8123),
    "clickhouses": Scheme("clickhouse", 8443, tls=True),
    "couchdb": Scheme("couchdb", 5984),
    "couchdbs": Scheme("couchdb", 6984, tls=True),
    "cassandra": Scheme("cassandra", 9042),
    "memcached": Scheme("memcached", 11211),
    "etcd": Scheme("etcd", 2379),
    "etcds": Scheme("etcd", 2379, tls=True),
    "http": Scheme("http", 80),
    "https": Scheme("http", 443, tls=True),
}
OBJECT_STORES = frozenset({"s3", "azure", "gs"})
# The only options whose value is ever printed, and of these only what can be no secret; others appear as `***`.
PRINTED_OPTIONS = frozenset({"endpoint", "region", "sslmode", "database", "tls", "ssl"})
PRINTED_VALUE = re.compile(r"[A-Za-z0-9_.:/\[\]-]*")
SECRET_OPTIONS = re.compile(
    r"(?i)pass|pwd|secret|token|credential|(access|account|api|private)[_-]?key|^(key|auth|sig|signature)$"
)
OWN_HOST = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")  # buckets whose name can be part of a host
HOST_PORT = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+):(?P<port>[0-9]{1,5})")
SCHEME = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://")
HOST = re.compile(r"[a-z0-9_.-]+|[0-9a-fA-F:.]+(%[A-Za-z0-9_.-]{1,15})?")
PLACE = re.compile(r"(\[[^\[\]]*\]|[^:\[\]]*)(:[0-9]+)?")  # the host, and the port that may follow it
BUCKET = re.compile(r"[A-Za-z0-9_.-]+")
# What people call a store elsewhere: a guess for the message, never an address that is asked.
ALIASES = {
    "es": "elasticsearch",
    "elastic": "elasticsearch",
    "mongo": "mongodb",
    "mongodb+srv": "mongodb",
    "pg": "postgresql",
    "psql": "postgresql",
    "s3a": "s3",
    "gcs": "gs",
    "wasbs": "azure",
    "abfss": "azure",
    "az": "azure",
    "couch": "couchdb",
    "ch": "clickhouse",
    "cql": "cassandra",
    "memcache": "memcached",
}


@dataclass(frozen=True, slots=True)
class Target:
    """A parsed address.

    `kind` names the module that reads it ("redis", "file"; "fingerprint" for a bare `host:port`),
    `scheme` is the word as written, `path` has no leading slash and is percent-decoded (as written for a
    file). `options` are the query without its secrets, which are in `secrets`.

    `tls`: the address promises TLS, by its scheme or an option; `plain`: an option says that none is spoken.
    """

    kind: str
    scheme: str = ""
    host: str = ""
    port: int = 0
    tls: bool = False
    path: str = ""
    options: tuple[tuple[str, str], ...] = ()
    user: str | None = field(default=None, repr=False)
    secret: Secret | None = field(default=None, repr=False)
    secrets: tuple[tuple[str, Secret], ...] = field(default=(), repr=False)
    plain: bool = False

    def option(self, name: str, default: str = "") -> str:
        """Return the last value given for a query option."""
        return dict(self.options).get(name, default)

    @property
    def address(self) -> str:
        """Return `host:port`, with brackets around an IPv6 address."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def starttls(self) -> bool:
        """True where TLS is agreed upon inside of a connection that begins in the clear."""
        return self.scheme in SCHEMES and SCHEMES[self.scheme].starttls

    @property
    def is_local_file(self) -> bool:
        """True when no network is needed."""
        return self.kind == "file"

    @property
    def carries_secret(self) -> bool:
        """True when a secret stood in the address itself: worth a warning (shell history, process list)."""
        return bool(self.secret or self.secrets)

    def __str__(self) -> str:
        if self.kind == "file":
            return f"file:{self.path}"
        if self.kind == "fingerprint":
            return self.address
        shown = [_printed(name, value) for name, value in self.options] + ["***"] * len(self.secrets)
        query = "?" + "&".join(dict.fromkeys(shown)) if shown else ""
        path = quote(self.path, safe="/:@+,;=!$()*~", errors="backslashreplace")
        if self.kind in OBJECT_STORES:
            return f"{self.scheme}://{path}{query}"
        return f"{self.scheme}://{self.address}{'/' if path else ''}{path}{query}"

    __repr__ = __str__

    def __reduce__(self) -> tuple[object, ...]:
        # A pickled target has lost its secret: credentials are looked up again where it arrives.
        values = (self.kind, self.scheme, self.host, self.port, self.tls, self.path, self.options)
        return (Target, (*values, None, None, (), self.plain))


def _printed(name: str, value: str) -> str:
    return f"{name}={value}" if name in PRINTED_OPTIONS and PRINTED_VALUE.fullmatch(value) else "***"


def parse_target(text: str) -> Target:
    """Return the target that `text` names. Raises TargetError, whose message repeats nothing of the text.

    A file: an existing path, `file:` or `file://`, or what has no `://`, is not `host:port` and could hold no secret.
    """
    if "\0" in text or not text.strip():
        raise TargetError("an empty address, or one with a NUL in it")
    known = SCHEME.match(text.strip())
    if exists(text) and not (known and known["scheme"].lower() in SCHEMES):
        return Target("file", scheme="file", path=text)
    text = text.strip()
    if text.startswith("file:"):
        return _file_uri(text)
    if not known:
        return _bare(text)
    scheme = known["scheme"].lower()
    if scheme not in SCHEMES:
        raise TargetError("unknown kind of store", hint=_known_schemes(scheme))
    try:
        parts = urlsplit(text)
        _no_loose_secret(scheme, text[known.end() :])
        return _object_store(scheme, parts) if scheme in OBJECT_STORES else _server(scheme, parts)
    except ValueError:  # its message quotes the address, so it is dropped, context and all
        pass
    raise TargetError(f"not an address of a {scheme} store", hint=_expected(scheme))


def file_target(path: str) -> Target:
    """Return the target of a path in the file system. Raises TargetError for one that could hold a secret."""
    if not path or "\0" in path:
        raise TargetError("an empty path, or one with a NUL in it")
    if not exists(path) and may_hold_secret(path):
        raise TargetError(
            "neither a file that exists nor an address", hint="write SCHEME://host:port, or check the path"
        )
    return Target("file", scheme="file", path=path)


def _known_schemes(scheme: str) -> str:
    """Say what could have been meant, without repeating what was written."""
    head = scheme.split("+", maxsplit=1)[0]
    near = ALIASES.get(scheme) or ALIASES.get(head) or nearest(head, SCHEMES)
    if head in ("sqlite", "duckdb"):
        return "a database in a file is named by its path alone"
    return (f"did you mean {near}://? " if near else "") + "known: " + " ".join(sorted(SCHEMES))


def _no_loose_secret(scheme: str, rest: str) -> None:
    """Refuse an address in which a part of a secret may stand outside of the place where it is hidden.

    A `/`, `?` or `#` in a secret that is not escaped ends the part of the address that holds it: what follows it
    would be taken for a path or an option, be sent and be printed.
    """
    rest = normalize("NFKC", rest)
    tail = rest[re.match(r"[^/?#]*", rest).end() :]  # type: ignore[union-attr]  # matches always
    if "@" in tail:
        holds_at = scheme in OBJECT_STORES or SCHEMES[scheme].kind == "http"  # keys and paths there may
        if not holds_at or ":" in rest[: rest.rfind("@")]:
            raise TargetError(
                "an @ behind the host of an address: is it part of a secret that holds / ? or #?",
                hint="percent-encode it: / is %2F, ? is %3F, # is %23, and an @ in a path is %40",
            )
    if has_secret_value(re.split(r"[?#]", tail)[0]):
        raise TargetError(
            "a secret in the path of an address", hint="put it into a file: docs/credentials.md; a = in a path is %3D"
        )


def _expected(scheme: str) -> str:
    if scheme in OBJECT_STORES:
        return f"write {scheme}://bucket/prefix?endpoint=http://host:port"
    return f"write {scheme}://host:port; a user or secret with odd characters is percent-encoded"


def _file_uri(text: str) -> Target:
    rest = text[5:]
    if rest.startswith("//"):
        host, slash, rest = rest[2:].partition("/")
        if host not in ("", "localhost"):
            raise TargetError("a file: address on another machine", hint="write file:///path or just the path")
        rest = unquote(slash + rest)
    if not rest:
        raise TargetError("a file: address without a path")
    return file_target(rest)


def _bare(text: str) -> Target:
    found = HOST_PORT.fullmatch(text)
    if found and not exists(text):
        return Target("fingerprint", host=found["host"].strip("[]").lower(), port=_port(int(found["port"])))
    if text[:5].lower() == "jdbc:":
        raise TargetError("an address for JDBC", hint="write it without jdbc:, as in postgresql://host:port")
    _, at, rest = text.rpartition("@")
    if at and HOST_PORT.fullmatch(rest):
        raise TargetError("a user or password before a bare host:port", hint="write it with a scheme")
    return file_target(text)


def _port(port: int) -> int:
    if not 0 < port < 65536:
        raise TargetError("a port outside 1 to 65535")
    return port


def _host(name: str) -> str:
    if not name:
        raise TargetError("an address without a host")
    if "," in name:
        raise TargetError("several hosts in one address", hint="name each server as a target of its own")
    if ":" not in name:
        name = (name if name.isascii() else name.encode("idna").decode()).lower()
    if not HOST.fullmatch(name):
        raise ValueError
    return name


def _query(parts: SplitResult) -> tuple[tuple[tuple[str, str], ...], tuple[tuple[str, Secret], ...]]:
    pairs = parse_qsl(parts.query, keep_blank_values=True, max_num_fields=50)
    plain = tuple((name, value) for name, value in pairs if not SECRET_OPTIONS.search(name))
    secret = tuple((name, Secret(value)) for name, value in pairs if SECRET_OPTIONS.search(name))
    return plain, secret


def _server(scheme: str, parts: SplitResult) -> Target:
    known = SCHEMES[scheme]
    options, secrets = _query(parts)
    if not PLACE.fullmatch(parts.netloc.rpartition("@")[2]):
        raise ValueError
    asked = tls_asked(known.kind, options)
    if known.tls and asked is False:
        raise TargetError(f"{scheme} is a scheme for TLS, and an option asks for none")
    return Target(
        known.kind,
        scheme=scheme,
        host=_host(parts.hostname or ""),
        port=_port(parts.port if parts.port is not None else known.port),
        tls=known.tls or bool(asked),
        path=unquote(parts.path).removeprefix("/"),
        options=options,
        user=unquote(parts.username) if parts.username is not None else None,
        secret=Secret(unquote(parts.password)) if parts.password else None,
        secrets=secrets,
        plain=asked is False,
    )


def _object_store(scheme: str, parts: SplitResult) -> Target:
    options, secrets = _query(parts)
    userinfo, _, bucket = parts.netloc.rpartition("@")
    if not bucket:
        raise TargetError(f"no bucket or account in the {scheme} address", hint=_expected(scheme))
    if not BUCKET.fullmatch(bucket):
        raise TargetError(f"no name of a bucket or account in the {scheme} address", hint=_expected(scheme))
    endpoint = dict(options).get("endpoint") or _public_endpoint(scheme, bucket, dict(options).get("region", ""))
    place = urlsplit(endpoint if "://" in endpoint else f"https://{endpoint}")
    if place.scheme not in ("http", "https") or "@" in endpoint or place.query or place.path.strip("/"):
        raise TargetError("the endpoint must be http://host:port or https://host:port and no more")
    tls = place.scheme == "https"
    if tls_asked(scheme, options) is (not tls):
        raise TargetError("the endpoint and an option differ on TLS", hint="write https:// or http:// there")
    user, colon, secret = userinfo.partition(":")
    return Target(
        scheme,
        scheme=scheme,
        host=_host(place.hostname or ""),
        port=_port(place.port or (443 if tls else 80)),
        tls=tls,
        path=f"{bucket}{unquote(parts.path)}".rstrip("/"),
        options=options,
        user=unquote(user) or None,
        secret=Secret(unquote(secret)) if colon else None,
        secrets=secrets,
    )


def _public_endpoint(scheme: str, bucket: str, region: str) -> str:
    if scheme == "azure":
        return f"https://{bucket}.blob.core.windows.net"
    if scheme == "gs":
        return "https://storage.googleapis.com"
    host = f"s3.{region}.amazonaws.com" if region else "s3.amazonaws.com"
    # A host of its own, so that a scope entry allows this bucket and no other; with a dot no certificate fits it.
    return f"https://{bucket}.{host}" if OWN_HOST.fullmatch(bucket) else f"https://{host}"
