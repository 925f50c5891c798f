"""The stranger's question to CouchDB and compatible servers: what a request without a credential may do."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from plainview.errors import ProtocolError
from plainview.stores.shared.prior_access import Named, prior_access

if TYPE_CHECKING:
    from plainview.stores.base import Verdict
    from plainview.wire.http import Http, Reply

VERSION = re.compile(r"[0-9]{1,3}\.[0-9]{1,3}[0-9A-Za-z.+-]{0,20}")
SERVER = re.compile(r"CouchDB/([0-9A-Za-z.+-]{1,30})")
REFUSED = (401, 403)
TRIED = 20  # databases that the read of nothing is tried on
MOST = 100_000  # names of databases


def ask(http: Http, verdict: Verdict, wanted: Sequence[str] = ()) -> None:
    """Fill the verdict; `wanted` are databases that the user named. Raises NetworkErrors."""
    _root(http.detect("couchdb.root"), verdict)
    control = http.ask("couchdb.control", none=f"plainview-{secrets.token_hex(8)}")
    try:
        _inside(http, verdict, wanted)
    finally:
        _control(control, verdict)


def _inside(http: Http, verdict: Verdict, wanted: Sequence[str]) -> None:
    """List the databases, ask for nothing of each, and read the rights."""
    names = _list(http, verdict)
    _session(http.ask("couchdb.session"), verdict)
    own = [name for name in names if name.startswith("_")]
    tried = [*wanted, *(name for name in names if name not in {*own, *wanted}), *own][:TRIED]
    counts = _zero_reads(http, verdict, tried)
    if verdict.state != "admin" and counts:
        _members(http, verdict, list(counts))
    named = [Named(name, counts.get(name)) for name in names if name not in own]
    verdict.prior_access += prior_access("couchdb", named)


def _root(reply: Reply, verdict: Verdict) -> None:
    """Tell the product by GET /, or by the way in which it is refused. Raises ProtocolError for others."""
    server = SERVER.match(reply.header("server"))
    if reply.status in REFUSED:
        words = f"GET / was refused without a credential ({reply.status})"
        if server:
            verdict.product = "CouchDB"
            verdict.version = server[1] if VERSION.fullmatch(server[1]) else None
            verdict.saw("auth_required", words)
        else:
            verdict.saw("auth_required", words + " by something that names no product", confidence="probable")
        return
    if 300 <= reply.status < 400:
        raise ProtocolError(f"GET / was redirected ({reply.status}): a login page or another place")
    if reply.looks_like_page:
        raise ProtocolError(f"GET / answered {reply.status} with a page for people: not CouchDB itself")
    if not reply.ok:
        raise ProtocolError(f"GET / answered {reply.status}: not CouchDB, or not ready")
    answer = _dict(reply.json())
    if answer.get("couchdb") == "Welcome":
        verdict.product = "CouchDB"
    elif isinstance(answer.get("express-pouchdb"), str):
        verdict.product = "PouchDB Server"
    else:
        raise ProtocolError("GET / answered without CouchDB's welcome: not CouchDB")
    version = str(answer.get("version"))
    verdict.version = version if VERSION.fullmatch(version) else None
    verdict.saw("reachable_metadata", "GET / answered without a credential")


def _control(reply: Reply, verdict: Verdict) -> None:
    """Expect a database that does not exist to be missing (404, JSON) or refused."""
    if reply.status in REFUSED:
        return
    if reply.status == 404 and b'"not_found"' in reply.body[:500]:
        verdict.note("negative control: a database that does not exist is answered with 404")
    elif reply.ok:
        verdict.doubt("a database that does not exist was answered with 200: it answers everything", honeypot=True)
    else:
        verdict.doubt(f"a database that does not exist was answered with {reply.status}, not with 404")


def _list(http: Http, verdict: Verdict) -> list[str]:
    reply = http.ask("couchdb.databases")
    if not reply.ok:
        how = "was refused" if reply.status in REFUSED else "answered"
        verdict.note(f"GET /_all_dbs {how} without a credential ({reply.status})")
        return []
    names = parse_names(reply.json())
    verdict.saw("lists", f"GET /_all_dbs answered 200 without a credential: {len(names):,} databases")
    return names


def parse_names(answer: Any) -> list[str]:
    """Return the names of databases. Raises ProtocolError."""
    if not isinstance(answer, list) or not all(isinstance(name, str) and name for name in answer):
        raise ProtocolError("not a list of databases")
    if len(answer) > MOST:
        raise ProtocolError(f"more than {MOST:,} databases")
    return answer


def _session(reply: Reply, verdict: Verdict) -> None:
    """While no administrator was made, CouchDB before 3.0 takes everybody for one ("admin party")."""
    user = _dict(_dict(reply.json()).get("userCtx")) if reply.ok else {}
    roles = user.get("roles")
    if not isinstance(roles, list):
        verdict.note("GET /_session does not say as whom a request without a credential is seen")
    elif user.get("name") is None and "_admin" in roles:
        verdict.rights("rights_api")
        verdict.saw("admin", "GET /_session: a request without a credential is an administrator")
    else:
        verdict.note("GET /_session: a request without a credential is no administrator")


def _zero_reads(http: Http, verdict: Verdict, names: Sequence[str]) -> dict[str, int]:
    """Ask for no document of each database; return the counts of those that may be read."""
    counts: dict[str, int] = {}
    refused = 0
    for name in names:
        reply = http.ask("couchdb.zero_read", database=name)
        refused += reply.status in REFUSED
        total = _dict(reply.json()).get("total_rows") if reply.ok else None
        if isinstance(total, int):
            counts[name] = total
    if counts:
        words = "a read of no document (limit=0) was allowed without a credential"
        documents = sum(counts.values())
        verdict.saw("reads", f"{words} on {len(counts):,} of {len(names):,} databases: {documents:,} documents")
    elif refused:
        verdict.note(f"a read of no document (limit=0) was refused on each of {refused:,} databases")
    return counts


def _members(http: Http, verdict: Verdict, names: Sequence[str]) -> None:
    """Look for databases without members: those are open to everybody, for writing too. Only counts are kept."""
    public = 0
    for name in names:
        reply = http.ask("couchdb.security", database=name)
        if not reply.ok:
            continue
        members = _dict(_dict(reply.json()).get("members"))
        public += not any(members.get(part) for part in ("names", "roles"))
        verdict.rights("rights_api")
    if public:
        words = f"GET /<database>/_security: {public:,} readable databases list no members"
        rule = "who may read such a database may write to it, unless a function in it refuses"
        verdict.saw("writes", f"{words}; {rule}", confidence="probable")


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


__all__ = ["REFUSED", "ask", "parse_names"]
