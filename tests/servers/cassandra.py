"""Cassandra 5.0.5 of Maven Central: open (AllowAllAuthenticator) and closed (PasswordAuthenticator)."""

from __future__ import annotations

import socket
import struct
import time

from .base import CACHE, CANARY, SECRET, free_port
from .jvm import JvmServer, java
from .mongo import jars

VERSION = "5.0.5"
PEOPLE = 1_500
YAML = """cluster_name: pv
num_tokens: 1
partitioner: org.apache.cassandra.dht.Murmur3Partitioner
listen_address: 127.0.0.1
rpc_address: 127.0.0.1
storage_port: {storage}
native_transport_port: {port}
start_native_transport: true
endpoint_snitch: SimpleSnitch
seed_provider:
  - class_name: org.apache.cassandra.locator.SimpleSeedProvider
    parameters:
      - seeds: "127.0.0.1:{storage}"
commitlog_sync: periodic
commitlog_sync_period: 10000ms
commitlog_segment_size: 5MiB
data_file_directories: [{data}/d]
commitlog_directory: {data}/c
saved_caches_directory: {data}/s
hints_directory: {data}/h
cdc_raw_directory: {data}/cdc
materialized_views_enabled: true
authenticator: {authenticator}
authorizer: {authorizer}
role_manager: CassandraRoleManager
audit_logging_options:
  enabled: true
  logger:
    - class_name: FileAuditLogger
  excluded_keyspaces: none
"""
LOGBACK = (
    '<configuration><appender name="S" class="ch.qos.logback.core.ConsoleAppender"><encoder>'
    "<pattern>%d %-5level %logger{1} %msg%n</pattern></encoder></appender>"
    '<root level="INFO"><appender-ref ref="S"/></root></configuration>'
)
EXPORTS = (
    "java.base/jdk.internal.misc java.management.rmi/com.sun.jmx.remote.internal.rmi java.rmi/sun.rmi.registry"
    " java.rmi/sun.rmi.server java.sql/java.sql java.base/java.lang.ref jdk.unsupported/sun.misc"
    " jdk.attach/sun.tools.attach"
)
OPENS = (
    "java.base/java.lang.module java.base/jdk.internal.loader java.base/jdk.internal.ref"
    " java.base/jdk.internal.reflect java.base/jdk.internal.math java.base/jdk.internal.module"
    " java.base/jdk.internal.util.jar jdk.management/com.sun.management.internal java.base/sun.nio.ch"
    " java.base/java.io java.base/java.nio java.base/java.lang java.base/java.lang.reflect java.base/java.util"
    " java.base/java.util.concurrent"
)
ODD = "OddTable"  # names of tables hold letters, digits and _ only; those of columns anything
ODD_COLUMN = 'E "Mail";-- é'
TABLES = (
    "CREATE KEYSPACE shop WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
    "CREATE TYPE shop.address (street text, city text)",
    (
        "CREATE TABLE shop.people (id int PRIMARY KEY, email text, born date, seen timestamp, device uuid, ip inet,"
        " balance decimal, big varint, ok boolean, score double, visits bigint, small smallint, tiny tinyint, at time,"
        " lasts duration, photo blob, made timeuuid, ratio float, nobody text)"
    ),
    (
        "CREATE TABLE shop.nested (id int PRIMARY KEY, phones list<text>, tags set<text>, extra map<text, text>,"
        " home frozen<address>, pair tuple<text, int>, face vector<float, 3>)"
    ),
    f'CREATE TABLE shop."{ODD}" ("{ODD_COLUMN.replace(chr(34), chr(34) * 2)}" text PRIMARY KEY)',
    "CREATE TABLE shop.empty (phone text PRIMARY KEY)",
    "CREATE TABLE shop.hits (page text PRIMARY KEY, n counter)",
)
ROW = (
    "INSERT INTO shop.people (id, email, born, seen, device, ip, balance, big, ok, score, visits, small, tiny, at, lasts,"
    " photo, made, ratio) VALUES ({0}, {1}, '1970-05-05', '2001-02-03T04:05:06.789Z',"
    " 61f0c404-5cb3-11e7-907b-a6006ad3dba0, '192.0.2.7', 12.50, 123456789012345678901234567890, true, 1.5, {0}, 7, -7,"
    " '08:30:00', 1mo2d3s, 0xffd8ff, 50554d6e-29bb-11e5-b345-feff819cdc9f, 0.5)"
)


class Cassandra(JvmServer):
    """Cassandra 5.0.5; closed with passwords and CassandraAuthorizer."""

    name = "cassandra"
    scheme = "cassandra"
    version = VERSION

    def install(self) -> None:
        self.java = java(17) / "bin" / "java"
        self.folder = CACHE / "opt" / f"cassandra-all-{VERSION}" / "lib"
        jars(f"org.apache.cassandra:cassandra-all:{VERSION}", self.folder)

    def command(self) -> list[str]:
        for name in ("conf", "tmp", "logs"):
            (self.data / name).mkdir()
        yaml = YAML.format(
            storage=free_port(),
            port=self.port,
            data=self.data,
            authenticator="PasswordAuthenticator" if self.closed else "AllowAllAuthenticator",
            authorizer="CassandraAuthorizer" if self.closed else "AllowAllAuthorizer",
        )
        (self.data / "conf" / "cassandra.yaml").write_text(yaml)
        (self.data / "conf" / "logback.xml").write_text(LOGBACK)
        options = ["-Xms512m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xss512k"]
        options += [f"-javaagent:{self.folder}/jamm-0.4.0.jar", "-Djdk.attach.allowAttachSelf=true"]
        options += [f"--add-exports={name}=ALL-UNNAMED" for name in EXPORTS.split()]
        options += [f"--add-opens={name}=ALL-UNNAMED" for name in OPENS.split()]
        options += ["-Dio.netty.tryReflectionSetAccessible=true", "-Dcassandra-foreground=yes"]
        settings = {
            "cassandra.skip_wait_for_gossip_to_settle": "0",
            "cassandra.ring_delay_ms": "1",
            "cassandra.superuser_setup_delay_ms": "0",
            "cassandra.storagedir": str(self.data),
            "cassandra.logdir": f"{self.data}/logs",
            "cassandra.config": f"file://{self.data}/conf/cassandra.yaml",
            "logback.configurationFile": f"{self.data}/conf/logback.xml",
            "java.io.tmpdir": f"{self.data}/tmp",
            "jna.tmpdir": f"{self.data}/tmp",
        }
        options += [f"-D{name}={value}" for name, value in settings.items()]
        options += ["-cp", f"{self.data}/conf:{self.folder}/*", "org.apache.cassandra.service.CassandraDaemon"]
        return self.as_nobody(str(self.java), *options)

    def ready(self) -> bool:
        with Client(self.port, self.login()) as client:  # the first login works once the default role was written
            return client.ask("SELECT release_version FROM system.local")[0] == 8

    def login(self) -> tuple[str, str] | None:
        """Return the administrator's login."""
        return ("cassandra", "cassandra") if self.closed else None

    def seed(self) -> None:
        with Client(self.port, self.login()) as client:
            for statement in TABLES:
                client.must(statement)
            for number in range(PEOPLE):
                email = "null" if number % 3 == 2 else f"'{CANARY if number == 7 else f'p{number}@example.com'}'"
                client.must(ROW.format(number, email))
            client.must(
                "INSERT INTO shop.nested (id, phones, tags, extra, home, pair, face) VALUES (1, ['+49 30 90182357'],"
                f" {{'a'}}, {{'mail': '{CANARY}'}}, {{street: 'Am Markt 1', city: 'Weimar'}}, ('x', 1), [1, 2, 3])"
            )
            column = ODD_COLUMN.replace(chr(34), chr(34) * 2)
            client.must(f'INSERT INTO shop."{ODD}" ("{column}") VALUES (\'{CANARY}\')')
            client.must("UPDATE shop.hits SET n = n + 3 WHERE page = 'home'")
            if self.closed:
                client.must(f"CREATE ROLE auditor WITH PASSWORD = '{SECRET}' AND LOGIN = true")
                client.must("GRANT SELECT ON KEYSPACE shop TO auditor")

    def dump(self) -> object:
        names = ("people", "nested", "hits")
        with Client(self.port, self.login()) as client:
            return [client.must(f"SELECT JSON * FROM shop.{name}") for name in names]


class Client:
    """Enough of a client to write test data."""

    def __init__(self, port: int, login: tuple[str, str] | None) -> None:
        self.sock = socket.create_connection(("127.0.0.1", port), 60)
        self.stream = self.sock.makefile("rb")
        code, _ = self.frame(1, b"\0\1\0\x0bCQL_VERSION\0\x053.0.0")
        if code == 3 and login:
            token = f"\0{login[0]}\0{login[1]}".encode()
            code, _ = self.frame(15, struct.pack(">i", len(token)) + token)
        if code not in (2, 16):
            self.close()
            raise OSError(f"not yet: opcode {code}")

    def frame(self, opcode: int, body: bytes) -> tuple[int, bytes]:
        self.sock.sendall(struct.pack(">BBhBi", 4, 0, 0, opcode, len(body)) + body)
        _, _, _, code, length = struct.unpack(">BBhBi", self.stream.read(9))
        return code, self.stream.read(length)

    def ask(self, statement: str) -> tuple[int, bytes]:
        text = statement.encode()
        return self.frame(7, struct.pack(">i", len(text)) + text + struct.pack(">HB", 1, 0))

    def must(self, statement: str) -> bytes:
        end = time.monotonic() + 20
        while True:
            code, body = self.ask(statement)
            if code == 8:
                return body
            assert time.monotonic() < end, (statement, body)
            time.sleep(0.5)

    def close(self) -> None:
        self.stream.close()
        self.sock.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
