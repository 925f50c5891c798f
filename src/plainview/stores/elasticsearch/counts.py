"""Whether all documents of an index came: what a search shows, held against what the index says it holds.

A search sees documents from the next refresh on. With `refresh_interval: -1`, as while an index is filled, there is no
next one: the index counts documents, or holds bytes, that no search shows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plainview.stores.elasticsearch import answers
from plainview.stores.shared.paging import Paging

if TYPE_CHECKING:
    from plainview.stores.elasticsearch.answers import Index
    from plainview.stores.elasticsearch.places import Place
    from plainview.wire.http import Http

BARE = 64 << 10  # bytes of a shard without a document: a few hundred, seen on 7.17 to 9.0
OFF = "its refresh is switched off (refresh_interval -1): what was written since the last one is in no search"


def unseen(http: Http, place: Place, came: int) -> str:
    """Return what is missing of a place of which `came` documents were found, or nothing."""
    if place.docs is None:
        return ""
    if place.docs == came == 0 and not place.deleted and (place.size or 0) > BARE * max(1, place.shards):
        why = f"no document came, though the index holds {place.size:,} bytes and none was deleted"
        return f"{why}: {OFF}" if place.unrefreshed else why
    short = ""
    if came < place.docs:
        counted = Paging(http.wire, "the documents do", said=place.docs, recount=lambda: _count(http, place))
        short = counted.short("documents", came=came)
    if short and not place.unrefreshed and _nested(http, place):
        return ""  # nested documents are counted by the index, and come inside of others
    if place.unrefreshed and (short or place.buffered):
        return f"{short}: {OFF}" if short else OFF
    return short


def unrefreshed(http: Http) -> set[str]:
    """Return the indices whose refresh is switched off."""
    reply = http.ask("elasticsearch.refresh")
    answer: Any = reply.json() if reply.ok else {}
    each = answer.items() if isinstance(answer, dict) else ()
    return {name for name, about in each if _setting(about).startswith("-")}


def _setting(about: Any) -> str:
    settings = about.get("settings") if isinstance(about, dict) else None
    return str(settings.get("index.refresh_interval", "")) if isinstance(settings, dict) else ""


def _count(http: Http, place: Place) -> int | None:
    reply = http.ask("elasticsearch.count", index=place.expression)
    parts: list[Index] = answers.parse_indices(reply.json()) if reply.ok else []
    return sum(part.docs or 0 for part in parts) if parts else None


def _nested(http: Http, place: Place) -> bool:
    reply = http.ask("elasticsearch.mapping", index=place.expression)
    return reply.ok and b'"nested"' in reply.body


__all__ = ["unrefreshed", "unseen"]
