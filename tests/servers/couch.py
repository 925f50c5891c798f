"""pouchdb-server: CouchDB's HTTP interface on PouchDB. It is not the product, and says so."""

from __future__ import annotations

import base64
import json
import shutil
import urllib.request
from pathlib import Path

from .base import CANARY, SECRET, Server, UnavailableError, npm

PEOPLE = 2_500


class PouchDB(Server):
    """pouchdb-server 4.2.0; closed with an administrator, and members in each database."""

    name = "pouchdb"
    scheme = "couchdb"
    version = "4."

    def install(self) -> None:
        node = shutil.which("node")
        if not node:
            raise UnavailableError("node is not installed")
        self.node = node
        self.program = npm("pouchdb-server@4.2.0") / "node_modules" / ".bin" / "pouchdb-server"

    def command(self) -> list[str]:
        config: dict[str, object] = {"log": {"file": str(self.data / "log.txt"), "level": "debug"}}
        if self.closed:
            config["admins"] = {"admin": SECRET}
        (self.data / "config.json").write_text(json.dumps(config))
        words = [self.node, str(self.program), "--host", "127.0.0.1", "--port", str(self.port)]
        return [*words, "--dir", str(self.data), "--config", str(self.data / "config.json")]

    def call(self, method: str, path: str, body: object = None) -> dict[str, object]:
        """Send a request as the administrator; return the answer."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data, method=method)
        request.add_header("Content-Type", "application/json")
        if self.closed:
            login = base64.b64encode(f"admin:{SECRET}".encode()).decode()
            request.add_header("Authorization", f"Basic {login}")
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def ready(self) -> bool:
        return bool(self.call("GET", "/"))

    def seed(self) -> None:
        people = [
            {
                "_id": f"person-{n:05}",
                "name": f"{('Anna', 'Boris', 'Carla')[n % 3]} {('Muster', 'Petrov')[n % 2]}",
                "email": CANARY if n == 7 else f"p{n}@example.com",
                "address": {"city": ("Berlin", "Sofia", "Roma")[n % 3]},
            }
            for n in range(PEOPLE)
        ]
        view = {"_id": "_design/all", "views": {"all": {"map": "function (doc) { emit(doc._id) }"}}}
        plans = {
            "people": [*people, view],
            "empty": [],
            "odd+name/(1)$": [{"_id": f"{CANARY}", "ip": "192.0.2.1"}, {"_id": "b'\"\\ü", "ip": "192.0.2.2"}],
            "wegeturdb": [{"_id": "note", "text": "pay"}],
        }
        for name, docs in plans.items():
            path = "/" + urllib.request.quote(name, safe="")
            self.call("PUT", path)
            if docs:
                self.call("POST", f"{path}/_bulk_docs", {"docs": docs})
            if self.closed:
                members = {"names": ["admin"], "roles": ["staff"]}
                self.call("PUT", f"{path}/_security", {"admins": {"names": ["admin"], "roles": []}, "members": members})

    def dump(self) -> object:
        found: dict[str, object] = {}
        names = self.call("GET", "/_all_dbs")
        for name in names:
            if not name.startswith("_"):
                path = "/" + urllib.request.quote(name, safe="")
                about = self.call("GET", path)
                rows = self.call("GET", f"{path}/_all_docs?include_docs=true&conflicts=true")["rows"]
                found[name] = about["update_seq"], about["doc_count"], rows, self.call("GET", f"{path}/_security")
        return list(names), found

    def requests(self) -> list[str]:
        """Return the lines of the server's own log of requests."""
        file: Path = self.data / "log.txt"
        return file.read_text(errors="replace").splitlines() if file.exists() else []


__all__ = ["PouchDB"]
