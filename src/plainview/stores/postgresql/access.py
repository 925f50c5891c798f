"""The stranger's question to PostgreSQL: does it let a user in without a secret, and what may that user do."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from secrets import token_hex
from typing import TYPE_CHECKING

from plainview.errors import PlainviewError, ProtocolError, RefusedError, WithheldError
from plainview.report.model import Tls
from plainview.stores.postgresql.wire import SSL_REQUEST, Door, PasswordAskedError, ServerError, Session
from plainview.stores.shared.prior_access import Named, prior_access

if TYPE_CHECKING:
    from plainview.stores.base import Verdict
    from plainview.targets.credential import Credential
    from plainview.wire import Wire

USER = "postgres"  # the protocol cannot speak without a user name; this one is always there
POOLER = "08P01"  # PgBouncer's word for settings that it does not pass on
SECONDS = 15  # of one statement
DATABASES = 20  # that are looked into before the reading
VERSION = re.compile(r"([0-9]{1,3}(\.[0-9]{1,3}){0,2})([ (+-].*)?")
TEMPLATES = ("template0", "template1")


def open_session(wire: Wire, *, tls: bool, credential: Credential | None = None) -> Session:
    """Return a connection before its StartupMessage. Raises NetworkErrors."""
    connection = wire.connect(tls=False, credential=credential)
    session = Session(connection)
    try:
        if tls:
            with connection.exchange("postgresql.tls") as step:
                connection.send(SSL_REQUEST)
                answer = connection.exactly(1)
                step.done("S" if answer == b"S" else "N" if answer == b"N" else "other")
                if answer == b"S":
                    connection.start_tls()
                elif answer == b"N":
                    wire.tls = Tls(offered=False)
                    raise NoTlsError("the server offers no TLS")
                else:
                    raise ProtocolError("the answer to SSLRequest is neither S nor N: not PostgreSQL")
        else:
            connection.stay_plain()
    except PlainviewError:
        connection.close()
        raise
    return session


class NoTlsError(ProtocolError):
    """The server answered N."""


class UnknownRoleError(ProtocolError):
    """The server's rules let the connection in, and then there was no such role."""


def ask(wire: Wire, verdict: Verdict, database: str, user: str | None) -> Door:
    """Fill the verdict; return how the stranger came in. Raises NetworkErrors."""
    session, door = _let_in(wire, verdict, database, user)
    with session:
        how = "over TLS" if door.tls else "without TLS"
        verdict.saw("reachable_metadata", f"a connection as {_shown(door.user)} {how} was accepted without a secret")
        _product(session, verdict)
        _control(session, verdict)
        names = _databases(session, verdict)
        admin = _rights(session, verdict)
        tables = _tables(session, verdict)
    if not database:
        for name in [name for name in names if name != door.database][:DATABASES]:
            tables += _other(wire, verdict, door, name)
    if not any(table.readable for table in tables):
        verdict.note("no table that may be read was found")
    verdict.prior_access += prior_access(
        "postgresql", [*map(Named, names), *(Named(table.name, table.rows) for table in tables)]
    )
    if admin:
        verdict.saw("admin", admin)
    return door


def _let_in(wire: Wire, verdict: Verdict, database: str, user: str | None) -> tuple[Session, Door]:
    """Try the user of the address, the one that is always there, and one that cannot exist. Raises the first refusal.

    The rules of a server may trust some roles and not others. What asks a role that cannot exist for a password asks
    all that have no rule of their own; where it does not, whoever knows the name of a role is let in.
    """
    problems: list[PlainviewError] = []
    nobody = f"plainview_{token_hex(4)}"
    for name in dict.fromkeys((user or USER, USER, nobody)):
        door = Door(user=name, database=database or "postgres")
        try:
            return _enter(wire, verdict, door), door
        except (RefusedError, UnknownRoleError) as error:
            problems.append(error)
        except ProtocolError:
            if not problems:
                raise
    if unknown := next((error for error in problems if isinstance(error, UnknownRoleError)), None):
        raise unknown
    asked = USER if user in (None, "", USER) else f"the user named in the address and {USER}"
    verdict.left_out(
        f"only {asked} was asked, and a role that cannot exist, for one database: other roles and databases may have "
        "rules of their own that let them in without a secret"
    )
    raise problems[0]


def _enter(wire: Wire, verdict: Verdict, door: Door) -> Session:
    """Try the connection over TLS and without: the rules of a server may differ. Raises the first refusal."""
    refusal: PlainviewError | None = None
    for tls in (True, False):
        try:
            session = open_session(wire, tls=tls)
        except NoTlsError:
            continue
        except ProtocolError as error:
            if tls and error.message.startswith("tls_error"):
                verdict.note(error.message)
                continue
            raise
        door.tls = tls
        try:
            return _start(wire, session, door)
        except RefusedError as error:
            refusal = refusal or error
    raise refusal or ProtocolError("neither TLS nor plain text was understood")


def _start(wire: Wire, session: Session, door: Door) -> Session:
    """Log in without a secret. Raises RefusedError, ProtocolError."""
    tried = {door.database}
    while True:
        try:
            session.start("postgresql.startup", door, SECONDS)
        except PasswordAskedError as error:
            session.close()
            raise RefusedError(f"a connection as {_shown(door.user)} without a secret: {error.message}") from None
        except ServerError as error:
            session.close()
            if not _again(session, error, door, tried):
                raise _verdict_of(error, entered=session.trusted) from None
            session = open_session(wire, tls=door.tls)
            continue
        except PlainviewError:
            session.close()
            raise
        return session


def _again(session: Session, error: ServerError, door: Door, tried: set[str]) -> bool:
    """Change the door when another way may do; tell whether to try once more."""
    if error.code == POOLER and not door.pooler:
        door.pooler = True
    elif not session.trusted:
        return False
    elif error.code == "3D000" and "template1" not in tried:  # past the rules, but no such database
        door.database = "template1"
        tried.add("template1")
    else:
        return False
    return True


def _verdict_of(error: ServerError, *, entered: bool) -> PlainviewError:
    if error.code[:2] == "28" and not entered:
        return RefusedError("the server's rules refuse this address or user (no pg_hba.conf entry that lets it in)")
    if error.code[:2] == "28":
        return UnknownRoleError("no secret is asked for, but there is no user of that name to come in as")
    return ProtocolError(f"the connection was turned away: {error.message}")


def _product(session: Session, verdict: Verdict) -> None:
    text = session.parameters.get("server_version", "")
    found = VERSION.fullmatch(text)
    crdb, yugabyte = "crdb_version" in session.parameters, "-YB-" in text
    verdict.product = "CockroachDB" if crdb else "YugabyteDB" if yugabyte else "PostgreSQL"
    if crdb:
        found = re.search(r"v([0-9]{1,3}(\.[0-9]{1,3}){0,2})()", session.parameters["crdb_version"])
    verdict.version = found[1] if found else None


def _control(session: Session, verdict: Verdict) -> None:
    try:
        session.query("postgresql.control")
    except ServerError as error:
        if error.code != "42P01":
            verdict.doubt("a table that cannot exist was refused, but not for being absent")
    else:
        verdict.doubt("a table that cannot exist was answered: this may be no real PostgreSQL", honeypot=True)


def _databases(session: Session, verdict: Verdict) -> list[str]:
    rows = session.query("postgresql.databases")
    names = [row[0] or "" for row in rows if len(row) == 3 and row[1] == "t"]
    verdict.saw("lists", f"{len(rows):,} databases were listed without a credential")
    return [name for name in names if name not in TEMPLATES]


def _rights(session: Session, verdict: Verdict) -> str:
    """Return evidence of an administrator's rights, else an empty text."""
    rows = session.query("postgresql.rights")
    if len(rows) != 1 or len(rows[0]) != 7:
        return ""
    superuser, roles, create, standby, reads, writes, writes_all = (cell == "t" for cell in rows[0])
    verdict.rights("rights_api")
    if standby:
        verdict.note("a standby: it takes no writes while it is one")
    if superuser:
        return "pg_roles says that this user is a superuser, who may also read and write files and run programs"
    if writes or roles:
        return "pg_roles says that this user may " + (
            "write files of the server or run programs on it" if writes else "create databases or users"
        )
    if reads:
        verdict.saw("reads", "pg_has_role says that this user may read files of the server")
    if create or writes_all:
        verdict.saw("writes", "the server says that this user may create schemas or write all tables")
    return ""


@dataclass(frozen=True, slots=True)
class Seen:
    """A table as the catalogue shows it."""

    name: str
    rows: int | None
    readable: bool


def _tables(session: Session, verdict: Verdict, where: str = "") -> list[Seen]:
    """Count the tables of this database, prove a read of nothing, look at the right to write."""
    rows = [row for row in session.query("postgresql.tables") if len(row) == 6]
    seen = []
    proved = False
    for schema, name, kind, count, read, _ in rows:
        estimate = int(count) if count and re.fullmatch(r"[0-9]{1,18}", count) else None
        readable = read == "t" and kind in ("r", "m")
        seen.append(Seen(name or "", estimate, readable))
        if readable and not proved and schema and name:
            proved = _zero_read(session, schema, name)
    tables = sum(row[2] in ("r", "m", "p") for row in rows)
    estimated = sum(table.rows or 0 for table in seen if table.readable)
    views = sum(row[2] == "v" for row in rows)
    if tables:
        more = f" and {views:,} views, whose rows are those of tables" if views else ""
        verdict.saw("lists", f"{tables:,} tables{more} were listed{where}, with about {estimated:,} rows")
    if proved:
        verdict.saw("reads", f"a read of no rows was allowed{where}")
    writable = sum(row[5] == "t" and row[2] in ("r", "p") for row in rows)
    if writable:
        verdict.saw("writes", f"has_table_privilege says that {writable:,} tables{where} may be written to")
    return seen


def _zero_read(session: Session, schema: str, name: str) -> bool:
    try:
        session.query("postgresql.zero_read", table=f"{quoted(schema)}.{quoted(name)}")
    except ServerError:
        return False
    return True


def _other(wire: Wire, verdict: Verdict, door: Door, name: str) -> list[Seen]:
    """Look into another database of the server."""
    session = open_session(wire, tls=door.tls)
    try:
        session.start("postgresql.startup", replace(door, database=name), SECONDS)
        with session:
            return _tables(session, verdict, " in another database")
    except (ServerError, RefusedError):
        verdict.note("one database does not let this user in")
        return []
    finally:
        session.close()


def quoted(name: str) -> str:
    """Return an identifier in quotes."""
    return '"' + name.replace('"', '""').replace("\0", "") + '"'


def _shown(user: str) -> str:
    if user.startswith("plainview_"):
        return "a role that cannot exist"
    return user if user == USER else "the user named in the address"


def log_in(wire: Wire, door: Door, credential: Credential, seconds: int) -> Session:
    """Return a session with the user's own credential. Raises NetworkErrors, ServerError.

    TLS comes first, unless the address asks for none. A server that has none, or whose rules refuse this user over it,
    is asked in the clear where the gate lets the credential go that way.
    """
    refusal: PlainviewError | None = None
    for tls in (False,) if wire.target.plain else (True, False):
        try:
            return _log_in(wire, replace(door, tls=tls), credential, seconds)
        except NoTlsError as error:
            refusal = error
        except WithheldError as error:
            before = f"{refusal.message}; " if isinstance(refusal, RulesError) else ""
            raise WithheldError(before + error.message, hint=error.hint) from None
        except RulesError as error:
            refusal = refusal or error
    raise refusal or ProtocolError("neither TLS nor plain text was understood")


class RulesError(RefusedError):
    """The rules of the server (pg_hba.conf) refuse this user over such a connection."""


def _log_in(wire: Wire, door: Door, credential: Credential, seconds: int) -> Session:
    session = open_session(wire, tls=door.tls, credential=credential)
    try:
        session.start("postgresql.session", door, seconds, credential.secret)
    except ServerError as error:
        session.close()
        if error.code == POOLER and not door.pooler:
            return _log_in(wire, replace(door, pooler=True), credential, seconds)
        if error.code[:2] != "28":
            raise
        if error.code == "28P01":
            raise RefusedError("the credential was not accepted") from None
        raise RulesError(f"the credential was not accepted {'over' if door.tls else 'without'} TLS") from None
    except PlainviewError:
        session.close()
        raise
    return session


__all__ = ["Door", "ask", "log_in", "open_session", "quoted"]
