"""S3 and the stores that speak it: raw REST, in path style, or virtual-hosted where the host names the bucket.

API: https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from secrets import token_hex
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

import msgspec

from plainview.documents.xml import local_name
from plainview.errors import PlainviewError, ProtocolError, RefusedError, UnreachableError
from plainview.stores.base import Verdict
from plainview.stores.objects.base import BY_NAME, NOT_TRIED, Object, ObjectSource, Page
from plainview.stores.objects.names import error_code, size_of, text_of, xml_of
from plainview.stores.s3.sign import Key, sign
from plainview.wire.authorization import printable

if TYPE_CHECKING:
    from plainview.report.model import Exposure
    from plainview.wire.authorization import Draft, Reveal
    from plainview.wire.http import Http, Reply

REGION = re.compile(r"[a-z]{2}(-[a-z]+){1,3}-[0-9]{1,2}")
SERVER = re.compile(
    r"(AmazonS3|MinIO|SeaweedFS|VERSITYGW|Ceph[A-Za-z ]{0,20}|rclone)\b(?:[^0-9]*.*?([0-9]+\.[0-9.]{1,15}))?"
)
EVERYBODY = "http://acs.amazonaws.com/groups/global/AllUsers"
ACCOUNTS = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"
WRITING = {"WRITE": "writes", "WRITE_ACP": "admin", "FULL_CONTROL": "admin"}
FROZEN = frozenset({"GLACIER", "DEEP_ARCHIVE"})
VERSIONS = "old versions of objects: not listed"


class S3Source(ObjectSource):
    """Each object below the prefix is a unit."""

    kind = "s3"

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.bucket, _, self.prefix = self.target.path.partition("/")
        self.virtual = self.target.host.startswith(self.bucket.lower() + ".")
        self._bucket, self._place = ("", "") if self.virtual else (self.bucket, self.bucket + "/")
        self.region = self.target.option("region") or "us-east-1"

    # -- the stranger's question ----------------------------------------------------------------------

    def ask(self, verdict: Verdict) -> None:
        """Ask what a stranger may do."""
        verdict.not_tried += [NOT_TRIED, VERSIONS]
        with closing(self.stranger()) as http:
            reply = http.detect("s3.list", bucket=self._bucket, prefix=self._below)
            self._tls = http.tls
            self._product(reply, verdict)
            self._elsewhere(reply)
            if not self.virtual:
                self._buckets(http, verdict)
            control = http.ask("s3.control", place=self._place, nowhere=f"plainview-{token_hex(8)}")
            if control.ok:
                verdict.doubt("an object that cannot exist was answered: it may answer everything", honeypot=True)
            if reply.ok:
                self._shown(http, reply, verdict)
            else:
                self._hidden(http, reply, control, verdict)

    def _product(self, reply: Reply, verdict: Verdict) -> None:
        found = SERVER.match(reply.header("server"))
        if found:
            verdict.product, verdict.version = found[1], found[2]
        is_s3 = found or reply.header("x-amz-request-id") or b"s3.amazonaws.com" in reply.body[:500]
        if reply.looks_like_page or not (is_s3 or error_code(reply)):
            raise ProtocolError(f"the list of objects was answered with {reply.status}, and not as S3 does")

    def _elsewhere(self, reply: Reply) -> None:
        """Raise where the bucket is somewhere else, or nowhere."""
        region = reply.header("x-amz-bucket-region")
        if REGION.fullmatch(region):
            self.region = self.target.option("region") or region
        if 300 <= reply.status < 400:
            where = ""
            if REGION.fullmatch(region):
                where = f" (its region is {region}: write ?region={region})"
                self.wire.points_elsewhere("region", region)
            raise ProtocolError(f"the bucket lies elsewhere, HTTP {reply.status}, not followed{where}")
        if reply.status == 404 and error_code(reply) == "NoSuchBucket":
            raise UnreachableError("there is no bucket of that name (404 NoSuchBucket)")

    def _buckets(self, http: Http, verdict: Verdict) -> None:
        reply = http.ask("s3.buckets")
        if not reply.ok or reply.looks_like_page:
            verdict.note(f"the list of buckets was refused ({reply.status}), which says nothing of a single bucket")
            return
        try:
            names = xml_of(reply.body, "ListAllMyBucketsResult").iter("{*}Bucket")
        except ProtocolError:
            return
        verdict.saw("lists", f"GET / lists {sum(1 for _ in names):,} buckets without a credential")

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
        self._acl(http, verdict)

    def _hidden(self, http: Http, reply: Reply, control: Reply, verdict: Verdict) -> None:
        """Take a refused list: objects may be readable all the same."""
        code = error_code(reply)
        if reply.status not in (401, 403):
            raise ProtocolError(f"the list of objects was answered with {reply.status} {code}".rstrip())
        refused = f"the list of objects was refused without a credential ({reply.status} {code})"
        self._single = self.one(http, self.prefix) if self.prefix else None
        if self._single:
            verdict.note(refused)
            verdict.saw("reads", "HEAD of the named object was answered without a credential")
        elif control.status == 404 and error_code(control) == "NoSuchKey":
            verdict.note(refused)
            verdict.saw(
                "reads",
                "an object that does not exist is answered with 404, not refused: who knows a name can read it",
                confidence="probable",
            )
        else:
            verdict.not_tried.append(BY_NAME)
            raise RefusedError(refused)
        self._acl(http, verdict)

    def _acl(self, http: Http, verdict: Verdict) -> None:
        reply = http.ask("s3.acl", bucket=self._bucket)
        if not reply.ok or reply.looks_like_page:
            verdict.note(
                f"the rights (ACL) are not shown to strangers ({reply.status}): whether they can write is unknown"
            )
            return
        grants = [
            (text_of(grant, "Grantee", "URI"), text_of(grant, "Permission"))
            for grant in xml_of(reply.body, "AccessControlPolicy").iter()
            if local_name(grant) == "Grant"
        ]
        for right in sorted(WRITING.keys() & {right for who, right in grants if who == EVERYBODY}):
            verdict.rights("rights_api")
            state = "admin" if WRITING[right] == "admin" else "writes"
            verdict.saw("admin" if state == "admin" else "writes", f"the ACL gives {right} to everybody")
        for right in sorted(WRITING.keys() & {right for who, right in grants if who == ACCOUNTS}):
            verdict.note(f"the ACL gives {right} to every AWS account")
        if verdict.state not in ("writes", "admin"):
            verdict.note("the ACL gives strangers no right to write; a policy, which they may not read, still may")

    def completed(self, asked: Exposure) -> Exposure:
        """Add, with the user's credential, what the owner's settings say."""
        exposure = super().completed(asked)
        if exposure.state not in ("auth_required", "reads") or self._listed or not self.login:
            return exposure
        return msgspec.structs.replace(exposure, evidence=(*exposure.evidence, *self._settings()))

    def _settings(self) -> Iterator[str]:
        """Yield what the bucket's owner is told of its being public."""
        try:
            with closing(self.owner()) as http:
                status = self.ask_page(http, "s3.policy_status", bucket=self._bucket)
                if status.ok:
                    public = text_of(xml_of(status.body, "PolicyStatus"), "IsPublic").lower() == "true"
                    yield f"GetBucketPolicyStatus says that the bucket is {'public' if public else 'not public'}"
                block = self.ask_page(http, "s3.public_block", bucket=self._bucket)
                if block.ok:
                    root = xml_of(block.body, "PublicAccessBlockConfiguration")
                    on = [local_name(child) for child in root if (child.text or "").lower() == "true"]
                    yield f"GetPublicAccessBlock says that {len(on)} of 4 settings block public access"
        except PlainviewError:
            return  # the credential is not good for it; the reading tells what it is good for

    # -- listing and reading --------------------------------------------------------------------------

    def page(self, http: Http, mark: str) -> Page:
        """Return one page of keys."""
        params: dict[str, object] = {"bucket": self._bucket, "prefix": self._below}
        reply = (
            self.ask_page(http, "s3.more", **params, mark=mark) if mark else self.ask_page(http, "s3.page", **params)
        )
        if reply.ok:
            things, following = self._page_of(reply)
            if not mark and not things and self.prefix:
                single = self.one(http, self.prefix)
                things = [single] if single else []
            return things, following
        if reply.status in (401, 403):
            raise RefusedError(
                f"the list of objects is refused to {self.asker} ({reply.status} {error_code(reply)})",
                hint="name an object, s3://bucket/key, or give a credential that may list",
            )
        raise ProtocolError(f"the list of objects was answered with {reply.status} {error_code(reply)}".rstrip())

    def _page_of(self, reply: Reply) -> Page:
        root = xml_of(reply.body, "ListBucketResult")
        coded = text_of(root, "EncodingType") == "url"
        things = []
        for item in root:
            if local_name(item) != "Contents":
                continue
            key = text_of(item, "Key")
            key = unquote_plus(key) if coded else key
            size = size_of(text_of(item, "Size"))
            if key and not (key.endswith("/") and not size):  # the mark of a folder
                thing = self.thing(key, size)
                storage = text_of(item, "StorageClass")
                if storage in FROZEN:
                    thing = replace(thing, why=f"archived ({storage}): it would have to be restored first")
                things.append(thing)
        if text_of(root, "IsTruncated") != "true":
            return things, ""
        mark = text_of(root, "NextContinuationToken")
        if not 0 < len(mark) <= 8192:
            raise ProtocolError("a list that goes on, without the mark of its next page")
        return things, mark

    def params(self, thing: Object) -> dict[str, object]:
        """Return the holes of a request for an object."""
        return {"place": self._place, "key": thing.key}

    def dress(self, draft: Draft, reveal: Reveal) -> Draft:
        """Sign a request with the user's key."""
        credential = self.login
        if credential is None or credential.secret is None or not credential.user:
            raise RefusedError("a credential for S3 is a key id and a secret key")
        # The signature is a proof of the secret; the session token goes out as it is.
        session = printable(reveal(credential.session, only_tls=True)) if credential.session else ""
        key = Key(printable(credential.user), reveal(credential.secret), self.region, session)
        return draft.adding(sign(draft.method, draft.path, draft.headers, key))
