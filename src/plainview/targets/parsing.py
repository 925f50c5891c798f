"""From the text of an address to a `Target`. No error repeats anything of the text: it may hold a secret."""

from __future__ import annotations

import re
from unicodedata import normalize
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from plainview.catalog import Bucket, Scheme, added, scheme_of, schemes, store_of, stores
from plainview.errors import TargetError
from plainview.targets.quoting import exists, has_secret_value, may_hold_secret, nearest
from plainview.targets.secret import Secret
from plainview.targets.target import Target
from plainview.targets.tls_options import tls_asked

SECRET_OPTIONS = re.compile(
    r"(?i)pass|pwd|secret|token|credential|(access|account|api|private)[_-]?key|^(key|auth|sig|signature)$"
)
OWN_HOST = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")  # buckets whose name can be part of a host
HOST_PORT = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+):(?P<port>[0-9]{1,5})")
SCHEME = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://")
HOST = re.compile(r"[a-z0-9_.-]+|[0-9a-fA-F:.]+(%[A-Za-z0-9_.-]{1,15})?")
PLACE = re.compile(r"(\[[^\[\]]*\]|[^:\[\]]*)(:[0-9]+)?")  # the host, and the port that may follow it
BUCKET = re.compile(r"[A-Za-z0-9_.-]+")


def parse_target(text: str) -> Target:
    """Return the target that `text` names. Raises TargetError, whose message repeats nothing of the text.

    `-` is the standard input. A file: an existing path, `file:` or `file://`, or what has no `://`, is not `host:port`
    and could hold no secret.
    """
    if "\0" in text or not text.strip():
        raise TargetError("an empty address, or one with a NUL in it")
    if text.strip() == "-":
        return Target("stdin", scheme="stdin")
    known = SCHEME.match(text.strip())
    scheme = scheme_of(known["scheme"].lower()) if known else None
    if exists(text) and not scheme:
        return Target("file", scheme="file", path=text)
    text = text.strip()
    if text.startswith("file:"):
        return _file_uri(text)
    if not known:
        return _bare(text)
    word = known["scheme"].lower()
    if scheme is None:
        raise TargetError("unknown kind of store", hint=_known_schemes(word))
    bucket = _bucket_of(scheme)
    try:
        parts = urlsplit(text)
        _no_loose_secret(scheme, text[known.end() :])
        return _object_store(scheme, bucket, parts) if bucket else _server(word, scheme, parts)
    except ValueError:  # its message quotes the address, so it is dropped, context and all
        pass
    raise TargetError(f"not an address of a {word} store", hint=_expected(word, bucket))


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
    also = {word: store.kind for store in stores().values() for word in store.also}
    near = also.get(scheme) or also.get(head) or nearest(head, schemes())
    if head in ("sqlite", "duckdb"):
        return "a database in a file is named by its path alone"
    broken = "".join(f"; {plugin}: {why}" for plugin, why in added()[1])
    return (f"did you mean {near}://? " if near else "") + "known: " + " ".join(sorted(schemes())) + broken


def _bucket_of(scheme: Scheme) -> Bucket | None:
    store = store_of(scheme.kind)
    return store.bucket if store else None


def _no_loose_secret(scheme: Scheme, rest: str) -> None:
    """Refuse an address in which a part of a secret may stand outside of the place where it is hidden.

    A `/`, `?` or `#` in a secret that is not escaped ends the part of the address that holds it: what follows it
    would be taken for a path or an option, be sent and be printed.
    """
    rest = normalize("NFKC", rest)
    tail = rest[re.match(r"[^/?#]*", rest).end() :]  # type: ignore[union-attr]  # matches always
    if "@" in tail:
        store = store_of(scheme.kind)
        if not (store and store.at_in_path) or ":" in rest[: rest.rfind("@")]:
            raise TargetError(
                "an @ behind the host of an address: is it part of a secret that holds / ? or #?",
                hint="percent-encode it: / is %2F, ? is %3F, # is %23, and an @ in a path is %40",
            )
    if has_secret_value(re.split(r"[?#]", tail)[0]):
        raise TargetError(
            "a secret in the path of an address", hint="put it into a file: docs/credentials.md; a = in a path is %3D"
        )


def _expected(scheme: str, bucket: Bucket | None) -> str:
    if bucket:
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


def _server(word: str, known: Scheme, parts: SplitResult) -> Target:
    options, secrets = _query(parts)
    if not PLACE.fullmatch(parts.netloc.rpartition("@")[2]):
        raise ValueError
    asked = tls_asked(known.kind, options)
    if known.tls and asked is False:
        raise TargetError(f"{word} is a scheme for TLS, and an option asks for none")
    return Target(
        known.kind,
        scheme=word,
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


def _object_store(known: Scheme, where: Bucket, parts: SplitResult) -> Target:
    scheme = known.kind
    options, secrets = _query(parts)
    userinfo, _, bucket = parts.netloc.rpartition("@")
    if not bucket:
        raise TargetError(f"no bucket or account in the {scheme} address", hint=_expected(scheme, where))
    if not BUCKET.fullmatch(bucket):
        raise TargetError(f"no name of a bucket or account in the {scheme} address", hint=_expected(scheme, where))
    endpoint = dict(options).get("endpoint") or _public_endpoint(where, bucket, dict(options).get("region", ""))
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


def _public_endpoint(where: Bucket, bucket: str, region: str) -> str:
    host = where.host.replace("<region>.", f"{region}." if region else "")
    # A host of its own, so that a scope entry allows this bucket and no other; with a dot no certificate fits it.
    own = where.first == "always" or (where.first == "if it fits" and OWN_HOST.fullmatch(bucket))
    return f"https://{bucket}.{host}" if own else f"https://{host}"


__all__ = ["file_target", "parse_target"]
