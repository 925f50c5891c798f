"""SQL dumps of each dialect: every cell comes back, damage is told by its line, no value gets out."""

from __future__ import annotations

import io
import sqlite3
import time

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plainview.errors import PlainviewError
from plainview.files.formats.sqldump import read as sqldump
from plainview.files.formats.sqldump import tables as sqldump_tables
from plainview.files.formats.sqldump.tables import distinct
from plainview.tables import Input, Limits, ReadLog

CANARY = "canary.7f3a@example.org"
Rows = list[tuple[object, ...]]


def source_of(data: bytes | str, name: str = "d.sql") -> Input:
    raw = data.encode() if isinstance(data, str) else data
    return Input(name, raw[:65536], lambda: io.BytesIO(raw), len(raw))


def tables_of(data: bytes | str) -> tuple[dict[str, pl.DataFrame], ReadLog]:
    log = ReadLog()
    found: dict[str, list[pl.DataFrame]] = {}
    for batch in sqldump.read(source_of(data), log):
        assert batch.table.kind == "sql_dump"
        assert batch.table.name.startswith("d.sql/")
        found.setdefault(batch.table.name[6:], []).append(batch.frame)
    assert CANARY not in repr(log.skipped)
    return {name: joined(frames) for name, frames in found.items()}, log


def joined(frames: list[pl.DataFrame]) -> pl.DataFrame:
    """One frame; a column that is bytes in one batch and text in another becomes an Object column."""
    try:
        return pl.concat(frames)
    except pl.exceptions.PolarsError:
        return pl.DataFrame(
            [row for frame in frames for row in frame.rows()],
            schema=dict.fromkeys(frames[0].columns, pl.Object),
            orient="row",
        )


def skipped(log: ReadLog) -> list[str]:
    return [why for _, why in log.skipped]


MYSQLDUMP = r"""/*M!999999\- enable the sandbox mode */
-- MariaDB dump 10.19  Distrib 10.11.6-MariaDB, for debian-linux-gnu (x86_64)
--
-- Host: localhost    Database: shop; it's "quoted" `here`
-- ------------------------------------------------------

/*!40101 SET @OLD_CHARACTER_SET_CLIENT=@@CHARACTER_SET_CLIENT */;
/*!40101 SET NAMES utf8mb4 */;
DROP TABLE IF EXISTS `customers`;
/*!40101 SET character_set_client = utf8 */;
CREATE TABLE `customers` (
  `id` int(11) NOT NULL AUTO_INCREMENT,
  `full name` varchar(100) DEFAULT 'a, b) -- ''x',
  `photo` longblob DEFAULT NULL,
  `note` text DEFAULT NULL COMMENT 'it''s; free',
  PRIMARY KEY (`id`),
  KEY `k` (`full name`),
  CONSTRAINT `c` FOREIGN KEY (`id`) REFERENCES `x` (`id`)
) ENGINE=InnoDB AUTO_INCREMENT=5 DEFAULT CHARSET=utf8mb4;
LOCK TABLES `customers` WRITE;
/*!40000 ALTER TABLE `customers` DISABLE KEYS */;
INSERT INTO `customers` VALUES
(1,'O\'Hara \\',0xFFD8FF,'say \"hi\"\r\n\tx\\n'),
(2,'),(','',NULL),
(3,'王芳',NULL,'');
INSERT INTO `customers` VALUES (4,'d',_binary 'a\0\'),(\Z','a;\n-- b');
/*!40000 ALTER TABLE `customers` ENABLE KEYS */;
UNLOCK TABLES;
DELIMITER ;;
/*!50003 CREATE*/ /*!50017 DEFINER=`root`@`localhost`*/ /*!50003 TRIGGER t AFTER INSERT ON customers FOR EACH ROW BEGIN
INSERT INTO log VALUES (NEW.id);
END */;;
DELIMITER ;
"""


def test_mysqldump() -> None:
    tables, log = tables_of(MYSQLDUMP)
    assert list(tables) == ["customers"]
    assert tables["customers"].to_dict(as_series=False) == {
        "id": ["1", "2", "3", "4"],
        "full name": ["O'Hara \\", "),(", "王芳", "d"],
        "photo": [b"\xff\xd8\xff", b"", None, b"a\0'),(\x1a"],
        "note": ['say "hi"\r\n\tx\\n', None, "", "a;\n-- b"],
    }
    assert not log.skipped


def test_binary_strings_keep_their_bytes() -> None:
    dump = b"-- MySQL dump 10.13\nINSERT INTO `t` VALUES (1,'caf\xc3\xa9',_binary '\xff\xd8\\0\\'),('),(2,'x',NULL);\n"
    frame = tables_of(dump)[0]["t"]
    assert frame.rows() == [("1", "café", b"\xff\xd8\0'),("), ("2", "x", None)]


PG_DUMP = r"""--
-- PostgreSQL database dump
--

\restrict abc'def

SET statement_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;

CREATE FUNCTION public.f() RETURNS trigger
    LANGUAGE plpgsql
    AS $_$ BEGIN INSERT INTO log VALUES ('it''s', $1); END; $_$;

CREATE TABLE public.people (
    id integer NOT NULL,
    name character varying(20) DEFAULT 'x,y'::character varying,
    raw bytea
);
ALTER TABLE public.people OWNER TO postgres;

--
-- Data for Name: people; Type: TABLE DATA; Schema: public; Owner: it's
--

COPY public.people (id, name, raw) FROM stdin;
1	O'Hara\t\\N \\ x\ny	\\xffd8
2	\N	\N
3		\\x
\.


COPY public.nothing (a, "b c") FROM stdin;
\.

COPY public.bad (a, b) FROM stdin;
1	2
canary.7f3a@example.org
3	4
\.

INSERT INTO public.orders VALUES (1, 'a, b), (c', true, '{"k": 1, "l": [1, 2]}', '\x4142'), (2, 'it''s', NULL, NULL, NULL);
INSERT INTO public.orders VALUES (3, 'two
lines; -- no comment', false, E'tab\there\\', '\x43');
INSERT INTO public.named ("Id", note) OVERRIDING SYSTEM VALUE VALUES (7, 'C:\') ON CONFLICT DO NOTHING;
INSERT INTO public.named ("Id", note) OVERRIDING SYSTEM VALUE VALUES (8, 'x') ON CONFLICT DO NOTHING;
SELECT pg_catalog.setval('public.people_id_seq', 3, true);
\unrestrict abc
"""


def test_pg_dump() -> None:
    tables, log = tables_of(PG_DUMP)
    assert tables["public.people"].to_dict(as_series=False) == {
        "id": ["1", "2", "3"],
        "name": ["O'Hara\t\\N \\ x\ny", None, ""],
        "raw": [b"\xff\xd8", None, b""],
    }
    assert tables["public.bad"].rows() == [("1", "2"), ("3", "4")]
    orders = tables["public.orders"]
    assert orders["column_2"].to_list() == ["a, b), (c", "it's", "two\nlines; -- no comment"]
    assert orders["column_4"].to_list() == ['{"k": 1, "l": [1, 2]}', None, "tab\there\\"]
    assert tables["public.named"].to_dicts() == [{"Id": "7", "note": "C:\\"}, {"Id": "8", "note": "x"}]
    line = PG_DUMP[: PG_DUMP.index(CANARY)].count("\n") + 1
    assert skipped(log) == [f"more or fewer values than columns: line {line}"]
    assert "log" not in tables


def test_sqlite_dump() -> None:
    db = sqlite3.connect(":memory:")
    db.execute('CREATE TABLE "odd ""name" (a INTEGER, "b;" TEXT, c BLOB)')
    db.execute("CREATE TABLE empty (x TEXT)")
    rows = [(1, "it's\nnew; INSERT INTO x VALUES (1);", b"\xff"), (2, None, None), (3, "), (", b"")]
    db.executemany('INSERT INTO "odd ""name" VALUES (?, ?, ?)', rows)
    db.execute("CREATE TRIGGER t AFTER INSERT ON empty BEGIN INSERT INTO empty VALUES ('no'); END")
    dump = "\n".join(db.iterdump())
    db.close()
    tables, log = tables_of(dump)
    assert tables['odd "name'].rows() == [(str(a), b, c) for a, b, c in rows]
    assert tables['odd "name'].columns == ["a", "b;", "c"]
    assert tables["empty"].schema == {"x": pl.String}
    assert tables["empty"].height == 0
    assert not log.skipped


def test_sqlite_shell_calls() -> None:
    dump = r"""PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE t(a,b);
INSERT INTO t VALUES(1,replace('two\nlines''s','\n',char(10)));
INSERT INTO t VALUES(2,replace(replace('a\r\nb','\r',char(13)),'\n',char(10)));
INSERT INTO t VALUES(3,unistr('x\u000ay\\'));
INSERT INTO t VALUES(4,'plain');
COMMIT;
"""
    assert tables_of(dump)[0]["t"]["b"].to_list() == ["two\nlines's", "a\r\nb", "x\ny\\", "plain"]


def test_oracle() -> None:
    dump = r"""REM INSERTING into HR.EMP
SET DEFINE OFF;
Insert into HR.EMP (ID,NAME,HIRED) values (1,'O''Hara',to_date('17-DEC-80','DD-MON-RR'));
Insert into HR.EMP (ID,NAME,HIRED) values (2,'a'||chr(10)||'b',to_timestamp('2020-01-01 10:00:00','YYYY-MM-DD HH24:MI:SS'));
Insert into HR.EMP (ID,NAME,HIRED) values (3,q'[it's]',null);
Insert into HR.EMP (ID,NAME,HIRED) values (4,q'{),('}',DATE '2020-01-02');
INSERT ALL
  INTO T2 (A,B) VALUES (1,'x')
  INTO T2 (A,B) VALUES (2,TO_DATE('2020','YYYY'))
SELECT * FROM dual;
CREATE OR REPLACE TRIGGER x BEFORE INSERT ON t BEGIN
  INSERT INTO log VALUES ('no');
END;
/
Insert into HR.EMP (ID,NAME,HIRED) values (5,'z',null);
"""
    tables, log = tables_of(dump)
    found = sorted(tables["HR.EMP"].rows())
    assert found == [
        ("1", "O'Hara", "17-DEC-80"),
        ("2", "a\nb", "2020-01-01 10:00:00"),
        ("3", "it's", None),
        ("4", "),('", "2020-01-02"),
        ("5", "z", None),
    ]
    assert tables["T2"].rows() == [("1", "x"), ("2", "2020")]
    assert "log" not in tables
    assert not log.skipped


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_sql_server_script(encoding: str, newline: str) -> None:
    script = """USE [shop]
GO
SET ANSI_NULLS ON
GO
CREATE TABLE [dbo].[Customers](
\t[Id] [int] IDENTITY(1,1) NOT NULL,
\t[Full Name] [nvarchar](50) NULL,
\t[Born] [datetime] NULL,
\t[Paid] [decimal](18, 2) NULL,
 CONSTRAINT [PK] PRIMARY KEY CLUSTERED ([Id] ASC)
) ON [PRIMARY]
GO
SET IDENTITY_INSERT [dbo].[Customers] ON
INSERT [dbo].[Customers] ([Id], [Full Name], [Born], [Paid]) VALUES (1, N'O''Hara, 王', CAST(N'2020-01-01T00:00:00.000' AS DateTime), CAST(12.50 AS Decimal(18, 2)))
INSERT [dbo].[Customers] ([Id], [Full Name], [Born], [Paid]) VALUES (2, N'', NULL, NULL)
GO
print 'Processed 100 total records'
INSERT [dbo].[Customers] ([Id], [Full Name], [Born], [Paid]) VALUES (3, N'x)
y', NULL, NULL)
SET IDENTITY_INSERT [dbo].[Customers] OFF
""".replace("\n", newline)
    tables, log = tables_of(script.encode(encoding))
    assert tables["dbo.Customers"].rows() == [
        ("1", "O'Hara, 王", "2020-01-01T00:00:00.000", "12.50"),
        ("2", "", None, None),
        ("3", f"x){newline}y", None, None),
    ]
    assert tables["dbo.Customers"].columns == ["Id", "Full Name", "Born", "Paid"]
    assert not log.skipped


@pytest.mark.parametrize("name", ["latin1", "cp1251", "gbk"])
def test_the_encoding_that_the_dump_declares(name: str) -> None:
    text = {"latin1": "café", "cp1251": "Иван", "gbk": "王芳誠"}[name]
    dump = f"-- MySQL dump\n/*!40101 SET NAMES {name} */;\nINSERT INTO `t` VALUES (1,'{text}');\n"
    assert tables_of(dump.encode(name))[0]["t"].rows() == [("1", text)]


def test_an_encoding_that_nothing_declares_is_said() -> None:
    dump = "INSERT INTO t VALUES (1,'café');\n".encode("latin-1")
    batch = next(sqldump.read(source_of(dump), ReadLog()))
    assert batch.frame.rows() == [("1", "café")]
    assert any("windows-1252" in note for note in batch.table.notes)


def test_strings_in_double_quotes() -> None:
    dump = '''INSERT INTO t VALUES (1,"it's a, b","x ""y""");\nINSERT INTO t VALUES (2,"b",'"c"');\n'''
    assert tables_of(dump)[0]["t"].rows() == [("1", "it's a, b", 'x "y"'), ("2", "b", '"c"')]


def test_copy_in_another_format_is_told() -> None:
    lines = ["SET client_encoding = 'UTF8';", "COPY t (a) FROM stdin WITH (FORMAT csv);", CANARY, "\\."]
    dump = "\n".join([*lines, "INSERT INTO u VALUES (1);", ""])
    tables, log = tables_of(dump)
    assert list(tables) == ["u"]
    assert skipped(log) == ["COPY in another format than text: line 2"]


def test_two_databases_with_a_table_of_the_same_name() -> None:
    dump = "-- MySQL dump\nUSE `a`;\nINSERT INTO `t` VALUES (1);\nUSE `b`;\nINSERT INTO `t` VALUES (2,3);\n"
    tables, _ = tables_of(dump)
    assert {name: frame.rows() for name, frame in tables.items()} == {"t": [("1",)], "b.t": [("2", "3")]}


def test_what_is_not_rows_is_told_by_its_line_and_the_rest_is_read() -> None:
    dump = f"""-- MySQL dump
INSERT INTO `t` VALUES (1,'a');
INSERT INTO `t` SELECT '{CANARY}' FROM u;
INSERT INTO `t` VALUES (2,'b'),(3,'{CANARY}' ! 'x');
INSERT INTO `t` VALUES (4,"double 'quoted' \\"x\\"; {CANARY}");
INSERT INTO `t` VALUES (5,'e','{CANARY}');
LOAD DATA INFILE '{CANARY}' INTO TABLE t;
INSERT INTO `t` VALUES (6,'f');
INSERT INTO `t` VALUES (7,'{CANARY}
"""
    tables, log = tables_of(dump)
    ids = tables["t"]["column_1"].to_list()
    assert {"1", "2", "4", "6"} <= set(ids)
    assert "7" not in ids
    told = " ".join(skipped(log))
    assert "INSERT without VALUES: line 3" in told
    assert "LOAD DATA whose rows are not in the statement: line 7" in told
    assert "more or fewer values than columns: line 6" in told
    assert "ends in the middle of a statement: line 9" in told


@pytest.mark.parametrize(
    ("dump", "rows"),
    [
        ("INSERT INTO t VALUES (1,'a'),(2,'b'),(3,'cut of", 2),
        ("INSERT INTO t VALUES (1, 'a');\nINSERT INTO t VALUES (2, 'b')", 2),
        ("INSERT INTO t VALUES (1, 'a');\nINSERT INTO t VAL", 1),
        ("SET client_encoding = 'UTF8';\nCOPY t (a, b) FROM stdin;\n1\ta\n2\tb\n3\tcu", 2),
    ],
)
def test_a_dump_that_ends_too_early_keeps_its_rows(dump: str, rows: int) -> None:
    tables, log = tables_of(dump)
    assert tables["t"].height >= rows
    assert tables["t"].rows()[:rows] == [("1", "a"), ("2", "b")][:rows]
    assert bool(log.skipped) == (not dump.endswith(")"))


ALPHABET = st.text(st.sampled_from("ab'\"\\`,();\n\r\t -NXx0_$é王\x00\x03\x04\x1f/*#"), max_size=12)
PHRASES = st.sampled_from(
    [
        "),(",
        "), (",
        ");\nINSERT INTO t VALUES (",
        "', N''",
        ", N'",
        ",0x41",
        "NULL",
        "\\N",
        "\\.",
        "\\x41",
        "--",
        "/*",
        "''",
        "\\'",
    ]
)
TEXT = st.none() | ALPHABET | PHRASES | st.text(max_size=8)
TABLE = st.lists(st.tuples(st.integers(), TEXT, TEXT), min_size=1, max_size=12)


def _standard(cell: object) -> str:
    if cell is None or isinstance(cell, int):
        return "NULL" if cell is None else str(cell)
    return "'" + str(cell).replace("'", "''") + "'"


def _mysql(cell: object) -> str:
    if cell is None or isinstance(cell, int):
        return "NULL" if cell is None else str(cell)
    escapes = {"\\": "\\\\", "'": "\\'", '"': '\\"', "\n": "\\n", "\r": "\\r", "\0": "\\0", "\x1a": "\\Z"}
    return "'" + "".join(escapes.get(letter, letter) for letter in str(cell)) + "'"


def _copy(cell: object) -> str:
    if cell is None:
        return "\\N"
    escapes = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f", "\v": "\\v"}
    return "".join(escapes.get(letter, letter) for letter in str(cell))


def _as_mysql(rows: Rows) -> str:
    values = ",".join("(" + ",".join(map(_mysql, row)) + ")" for row in rows)
    return f"-- MySQL dump\n/*!40101 SET NAMES utf8mb4 */;\nINSERT INTO `t` VALUES {values};\n"


def _as_mariadb(rows: Rows) -> str:
    values = ",\n".join("(" + ",".join(map(_mysql, row)) + ")" for row in rows)
    return f"-- MariaDB dump\n/*!40101 SET NAMES utf8mb4 */;\nINSERT INTO `t` VALUES\n{values};\n"


def _as_lines(rows: Rows) -> str:
    lines = "".join(f"INSERT INTO t VALUES({','.join(map(_standard, row))});\n" for row in rows)
    return f"PRAGMA foreign_keys=OFF;\n{lines}COMMIT;\n"


def _as_pg_inserts(rows: Rows) -> str:
    lines = "".join(f"INSERT INTO t (a, b, c) VALUES ({', '.join(map(_standard, row))});\n" for row in rows)
    return f"-- PostgreSQL database dump\nSET client_encoding = 'UTF8';\n{lines}"


def _as_copy(rows: Rows) -> str:
    lines = "".join("\t".join(map(_copy, row)) + "\n" for row in rows)
    return f"-- PostgreSQL database dump\nSET client_encoding = 'UTF8';\nCOPY t (a, b, c) FROM stdin;\n{lines}\\.\n"


def _as_sql_server(rows: Rows) -> str:
    def cell_of(cell: object) -> str:
        return ("N" if isinstance(cell, str) else "") + _standard(cell)

    lines = "".join(f"INSERT [t] ([a], [b], [c]) VALUES ({', '.join(map(cell_of, row))})\nGO\n" for row in rows)
    return f"USE [x]\nGO\n{lines}"


@pytest.mark.parametrize("write", [_as_mysql, _as_mariadb, _as_lines, _as_pg_inserts, _as_copy, _as_sql_server])
@pytest.mark.parametrize("block", [None, 64])
def test_all_cells_come_back(write: object, block: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of 64 bytes cut statements everywhere."""
    if block:
        monkeypatch.setattr(sqldump, "BLOCK", block)
        monkeypatch.setattr(sqldump, "BATCH", 200)
    monkeypatch.setattr(sqldump_tables, "SMALL", 16)

    @given(TABLE)
    @settings(max_examples=150, deadline=None)
    def law(rows: Rows) -> None:
        text = write(rows)  # type: ignore[operator]
        tables, log = tables_of(text)
        assert not log.skipped
        # The fast way cannot tell the text NULL from NULL.
        wanted = [tuple(None if cell in (None, "NULL", "null") else str(cell) for cell in row) for row in rows]
        frame = tables["t"]
        found = [
            tuple(cell if not isinstance(cell, bytes) else "\\x" + cell.hex() for cell in row) for row in frame.rows()
        ]
        found = [tuple(None if cell in ("NULL", "null") else cell for cell in row) for row in found]
        assert sorted(found, key=repr) == sorted(wanted, key=repr)

    law()


@given(st.text(st.sampled_from("INSERT INTO t VALUES (1,'a');\n\\\"`$[]/*-q{}xCOPY FROM stdin"), max_size=200))
@settings(max_examples=300, deadline=None)
def test_any_text_ends_in_rows_or_in_words(text: str) -> None:
    tables, _ = tables_of(f"INSERT INTO t VALUES (1,'{CANARY}');\n{text}")
    assert CANARY in str(tables["t"].rows())


MANY_ROWS = """--
-- PostgreSQL database dump
--
SET standard_conforming_strings = on;
CREATE FUNCTION public.f() RETURNS text LANGUAGE plpgsql
    AS ' BEGIN RETURN ''INSERT INTO b VALUES (9);''; END; ';
INSERT INTO public.a VALUES
\t(1, 'crlf\r\nhere', 'x'),
\t(2, 'two', 'x');

INSERT INTO public.a VALUES
\t(3, 'three', 'x'),
\t(4, 'four', 'x');

INSERT INTO public.b VALUES
\t(5, 'five', 'x'),
\t(6, 'six\r\n', 'x');
"""


def test_a_line_break_in_a_string_says_nothing_of_the_dump() -> None:
    tables, log = tables_of(MANY_ROWS)
    assert skipped(log) == []
    assert tables["public.a"].rows() == [
        ("1", "crlf\r\nhere", "x"), ("2", "two", "x"), ("3", "three", "x"), ("4", "four", "x"),
    ]  # fmt: skip
    assert tables["public.b"].rows() == [("5", "five", "x"), ("6", "six\r\n", "x")]


@pytest.mark.parametrize("end", [");\r\n", ") ;\n", ")\n;\n"])
def test_rows_stay_in_their_table_however_statements_end(end: str) -> None:
    """What ends like no statement before must not join its rows with those of the next table."""
    text = "".join(
        f"INSERT INTO {name} VALUES (1,'{name}'),(2,'{name}'){close}"
        for name, close in [("a", ");\n"), ("a", end), ("b", end), ("c", end), ("a", ");\n"), ("b", ");\n")]
    ).replace("))", ")")
    tables, log = tables_of(text + "-- the end\n" * 100)
    assert skipped(log) == []
    assert {name: frame.rows() for name, frame in tables.items()} == {
        "a": [("1", "a"), ("2", "a")] * 3,
        "b": [("1", "b"), ("2", "b")] * 2,
        "c": [("1", "c"), ("2", "c")],
    }


@pytest.mark.parametrize(
    "text",
    [
        b"INSERT INTO t VALUES (" * 20_000,
        b"INSERT INTO t VALUES (1,'" * 20_000,
        b"INSERT INTO t VALUES (" + b"(" * 500_000,
        b"INSERT INTO t VALUES (1" + b"/*" * 500_000,
        b"INSERT INTO t VALUES (1" + b",q'[" * 200_000,
        b"CREATE TABLE t (" + b"a int, $x$ " * 100_000,
        b"/*" * 500_000,
        b"'" * 1_000_001,
        b"-- MySQL dump\nINSERT INTO `t` VALUES (1,'" + b"\\" * 1_000_001,
        b"COPY t FROM stdin;\n" + b"\t" * 1_000_000,
    ],
)
def test_hostile_text_takes_no_long(text: bytes) -> None:
    started = time.monotonic()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqldump, "BLOCK", 1 << 18)
        source = source_of(text)
        source.limits = Limits(field=1 << 18)
        log = ReadLog()
        try:
            for _ in sqldump.read(source, log):
                pass
        except PlainviewError:
            log.skip("d.sql", "stopped")
    assert log.skipped
    assert time.monotonic() - started < 30


def test_many_small_statements_become_few_batches() -> None:
    lines = "".join(f"INSERT INTO t{number % 3} VALUES({number},'name {number}');\n" for number in range(30_000))
    log = ReadLog()
    batches = list(sqldump.read(source_of("PRAGMA foreign_keys=OFF;\n" + lines), log))
    assert sum(batch.frame.height for batch in batches) == 30_000
    assert len(batches) == 3
    assert log.tables_listed == 3


def test_a_statement_longer_than_a_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqldump, "BLOCK", 10_000)
    monkeypatch.setattr(sqldump, "BATCH", 50_000)
    rows = [(number, f"it's ),( {number}", "x" * (number % 300)) for number in range(3000)]
    log = ReadLog()
    frames = [batch.frame for batch in sqldump.read(source_of(_as_mysql(rows)), log)]
    assert len(frames) > 5
    assert pl.concat(frames).rows() == [(str(a), b, c) for a, b, c in rows]
    assert not log.skipped


def test_one_odd_row_does_not_cost_the_others() -> None:
    rows = [(number, "x" * 100, None) for number in range(5000)]
    text = _as_pg_inserts(rows).replace("(2500, '", "(2500, 'é'||'")
    frame = tables_of(text)[0]["t"]
    assert frame.height == 5000
    assert "é" + "x" * 100 in frame["b"].to_list()


def test_names_are_made_different() -> None:
    assert distinct(["a", "a", "", "", "a_2"]) == ["a", "a_2", "column_3", "column_4", "a_2_2"]
