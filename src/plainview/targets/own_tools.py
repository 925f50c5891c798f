"""Credentials where the stores' own tools look for them: environment variables, and files in the home folder.

docs/credentials.md has the table. A variable or a file that names a place is for that place alone.
"""

from __future__ import annotations

import configparser
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from plainview.catalog import Environment, ToolFile, store_of, stores
from plainview.targets.credential import Credential
from plainview.targets.secret import Secret
from plainview.targets.target import Target
from plainview.targets.tls_options import MODES, modes_of

LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})


def around(target: Target, env: Mapping[str, str]) -> Credential | None:
    """Return what the environment and the file of a store's own tools hold for a target, or None."""
    if found := _in_environment(target, env):
        return found
    store = store_of(target.kind)
    path = _path(store.file, env) if store and store.file else None
    if path is None or store is None or store.file is None:
        return None
    try:
        return _FORMS[store.file.form](path, target, env)
    except (OSError, UnicodeError, configparser.Error):
        return None


def paths(env: Mapping[str, str]) -> tuple[Path, ...]:
    """Return which files are looked into for any kind of store, there or not."""
    found = (_path(store.file, env) for store in stores().values() if store.file)
    return tuple(path for path in found if path)


def _path(file: ToolFile, env: Mapping[str, str]) -> Path | None:
    """Return where a file of a store's tools is, or None without a home folder."""
    home = env.get("HOME")
    return Path(env.get(file.variable) or Path(home, file.home)) if home else None


# -- environment variables ------------------------------------------------------------------------------


def _in_environment(target: Target, env: Mapping[str, str]) -> Credential | None:
    """Return what environment variables hold for a target, where they are for its place."""
    names = _names(target)
    if names is None or not _for_place(names, target, env):
        return None
    user, secret, origin = env.get(names.user), env.get(names.secret), names.secret
    if names.user_with_secret and user and not secret:
        user, _, secret = user.partition(":")
        origin = names.user
    if not secret:
        return None
    session = env.get(names.session)
    return Credential(
        target.user or user,
        Secret(secret),
        origin=f"the environment variable {origin}",
        session=Secret(session) if session else None,
    )


def _names(target: Target) -> Environment | None:
    store = store_of(target.kind)
    return store.environment if store else None


def _for_place(names: Environment, target: Target, env: Mapping[str, str]) -> bool:
    """Tell whether the variables are for the host, port and account of a target: those that are not set fit all."""
    if names.user_is_bucket:
        return env.get(names.user, "") in ("", target.path.partition("/")[0])
    hosts, ports = _list(env.get(names.host)), _list(env.get(names.port))
    fits = not hosts or any(_same_host(host, target.host) for host in hosts)
    fits = fits and (not ports or str(target.port) in ports)
    places = _endpoints(names, env)
    return fits and (not places or any(_is_at(place, target) for place in places))


def promises_tls(target: Target, env: Mapping[str, str]) -> str:
    """Return who of the tools' settings promises TLS for a target, or an empty text. Its address counts first."""
    if target.plain or any(name == "sslmode" for name, _ in target.options):
        return ""
    store = store_of(target.kind)
    if store and store.file and store.file.form == "my.cnf":
        client = _client_of(_path(store.file, env))
        mode = client.get("ssl-mode", "").lower() or "preferred"
        asked = modes_of(store.kind).get(mode, True) or "ssl-verify-server-cert" in client
        return "the file .my.cnf" if asked else ""
    names = store.environment if store else None
    if names and names.sslmode:
        return names.sslmode if MODES.get(env.get(names.sslmode) or "prefer", True) else ""
    if names and any(place.tls for place in _endpoints(names, env) if _is_at(place, target)):
        return next(name for name in names.endpoints if env.get(name))
    return ""


class _Endpoint(NamedTuple):
    host: str
    port: int
    tls: bool


def _endpoints(names: Environment, env: Mapping[str, str]) -> list[_Endpoint]:
    """Return the endpoints that are set. One that is none fits no target."""
    text = next((env[name] for name in names.endpoints if env.get(name)), "")
    found = []
    for part in _list(text):
        try:
            place = urlsplit(part if "://" in part else f"http://{part}")
            tls = place.scheme == "https"
            found.append(_Endpoint(place.hostname or "", place.port or (443 if tls else 80), tls))
        except ValueError:
            found.append(_Endpoint("", 0, tls=True))
    return found


def _is_at(place: _Endpoint, target: Target) -> bool:
    return place.port == target.port and _same_host(place.host, target.host)


def _list(text: str | None) -> list[str]:
    return [part.strip() for part in (text or "").split(",") if part.strip()]


def _same_host(one: str, other: str) -> bool:
    return one.lower() == other or {one.lower(), other} <= LOCAL


# -- files of the stores' own tools ---------------------------------------------------------------------


def _pgpass(path: Path, target: Target, env: Mapping[str, str]) -> Credential | None:
    if not path.is_file() or path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        return None  # libpq ignores a file that others can read, and so do we
    wanted_user = target.user or env.get("PGUSER")
    for line in path.read_text(encoding="utf-8").splitlines():
        parts = [re.sub(r"\\(.)", r"\1", part) for part in re.findall(r"(?:^|:)((?:[^:\\]|\\.)*)", line)]
        if len(parts) != 5 or line.startswith("#"):
            continue
        host, port, database, user, secret = parts
        # Without a database in the address all of them are read: a line for one is not for the others.
        asked = ((host, target.host), (port, str(target.port)), (database, target.path))
        if all(given in ("*", value) for given, value in asked) and (not wanted_user or user in ("*", wanted_user)):
            user_name = wanted_user or (None if user == "*" else user)
            return Credential(user_name, Secret(secret), origin="the file .pgpass")
    return None


def _client_of(path: Path | None) -> dict[str, str]:
    """Return the section [client] of ~/.my.cnf; empty where there is none, or the file cannot be read."""
    parser = configparser.ConfigParser(allow_no_value=True, strict=False, interpolation=None)
    try:
        parser.read(path or (), encoding="utf-8")
        return {name.replace("_", "-"): _plain(value) for name, value in parser.items("client")}
    except (OSError, UnicodeError, configparser.Error):
        return {}


def _my_cnf(path: Path, target: Target, _env: Mapping[str, str]) -> Credential | None:
    client = _client_of(path)
    if "password" not in client:
        return None
    host, port = client.get("host") or "localhost", client.get("port") or "3306"
    if not _same_host(host, target.host) or str(target.port) != port:
        return None
    return Credential(target.user or client.get("user"), Secret(client["password"]), origin="the file .my.cnf")


def _plain(value: str | None) -> str:
    """Return a value of an option file of MySQL: without its quotation marks, escapes undone."""
    text = value or ""
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        text = text[1:-1]
    escapes = {"b": "\b", "t": "\t", "n": "\n", "r": "\r", "s": " ", "\\": "\\", '"': '"', "'": "'"}
    return re.sub(r"\\(.)", lambda found: escapes.get(found[1], found[0]), text)


def _aws_profile(path: Path, target: Target, env: Mapping[str, str]) -> Credential | None:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(path, encoding="utf-8")
    name, names = env.get("AWS_PROFILE", "default"), _names(target)
    if (names and not _for_place(names, target, env)) or not parser.has_option(name, "aws_secret_access_key"):
        return None
    profile = parser[name]
    session = profile.get("aws_session_token")
    return Credential(
        profile.get("aws_access_key_id"),
        Secret(profile["aws_secret_access_key"]),
        origin="the AWS profile",
        session=Secret(session) if session else None,
    )


_FORMS = {"pgpass": _pgpass, "my.cnf": _my_cnf, "aws": _aws_profile}


__all__ = ["around", "paths", "promises_tls"]
