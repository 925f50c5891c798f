"""ClickHouse 18.16 of Debian, open and closed by a password, or open with a read-only profile."""

from __future__ import annotations

import urllib.parse
import urllib.request

from .base import CANARY, SECRET, Server, apt, free_port

PEOPLE = 3_000
USERS = """<yandex><profiles>
<default><max_memory_usage>1000000000</max_memory_usage><log_queries>1</log_queries></default>
<visitor><log_queries>1</log_queries>{readonly}</visitor>
<admin><log_queries>1</log_queries>
<allow_experimental_low_cardinality_type>1</allow_experimental_low_cardinality_type></admin></profiles>
<quotas><default/></quotas><users>
<default><password>{password}</password><networks><ip>127.0.0.1</ip></networks>
<profile>visitor</profile><quota>default</quota></default>
<admin><password>{secret}</password><networks><ip>127.0.0.1</ip></networks>
<profile>admin</profile><quota>default</quota></admin></users></yandex>"""
CONFIG = """<yandex><logger><level>information</level><console>1</console></logger>
<http_port>{port}</http_port><tcp_port>{tcp}</tcp_port><listen_host>127.0.0.1</listen_host>
<path>{data}/d/</path><tmp_path>{data}/tmp/</tmp_path><user_files_path>{data}/u/</user_files_path>
<format_schema_path>{data}/f/</format_schema_path><users_config>{data}/users.xml</users_config>
<default_profile>default</default_profile><default_database>default</default_database>
<mark_cache_size>268435456</mark_cache_size>
<query_log><database>system</database><table>query_log</table>
<flush_interval_milliseconds>200</flush_interval_milliseconds></query_log></yandex>"""
ODD = "odd `name`;--\\ \"x' é"
PERSON = (
    "id UInt64, name String, email Nullable(String), city LowCardinality(String), code FixedString(4), device UUID,"
    " born Date, seen DateTime, level Enum8('low' = 1, 'high' = 2), paid Decimal(18, 4), score Float64,"
    " shouted String MATERIALIZED upper(name), other String ALIAS lower(name)"
)
NESTED = "id UInt8, tags Array(String), n Nested(mail String, n UInt8), pair Tuple(String, UInt8)"
SELECT = (
    f"number, concat('n\\t\\\\', toString(number)), if(number = 7, '{CANARY}', if(number % 2 = 1,"
    " concat('p', toString(number), '@example.com'), NULL)), 'Weimar', 'ab',"
    " toUUID('61f0c404-5cb3-11e7-907b-a6006ad3dba0'), toDate('1970-05-05'), toDateTime('1980-01-01 00:00:00'),"
    " 'low', toDecimal64('12.5', 4), 1.5"
)


class Clickhouse(Server):
    """ClickHouse 18.16.1; `readonly` is open with a profile that forbids writing."""

    name = "clickhouse"
    scheme = "clickhouse"
    modes = ("open", "closed", "readonly")
    version = "18.16.1"

    def install(self) -> None:
        self.binary = apt("clickhouse-server", binary="clickhouse-server")

    def command(self) -> list[str]:
        for name in ("d", "tmp", "u", "f"):
            (self.data / name).mkdir()
        users = USERS.format(
            password=SECRET if self.closed else "",
            secret=SECRET,
            readonly="<readonly>1</readonly>" if self.mode == "readonly" else "",
        )
        (self.data / "users.xml").write_text(users)
        config = CONFIG.format(port=self.port, tcp=free_port(), data=self.data)
        (self.data / "config.xml").write_text(config)
        return [self.binary, f"--config-file={self.data}/config.xml"]

    def query(self, sql: str) -> bytes:
        """Run a statement as the administrator."""
        options = {"user": "admin", "password": SECRET}
        query = urllib.parse.urlencode(options)
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/?{query}", sql.encode(), timeout=20) as answer:
            return answer.read()

    def ready(self) -> bool:
        return self.query("SELECT 1") == b"1\n"

    def seed(self) -> None:
        odd = "`" + ODD.replace("\\", "\\\\").replace("`", "\\`") + "`"
        columns = "id, name, email, city, code, device, born, seen, level, paid, score"
        for statement in (
            "CREATE DATABASE shop",
            f"CREATE TABLE shop.people ({PERSON}) ENGINE = MergeTree ORDER BY id",
            f"INSERT INTO shop.people ({columns}) SELECT {SELECT} FROM numbers({PEOPLE})",
            f"CREATE TABLE shop.nested ({NESTED}) ENGINE = Log",
            f"INSERT INTO shop.nested VALUES (1, ['a', 'b,\\'c'], ['{CANARY}'], [1], ('x\\ty', 2))",
            f"CREATE TABLE shop.{odd} (`e mail` String) ENGINE = Memory",
            f"INSERT INTO shop.{odd} VALUES ('{CANARY}'), (''), ('a\\\\nb')",
            "CREATE TABLE shop.states (k UInt8, s AggregateFunction(uniq, String)) ENGINE = MergeTree ORDER BY k",
            "INSERT INTO shop.states SELECT 1, uniqState('x')",
            "CREATE TABLE shop.empty (phone String) ENGINE = Log",
            "CREATE VIEW shop.view AS SELECT * FROM shop.people",
            "CREATE TABLE shop.elsewhere (a String) ENGINE = URL('http://10.9.8.7/x', TSV)",
            "CREATE TABLE shop.merged AS shop.empty ENGINE = Merge(shop, '^empty')",
        ):
            self.query(statement)

    def dump(self) -> object:
        names = ("people", "nested", "empty")
        tables = [self.query(f"SELECT * FROM shop.{name} FORMAT TabSeparated") for name in names]
        return [*tables, self.query("SELECT database, name, engine FROM system.tables WHERE database = 'shop'")]

    def queries(self) -> list[str]:
        """Return the statements that plainview sent, as the server logged them."""
        rows = self.query(
            "SELECT query FROM system.query_log WHERE type = 1 AND http_user_agent = 'plainview' FORMAT TabSeparatedRaw"
        )
        return rows.decode().splitlines()
