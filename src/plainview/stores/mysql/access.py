"""The stranger's question to MySQL and MariaDB: what the greeting shows, and whether root needs a password."""

from __future__ import annotations

import re
from secrets import token_hex
from typing import TYPE_CHECKING

from plainview.errors import PlainviewError, ProtocolError, RefusedError
from plainview.stores.mysql.wire import Client, Greeting, ServerError
from plainview.stores.shared.prior_access import Named, prior_access

if TYPE_CHECKING:
    from plainview.stores.base import Verdict
    from plainview.targets.credential import Credential
    from plainview.wire import Wire

PERMISSION = "try_mysql_root"
NOBODY = re.compile(r"pv[0-9a-f]{12}")  # no longer than the 16 letters that old versions take
SYSTEM = frozenset({"mysql", "information_schema", "performance_schema", "sys"})
NUMBER = re.compile(r"[0-9]{1,3}\.[0-9]{1,3}(\.[0-9]{1,3})?")
ADMIN = re.compile(r"\b(ALL PRIVILEGES|SUPER|FILE|CREATE USER|SYSTEM_USER|SHUTDOWN|RELOAD)\b.* ON \*\.\* TO\b")
WRITE = re.compile(r"\b(ALL PRIVILEGES|INSERT|UPDATE|DELETE|DROP|ALTER|CREATE|TRUNCATE)\b.* ON \S.* TO\b")


def ask(wire: Wire, verdict: Verdict, named: str | None) -> str:
    """Fill the verdict; return the user that was let in. Raises NetworkErrors, ServerError."""
    with greet(wire) as client:
        greeting = client.greeting
        verdict.product, verdict.version = product(greeting)
        tls = "offers TLS" if wire.tls is None or wire.tls.offered else "offers no TLS"
        verdict.saw("reachable_metadata", f"the greeting shows its version to anybody; the server {tls}")
        if not wire.permits(PERMISSION):
            verdict.not_tried.append(
                "root with an empty password was not tried: it needs --try-mysql-root, or "
                f'permit = ["{PERMISSION}"] in the scope file'
            )
            return ""
        if refusal := _refused(client, named or "root", "mysql.empty_named" if named else "mysql.empty_root"):
            return _others(wire, verdict, named, refusal)
        verdict.saw("reachable_metadata", f"{_shown(named or 'root')} was let in without a password")
        _limit(client)
        _inside(client, verdict)
        return named or "root"


def _others(wire: Wire, verdict: Verdict, named: str | None, refusal: str) -> str:
    """Ask with root where another was asked, and with a name that cannot exist. Raises RefusedError."""
    nobody = f"pv{token_hex(6)}"
    for user, probe in (("root", "mysql.empty_root"), (nobody, "mysql.nobody"))[not named or named == "root" :]:
        with greet(wire) as client:
            if _refused(client, user, probe):
                continue
            verdict.saw("reachable_metadata", f"{_shown(user)} was let in without a password")
            if user == nobody:
                verdict.note("there is a nameless account: whoever connects is let in, by any name")
            _limit(client)
            _inside(client, verdict)
            return user
    asked = "root" if named in (None, "", "root") else "the user named in the address, root"
    verdict.left_out(f"only {asked} and a name that cannot exist were asked: others may need no password")
    raise RefusedError(f"{_shown(named or 'root')} without a password: {refusal}")


def _refused(client: Client, user: str, probe: str) -> str:
    """Log in with an empty answer; return why it was refused, or nothing."""
    try:
        client.log_in(probe, user, None)
    except RefusedError as error:
        return error.message
    return ""


def _shown(user: str) -> str:
    if user == "root":
        return "root"
    return "a user that cannot exist" if NOBODY.fullmatch(user) else "the user named in the address"


def greet(wire: Wire, credential: Credential | None = None) -> Client:
    """Return a connection that was greeted. Raises RefusedError where the address itself is refused."""
    try:
        return Client(wire, credential)
    except ServerError as error:
        if error.number in (1129, 1130):
            raise RefusedError("the server refuses this address before any login") from None
        raise ProtocolError(f"the server greeted with an error: {error.message}") from None


def product(greeting: Greeting) -> tuple[str, str | None]:
    """Return product and version by the words of the greeting."""
    text = greeting.version
    tail = text.removeprefix("5.5.5-") if greeting.is_mariadb else text
    named = "MariaDB" if greeting.is_mariadb else "TiDB" if "TiDB" in text else "MySQL"
    if named == "TiDB":
        tail = text.partition("TiDB-v")[2]
    found = NUMBER.search(tail)
    return named, found[0] if found else None


def _limit(client: Client) -> None:
    mariadb = client.greeting.is_mariadb
    tolerant(client, "mysql.ask_timeout_mariadb" if mariadb else "mysql.ask_timeout")
    client.query("mysql.ask_read_only")


def tolerant(client: Client, probe: str, **params: str) -> None:
    """Ask for a setting that old versions do not have."""
    try:
        client.query(probe, **params)
    except ServerError as error:
        if error.number not in (1193, 1064):  # unknown variable, syntax
            raise


def _inside(client: Client, verdict: Verdict) -> None:
    try:
        client.query("mysql.control")
    except ServerError:
        pass
    else:
        verdict.doubt("a table that cannot exist was answered: this may be no real server", honeypot=True)
    schemas = [row[0] or "" for row in client.query("mysql.schemas")]
    own = [name for name in schemas if name.lower() not in SYSTEM]
    rows = [row for row in client.query("mysql.tables") if len(row) == 4 and row[0] and row[1]]
    tables = [row for row in rows if row[2] != "VIEW"]
    counts = [int(row[3]) if row[3] and re.fullmatch(r"[0-9]{1,18}", row[3]) else None for row in tables]
    estimate = sum(count or 0 for count in counts)
    verdict.saw("lists", f"{len(own):,} databases with {len(tables):,} tables and about {estimate:,} rows were listed")
    if any(_zero_read(client, row[0] or "", row[1] or "") for row in tables[:5]):
        verdict.saw("reads", "a read of no rows was allowed")
    names = [*map(Named, own), *(Named(row[1] or "", count) for row, count in zip(tables, counts, strict=True))]
    verdict.prior_access += prior_access("mysql", names)
    _rights(client, verdict)


def _rights(client: Client, verdict: Verdict) -> None:
    grants = [row[0] or "" for row in client.query("mysql.grants") if row]
    verdict.rights("rights_api")
    if any(ADMIN.search(grant) for grant in grants):
        verdict.saw("admin", "SHOW GRANTS says that this user has an administrator's rights on the whole server")
    elif any(WRITE.search(grant) for grant in grants):
        verdict.saw("writes", "SHOW GRANTS says that this user may write")


def _zero_read(client: Client, schema: str, name: str) -> bool:
    try:
        client.query("mysql.zero_read", table=f"{quoted(schema)}.{quoted(name)}")
    except ServerError:
        return False
    return True


def quoted(name: str) -> str:
    """Return an identifier in backticks."""
    return "`" + name.replace("`", "``").replace("\0", "") + "`"


def log_in(wire: Wire, user: str, credential: Credential | None) -> Client:
    """Return a session for reading. Raises NetworkErrors, ServerError."""
    client = greet(wire, credential)
    try:
        client.log_in("mysql.login", user, credential.secret if credential else None, plain=wire.target.plain)
    except PlainviewError:
        client.close()
        raise
    return client


__all__ = ["ask", "greet", "log_in", "product", "quoted", "tolerant"]
