"""Where the user's own credentials come from. None is ever guessed, and none is asked of a store.

In this order: the credentials file, the target's own address, environment variables and files that the
users of each store know. docs/credentials.md has the table and an example of the file.
"""

from __future__ import annotations

import configparser
import os
import re
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from plainview.errors import PlainviewError, UsageError
from plainview.targets.quoting import quotable
from plainview.targets.secret import Secret
from plainview.targets.target import Target, parse_target

# kind -> (variable of the user, variable of the secret), as the stores' own tools read them.
VARIABLES = {
    "postgresql": ("PGUSER", "PGPASSWORD"),
    "mysql": ("", "MYSQL_PWD"),
    "redis": ("", "REDISCLI_AUTH"),
    "clickhouse": ("CLICKHOUSE_USER", "CLICKHOUSE_PASSWORD"),
    "etcd": ("ETCDCTL_USER", "ETCDCTL_PASSWORD"),
    "s3": ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
    "azure": ("AZURE_STORAGE_ACCOUNT", "AZURE_STORAGE_KEY"),
}
HOST_VARIABLES = {"postgresql": "PGHOST", "mysql": "MYSQL_HOST", "clickhouse": "CLICKHOUSE_HOST"}
KEYS = frozenset({"target", "user", "password", "token", "password_env", "token_env"})


@dataclass(frozen=True, slots=True)
class Credential:
    """A user name, a secret, or both. `token` for one that is sent alone (API key, bearer, SAS).

    `origin` says in words where it came from, for the report.
    """

    user: str | None = field(default=None, repr=False)
    secret: Secret | None = field(default=None, repr=False)
    token: bool = False
    origin: str = ""
    session: Secret | None = field(default=None, repr=False)  # AWS session token


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
        for listed, credential in self.listed:
            if _same_place(listed, target):
                return credential
        return _in_address(target) or self._around(target)

    def _around(self, target: Target) -> Credential | None:
        """Look where the tools of the store look."""
        env = os.environ if self.environment is None else self.environment
        host = env.get(HOST_VARIABLES.get(target.kind, ""), "")
        user_name, secret_name = VARIABLES.get(target.kind, ("", ""))
        if env.get(secret_name) and host in ("", target.host):
            user, secret = env.get(user_name) or target.user, env[secret_name]
            session = Secret(env["AWS_SESSION_TOKEN"]) if env.get("AWS_SESSION_TOKEN") else None
            return Credential(user, Secret(secret), origin=f"environment variable {secret_name}", session=session)
        home = Path(env["HOME"]) if env.get("HOME") else None
        if home is None:
            return None
        try:
            return _FILES.get(target.kind, _no_file)(home, target, env)
        except (OSError, UnicodeError, configparser.Error):
            return None


def load_credentials(path: str | Path) -> Credentials:
    """Read a credentials file. Raises UsageError naming the file and the entry, never a secret."""
    path = Path(path)
    data, where = _loaded(path)
    if data is None:
        raise UsageError(f"{quotable(path, 'the credentials file')}{where}")
    items = data.get("credential")
    if not isinstance(items, list) or data.keys() != {"credential"}:
        raise UsageError(f"{path}: must hold [[credential]] entries and nothing else")
    listed = tuple(_entry(item, f"{path}, [[credential]] {number}") for number, item in enumerate(items, 1))
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


def _entry(item: object, where: str) -> tuple[Target, Credential]:
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
    return target, Credential(item.get("user"), Secret(value), token=token, origin="credentials file")


def _same_place(listed: Target, target: Target) -> bool:
    """Tell whether an entry is for a target: same kind, host and port; its path is a prefix."""
    place = (listed.kind, listed.host, listed.port) == (target.kind, target.host, target.port)
    path = listed.path.rstrip("/")
    return place and (not path or target.path == path or target.path.startswith(path + "/"))


def _in_address(target: Target) -> Credential | None:
    if target.secret:
        return Credential(target.user, target.secret, origin="the address itself")
    for name, secret in target.secrets:
        return Credential(target.user, secret, token="pass" not in name.lower(), origin="the address itself")
    return None


# -- files of the stores' own tools ---------------------------------------------------------------------


def _no_file(_home: Path, _target: Target, _env: Mapping[str, str]) -> Credential | None:
    return None


def _pgpass(home: Path, target: Target, env: Mapping[str, str]) -> Credential | None:
    path = Path(env.get("PGPASSFILE") or home / ".pgpass")
    if not path.is_file() or path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        return None  # libpq ignores a file that others can read, and so do we
    wanted_user = target.user or env.get("PGUSER")
    for line in path.read_text(encoding="utf-8").splitlines():
        parts = [re.sub(r"\\(.)", r"\1", part) for part in re.findall(r"(?:^|:)((?:[^:\\]|\\.)*)", line)]
        if len(parts) != 5 or line.startswith("#"):
            continue
        host, port, database, user, secret = parts
        asked = ((host, target.host), (port, str(target.port)), (database, target.path or database))
        if all(given in ("*", value) for given, value in asked) and (not wanted_user or user in ("*", wanted_user)):
            return Credential(wanted_user or (None if user == "*" else user), Secret(secret), origin=".pgpass")
    return None


def _my_cnf(home: Path, target: Target, _env: Mapping[str, str]) -> Credential | None:
    parser = configparser.ConfigParser(allow_no_value=True, strict=False, interpolation=None)
    if not parser.read(home / ".my.cnf", encoding="utf-8") or not parser.has_option("client", "password"):
        return None
    client = dict(parser.items("client"))
    host, port = client.get("host") or "localhost", client.get("port") or "3306"
    hosts = {host, "127.0.0.1", "::1", "localhost"} if host == "localhost" else {host}
    if target.host not in hosts or str(target.port) != port:
        return None
    secret = (client.get("password") or "").strip("\"'")
    return Credential(target.user or client.get("user"), Secret(secret), origin=".my.cnf")


def _aws_profile(home: Path, _target: Target, env: Mapping[str, str]) -> Credential | None:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(env.get("AWS_SHARED_CREDENTIALS_FILE") or home / ".aws" / "credentials", encoding="utf-8")
    name = env.get("AWS_PROFILE", "default")
    if not parser.has_option(name, "aws_secret_access_key"):
        return None
    profile = parser[name]
    session = profile.get("aws_session_token")
    return Credential(
        profile.get("aws_access_key_id"),
        Secret(profile["aws_secret_access_key"]),
        origin="AWS profile",
        session=Secret(session) if session else None,
    )


_FILES = {"postgresql": _pgpass, "mysql": _my_cnf, "s3": _aws_profile}
