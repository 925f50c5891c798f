"""A target: the address of a store or a file, as the user wrote it. Its text never shows a credential.

`host` and `port` are always where a socket would connect to, for object stores too: there they come
from `endpoint`, and `path` is `bucket/prefix`. Whether the address may be asked is `scope`'s business.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import quote

from plainview.catalog import scheme_of, store_of
from plainview.targets.secret import Secret

# The only options whose value is ever printed, and of these only what can be no secret; others appear as `***`.
PRINTED_OPTIONS = frozenset({"endpoint", "region", "sslmode", "database", "tls", "ssl"})
PRINTED_VALUE = re.compile(r"[A-Za-z0-9_.:/\[\]-]*")


@dataclass(frozen=True, slots=True)
class Target:
    """A parsed address.

    `kind` names the module that reads it ("redis", "file"; "stdin" for what is piped
    in, "fingerprint" for a bare `host:port`),
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
        scheme = scheme_of(self.scheme)
        return scheme is not None and scheme.starttls

    @property
    def is_local_file(self) -> bool:
        """True for a path in the file system."""
        return self.kind == "file"

    @property
    def is_local(self) -> bool:
        """True for files and for the standard input."""
        return self.kind in ("file", "stdin")

    @property
    def carries_secret(self) -> bool:
        """True when a secret stood in the address itself: worth a warning (shell history, process list)."""
        return bool(self.secret or self.secrets)

    def __str__(self) -> str:
        if self.kind == "file":
            return f"file:{self.path}"
        if self.kind == "stdin":
            return "stdin"
        if self.kind == "fingerprint":
            return self.address
        shown = [_printed(name, value) for name, value in self.options] + ["***"] * len(self.secrets)
        query = "?" + "&".join(dict.fromkeys(shown)) if shown else ""
        path = quote(self.path, safe="/:@+,;=!$()*~", errors="backslashreplace")
        store = store_of(self.kind)
        if store is not None and store.bucket:
            return f"{self.scheme}://{path}{query}"
        return f"{self.scheme}://{self.address}{'/' if path else ''}{path}{query}"

    __repr__ = __str__

    def __reduce__(self) -> tuple[object, ...]:
        # A pickled target has lost its secret: credentials are looked up again where it arrives.
        values = (self.kind, self.scheme, self.host, self.port, self.tls, self.path, self.options)
        return (Target, (*values, None, None, (), self.plain))


def _printed(name: str, value: str) -> str:
    return f"{name}={value}" if name in PRINTED_OPTIONS and PRINTED_VALUE.fullmatch(value) else "***"
