"""The catalogue of stores: what the `store.toml` of each says. It imports no store and reads nothing until asked.

One folder for one kind of store, in `stores/` or in a package of somebody else that names the folder with an entry
point of the group `plainview.stores`. In it stand `store.toml` and the module `source`, whose class reads the store.

    kind = "redis"                    # the word of reports; in `stores/` the name of the folder
    source = "RedisSource"            # the class
    also = ["kv"]                     # what people call it elsewhere: a guess for a message, never an address
    [schemes]                         # of its addresses, each with its usual port
    rediss = { port = 6379, tls = true }
    [environment]                     # where its own tools look for the user's credential: see `Environment`
    [file]                            # and the file of them: see `ToolFile`
    [bucket]                          # an address names a bucket, and the host where no endpoint is given: see `Bucket`

Behind these stand lists, which are parsed when they are asked for: `[[probe]]`, its requests (`wire.probes`);
`[[step]]` and `[[sign]]`, by which a bare host:port is known (`stores.fingerprint.signs`); `[[prior_access]]`, names
that intruders leave in this kind alone (`stores.shared.prior_access`); `[[fix]]`, how it is closed (`assess.steps`).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

import msgspec
import tomli

from plainview import plugins
from plainview.errors import StoreError

FOLDER = Path(__file__).parent / "stores"
FILE = "store.toml"
LISTS = {"probe", "step", "sign", "prior_access", "fix"}


class Scheme(NamedTuple):
    """What a scheme means: the kind of store, its usual port, and whether TLS is spoken.

    `starttls`: every connection begins in the clear, and both sides agree on TLS there.
    """

    kind: str
    port: int
    tls: bool = False
    starttls: bool = False


class Environment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The environment variables of a store's own tools: user and secret, and for which place they are."""

    secret: str
    user: str = ""
    user_with_secret: bool = False  # the one for the user may hold USER:SECRET
    user_is_bucket: bool = False  # the user is the first part of a target's path, and the secret for that one alone
    session: str = ""
    host: str = ""
    port: str = ""
    endpoints: tuple[str, ...] = ()  # the first that is set counts
    sslmode: str = ""


class ToolFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file of a store's own tools: how it is written, its path in the home folder, the variable that moves it."""

    form: Literal["pgpass", "my.cnf", "aws"]
    home: str
    variable: str = ""


class Bucket(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The host where an address names none, and whether the bucket's name is the first part of it.

    `<region>.` is left out where no region is given.
    """

    host: str
    first: Literal["never", "if it fits", "always"] = "never"


class _Port(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    port: int
    tls: bool = False
    starttls: bool = False


class Store(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the head of a `store.toml` says. `package` and `folder` are where it stands."""

    kind: str
    source: str
    ports: dict[str, _Port] = msgspec.field(name="schemes", default={})
    also: tuple[str, ...] = ()
    at_in_path: bool = False  # an @ may stand in a path
    bucket: Bucket | None = None
    environment: Environment | None = None
    file: ToolFile | None = None
    sslmodes: dict[str, Literal["yes", "no", "maybe"]] = {}  # words for TLS beside those of libpq: is it spoken
    extra: str = ""  # which installs its driver
    package: str = ""
    folder: str = ""

    @property
    def schemes(self) -> dict[str, Scheme]:
        """The words that its addresses begin with."""
        return {name: Scheme(self.kind, port.port, port.tls, port.starttls) for name, port in self.ports.items()}

    @property
    def lists(self) -> Mapping[str, list[dict[str, Any]]]:
        """The lists behind the head, by name. Parsed anew each time. Raises StoreError."""
        try:
            whole = tomli.loads(Path(self.folder, FILE).read_text(encoding="utf-8"))
        except (OSError, UnicodeError, tomli.TOMLDecodeError) as error:
            raise StoreError(f"{FILE} cannot be read ({type(error).__name__})") from None
        found = {name: value for name, value in whole.items() if isinstance(value, list) and name not in _HEAD}
        if unknown := whole.keys() - _HEAD - LISTS:
            raise StoreError(f"{FILE}: unknown keys {sorted(unknown)}")
        return found


_HEAD = {field.encode_name for field in msgspec.structs.fields(Store)}


def read_store(folder: Path, package: str) -> Store:
    """Return the store of a folder. Raises StoreError."""
    try:
        text = (folder / FILE).read_text(encoding="utf-8")
        head = tomli.loads(text.partition("\n[[")[0])
        store = msgspec.convert({**head, "package": package, "folder": str(folder)}, Store)
    except (OSError, UnicodeError) as error:
        raise StoreError(f"{FILE} cannot be read ({type(error).__name__})") from None
    except (tomli.TOMLDecodeError, msgspec.ValidationError) as error:
        raise StoreError(f"{FILE}: {error}") from None
    if not plugins.NAME.fullmatch(store.kind) or not store.source.isidentifier():
        raise StoreError(f"{FILE}: kind or source is no name")
    return store


@cache
def ours() -> Mapping[str, Store]:
    """Return the stores of this package by kind."""
    folders = sorted(file.parent for file in FOLDER.glob(f"*/{FILE}"))
    found = (read_store(folder, f"plainview.stores.{folder.name}") for folder in folders)
    return MappingProxyType({store.kind: store for store in found})


@cache
def added() -> tuple[Mapping[str, Store], tuple[tuple[str, str], ...]]:
    """Return the stores of other packages by kind, and (plugin, why) of those that cannot be used."""
    kinds, problems = dict[str, Store](), list[tuple[str, str]]()
    taken = {"file"}.union(*map(_words, ours().values()))
    for plugin in plugins.installed(plugins.STORES):
        try:
            store = read_store(plugins.folder(plugin), plugin.module)
            _check_added(store, taken)
        except (Exception, SystemExit) as error:  # noqa: BLE001  code of others: whatever it raises, the run goes on
            problems.append((plugin.title, f"its store is not used: {plugins.why_not(error)}"))
        else:
            taken |= _words(store)
            kinds[store.kind] = store
    return MappingProxyType(kinds), tuple(problems)


def _words(store: Store) -> set[str]:
    return {store.kind, *store.ports}


def _check_added(store: Store, taken: set[str]) -> None:
    if not store.ports:
        raise StoreError(f"{FILE}: no scheme")
    if _words(store) & taken:
        raise StoreError(f"{FILE}: its kind or a scheme is that of another store")


def stores() -> dict[str, Store]:
    """Return all stores by kind: those of this package, then those of others."""
    return {**ours(), **added()[0]}


def store_of(kind: str) -> Store | None:
    """Return the store of a kind, or None: a file is none. Other packages are looked at where this one has it not."""
    if kind in ("", "file"):
        return None
    return ours().get(kind) or added()[0].get(kind)


@cache
def _our_schemes() -> Mapping[str, Scheme]:
    return MappingProxyType({name: scheme for store in ours().values() for name, scheme in store.schemes.items()})


def schemes() -> dict[str, Scheme]:
    """Return what each scheme means, those of other packages last."""
    return {**_our_schemes(), **{k: v for store in added()[0].values() for k, v in store.schemes.items()}}


def scheme_of(name: str) -> Scheme | None:
    """Return what a scheme means, or None. Other packages are looked at where this one has it not."""
    return _our_schemes().get(name) or schemes().get(name)


__all__ = [
    "Bucket",
    "Environment",
    "Scheme",
    "Store",
    "ToolFile",
    "added",
    "ours",
    "read_store",
    "scheme_of",
    "schemes",
    "store_of",
    "stores",
]
