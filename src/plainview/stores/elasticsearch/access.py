"""The stranger's question to Elasticsearch and OpenSearch: what a request without a credential may do."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from plainview.errors import ProtocolError
from plainview.stores.elasticsearch.answers import (
    Index,
    dict_of,
    is_true,
    parse_health,
    parse_indices,
    shards,
    total,
)
from plainview.stores.shared.prior_access import Named, prior_access

if TYPE_CHECKING:
    from plainview.stores.base import Verdict
    from plainview.wire.http import Http, Reply

VERSION = re.compile(r"[0-9]{1,3}\.[0-9]{1,3}[0-9A-Za-z.-]{0,20}")
REFUSED = (401, 403)
ABSENT = re.compile(rb'"error" *: *"(no handler found|Incorrect HTTP method)')
OFF = re.compile(rb"(?i)security (is not|must be explicitly) enabled")
GUARDS = re.compile(r"(?i)security|guard|readonlyrest|auth")
TRIED = 5  # indices that the read of nothing is tried on
ASKED = 200  # indices whose rights are asked for


@dataclass(slots=True)
class Found:
    """What was learnt on the way."""

    indices: list[Index] = field(default_factory=list)
    opensearch: bool | None = None  # None: not known which of the two
    refused: bool = False  # something was refused: there is a guard
    forbidden: bool = False  # with 403: whoever asks is somebody, and may be allowed something else


def ask(http: Http, verdict: Verdict, wanted: Sequence[str] = ()) -> None:
    """Fill the verdict; `wanted` are index names that the user wrote. Raises NetworkErrors."""
    found = Found()
    _root(http.detect("elasticsearch.root"), verdict, found)
    control = http.ask("elasticsearch.control", none=f"plainview-{secrets.token_hex(8)}")
    try:
        _inside(http, verdict, found, wanted)
    finally:
        _control(control, verdict)


def _inside(http: Http, verdict: Verdict, found: Found, wanted: Sequence[str]) -> None:
    """List the indices, search for nothing in a few, and read the rights."""
    listed = _list(http, verdict, found)
    reads = _zero_read(http, verdict, found, wanted) if listed or wanted or found.forbidden else False
    if reads:
        if verdict.version is None:
            _version(http, verdict)
        _rights(http, verdict, found)
    named = [Named(i.name, i.docs, i.created) for i in found.indices if not i.hidden]
    verdict.prior_access += prior_access("elasticsearch", named)


def _root(reply: Reply, verdict: Verdict, found: Found) -> None:
    """Tell the product by GET /, or by the way in which it is refused. Raises ProtocolError for others."""
    elastic = reply.header("x-elastic-product") == "Elasticsearch"
    if reply.status in REFUSED:
        _refusal(reply, verdict, found)
        return
    if reply.status == 503 and b"not initialized" in reply.body[:200]:
        raise ProtocolError("its security is still starting (503): neither open nor closed yet, ask again")
    if 300 <= reply.status < 400:
        raise ProtocolError(f"GET / was redirected ({reply.status}): a login page or another place")
    if reply.looks_like_page:
        raise ProtocolError(f"GET / answered {reply.status} with a page for people: not Elasticsearch itself")
    if elastic and not reply.ok and reply.status < 500:
        verdict.product, found.opensearch = "Elasticsearch", False
        verdict.saw("reachable_metadata", f"GET / is not served ({reply.status}), the answer names Elasticsearch")
        return
    if not reply.ok:
        raise ProtocolError(f"GET / answered {reply.status}: not Elasticsearch, or not ready")
    version = dict_of(dict_of(reply.json()).get("version"))
    number, distribution = str(version.get("number")), version.get("distribution")
    if not VERSION.fullmatch(number):
        raise ProtocolError("GET / answered without a version: not Elasticsearch")
    found.opensearch = distribution == "opensearch"
    verdict.product = "OpenSearch" if found.opensearch else "Elasticsearch"
    verdict.version = number
    verdict.saw("reachable_metadata", "GET / answered without a credential")
    if not found.opensearch and not elastic and _at_least(number, 7, 14):
        verdict.note("the header X-elastic-product is missing: a proxy or an imitation stands between")


def _refusal(reply: Reply, verdict: Verdict, found: Found) -> None:
    words = f"GET / was refused without a credential ({reply.status})"
    found.refused, found.forbidden = True, reply.status == 403
    stated = re.fullmatch(r"OpenSearch/([0-9A-Za-z.-]{1,30}) .*", reply.header("x-opensearch-version"))
    if stated or "OpenSearch Security" in reply.header("www-authenticate"):
        verdict.product, found.opensearch = "OpenSearch", True
        if stated and VERSION.fullmatch(stated[1]):
            verdict.version = stated[1]
    elif b'"security_exception"' in reply.body[:2000]:
        verdict.product, found.opensearch = "Elasticsearch", False
    if verdict.product:
        verdict.saw("auth_required", words)
    else:
        verdict.saw("auth_required", words + " by something that names no product", confidence="probable")


def _control(reply: Reply, verdict: Verdict) -> None:
    """Expect an index that cannot exist to be missing (404, JSON) or refused."""
    if reply.status in REFUSED or verdict.state in ("unknown", "unreachable"):
        return
    if reply.status == 404 and b'"index_not_found_exception"' in reply.body[:1000]:
        verdict.note("negative control: an index that does not exist is answered with 404")
    elif reply.ok:
        verdict.doubt("an index that cannot exist was answered with 200: it answers everything", honeypot=True)
    else:
        verdict.doubt(f"an index that cannot exist was answered with {reply.status}, not with 404")


def _list(http: Http, verdict: Verdict, found: Found) -> bool:
    reply = http.ask("elasticsearch.indices")
    if reply.status == 400:
        reply = http.ask("elasticsearch.indices_old")
    if reply.status in REFUSED:
        found.refused, found.forbidden = True, reply.status == 403
        verdict.note(f"GET /_cat/indices was refused without a credential ({reply.status})")
        return reply.status == 403 and _list_by_health(http, verdict, found)
    if not reply.ok:
        verdict.note(f"GET /_cat/indices answered {reply.status}: the indices could not be listed")
        return False
    found.indices = parse_indices(reply.json())
    docs = sum(index.docs or 0 for index in found.indices)
    words = f"GET /_cat/indices answered 200 without a credential: {len(found.indices):,} indices, {docs:,} documents"
    verdict.saw("lists", words)
    return True


def _list_by_health(http: Http, verdict: Verdict, found: Found) -> bool:
    """Names of indices also stand in the state of the cluster, which other rights guard."""
    reply = http.ask("elasticsearch.health")
    if not reply.ok:
        return False
    found.indices = parse_health(reply.json())
    if found.indices:
        words = f"GET /_cluster/health names {len(found.indices):,} indices without a credential"
        verdict.saw("lists", words)
    return bool(found.indices)


def _zero_read(http: Http, verdict: Verdict, found: Found, wanted: Sequence[str]) -> bool:
    """May a search be run? One that returns nothing but a count, on a few indices until one is allowed."""
    usable = [i for i in found.indices if not i.closed]
    usable.sort(key=lambda i: (i.hidden, not i.docs))
    names = [*wanted, *(i.name for i in usable if i.name not in wanted)][:TRIED] or ["_all"]
    refused = 0
    for name in names:
        reply = http.ask("elasticsearch.zero_read", index=name)
        if reply.ok and not (name == "_all" and shards(reply.json()) == 0):  # of all that it may: of none
            count = total(reply.json())
            words = "a search for no document (size=0) was allowed without a credential"
            verdict.saw("reads", f"{words}: it counts {count:,} documents in one index")
            return True
        refused += reply.status in REFUSED
    if refused:
        found.refused = True
        verdict.note(f"a search for no document (size=0) was refused on each of {refused} indices")
    return False


def _version(http: Http, verdict: Verdict) -> None:
    reply = http.ask("elasticsearch.version")
    lines = reply.json() if reply.ok else []
    number = str(dict_of(lines[0]).get("version")) if isinstance(lines, list) and lines else ""
    if VERSION.fullmatch(number):
        verdict.version = number


def _rights(http: Http, verdict: Verdict, found: Found) -> None:
    """Ask the product's own security as whom it sees us; where it has none, who connects does everything."""
    absent = True
    if found.opensearch is not True:
        reply = http.ask("elasticsearch.who")
        if reply.ok:
            _privileges(http, verdict, found)
            return
        absent = _is_absent(reply)
    if found.opensearch is not False:
        reply = http.ask("elasticsearch.authinfo")
        if reply.ok:
            _authinfo(dict_of(reply.json()), verdict)
            return
        absent = absent and _is_absent(reply)
    if not absent or found.refused:
        verdict.note("what else is allowed could not be asked")
        return
    _by_design(http, verdict, found)


def _is_absent(reply: Reply) -> bool:
    return bool(ABSENT.search(reply.body[:200]) or OFF.search(reply.body[:2000]))


def _by_design(http: Http, verdict: Verdict, found: Found) -> None:
    reply = http.ask("elasticsearch.plugins")
    parts = reply.json() if reply.ok else []
    names = [str(dict_of(line).get("component")) for line in parts] if isinstance(parts, list) else []
    if any(map(GUARDS.search, names)):
        verdict.note("a plugin that may ask for credentials in its own way is installed: rights are not known")
        return
    words = "the address of its security API does not exist"
    if found.opensearch is not True:
        reply = http.ask("elasticsearch.features")
        state = dict_of(dict_of(reply.json()).get("features")).get("security") if reply.ok else None
        if dict_of(state).get("enabled") is False:
            words = "GET /_xpack says that security is off"
    verdict.rights("by_design")
    verdict.saw("admin", f"{words}: who can connect may read, change and delete everything")
    if blocked := _blocked(http, found):
        verdict.note(f"{len(blocked):,} indices are set read-only, which the same stranger can undo")


def _privileges(http: Http, verdict: Verdict, found: Found) -> None:
    """Ask Elasticsearch which privileges a request without a credential has (an anonymous user)."""
    names = [i.name for i in found.indices if not i.closed][:ASKED] or ["*"]
    reply = http.ask("elasticsearch.privileges", names=names)
    if not reply.ok:
        verdict.note(f"GET /_security/user/_has_privileges answered {reply.status}: rights are not known")
        return
    verdict.rights("rights_api")
    answer = dict_of(reply.json())
    cluster, each = dict_of(answer.get("cluster")), dict_of(answer.get("index"))
    if cluster.get("all") is True or cluster.get("manage") is True:
        verdict.saw("admin", "_has_privileges: a request without a credential may manage the cluster")
        return
    may = ("write", "delete", "manage")
    writable = {n for n, rights in each.items() if any(dict_of(rights).get(r) is True for r in may)}
    blocked = _blocked(http, found) if writable else frozenset()
    if writable - blocked:
        verdict.saw("writes", f"_has_privileges: a request without a credential may write to {len(writable):,} indices")
    elif writable:
        verdict.note(f"it may write to {len(writable):,} indices by its rights, but all of them are set read-only")
    else:
        verdict.note("_has_privileges: a request without a credential may not write")


def _authinfo(answer: Mapping[str, Any], verdict: Verdict) -> None:
    """OpenSearch tells the roles of a request, by name only."""
    roles = answer.get("roles")
    names = {str(role) for role in roles} if isinstance(roles, list) else set()
    if "all_access" in names or "admin" in {str(r) for r in answer.get("backend_roles") or ()}:
        verdict.rights("rights_api")
        verdict.saw("admin", "authinfo: a request without a credential has the role all_access")
    else:
        words = f"authinfo: a request without a credential has {len(names)} roles"
        verdict.note(f"{words}; OpenSearch does not say what they allow, so writing is not known")


def _blocked(http: Http, found: Found) -> frozenset[str]:
    """Return the indices that are set read-only."""
    reply = http.ask("elasticsearch.cluster_blocks")
    settings = dict_of(reply.json()) if reply.ok else {}
    keys = ("cluster.blocks.read_only", "cluster.blocks.read_only_allow_delete")
    if any(is_true(dict_of(part).get(key)) for part in settings.values() for key in keys):
        return frozenset(index.name for index in found.indices)
    reply = http.ask("elasticsearch.index_blocks")
    each = dict_of(reply.json()) if reply.ok else {}
    per_index = ("index.blocks.read_only", "index.blocks.write", "index.blocks.read_only_allow_delete")
    settings = {name: dict_of(dict_of(about).get("settings")) for name, about in each.items()}
    return frozenset(name for name, given in settings.items() if any(is_true(given.get(key)) for key in per_index))


def _at_least(version: str, major: int, minor: int) -> bool:
    first, second = re.findall(r"[0-9]+", version)[:2]
    return (int(first), int(second)) >= (major, minor)


__all__ = ["ask"]
