"""Stand-ins for MongoDB: SecantusDB (today's wire protocol, open and closed) and mongo-java-server (4.0's, open)."""

from __future__ import annotations

import datetime as dt
import shutil
import socket
import struct
import subprocess
import sys
import uuid
from pathlib import Path

import bson
from bson.decimal128 import Decimal128

from .base import CACHE, CANARY, SECRET, Server, UnavailableError, install_lock, run
from .jvm import JvmServer, java

PEOPLE = 2_500
ODD = "odd name;--x'\"é"
COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies"
POM = (
    "<project><modelVersion>4.0.0</modelVersion><groupId>t</groupId><artifactId>t</artifactId><version>1</version>"
    "<packaging>pom</packaging><dependencies>%s</dependencies></project>"
)
DEPENDENCY = "<dependency><groupId>%s</groupId><artifactId>%s</artifactId><version>%s</version></dependency>"
START = """import de.bwaldvogel.mongo.*; import de.bwaldvogel.mongo.backend.memory.*;
public class Start { public static void main(String[] a) throws Exception {
  new MongoServer(new MemoryBackend()).bind("127.0.0.1", Integer.parseInt(a[0])); Thread.currentThread().join(); } }
"""


def person(number: int) -> dict[str, object]:
    """Return one seeded document, with types that only BSON has."""
    return {
        "_id": bson.ObjectId(f"{number:024x}"),
        "email": CANARY if number == 7 else f"p{number}@example.com",
        "born": dt.datetime(1950 + number % 50, 1 + number % 12, 1 + number % 28, tzinfo=dt.UTC),
        "address": {"street": "Am Markt 1", "city": "Weimar"},
        "cards": ["4111111111111111"] if number % 2 else [],
        "device": bson.Binary.from_uuid(uuid.UUID(int=number)),
        "balance": Decimal128("12.50"),
        "visits": number,
    }


class Mongo(Server):
    """What the stand-ins share: the seed and the dump, by pymongo."""

    scheme = "mongodb"
    python = ""  # of a pymongo that speaks with this server, where ours does not

    def client(self, *, login: bool = True):
        """Return pymongo's client, logged in where needed."""
        import pymongo

        who = {"username": "root", "password": SECRET} if self.closed and login else {}
        return pymongo.MongoClient(
            "127.0.0.1", self.port, directConnection=True, serverSelectionTimeoutMS=30_000, **who
        )

    def dump(self) -> object:
        with self.client() as client:
            names = sorted(set(client.list_database_names()) - {"admin", "config", "local"})
            return {
                (name, collection): sorted(map(bson.encode, client[name][collection].find()))
                for name in names
                for collection in sorted(client[name].list_collection_names())
            }


def fill(client) -> None:
    """Write the test data."""
    shop = client["shop"]
    shop["customers"].insert_many([person(n) for n in range(PEOPLE)])
    shop[ODD].insert_one({"a.b": CANARY, "n": 1, "phone": "+49 30 90182357"})
    shop["fs.files"].insert_one({"_id": 1, "filename": f"{CANARY}.pdf", "length": 3})
    shop["fs.chunks"].insert_one({"files_id": 1, "n": 0, "data": b"abc"})
    client["empty"].create_collection("nothing")


class Secantus(Mongo):
    """SecantusDB 0.7.0b3: MongoDB's protocol over WiredTiger, says 8.2.11."""

    name = "secantus"
    version = "8.2.11"

    def install(self) -> None:
        folder = CACHE / "venv" / "secantus"
        self.program = folder / "bin" / "secantusd-py"
        with install_lock():
            if not self.program.exists():
                run(sys.executable, "-m", "venv", "--clear", str(folder))
                run(str(folder / "bin" / "python"), "-m", "pip", "install", "-q", "SecantusDB==0.7.0b3")

    def words(self) -> list[str]:
        """Return the command line of the open server."""
        where = ["--host", "127.0.0.1", "--port", str(self.port), "--storage-path", str(self.data / "wt")]
        return [str(self.program), *where, "--cache-size", "64M", "--standalone", "--log-level", "DEBUG"]

    def command(self) -> list[str]:
        if not self.closed:
            return self.words()
        # Users are made on the open server, which is then started again with --auth.
        with subprocess.Popen(self.words(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            try:
                with self.client(login=False) as client:
                    self.write(client)
                    client["admin"].command("createUser", "root", pwd=SECRET, roles=["root"])
                    roles = [{"role": "read", "db": "shop"}]
                    client["shop"].command("createUser", "auditor", pwd=SECRET, roles=roles)
            finally:
                process.terminate()
        return [*self.words(), "--auth"]

    def write(self, client) -> None:
        """Write the test data, and a view of it."""
        fill(client)
        client["shop"].create_collection("weimar", viewOn="customers", pipeline=[{"$match": {"visits": 1}}])

    def seed(self) -> None:
        if not self.closed:
            with self.client() as client:
                self.write(client)


class MongoJava(Mongo, JvmServer):
    """mongo-java-server 1.46.0: says 4.0.0, wire version 7; knows no users."""

    name = "mongojava"
    version = "4.0.0"
    modes = ("open",)

    def install(self) -> None:
        self.java = java(17) / "bin" / "java"
        self.folder = CACHE / "opt" / "mongo-java-server-1.46.0"
        jars("de.bwaldvogel:mongo-java-server:1.46.0", self.folder / "lib")

    def command(self) -> list[str]:
        source = self.data / "Start.java"
        source.write_text(START)
        options = ["-XX:TieredStopAtLevel=1", "-Xmx128m", "-cp", f"{self.folder}/lib/*"]
        return self.as_nobody(str(self.java), *options, str(source), str(self.port))

    def seed(self) -> None:
        fill(_Old(self.port))

    def dump(self) -> object:
        client = _Old(self.port)
        return {name: client["shop"][name].find() for name in ("customers", ODD, "fs.files", "fs.chunks")}


class _Old:
    """Enough of a client for a server that pymongo no longer speaks with. Made for writing test data only."""

    def __init__(self, port: int, database: str = "", collection: str = "") -> None:
        self.port, self.database, self.collection = port, database, collection

    def __getitem__(self, name: str) -> _Old:
        if self.database:
            return _Old(self.port, self.database, name)
        return _Old(self.port, name)

    def command(self, command: dict[str, object]) -> dict[str, object]:
        body = b"\0\0\0\0\0" + bson.encode({**command, "$db": self.database})
        with socket.create_connection(("127.0.0.1", self.port), 10) as sock:
            sock.sendall(struct.pack("<iiii", 16 + len(body), 1, 0, 2013) + body)
            stream = sock.makefile("rb")
            size = struct.unpack("<iiii", stream.read(16))[0]
            answer = bson.decode(stream.read(size - 16)[5:])
        assert answer["ok"] == 1, answer
        return answer

    def insert_many(self, documents: list[dict[str, object]]) -> None:
        self.command({"insert": self.collection, "documents": documents})

    def insert_one(self, document: dict[str, object]) -> None:
        self.insert_many([document])

    def create_collection(self, name: str) -> None:
        self.command({"create": name})

    def find(self) -> list[bytes]:
        answer = self.command({"find": self.collection, "batchSize": 1 << 20})
        return sorted(map(bson.encode, answer["cursor"]["firstBatch"]))  # type: ignore[index]


def jars(coordinates: str, folder: Path) -> None:
    """Fetch an artifact of Maven Central with all that it needs at run time, once."""
    if (folder / ".done").exists():
        return
    if not shutil.which("mvn"):
        raise UnavailableError("maven is not installed")
    group, artifact, version = coordinates.split(":")
    logger = ("org.slf4j", "slf4j-simple", "2.0.16")
    wanted = [(group, artifact, version), *([logger] if artifact == "mongo-java-server" else [])]
    with install_lock():
        folder.mkdir(parents=True, exist_ok=True)
        pom = folder / "pom.xml"
        pom.write_text(POM % "".join(DEPENDENCY % one for one in wanted))
        run("mvn", "-q", "-B", "-f", str(pom), COPY, "-DincludeScope=runtime", f"-DoutputDirectory={folder}")
        (folder / ".done").touch()
