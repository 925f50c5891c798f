"""Azure Blob storage over its REST interface.

API: https://learn.microsoft.com/rest/api/storageservices/blob-service-rest-api
"""

from __future__ import annotations

import base64
import datetime as dt
import hmac
import re
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from secrets import token_hex
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

from plainview.documents.xml import local_name
from plainview.errors import ProtocolError, RefusedError, TargetError
from plainview.stores.base import Verdict
from plainview.stores.objects.base import BY_NAME, Object, ObjectSource, Page
from plainview.stores.objects.names import error_code, size_of, text_of, xml_of
from plainview.wire.authorization import printable

if TYPE_CHECKING:
    from plainview.wire.authorization import Draft, Reveal
    from plainview.wire.http import Http, Reply

SERVER = re.compile(r"(Windows-Azure-Blob|Azurite-Blob)/([0-9][0-9.]{0,20})")
# What Azure says of a container that a stranger may not see; 404 is all it says of a private one.
REFUSALS = frozenset(
    {"ResourceNotFound", "PublicAccessNotPermitted", "NoAuthenticationInformation", "AuthorizationFailure"}
)
SAS = re.compile(r"\??s[vpteisr]=")
NOT_LISTED = "versions, snapshots and deleted blobs: not listed"
# The headers that stand in the text to sign, in their order; the others have their place among x-ms-.
SIGNED = (
    "content-encoding", "content-language", "content-length", "content-md5", "content-type", "date",
    "if-modified-since", "if-match", "if-none-match", "if-unmodified-since", "range",
)  # fmt: skip


class AzureSource(ObjectSource):
    """Each blob below the prefix is a unit. The target is `azure://account/container/prefix`."""

    kind = "azure"
    basis = "by_design"

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.account, _, path = self.target.path.partition("/")
        self.container, _, self.prefix = path.partition("/")
        if not self.container:
            raise TargetError("an azure address without a container", hint="write azure://account/container/prefix")
        named = self.target.host.startswith(self.account.lower() + ".")
        self._place = self.container if named else f"{self.account}/{self.container}"

    # -- the stranger's question ----------------------------------------------------------------------

    def ask(self, verdict: Verdict) -> None:
        """Ask what a stranger may do."""
        verdict.not_tried.append(NOT_LISTED)
        with closing(self.stranger()) as http:
            reply = http.detect("azure.list", container=self._place, prefix=self._below)
            self._tls = http.tls
            found = SERVER.match(reply.header("server"))
            if found:
                verdict.product, verdict.version = found[1], found[2]
            if reply.looks_like_page or not (found or reply.header("x-ms-request-id")):
                raise ProtocolError(f"the list of blobs was answered with {reply.status}, and not as Azure does")
            control = http.ask("azure.control", place=self._place + "/", nowhere=f"plainview-{token_hex(8)}")
            if control.ok:
                verdict.doubt("a blob that cannot exist was answered: it may answer everything", honeypot=True)
            if reply.ok:
                self._shown(http, reply, verdict)
            else:
                self._hidden(http, reply, control, verdict)
            if verdict.state == "reads":
                verdict.rights(self.basis)
                verdict.note("Azure gives strangers no right to write, at any level of public access")

    def _shown(self, http: Http, reply: Reply, verdict: Verdict) -> None:
        things, mark = self._page_of(reply)
        self._listed = True
        more = " and more" if mark else ""
        verdict.saw("lists", f"the list was answered without a credential: {len(things):,} blobs{more}")
        level = http.ask("azure.level", container=self._place).header("x-ms-blob-public-access")
        if level in ("container", "blob"):
            verdict.note(f"x-ms-blob-public-access says that the public access level is {level!r}")
        if not things and self.prefix:
            self._single = self.one(http, self.prefix)
            things = [self._single] if self._single else []
        self.try_objects(http, things, verdict)
        self.signs(things, verdict)

    def _hidden(self, http: Http, reply: Reply, control: Reply, verdict: Verdict) -> None:
        """Take a refused list: blobs may be readable all the same, where the level is "blob"."""
        code = error_code(reply) or reply.header("x-ms-error-code")
        if code not in REFUSALS and reply.status not in (401, 403):
            code = code if code.isalpha() else ""
            raise ProtocolError(f"the list of blobs was answered with {reply.status} {code}".rstrip())
        refused = f"the list of blobs was refused without a credential ({reply.status} {code})"
        self._single = self.one(http, self.prefix) if self.prefix else None
        if self._single:
            verdict.note(refused)
            verdict.saw("reads", "HEAD of the named blob was answered without a credential")
        elif control.status == 404 and error_code(control) == "BlobNotFound":
            verdict.note(refused)
            verdict.saw(
                "reads",
                "a blob that does not exist is answered with BlobNotFound, not refused: who knows a name can read it",
                confidence="probable",
            )
        else:
            if code != "PublicAccessNotPermitted":  # that is the whole account's, and leaves no doubt
                verdict.not_tried.append(BY_NAME)
            if code == "ResourceNotFound":
                verdict.note("Azure says ResourceNotFound of private containers and of those that do not exist")
            raise RefusedError(refused)

    # -- listing and reading --------------------------------------------------------------------------

    def page(self, http: Http, mark: str) -> Page:
        """Return one page of names."""
        reply = self.ask_page(http, "azure.page", container=self._place, prefix=self._below, mark=mark)
        if reply.ok:
            things, following = self._page_of(reply)
            single = self.one(http, self.prefix) if not mark and not things and self.prefix else None
            return ([single] if single else things), following
        code = error_code(reply)
        if code in REFUSALS or reply.status in (401, 403):
            raise RefusedError(
                f"the list of blobs is refused to {self.asker} ({reply.status} {code})",
                hint="name a blob, azure://account/container/name, or give a credential that may list",
            )
        raise ProtocolError(f"the list of blobs was answered with {reply.status} {code}".rstrip())

    def _page_of(self, reply: Reply) -> Page:
        root = xml_of(reply.body, "EnumerationResults")
        things = []
        for item in root.iter("{*}Blob"):
            name = next((child for child in item if local_name(child) == "Name"), None)
            if name is None or not name.text:
                continue
            key = unquote(name.text) if name.get("Encoded") == "true" else name.text
            size = size_of(text_of(item, "Properties", "Content-Length"))
            thing = self.thing(key, size)
            if text_of(item, "Properties", "AccessTier") == "Archive":
                thing = Object(key, thing.name, size, "archived: it would have to be restored first")
            if not (key.endswith("/") and not size):
                things.append(thing)
        mark = text_of(root, "NextMarker")
        if len(mark) > 8192:
            raise ProtocolError("the mark of the next page is too long")
        return things, mark

    def params(self, thing: Object) -> dict[str, object]:
        """Return the holes of a request for a blob."""
        return {"place": self._place + "/", "key": thing.key}

    def dress(self, draft: Draft, reveal: Reveal) -> Draft:
        """Add a shared access signature to the path, or sign with the account's key."""
        credential = self.login
        if credential is None or credential.secret is None:
            raise RefusedError("a credential for Azure is a key of the account or a shared access signature")
        key = reveal(credential.secret)
        if credential.token or SAS.match(key):
            join = "&" if "?" in draft.path else "?"
            return replace(draft, path=f"{draft.path}{join}{printable(key).lstrip('?')}")
        return draft.adding(shared_key(draft.method, draft.path, draft.headers, self.account, key))


def shared_key(
    method: str, path: str, headers: Mapping[str, str], account: str, secret: str, now: dt.datetime | None = None
) -> dict[str, str]:
    """Return the headers that sign a request with an account's key.

    `path` is percent-encoded, with its query, as it is sent. Raises RefusedError for a key that is not Base64.
    https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key
    """
    stamp = (now or dt.datetime.now(dt.UTC)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    lower = {name.lower(): value for name, value in headers.items()} | {"x-ms-date": stamp}
    place, _, query = path.partition("?")
    given: dict[str, list[str]] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        given.setdefault(name.lower(), []).append(value)
    lines = [method, *(lower.get(name, "") for name in SIGNED)]
    lines += [f"{name}:{lower[name]}" for name in sorted(lower) if name.startswith("x-ms-")]
    lines += [f"/{account}{place}", *(f"{name}:{','.join(sorted(given[name]))}" for name in sorted(given))]
    try:
        key = base64.b64decode(secret, validate=True)
    except ValueError:
        key = b""
    if not key:
        raise RefusedError("the key of the account is not Base64")
    signature = base64.b64encode(hmac.digest(key, "\n".join(lines).encode(), "sha256")).decode()
    return {"x-ms-date": stamp, "Authorization": f"SharedKey {account}:{signature}"}
