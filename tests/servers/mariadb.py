"""MariaDB 10.11 of Debian, with a data folder of its own."""

from __future__ import annotations

import hashlib
import socket
import subprocess

import pymysql

from .base import CANARY, SECRET, Server, apt, self_signed

PEOPLE = 300
ODD = 'Odd "Name"; -- `\u00e9\u6c0f'
LONG = "l" * 64


class MariaDB(Server):
    """MariaDB 10.11. "open": root has no password; "reader": root is a user with few rights."""

    name = "mariadb"
    scheme = "mariadb"
    modes = ("open", "closed", "reader", "tls")
    version = "10.11."
    run_as = "mysql"
    seconds = 60.0

    def install(self) -> None:
        self.binary = apt("mariadb-server", binary="mariadbd")
        self.setup = apt("mariadb-server", binary="mariadb-install-db")
        self.dumper = apt("mariadb-client", binary="mariadb-dump")

    def command(self) -> list[str]:
        folder = str(self.data / "my")
        words = [self.setup, "--no-defaults", "--user=mysql", f"--datadir={folder}", "--skip-test-db"]
        subprocess.run([*words, "--auth-root-authentication-method=normal"], check=True, capture_output=True, cwd="/")
        self.socket = str(self.data / "s.sock")
        words = [self.binary, "--no-defaults", "--user=mysql", f"--datadir={folder}", f"--socket={self.socket}"]
        words += [
            "--bind-address=127.0.0.1",
            f"--port={self.port}",
            "--skip-name-resolve",
            "--innodb-buffer-pool-size=64M",
        ]
        words += [
            "--innodb-flush-log-at-trx-commit=0",
            "--general-log=1",
            f"--general-log-file={self.data}/general.log",
        ]
        if self.mode == "tls":
            pair = self.data / "pair.pem"
            self_signed(pair)
            words += [f"--ssl-cert={pair}", f"--ssl-key={pair}", "--require-secure-transport=0"]
        return words

    def admin(self, **options: object) -> pymysql.Connection:
        """Return the administrator's connection, over the socket."""
        login = {"user": "boss", "password": SECRET} if getattr(self, "seeded", False) else {"user": "root"}
        return pymysql.connect(unix_socket=self.socket, autocommit=True, charset="utf8mb4", **login, **options)

    def ready(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:  # PyMySQL leaves its socket open when it cannot connect
            probe.connect(self.socket)
        try:
            self.admin().close()
        except pymysql.Error:
            return False
        return True

    def run(self, *statements: str) -> None:
        """Run statements as the administrator."""
        with self.admin() as admin, admin.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def seed(self) -> None:
        odd = ODD.replace("`", "``")
        statements = [
            text.replace("ODD", f"`{odd}`").replace("LONG", LONG) for text in SCHEMA.split(";\n") if text.strip()
        ]
        with self.admin() as admin, admin.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            people = [
                ("Ann Example", CANARY if n == 7 else f"p{n}@example.com", f"+1 202 555 {n:04}") for n in range(PEOPLE)
            ]
            cursor.executemany("INSERT INTO shop.customers (full_name, email, phone) VALUES (%s, %s, %s)", people)
            cursor.execute("ANALYZE TABLE shop.customers, shop.types")
            cursor.execute(f"CREATE USER boss@localhost IDENTIFIED BY '{SECRET}'")
            cursor.execute("GRANT ALL PRIVILEGES ON *.* TO boss@localhost WITH GRANT OPTION")
            cursor.execute(f"CREATE USER reader@'127.0.0.1' IDENTIFIED BY '{SECRET}'")
            cursor.execute("GRANT SELECT ON shop.customers TO reader@'127.0.0.1'")
            cursor.execute("GRANT SELECT (id) ON shop.types TO reader@'127.0.0.1'")
            cursor.execute("GRANT INSERT ON shop.inbox TO reader@'127.0.0.1'")
            if self.mode in ("closed", "tls"):
                for host in ("localhost", "127.0.0.1", "::1"):
                    cursor.execute(f"ALTER USER IF EXISTS root@'{host}' IDENTIFIED BY '{SECRET}'")
            elif self.mode == "reader":
                for host in ("localhost", "127.0.0.1", "::1"):
                    cursor.execute(f"DROP USER IF EXISTS root@'{host}'")
                cursor.execute("CREATE USER root@'127.0.0.1'")
                cursor.execute("GRANT SELECT ON shop.* TO root@'127.0.0.1'")
        self.seeded = True

    def dump(self) -> object:
        command = [self.dumper, "--no-defaults", f"--socket={self.socket}", "-uboss", f"-p{SECRET}", "--skip-dump-date"]
        done = subprocess.run([*command, "--all-databases"], capture_output=True, check=True)
        with self.admin() as admin, admin.cursor() as cursor:
            cursor.execute(
                "SHOW GLOBAL STATUS WHERE variable_name IN ('Com_insert', 'Com_update', 'Com_delete', 'Com_drop_table')"
            )
            return hashlib.sha256(done.stdout).hexdigest(), cursor.fetchall()

    def general_log(self) -> str:
        """Return the log of all statements."""
        return (self.data / "general.log").read_text(errors="replace")


SCHEMA = r"""
CREATE DATABASE shop;
CREATE DATABASE `Sales & Co`;
CREATE TABLE shop.customers (id int PRIMARY KEY AUTO_INCREMENT, full_name varchar(80), email varchar(80), phone text);
CREATE TABLE shop.types (id bigint unsigned, bits bit(12), day date, zero date, moment datetime(3), stamp timestamp NULL,
 price decimal(12,2), big decimal(30,0), real8 double, raw blob, doc json, feeling enum('sad','ok'), tags set('a','b'),
 place point, old varchar(80) CHARACTER SET latin1, wide varchar(80) CHARACTER SET utf8mb4, fixed char(5), pause time,
 born year, uid uuid, ip inet6, longer longtext, odd text, nothing text, `Column; DROP TABLE x; --` text);
SET sql_mode = '';
INSERT INTO shop.types VALUES (18446744073709551615, b'101010101010', '2024-02-29', '0000-00-00', '2024-02-29 12:30:00.5',
 '2024-02-29 12:30:00', 12.50, 123456789012345678901, 1.25, x'00ff0a1f1e', '{"email": "CANARY"}', 'ok', 'a,b', POINT(1, 2),
 'Müller', '😀氏', 'ab', '12:00:00', 1999, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '2001:db8::1', REPEAT('x', 70000),
 'tab\there\nline\r\n\\N', NULL, 'CANARY'), (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '', NULL, NULL, '', NULL, '', REPEAT('é', 200), NULL,
 NULL, NULL, NULL, NULL, REPEAT('y', 300), CONCAT(CHAR(31), CHAR(30), CHAR(29), CHAR(28), 'x'), NULL, '');
CREATE TABLE `Sales & Co`.ODD (`q``uote` int, `mixed Case` text);
INSERT INTO `Sales & Co`.ODD VALUES (1, 'CANARY');
CREATE TABLE shop.LONG (email text);
INSERT INTO shop.LONG VALUES ('CANARY');
CREATE TABLE shop.empty (email text, phone text);
CREATE TABLE shop.inbox (email text);
CREATE TABLE shop.parts (id int, email varchar(80)) PARTITION BY HASH (id) PARTITIONS 4;
INSERT INTO shop.parts SELECT seq, CONCAT('e', seq, '@example.com') FROM shop.seq_1_to_700;
CREATE TABLE shop.versions (email varchar(80)) WITH SYSTEM VERSIONING;
INSERT INTO shop.versions VALUES ('old@example.org');
DELETE FROM shop.versions;
CREATE SQL SECURITY INVOKER VIEW shop.mails AS SELECT email FROM shop.customers;
CREATE SEQUENCE shop.numbers;
""".replace("CANARY", CANARY)
