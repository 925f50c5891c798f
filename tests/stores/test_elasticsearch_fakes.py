"""Elasticsearch and OpenSearch as they answer in states that the test servers do not show; and hostile servers."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable, Mapping

import pytest

from plainview.errors import PlainviewError, ProtocolError
from plainview.pipeline.scanner import Scanner
from plainview.stores import open_source
from plainview.stores.elasticsearch import pages
from plainview.tables import ReadLog
from plainview.targets.parsing import parse_target
from plainview.wire import WireLimits
from servers.base import CANARY
from servers.fake import always, drip, endless, fake, reset, silent
from servers.kit import no_canary, nothing_elsewhere, read_all

FAST = WireLimits(first_byte=0.5, probe=1.0, service=4.0)
Answer = tuple[int, object] | tuple[int, object, str]


def http(status: int, body: object, *headers: str) -> bytes:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} x", f"Content-Length: {len(data)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + data


def product(answers: Mapping[str, Answer | list[Answer]], other: Answer) -> Callable[[socket.socket, bytes], None]:
    """Answer by path without its query; a list of answers is given one after the other, the last again and again."""
    given: dict[str, int] = {}

    def behave(sock: socket.socket, data: bytes) -> None:
        while data:
            head, _, rest = data.partition(b"\r\n\r\n")
            if found := re.search(rb"Content-Length: ([0-9]+)", head):
                while len(rest) < int(found[1]):
                    rest += sock.recv(65536)
            path = data.split(b" ", 2)[1].decode().partition("?")[0]
            answer = answers.get(path, other)
            if isinstance(answer, list):
                at = given.get(path, 0)
                given[path] = at + 1
                answer = answer[min(at, len(answer) - 1)]
            sock.sendall(http(*answer))  # type: ignore[arg-type]
            data = sock.recv(65536)

    return behave


ELASTIC = "X-elastic-product: Elasticsearch"
ROOT = (200, {"version": {"number": "8.15.0"}, "tagline": "You Know, for Search"}, ELASTIC)
OPEN_ROOT = (200, {"version": {"number": "2.11.0", "distribution": "opensearch"}})
INDICES = (200, [{"index": "people", "status": "open", "docs.count": "3", "pri.store.size": "900"}])
COUNT = (200, {"hits": {"total": {"value": 3}}, "_shards": {"total": 1}})
MISSING = (404, {"error": {"root_cause": [{"type": "index_not_found_exception"}]}})
NO_HANDLER = (400, {"error": "no handler found for uri"})
DENIED = (403, {"error": {"root_cause": [{"type": "security_exception"}]}})
OPEN = {"/": ROOT, "/_cat/indices": INDICES, "/people/_search": COUNT, "/_cat/plugins": (200, [])}
OPEN["/_security/_authenticate"] = NO_HANDLER
OPENSEARCH = OPEN | {"/": OPEN_ROOT, "/_plugins/_security/authinfo": NO_HANDLER}
ANONYMOUS = OPEN | {"/_security/_authenticate": (200, {"username": "nobody", "roles": ["x"]})}
PRIVILEGES = "/_security/user/_has_privileges"
MAY_WRITE = (200, {"cluster": {"all": False, "manage": False}, "index": {"people": {"read": True, "write": True}}})
OLD_INDICES = [(400, {"error": "unrecognized parameter: [expand_wildcards]"}), INDICES]
OFF = (200, {"features": {"security": {"available": True, "enabled": False}}})

CASES: dict[str, tuple[dict[str, Answer | list[Answer]], tuple[str, str, str], str]] = {
    "security off, and it says so": (OPEN | {"/_xpack": OFF}, ("admin", "by_design", "proved"), "_xpack says"),
    "6.8 without security": (
        OPEN
        | {"/": (200, {"version": {"number": "6.8.23"}}), "/_cat/indices": OLD_INDICES}
        | {"/people/_search": (200, {"hits": {"total": 3}})},
        ("admin", "by_design", "proved"),
        "1 index, 3 documents",
    ),
    "7 where security was never chosen": (
        OPEN
        | {"/_security/_authenticate": (500, {"error": {"reason": "Security must be explicitly enabled when using"}})},
        ("admin", "by_design", "proved"),
        "does not exist",
    ),
    "a plugin of another maker": (
        OPEN | {"/_cat/plugins": (200, [{"component": "search-guard-flx"}])},
        ("reads", "unknown", "proved"),
        "a plugin that may ask",
    ),
    "anonymous may write": (ANONYMOUS | {PRIVILEGES: MAY_WRITE}, ("writes", "rights_api", "proved"), "write to 1"),
    "anonymous may write to what is read-only": (
        ANONYMOUS
        | {PRIVILEGES: MAY_WRITE, "/_cluster/settings": (200, {})}
        | {"/_all/_settings/index.blocks.*": (200, {"people": {"settings": {"index.blocks.write": "true"}}})},
        ("reads", "rights_api", "proved"),
        "set read-only",
    ),
    "anonymous may write to a cluster that is read-only": (
        ANONYMOUS
        | {PRIVILEGES: MAY_WRITE}
        | {"/_cluster/settings": (200, {"persistent": {"cluster.blocks.read_only": "true"}})},
        ("reads", "rights_api", "proved"),
        "set read-only",
    ),
    "anonymous manages the cluster": (
        ANONYMOUS | {PRIVILEGES: (200, {"cluster": {"manage": True}, "index": {}})},
        ("admin", "rights_api", "proved"),
        "may manage the cluster",
    ),
    "anonymous, and its rights are not told": (
        ANONYMOUS | {PRIVILEGES: DENIED},
        ("reads", "unknown", "proved"),
        "rights are not known",
    ),
    "OpenSearch without its plugin": (OPENSEARCH, ("admin", "by_design", "proved"), "does not exist"),
    "OpenSearch whose anonymous user may all": (
        OPENSEARCH | {"/_plugins/_security/authinfo": (200, {"roles": ["own_index", "all_access"]})},
        ("admin", "rights_api", "proved"),
        "all_access",
    ),
    "only the state of the cluster": (
        {"/": ROOT, "/_cat/indices": DENIED, "/people/_search": DENIED}
        | {"/_cluster/health": (200, {"indices": {"people": {"status": "green"}}})},
        ("lists", "unknown", "proved"),
        "names 1 index",
    ),
    "a list, and no document": (
        {"/": ROOT, "/_cat/indices": INDICES, "/people/_search": DENIED},
        ("lists", "unknown", "proved"),
        "refused on each of 1",
    ),
    "version only": ({"/": ROOT, "/_cat/indices": DENIED, "/_cluster/health": DENIED}, ("reachable_metadata", "unknown", "proved"), "was refused"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_documented_answers(name: str) -> None:
    answers, expected, words = CASES[name]
    with fake(product(answers, MISSING)) as (port, _), nothing_elsewhere(port):
        seen = open_source(parse_target(f"elasticsearch://127.0.0.1:{port}"), network=FAST).check_access()
    assert (seen.state, seen.rights_basis, seen.confidence) == expected, seen.evidence
    assert any(words in line for line in seen.evidence), seen.evidence


HONEST = ["unknown", "reachable_metadata"]
GUARDED = http(401, b"Unauthorized", 'WWW-Authenticate: Basic realm="OpenSearch Security"')
TOLD = http(401, b"", "X-OpenSearch-Version: OpenSearch/3.4.0 (opensearch)")


@pytest.mark.parametrize(
    ("behave", "states", "confidence", "words"),
    [
        (product({}, ROOT), HONEST, "looks_like_honeypot", "answers everything"),
        (product(OPEN, (200, {"hits": {"total": 0}})), ["admin"], "looks_like_honeypot", "answers everything"),
        (product(OPEN, (500, {})), ["admin"], "inconclusive", "answered with 500"),
        (always(http(200, b"<!DOCTYPE html><form>log in")), HONEST, "inconclusive", "page for people"),
        (always(http(302, b"", "Location: http://10.9.8.7/login")), HONEST, "inconclusive", "redirected"),
        (always(http(503, b"OpenSearch Security not initialized.")), HONEST, "inconclusive", "still starting"),
        (always(http(401, b"", "WWW-Authenticate: Basic realm=x")), ["auth_required"], "probable", "no product"),
        (always(GUARDED), ["auth_required"], "proved", "was refused"),
        (always(TOLD), ["auth_required"], "proved", "was refused"),
        (always(http(200, {"version": {"number": CANARY}})), HONEST, "inconclusive", "without a version"),
        (always(http(200, b'{"version":' * 900)), HONEST, "inconclusive", "nested deeper"),
        (always(http(200, b'{"version": ')), HONEST, "inconclusive", "not JSON"),
        (always(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"), HONEST, "inconclusive", ""),
        (always(b"\x16\x03\x01 canary.7f3a@example.org\r\n\r\n"), HONEST, "inconclusive", ""),
        (endless(b"HTTP/1.1 200 OK\r\n\r\n{", b" " * 65536), HONEST, "inconclusive", "longer than"),
        (drip(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", b"{" * 99, 0.05), HONEST, "inconclusive", ""),
        (silent, HONEST, "inconclusive", "no answer"),
        (reset, HONEST, "inconclusive", ""),
    ],
)  # fmt: skip
def test_hostile(behave, states: list[str], confidence: str, words: str) -> None:
    with fake(behave) as (port, _), nothing_elsewhere(port):
        seen = open_source(parse_target(f"elasticsearch://127.0.0.1:{port}"), network=FAST).check_access()
    assert seen.state in states
    assert seen.confidence == confidence, seen.evidence
    assert any(words in line for line in seen.evidence), seen.evidence
    assert seen.points_elsewhere == (("redirect to 10.9.8.7",) if words == "redirected" else ())
    no_canary(seen)


# -- reading ----------------------------------------------------------------------------------------------


def page(sources: list[object], *, total: int, scroll: str | None = None, failed: int = 0, **more: object) -> Answer:
    hits = [{"_index": "people", "_id": f"{n:020}", "_source": source} for n, source in enumerate(sources)]
    about = {"_shards": {"total": 2, "failed": failed}, "hits": {"total": {"value": total}, "hits": hits}, **more}
    return 200, about | ({"_scroll_id": scroll} if scroll else {})


def reading(search: Answer | list[Answer], scroll: list[Answer] | None = None, docs: int = 3, **more: Answer):
    listed = (200, [{"index": "people", "status": "open", "docs.count": str(docs), "pri.store.size": "900"}])
    search = search if isinstance(search, list) else [search]
    parts: dict[str, Answer | list[Answer]] = {"/_cat/indices": listed, "/people/_search": [COUNT, *search]}
    if scroll:
        parts["/_search/scroll"] = scroll
    return product(OPEN | parts | {f"/{name}": answer for name, answer in more.items()}, MISSING)


def read(behave) -> tuple[list[int], ReadLog, PlainviewError | None]:
    """Read the one index; return the heights of its frames, the log, and what was raised."""
    with fake(behave) as (port, _):
        source = open_source(parse_target(f"elasticsearch://127.0.0.1:{port}"), network=FAST)
        log, heights = ReadLog(), []
        try:
            for unit in source.units(log):
                for batch in source.read(unit, log):
                    heights.append(batch.frame.height)  # noqa: PERF401 - those before an error count
        except PlainviewError as error:
            no_canary(error, *log.skipped)
            return heights, log, error
        no_canary(*log.skipped)
        return heights, log, None


DOC = {"email": CANARY}
LONG = "DXF1ZXJ5QW5kRmV0Y2gBAAAAAAAAA=="


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "MOST", 2)
    monkeypatch.setattr(pages, "FEWEST", 1)
    monkeypatch.setattr(pages, "RETRIES", (0.01, 0.01))


def test_pretty_sources_and_line_breaks_are_one_row_each() -> None:
    body = json.dumps(page([DOC, {"a": {"b": "x\ny"}}, {}], total=3)[1], indent=3).encode()
    assert read(reading((200, body)))[0] == [3]


def test_hostile_sources_lose_no_row() -> None:
    docs = b'{"a":1},"_source":{"b":2}'
    odd = [{"text": '},{"_source":{"x":1'}, {"list": [{"_source": 1}, {"_source": {"a": [1]}}]}, {"_id": "field"}]
    assert read(reading(page(odd, total=3)))[0] == [3]
    twice = b'{"hits":{"total":{"value":1},"hits":[{"_id":"a","_source":' + docs + b"}]}}"
    assert read(reading((200, twice)))[0] == [1]


def test_half_of_it_is_told(small: None) -> None:
    first = page([DOC, DOC], total=5, scroll=LONG)
    heights, log, error = read(reading(first, [page([DOC], total=5, scroll=LONG), page([], total=5)], docs=5))
    assert heights == [2, 1]
    assert "3 of 5 documents came" in str(error)
    heights, _, error = read(reading(first, [(404, {"error": "No search context found"})], docs=5))
    assert heights == [2]
    assert "ended the search" in str(error)
    broken = page([DOC, DOC], total=3, scroll=LONG, failed=1, timed_out=True)
    heights, log, error = read(reading(broken, [page([], total=3, failed=1)]))
    assert heights == [2]
    assert error is None
    assert [why for _, why in log.skipped if "1 shards gave no answer" in why]
    assert [why for _, why in log.skipped if "half-way" in why]


def test_a_scroll_that_does_not_end_ends(small: None) -> None:
    again = page([DOC, DOC], total=5, scroll=LONG)
    heights, _, error = read(reading(again, [again], docs=5))
    assert heights == [2]  # the same documents again are no more documents
    assert "do not come to an end" in str(error)


@pytest.mark.parametrize("scroll", ["_all", "_all123456", "x" * 70_000, "a/../../b c"])
def test_the_id_of_a_scroll_must_be_one(small: None, scroll: str) -> None:
    heights, _, error = read(reading(page([DOC, DOC], total=5, scroll=scroll), docs=5))
    assert not heights
    assert isinstance(error, ProtocolError)


def test_a_busy_server_is_asked_again(small: None) -> None:
    busy = (429, {"error": "too busy"})
    assert read(reading([busy, page([DOC], total=1)], docs=1))[0] == [1]
    assert "too busy" in str(read(reading([busy], docs=1))[2])


def test_smaller_pages_where_an_index_asks_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = (400, {"error": "Result window is too large"})
    assert read(reading([refused, page([DOC, DOC], total=2)], docs=2))[0] == [2]


def test_an_index_without_permission_is_a_line() -> None:
    with fake(reading(DENIED)) as (port, _):
        source = open_source(parse_target(f"elasticsearch://127.0.0.1:{port}"), network=FAST)
        report = Scanner().scan_source(source, "x")
    assert [(line.what, line.why) for line in report.coverage.skipped] == [("people", "no permission to read it (403)")]


def test_field_names_alone_are_evidence() -> None:
    mapping = {"people": {"mappings": {"properties": {"email": {"type": "keyword"}, "born": {"type": "date"}}}}}
    old = {"people": {"mappings": {"doc": {"properties": {"a": {"properties": {"email": {"type": "text"}}}}}}}}
    for answer, names in ((mapping, ["email", "born"]), (old, ["a.email"])):
        behave = reading(page([], total=0), docs=0, **{"people/_mapping": (200, answer)})
        with fake(behave) as (port, _):
            frames, _ = read_all(open_source(parse_target(f"elasticsearch://127.0.0.1:{port}"), network=FAST))
        assert frames["people"].columns == names
        assert frames["people"].height == 0


# -- what the index counts and no search shows ------------------------------------------------------------

NESTED = {"people": {"mappings": {"properties": {"calls": {"type": "nested", "properties": {}}}}}}
FLAT = {"people": {"mappings": {"properties": {"email": {"type": "keyword"}}}}}
OFF = {"people": {"settings": {"index.refresh_interval": "-1"}}}


@pytest.mark.parametrize(
    ("line", "again", "mapping", "settings", "told"),
    [
        ({"docs.count": "3"}, 3, FLAT, {}, ""),
        ({"docs.count": "418000"}, 418_000, FLAT, {}, "3 of 418,000 documents came"),
        ({"docs.count": "418000"}, 418_000, FLAT, OFF, "refresh is switched off"),
        ({"docs.count": "9"}, 3, FLAT, {}, ""),  # deleted meanwhile
        ({"docs.count": "9"}, 12, FLAT, {}, "3 of 9 documents came"),  # it grows by less than what is missing
        ({"docs.count": "5"}, 9, FLAT, {}, ""),  # and here by more
        ({"docs.count": "9"}, 9, NESTED, {}, ""),
        ({"docs.count": "9"}, 9, NESTED, OFF, "refresh is switched off"),
        ({"docs.count": "3", "pri.segments.index_writer_memory": "4096"}, 3, FLAT, OFF, "refresh is switched off"),
        ({"docs.count": "3", "pri.segments.index_writer_memory": "4096"}, 3, FLAT, {}, ""),
        ({"docs.count": "3", "pri.segments.index_writer_memory": "0"}, 3, FLAT, OFF, ""),
    ],
)
def test_documents_that_are_counted_and_not_found_are_told(line, again: int, mapping, settings, told: str) -> None:
    listed = {"index": "people", "status": "open", "pri": "1", "docs.deleted": "0", "pri.store.size": "900"}
    answers = OPEN | {
        "/_cat/indices": (200, [listed | line]),
        "/_cat/indices/people": (200, [{"index": "people", "status": "open", "docs.count": str(again)}]),
        "/people/_search": [COUNT, page([DOC, DOC, DOC], total=3, scroll=LONG), page([], total=3)],
        "/people/_mapping": (200, mapping),
        "/_all/_settings/index.refresh_interval": (200, settings),
    }
    heights, log, error = read(product(answers, MISSING))
    assert (heights, error) == ([3], None)
    assert len(log.skipped) == bool(told)
    assert all(what == "people" and told in why for what, why in log.skipped)


@pytest.mark.parametrize(
    ("size", "deleted", "told"),
    [
        ("12500000", "0", "no document came, though the index holds 12,500,000 bytes"),
        ("12500000", "7000", ""),
        ("249", "0", ""),
    ],
)
def test_bytes_without_a_document_are_told(size: str, deleted: str, told: str) -> None:
    """An index that was filled and never refreshed; not one whose documents were deleted, or never were."""
    listed = {"index": "people", "status": "open", "pri": "1", "docs.count": "0", "docs.deleted": deleted}
    answers = OPEN | {
        "/_cat/indices": (200, [listed | {"pri.store.size": size}]),
        "/people/_search": [(200, {"hits": {"total": {"value": 0}}}), page([], total=0)],
        "/people/_mapping": (200, FLAT),
    }
    _, log, error = read(product(answers, MISSING))
    assert error is None
    assert [why.partition(" and none")[0] for _, why in log.skipped] == ([told] if told else [])


@pytest.mark.parametrize(("shards", "state"), [(1, "reads"), (0, "auth_required")])
def test_some_indices_for_everybody_are_found_without_a_name(shards: int, state: str) -> None:
    """An anonymous user that may list nothing (403, not 401) may still search some: a search over all finds them."""
    count = (200, {"hits": {"total": {"value": 3 * shards}}, "_shards": {"total": shards}})
    answers = {
        "/_all/_search": count,
        "/_resolve/index/*": (200, {"indices": [{"name": "people"}], "aliases": [], "data_streams": []}),
        "/people/_search": page([DOC, DOC, DOC], total=3, scroll=LONG),
    }
    behave = product(answers, DENIED)
    with fake(behave) as (port, _):
        exposure = open_source(parse_target(f"elasticsearch://127.0.0.1:{port}"), network=FAST).check_access()
    assert exposure.state == state, exposure.evidence
    if shards:
        heights, _, error = read(behave)
        assert (heights, error) == ([3], None)
