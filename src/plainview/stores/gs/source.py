"""Google Cloud Storage over its JSON interface.

API: https://cloud.google.com/storage/docs/json_api/v1
"""

from __future__ import annotations

import re
from contextlib import closing
from secrets import token_hex
from typing import TYPE_CHECKING, Any

from plainview.errors import ProtocolError, RefusedError, UnreachableError
from plainview.stores.base import Verdict
from plainview.stores.objects.base import BY_NAME, NOT_TRIED, Object, ObjectSource, Page
from plainview.stores.objects.names import size_of
from plainview.wire.authorization import authorization

if TYPE_CHECKING:
    from plainview.wire.authorization import Draft, Reveal
    from plainview.wire.http import Http, Reply

RIGHT = re.compile(r"storage\.(objects|buckets)\.[a-zA-Z]{3,20}")
WRITING = frozenset({"storage.objects.create", "storage.objects.update", "storage.objects.delete"})
ADMIN = frozenset(
    {"storage.objects.setIamPolicy", "storage.buckets.setIamPolicy", "storage.buckets.update", "storage.buckets.delete"}
)
VERSIONS = "old versions and deleted objects: not listed"


class GcsSource(ObjectSource):
    """Each object below the prefix is a unit."""

    kind = "gs"

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.bucket, _, self.prefix = self.target.path.partition("/")

    # -- the stranger's question ----------------------------------------------------------------------

    def ask(self, verdict: Verdict) -> None:
        """Ask what a stranger may do."""
        verdict.not_tried.append(VERSIONS)
        with closing(self.stranger()) as http:
            reply = http.detect("gs.list", bucket=self.bucket, prefix=self._below)
            self._tls = http.tls
            if reply.looks_like_page or not isinstance(reply.json(), dict):
                raise ProtocolError(
                    f"the list of objects was answered with {reply.status}, and not as Cloud Storage does"
                )
            verdict.product = "Google Cloud Storage" if reply.header("x-guploader-uploadid") else None
            if reply.status == 404:
                raise UnreachableError("there is no bucket of that name (404)")
            control = http.ask("gs.control", bucket=self.bucket, nowhere=f"plainview-{token_hex(8)}")
            if control.ok:
                verdict.doubt("an object that cannot exist was answered: it may answer everything", honeypot=True)
            rights = self._rights(http)
            if reply.ok:
                self._shown(http, reply, verdict)
            elif reply.status not in (401, 403):
                raise ProtocolError(f"the list of objects was answered with {reply.status}")
            self._judge(http, reply, rights, verdict)

    def _rights(self, http: Http) -> set[str] | None:
        """Return the permissions that a stranger holds on the bucket, None where the store does not tell."""
        reply = http.ask("gs.rights", bucket=self.bucket)
        if not reply.ok or reply.looks_like_page:
            return None
        answer = reply.json()
        if not isinstance(answer, dict) or not str(answer.get("kind", "")).startswith("storage#testIam"):
            return None
        named = answer.get("permissions", [])
        return {right for right in named if isinstance(right, str) and RIGHT.fullmatch(right)}

    def _shown(self, http: Http, reply: Reply, verdict: Verdict) -> None:
        things, mark = self._page_of(reply)
        self._listed = True
        more = " and more" if mark else ""
        verdict.saw("lists", f"the list was answered without a credential: {len(things):,} objects{more}")
        if not things and self.prefix:
            self._single = self.one(http, self.prefix)
            things = [self._single] if self._single else []
        self.try_objects(http, things, verdict)
        self.signs(things, verdict)

    def _judge(self, http: Http, reply: Reply, rights: set[str] | None, verdict: Verdict) -> None:
        """Take what testPermissions said, and a refused list."""
        refused = f"the list of objects was refused without a credential ({reply.status})"
        if not reply.ok and self.prefix:
            self._single = self.one(http, self.prefix)
            if self._single:
                verdict.note(refused)
                verdict.saw("reads", "the head of the named object was answered without a credential")
        if rights is None:
            verdict.not_tried.append(NOT_TRIED)
            verdict.note("testPermissions was not answered: whether strangers can write is unknown")
        else:
            verdict.rights("rights_api")
            verdict.note(f"testPermissions says what a stranger holds: {', '.join(sorted(rights)) or 'nothing'}")
            if "storage.objects.get" in rights:
                verdict.saw("reads", "storage.objects.get: who knows a name can read it")
            if rights & WRITING:
                verdict.saw("writes", "a stranger may create, change or delete objects")
            if rights & ADMIN:
                verdict.saw("admin", "a stranger may change the bucket or its rights")
        if reply.ok or verdict.state in ("reads", "writes", "admin"):
            return
        if rights is None:
            verdict.not_tried.append(BY_NAME)
        raise RefusedError(refused)

    # -- listing and reading --------------------------------------------------------------------------

    def page(self, http: Http, mark: str) -> Page:
        """Return one page of names."""
        params: dict[str, object] = {"bucket": self.bucket, "prefix": self._below}
        reply = (
            self.ask_page(http, "gs.more", **params, mark=mark) if mark else self.ask_page(http, "gs.page", **params)
        )
        if reply.ok:
            things, following = self._page_of(reply)
            single = self.one(http, self.prefix) if not mark and not things and self.prefix else None
            return ([single] if single else things), following
        if reply.status in (401, 403):
            raise RefusedError(
                f"the list of objects is refused to {self.asker} ({reply.status})",
                hint="name an object, gs://bucket/name, or give a credential that may list",
            )
        raise ProtocolError(f"the list of objects was answered with {reply.status}")

    def _page_of(self, reply: Reply) -> Page:
        answer = reply.json()
        items = answer.get("items", []) if isinstance(answer, dict) else None
        mark = answer.get("nextPageToken", "") if isinstance(answer, dict) else None
        if not isinstance(items, list) or not isinstance(mark, str) or len(mark) > 8192:
            raise ProtocolError("the answer is no list of objects")
        things = []
        for item in items:
            key = item.get("name") if isinstance(item, dict) else None
            if not isinstance(key, str) or not key:
                raise ProtocolError("the answer is no list of objects")
            size = size_of(item.get("size"))
            if not (key.endswith("/") and not size):
                things.append(self.thing(key, size))
        return things, mark

    def head_size(self, reply: Reply) -> int | None:
        """Return the size of an object from the answer to its head."""
        answer = reply.json()
        return size_of(answer.get("size")) if isinstance(answer, dict) else None

    def params(self, thing: Object) -> dict[str, object]:
        """Return the holes of a request for an object."""
        return {"bucket": self.bucket, "key": thing.key}

    def dress(self, draft: Draft, reveal: Reveal) -> Draft:
        """Add the user's access token."""
        credential = self.login
        if credential is None or not credential.token:
            raise RefusedError(
                "a credential for Cloud Storage is an access token",
                hint='token_env in the credentials file, of "gcloud auth print-access-token"',
            )
        return draft.adding({"Authorization": authorization(credential, reveal)})
