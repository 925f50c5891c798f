"""The stranger's question to MongoDB: what a connection without a login may do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from plainview.errors import ProtocolError, RefusedError
from plainview.stores.mongodb.answers import Document, Refusal
from plainview.stores.mongodb.wire import Mongo
from plainview.stores.shared.prior_access import Named, prior_access

if TYPE_CHECKING:
    from plainview.stores.base import Verdict
    from plainview.wire import Wire

VERSION = re.compile(r"[0-9]{1,3}\.[0-9]{1,3}\.[0-9A-Za-z.+-]{1,30}")
OWN = frozenset({"admin", "config", "local"})  # databases that the server makes itself
# Collections of the server's own that hold secrets; they are named, and never read.
GUARDED = frozenset({"system.users", "system.keys", "system.new_users", "system.backup_users"})
OPEN_TEXT = re.compile(r"(?i)access control is not enabled")
DATABASES, COUNTED = 50, 10  # asked for names; so few collections are asked for counts


class Question:
    """The stranger's question over one connection that was greeted."""

    def __init__(self, client: Mongo, verdict: Verdict, wire: Wire) -> None:
        self.client, self.verdict, self.wire = client, verdict, wire

    def ask(self) -> None:
        """Fill the verdict. Raises NetworkErrors."""
        self._hello(self.client.hello)
        if not isinstance(self.client.ask("mongodb.control"), Refusal):
            self.verdict.doubt("a command that no MongoDB has was not refused: it may answer everything", honeypot=True)
        build = self.client.ask("mongodb.build")
        version = build.get("version") if isinstance(build, dict) else None
        if isinstance(version, str) and VERSION.fullmatch(version):
            self.verdict.version = version
        databases = self._databases()
        theirs = self._read(databases)
        self._rights()
        self._count([name for name in databases if name not in OWN], theirs)

    def _hello(self, hello: Document) -> None:
        verdict = self.verdict
        verdict.product = "MongoDB"
        verdict.saw("reachable_metadata", "the greeting is answered without a login, as always")
        own = hello.get("me")
        for how in ("hosts", "passives", "arbiters"):
            members = hello.get(how)
            for member in members if isinstance(members, list) else ():
                if isinstance(member, str) and member != own:
                    self.wire.points_elsewhere("member", member)
        if hello.get("msg") == "isdbgrid":
            verdict.note("a router (mongos): it answers for the whole cluster")
        elif isinstance(hello.get("setName"), str):
            if hello.get("arbiterOnly") is True:
                role = "an arbiter, which holds no data"
            else:
                role = "its primary" if hello.get("ismaster") or hello.get("isWritablePrimary") else "a secondary"
            verdict.note(f"a member of a replica set: {role}; the other members were not asked")
        if hello.get("readOnly") is True:
            verdict.note("its storage is read-only now")

    def _databases(self) -> list[str]:
        """List the databases. An empty list proves nothing: a real server always has some of its own."""
        answer = self.client.ask("mongodb.list")
        if isinstance(answer, Refusal):
            if answer.denied:
                raise RefusedError(f"listDatabases was refused without a login (error {answer.code})")
            raise ProtocolError(f"listDatabases was answered with error {answer.code}")
        names = database_names(answer)
        if names:
            number = f"{len(names)} databases, {len(set(names) - OWN)} of them not the server's own"
            self.verdict.saw("lists", f"listDatabases is answered without a login: {number}")
            return names
        # MongoDB 4.0.0 to 4.0.4 do not know authorizedDatabases and hide what may not be seen.
        log = self.client.ask("mongodb.warnings")
        if isinstance(log, Refusal) and log.denied:
            raise RefusedError(f"listDatabases gave an empty list, getLog was refused without a login ({log.code})")
        if isinstance(log, Refusal):
            raise ProtocolError("listDatabases gave an empty list, which no open server has, and getLog an error")
        self.verdict.saw("lists", "getLog, an administrator's command, is answered without a login; no databases")
        return []

    def _read(self, databases: list[str]) -> list[tuple[str, str]]:
        """Is a read allowed? The collections of users first, the server's own where there are none."""
        theirs: list[tuple[str, str]] = []
        own: list[tuple[str, str]] = []
        for database in sorted(databases, key=lambda name: name in OWN)[:DATABASES]:
            answer = self.client.ask("mongodb.names", database)
            if isinstance(answer, dict):
                names = [item["name"] for item in _items(answer) if item.get("type") in (None, "collection")]
                readable = [(database, name) for name in names if name not in GUARDED]
                if database in OWN:
                    own += readable
                else:
                    theirs += [pair for pair in readable if not pair[1].startswith("system.")]
        if theirs:
            self.verdict.note(f"listCollections is answered without a login: {len(theirs):,} collections")
        for database, name in [*theirs, *own][:3]:
            answer = self.client.ask("mongodb.zero_read", database, collection=name)
            if isinstance(answer, dict) and isinstance(answer.get("cursor"), dict):
                self.verdict.saw("reads", "a find that asks for no field is allowed without a login")
                return theirs
        self.verdict.note("no find was allowed" if theirs or own else "there is no collection to read")
        return theirs

    def _count(self, databases: list[str], collections: list[tuple[str, str]]) -> None:
        """Count documents where collections are few, and look for names that intruders leave; asked last."""
        counts: dict[tuple[str, str], int] = {}
        try:
            for pair in collections if len(collections) <= COUNTED else ():
                counted = self.client.ask("mongodb.count", pair[0], collection=pair[1])
                number = counted.get("n") if isinstance(counted, dict) else None
                if isinstance(number, (int, float)) and 0 <= number < 1 << 62:  # not NaN either
                    counts[pair] = int(number)
        except ProtocolError:
            self.verdict.note("count gave no answer in time")
        if counts:
            self.verdict.note(f"count is answered without a login: {sum(counts.values()):,} documents")
        named = [Named(name) for name in databases]
        named += [Named(name, counts.get((database, name))) for database, name in collections]
        self.verdict.prior_access += prior_access("mongodb", named)

    def _rights(self) -> None:
        """Read the rights. Without a login there are none, unless access control is off: then there are all."""
        status = self.client.ask("mongodb.rights")
        about = status.get("authInfo") if isinstance(status, dict) else None
        log = self.client.ask("mongodb.warnings")
        lines = log.get("log") if isinstance(log, dict) else None
        says = isinstance(lines, list) and any(OPEN_TEXT.search(line) for line in lines if isinstance(line, str))
        if isinstance(about, dict) and about.get("authenticatedUsers") == []:
            self.verdict.rights("rights_api")
            words = "connectionStatus: nobody is logged in, and an administrator's commands are answered"
            self.verdict.saw("admin", words + ": access control is off")
        elif isinstance(about, dict):
            self.verdict.note("connectionStatus: a connection without a login runs as some user")
            return
        if says:
            if self.verdict.state != "admin":
                self.verdict.rights("config")
            self.verdict.saw("admin", "the server's own startup warnings say that access control is not enabled")
        elif self.verdict.state != "admin":
            self.verdict.rights("by_design")
            words = "with access control on, listDatabases is refused without a login: it is off"
            self.verdict.saw("admin", words, confidence="probable")


def database_names(answer: Document) -> list[str]:
    """Return the names of an answer to listDatabases. Raises ProtocolError."""
    found = answer.get("databases")
    if not isinstance(found, list):
        raise ProtocolError("not an answer to listDatabases")
    return [
        item["name"] for item in found if isinstance(item, dict) and isinstance(item.get("name"), str) and item["name"]
    ]


def items_of(answer: Document) -> list[Document] | None:
    """Return the documents of a cursor's first answer, None where it is none."""
    cursor = answer.get("cursor")
    some = cursor.get("firstBatch") if isinstance(cursor, dict) else None
    return [item for item in some if isinstance(item, dict)] if isinstance(some, list) else None


def _items(answer: Document) -> list[Document]:
    some = items_of(answer)
    if some is None:
        raise ProtocolError("not an answer to listCollections")
    return [item for item in some if isinstance(item.get("name"), str)]


__all__ = ["GUARDED", "Question", "database_names", "items_of"]
