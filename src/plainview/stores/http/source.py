"""A directory that a web server lists: its index pages are walked, its files read. Nothing else is followed.

Pages of nginx, Apache, lighttpd, Caddy, rclone and Python's http.server were looked at, others are known by words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from secrets import token_hex
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, unquote_to_bytes, urlsplit

from lxml import etree

from plainview.errors import PlainviewError, ProtocolError, RefusedError, UnreachableError
from plainview.stores.base import Verdict
from plainview.stores.objects.base import BY_NAME, NOT_TRIED, Object, ObjectSource
from plainview.stores.objects.names import size_of, trouble
from plainview.stores.shared.paging import Paging
from plainview.wire.authorization import authorization

if TYPE_CHECKING:
    from plainview.wire.authorization import Draft, Reveal
    from plainview.wire.http import Http, Reply

DEPTH = 32  # folders inside folders: a link of the file system may lead round in a circle
FOLDERS = 20_000
FILES, BARE = 10, 2_000  # files that make a folder full; folders that may hold none
PEEKED = 3  # folders that are looked into for a first file
SERVER = re.compile(
    r"(nginx|openresty|Apache|lighttpd|Caddy|SimpleHTTP|rclone|Microsoft-IIS|Jetty|Werkzeug|Tengine)\b"
    r"(?:[/(]v?([0-9][0-9.]{0,15}))?"
)
HEADING = re.compile(r"(?i)\s*(?:index of\b|directory listing (?:for|of)\b|listing of\b|directory: ?/)")
IIS = re.compile(r"[^\s]+ - /")
TABLE = "//*[contains(concat(' ', normalize-space(@class), ' '), ' listing ')]//tr"
ROWS = {"file", "goup", "empty"}  # classes of their rows
NO_LISTING = "a web page, not a listing: what lies in the folder is not known"


@dataclass(slots=True)
class Listing:
    """What an index page names: files with their sizes where it gives them exactly, folders, and other hosts."""

    files: list[tuple[bytes, int | None]] = field(default_factory=list)
    folders: list[bytes] = field(default_factory=list)
    elsewhere: dict[str, None] = field(default_factory=dict)


class HttpListingSource(ObjectSource):
    """Each file below the target's folder is a unit."""

    kind = "http"

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.root = self.target.path.encode("utf-8", "surrogateescape")

    # -- the stranger's question ----------------------------------------------------------------------

    def ask(self, verdict: Verdict) -> None:
        """Ask what a stranger may do."""
        verdict.not_tried.append(NOT_TRIED)
        folder = not self.root or self.root.endswith(b"/")
        with closing(self.stranger()) as http:
            reply = http.detect(f"{self.kind}.{'folder' if folder else 'head'}", path=self.root)
            self._tls = http.tls
            found = SERVER.match(reply.header("server"))
            if found:
                verdict.product, verdict.version = found[1], found[2]
            self._refused(reply, verdict)
            nowhere = self.root.rpartition(b"/")[0] + b"/plainview-" + token_hex(8).encode()
            control = http.ask("http.control", path=nowhere.lstrip(b"/"))
            if control.ok:
                verdict.doubt("a path that cannot exist was answered: it may answer everything", honeypot=True)
            if folder:
                self._folder(http, reply, verdict)
            elif reply.looks_like_page:
                raise ProtocolError("a web page, and no file or listing")
            else:
                self._single = Object(self.root, self._name(self.root), size_of(reply.header("content-length")))
                verdict.saw("reads", "HEAD of the file was answered without a credential")

    def _refused(self, reply: Reply, verdict: Verdict) -> None:
        """Raise for an answer that shows nothing."""
        if reply.status in (401, 403, 407):
            if reply.status == 403:
                verdict.not_tried.append(BY_NAME)
            raise RefusedError(f"the path was refused without a credential ({reply.status})")
        if reply.status in (404, 410):
            raise UnreachableError(f"there is nothing at that path ({reply.status})")
        if 300 <= reply.status < 400:
            slash = urlsplit_of(reply.header("location")).path.endswith("/") and not self.root.endswith(b"/")
            hint = ": write the address with a slash at its end" if slash else ""
            raise ProtocolError(f"a redirect ({reply.status}), not followed{hint}")
        if not reply.ok:
            raise ProtocolError(f"the path was answered with {reply.status}")

    def _folder(self, http: Http, reply: Reply, verdict: Verdict) -> None:
        listing = self._parse(reply, self.root)
        if listing is None:
            raise ProtocolError("a page, but no listing of a directory")
        self._listed = True
        verdict.saw(
            "lists",
            f"a stranger is shown the folder: {len(listing.files):,} files and {len(listing.folders):,} folders",
        )
        things = [self._file(key, size) for key, size in listing.files]
        for folder in listing.folders[:PEEKED] if not things else ():
            inner = self._parse(http.ask("http.folder", path=folder), folder)
            things += [self._file(key, size) for key, size in inner.files] if inner else []
        self.try_objects(http, things, verdict)
        self.signs(things, verdict)

    # -- listing and reading --------------------------------------------------------------------------

    def listing(self, http: Http) -> Iterator[Object]:
        """Yield all files, folder by folder; a folder that cannot be listed is an object that says why."""
        if self._single is not None:
            yield self._single
            return
        folders, seen = [(self.root, 0)], 0
        walk = Paging(self.wire, "the folders do", size=FILES, empty=BARE, free=BARE)
        while folders:
            path, depth = folders.pop()
            seen += 1
            if seen > FOLDERS or depth > DEPTH:
                limit = f"{DEPTH} folders deep" if depth > DEPTH else f"{FOLDERS:,} folders"
                yield Object(path, self._name(path), None, f"not looked into: more than {limit}")
                continue
            try:
                listing = self._page(http, path)
            except PlainviewError as error:
                if path == self.root:
                    raise
                yield Object(path, self._name(path), None, str(error))
                continue
            walk.page(len(listing.files), mark=path)
            yield from (self._file(key, size) for key, size in listing.files)
            folders += [(folder, depth + 1) for folder in reversed(listing.folders)]

    def _page(self, http: Http, path: bytes) -> Listing:
        reply = self.ask_page(http, "http.page", path=path)
        if reply.status in (401, 403):
            raise RefusedError(f"its listing was refused to {self.asker} ({reply.status})")
        if not reply.ok:
            raise ProtocolError(f"its listing was answered with {reply.status}")
        listing = self._parse(reply, path)
        if listing is None:
            raise ProtocolError(NO_LISTING)
        for host in listing.elsewhere:
            self.wire.points_elsewhere("link", host)
        return listing

    def _parse(self, reply: Reply, path: bytes) -> Listing | None:
        scheme = "https" if self.tls else "http"
        return parse(reply.body, path, (scheme, self.target.host, self.target.port)) if reply.looks_like_page else None

    def _file(self, key: bytes, size: int | None) -> Object:
        name = self._name(key)
        return Object(key, name, size, trouble(name) if b"\xef\xbf\xbd" not in key else "")

    def _name(self, key: bytes) -> str:
        base = self.root.rpartition(b"/")[0]
        return key.removeprefix(base + b"/" if base else b"").decode("utf-8", "backslashreplace")

    def params(self, thing: Object) -> dict[str, object]:
        """Return the holes of a request for a file."""
        return {"path": thing.key}

    def dress(self, draft: Draft, reveal: Reveal) -> Draft:
        """Add the user's name and password, or token."""
        credential = self.login
        if credential is None or credential.secret is None:
            raise RefusedError("a credential for a web server is a user and a password, or a token")
        return draft.adding({"Authorization": authorization(credential, reveal)})


def urlsplit_of(text: str) -> SplitResult:
    """Return the parts of an address; of one that is none, empty parts."""
    try:
        parts = urlsplit(text.strip())
        _ = parts.port  # raises as well
    except ValueError:
        return SplitResult("", "", "", "", "")
    return parts


def parse(page: bytes, here: bytes, origin: tuple[str, str, int]) -> Listing | None:
    """Return what an index page of the folder `here` lists, None for a page that is no index.

    `here` is the percent-decoded path without its first slash, with its last. Only links to entries of this very
    folder count; hosts that other links name are collected.
    """
    parser = etree.HTMLParser(no_network=True, huge_tree=False, encoding="utf-8")
    try:
        root = etree.fromstring(page, parser)
    except (etree.XMLSyntaxError, ValueError):
        return None
    if root is None or not _is_index(root):
        return None
    found = Listing()
    seen: set[bytes] = set()
    for link in root.iter("a"):
        entry = _entry(link.get("href") or "", here, origin, found)
        if not entry or entry in seen:
            continue
        seen.add(entry)
        if entry.endswith(b"/"):
            found.folders.append(here + entry)
        else:
            found.files.append((here + entry, _size(link)))
    return found


def _size(link: Any) -> int | None:
    """Return the size that an index gives for a file, if it is exact: sizes like 1.2K are not."""
    row = next(link.iterancestors("tr"), None)
    if row is not None and (exact := row.get("data-size")):  # rclone
        return size_of(exact)
    last = (link.tail or "").split()[-1:]  # "24-Nov-2026 11:05   1234"
    return size_of(last[0]) if last else None


def _is_index(root: Any) -> bool:
    """Tell an index by its heading, or by the table of Caddy and rclone, which has rows when empty, too."""
    headings = [
        text for name in ("title", "h1", "h2") for node in root.iter(name) if (text := "".join(node.itertext()))
    ]
    if any(HEADING.match(text) or (IIS.match(text) and "/" in text) for text in headings[:6]):
        return True
    return any(ROWS & set((row.get("class") or "").split()) for row in root.xpath(TABLE))


def _entry(href: str, here: bytes, origin: tuple[str, str, int], found: Listing) -> bytes:
    """Return the name of the entry that a link of the folder's index leads to, with a slash if a folder; or nothing."""
    parts = urlsplit_of(href)
    if parts.scheme or parts.netloc:
        scheme = parts.scheme or origin[0]
        port = parts.port or {"http": 80, "https": 443}.get(scheme, 0)
        if (scheme, (parts.hostname or "").lower(), port) != origin:
            if parts.hostname:
                found.elsewhere[parts.hostname] = None
            return b""
    if parts.query or not parts.path:  # links that sort the table
        return b""
    path = unquote_to_bytes(parts.path)
    if path.startswith(b"/"):
        if not path.startswith(b"/" + here):
            return b""
        path = path[1 + len(here) :]
    path = path.removeprefix(b"./")
    name = path.removesuffix(b"/")
    return b"" if name in (b"", b".", b"..") or b"/" in name or b"\0" in name else path
