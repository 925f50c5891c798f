"""Where the user's own credentials come from. None is ever guessed, and none is asked of a store.

In this order: the credentials file, the target's own address, environment variables and files that the
users of each store know. docs/credentials.md has the table and an example of the file.
"""

from __future__ import annotations

import os
import re
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from plainview.errors import PlainviewError, UsageError
from plainview.targets.credential import Credential
from plainview.targets.own_tools import around, promises_tls
from plainview.targets.parsing import parse_target
from plainview.targets.quoting import quotable
from plainview.targets.secret import Secret
from plainview.targets.target import Target

KEYS = frozenset({"target", "user", "password", "token", "password_env", "token_env"})


@dataclass(frozen=True, slots=True)
class Credentials:
    """All that the user gave. `Credentials()` still reads the environment; `none()` reads nothing."""

    listed: tuple[tuple[Target, Credential], ...] = ()
    environment: Mapping[str, str] | None = field(default=None, repr=False)
    warnings: tuple[str, ...] = ()

    @classmethod
    def none(cls) -> Credentials:
        """Return a set that finds only what stands in a target's own address."""
        return cls(environment={})

    def find(self, target: Target) -> Credential | None:
        """Return the credential for a target, or None."""
        env = os.environ if self.environment is None else self.environment
        found = self._in_file(target) or _in_address(target) or around(target, env)
        return replace(found, tls=promises_tls(target, env)) if found and not found.tls else found

    def _in_file(self, target: Target) -> Credential | None:
        for listed, credential in self.listed:
            if _same_place(listed, target) and _as_safe(listed, target):
                return replace(credential, tls=credential.origin) if listed.tls else credential
        return None

    def withheld(self, target: Target) -> str:
        """Return why an entry of the file is not used for a target although it names the place, or an empty text."""
        for listed, credential in self.listed:
            if _same_place(listed, target) and not _as_safe(listed, target):
                return f"{credential.origin} is for TLS, and without TLS it is not sent: write {listed} as the target"
        return ""


def load_credentials(path: str | Path) -> Credentials:
    """Read a credentials file. Raises UsageError naming the file and the entry, never a secret."""
    path = Path(path)
    data, where = _loaded(path)
    if data is None:
        raise UsageError(f"{quotable(path, 'the credentials file')}{where}")
    items = data.get("credential")
    if not isinstance(items, list) or data.keys() != {"credential"}:
        raise UsageError(f"{path}: must hold [[credential]] entries and nothing else")
    listed = tuple(_entry(item, f"{path}, [[credential]] {number}", number) for number, item in enumerate(items, 1))
    open_to_others = path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)
    warnings = (f"{path} can be read by others: chmod 600",) if open_to_others else ()
    return Credentials(listed, warnings=warnings)


def _loaded(path: Path) -> tuple[dict[str, object] | None, str]:
    """Return what the file holds, or None and what is wrong with it: an error of the system quotes the path."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8")), ""
    except (OSError, UnicodeError, tomllib.TOMLDecodeError) as error:
        found = re.search(r"line [0-9]+", str(error))
        where = f", {found[0]}" if found and isinstance(error, tomllib.TOMLDecodeError) else ""
        return None, f"{where}: cannot be read ({type(error).__name__})"


def _entry(item: object, where: str, number: int) -> tuple[Target, Credential]:
    if not isinstance(item, dict) or not all(isinstance(value, str) for value in item.values()):
        raise UsageError(f"{where}: must be a table of texts")
    if item.keys() - KEYS:
        raise UsageError(f"{where}: an unknown key", hint="known: " + " ".join(sorted(KEYS)))
    if "target" not in item:
        raise UsageError(f"{where}: needs a target", hint='like target = "postgresql://db.internal"')
    try:
        target = parse_target(item["target"])
    except PlainviewError as error:
        raise UsageError(f"{where}: target: {error.message}", hint=error.hint) from None
    secrets = [name for name in ("password", "token", "password_env", "token_env") if name in item]
    if len(secrets) != 1:
        raise UsageError(f"{where}: needs exactly one of password, token, password_env, token_env")
    value = item[secrets[0]]
    if secrets[0].endswith("_env"):
        if value not in os.environ:
            raise UsageError(f"{where}: the environment variable that {secrets[0]} names is not set")
        value = os.environ[value]
    token = secrets[0].startswith("token")
    origin = f"entry {number} of the credentials file"
    return target, Credential(item.get("user"), Secret(value), token=token, origin=origin)


def _same_place(listed: Target, target: Target) -> bool:
    """Tell whether an entry is for a target: same kind, host and port; its path is a prefix."""
    place = (listed.kind, listed.host, listed.port) == (target.kind, target.host, target.port)
    path = listed.path.rstrip("/")
    return place and (not path or target.path == path or target.path.startswith(path + "/"))


def _as_safe(listed: Target, target: Target) -> bool:
    """Tell whether TLS is promised for a target where the entry promises it; STARTTLS settles it later, in the gate."""
    return not listed.tls or target.tls or (target.starttls and not target.plain)


def _in_address(target: Target) -> Credential | None:
    if target.secret:
        return Credential(target.user, target.secret, origin="the address itself")
    for name, secret in target.secrets:
        return Credential(target.user, secret, token="pass" not in name.lower(), origin="the address itself")
    return None


__all__ = ["Credential", "Credentials", "load_credentials"]
