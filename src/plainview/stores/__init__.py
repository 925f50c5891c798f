"""The kinds of store: a folder each, with a `store.toml` (`plainview.catalog`) and a `source`, loaded when needed."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from plainview.catalog import store_of
from plainview.errors import MissingExtraError, UnsupportedError

if TYPE_CHECKING:
    from plainview.tables import Limits, Source
    from plainview.targets.credentials import Credentials
    from plainview.targets.scope import Scope
    from plainview.targets.target import Target
    from plainview.wire.limits import WireLimits


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
    if target.is_local_file:
        from plainview.files.source import FileSource

        return FileSource(target.path, limits=limits) if limits else FileSource(target.path)
    store = store_of(target.kind)
    if store is None:
        raise UnsupportedError(f"{target.kind} is not read by this version")
    module = f"{store.package}.source"
    try:
        maker: Any = getattr(import_module(module), store.source)
    except ModuleNotFoundError as error:
        if f"{module}.".startswith(f"{error.name}."):
            raise UnsupportedError(f"{target.kind} is not read by this version") from None
        hint = f"pip install 'plainview[{store.extra}]'" if store.extra else f"pip install {error.name}"
        raise MissingExtraError(f"a library for {target.kind} is not installed", hint=hint) from None
    opened: Source = maker(target, scope=scope, credentials=credentials, limits=limits, network=network)
    return opened
