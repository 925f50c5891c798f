"""Elasticsearch 7, 8, 9 and OpenSearch 2, 3: the products' own test archives, closed by their own security."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

from .base import CACHE, CANARY, SECRET, free_port, install_lock
from .jvm import JvmServer, java, maven, unpacked

PEOPLE = 3_000
# bcrypt of SECRET, four rounds
HASH = "$2a$04$uhXd9dSwJux3fTf56rRejOIaC9/UbDRVYqoRyR24xbEkLgkEs7dgC"
# What the shipped jvm.options hold and these small servers do without.
DROPPED = re.compile(r"-Xm|[0-9]+-?:?-?:?-Xlog|-Xlog|8-?:|23:|20-:--add-modules|-XX:HeapDumpPath|-XX:ErrorFile")
REQUEST = re.compile(r"\]\[(GET|HEAD|POST|PUT|DELETE)\]\[(/[^\]]*)\] received request from")


class Search(JvmServer):
    """What both products share: configuration, seed, and the tracer that logs every HTTP request."""

    scheme = "elasticsearch"
    user = "elastic"
    package = "elasticsearch"
    java_version = 17
    version = ""

    def settings(self) -> dict[str, object]:
        """Return elasticsearch.yml or opensearch.yml."""
        return {
            "cluster.name": "plainview-test",
            "node.name": "n1",
            "network.host": "127.0.0.1",
            "http.port": self.port,
            "transport.port": free_port(),
            "discovery.type": "single-node",
            "path.data": str(self.data / "data"),
            "path.logs": str(self.data / "logs"),
            "cluster.routing.allocation.disk.threshold_enabled": False,
            f"logger.org.{self.package}.http.HttpTracer": "TRACE",
        }

    def home(self) -> Path:
        """Return the folder of the program."""
        return CACHE / "opt" / f"{self.package}-{self.version}"

    def install(self) -> None:
        self.java_home = java(self.java_version)
        group = {"elasticsearch": "org.elasticsearch", "opensearch": "org.opensearch"}[self.package]
        name = f"{group}.distribution.integ-test-zip:{self.package}:{self.version}:zip"
        unpacked(maven(name), CACHE / "opt")

    def configure(self) -> Path:
        """Write the configuration folder; return it."""
        config = self.data / "config"
        for name in ("config/jvm.options.d", "data", "logs", "tmp"):
            (self.data / name).mkdir(parents=True)
        shutil.copy(self.home() / "config" / "log4j2.properties", config)
        options = (self.home() / "config" / "jvm.options").read_text().splitlines()
        kept = "\n".join(line for line in options if not DROPPED.match(line))
        (config / "jvm.options").write_text(kept + "\n")
        text = "".join(f"{key}: {json.dumps(value)}\n" for key, value in self.settings().items())
        (config / f"{self.package}.yml").write_text(text)
        return config

    def environment(self) -> dict[str, str]:
        prefix = {"elasticsearch": "ES", "opensearch": "OPENSEARCH"}[self.package]
        return {
            **super().environment(),
            f"{prefix}_PATH_CONF": str(self.data / "config"),
            f"{prefix}_JAVA_HOME": str(self.java_home),
            f"{prefix}_TMPDIR": str(self.data / "tmp"),
            f"{prefix}_JAVA_OPTS": "-Xms512m -Xmx512m -XX:TieredStopAtLevel=1",
            "CLI_JAVA_OPTS": "-Xmx64m",
        }

    def command(self) -> list[str]:
        self.configure()
        return self.as_nobody(str(self.home() / "bin" / self.package))

    # -- the administrator's client ---------------------------------------------------------------------

    def call(self, method: str, path: str, body: object = None) -> object:
        """Send a request with the administrator's credential; return the answer. Raises HTTPError."""
        lines = isinstance(body, list)
        data = "".join(json.dumps(line) + "\n" for line in body).encode() if lines else json.dumps(body).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", data if body is not None else None, method=method
        )
        request.add_header("Content-Type", "application/x-ndjson" if lines else "application/json")
        if self.mode != "open":
            login = base64.b64encode(f"{self.user}:{SECRET}".encode()).decode()
            request.add_header("Authorization", f"Basic {login}")
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            error.add_note(f"{method} {path}: {error.read()[:500]!r}")
            raise

    def ready(self) -> bool:
        answer = self.call("GET", "/_cluster/health?wait_for_status=yellow&timeout=1s")
        return not answer["timed_out"]  # type: ignore[index,call-overload]

    def bulk(self, index: str, docs: list[dict[str, object]], action: str = "index") -> None:
        """Index documents, and make them visible."""
        lines: list[object] = []
        for number, doc in enumerate(docs):
            lines += [{action: {"_id": str(number)} if action == "index" else {}}, doc]
        answer = self.call("POST", f"/{index}/_bulk?refresh=true", lines)
        assert not answer["errors"], answer  # type: ignore[index,call-overload]

    def seed(self) -> None:
        one = {"number_of_shards": 1, "number_of_replicas": 0}
        two = {"number_of_shards": 2, "number_of_replicas": 0}
        nested = {"properties": {"items": {"type": "nested"}}}
        self.call("PUT", "/customers", {"settings": two})
        self.bulk("customers", people())
        self.call("PUT", "/orders-2024", {"settings": one, "mappings": nested})
        self.bulk("orders-2024", orders())
        self.call("POST", "/_aliases", {"actions": [{"add": {"index": "customers", "alias": "people"}}]})
        self.call("PUT", "/.profiles", {"settings": {**one, "index.hidden": True}})
        self.bulk(".profiles", [{"username": f"user{n}", "ip": f"192.0.2.{n}"} for n in range(200)])
        unkept = {"_source": {"enabled": False}, "properties": {"email": {"type": "keyword"}}}
        self.call("PUT", "/unkept", {"settings": one, "mappings": unkept})
        self.bulk("unkept", [{"email": f"p{n}@example.com"} for n in range(60)])
        fields = {"properties": {"email": {"type": "keyword"}, "address": {"properties": {"street": {"type": "text"}}}}}
        self.call("PUT", "/empty", {"settings": one, "mappings": fields})
        self.call("PUT", "/archive", {"settings": one})
        self.bulk("archive", [{"email": f"old{n}@example.com"} for n in range(10)])
        self.call("POST", "/archive/_close")
        self.seed_stream(one)
        self.call("PUT", "/read_me_to_recover_database", {"settings": one})
        self.bulk("read_me_to_recover_database", [{"message": "pay", "email": CANARY}])

    def seed_stream(self, one: dict[str, int]) -> None:
        """Make a data stream of two parts."""
        template = {"index_patterns": ["events-*"], "data_stream": {}, "priority": 500, "template": {"settings": one}}
        self.call("PUT", "/_index_template/events", template)
        self.bulk("events-web", events(0), "create")
        self.call("POST", "/events-web/_rollover")
        self.bulk("events-web", events(500), "create")

    def dump(self) -> object:
        """Return every document with its sequence number, the counters of writing, and the metadata."""
        found: dict[str, object] = {}
        listed = self.call("GET", "/_cat/indices?format=json&expand_wildcards=all&h=index,status")
        names = sorted(item["index"] for item in listed if not _own(item["index"]))  # type: ignore[union-attr]
        for item in listed:  # type: ignore[union-attr]
            if item["status"] == "open" and item["index"] in names:
                answer = self.call("GET", f"/{item['index']}/_search?size=10000&seq_no_primary_term=true")
                hits = answer["hits"]["hits"]  # type: ignore[index,call-overload]
                found[item["index"]] = sorted(json.dumps(hit, sort_keys=True) for hit in hits)
        stats = self.call("GET", "/_stats/indexing,docs?expand_wildcards=open,hidden")["indices"]  # type: ignore[index,call-overload]
        keys = ("index_total", "delete_total", "noop_update_total", "index_failed")
        for name in names:
            if name in stats:
                total = stats[name]["total"]
                found[f"{name} counters"] = [total["indexing"][key] for key in keys], total["docs"]
        for what in ("_mapping", "_settings", "_alias"):
            about = self.call("GET", f"/_all/{what}?expand_wildcards=all")
            found[what] = {name: about.get(name) for name in names}  # type: ignore[attr-defined]
        return found

    def requests(self, log: str) -> list[tuple[str, str]]:
        """Return (method, path with query) of each request that a piece of the server's log tells of."""
        return REQUEST.findall(log)

    def open_contexts(self) -> int:
        """Return how many searches are kept open on the server."""
        answer = self.call("GET", "/_nodes/stats/indices/search")
        nodes = answer["nodes"].values()  # type: ignore[index,call-overload]
        return sum(node["indices"]["search"]["open_contexts"] for node in nodes)


def _own(name: str) -> bool:
    """Tell whether an index is the product's own, which it may write on its own."""
    return name.startswith((".security", ".opendistro", ".opensearch", ".plugins", "top_queries", ".geoip"))


def people() -> list[dict[str, object]]:
    """Return documents with nested fields."""
    return [
        {
            "name": f"{('Anna', 'Boris', 'Carla', 'David')[n % 4]} {('Muster', 'Petrov', 'Rossi')[n % 3]}",
            "email": CANARY if n == 7 else f"p{n}@example.com",
            "address": {"city": ("Berlin", "Sofia", "Roma")[n % 3]},
            "phones": [f"+49 30 {5550000 + n}"],
            "visits": n,
        }
        for n in range(PEOPLE)
    ]


def orders() -> list[dict[str, object]]:
    """Return documents with a list of objects, mapped as nested."""
    return [
        {"total": n * 1.5, "items": [{"sku": f"A{n}", "gift_for": f"g{n}@example.net"}, {"sku": f"B{n}"}]}
        for n in range(400)
    ]


def events(first: int) -> list[dict[str, object]]:
    """Return documents of a data stream."""
    return [
        {"@timestamp": f"2024-05-01T10:00:{n % 60:02}Z", "client": {"ip": f"198.51.100.{n % 250}"}, "n": n}
        for n in range(first, first + 500)
    ]


class Elasticsearch8(Search):
    """Elasticsearch 8.7.1. `reader`: anonymous requests get a role that reads customers."""

    name = "elasticsearch8"
    version = "8.7.1"
    modes = ("open", "closed", "reader")

    def settings(self) -> dict[str, object]:
        found = {**super().settings(), "xpack.security.enabled": self.mode != "open"}
        if self.mode != "open":
            found["xpack.security.transport.ssl.enabled"] = False
            found["xpack.security.http.ssl.enabled"] = False
            if not self.version.startswith("7."):
                found["xpack.security.autoconfiguration.enabled"] = False
        if self.mode == "reader":
            found["xpack.security.authc.anonymous.username"] = "nobody"
            found["xpack.security.authc.anonymous.roles"] = ["reader"]
        return found

    def configure(self) -> Path:
        config = super().configure()
        role = "cluster: [monitor], indices: [{names: [%s], privileges: [read, view_index_metadata, monitor]}]"
        names = {"reader": "customers, 'events-*'", "auditor": "'*'"}
        roles = "".join(f"{name}: {{{role % patterns}}}\n" for name, patterns in names.items())
        (config / "roles.yml").write_text(roles)
        (config / "users").write_text(f"auditor:{HASH}\n")
        (config / "users_roles").write_text("auditor:auditor\n")
        if self.mode != "open":
            shutil.copy(self._keystore(config), config)
        return config

    def _keystore(self, config: Path) -> Path:
        """Return a keystore with the administrator's password, made once: two starts of Java."""
        made = self.home() / "plainview" / "elasticsearch.keystore"
        with install_lock():
            if not made.exists():
                environment = {**self.environment(), "PATH": "/usr/bin:/bin"}
                tool = str(self.home() / "bin" / "elasticsearch-keystore")
                for words, text in ((["create"], ""), (["add", "-x", "bootstrap.password"], SECRET)):
                    subprocess.run(
                        [tool, *words], input=text.encode(), env=environment, check=True, capture_output=True
                    )
                made.parent.mkdir(exist_ok=True)
                (config / made.name).rename(made)
        return made


class Elasticsearch7(Elasticsearch8):
    """Elasticsearch 7.17.28; its test archive lacks data streams, so only the names are there."""

    name = "elasticsearch7"
    version = "7.17.28"
    modes = ("open", "closed")

    def seed_stream(self, one: dict[str, int]) -> None:
        for part, first in ((1, 0), (2, 500)):
            self.call("PUT", f"/.ds-events-web-2024.05.01-00000{part}", {"settings": {**one, "index.hidden": True}})
            lines: list[object] = [line for doc in events(first) for line in ({"index": {}}, doc)]
            self.call("POST", f"/.ds-events-web-2024.05.01-00000{part}/_bulk?refresh=true", lines)


class Elasticsearch9(Elasticsearch8):
    """Elasticsearch 9.0.0; its test archive lacks the module that answers GET /."""

    name = "elasticsearch9"
    version = "9.0.0"
    modes = ("open", "closed")
    java_version = 21


class OpenSearch2(Search):
    """OpenSearch 2.19.3. `reader`: its anonymous user has a role that reads customers."""

    name = "opensearch2"
    scheme = "opensearch"
    package = "opensearch"
    version = "2.19.3"
    user = "admin"
    modes = ("open", "closed", "reader")

    def home(self) -> Path:
        return CACHE / "opt" / f"opensearch-{self.version}{'' if self.mode == 'open' else '-security'}"

    def install(self) -> None:
        super().install()
        if self.mode == "open":
            return
        plugin = maven(f"org.opensearch.plugin:opensearch-security:{self.version}.0:zip")
        extra = [maven("org.apache.commons:commons-collections4:4.5.0:jar")] if self.version[0] == "3" else []
        plain, home = CACHE / "opt" / f"opensearch-{self.version}", self.home()
        if (home / ".done").exists():
            return
        with install_lock():
            shutil.rmtree(home, ignore_errors=True)
            shutil.copytree(plain, home)
        folder = unpacked(plugin, home / "plugins" / "opensearch-security")
        (folder / f".{plugin.name}.done").unlink()  # the server refuses files that are no plugin's
        # The archive lacks a module that the plugin can do without, and a jar that it cannot.
        about = folder / "plugin-descriptor.properties"
        about.write_text(re.sub(r",rule-framework$", ",rule-framework;optional=true", about.read_text(), flags=re.M))
        for jar in extra:
            shutil.copy(jar, folder)
        (home / ".done").touch()

    def settings(self) -> dict[str, object]:
        found = super().settings()
        if self.mode == "open":
            return found
        return found | {
            "plugins.security.ssl.transport.pemcert_filepath": "certs/node.pem",
            "plugins.security.ssl.transport.pemkey_filepath": "certs/node.key",
            "plugins.security.ssl.transport.pemtrustedcas_filepath": "certs/node.pem",
            "plugins.security.ssl.transport.enforce_hostname_verification": False,
            "plugins.security.ssl.http.enabled": False,
            "plugins.security.nodes_dn": ["CN=n1"],
            "plugins.security.authcz.admin_dn": ["CN=plainview-admin"],
            "plugins.security.allow_default_init_securityindex": True,
        }

    def configure(self) -> Path:
        config = super().configure()
        if self.mode == "open":
            return config
        certs, security = config / "certs", config / "opensearch-security"
        certs.mkdir()
        security.mkdir()
        make = "openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=n1 -addext".split()
        make += ["subjectAltName=DNS:localhost,IP:127.0.0.1", "-addext", "extendedKeyUsage=serverAuth,clientAuth"]
        make += ["-keyout", str(certs / "node.key"), "-out", str(certs / "node.pem")]
        subprocess.run(make, check=True, capture_output=True)
        basic = {"http_enabled": True, "transport_enabled": True, "order": 0}
        basic |= {"http_authenticator": {"type": "basic", "challenge": self.mode != "reader"}}
        basic |= {"authentication_backend": {"type": "internal"}}
        http = {"anonymous_auth_enabled": self.mode == "reader"}
        user = {"hash": HASH, "reserved": True, "backend_roles": ["admin"]}
        allowed = ["indices:data/read*", "indices:monitor*", "indices:admin/mappings/get", "indices:admin/aliases/get"]
        index = [{"index_patterns": ["customers", "events-*", ".ds-events-*"], "allowed_actions": allowed}]
        role = {"cluster_permissions": ["cluster:monitor*", "indices:data/read/scroll*"], "index_permissions": index}
        every = ["read", "indices_monitor", "indices:admin/mappings/get", "indices:admin/resolve/index"]
        auditor = {
            "cluster_permissions": ["cluster_monitor", "indices:data/read/scroll*"],
            "index_permissions": [{"index_patterns": ["*"], "allowed_actions": every}],
        }
        everybody = {"reserved": False, "backend_roles": ["opendistro_security_anonymous_backendrole"]}
        tables: dict[str, tuple[str, dict[str, object]]] = {
            "config": ("config", {"config": {"dynamic": {"http": http, "authc": {"basic": basic}}}}),
            "internal_users": ("internalusers", {"admin": user, "auditor": {"hash": HASH}}),
            "roles": ("roles", {"reader": role, "auditor": auditor}),
            "roles_mapping": (
                "rolesmapping",
                {
                    "all_access": {"backend_roles": ["admin"]},
                    "reader": everybody,
                    "auditor": {"users": ["auditor"]},
                },
            ),
            "action_groups": ("actiongroups", {}),
            "tenants": ("tenants", {}),
            "nodes_dn": ("nodesdn", {}),
            "whitelist": ("whitelist", {"config": {"enabled": False, "requests": {}}}),
            "allowlist": ("allowlist", {"config": {"enabled": False, "requests": {}}}),
            "audit": ("audit", {"config": {"enabled": False}}),
        }
        for name, (kind, content) in tables.items():
            text = json.dumps({"_meta": {"type": kind, "config_version": 2}, **content})  # JSON is YAML
            (security / f"{name}.yml").write_text(text)
        return config

    def ready(self) -> bool:
        try:
            return super().ready()
        except urllib.error.HTTPError as error:
            if error.code in (401, 503):  # the security index is being made
                return False
            raise


class OpenSearch3(OpenSearch2):
    """OpenSearch 3.4.0."""

    name = "opensearch3"
    version = "3.4.0"
    modes = ("open", "closed")
    java_version = 21


__all__ = ["Elasticsearch7", "Elasticsearch8", "Elasticsearch9", "OpenSearch2", "OpenSearch3", "Search"]
